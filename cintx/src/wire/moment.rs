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
    let (civil, fraction) = text.strip_suffix('Z')?.split_at_checked("2026-11-29T12:00:00".len())?;
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] =
        civil.as_bytes().first_chunk::<19>()?
    else {
        return None;
    };
    let nanosecond = match fraction.strip_prefix('.') {
        Some(fraction) if (1..=9).contains(&fraction.len()) => {
            digits(fraction.bytes())? * 10_i32.pow(9 - u32::try_from(fraction.len()).ok()?)
        }
        None if fraction.is_empty() => 0,
        _ => return None,
    };
    let year = i16::try_from(digits([y1, y2, y3, y4])?).ok()?;
    let two = |tens, ones| i8::try_from(digits([tens, ones])?).ok();
    let date = Date::new(year, two(m1, m2)?, two(d1, d2)?).ok()?;
    let time = Time::new(two(h1, h2)?, two(n1, n2)?, two(s1, s2)?, nanosecond).ok()?;
    TimeZone::UTC.to_timestamp(date.to_datetime(time)).ok()
}

/// At most nine digits as a number.
fn digits(text: impl IntoIterator<Item = u8>) -> Option<i32> {
    text.into_iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i32::from(byte - b'0')))
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
