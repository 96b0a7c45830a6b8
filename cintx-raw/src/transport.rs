//! The seam: every request of every version leaves through [`Transport`].
//! Decoding happens on this side of it, so a transport sees bytes and a caller sees types.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::error::Error;
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
}

/// Sends a request and decodes a JSON answer.
pub(crate) async fn json<T: DeserializeOwned>(
    transport: &dyn Transport,
    request: Request,
) -> Result<Response<T>, Error> {
    let (operation, status, headers, body) = full(transport, request).await?;
    match serde_json::from_slice(&body) {
        Ok(value) => Ok(Response::new(status, headers, value)),
        Err(cause) => Err(Error::decode(operation, status, headers, body, Box::new(cause))),
    }
}

/// Sends a request whose success has no body; whatever comes is not looked at.
pub(crate) async fn empty(transport: &dyn Transport, request: Request) -> Result<Response<()>, Error> {
    let (_, status, headers, _) = full(transport, request).await?;
    Ok(Response::new(status, headers, ()))
}

/// Sends a request whose success is a download.
pub(crate) async fn stream(transport: &dyn Transport, mut request: Request) -> Result<Response<ByteStream>, Error> {
    request.check()?;
    let operation = request.operation();
    let answer = transport.send(request).await.map_err(|cause| Error::transport(operation, cause))?;
    if operation.is_success(answer.status.as_u16()) {
        return Ok(Response::new(answer.status, answer.headers, answer.body));
    }
    let body = answer.body.collect(MAX_DECODED_BODY).await.unwrap_or_default();
    Err(Error::status_error(operation, answer.status, answer.headers, body))
}

type Full = (&'static crate::Operation, StatusCode, HeaderMap, Bytes);

async fn full(transport: &dyn Transport, mut request: Request) -> Result<Full, Error> {
    request.check()?;
    let operation = request.operation();
    let RawResponse { status, headers, body } =
        transport.send(request).await.map_err(|cause| Error::transport(operation, cause))?;
    let success = operation.is_success(status.as_u16());
    match body.collect(MAX_DECODED_BODY).await {
        Ok(body) if success => Ok((operation, status, headers, body)),
        // The status says more than the reason why its body broke off.
        Ok(body) => Err(Error::status_error(operation, status, headers, body)),
        Err(_) if !success => Err(Error::status_error(operation, status, headers, Bytes::new())),
        Err(cause) => Err(Error::decode(operation, status, headers, Bytes::new(), cause)),
    }
}
