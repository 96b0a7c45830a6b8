//! How long a server asks to wait: the one reading of `Retry-After`, for repeated attempts and for
//! questions about jobs. It depends on nothing else.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, header};

/// How long to wait: seconds, or a date by the server's own clock. A date without that clock says nothing: ours may be
/// minutes off.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(answered_at(headers)?).unwrap_or_default())
}

/// When the server answered, by its own clock, to the second.
pub(crate) fn answered_at(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_clock() {
        let read = |value: &'static str, date: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
            headers.insert(header::DATE, HeaderValue::from_static(date));
            retry_after(&headers).map(|wait| wait.as_secs())
        };
        let date = "Tue, 24 Nov 2026 10:00:00 GMT";
        assert_eq!(read("7", date), Some(7));
        assert_eq!(read(" 7 ", date), Some(7));
        assert_eq!(read("Tue, 24 Nov 2026 10:00:30 GMT", date), Some(30));
        assert_eq!(read("Tue, 24 Nov 2026 09:00:00 GMT", date), Some(0));
        assert_eq!(read("soon", date), None);
        assert_eq!(read("-1", date), None);
        assert_eq!(read("99999999999999999999999", date), None);
        for no_clock in ["", "today"] {
            assert_eq!(read("Tue, 24 Nov 2026 10:00:30 GMT", no_clock), None, "{no_clock:?}");
            assert_eq!(read("7", no_clock), Some(7));
        }
    }
}
