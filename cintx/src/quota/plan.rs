//! A list of changes to approve, found by `cintx-quota` or made by hand, and applied by [`crate::quota::Quotas`].

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Quota, QuotaTable};
use crate::error::{Error, FieldError};

/// One quota whose target changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QuotaChange {
    /// The quota's id, if it is in field.
    pub quota: Option<String>,
    /// The cell in words.
    pub label: String,
    /// The target so far.
    pub from: u64,
    /// The target from now on.
    pub to: u64,
    /// What is completed.
    pub completes: u64,
}

/// New targets for one table. `Display` lists the changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QuotaPlan {
    /// The profile's id, if it is in field.
    pub profile: Option<String>,
    /// What changes, in the order of the cells; nothing else does.
    pub changes: Vec<QuotaChange>,
    /// What all targets of the table add up to afterwards.
    pub total: u64,
    /// The goal of the whole target group, where one was asked for by [`Rebalancing::to`](super::Rebalancing::to).
    /// Without one its goal changes by what the targets do, as it does where some of them have no quota and no audience
    /// says what is theirs.
    #[serde(default)]
    pub goal: Option<u64>,
    /// The sum of all changes, up and down.
    pub moved: u64,
    /// Whether it was proved that no smaller change does it: always so with one or two questions.
    pub proved_smallest: bool,
    /// No change that does it moves less than this.
    #[serde(default)]
    pub least_moved: u64,
    /// How much more it distorts the proportions than the plan that does so least, of those that move as little and
    /// shut as few cells: at most, and as a share of that (0.04 for 4 %). 0 if it was proved the least, as always with
    /// one or two questions; `None` where it is not known.
    #[serde(default)]
    pub distortion_gap: Option<Decimal>,
}

impl QuotaPlan {
    /// What the changes come to, up less down.
    pub(crate) fn added(&self) -> i128 {
        self.changes.iter().map(|change| i128::from(change.to) - i128::from(change.from)).sum()
    }
}

impl fmt::Display for QuotaPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.changes.iter().map(|change| change.label.chars().count()).max().unwrap_or(0);
        for change in &self.changes {
            let QuotaChange { label, from, to, completes, .. } = change;
            writeln!(f, "{label:width$}  {from} -> {to}  ({completes} completed)")?;
        }
        write!(f, "{} of {} change, {} completes moved", self.changes.len(), self.total, self.moved)?;
        if !self.proved_smallest && self.least_moved > 0 && self.moved > self.least_moved {
            let over = (u128::from(self.moved - self.least_moved) * 100).div_ceil(u128::from(self.least_moved));
            write!(f, ", at most {over} % more than the least")?;
        }
        match self.distortion_gap {
            Some(gap) if gap.is_zero() => Ok(()),
            Some(gap) => {
                let over = (gap * Decimal::ONE_HUNDRED).ceil().normalize();
                write!(f, ", at most {over} % more distorted than the least")
            }
            // A plan made by hand has no bound of what is moved either.
            None if self.least_moved == 0 => Ok(()),
            None => f.write_str(", how much more distorted than the least is not known"),
        }
    }
}

impl QuotaTable {
    /// A plan made by hand: new targets for some cells, by position. Nothing is said of the margins; what all targets
    /// add up to becomes the plan's total.
    ///
    /// # Errors
    /// If a cell is not there, or a target is 0 or below what is completed.
    pub fn plan<P: AsRef<[usize]>>(&self, targets: impl IntoIterator<Item = (P, u64)>) -> Result<QuotaPlan, Error> {
        let refuse = |reason: String| Error::invalid(vec![FieldError::new("targets", reason)]);
        let (mut changes, mut moved) = (Vec::new(), 0);
        let mut total = self.total();
        for (position, to) in targets {
            let position = position.as_ref();
            let quota = self.cell(position).ok_or_else(|| refuse(format!("have no cell {position:?}")))?;
            let (label, from, completes) = (self.label(position), quota.target.unwrap_or(0), quota.completes);
            if to == 0 || to < completes {
                let least = completes.max(1);
                return Err(refuse(format!("give {label} {to}, expected at least {least}")));
            }
            if to != from {
                moved += to.abs_diff(from);
                total = total - from + to;
                changes.push(QuotaChange { quota: quota.id.clone(), label, from, to, completes });
            }
        }
        let profile = self.profile.clone();
        let (proved_smallest, least_moved, distortion_gap) = (false, 0, None);
        Ok(QuotaPlan { profile, changes, total, goal: None, moved, proved_smallest, least_moved, distortion_gap })
    }

    /// The smallest change of the targets that keeps every margin and goes nowhere below what is completed. Cells with
    /// a target of 0 are closed and stay so; an open one keeps a target of at least 1, as the API takes it.
    /// [`rebalancing`](Self::rebalancing) says more: what the audience asked for, cells that may open again, limits.
    ///
    /// # Errors
    /// If no change does it: more has come in for one margin than its target, say. The error says which cells stand
    /// in the way, and [`ways_out`](super::Rebalancing::ways_out) what can be done.
    pub fn rebalance(&self) -> Result<QuotaPlan, Error> {
        self.rebalance_to(self.total())
    }

    /// The same for another goal: the margins grow or shrink in their proportions, but not below what is completed.
    ///
    /// # Errors
    /// As [`rebalance`](Self::rebalance).
    pub fn rebalance_to(&self, goal: u64) -> Result<QuotaPlan, Error> {
        self.rebalancing().to(goal).plan()
    }

    /// The table as it is once a plan is in force.
    #[must_use]
    pub fn after(&self, plan: &QuotaPlan) -> Self {
        let mut after = self.clone();
        for change in &plan.changes {
            let is_it = |quota: &Quota, at: usize| match &change.quota {
                Some(id) => quota.id.as_ref() == Some(id),
                None => self.label(&self.position(at)) == change.label,
            };
            let places = after.cells.iter_mut().enumerate();
            if let Some((_, quota)) = places.into_iter().find(|(at, quota)| is_it(quota, *at)) {
                quota.target = Some(change.to);
            }
        }
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_how_far_it_may_be_from_the_best() {
        let plan = |proved_smallest, least_moved, gap: Option<&str>| {
            let distortion_gap = gap.map(|gap| gap.parse().unwrap());
            let (changes, total, moved) = (Vec::new(), 100, 26);
            let (profile, goal) = (None, None);
            QuotaPlan { profile, changes, total, goal, moved, proved_smallest, least_moved, distortion_gap }.to_string()
        };
        let start = "0 of 100 change, 26 completes moved";
        assert_eq!(plan(true, 26, Some("0")), start);
        assert_eq!(plan(false, 25, Some("0")), format!("{start}, at most 4 % more than the least"));
        let distorted = format!("{start}, at most 4 % more distorted than the least");
        assert_eq!(plan(true, 26, Some("0.0312")), distorted);
        assert_eq!(plan(true, 26, None), format!("{start}, how much more distorted than the least is not known"));
        // Made by hand: nothing is known, and nothing was promised.
        assert_eq!(plan(false, 0, None), start);
    }
}
