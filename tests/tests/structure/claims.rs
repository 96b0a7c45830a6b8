//! What the guide to failures claims: each claim names a test that exists, and each command runs something.
//! A table is a table of claims; its last column, or the words "test:" before a name, say where one is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

const FAILURES: &str = include_str!("../../../cintx/guide/failures.md");

/// What Cint's guide does by requests, and the calls here: each row of the first table names a test, too.
const CALLS: &str = include_str!("../../../cintx/guide/calls.md");

/// Tables that explain the words which the others use.
const EXPLAINING: [&str; 1] = ["| outcome | did it take effect? | what to do |"];

/// Where tests are, by package.
const FOLDERS: [(&str, &str); 5] = [
    ("cintx", "cintx/src"),
    ("cintx", "cintx/tests"),
    ("cintx-fuzz", "fuzz/tests"),
    ("cintx-raw", "cintx-raw/src"),
    ("cintx-tests", "tests/tests"),
];

/// A test: its package, the file that it is in, and its name.
struct Test {
    package: &'static str,
    file: PathBuf,
    name: String,
}

impl Test {
    /// Whether `cargo test` with this filter runs it, as far as file and name tell.
    fn fits(&self, filter: &str) -> bool {
        self.name.contains(filter) || self.modules().any(|module| module.contains(filter))
    }

    fn modules(&self) -> impl Iterator<Item = &str> {
        self.file.components().filter_map(|part| part.as_os_str().to_str()).map(|part| part.trim_end_matches(".rs"))
    }

    /// Whether it is meant by a name, as `module::name` or without a module; a module alone means all its tests.
    fn is(&self, named: &str) -> bool {
        let (module, name) = named.rsplit_once("::").unwrap_or(("", named));
        let in_module = module.split("::").all(|part| part.is_empty() || self.modules().any(|it| it == part));
        (in_module && self.name == name) || self.modules().any(|it| it == named)
    }
}

fn tests() -> Vec<Test> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut tests = Vec::new();
    for (package, folder) in FOLDERS {
        let folder = root.join(folder);
        for path in crate::rust_files(&folder) {
            let text = std::fs::read_to_string(&path).unwrap();
            let file = path.strip_prefix(&folder).unwrap().to_owned();
            let attributes = text.match_indices("#[").map(|(at, _)| &text[at + 2..]).filter(|after| is_test(after));
            // The name of a version stands as a variable in a macro that is used for each.
            let named = attributes.filter_map(|after| after.split_once("fn ").map(|(_, name)| leading_name(name)));
            let listed = text.split("on_every_version!(").skip(1).filter_map(|rest| rest.split_once(");"));
            let listed = listed.flat_map(|(names, _)| names.split(',').map(|name| leading_name(name.trim())));
            // A module of one test for each version has the test's name.
            let each = text.split("\nmod ").skip(1).filter_map(|rest| rest.split_once(" {\n"));
            let each = each.filter(|(_, body)| body.trim_start().starts_with("cintx_tests::for_each_version!("));
            let named = named.chain(each.map(|(name, _)| name));
            let names = named.chain(listed).filter(|name| !name.is_empty());
            tests.extend(names.map(|name| Test { package, file: file.clone(), name: name.to_owned() }));
        }
    }
    assert!(tests.len() > 300, "only {} tests were found", tests.len());
    tests
}

fn is_test(attribute: &str) -> bool {
    let attribute = attribute.split_once(']').map_or("", |(attribute, _)| attribute);
    attribute == "test" || attribute.starts_with("tokio::test")
}

fn leading_name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"_$".contains(c));
    &text[..end.unwrap_or(text.len())]
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The tables, each as its rows without the line below the head.
fn tables(guide: &'static str) -> Vec<Vec<&'static str>> {
    let mut tables = vec![Vec::new()];
    for line in guide.lines() {
        match (line.starts_with('|'), tables.last_mut()) {
            (true, Some(table)) if !line.starts_with("|---") => table.push(line),
            (false, Some(table)) if !table.is_empty() => tables.push(Vec::new()),
            _ => {}
        }
    }
    tables.retain(|table| !table.is_empty());
    tables
}

fn last_cell(row: &str) -> &str {
    row.trim_end_matches('|').rsplit_once('|').map_or("", |(_, cell)| cell.trim())
}

#[test]
fn every_claim_names_a_test_that_exists() {
    let tests = tests();
    let mut named = BTreeSet::new();
    for text in FAILURES.split("(test").skip(1) {
        named.extend(text.split_once(')').into_iter().flat_map(|(inside, _)| quoted(inside)));
    }
    let mut unproven = Vec::new();
    for table in tables(FAILURES).into_iter().filter(|table| !EXPLAINING.contains(&table[0])) {
        if last_cell(table[0]) == "command" {
            continue;
        }
        let by_column = last_cell(table[0]) == "test";
        for row in &table[1..] {
            let names: Vec<&str> = if by_column { quoted(last_cell(row)).collect() } else { Vec::new() };
            if names.is_empty() && !row.contains("(test") {
                unproven.push(*row);
            }
            named.extend(names);
        }
    }
    let missing: Vec<&&str> = named.iter().filter(|name| !tests.iter().any(|test| test.is(name))).collect();
    assert!(missing.is_empty(), "no tests have these names: {missing:?}");
    assert!(unproven.is_empty(), "no test is named by:\n{}", unproven.join("\n"));
    assert!(named.len() > 60, "only {} tests are named", named.len());
}

#[test]
fn every_call_of_cints_guide_names_a_test_that_exists() {
    let tests = tests();
    let calls = tables(CALLS);
    assert!(calls.len() == 2 && calls[0].len() > 40 && calls[1].len() > 10, "{} tables", calls.len());
    for table in calls {
        assert_eq!(last_cell(table[0]), "test", "{:?}", table[0]);
        let unproven: Vec<&&str> = table[1..].iter().filter(|row| quoted(last_cell(row)).next().is_none()).collect();
        assert!(unproven.is_empty(), "no test is named by {unproven:?}");
        let named = table[1..].iter().flat_map(|row| quoted(last_cell(row)));
        let is_one = |name: &&str| tests.iter().any(|test| test.name == *name);
        let missing: Vec<&str> = named.filter(|name| !is_one(name)).collect();
        assert!(missing.is_empty(), "no test functions have these names: {missing:?}");
    }
}

/// The functions of some files, those in macros, too: what each of them mentions.
fn functions(files: &[PathBuf]) -> BTreeMap<String, BTreeSet<String>> {
    fn mentioned(tokens: TokenStream, found: &mut BTreeSet<String>) {
        for token in tokens {
            match token {
                TokenTree::Ident(name) => drop(found.insert(name.to_string())),
                TokenTree::Group(group) => mentioned(group.stream(), found),
                _ => {}
            }
        }
    }
    fn collect(tokens: TokenStream, found: &mut BTreeMap<String, BTreeSet<String>>) {
        let (mut is_named, mut name) = (false, None);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if is_named => (is_named, name) = (false, Some(ident.to_string())),
                TokenTree::Ident(ident) => is_named = ident == "fn",
                TokenTree::Group(group) => {
                    if group.delimiter() == proc_macro2::Delimiter::Brace
                        && let Some(name) = name.take()
                    {
                        mentioned(group.stream(), found.entry(name).or_default());
                    }
                    collect(group.stream(), found);
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => is_named = false,
            }
        }
    }
    let mut found = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        collect(text.parse().unwrap(), &mut found);
    }
    found
}

/// What a test mentions, by itself and by the functions of its target that it mentions.
fn mentioned_by(test: &Test) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (_, folder) = FOLDERS.iter().find(|(_, folder)| root.join(folder).join(&test.file).exists()).unwrap();
    let path = root.join(folder).join(&test.file);
    let target = root.join(folder).join(test.file.components().next().unwrap());
    let mut files = if folder.ends_with("/tests") && target.is_dir() { crate::rust_files(&target) } else { vec![path] };
    if target.ends_with("composites") {
        files.extend(crate::rust_files(&root.join("examples/tracker")));
        files.push(root.join("examples/tracker.rs"));
    }
    let functions = functions(&files);
    let mut found = BTreeSet::from([test.name.clone()]);
    let mut left = vec![test.name.clone()];
    while let Some(name) = left.pop() {
        let mentioned = functions.get(&name).into_iter().flatten();
        left.extend(mentioned.filter(|name| found.insert((*name).clone())).cloned());
    }
    found
}

/// The methods that a row links to.
fn methods(row: &str) -> impl Iterator<Item = &str> {
    let links = row.split("[`").skip(1).filter_map(|rest| rest.split_once("`]"));
    links.filter_map(|(link, _)| link.rsplit_once("::")).map(|(_, name)| name)
}

/// The test of a row makes the row's calls.
#[test]
fn every_call_of_cints_guide_is_made_by_its_test() {
    let tests = tests();
    let (mut checked, mut unmade) = (0, Vec::new());
    for row in tables(CALLS).iter().flat_map(|table| &table[1..]) {
        let named: Vec<&str> = quoted(last_cell(row)).collect();
        let made: BTreeSet<String> =
            tests.iter().filter(|test| named.contains(&&*test.name)).flat_map(mentioned_by).collect();
        for method in methods(row) {
            checked += 1;
            if !made.contains(method) {
                unmade.push(format!("{method}, by {}", last_cell(row)));
            }
        }
    }
    assert!(unmade.is_empty(), "calls that their tests do not make:\n{}", unmade.join("\n"));
    assert!(checked > 60, "only {checked} calls were looked for");
}

#[test]
fn every_command_runs_a_test() {
    let tests = tests();
    let mut commands = 0;
    for command in tables(FAILURES).iter().flatten().flat_map(|row| quoted(last_cell(row))) {
        let Some((_, arguments)) = command.split_once("cargo test ") else { continue };
        commands += 1;
        let arguments: Vec<&str> = arguments.split(" -- ").next().unwrap_or_default().split(' ').collect();
        let of = |name: &str| arguments.iter().position(|it| *it == name).and_then(|at| arguments.get(at + 1).copied());
        let (package, target) = (of("-p"), of("--test"));
        let values = [package, target].into_iter().flatten().collect::<Vec<_>>();
        let filter = arguments.iter().find(|it| !it.starts_with('-') && !values.contains(it)).copied().unwrap_or("");
        let run = tests.iter().any(|test| {
            Some(test.package) == package
                && target.is_none_or(|target| test.modules().next() == Some(target))
                && test.fits(filter)
        });
        assert!(run, "`{command}` runs no test");
    }
    assert!(commands > 10, "only {commands} commands were found");
}
