//! What time it is in the simulation.
//! Follows the machine's clock, at its pace or another, shifted by what a
//! test has added; or stands still until it is moved.

use jiff::{SignedDuration, Timestamp};
use std::time::Instant;

/// The simulation's clock.
#[derive(Clone, Debug)]
pub(crate) enum Clock {
    /// Runs on from a moment of the machine's clock, so many times as fast.
    Running { from: Timestamp, since: Instant, speed: f64, shift: SignedDuration },
    /// A clock that only moves when told to.
    Standing { now: Timestamp },
}

impl Clock {
    /// So many times as fast as the machine's clock.
    pub(crate) fn running(speed: f64) -> Self {
        Self::Running { from: Timestamp::now(), since: Instant::now(), speed, shift: SignedDuration::ZERO }
    }

    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::Running { from, since, speed, shift } => {
                let passed = since.elapsed().as_secs_f64() * speed;
                let passed = SignedDuration::try_from_secs_f64(passed).unwrap_or(SignedDuration::MAX);
                plus(*from, passed.saturating_add(*shift))
            }
            Self::Standing { now } => *now,
        }
    }

    /// The time that counts for subscribers, whose own clocks do not hurry:
    /// moved with this one, but at the machine's pace.
    pub(crate) fn unhurried(&self) -> Timestamp {
        match self {
            Self::Running { shift, .. } => plus(Timestamp::now(), *shift),
            Self::Standing { now } => *now,
        }
    }

    /// The same clock, begun anew.
    pub(crate) fn restarted(&self) -> Self {
        match self {
            Self::Running { speed, .. } => Self::running(*speed),
            Self::Standing { now } => Self::Standing { now: *now },
        }
    }

    /// A clock that stands at this moment.
    pub(crate) fn stopped(&self) -> Self {
        Self::Standing { now: self.now() }
    }

    /// This clock at another's moment: running on from there at its own pace,
    /// or standing there.
    pub(crate) fn running_on_from(&self, other: &Self) -> Self {
        match self {
            // The shift is that of the callers' clocks, which do not go back.
            Self::Running { speed, shift, .. } => Self::Running {
                from: plus(other.now(), SignedDuration::ZERO.saturating_sub(*shift)),
                since: Instant::now(),
                speed: *speed,
                shift: *shift,
            },
            Self::Standing { .. } => other.stopped(),
        }
    }

    /// Moves the clock forward; it never goes back.
    pub(crate) fn advance(&mut self, by: SignedDuration) {
        let by = by.max(SignedDuration::ZERO);
        match self {
            Self::Running { shift, .. } => *shift = shift.saturating_add(by),
            Self::Standing { now } => *now = plus(*now, by),
        }
    }

    /// Goes on from here so many times as fast as the machine's clock; a
    /// standing clock begins to run.
    pub(crate) fn set_speed(&mut self, speed: f64) {
        let (now, shift) = match &*self {
            Self::Running { shift, .. } => (self.now(), *shift),
            Self::Standing { now } => (*now, SignedDuration::ZERO),
        };
        let back = SignedDuration::ZERO.saturating_sub(shift);
        *self = Self::Running { from: plus(now, back), since: Instant::now(), speed, shift };
    }
}

/// The machine's own time. Tokens keep it, so that whoever moves or stops the
/// simulation's clock does not take their tokens from callers.
pub(crate) fn machine_time() -> Timestamp {
    Timestamp::now()
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
    fn a_hurried_clock_runs_ahead_and_can_change_its_pace() {
        let mut clock = Clock::running(86_400.0);
        clock.advance(SignedDuration::from_secs(30));
        let start = clock.now();
        std::thread::sleep(std::time::Duration::from_millis(20));
        let later = clock.now();
        assert!(start.duration_until(later) > SignedDuration::from_secs(1_000));
        assert!(clock.unhurried() < start + SignedDuration::from_secs(60));
        clock.set_speed(1.0);
        assert!(clock.now() >= later);
        assert!(later.duration_until(clock.now()) < SignedDuration::from_hours(1));
    }

    #[test]
    fn a_standing_clock_moves_only_forward() {
        let mut clock = Clock::Standing { now: Timestamp::UNIX_EPOCH };
        clock.advance(SignedDuration::from_secs(5));
        clock.advance(SignedDuration::from_secs(-9));
        assert_eq!(clock.now().as_second(), 5);
    }
}
