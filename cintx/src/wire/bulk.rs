//! Bulk jobs on the wire. They differ by version only in their idempotency key, which came with 2025-12-18,
//! and in whether the list of target groups may be left out.

use std::future::Future;

use super::{Answer, Wire};
use crate::fielding::RunAction;
use crate::job::JobPoll;
use crate::target_group::transitions::{BulkAction, BulkOutcome, TransitionFilter, Transitions};
use crate::types::ids::{JobId, ProjectId, TargetGroupId};

#[doc(hidden)]
pub trait BulkWire: Wire {
    fn start_bulk(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        action: BulkAction,
        groups: &[TargetGroupId],
    ) -> impl Future<Output = Answer<JobId>> + Send;

    /// Asks about a job that does this, or that gives another manager.
    fn bulk_job(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        action: Option<RunAction>,
        job: &JobId,
    ) -> impl Future<Output = Answer<JobPoll<BulkOutcome>>> + Send;

    fn transitions(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        wanted: &TransitionFilter,
    ) -> impl Future<Output = Answer<Transitions>> + Send;
}
