//! A time in field of so many days.

use super::raw::*;

use crate::error::Error;
use crate::fielding::calendar::SuggestedField;
use crate::types::Locale;
use crate::wire::calendar::HasFieldOfDays;
use crate::wire::read::read;

impl HasFieldOfDays for super::Marker {
    async fn suggest_field_of_days(raw: &Client, locale: &Locale, days: u32) -> Result<SuggestedField, Error> {
        let params = SuggestTimeRangeParams { days: Some(i64::from(days)), ..Default::default() };
        read(
            &operations::SUGGEST_TIME_RANGE,
            raw.suggest_time_range_with(Some(&locale.to_string()), &params).await?.into_value(),
        )
    }
}
