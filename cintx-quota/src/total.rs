//! The same table for another total, and the least total that works.
//! Margins grow and shrink in the proportions that were asked for.

use crate::axis::{Axis, Targets};
use crate::builder::{check_bounds, in_whole_numbers};
use crate::error::{SolveError, TableError, check_count};
use crate::joint::{Joint, resolve};
use crate::lift::Lifted;
use crate::proof::Proof;
use crate::slack::{scaled_down, scaled_up};
use crate::solve::stages::{Stages, bounds_of};
use crate::table::Table;

/// What the weights of a cut come to at least: each category at the end of its range where its weight counts least. In
/// every table it is at most what the cells hold.
struct Demand {
    weights: Vec<Vec<i128>>,
    of_total: i128,
}

impl Demand {
    /// Of a cut for a table, or for [`as_exact`](Table::as_exact) of it.
    fn of(table: &Table, cut: &[Vec<i64>]) -> Self {
        let wide = |weights: &[i64]| weights.iter().map(|weight| i128::from(*weight)).collect::<Vec<_>>();
        let mut weights: Vec<Vec<i128>> = cut.iter().map(|weights| wide(weights)).collect();
        let margins = table.margins().len();
        if !table.may_give() {
            return Self { weights, of_total: 0 };
        }
        // Written with counts of categories in place of their tolerances, whose cells hold what is left to the most:
        // the last category of a margin are the tolerances of all others.
        let tolerances: Vec<i128> = weights.iter_mut().map(|weights| weights.pop().unwrap_or(0)).collect();
        let sum: i128 = tolerances.iter().sum();
        for (weights, own) in weights.iter_mut().zip(&tolerances) {
            weights.iter_mut().for_each(|weight| *weight += sum - own);
        }
        let mut of_total = sum * (1 - tolerances.len() as i128);
        // A table of one axis has its total as the other.
        of_total += weights.drain(margins..).flatten().sum::<i128>();
        Self { weights, of_total }
    }

    fn at(&self, table: &Table) -> i128 {
        let mut sum = self.of_total.saturating_mul(i128::from(table.total()));
        for (margin, weights) in self.weights.iter().enumerate() {
            for (weight, (least, most)) in weights.iter().zip(table.margin_ranges(margin)) {
                let count = if *weight > 0 { least } else { most };
                sum = sum.saturating_add(weight.saturating_mul(i128::from(count)));
            }
        }
        sum
    }

    /// How much it grows with the total, and how far it may be from that.
    fn in_proportion(&self, table: &Table) -> (f64, f64) {
        let (mut slope, mut blur) = (self.of_total as f64, 1.0);
        for ((weights, (shares, rounding)), give) in self.weights.iter().zip(table.proportions()).zip(table.gives()) {
            let ranges = match give {
                Some(give) => give.in_proportion(&shares, rounding),
                None => shares.iter().map(|share| ((*share, *share), rounding)).collect(),
            };
            for (weight, ((least, most), own)) in weights.iter().zip(ranges).filter(|(weight, _)| **weight != 0) {
                let weight = *weight as f64;
                slope += weight * if weight > 0.0 { least } else { most };
                blur += weight.abs() * own;
            }
        }
        (slope, blur)
    }
}

impl Table {
    /// The same table for another total: every margin in the proportions that were asked for, in shares if it was asked
    /// for in shares, so that no rounding of an earlier total stays. [Ranges](Axis::ranges) grow and shrink with the
    /// targets. Bounds and seed are the same.
    ///
    /// With [`rebalance`](Self::rebalance) this scales up after a soft launch:
    ///
    /// ```
    /// use cintx_quota::{Axis, Table};
    ///
    /// let soft = Table::builder()
    ///     .total(100)
    ///     .axis(Axis::percentages("age", [("18-34", 33.3), ("35-54", 33.3), ("55+", 33.4)]))
    ///     .axis(Axis::percentages("region", [("North", 50.0), ("South", 50.0)]))
    ///     .build()?;
    /// let targets = soft.solve()?.into_cells();
    /// let completes = [20, 15, 16, 17, 14, 18];
    /// let plan = soft.at_total(1_000)?.rebalance(&targets, &completes, &[])?;
    /// assert_eq!(plan.certificate.margins[0], [333, 333, 334]);      // not ten times 33, 33, 34
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TableError`] if the total is above [`Table::MAX_COUNT`], or all targets are 0 and the total is not.
    pub fn at_total(&self, total: u64) -> Result<Table, TableError> {
        check_count(total, || "the total".to_owned())?;
        let axis = |axis: &crate::table::Labelled| Axis {
            name: axis.name.clone(),
            labels: axis.labels.clone(),
            targets: axis.asked.proportions(),
            give: axis.give.clone(),
        };
        let joint = |joint: &Joint| Joint {
            axes: joint.axes.clone(),
            targets: joint.targets.proportions(),
            give: joint.give.clone(),
        };
        let joints: Vec<Joint> = self.joints.iter().map(joint).collect();
        let axes = self.axes.iter().map(axis).collect();
        let (mut axes, kept) = resolve(axes, &joints, total, |axis| in_whole_numbers(axis, total))?;
        // What was asked for stays what it was: percentages are not mistaken for counts the next time.
        for (axis, before) in axes.iter_mut().zip(&self.axes) {
            axis.asked = before.asked.clone();
        }
        Ok(Table { total, axes, kept, ..self.clone() })
    }

    /// The same table in parts of its total, a hundred for whole percents: margins as in [`at_total`](Self::at_total),
    /// bounds, ranges and a smallest cell in proportion. What a cell holds at least is rounded up, at most down.
    ///
    /// ```
    /// use cintx_quota::{Axis, Table};
    ///
    /// let table = Table::builder()
    ///     .total(500)
    ///     .axis(Axis::percentages("age", [("18-34", 60.0), ("35+", 40.0)]))
    ///     .axis(Axis::percentages("region", [("North", 50.0), ("South", 50.0)]))
    ///     .at_most(["18-34", "North"], 93)
    ///     .build()?;
    /// assert_eq!(table.in_parts(100)?.solve()?.cells(), [18, 42, 32, 8]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TableError`] as in [`at_total`](Self::at_total), and if a cell's least is above its greatest then.
    pub fn in_parts(&self, parts: u64) -> Result<Table, TableError> {
        let total = self.total;
        let own = self.without_smallest();
        let mut table = own.at_total(parts)?;
        table.least = own.least.iter().map(|least| scaled_up(*least, parts, total)).collect();
        let most = |most: &u64| if *most < u64::MAX { scaled_down(*most, parts, total) } else { u64::MAX };
        table.most = own.most.iter().map(most).collect();
        let gives = table.axes.iter_mut().map(|axis| &mut axis.give);
        let gives = gives.chain(table.kept.iter_mut().map(|margin| &mut margin.give));
        let gives = gives.chain(table.joints.iter_mut().map(|joint| &mut joint.give));
        gives.flatten().for_each(|give| *give = give.in_parts(parts, total));
        if let Some(raised) = &self.raised {
            table.raise_least(scaled_up(raised.smallest, parts, total));
        }
        check_bounds(&table)?;
        Ok(table)
    }

    /// The least total at which a table exists between the bounds, the margins in their proportions: with a
    /// [smallest cell](crate::TableBuilder::smallest_cell), the least total that gives every cell so many. Every total
    /// below it has been ruled out.
    ///
    /// ```
    /// use cintx_quota::{Axis, Table};
    ///
    /// let table = Table::builder()
    ///     .total(100)
    ///     .axis(Axis::percentages("age", [("18-34", 96.0), ("35+", 4.0)]))
    ///     .axis(Axis::percentages("region", [("North", 60.0), ("South", 40.0)]))
    ///     .smallest_cell(5)
    ///     .build()?;
    /// assert!(table.solve().is_err());            // 4 people cannot be 5 in the North and 5 in the South
    /// assert_eq!(table.least_total()?, 238);      // 4 % of 238 are 9.5, or 10 people
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SolveError::Infeasible`] with a proof for the largest total that was looked at, if no total works;
    /// [`SolveError::Unresolved`] as in [`Table::solve`].
    pub fn least_total(&self) -> Result<u64, SolveError> {
        // No total is less than what the cells must hold.
        let least = self.least.iter().fold(0_u64, |sum, least| sum.saturating_add(*least));
        self.least_total_from(least.min(Self::MAX_COUNT))
    }

    /// The least total from one on that works.
    pub(crate) fn least_total_from(&self, from: u64) -> Result<u64, SolveError> {
        const MAX_TOTALS: usize = 10_000;
        let mut total = from;
        for _ in 0..MAX_TOTALS {
            let table = self.at_total(total)?;
            match table.exists() {
                Ok(()) => return Ok(total),
                Err(SolveError::Infeasible(proof)) => match table.next_total(&proof)? {
                    Some(next) => total = next,
                    None => return Err(SolveError::Infeasible(proof)),
                },
                Err(error) => return Err(error),
            }
        }
        Err(SolveError::Unresolved { cases: MAX_TOTALS })
    }

    /// The next total that a proof for this one does not rule out; `None` if it rules out all of them.
    fn next_total(&self, proof: &Proof) -> Result<Option<u64>, SolveError> {
        // How long rounding alone may open a way that the proportions close.
        const MAX_ROUNDING_STEPS: u64 = 1_000;
        // How many totals are looked at one by one where it is not known how far rounding goes.
        const MAX_UNBOUNDED_STEPS: u64 = 100_000;
        let total = self.total;
        let Some(cut) = proof.cut() else { return Ok(total.checked_add(1).filter(|next| *next <= Self::MAX_COUNT)) };
        let demand = Demand::of(self, &cut.weights);
        // What the cells hold is the same at every total.
        let signed = |count: u128| i128::try_from(count).unwrap_or(i128::MAX);
        let over = signed(cut.needs).saturating_sub(signed(cut.holds));
        let room = demand.at(self).saturating_sub(over);
        let (slope, blur) = demand.in_proportion(self);
        let falls = slope < -1e-12;
        let mut next = total.saturating_add(1);
        if falls {
            let clear = ((room as f64 + blur) / slope).floor();
            if clear > next as f64 {
                next = if clear < Self::MAX_COUNT as f64 { clear as u64 } else { return Ok(None) };
            }
        }
        let steps = match blur.is_finite() {
            true if falls => u64::MAX,
            true => MAX_ROUNDING_STEPS,
            false => MAX_UNBOUNDED_STEPS,
        };
        let last = next.saturating_add(steps).min(Self::MAX_COUNT);
        // Margins alone are asked: a copy without seed and bounds has them.
        let bare = Table { seed: None, least: Vec::new(), most: Vec::new(), raised: None, ..self.clone() };
        let categories = cut.weights.iter().map(Vec::len).sum::<usize>() as u64;
        while next <= last {
            self.budget.is_over_after(categories);
            self.check_budget()?;
            if demand.at(&bare.at_total(next)?) <= room {
                return Ok(Some(next));
            }
            next += 1;
        }
        match blur.is_finite() {
            true => Ok(None),
            false => Err(SolveError::Unresolved { cases: usize::try_from(steps).unwrap_or(usize::MAX) }),
        }
    }

    /// The proportions of each margin, and how far a whole target may be from its part of the total.
    fn proportions(&self) -> Vec<(Vec<f64>, f64)> {
        let counts = |counts: &[u64]| counts.iter().map(|count| *count as f64).collect::<Vec<_>>();
        let margin = |(margin, axes): (usize, Vec<usize>)| {
            let joint = self.joints.iter().find(|joint| self.is_over(joint, &axes));
            let own = match (joint, axes.as_slice()) {
                (Some(joint), _) => joint.targets.proportions(),
                (None, [axis]) => self.axes[*axis].asked.proportions(),
                (None, _) => Targets::Joint,
            };
            let (parts, blur) = match own {
                Targets::Shares(shares) => (shares, self.rounding(joint, &axes)),
                _ => (counts(self.margin_targets(margin)), f64::INFINITY),
            };
            let sum: f64 = parts.iter().sum();
            (parts.iter().map(|part| if sum > 0.0 { part / sum } else { 0.0 }).collect(), blur)
        };
        self.margins().into_iter().enumerate().map(margin).collect()
    }

    fn is_over(&self, joint: &Joint, axes: &[usize]) -> bool {
        joint.axes.len() == axes.len() && joint.axes.iter().zip(axes).all(|(name, axis)| self.axes[*axis].name == *name)
    }

    /// How far rounding may take a target of a margin from its part. Largest remainders: less than one. A joint margin
    /// that agrees with whole targets of its axes is fitted to them and rounded: the fit of two axes is no farther off
    /// than half of their categories together, since the cells in rows and columns that grow, less those in the others,
    /// come to what these rows and columns differ by. Of more axes nothing is known.
    fn rounding(&self, joint: Option<&Joint>, axes: &[usize]) -> f64 {
        let Some(joint) = joint else { return 1.0 };
        let is_known = axes.iter().any(|axis| self.axes[*axis].asked != Targets::Joint);
        let mut others = self.joints.iter().filter(|other| *other != joint).flat_map(|other| &other.axes);
        match axes {
            _ if !is_known && !others.any(|axis| joint.axes.contains(axis)) => 1.0,
            [_] => 2.0,
            [one, other] => 2.0 + (self.labels(*one).len() + self.labels(*other).len()) as f64 / 2.0,
            _ => f64::INFINITY,
        }
    }

    /// Whether there is a table at all, without looking for a near one if that can be told.
    pub(crate) fn exists(&self) -> Result<(), SolveError> {
        self.start()?;
        if self.may_give() {
            return self.exists_within_ranges();
        }
        let lifted = Lifted::of(self);
        let solved = lifted.as_ref().map_or(self, |lifted| &lifted.table);
        if solved.axes() > 2 {
            return self.solve().map(|_| ());
        }
        let feasible = Stages::new(solved, bounds_of(solved)).feasible(0, 1);
        self.check_budget()?;
        feasible.map_err(|error| match &lifted {
            Some(lifted) => lifted.reason_back(self, error),
            None => error,
        })
    }

    /// One number for each cell, summed over all axes but these.
    pub(crate) fn summed(&self, cells: &[u64], axes: &[usize]) -> Vec<u64> {
        let mut sums = vec![0_u64; axes.iter().map(|axis| self.labels(*axis).len()).product()];
        for (slice, cell) in self.slices(axes).into_iter().zip(cells) {
            sums[slice as usize] = sums[slice as usize].saturating_add(*cell);
        }
        sums
    }
}
