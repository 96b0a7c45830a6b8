//! Recontacts: lists filled by jobs, with their uploads.

use super::raw::*;
use cintx_raw::{ByteStream, File};

use crate::error::Error;
use crate::job::JobPoll;
use crate::paging::{PageRequest, RawPage};
use crate::recontact::{RecontactBy, RecontactUpload, UploadStatus};
use crate::respondent::list_job::{ListOutcome, ListWork};
use crate::types::ids::JobId;
use crate::wire::Place;
use crate::wire::download;
use crate::wire::exclusions::list_job;
use crate::wire::page;
use crate::wire::read::{list, read_words, reads};
use crate::wire::recontacts::HasRecontacts;

read_words! { UploadStatus = RecontactJobStatus; }
reads! {
    RecontactUpload = GetUploadByFileJobResponse {
        job = job_id;
        status, file_name, created_at, created_by
    }
}

impl HasRecontacts for super::Marker {
    async fn recontacts_count(raw: &Client, Place { account, project, group }: Place<'_>) -> Result<i64, Error> {
        let answer = raw.get_recontacts_overview(account, project, group).await?.into_value();
        let operation = &operations::GET_RECONTACTS_OVERVIEW;
        let count = answer.saved_respondent_ids_count;
        count.ok_or_else(|| Error::incomplete(operation, "saved_respondent_ids_count"))
    }

    async fn recontacts(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
        ask: &PageRequest,
    ) -> Result<RawPage<String>, Error> {
        page!(
            ask => raw.get_target_group_rsid_recontact_list_with(account, project, group),
            GET_TARGET_GROUP_RSID_RECONTACT_LIST, GetTargetGroupRsidRecontactListParams {
            ..Default::default()
        }, data
        )
    }

    async fn upload_recontacts(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
        by: RecontactBy,
        file: &File,
    ) -> Result<JobId, Error> {
        let entity = match by {
            RecontactBy::Rsid => types::RecontactUploadJobEntityType::Rsid,
            RecontactBy::RespondentId => types::RecontactUploadJobEntityType::RespondentId,
            RecontactBy::Rid => types::RecontactUploadJobEntityType::Rid,
            RecontactBy::ResponseId => types::RecontactUploadJobEntityType::ResponseId,
        };
        let answer =
            raw.recontact_create_upload_respondents_by_file_job(account, project, group, &entity, file).await?;
        Error::required_in(answer, &operations::RECONTACT_CREATE_UPLOAD_RESPONDENTS_BY_FILE_JOB, "job_id", |it| {
            it.job_id
        })
        .map(JobId::new)
    }

    async fn remove_recontacts(raw: &Client, Place { account, project, group }: Place<'_>) -> Result<JobId, Error> {
        let answer = raw.create_all_recontact_rsids_removal_job(account, project, group).await?;
        Error::required_in(answer, &operations::CREATE_ALL_RECONTACT_RSIDS_REMOVAL_JOB, "job_id", |it| it.job_id)
            .map(JobId::new)
    }

    async fn recontact_uploads(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
        ask: &PageRequest,
    ) -> Result<RawPage<RecontactUpload>, Error> {
        let params = RecontactListUploadRespondentsByFileJobsParams {
            page_size: ask.page_size(),
            start_after: ask.start_after(),
        };
        let answer = raw.recontact_list_upload_respondents_by_file_jobs_with(account, project, group, &params).await?;
        let answer = answer.into_value();
        let operation = &operations::RECONTACT_LIST_UPLOAD_RESPONDENTS_BY_FILE_JOBS;
        Ok(RawPage::new(operation, list(operation, answer.data)?).next(answer.next_cursor))
    }

    async fn download_recontacts(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
        job: &JobId,
    ) -> Result<ByteStream, Error> {
        let answer = raw.recontact_download_job_file(account, project, group, job.as_str()).await?;
        Ok(download(&operations::RECONTACT_DOWNLOAD_JOB_FILE, answer))
    }

    async fn recontact_job(
        raw: &Client,
        Place { account, project, group }: Place<'_>,
        work: ListWork,
        job: &JobId,
    ) -> Result<JobPoll<ListOutcome>, Error> {
        let job = job.as_str();
        match work {
            ListWork::Upload => list_job!(
                raw.get_recontact_upload_respondents_by_file_job(account, project, group, job).await?,
                partial_success_reason
            ),
            ListWork::RemoveAll => {
                list_job!(raw.recontacts_remove_all_rsids_job_status(account, project, group, job).await?)
            }
        }
    }
}
