//! Profiles as 2025-12-18 writes them: one list, each target with its own
//! conditions and its own quota.

use super::whole;
use crate::state::World;
use crate::state::audience::{
    Adjustment, Audience, Condition, Profile, ProfileKind, Quota, Target, Wanted, question_name,
};
use crate::state::interlock::Cell;
use serde_json::{Map, Value, json};

/// Reads `profiling`.
pub(crate) fn read(world: &mut World, given: &Value, goal: u64) -> Audience {
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    let mut audience = Audience {
        adjustment: Adjustment::read(text("profile_adjustment_type")),
        template_id: text("template_id").map(str::to_owned),
        profiles: read_profiles(world, given),
    };
    audience.set_goals(goal);
    audience
}

/// Reads the list of profiles.
pub(crate) fn read_profiles(world: &mut World, given: &Value) -> Vec<Profile> {
    items(given, "profiles").map(|one| profile(world, one)).collect()
}

fn items<'v>(given: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    given.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn profile(world: &mut World, one: &Value) -> Profile {
    let text = |name: &str| one.get(name).and_then(Value::as_str);
    let kind = match (text("object"), text("blended_type")) {
        (Some("blended"), Some("control")) => ProfileKind::Control,
        (Some("blended"), _) => ProfileKind::Interlock,
        _ => ProfileKind::Regular,
    };
    let quotas_enabled = one.get("quotas_enabled").and_then(Value::as_bool).unwrap_or(true);
    let targets = items(one, "targets")
        .map(|target| {
            let quota = target.get("quota").filter(|quota| quota.is_object() && quotas_enabled);
            let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
            Target {
                id: world.ulid(),
                name: name(target),
                conditions: items(target, "conditions").map(|given| condition(world, given)).collect(),
                grouped: false,
                quota: quota.map(|quota| Quota {
                    name: name(quota),
                    percentage: quota.get("completes_goal_percentage").and_then(Value::as_f64).unwrap_or(0.0),
                    goal: quota.get("completes_goal").and_then(whole).map_or(0, |n| n.max(0) as u64),
                    ..Quota::default()
                }),
            }
        })
        .collect();
    Profile {
        id: world.ulid(),
        legacy_id: 0,
        kind,
        name: text("name").map(str::to_owned),
        quotas_enabled,
        targets,
        participants: Vec::new(),
    }
}

fn condition(world: &mut World, given: &Value) -> Condition {
    let number = |name: &str| given.get(name).and_then(whole).unwrap_or(0);
    let wanted = match given.get("object").and_then(Value::as_str) {
        Some("range") => Wanted::Range(number("min"), number("max")),
        Some("open_ended") => {
            let mut values: Vec<String> = Vec::new();
            for value in items(given, "open_ended_values").filter_map(Value::as_str) {
                // Repeated values are dropped without a word.
                if !values.iter().any(|known| known == value) {
                    values.push(value.to_owned());
                }
            }
            Wanted::Open { values, all: given.get("allow_all_values") == Some(&Value::Bool(true)) }
        }
        _ => Wanted::Option(given.get("option").and_then(Value::as_str).unwrap_or_default().to_owned()),
    };
    Condition { id: world.ulid(), question: number("question_id"), wanted, text: None }
}

fn condition_facts(condition: &Condition) -> Value {
    let label = condition.label();
    let mut facts = match &condition.wanted {
        Wanted::Option(option) => json!({ "object": "selection", "option": option }),
        Wanted::Range(min, max) => json!({ "object": "range", "min": min, "max": max }),
        Wanted::Open { all: true, .. } => {
            json!({ "object": "open_ended", "allow_all_values": true, "open_ended_values": [] })
        }
        Wanted::Open { values, .. } => {
            json!({ "object": "open_ended", "allow_all_values": false, "open_ended_values": values })
        }
    };
    if let Some(map) = facts.as_object_mut() {
        map.insert("question_id".into(), json!(condition.question));
        map.insert("condition_name".into(), json!(label));
        map.insert("condition_name_translated".into(), json!(label));
    }
    facts
}

fn target_facts(target: &Target) -> Value {
    let label = target.label();
    let mut facts = Map::new();
    facts.insert("id".into(), json!(target.id));
    if let Some(name) = &target.name {
        facts.insert("name".into(), json!(name));
    }
    facts.insert("text".into(), json!(label));
    facts.insert("text_translated".into(), json!(label));
    facts.insert("conditions".into(), target.conditions.iter().map(condition_facts).collect());
    if let Some(quota) = &target.quota {
        let mut own = json!({
            "completes_goal_percentage": decimal(quota.percentage),
            "quota_nominal": quota.goal,
            "completes_goal": quota.goal,
            "completes": quota.tally.completes,
            "prescreens": quota.tally.entered(),
        });
        if let (Some(name), Some(map)) = (&quota.name, own.as_object_mut()) {
            map.insert("name".into(), json!(name));
        }
        facts.insert("quota".into(), own);
    }
    Value::Object(facts)
}

/// A number with at most two decimals, whole where it is whole.
fn decimal(number: f64) -> Value {
    let text = format!("{number:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    serde_json::from_str(if short.is_empty() { "0" } else { short }).unwrap_or(json!(0))
}

/// One profile.
pub(crate) fn profile_facts(profile: &Profile) -> Value {
    let description = profile.questions().into_iter().map(question_name).collect::<Vec<_>>().join(", ");
    let mut facts = json!({
        "object": if profile.kind == ProfileKind::Regular { "regular" } else { "blended" },
        "id": profile.id,
        "quotas_enabled": profile.quotas_enabled,
        "name": profile.label(),
        "description": description,
        "description_translated": description,
        "targets": profile.targets.iter().map(target_facts).collect::<Vec<_>>(),
    });
    let blend = match profile.kind {
        ProfileKind::Regular => None,
        ProfileKind::Interlock => Some("interlock"),
        ProfileKind::Control => Some("control"),
    };
    if let (Some(blend), Some(map)) = (blend, facts.as_object_mut()) {
        map.insert("blended_type".into(), json!(blend));
    }
    facts
}

/// A profile in the form that requests give it, in percentages or in counts.
pub(crate) fn request_facts(profile: &Profile, adjustment: Adjustment) -> Value {
    let mut facts = profile_facts(profile);
    let number = match adjustment {
        Adjustment::Nominal => "completes_goal",
        Adjustment::Percentage => "completes_goal_percentage",
    };
    for target in facts.get_mut("targets").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(quota) = target.get_mut("quota").and_then(Value::as_object_mut) {
            quota.retain(|name, _| name == "name" || name == number);
        }
    }
    facts
}

/// All profiles of a launched group; control blends are not listed.
pub(crate) fn list_facts(audience: &Audience, locale: &str, goal: u64) -> Value {
    let profiles: Vec<Value> =
        audience.profiles.iter().filter(|profile| profile.kind != ProfileKind::Control).map(profile_facts).collect();
    json!({ "locale": locale, "completes_goal": goal, "profiles": profiles })
}

/// The `profiling` of a draft.
pub(crate) fn draft_facts(audience: &Audience) -> Value {
    if audience.profiles.is_empty() && audience.template_id.is_none() {
        return json!({});
    }
    let mut facts = json!({ "profile_adjustment_type": audience.adjustment.name() });
    if let Some(map) = facts.as_object_mut() {
        if let Some(template) = &audience.template_id {
            map.insert("template_id".into(), json!(template));
        }
        map.insert("profiles".into(), audience.profiles.iter().map(profile_facts).collect());
    }
    facts
}

/// The helper's answer: one blended profile with every cell.
pub(crate) fn generated_facts(world: &mut World, profiles: &[Profile], cells: Vec<Cell>) -> Value {
    let questions: Vec<String> = profiles.iter().flat_map(Profile::questions).map(question_name).collect();
    let targets = cells
        .into_iter()
        .map(|cell| Target {
            id: world.ulid(),
            name: Some(cell.name),
            conditions: cell.conditions,
            grouped: false,
            quota: Some(Quota { percentage: cell.hundredths as f64 / 100.0, goal: cell.goal, ..Quota::default() }),
        })
        .collect();
    let blend = Profile {
        id: world.ulid(),
        legacy_id: 0,
        kind: ProfileKind::Interlock,
        name: Some(questions.join(" x ")),
        quotas_enabled: true,
        targets,
        participants: Vec::new(),
    };
    profile_facts(&blend)
}
