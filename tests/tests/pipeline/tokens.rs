//! Tokens under load: one request for a thousand callers, nobody waits who has one, one clear error for a wrong secret.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cintx::auth::FileTokenStore;
use cintx::client::Credentials;
use cintx::{Client, ErrorKind, Outcome, V2025_12_18};
use cintx_tests::with_faults::{Answer, Behaviour, Deed, Received, Server};
use serde_json::json;

use crate::support::{Mint, builder};

const SECRET: &str = "the-client-secret";

/// A token endpoint and an API that knows which tokens are good.
#[derive(Default)]
struct Exchange {
    asked: AtomicU32,
    wrong_secret: bool,
    life: u64,
    /// Tokens below this number are refused.
    first_good: AtomicU32,
    refused: AtomicU32,
    status: u16,
    /// How many of the coming token requests fail.
    token_failures: AtomicU64,
}

impl Behaviour for Exchange {
    fn deed(&self, request: &Received) -> Deed {
        if request.target == "/oauth/token" {
            let number = self.asked.fetch_add(1, Ordering::SeqCst);
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!(body["grant_type"], "client_credentials");
            assert!(request.header("cint-api-version").is_none());
            if self.wrong_secret {
                // It repeats what it was sent, as careless endpoints do.
                let answer =
                    json!({"error": "access_denied", "error_description": format!("no {}", body["client_secret"])});
                return Deed::Answer(Answer::json(401, answer.to_string()));
            }
            if self.token_failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
            {
                return Deed::Answer(Answer::json(400, r#"{"error":"invalid_request"}"#));
            }
            let token =
                json!({"access_token": format!("token-{number}"), "expires_in": self.life, "token_type": "Bearer"});
            return Deed::Answer(Answer::json(200, token.to_string()));
        }
        let token = request.header("authorization").and_then(|token| token.strip_prefix("Bearer token-"));
        let number: u32 = token.and_then(|number| number.parse().ok()).expect("a token");
        if number < self.first_good.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Deed::Answer(Answer::json(self.status, r#"{"object":"authorization_error","detail":"no"}"#));
        }
        Deed::Answer(Answer::json(200, r#"{"accounts":[]}"#))
    }
}

fn exchange() -> Exchange {
    Exchange { life: 86_400, status: 401, ..Exchange::default() }
}

fn client(server: &Server) -> cintx::ClientBuilder<V2025_12_18> {
    let credentials = Credentials::new("client-id", SECRET).endpoint(format!("{}/oauth/token", server.url()));
    builder::<V2025_12_18>(&server.url()).credentials(credentials)
}

async fn call(client: &Client<V2025_12_18>) -> Result<(), cintx::Error> {
    Ok(client.raw().get_user_accounts().await.map(|_| ())?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_first_calls_ask_for_one_token() {
    let exchange = Arc::new(exchange());
    let server = Server::start(exchange.clone()).await;
    let client = client(&server).max_in_flight(1_000).build().unwrap();
    let calls: Vec<_> = (0..1_000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { call(&client).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(exchange.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_one_clear_error_and_no_storm() {
    let exchange = Arc::new(Exchange { wrong_secret: true, ..exchange() });
    let server = Server::start(exchange.clone()).await;
    let client = client(&server).max_in_flight(1_000).build().unwrap();
    let calls: Vec<_> = (0..1_000)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { call(&client).await })
        })
        .collect();
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.outcome(), error.attempts()), (ErrorKind::Credential, Outcome::NotSent, 0));
        let text = format!("{error} {error:#} {error:?}");
        assert!(text.contains("401") && text.contains("access_denied"), "{text}");
        assert!(!text.contains(SECRET), "the endpoint's answer holds the secret, the error must not");
    }
    let asked = exchange.asked.load(Ordering::SeqCst);
    // All at once share one; on a slow machine the last come when the error is forgotten.
    assert!(asked <= 3, "asked {asked} times");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_replaced_once_for_all_who_had_it() {
    let exchange = Arc::new(exchange());
    let server = Server::start(exchange.clone()).await;
    let client = client(&server).build().unwrap();
    call(&client).await.unwrap();
    exchange.first_good.store(1, Ordering::SeqCst);
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { call(&client).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(
        exchange.asked.load(Ordering::SeqCst),
        2,
        "late refusals of the old token do not throw away the new one"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_403_is_a_missing_right_while_the_token_lives() {
    let exchange = Arc::new(Exchange { status: 403, ..exchange() });
    let server = Server::start(exchange.clone()).await;
    let client = client(&server).build().unwrap();
    exchange.first_good.store(99, Ordering::SeqCst);
    let error = call(&client).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 403);
    assert_eq!((exchange.asked.load(Ordering::SeqCst), exchange.refused.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_token_never_waits_for_the_next_and_a_failed_renewal_harms_nobody() {
    // Ten seconds of life, renewed after five to seven and a half; the first renewal fails.
    let exchange = Arc::new(Exchange { life: 10, ..exchange() });
    let server = Server::start(exchange.clone()).await;
    let client = client(&server).build().unwrap();
    call(&client).await.unwrap();
    exchange.token_failures.store(1, Ordering::SeqCst);
    let until = Instant::now() + Duration::from_secs(12);
    let mut slowest = Duration::ZERO;
    while Instant::now() < until {
        let started = Instant::now();
        call(&client).await.unwrap();
        slowest = slowest.max(started.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("slowest call while tokens were renewed: {slowest:?}");
    let asked = exchange.asked.load(Ordering::SeqCst);
    assert!((3..=5).contains(&asked), "asked {asked} times");
}

#[test]
fn credentials_outlive_the_runtime_that_used_them_first() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let serving = runtime();
    let exchange = Arc::new(exchange());
    let server = serving.block_on(Server::start(exchange.clone()));
    // Built outside of any runtime: nothing is spawned.
    let client = client(&server).build().unwrap();
    for _ in 0..3 {
        let own = runtime();
        own.block_on(call(&client)).unwrap();
        own.shutdown_background();
    }
    assert_eq!(exchange.asked.load(Ordering::SeqCst), 1);
    // A refresh that goes down with its runtime leaves the field to the next.
    exchange.first_good.store(1, Ordering::SeqCst);
    let dying = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clone = client.clone();
    dying.block_on(async move {
        let waiting = tokio::spawn(async move { call(&clone).await });
        tokio::task::yield_now().await;
        waiting.abort();
    });
    drop(dying);
    runtime().block_on(call(&client)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_share_a_token_through_a_file_that_only_its_owner_reads() {
    let folder = tempfile::tempdir().unwrap();
    let exchange = Arc::new(exchange());
    let server = Server::start(exchange.clone()).await;
    for _ in 0..3 {
        // As in another process: a client of its own.
        let client = client(&server).token_store(FileTokenStore::new(folder.path().join("tokens"))).build().unwrap();
        call(&client).await.unwrap();
    }
    assert_eq!(exchange.asked.load(Ordering::SeqCst), 1);
    // A refused token is not taken from the store again.
    exchange.first_good.store(1, Ordering::SeqCst);
    let client = client(&server).token_store(FileTokenStore::new(folder.path().join("tokens"))).build().unwrap();
    call(&client).await.unwrap();
    assert_eq!(exchange.asked.load(Ordering::SeqCst), 2);
    let files: Vec<_> = std::fs::read_dir(folder.path().join("tokens")).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 1, "no temporary file is left");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o077, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_of_ones_own_and_a_fixed_token_work_alike() {
    let exchange = Arc::new(exchange());
    let server = Server::start(exchange.clone()).await;
    let mint = Mint::new(Duration::from_secs(3600));
    let client = builder::<V2025_12_18>(&server.url()).token_source(mint.clone()).build().unwrap();
    call(&client).await.unwrap();
    call(&client).await.unwrap();
    assert_eq!(mint.made.load(Ordering::SeqCst), 1);
    let fixed = builder::<V2025_12_18>(&server.url()).token("token-7").build().unwrap();
    call(&fixed).await.unwrap();
    exchange.first_good.store(8, Ordering::SeqCst);
    let error = call(&fixed).await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.attempts()), (401, 1), "nothing could replace it");
}
