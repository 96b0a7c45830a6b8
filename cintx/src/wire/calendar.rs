//! The intelligent calendar on the wire. The versions differ in the money that they take, and in whether a time in
//! field is given by its days, by its ends, or by both.

use std::future::Future;

use super::{Answer, Wire};
use crate::fielding::calendar::{DaysWanted, SuggestedField};
use crate::types::{Locale, TimeRange};
use crate::version::Version;

#[doc(hidden)]
pub trait CalendarWire: Wire {
    fn suggest_days(raw: &Self::Raw, wanted: &DaysWanted) -> impl Future<Output = Answer<u32>> + Send;

    fn suggest_field(
        raw: &Self::Raw,
        locale: &Locale,
        field: &TimeRange,
    ) -> impl Future<Output = Answer<SuggestedField>> + Send;
}

/// The versions that suggest a time in field from its length alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not suggest a time in field from a number of days",
    note = "use `Client::suggest_field` with a time that is that long, or a client of 2025-12-18 or later"
)]
pub trait HasFieldOfDays: Version {
    #[doc(hidden)]
    fn suggest_field_of_days(
        raw: &Self::Raw,
        locale: &Locale,
        days: u32,
    ) -> impl Future<Output = Answer<SuggestedField>> + Send;
}

/// The days that a time has, begun ones counted, as the versions want them that ask for ends and days.
pub(crate) fn days(field: &TimeRange) -> i64 {
    const DAY: i64 = 86_400;
    let seconds = field.start().duration_until(field.end()).as_secs();
    (seconds.saturating_add(DAY - 1) / DAY).max(1)
}
