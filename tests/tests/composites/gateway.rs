//! A gateway in front of the sandbox that behaves as gateways do on bad days: it gives up before the work is done, lies
//! about what was done, strips headers, shows what was a moment ago, and answers with pages of its own. The machine
//! that calls it has bad days as well: it sleeps, somebody sets its clock, its program is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cintx::http::{ByteStream, TransportError};
use cintx_sandbox::Sandbox;
use futures_util::stream::{self, StreamExt as _};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long after its answer a late write is done.
pub(crate) const LATE: Duration = Duration::from_secs(8);
/// For so long after a write, reads may still show what was before it.
const LAG: Duration = Duration::from_secs(2);
/// After a sleep of this length every token has expired, and the API has forgotten every idempotency key.
const LONG: Duration = Duration::from_secs(86_400);
const NAP: Duration = Duration::from_secs(600);
const WEEKEND: Duration = Duration::from_secs(2 * 86_400);

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not passed on, and never answered.
    DropBefore,
    /// Done, and never answered.
    DropAfter,
    /// Not passed on, and answered with this status.
    Refuse(u16),
    /// Done, and answered with this status.
    StatusAfter(u16),
    /// Answered with 504 at once, and done a little later.
    Late,
    /// Not passed on, and answered with a page under 200.
    PageBefore,
    /// Not passed on, and answered with a page that says 404.
    LostItsWay,
    /// Done, and answered with a page under the right status.
    PageAfter,
    /// Done, and answered with an error object under the right status.
    ErrorAfter,
    /// Done, and answered with an empty body under the right status and media type.
    NothingAfter,
    /// Done, and answered with `{}` under the right status.
    EmptyObjectAfter,
    /// Done, and answered without `ETag` and `Location`.
    StripHeaders,
    /// Done, and answered with another `ETag` than it has, as a proxy that compresses makes of it, a `Location` that leads
    /// nowhere, and a `Content-Type` and a `Retry-After` that cannot be read.
    MangleHeaders,
    /// Done, and answered with the right head and the first half of a body whose rest does not come.
    StallBody,
    /// A read that shows what was before the last write, if that was a moment ago.
    Stale,
    /// The machine sleeps for so long before the request arrives.
    SleepBefore(Sleep),
    /// Done; then the machine sleeps for so long, and the connection is gone.
    SleepAfter(Sleep),
    /// Somebody sets the clock on the wall by so many seconds. Nothing else happens.
    SetClock(i64),
    /// Not passed on, and the program is killed.
    DieBefore,
    /// Done, and the program is killed.
    DieAfter,
}

/// A suspend: the clock on the wall goes on. The monotonic one does where it counts sleep, which depends on the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sleep {
    time: Duration,
    is_counted: bool,
}

const fn sleep(time: Duration, is_counted: bool) -> Sleep {
    Sleep { time, is_counted }
}

/// What may happen to a write.
pub(crate) const OF_WRITES: [Fault; 22] = [
    Fault::DropBefore,
    Fault::DropAfter,
    Fault::Refuse(400),
    Fault::Refuse(401),
    Fault::Refuse(429),
    Fault::Refuse(503),
    Fault::StatusAfter(302),
    Fault::StatusAfter(401),
    Fault::StatusAfter(429),
    Fault::StatusAfter(499),
    Fault::StatusAfter(501),
    Fault::StatusAfter(504),
    Fault::StatusAfter(520),
    Fault::Late,
    Fault::PageBefore,
    Fault::PageAfter,
    Fault::ErrorAfter,
    Fault::NothingAfter,
    Fault::EmptyObjectAfter,
    Fault::StripHeaders,
    Fault::MangleHeaders,
    Fault::StallBody,
];

/// What may happen to the machine and the program, whatever is asked.
pub(crate) const OF_CALLERS: [Fault; 11] = [
    Fault::SleepBefore(sleep(NAP, false)),
    Fault::SleepBefore(sleep(NAP, true)),
    Fault::SleepBefore(sleep(WEEKEND, false)),
    Fault::SleepBefore(sleep(WEEKEND, true)),
    Fault::SleepAfter(sleep(NAP, false)),
    Fault::SleepAfter(sleep(WEEKEND, false)),
    Fault::SleepAfter(sleep(WEEKEND, true)),
    Fault::SetClock(7_200),
    Fault::SetClock(-7_200),
    Fault::DieBefore,
    Fault::DieAfter,
];

/// What may happen to a read.
pub(crate) const OF_READS: [Fault; 10] = [
    Fault::LostItsWay,
    Fault::DropBefore,
    Fault::Refuse(400),
    Fault::Refuse(503),
    Fault::PageBefore,
    Fault::EmptyObjectAfter,
    Fault::StripHeaders,
    Fault::MangleHeaders,
    Fault::StallBody,
    Fault::Stale,
];

/// What the requests of a call meet.
#[derive(Clone, Debug, Default)]
pub(crate) enum Weather {
    /// Nothing.
    #[default]
    Calm,
    /// One of them, counted from 0.
    One(usize, Fault),
    /// That one and all that come after it.
    From(usize, Fault),
    /// Each of them what stands in its place, and the rest nothing.
    Course(Course),
    /// Each of them something else, in so many percent of the cases.
    Random(fastrand::Rng, u32),
}

/// What the requests of a call met, one after the other: as it is read in a report, and played again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Course {
    pub(crate) faults: Vec<Option<Fault>>,
    /// Whether the token endpoint was down, for each request to it.
    pub(crate) tokens: Vec<bool>,
}

impl Course {
    /// The faults of requests to the API.
    pub(crate) fn of(faults: &[Option<Fault>]) -> Self {
        Self { faults: faults.to_vec(), tokens: Vec::new() }
    }

    /// Those that have one thing less in them.
    pub(crate) fn shorter(&self) -> impl Iterator<Item = Self> {
        let faults = (0..self.faults.len()).filter(|&number| self.faults[number].is_some()).map(|number| {
            let mut shorter = self.clone();
            shorter.faults[number] = None;
            shorter
        });
        let tokens = (0..self.tokens.len()).filter(|&number| self.tokens[number]).map(|number| {
            let mut shorter = self.clone();
            shorter.tokens[number] = false;
            shorter
        });
        faults.chain(tokens)
    }
}

impl Weather {
    /// Whether the token endpoint is down: less often than the API has bad days, and not in one of a single fault.
    fn takes_tokens_away(&mut self, number: usize) -> bool {
        match self {
            Self::Course(course) => course.tokens.get(number).copied().unwrap_or_default(),
            Self::Random(random, percent) => random.u32(0..200) < *percent,
            _ => false,
        }
    }

    fn fault(&mut self, number: usize, method: &Method) -> Option<Fault> {
        match self {
            Self::Calm => None,
            Self::One(one, fault) => (number == *one).then_some(*fault),
            Self::From(first, fault) => (number >= *first).then_some(*fault),
            Self::Course(course) => course.faults.get(number).copied().flatten(),
            Self::Random(random, percent) => {
                let faults = if method == Method::GET { &OF_READS[..] } else { &OF_WRITES[..] };
                // The gateway fails more often than the machine.
                (random.u32(0..100) < *percent).then(|| match random.u8(0..5) {
                    0 => OF_CALLERS[random.usize(0..OF_CALLERS.len())],
                    _ => faults[random.usize(0..faults.len())],
                })
            }
        }
    }
}

#[derive(Debug)]
struct State {
    weather: Weather,
    seen: Vec<(Method, Option<Fault>)>,
    /// Whether the token endpoint was down, for each request to it.
    asked_for_tokens: Vec<bool>,
    /// What each read was answered last.
    answers: BTreeMap<String, Response<Bytes>>,
    written_at: Option<Instant>,
    /// Writes that may have been done, and whose answers did not arrive: their paths.
    untold: BTreeSet<String>,
    /// When the day began by either clock, and by how much the wall's was set, or went on in a sleep.
    began: (Timestamp, Instant),
    shift: SignedDuration,
    set: SignedDuration,
    /// Those that have not expired.
    tokens: BTreeSet<String>,
    /// How often the API has forgotten all keys.
    forgot: u32,
    /// Writes whose gateway gave up, and which are not done yet.
    late: Vec<Request<Bytes>>,
}

impl State {
    fn new(weather: Weather, now: Timestamp) -> Self {
        Self {
            weather,
            seen: Vec::new(),
            asked_for_tokens: Vec::new(),
            answers: BTreeMap::new(),
            written_at: None,
            untold: BTreeSet::new(),
            began: (now, Instant::now()),
            shift: SignedDuration::ZERO,
            set: SignedDuration::ZERO,
            tokens: BTreeSet::new(),
            forgot: 0,
            late: Vec::new(),
        }
    }
}

/// Of an answer whose body does not come to its end.
#[derive(Clone, Copy, Debug)]
struct Stalls;

/// The gateway.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    sandbox: Arc<Sandbox>,
    state: Arc<Mutex<State>>,
    died: Arc<Notify>,
}

impl Gateway {
    pub(crate) fn new(sandbox: Arc<Sandbox>) -> Self {
        let state = State::new(Weather::Calm, sandbox.now());
        Self { sandbox, state: Arc::new(Mutex::new(state)), died: Arc::default() }
    }

    /// Another day: nothing was seen, no token was given, both clocks are right.
    pub(crate) fn begin(&self) {
        *self.state.lock().unwrap() = State::new(Weather::Calm, self.sandbox.now());
    }

    /// Forgets what was seen, and sets what is to come.
    pub(crate) fn set(&self, weather: Weather) {
        let mut state = self.state.lock().unwrap();
        state.weather = weather;
        state.seen.clear();
        state.asked_for_tokens.clear();
        state.answers.clear();
        state.written_at = None;
        state.untold.clear();
    }

    /// The methods of the requests that came.
    pub(crate) fn seen(&self) -> Vec<Method> {
        self.state.lock().unwrap().seen.iter().map(|(method, _)| method.clone()).collect()
    }

    /// What each request met, to be played again.
    pub(crate) fn course(&self) -> Course {
        let state = self.state.lock().unwrap();
        let faults = state.seen.iter().map(|&(_, fault)| fault).collect();
        Course { faults, tokens: state.asked_for_tokens.clone() }
    }

    /// What each request met, to be read by people.
    pub(crate) fn told(&self) -> String {
        let state = self.state.lock().unwrap();
        let met = |(method, fault): &(Method, Option<Fault>)| match fault {
            Some(fault) => format!("{method} {fault:?}"),
            None => method.to_string(),
        };
        state.seen.iter().map(met).collect::<Vec<_>>().join(", ")
    }

    /// The paths of the writes that may have been done, and of which nobody was told.
    pub(crate) fn untold(&self) -> BTreeSet<String> {
        self.state.lock().unwrap().untold.clone()
    }

    /// The clock on the wall.
    pub(crate) fn now(&self) -> Timestamp {
        let state = self.state.lock().unwrap();
        let (wall, monotonic) = state.began;
        wall + SignedDuration::try_from(monotonic.elapsed()).unwrap() + state.shift
    }

    /// The program is killed.
    pub(crate) async fn died(&self) {
        self.died.notified().await;
    }

    /// The machine sleeps over the weekend.
    pub(crate) async fn weekend(&self) {
        self.sleep(sleep(WEEKEND, false)).await;
    }

    /// Sets the clock on the wall.
    pub(crate) fn set_clock(&self, seconds: i64) {
        let mut state = self.state.lock().unwrap();
        state.shift += SignedDuration::from_secs(seconds);
        state.set += SignedDuration::from_secs(seconds);
    }

    /// Puts the clock on the wall right.
    pub(crate) fn put_clock_right(&self) {
        let mut state = self.state.lock().unwrap();
        let set = std::mem::take(&mut state.set);
        state.shift -= set;
    }

    async fn sleep(&self, Sleep { time, is_counted }: Sleep) {
        // It is the machine that sleeps, not the API.
        let late = std::mem::take(&mut self.state.lock().unwrap().late);
        for request in late {
            self.pass_on(request);
        }
        {
            let mut state = self.state.lock().unwrap();
            if time >= LONG {
                state.tokens.clear();
                state.forgot += 1;
            }
            if !is_counted {
                state.shift += SignedDuration::try_from(time).unwrap();
            }
        }
        if is_counted {
            tokio::time::advance(time).await;
        }
    }

    pub(crate) async fn send(self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let answer = self.answer(request).await?;
        Ok(match answer.extensions().get::<Stalls>() {
            Some(Stalls) => answer.map(|body| {
                let half = body.slice(..body.len() / 2);
                let begun = stream::iter([Ok::<_, TransportError>(half)]);
                ByteStream::new(begun.chain(stream::pending()))
            }),
            None => answer.map(ByteStream::from),
        })
    }

    async fn answer(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        if !request.uri().path().starts_with("/v1/") {
            return Ok(self.give_token(request));
        }
        let fault = {
            let mut state = self.state.lock().unwrap();
            let number = state.seen.len();
            let fault = state.weather.fault(number, request.method());
            state.seen.push((request.method().clone(), fault));
            fault
        };
        let Some(fault) = fault else { return Ok(self.pass_on_and_tell(request)) };
        if let Fault::Late | Fault::DropAfter | Fault::StatusAfter(_) | Fault::SleepAfter(_) | Fault::DieAfter = fault {
            self.leave_untold(&request);
        }
        Ok(match fault {
            Fault::DropBefore => return Err(TransportError::lost("the connection is dropped")),
            Fault::Refuse(status) => error(status),
            Fault::PageBefore => page(StatusCode::OK),
            Fault::LostItsWay => page(StatusCode::NOT_FOUND),
            Fault::Late => self.finish_late(request),
            Fault::DropAfter => {
                self.pass_on(request);
                return Err(TransportError::lost("the connection is dropped"));
            }
            Fault::StatusAfter(status) => {
                self.pass_on(request);
                error(status)
            }
            Fault::PageAfter => page(self.pass_on(request).status()),
            Fault::ErrorAfter => json(self.pass_on(request).status(), r#"{"object":"internal_error","detail":"no"}"#),
            Fault::NothingAfter => json(self.pass_on(request).status(), ""),
            Fault::EmptyObjectAfter => json(self.pass_on(request).status(), "{}"),
            Fault::StripHeaders => self.strip_headers(request),
            Fault::MangleHeaders => self.mangle_headers(request),
            Fault::StallBody => {
                // Its status tells.
                let mut answer = self.pass_on_and_tell(request);
                answer.extensions_mut().insert(Stalls);
                answer
            }
            Fault::Stale => {
                let before = {
                    let state = self.state.lock().unwrap();
                    let is_lagging = state.written_at.is_some_and(|at| at.elapsed() < LAG);
                    state.answers.get(&request.uri().to_string()).filter(|_| is_lagging).cloned()
                };
                before.unwrap_or_else(|| self.pass_on(request))
            }
            Fault::SleepBefore(sleep) => {
                self.sleep(sleep).await;
                self.pass_on_and_tell(request)
            }
            Fault::SleepAfter(sleep) => {
                self.pass_on(request);
                self.sleep(sleep).await;
                return Err(TransportError::lost("the connection did not outlive the sleep"));
            }
            Fault::SetClock(seconds) => {
                self.set_clock(seconds);
                self.pass_on_and_tell(request)
            }
            Fault::DieBefore | Fault::DieAfter => {
                if fault == Fault::DieAfter {
                    self.pass_on(request);
                }
                self.died.notify_one();
                return std::future::pending().await;
            }
        })
    }

    fn give_token(&self, request: Request<Bytes>) -> Response<Bytes> {
        let is_down = {
            let mut state = self.state.lock().unwrap();
            let number = state.asked_for_tokens.len();
            let is_down = state.weather.takes_tokens_away(number);
            state.asked_for_tokens.push(is_down);
            is_down
        };
        if is_down {
            return error(503);
        }
        let answer = self.sandbox.answer(request);
        let given = serde_json::from_slice::<serde_json::Value>(answer.body()).unwrap_or_default();
        if let Some(token) = given["access_token"].as_str() {
            self.state.lock().unwrap().tokens.insert(format!("Bearer {token}"));
        }
        answer
    }

    fn strip_headers(&self, request: Request<Bytes>) -> Response<Bytes> {
        let path = request.uri().path().to_owned();
        let mut answer = self.pass_on(request);
        let stripped = [header::ETAG, header::LOCATION].map(|name| answer.headers_mut().remove(name));
        // Nothing was lost.
        if answer.status().is_success() && stripped == [None, None] {
            self.state.lock().unwrap().untold.remove(&path);
        }
        answer
    }

    fn mangle_headers(&self, request: Request<Bytes>) -> Response<Bytes> {
        let mut answer = self.pass_on(request);
        let headers = answer.headers_mut();
        let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
        let compressed = HeaderValue::try_from(format!("{}-gzip\"", tag.trim_end_matches('"'))).unwrap();
        for (name, value) in [
            (header::ETAG, compressed),
            (header::LOCATION, HeaderValue::from_static("/")),
            (header::CONTENT_TYPE, HeaderValue::from_static("json")),
        ] {
            if let Some(there) = headers.get_mut(name) {
                *there = value;
            }
        }
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("soon"));
        answer
    }

    fn finish_late(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.state.lock().unwrap().late.push(request);
        let gateway = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(LATE).await;
            let late = std::mem::take(&mut gateway.state.lock().unwrap().late);
            for request in late {
                gateway.pass_on(request);
            }
        });
        error(504)
    }

    fn leave_untold(&self, request: &Request<Bytes>) {
        if request.method() != Method::GET {
            self.state.lock().unwrap().untold.insert(request.uri().path().to_owned());
        }
    }

    fn pass_on_and_tell(&self, request: Request<Bytes>) -> Response<Bytes> {
        let path = request.uri().path().to_owned();
        let answer = self.pass_on(request);
        if answer.status().is_success() {
            self.state.lock().unwrap().untold.remove(&path);
        }
        answer
    }

    fn pass_on(&self, mut request: Request<Bytes>) -> Response<Bytes> {
        let forgot = {
            let state = self.state.lock().unwrap();
            let token = request.headers().get(header::AUTHORIZATION).and_then(|token| token.to_str().ok());
            if !token.is_some_and(|token| state.tokens.contains(token)) {
                // The API says either.
                return error(if state.seen.len().is_multiple_of(2) { 401 } else { 403 });
            }
            state.forgot
        };
        if forgot > 0
            && let Some(key) = request.headers_mut().get_mut("idempotency-key")
        {
            *key = unknown_key(key, forgot);
        }
        let read = (request.method() == Method::GET).then(|| request.uri().to_string());
        let answer = self.sandbox.answer(request);
        let mut state = self.state.lock().unwrap();
        match read {
            Some(target) => drop(state.answers.insert(target, answer.clone())),
            None => state.written_at = Some(Instant::now()),
        }
        answer
    }
}

/// A key that the sandbox has not seen, of the same form: what an API that has forgotten a key makes of it.
fn unknown_key(key: &HeaderValue, forgot: u32) -> HeaderValue {
    let mut text = key.to_str().unwrap().to_owned();
    let last = text.pop().and_then(|last| last.to_digit(10)).unwrap_or_default();
    text.extend(char::from_digit((last + forgot) % 10, 10));
    text.parse().unwrap()
}

fn error(status: u16) -> Response<Bytes> {
    json(StatusCode::from_u16(status).unwrap(), r#"{"object":"some_error","detail":"no"}"#)
}

fn json(status: StatusCode, body: &'static str) -> Response<Bytes> {
    answer(status, "application/json", body)
}

fn page(status: StatusCode) -> Response<Bytes> {
    // What has no body cannot be a page.
    let status = if status == StatusCode::NO_CONTENT { StatusCode::OK } else { status };
    answer(status, "text/html", "<!doctype html><title>Log in</title>")
}

fn answer(status: StatusCode, media: &'static str, body: &'static str) -> Response<Bytes> {
    let builder = Response::builder().status(status);
    if status == StatusCode::NO_CONTENT {
        return builder.body(Bytes::new()).unwrap();
    }
    builder.header(header::CONTENT_TYPE, media).body(Bytes::from_static(body.as_bytes())).unwrap()
}
