//! 2025-12-18 on the wire: one list of regular and blended profiles, `completes_goal`, If-Match on every action.

use std::sync::Arc;

use bytes::Bytes;
use cintx_raw::v2025_12_18::{Client, PostReconciliationsParams, types};

use super::assistant::assistant;
use super::audience::modern;
use super::bulk::bulk;
use super::calendar::{calendar, field_of_days};
use super::directory::directory;
use super::exclusions::{exclusion_policies, exclusions};
use super::fielding::fielding;
use super::groups::groups;
use super::library::library_profiles;
use super::price::{group_rate_card, prediction, price};
use super::projects::projects;
use super::quotas::modern::modern_quotas;
use super::read::{Field, Missing};
use super::recontacts::recontacts;
use super::statistics::{performance, statistics};
use super::supply::{from_specification, supply_specification};
use super::supply_templates::supply_templates;
use super::templates::templates;
use super::unique_codes::unique_codes;
use super::{Wire, amounts, common_calls, from_json, money, timestamp, to_json};
use crate::error::Error;
use crate::feasibility::Feasibility;
use crate::ids::{ProjectId, ReconciliationId, TargetGroupId};
use crate::pipeline::Pipeline;
use crate::reconciliation::{ReconciliationOutcome, ReconciliationStatus};
use crate::supply::Supply;
use crate::target_group::TargetGroupDraft;
use crate::value::Money;
use crate::version::V2025_12_18;

directory!(V2025_12_18, v2025_12_18, clients: |ask| (&GetClientsParams {
    page_size: ask.page_size(),
    page_number: ask.start_after().and_then(|page| page.parse().ok()),
}));
calendar!(V2025_12_18, v2025_12_18, field: |locale, field| (&SuggestTimeRangeParams {
    days: None,
    start: Some(timestamp(field.start())),
    end: Some(timestamp(field.end())),
    locale: Some(locale),
}));
field_of_days!(V2025_12_18, v2025_12_18);
exclusion_policies!(V2025_12_18, v2025_12_18);
exclusions!(V2025_12_18, v2025_12_18);
recontacts!(V2025_12_18, v2025_12_18);
unique_codes!(V2025_12_18, v2025_12_18);
library_profiles!(V2025_12_18, v2025_12_18);
templates!(V2025_12_18, v2025_12_18, form: by_target);
projects!(V2025_12_18, v2025_12_18, if_match: required, reference: project_customer_reference_number,
    summary: target_group_references = target_group_customer_reference_numbers);
modern_quotas!(V2025_12_18, v2025_12_18);
fielding!(V2025_12_18, v2025_12_18, if_match: required, run: created_fielding_run_id);
supply_specification!(V2025_12_18, v2025_12_18);
supply_templates!(V2025_12_18, v2025_12_18, if_match: required, locale: |locale| &GetAccountAllocationTemplateByTemplateIdParams { locale: Some(locale) }, &GetGlobalAllocationTemplateByTemplateIdParams { locale: Some(locale) }, &locale);
bulk!(V2025_12_18, v2025_12_18, key: (cintx_raw::NEW_KEY));
price!(V2025_12_18, v2025_12_18, card: RateCardData, within_project: false, goal: completes_goal in suggested_completes_goal_range, dates: start_at end_at);
group_rate_card!(V2025_12_18, v2025_12_18);
prediction!(V2025_12_18, v2025_12_18);
assistant!(V2025_12_18, v2025_12_18, gemini: true);
statistics!(V2025_12_18, v2025_12_18, changelog_page: 50, kinds: |kinds| {
    change_types: (!kinds.is_empty()).then(|| kinds.iter().map(|kind| kind.as_str().into()).collect()),
}, overview: {
    created_at, manager = project_manager_id, reference = target_group_customer_reference_number
});
performance!(V2025_12_18, v2025_12_18);
impl crate::HasFilters for V2025_12_18 {}
impl crate::HasControlQuotas for V2025_12_18 {}
impl crate::Validates for V2025_12_18 {}
groups!(
    V2025_12_18, v2025_12_18,
    names: Names {
        goal: "completes_goal",
        money: ("value", "currency_code"),
        profiles: "profiling",
        supply: ("allocations", true),
    },
    create: (), reference: true, goal: completes_goal,
    draft: {
        supply = allocations, reference = target_group_customer_reference_number
    },
    summary: { excluding = exclusion_enabled, reference = target_group_customer_reference_number },
    filter: |filter| {
        target_group_customer_reference_numbers: None,
        project_manager_id: filter.manager.map(|manager| manager.to_string()),
    },
    settings: {
        cost_note = client_cost_per_interview_note, reference = target_group_customer_reference_number
    },
    update: |settings| {
        client_cost_per_interview_note: settings.cost_note.as_ref().map(Into::into),
        industry_lockout_code: settings.lockout.as_ref().map(ToString::to_string).unwrap_or_default(),
        target_group_customer_reference_number: Some(settings.reference.clone()),
    }
);
amounts!(
    v2025_12_18,
    write: [MonetaryAmountRequestModel { value, currency_code }],
    read: [
        MonetaryAmount { value, currency_code },
        AverageCostPerInterview { value, currency_code },
        EarningsPerClick { value, currency_code },
        EarningsPerClickPerMinute { value, currency_code },
    ]
);

impl Field<Option<types::GetDraftSupplyAllocationGroupResponse>> for Supply {
    fn field(wire: Option<types::GetDraftSupplyAllocationGroupResponse>) -> Result<Self, Missing> {
        super::to_json(&wire).map(|json| from_specification(&json)).map_err(|_| Missing("allocations"))
    }
}

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
            profiling: Some(from_json("audience", modern::feasibility(&draft.audience, draft.completes_goal)?)?),
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

    async fn profiles(_raw: &Client, _account: i64, draft: &TargetGroupDraft) -> Result<serde_json::Value, Error> {
        // Held against its type here, so that what does not fit is blamed on the audience.
        let profiling = modern::profiling(&draft.audience, draft.completes_goal)?;
        let profiling: types::ProfilingRequest = from_json("audience", profiling)?;
        to_json(&profiling)
    }

    async fn create_target_group(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> Result<TargetGroupId, Error> {
        let profiling = Self::profiles(raw, account, draft).await?;
        groups::create(raw, account, project, &draft.settings, [("profiling", profiling)]).await
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
