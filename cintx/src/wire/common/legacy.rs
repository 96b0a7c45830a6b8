//! What 2024-12-02 and 2025-02-17 have in common and later versions name or place differently: a small function
//! or a list of fields for each difference.

use cintx_raw::{ByteStream, Response};
use serde_json::json;

use super::raw::*;
use crate::error::Error;
use crate::paging::PageRequest;
use crate::project::{ProjectOverview, ProjectSettings, ProjectSummary};
use crate::reconciliation::{ReasonCode, ReconciliationSummary};
use crate::report::{ReportFilter, ReportKind, ReportOrder, ReportRequest};
use crate::target_group::feasibility::FeasibilitySettings;
use crate::target_group::{ChangeKind, TargetGroupOverview};
use crate::target_group::{DraftSettings, LaunchedSettings, TargetGroupFilter, TargetGroupSummary};
use crate::types::TimeRange;
use crate::types::ids::ReportId;
use crate::wire::audience::legacy::GOAL;
use crate::wire::feasibility::{self, Asked, Profiles};
use crate::wire::read::{Missing, Read, reads};
use crate::wire::{download, timestamp};

/// The feasibility of a target group to be is computed within a project.
pub(super) const FEASIBILITY_NEEDS_PROJECT: bool = true;
/// Target groups have no number of the buyer's own.
pub(super) const HAS_GROUP_REFERENCE: bool = false;
/// The most entries that one page of the changelog has.
pub(super) const MAX_CHANGELOG_PAGE: u16 = 100;
/// The events of webhooks that the document lists.
pub(super) const WEBHOOK_EVENTS: &[&str] = types::CreateWebhookRequestEvents::KNOWN;

reads! {
    ProjectSummary = ProjectListItem {
        id;
        human_readable_id, name, highlighted_name, reference = purchase_order_number, status, last_activity_at,
        target_group_count, target_group_human_readable_ids, statistics;
        target_group_references
    }
    ProjectOverview = ProjectOverview {
        id;
        human_readable_id, name, manager = project_manager_id, reference = purchase_order_number, status, created_at,
        statistics
    }
    ProjectSettings = ProjectDetails { name, manager = project_manager_id; reference = purchase_order_number }
    DraftSettings = GetTargetGroupResponse {
        name, business_unit = business_unit_id, manager = project_manager_id, locale,
        length_of_interview = expected_length_of_interview_minutes, incidence_rate = expected_incidence_rate,
        fielding_period = fielding_specification, completes_goal = filling_goal;
        collects_pii, assistant = fielding_assistant_assignment, client = client_id, industry = industry_code,
        lockout = industry_lockout_code, study_type = study_type_code, live_url, test_url, cost_per_interview,
        cost_note = client_cost_per_interview_note, supply = supply_allocations;
        reference
    }
    TargetGroupSummary = TargetGroupsListItem {
        id;
        statistics, human_readable_id, name, highlighted_name, status, locale, manager = project_manager_id,
        created_at, updated_at, excluding = exclusion;
        reference
    }
    LaunchedSettings = GetTargetGroupDetailsResponse {
        name, manager = project_manager_id, length_of_interview = expected_length_of_interview_minutes,
        incidence_rate = expected_incidence_rate, live_url;
        test_url, lockout = industry_lockout_code, cost_note = client_cpi;
        reference, has_unread_note
    }
    TargetGroupOverview = TargetGroupOverview {
        ;
        name = target_group_name, human_readable_id, project_name, status, progress, average_cost_per_interview,
        current_cost_per_interview, current_cost, pricing_model, is_pricing_restricted, conversion_rate, drop_off_rate,
        incidence_rate, median_length_of_interview_seconds, country_code, language_code, study_type_code;
        created_at, manager, reference
    }
    ReconciliationSummary = ReconciliationRequests {
        id;
        name, status, submitted_at, submitted_by = submitted_by_user_id, counts = result_counts;
        kind
    }
    ReasonCode = ReconciliationReasonCodes { code; name, description; allowed }
    ReportRequest = ReportRequestListItem {
        id = report_id;
        kind = report_type, status, created_at = create_date, account_name, parameters = create_params,
        url = report_url, requested_by = requestor_name;
        level
    }
}

/// A target group of the list says whether it excludes others as an object with a switch.
impl Read<types::TargetGroupExclusionObject> for bool {
    fn read(wire: types::TargetGroupExclusionObject) -> Result<Self, Missing> {
        wire.enabled.ok_or(Missing("enabled"))
    }
}

/// A project to create; its reference is the `purchase_order_number`.
pub(super) fn new_project(settings: &ProjectSettings) -> types::ProjectInfo {
    types::ProjectInfo {
        name: settings.name.clone(),
        project_manager_id: settings.manager.to_string(),
        purchase_order_number: settings.reference.clone(),
    }
}

/// A project's new settings. An omitted reference is a deleted one, so it is always sent.
pub(super) fn changed_project(settings: &ProjectSettings) -> types::ProjectInfoUpdate {
    types::ProjectInfoUpdate {
        name: settings.name.clone(),
        project_manager_id: settings.manager.to_string(),
        purchase_order_number: settings.reference.clone(),
    }
}

/// How many completes a launched target group wants: `filling_goal`.
pub(super) fn launched_goal(details: &types::GetTargetGroupDetailsResponse) -> Option<i64> {
    details.filling_goal
}

/// Whether a launched target group has a note of what the buyer's client pays: `client_cpi`.
pub(super) fn has_cost_note(details: &types::GetTargetGroupDetailsResponse) -> bool {
    details.client_cpi.as_ref().is_some_and(|note| note.value.is_some())
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
        client_cpi: settings.cost_note.as_ref().map(Into::into),
        industry_lockout_code: settings.lockout.as_ref().map(ToString::to_string),
    }
}

/// What the list of target groups can be narrowed down by, beside what every version has: nothing.
pub(super) fn target_group_filter(_: &TargetGroupFilter) -> GetListTargetGroupsParams {
    GetListTargetGroupsParams::default()
}

/// The kinds of change that the changelog is narrowed down to: none can be named.
pub(super) fn changelog_kinds(_: &[ChangeKind]) -> GetTargetGroupChangelogParams {
    GetTargetGroupChangelogParams::default()
}

/// A question about feasibility, and the targets in it.
pub(super) fn group_feasibility(
    settings: &FeasibilitySettings,
) -> Result<(types::CalculateTargetGroupFeasibilityByIdRequest, Vec<Asked>), Error> {
    let (regular, interlocked, asked) = match &settings.audience {
        Some(audience) => {
            let Profiles { regular, interlocked, asked } =
                feasibility::profiles(audience, feasibility::goal_of(settings)?)?;
            (regular, interlocked, asked)
        }
        None => Default::default(),
    };
    let field = settings.fielding_period.as_ref();
    let allocations = settings.supply.as_ref().map(feasibility::allocation_list).transpose()?;
    let parts = [
        (GOAL, json!(settings.completes_goal)),
        ("start_date", json!(field.map(|field| timestamp(field.start())))),
        ("end_date", json!(field.map(|field| timestamp(field.end())))),
        ("allocations", allocations.unwrap_or_default()),
        ("profiles", regular),
        ("interlocked_profiles", interlocked),
    ];
    Ok((feasibility::request(settings, parts)?, asked))
}

/// The list of clients comes in one piece.
pub(super) async fn get_clients(
    raw: &Client,
    account: i64,
    _: &PageRequest,
) -> Result<Response<types::GetClientsResponse>, Error> {
    Ok(raw.get_clients(account).await?)
}

/// A time in field is given by its ends and by its days.
pub(super) async fn suggest_time_range(
    raw: &Client,
    locale: &str,
    field: &TimeRange,
) -> Result<Response<types::SuggestedTimeRangeResponse>, Error> {
    let (start, end) = (timestamp(field.start()), timestamp(field.end()));
    Ok(raw.suggest_time_range(crate::wire::calendar::days(field), &start, &end, Some(locale)).await?)
}

/// Starts a bulk job; no key keeps a second one from being started.
macro_rules! start_bulk_job {
    ($raw:ident.$call:ident($account:ident, $project:ident), $body:ident($ids:ident), $operation:ident) => {{
        let body = types::$body { target_group_ids: Some($ids) };
        started_job(&operations::$operation, &$raw.$call($account, $project, &body).await?)
    }};
}
pub(super) use start_bulk_job;

/// What the file of a reconciliation says: these versions do not tell.
macro_rules! reconciliation_kind {
    ($answer:ident) => {
        None
    };
}
pub(super) use reconciliation_kind;

/// Who asked for a bulk job: these versions do not tell.
macro_rules! bulk_creator {
    ($answer:ident) => {
        None
    };
}
pub(super) use bulk_creator;

/// What a report is ordered with: its level; nobody can be named to get mail.
pub(super) fn report_request(
    level: Option<types::ReportGenerationRequestFilter>,
    _: &ReportOrder,
) -> types::ReportGenerationRequest {
    types::ReportGenerationRequest { filter: level, ..Default::default() }
}

/// What the list of reports can be narrowed down by, beside its kind: nothing.
pub(super) fn report_filter(_: &ReportFilter) -> ReportRequestsParams {
    ReportRequestsParams::default()
}

/// The id alone is enough.
pub(super) const SHARES_BY_KIND: bool = false;

/// A report is shared by its id; what it is about is said where it is known.
pub(super) async fn share_report(
    raw: &Client,
    account: i64,
    id: &ReportId,
    kind: Option<&ReportKind>,
) -> Result<types::ReportShareResponse, Error> {
    let params = ShareReportParams { report_type: kind.map(|kind| kind.as_str().into()) };
    Ok(raw.share_report_with(account, id.as_str(), &params).await?.into_value())
}

/// A finished report is fetched by the name of its file, which its address holds.
pub(super) async fn download_report(
    raw: &Client,
    account: i64,
    id: &ReportId,
    url: Option<&str>,
) -> Result<ByteStream, Error> {
    let asked = match url {
        Some(_) => None,
        None => raw.report_status(account, id.as_str()).await?.into_value().report_url,
    };
    let file = url.or(asked.as_deref()).and_then(crate::wire::reports::file);
    let (file, kind) = file.ok_or_else(|| Error::incomplete(&operations::REPORT_STATUS, "report_url"))?;
    let params = DownloadReportParams { report_type: kind.map(|kind| kind.as_str().into()) };
    let answer = raw.download_report_with(account, &file, &params).await?;
    Ok(download(&operations::DOWNLOAD_REPORT, answer))
}
