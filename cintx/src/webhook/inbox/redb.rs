//! An inbox in a file, by the embedded database redb: each method is one transaction, on disk when it returns.
//! One process has the file open at a time.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use cintx_raw::BoxError;
use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use redb::{Database, ReadTransaction, TableDefinition, WriteTransaction};

use super::records::{Entry, Table, Tables};
use super::{Accepted, Fact, Gap, InboxError, InboxStore, rules};
use crate::webhook::receive::Event;

/// Keeps an inbox in a file. Cheap to clone.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use cintx::webhook::inbox::{Inbox, RedbInboxStore};
/// use redb::{ReadableTable as _, TableDefinition};
///
/// const TOTALS: TableDefinition<&str, u64> = TableDefinition::new("totals");
///
/// let store = RedbInboxStore::open("inbox.redb")?;
/// let inbox = Inbox::new(store.clone());
/// // State beside the inbox takes effect exactly once: it is written with the end of the facts.
/// let facts = inbox.take(100).await?;
/// store
///     .done_with(facts, |transaction, facts| {
///         let mut totals = transaction.open_table(TOTALS)?;
///         let before = totals.get("events")?.map_or(0, |total| total.value());
///         totals.insert("events", before + facts.len() as u64)?;
///         Ok(())
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedbInboxStore {
    database: Arc<Database>,
}

impl RedbInboxStore {
    /// Opens the inbox in a file, which is made if it is not there. Blocks while it reads.
    ///
    /// # Errors
    /// The file cannot be read or written, is no such database, or another process has it open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, InboxError> {
        Self::over(Arc::new(Database::create(path).map_err(InboxError::store)?))
    }

    /// Keeps the inbox in a database of yours, in tables whose names begin with `cintx-inbox-`.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn over(database: Arc<Database>) -> Result<Self, InboxError> {
        let transaction = database.begin_write().map_err(InboxError::store)?;
        for table in Table::ALL {
            transaction.open_table(definition(table)).map_err(InboxError::store)?;
        }
        transaction.commit().map_err(InboxError::store)?;
        Ok(Self { database })
    }

    /// Ends facts in one transaction with what `apply` writes: all of it takes effect, once, or nothing does. An error
    /// of `apply` rolls it back, and the facts are handed on again.
    ///
    /// `apply` gets those facts that are still to be done. Left out is what an earlier call has ended whose answer was
    /// lost, and what newer counts of the same quota have replaced meanwhile.
    ///
    /// # Errors
    /// What `apply` fails with; or the database cannot be read or written.
    pub async fn done_with<T: Send + 'static>(
        &self,
        facts: Vec<Fact>,
        apply: impl FnOnce(&WriteTransaction, &[Fact]) -> Result<T, BoxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        self.write(move |transaction| {
            let mut tables = Writing(transaction);
            let mut open = Vec::with_capacity(facts.len());
            for fact in facts {
                let key = fact.number().to_be_bytes();
                if tables.get(Table::Facts, &key)?.is_some() {
                    tables.remove(Table::Facts, &key)?;
                    open.push(fact);
                }
            }
            apply(transaction, &open).map_err(InboxError::store)
        })
        .await
    }

    /// One transaction that writes, away from the runtime's threads.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        let database = Arc::clone(&self.database);
        blocking(move || {
            let transaction = database.begin_write().map_err(InboxError::store)?;
            // Dropped without a commit, it is rolled back.
            let done = work(&transaction)?;
            transaction.commit().map_err(InboxError::store)?;
            Ok(done)
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reading) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        let database = Arc::clone(&self.database);
        blocking(move || work(&Reading(database.begin_read().map_err(InboxError::store)?))).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, InboxError> + Send + 'static,
) -> Result<T, InboxError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(InboxError::store(error)),
    }
}

impl fmt::Debug for RedbInboxStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbInboxStore").finish_non_exhaustive()
    }
}

impl InboxStore for RedbInboxStore {
    fn accept<'a>(
        &'a self,
        events: &'a [Event],
        now: Timestamp,
        forget_before: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Accepted>, InboxError>> {
        let events = events.to_vec();
        self.write(move |transaction| rules::accept(&mut Writing(transaction), &events, now, forget_before)).boxed()
    }

    fn take(&self, limit: usize, waiting_since: Timestamp) -> BoxFuture<'_, Result<Vec<Fact>, InboxError>> {
        async move {
            // Most of the time there is nothing to write.
            if self.read(move |tables| rules::is_release_due(tables, waiting_since)).await? {
                self.write(move |transaction| rules::release(&mut Writing(transaction), waiting_since)).await?;
            }
            self.read(move |tables| rules::facts(tables, limit)).await
        }
        .boxed()
    }

    fn done<'a>(&'a self, numbers: &'a [u64]) -> BoxFuture<'a, Result<(), InboxError>> {
        let numbers = numbers.to_vec();
        self.write(move |transaction| rules::done(&mut Writing(transaction), &numbers)).boxed()
    }

    fn gaps(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Gap>, InboxError>> {
        self.read(move |tables| rules::gaps(tables, limit)).boxed()
    }
}

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

fn definition(table: Table) -> Definition {
    TableDefinition::new(match table {
        Table::Seen => "cintx-inbox-seen",
        Table::Ages => "cintx-inbox-ages",
        Table::Facts => "cintx-inbox-facts",
        Table::Held => "cintx-inbox-held",
        Table::Sessions => "cintx-inbox-sessions",
        Table::Waiting => "cintx-inbox-waiting",
        Table::Gaps => "cintx-inbox-gaps",
        Table::Quotas => "cintx-inbox-quotas",
        Table::Meta => "cintx-inbox-meta",
    })
}

fn get(
    table: &impl redb::ReadableTable<&'static [u8], &'static [u8]>,
    key: &[u8],
) -> Result<Option<Vec<u8>>, InboxError> {
    let value = table.get(key).map_err(InboxError::store)?;
    Ok(value.map(|value| value.value().to_vec()))
}

fn first(
    table: &impl redb::ReadableTable<&'static [u8], &'static [u8]>,
    limit: usize,
) -> Result<Vec<Entry>, InboxError> {
    let entries = table.iter().map_err(InboxError::store)?.take(limit);
    let owned = entries.map(|entry| entry.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())));
    owned.collect::<Result<_, _>>().map_err(InboxError::store)
}

/// A transaction that writes.
struct Writing<'a>(&'a WriteTransaction);

impl Tables for Writing<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, InboxError> {
        get(&self.0.open_table(definition(table)).map_err(InboxError::store)?, key)
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), InboxError> {
        let mut table = self.0.open_table(definition(table)).map_err(InboxError::store)?;
        table.insert(key, value).map_err(InboxError::store)?;
        Ok(())
    }

    fn remove(&mut self, table: Table, key: &[u8]) -> Result<(), InboxError> {
        let mut table = self.0.open_table(definition(table)).map_err(InboxError::store)?;
        table.remove(key).map_err(InboxError::store)?;
        Ok(())
    }

    fn first(&self, table: Table, limit: usize) -> Result<Vec<Entry>, InboxError> {
        first(&self.0.open_table(definition(table)).map_err(InboxError::store)?, limit)
    }
}

/// A transaction that only reads.
struct Reading(ReadTransaction);

impl Tables for Reading {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, InboxError> {
        get(&self.0.open_table(definition(table)).map_err(InboxError::store)?, key)
    }

    fn put(&mut self, _: Table, _: &[u8], _: &[u8]) -> Result<(), InboxError> {
        Err(InboxError::store("a transaction that only reads cannot write"))
    }

    fn remove(&mut self, _: Table, _: &[u8]) -> Result<(), InboxError> {
        Err(InboxError::store("a transaction that only reads cannot remove"))
    }

    fn first(&self, table: Table, limit: usize) -> Result<Vec<Entry>, InboxError> {
        first(&self.0.open_table(definition(table)).map_err(InboxError::store)?, limit)
    }
}
