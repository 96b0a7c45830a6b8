//! What a call of one operation is given and what it must send, both from the document alone.
//! Values are chosen so that a swapped, forgotten or badly encoded one shows.

use cintx_tests::dispatch::Arguments;
use cintx_tests::document::{Document, DocumentOperation, essence};
use cintx_tests::instances::{instances, missing};
use httpmock::HttpMockRequest;
use serde_json::{Map, Value, json};

use crate::setup::{DEMAND, KEY, SERVER_TO_SERVER, TOKEN};

/// Headers that a transport or a pipeline sets; a caller gives no argument for them.
const NOT_ARGUMENTS: [&str; 9] = [
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
/// Headers that are sent where they are declared, and nowhere else.
const ARGUMENTS: [&str; 3] = ["idempotency-key", "if-match", "if-none-match"];

/// The content of every upload; it holds what a careless encoder would change.
pub(crate) const UPLOAD: &str = "rid,status\r\n\"a, b\",5\r\n--not-the-boundary--\r\n";

/// One call.
pub(crate) struct Plan {
    pub(crate) arguments: Arguments,
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, Option<String>)>,
    accept: Vec<String>,
    body: Body,
}

enum Body {
    None,
    Json(Value),
    Text { media: String },
    File { field: String },
}

impl Plan {
    pub(crate) fn of(document: &Document, date: &str, operation: &DocumentOperation<'_>) -> Self {
        let fulfilment = is_server_to_server(document, operation);
        let mut plan = Self {
            arguments: Arguments::default(),
            method: operation.method.clone(),
            path: format!("{}{}", if fulfilment { SERVER_TO_SERVER } else { DEMAND }, operation.path),
            query: Vec::new(),
            headers: Vec::new(),
            accept: Vec::new(),
            body: Body::None,
        };
        let authorization = if fulfilment { KEY.to_owned() } else { format!("Bearer {TOKEN}") };
        plan.headers.push(("authorization".to_owned(), Some(authorization)));
        plan.headers.push(("cint-api-version".to_owned(), (!fulfilment).then(|| date.to_owned())));
        let mut arguments = Map::new();
        for (index, parameter) in document.parameters(operation).into_iter().enumerate() {
            plan.parameter(document, parameter, index, &mut arguments);
        }
        for name in ARGUMENTS {
            let value = arguments.get(name).and_then(Value::as_str).map(str::to_owned);
            plan.headers.push((name.to_owned(), value));
        }
        plan.request_body(document, operation);
        for (status, answer) in document.answers(operation) {
            if (200..300).contains(&status) {
                plan.accept.extend(
                    answer["content"]
                        .as_object()
                        .into_iter()
                        .flat_map(Map::keys)
                        .map(|media| essence(media).to_owned()),
                );
            }
        }
        plan
    }

    fn parameter(&mut self, document: &Document, parameter: &Value, index: usize, headers: &mut Map<String, Value>) {
        let name = parameter["name"].as_str().unwrap();
        let schema = document.follow(&parameter["schema"]);
        match parameter["in"].as_str() {
            Some("path") => {
                let value = value(document, schema, name, index);
                self.path = self.path.replace(&format!("{{{name}}}"), &encode(&plain(&value)));
                self.arguments.path.insert(name.to_owned(), value);
            }
            Some("query") => {
                let value = value(document, schema, name, index);
                match &value {
                    Value::Array(items) => {
                        self.query.extend(items.iter().map(|item| (name.to_owned(), plain(item))));
                    }
                    one => self.query.push((name.to_owned(), plain(one))),
                }
                self.arguments.query.insert(name.to_owned(), value);
            }
            Some("header") => {
                let lower = name.to_ascii_lowercase();
                if ARGUMENTS.contains(&lower.as_str()) {
                    let value = match schema["format"].as_str() {
                        Some("etag") => json!(format!("W/\"{lower}\"")),
                        Some("ulid") => json!("01BX5ZZKBKACTAV9WEVGEMMVS0"),
                        _ => json!(format!("one {lower}, once")),
                    };
                    headers.insert(lower, value.clone());
                    self.arguments.headers.insert(name.to_owned(), value);
                } else {
                    assert!(NOT_ARGUMENTS.contains(&lower.as_str()), "nobody sends the header {name}");
                }
            }
            other => panic!("{name} is in {other:?}"),
        }
    }

    fn request_body(&mut self, document: &Document, operation: &DocumentOperation<'_>) {
        let Some(body) = operation.operation.get("requestBody") else { return };
        let content = document.follow(body)["content"].as_object().unwrap();
        let (media, description) = content.iter().next().unwrap();
        let schema = document.follow(&description["schema"]);
        self.body = match media.as_str() {
            "application/json" => {
                let full = instances(document, schema).swap_remove(0).value;
                self.arguments.body = full.clone();
                Body::Json(full)
            }
            "multipart/form-data" => {
                let fields: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
                let [field] = fields.as_slice() else { panic!("{} uploads {fields:?}", operation.id) };
                self.arguments.body = json!(UPLOAD);
                Body::File { field: (*field).clone() }
            }
            media => {
                self.arguments.body = json!(UPLOAD);
                Body::Text { media: media.to_owned() }
            }
        };
    }

    /// How a request differs from what the document wants.
    pub(crate) fn differences(&self, request: &HttpMockRequest) -> Vec<String> {
        let mut found = Vec::new();
        let mut differs = |what: &str, sent: &str, expected: &str| {
            if sent != expected {
                found.push(format!("{what} is {sent}, expected {expected}"));
            }
        };
        differs("method", request.method_str(), &self.method);
        differs("path", request.uri().path(), &self.path);
        let sorted = |mut pairs: Vec<(String, String)>| {
            // The order of keys means nothing; the order of one key's values does.
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            format!("{pairs:?}")
        };
        differs("query", &sorted(request.query_params()), &sorted(self.query.clone()));
        for (name, expected) in &self.headers {
            let shown = |value: Option<&str>| value.map_or("absent".to_owned(), |value| format!("{value:?}"));
            differs(name, &shown(header(request, name)), &shown(expected.as_deref()));
        }
        if let Some(first) = self.accept.first() {
            let accept = header(request, "accept").unwrap_or_default();
            differs("accept", if self.accept.iter().any(|media| media == accept) { first } else { accept }, first);
        }
        found.extend(self.body_differences(request));
        found
    }

    fn body_differences(&self, request: &HttpMockRequest) -> Vec<String> {
        let mut found = Vec::new();
        let media = header(request, "content-type").unwrap_or_default();
        let mut media_is = |expected: &str| {
            if media != expected {
                found.push(format!("content-type is {media:?}, expected {expected:?}"));
            }
        };
        match &self.body {
            Body::None => {
                media_is("");
                if !request.body_ref().is_empty() {
                    found.push(format!("has a body: {}", request.body_string()));
                }
                if self.method != "GET" && header(request, "content-length") != Some("0") {
                    found.push("does not say that it has no body".to_owned());
                }
            }
            Body::Json(expected) => {
                media_is("application/json");
                match serde_json::from_slice::<Value>(request.body_ref()) {
                    Ok(sent) => {
                        let forgotten = missing(expected, &sent, true);
                        let invented = missing(&sent, expected, true);
                        found.extend(forgotten.into_iter().map(|line| format!("body lacks {line}")));
                        found.extend(invented.into_iter().map(|line| format!("body has {line}")));
                    }
                    Err(error) => found.push(format!("body is not JSON: {error}")),
                }
            }
            Body::Text { media } => {
                media_is(media);
                if request.body_ref() != UPLOAD.as_bytes() {
                    found.push(format!("body is {:?}", request.body_string()));
                }
            }
            Body::File { field } => found.extend(multipart_difference(media, request.body_ref(), field)),
        }
        found
    }
}

/// Takes a body of one file apart the way RFC 7578 says.
fn multipart_difference(media: &str, body: &[u8], field: &str) -> Option<String> {
    let Some(boundary) = media.strip_prefix("multipart/form-data; boundary=") else {
        return Some(format!("content-type is {media:?}, expected multipart/form-data with a boundary"));
    };
    let text = String::from_utf8_lossy(body);
    let part = text
        .strip_prefix(&format!("--{boundary}\r\n"))
        .and_then(|rest| rest.strip_suffix(&format!("\r\n--{boundary}--\r\n")))
        .and_then(|part| part.split_once("\r\n\r\n"));
    let Some((head, content)) = part else { return Some(format!("is not one part: {text:?}")) };
    let disposition = format!("content-disposition: form-data; name=\"{field}\"; filename=\"upload.csv\"");
    if !head.lines().any(|line| line.eq_ignore_ascii_case(&disposition)) {
        return Some(format!("the part's head is {head:?}, expected {disposition:?}"));
    }
    (content != UPLOAD).then(|| format!("the file is {content:?}"))
}

/// Whether the document serves an operation from another host than the rest.
pub(crate) fn is_server_to_server(document: &Document, operation: &DocumentOperation<'_>) -> bool {
    let url = |value: &Value| value.pointer("/servers/0/url").and_then(Value::as_str).map(str::to_owned);
    let own = url(operation.operation).or_else(|| url(operation.item));
    own.is_some() && own != url(&document.root)
}

/// A value of a parameter that no other parameter of the operation has.
fn value(document: &Document, schema: &Value, name: &str, index: usize) -> Value {
    if let Some(values) = schema["enum"].as_array() {
        return values[index % values.len()].clone();
    }
    match schema["type"].as_str() {
        Some("integer") => json!(2428 + index),
        Some("boolean") => json!(index.is_multiple_of(2)),
        Some("array") => {
            let items = document.follow(&schema["items"]);
            match items["enum"].as_array() {
                Some(values) => json!(values.iter().take(2).collect::<Vec<_>>()),
                None => json!([value(document, items, name, index), format!("{index}=a,b")]),
            }
        }
        _ => match schema["format"].as_str().map(str::to_ascii_lowercase).as_deref() {
            Some("uuid") => json!(format!("7d6d3f8a-9f2e-4b7c-8f6d-1f2e3d4c5b{index:02}")),
            Some("ulid") => json!(format!("01BX5ZZKBKACTAV9WEVGEMMV{index:02}")),
            Some("date-time") => json!(format!("2026-01-15T08:30:{index:02}.000Z")),
            _ => json!(format!("{name} {index} a b/c?d=e&f#g+%41é")),
        },
    }
}

/// A value as it stands in a path or a query.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn header<'a>(request: &'a HttpMockRequest, name: &str) -> Option<&'a str> {
    let mut found = request.headers_vec().iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    let first = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} is sent twice");
    first
}
