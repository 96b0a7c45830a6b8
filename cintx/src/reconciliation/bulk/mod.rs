//! Reconciliation in bulk: files of any size are checked, sent in parts, followed, and joined with what became of each
//! respondent. See [the guide](crate::guide::reconciliation).

mod error;
mod format;
mod results;
mod rows;
mod set;
mod submission;

pub use self::error::{RowProblem, RowsError};
pub use self::format::{CsvFormat, Separator};
pub use self::results::{BulkResults, RowOutcome, RowResult, Savings};
pub use self::set::{Corrections, DeadlineWarning, KeptCompletes};
pub use self::submission::{BulkState, BulkSubmission, PartState};

#[cfg(test)]
mod tests;
