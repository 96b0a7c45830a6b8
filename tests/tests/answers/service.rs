//! An API that answers every operation with an instance made from its schema, or with what the test says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use cintx::http::{ByteStream, TransportError};
use cintx_raw::Operation;
use cintx_tests::document::{Document, json_schema};
use cintx_tests::instances::{Instance, documented_values, instances};
use http::{Request, Response};
use serde_json::Value;

use crate::leaves::{self, Leaf};

type Table = &'static [&'static Operation];

/// What an operation answers.
#[derive(Clone, Debug)]
struct Success {
    status: u16,
    body: Value,
    schema: Option<Value>,
}

#[derive(Debug, Default)]
struct State {
    /// What one operation answers instead of its whole instance.
    instead: Option<(String, Value)>,
    called: BTreeSet<&'static str>,
    /// The parameters that were sent: operation, place, name. Names of headers in lower case.
    sent: BTreeSet<(&'static str, &'static str, String)>,
}

/// The API of one version.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    document: Arc<Document>,
    successes: Arc<BTreeMap<&'static str, Success>>,
    table: Table,
    state: Arc<Mutex<State>>,
}

impl Service {
    pub(crate) fn new(date: &str, table: Table) -> Self {
        let document = Document::of(date);
        let mut successes = BTreeMap::new();
        for operation in document.operations() {
            let row = table.iter().find(|row| row.path == operation.path && row.method == *operation.method).unwrap();
            let answers = document.answers(&operation);
            let (status, answer) = answers.into_iter().find(|(status, _)| (200..300).contains(status)).unwrap();
            let schema = json_schema(answer).cloned();
            let body = schema.as_ref().map(|schema| whole(&document, schema).swap_remove(0).value);
            successes.insert(row.id, Success { status, body: body.unwrap_or_default(), schema });
        }
        let state = State::default();
        let (document, successes) = (Arc::new(document), Arc::new(successes));
        Self { document, successes, table, state: Arc::new(Mutex::new(state)) }
    }

    /// From now on every operation answers with its whole instance, and none was called.
    pub(crate) fn reset(&self) {
        *self.state() = State::default();
    }

    /// From now on this operation answers with this.
    pub(crate) fn answers(&self, id: &str, body: Value) {
        self.state().instead = Some((id.to_owned(), body));
    }

    /// The operations that were called.
    pub(crate) fn called(&self) -> BTreeSet<&'static str> {
        self.state().called.clone()
    }

    /// The query parameters and headers that were sent since the last reset.
    pub(crate) fn sent(&self) -> BTreeSet<(&'static str, &'static str, String)> {
        self.state().sent.clone()
    }

    /// The instances of an operation's answer: whole ones, with each branch of each union.
    pub(crate) fn instances(&self, document: &Document, id: &str) -> Option<Vec<Instance>> {
        let schema = self.successes.get(id)?.schema.as_ref()?;
        Some(whole(document, schema))
    }

    /// The leaves of an answer.
    pub(crate) fn leaves(&self, id: &str, value: &Value) -> Vec<Leaf> {
        let schema = self.successes[id].schema.as_ref().unwrap();
        leaves::of(&self.document, schema, value)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn send(self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let path = request.uri().path();
        let path = path.strip_prefix("/v1").unwrap_or(path);
        let mut rows = self.table.iter().filter(|row| row.method == *request.method() && fits(row.path, path));
        // A path of fixed words goes before one with parameters.
        let first = rows.next().ok_or_else(|| TransportError::not_sent(format!("no operation has {path}")))?;
        let row = rows.fold(first, |best, row| match row.path.matches('{').count() < best.path.matches('{').count() {
            true => row,
            false => best,
        });
        let success = &self.successes[row.id];
        let mut state = self.state();
        state.called.insert(row.id);
        let query = request.uri().query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let queries = query.map(|pair| (row.id, "query", pair.split('=').next().unwrap_or_default().to_owned()));
        let headers = request.headers().keys().map(|name| (row.id, "header", name.as_str().to_owned()));
        state.sent.extend(queries.chain(headers));
        let body = match &state.instead {
            Some((id, body)) if id == row.id => body,
            _ => &success.body,
        };
        let builder = Response::builder()
            .status(success.status)
            .header("etag", "W/\"7\"")
            .header("location", "https://api.cint.com/v1/some/where/01BX5ZZKBKACTAV9WEVGEMMVS0");
        let answer = match body {
            Value::Null => builder.body(ByteStream::from("")),
            body => builder.header("content-type", "application/json").body(ByteStream::from(body.to_string())),
        };
        answer.map_err(TransportError::not_sent)
    }
}

/// Instances with every property, and values that the facade can read.
fn whole(document: &Document, schema: &Value) -> Vec<Instance> {
    let all = instances(document, schema).into_iter().filter(|it| it.name == "full" || it.name.starts_with("branches"));
    let mut all: Vec<Instance> =
        all.map(|it| Instance { value: leaves::sensible(document, schema, it.value), name: it.name }).collect();
    // What else there is depends on how far something is.
    let states = documented_values(document, schema, &all[0].value);
    all.extend(states.into_iter().filter(|state| state.name.ends_with("/status")));
    let listed = all.iter().filter_map(not_all);
    let listed: Vec<Instance> = listed.collect();
    all.extend(listed);
    all
}

/// The same with a list of the values that count, where the instance says that all do.
fn not_all(instance: &Instance) -> Option<Instance> {
    fn turn_off(value: &mut Value) -> bool {
        let mut found = false;
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    match name.as_str() {
                        "allow_all_values" | "allow_all_zip" if *value == Value::Bool(true) => {
                            (*value, found) = (Value::Bool(false), true);
                        }
                        _ => found |= turn_off(value),
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|value| found |= turn_off(value)),
            _ => {}
        }
        found
    }
    let mut value = instance.value.clone();
    turn_off(&mut value).then(|| Instance { name: format!("{}, not all", instance.name), value })
}

/// Whether a path is one of a template.
fn fits(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(part), Some(word)) if part.starts_with('{') && !word.is_empty() || part == word => {}
            _ => return false,
        }
    }
}
