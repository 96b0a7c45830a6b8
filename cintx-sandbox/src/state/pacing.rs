//! How much of a goal is open at a moment: soft launch, pacing, budget, filling
//! strategy and the quota overlay of the fielding assistant.

use super::audience::Quota;
use super::ledger::Tally;
use super::target_group::TargetGroup;
use super::{Account, World};
use crate::sim::clock::plus;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;

/// How far quotas may run ahead of the whole while their fill is balanced, as
/// a part of the goal.
const BALANCE_SLACK: f64 = 0.1;

/// Steps in which a group's goal is opened.
struct Steps {
    start: Timestamp,
    length: SignedDuration,
    count: u64,
    /// The one that runs, from 0.
    current: u64,
}

impl Steps {
    fn of(group: &TargetGroup, at: Timestamp) -> Option<Self> {
        let interval = group.assistant.pointer("/pacing/increment_interval").and_then(Value::as_str)?;
        let interval: Span = interval.parse().ok()?;
        let seconds = interval.total((jiff::Unit::Second, SpanRelativeTo::days_are_24_hours())).ok()?;
        let length = SignedDuration::try_from_secs_f64(seconds).ok().filter(SignedDuration::is_positive)?;
        let start = group.start();
        let count = |time: SignedDuration| time.as_secs_f64() / length.as_secs_f64();
        Some(Self {
            start,
            length,
            count: count(start.duration_until(group.end())).ceil().max(1.0) as u64,
            current: count(start.duration_until(at)).floor().max(0.0) as u64,
        })
    }

    /// When a step begins.
    fn begin(&self, step: u64) -> Timestamp {
        let offset = SignedDuration::try_from_secs_f64(self.length.as_secs_f64() * step as f64);
        plus(self.start, offset.unwrap_or(SignedDuration::MAX))
    }
}

/// How many completes may be collected at a moment.
fn ceiling(world: &World, group: &TargetGroup, at: Timestamp) -> u64 {
    let goal = group.goal;
    // While the soft launch lasts, nothing else paces.
    if let Some((_, part)) = group.soft_launch().filter(|(end, _)| at < *end) {
        return part.min(goal);
    }
    let exposed = group.assistant.pointer("/pacing/exposed_target_group_id").and_then(Value::as_str);
    match group.assistant.pointer("/pacing/type").and_then(Value::as_str) {
        Some("linear") => Steps::of(group, at)
            .map_or(goal, |steps| goal.saturating_mul(steps.current + 1).div_ceil(steps.count).min(goal)),
        Some("adaptive") => Steps::of(group, at).map_or(goal, |steps| {
            let before = group.ledger.completes_before(steps.begin(steps.current));
            let left = steps.count.saturating_sub(steps.current).max(1);
            (before + goal.saturating_sub(before).div_ceil(left)).min(goal)
        }),
        // The control sample grows with the exposed one.
        Some("gemini") => exposed
            .and_then(|id| world.groups.get(id))
            .filter(|other| other.goal > 0)
            .map_or(goal, |other| goal.saturating_mul(other.ledger.total.completes).div_ceil(other.goal).min(goal)),
        _ => goal,
    }
}

/// When more of the goal will be open than now, if pacing says so.
pub(crate) fn next_step(group: &TargetGroup, at: Timestamp) -> Option<Timestamp> {
    let steps = Steps::of(group, at)?;
    (steps.current + 1 < steps.count).then(|| steps.begin(steps.current + 1))
}

/// Whether a group takes anybody at a moment.
pub(crate) fn is_open(world: &World, group: &TargetGroup, at: Timestamp) -> bool {
    let limits = Limits::of(group, at);
    group.is_live()
        && limits.taken(&group.ledger.total) < ceiling(world, group, at)
        && is_within_budget(&world.account, group)
}

/// What a group may cost in all, if it has a budget.
pub(crate) fn budget(group: &TargetGroup) -> Option<Decimal> {
    let budget = group.assistant.pointer("/pricing/total_budget")?;
    match budget.get("value").or_else(|| budget.get("amount"))? {
        Value::String(text) => text.parse().ok(),
        other => other.to_string().parse().ok(),
    }
}

/// Whether the budget pays for one more besides those who are in the survey.
fn is_within_budget(account: &Account, group: &TargetGroup) -> bool {
    let total = &group.ledger.total;
    let cost = || total.cost + Decimal::from(total.in_survey + 1) * group.price(account);
    budget(group).is_none_or(|budget| cost() <= budget)
}

/// Whether the budget pays for one more complete. Prices may have risen since
/// its respondent came, and who had dropped out has no place kept free.
pub(crate) fn pays_for_complete(account: &Account, group: &TargetGroup) -> bool {
    budget(group).is_none_or(|budget| group.ledger.total.cost + group.price(account) <= budget)
}

/// How far a group's quotas may be filled at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Whether those in the survey count, who may yet become completes.
    in_survey: bool,
    /// The part of each quota that is open.
    open: f64,
}

impl Limits {
    pub(crate) fn of(group: &TargetGroup, at: Timestamp) -> Self {
        let overlay =
            |name: &str| group.assistant.pointer(&format!("/quota_overlay/{name}")) == Some(&Value::Bool(true));
        let in_survey = group.filling_strategy != "completes" || overlay("prevent_overfill");
        let mut open = 1.0_f64;
        if overlay("balance_fill") && group.goal > 0 {
            open = open.min(group.ledger.total.seats() as f64 / group.goal as f64 + BALANCE_SLACK);
        }
        if let Some((_, part)) = group.soft_launch().filter(|(end, _)| at < *end) {
            let strictness = group.assistant.pointer("/soft_launch/demographics_strictness_percentage");
            let strict = strictness.and_then(Value::as_f64).unwrap_or(0.0).clamp(0.0, 100.0) / 100.0;
            let part = part as f64 / group.goal.max(1) as f64;
            open = open.min(part * strict + 1.0 - strict);
        }
        Self { in_survey, open }
    }

    fn taken(self, tally: &Tally) -> u64 {
        if self.in_survey { tally.seats() } else { tally.completes }
    }

    /// How many more a quota can take.
    pub(crate) fn room(self, quota: &Quota) -> u64 {
        let most = ((quota.goal as f64 * self.open).ceil().max(0.0) as u64).min(quota.goal);
        most.saturating_sub(self.taken(&quota.tally))
    }
}
