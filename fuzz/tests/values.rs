//! Text that becomes a value: it is refused or read, never a panic, and what was read is written as it is read again.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use bolero::check;
use cintx::audience::{Audience, Question};
use cintx::client::CallOptions;
use cintx::respondent::IdList;
use cintx::study::{Study, StudyLaunch, StudyNumber};
use cintx::types::{
    ActivityPeriod, BusinessUnitId, CountryCode, CustomerReference, EndClientId, IncidenceRate, Interval, LanguageCode,
    Locale, Money, SupplierId, SurveyUrl, TargetGroupId, UserId,
};

/// Reads a value, and reads what it is written as.
fn round_trip<T: FromStr<Err: Display> + Display + PartialEq + Debug>(text: &str) {
    match text.parse::<T>() {
        Ok(value) => {
            let written = value.to_string();
            match written.parse::<T>() {
                Ok(again) => assert_eq!(value, again, "{text:?} is written as {written:?}"),
                Err(error) => panic!("{text:?} is written as {written:?}, which is refused: {error}"),
            }
        }
        Err(error) => {
            let said = error.to_string();
            assert!(said.chars().count() <= 1_000 && !said.contains('\n'), "{said}");
        }
    }
}

#[test]
fn text_of_values() {
    check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        round_trip::<Money>(&text);
        round_trip::<IncidenceRate>(&text);
        round_trip::<Interval>(&text);
        round_trip::<ActivityPeriod>(&text);
        round_trip::<Locale>(&text);
        round_trip::<LanguageCode>(&text);
        round_trip::<CountryCode>(&text);
        round_trip::<SurveyUrl>(&text);
        round_trip::<CustomerReference>(&text);
        round_trip::<UserId>(&text);
        round_trip::<TargetGroupId>(&text);
        round_trip::<BusinessUnitId>(&text);
        round_trip::<EndClientId>(&text);
        round_trip::<SupplierId>(&text);
        round_trip::<StudyLaunch>(&text);
        round_trip::<StudyNumber>(&text);
    });
}

#[test]
fn amounts() {
    check!().with_type::<(String, String)>().for_each(|(value, currency)| {
        let Ok(money) = Money::new(value, currency) else { return };
        assert_eq!(Money::from_decimal(money.value(), money.currency()).as_ref(), Ok(&money));
        let twice = Money::sum([&money, &money]);
        assert!(twice.is_err() || twice.is_ok_and(|sum| sum.is_some_and(|sum| sum.currency() == money.currency())));
    });
}

/// An audience of any questions is refused by name, or its quotas add up.
#[test]
fn audiences() {
    type Axis = (i64, Vec<(u8, u8, u8)>, bool);
    check!().with_type::<([Axis; 2], u16, bool)>().for_each(|(axes, goal, interlocked)| {
        let questions = axes.clone().map(|(id, parts, ranged)| {
            let parts = parts.into_iter().take(5);
            if ranged {
                let add = |question: Question, (from, to, share)| question.band(from..=to, u32::from(share));
                return parts.fold(Question::range(id), add);
            }
            let add = |question: Question, (option, _, share): (u8, u8, u8)| {
                question.option(option.to_string(), u32::from(share))
            };
            parts.fold(Question::choice(id), add)
        });
        let goal = u32::from(*goal);
        let audience = if *interlocked { Audience::interlock(questions) } else { Audience::independent(questions) };
        let problems = audience.problems(Some(goal));
        if *interlocked && problems.is_empty() {
            assert_eq!(audience.quota_table(goal).unwrap().total(), u64::from(goal));
        }
    });
}

#[test]
fn studies() {
    check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(study) = toml::from_str::<Study>(&text) {
            let json = serde_json::to_string(&study).unwrap();
            assert_eq!(serde_json::from_str::<Study>(&json).unwrap(), study);
        }
        let _ = serde_json::from_slice::<Study>(bytes);
    });
}

#[test]
fn lists_of_ids() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    check!().with_type::<Vec<Vec<u8>>>().for_each(|chunks| {
        let stream = futures_util::stream::iter(chunks.iter().cloned().map(Ok::<_, std::io::Error>));
        match runtime.block_on(IdList::from_stream(stream)) {
            Ok(list) => assert!(list.len() <= chunks.iter().map(Vec::len).sum()),
            Err(error) => assert!(!error.invalid_fields().is_empty(), "{error}"),
        }
    });
}

#[test]
fn options_of_calls() {
    check!().with_type::<(String, String)>().for_each(|(name, value)| {
        let _ = CallOptions::new().header(name, value).business_key(value);
    });
}
