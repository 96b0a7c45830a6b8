//! A table that is asked for: its axes in whole numbers, its seed, and what each cell may hold.
//! It has been checked: margins agree, numbers are finite, bounds do not cross.

use crate::apportion::Apportionment;
use crate::axis::Targets;
use crate::budget::Budget;
use crate::builder::TableBuilder;
use crate::error::SolveError;
use crate::joint::Joint;
use crate::shape::{Cell, Shape};
use crate::slack::Give;

/// An axis in whole numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Labelled {
    pub(crate) name: String,
    pub(crate) labels: Vec<String>,
    pub(crate) targets: Apportionment,
    /// The targets as they were given.
    pub(crate) asked: Targets,
    pub(crate) give: Option<Give>,
}

/// A margin over some axes: whole targets for their combinations, last of them fastest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) axes: Vec<usize>,
    pub(crate) counts: Vec<u64>,
    pub(crate) give: Option<Give>,
}

/// A smallest cell, and the leasts without it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Raised {
    pub(crate) smallest: u64,
    pub(crate) least: Vec<u64>,
}

/// A table that is asked for. Made by [`Table::builder`], solved by [`Table::solve`].
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub(crate) total: u64,
    pub(crate) axes: Vec<Labelled>,
    pub(crate) shape: Shape,
    /// One weight for each cell; `None` is 1 everywhere.
    pub(crate) seed: Option<Vec<f64>>,
    /// The least of each cell; empty is 0 everywhere.
    pub(crate) least: Vec<u64>,
    /// The greatest of each cell, `u64::MAX` for none; empty is none anywhere. An excluded cell has 0.
    pub(crate) most: Vec<u64>,
    /// What a smallest cell has made of the leasts.
    pub(crate) raised: Option<Raised>,
    pub(crate) sweeps: Option<usize>,
    /// All margins that are to be kept, if some are over several axes; empty if each axis is one.
    pub(crate) kept: Vec<Kept>,
    /// The joint margins as they were given.
    pub(crate) joints: Vec<Joint>,
    /// What answers may cost.
    pub(crate) budget: Budget,
}

impl Table {
    /// The greatest count: up to here a 64-bit float holds every whole number.
    pub const MAX_COUNT: u64 = 1 << 53;

    /// Starts a table.
    pub fn builder() -> TableBuilder {
        TableBuilder::default()
    }

    /// What is asked of this table is answered within a budget, or with [`SolveError::Stopped`].
    #[must_use]
    pub fn within(self, budget: &Budget) -> Self {
        Self { budget: budget.clone(), ..self }
    }

    /// What all cells add up to.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The lengths of the axes, and the order of the cells.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// How many axes there are.
    pub fn axes(&self) -> usize {
        self.axes.len()
    }

    /// An axis' name; `None` if there is no such axis.
    pub fn name(&self, axis: usize) -> Option<&str> {
        self.axes.get(axis).map(|axis| axis.name.as_str())
    }

    /// The labels of an axis; empty if there is no such axis.
    pub fn labels(&self, axis: usize) -> &[String] {
        self.axes.get(axis).map_or(&[], |axis| &axis.labels)
    }

    /// The whole targets of an axis, and which of them were rounded; `None` if there is no such axis.
    pub fn targets(&self, axis: usize) -> Option<&Apportionment> {
        self.axes.get(axis).map(|axis| &axis.targets)
    }

    /// The margins, each by its axes: every axis is one, but for those that joint margins cover. The weights of a
    /// [`Cut`](crate::Cut) are for the combinations of these, last axis fastest.
    pub fn margins(&self) -> Vec<Vec<usize>> {
        match self.kept.is_empty() {
            true => (0..self.axes()).map(|axis| vec![axis]).collect(),
            false => self.kept.iter().map(|margin| margin.axes.clone()).collect(),
        }
    }

    /// The whole targets of a margin, by its place in [`margins`](Self::margins); empty if there is none.
    pub fn margin_targets(&self, margin: usize) -> &[u64] {
        match self.kept.is_empty() {
            true => self.counts(margin),
            false => self.kept.get(margin).map_or(&[], |margin| &margin.counts),
        }
    }

    /// The least that a cell shall hold; `None` if there is no such cell.
    pub fn least(&self, cell: impl Into<Cell>) -> Option<u64> {
        self.index(&cell.into()).map(|index| self.least_of(index))
    }

    /// The most that a cell may hold, `u64::MAX` if it has no limit; `None` if there is no such cell.
    pub fn most(&self, cell: impl Into<Cell>) -> Option<u64> {
        self.index(&cell.into()).map(|index| self.most_of(index))
    }

    pub(crate) fn index(&self, cell: &Cell) -> Option<usize> {
        match cell {
            Cell::Position(position) => self.shape.index(position),
            Cell::Labels(labels) if labels.len() == self.axes.len() => {
                let find = |(axis, label): (&Labelled, &String)| axis.labels.iter().position(|other| other == label);
                let position: Option<Vec<usize>> = self.axes.iter().zip(labels).map(find).collect();
                self.shape.index(&position?)
            }
            Cell::Labels(_) => None,
        }
    }

    /// The largest smallest cell that works: every cell holds at least so many in some table, and no more than that is
    /// possible. Cells that are excluded and those of a category with a share of 0 do not count, nor does a
    /// [smallest cell](TableBuilder::smallest_cell) that was asked for. A share that this total rounds to nothing makes
    /// it 0.
    ///
    /// # Errors
    /// [`SolveError`] as in [`Table::solve`], if there is no table at all or it is not found out.
    pub fn largest_smallest_cell(&self) -> Result<u64, SolveError> {
        let own = self.without_smallest();
        own.solve()?;
        let (mut works, mut most) = (0, own.total);
        let counts_as_cell = own.cells_that_count();
        for (margin, axes) in own.margins().iter().enumerate() {
            let mut open = vec![0_u64; own.margin_targets(margin).len()];
            own.check_budget()?;
            for (cell, slice) in own.slices(axes).into_iter().enumerate() {
                if counts_as_cell[cell] {
                    most = most.min(own.most_of(cell));
                    open[slice as usize] += 1;
                }
            }
            let parts = own.margin_ranges(margin).into_iter().zip(open).filter(|(_, open)| *open > 0);
            most = parts.map(|((_, greatest), open)| greatest / open).fold(most, u64::min);
        }
        if !counts_as_cell.contains(&true) {
            return Ok(0);
        }
        while works < most {
            let middle = works + (most - works).div_ceil(2);
            let mut table = own.clone();
            table.raise_least(middle);
            match table.solve() {
                Ok(_) => works = middle,
                Err(SolveError::Infeasible(_)) => most = middle - 1,
                Err(error) => return Err(error),
            }
        }
        Ok(works)
    }

    /// Gives every cell that counts at least so many.
    pub(crate) fn raise_least(&mut self, least: u64) {
        if least == 0 {
            return;
        }
        let cells = self.shape.cells();
        self.raised = Some(Raised { smallest: least, least: self.least.clone() });
        self.least.resize(cells, 0);
        let counts = self.cells_that_count();
        for (own, _) in self.least.iter_mut().zip(counts).filter(|(_, counts)| *counts) {
            *own = (*own).max(least);
        }
    }

    /// The same without a smallest cell.
    pub(crate) fn without_smallest(&self) -> Self {
        let mut table = self.clone();
        if let Some(Raised { least, .. }) = table.raised.take() {
            table.least = least;
        }
        table
    }

    /// For each cell its slice in a margin, within the budget.
    pub(crate) fn slices(&self, axes: &[usize]) -> Vec<u32> {
        self.shape.slices_within(axes, &self.budget).unwrap_or_default()
    }

    /// For each cell, whether somebody was asked for: it is not excluded, and none of its categories and combinations
    /// has a share of 0. A share that is rounded to nothing at this total counts, so that the answer is the same at
    /// every total.
    fn cells_that_count(&self) -> Vec<bool> {
        let mut counts: Vec<bool> = (0..self.shape.cells()).map(|cell| self.most_of(cell) > 0).collect();
        let place = |name: &String| self.axes.iter().position(|axis| axis.name == *name);
        let joints = self.joints.iter().map(|joint| (joint.axes.iter().filter_map(place).collect(), &joint.targets));
        let singles = self.axes.iter().enumerate().map(|(number, axis)| (vec![number], &axis.asked));
        for (axes, asked) in singles.chain(joints) {
            let nobody = asked.nobody();
            if !nobody.contains(&true) {
                continue;
            }
            for (counts, slice) in counts.iter_mut().zip(self.slices(&axes)) {
                *counts &= !nobody.get(slice as usize).is_some_and(|nobody| *nobody);
            }
        }
        counts
    }

    pub(crate) fn least_of(&self, index: usize) -> u64 {
        self.least.get(index).copied().unwrap_or(0)
    }

    pub(crate) fn most_of(&self, index: usize) -> u64 {
        self.most.get(index).copied().unwrap_or(u64::MAX)
    }

    pub(crate) fn is_bounded(&self) -> bool {
        !self.least.is_empty() || !self.most.is_empty()
    }

    pub(crate) fn counts(&self, axis: usize) -> &[u64] {
        self.axes.get(axis).map_or(&[], |axis| &axis.targets.counts)
    }
}
