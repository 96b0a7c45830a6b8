//! Projects on the wire. The versions differ in what they call the buyer's own number, and in whether
//! `If-Match` must be sent.

use std::future::Future;

use super::{Answer, Wire};
use crate::optimistic::WithEtag;
use crate::paging::{PageRequest, RawPage};
use crate::project::{Project, ProjectFilter, ProjectOverview, ProjectSettings, ProjectSummary};
use crate::types::ids::ProjectId;

#[doc(hidden)]
pub trait ProjectsWire: Wire {
    fn create_project(
        raw: &Self::Raw,
        account: i64,
        settings: &ProjectSettings,
    ) -> impl Future<Output = Answer<ProjectId>> + Send;

    fn list_projects(
        raw: &Self::Raw,
        account: i64,
        filter: &ProjectFilter,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<ProjectSummary>>> + Send;

    fn project(raw: &Self::Raw, account: i64, id: &ProjectId)
    -> impl Future<Output = Answer<WithEtag<Project>>> + Send;

    fn project_overview(
        raw: &Self::Raw,
        account: i64,
        id: &ProjectId,
    ) -> impl Future<Output = Answer<ProjectOverview>> + Send;

    fn update_project(
        raw: &Self::Raw,
        account: i64,
        id: &ProjectId,
        settings: &ProjectSettings,
        etag: Option<&str>,
    ) -> impl Future<Output = Answer<Option<String>>> + Send;
}

/// One version's projects: whether `If-Match` must be sent, what the buyer's own number is called, and the fields of
/// a list's items that not every version has.
macro_rules! projects {
    ($marker:ident, $version:ident, if_match: $if_match:ident, reference: $reference:ident, summary: $($summary:tt)*) => {
        mod projects {
            use cintx_raw::NEW_KEY;
            use cintx_raw::$version::*;

            use crate::optimistic::WithEtag;
            use crate::error::Error;
            use crate::types::ids::ProjectId;
            use crate::paging::{PageRequest, RawPage};
            use crate::project::{
                Project, ProjectFilter, ProjectOverview, ProjectSettings, ProjectStatistics, ProjectStatus,
                ProjectSummary,
            };
            use crate::wire::if_match;
            use crate::wire::projects::ProjectsWire;
            use crate::wire::page;
            use crate::wire::read::{read, read_words, reads};

            read_words! { ProjectStatus = ProjectStatus; }
            reads! {
                ProjectStatistics = ProjectStatistics {
                    ;
                    completes_goal = filling_goal, current_completes, current_prescreens, conversion_rate_average,
                    drop_off_rate_average, incidence_rate_median, length_of_interview_median_seconds
                }
                ProjectSummary = ProjectListItem {
                    id;
                    human_readable_id, name, highlighted_name, reference = $reference, status, last_activity_at,
                    target_group_count, target_group_human_readable_ids, statistics,
                    $($summary)*
                }
                ProjectOverview = ProjectOverview {
                    id;
                    human_readable_id, name, manager = project_manager_id, reference = $reference, status, created_at,
                    statistics
                }
                ProjectSettings = ProjectDetails {
                    name, manager = project_manager_id;
                    reference = $reference
                }
            }

            impl ProjectsWire for crate::$marker {
                async fn create_project(
                    raw: &Client,
                    account: i64,
                    settings: &ProjectSettings,
                ) -> Result<ProjectId, Error> {
                    let body = types::ProjectInfo {
                        name: settings.name.clone(),
                        project_manager_id: settings.manager.to_string(),
                        $reference: settings.reference.clone(),
                    };
                    let answer = raw.create_project(account, NEW_KEY, &body).await?.into_value();
                    let id = answer.id.ok_or_else(|| Error::incomplete("create_project", "id"))?;
                    Ok(ProjectId::new(id.as_str()))
                }

                async fn list_projects(
                    raw: &Client,
                    account: i64,
                    filter: &ProjectFilter,
                    ask: &PageRequest,
                ) -> Result<RawPage<ProjectSummary>, Error> {
                    page!(ask => raw.list_account_projects(account), LIST_ACCOUNT_PROJECTS, ListAccountProjectsParams {
                        project_manager_id: filter.manager.map(|manager| manager.to_string()),
                        status: filter.status.as_ref().map(|status| status.as_str().into()),
                        name: filter.name.clone(),
                        search_string: filter.search.clone(),
                    }, projects, has_more)
                }

                async fn project(raw: &Client, account: i64, id: &ProjectId) -> Result<WithEtag<Project>, Error> {
                    let answer = raw.get_project_by_id(account, id.as_str()).await?;
                    let etag = answer.etag().map(str::to_owned);
                    let wire = answer.into_value();
                    let human_readable_id = wire.human_readable_id.as_ref().map(ToString::to_string);
                    let settings = read(&operations::GET_PROJECT_BY_ID, wire)?;
                    Ok(WithEtag { value: Project { id: id.clone(), human_readable_id, settings }, etag })
                }

                async fn project_overview(
                    raw: &Client,
                    account: i64,
                    id: &ProjectId,
                ) -> Result<ProjectOverview, Error> {
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
                    let body = types::ProjectInfoUpdate {
                        name: settings.name.clone(),
                        project_manager_id: settings.manager.to_string(),
                        // An omitted reference is a deleted one, so it is always sent.
                        $reference: settings.reference.clone(),
                    };
                    let id = id.as_str();
                    let answer =
                        if_match!($if_match, raw.update_project(account, id; NEW_KEY, &body), UpdateProjectParams, etag);
                    Ok(answer.etag().map(str::to_owned))
                }
            }
        }
    };
}
pub(super) use projects;
