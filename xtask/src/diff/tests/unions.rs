//! Each property that stands beside a union in a real document, changed in ways whose class is known.

use serde_json::{Value, json};

use crate::diff::reach::Reach;
use crate::diff::view::{View, prepared};
use crate::diff::{Difference, Effect, between_prepared};
use crate::document::tree::{Kind, inspect};
use crate::fixture::documents;

/// Pointers of the schemas that have properties beside a union and are used, with whether they are sent.
fn places(document: &Value) -> Vec<(String, bool)> {
    let roles = Reach::of(document).roles();
    let mut found = Vec::new();
    inspect(document, &mut |kind, pointer, object| {
        let role = pointer.split('/').nth(3).and_then(|name| roles.get(name)).copied();
        let has = |key: &str| object.get(key).is_some();
        if kind == Kind::Schema && has("properties") && (has("oneOf") || has("anyOf")) {
            found.extend(role.map(|(sent, _)| (pointer.to_owned(), sent)));
        }
    });
    found
}

fn changed(document: &Value, pointer: &str, edit: impl FnOnce(&mut Value)) -> Difference {
    let mut new = document.clone();
    edit(new.pointer_mut(pointer).unwrap());
    between_prepared(("old", document), ("new", &new))
}

#[test]
fn what_stands_beside_a_union_of_a_real_document_is_compared() {
    let mut tried = 0;
    for (date, text) in documents() {
        let document = prepared(&serde_json::from_str(&text).unwrap());
        for (place, is_sent) in places(&document) {
            let schema = document.pointer(&place).unwrap();
            let judge = |what: &str, difference: &Difference, expected: Effect| {
                let worst = difference.changes.iter().map(super::super::Change::worst).min();
                assert_eq!(worst, Some(expected), "{date} {place}: {what}: {:?}", difference.changes);
            };
            for (name, property) in schema["properties"].as_object().unwrap() {
                let gone = changed(&document, &place, |schema| {
                    schema["properties"].as_object_mut().unwrap().remove(name);
                });
                judge(&format!("{name} is gone"), &gone, Effect::Compilation);
                let other = match View::of(&document, property).kind {
                    Some("boolean") => json!({ "type": "number" }),
                    _ => json!({ "type": "boolean" }),
                };
                let retyped = changed(&document, &place, |schema| schema["properties"][name] = other);
                judge(&format!("{name} has another type"), &retyped, Effect::Compilation);
                tried += 2;
                if property["enum"].as_array().is_some_and(|values| values.len() > 1) {
                    let fewer = changed(&document, &place, |schema| {
                        schema["properties"][name]["enum"].as_array_mut().unwrap().pop();
                    });
                    judge(&format!("{name} has fewer values"), &fewer, Effect::Compilation);
                    tried += 1;
                }
            }
            let whiskers = |schema: &mut Value| schema["properties"]["whiskers"] = json!({ "type": "string" });
            judge("a property more", &changed(&document, &place, whiskers), Effect::Additive);
            let demanded = changed(&document, &place, |schema| {
                whiskers(schema);
                let schema = schema.as_object_mut().unwrap();
                schema.entry("required").or_insert_with(|| json!([])).as_array_mut().unwrap().push(json!("whiskers"));
            });
            let expected = if is_sent { Effect::Compilation } else { Effect::Additive };
            judge("a required property more", &demanded, expected);
            tried += 2;
        }
    }
    assert!(tried > 30, "only {tried} were tried");
}
