//! Which counts of a quota are the newest: one rule for tables and for every inbox.

use std::fmt;
use std::hash::{Hash, Hasher};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The order of a quota's counts: the greater one is the newer one. The later time wins, whichever way the numbers have
/// gone, as a reconciliation lowers them. What has no time is older than all that has one. Of one microsecond, or
/// without times, more completes are newer, then more screens.
///
/// ```
/// use cintx::quota::CountOrder;
///
/// let at = |second| cintx::reexports::jiff::Timestamp::from_second(second).ok();
/// let seven = CountOrder::new(at(1), 7, 12);
/// assert!(CountOrder::new(at(2), 6, 12) > seven, "one was turned back");
/// assert!(CountOrder::new(at(0), 8, 12) < seven, "it came late");
/// assert!(CountOrder::new(None, 9, 12) < seven);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "(i64, i64, i64)", into = "(i64, i64, i64)")]
pub struct CountOrder {
    /// In microseconds, which is what databases keep.
    time: Option<i64>,
    completes: i64,
    screens: i64,
}

impl CountOrder {
    /// Of counts that an event tells, at its time.
    pub fn new(time: Option<Timestamp>, completes: i64, screens: i64) -> Self {
        Self { time: time.map(Timestamp::as_microsecond), completes, screens }
    }

    /// When the counts were so, to the microsecond.
    pub fn time(&self) -> Option<Timestamp> {
        self.time.and_then(|micros| Timestamp::from_microsecond(micros).ok())
    }

    /// How many have completed.
    pub fn completes(&self) -> i64 {
        self.completes
    }

    /// How many were screened.
    pub fn screens(&self) -> i64 {
        self.screens
    }
}

/// The form in which an inbox in a file keeps it: the least number for no time.
impl From<(i64, i64, i64)> for CountOrder {
    fn from((time, completes, screens): (i64, i64, i64)) -> Self {
        Self { time: Some(time).filter(|time| *time != i64::MIN), completes, screens }
    }
}

impl From<CountOrder> for (i64, i64, i64) {
    fn from(order: CountOrder) -> Self {
        (order.time.unwrap_or(i64::MIN), order.completes, order.screens)
    }
}

/// As of when a quota's counts are. It is no part of what a quota is: two are equal if their numbers are.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CountedAt {
    /// When the API was asked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<Timestamp>,
    /// What they were before the first event: completes, screens.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<(u64, u64)>,
    /// The newest event about them.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<CountOrder>,
}

impl CountedAt {
    pub(crate) fn read(at: Timestamp) -> Self {
        Self { read: Some(at), ..Self::default() }
    }

    pub(crate) fn is_unknown(&self) -> bool {
        self.read.is_none() && self.event.is_none()
    }

    /// Takes in counts, and says which hold: those that were there before any event, or those of the newest one. That
    /// depends on no order: nothing of the events between is kept.
    pub(crate) fn take(&mut self, new: CountOrder, held: (u64, u64)) -> (u64, u64) {
        if self.event.is_some_and(|known| new <= known) {
            return held;
        }
        self.event = Some(new);
        let before = *self.before.get_or_insert(held);
        let is_read = match (new.time(), self.read) {
            (Some(time), Some(read)) => time <= read,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        let told = (count(new.completes), count(new.screens));
        // An answer may lag behind the events, so more than it has is newer than it.
        if is_read { told.max(before) } else { told }
    }
}

impl fmt::Debug for CountedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountedAt").finish_non_exhaustive()
    }
}

impl PartialEq for CountedAt {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for CountedAt {}

impl Hash for CountedAt {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64, completes: i64) -> CountOrder {
        CountOrder::new(Timestamp::from_second(second).ok(), completes, 20)
    }

    /// Applies counts to those that were read at the tenth second, and says what is left.
    fn after(news: &[CountOrder]) -> u64 {
        let mut counted = CountedAt::read(Timestamp::from_second(10).unwrap());
        news.iter().fold((7, 20), |held, new| counted.take(*new, held)).0
    }

    #[test]
    fn counts_go_by_their_time_in_any_order() {
        assert_eq!(after(&[at(11, 8), at(12, 6)]), 6, "turned back");
        assert_eq!(after(&[at(12, 6), at(11, 8)]), 6, "the older one came late");
        assert_eq!(after(&[at(11, 6), at(11, 6)]), 6, "twice");
        // From before it was read.
        assert_eq!(after(&[at(3, 2), at(4, 3)]), 7);
        assert_eq!(after(&[at(9, 8)]), 8, "the answer lagged behind");
        assert_eq!(after(&[at(9, 7), at(8, 8)]), 7, "one had been turned back before it was read");
        // Without times, more is newer.
        let untimed = |completes| CountOrder::new(None, completes, 20);
        assert_eq!(after(&[untimed(8), untimed(6)]), 8);
        assert_eq!(after(&[at(11, 6), untimed(9)]), 6);
        let mut unknown = CountedAt::default();
        assert!(unknown.is_unknown(), "of a table of no known age");
        assert_eq!(unknown.take(at(1, 5), (7, 20)), (5, 20));
        // Both from before it was read, and less than the first told.
        for last in [7, 6] {
            assert_eq!(after(&[at(8, 8), at(9, last)]), 7);
            assert_eq!(after(&[at(9, last), at(8, 8)]), 7);
        }
    }

    proptest! {
        #[test]
        fn what_holds_depends_on_no_order(
            news in prop::collection::vec((prop::option::of(5_i64..15), 4_i64..11), 1..7).prop_flat_map(|news| {
                (Just(news.clone()), Just(news).prop_shuffle())
            }),
        ) {
            let all = |news: Vec<(Option<i64>, i64)>| {
                let order = |(second, completes)| {
                    CountOrder::new(Option::and_then(second, |it| Timestamp::from_second(it).ok()), completes, 20)
                };
                after(&news.into_iter().map(order).collect::<Vec<_>>())
            };
            prop_assert_eq!(all(news.0), all(news.1));
        }
    }

    #[test]
    fn it_is_kept_in_the_form_of_the_inbox_in_a_file() {
        for (order, text) in [(at(1, 2), "[1000000,2,20]"), (CountOrder::new(None, 2, 3), "[-9223372036854775808,2,3]")]
        {
            assert_eq!(serde_json::to_string(&order).unwrap(), text);
            assert_eq!(serde_json::from_str::<CountOrder>(text).unwrap(), order);
        }
    }
}
