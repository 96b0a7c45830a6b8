//! Why no table exists, in one step: a weighting of the categories whose targets come to more than the cells can.
//! It is data that anybody can add up, and prints as a sentence.

use std::fmt;

use crate::solve::transport::Stuck;
use crate::table::Table;

/// A proof that no table exists, not even one of fractions.
///
/// Each category of each axis has a weight. A cell's weight is the sum of those of its categories, so the weighted
/// targets and the weighted cells of a table come to the same. Here they cannot:
///
/// `sum of weight × target  >  sum of weight × most (weights above 0) + sum of weight × least (weights below 0)`
///
/// [`Table::confirms`] adds it up again. In most cuts the weights choose categories R of one axis and C of another:
/// 1 in R, 0 outside R, 0 in C, −1 outside C. Then what R has to place and the categories outside C cannot take
/// must lie in the cells R × C, and these cannot hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Cut {
    /// The weight of each category of each axis.
    pub weights: Vec<Vec<i64>>,
    /// The labels of the categories.
    pub labels: Vec<Vec<String>>,
    /// What the cells with a weight above 0 must come to: the weighted targets and `least_outside`.
    pub needs: u128,
    /// What the cells with a weight above 0 may come to at most.
    pub holds: u128,
    /// What the cells with a weight below 0 come to at least, without the sign.
    pub least_outside: u128,
}

/// The least and the greatest of a cell; without a greatest, `None`.
pub(crate) type Bounds = (u64, Option<u64>);

impl Cut {
    /// The cut of these weights; `None` if it does not hold between the bounds.
    pub(crate) fn new(table: &Table, weights: Vec<Vec<i64>>, bounds: impl Fn(usize) -> Bounds) -> Option<Self> {
        let weights = simplest(weights);
        let (mut holds, mut least_outside) = (0_u128, 0_u128);
        for (cell, weight) in cell_weights(table, &weights)?.into_iter().enumerate() {
            let (least, most) = bounds(cell);
            let part = |bound: u64| u128::from(weight.unsigned_abs()).checked_mul(u128::from(bound));
            match weight {
                0 => {}
                1.. => holds = holds.checked_add(part(most?)?)?,
                _ => least_outside = least_outside.checked_add(part(least)?)?,
            }
        }
        let needs = weighted_targets(table, &weights)?.checked_add(i128::try_from(least_outside).ok()?)?;
        let needs = u128::try_from(needs).ok().filter(|needs| *needs > holds)?;
        let labels = (0..table.axes()).map(|axis| table.labels(axis).to_vec()).collect();
        Some(Self { weights, labels, needs, holds, least_outside })
    }

    /// From where a flow got stuck between two axes (`second` is `None` for a table of one axis).
    pub(crate) fn of_flow(table: &Table, (first, second): (usize, Option<usize>), stuck: &Stuck) -> Option<Self> {
        let mut weights: Vec<Vec<i64>> = (0..table.axes()).map(|axis| vec![0; table.labels(axis).len()]).collect();
        weights[first] = stuck.rows.iter().map(|reached| i64::from(*reached)).collect();
        match second {
            Some(axis) => weights[axis] = stuck.columns.iter().map(|reached| -i64::from(*reached)).collect(),
            // A table of one axis has one column: all of it, or none of it.
            None if stuck.columns.contains(&true) => weights[first].iter_mut().for_each(|weight| *weight -= 1),
            None => {}
        }
        Self::new(table, weights, |cell| table_bounds(table, cell))
    }

    /// The chosen categories of each axis that has some outside, if the cut is about the cells that they share.
    fn chosen(&self) -> Option<Vec<Vec<String>>> {
        let axes = self.weights.iter().zip(&self.labels).map(|(weights, labels)| {
            let (low, high) = range(weights);
            let chosen = labels.iter().zip(weights).filter(|(_, weight)| **weight == high);
            let outside = low < high;
            (high - low <= 1).then(|| outside.then(|| chosen.map(|(label, _)| label.clone()).collect()))
        });
        let axes: Vec<Vec<String>> = axes.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
        let all: i64 = self.weights.iter().map(|weights| range(weights).1).sum();
        match axes.is_empty() {
            true => (all == 1).then(|| self.labels.iter().take(1).cloned().collect()),
            false => (all == 1).then_some(axes),
        }
    }

    /// The categories whose cells must hold too much, if the cut is about nothing else.
    fn overfull(&self) -> Option<Vec<String>> {
        let mut axes = self.weights.iter().zip(&self.labels).filter(|(weights, _)| weights.iter().any(|w| *w != 0));
        let (weights, labels) = axes.next()?;
        let only = axes.next().is_none() && weights.iter().all(|weight| (-1..=0).contains(weight));
        let overfull = || labels.iter().zip(weights).filter(|(_, weight)| **weight < 0);
        only.then(|| overfull().map(|(label, _)| label.clone()).collect())
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { needs, holds, least_outside, .. } = self;
        if let Some(overfull) = self.overfull() {
            let (verb, whose) = if overfull.len() == 1 { ("has", "its") } else { ("have", "their") };
            let (overfull, target) = (list(&overfull), least_outside.saturating_sub(*needs));
            return write!(
                f,
                "{overfull} {verb} cells that shall hold at least {least_outside}, {whose} target is {target}"
            );
        }
        if let Some(chosen) = self.chosen() {
            let one = chosen.iter().all(|labels| labels.len() == 1);
            let what: Vec<String> = chosen.iter().map(|labels| list(labels)).collect();
            let verb = if one { "needs" } else { "need" };
            return write!(f, "{} {verb} {needs}, the allowed cells hold at most {holds}", what.join(" × "));
        }
        let signed = |count: &u128| i128::try_from(*count).unwrap_or(i128::MAX);
        let (targets, cells) = (signed(needs) - signed(least_outside), signed(holds) - signed(least_outside));
        let weighed = weighed(&self.weights, &self.labels);
        write!(f, "counting {weighed}, the targets come to {targets} and the cells to at most {cells}")
    }
}

/// A cell's bounds in the table itself.
pub(crate) fn table_bounds(table: &Table, cell: usize) -> Bounds {
    (table.least_of(cell), Some(table.most_of(cell)).filter(|most| *most < u64::MAX))
}

/// The weight of each cell; `None` if the numbers are too large.
pub(crate) fn cell_weights(table: &Table, weights: &[Vec<i64>]) -> Option<Vec<i64>> {
    let mut cells = vec![0_i64; table.shape().cells()];
    for (axis, weights) in weights.iter().enumerate().filter(|(_, weights)| weights.iter().any(|weight| *weight != 0)) {
        for (cell, slice) in cells.iter_mut().zip(table.shape().slices(&[axis])?) {
            *cell = cell.checked_add(*weights.get(slice as usize)?)?;
        }
    }
    Some(cells)
}

/// What the targets come to; `None` if the numbers are too large.
pub(crate) fn weighted_targets(table: &Table, weights: &[Vec<i64>]) -> Option<i128> {
    let pairs = weights.iter().enumerate().flat_map(|(axis, weights)| weights.iter().zip(table.counts(axis)));
    pairs.into_iter().try_fold(0_i128, |sum, (weight, target)| {
        i128::from(*weight).checked_mul(i128::from(*target)).and_then(|part| sum.checked_add(part))
    })
}

fn range(weights: &[i64]) -> (i64, i64) {
    let low = weights.iter().min().copied().unwrap_or(0);
    (low, weights.iter().max().copied().unwrap_or(0))
}

/// The same weights of the cells, said as simply as possible: without a common factor, most of them 0.
fn simplest(mut weights: Vec<Vec<i64>>) -> Vec<Vec<i64>> {
    const MAX_WEIGHT: i64 = 1_000;
    // What one axis loses another may gain: first no category has more than 0.
    let mut all = 0;
    for weights in &mut weights {
        let (_, high) = range(weights);
        all += high;
        weights.iter_mut().for_each(|weight| *weight -= high);
    }
    let factor = weights.iter().flatten().fold(all.unsigned_abs(), |one, other| common(one, other.unsigned_abs()));
    if let Some(factor) = i64::try_from(factor).ok().filter(|factor| *factor > 1) {
        weights.iter_mut().flatten().for_each(|weight| *weight /= factor);
        all /= factor;
    }
    let varies = |weights: &[i64]| range(weights).0 < range(weights).1;
    let varying: Vec<usize> = (0..weights.len()).filter(|axis| varies(&weights[*axis])).collect();
    let mut raise = |axis: Option<usize>, by: i64| {
        axis.and_then(|axis| weights.get_mut(axis)).into_iter().flatten().for_each(|weight| *weight += by);
        let cost = |axis: &usize| weights[*axis].iter().map(|weight| if *weight < 0 { -1 } else { 1 }).sum::<i64>();
        varying.iter().copied().min_by_key(cost).or(Some(0))
    };
    let mut next = raise(None, 0);
    if !(0..=MAX_WEIGHT).contains(&all) {
        raise(next, all);
        return weights;
    }
    for _ in 0..all {
        next = raise(next, 1);
    }
    weights
}

/// The greatest common divisor.
fn common(mut one: u64, mut other: u64) -> u64 {
    while other > 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// Categories with their weights, in words: those with the same weight together.
pub(crate) fn weighed(weights: &[Vec<i64>], labels: &[Vec<String>]) -> String {
    let mut groups: Vec<(i64, Vec<String>)> = Vec::new();
    let pairs = weights.iter().zip(labels).flat_map(|(weights, labels)| weights.iter().zip(labels));
    for (weight, label) in pairs.filter(|(weight, _)| **weight != 0) {
        match groups.iter_mut().find(|(other, _)| other == weight) {
            Some((_, group)) => group.push(label.clone()),
            None => groups.push((*weight, vec![label.clone()])),
        }
    }
    groups.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let times = |weight: i64| match weight {
        1 => "once".to_owned(),
        -1 => "once less".to_owned(),
        2.. => format!("{weight} times"),
        _ => format!("{} times less", weight.unsigned_abs()),
    };
    let said: Vec<String> =
        groups.iter().map(|(weight, group)| format!("{} {}", list(group), times(*weight))).collect();
    said.join(", ")
}

/// Labels as a list in words; long ones are cut short.
fn list(labels: &[String]) -> String {
    const MAX_SHOWN_LABELS: usize = 6;
    match labels {
        [] => String::new(),
        [one] => one.clone(),
        [init @ .., last] if labels.len() <= MAX_SHOWN_LABELS => format!("{} and {last}", init.join(", ")),
        _ => format!("{} and {} more", labels[..MAX_SHOWN_LABELS].join(", "), labels.len() - MAX_SHOWN_LABELS),
    }
}
