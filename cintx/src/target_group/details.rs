//! What is known of a launched target group, and the part of it that can still be changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::TargetGroup;
use crate::error::{Error, FieldError, text_length};
use crate::target_group::NAME_CHARS;
use crate::types::ids::{BusinessUnitId, EndClientId, IndustryCode, LockoutCode, StudyTypeCode, TargetGroupId, UserId};
use crate::types::{CustomerReference, IncidenceRate, IntoField as _, LengthOfInterview, Locale, Money, SurveyUrl};
use crate::version::Version;

/// A launched target group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TargetGroupDetails {
    /// The id of the target group.
    pub id: TargetGroupId,
    /// The target group's short id, for people.
    pub human_readable_id: Option<String>,
    /// What can be changed.
    pub settings: LaunchedSettings,
    /// The name of the account.
    pub account_name: Option<String>,
    /// The business unit that buys.
    pub business_unit: Option<BusinessUnitId>,
    /// On whose behalf it is bought.
    pub client: Option<EndClientId>,
    /// Whether the survey asks for personal data.
    pub collects_pii: Option<bool>,
    /// How many completes are wanted.
    pub completes_goal: Option<i64>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// The industry.
    pub industry: Option<IndustryCode>,
    /// The kind of study.
    pub study_type: Option<StudyTypeCode>,
    /// Language and country.
    pub locale: Option<Locale>,
    /// Where the survey can be tried out.
    pub test_survey_link: Option<String>,
    /// Where the screener can be tried out.
    pub test_screener_link: Option<String>,
}

/// What can be changed of a launched target group by [`TargetGroup::edit_details`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LaunchedSettings {
    /// The name: 5 to 128 characters.
    pub name: String,
    /// The project manager.
    pub manager: UserId,
    /// How long the interview takes.
    pub length_of_interview: LengthOfInterview,
    /// The share of respondents who qualify.
    pub incidence_rate: IncidenceRate,
    /// Keeps out respondents who took part in a study of the same industry lately.
    pub lockout: Option<LockoutCode>,
    /// Where respondents are sent.
    #[serde(deserialize_with = "SurveyUrl::read_kept")]
    pub live_url: SurveyUrl,
    /// Where test respondents are sent; the live address if there is none.
    #[serde(default, deserialize_with = "SurveyUrl::read_kept_option")]
    pub test_url: Option<SurveyUrl>,
    /// What the buyer's client pays for an interview, as a note.
    pub cost_note: Option<Money>,
    /// The buyer's own number for it: 3 to 128 letters, digits, `-`, `_` and spaces. From 2025-12-18 on.
    pub reference: Option<String>,
    /// Whether there is a note that this release could not read: to write the rest would delete it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) has_unread_note: bool,
}

impl LaunchedSettings {
    fn check<V: Version>(&self) -> Result<(), Error> {
        let mut problems = Vec::from_iter(text_length("name", self.name.trim(), NAME_CHARS));
        reference_problem::<V>(self.reference.as_deref(), &mut problems);
        if self.has_unread_note && self.cost_note.is_none() {
            let reason = "is an amount that this release cannot read, so cannot write back: give another one";
            problems.push(FieldError::new("cost_note", reason));
        }
        Error::check(problems)
    }
}

/// What a version asks of the buyer's own number for a target group.
pub(super) fn reference_problem<V: Version>(reference: Option<&str>, problems: &mut Vec<FieldError>) {
    let Some(reference) = reference else { return };
    if V::GROUP_REFERENCE {
        let _: Option<CustomerReference> = reference.into_field("reference", problems);
    } else {
        let reason =
            format!("is {reference:?}, expected none: {} does not support references of target groups", V::DATE);
        problems.push(FieldError::new("reference", reason));
    }
}

impl<V: Version> TargetGroup<V> {
    /// Reads what is known of the launched target group.
    ///
    /// # Errors
    /// The API answers 404 for a draft, which is read by [`draft`](Self::draft). See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_details")]
    pub async fn details(&self) -> Result<TargetGroupDetails, Error> {
        V::details(self.client.raw(), self.client.account(), &self.project, &self.id).await
    }

    /// Changes the launched target group: reads it, applies the change, writes everything that can be changed.
    /// The API has no entity tag here: what another client changes between the read and the write is lost.
    ///
    /// ```no_run
    /// # async fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// let longer = cintx::types::LengthOfInterview::minutes(15).expect("within 1 to 45");
    /// group.edit_details(|details| details.length_of_interview = longer).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Every field that is wrong, before the write. See [when a call fails](crate::guide::failures).
    #[doc(alias = "update_launched_target_group_details")]
    pub async fn edit_details(
        &self,
        change: impl FnOnce(&mut LaunchedSettings) + Send,
    ) -> Result<LaunchedSettings, Error> {
        let mut settings = self.details().await?.settings;
        change(&mut settings);
        settings.check::<V>()?;
        V::set_details(self.client.raw(), self.client.account(), &self.project, &self.id, &settings).await?;
        settings.has_unread_note = false;
        Ok(settings)
    }
}
