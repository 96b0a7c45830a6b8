//! The quotas of an audience: profiles as lists of cells, so that audiences of different forms can be compared.

use std::collections::BTreeMap;

use super::solve::Scale;
use super::{Audience, Condition, Interlock, Question, Target};
use crate::quota::{Goals, QuotaTable, TableKind, position_of};

/// What the numbers of a shape are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[doc(hidden)]
pub enum Unit {
    /// Completes.
    Completes,
    /// Whole percent of the goal.
    Percent,
}

/// Conditions of a cell with their questions, sorted.
pub(crate) type Conditions = Vec<(i64, Condition)>;

/// A cell with its quota, if it has one.
pub(crate) type Cell = (Conditions, Option<u64>);

/// One profile: its cells, each with its quota if it has one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Profile {
    kind: TableKind,
    cells: BTreeMap<Conditions, Option<u64>>,
}

impl Profile {
    fn new(kind: TableKind, cells: impl IntoIterator<Item = Cell>) -> Self {
        // A cell that nobody is wanted in need not be mentioned.
        let nobody = (kind == TableKind::Interlock).then_some(0);
        let cells = cells.into_iter().map(|(it, quota)| (sorted(it), quota.or(nobody)));
        Self { kind, cells: cells.collect() }
    }

    fn asks_for_the_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.cells.keys().eq(other.cells.keys())
    }
}

pub(crate) fn sorted(mut conditions: Conditions) -> Conditions {
    for (_, condition) in &mut conditions {
        if let Condition::Values(values) = condition {
            values.sort();
        }
    }
    conditions.sort();
    conditions
}

/// The profiles of an audience, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(hidden)]
pub struct Shape(Vec<Profile>);

/// What an audience in field needs to become another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// Nothing.
    None,
    /// The same people in other numbers.
    Goals(Vec<Goals>),
    /// Other profiles.
    Profiles,
    /// What is there does not say what it consists of.
    Unreadable,
}

impl Shape {
    /// Profiles as they were read: of what kind they are, and their cells.
    pub(crate) fn of(profiles: impl IntoIterator<Item = (TableKind, Vec<Cell>)>) -> Self {
        let profiles = profiles.into_iter().map(|(kind, cells)| Profile::new(kind, cells));
        let mut profiles: Vec<Profile> = profiles.collect();
        profiles.sort();
        Self(profiles)
    }

    pub(crate) fn of_tables(tables: &[QuotaTable]) -> Self {
        Self::of(tables.iter().map(|table| (table.kind, cells(table))))
    }

    /// Whether each cell says what it consists of.
    pub(crate) fn is_readable(&self) -> bool {
        self.0.iter().flat_map(|profile| profile.cells.keys()).all(|conditions| !conditions.is_empty())
    }

    /// The profiles: of what kind each is, and its cells.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = (TableKind, Vec<Cell>)> {
        self.0
            .iter()
            .map(|profile| (profile.kind, profile.cells.iter().map(|(it, quota)| (it.clone(), *quota)).collect()))
    }

    /// Whether it has all the profiles of another.
    pub(crate) fn has_all_of(&self, other: &Self) -> bool {
        other.0.iter().all(|profile| self.0.contains(profile))
    }

    /// Hand-made quotas are not listed in field.
    fn without_control(mut self) -> Self {
        self.0.retain(|profile| profile.kind != TableKind::Control);
        self
    }

    /// Whether these completes are what the API makes of these parts of the goal, whichever way it rounds.
    fn is_rounded_from(&self, percent: &Self, Scale { total: parts, goal }: Scale) -> bool {
        let near = |(count, percent): (&Option<u64>, &Option<u64>)| match (count, percent) {
            (Some(count), Some(percent)) => (count * parts).abs_diff(percent * goal) <= parts,
            (count, percent) => count == percent,
        };
        self.0.len() == percent.0.len()
            && self.0.iter().zip(&percent.0).all(|(one, other)| {
                one.asks_for_the_same(other) && one.cells.values().zip(other.cells.values()).all(near)
            })
    }
}

pub(crate) fn cells(table: &QuotaTable) -> Vec<Cell> {
    table.cells().map(|(at, quota)| (of_cell(table, &at), quota.target.filter(|_| table.enabled))).collect()
}

fn profile(table: &QuotaTable) -> Profile {
    Profile::new(table.kind, cells(table))
}

impl Audience {
    /// What it comes to for a goal.
    ///
    /// # Errors
    /// If no table meets the targets of what is interlocked.
    pub(crate) fn shape(&self, goal: u32, unit: Unit) -> Result<Shape, String> {
        self.shape_at(Scale::of(unit, goal.into()))
    }

    /// What a draft of it comes to, in what a version writes drafts in.
    ///
    /// # Errors
    /// As with [`shape`](Self::shape).
    pub(crate) fn draft_shape(&self, goal: u32, drafts: Unit) -> Result<Shape, String> {
        self.shape_at(self.scale(Some(goal), drafts))
    }

    fn shape_at(&self, scale: Scale) -> Result<Shape, String> {
        let mut profiles: Vec<Profile> = self.questions.iter().map(|question| regular(question, scale)).collect();
        if let Some(interlock) = &self.interlock {
            profiles.push(crossed(interlock, scale)?);
        }
        if let Some(control) = &self.control {
            let part = |completes: u32| scale.at_most(completes.into());
            let cells = control.targets.iter().map(|it| (it.conditions.clone(), Some(part(it.completes))));
            profiles.push(Profile::new(TableKind::Control, cells));
        }
        profiles.sort();
        Ok(Shape(profiles))
    }

    /// What tables in field need to become this audience. `drafts` says how the version writes drafts: what was
    /// launched from percentages has the API's own rounding, which is as good as ours.
    ///
    /// # Errors
    /// As with [`shape`](Self::shape).
    pub(crate) fn difference(&self, tables: &[QuotaTable], goal: u32, drafts: Unit) -> Result<Difference, String> {
        let is = Shape::of_tables(tables).without_control();
        let desired = self.shape(goal, Unit::Completes)?.without_control();
        if is == desired {
            return Ok(Difference::None);
        }
        if !is.is_readable() {
            return Ok(Difference::Unreadable);
        }
        let scale = self.scale(Some(goal), drafts);
        if scale != Scale::completes(goal.into()) && is.is_rounded_from(&self.shape_at(scale)?.without_control(), scale)
        {
            return Ok(Difference::None);
        }
        Ok(goals(tables, &desired).map_or(Difference::Profiles, Difference::Goals))
    }
}

impl Audience {
    /// A quota that would want less than there is already: what it is called, its new goal, and its completes.
    pub(crate) fn overfilled(&self, tables: &[QuotaTable], goal: u32) -> Option<(String, u64, u64)> {
        let desired = self.shape(goal, Unit::Completes).ok()?;
        tables.iter().find_map(|table| {
            let is = profile(table);
            let wanted = desired.0.iter().find(|wanted| wanted.asks_for_the_same(&is))?;
            table.cells().find_map(|(position, quota)| {
                let goal = (*wanted.cells.get(&of_cell(table, &position))?)?;
                (goal < quota.completes).then(|| (table.label(&position), goal, quota.completes))
            })
        })
    }
}

/// The goals to be set, if that is all that is different.
fn goals(tables: &[QuotaTable], desired: &Shape) -> Option<Vec<Goals>> {
    if tables.len() != desired.0.len() {
        return None;
    }
    let mut goals = Vec::new();
    for table in tables {
        let is = profile(table);
        let wanted = desired.0.iter().find(|wanted| wanted.asks_for_the_same(&is))?;
        let mut changed = Vec::new();
        for (position, quota) in table.cells() {
            let goal = (*wanted.cells.get(&of_cell(table, &position))?)?;
            if !table.enabled || quota.target.is_none() && goal > 0 {
                return None;
            }
            if quota.target.unwrap_or(0) != goal {
                // The API takes no goal below 1.
                changed.push((quota.id.clone().filter(|_| goal > 0)?, goal));
            }
        }
        if !changed.is_empty() {
            goals.push((table.profile.clone()?, changed));
        }
    }
    Some(goals)
}

/// What a cell of a table consists of, sorted.
pub(crate) fn of_cell(table: &QuotaTable, position: &[usize]) -> Conditions {
    let of = |(axis, at): (&crate::quota::QuotaAxis, &usize)| axis.conditions.get(*at).cloned().unwrap_or_default();
    sorted(table.axes.iter().zip(position).flat_map(of).collect())
}

/// What a target of a question consists of, sorted.
pub(crate) fn conditions(question: &Question, at: usize) -> Conditions {
    let target = question.targets().get(at);
    sorted(target.into_iter().flat_map(|target| target.conditions()).map(|it| (question.id(), it.clone())).collect())
}

impl Interlock {
    /// The targets that a cell consists of, each with its question.
    pub(crate) fn targets_at(&self, index: usize) -> impl Iterator<Item = (&Question, &Target)> {
        let position = position_of(index, self.questions().iter().map(|question| question.targets().len()));
        self.questions().iter().zip(position).filter_map(|(question, at)| Some((question, question.targets().get(at)?)))
    }

    /// What a cell consists of, sorted.
    pub(crate) fn conditions_at(&self, index: usize) -> Conditions {
        let of = |(question, target): (&Question, &Target)| -> Conditions {
            target.conditions().iter().map(|it| (question.id(), it.clone())).collect()
        };
        sorted(self.targets_at(index).flat_map(of).collect())
    }
}

fn regular(question: &Question, scale: Scale) -> Profile {
    let counts = question.counts(scale.total, scale.goal).into_iter().enumerate();
    Profile::new(TableKind::Regular, counts.map(|(at, count)| (conditions(question, at), count)))
}

fn crossed(interlock: &Interlock, scale: Scale) -> Result<Profile, String> {
    let counts = interlock.cells_at(scale)?;
    let cells = counts.into_iter().enumerate().map(|(at, count)| (interlock.conditions_at(at), Some(count)));
    Ok(Profile::new(TableKind::Interlock, cells))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Quota;

    fn audience(young: u32, men: u32) -> Audience {
        Audience::interlock([
            Question::range(42).band(18..=34, young).band(35..=99, 100 - young),
            Question::choice(43).option("1", men).option("2", 100 - men),
        ])
        .and_question(Question::choice(47).option("1", 30).options("others", ["3", "2"], 70))
    }

    /// What the API would list of it.
    fn tables(audience: &Audience, goal: u32) -> Vec<QuotaTable> {
        let mut tables = Vec::new();
        for (number, profile) in audience.shape(goal, Unit::Completes).unwrap().0.into_iter().enumerate() {
            let ids = (0..).map(|id| Some(format!("{number}-{id}")));
            tables.push(QuotaTable {
                profile: Some(number.to_string()),
                name: String::new(),
                kind: profile.kind,
                enabled: true,
                axes: vec![crate::quota::QuotaAxis {
                    question: None,
                    name: None,
                    labels: profile.cells.keys().map(|it| format!("{it:?}")).collect(),
                    conditions: profile.cells.keys().rev().cloned().collect(),
                }],
                cells: profile
                    .cells
                    .values()
                    .rev()
                    .zip(ids)
                    .map(|(target, id)| Quota { id, target: *target, ..Quota::default() })
                    .collect(),
                warnings: Vec::new(),
            });
        }
        tables.reverse();
        tables
    }

    #[test]
    fn an_audience_is_the_same_in_any_order_and_a_number_is_not() {
        let there = tables(&audience(40, 49), 500);
        assert_eq!(audience(40, 49).difference(&there, 500, Unit::Completes), Ok(Difference::None));
        for (other, goal) in [(audience(41, 49), 500), (audience(40, 49), 501)] {
            let Ok(Difference::Goals(goals)) = other.difference(&there, goal, Unit::Completes) else { panic!("goals") };
            assert!(goals.iter().all(|(_, changed)| !changed.is_empty()));
        }
        let independent = Audience::independent([Question::choice(47).option("1", 30).option("2", 70)]);
        assert_eq!(independent.difference(&there, 500, Unit::Completes), Ok(Difference::Profiles));
        assert_eq!(audience(100, 49).difference(&there, 500, Unit::Completes), Ok(Difference::Profiles), "goals of 0");
    }

    #[test]
    fn what_the_api_rounds_from_percentages_is_the_same() {
        // 19.6 percent of a cell are 20 in whole percent: 100 instead of 98 completes.
        let audience = audience(40, 49);
        let mut there = tables(&audience, 500);
        let percent = audience.shape(500, Unit::Percent).unwrap();
        let as_percent = |conditions: &Conditions| {
            percent.0.iter().find_map(|profile| profile.cells.get(conditions).copied().flatten()).unwrap()
        };
        for table in &mut there {
            let goals: Vec<_> = table.cells().map(|(at, _)| as_percent(&of_cell(table, &at)) * 5).collect();
            for (quota, goal) in table.cells.iter_mut().zip(goals) {
                quota.target = Some(goal);
            }
        }
        assert_eq!(audience.difference(&there, 500, Unit::Percent), Ok(Difference::None));
        assert!(matches!(audience.difference(&there, 500, Unit::Completes), Ok(Difference::Goals(_))));
        assert!(matches!(audience.difference(&there, 600, Unit::Percent), Ok(Difference::Goals(_))));
    }

    #[test]
    fn cells_that_say_nothing_are_not_compared() {
        let mut there = tables(&audience(40, 49), 500);
        there[0].axes[0].conditions[0].clear();
        assert_eq!(audience(40, 49).difference(&there, 500, Unit::Completes), Ok(Difference::Unreadable));
    }
}
