//! Neighbouring categories merged, so that every cell can hold a smallest number of people: the fewest merges that do.

use std::fmt;

use crate::apportion::Apportionment;
use crate::axis::Targets;
use crate::error::{SolveError, TableError, check_count};
use crate::joint::Joint;
use crate::shape::Shape;
use crate::slack::{Extent, Give, Ranges};
use crate::table::{Kept, Labelled, Table};

/// Neighbouring categories of an axis that become one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Merge {
    /// The axis.
    pub axis: usize,
    /// The categories, by their places before.
    pub categories: Vec<usize>,
    /// The label of the new category: theirs, with ` + ` between them.
    pub label: String,
}

impl fmt::Display for Merge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

/// What to merge, and the table that results.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The categories that become one; empty if nothing needs to be merged.
    pub merges: Vec<Merge>,
    /// Whether no fewer merges do it. Else they were chosen one by one, because there are too many ways.
    pub proved_fewest: bool,
    /// The table with the categories merged and the smallest cell asked for.
    pub table: Table,
}

/// For each axis, which of its categories are one with the category before.
type Joined = Vec<Vec<bool>>;

impl Table {
    /// Which neighbouring categories to merge so that every cell can hold at least so many: the fewest that do, and of
    /// those the ones with the fewest people. Only the axes named are touched: an axis without an order, such as region,
    /// has neighbours only if its categories are listed so that it makes sense. A
    /// [smallest cell](crate::TableBuilder::smallest_cell) of the table itself does not count.
    ///
    /// ```
    /// use cintx_quota::{Axis, Table};
    ///
    /// let table = Table::builder()
    ///     .total(100)
    ///     .axis(Axis::percentages("age", [("18-34", 40.0), ("35-54", 40.0), ("55-74", 16.0), ("75+", 4.0)]))
    ///     .axis(Axis::percentages("region", [("North", 70.0), ("South", 30.0)]))
    ///     .build()?;
    /// let merged = table.merge_for(5, &["age"])?;
    /// assert_eq!(merged.merges[0].to_string(), "55-74 + 75+");
    /// assert!(merged.table.solve()?.cells().iter().all(|cell| *cell >= 5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SolveError::Infeasible`] with a proof for the table with all of these categories merged if that does not do it
    /// either; [`SolveError::Input`] if there is no axis of a name; else as [`Table::solve`].
    pub fn merge_for(&self, smallest: u64, axes: &[&str]) -> Result<Merged, SolveError> {
        // So many ways are gone through for each number of merges.
        const MAX_MERGES_TRIED: usize = 3_000;
        check_count(smallest, || "the smallest cell".to_owned())?;
        let mut places = Vec::new();
        for name in axes {
            let place = self.axes.iter().position(|axis| axis.name == *name);
            let allowed = || self.axes.iter().map(|axis| axis.name.as_str()).collect::<Vec<_>>().join(", ");
            places.push(place.ok_or_else(|| TableError::NoSuchAxis { name: (*name).to_owned(), allowed: allowed() })?);
        }
        let none: Joined = self.axes.iter().map(|axis| vec![false; axis.labels.len()]).collect();
        let borders: Vec<(usize, usize)> =
            places.iter().flat_map(|axis| (1..self.axes[*axis].labels.len()).map(|at| (*axis, at))).collect();
        let (mut base, mut proved_fewest) = (none, true);
        let mut count = 0;
        loop {
            // All ways to take away so many borders, or the next border after those that were chosen.
            let ways = match proved_fewest {
                true => choices(borders.len(), count, MAX_MERGES_TRIED),
                false => None,
            };
            let mut candidates: Vec<Joined> = match ways {
                Some(ways) => ways
                    .into_iter()
                    .map(|way| way.into_iter().fold(base.clone(), |joined, border| with(joined, borders[border])))
                    .collect(),
                None => {
                    proved_fewest = false;
                    let open = borders.iter().filter(|(axis, at)| !base[*axis][*at]);
                    open.map(|border| with(base.clone(), *border)).collect()
                }
            };
            candidates.sort_by_cached_key(|joined| self.people(joined));
            for joined in &candidates {
                self.start()?;
                let table = self.merged_for(joined, smallest)?;
                match table.exists() {
                    Ok(()) => return Ok(Merged { merges: self.merges(joined), proved_fewest, table }),
                    Err(SolveError::Infeasible(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            count += 1;
            if count > borders.len() {
                let all = borders.iter().fold(base, |joined, border| with(joined, *border));
                let table = self.merged_for(&all, smallest)?;
                return table.exists().and(Err(SolveError::Unresolved { cases: count }));
            }
            if !proved_fewest {
                // The way on whose smallest category is largest: that is what stands in the way.
                let best = candidates.into_iter().max_by_key(|joined| self.smallest_categories(joined));
                base = best.unwrap_or(base);
            }
        }
    }

    /// How many people are in categories that are merged.
    fn people(&self, joined: &Joined) -> u64 {
        let of = |merge: Merge| merge.categories.iter().map(|at| self.counts(merge.axis)[*at]).sum::<u64>();
        self.merges(joined).into_iter().map(of).sum()
    }

    /// The smallest category of each axis as a share, the smallest first.
    fn smallest_categories(&self, joined: &Joined) -> Vec<u64> {
        let least =
            |(axis, joined): (usize, &Vec<bool>)| summed(self.counts(axis), joined).into_iter().min().unwrap_or(0);
        let mut smallest: Vec<u64> = joined.iter().enumerate().map(least).collect();
        smallest.sort_unstable();
        smallest
    }

    fn merges(&self, joined: &Joined) -> Vec<Merge> {
        let mut merges: Vec<Merge> = Vec::new();
        for (axis, joined) in joined.iter().enumerate() {
            for group in groups(joined).into_iter().filter(|group| group.len() > 1) {
                let labels: Vec<&str> = group.iter().map(|at| self.labels(axis)[*at].as_str()).collect();
                merges.push(Merge { axis, label: labels.join(" + "), categories: group });
            }
        }
        merges
    }

    fn merged_for(&self, joined: &Joined, smallest: u64) -> Result<Table, SolveError> {
        let lengths: Vec<usize> = joined.iter().map(|joined| groups(joined).len()).collect();
        let shape = Shape::new(lengths).ok_or(TableError::NoAxes)?;
        let axes = self.axes.iter().zip(joined).map(|(axis, joined)| axis.merged(joined));
        let all: Vec<usize> = (0..joined.len()).collect();
        let size = |over: &[usize]| -> usize { over.iter().map(|axis| shape.lengths()[*axis]).product() };
        let sum = |counts: &[u64], over: &[usize]| -> Vec<u64> {
            let mut sums = vec![0_u64; size(over)];
            for (place, count) in merged_places(joined, over).into_iter().zip(counts) {
                sums[place] = sums[place].saturating_add(*count);
            }
            sums
        };
        let kept = self.kept.iter().map(|margin| Kept {
            axes: margin.axes.clone(),
            counts: sum(&margin.counts, &margin.axes),
            give: margin.give.as_ref().map(|give| {
                give.merged(|ranges| {
                    let (least, most): (Vec<u64>, Vec<u64>) = ranges.iter().copied().unzip();
                    sum(&least, &margin.axes).into_iter().zip(sum(&most, &margin.axes)).collect()
                })
            }),
        });
        let kept: Vec<Kept> = kept.collect();
        let name = |axis: &usize| self.axes[*axis].name.clone();
        let joints = kept.iter().filter(|margin| margin.axes.len() > 1).map(|margin| {
            let joint = Joint::counts(margin.axes.iter().map(name), margin.counts.clone());
            Joint { give: margin.give.clone(), ..joint }
        });
        let seed = self.seed.as_ref().map(|seed| {
            let mut sums = vec![0.0; shape.cells()];
            merged_places(joined, &all).into_iter().zip(seed).for_each(|(place, weight)| sums[place] += weight);
            sums
        });
        // Another smallest cell takes the place of the one that was asked for.
        let least = self.raised.as_ref().map_or(&self.least, |raised| &raised.least);
        let mut table = Table {
            axes: axes.collect(),
            joints: joints.collect(),
            seed,
            least: if least.is_empty() { Vec::new() } else { sum(least, &all) },
            raised: None,
            most: if self.most.is_empty() { Vec::new() } else { sum(&self.most, &all) },
            kept,
            shape: shape.clone(),
            ..self.clone()
        };
        table.raise_least(smallest);
        // A cell that cannot hold so many cannot be helped by a bound.
        if (0..table.least.len()).any(|cell| table.least_of(cell) > table.most_of(cell)) {
            table.most = (0..table.least.len()).map(|cell| table.most_of(cell).max(table.least_of(cell))).collect();
        }
        Ok(table)
    }
}

fn with(mut joined: Joined, (axis, at): (usize, usize)) -> Joined {
    joined[axis][at] = true;
    joined
}

/// For each combination of some axes, its place among the merged ones.
fn merged_places(joined: &Joined, over: &[usize]) -> Vec<usize> {
    over.iter().fold(vec![0], |places, axis| {
        let merged = joined[*axis].iter().scan(0, |next, joined| {
            *next += usize::from(!joined);
            Some(*next - 1)
        });
        let merged: Vec<usize> = merged.collect();
        let length = merged.last().map_or(0, |last| last + 1);
        places.iter().flat_map(|place| merged.iter().map(move |at| place * length + at)).collect()
    })
}

/// The categories that become one, each group in order.
fn groups(joined: &[bool]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (at, is_joined) in joined.iter().enumerate() {
        match groups.last_mut().filter(|_| *is_joined) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
    }
    groups
}

fn summed<T: Copy + std::iter::Sum>(counts: &[T], joined: &[bool]) -> Vec<T> {
    groups(joined).into_iter().map(|group| group.into_iter().filter_map(|at| counts.get(at).copied()).sum()).collect()
}

fn summed_ranges(ranges: &[(u64, u64)], joined: &[bool]) -> Vec<(u64, u64)> {
    let (least, most): (Vec<u64>, Vec<u64>) = ranges.iter().copied().unzip();
    summed(&least, joined).into_iter().zip(summed(&most, joined)).collect()
}

impl Labelled {
    fn merged(&self, joined: &[bool]) -> Self {
        let label =
            |group: Vec<usize>| group.iter().map(|at| self.labels[*at].as_str()).collect::<Vec<_>>().join(" + ");
        Self {
            name: self.name.clone(),
            labels: groups(joined).into_iter().map(label).collect(),
            targets: Apportionment { counts: summed(&self.targets.counts, joined), rounded: Vec::new() },
            asked: match &self.asked {
                Targets::Counts(counts) => Targets::Counts(summed(counts, joined)),
                Targets::Percentages(shares) => Targets::Percentages(summed(shares, joined)),
                Targets::Shares(shares) => Targets::Shares(summed(shares, joined)),
                Targets::Joint => Targets::Joint,
            },
            give: self.give.as_ref().map(|give| give.merged(|ranges| summed_ranges(ranges, joined))),
        }
    }
}

impl Give {
    fn merged(&self, ranges: impl Fn(&[(u64, u64)]) -> Vec<(u64, u64)>) -> Self {
        let extent = match &self.extent {
            Extent::Ranges(own) => Extent::Ranges(Ranges { each: ranges(&own.each), of: own.of }),
            other => other.clone(),
        };
        Self { extent, importance: self.importance }
    }
}

/// All ways to choose so many of some, in order; `None` if there are more than a limit.
fn choices(of: usize, count: usize, limit: usize) -> Option<Vec<Vec<usize>>> {
    let mut ways: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..count {
        let longer = ways.iter().flat_map(|way| {
            let from = way.last().map_or(0, |last| last + 1);
            (from..of).map(move |next| way.iter().copied().chain([next]).collect::<Vec<_>>())
        });
        ways = longer.take(limit + 1).collect();
        if ways.len() > limit {
            return None;
        }
    }
    Some(ways)
}
