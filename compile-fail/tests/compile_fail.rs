//! What must not compile, and what the compiler says instead: a capability that a version lacks names what that
//! version has; an id does not fit where another is asked for.
//!
//! No case awaits: of an awaited call the compiler checks the bound again for the future, and repeats its message.

#![allow(clippy::expect_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn what_must_not_compile_says_what_to_use_instead() {
    trybuild::TestCases::new().compile_fail("tests/cases/*.rs");
}

/// The text of every file below a folder whose name ends so.
fn texts(folder: &Path, ending: &str) -> Vec<String> {
    let paths = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let read = |path: std::path::PathBuf| match path.is_dir() {
        true => texts(&path, ending),
        false if path.to_string_lossy().ends_with(ending) => vec![fs::read_to_string(path).expect("a text")],
        false => Vec::new(),
    };
    paths.flat_map(read).collect()
}

/// The names of the traits that say what a version can do.
fn capabilities(sources: &Path) -> BTreeSet<String> {
    let name = |line: &str| {
        let name = line.trim_start().strip_prefix("pub trait ")?.split_once(':')?.0;
        name.starts_with("Has").then(|| name.to_owned())
    };
    texts(sources, ".rs").iter().flat_map(|text| text.lines()).filter_map(name).collect()
}

#[test]
fn every_capability_has_a_case_and_a_message_for_each_call() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut lines = BTreeSet::new();
    let mut named = BTreeSet::new();
    for text in texts(&package.join("tests/cases"), ".stderr") {
        for message in text.split("\nerror") {
            let Some((_, lacking)) = message.split_once("the trait `Has") else { continue };
            let name = format!("Has{}", lacking.split_once('`').unwrap().0);
            let place = message.lines().find_map(|line| line.trim_start().strip_prefix("--> ")).unwrap();
            let (line, _) = place.rsplit_once(':').unwrap();
            assert!(lines.insert(line.to_owned()), "two messages for {line}");
            assert!(message.contains(" = note: "), "{line}: no word on what to use instead of {name}");
            named.insert(name);
        }
    }
    let all = capabilities(&package.join("../cintx/src"));
    assert!(all.len() > 20, "{all:?}");
    assert_eq!(all.difference(&named).collect::<Vec<_>>(), [] as [&String; 0], "capabilities without a case");
}
