//! The rows of a spreadsheet of Excel since 2007 as text: numbers and times as they are written in CSV.
//! A workbook is a compressed archive, so it is read into memory as a whole, cell by cell: what a sheet says of its own
//! size is not believed, and how large its parts are is found by unpacking them, before any of them is kept.

use std::collections::{BTreeMap, btree_map};
use std::io::{self, BufReader, Cursor, Read};

use calamine::{Data, Reader as _, Xlsx, XlsxError};
use quick_xml::Reader;
use quick_xml::events::Event;

use zip::ZipArchive;
use zip::result::ZipError;

use super::ReportError;

/// The largest spreadsheet that is read, packed and unpacked, and the most text in its cells.
pub(super) const MAX_SHEET_BYTES: u64 = 256 * 1024 * 1024;
/// The most columns that are read, as of CSV.
pub(super) const MAX_COLUMNS: usize = 4_096;

/// The rows of the first sheet, the header among them. Rows without content are none.
pub(super) struct SheetRows(btree_map::IntoValues<u32, Vec<(usize, String)>>);

impl SheetRows {
    pub(super) fn read(source: impl Read) -> Result<Self, ReportError> {
        Self::read_within(source, MAX_SHEET_BYTES)
    }

    /// Reads a workbook that has at most so many bytes: packed, unpacked, and as the text of its cells.
    fn read_within(source: impl Read, limit: u64) -> Result<Self, ReportError> {
        let mut content = Vec::new();
        source.take(limit + 1).read_to_end(&mut content)?;
        if content.len() as u64 > limit {
            return Err(too_long(limit));
        }
        check_parts(&content, limit)?;
        let broken = |error: XlsxError| ReportError::Spreadsheet(error.to_string());
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(content)).map_err(broken)?;
        let (mut rows, mut bytes): (BTreeMap<u32, Vec<_>>, u64) = (BTreeMap::new(), 0);
        let Some(name) = book.sheet_names().into_iter().next() else { return Ok(Self(rows.into_values())) };
        let mut cells = book.worksheet_cells_reader(&name).map_err(broken)?;
        while let Some(cell) = cells.next_cell().map_err(broken)? {
            let (row, column) = cell.get_position();
            let text = text_of(&cell.get_value().clone().into());
            if text.trim().is_empty() {
                continue;
            }
            let column = usize::try_from(column).unwrap_or(usize::MAX);
            if column >= MAX_COLUMNS {
                return Err(ReportError::Spreadsheet(format!("a row has more than {MAX_COLUMNS} columns")));
            }
            bytes += text.len() as u64;
            if bytes > limit {
                return Err(too_long(limit));
            }
            rows.entry(row).or_default().push((column, text));
        }
        Ok(Self(rows.into_values()))
    }
}

fn too_long(limit: u64) -> ReportError {
    ReportError::Spreadsheet(format!("it has more than {limit} bytes, expected at most as many, unpacked too"))
}

/// How a list of texts says how many it has. Room is made for as many before they are read.
const COUNT_OF_TEXTS: &str = "uniqueCount";
/// The shortest text of a list.
const MIN_TEXT_BYTES: u64 = "<si/>".len() as u64;

/// Unpacks the parts of a workbook one after the other, and keeps nothing: whether they have more bytes than allowed
/// together, or a list of texts claims to have more of them than it has room for.
fn check_parts(content: &[u8], limit: u64) -> Result<(), ReportError> {
    let broken = |error: ZipError| ReportError::Spreadsheet(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(content)).map_err(broken)?;
    let mut left = limit;
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).map_err(broken)?;
        let is_list = part.name().map_err(broken)?.to_ascii_lowercase().ends_with("sharedstrings.xml");
        let size = io::copy(&mut part.by_ref().take(left + 1), &mut io::sink());
        let size = size.map_err(|error| ReportError::Spreadsheet(error.to_string()))?;
        drop(part);
        left = left.checked_sub(size).ok_or_else(|| too_long(limit))?;
        let claimed = match is_list {
            true => claimed_texts(archive.by_index(at).map_err(broken)?),
            false => 0,
        };
        if claimed > size / MIN_TEXT_BYTES {
            let problem = format!("a list of {size} bytes claims to have {claimed} texts");
            return Err(ReportError::Spreadsheet(problem));
        }
    }
    Ok(())
}

/// How many texts a list claims to have; none if it cannot be read, which is told later.
fn claimed_texts(part: impl Read) -> u64 {
    let (mut reader, mut buffer) = (Reader::from_reader(BufReader::new(part)), Vec::new());
    loop {
        buffer.clear();
        let start = match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(start) | Event::Empty(start)) => start,
            Ok(Event::Eof) | Err(_) => return 0,
            Ok(_) => continue,
        };
        if start.local_name().as_ref() == "sst" {
            let claims = start.attributes_raw().split(COUNT_OF_TEXTS).skip(1).map(first_number);
            return claims.max().unwrap_or(0);
        }
    }
}

/// The first number in a text, or the greatest there is if it is greater.
fn first_number(text: &str) -> u64 {
    let digits = text.chars().skip_while(|c| !c.is_ascii_digit()).map_while(|c| c.to_digit(10));
    digits.fold(0, |number: u64, digit| number.saturating_mul(10).saturating_add(digit.into()))
}

impl Iterator for SheetRows {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        let cells = self.0.next()?;
        let width = cells.iter().map(|(column, _)| column + 1).max().unwrap_or(0);
        let mut row = vec![String::new(); width];
        for (column, text) in cells {
            row[column] = text;
        }
        Some(row)
    }
}

/// A cell as CSV would have it.
fn text_of(cell: &Data) -> String {
    match cell {
        Data::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}")
        }
        Data::Empty => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// A workbook of one cell, which shows the first of its texts.
    fn workbook(texts: &str) -> Vec<u8> {
        let relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let package = "http://schemas.openxmlformats.org/package/2006/relationships";
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let relation = |id: &str, kind: &str, target: &str| {
            format!("<Relationship Id=\"{id}\" Type=\"{relationships}/{kind}\" Target=\"{target}\"/>")
        };
        let list = |all: String| format!("<Relationships xmlns=\"{package}\">{all}</Relationships>");
        let book = relation("rId1", "worksheet", "worksheets/sheet1.xml")
            + &relation("rId2", "sharedStrings", "sharedStrings.xml");
        let sheets =
            format!("<sheets><sheet name=\"s\" sheetId=\"1\" xmlns:r=\"{relationships}\" r:id=\"rId1\"/></sheets>");
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in [
            ("_rels/.rels", list(relation("rId1", "officeDocument", "xl/workbook.xml"))),
            ("xl/workbook.xml", format!("<workbook xmlns=\"{main}\">{sheets}</workbook>")),
            ("xl/_rels/workbook.xml.rels", list(book)),
            (
                "xl/worksheets/sheet1.xml",
                format!(
                    "<worksheet xmlns=\"{main}\"><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row>\
                     </sheetData></worksheet>"
                ),
            ),
            ("xl/sharedStrings.xml", texts.to_owned()),
        ] {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_read() {
        let texts = |count: &str, pad: usize| {
            format!("<sst {count}><si><t>rid</t></si>{}</sst>", "<si><t> </t></si>".repeat(pad))
        };
        let read = |file: &[u8], limit| SheetRows::read_within(file, limit).map(|rows| rows.collect::<Vec<_>>());
        let good = workbook(&texts("count='1' uniqueCount=\"1\"", 0));
        assert_eq!(read(&good, 10_000).unwrap(), [vec!["rid"]]);
        let bomb = workbook(&texts("", 60_000));
        assert!(bomb.len() < 20_000, "{} bytes", bomb.len());
        let error = read(&bomb, 100_000).unwrap_err().to_string();
        assert!(error.contains("more than 100000 bytes, expected at most as many, unpacked too"), "{error}");
        assert_eq!(read(&bomb, MAX_SHEET_BYTES).unwrap(), [vec!["rid"]]);
        // What it says of itself would be made room for, or is more than there can be room for.
        for count in ["18446744073709551615", "99999999999999999999", "1000000000", "31"] {
            let odd = workbook(&texts(&format!("uniqueCount = '{count}'"), 0));
            let error = read(&odd, 10_000).unwrap_err().to_string();
            assert!(error.contains("claims to have"), "{count}: {error}");
        }
        let far = format!("<!--{}--><a><sst  a='{}'  ", "x".repeat(100_000), "y".repeat(100_000));
        let far =
            workbook(&texts(&format!("uniqueCount{}= \"+99999999\"", " ".repeat(100_000)), 0).replace("<sst ", &far));
        assert!(read(&far, MAX_SHEET_BYTES).unwrap_err().to_string().contains("claims to have 99999999 texts"));
    }

    #[test]
    fn a_row_is_as_wide_as_its_last_cell() {
        let rows =
            BTreeMap::from([(3, vec![(2, "c".to_owned()), (0, "a".to_owned())]), (1, vec![(0, "x".to_owned())])]);
        let rows: Vec<_> = SheetRows(rows.into_values()).collect();
        assert_eq!(rows, [vec!["x"], vec!["a", "", "c"]]);
    }
}
