//! A gateway in front of the sandbox that behaves as gateways do on bad days: it gives up before the work is done, lies
//! about what was done, strips headers, shows what was a moment ago, and answers with pages of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cintx::http::{ByteStream, TransportError};
use cintx_sandbox::Sandbox;
use http::{Method, Request, Response, StatusCode, header};
use tokio::time::Instant;

/// How long after its answer a late write is done.
pub(crate) const LATE: Duration = Duration::from_millis(300);
/// For so long after a write, reads may still show what was before it.
const LAG: Duration = Duration::from_secs(2);

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
    /// A read that shows what was before the last write, if that was a moment ago.
    Stale,
}

/// What may happen to a write.
pub(crate) const OF_WRITES: [Fault; 18] = [
    Fault::DropBefore,
    Fault::DropAfter,
    Fault::Refuse(400),
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
];

/// What may happen to a read.
pub(crate) const OF_READS: [Fault; 7] = [
    Fault::DropBefore,
    Fault::Refuse(400),
    Fault::Refuse(503),
    Fault::PageBefore,
    Fault::EmptyObjectAfter,
    Fault::StripHeaders,
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
    /// Each of them something else, in so many percent of the cases.
    Random(fastrand::Rng, u32),
}

impl Weather {
    fn fault(&mut self, number: usize, method: &Method) -> Option<Fault> {
        match self {
            Self::Calm => None,
            Self::One(one, fault) => (number == *one).then_some(*fault),
            Self::From(first, fault) => (number >= *first).then_some(*fault),
            Self::Random(random, percent) => {
                let faults = if method == Method::GET { &OF_READS[..] } else { &OF_WRITES[..] };
                (random.u32(0..100) < *percent).then(|| faults[random.usize(0..faults.len())])
            }
        }
    }
}

#[derive(Debug, Default)]
struct State {
    weather: Weather,
    seen: Vec<Method>,
    /// What each read was answered last.
    answers: BTreeMap<String, Response<Bytes>>,
    written_at: Option<Instant>,
}

/// The gateway.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    sandbox: Arc<Sandbox>,
    state: Arc<Mutex<State>>,
}

impl Gateway {
    pub(crate) fn new(sandbox: Arc<Sandbox>) -> Self {
        Self { sandbox, state: Arc::default() }
    }

    /// Forgets what was seen, and sets what is to come.
    pub(crate) fn set(&self, weather: Weather) {
        *self.state.lock().unwrap() = State { weather, ..State::default() };
    }

    /// The methods of the requests that came.
    pub(crate) fn seen(&self) -> Vec<Method> {
        self.state.lock().unwrap().seen.clone()
    }

    pub(crate) async fn send(self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        self.answer(request).map(|answer| answer.map(ByteStream::from))
    }

    fn answer(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        // The token endpoint is no part of it.
        if !request.uri().path().starts_with("/v1/") {
            return Ok(self.sandbox.answer(request));
        }
        let fault = {
            let mut state = self.state.lock().unwrap();
            let number = state.seen.len();
            state.seen.push(request.method().clone());
            state.weather.fault(number, request.method())
        };
        let Some(fault) = fault else { return Ok(self.pass_on(request)) };
        Ok(match fault {
            Fault::DropBefore => return Err(TransportError::lost("the connection is dropped")),
            Fault::Refuse(status) => error(status),
            Fault::PageBefore => page(StatusCode::OK),
            Fault::Late => {
                let gateway = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(LATE).await;
                    gateway.pass_on(request);
                });
                error(504)
            }
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
            Fault::StripHeaders => {
                let mut answer = self.pass_on(request);
                answer.headers_mut().remove(header::ETAG);
                answer.headers_mut().remove(header::LOCATION);
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
        })
    }

    fn pass_on(&self, request: Request<Bytes>) -> Response<Bytes> {
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
