//! What an account has beside its projects: webhooks and reports; and reconciliations, whose bodies are files.

use cintx::Version;
use cintx::reconciliation::{Reason, ReconciliationRow};
use cintx::report::ReportScope;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

use super::field::priced;
use crate::setup::Setup;

pub async fn calls<V: Version>(setup: &Setup<V>) {
    let [event, other] = crate::webhooks::events::<V>();
    let mut webhook = setup.cint.webhooks().create("https://hooks.example/cint", [event]).await.unwrap().webhook;
    webhook.edit(|webhook| webhook.events.push(other.clone())).await.unwrap();
    webhook.edit(|webhook| webhook.url = "https://hooks.example/other".into()).await.unwrap();

    let project = setup.project().await;
    let group = priced(setup, &project).await;
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    let (days, reports) = (today - 31.days()..=today, setup.cint.reports());
    let _ = reports.completes(ReportScope::Account, days.clone()).await.unwrap();
    let units = ReportScope::business_units([setup.sandbox.business_unit_id()]);
    let _ = reports.sample_bought(units, days.clone()).await.unwrap();
    let _ = reports.reconciliations_status(ReportScope::projects([&project]), days.clone()).await.unwrap();
    let _ = reports.respondent_analysis(ReportScope::target_groups([&group]), days.clone()).await.unwrap();
    let _ = reports.term_details(&group, days).with_respondent_answers().link_type(2).await.unwrap();

    let rid = setup.sandbox.enter_respondent(group.id().as_str()).unwrap();
    let row = ReconciliationRow::new(&*rid, Reason::AdjustedComplete);
    let _ = setup.cint.reconciliations().submit("wave.csv", [row]).await.unwrap();
}

#[cfg(feature = "v2025-12-18")]
pub async fn newest<V: cintx_tests::Latest>(setup: &Setup<V>) {
    let project = setup.project().await;
    let group = priced(setup, &project).await;
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    let report = setup.cint.reports().completes(ReportScope::Account, today..=today);
    let _ = report.mail_to([setup.manager]).await.unwrap();
    let rid = setup.sandbox.enter_respondent(group.id().as_str()).unwrap();
    let _ = setup
        .cint
        .reconciliations()
        .keep_only(&project, [rid.clone()])
        .of_completes([rid])
        .unwrap()
        .submit("good.csv", 0)
        .await
        .unwrap();
}
