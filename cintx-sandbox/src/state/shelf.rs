//! A map that does not grow without end: bounded in number and in weight, the
//! oldest entries give way first.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::{Deref, DerefMut};

/// Entries by id, with the order in which they came.
#[derive(Debug)]
pub(crate) struct Shelf<V> {
    entries: BTreeMap<String, V>,
    order: VecDeque<String>,
    weights: HashMap<String, usize>,
    most: usize,
    heaviest: usize,
    weight: usize,
}

impl<V> Shelf<V> {
    /// A shelf for so many entries of so many bytes in all, roughly.
    pub(crate) fn new(most: usize, heaviest: usize) -> Self {
        Self { entries: BTreeMap::new(), order: VecDeque::new(), weights: HashMap::new(), most, heaviest, weight: 0 }
    }

    /// Puts an entry in. A replaced one keeps its place in the order.
    pub(crate) fn put(&mut self, id: String, value: V, weight: usize) {
        if self.entries.insert(id.clone(), value).is_some() {
            let known = self.weights.insert(id, weight).unwrap_or(0);
            self.weight = self.weight.saturating_sub(known) + weight;
        } else {
            self.order.push_back(id.clone());
            self.weights.insert(id, weight);
            self.weight += weight;
        }
        self.shed();
    }

    /// Corrects the weight of an entry that has changed in place.
    pub(crate) fn reweigh(&mut self, id: &str, weight: usize) {
        if let Some(known) = self.weights.get_mut(id) {
            self.weight = self.weight.saturating_sub(*known) + weight;
            *known = weight;
        }
        self.shed();
    }

    /// Lets the oldest go while there is too much.
    fn shed(&mut self) {
        while self.entries.len() > 1 && (self.entries.len() > self.most || self.weight > self.heaviest) {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            self.forget(&oldest);
        }
    }

    /// The entries in the order in which they came.
    pub(crate) fn in_order(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.order.iter().filter_map(|id| self.entries.get(id))
    }

    /// Takes an entry out.
    pub(crate) fn take(&mut self, id: &str) -> Option<V> {
        let value = self.forget(id)?;
        if let Some(at) = self.order.iter().position(|known| known == id) {
            self.order.remove(at);
        }
        Some(value)
    }

    fn forget(&mut self, id: &str) -> Option<V> {
        self.weight = self.weight.saturating_sub(self.weights.remove(id).unwrap_or(0));
        self.entries.remove(id)
    }
}

impl<V> Deref for Shelf<V> {
    type Target = BTreeMap<String, V>;

    fn deref(&self) -> &Self::Target {
        &self.entries
    }
}

impl<V> DerefMut for Shelf<V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_give_way() {
        let mut shelf = Shelf::new(3, 100);
        for (id, weight) in [("d", 10), ("a", 10), ("b", 10), ("c", 10)] {
            shelf.put(id.into(), (), weight);
        }
        assert_eq!(shelf.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        shelf.put("b".into(), (), 85);
        assert_eq!(shelf.keys().collect::<Vec<_>>(), ["b", "c"]);
        assert!(shelf.take("b").is_some());
        assert!(shelf.take("b").is_none());
        for id in ["x", "y"] {
            shelf.put(id.into(), (), 45);
        }
        assert_eq!(shelf.keys().collect::<Vec<_>>(), ["c", "x", "y"]);
        shelf.put("huge".into(), (), 1_000);
        assert_eq!(shelf.keys().collect::<Vec<_>>(), ["huge"]);
    }
}
