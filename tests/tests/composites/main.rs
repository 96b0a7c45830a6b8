//! Every call of the facade that makes more than one request, or writes, × each of its requests × each fault of a
//! gateway and of the machine that calls, and calls whose requests meet any of them by chance: what a call says about
//! its effect, what `resolve` or, after a restart, `recover` finds out, and what the journal holds are compared with
//! what the sandbox holds afterwards. Nothing goes over a network and time is simulated.
//!
//! `CINTX_SCHEDULES` is how many schedules there are of each version, `CINTX_FIRST_SEED` where their seeds begin.

mod field;
mod gateway;
mod scenario;
mod soak;
mod study;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cintx::recovery::Resolution;
use cintx::{Client, Error, Outcome, Version};
use http::Method;

use self::gateway::{Course, Fault, LATE, OF_CALLERS, OF_READS, OF_WRITES, Weather};
use self::scenario::{Scenario, World};

/// Schedules of each version, without `CINTX_SCHEDULES`.
const SCHEDULES: u64 = 1_000;

/// What was seen, by scenario.
#[derive(Clone, Debug, Default)]
struct Count {
    cases: u64,
    unknown: u64,
    settled: u64,
    /// Programs that were killed, those of them that left an intent, and those of these that are settled.
    killed: u64,
    left: u64,
    recovered: u64,
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
        weathers.extend(faults.iter().chain(&OF_CALLERS).map(|&fault| Weather::One(number, fault)));
        // What begins to fail here goes on failing: what was done before is done all the same.
        weathers.extend([503, 400].map(|status| Weather::From(number, Fault::Refuse(status))));
    }
    weathers.extend(courses(world.scenario));
    weathers
}

/// What went wrong once, found by chance and shortened.
const COURSES: [(Scenario, &[Option<Fault>]); 11] = [
    // Done, though nobody says so at first; told under its key by a status alone, and then the program is killed.
    (
        Scenario::Duplicate,
        &[
            None,
            None,
            Some(Fault::StatusAfter(401)),
            Some(Fault::DropBefore),
            Some(Fault::StallBody),
            Some(Fault::DieBefore),
        ],
    ),
    // Done, turned away, refused by its own new tag; and then nobody can say so.
    (Scenario::EditDates, &[None, None, Some(Fault::StatusAfter(429)), None, Some(Fault::Refuse(400))]),
    (Scenario::Pause, &[None, None, Some(Fault::StatusAfter(429)), None, Some(Fault::Refuse(400))]),
    // The same, and the read after it lags behind.
    (Scenario::EditDates, &[None, None, Some(Fault::StatusAfter(429)), None, Some(Fault::Stale)]),
    // Done, though its body stalls; repeated by a caller who says so, refused by its own new tag, and nobody can say so.
    (Scenario::EditDates, &[None, None, Some(Fault::StallBody), None, Some(Fault::Refuse(400))]),
    (Scenario::EditDates, &[None, None, Some(Fault::StallBody), None, Some(Fault::Stale)]),
    (Scenario::EditWebhook, &[None, Some(Fault::StallBody), None, Some(Fault::Refuse(400))]),
    // Done, and its repetition under the key is refused.
    (Scenario::Create, &[None, Some(Fault::StatusAfter(302)), Some(Fault::Refuse(400))]),
    // At work on the first attempt while the others are turned away.
    (Scenario::Create, &[None, Some(Fault::Late), Some(Fault::Refuse(401)), Some(Fault::Refuse(401))]),
    (Scenario::DeleteWebhook, &[None, Some(Fault::Late), Some(Fault::Refuse(401)), Some(Fault::Refuse(401))]),
    (Scenario::DeleteWebhook, &[None, None, Some(Fault::Late), Some(Fault::Refuse(401)), Some(Fault::Refuse(401))]),
];

/// The courses of a scenario, each with every way to find out what became of it, and with either kind of caller.
fn courses(scenario: Scenario) -> Vec<Weather> {
    let of_it = COURSES.iter().filter(|(of, _)| *of == scenario);
    of_it.flat_map(|(_, faults)| (0..24).map(|_| Weather::Course(Course::of(faults)))).collect()
}

/// What the sandbox holds before the call, and after one that met nothing.
async fn ends<V: Version>(world: &World<V>) -> (String, String) {
    let client = world.begin();
    let before = world.state().await;
    world.gateway.set(Weather::Calm);
    world.play(&client).await.unwrap();
    (before, world.state().await)
}

/// How a call ended.
enum End {
    Success,
    Failed(Error),
    /// Its program was killed.
    Killed,
}

impl End {
    fn is_known(&self) -> bool {
        match self {
            Self::Success => true,
            Self::Failed(error) => error.outcome() != Outcome::Unknown,
            Self::Killed => false,
        }
    }
}

/// How it is found out what a call did: one after the other, so that each fault meets each of them.
#[derive(Clone, Copy, Debug)]
struct Inquiry {
    /// At once, not only when everything that is late has come.
    at_once: bool,
    /// By a program that was just started, from the journal.
    by_journal: bool,
    /// After a weekend.
    weekend: bool,
    /// After the clock on the wall was set.
    clock_was_set: bool,
}

impl Inquiry {
    fn of(case: u64) -> Self {
        Self {
            at_once: case.is_multiple_of(2),
            by_journal: case % 4 >= 2,
            weekend: case % 7 == 3,
            clock_was_set: case % 5 == 2,
        }
    }

    /// Whether the journal is asked, and not the error.
    fn is_by_journal(self, end: &End) -> bool {
        self.by_journal || !matches!(end, End::Failed(_))
    }

    /// What is found out; `None` for a call whose question failed.
    async fn make<V: Version>(self, world: &World<V>, client: &Client<V>, end: &End) -> Vec<Option<Resolution>> {
        if !self.at_once {
            tokio::time::sleep(LATE * 2).await;
        }
        if self.weekend {
            world.gateway.weekend().await;
        }
        match end {
            End::Failed(error) if !self.is_by_journal(end) => {
                if self.clock_was_set {
                    world.gateway.set_clock(7_200);
                }
                vec![match client.resolve(error).await {
                    Ok(resolution) => Some(resolution),
                    Err(failed) => {
                        assert_eq!(failed.outcome(), Outcome::Unknown, "{failed:#}");
                        None
                    }
                }]
            }
            _ => {
                // After a restart there is no other clock than the one on the wall.
                world.gateway.put_clock_right();
                let recovered = world.client().recover().await.unwrap();
                recovered.into_iter().map(|recovered| Some(recovered.resolution)).collect()
            }
        }
    }
}

/// What is wrong with what a call came to. The number of the case says who the caller is.
async fn problem<V: Version>(
    world: &World<V>,
    weather: Weather,
    case: u64,
    (before, done): &(String, String),
    count: &mut Count,
) -> Option<Problem> {
    let inquiry = Inquiry::of(case);
    // Some callers repeat what sets a state, whichever way they find out.
    world.repeat_writes(case.is_multiple_of(3));
    count.cases += 1;
    let client = world.begin();
    let in_parts = world.scenario.is_in_parts();
    world.gateway.set(weather);
    let end = tokio::select! {
        biased;
        () = world.gateway.died() => End::Killed,
        result = world.play(&client) => result.map_or_else(End::Failed, |()| End::Success),
    };
    let (untold, course, told) = (world.gateway.untold(), world.gateway.course(), world.gateway.told());
    let problem = |what: String| Some(Problem { what: format!("{what}; {told}"), course: course.clone() });
    world.gateway.set(Weather::Calm);
    let open = world.journal.open();
    // Of a call in parts the whole is known, though the last of its writes may not be.
    if end.is_known() && !open.is_empty() && !in_parts {
        return problem(format!("leaves an intent, though it is known: {open:?}"));
    }
    let is_open = |path: &String| open.iter().any(|intent| path.ends_with(intent.path()));
    if let Some(lost) = untold.iter().find(|path| !end.is_known() && !is_open(path)) {
        return problem(format!("leaves no intent of {lost}"));
    }
    let is_settled = end.is_known() && (!in_parts || open.is_empty());
    let resolutions = if is_settled { Vec::new() } else { inquiry.make(world, &client, &end).await };
    // What is late comes in the meantime.
    tokio::time::sleep(LATE * 2).await;
    let after = world.state().await;
    if after != *before && after != *done && (!in_parts || matches!(end, End::Success)) {
        return problem(format!("{inquiry:?} leaves {}", difference(done, &after)));
    }
    let changed = after != *before;
    let still_open = world.journal.open().len();
    count.add(&end, &resolutions, !open.is_empty());
    let wrong = match &end {
        End::Success if !changed => Some("succeeds, but nothing changed".to_owned()),
        End::Failed(error) => match error.outcome() {
            Outcome::NotSent | Outcome::NoEffect if changed => Some(format!("says {}, but is done", error.outcome())),
            Outcome::Applied if !changed => Some("says it took effect, but nothing changed".to_owned()),
            _ => None,
        }
        .map(|wrong| format!("{wrong}: {error:#}")),
        End::Success | End::Killed => None,
    };
    let wrong = wrong.or_else(|| {
        let decided = resolutions.iter().flatten().filter(|it| !matches!(it, Resolution::Unknown { .. }));
        match &resolutions[..] {
            [Some(Resolution::Applied { .. })] if !changed => Some("is settled as applied, but nothing changed"),
            // The intent of a write is about that write alone.
            [Some(Resolution::NotApplied)] if changed && !(in_parts && inquiry.is_by_journal(&end)) => {
                Some("is settled as not applied, but was")
            }
            _ if still_open + decided.count() < open.len() => Some("loses an intent that is not settled"),
            [Some(Resolution::Applied { .. } | Resolution::NotApplied)] if still_open > 0 && !in_parts => {
                Some("leaves what is settled")
            }
            _ => None,
        }
        .map(|wrong| format!("{wrong}: {inquiry:?} {resolutions:?}"))
    });
    wrong.and_then(problem)
}

/// A call that came to something wrong.
#[derive(Clone, Debug, PartialEq)]
struct Problem {
    what: String,
    /// What its requests met.
    course: Course,
}

/// The problem with as little as possible in its course, of the same case: each fault is left out that it does not need.
async fn shorten(mut problem: Problem, mut again: impl AsyncFnMut(Course) -> Option<Problem>) -> Problem {
    let mut untried: Vec<Course> = problem.course.shorter().collect();
    while let Some(course) = untried.pop() {
        if let Some(shorter) = again(course).await {
            untried = shorter.course.shorter().collect();
            problem = shorter;
        }
    }
    problem
}

/// Two faults of nine make this one, and an endpoint that is down makes nothing of it.
#[tokio::test]
async fn a_problem_is_shortened_to_what_it_needs() {
    let faults = [503, 400, 302, 401, 429, 499, 501, 504, 520].map(|status| Some(Fault::StatusAfter(status)));
    let long = Course { faults: faults.to_vec(), tokens: vec![false, true, true] };
    let mut tried = 0;
    let again = async |course: Course| {
        tried += 1;
        let is_wrong = course.faults[2].is_some() && course.faults[6].is_some();
        is_wrong.then(|| Problem { what: "wrong".to_owned(), course })
    };
    let short = shorten(Problem { what: "wrong".to_owned(), course: long }, again).await.course;
    let mut needed = [None; 9];
    (needed[2], needed[6]) = (faults[2], faults[6]);
    assert_eq!(short, Course { faults: needed.to_vec(), tokens: vec![false; 3] });
    assert!(tried < 100, "{tried} times");
}

impl Count {
    fn add(&mut self, end: &End, resolutions: &[Option<Resolution>], has_intent: bool) {
        let settled = matches!(resolutions, [Some(Resolution::Applied { .. } | Resolution::NotApplied)]);
        match end {
            End::Killed => {
                self.killed += 1;
                self.left += u64::from(has_intent);
                self.recovered += u64::from(settled);
            }
            _ if end.is_known() => {}
            _ => {
                self.unknown += 1;
                self.settled += u64::from(settled);
            }
        }
        for resolution in resolutions {
            let reason = match resolution {
                Some(Resolution::Unknown { why }) => why.to_string(),
                Some(Resolution::Superseded { .. }) => "superseded".to_owned(),
                None => "the question failed".to_owned(),
                Some(_) => continue,
            };
            *self.reasons.entry(reason).or_default() += 1;
        }
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
                for (case, weather) in (0..).zip(weathers(&world).await) {
                    let about = format!("{scenario:?} {weather:?}");
                    let Some(long) = Box::pin(problem(&world, weather, case, &ends, &mut count)).await else {
                        continue;
                    };
                    let again = async |course| {
                        let weather = Weather::Course(course);
                        Box::pin(problem(&world, weather, case, &ends, &mut Count::default())).await
                    };
                    let short = shorten(long.clone(), again).await;
                    let Problem { what, course } = short;
                    let problem = format!("{about} {}\n  shortest, as case {case}: {what} {course:?}", long.what);
                    problems.lock().unwrap().push(problem);
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
    let (killed, left, recovered) = (sum(|it| it.killed), sum(|it| it.left), sum(|it| it.recovered));
    println!("{}: {cases} {what} in {took:?}; {unknown} unknown at first, {settled} of them settled", V::DATE);
    println!("{killed} killed, {left} left an intent, {recovered} of them settled");
    for (scenario, Count { cases, unknown, settled, killed, left, recovered, reasons }) in counts {
        println!("  {scenario}: {cases} cases, {unknown} unknown at first, {settled} of them settled");
        println!("    {killed} killed, {left} left an intent, {recovered} of them settled");
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

/// The guide counts what is played.
#[test]
fn the_guide_says_how_much_is_played() {
    const GUIDE: &str = include_str!("../../../cintx/guide/failures.md");
    let (calls, writes, reads, callers) = (Scenario::ALL.len(), OF_WRITES.len(), OF_READS.len(), OF_CALLERS.len());
    let counts = format!(
        "{calls} calls of the facade × each of their requests × {writes} faults of a gateway ({reads} of a read) and \
         {callers} of the machine"
    );
    assert!(GUIDE.contains(&counts), "the guide does not say: {counts}");
}

/// Calls whose requests each meet something by chance: seldom, often, or more often than not.
fn schedules<V: Version>() {
    let began = Instant::now();
    let wanted = std::env::var("CINTX_SCHEDULES").map_or(SCHEDULES, |count| count.parse().unwrap());
    let first: u64 = std::env::var("CINTX_FIRST_SEED").map_or(0, |seed| seed.parse().unwrap());
    let each = wanted.div_ceil(Scenario::ALL.len() as u64);
    let counts = play_all::<V, _>(|_| {
        let weathers = (first..first + each)
            .map(|seed| Weather::Random(fastrand::Rng::with_seed(seed), [10, 30, 60][(seed % 3) as usize]));
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

            #[test]
            fn a_client_that_works_all_day_leaves_nothing() {
                super::soak::leaves_nothing::<cintx::$marker>();
            }
        }
    };
}

cintx_tests::for_each_version!(version);
