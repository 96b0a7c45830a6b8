//! A list of changes to approve, found by `cintx-quota` or made by hand, and applied by [`crate::quota::Quotas`].

use std::collections::HashSet;
use std::fmt;

use cintx_quota::Table;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use unicode_width::UnicodeWidthStr as _;

use super::print::{isolated, space};
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
    /// How many cells were to get more and get none from now on, beyond what is completed or a target of 1.
    #[serde(default)]
    pub shut: usize,
    /// No change that moves as little shuts fewer cells than this: always so many as `shut` with one or two questions.
    /// Of a plan made by hand nothing is known, and it is 0.
    #[serde(default)]
    pub least_shut: usize,
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
        let width = self.changes.iter().map(|change| change.label.width()).max().unwrap_or(0);
        for QuotaChange { label, from, to, completes, .. } in &self.changes {
            let (name, space) = (isolated(label), space(label, width));
            writeln!(f, "{name}{space}  {from} -> {to}  ({completes} completed)")?;
        }
        write!(f, "{} of {} change, {} completes moved", self.changes.len(), self.total, self.moved)?;
        if !self.proved_smallest && self.least_moved > 0 && self.moved > self.least_moved {
            let over = (u128::from(self.moved - self.least_moved) * 100).div_ceil(u128::from(self.least_moved));
            write!(f, ", at most {over} % more than the least")?;
        }
        let cells = if self.shut == 1 { "cell" } else { "cells" };
        match (self.shut, self.least_shut) {
            (0, _) => {}
            // A plan made by hand has no bound of what is moved either.
            (shut, least) if shut <= least || self.least_moved == 0 => write!(f, ", {shut} {cells} shut")?,
            (shut, 0) => write!(f, ", {shut} {cells} shut, where fewer may do")?,
            (shut, least) => write!(f, ", {shut} {cells} shut, where {least} may do")?,
        }
        match self.distortion_gap {
            Some(gap) if gap.is_zero() => Ok(()),
            Some(gap) => {
                let over = (gap * Decimal::ONE_HUNDRED).ceil().normalize();
                write!(f, ", at most {over} % more distorted than the least")
            }
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
    /// If a cell is not there or named twice, a target is 0 or below what is completed, or counts are too large.
    pub fn plan<P: AsRef<[usize]>>(&self, targets: impl IntoIterator<Item = (P, u64)>) -> Result<QuotaPlan, Error> {
        let refuse = |reason: String| Error::invalid(vec![FieldError::new("targets", reason)]);
        let (mut changes, mut moved, mut shut) = (Vec::new(), 0_u64, 0);
        let sum: i128 = self.cells.iter().map(|quota| i128::from(quota.target.unwrap_or(0))).sum();
        let (mut named, mut total) = (HashSet::new(), sum);
        for (position, to) in targets {
            let position = position.as_ref();
            let quota = self.cell(position).ok_or_else(|| refuse(format!("have no cell {position:?}")))?;
            let (label, from, completes) = (self.label(position), quota.target.unwrap_or(0), quota.completes);
            let least = completes.max(1);
            if !named.insert(position.to_vec()) {
                return Err(refuse(format!("name {label} twice")));
            }
            if to < least {
                return Err(refuse(format!("give {label} {to}, expected at least {least}")));
            }
            if to > Table::MAX_COUNT {
                return Err(refuse(format!("give {label} {to}, expected at most {}", Table::MAX_COUNT)));
            }
            if to != from {
                moved = moved.saturating_add(to.abs_diff(from));
                total += i128::from(to) - i128::from(from);
                shut += usize::from(from > least && to == least);
                changes.push(QuotaChange { quota: quota.id.clone(), label, from, to, completes });
            }
        }
        let most = i128::from(Table::MAX_COUNT);
        let total = u64::try_from(total).ok().filter(|_| total <= most);
        let total = total.ok_or_else(|| refuse(format!("add up to too many, expected at most {most}")))?;
        Ok(QuotaPlan {
            profile: self.profile.clone(),
            changes,
            total,
            goal: None,
            moved,
            proved_smallest: false,
            least_moved: 0,
            shut,
            least_shut: 0,
            distortion_gap: None,
        })
    }

    /// The smallest change of the targets that keeps every margin and goes nowhere below what is completed. Cells with
    /// a target of 0 are closed and stay so; an open one keeps a target of at least 1, as the API takes it.
    /// [`rebalancing`](Self::rebalancing) says more: what the audience asked for, cells that may open again, limits.
    ///
    /// # Errors
    /// If no change does it: more has come in for one margin than its target, say. The error says which cells stand
    /// in the way, and [`ways_out`](super::Rebalancing::ways_out) what can be done.
    pub fn rebalance(&self) -> Result<QuotaPlan, Error> {
        self.rebalancing().plan()
    }

    /// The same for another goal: the margins grow or shrink in their proportions, but not below what is completed.
    ///
    /// # Errors
    /// As [`rebalance`](Self::rebalance).
    pub fn rebalance_to(&self, goal: u64) -> Result<QuotaPlan, Error> {
        self.rebalancing().to(goal).plan()
    }

    /// The table as it is once a plan is in force. [Warnings](Self::warnings) are about the targets that were planned
    /// first, so a change takes them away.
    #[must_use]
    pub fn after(&self, plan: &QuotaPlan) -> Self {
        let mut after = self.clone();
        if !plan.changes.is_empty() {
            after.warnings.clear();
        }
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
    use crate::audience::{Audience, Question};

    #[test]
    fn a_plan_says_how_far_it_may_be_from_the_best() {
        let plan = |proved_smallest, least_moved, gap: Option<&str>| {
            let distortion_gap = gap.map(|gap| gap.parse().unwrap());
            plan_of(proved_smallest, least_moved, (0, 0), distortion_gap).to_string()
        };
        let start = "0 of 100 change, 26 completes moved";
        assert_eq!(plan(true, 26, Some("0")), start);
        assert_eq!(plan(false, 25, Some("0")), format!("{start}, at most 4 % more than the least"));
        let distorted = format!("{start}, at most 4 % more distorted than the least");
        assert_eq!(plan(true, 26, Some("0.0312")), distorted);
        assert_eq!(plan(true, 26, None), format!("{start}, how much more distorted than the least is not known"));
        // Made by hand: nothing is known, and nothing was promised.
        assert_eq!(plan(false, 0, None), start);
        let shut = |shut, least| plan_of(true, 26, (shut, least), Some(Decimal::ZERO)).to_string();
        assert_eq!(shut(1, 1), format!("{start}, 1 cell shut"));
        assert_eq!(shut(3, 1), format!("{start}, 3 cells shut, where 1 may do"));
        assert_eq!(shut(2, 0), format!("{start}, 2 cells shut, where fewer may do"));
        assert_eq!(plan_of(false, 0, (2, 0), None).to_string(), format!("{start}, 2 cells shut"));
    }

    fn plan_of(
        proved_smallest: bool,
        least_moved: u64,
        (shut, least_shut): (usize, usize),
        distortion_gap: Option<Decimal>,
    ) -> QuotaPlan {
        QuotaPlan {
            profile: None,
            changes: Vec::new(),
            total: 100,
            goal: None,
            moved: 26,
            proved_smallest,
            least_moved,
            shut,
            least_shut,
            distortion_gap,
        }
    }

    fn table(targets: [u64; 4]) -> QuotaTable {
        let age = Question::range(42).band(18..=34, 50).band(35..=99, 50);
        let gender = Question::choice(43).option("1", 50).option("2", 50);
        let mut table = Audience::interlock([age, gender]).quota_table(100).unwrap();
        table.cells.iter_mut().zip(targets).for_each(|(quota, target)| quota.target = Some(target));
        table
    }

    #[test]
    fn a_plan_by_hand_names_each_cell_once_and_counts_what_can_be_counted() {
        let refused = |table: &QuotaTable, changes: &[([usize; 2], u64)]| {
            table.plan(changes.iter().copied()).unwrap_err().to_string()
        };
        let twice = refused(&table([60, 10, 10, 20]), &[([0, 0], 1), ([0, 0], 1)]);
        assert!(twice.contains("name 18-34 × option 1 twice"), "{twice}");
        assert!(refused(&table([25; 4]), &[([0, 0], 30), ([0, 0], 30)]).contains("twice"));
        for many in [u64::MAX, Table::MAX_COUNT + 1] {
            let error = refused(&table([60, 10, 10, 20]), &[([0, 0], many)]);
            assert!(error.contains("expected at most 9007199254740992"), "{error}");
        }
        let error = refused(&table([60, 10, 10, 20]), &[([0, 0], Table::MAX_COUNT)]);
        assert!(error.contains("add up to too many"), "{error}");
        // What was read back may be as large as it likes.
        assert!(refused(&table([u64::MAX; 4]), &[([0, 0], 1)]).contains("add up to too many"));
        let plan = table([25; 4]).plan([([0, 0], 30), ([0, 1], 1)]).unwrap();
        assert_eq!((plan.total, plan.moved, plan.shut), (81, 29, 1));
    }

    #[test]
    fn changes_are_aligned_whatever_their_labels_are_written_in() {
        let mut table = table([25; 4]);
        table.axes[0].labels = vec!["青年".into(), "35\n99".into()];
        table.axes[1].labels = vec!["نساء".into(), "m".into()];
        let plan = table.plan([([0, 0], 30), ([1, 1], 5)]).unwrap().to_string();
        let lines: Vec<String> = plan
            .lines()
            .map(|line| line.replace(['\u{2068}', '\u{2069}'], ""))
            .filter(|line| line.contains("->"))
            .collect();
        let starts: Vec<usize> =
            lines.iter().map(|line| line.split_once(" 25 -> ").map(|(label, _)| label.width()).unwrap()).collect();
        assert!(lines.len() == 2 && starts[0] == starts[1], "{plan}");
        assert!(plan.starts_with('\u{2068}'), "{plan:?}");
    }

    #[test]
    fn warnings_are_not_older_than_the_targets() {
        let age = Question::range(42).band(18..=34, 49).band(35..=74, 48).band(75..=99, 3);
        let region = Question::choice(5).option("1", 90).option("2", 10);
        let table = Audience::interlock([age, region]).quota_table(100).unwrap();
        assert_eq!(table.warnings().len(), 1);
        let none = table.plan(std::iter::empty::<([usize; 2], u64)>()).unwrap();
        assert_eq!(table.after(&none), table);
        assert_eq!(table.after(&table.plan([([2, 1], 1)]).unwrap()).warnings(), []);
    }
}
