//! The rows of a report, typed: a cell that cannot be read costs that cell alone, and columns that are not known are
//! kept.

use std::fmt;
use std::io::{self, Cursor, Read};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::content::HEAD_BYTES;
#[cfg(feature = "xlsx")]
use super::sheet::SheetRows;
#[cfg(feature = "xlsx")]
use super::sheet_xml::XmlRows;
use super::{NoReport, ReportFormat};
pub use crate::records::ReportTime;
use crate::records::{RecordError, Records, file_time, plain_name};
use crate::respondent::codes::ClientCode;
use crate::types::ids::{ProjectId, SupplierId, TargetGroupId};

/// A cell of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReportCell<T> {
    /// Nothing is in it, or the report has no such column.
    #[default]
    Empty,
    /// It was read.
    Value(T),
    /// It is something else, as it stands there.
    Unreadable(String),
}

impl<T> ReportCell<T> {
    fn read(text: &str, parse: impl FnOnce(&str) -> Option<T>) -> Self {
        match (text, parse(text)) {
            ("", _) => Self::Empty,
            (_, Some(value)) => Self::Value(value),
            (text, None) => Self::Unreadable(text.to_owned()),
        }
    }

    /// What was read.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// A row of a report. Cint does not publish which columns its reports have, so everything may be missing, and what is
/// not known stands in [`other`](Self::other) under the name that the report has for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ReportRow {
    /// The respondent: `rid`.
    pub rid: Option<String>,
    /// The project: `project_id`.
    pub project: Option<ProjectId>,
    /// The target group: `target_group_id`.
    pub target_group: Option<TargetGroupId>,
    /// What that is called: `target_group_name`.
    pub target_group_name: Option<String>,
    /// The supplier: `supplier_id`.
    pub supplier: ReportCell<SupplierId>,
    /// What that is called: `supplier_name`.
    pub supplier_name: Option<String>,
    /// How the survey ended: `client_status`.
    pub client_status: ReportCell<ClientCode>,
    /// When the respondent entered: `entry_date`.
    pub entered_at: ReportCell<ReportTime>,
    /// When the respondent left: `last_date`.
    pub left_at: ReportCell<ReportTime>,
    /// What the respondent costs: `cost`.
    pub cost: ReportCell<Decimal>,
    /// The currency of that: `currency`.
    pub currency: Option<String>,
    /// The code by which the respondent was reconciled: `reconciliation_code`.
    pub reconciliation_code: Option<String>,
    /// The other columns, by name; without those that are empty.
    pub other: Vec<(String, String)>,
}

/// What a column is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Rid,
    /// The RID in some reports, a number in others.
    Respondent,
    Project,
    TargetGroup,
    TargetGroupName,
    Supplier,
    SupplierName,
    ClientStatus,
    EnteredAt,
    LeftAt,
    Cost,
    Currency,
    ReconciliationCode,
    Other,
}

impl Column {
    fn of(name: &str) -> Self {
        match &*plain_name(name) {
            "rid" => Self::Rid,
            "respondentid" => Self::Respondent,
            "projectid" => Self::Project,
            "targetgroupid" => Self::TargetGroup,
            "targetgroupname" => Self::TargetGroupName,
            "supplierid" => Self::Supplier,
            "suppliername" => Self::SupplierName,
            "clientstatus" => Self::ClientStatus,
            "entrydate" => Self::EnteredAt,
            "lastdate" => Self::LeftAt,
            "cost" => Self::Cost,
            "currency" => Self::Currency,
            "reconciliationcode" => Self::ReconciliationCode,
            _ => Self::Other,
        }
    }
}

impl ReportRow {
    /// Takes over a cell.
    fn set(&mut self, column: Column, name: &str, cell: &str) {
        let text = || (!cell.is_empty()).then(|| cell.to_owned());
        match column {
            Column::Rid => self.rid = text(),
            Column::Respondent if crate::types::hyphenated_uuid(cell).is_some() => self.rid = text(),
            Column::Project => self.project = text().map(ProjectId::new),
            Column::TargetGroup => self.target_group = text().map(TargetGroupId::new),
            Column::TargetGroupName => self.target_group_name = text(),
            Column::Supplier => {
                self.supplier = ReportCell::read(cell, |it| Some(SupplierId::from(it.parse::<i64>().ok()?)))
            }
            Column::SupplierName => self.supplier_name = text(),
            Column::ClientStatus => {
                self.client_status = ReportCell::read(cell, |it| it.parse().ok().map(ClientCode::new))
            }
            Column::EnteredAt => self.entered_at = ReportCell::read(cell, file_time),
            Column::LeftAt => self.left_at = ReportCell::read(cell, file_time),
            Column::Cost => self.cost = ReportCell::read(cell, amount),
            Column::Currency => self.currency = text(),
            Column::ReconciliationCode => self.reconciliation_code = text(),
            Column::Respondent | Column::Other => self.other.extend(text().map(|cell| (name.to_owned(), cell))),
        }
    }
}

/// An amount, to the last digit; digits in groups are none.
fn amount(cell: &str) -> Option<Decimal> {
    (!cell.contains('_')).then(|| Decimal::from_str_exact(cell).ok()).flatten()
}

/// Why the rows of a report cannot be read, or no further ones.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// It is a page or an error in the place of a report.
    #[error(transparent)]
    NoReport(#[from] NoReport),
    /// Its rows cannot be read from this format here.
    #[error("the report is {got}, expected CSV, or a spreadsheet with the feature `xlsx`")]
    #[non_exhaustive]
    Format {
        /// The format of the report.
        got: ReportFormat,
    },
    /// It is UTF-16.
    #[error("the report is UTF-16, expected UTF-8")]
    Utf16,
    /// A record does not end.
    #[error(
        "line {line} begins a record of more than 1 MiB or 4,096 fields, expected a row: a quote may not be closed"
    )]
    #[non_exhaustive]
    TooLong {
        /// The line in the report, counted from 1.
        line: u64,
    },
    /// The spreadsheet is broken.
    #[error("the spreadsheet cannot be read: {0}")]
    Spreadsheet(String),
    /// Its bytes cannot be had.
    #[error("the report cannot be read")]
    Io(#[from] io::Error),
    /// What was read adds up to more than can be told to the last digit.
    #[error("the costs in {currency} have a sum of too many digits, expected 28 at most")]
    #[non_exhaustive]
    SumTooLong {
        /// The currency of the sum.
        currency: String,
    },
}

impl From<RecordError> for ReportError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Io(error) => Self::Io(error),
            RecordError::Utf16 => Self::Utf16,
            RecordError::TooLong { line } => Self::TooLong { line },
        }
    }
}

impl From<ReportError> for crate::Error {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Io(error) => Self::local("the report cannot be read", error),
            ReportError::SumTooLong { .. } => Self::local("the report cannot be summed up", error),
            _ => Self::other(error),
        }
    }
}

/// Where rows come from.
enum Source<R> {
    Csv(Box<Records<io::Chain<Cursor<Vec<u8>>, R>>>),
    #[cfg(feature = "xlsx")]
    Sheet(SheetRows),
    #[cfg(feature = "xlsx")]
    SheetXml(Box<XmlRows<io::Chain<Cursor<Vec<u8>>, R>>>),
}

/// The rows of a report, one after the other: of CSV and SpreadsheetML without reading all of it, of XLSX from memory.
/// A spreadsheet may have 256 MiB, XLSX unpacked, too: more is refused before it is read, whatever its size is on the
/// wire.
///
/// ```
/// use cintx::report::ReportRows;
///
/// let file = "rid,cost,currency,Mood\n0f1ce179-a917-49ff-9d50-b05fc91f7bd4,2.73,USD,fine\n,cheap,USD,\n";
/// let rows = ReportRows::read(file.as_bytes())?.collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(rows[0].cost.value().map(ToString::to_string).as_deref(), Some("2.73"));
/// assert_eq!(rows[0].other, [("Mood".to_owned(), "fine".to_owned())]);
/// assert_eq!(rows[1].cost, cintx::report::ReportCell::Unreadable("cheap".to_owned()));
/// # Ok::<(), cintx::report::ReportError>(())
/// ```
pub struct ReportRows<R> {
    source: Source<R>,
    columns: Vec<String>,
    known: Vec<Column>,
    ended: bool,
}

impl<R: Read> ReportRows<R> {
    /// Reads the header of a report.
    ///
    /// # Errors
    /// That it is no report, or none that can be read here.
    pub fn read(mut source: R) -> Result<Self, ReportError> {
        let mut head = Vec::new();
        source.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        let format = ReportFormat::of(&head)?;
        let whole = Cursor::new(head).chain(source);
        let (source, columns) = match format {
            ReportFormat::Csv => {
                let mut records = Box::new(Records::new(whole, None)?);
                let header = records.read()?;
                let columns: Vec<String> =
                    header.map(|header| header.fields().map(String::from).collect()).unwrap_or_default();
                (Source::Csv(records), columns)
            }
            #[cfg(feature = "xlsx")]
            ReportFormat::Xlsx => {
                let mut rows = SheetRows::read(whole)?;
                let columns = rows.next().unwrap_or_default();
                (Source::Sheet(rows), columns)
            }
            #[cfg(feature = "xlsx")]
            ReportFormat::SpreadsheetMl => {
                let mut rows = Box::new(XmlRows::open(whole)?);
                let columns = rows.next_row()?.unwrap_or_default();
                (Source::SheetXml(rows), columns)
            }
            got => return Err(ReportError::Format { got }),
        };
        let mut known: Vec<Column> = columns.iter().map(|name| Column::of(name)).collect();
        if known.contains(&Column::Rid) {
            known.iter_mut().filter(|it| **it == Column::Respondent).for_each(|it| *it = Column::Other);
        }
        Ok(Self { source, columns, known, ended: false })
    }

    /// The names of the columns, as the report has them.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether a column can have RIDs.
    pub(crate) fn may_have_rids(&self) -> bool {
        self.known.iter().any(|column| matches!(column, Column::Rid | Column::Respondent))
    }

    fn row(&self, cells: &[impl AsRef<str>]) -> ReportRow {
        let mut row = ReportRow::default();
        for (at, cell) in cells.iter().enumerate() {
            let column = self.known.get(at).copied().unwrap_or(Column::Other);
            // A cell beyond the header has no name.
            row.set(column, self.columns.get(at).map_or("", String::as_str), cell.as_ref().trim());
        }
        row
    }

    fn next_row(&mut self) -> Result<Option<ReportRow>, ReportError> {
        let cells: Vec<String> = match &mut self.source {
            Source::Csv(records) => match records.read()? {
                Some(record) => record.fields().map(String::from).collect(),
                None => return Ok(None),
            },
            #[cfg(feature = "xlsx")]
            Source::Sheet(rows) => match rows.next() {
                Some(cells) => cells,
                None => return Ok(None),
            },
            #[cfg(feature = "xlsx")]
            Source::SheetXml(rows) => match rows.next_row()? {
                Some(cells) => cells,
                None => return Ok(None),
            },
        };
        Ok(Some(self.row(&cells)))
    }
}

/// After an error there are no further rows.
impl<R: Read> Iterator for ReportRows<R> {
    type Item = Result<ReportRow, ReportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = self.next_row().transpose();
        self.ended = !matches!(row, Some(Ok(_)));
        row
    }
}

impl<R> fmt::Debug for ReportRows<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReportRows").field("columns", &self.columns).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(file: &[u8]) -> Result<Vec<ReportRow>, ReportError> {
        ReportRows::read(file)?.collect()
    }

    #[test]
    fn a_respondent_id_is_the_rid_only_where_there_is_no_other() {
        let rid = "0f1ce179-a917-49ff-9d50-b05fc91f7bd4";
        let read = |file: String| rows(file.as_bytes()).unwrap().remove(0);
        let both = read(format!("RID,Respondent ID\n{rid},4711\n"));
        assert_eq!((both.rid.as_deref(), both.other.len()), (Some(rid), 1));
        assert_eq!(read(format!("Respondent ID,Cost\n{rid},1\n")).rid.as_deref(), Some(rid));
        let number = read("Respondent ID,Cost\n4711,1\n".to_owned());
        assert_eq!((number.rid, number.other.len()), (None, 1));
    }

    #[test]
    fn an_amount_in_groups_is_none() {
        let read = rows(b"RID,COST\nr1,1_000\nr2,-10.50\n").unwrap();
        assert_eq!(read[0].cost.value(), None);
        assert_eq!(read[1].cost.value(), Some(&Decimal::new(-1050, 2)));
    }

    #[test]
    fn a_wrong_cell_costs_that_cell_alone() {
        let file = "RID;Supplier ID;client-status;Entry Date;Last_Date;COST;Currency;reconciliation code;Mood\n\
                    r1;7;10;2026-11-02T10:00:00Z;2026-11-02 10:05;-2.73;USD;933;fine;more\n\
                    r2;seven;ten;11/02/2026;;2,73;;;\n";
        let read = rows(file.as_bytes()).unwrap();
        let (one, two) = (&read[0], &read[1]);
        assert_eq!((one.rid.as_deref(), one.supplier.value()), (Some("r1"), Some(&SupplierId::new(7))));
        assert_eq!(one.client_status.value(), Some(&ClientCode::COMPLETE));
        assert!(matches!(one.entered_at, ReportCell::Value(ReportTime::Moment(_))), "{one:?}");
        assert!(matches!(one.left_at, ReportCell::Value(ReportTime::Local(_))), "{one:?}");
        assert_eq!((one.cost.value(), one.currency.as_deref()), (Some(&Decimal::new(-273, 2)), Some("USD")));
        assert_eq!(one.reconciliation_code.as_deref(), Some("933"));
        let other = [("Mood", "fine"), ("", "more")].map(|(name, cell)| (name.to_owned(), cell.to_owned()));
        assert_eq!(one.other, other);
        let text = |text: &str| text.to_owned();
        assert_eq!((two.rid.as_deref(), &two.supplier), (Some("r2"), &ReportCell::Unreadable(text("seven"))));
        assert_eq!(two.client_status, ReportCell::Unreadable(text("ten")));
        assert_eq!((&two.entered_at, &two.left_at), (&ReportCell::Unreadable(text("11/02/2026")), &ReportCell::Empty));
        assert_eq!((&two.cost, &two.currency), (&ReportCell::Unreadable(text("2,73")), &None));
        assert!(two.other.is_empty());
        assert_eq!(rows(b"").unwrap(), []);
    }

    #[test]
    fn what_is_no_report_is_refused_by_name() {
        for (file, says) in [
            (&b"<html>"[..], "the file is an HTML page, expected a report"),
            (b"{}", "the file is a JSON object, expected a report"),
            #[cfg(not(feature = "xlsx"))]
            (b"<?mso-application progid='Excel.Sheet'?>", "the report is spreadsheet-ml, expected CSV"),
            #[cfg(feature = "xlsx")]
            (b"<?mso-application progid='Excel.Sheet'?>", "the spreadsheet cannot be read: it ends before"),
            (b"\0\0", "the report is unknown, expected CSV"),
            (b"a,\"b", ""),
        ] {
            let error = rows(file).map_err(|error| error.to_string()).err().unwrap_or_default();
            assert!(error.starts_with(says), "{error}");
        }
        let error = rows(b"\xff\xfer\x00i\x00").unwrap_err();
        assert!(error.to_string().contains("unknown") || matches!(error, ReportError::Utf16), "{error}");
    }

    #[cfg(feature = "xlsx")]
    #[test]
    fn a_spreadsheet_in_xml_is_read_as_csv_is() {
        let cells = |kinds: [(&str, &str); 5]| -> String {
            let cell = |(kind, text)| format!("<Cell><Data ss:Type=\"{kind}\">{text}</Data></Cell>");
            format!("<Row>{}</Row>", kinds.map(cell).concat())
        };
        let header = cells(["RID", "Entry Date", "Cost", "Currency", "Mood"].map(|name| ("String", name)));
        let rid = "0f1ce179-a917-49ff-9d50-b05fc91f7bd4";
        let first = [
            ("String", rid),
            ("DateTime", "2026-11-02T10:00:00.000"),
            ("Number", "2.73"),
            ("String", "USD"),
            ("String", "a &amp; b"),
        ];
        let xml = format!(
            "\u{feff}<?xml version=\"1.0\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">\
             <Worksheet>\
             <Table>{header}{}</Table></Worksheet></Workbook>",
            cells(first)
        );
        let csv = format!("RID,Entry Date,Cost,Currency,Mood\n{rid},2026-11-02T10:00:00.000,2.73,USD,a & b\n");
        let read = rows(xml.as_bytes()).unwrap();
        assert_eq!(read, rows(csv.as_bytes()).unwrap());
        assert_eq!((read[0].cost.value(), read[0].other.len()), (Some(&Decimal::new(273, 2)), 1));
        assert!(matches!(read[0].entered_at, ReportCell::Value(ReportTime::Local(_))), "no time zone is made up");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_make_it_panic(
            start in prop::sample::select(vec![&b""[..], b"PK\x03\x04", b"rid,cost,currency\n"]),
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let _ = rows(&[start, &bytes].concat());
        }

        #[test]
        fn what_is_written_is_read_again(
            cells in prop::collection::vec(prop::collection::vec("[ -~äé€\n]{0,12}", 3), 1..20),
            separator in prop::sample::select(vec![b',', b';', b'\t']),
        ) {
            let mut out = csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
            out.write_record(["one", "two", "three"]).unwrap();
            cells.iter().for_each(|row| out.write_record(row).unwrap());
            let read = rows(&out.into_inner().unwrap()).unwrap();
            prop_assert_eq!(read.len(), cells.len());
            for (row, cells) in read.iter().zip(&cells) {
                let expected = ["one", "two", "three"].into_iter().zip(cells);
                let expected = expected.map(|(name, cell)| (name.to_owned(), cell.trim_ascii().to_owned()));
                let expected: Vec<_> = expected.filter(|(_, cell)| !cell.is_empty()).collect();
                prop_assert_eq!(&row.other, &expected);
            }
        }
    }
}
