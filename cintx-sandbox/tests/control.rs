//! The control endpoint over HTTP: who is let in, what is refused, and a state
//! that is saved, restored and begun anew.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use cintx_sandbox::Sandbox;
use common::{Caller, client, post_json, send};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn other_sites_do_not_reach_the_control_endpoint_or_the_page() {
    let sandbox = Sandbox::builder().control_token("open-sesame").start().await.unwrap();
    let page = format!("http://{}/", sandbox.address());
    let reset = format!("{}/reset", sandbox.control_url());
    for (name, value) in [("host", "evil.example"), ("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")]
    {
        send(client().get(&page).header(name, value)).await.expect(403);
        let refused = send(client().post(&reset).header(name, value)).await.expect(403);
        assert!(refused.json()["error"].is_string(), "{}", refused.text);
        let open = client().post(&reset).header(name, value).bearer_auth("open-sesame");
        send(open).await.expect(200);
    }
    send(client().get(format!("{page}?token=open-sesame")).header("host", "evil.example")).await.expect(200);
    send(client().get(&page)).await.expect(200);
    // The API itself has credentials of its own and is not kept to this machine.
    send(client().get(format!("{}/accounts", sandbox.api_url())).header("host", "evil.example")).await.expect(401);
}

#[tokio::test]
async fn from_elsewhere_the_token_is_needed() {
    let sandbox = Sandbox::builder().listen(Ipv4Addr::UNSPECIFIED.into()).start().await.unwrap();
    assert!(sandbox.address().ip().is_loopback(), "addresses are told as this machine reaches them");
    send(client().get(format!("{}/about", sandbox.control_url()))).await.expect(200);
    assert!(sandbox.control_token().len() >= 32);
}

#[tokio::test]
async fn an_empty_token_is_refused_by_name() {
    for token in ["", " a", "a\n"] {
        let refused = Sandbox::builder().control_token(token).start().await.unwrap_err().to_string();
        assert!(refused.contains("control token"), "{token:?}: {refused}");
    }
}

#[tokio::test]
async fn a_token_with_signs_opens_the_page_and_its_stream() {
    let sandbox = Sandbox::builder().control_token("a/b+c= &%").start().await.unwrap();
    for path in ["", "events?once=1&", "control/about?"] {
        let path = format!("{path}{}token=a%2Fb%2Bc%3D%20%26%25", if path.is_empty() { "?" } else { "" });
        let asked = client().get(format!("http://{}/{path}", sandbox.address())).header("host", "build.example");
        send(asked).await.expect(200);
    }
}

#[tokio::test]
async fn a_browser_that_asks_for_an_icon_is_not_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    send(client().get(format!("http://{}/favicon.ico", sandbox.address()))).await.expect(204);
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn what_is_not_known_is_refused_by_name() {
    let sandbox = Sandbox::start().await.unwrap();
    let control = sandbox.control_url();
    let http = client();
    for (path, body, named) in [
        ("clock", json!({ "advance_second": 5 }), "advance_second"),
        ("clock", json!({ "advance_seconds": -5 }), "-5"),
        ("clock", json!({ "speed": -1 }), "speed is -1; a number from 0 to 1000000"),
        ("clock", json!({ "speed": "fast" }), "speed: "),
        ("jobs/fail", json!({ "next": -1 }), "next: invalid value: integer `-1`, expected a whole number from 0 on"),
        ("requests/verify", json!({ "times": -1 }), "times is -1"),
        ("requests/verify", json!({}), "times is null"),
        ("requests/verify", json!({ "times": 0, "method": "get" }), "GET, POST, PUT"),
        ("save", json!({ "name": "" }), "name has 0 characters"),
        ("faults", json!({ "on": "*", "do": "delay", "chance": 7 }), "chance is 7"),
        ("jobs/fail", json!({ "jobs": 1 }), "jobs"),
        ("respondents", json!({ "group": "x" }), "group"),
        ("reset", json!({ "seed": 5 }), "seed"),
        ("requests/verify", json!({ "times": 1, "operaton": "x" }), "operaton"),
    ] {
        let refused = send(post_json(&http, &format!("{control}/{path}"), &body)).await.expect(400);
        assert!(refused.text.contains(named), "{path} {body}: {}", refused.text);
    }
    let unknown = send(http.post(format!("{control}/rewind"))).await.expect(404);
    assert!(unknown.text.contains("POST /control/clock"), "{}", unknown.text);
    let wrong = send(http.delete(format!("{control}/clock"))).await.expect(405);
    assert!(wrong.text.contains("POST /control/clock"), "{}", wrong.text);
    let wrong = send(http.get(format!("{control}/requests?operatoin=x"))).await.expect(400);
    assert!(wrong.text.contains("operatoin"), "{}", wrong.text);
    let twice = send(http.get(format!("{control}/requests?status=200&status=404"))).await.expect(400);
    assert!(twice.text.contains("status is given twice"), "{}", twice.text);
}

#[tokio::test]
async fn a_body_that_was_forgotten_wipes_nothing() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let post =
        |what: &str, body: &'static str| send(client().post(format!("{}/{what}", sandbox.control_url())).body(body));
    post("scenario", "{\"name\": \"lifelike\"}").await.expect(200);
    for (what, named) in [("seed", "seed file"), ("scenario", "scenario"), ("faults", "fault")] {
        for body in ["", " \n"] {
            let refused = post(what, body).await.expect(400);
            assert!(refused.text.contains("the body is empty") && refused.text.contains(named), "{}", refused.text);
        }
    }
    caller.get(&project).await.expect(200);
    let scenario = send(client().get(format!("{}/scenario", sandbox.control_url()))).await.expect(200).json();
    assert_eq!(scenario["arrivals"]["per_day"], 400.0);
}

#[tokio::test]
async fn the_clock_does_not_go_beyond_the_end_of_time() {
    let sandbox = Sandbox::builder().standing_clock(1_750_000_000).start().await.unwrap();
    let before = sandbox.now();
    let advance = |by: f64| {
        let body = json!({ "advance_seconds": by, "speed": 5.0 });
        send(post_json(&client(), &format!("{}/clock", sandbox.control_url()), &body))
    };
    for by in [251_652_207_200.0, 1e12, 1e300] {
        let refused = advance(by).await.expect(400);
        assert!(refused.text.contains("less than 251652"), "{by}: {}", refused.text);
    }
    assert_eq!(sandbox.now(), before, "neither moved nor started");
    advance(250_000_000_000.0).await.expect(200);
}

#[tokio::test]
async fn faults_do_not_grow_without_end() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = format!("{}/faults", sandbox.control_url());
    let many = |count| json!(vec![json!({ "on": "create_project", "do": "delay", "times": 0 }); count]);
    send(post_json(&client(), &url, &many(999))).await.expect(201);
    let refused = send(post_json(&client(), &url, &many(2))).await.expect(400);
    assert!(refused.text.contains("1001 faults; 1000 at most"), "{}", refused.text);
    send(post_json(&client(), &url, &many(1))).await.expect(201);
}

#[tokio::test]
async fn requests_are_filtered_and_verified() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    caller.project(&sandbox, "once").await;
    caller.get("/demand/no-such-path").await.expect(404);
    let control = sandbox.control_url();
    let found = send(client().get(format!("{control}/requests?operation=create_project"))).await.expect(200).json();
    assert_eq!(found["count"], 1, "{found}");
    assert_eq!(found["requests"][0]["idempotency_key"], "once");
    let found = send(client().get(format!("{control}/requests?status=404"))).await.expect(200).json();
    assert_eq!(found["count"], 1, "{found}");
    let verify = |times: u64| {
        let body = json!({ "operation": "create_project", "idempotency_key": "once", "times": times });
        post_json(&client(), &format!("{control}/requests/verify"), &body)
    };
    send(verify(1)).await.expect(200);
    assert_eq!(send(verify(2)).await.expect(409).json(), json!({ "expected": 2, "count": 1 }));
}

#[tokio::test]
async fn what_the_log_has_forgotten_is_not_verified() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    caller.project(&sandbox, "once").await;
    let verify = |after: Option<u64>| {
        let mut body = json!({ "operation": "create_project", "idempotency_key": "once", "times": 1 });
        if let Some(after) = after {
            body["after"] = json!(after);
        }
        send(post_json(&client(), &format!("{}/requests/verify", sandbox.control_url()), &body))
    };
    verify(None).await.expect(200);
    let large = json!({ "name": "x".repeat(250_000) }).to_string();
    for _ in 0..70 {
        let request = http::Request::post(format!("{}{}/projects", caller.api, caller.account))
            .header("authorization", format!("Bearer {}", caller.token))
            .header("content-type", "application/json")
            .header("cint-api-version", "2025-12-18");
        assert_eq!(sandbox.answer(request.body(large.clone().into()).unwrap()).status(), 400);
    }
    let oldest = sandbox.requests()[0].number;
    assert!(oldest > 1 && oldest < 71, "{oldest}");
    for after in [None, Some(oldest - 2)] {
        let refused = verify(after).await.expect(400).json();
        let reason = refused["error"].as_str().unwrap();
        assert!(reason.contains(&format!("the oldest it has is number {oldest};")), "{reason}");
    }
    assert_eq!(verify(Some(oldest - 1)).await.expect(409).json(), json!({ "expected": 1, "count": 0 }));
}

/// What two runs that ought to be the same are compared by.
async fn run(sandbox: &Sandbox, caller: &Caller) -> Value {
    let project = caller.project(sandbox, "p").await;
    let group = caller.draft(sandbox, &project, 40).await;
    let jobs = format!("{group}/fielding-run-jobs/launch-from-draft");
    let body = json!({ "end_fielding_at": "2030-01-01T00:00:00.000Z" });
    caller.post_keyed(&jobs, "l", &body).await.expect(201);
    let clock = format!("{}/clock", sandbox.control_url());
    send(post_json(&client(), &clock, &json!({ "advance_seconds": 600 }))).await.expect(200);
    send(client().get(format!("{}/state", sandbox.control_url()))).await.expect(200).json()
}

#[tokio::test]
async fn a_state_is_saved_restored_and_begun_anew() {
    let standing = jiff::Timestamp::now().as_second();
    let sandbox = Sandbox::builder().standing_clock(standing).start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let control = |operation: &str| format!("{}/{operation}", sandbox.control_url());
    send(client().post(control("reset"))).await.expect(200);
    let first = run(&sandbox, &caller).await;
    send(post_json(&client(), &control("save"), &json!({ "name": "filled" }))).await.expect(200);
    send(client().post(control("reset"))).await.expect(200);
    let empty = send(client().get(control("state"))).await.expect(200).json();
    assert_eq!(empty["projects"], json!([]));
    assert_eq!(run(&sandbox, &caller).await, first, "the same calls after a reset give the same, also with old tokens");
    send(post_json(&client(), &control("clock"), &json!({ "advance_seconds": 86_400 }))).await.expect(200);
    let later = send(client().get(control("state"))).await.expect(200).json();
    assert_ne!(later, first);
    send(post_json(&client(), &control("load"), &json!({ "name": "filled" }))).await.expect(200);
    assert_eq!(send(client().get(control("state"))).await.expect(200).json(), first);
    let unknown = send(post_json(&client(), &control("load"), &json!({ "name": "other" }))).await.expect(404);
    assert_eq!(unknown.json()["saved"], json!(["filled"]));
}

#[tokio::test]
async fn connections_that_nobody_uses_are_closed() {
    let idle = Duration::from_millis(200);
    let sandbox = Sandbox::builder().idle_timeout(idle).start().await.unwrap();
    // Nothing, a part of a head, a part of a body, and a whole request.
    let body = "POST /control/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{";
    for begun in ["", "GET / HT", body, "GET /control/about HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "{begun:?} stays open");
        assert_eq!(answer.starts_with(b"HTTP/1.1 200"), begun.ends_with("\r\n\r\n"), "{begun:?}");
    }
}

/// A body that says that it is too large is not waited for.
#[tokio::test]
async fn what_announces_too_much_is_refused_at_once() {
    let sandbox = Sandbox::start().await.unwrap();
    for path in ["/v1/accounts", "/control/seed"] {
        let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n[");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        let read = stream.read_exact(&mut status);
        tokio::time::timeout(Duration::from_secs(20), read).await.unwrap().unwrap();
        assert_eq!(&status, b"HTTP/1.1 413", "{path}");
    }
}

/// A page of another site can send bodies of any size; nothing of them is kept.
#[tokio::test]
async fn whoever_is_kept_out_is_told_before_a_body_is_read() {
    let sandbox = Sandbox::start().await.unwrap();
    for head in [
        "POST /control/seed HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 400000000",
        "POST /control/seed HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nTransfer-Encoding: chunked",
        "GET / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 1000000",
        "GET /events HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 1000000",
    ] {
        let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
        stream.write_all(format!("{head}\r\n\r\n").as_bytes()).await.unwrap();
        let mut status = [0; 12];
        let read = stream.read_exact(&mut status);
        tokio::time::timeout(Duration::from_secs(20), read).await.unwrap().unwrap();
        assert_eq!(&status, b"HTTP/1.1 403", "{head}");
    }
}

/// What is remembered of requests is bounded, whichever part of them is large.
#[tokio::test]
async fn headers_weigh_in_the_log() {
    let sandbox = Sandbox::start().await.unwrap();
    let long = "x".repeat(1 << 20);
    for _ in 0..70 {
        let request = http::Request::get("/v1/demand/accounts").header("x-long", &long);
        sandbox.answer(request.body(bytes::Bytes::new()).unwrap());
    }
    let kept = sandbox.requests().len();
    assert!((50..64).contains(&kept), "{kept}");
    // Over the network, no request has such headers.
    let url = format!("{}/accounts", sandbox.api_url());
    let refused = send(client().get(url).header("x-long", "x".repeat(70_000))).await.expect(431);
    assert!(refused.text.contains("65536"), "{}", refused.text);
}

#[tokio::test]
async fn pages_of_other_origins_may_call_the_api_and_nothing_else() {
    let sandbox = Sandbox::start().await.unwrap();
    let (origin, http) = (("origin", "http://localhost:3000"), client());
    let ask = |url: String| {
        http.request(reqwest::Method::OPTIONS, url)
            .header(origin.0, origin.1)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,cint-api-version,idempotency-key")
    };
    let projects = format!("{}/demand/accounts/{}/projects", sandbox.api_url(), sandbox.account_id());
    for url in
        [projects.clone(), sandbox.token_url(), format!("{}/fulfillment/respondents/transition", sandbox.s2s_url())]
    {
        let allowed = send(ask(url)).await.expect(204);
        assert_eq!(allowed.header("access-control-allow-origin"), "*");
        assert!(allowed.header("access-control-allow-headers").contains("idempotency-key"), "{allowed:?}");
        assert!(allowed.header("access-control-allow-methods").contains("PATCH"), "{allowed:?}");
    }
    assert!(sandbox.requests().is_empty(), "what browsers ask beforehand is no request of a client");
    let refused = send(http.get(&projects).header(origin.0, origin.1)).await.expect(401);
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    assert!(refused.header("access-control-expose-headers").contains("location"), "{refused:?}");
    let plain = send(http.get(&projects)).await.expect(401);
    assert!(!plain.headers.contains_key("access-control-allow-origin"));
    for url in [format!("{}/reset", sandbox.control_url()), format!("http://{}/", sandbox.address())] {
        let kept_out = send(ask(url)).await;
        assert!(
            kept_out.status >= 400 && !kept_out.headers.contains_key("access-control-allow-origin"),
            "{kept_out:?}"
        );
    }
}

#[tokio::test]
async fn the_scenario_is_read_and_chosen() {
    let sandbox = Sandbox::start().await.unwrap();
    let (http, url) = (client(), format!("{}/scenario", sandbox.control_url()));
    let read = || async { send(http.get(&url)).await.expect(200).json() };
    assert_eq!(read().await["arrivals"]["per_day"], Value::Null);
    send(post_json(&http, &url, &json!({ "name": "lifelike" }))).await.expect(200);
    let lifelike = read().await;
    assert_eq!(lifelike["arrivals"]["per_day"], 400.0);
    send(http.post(&url).body("[outcomes]\nsecurity = 0.5")).await.expect(200);
    assert_eq!(read().await["outcomes"]["security"], 0.5);
    send(post_json(&http, &url, &lifelike)).await.expect(200);
    assert_eq!(read().await, lifelike);
    for (body, named) in [("{\"name\": \"slow\"}", "lifelike"), ("[outcomes]\nsecurity = 5", "outcomes.security")] {
        let refused = send(http.post(&url).body(body)).await.expect(400);
        assert!(refused.text.contains(named), "{}", refused.text);
    }
}

#[tokio::test]
async fn the_log_has_headers_and_answers_and_no_credentials() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "once").await;
    let hook = json!({ "url": "https://hooks.example/", "events": ["session-updated"] });
    caller.post(&format!("/accounts/{}/webhooks", sandbox.account_id()), &hook).await.expect(201);
    let log = send(client().get(format!("{}/requests", sandbox.control_url()))).await.expect(200);
    let requests = log.json()["requests"].as_array().unwrap().clone();
    assert_eq!(requests[0]["operation"], "oauth_token");
    let requests = &requests[1..];
    assert_eq!(requests[0]["headers"]["idempotency-key"], "once");
    assert_eq!(requests[0]["headers"]["authorization"], "(not kept)");
    assert!(requests[0]["answer_headers"]["etag"].as_str().unwrap().starts_with("W/"), "{requests:?}");
    assert_eq!(requests[0]["answer"]["id"], project.rsplit('/').next().unwrap());
    assert_eq!(requests[1]["answer"]["secret"], "(not kept)");
    assert!(!log.text.contains(&caller.token));
}

#[tokio::test]
async fn a_state_goes_to_another_sandbox_over_http() {
    let one = Sandbox::builder().standing_clock(jiff::Timestamp::now().as_second()).start().await.unwrap();
    let caller = Caller::new(&one, "2025-12-18").await;
    let first = run(&one, &caller).await;
    let http = client();
    send(post_json(&http, &format!("{}/save", one.control_url()), &json!({ "name": "a b" }))).await.expect(200);
    let list = send(http.get(format!("{}/saved", one.control_url()))).await.expect(200).json();
    assert_eq!(list, json!({ "saved": ["a b"] }));
    let state = send(http.get(format!("{}/saved/a%20b", one.control_url()))).await.expect(200);
    assert!(!state.text.contains(&caller.token), "tokens are not saved");
    let two = Sandbox::builder().seed(9).standing_clock(0).start().await.unwrap();
    let put = |name: &str, body: String| http.put(format!("{}/saved/{name}", two.control_url())).body(body);
    send(put("other", state.text.clone())).await.expect(200);
    send(post_json(&http, &format!("{}/load", two.control_url()), &json!({ "name": "other" }))).await.expect(200);
    assert_eq!(send(http.get(format!("{}/state", two.control_url()))).await.expect(200).json(), first);
    // Both go on alike from there.
    let again = Caller::new(&two, "2025-12-18").await;
    Caller::new(&one, "2025-12-18").await;
    let (a, b) = (caller.project(&one, "next").await, again.project(&two, "next").await);
    assert_eq!(a, b);
    for bad in ["{}", "{\"format\": \"other\", \"world\": {}}", "nothing"] {
        let refused = send(put("bad", bad.into())).await.expect(400);
        assert!(refused.text.contains("state"), "{}", refused.text);
    }
    send(http.get(format!("{}/saved/unknown", one.control_url()))).await.expect(404);
}

#[tokio::test]
async fn a_state_is_kept_from_one_start_to_the_next() {
    let one = Sandbox::start().await.unwrap();
    let caller = Caller::new(&one, "2025-02-17").await;
    let project = caller.project(&one, "p").await;
    let group = caller.draft(&one, &project, 40).await;
    caller.launch(&group, "l").await;
    let saved = one.save().unwrap();
    let two = Sandbox::builder().state(saved.clone()).start().await.unwrap();
    let caller = Caller::new(&two, "2025-02-17").await;
    caller.get(&format!("{group}/details")).await.expect(200);
    let come = || two.respondents().len();
    let before = come();
    for _ in 0..200 {
        if come() > before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(before >= 12 && come() > before, "the field goes on");
    // A reset goes back to it, and so does what is set by name hold in it.
    let reset = send(client().post(format!("{}/reset", two.control_url()))).await.expect(200);
    assert_eq!(two.state()["projects"].as_array().unwrap().len(), 1, "{}", reset.text);
    let other = Sandbox::builder().seed(5).state(saved.clone()).start().await.unwrap_err().to_string();
    assert!(other.contains("seed: the state was begun with 1, and 5 was asked for"), "{other}");
    let quiet = Sandbox::builder().seed(1).scenario(cintx_sandbox::Scenario::lifelike()).state(saved.clone());
    let quiet = quiet.start().await.unwrap();
    let scenario = send(client().get(format!("{}/scenario", quiet.control_url()))).await.expect(200).json();
    assert_eq!(scenario["arrivals"]["per_day"], 400.0);
    one.load(&saved).unwrap();
    assert!(one.load(b"{}").is_err());
    assert!(Sandbox::builder().state("nothing").start().await.is_err());
}

#[tokio::test]
async fn a_seed_file_brings_account_market_and_studies_in_field() {
    let sandbox = Sandbox::builder().scenario(cintx_sandbox::Scenario::lifelike()).start().await.unwrap();
    let (http, url) = (client(), format!("{}/seed", sandbox.control_url()));
    let file = include_str!("../seeds/example.toml");
    let about = send(http.post(&url).body(file)).await.expect(200).json();
    assert_eq!((&about["client_id"], &about["business_unit_id"]), (&json!("harbour-client"), &json!(501)));
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let units = caller.get("/accounts/2428/business-units").await.expect(200).json();
    assert_eq!(units["business_units"].as_array().unwrap().len(), 1, "{units}");
    let suppliers = caller.get("/suppliers").await.expect(200).json();
    assert_eq!(suppliers["suppliers"][1]["name"], "Coast Panel", "{suppliers}");
    let state = send(http.get(format!("{}/state", sandbox.control_url()))).await.expect(200).json();
    let groups = state["target_groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    let live = groups.iter().find(|group| group["name"] == "Adults, wave 1").unwrap();
    assert!(live["completes"].as_u64().unwrap() > 20, "two days in field have left nothing: {live}");
    assert_eq!(live["quotas"].as_array().unwrap().len(), 4, "{live}");
    assert!(groups.iter().any(|group| group["status"] == "draft"));
    // A reset begins with the same file again.
    send(http.post(format!("{}/reset", sandbox.control_url()))).await.expect(200);
    let again = send(http.get(format!("{}/state", sandbox.control_url()))).await.expect(200).json();
    assert_eq!(again["projects"].as_array().unwrap().len(), 1);
    let refused = send(http.post(&url).body("[account]\nuser = 3")).await.expect(400);
    assert!(refused.text.contains("user"), "{}", refused.text);
    assert_eq!(send(http.get(&url)).await.expect(200).json()["account"]["name"], "Harbour Research");
}

#[tokio::test]
async fn a_recording_comes_out_the_same_again() {
    let sandbox = Sandbox::start().await.unwrap();
    let control = |operation: &str| format!("{}/recording{operation}", sandbox.control_url());
    let http = client();
    send(http.get(control(""))).await.expect(404);
    send(http.post(control("/begin"))).await.expect(200);
    // The clock runs, people come, and requests go side by side.
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 40).await;
    let run = caller.launch(&group, "l").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (caller, path) = (caller.clone(), format!("{group}/overview"));
        tasks.spawn(async move { caller.get(&path).await.status });
    }
    tasks.join_all().await;
    let id = group.rsplit('/').next().unwrap();
    let enter = json!({ "target_group_id": id });
    send(post_json(&http, &format!("{}/respondents", sandbox.control_url()), &enter)).await;
    send(http.get(format!("{}/accounts", sandbox.api_url()))).await.expect(401);
    caller.get(&run).await.expect(200);
    send(http.post(format!("{}/reset", sandbox.control_url()))).await.expect(409);
    let recording = send(http.post(control("/end"))).await.expect(200);
    assert!(!recording.text.contains(&caller.token));
    let recording = recording.json();
    assert!(recording["exchanges"].as_array().unwrap().len() > 25);
    let other = Sandbox::builder().seed(5).start().await.unwrap();
    let again = |body: &Value| post_json(&http, &format!("{}/recording/replay", other.control_url()), body);
    let report = send(again(&json!({ "recording": recording, "load": true }))).await;
    assert_eq!(report.status, 200, "{}", report.text);
    // It is in the state that the first one was in.
    let caller = Caller::new(&other, "2025-12-18").await;
    caller.get(&run).await.expect(200);
    let mut changed = recording.clone();
    let at = changed["exchanges"].as_array().unwrap().len() - 1;
    changed["exchanges"][at]["answer"] = json!("{}");
    let report = send(again(&json!({ "recording": changed }))).await.expect(409).json();
    assert_eq!(report["different"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(report["different"][0]["number"], at + 1);
}

/// What a fault does to a request is done again with it, so that whatever comes afterwards is the same.
#[tokio::test]
async fn recordings_with_faults_of_every_kind_come_out_the_same() {
    let sandbox = Sandbox::builder().control_token("open-sesame").start().await.unwrap();
    let other = Sandbox::builder().seed(5).start().await.unwrap();
    let http = client();
    let control = |path: &str| format!("{}/{path}", sandbox.control_url());
    for fault in [
        json!({ "do": "delay", "delay_ms": 1 }),
        json!({ "do": "drop-before-applying" }),
        json!({ "do": "drop-after-applying" }),
        json!({ "do": "reset-before-applying" }),
        json!({ "do": "reset-after-applying" }),
        json!({ "do": "truncate", "bytes": 5 }),
        json!({ "do": "status", "status": 503 }),
        json!({ "do": "rate-limited", "retry_after": 0 }),
        json!({ "do": "gateway-page", "status": 502 }),
        json!({ "do": "content-type", "media": "text/plain" }),
        json!({ "do": "expire-token" }),
        json!({ "do": "stale-read" }),
        json!({ "do": "drift" }),
        json!({ "do": "unknown-fields" }),
        json!({ "do": "unknown-values" }),
        json!({ "do": "apply-twice" }),
    ] {
        let caller = Caller::new(&sandbox, "2025-12-18").await;
        let project = caller.project(&sandbox, &fault.to_string()).await;
        caller.get(&project).await.expect(200);
        send(http.post(control("recording/begin?token=open-sesame"))).await.expect(200);
        for (round, is_known) in [(0, false), (1, true)] {
            if is_known {
                caller.get(&project).await;
            }
            for on in ["get_project*", "create_project", "oauth_token"] {
                let mut fault = fault.clone();
                (fault["on"], fault["times"]) = (json!(on), json!(1));
                send(post_json(&http, &control("faults"), &json!([fault]))).await.expect(201);
            }
            let body = json!({ "name": "MyDrinksSurveyQ1", "project_manager_id": sandbox.project_manager_id() });
            let create = caller.with_body(reqwest::Method::POST, &format!("{}/projects", caller.account), &body);
            // Lost or not, all the same.
            let _ = caller.request(reqwest::Method::GET, &project).send().await;
            let _ = create.header("idempotency-key", format!("{fault}{round}")).send().await;
            let _ = post_json(&http, &sandbox.token_url(), &common::token_body(&sandbox)).send().await;
            caller.get("/demand/no-such-path").await;
            let again = caller.with_body(reqwest::Method::POST, &format!("{}/projects", caller.account), &body);
            send(again.header("idempotency-key", format!("{fault}{round} again"))).await;
            send(http.delete(control("faults"))).await.expect(200);
        }
        let fail = json!({ "next": 0 });
        send(post_json(&http, &control("jobs/fail?token=open-sesame"), &fail)).await.expect(200);
        let recording = send(http.post(control("recording/end"))).await.expect(200);
        assert!(!recording.text.contains("open-sesame") && !recording.text.contains(&caller.token));
        let body = json!({ "recording": recording.json() });
        let report = send(post_json(&http, &format!("{}/recording/replay", other.control_url()), &body)).await;
        assert_eq!(report.status, 200, "{fault}: {}", report.text);
        assert!(report.json()["count"].as_u64().unwrap() >= 12, "{fault}: {}", report.text);
    }
}

#[tokio::test]
async fn another_document_takes_the_place_of_the_one_of_its_date() {
    let document = |text: &str| Sandbox::builder().document(text).start();
    let mut changed: Value = serde_json::from_str(cintx_openapi::document("2025-12-18").unwrap().json).unwrap();
    let posts = &mut changed["paths"]["/demand/accounts/{account_id}/projects"]["post"];
    assert!(posts.is_object());
    posts["operationId"] = json!("begin_project");
    let sandbox = document(&changed.to_string()).await.unwrap();
    assert_eq!(sandbox.versions(), ["2024-12-02", "2025-02-17", "2025-12-18"]);
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let body = json!({ "name": "MyDrinksSurveyQ1", "project_manager_id": sandbox.project_manager_id() });
    caller.post_keyed(&format!("{}/projects", caller.account), "k", &body).await;
    assert_eq!(sandbox.requests()[0].operation.as_deref(), Some("begin_project"));
    for (text, named) in [("{", "JSON"), ("{\"info\":{\"version\":\"2020-01-01\"}}", "2020-01-01")] {
        let error = document(text).await.unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let sandbox = Sandbox::start().await.unwrap();
    let http = common::client();
    let post =
        |what: &str, body: Value| send(common::post_json(&http, &format!("{}/{what}", sandbox.control_url()), &body));
    let fault = |on: &str| json!({ "fault": [{ "on": on, "do": "status", "status": 503 }] });
    for (what, body, status, named) in [
        ("faults", fault("create_projct"), 400, "create_project"),
        ("faults", fault("lunch*"), 400, "lunch*"),
        ("faults", fault("create_*"), 201, "ids"),
        ("faults", fault("connection"), 201, "ids"),
        ("faults", json!({ "on": "*", "do": "explode" }), 400, "drop-after-applying"),
        ("faults", json!([{ "on": "*", "do": "delay", "delay": 5 }]), 400, "`delay_ms`"),
        ("requests/verify", json!({ "operation": "create_projct", "times": 0 }), 400, "create_project"),
        ("requests/verify", json!({ "operation": "create_project", "times": 0 }), 200, "count"),
        ("requests/verify", json!({ "operation": "creat_*", "times": 0 }), 400, "create_project"),
        ("respondents", json!({ "target_group_id": "01JP0M57XAWSMNPSW5M62A035H" }), 404, "01JP0M57XAWSMNPSW5M62A035H"),
        ("clock", json!({ "advance_seconds": 1e300 }), 400, "advance_seconds"),
    ] {
        let reply = post(what, body.clone()).await;
        assert_eq!(reply.status, status, "{body}: {reply:?}");
        assert!(reply.text.contains(named), "{body}: {reply:?}");
    }
    let reply = send(http.get(format!("{}/requests?status=abc", sandbox.control_url()))).await.expect(400);
    assert!(reply.text.contains("status is abc"), "{reply:?}");
}

#[tokio::test]
async fn filters_take_patterns_as_faults_do() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    caller.project(&sandbox, "p").await;
    // Nobody's operation.
    send(client().get(format!("{}/nowhere", sandbox.api_url())).bearer_auth(&caller.token)).await;
    for (pattern, count) in [("create_*", 1), ("*_project", 1), ("get_*", 0), ("oauth_*", 1), ("*", 2)] {
        for times in 0..3 {
            let filter = json!({ "operation": pattern, "times": times });
            let verified = send(post_json(&client(), &format!("{}/requests/verify", sandbox.control_url()), &filter));
            let reply = verified.await.expect(if times == count { 200 } else { 409 });
            assert_eq!(reply.json()["count"], count, "{pattern}");
        }
        let chosen = client().get(format!("{}/requests?operation={pattern}", sandbox.control_url()));
        assert_eq!(send(chosen).await.expect(200).json()["count"], count, "{pattern}");
    }
}

/// Mistakes with credentials are the first that anybody makes, and a client that asks for too many tokens is one that
/// tests look for.
#[tokio::test]
async fn calls_for_a_token_are_in_the_log_without_secrets() {
    let sandbox = Sandbox::start().await.unwrap();
    let (url, control, secret) = (sandbox.token_url(), sandbox.control_url(), sandbox.client_secret());
    let good = common::token_body(&sandbox);
    let ask = async |body: &Value, status: u16| send(post_json(&client(), &url, body)).await.expect(status).json();
    let token = ask(&good, 200).await["access_token"].as_str().unwrap().to_owned();
    let wrong = "a-secret-of-elsewhere";
    let with = |name: &str, value: &str| {
        let mut body = good.clone();
        body[name] = json!(value);
        body
    };
    ask(&with("client_secret", wrong), 401).await;
    ask(&with("audience", "https://elsewhere.example"), 400).await;
    // In a wrong place, or under a wrong name.
    ask(&with("client_id", &secret), 401).await;
    ask(&with("audience", &secret), 400).await;
    ask(&json!({ "clientSecret": wrong, "pass": wrong, "nested": { "a": [wrong] } }), 400).await;
    send(client().post(format!("{url}?client_secret={wrong}&x={wrong}")).body(format!("s={wrong}"))).await.expect(415);
    let elsewhere = format!("{}/accounts?client%5Fsecret={wrong}&a=b", sandbox.api_url());
    send(client().get(elsewhere).header("x-client-secret", wrong).bearer_auth(&token)).await.expect(403);
    let verify = async |status: u16, filter: Value| {
        send(post_json(&client(), &format!("{control}/requests/verify"), &filter)).await.expect(status)
    };
    verify(200, json!({ "operation": "oauth_token", "times": 7 })).await;
    verify(409, json!({ "operation": "oauth_token", "times": 0 })).await;
    verify(200, json!({ "operation": "oauth_token", "status": 401, "times": 2 })).await;
    for beside in ["webhook_delivery", "connection"] {
        let refused = verify(400, json!({ "operation": beside, "times": 0 })).await;
        assert!(refused.text.contains(beside), "{}", refused.text);
    }
    let log = send(client().get(format!("{control}/requests"))).await.expect(200);
    let page = send(client().get(format!("http://{}/events?once=1", sandbox.address()))).await.expect(200);
    let known = sandbox.client_id();
    for text in [&log.text, &page.text.replace(&secret, "")] {
        let of_credentials = [wrong, &token];
        assert!(of_credentials.iter().all(|one| !text.contains(one)), "{text}");
    }
    assert!(!log.text.contains(&secret), "{}", log.text);
    let requests = log.json()["requests"].as_array().unwrap().clone();
    let bodies = requests[..3].iter().map(|one| (one["body"]["client_id"].as_str(), one["answer"]["error"].as_str()));
    let bodies: Vec<_> = bodies.collect();
    let id = Some(known.as_str());
    assert_eq!(bodies, [(id, None), (id, Some("access_denied")), (id, Some("invalid_request"))]);
    assert_eq!(requests[2]["body"]["audience"], "https://elsewhere.example");
    assert_eq!(requests[1]["refusal"], "Unauthorized");
    let asked: Vec<u16> = sandbox.token_requests().iter().map(|one| one.status).collect();
    assert_eq!(asked, [200, 401, 400, 401, 400, 400, 415]);
    assert_eq!(sandbox.requests().len(), 1, "requests to the API stay by themselves");
    sandbox.answered(1).await;
    let more = tokio::time::timeout(Duration::from_millis(10), sandbox.answered(2)).await;
    assert!(more.is_err(), "tokens are no answers of the API");
}

/// The same group in field, with room for everybody.
async fn in_field(sandbox: &Sandbox) -> Caller {
    let caller = Caller::new(sandbox, "2025-12-18").await;
    let project = caller.project(sandbox, "p").await;
    let group = caller.draft(sandbox, &project, 10_000).await;
    let jobs = format!("{group}/fielding-run-jobs/launch-from-draft");
    let body = json!({ "end_fielding_at": "2030-01-01T00:00:00.000Z" });
    caller.post_keyed(&jobs, "l", &body).await.expect(201);
    sandbox.advance(Duration::from_secs(60));
    caller
}

/// How many come within an hour.
fn come(sandbox: &Sandbox) -> usize {
    let before = sandbox.respondents().len();
    sandbox.advance(Duration::from_secs(3_600));
    sandbox.respondents().len() - before
}

#[tokio::test]
async fn a_field_that_was_turned_off_comes_to_life_again() {
    let standing = jiff::Timestamp::now().as_second();
    let off = Sandbox::builder().standing_clock(standing).field_pace(Duration::ZERO).start().await.unwrap();
    in_field(&off).await;
    assert_eq!(come(&off), 0);
    let off_state = off.save().unwrap();
    let minute = Duration::from_secs(60);
    let on = Sandbox::builder().field_pace(minute).state(off_state).start().await.unwrap();
    assert!(come(&on) > 10, "another pace");
    let scenario = async |text: &str| {
        send(client().post(format!("{}/scenario", on.control_url())).body(text.to_owned())).await.expect(200)
    };
    for nobody in ["[countries.us]\narrivals = 0.0\n", "[arrivals]\nper_day = 0.001\n"] {
        scenario(nobody).await;
        on.advance(Duration::from_secs(3_600));
        assert_eq!(come(&on), 0, "{nobody}");
        let quiet = on.save().unwrap();
        scenario("{\"name\": \"quick\"}").await;
        assert!(come(&on) > 10, "{nobody}, and then another scenario");
        let quick = Sandbox::builder().scenario(cintx_sandbox::Scenario::default()).state(quiet);
        assert!(come(&quick.start().await.unwrap()) > 10, "{nobody}, and then started with another scenario");
    }
    // A reset keeps the scenario in force, which is not the one that the state was planned under.
    scenario("[countries.us]\narrivals = 0.0\n").await;
    let dead = Sandbox::builder().state(on.save().unwrap()).start().await.unwrap();
    let control = |operation: &str| format!("{}/{operation}", dead.control_url());
    send(client().post(control("scenario")).body("{\"name\": \"quick\"}")).await.expect(200);
    send(client().post(control("reset"))).await.expect(200);
    assert!(come(&dead) > 10, "after a reset");
}

#[tokio::test]
async fn a_reset_goes_back_to_the_start_whatever_was_loaded() {
    let other = Sandbox::builder().seed(9).account_id(77).start().await.unwrap();
    let sandbox = Sandbox::start().await.unwrap();
    let post = async |sandbox: &Sandbox, operation: &str, body: &Value| {
        send(post_json(&client(), &format!("{}/{operation}", sandbox.control_url()), body)).await.expect(200).json()
    };
    let about = async || send(client().get(format!("{}/about", sandbox.control_url()))).await.expect(200).json();
    let first = about().await;
    post(&other, "recording/begin", &json!({})).await;
    Caller::new(&other, "2025-12-18").await.project(&other, "p").await;
    let recording = post(&other, "recording/end", &json!({})).await;
    let saved = String::from_utf8(other.save().unwrap()).unwrap();
    send(client().put(format!("{}/saved/other", sandbox.control_url())).body(saved)).await.expect(200);
    let load = ("load", json!({ "name": "other" }));
    for (operation, body) in [load.clone(), ("recording/replay", json!({ "recording": recording, "load": true }))] {
        post(&sandbox, operation, &body).await;
        assert_eq!(about().await["account_id"], 77, "{operation}");
        post(&sandbox, "reset", &json!({})).await;
        assert_eq!(about().await, first, "{operation}");
        Caller::new(&sandbox, "2025-12-18").await.project(&sandbox, operation).await;
    }
    post(&sandbox, load.0, &load.1).await;
    post(&sandbox, "seed", &json!({ "user": [{ "name": "Kim Lead", "email": "kim@example.com" }] })).await;
    let seeded = about().await;
    assert_eq!((&seeded["client_id"], &seeded["account_id"]), (&first["client_id"], &first["account_id"]));
    assert_ne!(seeded["project_manager_id"], first["project_manager_id"]);
    post(&sandbox, load.0, &load.1).await;
    post(&sandbox, "reset", &json!({})).await;
    assert_eq!(about().await, seeded, "the seed file stays");
}
