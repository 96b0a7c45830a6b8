//! Where respondents may come from: the open exchange, groups of suppliers
//! with bounds, private suppliers, and who is shut out. One form for all versions.

use crate::api::rejection::Rejection;
use crate::sim::rng::Rng;
use std::collections::BTreeSet;

/// The suppliers of the simulated market: id, code, name. The first is Cint's
/// test supplier.
pub(crate) const SUPPLIERS: &[(i64, &str, &str)] = &[
    (980, "TEST", "Test supplier"),
    (1101, "NORTH", "Northern Opinions"),
    (1102, "HARBOR", "Harbor Panel"),
    (1103, "MOSAIC", "Mosaic Voices"),
    (1104, "LANTERN", "Lantern Research"),
    (1105, "CEDAR", "Cedar Rewards"),
    (1106, "TIDE", "Tide Surveys"),
    (1107, "ORCHARD", "Orchard Community"),
];

/// A name for a supplier, also for one that the market does not know.
pub(crate) fn supplier_name(id: i64) -> String {
    SUPPLIERS
        .iter()
        .find(|(own, _, _)| *own == id)
        .map_or_else(|| format!("Supplier {id}"), |(_, _, name)| (*name).to_owned())
}

/// So many groups of suppliers a target group may have.
const MOST_SHARES: usize = 1_000;
/// So many suppliers it may shut out.
const MOST_BLOCKED: usize = 10_000;

/// Suppliers that share bounds on their part of the completes, in percent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) suppliers: Vec<i64>,
}

/// The supply of one target group.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        if self.shares().count() > MOST_SHARES || self.blocked.len() + self.private_blocked.len() > MOST_BLOCKED {
            let reason = format!("more than {MOST_SHARES} supplier groups or {MOST_BLOCKED} blocked suppliers");
            return Err(Rejection::invalid("supply", reason));
        }
        let mut names = BTreeSet::new();
        let mut least = self.exchange_min;
        if self.exchange_min > self.exchange_max {
            return Err(Rejection::invalid("exchange_min_percentage", "greater than the maximum"));
        }
        for group in self.shares() {
            if group.min > group.max {
                return Err(Rejection::invalid(
                    "min_percentage",
                    format!("greater than the maximum of {}", group.name),
                ));
            }
            if !names.insert(&group.name) {
                return Err(Rejection::invalid("group_name", format!("{} stands twice", group.name)));
            }
            least += group.min;
        }
        if least > 100 {
            return Err(Rejection::invalid("min_percentage", format!("the minimums add up to {least}")));
        }
        Ok(())
    }

    /// Suppliers that reach the group through the exchange alone.
    pub(crate) fn open(&self) -> Vec<i64> {
        let grouped = |id: &i64| self.groups.iter().any(|group| group.suppliers.contains(id));
        SUPPLIERS.iter().map(|(id, _, _)| *id).filter(|id| !self.blocked.contains(id) && !grouped(id)).collect()
    }

    /// Where the next respondent comes from; `None` if nobody may send one.
    pub(crate) fn draw(&self, rng: &mut Rng) -> Option<i64> {
        let mut sources: Vec<(u64, Vec<i64>)> = vec![(self.exchange_max, self.open())];
        for group in self.shares() {
            let allowed = group.suppliers.iter().filter(|id| !self.blocked.contains(id)).copied().collect();
            sources.push((group.max, allowed));
        }
        sources.retain(|(weight, suppliers)| *weight > 0 && !suppliers.is_empty());
        let mut ticket = rng.below(sources.iter().map(|(weight, _)| weight).sum());
        for (weight, suppliers) in sources {
            if ticket < weight {
                return suppliers.get(rng.below(suppliers.len() as u64) as usize).copied();
            }
            ticket -= weight;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_let_in_send_respondents() {
        let mut rng = Rng::new(3);
        let group = Share { id: 3, name: "test".into(), min: 0, max: 100, suppliers: vec![980] };
        let only = Supply { exchange_max: 0, groups: vec![group], ..Supply::default() };
        assert!((0..50).all(|_| only.draw(&mut rng) == Some(980)));
        let all: Vec<i64> = SUPPLIERS.iter().map(|(id, _, _)| *id).collect();
        let none = Supply { blocked: all, ..Supply::default() };
        assert_eq!(none.draw(&mut rng), None);
        let open = Supply { blocked: vec![980], ..Supply::default() };
        assert!((0..50).all(|_| open.draw(&mut rng).is_some_and(|id| id != 980)));
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
