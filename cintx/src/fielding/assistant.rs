//! The fielding assistant: what Cint adjusts by itself while a target group is in field. Four modules: pricing, pacing,
//! quota overlay, soft launch. A module that is not set is off.

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, FieldError, must_be_future};
use crate::optimistic::{Editable, WithEtag, edit, three_way_merge};
use crate::target_group::TargetGroup;
use crate::types::ids::TargetGroupId;
use crate::types::{Interval, Money};
use crate::version::Version;
use crate::wire::moment::kept_moment;

/// What Cint does by itself.
///
/// ```
/// # use cintx::Money;
/// # use cintx::fielding::{FieldingAssistant, Pacing, Pricing, QuotaOverlay};
/// let assistant = FieldingAssistant::off()
///     .pricing(Pricing::maximum_cpi(Money::new("3.50", "USD")?).minimum_cpi(Money::new("1", "USD")?))
///     .pacing(Pacing::Linear("P1D".parse()?))
///     .quota_overlay(QuotaOverlay { prevent_overfill: true, balance_fill: false });
/// # Ok::<(), cintx::types::InvalidValue>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FieldingAssistant {
    /// Finds a price.
    pub pricing: Option<Pricing>,
    /// Spreads completes over the time in field.
    pub pacing: Option<Pacing>,
    /// Watches the quotas.
    pub quota_overlay: Option<QuotaOverlay>,
    /// Begins with a part, then pauses.
    pub soft_launch: Option<SoftLaunch>,
}
three_way_merge!(FieldingAssistant { pricing, pacing, quota_overlay, soft_launch });

/// How a price is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Pricing {
    /// For target groups with a cost per interview: exactly one of the upper limits.
    Dynamic {
        /// What the whole target group may cost. It may overrule the minimum.
        total_budget: Option<Money>,
        /// What one interview may cost.
        maximum_cpi: Option<Money>,
        /// What one interview costs at least; less than the maximum.
        minimum_cpi: Option<Money>,
    },
    /// For target groups priced by rate card.
    RateCard {
        /// What one interview may cost.
        maximum_cpi: Option<Money>,
        /// What is added to the card's price.
        boost_cpi: Option<Money>,
    },
    /// A way that is not known yet, or whose amounts cannot be read, as it came.
    Unknown(Map<String, Value>),
}

impl Pricing {
    /// Dynamic pricing within a budget.
    pub fn total_budget(budget: Money) -> Self {
        Self::Dynamic { total_budget: Some(budget), maximum_cpi: None, minimum_cpi: None }
    }

    /// Dynamic pricing up to a price for one interview.
    pub fn maximum_cpi(maximum: Money) -> Self {
        Self::Dynamic { total_budget: None, maximum_cpi: Some(maximum), minimum_cpi: None }
    }

    /// Dynamic pricing from a price for one interview on. Changes nothing for rate cards.
    #[must_use]
    pub fn minimum_cpi(mut self, minimum: Money) -> Self {
        if let Self::Dynamic { minimum_cpi, .. } = &mut self {
            *minimum_cpi = Some(minimum);
        }
        self
    }

    fn amounts(&self) -> Vec<&Money> {
        match self {
            Self::Dynamic { total_budget, maximum_cpi, minimum_cpi } => {
                [total_budget, maximum_cpi, minimum_cpi].into_iter().flatten().collect()
            }
            Self::RateCard { maximum_cpi, boost_cpi } => [maximum_cpi, boost_cpi].into_iter().flatten().collect(),
            Self::Unknown(_) => Vec::new(),
        }
    }
}

/// How completes are spread over the time in field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Pacing {
    /// The same number each interval.
    Linear(Interval),
    /// As many each interval as experience says.
    Adaptive(Interval),
    /// As another target group does: the exposed one of a pair. From 2025-02-17 on; refused unsent before.
    Gemini(TargetGroupId),
    /// A way that is not known yet, as it came.
    Unknown(Map<String, Value>),
}

/// How quotas are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct QuotaOverlay {
    /// Closes a quota before it is overfilled. Cint advises to have it on always.
    pub prevent_overfill: bool,
    /// Fills quotas evenly.
    pub balance_fill: bool,
}

/// A beginning with a part of the completes; pacing rests meanwhile, and the target group pauses at its end.
///
/// ```
/// # use cintx::fielding::{FieldingAssistant, SoftLaunch};
/// let end = "2100-01-01T00:00:00Z".parse()?;
/// let soft = SoftLaunch::Until { end, goal_percent: 10, strictness_percent: 50 };
/// let assistant = FieldingAssistant::off().soft_launch(soft);
/// # Ok::<(), cintx::raw::BoxError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SoftLaunch {
    /// It ends at a moment.
    Until {
        /// When it ends.
        end: Timestamp,
        /// The part of the completes: 1 to 100 percent.
        goal_percent: u8,
        /// How strictly quotas are kept: 0 to 100 percent.
        strictness_percent: u8,
    },
    /// One that cannot be read, as it came.
    Unknown(Map<String, Value>),
}

impl SoftLaunch {
    /// When it ends, if that can be read.
    pub fn end(&self) -> Option<Timestamp> {
        match self {
            Self::Until { end, .. } => Some(*end),
            Self::Unknown(_) => None,
        }
    }
}

impl FieldingAssistant {
    /// Nothing.
    pub fn off() -> Self {
        Self::default()
    }

    /// Quotas that are not overfilled, and nothing else: what a draft has if nothing else is said.
    pub fn prevent_overfill() -> Self {
        Self::off().quota_overlay(QuotaOverlay { prevent_overfill: true, balance_fill: false })
    }

    /// Switches pricing on.
    #[must_use]
    pub fn pricing(mut self, pricing: Pricing) -> Self {
        self.pricing = Some(pricing);
        self
    }

    /// Switches pacing on.
    #[must_use]
    pub fn pacing(mut self, pacing: Pacing) -> Self {
        self.pacing = Some(pacing);
        self
    }

    /// Switches the quota overlay on.
    #[must_use]
    pub fn quota_overlay(mut self, overlay: QuotaOverlay) -> Self {
        self.quota_overlay = Some(overlay);
        self
    }

    /// Switches the soft launch on.
    #[must_use]
    pub fn soft_launch(mut self, soft_launch: SoftLaunch) -> Self {
        self.soft_launch = Some(soft_launch);
        self
    }

    /// Says what contradicts itself, or what a version does not have.
    pub(crate) fn check<V: Version>(&self, now: Timestamp, problems: &mut Vec<FieldError>) {
        if let Some(pricing) = &self.pricing {
            if let Pricing::Dynamic { total_budget, maximum_cpi, minimum_cpi } = pricing {
                if total_budget.is_some() == maximum_cpi.is_some() {
                    let given = if total_budget.is_some() { "both" } else { "neither" };
                    let reason = format!("has {given} of total_budget and maximum_cpi, expected exactly one");
                    problems.push(FieldError::new("pricing", reason));
                }
                if let (Some(minimum), Some(maximum)) = (minimum_cpi, maximum_cpi)
                    && minimum.value() >= maximum.value()
                {
                    let reason = format!("has a minimum of {minimum} and a maximum of {maximum}, expected less");
                    problems.push(FieldError::new("pricing", reason));
                }
            }
            let amounts = pricing.amounts();
            if let [first, rest @ ..] = amounts.as_slice()
                && let Some(other) = rest.iter().find(|other| other.currency() != first.currency())
            {
                let reason = format!("mixes {} and {}, expected one currency", first.currency(), other.currency());
                problems.push(FieldError::new("pricing", reason));
            }
        }
        if matches!(self.pacing, Some(Pacing::Gemini(_))) && !V::GEMINI {
            let reason = format!("is gemini, expected linear or adaptive: {} does not support gemini", V::DATE);
            problems.push(FieldError::new("pacing", reason));
        }
        if let Some(SoftLaunch::Until { end, goal_percent, strictness_percent }) = &self.soft_launch {
            problems.extend(must_be_future("soft_launch", *end, now));
            if !(1..=100).contains(goal_percent) {
                problems.push(FieldError::new(
                    "soft_launch",
                    format!("begins with {goal_percent} percent, expected 1 to 100"),
                ));
            }
            if *strictness_percent > 100 {
                let reason = format!("keeps quotas to {strictness_percent} percent, expected 0 to 100");
                problems.push(FieldError::new("soft_launch", reason));
            }
        }
    }
}

impl<V: Version> TargetGroup<V> {
    /// Reads what the fielding assistant does.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_fielding_assistant_assignment")]
    pub async fn assistant(&self) -> Result<FieldingAssistant, Error> {
        Ok(V::assistant(self.client.raw(), self.client.account(), &self.project, &self.id).await?.value)
    }

    /// Changes what the fielding assistant does. If another client changed it first, reads again, makes the change
    /// again, and compares module by module: what would undo another's change is a conflict.
    ///
    /// ```no_run
    /// # async fn run(
    /// #     group: cintx::target_group::TargetGroup<cintx::V2025_12_18>,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let daily = cintx::fielding::Pacing::Linear("P1D".parse()?);
    /// group.edit_assistant(|assistant| assistant.pacing = Some(daily.clone())).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Everything that contradicts itself, before the write; [`Error::conflict`] if another client changed the same
    /// module. See [when a call fails](crate::guide::failures).
    #[doc(alias = "create_or_update_fielding_assistant_assignment")]
    pub async fn edit_assistant(
        &self,
        change: impl Fn(&mut FieldingAssistant) + Send,
    ) -> Result<FieldingAssistant, Error> {
        Ok(edit(&Assistant(self), None, change).await?.value)
    }
}

/// The assistant of a target group as something to be edited.
struct Assistant<'a, V: Version>(&'a TargetGroup<V>);

impl<V: Version> Editable for Assistant<'_, V> {
    type Value = FieldingAssistant;

    fn strike_out<'a>(&'a self, intent: &'a str) -> BoxFuture<'a, ()> {
        self.0.client.end_intent(intent).boxed()
    }

    fn round(&self, assistant: &mut FieldingAssistant) {
        if let Some(SoftLaunch::Until { end, .. }) = &mut assistant.soft_launch {
            *end = kept_moment(*end);
        }
    }

    fn check(&self, assistant: &FieldingAssistant) -> Result<(), Error> {
        let mut problems = Vec::new();
        assistant.check::<V>(self.0.client.now(), &mut problems);
        Error::check(problems)
    }

    fn read(&self) -> BoxFuture<'_, Result<WithEtag<FieldingAssistant>, Error>> {
        let TargetGroup { client, project, id } = self.0;
        V::assistant(client.raw(), client.account(), project, id).boxed()
    }

    fn write<'a>(
        &'a self,
        assistant: &'a FieldingAssistant,
        etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        let TargetGroup { client, project, id } = self.0;
        V::set_assistant(client.raw(), client.account(), project, id, assistant, etag).boxed()
    }
}
