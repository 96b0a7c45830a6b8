//! What sends requests and brings answers: the SDK's HTTP client, or a transport of the caller's own.
//! Every request of a client goes through here, those to the token endpoint too.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use cintx_raw::BoxError;
pub use cintx_raw::ByteStream;
use futures_util::TryStreamExt as _;
use http::{HeaderMap, Method, StatusCode};
use reqwest::Url;

use super::loopback::is_loopback;
use crate::error::Redirected;

/// What a transport comes to: an answer whose head is there, or why there is none.
pub type TransportFuture<'a> =
    Pin<Box<dyn Future<Output = Result<http::Response<ByteStream>, TransportError>> + Send + 'a>>;

/// Sends requests in place of the SDK's HTTP client: a fake in tests, a recording, another HTTP stack.
///
/// Tokens, keys, retries, time limits and the look at answers stay with the SDK. A closure will do:
///
/// ```
/// use cintx::http::{ByteStream, TransportError};
/// use cintx::{Client, V2025_12_18};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cintx::Error> {
/// let fake = |request: http::Request<bytes::Bytes>| async move {
///     if request.uri().path() != "/v1/accounts/7/business-units" {
///         return Err(TransportError::not_sent("only business units are here"));
///     }
///     let body = r#"{"business_units": [{"id": 1, "name": "Europe", "currency_code": "EUR"}]}"#;
///     let answer = http::Response::builder().header("content-type", "application/json");
///     answer.body(ByteStream::from(body)).map_err(TransportError::not_sent)
/// };
/// let cint = Client::<V2025_12_18>::builder().account(7).token("t").transport(fake).build()?;
/// assert_eq!(cint.reference_data().business_units().await?[0].currency.as_deref(), Some("EUR"));
/// # Ok(())
/// # }
/// ```
pub trait HttpTransport: Send + Sync {
    /// Sends the request once, body and all, and follows no redirect. The answer's body may still be on its way; a
    /// time limit drops this future.
    ///
    /// # Errors
    /// [`TransportError::not_sent`] where the server has not begun with the request for certain, otherwise
    /// [`TransportError::lost`].
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_>;
}

impl<F, Answer> HttpTransport for F
where
    F: Fn(http::Request<Bytes>) -> Answer + Send + Sync,
    Answer: Future<Output = Result<http::Response<ByteStream>, TransportError>> + Send + 'static,
{
    fn send(&self, request: http::Request<Bytes>) -> TransportFuture<'_> {
        Box::pin(self(request))
    }
}

/// Why a transport has no answer, and whether the server may have begun with the request.
#[derive(Debug)]
pub struct TransportError {
    reach: Reach,
    cause: BoxError,
}

/// How far a request without an answer got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    NotSent,
    Lost,
    /// Further than it should: the answer belongs to another address.
    Redirected,
}

impl TransportError {
    /// The server has not begun with the request: it may be sent again, whatever it is.
    pub fn not_sent(cause: impl Into<BoxError>) -> Self {
        Self { reach: Reach::NotSent, cause: cause.into() }
    }

    /// The request left, and what became of it is not known.
    pub fn lost(cause: impl Into<BoxError>) -> Self {
        Self { reach: Reach::Lost, cause: cause.into() }
    }

    /// Whether the server has not begun with the request for certain.
    pub fn is_not_sent(&self) -> bool {
        self.reach == Reach::NotSent
    }

    pub(crate) fn is_redirect(&self) -> bool {
        self.reach == Reach::Redirected
    }

    pub(crate) fn into_cause(self) -> BoxError {
        self.cause
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reach {
            Reach::NotSent => "the request was not sent",
            Reach::Lost => "the request was sent, and there is no answer",
            Reach::Redirected => "the request was redirected",
        })
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.cause)
    }
}

/// A request on its way out.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// Shared between attempts, not copied.
    pub(crate) body: Option<Bytes>,
    /// A redirect must not take the body along, whatever client sends it.
    pub(crate) holds_secret: bool,
}

/// Sends requests.
#[derive(Clone)]
pub(crate) enum HttpSender {
    /// The SDK's, which follows no redirect.
    Client(reqwest::Client),
    /// One for this machine's own addresses, and one for all others.
    ByPlace {
        here: reqwest::Client,
        elsewhere: reqwest::Client,
    },
    /// The caller's, which may follow some: then the answer is refused.
    Given(reqwest::Client),
    Own(Arc<dyn HttpTransport>),
}

impl HttpSender {
    /// Sends a request once; the answer's body is still to come.
    pub(crate) async fn send(&self, outgoing: Outgoing) -> Result<(StatusCode, HeaderMap, ByteStream), TransportError> {
        // Awaited in one place: the future of a request is a large part of the program.
        let client = match self {
            Self::Client(client) | Self::Given(client) => client,
            Self::ByPlace { here, elsewhere } => {
                if is_loopback(&outgoing.url) {
                    here
                } else {
                    elsewhere
                }
            }
            Self::Own(transport) => {
                let Outgoing { method, url, headers, body, .. } = outgoing;
                let mut request = http::Request::new(body.unwrap_or_default());
                *request.method_mut() = method;
                *request.uri_mut() = http::Uri::try_from(url.as_str()).map_err(TransportError::not_sent)?;
                *request.headers_mut() = headers;
                let (head, body) = transport.send(request).await?.into_parts();
                return Ok((head.status, head.headers, body));
            }
        };
        let asked = matches!(self, Self::Given(_)).then(|| outgoing.url.clone());
        let answer = send(client, outgoing).await?;
        if asked.is_some_and(|url| url != *answer.url()) {
            return Err(TransportError { reach: Reach::Redirected, cause: Box::new(Redirected) });
        }
        Ok(split(answer))
    }
}

async fn send(client: &reqwest::Client, outgoing: Outgoing) -> Result<reqwest::Response, TransportError> {
    let Outgoing { method, url, headers, body, holds_secret } = outgoing;
    let mut request = reqwest::Request::new(method, url);
    *request.headers_mut() = headers;
    *request.body_mut() = body.map(|body| match holds_secret {
        // Wrapped, it cannot be sent twice, not even by a client that follows redirects.
        true => reqwest::Body::wrap(reqwest::Body::from(body)),
        false => body.into(),
    });
    client.execute(request).await.map_err(|error| {
        let reach = if error.is_redirect() {
            Reach::Redirected
        } else if error.is_connect() || error.is_builder() || is_unprocessed(&error) {
            Reach::NotSent
        } else {
            Reach::Lost
        };
        match reach {
            Reach::Redirected => TransportError { reach, cause: Box::new(Redirected) },
            _ => TransportError { reach, cause: Box::new(error.without_url()) },
        }
    })
}

fn split(mut answer: reqwest::Response) -> (StatusCode, HeaderMap, ByteStream) {
    let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
    (status, headers, ByteStream::new(answer.bytes_stream().map_err(reqwest::Error::without_url)))
}

/// Whether the server says by HTTP/2 that it has not begun with a request (RFC 9113, section 8.7): it refused the
/// stream, or shut down before it took it up.
fn is_unprocessed(error: &reqwest::Error) -> bool {
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if let Some(cause) = cause.downcast_ref::<h2::Error>() {
            return cause.is_remote()
                && match cause.reason() {
                    Some(h2::Reason::REFUSED_STREAM) => cause.is_reset(),
                    Some(h2::Reason::NO_ERROR) => cause.is_go_away(),
                    _ => false,
                };
        }
        next = cause.source();
    }
    false
}
