//! Tables as pictures: a heat map that stands on its own, with a title, sums and a legend. Columns are as wide as their
//! headers; colours mean the size of a cell before the field, and in field how far it is filled.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::error::TableError;
use crate::solution::Solution;
use crate::text::one_line;

/// What the colours of a heat map mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Colours<'a> {
    /// How many people a cell shall have: for before the field.
    Size,
    /// Which part of its target is completed: for in field. One number for each cell.
    Fill(&'a [u64]),
}

/// A table to draw: what [`Solution::to_svg`] draws, for tables that come from elsewhere.
///
/// ```
/// use cintx_quota::HeatMap;
///
/// let map = HeatMap::new("Read back", [("gender", ["men", "women"])], [Some(49), Some(51)]);
/// assert!(map.clone().to_svg()?.contains("0 to 51 people"));
/// assert!(map.completes([12, 60]).to_svg()?.contains(">60/51</text>"));
/// # Ok::<(), cintx_quota::TableError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeatMap {
    title: String,
    names: Vec<String>,
    labels: Vec<Vec<String>>,
    targets: Vec<Option<u64>>,
    completes: Option<Vec<u64>>,
}

impl Solution {
    /// The table as a standalone SVG. Labels may be long, wide or written from right to left.
    ///
    /// ```
    /// # use cintx_quota::{Axis, Colours, Table};
    /// let table = Table::builder()
    ///     .axis(Axis::counts("age", [("18-34", 12), ("35+", 8)]))
    ///     .axis(Axis::counts("region", [("North", 11), ("South", 9)]))
    ///     .build()?;
    /// let solution = table.solve()?;
    /// assert!(solution.to_svg("Planned", Colours::Size)?.starts_with("<svg "));
    /// let svg = solution.to_svg("After two days", Colours::Fill(&[7, 2, 4, 5]))?;
    /// assert!(svg.contains("<title>18-34 × South: 2 of 5</title>"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TableError::Length`] if there are more or fewer completes than cells.
    pub fn to_svg(&self, title: &str, colours: Colours<'_>) -> Result<String, TableError> {
        let axes = (0..self.axes()).map(|axis| (self.name(axis).unwrap_or_default(), self.labels(axis)));
        let target = |(cell, count): (usize, &u64)| (!self.is_excluded(cell)).then_some(*count);
        let map = HeatMap::new(title, axes, self.cells().iter().enumerate().map(target));
        match colours {
            Colours::Size => map,
            Colours::Fill(completes) => map.completes(completes.iter().copied()),
        }
        .to_svg()
    }
}

impl HeatMap {
    /// A table with the name and the labels of each axis, and the target of each cell, last axis fastest. A cell without
    /// a target is a dash.
    pub fn new<N: Into<String>, L: Into<String>>(
        title: impl Into<String>,
        axes: impl IntoIterator<Item = (N, impl IntoIterator<Item = L>)>,
        targets: impl IntoIterator<Item = Option<u64>>,
    ) -> Self {
        let (mut names, mut labels) = (Vec::new(), Vec::new());
        for (name, own) in axes {
            names.push(one_line(&name.into()));
            labels.push(own.into_iter().map(|label| one_line(&label.into())).collect());
        }
        let targets = targets.into_iter().collect();
        Self { title: one_line(&title.into()), names, labels, targets, completes: None }
    }

    /// What is completed of each cell: colours mean how far it is filled.
    #[must_use]
    pub fn completes(self, completes: impl IntoIterator<Item = u64>) -> Self {
        Self { completes: Some(completes.into_iter().collect()), ..self }
    }

    /// The picture, as a standalone SVG.
    ///
    /// # Errors
    /// [`TableError::Length`] if there are more or fewer targets or completes than cells.
    pub fn to_svg(&self) -> Result<String, TableError> {
        // Without axes there is one cell, or none.
        let expected = match self.labels.is_empty() {
            true => self.targets.len().min(1),
            false => self.labels.iter().map(Vec::len).product(),
        };
        let completes = self.completes.as_ref().map_or(expected, Vec::len);
        for (what, given) in [("targets", self.targets.len()), ("completes", completes)] {
            if given != expected {
                return Err(TableError::Length { what, given, expected });
            }
        }
        Ok(Drawing::of(self).draw())
    }

    /// How many columns there are: the categories of the last of several axes, or one.
    fn columns(&self) -> usize {
        if self.labels.len() < 2 { 1 } else { self.labels.last().map_or(1, Vec::len) }
    }

    /// The axes whose categories stand at the rows.
    fn row_axes(&self) -> usize {
        if self.labels.len() < 2 { self.labels.len() } else { self.labels.len() - 1 }
    }

    fn position(&self, mut cell: usize) -> Vec<usize> {
        let mut position = vec![0; self.labels.len()];
        for (at, labels) in position.iter_mut().zip(&self.labels).rev() {
            *at = cell % labels.len().max(1);
            cell /= labels.len().max(1);
        }
        position
    }

    /// The labels of a cell in the first so many axes.
    fn label(&self, cell: usize, axes: usize) -> String {
        let labels = self.position(cell).into_iter().zip(&self.labels).take(axes).filter_map(|(at, own)| own.get(at));
        labels.cloned().collect::<Vec<_>>().join(" × ")
    }

    fn count(&self, cell: usize) -> Count {
        Count { target: self.targets[cell], completes: self.completes.as_ref().map(|completes| completes[cell]) }
    }

    /// All of these cells together.
    fn sum(&self, cells: impl Iterator<Item = usize>) -> Count {
        let none = Count { target: None, completes: self.completes.as_ref().map(|_| 0) };
        cells.map(|cell| self.count(cell)).fold(none, |sum, count| Count {
            target: match (sum.target, count.target) {
                (Some(sum), Some(target)) => Some(sum.saturating_add(target)),
                (sum, target) => sum.or(target),
            },
            completes: sum.completes.zip(count.completes).map(|(sum, completes)| sum.saturating_add(completes)),
        })
    }
}

/// What is written into a cell, or into a sum.
#[derive(Clone, Copy)]
struct Count {
    target: Option<u64>,
    completes: Option<u64>,
}

impl Count {
    fn shown(self) -> String {
        match (self.target, self.completes) {
            (None, None | Some(0)) => "–".to_owned(),
            (None, Some(completes)) => completes.to_string(),
            (Some(target), None) => target.to_string(),
            (Some(target), Some(completes)) => format!("{completes}/{target}"),
        }
    }

    fn said(self) -> String {
        match (self.target, self.completes) {
            (None, None | Some(0)) => "no target".to_owned(),
            (None, Some(completes)) => format!("{completes}, no target"),
            (Some(target), None) => target.to_string(),
            (Some(target), Some(completes)) => format!("{completes} of {target}"),
        }
    }

    /// The colour: by size, relative to the most, or by how far it is filled.
    fn colour(self, most: u64) -> [u8; 3] {
        match (self.target, self.completes) {
            (None, _) => NOTHING,
            (Some(target), None) => mixed(SMALL, LARGE, target as f64 / most.max(1) as f64),
            (Some(target), Some(completes)) if completes > target => OVERFILLED,
            (Some(0), Some(_)) => SUM,
            (Some(target), Some(completes)) => mixed(EMPTY, FULL, completes as f64 / target as f64),
        }
    }
}

const LINE: usize = 16;
/// The longest line of a header, in narrow characters.
const LONGEST: usize = 16;
/// The longest word that is not broken.
const MAX_WORD: usize = 20;
const MARGIN: usize = 12;
/// Between the text of a column and the next one.
const GAP: usize = 14;
/// How wide the scale is.
const SCALE: usize = 100;

const SMALL: [u8; 3] = [0xF3, 0xF7, 0xFC];
const LARGE: [u8; 3] = [0x0B, 0x4F, 0x93];
const EMPTY: [u8; 3] = [0xF1, 0xF8, 0xF1];
const FULL: [u8; 3] = [0x1B, 0x6E, 0x3C];
const OVERFILLED: [u8; 3] = [0xB8, 0x5C, 0x00];
const NOTHING: [u8; 3] = [0xDD, 0xDD, 0xDD];
const SUM: [u8; 3] = [0xF4, 0xF4, 0xF4];
const DARK: &str = "#111111";
const BOLD: &str = " font-weight=\"bold\"";

/// A heat map under way: its text in lines, and where everything stands.
struct Drawing<'a> {
    map: &'a HeatMap,
    /// The headers of all columns: names of the axes at the rows, categories, and the sum.
    heads: Vec<Vec<String>>,
    /// For each row the labels of its categories.
    rows: Vec<Vec<Vec<String>>>,
    widths: Vec<usize>,
    heights: Vec<usize>,
    /// Where the first row begins.
    top: usize,
    svg: String,
}

impl<'a> Drawing<'a> {
    fn of(map: &'a HeatMap) -> Self {
        let (axes, columns) = (map.row_axes(), map.columns());
        let has_columns = map.labels.len() > 1;
        let lines_of = |label: &String| wrapped(label);
        let categories = map.labels.last().filter(|_| has_columns).map(|labels| labels.iter().map(lines_of));
        let last = if has_columns { vec![vec!["total".to_owned()]] } else { vec![Vec::new()] };
        let names = map.names.iter().take(axes).map(lines_of);
        let heads: Vec<Vec<String>> = names.chain(categories.into_iter().flatten()).chain(last).collect();
        let rows: Vec<Vec<Vec<String>>> = (0..map.targets.len() / columns.max(1))
            .map(|row| {
                let position = map.position(row * columns);
                position.iter().zip(&map.labels).take(axes).map(|(at, labels)| wrapped(&labels[*at])).collect()
            })
            .collect();
        let mut drawing =
            Self { map, heads, rows, widths: Vec::new(), heights: Vec::new(), top: 0, svg: String::new() };
        drawing.widths = (0..drawing.heads.len()).map(|column| drawing.width(column)).collect();
        let lines = |row: &Vec<Vec<String>>| row.iter().map(Vec::len).max().unwrap_or(1).max(1) * LINE + MARGIN / 2;
        drawing.heights = drawing.rows.iter().map(lines).chain([LINE + MARGIN / 2]).collect();
        let over_columns = if has_columns { LINE } else { 0 };
        let deepest = drawing.heads.iter().map(Vec::len).max().unwrap_or(1);
        drawing.top = 2 * MARGIN + LINE + over_columns + deepest * LINE + MARGIN / 2;
        drawing
    }

    /// How wide a column must be for all that stands in it.
    fn width(&self, column: usize) -> usize {
        let (axes, columns) = (self.map.row_axes(), self.map.columns());
        let head = self.heads[column].iter().map(|line| pixels(line, true)).max().unwrap_or(0);
        let widest = match column.checked_sub(axes) {
            None => {
                let lines = self.rows.iter().flat_map(|row| &row[column]).map(|line| pixels(line, false));
                lines.chain((column == 0).then(|| pixels("total", true))).max().unwrap_or(0)
            }
            // All columns have room for the longest cell, so that a map stays even, and for their own sums.
            Some(at) => {
                let cells = self.map.targets.len();
                let counts = (0..cells).map(|cell| pixels(&self.map.count(cell).shown(), false));
                let rows = (0..self.rows.len()).map(|row| row * columns..(row + 1) * columns);
                let sums: Vec<Count> = match at < columns && self.map.labels.len() > 1 {
                    true => vec![self.map.sum((at..cells).step_by(columns))],
                    false => rows.chain(std::iter::once(0..cells)).map(|cells| self.map.sum(cells)).collect(),
                };
                counts.chain(sums.into_iter().map(|sum| pixels(&sum.shown(), true))).max().unwrap_or(0)
            }
        };
        head.max(widest) + GAP
    }

    fn draw(mut self) -> String {
        let legend = self.legend();
        let words = legend.iter().map(|(_, words)| SCALE + 10 + pixels(words, false)).max().unwrap_or(0);
        // The title is larger than the rest by a quarter.
        let title = pixels(&self.map.title, true) * 5 / 4;
        let width = self.widths.iter().sum::<usize>().max(title).max(words) + 2 * MARGIN;
        let bottom = self.top + self.heights.iter().sum::<usize>();
        let height = bottom + MARGIN + legend.len() * (LINE + 2) + MARGIN;
        let _ = write!(
            self.svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"Helvetica, Arial, 'Liberation Sans', 'Noto Sans', sans-serif\" \
             font-size=\"13\" fill=\"{DARK}\">\n<title>{0}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <text x=\"{MARGIN}\" y=\"{1}\" font-size=\"16\" font-weight=\"bold\">{0}</text>\n",
            escaped(&self.map.title),
            MARGIN + LINE
        );
        self.draw_heads();
        self.draw_rows();
        self.draw_sums(bottom - LINE - MARGIN / 2);
        for (number, (scale, words)) in legend.into_iter().enumerate() {
            self.draw_legend(scale, &words, bottom + MARGIN + number * (LINE + 2));
        }
        self.svg.push_str("</svg>\n");
        self.svg
    }

    fn draw_heads(&mut self) {
        let axes = self.map.row_axes();
        if self.map.labels.len() > 1 {
            let columns: usize = self.widths[axes..self.widths.len() - 1].iter().sum();
            let middle = MARGIN + self.widths[..axes].iter().sum::<usize>() + columns / 2;
            let name = self.map.names.last().cloned().unwrap_or_default();
            // A name that is longer than its columns is cut, and whole in its tooltip.
            let shown = shortened(&name, columns);
            let y = 2 * MARGIN + 2 * LINE - 2;
            let _ = writeln!(
                self.svg,
                "<g><title>{}</title><text x=\"{middle}\" y=\"{y}\" text-anchor=\"middle\"{BOLD}>{}</text></g>",
                escaped(&name),
                escaped(&shown)
            );
        }
        let (mut x, bottom) = (MARGIN, self.top - MARGIN / 2);
        for (at, (lines, width)) in self.heads.iter().zip(&self.widths).enumerate() {
            let (anchor, at_x) = if at < axes { ("start", x) } else { ("middle", x + width / 2) };
            text(&mut self.svg, lines, (at_x, bottom - (lines.len().max(1) - 1) * LINE), anchor, BOLD);
            x += width;
        }
    }

    fn draw_rows(&mut self) {
        let (axes, columns, mut y) = (self.map.row_axes(), self.map.columns(), self.top);
        let most = self.map.targets.iter().flatten().copied().max().unwrap_or(0);
        for row in 0..self.rows.len() {
            let (mut x, height) = (MARGIN, self.heights[row]);
            for (lines, width) in self.rows[row].iter().zip(&self.widths) {
                text(&mut self.svg, lines, (x, y + (height - lines.len() * LINE) / 2 + LINE - 4), "start", "");
                x += width;
            }
            for cell in row * columns..(row + 1) * columns {
                let (count, width) = (self.map.count(cell), self.widths[axes + cell - row * columns]);
                let title = format!("{}: {}", self.map.label(cell, axes + 1), count.said());
                self.draw_count(count, (&title, ""), count.colour(most), (x, y, width, height));
                x += width;
            }
            if self.map.labels.len() > 1 {
                let sum = self.map.sum(row * columns..(row + 1) * columns);
                self.draw_sum(sum, self.map.label(row * columns, axes), (x, y, self.widths[axes + columns], height));
            }
            y += height;
        }
    }

    /// The row of sums at the bottom.
    fn draw_sums(&mut self, y: usize) {
        let (axes, columns, cells) = (self.map.row_axes(), self.map.columns(), self.map.targets.len());
        text(&mut self.svg, &["total".to_owned()], (MARGIN, y + LINE), "start", BOLD);
        let mut x = MARGIN + self.widths[..axes].iter().sum::<usize>();
        if self.map.labels.len() > 1 {
            for column in 0..columns {
                let sum = self.map.sum((column..cells).step_by(columns));
                let label = self.map.labels.last().map_or_else(String::new, |labels| labels[column].clone());
                self.draw_sum(sum, label, (x, y, self.widths[axes + column], LINE + MARGIN / 2));
                x += self.widths[axes + column];
            }
        }
        let width = self.widths.last().copied().unwrap_or(0);
        self.draw_sum(self.map.sum(0..cells), "total".to_owned(), (x, y, width, LINE + MARGIN / 2));
    }

    /// A sum: coloured in field only, since a sum is larger than any cell.
    fn draw_sum(&mut self, sum: Count, label: String, place: (usize, usize, usize, usize)) {
        let colour = if self.map.completes.is_some() { sum.colour(0) } else { SUM };
        let title = format!("{label}: {}", sum.said());
        self.draw_count(sum, (&title, BOLD), colour, place);
    }

    fn draw_count(
        &mut self,
        count: Count,
        (title, style): (&str, &str),
        colour: [u8; 3],
        (x, y, width, height): (usize, usize, usize, usize),
    ) {
        let ([red, green, blue], ink) = (colour, ink(colour));
        let _ = writeln!(
            self.svg,
            "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             fill=\"#{red:02x}{green:02x}{blue:02x}\" stroke=\"#ffffff\"/><text x=\"{}\" y=\"{}\" \
             text-anchor=\"middle\" fill=\"{ink}\"{style}>{}</text></g>",
            escaped(title),
            x + width / 2,
            y + height / 2 + 5,
            count.shown()
        );
    }

    /// What colours mean: for each line a scale or one colour, and the words.
    fn legend(&self) -> Vec<(Scale, String)> {
        let has_gaps = self.map.targets.contains(&None);
        let mut lines = vec![match &self.map.completes {
            None => {
                let most = self.map.targets.iter().flatten().max().copied().unwrap_or(0);
                (Scale::Between("size", SMALL, LARGE), format!("0 to {most} people in a cell"))
            }
            Some(_) => (Scale::Between("fill", EMPTY, FULL), "0 % to 100 % completed".to_owned()),
        }];
        let is_over =
            |cell: usize| self.map.completes.as_ref().is_some_and(|completes| completes[cell] > self.goal(cell));
        if (0..self.map.targets.len()).any(is_over) {
            lines.push((Scale::One(OVERFILLED), "more than the target".to_owned()));
        }
        if has_gaps {
            lines.push((Scale::One(NOTHING), "no target".to_owned()));
        }
        lines
    }

    fn goal(&self, cell: usize) -> u64 {
        self.map.targets[cell].unwrap_or(u64::MAX)
    }

    fn draw_legend(&mut self, scale: Scale, words: &str, y: usize) {
        let hex = |[red, green, blue]: [u8; 3]| format!("#{red:02x}{green:02x}{blue:02x}");
        let fill = match scale {
            Scale::One(colour) => hex(colour),
            Scale::Between(name, from, to) => {
                let _ = writeln!(
                    self.svg,
                    "<defs><linearGradient id=\"cintx-{name}\"><stop offset=\"0\" stop-color=\"{}\"/><stop offset=\"1\" \
                     stop-color=\"{}\"/></linearGradient></defs>",
                    hex(from),
                    hex(to)
                );
                format!("url(#cintx-{name})")
            }
        };
        let _ = writeln!(
            self.svg,
            "<rect x=\"{MARGIN}\" y=\"{y}\" width=\"{SCALE}\" height=\"12\" fill=\"{fill}\" stroke=\"#999999\"/>\n\
             <text x=\"{}\" y=\"{}\">{}</text>",
            MARGIN + SCALE + 10,
            y + 11,
            escaped(words)
        );
    }
}

/// What a line of the legend shows.
#[derive(Clone, Copy)]
enum Scale {
    One([u8; 3]),
    /// A gradient. Its name is the same in all pictures that mean the same: several may stand in one page.
    Between(&'static str, [u8; 3], [u8; 3]),
}

fn mixed(from: [u8; 3], to: [u8; 3], part: f64) -> [u8; 3] {
    let part = part.clamp(0.0, 1.0);
    [0, 1, 2].map(|at| (f64::from(from[at]) + (f64::from(to[at]) - f64::from(from[at])) * part).round() as u8)
}

/// Dark or light text, whichever is read more easily on a colour: by the contrast of WCAG 2.
fn ink(colour: [u8; 3]) -> &'static str {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let [red, green, blue] = colour.map(linear);
    let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    // Of the text: 1 for white, 0.006 for the dark.
    let (to_white, to_dark) = (1.05 / (luminance + 0.05), (luminance + 0.05) / 0.056);
    if to_white > to_dark { "#ffffff" } else { DARK }
}

/// How wide a text is drawn at most, at the size of the table. Not the font's own widths, which nobody knows here: those
/// of common ones without serifs, with room to spare.
fn pixels(text: &str, bold: bool) -> usize {
    let tenths = |char: char| match (char.width().unwrap_or(0), char) {
        (0, _) => 0,
        (2, _) => 135,
        (
            _,
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | '(' | ')' | '[' | ']' | ' ' | 'f' | 't'
            | 'r',
        ) => 50,
        (_, 'm' | 'w' | 'M' | 'W' | '%' | '@' | '—') => 125,
        (_, 'A'..='Z' | '&' | '+' | '=' | '<' | '>' | '×') => 97,
        _ => 80,
    };
    let sum: usize = text.chars().map(tenths).sum();
    (if bold { sum * 21 / 20 } else { sum }).div_ceil(10)
}

/// As much of a text as fits, with an ellipsis where it does not.
fn shortened(text: &str, width: usize) -> String {
    if pixels(text, true) <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    for char in text.chars() {
        shown.push(char);
        if pixels(&shown, true) + 14 > width {
            shown.pop();
            break;
        }
    }
    format!("{}…", shown.trim_end())
}

/// Lines of text, one below the other.
fn text(svg: &mut String, lines: &[String], (x, y): (usize, usize), anchor: &str, style: &str) {
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let y = y + number * LINE;
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\"{style}>{}</text>", escaped(line));
    }
}

/// A label in lines that are not too long: broken between words and after hyphens, and where a word is far too long, into
/// equal parts.
fn wrapped(label: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in label.split_whitespace() {
        let mut is_new_word = true;
        for part in word.split_inclusive(['-', '/', '–']).flat_map(parts) {
            let Some(last) = lines.last_mut() else { break };
            let space = if is_new_word && !last.is_empty() { " " } else { "" };
            if last.is_empty() || last.width() + space.len() + part.width() <= LONGEST {
                last.push_str(space);
                last.push_str(&part);
            } else {
                lines.push(part);
            }
            is_new_word = false;
        }
    }
    lines
}

/// A word in parts, as long as each other; with hyphens in scripts that are written with spaces.
fn parts(word: &str) -> Vec<String> {
    let is_wide = word.chars().any(|char| char.width() == Some(2));
    if word.width() <= if is_wide { LONGEST } else { MAX_WORD } {
        return vec![word.to_owned()];
    }
    let hyphen = if is_wide { "" } else { "-" };
    let count = word.width().div_ceil(LONGEST - hyphen.len());
    let mut parts = vec![String::new()];
    let (mut so_far, whole) = (0, word.width());
    for char in word.chars() {
        let width = char.width().unwrap_or(0);
        // What takes no room belongs to the character before it.
        if width > 0 && so_far > 0 && so_far + width > (whole * parts.len()).div_ceil(count) {
            parts.push(String::new());
        }
        so_far += width;
        if let Some(last) = parts.last_mut() {
            last.push(char);
        }
    }
    let last = parts.len() - 1;
    parts[..last].iter_mut().for_each(|part| part.push_str(hyphen));
    parts
}

/// Text that is no markup, without what XML cannot hold.
fn escaped(text: &str) -> String {
    let text = text.replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
