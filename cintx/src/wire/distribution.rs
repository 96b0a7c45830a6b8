//! Suggested quotas from the panel distribution, on the wire: for a new question, for a profile in field. Before
//! 2025-12-18 answers are in percent; and only those versions split a goal over the quotas in field.

use serde_json::{Value, json};
use std::future::Future;

use super::Answer;
use super::Place;
use super::quotas::QuotasWire;
use crate::audience::Condition;
use crate::audience::{Interlock, Question};
use crate::quota::QuotaTable;
use crate::quota::suggest::GoalSplit;
use crate::types::{Locale, TimeRange};
use crate::version::Version;

/// The question, and where and when it is to be asked.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Suggesting<'a> {
    pub(crate) question: &'a Question,
    pub(crate) goal: u32,
    pub(crate) locale: &'a Locale,
    pub(crate) field: &'a TimeRange,
    /// Only where the version suggests something else for it.
    pub(crate) collects_pii: bool,
}

/// The questions that are to be crossed, and where and when they are to be asked.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Crossing<'a> {
    pub(crate) interlock: &'a Interlock,
    pub(crate) goal: u32,
    pub(crate) locale: &'a Locale,
    pub(crate) field: &'a TimeRange,
    pub(crate) collects_pii: bool,
}

#[doc(hidden)]
pub trait DistributionWire: QuotasWire {
    /// Whether it makes a difference that a survey asks for personal data.
    const SUGGESTS_FOR_PII: bool;

    fn suggest_quotas(
        raw: &Self::Raw,
        account: i64,
        suggesting: Suggesting<'_>,
    ) -> impl Future<Output = Answer<QuotaTable>> + Send;

    fn suggest_interlock(
        raw: &Self::Raw,
        account: i64,
        crossing: Crossing<'_>,
    ) -> impl Future<Output = Answer<QuotaTable>> + Send;

    fn suggest_quotas_of(
        raw: &Self::Raw,
        place: Place<'_>,
        profile: &str,
    ) -> impl Future<Output = Answer<QuotaTable>> + Send;
}

/// The versions that split a goal over the quotas in field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not split a goal over the quotas in field",
    note = "re-balance a table that was read: `QuotaTable::rebalance_to`; or set the group's goal: `Quotas::set_goal`"
)]
pub trait HasGoalSplit: Version {
    #[doc(hidden)]
    fn split_goal(raw: &Self::Raw, place: Place<'_>, goal: u32) -> impl Future<Output = Answer<GoalSplit>> + Send;
}

/// The question as requests of the older versions have it: numbers or options, no texts.
pub(crate) fn question_body(question: &Question) -> Answer<Value> {
    let mut data = Vec::new();
    let mut kind = "selection_conditions";
    let (mut ungrouped, mut grouped) = (Vec::new(), Vec::new());
    for target in question.targets() {
        let first = data.len();
        for condition in target.conditions() {
            data.push(match condition {
                Condition::Range { min, max } => {
                    kind = "range_conditions";
                    json!({ "min": min, "max": max })
                }
                Condition::Option(option) => json!(option),
                Condition::Values(_) | Condition::AnyValue => {
                    let reason = "is answered with texts, which this version makes no suggestion for";
                    return Err(super::audience::refused("question", reason));
                }
            });
        }
        // The answer has the numbers that are wanted, so those here stand for nothing.
        match data.len() - first {
            1 => ungrouped.push(json!({ "index": first, "quota_percentage": 0, "quota_nominal": 0 })),
            _ => grouped.push(json!({
                "indexes": (first..data.len()).collect::<Vec<_>>(), "name": target.label(),
                "quota_percentage": 0, "quota_nominal": 0,
            })),
        }
    }
    Ok(json!({
        "question_id": question.id(),
        "conditions": { "object": kind, "data": data },
        "quotas": { "ungrouped": ungrouped, "grouped": grouped },
    }))
}

/// A table whose counts are parts of a hundred, or of whatever they add up to, as parts of a goal.
pub(crate) fn of_goal(mut table: QuotaTable, goal: u32) -> QuotaTable {
    let parts: Vec<f64> = table.cells.iter().map(|cell| cell.target.unwrap_or(0) as f64).collect();
    // Nothing but zeros is no suggestion.
    let counts = cintx_quota::apportion("quotas", &parts, goal.into()).map(|parts| parts.counts);
    for (at, cell) in table.cells.iter_mut().enumerate() {
        cell.target = counts.as_ref().ok().and_then(|counts| counts.get(at).copied());
    }
    table
}
