//! Activity exclusions: recent respondents of other target groups or projects are kept out.

use serde::{Deserialize, Serialize};

use super::id_problem;
use crate::error::{Error, FieldError};
use crate::project::Project;
use crate::target_group::TargetGroup;
use crate::types::ActivityPeriod;
use crate::types::ids::{ProjectId, TargetGroupId};
use crate::version::Version;
pub use crate::wire::exclusions::HasActivityExclusions;

/// Whose respondents are kept out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ActivitySource {
    /// Those of a target group.
    TargetGroup(TargetGroupId),
    /// Those of all target groups of a project.
    Project(ProjectId),
    /// Those of something that is not known yet, as it came.
    Unknown {
        /// What it is.
        kind: String,
        /// The id of the target group or project.
        id: String,
    },
}

impl From<&Project> for ActivitySource {
    fn from(project: &Project) -> Self {
        Self::Project(project.id().clone())
    }
}

impl<V: Version> From<&TargetGroup<V>> for ActivitySource {
    fn from(group: &TargetGroup<V>) -> Self {
        Self::TargetGroup(group.id().clone())
    }
}

impl From<TargetGroupId> for ActivitySource {
    fn from(id: TargetGroupId) -> Self {
        Self::TargetGroup(id)
    }
}

impl From<ProjectId> for ActivitySource {
    fn from(id: ProjectId) -> Self {
        Self::Project(id)
    }
}

/// Keeps out who took part in a target group or project within a period.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ActivityExclusion {
    /// Whose respondents are kept out.
    pub of: ActivitySource,
    /// How far back it counts; 90 days if not set.
    pub within: Option<ActivityPeriod>,
}

impl ActivityExclusion {
    /// Keeps out who took part in this within the last 90 days.
    pub fn of(source: impl Into<ActivitySource>) -> Self {
        Self { of: source.into(), within: None }
    }

    /// Within this period.
    #[must_use]
    pub fn within(mut self, period: ActivityPeriod) -> Self {
        self.within = Some(period);
        self
    }
}

impl<V: Version> TargetGroup<V> {
    /// Whose recent respondents are kept out.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_respondent_activity_exclusions")]
    pub async fn activity_exclusions(&self) -> Result<Vec<ActivityExclusion>, Error>
    where
        V: HasActivityExclusions,
    {
        <V as HasActivityExclusions>::activity_exclusions(self.client.raw(), self.place()).await
    }

    /// Says whose recent respondents are kept out. This is the whole list: what it lacks no longer counts, and an empty
    /// one lets everybody in. The target group itself and its own project cannot be on it.
    ///
    /// From 2025-12-18 on.
    ///
    /// ```no_run
    /// # async fn run(
    /// #     group: cintx::target_group::TargetGroup<cintx::V2025_12_18>,
    /// #     other: cintx::ProjectId,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// use cintx::exclusion::ActivityExclusion;
    ///
    /// group.set_activity_exclusions([ActivityExclusion::of(other).within("P3M".parse()?)]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What is wrong with the list, found before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "set_target_group_respondent_activity_exclusions")]
    pub async fn set_activity_exclusions(
        &self,
        exclusions: impl IntoIterator<Item = ActivityExclusion> + Send,
    ) -> Result<(), Error>
    where
        V: HasActivityExclusions,
    {
        let exclusions: Vec<ActivityExclusion> = exclusions.into_iter().collect();
        Error::check(exclusions.iter().filter_map(|it| it.of.problem(Some(&self.id), &self.project)))?;
        <V as HasActivityExclusions>::set_activity_exclusions(self.client.raw(), self.place(), &exclusions).await
    }
}

impl ActivitySource {
    /// What is wrong with it for a target group, which has no id before it is created, in its project.
    pub(crate) fn problem(&self, group: Option<&TargetGroupId>, project: &ProjectId) -> Option<FieldError> {
        const FIELD: &str = "activity_exclusions";
        match self {
            ActivitySource::TargetGroup(id) if Some(id) == group => {
                Some(FieldError::new(FIELD, format!("name target group {id} itself, expected others")))
            }
            ActivitySource::Project(id) if id == project => Some(FieldError::new(
                FIELD,
                format!("name project {id}, which the target group is in, expected others"),
            )),
            ActivitySource::TargetGroup(id) => id_problem(FIELD, id.as_str()),
            ActivitySource::Project(id) => id_problem(FIELD, id.as_str()),
            ActivitySource::Unknown { kind, id } => {
                Some(FieldError::new(FIELD, format!("name the {kind} {id}, expected target groups and projects")))
            }
        }
    }
}
