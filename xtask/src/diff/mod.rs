//! `cargo xtask diff`: what changed between two documents, by Cint's published policy and by its effect on users.
//! Also what import says about a document that is imported anew, and what migration pages are made of.

mod beside;
mod operations;
mod print;
mod reach;
mod rename;
mod schemas;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde_json::Value;

pub(crate) use self::print::{Format, code};
pub(crate) use self::view::prepared;
use crate::document::index::Index;
use crate::document::overlay::Overlays;
use crate::guarded;
use crate::workspace::Workspace;

/// What a change does to whoever uses the SDK, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Effect {
    /// Code against the generated crate no longer compiles after the upgrade.
    Compilation,
    /// A release that is out already cannot read what comes back.
    Decoding,
    /// It compiles and is read, and does something else, or is refused by Cint.
    Behaviour,
    /// Nothing that works today stops working.
    Additive,
}

/// What Cint's published versioning policy calls a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Policy {
    /// Comes with a new dated version only.
    Breaking,
    /// May come at any time.
    Additive,
    /// The policy says nothing about it.
    Unlisted,
}

/// One change.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Change {
    /// What it is about: an operation, a schema's property.
    pub(crate) subject: String,
    /// In one sentence.
    pub(crate) what: String,
    pub(crate) effects: BTreeSet<Effect>,
    pub(crate) policy: Policy,
    /// Why a move or a rename is believed to be one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) evidence: Vec<String>,
    /// The operations that it reaches, by their ids.
    pub(crate) operations: BTreeSet<String>,
}

impl Change {
    /// The worst of its effects.
    pub(crate) fn worst(&self) -> Effect {
        self.effects.first().copied().unwrap_or(Effect::Additive)
    }

    /// Whether this is one of its effects.
    pub(crate) fn has(&self, effect: Effect) -> bool {
        self.effects.contains(&effect)
    }

    /// Whether no compiler tells of it, or not of all of it.
    pub(crate) fn is_silent(&self) -> bool {
        self.has(Effect::Behaviour) || self.worst() == Effect::Decoding
    }
}

/// Everything that changed between two documents.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Difference {
    pub(crate) old: String,
    pub(crate) new: String,
    pub(crate) changes: Vec<Change>,
    /// Operations that are gone without a successor.
    pub(crate) lost: Vec<String>,
    /// Operations under another id or path: old and new id.
    pub(crate) moved: BTreeMap<String, String>,
}

impl Difference {
    /// Whether anything breaks or behaves otherwise.
    pub(crate) fn breaks(&self) -> bool {
        self.changes.iter().any(|change| change.worst() != Effect::Additive)
    }

    /// The changes that have an effect; one can have several.
    pub(crate) fn with(&self, effect: Effect) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.has(effect))
    }

    pub(crate) fn count(&self, effect: Effect) -> usize {
        self.with(effect).count()
    }

    /// The difference in one line.
    pub(crate) fn summary(&self) -> String {
        if self.changes.is_empty() {
            return format!("{} and {} are the same", self.old, self.new);
        }
        format!(
            "{} to {}: {} break compilation, {} break decoding, {} change behaviour, {} are additive",
            self.old,
            self.new,
            self.count(Effect::Compilation),
            self.count(Effect::Decoding),
            self.count(Effect::Behaviour),
            self.count(Effect::Additive)
        )
    }
}

/// The schemas that are sent or come back.
pub(crate) fn exchanged(document: &Value) -> BTreeSet<String> {
    let document = view::prepared(document);
    reach::Reach::of(&document).roles().into_keys().map(str::to_owned).collect()
}

/// Compares two imported documents.
pub(crate) fn between(old: (&str, &Value), new: (&str, &Value)) -> Difference {
    between_prepared((old.0, &view::prepared(old.1)), (new.0, &view::prepared(new.1)))
}

/// The same of documents whose parameters, bodies and answers stand in place.
fn between_prepared(old: (&str, &Value), new: (&str, &Value)) -> Difference {
    let mut first = schemas::Changes::new(old.1, new.1);
    operations::compare(old.1, new.1, &mut first);
    let mut changes = first.again();
    let found = operations::compare(old.1, new.1, &mut changes);
    Difference {
        old: old.0.to_owned(),
        new: new.0.to_owned(),
        changes: changes.into_list(),
        lost: found.lost,
        moved: found.moved,
    }
}

/// What is compared: dates that are imported, or files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sides<'a> {
    pub(crate) old: &'a str,
    pub(crate) new: &'a str,
    /// The dated version of files that do not say it.
    pub(crate) date: Option<&'a str>,
}

fn sides(workspace: &Workspace, sides: &Sides<'_>) -> Result<[(String, Value); 2]> {
    Ok([side(workspace, sides.old, sides.date)?, side(workspace, sides.new, sides.date)?])
}

/// One side of a comparison: a date that is imported, or a file.
fn side(workspace: &Workspace, named: &str, date: Option<&str>) -> Result<(String, Value)> {
    let index = Index::read(&workspace.index())?;
    if index.get(named).is_some() {
        let text = std::fs::read_to_string(workspace.document(named))
            .with_context(|| format!("cannot read openapi/{named}.json"))?;
        return Ok((named.to_owned(), serde_json::from_str(&text)?));
    }
    let path = Path::new(named);
    if !path.is_file() {
        let known: Vec<&str> = index.entries().iter().map(|entry| entry.date.as_str()).collect();
        bail!("{named} is neither an imported version ({}) nor a file", known.join(", "));
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {named}"))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let overlays = Overlays::read(&workspace.overlays())?;
    let imported = crate::import::import(&name, &text, date, &overlays)?;
    Ok((name, imported.document))
}

/// Runs the command with what another tool says of the same two documents; answers a table and whether everything on
/// which the two disagree is explained.
pub(crate) fn beside(workspace: &Workspace, compared: &Sides<'_>, theirs: &Path) -> Result<(String, bool)> {
    let [old, new] = sides(workspace, compared)?;
    let theirs = std::fs::read_to_string(theirs).with_context(|| format!("cannot read {}", theirs.display()))?;
    let difference = guarded::run(|| between((&old.0, &old.1), (&new.0, &new.1))).map_err(anyhow::Error::msg)?;
    beside::compare(&difference, &old.1, &new.1, &theirs)
}

/// What changed between two dates or files.
pub(crate) fn of(workspace: &Workspace, compared: &Sides<'_>) -> Result<Difference> {
    let [old, new] = sides(workspace, compared)?;
    guarded::run(|| between((&old.0, &old.1), (&new.0, &new.1))).map_err(anyhow::Error::msg)
}

/// Runs the command; answers the text and whether anything breaks.
pub(crate) fn run(workspace: &Workspace, compared: &Sides<'_>, format: Format) -> Result<(String, bool)> {
    let difference = of(workspace, compared)?;
    Ok((print::print(&difference, format)?, difference.breaks()))
}
