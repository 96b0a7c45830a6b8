//! How a target group fares: performance in sums, completes over time.
//! All of it is read from the ledger.

use super::{Outcome, Route, target_groups};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::dialect::money;
use crate::api::rejection::Rejection;
use crate::sim::clock::text;
use crate::state::World;
use crate::state::ledger::rate;
use jiff::{SpanRelativeTo, Timestamp};
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("get_target_group_performance", |world, call| performance(world, call)),
    ("get_target_group_completes_aggregated_by_interval", |world, call| over_time(world, call)),
];

fn performance(world: &World, call: &Call<'_>) -> Outcome {
    let group = target_groups::launched(world, call)?;
    let currency = target_groups::currency(world, group);
    let ledger = &group.ledger;
    let total = &ledger.total;
    let line = |status: i64, label: &str, description: &str, count: u64| json!({ "status": status.to_string(), "label": label, "description": description, "count": count });
    let live = json!([
        line(1, "In survey or dropped", "Has entered the survey and not come back.", total.in_survey + total.dropped),
        line(10, "Complete", "Has completed the survey.", total.completes),
        line(20, "Terminate", "Was screened out by the survey.", total.terminated),
        line(26, "Reconciled", "Was a complete and has been turned back.", total.reversed),
        line(30, "Security terminate", "Was turned away for quality.", total.security_terminated),
        line(40, "Over quota", "Came when the quota was full.", total.over_quota),
    ]);
    let mut facts = json!({
        "completes": total.completes,
        "prescreens": total.entered(),
        "entrants": ledger.entrants(),
        "completes_cost": money(total.cost, currency),
        "conversion_rate": rate(total.completes, ledger.entrants()),
        "drop_off_rate": total.drop_off(),
        "incidence_rate": total.incidence(),
        "respondent_analysis": { "live": live, "test": [] },
    });
    if let Some(map) = facts.as_object_mut() {
        for (name, at) in [("first_complete", ledger.first_complete_at()), ("last_complete", ledger.last_complete_at())]
        {
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
        .ok_or_else(|| Rejection::refused("aggregation_interval", given, "PT1H to P398D"))?;
    let first = group.start().as_second().div_euclid(3_600);
    let mut sums: Vec<(i64, u64)> = Vec::new();
    for (at, then) in group.ledger.completes_over_time() {
        let hour = at.as_second().div_euclid(3_600);
        let begin = first + (hour - first).div_euclid(hours) * hours;
        match sums.last_mut() {
            Some((last, sum)) if *last == begin => *sum += then.count,
            _ => sums.push((begin, then.count)),
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
