//! Projects: what target groups belong to.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use crate::client::Client;
use crate::error::{Error, Invalid};
use crate::ids::{ProjectId, UserId};
use crate::target_group::DraftBuilder;
use crate::version::Version;

/// The projects of an account.
#[derive(Clone, Debug)]
pub struct Projects<V: Version> {
    client: Client<V>,
}

impl<V: Version> Projects<V> {
    pub(crate) fn new(client: Client<V>) -> Self {
        Self { client }
    }

    /// Creates a project: a name of 5 to 128 characters, and who answers for it.
    ///
    /// In every version (`create_project`). Await it to send it; it carries an idempotency key.
    pub fn create(&self, name: impl Into<String>, manager: UserId) -> CreateProject<V> {
        CreateProject { client: self.client.clone(), name: name.into(), manager }
    }
}

/// A project about to be created.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct CreateProject<V: Version> {
    client: Client<V>,
    name: String,
    manager: UserId,
}

impl<V: Version> IntoFuture for CreateProject<V> {
    type Output = Result<Project, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            if let Some(problem) = name_problem(&self.name) {
                return Err(Error::invalid(vec![problem]));
            }
            let id = V::create_project(self.client.raw(), self.client.account(), &self.name, self.manager).await?;
            Ok(Project { id, name: self.name })
        })
    }
}

/// What Cint asks of a project's or target group's name.
pub(crate) fn name_problem(name: &str) -> Option<Invalid> {
    let length = name.trim().chars().count();
    (!(5..=128).contains(&length)).then(|| Invalid::new("name", format!("has {length} characters, expected 5 to 128")))
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    id: ProjectId,
    name: String,
}

impl Project {
    /// Its id.
    pub fn id(&self) -> &ProjectId {
        &self.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What can be done within one project.
#[derive(Clone, Debug)]
pub struct ProjectScope<V: Version> {
    client: Client<V>,
    project: ProjectId,
}

impl<V: Version> ProjectScope<V> {
    pub(crate) fn new(client: Client<V>, project: ProjectId) -> Self {
        Self { client, project }
    }

    /// Starts to describe a target group: a name of 5 to 128 characters, then whom to ask, for how much, until when.
    pub fn target_group(&self, name: impl Into<String>) -> DraftBuilder<V> {
        DraftBuilder::new(self.client.clone(), self.project.clone(), name.into())
    }
}
