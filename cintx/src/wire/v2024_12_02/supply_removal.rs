//! All allocations of a target group taken back at once.

use super::raw::Client;

use crate::error::Error;
use crate::types::ids::{ProjectId, TargetGroupId};
use crate::wire::supply::HasSupplyRemoval;

impl HasSupplyRemoval for super::Marker {
    async fn clear_supply(raw: &Client, account: i64, project: &ProjectId, group: &TargetGroupId) -> Result<(), Error> {
        raw.delete_target_group_supply_allocation(account, project.as_str(), group.as_str()).await?;
        Ok(())
    }
}
