//! Prints a quota table as text, CSV or SVG. Rows are all axes but the last, columns the last; a single axis is rows.

use std::fmt;

use cintx_quota::{HeatMap, csv_field};
use unicode_width::UnicodeWidthStr as _;

use super::{Quota, QuotaTable};

/// How wide a bar is, in characters.
const BAR_CHARS: u64 = 10;

impl QuotaTable {
    /// How many rows and columns the table prints, without its sums.
    fn grid(&self) -> (usize, usize) {
        match self.axes.as_slice() {
            [] => (0, 0),
            [only] => (only.labels.len(), 0),
            [.., last] => (self.cells.len() / last.labels.len().max(1), last.labels.len()),
        }
    }

    fn row_label(&self, row: usize) -> String {
        let (_, columns) = self.grid();
        let position = self.position(row * columns.max(1));
        self.label(&position[..position.len().saturating_sub(usize::from(columns > 0))])
    }

    fn row(&self, row: usize) -> &[Quota] {
        let width = self.grid().1.max(1);
        self.cells.get(row * width..(row + 1) * width).unwrap_or_default()
    }

    fn column_labels(&self) -> &[String] {
        match self.axes.as_slice() {
            [_, .., last] => &last.labels,
            _ => &[],
        }
    }

    fn text(&self, quota: &Quota) -> String {
        match (self.in_field(), quota.target) {
            (false, Some(target)) => target.to_string(),
            (true, Some(target)) => format!("{}/{target}", quota.completes),
            (true, None) => quota.completes.to_string(),
            (false, None) => "-".to_owned(),
        }
    }

    /// The table as CSV (RFC 4180): one line for each cell, with the labels of its axes. A label that a spreadsheet
    /// would take for a formula gets an apostrophe before it.
    pub fn to_csv(&self) -> String {
        let mut csv = String::new();
        let mut line = |fields: &mut dyn Iterator<Item = String>| {
            let fields: Vec<String> = fields.map(|field| csv_field(&field)).collect();
            csv.push_str(&fields.join(","));
            csv.push_str("\r\n");
        };
        let axes = self.axes.iter().map(super::QuotaAxis::title);
        let names = ["target", "completes", "prescreens", "remaining", "quota_id"].map(str::to_owned);
        line(&mut axes.chain(names));
        for (position, quota) in self.cells() {
            let labels = self.axes.iter().zip(position).map(|(axis, at)| axis.labels[at].clone());
            let target = quota.target.map(|target| target.to_string()).unwrap_or_default();
            let counts = [quota.completes, quota.prescreens, quota.remaining()].map(|count| count.to_string());
            line(&mut labels.chain([target]).chain(counts).chain([quota.id.clone().unwrap_or_default()]));
        }
        csv
    }

    /// The table as a heat map: a standalone SVG with its sums, a title and a legend. Before the field, the larger a
    /// target the darker its cell; in field, the fuller. Long labels are wrapped.
    pub fn to_svg(&self) -> String {
        let axes = self.axes.iter().map(|axis| (axis.title(), axis.labels.iter().cloned()));
        let map = HeatMap::new(self.name.as_str(), axes, self.cells.iter().map(|quota| quota.target));
        let map = match self.in_field() {
            true => map.completes(self.cells.iter().map(|quota| quota.completes)),
            false => map,
        };
        // There are as many cells as the axes say: this is checked wherever a table is made or read.
        map.to_svg().unwrap_or_default()
    }

    fn column_sums(&self) -> Vec<Quota> {
        if self.axes.len() < 2 { Vec::new() } else { self.margin(self.axes.len() - 1) }
    }
}

impl fmt::Display for QuotaTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, columns) = self.grid();
        let labels: Vec<String> = (0..rows).map(|row| self.row_label(row)).collect();
        let first = labels.iter().map(|label| label.width()).chain([5]).max().unwrap_or(5);
        let mut lines: Vec<(Vec<String>, Quota)> = Vec::new();
        for row in 0..rows {
            let quotas = self.row(row);
            let cells = if columns > 0 { quotas.iter().map(|quota| self.text(quota)).collect() } else { Vec::new() };
            lines.push((cells, sum(quotas)));
        }
        lines.push((self.column_sums().iter().map(|quota| self.text(quota)).collect(), self.sum()));
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let label = self.column_labels()[column].width();
                lines.iter().map(|(cells, _)| cells[column].len()).max().unwrap_or(0).max(label)
            })
            .collect();
        let last = lines.iter().map(|(_, sum)| self.text(sum).len()).max().unwrap_or(0).max(5);
        write!(f, "{:first$}", "")?;
        for (label, width) in self.column_labels().iter().zip(&widths) {
            write!(f, "  {}{}", space(label, *width), isolated(label))?;
        }
        write!(f, "  {:>last$}", "total")?;
        let names = labels.iter().map(String::as_str).chain(["total"]);
        for (name, (cells, sum)) in names.zip(&lines) {
            write!(f, "\n{}{}", isolated(name), space(name, first))?;
            for (cell, width) in cells.iter().zip(&widths) {
                write!(f, "  {cell:>width$}")?;
            }
            write!(f, "  {:>last$}", self.text(sum))?;
            if self.in_field() && sum.target.is_some() {
                write!(f, "  {}", bar(sum))?;
            }
        }
        self.warnings.iter().try_for_each(|warning| write!(f, "\n{warning}"))
    }
}

/// What is missing to the width of a column: wide characters take two places, combining ones none.
pub(super) fn space(label: &str, width: usize) -> String {
    " ".repeat(width.saturating_sub(label.width()))
}

/// A label on one line that does not turn its neighbours around if it is written from right to left.
pub(super) fn isolated(label: &str) -> String {
    let line: String = label.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let is_hebrew_or_arabic =
        |char| matches!(char, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}');
    if line.chars().any(is_hebrew_or_arabic) { format!("\u{2068}{line}\u{2069}") } else { line }
}

fn sum(quotas: &[Quota]) -> Quota {
    let mut sum = Quota::default();
    quotas.iter().for_each(|quota| sum.add(quota));
    sum
}

/// How full, in percent, rounded down: 100 is full, not nearly so.
fn percent(quota: &Quota) -> u64 {
    match quota.target {
        Some(0) | None => 100,
        Some(target) => u64::try_from(u128::from(quota.completes) * 100 / u128::from(target)).unwrap_or(u64::MAX),
    }
}

fn bar(quota: &Quota) -> String {
    let percent = percent(quota);
    let full = usize::try_from((percent * BAR_CHARS / 100).min(BAR_CHARS)).unwrap_or(0);
    let rest = usize::try_from(BAR_CHARS).unwrap_or(0) - full;
    format!("{}{} {percent:>3} %", "█".repeat(full), "░".repeat(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::{QuotaAxis, TableKind};

    fn table(in_field: bool) -> QuotaTable {
        let axis = |question, labels: &[&str]| QuotaAxis {
            question: Some(question),
            name: None,
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            conditions: vec![Vec::new(); labels.len()],
        };
        let quota = |(index, target): (usize, u64)| Quota {
            id: in_field.then(|| format!("q{index}")),
            target: Some(target),
            completes: if in_field { [20, 5, 0, 31][index] } else { 0 },
            prescreens: 0,
            counted_at: Default::default(),
        };
        QuotaTable {
            profile: None,
            name: "A & B".into(),
            kind: TableKind::Interlock,
            enabled: true,
            axes: vec![axis(42, &["18-34", "35-99"]), axis(43, &["option 1", "the \"rest\""])],
            cells: [20, 20, 29, 31].into_iter().enumerate().map(quota).collect(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn a_planned_table_prints_its_targets() {
        let expected = "       option 1  the \"rest\"  total\n\
                        18-34        20          20     40\n\
                        35-99        29          31     60\n\
                        total        49          51    100";
        assert_eq!(table(false).to_string(), expected);
    }

    #[test]
    fn a_table_in_field_prints_what_came_in_and_bars() {
        let expected = "       option 1  the \"rest\"   total\n\
                        18-34     20/20        5/20   25/40  ██████░░░░  62 %\n\
                        35-99      0/29       31/31   31/60  █████░░░░░  51 %\n\
                        total     20/49       36/51  56/100  █████░░░░░  56 %";
        assert_eq!(table(true).to_string(), expected);
    }

    #[test]
    fn csv_quotes_and_svg_escapes_what_it_must() {
        let csv = table(true).to_csv();
        assert!(csv.starts_with("question 42,question 43,target,completes,prescreens,remaining,quota_id\r\n"));
        assert!(csv.contains("18-34,\"the \"\"rest\"\"\",20,5,0,15,q1\r\n"), "{csv}");
        let svg = table(true).to_svg();
        assert!(svg.contains("<title>A &amp; B</title>") && svg.contains("the &quot;rest&quot;"), "{svg}");
        assert_eq!(svg.matches("<g><title>").count(), 10, "four cells, five sums, and what the columns are");
        assert!(svg.contains("0 % to 100 % completed") && svg.contains("question 43"), "{svg}");
        assert!(table(false).to_svg().contains("0 to 31 people in a cell"));
    }

    #[test]
    fn wide_labels_keep_columns_and_formulas_are_none() {
        let mut wide = table(false);
        wide.axes[0].labels = vec!["青年".into(), "e\u{301}ge\u{301}".into()];
        wide.axes[1].labels = vec!["=1+1".into(), "نساء".into()];
        let text = wide.to_string();
        let ends: Vec<usize> = text.lines().map(|line| line.replace(['\u{2068}', '\u{2069}'], "").width()).collect();
        assert!(ends.iter().all(|end| *end == ends[0]), "{text}");
        assert!(wide.to_csv().contains("青年,'=1+1,20,"), "{}", wide.to_csv());
        for sign in ['＝', '＋', '－', '＠'] {
            wide.axes[1].labels[0] = format!("{sign}1");
            assert!(wide.to_csv().contains(&format!("青年,'{sign}1,20,")), "{}", wide.to_csv());
        }
        wide.axes[1].labels[0] = "a header that is longer than the column".into();
        assert!(wide.to_svg().contains(">a header that is</text>"), "{}", wide.to_svg());
    }

    #[test]
    fn counts_without_a_time_go_up_alone() {
        let mut table = table(true);
        assert!(table.update("q1", 6, 9));
        assert!(!table.update("q1", 6, 9), "the same again");
        assert!(!table.update("q1", 5, 8), "an older one");
        assert!(!table.update("other", 7, 9));
        assert_eq!(table.cell([0, 1]).unwrap().completes, 6);
    }

    #[test]
    fn counts_at_a_time_go_down_again_and_stay_so_over_restarts() {
        let at = |second| jiff::Timestamp::from_second(second).unwrap();
        let mut table = table(true);
        table.read_at(at(10));
        assert!(table.update_at("q1", at(11), 6, 9));
        assert!(table.update_at("q1", at(12), 5, 9), "one was turned back");
        let kept = serde_json::to_string(&table).unwrap();
        let mut table: QuotaTable = serde_json::from_str(&kept).unwrap();
        assert!(!table.update_at("q1", at(11), 6, 9), "it came late");
        assert!(!table.update_at("q2", at(9), 0, 0) && !table.update_at("q3", at(9), 30, 0), "from before it was read");
        assert!(table.update_at("q3", at(13), 30, 0));
        assert_eq!((table.cell([0, 1]).unwrap().completes, table.cell([1, 1]).unwrap().completes), (5, 30));
    }
}
