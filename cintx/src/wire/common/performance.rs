//! How a target group performs.

use super::raw::*;

use crate::error::Error;
use crate::target_group::{Performance, RespondentAnalysis, RespondentCount};
use crate::types::ids::{ProjectId, TargetGroupId};
use crate::wire::read::{read, reads};
use crate::wire::statistics::HasPerformance;

reads! {
    RespondentCount = RespondentAnalysisStatusCodes { ; status, label, description, count }
    RespondentAnalysis = TargetGroupPerformanceRespondentAnalysis { ; live, test }
    Performance = TargetGroupPerformance {
        ;
        entrants, prescreens, completes, completes_cost, conversion_rate, drop_off_rate, incidence_rate,
        first_complete, last_complete, respondents = respondent_analysis
    }
}

impl HasPerformance for super::Marker {
    async fn performance(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> Result<Performance, Error> {
        let answer = raw.get_target_group_performance(account, project.as_str(), group.as_str()).await?;
        read(&operations::GET_TARGET_GROUP_PERFORMANCE, answer.into_value())
    }
}
