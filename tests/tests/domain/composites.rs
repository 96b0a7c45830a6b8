//! Calls that make more than one request: their outcome is that of the whole. What took effect is not said to have
//! failed because a later request did.

use cintx::audience::{Audience, Question};
use cintx::client::{CallOptions, RetryPolicy};
use cintx::fielding::RunStatus;
use cintx::recovery::Resolution;
use cintx::{ErrorKind, Outcome, Version};
use cintx_sandbox::Fault;
use jiff::{Timestamp, ToSpan as _};

use super::setup::{Setup, on_every_version};

// The same operations before 2025-12-18, and from then on.
const READ_QUOTAS: [&str; 2] = ["get-profiles", "list_profiles"];
const WRITE_GOALS: [&str; 2] = ["bulk-update-quotas", "update_profile_filling_goal"];

on_every_version!(
    a_goal_that_was_written_is_applied_though_it_cannot_be_read_back,
    a_goal_that_was_refused_had_no_effect,
    a_wait_for_a_job_survives_failures_that_pass,
);

async fn a_goal_that_was_written_is_applied_though_it_cannot_be_read_back<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let audience = Audience::independent([Question::choice(43).option("1", 50).option("2", 50)]);
    let group = setup.draft(&project).audience(audience).create().await.unwrap();
    group.launch(Timestamp::now() + 300.hours()).await.unwrap().until_live().await.unwrap();
    for read in READ_QUOTAS {
        setup.sandbox.inject(Fault::on(read).status(400));
    }

    let error = group.quotas().set_goal(1_000).await.unwrap_err();

    assert_eq!((error.outcome(), error.kind()), (Outcome::Applied, ErrorKind::Status), "{error}");
    assert!(error.to_string().starts_with("the write took effect, but the request after it failed: "), "{error}");
    let asked = setup.sandbox.requests().len();
    assert_eq!(setup.cint.resolve(&error).await.unwrap(), Resolution::Applied { id: None });
    assert_eq!(setup.sandbox.requests().len(), asked, "what is known is not asked");
    // The sandbox's own books agree.
    setup.sandbox.clear_faults();
    let total: u64 = group.quotas().read().await.unwrap()[0].total();
    assert_eq!(total, 1_000);
}

async fn a_goal_that_was_refused_had_no_effect<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let group = setup.draft(&project).create().await.unwrap();
    group.launch(Timestamp::now() + 300.hours()).await.unwrap().until_live().await.unwrap();
    for write in WRITE_GOALS {
        setup.sandbox.inject(Fault::on(write).status(400));
    }

    let error = group.quotas().set_goal(1_000).await.unwrap_err();

    assert_eq!(error.outcome(), Outcome::NoEffect, "{error}");
    setup.sandbox.clear_faults();
    assert_eq!(group.quotas().read().await.unwrap()[0].total(), 500);
}

async fn a_wait_for_a_job_survives_failures_that_pass<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let draft = setup.draft(&project).create().await.unwrap();
    // Nothing is repeated but by the wait itself.
    let once = setup.cint.with(CallOptions::new().retry(RetryPolicy::none()));
    let job = once.project(&project).target_group(draft.id()).launch(Timestamp::now() + 300.hours()).await.unwrap();
    let faults = [404, 503, 500].map(|status| {
        setup.sandbox.inject(Fault::on("get_launch_fielding_run_from_draft_job").status(status).times(1))
    });
    assert_eq!(job.until_live().await.unwrap().status(), &RunStatus::Live);
    assert_eq!(faults.map(|fault| setup.sandbox.fault_hits(fault)), [1; 3], "each was met");
}
