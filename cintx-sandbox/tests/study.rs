//! A whole study over HTTP, in each version: from the token to the bill.
//! Also respondents moved by the client, and bulk jobs.
// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use cintx_sandbox::Sandbox;
use common::{Caller, VERSIONS, assert_own_answers_valid, client, send};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_whole_study_in_every_version() {
    for version in VERSIONS {
        let sandbox = Sandbox::builder().seed(7).start().await.unwrap();
        study(&sandbox, version).await;
        assert_own_answers_valid(&sandbox);
        for request in sandbox.requests() {
            assert!(request.violations.is_empty(), "{request:#?}");
            assert_eq!(request.notes, Vec::<String>::new());
        }
        sandbox.stop().await;
    }
}

async fn study(sandbox: &Sandbox, version: &'static str) {
    let caller = Caller::new(sandbox, version).await;

    // Who we are.
    let accounts = caller.get("/accounts").await.expect(200).json();
    assert_eq!(accounts["accounts"][0]["id"], sandbox.account_id());
    let account = format!("/accounts/{}", sandbox.account_id());
    let users = caller.get(&format!("{account}/users")).await.expect(200).json();
    assert_eq!(users["users"][0]["id"], sandbox.project_manager_id());
    let units = caller.get(&format!("{account}/business-units")).await.expect(200).json();
    assert_eq!(units["business_units"][0]["id"], sandbox.business_unit_id());

    // A project, once per key.
    let project = caller.project(sandbox, "project-key-1").await;
    assert_eq!(caller.project(sandbox, "project-key-1").await, project);
    let details = caller.get(&project).await.expect(200);
    assert_eq!(details.header("etag"), "W/\"1\"");
    assert_eq!(details.json()["name"], "MyDrinksSurveyQ1");
    let list = caller.get(&format!("{}/projects", caller.account)).await.expect(200).json();
    assert_eq!(list["projects"].as_array().unwrap().len(), 1);

    let price = |body: Value| body["suggested_price"]["value"].as_str().unwrap().parse::<f64>().unwrap();
    let easy = price(feasibility(&caller, &project, sandbox, 0.8).await);
    let hard = price(feasibility(&caller, &project, sandbox, 0.1).await);
    assert!(easy > 0.0 && hard > easy, "{easy} {hard}");

    // A draft.
    let group = caller.draft(sandbox, &project, 100).await;
    let draft = caller.get(&group).await.expect(200).json();
    assert_eq!(draft["name"], "US pet owners");
    let goal = if caller.is_legacy() { "filling_goal" } else { "completes_goal" };
    assert_eq!(draft[goal], 100);
    caller.get(&format!("{group}/details")).await.expect(404);
    caller.get(&format!("{group}/overview")).await.expect(404);

    // Launched.
    let run = caller.launch(&group, "launch-key-1").await;
    let moved = caller.get(&group).await.expect(301);
    assert!(moved.header("location").ends_with("/details"));
    assert!(moved.text.is_empty());
    let details = caller.get(&format!("{group}/details")).await.expect(200).json();
    assert_eq!(details["business_unit_id"], sandbox.business_unit_id().to_string());
    let overview = caller.get(&format!("{group}/overview")).await.expect(200).json();
    assert_eq!(overview["status"], "live");
    let list = caller.get(&format!("{project}/target-groups?status=live&status=paused")).await.expect(200).json();
    assert_eq!(list["target_groups"][0]["status"], "live");
    let none = caller.get(&format!("{project}/target-groups?status=draft")).await.expect(200).json();
    assert_eq!(none["target_groups"], json!([]));

    // Quotas fill.
    let completes = quota_completes(&caller, &group).await;
    assert!(completes > 0);

    // Pause, resume, complete, each with the ETag of the one before.
    let read = caller.get(&run).await.expect(200);
    let word = |word: &str| if caller.is_legacy() { capital(word) } else { word.to_owned() };
    assert_eq!(read.json()["status"], word("live"));
    let etag = read.header("etag");
    let etag = caller.act(&format!("{run}/pause"), &etag).await.expect(204).header("etag");
    assert_eq!(caller.get(&run).await.expect(200).json()["status"], word("paused"));
    let allowed = transitions(&caller, &project).await;
    assert_eq!(allowed["is_resume_allowed"], true);
    assert_eq!(allowed["is_pause_allowed"], false);
    let etag = caller.act(&format!("{run}/resume"), &etag).await.expect(204).header("etag");
    let etag = caller.act(&format!("{run}/complete"), &etag).await.expect(204).header("etag");
    assert_eq!(caller.get(&run).await.expect(200).header("etag"), etag);
    let etag = caller.act(&format!("{run}/relaunch"), &etag).await.expect(204).header("etag");
    caller.act(&format!("{run}/complete"), &etag).await.expect(204);
    let runs = caller.get(&format!("{group}/fielding-runs")).await.expect(200).json();
    assert_eq!(runs["data"][0]["status"], word("completed"));
    assert_eq!(runs["has_more"], false);

    reconcile(&caller, sandbox).await;
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

async fn feasibility(caller: &Caller, project: &str, sandbox: &Sandbox, incidence: f64) -> Value {
    let (start, end) = common::field();
    let (path, body) = if caller.is_legacy() {
        (
            format!("{project}/target-groups/calculate-feasibility"),
            json!({
                "business_unit_id": sandbox.business_unit_id(), "locale": "eng_us", "incidence_rate": incidence,
                "length_of_interview": 10, "filling_goal": 100, "start_date": start, "end_date": end,
                "profiles": [
                    { "question_id": 43,
                      "conditions": { "object": "selection_conditions_details", "data": [{ "option": "1" }] },
                      "quotas": { "ungrouped": [{ "index": 0, "quota_percentage": 100 }] } },
                ],
            }),
        )
    } else {
        (
            format!("{}/target-groups/calculate-feasibility", caller.account),
            json!({
                "business_unit_id": sandbox.business_unit_id(), "locale": "eng_us",
                "expected_incidence_rate": incidence, "expected_length_of_interview_minutes": 10,
                "completes_goal": 100, "fielding_specification": { "start_at": start, "end_at": end },
                "profiling": { "profile_adjustment_type": "percentage", "profiles": caller.profiles() },
            }),
        )
    };
    caller.post(&path, &body).await.expect(200).json()
}

async fn quota_completes(caller: &Caller, group: &str) -> u64 {
    if !caller.is_legacy() {
        let profiles = caller.get(&format!("{group}/profiles")).await.expect(200).json();
        let targets = profiles["profiles"][0]["targets"].as_array().unwrap();
        assert_eq!(targets.len(), 6);
        let sum = |name: &str| targets.iter().map(|t| t["quota"][name].as_u64().unwrap()).sum::<u64>();
        assert_eq!(sum("completes_goal"), 100);
        let id = profiles["profiles"][0]["id"].as_str().unwrap();
        caller.get(&format!("{group}/profiles/{id}")).await.expect(200);
        return sum("completes");
    }
    let first = caller.get(&format!("{group}/profiles")).await.expect(200).json();
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    let second = group.replacen("/demand", "/demand/v2", 1);
    let profiles = caller.get(&format!("{second}/profiles")).await.expect(200).json();
    let interlock = &profiles["interlocked_profile"];
    let cells = interlock["quotas"]["ungrouped"].as_array().unwrap();
    assert_eq!(cells.len(), 6);
    let sum = |cells: &[Value], name: &str| cells.iter().map(|cell| cell[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum(cells, "completes_goal"), 100);
    // Every margin counts what its cells count.
    for margin in interlock["profiles"].as_array().unwrap() {
        let quotas = margin["quotas"]["ungrouped"].as_array().unwrap();
        assert_eq!(sum(quotas, "completes"), sum(cells, "completes"));
    }
    sum(cells, "completes")
}

async fn transitions(caller: &Caller, project: &str) -> Value {
    caller.post(&format!("{project}/compute-target-group-transitions"), &json!({})).await.expect(200).json()
}

async fn reconcile(caller: &Caller, sandbox: &Sandbox) {
    let codes = caller.get(&format!("{}/reconciliations/reason-codes", caller.account)).await.expect(200).json();
    assert!(codes["reconciliation_reasons"].as_array().unwrap().iter().any(|reason| reason["code"] == "933"));

    let respondents = sandbox.respondents();
    let complete = respondents.iter().find(|r| r.is_complete()).unwrap();
    let terminated = respondents.iter().find(|r| r.status == 2).unwrap();
    let list = format!(
        "{},933\r\n{},11\r\n{},941\r\n00000000-0000-4000-8000-000000000000,26\r\n",
        complete.rid.to_lowercase(),
        terminated.rid,
        terminated.rid,
    );
    let request = caller
        .request(Method::POST, &format!("{}/reconciliations?name=march.csv", caller.account))
        .header("content-type", "text/csv")
        .header("idempotency-key", "1c4ab6cf-9a4b-4a5f-8f57-0d1d6c0d3f2b")
        .body(list);
    let reply = send(request).await.expect(if caller.is_legacy() { 200 } else { 202 }).json();
    let name = if caller.is_legacy() { "request_name" } else { "name" };
    assert_eq!(reply[name], "march.csv");
    let path = format!("{}/reconciliations/{}", caller.account, reply["request_id"].as_str().unwrap());
    let done = caller.until(&path, |state| state["status"] == "complete").await;
    assert_eq!(done["submitted_count"], 4, "{done}");
    assert_eq!(done["negative_reversed_count"], 1, "{done}");
    assert_eq!(done["positive_reversed_count"], 1, "{done}");
    assert_eq!(done["invalid_count"], 2, "{done}");
    let list = caller.get(&format!("{}/reconciliations?name=march.csv", caller.account)).await.expect(200).json();
    assert_eq!(list["reconciliation_requests"][0]["result_counts"]["total_reversed"], 2, "{list}");
    let groups = caller.get(&format!("{path}/target-groups")).await.expect(200).json();
    assert_eq!(groups["target_groups"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn respondents_are_moved_on_server_to_server() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 100).await;
    caller.launch(&group, "l").await;
    let rid = sandbox.enter_respondent(group.rsplit('/').next().unwrap()).unwrap();

    let http = client();
    let get = |key: String, rid: &str| {
        http.get(format!("{}/fulfillment/respondents/{rid}", sandbox.s2s_url())).header("authorization", key)
    };
    let key = sandbox.s2s_key();
    let reply = send(get(key.clone(), &rid)).await.expect(200).json();
    assert_eq!(reply["status"], 1);
    assert_eq!(reply["links"][0]["href"], format!("https://survey.example/?RID={rid}"));
    send(get(format!("Bearer {key}"), &rid)).await.expect(401);
    send(get(key.clone(), "no-such")).await.expect(404);

    let to = |status: i64| {
        let url = format!("{}/fulfillment/respondents/transition", sandbox.s2s_url());
        common::post_json(&http, &url, &json!({ "id": rid, "status": status })).header("authorization", key.clone())
    };
    assert_eq!(send(to(5)).await.expect(200).json(), json!({ "id": rid, "status": 5 }));
    assert_eq!(send(to(5)).await.expect(422).json(), json!({ "id": rid, "status": 5 }));
    assert_eq!(send(get(key.clone(), &rid)).await.expect(200).json()["status"], 5);
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn bulk_jobs_can_fail_in_part() {
    for version in VERSIONS {
        let sandbox = Sandbox::start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let project = caller.project(&sandbox, "p").await;
        let live = caller.draft(&sandbox, &project, 100).await;
        caller.launch(&live, "l").await;
        let draft = caller.draft(&sandbox, &project, 100).await;
        let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
        let missing = "01JP0M57XAWSMNPSW5M62A035H";
        let body = json!({ "target_group_ids": [id(&live), id(&draft), missing] });
        let jobs = format!("{project}/batch-jobs/pause-fielding-runs-by-target-group-id");
        let location = caller.post_keyed(&jobs, "b", &body).await.expect(201).header("location");
        let job = format!("{jobs}/{}", id(&location));
        let done = caller.until(&job, |job| job["status"] != "Processing").await;
        assert_eq!(done["status"], "Completed");
        assert_eq!(done["updated_target_groups"]["data"].as_array().unwrap().len(), 1);
        let failed = done["failed_target_groups"]["data"].as_array().unwrap();
        let codes: Vec<_> = failed.iter().map(|one| one["failure_reason"]["code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["StatusTransitionNotAllowed", "TargetGroupNotFound"]);
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn jobs_fail_for_chosen_target_groups_with_a_chosen_reason() {
    for version in VERSIONS {
        let sandbox = Sandbox::start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let project = caller.project(&sandbox, "p").await;
        let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
        let (one, other) = (caller.draft(&sandbox, &project, 100).await, caller.draft(&sandbox, &project, 100).await);
        assert!(sandbox.fail_jobs_of(&id(&one), 1, "TargetGroupInvalidState", "Not today."));
        assert!(!sandbox.fail_jobs_of("no-such", 1, "x", ""));
        let jobs = format!("{one}/fielding-run-jobs/launch-from-draft");
        let reply = caller.post_keyed(&jobs, "f", &json!({ "end_fielding_at": common::field().1 })).await.expect(201);
        let job = format!("{jobs}/{}", id(&reply.header("location")));
        let failed = caller.until(&job, |job| job["status"] != "Processing").await;
        assert_eq!(failed["status"], "Failed");
        assert_eq!(failed["failure_reason"]["code"], "TargetGroupInvalidState");
        assert_eq!(failed["failure_reason"]["description"], "Not today.");
        caller.launch(&one, "again").await;
        caller.launch(&other, "other").await;

        let control = format!("{}/jobs/fail", sandbox.control_url());
        let reason = json!({ "target_group_id": id(&other), "code": "StatusTransitionNotAllowed" });
        send(common::post_json(&client(), &control, &reason)).await.expect(200);
        let refused = [(json!({ "target_group_id": "no-such" }), 404), (json!({ "code": "x" }), 400)];
        for (body, status) in refused {
            send(common::post_json(&client(), &control, &body)).await.expect(status);
        }
        let jobs = format!("{project}/batch-jobs/pause-fielding-runs-by-target-group-id");
        let body = json!({ "target_group_ids": [id(&one), id(&other)] });
        let location = caller.post_keyed(&jobs, "b", &body).await.expect(201).header("location");
        let done = caller.until(&format!("{jobs}/{}", id(&location)), |job| job["status"] != "Processing").await;
        assert_eq!(done["updated_target_groups"]["data"][0]["target_group_id"], id(&one), "{done}");
        let failed = &done["failed_target_groups"]["data"][0];
        assert_eq!(failed["target_group_id"], id(&other), "{done}");
        assert_eq!(failed["failure_reason"]["code"], "StatusTransitionNotAllowed", "{done}");
        assert_own_answers_valid(&sandbox);
    }
}
