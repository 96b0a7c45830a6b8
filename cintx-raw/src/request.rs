//! What a client hands to the transport: an operation, its address, its own headers, its body.
//! Nothing here can fail late: what cannot be sent is refused when the request is sent, before a byte leaves.

use std::fmt::{self, Display, Write as _};
use std::io;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter};

use crate::error::Error;
use crate::operation::Operation;
use crate::response::{ByteStream, Response};
use crate::transport::{self, Transport};

/// Everything but the unreserved characters of RFC 3986.
pub(crate) const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What most bodies fit in: it does not grow by steps.
const SMALL_BODY_BYTES: usize = 256;

/// One request, ready to be sent any number of times: its body is shared, not copied.
///
/// It holds no credential and no version header; the transport adds those.
#[derive(Clone)]
pub struct Request {
    operation: &'static Operation,
    target: String,
    headers: HeaderMap,
    body: Option<Body>,
    refused: Option<Refusal>,
}

/// A request body and its media type.
#[derive(Clone, Debug)]
pub struct Body {
    /// The bytes as they are sent.
    pub bytes: Bytes,
    /// The value of `Content-Type`.
    pub content_type: HeaderValue,
}

/// Why a request cannot be sent.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) field: String,
    pub(crate) reason: String,
}

impl Request {
    /// Starts a request; `path` gives the values of the path's parameters in the order in which they stand there.
    pub(crate) fn new(operation: &'static Operation, path: &[(&str, &dyn Display)]) -> Self {
        let mut target = String::with_capacity(operation.path.len() + 32 * path.len());
        let mut refused = None;
        let mut values = path.iter();
        let mut rest = operation.path;
        while let Some((before, parameter)) = rest.split_once('{') {
            target.push_str(before);
            if let Some((name, value)) = values.next() {
                let start = target.len();
                let _ = write!(Escaped(&mut target), "{value}");
                // A segment that is empty or made of dots alone would name another resource.
                let segment = &target[start..];
                if matches!(segment, "" | "." | "..") {
                    refused = Some(Refusal {
                        field: (*name).to_owned(),
                        reason: format!("is {segment:?}, expected a non-empty path segment"),
                    });
                }
            }
            rest = parameter.split_once('}').map_or("", |(_, after)| after);
        }
        target.push_str(rest);
        Self { operation, target, headers: HeaderMap::new(), body: None, refused }
    }

    /// A request to a path that is already written out, query included: one that is sent again, one that was found
    /// in a link, one that no document describes.
    pub fn to(operation: &'static Operation, target: impl Into<String>) -> Self {
        Self { operation, target: target.into(), headers: HeaderMap::new(), body: None, refused: None }
    }

    /// The same with one more query parameter.
    #[must_use]
    pub fn with_query(self, name: &str, value: &str) -> Self {
        self.query(name, value)
    }

    /// The same with this body.
    #[must_use]
    pub fn with_body(mut self, body: Option<Body>) -> Self {
        self.body = body;
        self
    }

    /// Sends it and decodes a JSON answer.
    ///
    /// # Errors
    /// As with every call of a client.
    pub async fn fetch<T: DeserializeOwned>(self, transport: &dyn Transport) -> Result<Response<T>, Error> {
        transport::json(transport, self).await
    }

    /// Sends it and reads whatever comes: JSON as its value, anything else as null.
    ///
    /// # Errors
    /// As with every call of a client, save that a success cannot be unreadable.
    pub async fn fetch_value(self, transport: &dyn Transport) -> Result<Response<Value>, Error> {
        transport::value(transport, self).await
    }

    /// Sends it and hands over the body of a success as it comes.
    ///
    /// # Errors
    /// As with every call of a client.
    pub async fn fetch_stream(self, transport: &dyn Transport) -> Result<Response<ByteStream>, Error> {
        transport::stream(transport, self).await
    }

    /// Adds a query parameter; `None` adds nothing, a list repeats the key.
    pub(crate) fn query(mut self, name: &str, value: &(impl QueryValue + ?Sized)) -> Self {
        value.append(name, &mut Query(&mut self.target));
        self
    }

    /// Adds a query parameter that the operation requires.
    #[allow(dead_code, reason = "only some versions require one")]
    pub(crate) fn required_query(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self.refuse(name, "is missing, but this operation requires it"),
        }
    }

    /// Adds the entity tag that the operation requires.
    #[allow(dead_code, reason = "only some versions require one")]
    pub(crate) fn required_if_match(self, tag: Option<&str>) -> Self {
        match tag {
            Some(tag) => self.header("if-match", Some(tag)),
            None => self.refuse("if-match", "is missing, expected the entity tag of the last answer: read it again"),
        }
    }

    fn refuse(mut self, field: &str, reason: &str) -> Self {
        self.refused = Some(Refusal { field: field.to_owned(), reason: reason.to_owned() });
        self
    }

    /// Adds a header; `None` adds nothing.
    pub(crate) fn header(mut self, name: &'static str, value: Option<&str>) -> Self {
        let Some(value) = value else { return self };
        match HeaderValue::from_str(value) {
            Ok(value) => {
                self.headers.insert(HeaderName::from_static(name), value);
            }
            Err(_) => return self.refuse(name, "holds characters that no header can carry; visible ASCII is allowed"),
        }
        self
    }

    /// Sets a JSON body.
    pub(crate) fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        let mut bytes = Vec::with_capacity(SMALL_BODY_BYTES);
        let mut writer = serde_json::Serializer::with_formatter(&mut bytes, WholeNumbers);
        match body.serialize(&mut writer) {
            Ok(()) => {
                let content_type = HeaderValue::from_static("application/json");
                self.body = Some(Body { bytes: bytes.into(), content_type });
            }
            Err(error) => self.refused = Some(Refusal { field: "body".to_owned(), reason: error.to_string() }),
        }
        self
    }

    /// Sets a body of bytes with the operation's media type.
    pub(crate) fn bytes(mut self, body: impl Into<Bytes>) -> Self {
        let media = self.operation.request_media.first().copied().unwrap_or("application/octet-stream");
        self.body = Some(Body { bytes: body.into(), content_type: HeaderValue::from_static(media) });
        self
    }

    /// Sets a body of one file as `multipart/form-data`.
    #[allow(dead_code, reason = "only some versions upload files")]
    pub(crate) fn file(mut self, field: &str, file: &File) -> Self {
        match file.to_multipart(field) {
            Ok(body) => self.body = Some(body),
            Err(refusal) => self.refused = Some(refusal),
        }
        self
    }

    /// The operation's row of the table.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The path and query, relative to the host's base URL; starts with a slash.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The headers that belong to this operation: idempotency key, preconditions.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The same, to be completed by a pipeline (an idempotency key, say).
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// The body, if there is one.
    pub fn body(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    /// Says why it must not leave, if so.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        match self.refused.take() {
            Some(refusal) => Err(Error::refused(self.operation, refusal)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies hold respondents' ids and survey links; they stay out of logs.
        f.debug_struct("Request")
            .field("operation", &self.operation.id)
            .field("target", &self.target)
            .field("body_bytes", &self.body.as_ref().map(|body| body.bytes.len()))
            .finish_non_exhaustive()
    }
}

/// A file to upload.
///
/// ```
/// # use cintx_raw::File;
/// let file = File::new("rids.csv", "0F1CE179-A917-49FF-9D50-B05FC91F7BD4\n");
/// assert_eq!(file.name(), "rids.csv");
/// ```
#[derive(Clone, Debug)]
pub struct File {
    name: String,
    content: Bytes,
}

impl File {
    /// A file of this name and content.
    pub fn new(name: impl Into<String>, content: impl Into<Bytes>) -> Self {
        Self { name: name.into(), content: content.into() }
    }

    /// The name that the server sees.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn to_multipart(&self, field: &str) -> Result<Body, Refusal> {
        if self.name.chars().any(|c| c.is_control() || c == '"') {
            let reason = format!("is {:?}, expected a name without quotes and control characters", self.name);
            return Err(Refusal { field: "file name".to_owned(), reason });
        }
        let boundary = self.boundary();
        let mut body = Vec::with_capacity(self.content.len() + 256);
        body.extend_from_slice(
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{}\"\r\nContent-Type: text/csv\r\n\r\n",
                self.name
            )
            .as_bytes(),
        );
        body.extend_from_slice(&self.content);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let content_type = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"))
            .map_err(|error| Refusal { field: "file".to_owned(), reason: error.to_string() })?;
        Ok(Body { bytes: body.into(), content_type })
    }

    /// A delimiter that does not occur in the content. The same content gives the same one: attempts are alike.
    fn boundary(&self) -> String {
        let mut number = 0_u64;
        loop {
            let boundary = format!("cintx-{number:016x}");
            if !self.content.windows(boundary.len()).any(|window| window == boundary.as_bytes()) {
                return boundary;
            }
            number += 1;
        }
    }
}

/// Escapes what is written to it.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(utf8_percent_encode(text, COMPONENT));
        Ok(())
    }
}

/// The query string of a request as it grows.
#[derive(Debug)]
pub(crate) struct Query<'a>(&'a mut String);

impl Query<'_> {
    fn pair(&mut self, name: &str, value: &str) {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.extend(utf8_percent_encode(name, COMPONENT));
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, COMPONENT));
    }
}

/// A value that a query parameter can have.
pub(crate) trait QueryValue {
    fn append(&self, name: &str, query: &mut Query<'_>);
}

impl QueryValue for str {
    fn append(&self, name: &str, query: &mut Query<'_>) {
        query.pair(name, self);
    }
}

impl QueryValue for String {
    fn append(&self, name: &str, query: &mut Query<'_>) {
        query.pair(name, self);
    }
}

impl QueryValue for i64 {
    fn append(&self, name: &str, query: &mut Query<'_>) {
        query.pair(name, &self.to_string());
    }
}

impl QueryValue for f64 {
    fn append(&self, name: &str, query: &mut Query<'_>) {
        query.pair(name, &self.to_string());
    }
}

impl QueryValue for bool {
    fn append(&self, name: &str, query: &mut Query<'_>) {
        query.pair(name, if *self { "true" } else { "false" });
    }
}

impl<T: QueryValue> QueryValue for Option<T> {
    fn append(&self, name: &str, query: &mut Query<'_>) {
        if let Some(value) = self {
            value.append(name, query);
        }
    }
}

impl<T: QueryValue> QueryValue for Vec<T> {
    fn append(&self, name: &str, query: &mut Query<'_>) {
        for value in self {
            value.append(name, query);
        }
    }
}

impl<T: QueryValue + ?Sized> QueryValue for &T {
    fn append(&self, name: &str, query: &mut Query<'_>) {
        (**self).append(name, query);
    }
}

/// Compact JSON in which a number without a fraction has none: 600, not 600.0.
struct WholeNumbers;

impl Formatter for WholeNumbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        // Every integer up to here is exact.
        if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
            return self.write_i64(writer, value as i64);
        }
        CompactFormatter.write_f64(writer, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_goes_out_without_an_empty_fraction() {
        let body = serde_json::json!({ "goal": 600.0, "share": 33.5, "none": -0.0, "big": 1e300, "list": [1.0, 2] });
        let request = Request::to(Operation::undocumented(&http::Method::POST), "/").json(&body);
        let bytes = &request.body().unwrap().bytes;
        assert_eq!(&bytes[..], br#"{"big":1e+300,"goal":600,"list":[1,2],"none":0,"share":33.5}"#);
    }

    #[test]
    fn a_boundary_never_occurs_in_the_content() {
        let file = File::new("a.csv", "cintx-0000000000000000 cintx-0000000000000001");
        assert_eq!(file.boundary(), "cintx-0000000000000002");
    }

    #[test]
    fn what_an_operation_requires_is_refused_before_it_is_sent() {
        let operation = Operation::undocumented(&http::Method::PUT);
        let request = || Request::to(operation, "/projects/1");
        let mut sent = request().required_if_match(Some("W/\"1\"")).required_query("locale", Some("eng_us"));
        assert!(sent.check().is_ok());
        assert_eq!(sent.target(), "/projects/1?locale=eng_us");
        assert_eq!(sent.headers()["if-match"], "W/\"1\"");
        for (mut refused, field) in
            [(request().required_if_match(None), "if-match"), (request().required_query("locale", None), "locale")]
        {
            let error = refused.check().unwrap_err();
            assert!(error.to_string().contains(&format!("{field} is missing")), "{error}");
        }
    }

    #[test]
    fn a_file_name_cannot_break_out_of_its_header() {
        assert!(File::new("a\"\r\nX: y", "").to_multipart("file").is_err());
    }

    #[test]
    fn query_values_are_encoded_and_lists_repeat_the_key() {
        let mut target = String::from("/a");
        let mut query = Query(&mut target);
        Some(vec!["a+b=".to_owned(), "c d".to_owned()]).append("x[]", &mut query);
        None::<i64>.append("y", &mut query);
        true.append("z", &mut query);
        assert_eq!(target, "/a?x%5B%5D=a%2Bb%3D&x%5B%5D=c%20d&z=true");
    }
}
