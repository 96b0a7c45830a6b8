//! Errors of the token source and the journal, exported from `auth` and `recovery`.

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
#[error("the journal failed")]
pub struct JournalError(#[source] Arc<dyn std::error::Error + Send + Sync>);

impl JournalError {
    /// The failure of a journal.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Arc::from(cause.into()))
    }
}

impl From<std::io::Error> for JournalError {
    fn from(error: std::io::Error) -> Self {
        Self::new(error)
    }
}
