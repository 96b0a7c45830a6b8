//! Projects.
//! They hold target groups and carry an ETag.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) human_id: String,
    pub(crate) name: String,
    pub(crate) manager: String,
    /// The customer's reference, called purchase order number before.
    pub(crate) reference: Option<String>,
    /// Its target groups, oldest first.
    pub(crate) groups: Vec<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) changed_at: Timestamp,
    pub(crate) version: u64,
}

impl Project {
    /// What it takes in memory, roughly, in bytes.
    pub(crate) fn weight(&self) -> usize {
        1_000 + self.name.len() + self.reference.as_ref().map_or(0, String::len)
    }

    pub(crate) fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
}
