//! The inbox of many receivers: each event is taken once, whoever it comes to, and each fact is claimed by one handler,
//! in one transaction with its effect.

mod accept;
mod claim;
mod tables;

pub use self::claim::Batch;

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use cintx::webhook::inbox::{Accepted, Fact, Gap, InboxError, InboxStore};
use cintx::webhook::receive::Event;
use deadpool_postgres::ClientWrapper;
use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use tokio_postgres::Row;

use self::accept::Overdue;
use crate::database::{Database, LockKind, system_time, try_session_lock};
use crate::error::Error;

/// The channel on which receivers tell each other that there is something to do.
const CHANNEL: &str = "cintx_inbox";
const DEFAULT_PATIENCE: Duration = Duration::from_secs(60);
/// How often a transaction is tried that PostgreSQL broke off in favour of another.
const MAX_TRIES: u32 = 5;

/// Keeps an inbox in the tables `cintx.inbox_…`, for any number of processes that receive, and any number that handle.
/// There is one inbox in a database. Cheap to clone.
///
/// - **Receiving**: give it to [`Inbox::new`](cintx::webhook::inbox::Inbox::new) in each process. What one has taken is a
///   duplicate for all others.
/// - **Handling, exactly once**: [`claim`](Self::claim) facts, write what they change into the same database, and commit
///   both. A process that is killed in between leaves nothing half done, and another one claims the facts.
/// - **Order**: a session's facts are handled in the order of their numbers, a quota's counts from older to newer, one
///   batch after the other, whoever handles them. Facts of different sessions and quotas are handled side by side, and
///   those of other events in no certain order.
/// - **Handling, at least once**: [`Inbox::take`](cintx::webhook::inbox::Inbox::take) and `done` work as with any store. Of
///   all processes one is handed facts, as long as its session lives; then the next one that asks.
/// - **Waking**: [`Inbox::changed`](cintx::webhook::inbox::Inbox::changed) returns when any process has taken something.
///
/// Use either `claim` or `take`, not both for one inbox.
///
/// ```no_run
/// # async fn run(database: cintx_postgres::Database) -> Result<(), Box<dyn std::error::Error>> {
/// use cintx::webhook::inbox::Inbox;
///
/// let store = database.inbox();
/// let inbox = Inbox::new(store.clone());
/// // The web server accepts; this loop handles. Both run in as many processes as you like.
/// loop {
///     let Some(batch) = store.claim(100).await? else {
///         inbox.changed().await;
///         continue;
///     };
///     for fact in batch.facts() {
///         let kind = fact.event().kind();
///         batch.client().execute("UPDATE seen SET events = events + 1 WHERE kind = $1", &[&kind]).await?;
///     }
///     batch.commit().await?;
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresInboxStore {
    database: Database,
    patience: Duration,
    sessions: Arc<Sessions>,
}

/// Connections of its own.
#[derive(Default)]
struct Sessions {
    /// The one that is handed facts by `take`, if it holds the lock.
    taking: tokio::sync::Mutex<Option<Taking>>,
    /// The one that listens.
    listening: tokio::sync::Mutex<Option<ClientWrapper>>,
}

struct Taking {
    session: ClientWrapper,
    is_first: bool,
}

impl PostgresInboxStore {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, patience: DEFAULT_PATIENCE, sessions: Arc::default() }
    }

    /// How long [`claim`](Self::claim) lets an event wait for those of its session that come before it. One minute if
    /// not set. It goes by the clock of the database, so that those of the processes need not agree; `take` goes by
    /// [`Inbox::patience`](cintx::webhook::inbox::Inbox::patience) and
    /// [`Inbox::clock`](cintx::webhook::inbox::Inbox::clock).
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Claims the first facts that nobody else has claimed, in order, until [`Batch::commit`]. `None` if there are none
    /// now. First lets go what has waited for longer than the [patience](Self::patience).
    ///
    /// # Errors
    /// The database failed.
    pub async fn claim(&self, limit: usize) -> Result<Option<Batch>, InboxError> {
        accept::release(&self.database, Overdue::For(self.patience)).await.map_err(InboxError::store)?;
        claim::claim(&self.database, limit).await
    }

    /// The first facts, if this process is the one that is handed them.
    async fn first_facts(&self, limit: usize) -> Result<Vec<Fact>, InboxError> {
        let mut taking = self.sessions.taking.lock().await;
        let mut now = match taking.take().filter(|taking| !taking.session.is_closed()) {
            Some(now) => now,
            None => Taking { session: self.database.session().await.map_err(InboxError::store)?, is_first: false },
        };
        if !now.is_first {
            let locked = try_session_lock(&now.session, LockKind::InboxLoop, 1).await;
            now.is_first = locked.map_err(InboxError::store)?;
        }
        let mut facts = Vec::new();
        if now.is_first {
            let sql = "SELECT number, is_late, body FROM cintx.inbox_fact ORDER BY number LIMIT $1";
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = now.session.query(sql, &[&limit]).await.map_err(InboxError::store)?;
            facts = rows.iter().map(fact).collect::<Result<_, _>>()?;
        }
        *taking = Some(now);
        Ok(facts)
    }

    /// Listens, unless it does already. Answers whether it has just begun.
    async fn listen(&self) -> Result<bool, Error> {
        let mut listening = self.sessions.listening.lock().await;
        if listening.as_ref().is_some_and(|session| !session.is_closed()) {
            return Ok(false);
        }
        let session = self.database.session().await?;
        session.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        *listening = Some(session);
        Ok(true)
    }
}

impl InboxStore for PostgresInboxStore {
    fn accept<'a>(
        &'a self,
        events: &'a [Event],
        now: Timestamp,
        forget_before: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Accepted>, InboxError>> {
        let (now, forget_before) = (system_time(now), system_time(forget_before));
        async move { accept::accept(&self.database, events, now, forget_before).await.map_err(InboxError::store) }
            .boxed()
    }

    fn take(&self, limit: usize, waiting_since: Timestamp) -> BoxFuture<'_, Result<Vec<Fact>, InboxError>> {
        async move {
            let overdue = Overdue::Since(system_time(waiting_since));
            accept::release(&self.database, overdue).await.map_err(InboxError::store)?;
            self.first_facts(limit).await
        }
        .boxed()
    }

    fn done<'a>(&'a self, numbers: &'a [u64]) -> BoxFuture<'a, Result<(), InboxError>> {
        let numbers: Vec<i64> = numbers.iter().filter_map(|number| i64::try_from(*number).ok()).collect();
        async move {
            let client = self.database.connection().await.map_err(InboxError::store)?;
            let done = client.execute("DELETE FROM cintx.inbox_fact WHERE number = ANY($1)", &[&numbers]).await;
            done.map(drop).map_err(|error| InboxError::store(Error::from(error)))
        }
        .boxed()
    }

    fn gaps(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Gap>, InboxError>> {
        async move { tables::gaps(&self.database, limit).await.map_err(InboxError::store) }.boxed()
    }

    fn gaps_since(
        &self,
        noticed: RangeInclusive<Timestamp>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Gap>, InboxError>> {
        async move { tables::gaps_since(&self.database, &noticed, limit).await.map_err(InboxError::store) }.boxed()
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        async move {
            match self.listen().await {
                // What came before it listened was told to nobody.
                Ok(true) => {}
                Ok(false) => self.database.notified().notified().await,
                Err(error) => {
                    tracing::warn!(%error, "the inbox is not told what other processes take");
                    std::future::pending().await
                }
            }
        }
        .boxed()
    }
}

impl fmt::Debug for PostgresInboxStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresInboxStore").field("patience", &self.patience).finish_non_exhaustive()
    }
}

/// A row of number, lateness and body.
fn fact(row: &Row) -> Result<Fact, InboxError> {
    let unreadable = |problem: String| InboxError::Unreadable { what: "a fact", problem };
    let read = || Ok::<_, tokio_postgres::Error>((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
    let (number, is_late, body): (i64, bool, &[u8]) = read().map_err(|error| unreadable(error.to_string()))?;
    let event = Event::parse(body).map_err(|error| unreadable(error.to_string()))?;
    let number = u64::try_from(number).map_err(|error| unreadable(error.to_string()))?;
    Ok(Fact::new(number, is_late, event))
}
