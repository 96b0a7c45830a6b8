//! The changelog of a target group.

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::CallOptions;
use crate::error::Error;
use crate::open_enum::open_enum;
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage};
use crate::sealed::Sealed;
use crate::target_group::TargetGroup;
use crate::types::ids::{SupplierId, UserId};
use crate::version::{HasFilters, Version};

/// What one user changed at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChangelogEntry {
    /// The id of the change.
    pub id: String,
    /// When it happened.
    pub at: Option<Timestamp>,
    /// Who did it.
    pub by: ChangedBy,
    /// What was changed.
    pub changes: Vec<Change>,
}

/// Who changed something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChangedBy {
    /// A user.
    User(Option<UserId>),
    /// Cint's system, or a kind of user that is not known yet; the kind as it came.
    System(String),
}

open_enum! {
    /// What was changed. An open set: Cint adds to it.
    ChangeKind {
        /// The state; a reason may be given.
        Status = "status_change",
        /// The goal.
        CompletesGoal = "filling_goal_change",
        /// What counts toward the goal.
        FillingStrategy = "filling_strategy_change",
        /// What an interview costs.
        CostPerInterview = "cpi_change",
        /// The name.
        Name = "name_change",
        /// The project manager.
        Manager = "project_manager_change",
        /// The length of interview.
        LengthOfInterview = "expected_length_of_interview_minutes_change",
        /// The incidence rate.
        IncidenceRate = "expected_incidence_rate_change",
        /// Where respondents are sent.
        LiveUrl = "live_url_change",
        /// Where test respondents are sent.
        TestUrl = "test_url_change",
        /// When field begins.
        FieldStart = "fielding_period_start_date_change",
        /// When field ends.
        FieldEnd = "fielding_period_end_date_change",
    }
}

/// One change. The values are as they came: text, numbers, money.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// What was changed.
    pub kind: ChangeKind,
    /// What it was.
    pub old: Value,
    /// What it is now.
    pub new: Value,
    /// Why the status changed, where Cint says so.
    pub reason: Option<String>,
    /// The supplier of a private exchange whose price changed. From 2025-12-18 on.
    #[serde(default)]
    pub supplier: Option<SupplierId>,
}

impl<V: Version> TargetGroup<V> {
    /// Lists who changed what, newest first.
    ///
    /// ```no_run
    /// # async fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// let mut changelog = group.changelog().kind(cintx::target_group::ChangeKind::Status).stream();
    /// while let Some(entry) = changelog.try_next().await? {
    ///     println!("{:?} {:?}", entry.at, entry.changes);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_target_group_changelog")]
    pub fn changelog(&self) -> ListRequest<ChangelogQuery<V>> {
        ListRequest::new(ChangelogQuery { group: self.clone(), kinds: Vec::new() })
    }
}

/// Lists who changed what.
#[derive(Clone, Debug)]
pub struct ChangelogQuery<V: Version> {
    group: TargetGroup<V>,
    kinds: Vec<ChangeKind>,
}

impl<V: Version> ListRequest<ChangelogQuery<V>> {
    /// Only changes of this kind; of one of them, if called again.
    ///
    /// From 2025-12-18 on.
    pub fn kind(mut self, kind: ChangeKind) -> Self
    where
        V: HasFilters,
    {
        self.source.kinds.push(kind);
        self
    }
}

impl<V: Version> Sealed for ChangelogQuery<V> {}

impl<V: Version> ListQuery for ChangelogQuery<V> {
    type Item = ChangelogEntry;

    const MAX_PAGE: u16 = V::CHANGELOG_PAGE;

    fn set_options(&mut self, options: CallOptions) {
        self.group.client = self.group.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<ChangelogEntry>, Error>> {
        let TargetGroup { client, project, id } = &self.group;
        V::changelog(client.raw(), client.account(), project, id, &self.kinds, ask).boxed()
    }
}
