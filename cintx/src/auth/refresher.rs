//! Drives `refresh`: one refresh in flight, shared by all who wait for it, begun in the background while the token is
//! still valid.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt as _;
use http::StatusCode;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tracing::Instrument as _;

use super::clock::Now;
use super::endpoint::Endpoint;
use super::refresh::{Demand, MAX_REFRESH_TIME, RefreshNumber, Tokens};
use super::token::Token;
use crate::auth::{AccessToken, StoredToken, TokenError, TokenLock, TokenSource, TokenStore};
use crate::client::clock::SharedClock;

/// For a source to give a token, repetitions and waits included.
const SOURCE_LIMIT: Duration = Duration::from_secs(80);
/// For a store to load or to save one.
const STORE_LIMIT: Duration = Duration::from_secs(5);
/// For another process to renew the token. It counts against the time of the source.
const LOCK_LIMIT: Duration = Duration::from_secs(30);
/// How many refreshes one caller waits for: the first, the one that takes over, and one more.
const MAX_WAITS: u32 = 3;
/// A token that ends sooner than this is not worth being shared.
const MIN_SHARED_LIFE: Duration = Duration::from_secs(60);
/// A token is shared as one that ends after this at the latest, Cint's own lifetime.
const MAX_SHARED_LIFE: Duration = Duration::from_secs(86_400);
/// A stored token that claims to live longer than any is stored for, by more than this, is damaged or was written by a
/// wrong clock.
const STORE_CLOCK_TOLERANCE: Duration = Duration::from_secs(300);

/// Where a client's tokens come from.
pub(crate) enum Source {
    Endpoint(Endpoint),
    Own(Box<dyn TokenSource>),
}

/// What a refresh came to; nothing yet while it is under way. The sender goes with its task.
type Outcome = Option<Result<Arc<Token>, TokenError>>;

/// The tokens of one client and its clones.
pub(crate) struct TokenCache {
    /// The one that nothing can replace: it has no end that a clock could tell.
    fixed: Option<Arc<Token>>,
    inner: Option<Arc<Refresher>>,
    /// Begins a refresh. A pointer, so that a program with one token does not hold what renews others.
    begin: Option<fn(&Arc<TokenCache>, Beginning)>,
    clock: SharedClock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tokens: Tokens,
    running: Option<Running>,
}

/// The refresh under way.
struct Running {
    number: RefreshNumber,
    outcome: watch::Receiver<Outcome>,
    task: Option<AbortHandle>,
}

/// A refresh that is to begin.
struct Beginning {
    number: RefreshNumber,
    sender: watch::Sender<Outcome>,
    refused: Vec<Arc<Token>>,
    /// The one before it, which nobody drives.
    stuck: Option<AbortHandle>,
}

/// What a caller gets at once.
enum Next {
    Done(Result<Arc<Token>, TokenError>),
    Wait(watch::Receiver<Outcome>),
}

struct Refresher {
    source: Source,
    store: Option<(String, Arc<dyn TokenStore>)>,
    margin: Duration,
    clock: SharedClock,
}

impl State {
    fn begin(&mut self, number: RefreshNumber) -> Beginning {
        let (sender, outcome) = watch::channel(None);
        let before = self.running.replace(Running { number, outcome, task: None });
        let stuck = before.and_then(|running| running.task);
        Beginning { number, sender, refused: self.tokens.refused(), stuck }
    }
}

impl TokenCache {
    pub(crate) fn new(
        source: Source,
        store: Option<Arc<dyn TokenStore>>,
        margin: Duration,
        clock: SharedClock,
    ) -> Self {
        let store = store.and_then(|store| Some((source.store_name()?, store)));
        let inner = Refresher { source, store, margin, clock: clock.clone() };
        Self { fixed: None, inner: Some(Arc::new(inner)), begin: Some(Self::begin), clock, state: Mutex::default() }
    }

    /// One token, which nothing can replace.
    pub(crate) fn fixed(token: AccessToken, clock: SharedClock) -> Result<Self, TokenError> {
        let token = Token::new(token.secret, None, Duration::ZERO, Now::by(&clock), 0.0)?;
        Ok(Self { fixed: Some(Arc::new(token)), inner: None, begin: None, clock, state: Mutex::default() })
    }

    /// This moment, by the clocks that its tokens age by.
    pub(crate) fn now(&self) -> Now {
        Now::by(&self.clock)
    }

    /// Whether a refused token can be replaced.
    pub(crate) fn can_refresh(&self) -> bool {
        self.inner.is_some()
    }

    /// A token that is good now, if that is known without waiting. Nothing is begun: what comes of a refresh is told to
    /// those who wait for it, and who begins one here would not.
    pub(crate) fn get_now(&self) -> Option<Result<Arc<Token>, TokenError>> {
        match &self.fixed {
            Some(token) => Some(Ok(Arc::clone(token))),
            None => self.lock().tokens.at_hand(self.now()),
        }
    }

    /// A token that is good now.
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Arc<Token>, TokenError> {
        if let Some(token) = &self.fixed {
            return Ok(Arc::clone(token));
        }
        for _ in 0..MAX_WAITS {
            let mut refresh = match self.next() {
                Next::Done(outcome) => return outcome,
                Next::Wait(refresh) => refresh,
            };
            // Otherwise its runtime is gone, or there, but nobody drives it: the state tells who takes over.
            if let Ok(Ok(outcome)) = tokio::time::timeout(MAX_REFRESH_TIME, refresh.wait_for(Option::is_some)).await {
                return outcome.clone().unwrap_or(Err(TokenError::Abandoned));
            }
        }
        Err(TokenError::Abandoned)
    }

    /// What there is for a caller now. Begins a refresh if one is due.
    fn next(self: &Arc<Self>) -> Next {
        let (next, beginning) = {
            let mut state = self.lock();
            match state.tokens.demand(self.now()) {
                Demand::Use(token) => (Next::Done(Ok(token)), None),
                Demand::Fail(error) => (Next::Done(Err(error)), None),
                Demand::UseAndRefresh(token, number) => (Next::Done(Ok(token)), Some(state.begin(number))),
                Demand::Wait { number, begin } => {
                    let beginning = begin.then(|| state.begin(number));
                    match &state.running {
                        Some(running) => (Next::Wait(running.outcome.clone()), beginning),
                        None => (Next::Done(Err(TokenError::Abandoned)), beginning),
                    }
                }
            }
        };
        // Not under the lock: a runtime that shuts down drops its tasks here and now, and they tell the state.
        if let (Some(beginning), Some(begin)) = (beginning, self.begin) {
            begin(self, beginning);
        }
        next
    }

    /// Takes note of what the API said to a call with this token.
    pub(crate) fn judge(&self, token: &Arc<Token>, status: StatusCode) {
        if !self.can_refresh() {
            return;
        }
        let now = self.now();
        match status.as_u16() {
            401 => self.lock().tokens.refuse(token, now),
            403 if token.may_be_expired(now) => self.lock().tokens.refuse(token, now),
            // Only who is let in is told this.
            200..=299 | 400 | 404 | 409 | 410 | 412 | 422 => self.lock().tokens.accept(now),
            _ => {}
        }
    }

    /// Begins a refresh. It is a task of its own, so that no caller who gives up ends it for the others.
    fn begin(self: &Arc<Self>, Beginning { number, sender, refused, stuck }: Beginning) {
        let under_way = UnderWay { cache: Arc::downgrade(self), number, sender };
        if let Some(stuck) = stuck {
            stuck.abort();
        }
        let Some(inner) = self.inner.clone() else { return };
        let span = tracing::debug_span!("cint", operation = cintx_raw::Operation::token_request().id, refresh = number);
        let refresh = async move {
            let outcome = inner.refresh(&refused).await.map(Arc::new);
            under_way.done(outcome);
        };
        let task = tokio::spawn(refresh.instrument(span)).abort_handle();
        if let Some(running) = self.lock().running.as_mut().filter(|running| running.number == number) {
            running.task = Some(task);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock; and if it did, the state would still be whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A refresh under way. Dropped before it is done, with its runtime, it leaves the field to another.
struct UnderWay {
    cache: Weak<TokenCache>,
    number: RefreshNumber,
    sender: watch::Sender<Outcome>,
}

impl UnderWay {
    fn done(self, outcome: Result<Arc<Token>, TokenError>) {
        let outcome = match self.cache.upgrade() {
            Some(cache) => cache.lock().tokens.refreshed(self.number, outcome, cache.now()),
            None => outcome,
        };
        self.sender.send_replace(Some(outcome));
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.sender.borrow().is_none()
            && let Some(cache) = self.cache.upgrade()
        {
            cache.lock().tokens.lost(self.number, cache.now());
        }
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCache(..)")
    }
}

/// What the code of somebody else comes to: nothing if it panics or takes longer than this.
async fn guarded<T>(limit: Duration, future: impl Future<Output = T>) -> Result<T, TokenError> {
    match tokio::time::timeout(limit, AssertUnwindSafe(future).catch_unwind()).await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(_)) => Err(TokenError::Panicked),
        Err(_) => Err(TokenError::TimedOut(limit)),
    }
}

impl Refresher {
    /// From the store if another process has put a good one there, else from the source.
    async fn refresh(&self, refused: &[Arc<Token>]) -> Result<Token, TokenError> {
        if let Some(token) = self.load(refused).await {
            return Ok(token);
        }
        let waiting = tokio::time::Instant::now();
        // Until the token is stored, so that the next to hold it finds the token.
        let lock = self.lock().await;
        if lock.is_some()
            && let Some(token) = self.load(refused).await
        {
            return Ok(token);
        }
        let limit = SOURCE_LIMIT.saturating_sub(Duration::from_secs(waiting.elapsed().as_secs()));
        // Its life is counted from here: it cannot be longer than it seems.
        let asked = Now::by(&self.clock);
        let AccessToken { secret, life } = guarded(limit, async { self.source.token(limit).await }).await??;
        let token = Token::new(secret, life, self.margin, asked, fastrand::f64())?;
        if let Some(life) = life {
            self.save(&token, asked.wall, life).await;
        }
        Ok(token)
    }

    /// The sole right to renew the token, if the store gives one in time.
    async fn lock(&self) -> Option<TokenLock> {
        let (name, store) = self.store.as_ref()?;
        let locked = guarded(LOCK_LIMIT, async { store.lock(name).await }).await;
        locked.inspect_err(|error| tracing::warn!(%error, "renews the token without the lock of the store")).ok()?
    }

    /// A token that another process has stored. What is damaged, refused or nearly over is passed over.
    async fn load(&self, refused: &[Arc<Token>]) -> Option<Token> {
        let (name, store) = self.store.as_ref()?;
        let loaded = guarded(STORE_LIMIT, async { store.load(name).await }).await;
        let loaded = loaded.inspect_err(|error| tracing::warn!(%error, "no token can be loaded")).ok()?;
        let StoredToken { token: secret, expires_at } = loaded?;
        let now = Now::by(&self.clock);
        let life = expires_at.duration_since(now.wall).ok()?;
        let lives = MIN_SHARED_LIFE.max(self.margin) < life && life <= MAX_SHARED_LIFE + STORE_CLOCK_TOLERANCE;
        if !lives || refused.iter().any(|refused| refused.is(&secret)) {
            return None;
        }
        Token::new(secret, Some(life), self.margin, now, fastrand::f64()).ok()
    }

    /// Stores a token for other processes. One that is not stored is fetched again: nothing is lost but a request.
    async fn save(&self, token: &Token, obtained: SystemTime, life: Duration) {
        let Some((name, store)) = &self.store else { return };
        let Some(expires_at) = obtained.checked_add(life.min(MAX_SHARED_LIFE)) else { return };
        let stored = StoredToken { token: token.secret().clone(), expires_at };
        if let Err(error) = guarded(STORE_LIMIT, async { store.save(name, &stored).await }).await {
            tracing::warn!(%error, "the token cannot be stored");
        }
    }
}

impl Source {
    /// The name under which processes with the same credentials find each other's tokens. Who does not know the secret
    /// does not find them. `None` if nothing tells this source's tokens from those of others.
    pub(super) fn store_name(&self) -> Option<String> {
        use sha2::{Digest as _, Sha256};
        let own;
        let (kind, parts) = match self {
            Self::Endpoint(Endpoint { credentials, .. }) => {
                let secret = credentials.client_secret.expose();
                ("credentials", vec![&*credentials.endpoint, &*credentials.client_id, secret])
            }
            Self::Own(source) => {
                own = source.store_name()?;
                ("source", vec![&*own])
            }
        };
        let mut hash = Sha256::new();
        for part in std::iter::once(kind).chain(parts) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Some(hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect())
    }

    async fn token(&self, limit: Duration) -> Result<AccessToken, TokenError> {
        match self {
            Self::Endpoint(endpoint) => endpoint.token(limit).await,
            Self::Own(source) => source.token().await,
        }
    }
}
