//! What the pipeline knows of a call beyond its answer. It travels with every answer and every failure.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cintx_raw::{BoxError, Request, Response};

use super::retry::StopReason;
use crate::error::Outcome;

/// The course of one call.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// The request as it was sent, key included; its body is shared. Kept for failures, which may be looked up.
    pub(crate) request: Option<Request>,
    pub(crate) trace_id: Box<str>,
    pub(crate) attempts: u32,
    pub(crate) outcome: Outcome,
    pub(crate) why: StopReason,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) began: jiff::Timestamp,
}

/// A call that ended without an answer.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) report: Arc<Report>,
    pub(crate) cause: BoxError,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.cause, f)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.cause)
    }
}

/// A time limit that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TimedOut {
    #[error("no answer within {0:.0?}")]
    Attempt(Duration),
    #[error("the call's time of {0:.0?} was over")]
    Operation(Duration),
}

/// How an answer came about.
///
/// ```no_run
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
/// use cintx::http::ResponseExt as _;
///
/// let answer = cint.raw().get_user_accounts().await?;
/// println!("{} after {} attempts", answer.sent_trace_id(), answer.attempts());
/// # Ok(())
/// # }
/// ```
pub trait ResponseExt {
    /// How many attempts it took.
    fn attempts(&self) -> u32;
    /// The trace id that was sent with each of them.
    fn sent_trace_id(&self) -> &str;
}

impl<T> ResponseExt for Response<T> {
    fn attempts(&self) -> u32 {
        self.extensions().get::<Arc<Report>>().map_or(1, |report| report.attempts)
    }

    fn sent_trace_id(&self) -> &str {
        self.extensions().get::<Arc<Report>>().map_or("", |report| &report.trace_id)
    }
}
