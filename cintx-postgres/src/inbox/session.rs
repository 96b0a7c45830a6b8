//! The order of one session, as the rules of the inbox have it: which numbers are handed on, which wait, which are
//! missing. It does no I/O; `accept` and `release` load it and write back what changed.

use std::collections::BTreeMap;
use std::time::SystemTime;

use cintx::webhook::inbox::Accepted;

/// The number that sessions are taken to begin with. Lower ones are handed on when they come.
pub(super) const FIRST_NUMBER: i64 = 1;

/// What waits for earlier numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) came: SystemTime,
    pub(super) body: Vec<u8>,
    /// It is in the table already.
    pub(super) is_kept: bool,
}

/// Numbers that are not waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) since: SystemTime,
}

/// What is to be handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Handed {
    pub(super) is_late: bool,
    pub(super) body: Vec<u8>,
}

/// One session.
#[derive(Clone, Debug, Default)]
pub(super) struct Session {
    pub(super) next: i64,
    pub(super) target_group: Option<String>,
    pub(super) held: BTreeMap<i64, Held>,
    pub(super) missing: Vec<Missing>,
    /// `missing` is not as it is in the table.
    pub(super) missing_changed: bool,
    /// Numbers that waited in the table and have been handed on.
    pub(super) let_go: Vec<i64>,
}

impl Session {
    /// An event of the session has come. What can be handed on now is added to `handed`.
    pub(super) fn accept(&mut self, number: i64, body: &[u8], came: SystemTime, handed: &mut Vec<Handed>) -> Accepted {
        if number < FIRST_NUMBER {
            handed.push(Handed { is_late: self.next > FIRST_NUMBER, body: body.to_vec() });
            return Accepted::New;
        }
        if number < self.next {
            if !self.take_missing(number) {
                return Accepted::Duplicate;
            }
            handed.push(Handed { is_late: true, body: body.to_vec() });
            return Accepted::New;
        }
        if number == self.next {
            handed.push(Handed { is_late: false, body: body.to_vec() });
            self.next = number.saturating_add(1);
            self.follow(handed);
            return Accepted::New;
        }
        if self.held.contains_key(&number) {
            return Accepted::Duplicate;
        }
        self.held.insert(number, Held { came, body: body.to_vec(), is_kept: false });
        Accepted::Waiting
    }

    /// Lets go what has waited since a moment or longer, with what comes before it.
    pub(super) fn release(&mut self, waiting_since: SystemTime, handed: &mut Vec<Handed>) {
        let overdue = self.held.iter().rev().find(|(_, held)| held.came <= waiting_since);
        if let Some(last) = overdue.map(|(number, _)| *number) {
            while self.held.first_key_value().is_some_and(|(number, _)| *number <= last) {
                self.hand_on_first(handed);
            }
        }
        self.follow(handed);
    }

    /// The numbers that are missing now: those given up, and those that something waits for.
    pub(super) fn gaps(&self) -> impl Iterator<Item = Missing> + '_ {
        let mut next = self.next;
        let waited_for = self.held.iter().filter_map(move |(number, held)| {
            let gap = (*number > next).then(|| Missing { first: next, last: *number - 1, since: held.came });
            next = number.saturating_add(1);
            gap
        });
        self.missing.iter().copied().chain(waited_for)
    }

    /// Hands on what waited for nothing but what has just been handed on.
    fn follow(&mut self, handed: &mut Vec<Handed>) {
        while self.held.first_key_value().is_some_and(|(number, _)| *number == self.next) {
            self.hand_on_first(handed);
        }
    }

    fn hand_on_first(&mut self, handed: &mut Vec<Handed>) {
        let Some((number, held)) = self.held.pop_first() else { return };
        if number > self.next {
            self.missing.push(Missing { first: self.next, last: number - 1, since: held.came });
            self.missing_changed = true;
        }
        if held.is_kept {
            self.let_go.push(number);
        }
        self.next = number.saturating_add(1);
        handed.push(Handed { is_late: false, body: held.body });
    }

    /// Takes a number out of those that are missing, if it is one of them.
    fn take_missing(&mut self, number: i64) -> bool {
        let at = self.missing.iter().position(|missing| (missing.first..=missing.last).contains(&number));
        let Some(at) = at else { return false };
        let Missing { first, last, since } = self.missing.remove(at);
        self.missing_changed = true;
        if number < last {
            self.missing.insert(at, Missing { first: number + 1, last, since });
        }
        if first < number {
            self.missing.insert(at, Missing { first, last: number - 1, since });
        }
        true
    }
}
