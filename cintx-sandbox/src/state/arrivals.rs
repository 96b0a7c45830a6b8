//! When respondents come: a Poisson process whose rate follows the hour, the
//! weekday, country, suppliers and price.

use super::World;
use super::currency::to_usd;
use super::locale;
use super::market::Market;
use super::pacing;
use super::population::Ask;
use super::schedule::Event;
use super::target_group::TargetGroup;
use crate::scenario::{Country, Scenario};
use crate::sim::clock::plus;
use jiff::{SignedDuration, Timestamp, tz};

const SECONDS_PER_DAY: f64 = 86_400.0;

/// Plans the next time at which somebody may come. The times are drawn at the
/// greatest rate that there can be; [`is_taken`] lets a part of them pass, so
/// that a change of the price acts at once.
pub(crate) fn plan(world: &mut World, at: Timestamp, group_id: &str) {
    let World { groups, rng, settings, schedule, .. } = world;
    let Some(group) = groups.get_mut(group_id).filter(|group| group.is_live() && group.arrival_at.is_none()) else {
        return;
    };
    let scenario = &settings.scenario;
    let country = scenario.country(locale::country(&group.locale));
    let rate = base_rate(scenario, settings.field_pace) * country.arrivals * greatest_factor(scenario);
    if rate <= 0.0 || settings.field_pace == SignedDuration::ZERO {
        return;
    }
    let in_vain = group.turned_away_in_a_row.saturating_sub(scenario.arrivals.patience);
    let gap = rng.gap() * f64::from(1_u32 << in_vain.min(10)) / rate;
    let mut next = plus(at, SignedDuration::try_from_secs_f64(gap).unwrap_or(SignedDuration::MAX));
    // Whoever waits for the next step of the pacing does not miss it.
    if in_vain > 0
        && let Some(step) = pacing::next_step(group, at).filter(|step| *step < next)
    {
        group.turned_away_in_a_row = 0;
        next = step;
    }
    group.arrival_at = Some(next);
    schedule.plan(next, Event::Arrival(group_id.to_owned()));
}

/// Plans anew for a group that has given up on finding a place for people, since something has changed.
pub(crate) fn look_again(world: &mut World, at: Timestamp, group_id: &str) {
    let patience = world.settings.scenario.arrivals.patience;
    let Some(group) = world.groups.get_mut(group_id).filter(|group| group.turned_away_in_a_row > patience) else {
        return;
    };
    group.turned_away_in_a_row = 0;
    group.arrival_at = None;
    plan(world, at, group_id);
}

/// The same for every group.
pub(crate) fn look_again_everywhere(world: &mut World, at: Timestamp) {
    for id in world.groups.values().map(|group| group.id.clone()).collect::<Vec<_>>() {
        look_again(world, at, &id);
    }
}

/// Plans anew for every group, since people come otherwise from now on.
pub(crate) fn plan_all(world: &mut World) {
    let now = world.now();
    for id in world.groups.values().map(|group| group.id.clone()).collect::<Vec<_>>() {
        if let Some(group) = world.groups.get_mut(&id) {
            group.turned_away_in_a_row = 0;
            group.arrival_at = None;
        }
        plan(world, now, &id);
    }
}

/// Whether somebody comes at a time that was planned.
pub(crate) fn is_taken(world: &mut World, at: Timestamp, group_id: &str) -> bool {
    let World { groups, rng, settings, .. } = world;
    let Some(group) = groups.get(group_id) else {
        return false;
    };
    let scenario = &settings.scenario;
    let code = locale::country(&group.locale);
    let country = scenario.country(code);
    // Rate cards are fair.
    let ratio = group.price.as_ref().map_or(1.0, |money| {
        let price: f64 = money.value.parse().unwrap_or(0.0);
        (to_usd(price, &money.currency) / fair_price(group)).max(0.0)
    });
    let factor = scenario.price.at(ratio) * time_factor(scenario, country, at);
    let drawn = rng.unit() * greatest_factor(scenario);
    // Most are ruled out before suppliers are looked at.
    drawn < factor && drawn < factor * supply_factor(&world.market, scenario, group, code)
}

/// Respondents per second at a fair price, all suppliers and an even week.
fn base_rate(scenario: &Scenario, pace: SignedDuration) -> f64 {
    match scenario.arrivals.per_day {
        Some(count) => count / SECONDS_PER_DAY,
        None => 1.0 / pace.as_secs_f64().max(1e-3),
    }
}

/// The most that price and time can do.
fn greatest_factor(scenario: &Scenario) -> f64 {
    let peak = |weights: &[f64]| weights.iter().map(|weight| weight / mean(weights)).fold(1.0, f64::max);
    scenario.price.most * peak(&scenario.arrivals.hours) * peak(&scenario.arrivals.week)
}

fn mean(weights: &[f64]) -> f64 {
    weights.iter().sum::<f64>() / weights.len().max(1) as f64
}

/// What the local hour and weekday do.
fn time_factor(scenario: &Scenario, country: &Country, at: Timestamp) -> f64 {
    let offset = tz::Offset::from_seconds((country.utc_offset_hours * 3_600.0) as i32).unwrap_or(tz::Offset::UTC);
    let local = offset.to_datetime(at);
    let factor = |weights: &[f64], index: i8| {
        weights.get(usize::from(index.unsigned_abs())).map_or(1.0, |weight| weight / mean(weights))
    };
    factor(&scenario.arrivals.hours, local.hour())
        * factor(&scenario.arrivals.week, local.date().weekday().to_monday_zero_offset())
}

/// What the suppliers that are let in do, where arrivals are told per day.
fn supply_factor(market: &Market, scenario: &Scenario, group: &TargetGroup, country: &str) -> f64 {
    if scenario.arrivals.per_day.is_none() {
        return 1.0;
    }
    let size = |ids: Vec<i64>| ids.into_iter().map(|id| scenario.size(id, country)).sum::<f64>();
    let all = size(super::supply::Supply::default().senders(market).collect());
    let mut let_in: Vec<i64> = group.supply.senders(market).collect();
    let_in.sort_unstable();
    let_in.dedup();
    if all > 0.0 { (size(let_in) / all).min(1.0) } else { 0.0 }
}

/// The price in US dollars that draws the usual number of people to what a group asks.
pub(crate) fn fair_price(group: &TargetGroup) -> f64 {
    let ask = Ask {
        panel: locale::panel(locale::country(&group.locale)),
        share: group.audience.share(),
        incidence: group.incidence,
        minutes: group.interview_minutes as f64,
        days: group.start().duration_until(group.end()).as_secs_f64() / SECONDS_PER_DAY,
        goal: group.goal as f64,
    };
    ask.price()
}
