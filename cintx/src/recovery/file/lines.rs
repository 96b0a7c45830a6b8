//! The lines of a journal's file. Each has a checksum and line ends of its own on both sides: whatever is damaged, or
//! cut off by a crash or a full disk, takes no other line with it.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::open::OpenIntents;
use crate::error::Outcome;
use crate::recovery::Intent;

/// The first line of each journal; the number is that of the format.
pub(super) const HEADER: &[u8] = b"cintx journal 1\n";
/// The length of a checksum in hexadecimal digits.
const CHECKSUM_DIGITS: usize = 16;

/// What one line says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Record<'a> {
    /// An intent was begun.
    Begin(Box<Intent>),
    /// It was struck out.
    End { id: Cow<'a, str>, outcome: Outcome },
    /// The line before this one was cut off by a crash, which somebody has been told.
    CutOff,
}

impl Record<'_> {
    /// The line, with a line end on both sides: the one before it ends what was cut off.
    pub(super) fn encode(&self) -> io::Result<Vec<u8>> {
        let json = serde_json::to_vec(self)?;
        let mut line = Vec::with_capacity(json.len() + CHECKSUM_DIGITS + 3);
        line.push(b'\n');
        line.extend_from_slice(checksum(&json).as_bytes());
        line.push(b' ');
        line.extend_from_slice(&json);
        line.push(b'\n');
        Ok(line)
    }

    /// Reads a line without its line ends; `None` if it is not as it was written.
    fn decode(line: &[u8]) -> Option<Self> {
        let (sum, rest) = line.split_at_checked(CHECKSUM_DIGITS)?;
        let json = rest.strip_prefix(b" ")?;
        if sum != checksum(json).as_bytes() {
            return None;
        }
        serde_json::from_slice(json).ok()
    }
}

fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(CHECKSUM_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// A line of a journal that is not as it was written. One in the middle stays in the file, and is reported again, until
/// [`FileJournal::discard_damaged`](super::FileJournal::discard_damaged) takes it away.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DamagedLine {
    pub(super) line: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) cut_off: bool,
}

impl DamagedLine {
    /// Its number in the file when the journal was opened, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// What is left of it. It may name respondents: keep it out of logs.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Whether it is the last line, cut off by a crash. Then nothing is lost: what it began was never sent, and what it
    /// struck out is looked at again.
    pub fn is_cut_off(&self) -> bool {
        self.cut_off
    }
}

impl fmt::Debug for DamagedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DamagedLine")
            .field("line", &self.line)
            .field("bytes", &self.bytes.len())
            .field("cut_off", &self.cut_off)
            .finish_non_exhaustive()
    }
}

/// What a file holds.
pub(super) struct Contents {
    pub(super) open: OpenIntents,
    pub(super) damaged: Vec<DamagedLine>,
    /// Nothing, or a part of the header: the file was just made.
    pub(super) is_new: bool,
}

/// Reads a whole file; `None` if it is no journal.
pub(super) fn read(mut file: impl BufRead) -> io::Result<Option<Contents>> {
    let mut contents = Contents { open: OpenIntents::default(), damaged: Vec::new(), is_new: false };
    let (mut number, mut records, mut line) = (0_u64, 0_u64, Vec::new());
    let mut has_header = false;
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        number += 1;
        if number == 1 {
            has_header = line == HEADER;
            contents.is_new = !has_header && HEADER.starts_with(&line);
            if has_header || contents.is_new {
                continue;
            }
        }
        let cut_off = line.pop_if(|last| *last == b'\n').is_none();
        let bytes = u64::try_from(line.len()).unwrap_or(u64::MAX);
        match Record::decode(&line) {
            _ if line.is_empty() => continue,
            Some(Record::Begin(intent)) => contents.open.begin(*intent, bytes),
            Some(Record::End { id, outcome }) => {
                contents.open.end(&id, outcome);
            }
            Some(Record::CutOff) => drop(contents.damaged.pop_if(|damaged| damaged.line + 1 == number)),
            None => {
                contents.damaged.push(DamagedLine { line: number, bytes: line.clone(), cut_off });
                continue;
            }
        }
        records += 1;
    }
    contents.is_new |= number == 0;
    let is_journal = has_header || contents.is_new || records > 0;
    Ok(is_journal.then_some(contents))
}
