//! Two axes, exactly: is there a table, which cells are forced, the fit, and its nearest whole table.
//! Every step works on plain arrays, row by row.

use super::free;
use super::transport::{Away, Costs, Flow, Free, Squares, Stuck};
use crate::budget::Budget;
use crate::fit::{Bounds, Fit, Fitting, Slices, places};

/// A table between two margins.
#[derive(Debug)]
pub(crate) struct TwoWay<'a> {
    pub(crate) rows: Vec<i64>,
    pub(crate) columns: Vec<i64>,
    /// Positive where a cell may be filled; `None` for independence.
    pub(crate) seed: Option<Vec<f64>>,
    /// The bounds, if there are any.
    pub(crate) bounds: Option<(Vec<i64>, Vec<i64>)>,
    pub(crate) sweeps: usize,
    pub(crate) budget: &'a Budget,
}

/// A whole table and the fit that it was rounded from.
#[derive(Debug)]
pub(crate) struct Rounded {
    pub(crate) cells: Vec<i64>,
    pub(crate) fit: Fit,
}

impl TwoWay<'_> {
    pub(crate) fn solve(self) -> Result<Rounded, Stuck> {
        let Self { rows, columns, seed, bounds, sweeps, budget } = self;
        let smaller = |cell: usize| rows[cell / columns.len()].min(columns[cell % columns.len()]);
        let cells = rows.len() * columns.len();
        budget.is_over_after(cells as u64);
        let (least, most) = match bounds {
            Some((mut least, mut most)) => {
                let values = feasible(&rows, &columns, &least, &most, budget)?;
                budget.is_over_after(cells as u64);
                go_on(&rows, &columns, budget)?;
                let fixed = free::fixed(&values, &least, &most, rows.len(), columns.len());
                for (cell, fixed) in fixed.into_iter().enumerate() {
                    most[cell] = most[cell].min(smaller(cell));
                    if fixed {
                        (least[cell], most[cell]) = (values[cell], values[cell]);
                    }
                }
                (least, most)
            }
            None => (vec![0; cells], (0..cells).map(smaller).collect()),
        };
        let bounds = Limits { least: &least, most: &most, budget };
        go_on(&rows, &columns, budget)?;
        let fit = fit(&rows, &columns, seed, &bounds, sweeps);
        let cells = round(&rows, &columns, &fit.cells, &bounds)?;
        Ok(Rounded { cells, fit })
    }
}

/// Nothing more is begun once the budget is over: what it says then means nothing.
pub(crate) fn go_on(rows: &[i64], columns: &[i64], budget: &Budget) -> Result<(), Stuck> {
    match budget.stopped() {
        None => Ok(()),
        Some(_) => Err(Stuck { rows: vec![false; rows.len()], columns: vec![false; columns.len()] }),
    }
}

/// What each cell may hold, and what may be spent.
struct Limits<'a> {
    least: &'a [i64],
    most: &'a [i64],
    budget: &'a Budget,
}

/// Some table between the bounds that meets the margins.
pub(crate) fn feasible(
    rows: &[i64],
    columns: &[i64],
    least: &[i64],
    most: &[i64],
    budget: &Budget,
) -> Result<Vec<i64>, Stuck> {
    // From the north-west corner: most of the table is full before the flow begins.
    let mut values = least.to_vec();
    let mut row_needs = rows.to_vec();
    let mut column_needs = columns.to_vec();
    let width = columns.len();
    for part in budget.parts(values.len()) {
        for cell in part {
            row_needs[cell / width] -= values[cell];
            column_needs[cell % width] -= values[cell];
        }
    }
    for part in budget.parts(values.len()) {
        for cell in part {
            let (row, column) = (&mut row_needs[cell / width], &mut column_needs[cell % width]);
            let more = (*row).min(*column).min(most[cell] - values[cell]).max(0);
            values[cell] += more;
            *row -= more;
            *column -= more;
        }
    }
    go_on(rows, columns, budget)?;
    let mut flow = Flow::new(values, rows, columns, vec![0; rows.len() + width], budget);
    flow.balance(&Free { least, most })?;
    Ok(flow.values)
}

/// The table nearest to the anchor, counted in completes, that meets the margins.
fn nearest(rows: &[i64], columns: &[i64], anchor: &[i64], bounds: &Limits<'_>) -> Result<Vec<i64>, Stuck> {
    let Limits { least, most, budget } = *bounds;
    let values = anchor.iter().zip(least.iter().zip(most)).map(|(anchor, (least, most))| *anchor.max(least).min(most));
    let mut flow = Flow::new(values.collect(), rows, columns, vec![0; rows.len() + columns.len()], budget);
    flow.balance(&Away { least, most, anchor })?;
    Ok(flow.values)
}

fn fit(rows: &[i64], columns: &[i64], seed: Option<Vec<f64>>, limits: &Limits<'_>, sweeps: usize) -> Fit {
    let Limits { least, most, budget } = *limits;
    let width = columns.len();
    let total: i64 = rows.iter().sum();
    let smaller = |cell: usize| rows[cell / width].min(columns[cell % width]);
    let mut base = seed.unwrap_or_else(|| {
        let part = |cell: usize| rows[cell / width] as f64 * columns[cell % width] as f64 / total.max(1) as f64;
        budget.list(least.len(), part)
    });
    budget.is_over_after(least.len() as u64);
    let mut has_bounds = false;
    for (cell, base) in base.iter_mut().enumerate() {
        if most[cell] == 0 {
            *base = 0.0;
        }
        has_bounds |= most[cell] > 0 && (least[cell] > 0 || most[cell] < smaller(cell));
    }
    let bounds = has_bounds.then(|| Bounds {
        least: least.iter().map(|least| *least as f64).collect(),
        most: budget.list(most.len(), |cell| {
            let limits = most[cell] < smaller(cell) || least[cell] == most[cell];
            if limits { most[cell] as f64 } else { f64::INFINITY }
        }),
    });
    let targets = |counts: &[i64]| counts.iter().map(|count| *count as f64).collect();
    let of_axes = places(&[rows.len(), width]).into_iter().zip([rows, columns]);
    let slices = of_axes.map(|(of, counts)| Slices { of, targets: targets(counts) }).collect();
    Fitting { base, slices, bounds, sweeps, budget }.run()
}

/// After how many phases a flow is slow enough to scale its costs, and after how many if so much is still to be placed.
const MANY_PHASES: usize = 150;
const FEW_PHASES: usize = 20;
const LONG_PHASE: i64 = 1_000;

/// Meets the margins if that does not take too long; says whether it is done.
fn settle(flow: &mut Flow<'_>, costs: &Squares<'_>) -> Result<bool, Stuck> {
    if flow.balance_in(costs, FEW_PHASES)? {
        return Ok(true);
    }
    if flow.unplaced() > LONG_PHASE {
        return Ok(false);
    }
    flow.balance_in(costs, MANY_PHASES - FEW_PHASES)
}

/// Controlled rounding: the whole table between the bounds that is nearest to the fit in squares, each cell
/// its floor or its ceiling. If the fit has not converged there may be no such table; then further off.
fn round(rows: &[i64], columns: &[i64], fit: &[f64], limits: &Limits<'_>) -> Result<Vec<i64>, Stuck> {
    let Limits { least, most, budget } = *limits;
    go_on(rows, columns, budget)?;
    let bounded = |cell: usize| snap(fit[cell].max(least[cell] as f64).min(most[cell] as f64));
    let (mut whole, mut rest) = (vec![0; fit.len()], vec![0; fit.len()]);
    for part in budget.parts(fit.len()) {
        for cell in part {
            let value = bounded(cell);
            // Below `Table::MAX_COUNT` both conversions are exact.
            whole[cell] = value.floor() as i64;
            rest[cell] = ((value - value.floor()) * Squares::UNIT_PARTS as f64).round() as i64;
        }
    }
    let mut price = None;
    for slack in [0, 1, 8] {
        go_on(rows, columns, budget)?;
        let low: Vec<i64> = budget.list(fit.len(), |cell| (whole[cell] - slack).max(least[cell]));
        let high: Vec<i64> = budget
            .list(fit.len(), |cell| (whole[cell] + i64::from(rest[cell] > 0) + slack).min(most[cell]).max(low[cell]));
        go_on(rows, columns, budget)?;
        let costs = Squares { least: &low, most: &high, whole: &whole, rest: &rest };
        let prices = price.take().unwrap_or_else(|| first_prices(rows, columns, &costs, budget));
        let mut flow = start(rows, columns, prices, &Coarse { costs: &costs, by: 0 }, budget);
        go_on(rows, columns, budget)?;
        match settle(&mut flow, &costs) {
            Ok(true) => return Ok(flow.values),
            Ok(false) => {
                let prices = (0..rows.len() + columns.len()).map(|node| flow.price(node)).collect();
                let Ok(prices) = refined(rows, columns, prices, &costs, budget) else { continue };
                let mut flow = start(rows, columns, prices, &Coarse { costs: &costs, by: 0 }, budget);
                if flow.balance(&costs).is_ok() {
                    return Ok(flow.values);
                }
            }
            Err(Stuck { .. }) => {}
        }
    }
    go_on(rows, columns, budget)?;
    let anchor: Vec<i64> =
        whole.iter().zip(&rest).map(|(whole, rest)| whole + i64::from(*rest * 2 > Squares::UNIT_PARTS)).collect();
    nearest(rows, columns, &anchor, limits)
}

/// A fit is a few digits off where it should be whole.
fn snap(value: f64) -> f64 {
    let whole = value.round();
    if (value - whole).abs() <= 1e-9 + value * 1e-13 { whole } else { value }
}

/// Cells where they cost least at these prices, on their way to the margins.
fn start<'a>(rows: &[i64], columns: &[i64], prices: Vec<i64>, costs: &Coarse<'_>, budget: &'a Budget) -> Flow<'a> {
    let values = budget.list(rows.len() * columns.len(), |cell| {
        costs.cheapest(cell, prices[cell / columns.len()] - prices[rows.len() + cell % columns.len()])
    });
    Flow::new(values, rows, columns, prices, budget)
}

/// Prices by scaling, from some that are near: exact ones for coarse costs, and from each grain to the next finer one.
/// Where very many cells cost nearly the same, a flow at full precision meets the margins a few completes at a time; a
/// coarse one, many at once.
fn refined(
    rows: &[i64],
    columns: &[i64],
    near: Vec<i64>,
    costs: &Squares<'_>,
    budget: &Budget,
) -> Result<Vec<i64>, Stuck> {
    const GRAINS: u32 = 5;
    const STEP: u32 = 3;
    let mut prices: Vec<i64> = near.into_iter().map(|price| price >> (GRAINS * STEP)).collect();
    for grain in (1..=GRAINS).rev() {
        go_on(rows, columns, budget)?;
        let coarse = Coarse { costs, by: grain * STEP };
        let mut flow = start(rows, columns, prices, &coarse, budget);
        flow.balance(&coarse)?;
        prices = (0..rows.len() + columns.len()).map(|node| flow.price(node) << STEP).collect();
    }
    Ok(prices)
}

/// The same costs in steps of a power of two.
struct Coarse<'a> {
    costs: &'a Squares<'a>,
    by: u32,
}

impl Coarse<'_> {
    fn step(&self, cell: usize, value: i64) -> i64 {
        self.costs.step(cell, value) >> self.by
    }

    /// The value at which a cell is optimal for the price at its row less that at its column.
    fn cheapest(&self, cell: usize, price: i64) -> i64 {
        let (low, high) = (self.costs.least[cell], self.costs.most[cell]);
        // Rising by one from v costs at least `step(low) + 2 (v − low) ONE + price`: up while that is negative.
        let (gain, rise) = (-(self.step(cell, low) + price), (2 * Squares::UNIT_PARTS) >> self.by);
        if gain <= 0 { low } else { low + ((gain - 1) / rise + 1).min(high - low) }
    }
}

impl Costs for Coarse<'_> {
    #[inline]
    fn up(&self, cell: usize, value: i64) -> Option<(i64, i64)> {
        (value < self.costs.most[cell]).then(|| (self.step(cell, value), 1))
    }

    #[inline]
    fn down(&self, cell: usize, value: i64) -> Option<(i64, i64)> {
        (value > self.costs.least[cell]).then(|| (-self.step(cell, value - 1), 1))
    }
}

/// Prices at which nearly every row and column has what it needs: in turn for rows and columns, the price is put
/// between the last cell that must rise and the first that need not. Where as many rise as must, it stays.
fn first_prices(rows: &[i64], columns: &[i64], costs: &Squares<'_>, budget: &Budget) -> Vec<i64> {
    const MAX_ROUNDS: usize = 200;
    const MAX_STALLED_ROUNDS: usize = 5;
    let (height, width) = (rows.len(), columns.len());
    let mut prices = vec![0; height + width];
    let mut needs: Vec<i64> = rows.iter().chain(columns).copied().collect();
    let mut open = false;
    for (cell, (low, high)) in costs.least.iter().zip(costs.most).enumerate() {
        needs[cell / width] -= low;
        needs[height + cell % width] -= low;
        open |= low < high;
    }
    if !open {
        return prices;
    }
    let by_row: Vec<i64> = budget.list(height * width, |cell| first_step(costs, cell));
    let by_column = turned(&by_row, height, width);
    budget.is_over_after((height * width) as u64);
    let mut steps = Vec::with_capacity(height.max(width));
    let (mut fewest, mut since) = (usize::MAX, 0);
    for _ in 0..MAX_ROUNDS {
        let mut unmet = 0;
        if budget.is_over_after((height * width) as u64) {
            break;
        }
        let (of_rows, of_columns) = prices.split_at_mut(height);
        for (row, price) in of_rows.iter_mut().enumerate() {
            let firsts = &by_row[row * width..(row + 1) * width];
            let rise = firsts.iter().zip(&*of_columns).filter(|(first, other)| **first - **other < -*price).count();
            if i64::try_from(rise) != Ok(needs[row]) {
                unmet += 1;
                steps.clear();
                let open = firsts.iter().zip(&*of_columns).filter(|(first, _)| **first != FIXED);
                steps.extend(open.map(|(first, other)| first - other));
                *price = between(&mut steps, needs[row]).map_or(*price, |between| -between);
            }
        }
        if budget.is_over_after((height * width) as u64) {
            break;
        }
        for (column, price) in of_columns.iter_mut().enumerate() {
            let firsts = &by_column[column * height..(column + 1) * height];
            let rise = firsts.iter().zip(&*of_rows).filter(|(first, other)| **first + **other < *price).count();
            if i64::try_from(rise) != Ok(needs[height + column]) {
                steps.clear();
                let open = firsts.iter().zip(&*of_rows).filter(|(first, _)| **first != FIXED);
                steps.extend(open.map(|(first, other)| first + other));
                *price = between(&mut steps, needs[height + column]).unwrap_or(*price);
            }
        }
        // What is left, the flow settles sooner.
        since = if unmet < fewest { 0 } else { since + 1 };
        fewest = fewest.min(unmet);
        if unmet <= height / 5_000 || since >= MAX_STALLED_ROUNDS {
            break;
        }
    }
    prices
}

/// Stands for a cell that is fixed: it rises at no price.
const FIXED: i64 = i64::MAX / 2;

/// What the first step of a cell costs.
fn first_step(costs: &Squares<'_>, cell: usize) -> i64 {
    if costs.least[cell] < costs.most[cell] { costs.step(cell, costs.least[cell]) } else { FIXED }
}

/// The same column by column: whoever goes down a column row by row waits for the memory each time.
fn turned(by_row: &[i64], height: usize, width: usize) -> Vec<i64> {
    const ROWS: usize = 16;
    let mut by_column = vec![FIXED; height * width];
    for start in (0..height).step_by(ROWS) {
        for column in 0..width {
            for row in start..(start + ROWS).min(height) {
                by_column[column * height + row] = by_row[row * width + column];
            }
        }
    }
    by_column
}

/// A number above the `count` least of these and not above the others; `None` if there are none.
fn between(numbers: &mut [i64], count: i64) -> Option<i64> {
    if numbers.is_empty() {
        return None;
    }
    let count = usize::try_from(count).unwrap_or(0);
    if count >= numbers.len() {
        return numbers.iter().max().map(|most| most + 1);
    }
    let (below, at, _) = numbers.select_nth_unstable(count);
    let at = *at;
    Some(below.iter().max().map_or(at, |below| below + (at - below + 1) / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scaled costs lead to a table that is as near as the one that prices alone lead to, whatever the slack.
    #[test]
    fn scaled_costs_lead_to_the_same_distance() {
        let mut state = 5_u64;
        let mut below = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i64::try_from((state >> 33) % limit).unwrap()
        };
        for case in 0..60 {
            let (height, width) = (3 + case % 9, 4 + case % 7);
            let hidden: Vec<i64> = (0..height * width).map(|_| 6 + below(4)).collect();
            let rows: Vec<i64> = hidden.chunks(width).map(|row| row.iter().sum()).collect();
            let columns: Vec<i64> = (0..width).map(|column| hidden.iter().skip(column).step_by(width).sum()).collect();
            let total: i64 = rows.iter().sum();
            let part = |cell: usize| rows[cell / width] as f64 * columns[cell % width] as f64 / total as f64;
            let whole: Vec<i64> = (0..height * width).map(|cell| part(cell).floor() as i64).collect();
            let rest: Vec<i64> =
                (0..whole.len()).map(|cell| (part(cell).fract() * Squares::UNIT_PARTS as f64).round() as i64).collect();
            let slack = [0, 1, 8][case % 3];
            let least: Vec<i64> = whole.iter().map(|whole| (whole - slack).max(0)).collect();
            let most: Vec<i64> = whole.iter().map(|whole| whole + 1 + slack).collect();
            let costs = Squares { least: &least, most: &most, whole: &whole, rest: &rest };
            let budget = Budget::default();
            let distance = |prices: Vec<i64>| -> i64 {
                let mut flow = start(&rows, &columns, prices, &Coarse { costs: &costs, by: 0 }, &budget);
                flow.balance(&costs).unwrap();
                // From its least on, a cell pays for each step.
                let steps = |cell: usize| (least[cell]..flow.values[cell]).map(move |value| costs.step(cell, value));
                (0..least.len()).flat_map(steps).sum()
            };
            let first = first_prices(&rows, &columns, &costs, &budget);
            let scaled = |near: Vec<i64>| distance(refined(&rows, &columns, near, &costs, &budget).unwrap());
            let plain = distance(vec![0; height + width]);
            assert_eq!(scaled(vec![0; height + width]), plain, "case {case}");
            assert_eq!(scaled(first.clone()), plain, "case {case}");
            assert_eq!(distance(first), plain, "case {case}");
        }
    }
}
