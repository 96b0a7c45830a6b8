//! Supply on the wire. There are two models, each with several near-identical sets of types: a list of tagged
//! allocations, and since 2025-12-18 one specification. Both are written and read as JSON here, once, and held against
//! the types where they are used.

use std::future::Future;

use serde_json::{Map, Value, json};

use super::{Answer, Wire};
use crate::error::{Error, FieldError};
use crate::supply::{AllocationKind, AllocationProgress, PrivateSupply, SupplierProgress, Supply, SupplyGroup};
use crate::types::ids::{ProjectId, SupplierId, TargetGroupId};
use crate::version::Version;
use crate::wire::json::{decimal, id_text};

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

    fn supply_progress(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<Vec<AllocationProgress>>> + Send;

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
    let mut unread = Unread::default();
    for entry in list {
        let share = |unread: &mut Unread| {
            unread.percent(entry, "percentage_min", 0)..=unread.percent(entry, "percentage_max", 100)
        };
        match entry["type"].as_str() {
            Some("group") => supply.groups.push(SupplyGroup {
                id: id_text(&entry["id"]),
                name: text(&entry["name"]),
                share: share(&mut unread),
                suppliers: unread.suppliers(&entry["suppliers"]),
            }),
            Some("exchange") => supply.exchange = share(&mut unread),
            Some("blocked") => supply.blocked = unread.suppliers(&entry["suppliers"]),
            Some(kind) => unread.0.push(format!("an allocation of the type {kind:?}")),
            None => unread.0.push("an allocation without a type".to_owned()),
        }
    }
    supply.unread = unread.0;
    supply
}

/// What could not be read of a supply, in words.
#[derive(Default)]
struct Unread(Vec<String>);

impl Unread {
    fn percent(&mut self, entry: &Value, key: &str, absent: u8) -> u8 {
        let value = &entry[key];
        let percent = value.as_u64().and_then(|percent| u8::try_from(percent).ok());
        if percent.is_none() && !value.is_null() {
            self.0.push(format!("{value} as its {key}"));
        }
        percent.unwrap_or(absent)
    }

    fn suppliers(&mut self, list: &Value) -> Vec<SupplierId> {
        list.as_array().into_iter().flatten().filter_map(|entry| self.supplier(entry)).collect()
    }

    fn supplier(&mut self, entry: &Value) -> Option<SupplierId> {
        let read = supplier(entry);
        if read.is_none() {
            let id = supplier_id(entry);
            self.0.push(format!("{id} as the id of a supplier"));
        }
        read
    }
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
    let mut unread = Unread::default();
    let groups = |part: &Value, unread: &mut Unread| -> Vec<SupplyGroup> {
        let groups = part["groups"].as_array().into_iter().flatten();
        groups
            .map(|group| SupplyGroup {
                id: id_text(&group["group_id"]),
                name: text(&group["group_name"]),
                share: unread.percent(group, "min_percentage", 0)..=unread.percent(group, "max_percentage", 100),
                suppliers: match &group["supplier"] {
                    Value::Null => unread.suppliers(&group["suppliers"]),
                    one => unread.supplier(one).into_iter().collect(),
                },
            })
            .collect()
    };
    let (least, most) = ("exchange_min_percentage", "exchange_max_percentage");
    Supply {
        exchange: unread.percent(open, least, 0)..=unread.percent(open, most, 100),
        groups: groups(open, &mut unread),
        blocked: unread.suppliers(&open["blocked_suppliers"]),
        private: PrivateSupply {
            groups: groups(private, &mut unread),
            blocked: unread.suppliers(&private["blocked_suppliers"]),
        },
        unread: unread.0,
    }
}

/// The allocations of a draft that was read, whatever the version.
pub(crate) fn of_draft(draft: &Value) -> Vec<AllocationProgress> {
    match draft["supply_allocations"].as_array() {
        Some(list) => progress_in_list(list),
        None => progress_in_specification(&draft["allocations"]),
    }
}

/// What a list of tagged allocations says that suppliers have delivered; an allocation of a kind that is not known is
/// passed over.
pub(crate) fn progress_in_list(list: &[Value]) -> Vec<AllocationProgress> {
    let kind = |entry: &Value| match entry["type"].as_str() {
        Some("group") => Some(AllocationKind::Group),
        Some("exchange") => Some(AllocationKind::Exchange),
        Some("blocked") => Some(AllocationKind::Blocked),
        _ => None,
    };
    list.iter().filter_map(|entry| Some(allocation(kind(entry)?, entry))).collect()
}

/// What the specification says that suppliers have delivered.
pub(crate) fn progress_in_specification(specification: &Value) -> Vec<AllocationProgress> {
    let (open, private) = (&specification["open_exchange_allocations"], &specification["private_exchange_allocations"]);
    let groups = |part: &Value, kind| -> Vec<AllocationProgress> {
        part["groups"].as_array().into_iter().flatten().map(|group| allocation(kind, group)).collect()
    };
    let exchange = json!({
        "suppliers": open["exchange_suppliers"],
        "min_percentage": open["exchange_min_percentage"],
        "max_percentage": open["exchange_max_percentage"],
    });
    let blocked = |part: &Value, kind| {
        let suppliers = &part["blocked_suppliers"];
        let some = suppliers.as_array().is_some_and(|suppliers| !suppliers.is_empty());
        some.then(|| allocation(kind, &json!({ "suppliers": suppliers })))
    };
    let mut all = groups(open, AllocationKind::Group);
    all.extend(open.is_object().then(|| allocation(AllocationKind::Exchange, &exchange)));
    all.extend(blocked(open, AllocationKind::Blocked));
    all.extend(groups(private, AllocationKind::PrivateGroup));
    all.extend(blocked(private, AllocationKind::PrivateBlocked));
    all
}

/// An allocation, in the names of either form.
fn allocation(kind: AllocationKind, entry: &Value) -> AllocationProgress {
    let either = |name: &str, other: &str| entry.get(name).or_else(|| entry.get(other)).unwrap_or(&Value::Null);
    let bound = |value: &Value| value.as_u64().and_then(|percent| u8::try_from(percent).ok());
    let least = bound(either("percentage_min", "min_percentage"));
    let most = bound(either("percentage_max", "max_percentage"));
    let price = &entry["average_cpi"];
    let one = entry.get("supplier").into_iter();
    AllocationProgress {
        kind,
        id: id_text(either("id", "group_id")),
        name: either("name", "group_name").as_str().map(str::to_owned),
        share: least.zip(most).map(|(least, most)| least..=most),
        completes: entry["completes"].as_i64(),
        prescreens: either("prescreens", "pre_screens").as_i64(),
        conversion_rate: decimal(&entry["conversion_rate"]),
        remaining: entry["total_remaining"].as_i64(),
        average_cost_per_interview: super::money(price["value"].as_str(), price["currency_code"].as_str()),
        suppliers: entry["suppliers"].as_array().into_iter().flatten().chain(one).filter_map(delivered).collect(),
    }
}

fn delivered(entry: &Value) -> Option<SupplierProgress> {
    Some(SupplierProgress {
        id: supplier(entry)?,
        name: entry["name"].as_str().or_else(|| entry["supplier_name"].as_str()).map(str::to_owned),
        supplier_type: entry["type"].as_str().map(Into::into),
        completes: entry["completes"].as_i64(),
        prescreens: entry["pre_screens"].as_i64(),
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A supplier: an object with its id, or the id itself.
fn supplier(value: &Value) -> Option<SupplierId> {
    id_text(supplier_id(value))?.parse().ok().map(SupplierId::new)
}

fn supplier_id(value: &Value) -> &Value {
    if value.is_object() { value.get("id").or_else(|| value.get("supplier_id")).unwrap_or(&Value::Null) } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_of_a_supply_is_told() {
        let list = [
            json!({ "type": "blocked", "suppliers": [{ "id": "12" }, { "id": "acme" }] }),
            json!({ "type": "auction" }),
            json!({ "type": "exchange", "percentage_min": 10, "percentage_max": 1_000 }),
            json!({ "suppliers": [] }),
        ];
        let supply = from_list(&list);
        assert_eq!((supply.blocked, supply.exchange), (vec![SupplierId::new(12)], 10..=100));
        let told = [
            "\"acme\" as the id of a supplier",
            "an allocation of the type \"auction\"",
            "1000 as its percentage_max",
            "an allocation without a type",
        ];
        assert_eq!(supply.unread, told);
        let specification = json!({
            "open_exchange_allocations": { "exchange_max_percentage": 90.5, "blocked_suppliers": ["acme"] },
            "private_exchange_allocations": { "groups": [{ "group_name": "own", "supplier": { "id": 7 } }] },
        });
        let supply = from_specification(&specification);
        assert_eq!(supply.private.groups[0].suppliers, [SupplierId::new(7)]);
        assert_eq!(supply.unread, ["90.5 as its exchange_max_percentage", "\"acme\" as the id of a supplier"]);
        assert!(!supply.same_as(&Supply::open_exchange().exchange(0..=100).private_group("own", 0..=100, 7)));
    }
}
