//! Audiences on the wire, written as JSON once and held against each version's types: `legacy` for the two versions
//! before 2025-12-18, `modern` for that one.

#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
pub(crate) mod legacy;
#[cfg(feature = "v2025-12-18")]
pub(crate) mod modern;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Invalid};

/// JSON as a version's type; what does not fit is refused before it is sent.
pub(crate) fn typed<T: DeserializeOwned>(what: &'static str, json: Value) -> Result<T, Error> {
    serde_json::from_value(json).map_err(|error| refused(what, error.to_string()))
}

/// An answer as JSON.
pub(crate) fn untyped(what: &'static str, answer: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(answer).map_err(|error| refused(what, error.to_string()))
}

pub(crate) fn refused(what: &'static str, reason: impl Into<String>) -> Error {
    Error::invalid(vec![Invalid::new(what, reason)])
}
