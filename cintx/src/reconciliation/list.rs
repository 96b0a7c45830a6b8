//! Reconciliations as lists: those of the account, the target groups that one is about, the reasons that there are.

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FILE_NAME_CHARS, Reason, ReconciliationCounts, ReconciliationStatus};
use crate::client::{CallOptions, Client};
use crate::error::{Error, FieldError, text_length};
use crate::open_enum::open_enum;
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage};
use crate::sealed::Sealed;
use crate::types::ids::{ReconciliationId, TargetGroupId, UserId};
use crate::version::Version;

open_enum! {
    /// What a reconciliation's file says.
    ReconciliationKind {
        /// Which completes of a project are kept.
        ApprovedRids = "approved_rids",
        /// Which respondents change, each for a reason.
        RejectedRids = "rejected_rids",
    }
}

/// A reconciliation, as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReconciliationSummary {
    /// The id of the reconciliation.
    pub id: ReconciliationId,
    /// The name of its file.
    pub name: Option<String>,
    /// How far it is.
    pub status: Option<ReconciliationStatus>,
    /// When it was submitted.
    pub submitted_at: Option<Timestamp>,
    /// Who submitted it.
    pub submitted_by: Option<UserId>,
    /// What its file says. From 2025-12-18 on.
    pub kind: Option<ReconciliationKind>,
    /// What became of its rows.
    pub counts: ReconciliationCounts,
}

impl From<&ReconciliationSummary> for ReconciliationId {
    fn from(reconciliation: &ReconciliationSummary) -> Self {
        reconciliation.id.clone()
    }
}

/// What a list of reconciliations is limited to.
#[derive(Clone, Debug, Default)]
#[doc(hidden)]
pub struct ReconciliationFilter {
    pub(crate) name: Option<String>,
    pub(crate) status: Option<ReconciliationStatus>,
    pub(crate) submitted_by: Option<UserId>,
}

impl ReconciliationFilter {
    fn problems<V: Version>(&self) -> Vec<FieldError> {
        let name = match &self.name {
            Some(name) => text_length("name", name, FILE_NAME_CHARS),
            None => V::RECONCILIATIONS_BY_NAME.then(|| {
                FieldError::new("name", format!("is missing, expected a name: {} lists by name alone", V::DATE))
            }),
        };
        let status = match &self.status {
            Some(ReconciliationStatus::Unknown(word)) => {
                let reason = format!("is {word:?}, expected processing, complete or failed");
                Some(FieldError::new("status", reason))
            }
            _ => None,
        };
        name.into_iter().chain(status).collect()
    }
}

/// Lists the account's reconciliations.
#[derive(Clone, Debug)]
pub struct ReconciliationQuery<V: Version> {
    pub(super) client: Client<V>,
    pub(super) filter: ReconciliationFilter,
}

impl<V: Version> ListRequest<ReconciliationQuery<V>> {
    /// Only those of files with this name: 1 to 255 characters.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.source.filter.name = Some(name.into());
        self
    }

    /// Only those that are so far.
    pub fn status(mut self, status: ReconciliationStatus) -> Self {
        self.source.filter.status = Some(status);
        self
    }

    /// Only those that this user submitted.
    pub fn submitted_by(mut self, user: UserId) -> Self {
        self.source.filter.submitted_by = Some(user);
        self
    }
}

impl<V: Version> Sealed for ReconciliationQuery<V> {}

impl<V: Version> ListQuery for ReconciliationQuery<V> {
    type Item = ReconciliationSummary;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<ReconciliationSummary>, Error>> {
        async move {
            Error::check(self.filter.problems::<V>())?;
            V::reconciliations(self.client.raw(), self.client.account(), &self.filter, ask).await
        }
        .boxed()
    }
}

/// What a reconciliation means for one target group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReconciledTargetGroup {
    /// The target group.
    pub id: TargetGroupId,
    /// How far the reconciliation is.
    pub status: Option<ReconciliationStatus>,
    /// What became of the rows that are about the target group.
    pub counts: ReconciliationCounts,
}

impl From<&ReconciledTargetGroup> for TargetGroupId {
    fn from(group: &ReconciledTargetGroup) -> Self {
        group.id.clone()
    }
}

/// Lists the target groups that a reconciliation is about.
#[derive(Clone, Debug)]
pub struct ReconciledQuery<V: Version> {
    pub(super) client: Client<V>,
    pub(super) id: ReconciliationId,
}

impl<V: Version> Sealed for ReconciledQuery<V> {}

impl<V: Version> ListQuery for ReconciledQuery<V> {
    type Item = ReconciledTargetGroup;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<ReconciledTargetGroup>, Error>> {
        V::reconciled_target_groups(self.client.raw(), self.client.account(), &self.id, ask).boxed()
    }
}

/// A reason for a change, as Cint lists it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReasonCode {
    /// The code.
    pub code: String,
    /// What it is called.
    pub name: Option<String>,
    /// What it means.
    pub description: Option<String>,
    /// Whether a buyer may give it. From 2025-12-18 on.
    pub allowed: Option<bool>,
}

impl ReasonCode {
    /// The reason that a row can be given, if it is one of those known to buyers.
    pub fn reason(&self) -> Option<Reason> {
        Reason::from_code(&self.code)
    }
}
