//! A solution as a picture: a heat map that stands on its own, with a title and a legend. Columns are as wide as their
//! headers; colours mean the size of a cell before the field, and in field how far it is filled.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::error::TableError;
use crate::solution::Solution;
use crate::text::{Grid, one_line};

/// What the colours of a heat map mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Colours<'a> {
    /// How many people a cell shall have: for before the field.
    Size,
    /// Which part of its target is completed: for in field. One number for each cell.
    Fill(&'a [u64]),
}

/// How wide a narrow character is drawn at most, on average, in pixels at the size of the text.
const CHARACTER: usize = 8;
const LINE: usize = 16;
/// The longest line of a header, in narrow characters.
const LONGEST: usize = 16;
const MARGIN: usize = 12;

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
        if let Colours::Fill(completes) = colours
            && completes.len() != self.cells().len()
        {
            return Err(TableError::Length { what: "completes", given: completes.len(), expected: self.cells().len() });
        }
        let Grid { head, rows, labels } = self.grid();
        // The sums are left to the text; a map shows cells. A table of one axis has one column of them.
        let columns = (head.len() - labels - 1).max(1);
        let heads: Vec<Vec<String>> = match self.axes() {
            0 | 1 => head[..labels].iter().chain([&String::new()]).map(|label| wrapped(label)).collect(),
            _ => head[..labels + columns].iter().map(|label| wrapped(label)).collect(),
        };
        let rows: Vec<Vec<Vec<String>>> =
            rows.iter().map(|row| row.iter().map(|label| wrapped(label)).collect()).collect();
        let widest = |lines: &[String]| lines.iter().map(|line| line.width()).max().unwrap_or(0) * CHARACTER + MARGIN;
        let of_cells = (0..self.cells().len()).map(|cell| widest(&[self.shown(cell, colours)])).max().unwrap_or(0);
        let widths: Vec<usize> = heads
            .iter()
            .enumerate()
            .map(|(at, lines)| match at < labels {
                true => rows.iter().map(|row| widest(&row[at])).max().unwrap_or(0).max(widest(lines)),
                false => of_cells.max(widest(lines)),
            })
            .collect();
        let heights: Vec<usize> =
            rows.iter().map(|row| row.iter().map(Vec::len).max().unwrap_or(1) * LINE + MARGIN / 2).collect();
        let title = one_line(title);
        let top = MARGIN + 2 * LINE + heads.iter().map(Vec::len).max().unwrap_or(1) * LINE;
        let legend = self.legend(colours);
        let width = widths
            .iter()
            .sum::<usize>()
            .max(title.width() * CHARACTER * 5 / 4)
            .max(LEGEND + widest(std::slice::from_ref(&legend.2)));
        let (width, height) = (width + 2 * MARGIN, top + heights.iter().sum::<usize>() + 4 * LINE);

        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <text x=\"{MARGIN}\" y=\"{}\" font-size=\"16\" font-weight=\"bold\">{}</text>\n",
            MARGIN + LINE / 2 + 4,
            escaped(&title)
        );
        let mut x = MARGIN;
        for (at, (lines, width)) in heads.iter().zip(&widths).enumerate() {
            let (anchor, at_x) = if at < labels { ("start", x) } else { ("middle", x + width / 2) };
            let bottom = top - MARGIN / 2;
            text(&mut svg, lines, (at_x, bottom - (lines.len().max(1) - 1) * LINE), anchor, "font-weight=\"bold\"");
            x += width;
        }
        let mut y = top;
        for (row, (row_labels, height)) in rows.iter().zip(&heights).enumerate() {
            let mut x = MARGIN;
            for (lines, width) in row_labels.iter().zip(&widths) {
                let first = y + (height - lines.len() * LINE) / 2 + LINE - 4;
                text(&mut svg, lines, (x, first), "start", "");
                x += width;
            }
            for column in 0..columns {
                let width = widths[labels + column];
                self.draw(&mut svg, row * columns + column, colours, (x, y, width, *height));
                x += width;
            }
            y += height;
        }
        draw_legend(&mut svg, &legend, y + LINE);
        Ok(svg)
    }

    fn draw(
        &self,
        svg: &mut String,
        cell: usize,
        colours: Colours<'_>,
        (x, y, width, height): (usize, usize, usize, usize),
    ) {
        let (colour, is_dark) = self.colour(cell, colours);
        let names: Vec<String> =
            self.position(cell).iter().enumerate().map(|(axis, at)| one_line(&self.labels(axis)[*at])).collect();
        let (shown, ink) = (self.shown(cell, colours), if is_dark { "#ffffff" } else { "#222222" });
        let said = match colours {
            _ if self.is_excluded(cell) => "excluded".to_owned(),
            Colours::Size => self.cells()[cell].to_string(),
            Colours::Fill(completes) => format!("{} of {}", completes[cell], self.cells()[cell]),
        };
        let _ = writeln!(
            svg,
            "<g><title>{}: {said}</title><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             fill=\"{colour}\" stroke=\"#ffffff\"/><text x=\"{}\" y=\"{}\" text-anchor=\"middle\" \
             fill=\"{ink}\">{shown}</text></g>",
            escaped(&names.join(" × ")),
            x + width / 2,
            y + height / 2 + 5
        );
    }

    /// What is written into a cell.
    fn shown(&self, cell: usize, colours: Colours<'_>) -> String {
        match colours {
            _ if self.is_excluded(cell) => "–".to_owned(),
            Colours::Size => self.cells()[cell].to_string(),
            Colours::Fill(completes) => format!("{}/{}", completes[cell], self.cells()[cell]),
        }
    }

    /// A cell's colour, and whether it is a dark one.
    fn colour(&self, cell: usize, colours: Colours<'_>) -> (String, bool) {
        let most = self.cells().iter().copied().max().unwrap_or(0).max(1);
        let (count, part) = match colours {
            Colours::Size => (self.cells()[cell], self.cells()[cell] as f64 / most as f64),
            Colours::Fill(completes) => (completes[cell], completes[cell] as f64 / self.cells()[cell].max(1) as f64),
        };
        match colours {
            _ if self.is_excluded(cell) => ("#dddddd".into(), false),
            Colours::Fill(_) if count > self.cells()[cell] => (OVERFILLED.into(), true),
            Colours::Fill(_) if self.cells()[cell] == 0 => ("#f4f4f4".into(), false),
            Colours::Size => (mixed(SMALL, LARGE, part), part > 0.55),
            Colours::Fill(_) => (mixed(EMPTY, FULL, part), part > 0.55),
        }
    }

    /// The two ends of the scale, and what they mean.
    fn legend(&self, colours: Colours<'_>) -> (String, String, String) {
        match colours {
            Colours::Size => {
                let most = self.cells().iter().max().copied().unwrap_or(0);
                let words = format!("0 to {most} people in a cell; – is excluded");
                (mixed(SMALL, LARGE, 0.0), mixed(SMALL, LARGE, 1.0), words)
            }
            Colours::Fill(_) => {
                let words = "0 % to 100 % completed; orange is overfilled, – is excluded".to_owned();
                (mixed(EMPTY, FULL, 0.0), mixed(EMPTY, FULL, 1.0), words)
            }
        }
    }
}

/// The scale and what it means.
fn draw_legend(svg: &mut String, (from, to, words): &(String, String, String), below: usize) {
    let _ = write!(
        svg,
        "<defs><linearGradient id=\"scale\"><stop offset=\"0\" stop-color=\"{from}\"/><stop offset=\"1\" \
         stop-color=\"{to}\"/></linearGradient></defs>\n\
         <rect x=\"{MARGIN}\" y=\"{below}\" width=\"100\" height=\"12\" fill=\"url(#scale)\" stroke=\"#999999\"/>\n\
         <text x=\"{}\" y=\"{}\">{}</text>\n</svg>\n",
        MARGIN + LEGEND,
        below + 11,
        escaped(words)
    );
}

/// Where the words of the legend begin.
const LEGEND: usize = 110;

const SMALL: [u8; 3] = [0xF3, 0xF7, 0xFC];
const LARGE: [u8; 3] = [0x0B, 0x4F, 0x93];
const EMPTY: [u8; 3] = [0xF4, 0xFA, 0xF4];
const FULL: [u8; 3] = [0x1B, 0x6E, 0x3C];
const OVERFILLED: &str = "#b85c00";

fn mixed(from: [u8; 3], to: [u8; 3], part: f64) -> String {
    let part = part.clamp(0.0, 1.0);
    let mix = |at: usize| (f64::from(from[at]) + (f64::from(to[at]) - f64::from(from[at])) * part).round() as u8;
    format!("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2))
}

/// Lines of text, one below the other.
fn text(svg: &mut String, lines: &[String], (x, y): (usize, usize), anchor: &str, style: &str) {
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let y = y + number * LINE;
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" {style}>{}</text>", escaped(line));
    }
}

/// A label in lines that are not too long: broken between words, and where a word is too long, between characters.
fn wrapped(label: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in label.split_whitespace() {
        let last = lines.len() - 1;
        let space = usize::from(!lines[last].is_empty());
        if lines[last].width() + space + word.width() <= LONGEST {
            lines[last].push_str(&" ".repeat(space));
            lines[last].push_str(word);
            continue;
        }
        if space > 0 {
            lines.push(String::new());
        }
        for char in word.chars() {
            let last = lines.len() - 1;
            if lines[last].width() + char.width().unwrap_or(0) > LONGEST {
                lines.push(String::new());
            }
            let last = lines.len() - 1;
            lines[last].push(char);
        }
    }
    lines
}

/// Text that is no markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
