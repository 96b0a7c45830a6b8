//! One value that was refused before anything was sent.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::refused::{MAX_LIST_CHARS, shortened};

/// One value that was refused before anything was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", shortened(format!("{field} {reason}"), MAX_LIST_CHARS))]
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

/// Which of its required fields a builder was given. What it was not given holds a placeholder, so nothing is built
/// before [`report_missing`](Self::report_missing) finds none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequiredFields {
    names: &'static [&'static str],
    /// A bit for each name.
    given: u32,
}

impl RequiredFields {
    /// Fields none of which is given yet: at most 32.
    pub(crate) const fn new(names: &'static [&'static str]) -> Self {
        assert!(names.len() <= 32, "a bit for each");
        Self { names, given: 0 }
    }

    /// Notes that a field was given. Fields that are not required are passed over.
    pub(crate) fn give(&mut self, field: &str) {
        if let Some(at) = self.names.iter().position(|name| *name == field) {
            self.given |= 1 << at;
        }
    }

    /// Whether a field was given.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.names.iter().position(|name| *name == field).is_some_and(|at| self.given & (1 << at) != 0)
    }

    /// Says which were not given, and were not said to be wrong either.
    pub(crate) fn report_missing(&self, problems: &mut Vec<FieldError>) {
        for field in self.names.iter().filter(|name| !self.has(name)) {
            if !problems.iter().any(|told| told.field() == *field) {
                problems.push(FieldError::new(*field, "is missing"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_once() {
        let mut fields = RequiredFields::new(&["locale", "audience"]);
        let mut problems = vec![FieldError::new("locale", "is wrong")];
        fields.report_missing(&mut problems);
        assert_eq!(problems.iter().map(FieldError::field).collect::<Vec<_>>(), ["locale", "audience"]);
        fields.give("name");
        fields.give("audience");
        assert!(fields.has("audience") && !fields.has("locale") && !fields.has("name"));
        fields.give("locale");
        problems.clear();
        fields.report_missing(&mut problems);
        assert!(problems.is_empty());
    }
}
