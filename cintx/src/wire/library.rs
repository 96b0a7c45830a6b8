//! The question library on the wire. Before 2025-12-18 a question is a question; from then on it comes as a profile,
//! ready to be used, whose targets are the answer options.

use std::future::Future;

use super::{Answer, Wire};
use crate::library::{IndexFilter, LibraryQuestion, QuestionDetails, QuestionFilter};
use crate::paging::{PageRequest, RawPage};
use crate::types::Locale;
use crate::version::Version;

#[doc(hidden)]
pub trait LibraryWire: Wire {
    fn questions(
        raw: &Self::Raw,
        account: i64,
        locale: &Locale,
        filter: &QuestionFilter,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<LibraryQuestion>>> + Send;
}

/// The versions that list questions by category.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not list questions by category",
    note = "use `Client::questions`, which every version has, and keep those whose `category_id` fits"
)]
pub trait HasQuestionIndex: Version {
    #[doc(hidden)]
    fn question_index(
        raw: &Self::Raw,
        account: i64,
        locale: &Locale,
        filter: &IndexFilter,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<LibraryQuestion>>> + Send;
}

/// The versions that read one question of the library by its id.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not read one question of the library",
    note = "use `Client::questions` with `.ids([id])`, which every version has"
)]
pub trait HasQuestionDetails: Version {
    #[doc(hidden)]
    fn question_details(
        raw: &Self::Raw,
        locale: &Locale,
        id: i64,
    ) -> impl Future<Output = Answer<QuestionDetails>> + Send;
}
impl super::read::Read<String> for crate::library::AnswerKind {
    fn read(wire: String) -> Result<Self, super::read::Missing> {
        Ok(Self::parse(&wire))
    }
}

/// Reads a question by itself, whose kinds are types of their own with much in common.
pub(crate) fn question_details(wire: &serde_json::Value) -> Result<QuestionDetails, super::read::Missing> {
    use serde_json::Value;

    use super::read::Missing;
    use crate::library::{AnswerOption, QuestionScope};
    use crate::wire::json::id_text;

    let text = |value: &Value| value.as_str().map(str::to_owned);
    let options = wire["options"].as_array().into_iter().flatten().filter_map(|option| {
        // The document calls the code an id, what Cint publishes beside it a precode.
        let code = id_text(&option["precode"]).or_else(|| id_text(&option["id"]))?;
        // A region has its name among its properties.
        let name = text(&option["name"]).or_else(|| text(&option["properties"]["name"]));
        let translated = text(&option["translated_name"]).filter(|name| !name.is_empty());
        let geometry = option.get("geometry").filter(|geometry| geometry.is_object()).cloned();
        Some(AnswerOption { code, text: name, text_translated: translated, geometry })
    });
    let scope = wire["scope"].as_str();
    Ok(QuestionDetails {
        id: wire["id"].as_i64().ok_or(Missing("id"))?,
        name: text(&wire["name"]),
        text: text(&wire["text"]),
        kind: wire["response_type"].as_str().map(answered),
        category_id: wire["category_id"].as_i64(),
        standard: scope.map(|scope| scope != QuestionScope::Custom.as_str()),
        range: wire["min"].as_i64().zip(wire["max"].as_i64()),
        options: options.collect(),
    })
}

/// How a question is answered, in the words of the index.
pub(crate) fn answered(word: &str) -> crate::library::AnswerKind {
    use crate::library::AnswerKind;

    match word {
        "single_punch" => AnswerKind::SinglePunch,
        "multi_punch" => AnswerKind::MultiPunch,
        "range" => AnswerKind::Number,
        other => AnswerKind::parse(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::question_details;

    #[test]
    fn an_option_has_an_id_or_a_precode() {
        let question = |options: Value| question_details(&json!({ "id": 43, "options": options })).unwrap();
        let by_id = question(json!([{ "id": 1, "name": "Male" }, { "properties": { "name": "nowhere" } }]));
        let by_precode = question(json!([{ "precode": "1", "name": "Male", "translated_name": "" }]));
        assert_eq!((by_id.options.len(), &*by_id.options[0].code), (1, "1"));
        assert_eq!(by_id.options, by_precode.options);
        let translated = question(json!([{ "precode": "2", "name": "Female", "translated_name": "Weiblich" }]));
        assert_eq!(translated.options[0].text_translated.as_deref(), Some("Weiblich"));
        let scoped = question_details(&json!({ "id": 7, "scope": "custom", "min": 1, "max": 99 })).unwrap();
        assert_eq!((scoped.standard, scoped.range), (Some(false), Some((1, 99))));
    }
}
