//! Money: exact decimals, never floating point. Cint sends amounts as text with up to nine decimals.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use super::{InvalidValue, plain_decimal};

/// An amount of money: an exact decimal and an ISO 4217 currency.
///
/// ```
/// # use cintx::Money;
/// let price = Money::new("2.7352", "USD")?;
/// assert_eq!(price.to_string(), "2.7352 USD");
/// assert!(Money::new("2,73", "USD").is_err());
/// # Ok::<(), cintx::types::InvalidValue>(())
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
        let amount = plain_decimal(value).ok_or_else(|| InvalidValue::new(value, AMOUNT))?;
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

/// Reads what it prints: `2.73 USD`.
impl FromStr for Money {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text.split_once(' ') {
            Some((value, currency)) => Self::new(value, currency),
            None => Err(InvalidValue::new(text, "an amount of money, such as 2.73 USD")),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.value, self.currency)
    }
}
