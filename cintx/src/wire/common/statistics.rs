//! The overview of a target group, its completes over time, its changelog.

use super::raw::*;

use crate::error::Error;
use crate::paging::{PageRequest, RawPage};
use crate::target_group::{ChangeKind, ChangelogEntry, CompletesCount, Progress, TargetGroupOverview};
use crate::target_group::{FillingStrategy, PricingModel, TargetGroupStatus};
use crate::types::Interval;
use crate::types::ids::{ProjectId, TargetGroupId};
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
    CompletesCount = TargetGroupCollectedCompletesAggregatedIntervals { ; at = timestamp, count }
}

impl StatisticsWire for super::Marker {
    const CHANGELOG_PAGE: u16 = super::MAX_CHANGELOG_PAGE;

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
            raw.get_target_group_completes_aggregated_by_interval_with(account, project, group, &params).await?;
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
        kinds: &[ChangeKind],
        ask: &PageRequest,
    ) -> Result<RawPage<ChangelogEntry>, Error> {
        let params = GetTargetGroupChangelogParams {
            page_size: ask.page_size(),
            start_after: ask.start_after(),
            ..super::changelog_kinds(kinds)
        };
        let operation = &operations::GET_TARGET_GROUP_CHANGELOG;
        let (project, group) = (project.as_str(), group.as_str());
        let answer = raw.get_target_group_changelog_with(account, project, group, &params).await?.into_value();
        let entries = answer.changelog.unwrap_or_default().into_iter().map(|entry| {
            let id = entry.id.as_ref().ok_or_else(|| Error::incomplete(operation, "id"))?;
            Ok(changelog_entry(id.to_string(), &to_json(&entry)?))
        });
        Ok(RawPage::new(operation, entries.collect::<Result<_, Error>>()?).next(answer.next_cursor))
    }
}
