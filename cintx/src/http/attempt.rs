//! One attempt: one HTTP exchange within its time, and what it says about how far the request got.

use std::time::Duration;

use cintx_raw::{BoxError, ByteStream, Operation, RawResponse, Request};
use futures_util::StreamExt as _;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tokio::time::{Instant, timeout_at};

use super::Pipeline;
use super::hooks::{self, AttemptContext, AttemptEvent};
use super::retry::Attempt;
use super::trace::{TRACEPARENT, Trace};
use super::transport::Outgoing;
use crate::client::options::is_download;
use crate::error::TimedOut;
use crate::retry_after::retry_after;

const API_VERSION: HeaderName = HeaderName::from_static("cint-api-version");

/// About as many as a request has.
const HEADERS_OF_REQUEST: usize = 12;

/// Where the clock ends before the limit: thirty years.
const FAR_FUTURE: Duration = Duration::from_secs(86_400 * 365 * 30);

/// What an attempt came to.
pub(super) struct AttemptResult {
    /// How far it got.
    pub(super) attempt: Attempt,
    /// How long the API asks to wait.
    pub(super) retry_after: Option<Duration>,
    /// The answer, or why there is none.
    pub(super) answer: Result<RawResponse, BoxError>,
}

impl AttemptResult {
    fn nothing(attempt: Attempt, cause: BoxError) -> Self {
        Self { attempt, retry_after: None, answer: Err(cause) }
    }
}

impl Pipeline {
    /// Makes the attempt and calls the hooks.
    pub(super) async fn attempt(
        &self,
        request: &Request,
        authorization: &HeaderValue,
        trace: &Trace,
        number: u32,
        (started, limit): (Instant, Duration),
    ) -> AttemptResult {
        let got = self.exchange(request, authorization, trace, number, (started, limit)).await;
        let got = match got.may_echo(authorization) {
            // Rarely, and so not a part of every call's future.
            true => Box::pin(got.without_echo(authorization)).await,
            false => got,
        };
        let operation = request.operation();
        match &got.answer {
            Ok(answer) => tracing::debug!(
                attempt = number,
                trace_id = trace.id(),
                status = answer.status.as_u16(),
                elapsed = ?started.elapsed(),
                query = hooks::query(request.target()),
                headers = hooks::headers(&answer.headers),
                "answered"
            ),
            Err(error) => tracing::debug!(
                attempt = number,
                trace_id = trace.id(),
                elapsed = ?started.elapsed(),
                query = hooks::query(request.target()),
                %error,
                "no answer"
            ),
        }
        if let Some(after) = &self.shared.after {
            let (status, elapsed) = (got.answer.as_ref().ok().map(|answer| answer.status), started.elapsed());
            after(&AttemptEvent { operation, attempt: number, trace_id: trace.id(), status, elapsed });
        }
        got
    }

    async fn exchange(
        &self,
        request: &Request,
        authorization: &HeaderValue,
        trace: &Trace,
        number: u32,
        (began, limit): (Instant, Duration),
    ) -> AttemptResult {
        let operation = request.operation();
        let parent = match trace.parent() {
            Ok(parent) => parent,
            Err(error) => return AttemptResult::nothing(Attempt::NotSent, Box::new(error)),
        };
        let headers = self.headers(request, authorization, (trace, parent), number);
        let url = self.shared.base_url(operation.host).join(request.target());
        // Shared, not copied: the next attempt has the same bytes.
        let body = request.body().map(|body| body.bytes.clone());
        let outgoing = Outgoing { method: operation.method.clone(), url, headers, body, holds_secret: false };
        // One time limit for head and body.
        let end = began.checked_add(limit).unwrap_or_else(|| began + FAR_FUTURE);
        let answer = match timeout_at(end, self.shared.http.send(outgoing)).await {
            Ok(Ok(answer)) => answer,
            // It may have been read by now; whether it was is not known.
            Err(_) => return AttemptResult::nothing(Attempt::Lost, Box::new(TimedOut::Attempt(limit))),
            Ok(Err(error)) => {
                let attempt = if error.is_not_sent() { Attempt::NotSent } else { Attempt::Lost };
                return AttemptResult::nothing(attempt, error.into_cause());
            }
        };
        self.read(operation, answer, (limit, end)).await
    }

    fn headers(
        &self,
        request: &Request,
        authorization: &HeaderValue,
        (trace, parent): (&Trace, HeaderValue),
        number: u32,
    ) -> HeaderMap {
        let operation = request.operation();
        // Room for all that are added here and by the HTTP client: it does not grow by steps.
        let mut headers = HeaderMap::with_capacity(self.options.headers.len() + HEADERS_OF_REQUEST);
        headers.extend(self.options.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        if let Some(before) = &self.shared.before {
            before(&mut AttemptContext { operation, number, trace_id: trace.id(), headers: &mut headers });
        }
        headers.extend(request.headers().iter().map(|(name, value)| (name.clone(), value.clone())));
        headers.insert(header::AUTHORIZATION, authorization.clone());
        headers.insert(TRACEPARENT, parent);
        if operation.host == cintx_raw::Host::Demand {
            let version = operation.api_version.unwrap_or(self.shared.api_version);
            headers.insert(API_VERSION, HeaderValue::from_static(version));
        }
        if let Some(media) = operation.answer_media.first() {
            headers.insert(header::ACCEPT, HeaderValue::from_static(media));
        }
        if cfg!(not(feature = "gzip")) {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        match request.body() {
            Some(body) => {
                headers.insert(header::CONTENT_TYPE, body.content_type.clone());
            }
            // Cint wants the length of an action that has no body.
            None if operation.method != http::Method::GET => {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            None => {}
        }
        headers
    }

    /// Reads an answer: whole, unless it is a download; before the `end` of the attempt, whose time has a `limit`.
    async fn read(
        &self,
        operation: &'static Operation,
        (status, headers, body): (StatusCode, HeaderMap, ByteStream),
        (limit, end): (Duration, Instant),
    ) -> AttemptResult {
        let retry_after = retry_after(&headers);
        let answered = Attempt::Answered { status: status.as_u16(), retry_after };
        if is_download(operation) && status.is_success() {
            let is_expected = operation.check_head(status, &headers).is_ok();
            let answered = if is_expected { answered } else { Attempt::Unexpected };
            let body = unless_stalled(body, self.shared.timeouts.stall);
            let answer =
                RawResponse { status, headers, body, checked: None, report: None, extensions: Extensions::new() };
            return AttemptResult { attempt: answered, retry_after, answer: Ok(answer) };
        }
        let body = timeout_at(end, body.collect(self.shared.max_answer)).await;
        let body = body.unwrap_or_else(|_| Err(BoxError::from(TimedOut::Attempt(limit))));
        let checked = operation.check_answer(status, &headers, body.as_deref().ok());
        let (attempt, body) = match body {
            body if checked.is_err() => (Attempt::Unexpected, ByteStream::full(body.unwrap_or_default())),
            Ok(body) => {
                if let Some(answers) = self.options.answers.as_ref().filter(|_| status.is_success()) {
                    answers.keep(operation.id, status, &body);
                }
                (answered, ByteStream::full(body))
            }
            Err(cause) if status.is_success() && status != StatusCode::NO_CONTENT => {
                (Attempt::Truncated, ByteStream::new(futures_util::stream::iter([Err::<_, BoxError>(cause)])))
            }
            // The status says enough.
            Err(_) => (answered, ByteStream::full(bytes::Bytes::new())),
        };
        let answer =
            RawResponse { status, headers, body, checked: Some(checked), report: None, extensions: Extensions::new() };
        AttemptResult { attempt, retry_after, answer: Ok(answer) }
    }
}

/// A download that ends with an error when nothing has come for too long.
fn unless_stalled(body: ByteStream, limit: Duration) -> ByteStream {
    ByteStream::new(futures_util::stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        match tokio::time::timeout(limit, body.next()).await {
            Ok(Some(Ok(chunk))) => Some((Ok(chunk), Some(body))),
            Ok(Some(Err(error))) => Some((Err(error), None)),
            Ok(None) => None,
            Err(_) => Some((Err(BoxError::from(TimedOut::Attempt(limit))), None)),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_download_that_stands_still_ends_with_an_error() {
        let chunks = futures_util::stream::iter([Ok::<_, BoxError>(bytes::Bytes::from_static(b"a"))]);
        let never = futures_util::stream::pending();
        let body = unless_stalled(ByteStream::new(chunks.chain(never)), Duration::from_secs(60));
        let cause = body.collect(10).await.unwrap_err();
        assert_eq!(cause.to_string(), "no answer within 60s");
    }
}
