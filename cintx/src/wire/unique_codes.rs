//! Respondent unique codes on the wire. They came with 2025-12-18; live and test codes have operations of their own.

use std::future::Future;

use super::Answer;
use super::Place;
use crate::respondent::unique_code::{RespondentMode, UniqueCodesStats};
use crate::version::Version;

/// The versions that hand out the buyer's own codes to respondents.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hand out codes of the buyer's own to respondents",
    note = "use a client of 2025-12-18 or later"
)]
pub trait HasUniqueCodes: Version {
    #[doc(hidden)]
    fn upload_codes(
        raw: &Self::Raw,
        place: Place<'_>,
        codes_for: RespondentMode,
        codes: Vec<String>,
    ) -> impl Future<Output = Answer<i64>> + Send;

    #[doc(hidden)]
    fn codes_stats(
        raw: &Self::Raw,
        place: Place<'_>,
        codes_for: RespondentMode,
    ) -> impl Future<Output = Answer<UniqueCodesStats>> + Send;

    #[doc(hidden)]
    fn delete_codes(
        raw: &Self::Raw,
        place: Place<'_>,
        codes_for: RespondentMode,
    ) -> impl Future<Output = Answer<()>> + Send;
}
