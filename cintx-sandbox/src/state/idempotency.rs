//! First answers by idempotency key, to be given again on a repeat.
//! Bounded, like everything that callers can make grow.

use super::saved;
use crate::api::answer::Answer;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};

/// What a key was used for, and what was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    fingerprint: u64,
    answer: Answer,
}

/// What is known of a key.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    /// Never seen.
    Fresh,
    /// Seen with the same request: the first answer.
    Repeat(Box<Answer>),
    /// Seen with another request.
    Clash,
}

/// All keys, the oldest forgotten first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Idempotency {
    #[serde(with = "saved::pairs")]
    entries: HashMap<(String, String), Entry>,
    order: VecDeque<((String, String), usize)>,
    weight: usize,
}

const MAX_KEYS: usize = 20_000;
/// All answers together, roughly.
const MAX_BYTES: usize = 64 << 20;

impl Idempotency {
    pub(crate) fn look_up(&self, operation: &str, key: &str, fingerprint: u64) -> Known {
        match self.entries.get(&(operation.to_owned(), key.to_owned())) {
            None => Known::Fresh,
            Some(entry) if entry.fingerprint == fingerprint => Known::Repeat(Box::new(entry.answer.clone())),
            Some(_) => Known::Clash,
        }
    }

    pub(crate) fn remember(&mut self, operation: &str, key: &str, fingerprint: u64, answer: Answer) {
        let id = (operation.to_owned(), key.to_owned());
        // The key stands in both lists and in the answer.
        let weight = 500 + 3 * key.len() + 4 * answer.bytes().len();
        self.weight += weight;
        self.order.push_back((id.clone(), weight));
        while self.order.len() > 1 && (self.order.len() > MAX_KEYS || self.weight > MAX_BYTES) {
            let Some((oldest, weight)) = self.order.pop_front() else {
                break;
            };
            self.weight = self.weight.saturating_sub(weight);
            self.entries.remove(&oldest);
        }
        self.entries.insert(id, Entry { fingerprint, answer });
    }
}
