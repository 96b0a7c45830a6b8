//! Sessions, quotas and facts in their tables: read and locked for many at once, and written back the same way.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::time::SystemTime;

use bytes::Bytes;
use cintx::webhook::inbox::{Gap, MissingNumbers, SessionOrder};
use deadpool_postgres::Transaction;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::database::{Database, system_time};
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

/// A session that is locked.
#[derive(Clone, Debug, Default)]
pub(super) struct Session {
    pub(super) order: SessionOrder,
    target_group: Option<String>,
    /// As it is in the tables.
    kept: SessionOrder,
}

/// The clock that says since when an event waits.
#[derive(Clone, Copy, Debug)]
pub(super) enum WaitClock {
    /// That of the process that took it.
    ByInbox,
    /// That of the database.
    ByDatabase,
}

impl WaitClock {
    /// The column of `inbox_held`.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::ByInbox => "came",
            Self::ByDatabase => "received",
        }
    }
}

/// Locks sessions in the order of their names, making those that are new, and reads them.
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
        RETURNING session, next, low, target_group";
    sessions(transaction, query(transaction, upsert, &[&names, &groups, &now]).await?, WaitClock::ByInbox).await
}

/// Reads sessions in which something has waited since a moment or longer, and locks them. Those that another
/// transaction has locked are left to it.
pub(super) async fn lock_overdue(
    transaction: &Transaction<'_>,
    (waits, since): (WaitClock, SystemTime),
    limit: i64,
) -> Result<BTreeMap<String, Session>, Error> {
    let column = waits.column();
    let lock = format!(
        "SELECT session, next, low, target_group FROM cintx.inbox_session
        WHERE session IN (SELECT session FROM cintx.inbox_held WHERE {column} <= $1 ORDER BY {column} LIMIT $2)
        ORDER BY session FOR UPDATE SKIP LOCKED"
    );
    sessions(transaction, query(transaction, &lock, &[&since, &limit]).await?, waits).await
}

/// Rows of sessions, with the numbers that wait in them and those that are given up.
async fn sessions(
    transaction: &Transaction<'_>,
    rows: Vec<Row>,
    waits: WaitClock,
) -> Result<BTreeMap<String, Session>, Error> {
    type Parts = (Vec<(i64, Timestamp)>, Vec<MissingNumbers>);
    let mut parts: HashMap<String, Parts> = HashMap::new();
    let names: Vec<&str> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let column = waits.column();
    let held = format!("SELECT session, sequence, {column} FROM cintx.inbox_held WHERE session = ANY($1)");
    for row in query(transaction, &held, &[&names]).await? {
        parts.entry(row.try_get(0)?).or_default().0.push((row.try_get(1)?, timestamp(row.try_get(2)?)));
    }
    let missing = "SELECT session, first, last, since FROM cintx.inbox_missing WHERE session = ANY($1)";
    for row in query(transaction, missing, &[&names]).await? {
        let numbers =
            MissingNumbers { first: row.try_get(1)?, last: row.try_get(2)?, since: timestamp(row.try_get(3)?) };
        parts.entry(row.try_get(0)?).or_default().1.push(numbers);
    }
    let mut sessions = BTreeMap::new();
    for row in &rows {
        let name: String = row.try_get(0)?;
        let (waiting, given_up) = parts.remove(&name).unwrap_or_default();
        let low: Vec<i64> = row.try_get(2)?;
        let order = SessionOrder::restored(row.try_get(1)?, waiting, given_up, low);
        sessions.insert(name, Session { kept: order.clone(), order, target_group: row.try_get(3)? });
    }
    Ok(sessions)
}

/// Writes back what has changed in sessions: the numbers that go on, and those that are given up.
pub(super) async fn save_sessions(
    transaction: &Transaction<'_>,
    sessions: &BTreeMap<String, Session>,
) -> Result<(), Error> {
    let moved = sessions.iter().filter(|(_, it)| it.order.next_number() != it.kept.next_number());
    let (names, next): (Vec<&String>, Vec<i64>) = moved.map(|(name, it)| (name, it.order.next_number())).unzip();
    if !names.is_empty() {
        let update = "UPDATE cintx.inbox_session AS kept SET next = new.next
            FROM unnest($1::text[], $2::bigint[]) AS new (session, next) WHERE kept.session = new.session";
        query(transaction, update, &[&names, &next]).await?;
    }
    // No session is known to have any, so these are rare.
    for (name, session) in sessions.iter().filter(|(_, it)| !it.order.low_numbers().eq(it.kept.low_numbers())) {
        let low: Vec<i64> = session.order.low_numbers().collect();
        query(transaction, "UPDATE cintx.inbox_session SET low = $2 WHERE session = $1", &[name, &low]).await?;
    }
    let changed = sessions.iter().filter(|(_, it)| !it.order.given_up().eq(it.kept.given_up()));
    let (mut changed_names, mut names) = (Vec::new(), Vec::new());
    let (mut first, mut last, mut since) = (Vec::new(), Vec::new(), Vec::new());
    for (name, session) in changed {
        changed_names.push(name);
        for missing in session.order.given_up() {
            names.push(name);
            first.push(missing.first);
            last.push(missing.last);
            since.push(system_time(missing.since));
        }
    }
    if changed_names.is_empty() {
        return Ok(());
    }
    query(transaction, "DELETE FROM cintx.inbox_missing WHERE session = ANY($1)", &[&changed_names]).await?;
    let insert = "INSERT INTO cintx.inbox_missing (session, first, last, since)
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::timestamptz[])";
    query(transaction, insert, &[&names, &first, &last, &since]).await?;
    Ok(())
}

/// Keeps events that wait: session, number and body.
pub(super) async fn keep_waiting(
    transaction: &Transaction<'_>,
    waiting: &BTreeMap<(String, i64), Bytes>,
    now: SystemTime,
) -> Result<(), Error> {
    if waiting.is_empty() {
        return Ok(());
    }
    let (names, numbers): (Vec<&String>, Vec<i64>) = waiting.keys().map(|(name, number)| (name, *number)).unzip();
    let bodies: Vec<&[u8]> = waiting.values().map(|body| &body[..]).collect();
    let insert = "INSERT INTO cintx.inbox_held (session, sequence, came, body)
        SELECT session, sequence, $4, body FROM unnest($1::text[], $2::bigint[], $3::bytea[])
            AS new (session, sequence, body)";
    query(transaction, insert, &[&names, &numbers, &bodies, &now]).await?;
    Ok(())
}

/// Takes events that have waited, and are handed on, out of their table.
async fn let_go(
    transaction: &Transaction<'_>,
    names: &[&str],
    numbers: &[i64],
) -> Result<HashMap<(String, i64), Bytes>, Error> {
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let delete =
        "DELETE FROM cintx.inbox_held AS kept USING unnest($1::text[], $2::bigint[]) AS gone (session, sequence)
        WHERE kept.session = gone.session AND kept.sequence = gone.sequence
        RETURNING kept.session, kept.sequence, kept.body";
    let rows = query(transaction, delete, &[&names, &numbers]).await?;
    let row = |row: &Row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get::<_, Vec<u8>>(2)?.into()));
    rows.iter().map(row).collect()
}

pub(super) fn timestamp(at: SystemTime) -> Timestamp {
    Timestamp::try_from(at).unwrap_or(Timestamp::MIN)
}

/// What is handed on.
#[derive(Debug)]
enum Handed {
    Here(Bytes),
    /// It has waited, under this number of its session.
    Kept(String, i64),
}

/// Facts to be handed on, in this order.
#[derive(Debug, Default)]
pub(super) struct Facts {
    streams: Vec<Option<String>>,
    late: Vec<bool>,
    handed: Vec<Handed>,
}

impl Facts {
    pub(super) fn push(&mut self, stream: Option<String>, is_late: bool, body: &Bytes) {
        self.add(stream, is_late, Handed::Here(body.clone()));
    }

    /// An event that has waited.
    pub(super) fn push_kept(&mut self, session: &str, number: i64) {
        self.add(Some(stream_of(session)), false, Handed::Kept(session.to_owned(), number));
    }

    fn add(&mut self, stream: Option<String>, is_late: bool, handed: Handed) {
        self.streams.push(stream);
        self.late.push(is_late);
        self.handed.push(handed);
    }

    /// Writes them, and tells the other processes with the commit.
    pub(super) async fn insert(&self, transaction: &Transaction<'_>) -> Result<(), Error> {
        if self.handed.is_empty() {
            return Ok(());
        }
        let waited = self.handed.iter().filter_map(|handed| match handed {
            Handed::Here(_) => None,
            Handed::Kept(session, number) => Some((&**session, *number)),
        });
        let (names, numbers): (Vec<&str>, Vec<i64>) = waited.unzip();
        let kept = let_go(transaction, &names, &numbers).await?;
        let (mut streams, mut late, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
        for ((stream, is_late), handed) in self.streams.iter().zip(&self.late).zip(&self.handed) {
            let body = match handed {
                Handed::Here(body) => body,
                Handed::Kept(session, number) => match kept.get(&(session.clone(), *number)) {
                    Some(body) => body,
                    None => continue,
                },
            };
            streams.push(stream);
            late.push(is_late);
            bodies.push(&body[..]);
        }
        let insert = "INSERT INTO cintx.inbox_fact (stream, is_late, body)
            SELECT * FROM unnest($1::text[], $2::boolean[], $3::bytea[])";
        query(transaction, insert, &[&streams, &late, &bodies]).await?;
        query(transaction, "SELECT pg_notify($1, '')", &[&super::CHANNEL]).await?;
        Ok(())
    }
}

/// The stream of a session's facts.
pub(super) fn stream_of(session: &str) -> String {
    format!("session {session}")
}

/// The gaps that were noticed in a time, the newest first.
pub(super) async fn gaps_since(
    database: &Database,
    noticed: &RangeInclusive<Timestamp>,
    limit: usize,
) -> Result<Vec<Gap>, Error> {
    let mut client = database.connection().await?;
    let transaction = client.build_transaction().read_only(true).start().await?;
    let with_gaps = "SELECT session, next, low, target_group FROM cintx.inbox_session
        WHERE session IN (
            SELECT session FROM cintx.inbox_held WHERE came BETWEEN $1 AND $2 UNION
            SELECT session FROM cintx.inbox_missing WHERE since BETWEEN $1 AND $2)";
    let (oldest, newest) = (system_time(*noticed.start()), system_time(*noticed.end()));
    let rows = query(&transaction, with_gaps, &[&oldest, &newest]).await?;
    let mut gaps = gaps_of(sessions(&transaction, rows, WaitClock::ByInbox).await?);
    gaps.retain(|gap| noticed.contains(&gap.since));
    gaps.sort_by(|one, other| other.since.cmp(&one.since).then_with(|| one.cmp(other)));
    gaps.truncate(limit);
    Ok(gaps)
}

fn gaps_of(sessions: BTreeMap<String, Session>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (name, session) in sessions {
        for missing in session.order.missing() {
            let mut gap = Gap::new(name.clone(), (missing.first, missing.last), missing.since);
            gap.target_group.clone_from(&session.target_group);
            gaps.push(gap);
        }
    }
    gaps
}

/// The first gaps, by their sessions.
pub(super) async fn gaps(database: &Database, limit: usize) -> Result<Vec<Gap>, Error> {
    let mut client = database.connection().await?;
    let transaction = client.build_transaction().read_only(true).start().await?;
    let first = "SELECT session, next, low, target_group FROM cintx.inbox_session
        WHERE session IN (
            (SELECT DISTINCT session FROM cintx.inbox_held ORDER BY session LIMIT $1) UNION
            (SELECT DISTINCT session FROM cintx.inbox_missing ORDER BY session LIMIT $1))
        ORDER BY session LIMIT $1";
    let rows = query(&transaction, first, &[&i64::try_from(limit).unwrap_or(i64::MAX)]).await?;
    let mut gaps = gaps_of(sessions(&transaction, rows, WaitClock::ByInbox).await?);
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
