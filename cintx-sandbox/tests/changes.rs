//! What can be changed, and when: projects, drafts, launched groups, runs that
//! are scheduled, quotas that fill up.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use cintx_sandbox::Sandbox;
use common::{Caller, VERSIONS, assert_own_answers_valid, field, send};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn projects_are_replaced_with_their_etag() {
    for version in VERSIONS {
        let sandbox = Sandbox::start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let project = caller.project(&sandbox, "p").await;
        let reference = if caller.is_legacy() { "purchase_order_number" } else { "project_customer_reference_number" };
        let body = json!({
            "name": "  Another name ", "project_manager_id": sandbox.project_manager_id(), reference: "PO 17",
        });
        let put = |key: &str, etag: &str| {
            caller.with_body(Method::PUT, &project, &body).header("idempotency-key", key).header("if-match", etag)
        };
        send(put("u1", "W/\"9\"")).await.expect(412);
        send(put("u2", "W/\"1\"")).await.expect(200);
        send(put("u3", "W/\"1\"")).await.expect(412);
        let read = caller.get(&project).await.expect(200);
        assert_eq!(read.header("etag"), "W/\"2\"");
        assert_eq!(read.json()["name"], "Another name");
        assert_eq!(read.json()[reference], "PO 17");
        caller.get(&format!("{project}/overview")).await.expect(200);
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn drafts_are_replaced_and_launched_groups_are_not() {
    for version in VERSIONS {
        let sandbox = Sandbox::start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let project = caller.project(&sandbox, "p").await;
        let group = caller.draft(&sandbox, &project, 100).await;
        let mut body = caller.draft_body(&sandbox, 60).await;
        body["name"] = json!("Another name");
        if caller.is_legacy() {
            // Regular profiles this time, one condition without a quota of its own.
            body["profile"] = json!({
                "profile_adjustment_type": "percentage",
                "drafts": [{
                    "question_id": 42, "quotas_enabled": true,
                    "conditions": { "object": "range_conditions_details_template", "data": [
                        { "min": 18, "max": 34 }, { "min": 35, "max": 54 }, { "min": 55, "max": 99 },
                    ] },
                    "quotas": {
                        "ungrouped": [{ "index": 0, "quota_percentage": 60, "quota_nominal": 0 }],
                        "grouped": [{ "name": "older", "indexes": [1, 2], "quota_percentage": 40, "quota_nominal": 0 }],
                    },
                }],
                "interlocked_profiles": [],
            });
        } else {
            body["profiling"]["profiles"] = caller.profiles();
        }
        send(caller.with_body(Method::PUT, &group, &body)).await.expect(204);
        let draft = caller.get(&group).await.expect(200).json();
        assert_eq!(draft["name"], "Another name");
        caller.launch(&group, "l").await;
        send(caller.with_body(Method::PUT, &group, &body)).await.expect(400);

        let profiles = caller.get(&format!("{group}/profiles")).await.expect(200).json();
        if caller.is_legacy() {
            let quotas = &profiles["data"][0]["quotas"];
            assert_eq!(quotas["ungrouped"][0]["filling_goal"], 36, "{profiles}");
            assert_eq!(quotas["grouped"][0]["filling_goal"], 24);
            assert_eq!(quotas["grouped"][0]["conditions"].as_array().unwrap().len(), 2);
        } else {
            assert_eq!(profiles["profiles"].as_array().unwrap().len(), 2);
            assert_eq!(profiles["profiles"][0]["targets"][0]["quota"]["completes_goal"], 24);
        }

        let details = json!({
            "name": "Launched name", "project_manager_id": sandbox.project_manager_id(),
            "expected_length_of_interview_minutes": 12, "expected_incidence_rate": 0.4,
            "industry_lockout_code": "no_lockout",
            "live_url": "https://survey.example/2?RID=[%RID%]", "test_url": "https://survey.example/2?RID=[%RID%]",
        });
        let reply = send(caller.with_body(Method::PUT, &format!("{group}/details"), &details)).await.expect(200);
        assert_eq!(reply.json()["name"], "Launched name");
        let price = json!({ "target_group_cpi": { "value": "3.1", "currency_code": "USD" } });
        let reply =
            send(caller.with_body(Method::PUT, &format!("{group}/cost-per-interview"), &price)).await.expect(200);
        assert_eq!(reply.json()["target_group_cpi"]["value"], "3.1");
        let strategy = json!({ "filling_strategy": "completes" });
        send(caller.with_body(Method::PUT, &format!("{group}/filling-strategy"), &strategy)).await.expect(200);
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn scheduled_runs_start_by_themselves_or_now() {
    for version in VERSIONS {
        let sandbox = Sandbox::builder().field_pace(Duration::ZERO).start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let project = caller.project(&sandbox, "p").await;
        let (start, end) = field();
        let mut runs = Vec::new();
        for key in ["s1", "s2"] {
            let group = caller.draft(&sandbox, &project, 100).await;
            let jobs = format!("{group}/fielding-run-jobs/schedule-from-draft");
            let body = json!({ "start_fielding_at": start, "end_fielding_at": end });
            let location = caller.post_keyed(&jobs, key, &body).await.expect(201).header("location");
            let job = format!("{jobs}/{}", location.rsplit('/').next().unwrap());
            caller.until(&job, |job| job["status"] == "Completed").await;
            let list = caller.get(&format!("{group}/fielding-runs")).await.expect(200).json();
            runs.push(format!("{group}/fielding-runs/{}", list["data"][0]["id"].as_str().unwrap()));
        }
        let status = |body: serde_json::Value| body["status"].as_str().unwrap().to_lowercase();
        let read = caller.get(&runs[0]).await.expect(200);
        assert_eq!(status(read.json()), "scheduled");
        caller.act(&format!("{}/pause", runs[0]), &read.header("etag")).await.expect(422);
        let reply = caller.act(&format!("{}/launch-now", runs[0]), &read.header("etag")).await.expect(200);
        assert!(reply.json()["start_fielding_at"].as_str().unwrap() < start.as_str());
        assert_eq!(status(caller.get(&runs[0]).await.json()), "live");

        // The other one is moved, and then waits for its time.
        let read = caller.get(&runs[1]).await.expect(200);
        let body = json!({ "start_fielding_at": start, "end_fielding_at": end });
        let put = caller.with_body(Method::PUT, &runs[1], &body).header("if-match", read.header("etag"));
        let reply = send(put).await.expect(202);
        assert_ne!(reply.header("etag"), read.header("etag"));
        sandbox.advance(Duration::from_secs(3 * 3_600));
        assert_eq!(status(caller.get(&runs[1]).await.json()), "live");
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn a_full_group_completes_and_no_quota_overflows() {
    let sandbox = Sandbox::builder().field_pace(Duration::from_millis(1)).start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 40).await;
    let run = caller.launch(&group, "l").await;
    sandbox.advance(Duration::from_secs(60));
    let read = caller.get(&run).await.expect(200);
    assert_eq!(read.json()["status"], "completed");
    let profiles = caller.get(&format!("{group}/profiles")).await.expect(200).json();
    for target in profiles["profiles"][0]["targets"].as_array().unwrap() {
        assert_eq!(target["quota"]["completes"], target["quota"]["completes_goal"]);
    }
    // The goal is reached: there is nothing to relaunch for.
    caller.act(&format!("{run}/relaunch"), &read.header("etag")).await.expect(422);
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn approved_lists_turn_back_what_they_leave_out() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 100).await;
    caller.launch(&group, "l").await;
    let completes: Vec<String> = sandbox.respondents().into_iter().filter(|r| r.is_complete()).map(|r| r.rid).collect();
    assert!(completes.len() > 2);
    let list = format!("{}\nno-such-rid\n", completes[0]);
    let path = format!("{project}/reconciliations/completes?name=keep.csv");
    let request = caller.request(Method::POST, &path).header("content-type", "text/csv").body(list);
    let id = send(request).await.expect(202).json()["request_id"].as_str().unwrap().to_owned();
    let path = format!("{}/reconciliations/{id}", caller.account);
    let done = caller.until(&path, |state| state["status"] == "complete").await;
    assert_eq!(done["submission_type"], "approved_rids");
    assert_eq!(done["invalid_count"], 1);
    assert!(done["negative_reversed_count"].as_u64().unwrap() >= completes.len() as u64 - 1);
    let left = caller.get(&format!("{path}/downloads/invalid-rids")).await.expect(200);
    assert_eq!(left.text, "no-such-rid\n");
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn approved_lists_balance_by_target_group() {
    let sandbox = Sandbox::builder().field_pace(Duration::ZERO).start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let mut completes = Vec::new();
    for key in ["one", "two"] {
        let group = caller.draft(&sandbox, &project, 100).await;
        caller.launch(&group, key).await;
        let id = group.rsplit('/').next().unwrap().to_owned();
        for _ in 0..3 {
            let rid = sandbox.enter_respondent(&id).unwrap();
            let url = format!("{}/fulfillment/respondents/transition", sandbox.s2s_url());
            let request = common::post_json(&caller.http, &url, &json!({ "id": rid, "status": 5 }));
            send(request.header("authorization", sandbox.s2s_key())).await.expect(200);
            completes.push((id.clone(), rid));
        }
    }
    // Two of three of the first group, none of the second.
    let list = format!("{}\n{}\nno-such-rid\n", completes[0].1, completes[1].1);
    let path = format!("{project}/reconciliations/completes?name=keep.csv");
    let request = caller.request(Method::POST, &path).header("content-type", "text/csv").body(list);
    let id = send(request).await.expect(202).json()["request_id"].as_str().unwrap().to_owned();
    let path = format!("{}/reconciliations/{id}", caller.account);
    let done = caller.until(&path, |state| state["status"] == "complete").await;
    let counts =
        |of: &Value| ["submitted", "invalid", "negative_reversed"].map(|name| of[format!("{name}_count")].clone());
    assert_eq!(counts(&done), [3, 1, 4]);
    for (group, expected) in [(&completes[0].0, [2, 0, 1]), (&completes[3].0, [0, 0, 3])] {
        let own = caller.get(&format!("{path}/target-groups/{group}")).await.expect(200).json();
        assert_eq!(counts(&own), expected, "{own}");
    }
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn lists_are_read_to_their_end_by_cursor() {
    for version in VERSIONS {
        let sandbox = Sandbox::start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let mut made = Vec::new();
        for number in 0..7 {
            made.push(caller.project(&sandbox, &format!("k{number}")).await);
        }
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("{}/projects?page_size=3{cursor}", caller.account);
            let page = caller.get(&path).await.expect(200).json();
            for project in page["projects"].as_array().unwrap() {
                seen.push(format!("{}/projects/{}", caller.account, project["id"].as_str().unwrap()));
            }
            assert_eq!(page["has_more"], page["next_cursor"].is_string());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&start_after={next}"),
                None => break,
            }
        }
        seen.sort();
        made.sort();
        assert_eq!(seen, made);
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn the_control_endpoint_shows_and_moves() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 100).await;
    caller.launch(&group, "l").await;
    let control = sandbox.control_url();
    let read = |what: &str| send(caller.http.get(format!("{control}/{what}")));
    let state = read("state").await.expect(200).json();
    assert_eq!(state["target_groups"][0]["status"], "live");
    assert!(state["sessions"].as_array().unwrap().iter().any(|session| session["status"] == 5));
    let requests = read("requests").await.expect(200).text;
    assert!(requests.contains("create_project") && !requests.contains(&caller.token));
    let post = |what: &str, body| send(common::post_json(&caller.http, &format!("{control}/{what}"), &body));
    let id = group.rsplit('/').next().unwrap();
    let session = post("respondents", json!({ "target_group_id": id })).await.expect(201).json();
    assert_eq!(session["status"], 1);
    post("clock", json!({ "advance_seconds": 8 * 86_400 })).await.expect(200);
    let state = read("state").await.expect(200).json();
    assert_eq!(state["target_groups"][0]["status"], "completed");
    post("tokens/expire", json!({})).await.expect(200);
    caller.get("/accounts").await.expect(403);
}
