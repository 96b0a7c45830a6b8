//! Recontacts on the wire. They came with 2025-12-18.

use std::future::Future;

use cintx_raw::{ByteStream, File};

use super::{Answer, Place};
use crate::job::JobPoll;
use crate::paging::{PageRequest, RawPage};
use crate::recontact::{RecontactBy, RecontactUpload};
use crate::respondent::list_job::{ListOutcome, ListWork};
use crate::types::ids::JobId;
use crate::version::Version;

/// The versions that can ask respondents again.
#[diagnostic::on_unimplemented(message = "`{Self}` has no recontacts", note = "use a client of 2025-12-18 or later")]
pub trait HasRecontacts: Version {
    #[doc(hidden)]
    fn recontacts_count(raw: &Self::Raw, place: Place<'_>) -> impl Future<Output = Answer<i64>> + Send;

    #[doc(hidden)]
    fn recontacts(
        raw: &Self::Raw,
        place: Place<'_>,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<String>>> + Send;

    #[doc(hidden)]
    fn upload_recontacts(
        raw: &Self::Raw,
        place: Place<'_>,
        by: RecontactBy,
        file: &File,
    ) -> impl Future<Output = Answer<JobId>> + Send;

    #[doc(hidden)]
    fn remove_recontacts(raw: &Self::Raw, place: Place<'_>) -> impl Future<Output = Answer<JobId>> + Send;

    #[doc(hidden)]
    fn recontact_uploads(
        raw: &Self::Raw,
        place: Place<'_>,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<RecontactUpload>>> + Send;

    #[doc(hidden)]
    fn download_recontacts(
        raw: &Self::Raw,
        place: Place<'_>,
        job: &JobId,
    ) -> impl Future<Output = Answer<ByteStream>> + Send;

    #[doc(hidden)]
    fn recontact_job(
        raw: &Self::Raw,
        place: Place<'_>,
        work: ListWork,
        job: &JobId,
    ) -> impl Future<Output = Answer<JobPoll<ListOutcome>>> + Send;
}
