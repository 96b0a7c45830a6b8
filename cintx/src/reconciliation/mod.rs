//! Reconciliation: tells Cint which completes count and which do not.

#[cfg(feature = "csv")]
pub mod bulk;
mod deadline;
mod eligible;
mod files;
mod keep;
mod list;

use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::time::Duration;

use futures_util::future::FutureExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[cfg(feature = "csv")]
pub(crate) use self::deadline::central;
pub use self::deadline::deadline;
pub(crate) use self::eligible::EligibleFilter;
pub use self::eligible::{
    DueMonth, EligibleInMonth, EligibleInMonthQuery, EligibleQuery, EligibleSummary, EligibleTargetGroup,
    HasEligibleInMonth, HasEligibleTargetGroups,
};
pub use self::files::{HasReconciliationFiles, ReconciliationFile};
pub use self::keep::{HasKeptCompletes, KeepOnly, KeepOnlyPreview};
pub(crate) use self::list::ReconciliationFilter;
pub use self::list::{
    ReasonCode, ReconciledQuery, ReconciledTargetGroup, ReconciliationKind, ReconciliationQuery, ReconciliationSummary,
};
use crate::client::Client;
use crate::client::options::handle_options;
use crate::error::{Error, FieldError, JobFailure, Outcome, text_length};
use crate::job::{JobPoll, JobStatus, Pace, poll};
use crate::open_enum::open_enum;
use crate::paging::ListRequest;
use crate::types::hyphenated_uuid;
use crate::types::ids::{ReconciliationId, TargetGroupId, UserId};
use crate::types::serde_text::word;
use crate::version::Version;

/// Why a respondent's outcome is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// 11: counts as a complete after all.
    AdjustedComplete,
    /// 26: no reason given; may be audited.
    NoReason,
    /// 930: fraud of another kind.
    UnspecifiedFraud,
    /// 932: gave the same answer all along.
    StraightLining,
    /// 933: was too fast.
    Speeder,
    /// 934: answered open questions badly.
    PoorOpenEnd,
    /// 935: was never in the survey; needs one of Cint's link security methods.
    GhostComplete,
    /// 936: contradicted itself.
    InconsistentAnswers,
}

word!(
    Reason: "a reason: adjusted-complete, no-reason, unspecified-fraud, straight-lining, speeder, poor-open-end, \
     ghost-complete or inconsistent-answers"
);

impl Reason {
    const ALL: [Self; 8] = [
        Self::AdjustedComplete,
        Self::NoReason,
        Self::UnspecifiedFraud,
        Self::StraightLining,
        Self::Speeder,
        Self::PoorOpenEnd,
        Self::GhostComplete,
        Self::InconsistentAnswers,
    ];

    /// Cint's code.
    pub fn code(self) -> u16 {
        match self {
            Self::AdjustedComplete => 11,
            Self::NoReason => 26,
            Self::UnspecifiedFraud => 930,
            Self::StraightLining => 932,
            Self::Speeder => 933,
            Self::PoorOpenEnd => 934,
            Self::GhostComplete => 935,
            Self::InconsistentAnswers => 936,
        }
    }

    /// The reason that Cint has a code for, if a buyer may give it.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code().to_string() == code)
    }
}

/// One respondent and what becomes of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReconciliationRow {
    rid: String,
    reason: Reason,
}

impl ReconciliationRow {
    /// A respondent, by RID, and the reason.
    pub fn new(rid: impl Into<String>, reason: Reason) -> Self {
        Self { rid: rid.into(), reason }
    }
}

/// The reconciliations of an account.
///
/// ```no_run
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
/// use cintx::reconciliation::{Reason, ReconciliationRow};
///
/// let too_fast = ReconciliationRow::new("0f1ce179-a917-49ff-9d50-b05fc91f7bd4", Reason::Speeder);
/// let submitted = cint.reconciliations().submit("too-fast.csv", [too_fast]).await?;
/// submitted.until_done().await?;
/// let mut groups = submitted.target_groups().stream();
/// while let Some(group) = groups.try_next().await? {
///     println!("{}: {:?} no longer count", group.id, group.counts.negative_reversed);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Reconciliations<V: Version> {
    client: Client<V>,
}

handle_options!(Reconciliations: client);

impl<V: Version> Client<V> {
    /// The account's reconciliations. Asks nothing.
    pub fn reconciliations(&self) -> Reconciliations<V> {
        Reconciliations { client: self.clone() }
    }
}

impl<V: Version> Reconciliations<V> {
    /// Submits rows under a file name: at most 100,000, or 20,000 before 2025-12-18, each RID a UUID and given once.
    ///
    /// Carries an idempotency key where the version takes one.
    ///
    /// # Errors
    /// The rows that are wrong, before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "post_reconciliations")]
    pub async fn submit(
        &self,
        file_name: &str,
        rows: impl IntoIterator<Item = ReconciliationRow>,
    ) -> Result<SubmittedReconciliation<V>, Error> {
        let rows = rows.into_iter().map(|ReconciliationRow { rid, reason }| (rid, Some(reason)));
        let (csv, mut problems) = to_csv("rows", rows, V::MAX_RECONCILIATION_ROWS);
        problems.extend(text_length("file_name", file_name, FILE_NAME_CHARS));
        Error::check(problems)?;
        let id = V::submit_reconciliation(self.client.raw(), self.client.account(), file_name, csv.into()).await?;
        Ok(self.existing(id))
    }

    /// A reconciliation that was submitted earlier or in another process, by its id or its entry in the list. Sends
    /// nothing.
    pub fn existing(&self, id: impl Into<ReconciliationId>) -> SubmittedReconciliation<V> {
        SubmittedReconciliation { client: self.client.clone(), id: id.into() }
    }

    /// Lists the reconciliations that were submitted. 2025-02-17 lists by name alone: give [`ListRequest::name`] there.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// use cintx::reconciliation::ReconciliationStatus;
    ///
    /// let mut open = cint.reconciliations().list().status(ReconciliationStatus::Processing).stream();
    /// while let Some(reconciliation) = open.try_next().await? {
    ///     println!("{} {:?}", reconciliation.id, reconciliation.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_reconciliations_by_account_id")]
    pub fn list(&self) -> ListRequest<ReconciliationQuery<V>> {
        ListRequest::new(ReconciliationQuery { client: self.client.clone(), filter: ReconciliationFilter::default() })
    }

    /// The reasons that Cint knows for a change, with those that buyers may not give.
    ///
    /// Which of them a buyer may give is said from 2025-12-18 on.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "request_reconciliation_reason_codes")]
    pub async fn reason_codes(&self) -> Result<Vec<ReasonCode>, Error> {
        V::reason_codes(self.client.raw(), self.client.account()).await
    }
}

/// How long Cint lets the name of a file be.
const FILE_NAME_CHARS: RangeInclusive<usize> = 1..=255;

/// One line for each respondent, with the reason's code if there is one; and what is wrong about them.
fn to_csv(
    field: &'static str,
    rows: impl IntoIterator<Item = (String, Option<Reason>)>,
    max_rows: usize,
) -> (String, Vec<FieldError>) {
    let mut csv = String::new();
    let mut problems = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut count = 0;
    for (rid, reason) in rows {
        count += 1;
        match hyphenated_uuid(&rid) {
            None => problems.push(FieldError::new(field, format!("row {count} has the RID {rid:?}, expected a UUID"))),
            Some(id) if !seen.insert(id) => {
                problems.push(FieldError::new(field, format!("row {count} has the RID {rid} again")))
            }
            Some(_) => {
                csv.push_str(&rid);
                if let Some(reason) = reason {
                    let _ = write!(csv, ",{}", reason.code());
                }
                csv.push('\n');
            }
        }
    }
    if count == 0 || count > max_rows {
        problems.push(FieldError::new(field, format!("are {count}, expected 1 to {max_rows}")));
    }
    (csv, problems)
}

open_enum! {
    /// How a reconciliation is doing.
    ReconciliationStatus {
        /// It is being worked off.
        Processing = "processing",
        /// It is done.
        Complete = "complete" | "completed",
        /// It failed.
        Failed = "failed",
    }
}

/// What became of the rows, as far as they are worked off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ReconciliationCounts {
    /// Rows that were submitted.
    pub submitted: Option<i64>,
    /// Rows that came too late.
    pub expired: Option<i64>,
    /// Rows with RIDs that Cint does not know.
    pub invalid: Option<i64>,
    /// Respondents that count as completes now.
    pub positive_reversed: Option<i64>,
    /// Respondents that no longer count.
    pub negative_reversed: Option<i64>,
}

/// How a reconciliation is doing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReconciliationOutcome {
    /// How far it is.
    pub status: ReconciliationStatus,
    /// What became of its rows.
    pub counts: ReconciliationCounts,
    /// The name of its file.
    #[serde(default)]
    pub name: Option<String>,
    /// When it was submitted.
    #[serde(default)]
    pub submitted_at: Option<Timestamp>,
    /// Who submitted it.
    #[serde(default)]
    pub submitted_by: Option<UserId>,
    /// What its file says. From 2025-12-18 on.
    #[serde(default)]
    pub kind: Option<ReconciliationKind>,
}

/// A submission that Cint is working off.
#[derive(Clone, Debug)]
pub struct SubmittedReconciliation<V: Version> {
    client: Client<V>,
    id: ReconciliationId,
}

handle_options!(SubmittedReconciliation: client);

impl<V: Version> SubmittedReconciliation<V> {
    /// The id of the reconciliation.
    pub fn id(&self) -> &ReconciliationId {
        &self.id
    }

    /// How far it is.
    ///
    /// # Errors
    /// The API answers 404 if there is no such reconciliation. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_reconciliation_by_request_id")]
    pub async fn status(&self) -> Result<ReconciliationOutcome, Error> {
        V::reconciliation(self.client.raw(), self.client.account(), &self.id).await
    }

    /// Lists the target groups that it is about, each with what became of its rows.
    #[doc(alias = "get_target_groups_by_request_id")]
    pub fn target_groups(&self) -> ListRequest<ReconciledQuery<V>> {
        ListRequest::new(ReconciledQuery { client: self.client.clone(), id: self.id.clone() })
    }

    /// What it means for one target group.
    ///
    /// # Errors
    /// The API answers 404 if it is not about that target group. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_by_request_id_and_target_group_id")]
    pub async fn target_group(&self, group: impl Into<TargetGroupId>) -> Result<ReconciledTargetGroup, Error> {
        V::reconciled_target_group(self.client.raw(), self.client.account(), &self.id, &group.into()).await
    }

    /// Waits until it is worked off. Asks after a second, then ever more rarely, for half an hour at most.
    ///
    /// # Errors
    /// [`Error::job_failure`] if it failed, which does not say that no row took effect: see the counts of
    /// [`status`](Self::status). [`Error::is_timeout`] after half an hour. See
    /// [when a call fails](crate::guide::failures).
    pub async fn until_done(&self) -> Result<ReconciliationOutcome, Error> {
        let pace =
            Pace { first: Duration::from_secs(1), longest: Duration::from_secs(60), limit: Duration::from_secs(1_800) };
        const NAME: &str = "the reconciliation";
        let done = poll(NAME, pace, Outcome::Unknown, || {
            async move {
                let outcome = self.status().await?;
                let status = match outcome.status {
                    ReconciliationStatus::Complete => JobStatus::Done(outcome),
                    ReconciliationStatus::Failed => {
                        JobStatus::Failed(JobFailure { code: None, description: String::new(), reasons: Vec::new() })
                    }
                    _ => JobStatus::Running,
                };
                Ok(JobPoll::new(status, None))
            }
            .boxed()
        });
        done.await.map_err(|error| error.of_job(NAME, self.id.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_known_by_its_code() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(&reason.code().to_string()), Some(reason));
        }
        assert_eq!(Reason::from_code("940"), None);
    }

    #[test]
    fn rows_are_checked_before_they_are_sent() {
        let rid = "0F1CE179-A917-49FF-9D50-B05FC91F7BD4";
        let row = |rid: &str| (rid.to_owned(), Some(Reason::Speeder));
        let (csv, problems) = to_csv("rows", [row(rid)], 3);
        assert_eq!((csv.as_str(), problems.len()), ("0F1CE179-A917-49FF-9D50-B05FC91F7BD4,933\n", 0));
        let (_, problems) = to_csv("rows", [row(rid), row(&rid.to_lowercase()), row("nobody")], 3);
        assert_eq!(
            problems.iter().map(FieldError::reason).collect::<Vec<_>>(),
            [
                "row 2 has the RID 0f1ce179-a917-49ff-9d50-b05fc91f7bd4 again",
                "row 3 has the RID \"nobody\", expected a UUID",
            ]
        );
        assert_eq!(to_csv("rids", [(rid.to_owned(), None)], 1).0, format!("{rid}\n"));
        assert_eq!(to_csv("rows", [], 1).1.len(), 1, "nothing to submit");
    }
}
