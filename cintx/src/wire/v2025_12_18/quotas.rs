//! Quotas in field: one call for goals, one for everything else.

use super::raw::*;
use serde_json::{Value, json};

use crate::audience::{Audience, ControlQuotas};
use crate::error::Error;
use crate::quota::{Goals, QuotaTable};
use crate::wire::audience::modern;
use crate::wire::quotas::modern::{edited, read_modern, refusals_of};
use crate::wire::quotas::{Edit, HasValidation, QuotasWire, Replacing};
use crate::wire::{Place, from_json, to_json};

/// Replaces all profiles.
async fn manage(raw: &Client, place: Place<'_>, goal: u64, profiling: Value) -> Result<(), Error> {
    let Place { account, project, group } = place;
    let body = json!({ "completes_goal": goal, "profiling": profiling });
    let body: types::ManageProfilesRequestV3 = from_json("audience", body)?;
    raw.manage_target_group_profiles(account, project, group, &body).await?;
    Ok(())
}

impl QuotasWire for super::Marker {
    async fn quotas(raw: &Client, place: Place<'_>) -> Result<Vec<QuotaTable>, Error> {
        let Place { account, project, group } = place;
        let answer = raw.list_profiles(account, project, group).await?.into_value();
        Ok(read_modern(&to_json(&answer)?))
    }

    async fn set_goals(raw: &Client, place: Place<'_>, goal: Option<u64>, goals: &[Goals]) -> Result<(), Error> {
        let Place { account, project, group } = place;
        let mut body = json!({});
        if let Some(goal) = goal {
            body["completes_goal"] = json!(goal);
        }
        if !goals.is_empty() {
            let profiles = goals.iter().map(|(profile, quotas)| {
                let targets = quotas.iter().map(|(id, goal)| json!({ "id": id, "quota": { "completes_goal": goal } }));
                json!({ "profile_id": profile, "targets": targets.collect::<Vec<_>>() })
            });
            body["profiles"] = Value::Array(profiles.collect());
        }
        let body: types::FillingGoalUpdateRequestV3 = from_json("quotas", body)?;
        raw.update_profile_filling_goal(account, project, group, &body).await?;
        Ok(())
    }

    async fn edit(
        raw: &Client,
        place: Place<'_>,
        tables: &[QuotaTable],
        goal: u64,
        control: Option<&ControlQuotas>,
        edit: Edit<'_>,
    ) -> Result<(), Error> {
        manage(raw, place, goal, edited(tables, goal, control, edit).await?).await
    }

    async fn replace_profiles(raw: &Client, place: Place<'_>, replacing: &Replacing<'_>) -> Result<(), Error> {
        let profiling = modern::profiling(replacing.audience, replacing.draft.settings.completes_goal)?;
        manage(raw, place, replacing.draft.settings.completes_goal.into(), profiling).await
    }

    async fn delete_profiles(raw: &Client, place: Place<'_>, ids: &[String]) -> Result<(), Error> {
        let Place { account, project, group } = place;
        let body: types::BatchProfileDeletionRequestV3 = from_json("quotas", json!({ "profile_ids": ids }))?;
        raw.batch_delete_profiles(account, project, group, &body).await?;
        Ok(())
    }
}

impl HasValidation for super::Marker {
    async fn validate(
        raw: &Client,
        account: i64,
        audience: &Audience,
        goal: u32,
        locale: &str,
    ) -> Result<Vec<Value>, Error> {
        let profiling = modern::profiling(audience, goal)?;
        let body = json!({ "locale": locale, "completes_goal": goal, "profiling": profiling });
        let body: types::ValidateProfilesRequestV3 = from_json("audience", body)?;
        match raw.validate_profiles(account, &body).await {
            Ok(_) => Ok(Vec::new()),
            Err(error) => refusals_of(error.into()),
        }
    }
}
