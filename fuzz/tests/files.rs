//! Files that people and the platform write: lists of respondents, reports as text and as spreadsheets.

use std::io::{Cursor, Read as _, Write as _};

use bolero::check;
use cintx::reconciliation::bulk::{Corrections, CsvFormat, KeptCompletes};
use cintx::report::ReportRows;

/// A list is refused, naming no more than can be read, or read; what is written of it is read as the same list.
#[test]
fn lists_of_respondents() {
    check!().for_each(|bytes: &[u8]| {
        match Corrections::from_csv(bytes) {
            Ok(read) => {
                let mut written = Vec::new();
                read.write_csv(&mut written).unwrap();
                let again = Corrections::from_csv(&*written).unwrap();
                assert!(read.rows().eq(again.rows()));
            }
            Err(refused) => assert!(refused.to_string().chars().count() <= 1_000, "{refused}"),
        }
        let _ = KeptCompletes::from_csv_with(bytes, &CsvFormat::new().header(false));
    });
}

/// A report is refused, or its rows are read up to the first that cannot be.
#[test]
fn reports() {
    check!().for_each(|bytes: &[u8]| {
        if let Ok(mut rows) = ReportRows::read(bytes) {
            let read = rows.by_ref().take(10_000).filter(Result::is_ok).count();
            assert!(read <= bytes.len() || read == 10_000, "{read} rows of {} bytes", bytes.len());
        }
    });
}

/// The first byte says which part of a workbook the rest is, the other parts being whole; or where a whole file is
/// damaged by it.
#[test]
fn parts_of_spreadsheets() {
    let whole = spreadsheet();
    let parts = parts_of(&whole);
    check!().for_each(|bytes: &[u8]| {
        let Some((kind, odd)) = bytes.split_first() else { return };
        let kind = usize::from(*kind);
        let file = match parts.get(kind) {
            Some(_) => stored(&parts, kind, odd),
            None => {
                let (from, mut file) = (kind * whole.len() / 256, whole.clone());
                let until = (from + odd.len()).min(file.len());
                file.splice(from..until, odd.iter().copied());
                file
            }
        };
        if let Ok(rows) = ReportRows::read(&*file) {
            let _ = rows.take(1_000).count();
        }
    });
}

/// The names and contents of a workbook's parts.
fn parts_of(file: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(file)).unwrap();
    let count = archive.len();
    let part = |at: usize| {
        let mut part = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        part.read_to_end(&mut content).unwrap();
        (part.name().unwrap().into_owned(), content)
    };
    (0..count).map(part).collect()
}

/// A workbook with one part put in the place of its own.
fn stored(parts: &[(String, Vec<u8>)], changed: usize, odd: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (at, (name, content)) in parts.iter().enumerate() {
        zip.start_file(&**name, options).unwrap();
        zip.write_all(if at == changed { odd } else { content }).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// What stands in the table of a spreadsheet in XML. A row costs its bytes at least.
#[test]
fn tables_of_spreadsheets_in_xml() {
    let head = "<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\"><Worksheet><Table>";
    check!().for_each(|bytes: &[u8]| {
        let file = [head.as_bytes(), bytes, b"</Table></Worksheet></Workbook>"].concat();
        if let Ok(rows) = ReportRows::read(&*file) {
            let read = rows.filter(Result::is_ok).count();
            assert!(read <= bytes.len() / "<Row><Cell><Data>x".len(), "{read} rows of {} bytes", bytes.len());
        }
    });
}

/// What a sheet says of its size is no reason to make room for all of it.
#[test]
fn two_cells_far_apart_are_two_rows() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "rid").unwrap();
    sheet.write_string(1_048_575, 0, "0f1ce179-a917-49ff-9d50-b05fc91f7bd4").unwrap();
    sheet.write_string(1_048_575, 4_095, "x").unwrap();
    let file = book.save_to_buffer().unwrap();
    let rows = ReportRows::read(&*file).unwrap();
    let rows = rows.collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!((rows.len(), rows[0].other.len(), rows[0].rid.is_some()), (1, 1, true));

    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().write_string(0, 16_383, "rid").unwrap();
    let file = book.save_to_buffer().unwrap();
    let error = ReportRows::read(&*file).unwrap_err();
    assert!(error.to_string().contains("more than 4096 columns"), "{error}");
}

/// A workbook of one sheet, its parts stored as they are.
fn spreadsheet() -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (row, cells) in
        [["rid", "cost", "currency"], ["0f1ce179-a917-49ff-9d50-b05fc91f7bd4", "2.73", "USD"]].into_iter().enumerate()
    {
        for (column, cell) in cells.into_iter().enumerate() {
            let place = (u32::try_from(row).unwrap(), u16::try_from(column).unwrap());
            sheet.write_string(place.0, place.1, cell).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}
