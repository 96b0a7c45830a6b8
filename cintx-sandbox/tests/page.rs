//! The page at `/`: what it says, and that a browser shows it.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use cintx_sandbox::Sandbox;
use common::{Caller, client, send};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

async fn filled() -> Sandbox {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 40).await;
    caller.launch(&group, "l").await;
    caller.draft(&sandbox, &project, 300).await;
    caller.post(&format!("{project}/target-groups"), &json!({ "name": "<b>x" })).await.expect(400);
    caller.get("/demand/no-such-path?q=<script>").await.expect(404);
    sandbox
}

/// A stream of events that is read as a browser reads it.
struct Events {
    response: reqwest::Response,
    text: String,
}

impl Events {
    async fn open(sandbox: &Sandbox, query: &str, last: Option<&str>) -> Self {
        let mut request = client().get(format!("http://{}/events?{query}", sandbox.address()));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event, as its id and what it tells; `None` if the stream has ended.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let found = field("id: ").zip(field("data: "));
                self.text = rest.to_owned();
                match found {
                    Some((id, data)) => return Some((id, serde_json::from_str(&data).unwrap())),
                    None => continue,
                }
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

/// What the stream tells first.
async fn event(sandbox: &Sandbox, query: &str) -> Value {
    Events::open(sandbox, query, None).await.next().await.unwrap().1
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let sandbox = Sandbox::start().await.unwrap();
    let page = send(client().get(format!("http://{}/", sandbox.address()))).await.expect(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for foreign in ["src=", "href=", "@import", "innerHTML", "insertAdjacentHTML", "document.write"] {
        assert!(!page.text.contains(foreign), "{foreign}");
    }
    let empty = event(&sandbox, "").await;
    assert_eq!((&empty["tiles"]["projects"], &empty["group"]), (&json!(0), &Value::Null));
    assert_eq!(empty["about"]["client_id"], sandbox.client_id());
}

#[tokio::test]
async fn the_stream_tells_the_state_and_why_requests_were_refused() {
    let sandbox = filled().await;
    let all = event(&sandbox, "").await;
    assert_eq!(all["tiles"]["target groups"], 2, "{all}");
    assert_eq!(all["groups"]["total"], 2);
    assert_eq!(all["groups"]["items"][0]["project"], "MyDrinksSurveyQ1");
    let live = event(&sandbox, "search=us+PET&status=live").await;
    let group = &live["group"];
    assert_eq!((&live["groups"]["total"], &group["status"]), (&json!(1), &json!("live")), "{live}");
    let tally = &group["tally"];
    let of = |name: &str| tally[name].as_u64().unwrap();
    let parts = ["in_survey", "dropped", "terminated", "over_quota", "security", "completes", "reversed"];
    assert_eq!(parts.into_iter().map(of).sum::<u64>(), of("entered"), "{tally}");
    assert_eq!(group["profiles"][0]["targets"].as_array().unwrap().len(), 6);
    assert!(!group["respondents"].as_array().unwrap().is_empty());
    let chosen = all["groups"]["items"].as_array().unwrap().iter().find(|one| one["status"] == "draft").unwrap();
    let draft = event(&sandbox, &format!("group={}", chosen["id"].as_str().unwrap())).await;
    assert_eq!(draft["group"]["id"], chosen["id"]);
    let refused = event(&sandbox, "requests=a+value+is+required").await;
    assert_eq!(refused["requests"].as_array().unwrap().len(), 1, "{refused}");
    assert_eq!(event(&sandbox, "search=nobody").await["groups"]["total"], 0);
    assert!(sandbox.requests().iter().all(|request| request.path != "/events"));
}

#[tokio::test]
async fn the_stream_stays_open_and_tells_what_changes() {
    let sandbox = Sandbox::builder().standing_clock(1_767_225_600).start().await.unwrap();
    let mut events = Events::open(&sandbox, "", None).await;
    let (first, told) = events.next().await.unwrap();
    assert_eq!(told["tiles"]["requests"], 0);
    // Nothing has changed, so whoever was told already waits.
    let mut again = Events::open(&sandbox, "", Some(&first)).await;
    let waits = tokio::time::timeout(Duration::from_millis(1_500), again.next()).await;
    assert!(waits.is_err(), "{waits:?}");

    let caller = Caller::new(&sandbox, "2025-12-18").await;
    caller.project(&sandbox, "p").await;
    for events in [&mut events, &mut again] {
        let project = async {
            loop {
                let (id, told) = events.next().await.unwrap();
                assert_ne!(id, first);
                if told["tiles"]["projects"] == 1 {
                    break;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), project).await.expect("an event on the same connection");
    }

    // A page that is open does not keep the sandbox from ending.
    let stopping = std::time::Instant::now();
    sandbox.stop().await;
    assert!(stopping.elapsed() < Duration::from_millis(1_900), "{:?}", stopping.elapsed());
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn the_stream_ends_after_one_event_where_one_is_asked_for() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut events = Events::open(&sandbox, "once=1", None).await;
    assert!(events.next().await.is_some());
    assert_eq!(events.next().await, None);
}

/// Idle connections are closed; one that somebody listens on is none.
#[tokio::test]
async fn the_stream_outlives_the_patience_with_idle_connections() {
    let sandbox = Sandbox::builder().idle_timeout(Duration::from_millis(300)).start().await.unwrap();
    let mut events = Events::open(&sandbox, "", None).await;
    assert!(events.next().await.is_some());
    let until = std::time::Instant::now() + Duration::from_secs(2);
    while std::time::Instant::now() < until {
        // The time, which is told each second.
        assert!(events.response.chunk().await.unwrap().is_some());
    }
}

#[tokio::test]
async fn the_stream_tells_the_last_deliveries_of_a_webhook() {
    let sandbox = Sandbox::start().await.unwrap();
    let caller = Caller::new(&sandbox, "2025-12-18").await;
    for port in [9, 10] {
        let url = format!("http://127.0.0.1:{port}/nobody");
        let events =
            json!({ "url": url, "events": if port == 9 { ["session-updated"] } else { ["target-group-updated"] } });
        caller.post(&format!("/accounts/{}/webhooks", sandbox.account_id()), &events).await.expect(201);
    }
    let project = caller.project(&sandbox, "p").await;
    let group = caller.draft(&sandbox, &project, 100).await;
    caller.launch(&group, "l").await;
    let hooks = event(&sandbox, "").await["webhooks"].clone();
    let of = |port: &str| hooks.as_array().unwrap().iter().find(|hook| hook["url"].as_str().unwrap().contains(port));
    let sessions = of(":9/").unwrap()["deliveries"].as_array().unwrap();
    assert_eq!(sessions.len(), 6, "{hooks}");
    assert!(sessions.iter().all(|one| one["type"] == "session-updated" && one["status"] != "delivered"), "{hooks}");
    assert!(sessions.windows(2).all(|two| two[0]["at"].as_str() >= two[1]["at"].as_str()), "{hooks}");
    let groups = of(":10/").unwrap()["deliveries"].as_array().unwrap();
    assert!(groups.iter().all(|one| one["type"] == "target-group-updated"), "{hooks}");
}

#[tokio::test]
async fn a_browser_shows_the_page() {
    let known = ["chromium", "chromium-browser", "google-chrome"];
    let browser = known.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    let Some(browser) = browser else {
        eprintln!("SKIPPED: no Chromium is installed, so no screenshot was taken");
        return;
    };
    let sandbox = filled().await;
    let folder = std::env::temp_dir().join(format!("cintx-sandbox-page-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let picture = folder.join("page.png");
    // The stream would go on, and a browser's own clock stands while it does.
    let url = format!("http://{}/?once=1", sandbox.address());
    let mut run = Command::new(browser);
    run.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1400,1500"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg("--virtual-time-budget=3000")
        .arg(format!("--screenshot={}", picture.display()))
        .arg(&url);
    let output = tokio::task::spawn_blocking(move || run.output()).await.unwrap().unwrap();
    let png = std::fs::read(&picture);
    if std::env::var_os("CINTX_SANDBOX_KEEP_SCREENSHOT").is_none() {
        let _ = std::fs::remove_dir_all(&folder);
    } else {
        eprintln!("the screenshot is {}", picture.display());
    }
    let png = png.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert!(png.starts_with(b"\x89PNG"), "not a picture");
    // An empty page packs into a few kilobytes.
    assert!(png.len() > 40_000, "{} bytes show nothing", png.len());
    assert!(sandbox.requests().iter().all(|request| request.path != "/"));
}
