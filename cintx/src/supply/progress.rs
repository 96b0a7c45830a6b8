//! What suppliers have delivered to a launched target group, by how they are allocated.

use std::ops::RangeInclusive;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::open_enum::open_enum;
use crate::target_group::TargetGroup;
use crate::types::Money;
use crate::types::ids::SupplierId;
use crate::types::serde_text::word;
use crate::version::Version;

/// What kind of allocation suppliers are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AllocationKind {
    /// The suppliers that are in no group and not blocked.
    Exchange,
    /// A group with a share of its own.
    Group,
    /// Suppliers that may send nobody.
    Blocked,
    /// A supplier of a private exchange.
    PrivateGroup,
    /// Private suppliers that may send nobody.
    PrivateBlocked,
}

word!(AllocationKind: "a kind of allocation: exchange, group, blocked, private-group or private-blocked");

open_enum! {
    /// Where a supplier has its respondents from.
    SupplierType {
        /// From programmes that reward loyalty.
        LoyaltyPanels = "loyalty_panels",
        /// From no panel, or as an affiliate.
        NonPanelOrAffiliate = "non_panel_affiliate" | "non_panel_or_affiliate",
        /// From panels for surveys.
        SurveyPanels = "survey_panel" | "survey_panels",
    }
}

/// What the suppliers of one allocation have delivered. What is said depends on the kind of allocation and on the
/// version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AllocationProgress {
    /// The kind of allocation.
    pub kind: AllocationKind,
    /// The id of a group.
    #[serde(default)]
    pub id: Option<String>,
    /// The name of a group.
    #[serde(default)]
    pub name: Option<String>,
    /// The share of the allocation, in percent of the completes; `None` for who is blocked.
    #[serde(default)]
    pub share: Option<RangeInclusive<u8>>,
    /// How many completes it has delivered. From 2025-12-18 on; see the suppliers.
    #[serde(default)]
    pub completes: Option<i64>,
    /// How many respondents it has sent to the prescreener. From 2025-12-18 on; see the suppliers.
    #[serde(default)]
    pub prescreens: Option<i64>,
    /// The share of entrants who complete.
    #[serde(default)]
    pub conversion_rate: Option<Decimal>,
    /// How many completes it may still deliver.
    #[serde(default)]
    pub remaining: Option<i64>,
    /// What a complete costs on average. Before 2025-12-18.
    #[serde(default)]
    pub average_cost_per_interview: Option<Money>,
    /// Each of its suppliers.
    #[serde(default)]
    pub suppliers: Vec<SupplierProgress>,
}

/// What one supplier has delivered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SupplierProgress {
    /// The id of the supplier.
    pub id: SupplierId,
    /// The name of the supplier.
    #[serde(default)]
    pub name: Option<String>,
    /// Where it has its respondents from. Before 2025-12-18.
    #[serde(default)]
    pub supplier_type: Option<SupplierType>,
    /// How many completes it has delivered.
    #[serde(default)]
    pub completes: Option<i64>,
    /// How many respondents it has sent to the prescreener.
    #[serde(default)]
    pub prescreens: Option<i64>,
}

impl<V: Version> TargetGroup<V> {
    /// What suppliers have delivered to the launched target group, by allocation: completes, prescreens, conversion,
    /// and how many completes are left.
    ///
    /// ```no_run
    /// # async fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// for allocation in group.supply_progress().await? {
    ///     println!("{:?} {:?}: {:?} left", allocation.kind, allocation.name, allocation.remaining);
    ///     for supplier in allocation.suppliers {
    ///         println!("  {} {:?}: {:?} completes", supplier.id, supplier.name, supplier.completes);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The API answers 404 for a draft. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_allocation_specification")]
    #[doc(alias = "get_target_group_supply_allocation")]
    pub async fn supply_progress(&self) -> Result<Vec<AllocationProgress>, Error> {
        V::supply_progress(self.client.raw(), self.client.account(), &self.project, &self.id).await
    }
}
