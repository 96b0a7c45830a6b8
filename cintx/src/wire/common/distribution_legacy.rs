//! Suggested quotas before 2025-12-18: answers in percent, a goal split over the quotas in field.

use super::raw::operations::{
    GENERATE_DRAFT_INTERLOCK_PROFILE_V2, GET_PANEL_DISTRIBUTION_DRAFT as DRAFT,
    GET_V2_PANEL_DISTRIBUTION_BY_PROFILE as BY_PROFILE,
};
use super::raw::{Client, types};
use serde_json::json;

use crate::error::Error;
use crate::quota::QuotaTable;
use crate::quota::suggest::GoalSplit;
use crate::wire::Place;
use crate::wire::audience::legacy::{Context, helper};
use crate::wire::distribution::{Crossing, DistributionWire, HasGoalSplit, Suggesting, of_goal, question_body};
use crate::wire::quotas::legacy::{read_in_percent, read_legacy};
use crate::wire::{from_json, timestamp, to_json};

impl DistributionWire for super::Marker {
    const SUGGESTS_FOR_PII: bool = false;

    async fn suggest_quotas(
        raw: &Client,
        account: i64,
        Suggesting { question, goal, locale, field, .. }: Suggesting<'_>,
    ) -> Result<QuotaTable, Error> {
        let body = json!({
            "locale": locale.to_string(),
            "start_at": timestamp(field.start()),
            "end_at": timestamp(field.end()),
            "profile": question_body(question)?,
        });
        let body: types::PanelDistributionDraftRequest = from_json("question", body)?;
        let answer = raw.get_panel_distribution_draft(account, &body).await?.into_value();
        let table = read_in_percent(&to_json(&answer)?);
        table.map(|table| of_goal(table, goal)).ok_or_else(|| Error::incomplete(&DRAFT, "data"))
    }

    async fn suggest_interlock(
        raw: &Client,
        account: i64,
        Crossing { interlock, goal, locale, field, collects_pii }: Crossing<'_>,
    ) -> Result<QuotaTable, Error> {
        let context = Context {
            locale: locale.to_string(),
            goal,
            start: timestamp(field.start()),
            end: timestamp(field.end()),
            collects_pii,
        };
        let body: types::GenerateDraftInterlockRequest = from_json("questions", helper(interlock, &context)?)?;
        let made = raw.generate_draft_interlock_profile_v2(account, None, &body).await?.into_value();
        let made = json!({ "interlocked_profile": to_json(&made.first())? });
        let lacks = || Error::incomplete(&GENERATE_DRAFT_INTERLOCK_PROFILE_V2, "profile");
        read_legacy(&made).into_iter().next().ok_or_else(lacks)
    }

    async fn suggest_quotas_of(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
        profile: &str,
    ) -> Result<QuotaTable, Error> {
        let (project, group) = (project, group);
        let answer = raw.get_v2_panel_distribution_by_profile(account, project, group, profile).await?;
        let answer = to_json(&answer.into_value())?;
        let profiles: Vec<_> = answer.get("profile").into_iter().collect();
        let profiles = json!({ "data": profiles, "interlocked_profile": answer.get("interlocked_profile") });
        let table = read_legacy(&profiles).into_iter().next();
        table.ok_or_else(|| Error::incomplete(&BY_PROFILE, "profile"))
    }
}

impl HasGoalSplit for super::Marker {
    async fn split_goal(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
        goal: u32,
    ) -> Result<GoalSplit, Error> {
        let (project, group) = (project, group);
        let answer = raw.get_target_group_quota_distribution_v2(account, project, group, goal.into()).await?;
        let answer = answer.into_value();
        let goals = answer.quota_distribution.into_iter().flatten();
        let goals = goals.filter_map(|it| Some((it.quota_id?.to_string(), it.filling_goal?)));
        Ok(GoalSplit { allowed: answer.quota_updates_allowed, goals: goals.collect() })
    }
}
