//! Three and more axes: the table that costs least, where a cell costs so much for each completes away from its anchor.
//! Branch and bound; the simplex gives a bound for all tables that are left.

use super::simplex::{Anchors, GaveUp, Relaxed, Simplex};
use crate::table::Table;

/// What was found within the limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cheapest {
    /// A table, if one was found.
    pub(crate) cells: Option<Vec<i64>>,
    /// No table costs less; equal to the cost of the table if it is proved the cheapest.
    pub(crate) at_least: i64,
}

/// Looks for the cheapest table, with so much work at most.
pub(crate) fn cheapest(table: &Table, anchors: &Anchors<'_>, limit: u64) -> Cheapest {
    let mut found = Cheapest::default();
    let Ok(simplex) = Simplex::with_costs(table, anchors) else { return found };
    let mut search = Search { simplex, limit, best: None, root: None };
    let is_done = search.run().is_ok();
    found.at_least = search.root.unwrap_or(0);
    if let Some((cost, open)) = search.best {
        if is_done {
            found.at_least = cost;
        }
        found.cells = Some(search.simplex.with_fixed(table, &open));
    }
    found
}

struct Search {
    simplex: Simplex,
    limit: u64,
    /// The cheapest so far, and what it costs.
    best: Option<(i64, Vec<i64>)>,
    /// What no table costs less than.
    root: Option<i64>,
}

/// What is to do next; the last one first.
enum Task {
    Case { column: usize, bounds: (i64, i64) },
    Restore { column: usize, bounds: (i64, i64) },
}

impl Search {
    fn run(&mut self) -> Result<(), GaveUp> {
        let mut tasks = Vec::new();
        self.case(&mut tasks)?;
        while let Some(task) = tasks.pop() {
            match task {
                Task::Restore { column, bounds } => self.simplex.set_bounds(column, bounds.0, bounds.1)?,
                Task::Case { column, bounds } => {
                    self.simplex.set_bounds(column, bounds.0, bounds.1)?;
                    self.case(&mut tasks)?;
                }
            }
        }
        Ok(())
    }

    fn case(&mut self, tasks: &mut Vec<Task>) -> Result<(), GaveUp> {
        if matches!(self.simplex.relax(self.limit)?, Relaxed::Impossible(_)) {
            return Ok(());
        }
        self.simplex.optimize(self.limit)?;
        let cost = self.simplex.cost()?;
        self.root.get_or_insert(cost);
        if self.best.as_ref().is_some_and(|(best, _)| cost >= *best) {
            return Ok(());
        }
        let from_half = |fraction: f64| (fraction - 0.5).abs();
        let fractions = self.simplex.fractions();
        let Some((column, whole, fraction)) =
            fractions.min_by(|one, other| from_half(one.2).total_cmp(&from_half(other.2)))
        else {
            self.best = self.simplex.wholes().map(|open| (cost, open));
            return Ok(());
        };
        let bounds = (self.simplex.least[column], self.simplex.most[column]);
        let (fewer, more) = ((bounds.0, whole), (whole + 1, bounds.1));
        let (first, second) = if fraction >= 0.5 { (more, fewer) } else { (fewer, more) };
        let restore = || Task::Restore { column, bounds };
        tasks.extend([
            restore(),
            Task::Case { column, bounds: second },
            restore(),
            Task::Case { column, bounds: first },
        ]);
        Ok(())
    }
}
