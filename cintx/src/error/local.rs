//! What failed on this machine: a file, or a store, a stream or a writer of the caller's. The API had no part in it.

use std::error::Error as StdError;
use std::fmt;

use cintx_raw::BoxError;

use super::{Error, Kind, Outcome};

/// Something on this machine that failed, and how far the call had come.
pub(super) struct Local {
    what: String,
    pub(super) outcome: Outcome,
    cause: BoxError,
}

impl Local {
    pub(super) fn source(&self) -> &(dyn StdError + 'static) {
        &*self.cause
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.outcome == Outcome::NotSent { "not sent: " } else { "" })?;
        f.write_str(&self.what)
    }
}

impl Error {
    /// The failure of something on this machine before anything was sent. A cause that is such an error already, as of
    /// a download that is handed on, stays what it is.
    pub(crate) fn local_unsent(what: impl Into<String>, cause: impl Into<BoxError>) -> Self {
        Self::of_local(what.into(), Outcome::NotSent, cause.into())
    }

    /// The same of something that was to keep what the API had sent.
    pub(crate) fn local(what: impl Into<String>, cause: impl Into<BoxError>) -> Self {
        Self::of_local(what.into(), Outcome::NoEffect, cause.into())
    }

    fn of_local(what: String, outcome: Outcome, cause: BoxError) -> Self {
        match cause.downcast::<Self>() {
            Ok(error) => *error,
            Err(cause) => Self::new(Kind::Local(Local { what, outcome, cause })),
        }
    }
}
