//! Quotas in 2025-12-18: one list of profiles, a call for goals, and one that replaces everything. An edit reads all
//! profiles, changes them and sends them back, so that nothing is left out but what it takes away.

use std::collections::HashMap;

use cintx_quota::Budget;
use serde_json::{Value, json};

use super::{Cell, Edit, condition, items, quota, string, table, whole};
use crate::audience::rules::MAX_QUOTAS;
use crate::audience::solve::{Limits, Scale};
use crate::audience::{Audience, Condition, ControlQuotas, distinct};
use crate::background::in_background;
use crate::quota::{Quota, QuotaAxis, QuotaTable, TableKind, warning};
use crate::wire::Answer;
use crate::wire::audience::{modern, refused};

/// The profiles of a launched group in 2025-12-18.
pub(crate) fn read_modern(answer: &Value) -> Vec<QuotaTable> {
    items(answer, "profiles").map(modern_profile).collect()
}

/// What kind of profile this is.
pub(crate) fn kind(profile: &Value) -> TableKind {
    match (string(profile, "object").as_deref(), string(profile, "blended_type").as_deref()) {
        (Some("blended"), Some("control")) => TableKind::Control,
        (Some("blended"), _) => TableKind::Interlock,
        _ => TableKind::Regular,
    }
}

/// The conditions of a target, with their questions.
pub(crate) fn conditions(target: &Value) -> Vec<(i64, Condition)> {
    items(target, "conditions").filter_map(|it| Some((whole(it.get("question_id")?)?, condition(it)?))).collect()
}

pub(crate) fn modern_profile(profile: &Value) -> QuotaTable {
    let kind = kind(profile);
    let cells = items(profile, "targets").map(|target| {
        let conditions = conditions(target);
        let names = items(target, "conditions").filter_map(|it| string(it, "condition_name"));
        let own = target.get("quota").filter(|quota| quota.is_object());
        let label = string(target, "name")
            .or_else(|| own.and_then(|quota| string(quota, "name")))
            .or_else(|| string(target, "text"))
            .or_else(|| Some(names.collect::<Vec<_>>().join(", ")).filter(|names| !names.is_empty()))
            .unwrap_or_else(|| conditions.iter().map(|(_, it)| it.label()).collect::<Vec<_>>().join(", "));
        Cell { label, conditions, quota: quota(target, own.unwrap_or(&Value::Null)) }
    });
    let mut read = table(profile, kind, cells.collect());
    let told = items(profile, "targets").flat_map(|target| items(target, "conditions"));
    let names = told.filter_map(|it| {
        Some(((whole(it.get("question_id")?)?, string(it, "option")?), string(it, "condition_name")?))
    });
    let names: HashMap<(i64, String), String> = names.collect();
    read.rename(|question, option| names.get(&(question, option.to_owned())).cloned());
    read
}

/// Quotas that are told in percent alone get counts in hundredths of it; says whether there are any.
pub(crate) fn percent_as_counts(profile: &mut Value) -> bool {
    let targets = profile.get_mut("targets").and_then(Value::as_array_mut);
    let quotas = targets.into_iter().flatten().filter_map(|it| it.get_mut("quota")?.as_object_mut());
    let mut found = false;
    for quota in quotas.filter(|quota| quota.get("completes_goal").is_none_or(Value::is_null)) {
        if let Some(percent) = quota.get("completes_goal_percentage").and_then(Value::as_f64) {
            quota.insert("completes_goal".to_owned(), json!((percent * 100.0).round() as u64));
            found = true;
        }
    }
    found
}

/// Quotas of a draft in percent get counts in hundredths of it, whatever counts stand beside.
pub(crate) fn in_hundredths(profiling: &mut Value) {
    percent_as_parts(profiling, 10_000, true);
}

/// The profiles of a draft, in completes: what it says in percent is rounded.
pub(crate) fn of_draft(profiling: &Value, goal: u32) -> Vec<QuotaTable> {
    let mut profiling = profiling.clone();
    let in_percent = profiling["profile_adjustment_type"] == "percentage";
    percent_as_parts(&mut profiling, goal, in_percent);
    read_modern(&profiling)
}

/// Quotas in percent get counts, of which so many are the whole; in place of counts that stand beside, or not.
fn percent_as_parts(profiling: &mut Value, whole: u32, in_place: bool) {
    let profiles = profiling.get_mut("profiles").and_then(Value::as_array_mut).into_iter().flatten();
    let targets = profiles.filter_map(|it| it.get_mut("targets")?.as_array_mut()).flatten();
    for quota in targets.filter_map(|it| it.get_mut("quota")?.as_object_mut()) {
        let percent = quota.get("completes_goal_percentage").and_then(Value::as_f64);
        if let Some(percent) = percent.filter(|_| in_place || quota.get("completes_goal").is_none_or(Value::is_null)) {
            quota.insert("completes_goal".to_owned(), json!((percent * f64::from(whole) / 100.0).round() as u64));
        }
    }
}

/// What a 422 lists; any other error stays one.
pub(crate) fn refusals_of(error: crate::error::Error) -> Answer<Vec<Value>> {
    let body: Value = match error.call() {
        Some(call) if error.status() == Some(http::StatusCode::UNPROCESSABLE_ENTITY) => {
            serde_json::from_slice(call.body()).unwrap_or_default()
        }
        _ => return Err(error),
    };
    match body.get("invalid_params").and_then(Value::as_array) {
        Some(list) if !list.is_empty() => Ok(list.clone()),
        _ => Err(error),
    }
}

/// All profiles after an edit, as a request of 2025-12-18 wants them: in counts, nothing left out but what the edit
/// takes away.
pub(crate) async fn edited(
    tables: &[QuotaTable],
    goal: u64,
    control: Option<&ControlQuotas>,
    edit: Edit<'_>,
) -> Answer<Value> {
    let index_of = |id: &str| {
        let found = tables.iter().position(|table| table.profile.as_deref() == Some(id));
        found.ok_or_else(|| refused("profile", format!("{id} is none of this target group's")))
    };
    let mut tables = tables.to_vec();
    match edit {
        Edit::Enable(id, enabled) => {
            let index = index_of(id)?;
            let Some(table) = tables.get_mut(index) else { return Err(refused("profile", "is not there")) };
            if table.kind != TableKind::Regular {
                return Err(refused("profile", format!("{id} is interlocked: its quotas are always on")));
            }
            table.enabled = enabled;
            if enabled && table.cells.iter().all(|quota| quota.target.is_none()) {
                // Nobody said how: in equal parts.
                let equal = cintx_quota::apportion("targets", &vec![1.0; table.cells.len()], goal);
                let equal = equal.map_err(|error| refused("quotas", error.to_string()))?.counts;
                for (quota, count) in table.cells.iter_mut().zip(equal) {
                    quota.target = Some(count.max(quota.completes));
                }
            }
        }
        Edit::RemoveInterlock(id) => {
            let index = index_of(id)?;
            let table = tables.remove(index);
            if table.axes.len() < 2 {
                return Err(refused("profile", format!("{id} is not interlocked")));
            }
            for (number, axis) in table.axes.iter().enumerate() {
                let cells = table.margin(number);
                tables.push(QuotaTable {
                    profile: None,
                    name: String::new(),
                    kind: TableKind::Regular,
                    enabled: true,
                    axes: vec![axis.clone()],
                    cells,
                    warnings: Vec::new(),
                });
            }
        }
        Edit::Interlock { profiles: ids, work, time } => {
            if !(2..=3).contains(&ids.len()) {
                return Err(refused("profiles", format!("are {}, expected 2 or 3", ids.len())));
            }
            let mut crossed = Vec::new();
            for id in ids {
                let index = index_of(id)?;
                let table = tables.get(index).ok_or_else(|| refused("profile", "is not there"))?;
                if table.kind != TableKind::Regular || !table.enabled {
                    return Err(refused("profile", format!("{id} has no quotas of its own to interlock")));
                }
                crossed.push(table.clone());
            }
            let cells = crossed.iter().fold(1_usize, |cells, table| cells.saturating_mul(table.cells.len()));
            if cells > MAX_QUOTAS {
                let rule = "number_of_quotas_in_blended_cannot_be_greater_than_max";
                return Err(refused("profiles", format!("have {cells} cells, expected at most {MAX_QUOTAS} ({rule})")));
            }
            tables.retain(|table| !ids.iter().any(|id| table.profile.as_deref() == Some(id)));
            let solved =
                in_background(Limits { work, time }.budget(), move |budget| interlocked(&crossed, budget)).await;
            let ended = || Err(refused("quotas", "were not interlocked: the runtime shut down"));
            let table = solved.unwrap_or_else(ended)?;
            warning::log(&table.name, &table.warnings);
            tables.push(table);
        }
    }
    profiling_of(&tables, control)
}

/// The profiles as a request takes them.
fn profiling_of(tables: &[QuotaTable], control: Option<&ControlQuotas>) -> Answer<Value> {
    let mut profiles: Vec<Value> = Vec::new();
    for table in tables {
        let quotas_on = table.enabled && table.cells.iter().any(|quota| quota.target.is_some());
        let targets = table.cells().filter(|(_, quota)| table.kind == TableKind::Regular || quota.target.is_some());
        let targets = targets.map(|(position, quota)| {
            let of = |(axis, at): (&QuotaAxis, usize)| axis.conditions.get(at).cloned().unwrap_or_default();
            let conditions: Vec<(i64, Condition)> = table.axes.iter().zip(position.clone()).flat_map(of).collect();
            let mut target = json!({
                "conditions": conditions
                    .iter()
                    .map(|(question, it)| modern::condition(*question, it))
                    .collect::<Vec<_>>(),
            });
            if quotas_on {
                target["quota"] = json!({ "completes_goal": quota.target.unwrap_or(0) });
                if conditions.len() > position.len() {
                    target["quota"]["name"] = json!(table.label(&position));
                }
            } else {
                // The document asks for it where there is no quota.
                target["object"] = json!("nominal");
            }
            target
        });
        let mut profile = json!({ "quotas_enabled": quotas_on, "targets": targets.collect::<Vec<_>>() });
        match table.kind {
            TableKind::Regular => profile["object"] = json!("regular"),
            kind => {
                profile["object"] = json!("blended");
                profile["blended_type"] = json!(if kind == TableKind::Control { "control" } else { "interlock" });
            }
        }
        if !table.name.is_empty() || table.kind != TableKind::Regular {
            profile["name"] = json!(table.name);
        }
        profiles.push(profile);
    }
    if let Some(control) = control {
        let beside = Audience::independent([]).control(control.clone());
        let rendered = modern::profiling(&beside, 1)?;
        profiles.extend(rendered["profiles"].as_array().into_iter().flatten().cloned());
    }
    Ok(json!({ "profile_adjustment_type": "nominal", "profiles": profiles }))
}

/// Crosses tables of one question each: whole cells that keep every target.
fn interlocked(tables: &[QuotaTable], budget: &Budget) -> Answer<QuotaTable> {
    use cintx_quota::{Axis, SolveError, Table};

    let mut builder = Table::builder();
    for table in tables {
        let labels = distinct(table.axes.iter().flat_map(|axis| axis.labels.clone()).collect());
        let counts = table.cells.iter().map(|quota| quota.target.unwrap_or(0));
        builder = builder.axis(Axis::counts(table.name.clone(), labels.into_iter().zip(counts)));
    }
    let table = builder.build().map_err(|error| refused("quotas", error.to_string()))?;
    let solution = table.within(budget).solve().map_err(|error| match error {
        SolveError::Infeasible(cut) => refused("quotas", format!("cannot be interlocked: {cut}")),
        error => refused("quotas", error.to_string()),
    })?;
    let warnings = warning::of_solution(&solution, Scale::completes(solution.certificate().total));
    let cells = solution.into_cells().into_iter().map(|count| Quota { target: Some(count), ..Quota::default() });
    Ok(QuotaTable {
        profile: None,
        name: "interlock".to_owned(),
        kind: TableKind::Interlock,
        enabled: true,
        axes: tables.iter().flat_map(|table| table.axes.iter().cloned()).collect(),
        cells: cells.collect(),
        warnings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::Question;

    #[test]
    fn percentages_are_counts_in_hundredths_where_there_are_no_others() {
        let quota = |quota: Value| json!({ "conditions": [], "quota": quota });
        let mut profile =
            json!({ "targets": [quota(json!({ "completes_goal_percentage": 33.33 })), quota(json!(null))] });
        assert!(percent_as_counts(&mut profile));
        assert_eq!(profile["targets"][0]["quota"]["completes_goal"], 3_333);
        let mut counted =
            json!({ "targets": [quota(json!({ "completes_goal": 7, "completes_goal_percentage": 70 }))] });
        assert!(!percent_as_counts(&mut counted));
        assert_eq!(counted["targets"][0]["quota"]["completes_goal"], 7);
    }

    #[test]
    fn what_is_crossed_in_field_says_which_cells_are_rounded_to_nothing() {
        let of = |id: i64, counts: [u64; 2]| {
            let question = Question::choice(id).option("1", 50).option("2", 50);
            crate::audience::planned_table(&[question], &counts, Vec::new())
        };
        let table = interlocked(&[of(43, [99, 1]), of(5, [60, 40])], &Budget::unlimited()).unwrap();
        let said: Vec<String> = table.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["option 2 × option 2 is worth 0.4 completes and gets none"]);
        assert!(interlocked(&[of(43, [60, 40]), of(5, [60, 40])], &Budget::unlimited()).unwrap().warnings.is_empty());
    }

    /// Nothing is solved that the API would refuse, and what is solved keeps its limits.
    #[tokio::test]
    async fn what_is_crossed_in_field_is_held_against_the_rules_and_limits() {
        let of = |id: i64, length: u8| {
            let question = (0..length).fold(Question::range(id), |question, at| question.band(at + 1..=at + 1, 1));
            let mut table = crate::audience::planned_table(&[question], &vec![1; length.into()], Vec::new());
            (table.profile, table.kind) = (Some(id.to_string()), TableKind::Regular);
            table
        };
        let crossed = async |lengths: [u8; 3], work| {
            let tables: Vec<QuotaTable> = (42..).zip(lengths).map(|(id, length)| of(id, length)).collect();
            let profiles: Vec<String> = tables.iter().filter_map(|table| table.profile.clone()).collect();
            let edit = Edit::Interlock { profiles: &profiles, work, time: None };
            edited(&tables, 500, None, edit).await.map_err(|error| error.to_string())
        };
        let many = crossed([60, 50, 50], None).await.unwrap_err();
        assert!(many.contains("have 150000 cells, expected at most 350"), "{many}");
        assert!(many.contains("number_of_quotas_in_blended_cannot_be_greater_than_max"), "{many}");
        let limited = crossed([5, 5, 5], Some(0)).await.unwrap_err();
        assert!(limited.contains("the limit of work was reached"), "{limited}");
        assert!(crossed([5, 5, 5], None).await.is_ok());
    }

    #[test]
    fn odd_profiles_do_no_harm() {
        assert!(read_modern(&json!({ "profiles": null })).is_empty());
        let odd =
            json!({ "profiles": [{ "object": "regular", "targets": [{ "quota": null, "conditions": "x" }] }, 7] });
        assert_eq!(read_modern(&odd).len(), 2);
    }
}
