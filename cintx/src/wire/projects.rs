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
