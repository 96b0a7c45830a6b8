//! What a study's file can say that not every version has: told as constants, so that a plan refuses it by name, and
//! read and written as one.

use std::future::Future;

use super::{Answer, Wire};
use crate::exclusion::ActivityExclusion;
use crate::target_group::TargetGroup;
use crate::types::ids::ExclusionGroupId;
use crate::version::Version;

/// What keeps respondents out of a target group. `None` where it is not asked for, or a version does not have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(hidden)]
pub struct ExclusionSet {
    pub(crate) project: Option<bool>,
    pub(crate) activity: Option<Vec<ActivityExclusion>>,
    pub(crate) groups: Option<Vec<ExclusionGroupId>>,
}

impl ExclusionSet {
    /// Asks for everything.
    pub(crate) fn all() -> Self {
        Self { project: Some(false), activity: Some(Vec::new()), groups: Some(Vec::new()) }
    }
}

#[doc(hidden)]
pub trait StudyWire: Wire {
    /// Whether a target group can keep out the respondents of its project.
    const EXCLUDES_PROJECT: bool;
    /// Whether there are exclusions by recent activity, and exclusion groups.
    const EXCLUDES_ACTIVITY: bool;
    /// Whether there are control quotas, of which the API shows none in field.
    const CONTROL_QUOTAS: bool;
    /// Whether mails are sent when a report is ready.
    const REPORT_MAILS: bool;
    /// Whether there is the report `reconciliations`.
    const RECONCILIATIONS_REPORT: bool;

    /// Reads the parts that are asked for, as far as the version has them.
    fn exclusion_set(
        group: &TargetGroup<Self>,
        asked: &ExclusionSet,
    ) -> impl Future<Output = Answer<ExclusionSet>> + Send
    where
        Self: Version;

    /// Makes what there is what is wanted.
    fn set_exclusions(
        group: &TargetGroup<Self>,
        is: &ExclusionSet,
        desired: &ExclusionSet,
    ) -> impl Future<Output = Answer<()>> + Send
    where
        Self: Version;
}

/// Sets whether the respondents of its project are kept out, if that is another than it was.
pub(crate) async fn set_project<V: crate::exclusion::HasExclusionPolicies>(
    group: &TargetGroup<V>,
    is: &ExclusionSet,
    desired: &ExclusionSet,
) -> Answer<()> {
    match desired.project {
        Some(excludes) if is.project != desired.project => {
            group.client.project(&group.project).set_exclusion_policies([(group.id.clone(), excludes)]).await
        }
        _ => Ok(()),
    }
}
