//! 2024-12-02 and 2025-02-17: a profile for each question, quotas that name its conditions by index, whole percents,
//! and an interlock that a helper of the API has made first.

use serde_json::{Value, json};

use super::refused;
use crate::audience::solve::Scale;
use crate::audience::{Audience, Condition, Conditions, Interlock, Question, QuestionKind, Shape, Share};
use crate::error::Error;
use crate::quota::TableKind;
use crate::wire::json::id_text;
use crate::wire::quotas::{self, items};

/// What both versions call the completes that are wanted.
pub(crate) const GOAL: &str = "filling_goal";
/// The same where the goals of single quotas stand beside it.
pub(crate) const GROUP_GOAL: &str = "target_group_filling_goal";

/// Which request a profile is for: they name the same conditions differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A draft, or a request of the second edition.
    Draft,
    /// The helper that crosses profiles.
    Helper,
    /// Feasibility.
    Feasibility,
}

/// Everything that the helper needs to know.
pub(crate) struct Context {
    pub(crate) locale: String,
    pub(crate) goal: u32,
    pub(crate) start: String,
    pub(crate) end: String,
    pub(crate) collects_pii: bool,
}

/// Refuses what came with 2025-12-18.
pub(crate) fn refuse_newer(audience: &Audience) -> Result<(), Error> {
    if audience.template.is_some() {
        let reason = "has a template, which exists from 2025-12-18 on: give the questions instead";
        return Err(refused("audience", reason));
    }
    if audience.control.is_some() {
        let reason = "has control quotas, which exist from 2025-12-18 on: interlock the questions instead";
        return Err(refused("audience", reason));
    }
    Ok(())
}

/// One question's profile.
pub(crate) fn profile(question: &Question, goal: u32, form: Form) -> Value {
    let kind = match question.kind {
        QuestionKind::Range => "range",
        QuestionKind::Choice => "selection",
        QuestionKind::Open => "zip",
    };
    let suffix = if form == Form::Draft { "_template" } else { "" };
    let mut data = Vec::new();
    let (mut ungrouped, mut grouped) = (Vec::new(), Vec::new());
    let goal = u64::from(goal);
    let quotas = question.counts(100, goal).into_iter().zip(question.counts(goal, goal));
    for (target, (percent, count)) in question.targets().iter().zip(quotas) {
        let first = data.len();
        data.extend(target.conditions().iter().map(|it| condition(it, form)));
        let indexes: Vec<usize> = (first..data.len()).collect();
        let (Some(percent), Some(count)) = (percent, count) else { continue };
        let mut quota = json!({ "quota_percentage": percent });
        if form != Form::Feasibility {
            quota["quota_nominal"] = json!(count);
        }
        if let [index] = indexes.as_slice() {
            quota["index"] = json!(index);
            ungrouped.push(quota);
        } else {
            quota["indexes"] = json!(indexes);
            // Feasibility takes no names.
            if form != Form::Feasibility {
                quota["name"] = json!(target.label());
            }
            grouped.push(quota);
        }
    }
    let mut profile = json!({
        "question_id": question.id(),
        "conditions": { "object": format!("{kind}_conditions_details{suffix}"), "data": data },
        "quotas": { "ungrouped": ungrouped, "grouped": grouped },
    });
    if form != Form::Feasibility {
        profile["quotas_enabled"] = json!(question.has_quotas());
    }
    profile
}

fn condition(condition: &Condition, form: Form) -> Value {
    let mut json = match condition {
        Condition::Range { min, max } => json!({ "min": min, "max": max }),
        Condition::Option(option) => json!({ "option": option }),
        Condition::Values(values) => json!({ "zip_codes": values, "allow_all_zip": false }),
        Condition::AnyValue => json!({ "zip_codes": [], "allow_all_zip": true }),
    };
    if form == Form::Helper {
        json["text"] = json!(condition.label());
    }
    json
}

/// The profile of each question that stands alone, as requests for feasibility have it.
pub(crate) fn feasibility(audience: &Audience, goal: u32) -> Vec<Value> {
    audience.questions.iter().map(|question| profile(question, goal, Form::Feasibility)).collect()
}

/// A cell of crossed questions, as requests for feasibility have it.
pub(crate) struct FeasibilityCell {
    pub(crate) related: Vec<Value>,
    pub(crate) conditions: Vec<(i64, Condition)>,
    pub(crate) percent: u64,
}

/// The cells of crossed questions, with their whole percentages.
pub(crate) fn feasibility_cells(interlock: &Interlock, goal: u32) -> Result<Vec<FeasibilityCell>, Error> {
    let cells = interlock.cells_at(Scale::parts(100, goal.into())).map_err(|reason| refused("audience", reason))?;
    let cell = |(index, percent): (usize, u64)| {
        let (mut related, mut conditions) = (Vec::new(), Vec::new());
        for (question, target) in interlock.targets_at(index) {
            let of: Vec<Value> = target.conditions().iter().map(|it| condition(it, Form::Feasibility)).collect();
            related.push(json!({ "question_id": question.id(), "conditions": of }));
            conditions.extend(target.conditions().iter().map(|it| (question.id(), it.clone())));
        }
        FeasibilityCell { related, conditions, percent }
    };
    Ok(cells.into_iter().enumerate().map(cell).collect())
}

/// The profiles side by side.
pub(crate) fn drafts(audience: &Audience, goal: u32) -> Vec<Value> {
    audience.questions.iter().map(|question| profile(question, goal, Form::Draft)).collect()
}

/// The helper's request. It knows no groups.
pub(crate) fn helper(interlock: &Interlock, context: &Context) -> Result<Value, Error> {
    for question in interlock.questions() {
        if let Some(index) = question.targets().iter().position(|target| target.conditions().len() > 1) {
            let call = question.call(Some(index));
            let text = "conditions that are counted together cannot be interlocked before 2025-12-18";
            return Err(refused("audience", format!("{call}: {text}")));
        }
    }
    let profiles: Vec<Value> =
        interlock.questions().iter().map(|question| profile(question, context.goal, Form::Helper)).collect();
    Ok(json!({
        "locale": context.locale,
        GROUP_GOAL: context.goal,
        "profile_adjustment_type": "percentage",
        "start_at": context.start,
        "end_at": context.end,
        "collects_pii": context.collects_pii,
        "profiles": profiles,
    }))
}

/// The helper's profile as a request takes it, each cell with its percentage from our table.
pub(crate) fn percentages_of_cells(
    operation: &'static cintx_raw::Operation,
    made: &Value,
    interlock: &Interlock,
    goal: u32,
) -> Result<Value, Error> {
    let lacks = |missing| Error::incomplete(operation, missing);
    // Percentages are whole numbers here, so the table is solved for a hundred.
    let cells = interlock.cells_at(Scale::parts(100, goal.into())).map_err(|reason| refused("audience", reason))?;
    let questions = interlock.questions();
    let mut ungrouped = Vec::new();
    let mut used = vec![false; cells.len()];
    for cell in made.pointer("/quotas/ungrouped").and_then(Value::as_array).into_iter().flatten() {
        let condition =
            cell.get("condition").filter(|it| it.is_object()).ok_or_else(|| lacks("condition of a cell"))?;
        let index = position(&condition["related_condition"], questions)
            .filter(|index| !std::mem::replace(&mut used[*index], true))
            .ok_or_else(|| lacks("conditions that were asked for"))?;
        ungrouped.push(json!({
            "id": id_text(&cell["id"]),
            "quota_percentage": cells[index],
            "condition": { "id": id_text(&condition["id"]), "option": condition["option"] },
        }));
    }
    if ungrouped.len() != cells.len() {
        return Err(lacks("cell for each combination of conditions"));
    }
    let id = id_text(&made["id"]).ok_or_else(|| lacks("id"))?;
    let participants = made["profiles"].as_array().into_iter().flatten().map(|profile| {
        json!({
            "id": id_text(&profile["id"]), "interlock_id": id, "question_id": profile["question_id"],
            "quotas_enabled": true,
        })
    });
    Ok(without_nulls(json!({
        "id": id,
        "name": made["name"],
        "depends_on_questions": questions.iter().map(Question::id).collect::<Vec<_>>(),
        "profiles": participants.collect::<Vec<_>>(),
        "quotas": { "ungrouped": ungrouped },
        "quotas_enabled": true,
    })))
}

/// Which cell consists of these conditions.
fn position(related: &Value, questions: &[Question]) -> Option<usize> {
    let related = crate::wire::quotas::legacy::related(related);
    questions.iter().try_fold(0, |index, question| {
        let at = question.targets().iter().position(|target| {
            *target.share() != Share::Open
                && target.conditions().iter().all(|it| related.contains(&(question.id(), it.clone())))
        })?;
        Some(index * question.targets().len() + at)
    })
}

fn without_nulls(mut json: Value) -> Value {
    match &mut json {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(|value| *value = without_nulls(value.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| *value = without_nulls(value.take())),
        _ => {}
    }
    json
}

/// What the profiles of a draft that was read come to, in whole percent.
pub(crate) fn shape(profile: &Value) -> Shape {
    let cells = |one| draft_targets(one).into_iter().map(|it| (it.conditions, it.quota.and_then(percent))).collect();
    let regular = items(profile, "drafts").map(|one| (TableKind::Regular, cells(one)));
    let interlocked = items(profile, "interlocked_profiles").map(|one| {
        let cells = items(&one["quotas"], "ungrouped")
            .map(|cell| (quotas::legacy::related(&cell["condition"]["related_condition"]), percent(cell)));
        (TableKind::Interlock, cells.collect())
    });
    Shape::of(regular.chain(interlocked))
}

fn percent(quota: &Value) -> Option<u64> {
    quotas::whole(&quota["quota_percentage"]).and_then(|percent| percent.try_into().ok())
}

/// A target of a draft that was read: its quota as it came, if it has one.
pub(crate) struct DraftTarget<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) conditions: Conditions,
    pub(crate) quota: Option<&'a Value>,
}

/// The targets of a profile of a draft.
pub(crate) fn draft_targets(profile: &Value) -> Vec<DraftTarget<'_>> {
    let question = quotas::whole(&profile["question_id"]).unwrap_or(0);
    let data: Vec<_> = items(&profile["conditions"], "data").map(|it| (question, quotas::condition(it))).collect();
    let at = |index: &Value| {
        let (question, condition) = data.get(usize::try_from(quotas::whole(index)?).ok()?)?;
        Some((*question, condition.clone()?))
    };
    let enabled = profile["quotas_enabled"].as_bool().unwrap_or(true);
    let target = |quota, conditions| DraftTarget { name: None, conditions, quota: Some(quota).filter(|_| enabled) };
    let ungrouped = items(&profile["quotas"], "ungrouped").map(|one| target(one, Vec::from_iter(at(&one["index"]))));
    let grouped = items(&profile["quotas"], "grouped").map(|one| DraftTarget {
        name: one["name"].as_str().filter(|name| !name.is_empty()),
        ..target(one, items(one, "indexes").filter_map(at).collect())
    });
    let mut targets: Vec<DraftTarget<'_>> = ungrouped.chain(grouped).collect();
    // What has no quota is a target all the same.
    for (question, condition) in &data {
        let alone: Vec<_> = condition.clone().into_iter().map(|condition| (*question, condition)).collect();
        if !targets.iter().any(|target| alone.iter().all(|it| target.conditions.contains(it))) {
            targets.push(DraftTarget { name: None, conditions: alone, quota: None });
        }
    }
    targets
}
