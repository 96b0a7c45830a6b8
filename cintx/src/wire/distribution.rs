//! What past respondents suggest for quotas, on the wire: for a question that is nowhere yet, for a profile in field.
//! Before 2025-12-18 answers are in percent; and only those versions split a goal over the quotas in field.

use std::future::Future;

#[cfg(feature = "_before-2025-12-18")]
use serde_json::{Value, json};

use super::Answer;
use super::quotas::{Place, QuotasWire};
#[cfg(feature = "_before-2025-12-18")]
use crate::audience::Condition;
use crate::audience::Question;
use crate::quota::QuotaTable;
use crate::quota::suggest::GoalSplit;
use crate::types::{Locale, TimeRange};

/// The question, and where and when it is to be asked.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Suggesting<'a> {
    pub(crate) question: &'a Question,
    pub(crate) goal: u32,
    pub(crate) locale: &'a Locale,
    pub(crate) field: &'a TimeRange,
}

#[doc(hidden)]
pub trait DistributionWire: QuotasWire {
    fn suggest_quotas(
        raw: &Self::Raw,
        account: i64,
        suggesting: Suggesting<'_>,
    ) -> impl Future<Output = Answer<QuotaTable>> + Send;

    fn suggest_quotas_of(
        raw: &Self::Raw,
        place: Place<'_>,
        profile: &str,
    ) -> impl Future<Output = Answer<QuotaTable>> + Send;
}

#[doc(hidden)]
pub trait SplitsGoalsWire: QuotasWire {
    fn split_goal(raw: &Self::Raw, place: Place<'_>, goal: u32) -> impl Future<Output = Answer<GoalSplit>> + Send;
}

/// The question as the older versions are asked about it: numbers or options, no texts.
#[cfg(feature = "_before-2025-12-18")]
pub(crate) fn asked(question: &Question) -> Answer<Value> {
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
        // What is asked for is what the answer says, so the numbers here stand for nothing.
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

/// One of the versions before 2025-12-18.
#[cfg(feature = "_before-2025-12-18")]
macro_rules! legacy_distribution {
    ($marker:ident, $version:ident) => {
        mod distribution {
            use cintx_raw::$version::operations::{
                GET_PANEL_DISTRIBUTION_DRAFT as DRAFT, GET_V2_PANEL_DISTRIBUTION_BY_PROFILE as BY_PROFILE,
            };
            use cintx_raw::$version::{Client, types};
            use serde_json::json;

            use crate::quota::suggest::GoalSplit;
            use crate::error::Error;
            use crate::quota::QuotaTable;
            use crate::wire::distribution::{DistributionWire, SplitsGoalsWire, Suggesting, asked, of_goal};
            use crate::wire::quotas::Place;
            use crate::wire::quotas::legacy::{read_in_percent, read_legacy};
            use crate::wire::{from_json, timestamp, to_json};

            impl crate::quota::HasGoalSplit for crate::$marker {}

            impl DistributionWire for crate::$marker {
                async fn suggest_quotas(
                    raw: &Client,
                    account: i64,
                    Suggesting { question, goal, locale, field }: Suggesting<'_>,
                ) -> Result<QuotaTable, Error> {
                    let body = json!({
                        "locale": locale.to_string(),
                        "start_at": timestamp(field.start()),
                        "end_at": timestamp(field.end()),
                        "profile": asked(question)?,
                    });
                    let body: types::PanelDistributionDraftRequest = from_json("question", body)?;
                    let answer = raw.get_panel_distribution_draft(account, &body).await?.into_value();
                    let table = read_in_percent(&to_json(&answer)?);
                    table.map(|table| of_goal(table, goal)).ok_or_else(|| Error::incomplete(DRAFT.id, "data"))
                }

                async fn suggest_quotas_of(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                    profile: &str,
                ) -> Result<QuotaTable, Error> {
                    let (project, group) = (project.as_str(), group.as_str());
                    let answer = raw.get_v2_panel_distribution_by_profile(account, project, group, profile).await?;
                    let answer = to_json(&answer.into_value())?;
                    let profiles: Vec<_> = answer.get("profile").into_iter().collect();
                    let profiles =
                        json!({ "data": profiles, "interlocked_profile": answer.get("interlocked_profile") });
                    let table = read_legacy(&profiles).into_iter().next();
                    table.ok_or_else(|| Error::incomplete(BY_PROFILE.id, "profile"))
                }
            }

            impl SplitsGoalsWire for crate::$marker {
                async fn split_goal(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                    goal: u32,
                ) -> Result<GoalSplit, Error> {
                    let (project, group) = (project.as_str(), group.as_str());
                    let answer =
                        raw.get_target_group_quota_distribution_v2(account, project, group, goal.into()).await?;
                    let answer = answer.into_value();
                    let goals = answer.quota_distribution.into_iter().flatten();
                    let goals = goals.filter_map(|it| Some((it.quota_id?.to_string(), it.filling_goal?)));
                    Ok(GoalSplit { allowed: answer.quota_updates_allowed, goals: goals.collect() })
                }
            }
        }
    };
}
#[cfg(feature = "_before-2025-12-18")]
pub(super) use legacy_distribution;

/// One newer version.
#[cfg(feature = "_since-2025-12-18")]
macro_rules! modern_distribution {
    ($marker:ident, $version:ident) => {
        mod distribution {
            use cintx_raw::$version::{Client, types};
            use serde_json::json;

            use crate::error::Error;
            use crate::quota::QuotaTable;
            use crate::wire::audience::modern;
            use crate::wire::distribution::{DistributionWire, Suggesting, of_goal};
            use crate::wire::quotas::Place;
            use crate::wire::quotas::modern::{modern_profile, percent_as_counts};
            use crate::wire::{from_json, timestamp, to_json};

            impl DistributionWire for crate::$marker {
                async fn suggest_quotas(
                    raw: &Client,
                    account: i64,
                    Suggesting { question, goal, locale, field }: Suggesting<'_>,
                ) -> Result<QuotaTable, Error> {
                    let body = json!({
                        "locale": locale.to_string(),
                        "completes_goal": goal,
                        "profile_adjustment_type": "nominal",
                        "start_at": timestamp(field.start()),
                        "end_at": timestamp(field.end()),
                        "profile": modern::regular(question, false, goal)?,
                    });
                    let body: types::PanelDistributionRequestV3 = from_json("question", body)?;
                    let mut profile = to_json(&raw.get_panel_distribution_draft(account, &body).await?.into_value())?;
                    // It is asked in completes, but may answer in percent.
                    let in_percent = percent_as_counts(&mut profile);
                    let table = modern_profile(&profile);
                    Ok(if in_percent { of_goal(table, goal) } else { table })
                }

                async fn suggest_quotas_of(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                    profile: &str,
                ) -> Result<QuotaTable, Error> {
                    let (project, group) = (project.as_str(), group.as_str());
                    let answer = raw.get_panel_distribution_by_profile(account, project, group, profile).await?;
                    Ok(modern_profile(&to_json(&answer.into_value())?))
                }
            }
        }
    };
}
#[cfg(feature = "_since-2025-12-18")]
pub(super) use modern_distribution;
