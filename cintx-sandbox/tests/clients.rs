//! The examples in other languages, run against a sandbox, and the container
//! image as far as it can be checked without a builder.
//! Skipped, with a word, where an interpreter is not installed.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod common;

use cintx_sandbox::Sandbox;
use common::assert_own_answers_valid;
use std::path::Path;
use std::process::Command;

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Runs an example to its end, against a sandbox that it calls by this name of the machine.
async fn passes(interpreter: &str, file: &str, host: &str, control_token: Option<&str>) {
    if !has(interpreter) {
        eprintln!("SKIPPED: {file} needs {interpreter}, which is not installed");
        return;
    }
    let mut sandbox = Sandbox::builder().seed(7);
    if let Some(token) = control_token {
        sandbox = sandbox.control_token(token);
    }
    let sandbox = sandbox.start().await.unwrap();
    let mut command = Command::new(interpreter);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(file))
        .env("SANDBOX", format!("http://{host}:{}", sandbox.address().port()))
        .env_remove("CINTX_SANDBOX_CONTROL_TOKEN")
        .envs(control_token.map(|token| ("CINTX_SANDBOX_CONTROL_TOKEN", token)))
        .env("no_proxy", host);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{file}\n{out}\n{err}");
    assert!(out.contains("completes 20 cost 100.00"), "{file}\n{out}\n{err}");
    assert!(out.contains("turned back 2"), "{file}\n{out}\n{err}");
    assert_eq!(out.lines().last(), Some("done"), "{file}\n{out}\n{err}");
    let state = sandbox.state();
    assert_eq!(state["target_groups"][0]["completes"], 18, "{state}");
    assert_own_answers_valid(&sandbox);
    for request in sandbox.requests() {
        assert!(request.violations.is_empty() && request.notes.is_empty(), "{file}: {request:#?}");
    }
}

#[tokio::test]
async fn python() {
    passes("python3", "study.py", "127.0.0.1", None).await;
}

#[tokio::test]
async fn node() {
    passes("node", "study.mjs", "127.0.0.1", None).await;
}

/// Another name of this machine, under which the sandbox wants its token, as from another machine.
#[cfg(unix)]
const ELSEWHERE: &str = "0.0.0.0";

#[cfg(unix)]
#[tokio::test]
async fn python_from_elsewhere() {
    passes("python3", "study.py", ELSEWHERE, Some("a/b+c= d")).await;
}

#[cfg(unix)]
#[tokio::test]
async fn node_from_elsewhere() {
    passes("node", "study.mjs", ELSEWHERE, Some("a/b+c= d")).await;
}

#[test]
fn the_image_has_a_health_check_that_the_program_knows() {
    let file = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Dockerfile")).unwrap();
    let json = file.split("CMD ").nth(1).unwrap().lines().next().unwrap();
    let command: Vec<String> = serde_json::from_str(json).unwrap();
    let help = Command::new(env!("CARGO_BIN_EXE_cintx-sandbox")).arg("--help").output().unwrap();
    let help = String::from_utf8_lossy(&help.stdout);
    assert_eq!(command[0], "cintx-sandbox");
    assert!(help.contains(&command[1]), "{help}");
    for line in file.lines().flat_map(|line| line.split_whitespace()).filter(|word| word.starts_with("CINTX_SANDBOX_"))
    {
        let name = line.split('=').next().unwrap();
        assert!(help.contains(name), "{name}: {help}");
    }
}
