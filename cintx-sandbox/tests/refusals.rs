//! What the sandbox refuses, and how: each in the shape of its version.
//! A client that passes here has been turned away for each known reason.
// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use cintx_sandbox::Sandbox;
use common::{Caller, VERSIONS, assert_own_answers_valid, client, contract, post_json, send, token_body};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn tokens_are_given_for_the_right_words_only() {
    let sandbox = Sandbox::start().await.unwrap();
    let http = client();
    let url = sandbox.token_url();
    let mut wrong = token_body(&sandbox);
    wrong["client_secret"] = json!("guess");
    let reply = send(post_json(&http, &url, &wrong)).await.expect(401).json();
    assert_eq!(reply, json!({ "error": "access_denied", "error_description": "Unauthorized" }));
    let form = http.post(&url).header("content-type", "application/x-www-form-urlencoded").body("a=b");
    send(form).await.expect(415);
    let mut short = token_body(&sandbox);
    short.as_object_mut().unwrap().remove("audience");
    send(post_json(&http, &url, &short)).await.expect(400);
    let reply = send(post_json(&http, &url, &token_body(&sandbox))).await.expect(200).json();
    assert_eq!(reply["token_type"], "Bearer");
}

#[tokio::test]
async fn callers_without_credentials_or_version_are_turned_away() {
    for version in VERSIONS {
        let sandbox = Sandbox::builder().api_version(version).start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let list = format!("{}/projects", caller.account);

        let bare = caller.http.get(format!("{}{list}", caller.api));
        let reply = send(bare.try_clone().unwrap().header("cint-api-version", version)).await.expect(401).json();
        assert_eq!(reply["object"], "authorization_error");
        assert!(reply["id"].is_string() && reply["detail"].is_string());

        let wrong = bare.try_clone().unwrap().header("authorization", "Bearer wrong");
        send(wrong.header("cint-api-version", version)).await.expect(401);

        let token = format!("Bearer {}", caller.token);
        let reply = send(bare.try_clone().unwrap().header("authorization", &token)).await.expect(403).json();
        assert_eq!(reply["object"], "required_header_missing");

        let other = bare.header("authorization", &token).header("cint-api-version", "2023-01-01");
        send(other).await.expect(400);

        let foreign = caller.get("/demand/accounts/1/projects").await.expect(403).json();
        assert_eq!(foreign["object"], "authorization_error");

        sandbox.expire_tokens();
        let reply = caller.get(&list).await.expect(403).json();
        assert_eq!(reply["object"], "authorization_error");
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn tokens_expire_by_the_machines_clock_alone() {
    for seconds in [1, 3_600] {
        let sandbox = Sandbox::builder().token_ttl(Duration::from_secs(seconds)).start().await.unwrap();
        let http = client();
        let reply = send(post_json(&http, &sandbox.token_url(), &token_body(&sandbox))).await.expect(200).json();
        assert_eq!(reply["expires_in"], seconds);
        let call = || {
            http.get(format!("{}/accounts", sandbox.api_url()))
                .header("authorization", format!("Bearer {}", reply["access_token"].as_str().unwrap()))
                .header("cint-api-version", "2025-12-18")
        };
        // The simulation's clock does not age them.
        sandbox.advance(Duration::from_secs(2 * 3_600));
        if seconds == 1 {
            tokio::time::sleep(Duration::from_millis(1_100)).await;
            send(call()).await.expect(403);
        } else {
            send(call()).await.expect(200);
            sandbox.expire_tokens();
            send(call()).await.expect(403);
        }
    }
}

#[tokio::test]
async fn keys_are_asked_for_and_remembered() {
    for version in VERSIONS {
        let sandbox = Sandbox::start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let path = format!("{}/projects", caller.account);
        let body = json!({ "name": "A project", "project_manager_id": sandbox.project_manager_id() });
        let reply = caller.post(&path, &body).await.expect(400).json();
        assert!(invalid_names(&reply).contains(&"idempotency-key".to_owned()), "{reply}");

        let first = caller.post_keyed(&path, "k1", &body).await.expect(202);
        let again = caller.post_keyed(&path, "k1", &body).await.expect(202);
        assert_eq!(first.text, again.text);
        assert_eq!(first.header("etag"), again.header("etag"));
        let fresh = caller.post_keyed(&path, "k2", &body).await.expect(202);
        assert_ne!(first.text, fresh.text);
        let other = json!({ "name": "Another project", "project_manager_id": sandbox.project_manager_id() });
        caller.post_keyed(&path, "k1", &other).await.expect(400);
        assert_eq!(sandbox.requests().iter().filter(|request| request.replayed).count(), 1);
        assert_own_answers_valid(&sandbox);
    }
}

/// The names of the parameters at fault; 2024 and 2025 list them alike.
fn invalid_names(body: &Value) -> Vec<String> {
    let list = body["invalid_params"].as_array().unwrap_or_else(|| panic!("{body}"));
    list.iter().map(|param| param["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn bodies_are_held_against_the_document() {
    for version in VERSIONS {
        // Ids as numbers are tolerated otherwise.
        let sandbox = Sandbox::builder().tolerate([]).start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let projects = format!("{}/projects", caller.account);

        // Everything wrong is listed, with its place.
        let body = json!({ "name": "abc", "project_manager_id": "nobody" });
        let reply = caller.post_keyed(&projects, "k", &body).await.expect(400).json();
        assert_eq!(reply["object"], "bad_request_error");
        let mut names = invalid_names(&reply);
        names.sort();
        assert_eq!(names, ["name", "project_manager_id"]);

        let text = caller.request(Method::POST, &projects).header("idempotency-key", "k");
        send(text.header("content-type", "text/plain").body("hello")).await.expect(415);
        let broken = caller.request(Method::POST, &projects).header("idempotency-key", "k");
        send(broken.header("content-type", "application/json").body("{")).await.expect(400);
        caller.post_keyed(&projects, "k", &Value::Null).await.expect(400);

        let project = caller.project(&sandbox, "good").await;
        let good = caller.draft_body(&sandbox, 100).await;
        let groups = format!("{project}/target-groups");
        let mutants: &[(&str, Value)] = &[
            ("business_unit_id", json!(3848)),
            ("expected_incidence_rate", json!(1.5)),
            ("expected_incidence_rate", json!(0.123)),
            ("collects_pii", json!("no")),
            ("project_manager_id", json!("not-a-uuid")),
            ("fielding_specification", json!({ "start_at": "tomorrow", "end_at": "later" })),
            ("locale", json!("english")),
            ("cost_per_interview", json!("2.50")),
        ];
        for (name, value) in mutants {
            let mut bad = good.clone();
            bad[*name] = value.clone();
            let reply = caller.post(&groups, &bad).await.expect(400).json();
            assert!(invalid_names(&reply).iter().any(|own| own.starts_with(name)), "{version} {name}: {reply}");
        }
        for name in ["name", "locale", "fielding_specification", "fielding_assistant_assignment"] {
            let mut bad = good.clone();
            bad.as_object_mut().unwrap().remove(name);
            let reply = caller.post(&groups, &bad).await.expect(400).json();
            assert!(invalid_names(&reply).contains(&name.to_owned()), "{version} {name}: {reply}");
        }
        let mut foreign = good.clone();
        let currency = if version == "2024-12-02" { "code" } else { "currency_code" };
        foreign["cost_per_interview"][currency] = json!("EUR");
        caller.post(&groups, &foreign).await.expect(400);
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn unions_are_told_by_the_branch_that_was_meant() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let groups = format!("{project}/target-groups");
    let mut bad = caller.draft_body(&sandbox, 100).await;
    bad["profiling"]["profiles"][0]["targets"][0]["conditions"][0]["min"] = json!(0);
    let reply = caller.post(&groups, &bad).await.expect(400).json();
    assert!(invalid_names(&reply).contains(&"profiling.profiles.0.targets.0.conditions.0.min".to_owned()), "{reply}");
}

/// Whoever is refused reads which value it is about, what came and everything that may come instead.
#[tokio::test]
async fn refusals_say_what_came_and_what_may() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let groups = format!("{project}/target-groups");
    let good = caller.draft_body(&sandbox, 100).await;
    let start = good["fielding_specification"]["start_at"].as_str().unwrap();
    let condition = "/profiling/profiles/0/targets/0/conditions/0/object";
    let slips: &[(&str, &str, &[&str])] = &[
        ("/cost_per_interview/value", "-1", &["got -1", "a decimal number of 0 or more"]),
        ("/cost_per_interview/value", "cheap", &["got cheap", "a decimal number of 0 or more"]),
        ("/cost_per_interview/currency_code", "EUR", &["got EUR", "USD"]),
        ("/fielding_specification/end_at", start, &[start, "later than"]),
        ("/fielding_specification/end_at", "tomorrow", &["tomorrow", "date-time"]),
        ("/profiling/profile_adjustment_type", "percents", &["percents", "percentage", "nominal"]),
        ("/profiling/profiles/0/object", "irregular", &["irregular", "regular", "blended"]),
        (condition, "selektion", &["selektion", "selection", "range"]),
    ];
    for (pointer, given, said) in slips {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = json!(given);
        let reply = caller.post(&groups, &bad).await.expect(400).json();
        let name = pointer[1..].replace('/', ".");
        let list = reply["invalid_params"].as_array().unwrap();
        let reason = list.iter().find(|one| one["name"] == name.as_str()).unwrap_or_else(|| panic!("{name}: {reply}"));
        let reason = reason["reason"].as_str().unwrap();
        assert!(reason.starts_with("got ") && reason.contains(", allowed: "), "{name}: {reason}");
        for part in *said {
            assert!(reason.contains(part), "{name}: {reason} without {part}");
        }
    }
    for query in ["page_size=0", "page_size=many", "start_after=nothing"] {
        let reply = caller.get(&format!("{}/projects?{query}", caller.account)).await.expect(400).json();
        let (name, given) = query.split_once('=').unwrap();
        let one = &reply["invalid_params"][0];
        assert_eq!(one["name"], name);
        let reason = one["reason"].as_str().unwrap();
        assert!(reason.contains(given) && reason.contains(", allowed: "), "{query}: {reason}");
    }
}

#[tokio::test]
async fn routes_methods_and_parameters() {
    for version in VERSIONS {
        let sandbox = Sandbox::start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        assert_eq!(caller.get("/demand/nowhere").await.expect(404).json()["object"], "not_found_error");
        let projects = format!("{}/projects", caller.account);
        let reply = send(caller.request(Method::DELETE, &projects)).await.expect(405);
        assert_eq!(reply.json()["object"], "method_not_allowed_error");
        assert_eq!(reply.header("allow"), "GET, POST");
        caller.get(&format!("{projects}?status=gone")).await.expect(400);
        caller.get(&format!("{projects}?page_size=many")).await.expect(400);
        caller.get(&format!("{projects}?page_size=101")).await.expect(400);
        caller.get(&format!("{projects}?start_after=nothing")).await.expect(400);
        caller.get(&format!("{projects}/short")).await.expect(400);
        caller.get(&format!("{projects}/01JP0M57XAWSMNPSW5M62A035H")).await.expect(404);
        caller.get("/demand/accounts/abc/projects").await.expect(400);
        // The wrong prefix is another path.
        send(caller.http.get(format!("{}/demand/accounts/1/projects", sandbox.s2s_url()))).await.expect(404);
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn stale_and_missing_etags() {
    for version in VERSIONS {
        let sandbox = Sandbox::start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let project = caller.project(&sandbox, "p").await;
        let group = caller.draft(&sandbox, &project, 100).await;
        let run = caller.launch(&group, "l").await;
        let etag = caller.get(&run).await.expect(200).header("etag");

        let reply = caller.act(&format!("{run}/pause"), "W/\"999\"").await.expect(412).json();
        assert_eq!(reply["object"], "precondition_failed_error");
        // Without its quotes and its W/ it is another value.
        caller.act(&format!("{run}/pause"), "1").await.expect(412);
        let bare = send(caller.request(Method::POST, &format!("{run}/pause")).header("content-length", "0")).await;
        // Older documents do not require it.
        bare.expect(if caller.is_legacy() { 204 } else { 400 });

        let etag = if caller.is_legacy() { caller.get(&run).await.header("etag") } else { etag };
        let path = if caller.is_legacy() { "resume" } else { "pause" };
        let next = caller.act(&format!("{run}/{path}"), &etag).await.expect(204).header("etag");
        assert_ne!(etag, next);
        caller.act(&format!("{run}/{path}"), &etag).await.expect(412);
        let reply = caller.act(&format!("{run}/{path}"), &next).await.expect(422).json();
        assert_eq!(reply["object"], "invalid_state_error");
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn launches_fail_with_reasons() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let mut body = caller.draft_body(&sandbox, 100).await;
    body["profiling"]["profiles"][0]["targets"][0]["quota"]["completes_goal_percentage"] = json!(1);
    let id = caller.post(&format!("{project}/target-groups"), &body).await.expect(201).json()["id"].clone();
    let jobs = format!("{project}/target-groups/{}/fielding-run-jobs/launch-from-draft", id.as_str().unwrap());
    let end = json!({ "end_fielding_at": common::field().1 });
    let location = caller.post_keyed(&jobs, "l", &end).await.expect(201).header("location");
    let job = format!("{jobs}/{}", location.rsplit('/').next().unwrap());
    let done = caller.until(&job, |job| job["status"] != "Processing").await;
    assert_eq!(done["status"], "Failed");
    assert_eq!(done["failure_reason"]["reasons"][0]["reason"], "incorrect_sum_of_percentage_009");
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn profiles_are_refused_with_published_slugs() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let mut profiles = caller.profiles();
    profiles[0]["targets"][1]["conditions"][0]["min"] = json!(30);
    let body = json!({
        "locale": "eng_us", "completes_goal": 100,
        "profiling": { "profile_adjustment_type": "percentage", "profiles": profiles },
    });
    let path = format!("{}/profiles/validate", caller.account);
    let reply = caller.post(&path, &body).await.expect(422).json();
    assert_eq!(reply["invalid_params"][0]["reason"], "profile_condition_ranges_should_not_overlap_014", "{reply}");
    assert_eq!(reply["invalid_params"][0]["error_type"], "data_validation_error");
    let good = json!({
        "locale": "eng_us", "completes_goal": 100,
        "profiling": { "profile_adjustment_type": "percentage", "profiles": caller.profiles() },
    });
    assert!(caller.post(&path, &good).await.expect(204).text.is_empty());
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn lists_for_reconciliation_are_read_line_by_line() {
    for version in VERSIONS {
        let sandbox = Sandbox::start().await.unwrap();
        let caller = Caller::new(&sandbox, version).await;
        let path = format!("{}/reconciliations?name=x", caller.account);
        let submit = |path: &str, media: &str, list: &str| {
            caller
                .request(Method::POST, path)
                .header("content-type", media.to_owned())
                .header("idempotency-key", format!("{}{list}", list.len()).replace(['\n', ','], "-"))
                .body(list.to_owned())
        };
        let reply = send(submit(&path, "text/csv", "a,11\nb\nc,26,x\n")).await.expect(400).json();
        assert_eq!(invalid_names(&reply), ["line 2", "line 3"], "{reply}");
        send(submit(&path, "application/json", "{}")).await.expect(415);
        send(submit(&path, "text/csv", "\n")).await.expect(400);
        // The documents know no spreadsheets here, under whichever type they come.
        let sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        send(submit(&path, sheet, "a,11\n")).await.expect(415);
        let bytes = submit(&path, "text/csv", "PK").body(b"PK\x03\x04\x14\x00\xff\xfe".to_vec());
        send(bytes).await.expect(400);
        // The header that the newer documents declare allows a second name of CSV.
        send(submit(&path, "application/csv", "a,26\n")).await.expect(if caller.is_legacy() { 200 } else { 202 });
        let nameless = format!("{}/reconciliations", caller.account);
        let reply = send(submit(&nameless, "text/csv", "a,11\n")).await.expect(400).json();
        assert_eq!(invalid_names(&reply), ["name"]);
        assert_own_answers_valid(&sandbox);
    }
}

#[tokio::test]
async fn sandboxes_stop_and_do_not_disturb_each_other() {
    let (one, two) = (Sandbox::start().await.unwrap(), Sandbox::builder().seed(2).start().await.unwrap());
    assert_ne!(one.api_url(), two.api_url());
    assert_ne!(one.client_secret(), two.client_secret());
    let address = one.address();
    let caller = Caller::new(&one, "2025-12-18").await;
    caller.project(&one, "p").await;
    assert_eq!(two.state()["projects"], json!([]));
    one.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    // The other one still serves; a dropped one frees its port as well.
    Caller::new(&two, "2025-12-18").await.get("/accounts").await.expect(200);
    let address = two.address();
    drop(two);
    for _ in 0..50 {
        if tokio::net::TcpStream::connect(address).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the port is still open");
}

#[test]
fn the_judge_works_alone() {
    use cintx_sandbox::contract::{Host, Place, Request};
    let contract = contract("2025-12-18");
    let mut headers = http::HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    headers.insert("cint-api-version", "2025-12-18".parse().unwrap());
    let body = json!({ "name": "abc" }).to_string();
    let verdict = contract.check_request(&Request {
        host: Host::Demand,
        method: "POST",
        path: "/demand/accounts/1/projects",
        query: Some("x=1"),
        headers: &headers,
        body: body.as_bytes(),
    });
    assert!(!verdict.is_valid());
    assert_eq!(verdict.operation.unwrap().id(), "create_project");
    let places: Vec<_> = verdict.violations.iter().map(|violation| violation.place.clone()).collect();
    assert!(places.contains(&Place::Header("idempotency-key".into())), "{places:?}");
    assert!(places.contains(&Place::Body("/name".into())), "{places:?}");
    assert!(places.contains(&Place::Body("/project_manager_id".into())), "{places:?}");
    assert_eq!(verdict.notes.len(), 1);
}
