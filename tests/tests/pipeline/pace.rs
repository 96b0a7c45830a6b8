//! Rate limits on real sockets, by the clock of the server: what is sent when, and what callers are told. The strict
//! figures are those of the simulation in `cintx::http::pace`, whose clock does not depend on a busy machine.
//!
//! The long runs:
//! `CINTX_READS=600 CINTX_SHARE_SECONDS=150 cargo test -p cintx-tests --test pipeline pace -- --nocapture`.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cintx::client::{CallOptions, OperationTimeouts, RetryPolicy};
use cintx::http::pace::AdaptivePacer;
use cintx::{Client, Error, ErrorKind, Outcome, V2025_12_18};
use cintx_tests::with_faults::{Answer, Behaviour, Deed, Received, Server};
use tokio::task::JoinSet;

use crate::support::{builder, hasty, limits};

/// Allows so many requests in each second of its clock, and remembers when they came.
struct Gateway {
    began: Instant,
    limit: usize,
    seen: Mutex<Vec<Seen>>,
}

#[derive(Clone)]
struct Seen {
    at: Duration,
    client: String,
    accepted: bool,
}

impl Gateway {
    fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), limit, seen: Mutex::default() })
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn accounts() -> Answer {
    Answer::json(200, r#"{"accounts":[]}"#)
}

fn too_many() -> Answer {
    Answer::json(429, r#"{"object":"too_many_requests_problem_details","details":"Slow down"}"#)
}

impl Behaviour for Gateway {
    fn deed(&self, request: &Received) -> Deed {
        let mut seen = self.seen.lock().unwrap();
        let at = self.began.elapsed();
        let this_second = seen.iter().rev().take_while(|seen| seen.at.as_secs() == at.as_secs());
        let accepted = this_second.filter(|seen| seen.accepted).count() < self.limit;
        let client = request.header("x-client").unwrap_or_default().to_owned();
        seen.push(Seen { at, client, accepted });
        Deed::Answer(if accepted { accounts() } else { too_many().header("retry-after", "1") })
    }
}

/// Answers what is on its list, then 200, and remembers when it was asked.
struct Script {
    answers: Mutex<Vec<Answer>>,
    asked: Mutex<Vec<Instant>>,
}

impl Script {
    fn new(mut answers: Vec<Answer>) -> Arc<Self> {
        answers.reverse();
        Arc::new(Self { answers: Mutex::new(answers), asked: Mutex::default() })
    }

    fn asked(&self) -> Vec<Instant> {
        self.asked.lock().unwrap().clone()
    }
}

impl Behaviour for Script {
    fn deed(&self, _: &Received) -> Deed {
        self.asked.lock().unwrap().push(Instant::now());
        Deed::Answer(self.answers.lock().unwrap().pop().unwrap_or_else(accounts))
    }
}

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

async fn read(client: &Client<V2025_12_18>) -> Result<(), Error> {
    client.raw().get_user_accounts().await.map(drop).map_err(Error::from)
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_at_once_all_pass_twenty_a_second() {
    let reads = number("CINTX_READS", 100);
    let gateway = Gateway::new(20);
    let server = Server::start(gateway.clone()).await;
    let client = builder::<V2025_12_18>(&server.url()).timeouts(limits(30_000, 300_000)).build().unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..reads {
        let client = client.clone();
        calls.spawn(async move { read(&client).await });
    }
    let failed: Vec<Error> = calls.join_all().await.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{} of {reads} fail, the first: {}", failed.len(), failed[0]);
    let seen = gateway.seen();
    let late = seen.iter().filter(|seen| !seen.accepted && seen.at > Duration::from_secs(1)).count();
    let (took, least) = (seen.last().unwrap().at.as_secs_f64(), (reads as f64 / 20.0 - 1.0));
    println!("{reads} reads: {took:.1} s for at least {least:.1} s; {late} turned away after the first second");
    println!("{:?}", client.pace());
    assert_eq!(seen.iter().filter(|seen| seen.accepted).count(), reads);
    // Generous, for busy machines.
    assert!(took < 2.0 * least + 2.0, "{took:.1} s");
    assert!(late <= 10 + reads / 20, "{late} turned away");
}

#[tokio::test(flavor = "multi_thread")]
async fn four_clients_that_do_not_know_of_each_other_share_a_limit() {
    let seconds = number("CINTX_SHARE_SECONDS", 8);
    let gateway = Gateway::new(20);
    let server = Server::start(gateway.clone()).await;
    let mut calls = JoinSet::new();
    for number in 0..4 {
        let client = builder::<V2025_12_18>(&server.url())
            .timeouts(limits(30_000, 300_000))
            .default_header("x-client", &number.to_string())
            .build()
            .unwrap();
        // Each always has more to send than it may.
        for _ in 0..32 {
            let client = client.clone();
            calls.spawn(async move {
                loop {
                    if let Err(error) = read(&client).await {
                        return error;
                    }
                }
            });
        }
    }
    tokio::time::sleep(Duration::from_secs(seconds as u64)).await;
    if let Some(failed) = calls.try_join_next() {
        panic!("{}", failed.unwrap());
    }
    calls.abort_all();
    // Half a minute to get to know the limit; a short run shows only that nobody is shut out.
    let (from, least) = if seconds >= 150 { (30, 0.95) } else { (0, 0.3) };
    let mut got = [0.0_f64; 4];
    for seen in gateway.seen().iter().filter(|seen| seen.accepted && seen.at.as_secs() >= from) {
        got[seen.client.parse::<usize>().unwrap()] += 1.0;
    }
    let squares: f64 = got.iter().map(|got| got * got).sum();
    let jain = got.iter().sum::<f64>().powi(2) / (4.0 * squares);
    println!("{seconds} s: {got:?}, Jain's index {jain:.3}");
    assert!(got.iter().all(|got| *got > 0.0), "{got:?}");
    assert!(jain >= least, "{jain:.3} of {got:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_holds_for_all_calls_of_all_clients_of_a_pacer() {
    let script = Script::new(vec![too_many().header("retry-after", "1")]);
    let server = Server::start(script.clone()).await;
    let pacer = Arc::new(AdaptivePacer::new());
    let one = builder::<V2025_12_18>(&server.url()).pacer(Arc::clone(&pacer)).build().unwrap();
    let other = builder::<V2025_12_18>(&server.url()).pacer(pacer).build().unwrap();
    let first = tokio::spawn({
        let one = one.clone();
        async move { read(&one).await }
    });
    while one.pace().unwrap().rate_limited == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let paused = other.pace().unwrap();
    assert!(paused.paused_for.is_some() && paused.requests_per_second.is_some(), "{paused:?}");
    read(&other).await.unwrap();
    first.await.unwrap().unwrap();
    let asked = script.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked[1] - asked[0] >= Duration::from_secs(1), "{:?}", asked[1] - asked[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_costs_neither_attempts_nor_budget() {
    let script = Script::new(vec![too_many().header("retry-after", "0"); 2]);
    let server = Server::start(script.clone()).await;
    let client = builder::<V2025_12_18>(&server.url()).retry(hasty().max_attempts(2)).build().unwrap();
    read(&client).await.unwrap();
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_that_never_ends_is_told_when_the_time_is_over() {
    let script = Script::new(vec![too_many(); 1_000]);
    let server = Server::start(script.clone()).await;
    let client = builder::<V2025_12_18>(&server.url()).timeouts(limits(5_000, 3_000)).build().unwrap();
    let began = Instant::now();
    let error = read(&client).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Status, Outcome::NoEffect));
    assert_eq!(error.status().map(|status| status.as_u16()), Some(429));
    assert!(error.to_string().contains("rate limited until its time was over"), "{error}");
    let asked = script.asked().len();
    assert!((2..20).contains(&asked) && error.attempts() as usize == asked, "{asked} requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_turn_would_come_too_late_is_not_sent() {
    let script = Script::new(vec![too_many().header("retry-after", "30")]);
    let server = Server::start(script.clone()).await;
    let client = builder::<V2025_12_18>(&server.url()).timeouts(limits(5_000, 20_000)).build().unwrap();
    let began = Instant::now();
    let error = read(&client).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
    let error = read(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::NotSent), "{error}");
    assert!(error.to_string().contains("the rate limit leaves no room"), "{error}");
    // Even a call that has the time does not wait longer than its policy allows.
    let patient = OperationTimeouts::new(Duration::from_secs(5), Duration::from_secs(600));
    let brief = RetryPolicy::standard().max_retry_after(Duration::from_secs(5));
    assert!(read(&client.with(CallOptions::new().limits(patient).retry(brief))).await.is_err());
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_pacer_a_429_is_a_failure_like_others() {
    let script = Script::new(vec![too_many(); 1_000]);
    let server = Server::start(script.clone()).await;
    let client = builder::<V2025_12_18>(&server.url()).without_pacer().build().unwrap();
    assert_eq!(client.pace(), None);
    assert_eq!(read(&client).await.unwrap_err().attempts(), 3);
    assert_eq!(script.asked().len(), 3);
}
