//! What import refuses: anything that is not OpenAPI 3.0, or that the tools downstream could not treat faithfully.
//! Each check answers every problem it finds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::document::problem::{Problem, Problems};
use crate::document::tree::{Kind, Object, escape, inspect, kind_at, operations as each_operation, resolve};

/// The version must be 3.0.x before anything else is worth saying.
pub(super) fn is_openapi_3_0(source: &str, document: &Value) -> Result<(), Problems> {
    let problem = match document {
        Value::Object(object) => match object.get("openapi") {
            Some(Value::String(version)) if version.starts_with("3.0.") => return Ok(()),
            Some(version) => Problem::at("/openapi", format!("is {version}, expected \"3.0.x\"")),
            None if object.contains_key("swagger") => {
                Problem::at("/swagger", "is a Swagger 2 document, expected OpenAPI 3.0.x")
            }
            None => Problem::at("", "has no `openapi` key, expected OpenAPI 3.0.x"),
        },
        other => Problem::at("", format!("holds {}, expected an OpenAPI object", kind_of(other))),
    };
    Err(Problems::one(source, problem))
}

/// Keys that OpenAPI 3.0 does not have in their place, and objects that are not objects.
pub(super) fn constructs(document: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, expected) in [("info", "object"), ("paths", "object")] {
        if !document.get(key).is_some_and(Value::is_object) {
            problems.push(Problem::at(format!("/{key}"), format!("must be an {expected}")));
        }
    }
    inspect(document, &mut |kind, pointer, object| {
        if object.contains_key("$ref") {
            return;
        }
        for (key, value) in object {
            match kind.child(key) {
                None if key.starts_with("x-") => {}
                None => problems.push(Problem::at(
                    format!("{pointer}/{}", escape(key)),
                    format!("the key {key:?} is not one that OpenAPI 3.0 has in a {kind:?} object, or not one that is treated"),
                )),
                Some(child) => {
                    if let Some(expected) = misplaced(child, kind.extends(key), value) {
                        problems.push(Problem::at(
                            format!("{pointer}/{}", escape(key)),
                            format!("is {}, expected {expected}", kind_of(value)),
                        ));
                    }
                }
            }
        }
    });
    problems
}

/// References to parameters that say beside the reference whether the parameter is required, otherwise than it does.
/// OpenAPI ignores what stands there, and whoever reads it does not: after the overlays none may be left.
pub(super) fn required_beside(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    inspect(document, &mut |kind, pointer, object| {
        let (Some(reference), Some(beside)) = (object.get("$ref").and_then(Value::as_str), object.get("required"))
        else {
            return;
        };
        let there = resolve(document, reference).and_then(|parameter| parameter.get("required"));
        if kind == Kind::Parameter && beside != there.unwrap_or(&Value::Bool(false)) {
            found.push(pointer.to_owned());
        }
    });
    found
}

/// Those that no overlay has written out.
pub(super) fn required_lost(found: &[String], document: &Value) -> Vec<Problem> {
    let is_left = |pointer: &&String| document.pointer(pointer).is_some_and(|object| object.get("$ref").is_some());
    let problem = |pointer: &String| {
        Problem::at(
            pointer,
            "says `required` beside a reference, where OpenAPI ignores it: an overlay must write the parameter out",
        )
    };
    found.iter().filter(is_left).map(problem).collect()
}

fn misplaced(child: crate::document::tree::Child, extensible: bool, value: &Value) -> Option<&'static str> {
    use crate::document::tree::Child;
    let (fits, expected) = match child {
        Child::Leaf => (true, ""),
        Child::One(_) => (value.is_object(), "an object"),
        Child::Map(_) => (
            value.as_object().is_some_and(|map| {
                map.iter().all(|(name, value)| extensible && name.starts_with("x-") || value.is_object())
            }),
            "an object of objects",
        ),
        Child::List(_) => (value.as_array().is_some_and(|list| list.iter().all(Value::is_object)), "a list of objects"),
        Child::OneOrFlag(_) => (value.is_object() || value.is_boolean(), "an object or a boolean"),
    };
    (!fits).then_some(expected)
}

/// References that lead nowhere, outside the document, or to another kind of object; and circles of references.
pub(super) fn references(document: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    inspect(document, &mut |kind, pointer, object| {
        let Some(reference) = object.get("$ref") else { return };
        let at = format!("{pointer}/$ref");
        let Some(reference) = reference.as_str() else {
            problems.push(Problem::at(at, "must be a string"));
            return;
        };
        if !reference.starts_with("#/") {
            problems.push(Problem::at(at, format!("{reference:?} leaves the document, expected \"#/components/...\"")));
        } else if resolve(document, reference).is_none() {
            problems.push(Problem::at(at, format!("{reference:?} leads nowhere")));
        } else if kind_at(reference) != Some(kind) || kind.folder().is_none() {
            problems.push(Problem::at(at, format!("{reference:?} does not lead to a {kind:?}")));
        } else if kind != Kind::Schema && is_circular(document, reference) {
            problems.push(Problem::at(at, format!("{reference:?} leads back to itself through references alone")));
        }
    });
    problems
}

fn is_circular(document: &Value, reference: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut next = Some(reference);
    while let Some(reference) = next {
        if !seen.insert(reference) {
            return true;
        }
        next = resolve(document, reference).and_then(|value| value.get("$ref")).and_then(Value::as_str);
    }
    false
}

/// Values that have the right keys and the wrong content.
pub(super) fn shape(document: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    inspect(document, &mut |kind, pointer, object| {
        if object.contains_key("$ref") {
            return;
        }
        let mut report = |key: &str, message: String| problems.push(Problem::at(format!("{pointer}/{key}"), message));
        match kind {
            Kind::Schema => schema(object, &mut report),
            Kind::Parameter => parameter(object, &mut report),
            Kind::Operation if object.get("responses").and_then(Value::as_object).is_none_or(Object::is_empty) => {
                report("responses", "must list at least one answer".to_owned());
            }
            Kind::RequestBody if !object.get("content").is_some_and(Value::is_object) => {
                report("content", "a request body must have a content object".to_owned());
            }
            _ => {}
        }
    });
    problems
}

fn schema(object: &Object, report: &mut dyn FnMut(&str, String)) {
    const TYPES: [&str; 6] = ["string", "number", "integer", "boolean", "array", "object"];
    let name = object.get("type");
    if let Some(name) = name
        && !name.as_str().is_some_and(|name| TYPES.contains(&name))
    {
        report("type", format!("is {name}, expected one of {}", TYPES.join(", ")));
    }
    if name == Some(&Value::from("array")) && !object.contains_key("items") {
        report("items", "an array must say what its items are".to_owned());
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        if object.get(key).and_then(Value::as_array).is_some_and(Vec::is_empty) {
            report(key, "must have at least one member".to_owned());
        }
    }
    if object.get("not").is_some_and(|negated| !super::wire::only_asks_for_presence(negated)) {
        report("not", "negated schemas cannot be turned into types, other than of `required`".to_owned());
    }
    if let Some(values) = object.get("enum") {
        match values.as_array() {
            Some(values) if values.is_empty() => report("enum", "has no values".to_owned()),
            Some(values) => {
                let distinct: BTreeSet<String> = values.iter().map(Value::to_string).collect();
                if distinct.len() < values.len() {
                    report("enum", "lists a value twice".to_owned());
                }
            }
            None => report("enum", "must be a list".to_owned()),
        }
    }
    if let Some(required) = object.get("required").and_then(Value::as_array)
        && !required.iter().all(Value::is_string)
    {
        report("required", "must list names".to_owned());
    }
    for (low, high) in [("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")] {
        let limit = |key| object.get(key).and_then(Value::as_f64);
        if let (Some(low_value), Some(high_value)) = (limit(low), limit(high))
            && low_value > high_value
        {
            report(low, format!("{low_value} is above {high} {high_value}"));
        }
    }
}

fn parameter(object: &Object, report: &mut dyn FnMut(&str, String)) {
    const PLACES: [&str; 4] = ["path", "query", "header", "cookie"];
    if !object.get("name").is_some_and(Value::is_string) {
        report("name", "a parameter must have a name".to_owned());
    }
    let place = object.get("in").and_then(Value::as_str).unwrap_or_default();
    match place {
        "cookie" => report("in", "cookie parameters are not treated".to_owned()),
        place if !PLACES.contains(&place) => report("in", format!("is {place:?}, expected path, query or header")),
        "path" if object.get("required") != Some(&Value::Bool(true)) => {
            report("required", "a path parameter must be required".to_owned());
        }
        _ => {}
    }
    match (object.contains_key("schema"), object.contains_key("content")) {
        (true, false) => {}
        (false, true) => report("content", "parameters with content are not treated, expected a schema".to_owned()),
        _ => report("schema", "a parameter must have exactly one of schema and content".to_owned()),
    }
}

/// What spans an operation: its id, its path's parameters, and its answers.
pub(super) fn operations(document: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    let mut any = false;
    for (path, method, item, operation) in each_operation(document) {
        any = true;
        let at = format!("/paths/{}/{method}", escape(path));
        match operation.get("operationId").and_then(Value::as_str) {
            None | Some("") => problems.push(Problem::at(format!("{at}/operationId"), "is missing")),
            Some(id) => {
                if let Some(first) = ids.insert(id, at.clone()) {
                    problems.push(Problem::at(format!("{at}/operationId"), format!("{id:?} is also at {first}")));
                }
            }
        }
        let declared: BTreeSet<String> = [item.get("parameters"), operation.get("parameters")]
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(|parameter| follow(document, parameter))
            .filter(|parameter| parameter.get("in") == Some(&Value::from("path")))
            .filter_map(|parameter| parameter.get("name")?.as_str().map(str::to_owned))
            .collect();
        let templated: BTreeSet<String> =
            path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect();
        for name in templated.difference(&declared) {
            problems.push(Problem::at(at.clone(), format!("the path has {{{name}}}, which no parameter declares")));
        }
        for name in declared.difference(&templated) {
            problems
                .push(Problem::at(at.clone(), format!("declares the path parameter {name:?}, which the path lacks")));
        }
        let statuses: Vec<&String> =
            operation.get("responses").and_then(Value::as_object).into_iter().flat_map(Object::keys).collect();
        if let Some(status) = statuses.iter().find(|status| !is_status(status)) {
            problems.push(Problem::at(format!("{at}/responses"), format!("{status:?} is not a status")));
        }
        match statuses.iter().filter(|status| status.starts_with('2')).count() {
            1 => {}
            count => problems.push(Problem::at(
                format!("{at}/responses"),
                format!("has {count} success answers; exactly one can become the method's type"),
            )),
        }
    }
    if !any {
        problems.push(Problem::at("/paths", "has no operations"));
    }
    problems
}

fn is_status(text: &str) -> bool {
    text == "default"
        || text.len() == 3
            && text.parse::<u16>().map_or_else(
                |_| text.ends_with("XX") && text.starts_with(|first: char| ('1'..='5').contains(&first)),
                |status| (100..600).contains(&status),
            )
}

fn follow<'a>(document: &'a Value, value: &'a Value) -> Option<&'a Value> {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => resolve(document, reference),
        None => Some(value),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
