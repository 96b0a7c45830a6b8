//! Four receivers that are killed while they take and handle events, against a sender that repeats what was not
//! acknowledged: events come twice, in any order, late, and some only by the history. The end must equal the truth,
//! and each effect must have been there once.
//!
//! The large run of the documentation, which prints its figures:
//!
//! ```text
//! CINTX_FLEET_EVENTS=1000000 CINTX_FLEET_KILLS=100 CINTX_FSYNC=on \
//!     cargo test -p cintx-postgres --test fleet receivers -- --nocapture
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cintx::webhook::inbox::Inbox;
use cintx::webhook::receive::{Event, EventData};
use cintx_postgres::{Batch, Database, PostgresInboxStore};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{database, number, open, part, play, start};

const PART: &str = "receivers::four_receivers_that_are_killed_do_everything_once";
const RECEIVERS: usize = 4;
const DAY: Duration = Duration::from_secs(86_400);
/// The state that events change, none of it safe to change twice.
const STATE: &str = "CREATE TABLE effect (id text PRIMARY KEY, times bigint NOT NULL);
    CREATE TABLE session (name text PRIMARY KEY, handled bigint NOT NULL, last bigint NOT NULL, in_order boolean NOT NULL);
    CREATE TABLE quota (name text PRIMARY KEY, completes bigint NOT NULL, in_order boolean NOT NULL)";

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Of a session in a batch: its first and last number, how many there are, and whether they follow each other.
type Part = (i64, i64, i64, bool);

/// The effects of a batch.
async fn apply(batch: &Batch) -> Result<(), Failure> {
    let mut ids = Vec::new();
    let mut sessions: BTreeMap<&str, Part> = BTreeMap::new();
    let mut quotas: BTreeMap<&str, i64> = BTreeMap::new();
    for fact in batch.facts() {
        ids.push(fact.event().id());
        match fact.event().data() {
            EventData::SessionUpdated(update) => {
                let number = update.sequence_number;
                let part = sessions.entry(&update.response_session_id).or_insert((number, number - 1, 0, true));
                *part = (part.0, number, part.2 + 1, part.3 && number == part.1 + 1);
            }
            EventData::QuotaFillRegistered(fill) => {
                quotas.insert(fill.profile_quota_id.as_deref().unwrap(), fill.completes.unwrap());
            }
            _ => {}
        }
    }
    let effects = "INSERT INTO effect SELECT id, 1 FROM unnest($1::text[]) AS new (id)
        ON CONFLICT (id) DO UPDATE SET times = effect.times + 1";
    batch.client().execute(effects, &[&ids]).await?;
    let (names, parts): (Vec<&str>, Vec<Part>) = sessions.into_iter().unzip();
    let (first, last): (Vec<i64>, Vec<i64>) = parts.iter().map(|part| (part.0, part.1)).unzip();
    let (count, ordered): (Vec<i64>, Vec<bool>) = parts.iter().map(|part| (part.2, part.3)).unzip();
    // In order if the first number follows the last one of before; of a new session, if it is 1.
    let sessions = "INSERT INTO session SELECT name, count, last, ordered AND first = coalesce(
            (SELECT kept.last FROM session AS kept WHERE kept.name = new.name), 0) + 1
        FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[])
            AS new (name, first, last, count, ordered)
        ON CONFLICT (name) DO UPDATE SET handled = session.handled + EXCLUDED.handled, last = EXCLUDED.last,
            in_order = session.in_order AND EXCLUDED.in_order";
    batch.client().execute(sessions, &[&names, &first, &last, &count, &ordered]).await?;
    let (names, completes): (Vec<&str>, Vec<i64>) = quotas.into_iter().unzip();
    let quotas = "INSERT INTO quota SELECT name, completes, true FROM unnest($1::text[], $2::bigint[])
            AS new (name, completes)
        ON CONFLICT (name) DO UPDATE SET completes = EXCLUDED.completes,
            in_order = quota.in_order AND quota.completes < EXCLUDED.completes";
    batch.client().execute(quotas, &[&names, &completes]).await?;
    Ok(())
}

async fn handle(store: &PostgresInboxStore, limit: usize) -> Result<usize, Failure> {
    let Some(batch) = store.claim(limit).await? else { return Ok(0) };
    apply(&batch).await?;
    let count = batch.facts().len();
    batch.commit().await?;
    Ok(count)
}

/// The receiver: takes batches of events, acknowledges them, handles facts.
async fn receive(url: &str) -> Result<(), Failure> {
    let store = open(url).inbox().patience(DAY);
    let inbox = Inbox::new(store.clone());
    let mut lines = std::io::stdin().lock().lines();
    let mut out = std::io::stdout().lock();
    while let Some(command) = lines.next().transpose()? {
        let count = command.strip_prefix("batch ").ok_or("no batch")?;
        let events: Vec<String> = lines.by_ref().take(count.parse()?).collect::<Result<_, _>>()?;
        let accepts = events.iter().map(|body| {
            let event = Event::parse(body.as_bytes());
            let inbox = &inbox;
            async move {
                let event = event?;
                let id = event.id().to_owned();
                inbox.accept(event).await?;
                Ok::<_, Failure>(id)
            }
        });
        for id in join_all(accepts).await {
            writeln!(out, "\nack {}", id?)?;
        }
        out.flush()?;
        // Not always all of it, so that facts stay for others.
        for _ in 0..fastrand::u32(0..6) {
            handle(&store, fastrand::usize(1..1_000)).await?;
        }
        writeln!(out, "\nend")?;
        out.flush()?;
    }
    Ok(())
}

/// The truth: everything that happened, in the order in which it did.
struct Truth {
    events: Vec<String>,
    by_id: HashMap<String, usize>,
    /// Session: how many events it has.
    sessions: BTreeMap<String, i64>,
    /// Quota: its completes in the end.
    quotas: BTreeMap<String, i64>,
    /// How many events must have taken effect: all but those of quotas.
    once: i64,
}

impl Truth {
    fn new(count: usize, rng: &mut fastrand::Rng) -> Self {
        let mut truth = Self {
            events: Vec::with_capacity(count),
            by_id: HashMap::new(),
            sessions: BTreeMap::new(),
            quotas: BTreeMap::new(),
            once: 0,
        };
        for number in 0..count {
            let id = format!("e{number}");
            let (kind, data) = match rng.u32(0..100) {
                0..75 => {
                    // Some sessions are at an end, and new ones begin.
                    let session = format!("s{}", number / 40 * 10 + rng.usize(0..10));
                    let sequence = truth.sessions.entry(session.clone()).or_default();
                    *sequence += 1;
                    ("session.updated", json!({ "response_session_id": session, "sequence_number": sequence }))
                }
                75..95 => {
                    let quota = format!("q{}", rng.u32(0..20));
                    let completes = truth.quotas.entry(quota.clone()).or_default();
                    *completes += 1;
                    let data = json!({ "target_group_id": "g", "profile_quota_id": quota, "completes": completes,
                        "screens": *completes * 2 });
                    ("quota.fill.registered", data)
                }
                _ => ("target-group.updated", json!({ "target_group_id": "g", "changes": [] })),
            };
            truth.once += i64::from(kind != "quota.fill.registered");
            let time = jiff::Timestamp::from_microsecond(1_800_000_000_000_000 + number as i64).unwrap();
            let event = json!({ "id": id, "type": format!("com.cint.{kind}"), "time": time, "data": data });
            truth.events.push(event.to_string());
            truth.by_id.insert(id, number);
        }
        truth
    }
}

/// A receiver's process.
struct Process {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(url: &str) -> Self {
        let mut child = start(PART, url, "receive");
        let input = BufWriter::new(child.stdin.take().unwrap());
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    fn send(&mut self, events: &[usize], truth: &Truth) {
        writeln!(self.input, "batch {}", events.len()).unwrap();
        events.iter().for_each(|at| writeln!(self.input, "{}", truth.events[*at]).unwrap());
        self.input.flush().unwrap();
    }

    /// The events that were acknowledged until the end of a command, or of the process.
    fn heard(&mut self, truth: &Truth) -> BTreeSet<usize> {
        let lines = self.output.by_ref().lines().map(Result::unwrap).take_while(|line| line != "end");
        lines.filter_map(|line| line.strip_prefix("ack ").map(|id| truth.by_id[id])).collect()
    }

    /// SIGKILL: no farewell.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What is still to be delivered, by whichever receiver.
struct Sender {
    open: Vec<usize>,
    /// Sent, and not acknowledged yet.
    under_way: usize,
    kills: usize,
    deliveries: usize,
    batch: usize,
    rng: fastrand::Rng,
}

impl Sender {
    /// The next deliveries: some are lost on the way and come later, some come twice, all in any order. `None` when there
    /// is nothing left now.
    fn next(&mut self) -> Option<Vec<usize>> {
        if self.open.is_empty() {
            return None;
        }
        let (mut events, mut lost) = (Vec::new(), Vec::new());
        for at in self.open.split_off(self.open.len().saturating_sub(self.batch)) {
            match self.rng.u32(0..10) {
                0..2 => lost.push(at),
                2 => events.extend([at, at]),
                // Again, perhaps to another receiver.
                3 => {
                    events.push(at);
                    lost.push(at);
                }
                _ => events.push(at),
            }
        }
        self.rng.shuffle(&mut events);
        self.deliveries += events.len();
        self.later(lost);
        self.under_way += 1;
        Some(events)
    }

    /// Puts events among those that are next, in any order.
    fn later(&mut self, events: Vec<usize>) {
        for at in events {
            let reach = self.open.len().min(3 * self.batch);
            let place = self.open.len() - self.rng.usize(0..=reach);
            self.open.insert(place, at);
        }
    }
}

/// Delivers to one receiver after the other that is killed.
fn deliver(url: &str, truth: &Truth, sender: &Mutex<Sender>) {
    let mut process = Process::start(url);
    let mut round = 0;
    loop {
        let (next, is_done) = {
            let mut sender = sender.lock().unwrap();
            (sender.next(), sender.under_way == 0)
        };
        let Some(mut events) = next else {
            if is_done {
                break;
            }
            // What another receiver does not acknowledge comes back.
            std::thread::sleep(Duration::from_millis(5));
            continue;
        };
        round += 1;
        process.send(&events, truth);
        let wait = {
            let mut sender = sender.lock().unwrap();
            let is_killed = round % 3 == 0 && sender.kills > 0;
            sender.kills -= usize::from(is_killed);
            is_killed.then(|| Duration::from_micros(sender.rng.u64(0..30_000)))
        };
        if let Some(wait) = wait {
            std::thread::sleep(wait);
            process.kill();
        }
        let acknowledged = process.heard(truth);
        events.sort_unstable();
        events.dedup();
        events.retain(|at| !acknowledged.contains(at));
        if wait.is_some() {
            process = Process::start(url);
        } else {
            assert!(events.is_empty(), "not all was acknowledged: {events:?}");
        }
        let mut sender = sender.lock().unwrap();
        sender.later(events);
        sender.under_way -= 1;
    }
    process.kill();
}

/// Fills the gaps from the history: only what has expired may be missing.
async fn fill_gaps(inbox: &Inbox, truth: &Truth, expired: &BTreeSet<usize>) -> usize {
    let mut by_number = HashMap::new();
    for at in expired {
        let event: serde_json::Value = serde_json::from_str(&truth.events[*at]).unwrap();
        if let Some(session) = event["data"]["response_session_id"].as_str() {
            by_number.insert((session.to_owned(), event["data"]["sequence_number"].as_i64().unwrap()), *at);
        }
    }
    let mut filled = 0;
    loop {
        let gaps = inbox.gaps().await.unwrap();
        let numbers = gaps.iter().flat_map(|gap| (gap.first..=gap.last).map(|number| (gap.session.clone(), number)));
        let missing: Vec<usize> = numbers.map(|number| by_number[&number]).collect();
        if missing.is_empty() {
            return filled;
        }
        filled += missing.len();
        accept(inbox, truth, missing).await;
    }
}

async fn accept(inbox: &Inbox, truth: &Truth, events: impl IntoIterator<Item = usize>) {
    let accepts = events.into_iter().map(|at| inbox.accept(Event::parse(truth.events[at].as_bytes()).unwrap()));
    let accepted = join_all(accepts).await;
    assert!(accepted.iter().all(Result::is_ok), "{accepted:?}");
}

/// Holds what took effect against the truth.
async fn compare(database: &Database, truth: &Truth) {
    let sql = database.pool().get().await.unwrap();
    let row = sql.query_one("SELECT coalesce(max(times), 0) FROM effect", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1, "something took effect more than once");
    let mut once = 0;
    for row in sql.query("SELECT id FROM effect", &[]).await.unwrap() {
        let event = &truth.events[truth.by_id[row.get::<_, &str>(0)]];
        once += i64::from(!event.contains("quota.fill.registered"));
    }
    assert_eq!(once, truth.once, "something has had no effect");
    let mut sessions = BTreeMap::new();
    for row in sql.query("SELECT name, handled, last, in_order FROM session", &[]).await.unwrap() {
        let (name, handled, last): (String, i64, i64) = (row.get(0), row.get(1), row.get(2));
        assert!(row.get::<_, bool>(3) && handled == last, "{name}: {handled} up to {last}, out of order");
        sessions.insert(name, handled);
    }
    assert_eq!(sessions, truth.sessions);
    let mut quotas = BTreeMap::new();
    for row in sql.query("SELECT name, completes, in_order FROM quota", &[]).await.unwrap() {
        assert!(row.get::<_, bool>(2), "older counts after newer ones");
        quotas.insert(row.get(0), row.get(1));
    }
    assert_eq!(quotas, truth.quotas);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_receivers_that_are_killed_do_everything_once() {
    if let Some((url, _)) = part() {
        return std::thread::spawn(move || play(receive(&url)).unwrap()).join().unwrap();
    }
    let Some((database, url)) = database().await else { return };
    database.pool().get().await.unwrap().batch_execute(STATE).await.unwrap();
    let (count, kills) = (number("CINTX_FLEET_EVENTS", 2_000), number("CINTX_FLEET_KILLS", 8));
    let mut rng = fastrand::Rng::with_seed(7);
    let truth = Arc::new(Truth::new(count, &mut rng));
    let expired: BTreeSet<usize> = (0..count).filter(|_| rng.u32(0..100) == 0).collect();
    let open: Vec<usize> = (0..count).rev().filter(|at| !expired.contains(at)).collect();
    let batch = (count / (kills.max(1) * 6)).clamp(10, 1_000);
    let sender = Arc::new(Mutex::new(Sender { open, under_way: 0, kills, deliveries: 0, batch, rng }));
    let began = Instant::now();
    let lanes: Vec<_> = (0..RECEIVERS)
        .map(|_| {
            let (url, truth, sender) = (url.clone(), Arc::clone(&truth), Arc::clone(&sender));
            tokio::task::spawn_blocking(move || deliver(&url, &truth, &sender))
        })
        .collect();
    for lane in lanes {
        lane.await.unwrap();
    }
    let took = began.elapsed();

    let store = database.inbox().patience(DAY);
    let inbox = Inbox::new(store.clone());
    let filled = fill_gaps(&inbox, &truth, &expired).await;
    assert!(filled > 0, "something must have been missing");
    // What came last of all leaves no gap: the history since then has it.
    accept(&inbox, &truth, expired.iter().copied()).await;
    while handle(&store, 2_000).await.unwrap() > 0 {}
    compare(&database, &truth).await;
    let sender = sender.lock().unwrap();
    assert_eq!(sender.kills, 0, "more events are needed for as many kills");
    println!(
        "{count} events, {} deliveries, {RECEIVERS} receivers, {kills} kills in {took:.1?}: {:.0} a second; {} expired, \
         {filled} found as gaps",
        sender.deliveries,
        sender.deliveries as f64 / took.as_secs_f64(),
        expired.len()
    );
}
