//! What takes the place of operations that a newer version lacks: `openapi/docs/successors.toml`, written by hand.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::Methods;
use crate::diff::Difference;
use crate::workspace::Workspace;

/// What takes the place of one operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Successor {
    /// Operations of the newer version; none where nothing takes its place.
    by: Vec<String>,
    /// The rest, in our words.
    how: String,
}

/// Of one step, by the operation that is gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Successors(BTreeMap<String, Successor>);

impl Successors {
    /// A workspace without the file has none.
    pub(super) fn read(workspace: &Workspace, newer: &str) -> Result<Self> {
        let path = workspace.successors();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let mut steps: BTreeMap<String, BTreeMap<String, Successor>> =
            toml::from_str(&text).with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(Self(steps.remove(newer).unwrap_or_default()))
    }

    /// The operations of a step that nothing is said of yet.
    pub(super) fn missing(&self, difference: &Difference) -> Vec<String> {
        difference.lost.iter().filter(|id| !self.0.contains_key(*id)).cloned().collect()
    }

    /// What is said of operations that are there, or names one that is not, is out of date.
    pub(super) fn check(&self, difference: &Difference, after: &Methods) -> Result<()> {
        for (id, successor) in &self.0 {
            ensure!(
                difference.lost.contains(id),
                "openapi/docs/successors.toml: {id} is not gone with {}",
                difference.new
            );
            let stranger = successor.by.iter().find(|by| after.call(by).is_none());
            ensure!(
                after.is_empty() || stranger.is_none(),
                "openapi/docs/successors.toml: {} has no {}, which is to take the place of {id}",
                difference.new,
                stranger.map_or("", String::as_str)
            );
        }
        Ok(())
    }

    /// In a few words, for the line of an operation.
    pub(super) fn of(&self, id: &str) -> String {
        match self.0.get(id) {
            None => "what takes its place is not written yet".to_owned(),
            Some(Successor { by, how }) if by.is_empty() => format!("nothing takes its place: {how}"),
            Some(Successor { by, how }) => format!("in its place: `{}`, {how}", by.join("`, `")),
        }
    }

    /// The operations that take the place of some.
    pub(super) fn all(&self) -> BTreeSet<&str> {
        self.0.values().flat_map(|successor| &successor.by).map(String::as_str).collect()
    }
}
