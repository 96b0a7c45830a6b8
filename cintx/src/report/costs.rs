//! What respondents cost, by project and target group, summed in each currency by itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ReportRow;
use crate::types::CurrencySums;
use crate::types::ids::{ProjectId, TargetGroupId};

/// What the respondents of a target group cost.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupCost {
    /// The project; `None` where the report does not say it.
    pub project: Option<ProjectId>,
    /// The target group; `None` where the report does not say it.
    pub target_group: Option<TargetGroupId>,
    /// How many rows were added.
    pub rows: u64,
    /// What they cost together.
    pub costs: CurrencySums,
}

/// What respondents cost, by project and target group: from the rows of [`completes`](super::Reports::completes) or
/// [`sample_bought`](super::Reports::sample_bought).
///
/// ```
/// use cintx::report::{CostSummary, ReportRows};
///
/// let file = "project_id,target_group_id,cost,currency\np1,g1,2.73,USD\np1,g2,0.27,USD\np1,g2,1,EUR\np1,g2,,EUR\n";
/// let mut costs = CostSummary::new();
/// for row in ReportRows::read(file.as_bytes())? {
///     costs.add(&row?);
/// }
/// assert_eq!(costs.total().to_string(), "1 EUR, 3.00 USD");
/// assert_eq!(costs.target_groups().nth(1).unwrap().costs.to_string(), "1 EUR, 0.27 USD");
/// assert_eq!(costs.rows_without_cost(), 1);
/// # Ok::<(), cintx::report::ReportError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CostSummary {
    groups: BTreeMap<(Option<ProjectId>, Option<TargetGroupId>), GroupCost>,
    projects: BTreeMap<Option<ProjectId>, CurrencySums>,
    total: CurrencySums,
    without_cost: u64,
}

impl CostSummary {
    /// Of no rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a row. One without an amount, or without its currency, is [counted](Self::rows_without_cost) and not added.
    pub fn add(&mut self, row: &ReportRow) {
        if self.try_add(row).is_none() {
            self.without_cost += 1;
        }
    }

    /// Adds a row to its target group, its project and the total, or to none of them.
    fn try_add(&mut self, row: &ReportRow) -> Option<()> {
        let (&cost, currency) = (row.cost.value()?, row.currency.as_deref()?);
        let (project, target_group) = (row.project.clone(), row.target_group.clone());
        let sum = |sums: Option<&CurrencySums>| sums.map_or(Some(cost), |sums| sums.with(cost, currency));
        let key = (project.clone(), target_group.clone());
        let of_group = sum(self.groups.get(&key).map(|group| &group.costs))?;
        let of_project = sum(self.projects.get(&project))?;
        let of_all = sum(Some(&self.total))?;
        let costs = CurrencySums::default();
        let group =
            self.groups.entry(key).or_insert(GroupCost { project: project.clone(), target_group, rows: 0, costs });
        group.rows += 1;
        group.costs.set(currency, of_group);
        self.projects.entry(project).or_default().set(currency, of_project);
        self.total.set(currency, of_all);
        Some(())
    }

    /// The target groups, by project.
    pub fn target_groups(&self) -> impl ExactSizeIterator<Item = &GroupCost> {
        self.groups.values()
    }

    /// The projects, each with what its respondents cost; `None` for the rows that do not say theirs.
    pub fn projects(&self) -> impl ExactSizeIterator<Item = (Option<&ProjectId>, &CurrencySums)> {
        self.projects.iter().map(|(project, sums)| (project.as_ref(), sums))
    }

    /// What all rows cost together.
    pub fn total(&self) -> &CurrencySums {
        &self.total
    }

    /// How many rows have no amount that could be added.
    pub fn rows_without_cost(&self) -> u64 {
        self.without_cost
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::*;
    use crate::report::ReportCell;

    fn any_row() -> impl Strategy<Value = ReportRow> {
        let amount = (any::<i32>(), 0_u32..10).prop_map(|(units, scale)| Decimal::new(i64::from(units), scale));
        let cost = prop_oneof![
            9 => amount.prop_map(ReportCell::Value),
            1 => Just(ReportCell::Unreadable("cheap".to_owned())),
        ];
        let name = |names: &'static [&'static str]| prop::option::weighted(0.9, prop::sample::select(names));
        (name(&["p1", "p2"]), name(&["g1", "g2", "g3"]), cost, name(&["USD", "EUR"])).prop_map(
            |(project, group, cost, currency)| ReportRow {
                project: project.map(ProjectId::new),
                target_group: group.map(TargetGroupId::new),
                cost,
                currency: currency.map(str::to_owned),
                ..ReportRow::default()
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_money_is_made_or_lost(rows in prop::collection::vec(any_row(), 0..60)) {
            let mut costs = CostSummary::new();
            rows.iter().for_each(|row| costs.add(row));
            let added: u64 = costs.target_groups().map(|group| group.rows).sum();
            prop_assert_eq!(added + costs.rows_without_cost(), rows.len() as u64);
            for currency in ["USD", "EUR"] {
                let of_rows = rows.iter().filter(|row| row.currency.as_deref() == Some(currency));
                let of_rows: Decimal = of_rows.filter_map(|row| row.cost.value()).sum();
                let of_groups: Decimal = costs.target_groups().filter_map(|group| group.costs.get(currency)).sum();
                let of_projects: Decimal = costs.projects().filter_map(|(_, sums)| sums.get(currency)).sum();
                prop_assert_eq!(of_groups, of_rows);
                prop_assert_eq!(of_projects, of_rows);
                prop_assert_eq!(costs.total().get(currency).unwrap_or_default(), of_rows);
            }
        }
    }

    #[test]
    fn a_sum_that_would_be_rounded_is_not_made() {
        let mut sums = CurrencySums::default();
        assert!(sums.add(Decimal::MAX, "USD"));
        assert!(!sums.add(Decimal::new(1, 1), "USD") && !sums.add(Decimal::ONE, "USD"));
        assert_eq!((sums.get("USD"), sums.to_string()), (Some(Decimal::MAX), format!("{} USD", Decimal::MAX)));
    }
}
