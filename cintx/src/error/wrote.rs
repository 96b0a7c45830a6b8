//! The verdict of a call that makes several requests: once one of them has changed something, the whole took effect.

use super::{Error, Outcome};

/// Whether a request of several has changed something: the call as a whole then took effect, though a later one fails.
#[derive(Debug, Default)]
pub(crate) struct Wrote(bool);

impl Wrote {
    /// The result of a request that changes something.
    pub(crate) fn of<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        let result = self.after(result);
        self.0 |= result.is_ok();
        result
    }

    /// The result of a request that only reads, or of what comes to nothing by itself.
    pub(crate) fn after<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| match error.outcome() {
            Outcome::NotSent | Outcome::NoEffect | Outcome::Unknown if self.0 => error.after_write(),
            _ => error,
        })
    }

    /// Takes note of what was done before, by an earlier run for example.
    pub(crate) fn earlier(&mut self, has_effect: bool) {
        self.0 |= has_effect;
    }
}
