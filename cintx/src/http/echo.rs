//! Takes the credential of an attempt out of an answer that repeats it: errors and logs show what the API says, and
//! some servers say what they were sent.

use std::borrow::Cow;

use cintx_raw::{ByteStream, MAX_DECODED_BODY, RawResponse};
use http::{HeaderMap, HeaderValue};

use super::attempt::AttemptResult;
use super::retry::Attempt;
use crate::auth::mask::mask;

/// What is shorter is no credential, but may well be a part of a word.
const MIN_SECRET_CHARS: usize = 8;
/// What stands before a token.
const BEARER: &str = "Bearer ";

impl AttemptResult {
    /// Whether the answer has room for the credential at a place where it would be seen.
    pub(super) fn may_echo(&self, authorization: &HeaderValue) -> bool {
        let Ok(answer) = &self.answer else { return false };
        // No spelling of the credential is shorter than itself, and few headers are as long.
        let min_length = authorization.len().saturating_sub(BEARER.len());
        self.is_shown(answer) || answer.headers.values().any(|value| value.len() >= min_length)
    }

    /// Whether an error will show the body.
    fn is_shown(&self, answer: &RawResponse) -> bool {
        !answer.status.is_success() || self.attempt == Attempt::Unexpected
    }

    /// The same without the credential: in the headers of any answer, and in a body that an error will show.
    pub(super) async fn without_echo(mut self, authorization: &HeaderValue) -> Self {
        let is_shown = self.answer.as_ref().is_ok_and(|answer| self.is_shown(answer));
        let Ok(answer) = &mut self.answer else { return self };
        let text = authorization.to_str().unwrap_or_default();
        let secret = text.strip_prefix(BEARER).unwrap_or(text);
        if secret.len() < MIN_SECRET_CHARS {
            return self;
        }
        mask_headers(&mut answer.headers, secret);
        if is_shown {
            mask_body(answer, secret).await;
        }
        self
    }
}

fn mask_headers(headers: &mut HeaderMap, secret: &str) {
    for value in headers.values_mut() {
        if let Ok(text) = value.to_str()
            && let Cow::Owned(masked) = mask(text, secret)
        {
            *value = HeaderValue::try_from(masked).unwrap_or(HeaderValue::from_static("***"));
        }
    }
}

async fn mask_body(answer: &mut RawResponse, secret: &str) {
    let body = std::mem::replace(&mut answer.body, ByteStream::full(bytes::Bytes::new()));
    let Ok(bytes) = body.collect(MAX_DECODED_BODY).await else { return };
    let masked = match mask(&String::from_utf8_lossy(&bytes), secret) {
        Cow::Owned(masked) => Some(masked),
        Cow::Borrowed(_) => None,
    };
    answer.body = ByteStream::full(masked.map_or(bytes, bytes::Bytes::from));
}
