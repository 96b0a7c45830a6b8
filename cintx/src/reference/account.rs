//! The account: its business units, which buy.

use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::{Error, FieldError};
use crate::target_group::{DraftSettings, PricingModel};
use crate::types::ids::BusinessUnitId;
use crate::version::Version;

/// A business unit: it buys, in one currency and by some ways of pricing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BusinessUnit {
    /// The number of the business unit.
    pub id: BusinessUnitId,
    /// The name of the business unit.
    pub name: Option<String>,
    /// The currency it pays in.
    pub currency: Option<String>,
    /// How it can have interviews priced.
    pub pricing_models: Vec<PricingModel>,
}

impl<V: Version> Client<V> {
    /// The account's business units.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// for unit in cint.business_units().await? {
    ///     println!("{} {:?} pays in {:?}", unit.id, unit.name, unit.currency);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_business_units")]
    pub async fn business_units(&self) -> Result<Vec<BusinessUnit>, Error> {
        V::business_units(self.raw(), self.account()).await
    }
}

/// A business unit as a builder takes it: by its number, or with what is known of it.
#[derive(Clone, Debug)]
pub struct BusinessUnitRef {
    id: BusinessUnitId,
    known: Option<BusinessUnit>,
}

impl From<i64> for BusinessUnitRef {
    fn from(id: i64) -> Self {
        Self { id: id.into(), known: None }
    }
}

impl From<BusinessUnitId> for BusinessUnitRef {
    fn from(id: BusinessUnitId) -> Self {
        Self { id, known: None }
    }
}

impl From<&BusinessUnit> for BusinessUnitRef {
    fn from(unit: &BusinessUnit) -> Self {
        Self { id: unit.id, known: Some(unit.clone()) }
    }
}

impl BusinessUnitRef {
    pub(crate) fn id(&self) -> BusinessUnitId {
        self.id
    }

    /// Says what the business unit cannot pay for.
    pub(crate) fn check(&self, draft: &DraftSettings, problems: &mut Vec<FieldError>) {
        let Some(unit) = &self.known else { return };
        let prices = [("cost_per_interview", &draft.cost_per_interview), ("cost_note", &draft.cost_note)];
        for (field, price) in prices {
            let Some(price) = price else { continue };
            if unit.currency.as_deref().is_some_and(|currency| currency != price.currency()) {
                let currency = unit.currency.as_deref().unwrap_or_default();
                let reason = format!("is {price}, but business unit {} pays in {currency}", unit.id);
                problems.push(FieldError::new(field, reason));
            }
            if !unit.pricing_models.is_empty() && !unit.pricing_models.contains(&PricingModel::Dynamic) {
                let reason = format!("is {price}, but business unit {} buys by rate card: leave it out", unit.id);
                problems.push(FieldError::new(field, reason));
            }
        }
        if draft.cost_per_interview.is_none() && unit.pricing_models == [PricingModel::Dynamic] {
            let reason = format!("is missing, and business unit {} has no rate card", unit.id);
            problems.push(FieldError::new("cost_per_interview", reason));
        }
    }
}
