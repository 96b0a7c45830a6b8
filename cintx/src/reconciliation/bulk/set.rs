//! Checked respondents in bulk: corrections with reasons, and completes to keep. Read from CSV or from rows, and
//! written back.

use std::fmt;
use std::io::{self, Read, Write};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::{Reason, ReconciliationRow, central, deadline};
use super::error::{Problems, RowsError, shown};
use super::format::{Columns, CsvFormat, other_form};
use super::rows::{Remark, Rid, Row, Rows, csv_of, digest_of};
use crate::records::{Record, Records, file_time};
use crate::report::{ReportError, ReportRow};

/// How many warnings are kept one by one.
const MAX_WARNINGS: usize = 1_000;

/// A respondent whose deadline is close, or has passed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeadlineWarning {
    /// The line of the respondent.
    pub line: u64,
    /// The respondent.
    pub rid: String,
    /// When they completed.
    pub completed_at: Timestamp,
    /// The moment from which they can no longer be reconciled, see [`deadline`].
    pub deadline: Timestamp,
    /// Whether that has passed.
    pub is_late: bool,
}

impl fmt::Display for DeadlineWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = self.deadline.to_zoned_datetime(central());
        let verb = if self.is_late { "could" } else { "can" };
        write!(f, "line {}: {} {verb} be reconciled until {}", self.line, self.rid, until.strftime("%Y-%m-%d %H:%M %Z"))
    }
}

/// What was read, of corrections and of completes alike.
pub(super) struct Checked<T> {
    pub(super) rows: Rows<T>,
    repeats: u64,
    late: u64,
    closing: u64,
    warnings: Vec<DeadlineWarning>,
}

impl<T> Default for Checked<T> {
    fn default() -> Self {
        Self { rows: Rows::default(), repeats: 0, late: 0, closing: 0, warnings: Vec::new() }
    }
}

impl<T: Remark> fmt::Debug for Checked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Checked");
        out.field("rows", &self.rows.as_slice().len()).field("repeats", &self.repeats);
        out.field("late", &self.late).field("closing", &self.closing).finish()
    }
}

impl<T: Remark> Checked<T> {
    fn read(source: impl Read, format: &CsvFormat) -> Result<Self, RowsError> {
        let (mut checked, mut problems) = (Self::default(), Problems::default());
        let mut records = match Records::new(source, format.separator.map(super::Separator::byte)) {
            Ok(records) => records,
            Err(error) => return Err(problems.stop(error)),
        };
        let (now, mut columns) = (format.moment(), None);
        loop {
            let record = match records.read() {
                Ok(Some(record)) if record.is_blank() => continue,
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(error) => return Err(problems.stop(error)),
            };
            let columns = match &columns {
                Some(columns) => columns,
                None => {
                    let (found, is_header) = Columns::find(&record, format, T::HAS_REASON, &mut problems);
                    if is_header && !problems.is_empty() {
                        // Without its columns, every line would be wrong.
                        return problems.check().map(|()| checked);
                    }
                    let found = columns.insert(found);
                    if is_header {
                        continue;
                    }
                    found
                }
            };
            if let Some(mut row) = row_of(&record, columns, &mut problems) {
                let completed_at = completed_at(&record, columns, &mut problems).or(format.usual_completion());
                row.is_dated = completed_at.is_some();
                let is_news = checked.insert(row, Some(columns), &mut problems);
                if let Some(completed_at) = completed_at.filter(|_| is_news) {
                    checked.warn(&row, completed_at, (now, format.wait()));
                }
            }
        }
        checked.end(problems)
    }

    /// No rows are none of a file, either.
    fn end(mut self, mut problems: Problems) -> Result<Self, RowsError> {
        if self.rows.as_slice().is_empty() && problems.is_empty() {
            problems.push(None, None, || "there are no respondents, expected one at least".to_owned());
        }
        self.rows.shrink();
        problems.check().map(|()| self)
    }

    /// Adds a row. Answers whether it says for the first time when its respondent completed.
    fn insert(&mut self, row: Row<T>, columns: Option<&Columns>, problems: &mut Problems) -> bool {
        let Some(first) = self.rows.insert(row) else { return row.is_dated };
        let is_news = row.is_dated && !first.is_dated;
        first.is_dated |= row.is_dated;
        match (first.remark.reason(), row.remark.reason()) {
            (Some(before), Some(now)) if before != now => {
                let column = columns.and_then(|columns| columns.name(columns.reason));
                problems.push(Some(u64::from(row.line)), column, || {
                    let (now, before) = (now.code(), before.code());
                    format!(
                        "is {now} for {}, expected {before} as on line {}: one reason for each",
                        row.rid, first.line
                    )
                });
            }
            _ => self.repeats += 1,
        }
        is_news
    }

    /// Whether the deadline of a respondent is close or past.
    fn warn(&mut self, row: &Row<T>, completed_at: Timestamp, (now, wait): (Timestamp, SignedDuration)) {
        let deadline = deadline(completed_at);
        let (is_late, is_closing) = (deadline <= now, deadline.duration_since(now) <= wait);
        self.late += u64::from(is_late);
        self.closing += u64::from(is_closing && !is_late);
        if is_closing && self.warnings.len() < MAX_WARNINGS {
            let (line, rid) = (u64::from(row.line), row.rid.to_string());
            self.warnings.push(DeadlineWarning { line, rid, completed_at, deadline, is_late });
        }
    }

    /// Judges those of whom it is not known when they completed, by the rows of a report.
    fn judge(
        &mut self,
        completes: impl IntoIterator<Item = Result<ReportRow, ReportError>>,
        format: &CsvFormat,
    ) -> Result<(), ReportError> {
        let limits = (format.moment(), format.wait());
        for row in completes {
            let row = row?;
            let at = row.rid.as_deref().and_then(Rid::parse).and_then(|rid| self.rows.find(&rid));
            let (Some(at), Some(time)) = (at, row.left_at.value()) else { continue };
            let Some(found) = self.rows.get_mut(at).filter(|row| !row.is_dated) else { continue };
            found.is_dated = true;
            let found = *found;
            self.warn(&found, time.moment(&central()), limits);
        }
        Ok(())
    }

    fn undated(&self) -> u64 {
        self.rows.as_slice().iter().filter(|row| !row.is_dated).count() as u64
    }

    fn write(&self, mut out: impl Write, format: &CsvFormat) -> io::Result<()> {
        let separator = format.separator.map_or(',', |it| char::from(it.byte()));
        if format.header {
            match T::HAS_REASON {
                true => writeln!(out, "rid{separator}reason_code")?,
                false => writeln!(out, "rid")?,
            }
        }
        for some in self.rows.as_slice().chunks(1_024) {
            let lines = csv_of(some);
            match separator {
                ',' => out.write_all(lines.as_bytes())?,
                // A RID and a code hold none.
                other => out.write_all(lines.replace(',', &other.to_string()).as_bytes())?,
            }
        }
        out.flush()
    }
}

/// When the respondent of a record completed, if the file says it; or what is wrong with that.
fn completed_at(record: &Record<'_>, columns: &Columns, problems: &mut Problems) -> Option<Timestamp> {
    let column = columns.completed_at?;
    let cell = record.field(column);
    if cell.is_empty() {
        return None;
    }
    let time = file_time(&cell);
    if time.is_none() && columns.times_matter {
        problems.push(Some(record.line), columns.name(column), || {
            format!("is {}, expected a time such as 2026-11-25T13:45:00Z", shown(&cell))
        });
    }
    time.map(|time| time.moment(&central()))
}

/// A respondent of a record; or what is wrong with it.
fn row_of<T: Remark>(record: &Record<'_>, columns: &Columns, problems: &mut Problems) -> Option<Row<T>> {
    let cell = record.field(columns.rid);
    let rid = Rid::parse(&cell);
    if rid.is_none() {
        problems.push(Some(record.line), columns.name(columns.rid), || {
            let form = other_form(&cell).map(|form| format!(", {form}")).unwrap_or_default();
            format!("is {}{form}, expected a RID such as 2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2", shown(&cell))
        });
    }
    let cell = if T::HAS_REASON { record.field(columns.reason) } else { "".into() };
    let remark = T::parse(&cell);
    if remark.is_none() {
        problems.push(Some(record.line), columns.name(columns.reason), || {
            let codes = Reason::ALL.map(|reason| reason.code().to_string()).join(", ");
            format!("is {}, expected one of {codes}", shown(&cell))
        });
    }
    let line = u32::try_from(record.line).ok();
    if line.is_none() {
        problems.push(Some(record.line), None, || format!("is one too many, expected at most {} lines", u32::MAX));
    }
    Some(Row { rid: rid?, remark: remark?, line: line?, is_dated: false })
}

/// How corrections and kept completes are read and written: `csv_methods!(Corrections)` expands to an
/// `impl Corrections` with `from_csv`, `write_csv` and both for a given layout.
macro_rules! csv_methods {
    ($name:ident) => {
        impl $name {
            /// Reads a CSV file to its end: separated by commas, semicolons or tabulators, with a header or without,
            /// with a byte order mark or without. Memory grows with the number of respondents alone, by some 35 bytes
            /// each.
            ///
            /// # Errors
            /// Everything that is wrong with the file, by line and column; or that it cannot be read.
            pub fn from_csv(source: impl Read) -> Result<Self, RowsError> {
                Self::from_csv_with(source, &CsvFormat::new())
            }

            /// The same for a file whose layout is known.
            ///
            /// # Errors
            /// As for [`from_csv`](Self::from_csv).
            pub fn from_csv_with(source: impl Read, format: &CsvFormat) -> Result<Self, RowsError> {
                Checked::read(source, format).map(Self)
            }

            /// Writes the rows as Cint takes them: with commas, without a header.
            ///
            /// # Errors
            /// The writer fails.
            pub fn write_csv(&self, out: impl Write) -> io::Result<()> {
                self.write_csv_with(out, &CsvFormat::new())
            }

            /// Writes the rows with another separator, or with a header.
            ///
            /// # Errors
            /// The writer fails.
            pub fn write_csv_with(&self, out: impl Write, format: &CsvFormat) -> io::Result<()> {
                self.0.write(out, format)
            }
        }
    };
}
csv_methods!(Corrections);
csv_methods!(KeptCompletes);

/// How many there are: `counts!(Corrections)` expands to an `impl Corrections` with `len`, `is_empty` and `repeats`.
macro_rules! counts {
    ($name:ident) => {
        impl $name {
            /// How many different respondents there are.
            pub fn len(&self) -> usize {
                self.0.rows.as_slice().len()
            }

            /// Whether there are none. A file without respondents is refused, so this is false.
            pub fn is_empty(&self) -> bool {
                self.0.rows.as_slice().is_empty()
            }

            /// How many lines said again what an earlier one says. They are left out.
            pub fn repeats(&self) -> u64 {
                self.0.repeats
            }
        }
    };
}
counts!(Corrections);
counts!(KeptCompletes);

/// The deadlines, as far as it is known when respondents completed.
macro_rules! deadlines {
    ($name:ident) => {
        impl $name {
            /// How many respondents no deadline is known for: nothing that can be read says when they completed. See
            /// [`judge_deadlines`](Self::judge_deadlines) and [`CsvFormat::completed_at`].
            pub fn undated(&self) -> u64 {
                self.0.undated()
            }

            /// Judges the deadlines of those who are [undated](Self::undated) by when they left the survey, as the rows
            /// of a [`completes`](crate::report::Reports::completes) report say. Of the layout, only
            /// [`as_of`](CsvFormat::as_of) and [`closing_within`](CsvFormat::closing_within) count.
            ///
            /// # Errors
            /// The first row that cannot be read; those before it are judged.
            pub fn judge_deadlines(
                &mut self,
                completes: impl IntoIterator<Item = Result<ReportRow, ReportError>>,
                format: &CsvFormat,
            ) -> Result<(), ReportError> {
                self.0.judge(completes, format)
            }

            /// How many respondents can no longer be reconciled, as far as it is known when they completed.
            pub fn late(&self) -> u64 {
                self.0.late
            }

            /// How many respondents can be reconciled for [three days](CsvFormat::closing_within) more, at most.
            pub fn closing(&self) -> u64 {
                self.0.closing
            }

            /// Those that are late or closing, the first thousand of them.
            pub fn warnings(&self) -> &[DeadlineWarning] {
                &self.0.warnings
            }
        }
    };
}
deadlines!(Corrections);
deadlines!(KeptCompletes);

/// Respondents whose outcome is corrected, each once and for one reason. Checked when it is made.
///
/// ```
/// use cintx::reconciliation::bulk::Corrections;
///
/// let file = "rid;reason\n0f1ce179-a917-49ff-9d50-b05fc91f7bd4;933\n0F1CE179-A917-49FF-9D50-B05FC91F7BD4;933\n";
/// let corrections = Corrections::from_csv(file.as_bytes())?;
/// assert_eq!((corrections.len(), corrections.repeats()), (1, 1));
///
/// let wrong = "rid;reason\n{0f1ce179-a917-49ff-9d50-b05fc91f7bd4};940\n";
/// let error = Corrections::from_csv(wrong.as_bytes()).unwrap_err();
/// let problem = error.problems()[1].to_string();
/// assert!(problem.starts_with("line 2, column 2 (reason) is \"940\", expected one of 11, 26, 930"));
/// # Ok::<(), cintx::reconciliation::bulk::RowsError>(())
/// ```
#[derive(Debug)]
pub struct Corrections(pub(super) Checked<Reason>);

impl Corrections {
    /// Checks rows that a program has already. A problem's line is the number of the row, counted from 1.
    ///
    /// # Errors
    /// Everything that is wrong with the rows.
    pub fn from_rows(rows: impl IntoIterator<Item = ReconciliationRow>) -> Result<Self, RowsError> {
        let (mut checked, mut problems) = (Checked::default(), Problems::default());
        for (number, ReconciliationRow { rid, reason }) in (1..=u32::MAX).zip(rows) {
            match Rid::parse(&rid) {
                Some(rid) => {
                    let row = Row { rid, remark: reason, line: number, is_dated: false };
                    checked.insert(row, None, &mut problems);
                }
                None => problems.push(Some(u64::from(number)), None, || {
                    format!("has the RID {}, expected one such as 2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2", shown(&rid))
                }),
            }
        }
        checked.end(problems).map(Self)
    }

    /// The rows, in the order of the file.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = ReconciliationRow> + '_ {
        self.0.rows.as_slice().iter().map(|row| ReconciliationRow::new(row.rid.to_string(), row.remark))
    }

    /// SHA-256 of all rows.
    pub(super) fn digest(&self) -> String {
        digest_of(self.0.rows.as_slice())
    }
}

/// The completes of a project that are kept, each once: **every other complete of the project is turned back.** Given
/// to [`keep_only`](super::super::Reconciliations::keep_only), which says how many that are before anything is sent.
///
/// They cannot be sent in parts, as each part would turn back what the others keep.
#[derive(Debug)]
pub struct KeptCompletes(pub(super) Checked<()>);

impl KeptCompletes {
    /// The RIDs, in the order of the file.
    pub fn rids(&self) -> impl ExactSizeIterator<Item = String> + '_ {
        self.0.rows.as_slice().iter().map(|row| row.rid.to_string())
    }
}
