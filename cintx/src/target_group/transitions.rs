//! Bulk transitions of target groups, and the jobs that carry them out. A job that is done has a result for each target
//! group; some may have failed.

use std::future::IntoFuture;

use futures_util::future::{BoxFuture, FutureExt as _};
use serde::{Deserialize, Serialize};

use crate::Client;
use crate::client::CallOptions;
use crate::client::options::with_options;
use crate::error::{Error, FieldError, JobFailure, Outcome};
use crate::exclusion::id_problem;
use crate::fielding::RunAction;
use crate::job::{Job, JobKind, JobPoll};
use crate::paging::check_search;
use crate::project::ProjectScope;
use crate::sealed::Sealed;
use crate::target_group::{TargetGroup, TargetGroupStatus, TargetGroups};
use crate::types::ids::{JobId, ProjectId, TargetGroupId, UserId};
use crate::types::{CountryCode, LanguageCode};
use crate::version::Version;

/// What a bulk job does with each target group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[doc(hidden)]
pub enum BulkAction {
    /// A fielding action; launching is for scheduled target groups.
    Run(RunAction),
    /// A new manager.
    Manager(UserId),
}

/// Some target groups of a project, to do the same with each.
#[derive(Clone, Debug)]
pub struct Bulk<V: Version> {
    client: Client<V>,
    project: ProjectId,
    groups: Vec<TargetGroupId>,
}

with_options!(Bulk: client);

impl<V: Version> TargetGroups<V> {
    /// Some of the project's target groups, to do the same with each: at least one.
    ///
    /// ```no_run
    /// # async fn run(
    /// #     project: cintx::project::ProjectScope<cintx::V2025_12_18>,
    /// #     ids: Vec<cintx::TargetGroupId>,
    /// # ) -> Result<(), cintx::Error> {
    /// let outcome = project.target_groups().all(ids).pause().await?.until_done().await?;
    /// for (group, failure) in &outcome.failed {
    ///     println!("{group} was not paused: {failure:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn all<G: Into<TargetGroupId>>(&self, groups: impl IntoIterator<Item = G>) -> Bulk<V> {
        let groups = groups.into_iter().map(Into::into).collect();
        Bulk { client: self.client.clone(), project: self.project.clone(), groups }
    }

    /// Asks what can be done with the project's target groups, or with those that match. Await it to ask.
    ///
    /// ```no_run
    /// # async fn run(
    /// #     project: cintx::project::ProjectScope<cintx::V2025_12_18>,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let german = project.target_groups().transitions().language("ger".parse()?).await?;
    /// if german.can_pause {
    ///     project.target_groups().all(german.target_groups).pause().await?.until_done().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "compute_target_group_transitions")]
    pub fn transitions(&self) -> TransitionRequest<V> {
        let (client, project) = (self.client.clone(), self.project.clone());
        TransitionRequest { client, project, filter: TransitionFilter::default() }
    }
}

impl<V: Version> Bulk<V> {
    /// Launches each scheduled target group at once.
    ///
    /// Carries an idempotency key from 2025-12-18 on.
    ///
    /// # Errors
    /// If there are no target groups, or an id is none, before anything is sent. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "create_bulk_launch_target_groups_job")]
    pub async fn launch_now(&self) -> Result<BulkJob<V>, Error> {
        self.start(BulkAction::Run(RunAction::LaunchNow)).await
    }

    /// Pauses each live target group.
    ///
    /// Carries an idempotency key from 2025-12-18 on.
    ///
    /// # Errors
    /// As with [`launch_now`](Self::launch_now).
    #[doc(alias = "create_bulk_pause_target_groups_job")]
    pub async fn pause(&self) -> Result<BulkJob<V>, Error> {
        self.start(BulkAction::Run(RunAction::Pause)).await
    }

    /// Resumes each paused target group.
    ///
    /// Carries an idempotency key from 2025-12-18 on.
    ///
    /// # Errors
    /// As with [`launch_now`](Self::launch_now).
    #[doc(alias = "create_bulk_resume_target_groups_job")]
    pub async fn resume(&self) -> Result<BulkJob<V>, Error> {
        self.start(BulkAction::Run(RunAction::Resume)).await
    }

    /// Brings each completed target group back.
    ///
    /// Carries an idempotency key from 2025-12-18 on.
    ///
    /// # Errors
    /// As with [`launch_now`](Self::launch_now).
    #[doc(alias = "create_bulk_relaunch_target_groups_job")]
    pub async fn relaunch(&self) -> Result<BulkJob<V>, Error> {
        self.start(BulkAction::Run(RunAction::Relaunch)).await
    }

    /// Ends each target group's field.
    ///
    /// Carries an idempotency key from 2025-12-18 on.
    ///
    /// # Errors
    /// As with [`launch_now`](Self::launch_now).
    #[doc(alias = "create_bulk_complete_target_groups_job")]
    pub async fn complete(&self) -> Result<BulkJob<V>, Error> {
        self.start(BulkAction::Run(RunAction::Complete)).await
    }

    /// Gives each target group another manager.
    ///
    /// # Errors
    /// As with [`launch_now`](Self::launch_now).
    #[doc(alias = "create_bulk_update_target_group_project_manager_job")]
    pub async fn set_manager(&self, manager: UserId) -> Result<BulkJob<V>, Error> {
        self.start(BulkAction::Manager(manager)).await
    }

    /// Asks what can be done with all of them.
    ///
    /// # Errors
    /// As with [`launch_now`](Self::launch_now).
    #[doc(alias = "compute_target_group_transitions")]
    pub async fn transitions(&self) -> Result<Transitions, Error> {
        self.check()?;
        let wanted = TransitionFilter { groups: self.groups.clone(), ..TransitionFilter::default() };
        V::transitions(self.client.raw(), self.client.account(), &self.project, &wanted).await
    }

    /// Starts what is done with fielding runs.
    pub(crate) async fn start_run(&self, action: RunAction) -> Result<BulkJob<V>, Error> {
        self.start(BulkAction::Run(action)).await
    }

    fn check(&self) -> Result<(), Error> {
        let none = self.groups.is_empty();
        let none = none.then(|| FieldError::new("target_groups", "are none, expected at least one"));
        let odd = self.groups.iter().filter_map(|id| id_problem("target_groups", id.as_str()));
        Error::check(none.into_iter().chain(odd))
    }

    async fn start(&self, action: BulkAction) -> Result<BulkJob<V>, Error> {
        self.check()?;
        let id = V::start_bulk(self.client.raw(), self.client.account(), &self.project, action, &self.groups).await?;
        Ok(Job::new(
            BulkTransition { client: self.client.clone(), project: self.project.clone(), action: Some(action) },
            id,
        ))
    }
}

impl<V: Version> ProjectScope<V> {
    /// A bulk job that was started in another process, by what it does with each target group.
    #[doc(alias = "get_bulk_complete_target_groups_job")]
    #[doc(alias = "get_bulk_launch_target_groups_job")]
    #[doc(alias = "get_bulk_pause_target_groups_job")]
    #[doc(alias = "get_bulk_relaunch_target_groups_job")]
    #[doc(alias = "get_bulk_resume_target_groups_job")]
    pub fn bulk_job(&self, action: RunAction, id: JobId) -> BulkJob<V> {
        let (client, project) = (self.client.clone(), self.project.clone());
        Job::new(BulkTransition { client, project, action: Some(BulkAction::Run(action)) }, id)
    }

    /// A bulk job for another manager that was started in another process.
    #[doc(alias = "get_bulk_update_target_group_project_manager_job")]
    pub fn manager_job(&self, id: JobId) -> BulkJob<V> {
        Job::new(BulkTransition { client: self.client.clone(), project: self.project.clone(), action: None }, id)
    }
}

impl<V: Version> TargetGroup<V> {
    /// Asks what can be done with the target group now.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "compute_target_group_transitions")]
    pub async fn transitions(&self) -> Result<Transitions, Error> {
        let wanted = TransitionFilter { groups: vec![self.id.clone()], ..TransitionFilter::default() };
        V::transitions(self.client.raw(), self.client.account(), &self.project, &wanted).await
    }
}

/// Which target groups are meant.
#[derive(Clone, Debug, Default)]
#[doc(hidden)]
pub struct TransitionFilter {
    pub(crate) groups: Vec<TargetGroupId>,
    pub(crate) except: Vec<TargetGroupId>,
    pub(crate) status: Vec<TargetGroupStatus>,
    pub(crate) countries: Vec<CountryCode>,
    pub(crate) languages: Vec<LanguageCode>,
    pub(crate) search: Option<String>,
}

/// Asks what can be done with the target groups that match. Made by [`TargetGroups::transitions`].
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before it is awaited"]
pub struct TransitionRequest<V: Version> {
    client: Client<V>,
    project: ProjectId,
    filter: TransitionFilter,
}

with_options!(TransitionRequest: client);

impl<V: Version> TransitionRequest<V> {
    /// Only target groups of this status; of one of them, if called again.
    pub fn status(mut self, status: TargetGroupStatus) -> Self {
        self.filter.status.push(status);
        self
    }

    /// Only target groups in this country; in one of them, if called again.
    pub fn country(mut self, country: CountryCode) -> Self {
        self.filter.countries.push(country);
        self
    }

    /// Only target groups in this language; in one of them, if called again.
    pub fn language(mut self, language: LanguageCode) -> Self {
        self.filter.languages.push(language);
        self
    }

    /// Only target groups that these 5 to 128 characters are found in.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.filter.search = Some(text.into());
        self
    }

    /// Not these target groups.
    pub fn except<G: Into<TargetGroupId>>(mut self, groups: impl IntoIterator<Item = G>) -> Self {
        self.filter.except.extend(groups.into_iter().map(Into::into));
        self
    }
}

impl<V: Version> IntoFuture for TransitionRequest<V> {
    type Output = Result<Transitions, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            check_search(self.filter.search.as_deref())?;
            Error::check(self.filter.except.iter().filter_map(|id| id_problem("except", id.as_str())))?;
            V::transitions(self.client.raw(), self.client.account(), &self.project, &self.filter).await
        }
        .boxed()
    }
}

/// What can be done with target groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Transitions {
    /// The target groups of the request.
    pub target_groups: Vec<TargetGroupId>,
    /// Whether they can be launched.
    pub can_launch: bool,
    /// Whether they can be paused.
    pub can_pause: bool,
    /// Whether they can be resumed.
    pub can_resume: bool,
    /// Whether they can be brought back.
    pub can_relaunch: bool,
    /// Whether their field can be ended.
    pub can_complete: bool,
}

/// A bulk job under way.
pub type BulkJob<V> = Job<BulkTransition<V>>;

/// The job that does the same with many target groups.
#[derive(Clone, Debug)]
pub struct BulkTransition<V: Version> {
    client: Client<V>,
    project: ProjectId,
    /// `None` for another manager, whom asking does not need.
    action: Option<BulkAction>,
}

impl<V: Version> Sealed for BulkTransition<V> {}

impl<V: Version> JobKind for BulkTransition<V> {
    type Done = BulkOutcome;
    const NAME: &'static str = "the bulk job";
    /// It may have come to some of them.
    const WHEN_FAILED: Outcome = Outcome::Unknown;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn ask<'a>(&'a self, id: &'a JobId) -> BoxFuture<'a, Result<JobPoll<BulkOutcome>, Error>> {
        let action = match self.action {
            Some(BulkAction::Run(action)) => Some(action),
            Some(BulkAction::Manager(_)) | None => None,
        };
        V::bulk_job(self.client.raw(), self.client.account(), &self.project, action, id).boxed()
    }
}

/// What became of each target group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BulkOutcome {
    /// Those with which it was done, or that were so already.
    pub updated: Vec<TargetGroupId>,
    /// Those with which it was not, and why.
    pub failed: Vec<(TargetGroupId, JobFailure)>,
    /// Whether the job says that it failed, although it says what became of each.
    pub has_failed: bool,
    /// The manager that a change of managers is to.
    pub manager: Option<UserId>,
}

impl BulkOutcome {
    /// Whether it was done with every one that the job names. One that it does not name is in neither list;
    /// [`AtOnce`](crate::batch::AtOnce) tells those apart.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && !self.has_failed
    }
}
