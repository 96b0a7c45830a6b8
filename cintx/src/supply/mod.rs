//! The suppliers and their shares: the open exchange, groups of suppliers with their shares, suppliers kept out,
//! and private exchanges.

mod progress;
pub(crate) mod template;

pub use self::progress::{AllocationKind, AllocationProgress, SupplierProgress, SupplierType};
pub use self::template::{
    HasGlobalTemplateWrites, HasUnitTemplates, SupplyTemplate, SupplyTemplateQuery, SupplyTemplateSummary,
    SupplyTemplates, UnitSupplyTemplates,
};

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::error::{Error, FieldError};
use crate::target_group::TargetGroup;
use crate::types::ids::SupplierId;
use crate::version::Version;
pub use crate::wire::supply::HasSupplyRemoval;

/// Which suppliers may send respondents, and how large a share of them. Shares are percent of the completes.
///
/// ```
/// # use cintx::supply::Supply;
/// let test = Supply::test_supplier_only();
/// let mixed = Supply::open_exchange().exchange(20..=100).group("Partners", 0..=60, [12, 34]).block([56]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Supply {
    /// The share of the suppliers that are in no group and not blocked.
    pub exchange: RangeInclusive<u8>,
    /// Suppliers with a share of their own.
    pub groups: Vec<SupplyGroup>,
    /// Suppliers that may send nobody.
    pub blocked: Vec<SupplierId>,
    /// Private exchanges: 2025-12-18, where Cint has switched them on.
    pub private: PrivateSupply,
    /// What this release could not read of it, in words. To write the rest back would delete it, so that is refused
    /// before anything is sent; clear the list to delete it all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

/// Suppliers with a share of their own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SupplyGroup {
    /// The id that Cint gave it; `None` for a new one.
    pub id: Option<String>,
    /// The name of the group, of which there must not be two.
    pub name: String,
    /// The share of the completes, from the least to the most, in percent.
    pub share: RangeInclusive<u8>,
    /// The ids of the suppliers; exactly one in a private exchange.
    pub suppliers: Vec<SupplierId>,
}

/// Private exchanges: suppliers that sell to this account alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PrivateSupply {
    /// A group for each supplier.
    pub groups: Vec<SupplyGroup>,
    /// Private suppliers that may send nobody.
    pub blocked: Vec<SupplierId>,
}

impl Supply {
    /// The supplier that Cint has for tests.
    pub const TEST_SUPPLIER: SupplierId = SupplierId::new(980);

    /// Every supplier of the exchange.
    pub fn open_exchange() -> Self {
        Self {
            exchange: 0..=100,
            groups: Vec::new(),
            blocked: Vec::new(),
            private: PrivateSupply::default(),
            unread: Vec::new(),
        }
    }

    /// These suppliers and no other.
    pub fn only<S: Into<SupplierId>>(name: impl Into<String>, suppliers: impl IntoIterator<Item = S>) -> Self {
        // The exchange's maximum of nothing keeps everybody else out; the group's minimum may stay nothing.
        Self::open_exchange().exchange(0..=0).group(name, 0..=100, suppliers)
    }

    /// Cint's test supplier and no other: nothing is bought.
    pub fn test_supplier_only() -> Self {
        Self::only("Test supplier only", [Self::TEST_SUPPLIER])
    }

    /// The share of everybody who is in no group.
    #[must_use]
    pub fn exchange(mut self, share: RangeInclusive<u8>) -> Self {
        self.exchange = share;
        self
    }

    /// Gives some suppliers a share of their own.
    #[must_use]
    pub fn group<S: Into<SupplierId>>(
        mut self,
        name: impl Into<String>,
        share: RangeInclusive<u8>,
        suppliers: impl IntoIterator<Item = S>,
    ) -> Self {
        let suppliers = suppliers.into_iter().map(Into::into).collect();
        self.groups.push(SupplyGroup { id: None, name: name.into(), share, suppliers });
        self
    }

    /// Keeps some suppliers out.
    #[must_use]
    pub fn block<S: Into<SupplierId>>(mut self, suppliers: impl IntoIterator<Item = S>) -> Self {
        self.blocked.extend(suppliers.into_iter().map(Into::into));
        self
    }

    /// Gives a private supplier a share. From 2025-12-18 on; other versions refuse it before anything is sent.
    #[must_use]
    pub fn private_group(
        mut self,
        name: impl Into<String>,
        share: RangeInclusive<u8>,
        supplier: impl Into<SupplierId>,
    ) -> Self {
        self.private.groups.push(SupplyGroup { id: None, name: name.into(), share, suppliers: vec![supplier.into()] });
        self
    }

    /// Whether it is the same, whoever gave its groups their ids, and in whatever order.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        let sorted = |supply: &Self| {
            let mut supply = supply.clone();
            for groups in [&mut supply.groups, &mut supply.private.groups] {
                for group in groups.iter_mut() {
                    group.id = None;
                    group.suppliers.sort_unstable();
                }
                groups.sort_by(|one, other| one.name.cmp(&other.name));
            }
            supply.blocked.sort_unstable();
            supply.private.blocked.sort_unstable();
            supply
        };
        sorted(self) == sorted(other)
    }

    /// Says what a version would refuse.
    pub(crate) fn check<V: Version>(&self, problems: &mut Vec<FieldError>) {
        let mut refuse = |reason: String| problems.push(FieldError::new("supply", reason));
        let shares = self.groups.iter().chain(&self.private.groups).map(|group| (group.name.as_str(), &group.share));
        let mut least: u32 = 0;
        for (name, share) in std::iter::once(("the exchange", &self.exchange)).chain(shares) {
            let (min, max) = (*share.start(), *share.end());
            if min > max || max > 100 {
                refuse(format!("gives {name} {min} to {max} percent, expected a range within 0 to 100"));
            }
            least += u32::from(min);
        }
        if least > 100 {
            refuse(format!("promises {least} percent at least in all, expected at most 100"));
        }
        let mut names: Vec<&str> = Vec::new();
        let mut placed: Vec<SupplierId> = self.blocked.iter().chain(&self.private.blocked).copied().collect();
        for group in self.groups.iter().chain(&self.private.groups) {
            if group.name.trim().is_empty() {
                refuse(format!("has a group named {:?}, expected a name", group.name));
            } else if names.contains(&group.name.as_str()) {
                refuse(format!("has two groups named {:?}, expected names that differ", group.name));
            }
            names.push(&group.name);
            if group.suppliers.is_empty() {
                refuse(format!("has a group {:?} without suppliers, expected at least one", group.name));
            }
            for supplier in &group.suppliers {
                if placed.contains(supplier) {
                    refuse(format!("places supplier {supplier} twice, expected once"));
                }
                placed.push(*supplier);
            }
        }
        if self.private.groups.iter().any(|group| group.suppliers.len() > 1) {
            refuse("has a private group of several suppliers, expected exactly one".to_owned());
        }
        for unread in &self.unread {
            refuse(format!("has {unread}, which this release cannot read, so cannot write back"));
        }
        if !V::PRIVATE_EXCHANGE && self.private != PrivateSupply::default() {
            refuse(format!("has private exchanges, expected none: {} does not support them", V::DATE));
        }
    }
}

impl<V: Version> TargetGroup<V> {
    /// Reads who delivers respondents to the launched target group.
    ///
    /// # Errors
    /// The API answers 404 for a draft, whose supply is in its [settings](TargetGroup::draft). See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "get_target_group_allocation_specification")]
    #[doc(alias = "get_target_group_supply_allocation")]
    pub async fn supply(&self) -> Result<Supply, Error> {
        V::supply(self.client.raw(), self.client.account(), &self.project, &self.id).await
    }

    /// Changes who delivers respondents to the launched target group. Groups keep their identity by name.
    ///
    /// ```no_run
    /// # async fn run(group: cintx::target_group::TargetGroup<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// let supply = group.supply().await?;
    /// group.set_supply(&supply.block([56])).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with it, before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "update_target_group_allocation_specification")]
    #[doc(alias = "update_target_group_supply_allocation")]
    #[doc(alias = "create_target_group_supply_allocation")]
    pub async fn set_supply(&self, supply: &Supply) -> Result<(), Error> {
        let mut problems = Vec::new();
        supply.check::<V>(&mut problems);
        Error::check(problems)?;
        V::set_supply(self.client.raw(), self.client.account(), &self.project, &self.id, supply).await
    }

    /// Takes back every share, group and block of the launched target group: the whole exchange delivers again.
    ///
    /// Only in 2024-12-02.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "delete_target_group_supply_allocation")]
    pub async fn clear_supply(&self) -> Result<(), Error>
    where
        V: HasSupplyRemoval,
    {
        let (raw, account) = (self.client.raw(), self.client.account());
        <V as HasSupplyRemoval>::clear_supply(raw, account, &self.project, &self.id).await
    }
}
