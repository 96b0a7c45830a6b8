//! A journal that processes share: each settles its own and what the dead have left, and nothing is settled by two.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cintx::client::{Credentials, RetryPolicy, Timeouts};
use cintx::error::Outcome;
use cintx::recovery::{Intent, Journal as _, Resolution};
use cintx::{Client, V2025_12_18};
use cintx_postgres::Database;
use cintx_sandbox::Sandbox;
use serde_json::json;

use crate::support::{database, number, open, part, play, start};

const PROCESSES: usize = 4;

fn intent(id: &str, method: &str, target: &str, body: &str) -> Intent {
    let body = json!({ "content_type": "application/json", "sha256": "", "text": body });
    serde_json::from_value(json!({
        "id": id, "version": "2025-12-18", "operation": "o", "at": "2026-11-29T10:00:00Z", "method": method,
        "target": target, "body": body
    }))
    .unwrap()
}

fn ids(intents: &[Intent]) -> Vec<&str> {
    intents.iter().map(Intent::id).collect()
}

fn set<'a>(ids: impl IntoIterator<Item = &'a str>) -> Option<BTreeSet<String>> {
    Some(ids.into_iter().map(str::to_owned).collect())
}

#[tokio::test]
async fn intents_are_kept_in_order_struck_out_and_marked_by_later_ones() {
    let Some((database, _)) = database().await else { return };
    let (journal, other) = (database.journal("a").unwrap(), database.journal("other account").unwrap());
    // Text that a respondent's answer may hold, and PostgreSQL's own text may not.
    let odd = intent("1", "PUT", "/groups/1", "{\"name\":\"a\\u0000b\u{0} \u{1f600}\"}");
    journal.begin(&odd).await.unwrap();
    for (id, method, target) in [("2", "POST", "/groups"), ("3", "PUT", "/groups/1"), ("4", "POST", "/groups")] {
        journal.begin(&intent(id, method, target, "{}")).await.unwrap();
    }
    other.begin(&intent("5", "PUT", "/groups/1", "{}")).await.unwrap();
    let listed = journal.open_intents().await.unwrap();
    assert_eq!((ids(&listed), &listed[0]), (vec!["1", "2", "3", "4"], &odd));
    journal.end("4", Outcome::Applied).await.unwrap();
    journal.end("3", Outcome::Applied).await.unwrap();
    journal.end("3", Outcome::Applied).await.unwrap();
    let listed = journal.open_intents().await.unwrap();
    let marks: Vec<_> = listed.iter().map(|intent| (intent.id(), intent.superseded_by())).collect();
    assert_eq!(marks, [("1", Some("3")), ("2", None)]);
    assert_eq!(other.open_intents().await.unwrap()[0].superseded_by(), None, "another account's");
}

#[tokio::test]
async fn what_a_dead_process_has_left_is_taken_over_by_one() {
    let Some((database, url)) = database().await else { return };
    let [dead, one, other] = [(); 3].map(|()| database.journal("a").unwrap());
    let stranger = open(&url).journal("b").unwrap();
    for number in 0..20 {
        dead.begin(&intent(&format!("d{number:02}"), "POST", "/x", "{}")).await.unwrap();
    }
    one.begin(&intent("one", "POST", "/x", "{}")).await.unwrap();
    assert_eq!(one.take_over().await.unwrap(), set(["one"]), "the other one lives");
    assert_eq!(other.take_over().await.unwrap(), set([]));
    assert_eq!(other.open_intents().await.unwrap().len(), 21, "all see what is open");
    drop(dead);
    // Its session ends a moment later.
    let deadline = Instant::now() + Duration::from_secs(10);
    let taken = loop {
        assert!(Instant::now() < deadline, "nobody takes over");
        assert_eq!(stranger.take_over().await.unwrap(), set([]), "of another account");
        let (a, b) = tokio::join!(one.take_over(), other.take_over());
        let (mut a, b) = (a.unwrap().unwrap(), b.unwrap().unwrap());
        assert!(a.remove("one") && a.is_disjoint(&b));
        if !a.is_empty() || !b.is_empty() {
            break a.len() + b.len();
        }
    };
    assert_eq!(taken, 20);
}

#[tokio::test]
async fn a_lost_session_is_opened_again_with_its_intents_unless_they_were_taken_over() {
    let Some((database, _)) = database().await else { return };
    let [journal, other] = [(); 2].map(|()| database.journal("a").unwrap());
    let end_sessions = async || {
        let client = database.pool().get().await.unwrap();
        let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        client.execute(end, &[]).await.unwrap();
    };
    journal.begin(&intent("1", "POST", "/x", "{}")).await.unwrap();
    end_sessions().await;
    // The first write may still go to the session that is gone: then nothing is sent.
    if journal.begin(&intent("2", "POST", "/x", "{}")).await.is_err() {
        journal.begin(&intent("2", "POST", "/x", "{}")).await.unwrap();
    }
    assert_eq!(journal.take_over().await.unwrap(), set(["1", "2"]));
    end_sessions().await;
    let taken = match other.take_over().await {
        Ok(taken) => taken,
        Err(_) => other.take_over().await.unwrap(),
    };
    assert_eq!(taken, set(["1", "2"]));
    if journal.begin(&intent("3", "POST", "/x", "{}")).await.is_err() {
        journal.begin(&intent("3", "POST", "/x", "{}")).await.unwrap();
    }
    assert_eq!(journal.take_over().await.unwrap(), set(["3"]));
}

const PART: &str = "journal::killed_processes_do_nothing_twice_and_lose_nothing";

/// Settles what is left, and creates projects until it is killed.
async fn write(url: &str, argument: &str) {
    let told: Vec<&str> = argument.split(' ').collect();
    let [api_url, token_url, id, secret, account, manager, run] = told[..] else { panic!("{argument}") };
    let client = client(&open(url), api_url, Credentials::new(id, secret).endpoint(token_url), account);
    for one in client.recover().await.unwrap() {
        assert!(matches!(one.resolution, Resolution::Applied { .. } | Resolution::Unknown { .. }), "{one:?}");
    }
    say("ready");
    for number in 0.. {
        client.projects().create(format!("run-{run}-{number}"), manager.parse().unwrap()).await.unwrap();
        say("made");
    }
}

fn client(database: &Database, api_url: &str, credentials: Credentials, account: &str) -> Client<V2025_12_18> {
    Client::<V2025_12_18>::builder()
        .credentials(credentials)
        .token_store(database.token_store())
        .account(account.parse().unwrap())
        .api_url(api_url)
        .retry(RetryPolicy::none())
        .timeouts(Timeouts::standard().processing(Duration::ZERO))
        .journal(database.journal("account").unwrap())
        .build()
        .unwrap()
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}").unwrap();
    out.flush().unwrap();
}

/// Runs a process until it is killed, a while after it has made so many projects; `None`: while it settles what is left.
fn live_and_die(mut child: Child, made: Option<usize>, wait: Duration) {
    // Open until it is dead, so that nothing but the kill ends it.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said =
        lines.by_ref().filter(|line| line == "ready" || line == "made").take(made.map_or(0, |made| made + 1)).count();
    assert_eq!(said, made.map_or(0, |made| made + 1), "it ended by itself");
    std::thread::sleep(wait);
    // SIGKILL: no farewell.
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_processes_do_nothing_twice_and_lose_nothing() {
    if let Some((url, argument)) = part() {
        return std::thread::spawn(move || play(write(&url, &argument))).join().unwrap();
    }
    let Some((database, url)) = database().await else { return };
    let kills = number("CINTX_FLEET_KILLS", 16);
    // Witnesses: what was begun, and what was struck out.
    let witness = "CREATE TABLE witness (id text, what text, name text);
        CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO witness SELECT it.id, TG_OP, (it.intent #>> '{body,text}')::json ->> 'name'
                FROM (SELECT (CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END).*) AS it;
            RETURN NULL;
        END $$;
        CREATE TRIGGER witness AFTER INSERT OR DELETE ON cintx.intent FOR EACH ROW EXECUTE FUNCTION witness();";
    let sql = database.pool().get().await.unwrap();
    sql.batch_execute(witness).await.unwrap();
    let sandbox = Sandbox::builder().job_delay(Duration::ZERO).start().await.unwrap();
    let (api_url, token_url, account) = (sandbox.api_url(), sandbox.token_url(), sandbox.account_id().to_string());
    let (id, secret, manager) = (sandbox.client_id(), sandbox.client_secret(), sandbox.project_manager_id());
    let told = [&*api_url, &token_url, &id, &secret, &account, &manager].join(" ");
    let (left, expected) = (Arc::new(AtomicUsize::new(kills)), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let lanes: Vec<_> = (0..PROCESSES)
        .map(|lane| {
            let (left, expected, told, url) = (Arc::clone(&left), Arc::clone(&expected), told.clone(), url.clone());
            tokio::task::spawn_blocking(move || {
                let mut dice = fastrand::Rng::with_seed(lane as u64);
                let one_less = |left: usize| left.checked_sub(1);
                while let Ok(run) = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) {
                    let child = start(PART, &url, &format!("{told} {run}"));
                    let made = (dice.u8(0..5) > 0).then(|| dice.usize(0..5));
                    expected.fetch_add(made.unwrap_or(0), Ordering::SeqCst);
                    live_and_die(child, made, Duration::from_micros(dice.u64(0..40_000)));
                }
            })
        })
        .collect();
    for lane in lanes {
        lane.await.unwrap();
    }
    // One of the living settles what is left.
    let last = client(&database, &api_url, Credentials::new(id, secret).endpoint(token_url), &account);
    let mut recovered = 0;
    while !database.journal("account").unwrap().open_intents().await.unwrap().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(300), "something stays open");
        recovered += last.recover().await.unwrap().len();
    }
    let mut counts: BTreeMap<(String, String), i64> = BTreeMap::new();
    for row in sql.query("SELECT what, name, count(*) FROM witness GROUP BY what, name", &[]).await.unwrap() {
        counts.insert((row.get(0), row.get(1)), row.get(2));
    }
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "written down or struck out more than once: {twice:?}");
    let names = |what: &str| -> BTreeSet<&str> {
        counts.keys().filter(|(done, _)| done == what).map(|(_, name)| &**name).collect()
    };
    let listed = last.projects().list().page_size(100).stream().collect().await.unwrap();
    let made: Vec<&str> =
        listed.iter().filter_map(|project| project.name.as_deref()).filter(|name| name.starts_with("run-")).collect();
    let unique: BTreeSet<&str> = made.iter().copied().collect();
    assert_eq!(made.len(), unique.len(), "made twice");
    assert_eq!(names("INSERT"), names("DELETE"), "something was begun and never settled");
    assert_eq!(names("INSERT"), unique, "what was begun is what was made");
    println!(
        "{kills} kills of {PROCESSES} processes in {:.1?}: {} projects, {recovered} settled at the end",
        began.elapsed(),
        unique.len()
    );
    let expected = expected.load(Ordering::SeqCst);
    assert!(expected > 0 && unique.len() >= expected, "{} of {expected} that were told", unique.len());
    sandbox.stop().await;
}
