//! The intelligent calendar: days that a goal takes, a time in field with its holidays.

use super::raw::*;

use crate::error::Error;
use crate::fielding::calendar::{DaysWanted, Holiday, SuggestedField};
use crate::types::{Locale, TimeRange};
use crate::wire::calendar::CalendarWire;
use crate::wire::read::{read, reads};

reads! {
    Holiday = SuggestedTimeRangeResponseHolidays { ; name, date, completes_rate, respondent_rate }
    SuggestedField = SuggestedTimeRangeResponse { ; start, end, time_zone = timezone, holidays }
}

impl CalendarWire for super::Marker {
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
        read(operation, days.ok_or_else(|| Error::incomplete(operation, "days"))?)
    }

    async fn suggest_field(raw: &Client, locale: &Locale, field: &TimeRange) -> Result<SuggestedField, Error> {
        let answer = super::suggest_time_range(raw, &locale.to_string(), field).await?.into_value();
        read(&operations::SUGGEST_TIME_RANGE, answer)
    }
}
