//! Re-entry and exclusions on the wire, as parts of a draft: written, and read from what is kept of it.

use serde_json::{Map, Value, json};

use crate::exclusion::{ActivityExclusion, ActivitySource};
use crate::target_group::{ReEntry, ReEntryRule, ReEntryRules, TargetGroupDraft};
use crate::types::ids::{ProjectId, TargetGroupId};
use crate::version::Version;
use crate::wire::json::id_text;

/// The versions in which a draft says whether respondents may enter again.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether respondents may enter a target group again",
    note = "use a client of 2025-12-18 or later, or ask Cint to set it"
)]
pub trait HasReEntry: Version {}

/// What a draft says of who may enter, in the fields of a request.
pub(crate) fn entry_parts(draft: &TargetGroupDraft) -> Vec<(&'static str, Value)> {
    let mut parts = Vec::new();
    if let Some(excludes) = draft.excludes_project {
        parts.push(("exclusion", json!({ "enabled": excludes })));
    }
    if !draft.activity_exclusions.is_empty() {
        parts.push(("respondent_activity_exclusions", draft.activity_exclusions.iter().map(activity).collect()));
    }
    if let Some(re_entry) = &draft.re_entry {
        parts.push(("re_entry_configuration", configuration(re_entry)));
    }
    parts
}

fn activity(exclusion: &ActivityExclusion) -> Value {
    let (kind, id) = match &exclusion.of {
        ActivitySource::TargetGroup(id) => ("target-group", id.as_str()),
        ActivitySource::Project(id) => ("project", id.as_str()),
        ActivitySource::Unknown { kind, id } => (kind.as_str(), id.as_str()),
    };
    let mut fields = Map::from_iter([("type".to_owned(), json!(kind)), ("id".to_owned(), json!(id))]);
    if let Some(period) = exclusion.within {
        fields.insert("duration".to_owned(), json!(period.to_string()));
    }
    Value::Object(fields)
}

/// The activity exclusions that a draft shows; what has no type or id is left out.
pub(crate) fn read_activity(draft: &Value) -> Vec<ActivityExclusion> {
    let list = draft["respondent_activity_exclusions"].as_array().into_iter().flatten();
    list.filter_map(|item| {
        let id = id_text(&item["id"])?;
        let of = match item["type"].as_str()? {
            "target-group" => ActivitySource::TargetGroup(TargetGroupId::new(id)),
            "project" => ActivitySource::Project(ProjectId::new(id)),
            other => ActivitySource::Unknown { kind: other.to_owned(), id },
        };
        Some(ActivityExclusion { of, within: item["duration"].as_str().and_then(|period| period.parse().ok()) })
    })
    .collect()
}

/// A re-entry configuration as a request takes it.
pub(crate) fn configuration(re_entry: &ReEntry) -> Value {
    let rule = |rule: &ReEntryRule| -> Value {
        json!({
            "allow_for_current_target_group": rule.same_target_group,
            "allow_for_other_target_groups": rule.other_target_groups,
        })
    };
    let both = |ReEntryRules { client_side, screener_side }: &ReEntryRules| {
        let (client, screener) = (rule(client_side), rule(screener_side));
        json!({ "client_side": client, "screener_side": screener })
    };
    json!({
        "completes": { "client_side": rule(&re_entry.completes) },
        "terminates": both(&re_entry.terminates),
        "security_failures": both(&re_entry.security_failures),
        "overquota": both(&re_entry.overquota),
        "in_screener": both(&re_entry.in_screener),
        "pre_client_survey_processes": { "screener_side": rule(&re_entry.pre_client_survey_processes) },
        "financial_terms": { "screener_side": rule(&re_entry.financial_terms) },
    })
}

/// A re-entry configuration, if a draft shows one; what it does not mention is not allowed.
pub(crate) fn read_configuration(draft: &Value) -> Option<ReEntry> {
    let configuration = draft.get("re_entry_configuration").filter(|value| value.is_object())?;
    let rule = |rule: &Value| ReEntryRule {
        same_target_group: rule["allow_for_current_target_group"] == true,
        other_target_groups: rule["allow_for_other_target_groups"] == true,
    };
    let both = |name: &str| ReEntryRules {
        client_side: rule(&configuration[name]["client_side"]),
        screener_side: rule(&configuration[name]["screener_side"]),
    };
    Some(ReEntry {
        completes: both("completes").client_side,
        terminates: both("terminates"),
        security_failures: both("security_failures"),
        overquota: both("overquota"),
        in_screener: both("in_screener"),
        pre_client_survey_processes: both("pre_client_survey_processes").screener_side,
        financial_terms: both("financial_terms").screener_side,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut re_entry = ReEntry::new(ReEntryRule::OTHERS);
        re_entry.overquota.client_side = ReEntryRule::ALWAYS;
        re_entry.financial_terms = ReEntryRule::NEVER;
        let draft = json!({ "re_entry_configuration": configuration(&re_entry) });
        assert_eq!(read_configuration(&draft), Some(re_entry));
        assert_eq!(read_configuration(&json!({ "re_entry_configuration": null })), None);
        let exclusion = ActivityExclusion::of(ProjectId::new("01A")).within("P3M".parse().unwrap());
        let draft = json!({ "respondent_activity_exclusions": [activity(&exclusion), { "type": "project" }] });
        assert_eq!(read_activity(&draft), [exclusion]);
    }
}
