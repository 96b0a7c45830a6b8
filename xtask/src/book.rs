//! `cargo xtask book`: the book, from the pages of `docs/book`, which take in the guide and the documents of the
//! repository. Nothing is written twice; links into the code become links to its documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::workspace::Workspace;

const SOURCES: &str = "docs/book";
const MADE: &str = "target/book";
const API: &str = "https://docs.rs/cintx/latest/cintx/";
const REPOSITORY: &str = "https://github.com/cintx/cintx/blob/main/";

/// Puts the book together; builds it where mdBook is installed. Answers what was done.
pub(crate) fn run(workspace: &Workspace) -> Result<String> {
    let pages = pages(workspace.root())?;
    let count = pages.len();
    let folder = workspace.root().join(MADE);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {MADE}"))?;
    }
    let settings = read(&workspace.root().join(SOURCES).join("book.toml"))?;
    let files = pages.into_iter().map(|(name, text)| (folder.join("src").join(name), text));
    workspace.write_all(files.chain([(folder.join("book.toml"), settings)]))?;
    match Command::new("mdbook").arg("build").arg(&folder).status() {
        Ok(status) if status.success() => Ok(format!("{count} pages in {MADE}/book")),
        Ok(status) => bail!("mdbook: {status}"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(format!("{count} pages in {MADE}/src; mdBook is not installed, so they stay Markdown"))
        }
        Err(error) => Err(error).context("mdbook"),
    }
}

/// The pages of the book by their file names, with SUMMARY.md, ready for mdBook.
fn pages(root: &Path) -> Result<BTreeMap<String, String>> {
    let folder = root.join(SOURCES);
    let summary = read(&folder.join("SUMMARY.md"))?;
    let listed: Vec<String> = links(&summary).into_iter().map(str::to_owned).collect();
    let distinct: BTreeSet<&String> = listed.iter().collect();
    ensure!(distinct.len() == listed.len(), "{SOURCES}/SUMMARY.md lists a page twice");
    for entry in fs::read_dir(&folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let is_page = name.ends_with(".md") && name != "SUMMARY.md";
        ensure!(!is_page || listed.contains(&name), "{SOURCES}/{name} is not in SUMMARY.md");
    }
    // Which page shows which file: links between files become links between pages.
    let mut shown = BTreeMap::new();
    let mut parts = BTreeMap::new();
    for name in &listed {
        let found = included(&folder, name)?;
        for (file, _) in &found {
            shown.entry(file.clone()).or_insert_with(|| name.clone());
        }
        parts.insert(name.clone(), found);
    }
    let mut pages = BTreeMap::from([("SUMMARY.md".to_owned(), summary)]);
    for (name, parts) in parts {
        let mut text = String::new();
        let mut fenced = false;
        for (file, part) in parts {
            match file.extension().is_some_and(|extension| extension == "md") {
                true => text.push_str(&linked(root, &file, &part, &shown, &mut fenced)?),
                false => text.push_str(&part),
            }
        }
        pages.insert(name, text);
    }
    Ok(pages)
}

/// A page as parts, each with the file that it comes from; a line `{{#include PATH}}` is the whole of a file,
/// `{{#include PATH:HEADING}}` its section of that heading.
fn included(folder: &Path, name: &str) -> Result<Vec<(PathBuf, String)>> {
    let own = folder.join(name);
    let mut parts = vec![(own.clone(), String::new())];
    for line in read(&own)?.split_inclusive('\n') {
        let Some(what) = line.trim().strip_prefix("{{#include ").and_then(|rest| rest.strip_suffix("}}")) else {
            match parts.last_mut() {
                Some((file, text)) if *file == own => text.push_str(line),
                _ => parts.push((own.clone(), line.to_owned())),
            }
            continue;
        };
        let (path, heading) = what.split_once(':').map_or((what, None), |(path, heading)| (path, Some(heading)));
        let file = normal(&folder.join(path));
        let text = read(&file).with_context(|| format!("{SOURCES}/{name}"))?;
        let text = match heading {
            Some(heading) => section(&text, heading)
                .with_context(|| format!("{SOURCES}/{name}: {path} has no section {heading:?}"))?,
            None => text,
        };
        parts.push((file, text));
    }
    Ok(parts)
}

/// The section of a heading, without the heading itself, to the next one that is not below it.
fn section(text: &str, heading: &str) -> Option<String> {
    let level = |line: &str| line.bytes().take_while(|byte| *byte == b'#').count();
    let mut lines = text.split_inclusive('\n').skip_while(|line| {
        let depth = level(line);
        depth == 0 || line[depth..].trim() != heading
    });
    let depth = level(lines.next()?);
    let mut fenced = false;
    let inside = lines.take_while(|line| {
        fenced ^= line.starts_with("```");
        fenced || level(line) == 0 || level(line) > depth
    });
    Some(inside.collect())
}

/// Targets of the links of a text outside of code, in order.
fn links(text: &str) -> Vec<&str> {
    prose(text)
        .flat_map(|line| line.match_indices("](").map(move |(at, _)| &line[at + 2..]))
        .filter_map(closed)
        .collect()
}

fn closed(rest: &str) -> Option<&str> {
    rest.split_once(')').map(|(target, _)| target)
}

/// The lines outside of fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.split_inclusive('\n').filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        !fenced && !is_fence
    })
}

/// The text with links that lead somewhere from the book.
fn linked(
    root: &Path,
    file: &Path,
    text: &str,
    shown: &BTreeMap<PathBuf, String>,
    fenced: &mut bool,
) -> Result<String> {
    let mut made = String::new();
    for line in text.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```");
        *fenced ^= is_fence;
        if *fenced || is_fence {
            made.push_str(line);
            continue;
        }
        // `[`name`]: crate::path` defines what a reference leads to.
        if line.starts_with('[')
            && let Some((name, target)) = line.split_once("]: ")
        {
            made.push_str(&format!("{name}]: {}\n", leads(root, file, target.trim(), shown)?));
            continue;
        }
        let mut rest = line;
        while let Some((before, after)) = rest.split_once("](") {
            let Some(target) = closed(after) else { break };
            made.push_str(&format!("{before}]({})", leads(root, file, target, shown)?));
            rest = &after[target.len() + 1..];
        }
        made.push_str(rest);
    }
    Ok(made)
}

/// Where a link of a file leads from the book: to an item's documentation, a page, or a file of the repository.
fn leads(root: &Path, file: &Path, target: &str, shown: &BTreeMap<PathBuf, String>) -> Result<String> {
    if target.contains("://") || target.starts_with('#') {
        return Ok(target.to_owned());
    }
    if let Some(item) = target.strip_prefix("crate::") {
        return Ok(format!("{API}?search={item}"));
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let there = normal(&file.parent().unwrap_or(root).join(path));
    let place = there.strip_prefix(normal(root)).unwrap_or(&there).display().to_string().replace('\\', "/");
    ensure!(there.exists(), "{} links to {target}, which is not there", file.display());
    let anchor = anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
    Ok(match shown.get(&there) {
        Some(page) => format!("{page}{anchor}"),
        None => format!("{REPOSITORY}{place}{anchor}"),
    })
}

/// A path without `..`, so that two ways to one file are one path.
fn normal(path: &Path) -> PathBuf {
    let mut made = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(made.pop()),
            Component::CurDir => {}
            other => made.push(other),
        }
    }
    made
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        normal(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
    }

    /// A small book: a page of its own, and one that takes in a guide.
    fn small() -> tempfile::TempDir {
        let at = tempfile::tempdir().unwrap();
        let files = [
            ("docs/book/SUMMARY.md", "# Summary\n\n- [First](first.md)\n- [Guide](guide.md)\n"),
            ("docs/book/first.md", "# First\n\nSee [the guide](../../guide/dogs.md#food), [code](../../src/dog.rs).\n"),
            ("docs/book/guide.md", "{{#include ../../guide/dogs.md}}\n\n{{#include ../../README.md:Run it}}\n"),
            (
                "guide/dogs.md",
                "# Dogs\n\n[`Dog`](crate::Dog) and [`bark`].\n\n```rust\nlet a = [x](crate::y);\n```\n\n[`bark`]: crate::Dog::bark\n",
            ),
            (
                "README.md",
                "# Dogs\n\n## Run it\n\nRun.\n\n```sh\n# no heading\n```\n\n### With more\n\nMore.\n\n## Walk it\n\nWalk.\n",
            ),
            ("src/dog.rs", ""),
        ];
        for (path, text) in files {
            let path = at.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        at
    }

    #[test]
    fn pages_take_in_files_and_their_links_lead_somewhere() {
        let at = small();
        let pages = pages(at.path()).unwrap();
        assert_eq!(
            pages["first.md"],
            format!("# First\n\nSee [the guide](guide.md#food), [code]({REPOSITORY}src/dog.rs).\n")
        );
        let guide = &pages["guide.md"];
        assert!(guide.starts_with(&format!("# Dogs\n\n[`Dog`]({API}?search=Dog) and [`bark`].\n")), "{guide}");
        assert!(guide.contains("let a = [x](crate::y);"), "code stays: {guide}");
        assert!(guide.contains(&format!("[`bark`]: {API}?search=Dog::bark\n")), "{guide}");
        assert!(guide.contains("Run.\n\n```sh\n# no heading\n```\n\n### With more\n\nMore.\n"), "{guide}");
        assert!(!guide.contains("Walk"), "{guide}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let fails = |file: &str, text: &str| {
            let at = small();
            fs::write(at.path().join(file), text).unwrap();
            format!("{:#}", pages(at.path()).unwrap_err())
        };
        assert!(fails("docs/book/first.md", "[a](nowhere.md)").contains("which is not there"));
        assert!(fails("docs/book/first.md", "{{#include ../../README.md:Fly it}}").contains("no section \"Fly it\""));
        assert!(fails("docs/book/first.md", "{{#include ../../no.md}}").contains("cannot read"));
        assert!(fails("docs/book/other.md", "").contains("other.md is not in SUMMARY.md"));
        let twice = "- [First](first.md)\n- [First](first.md)\n- [Guide](guide.md)\n";
        assert!(fails("docs/book/SUMMARY.md", twice).contains("twice"));
    }

    /// The book of the repository; each file with Rust code in it is one whose code is compiled by a doc-test.
    #[test]
    fn the_book_fits_together_and_its_code_is_compiled() {
        let root = root();
        assert!(pages(&root).unwrap().len() > 15);
        let compiled: String = ["tests/src/lib.rs", "cintx/src/guide.rs", "cintx-postgres/src/lib.rs"]
            .iter()
            .filter_map(|file| fs::read_to_string(root.join(file)).ok())
            .collect();
        for name in links(&read(&root.join(SOURCES).join("SUMMARY.md")).unwrap()) {
            for (file, text) in included(&root.join(SOURCES), name).unwrap() {
                let is_markdown = file.extension().is_some_and(|extension| extension == "md");
                let has_code = text.lines().any(|line| {
                    line.strip_prefix("```").is_some_and(|kind| kind.starts_with("rust") || kind == "no_run")
                });
                // Of a Rust file that is shown, the code is compiled where it lies.
                let shows_a_file = read(&file).unwrap().contains("```rust\n{{#include ");
                if is_markdown && has_code && !shows_a_file {
                    let place = file.strip_prefix(&root).unwrap().display().to_string();
                    // Each package names its files by their way from its `src`.
                    let packages = ["cintx/", "cintx-postgres/"];
                    let place = packages.iter().find_map(|own| place.strip_prefix(own)).unwrap_or(&place);
                    assert!(
                        compiled.contains(&format!("/{place}\")")),
                        "the code of {place} is compiled by nothing: name it in tests/src/lib.rs"
                    );
                }
            }
        }
    }

    /// Whoever types a page in has the packages that its code uses.
    #[test]
    fn the_dependencies_of_a_page_are_those_of_its_code() {
        let mut checked = 0;
        for entry in fs::read_dir(root().join(SOURCES)).unwrap() {
            let text = read(&entry.unwrap().path()).unwrap();
            let blocks = |kind: &str| -> Vec<String> {
                let opening = format!("```{kind}\n");
                text.split(&opening).skip(1).filter_map(|rest| Some(rest.split("```").next()?.to_owned())).collect()
            };
            let listed: Vec<toml::Table> =
                blocks("toml").iter().filter_map(|block| toml::from_str(block).ok()).collect();
            let dependencies = listed.iter().filter_map(|table| table.get("dependencies")?.as_table());
            let names: Vec<String> =
                dependencies.flat_map(|list| list.keys().map(|name| name.replace('-', "_"))).collect();
            if names.is_empty() {
                continue;
            }
            let ours: toml::Table = toml::from_str(&read(&root().join("Cargo.toml")).unwrap()).unwrap();
            for (name, asked) in listed.iter().filter_map(|table| table.get("dependencies")?.as_table()).flatten() {
                let version = |value: &toml::Value| value.get("version").unwrap_or(value).as_str().unwrap().to_owned();
                let (asked, used) = (version(asked), version(&ours["workspace"]["dependencies"][name]));
                assert!(used.trim_start_matches('=').starts_with(&asked), "{name} {asked}, and we use {used}");
            }
            for line in blocks("rust").iter().flat_map(|block| block.lines()) {
                let Some(path) =
                    line.trim_start_matches(['#', '[', ' ']).strip_prefix("use ").or_else(|| line.strip_prefix("# #["))
                else {
                    continue;
                };
                let Some((package, _)) = path.split_once("::") else { continue };
                assert!(package == "std" || names.iter().any(|name| name == package), "{package} is not in {names:?}");
                checked += 1;
            }
        }
        assert!(checked > 5, "only {checked} uses were found");
    }
}
