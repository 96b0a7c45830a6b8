//! Why no table exists: cells that must hold more than they can.
//! The cut is data that anybody can add up, and prints as a sentence.

use std::fmt;

use crate::solve::transport::Stuck;
use crate::table::Table;

/// Some categories of one axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The axis, from 0.
    pub axis: usize,
    /// The categories, ascending.
    pub categories: Vec<usize>,
    /// Their labels.
    pub labels: Vec<String>,
    /// The labels of all other categories of the axis.
    pub others: Vec<String>,
}

/// A proof that no table exists.
///
/// Take the categories R of the first axis and C of the second (without a second: all). What R has to place
/// and the categories outside C cannot take must lie in the cells R × C:
///
/// `needs = target(R) − target(outside C) + least(cells outside both)`
///
/// and that is more than `holds`, the sum of what these cells may hold at most. Over further axes,
/// a cell's least and most are summed. [`Table::confirms`] adds it up again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The categories R.
    pub first: Side,
    /// The categories C; `None` stands for everything (a table of one axis).
    pub second: Option<Side>,
    /// What the cells R × C must hold at least.
    pub needs: u64,
    /// What they may hold at most.
    pub holds: u64,
    /// The sum of the least of the cells outside both R and C.
    pub least_outside: u64,
    /// The target of the categories outside R, for a cut whose C is empty, or outside C for one whose R is.
    pub target_outside: u64,
}

impl Side {
    fn new(table: &Table, axis: usize, chosen: &[bool]) -> Self {
        let labels = table.labels(axis);
        let pick = |wanted: bool| {
            let pairs = labels.iter().zip(chosen).filter(move |(_, chosen)| **chosen == wanted);
            pairs.map(|(label, _)| label.clone()).collect()
        };
        let categories = (0..chosen.len()).filter(|category| chosen[*category]).collect();
        Self { axis, categories, labels: pick(true), others: pick(false) }
    }
}

impl Cut {
    /// From where a flow got stuck between two axes (`second` is `None` for a table of one axis).
    /// `least` and `most` are the bounds that the flow had, row by row.
    pub(crate) fn new(
        table: &Table,
        (first, second): (usize, Option<usize>),
        stuck: &Stuck,
        least: &[i64],
        most: &[i64],
    ) -> Self {
        let into_columns: Vec<bool> = stuck.columns.iter().map(|reached| !reached).collect();
        let width = into_columns.len();
        let target = |axis: Option<usize>, chosen: &[bool]| -> i128 {
            let counts = axis.map_or(std::slice::from_ref(&table.total), |axis| table.counts(axis));
            counts.iter().zip(chosen).filter(|(_, chosen)| **chosen).map(|(count, _)| i128::from(*count)).sum()
        };
        let (mut holds, mut least_outside) = (0_i128, 0_i128);
        for (cell, (least, most)) in least.iter().zip(most).enumerate() {
            match (stuck.rows[cell / width], into_columns[cell % width]) {
                (true, true) => holds += i128::from(*most),
                (false, false) => least_outside += i128::from(*least),
                _ => {}
            }
        }
        let outside = |chosen: &[bool]| -> Vec<bool> { chosen.iter().map(|chosen| !chosen).collect() };
        let outside_columns = target(second, &stuck.columns);
        let needs = target(Some(first), &stuck.rows) - outside_columns + least_outside;
        let no_row = !stuck.rows.contains(&true);
        let target_outside = if no_row { outside_columns } else { target(Some(first), &outside(&stuck.rows)) };
        let count = |count: i128| u64::try_from(count.max(0)).unwrap_or(u64::MAX);
        // A table of one axis has one column: all of it, or none of it.
        let second = match second {
            Some(axis) => Some(Side::new(table, axis, &into_columns)),
            None if into_columns.contains(&true) => None,
            None => Some(Side::new(table, first, &vec![false; table.labels(first).len()])),
        };
        Self {
            first: Side::new(table, first, &stuck.rows),
            second,
            needs: count(needs),
            holds: count(holds),
            least_outside: count(least_outside),
            target_outside: count(target_outside),
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, second, needs, holds, least_outside, target_outside } = self;
        let minimum = |f: &mut fmt::Formatter<'_>, labels: &[String]| {
            let (verb, whose) = if labels.len() == 1 { ("has", "its") } else { ("have", "their") };
            let labels = list(labels);
            write!(
                f,
                "{labels} {verb} cells that shall hold at least {least_outside}, {whose} target is {target_outside}"
            )
        };
        let (what, one) = match second {
            _ if first.labels.is_empty() => return minimum(f, second.as_ref().map_or(&[], |second| &second.others)),
            Some(second) if second.labels.is_empty() => return minimum(f, &first.others),
            Some(second) if !second.others.is_empty() && first.others.is_empty() => {
                (list(&second.labels), second.labels.len() == 1)
            }
            Some(second) if !second.others.is_empty() => {
                let one = first.labels.len() == 1 && second.labels.len() == 1;
                (format!("{} × {}", list(&first.labels), list(&second.labels)), one)
            }
            _ => (list(&first.labels), first.labels.len() == 1),
        };
        write!(f, "{what} {} {needs}, the allowed cells hold at most {holds}", if one { "needs" } else { "need" })
    }
}

/// Labels as a list in words; long ones are cut short.
fn list(labels: &[String]) -> String {
    const SHOWN: usize = 6;
    match labels {
        [] => String::new(),
        [one] => one.clone(),
        [init @ .., last] if labels.len() <= SHOWN => format!("{} and {last}", init.join(", ")),
        _ => format!("{} and {} more", labels[..SHOWN].join(", "), labels.len() - SHOWN),
    }
}
