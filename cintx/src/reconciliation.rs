//! Reconciliation: tells Cint which completes count after all and which do not.

use std::fmt::Write as _;
use std::time::Duration;

use crate::client::Client;
use crate::error::{Error, Invalid};
use crate::ids::ReconciliationId;
use crate::version::Version;

/// The most rows that one submission may have.
const MAX_ROWS: usize = 100_000;

/// Why a respondent's outcome is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

impl Reason {
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
}

/// One respondent and what becomes of them.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug)]
pub struct Reconciliations<V: Version> {
    client: Client<V>,
}

impl<V: Version> Reconciliations<V> {
    pub(crate) fn new(client: Client<V>) -> Self {
        Self { client }
    }

    /// Submits rows under a file name; at most 100,000, each RID a UUID and given once.
    ///
    /// In every version (`post_reconciliations`); carries an idempotency key where the version takes one.
    ///
    /// # Errors
    /// The rows that are wrong, before anything is sent; or the call's.
    pub async fn submit(
        &self,
        file_name: &str,
        rows: impl IntoIterator<Item = ReconciliationRow>,
    ) -> Result<SubmittedReconciliation<V>, Error> {
        let (csv, problems) = to_csv(rows);
        let mut problems = problems;
        if file_name.is_empty() || file_name.chars().count() > 255 {
            problems.push(Invalid::new("file_name", "must have 1 to 255 characters"));
        }
        if !problems.is_empty() {
            return Err(Error::invalid(problems));
        }
        let id = V::submit_reconciliation(self.client.raw(), self.client.account(), file_name, csv.into()).await?;
        Ok(SubmittedReconciliation { client: self.client.clone(), id })
    }
}

fn to_csv(rows: impl IntoIterator<Item = ReconciliationRow>) -> (String, Vec<Invalid>) {
    let mut csv = String::new();
    let mut problems = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut count = 0;
    for (index, ReconciliationRow { rid, reason }) in rows.into_iter().enumerate() {
        count = index + 1;
        match rid.parse::<uuid::Uuid>() {
            Err(_) => problems.push(Invalid::new("rows", format!("row {count} has the RID {rid:?}, expected a UUID"))),
            Ok(id) if !seen.insert(id) => {
                problems.push(Invalid::new("rows", format!("row {count} has the RID {rid} again")))
            }
            Ok(_) => {
                let _ = writeln!(csv, "{rid},{}", reason.code());
            }
        }
    }
    if count == 0 || count > MAX_ROWS {
        problems.push(Invalid::new("rows", format!("are {count}, expected 1 to {MAX_ROWS}")));
    }
    (csv, problems)
}

/// How a reconciliation is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReconciliationStatus {
    /// It is being worked off.
    Processing,
    /// It is done.
    Complete,
    /// It failed.
    Failed,
    /// A state that no version documents, as it came.
    Unknown(String),
}

impl ReconciliationStatus {
    pub(crate) fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "processing" => Self::Processing,
            "complete" | "completed" => Self::Complete,
            "failed" => Self::Failed,
            _ => Self::Unknown(text.to_owned()),
        }
    }
}

/// What became of the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReconciliationOutcome {
    /// How far it is.
    pub status: ReconciliationStatus,
    /// Rows that were submitted.
    pub submitted: Option<i64>,
    /// Rows that came too late.
    pub expired: Option<i64>,
    /// Rows that name nobody.
    pub invalid: Option<i64>,
    /// Respondents that count as completes now.
    pub positive_reversed: Option<i64>,
    /// Respondents that no longer count.
    pub negative_reversed: Option<i64>,
}

/// A submission that Cint is working off.
#[derive(Clone, Debug)]
pub struct SubmittedReconciliation<V: Version> {
    client: Client<V>,
    id: ReconciliationId,
}

impl<V: Version> SubmittedReconciliation<V> {
    /// Its id.
    pub fn id(&self) -> &ReconciliationId {
        &self.id
    }

    /// How far it is.
    ///
    /// # Errors
    /// The call's.
    pub async fn status(&self) -> Result<ReconciliationOutcome, Error> {
        V::reconciliation(self.client.raw(), self.client.account(), &self.id).await
    }

    /// Waits until it is worked off. Asks after a second, then ever more rarely, for half an hour at most.
    ///
    /// # Errors
    /// [`Error::is_timeout`] after half an hour; or a call's error.
    pub async fn until_done(&self) -> Result<ReconciliationOutcome, Error> {
        const LONGEST: Duration = Duration::from_secs(60);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(1_800);
        let mut pause = Duration::from_secs(1);
        loop {
            let outcome = self.status().await?;
            match outcome.status {
                ReconciliationStatus::Complete | ReconciliationStatus::Failed => return Ok(outcome),
                _ if tokio::time::Instant::now() + pause > deadline => {
                    return Err(Error::timeout("the reconciliation"));
                }
                _ => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(LONGEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_checked_before_they_are_sent() {
        let rid = "0F1CE179-A917-49FF-9D50-B05FC91F7BD4";
        let row = |rid: &str| ReconciliationRow::new(rid, Reason::Speeder);
        let (csv, problems) = to_csv([row(rid)]);
        assert_eq!((csv.as_str(), problems.len()), ("0F1CE179-A917-49FF-9D50-B05FC91F7BD4,933\n", 0));
        let (_, problems) = to_csv([row(rid), row(&rid.to_lowercase()), row("nobody")]);
        assert_eq!(
            problems.iter().map(Invalid::reason).collect::<Vec<_>>(),
            [
                "row 2 has the RID 0f1ce179-a917-49ff-9d50-b05fc91f7bd4 again",
                "row 3 has the RID \"nobody\", expected a UUID",
            ]
        );
        assert_eq!(to_csv([]).1.len(), 1, "nothing to submit");
    }
}
