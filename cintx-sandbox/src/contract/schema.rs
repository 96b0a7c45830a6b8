//! Turns the schema dialect of OpenAPI 3.0 into JSON Schema 2020-12.
//! One pass over a tree; the differences that matter for judging are all here.

use serde_json::{Map, Value, json};

/// Which side of an exchange a schema is read for: read-only properties are
/// required of answers alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    /// What a client sends.
    Request,
    /// What the server sends.
    Answer,
}

/// Keywords that mean the same in both dialects and hold no schemas.
const PLAIN: &[&str] = &[
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "multipleOf",
    "maximum",
    "minimum",
];

/// Formats that are checked, by the name the validator knows them under.
fn known_format(format: &str) -> Option<&'static str> {
    Some(match format {
        "ulid" | "ULID" => "ulid",
        "uuid" | "UUID" => "uuid",
        "date-time" | "datetime" => "date-time",
        "date" => "date",
        "duration" => "duration",
        "email" => "email",
        "uri" | "url" => "uri",
        "uri-reference" => "uri-reference",
        _ => return None,
    })
}

/// Converts one schema and everything below it.
pub(crate) fn convert(schema: &Value, base: &str, side: Side) -> Value {
    let Some(from) = schema.as_object() else {
        return json!(true);
    };
    let nullable = is_nullable(from);
    if let Some(target) = from.get("$ref").and_then(Value::as_str) {
        let reference = json!({ "$ref": format!("{base}{target}") });
        return if nullable { or_null(reference) } else { reference };
    }

    let mut to = Map::new();
    for key in PLAIN {
        if let Some(value) = from.get(*key) {
            to.insert((*key).to_owned(), value.clone());
        }
    }
    convert_bounds(from, &mut to);
    convert_type(from, &mut to);
    if let Some(choices) = from.get("enum") {
        to.insert("enum".into(), choices.clone());
    }
    convert_children(from, &mut to, base, side);
    if let Some(required) = from.get("required").and_then(Value::as_array) {
        let needed = needed_on(required, from, side);
        if !needed.is_empty() {
            to.insert("required".into(), Value::Array(needed));
        }
    }
    if nullable { admit_null(to) } else { Value::Object(to) }
}

/// `nullable` stands beside a type, beside a union, or alone in a member of
/// an `allOf`; all three mean that the whole value may be null.
fn is_nullable(from: &Map<String, Value>) -> bool {
    let flag = |map: &Map<String, Value>| map.get("nullable") == Some(&Value::Bool(true));
    if flag(from) {
        return true;
    }
    from.get("allOf").and_then(Value::as_array).is_some_and(|members| {
        members.iter().filter_map(Value::as_object).any(|member| {
            flag(member)
                && !["type", "$ref", "properties", "items", "oneOf", "anyOf", "allOf", "enum"]
                    .iter()
                    .any(|key| member.contains_key(*key))
        })
    })
}

fn or_null(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn admit_null(mut to: Map<String, Value>) -> Value {
    let composed = ["allOf", "anyOf", "not"].iter().any(|key| to.contains_key(*key));
    match to.get("type").cloned() {
        Some(Value::String(kind)) if !composed => {
            to.insert("type".into(), json!([kind, "null"]));
            if let Some(Value::Array(choices)) = to.get_mut("enum")
                && !choices.contains(&Value::Null)
            {
                choices.push(Value::Null);
            }
            Value::Object(to)
        }
        None if !composed && !to.contains_key("enum") => Value::Object(to),
        _ => or_null(Value::Object(to)),
    }
}

/// OpenAPI 3.0 has boolean exclusive bounds beside the inclusive ones.
fn convert_bounds(from: &Map<String, Value>, to: &mut Map<String, Value>) {
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        match from.get(flag) {
            Some(Value::Bool(true)) => {
                if let Some(limit) = to.remove(bound) {
                    to.insert(flag.into(), limit);
                }
            }
            Some(limit @ Value::Number(_)) => {
                to.insert(flag.into(), limit.clone());
            }
            _ => {}
        }
    }
}

fn convert_type(from: &Map<String, Value>, to: &mut Map<String, Value>) {
    let kind = from.get("type").and_then(Value::as_str);
    let format = from.get("format").and_then(Value::as_str);
    if let Some(kind) = kind {
        // A number with an integer format is meant as an integer.
        let whole = kind == "number" && format.is_some_and(|f| f.starts_with("int"));
        to.insert("type".into(), json!(if whole { "integer" } else { kind }));
    }
    match format {
        Some("int32") if !matches!(kind, Some("string")) => {
            to.entry("minimum").or_insert(json!(i32::MIN));
            to.entry("maximum").or_insert(json!(i32::MAX));
        }
        // One id has a UUID's format and a ULID's pattern; no text has both,
        // and the pattern says more.
        Some("uuid" | "UUID" | "ulid" | "ULID") if from.contains_key("pattern") => {}
        Some(format) => {
            if let Some(known) = known_format(format) {
                to.insert("format".into(), json!(known));
            }
        }
        None => {}
    }
}

fn convert_children(from: &Map<String, Value>, to: &mut Map<String, Value>, base: &str, side: Side) {
    if let Some(properties) = from.get("properties").and_then(Value::as_object) {
        let converted: Map<_, _> =
            properties.iter().map(|(name, schema)| (name.clone(), convert(schema, base, side))).collect();
        to.insert("properties".into(), Value::Object(converted));
    }
    if let Some(items) = from.get("items") {
        to.insert("items".into(), convert(items, base, side));
    }
    match from.get("additionalProperties") {
        Some(Value::Bool(open)) => {
            to.insert("additionalProperties".into(), json!(open));
        }
        Some(schema @ Value::Object(_)) => {
            to.insert("additionalProperties".into(), convert(schema, base, side));
        }
        _ => {}
    }
    if let Some(schema) = from.get("not") {
        to.insert("not".into(), convert(schema, base, side));
    }
    let mut all = branches(from, "allOf", base, side);
    // Branches of the documents' unions overlap, so that `oneOf` taken by the
    // letter would refuse ordinary bodies.
    let unions = [branches(from, "oneOf", base, side), branches(from, "anyOf", base, side)];
    let mut unions: Vec<_> = unions.into_iter().filter(|union| !union.is_empty()).collect();
    if unions.len() == 1 {
        if let Some(union) = unions.pop() {
            to.insert("anyOf".into(), Value::Array(union));
        }
    } else {
        all.extend(unions.into_iter().map(|union| json!({ "anyOf": union })));
    }
    if !all.is_empty() {
        to.insert("allOf".into(), Value::Array(all));
    }
}

fn branches(from: &Map<String, Value>, key: &str, base: &str, side: Side) -> Vec<Value> {
    let Some(members) = from.get(key).and_then(Value::as_array) else {
        return Vec::new();
    };
    members
        .iter()
        .map(|member| {
            let mut schema = convert(member, base, side);
            if key != "allOf" && is_empty_object(member) {
                // In a union, an object that declares "no properties" means
                // the empty object; else it would swallow every sibling.
                if let Some(map) = schema.as_object_mut() {
                    map.insert("maxProperties".into(), json!(0));
                }
            }
            schema
        })
        .collect()
}

fn is_empty_object(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object")
        && schema.get("properties").and_then(Value::as_object).is_some_and(Map::is_empty)
        && schema.get("additionalProperties").is_none()
}

/// A property that only the other side writes cannot be asked of this side.
fn needed_on(required: &[Value], from: &Map<String, Value>, side: Side) -> Vec<Value> {
    let foreign = match side {
        Side::Request => "readOnly",
        Side::Answer => "writeOnly",
    };
    required
        .iter()
        .filter(|name| {
            let property = name.as_str().and_then(|name| from.get("properties").and_then(|all| all.get(name)));
            property.and_then(|p| p.get(foreign)) != Some(&Value::Bool(true))
        })
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(schema: Value, instance: Value) -> bool {
        let converted = convert(&schema, "", Side::Request);
        jsonschema::validator_for(&converted).unwrap().is_valid(&instance)
    }

    #[test]
    fn null_is_admitted_wherever_nullable_stands() {
        for schema in [
            json!({"type": "string", "nullable": true}),
            json!({"type": "string", "enum": ["a"], "nullable": true}),
            json!({"nullable": true, "allOf": [{"type": "string"}]}),
            json!({"allOf": [{"type": "string"}, {"nullable": true}]}),
            json!({"nullable": true, "oneOf": [{"type": "string"}, {"type": "integer"}]}),
        ] {
            assert!(valid(schema.clone(), Value::Null), "{schema}");
            assert!(valid(schema.clone(), json!("a")), "{schema}");
            assert!(!valid(schema.clone(), json!({})), "{schema}");
        }
        assert!(!valid(json!({"type": "string"}), Value::Null));
        assert!(!valid(json!({"type": "string", "nullable": false}), Value::Null));
    }

    #[test]
    fn overlapping_branches_are_accepted() {
        let schema = json!({"oneOf": [{"type": "number"}, {"type": "integer"}]});
        assert!(valid(schema, json!(3)));
    }

    #[test]
    fn an_empty_branch_means_the_empty_object() {
        let schema = json!({"oneOf": [
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
            {"type": "object", "nullable": true, "properties": {}}
        ]});
        assert!(valid(schema.clone(), json!({})));
        assert!(valid(schema.clone(), Value::Null));
        assert!(valid(schema.clone(), json!({"a": 1})));
        assert!(!valid(schema, json!({"b": 1})));
    }

    #[test]
    fn bounds_formats_and_whole_numbers() {
        let schema = json!({"type": "number", "minimum": 0, "exclusiveMinimum": true});
        assert!(!valid(schema.clone(), json!(0)));
        assert!(valid(schema, json!(0.1)));
        let goal = json!({"type": "number", "format": "int", "minimum": 1});
        assert!(valid(goal.clone(), json!(5)));
        assert!(!valid(goal, json!(5.5)));
        assert!(!valid(json!({"type": "integer", "format": "int32"}), json!(3_000_000_000_i64)));
        let rate = json!({"type": "number", "multipleOf": 0.01});
        for hundredths in 0..=100 {
            let text = format!("0.{hundredths:02}");
            let value: Value = serde_json::from_str(if hundredths == 100 { "1" } else { &text }).unwrap();
            assert!(valid(rate.clone(), value.clone()), "{value}");
        }
        assert!(!valid(rate, json!(0.123)));
    }

    #[test]
    fn boolean_required_is_ignored_and_read_only_is_for_answers() {
        assert!(valid(json!({"type": "string", "required": true}), json!("x")));
        let schema = json!({
            "type": "object", "required": ["id"],
            "properties": {"id": {"type": "string", "readOnly": true}}
        });
        assert!(valid(schema.clone(), json!({})));
        let answer = convert(&schema, "", Side::Answer);
        assert!(!jsonschema::validator_for(&answer).unwrap().is_valid(&json!({})));
    }
}
