//! A journal that processes share. Each handle owns its intents by a lease, an advisory lock of its session; what a
//! dead one has left, one of the living takes over.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use cintx::error::Outcome;
use cintx::recovery::{Intent, Journal, JournalError};
use deadpool_postgres::{ClientWrapper, Transaction};
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use crate::database::{Database, LockKind, lock_key, system_time, try_session_lock};
use crate::error::Error;

/// A journal in the tables `cintx.intent` and `cintx.journal_owner`, for all processes of an account. Clones are one
/// handle; clients of two versions get a handle each.
///
/// - **An intent is written by the session that holds its lease**: while the session is lost, nothing is begun, and
///   nothing is sent. The next write opens another one.
/// - **[`Client::recover`](cintx::Client::recover)** settles what this handle has left open, and what it takes over from
///   handles whose session has ended, with all their intents at once: no two processes settle the same. Call it after
///   each start, and now and then if no other process starts. What living processes have under way is left alone.
/// - A process that is killed frees its lease at once, a machine that is gone within half a minute.
/// - A process that lives, but has lost its session while a call is under way, may find that another one has settled
///   the call meanwhile: by sending it again under its key, or by looking it up; neither does it twice.
#[derive(Clone)]
pub struct PostgresJournal {
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    name: String,
    lease: tokio::sync::Mutex<Option<Arc<Lease>>>,
}

/// The right to the intents of a handle, as long as the session lives.
struct Lease {
    session: ClientWrapper,
    owner: i32,
}

impl PostgresJournal {
    pub(crate) fn new(database: Database, name: String) -> Self {
        Self { shared: Arc::new(Shared { database, name, lease: tokio::sync::Mutex::default() }) }
    }

    /// The lease, renewed if its session has ended.
    async fn lease(&self) -> Result<Arc<Lease>, Error> {
        let mut held = self.shared.lease.lock().await;
        if let Some(lease) = held.as_ref().filter(|lease| !lease.session.is_closed()) {
            return Ok(Arc::clone(lease));
        }
        let before = held.as_ref().map(|lease| lease.owner);
        let lease = Arc::new(self.register(before).await?);
        *held = Some(Arc::clone(&lease));
        Ok(lease)
    }

    /// Opens a session for the owner that there was before, or for a new one if that has been taken over.
    async fn register(&self, before: Option<i32>) -> Result<Lease, Error> {
        let mut session = self.shared.database.session().await?;
        // An intent must be on the disk before its call is sent.
        let sync = "SELECT set_config('synchronous_commit', 'on', false)
            WHERE current_setting('synchronous_commit') IN ('off', 'local')";
        session.execute(sync, &[]).await?;
        let transaction = session.transaction().await?;
        let mut owner = None;
        if let Some(before) = before {
            let there = "SELECT FROM cintx.journal_owner WHERE owner = $1 FOR UPDATE";
            let is_there = transaction.query_opt(there, &[&before]).await?.is_some();
            if is_there && try_session_lock(transaction.client(), LockKind::JournalOwner, before).await? {
                owner = Some(before);
            }
        }
        let owner = match owner {
            Some(owner) => owner,
            None => {
                let insert = "INSERT INTO cintx.journal_owner (journal) VALUES ($1) RETURNING owner";
                let owner: i32 = transaction.query_one(insert, &[&self.shared.name]).await?.try_get(0)?;
                // Nobody sees the row before this is committed, so the lock is free.
                try_session_lock(transaction.client(), LockKind::JournalOwner, owner).await?;
                owner
            }
        };
        transaction.commit().await?;
        Ok(Lease { session, owner })
    }

    async fn write(&self, intent: &Intent) -> Result<(), Error> {
        let lease = self.lease().await?;
        let sql = "INSERT INTO cintx.intent (id, journal, owner, operation, path, begun_at, intent)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let statement = lease.session.prepare_cached(sql).await?;
        let (id, operation, path) = (intent.id(), intent.operation(), intent.path());
        let (at, json) = (system_time(intent.at()), Json(intent));
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
            [&id, &self.shared.name, &lease.owner, &operation, &path, &at, &json];
        lease.session.execute(&statement, &values).await?;
        Ok(())
    }

    /// Strikes one out. If it took effect, the earlier ones that it supersedes are marked in the same transaction.
    async fn strike_out(&self, id: &str, outcome: Outcome) -> Result<(), Error> {
        let mut client = self.shared.database.connection().await?;
        let transaction = client.transaction().await?;
        let read = "SELECT intent, position FROM cintx.intent WHERE id = $1";
        let statement = transaction.prepare_cached(read).await?;
        let Some(row) = transaction.query_opt(&statement, &[&id]).await? else { return Ok(()) };
        let (ended, position): (Intent, i64) = (intent_of(&row)?, row.try_get(1)?);
        // What makes something new supersedes nothing, itself included.
        if outcome == Outcome::Applied && ended.supersedes(&ended) {
            self.mark_earlier(&transaction, &ended, position).await?;
        }
        let statement = transaction.prepare_cached("DELETE FROM cintx.intent WHERE id = $1").await?;
        transaction.execute(&statement, &[&id]).await?;
        Ok(transaction.commit().await?)
    }

    /// Marks the earlier intents that one supersedes.
    async fn mark_earlier(&self, transaction: &Transaction<'_>, ended: &Intent, position: i64) -> Result<(), Error> {
        // One at a time: two that mark the same ones might wait for each other.
        let (kind, key) = (LockKind::JournalMark as i32, lock_key(&self.shared.name));
        transaction.execute("SELECT pg_advisory_xact_lock($1, $2)", &[&kind, &key]).await?;
        let earlier = "SELECT intent FROM cintx.intent WHERE journal = $1 AND position < $2";
        for row in transaction.query(earlier, &[&self.shared.name, &position]).await? {
            let mut earlier = intent_of(&row)?;
            if ended.supersedes(&earlier) {
                earlier.mark_superseded(ended);
                let mark = "UPDATE cintx.intent SET intent = $2 WHERE id = $1";
                transaction.execute(mark, &[&earlier.id(), &Json(&earlier)]).await?;
            }
        }
        Ok(())
    }

    async fn open(&self) -> Result<Vec<Intent>, Error> {
        let client = self.shared.database.connection().await?;
        let sql = "SELECT intent FROM cintx.intent WHERE journal = $1 ORDER BY position";
        client.query(sql, &[&self.shared.name]).await?.iter().map(intent_of).collect()
    }

    /// Takes over the intents of owners whose locks are free. Two that try at once get different ones.
    async fn take(&self) -> Result<BTreeSet<String>, Error> {
        let lease = self.lease().await?;
        let mut client = self.shared.database.connection().await?;
        let transaction = client.transaction().await?;
        let gone = "SELECT owner FROM cintx.journal_owner
            WHERE journal = $1 AND owner <> $2 AND pg_try_advisory_xact_lock($3, owner) FOR UPDATE SKIP LOCKED";
        let kind = LockKind::JournalOwner as i32;
        let rows = transaction.query(gone, &[&self.shared.name, &lease.owner, &kind]).await?;
        let gone: Vec<i32> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        if !gone.is_empty() {
            let take = "UPDATE cintx.intent SET owner = $1 WHERE owner = ANY($2)";
            let count = transaction.execute(take, &[&lease.owner, &gone]).await?;
            transaction.execute("DELETE FROM cintx.journal_owner WHERE owner = ANY($1)", &[&gone]).await?;
            tracing::debug!(intents = count, owners = gone.len(), "took over what others left in the journal");
        }
        let own = transaction.query("SELECT id FROM cintx.intent WHERE owner = $1", &[&lease.owner]).await?;
        let ids = own.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        transaction.commit().await?;
        Ok(ids)
    }
}

fn intent_of(row: &Row) -> Result<Intent, Error> {
    let Json(intent) = row.try_get(0).map_err(|error| Error::Unreadable {
        table: "cintx.intent",
        problem: std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
    })?;
    Ok(intent)
}

impl Journal for PostgresJournal {
    fn begin(&self, intent: &Intent) -> BoxFuture<'_, Result<(), JournalError>> {
        let intent = intent.clone();
        async move { self.write(&intent).await.map_err(JournalError::new) }.boxed()
    }

    fn end(&self, id: &str, outcome: Outcome) -> BoxFuture<'_, Result<(), JournalError>> {
        let id = id.to_owned();
        async move { self.strike_out(&id, outcome).await.map_err(JournalError::new) }.boxed()
    }

    fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, JournalError>> {
        async move { self.open().await.map_err(JournalError::new) }.boxed()
    }

    fn take_over(&self) -> BoxFuture<'_, Result<Option<BTreeSet<String>>, JournalError>> {
        async move { self.take().await.map(Some).map_err(JournalError::new) }.boxed()
    }
}

impl fmt::Debug for PostgresJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresJournal").field("name", &self.shared.name).finish_non_exhaustive()
    }
}
