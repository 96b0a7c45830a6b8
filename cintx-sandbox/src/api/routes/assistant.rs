//! The fielding assistant of a target group: one set of modules, replaced as
//! a whole, under an ETag of its own.

use super::{Outcome, Route, target_groups};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::dialect::{first, read_money};
use crate::api::rejection::Rejection;
use crate::sim::clock::read;
use crate::state::schedule::Event;
use crate::state::target_group::TargetGroup;
use crate::state::{World, history};
use crate::version::Version;
use serde_json::{Map, Value};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("get_fielding_assistant_assignment", |world, call| get(world, call)),
    ("create_or_update_fielding_assistant_assignment", set),
];

fn etag(group: &TargetGroup) -> String {
    format!("W/\"{}\"", group.assistant_version)
}

fn get(world: &World, call: &Call<'_>) -> Outcome {
    let group = target_groups::find(world, call)?;
    Ok(Answer::json(200, group.assistant.clone()).with("etag", etag(group)))
}

fn set(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = target_groups::find(world, call)?;
    let (id, current) = (group.id.clone(), etag(group));
    call.match_etag(&current)?;
    // Like If-Match turned round: with a star, only where there is nothing.
    let assigned = group.assistant.as_object().is_some_and(|modules| !modules.is_empty());
    match call.header("if-none-match").map(str::trim) {
        Some("*") if assigned => return Err(Rejection::stale()),
        Some(tag) if tag == current => return Err(Rejection::stale()),
        _ => {}
    }
    let modules = modules(&call.body);
    check(world, call.version, &modules, group.price.is_some(), &id)?;
    let before = history::snapshot(world, group);
    let now = world.now();
    let group = target_groups::group_mut(world, &id)?;
    group.assistant = modules;
    group.assistant_version += 1;
    group.changed_at = now;
    let soft_end = group.soft_launch().map(|(end, _)| end).filter(|_| !group.is_draft());
    if let Some(end) = soft_end {
        world.schedule.plan(end, Event::SoftLaunchEnds(id.clone()));
    }
    history::record(world, now, &id, &before);
    Ok(Answer::empty(204))
}

/// What is sent as null is not there.
pub(super) fn modules(given: &Value) -> Value {
    let known = ["pacing", "pricing", "quota_overlay", "soft_launch"];
    let kept: Map<String, Value> = known
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), given.get(*name).filter(|value| !value.is_null())?.clone())))
        .collect();
    Value::Object(kept)
}

/// The published rules between modules, price model and group.
pub(super) fn check(
    world: &World,
    version: Version,
    modules: &Value,
    dynamic: bool,
    group_id: &str,
) -> Result<(), Rejection> {
    if let Some(pricing) = modules.get("pricing") {
        let limit = |name: &str| read_money(pricing, name);
        match (pricing.get("type").and_then(Value::as_str), dynamic) {
            (Some("dynamic"), false) => {
                return Err(Rejection::refused("pricing.type", "dynamic", "rate_card, which the target group has"));
            }
            (Some("rate_card"), true) => {
                return Err(Rejection::refused("pricing.type", "rate_card", "dynamic, as the target group's price is"));
            }
            (Some("dynamic"), true) => {
                let (budget, most, least) = (limit("total_budget")?, limit("maximum_cpi")?, limit("minimum_cpi")?);
                let upper = usize::from(budget.is_some()) + usize::from(most.is_some());
                if upper == 0 || (upper == 2 && version != Version::First) {
                    return Err(Rejection::refused(
                        "pricing",
                        format!("{upper} of them"),
                        "one of total_budget and maximum_cpi",
                    ));
                }
                let value = |money: &crate::state::target_group::Money| money.value.parse().unwrap_or(0.0_f64);
                if let (Some(least), Some(most)) = (&least, &most)
                    && value(least) >= value(most)
                {
                    let allowed = format!("less than the {} of maximum_cpi", most.value);
                    return Err(Rejection::refused("pricing.minimum_cpi", &least.value, allowed));
                }
            }
            _ => {
                limit("maximum_cpi")?;
                limit("boost_cpi")?;
            }
        }
    }
    if let Some(exposed) = modules.pointer("/pacing/exposed_target_group_id").and_then(Value::as_str)
        && (exposed == group_id || !world.groups.contains_key(exposed))
    {
        return Err(Rejection::refused(
            "pacing.exposed_target_group_id",
            exposed,
            "another target group of this account",
        ));
    }
    if let Some(soft) = modules.get("soft_launch") {
        let given = first(soft, &["end_at"]).and_then(Value::as_str);
        let end = given.and_then(read).ok_or_else(|| Rejection::no_moment("soft_launch.end_at", given))?;
        if end <= world.now() {
            return Err(Rejection::too_early("soft_launch.end_at", end, world.now()));
        }
    }
    Ok(())
}
