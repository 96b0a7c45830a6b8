//! What versions say differently. Most of it is names, which the documents'
//! shapes sort out from a set of facts; here is the rest.

pub(crate) mod ids;
pub(crate) mod legacy;
pub(crate) mod modern;
pub(crate) mod supply;

use crate::api::rejection::Rejection;
use crate::state::target_group::{MAX_AMOUNT, Money};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

/// The first of several names under which a property may stand.
pub(crate) fn first<'v>(body: &'v Value, names: &[&str]) -> Option<&'v Value> {
    names.iter().find_map(|name| body.get(*name).filter(|value| !value.is_null()))
}

/// An amount under every name that a version gives its parts.
pub(crate) fn money_facts(money: &Money) -> Value {
    json!({
        "value": money.value,
        "currency_code": money.currency,
        "currency_scale": 2,
        "amount": money.value,
        "code": money.currency,
    })
}

/// An amount computed here.
pub(crate) fn money(value: Decimal, currency: &str) -> Value {
    let mut value = value.max(Decimal::ZERO).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    value.rescale(2);
    money_facts(&Money { value: value.to_string(), currency: currency.to_owned() })
}

/// An amount that is an estimate.
pub(crate) fn estimate(value: f64, currency: &str) -> Value {
    money(Decimal::try_from(value).unwrap_or_default(), currency)
}

/// How an amount that was sent calls its value and its currency: the oldest version has other names.
pub(crate) fn money_names(given: &Value) -> [&'static str; 2] {
    let has = |name: &str| given.get(name).is_some_and(|part| !part.is_null());
    let name = |usual, oldest| if !has(usual) && has(oldest) { oldest } else { usual };
    [name("value", "amount"), name("currency_code", "code")]
}

/// Where the currency of an amount stands in a body that has one under this name.
pub(crate) fn currency_place(body: &Value, name: &str) -> String {
    let [_, currency] = money_names(body.get(name).unwrap_or(&Value::Null));
    format!("{name}.{currency}")
}

/// Reads an amount, if there is one under this name.
pub(crate) fn read_money(body: &Value, name: &str) -> Result<Option<Money>, Rejection> {
    let Some(given) = body.get(name).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let [value_name, currency_name] = money_names(given);
    let part = |name: &str| given.get(name).and_then(Value::as_str).map(str::to_owned);
    let (Some(value), Some(currency)) = (part(value_name), part(currency_name)) else {
        return Err(Rejection::refused(name, given, "an amount and its currency, both as text"));
    };
    let decimal = !value.is_empty()
        && value.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && value.bytes().filter(|b| *b == b'.').count() <= 1
        && value.bytes().any(|b| b.is_ascii_digit());
    if !decimal || !value.parse::<Decimal>().is_ok_and(|amount| amount <= MAX_AMOUNT) {
        let allowed = format!("a decimal number of 0 or more, like 2.50, {MAX_AMOUNT} at most");
        return Err(Rejection::refused(format!("{name}.{value_name}"), value, allowed));
    }
    if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(Rejection::refused(format!("{name}.{currency_name}"), currency, "three capitals, like USD"));
    }
    Ok(Some(Money { value, currency }))
}

/// A whole number, also when it is written as one with a fraction of zero.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().filter(|n| n.fract() == 0.0).map(|n| n as i64))
}
