//! Every call of the facade that makes more than one request, or writes, × each of its requests × each fault of a
//! gateway: what the call says about its effect is compared with what the sandbox holds afterwards.

mod proxy;
mod scenario;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use cintx::recovery::Resolution;
use cintx::{Outcome, Version};
use http::Method;
use tokio::task::JoinSet;

use self::proxy::{Fault, LATE, Reach};
use self::scenario::{Scenario, World};

/// What may happen to a write.
const OF_WRITES: [Fault; 18] = [
    Fault::DropBefore,
    Fault::DropAfter,
    Fault::Refuse(400),
    Fault::Refuse(503),
    Fault::StatusAfter(302),
    Fault::StatusAfter(401),
    Fault::StatusAfter(429),
    Fault::StatusAfter(499),
    Fault::StatusAfter(501),
    Fault::StatusAfter(504),
    Fault::StatusAfter(520),
    Fault::Late,
    Fault::PageBefore,
    Fault::PageAfter,
    Fault::ErrorAfter,
    Fault::NothingAfter,
    Fault::EmptyObjectAfter,
    Fault::StripHeaders,
];

/// What may happen to a read.
const OF_READS: [Fault; 6] = [
    Fault::DropBefore,
    Fault::Refuse(400),
    Fault::Refuse(503),
    Fault::PageBefore,
    Fault::EmptyObjectAfter,
    Fault::StripHeaders,
];

/// Cases at a time; most of their time they wait.
const WORKERS: usize = 12;

/// One case: a scenario, and the fault that one or all of its requests from one on meet.
#[derive(Clone, Copy, Debug)]
struct Case {
    scenario: Scenario,
    fault: Fault,
    reach: Reach,
}

/// The cases of a scenario: it is played once without a fault to see its requests.
async fn cases<V: Version>(scenario: Scenario) -> Vec<Case> {
    let world = World::<V>::new(scenario).await;
    let before = world.state().await;
    world.proxy.plan(None);
    world.play().await.unwrap();
    let seen = world.proxy.seen();
    assert_ne!(world.state().await, before, "{scenario:?} changes nothing");
    let mut cases = Vec::new();
    for (number, method) in seen.into_iter().enumerate() {
        let faults = if method == Method::GET { &OF_READS[..] } else { &OF_WRITES[..] };
        for &fault in faults {
            cases.push(Case { scenario, fault, reach: Reach::One(number) });
        }
        // What begins to fail here goes on failing: what was done before is done all the same.
        for fault in [Fault::Refuse(503), Fault::Refuse(400)] {
            cases.push(Case { scenario, fault, reach: Reach::From(number) });
        }
    }
    cases
}

/// What is wrong with what a case came to.
async fn problem<V: Version>(case: Case, done: &str, settled: &AtomicUsize, unknown: &AtomicUsize) -> Option<String> {
    let world = World::<V>::new(case.scenario).await;
    let before = world.state().await;
    world.proxy.plan(Some((case.fault, case.reach)));
    let result = world.play().await;
    world.proxy.plan(None);
    if case.fault == Fault::Late {
        tokio::time::sleep(LATE * 2).await;
    }
    let after = world.state().await;
    let changed = after != before;
    let error = match result {
        Ok(()) if after == done => return None,
        Ok(()) => return Some(format!("succeeds, and is {}", difference(done, &after))),
        Err(error) => error,
    };
    match error.outcome() {
        Outcome::NotSent | Outcome::NoEffect if changed => Some(format!("says {}, but: {error:#}", error.outcome())),
        Outcome::Applied if !changed => Some(format!("says it took effect, but nothing changed: {error:#}")),
        Outcome::Unknown => {
            unknown.fetch_add(1, Ordering::Relaxed);
            match world.client.resolve(&error).await {
                Ok(Resolution::Applied { .. }) if !changed && world.state().await == before => {
                    Some(format!("is settled as applied, but nothing changed: {error:#}"))
                }
                Ok(Resolution::NotApplied) if changed => Some(format!("is settled as not applied, but was: {error:#}")),
                Ok(Resolution::Applied { .. } | Resolution::NotApplied) => {
                    settled.fetch_add(1, Ordering::Relaxed);
                    None
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// The first line in which two states differ.
fn difference(wanted: &str, is: &str) -> String {
    let mut text = String::new();
    for (wanted, is) in wanted.lines().zip(is.lines()).filter(|(wanted, is)| wanted != is).take(1) {
        let same = wanted.bytes().zip(is.bytes()).take_while(|(wanted, is)| wanted == is).count().saturating_sub(30);
        let part = |line: &str| line.get(same..(same + 120).min(line.len())).unwrap_or_default().to_owned();
        let _ = write!(text, "..{} for ..{}", part(is), part(wanted));
    }
    text
}

async fn every_case<V: Version>() {
    let started = Instant::now();
    let mut all = Vec::new();
    for scenario in Scenario::ALL {
        let world = World::<V>::new(scenario).await;
        world.play().await.unwrap();
        let done: Arc<str> = world.state().await.into();
        all.extend(cases::<V>(scenario).await.into_iter().map(|case| (case, Arc::clone(&done))));
    }
    let (all, next) = (Arc::new(all), Arc::new(AtomicUsize::new(0)));
    let (settled, unknown) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (all, next) = (Arc::clone(&all), Arc::clone(&next));
        let (settled, unknown) = (Arc::clone(&settled), Arc::clone(&unknown));
        workers.spawn(async move {
            let mut problems = Vec::new();
            while let Some((case, done)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Some(problem) = Box::pin(problem::<V>(*case, done, &settled, &unknown)).await {
                    problems.push(format!("{case:?} {problem}"));
                }
            }
            problems
        });
    }
    let problems: Vec<String> = workers.join_all().await.into_iter().flatten().collect();
    println!(
        "{}: {} cases in {:?}; {unknown:?} unknown at first, {settled:?} of them settled",
        V::DATE,
        all.len(),
        started.elapsed()
    );
    let shown = problems.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(problems.is_empty(), "{} of {} cases:\n{shown}", problems.len(), all.len());
}

macro_rules! version {
    ($version:ident $marker:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $version() {
            every_case::<cintx::$marker>().await;
        }
    };
}

cintx_tests::for_each_version!(version);
