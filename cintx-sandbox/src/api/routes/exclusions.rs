//! Who is not asked, without files: groups of target groups that exclude each
//! other, project policies, recent activity, and the older versions' lists.

use super::{Outcome, Route, projects, target_groups};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::rejection::Rejection;
use crate::sim::clock::text;
use crate::state::exclusion::{ExclusionGroup, MAX_GROUPS, days};
use crate::state::file_job::{self, List};
use crate::state::{World, page};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("create_exclusion_group", create),
    ("get_exclusion_groups_by_account_id", |world, call| list(world, call)),
    ("get_exclusion_group_by_id", |world, call| get(world, call)),
    ("update_exclusion_group_by_id", update),
    ("delete_exclusion_group_by_id", delete),
    ("get_exclusion_group_target_group_exclusions", |world, call| members(world, call)),
    ("add_target_groups_to_exclusion_group", add),
    ("remove_target_groups_from_exclusion_group", remove),
    ("get_exclusion_groups_for_target_group", |world, call| of_target_group(world, call)),
    ("get_exclusion_by_project_api", |world, call| policies(world, call)),
    ("update_bulk_target_group_exclusions_api", set_policies),
    ("get_target_group_exclusion_policy_api", |world, call| policy(world, call)),
    ("get_target_group_respondent_activity_exclusions", |world, call| activity(world, call)),
    ("set_target_group_respondent_activity_exclusions", set_activity),
    ("get_target_group_rid_exclusion_list_api", |world, call| rids(world, call)),
    ("upsert_target_group_rid_exclusion_list_api", |world, call| upsert(world, call, List::ExcludedRsids)),
    ("get_target_group_cid_exclusion_list_api", |world, call| cids(world, call)),
    ("upsert_target_group_cid_exclusion_list_api", |world, call| upsert(world, call, List::ExcludedCids)),
];

fn find<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w ExclusionGroup, Rejection> {
    world.exclusion_groups.get(call.at("exclusion_group_id")).ok_or_else(|| Rejection::not_found("exclusion group"))
}

fn find_mut<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut ExclusionGroup, Rejection> {
    world.exclusion_groups.get_mut(call.at("exclusion_group_id")).ok_or_else(|| Rejection::not_found("exclusion group"))
}

fn facts(group: &ExclusionGroup) -> Value {
    json!({
        "exclusion_group_id": group.id,
        "tag": group.tag,
        "description": group.description,
        "create_date": text(group.created_at),
        "update_date": text(group.changed_at),
    })
}

/// What a group takes with all the target groups that it may have, roughly.
fn weight(group: &ExclusionGroup) -> usize {
    12_000 + group.tag.len() + group.description.len()
}

fn create(world: &mut World, call: &Call<'_>) -> Outcome {
    let now = world.now();
    let group = ExclusionGroup {
        id: world.ulid(),
        tag: call.text("tag").unwrap_or_default().to_owned(),
        description: call.text("description").unwrap_or_default().to_owned(),
        groups: BTreeSet::new(),
        created_at: now,
        changed_at: now,
    };
    let (id, weight) = (group.id.clone(), weight(&group));
    world.exclusion_groups.put(id.clone(), group, weight);
    Ok(Answer::json(201, json!({ "exclusion_group_id": id })))
}

fn get(world: &World, call: &Call<'_>) -> Outcome {
    Ok(Answer::json(200, facts(find(world, call)?)))
}

fn update(world: &mut World, call: &Call<'_>) -> Outcome {
    let now = world.now();
    let group = find_mut(world, call)?;
    for (name, own) in [("tag", &mut group.tag), ("description", &mut group.description)] {
        if let Some(given) = call.text(name) {
            given.clone_into(own);
        }
    }
    group.changed_at = now;
    let weight = weight(group);
    world.exclusion_groups.reweigh(call.at("exclusion_group_id"), weight);
    Ok(Answer::empty(204))
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = find(world, call)?;
    if !group.groups.is_empty() {
        return Err(Rejection::new(409, "conflict_error", "The exclusion group still has target groups."));
    }
    let id = group.id.clone();
    world.exclusion_groups.take(&id);
    Ok(Answer::empty(204))
}

fn page_of(call: &Call<'_>, groups: Vec<&ExclusionGroup>, usual: usize, most: usize) -> Outcome {
    let page = page::cut(groups, &call.window(usual, most)?, |group| group.id.clone())?;
    let data: Vec<Value> = page.items.iter().map(|group| facts(group)).collect();
    Ok(Answer::json(200, json!({ "data": data, "next_cursor": page.next, "url": format!("/v1{}", call.requested) })))
}

fn list(world: &World, call: &Call<'_>) -> Outcome {
    page_of(call, world.exclusion_groups.values().collect(), 1_000, 1_000)
}

/// The exclusion groups that a target group is in.
fn of_target_group(world: &World, call: &Call<'_>) -> Outcome {
    let id = call.at("target_group_id");
    if !world.groups.contains_key(id) {
        return Err(Rejection::not_found("target group"));
    }
    let groups = world.exclusion_groups.values().filter(|group| group.groups.contains(id)).collect();
    page_of(call, groups, 10, 100)
}

fn members(world: &World, call: &Call<'_>) -> Outcome {
    let ids: Vec<&String> = find(world, call)?.groups.iter().collect();
    let page = page::cut(ids, &call.window(1_000, 1_000)?, |id| (*id).clone())?;
    let url = format!("/v1{}", call.requested);
    Ok(Answer::json(200, json!({ "data": page.items, "next_cursor": page.next, "url": url })))
}

fn given(call: &Call<'_>) -> Vec<String> {
    let data = if call.body.is_array() { Some(&call.body) } else { call.body.get("data") };
    data.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn add(world: &mut World, call: &Call<'_>) -> Outcome {
    let ids = given(call);
    if let Some(unknown) = ids.iter().find(|id| !world.groups.contains_key(id)) {
        return Err(Rejection::invalid("data", format!("there is no target group {unknown}")));
    }
    let now = world.now();
    let group = find_mut(world, call)?;
    let all: BTreeSet<String> = group.groups.iter().cloned().chain(ids).collect();
    if all.len() > MAX_GROUPS {
        return Err(Rejection::invalid("data", format!("more than {MAX_GROUPS} target groups")));
    }
    group.groups = all;
    group.changed_at = now;
    Ok(Answer::empty(204))
}

fn remove(world: &mut World, call: &Call<'_>) -> Outcome {
    let (ids, now) = (given(call), world.now());
    let group = find_mut(world, call)?;
    group.groups.retain(|id| !ids.contains(id));
    group.changed_at = now;
    Ok(Answer::empty(204))
}

/// Whether target groups leave out the respondents of their project.
fn policies(world: &World, call: &Call<'_>) -> Outcome {
    let project = projects::find(world, call)?;
    let list: Vec<Value> = world
        .groups_of(&project.id)
        .map(|group| json!({ "target_group_id": group.id, "project_exclusion_enabled": group.project_exclusion }))
        .collect();
    Ok(Answer::json(200, Value::Array(list)))
}

fn set_policies(world: &mut World, call: &Call<'_>) -> Outcome {
    let project = projects::find(world, call)?.id.clone();
    let mut changes = Vec::new();
    for one in call.body.as_array().into_iter().flatten() {
        let id = one.get("target_group_id").and_then(Value::as_str).unwrap_or_default();
        let enabled = one.get("project_exclusion_enabled").and_then(Value::as_bool).unwrap_or(false);
        if world.groups.get(id).is_none_or(|group| group.project_id != project) {
            return Err(Rejection::invalid("target_group_id", format!("the project has no target group {id}")));
        }
        changes.push((id.to_owned(), enabled));
    }
    let now = world.now();
    for (id, enabled) in changes {
        let group = target_groups::group_mut(world, &id)?;
        group.project_exclusion = enabled;
        group.project_exclusion_at = Some(now);
    }
    Ok(Answer::empty(204))
}

fn policy(world: &World, call: &Call<'_>) -> Outcome {
    let group = target_groups::find(world, call)?;
    let facts = json!({
        "project_exclusion_enabled": group.project_exclusion,
        "create_date": text(group.created_at),
        "update_date": text(group.project_exclusion_at.unwrap_or(group.created_at)),
        "updated_by": world.account.caller(),
    });
    Ok(Answer::json(200, facts))
}

fn activity(world: &World, call: &Call<'_>) -> Outcome {
    let group = target_groups::find(world, call)?;
    let list = group.kept.get("respondent_activity_exclusions").cloned().unwrap_or_else(|| json!([]));
    Ok(Answer::json(200, json!({ "respondent_activity_exclusions": list })))
}

/// The list is replaced as a whole.
fn set_activity(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = target_groups::find(world, call)?;
    let (id, project) = (group.id.clone(), group.project_id.clone());
    let list = read_activity(world, &call.body, &id, &project)?;
    let now = world.now();
    let group = target_groups::group_mut(world, &id)?;
    group.kept.insert("respondent_activity_exclusions".into(), Value::Array(list));
    group.changed_at = now;
    Ok(Answer::empty(204))
}

/// How long somebody can be kept out.
const DURATIONS: &str = "a period of 1 to 396 days, like P90D";

/// Reads activity exclusions, with the durations as they are kept: in days
/// where they came in weeks, and 90 days where nothing was said.
pub(super) fn read_activity(
    world: &World,
    body: &Value,
    own: &str,
    own_project: &str,
) -> Result<Vec<Value>, Rejection> {
    let overall = body.get("duration").and_then(Value::as_str).unwrap_or("P90D");
    let mut list = Vec::new();
    for one in body.get("respondent_activity_exclusions").and_then(Value::as_array).into_iter().flatten() {
        let part = |name: &str| one.get(name).and_then(Value::as_str);
        let (id, kind) = (part("id").unwrap_or_default(), part("type").unwrap_or_default());
        let (known, is_own) = match kind {
            "project" => (world.projects.contains_key(id), id == own_project),
            _ => (world.groups.contains_key(id), id == own),
        };
        if is_own || !known {
            let reason = if is_own { "a target group cannot exclude its own" } else { "there is no such id" };
            return Err(Rejection::invalid("respondent_activity_exclusions.id", reason));
        }
        let duration = days(part("duration").unwrap_or(overall))
            .ok_or_else(|| Rejection::refused("duration", part("duration").unwrap_or(overall), DURATIONS))?;
        let mut kept = one.clone();
        if let Some(map) = kept.as_object_mut() {
            map.insert("duration".into(), json!(duration));
        }
        list.push(kept);
    }
    Ok(list)
}

/// The older versions' lists take ids directly.
fn upsert(world: &mut World, call: &Call<'_>, list: List) -> Outcome {
    let group = target_groups::find(world, call)?.id.clone();
    let mut ids = file_job::ids(world, &group, list).cloned().unwrap_or_default();
    ids.extend(given(call).into_iter().map(|id| id.to_lowercase()));
    let other = if list == List::ExcludedCids { List::ExcludedRsids } else { List::ExcludedCids };
    if ids.len() + file_job::count(world, &group, other) > 10_000 {
        return Err(Rejection::invalid("data", "more than 10000 ids in both lists"));
    }
    file_job::store(world, &group, list, ids);
    Ok(Answer::empty(204))
}

fn rids(world: &World, call: &Call<'_>) -> Outcome {
    let group = &target_groups::find(world, call)?.id;
    let ids: Vec<&String> = file_job::ids(world, group, List::ExcludedRsids).into_iter().flatten().collect();
    Ok(Answer::json(200, json!(ids)))
}

fn cids(world: &World, call: &Call<'_>) -> Outcome {
    let group = &target_groups::find(world, call)?.id;
    let ids: Vec<&String> = file_job::ids(world, group, List::ExcludedCids).into_iter().flatten().collect();
    let url = format!("/v1{}", call.requested);
    Ok(Answer::json(200, json!({ "data": ids, "has_more": false, "url": url })))
}
