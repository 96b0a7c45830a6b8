//! `cargo xtask new-version`: everything about a new dated version that needs no thought, and a checklist of the rest.
//! Each step can be repeated: what is there already stays as it is. So the checklist is walked by running the command
//! again on the same document, until nothing but the last lines is left.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use heck::ToUpperCamelCase as _;
use serde_json::Value;

use crate::diff::{self, Change, Effect};
use crate::document::index::Index;
use crate::document::tree::operations;
use crate::workspace::Workspace;
use crate::{changelog, check, guarded, import, migration, regen};

/// What to take in, and how far to go.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) file: PathBuf,
    pub(crate) import: import::Options,
    /// Ask the compiler what is still missing.
    pub(crate) compile: bool,
}

/// What was done and what is left to do, to be printed.
#[derive(Debug, Default)]
struct Checklist {
    done: Vec<String>,
    left: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<String> {
    let known = Index::read(&workspace.index())?;
    let (imported, _) = import::read(workspace, &options.file, &options.import)?;
    let date = imported.date;
    let is_there = known.get(&date).is_some();
    ensure!(
        !is_there || document(workspace, &date)? == imported.document,
        "{date} is imported and this document is another one: follow \"a dated document that changed in place\" in CONTRIBUTING.md"
    );
    let report = match is_there {
        true => imported.report,
        false => import::run(workspace, &options.file, &options.import)?,
    };
    let newest = known.entries().iter().map(|entry| entry.date.as_str()).filter(|other| *other < date.as_str()).max();
    let Some(before) = newest.or_else(|| known.entries().first().map(|entry| entry.date.as_str())) else {
        bail!("there is no version to start from; import a first one by hand");
    };
    let next = known.entries().iter().map(|entry| entry.date.as_str()).find(|other| *other > date.as_str());
    let mut list = Checklist::default();
    list.done.push(format!("imported: openapi/{date}.json"));
    for hint in report.to_string().lines().filter(|line| line.trim_end().ends_with('?')) {
        list.left.push(format!("decide: {}", hint.trim()));
    }
    if let Some(oldest) = known.entries().first() {
        let supplement = regen::Notes::read_or_empty(workspace)?.supplement;
        list.left.extend(supplement.in_doubt(&date, &oldest.date).into_iter().map(|doubt| format!("decide: {doubt}")));
    }
    summaries(workspace, &date, &mut list)?;
    listings(workspace, before, &date, &mut list)?;
    spoken(workspace, &mut list)?;
    blocks(workspace, before, &date, next, &mut list)?;
    shared_tests(workspace, before, &date, &mut list)?;
    wire(workspace, before, &date, &mut list)?;
    counts(workspace, &date, &mut list)?;
    let difference = compared(workspace, before, &date, &mut list)?;
    changelog::run(workspace, &diff::Sides { old: before, new: &date, date: None }, false)?;
    list.done.push("its entry is in CHANGELOG.md; words of ours go around the generated block".to_owned());
    generated(workspace, before, &date, options.compile, &mut list)?;
    if let Some(next) = next {
        step_starts_later(workspace, before, &date, next, &mut list)?;
    }
    finish(workspace, before, &date, &mut list)?;
    Ok(print(&report.to_string(), &difference, &list))
}

/// A stub for each operation without a summary: it is refused until somebody fills it in.
fn summaries(workspace: &Workspace, date: &str, list: &mut Checklist) -> Result<()> {
    let path = workspace.summaries();
    let mut text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let there: toml::Table = toml::from_str(&text).with_context(|| format!("{} cannot be read", path.display()))?;
    let document = document(workspace, date)?;
    let shared = regen::shared_ids(&document);
    let mut missing = Vec::new();
    for (path, method, _, operation) in operations(&document) {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
        let id = regen::canonical_id(id, path, &shared);
        let blank = there.get(&id).and_then(toml::Value::as_str).is_some_and(|text| text.trim().is_empty());
        if blank || !there.contains_key(&id) {
            if !blank {
                let _ = writeln!(text, "# {} {path}\n{id} = \"\"", method.to_uppercase());
            }
            missing.push(id);
        }
    }
    if missing.is_empty() {
        list.done.push("every operation has a summary".to_owned());
        return Ok(());
    }
    workspace.write_all([(path, text)])?;
    list.done.push(format!("{} stubs of summaries at the end of openapi/docs/operations.toml", missing.len()));
    list.left.push(format!(
        "write the summaries, in our words, of: {}; then run this command again, which goes on from here",
        missing.join(", ")
    ));
    Ok(())
}

/// The files that list every version, with what their lines look like: a line of the version before is repeated.
const LISTINGS: [(&str, &str); 5] = [
    ("cintx-raw/Cargo.toml", "v{date} = ["),
    ("cintx/Cargo.toml", "v{date} = ["),
    ("tests/Cargo.toml", "v{date} = ["),
    ("cintx/src/version.rs", "    \"v{date}\" V"),
    ("cintx/src/wire/mod.rs", "#[cfg(feature = \"v{date}\")]\nmod v"),
];

fn listings(workspace: &Workspace, before: &str, date: &str, list: &mut Checklist) -> Result<()> {
    for (file, mark) in LISTINGS {
        let path = workspace.root().join(file);
        let text = read(&path)?;
        let mark = |date: &str| mark.replace("{date}", date);
        if text.contains(&mark(date)) {
            continue;
        }
        let Some(start) = text.find(&mark(before)) else {
            list.left.push(format!("name {date} in {file}: it has no line that starts {:?}", mark(before)));
            continue;
        };
        let end = start + mark(before).len();
        let end = text[end..].find('\n').map_or(text.len(), |length| end + length + 1);
        let line = redated(&text[start..end], before, date);
        let mut new = text;
        new.insert_str(end, &line);
        workspace.write_all([(path, new)])?;
        list.done.push(format!("{date} is listed in {file}"));
    }
    Ok(())
}

/// The versions that the packages say they speak are those that are imported.
fn spoken(workspace: &Workspace, list: &mut Checklist) -> Result<()> {
    for file in check::SPEAKING {
        let path = workspace.root().join(file);
        let text = read(&path)?;
        match check::speaking(workspace, &text)? {
            Some(new) if new != text => {
                workspace.write_all([(path, new)])?;
                list.done.push(format!("the dated versions are in `package.metadata.cint` of {file}"));
            }
            Some(_) => {}
            None => list.left.push(format!("name the dated versions in `package.metadata.cint` of {file}")),
        }
    }
    Ok(())
}

/// A version between known ones: the step that led to the next one starts from it now.
fn step_starts_later(workspace: &Workspace, before: &str, date: &str, next: &str, list: &mut Checklist) -> Result<()> {
    let (was, is) = (format!("{before}-to-{next}"), format!("{date}-to-{next}"));
    if !workspace.root().join(format!("cintx-raw/src/v{}", date.replace('-', "_"))).is_dir() {
        // Nothing can be said of its code yet.
        return Ok(());
    }
    migration::run(workspace, date, next, false)?;
    list.done.push(format!("written: docs/migrations/{is}.md"));
    for (file, old, new) in [
        ("docs/book/SUMMARY.md".to_owned(), format!("[From {before} to {next}]"), format!("[From {date} to {next}]")),
        (format!("docs/book/to_{next}.md"), was.clone(), is.clone()),
        ("tests/src/lib.rs".to_owned(), was.clone(), is.clone()),
    ] {
        let path = workspace.root().join(&file);
        let text = read(&path)?;
        if !text.contains(&old) {
            continue;
        }
        let mut edited = text.replace(&old, &new);
        // The block of the page is compiled for the two versions that it is about.
        if let Some(start) = edited.find(&format!("/// The code of the migration page to {next} compiles")) {
            let end = edited[start..].find("\n\n").map_or(edited.len(), |length| start + length);
            let block = edited[start..end].replace(&format!("v{before}"), &format!("v{date}"));
            edited.replace_range(start..end, &block);
        }
        workspace.write_all([(path, edited)])?;
        list.done.push(format!("{file}: the step to {next} starts from {date}"));
    }
    let page = format!("docs/migrations/{was}.md");
    if workspace.root().join(&page).exists() {
        list.left.push(format!(
            "take the words of ours in {page} over into the pages of the two steps that stand in its place, then delete it"
        ));
    }
    Ok(())
}

/// What stands in a file once for each version, from its first line to a blank one.
const BLOCKS: [(&str, &str); 4] = [
    ("tests/tests/domain/golden/versions.rs", "#[cfg(feature = \"v{date}\")]\nimpl OwnCalls for cintx::V{marker} {\n"),
    ("tests/tests/answers/readings.rs", "#[cfg(feature = \"v{date}\")]\nimpl OwnReadings for cintx::V{marker} {\n"),
    ("tests/tests/answers/parameters.rs", "#[cfg(feature = \"v{date}\")]\nimpl OwnParameters for cintx::V{marker} {\n"),
    ("tests/src/lib.rs", "/// The code of the migration page to {date} compiles, before and after.\n"),
];

/// What a version has only that comes after all others.
const LATEST: (&str, &str) =
    ("tests/src/lib.rs", "#[cfg(feature = \"v{date}\")]\nimpl Latest for cintx::V{marker} {}\n");

/// Repeats the blocks of the version before. The migration page of the new step has its own.
fn blocks(workspace: &Workspace, before: &str, date: &str, next: Option<&str>, list: &mut Checklist) -> Result<()> {
    let latest = next.is_none().then_some(LATEST);
    for (file, mark) in BLOCKS.into_iter().chain(latest) {
        let path = workspace.root().join(file);
        let text = read(&path)?;
        let mark = |date: &str| mark.replace("{date}", date).replace("{marker}", &date.replace('-', "_"));
        if text.contains(&mark(date)) {
            continue;
        }
        let Some(start) = text.find(&mark(before)) else {
            list.left.push(format!("write in {file} for {date} what stands there for {before}"));
            continue;
        };
        let end = text[start..].find("\n\n").map_or(text.len(), |length| start + length + 1);
        let block = &text[start..end];
        // A step goes from one version to the next: both of its dates move on.
        let previous = dates(block).into_iter().find(|other| other != before);
        let mut block = redated(block, before, date);
        if let Some(previous) = previous {
            block = redated(&block, &previous, before);
        }
        let mut new = text.clone();
        new.insert_str(end, &format!("\n{block}"));
        workspace.write_all([(path, new)])?;
        list.done.push(format!("{date} has its block in {file}"));
    }
    Ok(())
}

/// Tests that are generic over versions, and compiled for some, are compiled for the new one, too. Once, before its
/// wire module is there: what was taken back by hand stays so.
fn shared_tests(workspace: &Workspace, before: &str, date: &str, list: &mut Checklist) -> Result<()> {
    if wire_folder(workspace, date).exists() {
        return Ok(());
    }
    let (old, new) = (format!("feature = \"v{before}\""), format!("feature = \"v{date}\""));
    let mut open = vec![workspace.root().join("tests/tests")];
    let mut changed = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = read(&path)?;
                let edited = compiled_for(&text, &old, &new);
                if edited != text {
                    changed.push((path, edited));
                }
            }
        }
    }
    if !changed.is_empty() {
        list.done.push(format!("{} files of tests/tests compile what is generic for {date}, too", changed.len()));
        workspace.write_all(changed)?;
    }
    Ok(())
}

/// The text with a feature added to the conditions of functions over `V`. What takes any version, and is compiled for
/// some, has its condition for another reason.
fn compiled_for(text: &str, old: &str, new: &str) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut edited = String::new();
    for (at, line) in lines.iter().enumerate() {
        let of_some = |next: &&str| next.contains("fn ") && next.contains("<V") && !next.contains("<V: Version>");
        let is_generic = lines.get(at + 1).is_some_and(of_some);
        let is_condition =
            line.starts_with("#[cfg(") && line.contains(old) && !line.contains(new) && !line.contains("all(");
        if !(is_generic && is_condition) {
            edited.push_str(line);
        } else if line.contains("any(") {
            edited.push_str(&line.replace(old, &format!("{old}, {new}")));
        } else {
            edited.push_str(&line.replace(old, &format!("any({old}, {new})")));
        }
    }
    edited
}

/// The dates that are written in a text.
fn dates(text: &str) -> Vec<String> {
    let word = text.split(|letter: char| !letter.is_ascii_digit() && letter != '-');
    word.map(|word| word.trim_matches('-'))
        .filter(|word| import::bare_date(word).as_deref() == Some(*word))
        .map(str::to_owned)
        .collect()
}

/// The same text about another date, in every form in which dates are written.
fn redated(text: &str, before: &str, date: &str) -> String {
    text.replace(before, date).replace(&before.replace('-', "_"), &date.replace('-', "_"))
}

fn wire_folder(workspace: &Workspace, date: &str) -> PathBuf {
    workspace.root().join(format!("cintx/src/wire/v{}", date.replace('-', "_")))
}

/// The wire module of a version starts as that of the version before.
fn wire(workspace: &Workspace, before: &str, date: &str, list: &mut Checklist) -> Result<()> {
    let (from, to) = (wire_folder(workspace, before), wire_folder(workspace, date));
    if to.exists() {
        return Ok(());
    }
    if !from.is_dir() {
        list.left.push(format!("write cintx/src/wire for {date}: there is none of {before} to start from"));
        return Ok(());
    }
    let mut files = Vec::new();
    let mut open = vec![from.clone()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let target = to.join(path.strip_prefix(&from)?);
                files.push((target, redated(&read(&path)?, before, date)));
            }
        }
    }
    let count = files.len();
    workspace.write_all(files)?;
    list.done.push(format!("cintx/src/wire: {count} files of {before} copied for {date}"));
    list.left.push(format!(
        "files of cintx/src/wire that {before} and {date} have alike move to `common/`; what differs stays in its folder"
    ));
    Ok(())
}

/// The number of operations that the tests hold the version to.
fn counts(workspace: &Workspace, date: &str, list: &mut Checklist) -> Result<()> {
    let path = workspace.root().join("tests/tests/table.rs");
    let text = read(&path)?;
    if text.contains(&format!("(\"{date}\", ")) {
        return Ok(());
    }
    let document = document(workspace, date)?;
    let (count, _) = import::counts(&document);
    let elsewhere = |item: &serde_json::Map<String, Value>| item.contains_key("servers");
    let fulfilment =
        operations(&document).filter(|(_, _, item, operation)| elsewhere(item) || elsewhere(operation)).count();
    let head = "const COUNTS: [(&str, usize, usize); ";
    let edited = text.find(head).and_then(|start| {
        let number = start + head.len();
        let number_end = number + text[number..].find(']')?;
        let versions: usize = text[number..number_end].parse().ok()?;
        let close = number_end + text[number_end..].find("];")?;
        let (first, rows) = (&text[..number], text[number_end..close].trim_end().trim_end_matches(','));
        Some(format!("{first}{}{rows}, (\"{date}\", {count}, {fulfilment}){}", versions + 1, &text[close..]))
    });
    match edited {
        Some(edited) => {
            workspace.write_all([(path, edited)])?;
            list.done.push(format!(
                "{count} operations, {fulfilment} of them for fulfilment, in COUNTS of tests/tests/table.rs"
            ));
        }
        None => list.left.push(format!("add (\"{date}\", {count}, {fulfilment}) to COUNTS of tests/tests/table.rs")),
    }
    Ok(())
}

/// What changed since the version before, as things to look at.
fn compared(workspace: &Workspace, before: &str, date: &str, list: &mut Checklist) -> Result<String> {
    let (old, new) = (document(workspace, before)?, document(workspace, date)?);
    let difference = guarded::run(|| diff::between((before, &old), (date, &new))).map_err(anyhow::Error::msg)?;
    for id in &difference.lost {
        match named_in(workspace, date, std::slice::from_ref(id))? {
            Some(places) => list.left.push(format!(
                "{id} is gone: take it out of the wire module of {date}; an area that it leaves empty goes from `mod.rs`, and the version then lacks the capability: `Latest` in tests/src/lib.rs names it no more, and what tests call of it goes from functions over `Latest` to the version that has it; its diagnostic in cintx/src advises the clients that have it{places}"
            )),
            None => list.done.push(format!("{id} is gone, and the wire module of {date} does not call it")),
        }
    }
    let places = |names: &[String]| -> Result<String> {
        let wire = named_in(workspace, date, names)?;
        let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        let simulated = files_with(workspace, &["cintx-sandbox/src"], &quoted)?;
        let simulated = match simulated.is_empty() {
            true => String::new(),
            false => format!("; the simulated Exchange has it in {}", simulated.join(", ")),
        };
        Ok(wire.unwrap_or_else(|| "; nothing in its wire module names it".to_owned()) + &simulated)
    };
    let breaks = |change: &&Change| change.worst() == Effect::Compilation && !difference.lost.contains(&change.subject);
    for change in difference.changes.iter().filter(breaks) {
        list.left.push(format!("{}: {}{}", change.subject, change.what, places(&words(change))?));
    }
    let new_operations = difference
        .changes
        .iter()
        .filter(|change| change.worst() == Effect::Additive && change.what.ends_with(" is new"));
    for change in new_operations.filter(|change| change.what.starts_with("POST ")) {
        list.left.push(format!(
            "{}: {}; if it only reads, or starts a job whose status is elsewhere, openapi/supplement.toml must say so",
            change.subject, change.what
        ));
    }
    for change in difference.changes.iter().filter(|change| change.is_silent()) {
        list.left.push(format!("no compiler sees this: {}: {}", change.subject, change.what));
    }
    Ok(difference.summary())
}

/// The names that a change is about, as code may have them: an operation, a field, a value as a variant.
fn words(change: &Change) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = change.what.as_str();
    while let Some((_, after)) = rest.split_once(['`', '"']) {
        let Some((word, next)) = after.split_once(['`', '"']) else { break };
        found.push(word.to_owned());
        found.push(word.to_upper_camel_case());
        rest = next;
    }
    match change.subject.split_once(", ") {
        Some((operation, _)) => found.push(operation.to_owned()),
        None => found.extend(change.subject.rsplit('.').next().map(|field| field.trim_matches(['[', ']']).to_owned())),
    }
    found
}

/// The files below the wire's folder that are neither a version's nor shared by those that list them.
fn for_every_version(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match path.is_dir() {
            true if name == "common" || name.starts_with("v20") => {}
            true => files.extend(for_every_version(&path)?),
            false if path.extension().is_some_and(|it| it == "rs") => files.push(path),
            false => {}
        }
    }
    Ok(files)
}

/// The files that have one of the names: of a version's wire module, of `common/` as far as it lists them, and those
/// that write for every version.
fn named_in(workspace: &Workspace, date: &str, names: &[String]) -> Result<Option<String>> {
    let wire = workspace.root().join("cintx/src/wire");
    let own = wire.join(format!("v{}", date.replace('-', "_")));
    let Ok(list) = fs::read_to_string(own.join("mod.rs")) else { return Ok(None) };
    let mut files: Vec<PathBuf> = fs::read_dir(&own)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    let shared = list.lines().filter_map(|line| line.strip_prefix("#[path = \"../common/")?.strip_suffix("\"]"));
    files.extend(shared.map(|name| wire.join("common").join(name)));
    files.extend(for_every_version(&wire)?);
    files.push(workspace.root().join("cintx/src/recovery/compare.rs"));
    files.sort();
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_file()) {
        let text = read(file)?;
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if text
            .split(|letter| !is_word(letter))
            .any(|word| names.iter().any(|name| name == word.strip_suffix("_with").unwrap_or(word)))
        {
            found.push(file.strip_prefix(workspace.root()).unwrap_or(file).display().to_string());
        }
    }
    Ok((!found.is_empty()).then(|| format!("; named in {}", found.join(", "))))
}

/// The Rust files below some folders that have one of the texts, comments aside.
fn files_with(workspace: &Workspace, folders: &[&str], texts: &[String]) -> Result<Vec<String>> {
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| workspace.root().join(folder)).collect();
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let has = |line: &str| {
                    !line.trim_start().starts_with("//") && texts.iter().any(|text| line.contains(text.as_str()))
                };
                if read(&path)?.lines().any(has) {
                    found.push(path.strip_prefix(workspace.root()).unwrap_or(&path).display().to_string());
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Generates, writes the migration page, and asks the compiler, as far as the stubs allow.
fn generated(workspace: &Workspace, before: &str, date: &str, compile: bool, list: &mut Checklist) -> Result<()> {
    let only = regen::Options { dates: vec![date.to_owned()], ..regen::Options::default() };
    match regen::run(workspace, &only) {
        Ok(_) => list.done.push(format!("generated: cintx-raw/src/v{}", date.replace('-', "_"))),
        Err(error) => {
            list.left.push(format!("the code is not generated yet: {error:#}"));
            return Ok(());
        }
    }
    let (page, _) = migration::run(workspace, before, date, false)?;
    book(workspace, before, date, list)?;
    let page = page.strip_prefix(workspace.root()).unwrap_or(&page).display().to_string();
    list.done.push(format!("written: {page}"));
    if let Err(error) = migration::run(workspace, before, date, true) {
        list.left.push(format!("{error:#}; then run this command again"));
    }
    list.left.push(format!("add words of ours to {page}, outside of the generated blocks"));
    if compile {
        for error in compiler(workspace, date)? {
            list.left.push(format!("the compiler: {error}"));
        }
    }
    Ok(())
}

/// The migration page is a page of the book.
fn book(workspace: &Workspace, before: &str, date: &str, list: &mut Checklist) -> Result<()> {
    let folder = workspace.root().join("docs/book");
    let summary = read(&folder.join("SUMMARY.md"))?;
    let line = format!("- [From {before} to {date}](to_{date}.md)\n");
    if summary.contains(&line) {
        return Ok(());
    }
    let mark = format!("(to_{before}.md)\n");
    let Some(end) = summary.find(&mark).map(|start| start + mark.len()) else {
        list.left.push(format!("name the migration page in docs/book/SUMMARY.md: {}", line.trim()));
        return Ok(());
    };
    let (earlier, later) = summary.split_at(end);
    workspace.write_all([
        (folder.join("SUMMARY.md"), format!("{earlier}{line}{later}")),
        (folder.join(format!("to_{date}.md")), format!("{{{{#include ../migrations/{before}-to-{date}.md}}}}\n")),
    ])?;
    list.done.push(format!("docs/book/to_{date}.md is in the book"));
    Ok(())
}

/// What the compiler says about the version alone, a line for each error: of the library, and once that compiles, of
/// the tests.
fn compiler(workspace: &Workspace, date: &str) -> Result<Vec<String>> {
    for (package, targets) in [("cintx", "--lib"), ("cintx-tests", "--tests")] {
        let output = Command::new(env!("CARGO"))
            .current_dir(workspace.root())
            .args(["check", "--quiet", "--keep-going", "--package", package, targets, "--no-default-features"])
            .args(["--message-format", "short", "--features", &format!("v{date}")])
            .output()
            .context("cannot run cargo check")?;
        if output.status.success() {
            continue;
        }
        let text = String::from_utf8_lossy(&output.stderr);
        let errors = compile_errors(&text);
        ensure!(!errors.is_empty(), "cargo check failed: {text}");
        return Ok(errors);
    }
    Ok(Vec::new())
}

/// The errors among what the compiler prints in its short form, each once: `PLACE: error[CODE]: MESSAGE`.
fn compile_errors(output: &str) -> Vec<String> {
    let is_error = |line: &&str| {
        let level = line.split_once(": ").map_or(*line, |(_, rest)| rest);
        line.starts_with("error") || level.starts_with("error")
    };
    let mut errors: Vec<String> = output.lines().filter(is_error).map(str::to_owned).collect();
    errors.dedup();
    errors
}

/// What is left at the end of each new version.
fn finish(workspace: &Workspace, before: &str, date: &str, list: &mut Checklist) -> Result<()> {
    let by_name = files_with(workspace, &["tests/tests", "cintx-sandbox/src"], &[format!("\"{before}\"")])?;
    if !by_name.is_empty() {
        list.left.push(format!("see whether what asks for {before} by name means {date}, too: {}", by_name.join(", ")));
    }
    list.left.push(format!(
        "reviewed lists: `= {date} COUNT` and {date} behind the lines of {before} in tests/tests/answers/unread.txt; {date} beside {before}, and COUNTS, in tests/tests/answers/raw_only.rs (which gives the reason of a new operation that no call sends), tests/tests/answers/parameters.rs and tests/tests/domain/golden/never_sent.rs"
    ));
    list.left.extend([
        format!("`cargo clippy -p cintx --no-default-features --features v{date} -- -D warnings`, until it is silent"),
        format!("decide whether {date} is the default: `default` in cintx/Cargo.toml, cintx-raw/Cargo.toml, tests/Cargo.toml"),
        format!("name it where {before} is named in words: README.md, cintx/src/lib.rs, cintx/guide/versions.md, cintx/guide/calls.md"),
        format!(
            "`cargo test -p cintx-tests --no-default-features --features v{date} --no-fail-fast`: what the simulated Exchange answers, and what tests say of dates"
        ),
        "`INSTA_UPDATE=always TRYBUILD=overwrite cargo test -p xtask -p cintx -p cintx-tests`; read what it wrote".to_owned(),
        "`CINTX_WRITE_GUIDE=1 cargo test -p cintx-tests --test structure`: the guide's table of capabilities".to_owned(),
        "`cargo xtask ci`".to_owned(),
    ]);
    Ok(())
}

fn print(report: &str, difference: &str, list: &Checklist) -> String {
    let mut text = format!("{report}\n\n{difference}\n\nDone:");
    for item in &list.done {
        let _ = write!(text, "\n  [x] {item}");
    }
    text.push_str("\n\nLeft to do, in this order:");
    for item in &list.left {
        let _ = write!(text, "\n  [ ] {item}");
    }
    text
}

fn document(workspace: &Workspace, date: &str) -> Result<Value> {
    Ok(serde_json::from_str(&read(&workspace.document(date))?)?)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{KENNELS, Temporary};

    /// A warning is none, though the file or what is said has the word.
    #[test]
    fn only_errors_are_errors() {
        let output = "\
            cintx/src/error/mod.rs:4:5: warning: unused import: `error`\n\
            cintx/src/wire/v2031_05_06/mod.rs:9:1: error[E0425]: cannot find value `dog`\n\
            cintx/src/wire/v2031_05_06/mod.rs:9:1: error[E0425]: cannot find value `dog`\n\
            cintx/src/error/mod.rs:7:2: error: expected `;`\n\
            error: could not compile `cintx` (lib) due to 2 previous errors\n";
        let found = compile_errors(output);
        let starts: Vec<&str> = found.iter().filter_map(|line| line.split(": ").nth(1)).collect();
        assert_eq!(starts, ["error[E0425]", "error", "could not compile `cintx` (lib) due to 2 previous errors"]);
    }

    /// The small document with the files that list its version.
    fn listed() -> Temporary {
        let at = Temporary::with_kennels();
        let files = [
            (
                "docs/book/SUMMARY.md",
                "- [From 2030-01-01 to 2031-05-06](to_2031-05-06.md)\n- [Decisions](decisions.md)\n",
            ),
            ("CHANGELOG.md", "# Changelog\n\n## Unreleased\n"),
            (
                "cintx-raw/Cargo.toml",
                "[package.metadata.cint]\ndocuments = [\"2031-05-06\"]\n\n[features]\nv2031-05-06 = [\"_generated\"]\n_generated = []\n",
            ),
            (
                "cintx/Cargo.toml",
                "[package.metadata.cint]\ndocuments = [\"2031-05-06\"]\n\n[features]\nv2031-05-06 = [\"cintx-raw/v2031-05-06\"]\n",
            ),
            ("tests/Cargo.toml", "[features]\nv2031-05-06 = [\"cintx/v2031-05-06\", \"cintx-raw/v2031-05-06\"]\n"),
            ("cintx/src/version.rs", "versions! {\n    \"v2031-05-06\" V2031_05_06 \"2031-05-06\",\n}\n"),
            (
                "cintx/src/wire/mod.rs",
                "#[cfg(feature = \"v2031-05-06\")]\nmod v2031_05_06;\npub(crate) mod webhooks;\n",
            ),
            ("cintx-sandbox/src/dogs.rs", "// \"playful\" dogs\nlet answer = \"add_dog\";\n"),
            ("tests/tests/dogs.rs", "V::DATE == \"2031-05-06\"\n"),
            ("cintx/src/wire/kennels.rs", "json!({ \"add_dog\": 1 })\n"),
            ("cintx/src/wire/v2031_05_06/dogs.rs", "raw.add_dog_with(&params).await\n"),
            ("cintx/src/wire/v2031_05_06/mod.rs", "//! 2031-05-06 on the wire.\nuse cintx_raw::v2031_05_06 as raw;\n"),
            (
                "tests/tests/domain/golden/versions.rs",
                "#[cfg(feature = \"v2031-05-06\")]\nimpl OwnCalls for cintx::V2031_05_06 {\n    // Its calls.\n}\n",
            ),
            (
                "tests/tests/answers/readings.rs",
                "#[cfg(feature = \"v2031-05-06\")]\nimpl OwnReadings for cintx::V2031_05_06 {\n}\n\n#[cfg(feature = \"v2031-05-06\")]\nfn newest<V>() {}\n",
            ),
            (
                "tests/tests/answers/parameters.rs",
                "#[cfg(feature = \"v2031-05-06\")]\nimpl OwnParameters for cintx::V2031_05_06 {\n}\n\n#[cfg(feature = \"v2031-05-06\")]\nfn example<V: Version>() {}\n",
            ),
            (
                "tests/src/lib.rs",
                "#[cfg(feature = \"v2031-05-06\")]\nimpl Latest for cintx::V2031_05_06 {}\n\n/// The code of the migration page to 2031-05-06 compiles, before and after.\n#[cfg(feature = \"v2030-01-01\")]\n#[doc = \"2030-01-01-to-2031-05-06\"]\npub struct To2031_05_06;\n",
            ),
            ("tests/tests/table.rs", "const COUNTS: [(&str, usize, usize); 1] = [(\"2031-05-06\", 3, 0)];\n"),
        ];
        for (path, text) in files {
            let path = at.workspace.root().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        regen::run(&at.workspace, &regen::Options::default()).unwrap();
        at
    }

    fn new_version(at: &Temporary, text: &str) -> Result<String> {
        let file = at.download("newer.yaml", text);
        run(&at.workspace, &Options { file, import: import::Options::default(), compile: false })
    }

    #[test]
    fn a_new_version_is_listed_everywhere_and_the_rest_is_named() {
        let at = listed();
        let newer = KENNELS.replace("2031-05-06", "2032-01-01").replace("operationId: addDog", "operationId: adoptDog");
        let list = new_version(&at, &newer).unwrap();
        for said in [
            "[x] imported: openapi/2032-01-01.json",
            "[ ] write the summaries, in our words, of: adopt_dog",
            "openapi/docs/operations.toml has no summary of: adopt_dog",
            "[ ] adopt_dog: the method is `adopt_dog` and was `add_dog`; named in cintx/src/wire/kennels.rs, cintx/src/wire/v2032_01_01/dogs.rs; the simulated Exchange has it in cintx-sandbox/src/dogs.rs",
            "asks for 2031-05-06 by name means 2032-01-01, too: tests/tests/dogs.rs",
            "2032-01-01 beside 2031-05-06, and COUNTS, in tests/tests/answers/raw_only.rs",
            "cargo test -p cintx-tests --no-default-features --features v2032-01-01",
            "1 break compilation",
        ] {
            assert!(list.contains(said), "{said:?} is not in {list}");
        }
        let read = |file: &str| fs::read_to_string(at.workspace.root().join(file)).unwrap();
        assert!(read("cintx/Cargo.toml").ends_with("v2032-01-01 = [\"cintx-raw/v2032-01-01\"]\n"));
        assert!(read("cintx/Cargo.toml").contains("documents = [\"2031-05-06\", \"2032-01-01\"]"), "it speaks both");
        assert!(read("cintx/src/version.rs").contains("    \"v2032-01-01\" V2032_01_01 \"2032-01-01\",\n}"));
        assert!(
            read("cintx/src/wire/mod.rs")
                .contains("#[cfg(feature = \"v2032-01-01\")]\nmod v2032_01_01;\npub(crate) mod webhooks")
        );
        assert_eq!(
            read("cintx/src/wire/v2032_01_01/mod.rs"),
            "//! 2032-01-01 on the wire.\nuse cintx_raw::v2032_01_01 as raw;\n"
        );
        assert_eq!(
            read("tests/tests/table.rs"),
            "const COUNTS: [(&str, usize, usize); 2] = [(\"2031-05-06\", 3, 0), (\"2032-01-01\", 3, 0)];\n"
        );
        assert!(read("tests/tests/domain/golden/versions.rs").contains("}\n\n#[cfg(feature = \"v2032-01-01\")]\nimpl"));
        let shared = read("tests/tests/answers/readings.rs");
        assert!(
            shared.contains("#[cfg(any(feature = \"v2031-05-06\", feature = \"v2032-01-01\"))]\nfn newest<V>() {}")
        );
        let own = read("tests/tests/answers/parameters.rs");
        assert!(
            own.contains("#[cfg(feature = \"v2032-01-01\")]\nimpl OwnParameters for cintx::V2032_01_01 {\n}"),
            "{own}"
        );
        let any = "#[cfg(feature = \"v2031-05-06\")]\nfn example<V: Version>() {}\n";
        assert!(own.ends_with(any), "what takes any version is compiled for some on another account: {own}");
        assert!(read("tests/src/lib.rs").contains("impl Latest for cintx::V2032_01_01 {}\n\n/// The code"));
        assert!(read("tests/src/lib.rs").ends_with(
            "#[cfg(feature = \"v2031-05-06\")]\n#[doc = \"2031-05-06-to-2032-01-01\"]\npub struct To2032_01_01;\n"
        ));
        let stubs = read("openapi/docs/operations.toml");
        assert!(stubs.ends_with("# POST /kennels/{kennel_id}/dogs\nadopt_dog = \"\"\n"), "{stubs}");

        // The stub is filled in, and the rest goes by itself.
        fs::write(at.workspace.summaries(), stubs.replace("adopt_dog = \"\"", "adopt_dog = \"Takes a dog in.\""))
            .unwrap();
        let list = new_version(&at, &newer).unwrap();
        assert!(list.contains("[x] generated: cintx-raw/src/v2032_01_01"), "{list}");
        assert!(!list.contains("summaries, in our words"), "{list}");
        assert!(read("cintx-raw/src/v2032_01_01/client/dogs.rs").contains("pub async fn adopt_dog"));
        assert_eq!(
            read("docs/book/SUMMARY.md"),
            "- [From 2030-01-01 to 2031-05-06](to_2031-05-06.md)\n- [From 2031-05-06 to 2032-01-01](to_2032-01-01.md)\n- [Decisions](decisions.md)\n"
        );
        assert_eq!(read("docs/book/to_2032-01-01.md"), "{{#include ../migrations/2031-05-06-to-2032-01-01.md}}\n");
        // A test is taken back by hand.
        let path = at.workspace.root().join("tests/tests/answers/readings.rs");
        let back = fs::read_to_string(&path)
            .unwrap()
            .replace("any(feature = \"v2031-05-06\", feature = \"v2032-01-01\")", "feature = \"v2031-05-06\"");
        fs::write(&path, back).unwrap();
        let before = at.bytes();
        new_version(&at, &newer).unwrap();
        assert!(at.bytes() == before, "what is there already stays as it is");
    }

    #[test]
    fn a_version_of_the_same_shape_needs_no_hand() {
        let at = listed();
        let list = new_version(&at, &KENNELS.replace("2031-05-06", "2032-01-01")).unwrap();
        for said in [
            "[x] every operation has a summary",
            "[x] generated: cintx-raw/src/v2032_01_01",
            "[x] written: docs/migrations/",
        ] {
            assert!(list.contains(said), "{said:?} is not in {list}");
        }
        let other = KENNELS.replace("2031-05-06", "2032-01-01").replace("[calm, playful]", "[calm, sleepy]");
        let error = new_version(&at, &other).unwrap_err().to_string();
        assert!(error.contains("changed in place"), "{error}");
    }

    /// One between known ones has two steps, and is the latest of nothing.
    #[test]
    fn a_version_between_known_ones_has_the_step_to_the_next_one() {
        let at = listed();
        let rules = "[[key]]\nfrom = '2032-01-01'\noperations = ['add_dog']\nformat = 'ulid'\nreason = 'r'\n";
        fs::write(at.workspace.supplement(), rules).unwrap();
        new_version(&at, &KENNELS.replace("2031-05-06", "2032-01-01")).unwrap();
        let between = KENNELS.replace("2031-05-06", "2031-09-01");
        for _ in 0..2 {
            let list = new_version(&at, &between).unwrap();
            for said in [
                "[x] written: docs/migrations/2031-09-01-to-2032-01-01.md",
                "[ ] take the words of ours in docs/migrations/2031-05-06-to-2032-01-01.md over",
                "[ ] decide: the rule `key` from 2032-01-01 of openapi/supplement.toml begins after 2031-09-01",
            ] {
                assert!(list.contains(said), "{said:?} is not in {list}");
            }
        }
        let read = |file: &str| fs::read_to_string(at.workspace.root().join(file)).unwrap();
        assert!(at.workspace.root().join("docs/migrations/2031-05-06-to-2031-09-01.md").exists());
        assert_eq!(read("docs/book/to_2032-01-01.md"), "{{#include ../migrations/2031-09-01-to-2032-01-01.md}}\n");
        assert_eq!(
            read("docs/book/SUMMARY.md"),
            "- [From 2030-01-01 to 2031-05-06](to_2031-05-06.md)\n- [From 2031-05-06 to 2031-09-01](to_2031-09-01.md)\n- [From 2031-09-01 to 2032-01-01](to_2032-01-01.md)\n- [Decisions](decisions.md)\n"
        );
        let tests = read("tests/src/lib.rs");
        assert!(!tests.contains("impl Latest for cintx::V2031_09_01"), "{tests}");
        let block = |from: &str, to: &str| {
            let name = to.replace('-', "_");
            format!("#[cfg(feature = \"v{from}\")]\n#[doc = \"{from}-to-{to}\"]\npub struct To{name};\n")
        };
        for step in [("2031-05-06", "2031-09-01"), ("2031-09-01", "2032-01-01")] {
            assert!(tests.contains(&block(step.0, step.1)), "{step:?}: {tests}");
        }
        assert_eq!(tests.matches("pub struct To").count(), 3, "{tests}");
        // The question is asked until it is answered.
        fs::write(at.workspace.supplement(), rules.replace("reason", "not_yet = ['2031-09-01']\nreason")).unwrap();
        assert!(!new_version(&at, &between).unwrap().contains("decide: the rule"));
        migration::run(&at.workspace, "2031-05-06", "2031-09-01", true).unwrap();
        assert!(check::run(&at.workspace, &["migrations".to_owned(), "documents".to_owned()], false).is_ok());
    }
}
