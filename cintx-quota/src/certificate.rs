//! The proof of a solution: everything added up again in whole numbers, cell by cell, by position.
//! Shares no code with the solver, on purpose: it must not share its mistakes.

use crate::cut::{Cut, Side};
use crate::shape::Cell;
use crate::table::Table;

/// What was added up, and found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The sum of all cells.
    pub total: u64,
    /// The sums of each axis, equal to its targets.
    pub margins: Vec<Vec<u64>>,
    /// How many cells were looked at.
    pub cells: usize,
    /// How many of them have a least or a greatest, which they keep.
    pub bounded: usize,
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The list has another length than the table.
    #[error("there are {given} cells, expected {expected}")]
    Length {
        /// How many there are.
        given: usize,
        /// How many the table has.
        expected: usize,
    },
    /// A category's cells do not add up to its target.
    #[error("{label} adds up to {sum}, its target is {target}")]
    Margin {
        /// The axis.
        axis: usize,
        /// The category's label.
        label: String,
        /// What its cells add up to.
        sum: u128,
        /// Its target.
        target: u64,
    },
    /// A cell is outside its bounds.
    #[error("cell {cell} holds {count}, expected {least} to {most}")]
    Bound {
        /// The cell.
        cell: Cell,
        /// What it holds.
        count: u64,
        /// Its least.
        least: u64,
        /// Its greatest.
        most: u64,
    },
}

impl Certificate {
    /// Adds up the cells of a table, last axis fastest.
    ///
    /// # Errors
    /// Everything that does not hold.
    pub fn of(table: &Table, cells: &[u64]) -> Result<Self, Vec<Violation>> {
        let lengths = table.shape().lengths();
        let expected = lengths.iter().product();
        if cells.len() != expected {
            return Err(vec![Violation::Length { given: cells.len(), expected }]);
        }
        let mut violations = Vec::new();
        let mut sums: Vec<Vec<u128>> = lengths.iter().map(|length| vec![0; *length]).collect();
        let mut bounded = 0;
        for_each_position(lengths, |index, position| {
            let count = cells[index];
            for (sums, at) in sums.iter_mut().zip(position) {
                sums[*at] += u128::from(count);
            }
            if !table.is_bounded() {
                return;
            }
            let least = table.least(position).unwrap_or(0);
            let most = table.most(position).unwrap_or(u64::MAX);
            bounded += usize::from(least > 0 || most < u64::MAX);
            if count < least || count > most {
                violations.push(Violation::Bound { cell: position.into(), count, least, most });
            }
        });
        for (axis, sums) in sums.iter().enumerate() {
            let targets = table.targets(axis).map_or(&[][..], |targets| &targets.counts);
            for ((sum, target), label) in sums.iter().zip(targets).zip(table.labels(axis)) {
                if *sum != u128::from(*target) {
                    violations.push(Violation::Margin { axis, label: label.clone(), sum: *sum, target: *target });
                }
            }
        }
        if !violations.is_empty() {
            return Err(violations);
        }
        let small = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
        let margins: Vec<Vec<u64>> = sums.into_iter().map(|sums| sums.into_iter().map(small).collect()).collect();
        Ok(Self { total: table.total(), margins, cells: expected, bounded })
    }
}

impl Table {
    /// Whether a cut proves that this table has no solution: its sums are added up again, cell by cell.
    pub fn confirms(&self, cut: &Cut) -> bool {
        let lengths = self.shape().lengths();
        let contains =
            |side: &Side, position: &[usize]| position.get(side.axis).is_some_and(|at| side.categories.contains(at));
        let (mut holds, mut least_outside) = (0_u128, 0_u128);
        for_each_position(lengths, |_, position| {
            let first = contains(&cut.first, position);
            let second = cut.second.as_ref().is_none_or(|second| contains(second, position));
            if first && second {
                holds += self.most(position).map_or(0, u128::from);
            } else if !first && !second {
                least_outside += self.least(position).map_or(0, u128::from);
            }
        });
        let target = |side: &Side, inside: bool| -> u128 {
            let counts = self.targets(side.axis).map_or(&[][..], |targets| &targets.counts);
            let chosen = counts.iter().enumerate().filter(|(at, _)| side.categories.contains(at) == inside);
            chosen.map(|(_, count)| u128::from(*count)).sum()
        };
        let outside = cut.second.as_ref().map_or(0, |second| target(second, false));
        let demand = target(&cut.first, true) + least_outside;
        demand > outside + holds && demand - outside == u128::from(cut.needs) && holds == u128::from(cut.holds)
    }
}

/// Calls with every cell's number and position, in the order of the cells.
fn for_each_position(lengths: &[usize], mut visit: impl FnMut(usize, &[usize])) {
    let cells: usize = lengths.iter().product();
    let mut position = vec![0; lengths.len()];
    for index in 0..cells {
        visit(index, &position);
        for (at, length) in position.iter_mut().zip(lengths).rev() {
            *at += 1;
            if *at < *length {
                break;
            }
            *at = 0;
        }
    }
}
