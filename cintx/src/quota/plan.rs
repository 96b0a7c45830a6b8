//! Re-balancing in field: a list of changes to approve, found by `cintx-quota` and applied by [`crate::quota::Quotas`].

use std::fmt;

use cintx_quota::{Axis, SolveError, Table};
use serde::{Deserialize, Serialize};

use super::QuotaTable;
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
    /// What all targets add up to afterwards.
    pub total: u64,
    /// The sum of all changes, up and down.
    pub moved: u64,
    /// Whether it was proved that no smaller change does it: always so with one or two questions.
    pub proved_smallest: bool,
}

impl fmt::Display for QuotaPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.changes.iter().map(|change| change.label.chars().count()).max().unwrap_or(0);
        for change in &self.changes {
            let QuotaChange { label, from, to, completes, .. } = change;
            writeln!(f, "{label:width$}  {from} -> {to}  ({completes} completed)")?;
        }
        write!(f, "{} of {} change, {} completes moved", self.changes.len(), self.total, self.moved)
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
        Ok(QuotaPlan { profile: self.profile.clone(), changes, total, moved, proved_smallest: false })
    }

    /// The smallest change of the targets that keeps every margin and goes nowhere below what is completed. Cells with
    /// a target of 0 are closed and stay so; an open one keeps a target of at least 1, as the API takes it.
    ///
    /// # Errors
    /// If no change does it: more has come in for one margin than its target, say. The error says which cells stand
    /// in the way; [`rebalance_to`](Self::rebalance_to) with a higher goal may be the way out.
    pub fn rebalance(&self) -> Result<QuotaPlan, Error> {
        self.rebalance_to(self.total())
    }

    /// The same for another goal: the margins grow or shrink in their proportions, but not below what is completed.
    ///
    /// # Errors
    /// As [`rebalance`](Self::rebalance).
    pub fn rebalance_to(&self, goal: u64) -> Result<QuotaPlan, Error> {
        let refuse = |reason: String| Error::invalid(vec![FieldError::new("quotas", reason)]);
        let targets: Vec<u64> = self.cells.iter().map(|quota| quota.target.unwrap_or(0)).collect();
        let closed: Vec<bool> = targets.iter().map(|target| *target == 0).collect();
        let floor: Vec<u64> =
            self.cells.iter().zip(&closed).map(|(quota, closed)| quota.completes.max(u64::from(!closed))).collect();
        let mut builder = Table::builder().total(goal);
        for (number, axis) in self.axes.iter().enumerate() {
            let margin = self.margin(number).into_iter().map(|sum| sum.target.unwrap_or(0));
            let labels = axis.labels.iter().enumerate().map(|(at, label)| match axis.labels[..at].contains(label) {
                true => format!("{label} ({})", at + 1),
                false => label.clone(),
            });
            let name = axis.question.map_or_else(|| self.name.clone(), |question| format!("question {question}"));
            builder = builder.axis(Axis::shares(name, labels.zip(margin.map(|count| count as f64))));
        }
        let table = builder.build().map_err(|error| refuse(error.to_string()))?;
        let plan = table.rebalance(&targets, &floor, &closed).map_err(|error| match error {
            SolveError::Infeasible(cut) => refuse(format!("cannot be re-balanced: {cut}")),
            error => refuse(error.to_string()),
        })?;
        let changes = plan.changes.iter().filter_map(|change| {
            let quota = self.cell(&change.position)?;
            Some(QuotaChange {
                quota: quota.id.clone(),
                label: self.label(&change.position),
                from: change.from,
                to: change.to,
                completes: quota.completes,
            })
        });
        Ok(QuotaPlan {
            profile: self.profile.clone(),
            changes: changes.collect(),
            total: goal,
            moved: plan.moved,
            proved_smallest: plan.proved_smallest,
        })
    }
}
