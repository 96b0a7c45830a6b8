//! Random tables for the tests: a small seeded generator, and code that judges without the crate's help.
//! Each test file uses a part of it.
#![allow(dead_code, unreachable_pub)]

use cintx_quota::{Axis, Cut, Table, TableBuilder};

/// SplitMix64: every seed gives the same tables on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Counts that add up to a total, some of them zero.
    pub fn margin(&mut self, length: usize, total: u64) -> Vec<u64> {
        let weights: Vec<u64> = (0..length).map(|_| if self.chance(8) { 0 } else { self.between(1, 60) }).collect();
        let sum: u64 = weights.iter().sum();
        if sum == 0 {
            let mut counts = vec![0; length];
            counts[0] = total;
            return counts;
        }
        let mut counts: Vec<u64> =
            weights.iter().map(|weight| (u128::from(*weight) * u128::from(total) / u128::from(sum)) as u64).collect();
        let mut missing = total - counts.iter().sum::<u64>();
        while missing > 0 {
            let at = self.below(length as u64) as usize;
            counts[at] += 1;
            missing -= 1;
        }
        counts
    }

    /// Weights that are not zero.
    pub fn weights(&mut self, cells: usize) -> Vec<f64> {
        (0..cells).map(|_| 0.05 + self.fraction()).collect()
    }

    /// A whole table with some cells excluded, which are then zero.
    pub fn whole_table(&mut self, cells: usize, most: u64, excluded: &[bool]) -> Vec<u64> {
        (0..cells).map(|cell| if excluded[cell] { 0 } else { self.below(most + 1) }).collect()
    }

    /// A permutation of the numbers below a length.
    pub fn permutation(&mut self, length: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..length).collect();
        for index in (1..length).rev() {
            order.swap(index, self.below(index as u64 + 1) as usize);
        }
        order
    }
}

/// An axis in counts, its categories named after the axis and their number.
pub fn axis(name: &str, counts: &[u64]) -> Axis {
    Axis::counts(name, counts.iter().enumerate().map(|(index, count)| (format!("{name}{index}"), *count)))
}

pub fn builder(margins: &[Vec<u64>]) -> TableBuilder {
    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
    margins.iter().zip(NAMES).fold(Table::builder(), |builder, (margin, name)| builder.axis(axis(name, margin)))
}

/// The position of a cell: written anew, so that a mistake of the crate's does not hide.
pub fn position(mut index: usize, lengths: &[usize]) -> Vec<usize> {
    let mut position = Vec::new();
    for length in lengths.iter().rev() {
        position.insert(0, index % length);
        index /= length;
    }
    position
}

/// The sums of each axis.
pub fn sums(cells: &[u64], lengths: &[usize]) -> Vec<Vec<u64>> {
    let mut sums: Vec<Vec<u64>> = lengths.iter().map(|length| vec![0; *length]).collect();
    for (index, cell) in cells.iter().enumerate() {
        for (axis, at) in position(index, lengths).into_iter().enumerate() {
            sums[axis][at] += cell;
        }
    }
    sums
}

/// Whether a cut proves that there is no table, by its definition.
pub fn is_violated(cut: &Cut, margins: &[Vec<u64>], least: &[u64], most: &[u64]) -> bool {
    let lengths: Vec<usize> = margins.iter().map(Vec::len).collect();
    let second = cut.second.as_ref();
    let (mut holds, mut must) = (0_i128, 0_i128);
    for (index, (least, most)) in least.iter().zip(most).enumerate() {
        let position = position(index, &lengths);
        let first_in = cut.first.categories.contains(&position[cut.first.axis]);
        let second_in = second.is_none_or(|side| side.categories.contains(&position[side.axis]));
        match (first_in, second_in) {
            (true, true) => holds += i128::from(*most),
            (false, false) => must += i128::from(*least),
            _ => {}
        }
    }
    must += cut.first.categories.iter().map(|at| i128::from(margins[cut.first.axis][*at])).sum::<i128>();
    if let Some(second) = second {
        for (at, target) in margins[second.axis].iter().enumerate() {
            must -= if second.categories.contains(&at) { 0 } else { i128::from(*target) };
        }
    }
    must > holds && must == i128::from(cut.needs) && holds == i128::from(cut.holds)
}

/// Calls with every whole table between the bounds that has these margins (two axes).
pub fn every_table(rows: &[u64], columns: &[u64], least: &[u64], most: &[u64], visit: &mut dyn FnMut(&[u64])) {
    fn fill(
        cells: &mut Vec<u64>,
        rows: &mut [u64],
        columns: &mut [u64],
        bounds: (&[u64], &[u64]),
        visit: &mut dyn FnMut(&[u64]),
    ) {
        let cell = cells.len();
        let (row, column) = (cell / columns.len(), cell % columns.len());
        if cell == bounds.0.len() {
            if rows.iter().chain(columns.iter()).all(|rest| *rest == 0) {
                visit(cells);
            }
            return;
        }
        if column == 0 && row > 0 && rows[row - 1] > 0 {
            return;
        }
        let most = bounds.1[cell].min(rows[row]).min(columns[column]);
        for count in bounds.0[cell]..=most {
            cells.push(count);
            rows[row] -= count;
            columns[column] -= count;
            fill(cells, rows, columns, bounds, visit);
            rows[row] += count;
            columns[column] += count;
            cells.pop();
        }
    }
    fill(&mut Vec::new(), &mut rows.to_vec(), &mut columns.to_vec(), (least, most), visit);
}
