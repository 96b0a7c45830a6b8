//! Where tokens come from: client credentials, a fixed token, or a source of your own; and where processes share them.

#[cfg(feature = "files")]
mod file_store;
pub(crate) mod refresh;
pub(crate) mod refresher;

#[cfg(feature = "files")]
pub use self::file_store::FileTokenStore;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cintx_raw::Secret;
use http::StatusCode;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A source of tokens.
///
/// It is asked for one when there is none, ahead of the expiry of the present one, and after the API refused one;
/// never twice at the same time, however many calls are waiting.
///
/// ```
/// use cintx::auth::{AccessToken, TokenError, TokenSource};
/// use std::{future::Future, pin::Pin, time::Duration};
///
/// struct Vault;
///
/// impl TokenSource for Vault {
///     fn token(&self) -> Pin<Box<dyn Future<Output = Result<AccessToken, TokenError>> + Send + '_>> {
///         Box::pin(async { Ok(AccessToken::new("from the vault", Duration::from_secs(3600))) })
///     }
/// }
/// ```
pub trait TokenSource: Send + Sync {
    /// Fetches a token that is new, or will live for some time yet.
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, TokenError>>;
}

/// A token and how long it lives.
#[derive(Clone, Debug)]
pub struct AccessToken {
    pub(crate) secret: Secret,
    pub(crate) life: Option<Duration>,
}

impl AccessToken {
    /// A token that lives for `life` from now on.
    pub fn new(token: impl Into<String>, life: Duration) -> Self {
        Self { secret: Secret::from(token.into()), life: Some(life) }
    }

    /// A token of which nobody knows when it ends.
    pub fn without_expiry(token: impl Into<String>) -> Self {
        Self { secret: Secret::from(token.into()), life: None }
    }
}

/// Why no token could be had.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token endpoint refused.
    #[error("the token endpoint answered {status}: {detail}")]
    Refused {
        /// Its status.
        status: StatusCode,
        /// Its own words.
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

/// A place where processes share tokens, so that a fleet of short-lived programs does not ask for one each.
///
/// A store that fails is passed over: the token endpoint is asked instead.
pub trait TokenStore: Send + Sync {
    /// The token kept under a name, if there is one.
    fn load(&self, name: &str) -> BoxFuture<'_, Option<StoredToken>>;
    /// Keeps a token under a name.
    fn save(&self, name: &str, token: &StoredToken) -> BoxFuture<'_, ()>;
}

/// A token as it is kept.
#[derive(Clone)]
pub struct StoredToken {
    /// The token.
    pub token: Secret,
    /// When it ends, by the clock on the wall.
    pub expires_at: SystemTime,
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
