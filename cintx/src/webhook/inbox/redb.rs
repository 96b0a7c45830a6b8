//! An inbox in a file, by the embedded database redb: each method is one transaction, on disk when it returns.
//! One process has the file open at a time.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use cintx_raw::BoxError;
use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use redb::{
    CommitError, Database, DatabaseError, ReadTransaction, StorageError, TableDefinition, TableError, TransactionError,
    WriteTransaction,
};

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
    shared: Arc<Shared>,
}

type Open = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

/// redb refuses everything after one failure of the disk, until the database is closed and opened again.
struct Shared {
    /// Held for reading while the database is in use, so that it is closed when nobody uses it: the file is locked
    /// until then.
    current: RwLock<Current>,
    /// Opens the file again. None for a database of the caller's.
    open: Option<Open>,
}

struct Current {
    /// None after a failure of the disk.
    database: Option<Arc<Database>>,
    /// How often it was closed.
    closed: u64,
}

impl RedbInboxStore {
    /// Opens the inbox in a file, which is made if it is not there. Blocks while it reads.
    ///
    /// After a failure of the disk the file is closed, opened again and checked by itself, and what failed is tried
    /// once more, except for [`done_with`](Self::done_with). While the disk stays full, each call fails; the first one
    /// after that goes well.
    ///
    /// # Errors
    /// The file cannot be read or written, is no such database, or another process has it open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, InboxError> {
        let path = path.as_ref().to_owned();
        let database = Database::create(&path).map_err(InboxError::store)?;
        // A file that has gone is not made again: it would be an empty inbox.
        Self::with(Arc::new(database), Some(Box::new(move || Database::open(&path))))
    }

    /// Keeps the inbox in a database of yours, in tables whose names begin with `cintx-inbox-`.
    ///
    /// After a failure of the disk redb refuses everything until you have dropped the database, every clone of this
    /// store and every inbox over it, and made them again. Errors are [`InboxError::MustReopen`] from then on.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn over(database: Arc<Database>) -> Result<Self, InboxError> {
        Self::with(database, None)
    }

    fn with(database: Arc<Database>, open: Option<Open>) -> Result<Self, InboxError> {
        let transaction = database.begin_write().map_err(InboxError::store)?;
        for table in Table::ALL {
            transaction.open_table(definition(table)).map_err(InboxError::store)?;
        }
        transaction.commit().map_err(InboxError::store)?;
        let current = RwLock::new(Current { database: Some(database), closed: 0 });
        Ok(Self { shared: Arc::new(Shared { current, open }) })
    }

    /// Ends facts in one transaction with what `apply` writes: all of it takes effect, once, or nothing does. An error
    /// of `apply` rolls it back, and the facts are handed on again.
    ///
    /// `apply` gets those facts that are still to be done. Left out is what an earlier call has ended whose answer was
    /// lost, and what newer counts of the same quota have replaced meanwhile.
    ///
    /// # Errors
    /// What `apply` fails with; or the database cannot be read or written. It is not tried again: whether the facts are
    /// done is seen by taking them.
    pub async fn done_with<T: Send + 'static>(
        &self,
        facts: Vec<Fact>,
        apply: impl FnOnce(&WriteTransaction, &[Fact]) -> Result<T, BoxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        let work = move |transaction: &WriteTransaction| {
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
        };
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.once(|database| written(database, work))).await
    }

    /// One transaction that writes, away from the runtime's threads.
    async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&WriteTransaction) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.twice(|database| written(database, &work))).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&Reading) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        let shared = Arc::clone(&self.shared);
        let read = move |database: &Database| work(&Reading(database.begin_read().map_err(InboxError::store)?));
        blocking(move || shared.twice(read)).await
    }
}

fn written<T>(
    database: &Database,
    work: impl FnOnce(&WriteTransaction) -> Result<T, InboxError>,
) -> Result<T, InboxError> {
    let transaction = database.begin_write().map_err(InboxError::store)?;
    // Dropped without a commit, it is rolled back.
    let done = work(&transaction)?;
    transaction.commit().map_err(InboxError::store)?;
    Ok(done)
}

impl Shared {
    /// Does something, and once more if the disk failed and the file could be opened again. Each event and each fact
    /// has its id, so nothing is done twice if the first commit did reach the disk.
    fn twice<T>(&self, work: impl Fn(&Database) -> Result<T, InboxError>) -> Result<T, InboxError> {
        let failed = match self.once(&work) {
            Err(error) if self.open.is_some() && is_disk_failure(&error) => error,
            done => return done,
        };
        tracing::warn!(error = failed.chain(), "the inbox's file is opened again after a failure of the disk");
        self.once(work)
    }

    /// Does something, and closes the database if the disk failed.
    fn once<T>(&self, work: impl FnOnce(&Database) -> Result<T, InboxError>) -> Result<T, InboxError> {
        let (done, closed) = loop {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(database) = &current.database {
                break (work(database), current.closed);
            }
            drop(current);
            self.reopen()?;
        };
        done.map_err(|error| match (is_disk_failure(&error), error) {
            (true, InboxError::Store(cause)) if self.open.is_none() => InboxError::MustReopen(cause),
            (true, error) => {
                self.close(closed);
                error
            }
            (false, error) => error,
        })
    }

    /// Closes the database, unless another call has done so already.
    fn close(&self, closed: u64) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.closed == closed {
            *current = Current { database: None, closed: closed + 1 };
        }
    }

    fn reopen(&self) -> Result<(), InboxError> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if let (None, Some(open)) = (&current.database, &self.open) {
            current.database = Some(Arc::new(open().map_err(InboxError::store)?));
        }
        Ok(())
    }
}

/// Whether redb refuses everything from here on.
fn is_disk_failure(error: &InboxError) -> bool {
    let InboxError::Store(cause) = error else { return false };
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&**cause);
    while let Some(error) = next {
        let storage = if let Some(TransactionError::Storage(error)) = error.downcast_ref() {
            Some(error)
        } else if let Some(TableError::Storage(error)) = error.downcast_ref() {
            Some(error)
        } else if let Some(CommitError::Storage(error)) = error.downcast_ref() {
            Some(error)
        } else if let Some(DatabaseError::Storage(error)) = error.downcast_ref() {
            Some(error)
        } else {
            error.downcast_ref()
        };
        if matches!(storage, Some(StorageError::Io(_) | StorageError::PreviousIo))
            || matches!(error.downcast_ref(), Some(redb::Error::Io(_) | redb::Error::PreviousIo))
        {
            return true;
        }
        next = error.source();
    }
    false
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
        Table::Ended => "cintx-inbox-ended",
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

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use redb::StorageBackend;
    use redb::backends::FileBackend;

    use super::*;
    use crate::webhook::inbox::Inbox;

    /// How many writes fail from now on.
    #[derive(Clone, Debug, Default)]
    struct Full(Arc<AtomicUsize>);

    impl Full {
        fn check(&self) -> io::Result<()> {
            match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
                Ok(_) => Err(io::Error::other("no space left")),
                Err(_) => Ok(()),
            }
        }
    }

    /// A file on a disk that is full now and then.
    #[derive(Debug)]
    struct Disk(FileBackend, Full);

    impl StorageBackend for Disk {
        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }

        fn read(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
            self.0.read(offset, len)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.1.check().and_then(|()| self.0.set_len(len))
        }

        fn sync_data(&self, eventual: bool) -> io::Result<()> {
            self.1.check().and_then(|()| self.0.sync_data(eventual))
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.1.check().and_then(|()| self.0.write(offset, data))
        }
    }

    fn opened(folder: &Path, full: &Full) -> Result<Database, DatabaseError> {
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).open(folder.join("inbox.redb"))?;
        Database::builder().create_with_backend(Disk(FileBackend::new(file)?, full.clone()))
    }

    fn event(id: &str) -> Event {
        Event::parse(format!(r#"{{"id":"{id}","type":"other","data":{{}}}}"#).as_bytes()).unwrap()
    }

    #[tokio::test]
    async fn once_the_disk_works_again_the_inbox_does_too() {
        let (folder, full) = (tempfile::tempdir().unwrap(), Full::default());
        let path = folder.path().to_owned();
        let open: Open = Box::new({
            let full = full.clone();
            move || opened(&path, &full)
        });
        let store = RedbInboxStore::with(Arc::new(open().unwrap()), Some(open)).unwrap();
        let inbox = Inbox::new(store.clone());
        assert_eq!(inbox.accept(event("e1")).await.unwrap(), Accepted::New);

        full.0.store(usize::MAX, Ordering::SeqCst);
        for id in ["e2", "e3"] {
            let refused = inbox.accept(event(id)).await.unwrap_err();
            assert!(refused.chain().contains("no space left"), "{refused:?}");
        }
        full.0.store(0, Ordering::SeqCst);
        for id in ["e2", "e3"] {
            assert_eq!(inbox.accept(event(id)).await.unwrap(), Accepted::New);
        }
        let facts = inbox.take(10).await.unwrap();
        assert_eq!(facts.iter().map(|fact| fact.event().id()).collect::<Vec<_>>(), ["e1", "e2", "e3"]);

        // What fails once is tried again at once, and others at the same time get along.
        full.0.store(1, Ordering::SeqCst);
        let (accepted, taken) = tokio::join!(inbox.accept(event("e4")), inbox.take(10));
        assert_eq!((accepted.unwrap(), taken.unwrap()[..3].to_vec()), (Accepted::New, facts.clone()));

        // Effects are not: the caller sees by the facts that are left whether they took place.
        full.0.store(1, Ordering::SeqCst);
        let count = |_: &WriteTransaction, facts: &[Fact]| Ok(facts.len());
        store.done_with(facts.clone(), count).await.unwrap_err();
        assert_eq!(store.done_with(facts, count).await.unwrap(), 3);
        assert_eq!(inbox.take(10).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_database_of_the_callers_says_that_it_must_be_opened_again() {
        let (folder, full) = (tempfile::tempdir().unwrap(), Full::default());
        let inbox = Inbox::new(RedbInboxStore::over(Arc::new(opened(folder.path(), &full).unwrap())).unwrap());
        full.0.store(1, Ordering::SeqCst);
        for _ in 0..2 {
            let refused = inbox.accept(event("e1")).await.unwrap_err();
            assert!(matches!(refused, InboxError::MustReopen(_)), "{refused:?}");
        }
        drop(inbox);
        let inbox = Inbox::new(RedbInboxStore::over(Arc::new(opened(folder.path(), &full).unwrap())).unwrap());
        assert_eq!(inbox.accept(event("e1")).await.unwrap(), Accepted::New);
    }
}
