//! The page at `/`: what it says, and that a browser shows it.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod common;

use cintx_sandbox::Sandbox;
use common::{Caller, client, send};
use serde_json::json;
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

#[tokio::test]
async fn the_page_tells_the_state_and_why_requests_were_refused() {
    let sandbox = filled().await;
    let url = format!("http://{}/", sandbox.address());
    let page = send(client().get(&url)).await.expect(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for part in ["MyDrinksSurveyQ1", "US pet owners", "class=\"tag live\"", "class=\"bar\"", "complete"] {
        assert!(page.text.contains(part), "{part} is missing");
    }
    assert!(page.text.contains("a value is required (required)"), "{}", page.text);
    assert!(!page.text.contains("<script"), "what callers send is shown as text");
    assert!(!page.text.contains("http://") && !page.text.contains("https://"), "nothing is fetched from elsewhere");
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
