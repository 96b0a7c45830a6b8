//! What will happen at which moment: jobs that end, runs that start and stop,
//! respondents that come and go. Ties keep the order of planning.

use super::World;
use super::{field, fielding, file_job, job, reconciliation, report};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

/// Something that happens by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Event {
    /// A job is done.
    JobEnds(String),
    /// A scheduled run of a group is to start.
    RunStarts(String),
    /// A run of a group reaches its end date.
    RunEnds(String),
    /// The soft launch of a group is over.
    SoftLaunchEnds(String),
    /// The next respondent comes to a group.
    Arrival(String),
    /// A respondent leaves the survey.
    SessionEnds(String),
    /// A job on a list of ids is done.
    FileJobEnds(String),
    /// A report is written.
    ReportEnds(String),
    /// A reconciliation has been worked through.
    ReconciliationEnds(String),
}

/// The plan, earliest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Schedule {
    heap: BinaryHeap<Reverse<(Timestamp, u64, Event)>>,
    planned: u64,
    /// How long it was after the last tidying.
    tidied: usize,
}

impl Schedule {
    pub(crate) fn plan(&mut self, at: Timestamp, event: Event) {
        self.planned += 1;
        self.heap.push(Reverse((at, self.planned, event)));
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether it has grown enough to be tidied.
    pub(crate) fn is_long(&self) -> bool {
        self.heap.len() > 10_000 + 2 * self.tidied
    }

    /// Keeps what matters, each event once for a moment: the first that was
    /// planned.
    pub(crate) fn keep(&mut self, matters: impl Fn(Timestamp, &Event) -> bool) {
        let mut plan = std::mem::take(&mut self.heap).into_sorted_vec();
        // Sorted backwards, so the first planned comes last.
        plan.reverse();
        let mut seen = HashSet::new();
        plan.retain(|Reverse((at, _, event))| matters(*at, event) && seen.insert((*at, event.clone())));
        self.heap = plan.into();
        self.tidied = self.heap.len();
    }

    /// Takes the next event that is due.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<(Timestamp, Event)> {
        let Reverse((at, _, _)) = self.heap.peek()?;
        if *at > now {
            return None;
        }
        self.heap.pop().map(|Reverse((at, _, event))| (at, event))
    }
}

/// Whether an event will still change something.
pub(crate) fn matters(world: &World, at: Timestamp, event: &Event) -> bool {
    let run = |group: &String| world.groups.get(group).and_then(|group| group.run.as_ref());
    match event {
        Event::JobEnds(id) => world.jobs.contains_key(id),
        Event::RunStarts(group) => run(group).is_some_and(|run| run.start_at == at),
        Event::RunEnds(group) => run(group).is_some_and(|run| run.end_at == at),
        Event::SoftLaunchEnds(group) => {
            world.groups.get(group).and_then(|group| group.soft_launch()).is_some_and(|(end, _)| end == at)
        }
        Event::Arrival(group) => world.groups.get(group).is_some_and(|group| group.arrival_at == Some(at)),
        Event::SessionEnds(rid) => world.sessions.contains_key(rid),
        Event::FileJobEnds(id) => world.file_jobs.contains_key(id),
        Event::ReportEnds(id) => world.reports.contains_key(id),
        Event::ReconciliationEnds(id) => world.reconciliations.contains_key(id),
    }
}

/// Makes an event happen at its own moment, which may lie before now.
pub(crate) fn apply(world: &mut World, at: Timestamp, event: Event) {
    match event {
        Event::JobEnds(id) => job::finish(world, at, &id),
        Event::RunStarts(group) => fielding::start_scheduled(world, at, &group),
        Event::RunEnds(group) => fielding::reach_end(world, at, &group),
        Event::SoftLaunchEnds(group) => fielding::end_soft_launch(world, at, &group),
        Event::Arrival(group) => field::arrive(world, at, &group),
        Event::SessionEnds(rid) => field::leave(world, at, &rid),
        Event::FileJobEnds(id) => file_job::finish(world, at, &id),
        Event::ReportEnds(id) => report::finish(world, at, &id),
        Event::ReconciliationEnds(id) => reconciliation::finish(world, at, &id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_time_and_planning_order() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut schedule = Schedule::default();
        schedule.plan(at(2), Event::Arrival("late".into()));
        schedule.plan(at(1), Event::RunStarts("b".into()));
        schedule.plan(at(1), Event::Arrival("a".into()));
        assert_eq!(schedule.due(at(1)).unwrap().1, Event::RunStarts("b".into()));
        assert_eq!(schedule.due(at(1)).unwrap().1, Event::Arrival("a".into()));
        assert_eq!(schedule.due(at(1)), None);
        assert_eq!(schedule.due(at(9)).unwrap().0, at(2));
    }

    #[test]
    fn tidying_keeps_each_event_once_and_in_order() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut schedule = Schedule::default();
        for id in ["a", "b", "a", "gone"] {
            schedule.plan(at(1), Event::RunEnds(id.into()));
        }
        schedule.plan(at(2), Event::RunEnds("a".into()));
        schedule.keep(|_, event| *event != Event::RunEnds("gone".into()));
        let left: Vec<_> = std::iter::from_fn(|| schedule.due(at(9))).collect();
        let ends = |id: &str| Event::RunEnds(id.into());
        assert_eq!(left, [(at(1), ends("a")), (at(1), ends("b")), (at(2), ends("a"))]);
    }
}
