//! What was refused: by the pipeline before anything was sent, and by the API once a job had begun.

use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::FieldError;

/// The longest message of an error, in characters, its causes included.
pub(super) const MAX_MESSAGE_CHARS: usize = 1_000;
/// The longest list that a message shows, in characters; [`Error::invalid_fields`] has all that was refused.
pub(super) const MAX_LIST_CHARS: usize = 900;
/// The longest text from outside that a message shows, in characters.
const MAX_TEXT_CHARS: usize = 600;

/// What the pipeline refused to send.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Vec<FieldError>);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, self.0.iter().map(ToString::to_string))
    }
}

/// As many as there is room for, the first one at any rate, and how many more there are.
fn write_list(f: &mut fmt::Formatter<'_>, items: impl ExactSizeIterator<Item = String>) -> fmt::Result {
    let (mut room, count) = (MAX_LIST_CHARS, items.len());
    for (index, item) in items.enumerate() {
        let text = format!("{}{item}", if index == 0 { "" } else { "; " });
        let length = text.chars().count();
        if length > room && index > 0 {
            return write!(f, "; and {} more", count - index);
        }
        f.write_str(&shortened(text, room))?;
        room = room.saturating_sub(length);
    }
    Ok(())
}

/// A text of at most so many characters; of a longer one the beginning.
pub(crate) fn shortened(mut text: String, chars: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(chars) {
        let kept = text.char_indices().nth(chars.saturating_sub(3)).map_or(end, |(at, _)| at);
        text.truncate(kept);
        text.push_str("...");
    }
    text
}

impl StdError for Refused {}

/// Why a job failed, as the API put it. Printed as its code, its description and its reasons, as far as they are given.
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
        let is_said = |text: &str| text.chars().any(|char| !char.is_whitespace() && !char.is_control());
        let code = self.code.as_deref().filter(|code| is_said(code));
        let description = Some(&*self.description).filter(|text| is_said(text));
        let first = match (code, description) {
            (Some(code), Some(description)) => Some(format!("{}: {}", OneLine(code), OneLine(description))),
            (Some(text), None) | (None, Some(text)) => Some(OneLine(text).to_string()),
            (None, None) => None,
        };
        let reasons = self.reasons.iter().filter(|reason| is_said(reason)).map(|reason| OneLine(reason).to_string());
        let parts: Vec<String> = first.into_iter().chain(reasons).collect();
        if parts.is_empty() { f.write_str("no reason was given") } else { write_list(f, parts.into_iter()) }
    }
}

/// Text from outside on one line, or the beginning of it.
pub(super) struct OneLine<'a>(pub(super) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.chars().take(MAX_TEXT_CHARS + 1).map(|char| if char.is_control() { ' ' } else { char });
        f.write_str(&shortened(shown.collect(), MAX_TEXT_CHARS))
    }
}
