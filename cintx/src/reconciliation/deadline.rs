//! By when a complete can be reconciled: until the end of the 25th of the month after it, in the time of the central
//! United States.

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

/// Central time, by the rule for daylight time that has held since 2007; no time zone database is needed for it.
const CENTRAL_RULE: &str = "CST6CDT,M3.2.0,M11.1.0";
/// The last day of a month on which the completes of the month before can be reconciled.
const LAST_DAY: i64 = 25;

/// The time of the central United States, by which Cint counts days.
pub(crate) fn central() -> TimeZone {
    TimeZone::posix(CENTRAL_RULE).unwrap_or_else(|_| TimeZone::fixed(Offset::constant(-6)))
}

/// The moment from which a complete can no longer be reconciled: midnight, US Central time, at the end of the 25th of
/// the month after it. Cint does not publish whether it counts daylight time; it is counted here.
///
/// ```
/// use cintx::reconciliation::deadline;
///
/// let completed = "2026-11-30T23:30:00-06:00".parse()?;
/// assert_eq!(deadline(completed), "2026-12-26T00:00:00-06:00".parse()?);
/// # Ok::<(), cintx::reexports::jiff::Error>(())
/// ```
pub fn deadline(completed_at: Timestamp) -> Timestamp {
    let zone = central();
    let month = zone.to_datetime(completed_at).date().first_of_month();
    let day = month.saturating_add(1.month()).saturating_add(LAST_DAY.days());
    let midnight = day.to_datetime(jiff::civil::Time::midnight());
    // Only the last month that can be written has no such moment.
    zone.to_ambiguous_timestamp(midnight).compatible().unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_end_of_the_25th_of_the_next_month_in_central_time() {
        for (completed, until) in [
            ("2025-01-28T12:00:00Z", "2025-02-26T06:00:00Z"),
            // Still January there.
            ("2025-02-01T05:59:59Z", "2025-02-26T06:00:00Z"),
            ("2025-02-01T06:00:00Z", "2025-03-26T05:00:00Z"),
            ("2025-12-31T23:00:00Z", "2026-01-26T06:00:00Z"),
            // Daylight time begins and ends between a complete and its deadline.
            ("2026-10-25T00:00:00Z", "2026-11-26T06:00:00Z"),
            ("2026-02-20T00:00:00Z", "2026-03-26T05:00:00Z"),
            // In summer, a day ends at five.
            ("2026-07-01T04:59:59Z", "2026-07-26T05:00:00Z"),
        ] {
            assert_eq!(deadline(completed.parse().unwrap()).to_string(), until, "{completed}");
        }
    }

    #[test]
    fn no_time_makes_it_panic() {
        assert!(deadline(Timestamp::MAX) >= deadline(Timestamp::MIN));
        assert_eq!(central().to_datetime("2026-07-01T05:00:00Z".parse().unwrap()).hour(), 0);
    }
}
