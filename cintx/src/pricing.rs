//! Prices: rate cards, the feasibility of an existing target group, and price predictions.

use std::collections::BTreeMap;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::audience::Audience;
use crate::client::Client;
use crate::client::options::with_options;
use crate::error::{Error, FieldError};
use crate::open_enum::open_enum;
use crate::supply::Supply;
use crate::target_group::feasibility::Feasibility;
use crate::target_group::{PricingModel, TargetGroup};
use crate::types::ids::{BusinessUnitId, SupplierId};
use crate::types::{CountryCode, IncidenceRate, IntoField, LengthOfInterview, Locale, Money, TimeRange};
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

    /// Asks what the target group can have, with its own settings or with others. Await it to ask; changes nothing.
    ///
    /// ```no_run
    /// # async fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// let now = group.feasibility().await?;
    /// let if_rarer = group.feasibility().incidence_rate("0.20").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "calculate_target_group_feasibility_by_id")]
    pub fn feasibility(&self) -> GroupFeasibility<V> {
        GroupFeasibility { group: self.clone(), settings: FeasibilitySettings::default(), problems: Vec::new() }
    }
}

/// Settings that the feasibility of an existing target group is computed for, instead of its own.
#[derive(Clone, Debug, Default, PartialEq)]
#[doc(hidden)]
pub struct FeasibilitySettings {
    pub(crate) completes_goal: Option<u32>,
    pub(crate) length_of_interview: Option<LengthOfInterview>,
    pub(crate) incidence_rate: Option<IncidenceRate>,
    pub(crate) fielding_period: Option<TimeRange>,
    pub(crate) price: Option<Money>,
    pub(crate) boost: Option<Money>,
    pub(crate) supply: Option<Supply>,
    pub(crate) audience: Option<Audience>,
    pub(crate) locale: Option<Locale>,
    pub(crate) collects_pii: Option<bool>,
    pub(crate) step_days: Option<u32>,
}

impl FeasibilitySettings {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A question about what an existing target group can have.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct GroupFeasibility<V: Version> {
    group: TargetGroup<V>,
    settings: FeasibilitySettings,
    problems: Vec<FieldError>,
}

with_options!(GroupFeasibility: group.client);

impl<V: Version> GroupFeasibility<V> {
    /// With this many completes: 1 to 10,000.
    pub fn completes_goal(mut self, completes: u32) -> Self {
        if !(1..=10_000).contains(&completes) {
            self.problems.push(FieldError::new("completes_goal", format!("is {completes}, expected 1 to 10,000")));
        }
        self.settings.completes_goal = Some(completes);
        self
    }

    /// With this length of interview.
    pub fn length_of_interview(mut self, length: impl IntoField<LengthOfInterview>) -> Self {
        self.settings.length_of_interview = length.into_field("length_of_interview", &mut self.problems);
        self
    }

    /// With this incidence rate.
    pub fn incidence_rate(mut self, rate: impl IntoField<IncidenceRate>) -> Self {
        self.settings.incidence_rate = rate.into_field("incidence_rate", &mut self.problems);
        self
    }

    /// With this time in field.
    pub fn fielding_period(mut self, period: impl IntoField<TimeRange>) -> Self {
        self.settings.fielding_period = period.into_field("fielding_period", &mut self.problems);
        self
    }

    /// At this price; not for rate cards.
    pub fn cost_per_interview(mut self, price: Money) -> Self {
        self.settings.price = Some(price);
        self
    }

    /// With this much on top of the rate card's price; not in 2025-02-17, which refuses it before anything is sent.
    pub fn rate_card_boost(mut self, boost: Money) -> Self {
        self.settings.boost = Some(boost);
        self
    }

    /// With these suppliers.
    pub fn supply(mut self, supply: Supply) -> Self {
        supply.check::<V>(&mut self.problems);
        self.settings.supply = Some(supply);
        self
    }

    /// With this audience, whose quotas are shares of the [`completes_goal`](Self::completes_goal): give that, too.
    pub fn audience(mut self, audience: Audience) -> Self {
        self.settings.audience = Some(audience);
        self
    }

    /// In this language and country.
    pub fn locale(mut self, locale: impl IntoField<Locale>) -> Self {
        self.settings.locale = locale.into_field("locale", &mut self.problems);
        self
    }

    /// Whether the survey asks for personal data.
    pub fn collects_pii(mut self, collects: bool) -> Self {
        self.settings.collects_pii = Some(collects);
        self
    }

    /// The `step_days` of the request, which is sent as it is.
    pub fn step_days(mut self, days: u32) -> Self {
        self.settings.step_days = Some(days);
        self
    }
}

impl<V: Version> IntoFuture for GroupFeasibility<V> {
    type Output = Result<Feasibility, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut problems = self.problems;
            if let Some(audience) = &self.settings.audience {
                audience.solve_ahead(self.settings.completes_goal, V::DRAFTS_IN).await;
                audience.check(self.settings.completes_goal, V::DRAFTS_IN, &mut problems);
            }
            Error::check(problems)?;
            let TargetGroup { client, project, id } = &self.group;
            V::group_feasibility(client.raw(), client.account(), project, id, &self.settings).await
        })
    }
}
