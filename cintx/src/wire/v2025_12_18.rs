//! 2025-12-18 on the wire: one list of regular and blended profiles, `completes_goal`, If-Match on every action.

use std::sync::Arc;

use bytes::Bytes;
use cintx_raw::v2025_12_18::{Client, PostReconciliationsParams, types};

use super::audience::{modern, typed};
use super::fielding::fielding;
use super::projects::projects;
use super::quotas::modern_quotas;
use super::{Wire, common_calls, money, timestamp};
use crate::error::Error;
use crate::feasibility::Feasibility;
use crate::ids::{ProjectId, ReconciliationId, TargetGroupId};
use crate::pipeline::Pipeline;
use crate::reconciliation::{ReconciliationOutcome, ReconciliationStatus};
use crate::supply::{Supply, SupplyKind};
use crate::target_group::TargetGroupDraft;
use crate::value::Money;
use crate::version::V2025_12_18;

projects!(V2025_12_18, v2025_12_18, if_match: required, reference: project_customer_reference_number,
    summary: target_group_references = target_group_customer_reference_numbers);
modern_quotas!(V2025_12_18, v2025_12_18);
fielding!(V2025_12_18, v2025_12_18, if_match: required, run: created_fielding_run_id);

#[expect(private_interfaces, reason = "only this crate implements and calls it")]
impl Wire for V2025_12_18 {
    common_calls!(v2025_12_18);

    async fn feasibility(
        raw: &Client,
        account: i64,
        _project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> Result<Feasibility, Error> {
        let body = types::CalculateTargetGroupFeasibilityRequest {
            allocations: None,
            business_unit_id: draft.business_unit.get(),
            collects_pii: Some(draft.collects_pii),
            completes_goal: i64::from(draft.completes_goal),
            cost_per_interview: draft.cost_per_interview.as_ref().map(amount),
            expected_incidence_rate: draft.incidence_rate.fraction(),
            expected_length_of_interview_minutes: i64::from(draft.length_of_interview.minutes()),
            fielding_specification: field(draft),
            locale: draft.locale.to_string(),
            price: None,
            profiling: Some(typed("audience", modern::feasibility(&draft.audience, draft.completes_goal)?)?),
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

    async fn create_target_group(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> Result<TargetGroupId, Error> {
        let body = types::CreateDraftTargetGroupRequest {
            allocations: allocations(&draft.supply),
            business_unit_id: draft.business_unit.to_string(),
            client_cost_per_interview_note: None,
            client_id: None,
            collects_pii: draft.collects_pii,
            completes_goal: i64::from(draft.completes_goal),
            cost_per_interview: draft.cost_per_interview.as_ref().map(amount),
            exclusion: None,
            expected_incidence_rate: draft.incidence_rate.fraction(),
            expected_length_of_interview_minutes: i64::from(draft.length_of_interview.minutes()),
            fielding_assistant_assignment: types::FieldingAssistantModulesAssignmentRequestModel {
                // Quotas are of little use where they can be overfilled.
                quota_overlay: Some(types::ModuleQuotaOverlayInput { prevent_overfill: true, balance_fill: false }),
                ..Default::default()
            },
            fielding_specification: field(draft),
            industry_code: None,
            industry_lockout_code: None,
            live_url: Some(Some(draft.live_url.to_string())),
            locale: draft.locale.to_string(),
            name: draft.name.clone(),
            profiling: Some(Some(typed("audience", modern::profiling(&draft.audience, draft.completes_goal)?)?)),
            project_manager_id: draft.manager.to_string(),
            re_entry_configuration: None,
            respondent_activity_exclusions: None,
            study_type_code: None,
            // By this it can be found again, should its answer be lost.
            target_group_customer_reference_number: Some(Some(format!("cintx-{}", ulid::Ulid::new()))),
            test_url: draft.test_url.as_ref().map(|url| Some(url.to_string())),
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
        let params = PostReconciliationsParams { name: Some(file_name.to_owned()), idempotency_key: None };
        let answer = raw.post_reconciliations(account, csv, &params).await?.into_value();
        answer
            .request_id
            .map(|id| ReconciliationId::new(id.as_str()))
            .ok_or_else(|| Error::incomplete("post_reconciliations", "request_id"))
    }
}

fn field(draft: &TargetGroupDraft) -> types::TargetGroupFieldingSpecificationInput {
    types::TargetGroupFieldingSpecificationInput {
        start_at: timestamp(draft.field.start()),
        end_at: timestamp(draft.field.end()),
    }
}

fn amount(money: &Money) -> types::MonetaryAmountRequestModel {
    types::MonetaryAmountRequestModel {
        value: Some(money.value().to_string()),
        currency_code: Some(money.currency().to_owned()),
    }
}

fn allocations(supply: &Supply) -> types::CreateDraftAllocationSpecificationGroupRequest {
    let (groups, exchange_max_percentage) = match &supply.0 {
        SupplyKind::OpenExchange => (Vec::new(), 100),
        // The exchange's maximum of nothing keeps everybody else out.
        SupplyKind::Only { name, suppliers } => {
            let group = types::CreateDraftAllocationSpecificationGroupRequestOpenExchangeAllocationsGroups {
                group_name: name.clone(),
                min_percentage: 0,
                max_percentage: 100,
                suppliers: suppliers.iter().map(i64::to_string).collect(),
            };
            (vec![group], 0)
        }
    };
    types::CreateDraftAllocationSpecificationGroupRequest {
        open_exchange_allocations: types::CreateDraftAllocationSpecificationGroupRequestOpenExchangeAllocations {
            blocked_supplier_ids: Vec::new(),
            exchange_max_percentage,
            exchange_min_percentage: 0,
            groups,
        },
        private_exchange_allocations: None,
    }
}
