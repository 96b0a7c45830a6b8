//! Where tokens come from: client credentials, a fixed token, or a source of your own; and a store that processes
//! share.

pub(crate) mod clock;
pub(crate) mod endpoint;
#[cfg(feature = "files")]
mod file_store;
pub(crate) mod mask;
pub(crate) mod refresh;
pub(crate) mod refresher;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;
pub(crate) mod token;

#[cfg(feature = "files")]
pub use self::file_store::FileTokenStore;
pub use crate::error::source::TokenError;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use cintx_raw::Secret;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A source of tokens.
///
/// It is called when there is none, ahead of the expiry of the present one, and after the API refused one;
/// never twice at the same time, however many calls are waiting. It has 80 seconds. When it fails or panics, all who
/// wait are told, and it is not called again for a second, which doubles up to a minute while it goes on failing.
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

    /// What tells the tokens of this source from those of all others in a [`TokenStore`]: tenant, account, secret.
    /// Whoever gives the same name gets the same tokens. `None`, unless you say otherwise: they are not stored.
    fn store_name(&self) -> Option<String> {
        None
    }
}

/// A token and its lifetime.
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

    /// A token of unknown lifetime.
    pub fn without_expiry(token: impl Into<String>) -> Self {
        Self { secret: Secret::from(token.into()), life: None }
    }
}

/// A place where processes share tokens, so that a fleet of short-lived programs does not ask for one each.
///
/// A store that fails, panics or takes longer than 5 seconds is passed over: the token endpoint is called instead.
/// So is what it gives, if that is no token, was refused by the API, or claims to live for longer than a day: a token
/// of a longer life is stored as if it had a day.
pub trait TokenStore: Send + Sync {
    /// The token kept under a name, if there is one.
    fn load(&self, name: &str) -> BoxFuture<'_, Option<StoredToken>>;
    /// Keeps a token under a name.
    fn save(&self, name: &str, token: &StoredToken) -> BoxFuture<'_, ()>;
    /// Waits for the sole right to renew the token under a name, so that of many processes one asks for it. Who gets
    /// it loads once more: another may have stored one meanwhile. It ends when it is dropped, and with its process.
    ///
    /// `None`, as the default answers at once, if there is no such right: then each process asks for itself. So does
    /// one that has waited for 30 seconds.
    fn lock(&self, _name: &str) -> BoxFuture<'_, Option<TokenLock>> {
        Box::pin(std::future::ready(None))
    }
}

/// The sole right to renew a token, until it is dropped: [`TokenStore::lock`].
pub struct TokenLock {
    _held: Box<dyn Send>,
}

impl TokenLock {
    /// Holds a value whose destructor gives the right up.
    pub fn new(held: impl Send + 'static) -> Self {
        Self { _held: Box::new(held) }
    }
}

impl fmt::Debug for TokenLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenLock(..)")
    }
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
