//! The same kinds of faults in a real document, edited in memory.
//! Places are found by what they are like, so that the next version can stand in.

use serde_json::{Value, json};

use crate::document::overlay::Overlays;
use crate::document::problem::Problem;
use crate::document::tree::{Kind, Object, escape, inspect};
use crate::fixture::{documents, repository};
use crate::import::import;

/// A fault of a real document: an edit, which answers the pointer that must be named, and what must be said.
type Edit = (&'static str, fn(&mut Value) -> String, &'static str);

const REAL: &[Edit] = &[
    ("OpenAPI 3.1", |document| set(document, "/openapi", json!("3.1.0")), "expected \"3.0.x\""),
    ("no paths", |document| take(document, "/paths"), "must be an object"),
    ("a dangling reference", |document| reference(document, "#/components/schemas/NoSuchThing"), "leads nowhere"),
    ("a reference to another kind", |document| reference(document, "#/components/parameters"), "does not lead to"),
    ("a reference out of the document", |document| reference(document, "other.json#/A"), "leaves the document"),
    (
        "a circle of references",
        |document| {
            let place =
                first(document, |_, pointer, object| is_component(pointer) && object.contains_key("properties"));
            let name = place.rsplit('/').next().unwrap_or_default().to_owned();
            set(document, &place, json!({ "$ref": format!("#/components/schemas/{name}") }));
            format!("{place}/$ref")
        },
        "leads back to itself",
    ),
    ("an unknown keyword", |document| at_schema(document, "const", json!(1)), "is not one that"),
    ("an unknown type", |document| at_schema(document, "type", json!("file")), "expected one of"),
    ("an empty enum", |document| at_enum(document, |values| values.clear()), "has no values"),
    ("an enum value twice", |document| at_enum(document, |values| values.push(values[0].clone())), "a value twice"),
    (
        "an array of nothing",
        |document| {
            let place = first(document, |_, _, object| object.get("type") == Some(&json!("array")));
            take(document, &format!("{place}/items"))
        },
        "what its items are",
    ),
    ("a negated schema", |document| at_schema(document, "not", json!({})), "negated"),
    (
        "a minimum above the maximum",
        |document| {
            let place = first(document, |_, _, object| object.get("type") == Some(&json!("integer")));
            document.pointer_mut(&place).unwrap()["maximum"] = json!(1);
            set(document, &format!("{place}/minimum"), json!(2))
        },
        "2 is above maximum 1",
    ),
    (
        "a parameter with content",
        |document| {
            let place = first(document, |kind, place, object| {
                // One that stands in its place is put there by an overlay.
                kind == Kind::Parameter && place.starts_with("/components/") && object.get("schema").is_some()
            });
            let parameter = document.pointer_mut(&place).unwrap().as_object_mut().unwrap();
            parameter.remove("schema");
            parameter.insert("content".to_owned(), json!({}));
            format!("{place}/content")
        },
        "parameters with content",
    ),
    (
        "a cookie parameter",
        |document| {
            let place = first(document, |kind, place, object| {
                kind == Kind::Parameter
                    && place.starts_with("/components/")
                    && object.get("in") == Some(&json!("query"))
            });
            set(document, &format!("{place}/in"), json!("cookie"))
        },
        "cookie parameters",
    ),
    (
        "a path parameter that nothing declares",
        |document| rename_path(document, "/accounts", "/accounts/{nobody}"),
        "{nobody}, which no parameter declares",
    ),
    (
        "a declared path parameter that the path lacks",
        |document| rename_path(document, "/accounts/{account_id}/business-units", "/accounts/all/business-units"),
        "\"account_id\", which the path lacks",
    ),
    ("an operation without an id", |document| take(document, "/paths/~1accounts/get/operationId"), "is missing"),
    (
        "an id given twice",
        |document| {
            let id = document["paths"]["/accounts"]["get"]["operationId"].clone();
            set(document, "/paths/~1countries/get/operationId", id)
        },
        "is also at /paths/~1accounts/get",
    ),
    ("no answers", |document| set(document, "/paths/~1accounts/get/responses", json!({})), "at least one answer"),
    (
        "a status that does not exist",
        |document| {
            document["paths"]["/accounts"]["get"]["responses"]["600"] = json!({ "description": "" });
            "/paths/~1accounts/get/responses".to_owned()
        },
        "\"600\" is not a status",
    ),
    (
        "two successes",
        |document| {
            document["paths"]["/accounts"]["get"]["responses"]["203"] = json!({ "description": "" });
            "/paths/~1accounts/get/responses".to_owned()
        },
        "has 2 success answers",
    ),
    ("no date", |document| set(document, "/info/version", json!("1.0")), "does not start with a date"),
];

/// The first place, in the order of the walk, whose object is like that. A reference is not looked at.
fn first(document: &Value, like: fn(Kind, &str, &Object) -> bool) -> String {
    let mut found = None;
    inspect(document, &mut |kind, pointer, object| {
        if found.is_none() && !object.contains_key("$ref") && like(kind, pointer, object) {
            found = Some(pointer.to_owned());
        }
    });
    found.expect("the document has such a place")
}

fn is_component(pointer: &str) -> bool {
    pointer.strip_prefix("/components/schemas/").is_some_and(|name| !name.contains('/'))
}

fn set(document: &mut Value, pointer: &str, value: Value) -> String {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[key] = value;
    pointer.to_owned()
}

fn take(document: &mut Value, pointer: &str) -> String {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    pointer.to_owned()
}

fn reference(document: &mut Value, target: &str) -> String {
    let mut found = None;
    inspect(document, &mut |kind, pointer, object| {
        if found.is_none() && kind == Kind::Schema && object.contains_key("$ref") {
            found = Some(pointer.to_owned());
        }
    });
    set(document, &format!("{}/$ref", found.unwrap()), json!(target))
}

fn at_schema(document: &mut Value, key: &str, value: Value) -> String {
    let place = first(document, |kind, _, object| kind == Kind::Schema && object.get("type") == Some(&json!("object")));
    set(document, &format!("{place}/{key}"), value)
}

fn at_enum(document: &mut Value, edit: fn(&mut Vec<Value>)) -> String {
    let place = first(document, |kind, _, object| kind == Kind::Schema && object.contains_key("enum"));
    let place = format!("{place}/enum");
    edit(document.pointer_mut(&place).unwrap().as_array_mut().unwrap());
    place
}

fn rename_path(document: &mut Value, from: &str, to: &str) -> String {
    let paths = document["paths"].as_object_mut().unwrap();
    let item = paths.remove(from).unwrap();
    paths.insert(to.to_owned(), item);
    format!("/paths/{}/get", escape(to))
}

#[test]
fn the_real_documents_with_faults_are_refused_at_the_right_place() {
    let overlays = Overlays::read(&repository().overlays()).unwrap();
    let (date, text) = documents().pop().unwrap();
    let name = format!("{date}.json");
    let document: Value = serde_json::from_str(&text).unwrap();
    for (fault, edit, message) in REAL {
        let mut document = document.clone();
        let pointer = edit(&mut document);
        let problems = import(&name, &document.to_string(), None, &overlays);
        let problems = problems.map(|_| ()).expect_err(fault);
        let named = |problem: &&Problem| problem.pointer == pointer && problem.message.contains(message);
        assert!(problems.list().iter().any(|problem| named(&problem)), "{fault} at {pointer}: {problems}");
    }
    let cut = &text[..text.len() / 2];
    let problems = import(&name, cut, None, &overlays).expect_err("half of it");
    assert_eq!(problems.list()[0].line, Some(cut.lines().count()), "{problems}");
    let problems = import(&name, &text, Some("2026-01-01"), &overlays).expect_err("another date");
    assert_eq!(problems.list()[0].pointer, "/info/version");
}
