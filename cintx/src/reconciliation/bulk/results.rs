//! What became of each respondent of a submission in parts, joined with the lines of the file.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::hash::Hash;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::super::{
    HasReconciliationFiles, Reason, ReconciliationFile, ReconciliationStatus, Reconciliations, SubmittedReconciliation,
};
use super::rows::Rid;
use super::{BulkState, Corrections};
use crate::error::Error;
use crate::records::{RecordError, Records};
use crate::report::{CurrencySums, ReportError, ReportFormat, ReportRow};
use crate::types::serde_text::word;

/// The most that a file of one part has: what a hundred thousand RIDs need, with room for what Cint may add to each.
const MAX_FILE_BYTES: usize = 256 * 1024 * 1024;

impl<V: HasReconciliationFiles> Reconciliations<V> {
    /// What became of each respondent, by the files that Cint has for each part that is worked off.
    ///
    /// ```no_run
    /// # use cintx::reconciliation::bulk::{BulkState, Corrections};
    /// # async fn run(
    /// #     cint: cintx::Client<cintx::V2025_12_18>,
    /// #     corrections: Corrections,
    /// #     done: BulkState,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let results = cint.reconciliations().results(&corrections, &done).await?;
    /// for result in results.iter().filter(|it| !it.outcome.is_accepted()) {
    ///     println!("line {}: {} {:?} {:?}", result.line, result.rid, result.outcome, result.note);
    /// }
    /// results.write_csv(std::fs::File::create("results.csv")?)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// A state of other corrections; a file that cannot be read, or that names fewer respondents than were counted.
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_recon_downloads")]
    pub async fn results<'a>(&self, corrections: &'a Corrections, state: &BulkState) -> Result<BulkResults<'a>, Error> {
        state.check(corrections)?;
        let mut results = BulkResults { corrections, exceptions: BTreeMap::new(), parts: Vec::new(), strangers: 0 };
        for (at, part) in state.parts().iter().enumerate() {
            let all = match (&part.id, &part.outcome) {
                (Some(_), Some(outcome)) if outcome.status == ReconciliationStatus::Failed => RowOutcome::PartFailed,
                (Some(_), Some(_)) => RowOutcome::Accepted,
                _ => RowOutcome::Open,
            };
            results.parts.push((state.range(at).end, all));
            let (Some(id), Some(done), RowOutcome::Accepted) = (&part.id, &part.outcome, all) else { continue };
            let submitted = self.existing(id);
            for (file, outcome, counted) in [
                (ReconciliationFile::Invalid, RowOutcome::Invalid, done.counts.invalid),
                (ReconciliationFile::Expired, RowOutcome::Expired, done.counts.expired),
            ] {
                let content = submitted.download(file).await?.collect(MAX_FILE_BYTES).await;
                let content = content.map_err(|error| match error.downcast::<Error>() {
                    Ok(broken_off) => *broken_off,
                    Err(too_long) => unreadable(format!("cannot be taken: {too_long}")),
                })?;
                let named = results.except(&content, outcome)?;
                // Whoever is not named counts as accepted: a file that lacks some must not pass.
                if counted.is_some_and(|counted| named < counted) {
                    let counted = counted.unwrap_or_default();
                    return Err(unreadable(format!("names {named} that are {outcome}, expected {counted}")));
                }
            }
        }
        Ok(results)
    }
}

/// A file of exceptions that cannot be used.
fn unreadable(what: String) -> Error {
    Error::other(io::Error::other(format!("the file of exceptions {what}")))
}

impl<V: HasReconciliationFiles> SubmittedReconciliation<V> {
    /// Writes a file of the reconciliation to a writer as it comes, and says how many bytes it has.
    ///
    /// From 2025-12-18 on, as [`download`](Self::download). The writer is written to on this thread.
    ///
    /// # Errors
    /// The writer fails, or a request does. See [when a call fails](crate::guide::failures).
    pub async fn download_to(&self, file: ReconciliationFile, out: &mut (impl Write + Send)) -> Result<u64, Error> {
        Ok(crate::report::copy(self.download(file).await?, out).await?.1)
    }
}

/// What became of a respondent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RowOutcome {
    /// It was worked off, and Cint names it in no list of exceptions.
    Accepted,
    /// Cint does not know the respondent, or they cannot be changed so.
    Invalid,
    /// It came too late.
    Expired,
    /// Cint failed to work off the part that it is in.
    PartFailed,
    /// The part that it is in is not worked off yet.
    Open,
}

word!(RowOutcome: "an outcome: accepted, invalid, expired, part-failed or open");

impl RowOutcome {
    /// Whether the respondent was changed as was asked for.
    pub fn is_accepted(self) -> bool {
        self == Self::Accepted
    }
}

/// A respondent of a file, and what became of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RowResult {
    /// The line of the file.
    pub line: u64,
    /// The respondent.
    pub rid: String,
    /// The reason that was given.
    pub reason: Reason,
    /// What became of it.
    pub outcome: RowOutcome,
    /// What else Cint's file of exceptions says in that line.
    pub note: Option<String>,
}

/// The money that a reconciliation saved, or would save. Made by [`BulkResults::saved`] and
/// [`KeepOnlyPreview::would_save`](super::super::KeepOnlyPreview::would_save).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Savings {
    /// What the respondents cost who no longer count, as far as the report says it.
    pub amounts: CurrencySums,
    /// How many of those respondents have no amount: the report lacks them, their cost or its currency, or has
    /// something there that is no amount.
    pub without_amount: u64,
}

impl Savings {
    /// What those cost who are turned back, each known by what its RID leads to.
    pub(in super::super) fn sum<K: Hash + Eq>(
        mut turned_back: HashSet<K>,
        key: impl Fn(&str) -> Option<K>,
        completes: impl IntoIterator<Item = Result<ReportRow, ReportError>>,
    ) -> Result<Self, ReportError> {
        let mut amounts = CurrencySums::default();
        for row in completes {
            let row = row?;
            let respondent = row.rid.as_deref().and_then(&key);
            let (Some(respondent), Some(&cost), Some(currency)) =
                (respondent, row.cost.value(), row.currency.as_deref())
            else {
                continue;
            };
            // A respondent who stands in the report twice is paid once.
            if turned_back.remove(&respondent) && !amounts.add(cost, currency) {
                return Err(ReportError::SumTooLong { currency: currency.to_owned() });
            }
        }
        Ok(Self { amounts, without_amount: turned_back.len() as u64 })
    }
}

/// `2.73 USD and 1 without an amount`
impl fmt::Display for Savings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.amounts.is_empty(), self.without_amount) {
            (true, 0) => f.write_str("nothing"),
            (false, 0) => write!(f, "{}", self.amounts),
            (true, without) => write!(f, "{without} without an amount"),
            (false, without) => write!(f, "{} and {without} without an amount", self.amounts),
        }
    }
}

/// What became of each respondent. Made by [`Reconciliations::results`].
#[derive(Debug)]
pub struct BulkResults<'a> {
    corrections: &'a Corrections,
    /// Those that were not taken, by their place in the corrections.
    exceptions: BTreeMap<usize, (RowOutcome, Option<String>)>,
    /// Where each part ends, and what became of those of its rows that are no exceptions.
    parts: Vec<(usize, RowOutcome)>,
    strangers: u64,
}

impl BulkResults<'_> {
    /// Takes over a file of exceptions: a RID in each line, and perhaps more. Says how many of those submitted it
    /// names: one who stands there twice, or a stranger, must not make up for another.
    fn except(&mut self, content: &[u8], outcome: RowOutcome) -> Result<i64, Error> {
        match ReportFormat::of(content).map_err(Error::other)? {
            ReportFormat::Csv => {}
            other => return Err(unreadable(format!("is {other}, expected CSV"))),
        }
        let broken = |error: RecordError| unreadable(format!("is broken, expected CSV: {error}"));
        let mut records = Records::new(content, None).map_err(broken)?;
        let mut named = HashSet::new();
        while let Some(record) = records.read().map_err(broken)? {
            let Some(rid) = record.fields().find_map(|field| Rid::parse(&field)) else { continue };
            let Some(at) = self.corrections.0.rows.find(&rid) else {
                self.strangers += 1;
                continue;
            };
            let more: Vec<_> = record.fields().filter(|it| !it.is_empty() && Rid::parse(it).is_none()).collect();
            let note = (!more.is_empty()).then(|| more.join(", "));
            self.exceptions.insert(at, (outcome, note));
            named.insert(at);
        }
        Ok(i64::try_from(named.len()).unwrap_or(i64::MAX))
    }

    fn outcome(&self, at: usize) -> (RowOutcome, Option<String>) {
        let part = self.parts.partition_point(|(end, _)| *end <= at);
        let usual = self.parts.get(part).map_or(RowOutcome::Open, |(_, outcome)| *outcome);
        self.exceptions.get(&at).cloned().unwrap_or((usual, None))
    }

    /// The respondents in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = RowResult> + '_ {
        self.corrections.0.rows.as_slice().iter().enumerate().map(|(at, row)| {
            let (outcome, note) = self.outcome(at);
            let (line, rid) = (u64::from(row.line), row.rid.to_string());
            RowResult { line, rid, reason: row.remark, outcome, note }
        })
    }

    /// How many respondents have each outcome.
    pub fn counts(&self) -> BTreeMap<RowOutcome, u64> {
        let mut counts = BTreeMap::new();
        for result in self.iter() {
            *counts.entry(result.outcome).or_default() += 1;
        }
        counts
    }

    /// How many lines of Cint's files are about respondents that were not submitted.
    pub fn strangers(&self) -> u64 {
        self.strangers
    }

    /// The money that was saved: what the respondents cost who no longer count, by the rows of a
    /// [`completes`](crate::report::Reports::completes) report that was made before they were submitted. Cint's answers
    /// do not say it.
    ///
    /// # Errors
    /// The first row that cannot be read; a sum of too many digits.
    pub fn saved(
        &self,
        completes: impl IntoIterator<Item = Result<ReportRow, ReportError>>,
    ) -> Result<Savings, ReportError> {
        let rows = &self.corrections.0.rows;
        let is_turned_back =
            |at: usize| rows.as_slice()[at].remark != Reason::AdjustedComplete && self.outcome(at).0.is_accepted();
        let open: HashSet<usize> = (0..rows.as_slice().len()).filter(|at| is_turned_back(*at)).collect();
        Savings::sum(open, |rid| rows.find(&Rid::parse(rid)?), completes)
    }

    /// Writes a line for each respondent, below a header: `line,rid,reason_code,outcome,note`.
    ///
    /// # Errors
    /// The writer fails.
    pub fn write_csv(&self, out: impl Write) -> io::Result<()> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record(["line", "rid", "reason_code", "outcome", "note"])?;
        for result in self.iter() {
            let (line, code) = (result.line.to_string(), result.reason.code().to_string());
            let note = result.note.as_deref().unwrap_or_default();
            out.write_record([&*line, &*result.rid, &*code, &*result.outcome.to_string(), note])?;
        }
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_whose_amount_is_not_known_are_counted() {
        use crate::report::ReportRows;

        let rid = |number: u32| format!("{number:08x}-4f02-4e32-9f5c-0a6f0c1c9b0e");
        let file: String =
            (0..6).map(|number| format!("{},{}\n", rid(number), if number == 5 { 11 } else { 933 })).collect();
        let corrections = Corrections::from_csv(file.as_bytes()).unwrap();
        let parts = vec![(6, RowOutcome::Accepted)];
        let results = BulkResults { corrections: &corrections, exceptions: BTreeMap::new(), parts, strangers: 0 };
        let rows = [
            (0, "2.73,USD"),
            (0, "2.73,USD"),
            (1, "2,USD"),
            (2, "1.50,EUR"),
            (3, "\"2,73\",USD"),
            (5, "9,USD"),
            (77, "9,USD"),
        ];
        let report: String = rows.iter().map(|(number, cost)| format!("{},{cost}\n", rid(*number))).collect();
        let report = format!("rid,cost,currency\n{report}");
        let saved = results.saved(ReportRows::read(report.as_bytes()).unwrap()).unwrap();
        assert_eq!(saved.to_string(), "1.50 EUR, 4.73 USD and 2 without an amount");
        assert_eq!(saved.without_amount, 2, "the unreadable one, and the one that is not there");
        let none = results.saved([]).unwrap();
        assert_eq!((none.without_amount, none.to_string()), (5, "5 without an amount".to_owned()));
    }

    #[test]
    fn a_file_of_exceptions_says_why_where_it_does() {
        let rids = ["0f1ce179-a917-49ff-9d50-b05fc91f7bd4", "71d5a5b5-4f02-4e32-9f5c-0a6f0c1c9b0e"];
        let file = rids.map(|rid| format!("{rid},933\n")).concat();
        let corrections = Corrections::from_csv(file.as_bytes()).unwrap();
        let parts = vec![(1, RowOutcome::Accepted), (2, RowOutcome::Open)];
        let mut results = BulkResults { corrections: &corrections, exceptions: BTreeMap::new(), parts, strangers: 0 };
        let outcomes = |results: &BulkResults<'_>| results.iter().map(|it| (it.outcome, it.note)).collect::<Vec<_>>();
        assert_eq!(outcomes(&results), [(RowOutcome::Accepted, None), (RowOutcome::Open, None)]);
        let exceptions = format!(
            "reason;RID;when\n\"not; known\";{};today\n;2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2;\n",
            rids[0].to_uppercase()
        );
        let twice = format!("{}\n{}\n", rids[0], rids[0]);
        assert_eq!(results.except(twice.as_bytes(), RowOutcome::Invalid).unwrap(), 1, "the same one");
        assert_eq!(results.except(exceptions.as_bytes(), RowOutcome::Invalid).unwrap(), 1, "and a stranger");
        assert_eq!(outcomes(&results)[0], (RowOutcome::Invalid, Some("not; known, today".to_owned())));
        assert_eq!((results.strangers(), results.counts()[&RowOutcome::Open]), (1, 1));
        let mut written = Vec::new();
        results.write_csv(&mut written).unwrap();
        let line = format!("1,{},933,invalid,\"not; known, today\"", rids[0]);
        assert_eq!(String::from_utf8(written).unwrap().lines().nth(1), Some(&*line));
        for (content, says) in [("<html>", "an HTML page"), ("PK\u{3}\u{4}", "is xlsx, expected CSV")] {
            let error = results.except(content.as_bytes(), RowOutcome::Expired).unwrap_err();
            assert!(format!("{error:#}").contains(says), "{error:#}");
        }
        let endless = format!("rid,\"{}", "x".repeat(2_000_000));
        let error = results.except(endless.as_bytes(), RowOutcome::Expired).unwrap_err();
        let says = "the file of exceptions is broken, expected CSV: line 1 begins a record of more than 1 MiB or 4,096 \
                    fields, expected a row: a quote may not be closed";
        assert_eq!(error.to_string(), says);
    }
}
