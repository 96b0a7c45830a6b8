//! Feasibility: the completes and the price to expect.

use serde::{Deserialize, Serialize};

use crate::types::Money;

/// The API's estimate for a target group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Feasibility {
    /// The fewest completes to expect from the settings.
    pub completes_min: Option<i64>,
    /// The most.
    pub completes_max: Option<i64>,
    /// The price that the API suggests for an interview.
    pub suggested_price: Option<Money>,
}
