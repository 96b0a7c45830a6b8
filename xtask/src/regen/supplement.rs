//! `openapi/supplement.toml`: what the documents leave out about operations, reviewed, a reason beside each row.
//! The table asks it where a document is silent.

use serde::Deserialize;

use super::table::KeyFormat;

/// `openapi/supplement.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Supplement {
    #[serde(default)]
    versioned: Vec<Versioned>,
    #[serde(default)]
    reads: Vec<Operations>,
    /// Their answer may be an object without properties.
    #[serde(default)]
    empty_answer: Vec<Operations>,
    #[serde(default)]
    pub(super) job: Vec<JobRow>,
    #[serde(default)]
    key: Vec<KeyRow>,
    /// The address that the client calls unless it is told another one; any if none is listed.
    #[serde(default)]
    host: Vec<Host>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Host {
    url: String,
    #[serde(rename = "reason")]
    _reason: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Versioned {
    /// The first dated version of which it is true.
    from: String,
    /// Versions between known ones of which somebody decided that it is not true of them.
    #[serde(default)]
    not_yet: Vec<String>,
    #[serde(rename = "reason")]
    _reason: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Operations {
    operations: Vec<String>,
    #[serde(rename = "reason")]
    _reason: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobRow {
    pub(super) start: String,
    pub(super) status: String,
    /// The answer's property that holds the job's id.
    pub(super) id: String,
    #[serde(rename = "reason")]
    _reason: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRow {
    /// The first dated version of which it is true.
    from: String,
    /// Versions between known ones of which somebody decided that it is not true of them.
    #[serde(default)]
    not_yet: Vec<String>,
    operations: Vec<String>,
    format: KeyFormat,
    #[serde(rename = "reason")]
    _reason: String,
}

impl Supplement {
    /// Whether the Demand API's operations need the version header, declared or not.
    pub(super) fn is_versioned(&self, date: &str) -> bool {
        self.versioned.iter().any(|row| row.from.as_str() <= date)
    }

    /// Whether a document may name this address for all of its operations.
    pub(super) fn knows_host(&self, url: &str) -> bool {
        self.host.is_empty() || self.host.iter().any(|host| host.url == url.trim_end_matches('/'))
    }

    /// The known addresses, to be printed.
    pub(super) fn hosts(&self) -> String {
        self.host.iter().map(|host| host.url.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The rules that begin after a date although an older version is known: they may hold for that date already, until
    /// somebody has decided.
    pub(crate) fn in_doubt(&self, date: &str, oldest: &str) -> Vec<String> {
        let versioned = self.versioned.iter().map(|row| ("versioned", row.from.as_str(), &row.not_yet));
        let keys = self.key.iter().map(|row| ("key", row.from.as_str(), &row.not_yet));
        let open = |not_yet: &[String]| !not_yet.iter().any(|other| other == date);
        let doubtful =
            versioned.chain(keys).filter(|(_, from, not_yet)| *from > date && oldest < date && open(not_yet));
        let asked = |(rule, from, _): (&str, &str, &Vec<String>)| {
            format!(
                "the rule `{rule}` from {from} of openapi/supplement.toml begins after {date}: does it hold already? If so, let it begin there; if not, add `not_yet = [\"{date}\"]` to it"
            )
        };
        doubtful.map(asked).collect()
    }

    /// The operations that some row names: each must exist in some version.
    pub(crate) fn named(&self) -> impl Iterator<Item = &str> {
        let reads = self.reads.iter().flat_map(|row| &row.operations);
        let keys = self.key.iter().flat_map(|row| &row.operations);
        let jobs = self.job.iter().flat_map(|row| [&row.start, &row.status]);
        let empty = self.empty_answer.iter().flat_map(|row| &row.operations);
        reads.chain(empty).chain(keys).chain(jobs).map(String::as_str)
    }

    /// Whether the answer of an operation may be an object without properties.
    pub(super) fn answers_may_be_empty(&self, id: &str) -> bool {
        self.empty_answer.iter().any(|row| row.operations.iter().any(|other| other == id))
    }

    /// The format of a key that the document gives in words only.
    pub(super) fn key_format(&self, date: &str, id: &str) -> Option<KeyFormat> {
        let row =
            self.key.iter().find(|row| row.from.as_str() <= date && row.operations.iter().any(|other| other == id))?;
        Some(row.format)
    }

    /// Whether a POST only reads.
    pub(super) fn reads(&self, id: &str) -> bool {
        self.reads.iter().any(|row| row.operations.iter().any(|other| other == id))
    }
}
