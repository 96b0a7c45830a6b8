//! Validated value types. Each refuses what the API would refuse, and says what is expected instead.

pub(crate) mod ids;
mod letters;
mod locale;
mod measure;
mod money;
pub(crate) mod serde_text;
mod sums;
mod survey;
#[cfg(test)]
mod tests;
mod time;

use std::any::Any;
use std::fmt;

use rust_decimal::Decimal;

pub use self::ids::{
    BusinessUnitId, EndClientId, ExclusionGroupId, FieldingRunId, IndustryCode, JobId, LockoutCode, ProfileTemplateId,
    ProjectId, ReconciliationId, ReportId, StudyTypeCode, SupplierId, TargetGroupId, TemplateId, UserId, WebhookId,
};
pub use cintx_raw::Secret;

pub use self::locale::{CountryCode, LanguageCode, Locale};
pub use self::measure::{IncidenceRate, LengthOfInterview};
pub use self::money::{Money, MoneyError};
pub use self::sums::CurrencySums;
pub(crate) use self::survey::is_invisible;
pub use self::survey::{CustomerReference, SurveyUrl};
pub use self::time::{ActivityPeriod, Interval, TimeRange};
use crate::error::{FieldError, shortened};
pub use crate::open_enum::UnknownValue;

/// The longest value that an error shows, in characters as they are shown.
const MAX_SHOWN_CHARS: usize = 200;

/// A value that its type does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{got:?} is not {expected}")]
pub struct InvalidValue {
    got: Box<str>,
    expected: &'static str,
}

impl InvalidValue {
    pub(crate) fn new(got: impl fmt::Display, expected: &'static str) -> Self {
        let (got, mut room) = (got.to_string(), MAX_SHOWN_CHARS);
        // What is invisible is shown by its number, which takes several characters.
        let fits = |letter: &char| {
            let length = letter.escape_debug().count();
            let is_room = length <= room;
            room = room.saturating_sub(length);
            is_room
        };
        let shown = got.chars().take_while(fits).count();
        Self { got: if shown < got.chars().count() { shortened(got, shown) } else { got }.into(), expected }
    }

    /// What it says behind the name of a field.
    fn reason(&self) -> String {
        format!("is {:?}, expected {}", self.got, self.expected)
    }
}

/// A decimal as people write it: digits and one point. No sign, no exponent, and no grouping, which would make
/// another number of a typing mistake.
pub(crate) fn plain_decimal(text: &str) -> Option<Decimal> {
    short_decimal(text.as_bytes()).or_else(|| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        plain.then(|| Decimal::from_str_exact(text).ok()).flatten()
    })
}

/// The same of at most 18 digits, which nearly all amounts have: a list has several in each item.
fn short_decimal(text: &[u8]) -> Option<Decimal> {
    /// As many as a number of 64 bits holds whatever they are.
    const MAX_DIGITS: usize = 18;
    if text.len() > MAX_DIGITS || !text.first()?.is_ascii_digit() || !text.last()?.is_ascii_digit() {
        return None;
    }
    let (mut mantissa, mut scale, mut is_fraction) = (0_i64, 0, false);
    for &byte in text {
        if byte.is_ascii_digit() {
            mantissa = mantissa * 10 + i64::from(byte - b'0');
            scale += u32::from(is_fraction);
        } else if byte == b'.' && !is_fraction {
            is_fraction = true;
        } else {
            return None;
        }
    }
    Some(Decimal::new(mantissa, scale))
}

/// Whether white space or a mark that nobody sees stands around a text, or control characters in it, as in a key that
/// was read with its line end.
#[cfg(any(feature = "redirect-hashing", feature = "webhook-receive"))]
pub(crate) fn is_padded(text: &str) -> bool {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c)) != text || text.chars().any(char::is_control)
}

/// A UUID in the one form that the API takes: hyphenated, without braces or a prefix.
pub(crate) fn hyphenated_uuid(text: &str) -> Option<uuid::Uuid> {
    (text.len() == uuid::fmt::Hyphenated::LENGTH).then(|| text.parse().ok()).flatten()
}

/// A value as a builder takes it: made already, or text that is checked when the builder is.
///
/// Implemented for everything that converts into `T`.
pub trait IntoField<T> {
    #[doc(hidden)]
    fn into_field(self, field: &'static str, problems: &mut Vec<FieldError>) -> Option<T>;
}

impl<T, G> IntoField<T> for G
where
    G: TryInto<T>,
    G::Error: fmt::Display + 'static,
{
    fn into_field(self, field: &'static str, problems: &mut Vec<FieldError>) -> Option<T> {
        let reason = |error: G::Error| match (&error as &dyn Any).downcast_ref::<InvalidValue>() {
            Some(invalid) => invalid.reason(),
            None => format!("cannot be used: {error}"),
        };
        self.try_into().map_err(|error| problems.push(FieldError::new(field, reason(error)))).ok()
    }
}

/// Conversions from text for a type that parses.
macro_rules! from_text {
    ($name:ident) => {
        impl TryFrom<&str> for $name {
            type Error = InvalidValue;

            fn try_from(text: &str) -> Result<Self, InvalidValue> {
                text.parse()
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidValue;

            fn try_from(text: String) -> Result<Self, InvalidValue> {
                text.parse()
            }
        }

        impl TryFrom<&String> for $name {
            type Error = InvalidValue;

            fn try_from(text: &String) -> Result<Self, InvalidValue> {
                text.parse()
            }
        }
    };
}
use from_text;
