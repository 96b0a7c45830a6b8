//! Reports: asked for, worked on for a while, then there to be downloaded.
//! Their content comes from the respondents of the simulated field.

use super::World;
use super::schedule::Event;
use super::session::{Session, Standing};
use crate::sim::clock::{plus, text};
use crate::state::supply::supplier_name;
use jiff::{Timestamp, civil, tz};
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
        let rows = rows(world, &report);
        let file = if report.is_spreadsheet() { spreadsheet(&rows) } else { csv(&rows) };
        Progress::Completed(file.into_bytes().into())
    };
    let weight = 2_000 + if let Progress::Completed(file) = &progress { file.len() } else { 0 };
    world.reports.put(report.id.clone(), Report { progress, ..report }, weight);
}

fn rows(world: &World, report: &Report) -> Vec<Vec<String>> {
    let mut rows = vec![header(report)];
    let period = dawn(report.start)..dawn(report.end.saturating_add(jiff::Span::new().days(1)));
    // They come in the order of their entry, so what is too young ends it.
    for session in world.sessions.in_order().take_while(|session| session.entered_at < period.end) {
        if session.entered_at < period.start || !concerns(world, report, session) {
            continue;
        }
        if !wanted(&report.kind, session) {
            continue;
        }
        let group = world.groups.get(&session.group_id);
        let mut row = vec![
            session.rid.clone(),
            session.project_id.clone(),
            session.group_id.clone(),
            group.map(|group| group.name.clone()).unwrap_or_default(),
            session.supplier_id.to_string(),
            supplier_name(session.supplier_id),
            session.client_code().to_string(),
            text(session.entered_at),
            session.left_at.map(text).unwrap_or_default(),
        ];
        if report.kind.starts_with("reconciliation") {
            row.push(session.reconciled.clone().unwrap_or_default());
        }
        if report.answers {
            row.push(session.targets.join(" "));
        }
        rows.push(row);
    }
    rows
}

fn header(report: &Report) -> Vec<String> {
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
    if report.kind.starts_with("reconciliation") {
        names.push("reconciliation_code");
    }
    if report.answers {
        names.push("targets");
    }
    names.into_iter().map(str::to_owned).collect()
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

fn csv(rows: &[Vec<String>]) -> String {
    let cell = |text: &String| {
        if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.clone() }
    };
    rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(",") + "\n").collect()
}

/// The old XML form of spreadsheets, which needs no packing.
fn spreadsheet(rows: &[Vec<String>]) -> String {
    let plain = |text: &String| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let row = |cells: &Vec<String>| {
        let cells: String =
            cells.iter().map(|text| format!("<Cell><Data ss:Type=\"String\">{}</Data></Cell>", plain(text))).collect();
        format!("<Row>{cells}</Row>")
    };
    let rows: String = rows.iter().map(row).collect();
    format!(
        "<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?>\
         <Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\" \
         xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\">\
         <Worksheet ss:Name=\"report\"><Table>{rows}</Table></Worksheet></Workbook>"
    )
}
