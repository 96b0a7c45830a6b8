//! What time it is in the simulation.
//! Follows the machine's clock, shifted by what a test has added, or stands
//! still until it is moved.

use jiff::{SignedDuration, Timestamp};

/// The simulation's clock.
#[derive(Clone, Debug)]
pub(crate) enum Clock {
    /// The machine's clock plus a shift.
    Following { shift: SignedDuration },
    /// A clock that only moves when told to.
    Standing { now: Timestamp },
}

impl Clock {
    pub(crate) fn following() -> Self {
        Self::Following { shift: SignedDuration::ZERO }
    }

    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::Following { shift } => plus(Timestamp::now(), *shift),
            Self::Standing { now } => *now,
        }
    }

    /// Moves the clock forward; it never goes back.
    pub(crate) fn advance(&mut self, by: SignedDuration) {
        let by = by.max(SignedDuration::ZERO);
        match self {
            Self::Following { shift } => *shift = shift.saturating_add(by),
            Self::Standing { now } => *now = plus(*now, by),
        }
    }
}

/// A later moment, stopping at the end of time instead of failing.
pub(crate) fn plus(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// RFC 3339 in UTC with three digits of a second, the form answers use.
pub(crate) fn text(at: Timestamp) -> String {
    let at = at.round(jiff::Unit::Millisecond).unwrap_or(at);
    format!("{at:.3}")
}

/// Reads RFC 3339; `None` when it is something else.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_three_digits() {
        let at = read("2025-01-28T08:22:18Z").unwrap();
        assert_eq!(text(at), "2025-01-28T08:22:18.000Z");
        assert_eq!(text(plus(at, SignedDuration::from_micros(1_500))), "2025-01-28T08:22:18.002Z");
    }

    #[test]
    fn a_standing_clock_moves_only_forward() {
        let mut clock = Clock::Standing { now: Timestamp::UNIX_EPOCH };
        clock.advance(SignedDuration::from_secs(5));
        clock.advance(SignedDuration::from_secs(-9));
        assert_eq!(clock.now().as_second(), 5);
    }
}
