//! Rate cards, and the feasibility of a target group that exists.

use super::raw::*;

use crate::error::Error;
use crate::pricing::RateCard;
use crate::target_group::feasibility::Feasibility;
use crate::target_group::feasibility::FeasibilitySettings;
use crate::types::CountryCode;
use crate::types::ids::{BusinessUnitId, ProjectId, TargetGroupId};
use crate::wire::price::{PriceWire, prices};

/// A card from its data.
pub(super) fn card(data: super::RateCardData, country: Option<String>, token: Option<String>) -> RateCard {
    RateCard {
        country_code: country,
        currency: data.pricing_table_currency_code,
        token,
        lengths: data.length_of_interview_minutes.unwrap_or_default(),
        incidence_rates: data.incidence_rate_percents.unwrap_or_default(),
        prices: prices(data.pricing_table_data),
    }
}

impl PriceWire for super::Marker {
    const FEASIBILITY_WANTS_PROJECT: bool = super::FEASIBILITY_NEEDS_PROJECT;

    async fn rate_card(
        raw: &Client,
        account: i64,
        unit: BusinessUnitId,
        country: &CountryCode,
    ) -> Result<RateCard, Error> {
        let country = country.as_str().to_ascii_uppercase();
        let answer = raw.get_rate_card(account, &unit.to_string(), &country).await?.into_value();
        let data =
            answer.rate_card_data.ok_or_else(|| Error::incomplete(&operations::GET_RATE_CARD, "rate_card_data"))?;
        Ok(card(data, answer.country_code, answer.token))
    }

    async fn group_feasibility(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        settings: &FeasibilitySettings,
    ) -> Result<Feasibility, Error> {
        let (body, asked) = super::group_feasibility(settings)?;
        let body = (!settings.is_empty()).then_some(&body);
        let (project, group) = (project.as_str(), group.as_str());
        let answer = raw.calculate_target_group_feasibility_by_id(account, project, group, body).await?;
        Ok(crate::wire::feasibility::read(&crate::wire::to_json(answer.value())?, &asked))
    }
}
