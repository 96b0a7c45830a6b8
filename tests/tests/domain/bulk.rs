//! Many target groups at once: each has a result of its own.

use bytes::Bytes;
use cintx::fielding::RunAction;
use cintx::http::ByteStream;
use cintx::recovery::Resolution;
use cintx::target_group::{TargetGroup, TargetGroupStatus};
use cintx::{Client, JobId, Outcome, Version};
use http::{Request, Response};
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use crate::setup::{Setup, on_every_version};

on_every_version!(
    each_group_has_a_result,
    what_a_failed_job_says_of_each_is_kept,
    what_a_job_does_not_name_is_unknown,
    a_bulk_job_is_taken_up_elsewhere,
);

async fn each_group_has_a_result<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let scope = setup.cint.project(&project);
    let draft = setup.draft(&project).create().await.unwrap();
    let mut live: Vec<TargetGroup<V>> = Vec::new();
    for _ in 0..2 {
        let group = setup.draft(&project).create().await.unwrap();
        group.launch(Timestamp::now() + 240.hours()).await.unwrap().until_live().await.unwrap();
        live.push(group);
    }
    let allowed = live[0].transitions().await.unwrap();
    assert!(allowed.can_pause && allowed.can_complete && !allowed.can_resume, "{allowed:?}");

    let all = scope.target_groups().all(live.iter().chain([&draft]));
    let paused = all.pause().await.unwrap().until_done().await.unwrap();
    let ids: Vec<_> = live.iter().map(|group| group.id().clone()).collect();
    assert_eq!(paused.updated, ids);
    assert_eq!((paused.failed.len(), &paused.failed[0].0, paused.is_complete()), (1, draft.id(), false));
    assert!(paused.failed[0].1.code.is_some());

    let both = scope.target_groups().all(&ids);
    assert!(both.resume().await.unwrap().until_done().await.unwrap().is_complete());
    assert!(both.set_manager(setup.manager).await.unwrap().until_done().await.unwrap().is_complete());
    assert!(both.complete().await.unwrap().until_done().await.unwrap().is_complete());
    assert!(both.transitions().await.unwrap().can_relaunch);
    let groups = scope.target_groups();
    let completed = groups.transitions().status(TargetGroupStatus::Completed).except([&ids[0]]).await.unwrap();
    assert_eq!((completed.target_groups, completed.can_relaunch), (vec![ids[1].clone()], true));
    let refused = groups.transitions().search("UK").await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "search");
    assert!(both.relaunch().await.unwrap().until_done().await.unwrap().is_complete());
    let now = scope.target_groups().list().status(TargetGroupStatus::Live).stream().collect().await.unwrap();
    assert_eq!(now.len(), 2);

    let nobody = scope.target_groups().all(Vec::<cintx::TargetGroupId>::new()).pause().await.unwrap_err();
    assert_eq!(nobody.invalid_fields()[0].field(), "target_groups");
    let before = setup.sandbox.requests().len();
    let odd = scope.target_groups().all([ids[0].clone(), cintx::TargetGroupId::new("12")]);
    for refused in [odd.pause().await.map(drop), odd.transitions().await.map(drop)] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.invalid_fields()[0].field(), "target_groups");
        assert!(refused.to_string().contains("12"), "{refused}");
    }
    assert_eq!(setup.sandbox.requests().len(), before, "nothing was sent");
    setup.assert_no_violation();
}

/// Jobs that failed, with and without a word about each target group.
async fn what_a_failed_job_says_of_each_is_kept<V: Version>(_: Setup<V>) {
    let ids = ["01BX5ZZKBKACTAV9WEVGEMMVS0", "01BX5ZZKBKACTAV9WEVGEMMVS1", "01BX5ZZKBKACTAV9WEVGEMMVS2"];
    let why = |code: &str| json!({ "code": code, "description": code.to_lowercase() });
    let updated = json!([{ "target_group_id": ids[0] }]);
    let failed = json!([
        { "target_group_id": ids[1], "failure_reason": why("LATE") },
        { "target_group_id": ids[2], "failure_reason": why("BUSY") },
    ]);
    for (updated, failed) in [(updated, failed.clone()), (json!([]), failed), (json!([]), json!([]))] {
        let is_silent = failed.as_array().unwrap().is_empty();
        let count = updated.as_array().unwrap().len();
        let body = json!({
            "job_id": "7", "status": "Failed",
            "updated_target_groups": { "data": updated }, "failed_target_groups": { "data": failed },
        });
        let answer = move |_: Request<Bytes>| {
            let body = ByteStream::from(body.to_string());
            std::future::ready(Ok(Response::builder().header("content-type", "application/json").body(body).unwrap()))
        };
        let cint = Client::<V>::builder().account(7).token("t").transport(answer).build().unwrap();
        let outcome =
            cint.project(cintx::ProjectId::new(ids[0])).bulk_job(RunAction::Pause, JobId::new("7")).until_done().await;
        if is_silent {
            let error = outcome.unwrap_err();
            assert!(error.job_failure().is_some());
            assert_eq!(error.outcome(), Outcome::Unknown, "it may have come to some of them");
            assert_eq!(error.to_string(), "the bulk job 7 failed: no reason was given");
            continue;
        }
        let outcome = outcome.unwrap();
        assert!(outcome.has_failed && !outcome.is_complete());
        let failed: Vec<_> = outcome.failed.iter().map(|(id, it)| (id.as_str(), it.code.as_deref().unwrap())).collect();
        assert_eq!((outcome.updated.len(), failed), (count, vec![(ids[1], "LATE"), (ids[2], "BUSY")]));
    }
}

/// A job that is done and does not name a target group: nobody knows what became of it.
async fn what_a_job_does_not_name_is_unknown<V: Version>(_: Setup<V>) {
    let ids = ["01BX5ZZKBKACTAV9WEVGEMMVS0", "01BX5ZZKBKACTAV9WEVGEMMVS1"].map(cintx::TargetGroupId::new);
    for lists in [json!({}), json!({ "updated_target_groups": null }), json!({ "updated_target_groups": {} })] {
        let mut job = lists;
        job["job_id"] = json!("7");
        job["status"] = json!("Completed");
        let answer = move |request: Request<Bytes>| {
            let answer = Response::builder().header("content-type", "application/json");
            let answer = match request.method() {
                &http::Method::POST => answer.status(201).header("location", "/demand/jobs/7"),
                _ => answer.status(200),
            };
            std::future::ready(Ok(answer.body(ByteStream::from(job.to_string())).unwrap()))
        };
        let cint = Client::<V>::builder().account(7).token("t").transport(answer).build().unwrap();
        let groups = cint.project(cintx::ProjectId::new(ids[0].as_str())).target_groups().at_once();
        // One that is named twice has one result.
        let results = groups.pause([&ids[0], &ids[1], &ids[0]].map(Clone::clone)).await.unwrap();
        assert_eq!((results.done.len(), results.failed.len()), (0, 2));
        for (id, error) in &results.failed {
            assert_eq!(error.outcome(), Outcome::Unknown, "{id}: {error}");
            assert!(error.to_string().contains(id), "{error}");
            assert!(matches!(cint.resolve(error).await.unwrap(), Resolution::Unknown { .. }));
        }
    }
}

async fn a_bulk_job_is_taken_up_elsewhere<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let scope = setup.cint.project(&project);
    let group = setup.draft(&project).create().await.unwrap();
    let start = Timestamp::now() + 24.hours();
    group.schedule(start..start + 48.hours()).await.unwrap().until_done().await.unwrap();
    let job = scope.target_groups().all([&group]).launch_now().await.unwrap();
    let again = scope.bulk_job(RunAction::LaunchNow, job.id().clone()).until_done().await.unwrap();
    assert_eq!(again.updated, [group.id().clone()]);
    setup.assert_no_violation();
}
