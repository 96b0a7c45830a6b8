//! The one error of every operation. It keeps whatever came back: status, headers, bytes, and Cint's own words.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, HeaderMap, StatusCode, header};
use serde_json::Value;

use crate::answer::UnexpectedAnswer;
use crate::operation::Operation;
use crate::repair::json_value;
use crate::request::Refusal;
use crate::response::{BoxError, trace_id};
use crate::transport::{CallReport, Head};

/// Why a call failed. Small to pass around; ask it for what you need.
///
/// ```
/// # fn handle(error: &cintx_raw::Error) {
/// match error.status().map(|status| status.as_u16()) {
///     Some(404) => println!("no such thing"),
///     Some(_) => println!("{}", error.api().map_or("refused", |api| api.detail())),
///     None => println!("nothing came back: {error:#}"),
/// }
/// # }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    operation: &'static Operation,
    kind: ErrorKind,
    status: Option<StatusCode>,
    headers: HeaderMap,
    report: Option<Arc<dyn CallReport>>,
    extensions: Extensions,
    body: Bytes,
    api: Option<ApiError>,
    refusal: Option<Refusal>,
    cause: Option<BoxError>,
}

/// How far a failed call got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request was refused here; nothing left.
    Request,
    /// The transport failed; its own error is the [`cause`](Error::cause).
    Transport,
    /// The API answered that the thing is elsewhere: a launched draft, say. See [`Error::moved_to`].
    Moved,
    /// The API answered with a status that is not a success.
    Status,
    /// The status says success, but the answer is none that the operation's document describes: another status or
    /// media type, an error object, a page. Whether the request took effect is not known; the [`cause`](Error::cause)
    /// is an [`UnexpectedAnswer`](crate::UnexpectedAnswer).
    Unexpected,
    /// The API answered success with a body that could not be read. **The request took effect.**
    Decode,
}

impl Error {
    fn new(operation: &'static Operation, kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            operation,
            kind,
            status: None,
            headers: HeaderMap::new(),
            report: None,
            extensions: Extensions::new(),
            body: Bytes::new(),
            api: None,
            refusal: None,
            cause: None,
        }))
    }

    pub(crate) fn refused(operation: &'static Operation, refusal: Refusal) -> Self {
        let mut error = Self::new(operation, ErrorKind::Request);
        error.0.refusal = Some(refusal);
        error
    }

    pub(crate) fn transport(operation: &'static Operation, cause: BoxError) -> Self {
        let mut error = Self::new(operation, ErrorKind::Transport);
        error.0.cause = Some(cause);
        error
    }

    fn answered(operation: &'static Operation, kind: ErrorKind, answer: Head, body: Bytes) -> Self {
        let mut error = Self::new(operation, kind);
        error.0.status = Some(answer.status);
        error.0.headers = answer.headers;
        error.0.report = answer.report;
        error.0.extensions = answer.extensions;
        error.0.body = body;
        error
    }

    pub(crate) fn status_error(operation: &'static Operation, answer: Head, body: Bytes) -> Self {
        let moved = answer.status.is_redirection() && answer.headers.contains_key(header::LOCATION);
        let kind = if moved { ErrorKind::Moved } else { ErrorKind::Status };
        let mut error = Self::answered(operation, kind, answer, body);
        error.0.api = ApiError::parse(&error.0.body);
        error
    }

    pub(crate) fn unexpected(
        operation: &'static Operation,
        answer: Head,
        body: Bytes,
        reason: UnexpectedAnswer,
    ) -> Self {
        let mut error = Self::answered(operation, ErrorKind::Unexpected, answer, body);
        error.0.api = ApiError::parse(&error.0.body);
        error.0.cause = Some(Box::new(reason));
        error
    }

    pub(crate) fn decode(operation: &'static Operation, answer: Head, body: Bytes, cause: BoxError) -> Self {
        let mut error = Self::answered(operation, ErrorKind::Decode, answer, body);
        error.0.cause = Some(cause);
        error
    }

    /// How far the call got.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that was called.
    pub fn operation(&self) -> &'static Operation {
        self.0.operation
    }

    /// The status of the answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The headers of the answer; empty without one.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The bytes of the answer's body; empty without one.
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// How the answer came about, if there is one and the transport tells it.
    pub fn report(&self) -> Option<&Arc<dyn CallReport>> {
        self.0.report.as_ref()
    }

    /// What the transport adds to its answers; empty without one.
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// What the API said, in whichever of its shapes.
    pub fn api(&self) -> Option<&ApiError> {
        self.0.api.as_ref()
    }

    /// The request's field that was refused before anything left.
    pub fn field(&self) -> Option<&str> {
        self.0.refusal.as_ref().map(|refusal| refusal.field.as_str())
    }

    /// The transport's or the decoder's own error, as the type it was made of.
    pub fn cause<E: StdError + 'static>(&self) -> Option<&E> {
        let mut next: Option<&(dyn StdError + 'static)> =
            self.0.cause.as_ref().map(|cause| &**cause as &(dyn StdError + 'static));
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    /// Where the thing is now, if the API said so.
    pub fn moved_to(&self) -> Option<&str> {
        match self.0.kind {
            ErrorKind::Moved => self.0.headers.get(header::LOCATION)?.to_str().ok(),
            _ => None,
        }
    }

    /// The id under which Cint can find this exchange.
    pub fn trace_id(&self) -> Option<&str> {
        trace_id(&self.0.headers, self.report())
    }
}

/// The longest message of an error, in characters, its causes included.
const MAX_MESSAGE_CHARS: usize = 1_000;

/// A message on one line. It takes as much as may be shown, and refuses the rest.
#[derive(Default)]
struct Message {
    text: String,
    chars: usize,
}

impl Message {
    /// What was written, shortened if it was too long.
    fn of(write: impl FnOnce(&mut Self) -> fmt::Result) -> String {
        let mut message = Self::default();
        if write(&mut message).is_err() {
            // The last characters make room for the sign that there is more.
            let end = message.text.char_indices().rev().nth(2).map_or(0, |(at, _)| at);
            message.text.truncate(end);
            message.text.push_str("...");
        }
        message.text
    }
}

impl fmt::Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            if self.chars == MAX_MESSAGE_CHARS {
                return Err(fmt::Error);
            }
            self.text.push(if char.is_control() { ' ' } else { char });
            self.chars += 1;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Message::of(|message| self.write_to(message, f.alternate())))
    }
}

impl Error {
    /// Writes what happened, with its causes if they are asked for.
    fn write_to(&self, f: &mut impl fmt::Write, with_causes: bool) -> fmt::Result {
        let inner = &self.0;
        write!(f, "{}: ", inner.operation.id)?;
        match (inner.kind, inner.status) {
            (ErrorKind::Request, _) => match &inner.refusal {
                Some(refusal) => write!(f, "not sent: {} {}", refusal.field, refusal.reason)?,
                None => f.write_str("not sent")?,
            },
            (ErrorKind::Transport, _) | (_, None) => f.write_str("no answer")?,
            (ErrorKind::Moved, Some(status)) => {
                write!(f, "{status}, now at {}", self.moved_to().unwrap_or("another place"))?
            }
            (ErrorKind::Status, Some(status)) => match &inner.api {
                Some(api) => write!(f, "{status}: {api}")?,
                None => write!(f, "{status} with {} bytes that are not an API error", inner.body.len())?,
            },
            (ErrorKind::Unexpected, Some(status)) => match (&inner.api, &inner.cause) {
                (Some(api), _) => write!(f, "{status}, but {api}")?,
                (None, Some(cause)) => write!(f, "{status}, but {cause}")?,
                (None, None) => write!(f, "{status} that is no success")?,
            },
            (ErrorKind::Decode, Some(status)) => write!(f, "{status}, but its body cannot be read")?,
        }
        let mut next = self.source().filter(|_| with_causes);
        while let Some(error) = next {
            write!(f, ": {error}")?;
            next = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("operation", &self.0.operation.id)
            .field("kind", &self.0.kind)
            .field("status", &self.0.status)
            .field("api", &self.0.api)
            .field("trace_id", &self.trace_id())
            .field("cause", &self.0.cause)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let cause = self.0.cause.as_deref()?;
        // The message says it already.
        if self.0.kind == ErrorKind::Unexpected && self.0.api.is_none() { cause.source() } else { Some(cause) }
    }
}

/// What the API said about a refusal, read from any of the shapes its services use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    id: Option<String>,
    object: Option<String>,
    detail: String,
    invalid_params: Vec<InvalidParam>,
}

/// One field of the request that the API found wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidParam {
    /// The field, or the name of the rule it broke.
    pub name: String,
    /// Why: text or a reason slug.
    pub reason: String,
    /// A longer explanation, where there is one.
    pub detail: Option<String>,
}

impl ApiError {
    /// Reads a body; `None` if it is not a JSON object that says anything.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let Value::Object(object) = json_value(body)? else { return None };
        let text = |keys: &[&str]| {
            keys.iter().find_map(|key| object.get(*key)?.as_str()).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let kind = text(&["object", "error"]);
        let detail = text(&["detail", "details", "error_description", "message", "title"]);
        let list = ["invalid_params", "errors"].iter().find_map(|key| object.get(*key)?.as_array());
        let invalid_params = list.into_iter().flatten().filter_map(InvalidParam::parse).collect::<Vec<_>>();
        if kind.is_none() && detail.is_none() && invalid_params.is_empty() {
            return None;
        }
        Some(Self { id: text(&["id"]), object: kind, detail: detail.unwrap_or_default(), invalid_params })
    }

    /// The id of this one error, to quote to Cint.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The kind of error: `bad_request_error`, `authorization_error`, `not_found_error`, ... An open set.
    pub fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    /// The explanation; empty if the API gave none.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The fields that were wrong.
    pub fn invalid_params(&self) -> &[InvalidParam] {
        &self.invalid_params
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        let message = Message::of(|text| {
            text.write_str(self.object().unwrap_or("error"))?;
            if !self.detail.is_empty() {
                write!(text, ": {}", self.detail)?;
            }
            self.invalid_params
                .iter()
                .try_for_each(|InvalidParam { name, reason, .. }| write!(text, "; {name}: {reason}"))
        });
        f.write_str(&message)
    }
}

impl InvalidParam {
    fn parse(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let (name, reason) = (text("name"), text("reason"));
        (name.is_some() || reason.is_some()).then(|| Self {
            name: name.unwrap_or_default(),
            reason: reason.unwrap_or_default(),
            detail: text("detail"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, headers: &[(header::HeaderName, &str)]) -> Head {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        Head { status: StatusCode::from_u16(status).unwrap(), headers, report: None, extensions: Extensions::new() }
    }

    #[test]
    fn a_message_is_one_short_line_whatever_came_back() {
        let long = format!("a\n\u{1b}[2J\r{}", "é".repeat(5_000));
        let body = serde_json::json!({ "object": long, "detail": long, "invalid_params": [{ "name": long }] });
        let location = format!("/there/{}", "x".repeat(5_000));
        let cause = || BoxError::from(std::io::Error::other(BoxError::from(long.clone())));
        let refusal = Refusal { field: long.clone(), reason: long.clone() };
        let operation = Operation::token_request();
        let errors = [
            Error::refused(operation, refusal),
            Error::transport(operation, cause()),
            Error::status_error(operation, head(301, &[(header::LOCATION, &location)]), Bytes::new()),
            Error::status_error(operation, head(400, &[]), body.to_string().into()),
            Error::unexpected(
                operation,
                head(200, &[]),
                body.to_string().into(),
                UnexpectedAnswer::Coding(long.clone()),
            ),
            Error::decode(operation, head(200, &[]), Bytes::new(), cause()),
        ];
        for error in &errors {
            for text in [error.to_string(), format!("{error:#}")] {
                assert!(text.chars().count() <= 1_000 && !text.contains(char::is_control), "{}: {text}", text.len());
                assert!(text.len() < 200 || text.ends_with("..."), "{text}");
            }
            assert!(format!("{error:#}").len() > 900, "{error:#}");
        }
        let api = errors[3].api().unwrap().to_string();
        assert!(api.chars().count() == 1_000 && api.ends_with("é...") && !api.contains(char::is_control), "{api}");
    }

    #[test]
    fn every_shape_of_error_body_is_read() {
        let parse = |text: &str| ApiError::parse(text.as_bytes());
        let plain = parse(
            r#"{"id":"1","object":"bad_request_error","detail":"d","invalid_params":[{"name":"a","reason":"r"}]}"#,
        )
        .unwrap();
        assert_eq!((plain.id(), plain.object(), plain.detail()), (Some("1"), Some("bad_request_error"), "d"));
        assert_eq!(plain.invalid_params()[0].name, "a");
        assert_eq!(
            parse(r#"{"object":"too_many_requests_problem_details","details":"slow"}"#).unwrap().detail(),
            "slow"
        );
        assert_eq!(
            parse(r#"{"error":"access_denied","error_description":"no"}"#).unwrap().object(),
            Some("access_denied")
        );
        assert_eq!(
            parse(r#"{"object":"x","detail":"d","errors":[{"name":"a","reason":"r"}]}"#)
                .unwrap()
                .invalid_params()
                .len(),
            1
        );
        for not_an_error in ["", "<html>", "[]", "{}", "null", r#"{"id":5}"#] {
            assert_eq!(parse(not_an_error), None, "{not_an_error}");
        }
    }
}
