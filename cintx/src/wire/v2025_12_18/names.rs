//! What 2025-12-18 names or places differently than the versions before it: a small function or a list of fields
//! for each difference.

use cintx_raw::{ByteStream, Response};
use serde_json::{Value, json};

use super::raw::*;
use crate::error::{Error, FieldError};
use crate::paging::PageRequest;
use crate::paging::RawPage;
use crate::project::{ProjectOverview, ProjectSettings, ProjectSummary};
use crate::reconciliation::{ReasonCode, ReconciliationSummary};
use crate::reconciliation::{ReconciliationKind, ReconciliationStatus};
use crate::report::{ReportFilter, ReportKind, ReportOrder, ReportRequest, ReportRequestor};
use crate::target_group::feasibility::FeasibilitySettings;
use crate::target_group::{ChangeKind, TargetGroupOverview};
use crate::target_group::{DraftSettings, LaunchedSettings, TargetGroupFilter, TargetGroupSummary};
use crate::types::TimeRange;
use crate::types::ids::ReportId;
use crate::webhook::{WebhookEventType, WebhookFacts};
use crate::wire::feasibility::{self, Asked};
use crate::wire::read::{read_amounts, read_words, reads};
use crate::wire::target_groups::Names;
use crate::wire::{download, timestamp};

/// What a draft calls its parts.
pub(super) const DRAFT_NAMES: Names = Names {
    goal: "completes_goal",
    money: ("value", "currency_code"),
    profiles: "profiling",
    supply: ("allocations", true),
};
/// The feasibility of a target group to be is computed within the account.
pub(super) const FEASIBILITY_NEEDS_PROJECT: bool = false;
/// A target group can be paced like another.
pub(super) const HAS_GEMINI_PACING: bool = true;
/// A draft may get the address for respondents later.
pub(super) const WANTS_LIVE_URL: bool = false;
/// Target groups have a number of the buyer's own.
pub(super) const HAS_GROUP_REFERENCE: bool = true;
/// The most entries that one page of the changelog has.
pub(super) const MAX_CHANGELOG_PAGE: u16 = 50;
/// The events of webhooks that the document lists.
pub(super) const WEBHOOK_EVENTS: &[&str] = types::WebhookEventType::KNOWN;

read_words! {
    WebhookEventType = WebhookEventType;
    ReconciliationStatus = ReconciliationRequestsStatus;
    ReconciliationKind = ReconciliationRequestsSubmissionType;
}
read_amounts! {
    ReconciliationsEligibleTargetGroupsMonetaryAmount { value, currency_code }
    ReconciliationsEligibleTargetGroupsResponseSummaryMonetaryAmount { value, currency_code }
}
reads! {
    ProjectSummary = ProjectListItem {
        id;
        human_readable_id, name, highlighted_name, reference = project_customer_reference_number, status,
        last_activity_at,
        target_group_count, target_group_human_readable_ids, statistics,
        target_group_references = target_group_customer_reference_numbers
    }
    ProjectOverview = ProjectOverview {
        id;
        human_readable_id, name, manager = project_manager_id, reference = project_customer_reference_number, status,
        created_at,
        statistics
    }
    ProjectSettings = ProjectDetails {
        name, manager = project_manager_id; reference = project_customer_reference_number
    }
    DraftSettings = GetTargetGroupResponse {
        name, business_unit = business_unit_id, manager = project_manager_id, locale,
        length_of_interview = expected_length_of_interview_minutes, incidence_rate = expected_incidence_rate,
        fielding_period = fielding_specification, completes_goal;
        collects_pii, assistant = fielding_assistant_assignment, client = client_id, industry = industry_code,
        lockout = industry_lockout_code, study_type = study_type_code, live_url, test_url, cost_per_interview,
        cost_note = client_cost_per_interview_note, supply = allocations,
        reference = target_group_customer_reference_number
    }
    TargetGroupSummary = TargetGroupsListItem {
        id;
        statistics, human_readable_id, name, highlighted_name, status, locale, manager = project_manager_id,
        created_at, updated_at, excluding = exclusion_enabled, reference = target_group_customer_reference_number
    }
    LaunchedSettings = GetTargetGroupDetailsResponse {
        name, manager = project_manager_id, length_of_interview = expected_length_of_interview_minutes,
        incidence_rate = expected_incidence_rate, live_url;
        test_url, lockout = industry_lockout_code, cost_note = client_cost_per_interview_note,
        reference = target_group_customer_reference_number;
        has_unread_note
    }
    TargetGroupOverview = TargetGroupOverview {
        ;
        name = target_group_name, human_readable_id, project_name, status, progress, average_cost_per_interview,
        current_cost_per_interview, current_cost, pricing_model, is_pricing_restricted, conversion_rate, drop_off_rate,
        incidence_rate, median_length_of_interview_seconds, country_code, language_code, study_type_code,
        created_at, manager = project_manager_id, reference = target_group_customer_reference_number
    }
    ReconciliationSummary = ReconciliationRequests {
        id;
        name, status, submitted_at, submitted_by = submitted_by_user_id, counts = result_counts,
        kind = submission_type
    }
    ReasonCode = ReconciliationReasonCodes { code; name, description, allowed }
    ReportRequestor = ReportRequestListItemRequestor { ; id, name, email }
    ReportRequest = ReportRequestListItem {
        id = report_id;
        kind = report_type, status, created_at = create_date, account_name, parameters = create_params,
        url = report_url, level, requested_by = requestor
    }
}

/// A project to create; its reference is the `project_customer_reference_number`.
pub(super) fn new_project(settings: &ProjectSettings) -> types::ProjectInfo {
    types::ProjectInfo {
        name: settings.name.clone(),
        project_manager_id: settings.manager.to_string(),
        project_customer_reference_number: settings.reference.clone(),
    }
}

/// The short id of a project, for people.
pub(super) fn short_id(project: &types::ProjectDetails) -> Option<&cintx_raw::Id> {
    project.human_readable_id.as_ref()
}

/// A project's new settings. An omitted reference is a deleted one, so it is always sent.
pub(super) fn changed_project(settings: &ProjectSettings) -> types::ProjectInfoUpdate {
    types::ProjectInfoUpdate {
        name: settings.name.clone(),
        project_manager_id: settings.manager.to_string(),
        project_customer_reference_number: settings.reference.clone(),
    }
}

/// How many completes a launched target group wants: `completes_goal`.
pub(super) fn launched_goal(details: &types::GetTargetGroupDetailsResponse) -> Option<i64> {
    details.completes_goal
}

/// Whether a launched target group has a note of what the buyer's client pays: `client_cost_per_interview_note`.
pub(super) fn has_cost_note(details: &types::GetTargetGroupDetailsResponse) -> bool {
    details.client_cost_per_interview_note.as_ref().is_some_and(|note| note.value.is_some())
}

/// The settings of a launched target group, as they are sent.
pub(super) fn changed_details(settings: &LaunchedSettings) -> types::TargetGroupDetailsUpdateRequest {
    types::TargetGroupDetailsUpdateRequest {
        name: settings.name.clone(),
        project_manager_id: settings.manager.to_string(),
        expected_length_of_interview_minutes: i64::from(settings.length_of_interview.as_minutes()),
        expected_incidence_rate: settings.incidence_rate.fraction(),
        live_url: settings.live_url.to_string(),
        test_url: settings.test_url.as_ref().unwrap_or(&settings.live_url).to_string(),
        client_cost_per_interview_note: settings.cost_note.as_ref().map(Into::into),
        industry_lockout_code: settings.lockout.as_ref().map(ToString::to_string).unwrap_or_default(),
        target_group_customer_reference_number: Some(settings.reference.clone()),
    }
}

/// What the list of target groups can be narrowed down by, beside what every version has: manager and
/// reference.
pub(super) fn target_group_filter(filter: &TargetGroupFilter) -> GetListTargetGroupsParams {
    GetListTargetGroupsParams {
        project_manager_id: filter.manager.map(|manager| manager.to_string()),
        target_group_customer_reference_numbers: (!filter.references.is_empty()).then(|| filter.references.clone()),
        ..Default::default()
    }
}

/// The kinds of change that the changelog is narrowed down to.
pub(super) fn changelog_kinds(kinds: &[ChangeKind]) -> GetTargetGroupChangelogParams {
    GetTargetGroupChangelogParams {
        change_types: (!kinds.is_empty()).then(|| kinds.iter().map(|kind| kind.as_str().into()).collect()),
        ..Default::default()
    }
}

/// A question about feasibility, and the targets in it.
pub(super) fn group_feasibility(
    settings: &FeasibilitySettings,
) -> Result<(types::CalculateTargetGroupFeasibilityByIdRequest, Vec<Asked>), Error> {
    let (profiling, asked) = match &settings.audience {
        Some(audience) => feasibility::profiling(audience, feasibility::goal_of(settings)?)?,
        None => Default::default(),
    };
    let field = settings.fielding_period.as_ref();
    let allocations = settings.supply.as_ref().map(feasibility::allocation_specification).transpose()?;
    let parts = [
        ("completes_goal", json!(settings.completes_goal)),
        ("start_at", json!(field.map(|field| timestamp(field.start())))),
        ("end_at", json!(field.map(|field| timestamp(field.end())))),
        ("allocations", allocations.unwrap_or_default()),
        ("profiling", profiling),
        // It goes by this name or by that of the older versions.
        ("cost_per_interview", Value::Null),
    ];
    Ok((feasibility::request(settings, parts)?, asked))
}

/// The list of clients has numbered pages.
pub(super) async fn get_clients(
    raw: &Client,
    account: i64,
    ask: &PageRequest,
) -> Result<Response<types::GetClientsResponse>, Error> {
    let params = GetClientsParams {
        page_size: ask.page_size(),
        page_number: ask.start_after().and_then(|page| page.parse().ok()),
    };
    Ok(raw.get_clients_with(account, &params).await?)
}

/// A time in field is given by its ends.
pub(super) async fn suggest_time_range(
    raw: &Client,
    locale: &str,
    field: &TimeRange,
) -> Result<Response<types::SuggestedTimeRangeResponse>, Error> {
    let params =
        SuggestTimeRangeParams { days: None, start: Some(timestamp(field.start())), end: Some(timestamp(field.end())) };
    Ok(raw.suggest_time_range_with(Some(locale), &params).await?)
}

/// Starts a bulk job, under an idempotency key.
macro_rules! start_bulk_job {
    ($raw:ident.$call:ident($account:ident, $project:ident), $body:ident($ids:ident), $operation:ident) => {{
        let body = types::$body { target_group_ids: $ids };
        started_job(&operations::$operation, &$raw.$call($account, $project, None, &body).await?)
    }};
}
pub(super) use start_bulk_job;

/// What the file of a reconciliation says.
macro_rules! reconciliation_kind {
    ($answer:ident) => {
        $answer.submission_type.map(|kind| $crate::reconciliation::ReconciliationKind::parse(kind.as_str()))
    };
}
pub(super) use reconciliation_kind;

/// Who asked for a bulk job.
macro_rules! bulk_creator {
    ($answer:ident) => {
        $answer.created_by
    };
}
pub(super) use bulk_creator;

/// What a report is ordered with: its level, and who gets mail when it is ready.
pub(super) fn report_request(
    level: Option<types::ReportGenerationRequestFilter>,
    order: &ReportOrder,
) -> types::ReportGenerationRequest {
    types::ReportGenerationRequest {
        filter: level.map(Some),
        email_recipients: order.mail_to.as_ref().map(|users| users.iter().map(ToString::to_string).collect()),
        ..Default::default()
    }
}

/// What the list of reports can be narrowed down by, beside its kind: level and status.
pub(super) fn report_filter(filter: &ReportFilter) -> ReportRequestsParams {
    ReportRequestsParams {
        level: filter.level.as_ref().map(|level| level.as_str().into()),
        status: filter.status.as_ref().map(|status| status.as_str().into()),
        ..Default::default()
    }
}

/// What a report is about must be said.
pub(super) const SHARES_BY_KIND: bool = true;

/// A report is shared by its id and by what it is about.
pub(super) async fn share_report(
    raw: &Client,
    account: i64,
    id: &ReportId,
    kind: Option<&ReportKind>,
) -> Result<types::ReportShareResponse, Error> {
    let kind = kind.ok_or_else(|| Error::invalid(vec![FieldError::new("kind", "is missing")]))?;
    Ok(raw.share_report(account, id.as_str(), &kind.as_str().into()).await?.into_value())
}

/// A finished report is fetched by its id; its address is not needed.
pub(super) async fn download_report(
    raw: &Client,
    account: i64,
    id: &ReportId,
    _: Option<&str>,
) -> Result<ByteStream, Error> {
    let answer = raw.download_report_v2(account, id.as_str()).await?;
    Ok(download(&operations::DOWNLOAD_REPORT_V2, answer))
}

/// A draft is created without an idempotency key.
pub(super) async fn create_target_group(
    raw: &Client,
    account: i64,
    project: &str,
    body: &types::CreateDraftTargetGroupRequest,
) -> Result<Response<types::CreatedDraftTargetGroupResponse>, Error> {
    Ok(raw.create_target_group(account, project, body).await?)
}

/// The run that a launch made: `created_fielding_run_id`.
pub(super) fn launched_run(job: &mut types::GetLaunchFieldingRunFromDraftJobResponse) -> Option<cintx_raw::Id> {
    job.created_fielding_run_id.take()
}

/// The run that a schedule made: `created_fielding_run_id`.
pub(super) fn scheduled_run(job: &mut types::GetScheduleFieldingRunFromDraftJobResponse) -> Option<cintx_raw::Id> {
    job.created_fielding_run_id.take()
}

/// A subscription to create; it gets its id from the API.
pub(super) fn new_webhook(url: &str, events: &[WebhookEventType]) -> types::CreateWebhookRequest {
    types::CreateWebhookRequest {
        url: url.to_owned(),
        events: events.iter().map(|event| event.as_str().into()).collect(),
    }
}

/// Changes a subscription, under its entity tag.
pub(super) async fn update_webhook(
    raw: &Client,
    account: i64,
    id: &str,
    etag: Option<&str>,
    body: &types::UpdateWebhookRequest,
) -> Result<Response<types::Webhook>, Error> {
    Ok(raw.update_webhook(account, id, etag, body).await?)
}

/// Makes a new secret.
pub(super) async fn regenerate_webhook_secret(
    raw: &Client,
    account: i64,
    id: &str,
) -> Result<Response<types::WebhookSecretRegenerated>, Error> {
    Ok(raw.regenerate_webhook_secret(account, id).await?)
}

/// The list of subscriptions says whether more follow.
pub(super) fn continue_webhooks(page: RawPage<WebhookFacts>, list: types::WebhooksList) -> RawPage<WebhookFacts> {
    page.more(list.has_more)
}
