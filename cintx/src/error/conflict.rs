//! A conflict: a change that was not written, because another client changed the same fields.

use std::fmt;

use super::{Error, Kind};

/// A resource of which two clients changed the same fields at the same time, to different values. Nothing was written,
/// unless [`Error::outcome`] says that it is not known of an earlier attempt. Read it again and decide.
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
        write!(f, "not written: another client changed {} meanwhile", self.fields.join(", "))
    }
}

impl std::error::Error for Conflict {}

impl Error {
    /// A conflict after a write of the same call that may have been done.
    pub(crate) fn conflict_in_doubt(conflict: Conflict, in_doubt: Self) -> Self {
        Self::new(Kind::Conflict { conflict, in_doubt: Some(in_doubt) })
    }

    /// The fields that another client changed meanwhile, too; see [`Conflict`].
    pub fn conflict(&self) -> Option<&Conflict> {
        match &*self.kind {
            Kind::Conflict { conflict, .. } => Some(conflict),
            Kind::AfterWrite(error) => error.conflict(),
            _ => None,
        }
    }
}
