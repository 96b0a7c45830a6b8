//! The faults of one sandbox, and the decision which one hits.
//! Chance is drawn from the seed, so that a run can be repeated.

use super::{CONNECTION, Fault, FaultId, Strike};
use crate::sim::rng::Rng;
use serde_json::{Value, json};

#[derive(Debug)]
struct Entry {
    id: u64,
    fault: Fault,
    seen: u64,
    hits: u64,
}

/// All faults that are in force.
#[derive(Debug)]
pub(crate) struct Faults {
    entries: Vec<Entry>,
    given: u64,
    rng: Rng,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { entries: Vec::new(), given: 0, rng: Rng::named(seed, "faults") }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn add(&mut self, fault: Fault) -> FaultId {
        self.given += 1;
        self.entries.push(Entry { id: self.given, fault, seen: 0, hits: 0 });
        FaultId(self.given)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.id != id);
        before != self.entries.len()
    }

    pub(crate) fn hits(&self, id: FaultId) -> u64 {
        self.entries.iter().find(|entry| entry.id == id.0).map_or(0, |entry| entry.hits)
    }

    /// What hits a request of this operation, if anything does.
    pub(crate) fn draw(&mut self, operation: &str) -> Option<Strike> {
        let connection = operation == CONNECTION;
        for entry in &mut self.entries {
            let fault = &entry.fault;
            let concerned = if connection { fault.on == CONNECTION } else { fits(&fault.on, operation) };
            if !concerned || fault.times.is_some_and(|times| entry.hits >= times) {
                continue;
            }
            entry.seen += 1;
            if entry.seen <= fault.after || (fault.chance < 1.0 && self.rng.unit() >= fault.chance) {
                continue;
            }
            entry.hits += 1;
            return Some(Strike { effect: fault.effect.clone(), wait: fault.wait, delay: fault.delay });
        }
        None
    }

    /// For the control endpoint.
    pub(crate) fn facts(&self) -> Value {
        let facts = self.entries.iter().map(|entry| {
            json!({
                "id": entry.id,
                "on": entry.fault.on,
                "do": entry.fault.effect.name(),
                "times": entry.fault.times,
                "after": entry.fault.after,
                "chance": entry.fault.chance,
                "hits": entry.hits,
            })
        });
        facts.collect()
    }
}

/// Whether a name fits a pattern in which `*` stands for anything.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, wanted) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "anything", true),
            ("get_*", "get_project", true),
            ("get_*", "list_get_", false),
            ("*_job", "create_job", true),
            ("*_job", "create_jobs", false),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false),
        ] {
            assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
        }
    }

    #[test]
    fn faults_end_start_late_and_follow_their_seed() {
        let mut faults = Faults::new(1);
        let id = faults.add(Fault::on("a").status(500).after(1).times(2));
        let hits: Vec<bool> = (0..5).map(|_| faults.draw("a").is_some()).collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert_eq!(faults.hits(id), 2);
        assert!(faults.draw("b").is_none());
        let run = || {
            let mut faults = Faults::new(9);
            faults.add(Fault::on("*").status(503).chance(0.3));
            (0..100).map(|_| faults.draw("x").is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(), run());
        let hits = run().into_iter().filter(|hit| *hit).count();
        assert!((10..50).contains(&hits), "{hits}");
    }
}
