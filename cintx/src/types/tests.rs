//! Values read from text: nothing panics, nothing means something else, and what is printed is read back.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use proptest::prelude::*;

use super::*;

/// Whatever the text, an answer; and a value reads what it prints.
fn reads_back<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string().parse::<T>().ok().as_ref(), Some(&value), "{text:?} read as {value:?}");
    }
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
    fn every_value_reads_what_it_prints_and_nothing_panics(text in nearly()) {
        reads_back::<Money>(&text);
        reads_back::<IncidenceRate>(&text);
        reads_back::<Locale>(&text);
        reads_back::<SurveyUrl>(&text);
        reads_back::<CustomerReference>(&text);
        reads_back::<Interval>(&text);
        reads_back::<ActivityPeriod>(&text);
        reads_back::<UserId>(&text);
    }
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
