//! `cargo xtask new-version`: everything about a new dated version that needs no thought, and a checklist of the rest.
//! Each step can be repeated: what is there already stays as it is.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::diff::{self, Effect};
use crate::document::index::Index;
use crate::document::tree::operations;
use crate::workspace::Workspace;
use crate::{guarded, import, migration, regen};

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
    let report = import::run(workspace, &options.file, &options.import)?;
    let index = Index::read(&workspace.index())?;
    let date = report_date(&known, &index)?;
    let newest = known.entries().iter().map(|entry| entry.date.as_str()).filter(|other| *other < date.as_str()).max();
    let Some(before) = newest.or_else(|| known.entries().first().map(|entry| entry.date.as_str())) else {
        bail!("there is no version to start from; import a first one by hand");
    };
    let mut list = Checklist::default();
    list.done.push(format!("imported: openapi/{date}.json"));
    for hint in report.to_string().lines().filter(|line| line.trim_end().ends_with('?')) {
        list.left.push(format!("decide: {}", hint.trim()));
    }
    summaries(workspace, &date, &mut list)?;
    listings(workspace, before, &date, &mut list)?;
    wire(workspace, before, &date, &mut list)?;
    counts(workspace, &date, &mut list)?;
    let difference = compared(workspace, before, &date, &mut list)?;
    generated(workspace, before, &date, options.compile, &mut list)?;
    finish(before, &date, &mut list);
    Ok(print(&report.to_string(), &difference, &list))
}

/// The date that the index has now and had not.
fn report_date(before: &Index, after: &Index) -> Result<String> {
    let new = after.entries().iter().find(|entry| before.get(&entry.date).is_none());
    match new {
        Some(entry) => Ok(entry.date.clone()),
        None => bail!(
            "this date was imported before, and has been imported again: follow \"a dated document that changed in place\" in CONTRIBUTING.md"
        ),
    }
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
    list.left.push(format!("write the summaries, in our words, of: {}", missing.join(", ")));
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

/// The same text about another date, in every form in which dates are written.
fn redated(text: &str, before: &str, date: &str) -> String {
    text.replace(before, date).replace(&before.replace('-', "_"), &date.replace('-', "_"))
}

/// The wire module of a version starts as that of the version before.
fn wire(workspace: &Workspace, before: &str, date: &str, list: &mut Checklist) -> Result<()> {
    let folder = |date: &str| workspace.root().join(format!("cintx/src/wire/v{}", date.replace('-', "_")));
    let (from, to) = (folder(before), folder(date));
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
        list.left.push(format!("{id} is gone: take it out of the wire module, or make it an area that {date} lacks"));
    }
    for (old, new) in &difference.moved {
        let renamed = if old == new { String::new() } else { format!(", and is {new} now") };
        list.left.push(format!("{old} moved{renamed}: see that retries and journals know it under its new place"));
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
    for change in difference.changes.iter().filter(|change| change.worst() == Effect::Behaviour) {
        list.left.push(format!("no compiler sees this: {}: {}", change.subject, change.what));
    }
    Ok(difference.summary())
}

/// Generates, writes the migration page, and asks the compiler, as far as the stubs allow.
fn generated(workspace: &Workspace, before: &str, date: &str, compile: bool, list: &mut Checklist) -> Result<()> {
    let only = regen::Options { dates: vec![date.to_owned()], ..regen::Options::default() };
    match regen::run(workspace, &only) {
        Ok(_) => list.done.push(format!("generated: cintx-raw/src/v{}", date.replace('-', "_"))),
        Err(error) => {
            list.left.push(format!("then `cargo xtask regen`, which says now: {error:#}"));
            list.left.push(format!("then `cargo xtask migration {before} {date}`, and words of ours in the page"));
            return Ok(());
        }
    }
    let (page, _) = migration::run(workspace, before, date, false)?;
    let page = page.strip_prefix(workspace.root()).unwrap_or(&page).display().to_string();
    list.done.push(format!("written: {page}"));
    list.left.push(format!("add words of ours to {page}, outside of the generated blocks"));
    if compile {
        for error in compiler(workspace, date)? {
            list.left.push(format!("the compiler: {error}"));
        }
    }
    Ok(())
}

/// What the compiler says about the version alone, a line for each error.
fn compiler(workspace: &Workspace, date: &str) -> Result<Vec<String>> {
    let features = format!("v{date}");
    let output = Command::new(env!("CARGO"))
        .current_dir(workspace.root())
        .args([
            "check",
            "--quiet",
            "--package",
            "cintx",
            "--no-default-features",
            "--message-format",
            "short",
            "--features",
            &features,
        ])
        .output()
        .context("cannot run cargo check")?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let errors: Vec<String> = text.lines().filter(|line| line.contains("error")).map(str::to_owned).collect();
    ensure!(output.status.success() || !errors.is_empty(), "cargo check failed: {text}");
    Ok(errors)
}

/// What is left at the end of each new version.
fn finish(before: &str, date: &str, list: &mut Checklist) {
    list.left.extend([
        format!("`cargo clippy -p cintx --no-default-features --features v{date} -- -D warnings`, until it is silent"),
        format!("decide whether {date} is the default: `default` in cintx/Cargo.toml, cintx-raw/Cargo.toml, tests/Cargo.toml"),
        format!("name it where {before} is named in words: README.md, cintx/src/lib.rs, cintx/guide/versions.md, CHANGELOG.md"),
        "`INSTA_UPDATE=always TRYBUILD=overwrite cargo test -p xtask -p cintx -p cintx-tests`; read what it wrote".to_owned(),
        "`cargo xtask ci`".to_owned(),
    ]);
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

    /// The small document with the files that list its version.
    fn listed() -> Temporary {
        let at = Temporary::with_kennels();
        let files = [
            ("cintx-raw/Cargo.toml", "[features]\nv2031-05-06 = [\"_generated\"]\n_generated = []\n"),
            ("cintx/Cargo.toml", "[features]\nv2031-05-06 = [\"cintx-raw/v2031-05-06\"]\n"),
            ("tests/Cargo.toml", "[features]\nv2031-05-06 = [\"cintx/v2031-05-06\", \"cintx-raw/v2031-05-06\"]\n"),
            ("cintx/src/version.rs", "versions! {\n    \"v2031-05-06\" V2031_05_06 \"2031-05-06\",\n}\n"),
            (
                "cintx/src/wire/mod.rs",
                "#[cfg(feature = \"v2031-05-06\")]\nmod v2031_05_06;\npub(crate) mod webhooks;\n",
            ),
            ("cintx/src/wire/v2031_05_06/mod.rs", "//! 2031-05-06 on the wire.\nuse cintx_raw::v2031_05_06 as raw;\n"),
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
            "1 break compilation",
        ] {
            assert!(list.contains(said), "{said:?} is not in {list}");
        }
        let read = |file: &str| fs::read_to_string(at.workspace.root().join(file)).unwrap();
        assert!(read("cintx/Cargo.toml").ends_with("v2032-01-01 = [\"cintx-raw/v2032-01-01\"]\n"));
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
        let stubs = read("openapi/docs/operations.toml");
        assert!(stubs.ends_with("# POST /kennels/{kennel_id}/dogs\nadopt_dog = \"\"\n"), "{stubs}");

        // The stub is filled in, and the rest goes by itself.
        fs::write(at.workspace.summaries(), stubs.replace("adopt_dog = \"\"", "adopt_dog = \"Takes a dog in.\""))
            .unwrap();
        regen::run(&at.workspace, &regen::Options::default()).unwrap();
        assert!(read("cintx-raw/src/v2032_01_01/client/dogs.rs").contains("pub async fn adopt_dog"));
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
        let error = new_version(&at, &KENNELS.replace("2031-05-06", "2032-01-01")).unwrap_err().to_string();
        assert!(error.contains("changed in place"), "{error}");
    }
}
