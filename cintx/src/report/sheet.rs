//! The rows of a spreadsheet of Excel since 2007 as text: numbers and times as they are written in CSV.
//! A workbook is a compressed archive, so it is read into memory as a whole, cell by cell: what a sheet says of its own
//! size is not believed.

use std::collections::{BTreeMap, btree_map};
use std::io::{Cursor, Read};

use calamine::{Data, Reader as _, Xlsx, XlsxError};

use super::ReportError;

/// The largest spreadsheet that is read, and the most text in its cells.
pub(super) const MAX_SHEET_BYTES: u64 = 256 * 1024 * 1024;
/// The most columns that are read, as of CSV.
pub(super) const MAX_COLUMNS: usize = 4_096;

/// The rows of the first sheet, the header among them. Rows without content are none.
pub(super) struct SheetRows(btree_map::IntoValues<u32, Vec<(usize, String)>>);

impl SheetRows {
    pub(super) fn read(source: impl Read) -> Result<Self, ReportError> {
        let too_long = || ReportError::Spreadsheet(format!("it has more than {MAX_SHEET_BYTES} bytes"));
        let mut content = Vec::new();
        source.take(MAX_SHEET_BYTES + 1).read_to_end(&mut content)?;
        if content.len() as u64 > MAX_SHEET_BYTES {
            return Err(too_long());
        }
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
            if bytes > MAX_SHEET_BYTES {
                return Err(too_long());
            }
            rows.entry(row).or_default().push((column, text));
        }
        Ok(Self(rows.into_values()))
    }
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
    use super::*;

    #[test]
    fn a_row_is_as_wide_as_its_last_cell() {
        let rows =
            BTreeMap::from([(3, vec![(2, "c".to_owned()), (0, "a".to_owned())]), (1, vec![(0, "x".to_owned())])]);
        let rows: Vec<_> = SheetRows(rows.into_values()).collect();
        assert_eq!(rows, [vec!["x"], vec!["a", "", "c"]]);
    }
}
