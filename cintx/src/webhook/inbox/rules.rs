//! The rules of the inbox: what is taken, what waits, what is handed on, what is forgotten.
//! Each function is the body of one transaction.

use jiff::Timestamp;

use super::records::{
    QuotaCount, Session, Table, Tables, held_key, micros, ordered, ordered_key, quota_key, read, split_key, write,
};
use super::{Accepted, Fact, Gap, InboxError, SequencePlace, SessionOrder};
use crate::webhook::receive::{Event, EventData, QuotaFillRegistered, SessionUpdated};

/// How many sessions are let go in one transaction.
const MAX_RELEASED_SESSIONS: usize = 1_000;

const IN_ORDER: u8 = 0;
const LATE: u8 = 1;

/// Takes events, and forgets as many old ones as that or more.
pub(super) fn accept(
    tables: &mut dyn Tables,
    events: &[Event],
    now: Timestamp,
    forget_before: Timestamp,
) -> Result<Vec<Accepted>, InboxError> {
    let accepted = events.iter().map(|event| accept_one(tables, event, now)).collect::<Result<_, _>>()?;
    forget(tables, micros(forget_before), 2 * events.len() + 10)?;
    Ok(accepted)
}

fn accept_one(tables: &mut dyn Tables, event: &Event, now: Timestamp) -> Result<Accepted, InboxError> {
    if tables.get(Table::Seen, event.id().as_bytes())?.is_some() {
        return Ok(Accepted::Duplicate);
    }
    tables.put(Table::Seen, event.id().as_bytes(), &[])?;
    let session = match event.data() {
        EventData::SessionUpdated(session) => &*session.response_session_id,
        _ => "",
    };
    tables.put(Table::Ages, &ordered_key(micros(now), event.id()), session.as_bytes())?;
    match event.data() {
        EventData::SessionUpdated(session) => accept_session(tables, event, session, now),
        EventData::QuotaFillRegistered(fill) => accept_fill(tables, event, fill),
        _ => push(tables, IN_ORDER, event.body()).map(|_| Accepted::New),
    }
}

fn accept_session(
    tables: &mut dyn Tables,
    event: &Event,
    update: &SessionUpdated,
    now: Timestamp,
) -> Result<Accepted, InboxError> {
    let id = &update.response_session_id;
    let mut session = match tables.get(Table::Sessions, id.as_bytes())? {
        Some(bytes) => read("a session", &bytes)?,
        None => Session::default(),
    };
    let before = session.order.waiting_since();
    session.touched = micros(now);
    if session.target_group.is_none() {
        session.target_group.clone_from(&update.target_group_id);
    }
    let number = update.sequence_number;
    let place = session.order.accept(number, now);
    match &place {
        SequencePlace::Duplicate => {}
        SequencePlace::Waiting => tables.put(Table::Held, &held_key(id, number), event.body())?,
        SequencePlace::Late => drop(push(tables, LATE, event.body())?),
        SequencePlace::InOrder { followed_by } => {
            push(tables, IN_ORDER, event.body())?;
            hand_on(tables, id, followed_by)?;
        }
    }
    save_session(tables, id, &session, before)?;
    Ok(Accepted::from(&place))
}

/// Hands on events that have waited.
fn hand_on(tables: &mut dyn Tables, id: &str, numbers: &[i64]) -> Result<(), InboxError> {
    for number in numbers {
        let key = held_key(id, *number);
        if let Some(body) = tables.get(Table::Held, &key)? {
            tables.remove(Table::Held, &key)?;
            push(tables, IN_ORDER, &body)?;
        }
    }
    Ok(())
}

/// Writes a session, and lists it where it belongs; `before` is since when it was listed as waiting.
fn save_session(
    tables: &mut dyn Tables,
    id: &str,
    session: &Session,
    before: Option<Timestamp>,
) -> Result<(), InboxError> {
    let since = session.order.waiting_since();
    if before != since {
        if let Some(before) = before {
            tables.remove(Table::Waiting, &ordered_key(micros(before), id))?;
        }
        if let Some(since) = since {
            tables.put(Table::Waiting, &ordered_key(micros(since), id), &[])?;
        }
    }
    if session.order.missing().next().is_some() {
        tables.put(Table::Gaps, id.as_bytes(), &[])?;
    } else {
        tables.remove(Table::Gaps, id.as_bytes())?;
    }
    tables.put(Table::Sessions, id.as_bytes(), &write(session)?)
}

fn accept_fill(tables: &mut dyn Tables, event: &Event, fill: &QuotaFillRegistered) -> Result<Accepted, InboxError> {
    let key = quota_key(&fill.target_group_id, fill.profile_quota_id.as_deref());
    // Without counts it takes the place of none.
    let Some(rank) = event.count_order() else { return push(tables, IN_ORDER, event.body()).map(|_| Accepted::New) };
    if let Some(bytes) = tables.get(Table::Quotas, &key)? {
        let known: QuotaCount = read("a quota's counts", &bytes)?;
        if rank <= known.rank {
            return Ok(Accepted::Superseded);
        }
        // If it still waits, nobody needs it any more.
        tables.remove(Table::Facts, &known.fact.to_be_bytes())?;
    }
    let fact = push(tables, IN_ORDER, event.body())?;
    tables.put(Table::Quotas, &key, &write(&QuotaCount { rank, fact })?)?;
    Ok(Accepted::New)
}

/// Appends a fact.
fn push(tables: &mut dyn Tables, flag: u8, body: &[u8]) -> Result<u64, InboxError> {
    let next = match tables.get(Table::Meta, b"next")? {
        Some(bytes) => read("the next number", &bytes)?,
        None => 1_u64,
    };
    tables.put(Table::Meta, b"next", &write(&(next + 1))?)?;
    tables.put(Table::Facts, &next.to_be_bytes(), &[&[flag], body].concat())?;
    Ok(next)
}

/// Forgets what came before a moment, at most so many events.
fn forget(tables: &mut dyn Tables, before: i64, limit: usize) -> Result<(), InboxError> {
    for (key, session) in tables.first(Table::Ages, limit)? {
        let (came, event) = split_key(&key)?;
        if came >= before {
            break;
        }
        tables.remove(Table::Ages, &key)?;
        tables.remove(Table::Seen, event.as_bytes())?;
        let Some(bytes) = tables.get(Table::Sessions, &session)?.filter(|_| !session.is_empty()) else { continue };
        let kept: Session = read("a session", &bytes)?;
        if kept.touched <= came {
            tables.put(Table::Ended, &[&ordered(kept.touched)[..], &session].concat(), &[])?;
        }
    }
    forget_sessions(tables, before, limit)
}

/// Forgets sessions that have ended long before a moment, at most so many.
fn forget_sessions(tables: &mut dyn Tables, before: i64, limit: usize) -> Result<(), InboxError> {
    let longer = i64::try_from(SessionOrder::KEPT_LONGER.as_micros()).unwrap_or(i64::MAX);
    let before_sessions = before.saturating_sub(longer);
    for (key, _) in tables.first(Table::Ended, limit)? {
        let (ended, id) = split_key(&key)?;
        if ended >= before_sessions {
            break;
        }
        tables.remove(Table::Ended, &key)?;
        let Some(bytes) = tables.get(Table::Sessions, id.as_bytes())? else { continue };
        let kept: Session = read("a session", &bytes)?;
        if kept.order.waiting().len() > 0 {
            // Nobody has taken facts in all that time.
            tables.put(Table::Ended, &ordered_key(before, &id), &[])?;
        } else if kept.touched < before_sessions {
            tables.remove(Table::Sessions, id.as_bytes())?;
            tables.remove(Table::Gaps, id.as_bytes())?;
        }
    }
    Ok(())
}

/// Lets go what has waited since a moment or longer. Answers whether there was any.
pub(super) fn release(tables: &mut dyn Tables, waiting_since: Timestamp) -> Result<bool, InboxError> {
    let limit = micros(waiting_since);
    let mut released = false;
    for (key, _) in tables.first(Table::Waiting, MAX_RELEASED_SESSIONS)? {
        let (since, id) = split_key(&key)?;
        if since > limit {
            break;
        }
        released = true;
        let Some(bytes) = tables.get(Table::Sessions, id.as_bytes())? else {
            tables.remove(Table::Waiting, &key)?;
            continue;
        };
        let mut session: Session = read("a session", &bytes)?;
        let released = session.order.release(waiting_since);
        hand_on(tables, &id, &released)?;
        tables.remove(Table::Waiting, &key)?;
        save_session(tables, &id, &session, None)?;
    }
    Ok(released)
}

/// Whether [`release`] would let anything go.
#[cfg(feature = "inbox-redb")]
pub(super) fn is_release_due(tables: &dyn Tables, waiting_since: Timestamp) -> Result<bool, InboxError> {
    match tables.first(Table::Waiting, 1)?.first() {
        Some((key, _)) => Ok(split_key(key)?.0 <= micros(waiting_since)),
        None => Ok(false),
    }
}

/// The first facts.
pub(super) fn facts(tables: &dyn Tables, limit: usize) -> Result<Vec<Fact>, InboxError> {
    let unreadable = |problem: String| InboxError::Unreadable { what: "a fact", problem };
    let read = |(key, value): (Vec<u8>, Vec<u8>)| {
        let number = key.try_into().map_err(|_| unreadable("its number is none".to_owned()))?;
        let (flag, body) = value.split_first().ok_or_else(|| unreadable("is empty".to_owned()))?;
        let event = Event::parse(body).map_err(|error| unreadable(error.to_string()))?;
        Ok(Fact::new(u64::from_be_bytes(number), *flag == LATE, event))
    };
    tables.first(Table::Facts, limit)?.into_iter().map(read).collect()
}

/// Ends facts.
pub(super) fn done(tables: &mut dyn Tables, numbers: &[u64]) -> Result<(), InboxError> {
    numbers.iter().try_for_each(|number| tables.remove(Table::Facts, &number.to_be_bytes()))
}

/// The first gaps.
pub(super) fn gaps(tables: &dyn Tables, limit: usize) -> Result<Vec<Gap>, InboxError> {
    let mut gaps = Vec::new();
    for (key, _) in tables.first(Table::Gaps, limit)? {
        let Some(bytes) = tables.get(Table::Sessions, &key)? else { continue };
        let session: Session = read("a session", &bytes)?;
        let id = String::from_utf8_lossy(&key);
        for missing in session.order.missing() {
            let mut gap = Gap::new(id.clone(), (missing.first, missing.last), missing.since);
            gap.target_group.clone_from(&session.target_group);
            gaps.push(gap);
        }
    }
    gaps.truncate(limit);
    Ok(gaps)
}
