//! Re-balancing in field: the smallest change of the targets that keeps the margins, never goes below what is
//! completed, and leaves closed cells alone. What comes out is a list of changes to approve.

use crate::certificate::Certificate;
use crate::error::{SolveError, TableError, check_count};
use crate::lift::Lifted;
use crate::slack::Shift;
use crate::solve::spread::Aim;
use crate::solve::stages::{MANY_CELLS, Nearest, Stages, bounds_of, distance, signed};
use crate::table::Table;

/// One cell whose target changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Change {
    /// The cell.
    pub position: Vec<usize>,
    /// Its target so far.
    pub from: u64,
    /// Its target from now on.
    pub to: u64,
}

/// New targets, and how they differ from the old ones.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Plan {
    /// The cells that change, in order.
    pub changes: Vec<Change>,
    /// All cells as they shall be.
    pub cells: Vec<u64>,
    /// The sum of all changes, up and down.
    pub moved: u64,
    /// Whether it was proved that no smaller change does it. Always so with one or two axes.
    pub proved_smallest: bool,
    /// No change moves less than this: equal to `moved` if the plan was proved the smallest.
    pub at_least: u64,
    /// How many cells were to get more and now get none beyond what is completed, or their least.
    pub shut: usize,
    /// No plan that moves as little shuts fewer cells than this: equal to `shut` with one or two axes, and where that
    /// was proved with more.
    pub least_shut: usize,
    /// How far the cells are from the proportional table: the sum of squares, each relative to its part (to 1 where
    /// the part is less). Of all plans that move and shut as little, this is the least with one or two axes; with more,
    /// [`distortion_gap`](Self::distortion_gap) says how much more than the least it is at most.
    /// `None` for a table of 200,000 cells or more: only what is moved is minimized there.
    pub distortion: Option<f64>,
    /// No plan that moves and shuts as little is less distorted than this: equal to `distortion` with one or two axes
    /// and where that was proved with more. `None` where it is not known: without a `distortion`, and with three and
    /// more axes from some 20,000 cells on.
    pub least_distorted: Option<f64>,
    /// The proportional table itself, in fractions; empty where `distortion` is `None`.
    pub proportional: Vec<f64>,
    /// The categories that keep another count than their target, where margins may give.
    pub shifts: Vec<Shift>,
    /// The proof that the margins hold.
    pub certificate: Certificate,
}

impl Plan {
    /// How much more than the least is moved at most, as a share of the least: 0.04 for "at most 4 % more".
    /// 0 if the plan was proved the smallest.
    pub fn gap(&self) -> f64 {
        if self.proved_smallest { 0.0 } else { (self.moved - self.at_least) as f64 / self.at_least.max(1) as f64 }
    }

    /// How much more distorted it is than the least distorted plan that moves and shuts as little, at most and as a
    /// share of that: 0.04 for "at most 4 % more distorted than the least", 0 if it was proved the least. `None` where
    /// that is not known.
    ///
    /// ```
    /// use cintx_quota::{Axis, Table};
    ///
    /// let axis = |name: &str| Axis::counts(name, [("a", 12), ("b", 12)]);
    /// let table = Table::builder().axis(axis("one")).axis(axis("two")).axis(axis("three")).build()?;
    /// let plan = table.rebalance(&[3; 8], &[5, 1, 2, 0, 1, 1, 0, 2], &[])?;
    /// assert!(plan.distortion_gap().is_some_and(|gap| gap < 0.05));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn distortion_gap(&self) -> Option<f64> {
        // A difference that is rounding is none.
        const ROUNDING_ERROR: f64 = 1e-6;
        let (distortion, least) = (self.distortion?, self.least_distorted?);
        match distortion - least {
            over if over <= ROUNDING_ERROR * distortion.max(1.0) => Some(0.0),
            over if least > ROUNDING_ERROR => Some(over / least),
            _ => None,
        }
    }
}

/// The cells that are wanted, as a flow sees them.
pub(crate) struct Wanted {
    pub(crate) anchor: Vec<i64>,
    /// The proportions: what of each cell takes no part in them, and the weight of the rest.
    start: Vec<u64>,
    seed: Vec<f64>,
    /// The least of each cell that was to get more.
    open: Vec<Option<i64>>,
}

impl Wanted {
    /// A goal that is raised keeps the proportions of the targets. At the same goal and at a lower one, those of
    /// what is still open: who has few to come gives few.
    fn new(field: &Table, targets: &[u64]) -> Self {
        // A cell without a target gets something only where no other can.
        const LAST_RESORT_WEIGHT: f64 = 1e-3;
        let asked: u128 = targets.iter().map(|target| u128::from(*target)).sum();
        let is_raised = u128::from(field.total) > asked;
        let floor = |cell: usize| if is_raised { 0 } else { field.least_of(cell) };
        let start: Vec<u64> = (0..targets.len()).map(floor).collect();
        let part = |(target, start): (&u64, &u64)| (target.saturating_sub(*start) as f64).max(LAST_RESORT_WEIGHT);
        let open = |cell: usize| {
            let least = field.least_of(cell);
            (targets[cell] > least && field.most_of(cell) > least).then(|| signed(least))
        };
        Self {
            anchor: targets.iter().map(|target| signed(*target)).collect(),
            seed: targets.iter().zip(&start).map(part).collect(),
            open: (0..targets.len()).map(open).collect(),
            start,
        }
    }

    /// The proportional table, in whole numbers if they are soon found, and in fractions.
    pub(crate) fn aim(&self, stages: &Stages<'_>) -> Result<(Option<Vec<i64>>, Aim), SolveError> {
        let table = stages.table();
        if table.shape.cells() >= MANY_CELLS {
            return Ok((None, Aim { open: self.open.clone(), ..Aim::default() }));
        }
        let mut shifted = table.clone();
        shifted.seed = Some(self.seed.clone());
        table.start()?;
        for (cell, start) in self.start.iter().enumerate().filter(|(_, start)| **start > 0) {
            for (axis, at) in shifted.axes.iter_mut().zip(table.shape.position(cell)) {
                let count = &mut axis.targets.counts[at];
                *count = count.checked_sub(*start).ok_or(SolveError::Unresolved { cases: 0 })?;
            }
            shifted.total = shifted.total.saturating_sub(*start);
            shifted.least[cell] -= start;
            if shifted.most[cell] < u64::MAX {
                shifted.most[cell] -= start;
            }
        }
        let (cells, parts) = Stages::new(&shifted, bounds_of(&shifted)).proportional();
        let cells =
            cells.map(|cells| cells.iter().zip(&self.start).map(|(cell, start)| cell + signed(*start)).collect());
        let start: Vec<f64> = self.start.iter().map(|start| *start as f64).collect();
        let parts = parts.iter().zip(&start).map(|(part, start)| part + start).collect();
        Ok((cells, Aim { parts, start, open: self.open.clone() }))
    }
}

impl Table {
    /// Finds the smallest change of `targets` that meets this table's margins and bounds.
    ///
    /// Of several such changes, the one that shuts the fewest cells, and then the least distorted one: if the goal is
    /// raised, nearest to the proportions of `targets`; at the same goal or a lower one, nearest to the proportions of
    /// what is still open (targets less completes), so that a cell with few to come gives few. With three and more axes
    /// each of the three is proved, or the plan says how far it may be from the best.
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
    /// [`SolveError::Input`] if a list has the wrong length or a count is above [`Table::MAX_COUNT`];
    /// [`SolveError::Infeasible`] with a proof if no change does it; [`SolveError::Unresolved`] as in
    /// [`Table::solve`]. The proof counts completes and closed cells as bounds.
    pub fn rebalance(&self, targets: &[u64], completes: &[u64], closed: &[bool]) -> Result<Plan, SolveError> {
        let mut field = self.in_field(targets, completes, closed)?;
        self.start()?;
        let mut shifts = Vec::new();
        if self.may_give() {
            field = field.settled()?;
            shifts = self.shifts_to(&field);
        }
        let lifted = Lifted::of(&field);
        let lift = |list: &[u64]| lifted.as_ref().map_or_else(|| list.to_vec(), |lifted| lifted.list(list, 0));
        let solved = lifted.as_ref().map_or(&field, |lifted| &lifted.table);
        self.start()?;
        let wanted = Wanted::new(solved, &lift(targets));
        let nearest = Stages::new(solved, bounds_of(solved)).nearest(&wanted);
        self.check_budget()?;
        let reason_back = |error| match &lifted {
            Some(lifted) => lifted.reason_back(&field, error),
            None => error,
        };
        let Nearest { cells: mut found, bound, least_shut, least_distorted, mut aim } = nearest.map_err(reason_back)?;
        let count = |moved: i64| u64::try_from(moved).unwrap_or(u64::MAX);
        let (moved, at_least) = (count(distance(&found, &wanted.anchor)), count(bound));
        let (shut, distortion) = (aim.shut(&found), aim.distortion(&found));
        if let Some(lifted) = &lifted {
            (found, aim.parts) = (lifted.back(&found), lifted.back(&aim.parts));
        }
        let cells: Vec<u64> = found.into_iter().map(|cell| u64::try_from(cell).unwrap_or(0)).collect();
        self.start()?;
        let certificate = Certificate::of(&field, &cells).map_err(|_| SolveError::Unresolved { cases: 0 })?;
        self.start()?;
        let changes = targets.iter().zip(&cells).enumerate().filter(|(_, (from, to))| from != to);
        let changes =
            changes.map(|(index, (from, to))| Change { position: self.shape.position(index), from: *from, to: *to });
        let proved_smallest = moved <= at_least;
        let changes = changes.collect();
        Ok(Plan {
            changes,
            cells,
            moved,
            proved_smallest,
            at_least,
            shut,
            least_shut,
            distortion,
            least_distorted,
            proportional: aim.parts,
            shifts,
            certificate,
        })
    }

    /// This table with a least for each cell, in their order, where it is stricter. A greatest below it rises to it.
    ///
    /// # Errors
    /// [`TableError`] if the list has the wrong length or a count is above [`Table::MAX_COUNT`].
    pub fn with_least(&self, least: &[u64]) -> Result<Table, TableError> {
        let (given, expected) = (least.len(), self.shape.cells());
        if given != expected {
            return Err(TableError::Length { what: "the leasts", given, expected });
        }
        for (cell, count) in least.iter().enumerate() {
            check_count(*count, || format!("the least of cell {cell}"))?;
        }
        let least: Vec<u64> = least.iter().enumerate().map(|(cell, count)| self.least_of(cell).max(*count)).collect();
        let most = least.iter().enumerate().map(|(cell, count)| self.most_of(cell).max(*count)).collect();
        Ok(Table { least, most, raised: None, ..self.clone() })
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
        Ok(Table { least, most, raised: None, ..self.clone() })
    }
}
