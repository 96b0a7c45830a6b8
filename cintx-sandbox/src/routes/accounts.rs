//! The account, its users and its business units.
//! All seeded at the start and never changed.

use super::Outcome;
use crate::answer::Answer;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::state::World;
use serde_json::{Value, json};

pub(super) fn accounts(world: &World) -> Outcome {
    let account = &world.account;
    Ok(Answer::json(200, json!({ "accounts": [{ "id": account.id, "name": account.name }] })))
}

pub(super) fn users(world: &World) -> Outcome {
    let users: Vec<Value> = world
        .account
        .users
        .iter()
        .map(|user| json!({ "id": user.id, "email": user.email, "name": user.name }))
        .collect();
    Ok(Answer::json(200, json!({ "users": users })))
}

pub(super) fn business_units(world: &World) -> Outcome {
    let units: Vec<Value> = world
        .account
        .business_units
        .iter()
        .map(|unit| {
            json!({
                "id": unit.id,
                "name": unit.name,
                "currency_code": unit.currency,
                "pricing_models": unit.pricing_models,
            })
        })
        .collect();
    Ok(Answer::json(200, json!({ "business_units": units })))
}

pub(super) fn business_unit_of_user(world: &World, call: &Call<'_>) -> Outcome {
    if world.account.user(call.at("user_id")).is_none() {
        return Err(Refusal::not_found("user"));
    }
    let unit = world.account.business_units.first().map_or(0, |unit| unit.id);
    Ok(Answer::json(200, json!({ "business_unit_id": unit })))
}
