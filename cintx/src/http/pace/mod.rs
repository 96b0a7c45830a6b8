//! The pace of a client: before each attempt its pacer says when it may leave, and after it is told how it ended. One
//! pacer may serve several clients, and a pacer of your own several processes.

mod adaptive;
mod control;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;
mod window;

pub use self::adaptive::AdaptivePacer;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cintx_raw::Operation;
use tokio::time::Instant;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Says when attempts may leave, and learns from how they end.
///
/// A client has an [`AdaptivePacer`] of its own unless it is given another one
/// ([`ClientBuilder::pacer`](crate::ClientBuilder::pacer)). Clients of one process share a pacer by sharing an `Arc` of
/// it. Processes share a limit fairly without knowing of each other; to divide a known limit among them exactly, write
/// a pacer that asks whoever counts for all of them:
///
/// ```
/// use cintx::http::pace::{Observation, PaceRequest, Pacer, Permit, TooLate};
/// use std::{future::Future, pin::Pin, time::Duration};
///
/// struct Ledger;
///
/// impl Ledger {
///     /// How long until this process may send the next request, according to the counter in the common database.
///     async fn reserve(&self) -> Duration {
///         Duration::ZERO
///     }
/// }
///
/// impl Pacer for Ledger {
///     fn acquire(
///         &self,
///         request: PaceRequest,
///     ) -> Pin<Box<dyn Future<Output = Result<Permit, TooLate>> + Send + '_>> {
///         Box::pin(async move {
///             let wait = self.reserve().await;
///             if wait > request.within() {
///                 return Err(TooLate::new(Some(wait)));
///             }
///             tokio::time::sleep(wait).await;
///             Ok(Permit::new(|observation| {
///                 if let Observation::RateLimited { retry_after } = observation {
///                     println!("the ledger is too generous; wait {retry_after:?}");
///                 }
///             }))
///         })
///     }
/// }
/// ```
pub trait Pacer: Send + Sync {
    /// Waits until an attempt may leave, but not longer than [`PaceRequest::within`]. If it is known that its turn
    /// comes too late, that is said at once: the attempt is not made.
    ///
    /// The future may be dropped at any point; then no turn may be lost.
    fn acquire(&self, request: PaceRequest) -> BoxFuture<'_, Result<Permit, TooLate>>;

    /// Lets an attempt leave at once, where that is known without waiting; otherwise [`acquire`](Self::acquire) is
    /// asked. A pacer need not know a short way.
    fn acquire_now(&self, request: &PaceRequest) -> Option<Permit> {
        let _ = request;
        None
    }

    /// The present pace, for whoever watches it.
    fn pace(&self) -> Pace {
        Pace::default()
    }
}

impl<P: Pacer + ?Sized> Pacer for Arc<P> {
    fn acquire(&self, request: PaceRequest) -> BoxFuture<'_, Result<Permit, TooLate>> {
        (**self).acquire(request)
    }

    fn acquire_now(&self, request: &PaceRequest) -> Option<Permit> {
        (**self).acquire_now(request)
    }

    fn pace(&self) -> Pace {
        (**self).pace()
    }
}

/// An attempt that wants to leave.
#[derive(Clone, Copy, Debug)]
pub struct PaceRequest {
    operation: Option<&'static Operation>,
    /// When it asks, unless that is not known.
    asked: Option<Instant>,
    within: Duration,
    max_pause: Duration,
    again: bool,
}

impl PaceRequest {
    /// A first attempt that can wait for so long.
    pub fn new(within: Duration) -> Self {
        Self { operation: None, asked: None, within, max_pause: Duration::MAX, again: false }
    }

    /// An attempt of a call that was turned away with 429 before: it goes before those that come for the first time.
    #[must_use]
    pub fn again(self, again: bool) -> Self {
        Self { again, ..self }
    }

    /// A longer `Retry-After` is not waited out, whoever received it.
    #[must_use]
    pub fn with_max_pause(self, longest: Duration) -> Self {
        Self { max_pause: longest, ..self }
    }

    /// The same for an attempt to call this operation, which asks now and can wait until the time is over.
    pub(super) fn of(self, operation: &'static Operation, now: Instant, deadline: Option<Instant>) -> Self {
        let within = deadline.map_or(Duration::MAX, |deadline| deadline.duration_since(now));
        Self { operation: Some(operation), asked: Some(now), within, ..self }
    }

    /// What it calls: for pacers whose limits differ by operation or host.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.operation
    }

    /// How long it can wait: until the time of its call is over.
    pub fn within(&self) -> Duration {
        self.within
    }

    /// How long a `Retry-After` may be waited out, see
    /// [`RetryPolicy::max_retry_after`](crate::client::RetryPolicy::max_retry_after).
    pub fn max_pause(&self) -> Duration {
        self.max_pause
    }

    /// Whether its call was turned away with 429 before.
    pub fn is_again(&self) -> bool {
        self.again
    }
}

/// How an attempt ended, as far as its pacer is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Observation {
    /// The API answered, and the answer does not speak of too much.
    Answered,
    /// 429, with what `Retry-After` says.
    RateLimited {
        /// How long nothing should be sent.
        retry_after: Option<Duration>,
    },
    /// The API does not keep up: 408, 502, 503, 504, or no answer.
    Overloaded {
        /// How long nothing should be sent.
        retry_after: Option<Duration>,
    },
    /// It was not sent, or nobody waited for its answer.
    Abandoned,
}

/// The right to make one attempt. It is given back by [`report`](Self::report), or by dropping it:
/// [`Observation::Abandoned`].
#[must_use]
pub struct Permit {
    end: Option<Box<dyn FnOnce(Observation) + Send>>,
}

impl Permit {
    /// `end` is called once, with how the attempt ended.
    pub fn new(end: impl FnOnce(Observation) + Send + 'static) -> Self {
        Self { end: Some(Box::new(end)) }
    }

    /// Tells the pacer how the attempt ended.
    pub fn report(mut self, observation: Observation) {
        self.end_with(observation);
    }

    fn end_with(&mut self, observation: Observation) {
        if let Some(end) = self.end.take() {
            end(observation);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.end_with(Observation::Abandoned);
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

/// An attempt's turn would come after the time of its call, or did not come within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rate limit leaves no room for another request in time")]
pub struct TooLate {
    free_in: Option<Duration>,
}

impl TooLate {
    /// With the time until the next request may leave, if that is known.
    pub fn new(free_in: Option<Duration>) -> Self {
        Self { free_in }
    }

    /// The time until the next request may leave, if it is known.
    pub fn free_in(&self) -> Option<Duration> {
        self.free_in
    }
}

/// The pace at one moment.
///
/// ```no_run
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) {
/// if let Some(rate) = cint.pace().and_then(|pace| pace.requests_per_second) {
///     println!("the API allows about {rate:.0} requests a second");
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Pace {
    /// At most so many requests leave in a second; `None` as long as no limit was met.
    pub requests_per_second: Option<f64>,
    /// At most so many are on their way at once.
    pub max_in_flight: usize,
    /// So many are on their way.
    pub in_flight: usize,
    /// So many wait for their turn.
    pub waiting: usize,
    /// Nothing leaves for so long, because `Retry-After` said so.
    pub paused_for: Option<Duration>,
    /// So many attempts were turned away with 429 until now.
    pub rate_limited: u64,
}
