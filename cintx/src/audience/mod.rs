//! The audience: questions with their targets, side by side or interlocked, from a template, with hand-made control
//! quotas. The same audience is rendered into every version; it is validated before that.

pub(crate) mod constraints;
pub(crate) mod error;
pub(crate) mod interlock;
pub(crate) mod question;
pub(crate) mod rules;
pub(crate) mod solve;
mod tracker;

pub use self::constraints::SmallestCell;
pub use self::error::Refusal;
pub(crate) use self::interlock::{Cell, Conditions, Difference, Shape, Unit};
pub(crate) use self::interlock::{
    conditions as conditions_of, of_cell as conditions_of_cell, sorted as sorted_conditions,
};
pub(crate) use self::question::QuestionKind;
pub use self::question::{Condition, Question, Share, Target};
pub use self::rules::AudienceProblem;

use std::time::Duration;

use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};

use self::constraints::Constraints;
use self::solve::{Limits, Memo, Scale};
use crate::error::{Error, FieldError};
use crate::quota::{Quota, QuotaAxis, QuotaTable, QuotaWarning, TableKind};

/// The audience of a target group.
///
/// ```
/// # use cintx::audience::{Audience, Question};
/// let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
/// let gender = Question::choice(43).option("1", 49).option("2", 51);
/// let audience = Audience::interlock([age, gender]).and_question(Question::choice(47).option("1", 100));
/// assert!(audience.problems(Some(500)).is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audience {
    pub(crate) questions: Vec<Question>,
    pub(crate) interlock: Option<Interlock>,
    pub(crate) control: Option<ControlQuotas>,
    pub(crate) template: Option<String>,
    pub(crate) in_percent: bool,
}

impl Audience {
    /// Questions whose quotas stand side by side.
    pub fn independent(questions: impl IntoIterator<Item = Question>) -> Self {
        Self {
            questions: questions.into_iter().collect(),
            interlock: None,
            control: None,
            template: None,
            in_percent: false,
        }
    }

    /// Two or three questions whose targets are crossed: each combination gets a quota of its own, and the quotas add
    /// up to the targets of every question exactly.
    #[doc(alias = "generate_draft_interlock_profile_v2")]
    pub fn interlock(crossed: impl Into<Interlock>) -> Self {
        Self { interlock: Some(crossed.into()), ..Self::independent([]) }
    }

    /// The profiles of a template (its id); questions beside it win over the template's for the same question.
    /// Only with percentages. 2025-12-18 only: other versions refuse it before anything is sent.
    pub fn template(id: impl Into<String>) -> Self {
        Self { template: Some(id.into()), in_percent: true, ..Self::independent([]) }
    }

    /// Adds a question with quotas of its own.
    #[must_use]
    pub fn and_question(mut self, question: Question) -> Self {
        self.questions.push(question);
        self
    }

    /// Adds hand-made quotas over several questions. 2025-12-18 only: other versions refuse it before anything is sent.
    #[must_use]
    pub fn control(mut self, quotas: ControlQuotas) -> Self {
        self.control = Some(quotas);
        self
    }

    /// Sends percentages with two decimals instead of counts, so that the quotas follow when the goal is changed.
    /// The versions before 2025-12-18 always do, in whole percent. They add up to 100 in either.
    #[must_use]
    pub fn in_percent(mut self) -> Self {
        self.in_percent = true;
        self
    }

    /// The questions side by side.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// The crossed questions, if there are any.
    pub fn crossed(&self) -> Option<&Interlock> {
        self.interlock.as_ref()
    }

    /// The quotas of an interlocked audience for a number of completes.
    ///
    /// ```
    /// # use cintx::audience::{Audience, Question};
    /// let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
    /// let gender = Question::choice(43).option("1", 49).option("2", 51);
    /// let table = Audience::interlock([age, gender]).quota_table(501)?;
    /// assert_eq!(table.total(), 501);
    /// # Ok::<(), cintx::Error>(())
    /// ```
    ///
    /// # Errors
    /// If nothing is interlocked, the audience breaks a rule, or no table meets its targets: then the error says which
    /// cells stand in the way.
    pub fn quota_table(&self, completes_goal: u32) -> Result<QuotaTable, Error> {
        let interlock = self.interlock.as_ref().ok_or_else(|| invalid("has nothing interlocked"))?;
        let problems = self.problems(Some(completes_goal));
        if !problems.is_empty() {
            return Err(Error::invalid(
                problems.iter().map(|it| FieldError::new("audience", it.to_string())).collect(),
            ));
        }
        let scale = Scale::completes(completes_goal.into());
        let solution = interlock.solution(scale).map_err(|error| invalid(solve::in_words(&error)))?;
        let warnings = crate::quota::warning::of_solution(&solution, scale);
        Ok(planned_table(&interlock.questions, solution.cells(), warnings))
    }

    /// Everything that the API would refuse, as far as its published rules say; with a goal, its sums too.
    /// Sending checks the same.
    pub fn problems(&self, completes_goal: Option<u32>) -> Vec<AudienceProblem> {
        self.problems_of(completes_goal, Unit::Completes)
    }

    fn problems_of(&self, goal: Option<u32>, drafts: Unit) -> Vec<AudienceProblem> {
        let mut problems = rules::problems(self, goal);
        if let (true, Some(interlock)) = (problems.is_empty(), &self.interlock)
            && let Err(error) = interlock.solution(self.scale(goal, drafts))
        {
            problems.push(AudienceProblem {
                rule: "".into(),
                call: "Audience::interlock".into(),
                text: solve::in_words(&error),
            });
        }
        problems
    }

    /// How many quotas it makes.
    pub fn quotas(&self) -> usize {
        let of = |question: &Question| {
            question.targets.iter().filter(|it| question.quotas && it.share != Share::Open).count()
        };
        let regular: usize = self.questions.iter().map(of).sum();
        let control = self.control.as_ref().map_or(0, |control| control.targets.len());
        regular + self.interlock.as_ref().map_or(0, Interlock::cells) + control
    }

    /// The same for whoever sends it: what is interlocked is solved for what the quotas of drafts are written in.
    pub(crate) fn check(&self, goal: Option<u32>, drafts: Unit, problems: &mut Vec<FieldError>) {
        let found = self.problems_of(goal, drafts);
        problems.extend(found.iter().map(|problem| FieldError::new("audience", problem.to_string())));
    }
}

fn invalid(reason: impl Into<String>) -> Error {
    Error::invalid(vec![FieldError::new("audience", reason)])
}

/// Questions that are crossed.
///
/// Without more, the cells are as independent as the targets allow. A seed says otherwise: what the population looks
/// like, say; cells can be excluded or bounded.
///
/// ```
/// # use cintx::audience::{Audience, Interlock, Question};
/// let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
/// let gender = Question::choice(43).option("1", 49).option("2", 51);
/// let crossed = Interlock::of([age, gender]).seed([1.0, 1.2, 1.3, 1.0]).at_least([0, 1], 110);
/// let table = Audience::interlock(crossed).quota_table(500)?;
/// assert!(table.cell([0, 1]).unwrap().target >= Some(110));
/// # Ok::<(), cintx::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interlock {
    pub(crate) questions: Vec<Question>,
    pub(crate) seed: Option<Vec<f64>>,
    pub(crate) bounds: Vec<(Vec<usize>, Bound)>,
    #[serde(default)]
    pub(crate) constraints: Constraints,
    #[serde(default)]
    pub(crate) limits: Limits,
    #[serde(skip)]
    pub(crate) memo: Memo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Bound {
    Least(u64),
    Most(u64),
}

impl From<[Question; 2]> for Interlock {
    fn from(questions: [Question; 2]) -> Self {
        Self::crossing(questions.into())
    }
}

impl From<[Question; 3]> for Interlock {
    fn from(questions: [Question; 3]) -> Self {
        Self::crossing(questions.into())
    }
}

impl Interlock {
    fn crossing(questions: Vec<Question>) -> Self {
        Self {
            questions,
            seed: None,
            bounds: Vec::new(),
            constraints: Constraints::default(),
            limits: Limits::default(),
            memo: Memo::default(),
        }
    }

    /// What was solved before is not what is asked for any more.
    fn changed(mut self, change: impl FnOnce(&mut Self)) -> Self {
        self.memo = Memo::default();
        change(&mut self);
        self
    }

    /// Two or three questions.
    pub fn of(questions: impl Into<Self>) -> Self {
        questions.into()
    }

    /// The weights of the cells: one weight for each, the last question's targets fastest.
    /// A weight of 0 excludes the cell.
    #[must_use]
    pub fn seed(self, weights: impl IntoIterator<Item = f64>) -> Self {
        self.changed(|interlock| interlock.seed = Some(weights.into_iter().collect()))
    }

    /// Nobody is wanted in this cell: its position among the targets of each question, from 0.
    #[must_use]
    pub fn exclude(self, cell: impl Into<Vec<usize>>) -> Self {
        self.at_most(cell, 0)
    }

    /// The cell gets at least so many.
    #[must_use]
    pub fn at_least(self, cell: impl Into<Vec<usize>>, completes: u32) -> Self {
        self.changed(|interlock| interlock.bounds.push((cell.into(), Bound::Least(completes.into()))))
    }

    /// The cell gets at most so many.
    #[must_use]
    pub fn at_most(self, cell: impl Into<Vec<usize>>, completes: u32) -> Self {
        self.changed(|interlock| interlock.bounds.push((cell.into(), Bound::Most(completes.into()))))
    }

    /// At most so much time for each table; without a limit, tables that are hard to rule out may take minutes. A call
    /// that is dropped gives up at once.
    ///
    /// ```
    /// # use cintx::audience::{Audience, Interlock, Question};
    /// # use std::time::Duration;
    /// let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
    /// let gender = Question::choice(43).option("1", 49).option("2", 51);
    /// let crossed = Interlock::of([age, gender]).time_limit(Duration::from_secs(2)).work_limit(1_000_000_000);
    /// assert_eq!(Audience::interlock(crossed).quota_table(500)?.total(), 500);
    /// # Ok::<(), cintx::Error>(())
    /// ```
    #[must_use]
    pub fn time_limit(self, time: Duration) -> Self {
        self.changed(|interlock| interlock.limits.time = Some(time))
    }

    /// At most so much work for each table, counted in numbers that are looked at: some hundred million a second, and
    /// the same on every machine.
    #[must_use]
    pub fn work_limit(self, numbers: u64) -> Self {
        self.changed(|interlock| interlock.limits.work = Some(numbers))
    }

    /// The questions.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// How many cells there are.
    pub fn cells(&self) -> usize {
        self.questions.iter().map(|question| question.targets.len()).product()
    }
}

/// A table that is not sent yet: the questions crossed, with a target for each cell.
pub(crate) fn planned_table(questions: &[Question], targets: &[u64], warnings: Vec<QuotaWarning>) -> QuotaTable {
    let axis = |question: &Question| {
        let of = |condition: &Condition| (question.id(), condition.clone());
        QuotaAxis {
            question: Some(question.id()),
            name: None,
            labels: labels(question),
            conditions: question.targets().iter().map(|it| it.conditions().iter().map(of).collect()).collect(),
        }
    };
    QuotaTable {
        profile: None,
        name: "interlock".to_owned(),
        kind: TableKind::Interlock,
        enabled: true,
        axes: questions.iter().map(axis).collect(),
        cells: targets.iter().map(|target| Quota { target: Some(*target), ..Quota::default() }).collect(),
        warnings,
    }
}

/// The targets' labels, none of them twice.
pub(crate) fn labels(question: &Question) -> Vec<String> {
    distinct(question.targets.iter().map(Target::label).collect())
}

/// Labels, none of them twice.
pub(crate) fn distinct(mut labels: Vec<String>) -> Vec<String> {
    for at in (1..labels.len()).rev() {
        if labels[..at].contains(&labels[at]) {
            labels[at] = format!("{} ({})", labels[at], at + 1);
        }
    }
    labels
}

pub(crate) fn shares(question: &Question) -> Vec<f64> {
    let share = |share: &Share| match share {
        Share::Percent(percent) => percent.to_f64().unwrap_or(0.0),
        Share::Completes(count) => f64::from(*count),
        Share::Open | Share::Unreadable(_) => 0.0,
    };
    question.targets.iter().map(|target| share(&target.share)).collect()
}

impl Question {
    /// Whole numbers for each target that add up to `total` as far as the shares add up to everything; `None` for
    /// those without a quota. `goal` is what counts are parts of.
    pub(crate) fn counts(&self, total: u64, goal: u64) -> Vec<Option<u64>> {
        let with_rest = self.with_rest(goal);
        let counts = cintx_quota::apportion("shares", &with_rest, total).map(|parts| parts.counts).unwrap_or_default();
        let quota = |(target, count): (&Target, u64)| (self.quotas && target.share != Share::Open).then_some(count);
        let counts = counts.into_iter().chain(std::iter::repeat(0));
        self.targets.iter().zip(counts).map(quota).collect()
    }

    /// How many completes each target is worth, in fractions.
    pub(crate) fn worths(&self, goal: u64) -> Vec<f64> {
        let mut with_rest = self.with_rest(goal);
        let sum: f64 = with_rest.iter().sum();
        with_rest.truncate(self.targets.len());
        with_rest.into_iter().map(|share| if sum > 0.0 { share / sum * goal as f64 } else { 0.0 }).collect()
    }

    /// The shares, and what they leave to targets without one.
    fn with_rest(&self, goal: u64) -> Vec<f64> {
        let shares = shares(self);
        let whole = match self.targets.iter().find(|target| target.share != Share::Open).map(|target| &target.share) {
            Some(Share::Completes(_)) => goal as f64,
            _ => 100.0,
        };
        let sum: f64 = shares.iter().sum();
        // What is left to open targets is a share of its own; what is a little off a hundred is spread.
        let rest =
            if self.targets.iter().any(|target| target.share == Share::Open) { (whole - sum).max(0.0) } else { 0.0 };
        shares.into_iter().chain([rest]).collect()
    }
}

/// Hand-made quotas over several questions that stand beside them: 2025-12-18 only.
///
/// Each condition must be one of a question that the audience has side by side.
///
/// ```
/// # use cintx::audience::{Audience, Condition, ControlQuotas, Question};
/// let audience = Audience::independent([
///     Question::range(42).band(18..=34, 40).band(35..=99, 60),
///     Question::choice(43).option("1", 49).option("2", 51),
/// ])
/// .control(ControlQuotas::new("boosts").target(
///     "young men",
///     [(42, Condition::Range { min: 18, max: 34 }), (43, Condition::Option("1".into()))],
///     50,
/// ));
/// assert!(audience.problems(Some(500)).is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ControlQuotas {
    pub(crate) name: String,
    pub(crate) targets: Vec<ControlTarget>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ControlTarget {
    pub(crate) name: String,
    pub(crate) conditions: Vec<(i64, Condition)>,
    pub(crate) completes: u32,
}

impl ControlQuotas {
    /// A name for all of them.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), targets: Vec::new() }
    }

    /// Adds a quota: its name, the conditions with their questions, and how many completes are wanted.
    #[must_use]
    pub fn target(
        mut self,
        name: impl Into<String>,
        conditions: impl IntoIterator<Item = (i64, Condition)>,
        completes: u32,
    ) -> Self {
        let conditions = conditions.into_iter().collect();
        self.targets.push(ControlTarget { name: name.into(), conditions, completes });
        self
    }
}
