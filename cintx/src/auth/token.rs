//! One token, ready to be sent: its header, its lifetime, and what our clocks say of its age. It reads no clock itself.

use std::fmt;
use std::time::Duration;

use cintx_raw::Secret;
use http::HeaderValue;

use super::clock::Now;
use crate::auth::TokenError;

/// A token is taken to live at least this long, so that one with no life at all is not replaced with every call.
const MIN_LIFE: Duration = Duration::from_secs(1);
/// Clocks that differ by more than this were set, or the machine slept.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

/// A token, ready to be sent.
pub(crate) struct Token {
    header: HeaderValue,
    secret: Secret,
    obtained: Now,
    life: Option<Life>,
}

/// Counted from the moment at which the token was asked for.
#[derive(Clone, Copy)]
struct Life {
    /// When it is about to end by what it says itself, however short that is.
    stated: Duration,
    renewal: Duration,
    end: Duration,
}

impl Token {
    /// A token that lives for `life` from `obtained` on, for ever if `None`. It is renewed ahead of its end by `margin`
    /// or half its life, whichever is less, and up to half of that later: `unit` is a random number from 0 to 1.
    pub(crate) fn new(
        secret: Secret,
        life: Option<Duration>,
        margin: Duration,
        obtained: Now,
        unit: f64,
    ) -> Result<Self, TokenError> {
        let text = secret.expose();
        if text.is_empty() {
            return Err(TokenError::Unreadable { reason: "the token is empty" });
        }
        let unsendable = TokenError::Unreadable { reason: "the token holds characters that no bearer token has" };
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unsendable);
        }
        let mut header = HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| unsendable)?;
        header.set_sensitive(true);
        let life = life.map(|life| {
            let renewal = |life: Duration| {
                let ahead = margin.min(life / 2).mul_f64(1.0 - unit.clamp(0.0, 1.0) / 2.0);
                life.saturating_sub(ahead)
            };
            let end = life.max(MIN_LIFE);
            Life { stated: renewal(life), renewal: renewal(end), end }
        });
        Ok(Self { header, secret, obtained, life })
    }

    /// The value of `Authorization`.
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// Whether its text is this one.
    pub(crate) fn is(&self, secret: &Secret) -> bool {
        self.secret.expose() == secret.expose()
    }

    /// The token itself.
    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Whether it is past its end, as far as we know.
    pub(crate) fn is_expired(&self, now: Now) -> bool {
        self.life.is_some_and(|life| now.since(self.obtained) >= life.end)
    }

    /// Whether it is time to ask for the next one.
    pub(crate) fn is_due(&self, now: Now) -> bool {
        self.life.is_some_and(|life| now.since(self.obtained) >= life.renewal)
    }

    /// Whether a 403 may be its fault: it is past its end or about to be, or our clocks disagree about its age.
    pub(crate) fn may_be_expired(&self, now: Now) -> bool {
        self.life.is_some_and(|life| {
            now.since(self.obtained) >= life.stated || now.drift_since(self.obtained) > CLOCK_TOLERANCE
        })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const MARGIN: Duration = Duration::from_secs(300);

    fn token(life: Duration, now: Now) -> Token {
        Token::new(Secret::from("t"), Some(life), MARGIN, now, 0.0).unwrap()
    }

    #[test]
    fn a_token_is_renewed_ahead_by_the_margin_or_half_its_life_with_jitter() {
        let now = Now::read();
        let renewal = |life: u64, unit: f64| {
            let token = Token::new(Secret::from("t"), Some(Duration::from_secs(life)), MARGIN, now, unit).unwrap();
            token.life.unwrap().renewal.as_secs_f64()
        };
        assert_eq!(renewal(86_400, 0.0), 86_400.0 - 300.0);
        assert_eq!(renewal(86_400, 1.0), 86_400.0 - 150.0);
        assert_eq!(renewal(100, 0.0), 50.0);
        assert_eq!(renewal(100, 1.0), 75.0);
        assert_eq!(renewal(0, 0.0), 0.5, "no life at all counts as a second");
        let eternal = token(Duration::MAX, now);
        assert!(!eternal.is_expired(now + HOUR));
    }

    #[test]
    fn either_clock_ends_a_token_and_a_clock_that_was_set_back_keeps_none() {
        let now = Now::read();
        let token = token(HOUR, now);
        assert!(!token.is_due(now + HOUR / 2) && !token.is_expired(now + HOUR / 2));
        // Suspended for an hour: the monotonic clock stood still.
        assert!(token.is_expired(now.later(Duration::ZERO, HOUR)));
        // The clock on the wall was set back by a day: the monotonic one still counts.
        let set_back = Now { monotonic: now.monotonic + HOUR, wall: now.wall - 24 * HOUR };
        assert!(token.is_expired(set_back));
    }

    #[test]
    fn a_403_may_be_the_tokens_fault_when_the_clocks_disagree() {
        let now = Now::read();
        let token = token(24 * HOUR, now);
        assert!(!token.may_be_expired(now + HOUR), "a missing right");
        assert!(token.may_be_expired(now + (24 * HOUR - MARGIN)), "about to end");
        assert!(token.may_be_expired(now.later(HOUR, 2 * HOUR)), "slept, or set forward");
        assert!(token.may_be_expired(Now { monotonic: now.monotonic + HOUR, wall: now.wall }), "set back");
        assert!(self::token(Duration::ZERO, now).may_be_expired(now), "it says so itself");
        let eternal = Token::new(Secret::from("t"), None, MARGIN, now, 0.0).unwrap();
        assert!(!eternal.may_be_expired(now.later(HOUR, 48 * HOUR)), "no clock can tell");
    }

    #[test]
    fn an_empty_token_is_none_and_neither_is_one_that_no_header_carries() {
        let now = Now::read();
        for bad in ["", " ", "a b", "token\n", "a\u{7f}", "tökén", "a\0b"] {
            let error = Token::new(Secret::from(bad), None, MARGIN, now, 0.0).unwrap_err();
            assert!(matches!(error, TokenError::Unreadable { .. }), "{bad:?}");
            assert!(bad.trim().is_empty() || !error.to_string().contains(bad), "{error}");
        }
        let token = Token::new(Secret::from("a.b-c_d~e+f/g=="), None, MARGIN, now, 0.0).unwrap();
        assert!(token.header().is_sensitive());
    }
}
