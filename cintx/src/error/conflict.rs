//! A conflict: a change that was not written, because the same fields were changed elsewhere.

use std::fmt;

use super::{Error, Kind};

/// A resource that was changed here and, at the same time, elsewhere: the same fields, to different values.
/// Nothing was written. Read it again and decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub(crate) fields: Vec<&'static str>,
}

impl Conflict {
    /// The fields that both sides changed.
    pub fn fields(&self) -> &[&'static str] {
        &self.fields
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not written: somebody else changed {} meanwhile", self.fields.join(", "))
    }
}

impl std::error::Error for Conflict {}

impl Error {
    /// The fields that somebody else changed meanwhile, too; see [`Conflict`].
    pub fn conflict(&self) -> Option<&Conflict> {
        match &*self.kind {
            Kind::Conflict(conflict) => Some(conflict),
            _ => None,
        }
    }
}
