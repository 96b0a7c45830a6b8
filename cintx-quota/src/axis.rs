//! One axis of a table: its categories and what each shall hold.
//! Targets are counts, percentages or shares; the builder makes counts of them.

use crate::slack::{Extent, Give, Ranges};

/// An axis: a name, and categories with their targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub(crate) name: String,
    pub(crate) labels: Vec<String>,
    pub(crate) targets: Targets,
    pub(crate) give: Option<Give>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Targets {
    Counts(Vec<u64>),
    Percentages(Vec<f64>),
    Shares(Vec<f64>),
    /// None of its own: a joint margin has them.
    Joint,
}

impl Targets {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Counts(counts) => counts.len(),
            Self::Percentages(shares) | Self::Shares(shares) => shares.len(),
            Self::Joint => 0,
        }
    }

    /// For each target, whether nobody was asked for; empty if there are none.
    pub(crate) fn nobody(&self) -> Vec<bool> {
        match self {
            Self::Counts(counts) => counts.iter().map(|count| *count == 0).collect(),
            Self::Percentages(shares) | Self::Shares(shares) => shares.iter().map(|share| *share == 0.0).collect(),
            Self::Joint => Vec::new(),
        }
    }

    /// The proportions alone.
    pub(crate) fn proportions(&self) -> Self {
        match self {
            Self::Counts(counts) => Self::Shares(counts.iter().map(|count| *count as f64).collect()),
            Self::Percentages(shares) | Self::Shares(shares) => Self::Shares(shares.clone()),
            Self::Joint => Self::Joint,
        }
    }
}

impl Axis {
    /// Categories with counts.
    pub fn counts<L: Into<String>>(name: impl Into<String>, categories: impl IntoIterator<Item = (L, u64)>) -> Self {
        let (labels, targets) = split(categories);
        Self { name: name.into(), labels, targets: Targets::Counts(targets), give: None }
    }

    /// Categories with percentages of the total, which add up to 100, give or take one for rounding
    /// (three thirds as 33.3). The total is divided in their proportions.
    pub fn percentages<L: Into<String>>(
        name: impl Into<String>,
        categories: impl IntoIterator<Item = (L, f64)>,
    ) -> Self {
        let (labels, targets) = split(categories);
        Self { name: name.into(), labels, targets: Targets::Percentages(targets), give: None }
    }

    /// Categories whose targets are in a [`Joint`](crate::Joint) margin.
    pub fn labels<L: Into<String>>(name: impl Into<String>, labels: impl IntoIterator<Item = L>) -> Self {
        let labels = labels.into_iter().map(Into::into).collect();
        Self { name: name.into(), labels, targets: Targets::Joint, give: None }
    }

    /// Categories with shares of any scale: only their proportions count.
    pub fn shares<L: Into<String>>(name: impl Into<String>, categories: impl IntoIterator<Item = (L, f64)>) -> Self {
        let (labels, targets) = split(categories);
        Self { name: name.into(), labels, targets: Targets::Shares(targets), give: None }
    }

    /// Each category may deviate from its target by so large a part of it (0.1 for ±10 %), where not all targets can be
    /// met together. Of all ways, the one with the fewest completes away from the targets.
    ///
    /// ```
    /// use cintx_quota::{Axis, Table};
    ///
    /// let table = Table::builder()
    ///     .axis(Axis::counts("age", [("18-34", 60), ("35+", 40)]).tolerance(0.1))
    ///     .axis(Axis::counts("region", [("North", 50), ("South", 50)]))
    ///     .at_most(["18-34", "North"], 7)
    ///     .build()?;
    /// let solution = table.solve()?;
    /// assert_eq!(solution.margin(0), [57, 43]);      // 7 and all 50 of the South
    /// assert_eq!(solution.shifts()[0].to_string(), "18-34: 57 instead of 60");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// Each category may hold any count between a least and a most, where not all targets can be met together: one
    /// pair for each category. A target outside its range is moved into it. At [another total](crate::Table::at_total)
    /// ranges grow and shrink with the targets.
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
}

fn split<L: Into<String>, T>(categories: impl IntoIterator<Item = (L, T)>) -> (Vec<String>, Vec<T>) {
    categories.into_iter().map(|(label, target)| (label.into(), target)).unzip()
}
