//! Supply: one specification, read and replaced as a whole.

use super::raw::{Client, types};
use serde_json::Value;

use crate::error::Error;
use crate::supply::{AllocationProgress, Supply};
use crate::types::ids::{ProjectId, TargetGroupId};
use crate::wire::read::{Field, Missing};
use crate::wire::supply::{SupplyWire, from_specification, progress_in_specification, to_specification};
use crate::wire::{from_json, to_json};

impl Field<Option<types::GetDraftSupplyAllocationGroupResponse>> for Supply {
    fn field(wire: Option<types::GetDraftSupplyAllocationGroupResponse>) -> Result<Self, Missing> {
        to_json(&wire).map(|json| from_specification(&json)).map_err(|_| Missing("allocations"))
    }
}

async fn specification(raw: &Client, account: i64, project: &str, group: &str) -> Result<Value, Error> {
    to_json(raw.get_target_group_allocation_specification(account, project, group).await?.value())
}

impl SupplyWire for super::Marker {
    const PRIVATE_EXCHANGE: bool = true;

    async fn supply(raw: &Client, account: i64, project: &ProjectId, group: &TargetGroupId) -> Result<Supply, Error> {
        Ok(from_specification(&specification(raw, account, project.as_str(), group.as_str()).await?))
    }

    async fn supply_progress(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> Result<Vec<AllocationProgress>, Error> {
        Ok(progress_in_specification(&specification(raw, account, project.as_str(), group.as_str()).await?))
    }

    async fn set_supply(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        supply: &Supply,
    ) -> Result<(), Error> {
        // Groups keep their identity by name, whoever made this supply.
        let known = Self::supply(raw, account, project, group).await?;
        let mut supply = supply.clone();
        let groups = supply.groups.iter_mut().chain(&mut supply.private.groups);
        for wanted in groups.filter(|group| group.id.is_none()) {
            let mut known = known.groups.iter().chain(&known.private.groups);
            wanted.id = known.find(|known| known.name == wanted.name).and_then(|known| known.id.clone());
        }
        let body = from_json("supply", to_specification(&supply, "supplier_ids", true))?;
        let (project, group) = (project.as_str(), group.as_str());
        raw.update_target_group_allocation_specification(account, project, group, &body).await?;
        Ok(())
    }

    async fn can_set_supply(_: &Client, _: i64, _: &ProjectId, _: &TargetGroupId, _: &Supply) -> Result<(), Error> {
        Ok(())
    }
}
