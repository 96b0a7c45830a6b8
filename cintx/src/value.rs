//! Values with a meaning of their own: money, incidence rate, length of interview.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

/// A value that its type does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{got:?} is not {expected}")]
pub struct InvalidValue {
    got: Box<str>,
    expected: &'static str,
}

impl InvalidValue {
    fn new(got: impl fmt::Display, expected: &'static str) -> Self {
        Self { got: got.to_string().into(), expected }
    }
}

/// An amount of money: an exact decimal and an ISO 4217 currency.
///
/// ```
/// # use cintx::Money;
/// let price = Money::new("2.7352", "USD")?;
/// assert_eq!(price.to_string(), "2.7352 USD");
/// assert!(Money::new("2,73", "USD").is_err());
/// # Ok::<(), cintx::InvalidValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Money {
    value: Decimal,
    currency: Box<str>,
}

impl Money {
    /// An amount given as decimal text.
    ///
    /// # Errors
    /// If the amount is not a decimal that is at least zero, or the currency is not three upper-case letters.
    pub fn new(value: &str, currency: &str) -> Result<Self, InvalidValue> {
        const AMOUNT: &str = "an amount: a decimal of at least 0, such as 2.73";
        let amount = Decimal::from_str_exact(value).map_err(|_| InvalidValue::new(value, AMOUNT))?;
        if amount.is_sign_negative() {
            return Err(InvalidValue::new(value, AMOUNT));
        }
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(InvalidValue::new(currency, "a currency: three upper-case letters, such as USD"));
        }
        Ok(Self { value: amount, currency: currency.into() })
    }

    /// The amount.
    pub fn value(&self) -> Decimal {
        self.value
    }

    /// The currency.
    pub fn currency(&self) -> &str {
        &self.currency
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.value, self.currency)
    }
}

/// The share of respondents who qualify, in hundredths: 0.01 to 1.
///
/// ```
/// # use cintx::IncidenceRate;
/// let rate: IncidenceRate = "0.50".parse()?;
/// assert_eq!(rate.percent(), 50);
/// assert!("0.505".parse::<IncidenceRate>().is_err());
/// # Ok::<(), cintx::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidenceRate(u8);

impl IncidenceRate {
    /// The rate in percent: 1 to 100.
    pub fn percent(self) -> u8 {
        self.0
    }

    /// The rate as the API wants it.
    pub(crate) fn fraction(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl FromStr for IncidenceRate {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        const RATE: &str = "an incidence rate: 0.01 to 1, in hundredths";
        let rate = Decimal::from_str_exact(text).map_err(|_| InvalidValue::new(text, RATE))?;
        let percent = rate * Decimal::ONE_HUNDRED;
        match percent.is_integer().then(|| percent.to_u8()).flatten() {
            Some(percent @ 1..=100) => Ok(Self(percent)),
            _ => Err(InvalidValue::new(text, RATE)),
        }
    }
}

impl TryFrom<&str> for IncidenceRate {
    type Error = InvalidValue;

    fn try_from(text: &str) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

/// How long an interview takes, in whole minutes: 1 to 45.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LengthOfInterview(u8);

impl LengthOfInterview {
    /// The minutes.
    pub fn minutes(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for LengthOfInterview {
    type Error = InvalidValue;

    fn try_from(minutes: u8) -> Result<Self, InvalidValue> {
        match minutes {
            1..=45 => Ok(Self(minutes)),
            _ => Err(InvalidValue::new(minutes, "a length of interview: 1 to 45 minutes")),
        }
    }
}

impl TryFrom<Result<Self, InvalidValue>> for LengthOfInterview {
    type Error = InvalidValue;

    fn try_from(result: Result<Self, InvalidValue>) -> Result<Self, InvalidValue> {
        result
    }
}

/// A length of interview; a wrong one is refused by the builder that it is given to.
///
/// ```
/// assert_eq!(cintx::minutes(10).map(|length| length.minutes()), Ok(10));
/// assert!(cintx::minutes(46).is_err());
/// ```
pub fn minutes(minutes: u8) -> Result<LengthOfInterview, InvalidValue> {
    LengthOfInterview::try_from(minutes)
}
