//! The intelligent calendar, on every version.

use cintx::error::FieldError;
use cintx::types::LengthOfInterview;
use cintx::{Money, Version};
use jiff::{Timestamp, ToSpan as _};

use crate::setup::{Setup, on_every_version};

on_every_version!(days_and_dates_are_suggested, nonsense_is_not_asked);

fn price() -> Money {
    Money::new("2.73", "USD").unwrap()
}

async fn days_and_dates_are_suggested<V: Version>(setup: Setup<V>) {
    let days = setup
        .cint
        .suggest_days("eng_gb", 500, LengthOfInterview::minutes(10), "0.50", price())
        .collects_pii(true)
        .await
        .unwrap();
    assert!(days >= 1);
    let start: Timestamp = "2031-05-05T09:00:00Z".parse().unwrap();
    let field = setup.cint.suggest_field("eng_gb", start..start + 60.hours()).await.unwrap();
    assert_eq!((field.start, field.end), (Some(start), Some(start + 60.hours())));
    assert!(field.time_zone.is_some());
    setup.assert_no_violation();
}

async fn nonsense_is_not_asked<V: Version>(setup: Setup<V>) {
    let refused = setup.cint.suggest_days("en_gb", 0, 46_u8, "1.5", price()).await.unwrap_err();
    let fields: Vec<_> = refused.invalid_fields().iter().map(FieldError::field).collect();
    assert_eq!(fields, ["completes", "locale", "length_of_interview", "incidence_rate"]);
    let now = Timestamp::now();
    let refused = setup.cint.suggest_field("x", now..now).await.unwrap_err();
    let fields: Vec<_> = refused.invalid_fields().iter().map(FieldError::field).collect();
    assert_eq!(fields, ["locale", "fielding_period"]);
    assert!(setup.sandbox.requests().is_empty());
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn the_newest_version_needs_only_the_days() {
    let setup = Setup::<cintx::V2025_12_18>::new().await;
    let field = setup.cint.suggest_field_of_days("ger_de", 5).await.unwrap();
    let length = field.start.unwrap().duration_until(field.end.unwrap());
    assert_eq!(length, jiff::SignedDuration::from_hours(120));
    let refused = setup.cint.suggest_field_of_days("ger_de", 0).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].to_string(), "days are 0, expected at least 1");
    setup.assert_no_violation();
}
