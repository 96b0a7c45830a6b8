//! What can be wrong with a table that is asked for, and what can come of solving it.
//! Every variant names the place, what was given, and what is allowed.

use crate::budget::Stop;
use crate::proof::Proof;
use crate::shape::Cell;
use crate::table::Table;

/// A table that cannot be asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// No axis was given.
    #[error("a table needs at least one axis")]
    NoAxes,
    /// An axis has no category.
    #[error("axis {axis} has no categories, expected at least one")]
    EmptyAxis {
        /// The axis.
        axis: String,
    },
    /// Two categories of an axis have the same label.
    #[error("axis {axis} has the category {label} twice")]
    LabelTwice {
        /// The axis.
        axis: String,
        /// The label.
        label: String,
    },
    /// A number is NaN or infinite.
    #[error("{place} is {value}, expected a finite number")]
    NotFinite {
        /// Which number.
        place: String,
        /// What it is.
        value: f64,
    },
    /// A number is negative.
    #[error("{place} is {value}, expected at least 0")]
    Negative {
        /// Which number.
        place: String,
        /// What it is.
        value: f64,
    },
    /// Shares were given, but no total to divide.
    #[error("axis {axis} has shares and no total to divide: give the total, or one axis in counts")]
    TotalMissing {
        /// The axis.
        axis: String,
    },
    /// Percentages do not add up to 100, give or take one.
    #[error("percentages of {axis} add up to {sum}, expected 100 (99 to 101)")]
    NotHundred {
        /// The axis.
        axis: String,
        /// What they add up to.
        sum: f64,
    },
    /// An axis has no targets, and no joint margin has any for it.
    #[error("{axis} has no targets: give it some, or a joint margin with it")]
    NoTargets {
        /// The axis.
        axis: String,
    },
    /// There is no axis of this name.
    #[error("there is no axis {name}, expected one of {allowed}")]
    NoSuchAxis {
        /// The name.
        name: String,
        /// The names that there are.
        allowed: String,
    },
    /// A joint margin names an axis that is not there, or one twice.
    #[error("the joint margin {joint} names {axis}, expected different axes of the table")]
    JointAxis {
        /// The joint margin.
        joint: String,
        /// The name.
        axis: String,
    },
    /// A joint margin and another margin ask for different counts of the same people.
    #[error("{what} has the target {first}, and by the joint margin {joint} {second}")]
    MarginsDisagree {
        /// A category, or the axes that two joint margins share.
        what: String,
        /// Its target elsewhere.
        first: u64,
        /// The joint margin.
        joint: String,
        /// What it comes to there.
        second: u64,
    },
    /// A joint margin cannot be rounded so that it agrees with the targets of its axes.
    #[error("the joint margin {joint} cannot be made whole: {reason}")]
    JointImpossible {
        /// The joint margin.
        joint: String,
        /// Why.
        reason: String,
    },
    /// A category shall hold at least more than at most.
    #[error("a range of {margin} is {least} to {most}")]
    RangeCrosses {
        /// The margin.
        margin: String,
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// No counts between the leasts and the mosts of a margin add up to the total.
    #[error("the ranges of {margin} add up to {least} to {most}, expected ones around the total of {total}")]
    RangesMissTotal {
        /// The margin.
        margin: String,
        /// What the leasts add up to.
        least: u64,
        /// What the mosts add up to.
        most: u64,
        /// The total.
        total: u64,
    },
    /// An axis may give, and a joint margin with it says something else.
    #[error("{axis} may give, and is part of the joint margin {joint}: let that one give instead")]
    GivesTwice {
        /// The axis.
        axis: String,
        /// The joint margin.
        joint: String,
    },
    /// All shares are zero and the total is not.
    #[error("shares of {axis} add up to 0 and {total} shall be divided among them")]
    NoShares {
        /// The axis.
        axis: String,
        /// What shall be divided.
        total: u64,
    },
    /// Two totals that must be equal are not.
    #[error("{first} adds up to {first_total} and {second} to {second_total}: no table has both")]
    TotalsDiffer {
        /// The first: an axis, or the total.
        first: String,
        /// What it adds up to.
        first_total: u64,
        /// The second.
        second: String,
        /// What it adds up to.
        second_total: u64,
    },
    /// A category has a target, and every one of its cells is excluded.
    #[error("{label} of {axis} has the target {target} and no cell that may hold it")]
    EmptySlice {
        /// The axis.
        axis: String,
        /// The category.
        label: String,
        /// Its target.
        target: u64,
    },
    /// A list that has one number for each cell has another length.
    #[error("{what} has {given} numbers, expected {expected}: one for each cell")]
    Length {
        /// Which list.
        what: &'static str,
        /// How many it has.
        given: usize,
        /// How many cells there are.
        expected: usize,
    },
    /// There is no such cell.
    #[error("there is no cell {cell}")]
    NoSuchCell {
        /// The cell asked for.
        cell: Cell,
    },
    /// A cell's least is above its greatest.
    #[error("cell {cell} shall hold at least {least} and at most {most}")]
    BoundsCross {
        /// The cell.
        cell: Cell,
        /// The least.
        least: u64,
        /// The greatest.
        most: u64,
    },
    /// A count or the number of cells is above what can be reckoned with.
    #[error("{place} is {value}, expected at most {most}")]
    TooLarge {
        /// Which number.
        place: String,
        /// What it is.
        value: u64,
        /// The most that is allowed.
        most: u64,
    },
}

/// Why a table has no solution here.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SolveError {
    /// No table meets the margins, and why.
    #[error("{0}")]
    Infeasible(Box<Proof>),
    /// A table of three or more axes with excluded or bounded cells was neither found nor ruled out with the effort
    /// that is made. (To decide this in general is NP-hard.) Every pair of axes alone can be met.
    #[error("no table was found and none was ruled out, after {cases} cases")]
    Unresolved {
        /// How many cases were looked at.
        cases: usize,
    },
    /// The [`Budget`](crate::Budget) was spent, or the question called off. What was found by then is not given out: it
    /// may not be the nearest.
    #[error("stopped before there was an answer: {0}")]
    Stopped(Stop),
    /// A list that goes with the table does not fit it.
    #[error(transparent)]
    Input(#[from] TableError),
}

/// A share or a weight must be finite and not negative.
pub(crate) fn check_number(value: f64, place: impl FnOnce() -> String) -> Result<(), TableError> {
    if !value.is_finite() {
        return Err(TableError::NotFinite { place: place(), value });
    }
    if value < 0.0 {
        return Err(TableError::Negative { place: place(), value });
    }
    Ok(())
}

/// A count must be one that floating-point numbers can hold exactly.
pub(crate) fn check_count(value: u64, place: impl FnOnce() -> String) -> Result<(), TableError> {
    if value > Table::MAX_COUNT {
        return Err(TableError::TooLarge { place: place(), value, most: Table::MAX_COUNT });
    }
    Ok(())
}
