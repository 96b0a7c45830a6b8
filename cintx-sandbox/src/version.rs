//! The dated versions, as far as the simulated state has to tell them apart.
//! Shapes come from the documents; this is for meanings that differ.

/// A dated version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Version {
    /// 2024-12-02: money is `amount` and `code`.
    First,
    /// 2025-02-17: the last one with indexed quotas.
    Second,
    /// 2025-12-18 and whatever follows: targets, blended profiles.
    Third,
}

impl Version {
    /// The kind that a date belongs to; later ones count as the newest known.
    pub(crate) fn of(date: &str) -> Self {
        match date {
            d if d < "2025-02-17" => Self::First,
            d if d < "2025-12-18" => Self::Second,
            _ => Self::Third,
        }
    }

    /// Whether quotas refer to conditions by index and goals are called
    /// filling goals.
    pub(crate) fn is_legacy(self) -> bool {
        self < Self::Third
    }

    /// The greatest number of rows in a list of respondents: by the guide of
    /// the older versions, and by the newest document.
    pub(crate) fn max_reconciliation_rows(self) -> usize {
        if self.is_legacy() { 20_000 } else { 100_000 }
    }
}
