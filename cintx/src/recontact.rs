//! Recontacts: a target group open only to respondents of earlier surveys.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::client::CallOptions;
use crate::client::options::handle_options;
use crate::error::Error;
use crate::job::{Job, JobKind, JobPoll};
use crate::open_enum::open_enum;
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage};
use crate::respondent::id_list::{self, IdList};
pub use crate::respondent::list_job::ListOutcome;
use crate::respondent::list_job::{self, ListWork};
use crate::sealed::Sealed;
use crate::target_group::TargetGroup;
use crate::types::ids::JobId;
use crate::types::serde_text::word;
use crate::version::Version;
pub use crate::wire::recontacts::HasRecontacts;

impl<V: Version> TargetGroup<V> {
    /// The respondents of earlier surveys whom the target group asks again. Asks nothing.
    ///
    /// From 2025-12-18 on.
    pub fn recontacts(&self) -> Recontacts<V>
    where
        V: HasRecontacts,
    {
        Recontacts { group: self.clone() }
    }
}

/// The kind of id that names the respondents to recontact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RecontactBy {
    /// By RSID: a UUID.
    Rsid,
    /// By respondent id: one word of at most 128 characters.
    RespondentId,
    /// By RID: a UUID.
    Rid,
    /// By response id: one word of at most 128 characters.
    ResponseId,
}

word!(RecontactBy: "a kind of id: rsid, respondent-id, rid or response-id");

/// The respondents whom a target group asks again: 100,000 at most. One job at a time can change them; while it runs,
/// another is refused with 409.
///
/// ```no_run
/// # async fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
/// use cintx::recontact::RecontactBy;
/// use cintx::respondent::IdList;
///
/// let rids = IdList::from_file("first_wave.csv").await?;
/// group.recontacts().upload(RecontactBy::Rid, rids).await?.until_done().await?;
/// println!("{:?} will be asked again", group.recontacts().count().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Recontacts<V: Version> {
    group: TargetGroup<V>,
}

handle_options!(Recontacts: group.client);

impl<V: HasRecontacts> Recontacts<V> {
    /// How many respondents are recontacted.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_recontacts_overview")]
    pub async fn count(&self) -> Result<i64, Error> {
        <V as HasRecontacts>::recontacts_count(self.group.client.raw(), self.group.place()).await
    }

    /// The respondents to recontact, by RSID.
    ///
    /// From 2025-12-18 on.
    #[doc(alias = "get_target_group_rsid_recontact_list")]
    pub fn rsids(&self) -> ListRequest<RecontactQuery<V>> {
        ListRequest::new(RecontactQuery { group: self.group.clone() })
    }

    /// Adds respondents: 1 to 100,000 ids from an iterator, a stream or a file (see [`IdList`]), less than 5 MB. Ten
    /// thousand take a quarter of an hour.
    ///
    /// From 2025-12-18 on. It takes no idempotency key.
    ///
    /// # Errors
    /// What is wrong with the ids, found before anything is sent. The API answers 409 while another job runs. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "recontact_create_upload_respondents_by_file_job")]
    pub async fn upload(&self, by: RecontactBy, ids: impl Into<IdList>) -> Result<RecontactJob<V>, Error> {
        let ids = ids.into();
        let rule = match by {
            RecontactBy::Rsid | RecontactBy::Rid => &id_list::UUID,
            RecontactBy::RespondentId | RecontactBy::ResponseId => &id_list::WORD,
        };
        ids.check("ids", id_list::MAX_IDS, rule)?;
        let raw = self.group.client.raw();
        let id = <V as HasRecontacts>::upload_recontacts(raw, self.group.place(), by, &ids.to_file()?).await?;
        Ok(self.job(ListWork::Upload, id))
    }

    /// Takes everybody off the list.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// The API answers 409 while another job runs. See [when a call fails](crate::guide::failures).
    #[doc(alias = "create_all_recontact_rsids_removal_job")]
    pub async fn remove_all(&self) -> Result<RecontactJob<V>, Error> {
        let id = <V as HasRecontacts>::remove_recontacts(self.group.client.raw(), self.group.place()).await?;
        Ok(self.job(ListWork::RemoveAll, id))
    }

    /// Lists the uploads that were made, the last one first.
    ///
    /// From 2025-12-18 on.
    #[doc(alias = "recontact_list_upload_respondents_by_file_jobs")]
    pub fn uploads(&self) -> ListRequest<RecontactUploadQuery<V>> {
        ListRequest::new(RecontactUploadQuery { group: self.group.clone() })
    }

    /// Gets the file of an upload, as it was sent.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// The API answers 404 if there is no such upload. See [when a call fails](crate::guide::failures).
    #[doc(alias = "recontact_download_job_file")]
    pub async fn download(&self, job: &JobId) -> Result<cintx_raw::ByteStream, Error> {
        <V as HasRecontacts>::download_recontacts(self.group.client.raw(), self.group.place(), job).await
    }

    /// An upload that was started in another process.
    #[doc(alias = "get_recontact_upload_respondents_by_file_job")]
    pub fn upload_job(&self, id: JobId) -> RecontactJob<V> {
        self.job(ListWork::Upload, id)
    }

    /// A removal that was started in another process.
    #[doc(alias = "recontacts_remove_all_rsids_job_status")]
    pub fn removal_job(&self, id: JobId) -> RecontactJob<V> {
        self.job(ListWork::RemoveAll, id)
    }

    fn job(&self, work: ListWork, id: JobId) -> RecontactJob<V> {
        Job::new(RecontactRequest { group: self.group.clone(), work }, id)
    }
}

/// Lists the respondents to recontact.
#[derive(Clone, Debug)]
pub struct RecontactQuery<V: Version> {
    group: TargetGroup<V>,
}

impl<V: HasRecontacts> Sealed for RecontactQuery<V> {}

impl<V: HasRecontacts> ListQuery for RecontactQuery<V> {
    type Item = String;

    fn set_options(&mut self, options: CallOptions) {
        self.group.client = self.group.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<String>, Error>> {
        <V as HasRecontacts>::recontacts(self.group.client.raw(), self.group.place(), ask).boxed()
    }
}

open_enum! {
    /// How an upload is doing.
    UploadStatus {
        /// It is being read.
        Processing = "Processing",
        /// It was read.
        Completed = "Completed",
        /// It could not be read.
        Failed = "Failed",
    }
}

/// An upload of respondents to ask again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecontactUpload {
    /// The job that reads it.
    pub job: JobId,
    /// How it is doing.
    pub status: Option<UploadStatus>,
    /// What its file was called.
    pub file_name: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: Option<String>,
}

/// Lists the uploads that were made.
#[derive(Clone, Debug)]
pub struct RecontactUploadQuery<V: Version> {
    group: TargetGroup<V>,
}

impl<V: HasRecontacts> Sealed for RecontactUploadQuery<V> {}

impl<V: HasRecontacts> ListQuery for RecontactUploadQuery<V> {
    type Item = RecontactUpload;

    fn set_options(&mut self, options: CallOptions) {
        self.group.client = self.group.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<RecontactUpload>, Error>> {
        <V as HasRecontacts>::recontact_uploads(self.group.client.raw(), self.group.place(), ask).boxed()
    }
}

/// A job that fills or empties the list of respondents to ask again.
pub type RecontactJob<V> = Job<RecontactRequest<V>>;

/// Fills or empties the list of respondents to ask again.
#[derive(Clone, Debug)]
pub struct RecontactRequest<V: Version> {
    group: TargetGroup<V>,
    work: ListWork,
}

impl<V: HasRecontacts> Sealed for RecontactRequest<V> {}

impl<V: HasRecontacts> JobKind for RecontactRequest<V> {
    type Done = ListOutcome;
    const NAME: &'static str = "the recontact job";
    const FIRST_PAUSE: Duration = list_job::FIRST_PAUSE;
    const MAX_PAUSE: Duration = list_job::MAX_PAUSE;
    const LIMIT: Duration = list_job::LIMIT;

    fn set_options(&mut self, options: CallOptions) {
        self.group.client = self.group.client.with(options);
    }

    fn ask<'a>(&'a self, id: &'a JobId) -> BoxFuture<'a, Result<JobPoll<ListOutcome>, Error>> {
        <V as HasRecontacts>::recontact_job(self.group.client.raw(), self.group.place(), self.work, id).boxed()
    }
}
