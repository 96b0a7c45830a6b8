//! The inbox between a receiver of webhooks and the program that handles what they tell: it takes each event once, puts
//! sessions in order, keeps the newest count of each quota, and hands on what is committed.
//!
//! ```no_run
//! # fn handle(event: &cintx::webhook::receive::Event) {}
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use cintx::webhook::inbox::{Inbox, MemoryInboxStore};
//!
//! let inbox = Inbox::new(MemoryInboxStore::new()); // one in a file: `RedbInboxStore`
//! // The web server: `inbox.accept(event)`, then the acknowledgement. Elsewhere, one loop:
//! loop {
//!     let facts = inbox.take(100).await?;
//!     if facts.is_empty() {
//!         inbox.changed().await;
//!         continue;
//!     }
//!     facts.iter().for_each(|fact| handle(fact.event()));
//!     inbox.done(&facts).await?;
//! }
//! # }
//! ```
//!
//! # What is promised
//!
//! - **Nothing that was acknowledged is lost.** [`accept`](Inbox::accept) returns after the commit. Events that come at
//!   the same time share one.
//! - **Each event is taken once**, by its id and, for a session, by its number, for as long as the inbox
//!   [remembers](Inbox::remember) it: 14 days unless set, and Cint repeats for up to seven.
//!   A session's next number is known for [62 days more](SessionOrder::KEPT_LONGER), which is longer than a respondent
//!   can be reconciled.
//! - **The handler gets each fact at least once**, under the same [`number`](Fact::number) each time: again only if
//!   [`done`](Inbox::done) was not reached. State that is kept in the same store takes effect **exactly once**:
//!   `RedbInboxStore::done_with` writes it in the transaction that ends the facts.
//! - **A session's events come in the order of their numbers.** One that is ahead waits for those before it as long as
//!   the inbox has [patience](Inbox::patience), one minute unless set, and is then handed on. What comes after all is
//!   handed on too, and [is late](Fact::is_late). That sessions count from 1 is inferred, not published: where they do
//!   not, or a session began before the subscription or has been forgotten, events are not lost: the first of a session
//!   waits, once.
//! - **A quota's counts are totals**: of those that wait, only the newest by the envelope's time is handed on, and an
//!   older one that comes after a newer one is dropped. An event that lacks completes or screens takes the place of no
//!   other one, and none takes its place.
//! - **Missing numbers are reported**: [`gaps`](Inbox::gaps). A [filler](Inbox::filler) looks them up in the
//!   subscription's [history](crate::webhook::Webhook::history) and accepts what it has. A session's last event leaves
//!   no gap when it is lost: after your server was away, [catch up](GapFiller::catch_up).
//!
//! One loop takes facts at a time; any number of tasks may accept.
//!
//! # Why redb
//!
//! The store in a file (feature `inbox-redb`) is [redb](https://docs.rs/redb), not SQLite: it is Rust alone, so that
//! nobody needs a C compiler or a second toolchain to cross-compile, it brings one small dependency, and its commits
//! are atomic and on disk when they return. A store of your own implements [`InboxStore`] by way
//! of [`SessionOrder`].

#[cfg(feature = "inbox-axum")]
mod axum;
mod filler;
mod memory;
mod order;
mod records;
#[cfg(feature = "inbox-redb")]
mod redb;
mod rules;

#[cfg(feature = "inbox-axum")]
pub use self::axum::router;
pub use self::filler::{Filled, GapFiller};
pub use self::memory::MemoryInboxStore;
pub use self::order::{MissingNumbers, SequencePlace, SessionOrder};
#[cfg(feature = "inbox-redb")]
pub use self::redb::RedbInboxStore;

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cintx_raw::BoxError;
use futures_util::future::{BoxFuture, select};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Notify, OwnedMutexGuard, oneshot};

use super::receive::Event;
use crate::client::Clock;
use crate::client::clock::SharedClock;
use crate::types::serde_text::word;

/// The most events that share a commit.
const MAX_BATCH: usize = 1_000;
const DEFAULT_PATIENCE: Duration = Duration::from_secs(60);
const DEFAULT_RETENTION: Duration = Duration::from_secs(14 * 86_400);

/// Why the inbox could not read or write.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InboxError {
    /// The store failed.
    #[error("the inbox's store failed")]
    Store(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The disk failed under a database of yours, and redb refuses everything until it is opened again: see
    /// `RedbInboxStore::over`.
    #[error("the inbox's database refuses everything until it is closed and opened again")]
    MustReopen(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The store holds something that the inbox has not written.
    #[error("the inbox holds {what} that cannot be read: {problem}")]
    Unreadable {
        /// What it should be.
        what: &'static str,
        /// What is wrong about it.
        problem: String,
    },
    /// The runtime ended before the commit did. Whether the event was taken is not known; Cint will repeat it.
    #[error("the runtime ended before the commit")]
    Abandoned,
}

impl InboxError {
    /// The failure of a store.
    pub fn store(cause: impl Into<BoxError>) -> Self {
        Self::Store(Arc::from(cause.into()))
    }

    /// The message with those of all causes.
    #[cfg(any(feature = "inbox-redb", feature = "inbox-axum"))]
    fn chain(&self) -> String {
        let causes = std::iter::successors(std::error::Error::source(self), |cause| cause.source());
        causes.fold(self.to_string(), |said, cause| format!("{said}: {cause}"))
    }
}

/// What the inbox made of an event. Acknowledge it in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Accepted {
    /// It is handed on.
    New,
    /// It is handed on after the events of its session that come before it.
    Waiting,
    /// It was there before.
    Duplicate,
    /// The quota has newer counts.
    Superseded,
}

word!(Accepted: "what an inbox says of an event: new, waiting, duplicate or superseded");

/// An event that is to be handled.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fact {
    number: u64,
    is_late: bool,
    event: Event,
}

impl Fact {
    /// A fact as a store hands it on.
    pub fn new(number: u64, is_late: bool, event: Event) -> Self {
        Self { number, is_late, event }
    }

    /// Its number in this inbox, the same each time that it is handed on. Later facts have higher ones.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether later events of its session were handed on before it: what they changed as well is newer.
    pub fn is_late(&self) -> bool {
        self.is_late
    }

    /// The event.
    pub fn event(&self) -> &Event {
        &self.event
    }
}

/// Numbers of a session that have not come.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Gap {
    /// The session.
    pub session: String,
    /// Its target group, if its events said so.
    pub target_group: Option<String>,
    /// The first number that is missing. A gap that begins with 1 may be no loss: then the session began before the
    /// subscription did.
    pub first: i64,
    /// The last number that is missing.
    pub last: i64,
    /// Since when a later one is there.
    pub since: Timestamp,
}

impl Gap {
    /// Numbers of a session that have not come, as a store found them.
    pub fn new(session: impl Into<String>, (first, last): (i64, i64), since: Timestamp) -> Self {
        Self { session: session.into(), target_group: None, first, last, since }
    }
}

/// Keeps what the inbox knows. Every method is one transaction: all of it, on disk, or nothing. What it decides is
/// described in [the module's promises](self#what-is-promised).
pub trait InboxStore: Send + Sync {
    /// Takes events, in this order, and says what became of each. Forgets ids of before `forget_before`, and sessions
    /// whose last event came longer before that than [`SessionOrder::KEPT_LONGER`].
    fn accept<'a>(
        &'a self,
        events: &'a [Event],
        now: Timestamp,
        forget_before: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Accepted>, InboxError>>;

    /// The first facts that are not done, in order. First lets go what has waited since `waiting_since` or longer.
    fn take(&self, limit: usize, waiting_since: Timestamp) -> BoxFuture<'_, Result<Vec<Fact>, InboxError>>;

    /// Removes facts by their numbers. What is not there is none of its business.
    fn done<'a>(&'a self, numbers: &'a [u64]) -> BoxFuture<'a, Result<(), InboxError>>;

    /// The numbers that are missing now, at most so many gaps.
    fn gaps(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Gap>, InboxError>>;

    /// Those of the gaps that were noticed in a time, the newest first, at most so many. As the default has it, all
    /// gaps are read for that.
    fn gaps_since(
        &self,
        noticed: RangeInclusive<Timestamp>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Gap>, InboxError>> {
        Box::pin(async move { Ok(newest_gaps(self.gaps(usize::MAX).await?, &noticed, limit)) })
    }

    /// Waits until another process has put something into the store. Never, as the default has it, for a store that one
    /// process has to itself.
    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

/// Takes events and hands on facts: see [the module](self). Cheap to clone; the clones share everything.
#[derive(Clone)]
pub struct Inbox {
    shared: Arc<Shared>,
    patience: Duration,
    remember: Duration,
    clock: SharedClock,
}

struct Shared {
    store: Arc<dyn InboxStore>,
    /// What waits for the next commit.
    queue: Mutex<Vec<Queued>>,
    /// Held by the commit under way.
    committing: Arc<tokio::sync::Mutex<()>>,
    changed: Notify,
}

struct Queued {
    event: Event,
    answer: oneshot::Sender<Result<Accepted, InboxError>>,
}

impl Inbox {
    /// An inbox over a store. What the store has from earlier is handed on.
    pub fn new(store: impl InboxStore + 'static) -> Self {
        let shared = Shared {
            store: Arc::new(store),
            queue: Mutex::default(),
            committing: Arc::default(),
            changed: Notify::new(),
        };
        let clock = SharedClock::system();
        Self { shared: Arc::new(shared), patience: DEFAULT_PATIENCE, remember: DEFAULT_RETENTION, clock }
    }

    /// Asks this clock what time it is, instead of the machine's: how long an event has waited, how old a gap is. Give
    /// it that of the [client](crate::ClientBuilder::clock). The clones that were made before keep theirs.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = SharedClock::new(clock);
        self
    }

    /// How long an event waits for those of its session that come before it. One minute if not set.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long an event that comes again is known, and a gap is told. 14 days if not set; Cint repeats for up to
    /// seven. The next number of a session is known for [62 days more](SessionOrder::KEPT_LONGER), so that what a
    /// reconciliation tells of it weeks later is in order.
    #[must_use]
    pub fn remember(mut self, time: Duration) -> Self {
        self.remember = time;
        self
    }

    /// Takes an event, and returns when that is committed: acknowledge it then.
    ///
    /// It is safe to drop the future: the event is taken or not, and Cint repeats it in both cases.
    ///
    /// # Errors
    /// It is not certain to be kept: do not acknowledge it.
    pub async fn accept(&self, event: Event) -> Result<Accepted, InboxError> {
        let (answer, mut answered) = oneshot::channel();
        self.shared.lock_queue().push(Queued { event, answer });
        loop {
            let turn = Arc::clone(&self.shared.committing).lock_owned().await;
            match answered.try_recv() {
                // It came along with a commit.
                Ok(accepted) => return accepted,
                Err(TryRecvError::Closed) => return Err(InboxError::Abandoned),
                Err(TryRecvError::Empty) => self.commit(turn),
            }
        }
    }

    /// Commits what waits, on its own, so that a caller who goes away does not take the others along.
    fn commit(&self, turn: OwnedMutexGuard<()>) {
        let (shared, now) = (Arc::clone(&self.shared), self.clock.now());
        let forget_before = ago(now, self.remember);
        let batch: Vec<Queued> = {
            let mut queue = shared.lock_queue();
            let count = queue.len().min(MAX_BATCH);
            queue.drain(..count).collect()
        };
        tokio::spawn(async move {
            let (events, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|it| (it.event, it.answer)).unzip();
            let accepted = shared.store.accept(&events, now, forget_before).await;
            for (at, answer) in answers.into_iter().enumerate() {
                let one = match &accepted {
                    Ok(list) => list.get(at).copied().ok_or(InboxError::Abandoned),
                    Err(error) => Err(error.clone()),
                };
                // Who has gone away needs no answer.
                let _ = answer.send(one);
            }
            shared.changed.notify_one();
            drop(turn);
        });
    }

    /// The first facts that are not [done](Self::done), in order; the same ones until then. Empty if there are none.
    ///
    /// # Errors
    /// The store failed.
    pub async fn take(&self, limit: usize) -> Result<Vec<Fact>, InboxError> {
        self.shared.store.take(limit, ago(self.clock.now(), self.patience)).await
    }

    /// Ends facts: they are not handed on again.
    ///
    /// # Errors
    /// The store failed: they will be handed on again.
    pub async fn done(&self, facts: &[Fact]) -> Result<(), InboxError> {
        let numbers: Vec<u64> = facts.iter().map(Fact::number).collect();
        self.shared.store.done(&numbers).await
    }

    /// Waits until there may be something to take: an event was accepted since the last call, by this process or by
    /// another one with the same store, or one has waited long enough.
    pub async fn changed(&self) {
        let wait = self.patience.clamp(Duration::from_millis(10), DEFAULT_PATIENCE);
        let here = std::pin::pin!(self.shared.changed.notified());
        let _ = tokio::time::timeout(wait, select(here, self.shared.store.changed())).await;
    }

    /// The numbers of sessions that are missing, at most the newest 1,000 gaps, by the ids of the sessions: those that
    /// were noticed within the time that the inbox [remembers](Self::remember). Those that have just come up may fill
    /// by themselves.
    ///
    /// # Errors
    /// The store failed.
    pub async fn gaps(&self) -> Result<Vec<Gap>, InboxError> {
        let lately = ago(self.clock.now(), self.remember)..=Timestamp::MAX;
        let mut gaps = self.shared.store.gaps_since(lately, 1_000).await?;
        gaps.sort_by(|one, other| (&one.session, one.first).cmp(&(&other.session, other.first)));
        Ok(gaps)
    }

    /// Those of the gaps that were noticed in a time, the newest first, at most so many.
    ///
    /// # Errors
    /// The store failed.
    pub async fn gaps_since(&self, noticed: RangeInclusive<Timestamp>, limit: usize) -> Result<Vec<Gap>, InboxError> {
        self.shared.store.gaps_since(noticed, limit).await
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Shared {
    fn lock_queue(&self) -> std::sync::MutexGuard<'_, Vec<Queued>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those of some gaps that were noticed in a time, the newest first.
fn newest_gaps(mut gaps: Vec<Gap>, noticed: &RangeInclusive<Timestamp>, limit: usize) -> Vec<Gap> {
    gaps.retain(|gap| noticed.contains(&gap.since));
    gaps.sort_by(|one, other| other.since.cmp(&one.since).then_with(|| one.cmp(other)));
    gaps.truncate(limit);
    gaps
}

fn ago(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_sub(time).unwrap_or(Timestamp::MIN)
}
