//! A target group can keep out the respondents of its project, of others, and of its exclusion groups.

use crate::error::{Error, Wrote};
use crate::target_group::TargetGroup;
use crate::types::ids::ExclusionGroupId;
use crate::wire::study::{ExclusionSet, StudyWire, set_project};

impl StudyWire for super::Marker {
    const EXCLUDES_PROJECT: bool = true;
    const EXCLUDES_ACTIVITY: bool = true;
    const CONTROL_QUOTAS: bool = true;
    const REPORT_MAILS: bool = true;
    const RECONCILIATIONS_REPORT: bool = false;

    async fn exclusion_set(group: &TargetGroup<Self>, asked: &ExclusionSet) -> Result<ExclusionSet, Error> {
        let mut set = ExclusionSet::default();
        if asked.project.is_some() {
            set.project = Some(group.exclusion_policy().await?.excludes_project);
        }
        if asked.activity.is_some() {
            set.activity = Some(group.activity_exclusions().await?);
        }
        if asked.groups.is_some() {
            let groups = group.exclusion_groups().stream().collect().await?;
            set.groups = Some(groups.into_iter().map(|group| group.id).collect());
        }
        Ok(set)
    }

    async fn set_exclusions(group: &TargetGroup<Self>, is: &ExclusionSet, desired: &ExclusionSet) -> Result<(), Error> {
        let mut wrote = Wrote::default();
        if is.project != desired.project {
            wrote.of(set_project(group, is, desired).await)?;
        }
        if let Some(activity) = desired.activity.as_ref().filter(|_| is.activity != desired.activity) {
            wrote.of(group.set_activity_exclusions(activity.iter().cloned()).await)?;
        }
        let Some(wanted) = &desired.groups else { return Ok(()) };
        let present = is.groups.as_deref().unwrap_or_default();
        let missing_in = |list: &[ExclusionGroupId], of: &[ExclusionGroupId]| -> Vec<ExclusionGroupId> {
            of.iter().filter(|id| !list.contains(id)).cloned().collect()
        };
        let groups = group.client.exclusion_groups();
        for id in missing_in(present, wanted) {
            wrote.of(groups.add(id, [group.id.clone()]).await)?;
        }
        for id in missing_in(wanted, present) {
            wrote.of(groups.remove(id, [group.id.clone()]).await)?;
        }
        Ok(())
    }
}
