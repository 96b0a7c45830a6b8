//! What emission refuses: types that the generator made twice, not at all, or out of nothing.
//! Each would otherwise be a type that is silently another one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Version, client, files, types};
use crate::regen::generate::Generated;
use crate::regen::supplement::Supplement;
use crate::regen::table::rows;

fn shaped() -> Value {
    json!({ "paths": {}, "components": { "schemas": { "Dog": {
        "type": "object", "properties": { "name": { "type": "string" } }
    } } } })
}

fn emitted(source: &str) -> Result<BTreeMap<String, String>, String> {
    let generated = Generated { types: syn::parse_file(source).unwrap().items, methods: BTreeMap::new() };
    let (shaped, summaries) = (shaped(), BTreeMap::new());
    let version = Version {
        date: "2031-05-06",
        digest: "0",
        shaped: &shaped,
        rows: &[],
        generated: &generated,
        summaries: &summaries,
    };
    types::files(&version)
}

const DOG: &str = "pub struct Dog { pub name: ::std::option::Option<::std::string::String> }";

#[test]
fn a_type_is_emitted_once() {
    let files = emitted(DOG).unwrap();
    assert!(files["shared"].contains("pub struct Dog"));
}

#[test]
fn a_type_given_twice_is_refused() {
    let error = emitted(&format!("{DOG} {DOG}")).unwrap_err();
    assert_eq!(error, "the type Dog is emitted twice");
}

#[test]
fn a_schema_without_a_type_is_refused() {
    assert_eq!(emitted("").unwrap_err(), "the generator made no type of Dog");
}

#[test]
fn a_type_without_a_schema_is_refused() {
    let error = emitted(&format!("{DOG} pub struct Cat {{ pub name: String }}")).unwrap_err();
    assert_eq!(error, "the type Cat comes from no schema");
}

#[test]
fn an_operation_without_a_method_is_refused() {
    let document = json!({ "paths": { "/dogs": { "get": { "operationId": "list_dogs", "responses": {
        "200": { "description": "OK" }
    } } } } });
    let rows = rows("2031-05-06", &document, &document, &Supplement::default()).unwrap();
    let generated = Generated { types: Vec::new(), methods: BTreeMap::new() };
    let summaries = BTreeMap::new();
    let version = Version {
        date: "2031-05-06",
        digest: "0",
        shaped: &document,
        rows: &rows,
        generated: &generated,
        summaries: &summaries,
    };
    for error in [client::files(&version).unwrap_err(), files(&version).unwrap_err()] {
        assert_eq!(error, "the generator made no method of list_dogs");
    }
}
