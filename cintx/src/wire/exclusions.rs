//! Exclusions on the wire: lists of respondents by job (2025-12-18) or at once (2025-02-17), exclusion groups and
//! activity (2025-12-18), policies of projects (from 2025-02-17 on).

use std::future::Future;

use cintx_raw::File;

use super::{Answer, Place};
use crate::exclusion::{
    ActivityExclusion, ExcludedBy, ExclusionGroup, ExclusionPolicy, ExclusionsOverview, GroupChange,
};
use crate::job::JobPoll;
use crate::paging::{PageRequest, RawPage};
use crate::respondent::list_job::{ListOutcome, ListWork};
use crate::types::ids::{ExclusionGroupId, JobId, ProjectId, TargetGroupId};
use crate::version::Version;

/// The versions that exclude respondents by files of ids.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not exclude respondents by files",
    note = "2025-02-17 has `TargetGroup::exclusion_lists`, 2024-12-02 has nothing of the kind; or use a client of \
            2025-12-18 or later"
)]
pub trait HasRespondentExclusions: Version {
    #[doc(hidden)]
    fn exclusions_overview(
        raw: &Self::Raw,
        place: Place<'_>,
    ) -> impl Future<Output = Answer<ExclusionsOverview>> + Send;

    #[doc(hidden)]
    fn excluded(
        raw: &Self::Raw,
        place: Place<'_>,
        by: ExcludedBy,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<String>>> + Send;

    #[doc(hidden)]
    fn upload_exclusions(
        raw: &Self::Raw,
        place: Place<'_>,
        by: ExcludedBy,
        file: &File,
    ) -> impl Future<Output = Answer<JobId>> + Send;

    #[doc(hidden)]
    fn remove_exclusions(
        raw: &Self::Raw,
        place: Place<'_>,
        by: ExcludedBy,
    ) -> impl Future<Output = Answer<JobId>> + Send;

    #[doc(hidden)]
    fn exclusion_job(
        raw: &Self::Raw,
        place: Place<'_>,
        work: ListWork,
        job: &JobId,
    ) -> impl Future<Output = Answer<JobPoll<ListOutcome>>> + Send;
}

/// The versions that have exclusion groups.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no exclusion groups",
    note = "from 2025-02-17 on the target groups of one project can exclude each other: \
            `ProjectScope::set_exclusion_policies`; or use a client of 2025-12-18 or later"
)]
pub trait HasExclusionGroups: Version {
    #[doc(hidden)]
    fn exclusion_groups(
        raw: &Self::Raw,
        account: i64,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<ExclusionGroup>>> + Send;

    #[doc(hidden)]
    fn exclusion_groups_of(
        raw: &Self::Raw,
        account: i64,
        group: &TargetGroupId,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<ExclusionGroup>>> + Send;

    #[doc(hidden)]
    fn create_exclusion_group(
        raw: &Self::Raw,
        account: i64,
        tag: &str,
        description: &str,
    ) -> impl Future<Output = Answer<ExclusionGroupId>> + Send;

    #[doc(hidden)]
    fn exclusion_group(
        raw: &Self::Raw,
        account: i64,
        id: &ExclusionGroupId,
    ) -> impl Future<Output = Answer<ExclusionGroup>> + Send;

    #[doc(hidden)]
    fn update_exclusion_group(
        raw: &Self::Raw,
        account: i64,
        id: &ExclusionGroupId,
        change: &GroupChange,
    ) -> impl Future<Output = Answer<()>> + Send;

    #[doc(hidden)]
    fn delete_exclusion_group(
        raw: &Self::Raw,
        account: i64,
        id: &ExclusionGroupId,
    ) -> impl Future<Output = Answer<()>> + Send;

    #[doc(hidden)]
    fn members(
        raw: &Self::Raw,
        account: i64,
        id: &ExclusionGroupId,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<TargetGroupId>>> + Send;

    /// Puts target groups in, or takes them out.
    #[doc(hidden)]
    fn change_members(
        raw: &Self::Raw,
        account: i64,
        id: &ExclusionGroupId,
        groups: &[TargetGroupId],
        join: bool,
    ) -> impl Future<Output = Answer<()>> + Send;
}

/// The versions that exclude respondents by what they did lately.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not exclude respondents by what they did lately",
    note = "from 2025-02-17 on the target groups of one project can exclude each other: \
            `ProjectScope::set_exclusion_policies`; or use a client of 2025-12-18 or later"
)]
pub trait HasActivityExclusions: Version {
    #[doc(hidden)]
    fn activity_exclusions(
        raw: &Self::Raw,
        place: Place<'_>,
    ) -> impl Future<Output = Answer<Vec<ActivityExclusion>>> + Send;

    #[doc(hidden)]
    fn set_activity_exclusions(
        raw: &Self::Raw,
        place: Place<'_>,
        exclusions: &[ActivityExclusion],
    ) -> impl Future<Output = Answer<()>> + Send;
}

/// The versions in which a target group can exclude the respondents of their project.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot make a target group exclude the respondents of its project",
    note = "its lists of target groups say whether they do (`TargetGroupSummary::excluding`); or use a client of \
            2025-02-17 or later"
)]
pub trait HasExclusionPolicies: Version {
    #[doc(hidden)]
    fn exclusion_policies(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
    ) -> impl Future<Output = Answer<Vec<(TargetGroupId, bool)>>> + Send;

    #[doc(hidden)]
    fn set_exclusion_policies(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        policies: &[(TargetGroupId, bool)],
    ) -> impl Future<Output = Answer<()>> + Send;

    #[doc(hidden)]
    fn exclusion_policy(raw: &Self::Raw, place: Place<'_>) -> impl Future<Output = Answer<ExclusionPolicy>> + Send;
}

/// The versions that exclude respondents by lists, without jobs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take lists of excluded respondents",
    note = "from 2025-12-18 on use `TargetGroup::exclusions`; 2024-12-02 has nothing of the kind"
)]
pub trait HasExclusionLists: Version {
    #[doc(hidden)]
    fn excluded_rids(raw: &Self::Raw, place: Place<'_>) -> impl Future<Output = Answer<Vec<String>>> + Send;

    #[doc(hidden)]
    fn excluded_cids(raw: &Self::Raw, place: Place<'_>) -> impl Future<Output = Answer<Vec<String>>> + Send;

    #[doc(hidden)]
    fn exclude_rids(raw: &Self::Raw, place: Place<'_>, ids: Vec<String>) -> impl Future<Output = Answer<()>> + Send;

    #[doc(hidden)]
    fn exclude_cids(raw: &Self::Raw, place: Place<'_>, ids: Vec<String>) -> impl Future<Output = Answer<()>> + Send;
}

/// Reads how a job upon a list of respondents is doing; uploads can be done in part.
macro_rules! list_job {
    ($answer:expr $(, $reason:ident)?) => {{
        let answer = $answer;
        let ask_again = $crate::job::poll_pause(answer.headers());
        let answer = answer.into_value();
        let done = $crate::respondent::list_job::ListOutcome {
            completed_at: answer.completed_at.and_then(|at| $crate::wire::moment::moment(&at)),
            partial_success: None$(.or(answer.$reason.map(|reason| reason.description.unwrap_or_default())))?,
        };
        let reason = answer.failure_reason.unwrap_or_default();
        let failure = $crate::error::JobFailure {
            code: reason.code,
            description: reason.description.unwrap_or_default(),
            reasons: Vec::new(),
        };
        let word = answer.status.as_ref().map(|status| status.as_str());
        let origin = $crate::wire::job_origin(answer.created_at, answer.created_by, answer.job_trace_id);
        let status = $crate::job::job_status(word, || done, || failure);
        Ok(JobPoll::new(status, ask_again).with_origin(origin))
    }};
}
pub(crate) use list_job;
