//! The intents of a journal that are not struck out, in the order in which they were begun.
//! One that took effect marks the earlier ones that it supersedes.

use std::collections::{BTreeMap, HashMap};

use crate::error::Outcome;
use crate::recovery::Intent;
use crate::recovery::supersede::Changes;

#[derive(Default)]
pub(super) struct OpenIntents {
    begun: BTreeMap<u64, Entry>,
    /// The place of each id in `begun`.
    places: HashMap<String, u64>,
    next: u64,
    /// What they take in the file.
    bytes: u64,
}

struct Entry {
    intent: Intent,
    changes: Changes,
    bytes: u64,
}

impl OpenIntents {
    pub(super) fn begin(&mut self, intent: Intent, bytes: u64) {
        let entry = Entry { changes: Changes::of(&intent), intent, bytes };
        self.remove(entry.intent.id());
        self.places.insert(entry.intent.id().to_owned(), self.next);
        self.begun.insert(self.next, entry);
        self.next += 1;
        self.bytes += bytes;
    }

    /// Strikes one out; `false` if it is not there.
    pub(super) fn end(&mut self, id: &str, outcome: Outcome) -> bool {
        let Some((place, ended)) = self.remove(id) else { return false };
        if outcome == Outcome::Applied {
            for (_, earlier) in self.begun.range_mut(..place) {
                if ended.changes.supersede(&earlier.changes) {
                    earlier.intent.mark_superseded(&ended.intent);
                }
            }
        }
        true
    }

    fn remove(&mut self, id: &str) -> Option<(u64, Entry)> {
        let place = self.places.remove(id)?;
        let entry = self.begun.remove(&place)?;
        self.bytes -= entry.bytes;
        Some((place, entry))
    }

    pub(super) fn intents(&self) -> impl Iterator<Item = &Intent> {
        self.begun.values().map(|entry| &entry.intent)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}
