//! Every request and answer of every version, made from its schema, through the generated types and back:
//! all decode, and nothing that was in them is missing afterwards.

use cintx_tests::dispatch::{Recode, Version, versions};
use cintx_tests::document::{Document, json_schema};
use cintx_tests::instances::{Instance, documented_values, instances, missing, mutants, variations};
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

/// What is asked of one round trip.
#[derive(Clone, Copy)]
struct Trip {
    recode: Recode,
    /// Nothing may be taken for something undocumented: neither a value nor a branch.
    strictly: bool,
    /// An explicit null must not go missing.
    null_counts: bool,
}

fn check(trip: Trip, id: &str, case: &Instance, failures: &mut Vec<String>) {
    // What is required may leave out the tag of a union; what it is then, nobody can know.
    let strictly = trip.strictly && case.name != "required only";
    match (trip.recode)(id, &case.value, strictly) {
        Ok(Some(after)) => {
            let gone = missing(&case.value, &after, trip.null_counts);
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
        let trip = Trip { recode: version.recode_request, strictly: true, null_counts: true };
        let (mut cases, mut failures) = (0, Vec::new());
        each_body(&version, true, |document, id, schema| {
            let made = instances(document, schema);
            for case in &made {
                cases += 1;
                check(trip, id, case, &mut failures);
            }
            for case in whole(&made).flat_map(|full| variations(document, schema, &full.value)) {
                cases += 1;
                check(Trip { strictly: false, ..trip }, id, &case, &mut failures);
            }
        });
        report(&version, "requests", cases, &failures);
    }
}

#[test]
fn answers_lose_nothing() {
    for version in versions() {
        let trip = Trip { recode: version.recode_answer, strictly: true, null_counts: false };
        let (mut cases, mut failures) = (0, Vec::new());
        each_body(&version, false, |document, id, schema| {
            for case in instances(document, schema) {
                cases += 1;
                check(trip, id, &case, &mut failures);
            }
        });
        report(&version, "answers", cases, &failures);
    }
}

#[test]
fn every_documented_value_is_a_known_one() {
    for version in versions() {
        for (requests, recode) in [(true, version.recode_request), (false, version.recode_answer)] {
            let trip = Trip { recode, strictly: true, null_counts: requests };
            let (mut cases, mut failures) = (0, Vec::new());
            each_body(&version, requests, |document, id, schema| {
                for case in whole(&instances(document, schema))
                    .flat_map(|full| documented_values(document, schema, &full.value))
                {
                    cases += 1;
                    check(trip, id, &case, &mut failures);
                }
            });
            let what = if requests { "documented values sent" } else { "documented values received" };
            report(&version, what, cases, &failures);
        }
    }
}

#[test]
fn answers_of_tomorrow_decode_and_lose_nothing() {
    for version in versions() {
        let trip = Trip { recode: version.recode_answer, strictly: false, null_counts: false };
        let (mut cases, mut failures) = (0, Vec::new());
        each_body(&version, false, |document, id, schema| {
            for full in whole(&instances(document, schema)) {
                for case in mutants(document, schema, &full.value) {
                    cases += 1;
                    check(trip, id, &case, &mut failures);
                }
            }
        });
        report(&version, "mutants of answers", cases, &failures);
    }
}
