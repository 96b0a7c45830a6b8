//! The question library: a question comes as a profile whose targets are its answer options.

use super::raw::*;

use crate::error::Error;
use crate::library::{AnswerOption, LibraryQuestion, QuestionFilter};
use crate::paging::{PageRequest, RawPage};
use crate::types::Locale;
use crate::wire::library::LibraryWire;
use crate::wire::page;
use crate::wire::read::{Field as _, Missing, Read, read_words};

impl crate::library::HasCustomQuestions for super::Marker {}

read_words! { crate::library::AnswerKind = QuestionResponseProfileFormatProfileConditionType; }

impl Read<types::QuestionResponseProfileFormat> for LibraryQuestion {
    fn read(wire: types::QuestionResponseProfileFormat) -> Result<Self, Missing> {
        let (mut id, mut range) = (None, None);
        let targets = wire.targets.unwrap_or_default();
        let (mut options, mut values) = (Vec::with_capacity(targets.len()), Vec::new());
        for target in targets {
            let Some(condition) = target.conditions.unwrap_or_default().into_iter().next() else {
                continue;
            };
            id = id.or(condition.question_id.and_then(|id| id.as_i64()));
            range = range.or_else(|| condition.min.zip(condition.max));
            if condition.allow_all_values != Some(true) {
                values.extend(condition.open_ended_values.into_iter().flatten());
            }
            options.extend(condition.option.map(|code| AnswerOption {
                code,
                text: target.text.or(target.name),
                text_translated: target.text_translated,
                geometry: None,
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
            range,
            option_mask: wire.option_mask,
            options,
            values,
        })
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
        let locale = locale.to_string();
        page!(
            ask => raw.account_questions_translation_with(account, Some(&locale)), ACCOUNT_QUESTIONS_TRANSLATION,
            AccountQuestionsTranslationParams {
                id: filter.ids.clone(),
                query: filter.search.clone(),
                translation_language: filter.translation.as_ref().map(ToString::to_string),
                allow_custom_quals: filter.with_custom,
                only_custom_quals: filter.only_custom,
            ..Default::default()
        },
            profiles, has_more
        )
    }
}
