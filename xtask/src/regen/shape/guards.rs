//! What shaping must never let through, because it would compile and be wrong.
//! The guard itself is asked, and the passes are given documents that tempt them.

use serde_json::{Value, json};

use super::{TAG, TAG_VALUE, guard, schemas, shape};
use crate::document::overlay::Overlays;

fn problems(schema: Value) -> Vec<(String, String)> {
    let document = json!({ "paths": {}, "components": { "schemas": { "A": schema } } });
    match guard("2031-05-06", &document) {
        Ok(()) => Vec::new(),
        Err(problems) => {
            problems.list().iter().map(|problem| (problem.pointer.clone(), problem.message.clone())).collect()
        }
    }
}

/// The guard refuses a schema, at its place and at every place it can hide in.
fn refused(schema: Value, because: &str) {
    for (document, pointer) in [
        (schema.clone(), "/components/schemas/A"),
        (json!({ "properties": { "p": schema.clone() } }), "/components/schemas/A/properties/p"),
        (json!({ "type": "array", "items": schema.clone() }), "/components/schemas/A/items"),
        (json!({ "additionalProperties": schema.clone() }), "/components/schemas/A/additionalProperties"),
    ] {
        let found = problems(document);
        let right = found.iter().any(|(at, message)| at == pointer && message.contains(because));
        assert!(right, "{schema} at {pointer}: {found:?}");
    }
}

#[test]
fn an_empty_enum_is_refused() {
    refused(json!({ "type": "string", "enum": [] }), "an enum without values is left");
}

#[test]
fn a_union_that_swallows_a_branch_is_refused() {
    let branch = |value: &str| json!({ "$ref": "#/components/schemas/A", TAG_VALUE: value });
    refused(json!({ "oneOf": [{ "type": "string" }, { "type": "object" }] }), "a union without a tag is left");
    refused(json!({ "anyOf": [{ "type": "string" }] }), "anyOf is left");
    refused(
        json!({ "oneOf": [branch("a"), branch("b"), branch("a")], TAG: "kind" }),
        "two branches with the tag \"a\"",
    );
    refused(json!({ "oneOf": [branch("a"), { "type": "object" }], TAG: "kind" }), "a branch without a tag's value");
    assert_eq!(problems(json!({ "oneOf": [branch("a"), branch("b")], TAG: "kind" })), []);
}

#[test]
fn what_the_generator_would_misread_is_refused() {
    refused(json!({ "not": {} }), "not is left");
    refused(
        json!({ "allOf": [{ "type": "object" }, { "type": "object" }] }),
        "an allOf that is not a nullable reference",
    );
    refused(json!({ "type": "string", "pattern": "^a$" }), "pattern is left");
    refused(json!({ "type": "integer", "minimum": 1 }), "minimum is left");
    refused(json!({ "type": "string", "default": "a" }), "default is left");
}

#[test]
fn a_type_name_given_twice_is_refused() {
    let document = json!({ "paths": {}, "components": { "schemas": { "dog_list": {}, "DogList": {}, "Cat": {} } } });
    let problems = guard("2031-05-06", &document).unwrap_err();
    let [problem] = problems.list() else { panic!("{problems}") };
    assert!(problem.message.contains("has the Rust name of"), "{problems}");
    assert!(problem.pointer == "/components/schemas/dog_list" || problem.pointer == "/components/schemas/DogList");
}

/// A document with one operation that is sent one schema and answers another.
fn document(sent: Value, answered: Value, schemas: Value) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "t", "version": "2031-05-06" },
        "paths": { "/dogs": { "post": {
            "operationId": "add_dog",
            "requestBody": { "required": true, "content": { "application/json": { "schema": sent } } },
            "responses": { "200": { "description": "OK", "content": { "application/json": { "schema": answered } } } }
        } } },
        "components": { "schemas": schemas }
    })
}

fn shaped(document: &Value) -> Value {
    shape("2031-05-06", document, &Overlays::default()).unwrap_or_else(|problems| panic!("{problems}")).document
}

fn object(property: &str) -> Value {
    json!({ "type": "object", "properties": { property: { "type": "string" } } })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

#[test]
fn the_type_that_is_sent_never_takes_the_name_of_another() {
    // `Dog` goes both ways, so one of its halves needs a name, and `DogInput` is taken.
    let sent = json!({ "type": "object", "properties": { "dog": reference("Dog"), "other": reference("DogInput") } });
    let schemas_before = json!({ "Dog": object("name"), "DogInput": object("bowl") });
    let document = shaped(&document(sent, reference("Dog"), schemas_before));
    let has = |property: &str| {
        schemas(&document)
            .values()
            .filter(|schema| schema.pointer(&format!("/properties/{property}")).is_some())
            .count()
    };
    assert_eq!((has("name"), has("bowl")), (2, 1), "{:#}", document["components"]);
    let request = schemas(&document).values().find(|schema| schema.pointer("/properties/other").is_some()).unwrap();
    let target = |property: &str| request["properties"][property]["$ref"].as_str().unwrap().to_owned();
    assert_ne!(target("dog"), target("other"));
    assert!(document.pointer(&target("dog")[1..]).unwrap()["properties"].get("name").is_some());
    assert!(document.pointer(&target("other")[1..]).unwrap()["properties"].get("bowl").is_some());
}

#[test]
fn inline_types_never_take_the_name_of_another() {
    // The inline answer would be called like the component.
    let answered =
        json!({ "type": "object", "properties": { "inner": object("a"), "taken": reference("AddDogResponseInner") } });
    let document = shaped(&document(
        object("x"),
        answered,
        json!({ "AddDogResponseInner": object("b"), "AddDogResponse": object("c") }),
    ));
    for property in ["a", "b"] {
        let holders =
            schemas(&document).values().filter(|schema| schema.pointer(&format!("/properties/{property}")).is_some());
        assert_eq!(holders.count(), 1, "{property}: {:#}", document["components"]);
    }
}

#[test]
fn branches_that_share_a_tag_or_have_none_become_one_type_that_holds_both() {
    let branch = |kind: &str, property: &str| {
        json!({ "type": "object", "required": ["kind", property], "properties": {
            "kind": { "type": "string", "enum": [kind] }, property: { "type": "string" }
        } })
    };
    for union in [
        json!({ "oneOf": [branch("a", "x"), branch("a", "y")] }),
        json!({ "anyOf": [object("x"), object("y")] }),
        json!({ "oneOf": [branch("a", "x"), object("y")] }),
    ] {
        let document = shaped(&document(union.clone(), union.clone(), json!({})));
        let objects = || schemas(&document).values().filter(|schema| schema.get("type") == Some(&json!("object")));
        assert_eq!(objects().count(), 2, "what is sent and what comes back");
        for schema in objects() {
            assert!(schema.get("oneOf").is_none(), "{union} is still a union");
            for property in ["x", "y"] {
                assert!(schema.pointer(&format!("/properties/{property}")).is_some(), "{property} of {union} is lost");
            }
        }
    }
    let union = json!({ "oneOf": [branch("a", "x"), branch("b", "y")] });
    let document = shaped(&document(union.clone(), object("z"), json!({})));
    let tagged = schemas(&document).values().find(|schema| schema.get(TAG).is_some()).expect("a union with a tag");
    assert_eq!(tagged["oneOf"].as_array().map(Vec::len), Some(2));
}
