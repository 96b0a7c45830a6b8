//! How a target group fares: performance in sums, completes over time.
//! All of it is counted by the field as it happens.

use super::{Outcome, Route, target_groups};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::dialect::money;
use crate::api::rejection::Rejection;
use crate::sim::clock::text;
use crate::state::World;
use jiff::{SpanRelativeTo, Timestamp};
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("get_target_group_performance", |world, call| performance(world, call)),
    ("get_target_group_completes_aggregated_by_interval", |world, call| over_time(world, call)),
];

fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64).clamp(0.0, 1.0) }
}

fn performance(world: &World, call: &Call<'_>) -> Outcome {
    let group = target_groups::launched(world, call)?;
    let currency = target_groups::currency(world, group);
    let cost = target_groups::price(group) * group.completes as f64;
    let [terminated, over, security] = group.screened_out;
    let line = |status: i64, label: &str, description: &str, count: u64| json!({ "status": status.to_string(), "label": label, "description": description, "count": count });
    let live = json!([
        line(1, "In survey or dropped", "Has entered the survey and not come back.", group.pending + group.drops),
        line(10, "Complete", "Has completed the survey.", group.completes),
        line(20, "Terminate", "Was screened out by the survey.", terminated),
        line(30, "Security terminate", "Was turned away for quality.", security),
        line(40, "Over quota", "Came when the quota was full.", over),
    ]);
    let mut facts = json!({
        "completes": group.completes,
        "prescreens": group.prescreens,
        "entrants": group.entrants,
        "completes_cost": money(cost, currency),
        "conversion_rate": rate(group.completes, group.entrants),
        "drop_off_rate": rate(group.drops, group.prescreens),
        "incidence_rate": rate(group.completes, group.prescreens),
        "respondent_analysis": { "live": live, "test": [] },
    });
    if let Some(map) = facts.as_object_mut() {
        for (name, at) in [("first_complete", group.first_complete_at), ("last_complete", group.last_complete_at)] {
            if let Some(at) = at {
                map.insert(name.into(), json!(text(at)));
            }
        }
    }
    Ok(Answer::json(200, facts))
}

/// Completes by interval, counted in whole hours.
fn over_time(world: &World, call: &Call<'_>) -> Outcome {
    let group = target_groups::launched(world, call)?;
    let given = call.query("aggregation_interval").unwrap_or("PT24H");
    let hours = given
        .parse::<jiff::Span>()
        .ok()
        .and_then(|span| span.total((jiff::Unit::Hour, SpanRelativeTo::days_are_24_hours())).ok())
        .map(|hours| hours.floor() as i64)
        .filter(|hours| (1..=24 * 398).contains(hours))
        .ok_or_else(|| Rejection::invalid("aggregation_interval", "an interval of at least an hour is needed"))?;
    let first = group.start().as_second().div_euclid(3_600);
    let mut sums: Vec<(i64, u64)> = Vec::new();
    for (hour, count) in &group.by_hour {
        let begin = first + (hour - first).div_euclid(hours) * hours;
        match sums.last_mut() {
            Some((last, sum)) if *last == begin => *sum += count,
            _ => sums.push((begin, *count)),
        }
    }
    let facts: Vec<Value> = sums
        .into_iter()
        .filter_map(|(hour, count)| {
            Some(json!({ "timestamp": text(Timestamp::from_second(hour * 3_600).ok()?), "count": count }))
        })
        .collect();
    Ok(Answer::json(200, json!({ "aggregated_completes_intervals": facts })))
}
