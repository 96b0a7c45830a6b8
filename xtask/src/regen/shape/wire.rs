//! Passes over values: what a field's type is on the wire, with limits left to be checked as data.

use heck::ToUpperCamelCase as _;
use serde_json::{Value, json};

use super::{FACTS, VALUES, schemas, schemas_mut};
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
        let all = |fits: fn(&Value) -> bool| values.iter().all(fits);
        let kind = match values.first() {
            Some(_) if all(Value::is_string) => Some("string"),
            Some(_) if all(Value::is_boolean) => Some("boolean"),
            Some(_) if all(|value| value.is_i64() || value.is_u64()) => Some("integer"),
            Some(_) if all(Value::is_number) => Some("number"),
            // Values of several kinds have no type in common; of null alone nothing is known.
            _ => None,
        };
        if has_null {
            schema.insert("nullable".to_owned(), json!(true));
        }
        match kind {
            Some(kind) => {
                if !schema.contains_key("type") && kind == "integer" {
                    schema.insert("format".to_owned(), json!("int64"));
                }
                schema.entry("type").or_insert_with(|| json!(kind));
            }
            None if schema.contains_key("type") => {}
            None => {
                // Null is one of the values that "any JSON value" holds.
                schema.remove("nullable");
            }
        }
        usize::from(plain && schema.remove("enum").is_some())
    })
}

/// The names of the values of enums whose values would be no names, or the same one, to the generator.
pub(super) fn enum_names(document: &mut Value) -> usize {
    each(document, |schema| {
        let Some(values) = schema.get("enum").and_then(Value::as_array) else { return 0 };
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        let mut taken = std::collections::BTreeSet::from(["Unknown".to_owned()]);
        let usual: Vec<String> = values.iter().map(|value| value.replace('\'', "").to_upper_camel_case()).collect();
        let starts = |name: &String| name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.is_ascii();
        if usual.iter().all(|name| starts(name) && name != "Self" && taken.insert(name.clone())) {
            return 0;
        }
        taken.retain(|name| name == "Unknown");
        let mut named = serde_json::Map::new();
        for (value, usual) in values.iter().zip(usual) {
            let mut name = usual;
            if name == "Self" || name == "Unknown" {
                name.push_str("Value");
            }
            if !starts(&name) || taken.contains(&name) {
                // Its letters one by one: the same name whatever else is listed.
                let letters: Vec<String> = value.chars().map(|letter| format!("{:x}", u32::from(letter))).collect();
                let plain = if starts(&name) { name.as_str() } else { "" };
                name = format!("{plain}U{}", letters.join("x"));
            }
            while !taken.insert(name.clone()) {
                name.push('2');
            }
            named.insert(name, json!(value));
        }
        let count = named.len();
        schema.insert("enum".to_owned(), named.keys().cloned().collect());
        schema.insert(VALUES.to_owned(), Value::Object(named));
        count
    })
}

/// Alternatives that only say which properties must be there, and negations of that: no type can hold them.
/// They stay in the imported document, where requests are held against it, and in the documentation of the type.
pub(super) fn presence(document: &mut Value) -> usize {
    each(document, |schema| {
        let mut changed = usize::from(schema.remove("not").is_some());
        for (key, amount) in [("oneOf", "exactly one"), ("anyOf", "at least one")] {
            let Some(branches) = schema.get(key).and_then(Value::as_array) else { continue };
            if !branches.iter().all(crate::import::only_asks_for_presence) && !branches.iter().all(is_bare) {
                continue;
            }
            let names: std::collections::BTreeSet<&str> = branches
                .iter()
                .filter_map(|branch| branch.get("required")?.as_array())
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
            let alone =
                |branch: &Value| branch.get("required").and_then(Value::as_array).is_none_or(|names| names.len() < 2);
            let fact = match branches.iter().all(alone) {
                true => format!("{amount} of {} is there", names.join(", ")),
                false => format!("{} depend on one another", names.join(", ")),
            };
            schema.remove(key);
            schema.insert(FACTS.to_owned(), json!(fact));
            changed += 1;
        }
        changed
    })
}

/// What is left of a branch that asked for presence once its negation is gone.
fn is_bare(branch: &Value) -> bool {
    branch.as_object().is_some_and(|object| {
        object.contains_key("required") && object.keys().all(|key| key == "required" || key == "type")
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
    fn enums_without_a_type_get_the_one_of_their_values() {
        for (values, left) in [
            (json!(["a", "b"]), json!({"type": "string", "enum": ["a", "b"]})),
            (json!([1, 2]), json!({"type": "integer", "format": "int64"})),
            (json!([1, 2.5, null]), json!({"type": "number", "nullable": true})),
            (json!(["a", 1]), json!({})),
            (json!([true, "a", null]), json!({})),
        ] {
            let mut document = with(json!({ "enum": values }));
            plain_scalars(&mut document);
            assert_eq!(document, with(left), "{values}");
        }
    }

    #[test]
    fn values_that_are_no_names_get_one_that_stays() {
        let named = |values: Value| {
            let mut document = with(json!({"type": "string", "enum": values}));
            enum_names(&mut document);
            document["components"]["schemas"]["A"].clone()
        };
        assert_eq!(named(json!(["Live", "paused"])), json!({"type": "string", "enum": ["Live", "paused"]}));
        let cases = named(json!(["Live", "live"]));
        assert_eq!(cases["enum"], json!(["Live", "LiveU6cx69x76x65"]));
        assert_eq!(cases[VALUES], json!({"Live": "Live", "LiveU6cx69x76x65": "live"}));
        let symbols = named(json!(["<", ">=", "", "Unknown", "self"]));
        assert_eq!(
            symbols[VALUES],
            json!({"U3c": "<", "U3ex3d": ">=", "U": "", "UnknownValue": "Unknown", "SelfValue": "self"})
        );
    }

    #[test]
    fn alternatives_of_presence_become_words() {
        let properties = json!({"a": {"type": "string"}, "b": {"type": "string"}});
        let not_both = json!({"required": ["a", "b"]});
        for (schema, fact) in [
            (json!({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}), "exactly one of `a`, `b` is there"),
            (
                json!({"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "not": not_both}),
                "at least one of `a`, `b` is there",
            ),
            (
                json!({"oneOf": [{"required": ["a"], "not": {"required": ["b"]}}, {"required": ["b"], "not": {"required": ["a"]}}]}),
                "exactly one of `a`, `b` is there",
            ),
            (json!({"oneOf": [{"required": ["a", "b"]}, {"required": ["b"]}]}), "`a`, `b` depend on one another"),
        ] {
            let mut schema = schema;
            schema["properties"] = properties.clone();
            let mut document = with(schema);
            presence(&mut document);
            assert_eq!(document, with(json!({"properties": properties, FACTS: fact})));
        }
        let mut other = with(json!({"oneOf": [{"required": ["a"], "properties": {}}, {"type": "string"}]}));
        assert_eq!(presence(&mut other), 0);
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
