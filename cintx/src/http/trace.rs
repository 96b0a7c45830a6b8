//! W3C trace context: every call has a trace id of its own, known even if there is no answer.

use http::HeaderValue;
use http::header::HeaderName;
use uuid::Uuid;
use uuid::fmt::Simple;

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The digits of a span's id.
const SPAN_DIGITS: usize = 16;

/// The trace of one call; each attempt is a span of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace(Box<str>);

impl Trace {
    /// The caller's trace if the request carries one, a new one otherwise.
    pub(crate) fn of(given: Option<&HeaderValue>) -> Self {
        let given = given.and_then(|value| value.to_str().ok()).and_then(|text| text.split('-').nth(1));
        match given {
            Some(id) if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => Self(id.into()),
            _ => Self(random_digits(&mut [0; Simple::LENGTH]).into()),
        }
    }

    /// 32 hexadecimal digits.
    pub(crate) fn id(&self) -> &str {
        &self.0
    }

    /// The same, by value.
    pub(super) fn into_id(self) -> Box<str> {
        self.0
    }

    /// The header of one attempt.
    pub(crate) fn parent(&self) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
        let mut digits = [0; Simple::LENGTH];
        let span = &random_digits(&mut digits)[..SPAN_DIGITS];
        HeaderValue::try_from(["00-", &self.0, "-", span, "-01"].concat())
    }
}

/// 32 hexadecimal digits: nobody guesses them, and they are no secret either, so they need not come from the system.
fn random_digits(digits: &mut [u8; Simple::LENGTH]) -> &str {
    Uuid::from_u128(fastrand::u128(1..)).simple().encode_lower(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_trace_is_kept_and_anything_else_replaced() {
        let given = HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let trace = Trace::of(Some(&given));
        assert_eq!(trace.id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(trace.parent().unwrap().to_str().unwrap().starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
        assert_ne!(trace.parent().unwrap(), trace.parent().unwrap());
        for broken in ["", "00-xyz-1-01", "00-zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz-1-01"] {
            assert_eq!(Trace::of(Some(&HeaderValue::from_static(broken))).id().len(), 32);
        }
    }
}
