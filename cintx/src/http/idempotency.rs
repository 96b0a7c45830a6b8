//! Idempotency keys: one for each logical request, in the format that its operation takes.
//! Fresh, given by the caller, or derived from a business key.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use cintx_raw::{IdempotencyKey, KeyFormat, Operation, Request};
use http::{HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};
use ulid::Ulid;
use uuid::Uuid;

use crate::error::FieldError;

pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Where a key comes from, unless it is fresh.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum KeyChoice {
    Given(String),
    Business(String),
}

impl fmt::Debug for KeyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A business key may be a customer's name.
        f.write_str(match self {
            Self::Given(_) => "Given(..)",
            Self::Business(_) => "Business(..)",
        })
    }
}

/// Gives a request its key, if its operation takes one. A key that the caller of the raw client chose stays.
pub(crate) fn give_key(request: &mut Request, choice: Option<&KeyChoice>) -> Result<(), FieldError> {
    let operation = request.operation();
    let Some(format) = operation.idempotency_key.format() else {
        return match choice {
            Some(_) if !operation.is_read() => Err(no_key(operation)),
            _ => Ok(()),
        };
    };
    let chosen = request.headers().get(&IDEMPOTENCY_KEY);
    if let Some(chosen) = chosen {
        return check(chosen.to_str().unwrap_or_default(), format);
    }
    let key = match choice {
        Some(KeyChoice::Given(key)) => {
            check(key, format)?;
            key.clone()
        }
        Some(KeyChoice::Business(business)) => derived(business, operation, request.target(), format),
        None => fresh(format),
    };
    let value = HeaderValue::try_from(key)
        .map_err(|_| FieldError::new("idempotency_key", "holds characters that no header can carry"))?;
    request.headers_mut().insert(IDEMPOTENCY_KEY, value);
    Ok(())
}

/// Whether a request carries a key that the API will honour.
pub(crate) fn is_keyed(request: &Request) -> bool {
    request.operation().idempotency_key != IdempotencyKey::None && request.headers().contains_key(&IDEMPOTENCY_KEY)
}

/// So many keys are remembered, the latest ones.
const MAX_SENT_KEYS: usize = 1_024;

/// The keys that callers chose, each with what it was sent with: a key that names another request answers with what
/// the first one did.
#[derive(Debug, Default)]
pub(crate) struct SentKeys(Mutex<VecDeque<(HeaderValue, u64)>>);

impl SentKeys {
    /// Remembers what a key stands for; answers the key if it is new.
    pub(crate) fn remember(&self, request: &Request) -> Result<NewKey<'_>, FieldError> {
        let mut new = NewKey { keys: self, key: None, is_kept: false };
        let Some(key) = request.headers().get(&IDEMPOTENCY_KEY) else { return Ok(new) };
        let mut hasher = DefaultHasher::new();
        (request.operation().id, request.target()).hash(&mut hasher);
        request.body().map(|body| &body.bytes).hash(&mut hasher);
        let stands_for = hasher.finish();
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match sent.iter().rev().find(|(other, _)| other == key) {
            Some((_, before)) if *before == stands_for => Ok(new),
            Some(_) => Err(FieldError::new(
                "idempotency_key",
                "was sent with another request before, expected a key of its own for each request",
            )),
            None => {
                if sent.len() == MAX_SENT_KEYS {
                    sent.pop_front();
                }
                sent.push_back((key.clone(), stands_for));
                new.key = Some(key.clone());
                Ok(new)
            }
        }
    }

    fn forget(&self, key: &HeaderValue) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(other, _)| other != key);
    }
}

/// A key that was not sent before. Unless it is kept it is forgotten again, also when its call is dropped: a request
/// that came to nothing may be mended, and the mended one may have it.
#[derive(Debug)]
pub(crate) struct NewKey<'a> {
    keys: &'a SentKeys,
    key: Option<HeaderValue>,
    pub(crate) is_kept: bool,
}

impl Drop for NewKey<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.as_ref().filter(|_| !self.is_kept) {
            self.keys.forget(key);
        }
    }
}

fn no_key(operation: &Operation) -> FieldError {
    let version = operation.api_version.unwrap_or("any version");
    FieldError::new(
        "idempotency_key",
        format!(
            "is given, but {} takes none in {version}: it would not keep a second one from being made",
            operation.id
        ),
    )
}

fn fresh(format: KeyFormat) -> String {
    match format {
        KeyFormat::Ulid => crate::types::ids::new_ulid().to_string(),
        KeyFormat::Any | KeyFormat::UuidV4 => Uuid::new_v4().to_string(),
    }
}

/// The same for the same business key, operation and path, for ever: the first line names the rule, so that another
/// rule can never give the same key.
fn derived(business: &str, operation: &Operation, target: &str, format: KeyFormat) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let mut hash = Sha256::new();
    for part in ["cintx idempotency key 1", operation.id, path, business] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    match format {
        KeyFormat::Ulid => Ulid::from_bytes(bytes).to_string(),
        KeyFormat::Any | KeyFormat::UuidV4 => uuid::Builder::from_random_bytes(bytes).into_uuid().to_string(),
    }
}

fn check(key: &str, format: KeyFormat) -> Result<(), FieldError> {
    let (fits, expected) = match format {
        KeyFormat::Any => {
            let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
            (visible && (1..=255).contains(&key.len()), "1 to 255 visible ASCII characters")
        }
        KeyFormat::Ulid => (Ulid::from_string(key).is_ok(), "a ULID"),
        KeyFormat::UuidV4 => (Uuid::parse_str(key).is_ok_and(|key| key.get_version_num() == 4), "a version 4 UUID"),
    };
    if fits { Ok(()) } else { Err(FieldError::new("idempotency_key", format!("is {key:?}, expected {expected}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMATS: [KeyFormat; 3] = [KeyFormat::Any, KeyFormat::Ulid, KeyFormat::UuidV4];

    fn operation() -> &'static Operation {
        Operation::undocumented(&http::Method::POST)
    }

    #[test]
    fn fresh_and_derived_keys_have_their_format() {
        for format in FORMATS {
            assert_ne!(fresh(format), fresh(format));
            check(&fresh(format), format).unwrap();
            check(&derived("order-1", operation(), "/a", format), format).unwrap();
        }
    }

    #[test]
    fn a_business_key_gives_the_same_key_for_ever() {
        let key = |business, target, format| derived(business, operation(), target, format);
        // These very values: a later release that changes them would repeat writes of an earlier one.
        assert_eq!(key("order-1", "/a?x=1", KeyFormat::UuidV4), "6b3cc596-ba1d-4852-9bc3-ba172be4068f");
        assert_eq!(key("order-1", "/a", KeyFormat::Ulid), "3B7K2SDEGXK199QGXT2WNY81MF");
        for format in FORMATS {
            assert_eq!(key("order-1", "/a", format), key("order-1", "/a?y=2", format));
            assert_ne!(key("order-1", "/a", format), key("order-2", "/a", format));
            assert_ne!(key("order-1", "/a", format), key("order-1", "/b", format));
        }
    }

    #[test]
    fn a_key_of_the_wrong_format_is_refused() {
        let long = "x".repeat(256);
        for (key, format) in [
            ("", KeyFormat::Any),
            ("a b", KeyFormat::Any),
            (&*long, KeyFormat::Any),
            ("order-1", KeyFormat::Ulid),
            ("order-1", KeyFormat::UuidV4),
            // Version 1.
            ("7d444840-9dc0-11d1-b245-5ffdce74fad2", KeyFormat::UuidV4),
        ] {
            assert!(check(key, format).is_err(), "{key:?} {format:?}");
        }
    }

    #[test]
    fn an_operation_without_a_key_refuses_one() {
        let mut request = Request::to(operation(), "/a");
        let given = KeyChoice::Given("x".to_owned());
        assert_eq!(give_key(&mut request, Some(&given)).unwrap_err().field(), "idempotency_key");
        let mut read = Request::to(Operation::undocumented(&http::Method::GET), "/a");
        give_key(&mut read, Some(&given)).unwrap();
        assert!(!is_keyed(&read) && !is_keyed(&request));
    }
}
