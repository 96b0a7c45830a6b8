//! The pipeline of every request, of every version: headers, key, deadline, token, attempts, classification. The
//! decisions are made in `retry`; this file carries them out.

pub(crate) mod attempt;
mod echo;
pub(crate) mod hooks;
pub(crate) mod idempotency;
mod intent;
mod loopback;
pub mod pace;
mod report;
mod retry;
#[cfg(test)]
mod sim;
mod target;
mod throttle;
mod tls;
mod trace;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cintx_raw::{BoxError, Host, Idempotency, Operation, RawResponse, Request, Transport};
use futures_util::future::BoxFuture;
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tracing::Instrument as _;

use self::attempt::AttemptResult;
pub(crate) use self::hooks::{After, Before};
pub use self::hooks::{AttemptContext, AttemptEvent};
pub(crate) use self::idempotency::SentKeys;
use self::idempotency::{IDEMPOTENCY_KEY, NewKey};
use self::intent::CallIntent;
pub(crate) use self::intent::under_way;
pub(crate) use self::loopback::is_loopback;
use self::pace::{Observation, PaceRequest, Pacer, Permit};
pub use self::report::ResponseExt;
use self::retry::{Attempt, Decision, Effect, Event, RetryMachine, Verdict};
pub(crate) use self::target::BaseUrl;
use self::throttle::Budget;
pub(crate) use self::tls::client_builder;
pub(crate) use self::trace::{TRACEPARENT, Trace};
pub use self::transport::{ByteStream, HttpTransport, TransportError, TransportFuture};
pub(crate) use self::transport::{HttpSender, Outgoing};
use crate::auth::clock::Now;
use crate::auth::refresher::TokenCache;
use crate::auth::token::Token;
use crate::cache::Cache;
use crate::client::clock::SharedClock;
use crate::client::{CallOptions, OperationTimeouts, RetryPolicy, Timeouts};
use crate::error::{Failure, FieldError, NoServerToServerKey, Outcome, Refused, Report, StopReason, TimedOut};
use crate::recovery::{Journal, REPLAY_WITHIN};

/// A token that was got longer ago is asked for again.
const MAX_CREDENTIAL_AGE: Duration = Duration::from_secs(1);

/// Lists the ids of what a create could be taken for. A pointer, so that a program without such a create does not hold
/// the table of operations that it needs.
pub(crate) type LookFirst = for<'a> fn(&'a Pipeline, &'a Request) -> BoxFuture<'a, Option<Vec<String>>>;

/// What the clones of one client share.
pub(crate) struct Shared {
    pub(crate) http: HttpSender,
    pub(crate) api_version: &'static str,
    pub(crate) demand_url: BaseUrl,
    pub(crate) server_to_server: Option<ServerToServer>,
    pub(crate) tokens: Arc<TokenCache>,
    pub(crate) retry: RetryPolicy,
    pub(crate) timeouts: Timeouts,
    pub(crate) budget: Budget,
    pub(crate) in_flight: Semaphore,
    pub(crate) max_answer: usize,
    pub(crate) pacer: Option<Box<dyn Pacer>>,
    pub(crate) clock: SharedClock,
    pub(crate) before: Option<Before>,
    pub(crate) after: Option<After>,
    pub(crate) journal: Option<Arc<dyn Journal>>,
    pub(crate) cache: Cache,
    /// The idempotency keys that callers chose.
    pub(crate) sent_keys: SentKeys,
}

pub(crate) struct ServerToServer {
    pub(crate) url: BaseUrl,
    pub(crate) key: HeaderValue,
}

/// Sends the requests of one client, with the options of one clone of it.
#[derive(Clone)]
pub(crate) struct Pipeline {
    pub(crate) shared: Arc<Shared>,
    pub(crate) options: CallOptions,
}

/// The credential of one attempt.
enum Credential {
    Token(Arc<Token>),
    Key(HeaderValue),
}

impl Credential {
    fn header(&self) -> &HeaderValue {
        match self {
            Self::Token(token) => token.header(),
            Self::Key(key) => key,
        }
    }
}

impl Shared {
    pub(crate) fn budget() -> Budget {
        Budget::new()
    }

    async fn credential(&self, host: Host) -> Result<Credential, BoxError> {
        match self.credential_now(host) {
            Some(credential) => credential,
            None => Ok(Credential::Token(self.tokens.get().await?)),
        }
    }

    /// The same if there is one at once.
    fn credential_now(&self, host: Host) -> Option<Result<Credential, BoxError>> {
        let credential = match host {
            Host::Demand => self.tokens.get_now()?.map(Credential::Token).map_err(BoxError::from),
            _ => match &self.server_to_server {
                Some(endpoint) => Ok(Credential::Key(endpoint.key.clone())),
                None => Err(NoServerToServerKey.into()),
            },
        };
        Some(credential)
    }

    /// A credential, and the right to make an attempt now, if neither has to be waited for.
    fn turn_now(&self, operation: &'static Operation, request: PaceRequest) -> Option<Result<Ready<'_>, NotReady>> {
        let credential = match self.credential_now(operation.host)? {
            Ok(credential) => credential,
            Err(cause) => return Some(Err(NotReady::NoToken(cause))),
        };
        // The place first: to the pacer, a permit that is given back was an attempt.
        let place = self.in_flight.try_acquire().ok()?;
        let permit = match &self.pacer {
            Some(pacer) => Some(pacer.acquire_now(&request)?),
            None => None,
        };
        Some(Ok((credential, (place, permit))))
    }

    /// A credential, and the right to make an attempt now.
    async fn turn(
        &self,
        operation: &'static Operation,
        deadline: Option<Instant>,
        request: PaceRequest,
    ) -> Result<Ready<'_>, NotReady> {
        let mut credential = self.credential(operation.host).await?;
        let mut permit = None;
        if let Some(pacer) = &self.pacer {
            let asked = Instant::now();
            let request = request.of(operation, asked, deadline);
            permit = pacer.acquire_now(&request);
            if permit.is_none() {
                permit = Some(pacer.acquire(request).await.map_err(|_| NotReady::NoRoom)?);
                if asked.elapsed() > MAX_CREDENTIAL_AGE {
                    credential = self.credential(operation.host).await?;
                }
            }
        }
        let place = self.in_flight.acquire().await.map_err(BoxError::from)?;
        Ok((credential, (place, permit)))
    }

    pub(crate) fn base_url(&self, host: Host) -> &BaseUrl {
        match (host, &self.server_to_server) {
            (Host::Demand, _) | (_, None) => &self.demand_url,
            (_, Some(endpoint)) => &endpoint.url,
        }
    }
}

impl Pipeline {
    /// Begins a call, or says why it must not leave.
    fn begin(&self, mut request: Request) -> Result<CallUnderWay<'_>, BoxError> {
        let operation = request.operation();
        let trace = Trace::of(request.headers().get(TRACEPARENT).or_else(|| self.options.headers.get(TRACEPARENT)));
        let new_key = match self.prepare(&mut request) {
            Ok(new_key) => new_key,
            Err(problems) => return Err(refused(problems, &trace, self.shared.clock.now())),
        };
        let policy = self.options.retry.unwrap_or(self.shared.retry);
        let limits = self.options.limits.unwrap_or_else(|| self.shared.timeouts.of(operation));
        let effect = effect(&request, &policy);
        let has_token = operation.host == Host::Demand && self.shared.tokens.can_refresh();
        let (began, started) = (self.shared.clock.now(), Instant::now());
        let recorded = effect != Effect::None && !self.options.unrecorded;
        Ok(CallUnderWay {
            pipeline: self,
            request,
            trace,
            effect,
            began,
            started,
            sent: (began, started.into_std()),
            machine: RetryMachine::new(effect, has_token, policy, limits).paced(self.shared.pacer.is_some()),
            deadline: started.checked_add(limits.operation),
            limits,
            max_pause: policy.max_retry_after,
            turn: None,
            credential: None,
            intent: CallIntent::new(&self.shared, recorded),
            got: None,
            retry_after: None,
            known_before: None,
            new_key,
        })
    }

    /// Completes a request, or says why it must not leave. Answers its key if a caller chose it and this client has not
    /// sent it before.
    fn prepare(&self, request: &mut Request) -> Result<Option<NewKey<'_>>, Vec<FieldError>> {
        let mut problems = self.options.problems.clone();
        problems.extend(target::path_problems(request));
        // A fresh key is like no other.
        let chosen = self.options.key.is_some() || idempotency::is_keyed(request);
        problems.extend(idempotency::give_key(request, self.options.key.as_ref()).err());
        if !problems.is_empty() {
            return Err(problems);
        }
        if !chosen {
            return Ok(None);
        }
        self.shared.sent_keys.remember(request).map(Some).map_err(|problem| vec![problem])
    }
}

/// The failure of a request that must not leave.
fn refused(problems: Vec<FieldError>, trace: &Trace, began: Timestamp) -> BoxError {
    let report = Report {
        request: None,
        trace_id: trace.id().into(),
        attempts: 0,
        outcome: Outcome::NotSent,
        why: StopReason::Final,
        retry_after: None,
        began,
        began_at: Instant::now().into_std(),
        sent: (began, Instant::now().into_std()),
        earlier_at_work: false,
        known_before: None,
        intent: None,
    };
    Box::new(Failure { report: Arc::new(report), cause: Box::new(Refused(problems)) })
}

/// What an attempt says of the pace.
fn observation(attempt: Attempt) -> Observation {
    match attempt {
        Attempt::Answered { status: 429, retry_after } => Observation::RateLimited { retry_after },
        Attempt::Answered { status: 408 | 502..=504, retry_after } => Observation::Overloaded { retry_after },
        Attempt::Lost => Observation::Overloaded { retry_after: None },
        Attempt::NotSent => Observation::Abandoned,
        Attempt::Answered { .. } | Attempt::Truncated | Attempt::Unexpected => Observation::Answered,
    }
}

/// What repeating this very request would do.
fn effect(request: &Request, policy: &RetryPolicy) -> Effect {
    match request.operation().idempotency {
        Idempotency::Safe => Effect::None,
        _ if idempotency::is_keyed(request) => Effect::Repeatable,
        Idempotency::Idempotent if policy.idempotent_writes => Effect::Repeatable,
        Idempotency::Idempotent => Effect::SetsState,
        // The tag makes a second application impossible.
        _ if request.headers().contains_key(header::IF_MATCH) => Effect::SetsState,
        _ => Effect::Once,
    }
}

/// A place among the requests in flight, and the pacer's permit.
type Turn<'a> = (SemaphorePermit<'a>, Option<Permit>);

/// What an attempt needs before it is made.
type Ready<'a> = (Credential, Turn<'a>);

/// Why an attempt cannot be made.
enum NotReady {
    NoToken(BoxError),
    NoRoom,
    TimeIsUp,
}

impl From<BoxError> for NotReady {
    fn from(cause: BoxError) -> Self {
        Self::NoToken(cause)
    }
}

/// One call under way.
struct CallUnderWay<'a> {
    pipeline: &'a Pipeline,
    request: Request,
    trace: Trace,
    effect: Effect,
    began: Timestamp,
    /// The same by the monotonic clock.
    started: Instant,
    /// When the last attempt was sent.
    sent: (Timestamp, std::time::Instant),
    machine: RetryMachine,
    limits: OperationTimeouts,
    deadline: Option<Instant>,
    max_pause: Duration,
    turn: Option<Turn<'a>>,
    credential: Option<Credential>,
    intent: CallIntent<'a>,
    /// What the last attempt, or the last try to make one, came to.
    got: Option<Result<RawResponse, BoxError>>,
    retry_after: Option<Duration>,
    known_before: Option<Vec<String>>,
    new_key: Option<NewKey<'a>>,
}

impl<'a> CallUnderWay<'a> {
    /// Everything that happens between a request and its answer.
    async fn carry_out(&mut self) -> (Outcome, StopReason) {
        if let Some(look) = self.pipeline.options.looks_first {
            self.look_first(look).await;
        }
        let (outcome, why) = match self.run().await {
            // What is read from it may still be unreadable; then it took effect all the same.
            Verdict::Success if self.effect == Effect::None => (Outcome::NoEffect, StopReason::Final),
            Verdict::Success => (Outcome::Applied, StopReason::Final),
            Verdict::Failure { outcome, why } => (outcome, why),
        };
        if let Some(key) = &mut self.new_key {
            key.is_kept = !matches!(outcome, Outcome::NotSent | Outcome::NoEffect);
        }
        self.intent.end(outcome).await;
        (outcome, why)
    }

    /// Lists what a create could be taken for. Its own time begins afterwards.
    fn look_first(&mut self, look: LookFirst) -> BoxFuture<'_, ()> {
        let Pipeline { shared, options } = self.pipeline;
        let options = CallOptions { key: None, looks_first: None, ..options.clone() };
        let pipeline = Pipeline { shared: Arc::clone(shared), options };
        Box::pin(async move {
            self.known_before = look(&pipeline, &self.request).await;
            (self.began, self.started) = (pipeline.shared.clock.now(), Instant::now());
            self.sent = (self.began, self.started.into_std());
            self.deadline = self.started.checked_add(self.limits.operation);
        })
    }

    /// Carries out the machine's decisions until it has none left.
    async fn run(&mut self) -> Verdict {
        let (mut event, mut now) = (Event::Ready, self.started);
        loop {
            // What ends a wait is drawn by chance, nothing else.
            let unit = if matches!(event, Event::Ended { .. }) { fastrand::f64() } else { 0.0 };
            let budget = &self.pipeline.shared.budget;
            event = match self.machine.on(event, now.duration_since(self.started), unit, budget) {
                // The tokens know of a refusal since the attempt.
                Decision::GetToken => self.ready(now).await,
                Decision::Send { limit } => self.send(now, limit).await,
                Decision::Wait(wait) => {
                    self.intent.know(self.machine.outcome(Outcome::NotSent));
                    tracing::debug!(attempts = self.machine.attempts(), ?wait, "waits before another attempt");
                    tokio::time::sleep(wait).await;
                    Event::Ready
                }
                Decision::Finish(verdict) => return verdict,
            };
            now = Instant::now();
        }
    }

    /// Gets a credential, waits for its turn, and writes down what is about to be done.
    async fn ready(&mut self, now: Instant) -> Event {
        self.intent.know(self.machine.outcome(Outcome::NotSent));
        if self.is_too_old_to_repeat() {
            return Event::TimeIsUp;
        }
        let shared: &'a Shared = &self.pipeline.shared;
        let again = self.machine.was_turned_away();
        let request = PaceRequest::new(Duration::MAX).again(again).with_max_pause(self.max_pause);
        let operation = self.request.operation();
        let ready = match shared.turn_now(operation, request.of(operation, now, self.deadline)) {
            Some(ready) if !self.intent.is_to_begin() => ready,
            // In a box, so that what is rarely needed is not a part of every call's future.
            at_once => Box::pin(self.wait_for_turn(at_once, request)).await,
        };
        match ready {
            Ok((credential, turn)) => {
                self.turn = Some(turn);
                self.credential = Some(credential);
                Event::Token
            }
            Err(NotReady::NoToken(cause)) => {
                self.got = Some(Err(cause));
                Event::NoToken
            }
            Err(NotReady::NoRoom) => self.without_room(TimedOut::Rate, Event::NoRoom),
            Err(NotReady::TimeIsUp) => self.without_room(TimedOut::Operation, Event::TimeIsUp),
        }
    }

    async fn wait_for_turn(
        &mut self,
        at_once: Option<Result<Ready<'a>, NotReady>>,
        request: PaceRequest,
    ) -> Result<Ready<'a>, NotReady> {
        let shared: &'a Shared = &self.pipeline.shared;
        let deadline = self.deadline;
        let turn = async {
            let ready = match at_once {
                Some(ready) => ready?,
                None => shared.turn(self.request.operation(), deadline, request).await?,
            };
            self.intent.begin(&self.request, self.known_before.as_deref()).await.map_err(BoxError::from)?;
            Ok(ready)
        };
        match deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, turn).await.unwrap_or(Err(NotReady::TimeIsUp)),
            None => turn.await,
        }
    }

    /// Whether the machine has slept for too long for another attempt: the API may have forgotten the key of an earlier
    /// one, or the journal, which says when the call began, would take one that was just sent for an old one.
    fn is_too_old_to_repeat(&self) -> bool {
        if self.machine.attempts() == 0 {
            return false;
        }
        let age = self.pipeline.shared.tokens.now().since(Now::noted(self.began, self.started.into_std()));
        let is_keyed = idempotency::is_keyed(&self.request);
        is_keyed && age > REPLAY_WITHIN || self.intent.id().is_some() && age > self.limits.operation
    }

    /// The time is over, or will be. What the API said last says more than that.
    fn without_room(&mut self, cause: fn(Duration) -> TimedOut, event: Event) -> Event {
        if !self.machine.was_turned_away() {
            self.got = Some(Err(Box::new(cause(self.limits.operation))));
        }
        event
    }

    /// Makes one attempt and frees its place.
    async fn send(&mut self, now: Instant, limit: Duration) -> Event {
        let Some(credential) = &self.credential else { return Event::NoToken };
        self.sent = (self.pipeline.shared.clock.now(), now.into_std());
        // Dropped from here on, it may have taken effect.
        self.intent.know(Outcome::Unknown);
        if let Some(key) = &mut self.new_key {
            key.is_kept = true;
        }
        let AttemptResult { attempt, retry_after, answer } = self
            .pipeline
            .attempt(&self.request, credential.header(), &self.trace, self.machine.attempts(), (now, limit))
            .await;
        if let Some((_, Some(permit))) = self.turn.take() {
            permit.report(observation(attempt));
        }
        self.retry_after = retry_after;
        let mut token_expired = false;
        if let (Credential::Token(token), Ok(answer)) = (credential, &answer) {
            token_expired =
                answer.status == StatusCode::FORBIDDEN && token.may_be_expired(self.pipeline.shared.tokens.now());
            // What did not come from the API says nothing about a token.
            if attempt != Attempt::Unexpected {
                self.pipeline.shared.tokens.judge(token, answer.status);
            }
        }
        self.got = Some(answer);
        Event::Ended { attempt, token_expired }
    }

    /// Hands over what came, with the course of the call.
    fn finish(self, outcome: Outcome, why: StopReason) -> Result<RawResponse, BoxError> {
        let intent = self.intent.id().map(Box::from);
        let got = self.got.unwrap_or_else(|| Err(Box::new(TimedOut::Operation(self.limits.operation))));
        let success = got.as_ref().is_ok_and(|answer| answer.status.is_success());
        let attempts = self.machine.attempts();
        match (success, outcome) {
            (true, Outcome::Applied | Outcome::NoEffect) => {}
            // The span is of a lower level: where it is not listened to, this says all that matters.
            (_, Outcome::Unknown) => tracing::warn!(
                operation = self.request.operation().id,
                account = account(&self.request),
                target = path(&self.request),
                idempotency_key = key(&self.request),
                trace_id = self.trace.id(),
                attempts,
                %outcome,
                ?why,
                "the call failed"
            ),
            _ => tracing::debug!(attempts, %outcome, ?why, "the call failed"),
        }
        tracing::Span::current().record("outcome", tracing::field::display(outcome));
        let report = Arc::new(Report {
            request: Some(self.request),
            trace_id: self.trace.into_id(),
            attempts,
            outcome,
            why,
            retry_after: self.retry_after,
            began: self.began,
            began_at: self.started.into_std(),
            sent: self.sent,
            earlier_at_work: self.machine.earlier_at_work(),
            known_before: self.known_before,
            intent,
        });
        match got {
            Ok(mut answer) => {
                answer.report = Some(report);
                Ok(answer)
            }
            Err(cause) => Err(Box::new(Failure { report, cause })),
        }
    }
}

/// Where a request goes, without its query.
fn path(request: &Request) -> &str {
    request.target().split('?').next().unwrap_or_default()
}

/// The account that a request is about.
fn account(request: &Request) -> Option<&str> {
    path(request).split('/').skip_while(|segment| *segment != "accounts").nth(1)
}

fn key(request: &Request) -> Option<&str> {
    request.headers().get(IDEMPOTENCY_KEY)?.to_str().ok()
}

impl Transport for Pipeline {
    fn send(&self, request: Request) -> cintx_raw::TransportFuture<'_> {
        let operation = request.operation();
        let span = tracing::debug_span!(
            "cint",
            operation = operation.id,
            method = %operation.method,
            route = operation.path,
            version = self.shared.api_version,
            account = account(&request),
            target = path(&request),
            idempotency_key = tracing::field::Empty,
            outcome = tracing::field::Empty,
        );
        // Begun at once and in place, so that the future holds the request once.
        let mut course = match self.begin(request) {
            Ok(course) => course,
            Err(cause) => return Box::pin(std::future::ready(Err(cause))),
        };
        if !span.is_disabled()
            && let Some(key) = key(&course.request)
        {
            span.record("idempotency_key", key);
        }
        let call = async move {
            let (outcome, why) = course.carry_out().await;
            course.finish(outcome, why)
        };
        Box::pin(call.instrument(span))
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("demand_url", &self.shared.demand_url.as_str()).finish_non_exhaustive()
    }
}
