//! Supply on the wire. There are two models, each with several near-identical sets of types: a list of tagged
//! allocations, and since 2025-12-18 one specification. Both are written and read as JSON here, once, and held against
//! the types where they are used.

use std::future::Future;

use serde_json::{Map, Value, json};

use super::{Answer, Wire};
#[cfg(feature = "_before-2025-12-18")]
use crate::error::{Error, FieldError};
use crate::supply::{PrivateSupply, Supply, SupplyGroup};
use crate::types::ids::{ProjectId, SupplierId, TargetGroupId};

#[doc(hidden)]
pub trait SupplyWire: Wire {
    /// Whether there are private exchanges.
    const PRIVATE_EXCHANGE: bool;

    fn supply(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<Supply>> + Send;

    fn set_supply(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        supply: &Supply,
    ) -> impl Future<Output = Answer<()>> + Send;

    /// Refuses what [`set_supply`](Self::set_supply) would refuse; writes nothing.
    fn can_set_supply(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        supply: &Supply,
    ) -> impl Future<Output = Answer<()>> + Send;
}

/// Taking everything back: in 2024-12-02 alone.
#[doc(hidden)]
pub trait SupplyRemovalWire: SupplyWire {
    fn clear_supply(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<()>> + Send;
}

/// The list of tagged allocations; `key` is what a supplier's id is called: `id`, or `supplier_id` in templates.
pub(crate) fn to_list(supply: &Supply, key: &str) -> Vec<Value> {
    let suppliers = |ids: &[SupplierId]| -> Vec<Value> { ids.iter().map(|id| json!({ key: id.get() })).collect() };
    let mut list: Vec<Value> = supply
        .groups
        .iter()
        .map(|group| {
            json!({
                "type": "group", "name": group.name, "suppliers": suppliers(&group.suppliers),
                "percentage_min": group.share.start(), "percentage_max": group.share.end(),
            })
        })
        .collect();
    list.push(json!({
        "type": "exchange", "percentage_min": supply.exchange.start(), "percentage_max": supply.exchange.end(),
    }));
    if !supply.blocked.is_empty() {
        list.push(json!({ "type": "blocked", "suppliers": suppliers(&supply.blocked) }));
    }
    list
}

/// Reads the list of tagged allocations. Nothing at all means the whole exchange.
pub(crate) fn from_list(list: &[Value]) -> Supply {
    let mut supply = Supply::open_exchange();
    for entry in list {
        let share = percent(entry, "percentage_min", 0)..=percent(entry, "percentage_max", 100);
        match entry["type"].as_str() {
            Some("group") => supply.groups.push(SupplyGroup {
                id: id_text(&entry["id"]),
                name: text(&entry["name"]),
                share,
                suppliers: suppliers(&entry["suppliers"]),
            }),
            Some("exchange") => supply.exchange = share,
            Some("blocked") => supply.blocked = suppliers(&entry["suppliers"]),
            _ => {}
        }
    }
    supply
}

/// What makes one list of allocations of another: entries to be updated, by their numbers, and entries to be added.
#[cfg(feature = "_before-2025-12-18")]
pub(crate) fn list_changes(present: &[Value], supply: &Supply) -> Answer<Vec<(Option<i64>, Value)>> {
    let refuse = |reason: String| Error::invalid(vec![FieldError::new("supply", reason)]);
    let known = from_list(present);
    if let Some(gone) = known.groups.iter().find(|known| !supply.groups.iter().any(|it| it.name == known.name)) {
        return Err(refuse(format!(
            "lacks the group {:?}, which this version cannot remove after launch: set its share to 0..=0",
            gone.name
        )));
    }
    let mut wanted = to_list(supply, "id");
    if supply.blocked.is_empty() && !known.blocked.is_empty() {
        wanted.push(json!({ "type": "blocked", "suppliers": [] }));
    }
    let unchanged = to_list(&known, "id");
    let mut changes = Vec::new();
    for mut entry in wanted.into_iter().filter(|entry| !unchanged.contains(entry)) {
        let same = |other: &&Value| entry["type"] == other["type"] && entry["name"] == other["name"];
        let id = present.iter().find(same).and_then(|known| id_text(&known["id"])?.parse::<i64>().ok());
        match id {
            Some(id) => entry["id"] = id.into(),
            None if entry["type"] == "exchange" => {
                let reason = "gives the exchange a share, which this version can only change after launch, not add";
                return Err(refuse(reason.to_owned()));
            }
            None => {}
        }
        changes.push((id, entry));
    }
    Ok(changes)
}

/// The specification; `key` is what a group's list of suppliers is called: `suppliers` in drafts, `supplier_ids` after.
pub(crate) fn to_specification(supply: &Supply, key: &str, ids: bool) -> Value {
    let texts = |ids: &[SupplierId]| -> Vec<String> { ids.iter().map(ToString::to_string).collect() };
    let group = |group: &SupplyGroup| {
        let mut entry = Map::new();
        if let (true, Some(id)) = (ids, &group.id) {
            entry.insert("group_id".into(), json!(id));
        }
        entry.insert("group_name".into(), json!(group.name));
        entry.insert("min_percentage".into(), json!(group.share.start()));
        entry.insert("max_percentage".into(), json!(group.share.end()));
        entry
    };
    let open = supply.groups.iter().map(|each| {
        let mut entry = group(each);
        entry.insert(key.to_owned(), json!(texts(&each.suppliers)));
        entry
    });
    let private = supply.private.groups.iter().map(|each| {
        let mut entry = group(each);
        entry.insert("supplier_id".into(), json!(each.suppliers.first().map(ToString::to_string)));
        entry
    });
    json!({
        "open_exchange_allocations": {
            "exchange_min_percentage": supply.exchange.start(),
            "exchange_max_percentage": supply.exchange.end(),
            "blocked_supplier_ids": texts(&supply.blocked),
            "groups": open.collect::<Vec<_>>(),
        },
        "private_exchange_allocations": {
            "blocked_supplier_ids": texts(&supply.private.blocked),
            "groups": private.collect::<Vec<_>>(),
        },
    })
}

/// The specification of a draft: private exchanges are mentioned only where there are some, since most accounts
/// do not have them.
pub(crate) fn to_draft_specification(supply: &Supply, ids: bool) -> Value {
    let mut specification = to_specification(supply, "suppliers", ids);
    if supply.private == PrivateSupply::default()
        && let Some(parts) = specification.as_object_mut()
    {
        parts.remove("private_exchange_allocations");
    }
    specification
}

/// Reads the specification.
#[cfg(feature = "_since-2025-12-18")]
pub(crate) fn from_specification(specification: &Value) -> Supply {
    let (open, private) = (&specification["open_exchange_allocations"], &specification["private_exchange_allocations"]);
    let groups = |part: &Value| -> Vec<SupplyGroup> {
        let groups = part["groups"].as_array().into_iter().flatten();
        groups
            .map(|group| SupplyGroup {
                id: id_text(&group["group_id"]),
                name: text(&group["group_name"]),
                share: percent(group, "min_percentage", 0)..=percent(group, "max_percentage", 100),
                suppliers: match &group["supplier"] {
                    Value::Null => suppliers(&group["suppliers"]),
                    one => supplier(one).into_iter().collect(),
                },
            })
            .collect()
    };
    Supply {
        exchange: percent(open, "exchange_min_percentage", 0)..=percent(open, "exchange_max_percentage", 100),
        groups: groups(open),
        blocked: suppliers(&open["blocked_suppliers"]),
        private: PrivateSupply { groups: groups(private), blocked: suppliers(&private["blocked_suppliers"]) },
    }
}

fn percent(entry: &Value, key: &str, absent: u8) -> u8 {
    entry[key].as_u64().and_then(|percent| u8::try_from(percent).ok()).unwrap_or(absent)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An id, which may be a number or text.
fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn suppliers(list: &Value) -> Vec<SupplierId> {
    list.as_array().into_iter().flatten().filter_map(supplier).collect()
}

/// A supplier: an object with its id, or the id itself.
fn supplier(value: &Value) -> Option<SupplierId> {
    let id = if value.is_object() {
        value.get("id").or_else(|| value.get("supplier_id")).unwrap_or(&Value::Null)
    } else {
        value
    };
    id_text(id)?.parse().ok().map(SupplierId::new)
}

/// Supply since 2025-12-18: one specification, read and replaced as a whole.
#[cfg(feature = "_since-2025-12-18")]
macro_rules! supply_specification {
    ($marker:ident, $version:ident) => {
        mod supply {
            use cintx_raw::$version::{Client, types};

            use crate::error::Error;
            use crate::supply::Supply;
            use crate::types::ids::{ProjectId, TargetGroupId};
            use crate::wire::read::{Field, Missing};
            use crate::wire::supply::{SupplyWire, from_specification, to_specification};
            use crate::wire::{from_json, to_json};

            impl Field<Option<types::GetDraftSupplyAllocationGroupResponse>> for Supply {
                fn field(wire: Option<types::GetDraftSupplyAllocationGroupResponse>) -> Result<Self, Missing> {
                    to_json(&wire).map(|json| from_specification(&json)).map_err(|_| Missing("allocations"))
                }
            }

            impl SupplyWire for crate::$marker {
                const PRIVATE_EXCHANGE: bool = true;

                async fn supply(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                ) -> Result<Supply, Error> {
                    let (project, group) = (project.as_str(), group.as_str());
                    let answer = raw.get_target_group_allocation_specification(account, project, group).await?;
                    Ok(from_specification(&to_json(answer.value())?))
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

                async fn can_set_supply(
                    _: &Client,
                    _: i64,
                    _: &ProjectId,
                    _: &TargetGroupId,
                    _: &Supply,
                ) -> Result<(), Error> {
                    Ok(())
                }
            }
        }
    };
}
#[cfg(feature = "_since-2025-12-18")]
pub(super) use supply_specification;

/// Supply before 2025-12-18: a list of allocations, each with a number and a call of its own.
#[cfg(feature = "_before-2025-12-18")]
macro_rules! supply_list {
    ($marker:ident, $version:ident) => {
        mod supply {
            use cintx_raw::$version::{Client, types};
            use serde_json::Value;

            use crate::error::Error;
            use crate::supply::Supply;
            use crate::types::ids::{ProjectId, TargetGroupId};
            use crate::wire::read::{Field, Missing};
            use crate::wire::supply::{SupplyWire, from_list, list_changes};
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

            impl SupplyWire for crate::$marker {
                const PRIVATE_EXCHANGE: bool = false;

                async fn supply(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                ) -> Result<Supply, Error> {
                    Ok(from_list(&entries(raw, account, project.as_str(), group.as_str()).await?))
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
                    for (id, entry) in list_changes(&present, supply)? {
                        match id {
                            Some(id) => {
                                let body = from_json("supply", entry)?;
                                raw.update_target_group_supply_allocation(account, project, group, id, &body).await?;
                            }
                            None => {
                                let body = from_json("supply", entry)?;
                                raw.create_target_group_supply_allocation(account, project, group, &body).await?;
                            }
                        }
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
        }
    };
}
#[cfg(feature = "_before-2025-12-18")]
pub(super) use supply_list;

/// One version that takes all allocations back.
#[cfg(feature = "_only-2024-12-02")]
macro_rules! supply_removal {
    ($marker:ident, $version:ident) => {
        mod supply_removal {
            use cintx_raw::$version::Client;

            use crate::error::Error;
            use crate::types::ids::{ProjectId, TargetGroupId};
            use crate::wire::supply::SupplyRemovalWire;

            impl SupplyRemovalWire for crate::$marker {
                async fn clear_supply(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    group: &TargetGroupId,
                ) -> Result<(), Error> {
                    raw.delete_target_group_supply_allocation(account, project.as_str(), group.as_str()).await?;
                    Ok(())
                }
            }

            impl crate::supply::HasSupplyRemoval for crate::$marker {}
        }
    };
}
#[cfg(feature = "_only-2024-12-02")]
pub(super) use supply_removal;
