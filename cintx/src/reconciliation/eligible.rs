//! Target groups with completes that can still be reconciled: from 2025-12-18 on by when that is due, in 2024-12-02 by
//! the month of the sessions.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Reconciliations;
use crate::client::options::with_options;
use crate::client::{CallOptions, Client};
use crate::error::{Error, FieldError};
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage};
use crate::reference::User;
use crate::sealed::Sealed;
use crate::target_group::TargetGroupStatus;
use crate::types::Money;
use crate::types::ids::{ProjectId, TargetGroupId, UserId};
use crate::types::serde_text::word;
use crate::version::Version;
pub use crate::wire::reconciliation::{HasEligibleInMonth, HasEligibleTargetGroups};

impl<V: Version> Reconciliations<V> {
    /// Lists the target groups with completes that can still be reconciled.
    ///
    /// From 2025-12-18 on.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// use cintx::reconciliation::DueMonth;
    ///
    /// let due = cint.reconciliations().eligible().due(DueMonth::Current);
    /// println!("{:?} completes in all", due.summary().await?.completes);
    /// let mut groups = due.stream();
    /// while let Some(group) = groups.try_next().await? {
    ///     println!("{}: {:?} completes, {:?}", group.id, group.completes, group.amount);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_eligible_target_groups")]
    pub fn eligible(&self) -> ListRequest<EligibleQuery<V>>
    where
        V: HasEligibleTargetGroups,
    {
        let client = self.client.clone();
        ListRequest::new(EligibleQuery { client, filter: EligibleFilter::default(), due: None })
    }

    /// The target groups with sessions of a month that can still be reconciled. Await it to send it. The month is sent
    /// as it is given: Cint does not publish how it is written.
    ///
    /// Only in 2024-12-02.
    #[doc(alias = "get_eligible_target_groups")]
    pub fn eligible_in(&self, session_month: impl Into<String>) -> EligibleInMonthQuery<V>
    where
        V: HasEligibleInMonth,
    {
        let client = self.client.clone();
        EligibleInMonthQuery { client, month: session_month.into(), filter: EligibleFilter::default() }
    }
}

/// When a reconciliation is due: the 25th of a month is the last day, in the time of the central United States.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DueMonth {
    /// This month; Cint's default.
    Current,
    /// Next month.
    Next,
}

word!(DueMonth: "a month: current or next");

/// What a list of target groups is limited to.
#[derive(Clone, Debug, Default)]
#[doc(hidden)]
pub struct EligibleFilter {
    pub(crate) name: Option<String>,
    pub(crate) status: Option<TargetGroupStatus>,
    pub(crate) project_name: Option<String>,
    pub(crate) manager: Option<UserId>,
}

impl EligibleFilter {
    fn problems(&self) -> Vec<FieldError> {
        let empty = |field, text: &Option<String>| {
            let empty = text.as_ref().is_some_and(|text| text.trim().is_empty());
            empty.then(|| FieldError::new(field, "is empty, expected text"))
        };
        let status = match &self.status {
            Some(TargetGroupStatus::Unknown(word)) => {
                Some(FieldError::new("status", format!("is {word:?}, expected a state that a target group can have")))
            }
            _ => None,
        };
        [empty("name", &self.name), status, empty("project_name", &self.project_name)].into_iter().flatten().collect()
    }
}

/// The filters that both versions have.
macro_rules! filters {
    ($query:ty: $($filter:ident).+) => {
        impl<V: Version> $query {
            /// Only target groups of this name.
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.$($filter).+.name = Some(name.into());
                self
            }

            /// Only target groups in this state.
            pub fn status(mut self, status: TargetGroupStatus) -> Self {
                self.$($filter).+.status = Some(status);
                self
            }

            /// Only target groups of projects of this name.
            pub fn project_name(mut self, name: impl Into<String>) -> Self {
                self.$($filter).+.project_name = Some(name.into());
                self
            }

            /// Only target groups that this user manages.
            pub fn manager(mut self, manager: UserId) -> Self {
                self.$($filter).+.manager = Some(manager);
                self
            }
        }
    };
}
filters!(ListRequest<EligibleQuery<V>>: source.filter);
filters!(EligibleInMonthQuery<V>: filter);

/// Lists target groups with completes that can still be reconciled.
#[derive(Clone, Debug)]
pub struct EligibleQuery<V: Version> {
    client: Client<V>,
    filter: EligibleFilter,
    due: Option<DueMonth>,
}

impl<V: HasEligibleTargetGroups> ListRequest<EligibleQuery<V>> {
    /// Only what is due in this month. The current one if not set.
    pub fn due(mut self, due: DueMonth) -> Self {
        self.source.due = Some(due);
        self
    }

    /// The sums over the whole list.
    ///
    /// From 2025-12-18 on; reads one target group of the list.
    ///
    /// # Errors
    /// Filters that are wrong, before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_eligible_target_groups")]
    pub async fn summary(&self) -> Result<EligibleSummary, Error> {
        self.source.ask(&PageRequest::first(1)).await.map(|(_, summary)| summary)
    }
}

impl<V: HasEligibleTargetGroups> EligibleQuery<V> {
    async fn ask(&self, ask: &PageRequest) -> Result<(RawPage<EligibleTargetGroup>, EligibleSummary), Error> {
        Error::check(self.filter.problems())?;
        let (raw, account) = (self.client.raw(), self.client.account());
        <V as HasEligibleTargetGroups>::eligible(raw, account, &self.filter, self.due, ask).await
    }
}

impl<V: HasEligibleTargetGroups> Sealed for EligibleQuery<V> {}

impl<V: HasEligibleTargetGroups> ListQuery for EligibleQuery<V> {
    type Item = EligibleTargetGroup;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<EligibleTargetGroup>, Error>> {
        async move { self.ask(ask).await.map(|(batch, _)| batch) }.boxed()
    }
}

/// Asks for the target groups of a month. Made by [`Reconciliations::eligible_in`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct EligibleInMonthQuery<V: Version> {
    client: Client<V>,
    month: String,
    filter: EligibleFilter,
}

with_options!(EligibleInMonthQuery: client);

impl<V: HasEligibleInMonth> IntoFuture for EligibleInMonthQuery<V> {
    type Output = Result<EligibleInMonth, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let month = self.month.trim().is_empty();
            let month = month.then(|| FieldError::new("session_month", "is empty, expected a month"));
            Error::check(month.into_iter().chain(self.filter.problems()))?;
            let (raw, account) = (self.client.raw(), self.client.account());
            <V as HasEligibleInMonth>::eligible_in(raw, account, &self.month, &self.filter).await
        })
    }
}

/// A target group with completes that can still be reconciled.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EligibleTargetGroup {
    /// The target group.
    pub id: TargetGroupId,
    /// What it is called.
    pub name: Option<String>,
    /// The state of the target group.
    pub status: Option<TargetGroupStatus>,
    /// The id of the target group's project.
    pub project: Option<ProjectId>,
    /// What its project is called.
    pub project_name: Option<String>,
    /// Who manages it.
    pub manager: Option<User>,
    /// When it was last reconciled.
    pub last_reconciled_at: Option<Timestamp>,
    /// How many completes can still be reconciled. From 2025-12-18 on.
    pub completes: Option<u64>,
    /// What those cost. From 2025-12-18 on.
    pub amount: Option<Money>,
}

impl From<&EligibleTargetGroup> for TargetGroupId {
    fn from(group: &EligibleTargetGroup) -> Self {
        group.id.clone()
    }
}

/// Sums over the target groups that can still be reconciled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EligibleSummary {
    /// How many target groups there are.
    pub target_groups: Option<u64>,
    /// How many completes.
    pub completes: Option<u64>,
    /// What those cost.
    pub amount: Option<Money>,
}

/// The target groups of a month.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EligibleInMonth {
    /// The target groups.
    pub target_groups: Vec<EligibleTargetGroup>,
    /// Whether there are more than Cint sent: 2024-12-02 has no second page, so narrow the filters.
    pub cut_short: bool,
}
