//! How a CSV file of respondents is laid out: what separates its columns, what they are called.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::error::{Problems, shown};
use super::rows::Rid;
use crate::records::{Record, plain_name};
use crate::types::serde_text::word;

/// What separates the columns of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Separator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tabulator.
    Tab,
}

word!(Separator: "a separator: comma, semicolon or tab");

impl Separator {
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

/// How a CSV file of respondents is laid out. As it comes, everything is found by the file: the separator by the first
/// line, the columns by the header's names, or by Cint's order if there is no header.
///
/// ```
/// use cintx::reconciliation::bulk::{Corrections, CsvFormat};
///
/// let file = "Participant;Verdict;Seconds\n0f1ce179-a917-49ff-9d50-b05fc91f7bd4;933;41\n";
/// let format = CsvFormat::new().rid_column("participant").reason_column("verdict");
/// assert_eq!(Corrections::from_csv_with(file.as_bytes(), &format)?.len(), 1);
/// # Ok::<(), cintx::reconciliation::bulk::RowsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[must_use]
pub struct CsvFormat {
    pub(super) separator: Option<Separator>,
    pub(super) header: bool,
    rid: Option<String>,
    reason: Option<String>,
    completed_at: Option<String>,
    all_completed_at: Option<Timestamp>,
    as_of: Option<Timestamp>,
    closing_within: Option<SignedDuration>,
}

/// How long before its deadline a respondent is warned about, if not set.
const CLOSING_WITHIN: SignedDuration = SignedDuration::from_hours(72);

impl CsvFormat {
    /// Found by the file; written with commas and without a header.
    pub fn new() -> Self {
        Self::default()
    }

    /// This separator, and no other.
    pub fn separator(mut self, separator: Separator) -> Self {
        self.separator = Some(separator);
        self
    }

    /// Whether a header is written. For reading it makes no difference.
    pub fn header(mut self, yes: bool) -> Self {
        self.header = yes;
        self
    }

    /// The header's name for the column of RIDs. Case, spaces and punctuation do not matter.
    pub fn rid_column(mut self, name: impl Into<String>) -> Self {
        self.rid = Some(name.into());
        self
    }

    /// The header's name for the column of reason codes.
    pub fn reason_column(mut self, name: impl Into<String>) -> Self {
        self.reason = Some(name.into());
        self
    }

    /// The header's name for the column that says when a respondent completed, for the warnings about deadlines. What
    /// is no time in it is refused then; in a column that was only found by its name, it says nothing.
    pub fn completed_at_column(mut self, name: impl Into<String>) -> Self {
        self.completed_at = Some(name.into());
        self
    }

    /// When those respondents completed of whom the file does not say it: the end of the field, for example, or its
    /// beginning to be on the safe side.
    pub fn completed_at(mut self, moment: Timestamp) -> Self {
        self.all_completed_at = Some(moment);
        self
    }

    /// The moment that deadlines are held against; the moment of reading if not set.
    pub fn as_of(mut self, moment: Timestamp) -> Self {
        self.as_of = Some(moment);
        self
    }

    /// How long before its deadline a respondent is warned about; three days if not set.
    pub fn closing_within(mut self, wait: SignedDuration) -> Self {
        self.closing_within = Some(wait);
        self
    }

    pub(super) fn usual_completion(&self) -> Option<Timestamp> {
        self.all_completed_at
    }

    pub(super) fn moment(&self) -> Timestamp {
        self.as_of.unwrap_or_else(Timestamp::now)
    }

    pub(super) fn wait(&self) -> SignedDuration {
        self.closing_within.unwrap_or(CLOSING_WITHIN)
    }
}

/// The names that a header may have for a column, if the caller gives none. Of several that are there, the first
/// counts: Cint's own exports have more than one of them.
const RID: &[&str] = &["rid", "respondent_id", "respondent"];
const REASON: &[&str] = &["reason_code", "reason", "reconciliation_code", "code"];
const COMPLETED_AT: &[&str] = &["completed_at", "completion_date", "completion_time", "last_date"];

/// Where things stand in a record.
pub(super) struct Columns {
    pub(super) rid: usize,
    pub(super) reason: usize,
    pub(super) completed_at: Option<usize>,
    /// Whether the caller has named that one: then each time in it must be readable.
    pub(super) times_matter: bool,
    names: Vec<String>,
}

impl Columns {
    /// By the first record: a header, or a respondent already. The second says whether it was a header.
    pub(super) fn find(
        first: &Record<'_>,
        format: &CsvFormat,
        has_reason: bool,
        problems: &mut Problems,
    ) -> (Self, bool) {
        let cells: Vec<String> = first.fields().map(String::from).collect();
        let by_order = Self { rid: 0, reason: 1, completed_at: None, times_matter: false, names: Vec::new() };
        let named = format.rid.is_some() || format.reason.is_some() || format.completed_at.is_some();
        if !named && is_respondent(&cells, has_reason) {
            return (by_order, false);
        }
        let mut column = |given: &Option<String>, known: &[&str], required: bool| {
            let matters = required || given.is_some();
            let of_name = |name: &str| -> Vec<usize> {
                let name = plain_name(name);
                (0..cells.len()).filter(|&at| plain_name(&cells[at]) == name).collect()
            };
            let found = match given {
                Some(name) => of_name(name),
                None => known.iter().map(|name| of_name(name)).find(|found| !found.is_empty()).unwrap_or_default(),
            };
            let expected = given.as_ref().map_or_else(|| known.join(", "), |name| shown(name));
            match *found {
                [at] => return Some(at),
                [one, other, ..] if matters => problems.push(Some(first.line), None, || {
                    format!("has columns {} and {}, expected one of the name {expected}", one + 1, other + 1)
                }),
                [] if matters => problems.push(Some(first.line), None, || {
                    format!("has the columns {}, expected one of the name {expected}", shown(&cells.join(", ")))
                }),
                _ => {}
            }
            None
        };
        let rid = column(&format.rid, RID, true);
        let reason = if has_reason { column(&format.reason, REASON, true) } else { None };
        let completed_at = column(&format.completed_at, COMPLETED_AT, false);
        let (rid, reason, times_matter) = (rid.unwrap_or(0), reason.unwrap_or(1), format.completed_at.is_some());
        (Self { rid, reason, completed_at, times_matter, names: cells }, true)
    }

    /// A column as a problem names it.
    pub(super) fn name(&self, index: usize) -> Option<String> {
        let number = index + 1;
        Some(match self.names.get(index) {
            Some(name) => format!("{number} ({})", name.chars().take(40).collect::<String>()),
            None => number.to_string(),
        })
    }
}

/// Whether a record is a respondent already, and no header. One whose RID was spoilt is, too: the line is named then,
/// and not a header that nobody has left out.
fn is_respondent(cells: &[String], has_reason: bool) -> bool {
    if cells.iter().any(|cell| looks_like_rid(cell)) {
        return true;
    }
    let is_known = |cell: &String| RID.iter().chain(REASON).any(|name| plain_name(name) == plain_name(cell));
    let has_code = has_reason && cells.get(1).is_some_and(|cell| cell.trim().parse::<u64>().is_ok());
    !cells.iter().any(is_known) && (has_code || cells.iter().any(|cell| resembles_rid(cell)))
}

/// Whether a cell was a RID before some of its characters were lost or changed.
fn resembles_rid(cell: &str) -> bool {
    let (hex, other): (Vec<char>, Vec<char>) =
        cell.chars().filter(|it| !matches!(it, '-' | '{' | '}')).partition(char::is_ascii_hexdigit);
    hex.len() >= 20 && other.len() <= 4 && hex.iter().any(char::is_ascii_digit)
}

/// Whether a cell is a RID in one form or another.
fn looks_like_rid(cell: &str) -> bool {
    Rid::parse(cell).is_some() || other_form(cell).is_some()
}

/// The form of a RID that is no hyphenated UUID.
pub(super) fn other_form(cell: &str) -> Option<&'static str> {
    cell.parse::<uuid::Uuid>().ok()?;
    Some(match cell.as_bytes() {
        [b'{', ..] => "a UUID in braces",
        [b'u' | b'U', ..] => "a UUID with a prefix",
        _ if cell.contains('-') => return None,
        _ => "a UUID without hyphens",
    })
}
