//! Prints a quota table as text, CSV or SVG. Rows are all axes but the last, columns the last; a single axis is rows.

use std::fmt::{self, Write as _};

use super::{Quota, QuotaTable};

/// How wide a bar is, in characters.
const BAR: u64 = 10;

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

    /// Whether it is in field: then what came in is shown, too.
    fn in_field(&self) -> bool {
        self.cells.iter().any(|quota| quota.id.is_some() || quota.completes > 0)
    }

    fn text(&self, quota: &Quota) -> String {
        match (self.in_field(), quota.target) {
            (false, Some(target)) => target.to_string(),
            (true, Some(target)) => format!("{}/{target}", quota.completes),
            (true, None) => quota.completes.to_string(),
            (false, None) => "-".to_owned(),
        }
    }

    /// The table as CSV (RFC 4180): one line for each cell, with the labels of its axes.
    pub fn to_csv(&self) -> String {
        let mut csv = String::new();
        let mut line = |fields: &mut dyn Iterator<Item = String>| {
            let fields: Vec<String> = fields.map(|field| quoted(&field)).collect();
            csv.push_str(&fields.join(","));
            csv.push_str("\r\n");
        };
        let axes =
            self.axes.iter().map(|axis| axis.question.map_or("target".to_owned(), |id| format!("question {id}")));
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

    /// The table as a heat map: a standalone SVG, the fuller a cell the darker, the numbers in it.
    pub fn to_svg(&self) -> String {
        const WIDTH: usize = 96;
        const HEIGHT: usize = 32;
        let (rows, columns) = self.grid();
        let longest = (0..rows).map(|row| self.row_label(row).chars().count()).max().unwrap_or(0).max(5);
        let left = 16 + longest * 8;
        let shown = columns.max(1);
        let (width, height) = (left + (shown + 1) * WIDTH + 8, (rows + 2) * HEIGHT + 8);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
             <title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
            escaped(&self.name)
        );
        let text = |svg: &mut String, x: usize, row: usize, anchor: &str, color: &str, text: &str| {
            let y = row * HEIGHT + HEIGHT / 2 + 5;
            // Writing to a string cannot fail.
            let _ = writeln!(
                svg,
                "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{color}\">{}</text>",
                escaped(text)
            );
        };
        for (column, label) in self.column_labels().iter().enumerate() {
            text(&mut svg, left + column * WIDTH + WIDTH / 2, 0, "middle", "#222", label);
        }
        text(&mut svg, left + columns * WIDTH + WIDTH / 2, 0, "middle", "#222", "total");
        let cell = |svg: &mut String, row: usize, column: usize, quota: &Quota| {
            let (fill, ink) = heat(quota);
            let (x, y) = (left + column * WIDTH, row * HEIGHT);
            let (w, h) = (WIDTH - 2, HEIGHT - 2);
            let _ = writeln!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"{fill}\"/>");
            text(svg, x + WIDTH / 2, row, "middle", ink, &self.text(quota));
        };
        for row in 0..rows {
            let quotas = self.row(row);
            if columns > 0 {
                quotas.iter().enumerate().for_each(|(column, quota)| cell(&mut svg, row + 1, column, quota));
            }
            cell(&mut svg, row + 1, columns, &sum(quotas));
        }
        for (column, quota) in self.column_sums().iter().enumerate() {
            cell(&mut svg, rows + 1, column, quota);
        }
        cell(&mut svg, rows + 1, columns, &self.sum());
        for row in 0..rows {
            text(&mut svg, left - 8, row + 1, "end", "#222", &self.row_label(row));
        }
        text(&mut svg, left - 8, rows + 1, "end", "#222", "total");
        svg.push_str("</svg>\n");
        svg
    }

    fn column_sums(&self) -> Vec<Quota> {
        if self.axes.len() < 2 { Vec::new() } else { self.margin(self.axes.len() - 1) }
    }
}

impl fmt::Display for QuotaTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, columns) = self.grid();
        let labels: Vec<String> = (0..rows).map(|row| self.row_label(row)).collect();
        let first = labels.iter().map(|label| label.chars().count()).chain([5]).max().unwrap_or(5);
        let mut lines: Vec<(Vec<String>, Quota)> = Vec::new();
        for row in 0..rows {
            let quotas = self.row(row);
            let cells = if columns > 0 { quotas.iter().map(|quota| self.text(quota)).collect() } else { Vec::new() };
            lines.push((cells, sum(quotas)));
        }
        lines.push((self.column_sums().iter().map(|quota| self.text(quota)).collect(), self.sum()));
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let label = self.column_labels()[column].chars().count();
                lines.iter().map(|(cells, _)| cells[column].len()).max().unwrap_or(0).max(label)
            })
            .collect();
        let last = lines.iter().map(|(_, sum)| self.text(sum).len()).max().unwrap_or(0).max(5);
        write!(f, "{:first$}", "")?;
        for (label, width) in self.column_labels().iter().zip(&widths) {
            write!(f, "  {label:>width$}")?;
        }
        write!(f, "  {:>last$}", "total")?;
        let names = labels.iter().map(String::as_str).chain(["total"]);
        for (name, (cells, sum)) in names.zip(&lines) {
            write!(f, "\n{name:first$}")?;
            for (cell, width) in cells.iter().zip(&widths) {
                write!(f, "  {cell:>width$}")?;
            }
            write!(f, "  {:>last$}", self.text(sum))?;
            if self.in_field() && sum.target.is_some() {
                write!(f, "  {}", bar(sum))?;
            }
        }
        Ok(())
    }
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
    let full = usize::try_from((percent * BAR / 100).min(BAR)).unwrap_or(0);
    let rest = usize::try_from(BAR).unwrap_or(0) - full;
    format!("{}{} {percent:>3} %", "█".repeat(full), "░".repeat(rest))
}

/// The colour of a cell and of its text.
fn heat(quota: &Quota) -> (String, &'static str) {
    let percent = if quota.target.is_some() { percent(quota) } else { 0 };
    if percent > 100 {
        return ("#b3541e".to_owned(), "#fff");
    }
    // From a pale to a deep blue.
    let mix = |from: u64, to: u64| {
        if to > from { from + (to - from) * percent / 100 } else { from - (from - to) * percent / 100 }
    };
    let fill = format!("#{:02x}{:02x}{:02x}", mix(0xee, 0x1b), mix(0xf3, 0x4f), mix(0xf8, 0x8c));
    (fill, if percent > 55 { "#fff" } else { "#222" })
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // XML has no way to write control characters.
            char if char.is_control() => safe.push(' '),
            char => safe.push(char),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::{QuotaAxis, TableKind};

    fn table(in_field: bool) -> QuotaTable {
        let axis = |question, labels: &[&str]| QuotaAxis {
            question: Some(question),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            conditions: vec![Vec::new(); labels.len()],
        };
        let quota = |(index, target): (usize, u64)| Quota {
            id: in_field.then(|| format!("q{index}")),
            target: Some(target),
            completes: if in_field { [20, 5, 0, 31][index] } else { 0 },
            prescreens: 0,
        };
        QuotaTable {
            profile: None,
            name: "A & B".into(),
            kind: TableKind::Interlock,
            enabled: true,
            axes: vec![axis(42, &["18-34", "35-99"]), axis(43, &["option 1", "the \"rest\""])],
            cells: [20, 20, 29, 31].into_iter().enumerate().map(quota).collect(),
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
        assert_eq!(svg.matches("<rect x=").count(), 9, "four cells and five sums");
    }

    #[test]
    fn events_count_up_and_never_back() {
        let mut table = table(true);
        assert!(table.update("q1", 6, 9));
        assert!(!table.update("q1", 6, 9), "the same again");
        assert!(!table.update("q1", 5, 8), "an older one");
        assert!(!table.update("other", 7, 9));
        assert_eq!(table.cell([0, 1]).unwrap().completes, 6);
    }
}
