//! Among the changes that move least: those that shut the fewest cells, and of them the least distorted one.
//! Each objective narrows the bounds of the cells to the tables that are best for it, by the prices of its flow.

use crate::budget::Budget;

use super::transport::{Away, Costs, Flow, Stuck};

/// What a changed table shall look like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aim {
    /// The proportional table that fits the margins.
    pub(crate) parts: Vec<f64>,
    /// What of each cell takes no part in the proportions.
    pub(crate) start: Vec<f64>,
    /// For each cell that still takes part in field, what is completed; empty where cells are sums of others.
    pub(crate) open: Vec<Option<i64>>,
}

impl Aim {
    /// How far a table is from the aim: squares, each relative to its part (to 1 where the part is less).
    /// `None` without an aim.
    pub(crate) fn distortion(&self, cells: &[i64]) -> Option<f64> {
        let squares = cells.iter().zip(&self.parts).zip(self.weights());
        let squares = squares.map(|((cell, part), weight)| (*cell as f64 - part).powi(2) / weight);
        (!self.parts.is_empty()).then(|| squares.sum())
    }

    /// How many open cells hold no more than what is completed.
    pub(crate) fn shut(&self, cells: &[i64]) -> usize {
        self.open.iter().zip(cells).filter(|(open, cell)| **open == Some(**cell)).count()
    }

    /// What squares are relative to.
    pub(crate) fn weights(&self) -> impl Iterator<Item = f64> {
        self.parts.iter().zip(&self.start).map(|(part, start)| (part - start).max(1.0))
    }
}

/// The table that moves least from the anchor, of those the one that shuts the fewest cells, and of those the
/// least distorted one.
pub(crate) fn spread(question: &Question<'_>, anchor: &[i64], aim: &Aim) -> Result<Vec<i64>, Stuck> {
    let face = Face::of_smallest(question, anchor)?;
    let cells = face.least_distorted(aim)?;
    if aim.parts.is_empty() || aim.shut(&cells) == 0 {
        return Ok(cells);
    }
    face.fewest_shut(aim)?.least_distorted(aim)
}

/// Margins and bounds, and what may be spent.
pub(crate) struct Question<'a> {
    pub(crate) rows: &'a [i64],
    pub(crate) columns: &'a [i64],
    pub(crate) least: &'a [i64],
    pub(crate) most: &'a [i64],
    pub(crate) budget: &'a Budget,
}

/// All tables between margins and bounds are equally good so far.
struct Face<'a> {
    rows: &'a [i64],
    columns: &'a [i64],
    low: Vec<i64>,
    high: Vec<i64>,
    /// One of these tables.
    cells: Vec<i64>,
    budget: &'a Budget,
}

impl<'a> Face<'a> {
    fn of_smallest(question: &Question<'a>, anchor: &[i64]) -> Result<Self, Stuck> {
        let Question { rows, columns, least, most, budget } = *question;
        let start = budget.list(anchor.len(), |cell| anchor[cell].max(least[cell]).min(most[cell]));
        let mut flow = Flow::new(start.clone(), rows, columns, vec![0; rows.len() + columns.len()], budget);
        flow.balance(&Away { least, most, anchor })?;
        // Every smallest change is optimal for any optimal prices: at a price of one for each completes, a cell may
        // be anywhere on one side of its anchor; at others it is at its anchor or at a bound.
        let (mut low, mut high) = (vec![0; start.len()], vec![0; start.len()]);
        for cell in budget.parts(start.len()).flatten() {
            let start = start[cell];
            let most =
                most[cell].min(rows[cell / columns.len()] + columns[cell % columns.len()]).max(flow.values[cell]);
            let (from, to) = match price(&flow, rows, columns, cell) {
                ..-1 => (most, most),
                -1 => (start, most),
                0 => (start, start),
                1 => (least[cell], start),
                2.. => (least[cell], least[cell]),
            };
            low[cell] = from.min(flow.values[cell]);
            high[cell] = to.max(flow.values[cell]);
        }
        Ok(Self { rows, columns, low, high, cells: flow.values, budget })
    }

    /// Only the tables that shut the fewest cells.
    fn fewest_shut(mut self, aim: &Aim) -> Result<Self, Stuck> {
        let costs = Opening { low: &self.low, high: &self.high, open: &aim.open };
        let values = self.low.iter().enumerate().map(|(cell, low)| match aim.open.get(cell) {
            Some(Some(completes)) if low == completes && *low < self.high[cell] => low + 1,
            _ => *low,
        });
        let prices = vec![0; self.rows.len() + self.columns.len()];
        let mut flow = Flow::new(values.collect(), self.rows, self.columns, prices, self.budget);
        flow.balance(&costs)?;
        let mut narrowed = (self.low.clone(), self.high.clone());
        for cell in self.budget.parts(self.cells.len()).flatten() {
            let (low, high, price) = (self.low[cell], self.high[cell], price(&flow, self.rows, self.columns, cell));
            let opens = matches!(aim.open.get(cell), Some(Some(completes)) if *completes == low) && low < high;
            let (from, to) = match price {
                ..0 => (high, high),
                0 if opens => (low + 1, high),
                0 => (low, high),
                1 if opens => (low, low + 1),
                1.. => (low, low),
            };
            narrowed.0[cell] = from.min(flow.values[cell]);
            narrowed.1[cell] = to.max(flow.values[cell]);
        }
        (self.low, self.high) = narrowed;
        self.cells = flow.values;
        Ok(self)
    }

    fn least_distorted(&self, aim: &Aim) -> Result<Vec<i64>, Stuck> {
        if aim.parts.len() != self.cells.len() || self.low == self.high {
            return Ok(self.cells.clone());
        }
        let weights: Vec<f64> = aim.weights().collect();
        self.budget.is_over_after(weights.len() as u64);
        let reach = (0..self.cells.len()).map(|cell| {
            let part = aim.parts[cell];
            (self.low[cell] as f64 - part).abs().max((self.high[cell] as f64 - part).abs())
        });
        // Prices add up along a path of all rows and columns: they must fit into 62 bits.
        let nodes = self.rows.len() + self.columns.len();
        let most = (2.0 * reach.fold(1.0, f64::max) + 1.0) * 2.0 * (nodes + 1) as f64;
        let one = (2_f64.powi(61) / most).clamp(1.0, 2_f64.powi(28)).log2().floor().exp2();
        let costs = Relative { low: &self.low, high: &self.high, parts: &aim.parts, weights: &weights, one };
        let prices: Vec<i64> =
            self.prices(aim, &weights).into_iter().map(|price| (price * one).round() as i64).collect();
        let width = self.columns.len();
        let cheapest =
            |cell: usize| costs.cheapest(cell, prices[cell / width] - prices[self.rows.len() + cell % width]);
        let values = self.budget.list(self.cells.len(), cheapest);
        let mut flow = Flow::new(values, self.rows, self.columns, prices, self.budget);
        flow.balance(&costs)?;
        Ok(flow.values)
    }

    /// Prices at which fractions nearly meet the margins: the flow has only the roundings left to settle.
    fn prices(&self, aim: &Aim, weights: &[f64]) -> Vec<f64> {
        const MAX_ROUNDS: usize = 60;
        let (height, width) = (self.rows.len(), self.columns.len());
        let mut prices = vec![0.0; height + width];
        let mut bends = Vec::new();
        for _ in 0..MAX_ROUNDS {
            let mut worst: f64 = 0.0;
            for node in 0..height + width {
                if self.budget.is_over_after(2 * if node < height { width } else { height } as u64) {
                    return prices;
                }
                let (target, sign) =
                    if node < height { (self.rows[node], -1.0) } else { (self.columns[node - height], 1.0) };
                bends.clear();
                let (mut sum, mut now) = (0.0, 0.0);
                let range =
                    if node < height { node * width..(node + 1) * width } else { node - height..height * width };
                for cell in range.step_by(if node < height { 1 } else { width }) {
                    let (low, high, rate) = (self.low[cell] as f64, self.high[cell] as f64, weights[cell] / 2.0);
                    let free = aim.parts[cell] - (prices[cell / width] - prices[height + cell % width]) * rate;
                    sum += low;
                    now += free.max(low).min(high);
                    if low < high {
                        bends.push(((low - free) / rate, rate));
                        bends.push(((high - free) / rate, -rate));
                    }
                }
                let missing = (target as f64 - now).abs();
                if missing > 1e-6 {
                    worst = worst.max(missing);
                    prices[node] += sign * reach(&mut bends, target as f64 - sum);
                }
            }
            if worst < 0.25 {
                break;
            }
        }
        prices
    }
}

/// Where a line that rises from 0, with a bend at each of these places by so much, reaches a height.
pub(crate) fn reach(bends: &mut [(f64, f64)], height: f64) -> f64 {
    bends.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let (mut value, mut slope, mut at) = (0.0, 0.0, bends.first().map_or(0.0, |bend| bend.0));
    for (bend, change) in bends.iter() {
        let next = value + slope * (bend - at);
        if slope > 0.0 && next >= height {
            return at + (height - value) / slope;
        }
        (value, at) = (next, *bend);
        slope += change;
    }
    at
}

/// The price at a cell's row less that at its column.
fn price(flow: &Flow<'_>, rows: &[i64], columns: &[i64], cell: usize) -> i64 {
    flow.price(cell / columns.len()) - flow.price(rows.len() + cell % columns.len())
}

/// The first completes of a cell that would be shut is worth one; the others nothing.
struct Opening<'a> {
    low: &'a [i64],
    high: &'a [i64],
    open: &'a [Option<i64>],
}

impl Opening<'_> {
    fn opens(&self, cell: usize, value: i64) -> bool {
        self.open.get(cell).is_some_and(|open| *open == Some(value))
    }
}

impl Costs for Opening<'_> {
    fn up(&self, cell: usize, value: i64) -> Option<(i64, i64)> {
        match self.high[cell] - value {
            ..=0 => None,
            _ if self.opens(cell, value) => Some((-1, 1)),
            room => Some((0, room)),
        }
    }

    fn down(&self, cell: usize, value: i64) -> Option<(i64, i64)> {
        match value - self.low[cell] {
            ..=0 => None,
            1 if self.opens(cell, value - 1) => Some((1, 1)),
            room => Some((0, room - i64::from(self.opens(cell, self.low[cell])))),
        }
    }
}

/// The square of the distance from a part, relative to a weight.
struct Relative<'a> {
    low: &'a [i64],
    high: &'a [i64],
    parts: &'a [f64],
    weights: &'a [f64],
    /// How fine prices are.
    one: f64,
}

impl Relative<'_> {
    fn step(&self, cell: usize, value: i64) -> i64 {
        ((2.0 * (value as f64 - self.parts[cell]) + 1.0) / self.weights[cell] * self.one).round() as i64
    }

    fn cheapest(&self, cell: usize, price: i64) -> i64 {
        let near = self.parts[cell] - price as f64 * self.weights[cell] / (2.0 * self.one);
        let mut value = (near.floor() as i64).clamp(self.low[cell], self.high[cell]);
        while value < self.high[cell] && self.step(cell, value) + price < 0 {
            value += 1;
        }
        while value > self.low[cell] && self.step(cell, value - 1) + price > 0 {
            value -= 1;
        }
        value
    }
}

impl Costs for Relative<'_> {
    fn up(&self, cell: usize, value: i64) -> Option<(i64, i64)> {
        (value < self.high[cell]).then(|| (self.step(cell, value), 1))
    }

    fn down(&self, cell: usize, value: i64) -> Option<(i64, i64)> {
        (value > self.low[cell]).then(|| (-self.step(cell, value - 1), 1))
    }
}
