//! Random tables for the tests: a small seeded generator, and code that judges without the crate's help.
//! Each test file uses a part of it.
#![allow(dead_code, unreachable_pub)]

use cintx_quota::{Axis, Cut, Proof, Remainder, Step, Table, TableBuilder};

/// How many random tables a property is held against: by default few enough for every build. `CINTX_QUOTA_CASES=100000`
/// asks for more; the first ones stay the same.
pub fn cases(default: u64) -> u64 {
    std::env::var("CINTX_QUOTA_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .map_or(default, |cases: u64| cases.max(default))
}

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

/// A margin over some axes: whole targets for their combinations, last axis fastest.
pub type Over = (Vec<usize>, Vec<u64>);

/// What a table is asked for, as the judges see it.
pub struct Question {
    pub lengths: Vec<usize>,
    pub margins: Vec<Over>,
    pub least: Vec<u64>,
    pub most: Vec<u64>,
}

impl Question {
    /// One margin for each axis.
    pub fn of_axes(margins: &[Vec<u64>], least: &[u64], most: &[u64]) -> Self {
        let over = margins.iter().enumerate().map(|(axis, margin)| (vec![axis], margin.clone())).collect();
        let lengths = margins.iter().map(Vec::len).collect();
        Self { lengths, margins: over, least: least.to_vec(), most: most.to_vec() }
    }

    /// Where a cell is in the table of these axes.
    pub fn place(&self, cell: usize, axes: &[usize]) -> usize {
        let position = position(cell, &self.lengths);
        axes.iter().fold(0, |place, axis| place * self.lengths[*axis] + position[*axis])
    }

    /// The sums of cells over all axes but these.
    pub fn sums(&self, cells: &[u64], axes: &[usize]) -> Vec<u64> {
        let mut sums = vec![0; axes.iter().map(|axis| self.lengths[*axis]).product()];
        cells.iter().enumerate().for_each(|(cell, count)| sums[self.place(cell, axes)] += count);
        sums
    }

    /// The weight of each cell, and what the targets come to: from the definition, in 128 bits.
    fn weigh(&self, weights: &[Vec<i64>]) -> (Vec<i128>, i128) {
        let margins = || self.margins.iter().zip(weights);
        let weight = |cell: usize| -> i128 {
            margins().map(|((axes, _), weights)| i128::from(weights[self.place(cell, axes)])).sum()
        };
        let targets = margins().flat_map(|((_, margin), weights)| margin.iter().zip(weights));
        let targets = targets.map(|(target, weight)| i128::from(*target) * i128::from(*weight)).sum();
        ((0..self.least.len()).map(weight).collect(), targets)
    }

    /// Whether a cut proves that there is no table, by its definition.
    pub fn is_violated(&self, cut: &Cut) -> bool {
        let (cells, targets) = self.weigh(&cut.weights);
        let (mut holds, mut must) = (0_i128, 0_i128);
        for (cell, weight) in cells.into_iter().enumerate() {
            match weight {
                1.. if self.most[cell] == u64::MAX => return false,
                1.. => holds += weight * i128::from(self.most[cell]),
                _ => must -= weight * i128::from(self.least[cell]),
            }
        }
        let said = [cut.needs, cut.holds, cut.least_outside].map(|count| i128::try_from(count).unwrap());
        targets + must > holds && said == [targets + must, holds, must]
    }

    /// Whether division proves that there is no table of whole numbers.
    pub fn is_no_multiple(&self, proof: &Remainder) -> bool {
        let (cells, mut rest) = self.weigh(&proof.weights);
        let divisor = i128::from(proof.divisor);
        for (cell, weight) in cells.into_iter().enumerate() {
            if self.least[cell] == self.most[cell] {
                rest -= weight * i128::from(self.least[cell]);
            } else if weight.rem_euclid(divisor) != 0 {
                return false;
            }
        }
        rest == proof.needs && rest.rem_euclid(divisor) != 0
    }

    /// Whether a proof holds from a step on.
    pub fn holds(&mut self, proof: &Proof, at: usize) -> bool {
        match &proof.steps[at] {
            Step::Cut(cut) => self.is_violated(cut),
            Step::Remainder(remainder) => self.is_no_multiple(remainder),
            Step::Split(split) => {
                let cell = split.cell.iter().zip(&self.lengths).fold(0, |index, (at, length)| index * length + at);
                let bounds = (self.least[cell], self.most[cell]);
                self.most[cell] = bounds.1.min(split.at);
                let fewer = split.fewer > at && self.holds(proof, split.fewer);
                self.most[cell] = bounds.1;
                self.least[cell] = bounds.0.max(split.at + 1);
                let more = split.more > at && self.holds(proof, split.more);
                self.least[cell] = bounds.0;
                fewer && more
            }
        }
    }

    /// Calls with every whole table that is an answer.
    pub fn every_answer(&self, visit: &mut dyn FnMut(&[u64])) {
        let mut rest: Vec<u64> = Vec::new();
        let mut places: Vec<Vec<usize>> = vec![Vec::new(); self.least.len()];
        for (axes, margin) in &self.margins {
            (0..places.len()).for_each(|cell| places[cell].push(rest.len() + self.place(cell, axes)));
            rest.extend(margin);
        }
        // A combination whose last cell this is must have got all that it needs.
        let is_last = |cell: usize, place: &usize| places[cell + 1..].iter().all(|others| !others.contains(place));
        let last: Vec<Vec<usize>> = (0..places.len())
            .map(|cell| places[cell].iter().copied().filter(|place| is_last(cell, place)).collect())
            .collect();
        self.fill(&mut Vec::new(), &mut rest, (&places, &last), visit);
    }

    fn fill(
        &self,
        cells: &mut Vec<u64>,
        rest: &mut [u64],
        (places, last): (&[Vec<usize>], &[Vec<usize>]),
        visit: &mut dyn FnMut(&[u64]),
    ) {
        let cell = cells.len();
        if cell == self.least.len() {
            visit(cells);
            return;
        }
        let room = places[cell].iter().map(|place| rest[*place]).min().unwrap_or(0);
        for count in self.least[cell]..=self.most[cell].min(room) {
            places[cell].iter().for_each(|place| rest[*place] -= count);
            cells.push(count);
            if last[cell].iter().all(|place| rest[*place] == 0) {
                self.fill(cells, rest, (places, last), visit);
            }
            cells.pop();
            places[cell].iter().for_each(|place| rest[*place] += count);
        }
    }
}

/// Whether a proof holds, step by step.
pub fn is_proof(proof: &Proof, margins: &[Vec<u64>], least: &[u64], most: &[u64]) -> bool {
    Question::of_axes(margins, least, most).holds(proof, 0)
}

/// Whether any whole table between the bounds has these margins; any number of axes.
pub fn exists(margins: &[Vec<u64>], least: &[u64], most: &[u64]) -> bool {
    fn fill(cell: usize, rest: &mut [u64], rows: &[Vec<usize>], last: &[Vec<usize>], bounds: (&[u64], &[u64])) -> bool {
        if cell == rows.len() {
            return true;
        }
        let room = rows[cell].iter().map(|row| rest[*row]).min().unwrap();
        for count in bounds.0[cell]..=bounds.1[cell].min(room) {
            rows[cell].iter().for_each(|row| rest[*row] -= count);
            // A row whose last cell this is has got all it needs.
            let met = last[cell].iter().all(|row| rest[*row] == 0);
            let found = met && fill(cell + 1, rest, rows, last, bounds);
            rows[cell].iter().for_each(|row| rest[*row] += count);
            if found {
                return true;
            }
        }
        false
    }
    let lengths: Vec<usize> = margins.iter().map(Vec::len).collect();
    let starts: Vec<usize> = (0..lengths.len()).map(|axis| lengths[..axis].iter().sum()).collect();
    let rows = |cell: usize| position(cell, &lengths).iter().zip(&starts).map(|(at, start)| at + start).collect();
    let rows: Vec<Vec<usize>> = (0..lengths.iter().product()).map(rows).collect();
    let is_last = |cell: usize, row: &usize| rows[cell + 1..].iter().all(|others| !others.contains(row));
    let last: Vec<Vec<usize>> =
        (0..rows.len()).map(|cell| rows[cell].iter().copied().filter(|row| is_last(cell, row)).collect()).collect();
    fill(0, &mut margins.concat(), &rows, &last, (least, most))
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
