//! Reports: requested, polled, listed, shared, downloaded.

use super::raw::*;
use cintx_raw::{ByteStream, Secret};

use crate::error::{Error, JobFailure};
use crate::job::{JobPoll, job_status, poll_pause};
use crate::paging::{PageRequest, RawPage};
use crate::report::{ReportFilter, ReportKind, ReportOrder, ReportRequest, ReportScope, ReportStatus};
use crate::types::ids::ReportId;
use crate::wire::page;
use crate::wire::read::read_words;
use crate::wire::reports::{ReportsWire, spelled};

read_words! { ReportStatus = ReportRequestListItemStatus; }

/// The level as this version spells it; the whole account is no filter. A level that it does not know is refused: left
/// out, it would order a report of the whole account.
fn level(order: &ReportOrder) -> Result<Option<types::ReportGenerationRequestFilter>, Error> {
    if order.of == ReportScope::Account {
        return Ok(None);
    }
    let words = types::ReportGenerationRequestFilter::KNOWN;
    spelled(words, &order.of.level()).map(|word| Some(word.into()))
}

impl ReportsWire for super::Marker {
    const REPORTS: &'static [&'static str] = types::ReportType::KNOWN;

    async fn generate_report(raw: &Client, account: i64, order: &ReportOrder) -> Result<ReportId, Error> {
        let options = types::ReportGenerationRequestReportOptions {
            include_respondent_answers: order.respondent_answers.then_some(Some(true)),
            link_type: order.link_type.map(Some),
        };
        let body = types::ReportGenerationRequest {
            filter_ids: order.of.ids(),
            start_date: Some(order.days.start().to_string()),
            end_date: Some(order.days.end().to_string()),
            report_options: (options != Default::default()).then_some(Some(options)),
            ..super::report_request(level(order)?, order)
        };
        let answer = raw.generate_report(account, &order.kind.as_str().into(), &body).await?;
        Error::required_in(answer, &operations::GENERATE_REPORT, "report_id", |it| it.report_id).map(ReportId::new)
    }

    async fn report_status(raw: &Client, account: i64, id: &str) -> Result<JobPoll<Option<String>>, Error> {
        let answer = raw.report_status(account, id).await?;
        let ask_again = poll_pause(answer.headers());
        let answer = answer.into_value();
        let word = answer.status.as_ref().map(ToString::to_string);
        let failure =
            || JobFailure { code: None, description: answer.message.unwrap_or_default(), reasons: Vec::new() };
        Ok(JobPoll::new(job_status(word.as_deref(), || answer.report_url, failure), ask_again))
    }

    async fn report_requests(
        raw: &Client,
        account: i64,
        filter: &ReportFilter,
        ask: &PageRequest,
    ) -> Result<RawPage<ReportRequest>, Error> {
        page!(ask => raw.report_requests_with(account), REPORT_REQUESTS, ReportRequestsParams {
            report_type: filter.kind.as_ref().map(|kind| kind.as_str().into()),
            ..super::report_filter(filter)
        }, reports_requests)
    }

    const SHARES_BY_KIND: bool = super::SHARES_BY_KIND;

    async fn share_report(
        raw: &Client,
        account: i64,
        id: &ReportId,
        kind: Option<&ReportKind>,
    ) -> Result<Secret, Error> {
        let answer = super::share_report(raw, account, id, kind).await?;
        let operation = &operations::SHARE_REPORT;
        answer.report_pre_signed_url.ok_or_else(|| Error::incomplete(operation, "report_pre_signed_url"))
    }

    async fn download_report(
        raw: &Client,
        account: i64,
        id: &ReportId,
        url: Option<&str>,
    ) -> Result<ByteStream, Error> {
        super::download_report(raw, account, id, url).await
    }
}
