//! Claiming facts: locked rows that other handlers skip, in a transaction that the effects join.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use cintx::webhook::inbox::{Fact, InboxError};
use deadpool_postgres::{ClientWrapper, Object};
use tokio::runtime::Handle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::fact;
use crate::database::Database;
use crate::error::Error;

/// Those that are the first of their streams. Who holds the first of a stream holds the stream.
const FIRST: &str = "SELECT number, is_late, body, stream FROM cintx.inbox_fact AS fact
    WHERE NOT EXISTS (
        SELECT FROM cintx.inbox_fact AS earlier WHERE earlier.stream = fact.stream AND earlier.number < fact.number)
    ORDER BY number LIMIT $1 FOR UPDATE SKIP LOCKED";
/// Those that follow in the same streams.
const FOLLOWING: &str = "SELECT number, is_late, body, stream FROM cintx.inbox_fact
    WHERE stream = ANY($1) AND number <> ALL($2) ORDER BY number LIMIT $3 FOR UPDATE";

/// Facts that nobody else handles, with the transaction that ends them. Dropped, it gives them back.
#[must_use = "dropped, it gives its facts back"]
pub struct Batch {
    client: Arc<Object>,
    is_open: bool,
    runtime: Handle,
    facts: Vec<Fact>,
    numbers: Vec<i64>,
}

/// Claims facts; `None` if there are none.
pub(super) async fn claim(database: &Database, limit: usize) -> Result<Option<Batch>, InboxError> {
    let runtime = Handle::try_current().map_err(InboxError::store)?;
    let client = Arc::new(database.connection().await.map_err(InboxError::store)?);
    // From here on a future that is dropped rolls the transaction back.
    let mut batch = Batch { client, is_open: true, runtime, facts: Vec::new(), numbers: Vec::new() };
    let rows = batch.lock(limit).await.map_err(InboxError::store)?;
    if rows.is_empty() {
        batch.give_back().await?;
        return Ok(None);
    }
    for row in &rows {
        let fact = fact(row)?;
        batch.numbers.push(i64::try_from(fact.number()).unwrap_or(i64::MAX));
        batch.facts.push(fact);
    }
    Ok(Some(batch))
}

impl Batch {
    /// The facts, in order.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// The connection, in the transaction of this batch: what is written by it takes effect with [`commit`](Self::commit).
    /// It has no transaction of its own to begin or to end; for a part that may fail, use a savepoint.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Ends the facts, and commits what was written.
    ///
    /// # Errors
    /// The database failed, or one of the statements before: then nothing is committed. If the connection broke off in
    /// the middle, either all was committed or nothing, and in that case the facts are claimed again.
    pub async fn commit(mut self) -> Result<(), InboxError> {
        self.finish().await.map_err(InboxError::store)?;
        self.is_open = false;
        Ok(())
    }

    /// Gives the facts back, and rolls back what was written, before it returns; dropping the batch does the same a
    /// little later.
    ///
    /// # Errors
    /// The database failed; what was written is rolled back all the same.
    pub async fn give_back(mut self) -> Result<(), InboxError> {
        let rolled_back = self.client.batch_execute("ROLLBACK").await;
        rolled_back.map_err(|error| InboxError::store(Error::from(error)))?;
        self.is_open = false;
        Ok(())
    }

    /// Begins the transaction, and locks rows.
    async fn lock(&self, limit: usize) -> Result<Vec<Row>, Error> {
        let client = &self.client;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        client.batch_execute("BEGIN").await?;
        let mut rows = query(client, FIRST, &[&limit]).await?;
        let streams: BTreeSet<String> =
            rows.iter().filter_map(|row| row.try_get::<_, Option<String>>(3).transpose()).collect::<Result<_, _>>()?;
        let left = limit - i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if left > 0 && !streams.is_empty() {
            let streams: Vec<String> = streams.into_iter().collect();
            let firsts: Vec<i64> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
            rows.extend(query(client, FOLLOWING, &[&streams, &firsts, &left]).await?);
        }
        rows.sort_by_key(|row| row.try_get::<_, i64>(0).unwrap_or(i64::MAX));
        Ok(rows)
    }

    async fn finish(&self) -> Result<(), Error> {
        let client = &self.client;
        let end = client.prepare_cached("DELETE FROM cintx.inbox_fact WHERE number = ANY($1)").await?;
        client.execute(&end, &[&self.numbers]).await?;
        Ok(client.batch_execute("COMMIT").await?)
    }
}

async fn query(client: &ClientWrapper, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, values).await?)
}

impl Drop for Batch {
    fn drop(&mut self) {
        if self.is_open {
            // The connection goes back to the pool after that. Without its runtime it has ended already.
            let client = Arc::clone(&self.client);
            self.runtime.spawn(async move { drop(client.batch_execute("ROLLBACK").await) });
        }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("facts", &self.facts.len()).finish_non_exhaustive()
    }
}
