//! A checked table to its solution. One or two axes go through `two_way` as they are; more go in stages:
//! the first two axes are crossed, then what came out with the next, so that every margin stays exact.

use super::bound::least_distortion;
use super::cheapest::{Cheapest, cheapest};
use super::search::{Found, search};
use super::simplex::Anchors;
use super::spread::{Aim, Question, spread};
use super::transport::Stuck;
use super::two_way::{self, TwoWay};
use crate::budget::Budget;
use crate::certificate::Certificate;
use crate::cut::Cut;
use crate::error::SolveError;
use crate::fit::{Bounds, Fit, Fitting, Slices, default_sweeps, places, scaled};
use crate::lift::Lifted;
use crate::rebalance::Wanted;
use crate::solution::Solution;
use crate::table::Table;

/// Bounds or counts of a table that has some of the axes, row by row.
type Bounded = Option<(Vec<i64>, Vec<i64>)>;

/// From how many cells on one order of the axes is enough, if it leads to a table.
pub(crate) const MANY_CELLS: usize = 200_000;

/// From how many cells on no search looks for a smaller change.
const MANY_TO_SEARCH: usize = 20_000;

/// How many sweeps are little work.
const FEW_SWEEPS: usize = 100;

/// How many numbers a search may touch before a fit is tried: some tenths of a second.
const EARLY_SEARCH_WORK: u64 = 200_000_000;

/// How many numbers a search may touch before it gives up: many seconds.
const AT_MOST: u64 = 8_000_000_000;

impl Table {
    /// Finds the whole table nearest to the proportional one.
    ///
    /// # Errors
    /// [`SolveError::Infeasible`] with a proof if there is none; [`SolveError::Unresolved`] if a table of three or
    /// more axes with excluded or bounded cells took too long; not known to happen up to 350 cells.
    pub fn solve(&self) -> Result<Solution, SolveError> {
        self.start()?;
        if self.may_give() {
            let settled = self.settled()?;
            return Ok(settled.solve()?.with_shifts(self.shifts_to(&settled)));
        }
        let lifted = Lifted::of(self);
        let found = lifted.as_ref().map_or(self, |lifted| &lifted.table).cells_and_fit();
        self.check_budget()?;
        let (cells, fit) = match lifted {
            Some(lifted) => {
                let (cells, fit) = found.map_err(|error| lifted.reason_back(self, error))?;
                (lifted.back(&cells), lifted.fit_back(fit))
            }
            None => found?,
        };
        let cells: Vec<u64> = cells.into_iter().map(|cell| u64::try_from(cell).unwrap_or(0)).collect();
        self.start()?;
        let certificate = Certificate::of(self, &cells).map_err(|_| SolveError::Unresolved { cases: 0 })?;
        self.start()?;
        Ok(Solution::new(self, cells, fit, certificate))
    }

    /// Pays for looking at each cell once, before anything is answered.
    pub(crate) fn start(&self) -> Result<(), SolveError> {
        self.budget.is_over_after(self.shape.cells() as u64);
        self.check_budget()
    }

    /// Whatever was found with a budget that is over is not to be trusted.
    pub(crate) fn check_budget(&self) -> Result<(), SolveError> {
        self.budget.stopped().map_or(Ok(()), |stop| Err(SolveError::Stopped(stop)))
    }

    /// The solution of a table without joint margins.
    fn cells_and_fit(&self) -> Result<(Vec<i64>, Fit), SolveError> {
        let stages = Stages::new(self, bounds_of(self));
        match self.axes() {
            1 | 2 => {
                let order: Vec<usize> = (0..self.axes()).collect();
                let rounded =
                    stages.stage(&order, None, self.seed.clone()).map_err(|stuck| stages.cut(0, 1, &stuck))?;
                Ok((rounded.cells, rounded.fit))
            }
            _ => {
                stages.check_pairs()?;
                stages.cross()
            }
        }
    }
}

/// What a flow may put in each cell: the table's bounds, where it has any. No limit is a limit that no cut
/// can contain.
pub(crate) fn bounds_of(table: &Table) -> Bounded {
    table.is_bounded().then(|| {
        let least = table.budget.list(table.shape.cells(), |cell| signed(table.least_of(cell)));
        let limit = no_limit(table.total, &least);
        let most = table.budget.list(table.shape.cells(), |cell| signed(table.most_of(cell)).min(limit));
        (least, most)
    })
}

pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// More than any cell can be asked to hold.
fn no_limit(total: u64, least: &[i64]) -> i64 {
    least.iter().fold(signed(total), |sum, least| sum.saturating_add(*least)).min(1 << 60)
}

/// A change, and what none can be better than.
pub(crate) struct Nearest {
    pub(crate) cells: Vec<i64>,
    /// No change moves less.
    pub(crate) bound: i64,
    /// None that moves as little shuts fewer cells.
    pub(crate) least_shut: usize,
    /// None that moves and shuts as little is less distorted, where that is known.
    pub(crate) least_distorted: Option<f64>,
    pub(crate) aim: Aim,
}

/// A change that shuts few cells, if one was found, and what none comes to less than: so much for each completes that
/// is moved, and one for each cell that is shut.
#[derive(Default)]
struct Fewest {
    cells: Option<Vec<i64>>,
    at_least: i64,
    price: i64,
}

/// A table with bounds as a flow sees them.
pub(crate) struct Stages<'a> {
    table: &'a Table,
    bounds: Bounded,
}

impl<'a> Stages<'a> {
    pub(crate) fn new(table: &'a Table, bounds: Bounded) -> Self {
        Self { table, bounds }
    }

    pub(crate) fn table(&self) -> &'a Table {
        self.table
    }

    fn length(&self, axis: usize) -> usize {
        self.table.labels(axis).len()
    }

    fn targets(&self, axis: usize) -> Vec<i64> {
        self.table.counts(axis).iter().map(|count| signed(*count)).collect()
    }

    /// A list of one number for each cell, summed over all axes but these.
    fn summed(&self, cells: &[i64], axes: &[usize]) -> Vec<i64> {
        let size = axes.iter().map(|axis| self.length(*axis)).product();
        let mut sums = vec![0_i64; size];
        let slices = self.slices(axes);
        for part in self.table.budget.parts(cells.len().min(slices.len())) {
            for (slice, cell) in slices[part.clone()].iter().zip(&cells[part]) {
                sums[*slice as usize] = sums[*slice as usize].saturating_add(*cell);
            }
        }
        sums
    }

    fn slices(&self, axes: &[usize]) -> Vec<u32> {
        self.table.slices(axes)
    }

    fn bounds(&self, axes: &[usize]) -> Bounded {
        let (least, most) = self.bounds.as_ref()?;
        // Sums of very many limits stay below what a sum of them can bear.
        let limit = |sums: Vec<i64>| sums.into_iter().map(|sum| sum.min(1 << 60)).collect();
        Some((limit(self.summed(least, axes)), limit(self.summed(most, axes))))
    }

    /// One stage: the table of the axes before the last, already whole (`None`: a margin), crossed with the last.
    fn stage(
        &self,
        axes: &[usize],
        before: Option<Vec<i64>>,
        seed: Option<Vec<f64>>,
    ) -> Result<two_way::Rounded, Stuck> {
        let (rows, columns) = self.margins(axes, before);
        two_way::go_on(&rows, &columns, &self.table.budget)?;
        let sweeps = self.table.sweeps.unwrap_or_else(|| default_sweeps(rows.len() * columns.len()));
        TwoWay { rows, columns, seed: seed.map(scaled), bounds: self.bounds(axes), sweeps, budget: &self.table.budget }
            .solve()
    }

    fn margins(&self, axes: &[usize], before: Option<Vec<i64>>) -> (Vec<i64>, Vec<i64>) {
        match axes {
            [only] => (self.targets(*only), vec![signed(self.table.total)]),
            [init @ .., last] => {
                let rows = before.unwrap_or_else(|| init.first().map_or_else(Vec::new, |axis| self.targets(*axis)));
                (rows, self.targets(*last))
            }
            [] => (Vec::new(), Vec::new()),
        }
    }

    fn cut(&self, first: usize, second: usize, stuck: &Stuck) -> SolveError {
        if let Some(stop) = self.table.budget.stopped() {
            return SolveError::Stopped(stop);
        }
        let second = (second < self.table.axes()).then_some(second);
        let cut = Cut::of_flow(self.table, (first, second), stuck);
        cut.map_or(SolveError::Unresolved { cases: 1 }, |cut| SolveError::Infeasible(Box::new(cut.into())))
    }

    /// Three and more axes: a whole table near the fit, and the fit.
    fn cross(&self) -> Result<(Vec<i64>, Fit), SolveError> {
        let sweeps = self.table.sweeps.unwrap_or_else(|| default_sweeps(self.table.shape.cells()));
        let few = if self.bounds.is_some() { sweeps.min(FEW_SWEEPS) } else { sweeps };
        // A fit that converges soon leaves little doubt that there is a table; else this is settled first.
        let mut fit = self.fit(few);
        self.table.check_budget()?;
        let mut best = if fit.converged { self.best(&fit) } else { None };
        self.table.check_budget()?;
        if best.is_none() {
            let known = self.known()?;
            if !fit.converged && few < sweeps {
                fit = self.fit(sweeps);
            }
            best = self.best(&fit);
            if best.is_none() {
                let stage = |axes: &[usize], before: Option<Vec<i64>>| self.near(&fit, axes, before);
                let some = known.map_or_else(|| self.any(), Ok)?;
                best = Some(self.nearer(some, stage, |cells| squares(cells, &fit)));
            }
        }
        let cells = best.ok_or(SolveError::Unresolved { cases: 0 })?;
        Ok((cells, fit))
    }

    /// Some whole table, where bounds leave a doubt whether there is any and the doubt can be settled soon.
    fn known(&self) -> Result<Option<Vec<i64>>, SolveError> {
        if self.bounds.is_none() || self.table.shape.cells() >= MANY_CELLS {
            return Ok(None);
        }
        match search(self.table, EARLY_SEARCH_WORK) {
            Found::Table(cells) => Ok(Some(cells)),
            Found::Proof(proof) => Err(SolveError::Infeasible(Box::new(proof))),
            Found::Neither { .. } => Ok(None),
        }
    }

    /// Some whole table, whatever it takes within reason.
    fn any(&self) -> Result<Vec<i64>, SolveError> {
        match search(self.table, AT_MOST) {
            Found::Table(cells) => Ok(cells),
            Found::Proof(proof) => Err(SolveError::Infeasible(Box::new(proof))),
            Found::Neither { cases } => Err(SolveError::Unresolved { cases }),
        }
    }

    /// Whether each pair of axes alone can be met.
    fn check_pairs(&self) -> Result<(), SolveError> {
        for (first, second) in self.pairs() {
            let Some((least, most)) = self.bounds(&[first, second]) else { continue };
            two_way::feasible(&self.targets(first), &self.targets(second), &least, &most, &self.table.budget)
                .map_err(|stuck| self.cut(first, second, &stuck))?;
        }
        Ok(())
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let axes = self.table.axes();
        (0..axes).flat_map(move |first| (first + 1..axes).map(move |second| (first, second)))
    }

    /// Orders in which to go through the axes: each pair first, then the others in turn.
    fn orders(&self) -> Vec<Vec<usize>> {
        let axes = self.table.axes();
        let with_rest = |(first, second): (usize, usize)| {
            let rest = (0..axes).filter(|axis| *axis != first && *axis != second);
            [first, second].into_iter().chain(rest).collect()
        };
        self.pairs().map(with_rest).collect()
    }

    /// The fit of all axes together.
    fn fit(&self, sweeps: usize) -> Fit {
        let (table, cells) = (self.table, self.table.shape.cells());
        let mut slices = Vec::new();
        for (axis, of) in places(table.shape.lengths()).into_iter().enumerate() {
            let targets = table.counts(axis).iter().map(|count| *count as f64).collect();
            slices.push(Slices { of, targets });
        }
        let mut base = match &table.seed {
            Some(seed) => scaled(seed.clone()),
            None => independent(table.total, &slices, cells, &table.budget),
        };
        let bounds = self.bounds.as_ref().map(|(least, most)| {
            let smallest = |cell: usize| {
                let targets = slices.iter().map(|slices| slices.targets[slices.of.at(cell)]);
                targets.fold(f64::INFINITY, f64::min)
            };
            table.budget.is_over_after(cells as u64);
            for (base, most) in base.iter_mut().zip(most) {
                if *most == 0 {
                    *base = 0.0;
                }
            }
            let limit = |cell: usize| {
                let most = most[cell] as f64;
                if most < smallest(cell) || most == least[cell] as f64 { most } else { f64::INFINITY }
            };
            let least = least.iter().map(|least| *least as f64).collect();
            Bounds { least, most: table.budget.list(cells, limit) }
        });
        Fitting { base, slices, bounds, sweeps, budget: &table.budget }.run()
    }

    /// The whole table nearest to the fit, of those that the orders lead to.
    fn best(&self, fit: &Fit) -> Option<Vec<i64>> {
        let mut best: Option<(f64, Vec<i64>)> = None;
        for order in self.orders() {
            if self.table.budget.stopped().is_some() {
                break;
            }
            let Some(cells) = self.through(&order, |axes, before| self.near(fit, axes, before)) else { continue };
            let squares = squares(&cells, fit);
            if best.as_ref().is_none_or(|(least, _)| squares < *least) {
                best = Some((squares, cells));
            }
            if self.table.shape.cells() >= MANY_CELLS {
                break;
            }
        }
        best.map(|(_, cells)| cells)
    }

    /// One stage near the fit.
    fn near(&self, fit: &Fit, axes: &[usize], before: Option<Vec<i64>>) -> Result<Vec<i64>, Stuck> {
        let seed = self.summed_fractions(&fit.cells, axes);
        self.stage(axes, before, Some(seed)).map(|rounded| rounded.cells)
    }

    /// Brings a table nearer: in turn, what the axes before the last hold together is kept, and the last stage
    /// done again.
    fn nearer<D: PartialOrd>(
        &self,
        mut cells: Vec<i64>,
        stage: impl Fn(&[usize], Option<Vec<i64>>) -> Result<Vec<i64>, Stuck>,
        distance: impl Fn(&[i64]) -> D,
    ) -> Vec<i64> {
        const ROUNDS: usize = 20;
        let axes = self.table.axes();
        for _ in 0..ROUNDS {
            let mut improved = false;
            if self.table.budget.stopped().is_some() {
                break;
            }
            for last in 0..axes {
                let order: Vec<usize> = (0..axes).filter(|axis| *axis != last).chain([last]).collect();
                let before = self.summed(&cells, &order[..axes - 1]);
                let Ok(found) = stage(&order, Some(before)) else { continue };
                let found = self.in_order(&order, &found);
                if distance(&found) < distance(&cells) {
                    (cells, improved) = (found, true);
                }
            }
            if !improved {
                break;
            }
        }
        cells
    }

    /// Goes through the axes in an order, one stage after the other; the cells come back in the table's order.
    fn through(
        &self,
        order: &[usize],
        stage: impl Fn(&[usize], Option<Vec<i64>>) -> Result<Vec<i64>, Stuck>,
    ) -> Option<Vec<i64>> {
        let mut cells = None;
        for count in 2..=order.len() {
            cells = Some(stage(&order[..count], cells).ok()?);
        }
        Some(self.in_order(order, &cells?))
    }

    /// The cells of a table that has the axes in another order.
    fn in_order(&self, order: &[usize], cells: &[i64]) -> Vec<i64> {
        let slices = self.slices(order);
        self.table.budget.list(slices.len(), |cell| cells[slices[cell] as usize])
    }

    fn summed_fractions(&self, cells: &[f64], axes: &[usize]) -> Vec<f64> {
        let size = axes.iter().map(|axis| self.length(*axis)).product();
        let mut sums = vec![0.0; size];
        let slices = self.slices(axes);
        for part in self.table.budget.parts(cells.len().min(slices.len())) {
            for (slice, cell) in slices[part.clone()].iter().zip(&cells[part]) {
                sums[*slice as usize] += cell;
            }
        }
        sums
    }

    /// The table that moves least from what is wanted and keeps its proportions, and bounds.
    pub(crate) fn nearest(&self, wanted: &Wanted) -> Result<Nearest, SolveError> {
        if self.table.axes() <= 2 {
            let order: Vec<usize> = (0..self.table.axes()).collect();
            self.feasible(0, 1)?;
            let (_, aim) = wanted.aim(self)?;
            let cells = self.spread(wanted, &aim, &order, None).map_err(|stuck| self.cut(0, 1, &stuck))?;
            let moved = distance(&cells, &wanted.anchor);
            let least_distorted = aim.distortion(&cells);
            return Ok(Nearest { bound: moved, least_shut: aim.shut(&cells), least_distorted, aim, cells });
        }
        // No table is nearer than its sums are: what a pair of axes must move is a bound for all.
        let mut bound = self.least_moved(&wanted.anchor);
        for (first, second) in self.pairs() {
            let axes = [first, second];
            let cells =
                self.spread(wanted, &Aim::default(), &axes, None).map_err(|stuck| self.cut(first, second, &stuck))?;
            bound = bound.max(distance(&cells, &self.summed(&wanted.anchor, &axes)));
        }
        let (proportional, aim) = wanted.aim(self)?;
        let worth = |cells: &[i64]| (distance(cells, &wanted.anchor), aim.shut(cells), aim.distortion(cells));
        let stage = |axes: &[usize], before: Option<Vec<i64>>| self.spread(wanted, &aim, axes, before);
        let mut best: Option<Vec<i64>> = None;
        let orders = self.orders().into_iter().filter_map(|order| self.through(&order, stage));
        for cells in proportional.into_iter().chain(orders) {
            if best.as_ref().is_none_or(|best| worth(&cells) < worth(best)) {
                best = Some(cells);
            }
        }
        let mut cells = self.nearer(best.map_or_else(|| self.any(), Ok)?, stage, worth);
        if distance(&cells, &wanted.anchor) > bound && self.table.shape.cells() < MANY_TO_SEARCH {
            // What is not proved so far may be by a search, or a better table found.
            let cost = vec![1; cells.len()];
            let anchors = Anchors { anchor: &wanted.anchor, cost: &cost, opens: &[] };
            let found = cheapest(self.table, &anchors, EARLY_SEARCH_WORK);
            bound = bound.max(found.at_least);
            if let Some(found) = found.cells.filter(|found| worth(found) < worth(&cells)) {
                cells = self.nearer(found, stage, worth);
            }
        }
        let fewest = self.fewest_shut(wanted, &aim, &cells);
        if let Some(found) = fewest.cells.filter(|found| worth(found) < worth(&cells)) {
            cells = self.nearer(found, stage, worth);
        }
        // Whatever moves no more leaves the rest of what both together come to for cells that are shut.
        let rest = fewest.at_least.saturating_sub(fewest.price.saturating_mul(distance(&cells, &wanted.anchor)));
        let least_shut = usize::try_from(rest).unwrap_or(0).min(aim.shut(&cells));
        let least_distorted = least_distortion(self.table, &wanted.anchor, &aim, &cells);
        Ok(Nearest { cells, bound, least_shut, least_distorted, aim })
    }

    /// What any change moves at least: a cell outside its bounds comes in, and the others of its category make up for
    /// that and for what the category itself grows by.
    fn least_moved(&self, anchor: &[i64]) -> i64 {
        let Some((least, most)) = &self.bounds else { return 0 };
        let of = |axis: usize| {
            let targets = self.targets(axis);
            let mut grows = targets.clone();
            let (mut up, mut down) = (vec![0_i64; targets.len()], vec![0_i64; targets.len()]);
            let slices = self.slices(&[axis]);
            for part in self.table.budget.parts(anchor.len().min(slices.len())) {
                for cell in part {
                    let slice = slices[cell] as usize;
                    grows[slice] = grows[slice].saturating_sub(anchor[cell]);
                    up[slice] = up[slice].saturating_add((least[cell] - anchor[cell]).max(0));
                    down[slice] = down[slice].saturating_add((anchor[cell] - most[cell]).max(0));
                }
            }
            let moved = |(grows, (up, down)): (&i64, (&i64, &i64))| {
                let down = (*down).max(up.saturating_sub(*grows)).max(grows.saturating_neg()).max(0);
                grows.saturating_add(down.saturating_mul(2))
            };
            grows.iter().zip(up.iter().zip(&down)).map(moved).fold(0_i64, i64::saturating_add)
        };
        (0..self.table.axes()).map(of).max().unwrap_or(0)
    }

    /// Of the changes that move least, one that shuts the fewest cells: a completes that is moved costs more than all
    /// cells that are shut so far.
    fn fewest_shut(&self, wanted: &Wanted, aim: &Aim, cells: &[i64]) -> Fewest {
        let shut = aim.shut(cells);
        if shut == 0 || cells.len() >= MANY_TO_SEARCH {
            return Fewest::default();
        }
        let price = i64::try_from(shut).unwrap_or(i64::MAX).saturating_add(1);
        let (cost, opens) = (vec![price; cells.len()], aim.open.iter().map(Option::is_some).collect::<Vec<_>>());
        let anchors = Anchors { anchor: &wanted.anchor, cost: &cost, opens: &opens };
        let Cheapest { cells, at_least } = cheapest(self.table, &anchors, EARLY_SEARCH_WORK);
        Fewest { cells, at_least, price }
    }

    /// The table of fractions that keeps the seed's proportions, and a whole table near it if one is soon found.
    pub(crate) fn proportional(&self) -> (Option<Vec<i64>>, Vec<f64>) {
        if self.table.axes() <= 2 {
            let order: Vec<usize> = (0..self.table.axes()).collect();
            match self.stage(&order, None, self.table.seed.clone()) {
                Ok(rounded) => (Some(rounded.cells), rounded.fit.cells),
                Err(_) => (None, Vec::new()),
            }
        } else {
            let fit =
                self.fit(self.table.sweeps.unwrap_or_else(|| default_sweeps(self.table.shape.cells())).min(FEW_SWEEPS));
            (self.best(&fit), fit.cells)
        }
    }

    /// Whether a pair of axes alone can be met.
    pub(crate) fn feasible(&self, first: usize, second: usize) -> Result<(), SolveError> {
        let axes: Vec<usize> = [first, second].into_iter().filter(|axis| *axis < self.table.axes()).collect();
        let (rows, columns) = self.margins(&axes, None);
        // Without bounds, margins that add up to the same can always be met.
        let Some((least, most)) = self.bounds(&axes) else { return Ok(()) };
        let feasible = two_way::feasible(&rows, &columns, &least, &most, &self.table.budget);
        feasible.map(|_| ()).map_err(|stuck| self.cut(first, second, &stuck))
    }

    /// One stage of a change.
    fn spread(&self, wanted: &Wanted, aim: &Aim, axes: &[usize], before: Option<Vec<i64>>) -> Result<Vec<i64>, Stuck> {
        let (rows, columns) = self.margins(axes, before);
        two_way::go_on(&rows, &columns, &self.table.budget)?;
        let (least, most) = self.bounds(axes).unwrap_or_default();
        let sums = |cells: &[f64]| self.summed_fractions(cells, axes);
        let mut aim = match aim.parts.is_empty() {
            true => Aim::default(),
            false => Aim { parts: sums(&aim.parts), start: sums(&aim.start), open: aim.open.clone() },
        };
        if axes.len() < self.table.axes() {
            aim.open = Vec::new();
        } else if !aim.open.is_empty() {
            let mut open = vec![None; aim.open.len()];
            for (slice, completes) in self.slices(axes).into_iter().zip(&aim.open) {
                open[slice as usize] = *completes;
            }
            aim.open = open;
        }
        let anchor = self.summed(&wanted.anchor, axes);
        let question =
            Question { rows: &rows, columns: &columns, least: &least, most: &most, budget: &self.table.budget };
        spread(&question, &anchor, &aim)
    }
}

fn squares(cells: &[i64], fit: &Fit) -> f64 {
    cells.iter().zip(&fit.cells).map(|(cell, fit)| (*cell as f64 - fit).powi(2)).sum()
}

pub(crate) fn distance(cells: &[i64], others: &[i64]) -> i64 {
    cells.iter().zip(others).fold(0, |sum: i64, (cell, other)| sum.saturating_add((cell - other).abs()))
}

/// The product of the margins, as parts of the total.
fn independent(total: u64, slices: &[Slices], cells: usize, budget: &Budget) -> Vec<f64> {
    let total = total.max(1) as f64;
    let part = |cell: usize| {
        let shares = slices.iter().map(|slices| slices.targets[slices.of.at(cell)] / total);
        shares.product::<f64>() * total
    };
    budget.list(cells, part)
}
