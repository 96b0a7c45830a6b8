//! Margins that may give: tolerances, ranges, and how much each margin matters. The targets that are kept in the end are
//! the nearest ones for which there is a table.

use std::fmt;

use crate::apportion::Apportionment;
use crate::axis::Targets;
use crate::budget::Budget;
use crate::error::{SolveError, TableError, check_number};
use crate::lift::Lifted;
use crate::shape::Shape;
use crate::solve::cheapest::cheapest;
use crate::solve::simplex::Anchors;
use crate::solve::stages::{bounds_of, signed};
use crate::solve::transport::{Flow, Weighted};
use crate::table::{Kept, Labelled, Table};

/// How a margin may give.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Give {
    pub(crate) extent: Extent,
    /// What one of its completes is worth against one of another margin.
    pub(crate) importance: f64,
}

/// How far.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Extent {
    /// As far as it must.
    Any,
    /// By so large a part of each target.
    Share(f64),
    /// By so many.
    Count(u64),
    /// Between these counts.
    Ranges(Ranges),
}

/// A least and a most for each category.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ranges {
    pub(crate) each: Vec<(u64, u64)>,
    /// The total that they are parts of: at another one they are in proportion. That of the table until it is built.
    pub(crate) of: Option<u64>,
}

impl Ranges {
    pub(crate) fn of_table(each: impl IntoIterator<Item = (u64, u64)>) -> Self {
        Self { each: each.into_iter().collect(), of: None }
    }

    /// What they are at a total, rounded outwards: what holds for the whole holds for the parts.
    fn at(&self, total: u64) -> Vec<(u64, u64)> {
        match self.of {
            Some(of) if of > 0 && of != total => self.each.iter().map(|range| outwards(*range, total, of)).collect(),
            _ => self.each.clone(),
        }
    }

    /// The same in parts of a total: rounded inwards, unless no counts between them add up to the parts then.
    fn in_parts(&self, parts: u64, total: u64) -> Self {
        let own = self.at(total);
        let inwards = |(least, most): &(u64, u64)| {
            let least = scaled_up(*least, parts, total);
            (least, scaled_down(*most, parts, total).max(least))
        };
        let mut each: Vec<(u64, u64)> = own.iter().map(inwards).collect();
        if !adds_up(&each, parts) {
            each = own.iter().map(|range| outwards(*range, parts, total)).collect();
        }
        Self { each, of: Some(parts) }
    }
}

fn outwards((least, most): (u64, u64), total: u64, of: u64) -> (u64, u64) {
    (scaled_down(least, total, of), scaled_up(most, total, of))
}

/// Whether some counts in the ranges add up to a total.
fn adds_up(ranges: &[(u64, u64)], total: u64) -> bool {
    let sum = |of: fn(&(u64, u64)) -> u64| ranges.iter().map(of).fold(0_u64, u64::saturating_add);
    sum(|range| range.0) <= total && total <= sum(|range| range.1)
}

/// A count in proportion to another total, rounded up.
pub(crate) fn scaled_up(count: u64, total: u64, of: u64) -> u64 {
    let part = (u128::from(count) * u128::from(total)).div_ceil(u128::from(of.max(1)));
    u64::try_from(part).unwrap_or(u64::MAX)
}

/// The same rounded down.
pub(crate) fn scaled_down(count: u64, total: u64, of: u64) -> u64 {
    let part = u128::from(count) * u128::from(total) / u128::from(of.max(1));
    u64::try_from(part).unwrap_or(u64::MAX)
}

impl Give {
    pub(crate) fn any(importance: f64) -> Self {
        Self { extent: Extent::Any, importance }
    }

    /// Between these counts at every total that the table is asked about.
    pub(crate) fn between(each: Vec<(u64, u64)>, importance: f64) -> Self {
        Self { extent: Extent::Ranges(Ranges { each, of: None }), importance }
    }

    /// Ranges are parts of this total from now on, unless they are of another one already.
    pub(crate) fn fix_total(&mut self, total: u64) {
        if let Extent::Ranges(ranges) = &mut self.extent {
            ranges.of.get_or_insert(total);
        }
    }

    pub(crate) fn check(&self, name: &str, expected: usize, total: u64) -> Result<(), TableError> {
        check_number(self.importance, || format!("the importance of {name}"))?;
        match &self.extent {
            Extent::Any | Extent::Count(_) => Ok(()),
            Extent::Share(share) => check_number(*share, || format!("the tolerance of {name}")),
            Extent::Ranges(ranges) if ranges.each.len() != expected => {
                Err(TableError::Length { what: "the ranges of a margin", given: ranges.each.len(), expected })
            }
            Extent::Ranges(ranges) => {
                let margin = || name.to_owned();
                if let Some((least, most)) = ranges.each.iter().find(|(least, most)| least > most) {
                    return Err(TableError::RangeCrosses { margin: margin(), least: *least, most: *most });
                }
                let ranges = ranges.at(total);
                if adds_up(&ranges, total) {
                    return Ok(());
                }
                let (least, most) = ranges.iter().fold((0_u64, 0_u64), |(least, most), range| {
                    (least.saturating_add(range.0), most.saturating_add(range.1))
                });
                Err(TableError::RangesMissTotal { margin: margin(), least, most, total })
            }
        }
    }

    /// The same where the targets of a margin have changed: ranges move with them.
    pub(crate) fn moved(&self, (from, total): (&[u64], u64), (to, new_total): (&[u64], u64)) -> Self {
        let Extent::Ranges(_) = &self.extent else { return self.clone() };
        let ranges = self.ranges(from, total).into_iter().zip(from.iter().zip(to));
        let each = ranges.map(|((least, most), (from, to))| {
            let moved = |bound: u64| bound.saturating_add(*to).saturating_sub(*from);
            (moved(least), moved(most))
        });
        let ranges = Ranges { each: each.collect(), of: Some(new_total) };
        Self { extent: Extent::Ranges(ranges), importance: self.importance }
    }

    /// The same for a table in parts of its total.
    pub(crate) fn in_parts(&self, parts: u64, total: u64) -> Self {
        let extent = match &self.extent {
            Extent::Count(by) => Extent::Count(scaled_down(*by, parts, total)),
            Extent::Ranges(ranges) => Extent::Ranges(ranges.in_parts(parts, total)),
            extent => extent.clone(),
        };
        Self { extent, importance: self.importance }
    }

    /// What each category may hold.
    fn ranges(&self, targets: &[u64], total: u64) -> Vec<(u64, u64)> {
        let around = |target: &u64, share: f64| {
            let part = *target as f64 * share;
            let least = (*target as f64 - part - 1e-9).ceil().max(0.0) as u64;
            (least, ((*target as f64 + part + 1e-9).floor() as u64).min(total.max(*target)))
        };
        match &self.extent {
            Extent::Any => targets.iter().map(|target| (0, total.max(*target))).collect(),
            Extent::Share(share) => targets.iter().map(|target| around(target, *share)).collect(),
            Extent::Count(by) => {
                let around =
                    |target: &u64| (target.saturating_sub(*by), target.saturating_add(*by).min(total.max(*target)));
                targets.iter().map(around).collect()
            }
            Extent::Ranges(ranges) => {
                ranges.at(total).into_iter().map(|(least, most)| (least, most.min(total.max(least)))).collect()
            }
        }
    }

    /// The same as parts of the total, for targets that are: what [`ranges`](Self::ranges) grow by with it, and how far
    /// they may be from that where a target is so far from its part.
    pub(crate) fn in_proportion(&self, shares: &[f64], blur: f64) -> Vec<((f64, f64), f64)> {
        match &self.extent {
            Extent::Any => shares.iter().map(|_| ((0.0, 1.0), 1.0)).collect(),
            Extent::Share(by) => {
                let around = |share: &f64| {
                    ((share * (1.0 - by).max(0.0), (share * (1.0 + by)).min(1.0)), (1.0 + by) * blur + 1.0)
                };
                shares.iter().map(around).collect()
            }
            Extent::Count(by) => shares.iter().map(|share| ((*share, *share), *by as f64 + blur)).collect(),
            Extent::Ranges(ranges) => {
                let of = ranges.of.filter(|of| *of > 0);
                let part = |(least, most): &(u64, u64)| match of {
                    Some(of) => ((*least as f64 / of as f64, (*most as f64 / of as f64).min(1.0)), 1.0),
                    None => ((0.0, 0.0), f64::INFINITY),
                };
                ranges.each.iter().map(part).collect()
            }
        }
    }

    /// The importance as a whole number: to a thousandth, at least that.
    fn cost(&self) -> i64 {
        (self.importance.min(1e6) * 1e3).round().max(1.0) as i64
    }
}

/// A category that keeps another count than its target, because its margin may give and not all targets can be met.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Shift {
    /// The margin, by its place in [`Table::margins`].
    pub margin: usize,
    /// The category, by its place in the margin.
    pub category: usize,
    /// Its label; those of a combination with ` × ` between them.
    pub label: String,
    /// What was asked for.
    pub from: u64,
    /// What is kept.
    pub to: u64,
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} instead of {}", self.label, self.to, self.from)
    }
}

/// How many numbers a search for the nearest targets of three and more margins may touch.
const AT_MOST: u64 = 2_000_000_000;

impl Table {
    pub(crate) fn gives(&self) -> Vec<Option<&Give>> {
        match self.kept.is_empty() {
            true => self.axes.iter().map(|axis| axis.give.as_ref()).collect(),
            false => self.kept.iter().map(|margin| margin.give.as_ref()).collect(),
        }
    }

    pub(crate) fn may_give(&self) -> bool {
        self.gives().iter().any(Option::is_some)
    }

    /// What each category of a margin may hold, by its place in [`margins`](Self::margins): its target and nothing else,
    /// unless the margin may give. Empty if there is no such margin.
    pub fn margin_ranges(&self, margin: usize) -> Vec<(u64, u64)> {
        let targets = self.margin_targets(margin);
        match self.gives().get(margin).copied().flatten() {
            Some(give) => give.ranges(targets, self.total),
            None => targets.iter().map(|target| (*target, *target)).collect(),
        }
    }

    /// The same question with exact margins, for a table some of whose margins may give: each margin is an axis and has
    /// one more category, `(tolerance)`, whose cells hold what each category has less than its most. What a
    /// [`Proof`](crate::Proof) for such a table is about. `None` if no margin may give.
    pub fn as_exact(&self) -> Option<Table> {
        self.may_give().then(|| self.extended().map(|extended| extended.table)).flatten()
    }

    fn extended(&self) -> Option<Extended> {
        let lifted = Lifted::of(self);
        let core = lifted.as_ref().map_or(self, |lifted| &lifted.table);
        let mut ranges: Vec<Vec<(u64, u64)>> =
            (0..self.margins().len()).map(|margin| self.margin_ranges(margin)).collect();
        let mut targets: Vec<Vec<u64>> = (0..ranges.len()).map(|margin| self.margin_targets(margin).to_vec()).collect();
        let mut costs: Vec<i64> = self.gives().iter().map(|give| give.map_or(0, Give::cost)).collect();
        let mut axes: Vec<(String, Vec<String>)> =
            core.axes.iter().map(|axis| (axis.name.clone(), axis.labels.clone())).collect();
        if axes.len() == 1 {
            // The total alone is the other margin.
            axes.push(("total".into(), vec!["all".into()]));
            ranges.push(vec![(self.total, self.total)]);
            targets.push(vec![self.total]);
            costs.push(0);
        }
        let slack: Vec<u64> = ranges
            .iter()
            .map(|ranges| {
                let most = ranges.iter().fold(0_u64, |sum, (_, most)| sum.saturating_add(*most));
                most.checked_sub(self.total)
            })
            .collect::<Option<_>>()?;
        let all: u64 = slack.iter().sum();
        let lengths: Vec<usize> = axes.iter().map(|(_, labels)| labels.len()).collect();
        let shape = Shape::new(lengths.iter().map(|length| length + 1).collect::<Vec<_>>())?;
        let cells = shape.cells();
        let mut table = Table {
            total: self.total.checked_add(all).filter(|total| *total <= Self::MAX_COUNT)?,
            axes: Vec::new(),
            seed: None,
            least: vec![0; cells],
            most: vec![0; cells],
            sweeps: Some(1),
            budget: self.budget.clone(),
            kept: Vec::new(),
            joints: Vec::new(),
            raised: None,
            shape,
        };
        for ((name, mut labels), (ranges, slack)) in axes.into_iter().zip(ranges.iter().zip(&slack)) {
            labels.push("(tolerance)".into());
            let counts = ranges.iter().map(|(_, most)| *most).chain([all - slack]).collect();
            let targets = Apportionment { counts, rounded: Vec::new() };
            table.axes.push(Labelled { name, labels, targets, asked: Targets::Joint, give: None });
        }
        let mut extended = Extended { table, anchor: vec![0; cells], cost: vec![0; cells], places: Vec::new() };
        for cell in 0..core.shape.cells() {
            let mut position = core.shape.position(cell);
            position.resize(lengths.len(), 0);
            let place = extended.table.shape.index(&position)?;
            extended.table.least[place] = core.least_of(cell);
            extended.table.most[place] = core.most_of(cell);
        }
        for (margin, ranges) in ranges.iter().enumerate() {
            let mut places = Vec::new();
            for (category, (least, most)) in ranges.iter().enumerate() {
                let mut position = lengths.clone();
                position[margin] = category;
                let place = extended.table.shape.index(&position)?;
                extended.table.most[place] = most - least;
                extended.anchor[place] = signed(*most) - signed(targets[margin][category]);
                extended.cost[place] = costs[margin];
                places.push(place);
            }
            extended.places.push(places);
        }
        Some(extended)
    }

    /// Whether there is a table, of a table whose margins may give.
    pub(crate) fn exists_within_ranges(&self) -> Result<(), SolveError> {
        match self.keeps_ranges().then(|| self.with_exact(None).exists()) {
            None | Some(Err(SolveError::Infeasible(_))) => self.extended_or_too_large()?.table.exists(),
            Some(answer) => answer,
        }
    }

    /// Whether each target lies in its range.
    fn keeps_ranges(&self) -> bool {
        (0..self.margins().len()).all(|margin| {
            let mut pairs = self.margin_ranges(margin).into_iter().zip(self.margin_targets(margin));
            pairs.all(|((least, most), target)| (least..=most).contains(target))
        })
    }

    fn extended_or_too_large(&self) -> Result<Extended, TableError> {
        let ranges = (0..self.margins().len()).flat_map(|margin| self.margin_ranges(margin));
        let value = || ranges.fold(0_u64, |sum, (_, most)| sum.saturating_add(most));
        let place = || "the tolerances together".to_owned();
        self.extended().ok_or_else(|| TableError::TooLarge { place: place(), value: value(), most: Self::MAX_COUNT })
    }

    /// The table with exact margins, as near to what was asked for as there is one; itself if no margin may give.
    pub(crate) fn settled(&self) -> Result<Table, SolveError> {
        let exact = self.with_exact(None);
        match self.keeps_ranges().then(|| exact.exists()) {
            None => {}
            Some(Err(SolveError::Infeasible(_))) if self.may_give() => {}
            Some(answer) => return answer.map(|()| exact),
        }
        let extended = self.extended_or_too_large()?;
        let cells = extended.nearest()?;
        self.check_budget()?;
        let margins = (0..self.margins().len()).map(|margin| {
            let ranges = self.margin_ranges(margin).into_iter().zip(&extended.places[margin]);
            let kept = |((_, most), place): ((u64, u64), &usize)| {
                most.saturating_sub(u64::try_from(cells[*place]).unwrap_or(0))
            };
            ranges.map(kept).collect()
        });
        Ok(exact.with_exact(Some(margins.collect())))
    }

    /// The same table whose margins do not give, with these targets if there are some.
    fn with_exact(&self, margins: Option<Vec<Vec<u64>>>) -> Table {
        let mut exact = match margins {
            Some(margins) => self.with_margins(margins),
            None => self.clone(),
        };
        exact.axes.iter_mut().for_each(|axis| axis.give = None);
        exact.kept.iter_mut().for_each(|margin| margin.give = None);
        exact
    }

    /// What another table keeps instead of what this one asks for.
    pub(crate) fn shifts_to(&self, other: &Table) -> Vec<Shift> {
        let mut shifts = Vec::new();
        for (margin, axes) in self.margins().into_iter().enumerate() {
            let pairs = self.margin_targets(margin).iter().zip(other.margin_targets(margin)).enumerate();
            let changed: Vec<(usize, (&u64, &u64))> = pairs.filter(|(_, (from, to))| from != to).collect();
            if changed.is_empty() {
                continue;
            }
            let labels = Kept { axes, counts: Vec::new(), give: None }.labels(&self.axes);
            for (category, (from, to)) in changed {
                shifts.push(Shift { margin, category, label: labels[category].clone(), from: *from, to: *to });
            }
        }
        shifts
    }
}

/// A table with its tolerances as cells, what these should hold, and what a complete more or less costs.
struct Extended {
    table: Table,
    anchor: Vec<i64>,
    cost: Vec<i64>,
    /// The cell of each category's tolerance, for each margin.
    places: Vec<Vec<usize>>,
}

impl Extended {
    /// All cells, the tolerances as near to their anchors as possible.
    fn nearest(&self) -> Result<Vec<i64>, SolveError> {
        // Which answer is given when there is none, and that there is one otherwise.
        self.table.exists()?;
        let (least, most) = bounds_of(&self.table).unwrap_or_default();
        if self.table.axes() > 2 {
            let anchors = Anchors { anchor: &self.anchor, cost: &self.cost, opens: &[] };
            return cheapest(&self.table, &anchors, AT_MOST).cells.ok_or(SolveError::Unresolved { cases: 0 });
        }
        let counts = |axis: usize| -> Vec<i64> { self.table.counts(axis).iter().map(|count| signed(*count)).collect() };
        let costs = Weighted { least: &least, most: &most, anchor: &self.anchor, cost: &self.cost };
        let start = (0..least.len()).map(|cell| match self.cost[cell] {
            0 => least[cell],
            _ => self.anchor[cell].clamp(least[cell], most[cell]),
        });
        let (rows, columns) = (counts(0), counts(1));
        let budget: &Budget = &self.table.budget;
        let mut flow = Flow::new(start.collect(), &rows, &columns, vec![0; rows.len() + columns.len()], budget);
        flow.balance(&costs).map_err(|_| SolveError::Unresolved { cases: 0 })?;
        Ok(flow.values)
    }
}
