//! Exclusion groups: target groups of which a respondent takes part in one.
//! And the periods that activity exclusions look back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The greatest number of target groups in an exclusion group.
pub(crate) const MAX_GROUPS: usize = 100;

/// An exclusion group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ExclusionGroup {
    pub(crate) id: String,
    pub(crate) tag: String,
    pub(crate) description: String,
    pub(crate) groups: BTreeSet<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) changed_at: Timestamp,
}

/// A period of whole days between 1 and 396, weeks told in days; months and
/// years stay as they are. `None` if it is something else.
pub(crate) fn days(period: &str) -> Option<String> {
    let span: jiff::Span = period.parse().ok()?;
    let date_only = span.fieldwise()
        == jiff::Span::new()
            .years(span.get_years())
            .months(span.get_months())
            .weeks(span.get_weeks())
            .days(span.get_days())
            .fieldwise();
    let (years, months) = (i32::from(span.get_years()), span.get_months());
    let days = span.get_days() + 7 * span.get_weeks();
    let total = years * 365 + months * 30 + days;
    if !date_only || !(1..=396).contains(&total) {
        return None;
    }
    let mut text = String::from("P");
    for (number, unit) in [(years, 'Y'), (months, 'M'), (days, 'D')] {
        if number != 0 {
            text.push_str(&format!("{number}{unit}"));
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_told_in_days() {
        assert_eq!(days("P2W").as_deref(), Some("P14D"));
        assert_eq!(days("P90D").as_deref(), Some("P90D"));
        assert_eq!(days("P1M").as_deref(), Some("P1M"));
        assert_eq!(days("P1Y").as_deref(), Some("P1Y"));
        for wrong in ["PT5H", "P397D", "P0D", "", "P1DT1H", "x", "-P3D"] {
            assert_eq!(days(wrong), None, "{wrong}");
        }
    }
}
