//! Webhook subscriptions: made, read, listed, changed under their entity tag, given a new secret, ended, and what they
//! were told.

use std::collections::HashSet;

use cintx::error::FieldError;
use cintx::recovery::Resolution;
use cintx::webhook::{Webhook, WebhookEventType};
use cintx::{Error, ErrorKind, Outcome, Version};
use cintx_sandbox::Fault;

use crate::setup::{Setup, on_every_version};

on_every_version!(
    a_subscription_from_its_beginning_to_its_end,
    a_list_comes_in_pages,
    a_lost_subscription_is_found_and_its_secret_replaced,
    eight_count_up_in_the_address,
    eight_change_a_field_each,
    eight_want_another_address,
    a_deletion_spares_what_it_has_not_seen,
    wrong_addresses_and_events_are_refused_unsent,
);

/// How many edit at once.
const EDITORS: usize = 8;

/// Two events that the version has.
pub fn events<V: Version>() -> [WebhookEventType; 2] {
    match V::DATE {
        "2024-12-02" => [WebhookEventType::SurveyCompleted, WebhookEventType::SurveyPaused],
        _ => [WebhookEventType::SessionUpdated, WebhookEventType::TargetGroupUpdated],
    }
}

async fn webhook<V: Version>(setup: &Setup<V>, url: &str) -> Webhook<V> {
    let [event, _] = events::<V>();
    let made = setup.cint.webhooks().create(url, [event]).await.unwrap();
    setup.cint.webhooks().get(made.webhook.id()).await.unwrap()
}

async fn a_subscription_from_its_beginning_to_its_end<V: Version>(setup: Setup<V>) {
    let [one, other] = events::<V>();
    let webhooks = setup.cint.webhooks();
    let types = webhooks.event_types().await.unwrap();
    assert!(types.contains(&one) && types.contains(&other), "{types:?}");

    let made = webhooks.create("https://hooks.example/cint?x=1", [one.clone(), one.clone()]).await.unwrap();
    let shown = format!("{made:?}");
    assert!(made.secret.expose().len() == 44 && !shown.contains(made.secret.expose()), "{shown}");
    assert_eq!((made.webhook.url(), made.webhook.events()), ("https://hooks.example/cint?x=1", &[one.clone()][..]));

    let mut read = webhooks.get(&made.webhook).await.unwrap();
    assert_eq!((read.id(), read.url(), read.events()), (made.webhook.id(), made.webhook.url(), &[one.clone()][..]));
    assert!(read.created_at().is_some() && read.updated_at().is_some());
    read.edit(|it| it.events.push(other.clone())).await.unwrap();
    read.edit(|it| it.url = "http://127.0.0.1:9/cint".into()).await.unwrap();
    let again = webhooks.get(read.id()).await.unwrap();
    assert_eq!((again.url(), again.events()), ("http://127.0.0.1:9/cint", &[one, other][..]));
    assert_eq!((read.url(), read.events()), (again.url(), again.events()), "the handle knows what it wrote");

    let secret = read.regenerate_secret().await.unwrap();
    assert_ne!(secret, made.secret);
    read.refresh().await.unwrap();
    assert!(read.updated_at() >= again.updated_at());
    read.delete().await.unwrap();
    assert!(webhooks.get(read.id()).await.unwrap_err().is_not_found());
    assert!(read.delete().await.unwrap_err().is_not_found());
    setup.assert_no_violation();
}

async fn a_list_comes_in_pages<V: Version>(setup: Setup<V>) {
    for number in 0..11 {
        webhook(&setup, &format!("https://hooks.example/{number}")).await;
    }
    let list = || setup.cint.webhooks().list().page_size(4);
    let all = list().stream().collect().await.unwrap();
    let urls: HashSet<&str> = all.iter().map(Webhook::url).collect();
    assert_eq!((all.len(), urls.len()), (11, 11), "each once");

    let first = list().pages().try_next().await.unwrap().unwrap();
    let rest = list().start_after(first.next.unwrap()).stream().collect().await.unwrap();
    assert_eq!((first.items.len(), rest.len(), rest[0].id()), (4, 7, all[4].id()));

    // What comes from a list can be changed and ended, though lists give no tags.
    let mut last = rest[6].clone();
    last.edit(|it| it.url = "https://hooks.example/moved".into()).await.unwrap();
    last.delete().await.unwrap();
    assert_eq!(list().stream().collect().await.unwrap().len(), 10);
    setup.assert_no_violation();
}

async fn a_lost_subscription_is_found_and_its_secret_replaced<V: Version>(setup: Setup<V>) {
    setup.sandbox.inject(Fault::on("create_webhook").reset_after_applying().times(1));
    let [event, _] = events::<V>();
    let lost = setup.cint.webhooks().create("https://hooks.example/lost", [event]).await.unwrap_err();
    assert_eq!(lost.outcome(), Outcome::Unknown);
    let resolution = setup.cint.resolve(&lost).await.unwrap();
    let Resolution::Applied { id: Some(id) } = resolution else { panic!("{lost}: {resolution:?}") };
    let mut found = setup.cint.webhooks().get(cintx::WebhookId::new(id)).await.unwrap();
    assert_eq!(found.regenerate_secret().await.unwrap().expose().len(), 44);
    assert_eq!(setup.cint.webhooks().list().stream().collect().await.unwrap().len(), 1, "it was made once");
    setup.assert_no_violation();
}

/// All hold a handle with the same tag before the first one writes.
async fn edit_at_once<V: Version>(
    webhook: &Webhook<V>,
    change: impl Fn(usize, &mut cintx::webhook::WebhookSettings) + Clone + Send + Sync + 'static,
) -> Vec<Result<(), Error>> {
    let editors: Vec<_> = (0..EDITORS)
        .map(|number| {
            let (mut webhook, change) = (webhook.clone(), change.clone());
            tokio::spawn(async move { webhook.edit(move |settings| change(number, settings)).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for editor in editors {
        outcomes.push(editor.await.unwrap());
    }
    outcomes
}

/// How many writes took effect, and how many were too late.
fn writes<V: Version>(setup: &Setup<V>) -> (usize, usize) {
    let asked = setup.sandbox.requests().into_iter();
    let statuses: Vec<u16> =
        asked.filter(|it| it.operation.as_deref() == Some("update_webhook")).map(|it| it.status).collect();
    let late = statuses.iter().filter(|status| **status == 412).count();
    assert!(statuses.iter().all(|status| matches!(status, 200 | 412)), "{statuses:?}");
    (statuses.len() - late, late)
}

/// Whether the version's changes are made under a tag.
fn under_tag<V: Version>() -> bool {
    V::DATE != "2025-02-17"
}

async fn eight_count_up_in_the_address<V: Version>(setup: Setup<V>) {
    let mut webhook = webhook(&setup, "https://hooks.example/0").await;
    let outcomes = edit_at_once(&webhook, |_, settings| {
        let (base, number) = settings.url.rsplit_once('/').unwrap();
        settings.url = format!("{base}/{}", number.parse::<usize>().unwrap() + 1);
    })
    .await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    webhook.refresh().await.unwrap();
    let (done, late) = writes(&setup);
    assert_eq!(done, EDITORS);
    if under_tag::<V>() {
        assert_eq!(webhook.url(), "https://hooks.example/8", "nobody's change is lost");
        assert!(late >= EDITORS - 1, "all but one were too late at first, {late} were");
    } else {
        // Nothing there could tell who was faster: the last one has it, and every write counted at least once.
        let number: usize = webhook.url().rsplit('/').next().unwrap().parse().unwrap();
        assert!((1..=EDITORS).contains(&number) && late == 0, "{number}, {late}");
    }
    setup.assert_no_violation();
}

/// Four want another address, and agree; four want one event more, and agree.
async fn eight_change_a_field_each<V: Version>(setup: Setup<V>) {
    let mut webhook = webhook(&setup, "https://hooks.example/old").await;
    let [one, other] = events::<V>();
    let more = other.clone();
    let outcomes = edit_at_once(&webhook, move |number, settings| match number % 2 {
        0 => settings.url = "https://hooks.example/new".into(),
        _ => settings.events.push(more.clone()),
    })
    .await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    webhook.refresh().await.unwrap();
    assert_eq!((webhook.url(), webhook.events()), ("https://hooks.example/new", &[one, other][..]));
    setup.assert_no_violation();
}

/// One gets it; the others are told what it is about, and nothing of theirs is written.
async fn eight_want_another_address<V: Version>(setup: Setup<V>) {
    let mut webhook = webhook(&setup, "https://hooks.example/old").await;
    let outcomes =
        edit_at_once(&webhook, |number, settings| settings.url = format!("https://hooks.example/{number}")).await;
    webhook.refresh().await.unwrap();
    let winners: Vec<usize> = (0..EDITORS).filter(|number| outcomes[*number].is_ok()).collect();
    if under_tag::<V>() {
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert_eq!(webhook.url(), format!("https://hooks.example/{}", winners[0]));
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(error.conflict().expect("a conflict").fields(), ["url"], "{error}");
        }
        assert_eq!(writes(&setup), (1, EDITORS - 1));
    } else {
        assert_eq!(winners.len(), EDITORS);
        assert!(winners.iter().any(|number| webhook.url() == format!("https://hooks.example/{number}")));
    }
    setup.assert_no_violation();
}

async fn a_deletion_spares_what_it_has_not_seen<V: Version>(setup: Setup<V>) {
    let mine = webhook(&setup, "https://hooks.example/old").await;
    let listed = setup.cint.webhooks().list().stream().collect().await.unwrap().remove(0);
    let mut theirs = mine.clone();
    theirs.edit(|it| it.url = "https://hooks.example/theirs".into()).await.unwrap();
    for stale in [mine, listed] {
        let error = stale.delete().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(error.conflict().unwrap().fields(), ["url"], "{error}");
    }
    // A new secret moves the tag, too, and changes nothing that the other handle shows.
    let seen = setup.cint.webhooks().get(&theirs).await.unwrap();
    theirs.regenerate_secret().await.unwrap();
    seen.delete().await.unwrap();
    assert!(theirs.refresh().await.unwrap_err().is_not_found());
    let asked = setup.sandbox.requests().into_iter().filter(|it| it.operation.as_deref() == Some("delete_webhook"));
    assert_eq!(asked.map(|it| it.status).collect::<Vec<_>>(), [412, 412, 204], "each under a tag");
    setup.assert_no_violation();
}

async fn wrong_addresses_and_events_are_refused_unsent<V: Version>(setup: Setup<V>) {
    let [event, _] = events::<V>();
    let refusal = async |url: &str, events: Vec<WebhookEventType>| {
        let refused = setup.cint.webhooks().create(url, events).await.unwrap_err();
        refused.invalid_fields().iter().map(FieldError::to_string).collect::<Vec<_>>()
    };
    let long = format!("http://hooks.example/{}", "x".repeat(200));
    for url in
        ["", "hooks.example", "http://hooks.example/", "ftp://a.example/", "https://a b.example/", "https://", &long]
    {
        let problems = refusal(url, vec![event.clone()]).await;
        assert!(problems.len() == 1 && problems[0].starts_with("url is \""), "{problems:?}");
        assert!(problems[0].contains("expected an https:// address") && problems[0].len() < 200, "{problems:?}");
    }
    let none = refusal("https://hooks.example/", Vec::new()).await;
    assert!(none.len() == 1 && none[0].starts_with("events are none, expected at least one of "), "{none:?}");
    assert!(none[0].contains(event.as_str()), "{none:?}");
    let foreign = match V::DATE {
        "2024-12-02" => WebhookEventType::SessionUpdated,
        _ => WebhookEventType::SurveyPaused,
    };
    for stranger in [foreign, WebhookEventType::from("gone-fishing")] {
        let problems = refusal("x", vec![event.clone(), stranger.clone()]).await;
        assert_eq!(problems.len(), 2, "everything is told at once: {problems:?}");
        for part in [stranger.as_str(), V::DATE, event.as_str()] {
            assert!(problems[1].contains(part), "{part}: {problems:?}");
        }
    }
    assert!(setup.sandbox.requests().is_empty());

    let mut webhook = webhook(&setup, "https://hooks.example/").await;
    let before = setup.sandbox.requests().len();
    let refused = webhook.edit(|it| (it.url, it.events) = ("x".into(), Vec::new())).await.unwrap_err();
    assert_eq!(refused.invalid_fields().iter().map(FieldError::field).collect::<Vec<_>>(), ["url", "events"]);
    let asked = setup.sandbox.requests();
    assert!(asked[before..].iter().all(|request| request.method == "GET"), "nothing was written");
}

#[cfg(feature = "v2025-12-18")]
mod newest {
    use std::time::Duration;

    use cintx::V2025_12_18;
    use cintx::respondent::{Entry, RespondentOutcome, ServerToServer};
    use cintx::webhook::DeliveryStatus;
    use cintx::webhook::inbox::{Accepted, Fact, Filled, Gap, Inbox, InboxError, InboxStore, MemoryInboxStore, router};
    use cintx::webhook::receive::{Event, EventData, Receiver};
    use cintx_sandbox::Sandbox;
    use futures_util::future::BoxFuture;
    use jiff::{Timestamp, ToSpan as _};

    use super::*;

    #[tokio::test]
    async fn a_history_says_what_was_told() {
        let setup = Setup::<V2025_12_18>::new().await;
        let begin = Timestamp::now() - 1.hour();
        // Nobody listens there; and respondents, who come and go at any time, are none of its business.
        let webhooks = setup.cint.webhooks();
        let made = webhooks.create("http://127.0.0.1:9/", [WebhookEventType::TargetGroupUpdated]).await.unwrap();
        let group = setup.draft(&setup.project().await).create().await.unwrap();
        let mut run = group.launch(Timestamp::now() + 240.hours()).await.unwrap().until_live().await.unwrap();
        run.pause().await.unwrap();
        run.resume().await.unwrap();
        run.complete().await.unwrap();

        let history = || made.webhook.history(begin).page_size(1);
        let all = history().stream().collect().await.unwrap();
        assert!(all.len() >= 4, "a launch, a pause, a return, an end: {all:?}");
        assert!(all.iter().all(|it| it.created_at.is_some() && it.event.is_some()), "{all:?}");
        assert!(all.is_sorted_by_key(|it| it.created_at), "the oldest first");
        let payload = all[0].payload.as_ref().unwrap();
        assert_eq!(payload["type"], "com.cint.target-group.updated");

        let newest_first = history().newest_first().stream().collect().await.unwrap();
        assert_eq!(newest_first[0].id, all[all.len() - 1].id);
        let groups = history().event(WebhookEventType::TargetGroupUpdated).stream().collect().await.unwrap();
        assert_eq!(groups.len(), all.len());
        assert!(history().event(WebhookEventType::SessionUpdated).stream().collect().await.unwrap().is_empty());
        assert!(history().status(DeliveryStatus::Delivered).stream().collect().await.unwrap().is_empty());
        let open = history().status(DeliveryStatus::Pending).status(DeliveryStatus::Delivering);
        let open = open.status(DeliveryStatus::Undelivered).stream().collect().await.unwrap();
        assert_eq!(open.len(), all.len());
        let past = history().until(begin + 1.minute()).stream().collect().await.unwrap();
        assert!(past.is_empty());
        setup.assert_no_violation();
    }

    /// Respondents who come and go, told to nobody who listens.
    async fn sessions(setup: &Setup<V2025_12_18>, count: usize) {
        let group = setup.draft(&setup.project().await).create().await.unwrap();
        group.launch(Timestamp::now() + 240.hours()).await.unwrap().until_live().await.unwrap();
        let s2s = ServerToServer::builder().key(setup.sandbox.s2s_key()).url(setup.sandbox.s2s_url()).build().unwrap();
        for _ in 0..count {
            let rid = setup.sandbox.enter_respondent(group.id().as_str()).unwrap();
            let entry = s2s.validate(&rid, &format!("https://survey.example/?RID={rid}")).await.unwrap();
            let Entry::Admitted(respondent) = entry else { panic!("{entry:?}") };
            s2s.finish(&respondent, RespondentOutcome::Complete).await.confirmed().unwrap();
        }
    }

    #[tokio::test]
    async fn a_secret_is_replaced_while_the_receiver_runs() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sandbox = Sandbox::builder().seed(7).job_delay(Duration::ZERO).field_pace(Duration::ZERO);
        let sandbox = sandbox.webhook_retry(Duration::from_millis(20));
        let sandbox = sandbox.webhook_gateway(listener.local_addr().unwrap().to_string());
        let setup = Setup::<V2025_12_18>::on(sandbox).await;
        let begin = Timestamp::now() - 1.hour();
        let events = [WebhookEventType::SessionUpdated];
        let made = setup.cint.webhooks().create("https://hooks.example/cint", events).await.unwrap();
        let (mut webhook, old) = (made.webhook, made.secret);
        let (receiver, inbox) = (Receiver::new(old.clone()).unwrap(), Inbox::new(MemoryInboxStore::new()));
        let app: axum::Router = router("/cint", receiver.clone(), inbox.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let taken = async || {
            let facts = inbox.take(1_000).await.unwrap();
            facts.iter().map(|fact| fact.event().id().to_owned()).collect::<HashSet<_>>()
        };
        let history = webhook.clone();
        let sent = async || {
            let all = history.history(begin).stream().collect().await.unwrap();
            let id = |payload: serde_json::Map<String, serde_json::Value>| payload["id"].as_str().unwrap().to_owned();
            all.into_iter().filter_map(|it| it.payload).map(id).collect::<HashSet<_>>()
        };

        sessions(&setup, 2).await;
        let new = webhook.regenerate_secret().await.unwrap();
        sessions(&setup, 2).await;
        assert!(taken().await.len() < sent().await.len(), "it refuses what it cannot know");
        receiver.add_secret(new).unwrap();
        sessions(&setup, 2).await;
        assert!(receiver.remove_secret(old));
        sessions(&setup, 2).await;
        let everything = sent().await;
        assert!(everything.len() >= 8, "{everything:?}");
        for _ in 0..1_000 {
            if taken().await == everything {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("of {everything:?} only {:?} came", taken().await);
    }

    fn number(event: &Event) -> i64 {
        let EventData::SessionUpdated(update) = event.data() else { panic!("{event:?}") };
        update.sequence_number
    }

    #[tokio::test]
    async fn gaps_are_filled_from_the_history() {
        let sandbox = Sandbox::builder().seed(7).job_delay(Duration::ZERO).field_pace(Duration::ZERO);
        let setup = Setup::<V2025_12_18>::on(sandbox).await;
        let webhooks = setup.cint.webhooks();
        let made = webhooks.create("http://127.0.0.1:9/", [WebhookEventType::SessionUpdated]).await.unwrap();
        let begin = Timestamp::now() - 1.hour();
        sessions(&setup, 3).await;
        let history = made.webhook.history(begin).stream().collect().await.unwrap();
        let all: Vec<Event> = history.iter().map(|entry| Event::from_delivery(entry).unwrap()).collect();
        let (first, later): (Vec<_>, Vec<_>) = all.iter().partition(|event| number(event) == 1);
        assert!(first.len() == 3 && later.len() >= 3, "{all:?}");

        // Nothing is missing, so nothing is asked.
        let inbox = Inbox::new(MemoryInboxStore::new()).patience(Duration::from_secs(600));
        let filler = inbox.filler(&made.webhook).after(Duration::ZERO).lookback(Duration::from_secs(3_600));
        let before = setup.sandbox.requests().len();
        assert_eq!(filler.fill().await.unwrap(), Filled::default());
        assert_eq!(setup.sandbox.requests().len(), before);

        // The first event of each session is lost.
        for event in &later {
            assert_eq!(inbox.accept((*event).clone()).await.unwrap(), Accepted::Waiting);
        }
        assert_eq!(inbox.gaps().await.unwrap().len(), 3);
        let young = inbox.filler(&made.webhook).fill().await.unwrap();
        assert_eq!((young, inbox.gaps().await.unwrap().len()), (Filled::default(), 3), "they may come by themselves");
        let filled = filler.fill().await.unwrap();
        assert_eq!((filled.missing, filled.new, filled.unreadable), (3, 3, 0), "{filled:?}");
        assert!(inbox.gaps().await.unwrap().is_empty());
        let facts = inbox.take(100).await.unwrap();
        assert_eq!(facts.len(), all.len());
        assert!(facts.iter().all(|fact| !fact.is_late()), "{facts:?}");

        // A whole session is lost, of which no number is missing.
        sessions(&setup, 1).await;
        assert_eq!(filler.fill().await.unwrap(), Filled::default());
        let caught_up = filler.catch_up(begin).await.unwrap();
        assert!(caught_up.new > 0 && caught_up.read > all.len() as u64, "{caught_up:?}");
        assert_eq!(filler.catch_up(begin).await.unwrap().new, 0, "what is known is dropped");
        assert!(inbox.gaps().await.unwrap().is_empty());

        // As a task of its own.
        let other = Inbox::new(MemoryInboxStore::new()).patience(Duration::from_secs(600));
        let filler = other.filler(&made.webhook).after(Duration::ZERO).every(Duration::from_millis(10));
        let task = tokio::spawn(async move { filler.run().await });
        for event in &later {
            other.accept((*event).clone()).await.unwrap();
        }
        while !other.gaps().await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        task.abort();
        assert_eq!(other.take(100).await.unwrap().len(), all.len());
        setup.assert_no_violation();
    }

    /// A store that takes nothing and gives nothing.
    struct Sealed;

    fn sealed<T>() -> BoxFuture<'static, Result<T, InboxError>> {
        Box::pin(async { Err(InboxError::store("the vault is sealed")) })
    }

    impl InboxStore for Sealed {
        fn accept<'a>(
            &'a self,
            _: &'a [Event],
            _: Timestamp,
            _: Timestamp,
        ) -> BoxFuture<'a, Result<Vec<Accepted>, InboxError>> {
            sealed()
        }

        fn take(&self, _: usize, _: Timestamp) -> BoxFuture<'_, Result<Vec<Fact>, InboxError>> {
            sealed()
        }

        fn done<'a>(&'a self, _: &'a [u64]) -> BoxFuture<'a, Result<(), InboxError>> {
            sealed()
        }

        fn gaps(&self, _: usize) -> BoxFuture<'_, Result<Vec<Gap>, InboxError>> {
            sealed()
        }
    }

    #[tokio::test]
    async fn a_store_that_fails_is_no_answer_of_the_api() {
        let setup = Setup::<V2025_12_18>::on(Sandbox::builder().seed(7).job_delay(Duration::ZERO)).await;
        let webhooks = setup.cint.webhooks();
        let made = webhooks.create("http://127.0.0.1:9/", [WebhookEventType::SessionUpdated]).await.unwrap();
        sessions(&setup, 1).await;
        let begin = Timestamp::now() - 1.hour();
        let filler = Inbox::new(Sealed).filler(&made.webhook).after(Duration::ZERO);
        let unread = filler.fill().await.unwrap_err();
        assert_eq!((unread.kind(), unread.outcome()), (ErrorKind::Local, Outcome::NotSent));
        let says = "not sent: the gaps of the inbox cannot be read: the inbox's store failed: the vault is sealed";
        assert_eq!(format!("{unread:#}"), says);
        let untaken = filler.catch_up(begin).await.unwrap_err();
        assert_eq!((untaken.kind(), untaken.outcome()), (ErrorKind::Local, Outcome::NoEffect));
        let says = "the inbox cannot take events: the inbox's store failed: the vault is sealed";
        assert_eq!(format!("{untaken:#}"), says);
    }

    /// Gaps that the history cannot fill do not keep the others from theirs.
    #[tokio::test]
    async fn every_gap_has_its_turn() {
        let sandbox = Sandbox::builder().seed(7).job_delay(Duration::ZERO).field_pace(Duration::ZERO);
        let setup = Setup::<V2025_12_18>::on(sandbox).await;
        let webhooks = setup.cint.webhooks();
        let made = webhooks.create("http://127.0.0.1:9/", [WebhookEventType::SessionUpdated]).await.unwrap();
        sessions(&setup, 1).await;
        let history = made.webhook.history(Timestamp::now() - 1.hour()).stream().collect().await.unwrap();
        let all: Vec<Event> = history.iter().map(|entry| Event::from_delivery(entry).unwrap()).collect();

        let inbox = Inbox::new(MemoryInboxStore::new()).patience(Duration::from_secs(600));
        let lost = |name: String| {
            let data = serde_json::json!({ "response_session_id": name, "sequence_number": 2 });
            let event = serde_json::json!({ "id": name, "type": "com.cint.session.updated", "data": data });
            Event::parse(event.to_string().as_bytes()).unwrap()
        };
        // The one that can be filled is neither the newest nor the first by its id.
        for number in 0..9 {
            inbox.accept(lost(format!("!{number}"))).await.unwrap();
        }
        for event in all.iter().filter(|event| number(event) > 1) {
            inbox.accept(event.clone()).await.unwrap();
        }
        futures_util::future::join_all((0..9).map(|number| inbox.accept(lost(format!("~{number}"))))).await;
        let (begin, before) = (Timestamp::now() - 1.minute(), inbox.gaps().await.unwrap().len());
        let noticed = inbox.gaps_since(begin..=Timestamp::now(), 1_000).await.unwrap();
        assert!(before == 19 && noticed.len() == 19 && noticed.is_sorted_by_key(|gap| std::cmp::Reverse(gap.since)));
        assert!(inbox.gaps_since(begin - 1.hour()..=begin, 1_000).await.unwrap().is_empty());

        let filler = inbox.filler(&made.webhook).after(Duration::ZERO).max_gaps(4);
        let mut filled = Vec::new();
        for _ in 0..5 {
            filled.push(filler.fill().await.unwrap());
        }
        assert_eq!(filled.iter().map(|it| it.missing).sum::<u64>(), 19, "each once in five rounds: {filled:?}");
        assert_eq!(filled.iter().map(|it| it.new).sum::<u64>(), 1);
        assert_eq!(inbox.gaps().await.unwrap().len(), 18);
        assert_eq!(filler.fill().await.unwrap().missing, 4, "and anew");
        setup.assert_no_violation();
    }

    /// The history has counts without their envelopes, and later than those tell: only the last of a quota can be the
    /// newest.
    #[tokio::test]
    async fn of_a_history_only_the_last_counts_are_taken() {
        use std::sync::Arc;

        use bytes::Bytes;
        use cintx::client::Credentials;
        use cintx::http::{ByteStream, TransportError};
        use serde_json::json;

        let sandbox = Arc::new(Sandbox::builder().seed(7).start().await.unwrap());
        let exchange = Arc::clone(&sandbox);
        let entry = |id: &str, created_at: &str, completes: i64| {
            let counts = json!({ "profile_quota_id": "q", "completes": completes, "screens": 20 });
            let mut payload = json!({ "target_group_id": "g", "account_id": 1 });
            // One that says nothing is no count.
            if completes > 0 {
                payload.as_object_mut().unwrap().extend(counts.as_object().unwrap().clone());
            }
            json!({ "id": id, "type": "quota-fill-registered", "status": "delivered", "created_at": created_at,
                "payload": payload })
        };
        let (first, last) = ("2026-11-29T10:00:05Z", "2026-11-29T10:00:07Z");
        let events = [entry("h1", first, 7), entry("h2", last, 6), entry("h3", last, 8), entry("h4", last, 0)];
        let page = Bytes::from(json!({ "events": events, "next_cursor": null }).to_string());
        let transport = move |request: http::Request<Bytes>| {
            let is_history = request.uri().path().ends_with("events-history");
            let answer = exchange.answer(request).map(|body| if is_history { page.clone() } else { body });
            async move { Ok::<_, TransportError>(answer.map(ByteStream::from)) }
        };
        let cint = cintx::Client::<V2025_12_18>::builder()
            .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
            .account(i64::from(sandbox.account_id()))
            .transport(transport)
            .build()
            .unwrap();
        let made =
            cint.webhooks().create("http://127.0.0.1:9/", [WebhookEventType::QuotaFillRegistered]).await.unwrap();
        let inbox = Inbox::new(MemoryInboxStore::new());
        // As it came by itself: the history has the same, and has it later.
        let data = json!({ "target_group_id": "g", "profile_quota_id": "q", "completes": 6, "screens": 20 });
        let body = json!({ "id": "e2", "type": "com.cint.quota.fill.registered", "time": "2026-11-29T10:00:04Z",
            "data": data });
        inbox.accept(Event::parse(body.to_string().as_bytes()).unwrap()).await.unwrap();
        let facts = inbox.take(10).await.unwrap();
        inbox.done(&facts).await.unwrap();

        let caught_up = inbox.filler(&made.webhook).catch_up(Timestamp::now() - 1.hour()).await.unwrap();
        assert_eq!((caught_up.read, caught_up.new), (4, 2), "{caught_up:?}");
        let facts = inbox.take(10).await.unwrap();
        let ids: Vec<&str> = facts.iter().map(|fact| fact.event().id()).collect();
        assert_eq!(ids, ["h4", "h3"]);
    }

    #[tokio::test]
    async fn a_wrong_history_is_refused_unsent() {
        let setup = Setup::<V2025_12_18>::new().await;
        let made = setup.cint.webhooks().create("https://hooks.example/", events::<V2025_12_18>()).await.unwrap();
        let before = setup.sandbox.requests().len();
        let now = Timestamp::now();
        let list = made.webhook.history(now).until(now - 1.hour()).status(DeliveryStatus::from("x"));
        let refused = list.event(WebhookEventType::SurveyPaused).stream().collect().await.unwrap_err();
        let fields: Vec<_> = refused.invalid_fields().iter().map(FieldError::field).collect();
        assert_eq!(fields, ["until", "status", "events"], "{refused}");
        assert_eq!(setup.sandbox.requests().len(), before);
    }
}
