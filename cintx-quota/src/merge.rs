//! Neighbouring categories merged, so that every cell can hold a smallest number of people: the fewest merges that do.

use std::cmp::Reverse;
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
    /// Whether no fewer merges do it. Else they were chosen one by one, because there are too many ways: each so that
    /// the categories miss as few people as possible.
    pub proved_fewest: bool,
    /// The table with the categories merged and the smallest cell asked for.
    pub table: Table,
}

/// So many ways are gone through for each number of merges.
const MAX_MERGES_TRIED: usize = 3_000;

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
        check_count(smallest, || "the smallest cell".to_owned())?;
        let mut places = Vec::new();
        for name in axes {
            let place = self.axes.iter().position(|axis| axis.name == *name);
            let allowed = || self.axes.iter().map(|axis| axis.name.as_str()).collect::<Vec<_>>().join(", ");
            places.push(place.ok_or_else(|| TableError::NoSuchAxis { name: (*name).to_owned(), allowed: allowed() })?);
        }
        let none: Joined = self.axes.iter().map(|axis| vec![false; axis.labels.len()]).collect();
        let mut borders: Vec<(usize, usize)> =
            places.iter().flat_map(|axis| (1..self.axes[*axis].labels.len()).map(|at| (*axis, at))).collect();
        borders.sort_unstable();
        borders.dedup();
        // With all borders taken away there is one way left, so that one of the loops always comes to an end.
        for count in 0..=borders.len() {
            let Some(ways) = choices(borders.len(), count, MAX_MERGES_TRIED) else {
                return self.merged_one_by_one(smallest, none, &borders, count);
            };
            let way = |way: Vec<usize>| way.into_iter().fold(none.clone(), |joined, at| with(joined, borders[at]));
            let mut ways: Vec<Joined> = ways.into_iter().map(way).collect();
            if let Some(found) = self.first_that_works(smallest, &mut ways, true)? {
                return Ok(found);
            }
        }
        self.all_merged(smallest, none, &borders)
    }

    /// The next border after those that were chosen, again and again: where there are too many ways. Fewer merges than
    /// `ruled_out` do not do it.
    fn merged_one_by_one(
        &self,
        smallest: u64,
        none: Joined,
        borders: &[(usize, usize)],
        ruled_out: usize,
    ) -> Result<Merged, SolveError> {
        let mut base = none;
        for count in 1..=borders.len() {
            let open = borders.iter().filter(|(axis, at)| !base[*axis][*at]);
            let mut candidates: Vec<Joined> = open.map(|border| with(base.clone(), *border)).collect();
            if count >= ruled_out
                && let Some(found) = self.first_that_works(smallest, &mut candidates, false)?
            {
                return Ok(found);
            }
            // The way on that leaves the least to be missing, of those the one with the largest smallest categories.
            let mut worths = Vec::with_capacity(candidates.len());
            for joined in &candidates {
                worths.push((self.missing(joined, smallest)?, Reverse(self.categories_by_size(joined))));
            }
            let best = worths.into_iter().zip(candidates).min_by(|(one, _), (other, _)| one.cmp(other));
            base = best.map_or(base, |(_, joined)| joined);
        }
        self.all_merged(smallest, base, borders)
    }

    /// The first of some ways that does it, fewest people first.
    fn first_that_works(
        &self,
        smallest: u64,
        ways: &mut [Joined],
        proved_fewest: bool,
    ) -> Result<Option<Merged>, SolveError> {
        ways.sort_by_cached_key(|joined| self.people(joined));
        for joined in ways.iter() {
            self.start()?;
            let table = self.merged_for(joined, smallest)?;
            match table.exists() {
                Ok(()) => return Ok(Some(Merged { merges: self.merges(joined), proved_fewest, table })),
                Err(SolveError::Infeasible(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The last way that is left, or why it does not do it either.
    fn all_merged(&self, smallest: u64, base: Joined, borders: &[(usize, usize)]) -> Result<Merged, SolveError> {
        let all = borders.iter().fold(base, |joined, border| with(joined, *border));
        let table = self.merged_for(&all, smallest)?;
        table.exists()?;
        Ok(Merged { merges: self.merges(&all), proved_fewest: false, table })
    }

    /// How many people are in categories that are merged.
    fn people(&self, joined: &Joined) -> u64 {
        let of = |merge: Merge| merge.categories.iter().map(|at| self.counts(merge.axis)[*at]).sum::<u64>();
        self.merges(joined).into_iter().map(of).sum()
    }

    /// How many people the categories of all margins miss together to have so many in each of their cells.
    fn missing(&self, joined: &Joined, smallest: u64) -> Result<u64, SolveError> {
        self.start()?;
        let table = self.merged_for(joined, 0)?;
        let mut missing = 0_u64;
        for margin in 0..table.margins().len() {
            let targets = table.margin_targets(margin);
            let needed = smallest.saturating_mul((table.shape.cells() / targets.len().max(1)) as u64);
            missing = targets.iter().fold(missing, |sum, target| sum.saturating_add(needed.saturating_sub(*target)));
        }
        Ok(missing)
    }

    /// The people in each category, the fewest first.
    fn categories_by_size(&self, joined: &Joined) -> Vec<u64> {
        let counts = joined.iter().enumerate().flat_map(|(axis, joined)| summed(self.counts(axis), joined));
        let mut counts: Vec<u64> = counts.collect();
        counts.sort_unstable();
        counts
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
            gathered(counts, &merged_places(joined, over), size(over), u64::saturating_add)
        };
        let kept = self.kept.iter().map(|margin| Kept {
            axes: margin.axes.clone(),
            counts: sum(&margin.counts, &margin.axes),
            give: margin.give.as_ref().map(|give| {
                give.merged(|ranges| gathered_ranges(ranges, &merged_places(joined, &margin.axes), size(&margin.axes)))
            }),
        });
        let kept: Vec<Kept> = kept.collect();
        let place = |name: &String| self.axes.iter().position(|axis| axis.name == *name);
        let joints = self.joints.iter().map(|joint| {
            let over: Vec<usize> = joint.axes.iter().filter_map(place).collect();
            let places = merged_places(joined, &over);
            joint.merged(&places, size(&over))
        });
        let places = merged_places(joined, &all);
        let seed = self.seed.as_ref().map(|seed| gathered(seed, &places, shape.cells(), |sum, weight| sum + weight));
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

/// One number for each place: what those that go there come to.
fn gathered<T: Copy + Default>(numbers: &[T], places: &[usize], size: usize, add: impl Fn(T, T) -> T) -> Vec<T> {
    let mut sums = vec![T::default(); size];
    for (place, number) in places.iter().zip(numbers) {
        sums[*place] = add(sums[*place], *number);
    }
    sums
}

fn gathered_ranges(ranges: &[(u64, u64)], places: &[usize], size: usize) -> Vec<(u64, u64)> {
    gathered(ranges, places, size, |one, other| (one.0.saturating_add(other.0), one.1.saturating_add(other.1)))
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

impl Joint {
    /// The same where its combinations go to other places. Shares stay shares: what is rounded to nothing is somebody.
    fn merged(&self, places: &[usize], size: usize) -> Self {
        let shares = |shares: &[f64]| gathered(shares, places, size, |sum, share| sum + share);
        Self {
            axes: self.axes.clone(),
            targets: match &self.targets {
                Targets::Counts(counts) => Targets::Counts(gathered(counts, places, size, u64::saturating_add)),
                Targets::Percentages(percentages) => Targets::Percentages(shares(percentages)),
                Targets::Shares(own) => Targets::Shares(shares(own)),
                Targets::Joint => Targets::Joint,
            },
            give: self.give.as_ref().map(|give| give.merged(|ranges| gathered_ranges(ranges, places, size))),
        }
    }
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
