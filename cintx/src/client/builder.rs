//! Builds a client: credentials, account, hosts, timeouts, retries, hooks.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use cintx_raw::{Host, MAX_DECODED_BODY, Secret};
use http::HeaderValue;
use reqwest::Url;
use tokio::sync::Semaphore;

use crate::auth::endpoint::Endpoint;
use crate::auth::refresher::{Source, TokenCache};
use crate::auth::{AccessToken, TokenSource, TokenStore};
use crate::cache::Cache;
use crate::client::clock::SharedClock;
use crate::client::{CallOptions, Client, Clock, Credentials, RetryPolicy, Timeouts};
use crate::error::{Error, FieldError};
use crate::http::pace::{AdaptivePacer, Pacer};
use crate::http::{
    After, AttemptContext, AttemptEvent, BaseUrl, Before, HttpSender, HttpTransport, Pipeline, SentKeys,
    ServerToServer, Shared, client_builder, is_loopback,
};
use crate::recovery::Journal;
use crate::types::is_invisible;
use crate::version::Version;

/// So many requests at once are plenty for one client, and bearable for Cint.
pub(crate) const IN_FLIGHT: usize = 32;
/// Five minutes, as good clients do.
const RENEWAL_MARGIN: Duration = Duration::from_secs(300);
/// Servers close idle connections; one that is younger than this is unlikely to be closed while a write is on its way.
const MAX_IDLE_TIME: Duration = Duration::from_secs(20);

/// What a client needs to know. Made by [`Client::builder`].
///
/// Nothing is sent and nothing is spawned before the first call; a client may outlive the runtime it was built in.
#[must_use]
pub struct ClientBuilder<V: Version> {
    tokens: Option<Tokens>,
    store: Option<Arc<dyn TokenStore>>,
    margin: Duration,
    account: Option<i64>,
    api_url: String,
    s2s_url: String,
    s2s_key: Option<Secret>,
    http: Option<HttpSender>,
    proxy: Option<reqwest::Proxy>,
    user_agent: Option<String>,
    retry: RetryPolicy,
    timeouts: Timeouts,
    in_flight: usize,
    max_answer: usize,
    pacer: Pacing,
    clock: SharedClock,
    options: CallOptions,
    before: Option<Before>,
    after: Option<After>,
    journal: Option<Arc<dyn Journal>>,
    version: PhantomData<V>,
}

enum Pacing {
    Adaptive,
    Own(Box<dyn Pacer>),
    Off,
}

impl Pacing {
    fn build(self, max_in_flight: usize) -> Option<Box<dyn Pacer>> {
        match self {
            Self::Adaptive => Some(Box::new(AdaptivePacer::with_max_in_flight(max_in_flight))),
            Self::Own(pacer) => Some(pacer),
            Self::Off => None,
        }
    }
}

enum Tokens {
    Credentials(Credentials, RenewedTokens),
    Own(Box<dyn TokenSource>, RenewedTokens),
    Fixed(Secret),
}

/// Keeps tokens and renews them. A pointer, so that a program with one token does not hold what renews others.
type RenewedTokens = fn(Source, Option<Arc<dyn TokenStore>>, Duration, SharedClock) -> TokenCache;

impl<V: Version> ClientBuilder<V> {
    pub(crate) fn new() -> Self {
        Self {
            tokens: None,
            store: None,
            margin: RENEWAL_MARGIN,
            account: None,
            api_url: Host::Demand.default_url().to_owned(),
            s2s_url: Host::ServerToServer.default_url().to_owned(),
            s2s_key: None,
            http: None,
            proxy: None,
            user_agent: None,
            retry: RetryPolicy::standard(),
            timeouts: Timeouts::standard(),
            in_flight: IN_FLIGHT,
            max_answer: MAX_DECODED_BODY,
            pacer: Pacing::Adaptive,
            clock: SharedClock::system(),
            options: CallOptions::new(),
            before: None,
            after: None,
            journal: None,
            version: PhantomData,
        }
    }

    /// Gets tokens for these credentials. Required, unless there is a [`token`](Self::token) or a
    /// [`token_source`](Self::token_source).
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.tokens = Some(Tokens::Credentials(credentials, TokenCache::new));
        self
    }

    /// Uses one token that was got elsewhere. Nothing replaces it when it ends.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.tokens = Some(Tokens::Fixed(Secret::from(token.into())));
        self
    }

    /// Gets tokens from a source of your own.
    pub fn token_source(mut self, source: impl TokenSource + 'static) -> Self {
        self.tokens = Some(Tokens::Own(Box::new(source), TokenCache::new));
        self
    }

    /// Shares tokens with other processes of the same credentials, through a `FileTokenStore` for example. Tokens of a
    /// [`token_source`](Self::token_source) are shared only if it has a
    /// [`store_name`](crate::auth::TokenSource::store_name).
    pub fn token_store(mut self, store: impl TokenStore + 'static) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// How long before its end a token is renewed, at most; half its life if that is less. Five minutes if not set.
    pub fn token_renewal_margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }

    /// The account to work for. Required.
    pub fn account(mut self, account: i64) -> Self {
        self.account = Some(account);
        self
    }

    /// Another address of the Demand API: a sandbox's, a proxy's. HTTPS, or HTTP to this machine.
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.api_url = url.into();
        self
    }

    /// Another address of the server-to-server API. HTTPS, or HTTP to this machine.
    pub fn server_to_server_url(mut self, url: impl Into<String>) -> Self {
        self.s2s_url = url.into();
        self
    }

    /// The key of the server-to-server API, for its operations behind [`Client::raw`]. A survey host needs none of the
    /// rest: [`ServerToServer`](crate::respondent::ServerToServer) is a client with nothing but this key.
    pub fn server_to_server_key(mut self, key: impl Into<String>) -> Self {
        self.s2s_key = Some(Secret::from(key.into()));
        self
    }

    /// Uses your own HTTP client, with its pool, proxy, TLS and connect time-out. Its redirect policy must be `none`:
    /// an answer that was redirected belongs to another operation, and is refused.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(HttpSender::Given(http));
        self
    }

    /// Sends requests over a transport of your own in place of an HTTP client: see [`HttpTransport`]. Where there is an
    /// [`http_client`](Self::http_client), too, the later of the two counts.
    pub fn transport(mut self, transport: impl HttpTransport + 'static) -> Self {
        self.http = Some(HttpSender::Own(Arc::new(transport)));
        self
    }

    /// Sends everything through a proxy. Without it, the system's settings hold (`HTTPS_PROXY`, `NO_PROXY`).
    pub fn proxy(mut self, proxy: reqwest::Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Says who you are behind the SDK's own `User-Agent`: `cintx/0.1.0 acme-panel/3.2`.
    pub fn user_agent_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.user_agent = Some(suffix.into());
        self
    }

    /// Adds a header to every request. The pipeline's own (authorization, version, key, trace) cannot be replaced.
    pub fn default_header(mut self, name: &str, value: &str) -> Self {
        self.options = self.options.header(name, value);
        self
    }

    /// How failed requests are repeated. [`RetryPolicy::standard`] if not set.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How long things may take. [`Timeouts::standard`] if not set.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// How many requests may be on their way at once, over all clones; the others wait. 32 if not set, at least 1.
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.in_flight = requests.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// The longest answer that is read into memory, in bytes after decompression; 64 MiB if not set, and at most. Of a
    /// longer one the status decides. Downloads have no limit: they are not read into memory.
    pub fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.max_answer = bytes.min(MAX_DECODED_BODY);
        self
    }

    /// Lets a pacer of your own say when requests may leave, or one that several clients share:
    /// [`http::pace`](crate::http::pace). An [`AdaptivePacer`] of this client alone if not set.
    pub fn pacer(mut self, pacer: impl Pacer + 'static) -> Self {
        self.pacer = Pacing::Own(Box::new(pacer));
        self
    }

    /// Asks this clock what time it is, instead of the machine's: whether field begins in the future, which days a
    /// report may have, how old a token or an entry of the journal is. Waits and time limits go by tokio's clock.
    ///
    /// See [testing](crate::guide::testing) for a client whose time is that of a simulation.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = SharedClock::new(clock);
        self
    }

    /// Sends without regard to what was turned away with 429. A call that was is repeated like one that failed, under
    /// its [`RetryPolicy`].
    pub fn without_pacer(mut self) -> Self {
        self.pacer = Pacing::Off;
        self
    }

    /// Is called before each attempt, and may add headers to it.
    pub fn before_attempt(mut self, hook: impl Fn(&mut AttemptContext<'_>) + Send + Sync + 'static) -> Self {
        self.before = Some(Arc::new(hook));
        self
    }

    /// Called for every HTTP exchange: operation, attempt, status, trace id, time. Requests to the token endpoint are
    /// among them, with [`Operation::token_request`](cintx_raw::Operation::token_request); `before_attempt` is not
    /// called for those, so that its headers stay with the API.
    pub fn observe(mut self, observer: impl Fn(&AttemptEvent<'_>) + Send + Sync + 'static) -> Self {
        self.after = Some(Arc::new(observer));
        self
    }

    /// Writes down every write before it is sent, so that [`Client::recover`] can complete it after a crash.
    pub fn journal(mut self, journal: impl Journal + 'static) -> Self {
        self.journal = Some(Arc::new(journal));
        self
    }

    /// What tokens are got with, each part with its name.
    fn secrets(&self) -> Vec<(&'static str, &str)> {
        match &self.tokens {
            Some(Tokens::Credentials(credentials, _)) => vec![
                ("credentials.client_id", &*credentials.client_id),
                ("credentials.client_secret", credentials.client_secret.expose()),
            ],
            Some(Tokens::Fixed(token)) => vec![("token", token.expose())],
            Some(Tokens::Own(..)) | None => Vec::new(),
        }
    }

    /// The client.
    ///
    /// # Errors
    /// Names everything that is missing or wrong; or TLS cannot be set up.
    pub fn build(self) -> Result<Client<V>, Error> {
        let mut problems = self.options.problems.clone();
        if self.tokens.is_none() {
            problems.push(FieldError::new("credentials", "are missing: give credentials, a token or a token source"));
        }
        if self.account.is_none() {
            problems.push(FieldError::new("account", "is missing: give the account's number"));
        }
        let of_own = [("proxy", self.proxy.is_some()), ("user_agent_suffix", self.user_agent.is_some())];
        problems.extend(beside_own_client(self.http.is_some(), of_own));
        let mut url = |field, text: &str| base_url(field, text).map_err(|problem| problems.push(problem)).ok();
        let demand_url = url("api_url", &self.api_url);
        let s2s_url = url("server_to_server_url", &self.s2s_url);
        if let Some(Tokens::Credentials(credentials, _)) = &self.tokens {
            url("credentials.endpoint", &credentials.endpoint);
        }
        problems.extend(self.secrets().into_iter().filter_map(|(field, text)| sendable(field, text).err()));
        let s2s_key = match &self.s2s_key {
            Some(key) => sensitive("server_to_server_key", key).map_err(|problem| problems.push(problem)).ok(),
            None => None,
        };
        let agent = user_agent(self.user_agent.as_deref()).map_err(|problem| problems.push(problem)).ok();
        let (Some(tokens), Some(account), Some(demand_url), Some(s2s_url), Some(agent), true) =
            (self.tokens, self.account, demand_url, s2s_url, agent, problems.is_empty())
        else {
            return Err(Error::invalid(problems));
        };
        let http = match self.http {
            Some(http) => http,
            None => {
                let endpoint = match &tokens {
                    Tokens::Credentials(credentials, _) => {
                        Some(Url::parse(&credentials.endpoint).map_err(Error::setup)?)
                    }
                    Tokens::Fixed(_) | Tokens::Own(..) => None,
                };
                // Without its key, the server-to-server API is never called.
                let s2s_url = s2s_key.is_some().then(|| s2s_url.url());
                let urls = [Some(demand_url.url()), s2s_url, endpoint.as_ref()];
                http_sender(&self.timeouts, self.proxy, agent, urls.into_iter().flatten())?
            }
        };
        let tokens = match tokens {
            Tokens::Fixed(token) => TokenCache::fixed(AccessToken::without_expiry(token.expose()), self.clock.clone())
                .map_err(Error::setup)?,
            Tokens::Own(source, renewed) => renewed(Source::Own(source), self.store, self.margin, self.clock.clone()),
            Tokens::Credentials(credentials, renewed) => {
                let endpoint = Endpoint { http: http.clone(), credentials, observer: self.after.clone() };
                renewed(Source::Endpoint(endpoint), self.store, self.margin, self.clock.clone())
            }
        };
        let shared = Shared {
            http,
            api_version: V::DATE,
            demand_url,
            server_to_server: s2s_key.map(|key| ServerToServer { url: s2s_url, key }),
            tokens: Arc::new(tokens),
            retry: self.retry,
            timeouts: self.timeouts,
            budget: Shared::budget(),
            in_flight: Semaphore::new(self.in_flight),
            max_answer: self.max_answer,
            pacer: self.pacer.build(self.in_flight),
            clock: self.clock,
            before: self.before,
            after: self.after,
            journal: self.journal,
            cache: Cache::default(),
            sent_keys: SentKeys::default(),
        };
        Ok(Client::of_pipeline(Arc::new(Pipeline { shared: Arc::new(shared), options: self.options }), account))
    }
}

impl<V: Version> fmt::Debug for ClientBuilder<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("account", &self.account)
            .field("api_url", &self.api_url)
            .finish_non_exhaustive()
    }
}

/// What is set here and belongs to a client or transport of the caller's own, where there is one.
pub(crate) fn beside_own_client<const N: usize>(has_own: bool, set: [(&'static str, bool); N]) -> Vec<FieldError> {
    let reason = "is set together with http_client or transport, expected one of them: set it on that client";
    set.into_iter().filter(|(_, is_set)| has_own && *is_set).map(|(field, _)| FieldError::new(field, reason)).collect()
}

/// The SDK's own HTTP client for these addresses: what stays on this machine goes through no proxy of the system's.
pub(crate) fn http_sender<'a>(
    timeouts: &Timeouts,
    proxy: Option<reqwest::Proxy>,
    agent: HeaderValue,
    urls: impl IntoIterator<Item = &'a Url>,
) -> Result<HttpSender, Error> {
    let client = || -> Result<reqwest::ClientBuilder, Error> {
        Ok(client_builder()?
            .redirect(reqwest::redirect::Policy::none())
            // Whether to send again is decided in one place, and that is not here.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .connect_timeout(timeouts.connect)
            .pool_idle_timeout(MAX_IDLE_TIME)
            .user_agent(agent.clone()))
    };
    let build = |client: reqwest::ClientBuilder| client.build().map_err(Error::setup);
    let (here, elsewhere): (Vec<&Url>, Vec<&Url>) = urls.into_iter().partition(|url| is_loopback(url));
    Ok(match proxy {
        Some(proxy) => HttpSender::Client(build(client()?.proxy(proxy))?),
        None if here.is_empty() => HttpSender::Client(build(client()?)?),
        None if elsewhere.is_empty() => HttpSender::Client(build(client()?.no_proxy())?),
        None => HttpSender::ByPlace { here: build(client()?.no_proxy())?, elsewhere: build(client()?)? },
    })
}

/// A base address without its last slash. Credentials go over it: HTTPS, or HTTP that does not leave this machine.
pub(crate) fn base_url(field: &'static str, text: &str) -> Result<BaseUrl, FieldError> {
    let url = Url::parse(text).map_err(|_| FieldError::new(field, format!("is {text:?}, expected an address")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FieldError::new(field, "holds a user name or password, expected none"));
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        _ => return Err(FieldError::new(field, format!("is {text:?}, expected https, or http to this machine"))),
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(FieldError::new(field, format!("is {text:?}, expected an address without query and fragment")));
    }
    Ok(BaseUrl::new(url))
}

/// Refuses a credential that cannot be meant: nothing at all, or with the line break of the file, or a mark that nobody
/// sees of the page, that it was taken from. Its text is not repeated.
fn sendable(field: &'static str, text: &str) -> Result<(), FieldError> {
    if text.trim().is_empty() {
        return Err(FieldError::new(field, "is empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(FieldError::new(field, "holds a control character, a line break at its end for example"));
    }
    if text.chars().any(is_invisible) {
        return Err(FieldError::new(field, "holds a character that is not seen, a zero-width space for example"));
    }
    Ok(())
}

pub(crate) fn user_agent(suffix: Option<&str>) -> Result<HeaderValue, FieldError> {
    let agent = concat!("cintx/", env!("CARGO_PKG_VERSION"));
    match suffix {
        None => Ok(HeaderValue::from_static(agent)),
        Some(suffix) => HeaderValue::try_from(format!("{agent} {suffix}")).map_err(|_| {
            FieldError::new("user_agent_suffix", format!("is {suffix:?}, expected text that a header can carry"))
        }),
    }
}

pub(crate) fn sensitive(field: &'static str, secret: &Secret) -> Result<HeaderValue, FieldError> {
    sendable(field, secret.expose())?;
    let mut value = HeaderValue::try_from(secret.expose())
        .map_err(|_| FieldError::new(field, "holds characters that no header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "v2025-12-18")]
    #[test]
    fn credentials_that_cannot_be_meant_are_refused_before_anything_is_sent() {
        type B = ClientBuilder<crate::V2025_12_18>;
        let refused = |builder: B| {
            let error = builder.account(1).build().unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("hidden"), "{text}");
            error.invalid_fields().iter().map(|problem| problem.field().to_owned()).collect::<Vec<_>>()
        };
        for bad in ["", "  ", "hidden\n", "hid\u{0}den", "\u{200b}", "hid\u{feff}den"] {
            assert_eq!(refused(B::new().credentials(Credentials::new(bad, "s"))), ["credentials.client_id"], "{bad:?}");
            assert_eq!(
                refused(B::new().credentials(Credentials::new("i", bad))),
                ["credentials.client_secret"],
                "{bad:?}"
            );
            assert_eq!(refused(B::new().token(bad)), ["token"], "{bad:?}");
            let fields = refused(B::new().token("t").server_to_server_key(bad));
            assert_eq!(fields, ["server_to_server_key"], "{bad:?}");
        }
        assert!(B::new().credentials(Credentials::new("i", "s")).account(1).build().is_ok());
    }

    #[test]
    fn what_stays_on_this_machine_takes_no_proxy_of_the_systems() {
        let sender = |urls: &[&str], proxy: Option<&str>| {
            let urls: Vec<Url> = urls.iter().map(|url| url.parse().unwrap()).collect();
            let proxy = proxy.map(|proxy| reqwest::Proxy::all(proxy).unwrap());
            http_sender(&Timeouts::standard(), proxy, HeaderValue::from_static("test"), &urls).unwrap()
        };
        let (here, there) = ("http://localhost:9000/token", "https://api.cint.com/v1");
        assert!(matches!(sender(&[here, there], None), HttpSender::ByPlace { .. }));
        for alike in [[here, here], [there, there]] {
            assert!(matches!(sender(&alike, None), HttpSender::Client(_)));
        }
        // A proxy of the caller's own is for all of them.
        assert!(matches!(sender(&[here, there], Some("http://proxy.example:3128")), HttpSender::Client(_)));
    }

    #[test]
    fn credentials_go_over_https_or_stay_on_this_machine() {
        for good in ["https://api.cint.com/v1", "http://127.0.0.1:80/v1/", "http://[::1]:8080", "http://localhost:1"] {
            assert!(base_url("api_url", good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.cint.com/v1",
            "http://10.0.0.1/",
            "http://localhost.example/",
            "ftp://127.0.0.1",
            "api.cint.com",
            "https://user:secret@api.cint.com",
            "https://api.cint.com/v1?x=1",
        ] {
            let problem = base_url("api_url", bad).unwrap_err();
            assert!(!problem.reason().contains("secret"), "{problem}");
        }
    }
}
