//! Profiles of launched groups, with their counters.
//! Replacing them is all or nothing.

use super::{Outcome, target_groups};
use crate::answer::Answer;
use crate::call::Call;
use crate::dialect::{legacy, modern};
use crate::refusal::Refusal;
use crate::state::World;
use crate::state::audience::Audience;
use crate::state::target_group::TargetGroup;
use serde_json::Value;

/// `second` is the second edition of the older versions' profile calls.
fn facts(call: &Call<'_>, group: &TargetGroup, second: bool) -> Value {
    if call.version.is_legacy() {
        legacy::list_facts(&group.audience, second)
    } else {
        modern::list_facts(&group.audience, &group.locale, group.goal)
    }
}

pub(super) fn list(world: &World, call: &Call<'_>, second: bool) -> Outcome {
    Ok(Answer::json(200, facts(call, target_groups::launched(world, call)?, second)))
}

pub(super) fn get(world: &World, call: &Call<'_>, second: bool) -> Outcome {
    let group = target_groups::launched(world, call)?;
    let id = call.at("profile_id");
    let all = group.audience.profiles.iter().flat_map(|profile| std::iter::once(profile).chain(&profile.participants));
    let profile = all
        .into_iter()
        .find(|profile| profile.id == id || profile.legacy_id.to_string() == id)
        .ok_or_else(|| Refusal::not_found("profile"))?;
    let facts =
        if call.version.is_legacy() { legacy::profile_facts(profile, second) } else { modern::profile_facts(profile) };
    Ok(Answer::json(200, facts))
}

/// Replaces all profiles; all or nothing.
pub(super) fn manage(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = target_groups::launched(world, call)?.id.clone();
    let goal = call.number("completes_goal").map_or(0, |n| n.max(0) as u64);
    let profiling = call.body.get("profiling").cloned().unwrap_or(Value::Null);
    let audience = modern::read(world, &profiling, goal);
    replace(world, call, &id, audience, Some(goal), Refusal::profiles)?;
    let group = target_groups::launched(world, call)?;
    Ok(Answer::json(201, facts(call, group, false)))
}

/// The older versions' way to replace all profiles.
pub(super) fn apply(world: &mut World, call: &Call<'_>, second: bool) -> Outcome {
    let group = target_groups::launched(world, call)?;
    let (id, goal) = (group.id.clone(), group.goal);
    let goal = call.number("target_group_filling_goal").map_or(goal, |n| n.max(1) as u64);
    let audience = legacy::read(world, &call.body, goal)?;
    replace(world, call, &id, audience, Some(goal), |faults| {
        let mut refusal = Refusal::bad_request("The profiles are not valid.");
        refusal.params = faults.iter().map(|fault| (fault.name(), fault.reason())).collect();
        refusal
    })?;
    let group = target_groups::launched(world, call)?;
    let facts = facts(call, group, second);
    // One edition answers with the bare list.
    let status = call.operation.success();
    let shape_is_list = call
        .contract
        .answer_shape(call.operation, status)
        .is_some_and(|shape| matches!(shape.kind, crate::contract::shape::ShapeKind::Array { .. }));
    let facts = if shape_is_list { facts.get("data").cloned().unwrap_or(Value::Null) } else { facts };
    Ok(Answer::json(status, facts))
}

fn replace(
    world: &mut World,
    _call: &Call<'_>,
    id: &str,
    audience: Audience,
    goal: Option<u64>,
    refuse: impl Fn(Vec<crate::refusal::Fault>) -> Refusal,
) -> Result<(), Refusal> {
    let now = world.now();
    let Some(group) = world.groups.get_mut(id) else {
        return Err(Refusal::not_found("target group"));
    };
    let goal = goal.unwrap_or(group.goal);
    let faults = audience.faults(goal);
    if !faults.is_empty() {
        return Err(refuse(faults));
    }
    group.goal = goal;
    group.audience = audience;
    group.changed_at = now;
    Ok(())
}
