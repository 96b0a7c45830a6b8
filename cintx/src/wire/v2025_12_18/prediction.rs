//! Predicted prices, and what a target group's interviews cost.

use super::raw::{Client, types};

use crate::error::Error;
use crate::pricing::{Prediction, Price};
use crate::types::Money;
use crate::types::ids::{BusinessUnitId, SupplierId, TargetGroupId};
use crate::wire::price::HasPricePrediction;
use crate::wire::read::{Field as _, Read as _};

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

impl HasPricePrediction for super::Marker {
    async fn predict_price(
        raw: &Client,
        account: i64,
        unit: BusinessUnitId,
        wanted: &Prediction,
    ) -> Result<Price, Error> {
        use types::GetRedactedPricePredictionRequestConfig as Config;
        let config = match wanted {
            Prediction::Dynamic(price) => Config::Dynamic(types::GetRedactedPricePredictionRequestConfigDynamic {
                user_requested_cpi: price.into(),
            }),
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
