//! Feasibility: what an audience costs and how many completes to expect.
//! The market answers; this reads the question and writes the answer per version.

use super::{Outcome, Route, target_groups};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::dialect::{currency_place, estimate, first, legacy, modern, read_money, whole};
use crate::api::rejection::Rejection;
use crate::sim::clock::read;
use crate::state::audience::{Audience, ProfileKind};
use crate::state::currency::{from_usd, to_usd};
use crate::state::population::Ask;
use crate::state::{World, locale};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] =
    &[("calculate_target_group_feasibility", before), ("calculate_target_group_feasibility_by_id", of_group)];

/// The names of each value, newest first.
const INCIDENCE: &[&str] = &["expected_incidence_rate", "incidence_rate"];
const MINUTES: &[&str] = &["expected_length_of_interview_minutes", "length_of_interview"];
const GOAL: &[&str] = &["completes_goal", "filling_goal"];
const START: &[&str] = &["start_at", "start_date"];
const END: &[&str] = &["end_at", "end_date"];

fn before(world: &mut World, call: &Call<'_>) -> Outcome {
    // Older versions name a project, which must be there.
    if !call.at("project_id").is_empty() {
        super::projects::find(world, call)?;
    }
    let body = &call.body;
    let unit = call.number("business_unit_id").and_then(|id| world.account.business_unit(id)).ok_or_else(|| {
        Rejection::invalid("business_unit_id", world.account.not_a_unit(body.get("business_unit_id")))
    })?;
    let currency = unit.currency.clone();
    let spec = body.get("fielding_specification").unwrap_or(body);
    let moment = |names: &[&str]| first(spec, names).and_then(Value::as_str).and_then(read);
    let (Some(start), Some(end)) = (moment(START), moment(END)) else {
        return Err(Rejection::refused("fielding_specification", spec, "a start and an end, both as moments"));
    };
    let goal = first(body, GOAL).and_then(whole).map_or(1, |n| n.max(1) as u64);
    let audience = audience(world, call, goal)?;
    let ask = ask(call, &audience, call.text("locale").unwrap_or_default(), start, end, goal)?;
    respond(call, &audience, ask, &currency)
}

fn of_group(world: &mut World, call: &Call<'_>) -> Outcome {
    let group = target_groups::find(world, call)?.clone();
    let body = &call.body;
    let moment = |names: &[&str]| first(body, names).and_then(Value::as_str).and_then(read);
    let start = moment(START).unwrap_or(group.start_at);
    let end = moment(END).unwrap_or(group.end_at);
    let goal = first(body, GOAL).and_then(whole).map_or(group.goal, |n| n.max(1) as u64);
    let mut own = audience(world, call, goal)?;
    if own.profiles.is_empty() {
        own = group.audience.clone();
    }
    let place = call.text("locale").unwrap_or(&group.locale).to_owned();
    let mut ask = ask(call, &own, &place, start, end, goal)?;
    ask.incidence = first(body, INCIDENCE).and_then(Value::as_f64).unwrap_or(group.incidence);
    ask.minutes = first(body, MINUTES).and_then(Value::as_f64).unwrap_or(group.interview_minutes as f64);
    let currency = world.account.currency_of(group.business_unit);
    respond(call, &own, ask, currency)
}

fn audience(world: &mut World, call: &Call<'_>, goal: u64) -> Result<Audience, Rejection> {
    if call.version.is_legacy() {
        return legacy::read(world, &call.body, goal);
    }
    match call.body.get("profiling").filter(|value| value.is_object()) {
        Some(given) => Ok(modern::read(world, given, goal)),
        None => Ok(Audience::default()),
    }
}

fn ask(
    call: &Call<'_>,
    audience: &Audience,
    place: &str,
    start: Timestamp,
    end: Timestamp,
    goal: u64,
) -> Result<Ask, Rejection> {
    let Some((_, country)) = locale::split(place) else {
        return Err(Rejection::no_locale(place));
    };
    let days = start.duration_until(end).as_secs_f64() / 86_400.0;
    if days <= 0.0 {
        return Err(Rejection::too_early("fielding_specification.end_at", end, start));
    }
    let number = |names: &[&str], otherwise: f64| first(&call.body, names).and_then(Value::as_f64).unwrap_or(otherwise);
    Ok(Ask {
        panel: locale::panel(country),
        share: audience.share(),
        incidence: number(INCIDENCE, 1.0),
        minutes: number(MINUTES, 10.0),
        days,
        goal: goal as f64,
    })
}

fn respond(call: &Call<'_>, audience: &Audience, ask: Ask, currency: &str) -> Outcome {
    // The newer name wins over its alias.
    let has = |name: &&&str| call.body.get(**name).is_some_and(|given| !given.is_null());
    let name = ["cost_per_interview", "price"].iter().find(has).copied().unwrap_or("cost_per_interview");
    let offered = read_money(&call.body, name)?;
    if let Some(offered) = &offered
        && offered.currency != currency
    {
        return Err(Rejection::refused(currency_place(&call.body, name), &offered.currency, currency));
    }
    let offered = offered.and_then(|price| price.value.parse::<f64>().ok()).map(|price| to_usd(price, currency));
    let price = from_usd(ask.price(), currency);
    let (least, most) = ask.completes(offered);
    let range = json!({ "min": least, "max": most });
    let mut body = json!({
        "suggested_price": estimate(price, currency),
        "suggested_price_range": { "min": estimate(price * 0.85, currency), "max": estimate(price * 1.3, currency) },
        "suggested_filling_goal_range": range,
        "suggested_completes_goal_range": range,
    });
    if let Some(map) = body.as_object_mut() {
        if call.version.is_legacy() {
            legacy_quotas(audience, least, most, map);
        } else if !audience.profiles.is_empty() {
            map.insert("profiles".into(), modern_quotas(audience, least, most));
        }
        if let Some(allocations) = call.body.get("allocations").filter(|value| value.is_object()) {
            map.insert("allocations".into(), allocation_facts(allocations, least, most));
        }
    }
    Ok(Answer::json(200, body))
}

/// What an expected number of completes leaves for one quota.
fn part(percentage: f64, of: u64) -> u64 {
    (percentage.clamp(0.0, 100.0) / 100.0 * of as f64).floor() as u64
}

fn legacy_quotas(audience: &Audience, least: u64, most: u64, into: &mut serde_json::Map<String, Value>) {
    let bound = |percentage: f64, of| json!({ "nominal": part(percentage, of), "percentage": percentage.clamp(0.0, 100.0).round() });
    let mut regular = Vec::new();
    let mut interlocked = Vec::new();
    for profile in &audience.profiles {
        let quotas = |grouped: bool| -> Vec<Value> {
            profile
                .targets
                .iter()
                .filter(|target| target.grouped == grouped)
                .filter_map(|target| {
                    let quota = target.quota.as_ref()?;
                    Some(json!({
                        "id": target.id,
                        "min_completes": bound(quota.percentage, least),
                        "max_completes": bound(quota.percentage, most),
                    }))
                })
                .collect()
        };
        if profile.kind == ProfileKind::Regular {
            regular.push(json!({
                "question_id": profile.questions().first(),
                "quotas": { "ungrouped": quotas(false), "grouped": quotas(true) },
            }));
        } else {
            interlocked.push(json!({ "quotas": { "ungrouped": quotas(false) } }));
        }
    }
    if !regular.is_empty() {
        into.insert("profiles".into(), Value::Array(regular));
    }
    if !interlocked.is_empty() {
        into.insert("interlocked_profiles".into(), Value::Array(interlocked));
    }
}

fn modern_quotas(audience: &Audience, least: u64, most: u64) -> Value {
    let mut profiles = Vec::new();
    for profile in &audience.profiles {
        let mut facts = modern::profile_facts(profile);
        let targets = facts.get_mut("targets").and_then(Value::as_array_mut);
        for (facts, target) in targets.into_iter().flatten().zip(&profile.targets) {
            let percentage = target.quota.as_ref().map_or(100.0, |quota| quota.percentage).clamp(0.0, 100.0);
            let bound = |of| {
                let projected = (percentage * 100.0).round() / 100.0;
                json!({
                    "projected_completes_percentage": projected,
                    "projected_completes_goal": part(percentage, of),
                })
            };
            if let Some(map) = facts.as_object_mut() {
                map.insert("quota".into(), json!({ "min_completes": bound(least), "max_completes": bound(most) }));
            }
        }
        profiles.push(facts);
    }
    Value::Array(profiles)
}

fn allocation_facts(given: &Value, least: u64, most: u64) -> Value {
    let side = |name: &str| {
        let part_of = given.get(name);
        let groups: Vec<Value> = part_of
            .and_then(|part| part.get("groups"))
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|group| {
                let bound = |name: &str, of| part(group.get(name).and_then(Value::as_f64).unwrap_or(0.0), of);
                json!({
                    "group_name": group.get("group_name"),
                    "min_completes": bound("min_percentage", least),
                    "max_completes": bound("max_percentage", most),
                })
            })
            .collect();
        let open =
            |name: &str, of| part(part_of.and_then(|part| part.get(name)).and_then(Value::as_f64).unwrap_or(0.0), of);
        json!({
            "min_completes": open("exchange_min_percentage", least),
            "max_completes": open("exchange_max_percentage", most),
            "groups": groups,
        })
    };
    json!({
        "open_exchange_allocations": side("open_exchange_allocations"),
        "private_exchange_allocations": side("private_exchange_allocations"),
    })
}
