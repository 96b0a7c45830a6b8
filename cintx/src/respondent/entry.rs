//! Who may enter the survey: respondents of whom Cint says that they are in it and came by our link.
//! Everybody else is refused, with the reason and the way back.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::error::Error;
use crate::types::InvalidValue;

/// Whether a respondent may enter. Comes from Cint's answer alone: it cannot be read back.
///
/// ```compile_fail,E0277
/// # let kept = "";
/// let forged: cintx::respondent::Entry = serde_json::from_str(kept).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum Entry {
    /// In the survey, and came by our link: show the first question.
    Admitted(Admitted),
    /// Not to be let in: redirect to [`Refused::exit_url`], and report no outcome.
    Refused(Refused),
}

/// A respondent whom Cint has vouched for. It has no way back to Cint: that comes from
/// [`finish`](super::ServerToServer::finish). Keep it with the answers, as JSON for example, so that the survey can be
/// finished after a restart. Whoever reads back one that was never admitted gains nothing: Cint decides what it takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "KeptAdmitted")]
pub struct Admitted {
    pub(super) rid: String,
    pub(super) entry_url: String,
}

/// A respondent as a file has them, not checked yet.
#[derive(Deserialize)]
struct KeptAdmitted {
    rid: String,
    entry_url: String,
}

impl TryFrom<KeptAdmitted> for Admitted {
    type Error = InvalidValue;

    fn try_from(kept: KeptAdmitted) -> Result<Self, InvalidValue> {
        let KeptAdmitted { rid, entry_url } = kept;
        match is_rid(&rid) {
            true => Ok(Self { rid, entry_url }),
            false => Err(InvalidValue::new(rid, "a RID: a UUID of 36 characters")),
        }
    }
}

impl Admitted {
    /// The RID in the spelling of the entry link.
    pub fn rid(&self) -> &str {
        &self.rid
    }

    /// The address by which the respondent came.
    pub fn entry_url(&self) -> &str {
        &self.entry_url
    }
}

/// Somebody who is not to be let in. It has a way back to Cint, so it comes from asking Cint alone: it can neither be
/// made nor be read back.
///
/// ```compile_fail,E0277
/// # let kept = "";
/// let forged: cintx::respondent::Refused = serde_json::from_str(kept).unwrap();
/// ```
///
/// ```compile_fail,E0451
/// use cintx::respondent::{EntryRefusal, Refused};
/// let forged = Refused { reason: EntryRefusal::NotFound, exit_url: String::new() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refused {
    pub(super) reason: EntryRefusal,
    pub(super) exit_url: String,
}

impl Refused {
    /// Why.
    pub fn reason(&self) -> &EntryRefusal {
        &self.reason
    }

    /// Where to redirect the browser: Cint's general callback. It says nothing of an outcome; Cint counts such a
    /// respondent as a security terminate.
    pub fn exit_url(&self) -> &str {
        &self.exit_url
    }
}

/// Cint could not be asked about somebody who wants to enter, or gave no answer that can be read. That says nothing
/// about them: let nobody in, and offer to try again.
#[derive(Clone, Debug, thiserror::Error)]
#[error("Cint does not say whether {rid} may enter")]
pub struct UnansweredEntry {
    pub(super) rid: String,
    pub(super) refused: Refused,
    #[source]
    pub(super) cause: Error,
}

impl UnansweredEntry {
    /// The RID that Cint was asked about.
    pub fn rid(&self) -> &str {
        &self.rid
    }

    /// Why there is no answer.
    pub fn cause(&self) -> &Error {
        &self.cause
    }

    /// Sends them back as one who was refused, for when your own patience ends: Cint asks that whoever it does not
    /// vouch for is not let in. Not for somebody whom you have admitted before: their way back comes with their
    /// outcome.
    pub fn give_up(self) -> Refused {
        self.refused
    }
}

impl From<UnansweredEntry> for Error {
    fn from(unanswered: UnansweredEntry) -> Self {
        unanswered.cause
    }
}

/// Why somebody is not let in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EntryRefusal {
    /// What the link carried is no RID: no UUID of 36 characters. Cint was not asked.
    NotAnId,
    /// Cint knows no such respondent.
    NotFound,
    /// Cint knows the respondent, and does not have them in the survey: they were here before, for example.
    NotInSurvey {
        /// Cint's code. Only the meaning of 1 is published: in the survey.
        code: i64,
    },
    /// Cint refuses the question (422) and tells no status by which they could be judged.
    NoStatus,
    /// Cint gave no answer for as long as your patience lasted: see [`UnansweredEntry::give_up`].
    Unanswered,
    /// Cint has them in a survey, but sent them to another address.
    OtherLink {
        /// Where Cint sent them.
        links: Vec<String>,
    },
}

/// What Cint replaces by one of the codes that the buyer has given it.
const UNIQUE_CODE: &str = "[%RESPONDENT_UNIQUE_CODE%]";
/// The longest of those codes.
const MAX_CODE_CHARS: usize = 128;

pub(super) fn is_rid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

/// Whether a respondent who called `entry_url` was sent there by `link`: the same scheme, host, port and path, and
/// every parameter of the link. The address may have more of them. The RID may be spelled in capitals or not, and a
/// link may still have its placeholders: for the RID, and for a code of the buyer's own.
pub(super) fn is_same_link(link: &str, entry_url: &str, rid: &str) -> bool {
    let link = link.replace("[%RID%]", rid).replace("%5B%25RID%25%5D", rid).replace("%5b%25RID%25%5d", rid);
    let (Ok(link), Ok(entry)) = (Url::parse(&link), Url::parse(entry_url)) else { return false };
    let is_same_text = |one: &str, other: &str| {
        let unescaped = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (one, other) = (unescaped(one), unescaped(other));
        // Only the RID may be spelled in either way.
        fits(&one, &other) || blank_out(&one, rid).zip(blank_out(&other, rid)).is_some_and(|(one, it)| fits(&one, &it))
    };
    let mut given: Vec<(String, String)> = entry.query_pairs().into_owned().collect();
    let has = |given: &mut Vec<(String, String)>, name: &str, value: &str| {
        // What stands for a whole value may be any.
        let is_it = |text: &str| value == UNIQUE_CODE || is_same_text(value, text);
        let at = given.iter().position(|(it, text)| it == name && is_it(text));
        at.map(|at| given.swap_remove(at)).is_some()
    };
    link.scheme() == entry.scheme()
        && link.host() == entry.host()
        && link.port_or_known_default() == entry.port_or_known_default()
        && is_same_text(link.path(), entry.path())
        && link.query_pairs().all(|(name, value)| has(&mut given, &name, &value))
}

/// Whether a text is what a link has, with a code in each place that the link left for one.
fn fits(link: &str, text: &str) -> bool {
    let mut parts = link.split(UNIQUE_CODE);
    let Some(rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    // What may be left of the text behind the parts so far: a code may be as long as the next part lets it be.
    let mut left = BTreeSet::from([rest]);
    for part in parts {
        left = left.into_iter().flat_map(without_code).filter_map(|rest| rest.strip_prefix(part)).collect();
    }
    left.contains("")
}

/// What may be left of a text behind the code that it begins with.
fn without_code(text: &str) -> impl Iterator<Item = &str> {
    let is_of_code = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let longest = text.bytes().take(MAX_CODE_CHARS).take_while(is_of_code).count();
    (1..=longest).map(|length| &text[length..])
}

/// A text with the RID, which it contains in some spelling, left out.
fn blank_out(text: &str, rid: &str) -> Option<String> {
    let at = text.to_ascii_lowercase().find(&rid.to_ascii_lowercase())?;
    Some(format!("{}\0{}", text.get(..at)?, text.get(at + rid.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RID: &str = "0F1CE179-A917-49FF-9D50-B05FC91F7BD4";

    #[test]
    fn a_code_of_the_buyers_own_may_be_any() {
        let link = "https://survey.example/s?rid=[%RID%]&code=[%RESPONDENT_UNIQUE_CODE%]";
        let entry = format!("https://survey.example/s?rid={RID}&code=A7");
        assert!(is_same_link(link, &entry, RID));
        assert!(!is_same_link(link, &entry.replace("&code=A7", ""), RID));
        assert!(!is_same_link("https://survey.example/s?rid=[%RID%]&code=B8", &entry, RID));
        // In a path, in a part of a value, twice; as the document writes it, and as tools encode it.
        for (link, entry) in [
            ("/[%RESPONDENT_UNIQUE_CODE%]/s?rid=[%RID%]", "/A-7_b/s?rid={}"),
            ("/%5B%25RESPONDENT_UNIQUE_CODE%25%5D/s?rid=[%RID%]", "/A-7_b/s?rid={}"),
            ("/s/[%RID%]-[%RESPONDENT_UNIQUE_CODE%]", "/s/{}-A7"),
            ("/s?x=[%RID%].[%RESPONDENT_UNIQUE_CODE%].1", "/s?x={}.A7.1"),
            ("/s?x=%5B%25RID%25%5D-%5B%25RESPONDENT_UNIQUE_CODE%25%5D", "/s?x={}-A7-1"),
            ("/s?x=[%RID%]-[%RESPONDENT_UNIQUE_CODE%]a[%RESPONDENT_UNIQUE_CODE%]", "/s?x={}-aaaa"),
        ] {
            for rid in [RID.to_owned(), RID.to_lowercase()] {
                let entry = format!("https://survey.example{}", entry.replace("{}", &rid));
                let link = format!("https://survey.example{link}");
                assert!(is_same_link(&link, &entry, RID), "{link} {entry}");
                assert!(!is_same_link(&link, &entry.replace("survey.example/", "survey.example/x/"), RID), "{link}");
            }
        }
        for (link, entry) in [
            ("/[%RESPONDENT_UNIQUE_CODE%]/s", "//s"),
            ("/[%RESPONDENT_UNIQUE_CODE%]/s", "/A/7/s"),
            ("/[%RESPONDENT_UNIQUE_CODE%]/s", "/A.7/s"),
            ("/s?x=a[%RESPONDENT_UNIQUE_CODE%]", "/s?x=bA7"),
            ("/s?x=[%RESPONDENT_UNIQUE_CODE%]a", "/s?x=a"),
            ("/s?x=[%RESPONDENT_UNIQUE_CODE%]a[%RESPONDENT_UNIQUE_CODE%]", "/s?x=aa"),
        ] {
            let at = |target: &str| format!("https://survey.example{target}");
            assert!(!is_same_link(&at(link), &at(entry), RID), "{link} {entry}");
        }
        let long = |chars: usize| format!("https://survey.example/{}/s", "a".repeat(chars));
        let link = "https://survey.example/[%RESPONDENT_UNIQUE_CODE%]/s";
        assert!(is_same_link(link, &long(MAX_CODE_CHARS), RID) && !is_same_link(link, &long(MAX_CODE_CHARS + 1), RID));
    }

    #[test]
    fn a_link_is_ours_if_all_of_it_is_in_the_address() {
        let lower = RID.to_lowercase();
        let link = format!("https://survey.example/s/1?rid={RID}&lang=en%20GB");
        for entry in [
            link.clone(),
            format!("https://survey.example:443/s/1?rid={lower}&lang=en%20GB"),
            format!("https://SURVEY.example/s/1?lang=en+GB&rid={RID}&hash=abc"),
        ] {
            assert!(is_same_link(&link, &entry, RID), "{entry}");
        }
        for entry in [
            format!("http://survey.example/s/1?rid={RID}&lang=en%20GB"),
            format!("https://survey.example:8443/s/1?rid={RID}&lang=en%20GB"),
            format!("https://survey.example.evil/s/1?rid={RID}&lang=en%20GB"),
            format!("https://survey.example/s/2?rid={RID}&lang=en%20GB"),
            format!("https://survey.example/S/1?rid={RID}&lang=en%20GB"),
            format!("https://survey.example/s/1?rid={RID}"),
            format!("https://survey.example/s/1?rid={RID}&lang=EN%20GB"),
            "https://survey.example/s/1?rid=00000000-0000-4000-8000-000000000000&lang=en%20GB".to_owned(),
            String::new(),
        ] {
            assert!(!is_same_link(&link, &entry, RID), "{entry}");
        }
    }

    #[test]
    fn the_rid_may_stand_in_the_path_or_as_a_placeholder() {
        let entry = format!("https://survey.example/s/{}/start", RID.to_lowercase());
        assert!(is_same_link(&format!("https://survey.example/s/{RID}/start"), &entry, RID));
        assert!(is_same_link("https://survey.example/s/[%RID%]/start", &entry, RID));
        assert!(!is_same_link("https://survey.example/s/[%RID%]/end", &entry, RID));
        let query = format!("https://survey.example/?rid={RID}");
        for written in ["[%RID%]", "%5B%25RID%25%5D", "%5b%25RID%25%5d"] {
            assert!(is_same_link(&format!("https://survey.example/?rid={written}"), &query, RID), "{written}");
        }
        // A parameter that the link has twice must be there twice.
        assert!(!is_same_link("https://survey.example/?rid=[%RID%]&rid=[%RID%]", &query, RID));
    }

    #[test]
    fn no_text_from_outside_panics() {
        for odd in ["", "\u{0}", "https://", "ä", "https://ä/?ä", "data:,", "%", "https://a/%ff?%ff=%ff"] {
            assert!(!is_rid(odd));
            assert!(!is_same_link(odd, "https://survey.example/", RID));
            let _ = is_same_link("https://a/%ff?%ff=%ff", odd, odd);
        }
    }
}
