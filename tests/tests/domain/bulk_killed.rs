//! Reconciliation in bulk by a process that is killed: between two parts, before a part has arrived, and after it has
//! arrived and before its answer has. Each part is submitted once, with the state that was kept and without it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cintx::client::Credentials;
use cintx::reconciliation::bulk::{BulkState, Corrections};
use cintx::{Client, V2025_12_18};
use cintx_sandbox::{Fault, Sandbox};

const TEST: &str = "bulk_killed::each_part_is_submitted_once_whenever_the_process_is_killed";
/// In the environment of the process that submits: what it needs to know, one in a line.
const PART: &str = "CINTX_BULK_PART";
const ROWS: usize = 45_000;
const PART_ROWS: usize = 5_000;
/// Longer than a process lives.
const PAUSE: Duration = Duration::from_secs(60);
const PARTS: usize = ROWS / PART_ROWS;

/// The process: submits, keeps its state in a file if it is given one, and says how far it is.
async fn submit(told: &str) {
    let [api, tokens, id, secret, account, file, state] = told.lines().collect::<Vec<_>>()[..] else {
        panic!("{told}")
    };
    let cint = Client::<V2025_12_18>::builder()
        .credentials(Credentials::new(id, secret).endpoint(tokens))
        .account(account.parse().unwrap())
        .api_url(api)
        .build()
        .unwrap();
    let corrections = Corrections::from_csv(std::fs::File::open(file).unwrap()).unwrap();
    let mut submission = cint.reconciliations().submit_in_parts("wave-7", &corrections).part_rows(PART_ROWS);
    if let Ok(kept) = std::fs::read(state) {
        submission = submission.resume(serde_json::from_slice::<BulkState>(&kept).unwrap());
    }
    let done = submission.run(|progress| {
        if state != "none" {
            // As a whole or not at all: the kill may come while it is written.
            std::fs::write(format!("{state}.new"), serde_json::to_vec(progress).unwrap()).unwrap();
            std::fs::rename(format!("{state}.new"), state).unwrap();
        }
        say(&format!("sent {}", progress.submitted_rows()));
    });
    say(&format!("finished {}", done.await.unwrap().finished_rows()));
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}").unwrap();
    out.flush().unwrap();
}

fn start(sandbox: &Sandbox, file: &Path, state: Option<&Path>) -> Child {
    let told = [
        sandbox.api_url(),
        sandbox.token_url(),
        sandbox.client_id(),
        sandbox.client_secret(),
        sandbox.account_id().to_string(),
        file.display().to_string(),
        state.map_or_else(|| "none".to_owned(), |state| state.display().to_string()),
    ];
    Command::new(std::env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture"])
        .env(PART, told.join("\n"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The parts that have arrived, by the names of their files, and how often.
fn arrived(sandbox: &Sandbox) -> BTreeMap<String, usize> {
    let requests = sandbox.requests().into_iter();
    let mut parts = BTreeMap::new();
    for request in requests.filter(|it| it.operation.as_deref() == Some("post_reconciliations")) {
        *parts.entry(request.query.unwrap()).or_default() += 1;
    }
    parts
}

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// When it has said that one more part is submitted.
    BetweenParts,
    /// While a part is on its way.
    BeforeArrival,
    /// When a part has arrived, and its answer is on its way.
    AfterArrival,
}

/// Runs a process until that moment, with the state in a file or without it.
fn run_until(sandbox: &Sandbox, moment: Moment, file: &Path, state: Option<&Path>) {
    // The second part that the process sends is the one that is slow.
    let slow = Fault::on("post_reconciliations").times(1).after(1);
    let fault = match moment {
        Moment::BetweenParts => None,
        Moment::BeforeArrival => Some(sandbox.inject(slow.delay_before_applying(PAUSE))),
        Moment::AfterArrival => Some(sandbox.inject(slow.delay(PAUSE))),
    };
    let mut child = start(sandbox, file, state);
    // Open until the end: the process would stumble over a pipe that nobody reads.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said = lines.by_ref().filter(|line| line.starts_with("sent ")).take(2).count();
    assert_eq!(said, 2, "{moment:?}: the process ended before it had sent a part");
    if let Some(fault) = fault {
        let deadline = Instant::now() + PAUSE;
        while sandbox.fault_hits(fault) == 0 {
            assert!(Instant::now() < deadline, "{moment:?}: {:?}", arrived(sandbox));
            std::thread::sleep(Duration::from_millis(2));
        }
        // What is applied before its answer is delayed needs a moment.
        std::thread::sleep(Duration::from_millis(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    drop(lines);
    sandbox.clear_faults();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_is_submitted_once_whenever_the_process_is_killed() {
    if let Ok(told) = std::env::var(PART) {
        return submit(&told).await;
    }
    let sandbox = Sandbox::builder().seed(7).job_delay(Duration::ZERO).field_pace(Duration::ZERO);
    let sandbox = sandbox.start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (file, state) = (folder.path().join("wave-7.csv"), folder.path().join("wave-7.state.json"));
    let line = |number| format!("{number:08x}-4f02-4e32-9f5c-0a6f0c1c9b0e;933\n");
    let lines: String = ["rid;reason\n".to_owned()].into_iter().chain((0..ROWS).map(line)).collect();
    std::fs::write(&file, lines).unwrap();

    let kept = Some(&*state);
    for (moment, state) in [
        (Moment::BetweenParts, kept),
        (Moment::BeforeArrival, kept),
        (Moment::AfterArrival, kept),
        // The state is older than what was sent since, or there is none.
        (Moment::AfterArrival, None),
        (Moment::BeforeArrival, None),
        (Moment::BetweenParts, None),
    ] {
        run_until(&sandbox, moment, &file, state);
    }
    for state in [kept, None] {
        let done = start(&sandbox, &file, state).wait_with_output().unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        assert!(said.lines().any(|line| line == format!("finished {ROWS}")), "{said}");
    }
    let parts = arrived(&sandbox);
    assert_eq!(parts.len(), PARTS, "{parts:?}");
    let cint = Client::<V2025_12_18>::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .api_url(sandbox.api_url())
        .build()
        .unwrap();
    let submitted = cint.reconciliations().list().name("wave-7-part").page_size(100).stream().collect().await.unwrap();
    let mut names: Vec<_> = submitted.iter().filter_map(|it| it.name.clone()).collect();
    names.sort();
    names.dedup();
    assert_eq!((submitted.len(), names.len()), (PARTS, PARTS), "each part once: {submitted:?}");
}
