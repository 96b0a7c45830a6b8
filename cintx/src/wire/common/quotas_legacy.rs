//! Quotas in field before 2025-12-18: the calls of the API's second edition.

use super::raw::*;
use serde_json::json;

use crate::audience::ControlQuotas;
use crate::error::Error;
use crate::quota::{Goals, QuotaTable};
use crate::wire::audience::legacy;
use crate::wire::quotas::legacy::{active_conditions, grouping, read_legacy};
use crate::wire::quotas::{Edit, HasProfileEdits, ProfileEdit, QuotasWire, Replacing};
use crate::wire::{Place, from_json, timestamp, to_json};

impl QuotasWire for super::Marker {
    async fn quotas(raw: &Client, place: Place<'_>) -> Result<Vec<QuotaTable>, Error> {
        let Place { account, project, group } = place;
        let answer = raw.get_profiles(account, project, group).await?.into_value();
        Ok(read_legacy(&to_json(&answer)?))
    }

    async fn set_goals(raw: &Client, place: Place<'_>, goal: Option<u64>, goals: &[Goals]) -> Result<(), Error> {
        let Place { account, project, group } = place;
        let profiles = goals.iter().map(|(profile, quotas)| {
            let quotas = quotas.iter().map(|(id, goal)| json!({ "quota_id": id, legacy::GOAL: goal }));
            json!({ "profile_id": profile, "quotas": quotas.collect::<Vec<_>>() })
        });
        let mut body = json!({ "profiles": profiles.collect::<Vec<_>>() });
        if let Some(goal) = goal {
            body[legacy::GOAL] = json!(goal);
        }
        let body: types::UpdateFillingGoalRequestBody = from_json("quotas", body)?;
        raw.bulk_update_quotas(account, project, group, &body).await?;
        Ok(())
    }

    async fn edit(
        raw: &Client,
        place: Place<'_>,
        _tables: &[QuotaTable],
        goal: u64,
        _control: Option<&ControlQuotas>,
        edit: Edit<'_>,
    ) -> Result<(), Error> {
        let Place { account, project, group } = place;
        match edit {
            Edit::Interlock { profiles, .. } => {
                let body = json!({ "profiles": profiles, legacy::GROUP_GOAL: goal });
                let body: types::CreateInterlockedProfileRequestBody = from_json("quotas", body)?;
                raw.create_interlocked_profile(account, project, group, None, &body).await?;
            }
            Edit::RemoveInterlock(profile) => {
                raw.remove_interlocks(account, project, group, profile, None).await?;
            }
            Edit::Enable(profile, true) => {
                raw.enable_quotas_v2(account, project, group, profile).await?;
            }
            Edit::Enable(profile, false) => {
                raw.disable_quotas_v2(account, project, group, profile).await?;
            }
        }
        Ok(())
    }

    async fn replace_profiles(raw: &Client, place: Place<'_>, replacing: &Replacing<'_>) -> Result<(), Error> {
        let Place { account, project, group } = place;
        let (audience, draft) = (replacing.audience, replacing.draft);
        let goal = draft.settings.completes_goal;
        crate::wire::audience::legacy::refuse_newer(audience)?;
        let mut body = json!({
            "locale": draft.settings.locale.to_string(),
            legacy::GOAL: goal,
            "profile_adjustment_type": "percentage",
            "start_at": timestamp(draft.settings.fielding_period.start()),
            "end_at": timestamp(draft.settings.fielding_period.end()),
            "collects_pii": draft.settings.collects_pii,
            "profiles": legacy::drafts(audience, goal),
        });
        if let Some(profile) = super::audience::interlock(raw, account, audience, draft).await? {
            body["interlocked_profile"] = profile;
        }
        let body: types::ApplyProfilesRequestBody = from_json("audience", body)?;
        raw.apply_profiles_v2(account, project, group, None, &body).await?;
        Ok(())
    }

    async fn delete_profiles(raw: &Client, place: Place<'_>, ids: &[String]) -> Result<(), Error> {
        let Place { account, project, group } = place;
        let body: types::BatchDeleteProfileRequestBody = from_json("quotas", json!({ "profiles": ids }))?;
        raw.batch_delete_profiles_v2(account, project, group, &body).await?;
        Ok(())
    }
}

impl HasProfileEdits for super::Marker {
    async fn edit_profile(raw: &Client, place: Place<'_>, edit: ProfileEdit<'_>) -> Result<(), Error> {
        let Place { account, project, group } = place;
        match edit {
            ProfileEdit::Add(question) => {
                let body = json!({ "question_id": question.id(), "conditions": active_conditions(question) });
                let body: types::CreateProfileRequestBody = from_json("question", body)?;
                raw.create_profile_v2(account, project, group, None, &body).await?;
            }
            ProfileEdit::Conditions(profile, question) => {
                let body: types::ProfileCreationConditions = from_json("question", active_conditions(question))?;
                raw.update_profile_conditions_v2(account, project, group, profile, &body).await?;
            }
            ProfileEdit::Group(profile, question) => {
                let there = to_json(&raw.get_profiles(account, project, group).await?.into_value())?;
                let body: types::GroupQuotasRequestBody = from_json("question", grouping(&there, profile, question)?)?;
                raw.group_quotas(account, project, group, profile, &body).await?;
            }
            ProfileEdit::DeleteQuotas(profile, quotas) => {
                let body = json!({ "profiles": [{ "profile_id": profile, "quotas": quotas }] });
                let body: types::BatchDeleteProfileQuotasRequestBody = from_json("quotas", body)?;
                raw.batch_delete_profile_quotas(account, project, group, &body).await?;
            }
        }
        Ok(())
    }
}
