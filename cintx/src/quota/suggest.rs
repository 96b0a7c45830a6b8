//! Suggested quotas from the panel distribution, for a new question or a profile in field; and how a goal would be
//! split over the quotas in field. Nothing here changes anything.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use serde::{Deserialize, Serialize};

use crate::audience::{Audience, Interlock, Question, Share};
use crate::client::Client;
use crate::client::options::with_options;
use crate::error::{Error, FieldError};
use crate::quota::QuotaTable;
use crate::quota::live::Quotas;
use crate::types::{IntoField, Locale, TimeRange};
use crate::version::Version;
pub use crate::wire::distribution::HasGoalSplit;
use crate::wire::distribution::{Crossing, Suggesting};

impl<V: Version> Client<V> {
    /// How many of so many completes the targets of a question would get if everybody came who comes: Cint predicts it
    /// from past respondents. The shares that the question has make no difference; `()` will do.
    ///
    /// The older versions answer in whole percent, which are split over the goal here, and are asked about numbers and
    /// options alone, not about texts.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// use cintx::audience::Question;
    /// use jiff::{Timestamp, ToSpan as _};
    ///
    /// let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
    /// let start = Timestamp::now() + 2.hours();
    /// println!("{}", cint.suggest_quotas(&age, 500, "eng_gb", start..start + 240.hours()).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Await it to ask.
    #[doc(alias = "get_panel_distribution_draft")]
    pub fn suggest_quotas(
        &self,
        question: &Question,
        completes_goal: u32,
        locale: impl IntoField<Locale>,
        fielding_period: impl IntoField<TimeRange>,
    ) -> SuggestQuotas<V> {
        let mut problems = Vec::new();
        let locale = locale.into_field("locale", &mut problems);
        let period = fielding_period.into_field("fielding_period", &mut problems);
        if completes_goal == 0 {
            problems.push(FieldError::new("completes_goal", "is 0, expected at least 1"));
        }
        // Where nobody says how many, nothing but the targets is asked about.
        let open = question.targets().iter().all(|target| *target.share() == Share::Open);
        let question = if open { question.clone().without_quotas() } else { question.clone() };
        Audience::independent([question.clone()]).check(Some(completes_goal), V::DRAFTS_IN, &mut problems);
        let client = self.clone();
        SuggestQuotas { client, question, completes_goal, locale, period, collects_pii: false, problems }
    }

    /// How Cint itself would cross two or three questions for so many completes: the cells of its own helper. A draft
    /// with an [`Audience::interlock`] has cells of this crate, which keep every target. Await it to ask.
    ///
    /// Before 2025-12-18 no answers can be counted together here.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// use cintx::audience::Question;
    /// use jiff::{Timestamp, ToSpan as _};
    ///
    /// let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
    /// let gender = Question::choice(43).option("1", 49).option("2", 51);
    /// let start = Timestamp::now() + 2.hours();
    /// println!("{}", cint.suggest_interlock([age, gender], 500, "eng_gb", start..start + 240.hours()).await?);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "generate_blended_profile")]
    #[doc(alias = "generate_draft_interlock_profile_v2")]
    pub fn suggest_interlock(
        &self,
        questions: impl Into<Interlock>,
        completes_goal: u32,
        locale: impl IntoField<Locale>,
        fielding_period: impl IntoField<TimeRange>,
    ) -> SuggestInterlock<V> {
        let mut problems = Vec::new();
        let locale = locale.into_field("locale", &mut problems);
        let period = fielding_period.into_field("fielding_period", &mut problems);
        if completes_goal == 0 {
            problems.push(FieldError::new("completes_goal", "is 0, expected at least 1"));
        }
        let (client, interlock) = (self.clone(), questions.into());
        SuggestInterlock { client, interlock, completes_goal, locale, period, collects_pii: false, problems }
    }
}

/// A question about the quotas that would fill by themselves. Made by [`Client::suggest_quotas`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct SuggestQuotas<V: Version> {
    client: Client<V>,
    question: Question,
    completes_goal: u32,
    /// Missing if it is wrong; the problems say how.
    locale: Option<Locale>,
    period: Option<TimeRange>,
    collects_pii: bool,
    problems: Vec<FieldError>,
}

with_options!(SuggestQuotas: client);

impl<V: Version> SuggestQuotas<V> {
    /// Whether the survey asks for personal data. From 2025-12-18 on; other versions refuse it before anything is sent.
    pub fn collects_pii(mut self, collects: bool) -> Self {
        self.collects_pii = collects;
        self
    }
}

impl<V: Version> IntoFuture for SuggestQuotas<V> {
    /// What is wrong with question, goal, locale and field is found before anything is sent.
    type Output = Result<QuotaTable, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { client, question, completes_goal, locale, period, collects_pii, mut problems } = self;
            if collects_pii && !V::SUGGESTS_FOR_PII {
                let reason = format!("is true, expected false: {} makes no difference by it", V::DATE);
                problems.push(FieldError::new("collects_pii", reason));
            }
            match (locale, period) {
                (Some(locale), Some(field)) if problems.is_empty() => {
                    let (question, locale, field) = (&question, &locale, &field);
                    let suggesting = Suggesting { question, goal: completes_goal, locale, field, collects_pii };
                    V::suggest_quotas(client.raw(), client.account(), suggesting).await
                }
                _ => Err(Error::invalid(problems)),
            }
        })
    }
}

/// A question about the cells of crossed questions. Made by [`Client::suggest_interlock`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct SuggestInterlock<V: Version> {
    client: Client<V>,
    interlock: Interlock,
    completes_goal: u32,
    /// Missing if it is wrong; the problems say how.
    locale: Option<Locale>,
    period: Option<TimeRange>,
    collects_pii: bool,
    problems: Vec<FieldError>,
}

with_options!(SuggestInterlock: client);

impl<V: Version> SuggestInterlock<V> {
    /// Whether the survey asks for personal data.
    pub fn collects_pii(mut self, collects: bool) -> Self {
        self.collects_pii = collects;
        self
    }
}

impl<V: Version> IntoFuture for SuggestInterlock<V> {
    /// What is wrong with questions, goal, locale and field is found before anything is sent.
    type Output = Result<QuotaTable, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { client, interlock, completes_goal, locale, period, collects_pii, mut problems } = self;
            let audience = Audience::interlock(interlock);
            audience.solve_ahead(Some(completes_goal), V::DRAFTS_IN).await;
            audience.check(Some(completes_goal), V::DRAFTS_IN, &mut problems);
            match (audience.crossed(), locale, period) {
                (Some(interlock), Some(locale), Some(field)) if problems.is_empty() => {
                    let (locale, field) = (&locale, &field);
                    let crossing = Crossing { interlock, goal: completes_goal, locale, field, collects_pii };
                    V::suggest_interlock(client.raw(), client.account(), crossing).await
                }
                _ => Err(Error::invalid(problems)),
            }
        })
    }
}

impl<V: Version> Quotas<V> {
    /// How the quotas of a profile (by its id) would be filled if everybody came who comes: Cint predicts it from past
    /// respondents.
    ///
    /// # Errors
    /// The API answers 404 if there is no such profile. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_v2_panel_distribution_by_profile")]
    #[doc(alias = "get_panel_distribution_by_profile")]
    pub async fn suggested(&self, profile: &str) -> Result<QuotaTable, Error> {
        V::suggest_quotas_of(self.raw(), self.place(), profile).await
    }

    /// How Cint would split another goal of the group over its quotas; changes nothing, see
    /// [`set_goal`](Self::set_goal).
    ///
    /// Before 2025-12-18.
    ///
    /// # Errors
    /// If the goal is 0, before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_quota_distribution_v2")]
    pub async fn split_goal(&self, completes: u32) -> Result<GoalSplit, Error>
    where
        V: HasGoalSplit,
    {
        Error::check((completes == 0).then(|| FieldError::new("completes", "is 0, expected at least 1")))?;
        <V as HasGoalSplit>::split_goal(self.raw(), self.place(), completes).await
    }
}

/// A goal, split over the quotas in field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct GoalSplit {
    /// Whether the quotas could be set like this.
    pub allowed: Option<bool>,
    /// What each quota would get, by its id.
    pub goals: Vec<(String, i64)>,
}
