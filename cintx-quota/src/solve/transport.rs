//! Minimum-cost flow between the rows and the columns of a table, with a convex cost for each cell.
//! Successive shortest paths from all sources at once; with no costs it is Dinic's maximum flow.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::budget::Budget;

/// What it costs to change a cell by one, and how far that price holds.
pub(crate) trait Costs {
    /// The price of one more, and how many are to be had at it; `None` at the greatest.
    fn up(&self, cell: usize, value: i64) -> Option<(i64, i64)>;
    /// The price of one less, and how many are to be had at it; `None` at the least.
    /// Never less than the negative of the last price paid: costs are convex.
    fn down(&self, cell: usize, value: i64) -> Option<(i64, i64)>;
}

/// A table under way to its margins. Each cell is optimal for the prices at its row and its column.
#[derive(Debug)]
pub(crate) struct Flow<'a> {
    columns: usize,
    pub(crate) values: Vec<i64>,
    /// What a row still has to place, or a column has too much; rows first.
    excess: Vec<i64>,
    price: Vec<i64>,
    budget: &'a Budget,
}

/// Rows and columns that cannot be balanced: where the flow from the rows with too much ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stuck {
    /// Rows that can still be reached.
    pub(crate) rows: Vec<bool>,
    /// Columns that can still be reached.
    pub(crate) columns: Vec<bool>,
}

/// How many arcs are looked at before they are paid for.
const AT_ONCE: usize = 4_096;

const UNREACHED: (i64, u32) = (i64::MAX, u32::MAX);

impl<'a> Flow<'a> {
    /// Starts from values and prices; `values` must be optimal for the prices.
    pub(crate) fn new(values: Vec<i64>, rows: &[i64], columns: &[i64], price: Vec<i64>, budget: &'a Budget) -> Self {
        let mut excess: Vec<i64> = rows.to_vec();
        excess.extend(columns.iter().map(|target| -target));
        for (row, cells) in values.chunks(columns.len().max(1)).enumerate() {
            for (column, value) in cells.iter().enumerate() {
                excess[row] -= value;
                excess[rows.len() + column] += value;
            }
        }
        Self { columns: columns.len(), values, excess, price, budget }
    }

    /// Meets every margin at the least cost, or says where that is impossible. Once the budget is over, what it says means
    /// nothing.
    pub(crate) fn balance(&mut self, costs: &impl Costs) -> Result<(), Stuck> {
        self.balance_in(costs, usize::MAX).map(drop)
    }

    /// The same in so many phases at most; says whether it is done.
    pub(crate) fn balance_in(&mut self, costs: &impl Costs, phases: usize) -> Result<bool, Stuck> {
        for _ in 0..phases {
            if self.excess.iter().all(|excess| *excess <= 0) {
                return Ok(true);
            }
            let near = self.distances(costs);
            let is_over = self.budget.stopped().is_some();
            if is_over || !self.excess.iter().zip(&near).any(|(excess, near)| *excess < 0 && *near != UNREACHED) {
                let mut reached = near.iter().map(|near| *near != UNREACHED);
                let rows = reached.by_ref().take(self.rows()).collect();
                return Err(Stuck { rows, columns: reached.collect() });
            }
            let farthest = near.iter().filter(|near| **near != UNREACHED).map(|near| near.0).max().unwrap_or(0);
            for (price, near) in self.price.iter_mut().zip(&near) {
                *price += near.0.min(farthest);
            }
            self.augment(costs, &near);
        }
        Ok(self.excess.iter().all(|excess| *excess <= 0))
    }

    /// How much the rows and columns with too much still have to place.
    pub(crate) fn unplaced(&self) -> i64 {
        self.excess.iter().filter(|excess| **excess > 0).sum()
    }

    /// The price at a node, rows first.
    pub(crate) fn price(&self, node: usize) -> i64 {
        self.price[node]
    }

    fn rows(&self) -> usize {
        self.excess.len() - self.columns
    }

    /// The price and the room of the way from one node to another; `None` if there is none.
    #[inline]
    fn arc(&self, costs: &impl Costs, from: usize, to: usize) -> Option<(i64, i64)> {
        let rows = self.rows();
        let (price, room) = if from < rows {
            let cell = from * self.columns + (to - rows);
            costs.up(cell, self.values[cell])?
        } else {
            let cell = to * self.columns + (from - rows);
            costs.down(cell, self.values[cell])?
        };
        Some((price + self.price[from] - self.price[to], room))
    }

    /// The nodes on the other side.
    #[inline]
    fn other_side(&self, node: usize) -> std::ops::Range<usize> {
        if node < self.rows() { self.rows()..self.excess.len() } else { 0..self.rows() }
    }

    /// How far each node is from the nearest one with too much: price, then steps.
    fn distances(&self, costs: &impl Costs) -> Vec<(i64, u32)> {
        let mut near = vec![UNREACHED; self.excess.len()];
        let mut heap = BinaryHeap::new();
        for (node, _) in self.excess.iter().enumerate().filter(|(_, excess)| **excess > 0) {
            near[node] = (0, 0);
            heap.push(Reverse((0_i64, 0_u32, node)));
        }
        while let Some(Reverse((distance, steps, node))) = heap.pop() {
            if near[node] != (distance, steps) {
                continue;
            }
            if self.budget.is_over_after(self.other_side(node).len() as u64) {
                break;
            }
            for to in self.other_side(node) {
                // Nothing is nearer than this node: one that is as near needs no look at the way.
                if near[to] <= (distance, steps + 1) {
                    continue;
                }
                let Some((price, _)) = self.arc(costs, node, to) else { continue };
                let found = (distance + price, steps + 1);
                if found < near[to] {
                    near[to] = found;
                    heap.push(Reverse((found.0, found.1, to)));
                }
            }
        }
        near
    }

    /// Sends what can be sent along ways that are free at the new prices and lead one step on each time.
    fn augment(&mut self, costs: &impl Costs, near: &[(i64, u32)]) {
        let mut next: Vec<usize> = (0..self.excess.len()).map(|node| self.other_side(node).start).collect();
        let sources: Vec<usize> = (0..self.excess.len()).filter(|node| self.excess[*node] > 0).collect();
        let mut unpaid = 0;
        for source in sources {
            let mut path = vec![source];
            while let Some(node) = path.last().copied() {
                if unpaid >= AT_ONCE {
                    if self.budget.is_over_after(unpaid as u64) {
                        return;
                    }
                    unpaid = 0;
                }
                if self.excess[node] < 0 {
                    self.send(costs, &path);
                    unpaid += path.len();
                    if self.excess[source] <= 0 {
                        break;
                    }
                    path.truncate(1);
                    continue;
                }
                let end = self.other_side(node).end;
                let onward = (next[node]..end).find(|to| {
                    near[*to].1 == near[node].1.saturating_add(1)
                        && self.arc(costs, node, *to).is_some_and(|(price, _)| price == 0)
                });
                unpaid += onward.unwrap_or(end).saturating_sub(next[node]) + 1;
                match onward {
                    Some(to) => {
                        next[node] = to;
                        path.push(to);
                    }
                    None => {
                        next[node] = end;
                        path.pop();
                        if let Some(before) = path.last() {
                            next[*before] += 1;
                        }
                    }
                }
            }
        }
        self.budget.is_over_after(unpaid as u64);
    }

    /// Sends along a path as much as its narrowest place lets through.
    fn send(&mut self, costs: &impl Costs, path: &[usize]) {
        let (Some(source), Some(sink)) = (path.first(), path.last()) else { return };
        let mut amount = self.excess[*source].min(-self.excess[*sink]);
        for step in path.windows(2) {
            amount = amount.min(self.arc(costs, step[0], step[1]).map_or(0, |(_, room)| room));
        }
        let rows = self.rows();
        for step in path.windows(2) {
            if step[0] < rows {
                self.values[step[0] * self.columns + step[1] - rows] += amount;
            } else {
                self.values[step[1] * self.columns + step[0] - rows] -= amount;
            }
        }
        self.excess[*source] -= amount;
        self.excess[*sink] += amount;
    }
}

/// Cells that cost nothing, between bounds: the question is only whether there is a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Free<'a> {
    pub(crate) least: &'a [i64],
    pub(crate) most: &'a [i64],
}

impl Costs for Free<'_> {
    #[inline]
    fn up(&self, cell: usize, value: i64) -> Option<(i64, i64)> {
        let room = self.most[cell] - value;
        (room > 0).then_some((0, room))
    }

    #[inline]
    fn down(&self, cell: usize, value: i64) -> Option<(i64, i64)> {
        let room = value - self.least[cell];
        (room > 0).then_some((0, room))
    }
}

/// Each completes away from the anchor costs one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Away<'a> {
    pub(crate) least: &'a [i64],
    pub(crate) most: &'a [i64],
    pub(crate) anchor: &'a [i64],
}

impl Costs for Away<'_> {
    #[inline]
    fn up(&self, cell: usize, value: i64) -> Option<(i64, i64)> {
        let (anchor, most) = (self.anchor[cell], self.most[cell]);
        match value {
            _ if value >= most => None,
            _ if value < anchor => Some((-1, anchor.min(most) - value)),
            _ => Some((1, most - value)),
        }
    }

    #[inline]
    fn down(&self, cell: usize, value: i64) -> Option<(i64, i64)> {
        let (anchor, least) = (self.anchor[cell], self.least[cell]);
        match value {
            _ if value <= least => None,
            _ if value > anchor => Some((-1, value - anchor.max(least))),
            _ => Some((1, value - least)),
        }
    }
}

/// Each completes away from the anchor costs what its cell says; nothing where that is 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weighted<'a> {
    pub(crate) least: &'a [i64],
    pub(crate) most: &'a [i64],
    pub(crate) anchor: &'a [i64],
    pub(crate) cost: &'a [i64],
}

impl Weighted<'_> {
    fn away(&self) -> Away<'_> {
        Away { least: self.least, most: self.most, anchor: self.anchor }
    }
}

impl Costs for Weighted<'_> {
    #[inline]
    fn up(&self, cell: usize, value: i64) -> Option<(i64, i64)> {
        match self.cost[cell] {
            0 => Free { least: self.least, most: self.most }.up(cell, value),
            cost => self.away().up(cell, value).map(|(price, room)| (price * cost, room)),
        }
    }

    #[inline]
    fn down(&self, cell: usize, value: i64) -> Option<(i64, i64)> {
        match self.cost[cell] {
            0 => Free { least: self.least, most: self.most }.down(cell, value),
            cost => self.away().down(cell, value).map(|(price, room)| (price * cost, room)),
        }
    }
}

/// The square of the distance from a fraction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Squares<'a> {
    pub(crate) least: &'a [i64],
    pub(crate) most: &'a [i64],
    /// The whole part of the fraction.
    pub(crate) whole: &'a [i64],
    /// The rest, in parts of [`Squares::UNIT_PARTS`].
    pub(crate) rest: &'a [i64],
}

impl Squares<'_> {
    /// The number of parts: fine enough to tell remainders, too coarse to see the rounding of the fit.
    pub(crate) const UNIT_PARTS: i64 = 1 << 28;

    /// (v + 1 − f)² − (v − f)² = 2 (v − f) + 1
    #[inline]
    pub(crate) fn step(&self, cell: usize, value: i64) -> i64 {
        (2 * (value - self.whole[cell]) + 1) * Self::UNIT_PARTS - 2 * self.rest[cell]
    }
}

impl Costs for Squares<'_> {
    #[inline]
    fn up(&self, cell: usize, value: i64) -> Option<(i64, i64)> {
        (value < self.most[cell]).then(|| (self.step(cell, value), 1))
    }

    #[inline]
    fn down(&self, cell: usize, value: i64) -> Option<(i64, i64)> {
        (value > self.least[cell]).then(|| (-self.step(cell, value - 1), 1))
    }
}
