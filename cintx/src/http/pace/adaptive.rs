//! Drives `control`: attempts wait in line for their turn, the first of them watching the clock. No task is spawned,
//! and the lock is never held over a wait.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::control::{Change, Control, Departure, Ending, Seconds, Turn};
use super::{BoxFuture, Observation, Pace, PaceRequest, Pacer, Permit, TooLate};

/// As many as a client has on their way if nothing else was said.
const IN_FLIGHT: usize = 32;

/// Learns how much the API bears: the default pacer of a client.
///
/// Until the first 429 nothing waits. Then it estimates the limit from what was accepted, keeps a little below it, and
/// tries now and then whether there is more: additive increase, multiplicative decrease. A `Retry-After` stops
/// everything until it is over. The number of requests on their way is adapted in the same way, when the API answers
/// late or with 503.
///
/// Attempts leave in the order in which they came, after those of calls that were turned away before.
///
/// ```
/// use cintx::Client;
/// use cintx::V2025_12_18;
/// use cintx::http::pace::AdaptivePacer;
/// use std::sync::Arc;
///
/// # fn build() -> Result<(), cintx::Error> {
/// // Two accounts behind one limit.
/// let pacer = Arc::new(AdaptivePacer::new());
/// let one = Client::<V2025_12_18>::builder().token("...").account(2428).pacer(Arc::clone(&pacer)).build()?;
/// let other = Client::<V2025_12_18>::builder().token("...").account(2429).pacer(pacer).build()?;
/// # Ok(())
/// # }
/// ```
pub struct AdaptivePacer(Arc<Shared>);

struct Shared {
    began: Instant,
    state: Mutex<State>,
}

struct State {
    control: Control,
    /// Those that wait, in the order of their turns.
    line: BTreeMap<Place, Arc<Notify>>,
    next: u64,
}

/// A place in line: those that come again first, then by the order of coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    is_first_attempt: bool,
    number: u64,
}

impl AdaptivePacer {
    /// Knows no limit yet; at most 32 requests on their way.
    pub fn new() -> Self {
        Self::with_max_in_flight(IN_FLIGHT)
    }

    /// With at most so many requests on their way, at least 1.
    pub fn with_max_in_flight(requests: usize) -> Self {
        let control = Control::new(u32::try_from(requests).unwrap_or(u32::MAX));
        let state = Mutex::new(State { control, line: BTreeMap::new(), next: 0 });
        Self(Arc::new(Shared { began: Instant::now(), state }))
    }
}

impl Default for AdaptivePacer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for AdaptivePacer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AdaptivePacer").field(&self.pace()).finish()
    }
}

impl Pacer for AdaptivePacer {
    fn acquire(&self, request: PaceRequest) -> BoxFuture<'_, Result<Permit, TooLate>> {
        Box::pin(self.0.acquire(request))
    }

    fn acquire_now(&self, request: &PaceRequest) -> Option<Permit> {
        self.0.leave_now(request.asked.map_or_else(|| self.0.now(), |asked| self.0.seconds(asked)))
    }

    fn pace(&self) -> Pace {
        let now = self.0.now();
        let state = self.0.lock();
        let pause = state.control.pause(now);
        Pace {
            requests_per_second: state.control.rate(),
            max_in_flight: state.control.concurrency() as usize,
            in_flight: state.control.in_flight() as usize,
            waiting: state.line.len(),
            paused_for: (pause > 0.0).then(|| duration(pause)),
            rate_limited: state.control.rate_limited(),
        }
    }
}

impl Shared {
    fn now(&self) -> Seconds {
        self.seconds(Instant::now())
    }

    fn seconds(&self, at: Instant) -> Seconds {
        at.duration_since(self.began).as_secs_f64()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn acquire(self: &Arc<Self>, request: PaceRequest) -> Result<Permit, TooLate> {
        let end = self.now() + request.within().as_secs_f64();
        let waiting = match self.enter(&request, end)? {
            Entry::Leave(permit) => return Ok(permit),
            Entry::Wait(waiting) => waiting,
        };
        loop {
            let until = match self.step(&waiting, &request, end)? {
                Step::Leave(permit) => return Ok(permit),
                Step::Wait { until } => until,
            };
            let called = waiting.notify.notified();
            // A little later than asked, so that the time has certainly come.
            match self.began.checked_add(duration(until + 1e-6)) {
                Some(until) => drop(tokio::time::timeout_at(until, called).await),
                None => called.await,
            }
        }
    }

    /// Leaves at once, if nobody waits.
    fn leave_now(self: &Arc<Self>, now: Seconds) -> Option<Permit> {
        let state = self.lock();
        (state.line.is_empty() && state.control.turn(now) == Turn::Now).then(|| self.depart(state, now))
    }

    /// Leaves at once, or gets in line.
    fn enter(self: &Arc<Self>, request: &PaceRequest, end: Seconds) -> Result<Entry, TooLate> {
        let now = self.now();
        let mut state = self.lock();
        if state.line.is_empty() && state.control.turn(now) == Turn::Now {
            return Ok(Entry::Leave(self.depart(state, now)));
        }
        let place = Place { is_first_attempt: !request.is_again(), number: state.next };
        let ahead = if request.is_again() { state.line.range(..place).count() } else { state.line.len() };
        state.check(request, now, end, ahead)?;
        state.next += 1;
        let notify = Arc::new(Notify::new());
        state.line.insert(place, Arc::clone(&notify));
        Ok(Entry::Wait(Waiting { shared: Arc::clone(self), place, notify }))
    }

    /// What is to be done by one that waits.
    fn step(self: &Arc<Self>, waiting: &Waiting, request: &PaceRequest, end: Seconds) -> Result<Step, TooLate> {
        let now = self.now();
        let state = self.lock();
        let is_first = state.line.first_key_value().is_some_and(|(place, _)| *place == waiting.place);
        let turn = state.control.turn(now);
        if is_first && turn == Turn::Now {
            return Ok(Step::Leave(self.depart(state, now)));
        }
        state.check(request, now, end, 0)?;
        let until = match turn {
            Turn::At(at) if is_first => at.min(end),
            _ => end,
        };
        Ok(Step::Wait { until })
    }

    /// A request leaves.
    fn depart(self: &Arc<Self>, mut state: MutexGuard<'_, State>, now: Seconds) -> Permit {
        let departure = state.control.depart(now);
        drop(state);
        let shared = Arc::clone(self);
        Permit::new(move |observation| shared.end(departure, observation))
    }

    fn end(&self, departure: Departure, observation: Observation) {
        let now = self.now();
        let seconds = |wait: Option<Duration>| wait.map(|wait| wait.as_secs_f64());
        let ending = match observation {
            Observation::Answered => Ending::Accepted,
            Observation::RateLimited { retry_after } => Ending::RateLimited { retry_after: seconds(retry_after) },
            Observation::Overloaded { retry_after } => Ending::Overloaded { retry_after: seconds(retry_after) },
            Observation::Abandoned => Ending::Unknown,
        };
        let mut state = self.lock();
        let paused = state.control.pause(now);
        let change = state.control.end(departure, ending, now, fastrand::f64());
        if state.control.pause(now) > paused {
            // The pause may be longer than some can wait.
            state.line.values().for_each(|waiting| waiting.notify_one());
        } else {
            state.call_first();
        }
        drop(state);
        match change {
            Some(Change::Rate { per_second, pause }) => {
                tracing::info!(
                    requests_per_second = per_second,
                    pause_seconds = pause,
                    "too many requests: slows down"
                );
            }
            Some(Change::Concurrency { limit }) => {
                tracing::info!(max_in_flight = limit, "the API does not keep up: fewer requests at once");
            }
            None => {}
        }
    }
}

impl State {
    /// Whether the turn of one with so many before it can come in time.
    fn check(&self, request: &PaceRequest, now: Seconds, end: Seconds, ahead: usize) -> Result<(), TooLate> {
        let earliest = self.control.earliest(ahead);
        if now < end && earliest <= end && self.control.pause(now) <= request.max_pause().as_secs_f64() {
            return Ok(());
        }
        Err(TooLate::new((earliest > now).then(|| duration(earliest - now))))
    }

    fn call_first(&self) {
        if let Some((_, first)) = self.line.first_key_value() {
            first.notify_one();
        }
    }
}

enum Entry {
    Leave(Permit),
    Wait(Waiting),
}

enum Step {
    Leave(Permit),
    /// Until then, or until called.
    Wait {
        until: Seconds,
    },
}

/// A place in line, left when this is dropped.
struct Waiting {
    shared: Arc<Shared>,
    place: Place,
    notify: Arc<Notify>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let was_first = state.line.first_key_value().is_some_and(|(place, _)| *place == self.place);
        state.line.remove(&self.place);
        if was_first {
            state.call_first();
        }
    }
}

fn duration(seconds: Seconds) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}
