//! Every request and answer of every version, made from its schema, through the generated types and back:
//! all decode, and nothing that was in them is missing afterwards.

use cintx_tests::dispatch::{Version, versions};
use cintx_tests::document::{Document, json_schema};
use cintx_tests::instances::{Instance, instances, missing, mutants, variations};
use serde_json::Value;

/// Calls `visit` with each operation's canonical id and the schema of one of its bodies.
fn each_body(version: &Version, requests: bool, mut visit: impl FnMut(&Document, &str, &Value)) {
    let document = Document::of(version.date);
    for operation in document.operations() {
        let row = version
            .table
            .iter()
            .find(|row| row.path == operation.path && row.method == *operation.method)
            .unwrap_or_else(|| panic!("{} is not in the table", operation.id));
        if requests {
            if let Some(schema) = document.request_schema(&operation) {
                visit(&document, row.id, schema);
            }
        } else {
            for (status, answer) in document.answers(&operation) {
                if let Some(schema) = json_schema(answer).filter(|_| (200..300).contains(&status)) {
                    visit(&document, row.id, schema);
                }
            }
        }
    }
}

fn report(version: &Version, what: &str, cases: usize, failures: &[String]) {
    println!("{}: {cases} {what}", version.date);
    // One failure of each operation says enough.
    let mut seen = std::collections::BTreeSet::new();
    let shown: Vec<&String> = failures.iter().filter(|line| seen.insert(line.split(' ').next())).take(25).collect();
    let shown = shown.iter().map(|line| line.as_str()).collect::<Vec<_>>().join("\n");
    assert!(cases > 0, "no cases were made");
    assert!(failures.is_empty(), "{}: {} of {cases} {what} fail:\n{}", version.date, failures.len(), shown);
}

fn check(
    recode: fn(&str, &Value) -> Result<Option<Value>, serde_json::Error>,
    id: &str,
    case: &Instance,
    null_counts: bool,
    failures: &mut Vec<String>,
) {
    match recode(id, &case.value) {
        Ok(Some(after)) => {
            let gone = missing(&case.value, &after, null_counts);
            if !gone.is_empty() {
                failures.push(format!("{id} ({}): {}", case.name, gone.join("; ")));
            }
        }
        Ok(None) => failures.push(format!("{id} has no JSON body in the client")),
        Err(error) => failures.push(format!("{id} ({}): {error}", case.name)),
    }
}

/// The instances that have everything, one for each branch.
fn whole(made: &[Instance]) -> impl Iterator<Item = &Instance> {
    made.iter().filter(|case| case.name == "full" || case.name.starts_with("branches"))
}

#[test]
fn requests_lose_nothing_not_even_a_null() {
    for version in versions() {
        let (mut cases, mut failures) = (0, Vec::new());
        each_body(&version, true, |document, id, schema| {
            let made = instances(document, schema);
            let varied = whole(&made).flat_map(|full| variations(document, schema, &full.value)).collect::<Vec<_>>();
            for case in made.iter().chain(&varied) {
                cases += 1;
                check(version.recode_request, id, case, true, &mut failures);
            }
        });
        report(&version, "requests", cases, &failures);
    }
}

#[test]
fn answers_lose_nothing() {
    for version in versions() {
        let (mut cases, mut failures) = (0, Vec::new());
        each_body(&version, false, |document, id, schema| {
            for case in instances(document, schema) {
                cases += 1;
                check(version.recode_answer, id, &case, false, &mut failures);
            }
        });
        report(&version, "answers", cases, &failures);
    }
}

#[test]
fn answers_of_tomorrow_decode_and_lose_nothing() {
    for version in versions() {
        let (mut cases, mut failures) = (0, Vec::new());
        each_body(&version, false, |document, id, schema| {
            for full in whole(&instances(document, schema)) {
                for case in mutants(document, schema, &full.value) {
                    cases += 1;
                    check(version.recode_answer, id, &case, false, &mut failures);
                }
            }
        });
        report(&version, "mutants of answers", cases, &failures);
    }
}
