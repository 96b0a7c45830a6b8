//! Statistics and the changelog on the wire. The versions differ in a few fields, in the size of the changelog's
//! pages, and in whether they have performance figures.

use std::future::Future;

use serde_json::Value;

use super::{Answer, Wire};
use crate::paging::{PageRequest, RawPage};
use crate::target_group::{
    Change, ChangeKind, ChangedBy, ChangelogEntry, CompletesCount, FoundTargetGroup, Performance, TargetGroupOverview,
};
use crate::types::Interval;
use crate::types::ids::{ProjectId, TargetGroupId};

#[doc(hidden)]
pub trait StatisticsWire: Wire {
    /// The most entries that a page of the changelog can have.
    const CHANGELOG_PAGE: u16;

    fn overview(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<TargetGroupOverview>> + Send;

    fn completes_by_interval(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        interval: Option<Interval>,
    ) -> impl Future<Output = Answer<Vec<CompletesCount>>> + Send;

    fn changelog(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        kinds: &[ChangeKind],
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<ChangelogEntry>>> + Send;
}

/// Finding a target group by its id alone: from 2025-12-18 on.
#[doc(hidden)]
pub trait OverviewByIdWire: StatisticsWire {
    fn overview_by_id(raw: &Self::Raw, group: &TargetGroupId) -> impl Future<Output = Answer<FoundTargetGroup>> + Send;
}

#[doc(hidden)]
pub trait PerformanceWire: Wire {
    fn performance(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<Performance>> + Send;
}

/// Reads an entry of the changelog, whose changes are of forty types that have the same parts.
pub(crate) fn changelog_entry(id: String, entry: &Value) -> ChangelogEntry {
    let user = &entry["user"];
    let by = match user["type"].as_str() {
        Some("las_user") => ChangedBy::User(user["las_user_id"].as_str().and_then(|id| id.parse().ok())),
        kind => ChangedBy::System(kind.unwrap_or_default().to_owned()),
    };
    let changes = entry["changes"].as_array().into_iter().flatten().map(|change| Change {
        kind: ChangeKind::parse(change["object"].as_str().or_else(|| change["type"].as_str()).unwrap_or_default()),
        old: change["old_value"].clone(),
        new: change["new_value"].clone(),
        reason: change["reason_code"].as_str().map(str::to_owned),
    });
    let at = entry["occurred_at"].as_str().and_then(|at| at.parse().ok());
    ChangelogEntry { id, at, by, changes: changes.collect() }
}

/// One version's statistics: the changelog's page size, and the overview's fields that not every version has.
macro_rules! statistics {
    ($marker:ident, $version:ident, changelog_page: $page:literal, kinds: |$kinds:ident| { $($filter:tt)* }, overview: { $($overview:tt)* }) => {
        mod statistics {
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::types::ids::{ProjectId, TargetGroupId};
            use crate::paging::{PageRequest, RawPage};
            use crate::target_group::{ChangeKind, ChangelogEntry, CompletesCount, Progress, TargetGroupOverview};
            use crate::target_group::{FillingStrategy, PricingModel, TargetGroupStatus};
            use crate::types::Interval;
            use crate::wire::read::{list, read, read_words, reads};
            use crate::wire::statistics::{StatisticsWire, changelog_entry};
            use crate::wire::to_json;

            read_words! {
                TargetGroupStatus = TargetGroupStatus;
                FillingStrategy = FillingStrategy;
                PricingModel = TargetGroupPricingModel;
            }
            reads! {
                Progress = TargetGroupProgress {
                    ;
                    completes_goal = filling_goal, current_completes, current_prescreens, filling_strategy
                }
                TargetGroupOverview = TargetGroupOverview {
                    ;
                    name = target_group_name, human_readable_id, project_name, status, progress,
                    average_cost_per_interview, current_cost_per_interview, current_cost, pricing_model,
                    is_pricing_restricted, conversion_rate, drop_off_rate, incidence_rate,
                    median_length_of_interview_seconds, country_code, language_code, study_type_code,
                    $($overview)*
                }
                CompletesCount = TargetGroupCollectedCompletesAggregatedIntervals { ; at = timestamp, count }
            }

            impl StatisticsWire for crate::$marker {
                const CHANGELOG_PAGE: u16 = $page;

                async fn overview(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                ) -> Result<TargetGroupOverview, Error> {
                    let answer = raw.get_target_group_overview(account, project.as_str(), group.as_str()).await?;
                    read(&operations::GET_TARGET_GROUP_OVERVIEW, answer.into_value())
                }

                async fn completes_by_interval(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                    interval: Option<Interval>,
                ) -> Result<Vec<CompletesCount>, Error> {
                    let aggregation_interval = interval.map(|interval| interval.to_string());
                    let params = GetTargetGroupCompletesAggregatedByIntervalParams { aggregation_interval };
                    let (project, group) = (project.as_str(), group.as_str());
                    let answer =
                        raw.get_target_group_completes_aggregated_by_interval(account, project, group, &params).await?;
                    list(
                        &operations::GET_TARGET_GROUP_COMPLETES_AGGREGATED_BY_INTERVAL,
                        answer.into_value().aggregated_completes_intervals,
                    )
                }

                async fn changelog(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                    $kinds: &[ChangeKind],
                    ask: &PageRequest,
                ) -> Result<RawPage<ChangelogEntry>, Error> {
                    let params = GetTargetGroupChangelogParams {
                        page_size: ask.page_size(),
                        start_after: ask.start_after(),
                        end_before: None,
                        $($filter)*
                    };
                    let operation = &operations::GET_TARGET_GROUP_CHANGELOG;
                    let (project, group) = (project.as_str(), group.as_str());
                    let answer = raw.get_target_group_changelog(account, project, group, &params).await?.into_value();
                    let entries = answer.changelog.unwrap_or_default().into_iter().map(|entry| {
                        let id = entry.id.as_ref().ok_or_else(|| Error::incomplete(operation.id, "id"))?;
                        Ok(changelog_entry(id.to_string(), &to_json(&entry)?))
                    });
                    Ok(RawPage::new(operation, entries.collect::<Result<_, Error>>()?).next(answer.next_cursor))
                }
            }
        }
    };
}
pub(super) use statistics;

/// One version's performance figures.
#[cfg(feature = "_since-2025-02-17")]
macro_rules! performance {
    ($marker:ident, $version:ident) => {
        mod performance {
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::target_group::statistics::{Performance, RespondentAnalysis, RespondentCount};
            use crate::types::ids::{ProjectId, TargetGroupId};
            use crate::wire::read::{read, reads};
            use crate::wire::statistics::PerformanceWire;

            reads! {
                RespondentCount = RespondentAnalysisStatusCodes { ; status, label, description, count }
                RespondentAnalysis = TargetGroupPerformanceRespondentAnalysis { ; live, test }
                Performance = TargetGroupPerformance {
                    ;
                    entrants, prescreens, completes, completes_cost, conversion_rate, drop_off_rate, incidence_rate,
                    first_complete, last_complete, respondents = respondent_analysis
                }
            }

            impl crate::target_group::HasPerformance for crate::$marker {}

            impl PerformanceWire for crate::$marker {
                async fn performance(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                ) -> Result<Performance, Error> {
                    let answer = raw.get_target_group_performance(account, project.as_str(), group.as_str()).await?;
                    read(&operations::GET_TARGET_GROUP_PERFORMANCE, answer.into_value())
                }
            }
        }
    };
}
#[cfg(feature = "_since-2025-02-17")]
pub(super) use performance;

/// One version that finds a target group by its id alone.
#[cfg(feature = "_since-2025-12-18")]
macro_rules! overview_by_id {
    ($marker:ident, $version:ident) => {
        mod overview_by_id {
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::target_group::statistics::{FoundTargetGroup, TargetGroupOverview};
            use crate::types::ids::{ProjectId, TargetGroupId};
            use crate::wire::read::{read, reads};
            use crate::wire::statistics::OverviewByIdWire;

            reads! {
                TargetGroupOverview = TargetGroupOverviewByTargetGroupId {
                    ;
                    name = target_group_name, human_readable_id, project_name, status, progress,
                    average_cost_per_interview, current_cost_per_interview, current_cost, pricing_model,
                    is_pricing_restricted, conversion_rate, drop_off_rate, incidence_rate,
                    median_length_of_interview_seconds, country_code, language_code, study_type_code,
                    created_at, manager = project_manager_id, reference = target_group_customer_reference_number
                }
            }

            impl OverviewByIdWire for crate::$marker {
                async fn overview_by_id(raw: &Client, group: &TargetGroupId) -> Result<FoundTargetGroup, Error> {
                    let answer = raw.get_target_group_overview_by_target_group_id(group.as_str()).await?.into_value();
                    let account = answer.account_id.as_ref().and_then(|id| id.as_str().parse().ok());
                    let project = answer.project_id.as_ref().map(|id| ProjectId::new(id.as_str()));
                    let overview = read(&operations::GET_TARGET_GROUP_OVERVIEW_BY_TARGET_GROUP_ID, answer)?;
                    Ok(FoundTargetGroup { account, project, overview })
                }
            }

            impl crate::target_group::HasOverviewById for crate::$marker {}
        }
    };
}
#[cfg(feature = "_since-2025-12-18")]
pub(super) use overview_by_id;
