//! The client: one account, one version, one pipeline. Cheap to clone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cintx_raw::{Host, Secret};

use crate::Version;
use crate::credentials::Credentials;
use crate::error::{Error, Invalid};
use crate::pipeline::{Exchange, Observer, Pipeline, ServerToServer, Token, TokenCache, TokenError};
use crate::reconciliation::Reconciliations;

/// Talks to the Demand API of one version on behalf of one account.
///
/// ```no_run
/// use cintx::{Client, Credentials, V2025_12_18};
///
/// # fn build() -> Result<(), Box<dyn std::error::Error>> {
/// let cint = Client::<V2025_12_18>::builder().credentials(Credentials::from_env()?).account(2428).build()?;
/// # Ok(())
/// # }
/// ```
pub struct Client<V: Version> {
    raw: V::Raw,
    pipeline: Arc<Pipeline>,
    account: i64,
}

impl<V: Version> Client<V> {
    /// Starts a client.
    pub fn builder() -> Builder<V> {
        Builder {
            tokens: None,
            account: None,
            api_url: Host::Demand.default_url().to_owned(),
            s2s_url: Host::ServerToServer.default_url().to_owned(),
            s2s_key: None,
            attempt_timeout: Duration::from_secs(60),
            observer: None,
            version: std::marker::PhantomData,
        }
    }

    /// The generated client of this version, behind the same pipeline: every operation that Cint documents.
    pub fn raw(&self) -> &V::Raw {
        &self.raw
    }

    /// Gets a token now, if there is none that is good: finds wrong credentials before there is work to lose.
    /// Nobody has to call it; the first request does the same.
    ///
    /// # Errors
    /// [`TokenError`]: the token endpoint's own words.
    pub async fn authenticate(&self) -> Result<(), TokenError> {
        self.pipeline.tokens.get(&self.pipeline.http).await.map(|_| ())
    }

    /// The account that this client works for.
    pub fn account(&self) -> i64 {
        self.account
    }

    /// The account's reconciliations.
    pub fn reconciliations(&self) -> Reconciliations<V> {
        Reconciliations::new(self.clone())
    }
}

impl<V: Version> Clone for Client<V> {
    fn clone(&self) -> Self {
        Self { raw: self.raw.clone(), pipeline: Arc::clone(&self.pipeline), account: self.account }
    }
}

impl<V: Version> fmt::Debug for Client<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("version", &V::DATE).field("account", &self.account).finish_non_exhaustive()
    }
}

/// What a client needs to know.
#[must_use]
pub struct Builder<V: Version> {
    tokens: Option<Source>,
    account: Option<i64>,
    api_url: String,
    s2s_url: String,
    s2s_key: Option<Secret>,
    attempt_timeout: Duration,
    observer: Option<Observer>,
    version: std::marker::PhantomData<V>,
}

enum Source {
    Credentials(Credentials),
    Fixed(Secret),
}

impl<V: Version> Builder<V> {
    /// Gets tokens for these credentials. Required, unless there is a [`token`](Self::token).
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.tokens = Some(Source::Credentials(credentials));
        self
    }

    /// Uses one token that was got elsewhere.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.tokens = Some(Source::Fixed(Secret::from(token.into())));
        self
    }

    /// The account to work for. Required.
    pub fn account(mut self, account: i64) -> Self {
        self.account = Some(account);
        self
    }

    /// Another address of the Demand API: a sandbox's, a proxy's.
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.api_url = url.into();
        self
    }

    /// Another address of the server-to-server API.
    pub fn server_to_server_url(mut self, url: impl Into<String>) -> Self {
        self.s2s_url = url.into();
        self
    }

    /// The key of the server-to-server API.
    pub fn server_to_server_key(mut self, key: impl Into<String>) -> Self {
        self.s2s_key = Some(Secret::from(key.into()));
        self
    }

    /// How long one attempt may take, from connecting to the last byte. One minute if not set.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = limit;
        self
    }

    /// Is told of every HTTP exchange: operation, status, trace id, time.
    pub fn observe(mut self, observer: impl Fn(&Exchange<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The client.
    ///
    /// # Errors
    /// Names what is missing; or TLS cannot be set up.
    pub fn build(self) -> Result<Client<V>, Error> {
        let mut problems = Vec::new();
        if self.tokens.is_none() {
            problems.push(Invalid::new("credentials", "are missing: give credentials or a token"));
        }
        if self.account.is_none() {
            problems.push(Invalid::new("account", "is missing: give the account's number"));
        }
        let (Some(source), Some(account)) = (self.tokens, self.account) else { return Err(Error::invalid(problems)) };
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("cintx/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Error::setup)?;
        let tokens = match source {
            Source::Credentials(credentials) => TokenCache::new(credentials),
            Source::Fixed(token) => TokenCache::fixed(Token::fixed(token.expose()).map_err(Error::setup)?),
        };
        let url = |text: String| text.trim_end_matches('/').into();
        let s2s_url = url(self.s2s_url);
        let pipeline = Pipeline {
            http,
            demand_url: url(self.api_url),
            server_to_server: self.s2s_key.map(|key| ServerToServer { url: s2s_url, key }),
            tokens,
            attempt_timeout: self.attempt_timeout,
            observer: self.observer,
        };
        let pipeline = Arc::new(pipeline);
        Ok(Client { raw: V::raw(Arc::clone(&pipeline)), pipeline, account })
    }
}

impl<V: Version> fmt::Debug for Builder<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("account", &self.account)
            .field("api_url", &self.api_url)
            .finish_non_exhaustive()
    }
}
