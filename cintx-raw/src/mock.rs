//! Typed mocks of operations on an `httpmock` server.
//! A mock knows its operation's method, path, media types and success status; a test says only what it is about.

use std::fmt::Display;

use bytes::Bytes;
pub use httpmock;
use httpmock::{Mock, MockServer};
use percent_encoding::utf8_percent_encode;
use serde::Serialize;

use crate::operation::{Host, Operation};
use crate::request::COMPONENT;

/// An operation as a type: its row of the table, what it is sent and what it answers.
pub trait Endpoint {
    /// The request's body; [`NoBody`] if it has none.
    type Body: MockBody;
    /// The success answer's body; [`NoBody`] if it has none.
    type Answer: MockBody;

    /// The operation's row of the table.
    fn operation() -> &'static Operation;
}

/// What a body is on the wire.
pub trait MockBody {
    /// The bytes as they are sent; `None` if there is no body.
    ///
    /// # Panics
    /// If the value cannot be written as JSON: a mock with such a body is a mistake in the test.
    fn bytes(&self) -> Option<Bytes>;
}

/// The body of an operation that has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBody;

impl MockBody for NoBody {
    fn bytes(&self) -> Option<Bytes> {
        None
    }
}

/// A body that is not JSON: CSV, a file, a download.
#[derive(Clone, Debug, Default)]
pub struct RawBody(pub Bytes);

impl MockBody for RawBody {
    fn bytes(&self) -> Option<Bytes> {
        Some(self.0.clone())
    }
}

impl<T: Serialize> MockBody for T {
    #[expect(clippy::expect_used, reason = "a mock that cannot be written is a mistake in the test")]
    fn bytes(&self) -> Option<Bytes> {
        Some(serde_json::to_vec(self).expect("a mock's body can be written as JSON").into())
    }
}

/// Mocks operations on a server.
///
/// ```
/// use cintx_raw::mock::MockServerExt as _;
/// use cintx_raw::v2025_12_18::{Client, endpoints::CreateProject, types};
/// use cintx_raw::BearerTransport;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// let server = httpmock::MockServer::start_async().await;
/// let mock = server.operation(CreateProject, |when, then| {
///     when.path("account_id", 2428).header("idempotency-key", "once");
///     let mut answer = types::ProjectIdResponse::default();
///     answer.id = Some("01BX5ZZKBKACTAV9WEVGEMMVS0".into());
///     then.answer(&answer);
/// });
///
/// let cint = Client::new(BearerTransport::new("token")?.base_url(&server.base_url()));
/// let body = types::ProjectInfo {
///     name: "MyDrinksSurveyQ1".into(),
///     project_manager_id: "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".into(),
///     project_customer_reference_number: None,
/// };
/// let created = cint.create_project(2428, Some("once"), &body).await?;
/// assert_eq!(created.value().id.as_deref(), Some("01BX5ZZKBKACTAV9WEVGEMMVS0"));
/// mock.assert();
/// # Ok(())
/// # }
/// ```
pub trait MockServerExt {
    /// Mocks one operation. Without a word in `then` it answers its documented success without a body.
    fn operation<E: Endpoint>(&self, endpoint: E, describe: impl FnOnce(When<E>, Then<E>)) -> Mock<'_>;
}

impl MockServerExt for MockServer {
    fn operation<E: Endpoint>(&self, _: E, describe: impl FnOnce(When<E>, Then<E>)) -> Mock<'_> {
        self.mock(|when, then| {
            let operation = E::operation();
            let mut when = when.method(operation.method.as_str()).path_matches(path(operation, None));
            if let (Host::Demand, Some(version)) = (operation.host, operation.api_version) {
                when = when.header("cint-api-version", version);
            }
            let status = operation.success.first().copied().unwrap_or(200);
            let then = then.status(status);
            describe(
                When { inner: when, endpoint: std::marker::PhantomData },
                Then { inner: then, endpoint: std::marker::PhantomData },
            );
        })
    }
}

/// What a request must be like for the mock to answer it.
#[expect(missing_debug_implementations, reason = "httpmock's matcher has none")]
pub struct When<E> {
    inner: httpmock::When,
    endpoint: std::marker::PhantomData<E>,
}

impl<E: Endpoint> When<E> {
    /// A path parameter has this value.
    ///
    /// # Panics
    /// If the operation's path has no such parameter.
    pub fn path(self, name: &str, value: impl Display) -> Self {
        let operation = E::operation();
        assert!(operation.path.contains(&format!("{{{name}}}")), "{} has no path parameter {name:?}", operation.id);
        let pattern = path(operation, Some((name, &value.to_string())));
        Self { inner: self.inner.path_matches(pattern), ..self }
    }

    /// A query parameter has this value.
    pub fn query(self, name: &str, value: impl Display) -> Self {
        Self { inner: self.inner.query_param(name, value.to_string()), ..self }
    }

    /// A header has this value.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self { inner: self.inner.header(name, value), ..self }
    }

    /// The body is this one; JSON is compared as a value, not as text, and of an upload the file's content.
    ///
    /// # Panics
    /// If the value cannot be written as JSON.
    pub fn body(self, body: &E::Body) -> Self {
        let Some(bytes) = body.bytes() else { return self };
        let media = E::operation().request_media.first().copied().unwrap_or_default();
        let inner = match serde_json::from_slice::<serde_json::Value>(&bytes) {
            Ok(json) if media == "application/json" => self.inner.json_body(json),
            _ if media == "multipart/form-data" => {
                self.inner.body_includes(format!("\r\n\r\n{}\r\n--", String::from_utf8_lossy(&bytes)))
            }
            _ => self.inner.body(String::from_utf8_lossy(&bytes)),
        };
        Self { inner, ..self }
    }

    /// The matcher below, for what these helpers do not say.
    pub fn into_inner(self) -> httpmock::When {
        self.inner
    }
}

/// What the mock answers.
#[expect(missing_debug_implementations, reason = "httpmock's answer has none")]
pub struct Then<E> {
    inner: httpmock::Then,
    endpoint: std::marker::PhantomData<E>,
}

impl<E: Endpoint> Then<E> {
    /// The documented success with this body.
    ///
    /// # Panics
    /// If the value cannot be written as JSON.
    pub fn answer(self, body: &E::Answer) -> Self {
        let Some(bytes) = body.bytes() else { return self };
        let media = E::operation().answer_media.first().copied().unwrap_or("application/json");
        Self { inner: self.inner.header("content-type", media).body(&bytes), ..self }
    }

    /// A refusal in the shape of the API's errors.
    pub fn error(self, status: u16, object: &str, detail: &str) -> Self {
        let body =
            serde_json::json!({ "id": "00000000-0000-4000-8000-000000000000", "object": object, "detail": detail });
        Self { inner: self.inner.status(status).json_body(body), ..self }
    }

    /// Adds a header: `ETag`, `Location`, `Retry-After`.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self { inner: self.inner.header(name, value), ..self }
    }

    /// The answer below, for what these helpers do not say.
    pub fn into_inner(self) -> httpmock::Then {
        self.inner
    }
}

/// A pattern of the operation's path, with one parameter's value given.
#[expect(clippy::expect_used, reason = "the pattern is made of escaped text alone")]
fn path(operation: &Operation, given: Option<(&str, &str)>) -> regex::Regex {
    let segments = operation.path.split('/').skip(1).map(|segment| {
        match segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')) {
            Some(name) => match given {
                Some((other, value)) if other == name => {
                    regex::escape(&utf8_percent_encode(value, COMPONENT).to_string())
                }
                _ => "[^/]+".to_owned(),
            },
            None => regex::escape(segment),
        }
    });
    let pattern = segments.fold(String::from("^"), |pattern, segment| pattern + "/" + &segment) + "$";
    regex::Regex::new(&pattern).expect("escaped text is a pattern")
}
