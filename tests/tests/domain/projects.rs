//! Projects: made, listed, read, changed by many at once.

use std::sync::Arc;
use std::time::Duration;

use cintx::client::{CallOptions, Credentials};
use cintx::project::ProjectStatus;
use cintx::{Client, Version};
use cintx_sandbox::Sandbox;
use jiff::ToSpan as _;

use crate::setup::{Setup, on_every_version};

on_every_version!(
    what_would_undo_anothers_change_is_a_conflict,
    a_project_is_made_read_and_listed,
    editors_of_different_fields_merge,
    eight_editors_lose_no_update,
    options_are_given_where_one_stands,
    a_client_goes_by_the_clock_of_the_sandbox
);

async fn a_project_is_made_read_and_listed<V: Version>(setup: Setup<V>) {
    let made = setup.cint.projects().create("MyDrinksSurveyQ1", setup.manager).reference("PO-0042").await.unwrap();
    let scope = setup.cint.project(&made);
    let read = scope.get().await.unwrap();
    assert_eq!((read.id(), read.name(), read.manager()), (made.id(), "MyDrinksSurveyQ1", setup.manager));
    assert_eq!(read.reference(), Some("PO-0042"));
    assert!(read.human_readable_id().is_some());

    let overview = scope.overview().await.unwrap();
    assert_eq!((&overview.id, overview.name.as_deref()), (made.id(), Some("MyDrinksSurveyQ1")));
    assert_eq!(overview.reference.as_deref(), Some("PO-0042"));
    assert_eq!(overview.manager, Some(setup.manager));
    assert!(overview.created_at.is_some() && overview.statistics.is_some());

    let listed =
        setup.cint.projects().list().status(overview.status.clone().unwrap()).stream().collect().await.unwrap();
    let found = listed.iter().find(|project| &project.id == made.id()).unwrap();
    assert_eq!(found.reference.as_deref(), Some("PO-0042"));
    let other =
        if overview.status == Some(ProjectStatus::Active) { ProjectStatus::Inactive } else { ProjectStatus::Active };
    let others = setup.cint.projects().list().manager(setup.manager).status(other).stream().collect().await.unwrap();
    assert!(others.iter().all(|project| &project.id != made.id()));
    setup.assert_no_violation();
}

async fn editors_of_different_fields_merge<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let scope = setup.cint.project(&project);
    let (one, other) = tokio::join!(
        scope.edit(|project| project.name = "A better name".into()),
        scope.edit(|project| project.reference = Some("PO-0043".into())),
    );
    one.unwrap();
    other.unwrap();
    let read = scope.get().await.unwrap();
    assert_eq!((read.name(), read.reference()), ("A better name", Some("PO-0043")));

    let refused = scope.edit(|project| project.name = "abc".into()).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "name");
    setup.assert_no_violation();
}

/// Two handles read the same project; both set the name.
async fn what_would_undo_anothers_change_is_a_conflict<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let scope = setup.cint.project(&project);
    let other = std::sync::Once::new();
    let (handle, manager) = (tokio::runtime::Handle::current(), scope.clone());
    // Somebody else is faster, between the read and the write.
    let conflict = tokio::task::spawn_blocking(move || {
        handle.block_on(manager.clone().edit(|project| {
            other.call_once(|| {
                let (handle, manager) = (handle.clone(), manager.clone());
                std::thread::spawn(move || handle.block_on(manager.edit(|it| it.name = "Their name".into())).unwrap())
                    .join()
                    .unwrap();
            });
            project.name = "My own name".into();
        }))
    });
    let error = conflict.await.unwrap().unwrap_err();
    assert_eq!(error.conflict().unwrap().fields(), ["name"]);
    assert_eq!(scope.get().await.unwrap().name(), "Their name");
    setup.assert_no_violation();
}

/// Each adds one to a counter that is the name.
async fn eight_editors_lose_no_update<V: Version>(setup: Setup<V>) {
    let project = setup.cint.projects().create("count 0", setup.manager).await.unwrap();
    let editors = (0..8).map(|_| {
        let scope = setup.cint.project(&project);
        tokio::spawn(async move {
            for _ in 0..2 {
                scope
                    .edit(|project| {
                        let count: u32 = project.name.trim_start_matches("count ").parse().unwrap();
                        project.name = format!("count {}", count + 1);
                    })
                    .await
                    .unwrap();
            }
        })
    });
    for editor in editors.collect::<Vec<_>>() {
        editor.await.unwrap();
    }
    assert_eq!(setup.cint.project(&project).get().await.unwrap().name(), "count 16");
    setup.assert_no_violation();
}

async fn options_are_given_where_one_stands<V: Version>(setup: Setup<V>) {
    let create = || setup.cint.projects().create("MyDrinksSurveyQ1", setup.manager);
    let once = create().idempotency_key("order-4711").await.unwrap();
    assert_eq!(create().idempotency_key("order-4711").await.unwrap().id(), once.id(), "one key, one project");
    let wave = || CallOptions::new().business_key("wave-7");
    let keyed = create().with(wave()).await.unwrap();
    assert_eq!(create().with(wave()).await.unwrap().id(), keyed.id());
    assert_ne!(create().await.unwrap().id(), once.id(), "the client is as it was");

    let group = setup.draft(&once).create().await.unwrap();
    let end = jiff::Timestamp::now() + 240.hours();
    let launch = || async { group.with(wave()).launch(end).await.unwrap().id().clone() };
    assert_eq!(launch().await, launch().await, "one key, one job");
    let refused = group.with(wave()).set_cost_per_interview(&cintx::Money::new("3.10", "USD").unwrap()).await;
    assert_eq!(refused.unwrap_err().outcome(), cintx::Outcome::NotSent, "this takes no key");
    setup.assert_no_violation();
}

/// Years ago by the machine's clock, and the future by the sandbox's, which stands.
async fn a_client_goes_by_the_clock_of_the_sandbox<V: Version>(_: Setup<V>) {
    let then = 1_578_301_200;
    // Nobody enters by themselves: the run goes on until its end.
    let sandbox = Sandbox::builder().seed(7).standing_clock(then).job_delay(Duration::ZERO).field_pace(Duration::ZERO);
    let sandbox = Arc::new(sandbox.start().await.unwrap());
    let clock = Arc::clone(&sandbox);
    let cint = Client::<V>::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .api_url(sandbox.api_url())
        .clock(move || clock.now())
        .build()
        .unwrap();
    let now = sandbox.now();
    assert_eq!(now.as_second(), then);
    let manager = sandbox.project_manager_id().parse().unwrap();
    let setup = Setup { sandbox: Sandbox::builder().seed(8).start().await.unwrap(), cint, manager };
    let project = setup.project().await;
    let draft = || setup.draft(&project).fielding_period(now + 2.hours()..now + 240.hours());
    let group = draft().create().await.unwrap();
    let mut run = group.launch(now + 240.hours()).await.unwrap().until_live().await.unwrap();
    sandbox.advance(Duration::from_secs(48 * 3_600));
    run.edit_dates(|dates| dates.end = now + 96.hours()).await.unwrap();
    // By now this is the past.
    let late = run.edit_dates(|dates| dates.end = now + 47.hours()).await.unwrap_err();
    assert_eq!(late.invalid_fields()[0].field(), "end");
    assert_eq!(draft().create().await.unwrap_err().invalid_fields()[0].field(), "fielding_period");
    let days = jiff::civil::date(2020, 1, 1)..=jiff::civil::date(2020, 1, 7);
    let report = setup.cint.reports().completes(cintx::report::ReportScope::Account, days).await;
    assert!(report.is_ok(), "these days are over by the sandbox's clock: {report:?}");
}
