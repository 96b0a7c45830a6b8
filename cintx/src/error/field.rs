//! One value that was refused before anything was sent.

/// One value that was refused before anything was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct FieldError {
    field: &'static str,
    reason: String,
}

impl FieldError {
    pub(crate) fn new(field: &'static str, reason: impl Into<String>) -> Self {
        Self { field, reason: reason.into() }
    }

    /// The field, as the builder calls it.
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// What it got and what is allowed.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}
