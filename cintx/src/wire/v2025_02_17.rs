//! 2025-02-17 on the wire: money as value and currency code, both survey addresses required,
//! profiles and interlocked profiles in two lists.

use super::assistant::assistant;
use super::audience::legacy::{legacy_audience, legacy_validation};
use super::bulk::bulk;
use super::calendar::calendar;
use super::directory::directory;
use super::distribution::legacy_distribution;
use super::exclusions::{exclusion_lists, exclusion_policies};
use super::fielding::fielding;
use super::groups::groups;
use super::library::{library_questions, question_index};
use super::price::{group_rate_card, price};
use super::projects::projects;
use super::quotas::legacy::legacy_quotas;
use super::reconciliation::reconciliation;
use super::reports::reports;
use super::statistics::{performance, statistics};
use super::supply::supply_list;
use super::supply_templates::{global_supply_templates, supply_templates};
use super::templates::templates;
use super::webhooks::webhooks;
use super::{amounts, version};

version!(V2025_02_17, v2025_02_17);
directory!(V2025_02_17, v2025_02_17, clients: |_ask| ());
calendar!(V2025_02_17, v2025_02_17, field: |locale, field| (
    crate::wire::calendar::days(field), &timestamp(field.start()), &timestamp(field.end()), &locale
));
exclusion_policies!(V2025_02_17, v2025_02_17);
exclusion_lists!(V2025_02_17, v2025_02_17);
library_questions!(
    V2025_02_17, v2025_02_17,
    details: |locale| &locale,
    list: |account, filter| ACCOUNT_QUESTIONS_TRANSLATION, account_questions_translation(account),
        AccountQuestionsTranslationParams { only_custom_quals: filter.only_custom, }
);
impl crate::library::HasCustomQuestions for crate::V2025_02_17 {}
question_index!(V2025_02_17, v2025_02_17, locale: |locale, ask| (&locale), {
    page_size: ask.page_size(),
    start_after: ask.start_after().and_then(|id| id.parse().ok()),
    end_before: None,
});
templates!(V2025_02_17, v2025_02_17, form: by_place);
projects!(V2025_02_17, v2025_02_17, if_match: optional, reference: purchase_order_number,
    summary: - target_group_references);
legacy_quotas!(V2025_02_17, v2025_02_17);
legacy_distribution!(V2025_02_17, v2025_02_17);

legacy_validation!(V2025_02_17, v2025_02_17);
webhooks!(V2025_02_17, v2025_02_17, events: CreateWebhookRequestEvents, read: [WebhookEvents, WebhookCreatedEvents, WebhookEventsListEvents],
    new: { id: ulid::Ulid::new().to_string(), }, key: [], if_match: none, pages: more(has_more));
reports!(V2025_02_17, v2025_02_17, level: |level| level, body: |order| {}, filter: |filter| {},
    request: { requested_by = requestor_name - level }, download: by_file);
impl crate::report::HasReconciliationsReport for crate::V2025_02_17 {}
fielding!(V2025_02_17, v2025_02_17, if_match: optional, run: created_fielding_run_id);
supply_list!(V2025_02_17, v2025_02_17);
supply_templates!(V2025_02_17, v2025_02_17, if_match: optional, locale: |locale| &locale, &locale, &locale);
global_supply_templates!(V2025_02_17, v2025_02_17);
bulk!(V2025_02_17, v2025_02_17, key: ());
price!(V2025_02_17, v2025_02_17, card: RateCardData, within_project: true, goal: filling_goal in suggested_filling_goal_range, dates: start_date end_date);
group_rate_card!(V2025_02_17, v2025_02_17);
assistant!(V2025_02_17, v2025_02_17, gemini: true);
statistics!(V2025_02_17, v2025_02_17, changelog_page: 100, kinds: |_kinds| {}, overview: { - created_at, manager, reference });
performance!(V2025_02_17, v2025_02_17);
groups!(
    V2025_02_17, v2025_02_17,
    names: Names {
        goal: "filling_goal",
        money: ("value", "currency_code"),
        profiles: "profile",
        supply: ("supply_allocations", false),
    },
    create: (), reference: false, goal: filling_goal,
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
    v2025_02_17,
    write: [MonetaryAmountRequestModel { value, currency_code }],
    read: [
        MonetaryAmount { value, currency_code },
        AverageCostPerInterview { value, currency_code },
        EarningsPerClick { value, currency_code },
        EarningsPerClickPerMinute { value, currency_code },

    ]
);
reconciliation!(V2025_02_17, v2025_02_17, file: |name, csv| name, cintx_raw::NEW_KEY, csv;
    list: by_name, states: [ReconciliationsTargetGroupStatus], words: {}, summary: { - kind }, reason: { - allowed });
legacy_audience!(V2025_02_17, v2025_02_17, feasibility: {}, adjustment: "percentage".to_owned());
