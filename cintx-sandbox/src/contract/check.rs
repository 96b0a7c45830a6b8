//! Checks of one request and of one answer.
//! Everything found is listed; nothing stops at the first fault.

use super::operation::{Answer, Body, Item, Kind, Location, Operation, Parameter, Schema, is_json};
use super::shape::{Property, Shape, ShapeKind};
use super::violation::{Place, Violation, from_error};
use super::{Contract, Found, Host};
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A request as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// The host it was sent to.
    pub host: Host,
    /// The method.
    pub method: &'r str,
    /// The path behind the host's base path.
    pub path: &'r str,
    /// The query, without the question mark.
    pub query: Option<&'r str>,
    /// All headers.
    pub headers: &'r HeaderMap,
    /// The body's bytes.
    pub body: &'r [u8],
}

/// What a check of a request came to.
#[derive(Debug, Default)]
pub struct Verdict<'c> {
    /// The operation, where one was found.
    pub operation: Option<&'c Operation>,
    /// Everything that the document does not allow.
    pub violations: Vec<Violation>,
    /// The path's parameters, decoded.
    pub path: Vec<(&'c str, String)>,
    /// The query's pairs, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The body, if it is JSON and could be read.
    pub body: Option<Value>,
    /// Things the document does not forbid but does not know either, such as
    /// an undeclared query parameter.
    pub notes: Vec<String>,
}

impl Verdict<'_> {
    /// Whether the document allows the request.
    pub fn is_valid(&self) -> bool {
        self.operation.is_some() && self.violations.is_empty()
    }
}

impl Contract {
    /// Checks a whole request: route, parameters, headers and body.
    pub fn check_request<'c>(&'c self, request: &Request<'_>) -> Verdict<'c> {
        match self.locate(request.host, request.method, request.path) {
            Found::Operation(operation, path) => self.check_operation(operation, path, request),
            Found::OtherMethods(methods) => Verdict {
                violations: vec![Violation::new(Place::Route, "method", request.method, methods.join(", "))],
                ..Verdict::default()
            },
            Found::Nothing => Verdict {
                violations: vec![Violation::new(Place::Route, "path", request.path, "a path of the document")],
                ..Verdict::default()
            },
        }
    }

    /// Checks a request whose operation is already known.
    pub fn check_operation<'c>(
        &'c self,
        operation: &'c Operation,
        path: Vec<(&'c str, String)>,
        request: &Request<'_>,
    ) -> Verdict<'c> {
        let mut verdict =
            Verdict { operation: Some(operation), query: pairs(request.query), path, ..Verdict::default() };
        for parameter in &operation.parameters {
            self.check_parameter(parameter, &verdict.path, &verdict.query, request, &mut verdict.violations);
        }
        for (name, _) in &verdict.query {
            let known = operation
                .parameters
                .iter()
                .any(|p| p.location == Location::Query && (p.name == *name || format!("{}[]", p.name) == *name));
            if !known {
                verdict.notes.push(format!("the query parameter {name} is not declared"));
            }
        }
        match &operation.body {
            Some(body) => verdict.body = self.check_body(body, request, &mut verdict.violations),
            None if !request.body.is_empty() => {
                verdict.notes.push("a body was sent where none is declared".to_owned());
            }
            None => {}
        }
        verdict
    }

    fn check_parameter(
        &self,
        parameter: &Parameter,
        path: &[(&str, String)],
        query: &[(String, String)],
        request: &Request<'_>,
        out: &mut Vec<Violation>,
    ) {
        let name = parameter.name.as_str();
        let (place, texts): (Place, Vec<&str>) = match parameter.location {
            Location::Path => (
                Place::Path(name.to_owned()),
                path.iter().filter(|(own, _)| *own == name).map(|(_, v)| v.as_str()).collect(),
            ),
            Location::Query => (
                Place::Query(name.to_owned()),
                query.iter().filter(|(own, _)| own == name).map(|(_, v)| v.as_str()).collect(),
            ),
            Location::Header => (
                Place::Header(name.to_owned()),
                request.headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).collect(),
            ),
        };
        let Some(first) = texts.first() else {
            if parameter.required {
                out.push(Violation::new(place, "required", "nothing", "a value is required"));
            }
            return;
        };
        let count = texts.len();
        let value = match parameter.kind {
            Kind::Array(item) => {
                let items: Vec<&str> =
                    if parameter.explode { texts } else { texts.iter().flat_map(|t| t.split(',')).collect() };
                Ok(Value::Array(items.iter().map(|text| read_item(item, text)).collect()))
            }
            _ if count > 1 => Err("one value only"),
            Kind::Text => Ok(Value::String((*first).to_owned())),
            Kind::Integer => Ok(read_item(Item::Integer, first)),
            Kind::Number => Ok(read_item(Item::Number, first)),
            Kind::Boolean => Ok(read_item(Item::Boolean, first)),
        };
        match value {
            Ok(value) => self.apply(&parameter.schema, &value, &|_| place.clone(), out),
            Err(allowed) => out.push(Violation::new(place, "repeated", format!("{count} values"), allowed)),
        }
    }

    fn check_body(&self, body: &Body, request: &Request<'_>, out: &mut Vec<Violation>) -> Option<Value> {
        let root = || Place::Body(String::new());
        if request.body.is_empty() {
            if body.required {
                out.push(Violation::new(root(), "required", "nothing", "a body is required"));
            }
            return None;
        }
        let sent = request.headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let bare = sent.split(';').next().unwrap_or(sent).trim().to_ascii_lowercase();
        let Some(media) = body.media.iter().find(|media| same_media(&media.name, &bare)) else {
            let known: Vec<_> = body.media.iter().map(|media| media.name.as_str()).collect();
            let got = if bare.is_empty() { "nothing".to_owned() } else { bare };
            out.push(Violation::new(Place::Header("Content-Type".into()), "media-type", got, known.join(", ")));
            return None;
        };
        if is_json(&media.name) {
            return match serde_json::from_slice::<Value>(request.body) {
                Ok(value) => {
                    self.apply(&media.schema, &value, &|p| Place::Body(p.to_owned()), out);
                    Some(value)
                }
                Err(error) => {
                    out.push(Violation::new(root(), "json", error.to_string(), "JSON text"));
                    None
                }
            };
        }
        if media.name.starts_with("multipart/") {
            check_multipart(sent, request.body, out);
        } else if media.name.starts_with("text/") && std::str::from_utf8(request.body).is_err() {
            out.push(Violation::new(root(), "encoding", "other bytes", "UTF-8 text"));
        }
        None
    }

    /// Holds a JSON body that has been read already against the document.
    pub(crate) fn check_body_value(&self, operation: &Operation, body: &Value) -> Vec<Violation> {
        let mut out = Vec::new();
        let media = operation.body.as_ref().and_then(|body| body.media.iter().find(|media| is_json(&media.name)));
        if let Some(media) = media {
            self.apply(&media.schema, body, &|p| Place::Body(p.to_owned()), &mut out);
        }
        out
    }

    /// Properties of a body that its document does not declare, but others that
    /// are spelt alike: allowed, and most likely a slip.
    pub(crate) fn undeclared(&self, operation: &Operation, body: &Value) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(shape) = self.request_shape(operation) {
            undeclared("body", &[&shape], body, &mut notes);
        }
        notes
    }

    fn apply(&self, schema: &Schema, value: &Value, place: &dyn Fn(&str) -> Place, out: &mut Vec<Violation>) {
        match self.validator(schema) {
            Ok(validator) => {
                if !validator.is_valid(value) {
                    for error in validator.iter_errors(value) {
                        from_error(&error, place, out);
                    }
                }
            }
            Err(reason) => out.push(Violation::new(place(""), "document", reason, "a schema that compiles")),
        }
    }

    /// Checks an answer: its status is declared, required headers are there,
    /// and the body has the declared type and shape.
    pub fn check_answer(&self, operation: &Operation, status: u16, headers: &HeaderMap, body: &[u8]) -> Vec<Violation> {
        let mut out = Vec::new();
        let Some(answer) = operation.answers.get(&status) else {
            let known: Vec<_> = operation.statuses().map(|s| s.to_string()).collect();
            out.push(Violation::new(Place::Status, "status", status.to_string(), known.join(", ")));
            return out;
        };
        for (name, required, schema) in &answer.headers {
            match headers.get(name.as_str()).and_then(|value| value.to_str().ok()) {
                Some(text) => {
                    let value = read_by_type(self.resolve(&schema.raw), text);
                    self.apply(schema, &value, &|_| Place::Header(name.clone()), &mut out);
                }
                None if *required => {
                    out.push(Violation::new(Place::Header(name.clone()), "required", "nothing", "a value is required"))
                }
                None => {}
            }
        }
        self.check_answer_body(answer, status, headers, body, &mut out);
        out
    }

    fn check_answer_body(
        &self,
        answer: &Answer,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        out: &mut Vec<Violation>,
    ) {
        let root = || Place::Body(String::new());
        // HTTP forbids a body with 204, whatever a document declares.
        if status == 204 || answer.media.is_empty() {
            if !body.is_empty() && status == 204 {
                out.push(Violation::new(root(), "empty", "a body", "no body"));
            }
            return;
        }
        let sent = headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
        let bare = sent.split(';').next().unwrap_or(sent).trim().to_ascii_lowercase();
        let Some(media) = answer.media.iter().find(|media| same_media(&media.name, &bare)) else {
            let known: Vec<_> = answer.media.iter().map(|media| media.name.as_str()).collect();
            out.push(Violation::new(Place::Header("Content-Type".into()), "media-type", sent, known.join(", ")));
            return;
        };
        if !is_json(&media.name) {
            return;
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => self.apply(&media.schema, &value, &|p| Place::Body(p.to_owned()), out),
            Err(error) => out.push(Violation::new(root(), "json", error.to_string(), "JSON text")),
        }
    }
}

/// The query's pairs, with `+` and percent escapes decoded.
fn pairs(query: Option<&str>) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Text that is not of the kind stays text, so that the schema refuses it
/// and the report shows what was sent.
fn read_item(item: Item, text: &str) -> Value {
    let as_text = || Value::String(text.to_owned());
    match item {
        Item::Text => as_text(),
        Item::Integer => text.parse::<i64>().map_or_else(|_| as_text(), Value::from),
        Item::Number => {
            text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map_or_else(as_text, Value::Number)
        }
        Item::Boolean => text.parse::<bool>().map_or_else(|_| as_text(), Value::Bool),
    }
}

fn read_by_type(schema: &Value, text: &str) -> Value {
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => read_item(Item::Integer, text),
        Some("number") => read_item(Item::Number, text),
        Some("boolean") => read_item(Item::Boolean, text),
        _ => Value::String(text.to_owned()),
    }
}

fn same_media(declared: &str, sent: &str) -> bool {
    let declared = declared.split(';').next().unwrap_or(declared).trim().to_ascii_lowercase();
    // Where CSV is declared, its older name is accepted as well.
    declared == sent || (declared == "text/csv" && sent == "application/csv")
}

/// A multipart body needs a boundary that occurs in it, and a part `file`.
fn check_multipart(content_type: &str, body: &[u8], out: &mut Vec<Violation>) {
    let boundary = content_type
        .split(';')
        .filter_map(|part| part.trim().strip_prefix("boundary="))
        .map(|boundary| boundary.trim_matches('"'))
        .next();
    let Some(boundary) = boundary.filter(|b| !b.is_empty()) else {
        out.push(Violation::new(
            Place::Header("Content-Type".into()),
            "boundary",
            content_type,
            "multipart/form-data with a boundary",
        ));
        return;
    };
    let text = String::from_utf8_lossy(body);
    if !text.contains(&format!("--{boundary}")) {
        out.push(Violation::new(Place::Body(String::new()), "multipart", "no part", "parts set off by the boundary"));
    } else if !text.contains("name=\"file\"") && !text.contains("name=file") {
        out.push(Violation::new(Place::Body("/file".into()), "required", "nothing", "a part named file"));
    }
}
/// So many are told of one body.
const MAX_NOTES: usize = 20;

/// A value that may have any of several shapes.
fn undeclared(at: &str, shapes: &[&Shape], value: &Value, notes: &mut Vec<String>) {
    match value {
        Value::Array(values) => {
            let mut inner = Vec::new();
            shapes.iter().for_each(|shape| items(shape, &mut inner));
            for (number, value) in values.iter().enumerate() {
                undeclared(&format!("{at}.{number}"), &inner, value, notes);
            }
        }
        Value::Object(map) => {
            let mut known = Vec::new();
            shapes.iter().for_each(|shape| properties(shape, &mut known));
            // What declares nothing takes anything.
            if known.is_empty() {
                return;
            }
            for (name, value) in map {
                let inner: Vec<&Shape> =
                    known.iter().filter(|own| own.name == *name).map(|own| own.shape.as_ref()).collect();
                if inner.is_empty()
                    && notes.len() < MAX_NOTES
                    && let Some(alike) = known.iter().find(|own| is_misspelt(&own.name, name))
                {
                    notes.push(format!("{at}.{name} is not declared, {} is", alike.name));
                }
                undeclared(&format!("{at}.{name}"), &inner, value, notes);
            }
        }
        _ => {}
    }
}

/// The items of a list, of a union those of all its branches.
fn items<'s>(shape: &'s Shape, out: &mut Vec<&'s Shape>) {
    match &shape.kind {
        ShapeKind::Array { item, .. } => out.push(item),
        ShapeKind::Union(branches) => branches.iter().for_each(|branch| items(branch, out)),
        _ => {}
    }
}

/// The properties of an object, of a union those of all its branches.
fn properties<'s>(shape: &'s Shape, out: &mut Vec<&'s Property>) {
    match &shape.kind {
        ShapeKind::Object { properties, .. } => out.extend(properties),
        ShapeKind::Union(branches) => branches.iter().for_each(|branch| properties(branch, out)),
        _ => {}
    }
}

/// Whether a name looks like another one with a slip in it.
fn is_misspelt(declared: &str, given: &str) -> bool {
    let slips = strsim::levenshtein(declared, given);
    slips > 0 && slips <= 3 && 2 * slips <= given.len()
}
