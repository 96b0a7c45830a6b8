//! Templates that target groups are made from: of supply, of profiles, each
//! of the account or of everybody.

use super::audience::Audience;
use super::supply::Supply;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whose a template is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Scope {
    Account,
    Global,
}

impl Scope {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Global => "global",
        }
    }
}

/// A template of supply.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SupplyTemplate {
    /// A ULID; the oldest version shows the same number as a UUID.
    pub(crate) id: String,
    pub(crate) scope: Scope,
    pub(crate) name: String,
    pub(crate) supply: Supply,
    pub(crate) changed_at: Timestamp,
    pub(crate) changed_by: String,
    pub(crate) version: u64,
}

impl SupplyTemplate {
    pub(crate) fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
}

/// Which supply template new target groups of the account begin with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Association {
    pub(crate) template_id: String,
    pub(crate) version: u64,
}

/// A template of profiles.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ProfileTemplate {
    pub(crate) id: String,
    pub(crate) scope: Scope,
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) description: String,
    pub(crate) locales: Vec<String>,
    pub(crate) audience: Audience,
    /// Counts up; later templates have higher numbers.
    pub(crate) number: u64,
}
