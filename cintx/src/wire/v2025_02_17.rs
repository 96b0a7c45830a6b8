//! 2025-02-17 on the wire: money as value and currency code, both survey addresses required,
//! profiles and interlocked profiles in two lists.

use std::sync::Arc;

use bytes::Bytes;
use cintx_raw::NEW_KEY;
use cintx_raw::v2025_02_17::{Client, types};

use super::audience::{legacy, typed, untyped};
use super::fielding::fielding;
use super::projects::projects;
use super::quotas::legacy_quotas;
use super::{Wire, common_calls, legacy_audience, legacy_calls, money, timestamp};
use crate::error::Error;
use crate::feasibility::Feasibility;
use crate::ids::{ProjectId, ReconciliationId, TargetGroupId};
use crate::pipeline::Pipeline;
use crate::reconciliation::{ReconciliationOutcome, ReconciliationStatus};
use crate::supply::{Supply, SupplyKind};
use crate::target_group::TargetGroupDraft;
use crate::value::Money;
use crate::version::V2025_02_17;

projects!(V2025_02_17, v2025_02_17, if_match: optional, reference: purchase_order_number,
    summary: - target_group_references);
legacy_quotas!(V2025_02_17, v2025_02_17);

impl super::quotas::ValidatesWire for V2025_02_17 {
    async fn validate(
        raw: &Client,
        account: i64,
        audience: &crate::Audience,
        goal: u32,
        locale: &str,
    ) -> Result<Vec<serde_json::Value>, Error> {
        audience.only_what_all_versions_have()?;
        let crossed = audience.crossed().map_or(&[][..], crate::Interlock::questions).iter();
        let crossed = crossed.map(|question| legacy::profile(question, goal, legacy::Form::Draft));
        // An interlock is made by the helper; here its questions are looked at side by side.
        let profiles: Vec<_> = legacy::drafts(audience, goal).into_iter().chain(crossed).collect();
        let body = serde_json::json!({
            "locale": locale, "filling_goal": goal, "profile_adjustment_type": "percentage", "profiles": profiles,
        });
        let body: types::ApplyProfilesRequestBody = typed("audience", body)?;
        let answer = raw.validate_profiles(account, &body).await?.into_value();
        match untyped("audience", &answer)? {
            serde_json::Value::Array(list) => Ok(list),
            _ => Ok(Vec::new()),
        }
    }
}

fielding!(V2025_02_17, v2025_02_17, if_match: optional, run: created_fielding_run_id);

#[expect(private_interfaces, reason = "only this crate implements and calls it")]
impl Wire for V2025_02_17 {
    common_calls!(v2025_02_17);
    legacy_calls!(feasibility: {  });

    async fn create_target_group(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> Result<TargetGroupId, Error> {
        let body = types::CreateDraftTargetGroupRequest {
            business_unit_id: draft.business_unit.to_string(),
            client_cost_per_interview_note: None,
            client_id: None,
            collects_pii: draft.collects_pii,
            cost_per_interview: draft.cost_per_interview.as_ref().map(amount),
            exclusion: None,
            expected_incidence_rate: draft.incidence_rate.fraction(),
            expected_length_of_interview_minutes: i64::from(draft.length_of_interview.minutes()),
            fielding_assistant_assignment: types::FieldingAssistantModulesAssignmentRequestModel {
                // Quotas are of little use where they can be overfilled.
                quota_overlay: Some(types::ModuleQuotaOverlayInput { prevent_overfill: true, balance_fill: false }),
                ..Default::default()
            },
            fielding_specification: fielding_specification(draft),
            filling_goal: i64::from(draft.completes_goal),
            industry_code: None,
            industry_lockout_code: None,
            live_url: draft.live_url.to_string(),
            locale: draft.locale.to_string(),
            name: draft.name.clone(),
            profile: draft_profiles(raw, account, draft).await?,
            project_manager_id: draft.manager.to_string(),
            study_type_code: None,
            supply_allocations: supply_allocations(&draft.supply),
            test_url: draft.test_url.as_ref().map(ToString::to_string).unwrap_or_else(|| draft.live_url.to_string()),
        };
        let answer = raw.create_target_group(account, project.as_str(), &body).await?.into_value();
        answer
            .id
            .map(|id| TargetGroupId::new(id.as_str()))
            .ok_or_else(|| Error::incomplete("create_target_group", "id"))
    }

    async fn submit_reconciliation(
        raw: &Client,
        account: i64,
        file_name: &str,
        csv: Bytes,
    ) -> Result<ReconciliationId, Error> {
        let answer = raw.post_reconciliations(account, file_name, NEW_KEY, csv).await?.into_value();
        answer
            .request_id
            .map(|id| ReconciliationId::new(id.as_str()))
            .ok_or_else(|| Error::incomplete("post_reconciliations", "request_id"))
    }
}

legacy_audience!(adjustment: "percentage".to_owned());

fn amount(money: &Money) -> types::MonetaryAmountRequestModel {
    types::MonetaryAmountRequestModel {
        value: Some(money.value().to_string()),
        currency_code: Some(money.currency().to_owned()),
    }
}
