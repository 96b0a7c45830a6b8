//! Random courses of events against the tokens of one client: callers in crowds, sources that fail, hang and repeat
//! themselves, an API that refuses, machines that sleep and clocks that are set.
//! `CINTX_TOKEN_COURSES=1000000 cargo test --release -p cintx --lib token_courses` runs a million of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use cintx_raw::Secret;
use fastrand::Rng;

use super::clock::Now;
use super::refresh::{Demand, MAX_REFRESH_TIME, RefreshNumber, Tokens};
use super::token::Token;
use crate::auth::TokenError;

const EVENTS: u32 = 300;
/// As `refresh` has them; a model that asked it would not notice a change.
const ACCEPTED_GRACE: Duration = Duration::from_secs(300);
const REFUSAL_LIFE: Duration = Duration::from_secs(60);
/// The time over which token requests are counted, and the most that there may be without a clock that jumps.
const WINDOW: Duration = Duration::from_secs(10);
const MAX_BEGUN_IN_WINDOW: usize = 25;

/// What is known of a refusal.
#[derive(Clone, Copy)]
struct Refusal {
    at: Now,
    /// The API had taken none of our tokens for a while.
    beyond_doubt: bool,
}

struct World {
    rng: Rng,
    now: Now,
    tokens: Tokens,
    /// Refreshes that have neither ended nor been given up, and when they began.
    under_way: Vec<(RefreshNumber, Now)>,
    /// When refreshes began since the last jump of a clock.
    begun: Vec<Now>,
    waiting: HashMap<RefreshNumber, u32>,
    held: Vec<Arc<Token>>,
    made: u32,
    repeated: HashSet<String>,
    refused: HashMap<String, Refusal>,
    accepted: Option<Now>,
    uses: u64,
    failures: u64,
}

impl World {
    fn new(seed: u64, now: Now) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            now,
            tokens: Tokens::default(),
            under_way: Vec::new(),
            begun: Vec::new(),
            waiting: HashMap::new(),
            held: Vec::new(),
            made: 0,
            repeated: HashSet::new(),
            refused: HashMap::new(),
            accepted: None,
            uses: 0,
            failures: 0,
        }
    }

    fn run(&mut self) {
        for _ in 0..EVENTS {
            match self.rng.u8(0..20) {
                0..8 => self.call(),
                8..11 => self.pass(),
                11..14 => self.end_refresh(),
                14 => self.lose_refresh(),
                15..18 => self.refuse(),
                18 => self.accept(),
                _ => self.jump(),
            }
        }
        // Nothing ends by itself any more: those who wait see to it.
        for _ in 0..3 {
            self.now = self.now + MAX_REFRESH_TIME;
            for (_, callers) in std::mem::take(&mut self.waiting) {
                (0..callers).for_each(|_| self.demand());
            }
            self.end_refresh();
        }
        assert!(self.waiting.is_empty(), "some wait for ever: {:?}", self.waiting);
    }

    fn trusted(&self) -> bool {
        self.accepted.is_some_and(|at| self.now.since(at) < ACCEPTED_GRACE)
    }

    fn call(&mut self) {
        (0..self.rng.u32(1..30)).for_each(|_| self.demand());
    }

    fn demand(&mut self) {
        // Whoever needs a token sees when nobody drives a refresh.
        self.under_way.retain(|(_, began)| self.now.since(*began) < MAX_REFRESH_TIME);
        match self.tokens.demand(self.now) {
            Demand::Use(token) => self.take(token),
            Demand::UseAndRefresh(token, number) => {
                self.begin(number);
                self.take(token);
            }
            Demand::Wait { number, begin } => {
                if begin {
                    self.begin(number);
                }
                assert!(self.under_way.iter().any(|(other, _)| *other == number), "waits for what nobody began");
                *self.waiting.entry(number).or_default() += 1;
            }
            Demand::Fail(_) => self.failures += 1,
        }
    }

    fn begin(&mut self, number: RefreshNumber) {
        let now = self.now;
        assert!(self.under_way.is_empty(), "two refreshes at once");
        self.under_way.push((number, now));
        self.begun.retain(|began| now.since(*began) < WINDOW);
        self.begun.push(now);
        assert!(self.begun.len() <= MAX_BEGUN_IN_WINDOW, "{} refreshes in {WINDOW:?}", self.begun.len());
    }

    /// Nobody is given a token that is known to be refused.
    fn check(&self, token: &Token) {
        let name = token.secret().expose();
        if let Some(refusal) = self.refused.get(name)
            && refusal.beyond_doubt
            && !self.trusted()
        {
            assert!(self.repeated.contains(name), "{name} is used again");
            assert!(self.now.since(refusal.at) >= REFUSAL_LIFE, "{name} is used again soon");
        }
    }

    fn take(&mut self, token: Arc<Token>) {
        self.check(&token);
        self.uses += 1;
        self.held.push(token);
        if self.held.len() > 20 {
            self.held.swap_remove(0);
        }
    }

    fn pass(&mut self) {
        let longest = self.rng.choice([200, 5_000, 600_000]).unwrap();
        self.now = self.now + Duration::from_millis(self.rng.u64(0..longest));
    }

    /// The machine sleeps, or somebody sets a clock.
    fn jump(&mut self) {
        let time = Duration::from_secs(self.rng.u64(1..100_000));
        self.now.wall = if self.rng.bool() { self.now.wall + time } else { self.now.wall - time };
        self.begun.clear();
    }

    fn end_refresh(&mut self) {
        let Some((number, began)) = self.under_way.pop() else { return };
        let outcome = match self.rng.u8(0..10) {
            0 => Err(TokenError::Panicked),
            1 => Err(TokenError::Unreadable { reason: "as the dice fell" }),
            _ => Ok(self.make(began)),
        };
        let callers = self.waiting.remove(&number).unwrap_or_default();
        match self.tokens.refreshed(number, outcome, self.now) {
            Ok(token) => {
                self.check(&token);
                // Given again by its source, and believed: a new beginning, whatever the clocks do next.
                self.refused.remove(token.secret().expose());
                (0..callers).for_each(|_| self.take(Arc::clone(&token)));
            }
            Err(_) => self.failures += u64::from(callers),
        }
    }

    fn make(&mut self, began: Now) -> Arc<Token> {
        let repeats = self.made > 0 && self.rng.u8(0..5) == 0;
        if !repeats {
            self.made += 1;
        }
        let name = self.made.to_string();
        if repeats {
            self.repeated.insert(name.clone());
        }
        let life = self.rng.choice([0, 1, 100, 10_000, 3_600_000]).map(Duration::from_millis);
        Arc::new(Token::new(Secret::from(name), life, Duration::from_secs(300), began, self.rng.f64()).unwrap())
    }

    /// Its runtime goes, and those who wait see it.
    fn lose_refresh(&mut self) {
        let Some((number, _)) = self.under_way.pop() else { return };
        self.tokens.lost(number, self.now);
        (0..self.waiting.remove(&number).unwrap_or_default()).for_each(|_| self.demand());
    }

    fn refuse(&mut self) {
        let Some(token) = self.rng.choice(&self.held).map(Arc::clone) else { return };
        // All calls that are out with it, one after the other.
        for _ in 0..self.rng.u32(1..4) {
            self.tokens.refuse(&token, self.now);
        }
        let refusal = Refusal { at: self.now, beyond_doubt: !self.trusted() };
        self.refused.insert(token.secret().expose().to_owned(), refusal);
    }

    fn accept(&mut self) {
        if !self.held.is_empty() {
            self.tokens.accept(self.now);
            self.accepted = Some(self.now);
        }
    }
}

#[test]
fn token_courses_never_break_a_promise() {
    let courses = std::env::var("CINTX_TOKEN_COURSES").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000);
    let (now, mut uses, mut failures) = (Now::read(), 0, 0);
    for seed in 0..courses {
        let caught = std::panic::catch_unwind(|| {
            let mut world = World::new(seed, now);
            world.run();
            (world.uses, world.failures)
        });
        let Ok((used, failed)) = caught else { panic!("seed {seed}") };
        uses += used;
        failures += failed;
    }
    println!("{courses} courses: {uses} uses, {failures} failures");
    assert!(uses > courses * 100 && failures > courses * 10, "{uses} uses, {failures} failures");
}
