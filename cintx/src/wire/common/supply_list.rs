//! Supply before 2025-12-18: a list of allocations, each with a number and a call of its own.

use super::raw::{Client, types};
use serde_json::Value;

use crate::error::{Error, Wrote};
use crate::supply::{AllocationProgress, Supply};
use crate::types::ids::{ProjectId, TargetGroupId};
use crate::wire::read::{Field, Missing};
use crate::wire::supply::{SupplyWire, from_list, list_changes, progress_in_list};
use crate::wire::{from_json, to_json};

impl Field<Option<Vec<types::GetTargetGroupResponseSupplyAllocations>>> for Supply {
    fn field(wire: Option<Vec<types::GetTargetGroupResponseSupplyAllocations>>) -> Result<Self, Missing> {
        let list: Result<Vec<_>, _> = wire.iter().flatten().map(to_json).collect();
        list.map(|list| from_list(&list)).map_err(|_| Missing("supply_allocations"))
    }
}

async fn entries(raw: &Client, account: i64, project: &str, group: &str) -> Result<Vec<Value>, Error> {
    let answer = raw.get_target_group_supply_allocation(account, project, group).await?.into_value();
    answer.supply_allocations.iter().flatten().map(to_json).collect()
}

/// One call of several that bring a target group's supply to what is asked for.
enum Write {
    Update(i64, types::SupplyAllocationUpdateRequest),
    Create(types::SupplyAllocationCreateRequest),
}

impl SupplyWire for super::Marker {
    const PRIVATE_EXCHANGE: bool = false;

    async fn supply(raw: &Client, account: i64, project: &ProjectId, group: &TargetGroupId) -> Result<Supply, Error> {
        Ok(from_list(&entries(raw, account, project.as_str(), group.as_str()).await?))
    }

    async fn supply_progress(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> Result<Vec<AllocationProgress>, Error> {
        Ok(progress_in_list(&entries(raw, account, project.as_str(), group.as_str()).await?))
    }

    async fn set_supply(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        supply: &Supply,
    ) -> Result<(), Error> {
        let (project, group) = (project.as_str(), group.as_str());
        let present = entries(raw, account, project, group).await?;
        let writes = list_changes(&present, supply)?.into_iter().map(|(id, entry)| match id {
            Some(id) => Ok(Write::Update(id, from_json("supply", entry)?)),
            None => Ok(Write::Create(from_json("supply", entry)?)),
        });
        let writes: Vec<Write> = writes.collect::<Result<_, Error>>()?;
        let mut wrote = Wrote::default();
        for write in writes {
            wrote.of(match write {
                Write::Update(id, body) => {
                    let answer = raw.update_target_group_supply_allocation(account, project, group, id, &body).await;
                    answer.map(drop).map_err(Error::from)
                }
                Write::Create(body) => {
                    let answer = raw.create_target_group_supply_allocation(account, project, group, &body).await;
                    answer.map(drop).map_err(Error::from)
                }
            })?;
        }
        Ok(())
    }

    async fn can_set_supply(
        raw: &Client,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        supply: &Supply,
    ) -> Result<(), Error> {
        let present = entries(raw, account, project.as_str(), group.as_str()).await?;
        list_changes(&present, supply).map(drop)
    }
}
