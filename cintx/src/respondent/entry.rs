//! Who may enter the survey: respondents of whom Cint says that they are in it and came by our link.
//! Everybody else is refused, with the reason and the way back.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

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

/// Somebody who is not to be let in. It has a way back to Cint, so it comes from Cint's answer alone: it can neither be
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
    /// Cint has them in a survey, but sent them to another address.
    OtherLink {
        /// Where Cint sent them.
        links: Vec<String>,
    },
}

/// What Cint replaces by one of the codes that the buyer has given it.
const UNIQUE_CODE: &str = "[%RESPONDENT_UNIQUE_CODE%]";

pub(super) fn is_rid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok()
}

/// Whether a respondent who called `entry_url` was sent there by `link`: the same scheme, host, port and path, and
/// every parameter of the link. The address may have more of them. The RID may be spelled in capitals or not, and a
/// link may still have its placeholders: for the RID, and for a code of the buyer's own, which may be any.
pub(super) fn is_same_link(link: &str, entry_url: &str, rid: &str) -> bool {
    let link = link.replace("[%RID%]", rid).replace("%5B%25RID%25%5D", rid).replace("%5b%25RID%25%5d", rid);
    let (Ok(link), Ok(entry)) = (Url::parse(&link), Url::parse(entry_url)) else { return false };
    let is_same_text = |one: &str, other: &str| {
        let unescaped = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (one, other) = (unescaped(one), unescaped(other));
        // Only the RID may be spelled in either way.
        one == other || blank_out(&one, rid).is_some_and(|one| Some(one) == blank_out(&other, rid))
    };
    let mut given: Vec<(String, String)> = entry.query_pairs().into_owned().collect();
    let has = |given: &mut Vec<(String, String)>, name: &str, value: &str| {
        let is_it = |text: &str| value == UNIQUE_CODE || is_same_text(text, value);
        let at = given.iter().position(|(it, text)| it == name && is_it(text));
        at.map(|at| given.swap_remove(at)).is_some()
    };
    link.scheme() == entry.scheme()
        && link.host() == entry.host()
        && link.port_or_known_default() == entry.port_or_known_default()
        && is_same_text(link.path(), entry.path())
        && link.query_pairs().all(|(name, value)| has(&mut given, &name, &value))
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
