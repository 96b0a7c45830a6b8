//! The report of a failed call: its attempts, why there was no further one, and what it ended with. The pipeline fills
//! it in.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cintx_raw::{BoxError, CallReport, Operation, Request};

use super::Outcome;

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
    /// The same by the monotonic clock.
    pub(crate) began_at: Instant,
    /// When its last attempt was sent, by both clocks: from then on the API may be at work on it.
    pub(crate) sent: (jiff::Timestamp, Instant),
    /// Whether the API may still be at work on an attempt before the last.
    pub(crate) earlier_at_work: bool,
    /// The ids of the things that a create could be taken for, as they were listed before it was sent.
    pub(crate) known_before: Option<Vec<String>>,
    /// The id of its intent, if it was written down.
    pub(crate) intent: Option<Box<str>>,
}

impl CallReport for Report {
    fn trace_id(&self) -> &str {
        &self.trace_id
    }
}

/// The report of a call of ours.
pub(crate) fn report(report: Option<&Arc<dyn CallReport>>) -> Option<Arc<Report>> {
    let report: Arc<dyn Any + Send + Sync> = Arc::<dyn CallReport>::clone(report?);
    report.downcast().ok()
}

/// A call that ended without an answer.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) report: Arc<Report>,
    pub(crate) cause: BoxError,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not what the cause says: it comes next.
        match self.report.attempts {
            0 => f.write_str("nothing was sent"),
            1 => f.write_str("one attempt was made"),
            attempts => write!(f, "{attempts} attempts were made"),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.cause)
    }
}

/// A download whose answer was there, and of whose body only a part came.
pub(super) struct BrokenOff {
    pub(super) operation: &'static Operation,
    pub(super) report: Option<Arc<Report>>,
    pub(super) cause: BoxError,
}

impl BrokenOff {
    /// For how long nothing came, if that is why.
    pub(super) fn stalled(&self) -> Option<Duration> {
        match self.cause.downcast_ref() {
            Some(TimedOut::Attempt(limit)) => Some(*limit),
            _ => None,
        }
    }

    pub(super) fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if self.stalled().is_some() { None } else { Some(&*self.cause) }
    }
}

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the download broke off")?;
        match self.stalled() {
            Some(limit) => write!(f, ", nothing came within {limit:.0?}"),
            None => Ok(()),
        }
    }
}

/// The HTTP client followed a redirect, so the answer belongs to another operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client followed a redirect; its policy must be `none`")]
pub(crate) struct Redirected;

/// A time limit that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TimedOut {
    #[error("no answer within {0:.0?}")]
    Attempt(Duration),
    #[error("the call did not complete within {0:.0?}")]
    Operation(Duration),
    #[error("the rate limit leaves no room for the call within {0:.0?}")]
    Rate(Duration),
}

/// Why there is no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// Another attempt would not help.
    Final,
    /// Another attempt could do it twice.
    NotRepeatable,
    /// There were as many attempts as allowed.
    Attempts,
    /// The time of the whole call is over, or would be after the wait.
    Time,
    /// Too many calls of this client fail.
    Budget,
    /// The API asks for a longer wait than allowed.
    RetryAfter,
    /// The rate limit leaves no room for another attempt within the time of the whole call.
    Rate,
}

/// No key was given for the server-to-server host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("server-to-server operations need their own key: ClientBuilder::server_to_server_key")]
pub(crate) struct NoServerToServerKey;
