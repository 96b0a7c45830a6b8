//! A solved table: its cells, the fit it was rounded from, how far the two are apart, and the certificate.

use crate::axis::Targets;
use crate::certificate::Certificate;
use crate::fit::Fit;
use crate::joint::Joint;
use crate::shape::{Cell, Shape};
use crate::slack::Shift;
use crate::table::Table;

/// A table of whole numbers that meets every margin.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Solution {
    cells: Vec<u64>,
    fit: Fit,
    deviation: f64,
    certificate: Certificate,
    shape: Shape,
    names: Vec<String>,
    labels: Vec<Vec<String>>,
    excluded: Vec<usize>,
    /// For each axis the categories whose targets were rounded to nothing, with what each is a part of; empty if there
    /// are none.
    #[cfg_attr(feature = "serde", serde(skip))]
    vanished: Vec<Vec<Option<f64>>>,
    /// The same for the combinations of joint margins.
    #[cfg_attr(feature = "serde", serde(skip))]
    vanished_together: Vec<Together>,
    shifts: Vec<Shift>,
}

/// A cell that was worth a part of a person, or a few, and got none when the table was made whole.
/// `Display` says so: `65+ × West: 0.40 of a person asked for, 0 given`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RoundedToNothing {
    /// The cell.
    pub position: Vec<usize>,
    /// The labels of its categories.
    pub labels: Vec<String>,
    /// How many people the proportional table has there.
    pub people: f64,
}

impl std::fmt::Display for RoundedToNothing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:.2} of a person asked for, 0 given", self.labels.join(" × "), self.people)
    }
}

/// For each axis what the categories were worth whose targets were rounded to nothing.
fn parts_of_vanished(table: &Table) -> Vec<Vec<Option<f64>>> {
    let of = |axis: usize| {
        let mut parts = vec![None; table.labels(axis).len()];
        let rounded = table.targets(axis).map_or(&[][..], |targets| &targets.rounded);
        for rounded in rounded.iter().filter(|rounded| rounded.count == 0) {
            parts[rounded.share] = Some(rounded.exact);
        }
        parts
    };
    let parts: Vec<Vec<Option<f64>>> = (0..table.axes()).map(of).collect();
    if parts.iter().flatten().any(Option::is_some) { parts } else { Vec::new() }
}

/// What the combinations of some axes were worth that were rounded to nothing.
#[derive(Clone, Debug, PartialEq)]
struct Together {
    axes: Vec<usize>,
    /// Last axis fastest.
    parts: Vec<Option<f64>>,
}

impl Together {
    /// The joint margins in which shares were rounded to nothing, with what each is a part of.
    fn of(table: &Table, cells: &[u64]) -> Vec<Self> {
        let of = |joint: &Joint| {
            let (Targets::Shares(shares) | Targets::Percentages(shares)) = &joint.targets else { return None };
            let place = |name: &String| (0..table.axes()).find(|axis| table.name(*axis) == Some(name.as_str()));
            let axes: Vec<usize> = joint.axes.iter().map(place).collect::<Option<_>>()?;
            let sums = sums(table.shape(), &axes, cells);
            let sum: f64 = shares.iter().sum();
            if sum <= 0.0 {
                return None;
            }
            let part = |(count, share): (&u64, &f64)| {
                (*count == 0 && *share > 0.0).then(|| share / sum * table.total() as f64)
            };
            let parts: Vec<Option<f64>> = sums.iter().zip(shares).map(part).collect();
            parts.iter().any(Option::is_some).then_some(Self { axes, parts })
        };
        table.joints.iter().filter_map(of).collect()
    }

    /// What the combination of a cell was worth; `None` if it was not rounded to nothing.
    fn part(&self, lengths: &[usize], position: &[usize]) -> Option<f64> {
        let at = self.axes.iter().fold(0, |place, axis| place * lengths[*axis] + position[*axis]);
        self.parts.get(at).copied().flatten()
    }
}

/// The sums over all axes but these, last of them fastest; empty if an axis is not there.
fn sums(shape: &Shape, axes: &[usize], cells: &[u64]) -> Vec<u64> {
    let Some(slices) = shape.slices(axes) else { return Vec::new() };
    let mut sums = vec![0; axes.iter().map(|axis| shape.lengths()[*axis]).product()];
    for (slice, count) in slices.into_iter().zip(cells) {
        sums[slice as usize] += count;
    }
    sums
}

impl Solution {
    pub(crate) fn new(table: &Table, cells: Vec<u64>, fit: Fit, certificate: Certificate) -> Self {
        let deviation = cells.iter().zip(&fit.cells).map(|(cell, fit)| (*cell as f64 - fit).abs()).fold(0.0, f64::max);
        let names = (0..table.axes()).filter_map(|axis| table.name(axis).map(str::to_owned)).collect();
        let labels = (0..table.axes()).map(|axis| table.labels(axis).to_vec()).collect();
        let excluded = (0..cells.len()).filter(|cell| table.most_of(*cell) == 0).collect();
        let vanished_together = Together::of(table, &cells);
        Self {
            cells,
            fit,
            deviation,
            certificate,
            shape: table.shape().clone(),
            names,
            labels,
            excluded,
            vanished: parts_of_vanished(table),
            vanished_together,
            shifts: Vec::new(),
        }
    }

    pub(crate) fn with_shifts(self, shifts: Vec<Shift>) -> Self {
        Self { shifts, ..self }
    }

    /// The categories that keep another count than their target: of margins that may give, where not all targets can be
    /// met.
    pub fn shifts(&self) -> &[Shift] {
        &self.shifts
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

    /// How many axes there are.
    pub fn axes(&self) -> usize {
        self.labels.len()
    }

    /// An axis' name; `None` if there is no such axis.
    pub fn name(&self, axis: usize) -> Option<&str> {
        self.names.get(axis).map(String::as_str)
    }

    /// The labels of an axis; empty if there is no such axis.
    pub fn labels(&self, axis: usize) -> &[String] {
        self.labels.get(axis).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn is_excluded(&self, cell: usize) -> bool {
        self.excluded.binary_search(&cell).is_ok()
    }

    /// Each cell's position and count.
    pub fn iter(&self) -> impl Iterator<Item = (Vec<usize>, u64)> {
        self.cells.iter().enumerate().map(|(index, count)| (self.shape.position(index), *count))
    }

    /// The cells that rounding left empty, though the proportional table has somebody there, or would have if the share
    /// of a category, or of a combination that is known together, had not been rounded to nothing. None of them was
    /// excluded. A larger total, a smallest cell or merged categories give them somebody.
    pub fn rounded_to_nothing(&self) -> Vec<RoundedToNothing> {
        // What the fit's own rounding leaves is nobody.
        const ROUNDING_ERROR: f64 = 1e-6;
        let empty = (0..self.cells.len()).filter(|cell| self.cells[*cell] == 0 && !self.is_excluded(*cell));
        let describe = |cell: usize| {
            let people = match self.fit.cells[cell] {
                people if people > ROUNDING_ERROR => people,
                _ if self.vanished.is_empty() && self.vanished_together.is_empty() => return None,
                _ => self.part_of_vanished(cell).filter(|people| *people > ROUNDING_ERROR)?,
            };
            let position = self.shape.position(cell);
            let labels = position.iter().zip(&self.labels).filter_map(|(at, labels)| labels.get(*at).cloned());
            Some(RoundedToNothing { labels: labels.collect(), position, people })
        };
        empty.filter_map(describe).collect()
    }

    /// How many people a cell of a category or a combination that was rounded to nothing is worth, if what is not known
    /// together is independent.
    fn part_of_vanished(&self, cell: usize) -> Option<f64> {
        let (total, position) = (self.certificate.total as f64, self.shape.position(cell));
        let (mut people, mut vanished, mut counted) = (total, false, vec![false; position.len()]);
        for together in &self.vanished_together {
            if together.axes.iter().any(|axis| counted[*axis]) {
                continue;
            }
            if let Some(part) = together.part(self.shape.lengths(), &position) {
                people *= part / total;
                together.axes.iter().for_each(|axis| counted[*axis] = true);
                vanished = true;
            }
        }
        for (axis, at) in position.into_iter().enumerate().filter(|(axis, _)| !counted[*axis]) {
            let part = self.vanished.get(axis).and_then(|parts| parts.get(at)).copied().flatten();
            vanished |= part.is_some();
            people *= part.unwrap_or_else(|| self.margin(axis)[at] as f64) / total;
        }
        vanished.then_some(people)
    }

    /// The cells that stay empty because they were excluded, by position.
    pub fn excluded(&self) -> Vec<Vec<usize>> {
        self.excluded.iter().map(|cell| self.shape.position(*cell)).collect()
    }

    /// The sums over all axes but these, last of them fastest: the joint margin that came out. Empty if an axis is not
    /// there.
    pub fn sums(&self, axes: &[usize]) -> Vec<u64> {
        sums(&self.shape, axes, &self.cells)
    }

    /// The sums of an axis, equal to its targets unless these [may give](Self::shifts); empty if there is no such axis.
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

    /// Whether every cell is the floor or the ceiling of the fit, and the fit met its margins: promised with one and two
    /// margins where the fit converges, and often so with more.
    pub fn is_floor_or_ceiling(&self) -> bool {
        self.fit.converged && self.deviation < 1.0
    }

    /// The proof that everything adds up.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}
