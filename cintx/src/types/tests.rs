//! Values read from text: nothing panics, nothing means something else, and what is printed is read back.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use jiff::Timestamp;
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;

/// Whatever the text, an answer; a value reads what it prints, and files take what the type takes, as the same text.
fn reads_back<T: FromStr + Display + PartialEq + Debug + Serialize + DeserializeOwned>(text: &str) {
    let in_file = serde_json::to_string(text).unwrap();
    let Ok(value) = text.parse::<T>() else {
        assert!(serde_json::from_str::<T>(&in_file).is_err(), "a file may hold {text:?}");
        return;
    };
    assert_eq!(value.to_string().parse::<T>().ok().as_ref(), Some(&value), "{text:?} read as {value:?}");
    assert_eq!(serde_json::from_str::<T>(&in_file).ok().as_ref(), Some(&value), "{text:?} in a file");
    assert_eq!(serde_json::to_value(&value).unwrap(), value.to_string(), "{value:?} in a file");
}

/// A value that files hold as something else than its text.
fn is_kept<T: PartialEq + Debug + Serialize + DeserializeOwned>(value: &T) {
    let kept = serde_json::to_string(value).unwrap();
    assert_eq!(serde_json::from_str::<T>(&kept).ok().as_ref(), Some(value), "{kept}");
}

/// Text that is close to what some of the types want.
fn nearly() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9_.+eE-]{0,40}",
        "[0-9_.]{1,12} [A-Z]{2,4}",
        "-?[Pp]?[0-9]{0,12}[YMWD]?T?[0-9]{0,12}[HMS]?",
        "[a-z]{2,4}[_-][a-zA-Z]{1,3}",
        "https://[a-z@:0-9\\[\\]%.]{0,20}[/?][a-z=]{0,5}(\\[%RID%\\])?",
        r"(urn:uuid:)?\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?",
    ]
}

proptest! {
    #[test]
    fn a_short_decimal_reads_as_any_other(text in "[0-9.]{0,20}") {
        let read = short_decimal(text.as_bytes()).map(|decimal| decimal.serialize());
        let whole = Decimal::from_str_exact(&text).ok().map(|decimal| decimal.serialize());
        prop_assert!(read.is_none() || read == whole, "{}", text);
        let is_usual = text.len() <= 18 && text.split('.').all(|digits| !digits.is_empty());
        prop_assert_eq!(read.is_some(), is_usual && text.matches('.').count() <= 1, "{}", text);
    }

    #[test]
    fn every_value_reads_what_it_prints_and_nothing_panics(text in nearly()) {
        reads_back::<Money>(&text);
        reads_back::<IncidenceRate>(&text);
        reads_back::<Locale>(&text);
        reads_back::<SurveyUrl>(&text);
        reads_back::<CustomerReference>(&text);
        reads_back::<Interval>(&text);
        reads_back::<ActivityPeriod>(&text);
        reads_back::<UserId>(&text);
        reads_back::<LanguageCode>(&text);
        reads_back::<CountryCode>(&text);
        reads_back::<ProjectId>(&text);
        reads_back::<TargetGroupId>(&text);
        reads_back::<JobId>(&text);
        reads_back::<IndustryCode>(&text);
    }

    #[test]
    fn numbers_and_times_are_kept(
        number in any::<i64>(),
        minutes in any::<u8>(),
        from in any::<i32>(),
        to in any::<i32>(),
    ) {
        is_kept(&SupplierId::new(number));
        prop_assert_eq!(SupplierId::new(number).to_string().parse(), Ok(SupplierId::new(number)));
        match LengthOfInterview::minutes(minutes) {
            Ok(length) => is_kept(&length),
            Err(_) => prop_assert!(serde_json::from_str::<LengthOfInterview>(&minutes.to_string()).is_err()),
        }
        let [start, end] = [from, to].map(|second| Timestamp::from_second(second.into()).unwrap());
        match TimeRange::try_from(start..end) {
            Ok(range) => is_kept(&range),
            Err(_) => {
                let kept = serde_json::json!({"start": start, "end": end});
                prop_assert!(serde_json::from_value::<TimeRange>(kept).is_err());
            }
        }
    }

    #[test]
    fn amounts_come_out_as_decimals_do(
        one in 0_i64..10_i64.pow(15),
        other in 0_i64..10_i64.pow(15),
        count in any::<u32>(),
    ) {
        let amount = |units: i64| Money::from_decimal(Decimal::new(units, 9), "USD").unwrap();
        let (one, other) = (amount(one), amount(other));
        let sum = (&one + &other).unwrap();
        prop_assert_eq!(sum.value(), one.value() + other.value());
        prop_assert_eq!(&(&sum - &other).unwrap(), &one);
        prop_assert_eq!(Money::sum([&one, &other, &one]).unwrap(), Some((&sum + &one).unwrap()));
        prop_assert_eq!((&one * count).unwrap().value(), one.value() * Decimal::from(count));
        prop_assert_eq!(&one - &other, match one >= other {
            true => Ok(amount_of(one.value() - other.value())),
            false => Err(MoneyError::BelowZero(one.value() - other.value())),
        });
        prop_assert_eq!(one.partial_cmp(&other), Some(one.value().cmp(&other.value())));
    }
}

fn amount_of(value: Decimal) -> Money {
    Money::from_decimal(value, "USD").unwrap()
}

#[test]
fn what_cannot_be_counted_is_an_error() {
    let [dollar, euro] = ["USD", "EUR"].map(|currency| Money::new("1", currency).unwrap());
    let mixed = Err(MoneyError::Currencies { expected: "USD".into(), got: "EUR".into() });
    assert_eq!(&dollar + &euro, mixed);
    assert_eq!(&dollar - &euro, mixed);
    assert_eq!(Money::sum([&dollar, &euro]), mixed.map(Some));
    assert!(dollar.partial_cmp(&euro).is_none() && dollar != euro);
    let most = amount_of(Decimal::MAX);
    assert_eq!(&most + &dollar, Err(MoneyError::Overflow));
    // What would have to be rounded is refused, too.
    let cents = Money::new("0.4", "USD").unwrap();
    assert_eq!(&most + &cents, Err(MoneyError::Overflow));
    assert_eq!(&most - &cents, Err(MoneyError::Overflow));
    let least = amount_of(Decimal::new(1, 28));
    assert_eq!(&least * Decimal::new(1, 1), Err(MoneyError::Overflow));
    let text = MoneyError::Overflow.to_string();
    assert!(text.contains("too large or has too many decimals"), "{text}");
    assert_eq!(&least * Decimal::new(10, 1), Ok(least.clone()), "by 1.0");
    assert_eq!(&amount_of(Decimal::new(5, 28)) * Decimal::new(2, 1), Ok(least), "zeros at the end go");
    assert_eq!(&most * 2, Err(MoneyError::Overflow));
    assert_eq!(&dollar * -2, Err(MoneyError::BelowZero(Decimal::from(-2))));
    assert_eq!((&dollar * Decimal::new(-0, 0)).unwrap().to_string(), "0 USD");
    assert_eq!((&Money::zero("USD").unwrap() * -1).unwrap().to_string(), "0 USD");
    assert!(Money::from_decimal(Decimal::NEGATIVE_ONE, "USD").is_err());
    assert!(Money::from_decimal(Decimal::ONE, "usd").is_err() && Money::zero("").is_err());
    let equal = [Money::new("2.5", "USD").unwrap(), Money::new("2.50", "USD").unwrap()];
    assert_eq!(std::collections::HashSet::from(equal).len(), 1, "what is equal has one hash");
}

#[test]
fn a_number_too_large_is_refused_without_a_panic() {
    assert!("79228162514264337593543950335".parse::<IncidenceRate>().is_err());
    assert!("0.5".parse::<IncidenceRate>().is_ok());
}

#[test]
fn a_typing_mistake_does_not_become_another_amount() {
    for wrong in ["2_73", "+2.73", "-2.73", "2e3", "2,73", "", ".", "2.7.3"] {
        assert!(Money::new(wrong, "USD").is_err(), "{wrong}");
    }
    assert!(Money::new("4.140000000", "USD").is_ok());
}

#[test]
fn an_id_has_one_form() {
    let plain = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2";
    assert!(plain.parse::<UserId>().is_ok());
    for other in [format!("{{{plain}}}"), format!("urn:uuid:{plain}"), plain.replace('-', "")] {
        assert!(other.parse::<UserId>().is_err(), "{other}");
    }
}

#[test]
fn a_duration_is_iso_8601_and_nothing_else() {
    for other in ["1d 5h", "5h", "1s 500ms"] {
        assert!(other.parse::<Interval>().is_err(), "{other}");
        assert!(other.parse::<ActivityPeriod>().is_err(), "{other}");
    }
}

#[test]
fn an_address_is_read_part_by_part() {
    for fine in ["https://a.example/[%RID%]", "https://a.example:8443/?r=[%RID%]", "https://[::1]/?r=[%RID%]"] {
        assert!(fine.parse::<SurveyUrl>().is_ok(), "{fine}");
    }
    for (wrong, says) in [
        ("https://user:s3cret@a.example/[%RID%]", "user name"),
        ("https://a.example:65536/[%RID%]", "port"),
        ("https://a.example:0/[%RID%]", "port"),
        ("https://[%RID%].example/?r=[%RID%]", "not in its host"),
        ("https://a.example/\u{200b}[%RID%]", "invisible"),
        ("https:///[%RID%]", "name a host"),
    ] {
        let error = wrong.parse::<SurveyUrl>().unwrap_err().to_string();
        assert!(error.contains(says) && !error.contains("s3cret"), "{wrong}: {error}");
    }
}

#[test]
fn an_error_about_a_long_value_is_short_however_it_is_escaped() {
    // A space that cannot be seen is shown as `\u{200b}`.
    for letter in ["x", "é", "\u{200b}", "\n", "\u{10ffff}"] {
        let error = InvalidValue::new(letter.repeat(3_000), "a name").to_string();
        assert!(error.chars().count() < 250, "{error}");
        assert!(error.ends_with("...\" is not a name"), "{error}");
        let short = InvalidValue::new(letter.repeat(3), "a name").to_string();
        assert_eq!(short, format!("{:?} is not a name", letter.repeat(3)));
    }
}

#[test]
fn words_print_what_is_kept_and_outcomes_read_it() {
    use crate::error::{ErrorKind, Outcome};
    use crate::respondent::RespondentOutcome;

    assert_eq!(ErrorKind::Waiting.to_string(), "waiting");
    assert_eq!("waiting".parse(), Ok(ErrorKind::Waiting));
    assert!("Waiting for long".parse::<ErrorKind>().is_err());
    for outcome in [Outcome::NotSent, Outcome::NoEffect, Outcome::Applied, Outcome::Unknown] {
        let kept = serde_json::to_value(outcome).unwrap();
        assert_eq!(kept.as_str().unwrap().parse(), Ok(outcome));
    }
    for outcome in RespondentOutcome::ALL {
        let kept = serde_json::to_value(outcome).unwrap();
        assert_eq!(kept.as_str().unwrap().parse(), Ok(outcome));
    }
}

#[test]
fn a_number_is_read_back_to_the_last_digit() {
    // Without serde_json's `float_roundtrip` each is read as its neighbour.
    for number in [1.4964927551529859_f64, 0.12401889786460031, 1.3268700197890915] {
        let text = serde_json::to_string(&number).unwrap();
        assert_eq!(serde_json::from_str::<f64>(&text).unwrap().to_bits(), number.to_bits(), "{text}");
    }
}

#[test]
fn what_has_an_order_is_the_key_of_a_map() {
    use std::collections::BTreeSet;

    fn sorted<T: Ord + std::hash::Hash + Clone + std::fmt::Display>(values: &[T]) -> Vec<String> {
        values.iter().cloned().collect::<BTreeSet<_>>().iter().map(ToString::to_string).collect()
    }
    assert_eq!(sorted(&["b", "a", "b"].map(ProjectId::new)), ["a", "b"]);
    assert_eq!(sorted(&[BusinessUnitId::new(10), BusinessUnitId::new(9)]), ["9", "10"], "numbers, not texts");
    let locales: [Locale; 2] = ["eng_us", "eng_gb"].map(|text| text.parse().unwrap());
    assert_eq!(sorted(&locales), ["eng_gb", "eng_us"]);
    let lengths = [10, 9].map(|minutes| LengthOfInterview::minutes(minutes).unwrap());
    assert!(lengths[1] < lengths[0]);
    let rates: [IncidenceRate; 2] = ["0.5", "0.25"].map(|text| text.parse().unwrap());
    assert!(rates[1] < rates[0]);
    let [known, unknown] = ["live", "dreaming"].map(crate::target_group::TargetGroupStatus::from);
    assert!(known < unknown, "what is not known comes last");
}
