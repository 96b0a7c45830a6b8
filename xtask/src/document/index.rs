//! `openapi/index.toml`: which documents there are, and what each was made from.
//! Also writes the list that the `cintx-openapi` crate embeds.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Raised whenever import treats documents differently.
pub(crate) const IMPORTER: u32 = 2;

/// One document.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) date: String,
    pub(crate) source_sha256: String,
    pub(crate) source_bytes: usize,
    pub(crate) operations: usize,
    pub(crate) schemas: usize,
    pub(crate) importer: u32,
}

impl Entry {
    pub(crate) fn new(date: &str, source: &[u8], document: &Value) -> Self {
        let (operations, schemas) = crate::import::counts(document);
        let source_sha256 = Sha256::digest(source).iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        Self {
            date: date.to_owned(),
            source_sha256,
            source_bytes: source.len(),
            operations,
            schemas,
            importer: IMPORTER,
        }
    }
}

/// The whole index, oldest version first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Index {
    #[serde(default)]
    document: Vec<Entry>,
}

impl Index {
    /// An index that is not there yet is empty.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).with_context(|| format!("{} is not an index", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.document
    }

    pub(crate) fn get(&self, date: &str) -> Option<&Entry> {
        self.document.iter().find(|entry| entry.date == date)
    }

    pub(crate) fn put(&mut self, entry: Entry) {
        self.document.retain(|other| other.date != entry.date);
        self.document.push(entry);
        self.document.sort_by(|a, b| a.date.cmp(&b.date));
    }

    pub(crate) fn to_text(&self) -> Result<String> {
        let head = "# Written by `cargo xtask import`: the documents, and what each was made from.\n\n";
        Ok(head.to_owned() + &toml::to_string(self)?)
    }

    /// The table of embedded documents.
    pub(crate) fn to_rust(&self) -> String {
        let mut text = String::from(
            "// Written by `cargo xtask import` from index.toml; do not edit.\n\npub(crate) static DOCUMENTS: &[crate::Document] = &[\n",
        );
        for Entry { date, .. } in &self.document {
            let _ =
                writeln!(text, "    crate::Document {{ date: \"{date}\", json: include_str!(\"../{date}.json\") }},");
        }
        text + "];\n"
    }
}
