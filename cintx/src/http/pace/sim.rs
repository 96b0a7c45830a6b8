//! Clients against gateways, with a clock that is only counted: how fast everything arrives, how much is turned away,
//! how evenly processes share.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use fastrand::Rng;
use proptest::prelude::*;

use super::control::{Change, Control, Departure, Ending, Seconds, Turn};

/// What the gateway allows.
const LIMIT: f64 = 20.0;
const IN_FLIGHT: u32 = 32;

/// How gateways count to twenty a second.
#[derive(Clone, Copy, Debug)]
enum Gateway {
    /// A bucket of tokens that refills steadily.
    Bucket { size: f64 },
    /// So many in each second of its clock, which began so long before ours.
    FixedWindow { phase: Seconds },
    /// So many in any second.
    SlidingWindow,
    /// Nobody.
    Closed,
}

const GATEWAYS: [Gateway; 6] = [
    Gateway::Bucket { size: LIMIT },
    Gateway::FixedWindow { phase: 0.0 },
    Gateway::FixedWindow { phase: 0.3 },
    Gateway::FixedWindow { phase: 0.5 },
    Gateway::FixedWindow { phase: 0.8 },
    Gateway::SlidingWindow,
];

struct Server {
    gateway: Gateway,
    retry_after: bool,
    tokens: f64,
    refilled: Seconds,
    window: i64,
    count: f64,
    lately: VecDeque<Seconds>,
}

impl Server {
    fn new(gateway: Gateway, retry_after: bool) -> Self {
        let tokens = if let Gateway::Bucket { size } = gateway { size } else { 0.0 };
        Self { gateway, retry_after, tokens, refilled: 0.0, window: -1, count: 0.0, lately: VecDeque::new() }
    }

    fn accepts(&mut self, now: Seconds) -> bool {
        match self.gateway {
            Gateway::Bucket { size } => {
                self.tokens = (self.tokens + (now - self.refilled) * LIMIT).min(size);
                self.refilled = now;
                let accepts = self.tokens >= 1.0;
                self.tokens -= f64::from(u8::from(accepts));
                accepts
            }
            Gateway::FixedWindow { phase } => {
                let window = (now + phase).floor() as i64;
                if window != self.window {
                    (self.window, self.count) = (window, 0.0);
                }
                self.count += 1.0;
                self.count <= LIMIT
            }
            Gateway::SlidingWindow => {
                while self.lately.front().is_some_and(|at| *at <= now - 1.0) {
                    self.lately.pop_front();
                }
                let accepts = (self.lately.len() as f64) < LIMIT;
                self.lately.extend(accepts.then_some(now));
                accepts
            }
            Gateway::Closed => false,
        }
    }

    fn answer(&mut self, now: Seconds) -> Ending {
        match self.accepts(now) {
            true => Ending::Accepted,
            false => Ending::RateLimited { retry_after: self.retry_after.then_some(1.0) },
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Start,
    Timer,
    Arrival(Departure),
    Answer(Departure, Ending),
}

/// What is tried.
#[derive(Clone, Copy, Debug)]
struct Scene {
    gateway: Gateway,
    retry_after: bool,
    clients: usize,
    reads: u32,
    /// There and back; up to a fifth of it more, at random.
    latency: Seconds,
    /// Between the starts of the clients.
    stagger: Seconds,
    seed: u64,
    end: Seconds,
}

/// What the gateway saw.
struct Course {
    arrived: Vec<Vec<Seconds>>,
    turned_away: Vec<Seconds>,
    /// With the rate that held then.
    departures: Vec<(Seconds, Option<f64>)>,
}

impl Course {
    fn all_arrived_at(&self) -> Seconds {
        self.arrived.iter().flatten().copied().fold(0.0, f64::max)
    }

    fn turned_away_after(&self, time: Seconds) -> usize {
        self.turned_away.iter().filter(|at| **at > time).count()
    }

    /// Jain's index of what each client got through in that time: 1 if all got the same.
    fn fairness(&self, from: Seconds, to: Seconds) -> f64 {
        let got = |times: &Vec<Seconds>| times.iter().filter(|at| (from..to).contains(*at)).count() as f64;
        let (sum, squares) =
            self.arrived.iter().map(got).fold((0.0, 0.0), |(sum, squares), got| (sum + got, squares + got * got));
        sum * sum / (self.arrived.len() as f64 * squares)
    }
}

#[derive(Clone)]
struct Client {
    control: Control,
    waiting: u32,
    /// When its timer goes off; never, if it is not set.
    timer: Seconds,
}

struct World {
    scene: Scene,
    rng: Rng,
    server: Server,
    clients: Vec<Client>,
    events: BinaryHeap<Reverse<(u64, u64)>>,
    what: Vec<(usize, Event)>,
    course: Course,
}

impl World {
    fn run(scene: Scene) -> Course {
        let course =
            Course { arrived: vec![Vec::new(); scene.clients], turned_away: Vec::new(), departures: Vec::new() };
        let mut world = Self {
            scene,
            rng: Rng::with_seed(scene.seed),
            server: Server::new(scene.gateway, scene.retry_after),
            clients: vec![
                Client { control: Control::new(IN_FLIGHT), waiting: 0, timer: Seconds::INFINITY };
                scene.clients
            ],
            events: BinaryHeap::new(),
            what: Vec::new(),
            course,
        };
        for client in 0..scene.clients {
            world.at(scene.stagger * client as f64, client, Event::Start);
        }
        while let Some(Reverse((nanoseconds, number))) = world.events.pop() {
            let now = nanoseconds as f64 / 1e9;
            if now > scene.end {
                break;
            }
            let (client, event) = world.what[number as usize];
            world.happens(now, client, event);
        }
        world.course
    }

    fn at(&mut self, at: Seconds, client: usize, event: Event) {
        self.events.push(Reverse(((at * 1e9) as u64, self.what.len() as u64)));
        self.what.push((client, event));
    }

    fn happens(&mut self, now: Seconds, client: usize, event: Event) {
        let one_way = self.scene.latency * (0.5 + 0.2 * self.rng.f64());
        match event {
            Event::Start => self.clients[client].waiting = self.scene.reads,
            Event::Timer => self.clients[client].timer = Seconds::INFINITY,
            Event::Arrival(departure) => {
                let ending = self.server.answer(now);
                match ending {
                    Ending::Accepted => self.course.arrived[client].push(now),
                    _ => self.course.turned_away.push(now),
                }
                return self.at(now + one_way, client, Event::Answer(departure, ending));
            }
            Event::Answer(departure, ending) => {
                let unit = self.rng.f64();
                let Client { control, waiting, .. } = &mut self.clients[client];
                *waiting += u32::from(ending != Ending::Accepted);
                if let Some(Change::Rate { per_second, pause }) = control.end(departure, ending, now, unit) {
                    assert!(per_second > 0.0 && pause >= 0.0);
                }
            }
        }
        self.send(now, client);
    }

    /// Sends all whose turn has come, and sets a timer for the next.
    fn send(&mut self, now: Seconds, client: usize) {
        while self.clients[client].waiting > 0 {
            let Client { control, waiting, timer } = &mut self.clients[client];
            match control.turn(now) {
                Turn::Now => {
                    let departure = control.depart(now);
                    *waiting -= 1;
                    self.course.departures.push((now, control.rate()));
                    let one_way = self.scene.latency * (0.5 + 0.2 * self.rng.f64());
                    self.at(now + one_way, client, Event::Arrival(departure));
                }
                Turn::At(at) => {
                    if at < *timer {
                        *timer = at;
                        // Timers have milliseconds, and are late.
                        let late = 0.001 * self.rng.f64();
                        self.at((at * 1e3).ceil() / 1e3 + late, client, Event::Timer);
                    }
                    return;
                }
                Turn::Full => return,
            }
        }
    }
}

fn scenes(clients: usize, reads: u32, latencies: &[Seconds], seeds: u64) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for gateway in GATEWAYS {
        for retry_after in [false, true] {
            for &latency in latencies {
                scenes.extend((0..seeds).map(|seed| Scene {
                    gateway,
                    retry_after,
                    clients,
                    reads,
                    latency,
                    stagger: 0.0,
                    seed,
                    end: 1e4,
                }));
            }
        }
    }
    scenes
}

#[test]
fn six_hundred_reads_at_once_pass_twenty_a_second() {
    let (mut slowest, mut most) = (0.0_f64, 0);
    for scene in scenes(1, 600, &[0.002, 0.02], 10) {
        let course = World::run(scene);
        assert_eq!(course.arrived[0].len(), 600, "{scene:?}");
        // Twenty at once, and twenty in each second from then on.
        let least = 29.0;
        let (took, late) = (course.all_arrived_at(), course.turned_away_after(1.0));
        assert!(took < 1.2 * least, "{took:.1} s; {scene:?}");
        assert!(late < 6, "{late} turned away after the first second; {scene:?}");
        (slowest, most) = (slowest.max(took / least), most.max(late));
        check_departures(&course);
    }
    println!("at most {slowest:.2} times the least possible time, {most} of 600 turned away after the first second");
}

/// After the first 429, any stretch of time has at most so many departures as the highest rate within it allows, and
/// two more: the one at its beginning, and half a one that makes up for a late timer.
fn check_departures(course: &Course) {
    let paced: Vec<(Seconds, f64)> =
        course.departures.iter().filter_map(|(at, rate)| rate.map(|rate| (*at, rate))).collect();
    for (first, (began, _)) in paced.iter().enumerate() {
        let mut highest = 0.0_f64;
        for (count, (at, rate)) in paced[first..].iter().take(100).enumerate() {
            highest = highest.max(*rate);
            let allowed = (at - began) * highest + 2.0;
            assert!(
                (count + 1) as f64 <= allowed + 1e-6,
                "{} from {began:.3} to {at:.3}, {allowed:.2} allowed",
                count + 1
            );
        }
    }
}

#[test]
fn four_processes_share_a_limit_evenly() {
    let (mut worst, mut sum, mut count) = (1.0_f64, 0.0, 0.0);
    for scene in scenes(4, 100_000, &[0.002, 0.05], 4) {
        // One of them has been there for a while when the others come, every second time.
        let stagger = if scene.seed % 2 == 0 { 0.0 } else { 3.0 };
        let course = World::run(Scene { end: 180.0, stagger, ..scene });
        let fairness = course.fairness(30.0, 180.0);
        assert!(fairness >= 0.95, "{fairness:.3} with {scene:?}");
        (worst, sum, count) = (worst.min(fairness), sum + fairness, count + 1.0);
        let used = course.arrived.iter().flatten().count() as f64 / (LIMIT * 180.0);
        assert!(used > 0.65, "{used:.2} of the limit is used with {scene:?}");
    }
    println!("Jain's index over 150 seconds: {worst:.3} at worst, {:.3} on average", sum / count);
}

#[test]
fn a_gateway_that_is_closed_is_asked_less_and_less() {
    let scene = Scene {
        gateway: Gateway::Closed,
        retry_after: false,
        clients: 1,
        reads: 600,
        latency: 0.02,
        stagger: 0.0,
        seed: 1,
        end: 600.0,
    };
    let course = World::run(scene);
    let asked = |from: Seconds, to: Seconds| course.turned_away.iter().filter(|at| (from..to).contains(*at)).count();
    assert!(asked(0.0, 1.0) <= 34, "{}", asked(0.0, 1.0));
    assert!(asked(300.0, 600.0) <= 25 && asked(300.0, 600.0) >= 5, "{}", asked(300.0, 600.0));
}

#[test]
fn a_limit_that_is_not_met_any_more_is_forgotten() {
    let mut control = Control::new(IN_FLIGHT);
    let departure = control.depart(0.0);
    control.end(departure, Ending::RateLimited { retry_after: None }, 0.1, 0.5);
    assert!(control.rate().is_some());
    for minute in 1..=11 {
        let now = f64::from(minute) * 60.0;
        assert_eq!(control.turn(now), Turn::Now);
        let departure = control.depart(now);
        control.end(departure, Ending::Accepted, now, 0.5);
    }
    assert_eq!(control.rate(), None);
}

#[derive(Clone, Debug)]
enum Step {
    Wait(Seconds),
    Depart,
    End { which: prop::sample::Index, ending: u8, retry_after: u16 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0.0..5.0).prop_map(Step::Wait),
        Just(Step::Depart),
        Just(Step::Depart),
        (any::<prop::sample::Index>(), 0..8_u8, 0..100_u16).prop_map(|(which, ending, retry_after)| Step::End {
            which,
            ending,
            retry_after
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Whatever happens, in whatever order: the numbers stay within their bounds, nothing leaves within a
    /// `Retry-After`, and the next turn is never further away than what was asked for and the longest wait of our own.
    #[test]
    fn its_numbers_stay_within_bounds(steps in prop::collection::vec(step(), 1..300), most in 1..40_u32) {
        let (mut control, mut now, mut under_way) = (Control::new(most), 0.0, Vec::new());
        let mut paused_until = 0.0_f64;
        for step in steps {
            match step {
                Step::Wait(seconds) => now += seconds,
                Step::Depart => {
                    if control.turn(now) == Turn::Now {
                        prop_assert!(now >= paused_until);
                        under_way.push(control.depart(now));
                    }
                }
                Step::End { which, ending, retry_after } if !under_way.is_empty() => {
                    let departure = under_way.swap_remove(which.index(under_way.len()));
                    let retry_after = (retry_after > 50).then(|| f64::from(retry_after) - 50.0);
                    let ending = match ending {
                        0 => Ending::RateLimited { retry_after },
                        1 => Ending::Overloaded { retry_after },
                        2 => Ending::Unknown,
                        _ => Ending::Accepted,
                    };
                    if let Ending::RateLimited { retry_after } | Ending::Overloaded { retry_after } = ending {
                        paused_until = paused_until.max(retry_after.map_or(0.0, |wait| now + wait));
                    }
                    control.end(departure, ending, now, 0.5);
                }
                Step::End { .. } => {}
            }
            prop_assert_eq!(control.in_flight() as usize, under_way.len());
            prop_assert!((1..=most).contains(&control.concurrency()) && control.in_flight() <= most);
            prop_assert!(control.rate().is_none_or(|rate| rate.is_finite() && rate >= 0.5));
            if let Turn::At(at) = control.turn(now) {
                prop_assert!(at <= now.max(paused_until) + 34.0, "{} at {}", at, now);
            }
        }
    }
}
