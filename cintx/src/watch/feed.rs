//! Hints to a watch: that something has happened, or how far a target group is. They come from webhooks, and save
//! waiting for the next read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::types::ids::TargetGroupId;
#[cfg(feature = "webhook-receive")]
use crate::webhook::receive::{Event, EventData};

/// Tells a watch what has happened. Cheap to clone; of no effect when the watch has ended.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    came: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The target groups that are watched: hints about others are left, so that there are never more of them.
    watched: BTreeSet<TargetGroupId>,
    hints: Hints,
    /// When the newest event about the numbers of a target group was made.
    told_at: BTreeMap<TargetGroupId, Timestamp>,
    /// When the numbers of a target group were asked for that were read last.
    read_at: BTreeMap<TargetGroupId, Timestamp>,
}

/// What has been told since a watch looked last.
#[derive(Debug, Default)]
pub(super) struct Hints {
    /// Everything is to be read.
    pub(super) all: bool,
    /// These target groups are to be read.
    pub(super) groups: BTreeSet<TargetGroupId>,
    /// So many completes and prescreens there are.
    pub(super) counts: BTreeMap<TargetGroupId, Counts>,
}

/// What an event says of a target group's numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) completes: Option<u64>,
    pub(super) prescreens: Option<u64>,
    /// When it was so.
    at: Option<Timestamp>,
}

impl Feed {
    /// Asks the watch to read now, and not only when its pause is over.
    pub fn look(&self) {
        self.tell(|state| {
            state.hints.all = true;
            true
        });
    }

    /// Asks the watch to read one target group now; whether that one is watched.
    pub fn look_at(&self, group: impl Into<TargetGroupId>) -> bool {
        let group = group.into();
        self.tell(|state| state.watched.contains(&group) && state.hints.groups.insert(group))
    }

    /// Says how many completes and prescreens a target group has as a whole, and when that was so: what is older than
    /// what was said before, or is not newer than what was read, is left; a moment that is not known is now. Reads are
    /// timed by the client's [clock](crate::ClientBuilder::clock). Nothing is read for it. Whether it is of use.
    pub fn count(
        &self,
        group: impl Into<TargetGroupId>,
        completes: Option<u64>,
        prescreens: Option<u64>,
        at: Option<Timestamp>,
    ) -> bool {
        let (group, counts) = (group.into(), Counts { completes, prescreens, at });
        self.tell(|state| state.count(group, counts))
    }

    /// Takes an event that a webhook brought, in whatever order and however often they come; whether it is of use.
    ///
    /// How far a target group is as a whole is taken from the event, as by [`count`](Self::count): nothing is read for
    /// it. A change of a target group lets that one be read. Sessions and single quotas say nothing that a watch keeps.
    #[cfg(feature = "webhook-receive")]
    pub fn take(&self, event: &Event) -> bool {
        match event.data() {
            EventData::TargetGroupUpdated(updated) => self.look_at(TargetGroupId::new(&*updated.target_group_id)),
            EventData::QuotaFillRegistered(fill) if fill.profile_quota_id.is_none() => {
                let group = TargetGroupId::new(&*fill.target_group_id);
                let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
                self.count(group, count(fill.completes), count(fill.screens), event.time())
            }
            _ => false,
        }
    }

    /// Changes what is told, and wakes the watch if that was of use.
    fn tell(&self, change: impl FnOnce(&mut State) -> bool) -> bool {
        let of_use = change(&mut self.state());
        if of_use {
            self.shared.came.notify_one();
        }
        of_use
    }

    pub(super) async fn came(&self) {
        self.shared.came.notified().await;
    }

    pub(super) fn hints(&self) -> Hints {
        std::mem::take(&mut self.state().hints)
    }

    /// Says what is watched from now on.
    pub(super) fn watching(&self, groups: impl Iterator<Item = TargetGroupId>) {
        let state = &mut *self.state();
        state.watched = groups.collect();
        state.told_at.retain(|group, _| state.watched.contains(group));
        state.read_at.retain(|group, _| state.watched.contains(group));
    }

    /// The numbers of a target group were read: what was told of a moment before they were asked for is no news.
    pub(super) fn was_read(&self, group: &TargetGroupId, asked: Timestamp) {
        let state = &mut *self.state();
        state.read_at.insert(group.clone(), asked);
        let is_old = |counts: &Counts| counts.at.is_some_and(|at| at <= asked);
        if state.hints.counts.get(group).is_some_and(is_old) {
            state.hints.counts.remove(group);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes numbers, unless newer ones were taken or read before.
    fn count(&mut self, group: TargetGroupId, counts: Counts) -> bool {
        let at = counts.at;
        let is_told = at.zip(self.told_at.get(&group).copied()).is_some_and(|(at, told)| at < told);
        let is_read = at.zip(self.read_at.get(&group).copied()).is_some_and(|(at, asked)| at <= asked);
        if is_told
            || is_read
            || !self.watched.contains(&group)
            || (counts.completes.is_none() && counts.prescreens.is_none())
        {
            return false;
        }
        if let Some(at) = at {
            self.told_at.insert(group.clone(), at);
        }
        self.hints.counts.insert(group, counts);
        true
    }
}

#[cfg(test)]
#[cfg(feature = "webhook-receive")]
mod tests {
    use serde_json::json;

    use super::*;

    fn fill(group: &str, completes: u64, second: u32) -> Event {
        let data = json!({"target_group_id": group, "completes": completes, "screens": completes * 2});
        event("com.cint.quota.fill.registered", &data, second)
    }

    fn event(kind: &str, data: &serde_json::Value, second: u32) -> Event {
        let time = format!("2026-11-24T10:00:{second:02}Z");
        let body = json!({"id": "e", "specversion": "1.0", "source": "urn", "type": kind, "time": time, "data": data});
        Event::parse(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn the_newest_numbers_count_in_whatever_order_they_come() {
        let feed = Feed::default();
        feed.watching([TargetGroupId::new("a")].into_iter());
        assert!(feed.take(&fill("a", 7, 20)));
        assert!(!feed.take(&fill("a", 5, 10)), "it is older");
        assert!(!feed.take(&fill("b", 9, 30)), "nobody watches it");
        let hints = feed.hints();
        assert_eq!((hints.counts[&TargetGroupId::new("a")].completes, hints.counts.len()), (Some(7), 1));
        assert!(!feed.take(&fill("a", 6, 15)), "older than what was taken before");
        assert!(feed.take(&fill("a", 8, 21)));
        assert_eq!((feed.hints().counts.len(), feed.hints().counts.len()), (1, 0), "a hint is taken once");
    }

    #[test]
    fn numbers_not_newer_than_what_was_read_are_left() {
        let (feed, group) = (Feed::default(), TargetGroupId::new("a"));
        feed.watching([group.clone()].into_iter());
        assert!(feed.take(&fill("a", 7, 20)));
        let asked: Timestamp = "2026-11-24T10:00:20Z".parse().unwrap();
        feed.was_read(&group, asked);
        assert!(feed.hints().counts.is_empty(), "what waits is not news any more");
        assert!(!feed.take(&fill("a", 7, 20)), "the same event again");
        assert!(feed.take(&fill("a", 8, 21)));
        feed.was_read(&group, asked);
        assert_eq!(feed.hints().counts[&group].completes, Some(8), "it is newer than the read");
        assert!(feed.count(group, Some(9), None, None));
    }

    #[test]
    fn a_change_lets_its_target_group_be_read_and_other_events_are_left() {
        let feed = Feed::default();
        feed.watching([TargetGroupId::new("a")].into_iter());
        let updated = |group: &str| event("com.cint.target-group.updated", &json!({"target_group_id": group}), 1);
        assert!(feed.take(&updated("a")) && !feed.take(&updated("b")));
        let quota = json!({"target_group_id": "a", "profile_quota_id": "q", "completes": 1});
        assert!(!feed.take(&event("com.cint.quota.fill.registered", &quota, 2)), "one quota says nothing of all");
        let session = json!({"target_group_id": "a", "response_session_id": "s", "sequence_number": 1});
        assert!(!feed.take(&event("com.cint.session.updated", &session, 3)));
        let hints = feed.hints();
        assert!(hints.groups.contains(&TargetGroupId::new("a")) && hints.groups.len() == 1 && hints.counts.is_empty());
    }
}
