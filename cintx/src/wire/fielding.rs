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
