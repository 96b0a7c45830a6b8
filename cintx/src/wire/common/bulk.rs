//! Bulk jobs: what they start, how far they are, which actions a list of target groups allows.

use super::raw::*;
use super::{bulk_creator, start_bulk_job};

use crate::error::{Error, JobFailure};
use crate::fielding::RunAction;
use crate::job::{JobPoll, JobStatus, job_status, poll_pause};
use crate::target_group::transitions::{BulkAction, BulkOutcome, TransitionFilter, Transitions};
use crate::types::ids::{JobId, ProjectId, TargetGroupId};
use crate::wire::bulk::BulkWire;
use crate::wire::{job_origin, started_job};

fn outcome(
    updated: Option<types::BulkUpdatedTargetGroups>,
    failed: Option<types::BulkFailedTargetGroups>,
) -> BulkOutcome {
    let updated = updated.and_then(|groups| groups.data).unwrap_or_default();
    let failed = failed.and_then(|groups| groups.data).unwrap_or_default();
    let id = |id: cintx_raw::Id| TargetGroupId::new(id.as_str());
    BulkOutcome {
        updated: updated.into_iter().filter_map(|group| group.target_group_id.map(id)).collect(),
        failed: failed
            .into_iter()
            .filter_map(|group| Some((id(group.target_group_id?), failure(group.failure_reason))))
            .collect(),
        has_failed: false,
        manager: None,
    }
}

fn failure(reason: Option<types::BulkJobFailureReason>) -> JobFailure {
    let reason = reason.unwrap_or_default();
    let description = reason.description.unwrap_or_default();
    JobFailure { code: reason.code, description, reasons: Vec::new() }
}

/// Reads how a bulk job is doing, and, but of a change of managers, who asked for it.
macro_rules! asked {
    ($answer:expr $(, $creator:ident)?) => {{
        let answer = $answer;
        let ask_again = poll_pause(answer.headers());
        let answer = answer.into_value();
        let by = None$(.or($creator!(answer)))?;
        let origin = job_origin(answer.created_at, by, None);
        let word = answer.status.as_ref().map(|status| status.as_str());
        let done = outcome(answer.updated_target_groups, answer.failed_target_groups);
        let status = match job_status(word, || (), || failure(None)) {
            // A job that failed and says what became of each target group has come to that.
            JobStatus::Failed(_) if !done.updated.is_empty() || !done.failed.is_empty() => {
                JobStatus::Done(BulkOutcome { has_failed: true, ..done })
            }
            JobStatus::Done(()) => JobStatus::Done(done),
            JobStatus::Failed(failure) => JobStatus::Failed(failure),
            JobStatus::Running => JobStatus::Running,
        };
        Ok(JobPoll::new(status, ask_again).with_origin(origin))
    }};
}

/// Starts the job of an action on fielding runs.
async fn start_run(
    raw: &Client,
    account: i64,
    project: &str,
    action: RunAction,
    ids: Vec<String>,
) -> Result<JobId, Error> {
    match action {
        RunAction::LaunchNow => start_bulk_job!(
            raw.create_bulk_launch_target_groups_job(account, project),
            CreateBulkLaunchTargetGroupJobRequest(ids),
            CREATE_BULK_LAUNCH_TARGET_GROUPS_JOB
        ),
        RunAction::Pause => start_bulk_job!(
            raw.create_bulk_pause_target_groups_job(account, project),
            CreateBulkPauseTargetGroupJobRequest(ids),
            CREATE_BULK_PAUSE_TARGET_GROUPS_JOB
        ),
        RunAction::Resume => start_bulk_job!(
            raw.create_bulk_resume_target_groups_job(account, project),
            CreateBulkResumeTargetGroupJobRequest(ids),
            CREATE_BULK_RESUME_TARGET_GROUPS_JOB
        ),
        RunAction::Relaunch => start_bulk_job!(
            raw.create_bulk_relaunch_target_groups_job(account, project),
            CreateBulkRelaunchTargetGroupJobRequest(ids),
            CREATE_BULK_RELAUNCH_TARGET_GROUPS_JOB
        ),
        RunAction::Complete => start_bulk_job!(
            raw.create_bulk_complete_target_groups_job(account, project),
            CreateBulkCompleteTargetGroupJobRequest(ids),
            CREATE_BULK_COMPLETE_TARGET_GROUPS_JOB
        ),
    }
}

impl BulkWire for super::Marker {
    async fn start_bulk(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        action: BulkAction,
        groups: &[TargetGroupId],
    ) -> Result<JobId, Error> {
        let ids: Vec<String> = groups.iter().map(ToString::to_string).collect();
        let project = project.as_str();
        match action {
            BulkAction::Run(action) => start_run(raw, account, project, action, ids).await,
            BulkAction::Manager(manager) => {
                let body = types::CreateBulkUpdateTargetGroupProjectManagerJobRequest {
                    project_manager_id: Some(manager.to_string()),
                    target_group_ids: Some(ids),
                };
                let answer = raw.create_bulk_update_target_group_project_manager_job(account, project, &body).await?;
                started_job(&operations::CREATE_BULK_UPDATE_TARGET_GROUP_PROJECT_MANAGER_JOB, &answer)
            }
        }
    }

    async fn bulk_job(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        action: Option<RunAction>,
        job: &JobId,
    ) -> Result<JobPoll<BulkOutcome>, Error> {
        let (p, j) = (project.as_str(), job.as_str());
        match action {
            Some(RunAction::LaunchNow) => {
                asked!(raw.get_bulk_launch_target_groups_job(account, p, j).await?, bulk_creator)
            }
            Some(RunAction::Pause) => asked!(raw.get_bulk_pause_target_groups_job(account, p, j).await?, bulk_creator),
            Some(RunAction::Resume) => {
                asked!(raw.get_bulk_resume_target_groups_job(account, p, j).await?, bulk_creator)
            }
            Some(RunAction::Relaunch) => {
                asked!(raw.get_bulk_relaunch_target_groups_job(account, p, j).await?, bulk_creator)
            }
            Some(RunAction::Complete) => {
                asked!(raw.get_bulk_complete_target_groups_job(account, p, j).await?, bulk_creator)
            }
            None => {
                let answer = raw.get_bulk_update_target_group_project_manager_job(account, p, j).await?;
                let manager = answer.value().project_manager_id.as_ref().and_then(|id| id.as_str().parse().ok());
                let asked: Result<JobPoll<BulkOutcome>, Error> = asked!(answer);
                let mut asked = asked?;
                if let JobStatus::Done(outcome) = &mut asked.status {
                    outcome.manager = manager;
                }
                Ok(asked)
            }
        }
    }

    async fn transitions(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        wanted: &TransitionFilter,
    ) -> Result<Transitions, Error> {
        fn some<T: ToString>(values: &[T]) -> Option<Vec<String>> {
            (!values.is_empty()).then(|| values.iter().map(ToString::to_string).collect())
        }
        let status: Vec<_> = wanted.status.iter().map(|status| status.as_str().into()).collect();
        let filters = types::ComputeTargetGroupTransitionsFilters {
            country: some(&wanted.countries),
            language: some(&wanted.languages),
            status: (!status.is_empty()).then_some(status),
        };
        let body = types::ComputeTargetGroupTransitionsRequest {
            included_target_group_ids: some(&wanted.groups),
            excluded_target_group_ids: some(&wanted.except),
            filters: (filters != Default::default()).then_some(filters),
            search_string: wanted.search.clone(),
        };
        let answer = raw.compute_target_group_transitions(account, project.as_str(), &body).await?.into_value();
        let ids = answer.target_groups.unwrap_or_default();
        Ok(Transitions {
            target_groups: ids.into_iter().map(TargetGroupId::new).collect(),
            can_launch: answer.is_launch_allowed.unwrap_or_default(),
            can_pause: answer.is_pause_allowed.unwrap_or_default(),
            can_resume: answer.is_resume_allowed.unwrap_or_default(),
            can_relaunch: answer.is_relaunch_allowed.unwrap_or_default(),
            can_complete: answer.is_finish_allowed.unwrap_or_default(),
        })
    }
}
