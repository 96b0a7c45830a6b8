//! Random courses of calls against a simulated server that knows what it really did.
//! `CINTX_SCHEDULES=10000000 cargo test --release -p cintx --lib schedules` runs ten million of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use cintx_raw::Secret;
use fastrand::Rng;

use super::retry::{Attempt, Decision, Effect, Event, RetryMachine, Verdict};
use super::throttle::Budget;
use crate::auth::TokenError;
use crate::auth::clock::Now;
use crate::auth::refresh::{Demand, Tokens};
use crate::auth::token::Token;
use crate::client::options::{OperationTimeouts, RetryPolicy};
use crate::error::Outcome;

/// What the server does with one attempt: whether its effect happens, and what the caller sees.
#[derive(Clone, Copy, Debug)]
struct Fate {
    attempt: Attempt,
    applies: bool,
    /// The effect comes only after the caller has given up on the attempt.
    late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Ready,
    Sent,
    AppliesLate,
    TokenDeadline(u32),
    Refreshed { ok: bool, number: u64 },
}

struct Call {
    machine: RetryMachine,
    effect: Effect,
    limits: OperationTimeouts,
    max_attempts: u32,
    paced: bool,
    began: Duration,
    token: Option<Arc<Token>>,
    waiting: bool,
    waits: u32,
    fate: Option<Fate>,
    key: Option<u64>,
    done: Option<Verdict>,
    // The truth.
    left: u32,
    maybe_seen: bool,
    lost: bool,
    applied: u32,
    keys: Vec<u64>,
    token_refusals: u32,
    /// How often it was told 429.
    turned_away: u32,
}

struct World {
    rng: Rng,
    now: Duration,
    base: Now,
    queue: BinaryHeap<Reverse<(Duration, u64, usize, What)>>,
    sequence: u64,
    tokens: Tokens,
    refreshes_in_flight: u32,
    budget: Budget,
    calls: Vec<Call>,
}

const NOBODY: usize = usize::MAX;

impl World {
    fn new(seed: u64, base: Now) -> Self {
        let mut rng = Rng::with_seed(seed);
        let calls = (0..rng.usize(1..=3)).map(|_| Call::new(&mut rng)).collect();
        let mut world = Self {
            rng,
            now: Duration::ZERO,
            base,
            queue: BinaryHeap::new(),
            sequence: 0,
            tokens: Tokens::default(),
            refreshes_in_flight: 0,
            budget: Budget::new(),
            calls,
        };
        if world.rng.u8(..) < 25 {
            while world.budget.withdraw() {}
        }
        for call in 0..world.calls.len() {
            let at = world.calls[call].began;
            world.at(at, call, What::Ready);
        }
        world
    }

    fn at(&mut self, at: Duration, call: usize, what: What) {
        self.sequence += 1;
        self.queue.push(Reverse((at, self.sequence, call, what)));
    }

    fn run(&mut self) {
        while let Some(Reverse((at, _, call, what))) = self.queue.pop() {
            self.now = at;
            match what {
                What::Refreshed { ok, number } => self.refreshed(ok, number),
                What::AppliesLate => self.apply(call),
                What::TokenDeadline(wait) => {
                    if self.calls[call].waiting && self.calls[call].waits == wait {
                        self.calls[call].waiting = false;
                        self.step(call, Event::TimeIsUp);
                    }
                }
                What::Ready => self.step(call, Event::Ready),
                What::Sent => {
                    let fate = self.calls[call].fate.take().unwrap();
                    let now = self.base + self.now;
                    let token_expired = self.calls[call].token.as_ref().unwrap().may_be_expired(now);
                    self.step(call, Event::Ended { attempt: fate.attempt, token_expired });
                }
            }
        }
        for call in &self.calls {
            call.check();
        }
        assert_eq!(self.refreshes_in_flight, 0);
    }

    fn step(&mut self, id: usize, event: Event) {
        let unit = self.rng.f64();
        let call = &mut self.calls[id];
        let since = self.now - call.began;
        // Asked for right after an attempt, another credential is wanted because that one was refused.
        let refused = matches!(event, Event::Ended { .. });
        match call.machine.on(event, since, unit, &self.budget) {
            Decision::GetToken => self.token(id, refused),
            Decision::Send { limit } => self.send(id, limit),
            Decision::Wait(wait) => {
                assert!(since + wait < call.limits.operation, "waits past its end");
                let at = self.now + wait;
                self.at(at, id, What::Ready);
            }
            Decision::Finish(verdict) => {
                assert!(since <= call.limits.operation, "ends after {since:?} of {:?}", call.limits.operation);
                assert!(call.done.replace(verdict).is_none(), "ends twice");
            }
        }
    }

    fn token(&mut self, id: usize, refused: bool) {
        let now = self.base + self.now;
        if refused {
            self.calls[id].token_refusals += 1;
            let token = self.calls[id].token.clone().unwrap();
            self.tokens.refuse(&token, now);
        }
        let has_one = self.tokens.has_living(now);
        match self.tokens.demand(now) {
            Demand::Use(token) => self.got(id, token),
            Demand::UseAndRefresh(token, number) => {
                self.refresh(number);
                self.got(id, token);
            }
            Demand::Wait { number, begin } => {
                assert!(!has_one, "waits although there is a token");
                if begin {
                    self.refresh(number);
                }
                let call = &mut self.calls[id];
                call.waiting = true;
                call.waits += 1;
                let (at, wait) = (call.began + call.limits.operation, call.waits);
                self.at(at.max(self.now), id, What::TokenDeadline(wait));
            }
            Demand::Fail(_) => {
                assert!(!has_one, "fails although there is a token");
                self.step(id, Event::NoToken);
            }
        }
    }

    fn got(&mut self, id: usize, token: Arc<Token>) {
        self.calls[id].token = Some(token);
        // The pacer may have no turn for it in time.
        let turn = !self.calls[id].paced || self.rng.u8(..) > 5;
        self.step(id, if turn { Event::Token } else { Event::NoRoom });
    }

    fn refresh(&mut self, number: u64) {
        self.refreshes_in_flight += 1;
        assert_eq!(self.refreshes_in_flight, 1, "two refreshes at once");
        let (takes, ok) = (self.rng.u64(1..20_000), self.rng.u8(..) < 220);
        let at = self.now + Duration::from_millis(takes);
        self.at(at, NOBODY, What::Refreshed { ok, number });
    }

    fn refreshed(&mut self, ok: bool, number: u64) {
        self.refreshes_in_flight -= 1;
        let now = self.base + self.now;
        let life = Duration::from_millis(self.rng.u64(1..100_000));
        let text = Secret::from(number.to_string());
        let token = Token::new(text, Some(life), Duration::from_secs(5), now, self.rng.f64()).unwrap();
        let failed = TokenError::Unreadable { reason: "as the dice fell" };
        let outcome = self.tokens.refreshed(number, if ok { Ok(Arc::new(token)) } else { Err(failed) }, now);
        for id in 0..self.calls.len() {
            if std::mem::take(&mut self.calls[id].waiting) {
                match &outcome {
                    Ok(token) => self.got(id, Arc::clone(token)),
                    Err(_) => self.step(id, Event::NoToken),
                }
            }
        }
    }

    fn send(&mut self, id: usize, limit: Duration) {
        let repeated = self.calls[id].applied > 0;
        let fate = fate(&mut self.rng, self.calls[id].effect, repeated);
        let call = &mut self.calls[id];
        assert!(call.effect != Effect::Once || !call.maybe_seen, "an un-keyed write is sent again");
        assert!(call.effect != Effect::SetsState || !call.lost, "an un-keyed state is set again after a lost answer");
        call.keys.extend(call.key);
        let takes = match fate.attempt {
            Attempt::NotSent => Duration::from_millis(self.rng.u64(0..1_000)).min(limit),
            Attempt::Lost if self.rng.bool() => limit,
            _ => Duration::from_millis(self.rng.u64(0..5_000)).min(limit),
        };
        if fate.attempt != Attempt::NotSent {
            call.left += 1;
            // Only a token that our own clock calls expired is turned away unseen.
            let status = if let Attempt::Answered { status, .. } = fate.attempt { Some(status) } else { None };
            call.maybe_seen |= status != Some(403);
            call.lost |= !matches!(status, Some(401 | 403 | 429));
            call.turned_away += u32::from(status == Some(429));
        }
        call.fate = Some(fate);
        let ends = self.now + takes;
        if fate.applies && fate.late {
            let at = ends + Duration::from_millis(self.rng.u64(1..100_000));
            self.at(at, id, What::AppliesLate);
        } else if fate.applies {
            self.apply(id);
        }
        self.at(ends, id, What::Sent);
    }

    fn apply(&mut self, id: usize) {
        let call = &mut self.calls[id];
        // The server honours keys, and a state that is set twice is the same state.
        if matches!(call.effect, Effect::Repeatable | Effect::SetsState) && call.applied > 0 {
            return;
        }
        call.applied += 1;
    }
}

/// What may happen to an attempt. With a key, and the effect there already, the server may answer anything.
fn fate(rng: &mut Rng, effect: Effect, repeated: bool) -> Fate {
    let retry_after = (rng.u8(..) < 60).then(|| Duration::from_secs(rng.u64(0..90)));
    let answered = |status| Attempt::Answered { status, retry_after };
    let dice = rng.u8(0..24);
    let either = rng.bool();
    let late = rng.u8(..) < 60;
    let (attempt, applies) = match dice {
        0 | 1 => (Attempt::NotSent, false),
        2 => (Attempt::Lost, either),
        3 => (Attempt::Unexpected, either),
        4 => (Attempt::Truncated, true),
        5..=9 => (answered(200 + rng.u16(0..5)), true),
        10 => (answered(401), either),
        11 => (answered(403), false),
        12 => (answered(429), either),
        13 => (answered(rng.choice([400, 404, 409, 410, 412, 413, 415, 422]).unwrap()), false),
        14 => (answered(rng.choice([100, 199, 301, 302, 307, 308, 304, 418, 460, 499, 600, 999]).unwrap()), either),
        15 => (answered(408), either),
        16 => (answered(rng.choice([501, 505]).unwrap()), either),
        _ => (answered(rng.choice([500, 502, 503, 504, 507, 520, 599]).unwrap()), either),
    };
    // The first answer replayed, or a conflict with the first that is still at work.
    let attempt = match attempt {
        Attempt::Answered { .. } if effect == Effect::Repeatable && repeated && either => {
            answered(rng.choice([200, 201, 409]).unwrap())
        }
        other => other,
    };
    let unanswered = matches!(attempt, Attempt::Lost | Attempt::Answered { status: 408 | 500.., .. });
    Fate { attempt, applies: applies && effect != Effect::None, late: late && unanswered }
}

impl Call {
    fn new(rng: &mut Rng) -> Self {
        let effect = rng.choice([Effect::None, Effect::Repeatable, Effect::SetsState, Effect::Once]).unwrap();
        let max_attempts = rng.u32(1..6);
        let policy = RetryPolicy::standard().max_attempts(max_attempts);
        let limits = OperationTimeouts::new(
            Duration::from_millis(rng.u64(1..30_000)),
            Duration::from_millis(if rng.u8(..) < 10 { 0 } else { rng.u64(1..120_000) }),
        );
        let paced = rng.bool();
        Self {
            machine: RetryMachine::new(effect, rng.u8(..) < 230, policy, limits).paced(paced),
            effect,
            limits,
            max_attempts,
            paced,
            began: Duration::from_millis(rng.u64(0..60_000)),
            token: None,
            waiting: false,
            waits: 0,
            fate: None,
            key: (effect == Effect::Repeatable).then(|| rng.u64(..)),
            done: None,
            left: 0,
            maybe_seen: false,
            lost: false,
            applied: 0,
            keys: Vec::new(),
            token_refusals: 0,
            turned_away: 0,
        }
    }

    fn check(&self) {
        let verdict = self.done.expect("every call ends");
        assert!(self.applied <= 1, "took effect {} times", self.applied);
        assert!(self.token_refusals <= 1, "replaced its token {} times", self.token_refusals);
        // What a pacer answers for costs no attempt.
        let free = self.token_refusals + if self.paced { self.turned_away } else { 0 };
        assert!(self.machine.attempts() <= self.max_attempts + free);
        assert!(self.keys.windows(2).all(|pair| pair[0] == pair[1]), "changed its key");
        match verdict {
            Verdict::Success => assert!(self.effect == Effect::None || self.applied == 1, "success without effect"),
            Verdict::Failure { outcome: Outcome::NotSent, .. } => {
                assert!(self.applied == 0, "says not sent, took effect");
            }
            Verdict::Failure { outcome: Outcome::NoEffect, .. } => {
                assert!(self.applied == 0, "says refused, took effect")
            }
            Verdict::Failure { outcome: Outcome::Applied, .. } => {
                assert!(self.effect != Effect::None && self.applied == 1, "says applied, was not");
            }
            Verdict::Failure { outcome: Outcome::Unknown, .. } => {
                assert!(self.effect != Effect::None && self.left > 0, "says unknown, but nothing ever left");
            }
        }
    }
}

/// How many courses are tried, and by how many threads.
fn schedules() -> u64 {
    std::env::var("CINTX_SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000)
}

#[test]
fn a_million_schedules_never_break_a_promise() {
    let (total, threads) = (schedules(), 2);
    let mut counts = [0_u64; 5];
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    let (base, mut counts) = (Now::read(), [0_u64; 5]);
                    for seed in (thread..total).step_by(threads as usize) {
                        let caught = std::panic::catch_unwind(|| {
                            let mut world = World::new(seed, base);
                            world.run();
                            world.calls.iter().map(|call| call.done.unwrap()).collect::<Vec<_>>()
                        });
                        let Ok(verdicts) = caught else { panic!("seed {seed}") };
                        for verdict in verdicts {
                            counts[match verdict {
                                Verdict::Success => 0,
                                Verdict::Failure { outcome, .. } => 1 + outcome as usize,
                            }] += 1;
                        }
                    }
                    counts
                })
            })
            .collect();
        for worker in workers {
            let found = worker.join().unwrap();
            counts.iter_mut().zip(found).for_each(|(count, found)| *count += found);
        }
    });
    println!("{total} schedules: success, not sent, rejected, applied, unknown: {counts:?}");
    // Every end is reached, so none of the checks above is idle.
    assert!(counts.iter().all(|count| *count * 200 > total.min(100_000)), "{counts:?}");
}
