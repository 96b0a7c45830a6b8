//! What has changed about a target group, when and by whom: the changelog,
//! and what webhooks tell of it.

use super::World;
use super::bounded_map::approximate_size;
use super::target_group::{Money, TargetGroup};
use super::webhook;
use crate::api::dialect::money_facts;
use crate::sim::clock::text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

/// So many entries are kept of one group.
const MAX_ENTRIES: usize = 200;

/// One entry: changes made at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    /// The user, or nobody when the platform did it.
    pub(crate) by: Option<String>,
    pub(crate) changes: Vec<Value>,
    /// What it takes in memory, roughly, in bytes.
    weight: usize,
}

/// Everything the changelog follows, under its change types.
pub(crate) type Snapshot = BTreeMap<&'static str, Value>;

/// A group as it is now.
pub(crate) fn snapshot(world: &World, group: &TargetGroup) -> Snapshot {
    let money = |money: &Option<Money>| money.as_ref().map_or(Value::Null, money_facts);
    let unit = world.account.business_unit(group.business_unit);
    let mut all = Snapshot::from([
        ("name_change", json!(group.name)),
        ("business_unit_change", json!(group.business_unit.to_string())),
        ("currency_change", json!(unit.map(|unit| &unit.currency))),
        ("project_manager_change", json!({ "las_user_id": group.manager })),
        ("filling_goal_change", json!(group.goal)),
        ("expected_length_of_interview_minutes_change", json!(group.interview_minutes)),
        ("expected_incidence_rate_change", json!(group.incidence)),
        ("study_type_change", json!(group.study_type)),
        ("industry_lockout_code_change", json!(group.industry_lockout)),
        ("cpi_note_change", money(&group.price_note)),
        ("cpi_change", money(&group.price)),
        ("live_url_change", json!(group.live_url)),
        ("test_url_change", json!(group.test_url)),
        ("collects_pii_change", json!(group.collects_pii)),
        ("locale_change", json!(group.locale)),
        ("project_id_change", json!(group.project_id)),
        ("status_change", json!(group.status())),
        ("filling_strategy_change", json!(group.filling_strategy)),
        ("fielding_period_start_date_change", json!(text(group.start()))),
        ("fielding_period_end_date_change", json!(text(group.end()))),
        ("target_group_customer_reference_number_change", json!(group.reference)),
    ]);
    assistant(&group.assistant, &mut all);
    all
}

/// The modules of the fielding assistant, setting by setting.
fn assistant(modules: &Value, all: &mut Snapshot) {
    let at = |path: &str| modules.pointer(path).cloned().unwrap_or(Value::Null);
    let pacing = at("/pacing/type");
    let interval = |kind: &str| if pacing == kind { at("/pacing/increment_interval") } else { Value::Null };
    all.extend([
        ("pacing_assistance_change", pacing.clone()),
        ("pacing_linear_increment_interval_change", interval("linear")),
        ("pacing_adaptive_increment_interval_change", interval("adaptive")),
        ("pacing_gemini_exposed_target_group_id_change", at("/pacing/exposed_target_group_id")),
        ("pricing_assistance_change", at("/pricing/type")),
        ("pricing_dynamic_total_budget_change", at("/pricing/total_budget")),
        ("pricing_dynamic_minimum_cpi_change", at("/pricing/minimum_cpi")),
        ("pricing_dynamic_maximum_cpi_change", at("/pricing/maximum_cpi")),
        ("quota_overlay_assisted_change", json!(modules.get("quota_overlay").is_some())),
        ("quota_overlay_prevent_overfilling_change", at("/quota_overlay/prevent_overfill")),
        ("quota_overlay_balance_fill_change", at("/quota_overlay/balance_fill")),
        ("soft_launch_assisted_change", json!(modules.get("soft_launch").is_some())),
        ("soft_launch_end_date_change", at("/soft_launch/end_at")),
        ("soft_launch_filling_goal_percentage_change", at("/soft_launch/filling_goal_percentage")),
        (
            "soft_launch_demographics_strictness_percentage_change",
            at("/soft_launch/demographics_strictness_percentage"),
        ),
    ]);
}

/// Writes down how a group differs from what it was.
pub(crate) fn record(world: &mut World, at: Timestamp, group_id: &str, before: &Snapshot) {
    let Some(group) = world.groups.get(group_id) else {
        return;
    };
    let changes: Vec<Value> = snapshot(world, group)
        .into_iter()
        .filter(|(object, new)| before.get(object) != Some(new))
        .map(|(object, new)| change(object, new, before.get(object).cloned().unwrap_or(Value::Null)))
        .collect();
    let by = Some(world.account.caller().to_owned());
    add(world, at, group_id, by, changes);
}

/// One change.
pub(crate) fn change(object: &str, new: Value, old: Value) -> Value {
    json!({ "object": object, "new_value": new, "old_value": old })
}

/// Writes changes down and tells subscribers of them.
pub(crate) fn add(world: &mut World, at: Timestamp, group_id: &str, by: Option<String>, changes: Vec<Value>) {
    if changes.is_empty() {
        return;
    }
    webhook::group_changed(world, at, group_id, by.as_deref(), &changes);
    let id = world.rng.ulid(at);
    let weight = 300 + changes.iter().map(approximate_size).sum::<usize>();
    let entry = Entry { id, at, by, changes, weight };
    if let Some(entries) = world.histories.get_mut(group_id) {
        entries.push_back(entry);
        if entries.len() > MAX_ENTRIES {
            entries.pop_front();
        }
        let weight = entries.iter().map(|entry| entry.weight).sum();
        world.histories.reweigh(group_id, weight);
    } else {
        world.histories.put(group_id.to_owned(), VecDeque::from([entry]), weight);
    }
}
