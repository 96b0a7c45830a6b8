//! The flows of a study as scripts of curl calls, run against a sandbox.
//! Skipped, with a word, where bash or curl are not installed.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod common;

use cintx_sandbox::Sandbox;
use common::assert_own_answers_valid;
use std::path::Path;
use std::process::{Command, Output};

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Runs a script against a new sandbox; whether it could.
async fn run(name: &str) -> Option<(Sandbox, Output)> {
    if !has("bash") || !has("curl") {
        eprintln!("SKIPPED: {name} needs bash and curl, which are not installed");
        return None;
    }
    let sandbox = Sandbox::start().await.unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("flows").join(name);
    let mut command = Command::new("bash");
    // Another name of this machine, under which the sandbox wants its token, as from another machine.
    let host = if cfg!(unix) { "0.0.0.0" } else { "127.0.0.1" };
    command
        .arg(script)
        .env("SANDBOX", format!("http://{host}:{}", sandbox.address().port()))
        .env("CINTX_SANDBOX_CONTROL_TOKEN", sandbox.control_token())
        .env("no_proxy", host);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    Some((sandbox, output))
}

async fn passes(name: &str) -> Option<Sandbox> {
    let (sandbox, output) = run(name).await?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}\n{out}\n{err}");
    assert_eq!(out.lines().last(), Some("done"), "{name}\n{out}\n{err}");
    assert_own_answers_valid(&sandbox);
    for request in sandbox.requests() {
        assert!(request.violations.is_empty() && request.notes.is_empty(), "{name}: {request:#?}");
    }
    Some(sandbox)
}

#[tokio::test]
async fn create() {
    if let Some(sandbox) = passes("create.sh").await {
        assert_eq!(sandbox.state()["projects"].as_array().unwrap().len(), 1);
        assert_eq!(sandbox.requests().iter().filter(|request| request.replayed).count(), 1);
    }
}

#[tokio::test]
async fn draft() {
    if let Some(sandbox) = passes("draft.sh").await {
        assert_eq!(sandbox.state()["target_groups"][0]["status"], "draft");
    }
}

#[tokio::test]
async fn interlock() {
    if let Some(sandbox) = passes("interlock.sh").await {
        assert_eq!(sandbox.state()["target_groups"][0]["quotas"].as_array().unwrap().len(), 4);
    }
}

#[tokio::test]
async fn launch() {
    if let Some(sandbox) = passes("launch.sh").await {
        assert_eq!(sandbox.state()["target_groups"][0]["status"], "completed");
    }
}

#[tokio::test]
async fn goals() {
    if let Some(sandbox) = passes("goals.sh").await {
        assert_eq!(sandbox.state()["target_groups"][0]["goal"], 250);
    }
}

#[tokio::test]
async fn server_to_server() {
    if let Some(sandbox) = passes("s2s.sh").await {
        let transitions = sandbox.requests();
        let transitions = transitions.iter().filter(|one| one.operation.as_deref() == Some("update_respondent_status"));
        assert_eq!(transitions.map(|one| one.status).collect::<Vec<_>>(), [200, 422]);
    }
}

#[tokio::test]
async fn reconcile() {
    if let Some(sandbox) = passes("reconcile.sh").await {
        assert_eq!(sandbox.state()["reconciliations"][0]["status"], "complete");
    }
}
