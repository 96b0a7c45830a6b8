//! The signature: HMAC-SHA-256 over time and body, under the secret's text as it stands.
//! Every secret is tried on every signature of the header, and each comparison takes the same time.

use cintx_raw::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "cint-signature";

const MAX_HEADER: usize = 4096;
const MAX_SIGNATURES: usize = 16;

/// Why a call is not taken for Cint's. No variant says what the right signature would have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is no such header.
    #[error("header Cint-Signature is missing, expected t=<seconds>,v1=<hex>")]
    Missing,
    /// The header comes more than once.
    #[error("header Cint-Signature comes {got} times, expected it once")]
    Repeated {
        /// How often.
        got: usize,
    },
    /// The header is not one.
    #[error("header Cint-Signature {problem}, expected t=<seconds>,v1=<hex>")]
    Malformed {
        /// What is wrong about it.
        problem: &'static str,
    },
    /// No signature fits the body under any secret: it was changed, re-encoded, or signed with another secret.
    #[error("signature does not fit the body, expected one made with the webhook's secret")]
    Mismatch,
    /// The signature is right and its time is too far from now.
    #[error("signature is {age} seconds old, expected at most {allowed} in either direction")]
    Stale {
        /// How old, in seconds; negative if its time is still to come.
        age: i128,
        /// How old it may be.
        allowed: u64,
    },
}

/// A header, taken apart but not believed.
#[derive(Debug)]
pub(super) struct Signature<'a> {
    /// The time, as text: it is signed as text.
    time: &'a str,
    seconds: i64,
    candidates: Vec<[u8; 32]>,
}

impl<'a> Signature<'a> {
    pub(super) fn parse(header: &'a [u8]) -> Result<Self, SignatureError> {
        let malformed = |problem| SignatureError::Malformed { problem };
        if header.len() > MAX_HEADER {
            return Err(malformed("is longer than 4096 bytes"));
        }
        let text = std::str::from_utf8(header).map_err(|_| malformed("is no text"))?;
        let (mut time, mut candidates, mut count) = (None, Vec::new(), 0);
        for item in text.split(',') {
            // Other keys may come one day.
            match item.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
                Some(("t", value)) if time.replace(value).is_some() => return Err(malformed("has two times")),
                Some(("v1", value)) => {
                    count += 1;
                    candidates.extend(unhex(value));
                }
                _ => {}
            }
        }
        let time = time.ok_or_else(|| malformed("has no time"))?;
        let digits = !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = if digits { time.parse().ok() } else { None };
        let seconds = seconds.ok_or_else(|| malformed("has a time that is no number of seconds"))?;
        if count > MAX_SIGNATURES {
            return Err(malformed("has more than 16 signatures"));
        }
        if candidates.is_empty() {
            return Err(malformed("has no v1 signature of 64 hexadecimal digits"));
        }
        Ok(Self { time, seconds, candidates })
    }

    /// Whether any of the signatures fits these bytes under any of the secrets.
    pub(super) fn fits(&self, secrets: &[Secret], body: &[u8]) -> bool {
        let mut fits = Choice::from(0);
        for secret in secrets {
            // HMAC takes keys of every length, so nothing is skipped here.
            let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { continue };
            let right = mac.chain_update(self.time).chain_update(b".").chain_update(body).finalize().into_bytes();
            for candidate in &self.candidates {
                fits |= right.as_slice().ct_eq(candidate.as_slice());
            }
        }
        fits.into()
    }

    pub(super) fn is_fresh(&self, now: i64, allowed: u64) -> Result<(), SignatureError> {
        let age = i128::from(now) - i128::from(self.seconds);
        if age.unsigned_abs() <= u128::from(allowed) { Ok(()) } else { Err(SignatureError::Stale { age, allowed }) }
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let nibble = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(bytes)
}
