//! Calls from pages in a browser: allowed for the API, which asks for
//! credentials of its own, and not for the control endpoint.

use crate::api::engine::{Incoming, Outgoing, TOKEN_PATH};
use http::HeaderMap;
use http::header::{self, HeaderValue};

/// Headers of answers that scripts may read.
const EXPOSED: &str = "etag, location, retry-after, content-disposition, traceparent, x-tyk-trace-id, \
                       x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset";

/// Whether pages may call a path: those of the API and its token endpoint.
fn is_open(path: &str) -> bool {
    path.starts_with("/v1/") || path.starts_with("/fulfillment/") || path == TOKEN_PATH
}

/// The answer to a browser that asks beforehand whether it may call.
pub(crate) fn preflight(incoming: &Incoming) -> Option<Outgoing> {
    let asks = incoming.method == "OPTIONS" && incoming.headers.contains_key("access-control-request-method");
    if !asks || !is_open(&incoming.path) {
        return None;
    }
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(wanted) = incoming.headers.get("access-control-request-headers") {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    Some(Outgoing { status: 204, headers, body: Vec::new() })
}

/// Lets the page that called read the answer.
pub(crate) fn open(path: &str, from_page: bool, headers: &mut HeaderMap) {
    if from_page && is_open(path) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
}
