//! What a watch sees: target groups at one moment, and what is computed from that alone: changes, costs, groups that
//! lag, the end at the present pace. Nothing here asks anybody.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Until;
use crate::fielding::FieldingPeriod;
use crate::target_group::TargetGroupStatus;
use crate::types::ids::TargetGroupId;
use crate::types::{CurrencySums, Money};

/// How far some target groups are at one moment, and what has changed since the snapshot before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// When it was taken, by the client's clock.
    pub at: Timestamp,
    /// The target groups, in the order of their ids.
    pub groups: Vec<GroupProgress>,
    /// What has changed since the snapshot before; nothing in the first, unless the watch went on from a
    /// [kept one](super::Watch::since).
    pub changes: Vec<Change>,
    /// What reconciliation has taken back while they were watched, by earlier watches that this one goes on from, too:
    /// by so much their costs went down.
    pub reversed: CurrencySums,
    /// Why this is the last snapshot, if it is.
    pub ended: Option<Until>,
}

impl Snapshot {
    /// A target group by its id.
    pub fn group(&self, id: impl Into<TargetGroupId>) -> Option<&GroupProgress> {
        let id = id.into();
        self.groups.iter().find(|group| group.id == id)
    }

    /// The live target groups.
    pub fn live(&self) -> impl Iterator<Item = &GroupProgress> {
        self.groups.iter().filter(|group| group.is_live())
    }

    /// The target groups whose field is not over, drafts included.
    pub fn open(&self) -> impl Iterator<Item = &GroupProgress> {
        self.groups.iter().filter(|group| !group.is_over())
    }

    /// How many completes are wanted in all, drafts included.
    pub fn goal(&self) -> u64 {
        self.groups.iter().map(|group| group.goal).sum()
    }

    /// How many completes there are in all.
    pub fn completes(&self) -> u64 {
        self.groups.iter().map(|group| group.completes).sum()
    }

    /// How much of the goals of all is there, from 0 to 1. Completes over a target group's goal do not make up for
    /// those that another one lacks. 0 if nothing is wanted.
    pub fn filled(&self) -> f64 {
        let there: u64 = self.groups.iter().map(|group| group.completes.min(group.goal)).sum();
        if self.goal() == 0 { 0.0 } else { there as f64 / self.goal() as f64 }
    }

    /// What the completes have cost, summed by currency. The API counts what is left after reconciliation; what that
    /// took back is in [`reversed`](Self::reversed).
    pub fn costs(&self) -> CurrencySums {
        let mut costs = CurrencySums::default();
        for cost in self.groups.iter().filter_map(|group| group.cost.as_ref()) {
            if !costs.add(cost.value(), cost.currency()) {
                tracing::warn!(%cost, "a cost is too large to be summed");
            }
        }
        costs
    }

    /// The live target groups that have less than this share of what they should have by now: of an even fill from
    /// the beginning of their field to its end, or of what feasibility promised ([`Watch::expect`]).
    ///
    /// ```
    /// # fn raise(snapshot: &cintx::watch::Snapshot) {
    /// for lag in snapshot.lagging(0.9) {
    ///     println!("{} has {} completes, expected {:?} by now", lag.group, lag.completes, lag.even_fill);
    /// }
    /// # }
    /// ```
    ///
    /// [`Watch::expect`]: super::Watch::expect
    pub fn lagging(&self, share: f64) -> impl Iterator<Item = Lag> {
        self.groups.iter().filter_map(move |group| group.lag(share))
    }

    /// When the last of the live target groups will be full, if each goes on at its present pace; `None` if one of
    /// them would never be, or if none is live.
    pub fn forecast(&self) -> Option<Timestamp> {
        let ends: Option<Vec<Timestamp>> = self.live().map(GroupProgress::forecast).collect();
        ends?.into_iter().max()
    }
}

/// A number of completes at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reading {
    /// When it was so.
    pub at: Timestamp,
    /// How many completes there were.
    pub completes: u64,
}

/// How far a target group is. Everything goes by completes, whatever its filling strategy: they are what is paid for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupProgress {
    /// The id of the target group.
    pub id: TargetGroupId,
    /// The name of the target group.
    pub name: Option<String>,
    /// The state of the target group.
    pub status: Option<TargetGroupStatus>,
    /// How many completes are wanted.
    pub goal: u64,
    /// How many there are. Reconciliation may take some back.
    pub completes: u64,
    /// How many respondents passed the screener.
    pub prescreens: u64,
    /// What an interview costs now; `None` for a draft.
    pub price: Option<Money>,
    /// What the completes have cost, as the API counts them now; `None` for a draft.
    pub cost: Option<Money>,
    /// When field begins and ends; `None` for a draft.
    pub period: Option<FieldingPeriod>,
    /// How many completes feasibility promised for the whole time, where [`Watch::expect`](super::Watch::expect) said.
    pub expected: Option<u64>,
    /// When the numbers were so.
    pub read_at: Timestamp,
    /// An earlier number, from which the present pace is measured.
    pub since: Option<Reading>,
}

impl From<&GroupProgress> for TargetGroupId {
    fn from(group: &GroupProgress) -> Self {
        group.id.clone()
    }
}

impl GroupProgress {
    /// Whether respondents come in.
    pub fn is_live(&self) -> bool {
        self.status == Some(TargetGroupStatus::Live)
    }

    /// Whether its field is over.
    pub fn is_over(&self) -> bool {
        matches!(self.status, Some(TargetGroupStatus::Completed | TargetGroupStatus::Archived))
    }

    /// Whether it has been launched.
    pub fn is_launched(&self) -> bool {
        !matches!(self.status, None | Some(TargetGroupStatus::Draft))
    }

    /// Whether it has what is wanted.
    pub fn is_full(&self) -> bool {
        self.completes >= self.goal
    }

    /// When it will be full if it goes on at its present pace; `None` if it is not live or nobody completes. A full one
    /// is so by now.
    pub fn forecast(&self) -> Option<Timestamp> {
        if !self.is_live() {
            return None;
        }
        let left = self.goal.saturating_sub(self.completes);
        if left == 0 {
            return Some(self.read_at);
        }
        let since = self.since?;
        let gained = self.completes.checked_sub(since.completes).filter(|gained| *gained > 0)?;
        let elapsed = self.read_at.duration_since(since.at).as_millis();
        let wait = elapsed.checked_mul(i128::from(left))? / i128::from(gained);
        let wait = SignedDuration::from_millis(i64::try_from(wait).ok().filter(|wait| *wait >= 0)?);
        self.read_at.checked_add(wait).ok()
    }

    /// How many completes it should have by now if `total` come evenly from the beginning of field to its end.
    fn evenly(&self, total: u64) -> Option<u64> {
        let period = self.period?;
        let whole = period.end.duration_since(period.start).as_millis();
        let passed = self.read_at.duration_since(period.start).as_millis().clamp(0, whole.max(0));
        let due = i128::from(total).checked_mul(passed)?.checked_div(whole)?;
        u64::try_from(due).ok()
    }

    fn lag(&self, share: f64) -> Option<Lag> {
        let is_behind = |due: &u64| (self.completes as f64) < *due as f64 * share;
        let even_fill = self.evenly(self.goal).filter(is_behind);
        let promised = self.expected.map(|expected| expected.min(self.goal));
        let feasibility = promised.and_then(|promised| self.evenly(promised)).filter(is_behind);
        let lags = self.is_live() && (even_fill.is_some() || feasibility.is_some());
        let (group, price) = (self.id.clone(), self.price.clone());
        lags.then_some(Lag { group, completes: self.completes, price, even_fill, feasibility })
    }
}

/// A target group that has less than it should have by now.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lag {
    /// The target group.
    pub group: TargetGroupId,
    /// How many completes it has.
    pub completes: u64,
    /// What an interview costs now.
    #[serde(default)]
    pub price: Option<Money>,
    /// How many it should have by an even fill, if it is behind that.
    pub even_fill: Option<u64>,
    /// How many it should have by what feasibility promised, if it is behind that.
    pub feasibility: Option<u64>,
}

/// What has changed about one target group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// The target group.
    pub group: TargetGroupId,
    /// What has changed.
    pub what: Changed,
}

/// Something that has changed, from what it was to what it is. A target group that appears begins with nothing, and
/// one that is gone ends with nothing: so the changes of a number add up to the difference of two snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Changed {
    /// It was not there before.
    Appeared,
    /// It is there no more.
    Gone,
    /// The state of the target group: before, and now.
    Status(Option<TargetGroupStatus>, Option<TargetGroupStatus>),
    /// How many completes are wanted.
    Goal(u64, u64),
    /// How many completes there are: fewer, if reconciliation took some back.
    Completes(u64, u64),
    /// How many respondents passed the screener.
    Prescreens(u64, u64),
    /// What an interview costs.
    Price(Option<Money>, Option<Money>),
    /// What the completes have cost.
    Cost(Option<Money>, Option<Money>),
    /// When field begins and ends.
    Period(Option<FieldingPeriod>, Option<FieldingPeriod>),
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn text(value: Option<&dyn fmt::Display>) -> String {
            value.map_or_else(|| "none".to_owned(), ToString::to_string)
        }
        fn some<T: fmt::Display>(value: &Option<T>) -> Option<&dyn fmt::Display> {
            value.as_ref().map(|value| value as &dyn fmt::Display)
        }
        match self {
            Self::Appeared => f.write_str("appeared"),
            Self::Gone => f.write_str("gone"),
            Self::Status(from, to) => write!(f, "status {} to {}", text(some(from)), text(some(to))),
            Self::Goal(from, to) => write!(f, "goal {from} to {to}"),
            Self::Completes(from, to) => write!(f, "completes {from} to {to}"),
            Self::Prescreens(from, to) => write!(f, "prescreens {from} to {to}"),
            Self::Price(from, to) => write!(f, "price {} to {}", text(some(from)), text(some(to))),
            Self::Cost(from, to) => write!(f, "cost {} to {}", text(some(from)), text(some(to))),
            Self::Period(from, to) => {
                let ends = |period: &Option<FieldingPeriod>| period.map(|it| [it.start, it.end]);
                let (from, to) = (ends(from), ends(to));
                let mut separator = "";
                for (at, name) in ["start", "end"].into_iter().enumerate() {
                    let (from, to) = (from.map(|ends| ends[at]), to.map(|ends| ends[at]));
                    if from != to {
                        write!(f, "{separator}{name} of field {} to {}", text(some(&from)), text(some(&to)))?;
                        separator = ", ";
                    }
                }
                Ok(())
            }
        }
    }
}

/// What is different between two looks at target groups.
pub(super) fn changes(before: &[GroupProgress], after: &[GroupProgress]) -> Vec<Change> {
    let index = |groups: &[GroupProgress]| -> BTreeMap<TargetGroupId, usize> {
        groups.iter().enumerate().map(|(at, group)| (group.id.clone(), at)).collect()
    };
    let (old, new) = (index(before), index(after));
    let mut changes = Vec::new();
    let mut tell = |id: &TargetGroupId, was: Option<&GroupProgress>, is: Option<&GroupProgress>| {
        let changed = difference(was, is);
        changes.extend(changed.into_iter().map(|what| Change { group: id.clone(), what }));
    };
    for (id, at) in &new {
        tell(id, old.get(id).map(|at| &before[*at]), Some(&after[*at]));
    }
    for (id, at) in old.iter().filter(|(id, _)| !new.contains_key(*id)) {
        tell(id, Some(&before[*at]), None);
    }
    changes
}

fn difference(was: Option<&GroupProgress>, is: Option<&GroupProgress>) -> Vec<Changed> {
    let mut changed = Vec::new();
    match (was, is) {
        (None, Some(_)) => changed.push(Changed::Appeared),
        (Some(_), None) => changed.push(Changed::Gone),
        _ => {}
    }
    /// Notes what differs: `compare!(goal: Goal)` pushes `Changed::Goal(from, to)` if the goals differ.
    macro_rules! compare {
        ($($field:ident: $kind:ident),+) => {$({
            let of = |group: Option<&GroupProgress>| group.map(|group| group.$field.clone()).unwrap_or_default();
            let (from, to) = (of(was), of(is));
            if from != to {
                changed.push(Changed::$kind(from, to));
            }
        })+};
    }
    compare!(
        status: Status, goal: Goal, completes: Completes, prescreens: Prescreens, price: Price, cost: Cost,
        period: Period
    );
    changed
}

/// What went down among costs: what reconciliation took back.
pub(super) fn taken_back(changes: &[Change], reversed: &mut CurrencySums) {
    for change in changes {
        if let Changed::Cost(Some(from), Some(to)) = &change.what
            && let Ok(back) = from - to
            && !reversed.add(back.value(), back.currency())
        {
            tracing::warn!(%back, "an amount that was taken back is too large to be summed");
        }
    }
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
