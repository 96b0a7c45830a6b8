//! A study as data: described once, planned and applied as often as needed.
//!
//! A [`Study`] describes a project and its target groups: what a [draft](crate::target_group::DraftBuilder) can be
//! told, when it is launched, exclusions, and the reports to ask for. [`Study::plan`] compares it with what there is
//! and says what would be done, without doing it. [`Plan::apply`] does it. What is there already is left alone, so a
//! study that was interrupted is applied again, and one that is complete is applied without a single write.
//! [The guide](crate::guide::studies) has a file with all there is.
//!
//! A study that was changed is planned as the changes it needs. Everything about a draft can be changed; of a launched
//! target group its details, price, supply, assistant, end, goal and audience. What cannot be changed any more is a
//! [`Warning`] that names the field; where another audience would delete quotas in field with their counts, the plan
//! says which, and [`Plan::allow_deletions`] must be said before it is applied. A target group that is no longer in
//! the study is left alone.
//!
//! A study is known by the name of its project, and a target group by its name in it: neither may occur twice.
//!
//! ```no_run
//! use cintx::study::Study;
//!
//! # async fn run(cint: cintx::Client<cintx::V2025_12_18>, text: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let study: Study = serde_json::from_str(text)?; // or from TOML, or built in code
//! let plan = study.plan(&cint).await?;
//! println!("{plan}");
//! let applied = plan.apply(|step| println!("{step}")).await?;
//! # Ok(())
//! # }
//! ```

mod apply;
mod assistant;
mod audience;
mod audience_read;
mod drift;
mod exclusions;
mod import;
mod launch;
mod launched;
mod number;
mod plan;
mod report;
#[cfg(feature = "study-schema")]
mod schema;
mod supply;

use std::ops::Range;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de};

pub use self::apply::{Applied, ApplyReport};
pub use self::assistant::{StudyAssistant, StudyPacing, StudyPricing, StudyQuotaOverlay, StudySoftLaunch};
pub use self::audience::{
    StudyAudience, StudyBand, StudyCell, StudyCondition, StudyControl, StudyControlTarget, StudyGive, StudyInterlock,
    StudyJoint, StudyOption, StudyQuestion, StudyRange, StudyTexts, StudyWave,
};
pub use self::drift::{Drift, NotCompared};
pub use self::exclusions::{StudyActivity, StudyExclusions};
pub use self::import::Imported;
pub use self::launch::StudyLaunch;
pub use self::number::StudyNumber;
pub use self::plan::{Plan, Step, Warning};
pub use self::report::{StudyDays, StudyReport};
pub use self::supply::{StudyShare, StudyShares, StudySupply, StudySupplyGroup};
use crate::error::{Error, FieldError, RequiredFields};
use crate::fielding::FieldingPeriod;
use crate::project::ProjectScope;
use crate::supply::Supply;
use crate::target_group::{DraftBuilder, FillingStrategy};
use crate::types::ids::{BusinessUnitId, EndClientId, IndustryCode, LockoutCode, StudyTypeCode, UserId};
use crate::types::{
    CustomerReference, IncidenceRate, IntoField, LengthOfInterview, Locale, Money, SurveyUrl, TimeRange,
};
use crate::version::Version;

/// A study: a project and its target groups.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Study {
    /// The name of the project, by which the study is known: 5 to 128 characters.
    pub name: String,
    /// The project manager, also of the target groups that name nobody else.
    pub manager: UserId,
    /// The buyer's own number for the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<CustomerReference>,
    /// The target groups.
    #[serde(default, rename = "target_group")]
    pub target_groups: Vec<StudyGroup>,
    /// The reports to ask for.
    #[serde(default, rename = "report", skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<StudyReport>,
}

/// A target group of a study. In code, [`builder`](Self::builder) makes one; the rest is set on it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudyGroup {
    /// The name of the target group, by which it is known in the study: 5 to 128 characters.
    pub name: String,
    /// The business unit that buys.
    pub business_unit: BusinessUnitId,
    /// The project manager, if not that of the study.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<UserId>,
    /// Language and country.
    pub locale: Locale,
    /// How many completes are wanted.
    pub completes_goal: u32,
    /// How long the interview takes, in minutes.
    pub length_of_interview: LengthOfInterview,
    /// The share of respondents who qualify.
    pub incidence_rate: IncidenceRate,
    /// When field begins and ends. One that is launched at once ends when this says; one that is launched at its start
    /// begins then, too.
    pub fielding_period: FieldingPeriod,
    /// What a complete costs; left out for rate cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_per_interview: Option<Money>,
    /// What the buyer's client pays for an interview, as a note; as it is if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_note: Option<Money>,
    /// On whose behalf it is bought; as it is if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<EndClientId>,
    /// Where respondents are sent; as it is if left out, and a draft may be without. A launch wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_url: Option<SurveyUrl>,
    /// Where test respondents are sent; the live address if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_url: Option<SurveyUrl>,
    /// Whether the survey asks for personal data.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub collects_pii: bool,
    /// The industry; as it is if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub industry: Option<IndustryCode>,
    /// Keeps out respondents who took part in a study of the same industry lately; as it is if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lockout: Option<LockoutCode>,
    /// The kind of study; as it is if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study_type: Option<StudyTypeCode>,
    /// The buyer's own number for the target group; as it is if left out. From 2025-12-18 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<CustomerReference>,
    /// Whether it is launched at once, at its start, or stays a draft.
    #[serde(default)]
    pub launch: StudyLaunch,
    /// The suppliers and their shares.
    #[serde(default)]
    pub supply: StudySupply,
    /// What Cint does by itself in field; as it is if left out, and only keeps quotas from being overfilled in what is
    /// new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assistant: Option<StudyAssistant>,
    /// What counts toward the goal; as it is if left out. It is said in field, so that a draft does not have it yet.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "known_strategy")]
    pub filling_strategy: Option<FillingStrategy>,
    /// Who is kept out; as it is if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusions: Option<StudyExclusions>,
    /// The audience.
    pub audience: StudyAudience,
}

/// What counts toward the goal, if it is a word that is known: a file has no others.
fn known_strategy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FillingStrategy>, D::Error> {
    let read = Option::<FillingStrategy>::deserialize(deserializer)?;
    match read.as_ref().and_then(FillingStrategy::problem) {
        Some(problem) => Err(de::Error::custom(problem)),
        None => Ok(read),
    }
}

impl Study {
    /// A study without target groups.
    pub fn new(name: impl Into<String>, manager: UserId) -> Self {
        let (target_groups, reports) = (Vec::new(), Vec::new());
        Self { name: name.into(), manager, reference: None, target_groups, reports }
    }

    /// Adds a target group.
    #[must_use]
    pub fn target_group(mut self, group: StudyGroup) -> Self {
        self.target_groups.push(group);
        self
    }

    fn reference_text(&self) -> Option<String> {
        self.reference.as_ref().map(ToString::to_string)
    }

    /// Refuses a study with names that are not unique, and what a version does not have.
    fn check<V: Version>(&self) -> Result<(), Error> {
        let mut problems = Vec::from_iter(crate::project::name_problem(&self.name));
        for (index, group) in self.target_groups.iter().enumerate() {
            if self.target_groups[..index].iter().any(|other| other.name.trim() == group.name.trim()) {
                let reason = format!("{:?} is the name of two target groups, expected one", group.name);
                problems.push(FieldError::new("target_group", reason));
            }
            if group.launch != StudyLaunch::Draft && group.live_url.is_none() {
                let reason = format!("is missing: the launch of {:?} wants an address", group.name);
                problems.push(FieldError::new("live_url", reason));
            }
            problems.extend(group.filling_strategy.as_ref().and_then(FillingStrategy::problem));
            if let Some(exclusions) = &group.exclusions {
                exclusions.set::<V>(&mut problems);
            }
        }
        self.reports.iter().for_each(|report| report.check::<V>(self, &mut problems));
        Error::check(problems)
    }
}

impl StudyGroup {
    /// Begins a target group of this name. The methods of the builder give what every target group has; whatever else
    /// there is are fields of what it builds.
    ///
    /// ```
    /// # use cintx::study::{StudyAudience, StudyGroup, StudyOption, StudyQuestion};
    /// let gender = StudyQuestion::choice(43, [StudyOption::new("1").percent(49), StudyOption::new("2").percent(51)]);
    /// let mut group = StudyGroup::builder("UK drinks")
    ///     .business_unit(3848)
    ///     .locale("eng_gb")
    ///     .completes_goal(500)
    ///     .length_of_interview(cintx::types::LengthOfInterview::minutes(10))
    ///     .incidence_rate("0.50")
    ///     .fielding_period("2100-01-04T09:00:00Z".parse()?.."2100-01-14T09:00:00Z".parse()?)
    ///     .live_url("https://survey.example/uk?RID=[%RID%]")
    ///     .audience(StudyAudience::independent([gender]))
    ///     .build()?;
    /// group.launch = cintx::study::StudyLaunch::AtStart;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(name: impl Into<String>) -> StudyGroupBuilder {
        StudyGroupBuilder {
            group: StudyGroup::named(name.into()),
            required: RequiredFields::new(REQUIRED),
            problems: Vec::new(),
        }
    }

    /// Nothing but a name; what else is required holds placeholders.
    fn named(name: String) -> Self {
        Self {
            name,
            business_unit: BusinessUnitId::new(0),
            manager: None,
            locale: Locale::PLACEHOLDER,
            completes_goal: 1,
            length_of_interview: LengthOfInterview::PLACEHOLDER,
            incidence_rate: IncidenceRate::PLACEHOLDER,
            fielding_period: FieldingPeriod { start: Timestamp::MIN, end: Timestamp::MAX },
            cost_per_interview: None,
            cost_note: None,
            client: None,
            live_url: None,
            test_url: None,
            collects_pii: false,
            industry: None,
            lockout: None,
            study_type: None,
            reference: None,
            launch: StudyLaunch::Draft,
            supply: StudySupply::default(),
            assistant: None,
            filling_strategy: None,
            exclusions: None,
            audience: StudyAudience::default(),
        }
    }

    /// The step that brings its draft into field, if it is not to stay one.
    fn launch_step(&self) -> Option<Step> {
        let start = match self.launch {
            StudyLaunch::Draft => return None,
            StudyLaunch::Now => None,
            StudyLaunch::AtStart => Some(self.fielding_period.start),
        };
        Some(Step::Launch { name: self.name.clone(), start })
    }

    /// The draft that this target group begins as.
    fn draft<V: Version>(
        &self,
        study: &Study,
        project: &ProjectScope<V>,
        supply: &Supply,
    ) -> Result<DraftBuilder<V>, Error> {
        let mut problems = Vec::new();
        let audience = self.audience.audience(&mut problems);
        let window: Result<TimeRange, _> = (self.fielding_period.start..self.fielding_period.end).try_into();
        let mut draft = project
            .draft_target_group(&*self.name)
            .business_unit(self.business_unit)
            .manager(self.manager.unwrap_or(study.manager))
            .locale(self.locale.clone())
            .completes_goal(self.completes_goal)
            .length_of_interview(self.length_of_interview)
            .incidence_rate(self.incidence_rate)
            .collects_pii(self.collects_pii)
            .supply(supply.clone())
            .audience(audience);
        draft = match &self.live_url {
            Some(url) => draft.live_url(url.clone()),
            None => draft.without_live_url(),
        };
        match window {
            Ok(window) => draft = draft.fielding_period(window),
            Err(error) => problems.push(FieldError::new("fielding_period", error.to_string())),
        }
        Error::check(problems)?;
        /// Says what a file need not say.
        macro_rules! if_said {
            ($($field:ident => $setter:ident),+) => {$(
                if let Some(value) = &self.$field {
                    draft = draft.$setter(value.clone());
                }
            )+};
        }
        if_said!(cost_per_interview => cost_per_interview, cost_note => cost_note, client => on_behalf_of);
        if_said!(test_url => test_url, industry => industry, lockout => lockout, study_type => study_type);
        if let Some(reference) = &self.reference {
            draft = draft.reference(reference.as_str());
        }
        if let Some(assistant) = &self.assistant {
            draft = draft.assistant(assistant.assistant());
        }
        Ok(draft)
    }

    /// Why no plan would accept it, if none would.
    async fn problem<V: Version>(&self, study: &Study, project: &ProjectScope<V>) -> Option<Error> {
        let supply = self.supply.known().unwrap_or_else(Supply::open_exchange);
        match self.draft_in_field(study, project, &supply) {
            Ok(draft) => draft.build_ahead().await.err(),
            Err(error) => Some(error),
        }
    }

    /// The same of what may be in field: field may have begun, and a soft launch may be over.
    fn draft_in_field<V: Version>(
        &self,
        study: &Study,
        project: &ProjectScope<V>,
        supply: &Supply,
    ) -> Result<DraftBuilder<V>, Error> {
        let mut group = self.clone();
        if let Some(assistant) = &mut group.assistant {
            assistant.soft_launch.take_if(|soft| soft.end <= project.client.now());
        }
        Ok(group.draft(study, project, supply)?.in_field())
    }
}

/// What a target group of a study cannot be without.
const REQUIRED: &[&str] = &[
    "business_unit",
    "locale",
    "completes_goal",
    "length_of_interview",
    "incidence_rate",
    "fielding_period",
    "audience",
];

/// A target group that is described step by step. Made by [`StudyGroup::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing is built before `build`"]
pub struct StudyGroupBuilder {
    /// What was given; placeholders for what is required and was not.
    group: StudyGroup,
    required: RequiredFields,
    problems: Vec<FieldError>,
}

impl StudyGroupBuilder {
    /// Takes a value that may be wrong; says so if it is.
    fn set<T>(mut self, field: &'static str, value: impl IntoField<T>, set: impl FnOnce(&mut StudyGroup, T)) -> Self {
        if let Some(value) = value.into_field(field, &mut self.problems) {
            set(&mut self.group, value);
            self.required.give(field);
        }
        self
    }

    /// The business unit that buys. Required.
    pub fn business_unit(self, unit: impl Into<BusinessUnitId>) -> Self {
        self.set("business_unit", unit.into(), |group, unit| group.business_unit = unit)
    }

    /// Language and country as Cint writes them: `eng_gb`. Required.
    pub fn locale(self, locale: impl IntoField<Locale>) -> Self {
        self.set("locale", locale, |group, locale| group.locale = locale)
    }

    /// How many completes are wanted. Required.
    pub fn completes_goal(self, completes: u32) -> Self {
        self.set("completes_goal", completes, |group, completes: u32| group.completes_goal = completes)
    }

    /// How long the interview takes. Required.
    pub fn length_of_interview(self, length: impl IntoField<LengthOfInterview>) -> Self {
        self.set("length_of_interview", length, |group, length| group.length_of_interview = length)
    }

    /// The share of respondents who qualify: `"0.50"`. Required.
    pub fn incidence_rate(self, rate: impl IntoField<IncidenceRate>) -> Self {
        self.set("incidence_rate", rate, |group, rate| group.incidence_rate = rate)
    }

    /// When field begins and ends. Required.
    pub fn fielding_period(self, period: Range<Timestamp>) -> Self {
        let period = FieldingPeriod { start: period.start, end: period.end };
        self.set("fielding_period", period, |group, period| group.fielding_period = period)
    }

    /// Where respondents are sent. A draft may be without.
    pub fn live_url(self, url: impl IntoField<SurveyUrl>) -> Self {
        self.set("live_url", url, |group, url| group.live_url = Some(url))
    }

    /// The audience. Required.
    pub fn audience(self, audience: StudyAudience) -> Self {
        self.set("audience", audience, |group, audience| group.audience = audience)
    }

    /// The target group.
    ///
    /// # Errors
    /// Every field that is missing or wrong, at once.
    pub fn build(mut self) -> Result<StudyGroup, Error> {
        self.required.report_missing(&mut self.problems);
        Error::check(self.problems)?;
        Ok(self.group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target_group::DraftSettings;

    #[test]
    fn only_required_fields_hold_placeholders() {
        let blank = serde_json::to_value(StudyGroup::named("a name".into())).unwrap();
        let have_a_value = ["name", "launch", "supply"];
        let mut placeholders: Vec<&str> =
            blank.as_object().unwrap().keys().map(String::as_str).filter(|it| !have_a_value.contains(it)).collect();
        let mut required = REQUIRED.to_vec();
        placeholders.sort_unstable();
        required.sort_unstable();
        assert_eq!(placeholders, required);
    }

    #[test]
    fn what_was_not_read_of_a_supply_is_not_deleted() {
        let mut is = DraftSettings::named("a name".into());
        is.supply.unread.push("an allocation of the type \"auction\"".into());
        let mut desired = DraftSettings::named("a name".into());
        let group = StudyGroup::named("a name".into());
        let wanted = |desired: &DraftSettings| plan::wanted(&is, desired, &group, jiff::Timestamp::now());
        assert_eq!(wanted(&desired).supply, is.supply);
        desired.supply = Supply::open_exchange().block([56]);
        // The write is refused by what was not read.
        assert_eq!(wanted(&desired).supply, Supply { unread: is.supply.unread.clone(), ..desired.supply });
    }
}
