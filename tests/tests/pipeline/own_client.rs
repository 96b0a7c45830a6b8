//! What belongs to the program that uses the SDK: its HTTP client, headers, hooks and options, undocumented paths, redirects.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cintx::client::{CallOptions, OperationTimeouts, RetryPolicy};
use cintx::http::ResponseExt as _;
use cintx::{Client, ErrorKind, Outcome, V2025_12_18};
use cintx_tests::with_faults::{Answer, Deed, Scripted, Server};
use futures_util::FutureExt as _;
use http::Method;
use serde_json::{Value, json};

use crate::support::builder;

async fn setup(deed: Deed) -> (Arc<Scripted>, Server) {
    let scripted = Scripted::new(deed);
    let server = Server::start(scripted.clone()).await;
    (scripted, server)
}

fn ok() -> Deed {
    Deed::Answer(Answer::json(200, r#"{"accounts": []}"#))
}

#[tokio::test]
async fn headers_hooks_and_user_agent_reach_the_server() {
    let (scripted, server) = setup(ok()).await;
    let watched = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&watched);
    let client = builder::<V2025_12_18>(&server.url())
        .default_header("x-team", "panel")
        .user_agent_suffix("acme/3.2")
        .before_attempt(|attempt| {
            let number = attempt.number().to_string();
            attempt.header("x-attempt", &number).unwrap();
            assert!(attempt.header("authorization", "stolen").is_err());
            assert!(attempt.header("Idempotency-Key", "x").is_err());
        })
        .observe(move |exchange| {
            sink.lock().unwrap().push((exchange.attempt, exchange.status, exchange.trace_id.to_owned()))
        })
        .build()
        .unwrap();
    scripted.now(Deed::Answer(Answer::json(503, "{}")));
    client.with(CallOptions::new().header("x-order", "17")).raw().get_user_accounts().await.unwrap_err();
    let seen = scripted.seen();
    assert_eq!(seen.len(), 3);
    for (index, request) in seen.iter().enumerate() {
        assert_eq!(request.header("x-team"), Some("panel"));
        assert_eq!(request.header("x-order"), Some("17"));
        assert_eq!(request.header("x-attempt"), Some(&*(index + 1).to_string()));
        assert_eq!(request.header("cint-api-version"), Some("2025-12-18"));
        assert!(request.header("user-agent").unwrap().ends_with(" acme/3.2"));
    }
    let watched = watched.lock().unwrap();
    assert_eq!(watched.iter().map(|(attempt, ..)| *attempt).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(watched.iter().all(|(_, status, id)| status.unwrap() == 503 && id.len() == 32 && *id == watched[0].2));
}

#[tokio::test]
async fn options_hold_for_a_clone_and_not_for_its_origin() {
    let (scripted, server) = setup(ok()).await;
    let client = builder::<V2025_12_18>(&server.url()).build().unwrap();
    scripted.now(Deed::Answer(Answer::json(503, "{}")));
    let once = client.with(CallOptions::new().retry(RetryPolicy::none()));
    once.raw().get_user_accounts().await.unwrap_err();
    assert_eq!(scripted.seen().len(), 1);
    client.raw().get_user_accounts().await.unwrap_err();
    assert_eq!(scripted.seen().len(), 4);
    scripted.now(Deed::Silence);
    let short = OperationTimeouts::new(Duration::from_secs(5), Duration::from_millis(80));
    let error =
        cintx::Error::from(client.with(CallOptions::new().limits(short)).raw().get_user_accounts().await.unwrap_err());
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::NoEffect));
}

#[tokio::test]
async fn one_business_key_is_one_idempotency_key_in_any_process() {
    let (scripted, server) = setup(Deed::Answer(Answer::json(202, r#"{"id":"01BX5ZZKBKACTAV9WEVGEMMVS0"}"#))).await;
    let manager = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".parse::<cintx::UserId>().unwrap();
    for business_key in ["order-1", "order-1", "order-2"] {
        // A client of its own, as in another process.
        let client = builder::<V2025_12_18>(&server.url()).build().unwrap();
        client
            .with(CallOptions::new().business_key(business_key))
            .projects()
            .create("MyDrinks", manager)
            .await
            .unwrap();
    }
    let keys: Vec<_> =
        scripted.seen().iter().map(|request| request.header("idempotency-key").unwrap().to_owned()).collect();
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[0], keys[2]);
    // Where there is no key, the wish for one is refused: it would not keep its promise.
    let client = builder::<V2025_12_18>(&server.url()).build().unwrap();
    let body =
        cintx::raw::v2025_12_18::types::CreateWebhookRequest { events: Vec::new(), url: "https://x.example".into() };
    let keyed = client.with(CallOptions::new().business_key("order-1"));
    let error = cintx::Error::from(keyed.raw().create_webhook(2428, &body).await.unwrap_err());
    assert_eq!(error.invalid_fields()[0].field(), "idempotency_key");
    assert_eq!((error.outcome(), scripted.seen().len()), (Outcome::NotSent, 3));
}

#[tokio::test]
async fn a_redirect_is_a_typed_answer_and_a_client_that_follows_is_found_out() {
    let (scripted, server) = setup(ok()).await;
    let there = format!("{}/v1/elsewhere", server.url());
    scripted.now(Deed::Answer(Answer::json(301, "{}").header("location", &there)));
    let client = builder::<V2025_12_18>(&server.url()).build().unwrap();
    let error = cintx::Error::from(client.raw().get_target_group(2428, "1", "2").await.unwrap_err());
    assert_eq!((error.kind(), error.moved_to()), (ErrorKind::Moved, Some(&*there)));
    assert_eq!(scripted.seen().len(), 1);
    let following = reqwest::Client::builder().redirect(reqwest::redirect::Policy::limited(1)).build().unwrap();
    let careless =
        builder::<V2025_12_18>(&server.url()).http_client(following).retry(RetryPolicy::none()).build().unwrap();
    let error = cintx::Error::from(careless.raw().get_target_group(2428, "1", "2").await.unwrap_err());
    assert!(error.to_string().contains("redirect"), "{error}");
}

#[tokio::test]
async fn an_undocumented_path_goes_the_same_way() {
    let (scripted, server) = setup(Deed::Answer(Answer::json(200, r#"{"new":true}"#))).await;
    let client = builder::<V2025_12_18>(&server.url()).build().unwrap();
    let answer = client.request(Method::GET, "/demand/news").query("q", "a b").send::<Value>().await.unwrap();
    assert_eq!((answer.value(), answer.attempts(), answer.sent_trace_id().len()), (&json!({"new": true}), 1, 32));
    // The answer names no trace: what was sent is told, and no header that never came.
    assert_eq!(answer.trace_id(), Some(answer.sent_trace_id()));
    assert_eq!(answer.headers().get("traceparent"), None);
    let seen = scripted.seen();
    assert_eq!(seen[0].target, "/v1/demand/news?q=a%20b");
    assert_eq!(seen[0].header("cint-api-version"), Some("2025-12-18"));
    scripted.now(Deed::Reset);
    let error = client.request(Method::POST, "/demand/news").json(&json!({"a": 1})).send::<Value>().await.unwrap_err();
    assert_eq!((error.outcome(), scripted.seen().len()), (Outcome::Unknown, 1), "a write is not repeated");
    scripted.now(Deed::Reset);
    client.request(Method::GET, "/demand/news").send::<Value>().await.unwrap_err();
    assert_eq!(scripted.seen().len(), 3, "a read is");
    for path in ["news", "/a?b=c", "/a b", "/ä"] {
        let error = client.request(Method::GET, path).send::<Value>().await.unwrap_err();
        assert_eq!(error.invalid_fields()[0].field(), "path", "{path}");
    }
    let error = client.request(Method::GET, "/a").header("Authorization", "x").send::<Value>().await.unwrap_err();
    assert_eq!(error.invalid_fields()[0].field(), "header");
}

#[test]
fn a_client_is_refused_for_all_that_is_wrong_at_once() {
    let error = Client::<V2025_12_18>::builder()
        .api_url("http://api.cint.com/v1")
        .server_to_server_url("nonsense")
        .server_to_server_key("a\nb")
        .default_header("authorization", "x")
        .user_agent_suffix("a\nb")
        .build()
        .unwrap_err();
    let fields: Vec<_> = error.invalid_fields().iter().map(cintx::error::FieldError::field).collect();
    for field in [
        "credentials",
        "account",
        "api_url",
        "server_to_server_url",
        "server_to_server_key",
        "header",
        "user_agent_suffix",
    ] {
        assert!(fields.contains(&field), "{field} is not among {fields:?}");
    }
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Invalid, Outcome::NotSent));
}

#[test]
fn a_user_agent_beside_a_client_of_ones_own_is_refused() {
    let client = builder::<V2025_12_18>("http://127.0.0.1:1").http_client(reqwest::Client::new());
    let error = client.user_agent_suffix("acme/3.2").build().unwrap_err();
    assert_eq!(error.invalid_fields()[0].field(), "user_agent_suffix");
}

#[tokio::test]
async fn no_more_requests_than_allowed_are_on_their_way() {
    struct Busy(Mutex<(usize, usize)>);
    impl cintx_tests::with_faults::Behaviour for Busy {
        fn deed(&self, _: &cintx_tests::with_faults::Received) -> Deed {
            let now = {
                let mut state = self.0.lock().unwrap();
                state.0 += 1;
                state.1 = state.1.max(state.0);
                state.0
            };
            assert!(now <= 4, "{now} at once");
            std::thread::sleep(Duration::from_millis(2));
            self.0.lock().unwrap().0 -= 1;
            ok()
        }
    }
    let server = Server::start(Arc::new(Busy(Mutex::default()))).await;
    let client = builder::<V2025_12_18>(&server.url()).max_in_flight(4).build().unwrap();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.raw().get_user_accounts().await.map(|_| ()) })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_status_decides_though_the_body_stalls() {
    for (status, outcome) in [(404, Outcome::NoEffect), (422, Outcome::NoEffect), (200, Outcome::Applied)] {
        let body = Answer::json(status, "{\"detail\": \"a long explanation that never ends\"}");
        let (_scripted, server) = setup(Deed::Stall(body)).await;
        let limits = OperationTimeouts::new(Duration::from_millis(200), Duration::from_secs(20));
        let client = builder::<V2025_12_18>(&server.url()).build().unwrap();
        let once = client.with(CallOptions::new().limits(limits).retry(RetryPolicy::none()));
        let error = cintx::Error::from(once.raw().regenerate_webhook_secret(2428, "1").await.unwrap_err());
        assert_eq!(error.outcome(), outcome, "{status}: {error}");
    }
}

#[tokio::test]
async fn one_key_is_not_sent_with_two_requests() {
    let project = |id: &str| Deed::Answer(Answer::json(202, format!(r#"{{"id":"{id}"}}"#)));
    let (scripted, server) = setup(project("01BX5ZZKBKACTAV9WEVGEMMVS0")).await;
    let client = builder::<V2025_12_18>(&server.url()).build().unwrap();
    let manager = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".parse::<cintx::UserId>().unwrap();
    let order = client.with(CallOptions::new().business_key("order-4711"));
    order.projects().create("Soft drinks", manager).await.unwrap();
    order.projects().create("Soft drinks", manager).await.unwrap();
    let error = order.projects().create("Hard drinks", manager).await.unwrap_err();
    assert_eq!((error.outcome(), error.invalid_fields()[0].field()), (Outcome::NotSent, "idempotency_key"));
    assert_eq!(scripted.seen().len(), 2);
    // Whatever becomes of it afterwards, the key stands for what it was sent with first.
    scripted.now(Deed::Answer(Answer::json(422, r#"{"object":"unprocessable_entity_error"}"#)));
    order.projects().create("Soft drinks", manager).await.unwrap_err();
    let error = order.projects().create("Hard drinks", manager).await.unwrap_err();
    assert_eq!(error.invalid_fields()[0].field(), "idempotency_key");

    // A request that came to nothing leaves its key free.
    let second = client.with(CallOptions::new().business_key("order-4712"));
    scripted.now(Deed::Answer(Answer::json(422, r#"{"object":"unprocessable_entity_error"}"#)));
    second.projects().create("Soft drinks", manager).await.unwrap_err();
    scripted.now(project("01BX5ZZKBKACTAV9WEVGEMMVS1"));
    second.projects().create("Hard drinks", manager).await.unwrap();

    // So does one that was called off before it left.
    let one_at_a_time = builder::<V2025_12_18>(&server.url()).max_in_flight(1).build().unwrap();
    let third = one_at_a_time.with(CallOptions::new().business_key("order-4713"));
    scripted.now(Deed::Silence);
    let mut in_the_way = one_at_a_time.raw().get_user_accounts().boxed();
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut in_the_way).await.is_err());
    let called_off = third.projects().create("Soft drinks", manager).into_future();
    assert!(tokio::time::timeout(Duration::from_millis(100), called_off).await.is_err());
    drop(in_the_way);
    scripted.now(project("01BX5ZZKBKACTAV9WEVGEMMVS2"));
    third.projects().create("Hard drinks", manager).await.unwrap();

    let empty = client.with(CallOptions::new().business_key(" \u{200b}"));
    let error = empty.projects().create("Soft drinks", manager).await.unwrap_err();
    assert_eq!(error.invalid_fields()[0].field(), "business_key");
}

#[tokio::test]
async fn what_an_own_transport_did_not_send_is_no_lost_connection() {
    let nowhere = |_: http::Request<bytes::Bytes>| async { Err(cintx::http::TransportError::not_sent("no cable")) };
    let client = builder::<V2025_12_18>("http://127.0.0.1:1").transport(nowhere).build().unwrap();
    let error = cintx::Error::from(client.raw().get_user_accounts().await.unwrap_err());
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Connect, Outcome::NotSent), "{error:#}");
    assert!(error.to_string().contains("no connection") && format!("{error:#}").contains("no cable"), "{error:#}");
}

#[test]
fn a_proxy_beside_a_client_of_ones_own_is_refused() {
    let proxy = reqwest::Proxy::all("http://proxy.example:3128").unwrap();
    let own = builder::<V2025_12_18>("http://127.0.0.1:1").http_client(reqwest::Client::new()).proxy(proxy);
    let error = own.build().unwrap_err();
    assert_eq!(error.invalid_fields()[0].field(), "proxy");
}
