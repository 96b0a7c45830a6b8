//! Tokens: fetched when first needed, shared by all callers, refreshed ahead of expiry with one request in flight.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cintx_raw::ApiError;
use futures_util::FutureExt as _;
use futures_util::future::Shared;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;

use crate::credentials::Credentials;

/// A token is renewed this long before it expires, or at half its life if that is sooner.
const MARGIN: Duration = Duration::from_secs(300);
/// What Cint says about a token that does not say how long it lives.
const DEFAULT_LIFE: u64 = 86_400;

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
    /// The token endpoint answered success with something that is no token.
    #[error("the token endpoint's answer holds no usable token")]
    Unreadable,
    /// The token endpoint could not be reached.
    #[error("the token endpoint cannot be reached")]
    Unreachable(#[source] Arc<reqwest::Error>),
}

/// A token, ready to be sent.
pub(crate) struct Token {
    header: HeaderValue,
    renew_at: Instant,
    expires_at: Instant,
}

impl Token {
    /// A token that the caller got elsewhere and that never expires as far as we know.
    pub(crate) fn fixed(text: &str) -> Result<Self, TokenError> {
        let far = Instant::now() + Duration::from_secs(10 * 365 * 24 * 3600);
        Ok(Self { header: bearer(text)?, renew_at: far, expires_at: far })
    }

    fn new(text: &str, life: Duration) -> Result<Self, TokenError> {
        let now = Instant::now();
        let margin = MARGIN.min(life / 2);
        Ok(Self { header: bearer(text)?, renew_at: now + life.saturating_sub(margin), expires_at: now + life })
    }

    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }

    pub(crate) fn is_expired(&self) -> bool {
        Instant::now() >= self.expires_at
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

fn bearer(text: &str) -> Result<HeaderValue, TokenError> {
    let mut header = HeaderValue::from_str(&format!("Bearer {text}")).map_err(|_| TokenError::Unreadable)?;
    header.set_sensitive(true);
    Ok(header)
}

type Refresh = Shared<Pin<Box<dyn Future<Output = Result<Arc<Token>, TokenError>> + Send>>>;

/// Holds the present token and the refresh that is under way, if one is.
pub(crate) struct TokenCache {
    credentials: Option<Arc<Credentials>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    refresh: Option<Refresh>,
}

impl TokenCache {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self { credentials: Some(Arc::new(credentials)), state: Mutex::default() }
    }

    pub(crate) fn fixed(token: Token) -> Self {
        Self { credentials: None, state: Mutex::new(State { token: Some(Arc::new(token)), refresh: None }) }
    }

    /// A token that is good now; fetches one if there is none or it is about to expire.
    /// A failed renewal serves the old token for as long as it lives.
    pub(crate) async fn get(&self, http: &reqwest::Client) -> Result<Arc<Token>, TokenError> {
        let (current, refresh) = {
            let mut state = self.lock();
            match (&state.token, &self.credentials) {
                (Some(token), _) if Instant::now() < token.renew_at => return Ok(Arc::clone(token)),
                (Some(token), None) => return Ok(Arc::clone(token)),
                (None, None) => return Err(TokenError::Unreadable),
                (_, Some(credentials)) => {
                    let refresh = state.refresh.clone().unwrap_or_else(|| {
                        let refresh = fetch(http.clone(), Arc::clone(credentials)).boxed().shared();
                        state.refresh = Some(refresh.clone());
                        refresh
                    });
                    (state.token.clone().filter(|token| !token.is_expired()), refresh)
                }
            }
        };
        let outcome = refresh.clone().await;
        let mut state = self.lock();
        if state.refresh.as_ref().is_some_and(|other| other.ptr_eq(&refresh)) {
            state.refresh = None;
            if let Ok(token) = &outcome {
                state.token = Some(Arc::clone(token));
            }
        }
        drop(state);
        match (outcome, current) {
            (Ok(token), _) => Ok(token),
            (Err(_), Some(current)) => Ok(current),
            (Err(error), None) => Err(error),
        }
    }

    /// Forgets a token that was refused, unless another has taken its place already.
    pub(crate) fn invalidate(&self, refused: &Arc<Token>) {
        let mut state = self.lock();
        if self.credentials.is_some() && state.token.as_ref().is_some_and(|token| Arc::ptr_eq(token, refused)) {
            state.token = None;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing panics while it holds the lock; and if it did, the state would still be whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: Option<u64>,
}

async fn fetch(http: reqwest::Client, credentials: Arc<Credentials>) -> Result<Arc<Token>, TokenError> {
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
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body.to_string())
        .timeout(Duration::from_secs(30))
        .send()
        .await
        .map_err(unreachable)?;
    let status = answer.status();
    let bytes = answer.bytes().await.map_err(unreachable)?;
    if !status.is_success() {
        let detail = ApiError::parse(&bytes).map_or_else(|| "no explanation".to_owned(), |error| error.to_string());
        return Err(TokenError::Refused { status, detail });
    }
    let answer: Answer = serde_json::from_slice(&bytes).map_err(|_| TokenError::Unreadable)?;
    let life = Duration::from_secs(answer.expires_in.unwrap_or(DEFAULT_LIFE));
    Token::new(&answer.access_token, life).map(Arc::new)
}
