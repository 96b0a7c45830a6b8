//! Sessions, quotas and facts in their tables: read and locked for many at once, and written back the same way.

use std::collections::BTreeMap;
use std::time::SystemTime;

use cintx::webhook::inbox::Gap;
use deadpool_postgres::Transaction;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::session::{FIRST_NUMBER, Held, Missing, Session};
use crate::database::Database;
use crate::error::Error;

/// The longest id that is a key as it is; an index takes little more than 2,000 bytes.
const MAX_KEY_BYTES: usize = 500;

/// What an id is kept under: itself, or its hash if PostgreSQL cannot keep it. An event that could not be kept would
/// hold up all that came along with it.
pub(super) fn key(id: &str) -> String {
    if id.len() <= MAX_KEY_BYTES && !id.contains('\0') {
        return id.to_owned();
    }
    let hash: String = Sha256::digest(id).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hash}")
}

/// One statement, prepared once for each connection.
pub(super) async fn query(
    transaction: &Transaction<'_>,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, Error> {
    let statement = transaction.prepare_cached(sql).await?;
    Ok(transaction.query(&statement, values).await?)
}

/// Reads sessions, making those that are new, and locks them in the order of their names.
pub(super) async fn lock_sessions(
    transaction: &Transaction<'_>,
    touched: &BTreeMap<String, Option<String>>,
    now: SystemTime,
) -> Result<BTreeMap<String, Session>, Error> {
    let (names, groups): (Vec<&String>, Vec<&Option<String>>) = touched.iter().unzip();
    let upsert = "INSERT INTO cintx.inbox_session AS kept (session, target_group, touched)
        SELECT session, target_group, $3 FROM unnest($1::text[], $2::text[]) AS new (session, target_group)
        ON CONFLICT (session) DO UPDATE SET
            touched = EXCLUDED.touched, target_group = coalesce(kept.target_group, EXCLUDED.target_group)
        RETURNING session, next, target_group";
    sessions(transaction, query(transaction, upsert, &[&names, &groups, &now]).await?).await
}

/// Reads sessions in which something has waited since a moment or longer, and locks them. Those that another transaction
/// has locked are left to it.
pub(super) async fn lock_overdue(
    transaction: &Transaction<'_>,
    waiting_since: SystemTime,
    limit: i64,
) -> Result<BTreeMap<String, Session>, Error> {
    let lock = "SELECT session, next, target_group FROM cintx.inbox_session
        WHERE session IN (SELECT session FROM cintx.inbox_held WHERE came <= $1 ORDER BY came LIMIT $2)
        ORDER BY session FOR UPDATE SKIP LOCKED";
    sessions(transaction, query(transaction, lock, &[&waiting_since, &limit]).await?).await
}

/// Rows of sessions, with what belongs to them.
async fn sessions(transaction: &Transaction<'_>, rows: Vec<Row>) -> Result<BTreeMap<String, Session>, Error> {
    let mut sessions = BTreeMap::new();
    for row in rows {
        let session = Session { next: row.try_get(1)?, target_group: row.try_get(2)?, ..Session::default() };
        sessions.insert(row.try_get::<_, String>(0)?, session);
    }
    // A session that was just made has nothing.
    let known: Vec<&String> =
        sessions.iter().filter(|(_, session)| session.next > FIRST_NUMBER).map(|(name, _)| name).collect();
    let missing = "SELECT session, first, last, since FROM cintx.inbox_missing
        WHERE session = ANY($1) ORDER BY session, first";
    let missing = if known.is_empty() { Vec::new() } else { query(transaction, missing, &[&known]).await? };
    let held = "SELECT session, sequence, came, body FROM cintx.inbox_held WHERE session = ANY($1)";
    let names: Vec<&String> = sessions.keys().collect();
    let held = query(transaction, held, &[&names]).await?;
    for row in missing {
        if let Some(session) = sessions.get_mut(row.try_get::<_, &str>(0)?) {
            session.missing.push(Missing { first: row.try_get(1)?, last: row.try_get(2)?, since: row.try_get(3)? });
        }
    }
    for row in held {
        if let Some(session) = sessions.get_mut(row.try_get::<_, &str>(0)?) {
            let held = Held { came: row.try_get(2)?, body: row.try_get(3)?, is_kept: true };
            session.held.insert(row.try_get(1)?, held);
        }
    }
    Ok(sessions)
}

/// Writes back what has changed in sessions.
pub(super) async fn save_sessions(
    transaction: &Transaction<'_>,
    sessions: &BTreeMap<String, Session>,
) -> Result<(), Error> {
    let (names, next): (Vec<&String>, Vec<i64>) = sessions.iter().map(|(name, session)| (name, session.next)).unzip();
    let update = "UPDATE cintx.inbox_session AS kept SET next = new.next
        FROM unnest($1::text[], $2::bigint[]) AS new (session, next)
        WHERE kept.session = new.session AND kept.next <> new.next";
    query(transaction, update, &[&names, &next]).await?;
    let (mut gone, mut gone_numbers): (Vec<&String>, Vec<i64>) = (Vec::new(), Vec::new());
    let (mut new, mut numbers, mut came, mut bodies) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (name, session) in sessions {
        gone.extend(session.let_go.iter().map(|_| name));
        gone_numbers.extend(&session.let_go);
        for (number, held) in session.held.iter().filter(|(_, held)| !held.is_kept) {
            new.push(name);
            numbers.push(*number);
            came.push(held.came);
            bodies.push(&held.body[..]);
        }
    }
    if !gone.is_empty() {
        let delete =
            "DELETE FROM cintx.inbox_held AS kept USING unnest($1::text[], $2::bigint[]) AS gone (session, sequence)
            WHERE kept.session = gone.session AND kept.sequence = gone.sequence";
        query(transaction, delete, &[&gone, &gone_numbers]).await?;
    }
    if !new.is_empty() {
        let insert = "INSERT INTO cintx.inbox_held (session, sequence, came, body)
            SELECT * FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::bytea[])";
        query(transaction, insert, &[&new, &numbers, &came, &bodies]).await?;
    }
    save_missing(transaction, sessions).await
}

async fn save_missing(transaction: &Transaction<'_>, sessions: &BTreeMap<String, Session>) -> Result<(), Error> {
    let changed: Vec<_> = sessions.iter().filter(|(_, session)| session.missing_changed).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let names: Vec<&String> = changed.iter().map(|(name, _)| *name).collect();
    query(transaction, "DELETE FROM cintx.inbox_missing WHERE session = ANY($1)", &[&names]).await?;
    let (mut names, mut first, mut last, mut since) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (name, missing) in changed.iter().flat_map(|(name, session)| session.missing.iter().map(move |it| (*name, it)))
    {
        names.push(name);
        first.push(missing.first);
        last.push(missing.last);
        since.push(missing.since);
    }
    let insert = "INSERT INTO cintx.inbox_missing (session, first, last, since)
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::timestamptz[])";
    query(transaction, insert, &[&names, &first, &last, &since]).await?;
    Ok(())
}

/// Facts to be handed on, in this order.
#[derive(Debug, Default)]
pub(super) struct Facts {
    streams: Vec<Option<String>>,
    late: Vec<bool>,
    bodies: Vec<Vec<u8>>,
}

impl Facts {
    pub(super) fn push(&mut self, stream: Option<String>, is_late: bool, body: Vec<u8>) {
        self.streams.push(stream);
        self.late.push(is_late);
        self.bodies.push(body);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bodies.is_empty()
    }

    /// Writes them, and tells the other processes with the commit.
    pub(super) async fn insert(&self, transaction: &Transaction<'_>) -> Result<(), Error> {
        if self.is_empty() {
            return Ok(());
        }
        let insert = "INSERT INTO cintx.inbox_fact (stream, is_late, body)
            SELECT * FROM unnest($1::text[], $2::boolean[], $3::bytea[])";
        query(transaction, insert, &[&self.streams, &self.late, &self.bodies]).await?;
        query(transaction, "SELECT pg_notify($1, '')", &[&super::CHANNEL]).await?;
        Ok(())
    }
}

/// The first gaps, by their sessions.
pub(super) async fn gaps(database: &Database, limit: usize) -> Result<Vec<Gap>, Error> {
    let mut client = database.connection().await?;
    let transaction = client.build_transaction().read_only(true).start().await?;
    let first = "SELECT session, next, target_group FROM cintx.inbox_session
        WHERE session IN (
            (SELECT DISTINCT session FROM cintx.inbox_held ORDER BY session LIMIT $1) UNION
            (SELECT DISTINCT session FROM cintx.inbox_missing ORDER BY session LIMIT $1))
        ORDER BY session LIMIT $1";
    let rows = query(&transaction, first, &[&i64::try_from(limit).unwrap_or(i64::MAX)]).await?;
    let mut gaps = Vec::new();
    for (name, session) in sessions(&transaction, rows).await? {
        for missing in session.gaps() {
            let since = Timestamp::try_from(missing.since).unwrap_or(Timestamp::MIN);
            let mut gap = Gap::new(name.clone(), (missing.first, missing.last), since);
            gap.target_group.clone_from(&session.target_group);
            gaps.push(gap);
        }
    }
    gaps.truncate(limit);
    Ok(gaps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_no_table_takes_is_kept_by_its_hash() {
        assert_eq!(key("e1"), "e1");
        let long = "x".repeat(MAX_KEY_BYTES + 1);
        for odd in ["a\0b", "a\0c", &long] {
            let kept = key(odd);
            assert!(kept.len() < 80 && kept.starts_with("sha256:") && !kept.contains('\0'), "{kept}");
        }
        assert_ne!(key("a\0b"), key("a\0c"));
    }
}
