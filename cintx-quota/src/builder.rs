//! Builds a [`Table`]: collects what is asked for, then checks all of it at once.
//! Nothing is solved here; what passes is a table whose question makes sense.

use crate::apportion::{Apportionment, apportion};
use crate::axis::{Axis, Targets};
use crate::budget::Budget;
use crate::error::{TableError, check_count, check_number};
use crate::joint::{Joint, resolve};
use crate::lift::{MAX_LIFTED_CELLS, shape_of};
use crate::shape::{Cell, Shape};
use crate::table::Table;

/// Builds a [`Table`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct TableBuilder {
    total: Option<u64>,
    axes: Vec<Axis>,
    joints: Vec<Joint>,
    seed: Option<Vec<f64>>,
    bounds: Vec<(Cell, Bound)>,
    sweeps: Option<usize>,
    smallest: u64,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    Least(u64),
    Most(u64),
}

impl TableBuilder {
    /// What all cells add up to. Needed where no axis has counts; else it must agree with them.
    pub fn total(mut self, total: u64) -> Self {
        self.total = Some(total);
        self
    }

    /// Adds an axis.
    pub fn axis(mut self, axis: Axis) -> Self {
        self.axes.push(axis);
        self
    }

    /// Adds targets for the combinations of some axes, which are named: age × gender known together, say. Axes that have
    /// no targets of their own get theirs from it; those that have some must agree with it. Joint margins may share
    /// axes. One over all axes is a nested table, which is taken as it is.
    ///
    /// ```
    /// use cintx_quota::{Axis, Joint, Table};
    ///
    /// let table = Table::builder()
    ///     .total(1_000)
    ///     .axis(Axis::labels("age", ["18-34", "35-54", "55+"]))
    ///     .axis(Axis::labels("gender", ["men", "women"]))
    ///     .axis(Axis::percentages("region", [("North", 40.0), ("South", 35.0), ("West", 25.0)]))
    ///     .joint(Joint::percentages(["age", "gender"], [14.0, 13.0, 18.0, 18.0, 16.0, 21.0]))
    ///     .build()?;
    /// let solution = table.solve()?;
    /// assert_eq!(solution.sums(&[0, 1]), [140, 130, 180, 180, 160, 210]);
    /// assert_eq!(solution.margin(2), [400, 350, 250]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn joint(mut self, joint: Joint) -> Self {
        self.joints.push(joint);
        self
    }

    /// What the table shall look like, up to its margins: one weight for each cell, last axis fastest. The fit
    /// keeps its odds ratios. A weight of 0 excludes the cell. Without a seed, the axes are independent.
    pub fn seed(mut self, weights: impl IntoIterator<Item = f64>) -> Self {
        self.seed = Some(weights.into_iter().collect());
        self
    }

    /// The cell stays empty.
    pub fn exclude(self, cell: impl Into<Cell>) -> Self {
        self.at_most(cell, 0)
    }

    /// The cell holds at least so many. Of several calls the strictest counts.
    pub fn at_least(mut self, cell: impl Into<Cell>, least: u64) -> Self {
        self.bounds.push((cell.into(), Bound::Least(least)));
        self
    }

    /// The cell holds at most so many. Of several calls the strictest counts.
    pub fn at_most(mut self, cell: impl Into<Cell>, most: u64) -> Self {
        self.bounds.push((cell.into(), Bound::Most(most)));
        self
    }

    /// Every cell holds at least so many, but for cells that are excluded and those of a category with a share of 0:
    /// one that is rounded to nothing is a reason why there is no such table. What works at most says
    /// [`Table::largest_smallest_cell`].
    pub fn smallest_cell(mut self, least: u64) -> Self {
        self.smallest = least;
        self
    }

    /// At most so many sweeps of proportional fitting, at least one. By default as many as take a second or
    /// so: 10,000 for small tables, fewer for large ones. What the fit reached is in the solution.
    pub fn sweeps(mut self, sweeps: usize) -> Self {
        self.sweeps = Some(sweeps.max(1));
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// [`TableError`] names the first thing that is wrong.
    pub fn build(self) -> Result<Table, TableError> {
        let Self { total, mut axes, mut joints, seed, bounds, sweeps, smallest } = self;
        check_count(smallest, || "the smallest cell".to_owned())?;
        let total = total_of(total, &axes, &joints)?;
        let gives = axes.iter_mut().map(|axis| &mut axis.give).chain(joints.iter_mut().map(|joint| &mut joint.give));
        gives.flatten().for_each(|give| give.fix_total(total));
        let (axes, kept) = resolve(axes, &joints, total, |axis| in_whole_numbers(axis, total))?;
        if !kept.is_empty() && shape_of(&kept).is_none() {
            let value = kept.iter().fold(1_u64, |cells, margin| cells.saturating_mul(margin.counts.len() as u64));
            return Err(TableError::TooLarge {
                place: "the number of cells between joint margins".into(),
                value,
                most: MAX_LIFTED_CELLS as u64,
            });
        }
        let lengths: Vec<usize> = axes.iter().map(|axis| axis.labels.len()).collect();
        let shape = Shape::new(lengths).ok_or_else(|| TableError::TooLarge {
            place: "the number of cells".into(),
            value: axes.iter().fold(1_u64, |cells, axis| cells.saturating_mul(axis.labels.len() as u64)),
            most: u64::from(u32::MAX),
        })?;
        let (least, most) = (Vec::new(), Vec::new());
        let (raised, budget) = (None, Budget::default());
        let mut table = Table { total, axes, shape, seed, least, most, raised, sweeps, kept, joints, budget };
        apply_seed(&mut table)?;
        apply_bounds(&mut table, bounds)?;
        check_slices(&table)?;
        table.raise_least(smallest);
        check_bounds(&table)?;
        Ok(table)
    }
}

/// The total: as given, or of the first axis in counts. All that are there must agree.
fn total_of(given: Option<u64>, axes: &[Axis], joints: &[Joint]) -> Result<u64, TableError> {
    let mut known: Option<(String, u64)> = given.map(|total| ("the total".to_owned(), total));
    let Some(first) = axes.first() else { return Err(TableError::NoAxes) };
    let joints = joints.iter().map(|joint| (joint.name(), &joint.targets));
    for (name, targets) in axes.iter().map(|axis| (axis.name.clone(), &axis.targets)).chain(joints) {
        let Targets::Counts(counts) = targets else { continue };
        let sum = counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        check_count(sum, || format!("the sum of {name}"))?;
        match known {
            Some((first, first_total)) if first_total != sum => {
                return Err(TableError::TotalsDiffer { first, first_total, second: name, second_total: sum });
            }
            Some(_) => {}
            None => known = Some((name, sum)),
        }
    }
    let (place, total) = known.ok_or_else(|| TableError::TotalMissing { axis: first.name.clone() })?;
    check_count(total, || place)?;
    Ok(total)
}

/// The targets of an axis, if it has some of its own.
pub(crate) fn in_whole_numbers(axis: &Axis, total: u64) -> Result<Option<Apportionment>, TableError> {
    let Axis { name, labels, targets, .. } = axis;
    if labels.is_empty() {
        return Err(TableError::EmptyAxis { axis: name.clone() });
    }
    let mut seen = std::collections::HashSet::new();
    if let Some(label) = labels.iter().find(|label| !seen.insert(label.as_str())) {
        return Err(TableError::LabelTwice { label: label.clone(), axis: name.clone() });
    }
    Ok(match targets {
        Targets::Counts(counts) => Some(Apportionment { counts: counts.clone(), rounded: Vec::new() }),
        Targets::Shares(shares) => Some(apportion(name, shares, total)?),
        Targets::Percentages(percentages) => {
            let counts = apportion(name, percentages, total)?;
            check_hundred(name, percentages)?;
            Some(counts)
        }
        Targets::Joint => None,
    })
}

/// Percentages add up to 100, give or take one.
pub(crate) fn check_hundred(name: &str, percentages: &[f64]) -> Result<(), TableError> {
    let sum: f64 = percentages.iter().sum();
    let is_hundred = (99.0 - 1e-9..=101.0 + 1e-9).contains(&sum);
    if is_hundred { Ok(()) } else { Err(TableError::NotHundred { axis: name.to_owned(), sum }) }
}

fn apply_seed(table: &mut Table) -> Result<(), TableError> {
    let Some(seed) = &table.seed else { return Ok(()) };
    let cells = table.shape.cells();
    if seed.len() != cells {
        return Err(TableError::Length { what: "the seed", given: seed.len(), expected: cells });
    }
    for (index, weight) in seed.iter().enumerate() {
        check_number(*weight, || format!("the seed at {:?}", table.shape.position(index)))?;
    }
    if seed.contains(&0.0) {
        table.most = seed.iter().map(|weight| if *weight == 0.0 { 0 } else { u64::MAX }).collect();
    }
    Ok(())
}

fn apply_bounds(table: &mut Table, bounds: Vec<(Cell, Bound)>) -> Result<(), TableError> {
    let cells = table.shape.cells();
    for (cell, bound) in bounds {
        let index = table.index(&cell).ok_or_else(|| TableError::NoSuchCell { cell: cell.clone() })?;
        match bound {
            Bound::Least(least) => {
                check_count(least, || format!("the least of cell {cell}"))?;
                table.least.resize(cells, 0);
                table.least[index] = table.least[index].max(least);
            }
            Bound::Most(most) => {
                table.most.resize(cells, u64::MAX);
                table.most[index] = table.most[index].min(most);
            }
        }
    }
    check_bounds(table)
}

pub(crate) fn check_bounds(table: &Table) -> Result<(), TableError> {
    for index in 0..table.least.len().min(table.most.len()) {
        let (least, most) = (table.least[index], table.most[index]);
        if least > most {
            return Err(TableError::BoundsCross { cell: table.shape.position(index).into(), least, most });
        }
    }
    Ok(())
}

/// A category with a target needs a cell that is not excluded, unless targets may give: then that is for a proof.
fn check_slices(table: &Table) -> Result<(), TableError> {
    if table.most.is_empty() || table.may_give() {
        return Ok(());
    }
    for (number, axis) in table.axes.iter().enumerate() {
        let mut open = vec![false; axis.labels.len()];
        for (slice, most) in table.shape.slices(&[number]).unwrap_or_default().into_iter().zip(&table.most) {
            open[slice as usize] |= *most > 0;
        }
        for (index, target) in axis.targets.counts.iter().enumerate() {
            if *target > 0 && !open[index] {
                let label = axis.labels[index].clone();
                return Err(TableError::EmptySlice { axis: axis.name.clone(), label, target: *target });
            }
        }
    }
    Ok(())
}
