//! Where a cell is: positions along the axes, their order in memory, and sums over the other axes.
//! The last axis varies fastest, as in C and numpy.

use crate::budget::Budget;

/// The lengths of a table's axes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Shape {
    lengths: Vec<usize>,
    cells: usize,
}

impl Shape {
    /// The shape with these lengths; `None` if it has more cells than can be numbered.
    pub fn new(lengths: impl Into<Vec<usize>>) -> Option<Self> {
        let lengths = lengths.into();
        let cells = lengths.iter().try_fold(1_usize, |cells, length| cells.checked_mul(*length))?;
        (u32::try_from(cells).is_ok()).then_some(Self { lengths, cells })
    }

    /// The length of each axis.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// How many cells there are.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// The number of the cell at a position; `None` if it lies outside.
    pub fn index(&self, position: &[usize]) -> Option<usize> {
        if position.len() != self.lengths.len() {
            return None;
        }
        position
            .iter()
            .zip(&self.lengths)
            .try_fold(0, |index, (at, length)| (at < length).then_some(index * length + at))
    }

    /// The position of a cell by its number.
    pub fn position(&self, mut index: usize) -> Vec<usize> {
        let mut position = vec![0; self.lengths.len()];
        for (at, length) in position.iter_mut().zip(&self.lengths).rev() {
            *at = index % length;
            index /= length;
        }
        position
    }

    /// For each cell, the number of its slice in the table that has only these axes, in this order.
    /// `None` if an axis is not there.
    pub(crate) fn slices(&self, axes: &[usize]) -> Option<Vec<u32>> {
        self.slices_within(axes, &Budget::default())
    }

    /// The same within a budget: once it is over, the rest is 0.
    pub(crate) fn slices_within(&self, axes: &[usize], budget: &Budget) -> Option<Vec<u32>> {
        let mut strides = vec![0_usize; self.lengths.len()];
        let mut stride = 1;
        for axis in axes.iter().rev() {
            *strides.get_mut(*axis)? = stride;
            stride *= self.lengths[*axis];
        }
        let mut position = vec![0_usize; self.lengths.len()];
        let mut slice = 0_usize;
        Some(budget.list(self.cells, |_| {
            // `Shape::new` has checked that every number fits.
            let here = u32::try_from(slice).unwrap_or(u32::MAX);
            for axis in (0..position.len()).rev() {
                position[axis] += 1;
                slice += strides[axis];
                if position[axis] < self.lengths[axis] {
                    break;
                }
                slice -= strides[axis] * self.lengths[axis];
                position[axis] = 0;
            }
            here
        }))
    }
}

/// Which cell is meant: by position, or by the labels of its categories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The position along each axis, from 0.
    Position(Vec<usize>),
    /// The label on each axis.
    Labels(Vec<String>),
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Position(position) => write!(f, "{position:?}"),
            Self::Labels(labels) => f.write_str(&labels.join(" × ")),
        }
    }
}

impl<const N: usize> From<[usize; N]> for Cell {
    fn from(position: [usize; N]) -> Self {
        Self::Position(position.into())
    }
}

impl From<&[usize]> for Cell {
    fn from(position: &[usize]) -> Self {
        Self::Position(position.into())
    }
}

impl From<Vec<usize>> for Cell {
    fn from(position: Vec<usize>) -> Self {
        Self::Position(position)
    }
}

impl<const N: usize> From<[&str; N]> for Cell {
    fn from(labels: [&str; N]) -> Self {
        Self::Labels(labels.iter().map(|label| (*label).to_owned()).collect())
    }
}

impl From<Vec<String>> for Cell {
    fn from(labels: Vec<String>) -> Self {
        Self::Labels(labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_one_number_and_one_position() {
        let shape = Shape::new([2, 3, 4]).unwrap();
        for index in 0..24 {
            assert_eq!(shape.index(&shape.position(index)), Some(index));
        }
        assert_eq!(shape.index(&[2, 0, 0]), None);
        assert_eq!(shape.index(&[0, 0]), None);
    }

    #[test]
    fn slices_follow_the_order_of_the_axes() {
        let shape = Shape::new([2, 3]).unwrap();
        assert_eq!(shape.slices(&[0]).unwrap(), [0, 0, 0, 1, 1, 1]);
        assert_eq!(shape.slices(&[1]).unwrap(), [0, 1, 2, 0, 1, 2]);
        assert_eq!(shape.slices(&[1, 0]).unwrap(), [0, 2, 4, 1, 3, 5]);
        assert_eq!(shape.slices(&[2]), None);
    }
}
