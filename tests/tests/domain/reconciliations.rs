//! Reconciliation after the submission: the lists of what was submitted, what became of each target group, reasons.

use std::time::Duration;

use cintx::Version;
use cintx::reconciliation::{Reason, ReconciliationRow, ReconciliationStatus};
use cintx::target_group::TargetGroup;
use cintx_sandbox::Sandbox;
use jiff::{Timestamp, ToSpan as _};

use crate::setup::Setup;

const STRANGER: &str = "0f1ce179-a917-49ff-9d50-b05fc91f7bd4";

macro_rules! quickly {
    ($version:ident $marker:ident $name:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $version() {
            super::$name(super::quiet::<cintx::$marker>().await).await;
        }
    };
}
use quickly;

mod submissions_are_listed {
    cintx_tests::for_each_version!(super::quickly, submissions_are_listed);
}

mod reasons_are_listed {
    cintx_tests::for_each_version!(super::quickly, reasons_are_listed);
}

/// Jobs are done at once, and nobody enters a survey by themselves.
async fn quiet<V: Version>() -> Setup<V> {
    Setup::on(Sandbox::builder().seed(7).job_delay(Duration::ZERO).field_pace(Duration::ZERO)).await
}

/// A target group in field, and respondents in its survey.
async fn in_field<V: Version>(setup: &Setup<V>, respondents: usize) -> (TargetGroup<V>, Vec<String>) {
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    group.launch(Timestamp::now() + 240.hours()).await.unwrap().until_live().await.unwrap();
    let id = group.id().as_str();
    let rids = (0..respondents).map(|_| setup.sandbox.enter_respondent(id).unwrap()).collect();
    (group, rids)
}

/// The report of the account's completes in the last days.
#[cfg(feature = "v2025-12-18")]
async fn completes_report(setup: &Setup<cintx::V2025_12_18>) -> Vec<u8> {
    let today = jiff::tz::Offset::UTC.to_datetime(Timestamp::now()).date();
    let days = today - 7.days()..=today + 1.day();
    let job = setup.cint.reports().completes(cintx::report::ReportScope::Account, days).await.unwrap();
    let mut report = Vec::new();
    job.until_done().await.unwrap().write_to(&mut report).await.unwrap();
    report
}

async fn submissions_are_listed<V: Version>(setup: Setup<V>) {
    let (group, rids) = in_field(&setup, 2).await;
    let reconciliations = setup.cint.reconciliations();
    let rows = [
        ReconciliationRow::new(&*rids[0], Reason::AdjustedComplete),
        ReconciliationRow::new(&*rids[1], Reason::AdjustedComplete),
        ReconciliationRow::new(STRANGER, Reason::Speeder),
    ];
    let first = reconciliations.submit("wave.csv", rows).await.unwrap();
    let outcome = first.until_done().await.unwrap();
    let counts = outcome.counts;
    assert_eq!((outcome.status, counts.submitted, counts.expired), (ReconciliationStatus::Complete, Some(3), Some(0)));
    assert_eq!((counts.invalid, counts.positive_reversed, counts.negative_reversed), (Some(1), Some(2), Some(0)));

    let groups = first.target_groups().page_size(1).stream().collect().await.unwrap();
    assert_eq!(groups.len(), 1, "the stranger is in none");
    assert_eq!((&groups[0].id, groups[0].counts.positive_reversed), (group.id(), Some(2)));
    assert_eq!(groups[0].status, Some(ReconciliationStatus::Complete));
    assert_eq!(first.target_group(&groups[0]).await.unwrap(), groups[0]);
    let elsewhere = first.target_group(cintx::TargetGroupId::new("01JABCDEFGHJKMNPQRSTVWXYZ0")).await.unwrap_err();
    assert!(elsewhere.is_not_found(), "{elsewhere}");

    let mut later = Vec::new();
    for name in ["wave.csv", "wave.csv", "wave.csv", "wave.csv", "other.csv"] {
        let row = ReconciliationRow::new(&*rids[0], Reason::Speeder);
        later.push(reconciliations.submit(name, [row]).await.unwrap());
    }
    let named = reconciliations.list().name("wave.csv").page_size(2).stream().collect().await.unwrap();
    assert_eq!(named.len(), 5);
    let oldest = named.iter().find(|it| it.id == *first.id()).unwrap();
    assert_eq!((oldest.name.as_deref(), &oldest.counts), (Some("wave.csv"), &counts));
    assert!(oldest.status == Some(ReconciliationStatus::Complete) && oldest.submitted_at.is_some());
    assert_eq!(oldest.submitted_by, Some(setup.manager));
    assert_eq!(reconciliations.existing(oldest).status().await.unwrap().counts, counts);
    let is = V::DATE >= "2025-12-18";
    assert_eq!(
        oldest.kind,
        is.then_some(cintx::reconciliation::ReconciliationKind::RejectedRids),
        "only 2025-12-18 says"
    );

    let under_way = reconciliations.list().name("wave.csv").status(ReconciliationStatus::Processing).stream();
    assert_eq!(under_way.collect().await.unwrap().len(), 0);
    let mine = reconciliations.list().name("other.csv").submitted_by(setup.manager).stream().collect().await.unwrap();
    assert_eq!(mine.iter().map(|it| &it.id).collect::<Vec<_>>(), [later[4].id()]);
    let somebody = STRANGER.parse().unwrap();
    let theirs = reconciliations.list().name("wave.csv").submitted_by(somebody).stream().collect().await.unwrap();
    assert!(theirs.is_empty());
    if V::DATE != "2025-02-17" {
        assert_eq!(reconciliations.list().page_size(4).stream().collect().await.unwrap().len(), 6);
    }
    setup.assert_no_violation();
}

async fn reasons_are_listed<V: Version>(setup: Setup<V>) {
    let codes = setup.cint.reconciliations().reason_codes().await.unwrap();
    let ours: Vec<Reason> = codes.iter().filter_map(cintx::reconciliation::ReasonCode::reason).collect();
    assert_eq!(ours.len(), 8, "{codes:?}");
    assert!(codes.len() > ours.len(), "there are codes that buyers may not give");
    for code in &codes {
        let may = code.allowed.unwrap_or(code.reason().is_some());
        assert_eq!(code.reason().is_some(), may, "{code:?}");
        assert_eq!(code.allowed.is_some(), V::DATE >= "2025-12-18");
    }
    setup.assert_no_violation();
}

/// Two target groups of two projects, each with a complete, and the RIDs of those.
#[cfg(any(feature = "v2024-12-02", feature = "v2025-12-18"))]
async fn two_groups_with_completes<V: Version>(setup: &Setup<V>) -> [TargetGroup<V>; 2] {
    let (one, mut rids) = in_field(setup, 1).await;
    let (other, more) = in_field(setup, 1).await;
    rids.extend(more);
    let rows = rids.into_iter().map(|rid| ReconciliationRow::new(rid, Reason::AdjustedComplete));
    setup.cint.reconciliations().submit("late.csv", rows).await.unwrap().until_done().await.unwrap();
    [one, other]
}

#[cfg(feature = "v2024-12-02")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_reconciled_is_listed_by_the_month_of_the_sessions() {
    use cintx::V2024_12_02;
    use cintx::target_group::TargetGroupStatus;

    let setup = quiet::<V2024_12_02>().await;
    let groups = two_groups_with_completes(&setup).await;
    let reconciliations = setup.cint.reconciliations();
    // The sandbox's clock is ours, and months are counted by US Central time.
    let central = jiff::tz::TimeZone::posix("CST6CDT,M3.2.0,M11.1.0").unwrap();
    let month = central.to_datetime(setup.sandbox.now()).strftime("%Y-%m").to_string();
    let eligible = reconciliations.eligible_in(&month).await.unwrap();
    assert!(!eligible.cut_short);
    assert!(groups.iter().all(|group| eligible.target_groups.iter().any(|it| it.id == *group.id())));
    let first = &eligible.target_groups[0];
    assert_eq!((first.name.as_deref(), &first.status), (Some("UK drinks"), &Some(TargetGroupStatus::Live)));
    assert_eq!(first.manager.as_ref().map(|user| user.id), Some(setup.manager));
    assert_eq!((first.completes, &first.amount), (None, &None), "2024-12-02 does not say");

    let query = || reconciliations.eligible_in(&month).name("UK").project_name("MyDrinks").manager(setup.manager);
    assert_eq!(query().status(TargetGroupStatus::Live).await.unwrap().target_groups.len(), 2);
    assert_eq!(query().status(TargetGroupStatus::Paused).await.unwrap().target_groups.len(), 0);
    setup.assert_no_violation();

    let before = setup.sandbox.requests().len();
    let strange = TargetGroupStatus::from("asleep");
    let refused = reconciliations.eligible_in(" ").name("").project_name("").status(strange).await.unwrap_err();
    let problems: Vec<String> = refused.invalid_fields().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "session_month is empty, expected a month",
            "name is empty, expected text",
            "status is \"asleep\", expected a state that a target group can have",
            "project_name is empty, expected text",
        ]
    );
    assert_eq!(setup.sandbox.requests().len(), before, "nothing was sent");
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_reconciled_is_listed_by_when_it_is_due() {
    use cintx::V2025_12_18;
    use cintx::reconciliation::DueMonth;
    use cintx::target_group::TargetGroupStatus;

    let setup = quiet::<V2025_12_18>().await;
    let groups = two_groups_with_completes(&setup).await;
    let reconciliations = setup.cint.reconciliations();
    // What was completed in this month is due until the 25th of the next; without a month, what is due in this one.
    let next = || reconciliations.eligible().due(DueMonth::Next);
    let eligible = next().page_size(1).stream().collect().await.unwrap();
    assert_eq!(eligible.len(), 2);
    for group in &groups {
        let it = eligible.iter().find(|it| it.id == *group.id()).unwrap();
        assert_eq!((it.completes, it.project_name.as_deref()), (Some(1), Some("MyDrinksSurveyQ1")));
        assert!(it.amount.is_some() && it.project.is_some());
        assert_eq!(it.manager.as_ref().map(|user| user.id), Some(setup.manager));
    }
    let query = || reconciliations.eligible().name("UK").project_name("MyDrinks").manager(setup.manager);
    let summary = query().due(DueMonth::Next).summary().await.unwrap();
    assert_eq!((summary.target_groups, summary.completes), (Some(2), Some(2)));
    assert_eq!(query().stream().collect().await.unwrap().len(), 0);
    assert_eq!(summary.amount.unwrap().currency(), "USD");
    for (due, sent) in [(DueMonth::Current, "current_month"), (DueMonth::Next, "next_month")] {
        query().due(due).status(TargetGroupStatus::Paused).stream().collect().await.unwrap();
        let query = setup.sandbox.requests().pop().unwrap().query.unwrap();
        assert!(query.contains(&format!("due_month={sent}")), "{query}");
    }
    setup.assert_no_violation();

    let before = setup.sandbox.requests().len();
    let strange = TargetGroupStatus::from("asleep");
    let refused = reconciliations.eligible().name("").status(strange).summary().await.unwrap_err();
    let problems: Vec<&str> = refused.invalid_fields().iter().map(cintx::error::FieldError::field).collect();
    assert_eq!(problems, ["name", "status"]);
    assert_eq!(setup.sandbox.requests().len(), before, "nothing was sent");
}

/// A complete that the preview did not see would be turned back unsaid.
#[cfg(feature = "v2025-12-18")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn completes_of_today_are_seen_whether_a_report_has_its_last_day_or_not() {
    use cintx::{ProjectId, V2025_12_18};

    let sandbox = || Sandbox::builder().seed(7).job_delay(Duration::ZERO).field_pace(Duration::ZERO);
    for sandbox in [sandbox(), sandbox().reports_end_at_last_midnight(true)] {
        let setup = Setup::<V2025_12_18>::on(sandbox).await;
        let (_, rids) = in_field(&setup, 3).await;
        let project = ProjectId::new(setup.sandbox.respondents()[0].project_id.clone());
        let reconciliations = setup.cint.reconciliations();
        let rows = rids.iter().map(|rid| ReconciliationRow::new(&**rid, Reason::AdjustedComplete));
        reconciliations.submit("late.csv", rows).await.unwrap().until_done().await.unwrap();
        let preview = reconciliations.keep_only(&project, [&*rids[0]]).preview().await.unwrap();
        assert_eq!((preview.kept(), preview.turned_back(), preview.strangers().len()), (1, 2, 0));
    }
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_keeps_only_the_completes_that_are_named() {
    use cintx::client::CallOptions;
    use cintx::reconciliation::{ReconciliationFile, ReconciliationKind};
    use cintx::report::ReportRows;
    use cintx::{ProjectId, V2025_12_18};

    let setup = quiet::<V2025_12_18>().await;
    let (_, rids) = in_field(&setup, 3).await;
    let project = ProjectId::new(setup.sandbox.respondents()[0].project_id.clone());
    let reconciliations = setup.cint.reconciliations();
    let rows = rids.iter().map(|rid| ReconciliationRow::new(&**rid, Reason::AdjustedComplete));
    let rejected = reconciliations.submit("late.csv", rows).await.unwrap();
    rejected.until_done().await.unwrap();

    let kept = [&*rids[0], &*rids[1], STRANGER];
    let preview = reconciliations.keep_only(&project, kept).preview().await.unwrap();
    assert_eq!((preview.kept(), preview.turned_back(), preview.strangers()), (2, 1, &[STRANGER.to_owned()][..]));
    assert!(preview.turned_back_rids().eq([rids[2].to_lowercase()]));
    let report = completes_report(&setup).await;
    let savings = preview.would_save(ReportRows::read(&*report).unwrap()).unwrap();
    assert_eq!(savings.to_string(), "2.73 USD", "what one complete costs");
    // None of them is a complete, as where the list is another project's: all would be turned back.
    let slip = reconciliations.keep_only(&project, [STRANGER]).preview().await.unwrap_err();
    let problem = "rids are 1 that are no completes of the project, expected one at least: all of its 3 would be \
                   turned back";
    assert_eq!(slip.invalid_fields()[0].to_string(), problem);
    // The same of a list of our own, in which case does not matter and a slip is no complete.
    let all = rids.iter().map(|rid| rid.to_lowercase());
    let ours = reconciliations.keep_only(&project, kept).of_completes(all.chain([rids[0].clone()])).unwrap();
    assert_eq!((ours.kept(), ours.turned_back(), ours.strangers()), (2, 1, &[STRANGER.to_owned()][..]));
    let submitted = preview.submit("good.csv", 1).await.unwrap();
    let key = setup.sandbox.requests().pop().unwrap().idempotency_key.unwrap();
    assert!(key.len() == 36 && key.as_bytes()[14] == b'4', "{key} is no UUID of version 4");
    let outcome = submitted.until_done().await.unwrap();
    assert_eq!((outcome.counts.negative_reversed, outcome.counts.invalid), (Some(1), Some(1)));
    let listed = reconciliations.list().name("good.csv").stream().collect().await.unwrap();
    assert_eq!(listed[0].kind, Some(ReconciliationKind::ApprovedRids));

    let lines = async |file| {
        let bytes = submitted.download(file).await.unwrap().collect(10_000).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let mut lines: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let sorted = |rids: &[&str]| {
        let mut rids: Vec<String> = rids.iter().map(|&rid| rid.to_owned()).collect();
        rids.sort_unstable();
        rids
    };
    assert_eq!(lines(ReconciliationFile::Submitted).await, sorted(&kept));
    assert_eq!(lines(ReconciliationFile::RemainingCompletes).await, sorted(&kept[..2]));
    assert_eq!(lines(ReconciliationFile::Invalid).await, [STRANGER]);
    assert!(lines(ReconciliationFile::Expired).await.is_empty());
    let none = rejected.download(ReconciliationFile::RemainingCompletes).await.unwrap_err();
    assert!(none.is_not_found(), "{none}");
    setup.assert_no_violation();

    let before = setup.sandbox.requests().len();
    let refused = reconciliations
        .keep_only(&project, [STRANGER, STRANGER, "nobody"])
        .of_completes([STRANGER, "0f1"])
        .unwrap_err();
    let problems: Vec<String> = refused.invalid_fields().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "rids row 2 has the RID 0f1ce179-a917-49ff-9d50-b05fc91f7bd4 again",
            "rids row 3 has the RID \"nobody\", expected a UUID",
            "completes row 2 has the RID \"0f1\", expected a UUID",
        ]
    );
    let nobody = reconciliations.keep_only(&project, [""; 0]).preview().await.unwrap_err();
    assert_eq!(nobody.invalid_fields()[0].to_string(), "rids are 0, expected 1 to 100000");
    let refused = preview.submit("", 2).await.unwrap_err();
    let problems: Vec<String> = refused.invalid_fields().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        ["file_name has 0 characters, expected 1 to 255", "turning_back is 2, expected 1, as the preview says"]
    );
    let keyed = setup.cint.with(CallOptions::new().idempotency_key("01JABCDEFGHJKMNPQRSTVWXYZ0"));
    let preview = keyed.reconciliations().keep_only(&project, kept).of_completes(kept).unwrap();
    let refused = preview.submit("good.csv", 0).await.unwrap_err();
    assert!(format!("{refused:#}").contains("version 4 UUID"), "{refused:#}");
    assert_eq!(setup.sandbox.requests().len(), before, "nothing was sent");
}
