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
use futures_util::future::{BoxFuture, Either, FutureExt as _, TryFutureExt as _};
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

/// The head of an answer, and its body, which is still to come.
type Received = (StatusCode, HeaderMap, ByteStream);

impl HttpSender {
    /// Sends a request once. What leaves is made at once and not kept: the future is a part of that of every call.
    pub(crate) fn send(
        &self,
        outgoing: Outgoing,
    ) -> impl Future<Output = Result<Received, TransportError>> + Send + use<'_> {
        // Executed in one place: the future of a request is a large part of the program.
        let client = match self {
            Self::Client(client) | Self::Given(client) => client,
            Self::ByPlace { here, elsewhere } => {
                if is_loopback(&outgoing.url) {
                    here
                } else {
                    elsewhere
                }
            }
            Self::Own(transport) => return Either::Right(send_by(&**transport, outgoing)),
        };
        let asked = matches!(self, Self::Given(_)).then(|| Box::new(outgoing.url.clone()));
        Either::Left(execute(client, outgoing).map(move |answer| {
            let answer = answer.map_err(failure)?;
            if asked.is_some_and(|url| *url != *answer.url()) {
                return Err(TransportError { reach: Reach::Redirected, cause: Box::new(Redirected) });
            }
            Ok(split(answer))
        }))
    }
}

fn send_by(transport: &dyn HttpTransport, outgoing: Outgoing) -> BoxFuture<'_, Result<Received, TransportError>> {
    let Outgoing { method, url, headers, body, .. } = outgoing;
    let mut request = http::Request::new(body.unwrap_or_default());
    match http::Uri::try_from(url.as_str()) {
        Ok(uri) => *request.uri_mut() = uri,
        Err(error) => return Box::pin(std::future::ready(Err(TransportError::not_sent(error)))),
    }
    *request.method_mut() = method;
    *request.headers_mut() = headers;
    Box::pin(transport.send(request).map_ok(|answer| {
        let (head, body) = answer.into_parts();
        (head.status, head.headers, body)
    }))
}

fn execute(
    client: &reqwest::Client,
    outgoing: Outgoing,
) -> impl Future<Output = reqwest::Result<reqwest::Response>> + Send + use<'_> {
    let Outgoing { method, url, headers, body, holds_secret } = outgoing;
    let mut request = reqwest::Request::new(method, url);
    *request.headers_mut() = headers;
    *request.body_mut() = body.map(|body| match holds_secret {
        // Wrapped, it cannot be sent twice, not even by a client that follows redirects.
        true => reqwest::Body::wrap(reqwest::Body::from(body)),
        false => body.into(),
    });
    client.execute(request)
}

fn failure(error: reqwest::Error) -> TransportError {
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
