//! Options where one stands: they hold for the requests of one handle, builder, list or job, and for no others.

use std::time::Duration;

use cintx::Version;
use cintx::client::{CallOptions, OperationTimeouts};
use cintx::reconciliation::{Reason, ReconciliationRow};
use cintx::report::ReportScope;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

use crate::setup::{Setup, on_every_version};

on_every_version!(options_hold_where_they_are_given, many_writes_take_no_key_of_ones_own);

const TEAM: &str = "x-team";

fn team() -> CallOptions {
    CallOptions::new().header(TEAM, "seven")
}

/// Whether each request since the last look had the header, or none had it; tokens aside.
struct Look(u64);

impl Look {
    #[track_caller]
    fn expect<V: Version>(&mut self, setup: &Setup<V>, with: bool) {
        let mut requests = setup.sandbox.requests();
        requests.retain(|request| request.number > self.0 && request.operation.is_some());
        let has = |name: &str| name.eq_ignore_ascii_case(TEAM);
        let wrong = requests.iter().filter(|it| it.headers.iter().any(|(name, _)| has(name)) != with);
        let wrong: Vec<_> = wrong.map(|request| format!("{} {}", request.method, request.path)).collect();
        assert!(!requests.is_empty() && wrong.is_empty(), "with options: {with}, and not so: {wrong:?}");
        self.0 = requests.iter().map(|request| request.number).max().unwrap_or_default();
    }
}

async fn options_hold_where_they_are_given<V: Version>(setup: Setup<V>) {
    let (cint, mut look) = (&setup.cint, Look(0));
    let project = setup.project().await;
    let scope = cint.project(&project);
    let group = setup.draft(&project).create().await.unwrap();
    let job = group.launch(Timestamp::now() + 240.hours()).await.unwrap();
    let [event, _] = crate::webhooks::events::<V>();
    let webhook = cint.webhooks().create("https://hooks.example/cint", [event]).await.unwrap().webhook;
    look.expect(&setup, false);

    let mut run = job.clone().with(team()).until_live().await.unwrap();
    look.expect(&setup, true);
    run.pause().await.unwrap();
    look.expect(&setup, true);
    let run = group.fielding_run().await.unwrap().unwrap();
    look.expect(&setup, false);
    run.with(team()).resume().await.unwrap();
    look.expect(&setup, true);
    webhook.with(team()).edit(|webhook| webhook.url = "https://hooks.example/other".into()).await.unwrap();
    cint.webhooks().list().with(team()).stream().collect().await.unwrap();
    cint.projects().with(team()).list().stream().collect().await.unwrap();
    scope.target_groups().list().page_size(1).with(team()).stream().collect().await.unwrap();
    cint.questions("eng_gb").with(team()).pages().try_next().await.unwrap();
    cint.profile_templates().list().with(team()).stream().collect().await.unwrap();
    cint.supply_templates().with(team()).list().stream().collect().await.unwrap();
    cint.reference_data().with(team()).locales().await.unwrap();
    group.changelog().with(team()).stream().collect().await.unwrap();
    group.quotas().with(team()).read().await.unwrap();
    scope.watch().with(team()).once().await.unwrap();
    scope.target_groups().all([&group]).with(team()).transitions().await.unwrap();
    look.expect(&setup, true);

    let rid = setup.sandbox.enter_respondent(group.id().as_str()).unwrap();
    let row = [ReconciliationRow::new(&*rid, Reason::AdjustedComplete)];
    let submitted = cint.reconciliations().with(team()).submit("wave.csv", row).await.unwrap();
    submitted.status().await.unwrap();
    look.expect(&setup, true);
    let submitted = cint.reconciliations().existing(submitted.id());
    submitted.status().await.unwrap();
    look.expect(&setup, false);
    submitted.with(team()).status().await.unwrap();
    submitted.target_groups().with(team()).stream().collect().await.unwrap();
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    let report = cint.reports().with(team()).completes(ReportScope::Account, today..=today).await.unwrap();
    report.status().await.unwrap();
    look.expect(&setup, true);

    let at_once = scope.target_groups().at_once().with(team());
    let created = at_once.create([("UK drinks", setup.draft(&project))]).await.unwrap().await.all().unwrap();
    at_once.launch(created, Timestamp::now() + 240.hours()).await.all().unwrap();
    look.expect(&setup, true);
    // Time limits, too: none can be kept.
    let hopeless = CallOptions::new().limits(OperationTimeouts::new(Duration::ZERO, Duration::ZERO));
    assert!(cint.projects().list().with(hopeless).stream().collect().await.unwrap_err().is_timeout());
    setup.assert_no_violation();
}

async fn many_writes_take_no_key_of_ones_own<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let groups = setup.cint.project(&project).target_groups();
    let at_once = groups.at_once().with(CallOptions::new().business_key("order-4711"));
    let refused = at_once.create([("UK drinks", setup.draft(&project))]).await.map(|_| ()).unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "key");
    assert!(groups.list().stream().collect().await.unwrap().is_empty());
}
