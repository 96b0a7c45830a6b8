//! Every call of the facade that makes more than one request, or writes, × each of its requests × each fault of a
//! gateway, and calls whose requests meet any of them by chance: what a call says about its effect is compared with
//! what the sandbox holds afterwards. Nothing goes over a network and time is simulated.

mod field;
mod gateway;
mod scenario;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cintx::recovery::Resolution;
use cintx::{Outcome, Version};
use http::Method;

use self::gateway::{Fault, LATE, OF_READS, OF_WRITES, Weather};
use self::scenario::{Scenario, World};

/// Schedules of each version, without `CINTX_SCHEDULES`.
const SCHEDULES: u64 = 1_000;

/// What was seen, by scenario.
#[derive(Clone, Debug, Default)]
struct Count {
    cases: u64,
    unknown: u64,
    settled: u64,
    /// Why the others stay unknown.
    reasons: BTreeMap<String, u64>,
}

type Counts = BTreeMap<&'static str, Count>;

/// The weathers that one call is to be played in, each with one fault: it is played without one to see its requests.
async fn single_faults<V: Version>(world: &World<V>) -> Vec<Weather> {
    let client = world.begin();
    let before = world.state().await;
    world.gateway.set(Weather::Calm);
    world.play(&client).await.unwrap();
    let seen = world.gateway.seen();
    assert_ne!(world.state().await, before, "{:?} changes nothing", world.scenario);
    let mut weathers = Vec::new();
    for (number, method) in seen.into_iter().enumerate() {
        let faults = if method == Method::GET { &OF_READS[..] } else { &OF_WRITES[..] };
        weathers.extend(faults.iter().map(|&fault| Weather::One(number, fault)));
        // What begins to fail here goes on failing: what was done before is done all the same.
        weathers.extend([503, 400].map(|status| Weather::From(number, Fault::Refuse(status))));
    }
    weathers
}

/// What the sandbox holds before the call, and after one that met nothing.
async fn ends<V: Version>(world: &World<V>) -> (String, String) {
    let client = world.begin();
    let before = world.state().await;
    world.gateway.set(Weather::Calm);
    world.play(&client).await.unwrap();
    (before, world.state().await)
}

/// What is wrong with what a call came to.
async fn problem<V: Version>(
    world: &World<V>,
    weather: Weather,
    (before, done): &(String, String),
    count: &mut Count,
) -> Option<String> {
    count.cases += 1;
    let client = world.begin();
    world.gateway.set(weather);
    let result = world.play(&client).await;
    world.gateway.set(Weather::Calm);
    // What is late comes in the meantime.
    tokio::time::sleep(LATE * 2).await;
    let after = world.state().await;
    let changed = after != *before;
    let error = match result {
        Ok(()) if after == *done => return None,
        Ok(()) => return Some(format!("succeeds, and is {}", difference(done, &after))),
        Err(error) => error,
    };
    match error.outcome() {
        Outcome::NotSent | Outcome::NoEffect if changed => Some(format!("says {}, but: {error:#}", error.outcome())),
        Outcome::Applied if !changed => Some(format!("says it took effect, but nothing changed: {error:#}")),
        Outcome::Unknown => {
            count.unknown += 1;
            match client.resolve(&error).await {
                Ok(Resolution::Applied { .. }) if !changed && world.state().await == *before => {
                    Some(format!("is settled as applied, but nothing changed: {error:#}"))
                }
                Ok(Resolution::NotApplied) if changed => Some(format!("is settled as not applied, but was: {error:#}")),
                Ok(Resolution::Applied { .. } | Resolution::NotApplied) => {
                    count.settled += 1;
                    None
                }
                unsettled => {
                    let reason = match unsettled {
                        Ok(Resolution::Unknown { why }) => why.into_owned(),
                        Ok(other) => format!("{other:?}"),
                        Err(error) => format!("{:?}", error.kind()),
                    };
                    *count.reasons.entry(reason).or_default() += 1;
                    None
                }
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

/// Plays every scenario of a version, in `weathers`, on as many threads as there are cores.
fn play_all<V, F>(weathers: F) -> Counts
where
    V: Version,
    F: for<'a> Fn(&'a World<V>) -> Pin<Box<dyn Future<Output = Vec<Weather>> + 'a>> + Sync,
{
    let (next, counts, problems) = (AtomicUsize::new(0), Mutex::new(Counts::new()), Mutex::new(Vec::new()));
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            while let Some(&scenario) = Scenario::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                let world = World::<V>::new(scenario).await;
                let ends = Box::pin(ends(&world)).await;
                let mut count = Count::default();
                for weather in weathers(&world).await {
                    let about = format!("{scenario:?} {weather:?}");
                    if let Some(problem) = Box::pin(problem(&world, weather, &ends, &mut count)).await {
                        problems.lock().unwrap().push(format!("{about} {problem}"));
                    }
                }
                counts.lock().unwrap().insert(scenario.name(), count);
            }
        });
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let problems = problems.into_inner().unwrap();
    let shown = problems.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(problems.is_empty(), "{} cases:\n{shown}", problems.len());
    counts.into_inner().unwrap()
}

fn report<V: Version>(what: &str, counts: &Counts, took: Duration) {
    let sum = |of: fn(&Count) -> u64| counts.values().map(of).sum::<u64>();
    let (cases, unknown, settled) = (sum(|it| it.cases), sum(|it| it.unknown), sum(|it| it.settled));
    println!("{}: {cases} {what} in {took:?}; {unknown} unknown at first, {settled} of them settled", V::DATE);
    for (scenario, Count { cases, unknown, settled, reasons }) in counts {
        println!("  {scenario}: {cases} cases, {unknown} unknown at first, {settled} of them settled");
        for (reason, count) in reasons {
            println!("    {count} {reason}");
        }
    }
}

fn every_single_fault<V: Version>() {
    let began = Instant::now();
    let counts = play_all::<V, _>(|world| Box::pin(single_faults(world)));
    report::<V>("cases", &counts, began.elapsed());
}

/// Calls whose requests each meet something by chance: seldom, often, or more often than not.
fn schedules<V: Version>() {
    let began = Instant::now();
    let wanted = std::env::var("CINTX_SCHEDULES").map_or(SCHEDULES, |count| count.parse().unwrap());
    let each = wanted.div_ceil(Scenario::ALL.len() as u64);
    let counts = play_all::<V, _>(|_| {
        let weathers =
            (0..each).map(|seed| Weather::Random(fastrand::Rng::with_seed(seed), [10, 30, 60][(seed % 3) as usize]));
        Box::pin(std::future::ready(weathers.collect()))
    });
    report::<V>("schedules", &counts, began.elapsed());
}

macro_rules! version {
    ($version:ident $marker:ident) => {
        mod $version {
            #[test]
            fn every_single_fault() {
                super::every_single_fault::<cintx::$marker>();
            }

            #[test]
            fn schedules() {
                super::schedules::<cintx::$marker>();
            }
        }
    };
}

cintx_tests::for_each_version!(version);
