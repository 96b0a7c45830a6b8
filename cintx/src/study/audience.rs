//! The audience of a study's target group: all that [`Audience`] can say, as data.

use serde::{Deserialize, Serialize};

use super::StudyNumber;
use crate::audience::planned_table;
use crate::audience::{Audience, Condition, ControlQuotas, Interlock, Question, Share};
use crate::error::FieldError;
use crate::quota::Quota;
use crate::types::Interval;
use crate::types::ids::ProfileTemplateId;

/// The audience: questions side by side, questions that are crossed, a template, hand-made quotas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudyAudience {
    /// The profiles of this template; questions beside it win over the template's. From 2025-12-18 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<ProfileTemplateId>,
    /// Whether quotas are sent as percentages, so that they follow the goal. Before 2025-12-18 they always are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_percent: bool,
    /// The questions whose quotas stand side by side.
    #[serde(default, rename = "question", skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<StudyQuestion>,
    /// The questions that are crossed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interlock: Option<StudyInterlock>,
    /// Hand-made quotas over several questions. From 2025-12-18 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<StudyControl>,
}

/// A question with the part of the completes that each answer gets. It has bands, options, or texts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudyQuestion {
    /// The id of the question in the library.
    pub id: i64,
    /// Whether its answers have quotas; it only screens if not, and its answers have no shares.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub quotas: bool,
    /// Ranges of numbers, both ends included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bands: Vec<StudyBand>,
    /// Answer options.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<StudyOption>,
    /// Lists of texts, such as post codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<StudyTexts>,
    /// Whether any text is taken; that has no quota.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub any_text: bool,
}

fn yes() -> bool {
    true
}

fn is_yes(it: &bool) -> bool {
    *it
}

/// A range of numbers, or several that are counted together. Its part is in percent or in completes; with neither,
/// whoever comes is taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudyBand {
    /// The least: 1 to 99.
    #[cfg_attr(feature = "study-schema", schemars(range(min = 1, max = 99)))]
    pub from: u8,
    /// The greatest: 1 to 99.
    #[cfg_attr(feature = "study-schema", schemars(range(min = 1, max = 99)))]
    pub to: u8,
    /// Further ranges that are counted together with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or: Vec<StudyRange>,
    /// A name, which several ranges need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The share of the completes, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<StudyNumber>,
    /// The number of completes, in place of a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completes: Option<u32>,
}

/// A range of numbers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StudyRange {
    /// The least: 1 to 99.
    #[cfg_attr(feature = "study-schema", schemars(range(min = 1, max = 99)))]
    pub from: u8,
    /// The greatest: 1 to 99.
    #[cfg_attr(feature = "study-schema", schemars(range(min = 1, max = 99)))]
    pub to: u8,
}

/// An answer option, or several that are counted together. Its part is in percent or in completes; with neither,
/// whoever comes is taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudyOption {
    /// The code of the answer option.
    pub option: String,
    /// The codes of further options that are counted together with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or: Vec<String>,
    /// A name, which several options need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The share of the completes, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<StudyNumber>,
    /// The number of completes, in place of a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completes: Option<u32>,
}

/// Texts that are counted together. Their part is in percent or in completes; with neither, whoever comes is taken.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudyTexts {
    /// A name for them.
    pub name: String,
    /// The texts: 1 to 10,000.
    pub values: Vec<String>,
    /// Their share in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<StudyNumber>,
    /// Their completes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completes: Option<u32>,
}

/// Two or three questions whose answers are crossed: each combination, a cell, gets a quota of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudyInterlock {
    /// The questions: two or three.
    #[serde(rename = "question")]
    pub questions: Vec<StudyQuestion>,
    /// The weights of the cells, the last question's answers fastest; 0 excludes a cell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seed: Vec<StudyNumber>,
    /// Cells with a least or a most.
    #[serde(default, rename = "cell", skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<StudyCell>,
    /// Targets that are known together.
    #[serde(default, rename = "joint", skip_serializing_if = "Vec::is_empty")]
    pub joints: Vec<StudyJoint>,
    /// Targets that may give where not all can be met.
    #[serde(default, rename = "give", skip_serializing_if = "Vec::is_empty")]
    pub gives: Vec<StudyGive>,
    /// Every cell that is not excluded gets at least so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest_cell: Option<u32>,
    /// The last wave of a tracker, whose misses are made up for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_wave: Option<StudyWave>,
    /// At most so much time for each table: `"PT2S"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit: Option<Interval>,
    /// At most so much work for each table, counted in numbers that are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_limit: Option<u64>,
}

/// A cell with a least or a most. A most of 0 excludes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StudyCell {
    /// The position among the answers of each question, from 0.
    pub at: Vec<usize>,
    /// It gets at least so many completes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u32>,
    /// It gets at most so many completes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u32>,
}

/// Targets that are known together: one for each combination of answers, the last question's fastest. All in percent,
/// or all in completes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StudyJoint {
    /// The ids of the questions.
    pub questions: Vec<i64>,
    /// The shares in percent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub percent: Vec<StudyNumber>,
    /// The completes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub completes: Vec<u32>,
}

/// How the targets of a question, or those that several have together, may give where not all can be met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudyGive {
    /// The ids of the questions.
    pub questions: Vec<i64>,
    /// By so many percent of each target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<StudyNumber>,
    /// By so many completes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completes: Option<u32>,
    /// Between a least and a most in completes: a pair for each target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub between: Vec<(u32, u32)>,
    /// One of their completes counts so much against one of another question that may give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<StudyNumber>,
}

/// The last wave of a tracker: what was wanted of each cell and what came, the last question's answers fastest.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StudyWave {
    /// What was wanted of each cell.
    pub targets: Vec<u32>,
    /// What came of each cell.
    pub completes: Vec<u32>,
}

/// Hand-made quotas over several questions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StudyControl {
    /// A name for all of them.
    pub name: String,
    /// The quotas.
    #[serde(rename = "target")]
    pub targets: Vec<StudyControlTarget>,
}

/// A hand-made quota.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StudyControlTarget {
    /// The name of the control quota.
    pub name: String,
    /// How many completes are wanted.
    pub completes: u32,
    /// What must be answered. Each is an answer to a question side by side.
    pub conditions: Vec<StudyCondition>,
}

/// An answer to a question: a range, an option, texts, or any text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudyCondition {
    /// The id of the question.
    pub question: i64,
    /// The least of a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u8>,
    /// The greatest of a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u8>,
    /// The code of an answer option.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// One of these texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<String>,
    /// Any text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub any_text: bool,
}

impl StudyAudience {
    /// Questions whose quotas stand side by side.
    pub fn independent(questions: impl IntoIterator<Item = StudyQuestion>) -> Self {
        Self { questions: questions.into_iter().collect(), ..Self::default() }
    }

    /// Two or three questions that are crossed.
    pub fn interlock(questions: impl IntoIterator<Item = StudyQuestion>) -> Self {
        let questions = questions.into_iter().collect();
        Self { interlock: Some(StudyInterlock { questions, ..StudyInterlock::default() }), ..Self::default() }
    }

    /// The audience as a draft takes it; what is wrong with it is added to the problems.
    pub(super) fn audience(&self, problems: &mut Vec<FieldError>) -> Audience {
        let mut audience = Audience::independent(self.questions.iter().map(|question| question.question(problems)));
        if let Some(template) = &self.template {
            audience = Audience { questions: audience.questions, ..Audience::template(template.as_str()) };
        }
        if self.in_percent {
            audience = audience.in_percent();
        }
        if let Some(interlock) = &self.interlock {
            audience.interlock = interlock.interlock(problems);
        }
        if let Some(control) = &self.control {
            audience = audience.control(control.control(problems));
        }
        audience
    }
}

/// Says what is wrong with an audience.
fn refuse(problems: &mut Vec<FieldError>, reason: String) {
    problems.push(FieldError::new("audience", reason));
}

fn share(question: i64, percent: Option<StudyNumber>, completes: Option<u32>, problems: &mut Vec<FieldError>) -> Share {
    match (percent, completes) {
        (Some(percent), None) => Share::Percent(percent.decimal()),
        (None, Some(completes)) => Share::Completes(completes),
        (None, None) => Share::Open,
        (Some(percent), Some(completes)) => {
            let reason = format!(
                "has an answer to question {question} with {percent} percent and {completes} completes, expected one \
                 of them"
            );
            refuse(problems, reason);
            Share::Open
        }
    }
}

impl StudyQuestion {
    fn new(id: i64) -> Self {
        Self { id, quotas: true, bands: Vec::new(), options: Vec::new(), texts: Vec::new(), any_text: false }
    }

    /// A question that is answered with a number: age.
    pub fn range(id: i64, bands: impl IntoIterator<Item = StudyBand>) -> Self {
        Self { bands: bands.into_iter().collect(), ..Self::new(id) }
    }

    /// A question that is answered with an option.
    pub fn choice(id: i64, options: impl IntoIterator<Item = StudyOption>) -> Self {
        Self { options: options.into_iter().collect(), ..Self::new(id) }
    }

    /// A question that is answered with a text: post codes.
    pub fn open_ended(id: i64, texts: impl IntoIterator<Item = StudyTexts>) -> Self {
        Self { texts: texts.into_iter().collect(), ..Self::new(id) }
    }

    fn question(&self, problems: &mut Vec<FieldError>) -> Question {
        let id = self.id;
        let has_texts = self.any_text || !self.texts.is_empty();
        let kinds = [!self.bands.is_empty(), !self.options.is_empty(), has_texts];
        if kinds.into_iter().filter(|it| *it).count() != 1 {
            let names = ["bands", "options", "texts"];
            let given: Vec<&str> = names.into_iter().zip(kinds).filter_map(|(name, is)| is.then_some(name)).collect();
            let given = if given.is_empty() { "none".to_owned() } else { given.join(" and ") };
            refuse(problems, format!("question {id} has {given}, expected one of bands, options and texts"));
        }
        let question = if !self.bands.is_empty() {
            self.bands.iter().fold(Question::range(id), |it, band| band.add_to(it, problems))
        } else if has_texts {
            let texts = self.texts.iter().fold(Question::open_ended(id), |it, texts| {
                it.values(&*texts.name, texts.values.iter().map(String::as_str), {
                    share(id, texts.percent, texts.completes, problems)
                })
            });
            if self.any_text { texts.any_value() } else { texts }
        } else {
            self.options.iter().fold(Question::choice(id), |it, option| option.add_to(it, problems))
        };
        if self.quotas { question } else { question.without_quotas() }
    }
}

/// Several conditions are counted under a name.
fn group_name(id: i64, name: Option<&str>, problems: &mut Vec<FieldError>) -> String {
    if name.is_none() {
        refuse(problems, format!("question {id} has answers that are counted together, expected a name for them"));
    }
    name.unwrap_or("together").to_owned()
}

impl StudyBand {
    /// A band, both ends included, without a quota.
    pub fn new(from: u8, to: u8) -> Self {
        Self { from, to, or: Vec::new(), name: None, percent: None, completes: None }
    }

    /// With a share in percent.
    #[must_use]
    pub fn percent(mut self, percent: impl Into<StudyNumber>) -> Self {
        self.percent = Some(percent.into());
        self
    }

    fn add_to(&self, question: Question, problems: &mut Vec<FieldError>) -> Question {
        let share = share(question.id(), self.percent, self.completes, problems);
        if self.or.is_empty() && self.name.is_none() {
            return question.band(self.from..=self.to, share);
        }
        let name = group_name(question.id(), self.name.as_deref(), problems);
        let ranges = std::iter::once(self.from..=self.to).chain(self.or.iter().map(|range| range.from..=range.to));
        question.bands(name, ranges, share)
    }
}

impl StudyOption {
    /// An answer option by its code, without a quota.
    pub fn new(option: impl Into<String>) -> Self {
        Self { option: option.into(), or: Vec::new(), name: None, percent: None, completes: None }
    }

    /// With a share in percent.
    #[must_use]
    pub fn percent(mut self, percent: impl Into<StudyNumber>) -> Self {
        self.percent = Some(percent.into());
        self
    }

    fn add_to(&self, question: Question, problems: &mut Vec<FieldError>) -> Question {
        let share = share(question.id(), self.percent, self.completes, problems);
        if self.or.is_empty() && self.name.is_none() {
            return question.option(&*self.option, share);
        }
        let name = group_name(question.id(), self.name.as_deref(), problems);
        question.options(name, std::iter::once(&self.option).chain(&self.or), share)
    }
}

impl StudyTexts {
    /// Texts under a name, without a quota.
    pub fn new<T: Into<String>>(name: impl Into<String>, values: impl IntoIterator<Item = T>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self { name: name.into(), values, percent: None, completes: None }
    }
}

impl StudyInterlock {
    fn interlock(&self, problems: &mut Vec<FieldError>) -> Option<Interlock> {
        let questions: Vec<Question> = self.questions.iter().map(|question| question.question(problems)).collect();
        let crossed = <[Question; 2]>::try_from(questions)
            .map(Interlock::of)
            .or_else(|questions| <[Question; 3]>::try_from(questions).map(Interlock::of));
        let mut crossed = match crossed {
            Ok(crossed) => crossed,
            Err(questions) => {
                refuse(problems, format!("crosses {} questions, expected 2 or 3", questions.len()));
                return None;
            }
        };
        if !self.seed.is_empty() {
            crossed = crossed.seed(self.seed.iter().map(|weight| weight.to_f64()));
        }
        for cell in &self.cells {
            if let Some(least) = cell.at_least {
                crossed = crossed.at_least(cell.at.clone(), least);
            }
            if let Some(most) = cell.at_most {
                crossed = crossed.at_most(cell.at.clone(), most);
            }
        }
        crossed = self.joints.iter().fold(crossed, |it, joint| joint.add_to(it, problems));
        crossed = self.gives.iter().fold(crossed, |it, give| give.add_to(it, problems));
        if let Some(completes) = self.smallest_cell {
            crossed = crossed.smallest_cell(completes);
        }
        if let Some(wave) = &self.last_wave {
            crossed = wave.add_to(crossed, problems);
        }
        if let Some(limit) = self.time_limit {
            crossed = crossed.time_limit(limit.duration());
        }
        Some(match self.work_limit {
            Some(limit) => crossed.work_limit(limit),
            None => crossed,
        })
    }
}

impl StudyJoint {
    fn add_to(&self, crossed: Interlock, problems: &mut Vec<FieldError>) -> Interlock {
        if self.percent.is_empty() == self.completes.is_empty() {
            let reason = format!("joint of {:?} has percent and completes, or neither; expected one", self.questions);
            refuse(problems, reason);
        }
        let percent = self.percent.iter().map(|percent| Share::Percent(percent.decimal()));
        let completes = self.completes.iter().map(|completes| Share::Completes(*completes));
        crossed.joint(self.questions.iter().copied(), percent.chain(completes))
    }
}

impl StudyGive {
    /// The targets of questions, by their ids; nothing is said yet of how they give.
    pub fn new(questions: impl IntoIterator<Item = i64>) -> Self {
        Self { questions: questions.into_iter().collect(), ..Self::default() }
    }

    fn add_to(&self, mut crossed: Interlock, problems: &mut Vec<FieldError>) -> Interlock {
        let questions = || self.questions.iter().copied();
        let ways = [self.percent.is_some(), self.completes.is_some(), !self.between.is_empty()];
        let ways = ways.into_iter().filter(|it| *it).count();
        if ways > 1 || ways == 0 && self.importance.is_none() {
            let reason = format!(
                "give of {:?} says {ways} ways, expected one of percent, completes and between, or an importance",
                self.questions
            );
            refuse(problems, reason);
        }
        if let Some(percent) = self.percent {
            crossed = crossed.tolerance(questions(), percent.decimal());
        }
        if let Some(completes) = self.completes {
            crossed = crossed.tolerance(questions(), Share::Completes(completes));
        }
        if !self.between.is_empty() {
            crossed = crossed.ranges(questions(), self.between.iter().copied());
        }
        match self.importance {
            Some(importance) => crossed.importance(questions(), importance.to_f64()),
            None => crossed,
        }
    }
}

impl StudyWave {
    fn add_to(&self, crossed: Interlock, problems: &mut Vec<FieldError>) -> Interlock {
        let cells = crossed.cells();
        if self.targets.len() != cells || self.completes.len() != cells {
            let (targets, completes) = (self.targets.len(), self.completes.len());
            refuse(problems, format!("last_wave has {targets} targets and {completes} completes, expected {cells}"));
            return crossed;
        }
        let counts: Vec<u64> = self.targets.iter().copied().map(u64::from).collect();
        let mut last = planned_table(crossed.questions(), &counts, Vec::new());
        let came = |(quota, completes): (&mut Quota, &u32)| quota.completes = (*completes).into();
        last.cells.iter_mut().zip(&self.completes).for_each(came);
        crossed.carry_over(&last)
    }
}

impl StudyControl {
    fn control(&self, problems: &mut Vec<FieldError>) -> ControlQuotas {
        let quotas = ControlQuotas::new(&*self.name);
        self.targets.iter().fold(quotas, |quotas, target| {
            let conditions: Vec<_> =
                target.conditions.iter().filter_map(|it| Some((it.question, it.condition(problems)?))).collect();
            quotas.target(&*target.name, conditions, target.completes)
        })
    }
}

impl StudyCondition {
    /// An answer with a number in a range, both ends included.
    pub fn range(question: i64, from: u8, to: u8) -> Self {
        Self::of(question, &Condition::Range { min: from, max: to })
    }

    /// An answer option, by its code.
    pub fn option(question: i64, option: impl Into<String>) -> Self {
        Self::of(question, &Condition::Option(option.into()))
    }

    pub(super) fn of(question: i64, condition: &Condition) -> Self {
        let none = Self { question, from: None, to: None, option: None, texts: Vec::new(), any_text: false };
        match condition {
            Condition::Range { min, max } => Self { from: Some(*min), to: Some(*max), ..none },
            Condition::Option(option) => Self { option: Some(option.clone()), ..none },
            Condition::Values(texts) => Self { texts: texts.clone(), ..none },
            Condition::AnyValue => Self { any_text: true, ..none },
        }
    }

    fn condition(&self, problems: &mut Vec<FieldError>) -> Option<Condition> {
        match (self.from, self.to, &self.option, &self.texts[..], self.any_text) {
            (Some(min), Some(max), None, [], false) => Some(Condition::Range { min, max }),
            (None, None, Some(option), [], false) => Some(Condition::Option(option.clone())),
            (None, None, None, texts @ [_, ..], false) => Some(Condition::Values(texts.to_vec())),
            (None, None, None, [], true) => Some(Condition::AnyValue),
            _ => {
                let reason = format!(
                    "control names question {} without one condition, expected from and to, option, texts or any_text",
                    self.question
                );
                refuse(problems, reason);
                None
            }
        }
    }
}
