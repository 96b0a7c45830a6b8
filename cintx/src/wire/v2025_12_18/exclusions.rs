//! Lists of excluded respondents, filled by jobs; exclusion groups and activity exclusions.

use super::raw::*;
use cintx_raw::File;

use crate::error::Error;
use crate::exclusion::{
    ActivityExclusion, ActivitySource, ExcludedBy, ExclusionGroup, ExclusionsOverview, GroupChange,
};
use crate::job::JobPoll;
use crate::paging::{PageRequest, RawPage};
use crate::respondent::list_job::{ListOutcome, ListWork};
use crate::types::ids::{ExclusionGroupId, JobId, ProjectId, TargetGroupId};
use crate::wire::Place;
use crate::wire::exclusions::{HasActivityExclusions, HasExclusionGroups, HasRespondentExclusions, list_job};
use crate::wire::page;
use crate::wire::read::{read, reads};

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

impl HasRespondentExclusions for super::Marker {
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
                    ask => raw.get_target_group_rsid_exclusion_list_api_paginated_with(account, project, group),
                    GET_TARGET_GROUP_RSID_EXCLUSION_LIST_API_PAGINATED,
                    GetTargetGroupRsidExclusionListApiPaginatedParams {
                ..Default::default()
            }, data
                ),
            ExcludedBy::AccessRespondentGuid => page!(
                    ask => raw.get_target_group_access_respondent_guid_exclusion_list_api_paginated_with(
                        account, project, group
                    ),
                    GET_TARGET_GROUP_ACCESS_RESPONDENT_GUID_EXCLUSION_LIST_API_PAGINATED,
                    GetTargetGroupAccessRespondentGuidExclusionListApiPaginatedParams {
                ..Default::default()
            }, data
                ),
        }
    }

    async fn upload_exclusions(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
        by: ExcludedBy,
        file: &File,
    ) -> Result<JobId, Error> {
        let answer = raw.exclusion_create_upload_rids_by_file_job(account, project, group, &entity(by), file).await?;
        Error::required_in(answer, &operations::EXCLUSION_CREATE_UPLOAD_RIDS_BY_FILE_JOB, "job_id", |it| it.job_id)
            .map(JobId::new)
    }

    async fn remove_exclusions(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
        by: ExcludedBy,
    ) -> Result<JobId, Error> {
        let answer = raw.exclusion_create_remove_all_respondents_job(account, project, group, &entity(by)).await?;
        Error::required_in(answer, &operations::EXCLUSION_CREATE_REMOVE_ALL_RESPONDENTS_JOB, "job_id", |it| it.job_id)
            .map(JobId::new)
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
            ListWork::RemoveAll => {
                list_job!(raw.get_all_respondent_exclusions_removal_job(account, project, group, job).await?)
            }
        }
    }
}

impl HasExclusionGroups for super::Marker {
    async fn exclusion_groups(raw: &Client, account: i64, ask: &PageRequest) -> Result<RawPage<ExclusionGroup>, Error> {
        page!(
            ask => raw.get_exclusion_groups_by_account_id_with(account), GET_EXCLUSION_GROUPS_BY_ACCOUNT_ID,
            GetExclusionGroupsByAccountIdParams {
            ..Default::default()
        }, data
        )
    }

    async fn exclusion_groups_of(
        raw: &Client,
        account: i64,
        group: &TargetGroupId,
        ask: &PageRequest,
    ) -> Result<RawPage<ExclusionGroup>, Error> {
        page!(
            ask => raw.get_exclusion_groups_for_target_group_with(account, group.as_str()),
            GET_EXCLUSION_GROUPS_FOR_TARGET_GROUP, GetExclusionGroupsForTargetGroupParams {
            ..Default::default()
        }, data
        )
    }

    async fn create_exclusion_group(
        raw: &Client,
        account: i64,
        tag: &str,
        description: &str,
    ) -> Result<ExclusionGroupId, Error> {
        let body = types::CreateExclusionGroupRequest { tag: tag.to_owned(), description: description.to_owned() };
        let answer = raw.create_exclusion_group(account, &body).await?;
        let operation = &operations::CREATE_EXCLUSION_GROUP;
        read(operation, Error::required_in(answer, operation, "exclusion_group_id", |it| it.exclusion_group_id)?)
    }

    async fn exclusion_group(raw: &Client, account: i64, id: &ExclusionGroupId) -> Result<ExclusionGroup, Error> {
        let answer = raw.get_exclusion_group_by_id(account, id.as_str()).await?.into_value();
        read(&operations::GET_EXCLUSION_GROUP_BY_ID, answer)
    }

    async fn update_exclusion_group(
        raw: &Client,
        account: i64,
        id: &ExclusionGroupId,
        change: &GroupChange,
    ) -> Result<(), Error> {
        let body =
            types::UpdateExclusionGroupRequest { tag: change.tag.clone(), description: change.description.clone() };
        raw.update_exclusion_group_by_id(account, id.as_str(), &body).await?;
        Ok(())
    }

    async fn delete_exclusion_group(raw: &Client, account: i64, id: &ExclusionGroupId) -> Result<(), Error> {
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
            ask => raw.get_exclusion_group_target_group_exclusions_with(account, id.as_str()),
            GET_EXCLUSION_GROUP_TARGET_GROUP_EXCLUSIONS, GetExclusionGroupTargetGroupExclusionsParams {
            ..Default::default()
        },
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

impl crate::target_group::HasReEntry for super::Marker {}

impl HasActivityExclusions for super::Marker {
    async fn activity_exclusions(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
    ) -> Result<Vec<ActivityExclusion>, Error> {
        use types::RespondentActivityExclusionsIdObjectResponseType as Kind;
        let operation = &operations::GET_TARGET_GROUP_RESPONDENT_ACTIVITY_EXCLUSIONS;
        let answer = raw.get_target_group_respondent_activity_exclusions(account, project, group).await?;
        let items = answer.into_value().respondent_activity_exclusions.unwrap_or_default();
        let exclusions = items.into_iter().map(|item| {
            let id = item.id.ok_or_else(|| Error::incomplete(operation, "id"))?;
            let kind = item.type_.ok_or_else(|| Error::incomplete(operation, "type"))?;
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
