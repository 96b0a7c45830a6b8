//! Errors of the token source and the journal, exported from `auth` and `recovery`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

/// Why no token could be had.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token endpoint refused.
    #[error("the token endpoint answered {status}: {detail}{}", After(*retry_after))]
    #[non_exhaustive]
    Refused {
        /// The HTTP status. 200 if it sent an error instead of a token.
        status: StatusCode,
        /// The message of the token endpoint.
        detail: String,
        /// How long it asked to wait. Until then nothing is asked again.
        retry_after: Option<Duration>,
    },
    /// What came is no usable token.
    #[error("what came is no usable token: {reason}")]
    #[non_exhaustive]
    Unreadable {
        /// What is wrong about it.
        reason: &'static str,
    },
    /// The token endpoint is elsewhere. Credentials do not follow a redirect: give its address to
    /// [`Credentials::endpoint`](crate::client::Credentials::endpoint).
    #[error("the token endpoint redirects elsewhere, and credentials do not follow")]
    Redirected,
    /// The token endpoint could not be reached, or its answer broke off.
    #[error("the token endpoint cannot be reached")]
    Unreachable(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// A source of the caller's own failed.
    #[error("the token source failed")]
    Source(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The source of tokens panicked.
    #[error("the token source panicked")]
    Panicked,
    /// There was no token within this time.
    #[error("there was no token within {0:.0?}")]
    TimedOut(Duration),
    /// The request for a token ended without an outcome, with the runtime that it ran on.
    #[error("the request for a token ended with its runtime")]
    Abandoned,
    /// The API refuses every token that can be had, new ones included.
    #[error("the API refused a new token{}", After(*retry_after))]
    #[non_exhaustive]
    Rejected {
        /// How long no other is asked for.
        retry_after: Option<Duration>,
    },
}

/// When it may be tried again, as the end of a message.
struct After(Option<Duration>);

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(wait) => write!(f, ", to be repeated after {wait:.0?}"),
            None => Ok(()),
        }
    }
}

impl TokenError {
    /// The failure of a source of your own.
    pub fn source(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Source(Arc::from(cause.into()))
    }

    /// How long it makes no sense to ask again: the token endpoint said so, or the API refuses new tokens.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } | Self::Rejected { retry_after } => *retry_after,
            _ => None,
        }
    }

    /// The same error when only this much of its wait is left.
    pub(crate) fn with_wait_left(mut self, left: Duration) -> Self {
        if let Self::Refused { retry_after: Some(wait), .. } | Self::Rejected { retry_after: Some(wait) } = &mut self {
            *wait = left.min(*wait);
        }
        self
    }

    /// Whether who waits for something else should go on: a source of the caller's own may come back, too.
    pub(crate) fn may_pass(&self) -> bool {
        self.is_transient() || matches!(self, Self::Source(_) | Self::TimedOut(_) | Self::Abandoned)
    }

    /// Whether a later try may go better.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Refused { status, .. } => {
                status.is_server_error()
                    || matches!(*status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
            }
            Self::Unreachable(_) => true,
            _ => false,
        }
    }
}

/// The journal could not be read or written. Nothing is sent that could not be written down.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// It is open already. Close the other client, or clone the handle.
    #[error("{} is in use, by this process or another; a journal belongs to one at a time", .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file was left as it is.
    #[error("{} is not a journal: {why}", .path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// What it is, or begins with.
        why: &'static str,
    },
    /// The file was removed or replaced while it was open: a new process would not find what is written to it.
    #[error("{} was removed or replaced while it was open; open it again", .path.display())]
    Replaced {
        /// The file that should be there.
        path: PathBuf,
    },
    /// The file could not be read or written: it is read-only, the disk is full.
    #[error("the journal {} cannot be read or written", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// A journal of another kind failed.
    #[error("the journal failed")]
    Other(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

impl JournalError {
    /// The failure of a journal of your own.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(Arc::from(cause.into()))
    }
}

impl From<std::io::Error> for JournalError {
    fn from(error: std::io::Error) -> Self {
        Self::new(error)
    }
}
