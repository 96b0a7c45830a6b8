//! Fielding on the wire: the jobs that launch, the run that they make, the actions upon it. The versions differ in
//! what a job calls its run, and in whether `If-Match` must be sent.

use std::future::Future;

use jiff::Timestamp;

use super::{Answer, Wire};
use crate::fielding::{FieldingPeriod, RunAction, RunState};
use crate::job::JobPoll;
use crate::optimistic::WithEtag;
use crate::types::ids::{FieldingRunId, JobId, ProjectId, TargetGroupId};

#[doc(hidden)]
pub trait FieldingWire: Wire {
    /// Launches at once, or at `start`.
    fn start_field(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        start: Option<Timestamp>,
        end: Timestamp,
    ) -> impl Future<Output = Answer<JobId>> + Send;

    fn start_field_job(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        scheduled: bool,
        job: &JobId,
    ) -> impl Future<Output = Answer<JobPoll<FieldingRunId>>> + Send;

    fn fielding_runs(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<Vec<FieldingRunId>>> + Send;

    fn fielding_run(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        run: &FieldingRunId,
    ) -> impl Future<Output = Answer<WithEtag<RunState>>> + Send;

    fn act(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        run: &FieldingRunId,
        action: RunAction,
        etag: Option<&str>,
    ) -> impl Future<Output = Answer<Option<String>>> + Send;

    fn move_dates(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        run: &FieldingRunId,
        dates: FieldingPeriod,
        etag: Option<&str>,
    ) -> impl Future<Output = Answer<Option<String>>> + Send;
}

/// One version's field: whether `If-Match` must be sent, and what a job calls its run.
macro_rules! fielding {
    ($marker:ident, $version:ident, if_match: $if_match:ident, run: $run:ident) => {
        mod fielding {
            use cintx_raw::NEW_KEY;
            use cintx_raw::$version::*;
            use jiff::Timestamp;

            use crate::optimistic::WithEtag;
            use crate::error::{Error, JobFailure};
            use crate::fielding::{FieldingPeriod, RunAction, RunState, RunStatus};
            use crate::types::ids::{FieldingRunId, JobId, ProjectId, TargetGroupId};
            use crate::job::{JobPoll, job_status, retry_after};
            use crate::wire::fielding::FieldingWire;
            use crate::wire::read::{Missing, Read, read, read_words, required};
            use crate::wire::{if_match, started, timestamp};

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
                            let part = |text: Option<String>| text.unwrap_or_default();
                            format!("{}: {}", part(reason.name), part(reason.reason))
                        })
                        .collect(),
                }
            }

            /// Reads what a launch or schedule job says.
            macro_rules! asked {
                ($answer:expr) => {{
                    let answer = $answer;
                    let ask_again = retry_after(answer.headers());
                    let answer = answer.into_value();
                    let run = answer.$run.map(|run| FieldingRunId::new(run.as_str()));
                    let word = answer.status.as_ref().map(|status| status.as_str());
                    let status = job_status(word, || run, || failure(answer.failure_reason)).required();
                    Ok(JobPoll { status, ask_again })
                }};
            }

            impl FieldingWire for crate::$marker {
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
                    let answer = match start {
                        None => {
                            let body = types::CreateLaunchFieldingRunFromDraftJobRequest { end_fielding_at };
                            raw.create_launch_fielding_run_from_draft_job(account, project, group, NEW_KEY, &body)
                                .await?
                        }
                        Some(start) => {
                            let start_fielding_at = timestamp(start);
                            let body = types::CreateScheduleFieldingRunFromDraftJobRequest {
                                start_fielding_at,
                                end_fielding_at,
                            };
                            raw.create_schedule_fielding_run_from_draft_job(account, project, group, NEW_KEY, &body)
                                .await?
                        }
                    };
                    started("create_launch_fielding_run_from_draft_job", &answer)
                }

                async fn start_field_job(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                    scheduled: bool,
                    job: &JobId,
                ) -> Result<JobPoll<FieldingRunId>, Error> {
                    let (project, group, job) = (project.as_str(), group.as_str(), job.as_str());
                    if scheduled {
                        asked!(raw.get_schedule_fielding_run_from_draft_job(account, project, group, job).await?)
                    } else {
                        asked!(raw.get_launch_fielding_run_from_draft_job(account, project, group, job).await?)
                    }
                }

                async fn fielding_runs(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                ) -> Result<Vec<FieldingRunId>, Error> {
                    let answer =
                        raw.get_fielding_runs_by_target_group_id(account, project.as_str(), group.as_str()).await?;
                    crate::wire::read::list(
                        &operations::GET_FIELDING_RUNS_BY_TARGET_GROUP_ID,
                        answer.into_value().data,
                    )
                }

                async fn fielding_run(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                    run: &FieldingRunId,
                ) -> Result<WithEtag<RunState>, Error> {
                    let answer =
                        raw.get_fielding_run(account, project.as_str(), group.as_str(), run.as_str()).await?;
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
                        RunAction::LaunchNow => {
                            if_match!($if_match, raw.launch_now_fielding_run(account, p, g, r;), LaunchNowFieldingRunParams, etag)
                                .map(drop)
                        }
                        RunAction::Pause => {
                            if_match!($if_match, raw.pause_fielding_run(account, p, g, r;), PauseFieldingRunParams, etag)
                        }
                        RunAction::Resume => {
                            if_match!($if_match, raw.resume_fielding_run(account, p, g, r;), ResumeFieldingRunParams, etag)
                        }
                        RunAction::Relaunch => {
                            if_match!($if_match, raw.relaunch_fielding_run(account, p, g, r;), RelaunchFieldingRunParams, etag)
                        }
                        RunAction::Complete => {
                            if_match!($if_match, raw.complete_fielding_run(account, p, g, r;), CompleteFieldingRunParams, etag)
                        }
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
                    let answer =
                        if_match!($if_match, raw.update_fielding_run(account, p, g, r; &body), UpdateFieldingRunParams, etag);
                    Ok(answer.etag().map(str::to_owned))
                }
            }
        }
    };
}
pub(super) use fielding;
