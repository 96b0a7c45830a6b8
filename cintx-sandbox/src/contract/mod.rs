//! The judge: one dated interface document, and checks of requests and answers
//! against it. Knows nothing of the simulated state.

mod check;
mod formats;
mod operation;
mod parse;
mod route;
mod schema;
pub(crate) mod shape;
mod violation;

pub use check::{Request, Verdict};
pub use operation::{Host, Location, Operation};
pub use route::Found;
pub use violation::{Place, Violation};

#[cfg(test)]
pub(crate) use formats::is_ulid;
pub(crate) use formats::is_uuid;
#[cfg(test)]
pub(crate) use operation::Parameter;
pub(crate) use operation::is_json;

use jsonschema::{Draft, Registry};
use operation::Schema;
use route::Router;
use schema::Side;
use serde_json::Value;
use shape::Shape;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};

/// Why a document cannot be judged by.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ContractError {
    /// There is no document of that date.
    #[error("no interface document is dated {0}")]
    UnknownVersion(String),
    /// The document is not JSON.
    #[error("the document of {date} is not JSON: {reason}")]
    NotJson {
        /// The document's date.
        date: String,
        /// What the parser said.
        reason: String,
    },
    /// A part of the document has an unexpected shape.
    #[error("the document of {date} is unusable at {pointer}: {reason}")]
    Malformed {
        /// The document's date.
        date: String,
        /// Where.
        pointer: String,
        /// What is wrong there.
        reason: String,
    },
}

/// One dated document, ready to judge by.
///
/// Obtained with [`Contract::for_version`]; parsed once per process, with
/// validators compiled at first use.
#[derive(Debug)]
pub struct Contract {
    date: String,
    document: Value,
    operations: Vec<Operation>,
    by_id: HashMap<String, usize>,
    router: Router,
    registries: [OnceLock<Result<Registry<'static>, String>>; 2],
}

type BoundedMap = Vec<(&'static str, OnceLock<Result<Contract, ContractError>>)>;

static SHELF: LazyLock<BoundedMap> =
    LazyLock::new(|| crate::api::documents::dates().into_iter().map(|date| (date, OnceLock::new())).collect());

impl Contract {
    /// The contract of one dated version, such as `2025-12-18`.
    ///
    /// # Errors
    /// If there is no document of that date, or it cannot be read.
    pub fn for_version(date: &str) -> Result<&'static Self, ContractError> {
        let unknown = || ContractError::UnknownVersion(date.to_owned());
        let (date, slot) = SHELF.iter().find(|(known, _)| *known == date).ok_or_else(unknown)?;
        slot.get_or_init(|| {
            let json = crate::api::documents::json(date).ok_or_else(unknown)?;
            Self::parse(date, json)
        })
        .as_ref()
        .map_err(Clone::clone)
    }

    /// The dates of all embedded documents, oldest first.
    pub fn versions() -> impl Iterator<Item = &'static str> {
        SHELF.iter().map(|(date, _)| *date)
    }

    /// Reads a document that is kept for good, like the embedded ones. Its
    /// date stands in it and is one of [`Contract::versions`].
    ///
    /// # Errors
    /// If it is not a usable document of such a date.
    pub fn of_document(json: &str) -> Result<&'static Self, ContractError> {
        let document: Value = serde_json::from_str(json)
            .map_err(|error| ContractError::NotJson { date: "the file".into(), reason: error.to_string() })?;
        let version = document.pointer("/info/version").and_then(Value::as_str).unwrap_or_default();
        let date = version.get(..10).unwrap_or(version);
        if !Self::versions().any(|known| known == date) {
            return Err(ContractError::UnknownVersion(date.to_owned()));
        }
        let contract = Self::parse(date, json)?;
        match contract.broken_schemas().first() {
            Some(reason) => Err(ContractError::Malformed {
                date: date.to_owned(),
                pointer: "a schema".into(),
                reason: reason.clone(),
            }),
            None => Ok(Box::leak(Box::new(contract))),
        }
    }

    /// Reads a document that is not one of the embedded ones.
    ///
    /// # Errors
    /// If it is not JSON or not an OpenAPI 3.0 document.
    pub fn parse(date: &str, json: &str) -> Result<Self, ContractError> {
        let document: Value = serde_json::from_str(json)
            .map_err(|error| ContractError::NotJson { date: date.to_owned(), reason: error.to_string() })?;
        let operations = parse::operations(date, &document)?;
        let router = Router::new(&operations);
        let by_id = operations.iter().enumerate().map(|(at, op)| (op.id.clone(), at)).collect();
        Ok(Self {
            date: date.to_owned(),
            document,
            operations,
            by_id,
            router,
            registries: [OnceLock::new(), OnceLock::new()],
        })
    }

    /// The version's date.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// Every operation, in the document's order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// An operation by its id.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.by_id.get(id).and_then(|at| self.operations.get(*at))
    }

    /// Finds the operation that serves a method and a path. The path starts
    /// behind the host's base path (`/v1` for the Demand API).
    pub fn locate<'c>(&'c self, host: Host, method: &str, path: &str) -> Found<'c> {
        self.router.find(&self.operations, host, method, path)
    }

    /// Follows references until a schema (or other component) is reached.
    pub fn resolve<'a>(&'a self, mut node: &'a Value) -> &'a Value {
        // Documents have no reference cycles of this kind; the bound guards
        // against one that does.
        for _ in 0..32 {
            let Some(target) = node.get("$ref").and_then(Value::as_str) else {
                return node;
            };
            match target.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer)) {
                Some(found) => node = found,
                None => return node,
            }
        }
        node
    }

    /// A schema of the document's components, by name.
    pub fn schema(&self, name: &str) -> Option<&Value> {
        self.document.get("components")?.get("schemas")?.get(name)
    }

    /// Compiles every schema and lists those that cannot be; empty for a
    /// sound document.
    pub fn broken_schemas(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for operation in &self.operations {
            let parameters = operation.parameters.iter().map(|p| &p.schema);
            let body = operation.body.iter().flat_map(|body| body.media.iter().map(|m| &m.schema));
            let answers = operation.answers.values().flat_map(|answer| {
                answer.media.iter().map(|m| &m.schema).chain(answer.headers.iter().map(|(_, _, s)| s))
            });
            for schema in parameters.chain(body).chain(answers) {
                if let Err(reason) = self.validator(schema) {
                    broken.push(format!("{}: {reason}", operation.id));
                }
            }
        }
        broken
    }

    /// The shape of an answer's JSON body, where one is declared.
    pub(crate) fn answer_shape(&self, operation: &Operation, status: u16) -> Option<Arc<Shape>> {
        let media = operation.answers.get(&status)?.media.iter().find(|media| is_json(&media.name))?;
        Some(self.shape(&media.schema))
    }

    /// The shape of a request's JSON body, where one is declared.
    pub(crate) fn request_shape(&self, operation: &Operation) -> Option<Arc<Shape>> {
        let media = operation.body.as_ref()?.media.iter().find(|media| is_json(&media.name))?;
        Some(self.shape(&media.schema))
    }

    /// Whether a JSON body is a valid answer.
    pub(crate) fn accepts_answer(&self, operation: &Operation, status: u16, body: &Value) -> bool {
        let media = operation.answers.get(&status).and_then(|answer| answer.media.iter().find(|m| is_json(&m.name)));
        media.is_some_and(|media| self.validator(&media.schema).is_ok_and(|validator| validator.is_valid(body)))
    }

    /// The shape of a schema of the components.
    pub(crate) fn named_shape(&self, name: &str) -> Option<Arc<Shape>> {
        self.schema(name).map(|schema| shape::compile(self, schema))
    }

    pub(crate) fn shape(&self, schema: &Schema) -> Arc<Shape> {
        schema.shape.get_or_init(|| shape::compile(self, &schema.raw)).clone()
    }

    fn base(side: Side) -> &'static str {
        match side {
            Side::Request => "urn:cintx:request",
            Side::Answer => "urn:cintx:answer",
        }
    }

    fn registry(&self, side: Side) -> Result<&Registry<'static>, String> {
        self.registries[side as usize]
            .get_or_init(|| {
                let mut schemas = serde_json::Map::new();
                if let Some(all) = self.document.pointer("/components/schemas").and_then(Value::as_object) {
                    for (name, raw) in all {
                        schemas.insert(name.clone(), schema::convert(raw, Self::base(side), side));
                    }
                }
                let resource = serde_json::json!({ "components": { "schemas": schemas } });
                Registry::new()
                    .draft(Draft::Draft202012)
                    .add(Self::base(side), resource)
                    .and_then(|builder| builder.prepare())
                    .map_err(|error| error.to_string())
            })
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The validator of a schema; a schema that cannot be compiled is a fault
    /// of the document and reported as such by the checks.
    pub(crate) fn validator<'s>(&self, schema: &'s Schema) -> Result<&'s jsonschema::Validator, &'s str> {
        schema
            .compiled
            .get_or_init(|| {
                let registry = self.registry(schema.side)?;
                let converted = schema::convert(&schema.raw, Self::base(schema.side), schema.side);
                formats::with_formats(jsonschema::options())
                    .with_draft(Draft::Draft202012)
                    .with_registry(registry)
                    .build(&converted)
                    .map_err(|error| error.to_string())
            })
            .as_ref()
            .map_err(String::as_str)
    }
}
