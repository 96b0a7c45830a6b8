//! A receiver in a process of its own that is killed while it works, against a sender that repeats what was not
//! acknowledged: events come twice, in any order, late, and some only by the history. The end must equal the truth,
//! and each effect must have been there once.
//!
//! The large run of the documentation, which prints its figures:
//!
//! ```text
//! CINTX_INBOX_EVENTS=1000000 CINTX_INBOX_KILLS=100 cargo test --release -p cintx --features inbox-redb \
//!     --test inbox killed -- --nocapture
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use cintx::webhook::inbox::{Fact, Inbox, RedbInboxStore};
use cintx::webhook::receive::{Event, EventData};
use futures_util::future::join_all;
use redb::{ReadableTable as _, TableDefinition, WriteTransaction};
use serde_json::json;

const FILE: &str = "CINTX_INBOX_FILE";
/// How many seconds the receiver waits for what is missing.
const PATIENCE: &str = "CINTX_INBOX_PATIENCE";
const DAY: u64 = 86_400;
const TEST: &str = "simulation::a_receiver_that_is_killed_does_everything_once";

/// Event id: how often it took effect.
const EFFECTS: TableDefinition<'_, &str, u64> = TableDefinition::new("effects");
/// Session: the numbers in the order in which they took effect.
const SESSIONS: TableDefinition<'_, &str, &str> = TableDefinition::new("sessions");
/// Marks a number that came after higher ones.
const LATE: &str = "~";
/// Quota: its completes.
const QUOTAS: TableDefinition<'_, &str, i64> = TableDefinition::new("quotas");

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The effects of facts.
fn apply(transaction: &WriteTransaction, facts: &[Fact]) -> Result<(), Failure> {
    let mut effects = transaction.open_table(EFFECTS)?;
    let mut sessions = transaction.open_table(SESSIONS)?;
    let mut quotas = transaction.open_table(QUOTAS)?;
    for fact in facts {
        let event = fact.event();
        let before = effects.get(event.id())?.map_or(0, |count| count.value());
        effects.insert(event.id(), before + 1)?;
        match event.data() {
            EventData::SessionUpdated(update) => {
                let id = &*update.response_session_id;
                let before = sessions.get(id)?.map(|list| list.value().to_owned()).unwrap_or_default();
                let late = if fact.is_late() { LATE } else { "" };
                sessions.insert(id, &*format!("{before}{late}{} ", update.sequence_number))?;
            }
            EventData::QuotaFillRegistered(fill) => {
                quotas.insert(fill.profile_quota_id.as_deref().unwrap_or(""), fill.completes.unwrap_or(-1))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The receiver: takes batches of events, acknowledges them, handles facts.
async fn receive(path: &Path) -> Result<(), Failure> {
    let store = RedbInboxStore::open(path)?;
    let patience = std::env::var(PATIENCE)?.parse()?;
    let inbox = Inbox::new(store.clone()).patience(Duration::from_secs(patience));
    let mut lines = std::io::stdin().lock().lines();
    let mut out = std::io::stdout().lock();
    while let Some(command) = lines.next().transpose()? {
        if let Some(count) = command.strip_prefix("batch ") {
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
            // Not always all of it, so that facts stay for the next start.
            for _ in 0..fastrand::u32(0..6) {
                handle(&store, &inbox, fastrand::usize(1..600)).await?;
            }
        } else if command == "gaps" {
            for gap in inbox.gaps().await? {
                writeln!(out, "\ngap {} {} {}", gap.session, gap.first, gap.last)?;
            }
        } else {
            while handle(&store, &inbox, 2_000).await? > 0 {}
            dump(&store, &mut out).await?;
        }
        writeln!(out, "\nend")?;
        out.flush()?;
    }
    Ok(())
}

async fn handle(store: &RedbInboxStore, inbox: &Inbox, limit: usize) -> Result<usize, Failure> {
    let facts = inbox.take(limit).await?;
    let count = facts.len();
    if count > 0 {
        store.done_with(facts, apply).await?;
    }
    Ok(count)
}

/// Writes out what took effect. Ends no facts, so it is a transaction like any other.
async fn dump(store: &RedbInboxStore, out: &mut impl std::io::Write) -> Result<(), Failure> {
    let lines = store.done_with(Vec::new(), |transaction, _| {
        let mut lines = Vec::new();
        for entry in transaction.open_table(EFFECTS)?.iter()? {
            let (id, count) = entry?;
            lines.push(format!("\neffect {} {}", id.value(), count.value()));
        }
        for entry in transaction.open_table(SESSIONS)?.iter()? {
            let (id, numbers) = entry?;
            lines.push(format!("\nsession {} {}", id.value(), numbers.value()));
        }
        for entry in transaction.open_table(QUOTAS)?.iter()? {
            let (id, completes) = entry?;
            lines.push(format!("\nquota {} {}", id.value(), completes.value()));
        }
        Ok(lines)
    });
    for line in lines.await? {
        writeln!(out, "{line}")?;
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
    /// The events that must have taken effect: all but those of quotas.
    once: BTreeSet<String>,
}

impl Truth {
    fn new(count: usize, rng: &mut fastrand::Rng) -> Self {
        let mut truth = Self {
            events: Vec::with_capacity(count),
            by_id: HashMap::new(),
            sessions: BTreeMap::new(),
            quotas: BTreeMap::new(),
            once: BTreeSet::new(),
        };
        for number in 0..count {
            let id = format!("e{number}");
            let (kind, data) = match rng.u32(0..100) {
                0..75 => {
                    // Some sessions are at an end, and new ones begin.
                    let session = format!("s{}", number / 40 * 10 + rng.usize(0..10));
                    let sequence = truth.sessions.entry(session.clone()).or_default();
                    *sequence += 1;
                    let data = json!({ "response_session_id": session, "sequence_number": sequence, "changes": [
                        { "object": "client_status_code_change", "new_value": rng.i64(1..90) }] });
                    ("session.updated", data)
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
            let time = jiff::Timestamp::from_microsecond(1_800_000_000_000_000 + number as i64).unwrap();
            let event = json!({ "id": id, "type": format!("com.cint.{kind}"), "time": time, "data": data });
            truth.events.push(event.to_string());
            if kind != "quota.fill.registered" {
                truth.once.insert(id.clone());
            }
            truth.by_id.insert(id, number);
        }
        truth
    }
}

/// Where the inbox of a receiver is, and how long it waits for what is missing.
struct Place {
    path: PathBuf,
    patience: u64,
}

/// The receiver's process.
struct Process {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(place: &Place) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([TEST, "--exact", "--nocapture"])
            .env(FILE, &place.path)
            .env(PATIENCE, place.patience.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = BufWriter::new(child.stdin.take().unwrap());
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    fn send(&mut self, events: &[usize], truth: &Truth) {
        writeln!(self.input, "batch {}", events.len()).unwrap();
        events.iter().for_each(|at| writeln!(self.input, "{}", truth.events[*at]).unwrap());
        self.input.flush().unwrap();
    }

    /// What it says until the end of a command, or of itself.
    fn heard(&mut self) -> Vec<String> {
        let lines = self.output.by_ref().lines().map(Result::unwrap);
        lines.take_while(|line| line != "end").filter(|line| !line.is_empty()).collect()
    }

    fn ask(&mut self, command: &str) -> Vec<String> {
        writeln!(self.input, "{command}").unwrap();
        self.input.flush().unwrap();
        self.heard()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The indices of the events that were acknowledged.
fn acknowledged<'a>(lines: &'a [String], truth: &'a Truth) -> impl Iterator<Item = usize> + 'a {
    lines.iter().filter_map(|line| line.strip_prefix("ack ")).map(|id| truth.by_id[id])
}

/// Sends everything but what has expired, and repeats what was not acknowledged. Answers how many deliveries it took.
fn deliver(place: &Place, truth: &Truth, expired: &BTreeSet<usize>, kills: usize, rng: &mut fastrand::Rng) -> usize {
    let count = truth.events.len();
    let batch = (count / (kills.max(1) * 8)).clamp(10, 1_000);
    let mut open: Vec<usize> = (0..count).rev().filter(|at| !expired.contains(at)).collect();
    let (mut process, mut killed, mut deliveries) = (Process::start(place), 0, 0);
    let mut handled = vec![false; count];
    let mut round = 0;
    while !open.is_empty() {
        round += 1;
        let mut events = Vec::new();
        let mut later = Vec::new();
        for at in open.split_off(open.len().saturating_sub(batch)) {
            match rng.u32(0..10) {
                // Lost on the way, so it comes later.
                0..2 => later.push(at),
                2..4 => events.extend([at, at]),
                _ => events.push(at),
            }
        }
        rng.shuffle(&mut events);
        deliveries += events.len();
        process.send(&events, truth);
        let is_killed = killed < kills && round % 6 == 0;
        if is_killed {
            std::thread::sleep(Duration::from_micros(rng.u64(0..30_000)));
            process.kill();
            killed += 1;
        }
        let lines = process.heard();
        acknowledged(&lines, truth).for_each(|at| handled[at] = true);
        if is_killed {
            process = Process::start(place);
        } else {
            assert!(events.iter().all(|at| handled[*at]), "not all was acknowledged: {lines:?}");
        }
        events.sort_unstable();
        events.dedup();
        later.extend(events.into_iter().filter(|at| !handled[*at]));
        // Among those that are next, in any order.
        let reach = open.len().min(3 * batch);
        for at in later {
            let place = open.len() - rng.usize(0..=reach.min(open.len()));
            open.insert(place, at);
        }
    }
    assert_eq!(killed, kills, "more events are needed for as many kills");
    process.kill();
    deliveries
}

/// Fills the gaps from the history: only what has expired may be missing.
fn fill_gaps(process: &mut Process, truth: &Truth, expired: &BTreeSet<usize>) -> usize {
    let mut by_number = HashMap::new();
    for at in expired {
        let event: serde_json::Value = serde_json::from_str(&truth.events[*at]).unwrap();
        if let Some(session) = event["data"]["response_session_id"].as_str() {
            by_number.insert((session.to_owned(), event["data"]["sequence_number"].as_i64().unwrap()), *at);
        }
    }
    let mut filled = 0;
    loop {
        let lines = process.ask("gaps");
        let mut missing = Vec::new();
        for gap in lines.iter().filter_map(|line| line.strip_prefix("gap ")) {
            let parts: Vec<&str> = gap.split(' ').collect();
            let (first, last): (i64, i64) = (parts[1].parse().unwrap(), parts[2].parse().unwrap());
            missing.extend((first..=last).map(|number| by_number[&(parts[0].to_owned(), number)]));
        }
        if missing.is_empty() {
            return filled;
        }
        filled += missing.len();
        process.send(&missing, truth);
        process.heard();
    }
}

#[test]
fn a_receiver_that_is_killed_does_everything_once() {
    if let Some(path) = std::env::var_os(FILE) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(receive(Path::new(&path))).unwrap();
    }
    simulate(DAY);
}

/// Without patience much is handed on early, and what comes after that is late, and no less once.
#[test]
fn a_receiver_without_patience_does_everything_once() {
    simulate(0);
}

fn simulate(patience: u64) {
    let number = |name: &str, default: usize| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (count, kills) = (number("CINTX_INBOX_EVENTS", 1_500), number("CINTX_INBOX_KILLS", 4));
    let mut rng = fastrand::Rng::with_seed(7);
    let truth = Truth::new(count, &mut rng);
    let expired: BTreeSet<usize> = (0..count).filter(|_| rng.u32(0..100) == 0).collect();
    let folder = tempfile::tempdir().unwrap();
    let place = Place { path: folder.path().join("inbox.redb"), patience };
    let began = Instant::now();
    let deliveries = deliver(&place, &truth, &expired, kills, &mut rng);
    let took = began.elapsed();

    let mut process = Process::start(&place);
    let filled = fill_gaps(&mut process, &truth, &expired);
    assert!(filled > 0, "something must have been missing");
    // What came last of all leaves no gap: the history since then has it.
    let rest: Vec<usize> = expired.iter().copied().collect();
    process.send(&rest, &truth);
    process.heard();
    let lines = process.ask("dump");
    drop(process.input);
    assert!(process.child.wait().unwrap().success());

    let (mut once, mut quotas, mut sessions, mut late) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new(), 0);
    for line in &lines {
        let parts: Vec<&str> = line.split_whitespace().collect();
        match parts[0] {
            "effect" => {
                assert_eq!(parts[2], "1", "{} took effect more than once", parts[1]);
                once.insert(parts[1].to_owned());
            }
            "quota" => drop(quotas.insert(parts[1].to_owned(), parts[2].parse::<i64>().unwrap())),
            "session" => {
                let number = |part: &&str| part.trim_start_matches(LATE).parse().unwrap();
                let mut numbers: Vec<i64> = parts[2..].iter().map(number).collect();
                let in_time: Vec<i64> = parts[2..].iter().filter(|part| !part.starts_with(LATE)).map(number).collect();
                assert!(in_time.is_sorted(), "{}: {parts:?}", parts[1]);
                late += numbers.len() - in_time.len();
                numbers.sort_unstable();
                assert!(numbers.iter().copied().eq(1..=numbers.len() as i64), "{}: {parts:?}", parts[1]);
                sessions.insert(parts[1].to_owned(), numbers.len() as i64);
            }
            _ => {}
        }
    }
    assert!(truth.once.is_subset(&once), "something has had no effect");
    assert_eq!(late > 0, patience == 0, "{late} late with a patience of {patience} s");
    assert_eq!((sessions, quotas), (truth.sessions, truth.quotas));
    let rate = deliveries as f64 / took.as_secs_f64();
    let size = std::fs::metadata(&place.path).unwrap().len() / (1 << 20);
    println!(
        "{count} events, {deliveries} deliveries, {kills} kills in {took:.1?}: {rate:.0} a second; {} expired, {filled} \
         found as gaps; the file has {size} MiB",
        expired.len()
    );
}
