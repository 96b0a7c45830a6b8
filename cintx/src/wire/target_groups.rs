//! Target groups on the wire. A draft is written as JSON, once, in each version's names, and held against its types:
//! creating and replacing one take the same fields, in types that share nothing.

use std::future::Future;

use serde_json::{Map, Value, json};

use super::assistant::to_modules;
use super::supply::{to_draft_specification, to_list};
use super::{Answer, Wire, amount, timestamp};
use crate::error::FieldError;
use crate::paging::{PageRequest, RawPage};
use crate::reference::account::BusinessUnit;
use crate::target_group::{
    Draft, DraftSettings, FillingStrategy, KeptDraft, LaunchedSettings, TargetGroupDetails, TargetGroupDraft,
    TargetGroupFilter, TargetGroupSummary,
};
use crate::types::Money;
use crate::types::ids::{ProjectId, TargetGroupId};

#[doc(hidden)]
pub trait GroupsWire: Wire {
    /// Whether target groups have a number of the buyer's own.
    const GROUP_REFERENCE: bool;
    /// Whether a draft must have an address for respondents from the beginning.
    const LIVE_URL_AT_ONCE: bool;

    fn create_target_group(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        draft: &TargetGroupDraft,
    ) -> impl Future<Output = Answer<TargetGroupId>> + Send;

    fn draft(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<Draft>> + Send;

    /// What a draft holds that its settings could not read and no change has replaced: to write it back would
    /// delete it.
    fn unread(kept: &KeptDraft, before: &DraftSettings, after: &DraftSettings) -> Vec<FieldError>;

    /// Another audience, as a request takes it, takes the place of the kept one.
    fn update_draft(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        settings: &DraftSettings,
        kept: &KeptDraft,
        audience: Option<Value>,
    ) -> impl Future<Output = Answer<()>> + Send;

    fn create_like(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        settings: &DraftSettings,
        kept: &KeptDraft,
    ) -> impl Future<Output = Answer<TargetGroupId>> + Send;

    fn list_target_groups(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        filter: &TargetGroupFilter,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<TargetGroupSummary>>> + Send;

    fn details(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
    ) -> impl Future<Output = Answer<TargetGroupDetails>> + Send;

    fn set_details(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        settings: &LaunchedSettings,
    ) -> impl Future<Output = Answer<()>> + Send;

    fn set_cost_per_interview(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        price: &Money,
    ) -> impl Future<Output = Answer<Money>> + Send;

    fn set_filling_strategy(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        group: &TargetGroupId,
        strategy: &FillingStrategy,
    ) -> impl Future<Output = Answer<FillingStrategy>> + Send;

    fn business_units(raw: &Self::Raw, account: i64) -> impl Future<Output = Answer<Vec<BusinessUnit>>> + Send;
}

/// What a version calls the parts of a draft.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    /// How many completes are wanted.
    pub(crate) goal: &'static str,
    /// An amount of money: its value and its currency.
    pub(crate) money: (&'static str, &'static str),
    /// Whom to ask.
    pub(crate) profiles: &'static str,
    /// The supply, and whether that is one specification rather than a list.
    pub(crate) supply: (&'static str, bool),
}

/// What a request does with a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Create,
    Replace,
}

/// A draft's request: its settings, and whatever else is given as it is.
pub(crate) fn draft_body(
    names: Names,
    write: Write,
    settings: &DraftSettings,
    rest: impl IntoIterator<Item = (&'static str, Value)>,
) -> Value {
    let amount = |money: &Money| amount(money, names.money);
    // Both addresses are required by one version, and the test address is the live one if nothing else is said.
    let live = settings.live_url.as_ref().map(ToString::to_string);
    let test = settings.test_url.as_ref().map(ToString::to_string).or_else(|| live.clone());
    let mut body: Map<String, Value> = rest.into_iter().map(|(name, part)| (name.to_owned(), part)).collect();
    let mut set = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    set("name", json!(settings.name));
    set("business_unit_id", json!(settings.business_unit.to_string()));
    set("project_manager_id", json!(settings.manager.to_string()));
    set("locale", json!(settings.locale.to_string()));
    set(names.goal, json!(settings.completes_goal));
    set("expected_length_of_interview_minutes", json!(settings.length_of_interview.as_minutes()));
    set("expected_incidence_rate", json!(settings.incidence_rate.fraction()));
    let (start, end) = (timestamp(settings.fielding_period.start()), timestamp(settings.fielding_period.end()));
    set("fielding_specification", json!({ "start_at": start, "end_at": end }));
    set("collects_pii", json!(settings.collects_pii));
    set("fielding_assistant_assignment", to_modules(&settings.assistant));
    let supply = match names.supply.1 {
        // New groups get their ids from the API; one that is replaced keeps the id it has.
        true => to_draft_specification(&settings.supply, write == Write::Replace),
        false => Value::Array(to_list(&settings.supply, "id")),
    };
    set(names.supply.0, supply);
    let optional = [
        ("cost_per_interview", settings.cost_per_interview.as_ref().map(amount)),
        ("client_cost_per_interview_note", settings.cost_note.as_ref().map(amount)),
        ("client_id", settings.client.map(|client| json!(client.get()))),
        ("industry_code", settings.industry.as_ref().map(|code| json!(code.as_str()))),
        ("industry_lockout_code", settings.lockout.as_ref().map(|code| json!(code.as_str()))),
        ("study_type_code", settings.study_type.as_ref().map(|code| json!(code.as_str()))),
        ("live_url", live.map(Value::String)),
        ("test_url", test.map(Value::String)),
        ("target_group_customer_reference_number", settings.reference.as_ref().map(|number| json!(number))),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            set(name, value);
        }
    }
    Value::Object(body)
}

/// The fields of a draft that it may lack, as the API and as the settings call them. One that is there and cannot be
/// read counts as absent, so a request would leave it out.
const MAY_LACK: [(&str, &str); 9] = [
    ("cost_per_interview", "cost_per_interview"),
    ("client_cost_per_interview_note", "cost_note"),
    ("client_id", "client"),
    ("industry_code", "industry"),
    ("industry_lockout_code", "lockout"),
    ("study_type_code", "study_type"),
    ("live_url", "live_url"),
    ("test_url", "test_url"),
    ("target_group_customer_reference_number", "reference"),
];

/// What stands in a draft that was read, and neither in the request for the settings read from it nor in that for the
/// changed ones. Supply and assistant tell themselves what they could not read.
pub(crate) fn unread(names: Names, kept: &KeptDraft, before: &DraftSettings, after: &DraftSettings) -> Vec<FieldError> {
    let [before, after] = [before, after].map(|settings| draft_body(names, Write::Replace, settings, []));
    let mut problems = Vec::new();
    for (name, field) in MAY_LACK {
        let Some(value) = kept.0.get(name) else { continue };
        // An amount without a value says nothing.
        let is_said = if value.is_object() { !value[names.money.0].is_null() } else { !value.is_null() };
        if is_said && before.get(name).is_none() && after.get(name).is_none() {
            let reason = format!("is {value}, which this release cannot read, so cannot write back");
            problems.push(FieldError::new(field, reason));
        }
    }
    problems
}

/// The parts of a draft that are not in its settings, as a request takes them.
pub(crate) fn kept_parts(names: Names, kept: &KeptDraft) -> Vec<(&'static str, Value)> {
    let parts = [names.profiles, "exclusion", "re_entry_configuration", "respondent_activity_exclusions"];
    let given = parts.into_iter().filter_map(|name| Some((name, kept.0.get(name)?.clone())));
    given
        .map(|(name, part)| match name {
            "profiling" => (name, profiling(part)),
            "profile" => (name, profile(part)),
            _ => (name, part),
        })
        .collect()
}

/// Keeps these fields of an object; others are descriptions for people, which a request does not take.
fn retain(value: &mut Value, names: &[&str]) {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, _| names.contains(&name.as_str()));
    }
}

fn items<'a>(value: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}

/// The kinds of conditions that a profile may list; their names end with `_template` in some places.
const CONDITIONS: [&str; 3] = ["range_conditions_details", "selection_conditions_details", "zip_conditions_details"];

/// Profiles as they were read, in the form in which they are sent: what is behind an interlock is named, not described.
fn profile(mut profile: Value) -> Value {
    for draft in items(&mut profile, "drafts") {
        // What is of a kind that came later is left as it is.
        let kind = draft["conditions"]["object"].as_str();
        if kind.is_some_and(|kind| !CONDITIONS.contains(&kind.trim_end_matches("_template"))) {
            continue;
        }
        for condition in draft.get_mut("conditions").into_iter().flat_map(|conditions| items(conditions, "data")) {
            retain(condition, &["min", "max", "option", "zip_codes", "allow_all_zip"]);
        }
    }
    for interlock in items(&mut profile, "interlocked_profiles") {
        for participant in items(interlock, "profiles") {
            retain(participant, &["id", "interlock_id", "question_id", "quotas_enabled"]);
        }
        for cell in interlock.get_mut("quotas").into_iter().flat_map(|quotas| items(quotas, "ungrouped")) {
            retain(cell, &["id", "quota_percentage", "condition"]);
            if let Some(condition) = cell.get_mut("condition") {
                retain(condition, &["id", "option"]);
            }
        }
    }
    profile
}

/// Profiles as they were read, in the form in which they are sent: a quota is either a number or a percentage.
fn profiling(mut profiling: Value) -> Value {
    let nominal = profiling["profile_adjustment_type"] == "nominal";
    for profile in items(&mut profiling, "profiles") {
        // What is of a kind that came later is left as it is.
        if !matches!(profile["object"].as_str(), Some("regular" | "blended")) {
            continue;
        }
        retain(profile, &["object", "name", "quotas_enabled", "targets", "blended_type"]);
        for target in items(profile, "targets") {
            // Conditions that are counted together need a name, which a request takes with the quota.
            let several = target["conditions"].as_array().is_some_and(|conditions| conditions.len() > 1);
            let name = target.get("name").filter(|name| several && name.is_string()).cloned();
            retain(target, &["object", "conditions", "quota"]);
            for condition in items(target, "conditions") {
                if let Some(fields) = condition.as_object_mut() {
                    fields.retain(|name, _| !name.starts_with("condition_name"));
                }
            }
            match target.get_mut("quota") {
                Some(quota) => {
                    let (unit, other) = match nominal {
                        true => ("completes_goal", "completes_goal_percentage"),
                        false => ("completes_goal_percentage", "completes_goal"),
                    };
                    let unit = if quota.get(unit).is_some() { unit } else { other };
                    retain(quota, &[unit, "name"]);
                    if let (Some(name), Some(fields)) = (name, quota.as_object_mut()) {
                        fields.entry("name").or_insert(name);
                    }
                }
                // The document asks for it where there is no quota.
                None => target["object"] = json!("nominal"),
            }
        }
    }
    profiling
}
