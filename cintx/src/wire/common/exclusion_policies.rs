//! Which target groups exclude the respondents of their project.

use super::raw::*;

use crate::error::Error;
use crate::exclusion::ExclusionPolicy;
use crate::types::ids::{ProjectId, TargetGroupId};
use crate::wire::Place;
use crate::wire::exclusions::HasExclusionPolicies;
use crate::wire::read::{read, reads};

reads! {
    ExclusionPolicy = ProjectExclusionStatusResponse {
        excludes_project = project_exclusion_enabled;
        created_at = create_date, updated_at = update_date, updated_by
    }
}

impl HasExclusionPolicies for super::Marker {
    async fn exclusion_policies(
        raw: &Client,
        account: i64,
        project: &ProjectId,
    ) -> Result<Vec<(TargetGroupId, bool)>, Error> {
        let operation = &operations::GET_EXCLUSION_BY_PROJECT_API;
        let answer = raw.get_exclusion_by_project_api(account, project.as_str()).await?.into_value();
        let policies = answer.into_iter().map(|policy| {
            let id = policy.target_group_id.ok_or_else(|| Error::incomplete(operation, "target_group_id"))?;
            Ok((TargetGroupId::new(id.as_str()), policy.project_exclusion_enabled.unwrap_or_default()))
        });
        policies.collect()
    }

    async fn set_exclusion_policies(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        policies: &[(TargetGroupId, bool)],
    ) -> Result<(), Error> {
        let policies = policies.iter().map(|(group, excludes)| types::TargetGroupExclusionApiStatusPairInput {
            target_group_id: Some(group.to_string()),
            project_exclusion_enabled: Some(*excludes),
        });
        let body: Vec<_> = policies.collect();
        raw.update_bulk_target_group_exclusions_api(account, project.as_str(), &body).await?;
        Ok(())
    }

    async fn exclusion_policy(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
    ) -> Result<ExclusionPolicy, Error> {
        let answer = raw.get_target_group_exclusion_policy_api(account, project, group).await?;
        read(&operations::GET_TARGET_GROUP_EXCLUSION_POLICY_API, answer.into_value())
    }
}
