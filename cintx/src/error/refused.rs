//! What was refused: by the pipeline before anything was sent, and by the API once a job had begun.

use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::FieldError;

/// The longest list of refused values that a message shows, in characters; [`Error::invalid_fields`] has them all.
const MAX_MESSAGE_CHARS: usize = 900;

/// What the pipeline refused to send.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Vec<FieldError>);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        let mut room = MAX_MESSAGE_CHARS;
        for (index, problem) in self.0.iter().enumerate() {
            let text = format!("{}{problem}", if index == 0 { "" } else { "; " });
            let length = text.chars().count();
            if length > room && index > 0 {
                return write!(f, "; and {} more", self.0.len() - index);
            }
            text.chars().take(room).try_for_each(|char| f.write_char(char))?;
            room = room.saturating_sub(length);
        }
        Ok(())
    }
}

impl StdError for Refused {}

/// Why a job failed, as the API put it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobFailure {
    /// The API's code; an open set.
    pub code: Option<String>,
    /// The explanation.
    pub description: String,
    /// Each reason with the name of the rule it broke.
    pub reasons: Vec<String>,
}

impl fmt::Display for JobFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", OneLine(&self.description))?;
        self.reasons.iter().try_for_each(|reason| write!(f, "; {}", OneLine(reason)))
    }
}

/// Text from outside on one line.
pub(super) struct OneLine<'a>(pub(super) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        self.0.chars().try_for_each(|char| f.write_char(if char.is_control() { ' ' } else { char }))
    }
}
