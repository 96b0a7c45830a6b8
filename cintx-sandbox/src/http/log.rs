//! What came in and what was made of it, for tests and for people.
//! Bounded: the oldest entries go first. No credential is ever written down.

use crate::contract::Violation;
use crate::fault::TOKEN;
use crate::state::Account;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// One request that a sandbox received.
#[derive(Clone, Debug)]
pub struct Received {
    /// Counts up from 1.
    pub number: u64,
    /// When it was answered, in the simulation's time.
    pub at: String,
    /// The method.
    pub method: String,
    /// The path as requested.
    pub path: String,
    /// The query, without the question mark and without credentials.
    pub query: Option<String>,
    /// The value of `Cint-API-Version`, where one was sent.
    pub version: Option<String>,
    /// The idempotency key, where one was sent.
    pub idempotency_key: Option<String>,
    /// The id of the operation, where the route is known; `oauth_token` for the token endpoint.
    pub operation: Option<String>,
    /// The request's body, where it is JSON, without secrets.
    pub body: Option<Value>,
    /// The status of the answer; 0 if the request was lost before it was
    /// worked on.
    pub status: u16,
    /// The injected fault that hit the request, by its name in fault files.
    pub fault: Option<&'static str>,
    /// Whether the answer is a stored one, given again for a repeated key.
    pub replayed: bool,
    /// Why the request was refused, where it was.
    pub refusal: Option<String>,
    /// What the interface document does not allow about the request.
    pub violations: Vec<Violation>,
    /// What it does not know about the request, but does not forbid.
    pub notes: Vec<String>,
    /// What it does not allow about the sandbox's own answer: a fault of the
    /// sandbox. Only filled where answers are checked.
    pub answer_violations: Vec<Violation>,
    /// The request's headers, without credentials.
    pub headers: Vec<(String, String)>,
    /// The answer's headers.
    pub answer_headers: Vec<(String, String)>,
    /// The answer's body, where it is JSON, without secrets.
    pub answer: Option<Value>,
}

/// What stands in the place of a credential.
const NOT_KEPT: &str = "(not kept)";

/// Parts of the names of headers, members and parameters that carry credentials, in small letters without hyphens and
/// underscores.
const CREDENTIALS: &[&str] = &["authorization", "cookie", "secret", "accesstoken", "apikey", "assertion", "password"];

/// What the token endpoint is asked and answers that is no credential.
const OPEN_TO_ALL: &[&str] = &[
    "grant_type",
    "audience",
    "auth_scopes",
    "lucid_scopes",
    "expires_in",
    "token_type",
    "error",
    "error_description",
];

/// Whether something of this name carries a credential.
pub(crate) fn is_credential(name: &str) -> bool {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    CREDENTIALS.iter().any(|part| plain.contains(part))
}

/// What texts in pairs take in memory, roughly, in bytes.
pub(crate) fn weight_of_pairs(pairs: &[(String, String)]) -> usize {
    pairs.iter().map(|(name, value)| 48 + name.len() + value.len()).sum()
}

/// Headers as the log keeps them.
pub(crate) fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = if is_credential(name.as_str()) { NOT_KEPT } else { value.to_str().ok()? };
        Some((name.as_str().to_owned(), value.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

/// A body as the log keeps it.
pub(crate) fn body(body: &[u8]) -> Option<Value> {
    if body.len() > MAX_BODY_BYTES {
        return None;
    }
    serde_json::from_slice(body).ok().map(without_credentials)
}

/// A tree of values whose credentials are blanked, wherever in it they are.
pub(crate) fn without_credentials(mut value: Value) -> Value {
    blank(&mut value);
    value
}

fn blank(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(blank),
        Value::Object(map) => {
            for (name, own) in map {
                if is_credential(name) {
                    *own = Value::from(NOT_KEPT);
                } else {
                    blank(own);
                }
            }
        }
        _ => {}
    }
}

/// A body of the token endpoint as the log keeps it. Callers who misspell a name or take one credential for the other
/// send secrets anywhere: only what is known to be harmless is kept, and the client id where it is the account's.
pub(crate) fn token_body(body: &[u8], account: &Account) -> Option<Value> {
    if body.len() > MAX_BODY_BYTES {
        return None;
    }
    let Value::Object(mut map) = serde_json::from_slice(body).ok()? else {
        return None;
    };
    for (name, value) in &mut map {
        let text = value.to_string();
        let is_open = match name.as_str() {
            "client_id" => value.as_str() == Some(account.client_id.as_str()),
            name => {
                OPEN_TO_ALL.contains(&name)
                    && ![&account.client_secret, &account.s2s_key].iter().any(|it| text.contains(*it))
            }
        };
        if !is_open {
            *value = Value::from(NOT_KEPT);
        }
    }
    Some(Value::Object(map))
}

/// A query as the log keeps it.
pub(crate) fn query(query: &str) -> String {
    let kept = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if is_credential(&percent_decode_str(name).decode_utf8_lossy()) => format!("{name}={NOT_KEPT}"),
        _ => pair.to_owned(),
    };
    query.split('&').map(kept).collect::<Vec<_>>().join("&")
}

impl Received {
    /// Whether a token was asked for.
    pub(crate) fn is_for_token(&self) -> bool {
        self.operation.as_deref() == Some(TOKEN)
    }

    /// Whether the request was let through.
    pub fn is_accepted(&self) -> bool {
        self.refusal.is_none()
    }

    /// What it takes in memory without its bodies, roughly, in bytes.
    fn weight(&self) -> usize {
        let texts = [&self.query, &self.version, &self.idempotency_key, &self.refusal];
        let texts: usize = texts.into_iter().flatten().map(String::len).sum();
        let violations = self.violations.iter().chain(&self.answer_violations);
        let violations: usize = violations.map(|one| 200 + one.got.len() + one.allowed.len()).sum();
        let notes: usize = self.notes.iter().map(|note| 24 + note.len()).sum();
        let headers = weight_of_pairs(&self.headers) + weight_of_pairs(&self.answer_headers);
        600 + self.path.len() + texts + violations + notes + headers
    }

    pub(crate) fn facts(&self) -> Value {
        let lines = |list: &[Violation]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let map = |list: &[(String, String)]| -> Value {
            list.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
        };
        json!({
            "number": self.number,
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "version": self.version,
            "idempotency_key": self.idempotency_key,
            "operation": self.operation,
            "body": self.body,
            "status": self.status,
            "fault": self.fault,
            "replayed": self.replayed,
            "refusal": self.refusal,
            "violations": lines(&self.violations),
            "notes": self.notes,
            "answer_violations": lines(&self.answer_violations),
            "headers": map(&self.headers),
            "answer_headers": map(&self.answer_headers),
            "answer": self.answer,
        })
    }

    /// One line for a terminal.
    pub(crate) fn line(&self) -> String {
        let query = self.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
        let mut line = format!("{} {}{query} -> {}", self.method, self.path, self.status);
        if let Some(operation) = &self.operation {
            line.push_str(&format!(" [{operation}]"));
        }
        if let Some(fault) = self.fault {
            line.push_str(&format!(" (fault: {fault})"));
        }
        if self.replayed {
            line.push_str(" (replayed)");
        }
        if let Some(refusal) = &self.refusal {
            line.push_str(&format!("\n    refused: {refusal}"));
        }
        for violation in &self.violations {
            line.push_str(&format!("\n    {violation}"));
        }
        for note in &self.notes {
            line.push_str(&format!("\n    note: {note}"));
        }
        for violation in &self.answer_violations {
            line.push_str(&format!("\n    OWN ANSWER: {violation}"));
        }
        line
    }
}

/// The last requests.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// With what request and answer weigh.
    entries: VecDeque<(Received, usize, usize)>,
    count: u64,
    /// So many of them were for a token.
    tokens: u64,
    refused: u64,
    weight: usize,
    /// What the answers weigh that are still kept.
    answers: usize,
    /// So many entries, the oldest, have no answer any more.
    bare: usize,
}

const MAX_REQUESTS: usize = 10_000;
/// All requests together, without the answers' bodies, roughly.
const MAX_BYTES: usize = 64 << 20;
/// All answers together, roughly.
const HEAVIEST_ANSWERS: usize = 32 << 20;
/// A body beyond this is not kept.
const MAX_BODY_BYTES: usize = 256 << 10;

impl Log {
    /// Adds a request whose body had so many bytes, as the answer's had.
    pub(crate) fn add(&mut self, mut entry: Received, size: usize, answer: usize) {
        self.count += 1;
        entry.number = self.count;
        self.tokens += u64::from(entry.is_for_token());
        self.refused += u64::from(entry.refusal.is_some());
        if size > MAX_BODY_BYTES && entry.body.take().is_some() {
            entry.notes.push("the body is too large to be kept in the log".into());
        }
        // A tree of values takes several times the room of its text.
        let weight = entry.weight() + if entry.body.is_some() { 4 * size } else { 0 };
        let answer = if entry.answer.is_some() { 4 * answer } else { 0 };
        self.weight += weight;
        self.answers += answer;
        self.entries.push_back((entry, weight, answer));
        while self.entries.len() > MAX_REQUESTS || self.weight > MAX_BYTES {
            let Some((_, weight, answer)) = self.entries.pop_front() else {
                break;
            };
            self.weight = self.weight.saturating_sub(weight);
            self.answers = self.answers.saturating_sub(answer);
            self.bare = self.bare.saturating_sub(1);
        }
        // Answers give way before requests do.
        while self.answers > HEAVIEST_ANSWERS
            && let Some((entry, _, answer)) = self.entries.get_mut(self.bare)
        {
            self.answers = self.answers.saturating_sub(*answer);
            *answer = 0;
            entry.answer = None;
            self.bare += 1;
        }
    }

    /// How many there have been.
    pub(crate) fn total(&self) -> u64 {
        self.count
    }

    /// How many of them were to the API.
    pub(crate) fn total_of_api(&self) -> u64 {
        self.count - self.tokens
    }

    /// The number of the last request that is no longer kept; 0 if all are.
    pub(crate) fn forgotten(&self) -> u64 {
        self.count - self.entries.len() as u64
    }

    /// How many of them were refused.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// The last requests, youngest first.
    pub(crate) fn youngest(&self) -> impl Iterator<Item = &Received> {
        self.entries.iter().rev().map(|(entry, ..)| entry)
    }

    #[cfg(test)]
    pub(crate) fn last(&self) -> Option<&Received> {
        self.entries.back().map(|(entry, ..)| entry)
    }

    /// Those that are asked for, oldest first.
    pub(crate) fn entries(&self, wanted: impl Fn(&Received) -> bool) -> Vec<Received> {
        self.entries.iter().map(|(entry, ..)| entry).filter(|entry| wanted(entry)).cloned().collect()
    }
}
