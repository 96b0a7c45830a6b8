//! 2025-12-18: one list of profiles, each target with its conditions and its quota.
//! Counts where nothing else was asked for; percentages with two decimals that add up to 100.

use serde_json::{Value, json};

use super::refused;
use crate::audience::{Audience, Condition, Interlock, Question, Share, Target, Unit};
use crate::error::Error;

/// Hundredths of a percent in everything.
const HUNDREDTHS: u64 = 10_000;

/// The `profiling` of a request, without profiles if the audience has none of its own.
pub(crate) fn profiling(audience: &Audience, goal: u32) -> Result<Value, Error> {
    let mut profiling = json!({ "profile_adjustment_type": adjustment(audience) });
    let profiles = profiles(audience, goal)?;
    if !profiles.is_empty() {
        profiling["profiles"] = Value::Array(profiles);
    }
    if let Some(template) = &audience.template {
        profiling["template_id"] = json!(template);
    }
    Ok(profiling)
}

/// The `profiling` of a feasibility request: the same, less what that one does not take.
pub(crate) fn feasibility(audience: &Audience, goal: u32) -> Result<Value, Error> {
    let mut profiles = profiles(audience, goal)?;
    for profile in &mut profiles {
        if let Some(fields) = profile.as_object_mut() {
            fields.remove("name");
        }
        for target in profile.get_mut("targets").and_then(Value::as_array_mut).into_iter().flatten() {
            let name = target.get_mut("quota").and_then(Value::as_object_mut).and_then(|quota| quota.remove("name"));
            if let Some(fields) = target.as_object_mut() {
                fields.remove("object");
                fields.extend(name.map(|name| ("name".to_owned(), name)));
            }
        }
    }
    Ok(json!({ "profile_adjustment_type": adjustment(audience), "profiles": profiles }))
}

fn adjustment(audience: &Audience) -> &'static str {
    if audience.in_percent { "percentage" } else { "nominal" }
}

fn profiles(audience: &Audience, goal: u32) -> Result<Vec<Value>, Error> {
    let mut profiles = Vec::new();
    for question in &audience.questions {
        profiles.push(regular(question, audience.in_percent, goal)?);
    }
    if let Some(interlock) = &audience.interlock {
        profiles.push(blended(interlock, audience, goal)?);
    }
    if let Some(control) = &audience.control {
        let targets: Vec<Value> = control
            .targets
            .iter()
            .map(|target| {
                let conditions = target.conditions.iter().map(|(question, it)| condition(*question, it)).collect();
                let count = u64::from(target.completes);
                let count = if audience.in_percent { count * HUNDREDTHS / u64::from(goal.max(1)) } else { count };
                with_quota(conditions, Some(&target.name), Some(count), audience.in_percent)
            })
            .collect();
        profiles.push(json!({
            "object": "blended", "blended_type": "control", "name": control.name, "quotas_enabled": true,
            "targets": targets,
        }));
    }
    Ok(profiles)
}

pub(crate) fn regular(question: &Question, in_percent: bool, goal: u32) -> Result<Value, Error> {
    let open = question.targets().iter().filter(|target| *target.share() == Share::Open).count();
    if question.has_quotas() && open > 0 && open < question.targets().len() {
        let rule = if in_percent { "completes_goal_percentage" } else { "completes_goal" };
        let text = "some targets have a share and some have none, and this version wants one for each";
        let call = question.call(None);
        return Err(refused(
            "audience",
            format!("{call}: {text} ({rule}_must_be_populated_for_quota_enabled_profile)"),
        ));
    }
    let total = if in_percent { HUNDREDTHS } else { u64::from(goal) };
    let counts = question.counts(total, u64::from(goal));
    let enabled = question.has_quotas() && open == 0;
    let targets = question.targets().iter().zip(counts);
    let targets: Vec<Value> = targets
        .map(|(target, count)| {
            with_quota(conditions(question, target), target.name(), count.filter(|_| enabled), in_percent)
        })
        .collect();
    Ok(json!({ "object": "regular", "quotas_enabled": enabled, "targets": targets }))
}

fn blended(interlock: &Interlock, audience: &Audience, goal: u32) -> Result<Value, Error> {
    let in_percent = audience.in_percent;
    let cells = interlock.cells_at(audience.scale(Some(goal), Unit::Completes));
    let cells = cells.map_err(|reason| refused("audience", reason))?;
    let targets = cells.into_iter().enumerate().map(|(index, count)| {
        let chosen: Vec<_> = interlock.targets_at(index).collect();
        let several = chosen.iter().any(|(_, target)| target.conditions().len() > 1);
        let labels: Vec<String> = chosen.iter().map(|(_, target)| target.label()).collect();
        let name = several.then(|| labels.join(" × "));
        let conditions = chosen.iter().flat_map(|(question, target)| conditions(question, target)).collect();
        with_quota(conditions, name.as_deref(), Some(count), in_percent)
    });
    Ok(json!({
        "object": "blended", "blended_type": "interlock", "name": "interlock", "quotas_enabled": true,
        "targets": targets.collect::<Vec<_>>(),
    }))
}

fn with_quota(conditions: Vec<Value>, name: Option<&str>, count: Option<u64>, in_percent: bool) -> Value {
    let mut target = json!({ "conditions": conditions });
    let mut quota = match count {
        Some(hundredths) if in_percent => json!({ "completes_goal_percentage": hundredths as f64 / 100.0 }),
        Some(completes) => json!({ "completes_goal": completes }),
        None => Value::Null,
    };
    if let (Some(name), Some(fields)) = (name, quota.as_object_mut()) {
        fields.insert("name".to_owned(), json!(name));
    }
    match quota {
        // The document asks for it where there is no quota.
        Value::Null => target["object"] = json!("nominal"),
        quota => target["quota"] = quota,
    }
    target
}

fn conditions(question: &Question, target: &Target) -> Vec<Value> {
    target.conditions().iter().map(|it| condition(question.id(), it)).collect()
}

pub(crate) fn condition(question: i64, condition: &Condition) -> Value {
    match condition {
        Condition::Range { min, max } => json!({ "object": "range", "question_id": question, "min": min, "max": max }),
        Condition::Option(option) => json!({ "object": "selection", "question_id": question, "option": option }),
        Condition::Values(values) => json!({
            "object": "open_ended", "question_id": question, "allow_all_values": false, "open_ended_values": values,
        }),
        Condition::AnyValue => json!({
            "object": "open_ended", "question_id": question, "allow_all_values": true, "open_ended_values": null,
        }),
    }
}
