//! Sums of money in several currencies.
//! Amounts of two currencies have no sum, so each currency is summed by itself.

use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::money::exact_sum;

/// Sums of money, one for each currency: amounts of two currencies have no sum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CurrencySums(BTreeMap<String, Decimal>);

impl CurrencySums {
    /// The sum in a currency, with an amount more; `None` if it would have more digits than a decimal holds.
    pub(crate) fn with(&self, amount: Decimal, currency: &str) -> Option<Decimal> {
        exact_sum(self.get(currency).unwrap_or_default(), amount)
    }

    pub(crate) fn set(&mut self, currency: &str, sum: Decimal) {
        self.0.insert(currency.to_owned(), sum);
    }

    /// Adds an amount; false, and nothing is added, if the sum would have more digits than a decimal holds.
    #[must_use = "an amount that is too large is not added"]
    pub fn add(&mut self, amount: Decimal, currency: &str) -> bool {
        let sum = self.with(amount, currency);
        sum.map(|sum| self.set(currency, sum)).is_some()
    }

    /// The sum in a currency.
    pub fn get(&self, currency: &str) -> Option<Decimal> {
        self.0.get(currency).copied()
    }

    /// The currencies with their sums.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Decimal)> {
        self.0.iter().map(|(currency, sum)| (currency.as_str(), *sum))
    }

    /// Whether there is no amount.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// `2.73 EUR, 10 USD`
impl fmt::Display for CurrencySums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (currency, sum)) in self.iter().enumerate() {
            write!(f, "{}{sum} {currency}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
