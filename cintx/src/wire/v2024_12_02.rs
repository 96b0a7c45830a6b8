//! 2024-12-02 on the wire: money as amount and code, an optional idempotency key for target groups,
//! a launch job that names its run `fielding_run_id`.

use std::sync::Arc;

use bytes::Bytes;
use cintx_raw::NEW_KEY;
use cintx_raw::v2024_12_02::{Client, CreateTargetGroupParams, PostReconciliationsParams, types};

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
use crate::version::V2024_12_02;

projects!(V2024_12_02, v2024_12_02, if_match: optional, reference: purchase_order_number,
    summary: - target_group_references);
legacy_quotas!(V2024_12_02, v2024_12_02);
fielding!(V2024_12_02, v2024_12_02, if_match: optional, run: fielding_run_id);

#[expect(private_interfaces, reason = "only this crate implements and calls it")]
impl Wire for V2024_12_02 {
    common_calls!(v2024_12_02);
    legacy_calls!(feasibility: { rate_card_price_boost: None, });

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
            expected_incidence_rate: Some(draft.incidence_rate.fraction()),
            expected_length_of_interview_minutes: Some(i64::from(draft.length_of_interview.minutes())),
            fielding_assistant_assignment: types::FieldingAssistantModulesAssignmentInput {
                // Quotas are of little use where they can be overfilled.
                quota_overlay: Some(types::ModuleQuotaOverlayInput { prevent_overfill: true, balance_fill: false }),
                ..Default::default()
            },
            fielding_specification: fielding_specification(draft),
            filling_goal: i64::from(draft.completes_goal),
            industry_code: None,
            industry_lockout_code: None,
            live_url: Some(draft.live_url.to_string()),
            locale: draft.locale.to_string(),
            name: draft.name.clone(),
            profile: draft_profiles(raw, account, draft).await?,
            project_manager_id: draft.manager.to_string(),
            study_type_code: None,
            supply_allocations: supply_allocations(&draft.supply),
            test_url: draft.test_url.as_ref().map(ToString::to_string),
        };
        let params = CreateTargetGroupParams { idempotency_key: None };
        let answer = raw.create_target_group(account, project.as_str(), &body, &params).await?.into_value();
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
        let params = PostReconciliationsParams { name: Some(file_name.to_owned()) };
        let answer = raw.post_reconciliations(account, NEW_KEY, csv, &params).await?.into_value();
        answer
            .request_id
            .map(|id| ReconciliationId::new(id.as_str()))
            .ok_or_else(|| Error::incomplete("post_reconciliations", "request_id"))
    }
}

legacy_audience!(adjustment: types::TargetGroupDraftProfilesRequestProfileAdjustmentType::Percentage);

fn amount(money: &Money) -> types::CurrencyInput {
    types::CurrencyInput { amount: Some(money.value().to_string()), code: Some(money.currency().to_owned()) }
}
