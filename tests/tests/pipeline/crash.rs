//! Killed a thousand times in the middle of writing, and on a full disk: every intent is accounted for. Keyed writes take
//! effect once, others at most once, and what took effect was told, or is in the journal.
//! `CINTX_KILLS=10000 cargo test -p cintx-tests --test pipeline killed` does it ten thousand times.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cintx_raw::v2025_12_18::operations;
use cintx_tests::with_faults::{Answer, Behaviour, Deed, Received, Server};
use serde_json::{Value, json};

/// Journals and writers side by side: most of the time they wait.
const LANES: usize = 8;

/// An Exchange with a memory.
#[derive(Default)]
struct Memory {
    effects: Mutex<Effects>,
    /// Webhooks are made, but their answers are lost.
    loses_answers: bool,
}

#[derive(Default)]
struct Effects {
    projects: HashMap<String, u32>,
    keys: HashMap<String, String>,
    webhooks: Vec<Value>,
}

impl Effects {
    /// The name of everything that was made, as often as it was made.
    fn made(&self) -> HashMap<String, u32> {
        let mut made = self.projects.clone();
        for webhook in &self.webhooks {
            let name = webhook["url"].as_str().unwrap().trim_start_matches("https://survey.example/");
            *made.entry(name.to_owned()).or_default() += 1;
        }
        made
    }
}

impl Behaviour for Memory {
    fn deed(&self, request: &Received) -> Deed {
        let mut effects = self.effects.lock().unwrap();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match (&*request.method, request.target.split('?').next().unwrap().rsplit('/').next().unwrap()) {
            ("POST", "projects") => {
                let key = request.header("idempotency-key").unwrap().to_owned();
                let name = body["name"].as_str().unwrap().to_owned();
                if effects.keys.insert(key, name.clone()).is_none() {
                    *effects.projects.entry(name).or_default() += 1;
                }
                Deed::Answer(Answer::json(202, json!({"id": "01BX5ZZKBKACTAV9WEVGEMMVS0"}).to_string()))
            }
            ("POST", "webhooks") => {
                let id = effects.webhooks.len().to_string();
                let webhook = json!({"id": id, "url": body["url"], "events": []});
                effects.webhooks.push(webhook.clone());
                if self.loses_answers {
                    return Deed::Close;
                }
                Deed::Answer(Answer::json(201, webhook.to_string()))
            }
            ("GET", "webhooks") => {
                // In pages, as lists are.
                let after = request.target.split("start_after=").nth(1).and_then(|text| text.split('&').next());
                let from = after.map_or(0, |id| id.parse::<usize>().unwrap() + 1);
                let page: Vec<_> = effects.webhooks.iter().skip(from).take(100).collect();
                let more = from + page.len() < effects.webhooks.len();
                Deed::Answer(Answer::json(200, json!({"webhooks": page, "has_more": more}).to_string()))
            }
            other => panic!("{other:?} {}", request.target),
        }
    }
}

/// What the writers said.
#[derive(Default, Debug)]
struct Told {
    /// Of each name that was recovered, what was found out.
    recovered: HashMap<String, String>,
    /// Answered before the kill.
    done: HashSet<String>,
    /// Struck out of the journal after an answer that the writer had no time to tell, or begun in a run in which the
    /// journal was rewritten.
    in_journal: HashSet<String>,
    ready: u32,
    torn: u32,
    /// Writes that the journal refused.
    refused: Vec<String>,
}

impl Told {
    /// Reads what one writer says; returns with the name that it was trying, at the end or at `ready`.
    fn listen(
        &mut self,
        lines: &mut impl Iterator<Item = std::io::Result<String>>,
        until_ready: bool,
    ) -> Option<String> {
        let mut trying = None;
        for line in lines {
            let line = line.unwrap();
            match line.splitn(3, ' ').collect::<Vec<_>>().as_slice() {
                ["recovered", name, rest] => {
                    let (operation, resolution) = rest.split_once(' ').unwrap();
                    // What is found by its address alone may be somebody else's; that is said.
                    let is_sure = resolution.starts_with("Applied");
                    let why = resolution.contains("there is one like it") || resolution == "NotApplied";
                    assert!(if operation == "create_webhook" { why } else { is_sure }, "{line}");
                    self.recovered.insert((*name).to_owned(), resolution.to_owned());
                }
                ["ready"] => {
                    self.ready += 1;
                    if until_ready {
                        return None;
                    }
                }
                ["try", name] => trying = Some((*name).to_owned()),
                ["done", name] => {
                    trying = None;
                    self.done.insert((*name).to_owned());
                }
                ["refused", name, "not sent"] => self.refused.push((*name).to_owned()),
                ["failed", _, "may have taken effect"] => {}
                ["damaged", ..] => {
                    assert!(line.contains("cut_off: true"), "{line}");
                    self.torn += 1;
                }
                _ => panic!("{line}"),
            }
        }
        trying
    }
}

fn writer(url: &str, journal: &Path, run: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_journal_writer"))
        .args([&format!("{url}/v1"), journal.to_str().unwrap(), run])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Whether a journal holds the beginning of a write, and its end.
fn is_ended(journal: &Path, name: &str) -> bool {
    let text = std::fs::read(journal).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    // The body is text in JSON.
    let bodies = [format!("\\\"{name}\\\""), format!("/{name}\\\"")];
    let mut lines = text.lines().filter(|line| line.contains("{\"begin\":{"));
    let begun = lines.find(|line| bodies.iter().any(|body| line.contains(body)));
    let id = begun.and_then(|line| line.split("\"id\":\"").nth(1)?.split('"').next());
    id.is_some_and(|id| text.contains(&format!("{{\"end\":{{\"id\":\"{id}\"")))
}

fn length(journal: &Path) -> u64 {
    std::fs::metadata(journal).map_or(0, |metadata| metadata.len())
}

/// A writer that is killed after a while: mostly while it writes, sometimes while it opens the journal and recovers.
fn live_and_die(mut child: Child, journal: &Path, told: &mut Told, dice: &mut fastrand::Rng) {
    let length_before = length(journal);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    if dice.u8(0..5) > 0 {
        told.listen(&mut lines, true);
    }
    std::thread::sleep(Duration::from_micros(dice.u64(0..40_000)));
    // SIGKILL: no farewell.
    child.kill().unwrap();
    child.wait().unwrap();
    if let Some(name) = told.listen(&mut lines, false)
        && (is_ended(journal, &name) || length(journal) < length_before)
    {
        told.in_journal.insert(name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_a_thousand_points_every_intent_is_accounted_for() {
    let kills: usize = std::env::var("CINTX_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    assert!(operations::CREATE_WEBHOOK.idempotency_key.format().is_none(), "the un-keyed write of this test");
    let lanes: Vec<_> = (0..LANES).map(|lane| tokio::spawn(kill_in_lane(lane, kills / LANES))).collect();
    let (mut recovered, mut done, mut ready, mut torn) = (0, 0, 0, 0);
    for lane in lanes {
        let told = lane.await.unwrap();
        recovered += told.recovered.len();
        done += told.done.len();
        ready += told.ready;
        torn += told.torn;
    }
    println!("{kills} kills, {ready} ready: {done} answered, {recovered} recovered, {torn} torn lines");
    // How much is done between two kills depends on how busy the machine is.
    assert!(recovered > kills / 20 && done > 0, "the kills hit nothing: {recovered} recovered, {done} answered");
}

/// Kills one writer after the other over one journal, and looks at what came of it.
async fn kill_in_lane(lane: usize, kills: usize) -> Told {
    let memory = Arc::new(Memory::default());
    let server = Server::start(memory.clone()).await;
    let url = server.url();
    let told = tokio::task::spawn_blocking(move || {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal");
        let mut dice = fastrand::Rng::with_seed(lane as u64);
        let mut told = Told::default();
        for run in 0..kills {
            live_and_die(writer(&url, &journal, &format!("{lane}-{run}")), &journal, &mut told, &mut dice);
        }
        // The last one only cleans up.
        let mut last = writer(&url, &journal, "last");
        told.listen(&mut BufReader::new(last.stdout.take().unwrap()).lines(), true);
        last.kill().unwrap();
        last.wait().unwrap();
        told
    })
    .await
    .unwrap();
    let made = memory.effects.lock().unwrap().made();
    for (name, times) in made.iter().filter(|(name, _)| !name.starts_with("last")) {
        assert_eq!(*times, 1, "{name} was made {times} times");
        let heard = told.done.contains(name) || told.in_journal.contains(name) || told.recovered.contains_key(name);
        assert!(heard, "{name} was made without a word");
    }
    for name in &told.done {
        assert!(made.contains_key(name), "{name} was answered and is not there");
    }
    for (name, resolution) in &told.recovered {
        assert_eq!(made.contains_key(name), resolution != "NotApplied", "{name}: {resolution}");
    }
    told
}

/// A limit of the file's size stands for a full disk: a write fails in the middle of a line.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_nothing_is_sent_that_is_not_written_down() {
    use cintx::client::Timeouts;
    use cintx::recovery::{FileJournal, Resolution};
    use cintx::{Client, V2025_12_18};

    let memory = Arc::new(Memory { loses_answers: true, ..Memory::default() });
    let server = Server::start(memory.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    let url = format!("{}/v1", server.url());
    // Each limit cuts off a line elsewhere.
    for run in 0..4 {
        let args = [&url, journal.to_str().unwrap(), &format!("full-{run}")].map(str::to_owned);
        let limited = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", 8 * (run + 1));
        let mut child = Command::new("sh")
            .args(["-c", &limited, "sh", env!("CARGO_BIN_EXE_journal_writer")])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = child.stdout.take().unwrap();
        let told = tokio::task::spawn_blocking(move || {
            let mut told = Told::default();
            told.listen(&mut BufReader::new(lines).lines(), false);
            assert!(child.wait().unwrap().success());
            told
        });
        let told = told.await.unwrap();
        assert_eq!((told.refused.len(), told.torn), (3, 0), "{told:?}");
        let made = memory.effects.lock().unwrap().made();
        for name in &told.refused {
            assert!(!made.contains_key(name), "{name} was refused, and sent");
        }
        assert!(made.values().all(|times| *times == 1), "{made:?}");
    }
    let journal = FileJournal::open(&journal).unwrap();
    assert_eq!(journal.damaged(), [], "what was cut off is taken back");
    let client = Client::<V2025_12_18>::builder()
        .token("token")
        .account(2428)
        .api_url(url)
        .timeouts(Timeouts::standard().processing(Duration::ZERO))
        .journal(journal)
        .build()
        .unwrap();
    let recovered = client.recover().await.unwrap();
    assert!(!recovered.is_empty(), "the last run leaves what filled the disk");
    for one in &recovered {
        let Resolution::Unknown { why } = &one.resolution else { panic!("{one:?}") };
        assert!(why.contains("there is one like it"), "{why}");
    }
    let effects = memory.effects.lock().unwrap();
    let twice: Vec<_> = effects.made().into_iter().filter(|(_, times)| *times != 1).collect();
    assert!(twice.is_empty(), "made twice: {twice:?}");
}
