//! 2024-12-02 on the wire: money as amount and code, an optional idempotency key for target groups,
//! a launch job that names its run `fielding_run_id`.

use super::assistant::assistant;
use super::audience::legacy::legacy_audience;
use super::bulk::bulk;
use super::calendar::calendar;
use super::directory::directory;
use super::distribution::legacy_distribution;
use super::fielding::fielding;
use super::groups::groups;
use super::library::{library_questions, question_index};
use super::price::price;
use super::projects::projects;
use super::quotas::legacy::legacy_quotas;
use super::reconciliation::{eligible_in_month, reconciliation};
use super::reports::reports;
use super::statistics::statistics;
use super::supply::{supply_list, supply_removal};
use super::supply_templates::{global_supply_templates, supply_templates};
use super::templates::templates;
use super::webhooks::webhooks;
use super::{amounts, version};

version!(V2024_12_02, v2024_12_02);
directory!(V2024_12_02, v2024_12_02, clients: |_ask| ());
calendar!(V2024_12_02, v2024_12_02, field: |locale, field| (
    crate::wire::calendar::days(field), &timestamp(field.start()), &timestamp(field.end()), &SuggestTimeRangeParams { locale: Some(locale) }
));
library_questions!(
    V2024_12_02, v2024_12_02,
    details: |locale| &GetQuestionByIdParams { locale: Some(locale) },
    list: |_account, filter| GET_QUESTIONS_TRANSLATION, get_questions_translation(), GetQuestionsTranslationParams {}
);
question_index!(V2024_12_02, v2024_12_02, locale: |locale, _ask| (), { locale: Some(locale), });
templates!(V2024_12_02, v2024_12_02, form: by_place);
projects!(V2024_12_02, v2024_12_02, if_match: optional, reference: purchase_order_number,
    summary: - target_group_references);
legacy_quotas!(V2024_12_02, v2024_12_02);
legacy_distribution!(V2024_12_02, v2024_12_02);
webhooks!(V2024_12_02, v2024_12_02, events: CreateWebhookRequestEvents, read: [WebhookEvents, WebhookCreatedEvents],
    new: { id: uuid::Uuid::new_v4().to_string(), }, key: [cintx_raw::NEW_KEY], if_match: optional, pages: next(next_cursor));
reports!(V2024_12_02, v2024_12_02, level: |level| level, body: |order| {}, filter: |filter| {},
    request: { requested_by = requestor_name - level }, download: by_file);
impl crate::report::HasReconciliationsReport for crate::V2024_12_02 {}
fielding!(V2024_12_02, v2024_12_02, if_match: optional, run: fielding_run_id);
supply_list!(V2024_12_02, v2024_12_02);
supply_removal!(V2024_12_02, v2024_12_02);
supply_templates!(V2024_12_02, v2024_12_02, if_match: optional, locale: |locale| &GetAccountAllocationTemplateByTemplateIdParams { locale: Some(locale) }, &GetGlobalAllocationTemplateByTemplateIdParams { locale: Some(locale) }, &GetSystemAllocationTemplateParams { locale: Some(locale) });
global_supply_templates!(V2024_12_02, v2024_12_02);
bulk!(V2024_12_02, v2024_12_02, key: ());
price!(V2024_12_02, v2024_12_02, card: RateCardRateCardData, within_project: true, goal: filling_goal in suggested_filling_goal_range, dates: start_date end_date);
assistant!(V2024_12_02, v2024_12_02, gemini: false);
statistics!(V2024_12_02, v2024_12_02, changelog_page: 100, kinds: |_kinds| {}, overview: { - created_at, manager, reference });
groups!(
    V2024_12_02, v2024_12_02,
    names: Names {
        goal: "filling_goal",
        money: ("amount", "code"),
        profiles: "profile",
        supply: ("supply_allocations", false),
    },
    create: (&CreateTargetGroupParams { idempotency_key: None }), reference: false, goal: filling_goal,
    draft: {
        supply = supply_allocations - reference
    },
    summary: { excluding = exclusion - reference }, switch: TargetGroupExclusionObject,
    filter: |_filter| {},
    settings: { cost_note = client_cpi - reference },
    update: |settings| {
        client_cpi: settings.cost_note.as_ref().map(Into::into),
        industry_lockout_code: settings.lockout.as_ref().map(ToString::to_string),
    }
);
amounts!(
    v2024_12_02,
    write: [CurrencyInput { amount, code }, MonetaryAmountRequestModel { value, currency_code }],
    read: [
        MonetaryAmount { value, currency_code },
        AverageCostPerInterview { value, currency_code },
        EarningsPerClick { value, currency_code },
        EarningsPerClickPerMinute { value, currency_code },
        Currency { amount, code },
    ]
);
reconciliation!(V2024_12_02, v2024_12_02, file: |name, csv| cintx_raw::NEW_KEY, csv, &PostReconciliationsParams { name: Some(name.to_owned()) };
    list: by_filter, states: [ReconciliationsTargetGroupStatus], words: {}, summary: { - kind }, reason: { - allowed });
eligible_in_month!(V2024_12_02, v2024_12_02);
legacy_audience!(V2024_12_02, v2024_12_02, feasibility: { rate_card_price_boost: None, },
    adjustment: types::TargetGroupDraftProfilesRequestProfileAdjustmentType::Percentage);
