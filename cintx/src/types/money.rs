//! Money: exact decimals, never floating point. Cint sends amounts as text with up to nine decimals.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Mul, Sub};
use std::str::FromStr;

use rust_decimal::Decimal;

use super::letters::Letters;
use super::serde_text::as_text;
use super::{InvalidValue, plain_decimal};

/// An amount of money: an exact decimal of at least zero, and an ISO 4217 currency. The amount is in the currency's
/// main unit: `2.73 USD` are two dollars and 73 cents.
///
/// Amounts of one currency are added, subtracted, multiplied and compared exactly; nothing is rounded. What cannot be
/// done is a [`MoneyError`], never a panic and never another currency's number, so the operators answer with a
/// [`Result`]:
///
/// ```
/// # use cintx::Money;
/// # use cintx::types::MoneyError;
/// let price = Money::new("2.7352", "USD")?;
/// assert_eq!(price.to_string(), "2.7352 USD");
/// assert!(Money::new("2,73", "USD").is_err());
///
/// let budget = Money::new("1500", "USD")?;
/// let cost = (&price * 500)?;
/// assert!(cost < budget);
/// assert_eq!((&budget - &cost)?, Money::new("132.4", "USD")?);
///
/// let euros = Money::new("10", "EUR")?;
/// assert!(matches!(&cost + &euros, Err(MoneyError::Currencies { .. })));
/// assert_eq!(cost.partial_cmp(&euros), None, "neither is less");
/// # Ok::<(), cintx::raw::BoxError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    value: Decimal,
    currency: Letters<3>,
}

/// Why there is no such amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// Two different currencies.
    #[error("currency is {got}, expected {expected}")]
    Currencies {
        /// The currency of the first amount.
        expected: Box<str>,
        /// The currency of the other amount.
        got: Box<str>,
    },
    /// The amount would be less than nothing.
    #[error("amount is {0}, expected at least 0")]
    BelowZero(Decimal),
    /// The amount would have more digits than a decimal holds.
    #[error("amount is too large or has too many decimals, expected at most 28 digits, decimals included")]
    Overflow,
}

impl Money {
    /// An amount given as decimal text.
    ///
    /// # Errors
    /// If the amount is not a decimal that is at least zero, or the currency is not three upper-case letters.
    pub fn new(value: &str, currency: &str) -> Result<Self, InvalidValue> {
        let amount = plain_decimal(value).ok_or_else(|| InvalidValue::new(value, AMOUNT))?;
        Self::from_decimal(amount, currency)
    }

    /// An amount that was computed.
    ///
    /// ```
    /// # use cintx::Money;
    /// use cintx::reexports::rust_decimal::Decimal;
    ///
    /// assert_eq!(Money::from_decimal(Decimal::new(273, 2), "USD")?, Money::new("2.73", "USD")?);
    /// # Ok::<(), cintx::types::InvalidValue>(())
    /// ```
    ///
    /// # Errors
    /// If the amount is less than zero, or the currency is not three upper-case letters.
    pub fn from_decimal(value: Decimal, currency: &str) -> Result<Self, InvalidValue> {
        let currency = Letters::new(currency)
            .filter(|letters| letters.is_upper_case())
            .ok_or_else(|| InvalidValue::new(currency, "a currency: three upper-case letters, such as USD"))?;
        Self { value: Decimal::ZERO, currency }.with(value).map_err(|_| InvalidValue::new(value, AMOUNT))
    }

    /// Nothing of a currency: what a sum begins with.
    ///
    /// # Errors
    /// If the currency is not three upper-case letters.
    pub fn zero(currency: &str) -> Result<Self, InvalidValue> {
        Self::from_decimal(Decimal::ZERO, currency)
    }

    /// The same currency with another amount.
    fn with(&self, value: Decimal) -> Result<Self, MoneyError> {
        match value {
            // A zero with a sign prints one.
            value if value.is_zero() => Ok(Self { value: value.abs(), currency: self.currency }),
            value if value.is_sign_negative() => Err(MoneyError::BelowZero(value)),
            value => Ok(Self { value, currency: self.currency }),
        }
    }

    fn same_currency(&self, other: &Self) -> Result<(), MoneyError> {
        match self.currency == other.currency {
            true => Ok(()),
            false => Err(MoneyError::Currencies { expected: self.currency().into(), got: other.currency().into() }),
        }
    }

    /// The amount, in the currency's main unit.
    pub fn value(&self) -> Decimal {
        self.value
    }

    /// The currency.
    pub fn currency(&self) -> &str {
        self.currency.as_str()
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        self.value.is_zero()
    }

    /// The sum of some amounts; `None` if there are none, and so no currency.
    ///
    /// ```
    /// # use cintx::Money;
    /// let costs = [Money::new("2.73", "USD")?, Money::new("0.27", "USD")?];
    /// assert_eq!(Money::sum(&costs)?, Some(Money::new("3", "USD")?));
    /// assert_eq!(Money::sum([] as [Money; 0])?, None);
    /// # Ok::<(), cintx::raw::BoxError>(())
    /// ```
    ///
    /// # Errors
    /// If they are of several currencies, or too large.
    pub fn sum<M: Borrow<Self>>(amounts: impl IntoIterator<Item = M>) -> Result<Option<Self>, MoneyError> {
        let mut amounts = amounts.into_iter();
        let Some(first) = amounts.next() else { return Ok(None) };
        amounts.try_fold(first.borrow().clone(), |sum, amount| &sum + amount.borrow()).map(Some)
    }
}

const AMOUNT: &str = "an amount: a decimal of at least 0, such as 2.73";

/// Compares amounts of one currency; those of two are in no order.
impl PartialOrd for Money {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.currency == other.currency).then(|| self.value.cmp(&other.value))
    }
}

/// The sum; `None` if it has more digits than a decimal holds.
pub(super) fn exact_sum(one: Decimal, other: Decimal) -> Option<Decimal> {
    let sum = one.checked_add(other)?;
    // Of a sum that was rounded, its terms cannot be had back.
    (sum.checked_sub(other)? == one && sum.checked_sub(one)? == other).then_some(sum)
}

/// The product; `None` if it has more digits than a decimal holds.
fn exact_product(one: Decimal, other: Decimal) -> Option<Decimal> {
    let (one, other) = (one.normalize(), other.normalize());
    let mut mantissa = one.mantissa().checked_mul(other.mantissa())?;
    let mut scale = one.scale() + other.scale();
    while scale > Decimal::MAX_SCALE && mantissa % 10 == 0 {
        (mantissa, scale) = (mantissa / 10, scale - 1);
    }
    Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}

impl Add for &Money {
    type Output = Result<Money, MoneyError>;

    fn add(self, other: Self) -> Self::Output {
        self.same_currency(other)?;
        self.with(exact_sum(self.value, other.value).ok_or(MoneyError::Overflow)?)
    }
}

impl Sub for &Money {
    type Output = Result<Money, MoneyError>;

    fn sub(self, other: Self) -> Self::Output {
        self.same_currency(other)?;
        self.with(exact_sum(self.value, -other.value).ok_or(MoneyError::Overflow)?)
    }
}

/// By a count, or by a decimal such as a rate.
impl<N: Into<Decimal>> Mul<N> for &Money {
    type Output = Result<Money, MoneyError>;

    fn mul(self, factor: N) -> Self::Output {
        self.with(exact_product(self.value, factor.into()).ok_or(MoneyError::Overflow)?)
    }
}

impl Add for Money {
    type Output = Result<Self, MoneyError>;

    fn add(self, other: Self) -> Self::Output {
        &self + &other
    }
}

impl Sub for Money {
    type Output = Result<Self, MoneyError>;

    fn sub(self, other: Self) -> Self::Output {
        &self - &other
    }
}

impl<N: Into<Decimal>> Mul<N> for Money {
    type Output = Result<Self, MoneyError>;

    fn mul(self, factor: N) -> Self::Output {
        &self * factor
    }
}

as_text!(Money);

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
        write!(f, "{} {}", self.value, self.currency.as_str())
    }
}
