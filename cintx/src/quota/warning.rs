//! What whole numbers do to an audience, in words: cells that get nobody, targets that are blurred, proportions
//! that are not met.

use std::fmt;

use cintx_quota::Solution;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive as _;
use serde::{Deserialize, Serialize};

use crate::audience::solve::Scale;
use crate::audience::{Audience, Interlock, Question, Unit, labels};
use crate::error::Error;
use crate::quota::QuotaTable;
use crate::version::Version;

/// What whole numbers do to an audience. None of it is an error; a larger goal, a smallest cell or merged categories
/// help.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum QuotaWarning {
    /// A cell is worth a few people and gets none. Cells that were excluded are not meant.
    RoundedToNothing {
        /// The cell in words.
        label: String,
        /// How many completes it is worth.
        completes: Decimal,
    },
    /// A target that is sent in whole percent stands for another number of completes than was asked for.
    Blurred {
        /// The target in words.
        label: String,
        /// The completes that were asked for.
        asked: u64,
        /// Those that the percentage stands for.
        sent: u64,
    },
    /// A target gives way, because it may and not all can be met.
    GivesWay {
        /// The target in words.
        label: String,
        /// What was asked for.
        from: u64,
        /// What is kept.
        to: u64,
    },
    /// No table of fractions has the proportions that were asked for, because of the cells that are excluded: the
    /// quotas meet the targets all the same.
    NotConverged {
        /// By how many completes the fractions miss a target, at most.
        off_by: Decimal,
    },
    /// Not every cell is its proportional part, rounded up or down: with three questions that cannot always be.
    NotNextToProportional {
        /// How many completes lie between a cell and its part, at most.
        farthest: Decimal,
    },
}

impl fmt::Display for QuotaWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RoundedToNothing { label, completes } => {
                write!(f, "{label} is worth {completes} completes and gets none")
            }
            Self::Blurred { label, asked, sent } => {
                write!(f, "{label} is sent as a whole percentage: about {sent} completes instead of {asked}")
            }
            Self::GivesWay { label, from, to } => write!(f, "{label} gets {to} instead of {from}: not all can be met"),
            Self::NotConverged { off_by } => {
                write!(f, "the proportions cannot be met with these cells excluded: fractions are off by {off_by}")
            }
            Self::NotNextToProportional { farthest } => {
                write!(f, "a cell is {farthest} completes from its proportional part, more than rounding would make it")
            }
        }
    }
}

fn decimal(number: f64) -> Decimal {
    Decimal::from_f64(number).unwrap_or_default().round_dp(2).normalize()
}

/// What the solution of an interlock has to be told about.
pub(crate) fn of_solution(solution: &Solution, scale: Scale) -> Vec<QuotaWarning> {
    let of_goal = scale.goal as f64 / scale.total.max(1) as f64;
    let completes = |parts: f64| decimal(parts * of_goal);
    let vanished = solution.rounded_to_nothing().into_iter().map(|cell| (cell.labels.join(" × "), cell.people));
    // Nobody is told of a hundredth of a complete.
    let vanished = vanished.map(|(label, people)| (label, completes(people))).filter(|(_, people)| !people.is_zero());
    let vanished = vanished.map(|(label, completes)| QuotaWarning::RoundedToNothing { label, completes });
    let back = |parts: u64| (parts as f64 * of_goal).round() as u64;
    let shifts = solution.shifts().iter().map(|shift| QuotaWarning::GivesWay {
        label: shift.label.clone(),
        from: back(shift.from),
        to: back(shift.to),
    });
    let mut warnings: Vec<QuotaWarning> = vanished.chain(shifts).collect();
    let fit = solution.fit();
    if !fit.converged {
        warnings.push(QuotaWarning::NotConverged { off_by: completes(fit.error) });
    } else if !solution.is_floor_or_ceiling() {
        warnings.push(QuotaWarning::NotNextToProportional { farthest: completes(solution.deviation()) });
    }
    warnings
}

impl QuotaTable {
    /// What whole numbers do to the audience that the table was planned for; of a table in field there is nothing to
    /// say.
    ///
    /// ```
    /// # use cintx::audience::{Audience, Question};
    /// let age = Question::range(42).band(18..=34, 49).band(35..=74, 48).band(75..=99, 3);
    /// let region = Question::choice(5).option("1", 90).option("2", 10);
    /// let table = Audience::interlock([age, region]).quota_table(100)?;
    /// assert_eq!(table.warnings()[0].to_string(), "75-99 × option 2 is worth 0.3 completes and gets none");
    /// # Ok::<(), cintx::Error>(())
    /// ```
    pub fn warnings(&self) -> &[QuotaWarning] {
        &self.warnings
    }
}

impl Audience {
    /// What a version makes of the audience, before it is sent: those before 2025-12-18 take whole percents, in which a
    /// cell may vanish and a third is not a third. [`create`](crate::target_group::DraftBuilder::create) writes the
    /// same to the log.
    ///
    /// ```
    /// # #[cfg(feature = "v2025-12-18")]
    /// # fn run() -> Result<(), cintx::Error> {
    /// # use cintx::audience::{Audience, Question};
    /// let thirds = Question::range(42).band(18..=34, "33.33").band(35..=54, "33.33").band(55..=99, "33.34");
    /// let warnings = Audience::independent([thirds]).quota_warnings::<cintx::V2025_12_18>(500)?;
    /// assert!(warnings.is_empty());
    /// // In 2025-02-17: "question 42: 55-99 is sent as a whole percentage: about 170 completes instead of 167".
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What is wrong with the audience.
    pub fn quota_warnings<V: Version>(&self, completes_goal: u32) -> Result<Vec<QuotaWarning>, Error> {
        let mut problems = Vec::new();
        self.check(Some(completes_goal), V::DRAFTS_IN, &mut problems);
        Error::check(problems)?;
        Ok(self.warnings_in(completes_goal, V::DRAFTS_IN))
    }

    /// The same for an audience that was checked.
    pub(crate) fn warnings_in(&self, goal: u32, drafts: Unit) -> Vec<QuotaWarning> {
        let mut warnings = Vec::new();
        if drafts == Unit::Percent {
            let blurred = self.questions.iter().filter(|question| question.has_quotas());
            warnings.extend(blurred.flat_map(|question| of_percents(question, goal.into())));
        }
        let scale = self.scale(Some(goal), drafts);
        if let Some(interlock) = &self.interlock
            && let Ok(solution) = interlock.solution(scale)
        {
            warnings.extend(of_solution(&solution, scale));
            if drafts == Unit::Percent {
                warnings.extend(of_margins(interlock, &solution, goal.into()));
            }
        }
        warnings
    }
}

/// What a whole percentage stands for.
fn of_percent(percent: u64, goal: u64) -> u64 {
    (percent * goal + 50) / 100
}

fn blurred(label: String, asked: u64, percent: u64, goal: u64) -> Option<QuotaWarning> {
    let sent = of_percent(percent, goal);
    match (percent, asked) {
        (0, 0) => None,
        (0, asked) => Some(QuotaWarning::RoundedToNothing { label, completes: asked.into() }),
        _ => (sent != asked).then_some(QuotaWarning::Blurred { label, asked, sent }),
    }
}

fn of_percents(question: &Question, goal: u64) -> Vec<QuotaWarning> {
    let name = |label: String| format!("{}: {label}", crate::audience::solve::axis_name(question.id()));
    let counts = question.counts(100, goal).into_iter().zip(question.counts(goal, goal));
    let targets = labels(question).into_iter().zip(counts);
    let told = targets.filter_map(|(label, (percent, asked))| blurred(name(label), asked?, percent?, goal));
    told.collect()
}

/// The targets of crossed questions: what the cells of a hundred add up to.
fn of_margins(interlock: &Interlock, solution: &Solution, goal: u64) -> Vec<QuotaWarning> {
    let of = |(axis, question): (usize, &Question)| {
        let asked = question.counts(goal, goal).into_iter().map(Option::unwrap_or_default);
        let percents: Vec<u64> = solution.margin(axis).to_vec();
        let targets = labels(question).into_iter().zip(asked.zip(percents));
        targets.filter_map(|(label, (asked, percent))| blurred(label, asked, percent, goal)).collect::<Vec<_>>()
    };
    interlock.questions().iter().enumerate().flat_map(of).collect()
}
