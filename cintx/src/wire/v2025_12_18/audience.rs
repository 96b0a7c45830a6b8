//! Audiences: one list of regular and blended profiles.

use super::raw::{Client, types};
use serde_json::Value;

use crate::audience::{Shape, Unit};
use crate::error::Error;
use crate::target_group::feasibility::Feasibility;
use crate::target_group::{KeptDraft, TargetGroupDraft};
use crate::types::ids::ProjectId;
use crate::wire::audience::{AudienceWire, modern};
use crate::wire::quotas::modern::read_modern;
use crate::wire::{from_json, money, timestamp};

impl AudienceWire for super::Marker {
    const DRAFTS_IN: Unit = Unit::Completes;

    async fn audience(_: &Client, _: i64, draft: &TargetGroupDraft) -> Result<Value, Error> {
        // It is held against its type as a part of the draft.
        modern::profiling(&draft.audience, draft.completes_goal)
    }

    fn audience_of(kept: &KeptDraft) -> Shape {
        Shape::of_tables(&read_modern(&kept.0["profiling"]))
    }

    async fn feasibility(
        raw: &Client,
        account: i64,
        _project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> Result<Feasibility, Error> {
        let profiling = modern::feasibility(&draft.audience, draft.completes_goal)?;
        let body = types::CalculateTargetGroupFeasibilityRequest {
            allocations: None,
            business_unit_id: draft.business_unit.get(),
            collects_pii: Some(draft.collects_pii),
            completes_goal: i64::from(draft.completes_goal),
            cost_per_interview: draft.cost_per_interview.as_ref().map(Into::into),
            expected_incidence_rate: draft.incidence_rate.fraction(),
            expected_length_of_interview_minutes: i64::from(draft.length_of_interview.as_minutes()),
            fielding_specification: types::TargetGroupFieldingSpecificationInput {
                start_at: timestamp(draft.fielding_period.start()),
                end_at: timestamp(draft.fielding_period.end()),
            },
            locale: draft.locale.to_string(),
            price: None,
            profiling: Some(from_json("audience", profiling)?),
            rate_card_price_boost: None,
            step_days: None,
        };
        let answer = raw.calculate_target_group_feasibility(account, &body).await?.into_value();
        let range = answer.suggested_completes_goal_range.as_ref();
        let price = answer.suggested_price.as_ref();
        Ok(Feasibility {
            completes_min: range.and_then(|range| range.min),
            completes_max: range.and_then(|range| range.max),
            suggested_price: price.and_then(|price| money(price.value.as_deref(), price.currency_code.as_deref())),
        })
    }
}
