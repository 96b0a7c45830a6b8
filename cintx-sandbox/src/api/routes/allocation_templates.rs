//! Supply templates: of the account, global ones, the system's own; and which
//! of them new target groups of the account begin with.

use super::{Outcome, Route};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::dialect::{ids, supply};
use crate::api::rejection::Rejection;
use crate::sim::clock::text;
use crate::state::supply::Supply;
use crate::state::template::{Scope, SupplyTemplate};
use crate::state::{World, page};
use crate::version::Version;
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("list_account_allocation_templates", |world, call| list(world, call)),
    ("list_global_allocation_templates", |world, call| list(world, call)),
    ("create_account_allocation_template", create),
    ("create_global_allocation_template", create),
    ("get_account_allocation_template_by_template_id", |world, call| get(world, call)),
    ("get_global_allocation_template_by_template_id", |world, call| get(world, call)),
    ("update_account_allocation_template", update),
    ("update_global_allocation_template", update),
    ("delete_account_allocation_template", delete),
    ("delete_global_allocation_template", delete),
    ("get_account_allocation_template_association", |world, call| association(world, call)),
    ("set_account_allocation_template_association", associate),
    ("get_system_allocation_template", |world, _| system(world)),
    ("get_system_allocation_template_by_business_unit_id", |world, call| system_of_unit(world, call)),
    ("get_account_allocation_template_for_business_unit_id", |world, call| of_unit(world, call)),
    ("get_global_allocation_template_by_id_for_business_unit_id", |world, call| of_unit(world, call)),
];

fn scope(call: &Call<'_>) -> Scope {
    let path = call.operation.path();
    let global = path.starts_with("/demand/allocation-templates") || path.contains("/global-allocation-templates");
    if global { Scope::Global } else { Scope::Account }
}

fn find<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w SupplyTemplate, Rejection> {
    world
        .supply_templates
        .get(&ids::kept(call.at("template_id")))
        .filter(|template| template.scope == scope(call))
        .ok_or_else(|| Rejection::not_found("allocation template"))
}

fn read(call: &Call<'_>) -> Result<(String, Supply), Rejection> {
    let entries = call.body.get("supply_allocations").and_then(Value::as_array);
    let supply = supply::read_legacy(entries.map_or(&[], Vec::as_slice))?;
    Ok((call.text("name").unwrap_or_default().trim().to_owned(), supply))
}

fn facts(world: &World, template: &SupplyTemplate, version: Version) -> Value {
    let fill = supply::Fill::none(&world.market);
    json!({
        "template_id": ids::shown(version, &template.id),
        "name": template.name,
        "last_modified_at": text(template.changed_at),
        "last_modified_by": template.changed_by,
        "supply_allocations": supply::legacy_facts(&template.supply, 0, fill),
    })
}

fn list(world: &World, call: &Call<'_>) -> Outcome {
    let all: Vec<&SupplyTemplate> =
        world.supply_templates.values().rev().filter(|template| template.scope == scope(call)).collect();
    let page = page::cut(all, &call.window(10, 100)?, |template| ids::shown(call.version, &template.id))?;
    let templates: Vec<Value> = page.items.iter().map(|template| facts(world, template, call.version)).collect();
    let body = json!({
        "has_more": page.next.is_some(),
        "next_cursor": page.next.unwrap_or_default(),
        "templates": templates,
    });
    Ok(Answer::json(200, body))
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let (name, supply) = read(call)?;
    let template = SupplyTemplate {
        id: world.ulid(),
        scope: scope(call),
        name,
        supply,
        changed_at: world.now(),
        changed_by: world.account.caller().to_owned(),
        version: 1,
    };
    let place = format!("/v1{}/{}", call.requested, ids::shown(call.version, &template.id));
    world.supply_templates.put(template.id.clone(), template, 1_000 + call.raw.len());
    Ok(Answer::empty(201).with("location", place))
}

fn get(world: &World, call: &Call<'_>) -> Outcome {
    let template = find(world, call)?;
    Ok(Answer::json(200, facts(world, template, call.version)).with("etag", template.etag()))
}

fn update(world: &mut World, call: &Call<'_>) -> Outcome {
    let template = find(world, call)?;
    call.match_etag(&template.etag())?;
    let (id, now) = (template.id.clone(), world.now());
    let (name, supply) = read(call)?;
    if let Some(template) = world.supply_templates.get_mut(&id) {
        template.name = name;
        template.supply = supply;
        template.changed_at = now;
        template.version += 1;
    }
    Ok(Answer::empty(204))
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = find(world, call)?.id.clone();
    if world.association.template_id == id {
        return Err(Rejection::bad_request("The template is the one that new target groups begin with."));
    }
    world.supply_templates.take(&id);
    Ok(Answer::empty(204))
}

fn association_etag(world: &World) -> String {
    format!("W/\"{}\"", world.association.version)
}

fn association(world: &World, call: &Call<'_>) -> Outcome {
    let id = ids::shown(call.version, &world.association.template_id);
    Ok(Answer::json(200, json!({ "template_id": id })).with("etag", association_etag(world)))
}

fn associate(world: &mut World, call: &Call<'_>) -> Outcome {
    call.match_etag(&association_etag(world))?;
    let id = ids::kept(call.text("template_id").unwrap_or_default());
    if !world.supply_templates.contains_key(&id) {
        return Err(Rejection::invalid("template_id", "there is no such allocation template"));
    }
    world.association.template_id = id;
    world.association.version += 1;
    Ok(Answer::empty(204))
}

fn system(world: &World) -> Outcome {
    let entries = supply::legacy_facts(&Supply::default(), 0, supply::Fill::none(&world.market));
    Ok(Answer::json(200, json!({ "name": "Open exchange", "supply_allocations": entries })))
}

/// As a business unit sees a template: private suppliers are shut out.
fn unit_facts(world: &World, call: &Call<'_>, name: &str, own: &Supply) -> Result<Value, Rejection> {
    let unit = call.at("business_unit_id").parse().ok().and_then(|id| world.account.business_unit(id));
    unit.ok_or_else(|| Rejection::not_found("business unit"))?;
    let mut facts = supply::modern_facts(own, 0, supply::Fill::none(&world.market));
    if let Some(map) = facts.as_object_mut() {
        map.insert("template_name".into(), json!(name));
    }
    Ok(facts)
}

fn system_of_unit(world: &World, call: &Call<'_>) -> Outcome {
    Ok(Answer::json(200, unit_facts(world, call, "Open exchange", &Supply::default())?))
}

fn of_unit(world: &World, call: &Call<'_>) -> Outcome {
    let template = find(world, call)?;
    let mut facts = unit_facts(world, call, &template.name, &template.supply)?;
    if let Some(map) = facts.as_object_mut() {
        map.insert("template_id".into(), json!(template.id));
        map.insert("last_modified_at".into(), json!(text(template.changed_at)));
        map.insert("last_modified_by".into(), json!(template.changed_by));
    }
    Ok(Answer::json(200, facts).with("etag", template.etag()))
}
