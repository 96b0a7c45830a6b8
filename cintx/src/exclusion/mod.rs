//! Exclusions: respondents by list, target groups that exclude each other, recent activity, and the rest
//! of the own project.

mod activity;
mod group;
mod legacy;
mod policy;

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use serde::{Deserialize, Serialize};

pub use self::activity::{ActivityExclusion, ActivitySource, HasActivityExclusions};
pub(crate) use self::group::GroupChange;
pub use self::group::{
    ExclusionGroup, ExclusionGroupMembers, ExclusionGroupQuery, ExclusionGroups, ExclusionGroupsOfTargetGroup,
    HasExclusionGroups, UpdateExclusionGroup,
};
pub use self::legacy::{ExclusionLists, HasExclusionLists};
pub use self::policy::{ExclusionPolicy, HasExclusionPolicies};
use crate::client::CallOptions;
use crate::client::options::handle_options;
use crate::error::{Error, FieldError};
use crate::job::{Job, JobKind, JobPoll};
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage};
use crate::respondent::id_list::{self, IdList};
pub use crate::respondent::list_job::ListOutcome;
use crate::respondent::list_job::{self, ListWork};
use crate::sealed::Sealed;
use crate::target_group::TargetGroup;
use crate::types::ids::{JobId, TargetGroupId};
use crate::types::serde_text::word;
use crate::version::Version;
pub use crate::wire::exclusions::HasRespondentExclusions;

impl<V: Version> TargetGroup<V> {
    /// The respondents that are kept out of the target group. Asks nothing.
    ///
    /// From 2025-12-18 on.
    pub fn exclusions(&self) -> Exclusions<V>
    where
        V: HasRespondentExclusions,
    {
        Exclusions { group: self.clone() }
    }
}

/// By what respondents are kept out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ExcludedBy {
    /// By RSID: a UUID.
    Rsid,
    /// By access respondent GUID: a UUID.
    AccessRespondentGuid,
}

word!(ExcludedBy: "a kind of id: rsid or access-respondent-guid");

/// The respondents that are kept out of a target group, by list. One job at a time can change the lists of a target
/// group; while it runs, another is refused with 409. A change holds for respondents who arrive later.
///
/// ```no_run
/// # async fn run(
/// #     group: cintx::target_group::TargetGroup<cintx::V2025_12_18>,
/// #     rsids: Vec<String>,
/// # ) -> Result<(), cintx::Error> {
/// use cintx::exclusion::ExcludedBy;
///
/// let done = group.exclusions().upload(ExcludedBy::Rsid, rsids).await?.until_done().await?;
/// if let Some(why) = done.partial_success {
///     println!("not all of them: {why}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Exclusions<V: Version> {
    group: TargetGroup<V>,
}

handle_options!(Exclusions: group.client);

impl<V: HasRespondentExclusions> Exclusions<V> {
    /// How many are kept out.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_exclusions_overview")]
    pub async fn overview(&self) -> Result<ExclusionsOverview, Error> {
        <V as HasRespondentExclusions>::exclusions_overview(self.group.client.raw(), self.group.place()).await
    }

    /// Who is kept out, by RSID. A page can have 1 to 1,000.
    ///
    /// From 2025-12-18 on.
    #[doc(alias = "get_target_group_rsid_exclusion_list_api_paginated")]
    pub fn rsids(&self) -> ListRequest<ExcludedQuery<V>> {
        ListRequest::new(ExcludedQuery { group: self.group.clone(), by: ExcludedBy::Rsid })
    }

    /// Who is kept out, by access respondent GUID. A page can have 1 to 1,000.
    ///
    /// From 2025-12-18 on.
    #[doc(alias = "get_target_group_access_respondent_guid_exclusion_list_api_paginated")]
    pub fn access_respondent_guids(&self) -> ListRequest<ExcludedQuery<V>> {
        ListRequest::new(ExcludedQuery { group: self.group.clone(), by: ExcludedBy::AccessRespondentGuid })
    }

    /// Keeps more respondents out: 1 to 100,000 UUIDs from an iterator, a stream or a file (see [`IdList`]), less than
    /// 5 MB. A target group keeps 100,000 of each kind. Ten thousand take some minutes.
    ///
    /// From 2025-12-18 on. It takes no idempotency key.
    ///
    /// # Errors
    /// What is wrong with the ids, found before anything is sent. The API answers 409 while another job runs. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "exclusion_create_upload_rids_by_file_job")]
    pub async fn upload(&self, by: ExcludedBy, ids: impl Into<IdList>) -> Result<ExclusionJob<V>, Error> {
        let ids = ids.into();
        ids.check("ids", id_list::MAX_IDS, &id_list::UUID)?;
        let raw = self.group.client.raw();
        let id =
            <V as HasRespondentExclusions>::upload_exclusions(raw, self.group.place(), by, &ids.to_file()?).await?;
        Ok(self.job(ListWork::Upload, id))
    }

    /// Empties a list: everybody on it is let in again.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// The API answers 409 while another job runs. See [when a call fails](crate::guide::failures).
    #[doc(alias = "exclusion_create_remove_all_respondents_job")]
    pub async fn remove_all(&self, by: ExcludedBy) -> Result<ExclusionJob<V>, Error> {
        let id =
            <V as HasRespondentExclusions>::remove_exclusions(self.group.client.raw(), self.group.place(), by).await?;
        Ok(self.job(ListWork::RemoveAll, id))
    }

    /// An upload that was started in another process.
    #[doc(alias = "get_respondent_exclusions_upload_by_file_job")]
    pub fn upload_job(&self, id: JobId) -> ExclusionJob<V> {
        self.job(ListWork::Upload, id)
    }

    /// A removal that was started in another process.
    #[doc(alias = "get_all_respondent_exclusions_removal_job")]
    pub fn removal_job(&self, id: JobId) -> ExclusionJob<V> {
        self.job(ListWork::RemoveAll, id)
    }

    fn job(&self, work: ListWork, id: JobId) -> ExclusionJob<V> {
        Job::new(ExclusionRequest { group: self.group.clone(), work }, id)
    }
}

/// How many respondents are kept out of a target group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ExclusionsOverview {
    /// By RSID.
    pub rsids: Option<i64>,
    /// By access respondent GUID.
    pub access_respondent_guids: Option<i64>,
}

/// Lists who is kept out.
#[derive(Clone, Debug)]
pub struct ExcludedQuery<V: Version> {
    group: TargetGroup<V>,
    by: ExcludedBy,
}

impl<V: HasRespondentExclusions> Sealed for ExcludedQuery<V> {}

impl<V: HasRespondentExclusions> ListQuery for ExcludedQuery<V> {
    type Item = String;
    const MAX_PAGE: u16 = 1_000;

    fn set_options(&mut self, options: CallOptions) {
        self.group.client = self.group.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<String>, Error>> {
        <V as HasRespondentExclusions>::excluded(self.group.client.raw(), self.group.place(), self.by, ask).boxed()
    }
}

/// A job that fills or empties a list of excluded respondents.
pub type ExclusionJob<V> = Job<ExclusionRequest<V>>;

/// Fills or empties a list of excluded respondents.
#[derive(Clone, Debug)]
pub struct ExclusionRequest<V: Version> {
    group: TargetGroup<V>,
    work: ListWork,
}

impl<V: HasRespondentExclusions> Sealed for ExclusionRequest<V> {}

impl<V: HasRespondentExclusions> JobKind for ExclusionRequest<V> {
    type Done = ListOutcome;
    const NAME: &'static str = "the exclusion job";
    const FIRST_PAUSE: Duration = list_job::FIRST_PAUSE;
    const MAX_PAUSE: Duration = list_job::MAX_PAUSE;
    const LIMIT: Duration = list_job::LIMIT;

    fn set_options(&mut self, options: CallOptions) {
        self.group.client = self.group.client.with(options);
    }

    fn ask<'a>(&'a self, id: &'a JobId) -> BoxFuture<'a, Result<JobPoll<ListOutcome>, Error>> {
        <V as HasRespondentExclusions>::exclusion_job(self.group.client.raw(), self.group.place(), self.work, id)
            .boxed()
    }
}

/// Refuses what no target group or project is called.
pub(crate) fn id_problem(field: &'static str, id: &str) -> Option<FieldError> {
    let fits = id.len() == 26 && id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    (!fits).then(|| FieldError::new(field, format!("has the id {id:?}, expected 26 digits and capital letters")))
}

/// Refuses ids that are none, or not of target groups.
pub(crate) fn group_problems(field: &'static str, groups: &[TargetGroupId]) -> Vec<FieldError> {
    let mut problems: Vec<FieldError> = groups.iter().filter_map(|id| id_problem(field, id.as_str())).collect();
    if groups.is_empty() {
        problems.push(FieldError::new(field, "are none, expected at least one"));
    }
    problems
}
