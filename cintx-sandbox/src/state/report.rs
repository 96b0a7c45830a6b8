//! Reports: asked for, worked on for a while, then there to be downloaded.
//! Their content comes from the respondents of the simulated field.

use super::World;
use super::schedule::Event;
use super::session::{Session, Standing};
use crate::sim::clock::{plus, text};
use crate::state::supply::supplier_name;
use jiff::{Timestamp, civil, tz};
use rust_decimal::Decimal;
use std::sync::Arc;

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Pending,
    Failed,
    Completed(Arc<[u8]>),
}

/// A report.
#[derive(Clone, Debug)]
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

    /// The name of its file.
    pub(crate) fn file_name(&self) -> String {
        let extension = if self.is_spreadsheet() { "xls" } else { "csv" };
        format!("{}-{}-{}.{extension}", self.kind, self.start, self.end)
    }
}

/// Plans a report.
pub(crate) fn start(world: &mut World, report: Report) {
    let (id, now) = (report.id.clone(), report.created_at);
    world.reports.put(id.clone(), report, 2_000);
    let ready = plus(now, world.settings.job_delay);
    world.schedule.plan(ready, Event::ReportEnds(id));
}

/// When a day begins; days are those of US Central time.
fn dawn(day: civil::Date) -> Timestamp {
    // Only the first and the last day that can be written have no such moment.
    tz::Offset::constant(-6).to_timestamp(day.to_datetime(civil::Time::midnight())).unwrap_or(Timestamp::MAX)
}

/// Writes a report.
pub(crate) fn finish(world: &mut World, id: &str) {
    let Some(report) = world.reports.get(id).cloned() else {
        return;
    };
    let progress = if world.fails_next() {
        Progress::Failed
    } else {
        let (header, rows) = (header(&report), rows(world, &report));
        let file = if report.is_spreadsheet() { spreadsheet(&header, &rows) } else { csv(&header, &rows) };
        Progress::Completed(file.into_bytes().into())
    };
    let weight = 2_000 + if let Progress::Completed(file) = &progress { file.len() } else { 0 };
    world.reports.put(report.id.clone(), Report { progress, ..report }, weight);
}

fn rows(world: &World, report: &Report) -> Vec<Vec<Cell>> {
    let period = dawn(report.start)..dawn(report.end.saturating_add(jiff::Span::new().days(1)));
    // They come in the order of their entry, so what is too young ends it.
    let sessions = world.sessions.in_order().take_while(|session| session.entered_at < period.end);
    sessions
        .filter(|session| session.entered_at >= period.start)
        .filter(|session| concerns(world, report, session) && wanted(&report.kind, session))
        .map(|session| row(world, report, session))
        .collect()
}

fn row(world: &World, report: &Report, session: &Session) -> Vec<Cell> {
    let group = world.groups.get(&session.group_id);
    let mut row = vec![
        Cell::Text(session.rid.clone()),
        Cell::Text(session.project_id.clone()),
        Cell::Text(session.group_id.clone()),
        group.map_or(Cell::Empty, |group| Cell::Text(group.name.clone())),
        Cell::Number(session.supplier_id),
        Cell::Text(supplier_name(session.supplier_id)),
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

fn wanted(kind: &str, session: &Session) -> bool {
    match kind {
        "completes" | "sample-bought" | "reconciliation-eligible-rids" => session.is_complete(),
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

/// The old XML form of spreadsheets, which needs no packing.
fn spreadsheet(header: &[&str], rows: &[Vec<Cell>]) -> String {
    let plain = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let cell = |text: &str| format!("<Cell><Data ss:Type=\"String\">{}</Data></Cell>", plain(text));
    let line = |cells: String| format!("<Row>{cells}</Row>");
    let header = line(header.iter().map(|name| cell(name)).collect());
    let rows: String = rows.iter().map(|row| line(row.iter().map(|one| cell(&one.plain())).collect())).collect();
    format!(
        "<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?>\
         <Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\" \
         xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\">\
         <Worksheet ss:Name=\"report\"><Table>{header}{rows}</Table></Worksheet></Workbook>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn csv_keeps_what_stands_in_a_field() {
        let text = csv(&HEADER, &rows());
        let wanted = "name,supplier_id,cost,entry_date\n\"a, \"\"b\"\"\r\nc <&>\",1101,2.7352,2025-06-02T08:30:00.000Z\n\
                      =1+1,,0,\n";
        assert_eq!(text, wanted);
    }
}
