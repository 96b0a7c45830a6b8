//! Proportional fitting: a table of fractions that meets its margins and keeps the odds ratios of its seed.
//! It stops when the margins are met, not when the steps get small, and says what it reached.

use crate::budget::Budget;
use crate::error::check_number;
use crate::shape::Shape;
use crate::sum::Sum;

/// A fitted table of fractions.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Fit {
    /// The cells, last axis fastest.
    pub cells: Vec<f64>,
    /// How often all margins were gone through.
    pub sweeps: usize,
    /// The largest difference between a margin's target and what its cells add up to.
    pub error: f64,
    /// Whether that difference is within the tolerance: 1e-9 of the total, at most 1e-6, at least what the
    /// total's floating-point digits can show.
    pub converged: bool,
}

/// Targets for the sums over all axes but these. Several margins may share an axis.
#[derive(Clone, Copy, Debug)]
pub struct Margin<'a> {
    /// The axes that stay, in the order of `targets`.
    pub axes: &'a [usize],
    /// One target for each combination, last axis fastest.
    pub targets: &'a [f64],
}

/// What cannot be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// A number is negative or not finite.
    #[error(transparent)]
    Number(#[from] crate::TableError),
    /// A margin names an axis that is not there, or one twice.
    #[error("margin {margin} is over axes {axes:?}, expected different ones of {available}")]
    Axes {
        /// Which margin, from 0.
        margin: usize,
        /// What it names.
        axes: Vec<usize>,
        /// How many axes there are.
        available: usize,
    },
    /// A list has the wrong length.
    #[error("{what} has {given} numbers, expected {expected}")]
    Length {
        /// Which list.
        what: String,
        /// How many it has.
        given: usize,
        /// How many it must have.
        expected: usize,
    },
    /// Margins that do not add up to the same total.
    #[error("margin 0 adds up to {first} and margin {margin} to {other}: no table has both")]
    TotalsDiffer {
        /// The sum of the first margin.
        first: f64,
        /// Which other.
        margin: usize,
        /// Its sum.
        other: f64,
    },
}

/// Fits a seed to margins over any axes.
///
/// A combination of margins that no table has, or that only a table with zeros where the seed has none has,
/// does not converge: [`Fit::converged`] and [`Fit::error`] say so.
///
/// ```
/// use cintx_quota::{Margin, Shape, fit};
///
/// let shape = Shape::new([2, 2]).expect("it is small");
/// let rows = Margin { axes: &[0], targets: &[60.0, 40.0] };
/// let columns = Margin { axes: &[1], targets: &[50.0, 50.0] };
/// let fitted = fit(&shape, &[1.0, 2.0, 1.0, 1.0], &[rows, columns], 100)?;
/// assert!(fitted.converged);
/// let odds = fitted.cells[1] * fitted.cells[2] / (fitted.cells[0] * fitted.cells[3]);
/// assert!((odds - 2.0).abs() < 1e-9);
/// # Ok::<(), cintx_quota::FitError>(())
/// ```
///
/// # Errors
/// [`FitError`] if a number is negative or not finite, a list has the wrong length, an axis is not there,
/// or totals differ by more than a billionth.
pub fn fit(shape: &Shape, seed: &[f64], margins: &[Margin<'_>], sweeps: usize) -> Result<Fit, FitError> {
    let length = |what: String, given: usize, expected: usize| FitError::Length { what, given, expected };
    if seed.len() != shape.cells() {
        return Err(length("the seed".into(), seed.len(), shape.cells()));
    }
    for (index, weight) in seed.iter().enumerate() {
        check_number(*weight, || format!("the seed at {:?}", shape.position(index)))?;
    }
    let mut slices = Vec::with_capacity(margins.len());
    let mut first = None;
    for (number, margin) in margins.iter().enumerate() {
        let twice = margin.axes.iter().enumerate().any(|(at, axis)| margin.axes[..at].contains(axis));
        let axes = || FitError::Axes { margin: number, axes: margin.axes.into(), available: shape.lengths().len() };
        let index = shape.slices(margin.axes).filter(|_| !twice).ok_or_else(axes)?;
        let expected = margin.axes.iter().map(|axis| shape.lengths()[*axis]).product();
        if margin.targets.len() != expected {
            return Err(length(format!("margin {number}"), margin.targets.len(), expected));
        }
        let mut sum = Sum::default();
        for (at, target) in margin.targets.iter().enumerate() {
            check_number(*target, || format!("target {at} of margin {number}"))?;
            sum.add(*target);
        }
        let (other, first) = (sum.value(), *first.get_or_insert(sum.value()));
        if (other - first).abs() > first * 1e-9 || !other.is_finite() {
            return Err(FitError::TotalsDiffer { first, margin: number, other });
        }
        let of = match margin.axes {
            [axis] => places(shape.lengths()).swap_remove(*axis),
            _ => Places::Listed(index),
        };
        slices.push(Slices { of, targets: margin.targets.to_vec() });
    }
    let budget = Budget::default();
    Ok(Fitting { base: scaled(seed.to_vec()), slices, bounds: None, sweeps: sweeps.max(1), budget: &budget }.run())
}

/// One margin: which slice each cell is in, and what each slice shall add up to.
#[derive(Debug)]
pub(crate) struct Slices {
    pub(crate) of: Places,
    pub(crate) targets: Vec<f64>,
}

/// Which slice of a margin each cell is in.
#[derive(Debug)]
pub(crate) enum Places {
    /// The position on an axis that is so long; so many cells stand at a position before the next one comes.
    Axis { length: usize, inner: usize },
    /// One by one.
    Listed(Vec<u32>),
}

impl Slices {
    /// The places one by one; none of an axis.
    fn listed(&self) -> &[u32] {
        match &self.of {
            Places::Listed(list) => list,
            Places::Axis { .. } => &[],
        }
    }
}

impl Places {
    #[inline]
    pub(crate) fn at(&self, cell: usize) -> usize {
        match self {
            Self::Axis { length, inner } => cell / inner % length,
            Self::Listed(list) => list[cell] as usize,
        }
    }

    fn number(&self, cell: usize) -> u32 {
        u32::try_from(self.at(cell)).unwrap_or(u32::MAX)
    }

    fn chosen(&self, cells: &[usize], budget: &Budget) -> Vec<u32> {
        budget.list(cells.len(), |at| self.number(cells[at]))
    }
}

/// The places on each axis of a whole table.
pub(crate) fn places(lengths: &[usize]) -> Vec<Places> {
    let inner = |axis: usize| lengths[axis + 1..].iter().product();
    lengths.iter().enumerate().map(|(axis, length)| Places::Axis { length: *length, inner: inner(axis) }).collect()
}

/// The least and the greatest of each cell.
#[derive(Debug)]
pub(crate) struct Bounds {
    pub(crate) least: Vec<f64>,
    pub(crate) most: Vec<f64>,
}

/// A fit under way. A cell is its base between its bounds; each step scales the base of one slice.
#[derive(Debug)]
pub(crate) struct Fitting<'a> {
    pub(crate) base: Vec<f64>,
    pub(crate) slices: Vec<Slices>,
    pub(crate) bounds: Option<Bounds>,
    pub(crate) sweeps: usize,
    pub(crate) budget: &'a Budget,
}

/// How many sweeps a table gets unless told: as many as take a second or so.
pub(crate) fn default_sweeps(cells: usize) -> usize {
    (200_000_000 / cells.max(1)).clamp(50, 10_000)
}

/// The cells of each slice that have bounds of their own.
struct Bounded {
    starts: Vec<usize>,
    cells: Vec<u32>,
}

impl Fitting<'_> {
    /// Fits; where many cells are excluded, without looking at them.
    pub(crate) fn run(self) -> Fit {
        let cells = self.base.len();
        let is_empty =
            |cell: usize| self.base[cell] == 0.0 && self.bounds.as_ref().is_none_or(|bounds| bounds.least[cell] <= 0.0);
        if self.budget.is_over_after(cells as u64) {
            return self.given_up();
        }
        let open = (0..cells).filter(|cell| !is_empty(*cell)).count();
        if open * 4 > cells * 3 {
            return match (&self.bounds, Grid::of(&self.slices, cells)) {
                (None, Some(grid)) => self.run_grid(&grid),
                _ => self.listed().run_all(),
            };
        }
        let open: Vec<usize> = (0..cells).filter(|cell| !is_empty(*cell)).collect();
        let chosen = |list: &[f64]| self.budget.list(open.len(), |at| list[open[at]]);
        let slices = self.slices.iter().map(|slices| Slices {
            of: Places::Listed(slices.of.chosen(&open, self.budget)),
            targets: slices.targets.clone(),
        });
        let bounds =
            self.bounds.as_ref().map(|bounds| Bounds { least: chosen(&bounds.least), most: chosen(&bounds.most) });
        let base = chosen(&self.base);
        let fit =
            Fitting { base, slices: slices.collect(), bounds, sweeps: self.sweeps, budget: self.budget }.run_all();
        let mut all = vec![0.0; cells];
        open.iter().zip(&fit.cells).for_each(|(cell, part)| all[*cell] = *part);
        Fit { cells: all, ..fit }
    }

    /// With a list of places for each margin.
    fn listed(mut self) -> Self {
        let cells = self.base.len();
        for slices in &mut self.slices {
            if let Places::Axis { .. } = slices.of {
                slices.of = Places::Listed(self.budget.list(cells, |cell| slices.of.number(cell)));
            }
        }
        self
    }

    /// What is left once the budget is over: nobody trusts it.
    fn given_up(self) -> Fit {
        Fit { cells: self.base, sweeps: 0, error: f64::INFINITY, converged: false }
    }

    fn tolerance(&self) -> f64 {
        let total = self.slices.iter().map(|slices| add_up(&slices.targets)).fold(0.0, f64::max);
        (1e-9 * total).min(1e-6).max(4.0 * f64::EPSILON * total)
    }

    /// A whole table without bounds whose margins are its axes: each look at the cells scales one margin and adds up
    /// the next, row by row.
    fn run_grid(mut self, grid: &Grid) -> Fit {
        let tolerance = self.tolerance();
        let cells = self.base.len() as u64;
        let axes = self.slices.len();
        let error_of = |sums: &[f64], targets: &[f64]| {
            let errors = sums.iter().zip(targets).map(|(sum, target)| (sum - target).abs());
            errors.fold(0.0, |worst: f64, error| if error.is_nan() { f64::INFINITY } else { worst.max(error) })
        };
        let first = grid.pass(&mut self.base, None, 0);
        let whole_error = |base: &mut [f64], first: &[f64], slices: &[Slices]| {
            let others = (1..axes).map(|axis| error_of(&grid.pass(base, None, axis), &slices[axis].targets));
            others.fold(error_of(first, &slices[0].targets), f64::max)
        };
        let (mut sweeps, mut sums) = (0, first);
        let mut error = whole_error(&mut self.base, &sums, &self.slices);
        'sweeps: while error > tolerance && sweeps < self.sweeps {
            for axis in 0..axes {
                if self.budget.is_over_after(cells) {
                    break 'sweeps;
                }
                let factor = |(sum, target): (&f64, &f64)| if *sum > 0.0 { target / sum } else { 1.0 };
                let factors: Vec<f64> = sums.iter().zip(&self.slices[axis].targets).map(factor).collect();
                sums = grid.pass(&mut self.base, Some((axis, &factors)), (axis + 1) % axes);
            }
            sweeps += 1;
            // The last margin is met, of two the first says it all; of more, all are looked at once the first is met.
            error = error_of(&sums, &self.slices[0].targets);
            if axes > 2 && error <= tolerance {
                error = whole_error(&mut self.base, &sums, &self.slices);
            }
        }
        if self.budget.is_over_after(cells) {
            return self.given_up();
        }
        error = whole_error(&mut self.base, &sums, &self.slices);
        Fit { cells: self.base, sweeps, error, converged: error <= tolerance }
    }

    fn run_all(mut self) -> Fit {
        let tolerance = self.tolerance();
        let is_bounded: Vec<bool> = match &self.bounds {
            Some(bounds) => {
                let pairs = bounds.least.iter().zip(&bounds.most).zip(&self.base);
                pairs.map(|((least, most), base)| *base > 0.0 && (*least > 0.0 || most.is_finite())).collect()
            }
            None => Vec::new(),
        };
        let mut bounded = Vec::with_capacity(self.slices.len());
        for slices in &self.slices {
            if self.budget.is_over_after(self.base.len() as u64) {
                return self.given_up();
            }
            bounded.push(Bounded::new(slices, &is_bounded));
        }
        let mut scratch = Vec::new();
        let (mut sweeps, mut error) = (0, self.error());
        while error > tolerance && sweeps < self.sweeps {
            for (number, bounded) in bounded.iter().enumerate() {
                // Each cell is looked at twice.
                if self.budget.is_over_after(2 * self.base.len() as u64) {
                    return self.given_up();
                }
                self.step(number, bounded, &is_bounded, &mut scratch);
            }
            sweeps += 1;
            error = self.error();
        }
        if self.budget.stopped().is_some() {
            return self.given_up();
        }
        let cells = (0..self.base.len()).map(|cell| self.cell(cell)).collect();
        Fit { cells, sweeps, error, converged: error <= tolerance }
    }

    fn cell(&self, cell: usize) -> f64 {
        match &self.bounds {
            Some(bounds) => self.base[cell].max(bounds.least[cell]).min(bounds.most[cell]),
            None => self.base[cell],
        }
    }

    /// Scales every slice of one margin so that it adds up to its target.
    fn step(&mut self, number: usize, bounded: &Bounded, is_bounded: &[bool], scratch: &mut Vec<(f64, f64)>) {
        let slices = &self.slices[number];
        let mut sums = vec![Sum::default(); slices.targets.len()];
        for (cell, slice) in slices.listed().iter().enumerate() {
            if is_bounded.is_empty() || !is_bounded[cell] {
                sums[*slice as usize].add(self.base[cell]);
            }
        }
        let factor = |(slice, sum): (usize, &Sum)| {
            let (target, free) = (slices.targets[slice], sum.value());
            match (&self.bounds, bounded.of(slice)) {
                (Some(bounds), cells) if !cells.is_empty() => {
                    let bounded = cells.iter().map(|cell| {
                        let cell = *cell as usize;
                        (self.base[cell], bounds.least[cell], bounds.most[cell])
                    });
                    bounded_factor(free, bounded, target, scratch)
                }
                // Nothing to scale: the difference stays, and is reported.
                _ if free <= 0.0 => 1.0,
                _ => target / free,
            }
        };
        let factors: Vec<f64> = sums.iter().enumerate().map(factor).collect();
        for (cell, slice) in slices.listed().iter().enumerate() {
            let base = &mut self.base[cell];
            *base *= factors[*slice as usize];
            if !is_bounded.is_empty() && is_bounded[cell] {
                // A cell at its bound must be able to come back.
                *base = base.clamp(1e-290, 1e290);
            }
        }
    }

    /// The largest difference of a margin.
    fn error(&self) -> f64 {
        let mut worst: f64 = 0.0;
        for slices in &self.slices {
            if self.budget.is_over_after(self.base.len() as u64) {
                return f64::INFINITY;
            }
            let mut sums = vec![Sum::default(); slices.targets.len()];
            for (cell, slice) in slices.listed().iter().enumerate() {
                sums[*slice as usize].add(self.cell(cell));
            }
            for (sum, target) in sums.iter().zip(&slices.targets) {
                let error = (sum.value() - target).abs();
                worst = if error.is_nan() { f64::INFINITY } else { worst.max(error) };
            }
        }
        worst
    }
}

/// A table whose margins are its axes, as rows along the last one.
struct Grid {
    /// For each axis its length, and how many rows stand at a position before the next one comes.
    axes: Vec<(usize, usize)>,
    width: usize,
}

impl Grid {
    /// `None` where the margins are not the axes, or where rows are too short to be worth it.
    fn of(slices: &[Slices], cells: usize) -> Option<Self> {
        let width = match slices.last()?.of {
            Places::Axis { length, inner: 1 } if length > 1 => length,
            _ => return None,
        };
        let mut axes = Vec::with_capacity(slices.len());
        let mut so_far = cells;
        for slices in slices {
            let Places::Axis { length, inner } = slices.of else { return None };
            if inner * length != so_far {
                return None;
            }
            so_far = inner;
            axes.push((length, inner / width));
        }
        (axes.len() > 1).then_some(Self { axes, width })
    }

    /// Scales the slices of one axis, if factors are given, and adds up those of another.
    fn pass(&self, cells: &mut [f64], scaled: Option<(usize, &[f64])>, added: usize) -> Vec<f64> {
        let last = self.axes.len() - 1;
        let (length, rows) = self.axes[added];
        // The sums and what their rounding lost, apart: so that a row of them is added to at once.
        let (mut sums, mut lost) = (vec![0.0; length], vec![0.0; length]);
        for (row, cells) in cells.chunks_exact_mut(self.width).enumerate() {
            match scaled {
                Some((axis, factors)) if axis == last => {
                    cells.iter_mut().zip(factors).for_each(|(cell, factor)| *cell *= factor);
                }
                Some((axis, factors)) => {
                    let (length, rows) = self.axes[axis];
                    let factor = factors[row / rows % length];
                    cells.iter_mut().for_each(|cell| *cell *= factor);
                }
                None => {}
            }
            if added == last {
                let sums = sums.iter_mut().zip(&mut lost);
                sums.zip(cells.iter()).for_each(|((sum, lost), cell)| add(sum, lost, *cell));
            } else {
                let at = row / rows % length;
                add(&mut sums[at], &mut lost[at], added_up(cells));
            }
        }
        sums.into_iter().zip(lost).map(|(sum, lost)| sum + lost).collect()
    }
}

/// Adds to a sum and to what its rounding lost, without looking which of the two is larger: so many go at once.
#[inline]
fn add(sum: &mut f64, lost: &mut f64, number: f64) {
    let next = *sum + number;
    let part = next - *sum;
    *lost += (*sum - (next - part)) + (number - part);
    *sum = next;
}

/// A row of numbers, added up in eight lanes.
fn added_up(numbers: &[f64]) -> f64 {
    let (mut sums, mut lost) = ([0.0; 8], [0.0; 8]);
    let chunks = numbers.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        sums.iter_mut().zip(&mut lost).zip(chunk).for_each(|((sum, lost), number)| add(sum, lost, *number));
    }
    let (mut sum, mut all_lost) = (0.0, 0.0);
    sums.iter().chain(&lost).chain(rest).for_each(|number| add(&mut sum, &mut all_lost, *number));
    sum + all_lost
}

impl Bounded {
    fn new(slices: &Slices, is_bounded: &[bool]) -> Self {
        let mut starts = vec![0; slices.targets.len() + 1];
        for (slice, _) in slices.listed().iter().zip(is_bounded).filter(|(_, bounded)| **bounded) {
            starts[*slice as usize + 1] += 1;
        }
        for slice in 1..starts.len() {
            starts[slice] += starts[slice - 1];
        }
        let mut next = starts.clone();
        let mut cells = vec![0; starts.last().copied().unwrap_or(0)];
        for (cell, (slice, _)) in
            slices.listed().iter().zip(is_bounded).enumerate().filter(|(_, (_, bounded))| **bounded)
        {
            cells[next[*slice as usize]] = u32::try_from(cell).unwrap_or(u32::MAX);
            next[*slice as usize] += 1;
        }
        Self { starts, cells }
    }

    fn of(&self, slice: usize) -> &[u32] {
        &self.cells[self.starts[slice]..self.starts[slice + 1]]
    }
}

/// The factor at which free cells and bounded ones together reach the target. What they add up to is a
/// rising line with a bend wherever a cell leaves its least or reaches its greatest.
fn bounded_factor(
    free: f64,
    bounded: impl Iterator<Item = (f64, f64, f64)>,
    target: f64,
    bends: &mut Vec<(f64, f64)>,
) -> f64 {
    bends.clear();
    let (mut value, mut slope, mut at) = (Sum::default(), Sum::default(), 0.0);
    let mut rises_for_ever = free > 0.0;
    slope.add(free);
    for (base, least, most) in bounded {
        value.add(least);
        if least < most {
            bends.push((least / base, base));
            if most.is_finite() {
                bends.push((most / base, -base));
            } else {
                rises_for_ever = true;
            }
        }
    }
    bends.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    for (bend, change) in bends.iter() {
        let rise = slope.value() * (bend - at);
        if slope.value() > 0.0 && value.value() + rise >= target {
            return at + (target - value.value()).max(0.0) / slope.value();
        }
        value.add(rise);
        slope.add(*change);
        at = *bend;
    }
    if rises_for_ever { at + (target - value.value()).max(0.0) / slope.value() } else { at }
}

/// Weights whose sums neither overflow nor vanish. What has everyday size stays as it is; the rest is divided
/// by a power of two, so that no digit changes.
pub(crate) fn scaled(mut seed: Vec<f64>) -> Vec<f64> {
    let largest = seed.iter().copied().fold(0.0, f64::max);
    if largest > 0.0 {
        let exponent = largest.log2().clamp(-1000.0, 1000.0) as i32;
        let factor = if exponent.abs() > 100 { 2_f64.powi(-exponent) } else { 1.0 };
        seed.iter_mut().filter(|weight| **weight > 0.0).for_each(|weight| *weight = (*weight * factor).max(1e-290));
    }
    seed
}

fn add_up(numbers: &[f64]) -> f64 {
    let mut sum = Sum::default();
    numbers.iter().for_each(|number| sum.add(*number));
    sum.value()
}
