//! 2025-02-17 on the wire: the areas that it has, and what it alone names or places differently.

#[path = "../common/assistant.rs"]
mod assistant;
#[path = "../common/audience_legacy.rs"]
mod audience;
#[path = "../common/bulk.rs"]
mod bulk;
#[path = "../common/calendar.rs"]
mod calendar;
#[path = "../common/directory.rs"]
mod directory;
#[path = "../common/distribution_legacy.rs"]
mod distribution;
mod exclusion_lists;
#[path = "../common/exclusion_policies.rs"]
mod exclusion_policies;
#[path = "../common/fielding.rs"]
mod fielding;
#[path = "../common/global_supply_templates.rs"]
mod global_supply_templates;
#[path = "../common/group_rate_card.rs"]
mod group_rate_card;
#[path = "../common/legacy.rs"]
mod legacy;
#[path = "../common/library.rs"]
mod library;
#[path = "../common/money.rs"]
mod money;
#[path = "../common/performance.rs"]
mod performance;
#[path = "../common/price.rs"]
mod price;
#[path = "../common/projects.rs"]
mod projects;
#[path = "../common/question_index.rs"]
mod question_index;
#[path = "../common/quotas_legacy.rs"]
mod quotas;
#[path = "../common/reconciliation.rs"]
mod reconciliation;
mod reconciliation_requests;
#[path = "../common/reports.rs"]
mod reports;
#[path = "../common/statistics.rs"]
mod statistics;
mod study;
#[path = "../common/supply_list.rs"]
mod supply;
#[path = "../common/supply_templates.rs"]
mod supply_templates;
#[path = "../common/target_groups.rs"]
mod target_groups;
#[path = "../common/templates.rs"]
mod templates;
mod validation;
#[path = "../common/version.rs"]
mod version;
#[path = "../common/webhooks.rs"]
mod webhooks;

use cintx_raw::{Operation, Response, v2025_02_17 as raw};

use self::legacy::*;
use self::raw::*;
use super::read::read_words;
use super::target_groups::Names;
use super::templates::by_place as template_form;
use super::timestamp;
use crate::V2025_02_17 as Marker;
use crate::error::Error;
use crate::library::{IndexFilter, QuestionFilter};
use crate::paging::{PageRequest, RawPage};
use crate::target_group::TargetGroupDraft;
use crate::webhook::{WebhookEventType, WebhookFacts};

impl crate::library::HasCustomQuestions for Marker {}
impl crate::library::HasQuestionSelection for Marker {}
impl crate::report::HasReconciliationsReport for Marker {}

/// What a draft calls its parts.
const DRAFT_NAMES: Names = Names {
    goal: super::audience::legacy::GOAL,
    money: ("value", "currency_code"),
    profiles: "profile",
    supply: ("supply_allocations", false),
};
/// A target group can be paced like another.
const HAS_GEMINI_PACING: bool = true;
/// The most rows that a list of respondents may have.
const MAX_RECONCILIATION_ROWS: usize = 20_000;
/// A draft has an address for respondents from the beginning.
const WANTS_LIVE_URL: bool = true;
/// The operation that lists the question library.
const LIBRARY_QUESTIONS: &Operation = &operations::ACCOUNT_QUESTIONS_TRANSLATION;

/// The data of a rate card.
type RateCardData = types::RateCardData;

read_words! { WebhookEventType = WebhookEvents, WebhookCreatedEvents, WebhookEventsListEvents; }

/// Quotas of a draft are percentages.
fn percentage_adjustment() -> String {
    "percentage".to_owned()
}

/// A draft is created without an idempotency key.
async fn create_target_group(
    raw: &Client,
    account: i64,
    project: &str,
    body: &types::CreateDraftTargetGroupRequest,
) -> Result<Response<types::CreatedDraftTargetGroupResponse>, Error> {
    Ok(raw.create_target_group(account, project, body).await?)
}

/// The request for the feasibility of a draft, which cannot have a surcharge on the rate card.
fn feasibility_request(
    draft: &TargetGroupDraft,
    profiles: Vec<types::TargetGroupFeasibilityRegularProfileV2>,
) -> Result<types::CalculateTargetGroupFeasibilityRequest, Error> {
    super::feasibility::refuse_boost(draft, "2025-02-17")?;
    Ok(types::CalculateTargetGroupFeasibilityRequest {
        allocations: None,
        business_unit_id: draft.settings.business_unit.get(),
        collects_pii: Some(draft.settings.collects_pii),
        end_date: timestamp(draft.settings.fielding_period.end()),
        filling_goal: i64::from(draft.settings.completes_goal),
        incidence_rate: draft.settings.incidence_rate.fraction(),
        interlocked_profiles: None,
        length_of_interview: i64::from(draft.settings.length_of_interview.as_minutes()),
        locale: draft.settings.locale.to_string(),
        price: draft.settings.cost_per_interview.as_ref().map(Into::into),
        profiles: Some(profiles),
        start_date: timestamp(draft.settings.fielding_period.start()),
        step_days: None,
    })
}

/// The short id of a project, for people: the document spells it with hyphens, as no other answer does.
fn short_id(project: &types::ProjectDetails) -> Option<&cintx_raw::Id> {
    project.human_readable_id.as_ref().or(project.human_readable_id_respelled.as_ref())
}

/// The run that a launch made: `created_fielding_run_id`.
fn launched_run(job: &mut types::GetLaunchFieldingRunFromDraftJobResponse) -> Option<cintx_raw::Id> {
    job.created_fielding_run_id.take()
}

/// The run that a schedule made: `created_fielding_run_id`.
fn scheduled_run(job: &mut types::GetScheduleFieldingRunFromDraftJobResponse) -> Option<cintx_raw::Id> {
    job.created_fielding_run_id.take()
}

/// The question library of an account, with or without its custom questions.
async fn library_questions(
    raw: &Client,
    account: i64,
    locale: &str,
    filter: &QuestionFilter,
    ask: &PageRequest,
) -> Result<Response<types::QuestionsTranslationResponse>, Error> {
    let params = AccountQuestionsTranslationParams {
        id: filter.ids.clone(),
        query: filter.search.clone(),
        translation_language: filter.translation.as_ref().map(ToString::to_string),
        allow_custom_quals: filter.with_custom,
        allow_foreign_quals: filter.from_other_locales,
        no_filter: filter.unsupported,
        classification_filter: (!filter.categories.is_empty()).then(|| filter.categories.join(",")),
        only_custom_quals: filter.only_custom,
        limit: ask.page_size(),
        start_after: ask.start_after().and_then(|id| id.parse().ok()),
        ..Default::default()
    };
    Ok(raw.account_questions_translation_with(account, Some(locale), &params).await?)
}

/// What the list of questions is narrowed down by, and the page.
fn question_index_params(filter: &IndexFilter, ask: &PageRequest) -> ListQuestionsParams {
    ListQuestionsParams {
        search: filter.search.clone(),
        category_id: filter.category,
        type_: filter.scope.as_ref().map(|scope| scope.as_str().into()),
        page_size: ask.page_size(),
        start_after: ask.start_after().and_then(|id| id.parse().ok()),
        end_before: None,
    }
}

/// A subscription to create; its id is ours to choose, a ULID.
fn new_webhook(url: &str, events: &[WebhookEventType]) -> types::CreateWebhookRequest {
    types::CreateWebhookRequest {
        id: crate::types::ids::new_ulid().to_string(),
        url: url.to_owned(),
        events: events.iter().map(|event| event.as_str().into()).collect(),
    }
}

/// Changes a subscription; no entity tag can be sent.
async fn update_webhook(
    raw: &Client,
    account: i64,
    id: &str,
    _: Option<&str>,
    body: &types::UpdateWebhookRequest,
) -> Result<Response<types::Webhook>, Error> {
    Ok(raw.update_webhook(account, id, body).await?)
}

/// Makes a new secret.
async fn regenerate_webhook_secret(
    raw: &Client,
    account: i64,
    id: &str,
) -> Result<Response<types::WebhookSecretRegenerated>, Error> {
    Ok(raw.regenerate_webhook_secret(account, id).await?)
}

/// The list of subscriptions says whether more follow.
fn continue_webhooks(page: RawPage<WebhookFacts>, list: types::WebhooksList) -> RawPage<WebhookFacts> {
    page.more(list.has_more)
}
