//! Fielding runs: reading, moving dates, and the actions on them. Each change
//! asks for the ETag that was read and gives the next one.

use super::{Outcome, Route, projects, target_groups};
use crate::api::answer::Answer;
use crate::api::call::Call;
use crate::api::rejection::Rejection;
use crate::sim::clock::{read, text};
use crate::state::fielding::{self, Action, Run, RunStatus};
use crate::state::schedule::Event;
use crate::state::{World, history, locale};
use serde_json::{Value, json};

/// The operations that are answered here.
pub(super) const ROUTES: &[Route] = &[
    ("get_fielding_runs_by_target_group_id", |world, call| list(world, call)),
    ("get_fielding_run", |world, call| get(world, call)),
    ("update_fielding_run", update),
    ("pause_fielding_run", act),
    ("resume_fielding_run", act),
    ("complete_fielding_run", act),
    ("relaunch_fielding_run", act),
    ("launch_now_fielding_run", act),
    ("compute_target_group_transitions", |world, call| transitions(world, call)),
];

fn facts(run: &Run) -> Value {
    json!({
        "id": run.id,
        "last_changed_at": text(run.changed_at),
        "last_changed_by": run.changed_by,
        "start_fielding_at": text(run.start_at),
        "end_fielding_at": text(run.end_at),
        "status": run.status.name(),
        "version": run.version,
    })
}

fn find<'w>(world: &'w World, call: &Call<'_>) -> Result<&'w Run, Rejection> {
    target_groups::find(world, call)?
        .run
        .as_ref()
        .filter(|run| run.id == call.at("fielding_run_id"))
        .ok_or_else(|| Rejection::not_found("fielding run"))
}

fn list(world: &World, call: &Call<'_>) -> Outcome {
    let group = target_groups::find(world, call)?;
    let runs: Vec<Value> = group.run.iter().map(facts).collect();
    Ok(Answer::json(200, json!({ "data": runs, "has_more": false })))
}

fn get(world: &World, call: &Call<'_>) -> Outcome {
    let run = find(world, call)?;
    Ok(Answer::json(200, facts(run)).with("etag", run.etag()))
}

fn update(world: &mut World, call: &Call<'_>) -> Outcome {
    let run = find(world, call)?.clone();
    call.match_etag(&run.etag())?;
    let now = world.now();
    let moment = |name: &str| call.text(name).and_then(read).ok_or_else(|| Rejection::no_moment(name, call.text(name)));
    let (start_at, end_at) = (moment("start_fielding_at")?, moment("end_fielding_at")?);
    if end_at <= start_at {
        return Err(Rejection::too_early("end_fielding_at", end_at, start_at));
    }
    if run.status == RunStatus::Completed {
        return Err(Rejection::invalid_state("A completed fielding run cannot be updated."));
    }
    if end_at <= now {
        return Err(Rejection::too_early("end_fielding_at", end_at, now));
    }
    if run.status == RunStatus::Scheduled && start_at <= now {
        return Err(Rejection::too_early("start_fielding_at", start_at, now));
    }
    let id = target_groups::find(world, call)?.id.clone();
    let by = world.account.caller().to_owned();
    let before = history::snapshot(world, target_groups::find(world, call)?);
    let Some(run) = world.groups.get_mut(&id).and_then(|group| group.run.as_mut()) else {
        return Err(Rejection::not_found("fielding run"));
    };
    run.start_at = start_at;
    run.end_at = end_at;
    run.changed_at = now;
    run.changed_by = by;
    run.version += 1;
    let answer = Answer::json(202, json!({ "id": run.id })).with("etag", run.etag());
    let scheduled = run.status == RunStatus::Scheduled;
    world.schedule.plan(end_at, Event::RunEnds(id.clone()));
    if scheduled {
        world.schedule.plan(start_at, Event::RunStarts(id.clone()));
    }
    history::record(world, now, &id, &before);
    Ok(answer)
}

pub(super) fn act(world: &mut World, call: &Call<'_>) -> Outcome {
    let action = match call.operation.id() {
        "pause_fielding_run" => Action::Pause,
        "resume_fielding_run" => Action::Resume,
        "complete_fielding_run" => Action::Complete,
        "relaunch_fielding_run" => Action::Relaunch,
        _ => Action::LaunchNow,
    };
    call.match_etag(&find(world, call)?.etag())?;
    let id = target_groups::find(world, call)?.id.clone();
    let now = world.now();
    fielding::act(world, now, &id, action)?;
    let run = find(world, call)?;
    let answer = match action {
        Action::LaunchNow => Answer::json(200, facts(run)),
        _ => Answer::empty(204),
    };
    Ok(answer.with("etag", run.etag()))
}

fn transitions(world: &World, call: &Call<'_>) -> Outcome {
    let project = projects::find(world, call)?;
    let texts = |node: Option<&Value>| -> Vec<String> {
        node.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let filters = call.body.get("filters");
    let filter = |name: &str| texts(filters.and_then(|filters| filters.get(name)));
    let (status, country, language) = (filter("status"), filter("country"), filter("language"));
    let included = texts(call.body.get("included_target_group_ids"));
    let excluded = texts(call.body.get("excluded_target_group_ids"));
    let search = call.text("search_string").unwrap_or_default().to_lowercase();
    let among = |list: &[String], own: &str| list.is_empty() || list.iter().any(|wanted| wanted == own);
    let groups: Vec<_> = world
        .groups_of(&project.id)
        .filter(|group| among(&included, &group.id) && !excluded.contains(&group.id))
        .filter(|group| among(&status, group.status()))
        .filter(|group| {
            let (own_language, own_country) = locale::split(&group.locale).unwrap_or(("", ""));
            among(&country, own_country) && among(&language, own_language)
        })
        .filter(|group| group.name.to_lowercase().contains(&search))
        .collect();
    let now = world.now();
    let any = |action| groups.iter().any(|group| fielding::allowed(group, action, now).is_ok());
    let mut facts = json!({
        "is_launch_allowed": any(Action::LaunchNow) || groups.iter().any(|group| group.is_draft()),
        "is_pause_allowed": any(Action::Pause),
        "is_resume_allowed": any(Action::Resume),
        "is_relaunch_allowed": any(Action::Relaunch),
        "is_finish_allowed": any(Action::Complete),
    });
    // An empty list is not allowed by every version; leaving it out is.
    if let (false, Some(map)) = (groups.is_empty(), facts.as_object_mut()) {
        map.insert("target_groups".into(), groups.iter().map(|group| json!(group.id)).collect());
    }
    Ok(Answer::json(200, facts))
}
