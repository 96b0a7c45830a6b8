//! A project's target groups, listed with their statistics.

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{TargetGroup, TargetGroupStatus};
use crate::client::options::handle_options;
use crate::client::{CallOptions, Client};
use crate::error::Error;
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage, check_search};
use crate::project::ProjectScope;
use crate::sealed::Sealed;
use crate::target_group::statistics::Progress;
use crate::types::ids::{ProjectId, TargetGroupId, UserId};
use crate::types::{CountryCode, LanguageCode, Locale, Money};
use crate::version::{HasFilters, Version};

/// The target groups of a project.
#[derive(Clone, Debug)]
pub struct TargetGroups<V: Version> {
    pub(crate) client: Client<V>,
    pub(crate) project: ProjectId,
}

handle_options!(TargetGroups: client);

impl<V: Version> ProjectScope<V> {
    /// The project's target groups.
    pub fn target_groups(&self) -> TargetGroups<V> {
        TargetGroups { client: self.client.clone(), project: self.project.clone() }
    }
}

impl<V: Version> TargetGroups<V> {
    /// Lists them.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>, id: cintx::ProjectId) -> Result<(), cintx::Error> {
    /// use cintx::target_group::TargetGroupStatus;
    ///
    /// let mut live = cint.project(id).target_groups().list().status(TargetGroupStatus::Live).stream();
    /// while let Some(group) = live.try_next().await? {
    ///     println!("{} {:?}", group.id, group.statistics.progress.value);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_list_target_groups")]
    pub fn list(&self) -> ListRequest<TargetGroupQuery<V>> {
        let (client, project) = (self.client.clone(), self.project.clone());
        ListRequest::new(TargetGroupQuery { client, project, filter: TargetGroupFilter::default() })
    }
}

/// The filters of a list of target groups.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub struct TargetGroupFilter {
    pub(crate) status: Vec<TargetGroupStatus>,
    pub(crate) countries: Vec<CountryCode>,
    pub(crate) languages: Vec<LanguageCode>,
    pub(crate) manager: Option<UserId>,
    pub(crate) name: Option<String>,
    pub(crate) search: Option<String>,
    pub(crate) human_readable_ids: Vec<String>,
    pub(crate) references: Vec<String>,
    pub(crate) excluding: Option<bool>,
}

/// Lists target groups.
#[derive(Clone, Debug)]
pub struct TargetGroupQuery<V: Version> {
    client: Client<V>,
    project: ProjectId,
    filter: TargetGroupFilter,
}

impl<V: Version> ListRequest<TargetGroupQuery<V>> {
    /// Only target groups of this status; of one of them, if called again.
    pub fn status(mut self, status: TargetGroupStatus) -> Self {
        self.source.filter.status.push(status);
        self
    }

    /// Only target groups in this country; in one of them, if called again.
    pub fn country(mut self, country: CountryCode) -> Self {
        self.source.filter.countries.push(country);
        self
    }

    /// Only target groups in this language; in one of them, if called again.
    pub fn language(mut self, language: LanguageCode) -> Self {
        self.source.filter.languages.push(language);
        self
    }

    /// Only target groups whose project manager is this user.
    ///
    /// From 2025-12-18 on.
    pub fn manager(mut self, manager: UserId) -> Self
    where
        V: HasFilters,
    {
        self.source.filter.manager = Some(manager);
        self
    }

    /// Only target groups of this name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.source.filter.name = Some(name.into());
        self
    }

    /// Only target groups that these 5 to 128 characters are found in.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.source.filter.search = Some(text.into());
        self
    }

    /// Only the target group with this short id; one of them, if called again.
    pub fn human_readable_id(mut self, id: impl Into<String>) -> Self {
        self.source.filter.human_readable_ids.push(id.into());
        self
    }

    /// Only the target group with this reference of your own; with one of them, if called again.
    ///
    /// From 2025-12-18 on.
    pub fn reference(mut self, reference: impl Into<String>) -> Self
    where
        V: HasFilters,
    {
        self.source.filter.references.push(reference.into());
        self
    }

    /// Only target groups that exclude respondents of others, or that do not.
    pub fn excluding(mut self, excluding: bool) -> Self {
        self.source.filter.excluding = Some(excluding);
        self
    }
}

impl<V: Version> Sealed for TargetGroupQuery<V> {}

impl<V: Version> ListQuery for TargetGroupQuery<V> {
    type Item = TargetGroupSummary;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<TargetGroupSummary>, Error>> {
        async move {
            check_search(self.filter.search.as_deref())?;
            V::list_target_groups(self.client.raw(), self.client.account(), &self.project, &self.filter, ask).await
        }
        .boxed()
    }
}

/// A target group in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TargetGroupSummary {
    /// The id of the target group.
    pub id: TargetGroupId,
    /// The target group's short id, for people.
    pub human_readable_id: Option<String>,
    /// The name of the target group.
    pub name: Option<String>,
    /// The name with what was searched for marked.
    pub highlighted_name: Option<String>,
    /// The state of the target group.
    pub status: Option<TargetGroupStatus>,
    /// Language and country.
    pub locale: Option<Locale>,
    /// The project manager.
    pub manager: Option<UserId>,
    /// The buyer's own number for it. `None` before 2025-12-18.
    pub reference: Option<String>,
    /// Whether it excludes respondents of others.
    pub excluding: Option<bool>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
    /// How its field goes.
    pub statistics: TargetGroupStatistics,
}

impl TargetGroupSummary {
    /// The target group, to do something with it.
    pub fn open<V: Version>(&self, project: &ProjectScope<V>) -> TargetGroup<V> {
        project.target_group(&self.id)
    }
}

/// How the field of a target group goes. Rates are shares between 0 and 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TargetGroupStatistics {
    /// How far it is.
    pub progress: Statistic<Progress>,
    /// What an interview costs on average.
    pub average_cost_per_interview: Statistic<Money>,
    /// The share of entrants who complete.
    pub conversion_rate: Statistic<f64>,
    /// The share of entrants who give up.
    pub drop_off_rate: Statistic<f64>,
    /// The share of entrants who qualify.
    pub incidence_rate: Statistic<f64>,
    /// The median length of interview, in seconds.
    pub median_length_of_interview_seconds: Statistic<i64>,
    /// What suppliers earn for an entrant.
    pub earnings_per_click: Statistic<Money>,
    /// What suppliers earn for an entrant and minute.
    pub earnings_per_click_per_minute: Statistic<Money>,
    /// When a respondent last completed.
    pub last_complete: Statistic<Timestamp>,
}

/// A figure, and what Cint has to say about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Statistic<T> {
    /// The figure; `None` while there is none.
    pub value: Option<T>,
    /// What is wrong with it.
    pub issues: Vec<Issue>,
}

impl<T> Default for Statistic<T> {
    fn default() -> Self {
        Self { value: None, issues: Vec::new() }
    }
}

/// Something that is wrong with a figure.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Issue {
    /// `warning` or `error`; an open set.
    pub kind: Option<String>,
    /// The reason's code.
    pub code: Option<String>,
    /// The reason in words.
    pub description: Option<String>,
    /// What Cint suggests.
    pub suggestions: Vec<Suggestion>,
}

/// What Cint suggests against something that is wrong with a figure.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Suggestion {
    /// What is suggested, as one word that programs can compare.
    pub code: Option<String>,
    /// What it is in words.
    pub description: Option<String>,
}
