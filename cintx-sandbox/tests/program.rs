//! The program: its options, what it prints, and how it says no.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{client, send};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// A program that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_cintx-sandbox"))
}

#[tokio::test]
async fn the_program_says_where_it_is_and_does_as_it_is_told() {
    let faults = std::env::temp_dir().join(format!("cintx-sandbox-faults-{}.toml", std::process::id()));
    std::fs::write(&faults, "[[fault]]\non = \"get_user_accounts\"\ndo = \"status\"\nstatus = 503\ntimes = 1\n")
        .unwrap();
    let mut command = program();
    command.args(["--port", "0", "--api-version", "2025-12-18", "--seed", "9", "--speed", "60", "--log"]);
    command.args(["--scenario", "lifelike", "--faults"]);
    let mut running = Running(command.arg(&faults).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut said = BTreeMap::new();
    for line in BufReader::new(running.0.stdout.take().unwrap()).lines().take(12) {
        let line = line.unwrap();
        let (name, value) = line.split_once(' ').unwrap();
        said.insert(name.to_owned(), value.trim().to_owned());
    }
    std::fs::remove_file(&faults).unwrap();
    assert_eq!(said["versions"], "2025-12-18");
    let body = serde_json::json!({
        "client_id": said["client_id"], "client_secret": said["client_secret"],
        "grant_type": "client_credentials", "audience": "https://api.luc.id",
    });
    let http = client();
    let token = send(common::post_json(&http, &said["token"], &body)).await.expect(200).json();
    let call = |version: &str| {
        http.get(format!("{}/accounts", said["api"]))
            .bearer_auth(token["access_token"].as_str().unwrap())
            .header("cint-api-version", version)
    };
    send(call("2025-12-18")).await.expect(503);
    send(call("2025-12-18")).await.expect(200);
    send(call("2024-12-02")).await.expect(400);
    send(http.get(&said["page"])).await.expect(200);
    let address = said["page"].trim_start_matches("http://").trim_end_matches('/').to_owned();
    let check = |address: String| program().args(["--check", &address]).output().unwrap().status.success();
    assert!(tokio::task::spawn_blocking(move || check(address)).await.unwrap());
    assert!(!check("127.0.0.1:1".into()));
    running.0.kill().unwrap();
    let mut log = String::new();
    running.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("GET /v1/accounts -> 503 [get_user_accounts] (fault: status)"), "{log}");
}

#[test]
fn wrong_options_are_named() {
    for (options, named) in [
        (["--speed", "fast"], "a number is needed"),
        (["--api-version", "2023-01-01"], "2023-01-01"),
        (["--faults", "/no/such/file"], "/no/such/file"),
        (["--scenario", "/no/such/file"], "/no/such/file"),
        (["--check", "nowhere"], "nowhere"),
    ] {
        let output = program().args(options).output().unwrap();
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(named), "{options:?}: {text}");
    }
}
