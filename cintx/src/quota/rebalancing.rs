//! Re-balancing with what there is to say about it: whose targets it aims at, which cells may open again, what it may
//! cost. What comes out is a plan to approve, or ways out where a quota is overfilled.

use std::collections::HashMap;
use std::time::Duration;

use cintx_quota::{Axis, Budget, SolveError, Table};
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive as _;
use serde::{Deserialize, Serialize};

use super::ways_out::{QuotaChoice, QuotaWaysOut};
use super::{QuotaChange, QuotaPlan, QuotaTable, TableKind};
use crate::audience::solve::{Limits, Scale, axis_name};
use crate::audience::{
    Audience, Conditions, conditions_of, conditions_of_cell, distinct, labels, shares, sorted_conditions,
};
use crate::background::in_background;
use crate::error::{Error, FieldError};

/// A re-balancing that is being put together: [`plan`](Self::plan) it, or look for [ways out](Self::ways_out).
///
/// Without more it keeps the margins that the table has. What [an audience](Self::asked_by) asks for is nearer to what
/// was meant: before 2025-12-18 quotas are whole percents, and a third is not.
///
/// ```
/// # use cintx::audience::{Audience, Question};
/// let gender = Question::choice(43).option("1", 49).option("2", 51);
/// let age = Question::range(42).band(18..=34, "33.33").band(35..=54, "33.33").band(55..=99, "33.34");
/// let audience = Audience::interlock([age, gender.clone()]);
/// // What became of it in whole percents.
/// let age = Question::range(42).band(18..=34, 33).band(35..=54, 33).band(55..=99, 34);
/// let in_field = Audience::interlock([age, gender]).quota_table(500)?;
/// let ages = |table: &cintx::quota::QuotaTable| table.margin(0).iter().filter_map(|it| it.target).collect::<Vec<_>>();
/// assert_eq!(ages(&in_field), [165, 165, 170]);
///
/// let plan = in_field.rebalancing().asked_by(&audience).plan()?;
/// assert_eq!(ages(&in_field.after(&plan)), [167, 166, 167]);
/// # Ok::<(), cintx::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use = "nothing is found before `plan` or `ways_out`"]
pub struct Rebalancing {
    table: QuotaTable,
    asked: Option<Audience>,
    goal: Option<u64>,
    reopened: Vec<Vec<usize>>,
    limits: Limits,
}

/// A table as the solver has it: what is asked for, and what each of its cells is in field.
struct Field {
    table: Table,
    /// For each cell, the cell of the table in field.
    cells: Vec<Option<usize>>,
    targets: Vec<u64>,
    completes: Vec<u64>,
    closed: Vec<bool>,
}

impl QuotaTable {
    /// Starts a re-balancing that says more than [`rebalance_to`](Self::rebalance_to).
    pub fn rebalancing(&self) -> Rebalancing {
        Rebalancing { table: self.clone(), asked: None, goal: None, reopened: Vec::new(), limits: Limits::default() }
    }
}

impl Rebalancing {
    /// Aims at the shares that an audience asks for, and keeps what else it says: joint margins, bounds, a smallest
    /// cell. Only the cells that it excludes stay closed; those that rounding left empty may open again. The audience's
    /// limits of work and time hold where none is given here.
    pub fn asked_by(mut self, audience: &Audience) -> Self {
        self.asked = Some(audience.clone());
        self
    }

    /// Another goal: the margins grow or shrink in their proportions, but not below what is completed.
    pub fn to(mut self, goal: u64) -> Self {
        self.goal = Some(goal);
        self
    }

    /// A cell with a target of 0 (its position, from 0) may get completes again, if the API has a quota for it. Where
    /// an [audience](Self::asked_by) says what is wanted, the cell must not be excluded by it.
    pub fn reopen(mut self, cell: impl Into<Vec<usize>>) -> Self {
        self.reopened.push(cell.into());
        self
    }

    /// At most so much time.
    pub fn time_limit(mut self, time: Duration) -> Self {
        self.limits.time = Some(time);
        self
    }

    /// At most so much work, counted in numbers that are looked at: some hundred million a second, and the same on
    /// every machine.
    pub fn work_limit(mut self, numbers: u64) -> Self {
        self.limits.work = Some(numbers);
        self
    }

    /// The smallest change that meets the margins and goes nowhere below what is completed; of several, the one that
    /// shuts the fewest cells and then distorts the proportions least. With three questions the plan says how far it
    /// may be from that, where it is not proved.
    ///
    /// # Errors
    /// If no change does it: the error says which cells stand in the way, and [`ways_out`](Self::ways_out) what can be
    /// done. If the audience asks for something else than the table is about. If a limit is reached.
    pub fn plan(&self) -> Result<QuotaPlan, Error> {
        self.plan_within(&self.limits().budget())
    }

    /// [`plan`](Self::plan) on a thread for blocking work: in a service that has other things to do. Dropping the
    /// future calls it off.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub async fn plan_in_background(&self) -> Result<QuotaPlan, Error> {
        let own = self.clone();
        in_background(self.limits().budget(), move |budget| own.plan_within(budget))
            .await
            .unwrap_or_else(|| Err(ended()))
    }

    /// What can be done where more has come in for a target than was wanted: each way as a plan to approve, with what
    /// it costs in completes.
    ///
    /// ```
    /// # use cintx::audience::{Audience, Question};
    /// # let age = Question::range(42).band(18..=34, 50).band(35..=99, 50);
    /// # let gender = Question::choice(43).option("1", 50).option("2", 50);
    /// # let mut kept = serde_json::to_value(Audience::interlock([age, gender]).quota_table(100)?).unwrap();
    /// # for (cell, completes) in [35, 25, 10, 10].into_iter().enumerate() {
    /// #     kept["cells"][cell]["completes"] = completes.into();
    /// # }
    /// # let table: cintx::quota::QuotaTable = serde_json::from_value(kept).unwrap();
    /// // 60 of 50 young people came.
    /// assert!(table.rebalance().is_err());
    /// let ways = table.rebalancing().ways_out()?;
    /// assert_eq!(ways.to_string(), "\
    ///     18-34 holds 60 of 50\n\
    ///     raise the total: 119 in all, 19 more than asked for, 39 to come\n\
    ///     let the other categories give way: 100 in all, 0 more than asked for, 20 to come, \
    ///     other categories give up 10\n\
    ///     accept the overfill: 110 in all, 10 more than asked for, 30 to come");
    /// // One of them, once somebody has agreed: quotas.apply(&ways.choices[2].plan).await?
    /// # Ok::<(), cintx::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the audience asks for something else than the table is about, or a limit is reached. A way that does not work
    /// is no error: it is listed with its reason.
    pub fn ways_out(&self) -> Result<QuotaWaysOut, Error> {
        self.ways_within(&self.limits().budget())
    }

    /// [`ways_out`](Self::ways_out) on a thread for blocking work. Dropping the future calls it off.
    ///
    /// # Errors
    /// As [`ways_out`](Self::ways_out).
    pub async fn ways_out_in_background(&self) -> Result<QuotaWaysOut, Error> {
        let own = self.clone();
        in_background(self.limits().budget(), move |budget| own.ways_within(budget))
            .await
            .unwrap_or_else(|| Err(ended()))
    }

    /// Its own limits, and those of the audience where it has none.
    fn limits(&self) -> Limits {
        let asked = self.asked.as_ref().and_then(|audience| audience.interlock.as_ref());
        let asked = asked.map_or_else(Limits::default, |interlock| interlock.limits);
        Limits { work: self.limits.work.or(asked.work), time: self.limits.time.or(asked.time) }
    }

    fn plan_within(&self, budget: &Budget) -> Result<QuotaPlan, Error> {
        let field = self.field(budget)?;
        let Field { table, targets, completes, closed, .. } = &field;
        let plan = table.rebalance(targets, completes, closed).map_err(|error| match error {
            SolveError::Infeasible(proof) => refused("quotas", format!("cannot be re-balanced: {proof}")),
            error => refused("quotas", error.to_string()),
        })?;
        Ok(self.plan_of(&field, &plan, table))
    }

    fn ways_within(&self, budget: &Budget) -> Result<QuotaWaysOut, Error> {
        let field = self.field(budget)?;
        let Field { table, targets, completes, closed, .. } = &field;
        let ways = table.ways_out(targets, completes, closed).map_err(|error| refused("quotas", error.to_string()))?;
        let choices = ways.choices.iter().map(|choice| QuotaChoice {
            way: choice.way,
            plan: self.plan_of(&field, &choice.plan, &choice.table),
            additional: choice.additional,
            to_come: choice.to_come,
            given_up: choice.given_up,
        });
        Ok(QuotaWaysOut {
            choices: choices.collect(),
            impossible: ways.impossible.iter().map(|(way, reason)| (*way, reason.to_string())).collect(),
            overfilled: ways.overfilled,
        })
    }

    fn plan_of(&self, field: &Field, plan: &cintx_quota::Plan, table: &Table) -> QuotaPlan {
        // An audience is about the whole goal, also where some of its targets have no quota; without one that is not
        // known.
        let has_all = self.table.kind == TableKind::Interlock || self.table.cells.iter().all(|it| it.target.is_some());
        let goal = self.goal.filter(|_| self.asked.is_some() || has_all);
        let total = table.total();
        let goal = goal.map(|goal| goal.saturating_add(total).saturating_sub(field.table.total()));
        let mut changes: Vec<(usize, QuotaChange)> = plan
            .changes
            .iter()
            .filter_map(|change| {
                let at = field.cells.get(field.table.shape().index(&change.position)?).copied().flatten()?;
                let quota = self.table.cells.get(at)?;
                let change = QuotaChange {
                    quota: quota.id.clone(),
                    label: self.table.label(&self.table.position(at)),
                    from: change.from,
                    to: change.to,
                    completes: quota.completes,
                };
                Some((at, change))
            })
            .collect();
        changes.sort_by_key(|(at, _)| *at);
        QuotaPlan {
            profile: self.table.profile.clone(),
            changes: changes.into_iter().map(|(_, change)| change).collect(),
            total,
            goal,
            moved: plan.moved,
            proved_smallest: plan.proved_smallest,
            least_moved: plan.at_least,
            shut: plan.shut,
            least_shut: plan.least_shut,
            distortion_gap: plan.distortion_gap().and_then(rounded_up),
        }
    }

    fn field(&self, budget: &Budget) -> Result<Field, Error> {
        let goal = self.goal.unwrap_or_else(|| self.table.total());
        let (table, cells) = match &self.asked {
            None => self.as_it_is(goal)?,
            Some(audience) => self.as_asked(audience, goal, budget)?,
        };
        let table = table.within(budget);
        let in_field = self.table.in_field();
        let reopened = self.reopened(&table, &cells)?;
        let mut least = Vec::new();
        let mut field = Field { cells, targets: Vec::new(), completes: Vec::new(), closed: Vec::new(), table };
        for (number, at) in field.cells.iter().enumerate() {
            let quota = at.and_then(|at| self.table.cells.get(at)).cloned().unwrap_or_default();
            let target = quota.target.unwrap_or(0);
            let is_excluded = field.table.most(field.table.shape().position(number)) == Some(0);
            // What the API has no quota for cannot be given a goal.
            let has_quota = at.is_some() && (quota.id.is_some() || !in_field);
            let may_open = match &self.asked {
                Some(_) => has_quota && !is_excluded,
                None => at.is_some_and(|at| reopened.contains(&at)),
            };
            let is_open = target > 0 || may_open;
            field.targets.push(target);
            // The API takes no goal below 1.
            least.push(u64::from(target > 0));
            field.completes.push(quota.completes);
            field.closed.push(!is_open);
        }
        field.table = field.table.with_least(&least).map_err(|error| refused("quotas", error.to_string()))?;
        Ok(field)
    }

    /// The cells that may open again, each of which can.
    fn reopened(&self, table: &Table, cells: &[Option<usize>]) -> Result<Vec<usize>, Error> {
        let in_field = self.table.in_field();
        let mut reopened = Vec::new();
        for cell in &self.reopened {
            let missing = || refused("quotas", format!("have no cell {cell:?}"));
            let at = self.table.index(cell).ok_or_else(missing)?;
            let label = self.table.label(cell);
            if in_field && self.table.cells[at].id.is_none() {
                return Err(refused("quotas", format!("have none for {label}, which cannot be opened again")));
            }
            let place = cells.iter().position(|own| *own == Some(at)).map(|place| table.shape().position(place));
            if place.and_then(|place| table.most(place)).is_none_or(|most| most == 0) {
                return Err(refused("audience", format!("excludes {label}, which was to be opened again")));
            }
            reopened.push(at);
        }
        Ok(reopened)
    }

    /// The margins that the table has, in their proportions.
    fn as_it_is(&self, goal: u64) -> Result<(Table, Vec<Option<usize>>), Error> {
        let mut builder = Table::builder().total(goal);
        for (number, axis) in self.table.axes.iter().enumerate() {
            let margin = self.table.margin(number).into_iter().map(|sum| sum.target.unwrap_or(0) as f64);
            let name = axis.question.map_or_else(|| self.table.name.clone(), |_| axis.title());
            builder = builder.axis(Axis::shares(name, distinct(axis.labels.clone()).into_iter().zip(margin)));
        }
        let table = builder.build().map_err(|error| refused("quotas", error.to_string()))?;
        Ok((table, (0..self.table.cells.len()).map(Some).collect()))
    }

    /// What the audience asks for, and the cell in field of each of its cells.
    fn as_asked(&self, audience: &Audience, goal: u64, budget: &Budget) -> Result<(Table, Vec<Option<usize>>), Error> {
        let mut places: HashMap<Conditions, usize> = HashMap::new();
        for (at, _) in self.table.cells.iter().enumerate() {
            places.insert(conditions_of_cell(&self.table, &self.table.position(at)), at);
        }
        let other = || {
            let name = &self.table.name;
            refused("audience", format!("asks for other people than the profile {name:?} is about"))
        };
        let (table, conditions) = match (self.table.kind, &audience.interlock) {
            (TableKind::Interlock, Some(interlock)) => {
                let named: Vec<(String, Vec<String>)> =
                    interlock.questions().iter().map(|question| self.labels_in_table(question)).collect();
                let table = interlock.table(Scale::completes(goal), Some(&named), budget);
                let table = table.map_err(|error| refused("audience", error.to_string()))?;
                let cells = (0..interlock.cells()).map(|at| interlock.conditions_at(at));
                (table, cells.collect::<Vec<_>>())
            }
            (TableKind::Regular, _) => {
                let own = |question: &&crate::audience::Question| {
                    self.table.axes.first().is_some_and(|axis| axis.question == Some(question.id()))
                };
                let question = audience.questions.iter().find(own).ok_or_else(other)?;
                // What is left to targets without a quota is nobody's here.
                let counted = match self.goal {
                    Some(goal) => question.counts(goal, goal).into_iter().flatten().sum(),
                    None => goal,
                };
                let (name, labels) = self.labels_in_table(question);
                let axis = Axis::shares(name, labels.into_iter().zip(shares(question)));
                let table = Table::builder().total(counted).axis(axis).build();
                let table = table.map_err(|error| refused("audience", error.to_string()))?;
                (table, (0..question.targets().len()).map(|at| conditions_of(question, at)).collect())
            }
            _ => return Err(other()),
        };
        let cells: Vec<Option<usize>> = conditions.into_iter().map(|it| places.remove(&it)).collect();
        // A cell that nobody asks about, and nobody is wanted in, may be there all the same.
        let counts = |at: &usize| self.table.cells.get(*at).is_some_and(|quota| quota.target.is_some_and(|it| it > 0));
        if places.values().any(counts) || cells.iter().all(Option::is_none) {
            return Err(other());
        }
        Ok((table, cells))
    }

    /// A question of the audience under the names that the table has for it.
    fn labels_in_table(&self, question: &crate::audience::Question) -> (String, Vec<String>) {
        let axis = self.table.axes.iter().find(|axis| axis.question == Some(question.id()));
        let own = labels(question);
        let label = |(at, own): (usize, String)| {
            let wanted = conditions_of(question, at);
            let place =
                axis.and_then(|axis| axis.conditions.iter().position(|it| sorted_conditions(it.clone()) == wanted));
            place.and_then(|place| axis?.labels.get(place).cloned()).unwrap_or(own)
        };
        let labels: Vec<String> = own.into_iter().enumerate().map(label).collect();
        (axis.map_or_else(|| axis_name(question.id()), super::QuotaAxis::title), distinct(labels))
    }
}

fn refused(what: &'static str, reason: impl Into<String>) -> Error {
    Error::invalid(vec![FieldError::new(what, reason)])
}

fn ended() -> Error {
    refused("quotas", "were not re-balanced: the runtime shut down")
}

/// A share to a hundredth of a percent, never below what it is.
fn rounded_up(share: f64) -> Option<Decimal> {
    Decimal::from_f64((share * 1e4 - 1e-6).ceil() / 1e4).map(|share| share.round_dp(4).normalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::Question;

    fn audience(young: u32) -> Audience {
        let age = Question::range(42).band(18..=34, young).band(35..=99, 100 - young);
        Audience::interlock([age, Question::choice(43).option("1", 40).option("2", 60)])
    }

    fn in_field(counts: [(u64, u64); 4]) -> QuotaTable {
        let mut table = audience(50).quota_table(100).unwrap();
        for (at, (quota, (target, completes))) in table.cells.iter_mut().zip(counts).enumerate() {
            (quota.id, quota.target, quota.completes) = (Some(format!("q{at}")), Some(target), completes);
        }
        table
    }

    fn targets(table: &QuotaTable, plan: &QuotaPlan) -> Vec<u64> {
        table.after(plan).cells().filter_map(|(_, quota)| quota.target).collect()
    }

    #[test]
    fn a_closed_cell_opens_only_when_somebody_says_so() {
        // Ten too many in the second cell can only be made up for in the third, which has no target.
        let table = in_field([(40, 30), (10, 20), (0, 0), (50, 10)]);
        assert!(table.rebalance().is_err());
        let plan = table.rebalancing().reopen([1, 0]).plan().unwrap();
        assert_eq!(targets(&table, &plan), [30, 20, 10, 40], "{plan}");
        assert_eq!(table.rebalancing().asked_by(&audience(50)).plan().unwrap(), plan);
        let excluded = crate::audience::Interlock::of(match audience(50).interlock.unwrap().questions.as_slice() {
            [age, gender] => [age.clone(), gender.clone()],
            other => panic!("{other:?}"),
        });
        let excluded = Audience::interlock(excluded.exclude([1, 0]));
        assert!(table.rebalancing().asked_by(&excluded).plan().is_err(), "what was excluded stays so");
        let error = table.rebalancing().asked_by(&excluded).reopen([1, 0]).plan().unwrap_err();
        assert!(error.to_string().contains("excludes 35-99 × option 1"), "{error}");
        for start in [table.rebalancing(), table.rebalancing().asked_by(&audience(50))] {
            let error = start.reopen([2, 0]).plan().unwrap_err();
            assert!(error.to_string().contains("no cell [2, 0]"), "{error}");
        }
    }

    /// What the API has no quota for cannot be given a goal: `Quotas::apply` would refuse the plan.
    #[test]
    fn a_cell_without_a_quota_is_not_opened() {
        let mut table = in_field([(40, 30), (10, 20), (0, 0), (50, 10)]);
        table.cells[2].id = None;
        for start in [table.rebalancing(), table.rebalancing().asked_by(&audience(50))] {
            let error = start.reopen([1, 0]).plan().unwrap_err();
            assert!(error.to_string().contains("have none for 35-99 × option 1"), "{error}");
        }
    }

    #[test]
    fn nobody_who_came_overfills_nothing() {
        let question = Question::choice(1).option("a", 50).option("b", 49).option("c", 1);
        let mut table = in_field([(0, 0); 4]);
        table.kind = TableKind::Regular;
        table.axes = crate::audience::planned_table(&[question], &[50, 49, 1], Vec::new()).axes;
        table.cells.truncate(3);
        table.cells.iter_mut().zip([50, 49, 1]).for_each(|(quota, target)| quota.target = Some(target));
        let ways = table.rebalancing().to(10).ways_out().unwrap();
        assert_eq!(ways.overfilled, []);
        assert!(!ways.choices.is_empty() && !ways.to_string().contains("holds"), "{ways}");
    }

    /// The API takes no goal below 1, and a quota that nobody is in is no complete.
    #[test]
    fn what_is_to_come_is_what_is_not_completed() {
        let table = in_field([(25, 35), (25, 25), (25, 0), (25, 0)]);
        for ways in [table.rebalancing().ways_out(), table.rebalancing().asked_by(&audience(50)).ways_out()] {
            for choice in ways.unwrap().choices {
                assert_eq!(choice.to_come, choice.plan.total - 60, "{choice}");
            }
        }
        let table = in_field([(45, 45), (5, 0), (5, 5), (45, 0)]);
        let plan = table.rebalancing().to(99).plan().unwrap();
        assert!(targets(&table, &plan).iter().all(|target| *target > 0), "{plan}");
    }

    #[tokio::test]
    async fn limits_are_kept_on_any_thread() {
        let table = in_field([(20, 20), (30, 5), (20, 0), (30, 0)]);
        let free = table.rebalancing().to(150).plan().unwrap();
        assert_eq!(table.rebalancing().to(150).plan_in_background().await.unwrap(), free);
        let limited = table.rebalancing().to(150).work_limit(0);
        for stopped in [limited.plan(), limited.plan_in_background().await] {
            assert!(stopped.unwrap_err().to_string().contains("the limit of work was reached"));
        }
        assert!(limited.ways_out_in_background().await.is_err());
        let late = table.rebalancing().to(150).time_limit(Duration::ZERO).plan().unwrap_err();
        assert!(late.to_string().contains("the time was over"), "{late}");
    }
}
