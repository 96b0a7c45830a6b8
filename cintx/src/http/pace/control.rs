//! The rate and the concurrency of one client as a pure state machine: attempts leave and end, and it says when the
//! next may leave. Clock and randomness come from outside.

use super::window::Window;

/// Seconds since the pacer began.
pub(super) type Seconds = f64;

/// What is kept of the rate after a 429 that was expected: the limit was looked for and found again.
const KEPT_WHEN_CONFIRMED: f64 = 0.9;
/// After a 429 below a rate that seemed safe.
const KEPT_WHEN_CONTRADICTED: f64 = 0.8;
/// After a 429 while the limit is not known, as when several processes share it.
const KEPT_WHEN_SEARCHING: f64 = 0.5;
/// How close to a known limit requests go: the rest is for requests that do not arrive as evenly as they leave.
const SAFE_PART: f64 = 0.97;
/// The additive increase, in requests a second for each second. It is the same in each process, whatever its share; so
/// shares of a common limit become equal.
const INCREASE: f64 = 1.0;
/// What makes an increase that goes on for long go faster, so that high limits are found, too.
const ACCELERATION: f64 = 0.005;
/// The way back to a known limit, as a part of it for each second.
const RECOVERY: f64 = 0.08;
/// How long a limit that was seen for the first time is kept to before it is tried whether there is more.
const FIRST_HOLD: Seconds = 10.0;
/// The same for a limit that a search met twice.
const FOUND_HOLD: Seconds = 2.0;
/// With each confirmation it is kept to for so many times longer.
const HOLD_FACTOR: f64 = 4.0;
const MAX_HOLD: Seconds = 60.0;
/// Two limits that differ by less than this part are the same.
const SAME_PART: f64 = 0.07;
/// From so many accepted requests within a second on, their number is an estimate of the limit.
const MIN_COUNTED_REQUESTS: u32 = 10;
/// So many more agreements it takes if fewer were counted.
const MORE_AGREEMENTS: u8 = 2;
/// So often in a row a 429 may come below a known limit until that limit is not believed in any more.
const MAX_CONTRADICTIONS: u8 = 3;
/// A second of accepted requests is looked at, and no pause of our own choice is longer.
const MAX_PAUSE: Seconds = 1.0;
/// The wait after a decrease since which nothing was accepted; it doubles, up to the longest.
const FIRST_BACKOFF: Seconds = 0.2;
const MAX_MISS_BACKOFF: Seconds = 30.0;
/// For all calls: one odd header must not stop a client for years. The call that got it is told the whole of it.
const MAX_RETRY_AFTER: Seconds = 600.0;
/// No rate is lower, in requests a second.
const LOWEST_RATE: f64 = 0.5;
/// A limit that was not met for so long is forgotten.
const FORGOTTEN_AFTER: Seconds = 600.0;
/// What is kept of the concurrency when the API does not keep up.
const KEPT_CONCURRENCY: f64 = 0.7;
/// Timers are so late at times; what they lose is made up for.
const TIMER_LATENESS: Seconds = 0.005;
/// A pause for all is spread over this part of it, a second at most, so that not all processes come back at once.
const SPREAD_PART: f64 = 0.1;

/// When a request may leave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Turn {
    Now,
    At(Seconds),
    /// When another has ended.
    Full,
}

/// An attempt that left, with what held then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Departure {
    at: Seconds,
    /// It took the last place.
    full: bool,
    rate: f64,
    probing: bool,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ending {
    Accepted,
    RateLimited {
        retry_after: Option<Seconds>,
    },
    Overloaded {
        retry_after: Option<Seconds>,
    },
    /// It says nothing of the API.
    Unknown,
}

/// What changed, for those who watch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    Rate { per_second: f64, pause: Seconds },
    Concurrency { limit: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// There is an estimate of the limit. For `hold` seconds it is kept to.
    Known { hold: Seconds, contradictions: u8 },
    /// Additive increase from the last decrease on. So often in a row the limit was met at the same rate.
    Searching { agreements: u8 },
}

/// A limit of the rate, once there was a 429.
#[derive(Clone, Copy, Debug)]
struct Limit {
    /// The rate after the last decrease.
    start: f64,
    ceiling: f64,
    phase: Phase,
    /// How long since then requests waited for their turn: only a rate that is used says something.
    used: Seconds,
    /// When the next may leave.
    next: Seconds,
}

impl Limit {
    fn increase(seconds: Seconds) -> f64 {
        INCREASE * seconds + ACCELERATION * seconds.powi(3)
    }

    fn safe(&self) -> f64 {
        self.ceiling * SAFE_PART
    }

    fn recovery(&self) -> f64 {
        (self.ceiling * RECOVERY).max(INCREASE)
    }

    /// For how long it tries whether there is more than is known.
    fn probed(&self) -> Option<Seconds> {
        let Phase::Known { hold, .. } = self.phase else { return None };
        let recovered = (self.safe() - self.start).max(0.0) / self.recovery();
        let probed = self.used - recovered - hold;
        (probed > 0.0).then_some(probed)
    }

    fn rate(&self) -> f64 {
        match (self.phase, self.probed()) {
            (Phase::Searching { .. }, _) => self.start + Self::increase(self.used),
            (Phase::Known { .. }, None) => (self.start + self.recovery() * self.used).min(self.safe().max(self.start)),
            (Phase::Known { .. }, Some(probed)) => self.safe() + Self::increase(probed),
        }
    }
}

/// A decrease that is being settled: answers that are still on their way add to what was accepted before it.
#[derive(Clone, Copy, Debug)]
struct Decrease {
    before: Option<Limit>,
    refused: Departure,
    now: Seconds,
    unit: f64,
    /// How many were accepted since the decrease before, and in what time.
    accepted: u32,
    busy: Seconds,
    /// How many were accepted within a second, and when the first of them left.
    counted: (u32, Seconds),
}

/// The rate and the concurrency of one client.
#[derive(Clone, Debug)]
pub(super) struct Control {
    most_in_flight: f64,
    concurrency: f64,
    in_flight: u32,
    limit: Option<Limit>,
    /// Nothing leaves before: somebody said so.
    paused_until: Seconds,
    accepted_lately: Window,
    pending_decrease: Option<Decrease>,
    /// Since the last decrease.
    accepted: u32,
    busy: Seconds,
    decreased_at: Seconds,
    concurrency_decreased_at: Seconds,
    /// Decreases in a row without an accepted request between them.
    misses: i32,
    last_departure: Seconds,
    rate_limited: u64,
}

impl Control {
    pub(super) fn new(most_in_flight: u32) -> Self {
        Self {
            most_in_flight: f64::from(most_in_flight.max(1)),
            concurrency: f64::from(most_in_flight.max(1)),
            in_flight: 0,
            limit: None,
            paused_until: 0.0,
            accepted_lately: Window::default(),
            pending_decrease: None,
            accepted: 0,
            busy: 0.0,
            decreased_at: -1.0,
            concurrency_decreased_at: -1.0,
            misses: 0,
            last_departure: 0.0,
            rate_limited: 0,
        }
    }

    /// Requests a second, if there is a limit.
    pub(super) fn rate(&self) -> Option<f64> {
        self.limit.map(|limit| limit.rate())
    }

    pub(super) fn concurrency(&self) -> u32 {
        self.concurrency as u32
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// How many attempts were turned away with 429.
    pub(super) fn rate_limited(&self) -> u64 {
        self.rate_limited
    }

    /// How long nothing may leave because the API said so.
    pub(super) fn pause(&self, now: Seconds) -> Seconds {
        (self.paused_until - now).max(0.0)
    }

    /// When a request may leave.
    pub(super) fn turn(&self, now: Seconds) -> Turn {
        let at = self.limit.map_or(self.paused_until, |limit| limit.next.max(self.paused_until));
        if self.in_flight >= self.concurrency() {
            Turn::Full
        } else if at <= now {
            Turn::Now
        } else {
            Turn::At(at)
        }
    }

    /// The earliest time at which a request can leave that has so many before it, even if the rate doubles.
    pub(super) fn earliest(&self, ahead: usize) -> Seconds {
        match self.limit {
            Some(limit) => limit.next.max(self.paused_until) + ahead as f64 / (2.0 * limit.rate().max(limit.ceiling)),
            None => self.paused_until,
        }
    }

    /// A request leaves; its turn has come.
    pub(super) fn depart(&mut self, now: Seconds) -> Departure {
        self.in_flight += 1;
        self.pending_decrease = None;
        let decreased_at = self.decreased_at;
        if let Some(limit) = &mut self.limit {
            let interval = 1.0 / limit.rate();
            let turn = limit.next.max(self.paused_until);
            let waited = now - turn <= 0.02 + 0.1 * interval;
            let gap = now - self.last_departure;
            self.busy += if waited { gap } else { gap.min(2.0 * interval) };
            if waited {
                limit.used += interval;
            }
            limit.next = turn.max(now - (interval / 2.0).max(TIMER_LATENESS)) + interval;
            if !waited && now - decreased_at > FORGOTTEN_AFTER {
                self.limit = None;
            }
        }
        self.last_departure = now;
        Departure {
            at: now,
            full: self.in_flight >= self.concurrency(),
            rate: self.rate().unwrap_or(f64::INFINITY),
            probing: self.limit.is_some_and(|limit| limit.probed().is_some()),
        }
    }

    /// An attempt has ended. `unit`: a random number from 0 to 1.
    pub(super) fn end(&mut self, departure: Departure, ending: Ending, now: Seconds, unit: f64) -> Option<Change> {
        self.in_flight = self.in_flight.saturating_sub(1);
        match ending {
            Ending::Accepted => {
                self.accept(departure);
                None
            }
            Ending::RateLimited { retry_after } => {
                self.rate_limited += 1;
                self.pause_for(retry_after, now, unit);
                if departure.full {
                    self.decrease_concurrency(departure, now);
                }
                self.decrease_rate(departure, now, unit)
            }
            Ending::Overloaded { retry_after } => {
                self.pause_for(retry_after, now, unit);
                self.decrease_concurrency(departure, now)
            }
            Ending::Unknown => None,
        }
    }

    fn accept(&mut self, departure: Departure) {
        self.accepted_lately.add(departure.at);
        if departure.full {
            self.concurrency = (self.concurrency + 1.0 / self.concurrency).min(self.most_in_flight);
        }
        if departure.at > self.decreased_at {
            self.accepted += 1;
            self.misses = 0;
        } else if let Some(decrease) = &mut self.pending_decrease {
            decrease.accepted += 1;
            self.conclude_decrease();
        }
    }

    fn pause_for(&mut self, retry_after: Option<Seconds>, now: Seconds, unit: f64) {
        if let Some(wait) = retry_after.map(|wait| wait.min(MAX_RETRY_AFTER)) {
            let spread = (wait * SPREAD_PART).min(1.0) * unit;
            self.paused_until = self.paused_until.max(now + wait + spread);
        }
    }

    fn decrease_concurrency(&mut self, departure: Departure, now: Seconds) -> Option<Change> {
        // Those that left before the last decrease say nothing of what has been done since.
        if departure.at <= self.concurrency_decreased_at {
            return None;
        }
        self.concurrency_decreased_at = now;
        self.concurrency = (self.concurrency * KEPT_CONCURRENCY).max(1.0);
        Some(Change::Concurrency { limit: self.concurrency() })
    }

    fn decrease_rate(&mut self, refused: Departure, now: Seconds, unit: f64) -> Option<Change> {
        if refused.at <= self.decreased_at {
            return None;
        }
        if self.accepted == 0 && self.limit.is_some() {
            self.misses += 1;
        }
        let (before, counted) = (self.limit, (0, now));
        let (accepted, busy) = (std::mem::take(&mut self.accepted), std::mem::take(&mut self.busy));
        self.pending_decrease = Some(Decrease { before, refused, now, unit, accepted, busy, counted });
        self.decreased_at = now;
        self.conclude_decrease();
        let limit = self.limit?;
        Some(Change::Rate { per_second: limit.rate(), pause: (limit.next.max(self.paused_until) - now).max(0.0) })
    }

    /// Draws the conclusions from a 429, again with each answer that was still on its way.
    fn conclude_decrease(&mut self) {
        let Some(mut decrease) = self.pending_decrease else { return };
        let counted = self.accepted_lately.last_second(decrease.refused.at);
        if counted.0 > decrease.counted.0 {
            decrease.counted = counted;
            self.pending_decrease = Some(decrease);
        }
        let (ceiling, phase, kept) = conclude(&decrease);
        let ceiling = ceiling.max(LOWEST_RATE);
        let start = (ceiling * kept).max(LOWEST_RATE);
        let (count, first) = decrease.counted;
        let interval = 1.0 / start;
        // What was accepted counts against the new rate.
        let mut next = (first + (f64::from(count) * interval).min(MAX_PAUSE)).max(decrease.now);
        next += decrease.unit * interval * 0.5;
        if self.misses > 0 {
            let backoff = (FIRST_BACKOFF * 2_f64.powi((self.misses - 1).min(16))).min(MAX_MISS_BACKOFF);
            next = next.max(decrease.now + backoff * (0.5 + decrease.unit * 0.5));
        }
        next = next.max(self.paused_until + decrease.unit * interval * 0.5);
        next = next.max(decrease.before.map_or(0.0, |before| before.next));
        self.limit = Some(Limit { start, ceiling, phase, used: 0.0, next });
    }
}

/// Where the limit is, how sure that is, and which part of it to begin with.
fn conclude(decrease: &Decrease) -> (f64, Phase, f64) {
    let (count, _) = decrease.counted;
    let Some(before) = decrease.before else {
        return if count >= MIN_COUNTED_REQUESTS {
            (f64::from(count), Phase::Known { hold: FIRST_HOLD, contradictions: 0 }, KEPT_WHEN_CONFIRMED)
        } else {
            (INCREASE, Phase::Searching { agreements: 0 }, 1.0)
        };
    };
    let probing = decrease.refused.probing;
    let mut ceiling = decrease.refused.rate.min(f64::from(count) + 1.0);
    if let (true, Phase::Known { hold, .. }) = (probing, before.phase) {
        // A bucket that was full is emptied first; in the long run no more than the limit is accepted.
        if decrease.busy >= 5.0 {
            ceiling = ceiling.min(1.08 * f64::from(decrease.accepted) / decrease.busy);
        }
        // What went well for so long is below the limit.
        if hold >= FOUND_HOLD {
            ceiling = ceiling.max(before.safe());
        }
    }
    // A small share of a limit may be met at the same rate by chance.
    let needed = if count >= MIN_COUNTED_REQUESTS { 0 } else { MORE_AGREEMENTS };
    let same = (ceiling - before.ceiling).abs() <= SAME_PART * before.ceiling;
    match before.phase {
        Phase::Known { contradictions, .. }
            if !probing && contradictions < MAX_CONTRADICTIONS && count >= MIN_COUNTED_REQUESTS =>
        {
            (ceiling, Phase::Known { hold: FIRST_HOLD, contradictions: contradictions + 1 }, KEPT_WHEN_CONTRADICTED)
        }
        Phase::Known { hold, contradictions } if probing && same => {
            let hold = (hold * HOLD_FACTOR).clamp(1.0, MAX_HOLD);
            (ceiling, Phase::Known { hold, contradictions }, KEPT_WHEN_CONFIRMED)
        }
        Phase::Searching { agreements } if same && agreements >= needed => {
            (ceiling, Phase::Known { hold: FOUND_HOLD, contradictions: MAX_CONTRADICTIONS }, KEPT_WHEN_CONFIRMED)
        }
        Phase::Searching { agreements } if same => {
            (ceiling, Phase::Searching { agreements: agreements + 1 }, KEPT_WHEN_SEARCHING)
        }
        _ => (ceiling, Phase::Searching { agreements: 0 }, KEPT_WHEN_SEARCHING),
    }
}
