//! The question library: the profiling questions that respondents can be targeted by.

use futures_util::future::{BoxFuture, FutureExt as _};
use serde::{Deserialize, Serialize};

use crate::client::{CallOptions, Client};
use crate::error::{Error, FieldError};
use crate::open_enum::open_enum;
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage};
use crate::sealed::Sealed;
use crate::types::{IntoField, LanguageCode, Locale};
use crate::version::Version;
pub use crate::wire::library::{HasQuestionDetails, HasQuestionIndex};

impl<V: Version> Client<V> {
    /// The profiling questions that respondents of a locale have answered, with their answer options. Custom questions
    /// come only when asked for.
    ///
    /// The categories are in the [`ReferenceData`](crate::reference::ReferenceData::question_categories).
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// let mut found = cint.questions("ger_de").search("pet").translated("eng").stream();
    /// while let Some(question) = found.try_next().await? {
    ///     println!("{:?} {:?}", question.id, question.text_translated);
    ///     for option in question.options {
    ///         println!("  {} {:?}", option.code, option.text_translated);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "account_questions_translation")]
    #[doc(alias = "get_questions_translation")]
    pub fn questions(&self, locale: impl IntoField<Locale>) -> ListRequest<QuestionQuery<V>> {
        let mut problems = Vec::new();
        let locale = locale.into_field("locale", &mut problems);
        ListRequest::new(QuestionQuery { client: self.clone(), locale, filter: QuestionFilter::default(), problems })
    }

    /// A question of the library by its id, in the language of a locale.
    ///
    /// In 2024-12-02 and 2025-02-17; later on, `questions(locale).ids([id])`.
    ///
    /// # Errors
    /// What is wrong with the locale, found before anything is sent. The API answers 404 if there is no such question.
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_question_by_id")]
    pub async fn question_details(
        &self,
        locale: impl IntoField<Locale> + Send,
        id: i64,
    ) -> Result<QuestionDetails, Error>
    where
        V: HasQuestionDetails,
    {
        let mut problems = Vec::new();
        match locale.into_field("locale", &mut problems) {
            Some(locale) => <V as HasQuestionDetails>::question_details(self.raw(), &locale, id).await,
            None => Err(Error::invalid(problems)),
        }
    }
}

impl<V: Version> Client<V> {
    /// The profiling questions of a locale by category or kind of question, without their answer options.
    ///
    /// In 2024-12-02, as one page, and 2025-02-17; later on, [`questions`](Self::questions).
    ///
    /// ```no_run
    /// # #[cfg(feature = "v2025-02-17")]
    /// # async fn run(cint: cintx::Client<cintx::V2025_02_17>) -> Result<(), cintx::Error> {
    /// let demographics = cintx::library::QuestionScope::DemographicOnly;
    /// let mut demographics = cint.question_index("eng_gb").scope(demographics).stream();
    /// while let Some(question) = demographics.try_next().await? {
    ///     println!("{:?} {:?}", question.id, question.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "list_questions")]
    pub fn question_index(&self, locale: impl IntoField<Locale>) -> ListRequest<QuestionIndexQuery<V>>
    where
        V: HasQuestionIndex,
    {
        let mut problems = Vec::new();
        let locale = locale.into_field("locale", &mut problems);
        ListRequest::new(QuestionIndexQuery { client: self.clone(), locale, filter: IndexFilter::default(), problems })
    }
}

open_enum! {
    /// Which questions of the library are meant.
    QuestionScope {
        /// Everybody's.
        Standard = "standard",
        /// The account's own.
        Custom = "custom",
        /// Everybody's about who respondents are.
        DemographicOnly = "demographic_only",
    }
}

/// Which questions of the index are wanted.
#[derive(Clone, Debug, Default)]
#[doc(hidden)]
pub struct IndexFilter {
    pub(crate) search: Option<String>,
    pub(crate) category: Option<i64>,
    pub(crate) scope: Option<QuestionScope>,
}

/// Lists questions of the library by category.
#[derive(Clone, Debug)]
pub struct QuestionIndexQuery<V: Version> {
    client: Client<V>,
    /// Missing if it is wrong; the problems say how.
    locale: Option<Locale>,
    filter: IndexFilter,
    problems: Vec<FieldError>,
}

impl<V: Version> ListRequest<QuestionIndexQuery<V>> {
    /// Only questions that these words are found in.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.source.filter.search = Some(text.into());
        self
    }

    /// Only questions of this category: its number in the
    /// [`ReferenceData`](crate::reference::ReferenceData::question_categories).
    pub fn category(mut self, id: i64) -> Self {
        self.source.filter.category = Some(id);
        self
    }

    /// Only everybody's questions, the account's own, or demographics.
    pub fn scope(mut self, scope: QuestionScope) -> Self {
        if let QuestionScope::Unknown(word) = &scope {
            let reason = format!("is {word:?}, expected standard, custom or demographic_only");
            self.source.problems.push(FieldError::new("scope", reason));
        }
        self.source.filter.scope = Some(scope);
        self
    }
}

impl<V: HasQuestionIndex> Sealed for QuestionIndexQuery<V> {}

impl<V: HasQuestionIndex> ListQuery for QuestionIndexQuery<V> {
    type Item = LibraryQuestion;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<LibraryQuestion>, Error>> {
        async move {
            match &self.locale {
                Some(locale) if self.problems.is_empty() => {
                    let (raw, account) = (self.client.raw(), self.client.account());
                    <V as HasQuestionIndex>::question_index(raw, account, locale, &self.filter, ask).await
                }
                _ => Err(Error::invalid(self.problems.clone())),
            }
        }
        .boxed()
    }
}

/// The versions whose question library can be narrowed down to custom questions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot list custom questions alone",
    note = "list them with the others, `.with_custom()`, and keep those whose `standard` is false; or use a client of \
            2025-02-17 or later"
)]
pub trait HasCustomQuestions: Version {}

/// The versions whose question library is selected from by category code and beyond what Cint's model supports.
#[diagnostic::on_unimplemented(
    message = "`{Self}` lists questions neither by category code nor beyond what it supports in the locale",
    note = "keep those whose `category` fits: `.try_filter(..)` on the stream; or use a client of 2025-02-17 or earlier"
)]
pub trait HasQuestionSelection: Version {}

/// The filters of a list of questions.
#[derive(Clone, Debug, Default)]
#[doc(hidden)]
pub struct QuestionFilter {
    pub(crate) ids: Option<String>,
    pub(crate) search: Option<String>,
    pub(crate) translation: Option<LanguageCode>,
    pub(crate) with_custom: Option<bool>,
    pub(crate) only_custom: Option<bool>,
    pub(crate) categories: Vec<String>,
    pub(crate) from_other_locales: Option<bool>,
    pub(crate) unsupported: Option<bool>,
}

/// Lists questions of the library.
#[derive(Clone, Debug)]
pub struct QuestionQuery<V: Version> {
    client: Client<V>,
    /// Missing if it is wrong; the problems say how.
    locale: Option<Locale>,
    filter: QuestionFilter,
    problems: Vec<FieldError>,
}

impl<V: Version> ListRequest<QuestionQuery<V>> {
    /// Only the questions with these ids: at least one.
    pub fn ids(mut self, ids: impl IntoIterator<Item = i64>) -> Self {
        let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
        if ids.is_empty() {
            self.source.problems.push(FieldError::new("ids", "are none, expected at least one"));
        }
        self.source.filter.ids = Some(ids.join(","));
        self
    }

    /// Only questions that these words are found in.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.source.filter.search = Some(text.into());
        self
    }

    /// With all texts in this language, too.
    pub fn translated(mut self, language: impl IntoField<LanguageCode>) -> Self {
        self.source.filter.translation = language.into_field("translated", &mut self.source.problems);
        self
    }

    /// With the account's custom questions.
    pub fn with_custom(mut self) -> Self {
        self.source.filter.with_custom = Some(true);
        self
    }

    /// Only the account's custom questions.
    ///
    /// From 2025-02-17 on.
    pub fn only_custom(mut self) -> Self
    where
        V: HasCustomQuestions,
    {
        self.source.filter.only_custom = Some(true);
        self
    }

    /// Only questions of this category, by its [code](LibraryQuestion::category); of one of them, if called again.
    ///
    /// Before 2025-12-18.
    pub fn category_code(mut self, code: impl Into<String>) -> Self
    where
        V: HasQuestionSelection,
    {
        self.source.filter.categories.push(code.into());
        self
    }

    /// With questions that are borrowed from other locales.
    ///
    /// Before 2025-12-18.
    pub fn from_other_locales(mut self) -> Self
    where
        V: HasQuestionSelection,
    {
        self.source.filter.from_other_locales = Some(true);
        self
    }

    /// With questions that Cint's model does not support in the locale.
    ///
    /// Before 2025-12-18.
    pub fn with_unsupported(mut self) -> Self
    where
        V: HasQuestionSelection,
    {
        self.source.filter.unsupported = Some(true);
        self
    }
}

impl<V: Version> Sealed for QuestionQuery<V> {}

impl<V: Version> ListQuery for QuestionQuery<V> {
    type Item = LibraryQuestion;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<LibraryQuestion>, Error>> {
        async move {
            match &self.locale {
                Some(locale) if self.problems.is_empty() => {
                    V::questions(self.client.raw(), self.client.account(), locale, &self.filter, ask).await
                }
                _ => Err(Error::invalid(self.problems.clone())),
            }
        }
        .boxed()
    }
}

open_enum! {
    /// How a question of the library is answered.
    AnswerKind {
        /// With one option.
        SinglePunch = "Single Punch",
        /// With some options.
        MultiPunch = "Multi Punch",
        /// Not at all: it is filled by the platform.
        Dummy = "Dummy",
        /// With a text.
        Text = "Text - Open-end",
        /// With a number.
        Number = "Numeric - Open-end",
    }
}

/// A question of the library.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LibraryQuestion {
    /// The id of the question, as [`Question`](crate::audience::Question) takes it. 2025-12-18 gives it only with
    /// options: not for questions that are answered with a number or a text.
    pub id: Option<i64>,
    /// The question's short name: `AGE`.
    pub name: Option<String>,
    /// The text of the question.
    pub text: Option<String>,
    /// The same in the other language that was requested.
    pub text_translated: Option<String>,
    /// How it is answered.
    pub kind: Option<AnswerKind>,
    /// The code of its category.
    pub category: Option<String>,
    /// The number of its category.
    pub category_id: Option<i64>,
    /// Whether it is everybody's; if not, it is the account's own.
    pub standard: Option<bool>,
    /// The least and the greatest number that it can be answered with, where that is said. From 2025-12-18 on.
    #[serde(default)]
    pub range: Option<(i64, i64)>,
    /// The pattern of an answer that is typed in, as Cint writes it: an open-ended value has just as many characters.
    /// Not in the [index](Client::question_index).
    #[serde(default)]
    pub option_mask: Option<String>,
    /// What it can be answered with; none in the [index](Client::question_index), which does not list them.
    pub options: Vec<AnswerOption>,
    /// The texts that it can be answered with, where they are listed. From 2025-12-18 on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// An answer option of a question of the library.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AnswerOption {
    /// The code of the answer option, as [`Question::option`](crate::audience::Question::option) takes it.
    pub code: String,
    /// What it says.
    pub text: Option<String>,
    /// The same in the other language that was requested.
    pub text_translated: Option<String>,
    /// Where it lies, of a region: a GeoJSON geometry. Only in [`QuestionDetails`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geometry: Option<serde_json::Value>,
}

/// A question of the library, read by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QuestionDetails {
    /// The id of the question, as [`Question`](crate::audience::Question) takes it.
    pub id: i64,
    /// The question's short name: `AGE`.
    pub name: Option<String>,
    /// The text of the question.
    pub text: Option<String>,
    /// How it is answered.
    #[serde(default)]
    pub kind: Option<AnswerKind>,
    /// The number of its category.
    pub category_id: Option<i64>,
    /// Whether it is everybody's; if not, it is the account's own.
    #[serde(default)]
    pub standard: Option<bool>,
    /// The least and the greatest number that it can be answered with.
    pub range: Option<(i64, i64)>,
    /// What it can be answered with, in the language of the locale.
    pub options: Vec<AnswerOption>,
}
