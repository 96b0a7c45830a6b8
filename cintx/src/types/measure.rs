//! Length of interview and incidence rate.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};

use super::serde_text::as_text;
use super::{InvalidValue, from_text, plain_decimal};

/// The share of respondents who qualify, in hundredths: 0.01 to 1.
///
/// ```
/// # use cintx::types::IncidenceRate;
/// let rate: IncidenceRate = "0.50".parse()?;
/// assert_eq!(rate.percent(), 50);
/// assert!("0.505".parse::<IncidenceRate>().is_err());
/// # Ok::<(), cintx::types::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IncidenceRate(u8);

impl IncidenceRate {
    /// Stands in a builder until a rate is given. Never sent.
    pub(crate) const PLACEHOLDER: Self = Self(100);

    /// A rate in percent.
    ///
    /// # Errors
    /// If it is not 1 to 100.
    pub fn from_percent(percent: u8) -> Result<Self, InvalidValue> {
        match percent {
            1..=100 => Ok(Self(percent)),
            _ => Err(InvalidValue::new(percent, "an incidence rate: 1 to 100 percent")),
        }
    }

    /// The rate in percent: 1 to 100.
    pub fn percent(self) -> u8 {
        self.0
    }

    /// The rate that an answer gives, to the nearest hundredth; `None` if it is none.
    pub(crate) fn from_fraction(fraction: f64) -> Option<Self> {
        let percent = (fraction * 100.0).round();
        (1.0..=100.0).contains(&percent).then_some(Self(percent as u8))
    }

    /// The rate as the API takes it.
    pub(crate) fn fraction(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl fmt::Display for IncidenceRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl FromStr for IncidenceRate {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        const RATE: &str = "an incidence rate: 0.01 to 1, in hundredths";
        let percent = plain_decimal(text).and_then(|rate| rate.checked_mul(Decimal::ONE_HUNDRED));
        match percent.filter(Decimal::is_integer).and_then(|percent| percent.to_u8()) {
            Some(percent @ 1..=100) => Ok(Self(percent)),
            _ => Err(InvalidValue::new(text, RATE)),
        }
    }
}

from_text!(IncidenceRate);
as_text!(IncidenceRate);

/// How long an interview takes, in whole minutes: 1 to 45.
///
/// ```
/// # use cintx::types::LengthOfInterview;
/// assert_eq!(LengthOfInterview::minutes(10)?.as_minutes(), 10);
/// assert!(LengthOfInterview::minutes(46).is_err());
/// # Ok::<(), cintx::types::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct LengthOfInterview(u8);

impl LengthOfInterview {
    /// Stands in a builder until a length is given. Never sent.
    pub(crate) const PLACEHOLDER: Self = Self(1);

    /// A length in minutes. Builders take the result as it is, and refuse a wrong one with everything else.
    ///
    /// # Errors
    /// If it is not 1 to 45.
    pub fn minutes(minutes: u8) -> Result<Self, InvalidValue> {
        match minutes {
            1..=45 => Ok(Self(minutes)),
            _ => Err(InvalidValue::new(minutes, "a length of interview: 1 to 45 minutes")),
        }
    }

    /// The length in minutes: 1 to 45.
    pub fn as_minutes(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for LengthOfInterview {
    type Error = InvalidValue;

    fn try_from(minutes: u8) -> Result<Self, InvalidValue> {
        Self::minutes(minutes)
    }
}

impl TryFrom<Result<Self, InvalidValue>> for LengthOfInterview {
    type Error = InvalidValue;

    fn try_from(result: Result<Self, InvalidValue>) -> Result<Self, InvalidValue> {
        result
    }
}

impl From<LengthOfInterview> for u8 {
    fn from(length: LengthOfInterview) -> Self {
        length.0
    }
}
