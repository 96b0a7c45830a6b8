//! Quotas of launched groups on the wire: read from any version's profiles, changed through what each version has.
//! Before 2025-12-18 that is a call for each change; from then on all profiles are read, edited and sent back.

use std::future::Future;

use serde_json::Value;

use super::{Answer, Wire};
use crate::audience::{Audience, Condition, ControlQuotas};
use crate::ids::{ProjectId, TargetGroupId};
use crate::quota::{Quota, QuotaAxis, QuotaTable, TableKind};

/// New goals of one profile: its id, and the goal of each quota that changes.
pub(crate) type Goals = (String, Vec<(String, u64)>);

/// Where quotas are.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct Place<'a> {
    pub(crate) account: i64,
    pub(crate) project: &'a ProjectId,
    pub(crate) group: &'a TargetGroupId,
}

/// A change to the profiles of a launched group.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub enum Edit<'a> {
    Interlock(&'a [String]),
    RemoveInterlock(&'a str),
    Enable(&'a str, bool),
}

/// What replaces all profiles, and what the older versions want to know besides.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct Replacing<'a> {
    pub(crate) audience: &'a Audience,
    pub(crate) goal: u32,
    pub(crate) locale: String,
    pub(crate) start: String,
    pub(crate) end: String,
    pub(crate) collects_pii: bool,
}

#[doc(hidden)]
pub trait QuotasWire: Wire {
    fn quotas(raw: &Self::Raw, place: Place<'_>) -> impl Future<Output = Answer<Vec<QuotaTable>>> + Send;

    fn set_goals(
        raw: &Self::Raw,
        place: Place<'_>,
        goal: Option<u64>,
        goals: &[Goals],
    ) -> impl Future<Output = Answer<()>> + Send;

    fn edit(
        raw: &Self::Raw,
        place: Place<'_>,
        tables: &[QuotaTable],
        goal: u64,
        control: Option<&ControlQuotas>,
        edit: Edit<'_>,
    ) -> impl Future<Output = Answer<()>> + Send;

    fn replace_profiles(
        raw: &Self::Raw,
        place: Place<'_>,
        replacing: &Replacing<'_>,
    ) -> impl Future<Output = Answer<()>> + Send;

    fn delete_profiles(raw: &Self::Raw, place: Place<'_>, ids: &[String]) -> impl Future<Output = Answer<()>> + Send;
}

/// Asking the API whether it would take an audience: not in 2024-12-02.
#[doc(hidden)]
pub trait ValidatesWire: QuotasWire {
    /// A list of what is wrong, as JSON in the form of a 422; empty if nothing is.
    fn validate(
        raw: &Self::Raw,
        account: i64,
        audience: &Audience,
        goal: u32,
        locale: &str,
    ) -> impl Future<Output = Answer<Vec<Value>>> + Send;
}

// Reading -------------------------------------------------------------------------------------------------------------

/// A target of a question: its text, and its conditions.
type Named = (String, Vec<(i64, Condition)>);

/// One target as it was read, whatever the version.
struct Cell {
    label: String,
    conditions: Vec<(i64, Condition)>,
    quota: Quota,
}

/// The profiles of a launched group before 2025-12-18, second edition.
pub(crate) fn read_legacy(answer: &Value) -> Vec<QuotaTable> {
    let mut tables: Vec<QuotaTable> = items(answer, "data").map(legacy_regular).collect();
    let interlocked = answer.get("interlocked_profile").filter(|profile| profile.is_object());
    tables.extend(interlocked.map(legacy_interlocked));
    tables
}

/// The profiles of a launched group in 2025-12-18.
pub(crate) fn read_modern(answer: &Value) -> Vec<QuotaTable> {
    items(answer, "profiles").map(modern_profile).collect()
}

fn modern_profile(profile: &Value) -> QuotaTable {
    let kind = match (string(profile, "object").as_deref(), string(profile, "blended_type").as_deref()) {
        (Some("blended"), Some("control")) => TableKind::Control,
        (Some("blended"), _) => TableKind::Interlock,
        _ => TableKind::Regular,
    };
    let cells = items(profile, "targets").map(|target| {
        let conditions: Vec<(i64, Condition)> = items(target, "conditions")
            .filter_map(|it| Some((whole(it.get("question_id")?)?, condition(it)?)))
            .collect();
        let names = items(target, "conditions").filter_map(|it| string(it, "condition_name"));
        let own = target.get("quota").filter(|quota| quota.is_object());
        let label = string(target, "name")
            .or_else(|| own.and_then(|quota| string(quota, "name")))
            .or_else(|| string(target, "text"))
            .unwrap_or_else(|| names.collect::<Vec<_>>().join(", "));
        Cell { label, conditions, quota: quota(target, own.unwrap_or(&Value::Null)) }
    });
    table(profile, kind, cells.collect())
}

fn legacy_regular(profile: &Value) -> QuotaTable {
    let question = profile.get("question_id").and_then(whole).unwrap_or(0);
    let data = profile.pointer("/conditions/data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let find = |id: &Value| {
        let id = id.get("id").unwrap_or(id);
        data.iter().find(|it| it.get("id").is_some_and(|own| same_id(own, id)))
    };
    let conditions_of = |found: &[&Value]| found.iter().filter_map(|it| Some((question, condition(it)?))).collect();
    let label_of = |found: &[&Value]| {
        let texts = found.iter().filter_map(|it| string(it, "text").or_else(|| condition(it).map(|it| it.label())));
        texts.collect::<Vec<_>>().join(", ")
    };
    let quotas = profile.get("quotas").unwrap_or(&Value::Null);
    let mut used: Vec<&Value> = Vec::new();
    let mut cells = Vec::new();
    for one in items(quotas, "ungrouped") {
        let found: Vec<&Value> = one.get("condition").and_then(find).into_iter().collect();
        used.extend(&found);
        cells.push(Cell { label: label_of(&found), conditions: conditions_of(&found), quota: quota(one, one) });
    }
    for one in items(quotas, "grouped") {
        let found: Vec<&Value> = items(one, "conditions").filter_map(find).collect();
        used.extend(&found);
        let label = string(one, "name").unwrap_or_else(|| label_of(&found));
        cells.push(Cell { label, conditions: conditions_of(&found), quota: quota(one, one) });
    }
    // What has no quota is a target all the same.
    for one in data.iter().filter(|one| !used.iter().any(|used| std::ptr::eq(*used, *one))) {
        cells.push(Cell { label: label_of(&[one]), conditions: conditions_of(&[one]), quota: Quota::default() });
    }
    table(profile, TableKind::Regular, cells)
}

fn legacy_interlocked(profile: &Value) -> QuotaTable {
    // One list of conditions with their texts for each question.
    let margins: Vec<Vec<Named>> = items(profile, "profiles")
        .map(legacy_regular)
        .map(|margin| {
            let axis = margin.axes.into_iter().next();
            axis.map(|axis| axis.labels.into_iter().zip(axis.conditions).collect()).unwrap_or_default()
        })
        .collect();
    let cells = items(profile.get("quotas").unwrap_or(&Value::Null), "ungrouped").map(|one| {
        let condition = one.get("condition").unwrap_or(&Value::Null);
        let label = string(condition, "text").unwrap_or_default();
        let told = related(&condition["related_condition"]);
        // Some answers say what a cell consists of in words alone.
        let conditions = if told.is_empty() { named(&label, &margins).unwrap_or_default() } else { told };
        Cell { label, conditions, quota: quota(one, one) }
    });
    let cells: Vec<Cell> = cells.collect();
    let mut read = table(profile, TableKind::Interlock, cells);
    let questions: Vec<i64> = items(profile, "depends_on_questions").filter_map(whole).collect();
    if let ([only], true) = (read.axes.as_slice(), questions.len() > 1)
        && let Some((axes, cells)) = by_text(&only.labels, &read.cells, &questions)
    {
        (read.axes, read.cells) = (axes, cells);
    }
    read
}

/// Where nothing but its text says what a cell consists of: `18-34, Male` in the order of the questions.
fn by_text(labels: &[String], quotas: &[Quota], questions: &[i64]) -> Option<(Vec<QuotaAxis>, Vec<Quota>)> {
    let split = |separator: &str| -> Option<Vec<Vec<&str>>> {
        let parts = labels.iter().map(|label| label.split(separator).map(str::trim).collect::<Vec<_>>());
        let parts: Vec<Vec<&str>> = parts.collect();
        parts.iter().all(|parts| parts.len() == questions.len()).then_some(parts)
    };
    let parts = [", ", " × ", " x ", " & ", " / "].into_iter().find_map(split)?;
    let mut axes: Vec<QuotaAxis> = Vec::new();
    for (at, question) in questions.iter().enumerate() {
        let mut axis = QuotaAxis { question: Some(*question), labels: Vec::new(), conditions: Vec::new() };
        for cell in &parts {
            if !axis.labels.iter().any(|known| known == cell[at]) {
                let range = cell[at]
                    .split_once('-')
                    .and_then(|(min, max)| Some(Condition::Range { min: min.parse().ok()?, max: max.parse().ok()? }));
                axis.labels.push(cell[at].to_owned());
                axis.conditions.push(range.map(|range| (*question, range)).into_iter().collect());
            }
        }
        axes.push(axis);
    }
    let size: usize = axes.iter().map(|axis| axis.labels.len()).product();
    let mut cells = vec![Quota::default(); (size == quotas.len()).then_some(size)?];
    let mut filled = vec![false; size];
    for (parts, quota) in parts.iter().zip(quotas) {
        let mut index = 0;
        for (axis, part) in axes.iter().zip(parts) {
            index = index * axis.labels.len() + axis.labels.iter().position(|label| label == part)?;
        }
        if std::mem::replace(filled.get_mut(index)?, true) {
            return None;
        }
        cells[index] = quota.clone();
    }
    Some((axes, cells))
}

/// The conditions whose texts a cell's text consists of: of each question the longest that is in it as whole words.
fn named(text: &str, margins: &[Vec<Named>]) -> Option<Vec<(i64, Condition)>> {
    let is_in = |label: &str| {
        let edge = |char: Option<char>| !char.is_some_and(char::is_alphanumeric);
        !label.is_empty()
            && text
                .match_indices(label)
                .any(|(at, _)| edge(text[..at].chars().next_back()) && edge(text[at + label.len()..].chars().next()))
    };
    let mut conditions = Vec::new();
    for margin in margins {
        let found = margin.iter().filter(|(label, _)| is_in(label)).max_by_key(|(label, _)| label.len())?;
        conditions.extend(found.1.iter().cloned());
    }
    Some(conditions)
}

/// What a cell consists of: a list of questions with conditions, or a map from questions to them.
pub(crate) fn related(related: &Value) -> Vec<(i64, Condition)> {
    let of = |question: i64, conditions: &Value| -> Vec<(i64, Condition)> {
        let list = conditions.get("conditions").unwrap_or(conditions);
        let list = list.as_array().map_or_else(|| std::slice::from_ref(list), Vec::as_slice);
        list.iter().filter_map(|it| Some((question, condition(it)?))).collect()
    };
    match related {
        Value::Array(parts) => {
            parts.iter().filter_map(|part| Some(of(whole(part.get("question_id")?)?, part))).flatten().collect()
        }
        Value::Object(parts) => {
            parts.iter().filter_map(|(question, part)| Some(of(question.parse().ok()?, part))).flatten().collect()
        }
        _ => Vec::new(),
    }
}

/// A condition under the names of every version.
fn condition(it: &Value) -> Option<Condition> {
    let number = |name: &str| it.get(name).and_then(whole).and_then(|number| u8::try_from(number).ok());
    let values = |name: &str| -> Vec<String> { items(it, name).filter_map(Value::as_str).map(str::to_owned).collect() };
    if it.get("allow_all_values") == Some(&Value::Bool(true)) || it.get("allow_all_zip") == Some(&Value::Bool(true)) {
        return Some(Condition::AnyValue);
    }
    if let (Some(min), Some(max)) = (number("min"), number("max")) {
        return Some(Condition::Range { min, max });
    }
    if let Some(option) = it.get("option").filter(|option| !option.is_null()) {
        return Some(Condition::Option(option.as_str().map_or_else(|| option.to_string(), str::to_owned)));
    }
    let texts = [values("open_ended_values"), values("zip_codes")].concat();
    (!texts.is_empty()).then_some(Condition::Values(texts))
}

/// The counts of a quota; its id is that of the target or its own.
fn quota(target: &Value, quota: &Value) -> Quota {
    let count = |name: &str| quota.get(name).and_then(whole).and_then(|count| u64::try_from(count).ok());
    let goal = count("completes_goal").or_else(|| count("filling_goal")).or_else(|| count("quota_nominal"));
    let id = target.get("id").or_else(|| quota.get("id"));
    Quota {
        id: id.and_then(|id| id.as_str().map(str::to_owned).or_else(|| id.as_i64().map(|id| id.to_string()))),
        target: goal,
        completes: count("completes").unwrap_or(0),
        prescreens: count("prescreens").unwrap_or(0),
    }
}

/// Cells as a table: crossed if each cell has exactly one category of each question, in a row otherwise.
fn table(profile: &Value, kind: TableKind, cells: Vec<Cell>) -> QuotaTable {
    let id = profile.get("id");
    let (axes, cells) = crossed(&cells).filter(|_| kind == TableKind::Interlock).unwrap_or_else(|| in_a_row(&cells));
    QuotaTable {
        profile: id.and_then(|id| id.as_str().map(str::to_owned).or_else(|| id.as_i64().map(|id| id.to_string()))),
        name: string(profile, "name").or_else(|| string(profile, "description")).unwrap_or_default(),
        kind,
        enabled: profile.get("quotas_enabled").and_then(Value::as_bool).unwrap_or(true),
        axes,
        cells,
    }
}

fn in_a_row(cells: &[Cell]) -> (Vec<QuotaAxis>, Vec<Quota>) {
    let mut questions = cells.iter().flat_map(|cell| &cell.conditions).map(|(question, _)| *question);
    let first = questions.next();
    let axis = QuotaAxis {
        question: first.filter(|first| questions.all(|other| other == *first)),
        labels: cells.iter().map(|cell| cell.label.clone()).collect(),
        conditions: cells.iter().map(|cell| cell.conditions.clone()).collect(),
    };
    (vec![axis], cells.iter().map(|cell| cell.quota.clone()).collect())
}

fn crossed(cells: &[Cell]) -> Option<(Vec<QuotaAxis>, Vec<Quota>)> {
    let mut axes: Vec<QuotaAxis> = Vec::new();
    let mut positions = Vec::with_capacity(cells.len());
    for cell in cells {
        let mut parts: Vec<(i64, Vec<(i64, Condition)>)> = Vec::new();
        for (question, condition) in &cell.conditions {
            let given = (*question, condition.clone());
            match parts.iter_mut().find(|(known, _)| known == question) {
                Some((_, part)) => part.push(given),
                None => parts.push((*question, vec![given])),
            }
        }
        let mut position = Vec::new();
        for (question, part) in parts {
            let axis = axes.iter().position(|axis| axis.question == Some(question)).unwrap_or_else(|| {
                axes.push(QuotaAxis { question: Some(question), labels: Vec::new(), conditions: Vec::new() });
                axes.len() - 1
            });
            let axis_at = axes.get_mut(axis)?;
            let at = axis_at.conditions.iter().position(|known| *known == part).unwrap_or_else(|| {
                let labels: Vec<String> = part.iter().map(|(_, condition)| condition.label()).collect();
                axis_at.labels.push(labels.join(", "));
                axis_at.conditions.push(part);
                axis_at.labels.len() - 1
            });
            position.push((axis, at));
        }
        positions.push(position);
    }
    if axes.len() < 2 || positions.iter().any(|position| position.len() != axes.len()) {
        return None;
    }
    let size = axes.iter().try_fold(1_usize, |size, axis| size.checked_mul(axis.labels.len()))?;
    // A table that is nearly empty is a list of cells.
    if size > cells.len().saturating_mul(8) {
        return None;
    }
    let mut table = vec![None; size];
    for (cell, position) in cells.iter().zip(positions) {
        let mut index = 0;
        for (number, axis) in axes.iter().enumerate() {
            let (_, at) = position.iter().find(|(axis, _)| *axis == number)?;
            index = index * axis.labels.len() + at;
        }
        let place = table.get_mut(index)?;
        if place.replace(cell.quota.clone()).is_some() {
            return None;
        }
    }
    Some((axes, table.into_iter().map(Option::unwrap_or_default).collect()))
}

fn items<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn string(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A whole number, also as a float or as text: Cint's samples have all three.
fn whole(value: &Value) -> Option<i64> {
    let from_float = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
    value.as_i64().or_else(|| value.as_f64().and_then(from_float)).or_else(|| value.as_str()?.trim().parse().ok())
}

fn same_id(one: &Value, other: &Value) -> bool {
    let text = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    text(one) == text(other)
}

// Writing -------------------------------------------------------------------------------------------------------------

/// One of the versions before 2025-12-18: the calls of the second edition.
macro_rules! legacy_quotas {
    ($marker:ident, $version:ident) => {
        mod quotas {
            use cintx_raw::NEW_KEY;
            use cintx_raw::$version::*;
            use serde_json::json;

            use crate::audience::ControlQuotas;
            use crate::error::Error;
            use crate::quota::QuotaTable;
            use crate::wire::audience::legacy;
            use crate::wire::quotas::{Edit, Goals, Place, QuotasWire, Replacing, read_legacy};
            use crate::wire::{from_json, to_json};

            impl QuotasWire for crate::$marker {
                async fn quotas(raw: &Client, place: Place<'_>) -> Result<Vec<QuotaTable>, Error> {
                    let Place { account, project, group } = place;
                    let answer = raw.get_profiles(account, project.as_str(), group.as_str()).await?.into_value();
                    Ok(read_legacy(&to_json(&answer)?))
                }

                async fn set_goals(
                    raw: &Client,
                    place: Place<'_>,
                    goal: Option<u64>,
                    goals: &[Goals],
                ) -> Result<(), Error> {
                    let Place { account, project, group } = place;
                    let profiles = goals.iter().map(|(profile, quotas)| {
                        let quotas = quotas.iter().map(|(id, goal)| json!({ "quota_id": id, "filling_goal": goal }));
                        json!({ "profile_id": profile, "quotas": quotas.collect::<Vec<_>>() })
                    });
                    let mut body = json!({ "profiles": profiles.collect::<Vec<_>>() });
                    if let Some(goal) = goal {
                        body["filling_goal"] = json!(goal);
                    }
                    let body: types::UpdateFillingGoalRequestBody = from_json("quotas", body)?;
                    raw.bulk_update_quotas(account, project.as_str(), group.as_str(), &body).await?;
                    Ok(())
                }

                async fn edit(
                    raw: &Client,
                    place: Place<'_>,
                    _tables: &[QuotaTable],
                    goal: u64,
                    _control: Option<&ControlQuotas>,
                    edit: Edit<'_>,
                ) -> Result<(), Error> {
                    let Place { account, project, group } = place;
                    let (project, group) = (project.as_str(), group.as_str());
                    match edit {
                        Edit::Interlock(profiles) => {
                            let body = json!({ "profiles": profiles, "target_group_filling_goal": goal });
                            let body: types::CreateInterlockedProfileRequestBody = from_json("quotas", body)?;
                            let params = CreateInterlockedProfileParams::default();
                            raw.create_interlocked_profile(account, project, group, &body, &params).await?;
                        }
                        Edit::RemoveInterlock(profile) => {
                            let params = RemoveInterlocksParams::default();
                            raw.remove_interlocks(account, project, group, profile, &params).await?;
                        }
                        Edit::Enable(profile, true) => {
                            raw.enable_quotas_v2(account, project, group, profile).await?;
                        }
                        Edit::Enable(profile, false) => {
                            raw.disable_quotas_v2(account, project, group, profile).await?;
                        }
                    }
                    Ok(())
                }

                async fn replace_profiles(
                    raw: &Client,
                    place: Place<'_>,
                    replacing: &Replacing<'_>,
                ) -> Result<(), Error> {
                    let Place { account, project, group } = place;
                    let (audience, goal) = (replacing.audience, replacing.goal);
                    audience.only_what_all_versions_have()?;
                    let mut body = json!({
                        "locale": replacing.locale,
                        "filling_goal": goal,
                        "profile_adjustment_type": "percentage",
                        "start_at": replacing.start,
                        "end_at": replacing.end,
                        "collects_pii": replacing.collects_pii,
                        "profiles": legacy::drafts(audience, goal),
                    });
                    if let Some(interlock) = audience.crossed() {
                        let context = legacy::Context {
                            locale: replacing.locale.clone(),
                            goal,
                            start: replacing.start.clone(),
                            end: replacing.end.clone(),
                            collects_pii: replacing.collects_pii,
                        };
                        let helper: types::GenerateDraftInterlockRequest =
                            from_json("audience", legacy::helper(interlock, &context)?)?;
                        let made = raw.generate_draft_interlock_profile_v2(account, NEW_KEY, &helper).await?;
                        let made = made.into_value();
                        let made = made
                            .first()
                            .ok_or_else(|| Error::incomplete("generate_draft_interlock_profile_v2", "profile"))?;
                        body["interlocked_profile"] = legacy::pasted(&to_json(made)?, interlock, goal)?;
                    }
                    let body: types::ApplyProfilesRequestBody = from_json("audience", body)?;
                    let params = ApplyProfilesV2Params::default();
                    raw.apply_profiles_v2(account, project.as_str(), group.as_str(), &body, &params).await?;
                    Ok(())
                }

                async fn delete_profiles(raw: &Client, place: Place<'_>, ids: &[String]) -> Result<(), Error> {
                    let Place { account, project, group } = place;
                    let body: types::BatchDeleteProfileRequestBody = from_json("quotas", json!({ "profiles": ids }))?;
                    raw.batch_delete_profiles_v2(account, project.as_str(), group.as_str(), &body).await?;
                    Ok(())
                }
            }
        }
    };
}
#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
pub(super) use legacy_quotas;

/// 2025-12-18: one call for goals, one for everything else.
macro_rules! modern_quotas {
    ($marker:ident, $version:ident) => {
        mod quotas {
            use cintx_raw::$version::*;
            use serde_json::{Value, json};

            use crate::audience::{Audience, ControlQuotas};
            use crate::error::Error;
            use crate::quota::QuotaTable;
            use crate::wire::audience::modern;
            use crate::wire::quotas::{
                Edit, Goals, Place, QuotasWire, Replacing, ValidatesWire, edited, read_modern, refusals_of,
            };
            use crate::wire::{from_json, to_json};

            /// Replaces all profiles.
            async fn manage(raw: &Client, place: Place<'_>, goal: u64, profiling: Value) -> Result<(), Error> {
                let Place { account, project, group } = place;
                let body = json!({ "completes_goal": goal, "profiling": profiling });
                let body: types::ManageProfilesRequestV3 = from_json("audience", body)?;
                raw.manage_target_group_profiles(account, project.as_str(), group.as_str(), &body).await?;
                Ok(())
            }

            impl QuotasWire for crate::$marker {
                async fn quotas(raw: &Client, place: Place<'_>) -> Result<Vec<QuotaTable>, Error> {
                    let Place { account, project, group } = place;
                    let answer = raw.list_profiles(account, project.as_str(), group.as_str()).await?.into_value();
                    Ok(read_modern(&to_json(&answer)?))
                }

                async fn set_goals(
                    raw: &Client,
                    place: Place<'_>,
                    goal: Option<u64>,
                    goals: &[Goals],
                ) -> Result<(), Error> {
                    let Place { account, project, group } = place;
                    let mut body = json!({});
                    if let Some(goal) = goal {
                        body["completes_goal"] = json!(goal);
                    }
                    if !goals.is_empty() {
                        let profiles = goals.iter().map(|(profile, quotas)| {
                            let targets = quotas
                                .iter()
                                .map(|(id, goal)| json!({ "id": id, "quota": { "completes_goal": goal } }));
                            json!({ "profile_id": profile, "targets": targets.collect::<Vec<_>>() })
                        });
                        body["profiles"] = Value::Array(profiles.collect());
                    }
                    let body: types::FillingGoalUpdateRequestV3 = from_json("quotas", body)?;
                    raw.update_profile_filling_goal(account, project.as_str(), group.as_str(), &body).await?;
                    Ok(())
                }

                async fn edit(
                    raw: &Client,
                    place: Place<'_>,
                    tables: &[QuotaTable],
                    goal: u64,
                    control: Option<&ControlQuotas>,
                    edit: Edit<'_>,
                ) -> Result<(), Error> {
                    manage(raw, place, goal, edited(tables, control, edit)?).await
                }

                async fn replace_profiles(
                    raw: &Client,
                    place: Place<'_>,
                    replacing: &Replacing<'_>,
                ) -> Result<(), Error> {
                    let profiling = modern::profiling(replacing.audience, replacing.goal)?;
                    manage(raw, place, replacing.goal.into(), profiling).await
                }

                async fn delete_profiles(raw: &Client, place: Place<'_>, ids: &[String]) -> Result<(), Error> {
                    let Place { account, project, group } = place;
                    let body: types::BatchProfileDeletionRequestV3 = from_json("quotas", json!({ "profile_ids": ids }))?;
                    raw.batch_delete_profiles(account, project.as_str(), group.as_str(), &body).await?;
                    Ok(())
                }
            }

            impl ValidatesWire for crate::$marker {
                async fn validate(
                    raw: &Client,
                    account: i64,
                    audience: &Audience,
                    goal: u32,
                    locale: &str,
                ) -> Result<Vec<Value>, Error> {
                    let profiling = modern::profiling(audience, goal)?;
                    let body = json!({ "locale": locale, "completes_goal": goal, "profiling": profiling });
                    let body: types::ValidateProfilesRequestV3 = from_json("audience", body)?;
                    match raw.validate_profiles(account, &body).await {
                        Ok(_) => Ok(Vec::new()),
                        Err(error) => refusals_of(error.into()),
                    }
                }
            }
        }
    };
}
#[cfg(feature = "v2025-12-18")]
pub(super) use modern_quotas;

/// What a 422 lists; any other error stays one.
#[cfg(feature = "v2025-12-18")]
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
#[cfg(feature = "v2025-12-18")]
pub(crate) fn edited(tables: &[QuotaTable], control: Option<&ControlQuotas>, edit: Edit<'_>) -> Answer<Value> {
    use serde_json::json;

    use super::audience::{modern, refused};

    let index_of = |id: &str| {
        let found = tables.iter().position(|table| table.profile.as_deref() == Some(id));
        found.ok_or_else(|| refused("profile", format!("{id} is none of this target group's")))
    };
    let mut tables = tables.to_vec();
    match edit {
        Edit::Enable(id, enabled) => {
            let index = index_of(id)?;
            let goal = tables.iter().map(QuotaTable::total).max().unwrap_or(0);
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
                });
            }
        }
        Edit::Interlock(ids) => {
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
            tables.retain(|table| !ids.iter().any(|id| table.profile.as_deref() == Some(id)));
            tables.push(interlocked(&crossed)?);
        }
    }
    let mut profiles: Vec<Value> = Vec::new();
    for table in &tables {
        let quotas_on = table.enabled && table.cells.iter().any(|quota| quota.target.is_some());
        let targets = table.cells().filter(|(_, quota)| table.kind == TableKind::Regular || quota.target.is_some());
        let targets = targets.map(|(position, quota)| {
            let of = |(axis, at): (&QuotaAxis, usize)| axis.conditions.get(at).cloned().unwrap_or_default();
            let conditions: Vec<(i64, Condition)> = table.axes.iter().zip(position.clone()).flat_map(of).collect();
            let mut target = json!({
                "object": "nominal",
                "conditions": conditions.iter().map(|(question, it)| modern::condition(*question, it)).collect::<Vec<_>>(),
            });
            if quotas_on {
                target["quota"] = json!({ "completes_goal": quota.target.unwrap_or(0) });
                if conditions.len() > position.len() {
                    target["quota"]["name"] = json!(table.label(&position));
                }
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
        let beside = Audience::side_by_side([]).control(control.clone());
        let rendered = modern::profiling(&beside, 1)?;
        profiles.extend(rendered["profiles"].as_array().into_iter().flatten().cloned());
    }
    Ok(json!({ "profile_adjustment_type": "nominal", "profiles": profiles }))
}

/// Crosses tables of one question each: whole cells that keep every target.
#[cfg(feature = "v2025-12-18")]
fn interlocked(tables: &[QuotaTable]) -> Answer<QuotaTable> {
    use cintx_quota::{Axis, SolveError, Table};

    use super::audience::refused;

    let mut builder = Table::builder();
    for table in tables {
        let counts = table.cells.iter().enumerate();
        let counts = counts.map(|(at, quota)| (format!("{} ({at})", table.label(&[at])), quota.target.unwrap_or(0)));
        builder = builder.axis(Axis::counts(table.name.clone(), counts));
    }
    let table = builder.build().map_err(|error| refused("quotas", error.to_string()))?;
    let solution = table.solve().map_err(|error| match error {
        SolveError::Infeasible(cut) => refused("quotas", format!("cannot be interlocked: {cut}")),
        error => refused("quotas", error.to_string()),
    })?;
    let cells = solution.into_cells().into_iter().map(|count| Quota { target: Some(count), ..Quota::default() });
    Ok(QuotaTable {
        profile: None,
        name: "interlock".to_owned(),
        kind: TableKind::Interlock,
        enabled: true,
        axes: tables.iter().flat_map(|table| table.axes.iter().cloned()).collect(),
        cells: cells.collect(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn range(min: u8, max: u8) -> (i64, Condition) {
        (42, Condition::Range { min, max })
    }

    #[test]
    fn what_a_cell_consists_of_is_read_from_a_list_and_from_a_map() {
        let expected = vec![range(18, 34), (43, Condition::Option("1".into()))];
        let list = json!([
            { "question_id": 42, "conditions": [{ "min": 18, "max": 34 }] },
            { "question_id": "43", "conditions": [{ "option": "1" }] },
        ]);
        assert_eq!(related(&list), expected);
        let map = json!({ "42": [{ "min": 18.0, "max": 34.0 }], "43": { "conditions": [{ "option": 1 }] } });
        assert_eq!(related(&map), expected);
        assert_eq!(related(&json!(null)), []);
        assert_eq!(related(&json!(7)), []);
    }

    fn interlocked(cell: impl Fn(usize, &str) -> Value) -> QuotaTable {
        let texts = ["18-34, Male", "18-34, Female", "35-99, Male", "35-99, Female"];
        let cells: Vec<Value> = texts.iter().enumerate().map(|(at, text)| cell(at, text)).collect();
        let profile = json!({ "id": "p", "depends_on_questions": [42, 43], "quotas": { "ungrouped": cells } });
        let answer = json!({ "data": [], "interlocked_profile": profile });
        let mut tables = read_legacy(&answer);
        assert_eq!(tables.len(), 1);
        tables.remove(0)
    }

    #[test]
    fn an_interlock_is_a_table_whether_cells_say_their_conditions_or_their_text() {
        let related = |at: usize| {
            let ((min, max), option) = ([(18, 34), (35, 99)][at / 2], ["1", "2"][at % 2]);
            json!({ "42": [{ "min": min, "max": max }], "43": [{ "option": option }] })
        };
        let told = interlocked(
            |at, text| json!({ "id": at, "completes_goal": at + 1, "condition": { "text": text, "related_condition": related(at) } }),
        );
        let named = interlocked(
            |at, text| json!({ "id": at, "quota": 0, "completes_goal": at + 1, "condition": { "text": text } }),
        );
        for table in [&told, &named] {
            assert_eq!(table.axes.iter().map(|axis| axis.question).collect::<Vec<_>>(), [Some(42), Some(43)]);
            assert_eq!(table.cell([1, 0]).unwrap().target, Some(3));
            assert_eq!(table.cell([1, 0]).unwrap().id.as_deref(), Some("2"));
        }
        assert_eq!(told.axes[1].labels, ["option 1", "option 2"]);
        assert_eq!(named.axes[1].labels, ["Male", "Female"]);
        assert_eq!(named.axes[0].conditions[0], [range(18, 34)]);
    }

    #[test]
    fn what_cannot_be_crossed_is_a_list_and_nothing_is_lost() {
        let table = interlocked(|at, _| json!({ "id": at, "completes_goal": 1, "condition": { "text": "?" } }));
        assert_eq!((table.axes.len(), table.cells.len(), table.total()), (1, 4, 4));
        assert!(read_legacy(&json!({})).is_empty());
        assert!(read_modern(&json!({ "profiles": null })).is_empty());
        let odd =
            json!({ "profiles": [{ "object": "regular", "targets": [{ "quota": null, "conditions": "x" }] }, 7] });
        assert_eq!(read_modern(&odd).len(), 2, "odd profiles do no harm");
    }
}
