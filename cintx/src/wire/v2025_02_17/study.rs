//! A target group can keep out the respondents of its project.

use crate::error::Error;
use crate::target_group::TargetGroup;
use crate::wire::study::{ExclusionSet, StudyWire, set_project};

impl StudyWire for super::Marker {
    const EXCLUDES_PROJECT: bool = true;
    const EXCLUDES_ACTIVITY: bool = false;
    const CONTROL_QUOTAS: bool = false;
    const REPORT_MAILS: bool = false;
    const RECONCILIATIONS_REPORT: bool = true;

    async fn exclusion_set(group: &TargetGroup<Self>, asked: &ExclusionSet) -> Result<ExclusionSet, Error> {
        let mut set = ExclusionSet::default();
        if asked.project.is_some() {
            set.project = Some(group.exclusion_policy().await?.excludes_project);
        }
        Ok(set)
    }

    async fn set_exclusions(group: &TargetGroup<Self>, is: &ExclusionSet, desired: &ExclusionSet) -> Result<(), Error> {
        set_project(group, is, desired).await
    }
}
