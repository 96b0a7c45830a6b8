//! Exclusions on the wire: lists of respondents by job (2025-12-18) or at once (2025-02-17), exclusion groups and
//! activity (2025-12-18), policies of projects (from 2025-02-17 on).

use std::future::Future;

use cintx_raw::File;

use super::{Answer, Wire};
use crate::exclusion::{
    ActivityExclusion, ExcludedBy, ExclusionGroup, ExclusionPolicy, ExclusionsOverview, GroupChange, ListOutcome,
    ListWork,
};
use crate::job::JobPoll;
use crate::paging::{PageRequest, RawPage};
use crate::types::ids::{ExclusionGroupId, JobId, ProjectId, TargetGroupId};

/// Where a target group is.
#[cfg_attr(
    not(feature = "_since-2025-02-17"),
    expect(dead_code, reason = "2024-12-02 alone has nothing that is kept in such a place")
)]
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Place<'a> {
    pub(crate) account: i64,
    pub(crate) project: &'a str,
    pub(crate) group: &'a str,
}

#[doc(hidden)]
pub trait ExclusionsWire: Wire {
    fn exclusions_overview(
        raw: &Self::Raw,
        place: Place<'_>,
    ) -> impl Future<Output = Answer<ExclusionsOverview>> + Send;

    fn excluded(
        raw: &Self::Raw,
        place: Place<'_>,
        by: ExcludedBy,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<String>>> + Send;

    fn upload_exclusions(
        raw: &Self::Raw,
        place: Place<'_>,
        by: ExcludedBy,
        file: &File,
    ) -> impl Future<Output = Answer<JobId>> + Send;

    fn remove_exclusions(
        raw: &Self::Raw,
        place: Place<'_>,
        by: ExcludedBy,
    ) -> impl Future<Output = Answer<JobId>> + Send;

    fn exclusion_job(
        raw: &Self::Raw,
        place: Place<'_>,
        work: ListWork,
        job: &JobId,
    ) -> impl Future<Output = Answer<JobPoll<ListOutcome>>> + Send;
}

#[doc(hidden)]
pub trait ExclusionGroupsWire: Wire {
    fn exclusion_groups(
        raw: &Self::Raw,
        account: i64,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<ExclusionGroup>>> + Send;

    fn exclusion_groups_of(
        raw: &Self::Raw,
        account: i64,
        group: &TargetGroupId,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<ExclusionGroup>>> + Send;

    fn create_exclusion_group(
        raw: &Self::Raw,
        account: i64,
        tag: &str,
        description: &str,
    ) -> impl Future<Output = Answer<ExclusionGroupId>> + Send;

    fn exclusion_group(
        raw: &Self::Raw,
        account: i64,
        id: &ExclusionGroupId,
    ) -> impl Future<Output = Answer<ExclusionGroup>> + Send;

    fn update_exclusion_group(
        raw: &Self::Raw,
        account: i64,
        id: &ExclusionGroupId,
        change: &GroupChange,
    ) -> impl Future<Output = Answer<()>> + Send;

    fn delete_exclusion_group(
        raw: &Self::Raw,
        account: i64,
        id: &ExclusionGroupId,
    ) -> impl Future<Output = Answer<()>> + Send;

    fn members(
        raw: &Self::Raw,
        account: i64,
        id: &ExclusionGroupId,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<TargetGroupId>>> + Send;

    /// Puts target groups in, or takes them out.
    fn change_members(
        raw: &Self::Raw,
        account: i64,
        id: &ExclusionGroupId,
        groups: &[TargetGroupId],
        join: bool,
    ) -> impl Future<Output = Answer<()>> + Send;
}

#[doc(hidden)]
pub trait ActivityWire: Wire {
    fn activity_exclusions(
        raw: &Self::Raw,
        place: Place<'_>,
    ) -> impl Future<Output = Answer<Vec<ActivityExclusion>>> + Send;

    fn set_activity_exclusions(
        raw: &Self::Raw,
        place: Place<'_>,
        exclusions: &[ActivityExclusion],
    ) -> impl Future<Output = Answer<()>> + Send;
}

#[doc(hidden)]
pub trait PoliciesWire: Wire {
    fn exclusion_policies(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
    ) -> impl Future<Output = Answer<Vec<(TargetGroupId, bool)>>> + Send;

    fn set_exclusion_policies(
        raw: &Self::Raw,
        account: i64,
        project: &ProjectId,
        policies: &[(TargetGroupId, bool)],
    ) -> impl Future<Output = Answer<()>> + Send;

    fn exclusion_policy(raw: &Self::Raw, place: Place<'_>) -> impl Future<Output = Answer<ExclusionPolicy>> + Send;
}

#[doc(hidden)]
pub trait ListsWire: Wire {
    fn excluded_rids(raw: &Self::Raw, place: Place<'_>) -> impl Future<Output = Answer<Vec<String>>> + Send;

    fn excluded_cids(raw: &Self::Raw, place: Place<'_>) -> impl Future<Output = Answer<Vec<String>>> + Send;

    fn exclude_rids(raw: &Self::Raw, place: Place<'_>, ids: Vec<String>) -> impl Future<Output = Answer<()>> + Send;

    fn exclude_cids(raw: &Self::Raw, place: Place<'_>, ids: Vec<String>) -> impl Future<Output = Answer<()>> + Send;
}

/// The job that an answer names.
#[cfg(feature = "_since-2025-12-18")]
pub(crate) fn made(operation: &'static cintx_raw::Operation, id: Option<cintx_raw::Id>) -> Answer<JobId> {
    let id = id.map(|id| JobId::new(id.as_str()));
    id.ok_or_else(|| crate::Error::incomplete(operation.id, "job_id"))
}

/// Reads how a job upon a list of respondents is doing; uploads can be done in part.
#[cfg(feature = "_since-2025-12-18")]
macro_rules! list_job {
    ($answer:expr $(, $reason:ident)?) => {{
        let answer = $answer;
        let ask_again = $crate::job::retry_after(answer.headers());
        let answer = answer.into_value();
        let done = $crate::exclusion::ListOutcome {
            completed_at: answer.completed_at.and_then(|at| at.parse().ok()),
            partial_success: None$(.or(answer.$reason.map(|reason| reason.description.unwrap_or_default())))?,
        };
        let reason = answer.failure_reason.unwrap_or_default();
        let failure = $crate::error::JobFailure {
            code: reason.code,
            description: reason.description.unwrap_or_default(),
            reasons: Vec::new(),
        };
        let word = answer.status.as_ref().map(|status| status.as_str());
        Ok(JobPoll { status: $crate::job::job_status(word, || done, || failure), ask_again })
    }};
}
#[cfg(feature = "_since-2025-12-18")]
pub(crate) use list_job;

/// One version's lists of excluded respondents, filled by jobs; its exclusion groups and activity exclusions.
#[cfg(feature = "_since-2025-12-18")]
macro_rules! exclusions {
    ($marker:ident, $version:ident) => {
        mod exclusions {
            use cintx_raw::File;
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::exclusion::{
                ActivityExclusion, ActivitySource, ExcludedBy, ExclusionGroup, ExclusionsOverview, GroupChange,
                ListOutcome, ListWork,
            };
            use crate::types::ids::{ExclusionGroupId, JobId, ProjectId, TargetGroupId};
            use crate::job::JobPoll;
            use crate::paging::{PageRequest, RawPage};
            use crate::wire::exclusions::{ActivityWire, ExclusionGroupsWire, ExclusionsWire, Place, list_job, made};
            use crate::wire::page;
            use crate::wire::read::{read, reads};

            impl crate::exclusion::HasRespondentExclusions for crate::$marker {}
            impl crate::exclusion::HasExclusionGroups for crate::$marker {}
            impl crate::exclusion::HasActivityExclusions for crate::$marker {}

            reads! {
                ExclusionsOverview = GetTargetGroupExclusionsOverviewResponse {
                    ;
                    rsids = saved_respondent_ids_count, access_respondent_guids = saved_access_respondent_guids_count
                }
                ExclusionGroup = ExclusionGroupInfo {
                    id = exclusion_group_id;
                    tag, description, created_at = create_date, updated_at = update_date
                }
            }

            fn entity(by: ExcludedBy) -> types::ExclusionEntityTypeWithRsidAndAccessRespondentGuid {
                match by {
                    ExcludedBy::Rsid => types::ExclusionEntityTypeWithRsidAndAccessRespondentGuid::Rsid,
                    ExcludedBy::AccessRespondentGuid => {
                        types::ExclusionEntityTypeWithRsidAndAccessRespondentGuid::AccessRespondentGuid
                    }
                }
            }

            impl ExclusionsWire for crate::$marker {
                async fn exclusions_overview(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                ) -> Result<ExclusionsOverview, Error> {
                    let answer = raw.get_exclusions_overview(account, project, group).await?.into_value();
                    read(&operations::GET_EXCLUSIONS_OVERVIEW, answer)
                }

                async fn excluded(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                    by: ExcludedBy,
                    ask: &PageRequest,
                ) -> Result<RawPage<String>, Error> {
                    match by {
                        ExcludedBy::Rsid => page!(
                            ask => raw.get_target_group_rsid_exclusion_list_api_paginated(account, project, group),
                            GET_TARGET_GROUP_RSID_EXCLUSION_LIST_API_PAGINATED,
                            GetTargetGroupRsidExclusionListApiPaginatedParams {}, data
                        ),
                        ExcludedBy::AccessRespondentGuid => page!(
                            ask => raw.get_target_group_access_respondent_guid_exclusion_list_api_paginated(
                                account, project, group
                            ),
                            GET_TARGET_GROUP_ACCESS_RESPONDENT_GUID_EXCLUSION_LIST_API_PAGINATED,
                            GetTargetGroupAccessRespondentGuidExclusionListApiPaginatedParams {}, data
                        ),
                    }
                }

                async fn upload_exclusions(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                    by: ExcludedBy,
                    file: &File,
                ) -> Result<JobId, Error> {
                    let answer = raw
                        .exclusion_create_upload_rids_by_file_job(account, project, group, &entity(by), file)
                        .await?;
                    made(&operations::EXCLUSION_CREATE_UPLOAD_RIDS_BY_FILE_JOB, answer.into_value().job_id)
                }

                async fn remove_exclusions(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                    by: ExcludedBy,
                ) -> Result<JobId, Error> {
                    let answer =
                        raw.exclusion_create_remove_all_respondents_job(account, project, group, &entity(by)).await?;
                    made(&operations::EXCLUSION_CREATE_REMOVE_ALL_RESPONDENTS_JOB, answer.into_value().job_id)
                }

                async fn exclusion_job(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                    work: ListWork,
                    job: &JobId,
                ) -> Result<JobPoll<ListOutcome>, Error> {
                    let job = job.as_str();
                    match work {
                        ListWork::Upload => list_job!(
                            raw.get_respondent_exclusions_upload_by_file_job(account, project, group, job).await?,
                            partial_success_reason
                        ),
                        ListWork::RemoveAll => list_job!(
                            raw.get_all_respondent_exclusions_removal_job(account, project, group, job).await?
                        ),
                    }
                }
            }

            impl ExclusionGroupsWire for crate::$marker {
                async fn exclusion_groups(
                    raw: &Client,
                    account: i64,
                    ask: &PageRequest,
                ) -> Result<RawPage<ExclusionGroup>, Error> {
                    page!(
                        ask => raw.get_exclusion_groups_by_account_id(account), GET_EXCLUSION_GROUPS_BY_ACCOUNT_ID,
                        GetExclusionGroupsByAccountIdParams {}, data
                    )
                }

                async fn exclusion_groups_of(
                    raw: &Client,
                    account: i64,
                    group: &TargetGroupId,
                    ask: &PageRequest,
                ) -> Result<RawPage<ExclusionGroup>, Error> {
                    page!(
                        ask => raw.get_exclusion_groups_for_target_group(account, group.as_str()),
                        GET_EXCLUSION_GROUPS_FOR_TARGET_GROUP, GetExclusionGroupsForTargetGroupParams {}, data
                    )
                }

                async fn create_exclusion_group(
                    raw: &Client,
                    account: i64,
                    tag: &str,
                    description: &str,
                ) -> Result<ExclusionGroupId, Error> {
                    let body =
                        types::CreateExclusionGroupRequest { tag: tag.to_owned(), description: description.to_owned() };
                    let answer = raw.create_exclusion_group(account, &body).await?.into_value();
                    let operation = &operations::CREATE_EXCLUSION_GROUP;
                    let id = answer.exclusion_group_id;
                    read(operation, id.ok_or_else(|| Error::incomplete(operation.id, "exclusion_group_id"))?)
                }

                async fn exclusion_group(
                    raw: &Client,
                    account: i64,
                    id: &ExclusionGroupId,
                ) -> Result<ExclusionGroup, Error> {
                    let answer = raw.get_exclusion_group_by_id(account, id.as_str()).await?.into_value();
                    read(&operations::GET_EXCLUSION_GROUP_BY_ID, answer)
                }

                async fn update_exclusion_group(
                    raw: &Client,
                    account: i64,
                    id: &ExclusionGroupId,
                    change: &GroupChange,
                ) -> Result<(), Error> {
                    let body = types::UpdateExclusionGroupRequest {
                        tag: change.tag.clone(),
                        description: change.description.clone(),
                    };
                    raw.update_exclusion_group_by_id(account, id.as_str(), &body).await?;
                    Ok(())
                }

                async fn delete_exclusion_group(
                    raw: &Client,
                    account: i64,
                    id: &ExclusionGroupId,
                ) -> Result<(), Error> {
                    raw.delete_exclusion_group_by_id(account, id.as_str()).await?;
                    Ok(())
                }

                async fn members(
                    raw: &Client,
                    account: i64,
                    id: &ExclusionGroupId,
                    ask: &PageRequest,
                ) -> Result<RawPage<TargetGroupId>, Error> {
                    page!(
                        ask => raw.get_exclusion_group_target_group_exclusions(account, id.as_str()),
                        GET_EXCLUSION_GROUP_TARGET_GROUP_EXCLUSIONS, GetExclusionGroupTargetGroupExclusionsParams {},
                        data
                    )
                }

                async fn change_members(
                    raw: &Client,
                    account: i64,
                    id: &ExclusionGroupId,
                    groups: &[TargetGroupId],
                    join: bool,
                ) -> Result<(), Error> {
                    let data = Some(groups.iter().map(ToString::to_string).collect());
                    if join {
                        let body = types::AddTargetGroupExclusionGroupRequest { data };
                        raw.add_target_groups_to_exclusion_group(account, id.as_str(), &body).await?;
                    } else {
                        let body = types::RemoveTargetGroupExclusionGroupRequest { data };
                        raw.remove_target_groups_from_exclusion_group(account, id.as_str(), &body).await?;
                    }
                    Ok(())
                }
            }

            impl ActivityWire for crate::$marker {
                async fn activity_exclusions(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                ) -> Result<Vec<ActivityExclusion>, Error> {
                    use types::RespondentActivityExclusionsIdObjectResponseType as Kind;
                    let operation = &operations::GET_TARGET_GROUP_RESPONDENT_ACTIVITY_EXCLUSIONS;
                    let answer = raw.get_target_group_respondent_activity_exclusions(account, project, group).await?;
                    let items = answer.into_value().respondent_activity_exclusions.unwrap_or_default();
                    let exclusions = items.into_iter().map(|item| {
                        let id = item.id.ok_or_else(|| Error::incomplete(operation.id, "id"))?;
                        let kind = item.type_.ok_or_else(|| Error::incomplete(operation.id, "type"))?;
                        let of = match kind {
                            Kind::TargetGroup => ActivitySource::TargetGroup(TargetGroupId::new(id.as_str())),
                            Kind::Project => ActivitySource::Project(ProjectId::new(id.as_str())),
                            other => ActivitySource::Unknown { kind: other.as_str().to_owned(), id: id.to_string() },
                        };
                        Ok(ActivityExclusion { of, within: item.duration.and_then(|period| period.parse().ok()) })
                    });
                    exclusions.collect()
                }

                async fn set_activity_exclusions(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                    exclusions: &[ActivityExclusion],
                ) -> Result<(), Error> {
                    use types::RespondentActivityExclusionsIdObjectRequestType as Kind;
                    let items = exclusions.iter().map(|exclusion| {
                        let (type_, id) = match &exclusion.of {
                            ActivitySource::TargetGroup(id) => (Kind::TargetGroup, id.to_string()),
                            ActivitySource::Project(id) => (Kind::Project, id.to_string()),
                            ActivitySource::Unknown { kind, id } => (Kind::from(kind.as_str()), id.clone()),
                        };
                        let duration = exclusion.within.map(|period| period.to_string());
                        types::RespondentActivityExclusionsIdObjectRequest { type_, id, duration }
                    });
                    let body = types::SetRespondentActivityExclusionsRequest {
                        duration: None,
                        respondent_activity_exclusions: items.collect(),
                    };
                    raw.set_target_group_respondent_activity_exclusions(account, project, group, &body).await?;
                    Ok(())
                }
            }
        }
    };
}
#[cfg(feature = "_since-2025-12-18")]
pub(super) use exclusions;

/// One version's policies of projects.
#[cfg(feature = "_since-2025-02-17")]
macro_rules! exclusion_policies {
    ($marker:ident, $version:ident) => {
        mod exclusion_policies {
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::exclusion::ExclusionPolicy;
            use crate::types::ids::{ProjectId, TargetGroupId};
            use crate::wire::exclusions::{Place, PoliciesWire};
            use crate::wire::read::{read, reads};

            impl crate::exclusion::HasExclusionPolicies for crate::$marker {}

            reads! {
                ExclusionPolicy = ProjectExclusionStatusResponse {
                    excludes_project = project_exclusion_enabled;
                    created_at = create_date, updated_at = update_date, updated_by
                }
            }

            impl PoliciesWire for crate::$marker {
                async fn exclusion_policies(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                ) -> Result<Vec<(TargetGroupId, bool)>, Error> {
                    let operation = &operations::GET_EXCLUSION_BY_PROJECT_API;
                    let answer = raw.get_exclusion_by_project_api(account, project.as_str()).await?.into_value();
                    let policies = answer.into_iter().map(|policy| {
                        let id =
                            policy.target_group_id.ok_or_else(|| Error::incomplete(operation.id, "target_group_id"))?;
                        Ok((TargetGroupId::new(id.as_str()), policy.project_exclusion_enabled.unwrap_or_default()))
                    });
                    policies.collect()
                }

                async fn set_exclusion_policies(
                    raw: &Client,
                    account: i64,
                    project: &ProjectId,
                    policies: &[(TargetGroupId, bool)],
                ) -> Result<(), Error> {
                    let policies =
                        policies.iter().map(|(group, excludes)| types::TargetGroupExclusionApiStatusPairInput {
                            target_group_id: Some(group.to_string()),
                            project_exclusion_enabled: Some(*excludes),
                        });
                    let body: Vec<_> = policies.collect();
                    raw.update_bulk_target_group_exclusions_api(account, project.as_str(), &body).await?;
                    Ok(())
                }

                async fn exclusion_policy(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                ) -> Result<ExclusionPolicy, Error> {
                    let answer = raw.get_target_group_exclusion_policy_api(account, project, group).await?;
                    read(&operations::GET_TARGET_GROUP_EXCLUSION_POLICY_API, answer.into_value())
                }
            }
        }
    };
}
#[cfg(feature = "_since-2025-02-17")]
pub(super) use exclusion_policies;

/// One version's lists of excluded respondents, sent at once.
#[cfg(feature = "_only-2025-02-17")]
macro_rules! exclusion_lists {
    ($marker:ident, $version:ident) => {
        mod exclusion_lists {
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::wire::exclusions::{ListsWire, Place};

            impl crate::exclusion::HasExclusionLists for crate::$marker {}

            impl ListsWire for crate::$marker {
                async fn excluded_rids(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                ) -> Result<Vec<String>, Error> {
                    let answer = raw.get_target_group_rid_exclusion_list_api(account, project, group).await?;
                    Ok(answer.into_value())
                }

                async fn excluded_cids(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                ) -> Result<Vec<String>, Error> {
                    let answer = raw.get_target_group_cid_exclusion_list_api(account, project, group).await?;
                    Ok(answer.into_value().data.unwrap_or_default())
                }

                async fn exclude_rids(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                    ids: Vec<String>,
                ) -> Result<(), Error> {
                    raw.upsert_target_group_rid_exclusion_list_api(account, project, group, &ids).await?;
                    Ok(())
                }

                async fn exclude_cids(
                    raw: &Client,
                    Place { account, project, group }: Place<'_>,
                    ids: Vec<String>,
                ) -> Result<(), Error> {
                    let body = types::CobraIdListRequest { data: Some(ids) };
                    raw.upsert_target_group_cid_exclusion_list_api(account, project, group, &body).await?;
                    Ok(())
                }
            }
        }
    };
}
#[cfg(feature = "_only-2025-02-17")]
pub(super) use exclusion_lists;
