//! Webhooks, heard by a small subscriber: signed, at least once, in order,
//! tried again, and written down.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use cintx_sandbox::{Fault, Sandbox};
use common::{Caller, assert_own_answers_valid, send};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

type Heard = Arc<Mutex<Vec<(String, Value)>>>;

/// Listens on a free port; answers with the event's id, or with nothing.
async fn subscriber(deaf_to: usize) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let heard = Heard::default();
    let list = heard.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = String::new();
            let (head, body) = loop {
                let mut buffer = [0; 4096];
                let read = stream.read(&mut buffer).await.unwrap();
                request.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
                if let Some((head, body)) = request.split_once("\r\n\r\n") {
                    let length = head.split("Content-Length: ").nth(1).unwrap().lines().next().unwrap();
                    if body.len() >= length.parse().unwrap() {
                        break (head.to_owned(), body.to_owned());
                    }
                }
            };
            let event: Value = serde_json::from_str(&body).unwrap();
            let count = {
                let mut list = list.lock().unwrap();
                list.push((head, event.clone()));
                list.len()
            };
            let answer =
                if count <= deaf_to { "{}".to_owned() } else { json!({ "event_id": event["id"] }).to_string() };
            let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            stream.write_all(text.as_bytes()).await.unwrap();
        }
    });
    (address, heard)
}

async fn until(heard: &Heard, enough: impl Fn(&[(String, Value)]) -> bool) -> Vec<(String, Value)> {
    for _ in 0..300 {
        let list = heard.lock().unwrap().clone();
        if enough(&list) {
            return list;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{:#?}", heard.lock().unwrap());
}

/// Waits until so many events have come through, sooner than a try is given up.
async fn delivered(sandbox: &Sandbox, events: u64) {
    let began = std::time::Instant::now();
    while sandbox.state()["webhooks"][0]["delivered"] != events {
        assert!(began.elapsed() < Duration::from_secs(5), "{}", sandbox.state()["webhooks"]);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn subscribe(caller: &Caller, sandbox: &Sandbox, url: &str, events: Value) -> Value {
    let path = format!("/accounts/{}/webhooks", sandbox.account_id());
    caller.post(&path, &json!({ "url": url, "events": events })).await.expect(201).json()
}

#[tokio::test]
async fn events_are_signed_tried_again_and_written_down() {
    let (address, heard) = subscriber(1).await;
    let sandbox = Sandbox::builder().webhook_retry(Duration::from_millis(30)).start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let url = format!("http://{address}/cint?x=1");
    let hook = subscribe(&caller, &sandbox, &url, json!(["target-group-updated"])).await;
    assert_eq!(hook["secret"].as_str().unwrap().len(), 44);
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 100).await;
    let run = caller.launch(&group, "l").await;
    let etag = caller.get(&run).await.expect(200).header("etag");
    caller.act(&format!("{run}/pause"), &etag).await.expect(204);
    let list = until(&heard, |list| list.len() >= 3).await;
    let status = |at: usize| list[at].1["data"]["changes"][0]["new_value"].clone();
    assert_eq!([status(0), status(1), status(2)], ["live", "live", "paused"]);
    assert_eq!(list[0].1["id"], list[1].1["id"], "at least once");
    assert_eq!(list[0].1["type"], "com.cint.target-group.updated");
    assert_eq!(list[2].1["data"]["user"]["las_user_id"], sandbox.project_manager_id());
    assert!(list[0].0.starts_with("POST /cint?x=1 HTTP/1.1\r\n"), "{}", list[0].0);
    assert!(list[0].0.contains("Cint-Signature: t="), "{}", list[0].0);

    let base = format!("/accounts/{}/webhooks/{}", sandbox.account_id(), hook["id"].as_str().unwrap());
    let path = format!("{base}/events-history?start_time=2020-01-01T00:00:00.000Z");
    let history = caller.until(&path, |body| body["events"][1]["status"] == "delivered").await;
    assert_eq!(history["events"][0]["payload"]["id"], list[0].1["id"]);
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn sessions_and_quotas_are_told_and_deliveries_can_fail() {
    let (address, heard) = subscriber(0).await;
    let sandbox = Sandbox::builder()
        .field_pace(Duration::ZERO)
        .webhook_gateway(address)
        .webhook_retry(Duration::from_millis(10))
        .start()
        .await
        .unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let events = json!(["session-updated", "quota-fill-registered"]);
    subscribe(&caller, &sandbox, "https://hooks.example/cint", events).await;
    sandbox.inject(Fault::on("webhook_delivery").drop_before_applying().times(1));
    sandbox.inject(Fault::on("webhook_delivery").deliver_twice().times(1));
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 100).await;
    caller.launch(&group, "l").await;
    let rid = sandbox.enter_respondent(group.rsplit('/').next().unwrap()).unwrap();
    // The session, its target group and its one quota; one of them twice.
    let list = until(&heard, |list| list.len() >= 4).await;
    let mut ids: Vec<&str> = list.iter().map(|(_, event)| event["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3, "one of them twice");
    let (sessions, fills): (Vec<_>, Vec<_>) =
        list.iter().map(|(_, event)| event).partition(|event| event["type"] == "com.cint.session.updated");
    assert!(fills.iter().all(|event| event["data"]["screens"] == 1), "{fills:?}");
    let session = sessions[0];
    assert_eq!(session["data"]["response_session_id"], rid);
    assert!(session["dataschema"].is_string(), "{session}");
    for name in ["survey_id", "respondent_id", "panelist_id", "parent_sid", "entry_type", "mid"] {
        assert!(!session["data"][name].is_null(), "{name} of {session}");
    }
}

#[tokio::test]
async fn subscriptions_are_kept() {
    let sandbox = Sandbox::start().await.unwrap();
    for version in common::VERSIONS {
        let caller = Caller::new(&sandbox, version).await;
        let path = format!("/accounts/{}/webhooks", sandbox.account_id());
        let events = if version == "2024-12-02" { json!(["survey_paused"]) } else { json!(["session-updated"]) };
        let mut body = json!({ "url": "https://hooks.example/cint", "events": events });
        match version {
            "2024-12-02" => body["id"] = json!("0a5a1b9c-64f0-4a41-a8b6-62a1e1a1c001"),
            "2025-02-17" => body["id"] = json!("01JP0M57XAWSMNPSW5M62A035H"),
            _ => {}
        }
        let hook = caller.post(&path, &body).await.expect(201).json();
        body["url"] = json!("http://hooks.example/cint");
        caller.post(&path, &body).await.expect(400);
        let own = format!("{path}/{}", hook["id"].as_str().unwrap());
        let got = caller.get(&own).await.expect(200);
        assert_eq!(got.json()["secret"], Value::Null);
        assert_eq!(got.json()["events"], events);
        let put = |etag: &str| {
            caller
                .with_body(Method::PUT, &own, &json!({ "url": "https://hooks.example/other" }))
                .header("if-match", etag)
                .header("idempotency-key", format!("put-{version}-{etag}"))
        };
        send(put("W/\"9\"")).await.expect(412);
        assert_eq!(send(put(&got.header("etag"))).await.expect(200).json()["url"], "https://hooks.example/other");
        let renew = caller.post_keyed(&format!("{own}/regenerate-secret"), version, &Value::Null).await;
        assert_ne!(renew.expect(200).json()["secret"], hook["secret"]);
        let list = caller.get(&path).await.expect(200).json();
        assert!(list["webhooks"].as_array().unwrap().iter().any(|one| one["id"] == hook["id"]), "{list}");
        send(caller.request(Method::DELETE, &own)).await.expect(204);
        caller.get(&own).await.expect(404);
    }
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn a_subscription_too_much_takes_none_away() {
    let (address, heard) = subscriber(0).await;
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let events = json!(["target-group-updated"]);
    subscribe(&caller, &sandbox, &format!("http://{address}/first"), events.clone()).await;
    for _ in 1..20 {
        subscribe(&caller, &sandbox, "http://127.0.0.1:9/", json!(["quota-fill-registered"])).await;
    }
    let path = format!("/accounts/{}/webhooks", sandbox.account_id());
    let body = json!({ "url": format!("http://{address}/more"), "events": events, "note": "x".repeat(1 << 20) });
    let refused = caller.post(&path, &body).await.expect(400);
    assert!(refused.text.contains("20 subscriptions at most are kept; delete one first"), "{}", refused.text);
    assert_eq!(sandbox.state()["webhooks"].as_array().unwrap().len(), 20);
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 100).await;
    caller.launch(&group, "l").await;
    assert!(until(&heard, |list| !list.is_empty()).await[0].0.starts_with("POST /first "));
    assert_own_answers_valid(&sandbox);
}

#[tokio::test]
async fn a_late_event_is_overtaken() {
    let (address, heard) = subscriber(0).await;
    let sandbox =
        Sandbox::builder().field_pace(Duration::ZERO).webhook_retry(Duration::from_millis(100)).start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let body = json!({ "url": format!("http://{address}/hook"), "events": ["session-updated"] });
    caller.post(&format!("/accounts/{}/webhooks", sandbox.account_id()), &body).await.expect(201);
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 100).await;
    caller.launch(&group, "l").await;
    sandbox.inject(Fault::on("webhook_delivery").deliver_late().times(1));
    let rid = sandbox.enter_respondent(group.rsplit('/').next().unwrap()).unwrap();
    let url = format!("{}/fulfillment/respondents/transition", sandbox.s2s_url());
    let request = common::post_json(&caller.http, &url, &json!({ "id": rid, "status": 5 }));
    send(request.header("authorization", sandbox.s2s_key())).await.expect(200);
    let list = until(&heard, |list| list.len() == 2).await;
    let numbers: Vec<_> = list.iter().map(|(_, event)| event["data"]["sequence_number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [2, 1]);
}

/// An answer as most servers give it.
fn whole(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// An answer in two pieces, as a server gives it that does not know the length beforehand.
fn in_chunks(body: &str) -> String {
    let (first, rest) = body.split_at(body.len() / 2);
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}{}0\r\n\r\n", chunk(first), chunk(rest))
}

/// Listens for many at once and keeps what it hears, in order of arrival.
/// Closes no connection by itself.
async fn busy_subscriber(answer: fn(&str) -> String) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let heard = Heard::default();
    let list = heard.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let list = list.clone();
            tokio::spawn(async move {
                let mut request = Vec::new();
                let event = loop {
                    let mut buffer = [0; 8192];
                    let read = stream.read(&mut buffer).await.unwrap();
                    request.extend_from_slice(&buffer[..read]);
                    let body = request.windows(4).position(|four| four == b"\r\n\r\n").map(|at| &request[at + 4..]);
                    if let Some(event) = body.and_then(|body| serde_json::from_slice::<Value>(body).ok()) {
                        break event;
                    }
                };
                let text = answer(&json!({ "event_id": event["id"] }).to_string());
                list.lock().unwrap().push((String::new(), event));
                stream.write_all(text.as_bytes()).await.unwrap();
                let _ = stream.read(&mut [0]).await;
            });
        }
    });
    (address, heard)
}

/// A state whose clock was moved holds events that are due in its future.
#[tokio::test]
async fn what_waits_sets_out_anew_with_a_state_that_is_loaded() {
    let (other, _) = subscriber(0).await;
    let (address, heard) = subscriber(0).await;
    let builder = Sandbox::builder().field_pace(Duration::ZERO).webhook_gateway("127.0.0.1:1");
    let one = builder.start().await.unwrap();
    let caller = Caller::new(&one, "2025-12-18").await;
    subscribe(&caller, &one, "https://hooks.example/cint", json!(["target-group-updated"])).await;
    let project = caller.project(&one, "p").await;
    let group = caller.draft(&one, &project, 100).await;
    let run = caller.launch(&group, "l").await;
    one.advance(Duration::from_secs(3 * 86_400));
    let etag = caller.get(&run).await.expect(200).header("etag");
    caller.act(&format!("{run}/pause"), &etag).await.expect(204);
    let saved = one.save().unwrap();
    let two = Sandbox::builder().webhook_gateway(address).state(saved.clone()).start().await.unwrap();
    let list = until(&heard, |list| list.len() >= 2).await;
    assert_eq!(list[1].1["data"]["changes"][0]["new_value"], "paused");
    drop(two);
    // The same where a sandbox goes back to it that has begun anew since.
    let three = Sandbox::builder().webhook_gateway(other).start().await.unwrap();
    three.advance(Duration::from_secs(60));
    three.load(&saved).unwrap();
    delivered(&three, 2).await;
}

#[tokio::test]
async fn an_event_of_a_standing_clock_does_not_expire_when_it_begins_to_run() {
    let (address, heard) = subscriber(2).await;
    let past = jiff::Timestamp::now().as_second() - 30 * 86_400;
    let sandbox = Sandbox::builder()
        .standing_clock(past)
        .webhook_gateway(address)
        .webhook_retry(Duration::from_millis(30))
        .field_pace(Duration::ZERO)
        .start()
        .await
        .unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    subscribe(&caller, &sandbox, "https://hooks.example/cint", json!(["target-group-updated"])).await;
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 100).await;
    let body = json!({ "end_fielding_at": common::field().1 });
    caller.post_keyed(&format!("{group}/fielding-run-jobs/launch-from-draft"), "l", &body).await.expect(201);
    sandbox.advance(Duration::from_secs(1));
    until(&heard, |list| list.len() == 1).await;
    sandbox.set_speed(1.0);
    until(&heard, |list| list.len() == 3).await;
    delivered(&sandbox, 1).await;
}

#[tokio::test]
async fn subscribers_answer_in_pieces_and_keep_connections_open() {
    for answer in [whole, in_chunks] {
        let (address, heard) = busy_subscriber(answer).await;
        let sandbox = Sandbox::builder().webhook_gateway(address).start().await.unwrap();
        let caller = Caller::new(&sandbox, "2025-12-18").await;
        subscribe(&caller, &sandbox, "https://hooks.example/cint", json!(["target-group-updated"])).await;
        let project = caller.project(&sandbox, "p").await;
        let group = caller.draft(&sandbox, &project, 100).await;
        caller.launch(&group, "l").await;
        delivered(&sandbox, 1).await;
        assert_eq!(heard.lock().unwrap().len(), 1, "sent once");
    }
}

/// Lets groups fill at a speed and holds what was heard against the books:
/// the number of events and of seconds.
async fn fill_and_listen(speed: f64, groups: usize, goal: u64) -> (usize, f64) {
    let (address, heard) = busy_subscriber(whole).await;
    let sandbox = Sandbox::builder().webhook_gateway(address).start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let events = json!(["target-group-updated", "session-updated", "quota-fill-registered"]);
    subscribe(&caller, &sandbox, "https://hooks.example/cint", events).await;
    let project = caller.project(&sandbox, "p").await;
    let began = std::time::Instant::now();
    for at in 0..groups {
        let group = caller.draft(&sandbox, &project, goal).await;
        let end = json!({ "end_fielding_at": "2199-01-01T00:00:00.000Z" });
        caller
            .post_keyed(&format!("{group}/fielding-run-jobs/launch-from-draft"), &at.to_string(), &end)
            .await
            .expect(201);
    }
    sandbox.set_speed(speed);
    let mut state = sandbox.state();
    let is_quiet = |state: &Value| {
        let done = |group: &Value| group["status"] == "completed";
        state["webhooks"][0]["waiting"] == 0
            && state["sessions"].as_array().unwrap().iter().all(|session| session["standing"] != "in_survey")
            && state["target_groups"].as_array().unwrap().iter().all(done)
    };
    while !is_quiet(&state) {
        assert!(began.elapsed() < Duration::from_secs(500), "{}", state["webhooks"]);
        tokio::time::sleep(Duration::from_millis(50)).await;
        state = sandbox.state();
    }
    let heard = heard.lock().unwrap().clone();
    let mut sequences: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut fills: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (_, event) in &heard {
        let data = &event["data"];
        let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
        match event["type"].as_str().unwrap() {
            "com.cint.session.updated" => {
                let number = data["sequence_number"].as_u64().unwrap();
                sequences.entry(text("response_session_id")).or_default().push(number);
            }
            "com.cint.quota.fill.registered" => {
                let key = format!("{} {}", text("target_group_id"), text("profile_quota_id"));
                fills.entry(key).or_default().push(data["screens"].as_u64().unwrap());
            }
            _ => {}
        }
    }
    for session in state["sessions"].as_array().unwrap() {
        let told = &sequences[session["rid"].as_str().unwrap()];
        assert_eq!(*told, (1..=session["sequence"].as_u64().unwrap()).collect::<Vec<_>>(), "{session}");
    }
    assert!(fills.values().all(|screens| screens.is_sorted()), "{fills:?}");
    for group in state["target_groups"].as_array().unwrap() {
        let told = fills[&format!("{} ", group["id"].as_str().unwrap())].last().copied();
        assert_eq!(told, group["prescreens"].as_u64(), "{group}");
    }
    (heard.len(), began.elapsed().as_secs_f64())
}

/// `CINTX_SANDBOX_GROUPS=10 CINTX_SANDBOX_GOAL=300 cargo test --release -p
/// cintx-sandbox --test webhooks at_any_speed -- --nocapture` is the full run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_arrives_in_order_at_any_speed() {
    let number = |name: &str, usual| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (groups, goal) = (number("CINTX_SANDBOX_GROUPS", 3), number("CINTX_SANDBOX_GOAL", 30));
    for speed in [60.0, 3_600.0, 604_800.0] {
        let (events, seconds) = fill_and_listen(speed, groups as usize, goal).await;
        eprintln!("{speed}-fold: {events} events of {groups} groups with {goal} completes in {seconds:.1} s");
    }
}

#[tokio::test]
async fn a_subscriber_with_a_new_address_is_tried_at_once() {
    let sandbox = Sandbox::builder().field_pace(Duration::ZERO).webhook_retry(Duration::from_secs(600)).start();
    let sandbox = sandbox.await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    // A port that was free a moment ago, so nobody listens there.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let hook = subscribe(&caller, &sandbox, &format!("http://{nobody}/"), json!(["session-updated"])).await;
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 100).await;
    caller.launch(&group, "l").await;
    for _ in 0..20 {
        sandbox.enter_respondent(group.rsplit('/').next().unwrap()).unwrap();
    }
    let began = std::time::Instant::now();
    while sandbox.state()["webhooks"][0]["listens"] != false || sandbox.state()["webhooks"][0]["in_flight"] != 0 {
        assert!(began.elapsed() < Duration::from_secs(5), "{}", sandbox.state()["webhooks"]);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (address, heard) = subscriber(0).await;
    let path = format!("/accounts/{}/webhooks/{}", sandbox.account_id(), hook["id"].as_str().unwrap());
    let etag = caller.get(&path).await.expect(200).header("etag");
    let update = |url: String| {
        let body = json!({ "url": url, "events": ["session-updated"] });
        send(caller.with_body(Method::PUT, &path, &body).header("if-match", &etag))
    };
    update(format!("http://{address}/")).await.expect(200);
    delivered(&sandbox, 20).await;
    assert_eq!(heard.lock().unwrap().len(), 20);
    assert_eq!(sandbox.state()["webhooks"][0]["listens"], true);
}
