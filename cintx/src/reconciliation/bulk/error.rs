//! What is wrong with a file of respondents: where, what it has there, what is allowed.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use crate::error::{Error, FieldError};
use crate::records::RecordError;

/// What is said of a file whose source fails; the source says why.
const UNREAD: &str = "the file of respondents cannot be read";
/// How many problems are kept one by one.
const MAX_NAMED: usize = 20;
/// The longest text that an error prints.
const MAX_ERROR_CHARS: usize = 1_000;
/// As much of a wrong cell as a problem shows.
const MAX_SHOWN_CHARS: usize = 60;

/// One thing that is wrong with a file of respondents.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RowProblem {
    /// The line, counted from 1; `None` if it is about the whole.
    pub line: Option<u64>,
    /// The column: its number, counted from 1, and the name that the header has for it.
    pub column: Option<String>,
    /// What it got and what is allowed.
    pub reason: String,
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, &self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column} {}", self.reason),
            (Some(line), None) => write!(f, "line {line} {}", self.reason),
            (None, _) => f.write_str(&self.reason),
        }
    }
}

/// Why a file of respondents was not taken: it could not be read, or some of it is wrong. All of it was looked at;
/// [`count`](Self::count) is the number of problems, the first 20 of which are named.
#[derive(Debug)]
pub struct RowsError {
    problems: Vec<RowProblem>,
    count: u64,
    cause: Option<io::Error>,
}

impl RowsError {
    /// The first problems, 20 at most.
    pub fn problems(&self) -> &[RowProblem] {
        &self.problems
    }

    /// How many problems there are in all.
    pub fn count(&self) -> u64 {
        self.count
    }
}

/// At most 1,000 characters, however many problems there are.
impl fmt::Display for RowsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cause.is_some() {
            return f.write_str(UNREAD);
        }
        // Room for the number of those that are not printed.
        let mut left = MAX_ERROR_CHARS - 40;
        let mut printed = 0_u64;
        for problem in &self.problems {
            let text = problem.to_string();
            let needed = text.chars().count() + 2;
            if needed > left {
                break;
            }
            left -= needed;
            write!(f, "{}{text}", if printed == 0 { "" } else { "; " })?;
            printed += 1;
        }
        match self.count - printed {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl std::error::Error for RowsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// The problems become [`Error::invalid_fields`], each under the field `rows`.
impl From<RowsError> for Error {
    fn from(error: RowsError) -> Self {
        if let Some(cause) = error.cause {
            return Self::local_unsent(UNREAD, cause);
        }
        let more = error.count - error.problems.len() as u64;
        let mut problems: Vec<FieldError> =
            error.problems.iter().map(|problem| FieldError::new("rows", problem.to_string())).collect();
        if more > 0 {
            problems.push(FieldError::new("rows", format!("have {more} more problems")));
        }
        Self::invalid(problems)
    }
}

/// Problems as they are found: all are counted, the first ones kept.
#[derive(Debug, Default)]
pub(super) struct Problems {
    named: Vec<RowProblem>,
    count: u64,
}

impl Problems {
    pub(super) fn push(&mut self, line: Option<u64>, column: Option<String>, reason: impl FnOnce() -> String) {
        self.count += 1;
        if self.named.len() < MAX_NAMED {
            self.named.push(RowProblem { line, column, reason: reason() });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn check(self) -> Result<(), RowsError> {
        match self.count {
            0 => Ok(()),
            count => Err(RowsError { problems: self.named, count, cause: None }),
        }
    }

    /// The error of a file that was given up at this point.
    pub(super) fn stop(mut self, error: RecordError) -> RowsError {
        match error {
            RecordError::Io(cause) => return RowsError { problems: self.named, count: self.count, cause: Some(cause) },
            RecordError::Utf16 => self.push(None, None, || "the file is UTF-16, expected UTF-8".to_owned()),
            RecordError::TooLong { line } => self.push(Some(line), None, || {
                "begins a record of more than 1 MiB or 4,096 fields, expected a line for each respondent: a quote may \
                 not be closed"
                    .to_owned()
            }),
        }
        RowsError { problems: self.named, count: self.count, cause: None }
    }
}

/// As much of a wrong text as a problem shows, in quotes.
pub(super) fn shown(text: &str) -> String {
    match text.chars().nth(MAX_SHOWN_CHARS) {
        None => format!("{text:?}"),
        Some(_) => format!("{:?}...", text.chars().take(MAX_SHOWN_CHARS).collect::<String>()),
    }
}
