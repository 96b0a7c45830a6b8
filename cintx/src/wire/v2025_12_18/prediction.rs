//! Predicted prices, and what a target group's interviews cost.

use super::raw::{Client, types};

use crate::error::Error;
use crate::pricing::{Prediction, Price};
use crate::types::ids::{BusinessUnitId, TargetGroupId};
use crate::wire::price::{HasPricePrediction, price};
use crate::wire::to_json;

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
            Prediction::RateCard { country, length, incidence_rate, boost, maximum } => {
                Config::RateCard(types::GetRedactedPricePredictionRequestConfigRateCard {
                    country_code: country.as_str().to_ascii_uppercase(),
                    cpi_boost: boost.as_ref().map(Into::into),
                    expected_incidence_rate: incidence_rate.fraction(),
                    expected_length_of_interview_minutes: i64::from(length.as_minutes()),
                    maximum_cpi: maximum.as_ref().map(Into::into),
                })
            }
        };
        let body = types::GetRedactedPricePredictionRequest { config };
        let answer = raw.generate_price_prediction(account, &unit.to_string(), &body).await?;
        Ok(price(&to_json(answer.value())?))
    }

    async fn group_price(
        raw: &Client,
        account: i64,
        unit: BusinessUnitId,
        group: &TargetGroupId,
    ) -> Result<Price, Error> {
        let answer = raw.get_target_group_price(account, &unit.to_string(), group.as_str()).await?;
        Ok(price(&to_json(answer.value())?))
    }
}
