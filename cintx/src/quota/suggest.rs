//! Suggested quotas from the panel distribution, for a new question or a profile in field; and how a goal would be
//! split over the quotas in field. Nothing here changes anything.

use serde::{Deserialize, Serialize};

use crate::audience::{Audience, Question, Share};
use crate::client::Client;
use crate::error::{Error, FieldError};
use crate::quota::QuotaTable;
use crate::quota::live::Quotas;
use crate::types::{IntoField, Locale, TimeRange};
use crate::version::Version;
pub use crate::wire::distribution::HasGoalSplit;
use crate::wire::distribution::Suggesting;

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
    /// # Errors
    /// What is wrong with question, goal, locale and field, found before anything is sent. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "get_panel_distribution_draft")]
    pub async fn suggest_quotas(
        &self,
        question: &Question,
        completes_goal: u32,
        locale: impl IntoField<Locale> + Send,
        fielding_period: impl IntoField<TimeRange> + Send,
    ) -> Result<QuotaTable, Error> {
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
        match (locale, period) {
            (Some(locale), Some(period)) if problems.is_empty() => {
                let suggesting =
                    Suggesting { question: &question, goal: completes_goal, locale: &locale, field: &period };
                V::suggest_quotas(self.raw(), self.account(), suggesting).await
            }
            _ => Err(Error::invalid(problems)),
        }
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
