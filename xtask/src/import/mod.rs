//! `cargo xtask import`: from a document as downloaded to `openapi/<date>.json`.
//! Keeps every fact, drops every sentence, mends what is not OpenAPI 3.0; shaping for the generator is `regen`'s work.

mod check;
mod credentials;
#[cfg(test)]
mod faithful;
#[cfg(test)]
mod faults;
mod graph;
mod passes;
mod readable;
mod wire;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

pub(crate) use self::passes::bare_date;
pub(crate) use self::wire::only_asks_for_presence;
use crate::document::index::{Entry, IMPORTER, Index};
use crate::document::overlay::{Overlays, Stage};
use crate::document::problem::{Problem, Problems};
use crate::document::source::Source;
use crate::document::tree::{Kind, operations};
use crate::guarded;
use crate::regen::{self, Notes};
use crate::report::Report;
use crate::workspace::Workspace;
use crate::{changelog, diff};

/// How to import.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// The dated version, where the document does not say it.
    pub(crate) date: Option<String>,
    /// Take a document that has lost operations since its date was imported.
    pub(crate) allow_removal: bool,
}

impl Options {
    #[cfg(test)]
    pub(crate) fn dated(date: &str) -> Self {
        Self { date: Some(date.to_owned()), ..Self::default() }
    }
}

/// A document ready to be written.
#[derive(Debug)]
pub(crate) struct Imported {
    pub(crate) date: String,
    pub(crate) document: Value,
    pub(crate) report: Report,
}

/// Imports one text; touches no file.
pub(crate) fn import(name: &str, text: &str, date: Option<&str>, overlays: &Overlays) -> Result<Imported, Problems> {
    let work = || {
        let source = Source::parse(name, text)?;
        normalise(&source, date, overlays).map_err(|problems| problems.locate(|pointer| source.line(pointer)))
    };
    guarded::run(work).unwrap_or_else(|message| Err(Problems::one(name, Problem::at("", message))))
}

fn normalise(source: &Source, date: Option<&str>, overlays: &Overlays) -> Result<Imported, Problems> {
    let mut document = source.value.clone();
    check::is_openapi_3_0(&source.name, &document)?;
    let mut problems = Problems::new(&source.name);
    problems.extend(check::constructs(&document));
    problems.extend(check::references(&document));
    let required_beside = check::required_beside(&document);

    let mut report = Report::new(format!("import of {}", source.name));
    let found = passes::date(&mut document);
    let date = match settle_date(found.as_deref(), date) {
        Ok(date) => date,
        Err(problem) => {
            problems.push(problem);
            String::new()
        }
    };
    report.line("date", 1, &format!("version {date}"));
    passes::run(&mut document, &mut report);
    passes::deep_references(&mut document, &mut report);
    if !date.is_empty() {
        overlays.apply(Stage::Import, &date, &mut document, &mut report, &mut problems);
        for name in overlays.that_would_fit(&date, &document) {
            report
                .note(format!("overlay {name} was made for another document and would fit this one: does it need it?"));
        }
    }
    problems.extend(check::required_lost(&required_beside, &document));
    problems.extend(check::shape(&document));
    problems.extend(check::operations(&document));
    problems.extend(wire::problems(&document));
    problems.extend(credentials::problems(&document));
    problems.extend(graph::problems(&document));
    problems.into_result()?;

    // The reader that the generator uses has the last word on structure.
    let mut problems = Problems::new(&source.name);
    problems.extend(readable::problems(&document));
    problems.into_result()?;
    Ok(Imported { date, document, report })
}

fn settle_date(found: Option<&str>, asked: Option<&str>) -> Result<String, Problem> {
    match (found, asked) {
        (_, Some(asked)) if passes::bare_date(asked).as_deref() != Some(asked) => {
            Err(Problem::at("", format!("--as {asked:?} is not a date of the form YYYY-MM-DD")))
        }
        (Some(found), Some(asked)) if found != asked => Err(Problem::at(
            "/info/version",
            format!("the document says {found} and --as says {asked}; leave --as out, or give the document's own date"),
        )),
        (Some(date), _) | (None, Some(date)) => Ok(date.to_owned()),
        (None, None) => Err(Problem::at(
            "/info/version",
            "does not start with a date of the form YYYY-MM-DD; name the version with --as DATE",
        )),
    }
}

/// Reads and imports FILE in memory; its bytes come with it.
pub(crate) fn read(workspace: &Workspace, file: &Path, options: &Options) -> Result<(Imported, Vec<u8>)> {
    let name = file.file_name().map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned());
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        Problems::one(&name, Problem { line: Some(line), pointer: String::new(), message: "not UTF-8 text".to_owned() })
    })?;
    let overlays = Overlays::read(&workspace.overlays())?;
    Ok((import(&name, text, options.date.as_deref(), &overlays)?, bytes))
}

/// Runs the command: reads FILE, writes the document and its entry in the index, both or neither.
pub(crate) fn run(workspace: &Workspace, file: &Path, options: &Options) -> Result<Report> {
    let (imported, bytes) = read(workspace, file, options)?;
    let mut document = serde_json::to_string_pretty(&imported.document)?;
    document.push('\n');

    let mut index = Index::read(&workspace.index())?;
    let entry = Entry::new(&imported.date, &bytes, &imported.document);
    let mut report = imported.report;
    let changed = compare(workspace, &imported.date, &imported.document, &index, options, &mut report)?;
    whole_way(workspace, &imported.date, &imported.document, &index, &mut report)?;
    if let Some(previous) = index.get(&imported.date).filter(|previous| previous.source_sha256 != entry.source_sha256) {
        report.note(format!(
            "the source of {} has changed: sha256 {} before, {} now",
            imported.date, previous.source_sha256, entry.source_sha256
        ));
    }
    report.note(format!("{} operations, {} schemas, importer {IMPORTER}", entry.operations, entry.schemas));
    index.put(entry);
    let mut files = vec![
        (workspace.document(&imported.date), document),
        (workspace.index(), index.to_text()?),
        (workspace.embedded(), index.to_rust()),
    ];
    // Afterwards nobody could say what the change was.
    if let Some(difference) = changed {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let named = diff::Difference { old: imported.date.clone(), new: name, ..difference };
        match changelog::with_entry(workspace, &named)? {
            Some(entry) => {
                report.note("its entry is in CHANGELOG.md; words of ours go around the generated block".to_owned());
                files.push(entry);
            }
            None => report.note("there is no CHANGELOG.md that could have an entry".to_owned()),
        }
    }
    workspace.write_all(files)?;
    Ok(report)
}

/// Says what changed since the date was imported, or since the version before it; a loss must be allowed. Answers what
/// changed under the date.
fn compare(
    workspace: &Workspace,
    date: &str,
    document: &Value,
    index: &Index,
    options: &Options,
    report: &mut Report,
) -> Result<Option<diff::Difference>> {
    let known = || index.entries().iter().map(|entry| entry.date.as_str());
    let Some(other) = known().rfind(|known| *known <= date) else { return Ok(None) };
    let text =
        fs::read_to_string(workspace.document(other)).with_context(|| format!("cannot read openapi/{other}.json"))?;
    let old: Value = serde_json::from_str(&text).with_context(|| format!("openapi/{other}.json is not JSON"))?;
    let name = if other == date { format!("{date} as imported") } else { other.to_owned() };
    let difference = guarded::run(|| diff::between((&name, &old), (date, document))).map_err(anyhow::Error::msg)?;
    if other == date && !difference.lost.is_empty() && !options.allow_removal {
        bail!(
            "the document has lost {} of {} operations of {date}: {}; if Cint took them away, import with --allow-removal",
            difference.lost.len(),
            counts(&old).0,
            difference.lost.join(", ")
        );
    }
    if other != date || !difference.changes.is_empty() {
        report.note(format!("{}; `cargo xtask diff` lists them", difference.summary()));
    }
    Ok((other == date && !difference.changes.is_empty()).then_some(difference))
}

/// Shapes and generates in memory: what `regen` would refuse is refused now, before anything is written.
fn whole_way(workspace: &Workspace, date: &str, document: &Value, index: &Index, report: &mut Report) -> Result<()> {
    let notes = Notes::read_or_empty(workspace)?;
    let made = regen::make_of(date, document, &notes)?;
    if !made.undocumented.is_empty() {
        let count = made.undocumented.len();
        report.note(format!("{count} operations have no summary yet: {}", made.undocumented.join(", ")));
    }
    // Of a date that is known the question is answered.
    if let Some(oldest) = index.entries().first().filter(|_| index.get(date).is_none()) {
        notes.supplement.in_doubt(date, &oldest.date).into_iter().for_each(|doubt| report.note(doubt));
    }
    Ok(())
}

/// How many operations and schemas a document has.
pub(crate) fn counts(document: &Value) -> (usize, usize) {
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object).map_or(0, |schemas| schemas.len());
    (operations(document).count(), schemas)
}

/// Our own header of every imported document.
pub(super) fn info(version: &str) -> Value {
    json!({ "title": "Cint Exchange Demand API", "version": version })
}

/// Keys that carry prose, by kind; `title` of a schema names a Rust type nowhere and is prose too.
pub(super) fn prose_keys(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Schema => &["title", "description", "externalDocs", "example", "xml"],
        Kind::Parameter | Kind::Header => &["description", "example", "examples"],
        Kind::MediaType => &["example", "examples"],
        Kind::Operation | Kind::PathItem => &["summary", "description", "externalDocs"],
        Kind::Document | Kind::Tag => &["description", "externalDocs"],
        Kind::Response => &[],
        Kind::Server | Kind::ServerVariable | Kind::RequestBody | Kind::SecurityScheme | Kind::Link => &["description"],
        Kind::Components => &["examples"],
        _ => &[],
    }
}
