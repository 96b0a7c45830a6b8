//! An inbox in memory: for tests, and where what was not handled may be lost with the process.
//! Clones share what they hold, so an inbox can be closed and opened again over one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use jiff::Timestamp;

use super::records::{Entry, Table, Tables};
use super::{Accepted, Fact, Gap, InboxError, InboxStore, rules};
use crate::webhook::receive::Event;

/// Keeps an inbox in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryInboxStore {
    tables: Arc<Mutex<Maps>>,
}

#[derive(Debug, Default)]
struct Maps(BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>);

impl MemoryInboxStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Maps> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InboxStore for MemoryInboxStore {
    fn accept<'a>(
        &'a self,
        events: &'a [Event],
        now: Timestamp,
        forget_before: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Accepted>, InboxError>> {
        ready(rules::accept(&mut *self.lock(), events, now, forget_before)).boxed()
    }

    fn take(&self, limit: usize, waiting_since: Timestamp) -> BoxFuture<'_, Result<Vec<Fact>, InboxError>> {
        let mut tables = self.lock();
        let released = rules::release(&mut *tables, waiting_since);
        ready(released.and_then(|_| rules::facts(&*tables, limit))).boxed()
    }

    fn done<'a>(&'a self, numbers: &'a [u64]) -> BoxFuture<'a, Result<(), InboxError>> {
        ready(rules::done(&mut *self.lock(), numbers)).boxed()
    }

    fn gaps(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Gap>, InboxError>> {
        ready(rules::gaps(&*self.lock(), limit)).boxed()
    }
}

impl Tables for Maps {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, InboxError> {
        Ok(self.0.get(&table).and_then(|map| map.get(key)).cloned())
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), InboxError> {
        self.0.entry(table).or_default().insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn remove(&mut self, table: Table, key: &[u8]) -> Result<(), InboxError> {
        if let Some(map) = self.0.get_mut(&table) {
            map.remove(key);
        }
        Ok(())
    }

    fn first(&self, table: Table, limit: usize) -> Result<Vec<Entry>, InboxError> {
        let entries = self.0.get(&table).into_iter().flatten().take(limit);
        Ok(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}
