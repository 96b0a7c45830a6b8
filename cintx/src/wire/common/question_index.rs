//! The index of questions by category, before 2025-12-18.

use super::raw::*;

use crate::error::Error;
use crate::library::{IndexFilter, LibraryQuestion, QuestionScope};
use crate::paging::{PageRequest, RawPage};
use crate::types::Locale;
use crate::wire::library::{HasQuestionIndex, answered};

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
        range: None,
        option_mask: None,
        options: Vec::new(),
        values: Vec::new(),
    }
}

impl HasQuestionIndex for super::Marker {
    async fn question_index(
        raw: &Client,
        account: i64,
        locale: &Locale,
        filter: &IndexFilter,
        ask: &PageRequest,
    ) -> Result<RawPage<LibraryQuestion>, Error> {
        let params = super::question_index_params(filter, ask);
        let answer = raw.list_questions_with(account, Some(&locale.to_string()), &params).await?.into_value();
        let questions: Vec<_> = answer.questions.into_iter().flatten().map(question).collect();
        let last = questions.last().and_then(|question| question.id).map(|id| id.to_string());
        Ok(RawPage::new(&operations::LIST_QUESTIONS, questions).last(last))
    }
}
