//! CSV read record by record from any source, with the line of each, in memory that does not grow with the file.
//! The separator is found by the first line; a byte order mark is skipped.

use std::io::{self, Read};

use csv_core::{ReadRecordResult, ReaderBuilder};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde::{Deserialize, Serialize};

/// How much is read at once. The first line must fit.
const CHUNK_BYTES: usize = 64 * 1024;
/// The longest record: a quote that is never closed must not swallow the file into memory.
const MAX_RECORD_BYTES: usize = 1024 * 1024;
/// The most fields that a record may have.
const MAX_FIELDS: usize = 4_096;

/// Why there is no further record.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("its bytes cannot be had")]
    Io(#[source] io::Error),
    /// It begins as UTF-16 does.
    #[error("it is UTF-16, expected UTF-8")]
    Utf16,
    #[error(
        "line {line} begins a record of more than 1 MiB or 4,096 fields, expected a row: a quote may not be closed"
    )]
    TooLong { line: u64 },
}

/// Reads records.
pub(crate) struct Records<R> {
    source: R,
    parser: csv_core::Reader,
    separator: u8,
    chunk: Box<[u8]>,
    at: usize,
    filled: usize,
    line: u64,
    after_return: bool,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl<R: Read> Records<R> {
    /// Reads the first line and decides by it what separates fields, unless that is given.
    pub(crate) fn new(source: R, separator: Option<u8>) -> Result<Self, RecordError> {
        let mut records = Self {
            source,
            parser: csv_core::Reader::new(),
            separator: b',',
            chunk: vec![0; CHUNK_BYTES].into_boxed_slice(),
            at: 0,
            filled: 0,
            line: 1,
            after_return: false,
            text: vec![0; 1_024],
            ends: vec![0; 16],
        };
        while first_line(&records.chunk[..records.filled]).is_none() && records.fill()? {}
        let head = &records.chunk[..records.filled];
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
            return Err(RecordError::Utf16);
        }
        let start = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let line = first_line(&head[start..]).unwrap_or(&head[start..]);
        let told = told_separator(line).filter(|_| head[start..].starts_with(line));
        records.separator = separator.or(told).unwrap_or_else(|| separator_of(line));
        let told_bytes = if told.is_some() { line.len() } else { 0 };
        records.pass(start);
        records.pass(told_bytes);
        records.parser = ReaderBuilder::new().delimiter(records.separator).build();
        Ok(records)
    }

    /// Reads more behind what is there; whether there was more.
    fn fill(&mut self) -> Result<bool, RecordError> {
        if self.at == self.filled {
            (self.at, self.filled) = (0, 0);
        }
        if self.filled == self.chunk.len() {
            return Ok(false);
        }
        loop {
            match self.source.read(&mut self.chunk[self.filled..]) {
                Ok(0) => return Ok(false),
                Ok(read) => {
                    self.filled += read;
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(RecordError::Io(error)),
            }
        }
    }

    /// Goes on by some bytes and counts the lines that end there: `\n`, `\r\n` or `\r`.
    fn pass(&mut self, bytes: usize) {
        for &byte in &self.chunk[self.at..self.at + bytes] {
            let ends_line = byte == b'\r' || byte == b'\n' && !self.after_return;
            self.line += u64::from(ends_line);
            self.after_return = byte == b'\r';
        }
        self.at += bytes;
    }

    /// The next record; `None` at the end. Empty lines are none.
    pub(crate) fn read(&mut self) -> Result<Option<Record<'_>>, RecordError> {
        loop {
            if self.at == self.filled && !self.fill()? {
                return Ok(None);
            }
            match self.chunk[self.at] {
                b'\n' | b'\r' => self.pass(1),
                _ => break,
            }
        }
        let line = self.line;
        let (mut text, mut fields) = (0, 0);
        loop {
            if self.at == self.filled {
                self.fill()?;
            }
            let input = &self.chunk[self.at..self.filled];
            let (result, read, written, ends) =
                self.parser.read_record(input, &mut self.text[text..], &mut self.ends[fields..]);
            self.pass(read);
            text += written;
            fields += ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() < MAX_RECORD_BYTES => {
                    self.text.resize(self.text.len() * 2, 0)
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MAX_FIELDS => {
                    self.ends.resize(self.ends.len() * 2, 0)
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(RecordError::TooLong { line });
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        Ok(Some(Record { line, text: &self.text[..text], ends: &self.ends[..fields] }))
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The first line that is not empty, if it is there as a whole.
fn first_line(head: &[u8]) -> Option<&[u8]> {
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let start = head.iter().position(|byte| !is_end(byte))?;
    let length = head[start..].iter().position(is_end)?;
    Some(&head[start..start + length])
}

/// What Excel is told by a first line such as `sep=;`, which is no record.
fn told_separator(line: &[u8]) -> Option<u8> {
    let (name, separator) = line.split_at_checked("sep=".len())?;
    match separator {
        [byte @ (b',' | b';' | b'\t')] if name.eq_ignore_ascii_case(b"sep=") => Some(*byte),
        _ => None,
    }
}

/// What a line has most of, outside quotes; a comma if it has none of the three.
fn separator_of(line: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    for &byte in line {
        quoted ^= byte == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(separator, _)| *separator == byte && !quoted) {
            *count += 1;
        }
    }
    // Of equals, the first one.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(separator, _)| separator)
}

/// A record, and the line on which it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) line: u64,
    text: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Record<'a> {
    /// A field without the space around it; empty if there is none. What is no UTF-8 is replaced.
    pub(crate) fn field(&self, index: usize) -> std::borrow::Cow<'a, str> {
        let start = index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let bytes = match (start, self.ends.get(index)) {
            (Some(start), Some(&end)) => self.text.get(start..end).unwrap_or_default(),
            _ => &[],
        };
        String::from_utf8_lossy(bytes.trim_ascii())
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = std::borrow::Cow<'a, str>> + '_ {
        (0..self.ends.len()).map(|index| self.field(index))
    }

    /// Whether nothing is in it.
    pub(crate) fn is_blank(&self) -> bool {
        self.text.trim_ascii().is_empty()
    }
}

/// A column's name as it is compared: letters and digits alone, in lower case.
pub(crate) fn plain_name(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A time in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReportTime {
    /// With an offset, it is a moment.
    Moment(Timestamp),
    /// Without one, the file does not say in which time zone it is.
    Local(DateTime),
}

/// Reads ISO 8601 and what is usual beside it: a space for the `T`, ` UTC` for the `Z`, a day alone. A day with slashes
/// is not read: whether its month or its day comes first cannot be known.
pub(crate) fn file_time(text: &str) -> Option<ReportTime> {
    let moment = text.strip_suffix(" UTC").map(|time| format!("{time}Z"));
    if let Ok(moment) = moment.as_deref().unwrap_or(text).parse::<Timestamp>() {
        return Some(ReportTime::Moment(moment));
    }
    let local = text.parse::<DateTime>().ok();
    let local = local.or_else(|| Some(text.parse::<civil::Date>().ok()?.to_datetime(civil::Time::midnight())));
    local.map(ReportTime::Local)
}

impl ReportTime {
    /// The moment, if a time without an offset is meant in this zone.
    pub fn moment(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Moment(moment) => moment,
            Self::Local(local) => zone.to_ambiguous_timestamp(local).compatible().unwrap_or(match local.year() < 0 {
                true => Timestamp::MIN,
                false => Timestamp::MAX,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives a few bytes at a time.
    struct Slowly<'a>(&'a [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let length = out.len().min(self.0.len()).min(self.1);
            out[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn all(bytes: &[u8], at_once: usize) -> Result<Vec<(u64, Vec<String>)>, RecordError> {
        let mut records = Records::new(Slowly(bytes, at_once), None)?;
        let mut out = Vec::new();
        while let Some(record) = records.read()? {
            out.push((record.line, record.fields().map(String::from).collect()));
        }
        Ok(out)
    }

    #[test]
    fn each_record_has_its_line_however_lines_end() {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("{end}a;b{end}{end}\"x{end}y\";2{end}{end}{end}c; 3 ");
            for at_once in [1, 2, 3, 1_000] {
                let records = all(text.as_bytes(), at_once).unwrap();
                let lines: Vec<u64> = records.iter().map(|(line, _)| *line).collect();
                assert_eq!(lines, [2, 4, 8], "{end:?} {at_once}");
                assert_eq!(records[1].1, [format!("x{end}y"), "2".into()]);
                assert_eq!(records[2].1, ["c", "3"]);
            }
        }
    }

    #[test]
    fn the_separator_is_found_outside_quotes_and_a_mark_is_skipped() {
        for (text, fields) in [
            ("a,b;c\n", ["a", "b;c"].as_slice()),
            ("\u{feff}a;b;c,d\n", &["a", "b", "c,d"]),
            ("\"a,a,a\"\tb", &["a,a,a", "b"]),
            ("alone", &["alone"]),
        ] {
            assert_eq!(all(text.as_bytes(), 5).unwrap()[0].1, fields, "{text:?}");
        }
        // A line for Excel alone, which counts as a line and is no record.
        for (text, fields) in
            [("\u{feff}sep=;\r\na,b;c,d,e\r\n", ["a,b", "c,d,e"]), ("SEP=,\na;b,c;d;e", ["a;b", "c;d;e"])]
        {
            let records = all(text.as_bytes(), 5).unwrap();
            assert_eq!((records.len(), records[0].0, &*records[0].1), (1, 2, fields.map(String::from).as_slice()));
        }
        assert_eq!(all(b"sep=x\n", 5).unwrap()[0].1, ["sep=x"]);
        assert!(matches!(all(b"\xff\xfea\0", 9), Err(RecordError::Utf16)));
        assert!(all(b"", 1).unwrap().is_empty() && all(b"\n\r\n", 1).unwrap().is_empty());
    }

    #[test]
    fn a_quote_that_is_never_closed_swallows_no_file() {
        let text = format!("a,b\n1,\"{}", "x,\n".repeat(1_000_000));
        assert!(matches!(all(text.as_bytes(), usize::MAX), Err(RecordError::TooLong { line: 2 })));
        let wide = ",".repeat(100_000);
        assert!(matches!(all(wide.as_bytes(), usize::MAX), Err(RecordError::TooLong { line: 1 })));
    }

    #[test]
    fn times_are_read_as_they_are_usually_written() {
        let zone = crate::reconciliation::central();
        for (text, moment) in [
            ("2026-07-02T08:30:00.000Z", "2026-07-02T08:30:00Z"),
            ("2026-07-02 08:30:00 UTC", "2026-07-02T08:30:00Z"),
            ("2026-07-02T08:30:00+02:00", "2026-07-02T06:30:00Z"),
            ("2026-07-02 08:30:00", "2026-07-02T13:30:00Z"),
            ("2026-12-02", "2026-12-02T06:00:00Z"),
        ] {
            assert_eq!(file_time(text).unwrap().moment(&zone).to_string(), moment, "{text}");
        }
        for text in ["", "07/02/2026", "yesterday", "2026-13-01"] {
            assert_eq!(file_time(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_make_it_panic_and_chunks_make_no_difference(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..300),
                "[a,;\"\r\n\t ]{0,200}".prop_map(String::into_bytes),
            ],
            at_once in 1_usize..40,
        ) {
            match (all(&bytes, at_once), all(&bytes, usize::MAX)) {
                (Ok(slowly), Ok(quickly)) => prop_assert_eq!(slowly, quickly),
                (Err(_), Err(_)) => {}
                (slowly, quickly) => prop_assert!(false, "{:?} {:?}", slowly, quickly),
            }
        }
    }
}
