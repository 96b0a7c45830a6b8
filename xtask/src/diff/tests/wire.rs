//! What is generated from changed documents, compiled and called: a throw-away workspace of the raw crate with one
//! module for each change, and the test that calls every operation and holds what is sent against its document.
//! Each module has only the operations that its change is about, so that all of them compile like one version.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::fixture::repository;
use crate::regen;
use crate::workspace::Workspace;

/// One change: its name, the files that are generated, and the operations as the document has them.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) files: BTreeMap<String, String>,
    pub(super) document: Value,
}

/// The packages of the throw-away workspace.
const MEMBERS: [&str; 3] = ["openapi", "cintx-raw", "tests"];

const TESTS: &str = r#"[package]
name = "cintx-tests"
version = "0.1.0"
edition.workspace = true

[dependencies]
bytes.workspace = true
cintx-openapi.workspace = true
cintx-raw = { workspace = true, features = ["httpmock", "reqwest"] }
serde.workspace = true
serde_json.workspace = true
tokio = { workspace = true, features = ["io-util", "macros", "net", "rt", "time"] }

[dev-dependencies]
httpmock.workspace = true
reqwest.workspace = true
tokio = { workspace = true, features = ["macros", "net", "rt-multi-thread"] }
"#;

/// How many operations of a document are called: each of several would compile for nothing else.
pub(super) const MOST: usize = 3;

const TRIPS: &str = "tests/tests/round_trips.rs";

/// What is run of the tests of all versions, a target each.
const RUN: [(&str, &[&str]); 2] = [
    ("every_operation", &["every_operation_sends_and_reads", "every_documented_failure"]),
    ("round_trips", &["requests_lose_nothing", "answers_lose_nothing", "every_documented_value"]),
];

/// Compiles the parts of the version of a date and calls their operations; panics with what fails.
/// Answers how many operations were called.
pub(super) fn compile_and_call(date: &str, parts: &[Part]) -> usize {
    // A place that stays: what does not change is compiled once. Built beside everything else, for its dependencies.
    let target = repository().root().join("target");
    let folder = target.join("mutations");
    for package in MEMBERS {
        match fs::remove_dir_all(folder.join(package)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{package}: {error}"),
            _ => {}
        }
    }
    let scratch = Workspace::at(&folder);
    // Each is a version of its own.
    let dated: Vec<(String, &Part)> =
        parts.iter().enumerate().map(|(at, part)| (format!("{}-01-01", 2101 + at), part)).collect();
    let dates: Vec<&str> = dated.iter().map(|(date, _)| date.as_str()).collect();
    let mut files = manifests(&dates);
    let mut documents = String::from("pub(crate) static DOCUMENTS: &[crate::Document] = &[\n");
    for (own, part) in &dated {
        let renamed = |text: &str| text.replace(date, own).replace(&date.replace('-', "_"), &own.replace('-', "_"));
        files.extend(part.files.iter().map(|(path, text)| (renamed(path), renamed(text))));
        files.insert(format!("openapi/{own}.json"), renamed(&part.document.to_string()));
        documents += &format!("    crate::Document {{ date: {own:?}, json: include_str!(\"../{own}.json\") }},\n");
    }
    files.insert("openapi/src/documents.rs".to_owned(), documents + "];\n");
    files.extend(regen::lists(&dates));
    copy(&mut files);
    scratch.write_all(files.into_iter().map(|(path, text)| (scratch.root().join(path), text))).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(scratch.root()).args(["test", "--offline", "--no-fail-fast", "--package", "cintx-tests"]);
    cargo.arg("--target-dir").arg(target);
    for (target, _) in RUN {
        cargo.args(["--test", target]);
    }
    let tests = RUN.iter().flat_map(|(_, tests)| tests.iter());
    let output = cargo.args(["--", "--nocapture"]).args(tests.clone()).output().unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    let names: Vec<String> = dated.iter().map(|(date, part)| format!("{date}: {}", part.name)).collect();
    assert!(output.status.success(), "{said}\n{}", names.join("\n"));
    let passed = said.matches(" ... ok").count();
    assert_eq!(passed, tests.count(), "not every test was run: {said}");
    // `2101-01-01: 3 operations called in 20ms`
    let called = said.lines().filter_map(|line| line.split_once(" operations called in")?.0.rsplit_once(": "));
    let called: Vec<usize> = called.map(|(_, count)| count.parse().unwrap()).collect();
    assert_eq!(called.len(), parts.len(), "not every part was called: {said}");
    called.into_iter().sum()
}

fn manifests(dates: &[&str]) -> BTreeMap<String, String> {
    let read = |name: &str| fs::read_to_string(repository().root().join(name)).unwrap();
    let features = |of: &dyn Fn(&str) -> String| -> String {
        let all: Vec<String> = dates.iter().map(|date| format!("\"v{date}\"")).collect();
        let each: String = dates.iter().map(|date| format!("v{date} = [\"{}\"]\n", of(date))).collect();
        format!("[features]\ndefault = [{}]\n{each}", all.join(", "))
    };
    let raw = read("cintx-raw/Cargo.toml");
    let (head, rest) = raw.split_once("[features]").unwrap();
    let (_, rest) = rest.split_once("## A transport for the raw client alone").unwrap();
    let own = features(&|_| "_generated".to_owned());
    BTreeMap::from([
        ("Cargo.toml".to_owned(), crate::check::with_members(&read("Cargo.toml"), &MEMBERS)),
        ("Cargo.lock".to_owned(), read("Cargo.lock")),
        ("openapi/Cargo.toml".to_owned(), read("openapi/Cargo.toml")),
        ("cintx-raw/Cargo.toml".to_owned(), format!("{head}{own}##{rest}")),
        ("tests/Cargo.toml".to_owned(), format!("{TESTS}\n{}", features(&|date| format!("cintx-raw/v{date}")))),
        (
            "tests/src/lib.rs".to_owned(),
            "pub mod dispatch;\npub mod document;\npub mod instances;\npub mod with_faults;\n".to_owned(),
        ),
    ])
}

/// What is written by hand in the packages, and knows nothing of a version.
fn copy(files: &mut BTreeMap<String, String>) {
    let root = repository().root().to_owned();
    let mut take = |path: &Path| {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        if path.is_file() {
            files.entry(name).or_insert_with(|| fs::read_to_string(path).unwrap());
        }
    };
    for folder in ["cintx-raw/src", "openapi/src", "tests/tests/every_operation"] {
        fs::read_dir(root.join(folder)).unwrap().for_each(|entry| take(&entry.unwrap().path()));
    }
    for file in ["dispatch/mod.rs", "document.rs", "instances.rs", "with_faults.rs"] {
        take(&root.join("tests/src").join(file));
    }
    for file in ["cintx-raw/README.md", "openapi/README.md", TRIPS] {
        take(&root.join(file));
    }
    // A part may have no body at all.
    let trips = files.get_mut(TRIPS).unwrap();
    let demand = "    assert!(cases > 0, \"no cases were made\");\n";
    assert!(trips.contains(demand), "{TRIPS} demands bodies in other words");
    *trips = trips.replace(demand, "");
}
