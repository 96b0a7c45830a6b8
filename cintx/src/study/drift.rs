//! Where Cint is not as a study says: field by field, with both values, in the words of a file.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{StudyAssistant, StudySupply};
use crate::target_group::DraftSettings;

/// A field of which a study says one thing, and Cint has another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Drift {
    /// The target group; `None` for the project.
    pub target_group: Option<String>,
    /// The field, as files call it. `project` and `target_group` where one of the two lacks all of it.
    pub field: String,
    /// What the study says, as a file would; null if it says nothing.
    pub file: Value,
    /// What Cint has, as a file would say it; null if it has nothing.
    pub cint: Value,
    /// Why it cannot be changed any more, if it cannot.
    pub obstacle: Option<String>,
}

impl Drift {
    pub(super) fn new(
        target_group: Option<&String>,
        field: &str,
        file: &(impl Serialize + ?Sized),
        cint: &(impl Serialize + ?Sized),
    ) -> Self {
        let value = |result: serde_json::Result<Value>| result.unwrap_or_default();
        Self {
            target_group: target_group.cloned(),
            field: field.to_owned(),
            file: value(serde_json::to_value(file)),
            cint: value(serde_json::to_value(cint)),
            obstacle: None,
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.target_group {
            write!(f, "{name:?}: ")?;
        }
        write!(f, "{} is {} in the file, {} at Cint", self.field, self.file, self.cint)?;
        match &self.obstacle {
            Some(obstacle) => write!(f, " ({obstacle})"),
            None => Ok(()),
        }
    }
}

/// A field that cannot be compared or read, since the API does not show it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NotCompared {
    /// The target group; `None` for the project.
    pub target_group: Option<String>,
    /// The field, as files call it.
    pub field: String,
    /// Why.
    pub reason: String,
}

impl NotCompared {
    pub(super) fn new(target_group: &str, field: &str, reason: impl Into<String>) -> Self {
        let target_group = Some(target_group.to_owned());
        Self { target_group, field: field.to_owned(), reason: reason.into() }
    }
}

impl fmt::Display for NotCompared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.target_group {
            write!(f, "{name:?}: ")?;
        }
        write!(f, "{}: {}", self.field, self.reason)
    }
}

/// A setting of a draft as a file says it.
pub(super) fn setting(settings: &DraftSettings, field: &str) -> Value {
    let value = match field {
        "supply" => serde_json::to_value(StudySupply::from(&settings.supply)),
        "assistant" => serde_json::to_value(StudyAssistant::read(&settings.assistant, &mut Vec::new())),
        _ => serde_json::to_value(settings).map(|mut settings| settings[field].take()),
    };
    value.unwrap_or_default()
}
