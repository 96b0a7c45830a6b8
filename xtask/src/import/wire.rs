//! Checks of what would compile and be sent or read wrongly: parameters in a form that the client does not have,
//! bodies of media types that it cannot make, values that are not of their type, names that no Rust item can have.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::document::problem::Problem;
use crate::document::tree::{Kind, Object, escape, essence, inspect, is_json, is_plain_json, operations, resolve};
use crate::regen::{argument_name, canonical_id, shared_ids};

/// Everything of that sort.
pub(super) fn problems(document: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    inspect(document, &mut |kind, pointer, object| {
        if object.contains_key("$ref") {
            return;
        }
        let mut report = |key: &str, message: String| {
            problems.push(Problem::at(format!("{pointer}/{}", escape(key)), message));
        };
        match kind {
            Kind::Schema => values(object, &mut report),
            Kind::Parameter => parameter(document, object, &mut report),
            Kind::RequestBody => request_body(document, object, &mut report),
            Kind::Server => server(object, &mut report),
            Kind::Components => component_names(object, &mut report),
            _ => {}
        }
    });
    problems.extend(operation_ids(document));
    problems
}

/// A schema that says nothing but which properties must be there, or must not.
pub(crate) fn only_asks_for_presence(schema: &Value) -> bool {
    let Some(object) = schema.as_object() else { return false };
    !object.is_empty()
        && object.iter().all(|(key, value)| match key.as_str() {
            "required" => value.is_array(),
            "type" => value == "object",
            "not" => only_asks_for_presence(value),
            "anyOf" | "oneOf" | "allOf" => {
                value.as_array().is_some_and(|members| members.iter().all(only_asks_for_presence))
            }
            _ => false,
        })
}

/// Values of an enum that are not of the schema's type.
fn values(object: &Object, report: &mut dyn FnMut(&str, String)) {
    let Some(kind) = object.get("type").and_then(Value::as_str) else { return };
    let strangers = |value: &&Value| !value.is_null() && !is_of_type(value, kind);
    if let Some(stranger) = object.get("enum").and_then(Value::as_array).into_iter().flatten().find(strangers) {
        report("enum", format!("lists {stranger}, which is not of the type {kind}"));
    }
}

/// Whether a JSON value is of a type of OpenAPI.
pub(super) fn is_of_type(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn follow<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    // A circle of references is another check's to name.
    for _ in 0..100 {
        match value.get("$ref").and_then(Value::as_str).and_then(|reference| resolve(document, reference)) {
            Some(target) => value = target,
            None => break,
        }
    }
    value
}

/// What the client sends: text as it is, lists in a query with the key repeated.
fn parameter(document: &Value, object: &Object, report: &mut dyn FnMut(&str, String)) {
    let place = object.get("in").and_then(Value::as_str).unwrap_or_default();
    let usual = if place == "query" { "form" } else { "simple" };
    if let Some(style) = object.get("style").filter(|style| *style != usual) {
        report("style", format!("is {style}; in the {place} only \"{usual}\" is sent"));
        return;
    }
    if is_set_by_the_client(object) {
        return;
    }
    let Some(schema) = object.get("schema").map(|schema| Together::of(document, schema)) else { return };
    match (schema.kind(), place) {
        (Some("array"), "query") if object.get("explode") == Some(&Value::Bool(false)) => {
            report("explode", "is false: lists are sent with their key repeated only".to_owned());
        }
        (Some("array"), "query") => match schema.items.and_then(|items| Together::of(document, items).kind()) {
            Some(kind @ ("array" | "object")) => {
                report("schema", format!("is a list of {kind}s: only lists of plain values are sent"));
            }
            Some(_) => {}
            None => {
                report("schema", "is a list of values without a type: only lists of plain values are sent".to_owned())
            }
        },
        (Some(kind @ ("array" | "object")), _) => {
            report("schema", format!("is of type {kind}: in the {place} only plain values are sent"));
        }
        (Some(kind), "header") if kind != "string" => {
            report("schema", format!("is of type {kind}: in a header only text is sent"));
        }
        (Some(_), _) => {}
        (None, _) => report("schema", format!("has no one type: in the {place} only plain values are sent")),
    }
}

/// A schema whose references are followed and whose parts are put together.
#[derive(Default)]
struct Together<'a> {
    kind: Option<&'a str>,
    items: Option<&'a Value>,
    values: Option<&'a Vec<Value>>,
    has_properties: bool,
}

impl<'a> Together<'a> {
    fn of(document: &'a Value, schema: &'a Value) -> Self {
        let mut found = Self::default();
        // A circle of references is another check's to name.
        let mut seen = BTreeSet::new();
        let mut open = vec![schema];
        while let Some(schema) = open.pop() {
            if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
                if seen.insert(reference) {
                    open.extend(resolve(document, reference));
                }
                continue;
            }
            found.kind = found.kind.or(schema.get("type").and_then(Value::as_str));
            found.items = found.items.or(schema.get("items"));
            found.values = found.values.or(schema.get("enum").and_then(Value::as_array));
            found.has_properties |= schema.get("properties").is_some() || schema.get("additionalProperties").is_some();
            open.extend(schema.get("allOf").and_then(Value::as_array).into_iter().flatten());
        }
        found
    }

    /// Its type; where it says none, that of all of its values.
    fn kind(&self) -> Option<&'a str> {
        let of_values = || {
            let values: Vec<&Value> = self.values?.iter().filter(|value| !value.is_null()).collect();
            let of_all = |kind: &&str| !values.is_empty() && values.iter().all(|value| is_of_type(value, kind));
            ["string", "boolean", "integer", "number"].into_iter().find(of_all)
        };
        self.kind.or_else(of_values).or_else(|| self.has_properties.then_some("object"))
    }
}

fn is_set_by_the_client(parameter: &Object) -> bool {
    parameter.get("name").and_then(Value::as_str).is_some_and(crate::regen::is_client_header)
}

/// JSON, a file in a form, or bytes.
fn request_body(document: &Value, object: &Object, report: &mut dyn FnMut(&str, String)) {
    let Some(content) = object.get("content").and_then(Value::as_object) else { return };
    if content.keys().any(|media| is_plain_json(media)) {
        return;
    }
    for (media, body) in content {
        let essence = essence(media);
        if is_json(media) {
            report("content", format!("is {media:?}: JSON is sent as application/json only"));
        } else if essence == "application/x-www-form-urlencoded" {
            report("content", format!("is {media:?}: forms are not sent"));
        } else if essence == "multipart/form-data" {
            let schema = body.get("schema").map(|schema| follow(document, schema));
            let properties = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
            let is_file = |schema: &Value| schema.get("format") == Some(&Value::from("binary"));
            let files = properties.into_iter().flat_map(Object::values).filter(|schema| is_file(schema)).count();
            let required = schema.and_then(|schema| schema.get("required")).and_then(Value::as_array);
            let others = required
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .find(|name| !properties.and_then(|properties| properties.get(*name)).is_some_and(is_file));
            match (files, others) {
                (1, None) => {}
                (1, Some(name)) => {
                    report("content", format!("requires {name:?} beside the file: only the file is sent"));
                }
                (files, _) => report("content", format!("has {files} files in a form: exactly one is sent")),
            }
        }
    }
}

/// A host that is put together from variables is known to nobody.
fn server(object: &Object, report: &mut dyn FnMut(&str, String)) {
    match object.get("url").and_then(Value::as_str) {
        None => report("url", "a server must have a URL".to_owned()),
        Some(url) if url.contains('{') => report("url", format!("is {url:?}: variables in it are not treated")),
        Some(_) => {}
    }
}

fn component_names(object: &Object, report: &mut dyn FnMut(&str, String)) {
    let fits = |name: &str| {
        name.chars().any(char::is_alphabetic)
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_'))
    };
    for (folder, components) in object {
        for name in components.as_object().into_iter().flat_map(Object::keys).filter(|name| !fits(name)) {
            report(folder, format!("has the component {name:?}: letters, digits, `.`, `-` and `_` make a name"));
        }
    }
}

/// Ids and parameters become functions and arguments.
fn operation_ids(document: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let shared = shared_ids(document);
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (path, method, item, operation) in operations(document) {
        let at = format!("/paths/{}/{method}", escape(path));
        let Some(id) = operation.get("operationId").and_then(Value::as_str).filter(|id| !id.is_empty()) else {
            continue;
        };
        let function = canonical_id(id, path, &shared);
        if syn::parse_str::<syn::Ident>(&function).is_err() {
            problems.push(Problem::at(format!("{at}/operationId"), format!("{id:?} cannot name a function")));
        }
        let exact = |other: &&String| document.pointer(&format!("{other}/operationId")) == Some(&Value::from(id));
        if let Some(other) = seen.insert(function.clone(), at.clone()).as_ref().filter(|other| !exact(other)) {
            let message = format!("{id:?} would be the function {function}, as is the one at {other}");
            problems.push(Problem::at(format!("{at}/operationId"), message));
        }
        for parameters in [item.get("parameters"), operation.get("parameters")] {
            for parameter in parameters.and_then(Value::as_array).into_iter().flatten() {
                let name = follow(document, parameter).get("name").and_then(Value::as_str).unwrap_or("x");
                if syn::parse_str::<syn::Ident>(&argument_name(name)).is_err() {
                    let message = format!("has the parameter {name:?}, which cannot name an argument");
                    problems.push(Problem::at(format!("{at}/parameters"), message));
                }
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The problems of a document with one operation.
    fn found(operation: Value) -> Vec<(String, String)> {
        let mut operation = operation;
        operation["operationId"] = json!("add_dog");
        let document = json!({ "paths": { "/dogs": { "post": operation } }, "components": { "schemas": {
            "List": { "type": "array", "items": { "type": "string" } },
            "Form": { "type": "object", "required": ["file"], "properties": { "file": { "type": "string", "format": "binary" } } },
            "FormWithName": { "type": "object", "required": ["file", "name"],
                "properties": { "file": { "type": "string", "format": "binary" }, "name": { "type": "string" } } }
        } } });
        problems(&document).into_iter().map(|problem| (problem.pointer, problem.message)).collect()
    }

    fn of_parameter(parameter: Value) -> Vec<(String, String)> {
        found(json!({ "parameters": [parameter] }))
    }

    #[test]
    fn parameters_that_would_be_sent_in_another_form_are_refused() {
        let list = json!({ "$ref": "#/components/schemas/List" });
        let form = json!({ "$ref": "#/components/schemas/Form" });
        let text = json!({ "type": "string" });
        for (parameter, key) in [
            (json!({ "name": "a", "in": "query", "explode": false, "schema": list }), "explode"),
            (json!({ "name": "a", "in": "query", "style": "pipeDelimited", "schema": list }), "style"),
            (json!({ "name": "a", "in": "query", "style": "deepObject", "schema": { "type": "object" } }), "style"),
            (json!({ "name": "a", "in": "query", "schema": { "type": "object" } }), "schema"),
            (json!({ "name": "a", "in": "query", "schema": { "type": "array", "items": list } }), "schema"),
            (json!({ "name": "a", "in": "query", "explode": false, "schema": { "allOf": [list] } }), "explode"),
            (json!({ "name": "a", "in": "query", "schema": {} }), "schema"),
            (json!({ "name": "a", "in": "query", "schema": { "enum": ["many", 4] } }), "schema"),
            (json!({ "name": "a", "in": "query", "schema": { "oneOf": [text, { "type": "integer" }] } }), "schema"),
            (json!({ "name": "a", "in": "query", "schema": { "type": "array", "items": {} } }), "schema"),
            (json!({ "name": "a", "in": "query", "schema": { "nullable": true, "allOf": [form] } }), "schema"),
            (json!({ "name": "a", "in": "path", "schema": { "allOf": [list] } }), "schema"),
            (json!({ "name": "a", "in": "path", "schema": list }), "schema"),
            (json!({ "name": "a", "in": "path", "style": "label", "schema": text }), "style"),
            (json!({ "name": "a", "in": "header", "schema": list }), "schema"),
            (json!({ "name": "a", "in": "header", "schema": { "type": "boolean" } }), "schema"),
        ] {
            let found = of_parameter(parameter.clone());
            assert_eq!(found.len(), 1, "{parameter}: {found:?}");
            assert_eq!(found[0].0, format!("/paths/~1dogs/post/parameters/0/{key}"), "{parameter}");
        }
        for parameter in [
            json!({ "name": "a", "in": "query", "explode": true, "style": "form", "schema": list }),
            json!({ "name": "a", "in": "query", "explode": false, "schema": text }),
            json!({ "name": "a", "in": "query", "schema": { "enum": ["one", "two", null] } }),
            json!({ "name": "a", "in": "query", "schema": { "allOf": [text], "nullable": true } }),
            json!({ "name": "a", "in": "path", "style": "simple", "schema": text }),
            json!({ "name": "Is-Synthetic-Traffic", "in": "header", "schema": { "type": "boolean" } }),
        ] {
            assert_eq!(of_parameter(parameter.clone()), [], "{parameter}");
        }
        let found = of_parameter(json!({ "name": "1", "in": "query", "schema": text }));
        assert!(found[0].1.contains("cannot name an argument"), "{found:?}");
    }

    #[test]
    fn bodies_that_cannot_be_made_are_refused() {
        let body = |media: &str, schema: &str| {
            let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
            found(json!({ "requestBody": { "content": { media: { "schema": schema } } } }))
        };
        for (media, schema, message) in [
            ("application/merge-patch+json", "List", "as application/json only"),
            ("application/json-patch+json", "List", "as application/json only"),
            ("application/x-www-form-urlencoded", "Form", "forms are not sent"),
            ("multipart/form-data", "List", "has 0 files"),
            ("multipart/form-data", "FormWithName", "requires \"name\" beside the file"),
        ] {
            let found = body(media, schema);
            assert_eq!(found.len(), 1, "{media}: {found:?}");
            assert_eq!(found[0].0, "/paths/~1dogs/post/requestBody/content");
            assert!(found[0].1.contains(message), "{media}: {found:?}");
        }
        for (media, schema) in
            [("application/json; charset=utf-8", "List"), ("text/csv", "List"), ("multipart/form-data", "Form")]
        {
            assert_eq!(body(media, schema), [], "{media}");
        }
    }

    #[test]
    fn values_hosts_and_names_that_cannot_be_are_refused() {
        let document = json!({
            "servers": [{ "url": "https://{place}.example" }, {}],
            "paths": {
                "/a": { "get": { "operationId": "getDog" }, "put": { "operationId": "get_dog" }, "post": { "operationId": "type" } }
            },
            "components": { "schemas": { "a b": {}, "A": { "type": "string", "enum": ["a", 1] }, "B": { "type": "integer", "enum": [1, null] } } }
        });
        let mut found: Vec<String> = problems(&document).into_iter().map(|problem| problem.pointer).collect();
        found.sort();
        assert_eq!(
            found,
            [
                "/components/schemas",
                "/components/schemas/A/enum",
                "/paths/~1a/post/operationId",
                "/paths/~1a/put/operationId",
                "/servers/0/url",
                "/servers/1/url"
            ]
        );
    }

    #[test]
    fn a_negation_of_presence_is_told_from_others() {
        assert!(only_asks_for_presence(&json!({ "required": ["a"] })));
        assert!(only_asks_for_presence(
            &json!({ "anyOf": [{ "required": ["a"] }, { "required": ["b"], "type": "object" }] })
        ));
        for other in [json!({}), json!({ "type": "string" }), json!({ "enum": [1] }), json!({ "properties": {} })] {
            assert!(!only_asks_for_presence(&other), "{other}");
        }
    }
}
