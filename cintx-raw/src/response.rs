//! What a caller gets back: the decoded value with the status and headers it came with.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::{Extensions, HeaderMap, StatusCode, header};

use crate::transport::{CallReport, Head};

/// A success answer: its value, and what came with it.
#[derive(Clone, Debug)]
pub struct Response<T> {
    status: StatusCode,
    headers: HeaderMap,
    report: Option<Arc<dyn CallReport>>,
    extensions: Extensions,
    value: T,
}

impl<T> Response<T> {
    pub(crate) fn new(answer: Head, value: T) -> Self {
        let Head { status, headers, report, extensions } = answer;
        Self { status, headers, report, extensions, value }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Every response header.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// How the answer came about, if the transport tells it.
    pub fn report(&self) -> Option<&Arc<dyn CallReport>> {
        self.report.as_ref()
    }

    /// What the transport adds to its answers.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The decoded body.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The decoded body, by value.
    pub fn into_value(self) -> T {
        self.value
    }

    /// The entity tag exactly as it came, quotes and `W/` included: that is how `If-Match` wants it.
    pub fn etag(&self) -> Option<&str> {
        self.text(header::ETAG.as_str())
    }

    /// The id at the end of `Location`, which may be an absolute URL, a path, or just the id.
    pub fn location_id(&self) -> Option<&str> {
        let location = self.text(header::LOCATION.as_str())?;
        let path = location.split(['?', '#']).next().unwrap_or_default();
        // The name of a host is no id.
        let path = path.split_once("//").map_or(path, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
        path.trim_end_matches('/').rsplit('/').next().filter(|id| !id.is_empty())
    }

    /// The id under which Cint can find this exchange: the trace id of `traceparent`, of the answer or as it was sent,
    /// or the gateway's own.
    pub fn trace_id(&self) -> Option<&str> {
        trace_id(&self.headers, self.report())
    }

    /// The same answer with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Response<U> {
        let Self { status, headers, report, extensions, value } = self;
        Response { status, headers, report, extensions, value: f(value) }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The trace id that an answer's headers carry, or that was sent.
pub(crate) fn trace_id<'a>(headers: &'a HeaderMap, report: Option<&'a Arc<dyn CallReport>>) -> Option<&'a str> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let parent = text("traceparent").map(|parent| parent.split('-').nth(1).filter(|id| id.len() == 32));
    // An answer that names none belongs to the trace that was sent; one whose own cannot be read may not.
    let parent = parent.unwrap_or_else(|| report.map(|report| report.trace_id()));
    parent.or_else(|| text("x-tyk-trace-id")).or_else(|| text("x-request-id"))
}

/// A cause of any type; `downcast_ref` tells which.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a download, chunk by chunk.
pub struct ByteStream(Source);

enum Source {
    Full(Option<Bytes>),
    Chunks(Pin<Box<dyn Chunks + Send>>),
}

/// Chunks that are yet to come: a stream of them, with errors of any type.
trait Chunks {
    fn poll_chunk(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>>;
}

impl<S, E> Chunks for S
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<BoxError>,
{
    fn poll_chunk(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        self.poll_next(cx).map(|item| item.map(|chunk| chunk.map_err(Into::into)))
    }
}

impl ByteStream {
    /// Wraps any stream of chunks.
    pub fn new<S, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        Self(Source::Chunks(Box::pin(stream)))
    }

    /// A body that is here already.
    pub fn full(bytes: Bytes) -> Self {
        Self(Source::Full(Some(bytes)))
    }

    /// The first chunk that is not empty, and the whole body, that chunk included.
    pub(crate) async fn peek(mut self) -> (Bytes, Self) {
        loop {
            match self.next_chunk().await {
                Some(Ok(chunk)) if chunk.is_empty() => {}
                Some(first) => {
                    let start = first.as_ref().cloned().unwrap_or_default();
                    return (start, Self(Source::Chunks(Box::pin(Rest { first: Some(first), rest: self }))));
                }
                None => return (Bytes::new(), Self::full(Bytes::new())),
            }
        }
    }

    /// Reads it to its end, refusing more than `limit` bytes.
    ///
    /// # Errors
    /// The transport's, or [`TooLarge`].
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, BoxError> {
        let (mut first, mut others) = (Bytes::new(), Vec::new());
        let mut length = 0_usize;
        while let Some(chunk) = self.next_chunk().await {
            let chunk = chunk?;
            let is_first = length == 0;
            length = length.saturating_add(chunk.len());
            if length > limit {
                return Err(Box::new(TooLarge { limit }));
            }
            // Most bodies are one chunk: it is not copied.
            if is_first { first = chunk } else { others.push(chunk) }
        }
        if others.is_empty() {
            return Ok(first);
        }
        let mut whole = Vec::with_capacity(length);
        std::iter::once(first).chain(others).for_each(|chunk| whole.extend_from_slice(&chunk));
        Ok(whole.into())
    }

    async fn next_chunk(&mut self) -> Option<Result<Bytes, BoxError>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl From<Bytes> for ByteStream {
    fn from(bytes: Bytes) -> Self {
        Self::full(bytes)
    }
}

impl From<Vec<u8>> for ByteStream {
    fn from(bytes: Vec<u8>) -> Self {
        Self::full(bytes.into())
    }
}

impl From<String> for ByteStream {
    fn from(text: String) -> Self {
        Self::full(text.into())
    }
}

impl From<&'static str> for ByteStream {
    fn from(text: &'static str) -> Self {
        Self::full(Bytes::from_static(text.as_bytes()))
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.0 {
            Source::Full(bytes) => Poll::Ready(bytes.take().map(Ok)),
            Source::Chunks(chunks) => chunks.as_mut().poll_chunk(cx),
        }
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByteStream(..)")
    }
}

/// A body whose first chunk has been read.
struct Rest {
    first: Option<Result<Bytes, BoxError>>,
    rest: ByteStream,
}

impl Stream for Rest {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => Pin::new(&mut self.rest).poll_next(cx),
        }
    }
}

/// A body was longer than the caller wanted to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The most that was allowed, in bytes.
    pub limit: usize,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body is longer than {} bytes", self.limit)
    }
}

impl std::error::Error for TooLarge {}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn answer(headers: HeaderMap) -> Response<()> {
        let head = Head { status: StatusCode::CREATED, headers, report: None, extensions: Extensions::new() };
        Response::new(head, ())
    }

    #[test]
    fn a_location_is_a_url_a_path_or_an_id() {
        for location in ["https://api.cint.com/v1/jobs/01HX", "/v1/jobs/01HX/", "01HX", "/v1/jobs/01HX?x=1"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, HeaderValue::from_static(location));
            assert_eq!(answer(headers).location_id(), Some("01HX"), "{location}");
        }
        assert_eq!(answer(HeaderMap::new()).location_id(), None);
    }
}
