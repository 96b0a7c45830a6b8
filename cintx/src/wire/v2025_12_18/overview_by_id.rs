//! A target group found by its id alone.

use super::raw::*;

use crate::error::Error;
use crate::target_group::{FoundTargetGroup, TargetGroupOverview};
use crate::types::ids::{ProjectId, TargetGroupId};
use crate::wire::read::{read, reads};
use crate::wire::statistics::HasOverviewById;

reads! {
    TargetGroupOverview = TargetGroupOverviewByTargetGroupId {
        ;
        name = target_group_name, human_readable_id, project_name, status, progress,
        average_cost_per_interview, current_cost_per_interview, current_cost, pricing_model,
        is_pricing_restricted, conversion_rate, drop_off_rate, incidence_rate,
        median_length_of_interview_seconds, country_code, language_code, study_type_code,
        created_at, manager = project_manager_id, reference = target_group_customer_reference_number
    }
}

impl HasOverviewById for super::Marker {
    async fn overview_by_id(raw: &Client, group: &TargetGroupId) -> Result<FoundTargetGroup, Error> {
        let answer = raw.get_target_group_overview_by_target_group_id(group.as_str()).await?.into_value();
        let account = answer.account_id.as_ref().and_then(|id| id.as_str().parse().ok());
        let project = answer.project_id.as_ref().map(|id| ProjectId::new(id.as_str()));
        let overview = read(&operations::GET_TARGET_GROUP_OVERVIEW_BY_TARGET_GROUP_ID, answer)?;
        Ok(FoundTargetGroup { account, project, overview })
    }
}
