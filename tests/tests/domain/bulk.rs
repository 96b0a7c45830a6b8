//! Many target groups at once: each has a result of its own.

use cintx::Version;
use cintx::fielding::RunAction;
use cintx::target_group::{TargetGroup, TargetGroupStatus};
use jiff::{Timestamp, ToSpan as _};

use crate::setup::{Setup, on_every_version};

on_every_version!(each_group_has_a_result, a_bulk_job_is_taken_up_elsewhere);

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
