//! Projects: created, listed, read, changed.

use super::raw::*;

use crate::error::Error;
use crate::optimistic::WithEtag;
use crate::paging::{PageRequest, RawPage};
use crate::project::{
    Project, ProjectFilter, ProjectOverview, ProjectSettings, ProjectStatistics, ProjectStatus, ProjectSummary,
};
use crate::types::ids::ProjectId;
use crate::wire::page;
use crate::wire::projects::ProjectsWire;
use crate::wire::read::{read, read_words, reads};

read_words! { ProjectStatus = ProjectStatus; }
reads! {
    ProjectStatistics = ProjectStatistics {
        ;
        completes_goal = filling_goal, current_completes, current_prescreens, conversion_rate_average,
        drop_off_rate_average, incidence_rate_median, length_of_interview_median_seconds
    }
}

impl ProjectsWire for super::Marker {
    async fn create_project(raw: &Client, account: i64, settings: &ProjectSettings) -> Result<ProjectId, Error> {
        let body = super::new_project(settings);
        let answer = raw.create_project(account, None, &body).await?;
        Error::required_in(answer, &operations::CREATE_PROJECT, "id", |made| made.id).map(ProjectId::new)
    }

    async fn list_projects(
        raw: &Client,
        account: i64,
        filter: &ProjectFilter,
        ask: &PageRequest,
    ) -> Result<RawPage<ProjectSummary>, Error> {
        page!(ask => raw.list_account_projects_with(account), LIST_ACCOUNT_PROJECTS, ListAccountProjectsParams {
            project_manager_id: filter.manager.map(|manager| manager.to_string()),
            status: filter.status.as_ref().map(|status| status.as_str().into()),
            name: filter.name.clone(),
            search_string: filter.search.clone(),
            ..Default::default()
        }, projects, has_more)
    }

    async fn project(raw: &Client, account: i64, id: &ProjectId) -> Result<WithEtag<Project>, Error> {
        let answer = raw.get_project_by_id(account, id.as_str()).await?;
        let etag = answer.etag().map(str::to_owned);
        let wire = answer.into_value();
        let human_readable_id = super::short_id(&wire).map(ToString::to_string);
        let settings = read(&operations::GET_PROJECT_BY_ID, wire)?;
        Ok(WithEtag { value: Project { id: id.clone(), human_readable_id, settings }, etag })
    }

    async fn project_overview(raw: &Client, account: i64, id: &ProjectId) -> Result<ProjectOverview, Error> {
        let answer = raw.project_overview(account, id.as_str()).await?.into_value();
        read(&operations::PROJECT_OVERVIEW, answer)
    }

    async fn update_project(
        raw: &Client,
        account: i64,
        id: &ProjectId,
        settings: &ProjectSettings,
        etag: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let body = super::changed_project(settings);
        let answer = raw.update_project(account, id.as_str(), etag, None, &body).await?;
        Ok(answer.etag().map(str::to_owned))
    }
}
