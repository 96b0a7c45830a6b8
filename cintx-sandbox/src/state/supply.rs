//! Where respondents may come from: the open exchange, groups of suppliers
//! with bounds, private suppliers, and who is shut out. One form for all versions.

use super::market::{Market, TEST_SUPPLIER};
use crate::api::rejection::Rejection;
use crate::sim::rng::Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// So many groups of suppliers a target group may have.
const MAX_SHARES: usize = 1_000;
/// So many suppliers it may shut out.
const MAX_BLOCKED: usize = 10_000;

/// Suppliers that share bounds on their part of the completes, in percent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) suppliers: Vec<i64>,
}

/// The supply of one target group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Supply {
    pub(crate) exchange_min: u64,
    pub(crate) exchange_max: u64,
    pub(crate) groups: Vec<Share>,
    pub(crate) blocked: Vec<i64>,
    pub(crate) private_groups: Vec<Share>,
    pub(crate) private_blocked: Vec<i64>,
    /// The id that the next group gets; 1 and 2 stand for the exchange and
    /// for those shut out.
    pub(super) next: u64,
}

/// The id under which the older versions know the exchange's entry.
pub(crate) const EXCHANGE_ID: u64 = 1;
/// The id under which they know those who are shut out.
pub(crate) const BLOCKED_ID: u64 = 2;

impl Default for Supply {
    fn default() -> Self {
        Self {
            exchange_min: 0,
            exchange_max: 100,
            groups: Vec::new(),
            blocked: Vec::new(),
            private_groups: Vec::new(),
            private_blocked: Vec::new(),
            next: BLOCKED_ID + 1,
        }
    }
}

impl Supply {
    /// All groups of suppliers.
    pub(crate) fn shares(&self) -> impl Iterator<Item = &Share> {
        self.groups.iter().chain(&self.private_groups)
    }

    /// A number for a group that is new here.
    pub(crate) fn fresh_id(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Goes on numbering where another supply left off.
    pub(crate) fn continue_from(&mut self, other: &Self) {
        self.next = other.next;
    }

    /// What the published rules do not allow, and what would be too much.
    pub(crate) fn check(&self) -> Result<(), Rejection> {
        if self.shares().count() > MAX_SHARES || self.blocked.len() + self.private_blocked.len() > MAX_BLOCKED {
            let reason = format!("more than {MAX_SHARES} supplier groups or {MAX_BLOCKED} blocked suppliers");
            return Err(Rejection::invalid("supply", reason));
        }
        let mut names = BTreeSet::new();
        let mut least = self.exchange_min;
        if self.exchange_min > self.exchange_max {
            return Err(Rejection::refused(
                "exchange_min_percentage",
                self.exchange_min,
                format!("{} at most", self.exchange_max),
            ));
        }
        for group in self.shares() {
            if group.min > group.max {
                let allowed = format!("{} at most, the maximum of {}", group.max, group.name);
                return Err(Rejection::refused("min_percentage", group.min, allowed));
            }
            if !names.insert(&group.name) {
                return Err(Rejection::invalid("group_name", format!("{} stands twice", group.name)));
            }
            least += group.min;
        }
        if least > 100 {
            return Err(Rejection::refused("min_percentage", format!("{least} in all"), "100 in all at most"));
        }
        Ok(())
    }

    /// Suppliers that reach the group through the exchange alone.
    pub(crate) fn open(&self, market: &Market) -> Vec<i64> {
        let grouped = |id: &i64| self.groups.iter().any(|group| group.suppliers.contains(id));
        market.supplier_ids().filter(|id| !self.blocked.contains(id) && !grouped(id)).collect()
    }

    /// Suppliers with bounds on their part: minimum and maximum in percent. The
    /// test supplier sends nobody where it is not named.
    fn sources(&self, market: &Market) -> Vec<(u64, u64, Vec<i64>)> {
        let open: Vec<i64> = self.open(market).into_iter().filter(|id| *id != TEST_SUPPLIER).collect();
        let mut sources = vec![(self.exchange_min, self.exchange_max, open)];
        let allowed = |id: &&i64| !self.blocked.contains(id) && !self.private_blocked.contains(id);
        for group in self.shares() {
            sources.push((group.min, group.max, group.suppliers.iter().filter(allowed).copied().collect::<Vec<_>>()));
        }
        sources.retain(|(_, _, suppliers)| !suppliers.is_empty());
        sources
    }

    /// Everyone who may send respondents.
    pub(crate) fn senders(&self, market: &Market) -> impl Iterator<Item = i64> {
        self.sources(market).into_iter().filter(|(_, max, _)| *max > 0).flat_map(|(_, _, suppliers)| suppliers)
    }

    /// Which supplier the next respondent comes from, by their sizes; `None` if
    /// nobody may send one. Nobody gets more of the goal than its maximum, and
    /// what others need for their minimum is kept for them. `seats` says how
    /// many seats a supplier's people have.
    pub(crate) fn draw(
        &self,
        market: &Market,
        rng: &mut Rng,
        goal: u64,
        seats: impl Fn(i64) -> u64,
        size: impl Fn(i64) -> f64,
    ) -> Option<i64> {
        let part = |percent: u64| (goal * percent.min(100)).div_ceil(100);
        let mut taken = 0;
        let mut sources = Vec::new();
        for (min, max, suppliers) in self.sources(market) {
            let own: u64 = suppliers.iter().map(|id| seats(*id)).sum();
            taken += own;
            // What is kept is rounded down, so that minimums of 100 in all fit.
            let missing = (goal * min.min(100) / 100).saturating_sub(own);
            sources.push((max >= 100 || own < part(max), missing, suppliers));
        }
        let kept: u64 = sources.iter().map(|(_, missing, _)| missing).sum();
        // Without minimums, it is for the quotas to say when it is enough.
        let free = kept == 0 || goal.saturating_sub(taken) > kept;
        let weights: Vec<(i64, f64)> = sources
            .iter()
            .filter(|(below_max, missing, _)| *below_max && (*missing > 0 || free))
            .flat_map(|(_, _, suppliers)| suppliers)
            .map(|id| (*id, size(*id)))
            .collect();
        let mut ticket = rng.unit() * weights.iter().map(|(_, weight)| weight).sum::<f64>();
        let drawn = weights.iter().filter(|(_, weight)| *weight > 0.0).find(|(_, weight)| {
            ticket -= weight;
            ticket < 0.0
        });
        drawn.map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(supply: &Supply, rng: &mut Rng) -> Option<i64> {
        supply.draw(&Market::default(), rng, 100, |_| 0, |_| 1.0)
    }

    #[test]
    fn only_those_let_in_send_respondents() {
        let mut rng = Rng::new(3);
        let group = Share { id: 3, name: "test".into(), min: 0, max: 100, suppliers: vec![980] };
        let only = Supply { exchange_max: 0, groups: vec![group], ..Supply::default() };
        assert!((0..50).all(|_| draw(&only, &mut rng) == Some(980)));
        let all: Vec<i64> = Market::default().supplier_ids().collect();
        let none = Supply { blocked: all, ..Supply::default() };
        assert_eq!(draw(&none, &mut rng), None);
        let open = Supply::default();
        let drawn: BTreeSet<i64> = (0..500).filter_map(|_| draw(&open, &mut rng)).collect();
        assert_eq!(drawn, (1101..=1107).collect(), "the test supplier sends nobody where it is not named");
    }

    #[test]
    fn minimums_are_kept_free_and_maximums_are_not_exceeded() {
        let share = |id, min, max| Share { id: 3, name: format!("{id}"), min, max, suppliers: vec![id] };
        let supply = Supply { groups: vec![share(1101, 30, 100), share(1102, 0, 10)], ..Supply::default() };
        let mut rng = Rng::new(3);
        let mut seats = std::collections::BTreeMap::<i64, u64>::new();
        // The one with the minimum is by far the smallest.
        let size = |id| if id == 1101 { 0.01 } else { 1.0 };
        while let Some(id) =
            supply.draw(&Market::default(), &mut rng, 100, |id| seats.get(&id).copied().unwrap_or(0), size)
        {
            *seats.entry(id).or_default() += 1;
            if seats.values().sum::<u64>() == 100 {
                break;
            }
        }
        assert_eq!(seats.values().sum::<u64>(), 100);
        assert!(seats[&1101] >= 30 && seats[&1102] <= 10, "{seats:?}");
    }

    #[test]
    fn there_is_an_end_to_supplier_groups() {
        let share = |id: u64| Share { id, name: id.to_string(), min: 0, max: 1, suppliers: vec![980] };
        let mut supply = Supply { groups: (0..1_000).map(share).collect(), ..Supply::default() };
        assert!(supply.check().is_ok());
        supply.groups.push(share(1_000));
        assert!(supply.check().is_err());
        let blocked = Supply { blocked: (0..10_001).collect(), ..Supply::default() };
        assert!(blocked.check().is_err());
    }

    #[test]
    fn impossible_bounds_are_named() {
        let share = |min, max| Share { id: 3, name: "a".into(), min, max, suppliers: vec![980] };
        assert!(Supply { groups: vec![share(60, 50)], ..Supply::default() }.check().is_err());
        assert!(Supply { exchange_min: 60, groups: vec![share(60, 90)], ..Supply::default() }.check().is_err());
        assert!(Supply { groups: vec![share(0, 50), share(0, 50)], ..Supply::default() }.check().is_err());
        assert!(Supply::default().check().is_ok());
    }
}
