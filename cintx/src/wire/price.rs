//! Prices on the wire: rate cards, the feasibility of what exists, predictions. The versions differ in the names of the
//! goal and the dates, and in what they have at all.

use std::future::Future;

use super::{Answer, Wire};
use crate::pricing::{FeasibilitySettings, GroupRateCards, Prediction, Price, RateCard};
use crate::target_group::feasibility::Feasibility;
use crate::types::CountryCode;
use crate::types::ids::{BusinessUnitId, ProjectId, TargetGroupId};

#[doc(hidden)]
pub trait PriceWire: Wire {
    /// Whether the feasibility of a target group to be can only be asked within a project.
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

#[doc(hidden)]
pub trait GroupRateCardWire: Wire {
    fn group_rate_cards(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<GroupRateCards>> + Send;
}

#[doc(hidden)]
pub trait PredictionWire: Wire {
    fn predict_price(
        raw: &Self::Raw,
        account: i64,
        unit: BusinessUnitId,
        wanted: &Prediction,
    ) -> impl Future<Output = Answer<Price>> + Send;

    fn group_price(
        raw: &Self::Raw,
        account: i64,
        unit: BusinessUnitId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<Price>> + Send;
}

/// One version's prices: the type of a card's data, and the names of goal, start and end.
macro_rules! price {
    ($marker:ident, $version:ident, card: $card:ident, within_project: $within:literal, goal: $goal:ident in $range:ident, dates: $start:ident $end:ident) => {
        mod price {
            use cintx_raw::$version::*;
            use rust_decimal::Decimal;

            use crate::error::Error;
            use crate::pricing::{FeasibilitySettings, RateCard};
            use crate::target_group::feasibility::Feasibility;
            use crate::types::CountryCode;
            use crate::types::ids::{BusinessUnitId, ProjectId, TargetGroupId};
            use crate::wire::price::PriceWire;
            use crate::wire::read::read;
            use crate::wire::timestamp;

            /// A card from its data.
            pub(super) fn card(data: types::$card, country: Option<String>, token: Option<String>) -> RateCard {
                // Whole numbers in one version, decimals in another.
                let row = |row: Vec<_>| row.into_iter().map(|price| Decimal::try_from(price).unwrap_or_default());
                RateCard {
                    country_code: country,
                    currency: data.pricing_table_currency_code,
                    token,
                    lengths: data.length_of_interview_minutes.unwrap_or_default(),
                    incidence_rates: data.incidence_rate_percents.unwrap_or_default(),
                    prices: data.pricing_table_data.into_iter().flatten().map(|prices| row(prices).collect()).collect(),
                }
            }

            impl PriceWire for crate::$marker {
                const FEASIBILITY_WANTS_PROJECT: bool = $within;

                async fn rate_card(
                    raw: &Client,
                    account: i64,
                    unit: BusinessUnitId,
                    country: &CountryCode,
                ) -> Result<RateCard, Error> {
                    let country = country.as_str().to_ascii_uppercase();
                    let answer = raw.get_rate_card(account, &unit.to_string(), &country).await?.into_value();
                    let data =
                        answer.rate_card_data.ok_or_else(|| Error::incomplete("get_rate_card", "rate_card_data"))?;
                    Ok(card(data, answer.country_code, answer.token))
                }

                async fn group_feasibility(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                    settings: &FeasibilitySettings,
                ) -> Result<Feasibility, Error> {
                    let field = settings.fielding_period.as_ref();
                    let body = types::CalculateTargetGroupFeasibilityByIdRequest {
                        $goal: settings.completes_goal.map(i64::from),
                        length_of_interview: settings.length_of_interview.map(|it| i64::from(it.as_minutes())),
                        incidence_rate: settings.incidence_rate.map(|rate| rate.fraction()),
                        $start: field.map(|field| timestamp(field.start())),
                        $end: field.map(|field| timestamp(field.end())),
                        price: settings.price.as_ref().map(Into::into),
                        ..Default::default()
                    };
                    let body = (!settings.is_empty()).then_some(&body);
                    let (project, group) = (project.as_str(), group.as_str());
                    let answer = raw.calculate_target_group_feasibility_by_id(account, project, group, body).await?;
                    let answer = answer.into_value();
                    let range = answer.$range.unwrap_or_default();
                    let price = answer
                        .suggested_price
                        .map(|price| read(&operations::CALCULATE_TARGET_GROUP_FEASIBILITY_BY_ID, price));
                    Ok(Feasibility {
                        completes_min: range.min,
                        completes_max: range.max,
                        suggested_price: price.and_then(Result::ok),
                    })
                }
            }
        }
    };
}
pub(super) use price;

/// One version's rate cards of target groups.
#[cfg(feature = "_since-2025-02-17")]
macro_rules! group_rate_card {
    ($marker:ident, $version:ident) => {
        mod group_rate_card {
            use cintx_raw::$version::Client;

            use super::price::card;
            use crate::error::Error;
            use crate::pricing::GroupRateCards;
            use crate::types::ids::{ProjectId, TargetGroupId};
            use crate::wire::price::GroupRateCardWire;

            impl crate::pricing::HasGroupRateCard for crate::$marker {}

            impl GroupRateCardWire for crate::$marker {
                async fn group_rate_cards(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                ) -> Result<GroupRateCards, Error> {
                    let answer = raw.get_target_group_rate_card(account, project.as_str(), group.as_str()).await?;
                    let answer = answer.into_value();
                    let country = answer.country_code;
                    let predicted = answer.predicted_rate_card;
                    let bound = answer.bound_rate_card;
                    Ok(GroupRateCards {
                        predicted: predicted.map(|it| card(it, country.clone(), answer.predicted_rate_card_token)),
                        bound: bound.map(|it| card(it, country.clone(), answer.bound_rate_card_token)),
                    })
                }
            }
        }
    };
}
#[cfg(feature = "_since-2025-02-17")]
pub(super) use group_rate_card;

/// One version's predictions.
#[cfg(feature = "_since-2025-12-18")]
macro_rules! prediction {
    ($marker:ident, $version:ident) => {
        mod prediction {
            use cintx_raw::$version::{Client, types};

            use crate::error::Error;
            use crate::pricing::{Prediction, Price};
            use crate::types::Money;
            use crate::types::ids::{BusinessUnitId, SupplierId, TargetGroupId};
            use crate::wire::price::PredictionWire;
            use crate::wire::read::{Field as _, Read as _};

            impl crate::pricing::HasPricePrediction for crate::$marker {}

            /// Reads prices; both answers have the same parts in types of their own.
            macro_rules! price {
                ($answer:expr) => {{
                    let answer = $answer;
                    let money = |price| Option::<Money>::field(price).ok().flatten();
                    let private = answer.private_exchange_prices.into_iter().flatten();
                    Ok(Price {
                        open_exchange: answer.open_exchange_price.and_then(|price| money(price.cost_per_interview)),
                        private_exchanges: private
                            .filter_map(|price| {
                                let supplier = SupplierId::read(price.supplier_id?).ok()?;
                                Some((supplier, money(price.cost_per_interview)?))
                            })
                            .collect(),
                    })
                }};
            }

            impl PredictionWire for crate::$marker {
                async fn predict_price(
                    raw: &Client,
                    account: i64,
                    unit: BusinessUnitId,
                    wanted: &Prediction,
                ) -> Result<Price, Error> {
                    use types::GetRedactedPricePredictionRequestConfig as Config;
                    let config = match wanted {
                        Prediction::Dynamic(price) => {
                            Config::Dynamic(types::GetRedactedPricePredictionRequestConfigDynamic {
                                user_requested_cpi: price.into(),
                            })
                        }
                        Prediction::RateCard { country, length, incidence_rate } => {
                            Config::RateCard(types::GetRedactedPricePredictionRequestConfigRateCard {
                                country_code: country.as_str().to_ascii_uppercase(),
                                cpi_boost: None,
                                expected_incidence_rate: incidence_rate.fraction(),
                                expected_length_of_interview_minutes: i64::from(length.as_minutes()),
                                maximum_cpi: None,
                            })
                        }
                    };
                    let body = types::GetRedactedPricePredictionRequest { config };
                    price!(raw.generate_price_prediction(account, &unit.to_string(), &body).await?.into_value())
                }

                async fn group_price(
                    raw: &Client,
                    account: i64,
                    unit: BusinessUnitId,
                    group: &TargetGroupId,
                ) -> Result<Price, Error> {
                    price!(raw.get_target_group_price(account, &unit.to_string(), group.as_str()).await?.into_value())
                }
            }
        }
    };
}
#[cfg(feature = "_since-2025-12-18")]
pub(super) use prediction;
