//! Faults on purpose: what a caller sees of each, and what has happened to
//! the state behind it.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use cintx_sandbox::{Fault, Sandbox};
use common::{Caller, client, post_json, send, token_body};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn study(sandbox: &Sandbox) -> (Caller, String, Value) {
    let caller = Caller::new(sandbox, "2025-12-18").await;
    let projects = format!("{}/projects", caller.account);
    let body = json!({ "name": "Faulty study", "project_manager_id": sandbox.project_manager_id() });
    (caller, projects, body)
}

fn projects(sandbox: &Sandbox) -> usize {
    sandbox.state()["projects"].as_array().unwrap().len()
}

#[tokio::test]
async fn answers_get_lost_before_and_after_the_deed() {
    let sandbox = Sandbox::start().await.unwrap();
    let (caller, path, body) = study(&sandbox).await;
    let create = |key: &str| caller.with_body(Method::POST, &path, &body).header("idempotency-key", key).send();
    let cases = [
        (Fault::on("create_project").drop_before_applying(), 0),
        (Fault::on("create_project").reset_before_applying(), 0),
        (Fault::on("create_project").drop_after_applying(), 1),
        (Fault::on("create_project").reset_after_applying(), 1),
    ];
    for (at, (fault, made)) in cases.into_iter().enumerate() {
        let before = projects(&sandbox);
        let id = sandbox.inject(fault.times(1));
        let error = create(&at.to_string()).await.unwrap_err();
        assert!(!error.is_timeout(), "{error:?}");
        assert_eq!(projects(&sandbox) - before, made, "case {at}");
        assert_eq!(sandbox.fault_hits(id), 1);
        // The repeat, with the same key, never makes a second one.
        let reply = create(&at.to_string()).await.unwrap();
        assert_eq!(reply.status(), 202);
        assert_eq!(projects(&sandbox) - before, 1);
        assert_eq!(sandbox.requests().last().unwrap().replayed, made == 1);
    }
    let log = sandbox.requests();
    assert_eq!(log[0].fault, Some("drop-before-applying"));
    assert_eq!((log[0].status, log[0].operation.as_deref()), (0, Some("create_project")));
    assert_eq!((log[4].status, log[4].fault), (202, Some("drop-after-applying")));
}

#[tokio::test]
async fn answers_arrive_in_part() {
    let sandbox = Sandbox::start().await.unwrap();
    let (caller, path, body) = study(&sandbox).await;
    sandbox.inject(Fault::on("create_project").truncate(5).times(1));
    let request = caller.with_body(Method::POST, &path, &body).header("idempotency-key", "k");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 202);
    assert!(response.text().await.is_err());
    assert_eq!(projects(&sandbox), 1);
    caller.post_keyed(&path, "k", &body).await.expect(202);
}

#[tokio::test]
async fn storms_pass() {
    let sandbox = Sandbox::start().await.unwrap();
    let (caller, path, body) = study(&sandbox).await;
    sandbox.inject(Fault::on("create_project").rate_limited(2).times(2));
    sandbox.inject(Fault::on("create_*").status(503).retry_after(1).times(1));
    sandbox.inject(Fault::everywhere().gateway_page(502).times(1));
    for _ in 0..2 {
        let reply = caller.post_keyed(&path, "k", &body).await.expect(429);
        assert_eq!(reply.header("retry-after"), "2");
        assert_eq!(reply.json()["object"], "too_many_requests_problem_details");
        assert!(reply.json()["details"].is_string(), "{reply:?}");
    }
    let reply = caller.post_keyed(&path, "k", &body).await.expect(503);
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(reply.json()["object"], "unexpected_internal_error");
    let reply = caller.post_keyed(&path, "k", &body).await.expect(502);
    assert_eq!(reply.header("content-type"), "text/html");
    assert_eq!(projects(&sandbox), 0);
    caller.post_keyed(&path, "k", &body).await.expect(202);
}

#[tokio::test]
async fn tokens_expire_and_the_token_endpoint_fails() {
    let sandbox = Sandbox::start().await.unwrap();
    let (mut caller, path, body) = study(&sandbox).await;
    sandbox.inject(Fault::on("create_project").expire_token().times(1));
    sandbox.inject(Fault::on("oauth_token").status(503).times(1));
    sandbox.inject(Fault::on("oauth_token").drop_after_applying().times(1));
    let reply = caller.post_keyed(&path, "k", &body).await.expect(403);
    assert_eq!(reply.json()["object"], "authorization_error");
    caller.post_keyed(&path, "k", &body).await.expect(403);
    let http = client();
    let ask = || post_json(&http, &sandbox.token_url(), &token_body(&sandbox));
    let reply = send(ask()).await.expect(503);
    assert_eq!(reply.json()["error"], "temporarily_unavailable");
    ask().send().await.unwrap_err();
    let reply = send(ask()).await.expect(200);
    caller.token = reply.json()["access_token"].as_str().unwrap().to_owned();
    caller.post_keyed(&path, "k", &body).await.expect(202);
}

#[tokio::test]
async fn slow_answers_are_done_or_not() {
    let sandbox = Sandbox::start().await.unwrap();
    let (caller, path, body) = study(&sandbox).await;
    let hurried = |key: &str| {
        let request = caller.with_body(Method::POST, &path, &body).header("idempotency-key", key);
        request.timeout(Duration::from_millis(100)).send()
    };
    let slow = Duration::from_millis(400);
    sandbox.inject(Fault::on("create_project").delay(slow).times(1));
    assert!(hurried("a").await.unwrap_err().is_timeout());
    assert_eq!(projects(&sandbox), 1);
    sandbox.inject(Fault::on("create_project").delay_before_applying(slow).times(1));
    assert!(hurried("b").await.unwrap_err().is_timeout());
    tokio::time::sleep(slow).await;
    assert_eq!(projects(&sandbox), 1, "whoever has gone is not served");
    sandbox.inject(Fault::on("create_project").delay(slow).rate_limited(1).times(1));
    let begin = Instant::now();
    caller.post_keyed(&path, "c", &body).await.expect(429);
    assert!(begin.elapsed() >= slow);
}

#[tokio::test]
async fn reads_are_stale() {
    let sandbox = Sandbox::start().await.unwrap();
    let (caller, _, _) = study(&sandbox).await;
    let stale = sandbox.inject(Fault::on("get_project_by_id").stale_read().times(1));
    let project = caller.project(&sandbox, "p").await;
    // Not there yet.
    caller.get(&project).await.expect(404);
    let first = caller.get(&project).await.expect(200);
    let body = json!({ "name": "Another name", "project_manager_id": sandbox.project_manager_id(),
        "project_customer_reference_number": null });
    let put = |key: &str, etag: &str| {
        caller.with_body(Method::PUT, &project, &body).header("idempotency-key", key).header("if-match", etag)
    };
    send(put("u1", &first.header("etag"))).await.expect(200);
    assert!(sandbox.remove_fault(stale));
    sandbox.inject(Fault::on("get_project_by_id").stale_read().times(1));
    let old = caller.get(&project).await.expect(200);
    assert_eq!((old.header("etag"), old.text.clone()), (first.header("etag"), first.text));
    send(put("u2", &old.header("etag"))).await.expect(412);
    let new = caller.get(&project).await.expect(200);
    send(put("u2", &new.header("etag"))).await.expect(200);
}

#[tokio::test]
async fn tomorrows_answers() {
    let sandbox = Sandbox::start().await.unwrap();
    let (caller, path, _) = study(&sandbox).await;
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 100).await;
    sandbox.inject(Fault::on("get_target_group").drift());
    let body = caller.get(&group).await.expect(200).json();
    assert!(body["added_tomorrow"].is_object(), "{body}");
    let listed = |reply: common::Reply| reply.expect(200).json()["target_groups"][0].clone();
    sandbox.inject(Fault::on("get_list_target_groups").unknown_values().times(1));
    assert_eq!(listed(caller.get(&format!("{project}/target-groups")).await)["status"], "added_tomorrow");
    assert_eq!(listed(caller.get(&format!("{project}/target-groups")).await)["status"], "draft");
    assert!(body["profiling"]["profiles"][0]["targets"][0]["added_tomorrow"].is_object(), "{body}");
    sandbox.clear_faults();
    sandbox.inject(Fault::on("get_target_group").unknown_fields());
    let body = caller.get(&group).await.expect(200).json();
    assert!(body["added_tomorrow"].is_object(), "{body}");
    sandbox.clear_faults();
    sandbox.inject(Fault::on("list_account_projects").content_type("text/plain"));
    assert_eq!(caller.get(&path).await.expect(200).header("content-type"), "text/plain");
}

#[tokio::test]
async fn faults_over_the_control_endpoint() {
    let sandbox = Sandbox::start().await.unwrap();
    let (caller, path, _) = study(&sandbox).await;
    let http = client();
    let url = format!("{}/faults", sandbox.control_url());
    let reply = send(post_json(&http, &url, &json!({ "on": "list_*", "do": "status", "status": 500, "times": 1 })));
    let id = reply.await.expect(201).json()["ids"][0].as_u64().unwrap();
    let toml = "[[fault]]\non = \"list_*\"\ndo = \"gateway-page\"\n";
    send(http.post(&url).body(toml)).await.expect(201);
    caller.get(&path).await.expect(500);
    caller.get(&path).await.expect(502);
    let list = send(http.get(&url)).await.expect(200).json();
    assert_eq!((&list["faults"][0]["hits"], &list["faults"][1]["do"]), (&json!(1), &json!("gateway-page")));
    send(http.post(&url).body("{ \"do\": \"dance\" }")).await.expect(400);
    send(http.delete(format!("{url}/{id}"))).await.expect(200);
    send(http.delete(format!("{url}/{id}"))).await.expect(404);
    send(http.delete(&url)).await.expect(200);
    caller.get(&path).await.expect(200);
}

#[tokio::test]
async fn connections_are_cut_before_anything_is_read() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let list = format!("{}/projects", caller.account);
    let fresh = || {
        client()
            .get(format!("{}{list}", caller.api))
            .bearer_auth(&caller.token)
            .header("cint-api-version", caller.version)
    };
    for fault in [Fault::on("connection").reset_before_applying(), Fault::on("connection").drop_before_applying()] {
        let before = sandbox.requests().len();
        let cut = sandbox.inject(fault.times(1));
        assert!(fresh().send().await.is_err());
        assert_eq!(sandbox.fault_hits(cut), 1);
        assert_eq!(sandbox.requests().len(), before, "nothing was read");
        send(fresh()).await.expect(200);
    }
    // A star stands for requests alone.
    let all = sandbox.inject(Fault::everywhere().status(503));
    send(fresh()).await.expect(503);
    assert_eq!(sandbox.fault_hits(all), 1);
}

#[tokio::test]
async fn a_request_is_delivered_twice() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    sandbox.inject(Fault::on("create_*").apply_twice());
    // The key saves the project.
    let project = caller.project(&sandbox, "p").await;
    assert_eq!(sandbox.state()["projects"].as_array().unwrap().len(), 1);
    // Target groups have none.
    caller.draft(&sandbox, &project, 100).await;
    assert_eq!(sandbox.state()["target_groups"].as_array().unwrap().len(), 2);
}
