//! Respondents while they are in your survey: admitted, followed, and sent back to Cint.
//! [`ServerToServer`] does it from your server to Cint's, `redirect` (feature `redirect-hashing`) by signed links:
//! [when to use which](crate::guide::respondents), and what survey tools need.

pub mod codes;
mod entry;
pub(crate) mod id_list;
pub(crate) mod list_job;
#[cfg(feature = "redirect-hashing")]
pub mod redirect;
mod server_to_server;
mod transition;
pub(crate) mod unique_code;

pub use self::entry::{Admitted, Entry, EntryRefusal, Refused, UnansweredEntry};
pub use self::id_list::IdList;
pub use self::server_to_server::{RespondentStatus, ServerToServer, ServerToServerBuilder};
pub use self::transition::{Confirmed, OutcomeConflict, TransitionResult, UnknownRespondent};
pub use self::unique_code::{HasUniqueCodes, RespondentMode, UniqueCodes, UniqueCodesStats};

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::types::serde_text::word;

/// Where respondents are sent back to, unless said otherwise. Not public: the way back is had from a confirmed
/// transition, a refusal or a signed link.
pub(crate) const CALLBACK: &str = "https://samplicio.us/s/ClientCallBack.aspx";

/// How the survey ended for a respondent, in the numbers that the server-to-server transition takes.
///
/// ```
/// use cintx::respondent::RespondentOutcome;
/// use cintx::respondent::codes::ClientCode;
///
/// assert_eq!(RespondentOutcome::Overquota.code(), 3);
/// assert_eq!(ClientCode::from(RespondentOutcome::Overquota).code(), 40);
/// assert!(RespondentOutcome::try_from(40).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RespondentOutcome {
    /// 2: the respondent does not fit.
    Terminate,
    /// 3: there are enough respondents like this one.
    Overquota,
    /// 4: the respondent was thrown out for security or quality.
    SecurityTerminate,
    /// 5: the respondent completed the survey.
    Complete,
}

impl RespondentOutcome {
    /// Every outcome that a transition takes.
    pub const ALL: [Self; 4] = [Self::Terminate, Self::Overquota, Self::SecurityTerminate, Self::Complete];

    /// Cint's code from server to server; redirects and reports have other ones.
    pub fn code(self) -> i64 {
        match self {
            Self::Terminate => 2,
            Self::Overquota => 3,
            Self::SecurityTerminate => 4,
            Self::Complete => 5,
        }
    }
}

word!(from RespondentOutcome: "an outcome: terminate, overquota, security-terminate or complete");

impl fmt::Display for RespondentOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Terminate => "terminate",
            Self::Overquota => "overquota",
            Self::SecurityTerminate => "security terminate",
            Self::Complete => "complete",
        })
    }
}
