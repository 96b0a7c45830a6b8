//! The client of the server-to-server API: asks about respondents, and says how they ended. It needs no dated version,
//! account or credentials; its requests go through the same pipeline as all others.

use std::fmt;
use std::sync::Arc;

use cintx_raw::{Body, Host, MAX_DECODED_BODY, Operation, Request, Secret};
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;

use super::entry::{Admitted, Entry, EntryRefusal, Refused, UnansweredEntry, is_rid, is_same_link};
use super::transition::{Confirmed, OutcomeConflict, TransitionResult, UnknownRespondent};
use super::{CALLBACK, RespondentOutcome};
use crate::auth::AccessToken;
use crate::auth::refresher::TokenCache;
use crate::cache::Cache;
use crate::client::builder::{IN_FLIGHT, base_url, beside_own_client, http_sender, sensitive, user_agent};
use crate::client::clock::SharedClock;
use crate::client::{CallOptions, RetryPolicy, Timeouts};
use crate::error::{Error, FieldError, Outcome};
use crate::http::pace::{AdaptivePacer, Pacer};
use crate::http::{
    After, AttemptEvent, HttpSender, HttpTransport, Pipeline, SentKeys, ServerToServer as KeyedHost, Shared,
};
use crate::recovery::resolver::Looks;

/// Follows respondents from your server to Cint's. Cheap to clone.
///
/// ```no_run
/// # async fn survey() {}
/// # async fn run(rid: &str, entry_url: &str) -> Result<String, Box<dyn std::error::Error>> {
/// use cintx::respondent::{Entry, RespondentOutcome, ServerToServer, TransitionResult};
///
/// let s2s = ServerToServer::builder().key(std::env::var("CINT_S2S_KEY")?).build()?;
/// let respondent = match s2s.validate(rid, entry_url).await? {
///     Entry::Admitted(respondent) => respondent,
///     Entry::Refused(refused) => return Ok(refused.exit_url().to_owned()),
/// };
/// // Keep `respondent` with the answers: it survives restarts. The survey takes place; then:
/// match s2s.finish(&respondent, RespondentOutcome::Complete).await {
///     TransitionResult::Confirmed(confirmed) => Ok(confirmed.exit_url().to_owned()),
///     // Cint has another outcome on record already, which cannot be changed here.
///     TransitionResult::Conflict(conflict) => Ok(conflict.accept_recorded().exit_url().to_owned()),
///     // Cint knows no such respondent any more: they go back without an outcome.
///     TransitionResult::NotFound(unknown) => Ok(unknown.give_up().exit_url().to_owned()),
///     // Nothing has changed, so it may be sent again.
///     TransitionResult::NotApplied { .. } => Err("try again".into()),
///     // Send it again: Cint then says what it has on record.
///     TransitionResult::Unknown { .. } => Err("one moment".into()),
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct ServerToServer {
    pipeline: Arc<Pipeline>,
    callback: Arc<str>,
}

/// Where a respondent is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RespondentStatus {
    /// Cint's code. Only the meaning of 1 is published: in the survey.
    pub code: i64,
    /// The addresses by which the respondent was to enter: compare them with the one that was called.
    pub links: Vec<String>,
}

impl RespondentStatus {
    /// Whether the respondent is in the survey, or has dropped out of it. Nobody else should be let in.
    pub fn is_in_survey(&self) -> bool {
        self.code == IN_SURVEY
    }
}

/// The code of a respondent who is in the survey.
const IN_SURVEY: i64 = 1;

/// What the API tells of a respondent, in answers and in the refusal of a transition.
#[derive(Deserialize)]
struct Told {
    id: Option<String>,
    status: Option<i64>,
    #[serde(default)]
    links: Option<Vec<Link>>,
}

#[derive(Deserialize)]
struct Link {
    href: Option<String>,
}

impl Told {
    /// The status that it tells of this respondent, if it does.
    fn status_of(&self, rid: &str) -> Option<i64> {
        let other = self.id.as_deref().is_some_and(|id| !id.eq_ignore_ascii_case(rid));
        if other { None } else { self.status }
    }
}

/// Whether a failure has a page in the place of an answer: it comes from somebody else, who knows no such address.
fn is_page(error: &Error) -> bool {
    error.body().trim_ascii_start().starts_with(b"<")
}

/// Whether Cint says that it knows no such respondent.
fn is_unknown_respondent(error: &Error) -> bool {
    error.is_not_found() && !is_page(error)
}

/// Whether Cint refuses what it was asked for a respondent.
fn is_refused(error: &Error) -> bool {
    error.status().is_some_and(|status| status.as_u16() == 422)
}

/// The status that a refusal tells of a respondent, if it does. Under another status than 422, a number that is no
/// published code and comes without the respondent's id is not taken for one: some say their own status there.
fn told_in(error: &Error, rid: &str) -> Option<i64> {
    let refusal = error.status().filter(|status| status.is_client_error())?;
    // They are about the call, whoever the respondent is.
    if matches!(refusal.as_u16(), 401 | 403 | 404 | 429) {
        return None;
    }
    let told = serde_json::from_slice::<Told>(error.body()).ok()?;
    let code = told.status_of(rid)?;
    let is_published = code == IN_SURVEY || RespondentOutcome::try_from(code).is_ok();
    (is_refused(error) || told.id.is_some() || is_published).then_some(code)
}

impl ServerToServer {
    /// Starts a client.
    pub fn builder() -> ServerToServerBuilder {
        ServerToServerBuilder::new()
    }

    /// The same for calls with other options: retries, time limits, headers. They go before those of the builder.
    #[must_use = "the client itself keeps its options"]
    pub fn with(&self, options: CallOptions) -> Self {
        let (shared, options) = (Arc::clone(&self.pipeline.shared), options.with_defaults(&self.pipeline.options));
        Self { pipeline: Arc::new(Pipeline { shared, options }), callback: Arc::clone(&self.callback) }
    }

    /// What Cint knows of a respondent.
    ///
    /// # Errors
    /// That the RID is no UUID, before anything is sent. The API answers 404 if there is no such respondent. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "get_respondent_status")]
    pub async fn status(&self, rid: &str) -> Result<RespondentStatus, Error> {
        if !is_rid(rid) {
            let problem = format!("is {rid:?}, expected a UUID of 36 characters");
            return Err(Error::invalid(vec![FieldError::new("rid", problem)]));
        }
        let operation = Operation::respondent_status();
        let request = Request::to(operation, operation.path.replace("{RID}", rid));
        let told: Told = request.fetch(&*self.pipeline).await?.into_value();
        Ok(RespondentStatus {
            code: told.status_of(rid).ok_or_else(|| Error::incomplete(operation, "status"))?,
            links: told.links.into_iter().flatten().filter_map(|link| link.href).collect(),
        })
    }

    /// Admits a respondent, if Cint says that the respondent is in the survey and came by this address. `entry_url` is
    /// the public address as the browser called it, scheme and host included; the RID is the one that it carries.
    ///
    /// What the address has beyond Cint's own link, a hash for example, does not count. Until an outcome is on record,
    /// a respondent is in the survey, and admitted as often as they come: your own records tell who is here already.
    ///
    /// # Errors
    /// Cint could not be asked. That says nothing about the respondent: let nobody in, and offer to try again, as long
    /// as your patience lasts; then [give up](UnansweredEntry::give_up). See
    /// [when a call fails](crate::guide::failures).
    pub async fn validate(&self, rid: &str, entry_url: &str) -> Result<Entry, UnansweredEntry> {
        let refused = |reason| Refused { reason, exit_url: self.way_back(rid) };
        let refuse = |reason| Entry::Refused(refused(reason));
        if !is_rid(rid) {
            return Ok(refuse(EntryRefusal::NotAnId));
        }
        let status = match self.status(rid).await {
            Ok(status) => status,
            Err(error) if is_unknown_respondent(&error) => return Ok(refuse(EntryRefusal::NotFound)),
            Err(cause) => match told_in(&cause, rid).filter(|code| *code != IN_SURVEY) {
                Some(code) => return Ok(refuse(EntryRefusal::NotInSurvey { code })),
                None if is_refused(&cause) && !is_page(&cause) => return Ok(refuse(EntryRefusal::NoStatus)),
                None => {
                    let (rid, refused) = (rid.to_owned(), refused(EntryRefusal::Unanswered));
                    return Err(UnansweredEntry { rid, refused, cause });
                }
            },
        };
        if !status.is_in_survey() {
            return Ok(refuse(EntryRefusal::NotInSurvey { code: status.code }));
        }
        if !status.links.iter().any(|link| is_same_link(link, entry_url, rid)) {
            return Ok(refuse(EntryRefusal::OtherLink { links: status.links }));
        }
        Ok(Entry::Admitted(Admitted { rid: rid.to_owned(), entry_url: entry_url.to_owned() }))
    }

    /// Says how the survey ended for a respondent. Sent once: what may have arrived is never repeated here. Call it
    /// again as often as need be: Cint refuses an outcome that is on record already, and that refusal
    /// [confirms](TransitionResult::Confirmed) it.
    #[doc(alias = "update_respondent_status")]
    pub async fn finish(&self, respondent: &Admitted, outcome: RespondentOutcome) -> TransitionResult {
        let rid = respondent.rid();
        let operation = Operation::respondent_transition();
        let body = json!({ "id": rid, "status": outcome.code() }).to_string();
        let body = Body { bytes: body.into(), content_type: HeaderValue::from_static("application/json") };
        let request = Request::to(operation, operation.path).with_body(Some(body));
        let error = match request.fetch::<Told>(&*self.pipeline).await {
            // Only an answer that contradicts is none.
            Ok(answer) => match answer.value().status_of(rid) {
                Some(code) if code != outcome.code() => return TransitionResult::Unknown { cause: None },
                None if answer.value().status.is_some() => return TransitionResult::Unknown { cause: None },
                _ => return TransitionResult::Confirmed(self.confirmed(rid, outcome)),
            },
            Err(error) => Error::from(error),
        };
        if is_refused(&error) || told_in(&error, rid).is_some() {
            return self.judge(rid, outcome, error);
        }
        if is_unknown_respondent(&error) {
            return self.not_found(rid, outcome, error);
        }
        match error.outcome() {
            Outcome::NotSent | Outcome::NoEffect => TransitionResult::NotApplied { cause: Some(error) },
            Outcome::Applied | Outcome::Unknown => TransitionResult::Unknown { cause: Some(error) },
        }
    }

    /// Asks whether the respondent of a transition whose result is [unknown](TransitionResult::Unknown) is still in
    /// the survey, and sends none. After a restart, too, as long as you have kept the respondent and the outcome.
    ///
    /// [`NotApplied`](TransitionResult::NotApplied) says that they are, and that the lost request cannot arrive any
    /// more. A gateway may give up before Cint does, so whoever is in the survey is asked for again until
    /// [`Timeouts::processing`] has passed, a minute if not set; end it earlier by dropping it, and the result is as
    /// unknown as it was. Whoever has left stays [unknown](TransitionResult::Unknown) here, at once, since Cint
    /// publishes no other code of this answer: which outcome is on record is told by [`finish`](Self::finish), which
    /// may be called instead of this.
    pub async fn resolve(&self, respondent: &Admitted, outcome: RespondentOutcome) -> TransitionResult {
        let rid = respondent.rid();
        let mut looks = Looks::during(self.pipeline.shared.timeouts.processing);
        loop {
            let cause = match self.status(rid).await {
                Ok(status) if status.is_in_survey() => None,
                Ok(_) => return TransitionResult::Unknown { cause: None },
                Err(error) if is_unknown_respondent(&error) => return self.not_found(rid, outcome, error),
                Err(error) if told_in(&error, rid) == Some(IN_SURVEY) => Some(error),
                Err(error) => return TransitionResult::Unknown { cause: Some(error) },
            };
            if !looks.again().await {
                return TransitionResult::NotApplied { cause };
            }
        }
    }

    fn not_found(&self, rid: &str, wanted: RespondentOutcome, cause: Error) -> TransitionResult {
        let refused = Refused { reason: EntryRefusal::NotFound, exit_url: self.way_back(rid) };
        TransitionResult::NotFound(UnknownRespondent { rid: rid.to_owned(), wanted, refused, cause })
    }

    /// What the refusal of a transition says about the outcome that was wanted.
    fn judge(&self, rid: &str, wanted: RespondentOutcome, refusal: Error) -> TransitionResult {
        let (recorded, cause) = (told_in(&refusal, rid), Some(refusal));
        match recorded {
            Some(IN_SURVEY) => TransitionResult::NotApplied { cause },
            Some(code) if code == wanted.code() => TransitionResult::Confirmed(self.confirmed(rid, wanted)),
            Some(code) => match RespondentOutcome::try_from(code) {
                Ok(recorded) => {
                    let recorded = self.confirmed(rid, recorded);
                    TransitionResult::Conflict(OutcomeConflict { wanted, recorded })
                }
                // The other codes have no published meaning.
                Err(_) => TransitionResult::Unknown { cause },
            },
            None => TransitionResult::Unknown { cause },
        }
    }

    fn confirmed(&self, rid: &str, outcome: RespondentOutcome) -> Confirmed {
        Confirmed { rid: rid.to_owned(), outcome, exit_url: self.way_back(rid) }
    }

    /// The address that sends a respondent back to Cint; private, so that it is not had too early.
    fn way_back(&self, rid: &str) -> String {
        // What is no RID is no text of ours to pass on.
        if is_rid(rid) { format!("{}?RID={rid}", self.callback) } else { self.callback.to_string() }
    }
}

impl fmt::Debug for ServerToServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerToServer").field("callback", &self.callback).finish_non_exhaustive()
    }
}

/// What a server-to-server client needs to know: only its key is required. Made by [`ServerToServer::builder`].
#[must_use]
pub struct ServerToServerBuilder {
    key: Option<Secret>,
    url: String,
    callback: String,
    http: Option<HttpSender>,
    proxy: Option<reqwest::Proxy>,
    user_agent: Option<String>,
    retry: RetryPolicy,
    timeouts: Timeouts,
    in_flight: usize,
    after: Option<After>,
}

impl ServerToServerBuilder {
    fn new() -> Self {
        Self {
            key: None,
            url: Host::ServerToServer.default_url().to_owned(),
            callback: CALLBACK.to_owned(),
            http: None,
            proxy: None,
            user_agent: None,
            retry: RetryPolicy::standard(),
            timeouts: Timeouts::standard(),
            in_flight: IN_FLIGHT,
            after: None,
        }
    }

    /// The key of the server-to-server API, sent as it stands. Required.
    pub fn key(mut self, key: impl Into<Secret>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Another address of the server-to-server API: a sandbox's, a proxy's. HTTPS, or HTTP to this machine.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    /// Sends respondents back to another address than Cint's callback. HTTPS, or HTTP to this machine; the RID is
    /// appended as a parameter.
    pub fn callback(mut self, url: impl Into<String>) -> Self {
        self.callback = url.into();
        self
    }

    /// Uses your own HTTP client: see [`ClientBuilder::http_client`](crate::ClientBuilder::http_client).
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(HttpSender::Given(http));
        self
    }

    /// Sends requests over a transport of your own: see [`HttpTransport`]. Where there is an
    /// [`http_client`](Self::http_client), too, the later of the two counts.
    pub fn transport(mut self, transport: impl HttpTransport + 'static) -> Self {
        self.http = Some(HttpSender::Own(Arc::new(transport)));
        self
    }

    /// Sends everything through a proxy. Without it, the system's settings hold, except to this machine.
    pub fn proxy(mut self, proxy: reqwest::Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Says who you are behind the SDK's own `User-Agent`.
    pub fn user_agent_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.user_agent = Some(suffix.into());
        self
    }

    /// How failed questions are repeated; transitions are repeated only if they have certainly not left.
    /// [`RetryPolicy::standard`] if not set.
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

    /// Called for every HTTP exchange: operation, attempt, status, trace id, time.
    pub fn observe(mut self, observer: impl Fn(&AttemptEvent<'_>) + Send + Sync + 'static) -> Self {
        self.after = Some(Arc::new(observer));
        self
    }

    /// The client. Sends nothing.
    ///
    /// # Errors
    /// Names everything that is missing or wrong; or TLS cannot be set up.
    pub fn build(self) -> Result<ServerToServer, Error> {
        let of_own = [("proxy", self.proxy.is_some()), ("user_agent_suffix", self.user_agent.is_some())];
        let mut problems = beside_own_client(self.http.is_some(), of_own);
        let key = match &self.key {
            Some(key) => sensitive("key", key),
            None => Err(FieldError::new("key", "is missing: give the key of the server-to-server API")),
        };
        let key = key.map_err(|problem| problems.push(problem)).ok();
        let url = base_url("url", &self.url).map_err(|problem| problems.push(problem)).ok();
        let callback = base_url("callback", &self.callback).map_err(|problem| problems.push(problem)).ok();
        let agent = user_agent(self.user_agent.as_deref()).map_err(|problem| problems.push(problem)).ok();
        let (Some(key), Some(url), Some(callback), Some(agent), true) =
            (key, url, callback, agent, problems.is_empty())
        else {
            return Err(Error::invalid(problems));
        };
        let http = match self.http {
            Some(http) => http,
            None => http_sender(&self.timeouts, self.proxy, agent, [url.url()])?,
        };
        // Never asked for: both operations go to the host that has the key.
        let clock = SharedClock::system();
        let token = AccessToken::without_expiry("none");
        let tokens = TokenCache::fixed(token, clock.clone()).map_err(Error::setup)?;
        let pacer: Box<dyn Pacer> = Box::new(AdaptivePacer::with_max_in_flight(self.in_flight));
        let shared = Shared {
            http,
            clock,
            api_version: "none",
            demand_url: url.clone(),
            server_to_server: Some(KeyedHost { url, key }),
            tokens: Arc::new(tokens),
            retry: self.retry,
            timeouts: self.timeouts,
            budget: Shared::budget(),
            in_flight: Semaphore::new(self.in_flight),
            max_answer: MAX_DECODED_BODY,
            pacer: Some(pacer),
            before: None,
            after: self.after,
            journal: None,
            cache: Cache::default(),
            sent_keys: SentKeys::default(),
        };
        let pipeline = Pipeline { shared: Arc::new(shared), options: CallOptions::new() };
        Ok(ServerToServer { pipeline: Arc::new(pipeline), callback: callback.as_str().into() })
    }
}

impl fmt::Debug for ServerToServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerToServerBuilder").field("url", &self.url).finish_non_exhaustive()
    }
}
