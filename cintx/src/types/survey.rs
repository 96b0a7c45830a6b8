//! The address of a survey, and the buyer's reference for it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize as _, Deserializer};

use super::serde_text::as_text;
use super::{InvalidValue, from_text};

/// Where respondents are sent: an https address of at most 3,000 characters that holds `[%RID%]`,
/// which Cint replaces by the respondent's id.
///
/// ```
/// # use cintx::types::SurveyUrl;
/// let url: SurveyUrl = "https://survey.example/?RID=[%RID%]".parse()?;
/// assert!("https://survey.example/".parse::<SurveyUrl>().is_err(), "nobody would know who answered");
/// # Ok::<(), cintx::types::InvalidValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SurveyUrl(Box<str>);

impl SurveyUrl {
    /// What Cint replaces by the respondent's id.
    pub const RID: &'static str = "[%RID%]";

    /// An address that the API gave, whatever it is.
    pub(crate) fn kept(url: String) -> Self {
        Self(url.into())
    }

    /// Reads an address that the API gave and a file kept, whatever it is.
    pub(crate) fn read_kept<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::kept)
    }

    /// Reads such an address that may be missing.
    pub(crate) fn read_kept_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Self::kept))
    }

    /// The address with its placeholders.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SurveyUrl {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let rest = text.strip_prefix("https://").unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
        let expected = if text.len() > 3_000 && text.chars().count() > 3_000 {
            "a survey address: at most 3,000 characters"
        } else if authority.is_empty() {
            "a survey address: it must begin with https:// and name a host"
        } else if !text.contains(Self::RID) {
            "a survey address: it must hold [%RID%], or nobody knows who answered"
        } else if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            "a survey address: it must not hold spaces"
        } else if text.chars().any(is_invisible) {
            "a survey address: it must not hold invisible characters"
        } else if authority.contains(Self::RID) {
            "a survey address: [%RID%] must be in its path or query, not in its host"
        } else if authority.contains('@') {
            "a survey address: it must not hold a user name or password"
        } else if port.is_some_and(|port| !matches!(port.parse::<u16>(), Ok(1..))) {
            "a survey address: its port must be 1 to 65535"
        } else if authority.contains('\\') || url::Url::parse(text).is_err() {
            "a survey address: its host cannot be read"
        } else {
            return Ok(Self(text.into()));
        };
        // A long address is not repeated in full, and a password not at all.
        let got: String =
            if text.contains('@') { "an address with @".to_owned() } else { text.chars().take(80).collect() };
        Err(InvalidValue::new(got, expected))
    }
}

/// Characters that nobody sees: joiners, marks of direction, a byte-order mark.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

from_text!(SurveyUrl);
as_text!(SurveyUrl);

impl fmt::Display for SurveyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The buyer's own number for a project or target group: 3 to 128 letters, digits, hyphens, underscores and spaces.
///
/// ```
/// # use cintx::types::CustomerReference;
/// assert!("PO-2026_0042".parse::<CustomerReference>().is_ok());
/// assert!("PO#42".parse::<CustomerReference>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomerReference(Box<str>);

impl CustomerReference {
    /// The reference as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CustomerReference {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b' ');
        if (3..=128).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.into()));
        }
        Err(InvalidValue::new(text, "a customer reference: 3 to 128 letters, digits, -, _ and spaces"))
    }
}

from_text!(CustomerReference);
as_text!(CustomerReference);

impl fmt::Display for CustomerReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
