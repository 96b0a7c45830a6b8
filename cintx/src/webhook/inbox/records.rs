//! What the inbox keeps, as ordered tables of bytes: the keys, the records, and what a store must offer to hold them.
//! Both stores of this crate are such tables, so the rules are written once.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{InboxError, SessionOrder};
use crate::quota::CountOrder;

/// The tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    /// Event id: when it came.
    Seen,
    /// When it came and event id: its session, or nothing. To forget the oldest first.
    Ages,
    /// Number: the fact.
    Facts,
    /// Session and sequence number: an event that waits.
    Held,
    /// Session: its [`Session`].
    Sessions,
    /// Since when and session: nothing. Which sessions have events that wait.
    Waiting,
    /// When its last event came and session: nothing. Which sessions have no event any more whose id is known, to
    /// forget the oldest first.
    Ended,
    /// Session: nothing. Which sessions lack numbers.
    Gaps,
    /// Target group and quota: its [`QuotaCount`].
    Quotas,
    /// `next`: the number of the next fact.
    Meta,
}

impl Table {
    #[cfg(feature = "inbox-redb")]
    pub(super) const ALL: [Self; 10] = [
        Self::Seen,
        Self::Ages,
        Self::Facts,
        Self::Held,
        Self::Sessions,
        Self::Waiting,
        Self::Ended,
        Self::Gaps,
        Self::Quotas,
        Self::Meta,
    ];
}

/// One transaction on the tables.
pub(super) trait Tables {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, InboxError>;
    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), InboxError>;
    fn remove(&mut self, table: Table, key: &[u8]) -> Result<(), InboxError>;
    /// The first entries, by the bytes of their keys.
    fn first(&self, table: Table, limit: usize) -> Result<Vec<Entry>, InboxError>;
}

/// A key and its value.
pub(super) type Entry = (Vec<u8>, Vec<u8>);

/// What is known of a session.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Session {
    #[serde(flatten)]
    pub(super) order: SessionOrder,
    /// When its last event came, in microseconds.
    pub(super) touched: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) target_group: Option<String>,
}

/// The newest counts of a quota.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct QuotaCount {
    /// By what it is the newest.
    pub(super) rank: CountOrder,
    /// The number of the fact that tells it.
    pub(super) fact: u64,
}

pub(super) fn read<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, InboxError> {
    serde_json::from_slice(bytes).map_err(|error| InboxError::Unreadable { what, problem: error.to_string() })
}

pub(super) fn write<T: Serialize>(record: &T) -> Result<Vec<u8>, InboxError> {
    serde_json::to_vec(record).map_err(InboxError::store)
}

/// A moment in microseconds, and as a key: keys are ordered as the moments are.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(super) fn ordered(number: i64) -> [u8; 8] {
    (number.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// A moment or a number, and a name behind it.
pub(super) fn ordered_key(number: i64, name: &str) -> Vec<u8> {
    [&ordered(number)[..], name.as_bytes()].concat()
}

/// The two parts of such a key.
pub(super) fn split_key(key: &[u8]) -> Result<(i64, String), InboxError> {
    let unreadable = || InboxError::Unreadable { what: "a key", problem: format!("has {} bytes", key.len()) };
    let (number, name) = key.split_first_chunk::<8>().ok_or_else(unreadable)?;
    let number = (u64::from_be_bytes(*number) ^ (1 << 63)).cast_signed();
    Ok((number, String::from_utf8_lossy(name).into_owned()))
}

/// The key of an event that waits.
pub(super) fn held_key(session: &str, sequence: i64) -> Vec<u8> {
    [session.as_bytes(), &[0xff], &ordered(sequence)].concat()
}

/// The key of a quota's counts.
pub(super) fn quota_key(target_group: &str, quota: Option<&str>) -> Vec<u8> {
    [target_group.as_bytes(), &[0xff], quota.unwrap_or_default().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A later release reads what an earlier one has written.
    #[test]
    fn a_session_is_kept_in_this_form() {
        let kept = r#"{"next":3,"held":[[5,20]],"missing":[[1,1,10]],"touched":30,"target_group":"g"}"#;
        let session: Session = read("a session", kept.as_bytes()).unwrap();
        assert_eq!((session.order.next_number(), session.order.missing().count()), (3, 2));
        assert_eq!(write(&session).unwrap(), kept.as_bytes());
    }

    #[test]
    fn keys_are_ordered_as_the_numbers_are() {
        let numbers = [i64::MIN, -2, -1, 0, 1, 2, i64::MAX];
        let keys: Vec<_> = numbers.iter().map(|number| ordered_key(*number, "ä")).collect();
        assert!(keys.is_sorted());
        for (number, key) in numbers.iter().zip(&keys) {
            assert_eq!(split_key(key).unwrap(), (*number, "ä".to_owned()));
        }
        assert!(split_key(b"short").is_err());
    }
}
