//! What is wrong with an input, and where.
//! A command collects every problem it can find before it gives up.

use std::fmt;

/// One defect of an input document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// Line in the source text, where it is known.
    pub(crate) line: Option<usize>,
    /// JSON pointer from the document's root; empty for the document itself.
    pub(crate) pointer: String,
    /// What is wrong, and what is allowed.
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn at(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { line: None, pointer: pointer.into(), message: message.into() }
    }
}

/// Every defect found in one input; never empty when it is returned as an error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problems {
    source: String,
    list: Vec<Problem>,
}

impl Problems {
    pub(crate) fn new(source: impl Into<String>) -> Self {
        Self { source: source.into(), list: Vec::new() }
    }

    pub(crate) fn one(source: impl Into<String>, problem: Problem) -> Self {
        Self { source: source.into(), list: vec![problem] }
    }

    pub(crate) fn push(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    pub(crate) fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        self.list.extend(problems);
    }

    #[cfg(test)]
    pub(crate) fn list(&self) -> &[Problem] {
        &self.list
    }

    /// Adds the line of each pointer that has none yet.
    pub(crate) fn locate(mut self, line_of: impl Fn(&str) -> Option<usize>) -> Self {
        for problem in &mut self.list {
            if problem.line.is_none() {
                problem.line = line_of(&problem.pointer);
            }
        }
        self.list.sort();
        self.list.dedup();
        self
    }

    /// `Ok` when nothing was found.
    pub(crate) fn into_result(self) -> Result<(), Self> {
        if self.list.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.list.len() == 1 { "problem" } else { "problems" };
        write!(f, "{}: {} {noun}", self.source, self.list.len())?;
        for Problem { line, pointer, message } in &self.list {
            let pointer = if pointer.is_empty() { "/" } else { pointer };
            match line {
                Some(line) => write!(f, "\n  line {line}: {pointer}: {message}")?,
                None => write!(f, "\n  {pointer}: {message}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
