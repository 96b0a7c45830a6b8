//! Asynchronous jobs: the id comes in `Location` alone, the rest by asking.
//! Reading a job needs the same project, and group, that it was started for.

use super::{Outcome, Route};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::rejection::Rejection;
use crate::sim::clock::{read, text};
use crate::state::World;
use crate::state::fielding::Action;
use crate::state::job::{self, Failure, Job, Outcome as Result_, Task};
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("create_launch_fielding_run_from_draft_job", launch),
    ("create_schedule_fielding_run_from_draft_job", schedule),
    ("get_launch_fielding_run_from_draft_job", |world, call| fielding_job(world, call, "launch-from-draft")),
    ("get_schedule_fielding_run_from_draft_job", |world, call| fielding_job(world, call, "schedule-from-draft")),
    ("create_bulk_launch_target_groups_job", |world, call| bulk(world, call, Action::LaunchNow)),
    ("get_bulk_launch_target_groups_job", |world, call| bulk_job(world, call)),
    ("create_bulk_pause_target_groups_job", |world, call| bulk(world, call, Action::Pause)),
    ("get_bulk_pause_target_groups_job", |world, call| bulk_job(world, call)),
    ("create_bulk_resume_target_groups_job", |world, call| bulk(world, call, Action::Resume)),
    ("get_bulk_resume_target_groups_job", |world, call| bulk_job(world, call)),
    ("create_bulk_relaunch_target_groups_job", |world, call| bulk(world, call, Action::Relaunch)),
    ("get_bulk_relaunch_target_groups_job", |world, call| bulk_job(world, call)),
    ("create_bulk_complete_target_groups_job", |world, call| bulk(world, call, Action::Complete)),
    ("get_bulk_complete_target_groups_job", |world, call| bulk_job(world, call)),
    ("create_bulk_update_target_group_project_manager_job", managers),
    ("get_bulk_update_target_group_project_manager_job", |world, call| bulk_job(world, call)),
];

fn launch(world: &mut World, call: &Call<'_>) -> Outcome {
    let end_at = moment(call, "end_fielding_at")?;
    if end_at <= world.now() {
        return Err(Rejection::too_early("end_fielding_at", end_at, world.now()));
    }
    let (project, group) = (call.at("project_id").to_owned(), call.at("target_group_id").to_owned());
    start(world, call, "launch-from-draft", Task::Launch { project, group, end_at })
}

fn schedule(world: &mut World, call: &Call<'_>) -> Outcome {
    let start_at = moment(call, "start_fielding_at")?;
    let end_at = moment(call, "end_fielding_at")?;
    if start_at <= world.now() {
        return Err(Rejection::too_early("start_fielding_at", start_at, world.now()));
    }
    if end_at <= start_at {
        return Err(Rejection::too_early("end_fielding_at", end_at, start_at));
    }
    let (project, group) = (call.at("project_id").to_owned(), call.at("target_group_id").to_owned());
    start(world, call, "schedule-from-draft", Task::Schedule { project, group, start_at, end_at })
}

fn moment(call: &Call<'_>, name: &str) -> Result<jiff::Timestamp, Rejection> {
    call.text(name).and_then(read).ok_or_else(|| Rejection::no_moment(name, call.text(name)))
}

fn start(world: &mut World, call: &Call<'_>, kind: &str, task: Task) -> Outcome {
    let id = job::start(world, kind, task, call.trace_id.clone(), call.version.is_legacy());
    // As seen in the wild: a path, and one that lacks a segment. Its last
    // part is the id; the whole is no address to ask.
    let place = format!("/v1{}/{id}", call.requested.replacen("/demand", "", 1));
    Ok(Answer::empty(201).with("location", place))
}

fn find<'w>(world: &'w World, call: &Call<'_>, kind: &str) -> Result<&'w Job, Rejection> {
    world
        .jobs
        .get(call.at("job_id"))
        .filter(|job| job.kind == kind && job.project() == call.at("project_id"))
        .filter(|job| job.group().is_none_or(|group| group == call.at("target_group_id")))
        .ok_or_else(|| Rejection::not_found("job"))
}

fn failure_facts(failure: &Failure) -> Value {
    let mut facts = json!({ "code": failure.code, "description": failure.description });
    if let (false, Some(map)) = (failure.faults.is_empty(), facts.as_object_mut()) {
        let reasons = failure
            .faults
            .iter()
            .map(|fault| json!({ "name": fault.name(), "reason": fault.reason(), "detail": fault.detail }));
        map.insert("reasons".into(), reasons.collect());
    }
    facts
}

fn fielding_job(world: &World, call: &Call<'_>, kind: &str) -> Outcome {
    let job = find(world, call, kind)?;
    let mut facts = json!({
        "job_id": job.id,
        "created_at": text(job.created_at),
        "created_by": job.created_by,
        "status": "Processing",
    });
    if let Some(map) = facts.as_object_mut() {
        match &job.outcome {
            Result_::Processing | Result_::Bulk { .. } => {}
            Result_::Run(run) => {
                map.insert("status".into(), json!("Completed"));
                map.insert("fielding_run_id".into(), json!(run));
                map.insert("created_fielding_run_id".into(), json!(run));
            }
            Result_::Failed(failure) => {
                map.insert("status".into(), json!("Failed"));
                map.insert("failure_reason".into(), failure_facts(failure));
                map.insert("job_trace_id".into(), json!(job.trace_id));
            }
        }
    }
    Ok(Answer::json(200, facts))
}

/// The path segment that names a bulk job's kind.
fn kind<'c>(call: &Call<'c>) -> &'c str {
    call.operation.path().split('/').skip_while(|segment| *segment != "batch-jobs").nth(1).unwrap_or("")
}

fn groups(call: &Call<'_>) -> Vec<String> {
    let list = call.body.get("target_group_ids").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn bulk(world: &mut World, call: &Call<'_>, action: Action) -> Outcome {
    let project = super::projects::find(world, call)?.id.clone();
    start(world, call, kind(call), Task::Bulk { project, groups: groups(call), action })
}

fn managers(world: &mut World, call: &Call<'_>) -> Outcome {
    let project = super::projects::find(world, call)?.id.clone();
    let given = call.text("project_manager_id").unwrap_or_default();
    let manager = world
        .account
        .user(given)
        .map(|user| user.id.clone())
        .ok_or_else(|| Rejection::invalid("project_manager_id", world.account.not_a_user(given)))?;
    start(world, call, kind(call), Task::Managers { project, groups: groups(call), manager })
}

fn bulk_job(world: &World, call: &Call<'_>) -> Outcome {
    let job = find(world, call, kind(call))?;
    let group = |id: &String| {
        let name = world.groups.get(id).map(|group| group.name.as_str());
        json!({ "target_group_id": id, "target_group_name": name })
    };
    let (status, updated, failed): (_, Vec<Value>, Vec<Value>) = match &job.outcome {
        Result_::Bulk { updated, failed } => (
            "Completed",
            updated.iter().map(group).collect(),
            failed
                .iter()
                .map(|(id, failure)| {
                    let mut facts = group(id);
                    if let Some(map) = facts.as_object_mut() {
                        map.insert("failure_reason".into(), failure_facts(failure));
                    }
                    facts
                })
                .collect(),
        ),
        Result_::Failed(_) => ("Failed", Vec::new(), Vec::new()),
        Result_::Processing | Result_::Run(_) => ("Processing", Vec::new(), Vec::new()),
    };
    let manager = match &job.task {
        Task::Managers { manager, .. } => Some(manager.as_str()),
        _ => None,
    };
    Ok(Answer::json(
        200,
        json!({
            "job_id": job.id,
            "created_at": text(job.created_at),
            "created_by": job.created_by,
            "project_manager_id": manager,
            "status": status,
            "updated_target_groups": { "data": updated, "has_more": false },
            "failed_target_groups": { "data": failed, "has_more": false },
        }),
    ))
}
