//! The question library on the wire. Before 2025-12-18 a question is a question; from then on it comes as a profile,
//! ready to be pasted, whose targets are the answer options.

use std::future::Future;

use super::{Answer, Wire};
use crate::library::{IndexFilter, LibraryQuestion, QuestionDetails, QuestionFilter};
use crate::paging::{PageRequest, RawPage};
use crate::types::Locale;

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

/// Questions by category: before 2025-12-18.
#[doc(hidden)]
pub trait QuestionIndexWire: Wire {
    fn question_index(
        raw: &Self::Raw,
        account: i64,
        locale: &Locale,
        filter: &IndexFilter,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<LibraryQuestion>>> + Send;
}

#[doc(hidden)]
pub trait QuestionDetailsWire: Wire {
    fn question_details(
        raw: &Self::Raw,
        locale: &Locale,
        id: i64,
    ) -> impl Future<Output = Answer<QuestionDetails>> + Send;
}

#[cfg(feature = "_before-2025-12-18")]
impl super::read::Read<String> for crate::library::AnswerKind {
    fn read(wire: String) -> Result<Self, super::read::Missing> {
        Ok(Self::parse(&wire))
    }
}

/// Reads a question by itself, whose kinds are types of their own with much in common.
#[cfg(feature = "_before-2025-12-18")]
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

/// One older version's library: the call that lists it, with its own parameters.
#[cfg(feature = "_before-2025-12-18")]
macro_rules! library_questions {
    ($marker:ident, $version:ident, details: |$locale:ident| $named:expr,
     list: |$account:ident, $filter:ident| $operation:ident, $call:ident($($lead:expr)?), $params:ident { $($own:tt)* }) => {
        mod library {
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::library::{AnswerOption, LibraryQuestion, QuestionDetails, QuestionFilter};
            use crate::paging::{PageRequest, RawPage};
            use crate::types::Locale;
            use crate::wire::library::{LibraryWire, QuestionDetailsWire, question_details};
            use crate::wire::read::{Missing, list, reads};

            impl crate::library::HasQuestionDetails for crate::$marker {}

            reads! {
                AnswerOption = QuestionsTranslationResponseResultQuestionOptions {
                    code = precode;
                    text, text_translated
                }
                LibraryQuestion = QuestionsTranslationResponseResult {
                    ;
                    id, name, text = question_text, text_translated = question_text_translated, kind = question_type,
                    category = classification_code, category_id = classification_id, standard,
                    options = question_options
                }
            }

            impl LibraryWire for crate::$marker {
                async fn questions(
                    raw: &Client,
                    $account: i64,
                    locale: &Locale,
                    $filter: &QuestionFilter,
                    ask: &PageRequest,
                ) -> Result<RawPage<LibraryQuestion>, Error> {
                    let params = $params {
                        id: $filter.ids.clone(),
                        query: $filter.search.clone(),
                        translation_language: $filter.translation.as_ref().map(ToString::to_string),
                        allow_custom_quals: $filter.with_custom,
                        limit: ask.page_size(),
                        start_after: ask.start_after().and_then(|id| id.parse().ok()),
                        $($own)*
                        ..Default::default()
                    };
                    let operation = &operations::$operation;
                    let answer = raw.$call($($lead,)? &locale.to_string(), &params).await?.into_value();
                    let result = answer.result.unwrap_or_default();
                    let last = result.last().and_then(|question| question.id.as_ref()).map(ToString::to_string);
                    Ok(RawPage::new(operation, list(operation, Some(result))?).last(last))
                }
            }

            impl QuestionDetailsWire for crate::$marker {
                async fn question_details(raw: &Client, locale: &Locale, id: i64) -> Result<QuestionDetails, Error> {
                    let $locale = locale.to_string();
                    let answer = raw.get_question_by_id(id, $named).await?.into_value();
                    let wire = crate::wire::to_json(&answer)?;
                    question_details(&wire)
                        .map_err(|Missing(field)| Error::incomplete(operations::GET_QUESTION_BY_ID.id, field))
                }
            }
        }
    };
}
#[cfg(feature = "_before-2025-12-18")]
pub(super) use library_questions;

/// One older version's index of questions: how it is given the locale, and its parameters for pages.
#[cfg(feature = "_before-2025-12-18")]
macro_rules! question_index {
    ($marker:ident, $version:ident, locale: |$locale:ident, $ask:ident| ($($lead:expr)?), { $($own:tt)* }) => {
        mod question_index {
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::library::{IndexFilter, LibraryQuestion, QuestionScope};
            use crate::paging::{PageRequest, RawPage};
            use crate::types::Locale;
            use crate::wire::library::{QuestionIndexWire, answered};

            fn question(wire: types::Question) -> LibraryQuestion {
                LibraryQuestion {
                    id: wire.id.as_ref().and_then(|id| id.as_str().parse().ok()),
                    name: wire.name,
                    text: wire.text,
                    text_translated: None,
                    kind: wire.response_type.map(|kind| answered(kind.as_str())),
                    category: None,
                    category_id: wire.category_id.as_ref().and_then(|id| id.as_str().parse().ok()),
                    standard: wire.scope.map(|scope| scope.as_str() != QuestionScope::Custom.as_str()),
                    options: Vec::new(),
                }
            }

            impl QuestionIndexWire for crate::$marker {
                async fn question_index(
                    raw: &Client,
                    account: i64,
                    locale: &Locale,
                    filter: &IndexFilter,
                    $ask: &PageRequest,
                ) -> Result<RawPage<LibraryQuestion>, Error> {
                    let $locale = locale.to_string();
                    let params = ListQuestionsParams {
                        search: filter.search.clone(),
                        category_id: filter.category,
                        type_: filter.scope.as_ref().map(|scope| scope.as_str().into()),
                        $($own)*
                    };
                    let answer = raw.list_questions(account, $($lead,)? &params).await?.into_value();
                    let questions: Vec<_> = answer.questions.into_iter().flatten().map(question).collect();
                    let last = questions.last().and_then(|question| question.id).map(|id| id.to_string());
                    Ok(RawPage::new(&operations::LIST_QUESTIONS, questions).last(last))
                }
            }

            impl crate::library::HasQuestionIndex for crate::$marker {}
        }
    };
}
#[cfg(feature = "_before-2025-12-18")]
pub(super) use question_index;

/// How a question is answered, in the words of the index.
#[cfg(feature = "_before-2025-12-18")]
pub(crate) fn answered(word: &str) -> crate::library::AnswerKind {
    use crate::library::AnswerKind;

    match word {
        "single_punch" => AnswerKind::SinglePunch,
        "multi_punch" => AnswerKind::MultiPunch,
        "range" => AnswerKind::Number,
        other => AnswerKind::parse(other),
    }
}

/// One newer version's library.
#[cfg(feature = "_since-2025-12-18")]
macro_rules! library_profiles {
    ($marker:ident, $version:ident) => {
        mod library {
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::library::{AnswerOption, LibraryQuestion, QuestionFilter};
            use crate::paging::{PageRequest, RawPage};
            use crate::types::Locale;
            use crate::wire::library::LibraryWire;
            use crate::wire::page;
            use crate::wire::read::{Field as _, Missing, Read, read_words};

            impl crate::library::HasCustomQuestions for crate::$marker {}

            read_words! { crate::library::AnswerKind = QuestionResponseProfileFormatProfileConditionType; }

            impl Read<types::QuestionResponseProfileFormat> for LibraryQuestion {
                fn read(wire: types::QuestionResponseProfileFormat) -> Result<Self, Missing> {
                    let mut id = None;
                    let mut options = Vec::new();
                    for target in wire.targets.unwrap_or_default() {
                        let Some(condition) = target.conditions.unwrap_or_default().into_iter().next() else {
                            continue;
                        };
                        id = id.or(condition.question_id.and_then(|id| id.as_i64()));
                        options.extend(condition.option.map(|code| AnswerOption {
                            code,
                            text: target.text,
                            text_translated: target.text_translated,
                        }));
                    }
                    Ok(Self {
                        id,
                        name: wire.name,
                        text: wire.description,
                        text_translated: wire.description_translated,
                        kind: Option::field(wire.profile_condition_type)?,
                        category: wire.classification_code,
                        category_id: wire.classification_id.and_then(|id| id.as_i64()),
                        standard: wire.standard,
                        options,
                    })
                }
            }

            impl LibraryWire for crate::$marker {
                async fn questions(
                    raw: &Client,
                    account: i64,
                    locale: &Locale,
                    filter: &QuestionFilter,
                    ask: &PageRequest,
                ) -> Result<RawPage<LibraryQuestion>, Error> {
                    let locale = locale.to_string();
                    page!(
                        ask => raw.account_questions_translation(account, &locale), ACCOUNT_QUESTIONS_TRANSLATION,
                        AccountQuestionsTranslationParams {
                            id: filter.ids.clone(),
                            query: filter.search.clone(),
                            translation_language: filter.translation.as_ref().map(ToString::to_string),
                            allow_custom_quals: filter.with_custom,
                            only_custom_quals: filter.only_custom,
                        },
                        profiles, has_more
                    )
                }
            }
        }
    };
}
#[cfg(feature = "_since-2025-12-18")]
pub(super) use library_profiles;
