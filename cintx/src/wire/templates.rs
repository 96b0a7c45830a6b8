//! Profile templates on the wire. Before 2025-12-18 quotas name conditions by their place in a list; from then on each
//! target has its conditions and its quota.

use std::future::Future;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Value, json};

use super::json::decimal;
use super::read::Missing;
use super::{Answer, Wire};
use crate::paging::{PageRequest, RawPage};
use crate::profile_template::{
    ProfileTemplate, ProfileTemplateSettings, ProfileTemplateSummary, TemplateCondition, TemplateFilter, TemplateForm,
    TemplateProfile, TemplateTarget,
};
use crate::types::ids::ProfileTemplateId;

#[doc(hidden)]
pub trait TemplatesWire: Wire {
    /// What it asks of templates.
    const FORM: TemplateForm;

    fn profile_templates(
        raw: &Self::Raw,
        account: i64,
        filter: &TemplateFilter,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<ProfileTemplateSummary>>> + Send;

    fn create_profile_template(
        raw: &Self::Raw,
        account: i64,
        settings: &ProfileTemplateSettings,
    ) -> impl Future<Output = Answer<ProfileTemplate>> + Send;

    fn profile_template(
        raw: &Self::Raw,
        account: i64,
        id: &ProfileTemplateId,
    ) -> impl Future<Output = Answer<ProfileTemplate>> + Send;

    fn edit_profile_template(
        raw: &Self::Raw,
        account: i64,
        id: &ProfileTemplateId,
        settings: &ProfileTemplateSettings,
    ) -> impl Future<Output = Answer<ProfileTemplate>> + Send;

    fn delete_profile_template(
        raw: &Self::Raw,
        account: i64,
        id: &ProfileTemplateId,
    ) -> impl Future<Output = Answer<()>> + Send;
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).filter_map(text).collect()
}

/// A whole number, or text that is one.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// A share, if there is one: a number, or text that is one. What is written back without it would have no quota.
fn share(value: &Value) -> Result<Option<Decimal>, Missing> {
    let share = (!value.is_null()).then(|| decimal(value).ok_or(Missing("percentage that can be read")));
    Ok(share.transpose()?.map(|share| share.normalize()))
}

/// The body of a request.
fn body(settings: &ProfileTemplateSettings, content: (&str, Value)) -> Value {
    let mut body = json!({
        "name": settings.name,
        "locales": settings.locales.iter().map(ToString::to_string).collect::<Vec<_>>(),
        content.0: content.1,
    });
    if !settings.label.is_empty() {
        body["label"] = json!(settings.label);
    }
    if let Some(description) = &settings.description {
        body["description"] = json!(description);
    }
    body
}

fn with_texts(mut value: Value, parts: [(&str, &Option<String>); 2]) -> Value {
    for (name, text) in parts {
        if let Some(text) = text {
            value[name] = json!(text);
        }
    }
    value
}

/// What both forms of an answer have in common.
fn settings(wire: &Value, profiles: Result<Vec<TemplateProfile>, Missing>) -> Result<ProfileTemplateSettings, Missing> {
    let locales: Option<Vec<_>> = list(&wire["locales"]).map(|locale| locale.as_str()?.parse().ok()).collect();
    Ok(ProfileTemplateSettings {
        name: text(&wire["name"]).ok_or(Missing("name"))?,
        label: text(&wire["label"]).unwrap_or_default(),
        description: text(&wire["description"]),
        locales: locales.ok_or(Missing("locales"))?,
        profiles: profiles?,
    })
}

/// Targets that have their conditions and their quota.
pub(crate) mod by_target {
    use super::*;

    pub(crate) const FORM: TemplateForm = TemplateForm { label: true, decimals: 2 };

    fn condition(question: i64, condition: &TemplateCondition) -> Value {
        match condition {
            TemplateCondition::Range { min, max } => {
                json!({ "object": "range", "question_id": question, "min": min, "max": max })
            }
            TemplateCondition::Option(option) => {
                json!({ "object": "selection", "question_id": question, "option": option })
            }
            TemplateCondition::Texts(texts) => {
                let values = if texts.is_empty() { Value::Null } else { json!(texts) };
                json!({
                    "object": "open_ended", "question_id": question,
                    "allow_all_values": texts.is_empty(), "open_ended_values": values,
                })
            }
            TemplateCondition::Unknown(value) => value.clone(),
        }
    }

    fn profile(profile: &TemplateProfile) -> Value {
        let targets = profile.targets.iter().map(|target| {
            let conditions = target.conditions.iter().map(|given| condition(profile.question, given));
            let mut value = json!({ "conditions": conditions.collect::<Vec<_>>() });
            if let Some(share) = target.percentage.and_then(|share| share.to_f64()) {
                value["quota"] = json!({ "completes_goal_percentage": share });
            }
            with_texts(value, [("name", &target.name), ("text", &None)])
        });
        let value = json!({
            "object": "regular",
            "quotas_enabled": profile.targets.iter().any(|target| target.percentage.is_some()),
            "targets": targets.collect::<Vec<_>>(),
        });
        with_texts(value, [("name", &profile.name), ("description", &profile.description)])
    }

    pub(crate) fn write(settings: &ProfileTemplateSettings) -> Value {
        let profiles: Vec<Value> = settings.profiles.iter().map(profile).collect();
        body(settings, ("profiling", json!({ "profile_adjustment_type": "percentage", "profiles": profiles })))
    }

    fn read_condition(wire: &Value) -> Result<TemplateCondition, Missing> {
        match wire["object"].as_str() {
            Some("range") => Ok(TemplateCondition::Range {
                min: wire["min"].as_i64().ok_or(Missing("min"))?,
                max: wire["max"].as_i64().ok_or(Missing("max"))?,
            }),
            Some("selection") => Ok(TemplateCondition::Option(text(&wire["option"]).ok_or(Missing("option"))?)),
            // A list beside the word that any text will do says nothing.
            Some("open_ended") if wire["allow_all_values"] == true => Ok(TemplateCondition::Texts(Vec::new())),
            Some("open_ended") => Ok(TemplateCondition::Texts(texts(&wire["open_ended_values"]))),
            _ => Ok(TemplateCondition::Unknown(wire.clone())),
        }
    }

    fn read_profile(wire: &Value) -> Result<TemplateProfile, Missing> {
        let mut question = None;
        let quotas = wire["quotas_enabled"].as_bool().unwrap_or(true);
        let targets = list(&wire["targets"]).map(|target| {
            let conditions = list(&target["conditions"]).map(|condition| {
                question = question.or_else(|| number(&condition["question_id"]));
                read_condition(condition)
            });
            let conditions = conditions.collect::<Result<_, _>>()?;
            let percentage = share(&target["quota"]["completes_goal_percentage"])?.filter(|_| quotas);
            Ok(TemplateTarget { name: text(&target["name"]), conditions, percentage })
        });
        let targets = targets.collect::<Result<_, _>>()?;
        Ok(TemplateProfile {
            question: question.ok_or(Missing("question_id"))?,
            name: text(&wire["name"]),
            description: text(&wire["description"]),
            targets,
        })
    }

    pub(crate) fn read(wire: &Value) -> Result<ProfileTemplateSettings, Missing> {
        settings(wire, list(&wire["profiling"]["profiles"]).map(read_profile).collect())
    }
}

/// Quotas that name conditions by their place.
pub(crate) mod by_place {
    use super::*;

    pub(crate) const FORM: TemplateForm = TemplateForm { label: false, decimals: 0 };

    const SELECTION: &str = "selection_conditions_details_template";

    fn condition(condition: &TemplateCondition) -> Value {
        match condition {
            TemplateCondition::Range { min, max } => json!({ "min": min, "max": max }),
            TemplateCondition::Option(option) => json!({ "option": option }),
            TemplateCondition::Texts(texts) => json!({ "allow_all_zip": texts.is_empty(), "zip_codes": texts }),
            TemplateCondition::Unknown(value) => value.clone(),
        }
    }

    fn profile(profile: &TemplateProfile) -> Value {
        let (mut data, mut ungrouped, mut grouped) = (Vec::new(), Vec::new(), Vec::new());
        let mut object = SELECTION;
        for target in &profile.targets {
            let places: Vec<usize> = (data.len()..data.len() + target.conditions.len()).collect();
            for given in &target.conditions {
                object = match given {
                    TemplateCondition::Range { .. } => "range_conditions_details_template",
                    TemplateCondition::Option(_) | TemplateCondition::Unknown(_) => SELECTION,
                    TemplateCondition::Texts(_) => "zip_conditions_details_template",
                };
                data.push(condition(given));
            }
            let Some(share) = target.percentage.and_then(|share| share.to_i64()) else { continue };
            match (&places[..], &target.name) {
                ([place], None) => ungrouped.push(json!({ "index": place, "quota_percentage": share })),
                _ => {
                    let value = json!({ "indexes": places, "quota_percentage": share });
                    grouped.push(with_texts(value, [("name", &target.name), ("text", &None)]));
                }
            }
        }
        let value = json!({
            "question_id": profile.question,
            "conditions": { "object": object, "data": data },
            "quotas": { "ungrouped": ungrouped, "grouped": grouped },
        });
        with_texts(value, [("name", &profile.name), ("description", &profile.description)])
    }

    pub(crate) fn write(settings: &ProfileTemplateSettings) -> Value {
        body(settings, ("profiles", settings.profiles.iter().map(profile).collect()))
    }

    fn read_condition(wire: &Value) -> Result<TemplateCondition, Missing> {
        if let (Some(min), Some(max)) = (wire["min"].as_i64(), wire["max"].as_i64()) {
            return Ok(TemplateCondition::Range { min, max });
        }
        if let Some(option) = text(&wire["option"]) {
            return Ok(TemplateCondition::Option(option));
        }
        if wire["allow_all_zip"] == true {
            return Ok(TemplateCondition::Texts(Vec::new()));
        }
        if wire["zip_codes"].is_array() || wire["allow_all_zip"].is_boolean() {
            return Ok(TemplateCondition::Texts(texts(&wire["zip_codes"])));
        }
        Err(Missing("condition of a kind that is known"))
    }

    fn read_profile(wire: &Value) -> Result<TemplateProfile, Missing> {
        let conditions: Vec<TemplateCondition> =
            list(&wire["conditions"]["data"]).map(read_condition).collect::<Result<_, _>>()?;
        let quotas = &wire["quotas"];
        let mut places: Vec<(Vec<u64>, Option<String>, Option<Decimal>)> = Vec::new();
        for quota in list(&quotas["ungrouped"]) {
            places.push((quota["index"].as_u64().into_iter().collect(), None, share(&quota["quota_percentage"])?));
        }
        for quota in list(&quotas["grouped"]) {
            let indexes = list(&quota["indexes"]).filter_map(Value::as_u64).collect();
            places.push((indexes, text(&quota["name"]), share(&quota["quota_percentage"])?));
        }
        // Conditions without a quota are wanted, too.
        for place in 0..conditions.len() as u64 {
            if !places.iter().any(|(indexes, ..)| indexes.contains(&place)) {
                places.push((vec![place], None, None));
            }
        }
        places.sort_by_key(|(indexes, ..)| indexes.first().copied());
        let targets = places.into_iter().map(|(indexes, name, percentage)| {
            let of = indexes.into_iter().map(|place| {
                let place = usize::try_from(place).ok().and_then(|place| conditions.get(place));
                place.cloned().ok_or(Missing("condition of a quota"))
            });
            Ok(TemplateTarget { name, conditions: of.collect::<Result<_, _>>()?, percentage })
        });
        Ok(TemplateProfile {
            question: number(&wire["question_id"]).ok_or(Missing("question_id"))?,
            name: text(&wire["name"]),
            description: text(&wire["description"]),
            targets: targets.collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn read(wire: &Value) -> Result<ProfileTemplateSettings, Missing> {
        settings(wire, list(&wire["profiles"]).map(read_profile).collect())
    }
}
