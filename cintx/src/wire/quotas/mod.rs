//! Quotas of launched groups on the wire: read from any version's profiles, changed through what each version has.
//! Before 2025-12-18 that is a call for each change; from then on all profiles are read, edited and sent back.
pub(super) mod legacy;
pub(in crate::wire) mod modern;

use std::future::Future;
use std::time::Duration;

use serde_json::Value;

use super::{Answer, Place, Wire};
use crate::audience::{Audience, Condition, ControlQuotas, Question};
use crate::quota::{Goals, Quota, QuotaAxis, QuotaTable, TableKind};
use crate::target_group::TargetGroupDraft;
use crate::version::Version;
use crate::wire::audience::legacy::GOAL;
use crate::wire::json::id_text;

/// A change to the profiles of a launched group.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub enum Edit<'a> {
    Interlock { profiles: &'a [String], work: Option<u64>, time: Option<Duration> },
    RemoveInterlock(&'a str),
    Enable(&'a str, bool),
}

/// What replaces all profiles: an audience, and the group that it is for.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct Replacing<'a> {
    pub(crate) audience: &'a Audience,
    pub(crate) draft: &'a TargetGroupDraft,
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

/// The versions that validate audiences without creating anything.
#[diagnostic::on_unimplemented(
    message = "version `{Self}` cannot validate profiles",
    label = "the API of this version has no such call",
    note = "`Audience::problems` holds the published rules in every version, without a call"
)]
pub trait HasValidation: Version {
    /// A list of what is wrong, as JSON in the form of a 422; empty if nothing is.
    #[doc(hidden)]
    fn validate(
        raw: &Self::Raw,
        account: i64,
        audience: &Audience,
        goal: u32,
        locale: &str,
    ) -> impl Future<Output = Answer<Vec<Value>>> + Send;
}

/// The versions that change one profile of a launched target group by itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not change one profile in field by itself",
    note = "replace the audience: `Quotas::replace`, which says first what would be deleted"
)]
pub trait HasProfileEdits: Version {
    #[doc(hidden)]
    fn edit_profile(
        raw: &Self::Raw,
        place: Place<'_>,
        edit: ProfileEdit<'_>,
    ) -> impl Future<Output = Answer<()>> + Send;
}

/// A change to one profile of a launched group.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub enum ProfileEdit<'a> {
    Add(&'a Question),
    Conditions(&'a str, &'a Question),
    Group(&'a str, &'a Question),
    DeleteQuotas(&'a str, &'a [String]),
}

/// The profiles of a draft that was read, whatever the version.
pub(crate) fn of_draft(draft: &Value, goal: u32) -> Vec<QuotaTable> {
    match draft.get("profiling") {
        Some(profiling) => modern::of_draft(profiling, goal),
        None => legacy::of_draft(&draft["profile"], goal),
    }
}

/// One target as it was read, whatever the version.
struct Cell {
    label: String,
    conditions: Vec<(i64, Condition)>,
    quota: Quota,
}

/// A condition under the names of every version.
pub(crate) fn condition(it: &Value) -> Option<Condition> {
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
    let goal = count("completes_goal").or_else(|| count(GOAL)).or_else(|| count("quota_nominal"));
    let id = target.get("id").or_else(|| quota.get("id"));
    Quota {
        id: id.and_then(id_text),
        target: goal,
        completes: count("completes").unwrap_or(0),
        prescreens: count("prescreens").unwrap_or(0),
        counted_at: Default::default(),
    }
}

/// Cells as a table: crossed if each cell has exactly one category of each question, in a row otherwise.
fn table(profile: &Value, kind: TableKind, cells: Vec<Cell>) -> QuotaTable {
    let id = profile.get("id");
    let (axes, cells) = crossed(&cells).filter(|_| kind == TableKind::Interlock).unwrap_or_else(|| in_a_row(&cells));
    QuotaTable {
        profile: id.and_then(id_text),
        name: string(profile, "name").or_else(|| string(profile, "description")).unwrap_or_default(),
        kind,
        enabled: profile.get("quotas_enabled").and_then(Value::as_bool).unwrap_or(true),
        axes,
        cells,
        warnings: Vec::new(),
    }
}

fn in_a_row(cells: &[Cell]) -> (Vec<QuotaAxis>, Vec<Quota>) {
    let mut questions = cells.iter().flat_map(|cell| &cell.conditions).map(|(question, _)| *question);
    let first = questions.next();
    let axis = QuotaAxis {
        question: first.filter(|first| questions.all(|other| other == *first)),
        name: None,
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
                axes.push(QuotaAxis {
                    question: Some(question),
                    name: None,
                    labels: Vec::new(),
                    conditions: Vec::new(),
                });
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

pub(crate) fn items<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn string(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A whole number, also as a float or as text: Cint's samples have all three.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    let from_float = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
    value.as_i64().or_else(|| value.as_f64().and_then(from_float)).or_else(|| value.as_str()?.trim().parse().ok())
}
