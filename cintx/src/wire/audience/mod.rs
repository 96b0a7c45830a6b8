//! Audiences on the wire, written as JSON once and held against each version's types: `legacy` for the two versions
//! before 2025-12-18, `modern` for that one.

#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
pub(crate) mod legacy;
#[cfg(feature = "v2025-12-18")]
pub(crate) mod modern;

use crate::error::{Error, Invalid};

pub(crate) fn refused(what: &'static str, reason: impl Into<String>) -> Error {
    Error::invalid(vec![Invalid::new(what, reason)])
}
