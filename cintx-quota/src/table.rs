//! A table that is asked for: its axes in whole numbers, its seed, and what each cell may hold.
//! It has been checked: margins agree, numbers are finite, bounds do not cross.

use crate::apportion::Apportionment;
use crate::builder::TableBuilder;
use crate::error::SolveError;
use crate::shape::{Cell, Shape};

/// An axis in whole numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Labelled {
    pub(crate) name: String,
    pub(crate) labels: Vec<String>,
    pub(crate) targets: Apportionment,
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
    pub(crate) sweeps: Option<usize>,
}

impl Table {
    /// The greatest count: up to here a 64-bit float holds every whole number.
    pub const MOST: u64 = 1 << 53;

    /// Starts a table.
    pub fn builder() -> TableBuilder {
        TableBuilder::default()
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
    /// possible. Cells that are excluded and those of a category with a target of 0 do not count.
    ///
    /// # Errors
    /// [`SolveError`] as in [`Table::solve`], if there is no table at all or it is not found out.
    pub fn largest_smallest_cell(&self) -> Result<u64, SolveError> {
        self.solve()?;
        let (mut works, mut most) = (0, self.total);
        for axis in 0..self.axes() {
            let mut open = vec![0_u64; self.labels(axis).len()];
            for (cell, slice) in self.shape.slices(&[axis]).unwrap_or_default().into_iter().enumerate() {
                if self.counts_as_cell(cell) {
                    most = most.min(self.most_of(cell));
                    open[slice as usize] += 1;
                }
            }
            let parts = self.counts(axis).iter().zip(&open).filter(|(_, open)| **open > 0);
            most = parts.map(|(target, open)| target / open).fold(most, u64::min);
        }
        if (0..self.shape.cells()).all(|cell| !self.counts_as_cell(cell)) {
            return Ok(0);
        }
        while works < most {
            let middle = works + (most - works).div_ceil(2);
            let mut table = self.clone();
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
        self.least.resize(cells, 0);
        for cell in (0..cells).filter(|cell| self.counts_as_cell(*cell)).collect::<Vec<_>>() {
            self.least[cell] = self.least[cell].max(least);
        }
    }

    /// Whether a cell may hold anybody: it is not excluded and each of its categories has a target.
    fn counts_as_cell(&self, cell: usize) -> bool {
        let targets = self.shape.position(cell).into_iter().enumerate();
        let mut targets = targets.map(|(axis, at)| self.counts(axis).get(at).copied().unwrap_or(0));
        self.most_of(cell) > 0 && targets.all(|target| target > 0)
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
