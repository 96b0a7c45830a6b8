//! Events on their way to subscribers: what waits, in which order, and what
//! is remembered of what has arrived.

use super::saved::{self, Word};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// So many events may wait for one subscriber. Beyond that the field stands
/// still until the subscriber has caught up.
pub(crate) const MAX_WAITING_EVENTS: usize = 20_000;
/// So many wait at most: what callers do meanwhile is not held up. The oldest
/// expire beyond.
const MOST_WAITING_EVENTS: usize = 2 * MAX_WAITING_EVENTS;
/// So many requests to one subscriber are under way at once.
const MAX_REQUESTS_IN_FLIGHT: usize = 32;
/// So many failures in a row mean that nobody is there to wait for.
const FAILURES_UNTIL_UNRESPONSIVE: u32 = 8;
/// So many events that are through are remembered.
const MAX_FINISHED_DELIVERIES: usize = 20_000;
/// So many bytes of them, roughly.
const MAX_FINISHED_BYTES: usize = 64 << 20;

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Progress {
    Pending,
    Delivering,
    Delivered,
    Undelivered,
    Expired,
}

impl Progress {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivering => "delivering",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Expired => "expired",
        }
    }

    fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Expired)
    }
}

/// One event on its way to one subscriber.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) webhook: String,
    /// What the event is about; events about one thing stay in order.
    pub(crate) entity: String,
    /// The subscription's word for the event.
    #[serde(deserialize_with = "saved::word")]
    pub(crate) kind: Word,
    #[serde(with = "saved::shared")]
    pub(crate) payload: Arc<Value>,
    pub(crate) progress: Progress,
    pub(crate) created_at: Timestamp,
    /// When it was put into the queue, by the clock of callers.
    pub(crate) queued_at: Timestamp,
    pub(crate) attempts: u32,
    /// What it takes in memory, roughly, in bytes.
    pub(crate) weight: usize,
}

/// All deliveries by id, which is the order of the events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Deliveries {
    all: BTreeMap<String, Delivery>,
    /// Those that are through, in the order in which they came through.
    finished: VecDeque<String>,
    finished_weight: usize,
}

impl Deliveries {
    pub(crate) fn put(&mut self, delivery: Delivery) {
        self.all.insert(delivery.id.clone(), delivery);
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Delivery> {
        self.all.get_mut(id)
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &Delivery> {
        self.all.values()
    }

    /// Notes that a delivery is through, and forgets the oldest of those that
    /// are where there are too many.
    fn finish(&mut self, id: &str, progress: Progress) {
        let Some(delivery) = self.all.get_mut(id).filter(|one| !one.progress.is_final()) else {
            return;
        };
        delivery.progress = progress;
        self.finished.push_back(id.to_owned());
        self.finished_weight += delivery.weight;
        while self.finished.len() > MAX_FINISHED_DELIVERIES || self.finished_weight > MAX_FINISHED_BYTES {
            let Some(oldest) = self.finished.pop_front().and_then(|id| self.all.remove(&id)) else {
                return;
            };
            self.finished_weight = self.finished_weight.saturating_sub(oldest.weight);
        }
    }

    /// Whether what can be forgotten is within its bounds.
    #[cfg(test)]
    pub(crate) fn is_within_bounds(&self) -> bool {
        let waiting = self.all.values().filter(|one| !one.progress.is_final()).count();
        self.finished.len() <= MAX_FINISHED_DELIVERIES && self.all.len() == waiting + self.finished.len()
    }
}

/// What waits for one subscriber.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outbox {
    /// Ids with the moment from which they may go out, by entity. Only the
    /// first of each may be under way.
    queues: BTreeMap<String, VecDeque<(String, Timestamp)>>,
    /// The first of each queue that is not under way.
    ready: BTreeSet<(Timestamp, String, String)>,
    /// Everything that is not through.
    waiting: BTreeSet<String>,
    /// What was held up on purpose, so that what comes later overtakes it.
    late: BTreeSet<String>,
    /// What is under way; of a state that is loaded, nothing is.
    #[serde(skip)]
    under_way: BTreeSet<String>,
    failures: u32,
    /// When somebody who seems not to be there is tried again.
    quiet_until: Option<Timestamp>,
    pub(crate) delivered: u64,
    pub(crate) expired: u64,
}

impl Outbox {
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.under_way.len()
    }

    /// Whether nobody seems to be there.
    pub(crate) fn is_unresponsive(&self) -> bool {
        self.failures >= FAILURES_UNTIL_UNRESPONSIVE
    }

    /// Whether there is no room for more.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= MAX_WAITING_EVENTS
    }

    /// Whether something has to give way to the next event.
    pub(crate) fn is_at_limit(&self) -> bool {
        self.waiting.len() >= MOST_WAITING_EVENTS
    }

    pub(crate) fn push(&mut self, id: String, entity: String, due: Timestamp) {
        self.waiting.insert(id.clone());
        let queue = self.queues.entry(entity.clone()).or_default();
        let behind = queue.iter().rposition(|(other, _)| !self.late.contains(other)).map_or(0, |at| at + 1);
        if behind == 0 {
            if let Some((first, at)) = queue.front() {
                self.ready.remove(&(*at, first.clone(), entity.clone()));
            }
            self.ready.insert((due, id.clone(), entity));
        }
        queue.insert(behind, (id, due));
    }

    /// The next that may go out, if the subscriber can take one more.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<String> {
        let most = if self.is_unresponsive() { 1 } else { MAX_REQUESTS_IN_FLIGHT };
        let is_quiet = self.quiet_until.is_some_and(|until| until > now);
        if is_quiet || self.in_flight() >= most || self.ready.first()?.0 > now {
            return None;
        }
        let (_, id, _) = self.ready.pop_first()?;
        self.under_way.insert(id.clone());
        Some(id)
    }

    /// One that was under way has come through, or never will.
    fn finish(&mut self, id: &str, entity: &str, heard: bool) {
        self.under_way.remove(id);
        if heard {
            self.failures = 0;
            self.quiet_until = None;
            self.delivered += 1;
        } else {
            self.expired += 1;
        }
        self.remove(id, entity);
    }

    /// One that was under way is to be tried again.
    fn retry(&mut self, id: &str, entity: &str, due: Timestamp) {
        self.under_way.remove(id);
        self.failures = self.failures.saturating_add(1);
        if self.is_unresponsive() {
            // One event finds out whether somebody is there again.
            self.quiet_until = self.quiet_until.max(Some(due));
        }
        let queue = self.queues.get_mut(entity).into_iter().flatten();
        if let Some((place, (_, at))) = queue.enumerate().find(|(_, (other, _))| other == id) {
            *at = due;
            // Something else may have overtaken it meanwhile.
            if place == 0 {
                self.ready.insert((due, id.to_owned(), entity.to_owned()));
            }
        }
    }

    /// One that was under way never left; what comes later overtakes it.
    fn step_back(&mut self, id: &str, entity: &str, due: Timestamp) {
        self.under_way.remove(id);
        self.remove(id, entity);
        self.push(id.to_owned(), entity.to_owned(), due);
        self.late.insert(id.to_owned());
    }

    /// Lets everything that waits set out anew: nobody will say what became of
    /// what was under way, and due times of another clock mean nothing here.
    pub(crate) fn recall(&mut self, deliveries: &mut Deliveries, now: Timestamp) {
        self.under_way.clear();
        self.quiet_until = None;
        self.make_due(now);
        for id in &self.waiting {
            if let Some(delivery) = deliveries.get_mut(id) {
                delivery.queued_at = now;
                if delivery.progress == Progress::Delivering {
                    delivery.progress = Progress::Undelivered;
                }
            }
        }
    }

    /// Forgets what was thought of the subscriber, who has moved. What is under way stays so; should it fail, it waits
    /// as after a first try.
    pub(crate) fn wake(&mut self, deliveries: &mut Deliveries, now: Timestamp) {
        self.failures = 0;
        self.quiet_until = None;
        self.make_due(now);
        for id in &self.waiting {
            if let Some(delivery) = deliveries.get_mut(id) {
                delivery.attempts = 0;
            }
        }
    }

    /// Lets everything that waits go out from now on, in its order.
    fn make_due(&mut self, now: Timestamp) {
        self.ready.clear();
        for (entity, queue) in &mut self.queues {
            for (_, due) in queue.iter_mut() {
                *due = now;
            }
            if let Some((first, _)) = queue.front().filter(|(first, _)| !self.under_way.contains(first)) {
                self.ready.insert((now, first.clone(), entity.clone()));
            }
        }
    }

    fn remove(&mut self, id: &str, entity: &str) {
        self.waiting.remove(id);
        self.late.remove(id);
        let Some(queue) = self.queues.get_mut(entity) else {
            return;
        };
        let Some(at) = queue.iter().position(|(other, _)| other == id) else {
            return;
        };
        if let Some((_, due)) = queue.remove(at) {
            self.ready.remove(&(due, id.to_owned(), entity.to_owned()));
        }
        match queue.front() {
            Some((first, due)) if at == 0 && !self.under_way.contains(first) => {
                self.ready.insert((*due, first.clone(), entity.to_owned()));
            }
            Some(_) => {}
            None => {
                self.queues.remove(entity);
            }
        }
    }
}

/// What became of a delivery that was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Delivered,
    Expired,
    /// To be tried again from this moment on.
    Again(Timestamp),
    /// To be tried again behind what comes later.
    Behind(Timestamp),
}

/// Moves a delivery on in its subscriber's queue and in the history.
pub(crate) fn resolve(outboxes: &mut BTreeMap<String, Outbox>, deliveries: &mut Deliveries, id: &str, fate: Fate) {
    let Some(delivery) = deliveries.get_mut(id) else {
        return;
    };
    if delivery.progress != Progress::Delivering {
        return;
    }
    let entity = delivery.entity.clone();
    let outbox = outboxes.get_mut(&delivery.webhook);
    if matches!(fate, Fate::Again(_) | Fate::Behind(_)) {
        delivery.progress = Progress::Undelivered;
    }
    match (fate, outbox) {
        (Fate::Delivered | Fate::Expired, outbox) => {
            let heard = fate == Fate::Delivered;
            if let Some(outbox) = outbox {
                outbox.finish(id, &entity, heard);
            }
            deliveries.finish(id, if heard { Progress::Delivered } else { Progress::Expired });
        }
        (Fate::Again(due), Some(outbox)) => outbox.retry(id, &entity, due),
        (Fate::Behind(due), Some(outbox)) => outbox.step_back(id, &entity, due),
        // The subscription is no more.
        (_, None) => deliveries.finish(id, Progress::Expired),
    }
}

/// Gives up the oldest that waits for a subscriber.
pub(crate) fn expire_oldest(outbox: &mut Outbox, deliveries: &mut Deliveries) {
    let oldest = outbox
        .waiting
        .iter()
        .filter_map(|id| deliveries.all.get(id))
        .find(|one| one.progress != Progress::Delivering)
        .map(|one| (one.id.clone(), one.entity.clone()));
    if let Some((id, entity)) = oldest {
        outbox.remove(&id, &entity);
        outbox.expired += 1;
        deliveries.finish(&id, Progress::Expired);
    }
}

/// Gives up everything that waits for a subscription that is no more.
pub(crate) fn expire_all(outbox: &Outbox, deliveries: &mut Deliveries) {
    for id in &outbox.waiting {
        deliveries.finish(id, Progress::Expired);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn next(outbox: &mut Outbox) -> Vec<String> {
        std::iter::from_fn(|| outbox.next(at(10))).collect()
    }

    #[test]
    fn things_go_side_by_side_and_what_is_about_one_thing_in_order() {
        let mut outbox = Outbox::default();
        for (id, entity) in [("1", "a"), ("2", "a"), ("3", "b")] {
            outbox.push(id.into(), entity.into(), at(1));
        }
        assert_eq!(next(&mut outbox), ["1", "3"]);
        outbox.finish("3", "b", true);
        assert_eq!(next(&mut outbox), [""; 0]);
        outbox.retry("1", "a", at(9));
        assert_eq!(next(&mut outbox), ["1"]);
        outbox.finish("1", "a", true);
        assert_eq!(next(&mut outbox), ["2"]);
        outbox.finish("2", "a", true);
        assert_eq!((outbox.waiting(), outbox.in_flight(), outbox.delivered), (0, 0, 3));
        assert!(outbox.queues.is_empty() && outbox.ready.is_empty());
    }

    #[test]
    fn what_is_late_is_overtaken_also_by_what_comes_afterwards() {
        let mut outbox = Outbox::default();
        outbox.push("1".into(), "a".into(), at(1));
        assert_eq!(next(&mut outbox), ["1"]);
        outbox.step_back("1", "a", at(2));
        outbox.push("2".into(), "a".into(), at(2));
        assert_eq!(next(&mut outbox), ["2"]);
        outbox.finish("2", "a", true);
        assert_eq!(next(&mut outbox), ["1"]);
    }

    #[test]
    fn what_is_late_and_under_way_is_not_sent_a_second_time() {
        let mut outbox = Outbox::default();
        outbox.push("1".into(), "a".into(), at(1));
        assert_eq!(next(&mut outbox), ["1"]);
        outbox.step_back("1", "a", at(2));
        assert_eq!(next(&mut outbox), ["1"]);
        outbox.push("2".into(), "a".into(), at(2));
        assert_eq!(next(&mut outbox), ["2"]);
        outbox.finish("2", "a", true);
        assert_eq!(next(&mut outbox), [""; 0]);
        outbox.push("3".into(), "a".into(), at(2));
        assert_eq!(next(&mut outbox), ["3"]);
        outbox.retry("1", "a", at(3));
        outbox.finish("3", "a", true);
        assert_eq!(next(&mut outbox), ["1"]);
        outbox.finish("1", "a", true);
        assert_eq!((outbox.waiting(), outbox.in_flight()), (0, 0));
        assert!(outbox.queues.is_empty() && outbox.ready.is_empty());
    }

    #[test]
    fn whoever_does_not_listen_is_tried_with_one_event_at_a_time() {
        let mut outbox = Outbox::default();
        for id in 0..100 {
            outbox.push(format!("{id:03}"), format!("{id}"), at(1));
        }
        for id in next(&mut outbox) {
            outbox.retry(&id, &id.parse::<u32>().unwrap().to_string(), at(20));
        }
        assert!(outbox.is_unresponsive());
        assert_eq!(next(&mut outbox), [""; 0]);
        assert_eq!(outbox.next(at(21)).as_deref(), Some("032"));
        assert_eq!(outbox.next(at(21)), None);
        outbox.finish("032", "32", true);
        assert!(!outbox.is_unresponsive());
        assert_eq!(next(&mut outbox).len(), MAX_REQUESTS_IN_FLIGHT);
    }

    #[test]
    fn so_many_go_at_once_and_no_more() {
        let mut outbox = Outbox::default();
        for id in 0..100 {
            outbox.push(format!("{id:03}"), format!("{id}"), at(1));
        }
        assert_eq!(next(&mut outbox).len(), MAX_REQUESTS_IN_FLIGHT);
        outbox.finish("000", "0", true);
        assert_eq!(next(&mut outbox), ["032"]);
    }
}
