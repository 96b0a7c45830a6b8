//! The list of deliberate faults: each edit fits the source, each test exists, and the document says the same.

use std::path::Path;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct List {
    fault: Vec<Fault>,
}

/// One fault: an edit of a file, and what notices it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    what: String,
    /// Below `cintx/src`.
    file: String,
    from: String,
    to: String,
    /// A target of `tests/tests`; without one the test is the library's own.
    target: Option<String>,
    test: Option<String>,
    /// Why no test can notice it.
    survives: Option<String>,
}

#[test]
fn every_fault_fits_the_source_and_names_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let List { fault: faults } = toml::from_str(&read("tests/faults.toml")).unwrap();
    let document = read("docs/faults.md");
    let tests = |folder: &str| {
        let files = crate::rust_files(&root.join(folder)).into_iter();
        files.map(|file| std::fs::read_to_string(file).unwrap()).collect::<Vec<_>>().join("\n")
    };
    let own = tests("cintx/src");
    for (number, fault) in (1..).zip(&faults) {
        let Fault { what, file, from, to, target, test, survives } = fault;
        let times = read(&format!("cintx/src/{file}")).matches(from.as_str()).count();
        assert!(times == 1 && from != to, "{what}: the text is there {times} times");
        let caught = match (test, survives) {
            (Some(test), None) => {
                let tests = target.as_ref().map_or(own.clone(), |target| tests(&format!("tests/tests/{target}")));
                let is_there = ['(', '<'].iter().any(|next| tests.contains(&format!("fn {test}{next}")));
                assert!(is_there, "{what}: there is no test {test}");
                format!("`{test}`")
            }
            (None, Some(reason)) => format!("nothing: {reason}"),
            _ => panic!("{what}: either a test, or why there is none"),
        };
        let row = format!("| {number} | `{file}` | {what} | {caught} |");
        assert!(document.contains(&row), "docs/faults.md lacks:\n{row}");
    }
    assert!(faults.iter().filter(|fault| fault.test.is_some()).count() >= 30);
}
