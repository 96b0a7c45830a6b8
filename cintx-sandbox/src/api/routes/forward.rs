//! The forward-only rule of 2025-12-18: what was written through it takes no
//! more writes through the versions before. Reading stays free.

use super::Outcome;
use crate::api::answer::{Answer, Content};
use crate::api::call::Call;
use crate::api::dialect::ids;
use crate::api::rejection::Rejection;
use crate::state::World;
use serde_json::Value;

/// Resources that the rule is kept for, by the path parameter that names
/// them, the inner ones first.
const RESOURCES: &[&str] = &["target_group_id", "webhook_id", "template_id", "profile_template_id"];

/// What comes as a POST and writes nothing.
const HELPERS: &[&str] = &["calculate_target_group_feasibility_by_id", "compute_target_group_transitions"];

fn writes(call: &Call<'_>) -> bool {
    call.operation.method() != "GET" && !HELPERS.contains(&call.operation.id())
}

/// The resource that a write is about.
fn resource(call: &Call<'_>) -> Option<String> {
    let named = RESOURCES.iter().map(|name| call.at(name)).find(|id| !id.is_empty());
    let named = named.or_else(|| Some(call.at("project_id")).filter(|_| call.operation.id() == "update_project"));
    named.map(ids::kept)
}

/// Refuses a write through an older version to what the newest has written.
pub(super) fn check(world: &World, call: &Call<'_>) -> Result<(), Rejection> {
    if !call.version.is_legacy() || !writes(call) {
        return Ok(());
    }
    match resource(call).filter(|id| world.forward.contains_key(id)) {
        Some(id) => Err(Rejection::invalid("cint-api-version", reason(&id))),
        None => Ok(()),
    }
}

/// Why an older version may not write.
pub(crate) fn reason(id: &str) -> String {
    format!("{id} has been written through 2025-12-18, which is the only version to write it from then on")
}

/// Notes what a write through the newest version has made or changed.
pub(super) fn note(world: &mut World, call: &Call<'_>, answer: &Answer) {
    if call.version.is_legacy() || !writes(call) || answer.status >= 300 {
        return;
    }
    let made = match &answer.content {
        Content::Json(body) if matches!(answer.status, 201 | 202) => body.get("id").and_then(Value::as_str),
        _ => None,
    };
    let placed =
        answer.headers.iter().find(|(name, _)| *name == "location").and_then(|(_, place)| place.rsplit('/').next());
    let template = placed.filter(|_| call.operation.path().ends_with("-templates"));
    let id = resource(call).or_else(|| made.or(template).map(str::to_owned));
    if let Some(id) = id
        && !world.forward.contains_key(&id)
    {
        world.forward.put(id, (), 150);
    }
}

/// A route between the two.
pub(super) fn within(
    world: &mut World,
    call: &Call<'_>,
    route: impl FnOnce(&mut World, &Call<'_>) -> Outcome,
) -> Outcome {
    check(world, call)?;
    let answer = route(world, call)?;
    note(world, call, &answer);
    Ok(answer)
}
