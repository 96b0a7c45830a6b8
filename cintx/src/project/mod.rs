//! Projects: what target groups belong to.

mod list;

pub(crate) use self::list::ProjectFilter;
pub use self::list::{ProjectQuery, ProjectStatistics, ProjectStatus, ProjectSummary};

use std::future::{Future, IntoFuture};
use std::ops::RangeInclusive;
use std::pin::Pin;

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::client::options::{handle_options, with_options};
use crate::client::{CallOptions, Client};
use crate::error::{Error, FieldError, text_length};
use crate::optimistic::{Editable, WithEtag, edit, three_way_merge};
use crate::paging::ListRequest;
use crate::target_group::DraftBuilder;
use crate::types::ids::{ProjectId, UserId};
use crate::types::{CustomerReference, IntoField};
use crate::version::Version;

impl<V: Version> Client<V> {
    /// The account's projects.
    pub fn projects(&self) -> Projects<V> {
        Projects { client: self.clone() }
    }

    /// One project, by itself or by its id. Asks nothing.
    pub fn project(&self, project: impl Into<ProjectId>) -> ProjectScope<V> {
        ProjectScope { client: self.clone(), project: project.into() }
    }
}

/// The projects of an account.
#[derive(Clone, Debug)]
pub struct Projects<V: Version> {
    client: Client<V>,
}

handle_options!(Projects: client);

impl<V: Version> Projects<V> {
    /// Creates a project: a name of 5 to 128 characters, and its project manager.
    ///
    /// Await it to send it; it carries an idempotency key.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), Box<dyn std::error::Error>> {
    /// let manager = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".parse()?;
    /// let project = cint.projects().create("MyDrinksSurveyQ1", manager).reference("PO-0042").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "create_project")]
    pub fn create(&self, name: impl Into<String>, manager: UserId) -> CreateProject<V> {
        let settings = ProjectSettings { name: name.into(), manager, reference: None };
        CreateProject { client: self.client.clone(), settings, problems: Vec::new() }
    }

    /// Lists the account's projects.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// let mut projects = cint.projects().list().status(cintx::project::ProjectStatus::Active).stream();
    /// while let Some(project) = projects.try_next().await? {
    ///     println!("{} {:?}", project.id, project.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "list_account_projects")]
    pub fn list(&self) -> ListRequest<ProjectQuery<V>> {
        ListRequest::new(ProjectQuery { client: self.client.clone(), filter: ProjectFilter::default() })
    }
}

/// A project about to be created.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct CreateProject<V: Version> {
    client: Client<V>,
    settings: ProjectSettings,
    problems: Vec<FieldError>,
}

with_options!(CreateProject: client);

impl<V: Version> CreateProject<V> {
    /// Creates it under this idempotency key: the same key makes no second project. See
    /// [`CallOptions::idempotency_key`].
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.with(CallOptions::new().idempotency_key(key))
    }
}

impl<V: Version> CreateProject<V> {
    /// The buyer's own number for it: 3 to 128 letters, digits, `-`, `_` and spaces.
    pub fn reference(mut self, reference: impl IntoField<CustomerReference>) -> Self {
        let reference = reference.into_field("reference", &mut self.problems);
        self.settings.reference = reference.map(|reference| reference.to_string());
        self
    }
}

impl<V: Version> IntoFuture for CreateProject<V> {
    type Output = Result<Project, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut problems = self.problems;
            problems.extend(name_problem(&self.settings.name));
            Error::check(problems)?;
            let id = V::create_project(self.client.raw(), self.client.account(), &self.settings).await?;
            Ok(Project { id, human_readable_id: None, settings: self.settings })
        })
    }
}

/// How long Cint lets a project's name be.
const NAME_CHARS: RangeInclusive<usize> = 5..=128;

/// What is wrong with the name of a project.
pub(crate) fn name_problem(name: &str) -> Option<FieldError> {
    text_length("name", name.trim(), NAME_CHARS)
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Project {
    pub(crate) id: ProjectId,
    pub(crate) human_readable_id: Option<String>,
    pub(crate) settings: ProjectSettings,
}

impl Project {
    /// The id of the project.
    pub fn id(&self) -> &ProjectId {
        &self.id
    }

    /// The project's short id, for people; not known right after its creation.
    pub fn human_readable_id(&self) -> Option<&str> {
        self.human_readable_id.as_deref()
    }

    /// The name of the project.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// The project manager.
    pub fn manager(&self) -> UserId {
        self.settings.manager
    }

    /// The buyer's own number for it.
    pub fn reference(&self) -> Option<&str> {
        self.settings.reference.as_deref()
    }
}

impl From<&Project> for ProjectId {
    fn from(project: &Project) -> Self {
        project.id.clone()
    }
}

/// What can be changed about a project.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProjectSettings {
    /// The name: 5 to 128 characters.
    pub name: String,
    /// The project manager.
    pub manager: UserId,
    /// The buyer's own number for it: 3 to 128 letters, digits, `-`, `_` and spaces.
    pub reference: Option<String>,
}
three_way_merge!(ProjectSettings { name, manager, reference });

/// A project with its statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProjectOverview {
    /// The id of the project.
    pub id: ProjectId,
    /// The project's short id, for people.
    pub human_readable_id: Option<String>,
    /// The name of the project.
    pub name: Option<String>,
    /// The project manager.
    pub manager: Option<UserId>,
    /// The buyer's own number for it.
    pub reference: Option<String>,
    /// Whether anything goes on in it.
    pub status: Option<ProjectStatus>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// How its field goes.
    pub statistics: Option<ProjectStatistics>,
}

/// What can be done with one project, and within it.
#[derive(Clone, Debug)]
pub struct ProjectScope<V: Version> {
    pub(crate) client: Client<V>,
    pub(crate) project: ProjectId,
}

impl<V: Version> ProjectScope<V> {
    /// The project's id.
    pub fn id(&self) -> &ProjectId {
        &self.project
    }

    /// The project for calls with other options: key, retries, time limits, headers. They go before the client's.
    pub fn with(&self, options: CallOptions) -> Self {
        Self { client: self.client.with(options), project: self.project.clone() }
    }

    /// Reads the project.
    ///
    /// # Errors
    /// The API answers 404 if there is no such project. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_project_by_id")]
    pub async fn get(&self) -> Result<Project, Error> {
        Ok(V::project(self.client.raw(), self.client.account(), &self.project).await?.value)
    }

    /// Reads the project with its statistics.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "project_overview")]
    pub async fn overview(&self) -> Result<ProjectOverview, Error> {
        V::project_overview(self.client.raw(), self.client.account(), &self.project).await
    }

    /// Changes the project: reads it, applies the change, writes it under its entity tag. If another client changed it
    /// first, reads again, makes the change again, and compares field by field: what would undo another's change is a
    /// conflict.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>, id: cintx::ProjectId) -> Result<(), cintx::Error> {
    /// let project = cint.project(id).edit(|project| project.name = "MyDrinksSurveyQ2".into()).await?;
    /// assert_eq!(project.name, "MyDrinksSurveyQ2");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Every field that is wrong, before the write; [`Error::conflict`] if another client changed the same fields. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "update_project")]
    pub async fn edit(&self, change: impl Fn(&mut ProjectSettings) + Send) -> Result<ProjectSettings, Error> {
        Ok(edit(self, None, change).await?.value)
    }

    /// Starts to describe a target group: a name of 5 to 128 characters, then whom to ask, for how much, until when.
    pub fn draft_target_group(&self, name: impl Into<String>) -> DraftBuilder<V> {
        DraftBuilder::new(self.client.clone(), self.project.clone(), name.into())
    }
}

impl<V: Version> Editable for ProjectScope<V> {
    type Value = ProjectSettings;

    fn strike_out<'a>(&'a self, intent: &'a str) -> BoxFuture<'a, ()> {
        self.client.end_intent(intent).boxed()
    }

    fn check(&self, settings: &ProjectSettings) -> Result<(), Error> {
        let mut problems = Vec::from_iter(name_problem(&settings.name));
        if let Some(reference) = &settings.reference {
            let _: Option<CustomerReference> = reference.into_field("reference", &mut problems);
        }
        Error::check(problems)
    }

    fn read(&self) -> BoxFuture<'_, Result<WithEtag<ProjectSettings>, Error>> {
        async move {
            let WithEtag { value, etag } = V::project(self.client.raw(), self.client.account(), &self.project).await?;
            Ok(WithEtag { value: value.settings, etag })
        }
        .boxed()
    }

    fn write<'a>(
        &'a self,
        settings: &'a ProjectSettings,
        etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        V::update_project(self.client.raw(), self.client.account(), &self.project, settings, etag).boxed()
    }
}
