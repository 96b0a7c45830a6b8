//! A canary in every credential: found in no log line at any level, no error in either form, no `Debug`, no file.
//! Alone in its process, since it listens to everything that is logged.
#![cfg(feature = "v2025-12-18")]

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cintx::auth::{AccessToken, StoredToken};
use cintx::client::{CallOptions, Credentials, RetryPolicy};
use cintx::recovery::FileJournal;
use cintx::{Client, Error, V2025_12_18};
use cintx_raw::v2025_12_18::types::CreateWebhookRequest;
use cintx_tests::with_faults::{Answer, Behaviour, Deed, Received, Server};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

/// Everything secret holds this.
const CANARY: &str = "CANARY-7f3a";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Answers as told, and repeats what it was sent where that is an error's text.
struct Parrot(Mutex<u16>);

impl Behaviour for Parrot {
    fn deed(&self, request: &Received) -> Deed {
        let status = *self.0.lock().unwrap();
        if request.target == "/oauth/token" {
            if status == 1 {
                let body = String::from_utf8_lossy(&request.body).into_owned();
                return Deed::Answer(Answer::json(
                    401,
                    json!({"error": "access_denied", "error_description": body}).to_string(),
                ));
            }
            let token = json!({"access_token": format!("token-{CANARY}"), "expires_in": 86_400});
            return Deed::Answer(Answer::json(200, token.to_string()));
        }
        match status {
            2 => Deed::Reset,
            3 => Deed::Truncate(Answer::json(200, "{\"accounts\": []}")),
            4 => Deed::Answer(Answer::json(200, "<html>")),
            201 => {
                let webhook = json!({"id": "1", "url": "https://a.example", "secret": format!("secret-{CANARY}")});
                Deed::Answer(Answer::json(201, webhook.to_string()))
            }
            // It repeats the token, in the body and in a header that errors and logs show.
            status => {
                let sent = request.header("authorization").unwrap_or_default();
                let body = json!({"object": "some_error", "detail": format!("no {sent}")}).to_string();
                Deed::Answer(Answer::json(status, body).header("x-request-id", sent).header("etag", sent))
            }
        }
    }
}

/// An idempotency key, which may be seen.
const KEY: &str = "order-4711";

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "everything is shown in one world, and looked through at its end")]
async fn the_canary_is_found_nowhere() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let parrot = Arc::new(Parrot(Mutex::new(200)));
    let server = Server::start(parrot.clone()).await;
    let credentials =
        Credentials::new("client-id", format!("secret-{CANARY}")).endpoint(format!("{}/oauth/token", server.url()));
    let build = |journal: &str| {
        Client::<V2025_12_18>::builder()
            .credentials(credentials.clone())
            .account(2428)
            .api_url(format!("{}/v1", server.url()))
            .server_to_server_url(format!("{}/s2s", server.url()))
            .server_to_server_key(format!("key-{CANARY}"))
            .retry(RetryPolicy::standard().backoff(Duration::from_millis(1), Duration::from_millis(2)))
            // Its server says 429 for ever, and a pacer would wait for better times.
            .without_pacer()
            .journal(FileJournal::open(folder.path().join(journal)).unwrap())
    };
    let mut shown = String::new();
    let mut show = |error: &Error| {
        let _ = writeln!(shown, "{error}\n{error:#}\n{error:?}\n{error:#?}");
        let _ = writeln!(shown, "{:?} {:?}", error.call(), String::from_utf8_lossy(error.body()));
        let mut next: Option<&dyn std::error::Error> = Some(error);
        while let Some(cause) = next {
            let _ = writeln!(shown, "{cause} {cause:?}");
            next = cause.source();
        }
    };
    let client = build("journal").build().unwrap();
    let webhook = CreateWebhookRequest { events: Vec::new(), url: "https://survey.example".into() };
    let mut errors = 0;
    for status in [400, 401, 403, 404, 409, 412, 422, 429, 500, 503, 2, 3, 4] {
        *parrot.0.lock().unwrap() = status;
        let once = client.with(CallOptions::new().retry(RetryPolicy::none()));
        for error in [
            client.raw().get_user_accounts().await.err(),
            once.raw().create_webhook(2428, &webhook).await.err(),
            client.raw().get_respondent_status("0F1CE179-A917-49FF-9D50-B05FC91F7BD4").await.err(),
        ] {
            errors += 1;
            show(&error.expect("it fails").into());
        }
    }
    *parrot.0.lock().unwrap() = 502;
    let keyed = client.with(CallOptions::new().idempotency_key(KEY));
    let manager = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".parse::<cintx::UserId>().unwrap();
    show(&keyed.projects().create("Soft drinks", manager).await.unwrap_err());
    *parrot.0.lock().unwrap() = 1;
    let refused = build("other").build().unwrap();
    show(&refused.raw().get_user_accounts().await.unwrap_err().into());
    *parrot.0.lock().unwrap() = 201;
    let answer = client.raw().create_webhook(2428, &webhook).await.unwrap();
    let made = client
        .webhooks()
        .create("https://a.example", [cintx::webhook::WebhookEventType::SessionUpdated])
        .await
        .unwrap();
    assert!(made.secret.expose().contains(CANARY));
    let _ = writeln!(shown, "{made:?} {made:#?}");
    let token = AccessToken::without_expiry(format!("token-{CANARY}"));
    let stored = StoredToken { token: format!("token-{CANARY}").into(), expires_at: std::time::SystemTime::now() };
    let _ = writeln!(shown, "{credentials:?} {client:?} {:?} {token:?} {stored:?} {answer:?}", build("third"));
    let bad = build("fourth").server_to_server_key(format!("{CANARY}\n")).build().unwrap_err();
    let _ = writeln!(shown, "{bad} {bad:#} {bad:?}");
    let bad = build("fifth").default_header("authorization", CANARY).build().unwrap_err();
    let _ = writeln!(shown, "{bad} {bad:#} {bad:?}");
    let _ = writeln!(shown, "{:?}", CallOptions::new().header("x-gateway-key", CANARY));
    for text in [format!("{CANARY}\n"), format!("{CANARY}\u{0}")] {
        let bad = build("sixth").credentials(Credentials::new("client-id", text)).build().unwrap_err();
        let _ = writeln!(shown, "{bad} {bad:#} {bad:?}");
    }
    let bad = build("seventh").token(format!("{CANARY} {CANARY}")).build().unwrap_err();
    let _ = writeln!(shown, "{bad} {bad:#} {bad:?}");

    let journal = std::fs::read_to_string(folder.path().join("journal")).unwrap();
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(errors == 39 && shown.len() > 10_000, "there was something to look through");
    // How often a connection is polled, and so how many lines there are, is a matter of time.
    let logged = |level: &str| log.lines().any(|line| line.contains(level));
    assert!(
        ["TRACE", "DEBUG", "get_user_accounts", "token_request"].into_iter().all(logged),
        "the lowest levels were logged"
    );
    assert!(log.lines().count() > 500, "there was something to look through");
    // An unknown outcome is a warning, in a span that says what it is about.
    let warned = |line: &&str| line.contains("WARN") && line.contains("the call failed") && line.contains(KEY);
    let warning = log.lines().find(warned).unwrap_or_default();
    for part in ["operation=\"create_project\"", "account=\"2428\"", "target=\"/demand/accounts/2428/projects\""] {
        assert!(warning.contains(part), "{part} in {warning:?}");
    }
    assert!(journal.contains("create_webhook"));
    for (what, text) in [("an error or Debug", &shown), ("the log", &log), ("the journal", &journal)] {
        let line = text.lines().find(|line| line.contains(CANARY));
        assert!(line.is_none(), "the canary is in {what}: {}", line.unwrap_or_default());
    }
}
