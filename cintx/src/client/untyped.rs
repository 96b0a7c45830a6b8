//! Untyped requests, to paths that this crate does not know yet, through the same pipeline.

use std::fmt;

use cintx_raw::{Body, Operation, Request, Response};
use http::{HeaderValue, Method};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Client;
use crate::client::options::{header, own_header, with_options};
use crate::error::{Error, FieldError};
use crate::http::idempotency::IDEMPOTENCY_KEY;
use crate::version::Version;

impl<V: Version> Client<V> {
    /// A request of your own to the Demand API, for what its documents do not have (yet): with token, version header,
    /// trace, time limits and, for what only reads, retries. A write that left is never repeated,
    /// but for a PUT, a DELETE or one with `if_match` that was turned away with 401 or 429.
    ///
    /// `path` is what follows the base address, `/demand/accounts/2428/projects` for example.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// use http::Method;
    ///
    /// let news: serde_json::Value =
    ///     cint.request(Method::GET, "/demand/something-new").query("page_size", "10").send().await?.into_value();
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, method: Method, path: &str) -> UndocumentedRequest<V> {
        let operation = Operation::undocumented(&method);
        let mut problems = Vec::new();
        if operation.method != method {
            problems.push(FieldError::new("method", format!("is {method}, expected GET, POST, PUT, PATCH or DELETE")));
        }
        let fits =
            path.starts_with('/') && !path.contains(['?', '#']) && path.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            let expected = "expected a path that begins with a slash, percent-encoded and without query";
            problems.push(FieldError::new("path", format!("is {path:?}, {expected}")));
        }
        UndocumentedRequest { client: self.clone(), request: Request::to(operation, path), problems }
    }
}

/// A request to a path that no document describes. Made by [`Client::request`].
#[must_use = "nothing is sent until it is awaited"]
pub struct UndocumentedRequest<V: Version> {
    client: Client<V>,
    request: Request,
    problems: Vec<FieldError>,
}

with_options!(UndocumentedRequest: client);

impl<V: Version> UndocumentedRequest<V> {
    /// Adds a query parameter.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.with_query(name, value);
        self
    }

    /// Adds a header. The pipeline's own (authorization, version, trace) cannot be replaced.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match header(name, value) {
            Ok((name, value)) => {
                self.request.headers_mut().insert(name, value);
            }
            Err(problem) => self.problems.push(problem),
        }
        self
    }

    /// Sends `If-Match` with this entity tag.
    pub fn if_match(mut self, etag: &str) -> Self {
        self.own(http::header::IF_MATCH, etag);
        self
    }

    /// Sends this idempotency key. Whether the API honours it is not known here, so the request is still not repeated.
    pub fn idempotency_key(mut self, key: &str) -> Self {
        self.own(IDEMPOTENCY_KEY, key);
        self
    }

    fn own(&mut self, name: http::HeaderName, value: &str) {
        match own_header(&name, value) {
            Ok(value) => {
                self.request.headers_mut().insert(name, value);
            }
            Err(problem) => self.problems.push(problem),
        }
    }

    /// Sends this as JSON.
    pub fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => {
                let content_type = HeaderValue::from_static("application/json");
                self.request = self.request.with_body(Some(Body { bytes: bytes.into(), content_type }));
            }
            Err(error) => self.problems.push(FieldError::new("body", error.to_string())),
        }
        self
    }

    /// Sends it and decodes a JSON answer.
    ///
    /// # Errors
    /// What was wrong about the request. See [when a call fails](crate::guide::failures).
    pub async fn send<T: DeserializeOwned>(self) -> Result<Response<T>, Error> {
        if !self.problems.is_empty() {
            return Err(Error::invalid(self.problems));
        }
        Ok(self.request.fetch(self.client.pipeline()).await?)
    }
}

impl<V: Version> fmt::Debug for UndocumentedRequest<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UndocumentedRequest").field("request", &self.request).finish_non_exhaustive()
    }
}
