//! A map that does not grow without end: bounded in number and in weight, the
//! oldest entries give way first.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What a tree of values takes in memory, roughly, in bytes.
pub(crate) fn approximate_size(value: &Value) -> usize {
    match value {
        Value::String(text) => 48 + text.len(),
        Value::Array(items) => 32 + items.iter().map(approximate_size).sum::<usize>(),
        // The nodes of a map have room for eleven entries.
        Value::Object(map) => {
            640 * map.len().div_ceil(8)
                + map.iter().map(|(name, value)| name.len() + approximate_size(value)).sum::<usize>()
        }
        _ => 32,
    }
}

/// One entry.
#[derive(Clone, Debug)]
struct Slot<V> {
    value: V,
    weight: usize,
    /// Its key in the order of coming.
    place: u64,
}

/// Entries by id. Looking one up takes the same time however many there are;
/// going through them follows their ids, or the order in which they came.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Kept<V>", into = "Kept<V>", bound(serialize = "V: Clone + Serialize"))]
pub(crate) struct BoundedMap<V> {
    slots: HashMap<Arc<str>, Slot<V>>,
    sorted: BTreeSet<Arc<str>>,
    order: BTreeMap<u64, Arc<str>>,
    most: usize,
    heaviest: usize,
    weight: usize,
    come: u64,
}

/// The map as it is saved: entries in the order of their coming.
#[derive(Serialize, Deserialize)]
struct Kept<V> {
    most: usize,
    heaviest: usize,
    entries: Vec<(String, V, usize)>,
}

impl<V> From<BoundedMap<V>> for Kept<V> {
    fn from(mut map: BoundedMap<V>) -> Self {
        let ids: Vec<Arc<str>> = map.order.values().cloned().collect();
        let mut take = |id: &Arc<str>| {
            let weight = map.slots.get(id).map_or(0, |slot| slot.weight);
            map.take(id).map(|value| (id.to_string(), value, weight))
        };
        let entries = ids.iter().filter_map(&mut take).collect();
        Self { most: map.most, heaviest: map.heaviest, entries }
    }
}

impl<V> From<Kept<V>> for BoundedMap<V> {
    fn from(kept: Kept<V>) -> Self {
        let mut map = Self::new(kept.most, kept.heaviest);
        for (id, value, weight) in kept.entries {
            map.insert(id, value, weight);
        }
        map
    }
}

impl<V> BoundedMap<V> {
    /// A shelf for so many entries of so many bytes in all, roughly.
    pub(crate) fn new(most: usize, heaviest: usize) -> Self {
        Self {
            slots: HashMap::new(),
            sorted: BTreeSet::new(),
            order: BTreeMap::new(),
            most,
            heaviest,
            weight: 0,
            come: 0,
        }
    }

    /// Puts an entry in. A replaced one keeps its place in the order. What had
    /// to give way is handed back.
    pub(crate) fn put(&mut self, id: String, value: V, weight: usize) -> Vec<V> {
        self.insert(id, value, weight);
        self.shed()
    }

    fn insert(&mut self, id: String, value: V, weight: usize) {
        self.weight += weight;
        if let Some(slot) = self.slots.get_mut(id.as_str()) {
            self.weight = self.weight.saturating_sub(slot.weight);
            slot.value = value;
            slot.weight = weight;
        } else {
            self.come += 1;
            let id: Arc<str> = id.into();
            self.sorted.insert(id.clone());
            self.order.insert(self.come, id.clone());
            self.slots.insert(id, Slot { value, weight, place: self.come });
        }
    }

    /// Corrects the weight of an entry that has changed in place.
    pub(crate) fn reweigh(&mut self, id: &str, weight: usize) {
        self.weigh(id, weight);
        self.shed();
    }

    /// The same, but nothing gives way.
    pub(crate) fn weigh(&mut self, id: &str, weight: usize) {
        if let Some(slot) = self.slots.get_mut(id) {
            self.weight = self.weight.saturating_sub(slot.weight) + weight;
            slot.weight = weight;
        }
    }

    /// Makes room for so many entries more, and so much more weight: the oldest give way of those that may. Whether
    /// there is room; if there cannot be, nothing gives way.
    #[must_use]
    pub(crate) fn make_room(&mut self, count: usize, weight: usize, may_go: impl Fn(&V) -> bool) -> bool {
        let (mut left, mut heavy) = (self.len() + count, self.weight + weight);
        let (most, heaviest) = (self.most, self.heaviest);
        let mut going = Vec::new();
        let mut order = self.order.values();
        while left > most || heavy > heaviest {
            let Some(id) = order.next() else {
                return false;
            };
            if let Some(slot) = self.slots.get(id).filter(|slot| may_go(&slot.value)) {
                left -= 1;
                heavy = heavy.saturating_sub(slot.weight);
                going.push(id.clone());
            }
        }
        for id in going {
            self.take(&id);
        }
        true
    }

    /// Lets the oldest go while there is too much.
    fn shed(&mut self) -> Vec<V> {
        let mut shed = Vec::new();
        while self.len() > 1 && self.overflows() {
            let Some(oldest) = self.order.first_key_value().map(|(_, id)| id.clone()) else {
                break;
            };
            shed.extend(self.take(&oldest));
        }
        shed
    }

    fn overflows(&self) -> bool {
        self.len() > self.most || self.weight > self.heaviest
    }

    /// Whether what is kept is within its bounds; one entry always is.
    #[cfg(test)]
    pub(crate) fn is_within_bounds(&self) -> bool {
        let same = self.sorted.len() == self.len() && self.order.len() == self.len();
        same && (self.len() <= 1 || !self.overflows())
    }

    /// Takes an entry out.
    pub(crate) fn take(&mut self, id: &str) -> Option<V> {
        let slot = self.slots.remove(id)?;
        self.weight = self.weight.saturating_sub(slot.weight);
        self.sorted.remove(id);
        self.order.remove(&slot.place);
        Some(slot.value)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&V> {
        self.slots.get(id).map(|slot| &slot.value)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut V> {
        self.slots.get_mut(id).map(|slot| &mut slot.value)
    }

    pub(crate) fn contains_key(&self, id: &str) -> bool {
        self.slots.contains_key(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many there can be.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The ids, sorted.
    #[cfg(test)]
    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.sorted.iter().map(AsRef::as_ref)
    }

    /// The entries in the order of their ids.
    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.sorted.iter().filter_map(|id| self.get(id))
    }

    /// The entries in the order in which they came.
    pub(crate) fn in_order(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.order.values().filter_map(|id| self.get(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_made_by_those_that_may_go() {
        let mut shelf = BoundedMap::new(4, 100);
        for (id, may_go) in [("a", false), ("b", true), ("c", false), ("d", true)] {
            shelf.put(id.into(), may_go, 20);
        }
        assert!(!shelf.make_room(3, 0, |may_go| *may_go), "two can go at most");
        assert!(!shelf.make_room(1, 70, |may_go| *may_go));
        assert_eq!(shelf.len(), 4);
        assert!(shelf.make_room(0, 20, |may_go| *may_go));
        assert_eq!(shelf.len(), 4, "nobody has to go");
        assert!(shelf.make_room(1, 0, |may_go| *may_go));
        assert_eq!(shelf.keys().collect::<Vec<_>>(), ["a", "c", "d"]);
        shelf.weigh("a", 90);
        assert!(!shelf.is_within_bounds());
        assert!(!shelf.make_room(0, 0, |_| false));
        assert!(!shelf.make_room(0, 0, |may_go| *may_go), "what may go is too light");
        assert_eq!(shelf.len(), 3);
    }

    #[test]
    fn the_oldest_give_way() {
        let mut shelf = BoundedMap::new(3, 100);
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
        assert!(shelf.is_within_bounds());
        assert_eq!(shelf.keys().collect::<Vec<_>>(), ["huge"]);
    }
}
