//! Prices on the wire: rate cards, the feasibility of what exists, predictions. The versions differ in the names of the
//! goal and the dates, and in what they have at all.

use std::future::Future;

use rust_decimal::Decimal;
use serde_json::Value;

use super::json::{decimal, id_text};
use super::{Answer, Wire};
use crate::pricing::{ExchangePrice, GroupRateCards, Prediction, Price, PriceType, RateCard};
use crate::target_group::PricingModel;
use crate::target_group::feasibility::Feasibility;
use crate::target_group::feasibility::FeasibilitySettings;
use crate::types::CountryCode;
use crate::types::ids::{BusinessUnitId, ProjectId, TargetGroupId};
use crate::version::Version;

/// The prices of a rate card: whole numbers in one version, decimals in another.
pub(crate) fn prices<P: TryInto<Decimal>>(rows: Option<Vec<Vec<P>>>) -> Vec<Vec<Decimal>> {
    let price = |price: P| price.try_into().unwrap_or_default();
    rows.into_iter().flatten().map(|row| row.into_iter().map(price).collect()).collect()
}

/// Reads a price, whose parts have types of their own in each answer and on each exchange.
pub(crate) fn price(answer: &Value) -> Price {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let amount = |value: &Value| super::money(value["value"].as_str(), value["currency_code"].as_str());
    let exchange = |price: &Value| {
        let context = &price["pricing_context"];
        ExchangePrice {
            cost_per_interview: amount(&price["cost_per_interview"]),
            pricing_model: context["type"].as_str().map(PricingModel::parse),
            boost: amount(&context["cpi_boost"]),
            maximum: amount(&context["maximum_cpi"]),
            rate_card: id_text(&context["rate_card_token"]),
        }
    };
    let private = answer["private_exchange_prices"].as_array().into_iter().flatten();
    Price {
        price_type: answer["price_type"].as_str().map(PriceType::parse),
        token: text(&answer["pricing_config_token"]),
        exchange_rate_from_usd: decimal(&answer["buyer_business_unit_exchange_rate_from_usd"]),
        open_exchange: answer["open_exchange_price"].is_object().then(|| exchange(&answer["open_exchange_price"])),
        private_exchanges: private
            .filter_map(|price| Some((id_text(&price["supplier_id"])?.parse().ok()?, exchange(price))))
            .collect(),
    }
}

#[doc(hidden)]
pub trait PriceWire: Wire {
    /// Whether the feasibility of a target group to be is only computed within a project.
    const FEASIBILITY_WANTS_PROJECT: bool;

    fn rate_card(
        raw: &Self::Raw,
        account: i64,
        unit: BusinessUnitId,
        country: &CountryCode,
    ) -> impl Future<Output = Answer<RateCard>> + Send;

    fn group_feasibility(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        settings: &FeasibilitySettings,
    ) -> impl Future<Output = Answer<Feasibility>> + Send;
}

/// The versions that give the rate card of a target group.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not give the rate card of a target group",
    note = "use `Client::rate_card` for its business unit and country, or a client of 2025-02-17 or later"
)]
pub trait HasGroupRateCard: Version {
    #[doc(hidden)]
    fn group_rate_cards(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<GroupRateCards>> + Send;
}

/// The versions that predict prices and say what a target group's interviews cost.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not predict prices",
    note = "use `Client::rate_card` or `DraftBuilder::feasibility`, which every version has, or a client of \
            2025-12-18 or later"
)]
pub trait HasPricePrediction: Version {
    #[doc(hidden)]
    fn predict_price(
        raw: &Self::Raw,
        account: i64,
        unit: BusinessUnitId,
        wanted: &Prediction,
    ) -> impl Future<Output = Answer<Price>> + Send;

    #[doc(hidden)]
    fn group_price(
        raw: &Self::Raw,
        account: i64,
        unit: BusinessUnitId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<Price>> + Send;
}
