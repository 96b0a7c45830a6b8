//! Field: launched, scheduled, acted upon, moved, by one and by many.

use std::time::Duration;

use bytes::Bytes;
use cintx::fielding::{RunAction, RunStatus};
use cintx::http::ByteStream;
use cintx::job::JobStatus;
use cintx::{Client, Version};
use http::{Request, Response};
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use crate::setup::{Setup, on_every_version};

on_every_version!(
    a_run_goes_through_its_states,
    a_scheduled_run_is_moved_and_launched_now,
    a_job_is_taken_up_elsewhere,
    a_launch_that_fails_says_why,
    many_act_at_once_and_nobody_is_refused,
    eight_editors_move_dates_and_lose_none,
);

async fn a_run_goes_through_its_states<V: Version>(setup: Setup<V>) {
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    assert!(group.fielding_run().await.unwrap().is_none());
    let mut run = group.launch(Timestamp::now() + 240.hours()).await.unwrap().until_live().await.unwrap();
    assert_eq!(run.status(), &RunStatus::Live);
    for (act, then) in [
        (RunAction::Pause, RunStatus::Paused),
        (RunAction::Resume, RunStatus::Live),
        (RunAction::Complete, RunStatus::Completed),
        (RunAction::Relaunch, RunStatus::Live),
    ] {
        assert!(run.status().allows(act));
        match act {
            RunAction::Pause => run.pause().await,
            RunAction::Resume => run.resume().await,
            RunAction::Complete => run.complete().await,
            _ => run.relaunch().await,
        }
        .unwrap();
        assert_eq!(run.status(), &then, "{act:?}");
        let mut again = group.fielding_run().await.unwrap().unwrap();
        assert_eq!((again.id(), again.status()), (run.id(), &then));
        again.refresh().await.unwrap();
    }
    let refused = run.resume().await.unwrap_err();
    assert_eq!(refused.status().unwrap(), 422, "a live run cannot be resumed: {refused}");
    setup.assert_no_violation();
}

async fn a_scheduled_run_is_moved_and_launched_now<V: Version>(setup: Setup<V>) {
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    let start = Timestamp::now() + 24.hours();
    let mut run = group.schedule(start..start + 48.hours()).await.unwrap().until_done().await.unwrap();
    assert_eq!(run.status(), &RunStatus::Scheduled);
    let end = run.dates().end;
    run.edit_dates(|dates| dates.end += 24.hours()).await.unwrap();
    run.refresh().await.unwrap();
    assert_eq!(run.dates().end, end + 24.hours());
    run.launch_now().await.unwrap();
    assert_eq!(run.status(), &RunStatus::Live);
    assert!(run.dates().start < start, "it has begun");

    let past = Timestamp::now() - 1.hours();
    let refused = run.edit_dates(|dates| dates.end = past).await.unwrap_err();
    assert!(refused.invalid_fields().iter().all(|problem| problem.field() == "end"), "{refused}");
    assert!(!refused.invalid_fields().is_empty());
    let refused = group.schedule(start..past).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "fielding_period");
    setup.assert_no_violation();
}

async fn a_job_is_taken_up_elsewhere<V: Version>(setup: Setup<V>) {
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    let kept = group.launch(Timestamp::now() + 240.hours()).await.unwrap().id().to_string();
    let job = group.launch_job(cintx::JobId::new(kept)).timeout(Duration::from_secs(30));
    let run = job.until_done().await.unwrap();
    assert!(matches!(job.status().await.unwrap(), JobStatus::Done(again) if again.id() == run.id()));
    setup.assert_no_violation();
}

/// A reason has a name, a text and a detail, each of which may be missing.
async fn a_launch_that_fails_says_why<V: Version>(_: Setup<V>) {
    let reasons = json!([
        { "name": "supply", "reason": "TOO_SMALL", "detail": "no room" },
        { "name": "price" },
        { "reason": "LATE", "detail": "" },
        { "detail": "by hand" },
        {},
    ]);
    for (failure, says) in [
        (
            json!({ "code": "NOT_LAUNCHABLE", "description": "it cannot be launched", "reasons": reasons }),
            "NOT_LAUNCHABLE: it cannot be launched; supply: TOO_SMALL (no room); price; LATE; by hand",
        ),
        (json!({ "code": "NOT_LAUNCHABLE" }), "NOT_LAUNCHABLE"),
        (json!({}), "no reason was given"),
    ] {
        let body = json!({ "job_id": "7", "status": "Failed", "failure_reason": failure });
        let answer = move |_: Request<Bytes>| {
            let body = ByteStream::from(body.to_string());
            std::future::ready(Ok(Response::builder().header("content-type", "application/json").body(body).unwrap()))
        };
        let cint = Client::<V>::builder().account(7).token("t").transport(answer).build().unwrap();
        let group = cint.project(cintx::ProjectId::new("1")).target_group(cintx::TargetGroupId::new("2"));
        let error = group.launch_job(cintx::JobId::new("7")).until_done().await.unwrap_err();
        assert_eq!(error.to_string(), format!("the launch job 7 failed: {says}"));
    }
}

async fn many_act_at_once_and_nobody_is_refused<V: Version>(setup: Setup<V>) {
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    let run = group.launch(Timestamp::now() + 240.hours()).await.unwrap().until_live().await.unwrap();
    let editors: Vec<_> = (0..8)
        .map(|_| {
            let mut run = run.clone();
            tokio::spawn(async move { run.pause().await })
        })
        .collect();
    for editor in editors {
        editor.await.unwrap().unwrap();
    }
    assert_eq!(group.fielding_run().await.unwrap().unwrap().status(), &RunStatus::Paused);
    setup.assert_no_violation();
}

async fn eight_editors_move_dates_and_lose_none<V: Version>(setup: Setup<V>) {
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    let run = group.launch(Timestamp::now() + 240.hours()).await.unwrap().until_live().await.unwrap();
    let editors: Vec<_> = (0..8)
        .map(|_| {
            let mut run = run.clone();
            tokio::spawn(async move {
                run.edit_dates(|dates| dates.end += 1.hours()).await.unwrap();
            })
        })
        .collect();
    for editor in editors {
        editor.await.unwrap();
    }
    let moved = group.fielding_run().await.unwrap().unwrap().dates().end;
    assert_eq!(moved, run.dates().end + 8.hours());
    setup.assert_no_violation();
}
