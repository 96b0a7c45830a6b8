//! Creating target groups where nothing behaves: work that is done after its gateway gave up, statuses that come after
//! the work, things of the same reference that are not ours, lists that do not list.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cintx::audience::{Audience, Question};
use cintx::client::Timeouts;
use cintx::recovery::{FileJournal, Resolution};
use cintx::supply::Supply;
use cintx::target_group::TargetGroup;
use cintx::types::LengthOfInterview;
use cintx::{BusinessUnitId, Client, ClientBuilder, Error, Money, Outcome, ProjectId, TargetGroupId, V2025_12_18};
use cintx_tests::with_faults::{Answer, Behaviour, Deed, Received, Server};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::support::builder;

/// What becomes of one create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Create {
    /// It is done and answered as it should be.
    Well,
    /// It is done, and something between here and there answers this.
    ThenStatus(u16),
    /// It is done, and the answer lacks the id.
    WithoutId,
    /// It is not done, and this is the answer.
    Status(u16),
    /// The gateway gives up at once, and the work is done this long afterwards.
    Late(Duration),
}

#[derive(Debug, Default)]
struct State {
    /// When each group is there, its id, its reference and its name.
    groups: Vec<(Instant, String, String, String)>,
    plan: Vec<Create>,
    creates: usize,
    lists: usize,
    /// What a list answers instead of what there is.
    odd_list: Option<&'static str>,
}

/// An account's target groups.
#[derive(Debug, Default)]
struct Groups(Mutex<State>);

impl Behaviour for Groups {
    fn deed(&self, request: &Received) -> Deed {
        let mut state = self.0.lock().unwrap();
        if request.method == "GET" {
            state.lists += 1;
            if let Some(odd) = state.odd_list {
                return Deed::Answer(Answer::json(200, odd));
            }
            let there = state.groups.iter().filter(|(at, ..)| *at <= Instant::now());
            let items: Vec<Value> = there
                .map(|(_, id, reference, name)| {
                    json!({ "id": id, "name": name, "target_group_customer_reference_number": reference })
                })
                .collect();
            let page = json!({ "target_groups": items, "has_more": false, "next_cursor": null });
            return Deed::Answer(Answer::json(200, page.to_string()));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let id = format!("01JABCDEFGHJKMNPQRSTVWXYZ{}", state.creates);
        let plan = state.plan.get(state.creates).copied().unwrap_or(Create::Well);
        state.creates += 1;
        let (after, answer) = match plan {
            Create::Well => (Some(Duration::ZERO), Answer::json(201, json!({ "id": id }).to_string())),
            Create::WithoutId => (Some(Duration::ZERO), Answer::json(201, r#"{"name":"UK drinks"}"#)),
            Create::ThenStatus(status) => (Some(Duration::ZERO), Answer::json(status, r#"{"object":"some_error"}"#)),
            Create::Status(status) => (None, Answer::json(status, r#"{"object":"some_error"}"#)),
            Create::Late(after) => (Some(after), Answer::json(504, "gateway")),
        };
        if let Some(after) = after {
            let (reference, name) = (text("target_group_customer_reference_number"), text("name"));
            state.groups.push((Instant::now() + after, id, reference, name));
        }
        Deed::Answer(answer)
    }
}

struct Setup {
    groups: Arc<Groups>,
    server: Server,
    client: Client<V2025_12_18>,
}

/// A client that believes the API to be at work on a write for so long.
fn through(server: &Server, processing: Duration) -> ClientBuilder<V2025_12_18> {
    builder(&server.url()).timeouts(Timeouts::standard().processing(processing))
}

impl Setup {
    async fn new(plan: &[Create]) -> Self {
        let groups = Arc::new(Groups::default());
        groups.0.lock().unwrap().plan = plan.to_vec();
        let server = Server::start(groups.clone()).await;
        let client = through(&server, Duration::from_secs(3)).build().unwrap();
        Self { groups, server, client }
    }

    async fn create(&self, reference: Option<&str>) -> Result<TargetGroup<V2025_12_18>, Error> {
        let start = Timestamp::now() + 2.hours();
        let mut draft = self
            .client
            .project(ProjectId::new("01JABCDEFGHJKMNPQRSTVWXYZ0"))
            .draft_target_group("UK drinks")
            .business_unit(BusinessUnitId::from(3001))
            .manager("2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".parse::<cintx::UserId>().unwrap())
            .locale("eng_gb")
            .completes_goal(100)
            .length_of_interview(LengthOfInterview::minutes(10))
            .incidence_rate("0.50")
            .fielding_period(start..start + 240.hours())
            .cost_per_interview(Money::new("2.73", "USD").unwrap())
            .live_url("https://survey.example/?RID=[%RID%]")
            .supply(Supply::test_supplier_only())
            .audience(Audience::independent([Question::choice(43).option("1", 49).option("2", 51)]));
        if let Some(reference) = reference {
            draft = draft.reference(reference);
        }
        draft.create().await
    }

    fn counts(&self) -> (usize, usize) {
        let state = self.groups.0.lock().unwrap();
        (state.creates, state.groups.len())
    }

    fn last_id(&self) -> String {
        self.groups.0.lock().unwrap().groups.last().unwrap().1.clone()
    }

    fn last_reference(&self) -> String {
        self.groups.0.lock().unwrap().groups.last().unwrap().2.clone()
    }
}

#[tokio::test]
async fn what_is_made_after_its_gateway_gave_up_is_found() {
    let setup = Setup::new(&[Create::Late(Duration::from_secs(2))]).await;
    let group = setup.create(None).await.unwrap();
    assert_eq!(group.id().as_str(), setup.last_id());
    assert_eq!(setup.counts(), (1, 1));
}

#[tokio::test]
async fn absence_is_believed_when_nothing_can_be_at_work_any_more() {
    let setup = Setup::new(&[Create::Status(504)]).await;
    let began = Instant::now();
    let error = setup.create(None).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NoEffect, "{error:#}");
    assert!(began.elapsed() >= Duration::from_secs(3), "not before its limit");
    assert_eq!(setup.counts(), (1, 0));
}

#[tokio::test]
async fn a_reference_that_another_group_has_does_not_make_that_group_ours() {
    let setup = Setup::new(&[Create::Well, Create::ThenStatus(502), Create::Status(502)]).await;
    let first = setup.create(Some("PO-4711")).await.unwrap();
    let second = setup.create(Some("PO-4711")).await.unwrap();
    assert_ne!(first.id(), second.id());
    assert_eq!(second.id().as_str(), setup.last_id());
    let error = setup.create(Some("PO-4711")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NoEffect, "{error:#}");
    assert_eq!(setup.counts(), (3, 2));
}

/// As a study has it that was imported and copied.
#[tokio::test]
async fn a_reference_of_another_group_that_we_gave_does_not_make_that_group_ours() {
    let setup = Setup::new(&[Create::Well, Create::Status(502), Create::ThenStatus(502)]).await;
    setup.create(None).await.unwrap();
    let reference = setup.last_reference();
    assert!(reference.starts_with("cintx-"), "{reference}");
    let error = setup.create(Some(&reference)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NoEffect, "{error:#}");
    let second = setup.create(Some(&reference)).await.unwrap();
    assert_eq!(second.id().as_str(), setup.last_id());
}

#[tokio::test]
async fn what_was_made_and_whose_id_is_not_told_is_found() {
    let setup = Setup::new(&[Create::WithoutId]).await;
    let group = setup.create(None).await.unwrap();
    assert_eq!(group.id().as_str(), setup.last_id());
    assert_eq!(setup.counts(), (1, 1));
}

/// A launch whose first answer has lost the address of its job on the way.
#[derive(Debug, Default)]
struct WithoutLocation(AtomicBool);

impl Behaviour for WithoutLocation {
    fn deed(&self, _: &Received) -> Deed {
        let answer = Answer::json(201, "");
        Deed::Answer(match self.0.swap(true, Ordering::Relaxed) {
            false => answer,
            true => answer.header("location", "/demand/jobs/01JABCDEFGHJKMNPQRSTVWXYZ9"),
        })
    }
}

#[tokio::test]
async fn a_launch_whose_job_is_not_told_can_be_resolved() {
    let server = Server::start(Arc::new(WithoutLocation::default())).await;
    let client = through(&server, Duration::from_secs(3)).build().unwrap();
    let project = client.project(ProjectId::new("01JABCDEFGHJKMNPQRSTVWXYZ0"));
    let group = project.target_group(TargetGroupId::new("01JABCDEFGHJKMNPQRSTVWXYZ1"));
    let error = group.launch(Timestamp::now() + 240.hours()).await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::Applied, 1), "{error:#}");
    assert_eq!(error.operation().unwrap().id, "create_launch_fielding_run_from_draft_job");
    assert!(error.idempotency_key().is_some() && error.trace_id().is_some());
    let resolution = client.resolve(&error).await.unwrap();
    assert_eq!(resolution, Resolution::Applied { id: Some("01JABCDEFGHJKMNPQRSTVWXYZ9".to_owned()) });
}

#[tokio::test]
async fn a_create_that_is_turned_away_is_looked_for_before_it_is_repeated() {
    for status in [401, 429] {
        let done = Setup::new(&[Create::ThenStatus(status)]).await;
        let group = done.create(None).await.unwrap();
        assert_eq!(group.id().as_str(), done.last_id());
        assert_eq!(done.counts(), (1, 1), "{status}: once");

        let refused = Setup::new(&[Create::Status(status)]).await;
        refused.create(None).await.unwrap();
        assert_eq!(refused.counts(), (2, 1), "{status}: again, and made once");
    }
}

#[tokio::test]
async fn a_list_that_does_not_list_proves_nothing() {
    let endless = r#"{"target_groups":[],"has_more":true,"next_cursor":"x"}"#;
    let nameless = r#"{"target_groups":[{"id":"01JABCDEFGHJKMNPQRSTVWXYZ7"}],"next_cursor":null}"#;
    let endless_without_cursor = r#"{"target_groups":[],"has_more":true,"next_cursor":null}"#;
    let of_words = r#"{"target_groups":["UK drinks"],"has_more":false}"#;
    let no_list = r#"{"target_groups":{},"has_more":false}"#;
    let odd_lists = [endless, nameless, endless_without_cursor, of_words, no_list];
    for odd in ["{}", "null", "[]", r#"{"object":"some_error"}"#].into_iter().chain(odd_lists) {
        let setup = Setup::new(&[Create::Status(502)]).await;
        setup.groups.0.lock().unwrap().odd_list = Some(odd);
        let error = setup.create(None).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{odd}: {error:#}");
        if let Ok(resolution) = setup.client.resolve(&error).await {
            assert!(matches!(resolution, Resolution::Unknown { .. }), "{odd}: {resolution:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_seen_after_a_restart_is_waited_for_whatever_the_clock_says() {
    let folder = tempfile::tempdir().unwrap();
    let journal = || FileJournal::open(folder.path().join("journal")).unwrap();
    let mut setup = Setup::new(&[Create::Late(Duration::from_secs(6))]).await;
    let limit = Duration::from_secs(7);
    setup.client = through(&setup.server, limit).journal(journal()).build().unwrap();
    let killed = tokio::time::timeout(Duration::from_millis(500), setup.create(None)).await;
    assert!(killed.is_err(), "it is at work");

    // Its clock was two hours behind, and is right now.
    let clock = || Timestamp::now() + 2.hours();
    drop(std::mem::replace(&mut setup.client, through(&setup.server, limit).build().unwrap()));
    let restarted = through(&setup.server, limit).journal(journal()).clock(clock).build().unwrap();
    let recovered = restarted.recover().await.unwrap();
    let found = Resolution::Applied { id: Some(setup.last_id()) };
    assert_eq!(recovered.iter().map(|one| &one.resolution).collect::<Vec<_>>(), [&found]);
}

/// An account whose lists are these, one after the other, the last one again and again, and end with this page where
/// they go on. Creates are lost.
struct Lists {
    lists: Mutex<VecDeque<Value>>,
    last_page: Value,
}

impl Behaviour for Lists {
    fn deed(&self, request: &Received) -> Deed {
        if request.method != "GET" {
            return Deed::Answer(Answer::json(502, "gateway"));
        }
        if request.target.contains("start_after") {
            return Deed::Answer(Answer::json(200, self.last_page.to_string()));
        }
        let mut lists = self.lists.lock().unwrap();
        let list = if lists.len() > 1 { lists.pop_front() } else { lists.front().cloned() };
        Deed::Answer(Answer::json(200, list.unwrap().to_string()))
    }
}

/// What is found out about a template that may have been made, whose lists are these.
async fn found_in(lists: impl IntoIterator<Item = Value>) -> Resolution {
    let lists = Mutex::new(lists.into_iter().collect());
    let last_page = page(&[template("01JABCDEFGHJKMNPQRSTVWXYZ1", "as of 2026")], None);
    let server = Server::start(Arc::new(Lists { lists, last_page })).await;
    let client = through(&server, Duration::ZERO).build().unwrap();
    let create = client.profile_templates().create("Adults by gender", "adults");
    let question = Question::choice(43).option("1", 49).option("2", 51);
    let error = create.locale("eng_gb").description("as of 2026").profile(question).await.unwrap_err();
    match error.outcome() {
        Outcome::Unknown => client.resolve(&error).await.unwrap(),
        Outcome::NoEffect => Resolution::NotApplied,
        other => panic!("{other}: {error:#}"),
    }
}

fn page(templates: &[Value], next: Option<&str>) -> Value {
    json!({ "templates": templates, "next_cursor": next })
}

fn template(id: &str, description: &str) -> Value {
    json!({ "id": id, "name": "Adults by gender", "label": "adults", "description": description })
}

#[tokio::test]
async fn one_of_that_name_is_ours_only_if_it_is_what_was_sent() {
    let (ours, theirs) = (template("01JABCDEFGHJKMNPQRSTVWXYZ1", "as of 2026"), template("01J", "as of 2025"));
    let other = json!({ "id": "01JABCDEFGHJKMNPQRSTVWXYZ2", "name": "Adults by age" });
    let applied = Resolution::Applied { id: Some("01JABCDEFGHJKMNPQRSTVWXYZ1".to_owned()) };
    assert_eq!(found_in([page(&[], None), page(std::slice::from_ref(&ours), None)]).await, applied);
    let resolution = found_in([page(&[], None), page(&[theirs], None)]).await;
    assert!(matches!(resolution, Resolution::Unknown { .. }), "somebody else made it: {resolution:?}");

    // On the second page.
    let goes_on = page(std::slice::from_ref(&other), Some("x"));
    assert_eq!(found_in([page(&[], None), goes_on]).await, applied);

    // What was there before could not be read to its end: it may be older.
    let nameless = json!({ "id": "01JABCDEFGHJKMNPQRSTVWXYZ3" });
    let resolution = found_in([page(&[other, nameless], None), page(&[ours], None)]).await;
    assert!(matches!(resolution, Resolution::Unknown { .. }), "{resolution:?}");
}

/// A webhook whose deletion is lost, and what reading it says from then on.
struct Gone {
    answer: Answer,
    is_deleted: AtomicBool,
}

impl Behaviour for Gone {
    fn deed(&self, request: &Received) -> Deed {
        let id = "01JABCDEFGHJKMNPQRSTVWXYZ1";
        let webhook = json!({ "id": id, "url": "https://hooks.example/", "events": ["target_group.updated"] });
        if request.method == "DELETE" {
            self.is_deleted.store(true, Ordering::Relaxed);
            return Deed::Close;
        }
        Deed::Answer(match (request.target.contains(id), self.is_deleted.load(Ordering::Relaxed)) {
            (false, _) => Answer::json(200, json!({ "webhooks": [webhook], "has_more": false }).to_string()),
            (true, false) => Answer::json(200, webhook.to_string()).header("etag", "\"1\""),
            (true, true) => self.answer.clone(),
        })
    }
}

#[tokio::test]
async fn gone_is_what_the_api_says_and_not_a_gateway() {
    let missing = Answer::json(404, r#"{"title":"Not found","status":404,"detail":"there is no such webhook"}"#);
    let lost = Answer::media(404, "text/html", "<html><body>404</body></html>");
    for (answer, is_settled) in [(missing, true), (lost, false)] {
        let server = Server::start(Arc::new(Gone { answer, is_deleted: AtomicBool::new(false) })).await;
        let client = through(&server, Duration::ZERO).build().unwrap();
        let webhook = client.webhooks().list().stream().collect().await.unwrap().remove(0);
        let error = webhook.delete().await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{error:#}");
        let settled = matches!(client.resolve(&error).await, Ok(Resolution::Applied { .. }));
        assert_eq!(settled, is_settled);
    }
}
