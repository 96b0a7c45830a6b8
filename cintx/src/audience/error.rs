//! What the API says of an audience, in terms of the builder calls that made it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Audience;
use crate::error::Error;
use crate::wire::json::id_text;

/// One thing that the API found wrong with an audience.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The builder calls concerned; empty if the API does not say which.
    pub calls: Vec<String>,
    /// The API's name for the rule, without the number that carries it from version to version.
    pub rule: String,
    /// What the API says about it.
    pub detail: String,
    /// Whether it is only a warning.
    pub warning: bool,
    /// The questions concerned, where the API names them.
    #[serde(default)]
    pub questions: Vec<i64>,
    /// The id of the profile concerned, interlocked or not, where the API names it.
    #[serde(default)]
    pub profile: Option<String>,
    /// The id of the quota concerned, where the API names it.
    #[serde(default)]
    pub quota: Option<String>,
}

impl Audience {
    /// What an error of the API says about this audience, each with the builder calls concerned: by the place in the
    /// request that it names, or by the question. Empty if the error is about something else.
    pub fn refusals(&self, error: &Error) -> Vec<Refusal> {
        let places = error.invalid_params();
        let body: Value =
            error.call().map(|call| serde_json::from_slice(call.body()).unwrap_or_default()).unwrap_or_default();
        let raw = ["invalid_params", "errors"].iter().find_map(|name| body.get(name)).and_then(Value::as_array);
        let details = raw.map_or(&[][..], Vec::as_slice);
        places
            .into_iter()
            .enumerate()
            .map(|(index, (pointer, param))| {
                let detail = details.get(index).unwrap_or(&Value::Null);
                self.refusal(pointer.as_deref(), &param.name, &param.reason, detail)
            })
            .collect()
    }

    /// The same for an item of a list that a validation answered with.
    pub(crate) fn refusal(&self, pointer: Option<&str>, name: &str, reason: &str, detail: &Value) -> Refusal {
        let text = |name: &str| detail.get(name).and_then(Value::as_str);
        let metadata = detail.get("metadata").unwrap_or(&Value::Null);
        let questions = match &metadata["question_id"] {
            Value::Array(ids) => ids.iter().filter_map(Value::as_i64).collect(),
            one => one.as_i64().into_iter().collect::<Vec<_>>(),
        };
        let mut calls = pointer.and_then(|pointer| self.call_at(pointer)).into_iter().collect::<Vec<_>>();
        if calls.is_empty() {
            calls = self.all_questions().filter(|it| questions.contains(&it.id())).map(|it| it.call(None)).collect();
        }
        Refusal {
            calls,
            rule: without_number(reason).to_owned(),
            detail: text("detail").unwrap_or(name).to_owned(),
            warning: metadata["error_level"] == "warning",
            profile: id_text(&metadata["profile_id"]).or_else(|| id_text(&metadata["interlock_id"])),
            quota: id_text(&metadata["quota_id"]),
            questions,
        }
    }

    fn all_questions(&self) -> impl Iterator<Item = &super::Question> {
        self.questions.iter().chain(self.interlock.iter().flat_map(|interlock| &interlock.questions))
    }

    /// The call that a place in a request of any version was made of.
    fn call_at(&self, pointer: &str) -> Option<String> {
        let parts: Vec<&str> = pointer.split('/').skip(1).collect();
        let after = |name: &str| {
            let at = parts.iter().position(|part| *part == name)?;
            parts.get(at + 1)?.parse::<usize>().ok()
        };
        let profile = after("drafts").or_else(|| after("profiles"))?;
        if let Some(question) = self.questions.get(profile) {
            // Before 2025-12-18 quotas and conditions are apart; where nothing is grouped, they have the same numbers.
            let target = after("targets").or_else(|| after("ungrouped")).or_else(|| after("data"));
            return Some(question.call(target));
        }
        match profile - self.questions.len() {
            0 if self.interlock.is_some() => Some("Audience::interlock".to_owned()),
            _ => self.control.as_ref().map(|_| "ControlQuotas".to_owned()),
        }
    }
}

/// `incorrect_sum_of_percentage_009` is `incorrect_sum_of_percentage`: the numbers mean other rules in other versions.
fn without_number(reason: &str) -> &str {
    match reason.rsplit_once('_') {
        Some((rule, number)) if number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit()) => rule,
        _ => reason,
    }
}
