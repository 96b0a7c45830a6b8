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
use crate::types::ids::{ProjectId, SupplierId, TargetGroupId};
use crate::version::Version;

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

/// The versions that find a launched target group by its id alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not find a target group by its id alone",
    note = "use `TargetGroup::overview` with the target group's project, or a client of 2025-12-18 or later"
)]
pub trait HasOverviewById: Version {
    #[doc(hidden)]
    fn overview_by_id(raw: &Self::Raw, group: &TargetGroupId) -> impl Future<Output = Answer<FoundTargetGroup>> + Send;
}

/// The versions that say how a target group performs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how a target group performs",
    note = "use `TargetGroup::overview`, which every version has, or a client of 2025-02-17 or later"
)]
pub trait HasPerformance: Version {
    #[doc(hidden)]
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
        supplier: super::quotas::whole(&change["supplier_id"]).map(SupplierId::new),
    });
    let at = entry["occurred_at"].as_str().and_then(super::moment::moment);
    ChangelogEntry { id, at, by, changes: changes.collect() }
}
