//! The page at `/`: what it says, and that a browser shows it.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod common;

use cintx_sandbox::Sandbox;
use common::{Caller, client, send};
use serde_json::{Value, json};
use std::process::Command;

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

/// What the stream tells.
async fn event(sandbox: &Sandbox, query: &str) -> Value {
    let url = format!("http://{}/events?{query}", sandbox.address());
    let stream = send(client().get(&url)).await.expect(200);
    assert_eq!(stream.header("content-type"), "text/event-stream");
    let data = stream.text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    serde_json::from_str(data).unwrap()
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
    let url = format!("http://{}/", sandbox.address());
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
