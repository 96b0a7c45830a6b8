//! A solved table: its cells, the fit it was rounded from, how far the two are apart, and the certificate.

use crate::certificate::Certificate;
use crate::fit::Fit;
use crate::shape::{Cell, Shape};
use crate::table::Table;

/// A table of whole numbers that meets every margin.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    cells: Vec<u64>,
    fit: Fit,
    deviation: f64,
    certificate: Certificate,
    shape: Shape,
    labels: Vec<Vec<String>>,
}

impl Solution {
    pub(crate) fn new(table: &Table, cells: Vec<u64>, fit: Fit, certificate: Certificate) -> Self {
        let deviation = cells.iter().zip(&fit.cells).map(|(cell, fit)| (*cell as f64 - fit).abs()).fold(0.0, f64::max);
        let labels = (0..table.axes()).map(|axis| table.labels(axis).to_vec()).collect();
        Self { cells, fit, deviation, certificate, shape: table.shape().clone(), labels }
    }

    /// The cells, last axis fastest.
    pub fn cells(&self) -> &[u64] {
        &self.cells
    }

    /// The cells alone.
    pub fn into_cells(self) -> Vec<u64> {
        self.cells
    }

    /// One cell, by position or by labels; `None` if there is no such cell.
    pub fn at(&self, cell: impl Into<Cell>) -> Option<u64> {
        let position = match cell.into() {
            Cell::Position(position) => position,
            Cell::Labels(labels) if labels.len() == self.labels.len() => {
                let pairs = self.labels.iter().zip(&labels);
                pairs.map(|(axis, label)| axis.iter().position(|other| other == label)).collect::<Option<_>>()?
            }
            Cell::Labels(_) => return None,
        };
        self.cells.get(self.shape.index(&position)?).copied()
    }

    /// Each cell's position and count.
    pub fn iter(&self) -> impl Iterator<Item = (Vec<usize>, u64)> {
        self.cells.iter().enumerate().map(|(index, count)| (self.shape.position(index), *count))
    }

    /// The sums of an axis, equal to its targets; empty if there is no such axis.
    pub fn margin(&self, axis: usize) -> &[u64] {
        self.certificate.margins.get(axis).map_or(&[], Vec::as_slice)
    }

    /// The fit that the cells were rounded from, and how far it got.
    pub fn fit(&self) -> &Fit {
        &self.fit
    }

    /// The largest distance of a cell from the fit. With two axes and a fit that converged it is below 1.
    pub fn deviation(&self) -> f64 {
        self.deviation
    }

    /// The proof that everything adds up.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}
