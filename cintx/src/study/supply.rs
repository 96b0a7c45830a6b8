//! The suppliers of a study's target group: everybody, chosen ones, shares of groups, or a template that is read when
//! the study is planned.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::Error;
use crate::supply::{Supply, SupplyGroup};
use crate::types::Locale;
use crate::types::ids::{SupplierId, TemplateId};
use crate::version::Version;

/// The suppliers and their shares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StudySupply {
    /// Every supplier of the exchange.
    #[default]
    OpenExchange,
    /// Cint's test supplier and no other: nothing is bought.
    TestSupplierOnly,
    /// These suppliers and no other.
    Only(Vec<SupplierId>),
    /// Shares of the exchange, of groups of suppliers, and suppliers that are kept out.
    Shares(StudyShares),
    /// What one of the account's supply templates says when the study is planned.
    Template(TemplateId),
    /// What one of Cint's supply templates says when the study is planned.
    CintTemplate(TemplateId),
    /// What the template says that holds where nobody chose another, when the study is planned.
    SystemTemplate,
}

/// Who delivers how much.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudyShares {
    /// The share of everybody who is in no group.
    #[serde(default, skip_serializing_if = "StudyShare::is_everything")]
    pub exchange: StudyShare,
    /// Suppliers with a share of their own.
    #[serde(default, rename = "group", skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<StudySupplyGroup>,
    /// Suppliers that may send nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<SupplierId>,
    /// Private exchanges: groups of one supplier each. From 2025-12-18 on.
    #[serde(default, rename = "private_group", skip_serializing_if = "Vec::is_empty")]
    pub private_groups: Vec<StudySupplyGroup>,
    /// Private suppliers that may send nobody. From 2025-12-18 on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private_blocked: Vec<SupplierId>,
}

/// A share of the completes in percent, from a least to a most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StudyShare {
    /// The least: 0 to 100.
    #[serde(default)]
    #[cfg_attr(feature = "study-schema", schemars(range(max = 100)))]
    pub min: u8,
    /// The most: 0 to 100.
    #[serde(default = "all")]
    #[cfg_attr(feature = "study-schema", schemars(range(max = 100)))]
    pub max: u8,
}

fn all() -> u8 {
    100
}

impl Default for StudyShare {
    fn default() -> Self {
        Self { min: 0, max: all() }
    }
}

impl StudyShare {
    fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    fn range(self) -> RangeInclusive<u8> {
        self.min..=self.max
    }
}

impl From<&RangeInclusive<u8>> for StudyShare {
    fn from(range: &RangeInclusive<u8>) -> Self {
        Self { min: *range.start(), max: *range.end() }
    }
}

/// Suppliers with a share of their own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "study-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StudySupplyGroup {
    /// The name of the group, of which there must not be two.
    pub name: String,
    /// The share of the completes, in percent; everything if it is left out.
    #[serde(default, skip_serializing_if = "StudyShare::is_everything")]
    pub share: StudyShare,
    /// The ids of the suppliers.
    pub suppliers: Vec<SupplierId>,
}

impl StudySupplyGroup {
    /// Suppliers with a share of their own.
    pub fn new<S: Into<SupplierId>>(
        name: impl Into<String>,
        share: RangeInclusive<u8>,
        suppliers: impl IntoIterator<Item = S>,
    ) -> Self {
        let suppliers = suppliers.into_iter().map(Into::into).collect();
        Self { name: name.into(), share: (&share).into(), suppliers }
    }
}

impl From<&SupplyGroup> for StudySupplyGroup {
    fn from(group: &SupplyGroup) -> Self {
        Self::new(group.name.clone(), group.share.clone(), group.suppliers.iter().copied())
    }
}

impl From<&Supply> for StudySupply {
    /// The shortest way to say it.
    fn from(supply: &Supply) -> Self {
        if supply.same_as(&Supply::open_exchange()) {
            return Self::OpenExchange;
        }
        if supply.same_as(&Supply::test_supplier_only()) {
            return Self::TestSupplierOnly;
        }
        if let [group] = &supply.groups[..]
            && supply.same_as(&Supply::only(CHOSEN_GROUP_NAME, group.suppliers.iter().copied()))
        {
            return Self::Only(group.suppliers.clone());
        }
        Self::Shares(StudyShares {
            exchange: (&supply.exchange).into(),
            groups: supply.groups.iter().map(Into::into).collect(),
            blocked: supply.blocked.clone(),
            private_groups: supply.private.groups.iter().map(Into::into).collect(),
            private_blocked: supply.private.blocked.clone(),
        })
    }
}

/// The name of the group that chosen suppliers are in.
const CHOSEN_GROUP_NAME: &str = "Chosen suppliers";

impl StudyShares {
    fn supply(&self) -> Supply {
        let mut supply = Supply::open_exchange().exchange(self.exchange.range()).block(self.blocked.iter().copied());
        for group in &self.groups {
            supply = supply.group(&*group.name, group.share.range(), group.suppliers.iter().copied());
        }
        // A private group of several suppliers is refused with everything else that is wrong with a supply.
        let private = Supply::open_exchange();
        let private = self.private_groups.iter().fold(private, |private, group| {
            private.group(&*group.name, group.share.range(), group.suppliers.iter().copied())
        });
        supply.private.groups = private.groups;
        supply.private.blocked.clone_from(&self.private_blocked);
        supply
    }
}

impl StudySupply {
    /// What it says by itself; `None` for a template, which has to be read first.
    pub(super) fn known(&self) -> Option<Supply> {
        match self {
            Self::OpenExchange => Some(Supply::open_exchange()),
            Self::TestSupplierOnly => Some(Supply::test_supplier_only()),
            Self::Only(suppliers) => Some(Supply::only(CHOSEN_GROUP_NAME, suppliers.iter().copied())),
            Self::Shares(shares) => Some(shares.supply()),
            Self::Template(_) | Self::CintTemplate(_) | Self::SystemTemplate => None,
        }
    }

    /// What it says, after a template has been read with the suppliers that a locale has.
    pub(super) async fn resolved<V: Version>(&self, client: &Client<V>, locale: &Locale) -> Result<Supply, Error> {
        let templates = client.supply_templates();
        let template = match self {
            Self::Template(id) => templates.get(id, locale).await?,
            Self::CintTemplate(id) => templates.global(id, locale).await?,
            Self::SystemTemplate => templates.system(locale).await?,
            known => return Ok(known.known().unwrap_or_else(Supply::open_exchange)),
        };
        Ok(template.supply)
    }
}
