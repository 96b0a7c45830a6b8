//! Times and durations. Fields of the API take different subsets of ISO 8601.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::serde_text::as_text;
use super::{InvalidValue, from_text};

/// From one moment to a later one.
///
/// ```
/// # use cintx::types::TimeRange;
/// use jiff::{Timestamp, ToSpan as _};
///
/// let now = Timestamp::now();
/// assert!(TimeRange::try_from(now..now + 240.hours()).is_ok());
/// assert!(TimeRange::try_from(now..now).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Ends")]
pub struct TimeRange {
    start: Timestamp,
    end: Timestamp,
}

/// A range as files have it, not checked yet.
#[derive(Deserialize)]
struct Ends {
    start: Timestamp,
    end: Timestamp,
}

impl TryFrom<Ends> for TimeRange {
    type Error = InvalidValue;

    fn try_from(Ends { start, end }: Ends) -> Result<Self, InvalidValue> {
        Self::try_from(start..end)
    }
}

impl TimeRange {
    /// Stands in a builder until a range is given. Never sent.
    pub(crate) const PLACEHOLDER: Self = Self { start: Timestamp::MIN, end: Timestamp::MAX };

    /// When it begins.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// When it ends.
    pub fn end(&self) -> Timestamp {
        self.end
    }
}

impl TryFrom<Range<Timestamp>> for TimeRange {
    type Error = InvalidValue;

    fn try_from(range: Range<Timestamp>) -> Result<Self, InvalidValue> {
        if range.start < range.end {
            return Ok(Self { start: range.start, end: range.end });
        }
        Err(InvalidValue::new(format!("{}..{}", range.start, range.end), "a time range: it must end after it begins"))
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.start, self.end)
    }
}

/// An interval of days, hours, minutes and seconds, written `PnDTnHnMnS`: longer than nothing, shorter than 398 days.
///
/// ```
/// # use cintx::types::Interval;
/// let interval: Interval = "P1DT5H".parse()?;
/// assert_eq!(interval, Interval::try_from(std::time::Duration::from_secs(29 * 3600))?);
/// for wrong in ["P1W", "P1M", "PT1.5S", "P0D", "-P1D", "P398D"] {
///     assert!(wrong.parse::<Interval>().is_err(), "{wrong}");
/// }
/// # Ok::<(), cintx::types::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Interval(u32);

const DAY: u32 = 86_400;

impl Interval {
    /// The interval as a plain duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl TryFrom<Duration> for Interval {
    type Error = InvalidValue;

    fn try_from(duration: Duration) -> Result<Self, InvalidValue> {
        let seconds = (duration.subsec_nanos() == 0).then_some(duration.as_secs());
        let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok());
        match seconds {
            Some(seconds) if (1..398 * DAY).contains(&seconds) => Ok(Self(seconds)),
            _ => Err(InvalidValue::new(
                format!("{duration:?}"),
                "an interval: whole seconds, more than none, less than 398 days",
            )),
        }
    }
}

impl FromStr for Interval {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        const EXPECTED: &str =
            "an interval: PnDTnHnMnS without weeks, months and fractions, more than none, less than 398 days";
        let refused = || InvalidValue::new(text, EXPECTED);
        // jiff reads other notations, too, such as `1d 5h`.
        let iso = Some(text).filter(|text| text.starts_with(['P', 'p'])).ok_or_else(refused)?;
        let span: Span = iso.parse().map_err(|_| refused())?;
        let whole = span.get_years() == 0
            && span.get_months() == 0
            && span.get_weeks() == 0
            && !text.contains(['W', 'w', '.', ',']);
        let seconds = i64::from(span.get_days()) * i64::from(DAY)
            + i64::from(span.get_hours()) * 3_600
            + span.get_minutes() * 60
            + span.get_seconds();
        match u32::try_from(seconds) {
            Ok(seconds) if whole && (1..398 * DAY).contains(&seconds) => Ok(Self(seconds)),
            _ => Err(refused()),
        }
    }
}

from_text!(Interval);
as_text!(Interval);

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(seconds) = *self;
        f.write_str("P")?;
        if seconds >= DAY {
            write!(f, "{}D", seconds / DAY)?;
        }
        let parts = [(seconds % DAY / 3_600, 'H'), (seconds % 3_600 / 60, 'M'), (seconds % 60, 'S')];
        if seconds % DAY > 0 {
            f.write_str("T")?;
        }
        parts.iter().filter(|(count, _)| *count > 0).try_for_each(|(count, unit)| write!(f, "{count}{unit}"))
    }
}

/// How far back a respondent's activity counts: years, months, weeks and days, 1 to 396 days in all.
///
/// ```
/// # use cintx::types::ActivityPeriod;
/// assert_eq!("P2W".parse::<ActivityPeriod>()?.to_string(), "P14D", "weeks are kept as days");
/// for wrong in ["PT24H", "P0D", "P397D", "P2Y"] {
///     assert!(wrong.parse::<ActivityPeriod>().is_err(), "{wrong}");
/// }
/// # Ok::<(), cintx::types::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ActivityPeriod {
    months: u16,
    days: u16,
}

impl ActivityPeriod {
    /// A number of days: 1 to 396.
    ///
    /// # Errors
    /// If there are none, or too many.
    pub fn days(days: u16) -> Result<Self, InvalidValue> {
        format!("P{days}D").parse()
    }
}

impl FromStr for ActivityPeriod {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        const EXPECTED: &str = "a period: PnYnMnWnD without hours, 1 to 396 days in all";
        let refused = || InvalidValue::new(text, EXPECTED);
        // jiff reads other notations, too, such as `1d 5h`.
        let iso = Some(text).filter(|text| text.starts_with(['P', 'p'])).ok_or_else(refused)?;
        let span: Span = iso.parse().map_err(|_| refused())?;
        let months = i32::from(span.get_years()) * 12 + span.get_months();
        let days = span.get_weeks() * 7 + span.get_days();
        // Months differ in length; thirty days each is what a period of a year and a month may have.
        let sum = i64::from(months) * 30 + i64::from(days);
        match (u16::try_from(months), u16::try_from(days)) {
            (Ok(months), Ok(days)) if !text.contains(['T', 't', '.', ',']) && (1..=396).contains(&sum) => {
                Ok(Self { months, days })
            }
            _ => Err(refused()),
        }
    }
}

from_text!(ActivityPeriod);
as_text!(ActivityPeriod);

impl fmt::Display for ActivityPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P")?;
        let parts = [(self.months / 12, 'Y'), (self.months % 12, 'M'), (self.days, 'D')];
        parts.iter().filter(|(count, _)| *count > 0).try_for_each(|(count, unit)| write!(f, "{count}{unit}"))
    }
}
