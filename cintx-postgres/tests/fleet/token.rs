//! One token for all processes, asked for once, also when the one that asks is killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use cintx::auth::{StoredToken, TokenStore as _};
use cintx::client::Credentials;
use cintx::{Client, Secret, V2025_12_18};
use cintx_postgres::Database;
use cintx_sandbox::{Fault, Sandbox};

use crate::support::{database, open, part, play, start};

const HOUR: Duration = Duration::from_secs(3600);

fn client(database: &Database, token_url: &str, api_url: &str, credentials: (&str, &str)) -> Client<V2025_12_18> {
    Client::<V2025_12_18>::builder()
        .credentials(Credentials::new(credentials.0, credentials.1).endpoint(token_url))
        .account(2428)
        .api_url(api_url)
        .token_store(database.token_store())
        .build()
        .unwrap()
}

async fn call(client: &Client<V2025_12_18>) {
    client.projects().list().stream().try_next().await.unwrap();
}

/// A process that makes one call.
async fn call_once(url: &str, argument: &str) {
    let database = open(url);
    let [token_url, api_url, id, secret] = argument.split(' ').collect::<Vec<_>>()[..] else { panic!("{argument}") };
    call(&client(&database, token_url, api_url, (id, secret))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_share_a_token_by_one_request() {
    if let Some((url, argument)) = part() {
        return std::thread::spawn(move || play(call_once(&url, &argument))).join().unwrap();
    }
    let Some((_, url)) = database().await else { return };
    let sandbox = Sandbox::start().await.unwrap();
    // It changes nothing, and counts.
    let tokens = sandbox.inject(Fault::on("oauth_token").delay(Duration::ZERO));
    let argument = [sandbox.token_url(), sandbox.api_url(), sandbox.client_id(), sandbox.client_secret()].join(" ");
    let test = "token::four_processes_share_a_token_by_one_request";
    let processes: Vec<_> = (0..4).map(|_| start(test, &url, &argument)).collect();
    for process in processes {
        let done = tokio::task::spawn_blocking(move || process.wait_with_output().unwrap()).await.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    }
    assert_eq!((sandbox.fault_hits(tokens), sandbox.requests().len()), (1, 4), "one token, four calls");
    sandbox.stop().await;
}

#[tokio::test]
async fn the_lock_goes_to_the_next_when_its_holder_is_gone() {
    let Some((database, url)) = database().await else { return };
    let (one, other) = (database.token_store(), open(&url).token_store());
    let held = one.lock("name").await.unwrap();
    assert!(one.lock("another").await.is_some(), "names do not wait for each other");
    let order = Arc::new(AtomicU32::new(0));
    let waiting = {
        let (order, other) = (Arc::clone(&order), other.clone());
        tokio::spawn(async move {
            let lock = other.lock("name").await;
            (lock.is_some(), order.load(Ordering::SeqCst), other.load("name").await)
        })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    order.store(1, Ordering::SeqCst);
    let expires_at = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    one.save("name", &StoredToken { token: Secret::from("t1"), expires_at }).await;
    one.save("name", &StoredToken { token: Secret::from("t2"), expires_at: expires_at + HOUR }).await;
    // As if killed: the session ends without a word.
    drop(held);
    let (locked, seen, token) = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
    let token = token.unwrap();
    assert_eq!((locked, seen, token.token.expose(), token.expires_at), (true, 1, "t2", expires_at + HOUR));
    assert!(one.load("unknown").await.is_none());
}

#[tokio::test]
async fn a_database_that_is_away_costs_a_token_request_and_shows_no_secret() {
    let sandbox = Sandbox::start().await.unwrap();
    let away = Database::new("host=127.0.0.1 port=1 user=cintx password=hunter2 connect_timeout=1").unwrap();
    let (id, secret) = (sandbox.client_id(), sandbox.client_secret());
    let client = client(&away, &sandbox.token_url(), &sandbox.api_url(), (&id, &secret));
    call(&client).await;
    let error = away.migrate().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    sandbox.stop().await;
}
