//! The last answers to reads, for faults that show them again.
//! Bounded in number and size.

use crate::api::engine::{Incoming, Outgoing};
use std::collections::{HashMap, VecDeque};

/// A read: version, path and query.
type Key = (Option<String>, String, Option<String>);

/// The last answer to each of the last reads.
#[derive(Debug, Default)]
pub(crate) struct ReadCache {
    answers: HashMap<Key, Outgoing>,
    order: VecDeque<Key>,
}

const MAX_ENTRIES: usize = 256;
const MAX_ENTRY_BYTES: usize = 64 << 10;

fn key(incoming: &Incoming) -> Key {
    let version = incoming.headers.get("cint-api-version").and_then(|value| value.to_str().ok());
    (version.map(str::to_owned), incoming.path.clone(), incoming.query.clone())
}

impl ReadCache {
    pub(crate) fn last(&self, incoming: &Incoming) -> Option<Outgoing> {
        self.answers.get(&key(incoming)).cloned()
    }

    pub(crate) fn keep(&mut self, incoming: &Incoming, outgoing: &Outgoing) {
        if outgoing.body.len() > MAX_ENTRY_BYTES {
            return;
        }
        let key = key(incoming);
        if self.answers.insert(key.clone(), outgoing.clone()).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > MAX_ENTRIES
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
    }
}
