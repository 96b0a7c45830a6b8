//! Passes over allOf: one schema in place of several, with `nullable` where the generator sees it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{schemas, schemas_mut};
use crate::document::tree::{Kind, Object, schema_name, walk};

/// Follows references until something else stands there.
pub(super) fn dereference<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    // References cannot be circular: import refuses it.
    while let Some(target) =
        schema.get("$ref").and_then(Value::as_str).and_then(schema_name).and_then(|name| schemas(document).get(name))
    {
        schema = target;
    }
    schema
}

/// A union beside properties of its own says that every branch has them: an allOf of both.
pub(super) fn union_siblings(document: &mut Value) -> usize {
    let mut changed = 0;
    walk(document, &mut |kind, _, object| {
        let union: Vec<&str> = ["oneOf", "anyOf"].into_iter().filter(|key| object.contains_key(*key)).collect();
        if kind != Kind::Schema
            || union.is_empty()
            || !(object.contains_key("properties") || object.contains_key("allOf"))
        {
            return;
        }
        let mut union: Object =
            union.into_iter().filter_map(|key| Some((key.to_owned(), object.remove(key)?))).collect();
        union.extend(object.remove("discriminator").map(|value| ("discriminator".to_owned(), value)));
        let nullable = object.remove("nullable");
        let own = Value::Object(std::mem::take(object));
        object.insert("allOf".to_owned(), json!([own, union]));
        object.extend(nullable.map(|value| ("nullable".to_owned(), value)));
        changed += 1;
    });
    changed
}

/// Merges every allOf, innermost first, until none is left but nullable references.
pub(super) fn all_of(document: &mut Value) -> usize {
    let mut total = 0;
    loop {
        let original = document.clone();
        let mut changed = 0;
        walk(document, &mut |kind, _, object| {
            if kind == Kind::Schema && object.contains_key("allOf") && !is_nullable_reference(object) {
                *object = merged(&original, object);
                changed += 1;
            }
        });
        total += changed;
        if changed == 0 {
            return total;
        }
    }
}

fn is_nullable_reference(object: &Object) -> bool {
    let one = object
        .get("allOf")
        .and_then(Value::as_array)
        .is_some_and(|members| members.len() == 1 && members[0].get("$ref").is_some());
    one && object.len() == 2 && object.get("nullable") == Some(&json!(true))
}

fn merged(document: &Value, object: &Object) -> Object {
    let mut members: Vec<Value> = object.get("allOf").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut own = object.clone();
    own.remove("allOf");
    let mut nullable = own.remove("nullable").is_some_and(|flag| flag == json!(true));
    if !own.is_empty() {
        members.push(Value::Object(own));
    }
    members.retain(|member| {
        nullable |= member == &json!({ "nullable": true });
        member != &json!({}) && member != &json!({ "nullable": true })
    });
    let mut result = match members.as_slice() {
        [] => Object::new(),
        [only] if only.get("$ref").is_some() && nullable => {
            let mut object = Object::new();
            object.insert("allOf".to_owned(), json!([only]));
            object
        }
        [Value::Object(only)] => only.clone(),
        several => {
            let members: Vec<&Value> = several.iter().map(|member| dereference(document, member)).collect();
            match members.iter().position(|member| member.get("oneOf").or_else(|| member.get("anyOf")).is_some()) {
                Some(union) => distribute(document, &members, union),
                None => merge_objects(&members),
            }
        }
    };
    if nullable {
        result.insert("nullable".to_owned(), json!(true));
    }
    result
}

/// `allOf [A, oneOf [B, C]]` is `oneOf [A+B, A+C]`.
fn distribute(document: &Value, members: &[&Value], union: usize) -> Object {
    let branches = members[union].get("oneOf").or_else(|| members[union].get("anyOf")).and_then(Value::as_array);
    let merged: Vec<Value> = branches
        .into_iter()
        .flatten()
        .map(|branch| {
            let mut parts: Vec<Value> = members
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != union)
                .map(|(_, member)| (*member).clone())
                .collect();
            parts.push(dereference(document, branch).clone());
            json!({ "allOf": parts })
        })
        .collect();
    let mut object = Object::new();
    object.insert("oneOf".to_owned(), Value::Array(merged));
    object
}

/// One schema with every property, and everything required that any part requires.
/// Parts of a plain value or a list stay one; import refuses parts that contradict one another.
fn merge_objects(members: &[&Value]) -> Object {
    let mut properties = Object::new();
    let mut required = BTreeSet::new();
    let mut rest = Object::new();
    for member in members {
        for (key, value) in member.as_object().into_iter().flatten() {
            match key.as_str() {
                "properties" => {
                    for (name, schema) in value.as_object().into_iter().flatten() {
                        // The more telling of two descriptions of one property.
                        if properties.get(name).is_none_or(|other: &Value| other == &json!({})) || schema != &json!({})
                        {
                            properties.insert(name.clone(), schema.clone());
                        }
                    }
                }
                "required" => {
                    required.extend(value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned))
                }
                "type" if rest.get("type") == Some(&json!("integer")) && value == "number" => {}
                "enum" => {
                    let both = |values: &[Value], other: &Value| {
                        let of_other = other.as_array().map_or(&[][..], Vec::as_slice);
                        values.iter().filter(|value| of_other.contains(value)).cloned().collect::<Vec<_>>()
                    };
                    let values = match rest.get("enum").and_then(Value::as_array) {
                        Some(values) => json!(both(values, value)),
                        None => value.clone(),
                    };
                    rest.insert("enum".to_owned(), values);
                }
                _ => {
                    rest.insert(key.clone(), value.clone());
                }
            }
        }
    }
    let plain = rest.get("type").is_some_and(|kind| kind != "object") && properties.is_empty();
    if !plain {
        rest.insert("type".to_owned(), json!("object"));
    }
    if !properties.is_empty() {
        rest.insert("properties".to_owned(), Value::Object(properties));
    }
    if !required.is_empty() && !plain {
        rest.insert("required".to_owned(), json!(required));
    }
    rest
}

/// A nullable component would be a newtype over `Option`; the places that refer to it are nullable instead.
pub(super) fn nullable_components(document: &mut Value) -> usize {
    let mut names = BTreeSet::new();
    if let Some(components) = schemas_mut(document) {
        for (name, schema) in components.iter_mut() {
            if let Some(object) = schema.as_object_mut()
                && object.get("nullable") == Some(&json!(true))
            {
                object.remove("nullable");
                if object.contains_key("allOf") {
                    let only =
                        object.get("allOf").and_then(|members| members.get(0)).and_then(Value::as_object).cloned();
                    *object = only.unwrap_or_default();
                }
                names.insert(name.clone());
            }
        }
    }
    walk(document, &mut |kind, _, object| {
        let refers =
            object.get("$ref").and_then(Value::as_str).and_then(schema_name).is_some_and(|name| names.contains(name));
        if kind == Kind::Schema && refers {
            let reference = Value::Object(object.clone());
            *object = Object::new();
            object.insert("allOf".to_owned(), json!([reference]));
            object.insert("nullable".to_owned(), json!(true));
        }
    });
    // The walk made references inside nullable references: fold them back.
    walk(document, &mut |kind, _, object| {
        if kind == Kind::Schema
            && let Some(inner) =
                object.get("allOf").and_then(|members| members.get(0)).filter(|member| member.get("allOf").is_some())
        {
            *object = inner.as_object().cloned().unwrap_or_default();
        }
    });
    names.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flattened(schema: Value) -> Value {
        let mut document = json!({"components": {"schemas": {
            "A": schema,
            "B": {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]},
            "U": {"oneOf": [{"$ref": "#/components/schemas/B"}, {"type": "object", "properties": {"c": {"type": "string"}}}]}
        }}});
        all_of(&mut document);
        document["components"]["schemas"]["A"].clone()
    }

    #[test]
    fn one_member_stands_for_itself() {
        assert_eq!(
            flattened(json!({"allOf": [{"$ref": "#/components/schemas/B"}, {}]})),
            json!({"$ref": "#/components/schemas/B"})
        );
        let nullable = json!({"allOf": [{"$ref": "#/components/schemas/B"}], "nullable": true});
        assert_eq!(flattened(nullable.clone()), nullable);
        assert_eq!(
            flattened(json!({"allOf": [{"nullable": true}, {"type": "string"}]})),
            json!({"type": "string", "nullable": true})
        );
    }

    #[test]
    fn several_objects_become_one() {
        let schema = json!({"allOf": [{"$ref": "#/components/schemas/B"}, {"properties": {"a": {"type": "integer"}}, "required": ["a"]}]});
        assert_eq!(
            flattened(schema),
            json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a", "b"]})
        );
    }

    #[test]
    fn several_parts_of_a_plain_value_stay_one() {
        let values = |values: Value| json!({"type": "string", "enum": values});
        assert_eq!(
            flattened(json!({"allOf": [values(json!(["a", "b", "c"])), values(json!(["b", "c", "d"]))]})),
            values(json!(["b", "c"]))
        );
        assert_eq!(flattened(json!({"allOf": [{"type": "integer"}, {"type": "number"}]})), json!({"type": "integer"}));
        let list = json!({"type": "array", "items": {"type": "string"}});
        assert_eq!(flattened(json!({"allOf": [list, {"type": "array"}]})), list);
    }

    #[test]
    fn a_union_inside_is_distributed() {
        let schema = flattened(
            json!({"allOf": [{"$ref": "#/components/schemas/U"}, {"properties": {"a": {"type": "integer"}}}]}),
        );
        let branches = schema["oneOf"].as_array().unwrap();
        assert_eq!(branches.len(), 2);
        assert!(branches.iter().all(|branch| branch["properties"]["a"]["type"] == "integer"));
    }

    #[test]
    fn a_union_beside_properties_gives_them_to_every_branch() {
        let branch =
            |name: &str| json!({"type": "object", "properties": {name: {"type": "string"}}, "required": [name]});
        let mut document = json!({"components": {"schemas": {"A": {
            "type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "anyOf": [branch("b"), branch("c")]
        }}}});
        assert_eq!(union_siblings(&mut document), 1);
        all_of(&mut document);
        let branches = document["components"]["schemas"]["A"]["oneOf"].as_array().unwrap();
        assert_eq!(branches.len(), 2);
        assert!(branches.iter().all(|branch| branch["properties"]["a"]["type"] == "integer"));
        assert_eq!(branches[1]["required"], json!(["a", "c"]));
    }

    #[test]
    fn nullable_moves_to_the_reference() {
        let mut document = json!({"components": {"schemas": {
            "N": {"type": "string", "nullable": true},
            "A": {"properties": {"n": {"$ref": "#/components/schemas/N"}}}
        }}});
        assert_eq!(nullable_components(&mut document), 1);
        assert_eq!(document["components"]["schemas"]["N"], json!({"type": "string"}));
        assert_eq!(
            document["components"]["schemas"]["A"]["properties"]["n"],
            json!({"allOf": [{"$ref": "#/components/schemas/N"}], "nullable": true})
        );
    }
}
