//! The fielding assistant of a study's target group, in the words of a file: unknown keys are refused, and so is what
//! this release does not know.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fielding::{FieldingAssistant, Pacing, Pricing, QuotaOverlay, SoftLaunch};
use crate::types::ids::TargetGroupId;
use crate::types::{Interval, Money};

/// What Cint does by itself in field. A module that is left out is off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudyAssistant {
    /// Finds a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pricing: Option<StudyPricing>,
    /// Spreads completes over the time in field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pacing: Option<StudyPacing>,
    /// Watches the quotas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_overlay: Option<StudyQuotaOverlay>,
    /// Begins with a part, then pauses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft_launch: Option<StudySoftLaunch>,
}

/// How a price is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum StudyPricing {
    /// For target groups with a cost per interview: exactly one of the upper limits.
    Dynamic {
        /// What the whole target group may cost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total_budget: Option<Money>,
        /// What one interview may cost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        maximum_cpi: Option<Money>,
        /// What one interview costs at least; less than the maximum.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minimum_cpi: Option<Money>,
    },
    /// For target groups priced by rate card.
    RateCard {
        /// What one interview may cost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        maximum_cpi: Option<Money>,
        /// What is added to the card's price.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        boost_cpi: Option<Money>,
    },
}

/// How completes are spread over the time in field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StudyPacing {
    /// The same number each interval: `{ linear = "P1D" }`.
    Linear(Interval),
    /// As many each interval as experience says.
    Adaptive(Interval),
    /// As another target group does, by its id. From 2025-02-17 on.
    Gemini(TargetGroupId),
}

/// How quotas are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StudyQuotaOverlay {
    /// Closes a quota before it is overfilled.
    #[serde(default)]
    pub prevent_overfill: bool,
    /// Fills quotas evenly.
    #[serde(default)]
    pub balance_fill: bool,
}

/// A beginning with a part of the completes. Once it is over, it is not compared any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StudySoftLaunch {
    /// When it ends.
    #[cfg_attr(feature = "study-schema", schemars(schema_with = "super::schema::moment"))]
    pub end: Timestamp,
    /// The part of the completes: 1 to 100 percent.
    #[cfg_attr(feature = "study-schema", schemars(range(min = 1, max = 100)))]
    pub goal_percent: u8,
    /// How strictly quotas are kept: 0 to 100 percent.
    #[cfg_attr(feature = "study-schema", schemars(range(max = 100)))]
    pub strictness_percent: u8,
}

impl StudyAssistant {
    /// The assistant as a draft takes it.
    pub(super) fn assistant(&self) -> FieldingAssistant {
        let mut assistant = FieldingAssistant::off();
        assistant.pricing = self.pricing.clone().map(|pricing| match pricing {
            StudyPricing::Dynamic { total_budget, maximum_cpi, minimum_cpi } => {
                Pricing::Dynamic { total_budget, maximum_cpi, minimum_cpi }
            }
            StudyPricing::RateCard { maximum_cpi, boost_cpi } => Pricing::RateCard { maximum_cpi, boost_cpi },
        });
        assistant.pacing = self.pacing.clone().map(|pacing| match pacing {
            StudyPacing::Linear(interval) => Pacing::Linear(interval),
            StudyPacing::Adaptive(interval) => Pacing::Adaptive(interval),
            StudyPacing::Gemini(group) => Pacing::Gemini(group),
        });
        assistant.quota_overlay = self.quota_overlay.map(|StudyQuotaOverlay { prevent_overfill, balance_fill }| {
            QuotaOverlay { prevent_overfill, balance_fill }
        });
        assistant.soft_launch = self.soft_launch.as_ref().map(|soft| SoftLaunch::Until {
            end: soft.end,
            goal_percent: soft.goal_percent,
            strictness_percent: soft.strictness_percent,
        });
        assistant
    }

    /// The assistant as it was read; what this release does not know is named in `unknown` and left out.
    pub(super) fn read(is: &FieldingAssistant, unknown: &mut Vec<&'static str>) -> Self {
        let pricing = match is.pricing.clone() {
            Some(Pricing::Dynamic { total_budget, maximum_cpi, minimum_cpi }) => {
                Some(StudyPricing::Dynamic { total_budget, maximum_cpi, minimum_cpi })
            }
            Some(Pricing::RateCard { maximum_cpi, boost_cpi }) => {
                Some(StudyPricing::RateCard { maximum_cpi, boost_cpi })
            }
            Some(Pricing::Unknown(_)) => {
                unknown.push("assistant.pricing");
                None
            }
            None => None,
        };
        let pacing = match is.pacing.clone() {
            Some(Pacing::Linear(interval)) => Some(StudyPacing::Linear(interval)),
            Some(Pacing::Adaptive(interval)) => Some(StudyPacing::Adaptive(interval)),
            Some(Pacing::Gemini(group)) => Some(StudyPacing::Gemini(group)),
            Some(Pacing::Unknown(_)) => {
                unknown.push("assistant.pacing");
                None
            }
            None => None,
        };
        let quota_overlay = is.quota_overlay.map(|QuotaOverlay { prevent_overfill, balance_fill }| StudyQuotaOverlay {
            prevent_overfill,
            balance_fill,
        });
        let soft_launch = match is.soft_launch {
            Some(SoftLaunch::Until { end, goal_percent, strictness_percent }) => {
                Some(StudySoftLaunch { end, goal_percent, strictness_percent })
            }
            Some(SoftLaunch::Unknown(_)) => {
                unknown.push("assistant.soft_launch");
                None
            }
            None => None,
        };
        Self { pricing, pacing, quota_overlay, soft_launch }
    }
}

/// The assistant that is wanted, where `is` is what there is: a soft launch that is over is left as it is, and a
/// quota overlay that does nothing is none.
pub(super) fn wanted(is: &FieldingAssistant, desired: &FieldingAssistant, now: Timestamp) -> FieldingAssistant {
    const NOTHING: QuotaOverlay = QuotaOverlay { prevent_overfill: false, balance_fill: false };
    let mut desired = desired.clone();
    // One that cannot be read is not over.
    let over = |soft: &Option<SoftLaunch>| soft.as_ref().is_none_or(|soft| soft.end().is_some_and(|end| end <= now));
    // Cint keeps milliseconds.
    let in_milliseconds = |soft: &SoftLaunch| match soft {
        SoftLaunch::Until { end, goal_percent, strictness_percent } => {
            Some((end.as_millisecond(), *goal_percent, *strictness_percent))
        }
        SoftLaunch::Unknown(_) => None,
    };
    let same = |one: &SoftLaunch, other: &SoftLaunch| {
        in_milliseconds(one).zip(in_milliseconds(other)).is_some_and(|(one, other)| one == other)
    };
    let both = is.soft_launch.as_ref().zip(desired.soft_launch.as_ref());
    if over(&is.soft_launch) && over(&desired.soft_launch) || both.is_some_and(|(one, other)| same(one, other)) {
        desired.soft_launch.clone_from(&is.soft_launch);
    }
    if is.quota_overlay.unwrap_or(NOTHING) == desired.quota_overlay.unwrap_or(NOTHING) {
        desired.quota_overlay = is.quota_overlay;
    }
    desired
}
