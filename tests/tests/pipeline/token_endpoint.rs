//! A token endpoint that is unkind: odd answers, redirects, limits, and an API that takes no token it is given.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cintx::auth::{AccessToken, TokenError, TokenSource};
use cintx::client::Credentials;
use cintx::{Client, ClientBuilder, ErrorKind, Outcome, V2025_12_18};
use cintx_tests::with_faults::{Answer, Behaviour, Deed, Received, Scripted, Server};
use serde_json::{Value, json};

use crate::support::builder;

const SECRET: &str = "the-client-secret";
const TOKEN: &str = "a-token-of-some-length";

/// Answers at the token endpoint as told, one after the other and then the last for ever; and lets in who has a token.
struct Unkind {
    answers: Mutex<Vec<Answer>>,
    /// What the API answers to any token at all.
    api: Mutex<Answer>,
    asked: AtomicU32,
    called: AtomicU32,
    traces: Mutex<Vec<String>>,
}

impl Unkind {
    fn new(mut answers: Vec<Answer>) -> Arc<Self> {
        answers.reverse();
        Arc::new(Self {
            answers: Mutex::new(answers),
            api: Mutex::new(Answer::json(200, r#"{"accounts":[]}"#)),
            asked: AtomicU32::new(0),
            called: AtomicU32::new(0),
            traces: Mutex::default(),
        })
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Behaviour for Unkind {
    fn deed(&self, request: &Received) -> Deed {
        if request.target == "/oauth/token" {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!(body["client_secret"], SECRET);
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.traces.lock().unwrap().push(request.header("traceparent").unwrap_or_default().to_owned());
            let mut answers = self.answers.lock().unwrap();
            let answer = if answers.len() > 1 { answers.pop().unwrap() } else { answers[0].clone() };
            return Deed::Answer(answer);
        }
        self.called.fetch_add(1, Ordering::SeqCst);
        assert!(request.header("authorization").is_some_and(|token| token.len() > "Bearer ".len()));
        Deed::Answer(self.api.lock().unwrap().clone())
    }
}

fn good() -> Answer {
    Answer::json(200, json!({"access_token": TOKEN, "expires_in": 86_400}).to_string())
}

fn client(server: &Server) -> ClientBuilder<V2025_12_18> {
    let credentials = Credentials::new("client-id", SECRET).endpoint(format!("{}/oauth/token", server.url()));
    builder::<V2025_12_18>(&server.url()).credentials(credentials)
}

async fn call(client: &Client<V2025_12_18>) -> Result<(), cintx::Error> {
    Ok(client.raw().get_user_accounts().await.map(|_| ())?)
}

fn seconds_since(began: Instant) -> u32 {
    u32::try_from(began.elapsed().as_secs()).unwrap()
}

/// The error of the first call, the endpoint answering this, and how often it was asked by that call and nine more.
async fn failure(answer: Answer) -> (cintx::Error, u32) {
    let unkind = Unkind::new(vec![answer]);
    let server = Server::start(unkind.clone()).await;
    let client = client(&server).build().unwrap();
    let began = Instant::now();
    let error = call(&client).await.unwrap_err();
    for _ in 0..9 {
        assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::Credential);
    }
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Credential, Outcome::NotSent), "{error}");
    assert_eq!(unkind.called.load(Ordering::SeqCst), 0);
    // A second later it would be asked again, however slow this machine is.
    assert!(unkind.asked() <= 1 + seconds_since(began), "asked {} times: {error}", unkind.asked());
    (error, unkind.asked())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_odd_answer_is_one_error_that_says_what_is_wrong() {
    let huge = json!({"access_token": "x".repeat(100_000)}).to_string();
    for (answer, words) in [
        (Answer::json(200, r#"{"error":"access_denied","error_description":"no such client"}"#), "no such client"),
        (Answer::json(200, r#"{"access_token":"","detail":"the client is locked"}"#), "the client is locked"),
        (Answer::json(200, r#"{"access_token":""}"#), "empty"),
        (Answer::json(200, r#"{"access_token":"two words"}"#), "characters"),
        (Answer::json(200, r#"{"access_token":null}"#), "no access_token"),
        (Answer::json(200, "{}"), "no access_token"),
        (Answer::json(200, "<html>"), "no JSON"),
        (Answer::json(200, huge), "64 KiB"),
        (Answer { status: 204, ..Answer::default() }, "no JSON"),
        (Answer::json(400, r#"{"error":"invalid_request"}"#), "400 Bad Request: invalid_request"),
        (Answer::json(403, "<html>"), "403 Forbidden: no explanation"),
    ] {
        let shown = format!("{answer:?}");
        let (error, _) = failure(answer).await;
        assert!(error.to_string().contains(words), "{shown}: {error}");
        assert!(error.token().is_some(), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lifetime_written_in_any_way_gives_a_token_that_is_used_more_than_once() {
    for life in [json!("3600"), json!(3599.9), json!(-5), json!(0), json!("soon"), Value::Null, json!(1e300)] {
        let unkind =
            Unkind::new(vec![Answer::json(200, json!({"access_token": TOKEN, "expires_in": life}).to_string())]);
        let server = Server::start(unkind.clone()).await;
        let client = client(&server).build().unwrap();
        for _ in 0..20 {
            call(&client).await.unwrap();
        }
        assert_eq!(unkind.asked(), 1, "{life}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_refused_whoever_made_the_http_client_and_the_secret_stays() {
    for status in [301, 302, 303, 307, 308] {
        for follows in [false, true] {
            let elsewhere = Scripted::new(Deed::Answer(good()));
            let thief = Server::start(elsewhere.clone()).await;
            let to = format!("{}/oauth/token", thief.url());
            let unkind = Unkind::new(vec![Answer { status, ..Answer::default() }.header("location", to)]);
            let server = Server::start(unkind.clone()).await;
            let builder = client(&server);
            let builder = if follows {
                builder.http_client(reqwest::Client::builder().no_proxy().build().unwrap())
            } else {
                builder
            };
            let error = call(&builder.build().unwrap()).await.unwrap_err();
            let what = format!("{status}, follows: {follows}");
            assert!(matches!(error.token(), Some(TokenError::Redirected)), "{what}: {error:#}");
            assert_eq!(unkind.asked(), 1, "{what}");
            for request in elsewhere.seen() {
                assert!(follows, "{what}: it was followed");
                assert!(!String::from_utf8_lossy(&request.body).contains(SECRET), "{what}: the secret went along");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_waited_out_when_it_is_short_and_told_when_it_is_long() {
    let limited =
        |seconds: u32| Answer::json(429, r#"{"error":"too_many_requests"}"#).header("retry-after", seconds.to_string());
    let unkind = Unkind::new(vec![limited(2), good()]);
    let server = Server::start(unkind.clone()).await;
    let began = Instant::now();
    call(&client(&server).build().unwrap()).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(2), "asked again after {:?}", began.elapsed());
    assert_eq!(unkind.asked(), 2);

    let (error, asked) = failure(limited(3_600)).await;
    assert_eq!((error.retry_after(), asked), (Some(Duration::from_secs(3_600)), 1), "{error}");
    assert!(error.to_string().contains("429 Too Many Requests: too_many_requests, to be repeated after"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_refuses_every_token_costs_few_of_them() {
    let unkind = Unkind::new(vec![Answer::json(200, json!({"access_token": TOKEN}).to_string())]);
    *unkind.api.lock().unwrap() = Answer::json(401, r#"{"object":"authorization_error","detail":"no"}"#);
    let server = Server::start(unkind.clone()).await;
    let fresh = client(&server).build().unwrap();
    let (began, mut refused, mut told) = (Instant::now(), 0, 0);
    for _ in 0..200 {
        let error = call(&fresh).await.unwrap_err();
        match error.kind() {
            ErrorKind::Status => refused += 1,
            ErrorKind::Credential => {
                assert!(matches!(error.token(), Some(TokenError::Rejected { .. })), "{error}");
                assert!(error.retry_after().is_some() && error.to_string().contains("refused"), "{error}");
                told += 1;
            }
            other => panic!("{other:?}: {error}"),
        }
    }
    let most = 2 + seconds_since(began);
    assert!(unkind.asked() <= most && refused <= most, "asked {}, refused {refused}", unkind.asked());
    assert_eq!(refused + told, 200);
    // One that has worked is told what the API says, call by call, and asks for as few.
    *unkind.api.lock().unwrap() = Answer::json(200, r#"{"accounts":[]}"#);
    let proven = client(&server).build().unwrap();
    call(&proven).await.unwrap();
    *unkind.api.lock().unwrap() = Answer::json(401, r#"{"object":"authorization_error","detail":"no"}"#);
    let (before, began) = (unkind.asked(), Instant::now());
    for _ in 0..200 {
        let error = call(&proven).await.unwrap_err();
        assert_eq!((error.status().map(|status| status.as_u16()), error.outcome()), (Some(401), Outcome::NoEffect));
    }
    assert!(unkind.asked() - before <= 2 + seconds_since(began), "asked {} times", unkind.asked() - before);
}

#[derive(Clone, Default)]
struct Panics(Arc<AtomicU32>);

impl TokenSource for Panics {
    fn token(&self) -> std::pin::Pin<Box<dyn Future<Output = Result<AccessToken, TokenError>> + Send + '_>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("as told")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_panics_is_one_error() {
    let source = Panics::default();
    let began = Instant::now();
    let client = builder::<V2025_12_18>("http://127.0.0.1:9").token_source(source.clone()).build().unwrap();
    for _ in 0..1_000 {
        let error = call(&client).await.unwrap_err();
        assert!(matches!(error.token(), Some(TokenError::Panicked)), "{error}");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Credential, Outcome::NotSent));
    }
    let called = source.0.load(Ordering::SeqCst);
    assert!(called <= 1 + seconds_since(began), "called {called} times");
}

#[tokio::test(flavor = "multi_thread")]
async fn token_requests_are_observed_like_others() {
    let failing = Answer::json(503, r#"{"error":"later"}"#);
    let unkind = Unkind::new(vec![failing, good()]);
    let server = Server::start(unkind.clone()).await;
    let seen: Arc<Mutex<Vec<_>>> = Arc::default();
    let log = Arc::clone(&seen);
    let client = client(&server)
        .before_attempt(|context| assert_eq!(context.operation().id, "get_user_accounts"))
        .observe(move |event| {
            let status = event.status.map(|status| status.as_u16());
            log.lock().unwrap().push((event.operation.id, event.attempt, status, event.trace_id.to_owned()));
        })
        .build()
        .unwrap();
    call(&client).await.unwrap();
    let seen = seen.lock().unwrap().clone();
    let shown: Vec<_> = seen.iter().map(|(id, attempt, status, _)| (*id, *attempt, *status)).collect();
    assert_eq!(
        shown,
        [("token_request", 1, Some(503)), ("token_request", 2, Some(200)), ("get_user_accounts", 1, Some(200))]
    );
    let traces = unkind.traces.lock().unwrap();
    assert!(traces.iter().zip(&seen).all(|(sent, (.., told))| sent.split('-').nth(1) == Some(told)), "{traces:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_api_repeats_is_masked() {
    let unkind = Unkind::new(vec![good()]);
    let server = Server::start(unkind.clone()).await;
    let client = client(&server).build().unwrap();
    for (status, in_header) in [200, 400, 401, 403, 404, 422].into_iter().flat_map(|it| [(it, true), (it, false)]) {
        let body = json!({"object": "some_error", "detail": format!("the token {TOKEN} is not good for this")});
        let answer = Answer::json(status, body.to_string());
        *unkind.api.lock().unwrap() = match in_header {
            true => answer.header("www-authenticate", format!("Bearer error=\"{TOKEN}\"")),
            false => answer,
        };
        let error = call(&client).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status, "{error}");
        let answer = error.call().unwrap();
        let shown = format!("{error} {error:#} {error:?} {answer:?} {:?} {:?}", answer.headers(), error.api());
        assert!(!shown.contains(TOKEN) && shown.contains("the token *** is not good"), "{shown}");
        assert!(!String::from_utf8_lossy(error.body()).contains(TOKEN));
    }
}
