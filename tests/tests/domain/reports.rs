//! Reports: asked for in every kind, waited for here or elsewhere, listed, fetched, shared.

use cintx::error::ErrorKind;
use cintx::job::JobStatus;
use cintx::project::Project;
use cintx::report::{ReportBuilder, ReportKind, ReportLevel, ReportScope, ReportStatus};
use cintx::target_group::TargetGroup;
use cintx::{Outcome, ReportId, Version};
use cintx_sandbox::Fault;
use futures_util::future::join_all;
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

use crate::setup::{Setup, on_every_version};

on_every_version!(
    every_kind_is_written_and_fetched,
    a_report_is_waited_for_elsewhere_and_saved,
    a_report_that_failed_is_an_error,
    a_lost_order_is_not_repeated,
    rows_are_read_and_their_costs_summed,
);

fn today() -> Date {
    Offset::UTC.to_datetime(Timestamp::now()).date()
}

fn days(ago: i64) -> std::ops::RangeInclusive<Date> {
    today() - ago.days()..=today()
}

/// One report of each kind that every version has.
fn all<V: Version>(setup: &Setup<V>, project: &Project, group: &TargetGroup<V>) -> Vec<ReportBuilder<V>> {
    let reports = setup.cint.reports();
    let projects = || ReportScope::projects([project]);
    vec![
        reports.completes(ReportScope::Account, days(30)),
        reports.sample_bought(ReportScope::business_units([setup.sandbox.business_unit_id()]), days(30)),
        reports.reconciliations_status(projects(), days(30)),
        reports.reconciliation_eligible_rids(projects(), days(30)),
        reports.respondent_analysis(ReportScope::target_groups([group]), days(30)).with_respondent_answers(),
        reports.term_details(group, days(30)).link_type(1),
    ]
}

async fn every_kind_is_written_and_fetched<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let group = setup.draft(&project).create().await.unwrap();
    let mut jobs = Vec::new();
    for order in all(&setup, &project, &group) {
        jobs.push(order.await.unwrap());
    }
    for report in join_all(jobs.iter().map(|job| job.until_done())).await {
        let report = report.unwrap();
        let content = report.download().await.unwrap().collect(1_000_000).await.unwrap();
        let is_written = String::from_utf8_lossy(&content).contains("target_group_id") || content.starts_with(b"PK");
        assert!(is_written, "{content:?}");
        let link = report.share().await.unwrap();
        assert!(link.expose().starts_with("https://") && !format!("{link:?}").contains("https"));
        let shared = setup.sandbox.requests().pop().unwrap();
        assert_eq!(shared.query, Some(format!("report_type={}", report.kind().unwrap())), "{}", shared.path);
        // Known by its id alone.
        let by_id = setup.cint.reports().report(report.id());
        assert!(by_id.kind().is_none() && by_id.share().await.is_ok());
        assert!(by_id.of_kind(report.kind().unwrap().clone()).share().await.is_ok());
    }
    if V::DATE >= "2025-12-18" {
        let nobody = setup.cint.reports().report(ReportId::new("01JABCDEFGHJKMNPQRSTVWXYZ0"));
        let error = nobody.share().await.unwrap_err();
        let problem = "kind is not known of the report 01JABCDEFGHJKMNPQRSTVWXYZ0, expected it to be given by \
                       `Report::of_kind`";
        assert_eq!(error.invalid_fields()[0].to_string(), problem);
    }

    let requests = setup.cint.reports().requests().page_size(4).stream().collect().await.unwrap();
    let mut kinds: Vec<&str> = requests.iter().map(|it| it.kind.as_ref().unwrap().as_str()).collect();
    kinds.sort_unstable();
    let expected = [
        "completes",
        "reconciliation-eligible-rids",
        "reconciliations-status",
        "respondent-analysis",
        "sample-bought",
        "term-details",
    ];
    assert_eq!(kinds, expected);
    assert!(requests.iter().all(|it| it.status == Some(ReportStatus::Completed) && it.created_at.is_some()));
    assert!(requests.iter().all(|it| it.requested_by.is_some() && it.url.is_some()));
    let of = |kind: ReportKind| requests.iter().find(|it| it.kind.as_ref() == Some(&kind)).unwrap();
    let terms = of(ReportKind::TermDetails).parameters.as_ref().unwrap();
    assert_eq!((terms.start.unwrap()..=terms.end.unwrap(), &terms.level), (days(30), &Some(ReportLevel::TargetGroup)));
    assert_eq!(terms.ids, [group.id().as_str()]);
    assert!(of(ReportKind::RespondentAnalysis).parameters.as_ref().unwrap().respondent_answers);
    let bought = setup.cint.reports().requests().kind(ReportKind::SampleBought).stream().collect().await.unwrap();
    assert_eq!(bought.iter().map(|it| &it.id).collect::<Vec<_>>(), [&of(ReportKind::SampleBought).id]);
    setup.assert_no_violation();
}

async fn a_report_is_waited_for_elsewhere_and_saved<V: Version>(setup: Setup<V>) {
    let job = setup.cint.reports().completes(ReportScope::Account, days(7)).await.unwrap();
    let kept = ReportId::from(&job).to_string();
    drop(job);
    let id = ReportId::new(kept);
    let report = setup.cint.reports().job(&id).until_done().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("completes.csv");
    std::fs::write(&path, "an older one").unwrap();
    report.save(&path).await.unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("rid,project_id,"));
    // Known by nothing but its id.
    let by_id = setup.cint.reports().report(&id);
    assert!(by_id.download().await.unwrap().collect(1_000_000).await.is_ok());
    setup.assert_no_violation();

    // What breaks half-way leaves the file as it was, and nothing beside it.
    let operation = if V::DATE >= "2025-12-18" { "download_report_v2" } else { "download_report" };
    std::fs::write(&path, "an older one").unwrap();
    setup.sandbox.inject(Fault::on(operation).truncate(20));
    let broken_off = [report.save(&path).await, report.write_to(&mut Vec::new()).await.map(drop)];
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "an older one");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let chunks = report.download().await.unwrap().collect(1_000_000).await;
    let in_a_box = *chunks.unwrap_err().downcast::<cintx::Error>().unwrap();
    for error in broken_off.into_iter().map(Result::unwrap_err).chain([in_a_box]) {
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Lost, Outcome::NoEffect), "{error:#}");
        assert_eq!(error.operation().map(|it| it.id), Some(operation));
        let trace = error.trace_id().unwrap();
        assert_eq!(error.to_string(), format!("{operation}: the download broke off; had no effect (trace {trace})"));
    }
    setup.sandbox.clear_faults();
    let nowhere = folder.path().join("no").join("folder.csv");
    let error = report.save(&nowhere).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Local, Outcome::NoEffect));
    assert_eq!(error.to_string(), format!("file is {nowhere:?}, expected a place that can be written to"));
    assert!(std::error::Error::source(&error).is_some());
    let full: &mut [u8] = &mut [0; 3];
    let error = report.write_to(&mut std::io::Cursor::new(full)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Local, Outcome::NoEffect));
    assert!(format!("{error:#}").starts_with("the writer that was given failed: "), "{error:#}");
}

async fn a_report_that_failed_is_an_error<V: Version>(setup: Setup<V>) {
    setup.sandbox.fail_next_jobs(1);
    let reports = setup.cint.reports();
    let job = reports.completes(ReportScope::Account, days(7)).await.unwrap();
    let error = job.until_done().await.unwrap_err();
    assert!(error.job_failure().is_some(), "{error}");
    assert!(matches!(job.status().await.unwrap(), JobStatus::Failed(_)));
    assert!(reports.report(&job).download().await.unwrap_err().is_not_found());
    assert!(reports.report(&job).share().await.unwrap_err().is_not_found());
    setup.assert_no_violation();
}

async fn a_lost_order_is_not_repeated<V: Version>(setup: Setup<V>) {
    setup.sandbox.inject(Fault::on("generate_report").reset_after_applying().times(1));
    let lost = setup.cint.reports().completes(ReportScope::Account, days(7)).await.unwrap_err();
    assert_eq!(lost.outcome(), Outcome::Unknown);
    let requests = setup.cint.reports().requests().stream().collect().await.unwrap();
    assert_eq!(requests.len(), 1, "it was asked for once, and the list shows it");
    assert!(setup.cint.reports().job(&requests[0]).until_done().await.is_ok());
}

async fn rows_are_read_and_their_costs_summed<V: Version>(setup: Setup<V>) {
    use std::time::Duration;

    use cintx::report::{CostSummary, ReportCell, ReportFormat, ReportRow, ReportRows, ReportTime};

    let project = setup.project().await;
    let group = setup.draft(&project).create().await.unwrap();
    group.launch(Timestamp::now() + 240.hours()).await.unwrap().until_live().await.unwrap();
    setup.sandbox.advance(Duration::from_secs(36_000));
    let days = || today() - 7.days()..=today() + 1.day();
    let reports = setup.cint.reports();
    let rows = async |order: ReportBuilder<V>, format: ReportFormat| {
        let mut content = Vec::new();
        let told = order.await.unwrap().until_done().await.unwrap().write_to(&mut content).await.unwrap();
        assert_eq!(told, format);
        ReportRows::read(&*content).unwrap().collect::<Result<Vec<ReportRow>, _>>().unwrap()
    };
    let order = reports.completes(ReportScope::projects([&project]), days()).with_respondent_answers();
    let completes = rows(order, ReportFormat::Csv).await;
    let terminated = rows(reports.term_details(&group, days()), ReportFormat::Xlsx).await;
    assert!(!completes.is_empty() && !terminated.is_empty(), "{} {}", completes.len(), terminated.len());
    for row in completes.iter().chain(&terminated) {
        assert_eq!((row.project.as_ref(), row.target_group.as_ref()), (Some(project.id()), Some(group.id())));
        assert_eq!(row.target_group_name.as_deref(), Some("UK drinks"));
        assert!(row.rid.as_ref().is_some_and(|rid| rid.len() == 36) && row.supplier_name.is_some(), "{row:?}");
        assert!(row.supplier.value().is_some() && row.left_at.value().is_some(), "{row:?}");
    }
    for row in &completes {
        assert!(row.client_status.value().unwrap().is_complete(), "{row:?}");
        assert!(matches!(row.entered_at, ReportCell::Value(ReportTime::Moment(_))), "{row:?}");
        assert_eq!(row.other[0].0, "targets", "what is not known is kept");
    }
    for row in &terminated {
        assert!(!row.client_status.value().unwrap().is_complete(), "{row:?}");
        assert!(
            matches!(row.entered_at, ReportCell::Value(ReportTime::Local(_))),
            "a spreadsheet has no zone: {row:?}"
        );
    }
    let mut costs = CostSummary::new();
    completes.iter().chain(&terminated).for_each(|row| costs.add(row));
    assert_eq!(costs.rows_without_cost(), terminated.len() as u64);
    let groups: Vec<_> = costs.target_groups().collect();
    assert_eq!((groups.len(), groups[0].rows), (1, completes.len() as u64));
    let sum: rust_decimal::Decimal = completes.iter().filter_map(|row| row.cost.value()).sum();
    assert_eq!(groups[0].costs.get("USD"), Some(sum));
    assert_eq!(costs.projects().next().unwrap(), (Some(project.id()), costs.total()));
    setup.assert_no_violation();
}

/// The report that only the two older versions have.
#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
async fn reconciliations<V: cintx::report::HasReconciliationsReport>(setup: Setup<V>) -> Result<(), cintx::Error> {
    let report = setup.cint.reports().reconciliations(ReportScope::Account, days(7)).await?.until_done().await?;
    report.download().await?;
    setup.assert_no_violation();
    Ok(())
}

#[cfg(feature = "v2024-12-02")]
#[tokio::test]
async fn reconciliations_in_the_first_version() {
    reconciliations(Setup::<cintx::V2024_12_02>::new().await).await.unwrap();
}

#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn reconciliations_in_the_second_version() {
    reconciliations(Setup::<cintx::V2025_02_17>::new().await).await.unwrap();
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn the_newest_version_sends_mail_and_filters() {
    let setup = Setup::<cintx::V2025_12_18>::new().await;
    let reports = setup.cint.reports();
    let order = || reports.completes(ReportScope::Account, days(7));
    for users in [0, 6] {
        let refused = order().mail_to(vec![setup.manager; users]).await.unwrap_err();
        let reason = format!("mail_to are {users} users, expected 1 to 5");
        assert_eq!(refused.invalid_fields()[0].to_string(), reason);
    }
    order().mail_to([setup.manager]).await.unwrap().until_done().await.unwrap();
    let body = setup.sandbox.requests().into_iter().find_map(|it| it.body).unwrap();
    assert_eq!(body["email_recipients"], serde_json::json!([setup.manager.to_string()]));
    assert!(body.get("filter").is_none() && body.get("filter_ids").is_none(), "the whole account is no filter: {body}");

    let count = async |level, status| {
        let list = reports.requests().level(level).status(status).stream().collect().await.unwrap();
        (list.len(), list.first().and_then(|it| it.level.clone()))
    };
    assert_eq!(count(ReportLevel::Account, ReportStatus::Completed).await, (1, Some(ReportLevel::Account)));
    assert_eq!(count(ReportLevel::Account, ReportStatus::Pending).await.0, 0);
    assert_eq!(count(ReportLevel::Project, ReportStatus::Completed).await.0, 0);
    setup.assert_no_violation();

    // Whoever leaves out what a report is about gets no link.
    let id = reports.requests().stream().try_next().await.unwrap().unwrap().id;
    let path = format!("/demand/accounts/{}/reports/{id}/share", setup.sandbox.account_id());
    let bare = setup.cint.request(http::Method::GET, &path).send::<serde_json::Value>().await.unwrap_err();
    assert_eq!(bare.status().map(|status| status.as_u16()), Some(400));
}
