//! What a command did, a line per pass, printed the same way every time.
//! Golden files hold these reports, so a change in an input shows as a change in a line.

use std::fmt;

/// The printed report of one command.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    title: String,
    lines: Vec<(String, usize, String)>,
    notes: Vec<String>,
}

impl Report {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), lines: Vec::new(), notes: Vec::new() }
    }

    /// One pass: its name, how many nodes it changed, and what it does.
    pub(crate) fn line(&mut self, name: &str, count: usize, what: &str) {
        self.lines.push((name.to_owned(), count, what.to_owned()));
    }

    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.title)?;
        let width = self.lines.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
        for (name, count, what) in &self.lines {
            write!(f, "\n  {name:width$} {count:>5}  {what}")?;
        }
        for note in &self.notes {
            write!(f, "\n  {note}")?;
        }
        Ok(())
    }
}
