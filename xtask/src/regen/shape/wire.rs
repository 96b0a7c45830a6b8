//! Passes over values: what a field's type is on the wire, with limits left to be checked as data.

use serde_json::{Value, json};

use super::{FACTS, schemas, schemas_mut};
use crate::document::tree::{Kind, schema_name, walk};

/// Calls `change` for every schema.
fn each(document: &mut Value, mut change: impl FnMut(&mut crate::document::tree::Object) -> usize) -> usize {
    let mut changed = 0;
    walk(document, &mut |kind, _, object| {
        if kind == Kind::Schema {
            changed += change(object);
        }
    });
    changed
}

/// What the document says about a value beyond its type, in a few words for the field's documentation.
fn facts(schema: &crate::document::tree::Object) -> String {
    let number = |key: &str| schema.get(key).filter(|value| value.is_number());
    let range = |low: Option<&Value>, high: Option<&Value>| match (low, high) {
        (Some(low), Some(high)) if low == high => Some(low.to_string()),
        (Some(low), Some(high)) => Some(format!("{low} to {high}")),
        (Some(low), None) => Some(format!("at least {low}")),
        (None, Some(high)) => Some(format!("at most {high}")),
        (None, None) => None,
    };
    let mut facts = Vec::new();
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => {
            let format = schema.get("format").and_then(Value::as_str).map(str::to_ascii_lowercase);
            facts.extend(format.filter(|format| format != "binary").map(|format| format!("format `{format}`")));
            facts.extend(range(number("minLength"), number("maxLength")).map(|range| format!("{range} characters")));
            facts.extend(schema.get("pattern").and_then(Value::as_str).map(|pattern| format!("pattern `{pattern}`")));
        }
        Some("integer" | "number") => {
            facts.extend(range(number("minimum"), number("maximum")));
            facts.extend(number("multipleOf").map(|step| format!("in steps of {step}")));
        }
        Some("array") => {
            facts.extend(range(number("minItems"), number("maxItems")).map(|range| format!("{range} items")))
        }
        _ => return String::new(),
    }
    facts.extend(schema.get("default").map(|default| format!("`{default}` if left out")));
    facts.join(", ")
}

/// A limit in a type turns a value that Cint widens into a decode failure.
pub(super) fn no_limits(document: &mut Value) -> usize {
    const LIMITS: [&str; 18] = [
        "multipleOf",
        "maximum",
        "exclusiveMaximum",
        "minimum",
        "exclusiveMinimum",
        "maxLength",
        "minLength",
        "pattern",
        "maxItems",
        "minItems",
        "uniqueItems",
        "maxProperties",
        "minProperties",
        "default",
        "readOnly",
        "writeOnly",
        "deprecated",
        "discriminator",
    ];
    each(document, |schema| {
        let facts = facts(schema);
        let before = schema.len();
        schema.retain(|key, _| !LIMITS.contains(&key.as_str()));
        if schema.get("format").is_some_and(|format| format != "binary") {
            schema.remove("format");
        }
        if schema.get("type") == Some(&json!("integer")) {
            // Without a format the generator narrows by limits; goals and money fit 64 bits.
            schema.insert("format".to_owned(), json!("int64"));
        }
        let dropped = before.saturating_sub(schema.len());
        if !facts.is_empty() {
            schema.insert(FACTS.to_owned(), json!(facts));
        }
        dropped
    })
}

pub(super) fn open_objects(document: &mut Value) -> usize {
    each(document, |schema| {
        let closed = schema.get("additionalProperties") == Some(&json!(false));
        usize::from(closed && schema.remove("additionalProperties").is_some())
    })
}

/// Enums that say nothing as a type of their own. Tags of unions are gone by now: the union itself holds them.
pub(super) fn plain_scalars(document: &mut Value) -> usize {
    each(document, |schema| {
        let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) else { return 0 };
        let before = values.len();
        values.retain(|value| !value.is_null());
        let has_null = values.len() < before;
        let plain = values.len() < 2 || !values.iter().all(Value::is_string);
        let kind = match values.first() {
            Some(Value::Bool(_)) => "boolean",
            Some(Value::Number(_)) => "number",
            _ => "string",
        };
        if has_null {
            schema.insert("nullable".to_owned(), json!(true));
        }
        schema.entry("type").or_insert_with(|| json!(kind));
        usize::from(plain && schema.remove("enum").is_some())
    })
}

/// A newtype over text that only one place uses is in the way; ids get their own treatment.
pub(super) fn inline_plain_components(document: &mut Value) -> usize {
    let plain = |schema: &Value| {
        let kind = schema.get("type").and_then(Value::as_str);
        match kind {
            Some("string" | "integer" | "number" | "boolean") => schema.get("enum").is_none(),
            Some("array") => true,
            Some(_) => false,
            None => !["oneOf", "allOf", "properties", "$ref"].iter().any(|key| schema.get(key).is_some()),
        }
    };
    let mut changed = 0;
    loop {
        let components: serde_json::Map<String, Value> = schemas(document)
            .iter()
            .filter(|(_, schema)| plain(schema) || is_reference(schema))
            .map(|(name, schema)| (name.clone(), schema.clone()))
            .collect();
        let inlined = each(document, |schema| {
            // Children come first: a nullable reference may hold the plain schema by now.
            if let Some(Value::Object(member)) = schema.get("allOf").and_then(|members| members.get(0))
                && !member.contains_key("$ref")
            {
                let mut member = member.clone();
                member.insert("nullable".to_owned(), json!(true));
                *schema = member;
                return 0;
            }
            let name = schema.get("$ref").and_then(Value::as_str).and_then(schema_name);
            let Some(Value::Object(target)) = name.and_then(|name| components.get(name)) else { return 0 };
            *schema = target.clone();
            1
        });
        changed += inlined;
        if inlined == 0 {
            break;
        }
    }
    let is_plain: Vec<String> =
        schemas(document).iter().filter(|(_, schema)| plain(schema)).map(|(name, _)| name.clone()).collect();
    if let Some(components) = schemas_mut(document) {
        components.retain(|name, _| !is_plain.contains(name));
    }
    changed
}

fn is_reference(schema: &Value) -> bool {
    schema.get("$ref").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(schema: Value) -> Value {
        json!({"components": {"schemas": {"A": schema}}})
    }

    #[test]
    fn limits_and_formats_are_no_part_of_a_type() {
        let mut document = with(json!({"properties": {
            "a": {"type": "string", "format": "uuid", "maxLength": 36},
            "b": {"type": "integer", "minimum": 1},
            "c": {"type": "string", "format": "binary"}
        }}));
        assert!(no_limits(&mut document) > 0);
        assert_eq!(
            document["components"]["schemas"]["A"]["properties"],
            json!({"a": {"type": "string", "x-cintx-facts": "format `uuid`, at most 36 characters"}, "b": {"type": "integer", "format": "int64", "x-cintx-facts": "at least 1"}, "c": {"type": "string", "format": "binary"}})
        );
    }

    #[test]
    fn closed_objects_open() {
        let mut document = with(json!({"additionalProperties": false}));
        assert_eq!(open_objects(&mut document), 1);
        assert_eq!(open_objects(&mut with(json!({"additionalProperties": {"type": "string"}}))), 0);
    }

    #[test]
    fn enums_of_one_value_or_of_flags_are_plain() {
        let mut document = with(json!({"enum": ["a"], "type": "string"}));
        assert_eq!(plain_scalars(&mut document), 1);
        let mut document = with(json!({"enum": [true]}));
        plain_scalars(&mut document);
        assert_eq!(document, with(json!({"type": "boolean"})));
        let mut document = with(json!({"enum": ["a", "b", null], "type": "string"}));
        assert_eq!(plain_scalars(&mut document), 0);
        assert_eq!(document, with(json!({"enum": ["a", "b"], "nullable": true, "type": "string"})));
    }

    #[test]
    fn plain_components_come_in_place_and_keep_null() {
        let mut document = json!({"components": {"schemas": {
            "Name": {"type": "string"},
            "A": {"type": "object", "properties": {"n": {"allOf": [{"$ref": "#/components/schemas/Name"}], "nullable": true}}}
        }}});
        assert_eq!(inline_plain_components(&mut document), 1);
        assert_eq!(
            document["components"]["schemas"],
            json!({"A": {"type": "object", "properties": {"n": {"type": "string", "nullable": true}}}})
        );
    }
}
