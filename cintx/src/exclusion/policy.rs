//! Project exclusion: whether the target groups of a project keep out each other's respondents.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::group_problems;
use crate::error::Error;
use crate::project::ProjectScope;
use crate::target_group::TargetGroup;
use crate::types::ids::TargetGroupId;
use crate::version::Version;
pub use crate::wire::exclusions::HasExclusionPolicies;

/// Whether a target group keeps out the respondents of its project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ExclusionPolicy {
    /// Whether it does.
    pub excludes_project: bool,
    /// When that was first said.
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// Who changed it.
    pub updated_by: Option<String>,
}

impl<V: Version> ProjectScope<V> {
    /// Which target groups of the project keep out its respondents, and which do not.
    ///
    /// From 2025-02-17 on.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_exclusion_by_project_api")]
    pub async fn exclusion_policies(&self) -> Result<Vec<(TargetGroupId, bool)>, Error>
    where
        V: HasExclusionPolicies,
    {
        <V as HasExclusionPolicies>::exclusion_policies(self.client.raw(), self.client.account(), &self.project).await
    }

    /// Says of some target groups whether they keep out the respondents of the project.
    ///
    /// From 2025-02-17 on.
    ///
    /// ```no_run
    /// # async fn run(
    /// #     project: cintx::project::ProjectScope<cintx::V2025_12_18>,
    /// #     wave: cintx::TargetGroupId,
    /// # ) -> Result<(), cintx::Error> {
    /// project.set_exclusion_policies([(wave, true)]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If there are no target groups, before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "update_bulk_target_group_exclusions_api")]
    pub async fn set_exclusion_policies<G: Into<TargetGroupId>>(
        &self,
        policies: impl IntoIterator<Item = (G, bool)>,
    ) -> Result<(), Error>
    where
        V: HasExclusionPolicies,
    {
        let (groups, excluding): (Vec<TargetGroupId>, Vec<bool>) =
            policies.into_iter().map(|(group, excludes)| (group.into(), excludes)).unzip();
        Error::check(group_problems("policies", &groups))?;
        let policies: Vec<(TargetGroupId, bool)> = groups.into_iter().zip(excluding).collect();
        let (raw, account) = (self.client.raw(), self.client.account());
        <V as HasExclusionPolicies>::set_exclusion_policies(raw, account, &self.project, &policies).await
    }
}

impl<V: Version> TargetGroup<V> {
    /// Whether the target group keeps out the respondents of its project.
    ///
    /// From 2025-02-17 on.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_exclusion_policy_api")]
    pub async fn exclusion_policy(&self) -> Result<ExclusionPolicy, Error>
    where
        V: HasExclusionPolicies,
    {
        <V as HasExclusionPolicies>::exclusion_policy(self.client.raw(), self.place()).await
    }
}
