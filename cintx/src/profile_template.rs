//! Profile templates: questions with shares in percent, kept to be used in later target groups.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use futures_util::future::{BoxFuture, FutureExt as _};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::audience::{Condition, Question, Share};
use crate::client::options::{handle_options, with_options};
use crate::client::{CallOptions, Client};
use crate::error::{Error, FieldError};
use crate::open_enum::open_enum;
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage};
use crate::sealed::Sealed;
use crate::types::ids::ProfileTemplateId;
use crate::types::{IntoField, InvalidValue, Locale};
use crate::version::Version;

impl<V: Version> Client<V> {
    /// The profile templates that the account can use: its own and everybody's.
    pub fn profile_templates(&self) -> ProfileTemplates<V> {
        ProfileTemplates { client: self.clone() }
    }
}

/// Profile templates. Only the account's own can be changed.
#[derive(Clone, Debug)]
pub struct ProfileTemplates<V: Version> {
    client: Client<V>,
}

handle_options!(ProfileTemplates: client);

impl<V: Version> ProfileTemplates<V> {
    /// Lists them, the latest first.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// use cintx::profile_template::TemplateScope;
    ///
    /// let own = cint.profile_templates().list().scope(TemplateScope::Account).locale("eng_gb").stream();
    /// println!("{} of our own", own.collect().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "list_profile_templates")]
    pub fn list(&self) -> ListRequest<ProfileTemplateQuery<V>> {
        ListRequest::new(ProfileTemplateQuery {
            client: self.client.clone(),
            filter: TemplateFilter::default(),
            problems: Vec::new(),
        })
    }

    /// Makes a template of the account's own, with a name and a label. Await it to send it.
    ///
    /// It takes no idempotency key.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// use cintx::audience::Question;
    ///
    /// let template = cint
    ///     .profile_templates()
    ///     .create("Adults by gender", "adults")
    ///     .locale("eng_gb")
    ///     .profile(Question::choice(43).option("1", 49).option("2", 51))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "create_profile_template")]
    pub fn create(&self, name: impl Into<String>, label: impl Into<String>) -> CreateProfileTemplate<V> {
        let settings = ProfileTemplateSettings {
            name: name.into(),
            label: label.into(),
            description: None,
            locales: Vec::new(),
            profiles: Vec::new(),
        };
        CreateProfileTemplate { client: self.client.clone(), settings, problems: Vec::new() }
    }

    /// Reads a template.
    ///
    /// # Errors
    /// The API answers 404 if there is no such template. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_profile_template")]
    pub async fn get(&self, id: impl Into<ProfileTemplateId>) -> Result<ProfileTemplate, Error> {
        V::profile_template(self.client.raw(), self.client.account(), &id.into()).await
    }

    /// Changes a template of the account's own: reads it, applies the change, writes it. Templates have no entity tag:
    /// if two change one at the same time, the last one stays.
    ///
    /// ```no_run
    /// # async fn run(
    /// #     cint: cintx::Client<cintx::V2025_12_18>,
    /// #     id: cintx::ProfileTemplateId,
    /// # ) -> Result<(), cintx::Error> {
    /// let template = cint.profile_templates().edit(id, |template| template.name = "All adults".into()).await?;
    /// assert_eq!(template.settings.name, "All adults");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong, before the write. See [when a call fails](crate::guide::failures).
    #[doc(alias = "edit_profile_template")]
    pub async fn edit(
        &self,
        id: impl Into<ProfileTemplateId>,
        change: impl FnOnce(&mut ProfileTemplateSettings) + Send,
    ) -> Result<ProfileTemplate, Error> {
        let id = id.into();
        let (raw, account) = (self.client.raw(), self.client.account());
        let mut settings = V::profile_template(raw, account, &id).await?.settings;
        change(&mut settings);
        Error::check(settings.problems(V::FORM))?;
        V::edit_profile_template(raw, account, &id, &settings).await
    }

    /// Deletes a template of the account's own.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "delete_profile_template")]
    pub async fn delete(&self, id: impl Into<ProfileTemplateId>) -> Result<(), Error> {
        V::delete_profile_template(self.client.raw(), self.client.account(), &id.into()).await
    }
}

open_enum! {
    /// Whose a template is.
    TemplateScope {
        /// Everybody's.
        Global = "global",
        /// The account's own.
        Account = "account",
    }
}

/// What a version asks of templates.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct TemplateForm {
    /// Whether there must be a label.
    pub(crate) label: bool,
    /// How many decimals a share can have.
    pub(crate) decimals: u32,
}

/// A profile template.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProfileTemplate {
    /// The id of the profile template.
    pub id: ProfileTemplateId,
    /// Whose it is.
    pub scope: Option<TemplateScope>,
    /// What it says.
    pub settings: ProfileTemplateSettings,
}

impl From<&ProfileTemplate> for ProfileTemplateId {
    fn from(template: &ProfileTemplate) -> Self {
        template.id.clone()
    }
}

/// What can be changed about a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ProfileTemplateSettings {
    /// The name.
    pub name: String,
    /// The label. Before 2025-12-18 it may be empty.
    pub label: String,
    /// What it is for.
    pub description: Option<String>,
    /// The locales that it fits; all, if there are none.
    pub locales: Vec<Locale>,
    /// The questions, each once.
    pub profiles: Vec<TemplateProfile>,
}

/// A question of a template.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TemplateProfile {
    /// The id of the question in the library.
    pub question: i64,
    /// A name for it.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Who is wanted. If no target has a share, the question has no quotas.
    pub targets: Vec<TemplateTarget>,
}

/// Some answers to a question, and the share of completes that they get.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TemplateTarget {
    /// A name for it; of use where it has several conditions.
    pub name: Option<String>,
    /// The answers; any of them will do.
    pub conditions: Vec<TemplateCondition>,
    /// The share in percent: 0 to 100, with two decimals at most; whole before 2025-12-18.
    pub percentage: Option<Decimal>,
}

/// An answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TemplateCondition {
    /// A number within a range, both ends included: 1 to 99.
    Range {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// An answer option, by its code.
    Option(String),
    /// One of these texts, post codes for example: 1 to 10,000. Any text, if there are none.
    Texts(Vec<String>),
    /// Something that is not known yet, as it came.
    Unknown(serde_json::Value),
}

impl TemplateProfile {
    /// A question of the library with what is wanted of it.
    pub fn new(question: i64, targets: impl IntoIterator<Item = TemplateTarget>) -> Self {
        Self { question, name: None, description: None, targets: targets.into_iter().collect() }
    }
}

impl TemplateTarget {
    /// Answers of which any will do, with the share in percent that they get together, or without a quota.
    pub fn new(conditions: impl IntoIterator<Item = TemplateCondition>, percentage: Option<Decimal>) -> Self {
        Self { name: None, conditions: conditions.into_iter().collect(), percentage }
    }
}

impl TryFrom<&Question> for TemplateProfile {
    type Error = InvalidValue;

    fn try_from(question: &Question) -> Result<Self, InvalidValue> {
        const EXPECTED: &str = "a share that a template can have: a percentage, or none";
        let targets = question.targets().iter().map(|target| {
            let percentage = match target.share() {
                Share::Percent(share) => Ok(Some(*share)),
                Share::Open => Ok(None),
                Share::Completes(count) => Err(InvalidValue::new(format!("{count} completes"), EXPECTED)),
                Share::Unreadable(text) => Err(InvalidValue::new(text, EXPECTED)),
            };
            let conditions = target.conditions().iter().map(|condition| match condition {
                Condition::Range { min, max } => {
                    TemplateCondition::Range { min: i64::from(*min), max: i64::from(*max) }
                }
                Condition::Option(option) => TemplateCondition::Option(option.clone()),
                Condition::Values(values) => TemplateCondition::Texts(values.clone()),
                Condition::AnyValue => TemplateCondition::Texts(Vec::new()),
            });
            let percentage = percentage?.filter(|_| question.has_quotas());
            Ok(TemplateTarget { name: target.name().map(str::to_owned), ..TemplateTarget::new(conditions, percentage) })
        });
        Ok(Self::new(question.id(), targets.collect::<Result<Vec<_>, _>>()?))
    }
}

impl TryFrom<Question> for TemplateProfile {
    type Error = InvalidValue;

    fn try_from(question: Question) -> Result<Self, InvalidValue> {
        Self::try_from(&question)
    }
}

impl ProfileTemplateSettings {
    /// Everything that the API would refuse.
    fn problems(&self, form: TemplateForm) -> Vec<FieldError> {
        let mut problems = Vec::new();
        for (field, text, needed) in [("name", &self.name, true), ("label", &self.label, form.label)] {
            if needed && text.trim().is_empty() {
                problems.push(FieldError::new(field, format!("is {text:?}, expected some text")));
            }
        }
        if self.profiles.is_empty() {
            problems.push(FieldError::new("profiles", "are none, expected at least one"));
        }
        for (index, profile) in self.profiles.iter().enumerate() {
            if self.profiles[..index].iter().any(|other| other.question == profile.question) {
                problems.push(FieldError::new(
                    "profiles",
                    format!("ask question {} twice, expected once", profile.question),
                ));
            }
            problems.extend(profile.problems(form).into_iter().map(|reason| {
                FieldError::new("profiles", format!("ask question {} wrongly: {reason}", profile.question))
            }));
        }
        problems
    }
}

impl TemplateProfile {
    fn problems(&self, form: TemplateForm) -> Vec<String> {
        let mut problems = Vec::new();
        if self.targets.is_empty() {
            problems.push("it has no targets, expected at least one".to_owned());
        }
        for target in &self.targets {
            if target.conditions.is_empty() {
                problems.push("a target has no conditions, expected at least one".to_owned());
            }
            if let Some(share) = target.percentage
                && (share < Decimal::ZERO || share > Decimal::ONE_HUNDRED || share.normalize().scale() > form.decimals)
            {
                let decimals = form.decimals;
                problems.push(format!("a share is {share}, expected 0 to 100 with {decimals} decimals at most"));
            }
        }
        let conditions: Vec<&TemplateCondition> = self.targets.iter().flat_map(|target| &target.conditions).collect();
        for (index, condition) in conditions.iter().enumerate() {
            problems.extend(condition.problem());
            let earlier = &conditions[..index];
            if earlier.iter().any(|other| other.is_of_another_kind(condition)) {
                problems
                    .push("its conditions are of several kinds, expected ranges, options or texts alone".to_owned());
                break;
            }
            if let Some(other) = earlier.iter().find(|other| other.meets(condition)) {
                problems.push(format!("{} overlaps {}, expected each answer once", condition.shown(), other.shown()));
            }
        }
        problems
    }
}

impl TemplateCondition {
    fn problem(&self) -> Option<String> {
        match self {
            Self::Range { min, max } if *min < 1 || *max > 99 || min > max => {
                Some(format!("a range is {min} to {max}, expected one within 1 to 99"))
            }
            Self::Option(option) if option.is_empty() => Some("an option is empty, expected its code".to_owned()),
            Self::Texts(texts) if texts.len() > 10_000 => {
                Some(format!("{} texts are given, expected at most 10,000", texts.len()))
            }
            _ => None,
        }
    }

    fn is_of_another_kind(&self, other: &Self) -> bool {
        let unknown = |condition: &Self| matches!(condition, Self::Unknown(_));
        !unknown(self) && !unknown(other) && std::mem::discriminant(self) != std::mem::discriminant(other)
    }

    /// What it asks for, as a problem names it.
    fn shown(&self) -> String {
        match self {
            Self::Range { min, max } => format!("the range {min} to {max}"),
            Self::Option(code) => format!("the option {code:?}"),
            Self::Texts(texts) if texts.is_empty() => "any text".to_owned(),
            Self::Texts(texts) => format!("the list of {} texts", texts.len()),
            Self::Unknown(value) => value.to_string(),
        }
    }

    /// Whether an answer can meet both.
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Range { min, max }, Self::Range { min: low, max: high }) => low <= max && min <= high,
            (one, other) => one == other,
        }
    }
}

/// A template about to be made.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct CreateProfileTemplate<V: Version> {
    client: Client<V>,
    settings: ProfileTemplateSettings,
    problems: Vec<FieldError>,
}

with_options!(CreateProfileTemplate: client);

impl<V: Version> CreateProfileTemplate<V> {
    /// What it is for.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.settings.description = Some(description.into());
        self
    }

    /// Adds a locale that it fits. Without any it fits all.
    pub fn locale(mut self, locale: impl IntoField<Locale>) -> Self {
        self.settings.locales.extend(locale.into_field("locale", &mut self.problems));
        self
    }

    /// Adds a question with its targets: a [`Question`] whose shares are percentages, or a [`TemplateProfile`].
    pub fn profile(mut self, profile: impl IntoField<TemplateProfile>) -> Self {
        self.settings.profiles.extend(profile.into_field("profile", &mut self.problems));
        self
    }
}

impl<V: Version> IntoFuture for CreateProfileTemplate<V> {
    type Output = Result<ProfileTemplate, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut problems = self.problems;
            problems.extend(self.settings.problems(V::FORM));
            Error::check(problems)?;
            V::create_profile_template(self.client.looks_first().raw(), self.client.account(), &self.settings).await
        })
    }
}

/// A template in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProfileTemplateSummary {
    /// The id of the profile template.
    pub id: ProfileTemplateId,
    /// Whose it is.
    pub scope: Option<TemplateScope>,
    /// The name of the profile template.
    pub name: Option<String>,
    /// The label of the profile template, as lists show it.
    pub label: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The locales that it fits; all, if there are none.
    pub locales: Vec<Locale>,
}

/// The filters of a list of templates.
#[derive(Clone, Debug, Default)]
#[doc(hidden)]
pub struct TemplateFilter {
    pub(crate) scope: Option<TemplateScope>,
    pub(crate) locales: Vec<Locale>,
    pub(crate) oldest_first: bool,
}

impl TemplateFilter {
    /// The locales as the API takes them.
    pub(crate) fn locales(&self) -> Option<String> {
        let locales: Vec<String> = self.locales.iter().map(ToString::to_string).collect();
        (!locales.is_empty()).then(|| locales.join(","))
    }
}

/// Lists templates.
#[derive(Clone, Debug)]
pub struct ProfileTemplateQuery<V: Version> {
    client: Client<V>,
    filter: TemplateFilter,
    problems: Vec<FieldError>,
}

impl<V: Version> ListRequest<ProfileTemplateQuery<V>> {
    /// Only the account's own, or only everybody's.
    pub fn scope(mut self, scope: TemplateScope) -> Self {
        if let TemplateScope::Unknown(word) = &scope {
            self.source.problems.push(FieldError::new("scope", format!("is {word:?}, expected global or account")));
        }
        self.source.filter.scope = Some(scope);
        self
    }

    /// Only those that fit this locale, or another one that was given.
    pub fn locale(mut self, locale: impl IntoField<Locale>) -> Self {
        self.source.filter.locales.extend(locale.into_field("locale", &mut self.source.problems));
        self
    }

    /// The oldest first.
    pub fn oldest_first(mut self) -> Self {
        self.source.filter.oldest_first = true;
        self
    }
}

impl<V: Version> Sealed for ProfileTemplateQuery<V> {}

impl<V: Version> ListQuery for ProfileTemplateQuery<V> {
    type Item = ProfileTemplateSummary;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<ProfileTemplateSummary>, Error>> {
        async move {
            Error::check(self.problems.clone())?;
            V::profile_templates(self.client.raw(), self.client.account(), &self.filter, ask).await
        }
        .boxed()
    }
}
