//! Supply as the versions write it: lists of typed entries before 2025-12-18,
//! two objects for the open and the private exchange since.

use super::whole;
use crate::api::rejection::Rejection;
use crate::state::ledger::Tally;
use crate::state::market::Market;
use crate::state::supply::{BLOCKED_ID, EXCHANGE_ID, Share, Supply};
use crate::state::target_group::TargetGroup;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The market, and what each of its suppliers has sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fill<'a> {
    pub(crate) market: &'a Market,
    /// By supplier; nothing for a template.
    pub(crate) by_supplier: Option<&'a BTreeMap<i64, Tally>>,
}

impl<'a> Fill<'a> {
    /// Of a group.
    pub(crate) fn of(market: &'a Market, group: &'a TargetGroup) -> Self {
        Self { market, by_supplier: Some(&group.ledger.by_supplier) }
    }

    /// Of nobody yet.
    pub(crate) fn none(market: &'a Market) -> Self {
        Self { market, by_supplier: None }
    }
}

fn list<'v>(given: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    given.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn percent(given: &Value, name: &str, absent: u64) -> u64 {
    given.get(name).and_then(whole).and_then(|n| u64::try_from(n).ok()).unwrap_or(absent)
}

fn number(given: &Value, name: &str) -> Result<i64, Rejection> {
    whole(given)
        .or_else(|| given.as_str()?.trim().parse().ok())
        .ok_or_else(|| Rejection::refused(name, given, "the number of a supplier"))
}

/// Supplier ids: plain, as text, or in objects under either name.
fn suppliers(given: &Value, names: &[&str]) -> Result<Vec<i64>, Rejection> {
    let mut ids = Vec::new();
    for name in names {
        for one in list(given, name) {
            let id = one.get("id").or_else(|| one.get("supplier_id")).unwrap_or(one);
            ids.push(number(id, name)?);
        }
    }
    Ok(ids)
}

/// Reads the two objects of 2025-12-18. Groups that name an id must be groups
/// of `before`.
pub(crate) fn read_modern(given: &Value, before: &Supply) -> Result<Supply, Rejection> {
    let mut supply = Supply::default();
    supply.continue_from(before);
    if let Some(open) = given.get("open_exchange_allocations").filter(|part| part.is_object()) {
        supply.exchange_min = percent(open, "exchange_min_percentage", 0);
        supply.exchange_max = percent(open, "exchange_max_percentage", 100);
        supply.blocked = suppliers(open, &["blocked_supplier_ids"])?;
        for one in list(open, "groups") {
            let ids = suppliers(one, &["suppliers", "supplier_ids"])?;
            let group = modern_group(one, ids, &mut supply, &before.groups)?;
            supply.groups.push(group);
        }
    }
    if let Some(private) = given.get("private_exchange_allocations").filter(|part| part.is_object()) {
        supply.private_blocked = suppliers(private, &["blocked_supplier_ids"])?;
        for one in list(private, "groups") {
            let id = number(one.get("supplier_id").unwrap_or(&Value::Null), "supplier_id")?;
            let group = modern_group(one, vec![id], &mut supply, &before.private_groups)?;
            supply.private_groups.push(group);
        }
    }
    supply.check()?;
    Ok(supply)
}

fn modern_group(given: &Value, suppliers: Vec<i64>, supply: &mut Supply, before: &[Share]) -> Result<Share, Rejection> {
    let known = match given.get("group_id").and_then(Value::as_str) {
        None => None,
        Some(id) => Some(
            before
                .iter()
                .find(|group| group.id.to_string() == id)
                .ok_or_else(|| Rejection::invalid("group_id", "the target group has no such supplier group"))?
                .id,
        ),
    };
    Ok(Share {
        id: known.unwrap_or_else(|| supply.fresh_id()),
        name: given.get("group_name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        min: percent(given, "min_percentage", 0),
        max: percent(given, "max_percentage", 100),
        suppliers,
    })
}

/// Reads the list of the older versions.
pub(crate) fn read_legacy(entries: &[Value]) -> Result<Supply, Rejection> {
    let mut supply = Supply::default();
    let mut exchange = false;
    for entry in entries {
        match entry.get("type").and_then(Value::as_str) {
            Some("exchange") => {
                exchange = true;
                supply.exchange_min = percent(entry, "percentage_min", 0);
                supply.exchange_max = percent(entry, "percentage_max", 100);
            }
            Some("blocked") => supply.blocked.extend(suppliers(entry, &["suppliers"])?),
            _ => {
                let group = legacy_group(entry, supply.fresh_id())?;
                supply.groups.push(group);
            }
        }
    }
    if !entries.is_empty() && !exchange {
        return Err(Rejection::invalid("supply_allocations", "with other entries, one of type exchange is needed"));
    }
    supply.check()?;
    Ok(supply)
}

/// Reads a group of the older versions.
pub(crate) fn legacy_group(entry: &Value, id: u64) -> Result<Share, Rejection> {
    Ok(Share {
        id,
        name: entry.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        min: percent(entry, "percentage_min", 0),
        max: percent(entry, "percentage_max", 100),
        suppliers: suppliers(entry, &["suppliers"])?,
    })
}

/// The suppliers of one entry.
pub(crate) fn legacy_suppliers(entry: &Value) -> Result<Vec<i64>, Rejection> {
    suppliers(entry, &["suppliers"])
}

/// A supplier under all the names that versions and operations give its parts.
fn supplier_facts(id: i64, fill: Fill<'_>) -> Value {
    let (prescreens, completes) = sums(&[id], fill);
    json!({
        "id": id,
        "supplier_id": id,
        "name": fill.market.supplier_name(id),
        "supplier_name": fill.market.supplier_name(id),
        "type": "survey_panels",
        "completes": completes,
        "pre_screens": prescreens,
        "prescreens": prescreens,
    })
}

fn all(ids: &[i64], fill: Fill<'_>) -> Vec<Value> {
    ids.iter().map(|id| supplier_facts(*id, fill)).collect()
}

fn sums(ids: &[i64], fill: Fill<'_>) -> (u64, u64) {
    let sent = |id: &i64| fill.by_supplier.and_then(|all| all.get(id));
    ids.iter().filter_map(sent).fold((0, 0), |sum, one| (sum.0 + one.entered(), sum.1 + one.completes))
}

fn share_facts(share: &Share, goal: u64, fill: Fill<'_>) -> Value {
    let (prescreens, completes) = sums(&share.suppliers, fill);
    let rate = if prescreens == 0 { 0.0 } else { (completes as f64 / prescreens as f64).min(1.0) };
    let most = goal * share.max / 100;
    json!({
        "id": share.id,
        "group_id": share.id.to_string(),
        "type": "group",
        "name": share.name,
        "group_name": share.name,
        "min_percentage": share.min,
        "max_percentage": share.max,
        "percentage_min": share.min,
        "percentage_max": share.max,
        "suppliers": all(&share.suppliers, fill),
        "supplier": share.suppliers.first().map(|id| supplier_facts(*id, fill)),
        "completes": completes,
        "prescreens": prescreens,
        "pre_screens": prescreens,
        "conversion_rate": rate,
        "total_remaining": most.saturating_sub(completes),
    })
}

/// The two objects of 2025-12-18.
pub(crate) fn modern_facts(supply: &Supply, goal: u64, fill: Fill<'_>) -> Value {
    let groups = |shares: &[Share]| shares.iter().map(|share| share_facts(share, goal, fill)).collect::<Vec<_>>();
    json!({
        "open_exchange_allocations": {
            "blocked_suppliers": all(&supply.blocked, fill),
            "blocked_supplier_ids": supply.blocked.iter().map(i64::to_string).collect::<Vec<_>>(),
            "exchange_min_percentage": supply.exchange_min,
            "exchange_max_percentage": supply.exchange_max,
            "exchange_suppliers": all(&supply.open(fill.market), fill),
            "groups": groups(&supply.groups),
        },
        "private_exchange_allocations": {
            "blocked_suppliers": all(&supply.private_blocked, fill),
            "blocked_supplier_ids": supply.private_blocked.iter().map(i64::to_string).collect::<Vec<_>>(),
            "groups": groups(&supply.private_groups),
        },
    })
}

/// One entry of the older versions' list.
pub(crate) fn legacy_entry(supply: &Supply, id: u64, goal: u64, fill: Fill<'_>) -> Option<Value> {
    match id {
        EXCHANGE_ID => {
            let open = supply.open(fill.market);
            let (prescreens, completes) = sums(&open, fill);
            Some(json!({
                "id": EXCHANGE_ID,
                "type": "exchange",
                "percentage_min": supply.exchange_min,
                "percentage_max": supply.exchange_max,
                "suppliers": all(&open, fill),
                "completes": completes,
                "pre_screens": prescreens,
                "total_remaining": (goal * supply.exchange_max / 100).saturating_sub(completes),
            }))
        }
        BLOCKED_ID if !supply.blocked.is_empty() => Some(json!({
            "id": BLOCKED_ID, "type": "blocked", "suppliers": all(&supply.blocked, fill), "completes": 0, "pre_screens": 0,
        })),
        _ => supply.groups.iter().find(|group| group.id == id).map(|group| share_facts(group, goal, fill)),
    }
}

/// The list of the older versions.
pub(crate) fn legacy_facts(supply: &Supply, goal: u64, fill: Fill<'_>) -> Value {
    let groups = supply.groups.iter().map(|group| group.id);
    groups.chain([EXCHANGE_ID, BLOCKED_ID]).filter_map(|id| legacy_entry(supply, id, goal, fill)).collect()
}
