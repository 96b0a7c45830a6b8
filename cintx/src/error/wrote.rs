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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_not_known_of_a_later_write_leaves_the_whole_applied() {
        let unknown = || Err::<(), _>(Error::timeout("a test", Duration::ZERO));
        let mut wrote = Wrote::default();
        assert_eq!(wrote.of(unknown()).unwrap_err().outcome(), Outcome::Unknown, "nothing was done before it");
        wrote.of(Ok(())).unwrap();
        let error = wrote.of(unknown()).unwrap_err();
        assert_eq!(error.outcome(), Outcome::Applied);
        assert_eq!(error.in_doubt_after_write().map(Error::outcome), Some(Outcome::Unknown));
        assert!(error.is_timeout(), "the cause is still seen");
    }
}
