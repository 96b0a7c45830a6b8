//! A solution as text: a table whose columns stand under each other, also with wide and combining characters, and CSV
//! that a spreadsheet does not mistake for formulas.

use std::fmt;

use unicode_width::UnicodeWidthStr as _;

use crate::solution::Solution;

/// A label in a column: padded to a width, and kept from turning its neighbours around if it is written from right to
/// left.
fn padded(label: &str, width: usize, to_the_right: bool) -> String {
    let space = " ".repeat(width.saturating_sub(label.width()));
    let label = if is_right_to_left(label) { format!("\u{2068}{label}\u{2069}") } else { label.to_owned() };
    if to_the_right { format!("{space}{label}") } else { format!("{label}{space}") }
}

/// Hebrew, Arabic and their kin.
fn is_right_to_left(label: &str) -> bool {
    label.chars().any(|char| matches!(char, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'))
}

/// A label on one line: no control character breaks the table.
pub(crate) fn one_line(label: &str) -> String {
    label.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

/// A solution as rows of the axes before the last and columns of the last one.
pub(crate) struct Grid {
    /// The names of the axes before the last, then the labels of the columns and of their sum.
    pub(crate) head: Vec<String>,
    /// For each row, the labels of its categories.
    pub(crate) rows: Vec<Vec<String>>,
    /// How many of the columns are labels.
    pub(crate) labels: usize,
}

impl Solution {
    pub(crate) fn grid(&self) -> Grid {
        let (init, last) = match self.axes() {
            0 | 1 => (self.axes(), None),
            axes => (axes - 1, Some(axes - 1)),
        };
        let mut rows: Vec<Vec<String>> = vec![Vec::new()];
        for axis in 0..init {
            let longer = |row: &Vec<String>| -> Vec<Vec<String>> {
                let labels = self.labels(axis).iter().map(|label| one_line(label));
                labels.map(|label| row.iter().cloned().chain([label]).collect()).collect()
            };
            rows = rows.iter().flat_map(longer).collect();
        }
        let names = (0..init).map(|axis| one_line(self.name(axis).unwrap_or_default()));
        let columns = last.map(|axis| self.labels(axis).iter().map(|label| one_line(label)).collect::<Vec<_>>());
        let head = names.chain(columns.into_iter().flatten()).chain(["total".to_owned()]).collect();
        Grid { head, rows, labels: init }
    }

    /// One line for each cell: the labels of its categories, its count, and what the fit has there; commas between, in
    /// UTF-8. A label that a spreadsheet would take for a formula gets an apostrophe before it.
    ///
    /// ```
    /// # use cintx_quota::{Axis, Table};
    /// let table = Table::builder()
    ///     .axis(Axis::counts("age", [("18-34", 12), ("=1+1", 8)]))
    ///     .axis(Axis::counts("region", [("North, East", 11), ("South", 9)]))
    ///     .build()?;
    /// assert_eq!(table.solve()?.to_csv(), "\
    ///     age,region,count,fit\r\n\
    ///     18-34,\"North, East\",7,6.6\r\n\
    ///     18-34,South,5,5.4\r\n\
    ///     '=1+1,\"North, East\",4,4.4\r\n\
    ///     '=1+1,South,4,3.6\r\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_csv(&self) -> String {
        let mut csv = String::new();
        for axis in 0..self.axes() {
            csv.push_str(&csv_field(self.name(axis).unwrap_or_default()));
            csv.push(',');
        }
        csv.push_str("count,fit\r\n");
        for ((position, count), fit) in self.iter().zip(&self.fit().cells) {
            for (axis, at) in position.iter().enumerate() {
                csv.push_str(&csv_field(&self.labels(axis)[*at]));
                csv.push(',');
            }
            // A millionth of a person is nobody; digits beyond are the fit's own rounding.
            let fit = (fit * 1e6).round() / 1e6;
            csv.push_str(&format!("{count},{fit}\r\n"));
        }
        csv
    }
}

/// A text as a field of CSV (RFC 4180): quoted where it must be, and with an apostrophe before it where a spreadsheet
/// would take it for a formula.
///
/// ```
/// use cintx_quota::csv_field;
///
/// assert_eq!(csv_field("18-34"), "18-34");
/// assert_eq!(csv_field("North, East"), "\"North, East\"");
/// assert_eq!(csv_field("=1+1"), "'=1+1");
/// assert_eq!(csv_field("＝1+1"), "'＝1+1");      // in full width
/// ```
pub fn csv_field(text: &str) -> String {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(['\t', '\r', '\n']);
    let safe = if is_formula { format!("'{text}") } else { text.to_owned() };
    if safe.contains(['"', ',', '\n', '\r', ';', '\t']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

/// The table with its sums: the axes before the last as rows, the last one as columns. Excluded cells are a dash.
impl fmt::Display for Solution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Grid { head, rows, labels } = self.grid();
        let columns = head.len() - labels - 1;
        let mut lines: Vec<Vec<String>> = vec![head];
        let mut sums = vec![0_u64; columns + 1];
        for (number, row) in rows.into_iter().enumerate() {
            let cells: Vec<usize> = (number * columns.max(1)..(number + 1) * columns.max(1)).collect();
            let sum: u64 = cells.iter().map(|cell| self.cells()[*cell]).sum();
            let shown = |cell: &usize| match self.is_excluded(*cell) {
                true => "-".to_owned(),
                false => self.cells()[*cell].to_string(),
            };
            let counts: Vec<String> = cells.iter().take(columns).map(shown).collect();
            cells.iter().take(columns).zip(&mut sums).for_each(|(cell, sum)| *sum += self.cells()[*cell]);
            sums[columns] += sum;
            lines.push(row.into_iter().chain(counts).chain([sum.to_string()]).collect());
        }
        let total = (0..labels).map(|at| if at == 0 { "total".to_owned() } else { String::new() });
        lines.push(total.chain(sums.iter().map(ToString::to_string)).collect());
        let width = |column: usize| lines.iter().map(|line| line[column].width()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..labels + columns + 1).map(width).collect();
        for (number, line) in lines.iter().enumerate() {
            let entries = line.iter().zip(&widths).enumerate();
            let entries: Vec<String> =
                entries.map(|(at, (entry, width))| padded(entry, *width, at >= labels)).collect();
            let line = entries.join("  ");
            let end = if number + 1 < lines.len() { "\n" } else { "" };
            write!(f, "{}{end}", line.trim_end())?;
        }
        Ok(())
    }
}
