//! Ways out where joint margins share an axis, so that each limits what the others can be: their new targets are found
//! together.

use crate::apportion::apportion;
use crate::error::SolveError;
use crate::fit::{Margin, fit};
use crate::slack::Give;
use crate::table::Table;

/// How many cells are touched where what is still to come is fitted to the margins that stay.
const FIT_WORK: usize = 20_000_000;

/// What of a cell was still to come; a cell to which nobody was gets somebody only where no other can.
fn to_come(target: u64, floor: u64) -> f64 {
    const LAST_RESORT_WEIGHT: f64 = 1e-3;
    (target.saturating_sub(floor) as f64).max(LAST_RESORT_WEIGHT)
}

/// What each category of each margin holds, and whether that is more than its target.
struct Overfull<'a> {
    table: &'a Table,
    holds: Vec<Vec<u64>>,
    is: Vec<Vec<bool>>,
}

impl<'a> Overfull<'a> {
    fn of(table: &'a Table, floor: &[u64]) -> Self {
        let holds: Vec<Vec<u64>> = table.margins().iter().map(|axes| table.summed(floor, axes)).collect();
        let is_over = |(margin, holds): (usize, &Vec<u64>)| {
            holds.iter().zip(table.margin_targets(margin)).map(|(holds, target)| holds > target).collect()
        };
        Self { is: holds.iter().enumerate().map(is_over).collect(), holds, table }
    }

    fn has(&self, margin: usize) -> bool {
        self.is[margin].contains(&true)
    }

    /// What is to come in each cell where the margins without an overfill keep their targets: nobody for those who hold
    /// too much, the others in the proportions of what was to come.
    fn to_come(&self, field: &Table, targets: &[u64], floor: &[u64]) -> Vec<f64> {
        let table = self.table;
        let mut seed: Vec<f64> = floor.iter().zip(targets).map(|(floor, target)| to_come(*target, *floor)).collect();
        let mut kept: Vec<(Vec<usize>, Vec<f64>)> = Vec::new();
        for (margin, axes) in table.margins().into_iter().enumerate() {
            for (cell, slice) in table.slices(&axes).into_iter().enumerate() {
                if self.is[margin][slice as usize] || field.most_of(cell) <= floor[cell] {
                    seed[cell] = 0.0;
                }
            }
            if !self.has(margin) {
                let pairs = table.margin_targets(margin).iter().zip(&self.holds[margin]);
                kept.push((axes, pairs.map(|(target, holds)| (target - holds) as f64).collect()));
            }
        }
        let margins: Vec<Margin<'_>> = kept.iter().map(|(axes, targets)| Margin { axes, targets }).collect();
        let sweeps = (FIT_WORK / seed.len().max(1)).clamp(1, 200);
        fit(&table.shape, &seed, &margins, sweeps).map_or(seed, |fit| fit.cells)
    }
}

impl Table {
    /// Whether margins have an axis in common, so that each limits what the others can be.
    pub(crate) fn has_shared_axes(&self) -> bool {
        let margins = self.margins();
        let shares =
            |one: usize| margins[one].iter().any(|axis| margins[..one].iter().any(|other| other.contains(axis)));
        (1..margins.len()).any(shares)
    }

    /// Margins that limit each other: those without an overfill keep their targets if the others can give way so, and
    /// what is still to come is shared as it was among the cells that are not of a category that holds too much.
    pub(crate) fn giving_way_together(
        &self,
        field: &Table,
        targets: &[u64],
        floor: &[u64],
    ) -> Result<Table, SolveError> {
        const KEEPING_MATTERS: f64 = 1_000.0;
        let overfull = Overfull::of(self, floor);
        let parts = overfull.to_come(field, targets, floor);
        let mut margins = Vec::new();
        for (margin, axes) in self.margins().iter().enumerate() {
            let holds = &overfull.holds[margin];
            if !overfull.has(margin) {
                margins.push(self.margin_targets(margin).to_vec());
                continue;
            }
            let mut open = vec![0.0; holds.len()];
            self.slices(axes).into_iter().zip(&parts).for_each(|(slice, part)| open[slice as usize] += part);
            if open.iter().all(|part| *part == 0.0) {
                open = overfull.is[margin].iter().map(|is_over| if *is_over { 0.0 } else { 1.0 }).collect();
            }
            let rest = self.total.saturating_sub(holds.iter().sum());
            let more = apportion(&self.axes[axes[0]].name, &open, rest)?.counts;
            margins.push(holds.iter().zip(more).map(|(holds, more)| holds + more).collect());
        }
        let range = |(holds, is_over): (&u64, &bool)| (*holds, if *is_over { *holds } else { self.total });
        let giving = |keeps: bool| -> Vec<Option<Give>> {
            let give = |margin: usize| {
                let ranges = || overfull.holds[margin].iter().zip(&overfull.is[margin]).map(range).collect();
                match overfull.has(margin) {
                    true => Some(Give::between(ranges(), 1.0)),
                    false if keeps => None,
                    false => Some(Give::between(ranges(), KEEPING_MATTERS)),
                }
            };
            (0..margins.len()).map(give).collect()
        };
        match self.agreed(field, margins.clone(), giving(true)) {
            Err(SolveError::Infeasible(_)) => self.agreed(field, margins.clone(), giving(false)),
            answer => answer,
        }
    }

    /// This table, which has joint margins, with margins that agree with each other, as near to some as there are.
    fn agreed(&self, field: &Table, margins: Vec<Vec<u64>>, gives: Vec<Option<Give>>) -> Result<Table, SolveError> {
        let mut loose = field.with_margins(margins);
        loose.kept.iter_mut().zip(gives).for_each(|(margin, give)| margin.give = give);
        let settled = loose.settled()?;
        Ok(self.with_margins((0..self.margins().len()).map(|margin| settled.margin_targets(margin).to_vec()).collect()))
    }

    /// At the least total that works: no category gets less than it has to. What came in too many of all margins
    /// together may come to more than that of any one.
    pub(crate) fn accepting_together(
        &self,
        field: &Table,
        least: &[Vec<u64>],
        came: &[u64],
        floor: &[u64],
        targets: &[u64],
    ) -> Result<Table, SolveError> {
        let at = |total: u64| {
            let give = |least: &Vec<u64>| Some(Give::between(least.iter().map(|least| (*least, total)).collect(), 1.0));
            self.agreed(field, self.grown(least, came, total)?, least.iter().map(give).collect())
        };
        let sum = |counts: &Vec<u64>| counts.iter().sum::<u64>();
        let mut low = least.iter().map(sum).max().unwrap_or(self.total);
        // Where each cell keeps its target and what it has, every category does.
        let mut high = floor.iter().zip(targets).map(|(floor, target)| *floor.max(target)).sum::<u64>().max(low);
        let mut found = match at(low) {
            Err(SolveError::Infeasible(_)) if low < high => at(high)?,
            answer => return answer,
        };
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            match at(middle) {
                Ok(table) => (found, high) = (table, middle),
                Err(SolveError::Infeasible(_)) => low = middle,
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}
