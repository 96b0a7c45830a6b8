//! Profiles as the versions before 2025-12-18 write them: conditions listed
//! once per profile, quotas that point to them by index, interlocks apart.

use super::whole;
use crate::api::rejection::Rejection;
use crate::state::World;
use crate::state::audience::{
    Adjustment, Audience, Condition, Profile, ProfileKind, Quota, Target, Wanted, question_name,
};
use crate::state::interlock::Cell;
use serde_json::{Value, json};

/// Reads `profile` of a draft, or the body of an apply call.
pub(crate) fn read(world: &mut World, given: &Value, goal: u64) -> Result<Audience, Rejection> {
    let adjustment = Adjustment::read(given.get("profile_adjustment_type").and_then(Value::as_str));
    let mut profiles = Vec::new();
    for name in ["drafts", "profiles"] {
        for (at, one) in list(given, name).enumerate() {
            profiles.push(regular(world, one, &format!("{name}.{at}"))?);
        }
    }
    let single = given.get("interlocked_profile").filter(|one| one.is_object());
    for (at, one) in list(given, "interlocked_profiles").chain(single).enumerate() {
        profiles.push(interlocked(world, one, &format!("interlocked_profiles.{at}"))?);
    }
    let mut audience = Audience { adjustment, template_id: None, profiles };
    audience.set_goals(goal);
    Ok(audience)
}

/// Reads a list of regular profiles.
pub(crate) fn read_regular(world: &mut World, given: &Value) -> Result<Vec<Profile>, Rejection> {
    let mut profiles = Vec::new();
    for (at, one) in list(given, "profiles").enumerate() {
        profiles.push(regular(world, one, &format!("profiles.{at}"))?);
    }
    Ok(profiles)
}

fn list<'v>(given: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    given.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn regular(world: &mut World, one: &Value, at: &str) -> Result<Profile, Rejection> {
    let question = one.get("question_id").and_then(whole).unwrap_or(0);
    let enabled = one.get("quotas_enabled").and_then(Value::as_bool).unwrap_or(true);
    let data = one.get("conditions").and_then(|conditions| conditions.get("data"));
    // Documents and samples disagree on whether this is one or many.
    let data: Vec<&Value> = match data {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(single @ Value::Object(_)) => vec![single],
        _ => Vec::new(),
    };
    let kind = one.pointer("/conditions/object").and_then(Value::as_str).unwrap_or_default();
    let conditions: Vec<Condition> = data.into_iter().map(|datum| condition(world, question, datum, kind)).collect();
    let of_one_kind = conditions
        .windows(2)
        .all(|two| matches!(two, [a, b] if std::mem::discriminant(&a.wanted) == std::mem::discriminant(&b.wanted)));
    if !of_one_kind {
        return Err(Rejection::invalid(format!("{at}.conditions"), "conditions of several kinds"));
    }
    let mut used = vec![false; conditions.len()];
    let mut targets = Vec::new();
    let quotas = one.get("quotas").cloned().unwrap_or(Value::Null);
    for kind in ["ungrouped", "grouped"] {
        for (number, quota) in list(&quotas, kind).enumerate() {
            let indexes: Vec<i64> = match quota.get("indexes").and_then(Value::as_array) {
                Some(indexes) => indexes.iter().filter_map(whole).collect(),
                None => quota.get("index").and_then(whole).into_iter().collect(),
            };
            let mut own = Vec::new();
            for index in indexes {
                let position = usize::try_from(index).ok().filter(|i| *i < conditions.len());
                let Some(position) = position else {
                    let name = format!("{at}.quotas.{kind}.{number}");
                    return Err(Rejection::invalid(name, format!("there is no condition {index}")));
                };
                if let Some(mark) = used.get_mut(position) {
                    *mark = true;
                }
                own.extend(conditions.get(position).cloned());
            }
            let name = quota.get("name").and_then(Value::as_str).map(str::to_owned);
            targets.push(Target {
                id: world.ulid(),
                name: name.clone(),
                conditions: own,
                grouped: kind == "grouped",
                quota: enabled.then(|| read_quota(quota, name)),
            });
        }
    }
    for (condition, used) in conditions.into_iter().zip(used) {
        if !used {
            targets.push(Target {
                id: world.ulid(),
                name: None,
                conditions: vec![condition],
                grouped: false,
                quota: None,
            });
        }
    }
    Ok(Profile {
        id: own_id(world, one),
        legacy_id: 1_000 + world.rng.below(900_000),
        kind: ProfileKind::Regular,
        name: one.get("name").and_then(Value::as_str).map(str::to_owned),
        quotas_enabled: enabled,
        targets,
        participants: Vec::new(),
    })
}

/// Reads conditions that stand by themselves: one target each, no quotas.
pub(crate) fn read_conditions(world: &mut World, question: i64, given: &Value) -> Vec<Target> {
    let kind = given.get("object").and_then(Value::as_str).unwrap_or_default();
    let conditions: Vec<Condition> = list(given, "data").map(|datum| condition(world, question, datum, kind)).collect();
    conditions
        .into_iter()
        .map(|condition| Target {
            id: world.ulid(),
            name: None,
            conditions: vec![condition],
            grouped: false,
            quota: None,
        })
        .collect()
}

fn own_id(world: &mut World, one: &Value) -> String {
    one.get("id").and_then(Value::as_str).map_or_else(|| world.ulid(), str::to_owned)
}

fn read_quota(quota: &Value, name: Option<String>) -> Quota {
    Quota {
        name,
        percentage: quota.get("quota_percentage").and_then(Value::as_f64).unwrap_or(0.0),
        goal: quota.get("quota_nominal").and_then(Value::as_f64).map_or(0, |n| n.max(0.0) as u64),
        ..Quota::default()
    }
}

/// Answers of the helper fill in every part of a condition, and come back as
/// requests: the declared kind decides, then what is there.
fn condition(world: &mut World, question: i64, datum: &Value, kind: &str) -> Condition {
    let text = |name: &str| datum.get(name).and_then(Value::as_str).map(str::to_owned);
    let option = text("option").or_else(|| datum.as_str().map(str::to_owned)).map(Wanted::Option);
    let range = match (datum.get("min").and_then(whole), datum.get("max").and_then(whole)) {
        (Some(min), Some(max)) => Some(Wanted::Range(min, max)),
        _ => None,
    };
    let zips = (datum.get("zip_codes").is_some() || datum.get("allow_all_zip").is_some()).then(|| Wanted::Open {
        values: list(datum, "zip_codes").filter_map(Value::as_str).map(str::to_owned).collect(),
        all: datum.get("allow_all_zip").and_then(Value::as_bool).unwrap_or(false),
    });
    let wanted = match kind.split('_').next() {
        Some("range") => range.or(option).or(zips),
        Some("zip") => zips.or(option).or(range),
        _ => option.or(range).or(zips),
    };
    Condition {
        id: world.ulid(),
        question,
        wanted: wanted.unwrap_or(Wanted::Open { values: Vec::new(), all: true }),
        text: text("text"),
    }
}

fn interlocked(world: &mut World, one: &Value, at: &str) -> Result<Profile, Rejection> {
    let enabled = one.get("quotas_enabled").and_then(Value::as_bool).unwrap_or(true);
    let mut participants = Vec::new();
    let mut questions = Vec::new();
    for (number, participant) in list(one, "profiles").enumerate() {
        participants.push(regular(world, participant, &format!("{at}.profiles.{number}"))?);
        questions.push(participant.get("question_id").and_then(whole).unwrap_or(0));
    }
    let crossed = crate::state::interlock::cross(&participants, 0);
    let quotas = one.get("quotas").cloned().unwrap_or(Value::Null);
    let mut targets = Vec::new();
    for (number, quota) in list(&quotas, "ungrouped").enumerate() {
        let given = quota.get("condition").cloned().unwrap_or(Value::Null);
        let id = |value: &Value| value.get("id").and_then(Value::as_str).map(str::to_owned);
        let conditions = related(world, &given)
            .or_else(|| id(&given).and_then(|id| world.cells.get(&id).cloned()))
            .or_else(|| id(quota).and_then(|id| world.cells.get(&id).cloned()))
            .or_else(|| crossed.get(number).map(|cell| cell.conditions.clone()))
            .filter(|conditions| !conditions.is_empty());
        let Some(conditions) = conditions else {
            let name = format!("{at}.quotas.ungrouped.{number}.condition");
            return Err(Rejection::invalid(name, "nothing says what this cell consists of"));
        };
        targets.push(Target {
            id: id(quota).unwrap_or_else(|| world.ulid()),
            name: given.get("text").and_then(Value::as_str).map(str::to_owned),
            conditions,
            grouped: false,
            quota: enabled.then(|| read_quota(quota, None)),
        });
    }
    // Participants are named by their ids alone: what they ask for is known from the cells.
    for (participant, question) in participants.iter_mut().zip(questions) {
        if participant.targets.is_empty() {
            participant.targets = margin(world, &targets, question);
        }
    }
    Ok(Profile {
        id: own_id(world, one),
        legacy_id: 1_000 + world.rng.below(900_000),
        kind: ProfileKind::Interlock,
        name: one.get("name").and_then(Value::as_str).map(str::to_owned),
        quotas_enabled: enabled,
        targets,
        participants,
    })
}

/// The targets of one question behind an interlock, in order of appearance, each with what its cells have.
fn margin(world: &mut World, cells: &[Target], question: i64) -> Vec<Target> {
    let mut margin: Vec<Target> = Vec::new();
    for cell in cells {
        let own: Vec<Condition> = cell.conditions.iter().filter(|it| it.question == question).cloned().collect();
        let same = |known: &Target| {
            known.conditions.len() == own.len()
                && known.conditions.iter().zip(&own).all(|(one, other)| one.wanted == other.wanted)
        };
        let part = cell.quota.clone().unwrap_or_default();
        match margin.iter_mut().find(|known| same(known)) {
            Some(known) => {
                if let Some(quota) = &mut known.quota {
                    quota.percentage += part.percentage;
                    quota.goal += part.goal;
                }
            }
            None if own.is_empty() => {}
            None => margin.push(Target {
                id: world.ulid(),
                name: None,
                grouped: own.len() > 1,
                conditions: own,
                quota: Some(Quota { percentage: part.percentage, goal: part.goal, ..Quota::default() }),
            }),
        }
    }
    margin
}

/// A cell that says itself what it consists of.
fn related(world: &mut World, condition_of_cell: &Value) -> Option<Vec<Condition>> {
    let mut conditions = Vec::new();
    for part in list(condition_of_cell, "related_condition") {
        let question = part.get("question_id").and_then(whole)?;
        for datum in list(part, "conditions") {
            conditions.push(condition(world, question, datum, ""));
        }
    }
    (!conditions.is_empty()).then_some(conditions)
}

/// A condition with everything a version may want to know of it.
fn condition_facts(condition: &Condition) -> Value {
    let label = condition.label();
    let mut facts = json!({
        "id": condition.id,
        "text": label,
        "text_translated": label,
        "translated_text": label,
    });
    let Some(map) = facts.as_object_mut() else {
        return facts;
    };
    match &condition.wanted {
        Wanted::Option(option) => {
            map.insert("option".into(), json!(option));
        }
        Wanted::Range(min, max) => {
            map.insert("min".into(), json!(min));
            map.insert("max".into(), json!(max));
        }
        Wanted::Open { values, all } => {
            map.insert("zip_codes".into(), json!(values));
            map.insert("allow_all_zip".into(), json!(all));
        }
    }
    facts
}

/// The kind of a profile's conditions, without the suffix that some calls add.
fn conditions_kind(profile: &Profile) -> &'static str {
    let first = profile.targets.iter().flat_map(|target| &target.conditions).next();
    match first.map(|condition| &condition.wanted) {
        Some(Wanted::Range(..)) => "range_conditions_details",
        Some(Wanted::Open { .. }) => "zip_conditions_details",
        _ => "selection_conditions_details",
    }
}

fn counters(completes: u64, prescreens: u64, quota: &Quota) -> Value {
    json!({
        "quota": quota.goal,
        "quota_nominal": quota.goal,
        "filling_goal": quota.goal,
        "completes_goal": quota.goal,
        "quota_percentage": quota.percentage.round(),
        "completes": completes,
        "prescreens": prescreens,
    })
}

fn join(mut facts: Value, more: Value) -> Value {
    if let (Some(to), Value::Object(from)) = (facts.as_object_mut(), more) {
        to.extend(from);
    }
    facts
}

/// A regular profile. `suffix` is what the call adds to the conditions' kind;
/// `count` gives completes and prescreens of a target.
fn regular_facts(profile: &Profile, suffix: &str, count: &dyn Fn(&Target) -> (u64, u64)) -> Value {
    let mut conditions: Vec<&Condition> = Vec::new();
    for condition in profile.targets.iter().flat_map(|target| &target.conditions) {
        if !conditions.iter().any(|known| known.id == condition.id) {
            conditions.push(condition);
        }
    }
    let index = |condition: &Condition| conditions.iter().position(|known| known.id == condition.id);
    let mut ungrouped = Vec::new();
    let mut grouped = Vec::new();
    for target in &profile.targets {
        let Some(quota) = &target.quota else {
            continue;
        };
        let (completes, prescreens) = count(target);
        let facts = join(json!({ "id": target.id }), counters(completes, prescreens, quota));
        let ids: Vec<_> = target.conditions.iter().map(|condition| condition.id.as_str()).collect();
        let indexes: Vec<_> = target.conditions.iter().filter_map(index).collect();
        if target.grouped {
            let own = json!({ "name": target.label(), "conditions": ids, "indexes": indexes });
            grouped.push(join(facts, own));
        } else {
            let own = json!({ "condition": ids.first(), "conditions": ids, "index": indexes.first() });
            ungrouped.push(join(facts, own));
        }
    }
    let question = profile.questions().first().copied().unwrap_or(0);
    let label = profile.label();
    json!({
        "id": profile.id,
        "legacy_id": profile.legacy_id.to_string(),
        "question_id": question,
        "name": label,
        "description": question_name(question),
        "translated_description": question_name(question),
        "description_translated": question_name(question),
        "quotas_enabled": profile.quotas_enabled,
        "is_interlocked": false,
        "conditions": {
            "object": format!("{}{suffix}", conditions_kind(profile)),
            "data": conditions.iter().map(|condition| condition_facts(condition)).collect::<Vec<_>>(),
        },
        "quotas": { "ungrouped": ungrouped, "grouped": grouped },
    })
}

fn own_counts(target: &Target) -> (u64, u64) {
    target.quota.as_ref().map_or((0, 0), |quota| (quota.tally.completes, quota.tally.entered()))
}

/// A margin's counts are its cells' counts.
fn margin_counts(cells: &[Target], margin: &Target) -> (u64, u64) {
    let within = |cell: &&Target| {
        margin.conditions.iter().any(|wanted| {
            cell.conditions.iter().any(|own| own.question == wanted.question && own.wanted == wanted.wanted)
        })
    };
    cells.iter().filter(within).map(own_counts).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

/// What a cell consists of, question by question.
fn related_facts(conditions: &[Condition]) -> Value {
    let mut parts: Vec<(i64, Vec<Value>)> = Vec::new();
    for condition in conditions {
        let facts = condition_facts(condition);
        match parts.iter_mut().find(|(question, _)| *question == condition.question) {
            Some((_, list)) => list.push(facts),
            None => parts.push((condition.question, vec![facts])),
        }
    }
    parts
        .into_iter()
        .map(|(question, conditions)| json!({ "question_id": question, "conditions": conditions }))
        .collect()
}

fn interlocked_facts(profile: &Profile, suffix: &str) -> Value {
    let cells: Vec<Value> = profile
        .targets
        .iter()
        .enumerate()
        .map(|(at, target)| {
            let label = target.label();
            let quota = target.quota.clone().unwrap_or_default();
            let facts = json!({
                "id": target.id,
                "condition": {
                    "id": target.id,
                    "text": label,
                    "text_translated": label,
                    "translated_text": label,
                    "option": (at + 1).to_string(),
                    "related_condition": related_facts(&target.conditions),
                },
            });
            join(facts, counters(quota.tally.completes, quota.tally.entered(), &quota))
        })
        .collect();
    let participants: Vec<Value> = profile
        .participants
        .iter()
        .map(|participant| {
            let facts = regular_facts(participant, suffix, &|target| margin_counts(&profile.targets, target));
            join(facts, json!({ "interlock_id": profile.id, "is_interlocked": true }))
        })
        .collect();
    json!({
        "id": profile.id,
        "name": profile.label(),
        "quotas_enabled": profile.quotas_enabled,
        "depends_on_questions": profile.questions(),
        "quotas": { "ungrouped": cells, "grouped": [] },
        "profiles": participants,
    })
}

/// One profile of a launched group, as the first or second edition of the
/// profile calls tells it.
pub(crate) fn profile_facts(profile: &Profile, second: bool) -> Value {
    let suffix = if second { "_template" } else { "" };
    match profile.kind {
        ProfileKind::Regular => regular_facts(profile, suffix, &own_counts),
        ProfileKind::Interlock | ProfileKind::Control => interlocked_facts(profile, suffix),
    }
}

/// All profiles of a launched group. The second edition shows an interlock
/// and lists its margins inside it; the first knows only regular profiles.
pub(crate) fn list_facts(audience: &Audience, second: bool) -> Value {
    let suffix = if second { "_template" } else { "" };
    let mut data: Vec<Value> = Vec::new();
    let mut interlocked = Value::Null;
    for profile in &audience.profiles {
        if profile.kind == ProfileKind::Regular {
            data.push(regular_facts(profile, suffix, &own_counts));
            continue;
        }
        if second {
            interlocked = interlocked_facts(profile, suffix);
        } else {
            data.extend(profile.participants.iter().map(|participant| {
                regular_facts(participant, suffix, &|target| margin_counts(&profile.targets, target))
            }));
        }
    }
    let mut facts = json!({ "data": data });
    if let (Some(map), false) = (facts.as_object_mut(), interlocked.is_null()) {
        map.insert("interlocked_profile".into(), interlocked);
    }
    facts
}

/// What was sent as `profile`, completed from what is known of it.
pub(crate) fn draft_facts(audience: &Audience) -> Value {
    let regular: Vec<Value> = audience
        .profiles
        .iter()
        .filter(|profile| profile.kind == ProfileKind::Regular)
        .map(|profile| regular_facts(profile, "_template", &own_counts))
        .collect();
    let interlocked: Vec<Value> = audience
        .profiles
        .iter()
        .filter(|profile| profile.kind != ProfileKind::Regular)
        .map(|profile| interlocked_facts(profile, "_template"))
        .collect();
    json!({
        "profile_adjustment_type": audience.adjustment.name(),
        "drafts": regular,
        "interlocked_profiles": interlocked,
    })
}

/// The helper's answer: a list with one interlock. Its cells are remembered
/// under their ids, since a draft names them by id alone.
pub(crate) fn generated_facts(world: &mut World, profiles: Vec<Profile>, cells: Vec<Cell>) -> Value {
    let mut targets = Vec::new();
    for cell in cells {
        let id = world.ulid();
        world.cells.put(id.clone(), cell.conditions.clone(), 500);
        targets.push(Target {
            id,
            name: Some(cell.name),
            conditions: cell.conditions,
            grouped: false,
            quota: Some(Quota { percentage: cell.percents as f64, goal: cell.goal, ..Quota::default() }),
        });
    }
    let id = world.ulid();
    let profile = Profile {
        id,
        legacy_id: 0,
        kind: ProfileKind::Interlock,
        name: None,
        quotas_enabled: true,
        targets,
        participants: profiles,
    };
    json!([interlocked_facts(&profile, "")])
}
