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
    use crate::library::AnswerOption;

    let text = |value: &Value| value.as_str().map(str::to_owned);
    let options = wire["options"].as_array().into_iter().flatten().filter_map(|option| {
        let code = match &option["id"] {
            Value::Null => return None,
            Value::String(code) => code.clone(),
            number => number.to_string(),
        };
        // A region has its name among its properties.
        let name = text(&option["name"]).or_else(|| text(&option["properties"]["name"]));
        Some(AnswerOption { code, text: name, text_translated: None })
    });
    Ok(QuestionDetails {
        id: wire["id"].as_i64().ok_or(Missing("id"))?,
        name: text(&wire["name"]),
        text: text(&wire["text"]),
        category_id: wire["category_id"].as_i64(),
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
