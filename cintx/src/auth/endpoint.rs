//! The token endpoint: one request to it, and its answer read with suspicion. What it says in an error is kept, its
//! secrets are not.

use std::sync::Arc;
use std::time::Duration;

use cintx_raw::{ApiError, BoxError, Operation};
use futures_util::TryStreamExt as _;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use tokio::time::Instant;

use crate::auth::{AccessToken, TokenError};
use crate::client::{Credentials, RetryPolicy};
use crate::error::TimedOut;
use crate::http::{After, AttemptEvent, HttpSender, Outgoing, TRACEPARENT, Trace};
use crate::retry_after::retry_after;

/// The lifetime that Cint documents, for a token that does not state its own in a way that makes sense.
const DEFAULT_LIFE: Duration = Duration::from_secs(86_400);
/// For one request to the token endpoint.
const REQUEST_LIMIT: Duration = Duration::from_secs(15);
/// The longest answer that is read; a token takes a few KiB.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// The longest explanation that is kept.
const MAX_DETAIL_CHARS: usize = 500;

/// Exchanges credentials for tokens.
pub(crate) struct Endpoint {
    pub(crate) http: HttpSender,
    pub(crate) credentials: Credentials,
    pub(crate) observer: Option<After>,
}

impl Endpoint {
    /// A new token, in `limit` at most. Asking twice does no harm, so what may pass is tried again.
    pub(crate) async fn token(&self, limit: Duration) -> Result<AccessToken, TokenError> {
        let policy = RetryPolicy::standard();
        let (began, trace) = (Instant::now(), Trace::of(None));
        let mut failures = 0;
        loop {
            let error = match self.attempt(failures + 1, &trace).await {
                Err(error) if error.is_transient() && failures + 1 < policy.max_attempts => error,
                outcome => return outcome,
            };
            let wait = policy.wait(failures, fastrand::f64()).max(error.retry_after().unwrap_or_default());
            if began.elapsed().saturating_add(wait).saturating_add(REQUEST_LIMIT) > limit {
                return Err(error);
            }
            tracing::debug!(attempts = failures + 1, ?wait, "waits before another token request");
            tokio::time::sleep(wait).await;
            failures += 1;
        }
    }

    /// Makes one request, and tells the observers.
    async fn attempt(&self, attempt: u32, trace: &Trace) -> Result<AccessToken, TokenError> {
        let started = Instant::now();
        let exchange = tokio::time::timeout(REQUEST_LIMIT, self.exchange(trace)).await;
        let (status, outcome) = match exchange.unwrap_or_else(|_| Err((None, timed_out()))) {
            Ok((status, headers, body)) => (Some(status), read(&self.credentials, status, &headers, &body)),
            Err((status, error)) => (status, Err(error)),
        };
        let elapsed = started.elapsed();
        let (trace_id, code) = (trace.id(), status.map(|status| status.as_u16()));
        match &outcome {
            Ok(_) => tracing::debug!(attempt, trace_id, status = code, ?elapsed, "answered"),
            Err(error) => tracing::debug!(attempt, trace_id, status = code, ?elapsed, %error, "no token"),
        }
        if let Some(observer) = &self.observer {
            observer(&AttemptEvent { operation: Operation::token_request(), attempt, trace_id, status, elapsed });
        }
        outcome
    }

    /// Sends the request and reads the whole answer, up to a limit. The status of an answer that broke off comes with
    /// the error.
    async fn exchange(
        &self,
        trace: &Trace,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), (Option<StatusCode>, TokenError)> {
        let body = serde_json::json!({
            "client_id": self.credentials.client_id,
            "client_secret": self.credentials.client_secret.expose(),
            "grant_type": "client_credentials",
            "audience": "https://api.luc.id",
            self.credentials.scope_field: "app:api",
        });
        let unreachable = |cause: BoxError| TokenError::Unreachable(cause.into());
        let url = reqwest::Url::parse(&self.credentials.endpoint).map_err(|error| (None, unreachable(error.into())))?;
        let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        headers.extend(trace.parent().ok().map(|parent| (TRACEPARENT, parent)));
        let body = Some(body.to_string().into());
        let outgoing = Outgoing { method: Method::POST, url, headers, body, holds_secret: true };
        let (status, headers, mut body) =
            self.http.send(outgoing).await.map_err(|error| match error.is_redirect() {
                true => (None, TokenError::Redirected),
                false => (None, unreachable(error.into_cause())),
            })?;
        if status.is_redirection() && headers.contains_key(header::LOCATION) {
            return Err((Some(status), TokenError::Redirected));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = body.try_next().await.map_err(|error| (Some(status), unreachable(error)))? {
            if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err((Some(status), TokenError::Unreadable { reason: "the answer is longer than 64 KiB" }));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((status, headers, bytes))
    }
}

fn timed_out() -> TokenError {
    TokenError::Unreachable(Arc::new(TimedOut::Attempt(REQUEST_LIMIT)))
}

/// Reads an answer: a token, or what the endpoint says instead.
fn read(
    credentials: &Credentials,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<AccessToken, TokenError> {
    let explanation = explanation(credentials, body);
    let refused = |detail: Option<String>| TokenError::Refused {
        status,
        detail: detail.unwrap_or_else(|| "no explanation".to_owned()),
        retry_after: retry_after(headers),
    };
    if !status.is_success() {
        return Err(refused(explanation));
    }
    match (token(body), explanation) {
        (Ok(token), _) => Ok(token),
        // Success by its status, an error by its body.
        (Err(_), Some(detail)) => Err(refused(Some(detail))),
        (Err(reason), None) => Err(TokenError::Unreadable { reason }),
    }
}

/// What an error's body says, without the secret, on one line of bearable length.
fn explanation(credentials: &Credentials, body: &[u8]) -> Option<String> {
    let text = credentials.redact(&ApiError::parse(body)?.to_string());
    Some(text.chars().take(MAX_DETAIL_CHARS).map(|char| if char.is_control() { ' ' } else { char }).collect())
}

/// The token in an answer, or why there is none.
fn token(body: &[u8]) -> Result<AccessToken, &'static str> {
    let Ok(Value::Object(answer)) = serde_json::from_slice(body) else { return Err("the answer is no JSON object") };
    match answer.get("access_token").and_then(Value::as_str) {
        None => Err("the answer has no access_token"),
        Some("") => Err("the answer's access_token is empty"),
        Some(token) => Ok(AccessToken::new(token, answer.get("expires_in").and_then(life).unwrap_or(DEFAULT_LIFE))),
    }
}

/// A lifetime in seconds: a number or text, whole or not. `None` if it is not positive, or no number at all.
fn life(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    if seconds.is_nan() || seconds <= 0.0 {
        return None;
    }
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<AccessToken, TokenError> {
        let credentials = Credentials::new("id", "the/secret");
        super::read(&credentials, StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn a_lifetime_is_read_however_it_is_written() {
        for (written, seconds) in [
            ("3600", 3_600.0),
            ("\"3600\"", 3_600.0),
            ("\" 3600 \"", 3_600.0),
            ("3599.5", 3_599.5),
            ("\"3599.5\"", 3_599.5),
            ("0.5", 0.5),
            ("0", 86_400.0),
            ("-1", 86_400.0),
            ("\"-1\"", 86_400.0),
            ("null", 86_400.0),
            ("\"soon\"", 86_400.0),
            ("\"NaN\"", 86_400.0),
            ("[]", 86_400.0),
        ] {
            let token = read(200, &format!(r#"{{"access_token":"t","expires_in":{written}}}"#)).unwrap();
            assert_eq!(token.life.unwrap().as_secs_f64(), seconds, "{written}");
        }
        assert_eq!(read(200, r#"{"access_token":"t"}"#).unwrap().life, Some(DEFAULT_LIFE));
        for endless in ["1e300", "18446744073709551615", "\"1e999\""] {
            let token = read(200, &format!(r#"{{"access_token":"t","expires_in":{endless}}}"#)).unwrap();
            assert!(token.life > Some(Duration::from_secs(u64::MAX / 2)), "{endless}");
        }
    }

    #[test]
    fn what_is_no_token_says_why() {
        for (body, reason) in [
            ("", "no JSON object"),
            ("<html>", "no JSON object"),
            ("[]", "no JSON object"),
            ("{}", "no access_token"),
            (r#"{"access_token":7}"#, "no access_token"),
            (r#"{"access_token":""}"#, "is empty"),
        ] {
            let error = read(200, body).unwrap_err();
            assert!(matches!(error, TokenError::Unreadable { .. }), "{body}");
            assert!(error.to_string().contains(reason), "{body}: {error}");
        }
    }

    #[test]
    fn an_error_keeps_its_words_whatever_its_status_and_loses_the_secret() {
        let body = r#"{"error":"access_denied","error_description":"no\nwith the\/secret"}"#;
        for status in [200, 400, 401, 500] {
            let error = read(status, body).unwrap_err();
            let text = error.to_string();
            assert!(
                matches!(error, TokenError::Refused { .. }) && text.contains("access_denied: no with ***"),
                "{text}"
            );
        }
        let long = serde_json::json!({"error": "e", "error_description": "x".repeat(50_000)}).to_string();
        assert!(read(400, &long).unwrap_err().to_string().len() < 1_000);
        assert!(read(502, "<html>").unwrap_err().to_string().ends_with("502 Bad Gateway: no explanation"));
    }
}
