//! Respondents in bulk, each once and in the order of the file: compact, found by RID, written back as CSV.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::super::Reason;
use crate::types::hyphenated_uuid;

/// A RID in 17 bytes that is written as it was read: in upper case, or in lower case.
#[derive(Clone, Copy)]
pub(super) struct Rid {
    bytes: [u8; 16],
    upper: bool,
}

impl Rid {
    /// A RID in the hyphenated form. One of mixed case is written in lower case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let id = hyphenated_uuid(text)?;
        let upper = !text.bytes().any(|byte| byte.is_ascii_lowercase());
        Some(Self { bytes: id.into_bytes(), upper })
    }
}

impl fmt::Display for Rid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = Uuid::from_bytes(self.bytes).hyphenated();
        let mut text = Uuid::encode_buffer();
        f.write_str(if self.upper { id.encode_upper(&mut text) } else { id.encode_lower(&mut text) })
    }
}

/// What a row says of its respondent.
pub(super) trait Remark: Copy + PartialEq {
    /// Whether there is a column for it.
    const HAS_REASON: bool;

    fn parse(cell: &str) -> Option<Self>;

    fn reason(self) -> Option<Reason>;
}

/// A correction has a reason.
impl Remark for Reason {
    const HAS_REASON: bool = true;

    fn parse(cell: &str) -> Option<Self> {
        Self::from_code(cell)
    }

    fn reason(self) -> Option<Reason> {
        Some(self)
    }
}

/// A complete that is kept has none.
impl Remark for () {
    const HAS_REASON: bool = false;

    fn parse(_: &str) -> Option<Self> {
        Some(())
    }

    fn reason(self) -> Option<Reason> {
        None
    }
}

/// A respondent, and the line where they stand.
#[derive(Clone, Copy)]
pub(super) struct Row<T> {
    pub(super) rid: Rid,
    pub(super) remark: T,
    pub(super) line: u32,
    /// Whether it is known when they completed.
    pub(super) is_dated: bool,
}

impl<T: Remark> Row<T> {
    /// The row as Cint takes it.
    pub(super) fn write(&self, out: &mut impl fmt::Write) -> fmt::Result {
        match self.remark.reason() {
            Some(reason) => writeln!(out, "{},{}", self.rid, reason.code()),
            None => writeln!(out, "{}", self.rid),
        }
    }
}

/// Rows, each RID once. A row takes 24 bytes, and the index about 10.
pub(super) struct Rows<T> {
    rows: Vec<Row<T>>,
    index: HashTable<u32>,
    hasher: RandomState,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), index: HashTable::new(), hasher: RandomState::new() }
    }
}

impl<T: Remark> Rows<T> {
    /// Adds a row, or gives the one that has its RID already.
    pub(super) fn insert(&mut self, row: Row<T>) -> Option<&mut Row<T>> {
        let (rows, hasher) = (&mut self.rows, &self.hasher);
        let same = |&at: &u32| rows[at as usize].rid.bytes == row.rid.bytes;
        let hash = |at: &u32| hasher.hash_one(rows[*at as usize].rid.bytes);
        match self.index.entry(hasher.hash_one(row.rid.bytes), same, hash) {
            Entry::Occupied(there) => Some(&mut rows[*there.get() as usize]),
            Entry::Vacant(place) => {
                // A row has a line of its own, and lines are counted in 32 bits.
                place.insert(u32::try_from(rows.len()).unwrap_or(u32::MAX));
                rows.push(row);
                None
            }
        }
    }

    /// Where a RID is, in any case.
    pub(super) fn find(&self, rid: &Rid) -> Option<usize> {
        let same = |&at: &u32| self.rows[at as usize].rid.bytes == rid.bytes;
        self.index.find(self.hasher.hash_one(rid.bytes), same).map(|&at| at as usize)
    }

    /// Gives back the memory that is left over when the last row is there.
    pub(super) fn shrink(&mut self) {
        let (rows, hasher) = (&mut self.rows, &self.hasher);
        self.index.shrink_to_fit(|&at| hasher.hash_one(rows[at as usize].rid.bytes));
        rows.shrink_to_fit();
    }

    pub(super) fn as_slice(&self) -> &[Row<T>] {
        &self.rows
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Row<T>> {
        self.rows.get_mut(at)
    }
}

/// Rows as Cint takes them: a line each, without a header.
pub(super) fn csv_of<T: Remark>(rows: &[Row<T>]) -> String {
    let mut csv = String::with_capacity(rows.len() * 41);
    for row in rows {
        // Writing into a string cannot fail.
        let _ = row.write(&mut csv);
    }
    csv
}

/// SHA-256 of the lines as Cint takes them, in hexadecimal.
pub(super) fn digest_of<T: Remark>(rows: &[Row<T>]) -> String {
    let mut hash = Sha256::new();
    for some in rows.chunks(1_024) {
        hash.update(csv_of(some));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(rid: &str, remark: Reason, line: u32) -> Row<Reason> {
        Row { rid: Rid::parse(rid).unwrap(), remark, line, is_dated: false }
    }

    #[test]
    fn a_row_is_small_and_keeps_the_case_of_its_rid() {
        assert_eq!(size_of::<Row<Reason>>(), 24);
        let upper = "0F1CE179-A917-49FF-9D50-B05FC91F7BD4";
        for (given, written) in [(upper, upper), (&*upper.to_lowercase(), &*upper.to_lowercase())] {
            assert_eq!(Rid::parse(given).unwrap().to_string(), written);
        }
        assert_eq!(Rid::parse("0f1CE179-A917-49FF-9D50-B05FC91F7BD4").unwrap().to_string(), upper.to_lowercase());
        for form in ["{0f1ce179-a917-49ff-9d50-b05fc91f7bd4}", "0f1ce179a91749ff9d50b05fc91f7bd4", "x"] {
            assert!(Rid::parse(form).is_none(), "{form}");
        }
    }

    #[test]
    fn a_rid_is_there_once_in_any_case() {
        let mut rows = Rows::default();
        let rid = "0f1ce179-a917-49ff-9d50-b05fc91f7bd4";
        assert!(rows.insert(row(rid, Reason::Speeder, 1)).is_none());
        let there = rows.insert(row(&rid.to_uppercase(), Reason::NoReason, 2)).unwrap();
        assert_eq!((there.line, there.remark, rows.as_slice().len()), (1, Reason::Speeder, 1));
        assert_eq!(rows.find(&Rid::parse(&rid.to_uppercase()).unwrap()), Some(0));
        assert_eq!(csv_of(rows.as_slice()), format!("{rid},933\n"));
        // This very value: a later release that changes it would submit again what an earlier one has.
        assert_eq!(digest_of(rows.as_slice()), "e37b80dbf8b6785b5f0a561ddf5cc6a764474b4d0bcfe7400b9d6998fcb0c8cb");
    }
}
