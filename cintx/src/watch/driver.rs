//! What carries out a watch: when to read, what to read of which target group, what to do when a read fails, and when
//! to stop.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::feed::{Counts, Feed, Hints};
use super::snapshot::{changes, taken_back};
use super::{GroupProgress, Reading, Snapshot, Until, Watch};
use crate::error::{Error, ErrorKind};
use crate::job::may_pass;
use crate::target_group::{Progress, TargetGroup, TargetGroupOverview, TargetGroupStatus, TargetGroupSummary};
use crate::types::CurrencySums;
use crate::types::ids::TargetGroupId;
use crate::version::Version;

/// Target groups are looked at so many at a time.
const LOOKS_AT_ONCE: usize = 4;
/// What shows no change is looked at after so long all the same.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(1);
/// Hints that come close together lead to one read.
const HINT_GAP: Duration = Duration::from_secs(1);
/// After a failure the pause is this, or the watch's own if that is shorter.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// After failures the pause grows up to the watch's own within these limits.
const LONGEST_PAUSES: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(300));
/// What a pause past the end of time is: 30 years.
const MAX_POLL_PAUSE: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);
/// A pace is measured over at least one in so many parts of its window; until then, from the beginning of field.
const MIN_PART: i32 = 8;
/// In so many parts of the window the numbers are kept.
const WINDOW_PARTS: i32 = 64;

/// A target group as it was seen, and what of it was looked at.
#[derive(Debug)]
struct Known {
    progress: GroupProgress,
    readings: VecDeque<Reading>,
    /// What its costs and price belong to.
    costs_of: Option<Key>,
    costs_at: Timestamp,
    /// What its dates belong to.
    dates_of: Option<Key>,
    dates_at: Timestamp,
}

/// What shows that a target group has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    status: Option<TargetGroupStatus>,
    /// Left out for the dates.
    completes: Option<u64>,
    changed_at: Option<Timestamp>,
}

/// What one request says of a target group.
struct Seen {
    id: TargetGroupId,
    name: Option<String>,
    status: Option<TargetGroupStatus>,
    progress: Progress,
    changed_at: Option<Timestamp>,
    overview: Option<TargetGroupOverview>,
}

pub(super) struct Driver<V: Version> {
    watch: Watch<V>,
    feed: Feed,
    known: BTreeMap<TargetGroupId, Known>,
    before: Option<Vec<GroupProgress>>,
    reversed: CurrencySums,
    next_at: Option<Instant>,
    /// When all would be read next if nothing failed.
    due_at: Option<Instant>,
    read_at: Option<Instant>,
    failing_since: Option<Instant>,
    failures: u32,
    /// Target groups that were hinted at, in vain so far.
    owed: BTreeSet<TargetGroupId>,
    has_ended: bool,
}

impl<V: Version> Driver<V> {
    pub(super) fn new(mut watch: Watch<V>, feed: Feed) -> Self {
        let since = watch.since.take().map(|mut since| {
            since.groups.retain(|group| watch.is_about(&group.id));
            since
        });
        let now = watch.project.client.now();
        let kept = since.iter().flat_map(|since| &since.groups);
        let known = kept.map(|group| (group.id.clone(), Known::kept(group, now))).collect();
        let (before, reversed) = since.map(|since| (since.groups, since.reversed)).unzip();
        Self {
            watch,
            feed,
            known,
            before,
            reversed: reversed.unwrap_or_default(),
            next_at: None,
            due_at: None,
            read_at: None,
            failing_since: None,
            failures: 0,
            owed: BTreeSet::new(),
            has_ended: false,
        }
    }

    fn now(&self) -> Timestamp {
        self.watch.project.client.now()
    }

    fn deadline(&self) -> Option<Timestamp> {
        let deadlines = self.watch.until.iter().filter_map(|until| match until {
            Until::Deadline(deadline) => Some(*deadline),
            _ => None,
        });
        deadlines.min()
    }

    /// The next snapshot, or the error that ends the watch; `None` when it has ended.
    pub(super) async fn next(&mut self) -> Option<Result<Snapshot, Error>> {
        if self.has_ended {
            return None;
        }
        if let Err(error) = Error::check(self.watch.problems()) {
            return self.end(error);
        }
        loop {
            let mut hints = self.wait().await;
            let all = hints.all || self.next_at.is_none_or(|at| Instant::now() >= at);
            // In an outage what is hinted at waits for the next read, whose pause grows.
            if self.failing_since.is_some() && !all {
                self.owed.append(&mut hints.groups);
            } else {
                hints.groups.append(&mut self.owed);
            }
            let read = if all { self.read_all(&hints).await } else { self.read_some(&hints).await };
            self.read_at = Some(Instant::now());
            match read {
                Ok(()) => {
                    // Numbers that are told end no outage.
                    if all || !hints.groups.is_empty() {
                        self.failing_since = None;
                        self.failures = 0;
                    }
                    if all {
                        self.plan(self.watch.every);
                        self.due_at = self.next_at;
                    }
                }
                Err(error) => {
                    self.owed = hints.groups;
                    match self.failed(error) {
                        Some(error) => return self.end(error),
                        None => continue,
                    }
                }
            }
            let snapshot = self.snapshot();
            // A hint that said nothing new is not told.
            if all || !snapshot.changes.is_empty() || snapshot.ended.is_some() {
                self.has_ended = snapshot.ended.is_some();
                return Some(Ok(snapshot));
            }
        }
    }

    fn end(&mut self, error: Error) -> Option<Result<Snapshot, Error>> {
        self.has_ended = true;
        Some(Err(error))
    }

    /// The next read is after this pause, or at the deadline.
    fn plan(&mut self, pause: Duration) {
        let left = self.deadline().map(|deadline| deadline.duration_since(self.now()));
        let left = left.map(|left| Duration::try_from(left).unwrap_or_default());
        let pause = left.map_or(pause, |left| pause.min(left));
        let now = Instant::now();
        self.next_at = Some(now.checked_add(pause).unwrap_or(now + MAX_POLL_PAUSE));
    }

    /// Waits for the next read, or for a hint.
    async fn wait(&self) -> Hints {
        let Some(next_at) = self.next_at else { return Hints::default() };
        let came = async {
            self.feed.came().await;
            if let Some(read_at) = self.read_at {
                tokio::time::sleep_until(read_at + HINT_GAP).await;
            }
        };
        tokio::select! {
            () = tokio::time::sleep_until(next_at) => {}
            () = came => {}
        }
        self.feed.hints()
    }

    /// What to do about a read that failed: an error ends the watch.
    fn failed(&mut self, error: Error) -> Option<Error> {
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        let failing = since.elapsed();
        let is_due = self.deadline().is_some_and(|deadline| self.now() >= deadline);
        if !may_pass(&error, failing) || is_due || failing >= self.watch.patience {
            return Some(error);
        }
        tracing::debug!(%error, "a read of a watch failed, and is tried again");
        let first = self.watch.every.min(FIRST_PAUSE);
        let grown = first.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        let pause = grown.min(self.watch.every.clamp(LONGEST_PAUSES.0, LONGEST_PAUSES.1));
        self.failures += 1;
        // A read that a hint led to does not put off the next one of all.
        let planned = self.due_at.map(|at| at.duration_since(Instant::now())).filter(|left| !left.is_zero());
        let pause = planned.map_or(pause, |planned| pause.min(planned));
        self.plan(error.retry_after().map_or(pause, |told| told.max(pause)));
        None
    }

    fn snapshot(&mut self) -> Snapshot {
        let groups: Vec<GroupProgress> = self.known.values().map(|known| known.progress.clone()).collect();
        let changes = self.before.as_ref().map(|before| changes(before, &groups)).unwrap_or_default();
        taken_back(&changes, &mut self.reversed);
        self.before = Some(groups.clone());
        let mut snapshot = Snapshot { at: self.now(), groups, changes, reversed: self.reversed.clone(), ended: None };
        let until = self.watch.until.iter().chain([&Until::Over]).find(|until| until.is_reached(&snapshot));
        snapshot.ended = until.cloned();
        snapshot
    }

    /// Reads all target groups, and looks at those that have changed or are hinted at.
    async fn read_all(&mut self, hints: &Hints) -> Result<(), Error> {
        let asked = self.now();
        let seen = match &self.watch.one {
            Some(id) => vec![self.see_one(&self.watch.project.target_group(id)).await?],
            None => self.see_all().await?,
        };
        let there: BTreeSet<&TargetGroupId> = seen.iter().map(|seen| &seen.id).collect();
        self.known.retain(|id, _| there.contains(id));
        let looks: Vec<Look> = seen.into_iter().filter_map(|seen| self.take(seen, hints, asked)).collect();
        self.look_at(looks).await?;
        self.feed.watching(self.known.keys().cloned());
        Ok(())
    }

    /// Takes what hints say, and reads the target groups that have changed.
    async fn read_some(&mut self, hints: &Hints) -> Result<(), Error> {
        let now = self.now();
        for (id, Counts { completes, prescreens, .. }) in &hints.counts {
            if let Some(known) = self.known.get_mut(id) {
                known.progress.completes = completes.unwrap_or(known.progress.completes);
                known.progress.prescreens = prescreens.unwrap_or(known.progress.prescreens);
                known.read(now, self.watch.pace_over);
            }
        }
        let hinted = hints.groups.iter().filter(|id| self.known.contains_key(*id));
        let hinted: Vec<_> = hinted.map(|id| self.watch.project.target_group(id)).collect();
        for group in hinted {
            let asked = self.now();
            let seen = self.see_one(&group).await?;
            let look = self.take(seen, hints, asked);
            self.look_at(look.into_iter().collect()).await?;
        }
        Ok(())
    }

    async fn see_all(&self) -> Result<Vec<Seen>, Error> {
        let mut seen = Vec::new();
        let mut groups = self.watch.project.target_groups().list().page_size(100).stream();
        while let Some(group) = groups.try_next().await? {
            if self.watch.is_about(&group.id) {
                seen.push(Seen::from(group));
            }
        }
        Ok(seen)
    }

    /// One target group by itself: its overview, or if it is not launched, its draft.
    async fn see_one(&self, group: &TargetGroup<V>) -> Result<Seen, Error> {
        let not_launched = match group.overview().await {
            Ok(overview) => return Ok(Seen::of_overview(group.id.clone(), overview)),
            Err(error) if error.is_not_found() => error,
            Err(error) => return Err(error),
        };
        let draft = match group.draft().await {
            Ok(draft) => draft,
            Err(error) if error.is_not_found() => return Err(not_launched),
            // It has been launched in the meantime.
            Err(error) if error.kind() == ErrorKind::Moved => {
                return Ok(Seen::of_overview(group.id.clone(), group.overview().await?));
            }
            Err(error) => return Err(error),
        };
        let goal = Some(i64::from(draft.settings.completes_goal));
        Ok(Seen {
            id: group.id.clone(),
            name: Some(draft.settings.name),
            status: Some(TargetGroupStatus::Draft),
            progress: Progress { completes_goal: goal, ..Progress::default() },
            changed_at: None,
            overview: None,
        })
    }

    /// Takes what was seen; answers with what is to be looked at.
    fn take(&mut self, seen: Seen, hints: &Hints, asked: Timestamp) -> Option<Look> {
        let now = self.now();
        let id = seen.id.clone();
        self.feed.was_read(&id, asked);
        let known = self.known.entry(id.clone()).or_insert_with(|| Known::new(id.clone(), now));
        known.progress.expected = self.watch.expected.get(&id).copied();
        let key = known.see(&seen, now, self.watch.pace_over);
        if !known.progress.is_launched() {
            return None;
        }
        let dates = Key { completes: None, ..key.clone() };
        let is_old = |looked_at| now.duration_since(looked_at) >= MAX_AGE || hints.groups.contains(&id);
        let wants_costs = known.costs_of.as_ref() != Some(&key) || is_old(known.costs_at);
        let wants_dates = known.dates_of.as_ref() != Some(&dates) || is_old(known.dates_at);
        if let Some(overview) = &seen.overview {
            known.cost(overview, key.clone(), now);
        }
        let look = Look {
            id,
            costs: (wants_costs && seen.overview.is_none()).then_some(key),
            dates: wants_dates.then_some(dates),
        };
        (look.costs.is_some() || look.dates.is_some()).then_some(look)
    }

    /// Looks at some target groups, a few at a time. What was seen stays, should one of them fail.
    async fn look_at(&mut self, looks: Vec<Look>) -> Result<(), Error> {
        let project = self.watch.project.clone();
        let looks = stream::iter(looks).map(|look| {
            let group = project.target_group(&look.id);
            async move {
                let overview = match &look.costs {
                    Some(_) => Some(group.overview().await?),
                    None => None,
                };
                let period = match &look.dates {
                    Some(_) => Some(group.fielding_run().await?.map(|run| run.dates())),
                    None => None,
                };
                Ok::<_, Error>((look, overview, period))
            }
        });
        let mut looks = looks.buffer_unordered(LOOKS_AT_ONCE);
        while let Some((look, overview, period)) = looks.try_next().await? {
            let now = self.now();
            let Some(known) = self.known.get_mut(&look.id) else { continue };
            if let (Some(overview), Some(key)) = (&overview, look.costs) {
                known.cost(overview, key, now);
            }
            if let Some(period) = period {
                known.progress.period = period;
                known.dates_of = look.dates;
                known.dates_at = now;
            }
            known.measure(self.watch.pace_over);
        }
        Ok(())
    }
}

/// What is to be looked at about a target group, and what it then belongs to.
struct Look {
    id: TargetGroupId,
    costs: Option<Key>,
    dates: Option<Key>,
}

impl From<TargetGroupSummary> for Seen {
    fn from(group: TargetGroupSummary) -> Self {
        Self {
            id: group.id,
            name: group.name,
            status: group.status,
            progress: group.statistics.progress.value.unwrap_or_default(),
            changed_at: group.updated_at,
            overview: None,
        }
    }
}

impl Seen {
    fn of_overview(id: TargetGroupId, overview: TargetGroupOverview) -> Self {
        Self {
            id,
            name: overview.name.clone(),
            status: overview.status.clone(),
            progress: overview.progress.clone().unwrap_or_default(),
            changed_at: None,
            overview: Some(overview),
        }
    }
}

impl Known {
    fn new(id: TargetGroupId, now: Timestamp) -> Self {
        let progress = GroupProgress {
            id,
            name: None,
            status: None,
            goal: 0,
            completes: 0,
            prescreens: 0,
            price: None,
            cost: None,
            period: None,
            expected: None,
            read_at: now,
            since: None,
        };
        Self::unseen(progress, VecDeque::new(), now)
    }

    fn unseen(progress: GroupProgress, readings: VecDeque<Reading>, now: Timestamp) -> Self {
        Self { progress, readings, costs_of: None, costs_at: now, dates_of: None, dates_at: now }
    }

    /// One that a snapshot has told: everything about it is read anew, but for where its pace is measured from.
    fn kept(group: &GroupProgress, now: Timestamp) -> Self {
        let last = Reading { at: group.read_at, completes: group.completes };
        let readings = group.since.into_iter().chain([last]).filter(|reading| reading.at < now).collect();
        Self::unseen(group.clone(), readings, now)
    }

    /// Takes what a request says; answers with what it shows.
    fn see(&mut self, seen: &Seen, now: Timestamp, window: Duration) -> Key {
        let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
        self.progress.name.clone_from(&seen.name);
        self.progress.status.clone_from(&seen.status);
        self.progress.goal = count(seen.progress.completes_goal);
        self.progress.completes = count(seen.progress.current_completes);
        self.progress.prescreens = count(seen.progress.current_prescreens);
        self.read(now, window);
        Key { status: seen.status.clone(), completes: Some(self.progress.completes), changed_at: seen.changed_at }
    }

    fn cost(&mut self, overview: &TargetGroupOverview, key: Key, now: Timestamp) {
        self.progress.price.clone_from(&overview.current_cost_per_interview);
        self.progress.cost.clone_from(&overview.current_cost);
        self.costs_of = Some(key);
        self.costs_at = now;
    }

    /// Keeps the number of completes as it is now, for the pace.
    fn read(&mut self, now: Timestamp, window: Duration) {
        self.progress.read_at = now;
        let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX);
        // What is older than the window is needed only once: as its beginning.
        while self.readings.get(1).is_some_and(|reading| now.duration_since(reading.at) >= window) {
            self.readings.pop_front();
        }
        if self.readings.back().is_none_or(|last| now.duration_since(last.at) >= window / WINDOW_PARTS) {
            self.readings.push_back(Reading { at: now, completes: self.progress.completes });
        }
        self.measure(Duration::try_from(window).unwrap_or(Duration::MAX));
    }

    /// From where the pace is measured: the window's beginning once enough of it was seen, until then the beginning of
    /// field.
    fn measure(&mut self, window: Duration) {
        let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX);
        let now = self.progress.read_at;
        let seen = self.readings.front().copied().filter(|first| first.at < now);
        let start = self.progress.period.map(|period| Reading { at: period.start, completes: 0 });
        let start = start.filter(|start| start.at < now);
        self.progress.since = match (seen, start) {
            (Some(seen), _) if now.duration_since(seen.at) >= window / MIN_PART => Some(seen),
            (_, Some(start)) => Some(start),
            (seen, None) => seen,
        };
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;
    use crate::fielding::FieldingPeriod;

    #[test]
    fn a_pace_is_measured_from_the_beginning_of_field_until_enough_was_seen_and_memory_is_bounded() {
        let start: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let window = Duration::from_secs(24 * 3_600);
        let mut known = Known::new(TargetGroupId::new("a"), start);
        known.progress.period = Some(FieldingPeriod { start, end: start + 240.hours() });
        // Watched from the tenth hour on, every minute; one an hour comes.
        for minute in 600..20_000_i64 {
            let now = start + minute.minutes();
            known.progress.completes = minute as u64 / 60;
            known.read(now, window);
            let since = known.progress.since.unwrap();
            let span = now.duration_since(since.at).as_hours();
            match minute {
                ..780 => assert_eq!(since, Reading { at: start, completes: 0 }),
                780..2_040 => assert_eq!(since.at, start + 600.minutes()),
                _ => assert!((24..=25).contains(&span), "{span} hours at minute {minute}"),
            }
            assert!(known.readings.len() <= WINDOW_PARTS as usize + 2);
        }
    }
}
