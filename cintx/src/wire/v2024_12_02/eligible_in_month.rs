//! The target groups that can be reconciled, by the month of their sessions.

use super::raw::*;

use crate::error::Error;
use crate::reconciliation::{EligibleFilter, EligibleInMonth, EligibleTargetGroup};
use crate::reference::User;
use crate::wire::read::{list, reads};
use crate::wire::reconciliation::HasEligibleInMonth;

reads! {
    EligibleTargetGroup = ReconciliationsEligibleTargetGroups {
        id = target_group_id;
        name, status, project = project_id, project_name, manager = project_manager,
        last_reconciled_at = last_reconciliation_date;
        completes, amount
    }
    User = ReconciliationsEligibleTargetGroupsProjectManager { id; name, email }
}

impl HasEligibleInMonth for super::Marker {
    async fn eligible_in(
        raw: &Client,
        account: i64,
        month: &str,
        filter: &EligibleFilter,
    ) -> Result<EligibleInMonth, Error> {
        let params = GetEligibleTargetGroupsParams {
            name: filter.name.clone(),
            status: filter.status.as_ref().map(ToString::to_string),
            project_name: filter.project_name.clone(),
            project_manager_id: filter.manager.map(|manager| manager.to_string()),
        };
        let answer = raw.get_eligible_target_groups_with(account, month, &params).await?.into_value();
        Ok(EligibleInMonth {
            cut_short: answer.next_cursor.is_some_and(|cursor| !cursor.is_empty()),
            target_groups: list(&operations::GET_ELIGIBLE_TARGET_GROUPS, answer.target_groups)?,
        })
    }
}
