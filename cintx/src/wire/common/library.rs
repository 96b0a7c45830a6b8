//! The question library before 2025-12-18: questions with their options, and one question in detail.

use super::raw::*;

use crate::error::Error;
use crate::library::{AnswerOption, LibraryQuestion, QuestionDetails, QuestionFilter};
use crate::paging::{PageRequest, RawPage};
use crate::types::Locale;
use crate::wire::library::{HasQuestionDetails, LibraryWire, question_details};
use crate::wire::read::{Missing, list, reads};

reads! {
    AnswerOption = QuestionsTranslationResponseResultQuestionOptions {
        code = precode;
        text, text_translated;
        geometry
    }
    LibraryQuestion = QuestionsTranslationResponseResult {
        ;
        id, name, text = question_text, text_translated = question_text_translated, kind = question_type,
        category = classification_code, category_id = classification_id, standard,
        options = question_options, option_mask;
        range, values
    }
}

impl LibraryWire for super::Marker {
    async fn questions(
        raw: &Client,
        account: i64,
        locale: &Locale,
        filter: &QuestionFilter,
        ask: &PageRequest,
    ) -> Result<RawPage<LibraryQuestion>, Error> {
        let operation = &super::LIBRARY_QUESTIONS;
        let answer = super::library_questions(raw, account, &locale.to_string(), filter, ask).await?.into_value();
        let result = answer.result.unwrap_or_default();
        let last = result.last().and_then(|question| question.id.as_ref()).map(ToString::to_string);
        Ok(RawPage::new(operation, list(operation, Some(result))?).last(last))
    }
}

impl HasQuestionDetails for super::Marker {
    async fn question_details(raw: &Client, locale: &Locale, id: i64) -> Result<QuestionDetails, Error> {
        let answer = raw.get_question_by_id(id, Some(&locale.to_string())).await?.into_value();
        let wire = crate::wire::to_json(&answer)?;
        question_details(&wire).map_err(|Missing(field)| Error::incomplete(&operations::GET_QUESTION_BY_ID, field))
    }
}
