//! Access tokens: issuing, and telling good, expired and unknown ones apart.
//! Several may be good at once; a new one does not end an old one.

use crate::sim::rng::Rng;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

/// All tokens issued, with the moment they expire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens {
    expiry: HashMap<String, Timestamp>,
}

/// What a presented token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    Expired,
    Unknown,
}

/// Old tokens are forgotten from this number on, so that memory is bounded.
const MAX_TOKENS: usize = 10_000;

impl Tokens {
    /// Issues a token of three parts, as a JWT has them. The parts are
    /// opaque: clients must not look inside.
    pub(crate) fn issue(&mut self, rng: &mut Rng, now: Timestamp, ttl: SignedDuration) -> String {
        if self.expiry.len() >= MAX_TOKENS {
            self.expiry.retain(|_, expiry| *expiry > now);
            if self.expiry.len() >= MAX_TOKENS {
                self.expiry.clear();
            }
        }
        let token = format!("sandbox.{}.{}", rng.hex(64), rng.hex(43));
        self.expiry.insert(token.clone(), crate::sim::clock::plus(now, ttl));
        token
    }

    pub(crate) fn standing(&self, token: &str, now: Timestamp) -> Standing {
        match self.expiry.get(token) {
            Some(expiry) if *expiry > now => Standing::Good,
            Some(_) => Standing::Expired,
            None => Standing::Unknown,
        }
    }

    /// Makes one token expire now.
    pub(crate) fn expire(&mut self, token: &str, now: Timestamp) {
        if let Some(expiry) = self.expiry.get_mut(token) {
            *expiry = now;
        }
    }

    /// Makes every token expire now.
    pub(crate) fn expire_all(&mut self, now: Timestamp) {
        for expiry in self.expiry.values_mut() {
            *expiry = now;
        }
    }
}
