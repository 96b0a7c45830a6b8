//! Reports on the wire. The versions differ in how they spell levels, in filters and recipients, in what the list says
//! of a request, and in whether a finished report is fetched by its id or by the name of its file.

use std::future::Future;

use cintx_raw::{ByteStream, Secret};
use serde_json::Value;

use super::read::{Missing, Read};
use super::{Answer, Wire};
use crate::error::{Error, FieldError};
use crate::job::JobPoll;
use crate::open_enum::same_word;
use crate::paging::{PageRequest, RawPage};
use crate::report::{
    ReportFilter, ReportKind, ReportLevel, ReportOrder, ReportParameters, ReportRequest, ReportRequestor,
};
use crate::types::ids::ReportId;
use crate::wire::json::id_text;

#[doc(hidden)]
pub trait ReportsWire: Wire {
    /// The reports that the version's document lists.
    const REPORTS: &'static [&'static str];

    fn generate_report(
        raw: &Self::Raw,
        account: i64,
        order: &ReportOrder,
    ) -> impl Future<Output = Answer<ReportId>> + Send;

    /// How far it is; when it is done, its address.
    fn report_status(
        raw: &Self::Raw,
        account: i64,
        id: &str,
    ) -> impl Future<Output = Answer<JobPoll<Option<String>>>> + Send;

    fn report_requests(
        raw: &Self::Raw,
        account: i64,
        filter: &ReportFilter,
        ask: &PageRequest,
    ) -> impl Future<Output = Answer<RawPage<ReportRequest>>> + Send;

    /// Whether a report is only shared by those who say what it is about.
    const SHARES_BY_KIND: bool;

    fn share_report(
        raw: &Self::Raw,
        account: i64,
        id: &ReportId,
        kind: Option<&ReportKind>,
    ) -> impl Future<Output = Answer<Secret>> + Send;

    /// Its content; the address saves a request where it is known and needed.
    fn download_report(
        raw: &Self::Raw,
        account: i64,
        id: &ReportId,
        url: Option<&str>,
    ) -> impl Future<Output = Answer<ByteStream>> + Send;
}

/// A level as a version spells it.
///
/// # Errors
/// If it is none of the version's words.
pub(crate) fn spelled(words: &[&'static str], level: &ReportLevel) -> Answer<&'static str> {
    words.iter().copied().find(|word| same_word(word, level.as_str())).ok_or_else(|| {
        let reason = format!("is {level}, expected the account or one of {}", words.join(", "));
        Error::invalid(vec![FieldError::new("of", reason)])
    })
}

impl Read<String> for ReportKind {
    fn read(wire: String) -> Result<Self, Missing> {
        Ok(Self::parse(&wire))
    }
}

/// Before 2025-12-18 a requestor is a name.
impl Read<String> for ReportRequestor {
    fn read(name: String) -> Result<Self, Missing> {
        Ok(Self { name: Some(name), ..Self::default() })
    }
}

/// The two older versions write the order of a report as text.
impl Read<String> for ReportParameters {
    fn read(wire: String) -> Result<Self, Missing> {
        serde_json::from_str(&wire).map(|json| parameters(&json)).map_err(|_| Missing("create_params"))
    }
}

/// What was requested, whichever of its fields are there.
pub(crate) fn parameters(json: &Value) -> ReportParameters {
    let day = |name: &str| json[name].as_str().and_then(super::moment::day);
    ReportParameters {
        start: day("start_date"),
        end: day("end_date"),
        level: json["filter"].as_str().map(ReportLevel::parse),
        ids: json["filter_ids"].as_array().into_iter().flatten().filter_map(id_text).collect(),
        respondent_answers: json["report_options"]["include_respondent_answers"] == Value::Bool(true),
        link_type: id_text(&json["report_options"]["link_type"]),
    }
}

/// The file that an address of the two older versions names, and the kind of report: in its query, or at its end.
pub(crate) fn file(address: &str) -> Option<(String, Option<ReportKind>)> {
    // Addresses may come without a host.
    let url = url::Url::parse("https://api.cint.com").and_then(|host| host.join(address)).ok()?;
    let asked = |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    let last = || url.path_segments()?.next_back().filter(|last| !last.is_empty()).map(str::to_owned);
    Some((asked("file").or_else(last)?, asked("report_type").map(|kind| ReportKind::parse(&kind))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_asked_for_is_read_whatever_is_missing() {
        let all = json!({
            "start_date": "2026-01-01", "end_date": "2026-01-31", "filter": "Business Unit", "filter_ids": [3848, "7"],
            "report_options": { "include_respondent_answers": true },
        });
        let read = parameters(&all);
        assert_eq!((read.level, read.respondent_answers), (Some(ReportLevel::BusinessUnit), true));
        assert_eq!((read.ids, read.end), (vec!["3848".to_owned(), "7".to_owned()], "2026-01-31".parse().ok()));
        assert_eq!(parameters(&json!("none")), ReportParameters::default());
        assert!(ReportParameters::read("not JSON".to_owned()).is_err());
    }

    #[test]
    fn a_level_that_a_version_does_not_know_is_refused() {
        assert_eq!(spelled(&["Business Unit", "Project"], &ReportLevel::BusinessUnit).unwrap(), "Business Unit");
        // A newer document may spell it in another way, or lack it.
        let error = spelled(&["business_entity", "project"], &ReportLevel::BusinessUnit).unwrap_err();
        assert_eq!(error.outcome(), crate::Outcome::NotSent);
        let problem = error.invalid_fields()[0].to_string();
        assert!(problem.contains("expected the account or one of business_entity, project"), "{problem}");
    }

    #[test]
    fn the_file_is_in_the_query_or_at_the_end() {
        let named = |file: &str, kind| Some((file.to_owned(), kind));
        let query = "/v1/demand/accounts/1/reports/download?report_type=term-details&file=a%20b.csv";
        assert_eq!(file(query), named("a b.csv", Some(ReportKind::TermDetails)));
        assert_eq!(file("https://files.example/completes-buyside-x.csv"), named("completes-buyside-x.csv", None));
        assert_eq!(file("https://files.example/"), None);
    }
}
