//! Feasibility: the completes and the price to expect, in all and for each target and group of suppliers.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::DraftBuilder;
use crate::audience::Condition;
use crate::client::options::with_options;
use crate::error::Error;
use crate::quota::TableKind;
use crate::types::Money;
use crate::version::Version;

/// The API's estimate for a target group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Feasibility {
    /// The fewest completes to expect from the settings.
    pub completes_min: Option<i64>,
    /// The most.
    pub completes_max: Option<i64>,
    /// The price that the API suggests for an interview.
    pub suggested_price: Option<Money>,
    /// The lowest price that makes sense.
    pub price_min: Option<Money>,
    /// The highest.
    pub price_max: Option<Money>,
    /// What each target of the audience can have.
    pub targets: Vec<TargetFeasibility>,
    /// The fewest completes to expect from the open exchange; from 2025-12-18 on.
    pub exchange_completes_min: Option<i64>,
    /// The most.
    pub exchange_completes_max: Option<i64>,
    /// What each group of suppliers can deliver; from 2025-12-18 on.
    pub supplier_groups: Vec<SupplierGroupFeasibility>,
}

impl Feasibility {
    /// The targets that are expected to stay below what was asked for, even at best.
    ///
    /// ```no_run
    /// # async fn run(draft: cintx::target_group::DraftBuilder<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// for target in draft.feasibility().await?.unfillable() {
    ///     println!("{:?}: {:?} of {:?}", target.conditions, target.completes_max, target.wanted);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn unfillable(&self) -> impl Iterator<Item = &TargetFeasibility> {
        self.targets.iter().filter(|target| {
            let most = target.completes_max.map(|most| u64::try_from(most).unwrap_or(0));
            most.zip(target.wanted).is_some_and(|(most, wanted)| most < wanted)
        })
    }
}

/// What one target of an audience can have.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TargetFeasibility {
    /// What kind of profile it is in.
    pub kind: TableKind,
    /// Its question, where the answer names one.
    pub question: Option<i64>,
    /// The id of its cell, where the answer names one.
    pub cell: Option<String>,
    /// Whom it is about, by question. Before 2025-12-18 the answer has them by order only: empty where the target
    /// group's own audience was asked about.
    pub conditions: Vec<(i64, Condition)>,
    /// How many completes were asked for.
    pub wanted: Option<u64>,
    /// The fewest completes to expect.
    pub completes_min: Option<i64>,
    /// The most.
    pub completes_max: Option<i64>,
    /// The fewest, in percent of the goal.
    pub percent_min: Option<Decimal>,
    /// The most.
    pub percent_max: Option<Decimal>,
}

/// What a group of suppliers can deliver.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SupplierGroupFeasibility {
    /// Its name.
    pub name: String,
    /// Whether it is a private exchange.
    pub is_private: bool,
    /// The fewest completes to expect.
    pub completes_min: Option<i64>,
    /// The most.
    pub completes_max: Option<i64>,
}

/// A question about what a target group can have that does not exist yet. Made by [`DraftBuilder::feasibility`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct DraftFeasibility<V: Version> {
    draft: DraftBuilder<V>,
    step_days: Option<u32>,
}

with_options!(DraftFeasibility: draft.client);

impl<V: Version> DraftFeasibility<V> {
    pub(crate) fn of(draft: DraftBuilder<V>) -> Self {
        Self { draft, step_days: None }
    }

    /// The `step_days` of the request, which is sent as it is.
    pub fn step_days(mut self, days: u32) -> Self {
        self.step_days = Some(days);
        self
    }
}

impl<V: Version> IntoFuture for DraftFeasibility<V> {
    type Output = Result<Feasibility, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (client, project, draft) = self.draft.solved().await.check()?;
            V::feasibility(client.raw(), client.account(), &project, &draft, self.step_days).await
        })
    }
}
