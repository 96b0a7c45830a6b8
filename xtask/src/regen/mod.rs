//! `cargo xtask regen`: from `openapi/<date>.json` to the raw crate, and `--check` that says whether it is up to date.
//! Same input, same bytes; no network; nothing is written unless everything could be made.

mod emit;
mod generate;
#[cfg(test)]
pub(crate) mod part;
mod places;
mod shape;
mod supplement;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::Value;

pub(crate) use self::emit::is_uniform;
#[cfg(test)]
pub(crate) use self::emit::lists;
pub(crate) use self::shape::{canonical_id, inline_references, is_client_header, is_never_sent, schemas, shared_ids};
use self::supplement::Supplement;
pub(crate) use self::table::ident as argument_name;
use crate::document::index::Index;
use crate::document::overlay::Overlays;
use crate::document::problem::Problems;
use crate::guarded;
use crate::report::Report;
use crate::workspace::Workspace;

/// What to regenerate and how.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// The versions; none means all.
    pub(crate) dates: Vec<String>,
    /// Write nothing, show what would change.
    pub(crate) check: bool,
    /// Print what each pass did.
    pub(crate) verbose: bool,
    /// Also write the shaped documents here.
    pub(crate) emit_shaped: Option<PathBuf>,
}

/// The files of one version and the report of how they were made.
pub(crate) struct Made {
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) report: Report,
    /// The operations without a summary in our words.
    pub(crate) undocumented: Vec<String>,
    shaped: Value,
}

/// What is written about the documents beside them.
#[derive(Default)]
pub(crate) struct Notes {
    overlays: Overlays,
    pub(crate) supplement: Supplement,
    summaries: BTreeMap<String, String>,
}

impl Notes {
    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        Ok(Self {
            overlays: Overlays::read(&workspace.overlays())?,
            supplement: read_toml(&workspace.supplement())?,
            summaries: read_toml(&workspace.summaries())?,
        })
    }

    /// The same where there may be no document yet, and nothing about any.
    pub(crate) fn read_or_empty(workspace: &Workspace) -> Result<Self> {
        let there = |path: PathBuf| path.exists().then_some(path);
        Ok(Self {
            overlays: Overlays::read(&workspace.overlays())?,
            supplement: there(workspace.supplement()).map_or_else(|| Ok(Supplement::default()), |at| read_toml(&at))?,
            summaries: there(workspace.summaries()).map_or_else(|| Ok(BTreeMap::new()), |at| read_toml(&at))?,
        })
    }
}

/// Makes the files of one version in memory.
pub(crate) fn make(workspace: &Workspace, date: &str) -> Result<Made> {
    let path = workspace.document(date);
    let bytes = fs::read(&path).with_context(|| format!("cannot read openapi/{date}.json; import it first"))?;
    let document: Value = serde_json::from_slice(&bytes).with_context(|| format!("openapi/{date}.json is not JSON"))?;
    let made = make_of(date, &document, &Notes::read(workspace)?)?;
    ensure!(
        made.undocumented.is_empty(),
        "openapi/docs/operations.toml has no summary of: {}",
        made.undocumented.join(", ")
    );
    Ok(made)
}

/// The same of a document that is in no file yet; operations without a summary are listed and no error.
/// Whatever the generator cannot treat is answered with its place.
pub(crate) fn make_of(date: &str, document: &Value, notes: &Notes) -> Result<Made> {
    let shaped =
        guarded::run(|| shape::shape(date, document, &notes.overlays)).map_err(|message| anyhow!(message))??;
    let rows = table::rows(date, document, &shaped.document, &notes.supplement)?;
    // A stub that nobody has filled in is no summary.
    let is_documented = |id: &str| notes.summaries.get(id).is_some_and(|summary| !summary.trim().is_empty());
    let undocumented = rows.iter().map(|row| &row.id).filter(|id| !is_documented(id)).cloned().collect();
    let files = written(date, document, &shaped.document, &rows, notes).map_err(|message| {
        let found = places::find(&shaped.document, &|part| attempt(date, part, &rows, notes));
        match found.is_empty() {
            true => anyhow!("{date}: {message}"),
            false => {
                let mut problems = Problems::new(format!("openapi/{date}.json, shaped"));
                problems.extend(found);
                anyhow!(problems)
            }
        }
    })?;
    Ok(Made { files, report: shaped.report, undocumented, shaped: shaped.document })
}

/// Generates and emits a part of a shaped document, to see whether that works.
fn attempt(date: &str, part: &Value, rows: &[table::Row], notes: &Notes) -> Result<(), String> {
    let is_there = |row: &&table::Row| {
        part.get("paths").and_then(|paths| paths.get(&row.path)?.get(row.method.to_lowercase())).is_some()
    };
    let rows: Vec<table::Row> = rows.iter().filter(is_there).cloned().collect();
    written(date, part, part, &rows, notes).map(|_| ())
}

fn written(
    date: &str,
    document: &Value,
    shaped: &Value,
    rows: &[table::Row],
    notes: &Notes,
) -> Result<BTreeMap<String, String>, String> {
    guarded::run(|| {
        let generated = generate::generate(shaped)?;
        let (operations, _) = crate::import::counts(document);
        if operations != rows.len() || operations != generated.methods.len() {
            return Err(format!(
                "{operations} operations in the document, {} in the table, {} in the client",
                rows.len(),
                generated.methods.len()
            ));
        }
        let summaries = &notes.summaries;
        emit::files(&emit::Version { date, shaped, rows, generated: &generated, summaries })
    })?
}

/// The shaped document of one version.
pub(crate) fn shaped(workspace: &Workspace, date: &str) -> Result<Value> {
    make(workspace, date).map(|made| made.shaped)
}

/// Runs the command; answers whether everything was up to date already.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    let index = Index::read(&workspace.index())?;
    let known: Vec<&str> = index.entries().iter().map(|entry| entry.date.as_str()).collect();
    if let Some(unknown) = options.dates.iter().find(|date| !known.contains(&date.as_str())) {
        bail!("{unknown} is not imported; known versions: {}", known.join(", "));
    }
    let dates: Vec<&str> = known
        .iter()
        .copied()
        .filter(|date| options.dates.is_empty() || options.dates.iter().any(|asked| asked == date))
        .collect();
    ensure!(!dates.is_empty(), "nothing is imported yet; run `cargo xtask import FILE`");
    check_names(workspace, &known)?;

    let mut files = emit::lists(&known);
    let mut folders = Vec::new();
    for date in &dates {
        let made = make(workspace, date)?;
        if options.verbose {
            println!("{}", made.report);
        }
        if let Some(folder) = &options.emit_shaped {
            fs::create_dir_all(folder)?;
            fs::write(folder.join(format!("{date}.json")), serde_json::to_string_pretty(&made.shaped)? + "\n")?;
        }
        folders.push(format!("cintx-raw/src/v{}", date.replace('-', "_")));
        files.extend(made.files);
    }
    let stale = stale_files(workspace, &folders, &files)?;
    let mut changed: Vec<(&String, Option<String>)> = Vec::new();
    for (path, text) in &files {
        let current = fs::read_to_string(workspace.root().join(path)).ok();
        if current.as_ref() != Some(text) {
            changed.push((path, current));
        }
    }
    let up_to_date = changed.is_empty() && stale.is_empty();
    if options.check {
        for (path, current) in &changed {
            print!("{}", diff(path, current.as_deref().unwrap_or_default(), &files[*path]));
        }
        for path in &stale {
            println!("{} is no longer generated", path.display());
        }
    } else {
        let writes: Vec<(PathBuf, String)> =
            changed.iter().map(|(path, _)| (workspace.root().join(path), files[*path].clone())).collect();
        workspace.write_all(writes)?;
        for path in &stale {
            fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    let what = if options.check { "out of date" } else { "written" };
    println!("{}: {} files, {} {what}, {} removed", dates.join(", "), files.len(), changed.len(), stale.len());
    Ok(up_to_date)
}

/// Every name in our own tables must exist in some version: a typing error there would go unnoticed.
fn check_names(workspace: &Workspace, dates: &[&str]) -> Result<()> {
    let mut ids = BTreeSet::new();
    for date in dates {
        let document: Value = serde_json::from_slice(&fs::read(workspace.document(date))?)?;
        let shared = shape::shared_ids(&document);
        for (path, _, _, operation) in crate::document::tree::operations(&document) {
            let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
            ids.insert(shape::canonical_id(id, path, &shared));
        }
    }
    let supplement: Supplement = read_toml(&workspace.supplement())?;
    let summaries: BTreeMap<String, String> = read_toml(&workspace.summaries())?;
    let unknown: BTreeSet<&str> =
        supplement.named().chain(summaries.keys().map(String::as_str)).filter(|id| !ids.contains(*id)).collect();
    ensure!(
        unknown.is_empty(),
        "openapi/supplement.toml or openapi/docs name operations that no version has: {}",
        unknown.into_iter().collect::<Vec<_>>().join(", ")
    );
    Ok(())
}

fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} cannot be read", path.display()))
}

/// Files below the generated folders that nothing generates any more.
fn stale_files(workspace: &Workspace, folders: &[String], files: &BTreeMap<String, String>) -> Result<Vec<PathBuf>> {
    let mut stale = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| workspace.root().join(folder)).collect();
    while let Some(folder) = open.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", folder.display())),
        };
        for entry in entries {
            let path = entry?.path();
            let relative = path.strip_prefix(workspace.root())?.to_string_lossy().replace('\\', "/");
            if path.is_dir() {
                open.push(path);
            } else if !files.contains_key(&relative) {
                stale.push(path);
            }
        }
    }
    stale.sort();
    Ok(stale)
}

fn diff(path: &str, old: &str, new: &str) -> String {
    let diff = similar::TextDiff::from_lines(old, new);
    diff.unified_diff().context_radius(3).header(path, &format!("{path} (regenerated)")).to_string()
}
