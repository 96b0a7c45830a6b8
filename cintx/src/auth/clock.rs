//! The two clocks by which a token ages, and a write that may still be at work: the monotonic one, which may stand
//! still while the machine sleeps, and the clock on the wall, which somebody may set.

use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;

use crate::client::clock::SharedClock;

/// One moment, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    pub(crate) monotonic: Instant,
    pub(crate) wall: SystemTime,
}

impl Now {
    /// This moment. The monotonic clock is tokio's, so that tests can pause it.
    pub(crate) fn by(clock: &SharedClock) -> Self {
        Self { monotonic: tokio::time::Instant::now().into_std(), wall: system_time(clock.now()) }
    }

    /// A moment that was noted by both.
    pub(crate) fn noted(wall: Timestamp, monotonic: Instant) -> Self {
        Self { monotonic, wall: system_time(wall) }
    }

    /// The time since an earlier moment, by the clock that went further: the monotonic clock misses a suspend, and the
    /// clock on the wall may have been set back.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.monotonic_since(earlier).max(self.wall.duration_since(earlier.wall).unwrap_or_default())
    }

    /// The time that has passed since an earlier moment for certain: by the clock that went less far. The one on the
    /// wall may have been set forward.
    pub(crate) fn at_least_since(self, earlier: Self) -> Duration {
        self.monotonic_since(earlier).min(self.wall.duration_since(earlier.wall).unwrap_or_default())
    }

    /// By how much the two clocks disagree about the time since an earlier moment.
    pub(crate) fn drift_since(self, earlier: Self) -> Duration {
        let monotonic = self.monotonic_since(earlier);
        match self.wall.duration_since(earlier.wall) {
            Ok(wall) => wall.abs_diff(monotonic),
            Err(back) => back.duration().saturating_add(monotonic),
        }
    }

    fn monotonic_since(self, earlier: Self) -> Duration {
        self.monotonic.saturating_duration_since(earlier.monotonic)
    }
}

/// A moment as the standard library has it.
fn system_time(at: Timestamp) -> SystemTime {
    let since = at.duration_since(Timestamp::UNIX_EPOCH);
    let moment = match since.is_negative() {
        true => SystemTime::UNIX_EPOCH.checked_sub(since.unsigned_abs()),
        false => SystemTime::UNIX_EPOCH.checked_add(since.unsigned_abs()),
    };
    moment.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Moments for tests: as many seconds later, by either clock.
#[cfg(test)]
impl Now {
    pub(crate) fn read() -> Self {
        Self::by(&SharedClock::system())
    }

    pub(crate) fn later(self, monotonic: Duration, wall: Duration) -> Self {
        Self { monotonic: self.monotonic + monotonic, wall: self.wall + wall }
    }
}

#[cfg(test)]
impl std::ops::Add<Duration> for Now {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        self.later(time, time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn the_clock_that_went_further_counts_and_a_disagreement_is_seen() {
        let then = Now::read();
        let asleep = then.later(Duration::ZERO, HOUR);
        assert_eq!((asleep.since(then), asleep.drift_since(then)), (HOUR, HOUR));
        assert_eq!(asleep.at_least_since(then), Duration::ZERO, "or set forward");
        let set_back = Now { monotonic: then.monotonic + HOUR, wall: then.wall - HOUR };
        assert_eq!((set_back.since(then), set_back.drift_since(then)), (HOUR, 2 * HOUR));
        let plain = then + HOUR;
        assert_eq!((plain.since(then), plain.drift_since(then)), (HOUR, Duration::ZERO));
        assert_eq!(plain.at_least_since(then), HOUR);
        assert_eq!(then.since(plain), Duration::ZERO, "never negative");
    }
}
