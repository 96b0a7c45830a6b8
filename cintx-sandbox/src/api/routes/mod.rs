//! What each operation does. One module per area; an operation that none of
//! them knows is answered with made-up data of the declared shape.

mod accounts;
mod allocation_templates;
mod assistant;
mod changelog;
mod definitions;
mod distribution;
mod exclusions;
mod fallback;
mod feasibility;
mod fielding;
pub(crate) mod forward;
mod interlock;
mod jobs;
mod pricing;
mod profile_templates;
mod profiles;
mod projects;
mod questions;
mod reconciliations;
mod reports;
mod s2s;
mod statistics;
mod supply;
mod target_groups;
mod unique_codes;
mod uploads;
mod webhooks;

use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::rejection::Rejection;
use crate::state::{World, arrivals};
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a route comes to.
pub(crate) type Outcome = Result<Answer, Rejection>;

/// What does one operation.
pub(crate) type Handler = fn(&mut World, &Call<'_>) -> Outcome;

/// An operation's id in the documents, and what does it.
pub(crate) type Route = (&'static str, Handler);

/// The routes of all areas; each table stands in the area's file.
const AREAS: &[&[Route]] = &[
    accounts::ROUTES,
    allocation_templates::ROUTES,
    assistant::ROUTES,
    changelog::ROUTES,
    definitions::ROUTES,
    distribution::ROUTES,
    exclusions::ROUTES,
    feasibility::ROUTES,
    fielding::ROUTES,
    interlock::ROUTES,
    jobs::ROUTES,
    pricing::ROUTES,
    profile_templates::ROUTES,
    profiles::ROUTES,
    projects::ROUTES,
    questions::ROUTES,
    reconciliations::ROUTES,
    reports::ROUTES,
    s2s::ROUTES,
    statistics::ROUTES,
    supply::ROUTES,
    target_groups::ROUTES,
    unique_codes::ROUTES,
    uploads::ROUTES,
    webhooks::ROUTES,
];

/// The handlers by operation id.
static HANDLERS: LazyLock<HashMap<&'static str, Handler>> =
    LazyLock::new(|| AREAS.iter().flat_map(|routes| routes.iter().copied()).collect());

/// Does what an operation says, where the version may.
pub(crate) fn serve(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = call.at("target_group_id");
    let may_grow = call.operation.method() != "GET" && !call.raw.is_empty() && world.groups.contains_key(group);
    if may_grow && !world.has_room_for_groups(0, 0, group) {
        return Err(target_groups::no_room());
    }
    let answer = forward::within(world, call, dispatch)?;
    if call.operation.method() != "GET" {
        let now = world.now();
        world.reweigh_group(call.at("target_group_id"));
        match call.at("target_group_id") {
            // What keeps people out of several groups at once.
            "" if call.operation.path().contains("/exclusion") => arrivals::look_again_everywhere(world, now),
            group => arrivals::look_again(world, now, group),
        }
    }
    Ok(answer)
}

fn dispatch(world: &mut World, call: &Call<'_>) -> Outcome {
    let handler = HANDLERS.get(call.operation.id()).copied().unwrap_or(fallback::answer);
    handler(world, call)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;
    use std::collections::BTreeSet;

    /// Operations that only have made-up answers, on purpose.
    const MADE_UP: &[&str] = &[];

    #[test]
    fn every_operation_of_every_document_has_one_handler() {
        let declared: BTreeSet<&str> = Contract::versions()
            .flat_map(|date| Contract::for_version(date).unwrap().operations())
            .map(|operation| operation.id())
            .collect();
        let handled: Vec<&str> = AREAS.iter().flat_map(|routes| routes.iter().map(|(id, _)| *id)).collect();
        assert_eq!(handled.len(), HANDLERS.len(), "an operation has two handlers");
        let handled: BTreeSet<&str> = handled.into_iter().collect();
        assert_eq!(declared.difference(&handled).copied().collect::<Vec<_>>(), MADE_UP);
        assert_eq!(handled.difference(&declared).copied().collect::<Vec<_>>(), Vec::<&str>::new());
    }
}
