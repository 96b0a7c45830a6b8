//! The proof of a solution: everything added up again in whole numbers, cell by cell, by position.
//! Shares no code with the solver, on purpose: it must not share its mistakes.

use crate::cut::Cut;
use crate::proof::{Proof, Remainder, Split, Step};
use crate::shape::Cell;
use crate::table::Table;

/// What was added up, and found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Certificate {
    /// The sum of all cells.
    pub total: u64,
    /// The sums of each axis, equal to its targets.
    pub margins: Vec<Vec<u64>>,
    /// The sums of each joint margin, equal to its targets: one for each margin of [`Table::margins`] that is over several
    /// axes, in that order.
    pub joints: Vec<Vec<u64>>,
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
    /// The cells of a combination do not add up to its target in a joint margin.
    #[error("{label} adds up to {sum}, its target is {target}")]
    Joint {
        /// The margin, by its place in [`Table::margins`].
        margin: usize,
        /// The combination.
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
        let joint: Vec<(usize, Vec<usize>)> =
            table.margins().into_iter().enumerate().filter(|(_, axes)| axes.len() > 1).collect();
        let mut joints: Vec<Vec<u128>> =
            joint.iter().map(|(margin, _)| vec![0; table.margin_targets(*margin).len()]).collect();
        let mut bounded = 0;
        for_each_position(lengths, |index, position| {
            let count = cells[index];
            for (sums, at) in sums.iter_mut().zip(position) {
                sums[*at] += u128::from(count);
            }
            for ((_, axes), sums) in joint.iter().zip(&mut joints) {
                sums[place(axes, position, lengths)] += u128::from(count);
            }
            if !table.is_bounded() {
                return;
            }
            let (least, most) = (table.least_of(index), table.most_of(index));
            bounded += usize::from(least > 0 || most < u64::MAX);
            if count < least || count > most {
                violations.push(Violation::Bound { cell: position.into(), count, least, most });
            }
        });
        for (margin, axes) in table.margins().into_iter().enumerate() {
            let place = joint.iter().position(|(other, _)| *other == margin);
            let sums = match (place, axes.first()) {
                (Some(place), _) => &joints[place],
                (None, Some(axis)) => &sums[*axis],
                (None, None) => continue,
            };
            let (targets, ranges) = (table.margin_targets(margin), table.margin_ranges(margin));
            for (at, (sum, (least, most))) in sums.iter().zip(ranges).enumerate() {
                if (u128::from(least)..=u128::from(most)).contains(sum) {
                    continue;
                }
                let (label, sum, target) = (label(table, &axes, at), *sum, targets[at]);
                violations.push(match axes.as_slice() {
                    [axis] => Violation::Margin { axis: *axis, label, sum, target },
                    _ => Violation::Joint { margin, label, sum, target },
                });
            }
        }
        if !violations.is_empty() {
            return Err(violations);
        }
        let small = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
        let whole = |sums: Vec<Vec<u128>>| -> Vec<Vec<u64>> {
            sums.into_iter().map(|sums| sums.into_iter().map(small).collect()).collect()
        };
        Ok(Self { total: table.total(), margins: whole(sums), joints: whole(joints), cells: expected, bounded })
    }
}

impl Table {
    /// Whether a proof holds: its steps are gone through, and their sums added up again, cell by cell.
    pub fn confirms(&self, proof: &Proof) -> bool {
        // Where margins may give, the proof is about the table in which their tolerances are cells.
        if let Some(exact) = self.as_exact() {
            return exact.confirms(proof);
        }
        let mut open: Vec<(usize, Vec<(&Split, bool)>)> = vec![(0, Vec::new())];
        let mut seen = 0;
        while let Some((at, path)) = open.pop() {
            seen += 1;
            let holds = match proof.steps.get(at) {
                // Each step is led to once, or this would not end.
                _ if seen > proof.steps.len() => false,
                Some(Step::Cut(cut)) => self.confirms_cut(cut, &self.bounds_after(&path)),
                Some(Step::Remainder(remainder)) => self.confirms_remainder(remainder, &self.bounds_after(&path)),
                Some(Step::Split(split)) if self.most(split.cell.as_slice()).is_some() => {
                    for (next, more) in [(split.fewer, false), (split.more, true)] {
                        open.push((next, path.iter().copied().chain([(split, more)]).collect()));
                    }
                    true
                }
                Some(Step::Split(_)) | None => false,
            };
            if !holds {
                return false;
            }
        }
        true
    }

    /// The bounds of each cell after some splits.
    fn bounds_after(&self, path: &[(&Split, bool)]) -> Vec<(u64, u64)> {
        let lengths = self.shape().lengths();
        let mut bounds = Vec::new();
        for_each_position(lengths, |_, position| {
            let (mut least, mut most) = (self.least(position).unwrap_or(0), self.most(position).unwrap_or(u64::MAX));
            for (split, more) in path.iter().filter(|(split, _)| split.cell == position) {
                if *more {
                    least = least.max(split.at.saturating_add(1));
                } else {
                    most = most.min(split.at);
                }
            }
            bounds.push((least, most));
        });
        bounds
    }

    fn confirms_cut(&self, cut: &Cut, within: &[(u64, u64)]) -> bool {
        // What the cells above 0 hold at most, and what those below 0 hold at least; `None` is without limit.
        let (mut holds, mut least_outside) = (Some(0_i128), Some(0_i128));
        let margins = self.margins();
        for_each_position(self.shape().lengths(), |index, position| {
            let (least, most) = within[index];
            let weight = weight_at(&cut.weights, &margins, position, self.shape().lengths());
            let add = |sum: i128, bound: u64| sum.checked_add(weight.abs().checked_mul(i128::from(bound))?);
            if weight > 0 {
                holds = holds.filter(|_| most < u64::MAX).and_then(|sum| add(sum, most));
            } else {
                least_outside = least_outside.and_then(|sum| add(sum, least));
            }
        });
        let (Some(targets), Some(holds), Some(outside)) = (self.weighted_targets(&cut.weights), holds, least_outside)
        else {
            return false;
        };
        let Some(needs) = targets.checked_add(outside) else { return false };
        let said = [cut.needs, cut.holds, cut.least_outside].map(|count| i128::try_from(count).ok());
        needs > holds && said == [Some(needs), Some(holds), Some(outside)]
    }

    fn confirms_remainder(&self, remainder: &Remainder, within: &[(u64, u64)]) -> bool {
        let divisor = i128::from(remainder.divisor);
        let mut rest = self.weighted_targets(&remainder.weights);
        let mut multiples = divisor > 1;
        let margins = self.margins();
        for_each_position(self.shape().lengths(), |index, position| {
            let (least, most) = within[index];
            let weight = weight_at(&remainder.weights, &margins, position, self.shape().lengths());
            if least == most {
                rest = rest.and_then(|rest| rest.checked_sub(weight.checked_mul(i128::from(least))?));
            } else {
                multiples &= divisor > 1 && weight % divisor == 0;
            }
        });
        multiples && rest.is_some_and(|rest| rest == remainder.needs && rest % divisor != 0)
    }

    fn weighted_targets(&self, weights: &[Vec<i64>]) -> Option<i128> {
        let mut sum = 0_i128;
        if weights.len() > self.margins().len() {
            return None;
        }
        for (margin, weights) in weights.iter().enumerate() {
            for (weight, target) in weights.iter().zip(self.margin_targets(margin)) {
                sum = sum.checked_add(i128::from(*weight).checked_mul(i128::from(*target))?)?;
            }
        }
        Some(sum)
    }
}

/// The sum of the weights of a cell's categories.
fn weight_at(weights: &[Vec<i64>], margins: &[Vec<usize>], position: &[usize], lengths: &[usize]) -> i128 {
    let weight = |(weights, axes): (&Vec<i64>, &Vec<usize>)| {
        weights.get(place(axes, position, lengths)).copied().map_or(0, i128::from)
    };
    weights.iter().zip(margins).map(weight).sum()
}

/// Where a cell is in the table of these axes, last of them fastest.
fn place(axes: &[usize], position: &[usize], lengths: &[usize]) -> usize {
    axes.iter().fold(0, |place, axis| place * lengths[*axis] + position[*axis])
}

/// The labels of a combination of some axes.
fn label(table: &Table, axes: &[usize], mut place: usize) -> String {
    let mut labels = Vec::new();
    for axis in axes.iter().rev() {
        let of_axis = table.labels(*axis);
        labels.push(of_axis[place % of_axis.len()].as_str());
        place /= of_axis.len();
    }
    labels.reverse();
    labels.join(" × ")
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
