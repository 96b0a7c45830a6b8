//! Re-balancing in field: the smallest change of the targets that keeps the margins, never goes below what is
//! completed, and leaves closed cells alone. What comes out is a list of changes to approve.

use crate::certificate::Certificate;
use crate::error::{SolveError, TableError, check_count};
use crate::solve::stages::{Stages, distance, no_limit, signed};
use crate::table::Table;

/// One cell whose target changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The cell.
    pub position: Vec<usize>,
    /// Its target so far.
    pub from: u64,
    /// Its target from now on.
    pub to: u64,
}

/// New targets, and how they differ from the old ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The cells that change, in order.
    pub changes: Vec<Change>,
    /// All cells as they shall be.
    pub cells: Vec<u64>,
    /// The sum of all changes, up and down.
    pub moved: u64,
    /// Whether it was proved that no smaller change does it. Always so with one or two axes.
    pub proved_smallest: bool,
    /// The proof that the margins hold.
    pub certificate: Certificate,
}

/// The cells that are wanted, as a flow sees them.
pub(crate) struct Wanted {
    pub(crate) anchor: Vec<i64>,
}

impl Table {
    /// Finds the smallest change of `targets` that meets this table's margins and bounds.
    ///
    /// Each cell keeps at least its `completes`, whatever its bounds say: what has happened has happened.
    /// A `closed` cell keeps its target, or its completes if those are more. The lists have one entry for each
    /// cell, last axis fastest; `closed` may be empty. For new margins, build the table with them.
    ///
    /// ```
    /// use cintx_quota::{Axis, Change, Table};
    ///
    /// let table = Table::builder()
    ///     .axis(Axis::counts("age", [("18-34", 50), ("35+", 50)]))
    ///     .axis(Axis::counts("region", [("North", 50), ("South", 50)]))
    ///     .build()?;
    /// // Young people in the North came faster than planned.
    /// let plan = table.rebalance(&[25, 25, 25, 25], &[28, 10, 12, 9], &[])?;
    /// assert_eq!(plan.cells, [28, 22, 22, 28]);
    /// assert_eq!(plan.changes[0], Change { position: vec![0, 0], from: 25, to: 28 });
    /// assert_eq!((plan.moved, plan.proved_smallest), (12, true));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SolveError::Input`] if a list has the wrong length or a count is above [`Table::MOST`];
    /// [`SolveError::Infeasible`] with a proof if no change does it; [`SolveError::Unresolved`] as in
    /// [`Table::solve`]. The proof counts completes and closed cells as bounds.
    pub fn rebalance(&self, targets: &[u64], completes: &[u64], closed: &[bool]) -> Result<Plan, SolveError> {
        let field = self.in_field(targets, completes, closed)?;
        let cells = field.shape.cells();
        let least: Vec<i64> = (0..cells).map(|cell| signed(field.least_of(cell))).collect();
        let limit = no_limit(field.total, &least);
        let most = (0..cells).map(|cell| signed(field.most_of(cell)).min(limit)).collect();
        let wanted = Wanted { anchor: targets.iter().map(|target| signed(*target)).collect() };
        let (found, proved_smallest) = Stages::new(&field, Some((least, most))).nearest(&wanted)?;
        let moved = u64::try_from(distance(&found, &wanted.anchor)).unwrap_or(u64::MAX);
        let cells: Vec<u64> = found.into_iter().map(|cell| u64::try_from(cell).unwrap_or(0)).collect();
        let certificate = Certificate::of(&field, &cells).map_err(|_| SolveError::Unresolved { cases: 0 })?;
        let changes = targets.iter().zip(&cells).enumerate().filter(|(_, (from, to))| from != to);
        let changes =
            changes.map(|(index, (from, to))| Change { position: self.shape.position(index), from: *from, to: *to });
        Ok(Plan { changes: changes.collect(), cells, moved, proved_smallest, certificate })
    }

    /// This table with the bounds that the field sets: never below the completes, closed cells as they are.
    /// What a proof of [`Table::rebalance`] is about.
    ///
    /// # Errors
    /// [`SolveError::Input`] as in [`Table::rebalance`].
    pub fn in_field(&self, targets: &[u64], completes: &[u64], closed: &[bool]) -> Result<Table, SolveError> {
        let cells = self.shape.cells();
        let closed_cells = if closed.is_empty() { cells } else { closed.len() };
        let lists = [("targets", targets.len()), ("completes", completes.len()), ("closed", closed_cells)];
        for (what, given) in lists {
            if given != cells {
                return Err(TableError::Length { what, given, expected: cells }.into());
            }
        }
        let (mut least, mut most) = (Vec::with_capacity(cells), Vec::with_capacity(cells));
        for (cell, (target, completed)) in targets.iter().zip(completes).enumerate() {
            check_count(*target, || format!("target {cell}"))?;
            check_count(*completed, || format!("completes {cell}"))?;
            if closed.get(cell).copied().unwrap_or(false) {
                least.push(*target.max(completed));
                most.push(*target.max(completed));
            } else {
                least.push(self.least_of(cell).max(*completed));
                most.push(self.most_of(cell).max(*completed));
            }
        }
        Ok(Table { least, most, ..self.clone() })
    }
}
