//! The rows of a spreadsheet as text: numbers and times as they are written in CSV.
//! A workbook is a compressed archive, so it is read into memory as a whole.

use std::io::{Cursor, Read};

use calamine::{Data, Reader as _, Xlsx};

use super::ReportError;

/// The largest spreadsheet that is read.
const MAX_SHEET_BYTES: u64 = 256 * 1024 * 1024;

/// The rows of the first sheet, the header among them.
pub(super) fn rows(source: impl Read) -> Result<Vec<Vec<String>>, ReportError> {
    let mut content = Vec::new();
    source.take(MAX_SHEET_BYTES + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAX_SHEET_BYTES {
        let text = format!("it has more than {MAX_SHEET_BYTES} bytes, expected at most as many");
        return Err(ReportError::Spreadsheet(text));
    }
    let broken = |error: calamine::XlsxError| ReportError::Spreadsheet(error.to_string());
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(content)).map_err(broken)?;
    let sheet = book.worksheet_range_at(0).transpose().map_err(broken)?;
    Ok(sheet.map(|sheet| sheet.rows().map(|row| row.iter().map(text_of).collect()).collect()).unwrap_or_default())
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
