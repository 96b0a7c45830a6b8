//! Where a target group's respondents may come from, to be read and changed:
//! as one specification since 2025-12-18, entry by entry before.

use super::target_groups::{self, find};
use super::{Outcome, Route};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::dialect::supply::{self, Fill};
use crate::api::rejection::Rejection;
use crate::state::World;
use crate::state::supply::{BLOCKED_ID, EXCHANGE_ID, Supply};
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("get_target_group_allocation_specification", |world, call| specification(world, call)),
    ("update_target_group_allocation_specification", specify),
    ("get_target_group_supply_allocation", |world, call| list(world, call)),
    ("create_target_group_supply_allocation", add),
    ("update_target_group_supply_allocation", change),
    ("delete_target_group_supply_allocation", clear),
];

fn specification(world: &World, call: &Call<'_>) -> Outcome {
    let group = find(world, call)?;
    Ok(Answer::json(200, supply::modern_facts(&group.supply, group.goal, Fill::of(&world.market, group))))
}

fn specify(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = target_groups::launched(world, call)?;
    let changed = supply::read_modern(&call.body, &group.supply)?;
    store(world, call, changed)?;
    Ok(Answer::empty(204))
}

fn store(world: &mut World, call: &Call<'_>, changed: Supply) -> Result<(), Rejection> {
    changed.check()?;
    let id = find(world, call)?.id.clone();
    let now = world.now();
    let group = target_groups::group_mut(world, &id)?;
    group.supply = changed;
    group.changed_at = now;
    Ok(())
}

fn list(world: &World, call: &Call<'_>) -> Outcome {
    let group = find(world, call)?;
    let entries = supply::legacy_facts(&group.supply, group.goal, Fill::of(&world.market, group));
    Ok(Answer::json(200, json!({ "supply_allocations": entries })))
}

fn add(world: &mut World, call: &Call<'_>) -> Outcome {
    let mut changed = find(world, call)?.supply.clone();
    if call.text("type") == Some("blocked") {
        for id in supply::legacy_suppliers(&call.body)? {
            if !changed.blocked.contains(&id) {
                changed.blocked.push(id);
            }
        }
    } else {
        let id = changed.fresh_id();
        changed.groups.push(supply::legacy_group(&call.body, id)?);
    }
    store(world, call, changed)?;
    Ok(Answer::empty(201))
}

fn change(world: &mut World, call: &Call<'_>) -> Outcome {
    let mut changed = find(world, call)?.supply.clone();
    let id: u64 = call.at("allocation_id").parse().map_err(|_| Rejection::not_found("allocation"))?;
    match (id, call.text("type")) {
        (EXCHANGE_ID, Some("exchange")) => {
            let percent = |name| call.number(name).and_then(|n| u64::try_from(n).ok());
            changed.exchange_min = percent("percentage_min").unwrap_or(0);
            changed.exchange_max = percent("percentage_max").unwrap_or(100);
        }
        (BLOCKED_ID, Some("blocked")) => changed.blocked = supply::legacy_suppliers(&call.body)?,
        (_, Some("group")) => {
            let group = changed.groups.iter_mut().find(|group| group.id == id);
            *group.ok_or_else(|| Rejection::not_found("allocation"))? = supply::legacy_group(&call.body, id)?;
        }
        (EXCHANGE_ID | BLOCKED_ID, _) => return Err(Rejection::invalid("type", "this entry is of another type")),
        _ => return Err(Rejection::not_found("allocation")),
    }
    store(world, call, changed)?;
    let group = find(world, call)?;
    let entry = supply::legacy_entry(&group.supply, id, group.goal, Fill::of(&world.market, group));
    Ok(Answer::json(200, entry.unwrap_or_else(|| json!({ "id": id, "type": "blocked", "suppliers": [] }))))
}

/// Everything back to the open exchange.
fn clear(world: &mut World, call: &Call<'_>) -> Outcome {
    store(world, call, Supply::default())?;
    Ok(Answer::empty(204))
}

/// Reads the supply of a draft, in either form; absent is the open exchange.
pub(super) fn of_draft(call: &Call<'_>, before: Option<&Supply>) -> Result<Supply, Rejection> {
    let given = |name: &str| call.body.get(name).filter(|value| !value.is_null());
    if let Some(Value::Array(entries)) = given("supply_allocations") {
        return supply::read_legacy(entries);
    }
    match given("allocations") {
        Some(given) => supply::read_modern(given, before.unwrap_or(&Supply::default())),
        None => Ok(Supply::default()),
    }
}
