//! Quotas as a table: targets and what has come in, for each cell and each margin. The same table whether it is
//! planned, or read back from any version.

mod achieved;
mod count_order;
mod labels;
pub(crate) mod live;
mod plan;
mod print;
mod rebalancing;
pub(crate) mod suggest;
pub(crate) mod warning;
mod ways_out;

pub use self::count_order::CountOrder;
pub(crate) use self::count_order::CountedAt;
pub use self::live::{HasControlQuotas, HasProfileEdits, HasValidation, QuotaProgress, Quotas, Replacement};
pub use self::plan::{QuotaChange, QuotaPlan};
pub use self::rebalancing::Rebalancing;
pub use self::suggest::{GoalSplit, HasGoalSplit, SuggestInterlock, SuggestQuotas};
pub use self::warning::QuotaWarning;
pub use self::ways_out::{QuotaChoice, QuotaWaysOut};
pub use cintx_quota::{Achieved, Overfill, WayOut};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audience::Condition;
use crate::types::InvalidValue;
use crate::types::serde_text::word;

/// New goals of one profile: its id, and the goal of each quota that changes.
pub(crate) type Goals = (String, Vec<(String, u64)>);

/// One quota: what is wanted and what has come in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Quota {
    /// The id of the quota, once the API has given it one.
    pub id: Option<String>,
    /// How many completes are wanted; `None` without a quota.
    pub target: Option<u64>,
    /// How many there are.
    pub completes: u64,
    /// How many were screened for it.
    pub prescreens: u64,
    #[serde(skip_serializing_if = "CountedAt::is_unknown")]
    pub(crate) counted_at: CountedAt,
}

impl Quota {
    /// How many completes are missing; none where there is no quota, or where it is full.
    pub fn remaining(&self) -> u64 {
        self.target.unwrap_or(0).saturating_sub(self.completes)
    }

    /// Whether no more completes are wanted.
    pub fn is_full(&self) -> bool {
        self.target.is_some_and(|target| self.completes >= target)
    }

    fn add(&mut self, other: &Self) {
        self.target = match (self.target, other.target) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        self.completes = self.completes.saturating_add(other.completes);
        self.prescreens = self.prescreens.saturating_add(other.prescreens);
    }
}

/// What kind of profile a table is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TableKind {
    /// One question.
    Regular,
    /// Crossed questions.
    Interlock,
    /// Hand-made cells.
    Control,
}

word!(TableKind: "a kind of table: regular, interlock or control");

/// One axis: a question and its targets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QuotaAxis {
    /// The question's id; `None` for hand-made cells over several questions.
    pub question: Option<i64>,
    /// The question's short name, once [the library](QuotaTable::labelled) has told it: `AGE`.
    #[serde(default)]
    pub name: Option<String>,
    /// What the targets are called.
    pub labels: Vec<String>,
    /// What must be answered for each.
    pub conditions: Vec<Vec<(i64, Condition)>>,
}

impl QuotaAxis {
    /// What it is called: by its question, as far as that is known.
    pub(crate) fn title(&self) -> String {
        let of_question = || self.question.map_or_else(|| "target".to_owned(), |id| format!("question {id}"));
        self.name.clone().unwrap_or_else(of_question)
    }
}

/// The quotas of one profile.
///
/// `Display` prints an aligned table: targets alone while it is planned, and completes of targets with bars once
/// something has come in. [`to_csv`](Self::to_csv) and [`to_svg`](Self::to_svg) export it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "KeptTable")]
pub struct QuotaTable {
    pub(crate) profile: Option<String>,
    pub(crate) name: String,
    pub(crate) kind: TableKind,
    pub(crate) enabled: bool,
    pub(crate) axes: Vec<QuotaAxis>,
    pub(crate) cells: Vec<Quota>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<QuotaWarning>,
}

/// A table as a file has it, not checked yet.
#[derive(Deserialize)]
struct KeptTable {
    profile: Option<String>,
    name: String,
    kind: TableKind,
    enabled: bool,
    axes: Vec<QuotaAxis>,
    cells: Vec<Quota>,
    #[serde(default)]
    warnings: Vec<QuotaWarning>,
}

impl TryFrom<KeptTable> for QuotaTable {
    type Error = InvalidValue;

    fn try_from(kept: KeptTable) -> Result<Self, InvalidValue> {
        let KeptTable { profile, name, kind, enabled, axes, cells, warnings } = kept;
        if let Some(axis) = axes.iter().find(|axis| axis.labels.len() != axis.conditions.len()) {
            let got = format!("{} labels and {} conditions", axis.labels.len(), axis.conditions.len());
            return Err(InvalidValue::new(got, "an axis of a quota table: as many labels as conditions"));
        }
        let wanted = axes.iter().try_fold(1_usize, |product, axis| product.checked_mul(axis.labels.len()));
        if wanted != Some(cells.len()) {
            let got = format!("{} cells", cells.len());
            return Err(InvalidValue::new(got, "a quota table: a cell for each combination of its axes' labels"));
        }
        Ok(Self { profile, name, kind, enabled, axes, cells, warnings })
    }
}

impl QuotaTable {
    /// The id of its profile, once the API has given it one.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The name of its profile.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What kind of profile it is of.
    pub fn kind(&self) -> TableKind {
        self.kind
    }

    /// Whether its quotas are on.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// The axes: one for each question.
    pub fn axes(&self) -> &[QuotaAxis] {
        &self.axes
    }

    /// One cell by its position, from 0; `None` if it is not there.
    pub fn cell(&self, position: impl AsRef<[usize]>) -> Option<&Quota> {
        self.cells.get(self.index(position.as_ref())?)
    }

    pub(crate) fn index(&self, position: &[usize]) -> Option<usize> {
        if position.len() != self.axes.len() {
            return None;
        }
        let next = |index, (axis, at): (&QuotaAxis, &usize)| {
            (*at < axis.labels.len()).then_some(index * axis.labels.len() + at)
        };
        self.axes.iter().zip(position).try_fold(0, next)
    }

    /// Whether it is in field: then what came in is shown, too.
    pub(crate) fn in_field(&self) -> bool {
        self.cells.iter().any(|quota| quota.id.is_some() || quota.completes > 0)
    }

    /// Every cell with its position, the last axis fastest.
    pub fn cells(&self) -> impl Iterator<Item = (Vec<usize>, &Quota)> {
        self.cells.iter().enumerate().map(|(index, quota)| (self.position(index), quota))
    }

    /// The sums for each target of an axis; empty if there is no such axis.
    pub fn margin(&self, axis: usize) -> Vec<Quota> {
        let length = self.axes.get(axis).map_or(0, |axis| axis.labels.len());
        let mut sums = vec![Quota::default(); length];
        for (position, quota) in self.cells() {
            if let Some(sum) = position.get(axis).and_then(|at| sums.get_mut(*at)) {
                sum.add(quota);
            }
        }
        sums
    }

    /// The sum of everything.
    pub fn sum(&self) -> Quota {
        let mut sum = Quota::default();
        self.cells.iter().for_each(|quota| sum.add(quota));
        sum
    }

    /// All completes that are wanted.
    pub fn total(&self) -> u64 {
        self.sum().target.unwrap_or(0)
    }

    /// The labels of a cell, joined.
    pub fn label(&self, position: &[usize]) -> String {
        let labels = self.axes.iter().zip(position).filter_map(|(axis, at)| axis.labels.get(*at));
        labels.cloned().collect::<Vec<_>>().join(" × ")
    }

    /// Takes in counts of one quota that have no time; `false` if the quota is not of this table, or if that changes
    /// nothing: more is newer, and what has a time is newer than what has none. See [`CountOrder`].
    pub fn update(&mut self, quota_id: &str, completes: u64, prescreens: u64) -> bool {
        self.count(quota_id, None, (completes, prescreens))
    }

    /// Takes in counts of one quota as they were at a moment; `false` if the quota is not of this table, or if that
    /// changes nothing. The newest ones stay, also if they are lower, so counts may come twice, and in any order. Those
    /// of before the table was [read](Quotas::read), by the client's clock, hold only if they are higher than what was
    /// read.
    pub fn update_at(&mut self, quota_id: &str, time: Timestamp, completes: u64, prescreens: u64) -> bool {
        self.count(quota_id, Some(time), (completes, prescreens))
    }

    pub(crate) fn count(&mut self, quota_id: &str, time: Option<Timestamp>, counts: (u64, u64)) -> bool {
        let Some(quota) = self.cells.iter_mut().find(|quota| quota.id.as_deref() == Some(quota_id)) else {
            return false;
        };
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let held = (quota.completes, quota.prescreens);
        let holds = quota.counted_at.take(CountOrder::new(time, number(counts.0), number(counts.1)), held);
        (quota.completes, quota.prescreens) = holds;
        held != holds
    }

    /// Notes when the API was asked for the counts.
    pub(crate) fn read_at(&mut self, moment: Timestamp) {
        self.cells.iter_mut().for_each(|quota| quota.counted_at = CountedAt::read(moment));
    }

    pub(crate) fn position(&self, index: usize) -> Vec<usize> {
        position_of(index, self.axes.iter().map(|axis| axis.labels.len()))
    }
}

/// The position of a cell by its number, along axes of these lengths, the last one fastest. As
/// [`cintx_quota::Shape::position`], also for tables that were read and have an axis without labels.
pub(crate) fn position_of(mut index: usize, lengths: impl DoubleEndedIterator<Item = usize>) -> Vec<usize> {
    let along = |length: usize| {
        let at = index % length.max(1);
        index /= length.max(1);
        at
    };
    let mut position: Vec<usize> = lengths.rev().map(along).collect();
    position.reverse();
    position
}
