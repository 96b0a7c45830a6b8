//! What emission refuses: types that the generator made twice, not at all, or out of nothing.
//! Each would otherwise be a type that is silently another one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Version, client, files, types};
use crate::regen::generate::Generated;
use crate::regen::shape::{TAG, TAG_VALUE};
use crate::regen::supplement::Supplement;
use crate::regen::table::rows;

fn dog() -> Value {
    json!({ "Dog": { "type": "object", "properties": { "name": { "type": "string" } } } })
}

fn emitted(source: &str) -> Result<BTreeMap<String, String>, String> {
    emitted_of(dog(), source)
}

/// What becomes of schemas and of the types that the generator made of them.
fn emitted_of(schemas: Value, source: &str) -> Result<BTreeMap<String, String>, String> {
    let generated = Generated { types: syn::parse_file(source).unwrap().items, methods: BTreeMap::new() };
    let shaped = json!({ "paths": {}, "components": { "schemas": schemas } });
    let summaries = BTreeMap::new();
    let version =
        Version { date: "2031-05-06", shaped: &shaped, rows: &[], generated: &generated, summaries: &summaries };
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
fn an_enum_without_values_is_refused() {
    let mood = || json!({ "Mood": { "type": "string", "enum": ["calm", "playful"] } });
    assert!(emitted_of(mood(), "pub enum Mood { Calm, Playful }").is_ok());
    let error = emitted_of(mood(), "pub enum Mood {}").unwrap_err();
    assert_eq!(error, "the enum Mood has no values: nobody could make one");
}

#[test]
fn an_enum_that_tries_its_branches_is_refused() {
    let food = json!({ "Food": { "type": "string", "enum": ["dry", "wet"] } });
    let error = emitted_of(food, "pub enum Food { Variant0(String), Variant1(i64) }").unwrap_err();
    assert_eq!(error, "Food is neither a string enum nor a union with a tag");
}

#[test]
fn a_documented_value_cannot_be_taken_for_an_unknown_one() {
    let mood = json!({ "Mood": { "type": "string", "enum": ["calm", "unknown"] } });
    let error = emitted_of(mood, "pub enum Mood { Calm, Unknown }").unwrap_err();
    assert!(error.starts_with("Mood documents a value that reads `Unknown`"), "{error}");
}

#[test]
fn a_union_that_swallowed_a_branch_is_refused() {
    let branch = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}"), TAG_VALUE: name.to_lowercase() });
    let schemas = || {
        json!({ "Food": { "oneOf": [branch("Dry"), branch("Wet")], TAG: "kind" },
            "Dry": { "type": "object", "properties": { "grams": { "type": "string" } } },
            "Wet": { "type": "object", "properties": { "tins": { "type": "string" } } } })
    };
    let structs = "pub struct Dry { pub grams: Option<String> } pub struct Wet { pub tins: Option<String> }";
    let whole = emitted_of(schemas(), &format!("pub enum Food {{ Variant0(Dry), Variant1(Wet) }} {structs}")).unwrap();
    assert!(whole["shared"].contains("Dry(Dry)") && whole["shared"].contains("Wet(Wet)"));
    for twin in ["dry", "Dry", "unknown"] {
        let mut schemas = schemas();
        schemas["Food"]["oneOf"][1][TAG_VALUE] = json!(twin);
        let twins = emitted_of(schemas, &format!("pub enum Food {{ Variant0(Dry), Variant1(Wet) }} {structs}"));
        assert!(twins.unwrap_err().contains("has two branches that read"), "{twin}");
    }
    let error = emitted_of(schemas(), &format!("pub enum Food {{ Variant0(Dry) }} {structs}")).unwrap_err();
    assert_eq!(error, "Food has 2 branches and 1 variants: one swallowed another");
}

#[test]
fn an_operation_without_a_method_is_refused() {
    let document = json!({ "paths": { "/dogs": { "get": { "operationId": "list_dogs", "responses": {
        "200": { "description": "OK" }
    } } } } });
    let rows = rows("2031-05-06", &document, &document, &Supplement::default()).unwrap();
    let generated = Generated { types: Vec::new(), methods: BTreeMap::new() };
    let summaries = BTreeMap::new();
    let version =
        Version { date: "2031-05-06", shaped: &document, rows: &rows, generated: &generated, summaries: &summaries };
    for error in [client::files(&version).unwrap_err(), files(&version).unwrap_err()] {
        assert_eq!(error, "the generator made no method of list_dogs");
    }
}
