//! Drives `refresh`: one refresh in flight, shared by all who wait for it, begun in the background while the token is
//! still valid.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use cintx_raw::ApiError;
use http::header;
use serde::Deserialize;
use tokio::sync::watch;

use super::refresh::{Demand, Token, Tokens};
use crate::auth::{AccessToken, StoredToken, TokenError, TokenSource, TokenStore};
use crate::client::{Credentials, RetryPolicy};

/// The lifetime that Cint documents, for a token that does not state its own.
const DEFAULT_LIFE: u64 = 86_400;
/// For one request to the token endpoint.
const LIMIT: Duration = Duration::from_secs(15);
/// Longer than any refresh takes: who waits this long takes the refresh over.
const PATIENCE: Duration = Duration::from_secs(90);
/// A token that ends sooner than this is not worth being shared.
const SHARED_LIFE: Duration = Duration::from_secs(60);

/// Where a client's tokens come from.
pub(crate) enum Source {
    Credentials { http: reqwest::Client, credentials: Credentials },
    Own(Box<dyn TokenSource>),
}

/// What a refresh came to; nothing yet while it is under way. The sender goes with its task.
type Outcome = Option<Result<Arc<Token>, TokenError>>;

/// The tokens of one client and its clones.
pub(crate) struct TokenCache {
    inner: Option<Arc<Refresher>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tokens: Tokens,
    refresh: Option<watch::Receiver<Outcome>>,
}

struct Refresher {
    source: Source,
    store: Option<(String, Arc<dyn TokenStore>)>,
    margin: Duration,
}

impl TokenCache {
    pub(crate) fn new(source: Source, store: Option<Arc<dyn TokenStore>>, margin: Duration) -> Self {
        let store = store.map(|store| (source.name(), store));
        Self { inner: Some(Arc::new(Refresher { source, store, margin })), state: Mutex::default() }
    }

    /// One token, which nothing can replace.
    pub(crate) fn fixed(token: AccessToken) -> Result<Self, TokenError> {
        let token = Token::new(token.secret, None, Duration::ZERO, Instant::now(), 0.0)?;
        let mut state = State::default();
        state.tokens.refreshed(Ok(Arc::new(token)), Instant::now());
        Ok(Self { inner: None, state: Mutex::new(state) })
    }

    /// Whether a refused token can be replaced.
    pub(crate) fn can_refresh(&self) -> bool {
        self.inner.is_some()
    }

    /// A token that is good now. Who has one need not wait for the next.
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Arc<Token>, TokenError> {
        loop {
            let refresh = {
                let mut state = self.lock();
                match state.tokens.demand(Instant::now()) {
                    Demand::Use(token) => return Ok(token),
                    Demand::Fail(error) => return Err(error),
                    Demand::UseAndRefresh(token) => {
                        self.begin(&mut state);
                        return Ok(token);
                    }
                    Demand::Wait { begin: true } => self.begin(&mut state),
                    Demand::Wait { begin: false } => state.refresh.clone(),
                }
            };
            let Some(mut refresh) = refresh else { return Err(TokenError::Unreadable) };
            match tokio::time::timeout(PATIENCE, refresh.wait_for(Option::is_some)).await {
                Ok(Ok(outcome)) => return outcome.clone().unwrap_or(Err(TokenError::Unreadable)),
                // Its runtime is gone, and the state says so.
                Ok(Err(_)) => {}
                // Its runtime is there, but nobody drives it.
                Err(_) => self.lock().tokens.abandoned(),
            }
        }
    }

    /// Forgets a token that the API refused.
    pub(crate) fn refuse(&self, token: &Arc<Token>) {
        if self.can_refresh() {
            self.lock().tokens.refuse(token);
        }
    }

    /// Begins a refresh. It is a task of its own, so that no caller who gives up ends it for the others.
    fn begin(self: &Arc<Self>, state: &mut State) -> Option<watch::Receiver<Outcome>> {
        let inner = Arc::clone(self.inner.as_ref()?);
        let (sender, receiver) = watch::channel(None);
        let refused = state.tokens.refused().cloned();
        let under_way = UnderWay { cache: Arc::downgrade(self), sender };
        state.refresh = Some(receiver.clone());
        tokio::spawn(async move {
            let outcome = inner.refresh(refused.as_deref()).await.map(Arc::new);
            under_way.done(outcome);
        });
        Some(receiver)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock; and if it did, the state would still be whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A refresh under way. Dropped before it is done, with its runtime, it leaves the field to another.
struct UnderWay {
    cache: Weak<TokenCache>,
    sender: watch::Sender<Outcome>,
}

impl UnderWay {
    fn done(self, outcome: Result<Arc<Token>, TokenError>) {
        if let Some(cache) = self.cache.upgrade() {
            cache.lock().tokens.refreshed(outcome.clone(), Instant::now());
        }
        self.sender.send_replace(Some(outcome));
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.sender.borrow().is_none()
            && let Some(cache) = self.cache.upgrade()
        {
            cache.lock().tokens.abandoned();
        }
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCache(..)")
    }
}

impl Refresher {
    /// From the store if another process has put a good one there, else from the source.
    async fn refresh(&self, refused: Option<&Token>) -> Result<Token, TokenError> {
        let token = |secret, life| Token::new(secret, life, self.margin, Instant::now(), fastrand::f64());
        if let Some((name, store)) = &self.store
            && let Some(StoredToken { token: secret, expires_at }) = store.load(name).await
            && let Ok(life) = expires_at.duration_since(SystemTime::now())
            && life > SHARED_LIFE.max(self.margin)
            && refused.is_none_or(|refused| refused.secret().expose() != secret.expose())
        {
            return token(secret, Some(life));
        }
        let AccessToken { secret, life } = self.source.token().await?;
        if let Some((name, store)) = &self.store
            && let Some(expires_at) = life.and_then(|life| SystemTime::now().checked_add(life))
        {
            store.save(name, &StoredToken { token: secret.clone(), expires_at }).await;
        }
        token(secret, life)
    }
}

impl Source {
    /// The name under which processes with the same credentials find each other's tokens.
    fn name(&self) -> String {
        use sha2::{Digest as _, Sha256};
        let mut hash = Sha256::new();
        if let Self::Credentials { credentials, .. } = self {
            for part in [&credentials.endpoint, &credentials.client_id] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    async fn token(&self) -> Result<AccessToken, TokenError> {
        let Self::Credentials { http, credentials } = self else {
            let Self::Own(source) = self else { return Err(TokenError::Unreadable) };
            return source.token().await;
        };
        // Asking for a token twice does no harm.
        let policy = RetryPolicy::standard();
        let mut failures = 0;
        loop {
            match fetch(http, credentials).await {
                Err(error) if error.is_transient() && failures + 1 < policy.max_attempts => {
                    tokio::time::sleep(policy.wait(failures, fastrand::f64())).await;
                    failures += 1;
                }
                outcome => return outcome,
            }
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: Option<u64>,
}

async fn fetch(http: &reqwest::Client, credentials: &Credentials) -> Result<AccessToken, TokenError> {
    let unreachable = |error: reqwest::Error| TokenError::Unreachable(Arc::new(error.without_url()));
    let body = serde_json::json!({
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret.expose(),
        "grant_type": "client_credentials",
        "audience": "https://api.luc.id",
        credentials.scope_field: "app:api",
    });
    let answer = http
        .post(&credentials.endpoint)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.to_string())
        .timeout(LIMIT)
        .send()
        .await
        .map_err(unreachable)?;
    let status = answer.status();
    let bytes = answer.bytes().await.map_err(unreachable)?;
    if !status.is_success() {
        let detail = ApiError::parse(&bytes).map_or_else(|| "no explanation".to_owned(), |error| error.to_string());
        return Err(TokenError::Refused { status, detail: credentials.redact(detail) });
    }
    let answer: Answer = serde_json::from_slice(&bytes).map_err(|_| TokenError::Unreadable)?;
    Ok(AccessToken::new(answer.access_token, Duration::from_secs(answer.expires_in.unwrap_or(DEFAULT_LIFE))))
}
