//! Exclusion groups: respondents of one of their target groups are kept out of the others.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::group_problems;
use crate::client::options::{handle_options, with_options};
use crate::client::{CallOptions, Client};
use crate::error::{Error, FieldError, text_length};
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage};
use crate::sealed::Sealed;
use crate::target_group::TargetGroup;
use crate::types::ids::{ExclusionGroupId, TargetGroupId};
use crate::version::Version;
pub use crate::wire::exclusions::HasExclusionGroups;

/// The most target groups that an exclusion group has.
const MAX_MEMBERS: usize = 100;

impl<V: Version> Client<V> {
    /// The account's exclusion groups.
    ///
    /// From 2025-12-18 on.
    pub fn exclusion_groups(&self) -> ExclusionGroups<V>
    where
        V: HasExclusionGroups,
    {
        ExclusionGroups { client: self.clone() }
    }
}

impl<V: Version> TargetGroup<V> {
    /// Lists the exclusion groups that the target group is in.
    ///
    /// From 2025-12-18 on.
    #[doc(alias = "get_exclusion_groups_for_target_group")]
    pub fn exclusion_groups(&self) -> ListRequest<ExclusionGroupsOfTargetGroup<V>>
    where
        V: HasExclusionGroups,
    {
        ListRequest::new(ExclusionGroupsOfTargetGroup { group: self.clone() })
    }
}

/// The exclusion groups of an account. A change of members holds for respondents who arrive later.
///
/// ```no_run
/// # async fn run(
/// #     cint: cintx::Client<cintx::V2025_12_18>,
/// #     waves: [cintx::TargetGroupId; 2],
/// # ) -> Result<(), cintx::Error> {
/// let groups = cint.exclusion_groups();
/// let id = groups.create("drinks-tracker", "Nobody takes part in two waves.").await?;
/// groups.add(&id, waves).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ExclusionGroups<V: Version> {
    client: Client<V>,
}

handle_options!(ExclusionGroups: client);

impl<V: HasExclusionGroups> ExclusionGroups<V> {
    /// Lists the account's exclusion groups. A page can have 1 to 1,000.
    ///
    /// From 2025-12-18 on.
    #[doc(alias = "get_exclusion_groups_by_account_id")]
    pub fn list(&self) -> ListRequest<ExclusionGroupQuery<V>> {
        ListRequest::new(ExclusionGroupQuery { client: self.client.clone() })
    }

    /// Makes an exclusion group without members: a tag of 1 to 128 characters, a description of at most 500.
    ///
    /// From 2025-12-18 on. It takes no idempotency key; tags may repeat.
    ///
    /// # Errors
    /// What is wrong with tag and description, found before anything is sent. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "create_exclusion_group")]
    pub async fn create(&self, tag: &str, description: &str) -> Result<ExclusionGroupId, Error> {
        Error::check([tag_problem(tag), description_problem(description)].into_iter().flatten())?;
        let create = |client: Client<V>| async move {
            <V as HasExclusionGroups>::create_exclusion_group(client.raw(), client.account(), tag, description).await
        };
        self.client.create_once(false, create, ExclusionGroupId::new).await
    }

    /// Reads an exclusion group, without its members.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// The API answers 404 if there is no such group. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_exclusion_group_by_id")]
    pub async fn get(&self, id: impl Into<ExclusionGroupId>) -> Result<ExclusionGroup, Error> {
        let (raw, account) = (self.client.raw(), self.client.account());
        <V as HasExclusionGroups>::exclusion_group(raw, account, &id.into()).await
    }

    /// Changes an exclusion group's tag, description, or both. Await it to send it.
    ///
    /// From 2025-12-18 on.
    ///
    /// ```no_run
    /// # async fn run(
    /// #     cint: cintx::Client<cintx::V2025_12_18>,
    /// #     id: cintx::ExclusionGroupId,
    /// # ) -> Result<(), cintx::Error> {
    /// cint.exclusion_groups().update(id).tag("drinks-tracker-2027").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "update_exclusion_group_by_id")]
    pub fn update(&self, id: impl Into<ExclusionGroupId>) -> UpdateExclusionGroup<V> {
        UpdateExclusionGroup { client: self.client.clone(), id: id.into(), change: GroupChange::default() }
    }

    /// Deletes an exclusion group that has no members.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// The API answers 409 if it has members. See [when a call fails](crate::guide::failures).
    #[doc(alias = "delete_exclusion_group_by_id")]
    pub async fn delete(&self, id: impl Into<ExclusionGroupId>) -> Result<(), Error> {
        let (raw, account) = (self.client.raw(), self.client.account());
        <V as HasExclusionGroups>::delete_exclusion_group(raw, account, &id.into()).await
    }

    /// Lists the target groups of an exclusion group. A page can have 1 to 1,000.
    ///
    /// From 2025-12-18 on.
    #[doc(alias = "get_exclusion_group_target_group_exclusions")]
    pub fn members(&self, id: impl Into<ExclusionGroupId>) -> ListRequest<ExclusionGroupMembers<V>> {
        ListRequest::new(ExclusionGroupMembers { client: self.client.clone(), id: id.into() })
    }

    /// Puts target groups into an exclusion group, which has at most 100.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// If there are none or more than 100, before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "add_target_groups_to_exclusion_group")]
    pub async fn add<G: Into<TargetGroupId>>(
        &self,
        id: impl Into<ExclusionGroupId>,
        groups: impl IntoIterator<Item = G>,
    ) -> Result<(), Error> {
        self.change_members(id.into(), groups.into_iter().map(Into::into).collect(), true).await
    }

    /// Takes target groups out of an exclusion group.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// If there are none or more than 100, before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "remove_target_groups_from_exclusion_group")]
    pub async fn remove<G: Into<TargetGroupId>>(
        &self,
        id: impl Into<ExclusionGroupId>,
        groups: impl IntoIterator<Item = G>,
    ) -> Result<(), Error> {
        self.change_members(id.into(), groups.into_iter().map(Into::into).collect(), false).await
    }

    async fn change_members(&self, id: ExclusionGroupId, groups: Vec<TargetGroupId>, join: bool) -> Result<(), Error> {
        let mut problems = group_problems("target_groups", &groups);
        if groups.len() > MAX_MEMBERS {
            let reason = format!("are {}, expected at most {MAX_MEMBERS}", groups.len());
            problems.push(FieldError::new("target_groups", reason));
        }
        Error::check(problems)?;
        let (raw, account) = (self.client.raw(), self.client.account());
        <V as HasExclusionGroups>::change_members(raw, account, &id, &groups, join).await
    }
}

fn tag_problem(tag: &str) -> Option<FieldError> {
    text_length("tag", tag, 1..=128)
}

fn description_problem(description: &str) -> Option<FieldError> {
    (description.chars().count() > 500).then(|| {
        FieldError::new("description", format!("has {} characters, expected at most 500", description.chars().count()))
    })
}

/// What becomes different about an exclusion group.
#[derive(Clone, Debug, Default)]
#[doc(hidden)]
pub struct GroupChange {
    pub(crate) tag: Option<String>,
    pub(crate) description: Option<String>,
}

/// A change of an exclusion group. Made by [`ExclusionGroups::update`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct UpdateExclusionGroup<V: Version> {
    client: Client<V>,
    id: ExclusionGroupId,
    change: GroupChange,
}

with_options!(UpdateExclusionGroup: client);

impl<V: Version> UpdateExclusionGroup<V> {
    /// The tag: 1 to 128 characters.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.change.tag = Some(tag.into());
        self
    }

    /// The description: at most 500 characters.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.change.description = Some(description.into());
        self
    }
}

impl<V: HasExclusionGroups> IntoFuture for UpdateExclusionGroup<V> {
    type Output = Result<(), Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let GroupChange { tag, description } = &self.change;
            let mut problems = Vec::from_iter(tag.as_deref().and_then(tag_problem));
            problems.extend(description.as_deref().and_then(description_problem));
            if tag.is_none() && description.is_none() {
                problems.push(FieldError::new("change", "is none, expected a tag or a description"));
            }
            Error::check(problems)?;
            let (raw, account) = (self.client.raw(), self.client.account());
            <V as HasExclusionGroups>::update_exclusion_group(raw, account, &self.id, &self.change).await
        })
    }
}

/// An exclusion group, without its members.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExclusionGroup {
    /// The id of the exclusion group.
    pub id: ExclusionGroupId,
    /// What it is called.
    pub tag: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

impl From<&ExclusionGroup> for ExclusionGroupId {
    fn from(group: &ExclusionGroup) -> Self {
        group.id.clone()
    }
}

/// Lists the account's exclusion groups.
#[derive(Clone, Debug)]
pub struct ExclusionGroupQuery<V: Version> {
    client: Client<V>,
}

impl<V: HasExclusionGroups> Sealed for ExclusionGroupQuery<V> {}

impl<V: HasExclusionGroups> ListQuery for ExclusionGroupQuery<V> {
    type Item = ExclusionGroup;
    const MAX_PAGE: u16 = 1_000;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<ExclusionGroup>, Error>> {
        <V as HasExclusionGroups>::exclusion_groups(self.client.raw(), self.client.account(), ask).boxed()
    }
}

/// Lists the target groups of an exclusion group.
#[derive(Clone, Debug)]
pub struct ExclusionGroupMembers<V: Version> {
    client: Client<V>,
    id: ExclusionGroupId,
}

impl<V: HasExclusionGroups> Sealed for ExclusionGroupMembers<V> {}

impl<V: HasExclusionGroups> ListQuery for ExclusionGroupMembers<V> {
    type Item = TargetGroupId;
    const MAX_PAGE: u16 = 1_000;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<TargetGroupId>, Error>> {
        <V as HasExclusionGroups>::members(self.client.raw(), self.client.account(), &self.id, ask).boxed()
    }
}

/// Lists the exclusion groups of a target group.
#[derive(Clone, Debug)]
pub struct ExclusionGroupsOfTargetGroup<V: Version> {
    group: TargetGroup<V>,
}

impl<V: HasExclusionGroups> Sealed for ExclusionGroupsOfTargetGroup<V> {}

impl<V: HasExclusionGroups> ListQuery for ExclusionGroupsOfTargetGroup<V> {
    type Item = ExclusionGroup;

    fn set_options(&mut self, options: CallOptions) {
        self.group.client = self.group.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<ExclusionGroup>, Error>> {
        let client = &self.group.client;
        <V as HasExclusionGroups>::exclusion_groups_of(client.raw(), client.account(), &self.group.id, ask).boxed()
    }
}
