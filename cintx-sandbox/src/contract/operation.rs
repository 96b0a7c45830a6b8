//! One operation of a document: its parameters, bodies and answers.
//! Parsed once; validators are compiled at first use and kept.

use super::schema::Side;
use super::shape::Shape;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Which host an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// The Demand API.
    Demand,
    /// The server-to-server host.
    S2s,
}

/// Where a parameter is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// As a header.
    Header,
}

/// One operation of one document.
#[derive(Debug)]
pub struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) host: Host,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    pub(crate) answers: BTreeMap<u16, Answer>,
}

impl Operation {
    /// The operation's id, as the document spells it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The method, in upper case.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path template.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Which host serves it.
    pub fn host(&self) -> Host {
        self.host
    }

    /// Every status that the document declares, ascending.
    pub fn statuses(&self) -> impl Iterator<Item = u16> + '_ {
        self.answers.keys().copied()
    }

    /// The first success status.
    pub fn success(&self) -> u16 {
        self.statuses().find(|status| (200..300).contains(status)).unwrap_or(200)
    }

    /// Whether a header is declared, and whether it is required.
    pub fn header(&self, name: &str) -> Option<bool> {
        self.parameters
            .iter()
            .find(|p| p.location == Location::Header && p.name.eq_ignore_ascii_case(name))
            .map(|p| p.required)
    }

    /// The media types that a request body may have.
    pub fn request_media(&self) -> impl Iterator<Item = &str> + '_ {
        self.body.iter().flat_map(|body| body.media.iter().map(|media| media.name.as_str()))
    }

    /// The schema, as in the document, of an answer's JSON body.
    pub fn answer_schema(&self, status: u16) -> Option<&Value> {
        self.answers.get(&status)?.media.iter().find(|media| is_json(&media.name)).map(|m| &m.schema.raw)
    }

    /// The media types that an answer may have.
    pub fn answer_media(&self, status: u16) -> impl Iterator<Item = &str> + '_ {
        self.answers.get(&status).into_iter().flat_map(|a| a.media.iter().map(|m| m.name.as_str()))
    }

    /// The schema, as in the document, of the request's JSON body.
    pub fn request_schema(&self) -> Option<&Value> {
        self.body.as_ref()?.media.iter().find(|media| is_json(&media.name)).map(|m| &m.schema.raw)
    }
}

/// A declared parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) location: Location,
    pub(crate) required: bool,
    /// Whether an array is sent as a repeated key.
    pub(crate) explode: bool,
    pub(crate) kind: Kind,
    pub(crate) schema: Schema,
}

/// How a parameter's text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    /// An array of one of the other kinds.
    Array(Item),
}

/// The kind of an array's items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Text,
    Integer,
    Number,
    Boolean,
}

/// A declared request body.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) required: bool,
    pub(crate) media: Vec<Media>,
}

/// A declared answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) media: Vec<Media>,
    /// Header names and whether each is required.
    pub(crate) headers: Vec<(String, bool, Schema)>,
}

/// One media type of a body.
#[derive(Debug)]
pub(crate) struct Media {
    pub(crate) name: String,
    pub(crate) schema: Schema,
}

/// A schema of the document with its validator, compiled at first use.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) raw: Value,
    pub(crate) shape: OnceLock<Arc<Shape>>,
    pub(crate) side: Side,
    pub(crate) compiled: OnceLock<Result<jsonschema::Validator, String>>,
}

impl Schema {
    pub(crate) fn new(raw: Value, side: Side) -> Self {
        Self { raw, side, shape: OnceLock::new(), compiled: OnceLock::new() }
    }
}

/// Whether a media type is JSON.
pub(crate) fn is_json(media: &str) -> bool {
    let bare = media.split(';').next().unwrap_or(media).trim();
    bare.eq_ignore_ascii_case("application/json") || bare.to_ascii_lowercase().ends_with("+json")
}
