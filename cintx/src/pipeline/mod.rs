//! The way every request takes: stamp, token, attempt. Raw or ergonomic, of any version, there is no other.

mod token;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cintx_raw::{BoxError, ByteStream, Host, Operation, RawResponse, Request, Secret, Transport, TransportFuture};
use futures_util::TryStreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

pub use self::token::TokenError;
pub(crate) use self::token::{Token, TokenCache};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const API_VERSION: HeaderName = HeaderName::from_static("cint-api-version");

/// One HTTP exchange, for whoever watches them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange<'a> {
    /// The operation.
    pub operation: &'static Operation,
    /// The id under which Cint can find it. Ours, so it exists without an answer, too.
    pub trace_id: &'a str,
    /// The status of the answer; `None` if none came.
    pub status: Option<StatusCode>,
    /// How long it took.
    pub elapsed: Duration,
}

pub(crate) type Observer = Arc<dyn Fn(&Exchange<'_>) + Send + Sync>;

/// Sends the requests of one client. Shared by its clones.
pub(crate) struct Pipeline {
    pub(crate) http: reqwest::Client,
    pub(crate) demand_url: Box<str>,
    pub(crate) server_to_server: Option<ServerToServer>,
    pub(crate) tokens: TokenCache,
    pub(crate) attempt_timeout: Duration,
    pub(crate) observer: Option<Observer>,
}

pub(crate) struct ServerToServer {
    pub(crate) url: Box<str>,
    pub(crate) key: Secret,
}

/// No key was given for the server-to-server host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("server-to-server operations need their own key: Builder::server_to_server_key")]
struct NoServerToServerKey;

impl Pipeline {
    async fn run(&self, mut request: Request) -> Result<RawResponse, BoxError> {
        give_key(&mut request)?;
        let trace = Trace::new();
        match request.operation().host {
            Host::ServerToServer => {
                let endpoint = self.server_to_server.as_ref().ok_or(NoServerToServerKey)?;
                let mut key = HeaderValue::from_str(endpoint.key.expose())?;
                key.set_sensitive(true);
                self.attempt(&request, &endpoint.url, key, &trace).await
            }
            Host::Demand => {
                let token = self.tokens.get(&self.http).await?;
                let answer = self.attempt(&request, &self.demand_url, token.header().clone(), &trace).await?;
                // A refused token is not asked about twice, and a 403 is the token's fault only if our clock says so.
                let refused = answer.status == StatusCode::UNAUTHORIZED
                    || answer.status == StatusCode::FORBIDDEN && token.is_expired();
                if !refused {
                    return Ok(answer);
                }
                self.tokens.invalidate(&token);
                let token = self.tokens.get(&self.http).await?;
                self.attempt(&request, &self.demand_url, token.header().clone(), &trace).await
            }
            _ => Err("this host is not known".into()),
        }
    }

    async fn attempt(
        &self,
        request: &Request,
        base: &str,
        authorization: HeaderValue,
        trace: &Trace,
    ) -> Result<RawResponse, BoxError> {
        let started = Instant::now();
        let outcome = self.exchange(request, base, authorization, trace).await;
        if let Some(observer) = &self.observer {
            let status = outcome.as_ref().ok().map(|answer| answer.status);
            let operation = request.operation();
            observer(&Exchange { operation, trace_id: trace.id(), status, elapsed: started.elapsed() });
        }
        outcome
    }

    async fn exchange(
        &self,
        request: &Request,
        base: &str,
        authorization: HeaderValue,
        trace: &Trace,
    ) -> Result<RawResponse, BoxError> {
        let operation = request.operation();
        let mut headers = request.headers().clone();
        headers.insert(header::AUTHORIZATION, authorization);
        headers.insert(TRACEPARENT, trace.header()?);
        if let Some(version) = operation.api_version {
            headers.insert(API_VERSION, HeaderValue::from_static(version));
        }
        if let Some(media) = operation.answer_media.first() {
            headers.insert(header::ACCEPT, HeaderValue::from_static(media));
        }
        let mut builder = self.http.request(operation.method.clone(), format!("{base}{}", request.target()));
        match request.body() {
            Some(body) => {
                headers.insert(header::CONTENT_TYPE, body.content_type.clone());
                // Shared, not copied: the next attempt has the same bytes.
                builder = builder.body(body.bytes.clone());
            }
            None if operation.method != http::Method::GET => {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            None => {}
        }
        let answer =
            builder.headers(headers).timeout(self.attempt_timeout).send().await.map_err(reqwest::Error::without_url)?;
        let status = answer.status();
        let mut headers: HeaderMap = answer.headers().clone();
        if !headers.contains_key(TRACEPARENT) {
            headers.insert(TRACEPARENT, trace.header()?);
        }
        let download = !operation.answer_media.is_empty() && !operation.answer_media.contains(&"application/json");
        let body = if download && status.is_success() {
            ByteStream::new(answer.bytes_stream().map_err(reqwest::Error::without_url))
        } else {
            let bytes: Bytes = answer.bytes().await.map_err(reqwest::Error::without_url)?;
            ByteStream::full(bytes)
        };
        Ok(RawResponse { status, headers, body, extensions: http::Extensions::new() })
    }
}

impl Transport for Pipeline {
    fn send(&self, request: Request) -> TransportFuture<'_> {
        Box::pin(self.run(request))
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("demand_url", &self.demand_url).finish_non_exhaustive()
    }
}

/// W3C trace context of one call: the same for all its attempts.
struct Trace(String);

impl Trace {
    fn new() -> Self {
        let trace = uuid::Uuid::new_v4().simple().to_string();
        let span = uuid::Uuid::new_v4().simple().to_string();
        Self(format!("00-{trace}-{}-01", &span[..16]))
    }

    fn id(&self) -> &str {
        self.0.get(3..35).unwrap_or_default()
    }

    fn header(&self) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
        HeaderValue::from_str(&self.0)
    }
}

/// Gives a request that takes an idempotency key a fresh one, unless the caller chose it.
fn give_key(request: &mut Request) -> Result<(), http::header::InvalidHeaderValue> {
    let Some(format) = request.operation().idempotency_key.format() else { return Ok(()) };
    let headers = request.headers_mut();
    if headers.get(IDEMPOTENCY_KEY).is_none_or(|key| key == cintx_raw::NEW_KEY) {
        let key = match format {
            cintx_raw::KeyFormat::Ulid => ulid::Ulid::new().to_string(),
            cintx_raw::KeyFormat::Any | cintx_raw::KeyFormat::UuidV4 => uuid::Uuid::new_v4().to_string(),
        };
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::try_from(key)?);
    }
    Ok(())
}
