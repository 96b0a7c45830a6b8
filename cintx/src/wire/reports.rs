//! Reports on the wire. The versions differ in how they spell levels, in filters and recipients, in what the list says
//! of a request, and in whether a finished report is fetched by its id or by the name of its file.

use std::future::Future;

use cintx_raw::{ByteStream, Secret};
use serde_json::Value;

use super::read::{Missing, Read};
use super::{Answer, Wire};
use crate::job::JobPoll;
use crate::paging::{PageRequest, RawPage};
use crate::report::{ReportFilter, ReportKind, ReportLevel, ReportOrder, ReportParameters, ReportRequest};
use crate::types::ids::ReportId;

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

    fn share_report(raw: &Self::Raw, account: i64, id: &ReportId) -> impl Future<Output = Answer<Secret>> + Send;

    /// Its content; the address saves a request where it is known and needed.
    fn download_report(
        raw: &Self::Raw,
        account: i64,
        id: &ReportId,
        url: Option<&str>,
    ) -> impl Future<Output = Answer<ByteStream>> + Send;
}

impl Read<String> for ReportKind {
    fn read(wire: String) -> Result<Self, Missing> {
        Ok(Self::parse(&wire))
    }
}

/// The two older versions write what was asked for as text.
impl Read<String> for ReportParameters {
    fn read(wire: String) -> Result<Self, Missing> {
        serde_json::from_str(&wire).map(|json| parameters(&json)).map_err(|_| Missing("create_params"))
    }
}

/// What was asked for, whichever of its fields are there.
pub(crate) fn parameters(json: &Value) -> ReportParameters {
    let day = |name: &str| json[name].as_str().and_then(|day| day.parse().ok());
    let id = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    ReportParameters {
        start: day("start_date"),
        end: day("end_date"),
        level: json["filter"].as_str().map(ReportLevel::parse),
        ids: json["filter_ids"].as_array().into_iter().flatten().map(id).collect(),
        respondent_answers: json["report_options"]["include_respondent_answers"] == Value::Bool(true),
    }
}

/// The file that an address of the two older versions names, and the kind of report: in its query, or at its end.
#[cfg(feature = "_before-2025-12-18")]
pub(crate) fn file(address: &str) -> Option<(String, Option<ReportKind>)> {
    // Addresses may come without a host.
    let url = url::Url::parse("https://api.cint.com").and_then(|host| host.join(address)).ok()?;
    let asked = |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    let last = || url.path_segments()?.next_back().filter(|last| !last.is_empty()).map(str::to_owned);
    Some((asked("file").or_else(last)?, asked("report_type").map(|kind| ReportKind::parse(&kind))))
}

/// One version's reports: how the body holds the level and who gets mail, which filters its list has beside the kind,
/// the fields of a request that the other versions lack or call otherwise, and how a report is fetched.
macro_rules! reports {
    ($marker:ident, $version:ident, level: |$level:ident| $sent:expr, body: |$order:ident| { $($body:tt)* },
     filter: |$filter:ident| { $($filters:tt)* }, request: { $($request:tt)* }, download: $download:ident) => {
        mod reports {
            use cintx_raw::$version::*;
            use cintx_raw::{ByteStream, Secret};

            use crate::error::{Error, JobFailure};
            use crate::types::ids::ReportId;
            use crate::job::{JobPoll, job_status, retry_after};
            use crate::paging::{PageRequest, RawPage};
            use crate::report::{ReportFilter, ReportOrder, ReportRequest, ReportStatus};
            use crate::wire::page;
            use crate::wire::read::{read_words, reads};
            use crate::wire::reports::{ReportsWire, download_report};
            use crate::open_enum::same_word;

            read_words! { ReportStatus = ReportRequestListItemStatus; }
            reads! {
                ReportRequest = ReportRequestListItem {
                    id = report_id;
                    kind = report_type, status, created_at = create_date, account_name, parameters = create_params,
                    url = report_url, $($request)*
                }
            }

            /// The level as this version spells it; the whole account is no filter.
            fn level(order: &ReportOrder) -> Option<types::ReportGenerationRequestFilter> {
                let level = order.of.level();
                let known = types::ReportGenerationRequestFilter::KNOWN.iter();
                known.copied().find(|known| same_word(known, level.as_str())).map(Into::into)
            }

            impl ReportsWire for crate::$marker {
                const REPORTS: &'static [&'static str] = types::ReportType::KNOWN;

                async fn generate_report(raw: &Client, account: i64, $order: &ReportOrder) -> Result<ReportId, Error> {
                    let options = types::ReportGenerationRequestReportOptions {
                        include_respondent_answers: $order.respondent_answers.then_some(Some(true)),
                        link_type: $order.link_type.map(Some),
                    };
                    let $level = level($order);
                    let body = types::ReportGenerationRequest {
                        filter: $sent,
                        filter_ids: $order.of.ids(),
                        start_date: Some($order.days.start().to_string()),
                        end_date: Some($order.days.end().to_string()),
                        report_options: (options != Default::default()).then_some(Some(options)),
                        $($body)*
                    };
                    let answer = raw.generate_report(account, &$order.kind.as_str().into(), &body).await?;
                    let id = answer.into_value().report_id;
                    let operation = &operations::GENERATE_REPORT;
                    id.map(|id| ReportId::new(id.as_str())).ok_or_else(|| Error::incomplete(operation.id, "report_id"))
                }

                async fn report_status(raw: &Client, account: i64, id: &str) -> Result<JobPoll<Option<String>>, Error> {
                    let answer = raw.report_status(account, id).await?;
                    let ask_again = retry_after(answer.headers());
                    let answer = answer.into_value();
                    let word = answer.status.as_ref().map(|status| status.as_str());
                    let failure =
                        || JobFailure { code: None, description: answer.message.unwrap_or_default(), reasons: Vec::new() };
                    Ok(JobPoll { status: job_status(word, || answer.report_url, failure), ask_again })
                }

                async fn report_requests(
                    raw: &Client,
                    account: i64,
                    $filter: &ReportFilter,
                    ask: &PageRequest,
                ) -> Result<RawPage<ReportRequest>, Error> {
                    page!(ask => raw.report_requests(account), REPORT_REQUESTS, ReportRequestsParams {
                        report_type: $filter.kind.as_ref().map(|kind| kind.as_str().into()),
                        $($filters)*
                    }, reports_requests)
                }

                async fn share_report(raw: &Client, account: i64, id: &ReportId) -> Result<Secret, Error> {
                    let params = ShareReportParams { report_type: None };
                    let answer = raw.share_report(account, id.as_str(), &params).await?.into_value();
                    let operation = &operations::SHARE_REPORT;
                    answer.report_pre_signed_url.ok_or_else(|| Error::incomplete(operation.id, "report_pre_signed_url"))
                }

                async fn download_report(
                    raw: &Client,
                    account: i64,
                    id: &ReportId,
                    url: Option<&str>,
                ) -> Result<ByteStream, Error> {
                    download_report!($download, raw, account, id, url)
                }
            }
        }
    };
}
pub(super) use reports;

/// Fetches a finished report.
macro_rules! download_report {
    (by_id, $raw:ident, $account:ident, $id:ident, $url:ident) => {{
        let _: Option<&str> = $url;
        Ok($raw.download_report_v2($account, $id.as_str()).await?.into_value())
    }};
    (by_file, $raw:ident, $account:ident, $id:ident, $url:ident) => {{
        let asked = match $url {
            Some(_) => None,
            None => $raw.report_status($account, $id.as_str()).await?.into_value().report_url,
        };
        let file = $url.or(asked.as_deref()).and_then($crate::wire::reports::file);
        let (file, kind) = file.ok_or_else(|| Error::incomplete(operations::REPORT_STATUS.id, "report_url"))?;
        let params = DownloadReportParams { report_type: kind.map(|kind| kind.as_str().into()) };
        Ok($raw.download_report($account, &file, &params).await?.into_value())
    }};
}
pub(crate) use download_report;

/// What one newer version says about a report that was asked for.
#[cfg(feature = "_since-2025-12-18")]
macro_rules! report_details {
    ($marker:ident, $version:ident) => {
        mod report_details {
            use cintx_raw::$version::types;

            use crate::report::{ReportLevel, ReportParameters};
            use crate::wire::read::{Missing, Read, read_words};
            use crate::wire::reports::parameters;
            use crate::wire::to_json;

            impl crate::report::HasReportEmails for crate::$marker {}

            read_words! { ReportLevel = ReportRequestListItemLevel; }

            impl Read<types::ReportRequestListItemRequestor> for String {
                fn read(wire: types::ReportRequestListItemRequestor) -> Result<Self, Missing> {
                    wire.name.ok_or(Missing("name"))
                }
            }

            impl Read<types::ReportRequestListItemCreateParams> for ReportParameters {
                fn read(wire: types::ReportRequestListItemCreateParams) -> Result<Self, Missing> {
                    to_json(&wire).map(|json| parameters(&json)).map_err(|_| Missing("create_params"))
                }
            }
        }
    };
}
#[cfg(feature = "_since-2025-12-18")]
pub(super) use report_details;

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

    #[cfg(feature = "_before-2025-12-18")]
    #[test]
    fn the_file_is_in_the_query_or_at_the_end() {
        let named = |file: &str, kind| Some((file.to_owned(), kind));
        let query = "/v1/demand/accounts/1/reports/download?report_type=term-details&file=a%20b.csv";
        assert_eq!(file(query), named("a b.csv", Some(ReportKind::TermDetails)));
        assert_eq!(file("https://files.example/completes-buyside-x.csv"), named("completes-buyside-x.csv", None));
        assert_eq!(file("https://files.example/"), None);
    }
}
