//! Tokens as a pure state machine: what a caller gets, when a token is refreshed, what a 401 means. It does no I/O and
//! reads no clock; `refresher` drives it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cintx_raw::Secret;
use http::HeaderValue;

use crate::auth::TokenError;

/// An error of the token endpoint is answered from memory for this long: a thousand callers with a wrong secret
/// make one request, and a secret mended a moment later works at once.
const ERROR_LIFE: Duration = Duration::from_secs(1);

/// A token, ready to be sent.
pub(crate) struct Token {
    header: HeaderValue,
    secret: Secret,
    renew_at: Option<Instant>,
    expires_at: Option<Instant>,
}

impl Token {
    /// A token that lives for `life` from `now` on, for ever if `None`. It is renewed ahead of its end by `margin` or
    /// half its life, whichever is less, and up to half of that later: `unit` is a random number from 0 to 1.
    pub(crate) fn new(
        secret: Secret,
        life: Option<Duration>,
        margin: Duration,
        now: Instant,
        unit: f64,
    ) -> Result<Self, TokenError> {
        let mut header =
            HeaderValue::from_str(&format!("Bearer {}", secret.expose())).map_err(|_| TokenError::Unreadable)?;
        header.set_sensitive(true);
        // A life beyond what the clock can count is as good as for ever.
        let expires_at = life.and_then(|life| now.checked_add(life));
        let renew_at = life.and_then(|life| {
            let ahead = margin.min(life / 2).mul_f64(1.0 - unit.clamp(0.0, 1.0) / 2.0);
            now.checked_add(life - ahead)
        });
        Ok(Self { header, secret, renew_at, expires_at })
    }

    /// The value of `Authorization`.
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// The token itself.
    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Whether it is past its end, as far as we know.
    pub(crate) fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|end| now >= end)
    }

    /// Whether a 403 may be its fault: it is past its end or about to be, clocks differing as they do.
    pub(crate) fn may_be_expired(&self, now: Instant) -> bool {
        self.renew_at.is_some_and(|renew| now >= renew) || self.is_expired(now)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// What a caller who needs a token is to do.
#[derive(Debug)]
pub(crate) enum Demand {
    /// Use this one.
    Use(Arc<Token>),
    /// Use this one, and see to it that a refresh begins.
    UseAndRefresh(Arc<Token>),
    /// Wait for a refresh, beginning it if `begin`.
    Wait { begin: bool },
    /// Give up: the last refresh failed just now.
    Fail(TokenError),
}

/// The present token and what is known about the next.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    current: Option<Arc<Token>>,
    /// A token that the API refused: not to be taken again from a shared store.
    refused: Option<Arc<Token>>,
    refreshing: bool,
    failed: Option<(Instant, TokenError)>,
}

impl Tokens {
    /// A caller needs a token.
    pub(crate) fn demand(&mut self, now: Instant) -> Demand {
        let living = self.current.as_ref().filter(|token| !token.is_expired(now));
        let failure = self.failed.as_ref().filter(|(until, _)| now < *until);
        match (living, failure) {
            (Some(token), _) if token.renew_at.is_none_or(|renew| now < renew) => Demand::Use(Arc::clone(token)),
            (Some(token), Some(_)) => Demand::Use(Arc::clone(token)),
            (Some(token), None) if self.refreshing => Demand::Use(Arc::clone(token)),
            (Some(token), None) => {
                let token = Arc::clone(token);
                self.refreshing = true;
                Demand::UseAndRefresh(token)
            }
            (None, Some((_, error))) if !self.refreshing => Demand::Fail(error.clone()),
            (None, _) => Demand::Wait { begin: !std::mem::replace(&mut self.refreshing, true) },
        }
    }

    /// A refresh has ended. A failure leaves the old token where it is.
    pub(crate) fn refreshed(&mut self, outcome: Result<Arc<Token>, TokenError>, now: Instant) {
        self.refreshing = false;
        match outcome {
            Ok(token) => {
                self.current = Some(token);
                self.failed = None;
            }
            Err(error) => self.failed = now.checked_add(ERROR_LIFE).map(|until| (until, error)),
        }
    }

    /// A refresh has ended without an outcome: its runtime is gone.
    pub(crate) fn abandoned(&mut self) {
        self.refreshing = false;
    }

    /// The API refused a token. If another has taken its place meanwhile, that one stays.
    pub(crate) fn refuse(&mut self, token: &Arc<Token>) {
        if self.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, token)) {
            self.refused = self.current.take();
        }
    }

    /// Whether there is a token that nobody knows to be over.
    #[cfg(test)]
    pub(crate) fn has_living(&self, now: Instant) -> bool {
        self.current.as_ref().is_some_and(|token| !token.is_expired(now))
    }

    /// The last token that the API refused.
    pub(crate) fn refused(&self) -> Option<&Arc<Token>> {
        self.refused.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const MARGIN: Duration = Duration::from_secs(300);

    fn token(life: Duration, now: Instant) -> Arc<Token> {
        Arc::new(Token::new(Secret::from("t"), Some(life), MARGIN, now, 0.0).unwrap())
    }

    fn error() -> TokenError {
        TokenError::Unreadable
    }

    #[test]
    fn one_refresh_at_a_time_and_nobody_waits_who_has_a_token() {
        let now = Instant::now();
        let mut tokens = Tokens::default();
        assert!(matches!(tokens.demand(now), Demand::Wait { begin: true }));
        for _ in 0..1000 {
            assert!(matches!(tokens.demand(now), Demand::Wait { begin: false }));
        }
        tokens.refreshed(Ok(token(HOUR, now)), now);
        assert!(matches!(tokens.demand(now), Demand::Use(_)));
        let late = now + HOUR - MARGIN;
        assert!(matches!(tokens.demand(late), Demand::UseAndRefresh(_)));
        assert!(matches!(tokens.demand(late), Demand::Use(_)));
        // The refresh fails; the old token serves while it lives, and the next refresh waits a moment.
        tokens.refreshed(Err(error()), late);
        assert!(matches!(tokens.demand(late), Demand::Use(_)));
        assert!(matches!(tokens.demand(late + ERROR_LIFE), Demand::UseAndRefresh(_)));
        assert!(matches!(tokens.demand(now + HOUR), Demand::Wait { begin: false }));
        tokens.refreshed(Err(error()), now + HOUR);
        assert!(matches!(tokens.demand(now + HOUR), Demand::Fail(_)));
        assert!(matches!(tokens.demand(now + HOUR + ERROR_LIFE), Demand::Wait { begin: true }));
    }

    #[test]
    fn only_the_refused_token_is_forgotten() {
        let now = Instant::now();
        let mut tokens = Tokens::default();
        let (old, new) = (token(HOUR, now), token(HOUR, now));
        tokens.refreshed(Ok(Arc::clone(&old)), now);
        tokens.refreshed(Ok(Arc::clone(&new)), now);
        tokens.refuse(&old);
        assert!(matches!(tokens.demand(now), Demand::Use(token) if Arc::ptr_eq(&token, &new)));
        tokens.refuse(&new);
        assert!(tokens.refused().is_some_and(|token| Arc::ptr_eq(token, &new)));
        assert!(matches!(tokens.demand(now), Demand::Wait { begin: true }));
    }

    #[test]
    fn a_token_is_renewed_ahead_by_the_margin_or_half_its_life_with_jitter() {
        let now = Instant::now();
        let renew = |life: u64, unit: f64| {
            let token = Token::new(Secret::from("t"), Some(Duration::from_secs(life)), MARGIN, now, unit).unwrap();
            (token.renew_at.unwrap() - now).as_secs()
        };
        assert_eq!(renew(86_400, 0.0), 86_400 - 300);
        assert_eq!(renew(86_400, 1.0), 86_400 - 150);
        assert_eq!(renew(100, 0.0), 50);
        assert_eq!(renew(100, 1.0), 75);
        assert_eq!(renew(0, 0.5), 0);
        let eternal = Token::new(Secret::from("t"), Some(Duration::MAX), MARGIN, now, 0.0).unwrap();
        assert!(!eternal.is_expired(now + HOUR));
    }
}
