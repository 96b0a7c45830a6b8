//! 2025-12-18 on the wire: one list of regular and blended profiles, `completes_goal`, If-Match on every action.

use super::assistant::assistant;
use super::audience::modern::modern_audience;
use super::bulk::bulk;
use super::calendar::{calendar, field_of_days};
use super::directory::directory;
use super::distribution::modern_distribution;
use super::exclusions::{exclusion_policies, exclusions};
use super::fielding::fielding;
use super::groups::groups;
use super::library::library_profiles;
use super::price::{group_rate_card, prediction, price};
use super::projects::projects;
use super::quotas::modern::modern_quotas;
use super::reconciliation::{newer_reconciliations, reconciliation};
use super::recontacts::recontacts;
use super::reports::{report_details, reports};
use super::respondents::respondents;
use super::statistics::{overview_by_id, performance, statistics};
use super::supply::supply_specification;
use super::supply_templates::{supply_templates, unit_supply_templates};
use super::templates::templates;
use super::unique_codes::unique_codes;
use super::webhooks::{webhook_history, webhooks};
use super::{amounts, version};

version!(V2025_12_18, v2025_12_18);
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
modern_distribution!(V2025_12_18, v2025_12_18);
webhooks!(V2025_12_18, v2025_12_18, events: WebhookEventType, read: [WebhookEventType],
    new: {}, key: [], if_match: optional, pages: more(has_more));
webhook_history!(V2025_12_18, v2025_12_18);
reports!(V2025_12_18, v2025_12_18, level: |level| level.map(Some), body: |order| {
    email_recipients: order.mail_to.as_ref().map(|users| users.iter().map(ToString::to_string).collect()),
}, filter: |filter| {
    level: filter.level.as_ref().map(|level| level.as_str().into()),
    status: filter.status.as_ref().map(|status| status.as_str().into()),
}, request: { level, requested_by = requestor }, download: by_id);
report_details!(V2025_12_18, v2025_12_18);
fielding!(V2025_12_18, v2025_12_18, if_match: required, run: created_fielding_run_id);
supply_specification!(V2025_12_18, v2025_12_18);
supply_templates!(V2025_12_18, v2025_12_18, if_match: required, locale: |locale| &GetAccountAllocationTemplateByTemplateIdParams { locale: Some(locale) }, &GetGlobalAllocationTemplateByTemplateIdParams { locale: Some(locale) }, &locale);
unit_supply_templates!(V2025_12_18, v2025_12_18);
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
overview_by_id!(V2025_12_18, v2025_12_18);
impl crate::HasFilters for crate::V2025_12_18 {}
impl crate::quota::HasControlQuotas for crate::V2025_12_18 {}
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
        ReconciliationsEligibleTargetGroupsMonetaryAmount { value, currency_code },
        ReconciliationsEligibleTargetGroupsResponseSummaryMonetaryAmount { value, currency_code },
    ]
);
reconciliation!(V2025_12_18, v2025_12_18, file: |name, csv| csv, &PostReconciliationsParams {
    name: Some(name.to_owned()),
    idempotency_key: None,
}; list: by_filter, states: [ReconciliationsTargetGroupStatus, ReconciliationRequestsStatus],
    words: { crate::reconciliation::ReconciliationKind = ReconciliationRequestsSubmissionType; },
    summary: { kind = submission_type }, reason: { allowed });
newer_reconciliations!(V2025_12_18, v2025_12_18);
respondents!(V2025_12_18, v2025_12_18);
modern_audience!(V2025_12_18, v2025_12_18);
