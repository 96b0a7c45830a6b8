//! The intelligent calendar: suggests how many days fielding needs, and when.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::client::options::with_options;
use crate::error::{Error, FieldError};
use crate::types::{IncidenceRate, IntoField, LengthOfInterview, Locale, Money, TimeRange};
use crate::version::Version;
pub use crate::wire::calendar::HasFieldOfDays;

impl<V: Version> Client<V> {
    /// Asks in how many days this many completes can be had at this price. Await it to ask.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), Box<dyn std::error::Error>> {
    /// use cintx::Money;
    /// use cintx::types::LengthOfInterview;
    ///
    /// let price = Money::new("2.73", "USD")?;
    /// let days = cint.suggest_days("eng_gb", 500, LengthOfInterview::minutes(10), "0.50", price).await?;
    /// println!("{days} days are enough");
    /// # Ok(())
    /// # }
    /// ```
    pub fn suggest_days(
        &self,
        locale: impl IntoField<Locale>,
        completes: u32,
        length_of_interview: impl IntoField<LengthOfInterview>,
        incidence_rate: impl IntoField<IncidenceRate>,
        cost_per_interview: Money,
    ) -> SuggestDays<V> {
        let mut problems = Vec::new();
        if completes == 0 {
            problems.push(FieldError::new("completes", "is 0, expected at least 1"));
        }
        let locale = locale.into_field("locale", &mut problems);
        let length_of_interview = length_of_interview.into_field("length_of_interview", &mut problems);
        let incidence_rate = incidence_rate.into_field("incidence_rate", &mut problems);
        let wanted = match (locale, length_of_interview, incidence_rate) {
            (Some(locale), Some(length_of_interview), Some(incidence_rate)) => Ok(DaysWanted {
                locale,
                completes,
                length_of_interview,
                incidence_rate,
                cost_per_interview,
                collects_pii: None,
            }),
            _ => Err(()),
        };
        SuggestDays { client: self.clone(), wanted, problems }
    }

    /// Asks about a time in field: when best to begin and end within it, and what holidays it has.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// use jiff::{Timestamp, ToSpan as _};
    ///
    /// let start = Timestamp::now() + 2.hours();
    /// for holiday in cint.suggest_field("eng_gb", start..start + 240.hours()).await?.holidays {
    ///     println!("{:?} is on {:?}", holiday.name, holiday.date);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What is wrong with locale and field, found before anything is sent. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "suggest_time_range")]
    pub async fn suggest_field(
        &self,
        locale: impl IntoField<Locale> + Send,
        fielding_period: impl IntoField<TimeRange> + Send,
    ) -> Result<SuggestedField, Error> {
        let mut problems = Vec::new();
        let locale = locale.into_field("locale", &mut problems);
        let period = fielding_period.into_field("fielding_period", &mut problems);
        match (locale, period) {
            (Some(locale), Some(period)) => V::suggest_field(self.raw(), &locale, &period).await,
            _ => Err(Error::invalid(problems)),
        }
    }

    /// Asks for a time in field of so many days, at least 1, from now on.
    ///
    /// From 2025-12-18 on.
    ///
    /// # Errors
    /// What is wrong with locale and days, found before anything is sent. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "suggest_time_range")]
    pub async fn suggest_field_of_days(
        &self,
        locale: impl IntoField<Locale> + Send,
        days: u32,
    ) -> Result<SuggestedField, Error>
    where
        V: HasFieldOfDays,
    {
        let mut problems = Vec::new();
        let locale = locale.into_field("locale", &mut problems);
        if days == 0 {
            problems.push(FieldError::new("days", "are 0, expected at least 1"));
        }
        match locale {
            Some(locale) if problems.is_empty() => {
                <V as HasFieldOfDays>::suggest_field_of_days(self.raw(), &locale, days).await
            }
            _ => Err(Error::invalid(problems)),
        }
    }
}

/// The target group whose days in field are predicted.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct DaysWanted {
    pub(crate) locale: Locale,
    pub(crate) completes: u32,
    pub(crate) length_of_interview: LengthOfInterview,
    pub(crate) incidence_rate: IncidenceRate,
    pub(crate) cost_per_interview: Money,
    pub(crate) collects_pii: Option<bool>,
}

/// A question about the days that a field needs. Made by [`Client::suggest_days`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct SuggestDays<V: Version> {
    client: Client<V>,
    /// Missing if something is wrong; the problems say what.
    wanted: Result<DaysWanted, ()>,
    problems: Vec<FieldError>,
}

with_options!(SuggestDays: client);

impl<V: Version> SuggestDays<V> {
    /// Whether the survey asks for personal data.
    pub fn collects_pii(mut self, collects: bool) -> Self {
        if let Ok(wanted) = &mut self.wanted {
            wanted.collects_pii = Some(collects);
        }
        self
    }
}

impl<V: Version> IntoFuture for SuggestDays<V> {
    /// The number of days.
    type Output = Result<u32, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            match self.wanted {
                Ok(wanted) if self.problems.is_empty() => V::suggest_days(self.client.raw(), &wanted).await,
                _ => Err(Error::invalid(self.problems)),
            }
        })
    }
}

/// A time in field that the calendar suggests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SuggestedField {
    /// When to begin.
    pub start: Option<Timestamp>,
    /// When to end.
    pub end: Option<Timestamp>,
    /// The time zone that was reckoned with.
    pub time_zone: Option<String>,
    /// The holidays within.
    pub holidays: Vec<Holiday>,
}

/// A holiday within a time in field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Holiday {
    /// The name of the holiday.
    pub name: Option<String>,
    /// The day of the holiday.
    pub date: Option<Date>,
    /// How completes come in on it, compared with other days.
    pub completes_rate: Option<f64>,
    /// How respondents come in on it, compared with other days.
    pub respondent_rate: Option<f64>,
}
