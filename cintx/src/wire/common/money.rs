//! Money of one version, as it is written and read in most places.

use super::raw::types;
use crate::types::Money;
use crate::wire::read::read_amounts;

impl From<&Money> for types::MonetaryAmountRequestModel {
    fn from(money: &Money) -> Self {
        Self { value: Some(money.value().to_string()), currency_code: Some(money.currency().to_owned()) }
    }
}

read_amounts! {
    MonetaryAmount { value, currency_code }
    AverageCostPerInterview { value, currency_code }
    EarningsPerClick { value, currency_code }
    EarningsPerClickPerMinute { value, currency_code }
}
