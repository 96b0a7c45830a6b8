//! The order of one session, which every store goes by: which numbers are handed on, which wait, which are missing.
//! It knows numbers and moments alone, and does no I/O: stores keep it, and the events that wait beside it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Accepted;

/// The number that sessions are taken to begin with. Lower ones are handed on when they come.
const FIRST_NUMBER: i64 = 1;

/// The order of one session's events, for a store of your own: a store keeps one for each session, reads it, asks it
/// what is to be done with an event, does that, and writes it back, all in one transaction.
///
/// ```
/// use cintx::webhook::inbox::{SequencePlace, SessionOrder};
/// use jiff::Timestamp;
///
/// let (mut order, now) = (SessionOrder::new(), Timestamp::UNIX_EPOCH);
/// assert_eq!(order.accept(2, now), SequencePlace::Waiting);
/// assert_eq!(order.accept(1, now), SequencePlace::InOrder { followed_by: vec![2] });
/// assert_eq!(order.accept(2, now), SequencePlace::Duplicate);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionOrder {
    /// The number that is to be handed on next.
    next: i64,
    /// The numbers that wait, and when they came, in microseconds. Ordered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    held: Vec<(i64, i64)>,
    /// The numbers that were not waited for any longer: first, last, since when. Ordered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    missing: Vec<(i64, i64, i64)>,
    /// The numbers below the first that have come. Ordered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    low: Vec<i64>,
}

/// Where in its session an event stands, and so what is to be done with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SequencePlace {
    /// Its number was there before: drop it.
    Duplicate,
    /// Earlier ones are missing: keep it until its number is told to be handed on.
    Waiting,
    /// Later ones were handed on before it: hand it on as late.
    Late,
    /// Hand it on, and behind it those that have waited for it.
    InOrder {
        /// Their numbers, in order.
        followed_by: Vec<i64>,
    },
}

impl From<&SequencePlace> for Accepted {
    fn from(place: &SequencePlace) -> Self {
        match place {
            SequencePlace::Duplicate => Self::Duplicate,
            SequencePlace::Waiting => Self::Waiting,
            SequencePlace::Late | SequencePlace::InOrder { .. } => Self::New,
        }
    }
}

/// Numbers of a session that have not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MissingNumbers {
    /// The first of them.
    pub first: i64,
    /// The last of them.
    pub last: i64,
    /// Since when a later one is there.
    pub since: Timestamp,
}

impl MissingNumbers {
    fn new((first, last, since): (i64, i64, i64)) -> Self {
        Self { first, last, since: moment(since) }
    }
}

impl Default for SessionOrder {
    fn default() -> Self {
        Self { next: FIRST_NUMBER, held: Vec::new(), missing: Vec::new(), low: Vec::new() }
    }
}

impl SessionOrder {
    /// How much longer than ids a store keeps the orders of sessions: a respondent can be reconciled until the 25th of
    /// the month after the complete, which is up to 55 days later, and the event that tells it goes on where the
    /// session ended.
    pub const KEPT_LONGER: Duration = Duration::from_secs(62 * 86_400);

    /// Of a session of which nothing has come.
    pub fn new() -> Self {
        Self::default()
    }

    /// As it was kept in parts, in any order: the number that is [next](Self::next_number), those that
    /// [wait](Self::waiting), those that are [given up](Self::given_up) and those that are [low](Self::low_numbers).
    pub fn restored(
        next: i64,
        waiting: impl IntoIterator<Item = (i64, Timestamp)>,
        given_up: impl IntoIterator<Item = MissingNumbers>,
        low: impl IntoIterator<Item = i64>,
    ) -> Self {
        let mut held: Vec<_> = waiting.into_iter().map(|(number, came)| (number, came.as_microsecond())).collect();
        held.sort_unstable();
        let given_up = given_up.into_iter().map(|it| (it.first, it.last, it.since.as_microsecond()));
        let mut missing: Vec<_> = given_up.collect();
        missing.sort_unstable();
        let mut low: Vec<_> = low.into_iter().collect();
        low.sort_unstable();
        Self { next, held, missing, low }
    }

    /// The number that is to be handed on next; all lower ones were handed on or are given up.
    pub fn next_number(&self) -> i64 {
        self.next
    }

    /// The numbers that wait for earlier ones, in order, and when each came.
    pub fn waiting(&self) -> impl ExactSizeIterator<Item = (i64, Timestamp)> + '_ {
        self.held.iter().map(|(number, came)| (*number, moment(*came)))
    }

    /// Since when that waits which waits longest.
    pub fn waiting_since(&self) -> Option<Timestamp> {
        self.held.iter().map(|(_, came)| *came).min().map(moment)
    }

    /// The numbers that are not waited for any longer. An event that has one of them is late when it comes.
    pub fn given_up(&self) -> impl ExactSizeIterator<Item = MissingNumbers> + '_ {
        self.missing.iter().copied().map(MissingNumbers::new)
    }

    /// The numbers below 1 that have come, in order: no session is known to have any, and none is waited for.
    pub fn low_numbers(&self) -> impl ExactSizeIterator<Item = i64> + '_ {
        self.low.iter().copied()
    }

    /// The numbers that are missing: those that are given up, and those that something waits for.
    pub fn missing(&self) -> impl Iterator<Item = MissingNumbers> + '_ {
        let mut next = self.next;
        let waited_for = self.held.iter().filter_map(move |(number, came)| {
            let gap = (*number > next).then(|| MissingNumbers::new((next, number - 1, *came)));
            next = number.saturating_add(1);
            gap
        });
        self.given_up().chain(waited_for)
    }

    /// An event has come that has this number.
    pub fn accept(&mut self, number: i64, came: Timestamp) -> SequencePlace {
        if number < FIRST_NUMBER {
            return self.accept_low(number);
        }
        if number < self.next {
            return if self.take_missing(number) { SequencePlace::Late } else { SequencePlace::Duplicate };
        }
        if number == self.next {
            self.next = number.saturating_add(1);
            let mut followed_by = Vec::new();
            self.follow(&mut followed_by);
            return SequencePlace::InOrder { followed_by };
        }
        match self.held.binary_search_by_key(&number, |(held, _)| *held) {
            Ok(_) => SequencePlace::Duplicate,
            Err(at) => {
                self.held.insert(at, (number, came.as_microsecond()));
                SequencePlace::Waiting
            }
        }
    }

    /// Of a number that nothing waits for.
    fn accept_low(&mut self, number: i64) -> SequencePlace {
        let Err(at) = self.low.binary_search(&number) else { return SequencePlace::Duplicate };
        self.low.insert(at, number);
        match at + 1 < self.low.len() || self.next > FIRST_NUMBER {
            true => SequencePlace::Late,
            false => SequencePlace::InOrder { followed_by: Vec::new() },
        }
    }

    /// Lets go what has waited since a moment or longer, with what comes before it. Answers the numbers to be handed
    /// on.
    pub fn release(&mut self, waiting_since: Timestamp) -> Vec<i64> {
        let limit = waiting_since.as_microsecond();
        let overdue = self.held.iter().rposition(|(_, came)| *came <= limit).map_or(0, |last| last + 1);
        let mut released = Vec::new();
        for (number, came) in self.held.drain(..overdue) {
            if number > self.next {
                self.missing.push((self.next, number - 1, came));
            }
            self.next = number.saturating_add(1);
            released.push(number);
        }
        self.follow(&mut released);
        released
    }

    /// Hands on what has waited for nothing but what has just been handed on.
    fn follow(&mut self, handed: &mut Vec<i64>) {
        let before = handed.len();
        for (number, _) in &self.held {
            if *number != self.next {
                break;
            }
            self.next = number.saturating_add(1);
            handed.push(*number);
        }
        self.held.drain(..handed.len() - before);
    }

    /// Takes a number out of those that are given up, if it is one of them.
    fn take_missing(&mut self, number: i64) -> bool {
        let Some(at) = self.missing.iter().position(|(first, last, _)| (*first..=*last).contains(&number)) else {
            return false;
        };
        let (first, last, since) = self.missing.remove(at);
        if number < last {
            self.missing.insert(at, (number + 1, last, since));
        }
        if first < number {
            self.missing.insert(at, (first, number - 1, since));
        }
        true
    }
}

/// A moment from microseconds; a record that was damaged may say anything.
fn moment(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn missing(order: &SessionOrder) -> Vec<(i64, i64, i64)> {
        order.missing().map(|it| (it.first, it.last, it.since.as_second())).collect()
    }

    #[test]
    fn what_waits_is_let_go_and_what_it_waited_for_is_late() {
        let mut order = SessionOrder::new();
        assert_eq!(order.accept(5, at(10)), SequencePlace::Waiting);
        assert_eq!(order.accept(3, at(20)), SequencePlace::Waiting);
        assert_eq!(missing(&order), [(1, 2, 20), (4, 4, 10)]);
        assert_eq!((order.release(at(9)), order.waiting_since()), (vec![], Some(at(10))));
        assert_eq!(order.release(at(10)), [3, 5], "what came before goes along");
        assert_eq!((order.next_number(), missing(&order)), (6, vec![(1, 2, 20), (4, 4, 10)]));
        assert_eq!(
            [2, 2, 4].map(|it| order.accept(it, at(30))),
            [SequencePlace::Late, SequencePlace::Duplicate, SequencePlace::Late]
        );
        assert_eq!(missing(&order), [(1, 1, 20)]);
        assert_eq!([0, 0].map(|it| order.accept(it, at(30))), [SequencePlace::Late, SequencePlace::Duplicate]);
    }

    #[test]
    fn numbers_below_the_first_come_once() {
        let mut order = SessionOrder::new();
        let in_order = || SequencePlace::InOrder { followed_by: vec![] };
        let places = [-1, 0, 0, -2, -2, 1, 0].map(|it| order.accept(it, at(1)));
        let (late, twice) = (SequencePlace::Late, SequencePlace::Duplicate);
        assert_eq!(places, [in_order(), in_order(), twice.clone(), late, twice.clone(), in_order(), twice]);
        assert!(order.low_numbers().eq([-2, -1, 0]) && order.missing().next().is_none());
    }

    #[test]
    fn the_last_number_of_all_is_one() {
        let mut order = SessionOrder::new();
        assert_eq!(order.accept(i64::MAX, at(1)), SequencePlace::Waiting);
        assert_eq!(order.accept(i64::MIN, at(1)), SequencePlace::InOrder { followed_by: vec![] });
        assert_eq!(order.release(at(1)), [i64::MAX]);
        assert_eq!(missing(&order), [(1, i64::MAX - 1, 1)]);
    }

    proptest! {
        #[test]
        fn each_number_is_handed_on_once_and_what_is_not_late_in_order(
            steps in prop::collection::vec((-2_i64..30, prop::option::weighted(0.1, 0_i64..40)), 1..60),
        ) {
            let (mut order, mut told, mut came) = (SessionOrder::new(), Vec::new(), BTreeSet::new());
            let mut handed = BTreeSet::new();
            for (now, (number, release)) in (0..).zip(steps) {
                // As a store would read it back, whichever way it keeps it.
                let kept = serde_json::to_string(&order).unwrap();
                prop_assert_eq!(&serde_json::from_str::<SessionOrder>(&kept).unwrap(), &order);
                let (waiting, given_up) = (order.waiting(), order.given_up());
                let restored =
                    SessionOrder::restored(order.next_number(), waiting, given_up, order.low_numbers());
                prop_assert_eq!(&restored, &order);
                let place = order.accept(number, at(now));
                prop_assert_eq!(place == SequencePlace::Duplicate, !came.insert(number));
                match place {
                    SequencePlace::InOrder { followed_by } => told.extend([number].into_iter().chain(followed_by)),
                    SequencePlace::Late => prop_assert!(handed.insert(number) && told.iter().any(|it| *it > number)),
                    SequencePlace::Waiting | SequencePlace::Duplicate => {}
                }
                told.extend(release.map(|since| order.release(at(since))).into_iter().flatten());
                prop_assert!(told.is_sorted_by(|one, next| one < next), "{told:?}");
            }
            told.extend(order.release(Timestamp::MAX));
            prop_assert!(told.is_sorted_by(|one, next| one < next), "{told:?}");
            let last = *told.last().unwrap();
            handed.extend(told);
            prop_assert_eq!(&handed, &came);
            let lacking = order.missing().flat_map(|it| it.first..=it.last);
            prop_assert!(lacking.eq((1..=last).filter(|number| !came.contains(number))));
        }
    }
}
