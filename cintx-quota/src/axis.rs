//! One axis of a table: its categories and what each shall hold.
//! Targets are counts, percentages or shares; the builder makes counts of them.

/// An axis: a name, and categories with their targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub(crate) name: String,
    pub(crate) labels: Vec<String>,
    pub(crate) targets: Targets,
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
        Self { name: name.into(), labels, targets: Targets::Counts(targets) }
    }

    /// Categories with percentages of the total, which add up to 100, give or take one for rounding
    /// (three thirds as 33.3). The total is divided in their proportions.
    pub fn percentages<L: Into<String>>(
        name: impl Into<String>,
        categories: impl IntoIterator<Item = (L, f64)>,
    ) -> Self {
        let (labels, targets) = split(categories);
        Self { name: name.into(), labels, targets: Targets::Percentages(targets) }
    }

    /// Categories whose targets are in a [`Joint`](crate::Joint) margin.
    pub fn labels<L: Into<String>>(name: impl Into<String>, labels: impl IntoIterator<Item = L>) -> Self {
        let labels = labels.into_iter().map(Into::into).collect();
        Self { name: name.into(), labels, targets: Targets::Joint }
    }

    /// Categories with shares of any scale: only their proportions count.
    pub fn shares<L: Into<String>>(name: impl Into<String>, categories: impl IntoIterator<Item = (L, f64)>) -> Self {
        let (labels, targets) = split(categories);
        Self { name: name.into(), labels, targets: Targets::Shares(targets) }
    }
}

fn split<L: Into<String>, T>(categories: impl IntoIterator<Item = (L, T)>) -> (Vec<String>, Vec<T>) {
    categories.into_iter().map(|(label, target)| (label.into(), target)).unzip()
}
