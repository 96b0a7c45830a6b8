//! Ways out when a category has more completes than its target: a higher total, others that give way, or the overfill
//! accepted. Each is a plan to approve, with what it costs in completes.

use std::fmt;

use crate::apportion::{Apportionment, apportion};
use crate::error::SolveError;
use crate::joint::Joint;
use crate::rebalance::Plan;
use crate::table::{Kept, Table};

/// A category that holds more than its target, whatever is done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Overfill {
    /// The margin, by its place in [`Table::margins`]: the number of the axis, unless there are joint margins.
    pub margin: usize,
    /// The category, by its place in the margin.
    pub category: usize,
    /// Its label; those of a combination with ` × ` between them.
    pub label: String,
    /// Its target.
    pub target: u64,
    /// What it holds at least: completes, and the targets of closed cells.
    pub holds: u64,
}

impl fmt::Display for Overfill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} holds {} of {}", self.label, self.holds, self.target)
    }
}

/// A way out of an overfilled table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum WayOut {
    /// The total rises until the overfilled categories are in proportion: the least total that works.
    RaiseTotal,
    /// The other categories of the overfilled questions give way at the same total: each gives the same part of what is
    /// still to come.
    GiveWay,
    /// The overfill stays and all other categories of the overfilled questions keep their targets; the total rises by
    /// the overfill.
    Accept,
}

impl fmt::Display for WayOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RaiseTotal => "raise the total",
            Self::GiveWay => "let the other categories give way",
            Self::Accept => "accept the overfill",
        })
    }
}

/// A way out that works, to be approved.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Which way.
    pub way: WayOut,
    /// The table with its new margins.
    pub table: Table,
    /// The change of the cells.
    pub plan: Plan,
    /// What is completed in the end, more than was asked for.
    pub additional: u64,
    /// What is still to be completed.
    pub to_come: u64,
    /// By how much categories fall short of what they should hold, the margin that loses most: in
    /// [`WayOut::GiveWay`] the price of the unchanged total.
    pub given_up: u64,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { way, table, additional, to_come, given_up, .. } = self;
        write!(f, "{way}: {} in all, {additional} more than asked for, {to_come} to come", table.total())?;
        if *given_up > 0 { write!(f, ", other categories give up {given_up}") } else { Ok(()) }
    }
}

/// What is overfilled, and what can be done about it.
#[derive(Clone, Debug, PartialEq)]
pub struct WaysOut {
    /// The categories that hold more than their targets.
    pub overfilled: Vec<Overfill>,
    /// The ways that work.
    pub choices: Vec<Choice>,
    /// Those that do not, and why.
    pub impossible: Vec<(WayOut, SolveError)>,
}

impl WaysOut {
    /// The choice of a way, if it works.
    pub fn choice(&self, way: WayOut) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.way == way)
    }
}

impl Table {
    /// What can be done where [`rebalance`](Self::rebalance) cannot, because a category has more completes than its
    /// target: each way as a plan to approve. The lists are those of `rebalance`.
    ///
    /// ```
    /// use cintx_quota::{Axis, Table, WayOut};
    ///
    /// let table = Table::builder()
    ///     .axis(Axis::counts("age", [("18-34", 50), ("35+", 50)]))
    ///     .axis(Axis::counts("region", [("North", 50), ("South", 50)]))
    ///     .build()?;
    /// // 60 of 50 young people came.
    /// let (targets, completes) = ([25, 25, 25, 25], [35, 25, 10, 10]);
    /// assert!(table.rebalance(&targets, &completes, &[]).is_err());
    ///
    /// let ways = table.ways_out(&targets, &completes, &[])?;
    /// assert_eq!(ways.overfilled[0].to_string(), "18-34 holds 60 of 50");
    /// let said: Vec<String> = ways.choices.iter().map(ToString::to_string).collect();
    /// assert_eq!(said, [
    ///     "raise the total: 119 in all, 19 more than asked for, 39 to come",
    ///     "let the other categories give way: 100 in all, 0 more than asked for, 20 to come, other categories give up 10",
    ///     "accept the overfill: 110 in all, 10 more than asked for, 30 to come",
    /// ]);
    /// let accept = ways.choice(WayOut::Accept).expect("it works");
    /// assert_eq!(accept.plan.cells, [35, 25, 25, 25]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Ways that come to the same are all listed. Without any overfilled category only a higher total is tried, which
    /// helps where several cells together hold too much, and that others give way where the leasts of cells are more
    /// than a target.
    ///
    /// # Errors
    /// [`SolveError::Input`] as in `rebalance`, and [`SolveError::Stopped`]. A way that does not work is no error.
    pub fn ways_out(&self, targets: &[u64], completes: &[u64], closed: &[bool]) -> Result<WaysOut, SolveError> {
        let field = self.in_field(targets, completes, closed)?;
        let floor: Vec<u64> = (0..self.shape.cells()).map(|cell| field.least_of(cell)).collect();
        self.start()?;
        let came = targets.iter().zip(completes).enumerate().map(|(cell, (target, completes))| {
            let is_closed = closed.get(cell).copied().unwrap_or(false);
            if is_closed { *completes.max(target) } else { *completes }
        });
        let overfilled = self.overfilled(&came.collect::<Vec<_>>());
        // A least that was asked for holds a place, but nobody came for it.
        let is_held = !self.overfilled(&floor).is_empty();
        let mut ways = WaysOut { overfilled, choices: Vec::new(), impossible: Vec::new() };
        for way in [WayOut::RaiseTotal, WayOut::GiveWay, WayOut::Accept] {
            let table = match way {
                WayOut::RaiseTotal => {
                    field.least_total_from(self.total).and_then(|total| self.at_total(total).map_err(Into::into))
                }
                WayOut::GiveWay if is_held => self.giving_way(&field, targets, &floor),
                WayOut::Accept if !ways.overfilled.is_empty() => self.accepting(&field, targets, &floor),
                WayOut::GiveWay | WayOut::Accept => continue,
            };
            let plan = table.and_then(|table| Ok((table.rebalance(targets, completes, closed)?, table)));
            match plan {
                Ok((plan, table)) => ways.choices.push(self.choice(way, table, plan, completes)),
                Err(error @ SolveError::Stopped(_)) => return Err(error),
                Err(error) => ways.impossible.push((way, error)),
            }
        }
        Ok(ways)
    }

    fn choice(&self, way: WayOut, table: Table, plan: Plan, completes: &[u64]) -> Choice {
        let lost = |margin: usize| {
            let pairs = self.margin_targets(margin).iter().zip(table.margin_targets(margin));
            pairs.map(|(before, after)| before.saturating_sub(*after)).sum()
        };
        let given_up = (0..self.margins().len()).map(lost).max().unwrap_or(0);
        let to_come = plan.cells.iter().zip(completes).map(|(target, done)| target.saturating_sub(*done)).sum();
        Choice { way, additional: table.total.saturating_sub(self.total), to_come, given_up, plan, table }
    }

    fn overfilled(&self, held: &[u64]) -> Vec<Overfill> {
        let mut overfilled = Vec::new();
        for (margin, axes) in self.margins().into_iter().enumerate() {
            let holds = self.summed(held, &axes);
            let kept = Kept { axes, counts: Vec::new(), give: None };
            let labels = kept.labels(&self.axes);
            let pairs = self.margin_targets(margin).iter().zip(holds).zip(labels).enumerate();
            for (category, ((target, holds), label)) in pairs.filter(|(_, ((target, holds), _))| holds > *target) {
                overfilled.push(Overfill { margin, category, label, target: *target, holds });
            }
        }
        overfilled
    }

    /// At the same total: who holds too much keeps it, and the others give the same part of what is still to come.
    fn giving_way(&self, field: &Table, targets: &[u64], floor: &[u64]) -> Result<Table, SolveError> {
        let mut margins = Vec::new();
        for (margin, axes) in self.margins().iter().enumerate() {
            let (targets, holds) = (self.margin_targets(margin), self.summed(floor, axes));
            let taken: u64 = holds.iter().sum();
            if targets.iter().zip(&holds).all(|(target, holds)| holds <= target) {
                margins.push(targets.to_vec());
                continue;
            }
            let open: Vec<f64> =
                targets.iter().zip(&holds).map(|(target, holds)| target.saturating_sub(*holds) as f64).collect();
            // More than the total has come in: the field itself is the proof.
            let Some(rest) = self.total.checked_sub(taken) else {
                field.exists()?;
                return Err(SolveError::Unresolved { cases: 0 });
            };
            let more = apportion(&self.axes[axes[0]].name, &open, rest)?.counts;
            margins.push(holds.iter().zip(more).map(|(holds, more)| holds + more).collect());
        }
        match self.has_shared_axes() {
            true => self.giving_way_together(field, targets, floor),
            false => Ok(self.with_margins(margins)),
        }
    }

    /// At a total that is higher by the overfill: no category gets less than its target, and where a question has no
    /// overfill of its own, its categories grow by the people who came.
    fn accepting(&self, field: &Table, targets: &[u64], floor: &[u64]) -> Result<Table, SolveError> {
        let all = self.margins();
        let mut margins: Vec<Vec<u64>> = Vec::new();
        let mut is_over = vec![false; floor.len()];
        for (margin, axes) in all.iter().enumerate() {
            let holds = self.summed(floor, axes);
            let own = self.margin_targets(margin);
            for (over, slice) in is_over.iter_mut().zip(self.slices(axes)) {
                *over |= holds[slice as usize] > own[slice as usize];
            }
            margins.push(own.iter().zip(holds).map(|(target, holds)| *target.max(&holds)).collect());
        }
        let came = floor.iter().zip(targets).zip(&is_over);
        let came: Vec<u64> =
            came.map(|((floor, target), over)| if *over { floor.saturating_sub(*target) } else { 0 }).collect();
        match self.has_shared_axes() {
            true => self.accepting_together(field, &margins, &came, floor, targets),
            false => {
                let total = margins.iter().map(|margin| margin.iter().sum::<u64>()).max().unwrap_or(self.total);
                Ok(self.with_margins(self.grown(&margins, &came, total)?))
            }
        }
    }

    /// Margins with what is missing to a total: for the people who came, and without any in their proportions.
    pub(crate) fn grown(&self, margins: &[Vec<u64>], came: &[u64], total: u64) -> Result<Vec<Vec<u64>>, SolveError> {
        let mut grown = margins.to_vec();
        for (axes, margin) in self.margins().iter().zip(&mut grown) {
            let missing = total.saturating_sub(margin.iter().sum::<u64>());
            let mut parts: Vec<f64> = self.summed(came, axes).into_iter().map(|count| count as f64).collect();
            if parts.iter().all(|part| *part == 0.0) {
                parts = margin.iter().map(|count| *count as f64).collect();
            }
            let more = apportion(&self.axes[axes[0]].name, &parts, missing)?.counts;
            margin.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        }
        Ok(grown)
    }

    /// The same table with other margins, which must add up to the same. Targets of axes follow from them.
    pub(crate) fn with_margins(&self, margins: Vec<Vec<u64>>) -> Table {
        let mut table = self.clone();
        table.total = margins.first().map_or(0, |margin| margin.iter().sum());
        for (number, (counts, axes)) in margins.into_iter().zip(self.margins()).enumerate() {
            let (before, after) = ((self.margin_targets(number), self.total), (counts.as_slice(), table.total));
            let give = self.gives().get(number).copied().flatten().map(|give| give.moved(before, after));
            let kept = Kept { axes, counts, give };
            for axis in &kept.axes {
                let counts = kept.summed_over(*axis, &self.axes);
                table.axes[*axis].asked = crate::axis::Targets::Counts(counts.clone());
                table.axes[*axis].targets = Apportionment { counts, rounded: Vec::new() };
            }
            if let [axis] = kept.axes.as_slice() {
                table.axes[*axis].give.clone_from(&kept.give);
            }
            if let Some(own) = table.kept.iter_mut().find(|own| own.axes == kept.axes) {
                *own = kept;
            }
        }
        let name = |axis: &usize| self.axes[*axis].name.clone();
        let joints = table.kept.iter().filter(|kept| kept.axes.len() > 1).map(|kept| Joint {
            give: kept.give.clone(),
            ..Joint::counts(kept.axes.iter().map(name), kept.counts.clone())
        });
        table.joints = joints.collect();
        table
    }
}
