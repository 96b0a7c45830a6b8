//! The inbox against what webhooks do: events twice, in any order, late or never, and a receiver that is killed.

#![cfg(all(feature = "inbox-redb", feature = "webhook-inbox"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

#[path = "inbox/simulation.rs"]
mod simulation;

use std::sync::Arc;
use std::time::Duration;

use cintx::webhook::inbox::{Accepted, Fact, Inbox, InboxStore, MemoryInboxStore, RedbInboxStore, SessionOrder};
use cintx::webhook::receive::{Event, EventData};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tempfile::TempDir;

fn event(id: &str, kind: &str, time: &str, data: serde_json::Value) -> Event {
    let body = json!({ "id": id, "type": format!("com.cint.{kind}"), "time": time, "data": data });
    Event::parse(body.to_string().as_bytes()).unwrap()
}

fn session(id: &str, session: &str, number: i64) -> Event {
    let data = json!({ "response_session_id": session, "sequence_number": number, "target_group_id": "g" });
    event(id, "session.updated", "2026-11-29T10:00:00Z", data)
}

fn fill(id: &str, quota: Option<&str>, time: &str, completes: i64) -> Event {
    let data = json!({ "target_group_id": "g", "profile_quota_id": quota, "completes": completes, "screens": 50 });
    event(id, "quota.fill.registered", time, data)
}

fn event_of_no_session(number: i64) -> Event {
    event(&format!("other{number}"), "other", "", json!({}))
}

fn ids(facts: &[Fact]) -> Vec<&str> {
    facts.iter().map(|fact| fact.event().id()).collect()
}

/// An inbox, and a way to close and open it again.
struct Setup {
    open: Box<dyn Fn() -> Inbox>,
    inbox: Option<Inbox>,
    _folder: Option<TempDir>,
}

impl Setup {
    fn all() -> [Self; 2] {
        let memory = MemoryInboxStore::new();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox.redb");
        let in_memory: Box<dyn Fn() -> Inbox> = Box::new(move || Inbox::new(memory.clone()));
        let in_file: Box<dyn Fn() -> Inbox> = Box::new(move || Inbox::new(RedbInboxStore::open(&path).unwrap()));
        [(in_memory, None), (in_file, Some(folder))].map(|(open, folder)| Self {
            inbox: Some(open()),
            open,
            _folder: folder,
        })
    }

    fn inbox(&self) -> &Inbox {
        self.inbox.as_ref().unwrap()
    }

    async fn accept(&self, event: Event) -> Accepted {
        self.inbox().accept(event).await.unwrap()
    }

    fn reopen(&mut self) {
        self.inbox = None;
        self.inbox = Some((self.open)());
    }
}

#[tokio::test]
async fn each_event_is_taken_once_and_handed_on_until_it_is_done() {
    for mut setup in Setup::all() {
        let group = |id: &str| event(id, "target-group.updated", "", json!({ "target_group_id": "g" }));
        let unknown = event("e2", "weather.changed", "", json!([1]));
        assert_eq!(setup.accept(group("e1")).await, Accepted::New);
        assert_eq!(setup.accept(unknown.clone()).await, Accepted::New);
        assert_eq!(setup.accept(group("e1")).await, Accepted::Duplicate);
        let first = setup.inbox().take(10).await.unwrap();
        assert_eq!(ids(&first), ["e1", "e2"]);
        setup.reopen();
        assert_eq!(setup.inbox().take(10).await.unwrap(), first, "the same under the same numbers");
        setup.inbox().done(&first[..1]).await.unwrap();
        setup.reopen();
        let rest = setup.inbox().take(10).await.unwrap();
        assert_eq!((ids(&rest), rest[0].event(), rest[0].is_late()), (vec!["e2"], &unknown, false));
        setup.inbox().done(&rest).await.unwrap();
        setup.inbox().done(&rest).await.unwrap();
        assert_eq!(setup.accept(group("e1")).await, Accepted::Duplicate, "after it is done, too");
        assert!(setup.inbox().take(10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn sessions_are_handed_on_in_order_and_gaps_are_told() {
    for mut setup in Setup::all() {
        assert_eq!(setup.accept(session("a3", "a", 3)).await, Accepted::Waiting);
        assert_eq!(setup.accept(session("a6", "a", 6)).await, Accepted::Waiting);
        assert_eq!(setup.accept(session("b1", "b", 1)).await, Accepted::New);
        setup.reopen();
        let gaps = setup.inbox().gaps().await.unwrap();
        let shown: Vec<_> = gaps.iter().map(|gap| (&*gap.session, gap.first, gap.last)).collect();
        assert_eq!(shown, [("a", 1, 2), ("a", 4, 5)]);
        assert_eq!(gaps[0].target_group.as_deref(), Some("g"));
        assert!((Timestamp::now() - gaps[0].since).as_secs() < 60);
        assert_eq!(setup.accept(session("a2", "a", 2)).await, Accepted::Waiting);
        assert_eq!(ids(&setup.inbox().take(10).await.unwrap()), ["b1"]);
        assert_eq!(setup.accept(session("a1", "a", 1)).await, Accepted::New);
        assert_eq!(setup.accept(session("other", "a", 3)).await, Accepted::Duplicate, "by its number");
        assert_eq!(ids(&setup.inbox().take(10).await.unwrap()), ["b1", "a1", "a2", "a3"]);
        for (id, number) in [("a5", 5), ("a4", 4)] {
            setup.accept(session(id, "a", number)).await;
        }
        let facts = setup.inbox().take(10).await.unwrap();
        assert_eq!(ids(&facts), ["b1", "a1", "a2", "a3", "a4", "a5", "a6"]);
        assert!(!facts.iter().any(Fact::is_late) && setup.inbox().gaps().await.unwrap().is_empty());
        // Numbers that nobody expects neither panic nor get lost.
        for (at, odd) in [0, -1, i64::MIN, i64::MAX].into_iter().enumerate() {
            setup.accept(session(&format!("odd{at}"), "odd", odd)).await;
        }
        let odd = setup.inbox().clone().patience(Duration::ZERO).take(20).await.unwrap();
        assert_eq!(ids(&odd[7..]), ["odd0", "odd1", "odd2", "odd3"]);
    }
}

#[tokio::test]
async fn how_long_something_waits_is_a_matter_of_the_inboxs_clock() {
    for setup in Setup::all() {
        let began: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let inbox = setup.inbox().clone().patience(Duration::from_secs(600));
        let at = |seconds: i64| inbox.clone().clock(move || began + SignedDuration::from_secs(seconds));
        assert_eq!(at(0).accept(session("a2", "a", 2)).await.unwrap(), Accepted::Waiting);
        assert_eq!(at(0).gaps().await.unwrap()[0].since, began);
        assert!(at(599).take(10).await.unwrap().is_empty());
        assert_eq!(ids(&at(601).take(10).await.unwrap()), ["a2"]);
    }
}

#[tokio::test]
async fn what_waits_too_long_goes_on_and_what_comes_after_is_late() {
    for setup in Setup::all() {
        for (id, number) in [("a4", 4), ("a2", 2), ("a7", 7)] {
            assert_eq!(setup.accept(session(id, "a", number)).await, Accepted::Waiting);
        }
        assert!(setup.inbox().take(10).await.unwrap().is_empty(), "there is patience");
        let hasty = setup.inbox().clone().patience(Duration::ZERO);
        let facts = hasty.take(10).await.unwrap();
        assert_eq!(ids(&facts), ["a2", "a4", "a7"]);
        hasty.done(&facts).await.unwrap();
        assert_eq!(setup.accept(session("a5", "a", 5)).await, Accepted::New);
        let gaps = hasty.gaps().await.unwrap();
        let shown: Vec<_> = gaps.iter().map(|gap| (gap.first, gap.last)).collect();
        assert_eq!(shown, [(1, 1), (3, 3), (6, 6)]);
        assert_eq!(setup.accept(session("a3", "a", 3)).await, Accepted::New);
        assert_eq!(setup.accept(session("a8", "a", 8)).await, Accepted::New);
        assert_eq!(setup.accept(session("again", "a", 3)).await, Accepted::Duplicate);
        let facts = hasty.take(10).await.unwrap();
        let shown: Vec<_> = facts.iter().map(|fact| (fact.event().id(), fact.is_late())).collect();
        assert_eq!(shown, [("a5", true), ("a3", true), ("a8", false)]);
    }
}

/// That sessions begin with 1 is not published, and one that is under way when the subscription is made does not.
#[tokio::test]
async fn a_session_that_begins_with_another_number_waits_once() {
    for setup in Setup::all() {
        for (id, number) in [("a0", 0), ("a1", 1), ("a2", 2)] {
            assert_eq!(setup.accept(session(id, "a", number)).await, Accepted::New);
        }
        assert_eq!(setup.accept(session("b7", "b", 7)).await, Accepted::Waiting);
        let hasty = setup.inbox().clone().patience(Duration::ZERO);
        assert_eq!(ids(&hasty.take(10).await.unwrap()), ["a0", "a1", "a2", "b7"]);
        assert_eq!(setup.accept(session("b8", "b", 8)).await, Accepted::New, "it goes on without waiting");
        let gaps = setup.inbox().gaps().await.unwrap();
        assert_eq!(gaps.iter().map(|gap| (&*gap.session, gap.first, gap.last)).collect::<Vec<_>>(), [("b", 1, 6)]);
    }
}

#[tokio::test]
async fn gaps_are_told_by_when_they_were_noticed_the_newest_first() {
    for mut setup in Setup::all() {
        for name in ["b", "a", "d", "c"] {
            setup.accept(session(&format!("{name}2"), name, 2)).await;
        }
        setup.reopen();
        let all = setup.inbox().gaps_since(Timestamp::MIN..=Timestamp::MAX, 10).await.unwrap();
        assert_eq!(all.iter().map(|gap| &*gap.session).collect::<Vec<_>>(), ["c", "d", "a", "b"]);
        let older = setup.inbox().gaps_since(Timestamp::MIN..=all[1].since, 2).await.unwrap();
        assert_eq!(older, all[1..3]);
        assert!(setup.inbox().gaps_since(Timestamp::MAX..=Timestamp::MAX, 10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn of_a_quotas_counts_the_newest_is_handed_on() {
    let (ten, eleven) = ("2026-11-29T10:00:00Z", "2026-11-29T11:00:00Z");
    for setup in Setup::all() {
        assert_eq!(setup.accept(fill("q1", Some("q"), ten, 5)).await, Accepted::New);
        assert_eq!(setup.accept(fill("whole", None, ten, 9)).await, Accepted::New);
        assert_eq!(setup.accept(fill("q2", Some("q"), eleven, 4)).await, Accepted::New, "time decides");
        let facts = setup.inbox().take(10).await.unwrap();
        assert_eq!(ids(&facts), ["whole", "q2"], "nobody needs the older one");
        setup.inbox().done(&facts).await.unwrap();
        assert_eq!(setup.accept(fill("q3", Some("q"), ten, 7)).await, Accepted::Superseded);
        assert_eq!(setup.accept(fill("q4", Some("q"), eleven, 4)).await, Accepted::Superseded, "nothing new");
        assert_eq!(setup.accept(fill("q5", Some("q"), eleven, 6)).await, Accepted::New);
        let facts = setup.inbox().take(10).await.unwrap();
        let EventData::QuotaFillRegistered(newest) = facts[0].event().data() else { panic!() };
        assert_eq!((facts.len(), newest.completes), (1, Some(6)));

        // What tells less than both counts takes the place of none, and none takes its place.
        let without = |id: &str, counts: serde_json::Value| {
            let mut data = json!({ "target_group_id": "g", "profile_quota_id": "q" });
            data.as_object_mut().unwrap().extend(counts.as_object().unwrap().clone());
            event(id, "quota.fill.registered", "2026-11-29T12:00:00Z", data)
        };
        for (id, counts) in [("q6", json!({})), ("q7", json!({ "completes": 3 })), ("q8", json!({ "screens": -1 }))] {
            assert_eq!(setup.accept(without(id, counts)).await, Accepted::New);
        }
        assert_eq!(ids(&setup.inbox().take(10).await.unwrap()), ["q5", "q6", "q7", "q8"]);
        assert_eq!(setup.accept(fill("q9", Some("q"), "2026-11-29T11:30:00Z", 5)).await, Accepted::New);
        assert_eq!(ids(&setup.inbox().take(10).await.unwrap()), ["q6", "q7", "q8", "q9"]);
    }
}

#[tokio::test]
async fn what_is_old_is_forgotten_and_sessions_later_than_ids() {
    let stores: [(Arc<dyn InboxStore>, Option<TempDir>); 2] = {
        let folder = tempfile::tempdir().unwrap();
        let file = RedbInboxStore::open(folder.path().join("inbox.redb")).unwrap();
        [(Arc::new(MemoryInboxStore::new()), None), (Arc::new(file), Some(folder))]
    };
    for (store, _folder) in stores {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let accept =
            async |event: Event, now: i64, forget: i64| store.accept(&[event], at(now), at(forget)).await.unwrap()[0];
        let other = |id: &str| event(id, "other", "", json!({}));
        assert_eq!(accept(other("e1"), 100, 0).await, Accepted::New);
        assert_eq!(accept(session("a1", "a", 1), 100, 0).await, Accepted::New);
        assert_eq!(accept(session("w5", "w", 5), 100, 0).await, Accepted::Waiting);
        assert_eq!(accept(session("b1", "b", 1), 200, 100).await, Accepted::New);
        assert_eq!(accept(other("e1"), 201, 100).await, Accepted::Duplicate);
        assert_eq!(accept(session("c1", "c", 1), 300, 101).await, Accepted::New, "forgets the first ids");
        assert_eq!(accept(other("e1"), 301, 101).await, Accepted::New);
        assert_eq!(accept(session("b1", "b", 1), 301, 101).await, Accepted::Duplicate);
        assert_eq!(accept(session("a1", "a", 1), 301, 100).await, Accepted::Duplicate, "by its number");
        // Now the id of that is known again, and session `a` is as old as that.
        let longer = i64::try_from(SessionOrder::KEPT_LONGER.as_secs()).unwrap();
        assert_eq!(accept(session("b2", "b", 2), 400, 302).await, Accepted::New);
        assert_eq!(accept(session("c2", "c", 2), 401, longer + 301).await, Accepted::New);
        assert_eq!(accept(session("again", "a", 1), 402, longer + 302).await, Accepted::Duplicate, "still there");
        assert_eq!(accept(other("e2"), longer + 500, longer + 403).await, Accepted::New);
        assert_eq!(accept(session("a1", "a", 1), longer + 501, longer + 403).await, Accepted::New, "a new session");
        let waits = store.gaps(10).await.unwrap();
        assert_eq!((waits.len(), &*waits[0].session), (1, "w"), "what waits stays");
    }
}

/// Respondents are reconciled weeks after their events were forgotten.
#[tokio::test]
async fn a_session_goes_on_after_its_events_are_forgotten() {
    for setup in Setup::all() {
        let began: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let at = |day: i64| setup.inbox().clone().clock(move || began + SignedDuration::from_hours(24 * day));
        for number in 1..=4 {
            assert_eq!(at(0).accept(session(&format!("a{number}"), "a", number)).await.unwrap(), Accepted::New);
        }
        assert_eq!(at(0).accept(session("b2", "b", 2)).await.unwrap(), Accepted::Waiting);
        at(1).take(10).await.unwrap();
        assert_eq!(at(1).gaps().await.unwrap().len(), 1);
        for event in 0..3 {
            at(20).accept(event_of_no_session(event)).await.unwrap();
        }
        assert!(at(20).gaps().await.unwrap().is_empty(), "a gap that nobody can fill is no news");
        assert_eq!(at(49).accept(session("a5", "a", 5)).await.unwrap(), Accepted::New);
        assert!(at(49).gaps().await.unwrap().is_empty());
        assert_eq!(at(49).accept(session("a4", "a", 4)).await.unwrap(), Accepted::Duplicate);
        assert_eq!(at(49).accept(session("b1", "b", 1)).await.unwrap(), Accepted::New, "late, and not lost");
        // It is forgotten in the end.
        for (number, day) in [(10, 100), (11, 140)] {
            at(day).accept(event_of_no_session(number)).await.unwrap();
        }
        assert_eq!(at(140).accept(session("a6", "a", 6)).await.unwrap(), Accepted::Waiting);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_share_a_commit_and_one_who_goes_away_takes_nobody_along() {
    for setup in Setup::all() {
        let inbox = setup.inbox();
        let tasks = (0..500).map(|number| {
            let (inbox, event) = (inbox.clone(), session(&format!("e{}", number % 400), "s", number % 400 + 1));
            async move {
                if number % 7 == 0 {
                    // Goes away at some point of it.
                    return tokio::time::timeout(Duration::from_micros(number as u64), inbox.accept(event)).await.ok();
                }
                Some(inbox.accept(event).await)
            }
        });
        let answers = join_all(tasks).await;
        assert!(answers.into_iter().flatten().all(|answer| answer.is_ok()));
        // Cint repeats what was not acknowledged.
        join_all((0..400).map(|number| setup.accept(session(&format!("e{number}"), "s", number + 1)))).await;
        let facts = inbox.take(1_000).await.unwrap();
        let numbers = facts.iter().map(|fact| match fact.event().data() {
            EventData::SessionUpdated(update) => update.sequence_number,
            other => panic!("{other:?}"),
        });
        assert!(numbers.eq(1..=400));
        tokio::time::timeout(Duration::from_secs(5), inbox.changed()).await.unwrap();
    }
}

#[tokio::test]
async fn state_in_the_same_store_is_written_with_the_end_of_the_facts() {
    const TOTAL: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("total");
    let folder = tempfile::tempdir().unwrap();
    let store = RedbInboxStore::open(folder.path().join("inbox.redb")).unwrap();
    let inbox = Inbox::new(store.clone());
    for id in ["e1", "e2", "e3"] {
        inbox.accept(event(id, "other", "", json!({}))).await.unwrap();
    }
    let facts = inbox.take(10).await.unwrap();
    let count = |facts: &[Fact], fails: bool| {
        let (store, facts) = (store.clone(), facts.to_vec());
        async move {
            let counted = store.done_with(facts, move |transaction, facts| {
                let mut table = transaction.open_table(TOTAL)?;
                let before = redb::ReadableTable::get(&table, "t")?.map_or(0, |total| total.value());
                let total = before + facts.len() as u64;
                table.insert("t", total)?;
                if fails { Err("the handler fails".into()) } else { Ok(total) }
            });
            counted.await
        }
    };
    let error = count(&facts, true).await.unwrap_err();
    assert_eq!(error.to_string(), "the inbox's store failed");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the handler fails");
    assert_eq!(inbox.take(10).await.unwrap().len(), 3, "rolled back, both");
    assert_eq!(count(&facts[..2], false).await.unwrap(), 2);
    assert_eq!(count(&facts, false).await.unwrap(), 3, "the first two are done already");
    assert_eq!(count(&facts, false).await.unwrap(), 3);

    // Newer counts have replaced what was taken: that alone is left out.
    inbox.accept(fill("q1", Some("q"), "2026-11-29T10:00:00Z", 1)).await.unwrap();
    inbox.accept(event("e4", "other", "", json!({}))).await.unwrap();
    let facts = inbox.take(10).await.unwrap();
    inbox.accept(fill("q2", Some("q"), "2026-11-29T10:00:01Z", 2)).await.unwrap();
    assert_eq!(count(&facts, false).await.unwrap(), 4);
    let rest = inbox.take(10).await.unwrap();
    assert_eq!(ids(&rest), ["q2"]);
    assert_eq!(count(&rest, false).await.unwrap(), 5);
    assert!(inbox.take(10).await.unwrap().is_empty());
}
