//! What time it is in the simulation.
//! Follows the machine's clock, at its pace or another, shifted by what a
//! test has added; or stands still until it is moved.

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, civil};
use std::sync::LazyLock;
use std::time::Instant;

/// Central time, by the rule for daylight time that has held since 2007; no
/// time zone database is needed for it.
const CENTRAL_RULE: &str = "CST6CDT,M3.2.0,M11.1.0";

/// The time of the central United States, by which the platform counts days
/// and months. Whether it counts daylight time is not published; here it does.
static CENTRAL: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::posix(CENTRAL_RULE).unwrap_or_else(|_| TimeZone::fixed(Offset::constant(-6))));

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
    /// standing clock begins to run. The subscribers' time makes no leap.
    pub(crate) fn set_speed(&mut self, speed: f64) {
        let (now, shift) = match &*self {
            Self::Running { shift, .. } => (self.now(), *shift),
            Self::Standing { now } => (*now, Timestamp::now().duration_until(*now)),
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

/// The day that it is in US Central time.
pub(crate) fn central_day(at: Timestamp) -> civil::Date {
    CENTRAL.to_datetime(at).date()
}

/// When a day begins in US Central time.
pub(crate) fn central_midnight(day: civil::Date) -> Timestamp {
    let midnight = day.to_datetime(civil::Time::midnight());
    // Only the last day that can be written has no such moment.
    CENTRAL.to_ambiguous_timestamp(midnight).compatible().unwrap_or(Timestamp::MAX)
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
    fn days_begin_in_central_time_with_daylight_saving() {
        for (moment, day, begins) in [
            ("2026-01-15T05:59:59Z", "2026-01-14", "2026-01-14T06:00:00Z"),
            ("2026-07-01T04:59:59Z", "2026-06-30", "2026-06-30T05:00:00Z"),
            ("2026-07-01T05:00:00Z", "2026-07-01", "2026-07-01T05:00:00Z"),
            // The days on which clocks are changed, at two in the morning.
            ("2026-03-08T20:00:00Z", "2026-03-08", "2026-03-08T06:00:00Z"),
            ("2026-11-01T20:00:00Z", "2026-11-01", "2026-11-01T05:00:00Z"),
        ] {
            let found = central_day(read(moment).unwrap());
            assert_eq!(found.to_string(), day, "{moment}");
            assert_eq!(central_midnight(found), read(begins).unwrap(), "{moment}");
        }
        assert!(central_midnight(civil::Date::MAX) >= central_midnight(civil::Date::MIN));
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
    fn the_subscribers_time_does_not_leap_when_a_standing_clock_begins_to_run() {
        for hours in [-10_000, 10_000] {
            let now = Timestamp::now() + SignedDuration::from_hours(hours);
            let mut clock = Clock::Standing { now };
            clock.set_speed(60.0);
            for time in [clock.now(), clock.unhurried()] {
                assert!((now..now + SignedDuration::from_hours(1)).contains(&time), "{hours}: {now} {time}");
            }
        }
    }

    #[test]
    fn a_standing_clock_moves_only_forward() {
        let mut clock = Clock::Standing { now: Timestamp::UNIX_EPOCH };
        clock.advance(SignedDuration::from_secs(5));
        clock.advance(SignedDuration::from_secs(-9));
        assert_eq!(clock.now().as_second(), 5);
    }
}
