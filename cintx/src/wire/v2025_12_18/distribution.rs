//! Suggested quotas as shares of the goal.

use super::raw::{Client, types};
use serde_json::json;

use crate::error::Error;
use crate::quota::QuotaTable;
use crate::wire::audience::modern;
use crate::wire::distribution::{DistributionWire, Suggesting, of_goal};
use crate::wire::quotas::Place;
use crate::wire::quotas::modern::{modern_profile, percent_as_counts};
use crate::wire::{from_json, timestamp, to_json};

impl DistributionWire for super::Marker {
    async fn suggest_quotas(
        raw: &Client,
        account: i64,
        Suggesting { question, goal, locale, field }: Suggesting<'_>,
    ) -> Result<QuotaTable, Error> {
        let body = json!({
            "locale": locale.to_string(),
            "completes_goal": goal,
            "profile_adjustment_type": "nominal",
            "start_at": timestamp(field.start()),
            "end_at": timestamp(field.end()),
            "profile": modern::regular(question, false, goal)?,
        });
        let body: types::PanelDistributionRequestV3 = from_json("question", body)?;
        let mut profile = to_json(&raw.get_panel_distribution_draft(account, &body).await?.into_value())?;
        // The request is in completes, but the answer may be in percent.
        let in_percent = percent_as_counts(&mut profile);
        let table = modern_profile(&profile);
        Ok(if in_percent { of_goal(table, goal) } else { table })
    }

    async fn suggest_quotas_of(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
        profile: &str,
    ) -> Result<QuotaTable, Error> {
        let (project, group) = (project.as_str(), group.as_str());
        let answer = raw.get_panel_distribution_by_profile(account, project, group, profile).await?;
        Ok(modern_profile(&to_json(&answer.into_value())?))
    }
}
