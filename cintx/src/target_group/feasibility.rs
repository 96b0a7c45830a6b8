//! Feasibility: the completes and the price to expect, in all and for each target and group of suppliers.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{DraftBuilder, TargetGroup};
use crate::audience::interlock::{cells, sorted};
use crate::audience::{Audience, Condition};
use crate::client::options::with_options;
use crate::error::{Error, ErrorKind, FieldError};
use crate::quota::{QuotaTable, TableKind};
use crate::supply::Supply;
use crate::types::{IncidenceRate, IntoField, LengthOfInterview, Locale, Money, TimeRange};
use crate::version::Version;

/// The API's estimate for a target group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Feasibility {
    /// The fewest completes to expect from the settings.
    pub completes_min: Option<i64>,
    /// The most.
    pub completes_max: Option<i64>,
    /// The price that the API suggests for an interview.
    pub suggested_price: Option<Money>,
    /// The lowest price that makes sense.
    pub price_min: Option<Money>,
    /// The highest.
    pub price_max: Option<Money>,
    /// What each target of the audience can have.
    pub targets: Vec<TargetFeasibility>,
    /// The fewest completes to expect from the open exchange; from 2025-12-18 on.
    pub exchange_completes_min: Option<i64>,
    /// The most.
    pub exchange_completes_max: Option<i64>,
    /// What each group of suppliers can deliver; from 2025-12-18 on.
    pub supplier_groups: Vec<SupplierGroupFeasibility>,
}

impl Feasibility {
    /// The targets that are expected to stay below what was asked for, even at best; none that has no
    /// [`wanted`](TargetFeasibility::wanted).
    ///
    /// ```no_run
    /// # async fn run(draft: cintx::target_group::DraftBuilder<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// for target in draft.feasibility().await?.unfillable() {
    ///     println!("{:?}: {:?} of {:?}", target.conditions, target.completes_max, target.wanted);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn unfillable(&self) -> impl Iterator<Item = &TargetFeasibility> {
        self.targets.iter().filter(|target| {
            let most = target.completes_max.map(|most| u64::try_from(most).unwrap_or(0));
            most.zip(target.wanted).is_some_and(|(most, wanted)| most < wanted)
        })
    }
}

/// What one target of an audience can have.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TargetFeasibility {
    /// What kind of profile it is in.
    pub kind: TableKind,
    /// The id of the question, where the answer names one.
    pub question: Option<i64>,
    /// The id of its cell, where the answer names one.
    pub cell: Option<String>,
    /// Whom it is about, by question. Before 2025-12-18 the answer has them by order only: empty where the target
    /// group's own audience was asked about.
    pub conditions: Vec<(i64, Condition)>,
    /// How many completes were asked for; of a target group's own audience, its own quotas. `None` before 2025-12-18
    /// where that was asked about, since the answer does not say whom its numbers are about.
    pub wanted: Option<u64>,
    /// The fewest completes to expect.
    pub completes_min: Option<i64>,
    /// The most.
    pub completes_max: Option<i64>,
    /// The fewest, in percent of the goal.
    pub percent_min: Option<Decimal>,
    /// The most.
    pub percent_max: Option<Decimal>,
}

impl TargetFeasibility {
    /// Whom it is about, in words.
    pub(crate) fn label(&self) -> String {
        let of_question = |part: &[(i64, Condition)]| {
            part.iter().map(|(_, condition)| condition.label()).collect::<Vec<_>>().join(", ")
        };
        let parts = self.conditions.chunk_by(|(one, _), (other, _)| one == other);
        let labels: Vec<String> = parts.map(of_question).collect();
        match (labels.is_empty(), self.question) {
            (false, _) => labels.join(" × "),
            (true, Some(question)) => format!("question {question}"),
            (true, None) => "a target".to_owned(),
        }
    }
}

/// What a group of suppliers can deliver.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SupplierGroupFeasibility {
    /// The name of the supplier group, as the allocation has it.
    pub name: String,
    /// Whether it is a private exchange.
    pub is_private: bool,
    /// The fewest completes to expect.
    pub completes_min: Option<i64>,
    /// The most.
    pub completes_max: Option<i64>,
}

/// A question about what a target group can have that does not exist yet. Made by [`DraftBuilder::feasibility`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct DraftFeasibility<V: Version> {
    draft: DraftBuilder<V>,
    step_days: Option<u32>,
}

with_options!(DraftFeasibility: draft.client);

impl<V: Version> DraftFeasibility<V> {
    pub(crate) fn of(draft: DraftBuilder<V>) -> Self {
        Self { draft, step_days: None }
    }

    /// The `step_days` of the request, which is sent as it is.
    pub fn step_days(mut self, days: u32) -> Self {
        self.step_days = Some(days);
        self
    }
}

impl<V: Version> IntoFuture for DraftFeasibility<V> {
    type Output = Result<Feasibility, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (client, project, draft) = self.draft.solved().await.check_for_feasibility()?;
            V::feasibility(client.raw(), client.account(), &project, &draft, self.step_days).await
        })
    }
}

impl<V: Version> TargetGroup<V> {
    /// Asks what the target group can have, with its own settings or with others. Await it to ask; changes nothing.
    /// From 2025-12-18 on its own quotas are read, too, where no other audience is given.
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

/// What is wrong with a goal: whoever asks for feasibility may want less than a target group may have.
pub(super) fn goal_problem(completes: u32) -> Option<FieldError> {
    let is_wrong = !(1..=10_000).contains(&completes);
    is_wrong.then(|| FieldError::new("completes_goal", format!("is {completes}, expected 1 to 10,000")))
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
        self.problems.extend(goal_problem(completes));
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
            let mut feasibility =
                V::group_feasibility(client.raw(), client.account(), project, id, &self.settings).await?;
            let says_whom = feasibility.targets.iter().any(|target| !target.conditions.is_empty());
            if self.settings.audience.is_none() && says_whom {
                let own = self.group.own_quotas().await?;
                feasibility.want(&own, self.settings.completes_goal);
            }
            Ok(feasibility)
        })
    }
}

impl<V: Version> TargetGroup<V> {
    /// The quotas of the draft, or of what is in field.
    async fn own_quotas(&self) -> Result<Vec<QuotaTable>, Error> {
        match self.draft().await {
            Ok(draft) => Ok(draft.quotas()),
            Err(error) if error.kind() == ErrorKind::Moved => self.quotas().read().await,
            Err(error) => Err(error),
        }
    }
}

impl Feasibility {
    /// Takes what is wanted of each target from the target group's own quotas, as shares of the goal.
    fn want(&mut self, own: &[QuotaTable], goal: Option<u32>) {
        for target in &mut self.targets {
            let conditions = sorted(target.conditions.clone());
            target.wanted = own.iter().filter(|table| table.kind() == target.kind).find_map(|table| {
                let (_, quota) = cells(table).into_iter().find(|(of_cell, _)| sorted(of_cell.clone()) == conditions)?;
                let (quota, total) = (u128::from(quota?), u128::from(table.total().max(1)));
                let goal = goal.map_or(total, u128::from);
                u64::try_from((quota * goal + total / 2) / total).ok()
            });
        }
    }
}
