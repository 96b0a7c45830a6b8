//! A transport for the raw client alone: one reqwest client, one token, one attempt.
//! No refresh, no retry: that is what the `cintx` crate adds.

use std::fmt;

use futures_util::TryStreamExt as _;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::operation::{Host, IdempotencyKey};
use crate::request::Request;
use crate::response::{BoxError, ByteStream};
use crate::transport::{RawResponse, Transport, TransportFuture};

/// Sends each request once, with a bearer token that the caller got elsewhere.
///
/// ```no_run
/// use cintx_raw::{BearerTransport, v2025_12_18::Client};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let cint = Client::new(BearerTransport::new("a bearer token")?);
/// let projects = cint.list_account_projects(2428).await?;
/// println!("{:?}", projects.value().projects);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct BearerTransport {
    http: reqwest::Client,
    demand: Endpoint,
    server_to_server: Option<Endpoint>,
}

#[derive(Clone)]
struct Endpoint {
    url: Box<str>,
    authorization: HeaderValue,
}

impl BearerTransport {
    /// A transport to Cint's production hosts with a client of its own.
    ///
    /// # Errors
    /// [`SetupError`]: the token cannot stand in a header, or TLS cannot be set up.
    pub fn new(token: &str) -> Result<Self, SetupError> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        Ok(Self::with_client(http.map_err(SetupError::Http)?, token)?)
    }

    /// The same with the caller's client, whose redirect policy must be `none`:
    /// an answer that was redirected is refused, since it belongs to another operation.
    ///
    /// # Errors
    /// [`InvalidCredential`] if the token cannot stand in a header.
    pub fn with_client(http: reqwest::Client, token: &str) -> Result<Self, InvalidCredential> {
        let demand =
            Endpoint { url: Host::Demand.default_url().into(), authorization: credential(&format!("Bearer {token}"))? };
        Ok(Self { http, demand, server_to_server: None })
    }

    /// Talks to another Demand API host: a mock, a sandbox, a proxy.
    #[must_use]
    pub fn base_url(mut self, url: &str) -> Self {
        self.demand.url = url.trim_end_matches('/').into();
        self
    }

    /// Adds the key of the server-to-server host, and its address if it is not Cint's.
    ///
    /// # Errors
    /// [`InvalidCredential`] if the key cannot stand in a header.
    pub fn server_to_server(mut self, key: &str, url: Option<&str>) -> Result<Self, InvalidCredential> {
        let url = url.unwrap_or(Host::ServerToServer.default_url()).trim_end_matches('/').into();
        self.server_to_server = Some(Endpoint { url, authorization: credential(key)? });
        Ok(self)
    }

    async fn exchange(&self, request: Request) -> Result<RawResponse, BoxError> {
        let operation = request.operation();
        let endpoint = match operation.host {
            Host::Demand => &self.demand,
            Host::ServerToServer => self.server_to_server.as_ref().ok_or(NoServerToServerKey)?,
        };
        let mut headers = request.headers().clone();
        if matches!(operation.idempotency_key, IdempotencyKey::Required(_)) && !headers.contains_key("idempotency-key")
        {
            return Err(Box::new(NoIdempotencyKey));
        }
        headers.insert(header::AUTHORIZATION, endpoint.authorization.clone());
        if let Some(version) = operation.api_version {
            headers.insert("cint-api-version", HeaderValue::from_static(version));
        }
        if let Some(media) = operation.answer_media.first() {
            headers.insert(header::ACCEPT, HeaderValue::from_static(media));
        }
        let url = reqwest::Url::parse(&format!("{}{}", endpoint.url, request.target()))?;
        let mut builder = self.http.request(operation.method.clone(), url.clone());
        match request.body() {
            Some(body) => {
                headers.insert(header::CONTENT_TYPE, body.content_type.clone());
                builder = builder.body(body.bytes.clone());
            }
            // Cint wants the length of an action that has no body.
            None if operation.method != http::Method::GET => {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            None => {}
        }
        let answer = builder.headers(headers).send().await.map_err(reqwest::Error::without_url)?;
        if url != *answer.url() {
            return Err(Box::new(Redirected));
        }
        let status: StatusCode = answer.status();
        let headers: HeaderMap = answer.headers().clone();
        let body = ByteStream::new(answer.bytes_stream().map_err(reqwest::Error::without_url));
        Ok(RawResponse { status, headers, body, checked: None, report: None, extensions: http::Extensions::new() })
    }
}

impl Transport for BearerTransport {
    fn send(&self, request: Request) -> TransportFuture<'_> {
        Box::pin(self.exchange(request))
    }
}

impl fmt::Debug for BearerTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerTransport").field("demand", &self.demand.url).finish_non_exhaustive()
    }
}

fn credential(text: &str) -> Result<HeaderValue, InvalidCredential> {
    let mut value = HeaderValue::from_str(text).map_err(|_| InvalidCredential)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Why there is no transport.
#[derive(Debug)]
#[non_exhaustive]
pub enum SetupError {
    /// The token cannot stand in a header.
    Credential(InvalidCredential),
    /// The HTTP client cannot be set up.
    Http(reqwest::Error),
}

impl From<InvalidCredential> for SetupError {
    fn from(error: InvalidCredential) -> Self {
        Self::Credential(error)
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential(error) => fmt::Display::fmt(error, f),
            Self::Http(_) => f.write_str("the HTTP client cannot be set up"),
        }
    }
}

impl std::error::Error for SetupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Credential(_) => None,
            Self::Http(error) => Some(error),
        }
    }
}

macro_rules! plain_error {
    ($(#[$meta:meta])* $name:ident, $text:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($text)
            }
        }

        impl std::error::Error for $name {}
    };
}

plain_error!(
    /// A token or key that cannot stand in a header.
    InvalidCredential, "the credential holds characters that no header can carry"
);
plain_error!(
    /// A server-to-server operation was called without [`BearerTransport::server_to_server`].
    NoServerToServerKey, "server-to-server operations need their own key"
);
plain_error!(
    /// The caller left the idempotency key to a transport that chooses none.
    NoIdempotencyKey, "this transport chooses no idempotency keys; give one"
);
plain_error!(
    /// The HTTP client followed a redirect, so the answer belongs to another operation.
    Redirected, "the HTTP client followed a redirect; its policy must be `none`"
);
