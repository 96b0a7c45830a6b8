//! Jobs that fill or empty a target group's list of respondents: whom it keeps out, and whom it asks again.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The first pause between two questions about such a job.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause between two questions.
pub(crate) const MAX_PAUSE: Duration = Duration::from_secs(60);

/// How long such a job is waited for unless said otherwise: ten thousand respondents take up to a quarter of an hour.
pub(crate) const LIMIT: Duration = Duration::from_secs(3_600);

/// What a job does with a list of respondents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[doc(hidden)]
pub enum ListWork {
    Upload,
    RemoveAll,
}

/// What came of a job that filled or emptied a list of respondents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ListOutcome {
    /// When it was done.
    pub completed_at: Option<Timestamp>,
    /// Why not all of it was done, if so.
    pub partial_success: Option<String>,
}
