//! Profile templates: profiles with percentages, kept to be used again.
//! The account's own can be changed; global ones are there from the start.

use super::{Outcome, Route};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::dialect::{legacy, modern};
use crate::api::rejection::{Fault, Rejection};
use crate::state::audience::{Adjustment, Audience, ProfileKind};
use crate::state::template::{ProfileTemplate, Scope};
use crate::state::{World, page};
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("list_profile_templates", |world, call| list(world, call)),
    ("create_profile_template", create),
    ("get_profile_template", |world, call| get(world, call)),
    ("edit_profile_template", update),
    ("delete_profile_template", delete),
];

fn find<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w ProfileTemplate, Rejection> {
    let id = call.at("profile_template_id").to_lowercase();
    world.profile_templates.get(&id).ok_or_else(|| Rejection::not_found("profile template"))
}

/// A template that the account may change.
fn own(world: &World, call: &Call<'_>) -> Result<ProfileTemplate, Rejection> {
    let template = find(world, call)?;
    if template.scope == Scope::Global { Err(Rejection::forbidden()) } else { Ok(template.clone()) }
}

fn facts(template: &ProfileTemplate, legacy_form: bool) -> Value {
    let mut facts = json!({
        "id": template.id,
        "scope": template.scope.name(),
        "name": template.name,
        "label": template.label,
        "description": template.description,
        "locales": template.locales,
    });
    if let Some(map) = facts.as_object_mut() {
        if legacy_form {
            let profiles = legacy::draft_facts(&template.audience).get("drafts").cloned();
            map.insert("profiles".into(), profiles.unwrap_or(Value::Null));
        } else {
            map.insert("profiling".into(), modern::draft_facts(&template.audience));
        }
    }
    facts
}

fn read(world: &mut World, call: &Call<'_>, id: String, number: u64) -> Result<ProfileTemplate, Rejection> {
    let audience = if call.version.is_legacy() {
        legacy::read(world, &call.body, 0)?
    } else {
        modern::read(world, call.body.get("profiling").unwrap_or(&Value::Null), 0)
    };
    let text = |name: &str| call.text(name).unwrap_or_default().to_owned();
    let locales = call.body.get("locales").and_then(Value::as_array);
    Ok(ProfileTemplate {
        id,
        scope: Scope::Account,
        name: text("name"),
        label: text("label"),
        description: text("description"),
        locales: locales.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        audience,
        number,
    })
}

fn store(world: &mut World, call: &Call<'_>, template: ProfileTemplate, status: u16) -> Outcome {
    let facts = facts(&template, call.version.is_legacy());
    world.profile_templates.put(template.id.clone(), template, 1_000 + 4 * call.raw.len());
    Ok(Answer::json(status, facts))
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = world.rng.uuid();
    let number = world.profile_templates.values().map(|template| template.number).max().unwrap_or(0) + 1;
    let template = read(world, call, id, number)?;
    store(world, call, template, 201)
}

fn get(world: &World, call: &Call<'_>) -> Outcome {
    Ok(Answer::json(200, facts(find(world, call)?, call.version.is_legacy())))
}

fn update(world: &mut World, call: &Call<'_>) -> Outcome {
    let old = own(world, call)?;
    let template = read(world, call, old.id, old.number)?;
    store(world, call, template, 200)
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = own(world, call)?.id;
    world.profile_templates.take(&id);
    Ok(Answer::empty(204))
}

fn list(world: &World, call: &Call<'_>) -> Outcome {
    let locales: Vec<&str> = call.query("locales").map(|list| list.split(',').collect()).unwrap_or_default();
    let mut all: Vec<&ProfileTemplate> = world
        .profile_templates
        .values()
        .filter(|template| call.query("scope").is_none_or(|scope| scope == template.scope.name()))
        .filter(|template| {
            // A template without locales fits everywhere.
            locales.is_empty()
                || template.locales.is_empty()
                || template.locales.iter().any(|own| locales.contains(&own.as_str()))
        })
        .collect();
    all.sort_by_key(|template| template.number);
    if call.query("order") != Some("asc") {
        all.reverse();
    }
    let page = page::cut(all, &call.window(10, 100)?, |template| template.id.clone())?;
    let templates: Vec<Value> = page.items.iter().map(|one| facts(one, call.version.is_legacy())).collect();
    Ok(Answer::json(200, json!({ "next_cursor": page.next, "templates": templates })))
}

/// Adds to an audience what its template has and it does not say itself.
pub(super) fn fill(world: &mut World, audience: &mut Audience, locale: &str, goal: u64) -> Result<(), Rejection> {
    let Some(id) = audience.template_id.as_ref().map(|id| id.to_lowercase()) else {
        return Ok(());
    };
    let template = world
        .profile_templates
        .get(&id)
        .cloned()
        .ok_or_else(|| Rejection::invalid("profiling.template_id", "there is no such profile template"))?;
    let fault = |number, slug| Fault {
        number,
        slug,
        detail: format!("Template {}.", template.name),
        questions: Vec::new(),
        profile: None,
    };
    let mut faults = Vec::new();
    if !template.locales.is_empty() && !template.locales.iter().any(|own| own == locale) {
        faults.push(fault(40, "template_locale_does_not_match_target_group_locale"));
    }
    if audience.adjustment != Adjustment::Percentage {
        faults.push(fault(41, "template_allows_only_percentage_adjustment"));
    }
    if !faults.is_empty() {
        return Err(Rejection::profiles(faults));
    }
    let said: Vec<Vec<i64>> = audience.profiles.iter().map(|profile| profile.questions()).collect();
    for mut profile in template.audience.profiles {
        if profile.kind == ProfileKind::Regular && said.contains(&profile.questions()) {
            continue;
        }
        profile.id = world.ulid();
        for target in &mut profile.targets {
            target.id = world.ulid();
        }
        audience.profiles.push(profile);
    }
    audience.set_goals(goal);
    Ok(())
}
