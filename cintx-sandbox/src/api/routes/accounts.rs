//! The account, its users and its business units.
//! All seeded at the start and never changed.

use super::{Outcome, Route};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::rejection::Rejection;
use crate::state::World;
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("get_user_accounts", |world, _| accounts(world)),
    ("get_account_users", |world, _| users(world)),
    ("get_account_service_clients", |world, _| service_clients(world)),
    ("get_clients", |world, call| clients(world, call)),
    ("get_business_units", |world, _| business_units(world)),
    ("get_user_account_business_unit_id", |world, call| business_unit_of_user(world, call)),
];

fn accounts(world: &World) -> Outcome {
    let account = &world.account;
    Ok(Answer::json(200, json!({ "accounts": [{ "id": account.id, "name": account.name }] })))
}

fn users(world: &World) -> Outcome {
    let users: Vec<Value> = world
        .account
        .users
        .iter()
        .map(|user| json!({ "id": user.id, "email": user.email, "name": user.name }))
        .collect();
    Ok(Answer::json(200, json!({ "users": users })))
}

/// Programs that act for the account; here, the one with the credentials.
fn service_clients(world: &World) -> Outcome {
    let users: Vec<Value> = world
        .account
        .service_clients
        .iter()
        .map(|user| json!({ "id": user.id, "email": user.email, "name": user.name }))
        .collect();
    Ok(Answer::json(200, json!({ "users": users })))
}

/// The account's own clients: the one list with page numbers, from 0, and
/// without a sign of its end.
fn clients(world: &World, call: &Call<'_>) -> Outcome {
    let number = |name: &str, usual: usize| match call.query(name) {
        None => Ok(usual),
        Some(text) => text.parse::<usize>().map_err(|_| Rejection::refused(name, text, "a whole number from 0 on")),
    };
    let all = &world.account.clients;
    let size = if call.version.is_legacy() { all.len() } else { call.window(10, 100)?.size };
    let clients: Vec<Value> = all
        .iter()
        .skip(number("page_number", 0)?.saturating_mul(size))
        .take(size)
        .map(|(id, name)| json!({ "id": id, "name": name }))
        .collect();
    Ok(Answer::json(200, json!({ "clients": clients })))
}

fn business_units(world: &World) -> Outcome {
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

fn business_unit_of_user(world: &World, call: &Call<'_>) -> Outcome {
    if world.account.user(call.at("user_id")).is_none() {
        return Err(Rejection::not_found("user"));
    }
    let unit = world.account.business_units.first().map_or(0, |unit| unit.id);
    Ok(Answer::json(200, json!({ "business_unit_id": unit })))
}
