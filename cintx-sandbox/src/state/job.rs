//! Asynchronous jobs: planned at once, done after a while, able to fail.
//! A bulk job can be done and still name groups that failed.

use super::World;
use super::fielding::{self, Action, RunStatus};
use super::history;
use super::schedule::Event;
use crate::api::rejection::Fault;
use crate::api::routes::forward::reason;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What a job does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Launch a draft now.
    Launch { project: String, group: String, end_at: Timestamp },
    /// Schedule a draft.
    Schedule { project: String, group: String, start_at: Timestamp, end_at: Timestamp },
    /// One action for many groups.
    Bulk { project: String, groups: Vec<String>, action: Action },
    /// A new project manager for many groups.
    Managers { project: String, groups: Vec<String>, manager: String },
}

/// Why a job, or one group of it, failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) code: Cow<'static, str>,
    pub(crate) description: String,
    pub(crate) faults: Vec<Fault>,
}

/// Failures that a test wants for a group's next jobs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PlannedFailure {
    /// So many jobs more.
    pub(crate) left: u32,
    pub(crate) code: String,
    pub(crate) description: String,
}

impl Failure {
    fn new(code: impl Into<Cow<'static, str>>, description: impl Into<String>) -> Self {
        Self { code: code.into(), description: description.into(), faults: Vec::new() }
    }
}

/// Where a job stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Processing,
    /// A launch or schedule is done: the run it made.
    Run(String),
    /// A bulk job is done: groups changed, groups that failed.
    Bulk {
        updated: Vec<String>,
        failed: Vec<(String, Failure)>,
    },
    Failed(Failure),
}

/// A job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    /// The operation's path segment, such as `launch-from-draft`: a job is
    /// found under its own kind alone.
    pub(crate) kind: String,
    pub(crate) task: Task,
    pub(crate) outcome: Outcome,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    pub(crate) trace_id: String,
    /// Whether it came through a version before 2025-12-18.
    pub(crate) legacy: bool,
}

impl Job {
    /// The project the job belongs to.
    pub(crate) fn project(&self) -> &str {
        match &self.task {
            Task::Launch { project, .. }
            | Task::Schedule { project, .. }
            | Task::Bulk { project, .. }
            | Task::Managers { project, .. } => project,
        }
    }

    /// How many groups it names.
    fn groups(&self) -> usize {
        match &self.task {
            Task::Launch { .. } | Task::Schedule { .. } => 1,
            Task::Bulk { groups, .. } | Task::Managers { groups, .. } => groups.len(),
        }
    }

    /// The group of a job that has exactly one.
    pub(crate) fn group(&self) -> Option<&str> {
        match &self.task {
            Task::Launch { group, .. } | Task::Schedule { group, .. } => Some(group),
            Task::Bulk { .. } | Task::Managers { .. } => None,
        }
    }
}

/// Plans a job and gives its id.
pub(crate) fn start(world: &mut World, kind: &str, task: Task, trace_id: String, legacy: bool) -> String {
    let now = world.now();
    let id = world.rng.uuid();
    let job = Job {
        id: id.clone(),
        kind: kind.to_owned(),
        task,
        outcome: Outcome::Processing,
        created_at: now,
        created_by: world.account.caller().to_owned(),
        trace_id,
        legacy,
    };
    let weight = 1_000 + 100 * job.groups();
    world.jobs.put(id.clone(), job, weight);
    let ready = crate::sim::clock::plus(now, world.settings.job_delay);
    world.schedule.plan(ready, Event::JobEnds(id.clone()));
    id
}

/// The failure that a test wants for a group's job now, if it does.
pub(crate) fn planned_failure(world: &mut World, group: &str) -> Option<Failure> {
    let planned = world.planned_failures.get_mut(group)?;
    planned.left = planned.left.saturating_sub(1);
    let failure = Failure::new(planned.code.clone(), planned.description.clone());
    if planned.left == 0 {
        world.planned_failures.remove(group);
    }
    Some(failure)
}

/// Does a job's work.
pub(crate) fn finish(world: &mut World, at: Timestamp, id: &str) {
    let Some(job) = world.jobs.get(id).cloned() else {
        return;
    };
    let outcome = match &job.task {
        _ if world.fails_next() => {
            Outcome::Failed(Failure::new("JobExecutionStartMessageFailed", "The job could not be started."))
        }
        Task::Launch { project, group, end_at } => launch(world, at, project, group, at, *end_at, RunStatus::Live),
        Task::Schedule { project, group, start_at, end_at } => {
            // Its start may have passed while the job was in progress.
            let status = if *start_at <= at { RunStatus::Live } else { RunStatus::Scheduled };
            launch(world, at, project, group, *start_at, *end_at, status)
        }
        Task::Bulk { project, groups, action } => {
            let (groups, failed) = forward_only(world, groups, job.legacy);
            bulk(world, at, project, &groups, *action, failed)
        }
        Task::Managers { project, groups, manager } => {
            let (groups, failed) = forward_only(world, groups, job.legacy);
            managers(world, at, project, &groups, manager, failed)
        }
    };
    if let Some(job) = world.jobs.get_mut(id) {
        job.outcome = outcome;
    }
}

fn launch(
    world: &mut World,
    at: Timestamp,
    project: &str,
    group_id: &str,
    start_at: Timestamp,
    end_at: Timestamp,
    status: RunStatus,
) -> Outcome {
    if let Some(failure) = planned_failure(world, group_id) {
        return Outcome::Failed(failure);
    }
    let fail = |code: &'static str, text: &str| Outcome::Failed(Failure::new(code, text));
    let Some(group) = world.groups.get(group_id).filter(|group| group.project_id == project) else {
        return fail("TargetGroupNotFound", "The project has no such target group.");
    };
    if !group.is_draft() {
        return fail("TargetGroupInvalidState", "The target group is not a draft any more.");
    }
    if group.live_url.is_none() {
        return fail("TargetGroupInvalidState", "A target group without a live URL cannot be launched.");
    }
    if end_at <= start_at || end_at <= at {
        return fail("TargetGroupInvalidState", "Fielding would end before it begins.");
    }
    let faults = group.audience.faults(group.goal);
    if !faults.is_empty() {
        let mut failure = Failure::new("TargetGroupInvalidState", "The profiles are not valid.");
        failure.faults = faults;
        return Outcome::Failed(failure);
    }
    match fielding::create(world, at, group_id, start_at, end_at, status) {
        Some(run) => Outcome::Run(run),
        None => fail("TargetGroupNotFound", "The project has no such target group."),
    }
}

/// Groups that failed in a bulk job, with the reason.
type Failed = Vec<(String, Failure)>;

/// Parts from a bulk job of an older version the groups that only the newest
/// may write.
fn forward_only(world: &World, groups: &[String], legacy: bool) -> (Vec<String>, Failed) {
    let (kept, free): (Vec<String>, Vec<String>) =
        groups.iter().cloned().partition(|id| legacy && world.forward.contains_key(id));
    let failed = kept.into_iter().map(|id| {
        let failure = Failure::new("TargetGroupInvalidState", reason(&id));
        (id, failure)
    });
    (free, failed.collect())
}

fn bulk(
    world: &mut World,
    at: Timestamp,
    project: &str,
    groups: &[String],
    action: Action,
    mut failed: Failed,
) -> Outcome {
    let mut updated = Vec::new();
    for id in groups {
        if let Some(failure) = planned_failure(world, id) {
            failed.push((id.clone(), failure));
            continue;
        }
        match world.groups.get(id).filter(|group| group.project_id == project) {
            None => {
                failed.push((id.clone(), Failure::new("TargetGroupNotFound", "The project has no such target group.")));
            }
            // A group that is already there counts as done.
            Some(group) if group.run.as_ref().is_some_and(|run| run.status == action.target()) => {
                updated.push(id.clone());
            }
            Some(_) => match fielding::act(world, at, id, action) {
                Ok(()) => updated.push(id.clone()),
                Err(refusal) => {
                    failed.push((id.clone(), Failure::new("StatusTransitionNotAllowed", refusal.detail.clone())));
                }
            },
        }
    }
    Outcome::Bulk { updated, failed }
}

fn managers(
    world: &mut World,
    at: Timestamp,
    project: &str,
    groups: &[String],
    manager: &str,
    mut failed: Failed,
) -> Outcome {
    let mut updated = Vec::new();
    for id in groups {
        if let Some(failure) = planned_failure(world, id) {
            failed.push((id.clone(), failure));
            continue;
        }
        match world.groups.get(id).filter(|group| group.project_id == project) {
            Some(group) => {
                let before = history::snapshot(world, group);
                if let Some(group) = world.groups.get_mut(id) {
                    group.manager = manager.to_owned();
                    group.changed_at = at;
                }
                history::record(world, at, id, &before);
                updated.push(id.clone());
            }
            None => {
                failed.push((id.clone(), Failure::new("TargetGroupNotFound", "The project has no such target group.")));
            }
        }
    }
    Outcome::Bulk { updated, failed }
}
