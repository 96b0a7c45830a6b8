//! Quotas before 2025-12-18, second edition: regular profiles and an interlock apart, a call for each change.
//! What a cell of an interlock consists of is told by its conditions or, in some answers, by its text alone.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Cell, condition, items, quota, string, table, whole};
use crate::audience::{Condition, Question, QuestionKind};
use crate::quota::{Quota, QuotaAxis, QuotaTable, TableKind};
use crate::wire::Answer;
use crate::wire::audience::legacy::{GOAL, draft_targets};
use crate::wire::audience::refused;
use crate::wire::json::id_text;

/// A target of a question: its text, and its conditions.
type Named = (String, Vec<(i64, Condition)>);

/// The profiles of a launched group before 2025-12-18, second edition.
pub(crate) fn read_legacy(answer: &Value) -> Vec<QuotaTable> {
    let mut tables: Vec<QuotaTable> = items(answer, "data").map(legacy_regular).collect();
    let interlocked = answer.get("interlocked_profile").filter(|profile| profile.is_object());
    tables.extend(interlocked.map(legacy_interlocked));
    tables
}

/// The first of the profiles in the first edition's form, which says in percent what the second says in completes.
pub(crate) fn read_in_percent(answer: &Value) -> Option<QuotaTable> {
    let mut profile = items(answer, "data").next()?.clone();
    for kind in ["ungrouped", "grouped"] {
        let quotas = profile.pointer_mut(&format!("/quotas/{kind}")).and_then(Value::as_array_mut);
        for fields in quotas.into_iter().flatten().filter_map(Value::as_object_mut) {
            if let Some(percent) = fields.get("quota").cloned() {
                fields.insert(GOAL.to_owned(), percent);
            }
        }
    }
    Some(legacy_regular(&profile))
}

/// The conditions of a question as the calls about one profile take them.
pub(crate) fn active_conditions(question: &Question) -> Value {
    let kind = match question.kind {
        QuestionKind::Range => "range_conditions",
        QuestionKind::Choice => "selection_conditions",
        QuestionKind::Open => "zip_conditions",
    };
    let data = question.targets().iter().flat_map(|target| target.conditions()).map(|condition| match condition {
        Condition::Range { min, max } => json!({ "min": min, "max": max }),
        Condition::Option(option) => json!(option),
        Condition::Values(values) => json!({ "zip_codes": values, "allow_all_zip": false }),
        Condition::AnyValue => json!({ "zip_codes": [], "allow_all_zip": true }),
    });
    json!({ "object": kind, "data": data.collect::<Vec<_>>() })
}

/// The targets of a question that have several conditions, as a grouping of a profile that was read takes them.
pub(crate) fn grouping(answer: &Value, profile: &str, question: &Question) -> Answer<Value> {
    let found = items(answer, "data").find(|it| it.get("id").and_then(id_text).as_deref() == Some(profile));
    let found = found.ok_or_else(|| refused("profile", format!("{profile} is none of this target group's")))?;
    let mut groups = Vec::new();
    for target in question.targets().iter().filter(|target| target.conditions().len() > 1) {
        let id_of = |wanted: &Condition| {
            let it = items(&found["conditions"], "data").find(|it| condition(it).as_ref() == Some(wanted));
            it.and_then(|it| id_text(&it["id"])).ok_or_else(|| {
                refused("question", format!("counts {} together, which the profile does not have", wanted.label()))
            })
        };
        let ids = target.conditions().iter().map(id_of).collect::<Answer<Vec<_>>>()?;
        groups.push(json!({ "name": target.label(), "conditions": ids }));
    }
    Ok(json!({ "data": groups }))
}

/// The profiles of a draft, in completes: what it says in percent is rounded.
pub(crate) fn of_draft(profile: &Value, goal: u32) -> Vec<QuotaTable> {
    let in_completes = profile["profile_adjustment_type"] == "nominal";
    let quota = |it: &Value| {
        let number = |name: &str| it.get(name).and_then(whole).and_then(|number| u64::try_from(number).ok());
        let of_goal = |percent: u64| percent.saturating_mul(goal.into()).saturating_add(50) / 100;
        let (nominal, percent) = (number("quota_nominal"), number("quota_percentage").map(of_goal));
        Quota { target: if in_completes { nominal.or(percent) } else { percent.or(nominal) }, ..Quota::default() }
    };
    let regular = items(profile, "drafts").map(|one| {
        let cells = draft_targets(one).into_iter().map(|target| {
            let labels = || target.conditions.iter().map(|(_, it)| it.label()).collect::<Vec<_>>().join(", ");
            let label = target.name.map_or_else(labels, str::to_owned);
            Cell { label, quota: target.quota.map(quota).unwrap_or_default(), conditions: target.conditions }
        });
        table(one, TableKind::Regular, cells.collect())
    });
    let interlocked = items(profile, "interlocked_profiles").map(|one| {
        let cells = items(&one["quotas"], "ungrouped").map(|cell| Cell {
            label: string(&cell["condition"], "text").unwrap_or_default(),
            conditions: related(&cell["condition"]["related_condition"]),
            quota: quota(cell),
        });
        table(one, TableKind::Interlock, cells.collect())
    });
    regular.chain(interlocked).collect()
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
        // One condition, which the first edition tells as a list of one.
        let listed = items(one, "conditions").filter_map(find);
        let found: Vec<&Value> = one.get("condition").and_then(find).into_iter().chain(listed).collect();
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
        let conditions = if told.is_empty() { conditions_in(&label, &margins).unwrap_or_default() } else { told };
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
    let only = |(label, conditions): &Named| match conditions.as_slice() {
        [(question, Condition::Option(option))] => Some(((*question, option.clone()), label.clone())),
        _ => None,
    };
    for inner in items(profile, "profiles") {
        let question = inner.get("question_id").and_then(whole);
        for axis in read.axes.iter_mut().filter(|axis| axis.question.is_some() && axis.question == question) {
            axis.name = string(inner, "name");
        }
    }
    let names: HashMap<(i64, String), String> = margins.iter().flatten().filter_map(only).collect();
    read.rename(|question, option| names.get(&(question, option.to_owned())).cloned());
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
        let mut axis = QuotaAxis { question: Some(*question), name: None, labels: Vec::new(), conditions: Vec::new() };
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
fn conditions_in(text: &str, margins: &[Vec<Named>]) -> Option<Vec<(i64, Condition)>> {
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

fn same_id(one: &Value, other: &Value) -> bool {
    id_text(one).is_some_and(|one| id_text(other) == Some(one))
}

#[cfg(test)]
mod tests {
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
        let told = interlocked(|at, text| {
            let condition = json!({ "text": text, "related_condition": related(at) });
            json!({ "id": at, "completes_goal": at + 1, "condition": condition })
        });
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

    /// The guide's answers to an interlock of five completes and to its removal. Beside the cells, its interlock still
    /// tells the goals that the profiles had before; after the removal they are the sums of the cells, the targets come
    /// in another order, and a percentage is a little off. The cells count.
    #[test]
    fn the_guides_answers_are_read_by_their_cells_and_come_apart_into_the_same_sums() {
        let bands = [(18, 24), (25, 35), (36, 45)];
        let goals = [0, 1, 1, 1, 1, 1];
        let cell = |at: usize| {
            let ((min, max), option) = (bands[at / 2], ["1", "2"][at % 2]);
            json!({
                "id": format!("c{at}"), "legacy_id": (303 + at).to_string(), "quota_percentage": 20 * goals[at],
                "quota": goals[at], "filling_goal": goals[at], "prescreens": 0, "completes": 0,
                "completes_goal": goals[at],
                "condition": { "id": format!("c{at}"), "option": (at + 1).to_string(), "related_condition": {
                    "42": [{ "text": "a band", "min": min, "max": max }], "43": [{ "text": "one", "option": option }],
                } },
            })
        };
        // Each condition with its id; quotas as they come, each with its condition, goal and percentage.
        let profile = |question: i64, conditions: &[Value], quotas: &[(&str, u64, f64)]| {
            let kind = if question == 42 { "range" } else { "selection" };
            let quotas = quotas.iter().map(|(condition, goal, percentage)| {
                json!({ "id": condition, "condition": condition, "quota_percentage": percentage, "quota": goal,
                        "filling_goal": goal, "completes_goal": goal, "completes": 0, "prescreens": 0 })
            });
            json!({ "id": format!("p{question}"), "legacy_id": "246", "question_id": question, "quotas_enabled": true,
                    "conditions": { "object": format!("{kind}_conditions_details_template"), "data": conditions },
                    "quotas": { "ungrouped": quotas.collect::<Vec<_>>(), "grouped": [] } })
        };
        let ages = [("KW", 18, 24), ("KX", 25, 35), ("KY", 36, 45)]
            .map(|(id, min, max)| json!({ "id": id, "text": format!("{min} to {max}"), "min": min, "max": max }));
        let genders = [("M0", "Male", "1"), ("M1", "Female", "2")]
            .map(|(id, text, option)| json!({ "id": id, "text": text, "option": option }));

        let crossed = json!({ "data": [], "interlocked_profile": {
            "id": "i", "name": "AGE, GENDER", "quotas_enabled": true, "depends_on_questions": [42, 43],
            "quotas": { "ungrouped": (0..6).map(cell).collect::<Vec<_>>(), "grouped": [] },
            "profiles": [
                profile(42, &ages, &[("KW", 2, 40.0), ("KX", 2, 40.0), ("KY", 1, 20.0)]),
                profile(43, &genders, &[("M0", 3, 60.0), ("M1", 3, 60.0)]),
            ],
        } });
        let read = read_legacy(&crossed);
        assert_eq!(
            read.iter().map(|table| (table.kind(), table.total())).collect::<Vec<_>>(),
            [(TableKind::Interlock, 5)]
        );
        let sums = |table: &QuotaTable, axis: usize| -> Vec<u64> {
            table.margin(axis).iter().filter_map(|sum| sum.target).collect()
        };
        assert_eq!((sums(&read[0], 0), sums(&read[0], 1)), (vec![1, 2, 2], vec![2, 3]));
        assert_eq!(read[0].cell([0, 0]).and_then(|quota| quota.id.clone()).as_deref(), Some("c0"));

        let apart = json!({ "data": [
            profile(42, &ages, &[("KY", 2, 40.0), ("KX", 2, 40.0), ("KW", 1, 20.0)]),
            profile(43, &genders, &[("M0", 2, 40.0), ("M1", 3, 60.000004)]),
        ] });
        let tables = read_legacy(&apart);
        for (axis, table) in tables.iter().enumerate() {
            let told = &read[0].axes()[axis];
            for (at, conditions) in told.conditions.iter().enumerate() {
                let own = table.axes()[0].conditions.iter().position(|own| own == conditions);
                let goal = own.and_then(|own| table.cell([own])).and_then(|quota| quota.target);
                assert_eq!(goal, Some(sums(&read[0], axis)[at]), "{}", told.labels[at]);
            }
        }
    }

    #[test]
    fn what_cannot_be_crossed_is_a_list_and_nothing_is_lost() {
        let table = interlocked(|at, _| json!({ "id": at, "completes_goal": 1, "condition": { "text": "?" } }));
        assert_eq!((table.axes.len(), table.cells.len(), table.total()), (1, 4, 4));
        assert!(read_legacy(&json!({})).is_empty());
    }
}
