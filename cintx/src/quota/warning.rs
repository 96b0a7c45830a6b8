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
use crate::quota::print::isolated;
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

impl QuotaWarning {
    /// The cell or target that it is about.
    pub(super) fn label_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::RoundedToNothing { label, .. } | Self::Blurred { label, .. } | Self::GivesWay { label, .. } => {
                Some(label)
            }
            Self::NotConverged { .. } | Self::NotNextToProportional { .. } => None,
        }
    }
}

impl fmt::Display for QuotaWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RoundedToNothing { label, completes } => {
                write!(f, "{} is worth {completes} completes and gets none", isolated(label))
            }
            Self::Blurred { label, asked, sent } => {
                let label = isolated(label);
                write!(f, "{label} is sent as a whole percentage: about {sent} completes instead of {asked}")
            }
            Self::GivesWay { label, from, to } => {
                write!(f, "{} gets {to} instead of {from}: not all can be met", isolated(label))
            }
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

/// Writes to the log what is about to be sent.
pub(crate) fn log(name: &str, warnings: &[QuotaWarning]) {
    for warning in warnings {
        tracing::warn!(name, %warning, "whole numbers change the quotas");
    }
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
    let shifts = solution.shifts().iter().map(|shift| (shift, back(shift.from), back(shift.to)));
    // A part of a complete that gives way is none.
    let shifts = shifts.filter(|(_, from, to)| from != to);
    let shifts = shifts.map(|(shift, from, to)| QuotaWarning::GivesWay { label: shift.label.clone(), from, to });
    let mut warnings: Vec<QuotaWarning> = vanished.chain(shifts).collect();
    let fit = solution.fit();
    // Nor of a hundredth here.
    let (off_by, farthest) = (completes(fit.error), completes(solution.deviation()));
    if !fit.converged && !off_by.is_zero() {
        warnings.push(QuotaWarning::NotConverged { off_by });
    } else if solution.deviation() >= 1.0 && !farthest.is_zero() {
        warnings.push(QuotaWarning::NotNextToProportional { farthest });
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
    /// What a version makes of the audience, before it is sent: a target or cell may be rounded to nothing, and those
    /// before 2025-12-18 take whole percents, in which a third is not a third. Whatever sends an audience writes the
    /// same to the log: [`create`](crate::target_group::DraftBuilder::create),
    /// [`set_audience`](crate::target_group::TargetGroup::set_audience), and
    /// [`replace`](crate::quota::Quotas::replace), which lists it first.
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
        let scale = self.scale(Some(goal), drafts);
        for question in self.questions.iter().filter(|question| question.has_quotas()) {
            warnings.extend(match drafts {
                Unit::Percent => of_percents(question, goal.into()),
                Unit::Completes => of_counts(question, scale),
            });
        }
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

/// A target that is worth somebody and gets nobody. Nobody is told of a hundredth of a complete.
fn vanished(label: String, worth: f64) -> Option<QuotaWarning> {
    let completes = decimal(worth);
    (!completes.is_zero()).then_some(QuotaWarning::RoundedToNothing { label, completes })
}

fn blurred(label: String, worth: f64, (asked, percent): (u64, u64), goal: u64) -> Option<QuotaWarning> {
    let sent = of_percent(percent, goal);
    match percent {
        0 => vanished(label, worth),
        _ => (sent != asked).then_some(QuotaWarning::Blurred { label, asked, sent }),
    }
}

/// The targets of a question by name, each with the completes that it is worth.
fn worths(question: &Question, goal: u64) -> impl Iterator<Item = (String, f64)> {
    let name = |label: String| format!("{}: {label}", crate::audience::solve::axis_name(question.id()));
    labels(question).into_iter().map(name).zip(question.worths(goal))
}

fn of_percents(question: &Question, goal: u64) -> Vec<QuotaWarning> {
    let counts = question.counts(goal, goal).into_iter().zip(question.counts(100, goal));
    let told = worths(question, goal).zip(counts);
    told.filter_map(|((label, worth), (asked, percent))| blurred(label, worth, (asked?, percent?), goal)).collect()
}

/// The targets that are sent in completes, or in hundredths of a percent.
fn of_counts(question: &Question, scale: Scale) -> Vec<QuotaWarning> {
    let counts = question.counts(scale.total, scale.goal);
    // Names are made where there is something to say.
    if !counts.contains(&Some(0)) {
        return Vec::new();
    }
    let told = worths(question, scale.goal).zip(counts);
    told.filter(|(_, count)| *count == Some(0)).filter_map(|((label, worth), _)| vanished(label, worth)).collect()
}

/// The targets of crossed questions: what the cells of a hundred add up to, against those that are asked for in
/// completes. These are not the shares alone where a wave before missed some, or targets give way.
fn of_margins(interlock: &Interlock, solution: &Solution, goal: u64) -> Vec<QuotaWarning> {
    let moved = interlock.constraints.move_targets().then(|| interlock.solution(Scale::completes(goal)));
    let moved = match &moved {
        None => None,
        Some(Ok(moved)) => Some(moved),
        Some(Err(_)) => return Vec::new(),
    };
    let of = |(axis, question): (usize, &Question)| {
        let asked: Vec<(u64, f64)> = match moved {
            Some(moved) => moved.margin(axis).iter().map(|count| (*count, *count as f64)).collect(),
            None => {
                let counts = question.counts(goal, goal).into_iter().map(Option::unwrap_or_default);
                counts.zip(question.worths(goal)).collect()
            }
        };
        let targets = labels(question).into_iter().zip(asked).zip(solution.margin(axis));
        targets
            .filter_map(|((label, (asked, worth)), percent)| blurred(label, worth, (asked, *percent), goal))
            .collect::<Vec<_>>()
    };
    interlock.questions().iter().enumerate().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(audience: &Audience, goal: u32, drafts: Unit) -> Vec<String> {
        audience.warnings_in(goal, drafts).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_target_that_is_rounded_to_nothing_is_told_in_every_unit() {
        let audience = || Audience::independent([Question::choice(43).option("1", 99).option("2", 1)]);
        let nothing = "question 43: option 2 is worth 0.2 completes and gets none";
        assert_eq!(told(&audience(), 20, Unit::Completes), [nothing]);
        // A percent of 20 is sent, and says the same.
        assert!(!told(&audience(), 20, Unit::Percent).contains(&nothing.to_owned()));
        let few = || Audience::independent([Question::choice(43).option("1", "99.7").option("2", "0.3")]);
        let nothing = "question 43: option 2 is worth 0.3 completes and gets none";
        assert!(told(&few(), 100, Unit::Percent).contains(&nothing.to_owned()));
        assert_eq!(told(&few(), 100, Unit::Completes), [nothing]);
        assert!(told(&few().in_percent(), 100, Unit::Completes).is_empty(), "0.30 percent are sent");
        let fewer = Question::choice(43).option("1", "99.996").option("2", "0.004");
        let fewer = Audience::independent([fewer]).in_percent();
        assert_eq!(
            told(&fewer, 10_000, Unit::Completes),
            ["question 43: option 2 is worth 0.4 completes and gets none"]
        );
        // Who asked for nobody, and who has no quota, is told nothing.
        let open = Question::choice(43).option("1", 100).option("2", 0).option("3", ());
        assert!(told(&Audience::independent([open]), 20, Unit::Completes).is_empty());
        assert!(told(&Audience::independent([Question::choice(43).option("1", 100)]), 1, Unit::Completes).is_empty());
    }
}
