//! Value types refuse what the API would refuse, and what they print is what they read.

use cintx::types::{ActivityPeriod, CountryCode, CustomerReference, IncidenceRate, Interval, LanguageCode, SurveyUrl};
use cintx::{Locale, Money};

/// Every text is refused, and the refusal repeats it.
#[track_caller]
fn refuses<T: std::str::FromStr<Err = cintx::types::InvalidValue> + std::fmt::Debug>(texts: &[&str]) {
    for text in texts {
        let error = text.parse::<T>().expect_err(text).to_string();
        assert!(error.contains(" is not ") && error.contains(&format!("{text:?}")), "{error}");
    }
}

/// Every text reads and prints the same.
#[track_caller]
fn keeps<T: std::str::FromStr<Err = cintx::types::InvalidValue> + std::fmt::Display>(texts: &[&str]) {
    for text in texts {
        assert_eq!(text.parse::<T>().unwrap_or_else(|error| panic!("{error}")).to_string(), *text);
    }
}

#[test]
fn durations_follow_each_fields_own_rules() {
    keeps::<Interval>(&["PT1S", "PT1M", "PT5H", "P1D", "P1DT5H", "P397DT23H59M59S"]);
    refuses::<Interval>(&["", "P", "PT0S", "P1W", "P1M", "P1Y", "PT1.5S", "-P1D", "P398D", "1D", "P1D5H"]);
    keeps::<ActivityPeriod>(&["P1D", "P90D", "P3M", "P1Y", "P1Y1M", "P1M15D"]);
    refuses::<ActivityPeriod>(&["", "P0D", "PT24H", "P1DT1H", "P397D", "P2Y", "-P1D"]);
    assert_eq!("P2W".parse::<ActivityPeriod>().unwrap(), ActivityPeriod::days(14).unwrap());
    assert_eq!("PT90M".parse::<Interval>().unwrap().to_string(), "PT1H30M");
}

#[test]
fn places_have_codes() {
    keeps::<Locale>(&["eng_gb", "ger_de", "chi_cn"]);
    refuses::<Locale>(&["", "eng", "en_gb", "eng_gbr", "eng gb", "engl_gb", "e1g_gb", "eng_gb_x"]);
    refuses::<CountryCode>(&["", "u", "usa", "u1"]);
    refuses::<LanguageCode>(&["", "en", "engl"]);
    assert_eq!("ENG-US".parse::<Locale>().unwrap().to_string(), "eng_us");
}

#[test]
fn surveys_have_addresses_and_numbers() {
    keeps::<SurveyUrl>(&["https://survey.example/?RID=[%RID%]", "https://survey.example/[%RID%]/start"]);
    refuses::<SurveyUrl>(&[
        "",
        "http://a.example/?r=[%RID%]",
        "https://",
        "https:///[%RID%]",
        "https://a.example/",
        "https://a.example/?r=[%RID%] ",
    ]);
    assert!(format!("https://a.example/?r=[%RID%]{}", "a".repeat(3_000)).parse::<SurveyUrl>().is_err());
    keeps::<CustomerReference>(&["PO-0042", "a_b c"]);
    refuses::<CustomerReference>(&["", "ab", "PO#42", "PO/42"]);
}

#[test]
fn amounts_are_exact() {
    assert_eq!(Money::new("4.140000000", "USD").unwrap().to_string(), "4.140000000 USD");
    for (value, currency) in
        [("", "USD"), ("-1", "USD"), ("1,5", "USD"), ("1e3", "USD"), ("1", "usd"), ("1", "US"), ("1", "")]
    {
        assert!(Money::new(value, currency).is_err(), "{value} {currency}");
    }
    refuses::<IncidenceRate>(&["", "0", "0.001", "1.01", "-0.5", "50"]);
    assert!(
        cintx::types::LengthOfInterview::minutes(0).is_err()
            && cintx::types::LengthOfInterview::minutes(46).is_err()
            && cintx::types::LengthOfInterview::minutes(45).is_ok()
    );
}
