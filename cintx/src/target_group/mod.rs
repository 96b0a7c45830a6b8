//! Target groups: described with a builder, checked before anything is sent, created as drafts, launched, changed.

mod changelog;
mod details;
mod draft;
pub(crate) mod feasibility;
mod list;
mod re_entry;
pub(crate) mod statistics;
pub(crate) mod transitions;

pub use self::changelog::{Change, ChangeKind, ChangedBy, ChangelogEntry, ChangelogQuery};
pub use self::details::{LaunchedSettings, TargetGroupDetails};
pub use self::draft::{Draft, DraftBuilder, DraftSettings, KeptDraft, TargetGroupDraft};
pub use self::feasibility::{
    DraftFeasibility, Feasibility, GroupFeasibility, SupplierGroupFeasibility, TargetFeasibility,
};
pub(crate) use self::list::TargetGroupFilter;
pub use self::list::{
    Issue, Statistic, Suggestion, TargetGroupQuery, TargetGroupStatistics, TargetGroupSummary, TargetGroups,
};
pub use self::re_entry::{HasReEntry, ReEntry, ReEntryRule, ReEntryRules};
pub use self::statistics::{
    CompletesCount, FoundTargetGroup, HasOverviewById, HasPerformance, Performance, Progress, RespondentAnalysis,
    RespondentCount, TargetGroupOverview,
};
pub use self::transitions::{Bulk, BulkJob, BulkOutcome, BulkTransition, TransitionRequest, Transitions};
use std::ops::RangeInclusive;

use crate::client::{CallOptions, Client};
use crate::error::{Error, FieldError};
use crate::open_enum::open_enum;
use crate::project::ProjectScope;
use crate::types::Money;
use crate::types::ids::{ProjectId, TargetGroupId};
use crate::version::Version;
use crate::wire::Place;

open_enum! {
    /// The state of a target group.
    TargetGroupStatus {
        /// It can still be changed in everything.
        Draft = "draft",
        /// Its field will begin by itself.
        Scheduled = "scheduled",
        /// Respondents come in.
        Live = "live",
        /// Nobody comes in for now.
        Paused = "paused",
        /// Its field is over.
        Completed = "completed",
        /// It is put away.
        Archived = "archived",
    }
}

open_enum! {
    /// What counts toward the goal.
    FillingStrategy {
        /// Cint decides.
        Automated = "automated",
        /// Respondents who passed the screener count.
        Prescreens = "prescreens",
        /// Only completes count.
        Completes = "completes",
    }
}

impl FillingStrategy {
    /// What is wrong with it, if it is to be set.
    pub(crate) fn problem(&self) -> Option<FieldError> {
        let Self::Unknown(word) = self else { return None };
        let reason = format!("is {word:?}, expected automated, prescreens or completes");
        Some(FieldError::new("filling_strategy", reason))
    }
}

open_enum! {
    /// How interviews are priced.
    PricingModel {
        /// By a card of prices for lengths and incidence rates.
        RateCard = "rate_card",
        /// At a price that the buyer names.
        Dynamic = "dynamic",
    }
}

/// How long Cint lets a target group's name be.
const NAME_CHARS: RangeInclusive<usize> = 5..=128;

/// A target group that exists: a handle on what can be read and done.
#[derive(Clone, Debug)]
pub struct TargetGroup<V: Version> {
    pub(crate) client: Client<V>,
    pub(crate) project: ProjectId,
    pub(crate) id: TargetGroupId,
}

impl<V: Version> ProjectScope<V> {
    /// A target group of the project by its id. Asks nothing.
    pub fn target_group(&self, id: impl Into<TargetGroupId>) -> TargetGroup<V> {
        TargetGroup { client: self.client.clone(), project: self.project.clone(), id: id.into() }
    }
}

impl<V: Version> TargetGroup<V> {
    /// The id of the target group.
    pub fn id(&self) -> &TargetGroupId {
        &self.id
    }

    /// The id of its project.
    pub fn project_id(&self) -> &ProjectId {
        &self.project
    }

    pub(crate) fn place(&self) -> Place<'_> {
        Place { account: self.client.account(), project: self.project.as_str(), group: self.id.as_str() }
    }

    /// The target group for calls with other options: key, retries, time limits, headers. They go before those of the
    /// client.
    ///
    /// ```no_run
    /// # async fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// use cintx::client::CallOptions;
    /// use jiff::{Timestamp, ToSpan as _};
    ///
    /// // However often this runs, it is one launch.
    /// let once = group.with(CallOptions::new().business_key("wave-7/launch"));
    /// once.launch(Timestamp::now() + 240.hours()).await?.until_live().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with(&self, options: CallOptions) -> Self {
        Self { client: self.client.with(options), project: self.project.clone(), id: self.id.clone() }
    }

    /// Changes what an interview costs; answers with what it costs now. Only for dynamic pricing, in the business
    /// unit's currency.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "update_cost_per_interview")]
    pub async fn set_cost_per_interview(&self, price: &Money) -> Result<Money, Error> {
        V::set_cost_per_interview(self.client.raw(), self.client.account(), &self.project, &self.id, price).await
    }

    /// Changes what counts toward the goal; answers with what counts now.
    ///
    /// # Errors
    /// The API answers 405 if the target group's state does not allow it. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "update_filling_strategy")]
    pub async fn set_filling_strategy(&self, strategy: FillingStrategy) -> Result<FillingStrategy, Error> {
        Error::check(strategy.problem())?;
        V::set_filling_strategy(self.client.raw(), self.client.account(), &self.project, &self.id, &strategy).await
    }
}

impl<V: Version> From<&TargetGroup<V>> for TargetGroupId {
    fn from(group: &TargetGroup<V>) -> Self {
        group.id.clone()
    }
}
