//! The inbox of many receivers: the same rules as the store in memory, facts claimed by one, in order, in the
//! transaction of their effect.

use std::sync::Arc;
use std::time::Duration;

use cintx::webhook::inbox::{Accepted, Fact, Gap, Inbox, InboxStore, MemoryInboxStore};
use cintx::webhook::receive::Event;
use cintx_postgres::Batch;
use jiff::Timestamp;
use serde_json::json;

use crate::support::{database, number, open};

pub(crate) fn event(id: &str, kind: &str, time: Option<&str>, data: serde_json::Value) -> Event {
    let mut body = json!({ "id": id, "type": format!("com.cint.{kind}"), "data": data });
    if let Some(time) = time {
        body["time"] = time.into();
    }
    Event::parse(body.to_string().as_bytes()).unwrap()
}

fn session(id: &str, session: &str, number: i64) -> Event {
    event(id, "session.updated", None, json!({ "response_session_id": session, "sequence_number": number }))
}

fn fill(id: &str, completes: i64) -> Event {
    let time = format!("2026-11-29T10:00:{completes:02}Z");
    let data = json!({ "target_group_id": "g", "profile_quota_id": "q", "completes": completes, "screens": 50 });
    event(id, "quota.fill.registered", Some(&time), data)
}

fn other(id: &str) -> Event {
    event(id, "other", None, json!({}))
}

fn ids(facts: &[Fact]) -> Vec<&str> {
    facts.iter().map(|fact| fact.event().id()).collect()
}

async fn accept_all(inbox: &Inbox, events: impl IntoIterator<Item = Event>) -> Vec<Accepted> {
    let mut accepted = Vec::new();
    for event in events {
        accepted.push(inbox.accept(event).await.unwrap());
    }
    accepted
}

/// An event by chance; few ids, sessions and quotas, so that they meet.
fn any_event(rng: &mut fastrand::Rng) -> Event {
    let id = format!("e{}", rng.u32(0..150));
    let odd_number = [0, -1, i64::MIN, i64::MAX, i64::MAX - 1];
    match rng.u32(0..10) {
        0..6 => {
            let number = if rng.u32(0..20) == 0 { odd_number[rng.usize(0..5)] } else { rng.i64(1..12) };
            let group = rng.bool().then(|| format!("g{}", rng.u32(0..2)));
            let name = ["a", "b", "c", "d"][rng.usize(0..4)];
            let data = json!({ "response_session_id": name, "sequence_number": number, "target_group_id": group });
            event(&id, "session.updated", None, data)
        }
        6..9 => {
            let time = rng.bool().then(|| format!("2026-11-29T10:00:{:02}Z", rng.u32(0..60)));
            let quota = rng.bool().then_some("q");
            // Some tell less than both counts.
            let screens = (rng.u32(0..8) > 0).then(|| rng.i64(-1..3));
            let data = json!({
                "target_group_id": "g", "profile_quota_id": quota, "completes": rng.i64(0..4), "screens": screens
            });
            event(&id, "quota.fill.registered", time.as_deref(), data)
        }
        _ => other(&id),
    }
}

/// What can be seen of a store from outside.
async fn seen(store: &dyn InboxStore, waiting_since: Timestamp) -> (Vec<(String, bool)>, Vec<Gap>) {
    let facts = store.take(10_000, waiting_since).await.unwrap();
    let facts = facts.iter().map(|fact| (fact.event().id().to_owned(), fact.is_late())).collect();
    let mut gaps = store.gaps(1_000).await.unwrap();
    // Those of the last minute, the newest first.
    let newest = gaps.iter().map(|gap| gap.since).max().unwrap_or(Timestamp::UNIX_EPOCH);
    let lately = newest - jiff::SignedDuration::from_secs(60)..=newest;
    gaps.extend(store.gaps_since(lately.clone(), 5).await.unwrap());
    gaps.extend(store.gaps_since(lately, 1_000).await.unwrap());
    (facts, gaps)
}

#[tokio::test]
async fn it_does_what_the_store_in_memory_does() {
    let histories = number("CINTX_FLEET_HISTORIES", 6);
    for seed in 0..histories as u64 {
        let Some((database, _)) = database().await else { return };
        let (ours, memory) = (database.inbox(), MemoryInboxStore::new());
        let mut rng = fastrand::Rng::with_seed(seed);
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        for step in 0..40 {
            let now = at(step * 10);
            let events: Vec<Event> = (0..rng.usize(1..12)).map(|_| any_event(&mut rng)).collect();
            // Now and then all that is older than this is forgotten; not what was seen a moment ago.
            let forget = at(if rng.u32(0..8) == 0 { step * 10 - 100 } else { -1_000 });
            let (one, other) = tokio::join!(ours.accept(&events, now, forget), memory.accept(&events, now, forget));
            let (one, other) = (one.unwrap(), other.unwrap());
            assert_eq!(one, other, "seed {seed}, step {step}: {events:?}");
            if rng.u32(0..3) == 0 {
                let waiting_since = at(step * 10 - rng.i64(0..120));
                let (one, other) = (seen(&ours, waiting_since).await, seen(&memory, waiting_since).await);
                assert_eq!(one, other, "seed {seed}, step {step}");
                let count = rng.usize(0..6);
                for store in [&ours as &dyn InboxStore, &memory] {
                    let facts = store.take(count, Timestamp::MIN).await.unwrap();
                    let numbers: Vec<u64> = facts.iter().map(Fact::number).collect();
                    store.done(&numbers).await.unwrap();
                }
            }
        }
    }
}

#[tokio::test]
async fn an_event_whose_names_postgresql_cannot_keep_is_taken_all_the_same() {
    let Some((database, _)) = database().await else { return };
    let store = database.inbox();
    let inbox = Inbox::new(store.clone());
    let odd = [session("e\u{0}1", "s\u{0}", 2), session(&"e".repeat(5_000), &"s".repeat(5_000), 1)];
    assert_eq!(accept_all(&inbox, odd.clone()).await, [Accepted::Waiting, Accepted::New]);
    assert_eq!(accept_all(&inbox, odd).await, [Accepted::Duplicate; 2]);
    assert_eq!(accept_all(&inbox, [session("e2", "s\u{0}", 1)]).await, [Accepted::New]);
    let batch = claim(&store, 10).await;
    assert_eq!(ids(batch.facts())[1..], ["e2", "e\u{0}1"]);
    batch.commit().await.unwrap();
}

/// A server whose default is to answer before the disk has it.
#[tokio::test]
async fn what_is_acknowledged_is_on_the_disk_whatever_the_default_is() {
    let Some((database, url)) = database().await else { return };
    let sql = database.pool().get().await.unwrap();
    sql.batch_execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$;
        CREATE TABLE seen (setting text);
        CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
        CREATE TRIGGER see AFTER INSERT ON cintx.inbox_event FOR EACH ROW EXECUTE FUNCTION see()",
    )
    .await
    .unwrap();
    let late = open(&url);
    let default = late.pool().get().await.unwrap();
    let default: String = default.query_one("SHOW synchronous_commit", &[]).await.unwrap().get(0);
    assert_eq!(default, "off");
    accept_all(&Inbox::new(late.inbox()), [other("e1")]).await;
    let seen: String = sql.query_one("SELECT setting FROM seen", &[]).await.unwrap().get(0);
    assert_eq!(seen, "on");
    // Of that transaction alone: what the pool is shared with keeps its default.
    let after = late.pool().get().await.unwrap();
    assert_eq!(after.query_one("SHOW synchronous_commit", &[]).await.unwrap().get::<_, String>(0), "off");
}

async fn claim(store: &cintx_postgres::PostgresInboxStore, limit: usize) -> Batch {
    store.claim(limit).await.unwrap().expect("there are facts")
}

#[tokio::test]
async fn facts_are_claimed_by_one_and_those_of_a_session_one_batch_after_the_other() {
    let Some((database, url)) = database().await else { return };
    let (one, other_store) = (database.inbox(), open(&url).inbox());
    let inbox = Inbox::new(one.clone());
    accept_all(&inbox, [session("a1", "a", 1), session("b1", "b", 1), session("a2", "a", 2), other("o")]).await;
    let first = claim(&one, 1).await;
    assert_eq!(ids(first.facts()), ["a1"]);
    let second = claim(&other_store, 10).await;
    assert_eq!(ids(second.facts()), ["b1", "o"], "not a2, whose turn it is not");
    assert!(one.claim(10).await.unwrap().is_none());
    assert_eq!(accept_all(&inbox, [session("b2", "b", 2)]).await, [Accepted::New], "nobody waits for a handler");
    first.commit().await.unwrap();
    assert_eq!(ids(claim(&one, 10).await.facts()), ["a2"]);
    // Dropped: it comes again, a moment later.
    second.give_back().await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let rest = claim(&other_store, 10).await;
    assert_eq!(ids(rest.facts()), ["b1", "a2", "o", "b2"]);
    rest.commit().await.unwrap();
    assert!(one.claim(10).await.unwrap().is_none());
}

/// Receivers and handlers whose clocks do not agree.
#[tokio::test]
async fn how_long_an_event_has_waited_for_a_claim_is_a_matter_of_the_databases_clock() {
    let Some((database, _)) = database().await else { return };
    let store = database.inbox().patience(Duration::from_secs(60));
    let inbox = |seconds: i64| {
        let clock = move || Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
        Inbox::new(store.clone()).clock(clock)
    };
    accept_all(&inbox(-3_600), [session("a2", "a", 2)]).await;
    accept_all(&inbox(3_600), [session("b2", "b", 2)]).await;
    assert!(store.claim(10).await.unwrap().is_none(), "they have come this moment");
    let hasty = store.clone().patience(Duration::ZERO);
    let batch = claim(&hasty, 10).await;
    assert_eq!(ids(batch.facts()), ["a2", "b2"], "in the order in which they came");
    batch.commit().await.unwrap();
    assert!(store.clone().patience(Duration::MAX).claim(10).await.unwrap().is_none());
}

/// Respondents are reconciled weeks after their events were forgotten.
#[tokio::test]
async fn a_session_goes_on_after_its_events_are_forgotten() {
    let Some((database, _)) = database().await else { return };
    let store = database.inbox();
    let at = |day: i64| {
        let began: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        Inbox::new(store.clone()).clock(move || began + jiff::SignedDuration::from_hours(24 * day))
    };
    accept_all(&at(0), [1, 2, 3, 4].map(|number| session(&format!("a{number}"), "a", number))).await;
    accept_all(&at(0), [session("b2", "b", 2)]).await;
    at(1).take(10).await.unwrap();
    assert_eq!(at(1).gaps().await.unwrap().len(), 1);
    accept_all(&at(20), [other("o1"), other("o2")]).await;
    assert!(at(20).gaps().await.unwrap().is_empty(), "a gap that nobody can fill is no news");
    let late = [session("a5", "a", 5), session("a4", "a", 4), session("b1", "b", 1)];
    assert_eq!(accept_all(&at(49), late).await, [Accepted::New, Accepted::Duplicate, Accepted::New]);
    assert!(at(49).gaps().await.unwrap().is_empty());
    // It is forgotten in the end.
    accept_all(&at(140), [other("o3")]).await;
    assert_eq!(accept_all(&at(140), [session("a6", "a", 6)]).await, [Accepted::Waiting]);
}

#[tokio::test]
async fn an_effect_is_committed_with_the_end_of_its_facts_or_not_at_all() {
    let Some((database, _)) = database().await else { return };
    let store = database.inbox();
    let sql = database.pool().get().await.unwrap();
    sql.batch_execute("CREATE TABLE effect (id text)").await.unwrap();
    accept_all(&Inbox::new(store.clone()), [other("e1"), other("e2")]).await;
    let count = async || sql.query_one("SELECT count(*) FROM effect", &[]).await.unwrap().get::<_, i64>(0);
    let write = async |batch: &Batch| {
        for id in ids(batch.facts()) {
            batch.client().execute("INSERT INTO effect VALUES ($1)", &[&id]).await.unwrap();
        }
    };
    let batch = claim(&store, 10).await;
    write(&batch).await;
    drop(batch);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(count().await, 0);
    // A statement that fails takes all of it along, also if nobody looks at its error.
    let batch = claim(&store, 10).await;
    write(&batch).await;
    assert!(batch.client().execute("SELECT 1 / 0", &[]).await.is_err());
    assert!(batch.commit().await.is_err());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(count().await, 0);
    let batch = claim(&store, 10).await;
    write(&batch).await;
    batch.commit().await.unwrap();
    assert_eq!(count().await, 2);
    assert!(store.claim(10).await.unwrap().is_none());
}

#[tokio::test]
async fn newer_counts_wait_for_a_handler_of_older_ones() {
    let Some((database, _)) = database().await else { return };
    let store = database.inbox();
    let inbox = Inbox::new(store.clone());
    accept_all(&inbox, [fill("q1", 1)]).await;
    let handling = claim(&store, 10).await;
    let accepted = tokio::time::timeout(Duration::from_secs(5), accept_all(&inbox, [fill("q2", 2), fill("q3", 3)]));
    assert_eq!(accepted.await.unwrap(), [Accepted::New; 2], "nobody waits for a handler");
    assert!(store.claim(10).await.unwrap().is_none(), "the older ones are still being handled");
    handling.commit().await.unwrap();
    let batch = claim(&store, 10).await;
    assert_eq!(ids(batch.facts()), ["q3"]);
    batch.commit().await.unwrap();
    assert_eq!(accept_all(&inbox, [fill("q4", 2)]).await, [Accepted::Superseded]);
}

#[tokio::test]
async fn one_process_is_handed_facts_by_take_and_the_next_one_when_it_is_gone() {
    let Some((database, url)) = database().await else { return };
    let (one, other_inbox) = (Inbox::new(database.inbox()), Inbox::new(open(&url).inbox()));
    accept_all(&other_inbox, [other("e1"), other("e2")]).await;
    let facts = one.take(10).await.unwrap();
    assert_eq!(ids(&facts), ["e1", "e2"]);
    assert!(other_inbox.take(10).await.unwrap().is_empty());
    one.done(&facts[..1]).await.unwrap();
    assert_eq!(ids(&one.take(10).await.unwrap()), ["e2"]);
    drop(one);
    let took_over = async {
        while other_inbox.take(10).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), took_over).await.unwrap();
}

#[tokio::test]
async fn who_waits_is_woken_by_another_process() {
    let Some((database, url)) = database().await else { return };
    let (inbox, sender) = (Inbox::new(database.inbox()), Inbox::new(open(&url).inbox()));
    // The first call begins to listen, and returns in case something has come before.
    tokio::time::timeout(Duration::from_secs(5), inbox.changed()).await.unwrap();
    let quiet = tokio::time::timeout(Duration::from_millis(200), inbox.changed()).await;
    assert!(quiet.is_err(), "nothing has come");
    accept_all(&sender, [other("e1")]).await;
    tokio::time::timeout(Duration::from_secs(5), inbox.changed()).await.unwrap();
    // Its connection is lost: whoever waits looks again.
    let sql = database.pool().get().await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    sql.execute(end, &[]).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), inbox.changed()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_that_are_sent_the_same_take_each_event_once() {
    let Some((_, url)) = database().await else { return };
    let inboxes: Vec<_> = (0..4).map(|_| Arc::new(Inbox::new(open(&url).inbox()))).collect();
    let mut tasks = Vec::new();
    for (at, inbox) in inboxes.iter().cycle().take(12).enumerate() {
        let inbox = Arc::clone(inbox);
        tasks.push(tokio::spawn(async move {
            let mut rng = fastrand::Rng::with_seed(at as u64);
            let mut numbers: Vec<i64> = (1..=60).collect();
            rng.shuffle(&mut numbers);
            let mut new = 0;
            for number in numbers {
                let name = format!("s{}", number % 3);
                let one = session(&format!("e{number}"), &name, (number + 2) / 3);
                new += usize::from(inbox.accept(one).await.unwrap() != Accepted::Duplicate);
            }
            new
        }));
    }
    let mut new = 0;
    for task in tasks {
        new += task.await.unwrap();
    }
    assert_eq!(new, 60);
    let batch = claim(&open(&url).inbox(), 100).await;
    assert_eq!(batch.facts().len(), 60);
    for name in ["s0", "s1", "s2"] {
        let numbers = batch.facts().iter().filter_map(|fact| match fact.event().data() {
            cintx::webhook::receive::EventData::SessionUpdated(update) if update.response_session_id == name => {
                Some(update.sequence_number)
            }
            _ => None,
        });
        assert!(numbers.eq(1..=20), "{name} in order");
    }
    batch.commit().await.unwrap();
}
