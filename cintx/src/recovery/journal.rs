//! Intents that survive a crash: each write is recorded before it is sent, and removed when its outcome is known. What
//! is left after a crash is replayed under its key, or looked up: [`Client::recover`].
//!
//! [`Client::recover`]: crate::Client::recover

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::future::Future;
use std::pin::Pin;

use cintx_raw::{Body, Operation, Request};
use http::{HeaderName, HeaderValue, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::supersede::Changes;
use crate::error::Outcome;
pub use crate::error::source::JournalError;
use crate::http::idempotency::IDEMPOTENCY_KEY;
use crate::http::is_loopback;
use crate::types::ids::new_ulid;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The properties of bodies that name a thing and say nothing of respondents.
const NAMES: &[&str] = &["name", "project_customer_reference_number", "target_group_customer_reference_number", "tag"];

/// Where intents are written down. A client with a journal records every write in it.
///
/// One journal belongs to one set of credentials, and to one process at a time unless it [divides](Self::take_over) its
/// intents among several. An intent is begun right before the first byte of its call leaves, and ends when the call
/// ends with a known outcome, when [`Client::resolve`] or [`Client::recover`] decides it, when it is
/// [discarded](crate::Client::discard), when `begin` failed, and when the call is dropped while nothing of it can have
/// taken effect.
///
/// [`Client::resolve`]: crate::Client::resolve
/// [`Client::recover`]: crate::Client::recover
pub trait Journal: Send + Sync {
    /// Writes down an intent. When this returns, it must survive a crash of the machine.
    /// If it fails, nothing is sent, and [`end`](Self::end) is called for what may have been written nevertheless.
    fn begin(&self, intent: &Intent) -> BoxFuture<'_, Result<(), JournalError>>;
    /// Strikes one out; one that is not there is none of its business. Losing this in a crash does no harm: the write
    /// is replayed under its key, or looked up.
    ///
    /// After [`Outcome::Applied`], the open intents that this one [supersedes](Intent::supersedes) are never to be
    /// replayed: mark them by [`Intent::mark_superseded`].
    fn end(&self, id: &str, outcome: Outcome) -> BoxFuture<'_, Result<(), JournalError>>;
    /// The intents that are not struck out, in the order in which they were begun.
    fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, JournalError>>;
    /// Takes over what processes that are gone have left open, and answers the ids of those open intents that this
    /// process is to settle: [`Client::recover`] leaves the others alone. `None`, as the default answers, for a journal
    /// of one process: all of them.
    ///
    /// [`Client::recover`]: crate::Client::recover
    fn take_over(&self) -> BoxFuture<'_, Result<Option<BTreeSet<String>>, JournalError>> {
        Box::pin(std::future::ready(Ok(None)))
    }
    /// Strikes out the intent of a call that was dropped when its outcome was known: nothing of it can have taken
    /// effect, or it has. A destructor calls this, and cannot wait. A journal that cannot do it at once answers
    /// `false`, as the default does: then [`end`](Self::end) is called in the background.
    fn abandon(&self, _id: &str, _outcome: Outcome) -> bool {
        false
    }
}

/// One write that is about to be done. It holds what is needed to do it again, and no credential.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Intent {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) operation: String,
    pub(crate) at: Timestamp,
    pub(super) method: String,
    pub(super) target: String,
    /// The address of the API that it is for; not in journals of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    if_match: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<IntentBody>,
    /// The ids of the things that a create could be taken for, as they were listed before it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) known_before: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    superseded_by: Option<String>,
    /// The target groups of a bulk write that later ones changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changed_since: Vec<String>,
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
    pub(crate) fn of(request: &Request, version: &str, at: Timestamp) -> Self {
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
            id: new_ulid().to_string(),
            version: version.to_owned(),
            operation: request.operation().id.to_owned(),
            at,
            method: request.operation().method.to_string(),
            target: request.target().to_owned(),
            server: None,
            key: header(IDEMPOTENCY_KEY),
            if_match: header(header::IF_MATCH),
            body,
            known_before: None,
            superseded_by: None,
            changed_since: Vec::new(),
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

    /// Whether it is one of this operation: another version may have given its id to another path.
    pub(super) fn is_of(&self, operation: &Operation) -> bool {
        if operation.id != self.operation {
            return false;
        }
        let mut template = operation.path.split('/');
        let mut path = self.path().split('/');
        let same = path
            .by_ref()
            .all(|segment| template.next().is_some_and(|expected| expected.starts_with('{') || expected == segment));
        operation.method == *self.method && same && template.next().is_none()
    }

    /// The id of the intent in the journal.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The operation's id.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// The dated version of the API under which it was written down.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The path that the request goes to, without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The address of the API that the request goes to; `None` in journals that were written before it was kept.
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// Whether it may be sent to, or looked up at, this address. Sandboxes on this machine change their port.
    pub(super) fn is_for(&self, server: &Url) -> bool {
        let Some(own) = self.server.as_deref().and_then(|own| Url::parse(own).ok()) else { return true };
        let of = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default());
        of(&own) == of(server) || (is_loopback(&own) && is_loopback(server))
    }

    /// The idempotency key, if the operation takes one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The bytes of the body, if there is one. They may name respondents: keep them out of logs.
    pub fn body(&self) -> Option<&[u8]> {
        self.body.as_ref().map(|body| body.content.bytes())
    }

    /// The SHA-256 of the body in hexadecimal digits, if there is a body.
    pub fn body_sha256(&self) -> Option<&str> {
        self.body.as_ref().map(|body| &*body.sha256)
    }

    /// When it was written down.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// One line for a log or an operator, by which the write can be told from others: operation, method, path, and
    /// the names and references in the body. Respondents and links are left out.
    ///
    /// ```text
    /// create_project: POST /demand/accounts/2428/projects, name "MyDrinksSurveyQ1"
    /// ```
    pub fn summary(&self) -> String {
        let mut line = format!("{}: {} {}", self.operation, self.method, self.path());
        let body = self.json().unwrap_or_default();
        for name in NAMES {
            if let Some(value) = body.get(*name).and_then(Value::as_str) {
                // Quoted, so that a line stays one line.
                let _ = write!(line, ", {} {value:?}", name.replace('_', " "));
            }
        }
        if let Some(groups) = body.get("target_group_ids").and_then(Value::as_array) {
            let _ = write!(line, ", {} target groups", groups.len());
        }
        line
    }

    /// The id of the later write on the same thing that made this one obsolete, if there is one. Of a bulk write, the
    /// later ones may have changed a [part](Self::left_over) of the target groups only.
    pub fn superseded_by(&self) -> Option<&str> {
        self.superseded_by.as_deref()
    }

    /// The target groups of a bulk write that no later one changed. Empty for every other write.
    pub fn left_over(&self) -> Vec<String> {
        let changes = Changes::of(self);
        changes.groups().filter(|group| !self.changed_since.iter().any(|it| it == group)).map(str::to_owned).collect()
    }

    /// Whether this write, begun after the other one, leaves nothing of it to repeat: both change the same thing.
    /// The same thing is the same address for changes and deletions, the state of the same target group for launching,
    /// pausing and the like, one by one or in bulk. What makes something new supersedes nothing. One target group in
    /// common is enough: a bulk write cannot be repeated for the others alone.
    pub fn supersedes(&self, earlier: &Self) -> bool {
        Changes::of(self).supersede(&Changes::of(earlier))
    }

    /// Marks an intent that a later one supersedes, so that it is not replayed.
    pub fn mark_superseded(&mut self, by: &Self) {
        self.superseded_by = Some(by.id.clone());
        for group in Changes::of(self).groups_changed_by(&Changes::of(by)) {
            if !self.changed_since.iter().any(|it| it == group) {
                self.changed_since.push(group.to_owned());
            }
        }
    }

    /// The body, if it is JSON.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body()?).ok()
    }
}

impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies hold respondents' ids and survey links; they stay out of logs.
        f.debug_struct("Intent")
            .field("id", &self.id)
            .field("operation", &self.operation)
            .field("path", &self.path())
            .field("key", &self.key)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
