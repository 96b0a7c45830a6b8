//! Three and more axes, where cells have bounds: a whole table, or a proof that there is none.
//! Branch and bound on the cells; every leaf of a search that found nothing is a proof for its case.

use super::presolve::Groups;
use super::remainders::{Weighting, weighting};
use super::simplex::{FREE, GaveUp, Relaxed, Simplex};
use crate::cut::{Bounds, Cut, table_bounds};
use crate::proof::{Proof, Remainder, Split, Step};
use crate::table::Table;

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    /// A whole table, not necessarily near the fit.
    Table(Vec<i64>),
    /// There is none.
    Proof(Proof),
    /// Neither, within the limit.
    Neither {
        /// How many cases were looked at.
        cases: usize,
    },
}

/// How a case is split in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// At the cell whose fraction is nearest to one half: shrinks the table.
    Fraction,
    /// At a cell that must move for remainders to come out: where there are very many fractional tables.
    Culprit,
}

/// Looks for a whole table, with so much work at most.
pub(crate) fn search(table: &Table, limit: u64) -> Found {
    let Ok(mut simplex) = Simplex::new(table) else { return Found::Neither { cases: 0 } };
    let groups = Groups::of(&simplex);
    let mut open: Vec<i64> = groups.forced.iter().map(|forced| forced.unwrap_or(0)).collect();
    if groups.members.is_empty() {
        // Nothing is left to choose: the only table there may be is one, or fractions prove that there is none.
        return match search_group(table, &mut simplex, limit) {
            Ok(_) => Found::Table(simplex.with_fixed(table, &open)),
            Err(found) => found,
        };
    }
    for members in &groups.members {
        simplex.focus = vec![groups.members.len() == 1; open.len()];
        members.iter().for_each(|column| simplex.focus[*column] = true);
        match search_group(table, &mut simplex, limit) {
            Ok(found) => members.iter().for_each(|column| open[*column] = found[*column]),
            Err(found) => return found,
        }
    }
    Found::Table(simplex.with_fixed(table, &open))
}

/// Looks for whole numbers for the columns in focus; what else it finds is the answer.
fn search_group(table: &Table, simplex: &mut Simplex, limit: u64) -> Result<Vec<i64>, Found> {
    // Some tables give way to one rule and some to the other: in turn, with more and more patience.
    const FIRST_LIMIT: usize = 60;
    let (mut cases, mut patience) = (0, FIRST_LIMIT);
    while !simplex.is_over(limit) {
        for rule in [Rule::Fraction, Rule::Culprit] {
            let mut attempt = Attempt { table, rule, limit, patience, simplex: simplex.clone(), steps: Vec::new() };
            let found = attempt.run();
            cases += attempt.steps.len();
            simplex.count_on(&attempt.simplex);
            match found {
                Ok(Some(open)) => return Ok(open),
                Ok(None) => return Err(Found::Proof(Proof { steps: attempt.steps })),
                Err(GaveUp) if attempt.steps.len() < patience => return Err(Found::Neither { cases }),
                Err(GaveUp) => {}
            }
        }
        patience *= 4;
    }
    Err(Found::Neither { cases })
}

struct Attempt<'a> {
    table: &'a Table,
    rule: Rule,
    limit: u64,
    patience: usize,
    simplex: Simplex,
    steps: Vec<Step>,
}

/// What is to do next; the last one first.
enum Task {
    /// Look at the tables whose cell is in between; the split that leads there, and whether to its second case.
    Case { cell: usize, bounds: (i64, i64), split: usize, more: bool },
    /// The cell is free again.
    Restore { cell: usize, bounds: (i64, i64) },
}

/// Where a case is split.
struct At {
    cell: usize,
    number: i64,
    more_first: bool,
}

impl Attempt<'_> {
    /// Cells, or `None` if the steps are a proof that there are none.
    fn run(&mut self) -> Result<Option<Vec<i64>>, GaveUp> {
        let mut tasks = Vec::new();
        if let Some(cells) = self.case(&mut tasks)? {
            return Ok(Some(cells));
        }
        while let Some(task) = tasks.pop() {
            match task {
                Task::Restore { cell, bounds } => self.simplex.set_bounds(cell, bounds.0, bounds.1)?,
                Task::Case { cell, bounds, split, more } => {
                    self.simplex.set_bounds(cell, bounds.0, bounds.1)?;
                    let next = self.steps.len();
                    if let Some(Step::Split(split)) = self.steps.get_mut(split) {
                        *(if more { &mut split.more } else { &mut split.fewer }) = next;
                    }
                    if let Some(cells) = self.case(&mut tasks)? {
                        return Ok(Some(cells));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Looks at one case: it has a table, or becomes a step and perhaps two more tasks.
    fn case(&mut self, tasks: &mut Vec<Task>) -> Result<Option<Vec<i64>>, GaveUp> {
        if self.steps.len() >= self.patience {
            return Err(GaveUp);
        }
        if let Relaxed::Impossible(proofs) = self.simplex.relax(self.limit)? {
            let cut = self.simplest_cut(&proofs)?;
            self.steps.push(Step::Cut(cut));
            return Ok(None);
        }
        self.simplex.simplify(self.limit)?;
        if self.simplex.is_whole() {
            return self.simplex.wholes().map(Some).ok_or(GaveUp);
        }
        let weighting = weighting(&mut self.simplex);
        // What other groups need is not settled here.
        let weighting = weighting.filter(|found| found.culprits.iter().all(|cell| self.simplex.is_in_focus(*cell)));
        if let Some(Weighting { prime, weights, .. }) = weighting.as_ref().filter(|found| found.culprits.is_empty()) {
            let weights = self.by_axis(weights);
            let remainder = Remainder::new(self.table, weights, *prime, self.bounds()).ok_or(GaveUp)?;
            self.steps.push(Step::Remainder(remainder));
            return Ok(None);
        }
        let At { cell, number, more_first } = self.split(weighting).ok_or(GaveUp)?;
        let (least, most) = (self.simplex.least[cell], self.simplex.most[cell]);
        let split = self.steps.len();
        let case = |more: bool| {
            let bounds = if more { (number + 1, most) } else { (least, number) };
            Task::Case { cell, bounds, split, more }
        };
        let restore = || Task::Restore { cell, bounds: (least, most) };
        tasks.extend([restore(), case(!more_first), restore(), case(more_first)]);
        let position = self.table.shape().position(self.simplex.cell_of[cell]);
        let labels = position.iter().enumerate().map(|(axis, at)| self.table.labels(axis)[*at].clone()).collect();
        let at = u64::try_from(number).map_err(|_| GaveUp)?;
        self.steps.push(Step::Split(Split { cell: position, labels, at, fewer: 0, more: 0 }));
        Ok(None)
    }

    fn split(&self, weighting: Option<Weighting>) -> Option<At> {
        let culprits = weighting.filter(|_| self.rule == Rule::Culprit).map(|found| found.culprits).unwrap_or_default();
        if let Some(cell) = culprits.into_iter().min_by_key(|cell| self.simplex.room(*cell)) {
            // Away from where it is first: that is where a table may be.
            let (whole, most) = (self.simplex.whole(cell), self.simplex.most[cell]);
            return Some(At { cell, number: if whole < most { whole } else { whole - 1 }, more_first: whole < most });
        }
        let from_half = |fraction: f64| (fraction - 0.5).abs();
        let fractions = self.simplex.fractions();
        let (cell, number, fraction) =
            fractions.min_by(|one, other| from_half(one.2).total_cmp(&from_half(other.2)))?;
        Some(At { cell, number, more_first: fraction >= 0.5 })
    }

    /// The bounds of each cell of the table in this case.
    fn bounds(&self) -> impl Fn(usize) -> Bounds + use<> {
        let number = |bound: i64| u64::try_from(bound).unwrap_or(0);
        let mut bounds: Vec<Bounds> =
            (0..self.table.shape().cells()).map(|cell| table_bounds(self.table, cell)).collect();
        for (column, cell) in self.simplex.cell_of.iter().enumerate() {
            let most = self.simplex.most[column];
            bounds[*cell] = (number(self.simplex.least[column]), (most != FREE).then(|| number(most)));
        }
        move |cell| bounds.get(cell).copied().unwrap_or_default()
    }

    fn by_axis(&self, rows: &[i64]) -> Vec<Vec<i64>> {
        let mut rows = rows.iter().copied();
        let lengths = self.table.shape().lengths();
        lengths.iter().map(|length| rows.by_ref().take(*length).collect()).collect()
    }

    /// Of the weightings that prove the case, the one with the smallest weights.
    fn simplest_cut(&mut self, proofs: &[Vec<i64>]) -> Result<Cut, GaveUp> {
        let cells = self.table.shape().cells();
        let bounds = self.bounds();
        let mut cuts = Vec::new();
        for rows in proofs {
            self.simplex.work += cells as u64;
            if self.simplex.is_over(u64::MAX) {
                return Err(GaveUp);
            }
            cuts.extend(Cut::new(self.table, self.by_axis(rows), &bounds));
        }
        let size = |cut: &Cut| cut.weights.iter().flatten().map(|weight| weight.unsigned_abs()).sum::<u64>();
        cuts.into_iter().min_by_key(size).ok_or(GaveUp)
    }
}
