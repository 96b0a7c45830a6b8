//! Server to server: reads and reports the status of a respondent, from your server to Cint's. It has a host and a key
//! of its own: [`ClientBuilder::server_to_server_key`](crate::ClientBuilder::server_to_server_key).

pub mod codes;
pub(crate) mod id_list;
#[cfg(feature = "redirect-hashing")]
pub mod redirect;
pub(crate) mod unique_code;

pub use self::id_list::IdList;
pub use self::unique_code::{HasUniqueCodes, RespondentMode, UniqueCodes, UniqueCodesStats};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::Client;
use crate::error::{Error, FieldError};
use crate::version::Version;
pub use crate::wire::respondents::HasRespondents;

impl<V: Version> Client<V> {
    /// One respondent, by the RID that the survey's address carried; its spelling is kept. Asks nothing.
    ///
    /// Only in 2025-12-18.
    pub fn respondent(&self, rid: impl Into<String>) -> Respondent<V>
    where
        V: HasRespondents,
    {
        Respondent { client: self.clone(), rid: rid.into() }
    }
}

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

/// A handle on a respondent, server to server.
///
/// ```no_run
/// # use cintx::{Client, V2025_12_18};
/// # use cintx::client::Credentials;
/// # async fn run(rid: &str) -> Result<(), Box<dyn std::error::Error>> {
/// use cintx::respondent::RespondentOutcome;
///
/// let cint = Client::<V2025_12_18>::builder()
///     .credentials(Credentials::from_env()?)
///     .account(2428)
///     .server_to_server_key(std::env::var("CINT_S2S_KEY")?)
///     .build()?;
/// let respondent = cint.respondent(rid);
/// if respondent.status().await?.is_in_survey() {
///     // The survey takes place; then:
///     respondent.transition(RespondentOutcome::Complete).await?;
/// }
/// // Only now is the respondent sent back to Cint.
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Respondent<V: Version> {
    client: Client<V>,
    rid: String,
}

impl<V: HasRespondents> Respondent<V> {
    /// The RID as it was given.
    pub fn rid(&self) -> &str {
        &self.rid
    }

    /// Whether the respondent is in the survey: check this before you admit a respondent.
    ///
    /// Only in 2025-12-18.
    ///
    /// # Errors
    /// That the RID is no UUID, before anything is sent; [`ErrorKind::Credential`](crate::ErrorKind::Credential) if the
    /// client has no server-to-server key. The API answers 404 if there is no such respondent. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "get_respondent_status")]
    pub async fn status(&self) -> Result<RespondentStatus, Error> {
        Error::check(self.problem())?;
        <V as HasRespondents>::respondent(self.client.raw(), &self.rid).await
    }

    /// Says how the survey ended. Wait for it, and only then send the respondent back.
    ///
    /// Only in 2025-12-18. It takes no idempotency key and is never sent twice: Cint refuses an outcome that the
    /// respondent already has, so when [`Error::outcome`] is unknown, [`is_in_survey`](RespondentStatus::is_in_survey)
    /// tells whether it arrived.
    ///
    /// # Errors
    /// As for [`status`](Self::status); 422 if the respondent cannot end so, having ended already for example.
    #[doc(alias = "update_respondent_status")]
    pub async fn transition(&self, outcome: RespondentOutcome) -> Result<(), Error> {
        Error::check(self.problem())?;
        <V as HasRespondents>::transition(self.client.raw(), &self.rid, outcome.code()).await
    }

    fn problem(&self) -> Option<FieldError> {
        let wrong = self.rid.parse::<Uuid>().is_err() || self.rid.len() != 36;
        wrong.then(|| FieldError::new("rid", format!("is {:?}, expected a UUID of 36 characters", self.rid)))
    }
}

/// Where a respondent is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RespondentStatus {
    /// Cint's code. Only the meaning of 1 is published: in the survey.
    pub code: i64,
    /// The addresses by which the respondent was to enter: compare them with the one that was called.
    pub links: Vec<String>,
}

impl RespondentStatus {
    /// Whether the respondent is in the survey, or has dropped out of it. Nobody else should be let in.
    pub fn is_in_survey(&self) -> bool {
        self.code == 1
    }
}
