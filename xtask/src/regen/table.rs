//! The rows of the operation table, derived from the imported document.
//! What the document leaves out comes from `openapi/supplement.toml`, a reason beside each row.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToSnakeCase as _;
use serde::Deserialize;
use serde_json::Value;

use super::shape::{TAG, schemas};
use super::supplement::Supplement;
use crate::document::problem::{Problem, Problems};
use crate::document::tree::{Object, escape, is_json, operations, resolve, schema_name};

/// Response headers that carry meaning for a caller, in lower case.
const HEADERS: [&str; 6] = ["content-disposition", "etag", "idempotency-key", "location", "retry-after", "traceparent"];

/// One operation as the table and the client need it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) document_id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) server_to_server: bool,
    pub(crate) tags: Vec<String>,
    pub(crate) versioned: bool,
    pub(crate) idempotency_key: Option<(Requirement, KeyFormat)>,
    pub(crate) if_match: Option<Requirement>,
    pub(crate) if_none_match: Option<Requirement>,
    pub(crate) request_media: Vec<String>,
    pub(crate) body_required: bool,
    pub(crate) file_field: Option<String>,
    pub(crate) answer_media: Vec<String>,
    pub(crate) answer_shape: AnswerShape,
    pub(crate) success: Vec<u16>,
    pub(crate) failures: Vec<u16>,
    pub(crate) headers: Vec<&'static str>,
    pub(crate) pagination: Option<Pagination>,
    pub(crate) job: Option<Job>,
    pub(crate) idempotency: Idempotency,
    pub(crate) deprecated: bool,
    pub(crate) parameters: Vec<Parameter>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requirement {
    Optional,
    Required,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyFormat {
    Any,
    Ulid,
    UuidV4,
}

/// What a success answer is at its top level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AnswerShape {
    /// No JSON.
    Other,
    /// An object with some of these properties.
    Object(Vec<String>),
    Array,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pagination {
    Cursor { items: String, field: bool, has_more: bool },
    Number { items: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// The status operation, and the answer's property that holds the id (`None`: the `Location` header).
    Start { status: String, field: Option<String> },
    /// The operations that start it.
    Status { starts: Vec<String> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idempotency {
    Safe,
    Idempotent,
    Keyed,
    Unsafe,
}

/// A parameter that is an argument of the method.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) ident: String,
    pub(crate) place: Place,
    pub(crate) required: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
}

/// Derives every row, in the order of the document's paths.
pub(crate) fn rows(
    date: &str,
    document: &Value,
    shaped: &Value,
    supplement: &Supplement,
) -> Result<Vec<Row>, Problems> {
    let mut problems = Problems::new(format!("openapi/{date}.json"));
    let document_ids: BTreeMap<(&str, &str), &str> = operations(document)
        .map(|(path, method, _, operation)| {
            ((path, method), operation.get("operationId").and_then(Value::as_str).unwrap_or_default())
        })
        .collect();
    let mut originals: BTreeMap<(&str, &str), (&Object, &Object)> =
        operations(document).map(|(path, method, item, operation)| ((path, method), (item, operation))).collect();
    let declared_versioned = supplement.is_versioned(date);
    if let Some(url) = first_url(document.get("servers")).filter(|url| !supplement.knows_host(url)) {
        let message =
            format!("is {url:?}; the client calls {}: see `host` in openapi/supplement.toml", supplement.hosts());
        problems.push(Problem::at("/servers/0/url", message));
    }
    let mut rows = Vec::new();
    for (path, method, _, operation) in operations(shaped) {
        let Some((item, original)) = originals.remove(&(path, method)) else { continue };
        let at = format!("/paths/{}/{method}", escape(path));
        let row = Reader { date, document, shaped, item, original, operation, supplement };
        let mut row = match row.read(path, method) {
            Ok(row) => row,
            Err(message) => {
                problems.push(Problem::at(at, message));
                continue;
            }
        };
        row.versioned |= declared_versioned && !row.server_to_server;
        row.document_id = document_ids.get(&(path, method)).copied().unwrap_or_default().to_owned();
        rows.push(row);
    }
    pair_jobs(&mut rows, shaped, supplement);
    problems.into_result()?;
    Ok(rows)
}

struct Reader<'a> {
    date: &'a str,
    document: &'a Value,
    shaped: &'a Value,
    item: &'a Object,
    original: &'a Object,
    operation: &'a Object,
    supplement: &'a Supplement,
}

impl<'a> Reader<'a> {
    fn read(&self, path: &str, method: &str) -> Result<Row, String> {
        let id = self.operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
        let declared = self.declared_parameters();
        let header = |name: &str| {
            declared.iter().find(|parameter| {
                parameter["in"] == "header"
                    && parameter["name"].as_str().is_some_and(|other| other.eq_ignore_ascii_case(name))
            })
        };
        let presence = |parameter: &&Value| match parameter["required"] {
            Value::Bool(true) => Requirement::Required,
            _ => Requirement::Optional,
        };
        let idempotency_key =
            header("idempotency-key").map(|parameter| (presence(parameter), self.key_format(parameter, &id)));
        let responses = self.original.get("responses").and_then(Value::as_object);
        let mut statuses: Vec<u16> =
            responses.into_iter().flat_map(Object::keys).filter_map(|status| status.parse().ok()).collect();
        statuses.sort_unstable();
        let (success, failures): (Vec<u16>, Vec<u16>) =
            statuses.into_iter().partition(|status| (200..300).contains(status));
        let request_body = self.original.get("requestBody").map(|body| self.follow(body));
        let mut headers: Vec<&'static str> = Vec::new();
        for response in responses.into_iter().flat_map(|responses| responses.values()) {
            for name in
                self.follow(response).get("headers").and_then(Value::as_object).into_iter().flat_map(Object::keys)
            {
                let known = HEADERS.iter().find(|known| known.eq_ignore_ascii_case(name));
                if let Some(known) = known.filter(|known| !headers.contains(known)) {
                    headers.push(known);
                }
            }
        }
        headers.sort_unstable();
        let idempotency = match method {
            "get" | "head" => Idempotency::Safe,
            _ if self.supplement.reads(&id) => Idempotency::Safe,
            _ if idempotency_key.is_some() => Idempotency::Keyed,
            "put" | "delete" => Idempotency::Idempotent,
            _ => Idempotency::Unsafe,
        };
        let success_answer = responses
            .into_iter()
            .flatten()
            .find(|(status, _)| status.starts_with('2'))
            .map(|(_, response)| self.follow(response));
        Ok(Row {
            document_id: String::new(),
            method: method.to_uppercase(),
            path: path.to_owned(),
            server_to_server: self.server_to_server()?,
            tags: self
                .original
                .get("tags")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            versioned: header("cint-api-version").is_some(),
            idempotency_key,
            if_match: header("if-match").map(presence),
            if_none_match: header("if-none-match").map(presence),
            request_media: media(request_body),
            body_required: request_body.is_some_and(|body| body.get("required") == Some(&Value::Bool(true))),
            file_field: request_body.and_then(|body| self.file_field(body)),
            answer_media: media(success_answer),
            answer_shape: self.answer_shape(&id, success_answer),
            success,
            failures,
            headers,
            pagination: self.pagination(),
            job: None,
            idempotency,
            deprecated: self.original.get("deprecated") == Some(&Value::Bool(true)),
            parameters: self.parameters(path)?,
            id,
        })
    }

    fn follow(&self, value: &'a Value) -> &'a Value {
        value
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| resolve(self.document, reference))
            .unwrap_or(value)
    }

    fn answer_shape(&self, id: &str, answer: Option<&'a Value>) -> AnswerShape {
        if self.supplement.answers_may_be_empty(id) {
            return AnswerShape::Object(Vec::new());
        }
        let content = answer.and_then(|answer| answer.get("content")?.as_object());
        let json = content.and_then(|content| content.iter().find(|(media, _)| is_json(media)));
        let Some(schema) = json.and_then(|(_, content)| content.get("schema")) else { return AnswerShape::Other };
        let mut schema = schema;
        // A name of a name; a document of circles is refused on import.
        while schema.get("$ref").is_some() && !std::ptr::eq(schema, self.follow(schema)) {
            schema = self.follow(schema);
        }
        if schema.get("type") == Some(&Value::from("array")) {
            return AnswerShape::Array;
        }
        let mut properties = BTreeSet::new();
        self.properties(schema, &mut properties);
        if properties.is_empty() { AnswerShape::Other } else { AnswerShape::Object(properties.into_iter().collect()) }
    }

    /// The properties of an object, those of its parts and alternatives included.
    fn properties(&self, schema: &'a Value, properties: &mut BTreeSet<String>) {
        properties.extend(
            schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone()),
        );
        for part in ["allOf", "oneOf", "anyOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten() {
            self.properties(self.follow(part), properties);
        }
    }

    fn declared_parameters(&self) -> Vec<&'a Value> {
        [self.original.get("parameters"), self.item.get("parameters")]
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
            .flatten()
            .map(|parameter| self.follow(parameter))
            .collect()
    }

    fn key_format(&self, parameter: &'a Value, id: &str) -> KeyFormat {
        let schema = parameter.get("schema").map(|schema| self.follow(schema));
        match schema
            .and_then(|schema| schema.get("format"))
            .and_then(Value::as_str)
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            Some("ulid") => KeyFormat::Ulid,
            Some("uuid" | "uuidv4") => KeyFormat::UuidV4,
            _ => self.supplement.key_format(self.date, id).unwrap_or(KeyFormat::Any),
        }
    }

    fn server_to_server(&self) -> Result<bool, String> {
        let main = first_url(self.document.get("servers"));
        match first_url(self.original.get("servers")).or_else(|| first_url(self.item.get("servers"))) {
            None => Ok(false),
            own if own == main => Ok(false),
            Some("https://s2s.cint.com") => Ok(true),
            Some(own) => Err(format!("is served by {own:?}, a host that the seam does not know")),
        }
    }

    fn file_field(&self, body: &'a Value) -> Option<String> {
        let schema = self.follow(body.pointer("/content/multipart~1form-data/schema")?);
        let properties = schema.get("properties")?.as_object()?;
        properties
            .iter()
            .find(|(_, schema)| schema.get("format") == Some(&Value::from("binary")))
            .map(|(name, _)| name.clone())
    }

    fn parameters(&self, path: &str) -> Result<Vec<Parameter>, String> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for parameter in self.operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            let place = match parameter["in"].as_str() {
                Some("path") => Place::Path,
                Some("query") => Place::Query,
                _ => Place::Header,
            };
            let ident = ident(&name);
            if parameters.iter().any(|other| other.ident == ident) {
                return Err(format!("two parameters would be the argument {ident:?}"));
            }
            parameters.push(Parameter { ident, place, required: parameter["required"] == Value::Bool(true), name });
        }
        // Path parameters stand in the order of the path.
        let position = |name: &str| path.find(&format!("{{{name}}}")).unwrap_or(usize::MAX);
        parameters.sort_by_key(|parameter| match parameter.place {
            Place::Path => (0, position(&parameter.name)),
            Place::Query => (1, 0),
            Place::Header => (2, 0),
        });
        Ok(parameters)
    }

    fn pagination(&self) -> Option<Pagination> {
        let parameters = self.operation.get("parameters").and_then(Value::as_array)?;
        let has =
            |name: &str| parameters.iter().any(|parameter| parameter["in"] == "query" && parameter["name"] == name);
        let answer = self.operation.get("responses")?.as_object()?.values().next()?;
        let schema = answer.pointer("/content/application~1json/schema")?;
        let schema = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(schema_name)
            .and_then(|name| schemas(self.shaped).get(name))
            .unwrap_or(schema);
        let properties = schema.get("properties")?.as_object()?;
        let lists: Vec<&String> = properties
            .iter()
            .filter(|(_, schema)| schema.get("type") == Some(&Value::from("array")))
            .map(|(name, _)| name)
            .collect();
        let [items] = lists.as_slice() else { return None };
        let items = (*items).clone();
        if has("start_after") {
            let (field, has_more) = (properties.contains_key("next_cursor"), properties.contains_key("has_more"));
            Some(Pagination::Cursor { items, field, has_more })
        } else if has("page_number") {
            Some(Pagination::Number { items })
        } else {
            None
        }
    }
}

fn first_url(servers: Option<&Value>) -> Option<&str> {
    servers?.get(0)?.get("url")?.as_str()
}

/// A Rust argument's name.
pub(crate) fn ident(name: &str) -> String {
    let ident = name.to_snake_case();
    if syn::parse_str::<syn::Ident>(&ident).is_ok() { ident } else { format!("{ident}_") }
}

/// The media types of a body, each once, in lower case and without parameters: JSON first, which is what a method reads
/// and asks for where it can.
fn media(value: Option<&Value>) -> Vec<String> {
    let content = value.and_then(|value| value.get("content")).and_then(Value::as_object);
    let essence = |media: &String| media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut media: Vec<String> = content.into_iter().flat_map(Object::keys).map(essence).collect();
    media.sort_by_key(|media| !is_json(media));
    media.dedup();
    media
}

/// A GET whose path is a job's path and its id tells how far the job is.
fn pair_jobs(rows: &mut [Row], shaped: &Value, supplement: &Supplement) {
    let ids: BTreeSet<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut pairs: Vec<(String, String, Option<String>)> = Vec::new();
    for status in rows.iter().filter(|row| row.method == "GET") {
        let Some((start_path, "{job_id}")) = status.path.rsplit_once('/') else { continue };
        let Some(start) = rows.iter().find(|row| row.method == "POST" && row.path == start_path) else { continue };
        let field = (!start.headers.contains(&"location") || answers_with(shaped, start, "job_id"))
            .then(|| "job_id".to_owned());
        pairs.push((start.id.clone(), status.id.clone(), field));
    }
    for row in &supplement.job {
        if ids.contains(&row.start) && ids.contains(&row.status) {
            pairs.push((row.start.clone(), row.status.clone(), Some(row.id.clone())));
        }
    }
    for (start, status, field) in pairs {
        for row in rows.iter_mut() {
            if row.id == start {
                row.job = Some(Job::Start { status: status.clone(), field: field.clone() });
            } else if row.id == status {
                // Two kinds of upload may be asked about in one place.
                match &mut row.job {
                    Some(Job::Status { starts }) => starts.push(start.clone()),
                    job => *job = Some(Job::Status { starts: vec![start.clone()] }),
                }
            }
        }
    }
}

fn answers_with(shaped: &Value, row: &Row, property: &str) -> bool {
    let operation = &shaped["paths"][&row.path][row.method.to_lowercase()];
    let reference = operation["responses"]
        .as_object()
        .and_then(|responses| responses.values().next())
        .and_then(|answer| answer.pointer("/content/application~1json/schema/$ref")?.as_str());
    reference
        .and_then(schema_name)
        .and_then(|name| schemas(shaped).get(name))
        .is_some_and(|schema| schema.get(TAG).is_none() && schema.pointer(&format!("/properties/{property}")).is_some())
}
