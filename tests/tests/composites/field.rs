//! Many target groups at once, a field that is watched, and the tracker of the examples, which is killed at one request
//! after the other and run again: what the sandbox holds in the end is what an undisturbed run leaves.

#[cfg(not(feature = "v2025-12-18"))]
#[path = "../../../examples/tracker/track.rs"]
mod track;
/// Its `main` names the newest version.
#[cfg(feature = "v2025-12-18")]
#[path = "../../../examples/tracker.rs"]
#[expect(dead_code, reason = "an example has a main")]
mod tracker;

#[cfg(feature = "v2025-12-18")]
use tracker::track;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cintx::audience::{Audience, Question};
use cintx::client::{Credentials, RetryPolicy};
use cintx::http::{ByteStream, TransportError};
use cintx::project::ProjectScope;
use cintx::reconciliation::{Reason, ReconciliationRow};
use cintx::recovery::FileJournal;
use cintx::target_group::{ChangeKind, DraftBuilder, TargetGroupStatus};
use cintx::types::{CurrencySums, LengthOfInterview};
use cintx::watch::{Change, Changed, Snapshot, Until};
use cintx::{Client, ClientBuilder, Money, TargetGroupId, Version};
use cintx_sandbox::Sandbox;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::gateway::{Fault, Gateway, Weather};

const DAY: Duration = Duration::from_secs(86_400);

/// A sandbox whose clock stands until it is moved on; at a fair price somebody comes every 50 minutes.
async fn sandbox<V: Version>() -> Arc<Sandbox> {
    paced::<V>(Duration::from_secs(3_000)).await
}

/// The same, in which somebody comes so often.
async fn paced<V: Version>(pace: Duration) -> Arc<Sandbox> {
    let sandbox = Sandbox::builder().api_version(V::DATE).seed(7).standing_clock(1_795_514_400);
    let sandbox = sandbox.job_delay(Duration::ZERO).field_pace(pace).field_burst(0);
    Arc::new(sandbox.check_answers(false).start().await.unwrap())
}

fn builder<V: Version>(sandbox: &Sandbox) -> ClientBuilder<V> {
    Client::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .retry(RetryPolicy::none())
}

/// A target group that is nowhere.
fn nobody() -> TargetGroupId {
    TargetGroupId::new("01JABCDEFGHJKMNPQRSTVWXYZ0")
}

/// Some time of the machine after a moment of the sandbox.
fn clock(sandbox: &Sandbox) -> impl Fn() -> Timestamp + Send + Sync + 'static {
    let (moment, began) = (sandbox.now(), Instant::now());
    move || moment + SignedDuration::try_from(began.elapsed()).unwrap()
}

/// A project in a sandbox behind a gateway.
struct Setup<V: Version> {
    sandbox: Arc<Sandbox>,
    gateway: Gateway,
    cint: Client<V>,
    project: ProjectScope<V>,
    start: Timestamp,
}

impl<V: Version> Setup<V> {
    async fn new() -> Self {
        Self::on(sandbox::<V>().await).await
    }

    async fn on(sandbox: Arc<Sandbox>) -> Self {
        let gateway = Gateway::new(Arc::clone(&sandbox));
        let through = gateway.clone();
        let builder = builder::<V>(&sandbox).clock(clock(&sandbox));
        let cint = builder.transport(move |request| through.clone().send(request)).build().unwrap();
        let manager = sandbox.project_manager_id().parse().unwrap();
        let project = cint.project(&cint.projects().create("MyDrinksSurveyQ1", manager).await.unwrap());
        let start = sandbox.now() + 2.hours();
        Self { sandbox, gateway, cint, project, start }
    }

    fn draft(&self, name: &str) -> (String, DraftBuilder<V>) {
        let draft = self
            .project
            .draft_target_group(name)
            .business_unit(self.sandbox.business_unit_id())
            .manager(self.sandbox.project_manager_id().parse().unwrap())
            .locale("eng_gb")
            .completes_goal(60)
            .length_of_interview(LengthOfInterview::minutes(10))
            .incidence_rate("0.50")
            .fielding_period(self.start..self.start + 240.hours())
            .cost_per_interview(Money::new("2.85", "USD").unwrap())
            .live_url("https://survey.example/?RID=[%RID%]")
            .audience(Audience::independent([Question::choice(43).option("1", 49).option("2", 51)]));
        (name.to_owned(), draft)
    }

    fn drafts(&self) -> [(String, DraftBuilder<V>); 3] {
        ["UK drinks", "UK snacks", "UK pets"].map(|name| self.draft(name))
    }

    fn end(&self) -> Timestamp {
        self.start + 240.hours()
    }

    /// Lets time pass for the sandbox and for the client.
    async fn pass(&self, time: Duration) {
        self.sandbox.advance(time);
        tokio::time::advance(time).await;
    }

    async fn live(&self) -> Vec<TargetGroupId> {
        let groups = self.project.target_groups().at_once();
        let created = groups.create(self.drafts()).await.unwrap().await.all().unwrap();
        groups.launch(created.clone(), self.end()).await.all().unwrap();
        created.into_iter().map(|(_, group)| group.id().clone()).collect()
    }
}

async fn what_is_there_is_found_and_each_has_a_result<V: Version>() {
    let setup = Setup::<V>::new().await;
    let groups = setup.project.target_groups().at_once();
    let mut drafts = setup.drafts();
    drafts[1].1 = drafts[1].1.clone().completes_goal(0);
    let first = groups.create(drafts).await.unwrap().await;
    let names = |results: &[(String, _)]| results.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&first.done), ["UK drinks", "UK pets"]);
    assert_eq!((&*first.failed[0].0, first.failed[0].1.invalid_fields()[0].field()), ("UK snacks", "completes_goal"));

    let second = groups.create(setup.drafts()).await.unwrap().await.all().unwrap();
    assert_eq!((second[0].1.id(), second[2].1.id()), (first.done[0].1.id(), first.done[1].1.id()));
    assert_eq!(setup.project.target_groups().list().stream().collect().await.unwrap().len(), 3);
    let twice = groups.create([setup.draft("UK drinks"), setup.draft("UK drinks")]).await.unwrap_err();
    assert!(twice.invalid_fields()[0].reason().contains("as that of"), "{twice}");

    // What is there and was made of something else is not taken for it.
    let (name, other) = setup.draft("UK drinks");
    let mut others = vec![(name, other.locale("eng_us"), "locale")];
    if V::DATE >= "2025-12-18" {
        let (name, referred) = setup.draft("UK cats");
        setup.draft("UK dogs").1.reference("TG-7").create().await.unwrap();
        others.push((name, referred.reference("TG-7"), "name"));
    }
    for (name, draft, field) in others {
        let refused = groups.create([(name, draft)]).await.unwrap().await.all().unwrap_err();
        assert_eq!(refused.invalid_fields()[0].field(), field, "{refused}");
    }

    // A launch that failed is tried again under another key by the next call; one that goes on failing is one result
    // among the others.
    let fail = |name: usize, jobs| setup.sandbox.fail_jobs_of(second[name].1.id().as_str(), jobs, "NotNow", "not now");
    assert!(fail(0, 1) && fail(1, 99));
    let launched = groups.launch(second.clone(), setup.end()).await;
    let failed: Vec<&str> = launched.failed.iter().map(|(name, _)| &**name).collect();
    assert_eq!(
        (launched.done.len(), &failed[..]),
        (1, &["UK drinks", "UK snacks"][..]),
        "one launch is tried for each"
    );
    setup.sandbox.advance(Duration::from_secs(60));
    let launched = groups.launch(second.clone(), setup.end()).await;
    assert_eq!((launched.done.len(), &*launched.failed[0].0), (2, "UK snacks"));
    assert_eq!(launched.failed[0].1.job_failure().unwrap().description, "not now");
    let before = setup.sandbox.requests().len();
    assert_eq!(groups.launch(launched_ones(&second), setup.end()).await.all().unwrap().len(), 2);
    let sent = setup.sandbox.requests().split_off(before);
    assert!(sent.iter().all(|request| request.method == "GET"), "what is live is left alone");

    let second = launched_ones(&second);
    let ids: Vec<_> = second.iter().map(|(_, group)| group.id()).collect();
    for _ in 0..2 {
        assert_eq!(groups.pause(ids.clone()).await.unwrap().all().unwrap().len(), 2, "it can be said again");
    }
    let nobody = nobody();
    let resumed = groups.resume(ids.iter().copied().chain([&nobody])).await.unwrap();
    assert_eq!((resumed.done.len(), &*resumed.failed[0].0), (2, nobody.as_str()));
    assert!(groups.pause(Vec::<TargetGroupId>::new()).await.unwrap().done.is_empty());
}

/// The first and the third.
fn launched_ones<T: Clone>(groups: &[T]) -> Vec<T> {
    vec![groups[0].clone(), groups[2].clone()]
}

async fn jobs_are_waited_for_at_once_and_schedules_are_kept<V: Version>() {
    let setup = Setup::<V>::new().await;
    let groups = setup.project.target_groups().at_once();
    let created = groups.create(setup.drafts()).await.unwrap().await.all().unwrap();
    let mut jobs = Vec::new();
    for (name, group) in &created[..2] {
        jobs.push((name.clone(), group.launch(setup.end()).await.unwrap()));
    }
    let live = cintx::batch::until_all_done(jobs).await.all().unwrap();
    assert_eq!(live.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["UK drinks", "UK snacks"]);
    for _ in 0..2 {
        let runs = groups.schedule(created.clone(), setup.start..setup.end()).await.all().unwrap();
        let states: Vec<String> = runs.iter().map(|(_, run)| run.status().to_string()).collect();
        assert_eq!(states, ["live", "live", "scheduled"]);
    }
    let now = groups.launch_now([created[2].1.id()]).await.unwrap();
    assert!(now.all().is_ok());
}

async fn a_watch_tells_what_changes_and_ends<V: Version>() {
    let setup = Setup::<V>::new().await;
    let ids = setup.live().await;
    let idle = setup.project.target_groups().at_once().create([setup.draft("UK later")]).await.unwrap();
    idle.await.all().unwrap();
    let mut watch = setup.project.watch().only(&ids).every(Duration::from_secs(60)).until(Until::Filled(0.9)).stream();
    let first = watch.try_next().await.unwrap().unwrap();
    assert_eq!((first.groups.len(), first.goal(), first.completes(), first.changes.len()), (3, 180, 0, 0));
    assert!(first.groups.iter().all(|group| group.is_live() && group.period.unwrap().end == setup.end()));

    // Nothing has changed: the list alone is read, which in some versions ends with an empty page.
    setup.gateway.set(Weather::Calm);
    assert!(watch.try_next().await.unwrap().unwrap().changes.is_empty());
    assert!(setup.gateway.seen().len() <= 2, "{:?}", setup.gateway.seen());

    let (mut completes, mut days) = (0, 0);
    let last = loop {
        setup.sandbox.advance(DAY);
        days += 1;
        let snapshot = watch.try_next().await.unwrap().unwrap();
        for Change { what, .. } in &snapshot.changes {
            if let Changed::Completes(from, to) = what {
                completes += to - from;
            }
        }
        assert_eq!(snapshot.completes(), completes, "the changes add up");
        let price = Money::new("2.85", "USD").unwrap();
        let costs = (&price * snapshot.completes()).unwrap();
        assert_eq!(snapshot.costs().get("USD"), Some(costs.value()));
        if snapshot.ended.is_some() {
            break snapshot;
        }
    };
    assert_eq!(last.ended, Some(Until::Filled(0.9)));
    assert!(last.filled() >= 0.9 && (2..10).contains(&days), "{} after {days} days", last.filled());
    assert!(watch.try_next().await.unwrap().is_none(), "it has ended");

    // What reconciliation takes back goes down, and is summed.
    let mut watch =
        setup.project.watch().every(Duration::from_secs(60)).until(Until::Status(TargetGroupStatus::Completed));
    watch = watch.only(&ids);
    let mut watch = watch.stream();
    let before = watch.try_next().await.unwrap().unwrap();
    let rid = setup.sandbox.respondents().into_iter().find(|respondent| respondent.is_complete()).unwrap().rid;
    let rows = [ReconciliationRow::new(rid, Reason::Speeder)];
    setup.cint.reconciliations().submit("too-fast.csv", rows).await.unwrap().until_done().await.unwrap();
    let after = watch.try_next().await.unwrap().unwrap();
    assert_eq!((before.completes() - after.completes(), after.reversed.to_string()), (1, "2.85 USD".to_owned()));

    setup.project.target_groups().at_once().complete(&ids).await.unwrap().all().unwrap();
    let last = watch.try_next().await.unwrap().unwrap();
    assert_eq!(last.ended, Some(Until::Status(TargetGroupStatus::Completed)));
}

async fn a_watch_outlives_bad_weather_until_its_deadline<V: Version>() {
    let setup = Setup::<V>::new().await;
    setup.live().await;
    let deadline = setup.sandbox.now() + 15.minutes();
    let watch = setup.project.watch().every(Duration::from_secs(5)).patience(DAY).until(Until::Deadline(deadline));
    let mut watch = watch.stream();
    watch.try_next().await.unwrap().unwrap();
    let clear = |after: u64| {
        let gateway = setup.gateway.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(after)).await;
            gateway.set(Weather::Calm);
        })
    };
    for fault in [Fault::Refuse(503), Fault::DropBefore, Fault::PageBefore] {
        setup.gateway.set(Weather::From(0, fault));
        let (began, cleared) = (Instant::now(), clear(60));
        watch.try_next().await.unwrap().unwrap();
        assert!(began.elapsed() >= Duration::from_secs(60), "{fault:?} {:?}", began.elapsed());
        cleared.await.unwrap();
    }
    setup.gateway.set(Weather::From(0, Fault::Refuse(503)));
    let error = watch.try_next().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
    assert!(watch.try_next().await.unwrap().is_none());

    setup.gateway.set(Weather::Calm);
    let mut watch = setup.project.watch().until(Until::Deadline(setup.sandbox.now())).stream();
    let only = watch.try_next().await.unwrap().unwrap();
    assert!(matches!(only.ended, Some(Until::Deadline(_))));

    // What will not pass ends it at once.
    setup.gateway.set(Weather::From(0, Fault::Refuse(403)));
    let mut watch = setup.project.watch().stream();
    assert_eq!(watch.try_next().await.unwrap_err().status().map(|status| status.as_u16()), Some(403));
    let wrong = setup.project.watch().every(Duration::ZERO).until(Until::Filled(1.5)).stream().try_next().await;
    assert_eq!(wrong.unwrap_err().invalid_fields().len(), 2);
}

/// However rarely a watch reads, a read that failed is made up for soon, and none of what was planned is put off.
async fn a_failed_read_is_made_up_for_soon<V: Version>() {
    let setup = Setup::<V>::new().await;
    let ids = setup.live().await;
    let minute = Duration::from_secs(60);
    let mut watch = setup.project.watch().every(10 * minute).stream();
    watch.try_next().await.unwrap();
    let bad = |from: Duration, to: Duration| {
        let gateway = setup.gateway.clone();
        tokio::spawn(async move {
            tokio::time::sleep(from).await;
            gateway.set(Weather::From(0, Fault::Refuse(503)));
            tokio::time::sleep(to - from).await;
            gateway.set(Weather::Calm);
        })
    };
    let began = Instant::now();
    let cleared = bad(9 * minute, 11 * minute);
    watch.try_next().await.unwrap().unwrap();
    assert!((11 * minute..13 * minute).contains(&began.elapsed()), "{:?}", began.elapsed());
    cleared.await.unwrap();

    let (feed, began) = (watch.feed(), Instant::now());
    let cleared = bad(Duration::ZERO, minute);
    tokio::time::sleep(Duration::from_secs(1)).await;
    feed.look_at(&ids[0]);
    watch.try_next().await.unwrap().unwrap();
    assert!(began.elapsed() < 3 * minute, "{:?}", began.elapsed());
    cleared.await.unwrap();

    // A hint that fails shortly before a read of all.
    let (feed, began) = (watch.feed(), Instant::now());
    let cleared = bad(8 * minute, 10 * minute - Duration::from_secs(1));
    tokio::spawn(async move {
        tokio::time::sleep(9 * minute).await;
        feed.look_at(&ids[0]);
    });
    watch.try_next().await.unwrap().unwrap();
    assert!((595..=600).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    cleared.await.unwrap();
}

/// A draft that cannot be read for a while is not one that is nowhere.
async fn a_draft_is_watched_through_an_outage<V: Version>() {
    let setup = Setup::<V>::new().await;
    let groups = setup.project.target_groups().at_once();
    let created = groups.create([setup.draft("UK drinks")]).await.unwrap().await.all().unwrap();
    let (sandbox, id) = (Arc::clone(&setup.sandbox), created[0].1.id().to_string());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // What a draft is read by ends with its id.
    let outage = move |request: Request<Bytes>| {
        let is_out = request.uri().path().ends_with(&id) && count.fetch_add(1, Ordering::Relaxed) < 6;
        let refused = || Response::builder().status(503).body(ByteStream::from("")).unwrap();
        let answer = if is_out { refused() } else { sandbox.answer(request).map(ByteStream::from) };
        std::future::ready(Ok::<_, TransportError>(answer))
    };
    let cint = builder::<V>(&setup.sandbox).clock(clock(&setup.sandbox)).transport(outage).build().unwrap();
    let group = cint.project(setup.project.id()).target_group(created[0].1.id());
    let mut watch = group.watch().every(Duration::from_secs(60)).stream();
    assert_eq!(watch.try_next().await.unwrap().unwrap().goal(), 60);
    assert_eq!(asked.load(Ordering::Relaxed), 7);
}

/// A program that is begun again tells what has changed while it was away.
async fn a_watch_goes_on_from_what_was_kept<V: Version>() {
    let setup = Setup::<V>::new().await;
    let ids = setup.live().await;
    setup.pass(DAY).await;
    let kept = serde_json::to_string(&setup.project.watch().once().await.unwrap()).unwrap();
    let kept: Snapshot = serde_json::from_str(&kept).unwrap();

    setup.pass(DAY).await;
    let price = Money::new("2.99", "USD").unwrap();
    setup.project.target_group(&ids[0]).set_cost_per_interview(&price).await.unwrap();
    setup.project.target_groups().at_once().complete(&ids[2..]).await.unwrap().all().unwrap();
    let rid = setup.sandbox.respondents().into_iter().find(|it| it.is_complete()).unwrap().rid;
    let rows = [ReconciliationRow::new(rid, Reason::Speeder)];
    setup.cint.reconciliations().submit("too-fast.csv", rows).await.unwrap().until_done().await.unwrap();
    let (_, later) = setup.draft("UK later");
    later.fielding_period(setup.end()..setup.end() + 24.hours()).create().await.unwrap();

    let is = setup.project.watch().since(kept.clone()).once().await.unwrap();
    let of = |snapshot: &Snapshot, group: usize| snapshot.group(&ids[group]).unwrap().completes;
    let told = |wanted: fn(&Changed) -> bool| is.changes.iter().filter(|change| wanted(&change.what)).count();
    assert_eq!(told(|what| *what == Changed::Appeared), 1);
    assert_eq!(told(|what| matches!(what, Changed::Price(Some(_), Some(_)))), 1);
    assert_eq!(told(|what| matches!(what, Changed::Status(Some(_), Some(TargetGroupStatus::Completed)))), 1);
    for (group, id) in ids.iter().enumerate() {
        let change = Changed::Completes(of(&kept, group), of(&is, group));
        let is_told = is.changes.iter().any(|it| it.group == *id && it.what == change);
        assert_eq!(is_told, of(&kept, group) != of(&is, group), "{:?}", is.changes);
    }
    assert!(is.completes() > kept.completes(), "a day has passed");
    // The pace is that of the day in between, not that since the beginning of field.
    let since = is.group(&ids[0]).unwrap().since.unwrap();
    assert_eq!((since.at, since.completes), (kept.group(&ids[0]).unwrap().read_at, of(&kept, 0)));

    // What is not watched is not told as gone; and what was taken back before stays.
    let mut back = CurrencySums::default();
    assert!(back.add(price.value(), price.currency()));
    let mut kept = is;
    kept.reversed = back.clone();
    let one = setup.project.target_group(&ids[1]).watch().since(kept.clone()).once().await.unwrap();
    assert_eq!((one.groups.len(), one.changes.len(), &one.reversed), (1, 0, &back));
    let two = setup.project.watch().only(&ids[..2]).since(kept).once().await.unwrap();
    assert_eq!((two.groups.len(), two.changes.len()), (2, 0));
}

async fn hints_bring_news_without_more_reads<V: Version>() {
    let setup = Setup::<V>::new().await;
    let ids = setup.live().await;
    let mut watch = setup.project.watch().every(DAY).stream();
    let feed = watch.feed();
    watch.try_next().await.unwrap();
    setup.gateway.set(Weather::Calm);
    assert!(feed.count(&ids[0], Some(7), None, None) && !feed.count(nobody(), Some(7), None, None));
    let told = watch.try_next().await.unwrap().unwrap();
    assert_eq!((told.completes(), told.changes.len(), setup.gateway.seen().len()), (7, 1, 0), "nothing was read");

    let price = Money::new("2.99", "USD").unwrap();
    setup.project.target_group(&ids[1]).set_cost_per_interview(&price).await.unwrap();
    setup.gateway.set(Weather::Calm);
    assert!(feed.look_at(&ids[1]) && !feed.look_at(nobody()));
    let told = watch.try_next().await.unwrap().unwrap();
    assert_eq!(
        told.changes.iter().map(|change| change.what.to_string()).collect::<Vec<_>>(),
        ["price 2.85 USD to 2.99 USD"]
    );
    assert!(setup.gateway.seen().len() <= 3, "only that target group was read: {:?}", setup.gateway.seen());

    feed.look();
    assert_eq!(watch.try_next().await.unwrap().unwrap().completes(), 0, "what is read goes before what was told");
}

/// An event that comes late, or again, is older than what was read since.
async fn an_event_older_than_what_was_read_is_left<V: Version>() {
    let setup = Setup::<V>::new().await;
    let ids = setup.live().await;
    let mut watch = setup.project.watch().every(DAY).stream();
    let feed = watch.feed();
    let first = watch.try_next().await.unwrap().unwrap();
    let at = |seconds: i64| Some(first.at + seconds.seconds());
    assert!(!feed.count(&ids[0], Some(7), None, at(-1)), "it was made before the read");
    tokio::time::advance(Duration::from_secs(3)).await;
    assert!(feed.count(&ids[0], Some(7), None, at(2)));
    assert_eq!(watch.try_next().await.unwrap().unwrap().completes(), 7);
    tokio::time::advance(Duration::from_secs(3)).await;
    feed.look_at(&ids[0]);
    assert_eq!(watch.try_next().await.unwrap().unwrap().completes(), 0);
    assert!(!feed.count(&ids[0], Some(7), None, at(2)), "the same event again, after a read");
    assert!(feed.count(&ids[0], Some(8), None, at(60)) && feed.count(&ids[0], Some(9), None, None));
    assert_eq!(watch.try_next().await.unwrap().unwrap().completes(), 9);
}

/// What was told before a read and is taken after it is no news any more.
async fn an_event_that_waited_for_a_read_is_left<V: Version>() {
    let setup = Setup::<V>::new().await;
    let ids = setup.live().await;
    let (feed, told): (Arc<Mutex<Option<cintx::watch::Feed>>>, _) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
    let (sandbox, feeds, id, count) =
        (Arc::clone(&setup.sandbox), Arc::clone(&feed), ids[0].clone(), Arc::clone(&told));
    let began = setup.sandbox.now();
    // While the list is read, an event of a moment before comes in.
    let transport = move |request: Request<Bytes>| {
        if let Some(feed) = &*feeds.lock().unwrap()
            && request.uri().path().ends_with("/target-groups")
            && feed.count(&id, Some(7), None, Some(began + 1.seconds()))
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let answer = sandbox.answer(request).map(ByteStream::from);
        std::future::ready(Ok::<_, TransportError>(answer))
    };
    let cint = builder::<V>(&setup.sandbox).clock(clock(&setup.sandbox)).transport(transport).build().unwrap();
    let mut watch = cint.project(setup.project.id()).watch().every(Duration::from_secs(60)).stream();
    watch.try_next().await.unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    *feed.lock().unwrap() = Some(watch.feed());
    for _ in 0..3 {
        assert_eq!(watch.try_next().await.unwrap().unwrap().completes(), 0);
        tokio::time::advance(Duration::from_secs(2)).await;
    }
    assert!(told.load(Ordering::Relaxed) <= 1);
}

/// Numbers that an event brings are not a read: they do not end an outage.
async fn numbers_that_are_told_end_no_outage<V: Version>() {
    let setup = Setup::<V>::new().await;
    let ids = setup.live().await;
    let minute = Duration::from_secs(60);
    let mut watch = setup.project.watch().every(5 * minute).patience(10 * minute).stream();
    watch.try_next().await.unwrap();
    setup.gateway.set(Weather::From(0, Fault::Refuse(503)));
    let feed = watch.feed();
    let counting = tokio::spawn(async move {
        for completes in 1.. {
            tokio::time::sleep(Duration::from_secs(20)).await;
            feed.count(&ids[0], Some(completes), None, None);
        }
    });
    let began = Instant::now();
    let failed = tokio::time::timeout(60 * minute, async {
        loop {
            if let Err(error) = watch.try_next().await {
                return error;
            }
        }
    });
    let error = failed.await.expect("the patience has an end");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
    assert!((15 * minute..22 * minute).contains(&began.elapsed()), "{:?}", began.elapsed());
    counting.abort();
}

/// Dates are read once an hour, however often the costs are.
async fn dates_are_read_again_in_a_busy_field<V: Version>() {
    let setup = Setup::<V>::on(paced::<V>(Duration::from_secs(120)).await).await;
    let ids = setup.live().await;
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    setup.pass(minutes(150)).await;
    let mut watch = setup.project.watch().only(&ids[..1]).every(minutes(10)).stream();
    watch.try_next().await.unwrap();
    let end = setup.end() + 24.hours();
    let mut run = setup.project.target_group(&ids[0]).fielding_run().await.unwrap().unwrap();
    run.edit_dates(|dates| dates.end = end).await.unwrap();
    let mut busy = 0;
    for _ in 0..7 {
        setup.sandbox.advance(minutes(10));
        let told = watch.try_next().await.unwrap().unwrap();
        busy += usize::from(told.changes.iter().any(|it| matches!(it.what, Changed::Completes(..))));
        if told.groups[0].period.unwrap().end == end {
            return assert!(busy > 4, "only {busy} looks found more completes");
        }
    }
    panic!("the dates are old after 70 minutes, {busy} of them busy");
}

async fn one_target_group_is_watched_from_draft_to_end<V: Version>() {
    let setup = Setup::<V>::new().await;
    let groups = setup.project.target_groups().at_once();
    let created = groups.create([setup.draft("UK drinks")]).await.unwrap().await.all().unwrap();
    let group = &created[0].1;
    let mut watch = group.watch().every(Duration::from_secs(60)).stream();
    let first = watch.try_next().await.unwrap().unwrap();
    assert_eq!((first.goal(), &first.groups[0].status), (60, &Some(TargetGroupStatus::Draft)));
    let mut run = group.launch(setup.end()).await.unwrap().until_live().await.unwrap();
    let live = watch.try_next().await.unwrap().unwrap();
    assert!(live.groups[0].is_live() && live.groups[0].period.is_some() && live.groups[0].price.is_some());
    setup.gateway.set(Weather::Calm);
    watch.try_next().await.unwrap();
    assert_eq!(setup.gateway.seen().len(), 1, "nothing has changed");
    run.complete().await.unwrap();
    let last = watch.try_next().await.unwrap().unwrap();
    assert_eq!((last.ended, watch.try_next().await.unwrap()), (Some(Until::Over), None));
    let mut nothing = setup.project.target_group(nobody()).watch().patience(Duration::ZERO).stream();
    assert!(nothing.try_next().await.unwrap_err().is_not_found());
}

/// A transport that goes dead at one request: the sandbox has done it, or has not seen it.
struct Mortal {
    sandbox: Arc<Sandbox>,
    seen: AtomicUsize,
    dies_at: usize,
    is_dead: AtomicBool,
    died: Notify,
}

impl Mortal {
    fn new(sandbox: &Arc<Sandbox>, dies_at: usize) -> Arc<Self> {
        let (seen, is_dead, died) = (AtomicUsize::new(0), AtomicBool::new(false), Notify::new());
        Arc::new(Self { sandbox: Arc::clone(sandbox), seen, dies_at, is_dead, died })
    }

    async fn send(self: Arc<Self>, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let is_counted = request.uri().path().starts_with("/v1/");
        if is_counted && self.seen.fetch_add(1, Ordering::Relaxed) == self.dies_at {
            if self.dies_at.is_multiple_of(2) {
                drop(self.sandbox.answer(request));
            }
            self.is_dead.store(true, Ordering::Relaxed);
            self.died.notify_one();
            return std::future::pending().await;
        }
        if self.is_dead.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        Ok(self.sandbox.answer(request).map(ByteStream::from))
    }
}

/// Runs the tracker until it is killed or through; how many requests there were, and what it costs if it came through.
/// A journal is opened anew.
async fn run<V: Version>(
    sandbox: &Arc<Sandbox>,
    order: &track::Order,
    dies_at: usize,
    journal: Option<&Path>,
) -> (usize, Option<CurrencySums>) {
    let (mortal, clock) = (Mortal::new(sandbox, dies_at), Arc::clone(sandbox));
    let transport = Arc::clone(&mortal);
    let mut cint = builder::<V>(sandbox).clock(move || clock.now());
    if let Some(path) = journal {
        cint = cint.journal(FileJournal::open(path).unwrap());
    }
    let cint = cint.transport(move |request| Arc::clone(&transport).send(request)).build().unwrap();
    let costs = tokio::select! {
        biased;
        () = mortal.died.notified() => None,
        costs = track::track(&cint, order, || sandbox.advance(DAY)) => Some(costs.unwrap()),
    };
    (mortal.seen.load(Ordering::Relaxed), costs)
}

/// Twelve countries.
fn order(sandbox: &Sandbox) -> track::Order {
    let rows = csv::Reader::from_reader(include_str!("../../../examples/tracker.csv").as_bytes()).into_deserialize();
    let rows: Vec<track::Row> = rows.collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.len(), 12);
    track::Order {
        rows,
        manager: sandbox.project_manager_id().parse().unwrap(),
        business_unit: sandbox.business_unit_id(),
        start: sandbox.now() + 2.hours(),
    }
}

/// What the sandbox holds: projects, and of each target group its name, state and price, how often it went live and how
/// often its price was changed.
async fn ledger<V: Version>(sandbox: &Arc<Sandbox>) -> Vec<String> {
    let mortal = Mortal::new(sandbox, usize::MAX);
    let cint = builder::<V>(sandbox).transport(move |request| Arc::clone(&mortal).send(request)).build().unwrap();
    let mut lines = Vec::new();
    for project in cint.projects().list().stream().collect().await.unwrap() {
        let scope = cint.project(&project.id);
        for found in scope.target_groups().list().stream().collect().await.unwrap() {
            let group = found.open(&scope);
            let price = group.overview().await.unwrap().current_cost_per_interview.unwrap();
            let entries = group.changelog().stream().collect().await.unwrap();
            let changes: Vec<_> = entries.into_iter().flat_map(|entry| entry.changes).collect();
            let prices = changes.iter().filter(|change| change.kind == ChangeKind::CostPerInterview).count();
            let is_live = |change: &&cintx::target_group::Change| {
                change.kind == ChangeKind::Status && change.new.as_str() == Some("live")
            };
            let lives = changes.iter().filter(is_live).count();
            let (project, name, status) = (project.name.as_ref().unwrap(), found.name.unwrap(), found.status.unwrap());
            lines.push(format!("{project} / {name}: {status} at {price}, live {lives}, prices {prices}"));
        }
    }
    lines.sort();
    lines
}

/// So many kills of each version, spread over all requests, without `CINTX_TRACKER_KILLS`.
const KILLS: usize = 7;

async fn a_tracker_that_is_killed_comes_to_the_same_end<V: Version>() {
    let sandbox = sandbox::<V>().await;
    let (mut order, beginning) = (order(&sandbox), sandbox.save().unwrap());
    // Two whose price is fair, and one whose price is not.
    order.rows.retain(|row| ["United States", "France", "Canada"].contains(&&*row.country));
    let (requests, costs) = run::<V>(&sandbox, &order, usize::MAX, None).await;
    assert!(costs.is_some_and(|costs| !costs.is_empty()) && requests > 50, "{requests} requests");
    let wanted = ledger::<V>(&sandbox).await;
    let raised = wanted.iter().filter(|line| line.ends_with("completed at 3.05 USD, live 1, prices 1")).count();
    let others = wanted.iter().filter(|line| line.ends_with("completed at 2.85 USD, live 1, prices 0")).count();
    assert_eq!((raised, others, wanted.len()), (1, 2, 3), "{wanted:#?}");

    let kills = std::env::var("CINTX_TRACKER_KILLS").map_or(KILLS, |kills| kills.parse().unwrap()).min(requests);
    for kill in 0..kills {
        let dies_at = requests * kill / kills;
        sandbox.load(&beginning).unwrap();
        let killed = run::<V>(&sandbox, &order, dies_at, None).await.1;
        assert_eq!(killed, None, "it is killed at request {dies_at}");
        assert!(run::<V>(&sandbox, &order, usize::MAX, None).await.1.is_some());
        assert_eq!(ledger::<V>(&sandbox).await, wanted, "killed at request {dies_at} of {requests}");
    }
}

/// So many kills of all twelve countries, without `CINTX_TRACKER_KILLS`.
#[cfg(feature = "v2025-12-18")]
const KILLS_OF_TWELVE: usize = 3;

/// All twelve countries, with a journal in a file that each run opens again; what is said to be the costs is what the
/// sandbox has in its ledger of respondents.
#[cfg(feature = "v2025-12-18")]
async fn twelve_countries_that_are_killed_come_to_their_end<V: Version>() {
    use cintx::recovery::Journal as _;

    let sandbox = sandbox::<V>().await;
    let (order, beginning) = (order(&sandbox), sandbox.save().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let journal = |name: &str| folder.path().join(name);
    let (requests, costs) = run::<V>(&sandbox, &order, usize::MAX, Some(&journal("whole"))).await;
    assert_eq!(wrong::<V>(&sandbox, &costs.unwrap()).await, Vec::<String>::new());
    let kills =
        std::env::var("CINTX_TRACKER_KILLS").map_or(KILLS_OF_TWELVE, |kills| kills.parse().unwrap()).min(requests);
    for kill in 0..kills {
        let (dies_at, journal) = (requests * (2 * kill + 1) / (2 * kills), journal(&kill.to_string()));
        sandbox.load(&beginning).unwrap();
        let killed = run::<V>(&sandbox, &order, dies_at, Some(&journal)).await.1;
        assert_eq!(killed, None, "it is killed at request {dies_at}");
        let costs = run::<V>(&sandbox, &order, usize::MAX, Some(&journal)).await.1.unwrap();
        let mut open = FileJournal::open(&journal).unwrap().open_intents().await.unwrap();
        // Of what takes no key nobody can always tell: a price that is another was not changed, or changed again, and an
        // older bulk job cannot be looked up. Such an intent stays until it is discarded; a keyed one does not.
        open.retain(|intent| intent.key().is_some());
        assert_eq!((wrong::<V>(&sandbox, &costs).await, open), (Vec::new(), Vec::new()), "killed at request {dies_at}");
    }
}

/// What is not as it should be at the end of twelve countries.
#[cfg(feature = "v2025-12-18")]
async fn wrong<V: Version>(sandbox: &Arc<Sandbox>, costs: &CurrencySums) -> Vec<String> {
    let mut wrong = Vec::new();
    // Which prices are raised is left to chance.
    let lines = ledger::<V>(sandbox).await;
    let is_once = |line: &&String| line.contains(": completed at ") && line.contains(", live 1, ");
    wrong.extend(lines.iter().filter(|line| !is_once(line)).cloned());
    if lines.len() != 12 {
        wrong.push(format!("{} target groups", lines.len()));
    }
    let mortal = Mortal::new(sandbox, usize::MAX);
    let cint = builder::<V>(sandbox).transport(move |request| Arc::clone(&mortal).send(request)).build().unwrap();
    let mut sums = CurrencySums::default();
    let respondents = sandbox.respondents();
    for project in cint.projects().list().stream().collect().await.unwrap() {
        let scope = cint.project(&project.id);
        for group in scope.target_groups().list().stream().collect().await.unwrap() {
            let there = respondents.iter().filter(|it| it.is_complete() && it.target_group_id == group.id.as_str());
            let overview = group.open(&scope).overview().await.unwrap();
            let (there, told) = (there.count() as i64, overview.progress.unwrap().current_completes);
            if told != Some(there) {
                wrong.push(format!("{:?}: {there} completes, told as {told:?}", group.name));
            }
            let cost = overview.current_cost.unwrap();
            assert!(sums.add(cost.value(), cost.currency()));
        }
    }
    if sums != *costs || sums.is_empty() {
        wrong.push(format!("it costs {sums}, and is said to cost {costs}"));
    }
    wrong
}

/// The example as it is run: all twelve countries, over sockets, with a journal in a file.
#[cfg(feature = "v2025-12-18")]
async fn the_example_ends_the_same_when_it_is_killed<V: Version>() {
    let (whole, killed) = tokio::join!(tracker::run::<V>(None), tracker::run::<V>(Some(40)));
    for run in [whole, killed] {
        let (costs, sandbox) = run.unwrap();
        assert!(!costs.is_empty(), "it costs nothing");
        // Who comes is left to chance, and so is which prices are raised.
        let lines = ledger::<V>(&Arc::new(sandbox)).await;
        let once = |line: &&String| {
            line.starts_with("Drinks in twelve countries / Drinks, ")
                && line.contains(": completed at ")
                && line.contains(", live 1, ")
        };
        assert_eq!((lines.iter().filter(once).count(), lines.len()), (12, 12), "{lines:#?}");
    }
}

macro_rules! version {
    ($version:ident $marker:ident) => {
        mod $version {
            crate::field::cases!(
                $marker: what_is_there_is_found_and_each_has_a_result,
                jobs_are_waited_for_at_once_and_schedules_are_kept, a_watch_tells_what_changes_and_ends,
                a_watch_goes_on_from_what_was_kept, a_watch_outlives_bad_weather_until_its_deadline,
                a_failed_read_is_made_up_for_soon, a_draft_is_watched_through_an_outage,
                hints_bring_news_without_more_reads,
                an_event_older_than_what_was_read_is_left, an_event_that_waited_for_a_read_is_left,
                numbers_that_are_told_end_no_outage, dates_are_read_again_in_a_busy_field,
                one_target_group_is_watched_from_draft_to_end, a_tracker_that_is_killed_comes_to_the_same_end
            );

            #[cfg(feature = "v2025-12-18")]
            #[tokio::test(start_paused = true)]
            async fn twelve_countries_that_are_killed_come_to_their_end() {
                crate::field::twelve_countries_that_are_killed_come_to_their_end::<cintx::$marker>().await;
            }

            #[cfg(feature = "v2025-12-18")]
            #[tokio::test]
            async fn the_example_ends_the_same_when_it_is_killed() {
                crate::field::the_example_ends_the_same_when_it_is_killed::<cintx::$marker>().await;
            }
        }
    };
}

macro_rules! cases {
    ($marker:ident: $($name:ident),+) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            super::$name::<cintx::$marker>().await;
        }
    )+};
}
use cases;

cintx_tests::for_each_version!(version);
