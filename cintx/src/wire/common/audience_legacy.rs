//! Audiences before 2025-12-18: profiles in two lists, interlocks made by a helper of the API first.

use super::raw::{Client, operations, types};
use serde_json::Value;

use crate::audience::{Audience, Shape, Unit};
use crate::error::Error;
use crate::target_group::feasibility::Feasibility;
use crate::target_group::{KeptDraft, TargetGroupDraft};
use crate::types::ids::ProjectId;
use crate::wire::audience::{AudienceWire, legacy};
use crate::wire::{feasibility, from_json, timestamp, to_json};

/// The profile of crossed questions, for what a draft is besides its audience: they go through the API's
/// helper, whose cells get our percentages.
pub(super) async fn interlock(
    raw: &Client,
    account: i64,
    audience: &Audience,
    draft: &TargetGroupDraft,
) -> Result<Option<Value>, Error> {
    let Some(interlock) = audience.crossed() else { return Ok(None) };
    let context = legacy::Context {
        locale: draft.settings.locale.to_string(),
        goal: draft.settings.completes_goal,
        start: timestamp(draft.settings.fielding_period.start()),
        end: timestamp(draft.settings.fielding_period.end()),
        collects_pii: draft.settings.collects_pii,
    };
    let body: types::GenerateDraftInterlockRequest = from_json("audience", legacy::helper(interlock, &context)?)?;
    let made = raw.generate_draft_interlock_profile_v2(account, None, &body).await?.into_value();
    let made =
        made.first().ok_or_else(|| Error::incomplete(&operations::GENERATE_DRAFT_INTERLOCK_PROFILE_V2, "profile"))?;
    let operation = &operations::GENERATE_DRAFT_INTERLOCK_PROFILE_V2;
    legacy::percentages_of_cells(operation, &to_json(made)?, interlock, draft.settings.completes_goal).map(Some)
}

impl AudienceWire for super::Marker {
    const DRAFTS_IN: Unit = Unit::Percent;

    async fn audience(raw: &Client, account: i64, draft: &TargetGroupDraft) -> Result<Value, Error> {
        let audience = &draft.audience;
        legacy::refuse_newer(audience)?;
        let crossed = interlock(raw, account, audience, draft).await?;
        let crossed = crossed.map(|profile| from_json("audience", profile)).transpose()?;
        to_json(&types::TargetGroupDraftProfilesRequest {
            profile_adjustment_type: super::percentage_adjustment(),
            drafts: Some(from_json("audience", legacy::drafts(audience, draft.settings.completes_goal).into())?),
            interlocked_profiles: Some(crossed.into_iter().collect()),
        })
    }

    fn audience_of(kept: &KeptDraft) -> Shape {
        legacy::shape(&kept.0["profile"])
    }

    async fn feasibility(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        draft: &TargetGroupDraft,
        step_days: Option<u32>,
    ) -> Result<Feasibility, Error> {
        let profiles = feasibility::profiles(&draft.audience, draft.settings.completes_goal)?;
        let allocations = feasibility::unless_unrestricted(&draft.settings.supply, feasibility::allocation_list)?;
        let request = super::feasibility_request(draft, from_json("audience", profiles.regular)?)?;
        let body = types::CalculateTargetGroupFeasibilityRequest {
            allocations: from_json("supply", allocations)?,
            interlocked_profiles: from_json("audience", profiles.interlocked)?,
            step_days: step_days.map(f64::from),
            ..request
        };
        let answer = raw.calculate_target_group_feasibility(account, project.as_str(), &body).await?.into_value();
        Ok(feasibility::read(&to_json(&answer)?, &profiles.asked))
    }
}
