//! Interlocked quotas: whole completes for each pair of conditions that add up to every margin exactly.
//! Each cell is the floor or the ceiling of its expected value; no network, no chance.

use std::fmt;

use crate::audience::Question;

/// The quotas of two crossed questions.
///
/// `Display` prints it as an aligned table with its margins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaTable {
    rows: Vec<(String, u32)>,
    columns: Vec<(String, u32)>,
    cells: Vec<Vec<u32>>,
}

/// Margins that no table of whole numbers has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rows add up to {rows} and the columns to {columns}: no table has both")]
pub struct Unsatisfiable {
    /// The sum of the rows' targets.
    pub rows: u64,
    /// The sum of the columns' targets.
    pub columns: u64,
}

impl QuotaTable {
    /// Crosses two questions for a number of completes.
    ///
    /// # Errors
    /// [`Unsatisfiable`] if the margins do not add up to the same total.
    pub fn solve(rows: &Question, columns: &Question, completes_goal: u32) -> Result<Self, Unsatisfiable> {
        let label = |question: &Question| -> Vec<(String, u32)> {
            let labels = question.conditions().map(|(condition, _)| condition.label());
            labels.zip(question.counts(completes_goal)).collect()
        };
        Self::from_margins(label(rows), label(columns))
    }

    /// Fills a table between margins given as counts.
    ///
    /// # Errors
    /// [`Unsatisfiable`] if the margins do not add up to the same total.
    pub fn from_margins(rows: Vec<(String, u32)>, columns: Vec<(String, u32)>) -> Result<Self, Unsatisfiable> {
        let sum = |margin: &[(String, u32)]| margin.iter().map(|(_, count)| u64::from(*count)).sum::<u64>();
        if sum(&rows) != sum(&columns) {
            return Err(Unsatisfiable { rows: sum(&rows), columns: sum(&columns) });
        }
        let counts = |margin: &[(String, u32)]| margin.iter().map(|(_, count)| *count).collect::<Vec<_>>();
        let cells = controlled_rounding(&counts(&rows), &counts(&columns));
        Ok(Self { rows, columns, cells })
    }

    /// The rows' labels and targets.
    pub fn rows(&self) -> &[(String, u32)] {
        &self.rows
    }

    /// The columns' labels and targets.
    pub fn columns(&self) -> &[(String, u32)] {
        &self.columns
    }

    /// One cell's target.
    ///
    /// # Panics
    /// If the row or the column is not there.
    pub fn cell(&self, row: usize, column: usize) -> u32 {
        self.cells[row][column]
    }

    /// Every cell's target, row by row.
    pub fn cells(&self) -> impl Iterator<Item = (usize, usize, u32)> {
        self.cells
            .iter()
            .enumerate()
            .flat_map(|(row, cells)| cells.iter().enumerate().map(move |(column, count)| (row, column, *count)))
    }

    /// All completes.
    pub fn total(&self) -> u32 {
        self.cells.iter().flatten().sum()
    }
}

impl fmt::Display for QuotaTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.rows.iter().map(|(label, _)| label.len()).chain(["total".len()]).max().unwrap_or_default();
        let digits = self.total().to_string().len();
        let widths: Vec<usize> = self.columns.iter().map(|(label, _)| label.len().max(digits)).collect();
        let last = digits.max("total".len());
        write!(f, "{:first$}", "")?;
        for ((label, _), width) in self.columns.iter().zip(&widths) {
            write!(f, "  {label:>width$}")?;
        }
        write!(f, "  {:>last$}", "total")?;
        for ((label, total), cells) in self.rows.iter().zip(&self.cells) {
            write!(f, "\n{label:first$}")?;
            for (count, width) in cells.iter().zip(&widths) {
                write!(f, "  {count:>width$}")?;
            }
            write!(f, "  {total:>last$}")?;
        }
        write!(f, "\n{:first$}", "total")?;
        for ((_, total), width) in self.columns.iter().zip(&widths) {
            write!(f, "  {total:>width$}")?;
        }
        write!(f, "  {:>last$}", self.total())
    }
}

/// Shares to whole numbers by largest remainder: each is the floor or the ceiling of its part, and they add up.
pub(crate) fn apportion(shares: &[u32], total: u32) -> Vec<u32> {
    let sum: u64 = shares.iter().map(|share| u64::from(*share)).sum();
    if sum == 0 {
        return vec![0; shares.len()];
    }
    let part = |share: &u32| u64::from(*share) * u64::from(total);
    let mut counts: Vec<u32> =
        shares.iter().map(|share| u32::try_from(part(share) / sum).unwrap_or(u32::MAX)).collect();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    // Ties go to the earlier share: the same input gives the same output.
    order.sort_by_key(|index| (std::cmp::Reverse(part(&shares[*index]) % sum), *index));
    let missing = total - counts.iter().sum::<u32>();
    for index in order.into_iter().take(missing as usize) {
        counts[index] += 1;
    }
    counts
}

/// Rounds the expected table (row × column / total) so that every row and column keeps its sum
/// and every cell is the floor or the ceiling of its expectation. Such a table always exists;
/// it is a flow from rows to columns in which each cell carries at most one more than its floor.
fn controlled_rounding(rows: &[u32], columns: &[u32]) -> Vec<Vec<u32>> {
    let total: u64 = rows.iter().map(|count| u64::from(*count)).sum();
    let product = |row: u32, column: u32| u64::from(row) * u64::from(column);
    if total == 0 {
        return vec![vec![0; columns.len()]; rows.len()];
    }
    let floor = |row: u32, column: u32| u32::try_from(product(row, column) / total).unwrap_or(u32::MAX);
    let mut cells: Vec<Vec<u32>> =
        rows.iter().map(|row| columns.iter().map(|column| floor(*row, *column)).collect()).collect();
    let mut row_missing: Vec<u32> =
        rows.iter().zip(&cells).map(|(row, cells)| row - cells.iter().sum::<u32>()).collect();
    let mut column_missing: Vec<u32> = columns
        .iter()
        .enumerate()
        .map(|(column, count)| count - cells.iter().map(|cells| cells[column]).sum::<u32>())
        .collect();

    // The cells with the largest remainders take one more first; what that leaves over is settled by paths.
    let mut open: Vec<(usize, usize, u64)> = Vec::new();
    for (row, row_count) in rows.iter().enumerate() {
        for (column, column_count) in columns.iter().enumerate() {
            let remainder = product(*row_count, *column_count) % total;
            if remainder > 0 {
                open.push((row, column, remainder));
            }
        }
    }
    open.sort_by_key(|(row, column, remainder)| (std::cmp::Reverse(*remainder), *row, *column));
    let mut may_rise = vec![vec![false; columns.len()]; rows.len()];
    let mut raised = vec![vec![false; columns.len()]; rows.len()];
    for (row, column, _) in open {
        may_rise[row][column] = true;
        if row_missing[row] > 0 && column_missing[column] > 0 {
            raised[row][column] = true;
            row_missing[row] -= 1;
            column_missing[column] -= 1;
        }
    }
    for (row, missing) in row_missing.iter_mut().enumerate() {
        while *missing > 0 {
            let Some(path) = augmenting_path(row, &may_rise, &raised, &column_missing) else { break };
            for (row, column) in &path {
                raised[*row][*column] = !raised[*row][*column];
            }
            *missing -= 1;
            if let Some((_, column)) = path.last() {
                column_missing[*column] -= 1;
            }
        }
    }
    for (cells, raised) in cells.iter_mut().zip(raised) {
        for (cell, raised) in cells.iter_mut().zip(raised) {
            *cell += u32::from(raised);
        }
    }
    cells
}

/// A way from a row that lacks one to a column that lacks one: cells to raise and to lower in turn.
fn augmenting_path(
    start: usize,
    may_rise: &[Vec<bool>],
    raised: &[Vec<bool>],
    column_missing: &[u32],
) -> Option<Vec<(usize, usize)>> {
    let columns = column_missing.len();
    let mut came_from: Vec<Option<usize>> = vec![None; columns];
    let mut freed_by: Vec<Option<usize>> = vec![None; may_rise.len()];
    let mut queue = std::collections::VecDeque::from([start]);
    let mut seen = vec![false; may_rise.len()];
    seen[start] = true;
    while let Some(row) = queue.pop_front() {
        for column in 0..columns {
            if !may_rise[row][column] || raised[row][column] || came_from[column].is_some() {
                continue;
            }
            came_from[column] = Some(row);
            if column_missing[column] > 0 {
                let mut path = Vec::new();
                let mut column = column;
                loop {
                    let row = came_from[column]?;
                    path.push((row, column));
                    match freed_by[row] {
                        Some(freed) => {
                            path.push((row, freed));
                            column = freed;
                        }
                        None => break,
                    }
                }
                path.reverse();
                return Some(path);
            }
            for next in 0..may_rise.len() {
                if raised[next][column] && !seen[next] {
                    seen[next] = true;
                    freed_by[next] = Some(column);
                    queue.push_back(next);
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator of numbers: enough for tables that nobody chose.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % limit
        }
    }

    #[test]
    fn shares_become_counts_that_add_up() {
        assert_eq!(apportion(&[40, 35, 25], 10), [4, 4, 2]);
        assert_eq!(apportion(&[1, 1, 1], 100), [34, 33, 33]);
        assert_eq!(apportion(&[0, 0], 7), [0, 0]);
    }

    #[test]
    fn every_margin_holds_and_every_cell_is_floor_or_ceiling() {
        let mut numbers = Numbers(7);
        for case in 0..20_000 {
            let (height, width) = (1 + numbers.below(7) as usize, 1 + numbers.below(9) as usize);
            let goal = u32::try_from(numbers.below(3_000)).unwrap();
            let mut shares = |count: usize| -> Vec<u32> {
                (0..count).map(|_| u32::try_from(numbers.below(60)).unwrap() + 1).collect()
            };
            let (row_shares, column_shares) = (shares(height), shares(width));
            let (rows, columns) = (apportion(&row_shares, goal), apportion(&column_shares, goal));
            let cells = controlled_rounding(&rows, &columns);
            for (row, count) in rows.iter().enumerate() {
                assert_eq!(cells[row].iter().sum::<u32>(), *count, "row {row} of case {case}");
                for (column, column_count) in columns.iter().enumerate() {
                    let product = u64::from(*count) * u64::from(*column_count);
                    let floor = if goal == 0 { 0 } else { product / u64::from(goal) };
                    let cell = u64::from(cells[row][column]);
                    let exact = goal == 0 || product % u64::from(goal) == 0;
                    assert!(cell == floor || (!exact && cell == floor + 1), "cell {row},{column} of case {case}");
                }
            }
            for (column, count) in columns.iter().enumerate() {
                assert_eq!(
                    cells.iter().map(|cells| cells[column]).sum::<u32>(),
                    *count,
                    "column {column} of case {case}"
                );
            }
        }
    }

    #[test]
    fn margins_that_differ_are_refused() {
        let error = QuotaTable::from_margins(vec![("a".into(), 3)], vec![("b".into(), 4)]).unwrap_err();
        assert_eq!(error, Unsatisfiable { rows: 3, columns: 4 });
    }

    #[test]
    fn a_table_prints_aligned() {
        let margin = |pairs: &[(&str, u32)]| pairs.iter().map(|(label, count)| ((*label).to_owned(), *count)).collect();
        let table = QuotaTable::from_margins(
            margin(&[("18-34", 40), ("35-99", 60)]),
            margin(&[("option 1", 49), ("option 2", 51)]),
        );
        assert_eq!(
            table.unwrap().to_string(),
            "       option 1  option 2  total\n18-34        20        20     40\n35-99        29        31     60\ntotal        49        51    100"
        );
    }
}
