//! Lists of projects, and what a list says of each.

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::client::{CallOptions, Client};
use crate::error::Error;
use crate::open_enum::open_enum;
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage, check_search};
use crate::sealed::Sealed;
use crate::types::ids::{ProjectId, UserId};
use crate::version::Version;

open_enum! {
    /// Whether anything goes on in a project.
    ProjectStatus {
        /// Something does.
        Active = "active",
        /// Nothing does.
        Inactive = "inactive",
    }
}

/// The filters of a list of projects.
#[derive(Clone, Debug, Default)]
#[doc(hidden)]
pub struct ProjectFilter {
    pub(crate) manager: Option<UserId>,
    pub(crate) status: Option<ProjectStatus>,
    pub(crate) name: Option<String>,
    pub(crate) search: Option<String>,
}

/// Lists projects.
#[derive(Clone, Debug)]
pub struct ProjectQuery<V: Version> {
    pub(super) client: Client<V>,
    pub(super) filter: ProjectFilter,
}

impl<V: Version> ListRequest<ProjectQuery<V>> {
    /// Only projects whose project manager is this user.
    pub fn manager(mut self, manager: UserId) -> Self {
        self.source.filter.manager = Some(manager);
        self
    }

    /// Only projects of this status.
    pub fn status(mut self, status: ProjectStatus) -> Self {
        self.source.filter.status = Some(status);
        self
    }

    /// Only projects of this name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.source.filter.name = Some(name.into());
        self
    }

    /// Only projects that these 5 to 128 characters are found in.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.source.filter.search = Some(text.into());
        self
    }
}

impl<V: Version> Sealed for ProjectQuery<V> {}

impl<V: Version> ListQuery for ProjectQuery<V> {
    type Item = ProjectSummary;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<ProjectSummary>, Error>> {
        async move {
            check_search(self.filter.search.as_deref())?;
            V::list_projects(self.client.raw(), self.client.account(), &self.filter, ask).await
        }
        .boxed()
    }
}

/// A project in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProjectSummary {
    /// The id of the project.
    pub id: ProjectId,
    /// The project's short id, for people.
    pub human_readable_id: Option<String>,
    /// The name of the project.
    pub name: Option<String>,
    /// The name with what was searched for marked.
    pub highlighted_name: Option<String>,
    /// The buyer's own number for it.
    pub reference: Option<String>,
    /// Whether anything goes on in it.
    pub status: Option<ProjectStatus>,
    /// When something last happened.
    pub last_activity_at: Option<Timestamp>,
    /// How many target groups it has.
    pub target_group_count: Option<i64>,
    /// The short ids of the project's target groups.
    pub target_group_human_readable_ids: Vec<String>,
    /// The buyer's own references of the project's target groups. Empty before 2025-12-18.
    pub target_group_references: Vec<String>,
    /// How its field goes.
    pub statistics: Option<ProjectStatistics>,
}

/// How the field of a project goes. Rates are shares between 0 and 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ProjectStatistics {
    /// How many completes are wanted.
    pub completes_goal: Option<i64>,
    /// How many there are.
    pub current_completes: Option<i64>,
    /// How many respondents passed the screener.
    pub current_prescreens: Option<i64>,
    /// The average share of entrants who complete.
    pub conversion_rate_average: Option<f64>,
    /// The average share of entrants who give up.
    pub drop_off_rate_average: Option<f64>,
    /// The median share of entrants who qualify.
    pub incidence_rate_median: Option<f64>,
    /// The median length of interview, in seconds.
    pub length_of_interview_median_seconds: Option<i64>,
}
