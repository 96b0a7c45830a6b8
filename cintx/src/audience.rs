//! Who shall be asked: questions with their conditions and marginal targets, interlocked or side by side.

use std::ops::RangeInclusive;

use crate::error::Invalid;
use crate::quota::{QuotaTable, apportion};

/// One condition of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// A range of whole numbers, both ends included: ages.
    Range {
        /// The least.
        min: u8,
        /// The greatest.
        max: u8,
    },
    /// An answer option, by its code.
    Option(String),
}

impl Condition {
    /// The condition in words: `18-34`, or the option's code.
    pub fn label(&self) -> String {
        match self {
            Self::Range { min, max } => format!("{min}-{max}"),
            Self::Option(option) => format!("option {option}"),
        }
    }
}

/// A question of the library with the share of completes that each of its conditions shall have.
///
/// ```
/// # use cintx::Question;
/// let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
/// let gender = Question::choice(43).option("1", 49).option("2", 51);
/// ```
#[derive(Clone, Debug)]
pub struct Question {
    id: i64,
    kind: QuestionKind,
    conditions: Vec<(Condition, u32)>,
    problems: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QuestionKind {
    Range,
    Choice,
}

impl Question {
    /// A question that is answered with a number.
    pub fn range(id: i64) -> Self {
        Self { id, kind: QuestionKind::Range, conditions: Vec::new(), problems: Vec::new() }
    }

    /// A question that is answered with an option.
    pub fn choice(id: i64) -> Self {
        Self { id, kind: QuestionKind::Choice, conditions: Vec::new(), problems: Vec::new() }
    }

    /// Adds a band of numbers (1 to 99, both ends included) with its share in percent.
    #[must_use]
    pub fn band(mut self, range: RangeInclusive<u8>, percent: u32) -> Self {
        let (min, max) = (*range.start(), *range.end());
        if self.kind != QuestionKind::Range {
            self.problems.push(format!("question {} is answered with options, not with numbers", self.id));
        }
        if min > max || min < 1 || max > 99 {
            self.problems.push(format!("band {min}..={max} of question {} must lie within 1 to 99", self.id));
        }
        let overlaps = |other: &Condition| matches!(other, Condition::Range { min: low, max: high } if min <= *high && *low <= max);
        if let Some((other, _)) = self.conditions.iter().find(|(condition, _)| overlaps(condition)) {
            self.problems.push(format!("band {min}..={max} of question {} overlaps {}", self.id, other.label()));
        }
        self.conditions.push((Condition::Range { min, max }, percent));
        self
    }

    /// Adds an answer option with its share in percent.
    #[must_use]
    pub fn option(mut self, option: impl Into<String>, percent: u32) -> Self {
        let condition = Condition::Option(option.into());
        if self.kind != QuestionKind::Choice {
            self.problems.push(format!("question {} is answered with a number, not with options", self.id));
        }
        if self.conditions.iter().any(|(other, _)| *other == condition) {
            self.problems.push(format!("{} of question {} is given twice", condition.label(), self.id));
        }
        self.conditions.push((condition, percent));
        self
    }

    /// The question's id in the library.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The conditions with their shares in percent.
    pub fn conditions(&self) -> impl Iterator<Item = (&Condition, u32)> {
        self.conditions.iter().map(|(condition, percent)| (condition, *percent))
    }

    #[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
    pub(crate) fn is_range(&self) -> bool {
        self.kind == QuestionKind::Range
    }

    /// Whole completes for each condition, adding up to the goal.
    pub(crate) fn counts(&self, goal: u32) -> Vec<u32> {
        let shares: Vec<u32> = self.conditions.iter().map(|(_, percent)| *percent).collect();
        apportion(&shares, goal)
    }

    fn check(&self, problems: &mut Vec<Invalid>) {
        problems.extend(self.problems.iter().map(|problem| Invalid::new("audience", problem.clone())));
        let total: u32 = self.conditions.iter().map(|(_, percent)| percent).sum();
        if total != 100 {
            problems.push(Invalid::new(
                "audience",
                format!("shares of question {} add up to {total}, expected 100", self.id),
            ));
        }
    }
}

/// The audience of a target group.
#[derive(Clone, Debug)]
pub struct Audience {
    questions: Vec<Question>,
    interlocked: bool,
}

impl Audience {
    /// Questions whose quotas stand side by side.
    pub fn side_by_side(questions: impl IntoIterator<Item = Question>) -> Self {
        Self { questions: questions.into_iter().collect(), interlocked: false }
    }

    /// Two questions whose conditions are crossed: each pair of conditions gets a quota of its own,
    /// and the quotas add up to the marginal targets of both questions exactly.
    pub fn interlock(questions: [Question; 2]) -> Self {
        Self { questions: questions.into(), interlocked: true }
    }

    /// The questions.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// The crossed questions, if they are crossed.
    pub(crate) fn crossed(&self) -> Option<(&Question, &Question)> {
        match self.questions.as_slice() {
            [rows, columns] if self.interlocked => Some((rows, columns)),
            _ => None,
        }
    }

    /// The quotas of an interlocked audience for a number of completes; `None` if it is not interlocked.
    ///
    /// ```
    /// # use cintx::{Audience, Question};
    /// let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
    /// let gender = Question::choice(43).option("1", 49).option("2", 51);
    /// let table = Audience::interlock([age, gender]).quota_table(501).expect("it is interlocked");
    /// assert_eq!(table.total(), 501);
    /// ```
    pub fn quota_table(&self, completes_goal: u32) -> Option<QuotaTable> {
        let (rows, columns) = self.crossed()?;
        QuotaTable::solve(rows, columns, completes_goal).ok()
    }

    pub(crate) fn check(&self, problems: &mut Vec<Invalid>) {
        if self.questions.is_empty() {
            problems.push(Invalid::new("audience", "has no questions"));
        }
        for (index, question) in self.questions.iter().enumerate() {
            question.check(problems);
            if self.questions[..index].iter().any(|other| other.id == question.id) {
                problems.push(Invalid::new("audience", format!("asks question {} twice", question.id)));
            }
        }
    }
}
