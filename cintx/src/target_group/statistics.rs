//! Statistics: overview, performance, completes by interval.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::Error;
use crate::target_group::{FillingStrategy, PricingModel, TargetGroup, TargetGroupStatus};
use crate::types::ids::{ProjectId, TargetGroupId, UserId};
use crate::types::{Interval, Money};
use crate::version::Version;
pub use crate::wire::statistics::{HasOverviewById, HasPerformance};

/// How far a target group is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Progress {
    /// How many completes are wanted.
    pub completes_goal: Option<i64>,
    /// How many there are.
    pub current_completes: Option<i64>,
    /// How many respondents passed the screener.
    pub current_prescreens: Option<i64>,
    /// What counts toward the goal.
    pub filling_strategy: Option<FillingStrategy>,
}

/// A launched target group at a glance. Rates are shares between 0 and 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TargetGroupOverview {
    /// The name of the target group.
    pub name: Option<String>,
    /// The target group's short id, for people.
    pub human_readable_id: Option<String>,
    /// The name of its project.
    pub project_name: Option<String>,
    /// The state of the target group.
    pub status: Option<TargetGroupStatus>,
    /// How far it is.
    pub progress: Option<Progress>,
    /// What interviews cost on average.
    pub average_cost_per_interview: Option<Money>,
    /// What an interview costs now.
    pub current_cost_per_interview: Option<Money>,
    /// What it has cost in all.
    pub current_cost: Option<Money>,
    /// How its interviews are priced.
    pub pricing_model: Option<PricingModel>,
    /// Whether Cint restricts its price.
    pub is_pricing_restricted: Option<bool>,
    /// The share of entrants who complete.
    pub conversion_rate: Option<f64>,
    /// The share of entrants who give up.
    pub drop_off_rate: Option<f64>,
    /// The share of entrants who qualify.
    pub incidence_rate: Option<f64>,
    /// The median length of interview, in seconds.
    pub median_length_of_interview_seconds: Option<i64>,
    /// The country: two letters.
    pub country_code: Option<String>,
    /// The language: three letters.
    pub language_code: Option<String>,
    /// The kind of study.
    pub study_type_code: Option<String>,
    /// When it was made. `None` before 2025-12-18.
    pub created_at: Option<Timestamp>,
    /// The project manager. `None` before 2025-12-18.
    pub manager: Option<UserId>,
    /// The buyer's own number for it. `None` before 2025-12-18.
    pub reference: Option<String>,
}

/// A launched target group that was found by its id alone: where it is, and how it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FoundTargetGroup {
    /// The number of its account.
    pub account: Option<i64>,
    /// The id of the target group's project.
    pub project: Option<ProjectId>,
    /// The target group at a glance.
    pub overview: TargetGroupOverview,
}

/// How a target group performs. Rates are shares between 0 and 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Performance {
    /// How many came.
    pub entrants: Option<i64>,
    /// How many passed the screener.
    pub prescreens: Option<i64>,
    /// How many completed.
    pub completes: Option<i64>,
    /// What they cost.
    pub completes_cost: Option<Money>,
    /// The share of entrants who complete.
    pub conversion_rate: Option<f64>,
    /// The share of entrants who give up.
    pub drop_off_rate: Option<f64>,
    /// The share of entrants who qualify.
    pub incidence_rate: Option<f64>,
    /// When a respondent first completed.
    pub first_complete: Option<Timestamp>,
    /// When a respondent last completed.
    pub last_complete: Option<Timestamp>,
    /// Where respondents ended, and where test respondents did.
    pub respondents: Option<RespondentAnalysis>,
}

/// Where respondents ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RespondentAnalysis {
    /// Respondents.
    pub live: Vec<RespondentCount>,
    /// Test respondents.
    pub test: Vec<RespondentCount>,
}

/// How many respondents ended in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RespondentCount {
    /// The status code.
    pub status: Option<String>,
    /// The label of what is counted.
    pub label: Option<String>,
    /// What it means.
    pub description: Option<String>,
    /// How many there are.
    pub count: Option<i64>,
}

/// The completes of one interval.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CompletesCount {
    /// Which interval.
    pub at: Option<Timestamp>,
    /// How many there are.
    pub count: Option<i64>,
}

impl<V: Version> TargetGroup<V> {
    /// The launched target group at a glance.
    ///
    /// # Errors
    /// The API answers 404 for a draft. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_overview")]
    pub async fn overview(&self) -> Result<TargetGroupOverview, Error> {
        V::overview(self.client.raw(), self.client.account(), &self.project, &self.id).await
    }

    /// How the launched target group performs.
    ///
    /// From 2025-02-17 on.
    ///
    /// ```no_run
    /// # async fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// let performance = group.performance().await?;
    /// println!("{:?} of {:?} completed", performance.completes, performance.entrants);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The API answers 404 for a draft. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_performance")]
    pub async fn performance(&self) -> Result<Performance, Error>
    where
        V: HasPerformance,
    {
        <V as HasPerformance>::performance(self.client.raw(), self.client.account(), &self.project, &self.id).await
    }

    /// The completes, interval by interval; of 24 hours if not given.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_completes_aggregated_by_interval")]
    pub async fn completes_by_interval(&self, interval: Option<Interval>) -> Result<Vec<CompletesCount>, Error> {
        V::completes_by_interval(self.client.raw(), self.client.account(), &self.project, &self.id, interval).await
    }
}

impl<V: Version> Client<V> {
    /// A launched target group at a glance, wherever it is; the answer says in which account and project.
    ///
    /// From 2025-12-18 on.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>, id: cintx::TargetGroupId) -> Result<(), cintx::Error> {
    /// let found = cint.find_target_group(&id).await?;
    /// if let Some(project) = found.project {
    ///     cint.project(project).target_group(id).changelog();
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The API answers 404 for a draft, and for what the credentials give no access to. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_overview_by_target_group_id")]
    pub async fn find_target_group(&self, id: &TargetGroupId) -> Result<FoundTargetGroup, Error>
    where
        V: HasOverviewById,
    {
        <V as HasOverviewById>::overview_by_id(self.raw(), id).await
    }
}
