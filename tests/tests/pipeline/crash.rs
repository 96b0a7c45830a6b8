//! Killed a thousand times in the middle of writing, and resumed: keyed writes take effect once, others at most once.
//! `CINTX_KILLS=10000 cargo test -p cintx-tests --test pipeline killed` does it ten thousand times.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cintx_raw::v2025_12_18::operations;
use cintx_tests::misbehave::{Answer, Behaviour, Deed, Received, Server};
use serde_json::{Value, json};

const LANES: usize = 4;

/// An Exchange with a memory. It takes its time, so that a kill hits every stage of a request.
#[derive(Default)]
struct Memory(Mutex<Effects>);

#[derive(Default)]
struct Effects {
    projects: HashMap<String, u32>,
    keys: HashMap<String, String>,
    webhooks: Vec<Value>,
    requests: u64,
}

impl Behaviour for Memory {
    fn deed(&self, request: &Received) -> Deed {
        let mut effects = self.0.lock().unwrap();
        effects.requests += 1;
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

/// What the writers said about what they found.
#[derive(Default, Debug)]
struct Told {
    projects: u32,
    webhooks: u32,
    unknown: u32,
}

fn writer(url: &str, journal: &Path, run: &str) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_journal_writer"))
        .args([&format!("{url}/v1"), journal.to_str().unwrap(), run])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads what a writer found; then it writes for a random while, and is killed.
fn live_and_die(mut child: std::process::Child, told: &mut Told, life: Option<Duration>) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    loop {
        let line = lines.next().expect("it gets ready").unwrap();
        match line.split_once(' ') {
            None => break assert_eq!(line, "ready"),
            Some(("create_project", resolution)) => {
                assert!(resolution.starts_with("Applied"), "a keyed write is replayed: {line}");
                told.projects += 1;
            }
            Some(("create_webhook", resolution)) if resolution.starts_with("Unknown") => told.unknown += 1,
            Some(("create_webhook", _)) => told.webhooks += 1,
            Some(_) => panic!("{line}"),
        }
    }
    if let Some(life) = life {
        std::thread::sleep(life);
    }
    // SIGKILL: no farewell.
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_a_thousand_points_every_intent_is_accounted_for() {
    let kills: usize = std::env::var("CINTX_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    assert!(operations::CREATE_WEBHOOK.idempotency_key.format().is_none(), "the un-keyed write of this test");
    let lanes: Vec<_> = (0..LANES)
        .map(|lane| {
            tokio::spawn(async move {
                let memory = Arc::new(Memory::default());
                let server = Server::start(memory.clone()).await;
                let url = server.url();
                let told = tokio::task::spawn_blocking(move || {
                    let folder = tempfile::tempdir().unwrap();
                    let journal = folder.path().join("journal");
                    let mut dice = fastrand::Rng::with_seed(lane as u64);
                    let mut told = Told::default();
                    for run in 0..kills / LANES {
                        let life = Duration::from_micros(dice.u64(0..40_000));
                        live_and_die(writer(&url, &journal, &format!("{lane}-{run}")), &mut told, Some(life));
                    }
                    // The last one only cleans up.
                    live_and_die(writer(&url, &journal, "last"), &mut told, None);
                    told
                });
                let told = told.await.unwrap();
                let effects = memory.0.lock().unwrap();
                let twice: Vec<_> = effects.projects.iter().filter(|(_, times)| **times != 1).collect();
                assert!(twice.is_empty(), "made twice: {twice:?}");
                let mut urls: Vec<_> =
                    effects.webhooks.iter().map(|webhook| webhook["url"].as_str().unwrap()).collect();
                urls.sort_unstable();
                assert!(urls.windows(2).all(|pair| pair[0] != pair[1]), "an un-keyed write was made twice");
                (told, effects.projects.len(), urls.len())
            })
        })
        .collect();
    let mut sum = Told::default();
    let (mut projects, mut webhooks) = (0, 0);
    for lane in lanes {
        let (told, lane_projects, lane_webhooks) = lane.await.unwrap();
        sum.projects += told.projects;
        sum.webhooks += told.webhooks;
        sum.unknown += told.unknown;
        projects += lane_projects;
        webhooks += lane_webhooks;
    }
    println!("{kills} kills: {projects} projects, {webhooks} webhooks; found open afterwards: {sum:?}");
    assert!(
        sum.projects as usize > kills / 20 && sum.webhooks as usize > kills / 100,
        "the kills hit nothing: {sum:?}"
    );
}
