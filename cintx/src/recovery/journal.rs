//! Intents that survive a crash: each write is recorded before it is sent, and removed when its outcome is known. What
//! is left after a crash is replayed under its key, or looked up: [`Client::recover`].
//!
//! [`Client::recover`]: crate::Client::recover

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use cintx_raw::{Body, Operation, Request};
use http::{HeaderName, HeaderValue, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use ulid::Ulid;

use crate::error::Outcome;
pub use crate::error::source::JournalError;
use crate::http::idempotency::IDEMPOTENCY_KEY;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where intents are written down. A client with a journal records every write in it.
///
/// One journal belongs to one account, and to one process at a time.
pub trait Journal: Send + Sync {
    /// Writes down an intent. When this returns, it must survive a crash of the machine.
    fn begin(&self, intent: &Intent) -> BoxFuture<'_, Result<(), JournalError>>;
    /// Strikes one out. Losing this in a crash does no harm: the write is replayed under its key, or looked up.
    fn end(&self, id: &str, outcome: Outcome) -> BoxFuture<'_, Result<(), JournalError>>;
    /// The intents that are not struck out, oldest first.
    fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, JournalError>>;
}

/// One write that is about to be done. It holds what is needed to do it again, and no credential.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Intent {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) operation: String,
    pub(crate) at: Timestamp,
    target: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    if_match: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<IntentBody>,
}

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct IntentBody {
    content_type: String,
    sha256: String,
    #[serde(flatten)]
    content: Content,
}

/// Nearly every body is text, and reads better as such.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    Text(String),
    Bytes(Vec<u8>),
}

impl Content {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl Intent {
    /// The intent of sending a request.
    pub(crate) fn of(request: &Request, version: &str) -> Self {
        let header = |name: HeaderName| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
        let body = request.body().map(|body| IntentBody {
            content_type: String::from_utf8_lossy(body.content_type.as_bytes()).into_owned(),
            sha256: sha256(&body.bytes),
            content: match std::str::from_utf8(&body.bytes) {
                Ok(text) => Content::Text(text.to_owned()),
                Err(_) => Content::Bytes(body.bytes.to_vec()),
            },
        });
        Self {
            id: Ulid::new().to_string(),
            version: version.to_owned(),
            operation: request.operation().id.to_owned(),
            at: Timestamp::now(),
            target: request.target().to_owned(),
            key: header(IDEMPOTENCY_KEY),
            if_match: header(header::IF_MATCH),
            body,
        }
    }

    /// The request again, exactly as it was; `None` if the body is not what it was.
    pub(crate) fn request(&self, operation: &'static Operation) -> Option<Request> {
        let mut request = Request::to(operation, &*self.target);
        for (name, value) in [(IDEMPOTENCY_KEY, &self.key), (header::IF_MATCH, &self.if_match)] {
            if let Some(value) = value {
                request.headers_mut().insert(name, HeaderValue::from_str(value).ok()?);
            }
        }
        let body = match &self.body {
            Some(body) if sha256(body.content.bytes()) == body.sha256 => Some(Body {
                bytes: body.content.bytes().to_vec().into(),
                content_type: HeaderValue::from_str(&body.content_type).ok()?,
            }),
            Some(_) => return None,
            None => None,
        };
        Some(request.with_body(body))
    }

    /// The id of the intent in the journal.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The operation's id.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// The idempotency key, if the operation takes one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The SHA-256 of the body in hexadecimal digits, if there is a body.
    pub fn body_sha256(&self) -> Option<&str> {
        self.body.as_ref().map(|body| &*body.sha256)
    }

    /// When it was written down.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies hold respondents' ids and survey links; they stay out of logs.
        f.debug_struct("Intent")
            .field("id", &self.id)
            .field("operation", &self.operation)
            .field("key", &self.key)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
