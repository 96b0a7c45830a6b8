//! Audiences: one list of regular and blended profiles.

use super::raw::{Client, types};
use serde_json::Value;

use crate::audience::{Shape, Unit};
use crate::error::Error;
use crate::target_group::feasibility::Feasibility;
use crate::target_group::{KeptDraft, TargetGroupDraft};
use crate::types::ids::ProjectId;
use crate::wire::audience::{AudienceWire, modern};
use crate::wire::quotas::modern::{in_hundredths, read_modern};
use crate::wire::{feasibility, from_json, timestamp, to_json};

impl AudienceWire for super::Marker {
    const DRAFTS_IN: Unit = Unit::Completes;

    async fn audience(_: &Client, _: i64, draft: &TargetGroupDraft) -> Result<Value, Error> {
        // It is held against its type as a part of the draft.
        modern::profiling(&draft.audience, draft.settings.completes_goal)
    }

    fn audience_of(kept: &KeptDraft) -> Shape {
        let mut profiling = kept.0["profiling"].clone();
        if kept.is_in_hundredths() {
            in_hundredths(&mut profiling);
        }
        Shape::of_tables(&read_modern(&profiling))
    }

    async fn feasibility(
        raw: &Client,
        account: i64,
        _project: &ProjectId,
        draft: &TargetGroupDraft,
        step_days: Option<u32>,
    ) -> Result<Feasibility, Error> {
        let (profiling, asked) = feasibility::profiling(&draft.audience, draft.settings.completes_goal)?;
        let allocations =
            feasibility::unless_unrestricted(&draft.settings.supply, feasibility::allocation_specification)?;
        let body = types::CalculateTargetGroupFeasibilityRequest {
            allocations: from_json("supply", allocations)?,
            business_unit_id: draft.settings.business_unit.get(),
            collects_pii: Some(draft.settings.collects_pii),
            completes_goal: i64::from(draft.settings.completes_goal),
            cost_per_interview: draft.settings.cost_per_interview.as_ref().map(Into::into),
            expected_incidence_rate: draft.settings.incidence_rate.fraction(),
            expected_length_of_interview_minutes: i64::from(draft.settings.length_of_interview.as_minutes()),
            fielding_specification: types::TargetGroupFieldingSpecificationInput {
                start_at: timestamp(draft.settings.fielding_period.start()),
                end_at: timestamp(draft.settings.fielding_period.end()),
            },
            locale: draft.settings.locale.to_string(),
            price: None,
            profiling: Some(from_json("audience", profiling)?),
            rate_card_price_boost: feasibility::boost(draft).map(Into::into),
            step_days: step_days.map(f64::from),
        };
        let answer = raw.calculate_target_group_feasibility(account, &body).await?.into_value();
        Ok(feasibility::read(&to_json(&answer)?, &asked))
    }
}
