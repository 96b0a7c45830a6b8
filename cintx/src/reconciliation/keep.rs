//! The completes of a project to keep: every other one is turned back, so how many those are must be looked at first.

use std::collections::{BTreeSet, HashSet};

use uuid::Uuid;

use super::{FILE_NAME_CHARS, Reconciliations, SubmittedReconciliation, to_csv};
use crate::client::options::with_options;
use crate::error::{Error, FieldError, text_length};
use crate::types::hyphenated_uuid;
use crate::types::ids::ProjectId;
use crate::version::Version;
pub use crate::wire::reconciliation::HasKeptCompletes;

impl<V: Version> Reconciliations<V> {
    /// Keeps these completes of a project, and no others: **every complete of the project that is not among them is
    /// turned back.** Asks nothing yet: how many those are is said by [`preview`](KeepOnly::preview), and only what was
    /// previewed can be submitted.
    ///
    /// From 2025-12-18 on.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>, id: cintx::ProjectId) -> Result<(), cintx::Error> {
    /// let good = ["0f1ce179-a917-49ff-9d50-b05fc91f7bd4", "71d5a5b5-4f02-4e32-9f5c-0a6f0c1c9b0e"];
    /// // All that the project has; `preview` would ask Cint instead.
    /// let all = ["0f1ce179-a917-49ff-9d50-b05fc91f7bd4", "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2"];
    /// let preview = cint.reconciliations().keep_only(id, good).of_completes(all)?;
    /// assert_eq!((preview.kept(), preview.turned_back()), (1, 1));
    /// assert_eq!(preview.strangers(), ["71d5a5b5-4f02-4e32-9f5c-0a6f0c1c9b0e"]);
    /// let submitted = preview.submit("good.csv", 1).await?;
    /// println!("{:?} turned back", submitted.until_done().await?.counts.negative_reversed);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "post_reconciliations_completes")]
    pub fn keep_only<R: Into<String>>(
        &self,
        project: impl Into<ProjectId>,
        rids: impl IntoIterator<Item = R>,
    ) -> KeepOnly<V>
    where
        V: HasKeptCompletes,
    {
        let rids = rids.into_iter().map(Into::into).collect();
        KeepOnly { reconciliations: self.clone(), project: project.into(), rids }
    }
}

/// Completes of a project that are to be kept. Made by [`Reconciliations::keep_only`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until its preview is submitted"]
pub struct KeepOnly<V: Version> {
    reconciliations: Reconciliations<V>,
    project: ProjectId,
    rids: Vec<String>,
}

with_options!(KeepOnly: reconciliations.client);

impl<V: HasKeptCompletes> KeepOnly<V> {
    /// How many would be turned back, if the project has these completes. Asks nothing. A number of completes would not
    /// do: who is kept and is none of them keeps nobody.
    ///
    /// # Errors
    /// The RIDs that are wrong, of either list: each must be a UUID, and one that is kept be given once; there may be
    /// 100,000 of those. None of them is among the completes: then all would be turned back.
    pub fn of_completes<R: AsRef<str>>(
        self,
        completes: impl IntoIterator<Item = R>,
    ) -> Result<KeepOnlyPreview<V>, Error> {
        let (csv, mut problems) = self.to_csv();
        let mut all = HashSet::new();
        for (number, rid) in (1_u64..).zip(completes) {
            let rid = rid.as_ref();
            match hyphenated_uuid(rid) {
                Some(id) => drop(all.insert(id)),
                None => problems
                    .push(FieldError::new("completes", format!("row {number} has the RID {rid:?}, expected a UUID"))),
            }
        }
        Error::check(problems)?;
        self.compared_with(csv, all)
    }

    /// How many would be turned back, by the report of the respondents of the project that can be reconciled, RID by
    /// RID. The report is written for this, which may take minutes. It says how things are then: whoever completes
    /// afterwards is turned back as well, so complete or pause the target groups first.
    ///
    /// ```no_run
    /// # async fn run(
    /// #     cint: cintx::Client<cintx::V2025_12_18>,
    /// #     project: cintx::ProjectId,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// use cintx::reconciliation::bulk::KeptCompletes;
    ///
    /// let kept = KeptCompletes::from_csv(std::fs::File::open("good.csv")?)?;
    /// let preview = cint.reconciliations().keep_only(project, kept.rids()).preview().await?;
    /// println!("{} would be turned back; go on? Type the number:", preview.turned_back());
    /// let mut typed = String::new();
    /// std::io::stdin().read_line(&mut typed)?;
    /// preview.submit("good.csv", typed.trim().parse()?).await?.until_done().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The RIDs that are wrong, as for [`of_completes`](Self::of_completes); a report whose RIDs cannot be read, or
    /// that is empty: then give the completes to [`of_completes`](Self::of_completes) from records of your own. See
    /// [when a call fails](crate::guide::failures).
    #[cfg(feature = "csv")]
    #[doc(alias = "generate_report")]
    pub async fn preview(self) -> Result<KeepOnlyPreview<V>, Error> {
        use jiff::ToSpan as _;

        let (csv, problems) = self.to_csv();
        Error::check(problems)?;
        let today = super::central().to_datetime(self.reconciliations.client.now()).date();
        // What can be reconciled was completed in this month or in the last one, and begun in that before at most. A
        // report may end where its last day begins, so today's completes need the next one.
        let days = today.first_of_month().saturating_sub(2.months())..=today.saturating_add(1.day());
        let scope = crate::report::ReportScope::projects([&self.project]);
        let reports = self.reconciliations.client.reports();
        let report = reports.reconciliation_eligible_rids(scope, days).await?.until_done().await?;
        let mut content = Vec::new();
        report.write_to(&mut content).await?;
        self.compared_with(csv, eligible_rids(&content)?)
    }

    /// What keeping means for these completes: those that are not among the kept ones are turned back.
    fn compared_with(self, csv: String, completes: HashSet<Uuid>) -> Result<KeepOnlyPreview<V>, Error> {
        let mut turned_back = BTreeSet::from_iter(completes);
        let is_complete = |rid: &String| hyphenated_uuid(rid).is_some_and(|id| turned_back.remove(&id));
        let (kept, strangers): (Vec<String>, Vec<String>) = self.rids.into_iter().partition(is_complete);
        if kept.is_empty() {
            let reason = format!(
                "are {} that are no completes of the project, expected one at least: all of its {} would be turned \
                 back",
                strangers.len(),
                turned_back.len()
            );
            return Err(Error::invalid(vec![FieldError::new("rids", reason)]));
        }
        Ok(KeepOnlyPreview {
            turned_back,
            kept: kept.len() as u64,
            strangers,
            reconciliations: self.reconciliations,
            project: self.project,
            csv,
        })
    }

    fn to_csv(&self) -> (String, Vec<FieldError>) {
        to_csv("rids", self.rids.iter().map(|rid| (rid.clone(), None)), V::MAX_RECONCILIATION_ROWS)
    }
}

/// The completes of a report, every one of which must be readable: what is not counted would be turned back unseen. A
/// report without any column of RIDs says nothing about completes. Without a status that can be read, a row counts.
#[cfg(feature = "csv")]
fn eligible_rids(report: &[u8]) -> Result<HashSet<Uuid>, Error> {
    let rows = crate::report::ReportRows::read(report)?;
    let unreadable =
        |what: String| Error::other(std::io::Error::other(format!("the report has {what}, expected a RID")));
    let columns = rows.columns().join(", ");
    if !rows.may_have_rids() {
        return Err(unreadable(format!("no column of RIDs among its columns {columns:?}")));
    }
    let mut rids = HashSet::new();
    for row in rows {
        let row = row?;
        let rid = row.rid.ok_or_else(|| unreadable(format!("a row without a RID in the columns {columns:?}")))?;
        let id = hyphenated_uuid(&rid).ok_or_else(|| unreadable(format!("the RID {rid:?}")))?;
        if row.client_status.value().is_none_or(|status| status.is_complete()) {
            rids.insert(id);
        }
    }
    Ok(rids)
}

/// What keeping some completes of a project means for the others. Nothing is sent before it is submitted.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is submitted"]
pub struct KeepOnlyPreview<V: Version> {
    reconciliations: Reconciliations<V>,
    project: ProjectId,
    csv: String,
    kept: u64,
    turned_back: BTreeSet<Uuid>,
    strangers: Vec<String>,
}

with_options!(KeepOnlyPreview: reconciliations.client);

impl<V: HasKeptCompletes> KeepOnlyPreview<V> {
    /// How many completes are kept.
    pub fn kept(&self) -> u64 {
        self.kept
    }

    /// How many respondents would be turned back.
    pub fn turned_back(&self) -> u64 {
        self.turned_back.len() as u64
    }

    /// Who would be turned back: the RIDs in small letters, in order.
    pub fn turned_back_rids(&self) -> impl ExactSizeIterator<Item = String> + '_ {
        self.turned_back.iter().map(|id| id.hyphenated().to_string())
    }

    /// The money that it would save: what those cost who would be turned back, by the rows of a
    /// [`completes`](crate::report::Reports::completes) report.
    ///
    /// # Errors
    /// The first row that cannot be read; a sum of too many digits.
    #[cfg(feature = "csv")]
    pub fn would_save(
        &self,
        completes: impl IntoIterator<Item = Result<crate::report::ReportRow, crate::report::ReportError>>,
    ) -> Result<super::bulk::Savings, crate::report::ReportError> {
        super::bulk::Savings::sum(self.turned_back.iter().copied().collect(), hyphenated_uuid, completes)
    }

    /// The RIDs of the list that are no completes of the project, or none that can be reconciled any more. They keep
    /// nobody: if one of them is a slip, the complete that was meant is among those that are turned back.
    pub fn strangers(&self) -> &[String] {
        &self.strangers
    }

    /// Submits the completes to keep under a file name. The number of those that are turned back must be said again:
    /// it is the consent to that.
    ///
    /// Carries an idempotency key.
    ///
    /// # Errors
    /// Another number than [`turned_back`](Self::turned_back), before anything is sent. See
    /// [when a call fails](crate::guide::failures).
    pub async fn submit(&self, file_name: &str, turning_back: u64) -> Result<SubmittedReconciliation<V>, Error> {
        let mut problems = Vec::from_iter(text_length("file_name", file_name, FILE_NAME_CHARS));
        if turning_back != self.turned_back() {
            let reason = format!("is {turning_back}, expected {}, as the preview says", self.turned_back());
            problems.push(FieldError::new("turning_back", reason));
        }
        Error::check(problems)?;
        let (client, csv) = (&self.reconciliations.client, self.csv.clone().into());
        let id = V::keep_only(client.raw(), client.account(), &self.project, file_name, csv).await?;
        Ok(self.reconciliations.existing(id))
    }
}

#[cfg(all(test, feature = "csv"))]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_known_to_be_no_complete_does_not_count() {
        let rid = |number: u32| format!("{number:08x}-4f02-4e32-9f5c-0a6f0c1c9b0e");
        let file = format!(
            "RID,client_status\n{},10\n{},20\n{},11\n{},?\n{},10\n",
            rid(1),
            rid(2),
            rid(3),
            rid(4),
            rid(1).to_uppercase()
        );
        let found = eligible_rids(file.as_bytes()).unwrap();
        let expected: HashSet<Uuid> = [1, 3, 4].into_iter().map(|number| rid(number).parse().unwrap()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_report_that_does_not_tell_rids_is_none_of_nobody() {
        for report in ["", "\n", "client_status\n", "client_status\n10\n", "RID\n\"\"\n", "RID\nnobody\n"] {
            assert!(eligible_rids(report.as_bytes()).is_err(), "{report:?}");
        }
        assert!(eligible_rids(b"RID\n").unwrap().is_empty());
    }
}
