//! Errors of the token source and the journal, exported from `auth` and `recovery`.

use std::path::PathBuf;
use std::sync::Arc;

use http::StatusCode;

/// Why no token could be had.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token endpoint refused.
    #[error("the token endpoint answered {status}: {detail}")]
    Refused {
        /// Its status.
        status: StatusCode,
        /// The message of the token endpoint.
        detail: String,
    },
    /// What came is no usable token.
    #[error("the token endpoint's answer holds no usable token")]
    Unreadable,
    /// The token endpoint could not be reached, or its answer broke off.
    #[error("the token endpoint cannot be reached")]
    Unreachable(#[source] Arc<reqwest::Error>),
    /// A source of the caller's own failed.
    #[error("the token source failed")]
    Source(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

impl TokenError {
    /// The failure of a source of your own.
    pub fn source(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Source(Arc::from(cause.into()))
    }

    /// Whether a later try may go better.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Refused { status, .. } => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Unreachable(_) => true,
            Self::Unreadable | Self::Source(_) => false,
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
