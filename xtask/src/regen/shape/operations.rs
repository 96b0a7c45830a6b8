//! Passes over operations: what a method takes and what it answers.

use serde_json::{Value, json};

use crate::document::tree::{Kind, METHODS, json_of, resolve, walk};

/// Request headers that are no arguments of methods, in lower case.
const CLIENT_HEADERS: [&str; 9] = [
    "accept",
    "authorization",
    "cint-api-version",
    "content-type",
    "is-synthetic-traffic",
    "run-as-of",
    "traceparent",
    "tracestate",
    "x-correlation-id",
];

/// Those of them that are never sent.
const HEADERS_NOT_SENT: [&str; 4] = ["is-synthetic-traffic", "run-as-of", "tracestate", "x-correlation-id"];

/// Whether no caller sets this request header: a client sends it by itself, or nobody does.
pub(crate) fn is_client_header(name: &str) -> bool {
    CLIENT_HEADERS.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether nobody sends this request header: a document that requires it is beyond the client.
pub(crate) fn is_never_sent(name: &str) -> bool {
    HEADERS_NOT_SENT.contains(&name.to_ascii_lowercase().as_str())
}

/// Calls `change` for every operation, with the parameters that its path shares.
fn each(document: &mut Value, mut change: impl FnMut(&mut Value) -> usize) -> usize {
    let mut changed = 0;
    for item in
        document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(|paths| paths.values_mut())
    {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method) {
                changed += change(operation);
            }
        }
    }
    changed
}

/// Puts parameters, request bodies, answers and headers of components in place, and a path's parameters into its operations.
pub(crate) fn inline_references(document: &mut Value) -> usize {
    let original = document.clone();
    let mut changed = 0;
    walk(document, &mut |kind, _, object| {
        if kind != Kind::Schema
            && let Some(reference) = object.get("$ref").and_then(Value::as_str)
            && let Some(Value::Object(target)) = resolve(&original, reference)
        {
            *object = target.clone();
            changed += 1;
        }
    });
    for item in
        document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(|paths| paths.values_mut())
    {
        let shared = item.as_object_mut().and_then(|item| item.remove("parameters"));
        let shared: Vec<Value> = shared.and_then(|list| list.as_array().cloned()).unwrap_or_default();
        for method in METHODS {
            let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) else { continue };
            let own = operation.entry("parameters").or_insert_with(|| json!([]));
            let Some(own) = own.as_array_mut() else { continue };
            for parameter in &shared {
                // A parameter of the operation replaces the path's of the same name and place.
                if !own.iter().any(|other| other["name"] == parameter["name"] && other["in"] == parameter["in"]) {
                    own.push(parameter.clone());
                    changed += 1;
                }
            }
        }
    }
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.retain(|key, _| key == "schemas");
    }
    changed
}

pub(super) fn success_only(document: &mut Value) -> usize {
    each(document, |operation| {
        let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return 0 };
        let before = responses.len();
        responses.retain(|status, _| status.starts_with('2'));
        before - responses.len()
    })
}

pub(super) fn client_headers(document: &mut Value) -> usize {
    each(document, |operation| {
        let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) else { return 0 };
        let before = parameters.len();
        parameters.retain(|parameter| {
            parameter["in"] != "header" || !parameter["name"].as_str().is_some_and(is_client_header)
        });
        before - parameters.len()
    })
}

/// Bodies are JSON or bytes. JSON has one name, whatever parameters or suffix the document gives it, and always a schema.
pub(super) fn raw_media(document: &mut Value) -> usize {
    let bytes = json!({ "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } });
    let raw = |content: Option<&mut Value>| {
        let Some(media) = content.and_then(Value::as_object_mut) else { return 0 };
        let mut changed = 0;
        if !media.contains_key("application/json")
            && let Some(name) = json_of(media).map(|(name, _)| name.clone())
            && let Some(body) = media.remove(&name)
        {
            media.insert("application/json".to_owned(), body);
            changed += 1;
        }
        match media.get_mut("application/json").map(Value::as_object_mut) {
            Some(Some(body)) => {
                changed += usize::from(!body.contains_key("schema"));
                body.entry("schema").or_insert_with(|| json!({}));
            }
            _ => {
                *media = bytes.as_object().cloned().unwrap_or_default();
                changed += 1;
            }
        }
        changed
    };
    each(document, |operation| {
        let mut changed = raw(operation.pointer_mut("/requestBody/content"));
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for response in responses.into_iter().flat_map(|responses| responses.values_mut()) {
            changed += raw(response.get_mut("content"));
        }
        changed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(operation: Value) -> Value {
        json!({
            "paths": {"/a/{b}": {"parameters": [{"$ref": "#/components/parameters/B"}], "get": operation}},
            "components": {
                "parameters": {"B": {"name": "b", "in": "path", "required": true}},
                "responses": {"R": {"description": "r"}},
                "schemas": {}
            }
        })
    }

    #[test]
    fn references_and_shared_parameters_come_in_place() {
        let mut document = document(json!({"responses": {"200": {"$ref": "#/components/responses/R"}}}));
        assert_eq!(inline_references(&mut document), 3);
        let operation = &document["paths"]["/a/{b}"]["get"];
        assert_eq!(operation["parameters"][0]["name"], "b");
        assert_eq!(operation["responses"]["200"]["description"], "r");
        assert_eq!(document["components"], json!({"schemas": {}}));
    }

    #[test]
    fn only_success_stays() {
        let mut document = document(json!({"responses": {"200": {}, "301": {}, "404": {}, "default": {}}}));
        assert_eq!(success_only(&mut document), 3);
    }

    #[test]
    fn headers_of_the_client_are_no_arguments() {
        let parameters = json!([
            {"name": "Cint-API-Version", "in": "header"}, {"name": "If-Match", "in": "header"}, {"name": "accept", "in": "query"}
        ]);
        let mut document = document(json!({ "parameters": parameters, "responses": {} }));
        assert_eq!(client_headers(&mut document), 1);
        assert_eq!(document["paths"]["/a/{b}"]["get"]["parameters"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn bodies_that_are_not_json_are_bytes() {
        let csv = json!({"text/csv": {"schema": {"type": "string"}}});
        let json = json!({"application/json": {}, "text/csv": {}});
        let operation = json!({"requestBody": {"content": csv}, "responses": {"200": {"content": json}, "204": {}}});
        let mut document = document(operation);
        assert_eq!(raw_media(&mut document), 2);
        let operation = &document["paths"]["/a/{b}"]["get"];
        assert!(operation["requestBody"]["content"].get("application/octet-stream").is_some());
        assert!(operation["responses"]["200"]["content"].get("application/json").is_some());
    }

    #[test]
    fn json_of_another_name_is_json_and_has_a_schema() {
        let schema = json!({"schema": {"type": "integer"}});
        let operation = json!({
            "requestBody": {"content": {"application/json; charset=utf-8": schema}},
            "responses": {
                "200": {"content": {"application/problem+json": schema, "text/csv": {}}},
                "201": {"content": {"application/json": {}}},
                "202": {"content": {"application/a+json": {}, "application/json; charset=utf-8": schema}}
            }
        });
        let mut document = document(operation);
        assert_eq!(raw_media(&mut document), 4);
        let operation = &document["paths"]["/a/{b}"]["get"];
        assert_eq!(operation["requestBody"]["content"], json!({"application/json": schema}));
        assert_eq!(operation["responses"]["200"]["content"]["application/json"], schema);
        assert_eq!(operation["responses"]["201"]["content"]["application/json"], json!({"schema": {}}));
        assert_eq!(operation["responses"]["202"]["content"]["application/json"], schema, "the one of that name");
    }
}
