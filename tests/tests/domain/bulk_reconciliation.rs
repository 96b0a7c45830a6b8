//! Reconciliation in bulk: parts that are submitted once however often a run is stopped, what became of each line, and
//! the money that was saved.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use cintx::Version;
use cintx::reconciliation::Reason;
#[cfg(feature = "v2025-12-18")]
use cintx::reconciliation::ReconciliationStatus;
#[cfg(feature = "v2025-12-18")]
use cintx::reconciliation::bulk::RowOutcome;
use cintx::reconciliation::bulk::{BulkState, Corrections};
use cintx_sandbox::{Fault, Sandbox};
use futures_util::FutureExt as _;
#[cfg(feature = "v2025-12-18")]
use jiff::{Timestamp, ToSpan as _};

use crate::setup::Setup;

macro_rules! quickly {
    ($version:ident $marker:ident $name:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $version() {
            super::$name(super::quiet::<cintx::$marker>().await).await;
        }
    };
}
use quickly;

mod a_stopped_run_goes_on {
    cintx_tests::for_each_version!(super::quickly, a_stopped_run_goes_on);
}

mod parts_are_as_long_as_the_version_takes_them {
    cintx_tests::for_each_version!(super::quickly, parts_are_as_long_as_the_version_takes_them);
}

/// Jobs are done at once, and nobody enters a survey by themselves.
async fn quiet<V: Version>() -> Setup<V> {
    Setup::on(Sandbox::builder().seed(7).job_delay(Duration::ZERO).field_pace(Duration::ZERO)).await
}

/// A file with so many respondents that nobody knows, below some that are in it already.
fn corrections(known: &[(String, Reason)], strangers: u32) -> Corrections {
    let known = known.iter().map(|(rid, reason)| format!("{rid};{}\n", reason.code()));
    let unknown = (0..strangers).map(|number| format!("{number:08x}-4f02-4e32-9f5c-0a6f0c1c9b0e;933\n"));
    let file: String = ["rid;reason\n".to_owned()].into_iter().chain(known).chain(unknown).collect();
    Corrections::from_csv(file.as_bytes()).unwrap()
}

/// Runs until so many rows are submitted, and no further.
async fn run_until<V: Version>(setup: &Setup<V>, key: &str, of: &Corrections, part: usize, rows: usize) -> BulkState {
    let mut told = None;
    let run = setup.cint.reconciliations().submit_in_parts(key, of).part_rows(part).run(|state| {
        if state.submitted_rows() == rows {
            told = Some(state.clone());
            std::panic::resume_unwind(Box::new("stopped"));
        }
    });
    let ended = AssertUnwindSafe(run).catch_unwind().await;
    assert!(ended.is_err(), "it was not stopped: {ended:?}");
    told.unwrap()
}

/// How many reconciliations there are whose name begins so.
async fn submissions<V: Version>(setup: &Setup<V>, name: &str) -> usize {
    setup.cint.reconciliations().list().name(name).page_size(100).stream().collect().await.unwrap().len()
}

/// The most rows that a version takes at once.
fn most<V: Version>() -> usize {
    if V::DATE < "2025-12-18" { 20_000 } else { 100_000 }
}

/// A list that is one row too long for the version has two parts.
async fn parts_are_as_long_as_the_version_takes_them<V: Version>(setup: Setup<V>) {
    let most = most::<V>();
    let one_more = corrections(&[], u32::try_from(most).unwrap() + 1);
    let reconciliations = setup.cint.reconciliations();
    let done = reconciliations.submit_in_parts("long", &one_more).run(|_| {}).await.unwrap();
    assert_eq!(done.parts().iter().map(|part| part.rows).collect::<Vec<_>>(), [most, 1]);
    assert_eq!(done.counts().submitted, Some(i64::try_from(most).unwrap() + 1));
    let before = setup.sandbox.requests().len();
    let refused = reconciliations.submit_in_parts("long", &one_more).part_rows(most + 1).run(|_| {}).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].to_string(), format!("part_rows are {}, expected 1 to {most}", most + 1));
    let refused = reconciliations.submit("long.csv", one_more.rows()).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].to_string(), format!("rows are {}, expected 1 to {most}", most + 1));
    assert_eq!(setup.sandbox.requests().len(), before, "nothing was sent");
    setup.assert_no_violation();
}

async fn a_stopped_run_goes_on<V: Version>(setup: Setup<V>) {
    let reconciliations = setup.cint.reconciliations();
    let nine = corrections(&[], 9);

    // With the state that was kept.
    let told = run_until(&setup, "kept", &nine, 4, 4).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    assert_eq!(BulkState::load(&path).unwrap(), None);
    for torn in ["", "{", "null"] {
        std::fs::write(&path, torn).unwrap();
        assert!(BulkState::load(&path).is_err(), "{torn:?}");
    }
    told.save(&path).unwrap();
    let kept = BulkState::load(&path).unwrap().unwrap();
    assert_eq!((&kept, std::fs::read_dir(folder.path()).unwrap().count()), (&told, 1));
    let first = kept.parts()[0].id.clone().unwrap();
    let done = reconciliations.submit_in_parts("kept", &nine).resume(kept.clone()).run(|_| {}).await.unwrap();
    assert_eq!(done.parts().iter().map(|part| part.rows).collect::<Vec<_>>(), [4, 4, 1]);
    assert_eq!((done.parts()[0].id.as_ref(), submissions(&setup, "kept-part").await), (Some(&first), 3));
    assert_eq!((done.rows(), done.finished_rows(), done.counts().invalid), (9, 9, Some(9)));

    // With nothing but the same corrections and key; and an answer that is lost.
    run_until(&setup, "forgotten", &nine, 4, 8).await;
    setup.sandbox.inject(Fault::on("post_reconciliations").reset_after_applying().times(1));
    for _ in 0..2 {
        let again = reconciliations.submit_in_parts("forgotten", &nine).part_rows(4).run(|_| {}).await.unwrap();
        assert_eq!((again.finished_rows(), submissions(&setup, "forgotten-part").await), (9, 3));
    }

    // A part that has changed is another one; a state is of one wish alone.
    let other = corrections(&[], 7);
    reconciliations.submit_in_parts("forgotten", &other).part_rows(4).run(|_| {}).await.unwrap();
    assert_eq!(submissions(&setup, "forgotten-part").await, 4, "the first part is the same, the second is not");
    let before = setup.sandbox.requests().len();
    let refused = reconciliations.submit_in_parts("other", &other).part_rows(5).resume(kept).run(|_| {}).await;
    let refused = refused.unwrap_err();
    assert_eq!(
        refused.invalid_fields().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["another key", "other corrections", "another part size"]
            .map(|what| format!("resume is of {what}, expected the state of these"))
    );
    let refused = reconciliations.submit_in_parts("", &other).part_rows(0).run(|_| {}).await.unwrap_err();
    assert_eq!(
        refused.invalid_fields().iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "key has 0 characters, expected 1 to 150".to_owned(),
            format!("part_rows are 0, expected 1 to {}", most::<V>())
        ]
    );
    assert_eq!(setup.sandbox.requests().len(), before, "nothing was sent");
    setup.assert_no_violation();
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_five_thousand_are_stopped_and_joined_with_what_became_of_them() {
    use cintx::reconciliation::{ReconciliationFile, ReconciliationRow};
    use cintx::report::{ReportRows, ReportScope};

    let setup = quiet::<cintx::V2025_12_18>().await;
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    group.launch(Timestamp::now() + 240.hours()).await.unwrap().until_live().await.unwrap();
    let rids: Vec<String> = (0..4).map(|_| setup.sandbox.enter_respondent(group.id().as_str()).unwrap()).collect();
    let reconciliations = setup.cint.reconciliations();
    let completes = rids[..3].iter().map(|rid| ReconciliationRow::new(&**rid, Reason::AdjustedComplete));
    reconciliations.submit("late.csv", completes).await.unwrap().until_done().await.unwrap();
    let today = jiff::tz::Offset::UTC.to_datetime(Timestamp::now()).date();
    let report = setup.cint.reports().completes(ReportScope::Account, today - 7.days()..=today + 1.day());
    let mut before = Vec::new();
    report.await.unwrap().until_done().await.unwrap().write_to(&mut before).await.unwrap();

    let known = [
        (rids[0].clone(), Reason::Speeder),
        (rids[1].clone(), Reason::GhostComplete),
        (rids[2].clone(), Reason::AdjustedComplete),
        (rids[3].clone(), Reason::AdjustedComplete),
    ];
    let all = corrections(&known, 44_996);
    run_until(&setup, "wave-7", &all, 5_000, 20_000).await;
    let mut told = 0;
    let run = reconciliations.submit_in_parts("wave-7", &all).part_rows(5_000).run(|_| told += 1);
    let done = run.await.unwrap();
    assert_eq!((told, submissions(&setup, "wave-7-part").await), (1 + 9 + 9, 9), "each part once");
    assert!(done.parts().iter().all(|part| part.outcome.as_ref().unwrap().status == ReconciliationStatus::Complete));
    let counts = done.counts();
    assert_eq!(
        (counts.submitted, counts.negative_reversed, counts.positive_reversed),
        (Some(45_000), Some(2), Some(1))
    );
    assert_eq!((counts.invalid, counts.expired), (Some(44_997), Some(0)));

    let results = reconciliations.results(&all, &done).await.unwrap();
    let counts = results.counts();
    assert_eq!((counts[&RowOutcome::Accepted], counts[&RowOutcome::Invalid], counts.len()), (3, 44_997, 2));
    let accepted: Vec<u64> = results.iter().filter(|it| it.outcome.is_accepted()).map(|it| it.line).collect();
    assert_eq!(accepted, [2, 3, 5], "the third was a complete already");
    assert_eq!(results.strangers(), 0);
    let saved = results.saved(ReportRows::read(&*before).unwrap()).unwrap();
    assert_eq!(saved.to_string(), "5.46 USD", "two completes at 2.73");
    assert_eq!(saved.without_amount, 0);
    let mut written = Vec::new();
    results.write_csv(&mut written).unwrap();
    let written = String::from_utf8(written).unwrap();
    assert_eq!(written.lines().count(), 45_001);
    assert!(written.starts_with(&format!("line,rid,reason_code,outcome,note\n2,{},933,accepted,\n", rids[0])));

    let mut file = Vec::new();
    let submitted = reconciliations.existing(done.parts()[8].id.clone().unwrap());
    assert_eq!(submitted.download_to(ReconciliationFile::Submitted, &mut file).await.unwrap(), file.len() as u64);
    assert_eq!(file.iter().filter(|byte| **byte == b'\n').count(), 5_000);
    let other = reconciliations.results(&corrections(&[], 45_000), &done).await.unwrap_err();
    assert_eq!(other.invalid_fields()[0].field(), "state");
    setup.assert_no_violation();
}

#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn a_part_that_failed_is_told_and_submitted_anew_under_another_key() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use bytes::Bytes;
    use cintx::client::Credentials;
    use cintx::http::{ByteStream, TransportError};

    let sandbox = Arc::new(Sandbox::builder().seed(7).job_delay(Duration::ZERO).start().await.unwrap());
    let (exchange, fails) = (Arc::clone(&sandbox), Arc::new(AtomicBool::new(true)));
    let failing = Arc::clone(&fails);
    // The sandbox works off every list; here its answers say that it could not.
    let transport = move |request| {
        let answer = exchange.answer(request).map(|body: Bytes| match failing.load(Ordering::SeqCst) {
            true => String::from_utf8_lossy(&body).replace("\"complete\"", "\"failed\"").into(),
            false => body,
        });
        async move { Ok::<_, TransportError>(answer.map(ByteStream::from)) }
    };
    let cint = cintx::Client::<cintx::V2025_12_18>::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .transport(transport)
        .build()
        .unwrap();
    let three = corrections(&[], 3);
    let run = || cint.reconciliations().submit_in_parts("wave", &three);
    let sent = || -> Vec<(String, String)> {
        let posts = sandbox.requests().into_iter().filter(|it| it.operation.as_deref() == Some("post_reconciliations"));
        posts.map(|it| (it.query.unwrap(), it.idempotency_key.unwrap())).collect()
    };

    let first = run().run(|_| {}).await.unwrap();
    assert_eq!(first.parts()[0].outcome.as_ref().unwrap().status, ReconciliationStatus::Failed);
    assert_eq!((first.finished_rows(), sent().len()), (3, 1), "told, and not repeated by itself");
    let results = cint.reconciliations().results(&three, &first).await.unwrap();
    assert_eq!(results.counts().into_iter().collect::<Vec<_>>(), [(RowOutcome::PartFailed, 3)]);

    let second = run().resume(first).run(|_| {}).await.unwrap();
    let posts = sent();
    assert_eq!(posts.len(), 2);
    assert!(posts[1].0.contains("-again-2.csv") && posts[0].1 != posts[1].1, "{posts:?}");

    fails.store(false, Ordering::SeqCst);
    let third = run().resume(second).run(|_| {}).await.unwrap();
    assert_eq!(third.parts()[0].outcome.as_ref().unwrap().status, ReconciliationStatus::Complete);
    assert_eq!(sent().len(), 2, "it is not failed any more");
}
