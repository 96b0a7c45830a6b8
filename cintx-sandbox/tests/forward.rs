//! The forward-only rule of 2025-12-18, and the clock: what runs ahead, what
//! keeps its pace.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use cintx_sandbox::Sandbox;
use common::{Caller, VERSIONS, assert_own_answers_valid, field, send};
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};

fn last(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn what_the_newest_version_wrote_the_older_ones_only_read() {
    for version in ["2024-12-02", "2025-02-17"] {
        let sandbox = Sandbox::start().await.unwrap();
        let old = Caller::new(&sandbox, version).await;
        let new = Caller::new(&sandbox, "2025-12-18").await;

        // A project of the older version may be touched by both, until the
        // newest has written it.
        let project = old.project(&sandbox, "p").await;
        let reference = "project_customer_reference_number";
        let body = json!({ "name": "Renamed", "project_manager_id": sandbox.project_manager_id(), reference: null });
        let put = |caller: &Caller, key: &str| {
            let request = caller.with_body(Method::PUT, &project, &body).header("if-match", "*");
            request.header("idempotency-key", key)
        };
        send(put(&new, "n")).await.expect(200);
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove(reference);
        let request =
            old.with_body(Method::PUT, &project, &body).header("if-match", "*").header("idempotency-key", "o");
        let refused = send(request).await.expect(400);
        assert!(refused.text.contains("written through 2025-12-18"), "{refused:?}");

        // A group of its own, made by the older version, stays its own.
        let own = old.draft(&sandbox, &project, 100).await;
        let run = old.launch(&own, "l").await;
        let etag = old.get(&run).await.expect(200).header("etag");
        old.act(&format!("{run}/pause"), &etag).await.expect(204);

        // One of the newest version is read, not written.
        let group = new.draft(&sandbox, &project, 100).await;
        old.get(&group).await.expect(200);
        let launch = format!("{group}/fielding-run-jobs/launch-from-draft");
        let end = json!({ "end_fielding_at": field().1 });
        old.post_keyed(&launch, "l2", &end).await.expect(400);
        new.launch(&group, "l2").await;
        old.get(&format!("{group}/details")).await.expect(200);
        old.get(&format!("{group}/profiles")).await.expect(200);

        // In bulk it fails in part.
        let jobs = format!("{project}/batch-jobs/complete-fielding-runs-by-target-group-id");
        let ids = json!({ "target_group_ids": [last(&own), last(&group)] });
        let job = old.post_keyed(&jobs, "b", &ids).await.expect(201).header("location");
        let done = old.until(&format!("{jobs}/{}", last(&job)), |job| job["status"] != "Processing").await;
        assert_eq!(done["updated_target_groups"]["data"][0]["target_group_id"], last(&own));
        assert_eq!(done["failed_target_groups"]["data"][0]["target_group_id"], last(&group));

        // And once the newest has written one of the older version's.
        let assistant = format!("{own}/fielding-assistant-assignment");
        let overlay = json!({ "quota_overlay": { "prevent_overfill": true, "balance_fill": true } });
        send(old.with_body(Method::PUT, &assistant, &overlay)).await.expect(204);
        send(new.with_body(Method::PUT, &assistant, &overlay)).await.expect(204);
        send(old.with_body(Method::PUT, &assistant, &overlay)).await.expect(400);
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn a_week_of_field_takes_a_second() {
    // Real time per simulated week: a second and a bit.
    let sandbox = Sandbox::builder().speed(604_800.0).field_pace(Duration::from_secs(600)).start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let mut body = caller.draft_body(&sandbox, 300).await;
    let far = |days: i64| format!("{:.3}", jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days));
    body["fielding_specification"] = json!({ "start_at": far(3_650), "end_at": far(3_700) });
    let made = caller.post(&format!("{project}/target-groups"), &body).await.expect(201).json();
    let group = format!("{project}/target-groups/{}", made["id"].as_str().unwrap());
    let started = Instant::now();
    let end = json!({ "end_fielding_at": far(7_300) });
    caller.post_keyed(&format!("{group}/fielding-run-jobs/launch-from-draft"), "l", &end).await.expect(201);
    let status = || sandbox.state()["target_groups"][0]["status"].clone();
    while status() != "completed" {
        assert!(started.elapsed() < Duration::from_secs(60), "{}", sandbox.state());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(sandbox.state()["target_groups"][0]["completes"], 300);
    // The caller's token has not aged by weeks.
    caller.get(&project).await.expect(200);
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn the_clock_changes_its_pace_and_can_stand() {
    let sandbox = Sandbox::builder().speed(0.0).start().await.unwrap();
    let now = || sandbox.state()["now"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let start = now();
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(now(), start);
    let url = format!("{}/clock", sandbox.control_url());
    let body = json!({ "speed": 1_000_000.0, "advance_seconds": 3_600 });
    send(common::post_json(&common::client(), &url, &body)).await.expect(200);
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(start.duration_until(now()) > jiff::SignedDuration::from_secs(3_600 + 1_000));
    let wrong = json!({ "speed": -1.0 });
    send(common::post_json(&common::client(), &url, &wrong)).await.expect(400);
}

#[tokio::test]
async fn price_draws_people() {
    let mut completes = Vec::new();
    for price in ["0.60", "2.70", "9.00"] {
        let sandbox = Sandbox::builder()
            .standing_clock(1_750_000_000)
            .token_ttl(Duration::from_secs(1 << 20))
            .field_pace(Duration::from_secs(300))
            .field_burst(0)
            .start()
            .await
            .unwrap();
        let caller = Caller::new(&sandbox, "2025-12-18").await;
        let project = caller.project(&sandbox, "p").await;
        let mut body = caller.draft_body(&sandbox, 5_000).await;
        body["cost_per_interview"]["value"] = json!(price);
        let made = caller.post(&format!("{project}/target-groups"), &body).await.expect(201).json();
        let group = format!("{project}/target-groups/{}", made["id"].as_str().unwrap());
        let end = json!({ "end_fielding_at": field().1 });
        caller.post_keyed(&format!("{group}/fielding-run-jobs/launch-from-draft"), "l", &end).await.expect(201);
        sandbox.advance(Duration::from_secs(5 * 86_400));
        completes.push(sandbox.state()["target_groups"][0]["completes"].as_u64().unwrap());
    }
    assert!(completes[0] > 0 && completes.is_sorted_by(|a, b| a < b), "{completes:?}");
}

#[tokio::test]
async fn a_seeded_run_repeats_byte_for_byte() {
    let run = || async {
        let mut texts = Vec::new();
        let sandbox = Sandbox::builder().seed(5).standing_clock(1_750_000_000).start().await.unwrap();
        for version in VERSIONS {
            let caller = Caller::new(&sandbox, version).await;
            let project = caller.project(&sandbox, &format!("p{version}")).await;
            texts.push(project.clone());
            texts.push(caller.get(&format!("{}/projects", caller.account)).await.text);
            texts.push(caller.get(&format!("{project}/target-groups")).await.text);
        }
        texts.push(sandbox.state().to_string());
        texts
    };
    assert_eq!(run().await, run().await);
}
