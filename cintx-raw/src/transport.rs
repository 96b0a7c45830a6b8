//! The seam: every request of every version leaves through [`Transport`].
//! Decoding happens on this side of it, so a transport sees bytes and a caller sees types.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::answer::UnexpectedAnswer;
use crate::error::Error;
use crate::repair;
use crate::request::Request;
use crate::response::{BoxError, ByteStream, Response};

/// The most that an answer that is decoded may have, in bytes. Downloads are streams and have no limit.
pub const MAX_DECODED_BODY: usize = 64 << 20;

/// What a transport answers with: a boxed future, so that a client needs no type parameter.
pub type TransportFuture<'a> = Pin<Box<dyn Future<Output = Result<RawResponse, BoxError>> + Send + 'a>>;

/// Sends requests: adds the credential, the version header and whatever policy it has.
///
/// A transport must not follow redirects. An error it returns reaches the caller unchanged,
/// behind [`Error::cause`]: a token that could not be had, a deadline that passed.
pub trait Transport: Send + Sync {
    /// Sends one request and answers with whatever came back, whatever its status.
    fn send(&self, request: Request) -> TransportFuture<'_>;
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send(&self, request: Request) -> TransportFuture<'_> {
        (**self).send(request)
    }
}

/// An answer before it is decoded.
#[derive(Debug)]
pub struct RawResponse {
    /// The HTTP status.
    pub status: StatusCode,
    /// Every response header.
    pub headers: HeaderMap,
    /// The body, read already or yet to be read.
    pub body: ByteStream,
    /// What the transport found when it held the answer against the operation's document
    /// ([`Operation::check_answer`](crate::Operation::check_answer)): it spares the client from looking again.
    pub checked: Option<Result<(), UnexpectedAnswer>>,
    /// How the answer came about; reaches the callers with the value or the error.
    pub report: Option<Arc<dyn CallReport>>,
    /// What the transport wants its callers to know beyond that; reaches them, too.
    pub extensions: Extensions,
}

/// What a transport tells of one call: how its answer came about.
pub trait CallReport: Any + fmt::Debug + Send + Sync {
    /// The trace id that was sent: that of the exchange where the answer names none.
    fn trace_id(&self) -> &str;
}

/// Sends a request and decodes a JSON answer.
pub(crate) async fn json<T: DeserializeOwned>(
    transport: &dyn Transport,
    request: Request,
) -> Result<Response<T>, Error> {
    let Full { operation, mut answer, body } = full(transport, request).await?;
    // Seen to be text at once, not string by string.
    let read = match std::str::from_utf8(&body) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(&body),
    };
    let cause = match read {
        Ok(value) => return Ok(Response::new(answer, value)),
        Err(cause) => cause,
    };
    match repair::read(&body) {
        Some((value, repaired)) => {
            answer.extensions.insert(repaired);
            Ok(Response::new(answer, value))
        }
        None => Err(Error::decode(operation, answer, body, Box::new(cause))),
    }
}

/// Sends a request whose success has no body; whatever comes is not looked at.
pub(crate) async fn empty(transport: &dyn Transport, request: Request) -> Result<Response<()>, Error> {
    let Full { answer, .. } = full(transport, request).await?;
    Ok(Response::new(answer, ()))
}

/// Sends a request and reads whatever comes.
pub(crate) async fn value(transport: &dyn Transport, request: Request) -> Result<Response<serde_json::Value>, Error> {
    let Full { answer, body, .. } = full(transport, request).await?;
    Ok(Response::new(answer, repair::json_value(&body).unwrap_or_default()))
}

/// Sends a request whose success is a download.
pub(crate) async fn stream(transport: &dyn Transport, mut request: Request) -> Result<Response<ByteStream>, Error> {
    request.check()?;
    let operation = request.operation();
    let (answer, body) =
        Head::split(transport.send(request).await.map_err(|cause| Error::transport(operation, cause))?);
    if !answer.status.is_success() {
        let body = body.collect(MAX_DECODED_BODY).await.unwrap_or_default();
        return Err(Error::status_error(operation, answer, body));
    }
    let (start, body) = body.peek().await;
    match operation.check_head(answer.status, &answer.headers).and_then(|()| operation.check_download(&start)) {
        Ok(()) => Ok(Response::new(answer, body)),
        Err(reason) => {
            let body = body.collect(MAX_DECODED_BODY).await.unwrap_or_default();
            Err(Error::unexpected(operation, answer, body, reason))
        }
    }
}

/// An answer without its body.
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) report: Option<Arc<dyn CallReport>>,
    pub(crate) extensions: Extensions,
}

impl Head {
    fn split(answer: RawResponse) -> (Self, ByteStream) {
        let RawResponse { status, headers, body, report, extensions, .. } = answer;
        (Self { status, headers, report, extensions }, body)
    }
}

struct Full {
    operation: &'static crate::Operation,
    answer: Head,
    body: Bytes,
}

async fn full(transport: &dyn Transport, mut request: Request) -> Result<Full, Error> {
    request.check()?;
    let operation = request.operation();
    let mut raw = transport.send(request).await.map_err(|cause| Error::transport(operation, cause))?;
    let checked = raw.checked.take();
    let (answer, body) = Head::split(raw);
    let body = body.collect(MAX_DECODED_BODY).await;
    classify(operation, answer, checked, body)
}

/// What an answer says. It awaits nothing: what does is in the program once for each kind of value.
#[inline(never)]
fn classify(
    operation: &'static crate::Operation,
    answer: Head,
    checked: Option<Result<(), UnexpectedAnswer>>,
    body: Result<Bytes, BoxError>,
) -> Result<Full, Error> {
    let success = answer.status.is_success();
    let checked = match checked {
        Some(checked) => checked,
        None => operation.check_answer(answer.status, &answer.headers, body.as_deref().ok()),
    };
    if let Err(reason) = checked {
        return Err(Error::unexpected(operation, answer, body.unwrap_or_default(), reason));
    }
    match body {
        Ok(body) if success => Ok(Full { operation, answer, body }),
        // The status says more than the reason why its body broke off.
        Ok(body) => Err(Error::status_error(operation, answer, body)),
        Err(_) if !success => Err(Error::status_error(operation, answer, Bytes::new())),
        Err(cause) => Err(Error::decode(operation, answer, Bytes::new(), cause)),
    }
}
