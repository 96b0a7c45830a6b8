//! A study as data: described once, planned and applied as often as needed.
//!
//! A [`Study`] describes a project and its target groups. [`Study::plan`] compares it with what there is and
//! says what would be done, without doing it. [`Plan::apply`] does it. What is there already is left alone, so a study
//! that was interrupted is applied again, and one that is complete is applied without a single write.
//!
//! A study that was changed is planned as the changes it needs. Everything about a draft can be changed; of a launched
//! target group its details, price, supply, end, goal and audience. What cannot be changed any more is a
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
mod launched;
mod plan;

use serde::{Deserialize, Serialize};

pub use self::apply::Applied;
pub use self::plan::{Plan, Step, Warning};
use crate::audience::{Audience, Question};
use crate::error::{Error, FieldError, text_length};
use crate::fielding::FieldingPeriod;
use crate::project::ProjectScope;
use crate::supply::Supply;
use crate::target_group::DraftBuilder;
use crate::types::ids::{BusinessUnitId, IndustryCode, LockoutCode, StudyTypeCode, SupplierId, UserId};
use crate::types::{CustomerReference, IncidenceRate, LengthOfInterview, Locale, Money, SurveyUrl, TimeRange};
use crate::version::Version;

/// A study: a project and its target groups.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
}

/// A target group of a study.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// When field begins and ends. A launch begins at once, and ends when this says.
    pub fielding_period: FieldingPeriod,
    /// What a complete costs; left out for rate cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_per_interview: Option<Money>,
    /// Where respondents are sent.
    pub live_url: SurveyUrl,
    /// Where test respondents are sent; the live address if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_url: Option<SurveyUrl>,
    /// Whether the survey asks for personal data.
    #[serde(default)]
    pub collects_pii: bool,
    /// The industry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub industry: Option<IndustryCode>,
    /// Keeps out respondents who took part in a study of the same industry lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lockout: Option<LockoutCode>,
    /// The kind of study.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study_type: Option<StudyTypeCode>,
    /// The suppliers and their shares.
    #[serde(default)]
    pub supply: StudySupply,
    /// The audience.
    pub audience: StudyAudience,
    /// Whether it is launched, or stays a draft.
    #[serde(default)]
    pub launch: bool,
}

/// The suppliers and their shares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StudySupply {
    /// Every supplier of the exchange.
    #[default]
    OpenExchange,
    /// Cint's test supplier and no other: nothing is bought.
    TestSupplierOnly,
    /// These suppliers and no other.
    Only(Vec<SupplierId>),
}

impl StudySupply {
    fn supply(&self) -> Supply {
        match self {
            Self::OpenExchange => Supply::open_exchange(),
            Self::TestSupplierOnly => Supply::test_supplier_only(),
            Self::Only(suppliers) => Supply::only("Chosen suppliers", suppliers.iter().copied()),
        }
    }
}

/// The audience.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyAudience {
    /// Whether the two questions are crossed; side by side if not.
    #[serde(default)]
    pub interlock: bool,
    /// The questions.
    #[serde(rename = "question")]
    pub questions: Vec<StudyQuestion>,
}

/// A question with the share of completes that each answer gets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyQuestion {
    /// The id of the question in the library.
    pub id: i64,
    /// Ranges of numbers, both ends included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bands: Vec<StudyBand>,
    /// Answer options.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<StudyOption>,
}

/// A range of numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyBand {
    /// The least.
    pub from: u8,
    /// The greatest.
    pub to: u8,
    /// Its share in percent.
    pub percent: u32,
}

/// An answer option.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyOption {
    /// The code of the answer option.
    pub option: String,
    /// Its share in percent.
    pub percent: u32,
}

impl StudyQuestion {
    fn question(&self, problems: &mut Vec<FieldError>) -> Question {
        if self.bands.is_empty() == self.options.is_empty() {
            let reason = format!("question {} has bands and options, or neither; expected one kind", self.id);
            problems.push(FieldError::new("audience", reason));
        }
        if self.bands.is_empty() {
            let options = self.options.iter();
            return options.fold(Question::choice(self.id), |it, answer| it.option(&*answer.option, answer.percent));
        }
        let bands = self.bands.iter();
        bands.fold(Question::range(self.id), |it, band| it.band(band.from..=band.to, band.percent))
    }
}

impl StudyAudience {
    fn audience(&self, problems: &mut Vec<FieldError>) -> Audience {
        let questions: Vec<Question> = self.questions.iter().map(|question| question.question(problems)).collect();
        if !self.interlock {
            return Audience::independent(questions);
        }
        match <[Question; 2]>::try_from(questions) {
            Ok(crossed) => Audience::interlock(crossed),
            Err(questions) => {
                let reason = format!("crosses {} questions, expected 2", questions.len());
                problems.push(FieldError::new("audience", reason));
                Audience::independent(questions)
            }
        }
    }
}

impl Study {
    /// A study without target groups.
    pub fn new(name: impl Into<String>, manager: UserId) -> Self {
        Self { name: name.into(), manager, reference: None, target_groups: Vec::new() }
    }

    /// Adds a target group.
    #[must_use]
    pub fn target_group(mut self, group: StudyGroup) -> Self {
        self.target_groups.push(group);
        self
    }

    /// Refuses a study with names that are not unique.
    fn check(&self) -> Result<(), Error> {
        let mut problems = Vec::from_iter(text_length("name", self.name.trim(), crate::project::NAME_CHARS));
        for (index, group) in self.target_groups.iter().enumerate() {
            if self.target_groups[..index].iter().any(|other| other.name.trim() == group.name.trim()) {
                let reason = format!("{:?} is the name of two target groups, expected one", group.name);
                problems.push(FieldError::new("target_group", reason));
            }
        }
        Error::check(problems)
    }
}

impl StudyGroup {
    /// The draft that this target group begins as.
    fn draft<V: Version>(&self, study: &Study, project: &ProjectScope<V>) -> Result<DraftBuilder<V>, Error> {
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
            .live_url(self.live_url.clone())
            .collects_pii(self.collects_pii)
            .supply(self.supply.supply())
            .audience(audience);
        match window {
            Ok(window) => draft = draft.fielding_period(window),
            Err(error) => problems.push(FieldError::new("fielding_period", error.to_string())),
        }
        Error::check(problems)?;
        if let Some(price) = &self.cost_per_interview {
            draft = draft.cost_per_interview(price.clone());
        }
        if let Some(url) = &self.test_url {
            draft = draft.test_url(url.clone());
        }
        if let Some(code) = &self.industry {
            draft = draft.industry(code.clone());
        }
        if let Some(code) = &self.lockout {
            draft = draft.lockout(code.clone());
        }
        if let Some(code) = &self.study_type {
            draft = draft.study_type(code.clone());
        }
        Ok(draft)
    }
}
