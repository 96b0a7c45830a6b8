//! The rate cards of a target group: the predicted one and the bound one.

use super::raw::Client;

use super::price::card;
use crate::error::Error;
use crate::pricing::GroupRateCards;
use crate::types::ids::{ProjectId, TargetGroupId};
use crate::wire::price::HasGroupRateCard;

impl HasGroupRateCard for super::Marker {
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
