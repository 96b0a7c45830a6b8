//! An answer before it becomes bytes.
//! Routes say what; the engine fits it to the version and the server writes it.

use crate::state::saved::{self, Word};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an answer carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Content {
    /// No body.
    Nothing,
    /// A JSON body.
    Json(Value),
    /// Another body, with its media type.
    Bytes(#[serde(deserialize_with = "saved::word")] Word, #[serde(with = "saved::bytes")] Vec<u8>),
}

/// Status, headers, body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    #[serde(deserialize_with = "saved::headers")]
    pub(crate) headers: Vec<(Word, String)>,
    pub(crate) content: Content,
}

/// The Content-Disposition of a file to be saved under a name.
pub(crate) fn attachment(name: &str) -> String {
    format!("attachment; filename=\"{}\"", name.replace(['"', '\\', '\r', '\n'], "_"))
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), content: Content::Nothing }
    }

    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), content: Content::Json(body) }
    }

    pub(crate) fn csv(status: u16, text: String) -> Self {
        Self { status, headers: Vec::new(), content: Content::Bytes("text/csv", text.into_bytes()) }
    }

    pub(crate) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    pub(crate) fn content_type(&self) -> Option<&'static str> {
        match &self.content {
            Content::Nothing => None,
            Content::Json(_) => Some("application/json"),
            Content::Bytes(media, _) => Some(media),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        match &self.content {
            Content::Nothing => Vec::new(),
            Content::Json(value) => serde_json::to_vec(value).unwrap_or_default(),
            Content::Bytes(_, bytes) => bytes.clone(),
        }
    }
}
