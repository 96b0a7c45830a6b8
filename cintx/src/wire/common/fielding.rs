//! Fielding: jobs that launch and schedule, runs and the actions upon them.

use std::time::Duration;

use super::raw::*;
use jiff::Timestamp;

use crate::error::{Error, JobFailure};
use crate::fielding::{FieldingPeriod, RunAction, RunState, RunStatus};
use crate::job::{JobOrigin, JobPoll, answered_at, job_status, poll_pause};
use crate::optimistic::WithEtag;
use crate::types::ids::{FieldingRunId, JobId, ProjectId, TargetGroupId};
use crate::wire::fielding::FieldingWire;
use crate::wire::read::{Field, Missing, Read, read, read_words, required};
use crate::wire::{job_origin, started_job, timestamp};

read_words! { RunStatus = FieldingRunStatus; }

impl Read<types::FieldingRunItem> for RunState {
    fn read(wire: types::FieldingRunItem) -> Result<Self, Missing> {
        Ok(Self {
            status: required("status", wire.status)?,
            dates: FieldingPeriod {
                start: required("start_fielding_at", wire.start_fielding_at)?,
                end: required("end_fielding_at", wire.end_fielding_at)?,
            },
            changed_by: wire.last_changed_by.and_then(|user| user.parse().ok()),
            changed_at: Field::field(wire.last_changed_at)?,
            version: wire.version,
        })
    }
}

impl Read<types::FieldingRunItem> for FieldingRunId {
    fn read(wire: types::FieldingRunItem) -> Result<Self, Missing> {
        required("id", wire.id)
    }
}

fn failure(reason: Option<types::FieldingRunJobFailureReason>) -> JobFailure {
    let reason = reason.unwrap_or_default();
    let reasons = reason.reasons.into_iter().flatten();
    JobFailure {
        code: reason.code,
        description: reason.description.unwrap_or_default(),
        reasons: reasons
            .map(|reason| {
                let is_said = |text: &String| !text.trim().is_empty();
                let said = [reason.name, reason.reason].into_iter().flatten().filter(is_said).collect::<Vec<_>>();
                match (said.join(": "), reason.detail.filter(is_said)) {
                    (said, None) => said,
                    (said, Some(detail)) if said.is_empty() => detail,
                    (said, Some(detail)) => format!("{said} ({detail})"),
                }
            })
            .filter(|reason| !reason.is_empty())
            .collect(),
    }
}

/// What a launch or schedule job says.
fn job(
    ask_again: Option<Duration>,
    status: Option<&str>,
    run: Option<cintx_raw::Id>,
    reason: Option<types::FieldingRunJobFailureReason>,
    origin: JobOrigin,
) -> JobPoll<FieldingRunId> {
    let run = run.map(|run| FieldingRunId::new(run.as_str()));
    JobPoll::new(job_status(status, || run, || failure(reason)).required(), ask_again).with_origin(origin)
}

impl FieldingWire for super::Marker {
    async fn start_field(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        start: Option<Timestamp>,
        end: Timestamp,
    ) -> Result<JobId, Error> {
        let (project, group) = (project.as_str(), group.as_str());
        let end_fielding_at = timestamp(end);
        match start {
            None => {
                let body = types::CreateLaunchFieldingRunFromDraftJobRequest { end_fielding_at };
                let answer =
                    raw.create_launch_fielding_run_from_draft_job(account, project, group, None, &body).await?;
                started_job(&operations::CREATE_LAUNCH_FIELDING_RUN_FROM_DRAFT_JOB, &answer)
            }
            Some(start) => {
                let start_fielding_at = timestamp(start);
                let body = types::CreateScheduleFieldingRunFromDraftJobRequest { start_fielding_at, end_fielding_at };
                let answer =
                    raw.create_schedule_fielding_run_from_draft_job(account, project, group, None, &body).await?;
                started_job(&operations::CREATE_SCHEDULE_FIELDING_RUN_FROM_DRAFT_JOB, &answer)
            }
        }
    }

    async fn start_field_job(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        scheduled: bool,
        id: &JobId,
    ) -> Result<JobPoll<FieldingRunId>, Error> {
        let (project, group, id) = (project.as_str(), group.as_str(), id.as_str());
        if scheduled {
            let answer = raw.get_schedule_fielding_run_from_draft_job(account, project, group, id).await?;
            let (ask_again, answered_at) = (poll_pause(answer.headers()), answered_at(answer.headers()));
            let mut said = answer.into_value();
            let run = super::scheduled_run(&mut said);
            let status = said.status.as_ref().map(|status| status.as_str());
            let origin = job_origin(said.created_at, said.created_by, said.job_trace_id);
            let origin = JobOrigin { answered_at, ..origin };
            Ok(job(ask_again, status, run, said.failure_reason, origin))
        } else {
            let answer = raw.get_launch_fielding_run_from_draft_job(account, project, group, id).await?;
            let (ask_again, answered_at) = (poll_pause(answer.headers()), answered_at(answer.headers()));
            let mut said = answer.into_value();
            let run = super::launched_run(&mut said);
            let status = said.status.as_ref().map(|status| status.as_str());
            let origin = job_origin(said.created_at, said.created_by, said.job_trace_id);
            let origin = JobOrigin { answered_at, ..origin };
            Ok(job(ask_again, status, run, said.failure_reason, origin))
        }
    }

    async fn fielding_runs(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> Result<Vec<FieldingRunId>, Error> {
        let answer = raw.get_fielding_runs_by_target_group_id(account, project.as_str(), group.as_str()).await?;
        crate::wire::read::list(&operations::GET_FIELDING_RUNS_BY_TARGET_GROUP_ID, answer.into_value().data)
    }

    async fn fielding_run(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        run: &FieldingRunId,
    ) -> Result<WithEtag<RunState>, Error> {
        let answer = raw.get_fielding_run(account, project.as_str(), group.as_str(), run.as_str()).await?;
        let etag = answer.etag().map(str::to_owned);
        Ok(WithEtag { value: read(&operations::GET_FIELDING_RUN, answer.into_value())?, etag })
    }

    async fn act(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        run: &FieldingRunId,
        action: RunAction,
        etag: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let (p, g, r) = (project.as_str(), group.as_str(), run.as_str());
        let answer = match action {
            RunAction::LaunchNow => raw.launch_now_fielding_run(account, p, g, r, etag).await?.map(drop),
            RunAction::Pause => raw.pause_fielding_run(account, p, g, r, etag).await?,
            RunAction::Resume => raw.resume_fielding_run(account, p, g, r, etag).await?,
            RunAction::Relaunch => raw.relaunch_fielding_run(account, p, g, r, etag).await?,
            RunAction::Complete => raw.complete_fielding_run(account, p, g, r, etag).await?,
        };
        Ok(answer.etag().map(str::to_owned))
    }

    async fn move_dates(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        run: &FieldingRunId,
        dates: FieldingPeriod,
        etag: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let (p, g, r) = (project.as_str(), group.as_str(), run.as_str());
        let body = types::UpdateFieldingRunRequest {
            start_fielding_at: timestamp(dates.start),
            end_fielding_at: timestamp(dates.end),
        };
        let answer = raw.update_fielding_run(account, p, g, r, etag, &body).await?;
        Ok(answer.etag().map(str::to_owned))
    }
}
