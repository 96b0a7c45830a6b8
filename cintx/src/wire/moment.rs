//! Moments as the API writes them: RFC 3339 as a rule, and whatever else has been seen in answers.
//! Requests are written in one form, by `timestamp`.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// A moment as the API keeps it: `timestamp` writes no more than milliseconds.
pub(crate) fn kept_moment(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// Reads a moment: with an offset, or in UTC where there is none; a date alone is its first moment; ten digits count
/// seconds, thirteen milliseconds. What lies beyond the calendar's end is its end.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    if let Some(moment) = usual(text) {
        return Some(moment);
    }
    let text = text.trim();
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let count: i64 = text.parse().ok()?;
        return match text.len() {
            10 => Timestamp::from_second(count).ok(),
            13 => Timestamp::from_millisecond(count).ok(),
            _ => None,
        };
    }
    if let Some(moment) = end_of_day(text) {
        return Some(moment);
    }
    if let Ok(civil) = text.parse::<DateTime>() {
        return Some(in_utc(civil));
    }
    // A moment whose offset is fine and whose instant is beyond the last one that can be counted.
    let (civil, _) = text.split_at_checked(19)?;
    (civil.starts_with("9999-12-3")).then_some(Timestamp::MAX)
}

/// Reads the form in which the API writes nearly all moments, `2026-11-29T12:00:00Z` with or without a fraction: a list
/// has several in each item, and the whole grammar is much work.
fn usual(text: &str) -> Option<Timestamp> {
    let (civil, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] = civil else {
        return None;
    };
    let nanosecond = match rest {
        [b'Z'] => 0,
        [b'.', fraction @ .., b'Z'] if (1..=9).contains(&fraction.len()) => nanoseconds(fraction)?,
        _ => return None,
    };
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2].map(|byte| byte.wrapping_sub(b'0'));
    // One question for all: most texts are as they should be.
    if digits.iter().fold(false, |is_odd, &digit| is_odd | (digit > 9)) {
        return None;
    }
    let [y1, y2, y3, y4, m1, m2, d1, d2, h1, h2, n1, n2, s1, s2] = digits;
    let two = |tens: u8, ones: u8| tens * 10 + ones;
    let (hour, minute, second) = (two(h1, h2), two(n1, n2), two(s1, s2));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let year = i64::from(two(y1, y2)) * 100 + i64::from(two(y3, y4));
    let days = days_since_1970(year, two(m1, m2), two(d1, d2))?;
    let second = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    Timestamp::new(days * 86_400 + second, nanosecond).ok()
}

/// The days from the first of January 1970 to a day of the years 0 to 9999; `None` if there is no such day.
#[inline]
fn days_since_1970(year: i64, month: u8, day: u8) -> Option<i64> {
    /// From the first of March 400 years before the year 0.
    const DAYS_BEFORE_1970: i64 = 719_468 + 146_097;
    let longest = match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    let (month, day) = (i64::from(month), i64::from(day));
    // Counted from March, a leap day is the last one of its year; 400 years later the calendar is the same.
    let (year, month) = if month > 2 { (year + 400, month - 3) } else { (year + 399, month + 9) };
    let before_month = (153 * month + 2) / 5;
    Some(365 * year + year / 4 - year / 100 + year / 400 + before_month + day - 1 - DAYS_BEFORE_1970)
}

/// The decimals of a second, one to nine of them.
fn nanoseconds(fraction: &[u8]) -> Option<i32> {
    let (mut number, mut unit) = (0, 1_000_000_000);
    for byte in fraction {
        unit /= 10;
        number += i32::from(byte.is_ascii_digit().then(|| byte - b'0')?) * unit;
    }
    Some(number)
}

/// Reads a day, also one that is written as a moment: its day in UTC.
pub(super) fn day(text: &str) -> Option<Date> {
    let text = text.trim();
    // Jiff reads the day of a moment as well, but that day where its offset is.
    let day = || text.parse().ok().filter(|_| text.len() <= "2026-11-29".len());
    day().or_else(|| moment(text).map(|at| TimeZone::UTC.to_datetime(at).date()))
}

/// `24:00` is the first moment of the next day.
fn end_of_day(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let offset = time.strip_prefix("24:00:00").or_else(|| time.strip_prefix("24:00"))?;
    let offset = offset.strip_prefix('.').map_or(offset, |fraction| fraction.trim_start_matches('0'));
    let next = date.parse::<Date>().ok()?.checked_add(1.day()).ok()?;
    match offset {
        "" => Some(in_utc(next.to_datetime(Time::midnight()))),
        offset => format!("{next}T00:00:00{offset}").parse().ok(),
    }
}

fn in_utc(civil: DateTime) -> Timestamp {
    TimeZone::UTC.to_timestamp(civil).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_day_may_be_written_as_a_moment() {
        let day_of = |text: &str| day(text).map(|day| day.to_string());
        for text in ["2026-11-29", "2026-11-29T23:30:00Z", "2026-11-30T00:30:00+01:00", "2026-11-29 12:00:00"] {
            assert_eq!(day_of(text).as_deref(), Some("2026-11-29"), "{text}");
        }
        assert_eq!(day_of("soon"), None);
    }

    #[test]
    fn every_form_that_was_seen_is_read() {
        for (text, is) in [
            ("2026-11-29T12:00:00Z", "2026-11-29T12:00:00Z"),
            ("2026-11-29T13:00:00.5+01:00", "2026-11-29T12:00:00.5Z"),
            ("2026-11-29 12:00:00.562205+00:00", "2026-11-29T12:00:00.562205Z"),
            ("2026-11-29T12:00:00", "2026-11-29T12:00:00Z"),
            ("2026-11-29 12:00:00", "2026-11-29T12:00:00Z"),
            ("2026-11-29", "2026-11-29T00:00:00Z"),
            ("2026-11-29T24:00:00Z", "2026-11-30T00:00:00Z"),
            ("2026-11-29T24:00", "2026-11-30T00:00:00Z"),
            ("2026-12-31T24:00:00.000+01:00", "2026-12-31T23:00:00Z"),
            ("1764417600", "2025-11-29T12:00:00Z"),
            ("1764417600123", "2025-11-29T12:00:00.123Z"),
        ] {
            assert_eq!(moment(text), Some(is.parse().unwrap()), "{text}");
        }
        for end in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59", "9999-12-31"] {
            assert_eq!(moment(end), Some(Timestamp::MAX), "{end}");
        }
        for odd in ["", "soon", "12:00", "2026-13-01", "99999999999", "2026-11-29T25:00:00Z", "9999"] {
            assert_eq!(moment(odd), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn the_usual_form_reads_as_the_whole_grammar_does(
            second in -62_167_219_200_i64..253_402_200_000,
            nano in 0..1_000_000_000,
        ) {
            let at = Timestamp::new(second, nano).unwrap();
            for text in [format!("{at}"), format!("{at:.0}"), format!("{at:.3}"), format!("{at:.9}")] {
                prop_assert_eq!(usual(&text), text.parse().ok(), "{}", text);
            }
        }

        #[test]
        fn what_is_nearly_usual_reads_as_the_whole_grammar_does(
            text in "[0-9]{4}[-/][01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?Z",
        ) {
            let whole: Option<Timestamp> = text.parse().ok();
            prop_assert!(usual(&text).is_none_or(|read| whole == Some(read)), "{}", text);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = moment(&text);
        }

        #[test]
        fn nearly_moments_do_not_panic(
            date in "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]",
            time in "[0-9]{2}:[0-9]{2}(:[0-9]{2})?(\\.[0-9]{0,9})?",
            offset in "(Z|[+-][0-9]{2}:?[0-9]{2})?",
        ) {
            let text = date + &time + &offset;
            let _ = moment(&text);
        }
    }
}
