//! The thin layer between HTTP and the engine.
//! Reads a request, asks the part that is concerned, writes the answer.

use super::{access, control, cors, oauth, view};
use crate::api::engine::{Engine, Incoming, Outgoing, TOKEN_PATH};
use crate::fault::Effect;
use crate::http::connection_fault::{Busy, ConnectionFault, Cut};
use axum::Router;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures_core::Stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, DATE, HeaderValue, ORIGIN};
use http::{HeaderMap, StatusCode};
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::Value;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// The page, which works offline: nothing in it comes from elsewhere.
const PAGE: &str = include_str!("page.html");

/// Address and headers together may be so long.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// Bodies beyond this are not read; lists of 100,000 ids fit in.
const MAX_BODY_BYTES: usize = 16 << 20;
/// The same for the control endpoint.
const MAX_CONTROL: usize = 512 << 20;

/// What a request is answered from.
#[derive(Clone, Debug)]
struct Serving {
    engine: Arc<Engine>,
    /// Says when the server ends.
    closing: watch::Receiver<bool>,
}

/// The routes: everything goes to the engine, which knows the documents.
pub(crate) fn router(engine: Arc<Engine>, closing: watch::Receiver<bool>) -> Router {
    Router::new().fallback(handle).with_state(Serving { engine, closing })
}

/// The page's stream as a body. Its connection is in use as long as somebody listens.
struct Told {
    events: mpsc::Receiver<String>,
    _busy: Busy,
}

impl Stream for Told {
    type Item = Result<String, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_recv(cx).map(|event| event.map(Ok))
    }
}

/// The refusal of a request for what not everybody may see. Only the head of
/// the request is needed: of those who are kept out no body is read.
fn keep_out(engine: &Engine, incoming: &Incoming, line: &ConnectionFault) -> Option<Outgoing> {
    if !is_control(incoming) && !is_page(incoming) && !is_stream(incoming) {
        return None;
    }
    let reason = access::check(incoming, line.peer(), engine.control_token()).err()?;
    Some(json_answer(403, &serde_json::json!({ "error": reason })))
}

/// What is no part of the API: the control endpoint, the page and its icon.
/// Looking into the sandbox never fails on purpose.
fn own_pages(engine: &Engine, incoming: &Incoming) -> Option<Outgoing> {
    if incoming.path == "/favicon.ico" && incoming.method == "GET" {
        return Some(Outgoing { status: 204, headers: HeaderMap::new(), body: Vec::new() });
    }
    if is_control(incoming) {
        return Some(engine.recorded(incoming, None, || control_answer(engine, incoming)));
    }
    let mut headers = HeaderMap::new();
    if is_stream(incoming) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return Some(Outgoing { status: 200, headers, body: Vec::new() });
    }
    if !is_page(incoming) {
        return None;
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert("x-frame-options", HeaderValue::from_static("DENY"));
    Some(Outgoing { status: 200, headers, body: PAGE.into() })
}

fn is_control(incoming: &Incoming) -> bool {
    incoming.path.starts_with("/control/")
}

fn is_page(incoming: &Incoming) -> bool {
    incoming.path == "/" && incoming.method == "GET"
}

fn is_stream(incoming: &Incoming) -> bool {
    incoming.path == "/events" && incoming.method == "GET"
}

fn control_answer(engine: &Engine, incoming: &Incoming) -> Outgoing {
    let (status, body) = control::serve(engine, incoming);
    json_answer(status, &body)
}

async fn handle(
    State(Serving { engine, closing }): State<Serving>,
    ConnectInfo(line): ConnectInfo<ConnectionFault>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let mut incoming = Incoming::of(head, Bytes::new());
    if head_bytes(&incoming) > MAX_HEAD_BYTES {
        let detail = format!("Address and headers are too long; {MAX_HEAD_BYTES} bytes at most are taken.");
        return write(
            &engine,
            json_answer(431, &serde_json::json!({ "object": "head_too_large_error", "detail": detail })),
        );
    }
    if let Some(refusal) = keep_out(&engine, &incoming, &line) {
        return write(&engine, refusal);
    }
    // States and recordings are larger than what the API takes.
    let largest = if is_control(&incoming) { MAX_CONTROL } else { MAX_BODY_BYTES };
    // What says so itself need not come first.
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let body = if announced > largest { None } else { to_bytes(body, largest).await.ok() };
    let Some(body) = body else {
        let detail = format!("The body is too large; {largest} bytes at most are taken.");
        return write(
            &engine,
            json_answer(413, &serde_json::json!({ "object": "content_too_large_error", "detail": detail })),
        );
    };
    // A connection on which the rest of a body never comes is idle.
    let busy = line.begin();
    incoming.body = body;
    if let Some(outgoing) = own_pages(&engine, &incoming).or_else(|| cors::preflight(&incoming)) {
        let is_told = is_stream(&incoming) && outgoing.status == 200;
        let mut response = write(&engine, outgoing);
        if is_told {
            let events = view::stream(engine, &incoming, view::Pace::USUAL, closing);
            *response.body_mut() = Body::from_stream(Told { events, _busy: busy });
        }
        return response;
    }
    let from_page = incoming.headers.contains_key(ORIGIN);
    let Some(strike) = engine.strike(&incoming) else {
        let mut outgoing = engine.recorded(&incoming, None, || answer(&engine, &incoming, None));
        cors::open(&incoming.path, from_page, &mut outgoing.headers);
        return write(&engine, outgoing);
    };
    pause(strike.wait).await;
    let effect = &strike.effect;
    let mut outgoing = engine.recorded(&incoming, Some(effect), || answer(&engine, &incoming, Some(effect)));
    cors::open(&incoming.path, from_page, &mut outgoing.headers);
    pause(strike.delay).await;
    match strike.effect {
        Effect::DropBefore | Effect::DropAfter => line.cut(Cut::Close),
        Effect::ResetBefore | Effect::ResetAfter => line.cut(Cut::Reset),
        Effect::Truncate(bytes) => line.cut(Cut::Body(bytes)),
        _ => {}
    }
    write(&engine, outgoing)
}

fn head_bytes(incoming: &Incoming) -> usize {
    let headers: usize = incoming.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    incoming.path.len() + incoming.query.as_ref().map_or(0, String::len) + headers
}

/// Answers a request without a connection: nothing is struck by a fault, and whoever asks may control the sandbox.
pub(crate) fn respond(engine: &Engine, request: http::Request<Bytes>) -> http::Response<Bytes> {
    let (head, body) = request.into_parts();
    let incoming = Incoming::of(head, body);
    let outgoing = engine.recorded(&incoming, None, || {
        if is_control(&incoming) {
            return control_answer(engine, &incoming);
        }
        answer(engine, &incoming, None)
    });
    write(engine, outgoing)
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

fn answer(engine: &Engine, incoming: &Incoming, effect: Option<&Effect>) -> Outgoing {
    // Effects that replace the answer are the engine's, for every path.
    if incoming.path == TOKEN_PATH && !effect.is_some_and(Effect::replaces_answer) {
        let (status, body) = oauth::token(engine, incoming);
        let mut outgoing = json_answer(status, &body);
        if let Some(Effect::ContentType(media)) = effect
            && let Ok(media) = HeaderValue::try_from(media)
        {
            outgoing.headers.insert(CONTENT_TYPE, media);
        }
        return engine.record_token(incoming, outgoing, effect);
    }
    engine.serve_under(incoming, effect)
}

fn json_answer(status: u16, body: &Value) -> Outgoing {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Outgoing { status, headers, body: serde_json::to_vec(body).unwrap_or_default() }
}

/// The answer as it leaves, with the time by the simulation's clock: that is the clock of everything in it.
fn write<B: From<Vec<u8>>>(engine: &Engine, outgoing: Outgoing) -> http::Response<B> {
    let now = engine.world().clock.now();
    let mut response = http::Response::new(B::from(outgoing.body));
    *response.status_mut() = StatusCode::from_u16(outgoing.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = outgoing.headers;
    if let Ok(now) = DateTimePrinter::new().timestamp_to_rfc9110_string(&now)
        && let Ok(now) = HeaderValue::try_from(now)
    {
        response.headers_mut().entry(DATE).or_insert(now);
    }
    response
}
