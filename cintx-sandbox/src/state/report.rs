//! Reports: asked for, worked on for a while, then there to be downloaded.
//! Their content comes from the respondents of the simulated field.

use super::World;
use super::reconciliation;
use super::saved;
use super::schedule::Event;
use super::session::{Session, Standing};
use crate::sim::clock::{central_midnight, plus, text};
use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Level {
    Account,
    BusinessUnit,
    Project,
    TargetGroup,
}

impl Level {
    /// As the answers spell it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Account => "Account",
            Self::BusinessUnit => "Business Unit",
            Self::Project => "Project",
            Self::TargetGroup => "Target Group",
        }
    }
}

/// The media type of spreadsheets.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What stands in one field of a report.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Empty,
    Text(String),
    Number(i64),
    Money(Decimal),
    Moment(Timestamp),
}

impl Cell {
    fn plain(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Money(amount) => amount.to_string(),
            Self::Moment(at) => text(*at),
        }
    }
}

/// How far a report has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Progress {
    Pending,
    Failed,
    Completed(#[serde(with = "saved::bytes")] Arc<[u8]>),
}

/// A report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) id: String,
    /// The path's word for its kind.
    pub(crate) kind: String,
    pub(crate) level: Level,
    pub(crate) filter_ids: Vec<String>,
    pub(crate) start: civil::Date,
    pub(crate) end: civil::Date,
    pub(crate) answers: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    pub(crate) progress: Progress,
}

impl Report {
    /// Whether it comes as a spreadsheet instead of CSV.
    pub(crate) fn is_spreadsheet(&self) -> bool {
        self.kind == "term-details"
    }

    /// The media type of its file.
    pub(crate) fn media_type(&self) -> &'static str {
        if self.is_spreadsheet() { XLSX } else { "text/csv" }
    }

    /// The ending of its file's name.
    pub(crate) fn extension(&self) -> &'static str {
        if self.is_spreadsheet() { "xlsx" } else { "csv" }
    }

    /// The name of its file.
    pub(crate) fn file_name(&self) -> String {
        format!("{}-{}-{}.{}", self.kind, self.start, self.end, self.extension())
    }
}

/// Plans a report.
pub(crate) fn start(world: &mut World, report: Report) {
    let (id, now) = (report.id.clone(), report.created_at);
    world.reports.put(id.clone(), report, 2_000);
    let ready = plus(now, world.settings.job_delay);
    world.schedule.plan(ready, Event::ReportEnds(id));
}

/// Writes a report, as things are at a moment.
pub(crate) fn finish(world: &mut World, at: Timestamp, id: &str) {
    let Some(report) = world.reports.get(id).cloned() else {
        return;
    };
    let progress = if world.fails_next() {
        Progress::Failed
    } else {
        let (header, rows) = (header(&report), rows(world, at, &report));
        if report.is_spreadsheet() {
            spreadsheet(at, &header, &rows).map_or(Progress::Failed, |file| Progress::Completed(file.into()))
        } else {
            Progress::Completed(csv(&header, &rows).into_bytes().into())
        }
    };
    let weight = 2_000 + if let Progress::Completed(file) = &progress { file.len() } else { 0 };
    world.reports.put(report.id.clone(), Report { progress, ..report }, weight);
}

fn rows(world: &World, at: Timestamp, report: &Report) -> Vec<Vec<Cell>> {
    let days = i32::from(!world.settings.reports_end_at_last_midnight);
    let end = report.end.saturating_add(jiff::Span::new().days(days));
    let period = central_midnight(report.start)..central_midnight(end);
    // A seed file puts in one group after another, each with its own past.
    let mut sessions: Vec<&Session> = world
        .sessions
        .in_order()
        .filter(|session| period.contains(&session.entered_at))
        .filter(|session| concerns(world, report, session) && wanted(&report.kind, session, at))
        .collect();
    sessions.sort_by_key(|session| session.entered_at);
    sessions.into_iter().map(|session| row(world, report, session)).collect()
}

fn row(world: &World, report: &Report, session: &Session) -> Vec<Cell> {
    let group = world.groups.get(&session.group_id);
    let mut row = vec![
        Cell::Text(session.rid.clone()),
        Cell::Text(session.project_id.clone()),
        Cell::Text(session.group_id.clone()),
        group.map_or(Cell::Empty, |group| Cell::Text(group.name.clone())),
        Cell::Number(session.supplier_id),
        Cell::Text(world.market.supplier_name(session.supplier_id)),
        Cell::Number(session.client_code().cast_signed()),
        Cell::Moment(session.entered_at),
        session.left_at.map_or(Cell::Empty, Cell::Moment),
    ];
    if has_cost(&report.kind) {
        let unit = group.and_then(|group| world.account.business_unit(group.business_unit));
        row.push(Cell::Money(session.cost()));
        row.push(unit.map_or(Cell::Empty, |unit| Cell::Text(unit.currency.to_owned())));
    }
    if report.kind.starts_with("reconciliation") {
        row.push(session.reconciled.clone().map_or(Cell::Empty, Cell::Text));
    }
    if report.answers {
        row.push(Cell::Text(session.targets.join(" ")));
    }
    row
}

/// Whether a kind of report says what each respondent costs.
fn has_cost(kind: &str) -> bool {
    matches!(kind, "completes" | "sample-bought")
}

fn header(report: &Report) -> Vec<&'static str> {
    let mut names = vec![
        "rid",
        "project_id",
        "target_group_id",
        "target_group_name",
        "supplier_id",
        "supplier_name",
        "client_status",
        "entry_date",
        "last_date",
    ];
    if has_cost(&report.kind) {
        names.extend(["cost", "currency"]);
    }
    if report.kind.starts_with("reconciliation") {
        names.push("reconciliation_code");
    }
    if report.answers {
        names.push("targets");
    }
    names
}

fn concerns(world: &World, report: &Report, session: &Session) -> bool {
    let among = |id: &str| report.filter_ids.iter().any(|own| own == id);
    match report.level {
        Level::Account => true,
        Level::Project => among(&session.project_id),
        Level::TargetGroup => among(&session.group_id),
        Level::BusinessUnit => {
            world.groups.get(&session.group_id).is_some_and(|group| among(&group.business_unit.to_string()))
        }
    }
}

fn wanted(kind: &str, session: &Session, at: Timestamp) -> bool {
    match kind {
        "completes" | "sample-bought" => session.is_complete(),
        "reconciliation-eligible-rids" => session.is_complete() && !reconciliation::is_expired(session, at),
        "reconciliations" | "reconciliations-status" => session.reconciled.is_some(),
        "term-details" => {
            matches!(session.standing, Standing::Terminated | Standing::OverQuota | Standing::SecurityTerminated)
        }
        _ => true,
    }
}

/// A line of CSV.
pub(crate) fn csv_line(cells: impl IntoIterator<Item = String>) -> String {
    let quoted = |text: String| {
        if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
    };
    cells.into_iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

fn csv(header: &[&str], rows: &[Vec<Cell>]) -> String {
    let header = csv_line(header.iter().map(|name| (*name).to_owned()));
    header + &rows.iter().map(|row| csv_line(row.iter().map(Cell::plain))).collect::<String>()
}

/// A workbook of one sheet, with numbers as numbers and moments as moments.
/// The same rows at the same moment give the same bytes.
fn spreadsheet(at: Timestamp, header: &[&str], rows: &[Vec<Cell>]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let made = ExcelDateTime::from_timestamp(at.as_second())?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let sheet = workbook.add_worksheet();
    sheet.set_name("Report")?;
    let (bold, money) = (Format::new().set_bold(), Format::new().set_num_format("0.00##"));
    let moment = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
    for (column, name) in (0_u16..).zip(header) {
        sheet.write_with_format(0, column, *name, &bold)?;
    }
    for (line, row) in (1_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(row) {
            match cell {
                Cell::Empty => continue,
                Cell::Text(text) => sheet.write(line, column, text)?,
                Cell::Number(number) => sheet.write(line, column, *number)?,
                Cell::Money(amount) => {
                    sheet.write_with_format(line, column, f64::try_from(*amount).unwrap_or_default(), &money)?
                }
                Cell::Moment(at) => {
                    let at = ExcelDateTime::from_timestamp(at.as_second())?;
                    sheet.write_with_format(line, column, &at, &moment)?
                }
            };
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    workbook.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::{Data, Reader, Xlsx};

    fn rows() -> Vec<Vec<Cell>> {
        let at = "2025-06-02T08:30:00Z".parse().unwrap();
        let price = Decimal::new(27_352, 4);
        vec![
            vec![Cell::Text("a, \"b\"\r\nc <&>".into()), Cell::Number(1101), Cell::Money(price), Cell::Moment(at)],
            vec![Cell::Text("=1+1".into()), Cell::Empty, Cell::Money(Decimal::ZERO), Cell::Empty],
        ]
    }

    const HEADER: [&str; 4] = ["name", "supplier_id", "cost", "entry_date"];

    #[test]
    fn a_spreadsheet_reads_back_with_its_types() {
        let now = "2025-06-03T00:00:00Z".parse().unwrap();
        let file = spreadsheet(now, &HEADER, &rows()).unwrap();
        assert_eq!(file, spreadsheet(now, &HEADER, &rows()).unwrap(), "byte for byte");
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(file)).unwrap();
        let sheet = book.worksheet_range("Report").unwrap();
        let at = |row, column| sheet.get((row, column)).unwrap().clone();
        assert_eq!(sheet.height(), 3);
        assert_eq!((0..4).map(|column| at(0, column).to_string()).collect::<Vec<_>>(), HEADER);
        assert_eq!(at(1, 0).to_string().replace("\r\n", "\n"), "a, \"b\"\nc <&>");
        assert_eq!((at(1, 1), at(1, 2)), (Data::Float(1101.0), Data::Float(2.7352)));
        let Data::DateTime(moment) = at(1, 3) else { panic!("{:?}", at(1, 3)) };
        assert!((moment.as_f64() - 45_810.354_166).abs() < 1e-5, "{moment:?}");
        assert_eq!(at(2, 0), Data::String("=1+1".into()), "no formula");
        assert_eq!(at(2, 1), Data::Empty);
    }

    #[test]
    fn csv_keeps_what_stands_in_a_field() {
        let text = csv(&HEADER, &rows());
        let wanted = "name,supplier_id,cost,entry_date\n\"a, \"\"b\"\"\r\nc <&>\",1101,2.7352,2025-06-02T08:30:00.000Z\n\
                      =1+1,,0,\n";
        assert_eq!(text, wanted);
    }
}
