//! One value that was refused before anything was sent.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use jiff::Timestamp;

/// One value that was refused before anything was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct FieldError {
    field: Cow<'static, str>,
    reason: String,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }

    /// The field, as the builder calls it, with the place in it where that is known.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What it got and what is allowed.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// A text whose length, in characters, is not allowed.
pub(crate) fn text_length(field: &'static str, text: &str, chars: RangeInclusive<usize>) -> Option<FieldError> {
    let length = text.chars().count();
    (!chars.contains(&length)).then(|| {
        FieldError::new(field, format!("has {length} characters, expected {} to {}", chars.start(), chars.end()))
    })
}

/// A moment that must not be past.
pub(crate) fn must_be_future(field: &'static str, at: Timestamp, now: Timestamp) -> Option<FieldError> {
    (at <= now).then(|| FieldError::new(field, format!("is {at}, expected a time after now ({now:.0})")))
}

/// Takes what a builder requires out of it: `Some` of all the fields, or adds to the problems which are missing and
/// were not said to be wrong.
///
/// `required!(self, problems: locale, audience)` expands to
///
/// ```text
/// if self.locale.is_none() && !problems.iter().any(|told| told.field() == "locale") {
///     problems.push(FieldError::new("locale", "is missing"));
/// }
/// // the same of `audience`
/// match (self.locale, self.audience) {
///     (Some(locale), Some(audience)) => Some((locale, audience)),
///     _ => None,
/// }
/// ```
macro_rules! required {
    ($builder:ident, $problems:ident: $($field:ident),+ $(,)?) => {{
        $(if $builder.$field.is_none() && !$problems.iter().any(|told| told.field() == stringify!($field)) {
            $problems.push($crate::error::FieldError::new(stringify!($field), "is missing"));
        })+
        match ($($builder.$field,)+) {
            ($(Some($field),)+) => Some(($($field,)+)),
            _ => None,
        }
    }};
}
pub(crate) use required;
