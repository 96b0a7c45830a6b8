//! Numbers with decimals as a file has them: whole numbers, numbers with a point, or text, which is exact in every
//! format.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::types::{InvalidValue, plain_decimal};

const EXPECTED: &str = "a number: at least 0, digits and at most one point";

/// A number of at least zero with decimals: `40`, `33.33` or `"33.33"` in a file.
///
/// ```
/// # use cintx::study::StudyNumber;
/// assert_eq!("33.33".parse::<StudyNumber>()?.to_string(), "33.33");
/// assert_eq!(StudyNumber::from(40), "40.00".parse()?);
/// assert!("-1".parse::<StudyNumber>().is_err());
/// # Ok::<(), cintx::types::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StudyNumber(Decimal);

impl StudyNumber {
    /// The number as an exact decimal.
    pub fn decimal(self) -> Decimal {
        self.0
    }

    pub(super) fn to_f64(self) -> f64 {
        self.0.to_f64().unwrap_or(0.0)
    }
}

impl From<u32> for StudyNumber {
    fn from(number: u32) -> Self {
        Self(number.into())
    }
}

impl TryFrom<Decimal> for StudyNumber {
    type Error = InvalidValue;

    fn try_from(number: Decimal) -> Result<Self, InvalidValue> {
        if number.is_sign_negative() && !number.is_zero() {
            return Err(InvalidValue::new(number, EXPECTED));
        }
        Ok(Self(number.normalize()))
    }
}

impl FromStr for StudyNumber {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        plain_decimal(text).ok_or_else(|| InvalidValue::new(text, EXPECTED)).and_then(Self::try_from)
    }
}

impl fmt::Display for StudyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for StudyNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.to_u32().filter(|_| self.0.is_integer()) {
            Some(whole) => serializer.serialize_u32(whole),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for StudyNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl de::Visitor<'_> for NumberVisitor {
    type Value = StudyNumber;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<StudyNumber, E> {
        Ok(StudyNumber(number.into()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<StudyNumber, E> {
        StudyNumber::try_from(Decimal::from(number)).map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<StudyNumber, E> {
        // The shortest text that is this number is what was written.
        self.visit_str(&number.to_string())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<StudyNumber, E> {
        text.parse().map_err(E::custom)
    }
}
