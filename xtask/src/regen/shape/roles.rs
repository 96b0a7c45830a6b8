//! Passes over roles: what is sent stays strict, what comes back is read with tolerance.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::unions::TAG;
use super::{ANSWER, NULLABLE, reachable, schemas, schemas_mut};
use crate::document::tree::{METHODS, schema_name, schema_ref};

/// The schemas of operations by role: sent (bodies and parameters) and received.
fn bodies(document: &Value, sent: bool) -> Vec<&Value> {
    let mut found = Vec::new();
    for item in document.get("paths").and_then(Value::as_object).into_iter().flat_map(|paths| paths.values()) {
        for operation in METHODS.into_iter().filter_map(|method| item.get(method)) {
            let keys: &[&str] = if sent { &["requestBody", "parameters"] } else { &["responses"] };
            found.extend(keys.iter().filter_map(|key| operation.get(key)));
        }
    }
    found
}

fn is_structure(schema: &Value) -> bool {
    schema.get("properties").is_some() || schema.get(TAG).is_some() || schema.get("type") == Some(&json!("object"))
}

/// A structure that is both sent and received becomes two: `X` comes back, `XInput` is sent.
/// Enums stay one type: they are open in both directions.
pub(super) fn split(document: &mut Value) -> usize {
    let sent = reachable(document, bodies(document, true));
    let received = reachable(document, bodies(document, false));
    let shared: BTreeSet<String> = sent
        .intersection(&received)
        .filter(|name| schemas(document).get(*name).is_some_and(is_structure))
        .cloned()
        .collect();
    let originals = schemas(document).clone();
    let input = |name: &str| {
        let mut input = format!("{name}Input");
        // A component of that name is another thing.
        while originals.contains_key(&input) {
            input.push_str("Other");
        }
        input
    };
    let redirect = |value: &mut Value| {
        rewrite(value, &|name| shared.contains(name).then(|| input(name)));
    };
    if let Some(components) = schemas_mut(document) {
        for name in &sent {
            if shared.contains(name) {
                if let Some(mut copy) = originals.get(name).cloned() {
                    redirect(&mut copy);
                    components.insert(input(name), copy);
                }
            } else if !received.contains(name)
                && let Some(schema) = components.get_mut(name)
            {
                redirect(schema);
            }
        }
        for name in &received {
            if let Some(schema) =
                components.get_mut(name).filter(|schema| is_structure(schema)).and_then(Value::as_object_mut)
            {
                schema.insert(ANSWER.to_owned(), json!(true));
            }
        }
    }
    for item in
        document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(|paths| paths.values_mut())
    {
        for method in METHODS {
            for key in ["requestBody", "parameters"] {
                if let Some(value) = item.get_mut(method).and_then(|operation| operation.get_mut(key)) {
                    redirect(value);
                }
            }
        }
    }
    shared.len()
}

fn rewrite(value: &mut Value, new_name: &dyn Fn(&str) -> Option<String>) {
    match value {
        Value::Object(object) => {
            let new = object.get("$ref").and_then(Value::as_str).and_then(schema_name).and_then(new_name);
            if let Some(new) = new {
                object.insert("$ref".to_owned(), json!(format!("#/components/schemas/{new}")));
            }
            object.values_mut().for_each(|value| rewrite(value, new_name));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| rewrite(value, new_name)),
        _ => {}
    }
}

/// Calls `change` for every property of every component of one role.
fn each_property(
    document: &mut Value,
    answers: bool,
    mut change: impl FnMut(&str, bool, &mut Value) -> usize,
) -> usize {
    let mut changed = 0;
    for schema in schemas_mut(document).into_iter().flat_map(|schemas| schemas.values_mut()) {
        if schema.get(ANSWER).is_some() != answers {
            continue;
        }
        let required: BTreeSet<String> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        for (name, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
            changed += change(name, required.contains(name), property);
        }
    }
    changed
}

/// Absent and null say different things in a request: the marked fields can say both.
pub(super) fn nullable_fields(document: &mut Value) -> usize {
    each_property(document, false, |_, required, property| {
        let three_ways = !required && property.get("nullable") == Some(&json!(true));
        if three_ways && let Some(property) = property.as_object_mut() {
            property.insert(NULLABLE.to_owned(), json!(true));
        }
        usize::from(three_ways)
    })
}

/// The generator leaves out optional lists that are empty, unless they may be null.
pub(super) fn clearable_lists(document: &mut Value) -> usize {
    each_property(document, false, |_, required, property| {
        let list = !required && is_list(property);
        if list && let Some(property) = property.as_object_mut() {
            property.insert("nullable".to_owned(), json!(true));
        }
        usize::from(list)
    })
}

fn is_list(property: &Value) -> bool {
    property.get("type") == Some(&json!("array")) || property.get("additionalProperties").is_some()
}

/// `required` of an answer is a promise that Cint does not always keep.
pub(super) fn tolerant_answers(document: &mut Value) -> usize {
    let changed = each_property(document, true, |_, required, property| {
        if is_list(property)
            && let Some(property) = property.as_object_mut()
        {
            property.insert("nullable".to_owned(), json!(true));
        }
        usize::from(required)
    });
    for schema in schemas_mut(document).into_iter().flat_map(|schemas| schemas.values_mut()) {
        if schema.get(ANSWER).is_some()
            && let Some(schema) = schema.as_object_mut()
        {
            schema.remove("required");
        }
    }
    changed
}

/// Cint gives one id as a number here and as text there; and a secret must not be printed by accident.
pub(super) fn ids_and_secrets(document: &mut Value) -> usize {
    let changed = each_property(document, true, |name, _, property| {
        let words: Vec<&str> = name.split(['_', '-']).collect();
        match words.as_slice() {
            [.., "id"] => usize::from(replace_scalar(property, "Id")),
            [.., "ids"] => property.get_mut("items").map_or(0, |items| usize::from(replace_scalar(items, "Id"))),
            [.., "secret"] | [.., "signed", "url"] => usize::from(replace_scalar(property, "Secret")),
            _ => 0,
        }
    });
    if let Some(components) = schemas_mut(document) {
        for name in super::HAND_WRITTEN {
            components.insert(name.to_owned(), json!({ "type": "string" }));
        }
    }
    changed
}

fn replace_scalar(schema: &mut Value, name: &str) -> bool {
    let scalar = matches!(schema.get("type").and_then(Value::as_str), Some("string" | "integer"))
        && schema.get("enum").is_none();
    if scalar {
        *schema = schema_ref(name);
    }
    scalar
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        let body = |name: &str| json!({"content": {"application/json": {"schema": schema_ref(name)}}});
        json!({
            "paths": {"/a": {"post": {"requestBody": body("Ask"), "responses": {"200": body("Answer")}}}},
            "components": {"schemas": {
                "Ask": {"type": "object", "properties": {"money": schema_ref("Money"), "state": schema_ref("State")}},
                "Answer": {"type": "object", "required": ["money"], "properties": {"money": schema_ref("Money"), "state": schema_ref("State"),
                    "account_id": {"type": "integer"}, "option_ids": {"type": "array", "items": {"type": "string"}}, "secret": {"type": "string"}}},
                "Money": {"type": "object", "required": ["value"], "properties": {"value": {"type": "string"}, "scale": {"type": "integer", "nullable": true},
                    "list": {"type": "array", "items": {"type": "string"}}}},
                "State": {"type": "string", "enum": ["a", "b"]}
            }}
        })
    }

    #[test]
    fn a_structure_of_both_roles_becomes_two() {
        let mut document = document();
        assert_eq!(split(&mut document), 1);
        let schemas = schemas(&document);
        assert_eq!(schemas["Ask"]["properties"]["money"], schema_ref("MoneyInput"));
        assert_eq!(schemas["Answer"]["properties"]["money"], schema_ref("Money"));
        assert_eq!(schemas["Ask"]["properties"]["state"], schema_ref("State"), "enums stay one type");
        assert!(schemas["Money"].get(ANSWER).is_some() && schemas["MoneyInput"].get(ANSWER).is_none());
    }

    #[test]
    fn requests_stay_strict_and_answers_become_tolerant() {
        let mut document = document();
        split(&mut document);
        assert_eq!(nullable_fields(&mut document), 1);
        assert_eq!(clearable_lists(&mut document), 1);
        assert_eq!(tolerant_answers(&mut document), 2);
        let schemas = schemas(&document);
        assert_eq!(schemas["MoneyInput"]["required"], json!(["value"]));
        assert_eq!(schemas["MoneyInput"]["properties"]["scale"][NULLABLE], true);
        assert_eq!(schemas["MoneyInput"]["properties"]["list"]["nullable"], true);
        assert!(schemas["Money"].get("required").is_none());
    }

    #[test]
    fn ids_of_answers_are_text_or_number() {
        let mut document = document();
        split(&mut document);
        assert_eq!(ids_and_secrets(&mut document), 3);
        let properties = &schemas(&document)["Answer"]["properties"];
        assert_eq!(properties["account_id"], schema_ref("Id"));
        assert_eq!(properties["option_ids"]["items"], schema_ref("Id"));
        assert_eq!(properties["secret"], schema_ref("Secret"));
    }
}
