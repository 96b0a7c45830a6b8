//! Observability: hooks before and after each attempt, and `tracing` spans and events. Headers and query parameters are
//! shown by allow-list; bodies and credentials never.

use std::sync::Arc;
use std::time::Duration;

use cintx_raw::Operation;
use http::{HeaderMap, StatusCode};

use crate::client::options::header;
use crate::error::FieldError;

/// An attempt that is about to be made.
#[derive(Debug)]
pub struct AttemptContext<'a> {
    pub(crate) operation: &'static Operation,
    pub(crate) number: u32,
    pub(crate) trace_id: &'a str,
    pub(crate) headers: &'a mut HeaderMap,
}

impl AttemptContext<'_> {
    /// The operation.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// 1 for the first attempt of a call.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The id under which Cint can find the call.
    pub fn trace_id(&self) -> &str {
        self.trace_id
    }

    /// Adds a header. The pipeline's own (authorization, version, key, trace) cannot be replaced.
    ///
    /// # Errors
    /// [`FieldError`] if the name is one of those, or name or value cannot stand in a header.
    pub fn header(&mut self, name: &str, value: &str) -> Result<(), FieldError> {
        let (name, value) = header(name, value)?;
        self.headers.insert(name, value);
        Ok(())
    }
}

/// One HTTP exchange, as the hooks see it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttemptEvent<'a> {
    /// The operation.
    pub operation: &'static Operation,
    /// 1 for the first attempt of a call.
    pub attempt: u32,
    /// The id under which Cint can find it. Ours, so it exists without an answer, too.
    pub trace_id: &'a str,
    /// The status of the answer; `None` if none came.
    pub status: Option<StatusCode>,
    /// How long it took.
    pub elapsed: Duration,
}

pub(crate) type Before = Arc<dyn Fn(&mut AttemptContext<'_>) + Send + Sync>;
pub(crate) type After = Arc<dyn Fn(&AttemptEvent<'_>) + Send + Sync>;

/// Query parameters whose values say nothing about people or customers.
const QUERY: [&str; 9] = [
    "page_size",
    "page_number",
    "order",
    "status",
    "exclusion_status",
    "entity_type",
    "due_month",
    "user_type",
    "delivery_status",
];
/// Response headers worth a line in a log.
const HEADERS: [&str; 6] = ["retry-after", "content-type", "content-length", "etag", "x-tyk-trace-id", "x-request-id"];

/// The query of a request with the values that may be shown.
pub(crate) fn query(target: &str) -> String {
    let Some((_, query)) = target.split_once('?') else { return String::new() };
    let shown = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) if QUERY.contains(&name.trim_end_matches("%5B%5D")) => format!("{name}={value}"),
        Some((name, _)) => format!("{name}=.."),
        None => "..".to_owned(),
    });
    shown.collect::<Vec<_>>().join("&")
}

/// The response headers that may be shown.
pub(crate) fn headers(headers: &HeaderMap) -> String {
    let shown = HEADERS.iter().filter_map(|name| Some(format!("{name}: {}", headers.get(*name)?.to_str().ok()?)));
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_query_values_and_headers_are_shown() {
        assert_eq!(query("/a?page_size=10&name=ACME&status%5B%5D=live&x"), "page_size=10&name=..&status%5B%5D=live&..");
        assert_eq!(query("/a"), "");
        let mut map = HeaderMap::new();
        map.insert("etag", "W/\"1\"".parse().unwrap());
        map.insert("set-cookie", "secret".parse().unwrap());
        assert_eq!(headers(&map), "etag: W/\"1\"");
    }
}
