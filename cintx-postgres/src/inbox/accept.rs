//! Taking events, and letting go what has waited too long: each one transaction. Rows are locked in one order, by table
//! and then by name, so that receivers wait for each other and never in a circle.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use cintx::quota::CountOrder;
use cintx::webhook::inbox::{Accepted, SequencePlace, SessionOrder};
use cintx::webhook::receive::{Event, EventData, QuotaFillRegistered, SessionUpdated};
use deadpool_postgres::Transaction;
use jiff::Timestamp;

use super::MAX_TRIES;
use super::tables::{
    Facts, Session, WaitClock, keep_waiting, key, lock_overdue, lock_sessions, query, save_sessions, stream_of,
    timestamp,
};
use crate::database::Database;
use crate::error::Error;

/// How many events that wait are looked at in one transaction.
const MAX_OVERDUE: i64 = 1_000;
/// The longest patience that PostgreSQL can count back from now, in seconds: some thirty years.
const MAX_PATIENCE: f64 = 1e9;

/// Only raised: `remote_write`, `remote_apply` and `on` wait for the disk already.
const SYNC: &str = "SELECT set_config('synchronous_commit', 'on', true)
    WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// Takes events, in this order, and says what became of each.
pub(super) async fn accept(
    database: &Database,
    events: &[Event],
    now: SystemTime,
    forget_before: SystemTime,
) -> Result<Vec<Accepted>, Error> {
    let mut tries = 1;
    loop {
        let mut client = database.connection().await?;
        let transaction = client.transaction().await?;
        // What is acknowledged must be on the disk, whatever the server's default is.
        query(&transaction, SYNC, &[]).await?;
        match accept_in(&transaction, events, now, forget_before).await {
            Ok(accepted) => {
                transaction.commit().await?;
                return Ok(accepted);
            }
            Err(error) if error.is_conflict() && tries < MAX_TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

async fn accept_in(
    transaction: &Transaction<'_>,
    events: &[Event],
    now: SystemTime,
    forget_before: SystemTime,
) -> Result<Vec<Accepted>, Error> {
    let new = take_ids(transaction, events, now).await?;
    let mut touched: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut quotas = BTreeSet::new();
    for (_, event) in &new {
        match event.data() {
            EventData::SessionUpdated(update) => {
                let group = touched.entry(key(&update.response_session_id)).or_default();
                *group = group.take().or_else(|| update.target_group_id.as_deref().map(key));
            }
            EventData::QuotaFillRegistered(fill) if event.count_order().is_some() => {
                quotas.insert(quota_key(fill));
            }
            _ => {}
        }
    }
    let mut sessions = match touched.is_empty() {
        true => BTreeMap::new(),
        false => lock_sessions(transaction, &touched, now).await?,
    };
    let mut counts = lock_quotas(transaction, &quotas).await?;
    let mut accepted = vec![Accepted::Duplicate; events.len()];
    let mut facts = Facts::default();
    // Of a quota's counts only the last one is handed on, in its place.
    let mut newest: BTreeMap<QuotaKey, usize> = BTreeMap::new();
    for (at, event) in &new {
        if let (EventData::QuotaFillRegistered(fill), Some(rank)) = (event.data(), event.count_order()) {
            let name = quota_key(fill);
            let takes = counts.entry(name.clone()).or_default().takes(rank);
            accepted[*at] = if takes { Accepted::New } else { Accepted::Superseded };
            if takes {
                newest.insert(name, *at);
            }
        }
    }
    drop_superseded(transaction, newest.keys()).await?;
    // Those that wait for events of this batch may be handed on by it.
    let mut waiting: BTreeMap<(String, i64), Bytes> = BTreeMap::new();
    for (at, event) in new {
        match event.data() {
            EventData::SessionUpdated(update) => {
                let name = key(&update.response_session_id);
                let session = sessions.entry(name.clone()).or_default();
                accepted[at] = accept_session((&name, session), (update, event), now, &mut waiting, &mut facts);
            }
            EventData::QuotaFillRegistered(fill) if event.count_order().is_some() => {
                let name = quota_key(fill);
                if newest.get(&name) == Some(&at) {
                    facts.push(Some(name.stream()), false, event.body());
                }
            }
            // Counts that are not told take the place of none.
            _ => {
                facts.push(None, false, event.body());
                accepted[at] = Accepted::New;
            }
        }
    }
    keep_waiting(transaction, &waiting, now).await?;
    save_sessions(transaction, &sessions).await?;
    save_quotas(transaction, &counts).await?;
    facts.insert(transaction).await?;
    forget(transaction, forget_before, 2 * events.len() + 10).await?;
    Ok(accepted)
}

/// An event of a session has come: what can be handed on now is added to `facts`.
fn accept_session(
    (name, session): (&str, &mut Session),
    (update, event): (&SessionUpdated, &Event),
    now: SystemTime,
    waiting: &mut BTreeMap<(String, i64), Bytes>,
    facts: &mut Facts,
) -> Accepted {
    let number = update.sequence_number;
    let place = session.order.accept(number, timestamp(now));
    match &place {
        SequencePlace::Duplicate => {}
        SequencePlace::Waiting => drop(waiting.insert((name.to_owned(), number), event.body().clone())),
        SequencePlace::Late => facts.push(Some(stream_of(name)), true, event.body()),
        SequencePlace::InOrder { followed_by } => {
            facts.push(Some(stream_of(name)), false, event.body());
            for number in followed_by {
                match waiting.remove(&(name.to_owned(), *number)) {
                    Some(body) => facts.push(Some(stream_of(name)), false, &body),
                    None => facts.push_kept(name, *number),
                }
            }
        }
    }
    Accepted::from(&place)
}

/// Writes down the ids of events. Answers those that were not there, each once, with their places. Another receiver
/// with the same id is waited for.
async fn take_ids<'e>(
    transaction: &Transaction<'_>,
    events: &'e [Event],
    now: SystemTime,
) -> Result<Vec<(usize, &'e Event)>, Error> {
    let keys: Vec<String> = events.iter().map(|event| key(event.id())).collect();
    let sorted: Vec<&String> = keys.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let insert = "INSERT INTO cintx.inbox_event (id, came) SELECT id, $2 FROM unnest($1::text[]) AS new (id)
        ON CONFLICT DO NOTHING RETURNING id";
    let rows = query(transaction, insert, &[&sorted, &now]).await?;
    let mut taken: HashSet<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    // The first of those with one id.
    Ok(events.iter().enumerate().filter(|(at, _)| taken.remove(&keys[*at])).collect())
}

/// What tells a quota from others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct QuotaKey {
    target_group: String,
    /// Empty for the target group as a whole.
    quota: String,
}

impl QuotaKey {
    fn stream(&self) -> String {
        format!("quota {} {}", self.target_group, self.quota)
    }
}

fn quota_key(fill: &QuotaFillRegistered) -> QuotaKey {
    QuotaKey {
        target_group: key(&fill.target_group_id),
        quota: key(fill.profile_quota_id.as_deref().unwrap_or_default()),
    }
}

/// The newest counts of a quota, and whether they are in the table.
#[derive(Debug, Default)]
struct Counts {
    rank: Option<CountOrder>,
    is_changed: bool,
}

impl Counts {
    /// Takes counts, if they are newer.
    fn takes(&mut self, rank: CountOrder) -> bool {
        let is_newer = Some(rank) > self.rank;
        if is_newer {
            self.rank = Some(rank);
            self.is_changed = true;
        }
        is_newer
    }
}

/// Reads the counts of quotas, making rows for those that are new, and locks them in order.
async fn lock_quotas(
    transaction: &Transaction<'_>,
    quotas: &BTreeSet<QuotaKey>,
) -> Result<BTreeMap<QuotaKey, Counts>, Error> {
    let mut counts = BTreeMap::new();
    if quotas.is_empty() {
        return Ok(counts);
    }
    let (groups, names): (Vec<&str>, Vec<&str>) = quotas.iter().map(|key| (&*key.target_group, &*key.quota)).unzip();
    let upsert = "INSERT INTO cintx.inbox_quota AS kept (target_group, quota)
        SELECT * FROM unnest($1::text[], $2::text[])
        ON CONFLICT (target_group, quota) DO UPDATE SET quota = EXCLUDED.quota
        RETURNING target_group, quota, is_known, time, completes, screens";
    for row in query(transaction, upsert, &[&groups, &names]).await? {
        let key = QuotaKey { target_group: row.try_get(0)?, quota: row.try_get(1)? };
        let is_known: bool = row.try_get(2)?;
        let time = row.try_get::<_, Option<i64>>(3)?.and_then(|micros| Timestamp::from_microsecond(micros).ok());
        let rank = CountOrder::new(time, row.try_get(4)?, row.try_get(5)?);
        counts.insert(key, Counts { rank: is_known.then_some(rank), is_changed: false });
    }
    Ok(counts)
}

async fn save_quotas(transaction: &Transaction<'_>, counts: &BTreeMap<QuotaKey, Counts>) -> Result<(), Error> {
    let (mut groups, mut quotas) = (Vec::new(), Vec::new());
    let (mut times, mut completes, mut screens) = (Vec::new(), Vec::new(), Vec::new());
    for (key, changed) in counts.iter().filter(|(_, counts)| counts.is_changed) {
        let Some(rank) = changed.rank else { continue };
        groups.push(&key.target_group);
        quotas.push(&key.quota);
        times.push(rank.time().map(Timestamp::as_microsecond));
        completes.push(rank.completes());
        screens.push(rank.screens());
    }
    if groups.is_empty() {
        return Ok(());
    }
    let update = "UPDATE cintx.inbox_quota AS kept
        SET is_known = true, time = new.time, completes = new.completes, screens = new.screens
        FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
            AS new (target_group, quota, time, completes, screens)
        WHERE kept.target_group = new.target_group AND kept.quota = new.quota";
    query(transaction, update, &[&groups, &quotas, &times, &completes, &screens]).await?;
    Ok(())
}

/// Takes away the counts that nobody needs any more. Those that are being handled are left to their handler; the newer
/// ones wait for it.
async fn drop_superseded<'k>(
    transaction: &Transaction<'_>,
    quotas: impl Iterator<Item = &'k QuotaKey>,
) -> Result<(), Error> {
    let streams: Vec<String> = quotas.map(QuotaKey::stream).collect();
    if streams.is_empty() {
        return Ok(());
    }
    let delete = "DELETE FROM cintx.inbox_fact WHERE number IN
        (SELECT number FROM cintx.inbox_fact WHERE stream = ANY($1) FOR UPDATE SKIP LOCKED)";
    query(transaction, delete, &[&streams]).await?;
    Ok(())
}

/// Forgets ids of before a moment, and sessions that have ended long before it, at most so many of each. It comes last,
/// and waits for nobody.
async fn forget(transaction: &Transaction<'_>, before: SystemTime, limit: usize) -> Result<(), Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let events = "DELETE FROM cintx.inbox_event WHERE id IN
        (SELECT id FROM cintx.inbox_event WHERE came < $1 ORDER BY came LIMIT $2 FOR UPDATE SKIP LOCKED)";
    query(transaction, events, &[&before, &limit]).await?;
    let sessions = "DELETE FROM cintx.inbox_session WHERE session IN
        (SELECT session FROM cintx.inbox_session AS kept WHERE touched < $1
            AND NOT EXISTS (SELECT FROM cintx.inbox_held AS held WHERE held.session = kept.session)
            ORDER BY touched LIMIT $2 FOR UPDATE SKIP LOCKED)";
    let sessions_before = before.checked_sub(SessionOrder::KEPT_LONGER).unwrap_or(SystemTime::UNIX_EPOCH);
    query(transaction, sessions, &[&sessions_before, &limit]).await?;
    Ok(())
}

/// Which events have waited too long.
#[derive(Clone, Copy, Debug)]
pub(super) enum Overdue {
    /// Those that wait since this moment or longer, by the clocks of the inboxes.
    Since(SystemTime),
    /// Those that have waited for so long, by the clock of the database.
    For(Duration),
}

/// Lets go what has waited too long.
pub(super) async fn release(database: &Database, overdue: Overdue) -> Result<(), Error> {
    let mut client = database.connection().await?;
    // Most of the time there is nothing to write.
    let (is_due, waits, waiting_since): (bool, WaitClock, SystemTime) = match overdue {
        Overdue::Since(since) => {
            let sql = "SELECT EXISTS (SELECT FROM cintx.inbox_held WHERE came <= $1)";
            let row = client.query_one(&client.prepare_cached(sql).await?, &[&since]).await?;
            (row.try_get(0)?, WaitClock::ByInbox, since)
        }
        Overdue::For(time) => {
            let sql = "WITH due AS MATERIALIZED (SELECT clock_timestamp() - make_interval(secs => $1) AS since)
                SELECT EXISTS (SELECT FROM cintx.inbox_held, due WHERE received <= since), since FROM due";
            let seconds = time.as_secs_f64().min(MAX_PATIENCE);
            let row = client.query_one(&client.prepare_cached(sql).await?, &[&seconds]).await?;
            (row.try_get(0)?, WaitClock::ByDatabase, row.try_get(1)?)
        }
    };
    if !is_due {
        return Ok(());
    }
    let transaction = client.transaction().await?;
    let mut sessions = lock_overdue(&transaction, (waits, waiting_since), MAX_OVERDUE).await?;
    let mut facts = Facts::default();
    // Those that have waited longest come first.
    let mut longest_first: Vec<_> = sessions.iter_mut().collect();
    longest_first.sort_by_key(|(_, session)| session.order.waiting_since());
    for (name, session) in longest_first {
        session.order.release(timestamp(waiting_since)).into_iter().for_each(|number| facts.push_kept(name, number));
    }
    save_sessions(&transaction, &sessions).await?;
    facts.insert(&transaction).await?;
    Ok(transaction.commit().await?)
}
