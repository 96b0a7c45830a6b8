//! Prices: rate cards, the price of an existing target group, and price predictions.

use std::collections::BTreeMap;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::client::options::with_options;
use crate::error::Error;
use crate::open_enum::open_enum;
use crate::target_group::{PricingModel, TargetGroup};
use crate::types::ids::{BusinessUnitId, SupplierId};
use crate::types::{CountryCode, IncidenceRate, LengthOfInterview, Money};
use crate::version::Version;
pub use crate::wire::price::{HasGroupRateCard, HasPricePrediction};

/// A card of prices: one for each length of interview and incidence rate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RateCard {
    /// The country: two letters.
    pub country_code: Option<String>,
    /// The currency of the prices.
    pub currency: Option<String>,
    /// Names this state of the card.
    pub token: Option<String>,
    /// The lengths that it has a row for, in minutes.
    pub lengths: Vec<i64>,
    /// The incidence rates that it has a column for, in percent.
    pub incidence_rates: Vec<i64>,
    /// The prices: a row for each length, in it a column for each incidence rate.
    pub prices: Vec<Vec<Decimal>>,
}

impl RateCard {
    /// The price of an interview: that of the least length and the greatest incidence rate on the card that cover it.
    /// `None` if the card does not go that far, or names no currency.
    pub fn price(&self, length: LengthOfInterview, incidence_rate: IncidenceRate) -> Option<Money> {
        let row = self.lengths.iter().enumerate().filter(|(_, it)| **it >= i64::from(length.as_minutes()));
        let row = row.min_by_key(|(_, it)| **it)?.0;
        let columns = self.incidence_rates.iter().enumerate();
        let column =
            columns.filter(|(_, it)| **it <= i64::from(incidence_rate.percent())).max_by_key(|(_, it)| **it)?.0;
        let price = self.prices.get(row)?.get(column)?;
        Money::from_decimal(*price, self.currency.as_deref()?).ok()
    }
}

/// The cards of a target group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct GroupRateCards {
    /// The card that a draft will be bound to, as things stand.
    pub predicted: Option<RateCard>,
    /// The card that a launched target group is bound to.
    pub bound: Option<RateCard>,
}

open_enum! {
    /// What a target group's price rests on.
    PriceType {
        /// What it was launched with.
        Specification = "specification",
        /// What a draft would be launched with, as things stand.
        Prediction = "prediction",
    }
}

/// What interviews would cost or do cost, by who delivers them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Price {
    /// What it rests on. Not said of a price that was predicted for others than a target group.
    pub price_type: Option<PriceType>,
    /// Names this state of the pricing. Not said of a price that was predicted for others than a target group.
    pub token: Option<String>,
    /// What a US dollar is in the business unit's currency.
    pub exchange_rate_from_usd: Option<Decimal>,
    /// On the open exchange.
    pub open_exchange: Option<ExchangePrice>,
    /// On each private exchange.
    pub private_exchanges: BTreeMap<SupplierId, ExchangePrice>,
}

/// What an interview costs on an exchange, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ExchangePrice {
    /// What a complete costs.
    pub cost_per_interview: Option<Money>,
    /// How it is priced.
    pub pricing_model: Option<PricingModel>,
    /// What is added to the rate card's price.
    pub boost: Option<Money>,
    /// The most that the rate card's price may become.
    pub maximum: Option<Money>,
    /// The rate card that it comes from: its [`token`](RateCard::token).
    pub rate_card: Option<String>,
}

impl<V: Version> Client<V> {
    /// A business unit's rate card for a country.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), Box<dyn std::error::Error>> {
    /// let card = cint.rate_card(3848, "gb".parse()?).await?;
    /// println!("{:?}", card.price(cintx::types::LengthOfInterview::minutes(10)?, "0.50".parse()?));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_rate_card")]
    pub async fn rate_card(&self, unit: impl Into<BusinessUnitId>, country: CountryCode) -> Result<RateCard, Error> {
        V::rate_card(self.raw(), self.account(), unit.into(), &country).await
    }

    /// What interviews at a price of the buyer's own would cost.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "generate_price_prediction")]
    pub async fn predict_dynamic_price(&self, unit: impl Into<BusinessUnitId>, price: &Money) -> Result<Price, Error>
    where
        V: HasPricePrediction,
    {
        let wanted = Prediction::Dynamic(price.clone());
        <V as HasPricePrediction>::predict_price(self.raw(), self.account(), unit.into(), &wanted).await
    }

    /// What interviews would cost by rate card. Await it to ask.
    ///
    /// From 2025-12-18 on.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), Box<dyn std::error::Error>> {
    /// let length = cintx::types::LengthOfInterview::minutes(10)?;
    /// let asked = cint.predict_rate_card_price(3848, "gb".parse()?, length, "0.50".parse()?);
    /// let price = asked.boost("0.25 USD".parse()?).maximum("4.50 USD".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "generate_price_prediction")]
    pub fn predict_rate_card_price(
        &self,
        unit: impl Into<BusinessUnitId>,
        country: CountryCode,
        length: LengthOfInterview,
        incidence_rate: IncidenceRate,
    ) -> RateCardPrediction<V>
    where
        V: HasPricePrediction,
    {
        let (client, unit) = (self.clone(), unit.into());
        RateCardPrediction { client, unit, country, length, incidence_rate, boost: None, maximum: None }
    }
}

/// Predicts a price by rate card. Made by [`Client::predict_rate_card_price`].
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before it is awaited"]
pub struct RateCardPrediction<V: Version> {
    client: Client<V>,
    unit: BusinessUnitId,
    country: CountryCode,
    length: LengthOfInterview,
    incidence_rate: IncidenceRate,
    boost: Option<Money>,
    maximum: Option<Money>,
}

with_options!(RateCardPrediction: client);

impl<V: Version> RateCardPrediction<V> {
    /// With this added to the price of the card; in the business unit's currency.
    pub fn boost(mut self, boost: Money) -> Self {
        self.boost = Some(boost);
        self
    }

    /// With a price of at most this; in the business unit's currency.
    pub fn maximum(mut self, maximum: Money) -> Self {
        self.maximum = Some(maximum);
        self
    }
}

impl<V: HasPricePrediction> IntoFuture for RateCardPrediction<V> {
    type Output = Result<Price, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { client, unit, country, length, incidence_rate, boost, maximum } = self;
            let wanted = Prediction::RateCard { country, length, incidence_rate, boost, maximum };
            <V as HasPricePrediction>::predict_price(client.raw(), client.account(), unit, &wanted).await
        })
    }
}

/// What a price is predicted for.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub enum Prediction {
    Dynamic(Money),
    RateCard {
        country: CountryCode,
        length: LengthOfInterview,
        incidence_rate: IncidenceRate,
        boost: Option<Money>,
        maximum: Option<Money>,
    },
}

impl<V: Version> TargetGroup<V> {
    /// The target group's rate cards.
    ///
    /// From 2025-02-17 on.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_rate_card")]
    pub async fn rate_cards(&self) -> Result<GroupRateCards, Error>
    where
        V: HasGroupRateCard,
    {
        <V as HasGroupRateCard>::group_rate_cards(self.client.raw(), self.client.account(), &self.project, &self.id)
            .await
    }

    /// What the target group's interviews cost its business unit.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_price")]
    pub async fn price(&self, unit: impl Into<BusinessUnitId>) -> Result<Price, Error>
    where
        V: HasPricePrediction,
    {
        <V as HasPricePrediction>::group_price(self.client.raw(), self.client.account(), unit.into(), &self.id).await
    }
}
