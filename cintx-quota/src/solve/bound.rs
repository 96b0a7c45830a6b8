//! Three and more axes: how little distorted a change can be that moves no more than a given one. A bound by Lagrange:
//! each category has a price for each of its completes, each completes moved has one, too; at any prices the cells,
//! each put where it is cheapest by itself, cost no more than any table that keeps the margins.

use super::spread::{Aim, reach};
use super::stages::signed;
use crate::table::Table;

/// Up to how many cells a bound is looked for.
const MAX_CELLS: usize = 20_000;

/// How many cells are looked at while prices are sought, for each margin.
const MAX_LOOKS: usize = 2_000_000;

/// No table between the bounds that moves and shuts no more than `found` is less distorted than this. `None` where that
/// is not known: without an aim, with very many cells, or once the budget is over.
pub(crate) fn least_distortion(table: &Table, anchor: &[i64], aim: &Aim, found: &[i64]) -> Option<f64> {
    let cells = table.shape().cells();
    let reached = aim.distortion(found)?;
    if cells > MAX_CELLS || anchor.len() != cells {
        return None;
    }
    let mut prices = Prices::of(table, anchor, aim, found);
    let (rounds, mut best) = ((MAX_LOOKS / cells.max(1)).clamp(10, 200), 0.0_f64);
    for round in 0..rounds {
        if table.budget.is_over_after((cells * (table.axes() + 1)) as u64) {
            return None;
        }
        let at = prices.bound();
        best = best.max(at.value);
        if best >= reached * (1.0 - 1e-9) {
            break;
        }
        // Exact prices for one margin after the other come near quickly; then small steps for whole numbers.
        match round < rounds / 4 {
            true => prices.settle(),
            false => prices.step(&at, reached),
        }
    }
    Some(best.min(reached))
}

/// What one cell may hold, and what it costs.
struct Part {
    low: i64,
    high: i64,
    anchor: i64,
    part: f64,
    weight: f64,
    /// What is completed, if it is open.
    open: Option<i64>,
}

/// What the cells come to at some prices.
struct At {
    value: f64,
    cells: Vec<i64>,
}

struct Prices {
    parts: Vec<Part>,
    /// For each axis the place of each cell, and the target of each category.
    axes: Vec<(Vec<u32>, Vec<i64>)>,
    of_categories: Vec<Vec<f64>>,
    /// Of each completes that is moved, and how many may be.
    of_moved: f64,
    moved: i64,
    /// Of each open cell that is shut, and how many may be.
    of_shut: f64,
    shut: usize,
}

impl Prices {
    fn of(table: &Table, anchor: &[i64], aim: &Aim, found: &[i64]) -> Self {
        let axes: Vec<(Vec<u32>, Vec<i64>)> = (0..table.axes())
            .map(|axis| (table.slices(&[axis]), table.counts(axis).iter().map(|count| signed(*count)).collect()))
            .collect();
        let least_of = |cell: usize| signed(table.least_of(cell));
        // What the other cells of a category leave at most.
        let left: Vec<Vec<i64>> = axes
            .iter()
            .map(|(places, targets)| {
                let mut left = targets.clone();
                for (cell, place) in places.iter().enumerate() {
                    left[*place as usize] = left[*place as usize].saturating_sub(least_of(cell));
                }
                left
            })
            .collect();
        let weights: Vec<f64> = aim.weights().collect();
        let part = |cell: usize| {
            let low = least_of(cell);
            let room =
                axes.iter().zip(&left).map(|((places, _), left)| left[places[cell] as usize].saturating_add(low));
            let high = room.fold(signed(table.most_of(cell)), i64::min).max(low);
            let open = aim.open.get(cell).copied().flatten();
            Part { low, high, anchor: anchor[cell], part: aim.parts[cell], weight: weights[cell], open }
        };
        Self {
            parts: (0..anchor.len()).map(part).collect(),
            of_categories: axes.iter().map(|(_, targets)| vec![0.0; targets.len()]).collect(),
            axes,
            of_moved: 0.0,
            moved: super::stages::distance(found, anchor),
            of_shut: 0.0,
            shut: aim.shut(found),
        }
    }

    /// What all categories of a cell pay for each of its completes.
    fn paid(&self, cell: usize) -> f64 {
        let prices = self.axes.iter().zip(&self.of_categories);
        prices.map(|((places, _), prices)| prices[places[cell] as usize]).sum()
    }

    /// The cells where they cost least at these prices, and what no table costs less than.
    fn bound(&self) -> At {
        let (mut value, mut size) = (0.0, 0.0_f64);
        let mut cells = Vec::with_capacity(self.parts.len());
        for (cell, part) in self.parts.iter().enumerate() {
            let paid = self.paid(cell);
            let (count, cost) = part.cheapest(paid, self.of_moved, self.of_shut);
            value += cost;
            size += cost.abs() + (paid * count as f64).abs();
            cells.push(count);
        }
        let mut add = |number: f64| {
            value += number;
            size += number.abs();
        };
        for ((_, targets), prices) in self.axes.iter().zip(&self.of_categories) {
            targets.iter().zip(prices).for_each(|(target, price)| add(*target as f64 * price));
        }
        add(-self.of_moved * self.moved as f64);
        add(-self.of_shut * self.shut as f64);
        // What rounding may have added.
        At { value: value - size * 1e-13 * (self.parts.len() as f64).sqrt() - 1e-12, cells }
    }

    /// For each margin in turn, the prices at which fractions meet it; then one for what is moved.
    fn settle(&mut self) {
        for axis in 0..self.axes.len() {
            let mut bends: Vec<Vec<(f64, f64)>> = vec![Vec::new(); self.of_categories[axis].len()];
            let mut least = vec![0_i64; bends.len()];
            for (cell, part) in self.parts.iter().enumerate() {
                let place = self.axes[axis].0[cell] as usize;
                least[place] += part.low;
                let others = self.paid(cell) - self.of_categories[axis][place];
                part.bends(self.of_moved, |at, change| bends[place].push((at - others, change)));
            }
            for (place, bends) in bends.iter_mut().enumerate() {
                if !bends.is_empty() {
                    let open = self.axes[axis].1[place] - least[place];
                    self.of_categories[axis][place] = reach(bends, open as f64);
                }
            }
        }
        let moved = |of_moved: f64| -> f64 {
            let cells = self.parts.iter().enumerate();
            cells.map(|(cell, part)| (part.fraction(self.paid(cell), of_moved) - part.anchor as f64).abs()).sum()
        };
        // What is moved falls as its price rises: half the way to the price at which it is no more than it may be.
        let (mut low, mut high) = (0.0, 1.0);
        while moved(high) > self.moved as f64 + 1e-6 && high < 1e9 {
            high *= 4.0;
        }
        for _ in 0..12 {
            let middle = f64::midpoint(low, high);
            if moved(middle) > self.moved as f64 { low = middle } else { high = middle }
        }
        self.of_moved = f64::midpoint(self.of_moved, high);
    }

    /// A step along what whole cells miss (Polyak): so far as if the bound came to what is reached.
    fn step(&mut self, at: &At, reached: f64) {
        let mut missing: Vec<Vec<i64>> = self.axes.iter().map(|(_, targets)| targets.clone()).collect();
        let (mut moved, mut shut) = (-self.moved, 0_i64);
        for (cell, (count, part)) in at.cells.iter().zip(&self.parts).enumerate() {
            for ((places, _), missing) in self.axes.iter().zip(&mut missing) {
                missing[places[cell] as usize] -= count;
            }
            moved += (count - part.anchor).abs();
            shut += i64::from(part.open == Some(*count));
        }
        let shut = (shut - i64::try_from(self.shut).unwrap_or(i64::MAX)) as f64;
        let moved = moved as f64;
        // A price of 0 does not fall.
        let moved = if self.of_moved <= 0.0 { moved.max(0.0) } else { moved };
        let shut = if self.of_shut <= 0.0 { shut.max(0.0) } else { shut };
        let squares = missing.iter().flatten().map(|missing| (*missing as f64).powi(2)).sum::<f64>();
        let squares = squares + moved * moved + shut * shut;
        if squares <= 0.0 {
            return;
        }
        let length = 0.7 * (reached - at.value) / squares;
        for (prices, missing) in self.of_categories.iter_mut().zip(&missing) {
            prices.iter_mut().zip(missing).for_each(|(price, missing)| *price += length * *missing as f64);
        }
        self.of_moved = (self.of_moved + length * moved).max(0.0);
        self.of_shut = (self.of_shut + length * shut).max(0.0);
    }
}

impl Part {
    /// The fraction at which the cell costs least.
    fn fraction(&self, paid: f64, of_moved: f64) -> f64 {
        let (anchor, half) = (self.anchor as f64, self.weight / 2.0);
        let above = self.part + half * (paid - of_moved);
        let below = self.part + half * (paid + of_moved);
        let free = if above > anchor { above } else { below.min(anchor) };
        free.clamp(self.low as f64, self.high as f64)
    }

    /// What a count costs.
    fn cost(&self, count: i64, paid: f64, of_moved: f64, of_shut: f64) -> f64 {
        let away = count as f64 - self.part;
        let shut = if self.open == Some(count) { of_shut } else { 0.0 };
        away * away / self.weight + of_moved * (count - self.anchor).abs() as f64 - paid * count as f64 + shut
    }

    /// The whole number at which the cell costs least. Costs are convex but for the one of shutting it, which is paid
    /// at the least: there, or one above, or next to the fraction.
    fn cheapest(&self, paid: f64, of_moved: f64, of_shut: f64) -> (i64, f64) {
        let near = (self.fraction(paid, of_moved).floor() as i64).clamp(self.low, self.high);
        let counts = [near, near.saturating_add(1), self.low, self.low.saturating_add(1)];
        let allowed = counts.into_iter().filter(|count| *count <= self.high);
        let costs = allowed.map(|count| (count, self.cost(count, paid, of_moved, of_shut)));
        costs.fold((self.low, f64::INFINITY), |best, next| if next.1 < best.1 { next } else { best })
    }

    /// Where the fraction bends as what is paid rises, and by how much its slope changes there.
    fn bends(&self, of_moved: f64, mut bend: impl FnMut(f64, f64)) {
        let slope = self.weight / 2.0;
        let at = |count: i64, of_moved: f64| (count as f64 - self.part) / slope + of_moved;
        let turn = self.anchor.clamp(self.low, self.high);
        if self.low < turn {
            bend(at(self.low, -of_moved), slope);
            bend(at(turn, -of_moved), -slope);
        }
        if turn < self.high {
            bend(at(turn, of_moved), slope);
            bend(at(self.high, of_moved), -slope);
        }
    }
}
