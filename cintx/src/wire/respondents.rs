//! Respondents from server to server on the wire. Only the document of 2025-12-18 has them; the host has no versions.

use std::future::Future;

use super::Answer;
use crate::respondent::RespondentStatus;
use crate::version::Version;

/// The versions whose documents have respondents from server to server.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no respondents from server to server",
    note = "the interface has no version: use a client of 2025-12-18 for it, which changes no project or target group"
)]
pub trait HasRespondents: Version {
    #[doc(hidden)]
    fn respondent(raw: &Self::Raw, rid: &str) -> impl Future<Output = Answer<RespondentStatus>> + Send;

    #[doc(hidden)]
    fn transition(raw: &Self::Raw, rid: &str, code: i64) -> impl Future<Output = Answer<()>> + Send;
}
