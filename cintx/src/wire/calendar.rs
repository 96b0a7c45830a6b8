//! The intelligent calendar on the wire. The versions differ in the money that they take, and in whether a time in
//! field is asked about by its days, by its ends, or by both.

use std::future::Future;

use super::{Answer, Wire};
use crate::fielding::calendar::{DaysWanted, SuggestedField};
use crate::types::{Locale, TimeRange};

#[doc(hidden)]
pub trait CalendarWire: Wire {
    fn suggest_days(raw: &Self::Raw, wanted: &DaysWanted) -> impl Future<Output = Answer<u32>> + Send;

    fn suggest_field(
        raw: &Self::Raw,
        locale: &Locale,
        field: &TimeRange,
    ) -> impl Future<Output = Answer<SuggestedField>> + Send;
}

#[doc(hidden)]
pub trait DaysWire: Wire {
    fn suggest_field_of_days(
        raw: &Self::Raw,
        locale: &Locale,
        days: u32,
    ) -> impl Future<Output = Answer<SuggestedField>> + Send;
}

/// The days that a time has, begun ones counted, as the versions want them that ask for ends and days.
#[cfg(feature = "_before-2025-12-18")]
pub(crate) fn days(field: &TimeRange) -> i64 {
    const DAY: i64 = 86_400;
    let seconds = field.start().duration_until(field.end()).as_secs();
    (seconds.saturating_add(DAY - 1) / DAY).max(1)
}

/// One version's calendar, and how it asks about a time in field.
macro_rules! calendar {
    ($marker:ident, $version:ident, field: |$locale:ident, $field:ident| ($($argument:expr),+)) => {
        mod calendar {
            use cintx_raw::$version::*;

            use crate::fielding::calendar::{DaysWanted, Holiday, SuggestedField};
            use crate::error::Error;
            use crate::types::{Locale, TimeRange};
            use crate::wire::calendar::CalendarWire;
            use crate::wire::read::{read, reads};
            use crate::wire::timestamp;

            reads! {
                Holiday = SuggestedTimeRangeResponseHolidays { ; name, date, completes_rate, respondent_rate }
                SuggestedField = SuggestedTimeRangeResponse { ; start, end, time_zone = timezone, holidays }
            }

            impl CalendarWire for crate::$marker {
                async fn suggest_days(raw: &Client, wanted: &DaysWanted) -> Result<u32, Error> {
                    let body = types::SuggestDaysRequest {
                        collects_pii: wanted.collects_pii,
                        completes: i64::from(wanted.completes),
                        incidence_rate: wanted.incidence_rate.fraction(),
                        length_of_interview: i64::from(wanted.length_of_interview.as_minutes()),
                        locale: wanted.locale.to_string(),
                        price: (&wanted.cost_per_interview).into(),
                    };
                    let operation = &operations::SUGGEST_DAYS;
                    let days = raw.suggest_days(&body).await?.into_value().days;
                    read(operation, days.ok_or_else(|| Error::incomplete(operation.id, "days"))?)
                }

                async fn suggest_field(
                    raw: &Client,
                    $locale: &Locale,
                    $field: &TimeRange,
                ) -> Result<SuggestedField, Error> {
                    let $locale = $locale.to_string();
                    let answer = raw.suggest_time_range($($argument),+).await?.into_value();
                    read(&operations::SUGGEST_TIME_RANGE, answer)
                }
            }
        }
    };
}
pub(super) use calendar;

/// One version's times in field of so many days.
#[cfg(feature = "_since-2025-12-18")]
macro_rules! field_of_days {
    ($marker:ident, $version:ident) => {
        mod field_of_days {
            use cintx_raw::$version::*;

            use crate::error::Error;
            use crate::fielding::calendar::SuggestedField;
            use crate::types::Locale;
            use crate::wire::calendar::DaysWire;
            use crate::wire::read::read;

            impl crate::fielding::HasFieldOfDays for crate::$marker {}

            impl DaysWire for crate::$marker {
                async fn suggest_field_of_days(
                    raw: &Client,
                    locale: &Locale,
                    days: u32,
                ) -> Result<SuggestedField, Error> {
                    let params = SuggestTimeRangeParams {
                        days: Some(i64::from(days)),
                        locale: Some(locale.to_string()),
                        ..Default::default()
                    };
                    read(&operations::SUGGEST_TIME_RANGE, raw.suggest_time_range(&params).await?.into_value())
                }
            }
        }
    };
}
#[cfg(feature = "_since-2025-12-18")]
pub(super) use field_of_days;
