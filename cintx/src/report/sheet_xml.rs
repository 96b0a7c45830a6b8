//! The rows of a spreadsheet of Excel 2003, which is XML: read one after the other, as text as it is written in CSV.
//! Of a workbook the first sheet is read. Prefixes of names are not looked at, and entities of the file's own are
//! refused.

use std::io::{BufReader, Read, Take};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::ReportError;
use super::sheet::{MAX_COLUMNS, MAX_SHEET_BYTES};

/// The longest row.
const MAX_ROW_BYTES: usize = 1024 * 1024;

/// The rows of the first sheet. Rows without content are none.
pub(super) struct XmlRows<R> {
    reader: Reader<BufReader<Take<R>>>,
    buffer: Vec<u8>,
    ended: bool,
}

/// A cell that is being read.
#[derive(Default)]
struct Cell {
    text: String,
    kind: Kind,
}

/// What a cell holds, as far as that changes how it is written.
#[derive(Clone, Copy, Default, PartialEq)]
enum Kind {
    Number,
    Truth,
    #[default]
    Other,
}

impl<R: Read> XmlRows<R> {
    /// Reads up to the table of the first sheet.
    pub(super) fn open(source: R) -> Result<Self, ReportError> {
        let reader = Reader::from_reader(BufReader::new(source.take(MAX_SHEET_BYTES + 1)));
        let mut rows = Self { reader, buffer: Vec::new(), ended: false };
        let mut in_sheet = false;
        loop {
            let (name, is_empty) = match rows.event()? {
                Event::Start(start) => (local(&start), false),
                Event::Empty(start) => (local(&start), true),
                // A sheet without a table.
                Event::End(end) if in_sheet && end.local_name().as_ref() == "Worksheet" => break,
                _ => continue,
            };
            match (&*name, is_empty) {
                ("Workbook", false) if !in_sheet => {}
                ("Worksheet", false) if !in_sheet => in_sheet = true,
                ("Table", false) if in_sheet => return Ok(rows),
                ("Worksheet", true) if !in_sheet => break,
                ("Table", true) if in_sheet => break,
                (_, true) => {}
                (_, false) => rows.skip()?,
            }
        }
        rows.ended = true;
        Ok(rows)
    }

    /// The next row that has content.
    pub(super) fn next_row(&mut self) -> Result<Option<Vec<String>>, ReportError> {
        while !self.ended {
            let is_row = match self.event()? {
                Event::Start(start) => start.local_name().as_ref() == "Row",
                Event::End(_) => {
                    self.ended = true;
                    break;
                }
                _ => continue,
            };
            if !is_row {
                self.skip()?;
                continue;
            }
            let cells = self.row()?;
            if cells.iter().any(|cell| !cell.trim().is_empty()) {
                return Ok(Some(cells));
            }
        }
        Ok(None)
    }

    /// The cells of a row, behind its start.
    fn row(&mut self) -> Result<Vec<String>, ReportError> {
        let (mut cells, mut bytes): (Vec<String>, usize) = (Vec::new(), 0);
        // Where the next cell is, unless it says so itself.
        let mut next = 0;
        loop {
            let (start, is_empty) = match self.event()? {
                Event::Start(start) => (start.into_owned(), false),
                Event::Empty(start) => (start.into_owned(), true),
                Event::End(_) => return Ok(cells),
                _ => continue,
            };
            if start.local_name().as_ref() != "Cell" {
                if !is_empty {
                    self.skip()?;
                }
                continue;
            }
            let place = |name| attribute(&start, name)?.map(|text| number(name, &text)).transpose();
            let at = match place("Index")? {
                Some(index) => {
                    index.checked_sub(1).ok_or_else(|| broken("a cell has the index 0, expected 1 or more"))?
                }
                None => next,
            };
            // What is merged into it has no cells of its own.
            next = at.saturating_add(1).saturating_add(place("MergeAcross")?.unwrap_or(0));
            if is_empty {
                continue;
            }
            let text = self.cell()?;
            bytes += text.len();
            if at >= MAX_COLUMNS || bytes > MAX_ROW_BYTES {
                return Err(broken(format!("a row has more than {MAX_COLUMNS} columns or {MAX_ROW_BYTES} bytes")));
            }
            if cells.len() <= at {
                cells.resize(at + 1, String::new());
            }
            cells[at] = text;
        }
    }

    /// What is in a cell, behind its start. Comments on it and the like are not.
    fn cell(&mut self) -> Result<String, ReportError> {
        let mut text = String::new();
        loop {
            let start = match self.event()? {
                Event::Start(start) => start.into_owned(),
                Event::End(_) => return Ok(text),
                _ => continue,
            };
            if start.local_name().as_ref() != "Data" {
                self.skip()?;
                continue;
            }
            let kind = match attribute(&start, "Type")?.as_deref() {
                Some("Number") => Kind::Number,
                Some("Boolean") => Kind::Truth,
                _ => Kind::Other,
            };
            text = self.data(kind)?.written();
        }
    }

    /// The text of a cell, whatever marks it up.
    fn data(&mut self, kind: Kind) -> Result<Cell, ReportError> {
        let (mut cell, mut depth) = (Cell { kind, ..Cell::default() }, 1_usize);
        loop {
            match self.event()? {
                Event::Start(_) => depth += 1,
                Event::End(_) if depth == 1 => return Ok(cell),
                Event::End(_) => depth -= 1,
                Event::Text(text) => cell.text.push_str(&text.xml10_content()),
                Event::CData(text) => cell.text.push_str(&text.xml10_content()),
                Event::GeneralRef(name) => match name.resolve_char_ref().map_err(broken)? {
                    Some(character) => cell.text.push(character),
                    None => cell.text.push_str(entity(&name)?),
                },
                _ => {}
            }
            if cell.text.len() > MAX_ROW_BYTES {
                return Err(broken(format!("a cell has more than {MAX_ROW_BYTES} bytes")));
            }
        }
    }

    /// Goes on behind the end of the element whose start was read.
    fn skip(&mut self) -> Result<(), ReportError> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.event()? {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// What comes next; never the end of the file.
    fn event(&mut self) -> Result<Event<'_>, ReportError> {
        let too_long = self.reader.get_ref().get_ref().limit() == 0;
        self.buffer.clear();
        match self.reader.read_event_into(&mut self.buffer) {
            Ok(Event::Eof) if too_long => {
                Err(broken(format!("it has more than {MAX_SHEET_BYTES} bytes, expected at most as many")))
            }
            Ok(Event::Eof) => Err(broken("it ends before its first sheet does")),
            Ok(event) => Ok(event),
            Err(quick_xml::Error::Io(error)) => Err(ReportError::Io(std::io::Error::other(error))),
            Err(error) => Err(broken(error)),
        }
    }
}

impl Cell {
    /// As CSV would have it: numbers with all their digits, truths as words.
    fn written(self) -> String {
        match (self.kind, self.text.trim()) {
            (Kind::Number, text) if text.contains(['e', 'E']) => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => number.to_string(),
                _ => self.text,
            },
            (Kind::Truth, "1") => "true".to_owned(),
            (Kind::Truth, "0") => "false".to_owned(),
            _ => self.text,
        }
    }
}

fn local(start: &BytesStart<'_>) -> String {
    start.local_name().as_ref().to_owned()
}

/// An attribute by its name without a prefix.
fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, ReportError> {
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(broken)?;
        if attribute.key.local_name().as_ref() == name {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(broken)?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

fn number(name: &str, text: &str) -> Result<usize, ReportError> {
    let short: String = text.chars().take(40).collect();
    text.trim().parse().map_err(|_| broken(format!("{name} is {short:?}, expected a whole number")))
}

/// The text of a reference that every XML file may use.
fn entity(name: &str) -> Result<&'static str, ReportError> {
    quick_xml::escape::resolve_xml_entity(name).ok_or_else(|| {
        let short: String = name.chars().take(40).collect();
        broken(format!("the reference {short:?} is not known"))
    })
}

fn broken(problem: impl ToString) -> ReportError {
    ReportError::Spreadsheet(problem.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(xml: &[u8]) -> Result<Vec<Vec<String>>, ReportError> {
        let mut rows = XmlRows::open(xml)?;
        let mut read = Vec::new();
        while let Some(row) = rows.next_row()? {
            read.push(row);
        }
        Ok(read)
    }

    fn sheet(rows: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>\n<Workbook \
             xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\" \
             xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\">\n<Styles><Style ss:ID=\"Default\"/></Styles>\n\
             <Worksheet ss:Name=\"Terms\"><Names/>\n<Table ss:ExpandedColumnCount=\"9\">\n<Column ss:Width=\"60\"/>\n\
             {rows}\n</Table><WorksheetOptions><Print/></WorksheetOptions></Worksheet>\n\
             <Worksheet ss:Name=\"Other\"><Table><Row><Cell><Data ss:Type=\"String\">no</Data></Cell></Row></Table>\
             </Worksheet></Workbook>"
        )
    }

    fn of(rows_xml: &str) -> Vec<Vec<String>> {
        rows(sheet(rows_xml).as_bytes()).unwrap()
    }

    #[test]
    fn cells_stand_where_they_say() {
        let cell = |text: &str| format!("<Cell><Data ss:Type=\"String\">{text}</Data></Cell>");
        let read = of(&format!(
            "<Row/><Row ss:Index=\"3\">{}{}</Row>\n<Row><Cell ss:StyleID=\"a\"/><Cell ss:Index=\"4\" \
             ss:MergeAcross=\"1\"><Data ss:Type=\"String\">d</Data></Cell>{}</Row><Row><Cell><Data \
             ss:Type=\"String\"> </Data></Cell></Row>",
            cell("a"),
            cell("b"),
            cell("f"),
        ));
        assert_eq!(read, [vec!["a", "b"], vec!["", "", "", "d", "", "f"]], "rows without content are none");
    }

    #[test]
    fn text_is_what_is_seen() {
        for (data, text) in [
            ("<Data ss:Type=\"String\">a &amp; b &#233;&#x20;&lt;</Data>", "a & b é <"),
            ("<Data ss:Type=\"String\"><![CDATA[<a&b>]]></Data>", "<a&b>"),
            ("<ss:Data ss:Type=\"String\"><B>bold</B> <I>and<U>more</U></I></ss:Data>", "bold andmore"),
            ("<Comment><ss:Data>not this</ss:Data></Comment><Data ss:Type=\"String\">this</Data>", "this"),
            ("<Data ss:Type=\"String\">this</Data><NamedCell/><Comment><Data>nor this</Data></Comment>", "this"),
            ("<Data ss:Type=\"Number\">2.73</Data>", "2.73"),
            ("<Data ss:Type=\"Number\">1.2345678E7</Data>", "12345678"),
            ("<Data ss:Type=\"Number\">1e</Data>", "1e"),
            ("<Data ss:Type=\"String\">1E5</Data>", "1E5"),
            ("<Data ss:Type=\"Boolean\">1</Data>", "true"),
            ("<Data ss:Type=\"DateTime\">2026-11-02T10:00:00.000</Data>", "2026-11-02T10:00:00.000"),
            ("<Data>plain</Data>", "plain"),
        ] {
            assert_eq!(of(&format!("<Row><Cell>{data}</Cell></Row>")), [[text]], "{data}");
        }
    }

    #[test]
    fn what_is_broken_is_an_error_and_not_the_end() {
        let whole = sheet("<Row><Cell><Data>a</Data></Cell></Row>");
        let end = whole.find("</Table>").unwrap();
        for cut in 0..=end {
            assert!(rows(&whole.as_bytes()[..cut]).is_err(), "{}", &whole[..cut]);
        }
        for (odd, says) in [
            ("<Row><Cell ss:Index=\"0\"><Data>a</Data></Cell></Row>", "a cell has the index 0"),
            ("<Row><Cell ss:Index=\"4000000000\"><Data>a</Data></Cell></Row>", "a row has more than 4096 columns"),
            ("<Row><Cell ss:Index=\"two\"><Data>a</Data></Cell></Row>", "Index is \"two\", expected a whole number"),
            ("<Row><Cell><Data>&bomb;</Data></Cell></Row>", "the reference \"bomb\" is not known"),
            ("<Row><Cell><Data>a</Cell></Row>", "ill-formed"),
        ] {
            let error = rows(sheet(odd).as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("the spreadsheet cannot be read: {says}")), "{error}");
        }
        let long = "x".repeat(MAX_ROW_BYTES / 2 + 1);
        let cell = format!("<Cell><Data>{long}</Data></Cell>");
        assert!(rows(sheet(&format!("<Row>{cell}{cell}</Row>")).as_bytes()).is_err());
        assert!(rows(b"<Workbook><Worksheet><Table><Row><Cell><Data>\xff</Data></Cell></Row></Table>").is_err());
    }

    #[test]
    fn a_sheet_without_rows_has_none() {
        for xml in ["<Workbook><Worksheet/></Workbook>", "<Workbook><Worksheet></Worksheet></Workbook>"] {
            assert_eq!(rows(xml.as_bytes()).unwrap(), [[""; 0]; 0]);
        }
        assert_eq!(rows(b"<Workbook><Worksheet><Table/></Worksheet></Workbook>").unwrap(), [[""; 0]; 0]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "<Workbook>", "<Worksheet>", "<Table>", "<Row>", "<Cell ss:Index='3'>", "<Cell MergeAcross=''>",
                    "<Data ss:Type='Number'>", "</Data>", "</Cell>", "</Row>", "</Table>", "<Row/>", "1E9", "&lt;",
                    "<![CDATA[", "]]>", "<!--", "-->", "<?x?>", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "\u{0}", "é", "<",
                    "&", "&#x0;",
                ]),
                0..40,
            ),
        ) {
            let xml = parts.concat();
            let _ = rows(xml.as_bytes());
            let _ = rows(format!("<Workbook><Worksheet><Table>{xml}").as_bytes());
        }
    }
}
