//! Fielding runs: their states, what leads from one to another, and what
//! follows from a change.

use super::World;
use super::field;
use super::history;
use super::schedule::Event;
use super::target_group::TargetGroup;
use crate::api::rejection::Rejection;
use crate::sim::clock::text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RunStatus {
    Scheduled,
    Live,
    Paused,
    Completed,
}

impl RunStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Completed => "completed",
        }
    }
}

/// The run of a target group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) status: RunStatus,
    pub(crate) start_at: Timestamp,
    pub(crate) end_at: Timestamp,
    pub(crate) changed_at: Timestamp,
    pub(crate) changed_by: String,
    pub(crate) version: u64,
}

impl Run {
    pub(crate) fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
}

/// What can be done to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    LaunchNow,
    Pause,
    Resume,
    Relaunch,
    Complete,
}

impl Action {
    /// Where the action leads.
    pub(crate) fn target(self) -> RunStatus {
        match self {
            Self::LaunchNow | Self::Resume | Self::Relaunch => RunStatus::Live,
            Self::Pause => RunStatus::Paused,
            Self::Complete => RunStatus::Completed,
        }
    }

    fn starts_from(self, status: RunStatus) -> bool {
        match self {
            Self::LaunchNow => status == RunStatus::Scheduled,
            Self::Pause => status == RunStatus::Live,
            Self::Resume => status == RunStatus::Paused,
            Self::Relaunch => status == RunStatus::Completed,
            // The older guide allows it from any state; from a completed one
            // it would say nothing new.
            Self::Complete => status != RunStatus::Completed,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::LaunchNow => "launched",
            Self::Pause => "paused",
            Self::Resume => "resumed",
            Self::Relaunch => "relaunched",
            Self::Complete => "completed",
        }
    }
}

/// Whether an action may be done to a group now; the reason if not.
pub(crate) fn allowed(group: &TargetGroup, action: Action, now: Timestamp) -> Result<(), String> {
    let Some(run) = &group.run else {
        return Err("The target group is a draft.".into());
    };
    if !action.starts_from(run.status) {
        return Err(format!("A {} fielding run cannot be {}.", run.status.name(), action.name()));
    }
    if matches!(action, Action::Resume | Action::Relaunch) {
        if run.end_at <= now {
            return Err("The end of fielding has passed.".into());
        }
        if group.ledger.total.completes >= group.goal {
            return Err("The goal has been reached.".into());
        }
    }
    Ok(())
}

/// Does an action to the run of a group.
pub(crate) fn act(world: &mut World, at: Timestamp, group_id: &str, action: Action) -> Result<(), Rejection> {
    let group = world.groups.get_mut(group_id).ok_or_else(|| Rejection::not_found("target group"))?;
    allowed(group, action, at).map_err(Rejection::invalid_state)?;
    let before = period(group);
    if action == Action::LaunchNow
        && let Some(run) = &mut group.run
    {
        // The duration is kept: the end moves with the start.
        let length = run.start_at.duration_until(run.end_at);
        run.start_at = at;
        run.end_at = crate::sim::clock::plus(at, length);
        let end = run.end_at;
        world.schedule.plan(end, Event::RunEnds(group_id.to_owned()));
    }
    change_from(world, at, group_id, action.target(), Cause::User, before);
    Ok(())
}

/// Gives a draft its run.
pub(crate) fn create(
    world: &mut World,
    at: Timestamp,
    group_id: &str,
    start_at: Timestamp,
    end_at: Timestamp,
    status: RunStatus,
) -> Option<String> {
    let id = world.rng.ulid(at);
    let by = world.account.caller().to_owned();
    let group = world.groups.get_mut(group_id)?;
    let before = period(group);
    group.start_at = start_at;
    group.end_at = end_at;
    group.run = Some(Run {
        id: id.clone(),
        status: RunStatus::Scheduled,
        start_at,
        end_at,
        changed_at: at,
        changed_by: by,
        version: 0,
    });
    change_from(world, at, group_id, status, Cause::User, before);
    let soft = world.groups.get(group_id).and_then(TargetGroup::soft_launch);
    if let Some((end, _)) = soft.filter(|(end, _)| *end > at) {
        world.schedule.plan(end, Event::SoftLaunchEnds(group_id.to_owned()));
    }
    world.schedule.plan(end_at, Event::RunEnds(group_id.to_owned()));
    if status == RunStatus::Scheduled {
        world.schedule.plan(start_at, Event::RunStarts(group_id.to_owned()));
    }
    Some(id)
}

/// Who or what moves a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A user of the account.
    User,
    /// The platform, for a reason with a published code.
    Platform(&'static str),
}

/// The dates that the changelog follows.
fn period(group: &TargetGroup) -> [(&'static str, Timestamp); 2] {
    [("fielding_period_start_date_change", group.start()), ("fielding_period_end_date_change", group.end())]
}

/// Moves a run to a state and lets the field follow.
pub(crate) fn change(world: &mut World, at: Timestamp, group_id: &str, status: RunStatus, cause: Cause) {
    let Some(before) = world.groups.get(group_id).map(period) else {
        return;
    };
    change_from(world, at, group_id, status, cause, before);
}

/// The same where the dates of fielding have moved already, from these.
fn change_from(
    world: &mut World,
    at: Timestamp,
    group_id: &str,
    status: RunStatus,
    cause: Cause,
    before: [(&'static str, Timestamp); 2],
) {
    let by = world.account.caller().to_owned();
    let Some(group) = world.groups.get_mut(group_id) else {
        return;
    };
    let Some(run) = &mut group.run else {
        return;
    };
    let old = if run.version == 0 { "draft" } else { run.status.name() };
    run.status = status;
    run.version += 1;
    run.changed_at = at;
    run.changed_by.clone_from(&by);
    group.changed_at = at;
    let mut moved = history::change("status_change", json!(status.name()), json!(old));
    let by = match cause {
        Cause::User => Some(by),
        Cause::Platform(reason) => {
            if let Some(map) = moved.as_object_mut() {
                map.insert("reason_code".into(), Value::from(reason));
            }
            None
        }
    };
    let dates = before.into_iter().zip(period(group)).filter(|(before, now)| before != now);
    let dates = dates.map(|((name, before), (_, now))| history::change(name, json!(text(now)), json!(text(before))));
    let changes = std::iter::once(moved).chain(dates).collect();
    history::add(world, at, group_id, by, changes);
    if status == RunStatus::Live {
        field::open(world, at, group_id);
    }
}

/// The soft launch is over: the group pauses, so that people can look at it.
pub(crate) fn end_soft_launch(world: &mut World, at: Timestamp, group_id: &str) {
    let due = world
        .groups
        .get(group_id)
        .filter(|group| group.is_live())
        .and_then(TargetGroup::soft_launch)
        .is_some_and(|(end, _)| end == at);
    if due {
        change(world, at, group_id, RunStatus::Paused, Cause::Platform("past_soft_launch_end_date"));
    }
}

/// A scheduled run's start has come.
pub(crate) fn start_scheduled(world: &mut World, at: Timestamp, group_id: &str) {
    let due = world
        .groups
        .get(group_id)
        .and_then(|group| group.run.as_ref())
        .is_some_and(|run| run.status == RunStatus::Scheduled && run.start_at <= at);
    if due {
        change(world, at, group_id, RunStatus::Live, Cause::User);
    }
}

/// A run's end date has come. It may have been moved since it was planned.
pub(crate) fn reach_end(world: &mut World, at: Timestamp, group_id: &str) {
    let due = world
        .groups
        .get(group_id)
        .and_then(|group| group.run.as_ref())
        .is_some_and(|run| run.status != RunStatus::Completed && run.end_at <= at);
    if due {
        change(world, at, group_id, RunStatus::Completed, Cause::Platform("past_scheduled_end_date"));
    }
}
