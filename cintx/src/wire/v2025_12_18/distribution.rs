//! Suggested quotas as shares of the goal.

use super::raw::{Client, types};
use serde_json::json;

use crate::error::Error;
use crate::quota::QuotaTable;
use crate::wire::Place;
use crate::wire::audience::modern;
use crate::wire::distribution::{Crossing, DistributionWire, Suggesting, of_goal};
use crate::wire::quotas::modern::{modern_profile, percent_as_counts};
use crate::wire::{from_json, timestamp, to_json};

impl DistributionWire for super::Marker {
    const SUGGESTS_FOR_PII: bool = true;

    async fn suggest_quotas(
        raw: &Client,
        account: i64,
        Suggesting { question, goal, locale, field, collects_pii }: Suggesting<'_>,
    ) -> Result<QuotaTable, Error> {
        let mut body = json!({
            "locale": locale.to_string(),
            "completes_goal": goal,
            "profile_adjustment_type": "nominal",
            "start_at": timestamp(field.start()),
            "end_at": timestamp(field.end()),
            "profile": modern::regular(question, false, goal)?,
        });
        if collects_pii {
            body["collects_pii"] = json!(true);
        }
        let body: types::PanelDistributionRequestV3 = from_json("question", body)?;
        let mut profile = to_json(&raw.get_panel_distribution_draft(account, &body).await?.into_value())?;
        // The request is in completes, but the answer may be in percent.
        let in_percent = percent_as_counts(&mut profile);
        let table = modern_profile(&profile);
        Ok(if in_percent { of_goal(table, goal) } else { table })
    }

    async fn suggest_interlock(
        raw: &Client,
        account: i64,
        Crossing { interlock, goal, locale, field, collects_pii }: Crossing<'_>,
    ) -> Result<QuotaTable, Error> {
        let profiles: Result<Vec<_>, Error> =
            interlock.questions().iter().map(|question| modern::regular(question, false, goal)).collect();
        let body = json!({
            "locale": locale.to_string(),
            "completes_goal": goal,
            "start_at": timestamp(field.start()),
            "end_at": timestamp(field.end()),
            "collects_pii": collects_pii,
            "profiling": { "profile_adjustment_type": "nominal", "profiles": profiles? },
        });
        let body: types::GenerateDraftInterlockedProfileRequestV3 = from_json("questions", body)?;
        Ok(modern_profile(&to_json(&raw.generate_blended_profile(account, &body).await?.into_value())?))
    }

    async fn suggest_quotas_of(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
        profile: &str,
    ) -> Result<QuotaTable, Error> {
        let (project, group) = (project, group);
        let answer = raw.get_panel_distribution_by_profile(account, project, group, profile).await?;
        Ok(modern_profile(&to_json(&answer.into_value())?))
    }
}
