//! Nothing keeps respondents out that a study could say.

use crate::error::Error;
use crate::target_group::TargetGroup;
use crate::wire::study::{ExclusionSet, StudyWire};

impl StudyWire for super::Marker {
    const EXCLUDES_PROJECT: bool = false;
    const EXCLUDES_ACTIVITY: bool = false;
    const CONTROL_QUOTAS: bool = false;
    const REPORT_MAILS: bool = false;
    const RECONCILIATIONS_REPORT: bool = true;

    async fn exclusion_set(_: &TargetGroup<Self>, _: &ExclusionSet) -> Result<ExclusionSet, Error> {
        Ok(ExclusionSet::default())
    }

    async fn set_exclusions(_: &TargetGroup<Self>, _: &ExclusionSet, _: &ExclusionSet) -> Result<(), Error> {
        Ok(())
    }
}
