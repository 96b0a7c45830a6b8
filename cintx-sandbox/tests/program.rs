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
        (["--control-token", ""], "--control-token"),
        (["--standing-clock", "noon"], "2026-01-31T12:00:00Z"),
    ] {
        let output = program().args(options).output().unwrap();
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(named), "{options:?}: {text}");
    }
}

#[test]
fn faults_that_could_never_strike_are_named() {
    let file = std::env::temp_dir().join(format!("cintx-sandbox-slip-{}.toml", std::process::id()));
    for (on, more, named) in [
        ("create_projct", [].as_slice(), "create_project"),
        ("getTargetGroup", &[], "no operation is called getTargetGroup"),
        // An operation of older versions.
        ("remove-interlocks", &["--api-version", "2025-12-18"], "no operation is called remove-interlocks"),
    ] {
        std::fs::write(&file, format!("[[fault]]\non = \"{on}\"\ndo = \"status\"\nstatus = 503\n")).unwrap();
        let output = program().args(more).arg("--faults").arg(&file).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{on}: {text}");
        assert!(text.contains(named), "{on}: {text}");
    }
    std::fs::remove_file(&file).unwrap();
}

/// Starts a program with a state file; it and what it says.
#[cfg(unix)]
fn with_state(file: &std::path::Path, more: &[&str]) -> (Running, BTreeMap<String, String>) {
    let mut command = program();
    command.args(["--standing-clock", "2026-01-31T12:00:00Z", "--state"]).arg(file).args(more);
    let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut said = BTreeMap::new();
    for line in BufReader::new(running.0.stdout.take().unwrap()).lines().take(13).map_while(Result::ok) {
        let (name, value) = line.split_once(' ').unwrap();
        said.insert(name.to_owned(), value.trim().to_owned());
    }
    (running, said)
}

/// Ends a program as a system does; what it said about it.
#[cfg(unix)]
fn terminate(mut running: Running) -> String {
    let id = running.0.id().to_string();
    let _ = Command::new("kill").args(["-TERM", &id]).status();
    let mut text = String::new();
    running.0.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    running.0.wait().unwrap();
    text
}

#[cfg(unix)]
#[tokio::test]
async fn a_state_file_is_gone_on_from_and_written_as_a_whole() {
    let folder = std::env::temp_dir().join(format!("cintx-sandbox-state-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (file, link) = (folder.join("state.json"), folder.join("before.json"));
    let (running, said) = with_state(&file, &["--seed", "9"]);
    assert_eq!(said["account_id"], "2428");
    assert_eq!(terminate(running), "");
    std::fs::hard_link(&file, &link).unwrap();
    let first = std::fs::read(&link).unwrap();

    // The second one is told nothing of the seed, and something else of how long jobs take.
    let (running, again) = with_state(&file, &["--job-delay", "7000"]);
    assert_eq!((&again["client_id"], &again["s2s_key"]), (&said["client_id"], &said["s2s_key"]));
    let clock = format!("{}/clock", again["control"]);
    let later = serde_json::json!({ "advance_seconds": 3600 });
    let moved = send(common::post_json(&client(), &clock, &later)).await.expect(200).json();
    assert_eq!(moved["now"], "2026-01-31T13:00:00.000Z");
    let reset = send(client().post(format!("{}/reset", again["control"]))).await.expect(200).json();
    assert_eq!(reset["now"], "2026-01-31T12:00:00.000Z", "as at the start");
    assert_eq!(terminate(running), "");
    let second: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(second["world"]["settings"]["job_delay"], "PT7S");
    assert_eq!(std::fs::read(&link).unwrap(), first, "a file that is there is replaced, not written over");

    let (running, _) = with_state(&file, &["--seed", "4"]);
    let refused = terminate(running);
    assert!(refused.contains("seed: the state was begun with 9, and 4 was asked for"), "{refused}");
    let names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[cfg(unix)]
#[test]
fn the_page_is_told_with_the_token_where_others_may_ask() {
    let mut command = program();
    command.args(["--listen", "0.0.0.0", "--control-token", "a/b+c= d"]);
    let mut running = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let page = lines.find(|line| line.starts_with("page ")).unwrap();
    assert!(page.ends_with("/?token=a%2Fb%2Bc%3D%20d"), "{page}");
}

/// The variables that the program says it reads.
fn variables() -> Vec<String> {
    let help = program().arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let named = help.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next());
    named.map(str::to_owned).collect()
}

#[test]
fn every_option_is_taken_from_its_variable() {
    let folder = std::env::temp_dir().join(format!("cintx-sandbox-variables-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let file = folder.join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/2025-12-18.json");
    let values: BTreeMap<&str, String> = [
        ("PORT", "0".to_owned()),
        ("LISTEN", "127.0.0.1".into()),
        ("CONTROL_TOKEN", "open-sesame".into()),
        ("API_VERSION", "2024-12-02,2025-12-18".into()),
        ("SEED", "9".into()),
        ("SPEED", "60".into()),
        ("STANDING_CLOCK", "2026-01-31T12:00:00Z".into()),
        ("ACCOUNT_ID", "77".into()),
        ("TOKEN_TTL", "60".into()),
        ("JOB_DELAY", "1".into()),
        ("SCENARIO", "lifelike".into()),
        ("FIELD_PACE", "0".into()),
        ("FIELD_BURST", "1".into()),
        ("SESSION_TIME", "1".into()),
        ("SEED_FILE", file("seed.toml", "")),
        ("TOLERATE", "none".into()),
        ("STATE", folder.join("state.json").to_str().unwrap().to_owned()),
        ("DOCUMENT", document.into()),
        ("FAULTS", file("faults.toml", "[[fault]]\non = \"*\"\ndo = \"delay\"\ndelay_ms = 1\n")),
        ("WEBHOOK_GATEWAY", "127.0.0.1:1".into()),
        ("WEBHOOK_RETRY", "1".into()),
        ("REPORTS_END_AT_LAST_MIDNIGHT", "1".into()),
        ("IDLE_TIMEOUT", "5".into()),
        ("LOG", "1".into()),
    ]
    .into();
    let mut command = program();
    for name in variables() {
        let short = name.strip_prefix("CINTX_SANDBOX_").unwrap();
        command.env(&name, values.get(short).unwrap_or_else(|| panic!("{name} has no value here")));
    }
    assert_eq!(variables().len(), values.len(), "{:?}", variables());
    let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut said = BTreeMap::new();
    for line in BufReader::new(running.0.stdout.take().unwrap()).lines().take(13).map_while(Result::ok) {
        let (name, value) = line.split_once(' ').unwrap();
        said.insert(name.to_owned(), value.trim().to_owned());
    }
    if said.is_empty() {
        let mut why = String::new();
        running.0.stderr.take().unwrap().read_to_string(&mut why).unwrap();
        panic!("{why}");
    }
    assert_eq!((said["versions"].as_str(), said["account_id"].as_str()), ("2024-12-02 2025-12-18", "77"));
    drop(running);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[cfg(unix)]
#[test]
fn a_flag_of_a_state_is_turned_off_by_its_variable() {
    let file = std::env::temp_dir().join(format!("cintx-sandbox-flag-{}.json", std::process::id()));
    for (value, is_on) in [("1", true), ("", true), ("false", false)] {
        let mut command = program();
        command.arg("--state").arg(&file).stdout(Stdio::piped()).stderr(Stdio::piped());
        if !value.is_empty() {
            command.env("CINTX_SANDBOX_REPORTS_END_AT_LAST_MIDNIGHT", value);
        }
        let mut running = Running(command.spawn().unwrap());
        assert_eq!(BufReader::new(running.0.stdout.take().unwrap()).lines().take(13).count(), 13);
        assert_eq!(terminate(running), "");
        let state: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(state["world"]["settings"]["reports_end_at_last_midnight"], is_on, "{value}");
    }
    std::fs::remove_file(&file).unwrap();
}

/// As the health check of the image does, wherever the port was moved to.
#[test]
fn a_check_without_an_address_asks_at_the_port_of_the_options() {
    let mut running = Running(program().args(["--port", "0"]).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let page = lines.find(|line| line.starts_with("page ")).unwrap();
    let port = page.trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    let check = |port: &str| {
        let output = program().arg("--check").env("CINTX_SANDBOX_PORT", port).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(check(&port), (true, String::new()));
    drop(running);
    let (is_well, why) = check(&port);
    assert!(!is_well && why.contains(&format!("127.0.0.1:{port}")), "{why}");
    assert!(include_str!("../Dockerfile").contains("CMD [\"cintx-sandbox\", \"--check\"]"));
}
