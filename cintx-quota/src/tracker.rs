//! The next wave of a tracker: what the last one missed is made up for, on top of a total or within it.

use crate::axis::Targets;
use crate::error::{SolveError, TableError, check_count};
use crate::slack::Give;
use crate::solution::Solution;
use crate::table::Table;

/// What a cell weighs that gets nobody for now: it keeps its place in the proportions.
const LEAST_WEIGHT: f64 = 1e-3;

/// What rounding took counts a little less, so that of two tables that are as near the one that was found stays.
const JUST_LESS: f64 = 0.999;

/// A wave with what was missed, cell by cell.
struct Carried {
    wanted: Vec<u64>,
    seed: Vec<f64>,
}

impl Table {
    /// The next wave of a tracker: what the last one missed is asked for on top, and what came in too many is taken off,
    /// cell by cell. The total changes by the net of it; [`at_total`](Self::at_total) brings it back to another one
    /// in these proportions, and [`carry_over_within`](Self::carry_over_within) keeps it. The wave and what comes out
    /// both keep the bounds. Ranges move with the targets.
    ///
    /// ```
    /// use cintx_quota::{Axis, Table};
    ///
    /// let wave = Table::builder()
    ///     .axis(Axis::counts("age", [("18-34", 50), ("35+", 50)]))
    ///     .axis(Axis::counts("region", [("North", 60), ("South", 40)]))
    ///     .build()?;
    /// let asked = wave.solve()?.into_cells();
    /// assert_eq!(asked, [30, 20, 30, 20]);
    /// // The young in the South were hard to reach, and two too many came from the North.
    /// let next = wave.carry_over(&asked, &[30, 12, 32, 20])?;
    /// assert_eq!(next.solve()?.cells(), [30, 28, 28, 20]);
    /// assert_eq!(next.total(), 106);
    /// // Nothing but what was missed.
    /// assert_eq!(wave.at_total(0)?.carry_over(&asked, &[30, 12, 30, 20])?.solve()?.cells(), [0, 8, 0, 0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SolveError::Input`] if a list has the wrong length or a count is above [`Table::MAX_COUNT`]; else as
    /// [`Table::solve`].
    pub fn carry_over(&self, last_targets: &[u64], last_completes: &[u64]) -> Result<Table, SolveError> {
        self.check_last_wave(last_targets, last_completes)?;
        let Carried { wanted, seed } = self.carried(&self.solve()?, last_targets, last_completes);
        let total = wanted.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        check_count(total, || "the total with what was missed".to_owned())?;
        let margins = self.margins().iter().map(|axes| self.summed(&wanted, axes)).collect();
        Ok(Table { seed: Some(seed), ..self.with_margins(margins) })
    }

    /// The same within the total: what the last wave missed is part of it, and the rest is a wave as any other. If more
    /// was missed than the total, the total is shared as that is. Bounds, a smallest cell, tolerances and ranges are
    /// those of the whole table, with what was missed. Where more came in too many than a cell has, the others give up
    /// the rest in proportion.
    ///
    /// ```
    /// use cintx_quota::{Axis, Table};
    ///
    /// let table = Table::builder()
    ///     .total(112)
    ///     .axis(Axis::percentages("age", [("18-34", 96.0), ("35+", 4.0)]))
    ///     .axis(Axis::percentages("region", [("North", 60.0), ("South", 40.0)]))
    ///     .smallest_cell(5)
    ///     .build()?;
    /// assert!(table.solve().is_err());            // 4 people cannot be 5 in the North and 5 in the South
    /// // Twelve of the old are missing from the last wave: with them there are enough.
    /// let table = table.carry_over_within(&[288, 192, 12, 8], &[288, 192, 5, 3])?;
    /// assert_eq!(table.solve()?.cells(), [58, 38, 9, 7]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`carry_over`](Self::carry_over); that the targets which come out cannot be met says [`Table::solve`].
    pub fn carry_over_within(&self, last_targets: &[u64], last_completes: &[u64]) -> Result<Table, SolveError> {
        self.check_last_wave(last_targets, last_completes)?;
        let sum = |counts: &[u64]| counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        let missed = sum(last_targets).saturating_sub(sum(last_completes));
        let wave = self.without_bounds().at_total(self.total.saturating_sub(missed))?.giving_freely();
        let solution = wave.solve()?;
        let mut next = wave.carried(&solution, last_targets, last_completes);
        if sum(&next.wanted) == 0 {
            // So much came in too many everywhere that nothing is left to take it off.
            next = wave.carried(&solution, last_targets, last_targets);
        }
        let Carried { wanted, seed } = next;
        let total = sum(&wanted);
        check_count(total, || "the total with what was missed".to_owned())?;
        let carried = wave.with_margins(wave.margins_with(&wanted, &solution));
        let carried = if total == self.total { carried } else { carried.at_total(self.total)? };
        let mut carried = Table {
            seed: Some(seed),
            least: self.least.clone(),
            most: self.most.clone(),
            raised: self.raised.clone(),
            ..carried
        };
        carried.give_as(self);
        carried.ask_as(&wave);
        Ok(carried)
    }

    fn check_last_wave(&self, targets: &[u64], completes: &[u64]) -> Result<(), TableError> {
        let expected = self.shape.cells();
        for (what, given) in [("last targets", targets.len()), ("last completes", completes.len())] {
            if given != expected {
                return Err(TableError::Length { what, given, expected });
            }
        }
        for (cell, (target, done)) in targets.iter().zip(completes).enumerate() {
            check_count(*target, || format!("last target {cell}"))?;
            check_count(*done, || format!("last completes {cell}"))?;
        }
        Ok(())
    }

    /// What a solved wave and the last one come to, for lists that were checked.
    fn carried(&self, solution: &Solution, last_targets: &[u64], last_completes: &[u64]) -> Carried {
        let last = last_targets.iter().zip(last_completes);
        let next = |(cell, (count, (target, done))): (usize, (&u64, (&u64, &u64)))| {
            (count + target).saturating_sub(*done).max(self.least_of(cell)).min(self.most_of(cell))
        };
        let wanted: Vec<u64> = solution.cells().iter().zip(last).enumerate().map(next).collect();
        // Fractions that rounding took, and cells that are empty for now, keep their place in the proportions: also
        // those of which this wave has nobody, as long as nobody has excluded them.
        let is_excluded =
            |cell: usize| self.most_of(cell) == 0 || self.seed.as_ref().is_some_and(|seed| seed[cell] == 0.0);
        let fractions = solution.fit().cells.iter().zip(solution.cells()).zip(&wanted).enumerate();
        let seed = fractions.map(|(cell, ((fit, count), wanted))| match is_excluded(cell) {
            true => 0.0,
            false if !solution.fit().converged => (*wanted as f64).max(LEAST_WEIGHT),
            false => (*wanted as f64 + (fit - *count as f64) * JUST_LESS).max(LEAST_WEIGHT),
        });
        Carried { seed: seed.collect(), wanted }
    }

    /// The margins that are asked for with what was missed: those of the wave as they were asked for, also where it had
    /// to give.
    fn margins_with(&self, wanted: &[u64], wave: &Solution) -> Vec<Vec<u64>> {
        let axes = self.margins();
        let sums: Vec<Vec<u64>> = axes.iter().map(|axes| self.summed(wanted, axes)).collect();
        let asked = |(margin, sums): (usize, &Vec<u64>)| -> Option<Vec<u64>> {
            let kept = wave.sums(&axes[margin]);
            let pairs = self.margin_targets(margin).iter().zip(kept).zip(sums);
            pairs.map(|((asked, kept), sum)| (sum + asked).checked_sub(kept)).collect()
        };
        let asked: Option<Vec<Vec<u64>>> = sums.iter().enumerate().map(asked).collect();
        // Where more came in than that leaves, what came out of the wave is what there is.
        asked.unwrap_or(sums)
    }

    /// The same without bounds on how many a cell holds; what is excluded stays so.
    fn without_bounds(&self) -> Self {
        let excluded = |most: &u64| if *most == 0 { 0 } else { u64::MAX };
        let most = if self.most.contains(&0) { self.most.iter().map(excluded).collect() } else { Vec::new() };
        Self { least: Vec::new(), most, raised: None, ..self.clone() }
    }

    /// The same with margins that give as far as they must, where it may be that they have to.
    fn giving_freely(mut self) -> Self {
        if !self.is_bounded() && self.kept.is_empty() && !self.may_give() {
            return self;
        }
        let free = |give: &Option<Give>| Some(Give::any(give.as_ref().map_or(1.0, |give| give.importance)));
        for margin in &mut self.kept {
            margin.give = free(&margin.give);
        }
        if self.kept.is_empty() {
            self.axes.iter_mut().for_each(|axis| axis.give = free(&axis.give));
        }
        self
    }

    /// Margins give as those of another table with the same margins do.
    fn give_as(&mut self, other: &Self) {
        self.axes.iter_mut().for_each(|axis| axis.give = None);
        for (axes, give) in other.margins().into_iter().zip(other.gives()) {
            let give = give.cloned();
            if let [axis] = axes.as_slice() {
                self.axes[*axis].give.clone_from(&give);
            }
            let names: Vec<String> = axes.iter().map(|axis| self.axes[*axis].name.clone()).collect();
            for joint in self.joints.iter_mut().filter(|joint| joint.axes == names) {
                joint.give.clone_from(&give);
            }
            for margin in self.kept.iter_mut().filter(|margin| margin.axes == axes) {
                margin.give.clone_from(&give);
            }
        }
    }

    /// A share that comes to nobody was asked for all the same: this says how much it is worth, where the wave does.
    fn ask_as(&mut self, wave: &Self) {
        for (axis, own) in self.axes.iter_mut().zip(&wave.axes) {
            if own.asked == Targets::Joint && self.joints.iter().any(|joint| joint.axes.contains(&axis.name)) {
                axis.asked = Targets::Joint;
                continue;
            }
            let worth = |at: usize| own.targets.rounded.iter().find(|rounded| rounded.share == at);
            axis.asked = with_nobody(&axis.asked, &own.asked.nobody(), |at| worth(at).map(|rounded| rounded.exact));
            let is_empty = |share: usize| axis.targets.counts.get(share) == Some(&0);
            axis.targets.rounded =
                own.targets.rounded.iter().filter(|it| it.count == 0 && is_empty(it.share)).cloned().collect();
        }
        for joint in &mut self.joints {
            let own = wave.joints.iter().find(|own| own.axes == joint.axes);
            let nobody = own.map_or_else(Vec::new, |own| own.targets.nobody());
            joint.targets = with_nobody(&joint.targets, &nobody, |_| None);
        }
    }
}

/// Shares of which those that come to 0 are a little above it, unless nobody was asked for.
fn with_nobody(targets: &Targets, nobody: &[bool], worth: impl Fn(usize) -> Option<f64>) -> Targets {
    let Targets::Shares(shares) = targets.proportions() else { return targets.clone() };
    let share = |(at, share): (usize, f64)| match nobody.get(at) {
        Some(false) if share == 0.0 => worth(at).unwrap_or(LEAST_WEIGHT).max(LEAST_WEIGHT),
        _ => share,
    };
    Targets::Shares(shares.into_iter().enumerate().map(share).collect())
}
