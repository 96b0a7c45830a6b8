//! What completes cost: rate cards, prices of target groups, predictions, and
//! how long to be in field. All from the same simulated market.

use super::target_groups::currency;
use super::{Outcome, Route, target_groups};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::dialect::{money, read_money};
use crate::api::rejection::Rejection;
use crate::sim::clock::{read, text};
use crate::state::currency::{rate, to_usd};
use crate::state::population::Ask;
use crate::state::rate_card::{self, MINUTES, PERCENTS};
use crate::state::{BusinessUnit, World, locale};
use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("get_rate_card", |world, call| rate_card(world, call)),
    ("get_target_group_rate_card", |world, call| group_rate_card(world, call)),
    ("get_target_group_price", |world, call| group_price(world, call)),
    ("generate_price_prediction", |world, call| prediction(world, call)),
    ("suggest_days", |_, call| suggest_days(call)),
    ("suggest_time_range", |world, call| suggest_range(world, call)),
];

fn unit<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w BusinessUnit, Rejection> {
    let id = call.at("business_unit_id").parse().ok();
    id.and_then(|id| world.account.business_unit(id)).ok_or_else(|| Rejection::not_found("business unit"))
}

/// Prices in whole hundredths, rows by length, columns by incidence.
fn card(country: &str, currency: &str) -> Value {
    json!({
        "data_format": "loi_ir_matrix",
        "length_of_interview_minutes": MINUTES,
        "incidence_rate_percents": PERCENTS,
        "pricing_table_currency_code": currency,
        "pricing_table_data": rate_card::cells(country, currency),
    })
}

fn rate_card(world: &World, call: &Call<'_>) -> Outcome {
    let unit = unit(world, call)?;
    let country = call.query("country_code").unwrap_or_default();
    if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(Rejection::refused("country_code", country, "two capitals, like US"));
    }
    let facts = json!({
        "country_code": country,
        "rate_card_data": card(country, &unit.currency),
        "token": format!("rate-card-{}-{country}", unit.id),
    });
    Ok(Answer::json(200, facts))
}

/// Bound once the group is launched, predicted before.
fn group_rate_card(world: &World, call: &Call<'_>) -> Outcome {
    let group = target_groups::find(world, call)?;
    let (_, country) = locale::split(&group.locale).unwrap_or(("eng", "us"));
    let country = country.to_uppercase();
    let (name, token) = if group.is_draft() {
        ("predicted_rate_card", "predicted_rate_card_token")
    } else {
        ("bound_rate_card", "bound_rate_card_token")
    };
    let facts = json!({
        "country_code": country,
        name: card(&country, currency(world, group)),
        token: format!("rate-card-{}-{country}", group.business_unit),
    });
    Ok(Answer::json(200, facts))
}

fn price_facts(world: &World, unit: &BusinessUnit, price: Value, dynamic: bool, country: &str) -> Value {
    let context = if dynamic {
        json!({ "type": "dynamic" })
    } else {
        json!({ "type": "rate_card", "rate_card_token": format!("rate-card-{}-{country}", unit.id) })
    };
    json!({
        "buyer_account_id": world.account.id,
        "buyer_business_unit_id": unit.id.to_string(),
        "buyer_business_unit_exchange_rate_from_usd": rate(&unit.currency).unwrap_or(1.0),
        "open_exchange_price": { "cost_per_interview": price, "pricing_context": context },
        "private_exchange_prices": [],
    })
}

fn group_price(world: &World, call: &Call<'_>) -> Outcome {
    let unit = unit(world, call)?;
    let group = world
        .groups
        .get(call.at("target_group_id"))
        .filter(|group| group.business_unit == unit.id)
        .ok_or_else(|| Rejection::not_found("target group"))?;
    let (_, country) = locale::split(&group.locale).unwrap_or(("eng", "us"));
    let mut facts = price_facts(
        world,
        unit,
        money(group.price(&world.account), &unit.currency),
        group.price.is_some(),
        &country.to_uppercase(),
    );
    if let Some(map) = facts.as_object_mut() {
        map.insert("target_group_id".into(), json!(group.id));
        map.insert("price_type".into(), json!(if group.is_draft() { "prediction" } else { "specification" }));
        map.insert("pricing_config_token".into(), json!(format!("pricing-{}", group.id)));
    }
    Ok(Answer::json(200, facts))
}

fn prediction(world: &World, call: &Call<'_>) -> Outcome {
    let unit = unit(world, call)?;
    let config = call.body.get("config").cloned().unwrap_or(Value::Null);
    let number = |name: &str| config.get(name).and_then(Value::as_f64);
    let given = |name: &str| -> Result<Option<Decimal>, Rejection> {
        Ok(read_money(&config, name)?.and_then(|money| money.value.parse().ok()))
    };
    let country = config.get("country_code").and_then(Value::as_str).unwrap_or("US").to_owned();
    let dynamic = config.get("type").and_then(Value::as_str) == Some("dynamic");
    let value = if dynamic {
        given("user_requested_cpi")?.unwrap_or_default()
    } else {
        let minutes = number("expected_length_of_interview_minutes").unwrap_or(10.0);
        let incidence = number("expected_incidence_rate").unwrap_or(1.0);
        let boosted =
            rate_card::price(&country, minutes, incidence, &unit.currency) + given("cpi_boost")?.unwrap_or_default();
        given("maximum_cpi")?.map_or(boosted, |most| boosted.min(most))
    };
    Ok(Answer::json(200, price_facts(world, unit, money(value, &unit.currency), dynamic, &country)))
}

/// The days in which the goal is likely to fill.
fn suggest_days(call: &Call<'_>) -> Outcome {
    let number = |name: &str| call.body.get(name).and_then(Value::as_f64);
    let place = call.text("locale").unwrap_or_default();
    let (_, country) = locale::split(place).ok_or_else(|| Rejection::no_locale(place))?;
    // The document lets every part of an amount be missing.
    let price = read_money(&call.body, "price").ok().flatten();
    let price = price.and_then(|money| Some(to_usd(money.value.parse().ok()?, &money.currency)));
    let goal = number("completes").unwrap_or(1.0);
    let ask = |days: f64| Ask {
        panel: locale::panel(country),
        share: 1.0,
        incidence: number("incidence_rate").unwrap_or(1.0),
        minutes: number("length_of_interview").unwrap_or(10.0),
        days,
        goal,
    };
    let enough = (1..=90_u32).find(|days| ask(f64::from(*days)).completes(price).0 as f64 >= goal);
    Ok(Answer::json(200, json!({ "days": enough.unwrap_or(90) })))
}

/// A time in field: from now for some days, or between two moments.
fn suggest_range(world: &World, call: &Call<'_>) -> Outcome {
    let moment = |name: &str| match call.query(name) {
        None => Ok(None),
        Some(given) => read(given).map(Some).ok_or_else(|| Rejection::no_moment(name, Some(given))),
    };
    let days: Option<i64> = call.query("days").and_then(|text| text.parse().ok());
    let (start, end) = (moment("start")?, moment("end")?);
    let (start, end) = match (days, start, end) {
        // The older versions ask for all three.
        (_, Some(start), Some(end)) if call.version.is_legacy() || days.is_none() => (start, end),
        (Some(days), None, None) => {
            let start = world.now();
            (start, crate::sim::clock::plus(start, SignedDuration::from_hours(24 * days.min(3_650))))
        }
        _ => return Err(Rejection::invalid("days", "either days, or start and end")),
    };
    if end <= start {
        return Err(Rejection::too_early("end", end, start));
    }
    let facts = json!({ "start": text(start), "end": text(end), "timezone": "UTC", "holidays": [] });
    Ok(Answer::json(200, facts))
}
