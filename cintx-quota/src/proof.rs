//! Why no table exists: one cut, or where fractions would do, several cases that leave nothing out.
//! A proof is data that anybody can go through, and prints as a sentence.

use std::fmt;

use crate::cut::{Bounds, Cut, cell_weights, weighed, weighted_targets};
use crate::table::Table;

/// A proof that no table exists. [`Table::confirms`] goes through it again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Proof {
    /// The steps, from the first on. A split leads to two later ones; each step is led to once.
    pub steps: Vec<Step>,
}

/// A step of a [`Proof`], for the tables that the splits before it leave.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Step {
    /// There is none, not even one of fractions.
    Cut(Cut),
    /// There is none of whole numbers.
    Remainder(Remainder),
    /// There is none in either of two cases.
    Split(Split),
}

/// Two cases: a cell holds a number or fewer, or more than it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Split {
    /// The cell, by position.
    pub cell: Vec<usize>,
    /// The labels of its categories.
    pub labels: Vec<String>,
    /// The number.
    pub at: u64,
    /// The step, by its place in the proof, for tables in which the cell holds the number or fewer.
    pub fewer: usize,
    /// The step for those in which it holds more.
    pub more: usize,
}

/// A proof that no table of whole numbers exists, by division.
///
/// Each category of each axis has a weight, and a cell has the sum of those of its categories. Every cell whose
/// count is not fixed by its bounds has a multiple of the divisor. So the weighted targets, less the fixed cells,
/// must be a multiple of it, and they are not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Remainder {
    /// The weight of each category of each axis.
    pub weights: Vec<Vec<i64>>,
    /// The labels of the categories.
    pub labels: Vec<Vec<String>>,
    /// The divisor.
    pub divisor: u64,
    /// What the weighted targets come to, less what the fixed cells do.
    pub needs: i128,
}

impl Remainder {
    /// The proof of these weights; `None` if it does not hold between the bounds.
    pub(crate) fn new(
        table: &Table,
        weights: Vec<Vec<i64>>,
        divisor: u64,
        bounds: impl Fn(usize) -> Bounds,
    ) -> Option<Self> {
        let mut needs = weighted_targets(table, &weights)?;
        for (cell, weight) in cell_weights(table, &weights)?.into_iter().enumerate() {
            match bounds(cell) {
                (least, Some(most)) if least == most => {
                    needs = needs.checked_sub(i128::from(weight).checked_mul(i128::from(least))?)?;
                }
                _ if weight.unsigned_abs().is_multiple_of(divisor) => {}
                _ => return None,
            }
        }
        let labels = (0..table.axes()).map(|axis| table.labels(axis).to_vec()).collect();
        (needs % i128::from(divisor) != 0).then_some(Self { weights, labels, divisor, needs })
    }
}

impl From<Cut> for Proof {
    fn from(cut: Cut) -> Self {
        Self { steps: vec![Step::Cut(cut)] }
    }
}

impl Proof {
    /// The cut, if the proof is one.
    pub fn cut(&self) -> Option<&Cut> {
        match self.steps.as_slice() {
            [Step::Cut(cut)] => Some(cut),
            _ => None,
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Step::Split(split)) = self.steps.first() else {
            return self.steps.first().map_or(Ok(()), |step| step.fmt(f));
        };
        let cell = split.labels.join(" × ");
        let (at, above) = (split.at, u128::from(split.at) + 1);
        let fewer = if at == 0 { "holds 0".to_owned() } else { format!("holds at most {at}") };
        match (self.steps.get(split.fewer), self.steps.get(split.more)) {
            (Some(one @ (Step::Cut(_) | Step::Remainder(_))), Some(other @ (Step::Cut(_) | Step::Remainder(_)))) => {
                write!(f, "no whole numbers fit: if {cell} {fewer}, {one}; if it holds at least {above}, {other}")
            }
            _ => {
                let cases = self.steps.iter().filter(|step| !matches!(step, Step::Split(_))).count();
                write!(
                    f,
                    "no whole numbers fit: whether {cell} {fewer} or at least {above}, and so on with other cells, \
                     each of {cases} cases is impossible"
                )
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut(cut) => cut.fmt(f),
            Self::Remainder(remainder) => remainder.fmt(f),
            Self::Split(split) => write!(f, "{} holds at most {} or more", split.labels.join(" × "), split.at),
        }
    }
}

impl fmt::Display for Remainder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { weights, labels, divisor, needs } = self;
        let weighed = weighed(weights, labels);
        write!(
            f,
            "no whole numbers fit: counting {weighed}, the targets leave {needs} to the open cells, \
             where everything counts a multiple of {divisor}"
        )
    }
}
