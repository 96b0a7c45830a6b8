//! Joint margins: targets for the combinations of several axes that are known together.
//! Here they become whole numbers that agree with the axes' own targets and with each other.

use crate::apportion::{Apportionment, apportion};
use crate::axis::{Axis, Targets};
use crate::error::{SolveError, TableError};
use crate::shape::Shape;
use crate::slack::{Extent, Give, Ranges};
use crate::table::{Kept, Labelled, Table};

/// Targets for the combinations of some axes, such as age × gender known together. Given to
/// [`TableBuilder::joint`](crate::TableBuilder::joint); over all axes it is a nested table that is taken as it is.
///
/// There is one target for each combination, the last of the named axes fastest.
///
/// Any set of margins can be asked for, up to a limit: the numbers of combinations of all margins, and of categories of
/// the axes that are in none, come to at most 20 million when they are multiplied. All six pairs of 5 × 2 × 12 × 3
/// categories are beyond it (10 · 60 · 15 · 24 · 6 · 36), any five of them are not.
#[derive(Clone, Debug, PartialEq)]
pub struct Joint {
    pub(crate) axes: Vec<String>,
    pub(crate) targets: Targets,
    pub(crate) give: Option<Give>,
}

impl Joint {
    /// Combinations with counts.
    pub fn counts<N: Into<String>>(axes: impl IntoIterator<Item = N>, counts: impl IntoIterator<Item = u64>) -> Self {
        Self { axes: names(axes), targets: Targets::Counts(counts.into_iter().collect()), give: None }
    }

    /// Combinations with percentages of the total, which add up to 100, give or take one for rounding.
    pub fn percentages<N: Into<String>>(
        axes: impl IntoIterator<Item = N>,
        percentages: impl IntoIterator<Item = f64>,
    ) -> Self {
        Self { axes: names(axes), targets: Targets::Percentages(percentages.into_iter().collect()), give: None }
    }

    /// Combinations with shares of any scale: only their proportions count.
    pub fn shares<N: Into<String>>(axes: impl IntoIterator<Item = N>, shares: impl IntoIterator<Item = f64>) -> Self {
        Self { axes: names(axes), targets: Targets::Shares(shares.into_iter().collect()), give: None }
    }

    /// Each combination may deviate from its target by so large a part of it (0.1 for ±10 %), where not all targets can be
    /// met together. Of all ways, the one with the fewest completes away from the targets.
    #[must_use]
    pub fn tolerance(mut self, share: f64) -> Self {
        self.give.get_or_insert_with(|| Give::any(1.0)).extent = Extent::Share(share);
        self
    }

    /// The same by so many completes.
    #[must_use]
    pub fn tolerance_count(mut self, count: u64) -> Self {
        self.give.get_or_insert_with(|| Give::any(1.0)).extent = Extent::Count(count);
        self
    }

    /// Each combination may hold any count between a least and a most, where not all targets can be met together: one
    /// pair for each combination, as in [`Axis::ranges`].
    #[must_use]
    pub fn ranges(mut self, ranges: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let ranges = Ranges::of_table(ranges);
        self.give.get_or_insert_with(|| Give::any(1.0)).extent = Extent::Ranges(ranges);
        self
    }

    /// The margin may give where not all targets can be met together, and one of its completes counts so much against
    /// one of another margin that may. Without a tolerance or ranges, it gives as far as it must.
    #[must_use]
    pub fn importance(mut self, importance: f64) -> Self {
        self.give.get_or_insert_with(|| Give::any(importance)).importance = importance;
        self
    }

    /// What errors call it.
    pub(crate) fn name(&self) -> String {
        self.axes.join(" × ")
    }
}

fn names<N: Into<String>>(axes: impl IntoIterator<Item = N>) -> Vec<String> {
    axes.into_iter().map(Into::into).collect()
}

/// The axes in whole numbers, those without targets of their own from the joint margins; and all margins that are to
/// be kept, if any is over several axes.
pub(crate) fn resolve(
    axes: Vec<Axis>,
    joints: &[Joint],
    total: u64,
    mut in_whole_numbers: impl FnMut(&Axis) -> Result<Option<Apportionment>, TableError>,
) -> Result<(Vec<Labelled>, Vec<Kept>), TableError> {
    let mut known = axes.iter().map(&mut in_whole_numbers).collect::<Result<Vec<_>, _>>()?;
    let mut kept: Vec<Kept> = Vec::new();
    for joint in joints {
        let places = places(joint, &axes)?;
        let others = joints.iter().filter(|other| *other != joint);
        let is_shared = others.flat_map(|other| &other.axes).any(|axis| joint.axes.contains(axis));
        let counts = whole(joint, &places, &axes, &mut known, total, is_shared)?;
        if let Some(give) = &joint.give {
            give.check(&joint.name(), counts.len(), total)?;
        }
        if let Some(axis) = places.iter().find(|place| axes[**place].give.is_some()) {
            return Err(TableError::GivesTwice { axis: axes[*axis].name.clone(), joint: joint.name() });
        }
        let next = Kept { axes: places, counts, give: joint.give.clone() };
        agree(&next, &mut known, &kept, &axes)?;
        kept.push(next);
    }
    let labelled = axes.iter().zip(&known).map(|(axis, targets)| {
        let missing = || TableError::NoTargets { axis: axis.name.clone() };
        let targets = targets.clone().ok_or_else(missing)?;
        let Axis { name, labels, targets: asked, give } = axis.clone();
        if let Some(give) = &give {
            give.check(&name, labels.len(), total)?;
        }
        Ok(Labelled { name, labels, targets, asked, give })
    });
    let labelled = labelled.collect::<Result<Vec<_>, TableError>>()?;
    let kept = largest(kept, &labelled);
    Ok((labelled, kept))
}

/// The numbers of a joint margin's axes.
fn places(joint: &Joint, axes: &[Axis]) -> Result<Vec<usize>, TableError> {
    let mut places = Vec::new();
    for name in &joint.axes {
        let place = axes.iter().position(|axis| axis.name == *name).filter(|place| !places.contains(place));
        places.push(place.ok_or_else(|| TableError::JointAxis { joint: joint.name(), axis: name.clone() })?);
    }
    Ok(places)
}

/// A joint margin in whole numbers: rounded so that it agrees with what is known of its axes. Where another joint margin
/// shares an axis and nothing is known, each category gets the floor or the ceiling of its part, so that both agree.
fn whole(
    joint: &Joint,
    places: &[usize],
    axes: &[Axis],
    known: &mut [Option<Apportionment>],
    total: u64,
    is_shared: bool,
) -> Result<Vec<u64>, TableError> {
    let lengths: Vec<usize> = places.iter().map(|place| axes[*place].labels.len()).collect();
    let expected = lengths.iter().product();
    let given = joint.targets.len();
    if places.is_empty() || given != expected {
        return Err(TableError::Length { what: "a joint margin", given, expected });
    }
    let shares = match &joint.targets {
        Targets::Counts(counts) => return Ok(counts.clone()),
        Targets::Shares(shares) | Targets::Percentages(shares) => shares,
        Targets::Joint => return Err(TableError::NoTargets { axis: joint.name() }),
    };
    let counts = apportion(&joint.name(), shares, total)?.counts;
    if matches!(joint.targets, Targets::Percentages(_)) {
        crate::builder::check_hundred(&joint.name(), shares)?;
    }
    let is_known = places.iter().any(|place| known[*place].is_some());
    if !is_known && !is_shared {
        return Ok(counts);
    }
    // Rounding leaves less than one between a sum of shares and its axis' own count; more is another target.
    let shape = Shape::new(lengths).ok_or(TableError::NoAxes)?;
    let sum: f64 = shares.iter().sum();
    let mut builder = Table::builder().seed(shares.iter().copied());
    for (at, place) in places.iter().enumerate() {
        let mut sums = vec![0.0; axes[*place].labels.len()];
        for (slice, share) in shape.slices(&[at]).unwrap_or_default().into_iter().zip(shares) {
            sums[slice as usize] += share / sum * total as f64;
        }
        let own = match &known[*place] {
            Some(own) => own.counts.clone(),
            None => apportion(&axes[*place].name, &sums, total)?.counts,
        };
        for (label, (own, sum)) in own.iter().zip(&sums).enumerate() {
            if (*own as f64 - sum).abs() > 1.0 + 1e-6 {
                let sum = sum.round() as u64;
                return Err(disagree(&axes[*place].labels[label], *own, &joint.name(), sum));
            }
        }
        let labels = axes[*place].labels.iter().cloned().zip(own);
        builder = builder.axis(Axis::counts(axes[*place].name.clone(), labels));
    }
    let refuse = |error: SolveError| match error {
        SolveError::Input(error) => error,
        error => TableError::JointImpossible { joint: joint.name(), reason: error.to_string() },
    };
    match builder.build()?.solve() {
        Ok(solution) => Ok(solution.into_cells()),
        // Over three axes there may be no such table; nothing asked for one yet.
        Err(_) if !is_known => Ok(counts),
        Err(error) => Err(refuse(error)),
    }
}

/// A joint margin must agree with its axes and with the joint margins before it.
fn agree(next: &Kept, known: &mut [Option<Apportionment>], before: &[Kept], axes: &[Axis]) -> Result<(), TableError> {
    let name = |places: &[usize]| places.iter().map(|at| axes[*at].name.as_str()).collect::<Vec<_>>().join(" × ");
    for place in &next.axes {
        let counts = next.summed(&[*place], axes);
        match &known[*place] {
            Some(own) => {
                let mut pairs = own.counts.iter().zip(&counts).enumerate();
                if let Some((label, (own, other))) = pairs.find(|(_, (own, other))| own != other) {
                    return Err(disagree(&axes[*place].labels[label], *own, &name(&next.axes), *other));
                }
            }
            None => known[*place] = Some(Apportionment { counts, rounded: Vec::new() }),
        }
    }
    for other in before {
        let shared: Vec<usize> = next.axes.iter().copied().filter(|axis| other.axes.contains(axis)).collect();
        let pairs = next.summed(&shared, axes).into_iter().zip(other.summed(&shared, axes));
        if let Some((own, other_count)) = pairs.into_iter().find(|(one, other)| one != other) {
            return Err(disagree(&name(&shared), other_count, &name(&next.axes), own));
        }
    }
    Ok(())
}

fn disagree(what: &str, first: u64, joint: &str, second: u64) -> TableError {
    TableError::MarginsDisagree { what: what.to_owned(), first, joint: joint.to_owned(), second }
}

/// The margins that no other one implies: joint ones and single axes. Empty without joint ones.
fn largest(kept: Vec<Kept>, axes: &[Labelled]) -> Vec<Kept> {
    if kept.is_empty() {
        return kept;
    }
    let within = |one: &Kept, other: &Kept| one.axes.iter().all(|axis| other.axes.contains(axis));
    let is_implied = |at: usize| {
        kept.iter().enumerate().any(|(other, margin)| {
            other != at && within(&kept[at], margin) && (margin.axes.len() > kept[at].axes.len() || other < at)
        })
    };
    let mut largest: Vec<Kept> = (0..kept.len()).filter(|at| !is_implied(*at)).map(|at| kept[at].clone()).collect();
    let singles = axes.iter().enumerate().filter(|(axis, _)| kept.iter().all(|margin| !margin.axes.contains(axis)));
    largest.extend(singles.map(|(number, axis)| Kept {
        axes: vec![number],
        counts: axis.targets.counts.clone(),
        give: axis.give.clone(),
    }));
    largest.sort_by_key(|margin| margin.axes.iter().min().copied());
    largest
}

impl Kept {
    /// Its counts, summed over all of its axes but these.
    fn summed(&self, axes: &[usize], all: &[Axis]) -> Vec<u64> {
        self.sums(axes, |axis| all[axis].labels.len())
    }

    /// Its counts, summed over all of its axes but one.
    pub(crate) fn summed_over(&self, axis: usize, all: &[Labelled]) -> Vec<u64> {
        self.sums(&[axis], |axis| all[axis].labels.len())
    }

    fn sums(&self, axes: &[usize], length: impl Fn(usize) -> usize) -> Vec<u64> {
        let lengths: Vec<usize> = self.axes.iter().map(|axis| length(*axis)).collect();
        let places: Vec<usize> =
            axes.iter().filter_map(|axis| self.axes.iter().position(|other| other == axis)).collect();
        let mut sums = vec![0_u64; places.iter().map(|place| lengths[*place]).product()];
        let slices = Shape::new(lengths).and_then(|shape| shape.slices(&places)).unwrap_or_default();
        for (slice, count) in slices.into_iter().zip(&self.counts) {
            sums[slice as usize] = sums[slice as usize].saturating_add(*count);
        }
        sums
    }
}
