//! Supply on the wire. There are two models, each with several near-identical sets of types: a list of tagged
//! allocations, and since 2025-12-18 one specification. Both are written and read as JSON here, once, and held against
//! the types where they are used.

use std::future::Future;

use serde_json::{Map, Value, json};

use super::{Answer, Wire};
use crate::error::{Error, FieldError};
use crate::supply::{PrivateSupply, Supply, SupplyGroup};
use crate::types::ids::{ProjectId, SupplierId, TargetGroupId};
use crate::version::Version;
use crate::wire::json::id_text;

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

/// The versions that take back what was said about the supply of a launched target group.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take back the supply of a launched target group",
    note = "use `TargetGroup::set_supply` with `Supply::open_exchange()`"
)]
pub trait HasSupplyRemoval: Version {
    #[doc(hidden)]
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
