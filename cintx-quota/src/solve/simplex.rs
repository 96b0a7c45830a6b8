//! Whether fractions meet all margins at once, and if not, the weights that prove it. A simplex for tables:
//! its arithmetic is in whole numbers, so that neither answer can be a rounding error.

use crate::budget::Budget;
use crate::table::Table;

/// A cell without a greatest.
pub(crate) const FREE: i64 = i64::MAX;

/// A table's margins and bounds, and a basis under way to meeting them.
///
/// Each margin is a row, each cell that is not fixed by its bounds a column: there are as many numbers to look at as
/// open cells, however large the table. The rows are met at all times; a basic cell may be outside its bounds, and the sum of
/// these distances goes down until it is 0 or cannot. The basis' inverse is kept as whole numbers above one
/// denominator, `scale`: its determinant. A row that is not needed has a slack of 0 in the basis.
#[derive(Clone, Debug)]
pub(crate) struct Simplex {
    axes: usize,
    /// The cell of each column.
    pub(crate) cell_of: Vec<usize>,
    /// The rows of each column, one for each axis.
    rows: Vec<u32>,
    pub(crate) least: Vec<i64>,
    pub(crate) most: Vec<i64>,
    /// What each column costs, and what all cost besides.
    costs: Vec<i64>,
    base: i64,
    /// For each row the basic column: of a cell, or beyond those the slack of a row.
    basis: Vec<usize>,
    /// The columns that must come out whole; empty for all of them.
    pub(crate) focus: Vec<bool>,
    is_basic: Vec<bool>,
    /// Whether a cell outside the basis is at its greatest rather than its least.
    is_high: Vec<bool>,
    inverse: Vec<i64>,
    scale: i64,
    /// What the cells outside the basis leave of each margin.
    rest: Vec<i64>,
    /// The basic columns, times the scale.
    values: Vec<i128>,
    /// Where the search for the next cell goes on.
    next: usize,
    /// How many numbers have been touched.
    pub(crate) work: u64,
    /// How many of them have been paid for.
    paid: u64,
    budget: Budget,
}

/// The numbers have become too large, or the work too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GaveUp;

/// Rows whose basic column is outside its bounds, each with the sign of the way back.
type Outside = Vec<(usize, i64)>;

/// Where a moving cell must stop: a basic column has reached a bound, after `gap / rate`.
#[derive(Clone, Copy, Debug)]
struct Stop {
    row: usize,
    gap: i128,
    rate: i128,
}

/// What is true of the fractions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Relaxed {
    /// There are some; see [`Simplex::cells`].
    Met,
    /// There are none. Each of these weightings of the rows may prove it; the last one does.
    Impossible(Vec<Vec<i64>>),
}

/// What cells cost: so much for each completes away from an anchor.
#[derive(Clone, Copy, Default)]
pub(crate) struct Anchors<'a> {
    pub(crate) anchor: &'a [i64],
    pub(crate) cost: &'a [i64],
    /// Whether a cell costs one more where it holds its least, which is below its anchor; empty if none does.
    pub(crate) opens: &'a [bool],
}

/// The bounds of a column, and its cost.
type Part = (i64, i64, i64);

impl Anchors<'_> {
    /// What a cell costs that cannot be changed.
    fn fixed(&self, cell: usize, count: i64) -> Result<i64, GaveUp> {
        let cost = self.cost.get(cell).copied().unwrap_or(0);
        let away = self.anchor.get(cell).map_or(0, |anchor| anchor.abs_diff(count));
        i64::try_from(away).ok().and_then(|away| away.checked_mul(cost)).ok_or(GaveUp)
    }

    /// The columns of a cell between its bounds, and what it costs besides.
    fn columns(&self, cell: usize, from: i64, to: i64) -> Result<([Option<Part>; 3], i64), GaveUp> {
        let cost = self.cost.get(cell).copied().unwrap_or(0);
        if cost == 0 {
            return Ok(([Some((from, to, 0)), None, None], 0));
        }
        let wanted = self.anchor.get(cell).copied().unwrap_or(from);
        let anchor = wanted.clamp(from, to);
        let below = (from < anchor).then_some((from, anchor, -cost));
        let above = (anchor < to).then(|| match (below, to) {
            (None, to) => (from, to, cost),
            (Some(_), FREE) => (0, FREE, cost),
            (Some(_), to) => (0, to - anchor, cost),
        });
        // How far the nearest bound is from the anchor; and a column below it saves its cost for each completes up to it,
        // while one above it costs nothing for those that it starts with.
        let away = i64::try_from(wanted.abs_diff(anchor)).map_err(|_| GaveUp)?;
        let start = if below.is_some() { anchor } else { from.checked_neg().ok_or(GaveUp)? };
        let besides = away.checked_add(start).and_then(|count| count.checked_mul(cost)).ok_or(GaveUp)?;
        if below.is_some() && self.opens.get(cell).copied().unwrap_or(false) {
            // The first completes saves one more. Costs stay convex, so that the columns are filled in order.
            let first = Some((from, from + 1, -cost - 1));
            let rest = (anchor > from + 1).then(|| (0, anchor - from - 1, -cost));
            return Ok(([first, rest, above], besides.checked_add(from + 1).ok_or(GaveUp)?));
        }
        Ok(([below, above, None], besides))
    }
}

impl Simplex {
    /// Starts from every cell at its least.
    pub(crate) fn new(table: &Table) -> Result<Self, GaveUp> {
        Self::with_costs(table, &Anchors::default())
    }

    /// The same with costs. A cell whose anchor lies between its bounds has two columns, for what is below and above,
    /// and a third one where its first completes saves more.
    pub(crate) fn with_costs(table: &Table, anchors: &Anchors<'_>) -> Result<Self, GaveUp> {
        const MAX_ROWS: usize = 2_000;
        let lengths = table.shape().lengths();
        let (axes, height) = (table.axes(), lengths.iter().sum::<usize>());
        if height > MAX_ROWS {
            return Err(GaveUp);
        }
        let number = |count: u64| i64::try_from(count).map_err(|_| GaveUp);
        let mut rest = (0..axes)
            .flat_map(|axis| table.counts(axis))
            .map(|count| number(*count))
            .collect::<Result<Vec<i64>, _>>()?;
        let (mut cell_of, mut rows, mut least, mut most) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut costs, mut base) = (Vec::new(), 0_i64);
        let firsts: Vec<usize> = (0..axes).map(|axis| lengths[..axis].iter().sum()).collect();
        for cell in table.budget.parts(table.shape().cells()).flatten() {
            let (from, to) = (table.least_of(cell), table.most_of(cell));
            if from == to {
                base = base.checked_add(anchors.fixed(cell, number(from)?)?).ok_or(GaveUp)?;
            }
            if from == to && from == 0 {
                continue;
            }
            let places = table.shape().position(cell).into_iter().zip(&firsts).map(|(at, first)| first + at);
            if from == to {
                for row in places {
                    rest[row] = rest[row].checked_sub(number(from)?).ok_or(GaveUp)?;
                }
                continue;
            }
            let from = number(from)?;
            // A greatest above the total is none, except that it must not be below the least.
            let to = if to > table.total() { FREE } else { i64::try_from(to).unwrap_or(FREE) };
            let (parts, besides) = anchors.columns(cell, from, to)?;
            base = base.checked_add(besides).ok_or(GaveUp)?;
            let places: Vec<usize> = places.collect();
            for (low, high, cost) in parts.into_iter().flatten() {
                for row in &places {
                    rows.push(u32::try_from(*row).map_err(|_| GaveUp)?);
                }
                cell_of.push(cell);
                least.push(low);
                most.push(high);
                costs.push(cost);
            }
        }
        if table.budget.stopped().is_some() {
            return Err(GaveUp);
        }
        let cells = cell_of.len();
        let mut simplex = Self {
            axes,
            cell_of,
            rows,
            most,
            basis: (cells..cells + height).collect(),
            focus: Vec::new(),
            is_basic: vec![false; cells],
            is_high: vec![false; cells],
            inverse: (0..height * height).map(|at| i64::from(at % (height + 1) == 0)).collect(),
            scale: 1,
            rest,
            values: vec![0; height],
            next: 0,
            work: 0,
            paid: 0,
            budget: table.budget.clone(),
            least: Vec::new(),
            costs,
            base,
        };
        for (cell, least) in least.iter().enumerate() {
            simplex.take(cell, *least)?;
        }
        simplex.least = least;
        Ok(simplex)
    }

    /// How many rows there are.
    pub(crate) fn height(&self) -> usize {
        self.basis.len()
    }

    /// The rows of a cell.
    pub(crate) fn rows_of(&self, cell: usize) -> &[u32] {
        &self.rows[cell * self.axes..(cell + 1) * self.axes]
    }

    /// The determinant of the basis: what the denominators of the cells divide.
    pub(crate) fn scale(&self) -> i64 {
        self.scale
    }

    /// How far a cell's bounds are apart.
    pub(crate) fn room(&self, cell: usize) -> i64 {
        self.most[cell].saturating_sub(self.least[cell])
    }

    /// What the whole parts of all cells leave of each margin.
    pub(crate) fn whole_rest(&self) -> Vec<i128> {
        let mut rest: Vec<i128> = self.rest.iter().copied().map(i128::from).collect();
        for (column, value) in self.basis.iter().zip(&self.values).filter(|(column, _)| **column < self.is_basic.len())
        {
            for row in self.rows_of(*column) {
                rest[*row as usize] -= value.div_euclid(i128::from(self.scale));
            }
        }
        rest
    }

    /// Where a cell outside the basis is.
    fn bound(&self, cell: usize) -> i64 {
        if self.is_high[cell] { self.most[cell] } else { self.least[cell] }
    }

    /// The whole part of a cell.
    pub(crate) fn whole(&self, cell: usize) -> i64 {
        let row = if self.is_basic[cell] { self.basis.iter().position(|column| *column == cell) } else { None };
        let whole = |row: usize| i64::try_from(self.values[row].div_euclid(i128::from(self.scale))).ok();
        row.and_then(whole).unwrap_or_else(|| self.bound(cell))
    }

    /// Whether all cells in focus are whole.
    pub(crate) fn is_whole(&self) -> bool {
        let columns = self.basis.iter().zip(&self.values).filter(|(column, _)| self.is_in_focus(**column));
        columns.into_iter().all(|(_, value)| value % i128::from(self.scale) == 0)
    }

    /// Whether a column is one of a cell that must come out whole.
    pub(crate) fn is_in_focus(&self, column: usize) -> bool {
        column < self.is_basic.len() && self.focus.get(column).copied().unwrap_or(true)
    }

    /// What the columns of each row shall add up to.
    pub(crate) fn targets(&self) -> Vec<i64> {
        let mut targets = self.rest.clone();
        for column in (0..self.is_basic.len()).filter(|column| !self.is_basic[*column]) {
            for row in self.rows_of(column) {
                targets[*row as usize] = targets[*row as usize].saturating_add(self.bound(column));
            }
        }
        targets
    }

    /// The whole part of each column.
    pub(crate) fn wholes(&self) -> Option<Vec<i64>> {
        let mut wholes: Vec<i64> = (0..self.is_basic.len()).map(|cell| self.bound(cell)).collect();
        for (column, value) in self.basis.iter().zip(&self.values) {
            if let Some(whole) = wholes.get_mut(*column) {
                *whole = i64::try_from(value.div_euclid(i128::from(self.scale))).ok()?;
            }
        }
        Some(wholes)
    }

    /// All cells of a table, the fixed ones with what they are fixed at.
    pub(crate) fn with_fixed(&self, table: &Table, open: &[i64]) -> Vec<i64> {
        let fixed = |cell: usize| i64::try_from(table.least_of(cell)).unwrap_or(i64::MAX);
        let mut cells: Vec<i64> = (0..table.shape().cells()).map(fixed).collect();
        for cell in &self.cell_of {
            cells[*cell] = 0;
        }
        for (cell, count) in self.cell_of.iter().zip(open) {
            cells[*cell] += *count;
        }
        cells
    }

    /// The cells that are not whole: the whole part, and the rest as a fraction.
    pub(crate) fn fractions(&self) -> impl Iterator<Item = (usize, i64, f64)> {
        let scale = i128::from(self.scale);
        let pairs = self.basis.iter().zip(&self.values).filter(move |(_, value)| *value % scale != 0);
        pairs.filter(|(column, _)| self.is_in_focus(**column)).filter_map(move |(column, value)| {
            let whole = i64::try_from(value.div_euclid(scale)).ok()?;
            Some((*column, whole, value.rem_euclid(scale) as f64 / scale as f64))
        })
    }

    /// Sets the bounds of a cell.
    pub(crate) fn set_bounds(&mut self, cell: usize, least: i64, most: i64) -> Result<(), GaveUp> {
        let before = self.bound(cell);
        (self.least[cell], self.most[cell]) = (least, most);
        self.is_high[cell] &= most != FREE;
        if self.is_basic[cell] { Ok(()) } else { self.take(cell, self.bound(cell) - before) }
    }

    /// Takes so much more of what a cell's rows leave.
    fn take(&mut self, cell: usize, amount: i64) -> Result<(), GaveUp> {
        for axis in 0..self.axes {
            let rest = &mut self.rest[self.rows[cell * self.axes + axis] as usize];
            *rest = rest.checked_sub(amount).ok_or(GaveUp)?;
        }
        Ok(())
    }

    /// The least and the greatest of a basic column, times the scale.
    fn scaled_bounds(&self, column: usize) -> (i128, i128) {
        let scale = i128::from(self.scale);
        let most = |most: i64| if most == FREE { i128::MAX } else { i128::from(most) * scale };
        self.least.get(column).map_or((0, 0), |least| (i128::from(*least) * scale, most(self.most[column])))
    }

    /// Brings the basic cells between their bounds, or proves that they cannot be.
    pub(crate) fn relax(&mut self, limit: u64) -> Result<Relaxed, GaveUp> {
        const MAX_STALLED_PIVOTS: usize = 40;
        let mut stalled = 0;
        loop {
            self.revalue()?;
            let (outside, weights) = self.weights()?;
            if outside.is_empty() {
                return Ok(Relaxed::Met);
            }
            // The first cell that improves, where steps of length 0 might go round in a circle (Bland).
            let in_order = stalled > MAX_STALLED_PIVOTS;
            let Some(cell) = self.entering(&weights, in_order) else {
                let alone =
                    outside.into_iter().map(|(row, sign)| self.row(row).iter().map(move |weight| sign * weight));
                let mut proofs: Vec<Vec<i64>> = alone.map(Iterator::collect).collect();
                proofs.push(weights);
                return Ok(Relaxed::Impossible(proofs));
            };
            if self.is_over(limit) {
                return Err(GaveUp);
            }
            stalled = if self.step(cell, in_order)? { 0 } else { stalled + 1 };
        }
    }

    /// Goes on counting where another search has stopped.
    pub(crate) fn count_on(&mut self, other: &Self) {
        (self.work, self.paid) = (other.work, other.paid);
    }

    /// Whether the work has become too much, of this search or of all that share its budget.
    pub(crate) fn is_over(&mut self, limit: u64) -> bool {
        let unpaid = self.work - self.paid;
        self.paid = self.work;
        self.budget.is_over_after(unpaid) || self.work > limit
    }

    /// Pays for work that is not counted in [`work`](Self::work); says whether nothing more may be spent.
    pub(crate) fn is_over_after(&self, work: usize) -> bool {
        self.budget.is_over_after(work as u64)
    }

    /// From a table of fractions to the cheapest one.
    pub(crate) fn optimize(&mut self, limit: u64) -> Result<(), GaveUp> {
        const MAX_STALLED_PIVOTS: usize = 40;
        let mut stalled = 0;
        loop {
            self.revalue()?;
            let weights = self.prices()?;
            let in_order = stalled > MAX_STALLED_PIVOTS;
            let Some(column) = self.cheaper(&weights, in_order) else { return Ok(()) };
            if self.is_over(limit) {
                return Err(GaveUp);
            }
            stalled = if self.step(column, in_order)? { 0 } else { stalled + 1 };
        }
    }

    /// What the rows are worth at the basic columns' costs, times the scale.
    fn prices(&mut self) -> Result<Vec<i64>, GaveUp> {
        let mut prices = vec![0_i64; self.height()];
        self.work += (self.height() * self.height()) as u64;
        for (row, column) in self.basis.iter().enumerate() {
            let cost = self.costs.get(*column).copied().unwrap_or(0);
            if cost != 0 {
                for (price, factor) in prices.iter_mut().zip(self.row(row)) {
                    *price = factor.checked_mul(cost).and_then(|part| price.checked_add(part)).ok_or(GaveUp)?;
                }
            }
        }
        let most = (1 << 60) / self.axes.max(1) as u64;
        prices.iter().all(|price| price.unsigned_abs() < most).then_some(prices).ok_or(GaveUp)
    }

    /// The column whose change lowers the cost most.
    fn cheaper(&mut self, prices: &[i64], in_order: bool) -> Option<usize> {
        let columns = self.is_basic.len();
        self.work += (columns * self.axes) as u64;
        let mut best: Option<(i128, usize)> = None;
        for column in (0..columns).filter(|column| !self.is_basic[*column] && self.room(*column) > 0) {
            let price: i64 = self.rows_of(column).iter().map(|row| prices[*row as usize]).sum();
            let rate = i128::from(self.costs[column]) * i128::from(self.scale) - i128::from(price);
            let gain = if self.is_high[column] { rate } else { -rate };
            if gain > best.map_or(0, |(most, _)| most) {
                best = Some((gain, column));
                if in_order {
                    break;
                }
            }
        }
        best.map(|(_, column)| column)
    }

    /// What the table costs, rounded up: costs of whole tables are whole.
    pub(crate) fn cost(&self) -> Result<i64, GaveUp> {
        let scale = i128::from(self.scale);
        let mut sum = i128::from(self.base) * scale;
        for column in (0..self.is_basic.len()).filter(|column| !self.is_basic[*column]) {
            sum += i128::from(self.costs[column]) * i128::from(self.bound(column)) * scale;
        }
        for (column, value) in self.basis.iter().zip(&self.values) {
            let cost = self.costs.get(*column).copied().unwrap_or(0);
            sum = i128::from(cost).checked_mul(*value).and_then(|part| sum.checked_add(part)).ok_or(GaveUp)?;
        }
        i64::try_from(sum.div_euclid(scale) + i128::from(sum.rem_euclid(scale) > 0)).map_err(|_| GaveUp)
    }

    fn row(&self, row: usize) -> &[i64] {
        &self.inverse[row * self.height()..(row + 1) * self.height()]
    }

    fn revalue(&mut self) -> Result<(), GaveUp> {
        let height = self.height();
        self.work += (height * height) as u64;
        for row in 0..height {
            let products = self.row(row).iter().zip(&self.rest).filter(|(weight, _)| **weight != 0);
            let sum = products.map(|(weight, rest)| i128::from(*weight) * i128::from(*rest));
            self.values[row] = sum.into_iter().try_fold(0_i128, i128::checked_add).ok_or(GaveUp)?;
        }
        Ok(())
    }

    /// The rows that are not as they should be, and what an increase of each margin is worth.
    fn weights(&self) -> Result<(Outside, Vec<i64>), GaveUp> {
        let mut outside = Vec::new();
        let mut weights = vec![0_i64; self.height()];
        for row in 0..self.height() {
            let (least, most) = self.scaled_bounds(self.basis[row]);
            let sign = i64::from(self.values[row] > most) - i64::from(self.values[row] < least);
            if sign != 0 {
                outside.push((row, sign));
                for (weight, factor) in weights.iter_mut().zip(&self.inverse[row * self.basis.len()..]) {
                    *weight = weight.checked_add(sign * factor).ok_or(GaveUp)?;
                }
            }
        }
        // So small that no sum over the axes of a cell overflows.
        let most = (1 << 62) / self.axes.max(1) as u64;
        let small = weights.iter().all(|weight| weight.unsigned_abs() < most);
        small.then_some((outside, weights)).ok_or(GaveUp)
    }

    /// The cell whose change takes most off the distances; of very many cells, the best of the next few thousand.
    fn entering(&mut self, weights: &[i64], in_order: bool) -> Option<usize> {
        const BLOCK: usize = 8_192;
        let cells = self.is_basic.len();
        let mut best: Option<(i64, usize)> = None;
        let start = if in_order { 0 } else { self.next };
        for seen in 0..cells {
            let cell = (start + seen) % cells;
            if !self.is_basic[cell] && self.least[cell] < self.most[cell] {
                let weight: i64 = self.rows_of(cell).iter().map(|row| weights[*row as usize]).sum();
                let gain = if self.is_high[cell] { -weight } else { weight };
                if gain > best.map_or(0, |(most, _)| most) {
                    best = Some((gain, cell));
                }
            }
            if best.is_some() && (in_order || (seen + 1) % BLOCK == 0) {
                self.next = if cells > BLOCK { cell + 1 } else { 0 };
                self.work += (seen * self.axes) as u64;
                return best.map(|(_, cell)| cell);
            }
        }
        self.work += (cells * self.axes) as u64;
        best.map(|(_, cell)| cell)
    }

    /// Goes on to tables whose basis has a smaller determinant, as long as there are some next door: the smaller it
    /// is, the fewer cells are fractions. The basic cells must be between their bounds.
    pub(crate) fn simplify(&mut self, limit: u64) -> Result<(), GaveUp> {
        let mut cell = 0;
        let mut tried = 0;
        while tried < self.is_basic.len() && !self.is_whole() {
            if self.is_over(limit) {
                return Err(GaveUp);
            }
            if !self.is_basic[cell] && self.room(cell) > 0 {
                let change = self.change(cell)?;
                let smaller = |stop: &Stop| stop.rate < i128::from(self.scale) && !self.fits(cell, stop);
                if let Some(stop) = self.stop(cell, &change, false)?.filter(smaller) {
                    self.exchange(cell, stop.row, &change)?;
                    self.revalue()?;
                    tried = 0;
                }
            }
            (cell, tried) = ((cell + 1) % self.is_basic.len(), tried + 1);
        }
        Ok(())
    }

    /// How fast the basic columns change with a cell, times the scale and with the opposite sign.
    fn change(&mut self, cell: usize) -> Result<Vec<i64>, GaveUp> {
        self.work += (self.height() * self.axes) as u64;
        let change = (0..self.height()).map(|row| {
            let row = self.row(row);
            let parts = self.rows_of(cell).iter().map(|at| row[*at as usize]);
            parts.into_iter().try_fold(0_i64, i64::checked_add).ok_or(GaveUp)
        });
        change.collect()
    }

    /// The first row whose basic column reaches a bound as a cell leaves its own.
    fn stop(&self, cell: usize, change: &[i64], in_order: bool) -> Result<Option<Stop>, GaveUp> {
        let rises = !self.is_high[cell];
        let mut nearest: Option<Stop> = None;
        for (row, change) in change.iter().enumerate().filter(|(_, change)| **change != 0) {
            let (least, most) = self.scaled_bounds(self.basis[row]);
            let value = self.values[row];
            let falls = (*change > 0) == rises;
            let bound = match falls {
                true if value > most => most,
                true if value >= least => least,
                false if value < least => least,
                false if value <= most && most < i128::MAX => most,
                _ => continue,
            };
            let here = Stop { row, gap: (value - bound).abs(), rate: i128::from(change.unsigned_abs()) };
            let Some(there) = &nearest else {
                nearest = Some(here);
                continue;
            };
            let way = here.gap.checked_mul(there.rate).ok_or(GaveUp)?;
            let other = there.gap.checked_mul(here.rate).ok_or(GaveUp)?;
            // Among equals the smallest pivot keeps the numbers small.
            let preferred = if in_order { self.basis[row] < self.basis[there.row] } else { here.rate < there.rate };
            if way < other || (way == other && preferred) {
                nearest = Some(here);
            }
        }
        Ok(nearest)
    }

    /// Whether a cell reaches its other bound before it must stop.
    fn fits(&self, cell: usize, stop: &Stop) -> bool {
        self.most[cell] != FREE && i128::from(self.room(cell)) * stop.rate <= stop.gap
    }

    /// Moves a cell as far as the basic columns let it; returns whether that is any way at all.
    fn step(&mut self, cell: usize, in_order: bool) -> Result<bool, GaveUp> {
        let change = self.change(cell)?;
        match self.stop(cell, &change, in_order)? {
            Some(stop) if !self.fits(cell, &stop) => {
                self.exchange(cell, stop.row, &change)?;
                Ok(stop.gap > 0)
            }
            // A distance cannot go down for ever.
            _ if self.most[cell] == FREE => Err(GaveUp),
            _ => {
                let room = self.room(cell);
                self.is_high[cell] = !self.is_high[cell];
                self.take(cell, if self.is_high[cell] { room } else { -room })?;
                Ok(true)
            }
        }
    }

    /// Puts a cell into the basis in place of a row's column, which goes to the bound that it has reached.
    fn exchange(&mut self, cell: usize, row: usize, change: &[i64]) -> Result<(), GaveUp> {
        self.take(cell, -self.bound(cell))?;
        let leaving = self.basis[row];
        if leaving < self.is_basic.len() {
            // It falls to its least from between the bounds, to its greatest from above; and the other way round.
            let (least, most) = self.scaled_bounds(leaving);
            let falls = (change[row] > 0) != self.is_high[cell];
            let value = self.values[row];
            self.is_high[leaving] = if falls { value > most } else { value >= least };
            self.is_basic[leaving] = false;
            self.take(leaving, self.bound(leaving))?;
        }
        self.is_high[cell] = false;
        self.is_basic[cell] = true;
        self.basis[row] = cell;
        self.pivot(row, change)
    }

    /// Brings the inverse up to date. Whatever is divided here can be: the results are minors of the basis.
    fn pivot(&mut self, row: usize, change: &[i64]) -> Result<(), GaveUp> {
        let (height, old, new) = (self.height(), self.scale, change[row]);
        let pivot = self.row(row).to_vec();
        for (other, factor) in change.iter().enumerate().filter(|(other, _)| *other != row) {
            if *factor == 0 && new == old {
                continue;
            }
            self.work += height as u64;
            for (entry, pivot) in self.inverse[other * height..(other + 1) * height].iter_mut().zip(&pivot) {
                if *entry == 0 && *pivot == 0 {
                    continue;
                }
                let product = i128::from(new) * i128::from(*entry) - i128::from(*factor) * i128::from(*pivot);
                *entry = match (i64::try_from(product), old) {
                    (Ok(product), 1) => product,
                    (Ok(product), old) => product / old,
                    (Err(_), old) => i64::try_from(product / i128::from(old)).map_err(|_| GaveUp)?,
                };
            }
        }
        self.scale = new;
        if new < 0 {
            self.scale = -new;
            self.inverse.iter_mut().for_each(|entry| *entry = -*entry);
        }
        Ok(())
    }
}
