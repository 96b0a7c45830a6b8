//! The examples, run as newcomers run them: every step succeeds, the whole study on every version.
//! What they print is a golden file with ids, ports, places and repeated polls taken out.

use std::path::PathBuf;
use std::process::Command;

/// An example as cargo built it beside this test.
fn example(name: &str) -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let path = deps
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "{} is not built: run the tests with `cargo test`, which builds examples", path.display());
    path
}

#[cfg(all(feature = "v2024-12-02", feature = "v2025-02-17", feature = "v2025-12-18"))]
fn run(name: &str, arguments: &[&str]) -> std::process::Output {
    // Nobody listens at this proxy: what stays on this machine must not go through it.
    let proxy = "http://127.0.0.1:9";
    let mut command = Command::new(example(name));
    command.args(arguments).env("RUST_BACKTRACE", "0").env("http_proxy", proxy).env("HTTP_PROXY", proxy);
    command.env_remove("no_proxy").env_remove("NO_PROXY").output().unwrap()
}

/// Takes out what differs from run to run.
#[cfg(all(feature = "v2024-12-02", feature = "v2025-02-17", feature = "v2025-12-18"))]
fn redacted(output: &std::process::Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let words = line.split(' ').map(|word| {
            let bare = word.trim_end_matches([',', ':']);
            let tail = &word[bare.len()..];
            let is_id = matches!(bare.len(), 26 | 32 | 36)
                && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && bare.bytes().any(|byte| byte.is_ascii_digit());
            match (is_id, bare.starts_with("http://127.0.0.1:")) {
                (true, _) => format!("<id>{tail}"),
                (_, true) => format!("http://127.0.0.1:<port>/v1{tail}"),
                _ => word.to_owned(),
            }
        });
        let line = words.collect::<Vec<_>>().join(" ").trim_end().to_owned();
        // How often a job is asked about depends on the machine.
        if lines.last() != Some(&line) || line.is_empty() {
            lines.push(line);
        }
    }
    lines.join("\n")
}

#[cfg(all(feature = "v2024-12-02", feature = "v2025-02-17", feature = "v2025-12-18"))]
#[test]
fn a_whole_study_runs_on_every_version() {
    for name in ["launch_study", "plan_study"] {
        for version in ["2024-12-02", "2025-02-17", "2025-12-18"] {
            let output = run(name, &["--api-version", version]);
            assert!(output.status.success(), "{name} {version}: {}", String::from_utf8_lossy(&output.stderr));
            insta::assert_snapshot!(format!("{name}-{version}"), redacted(&output));
        }
    }
}

/// For scripts: the plan as JSON, what it comes to as the exit code, what is there as a file.
#[cfg(all(feature = "v2024-12-02", feature = "v2025-02-17", feature = "v2025-12-18"))]
#[test]
fn a_plan_is_read_by_scripts() {
    let output = run("plan_study", &["--check", "--json"]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((plan["changes"].as_bool(), plan["steps"].as_array().map(Vec::len)), (Some(true), Some(4)), "{plan}");
    let output = run("plan_study", &["--import"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    let (_, file) = printed.split_once("name = \"MyDrinksSurveyQ1\"").unwrap();
    let study: cintx::study::Study = toml::from_str(&format!("name = \"MyDrinksSurveyQ1\"{file}")).unwrap();
    assert_eq!(study.target_groups.len(), 2, "{printed}");
}

#[cfg(all(feature = "v2024-12-02", feature = "v2025-02-17", feature = "v2025-12-18"))]
#[test]
fn live_names_the_variable_that_is_missing() {
    const VARIABLES: [&str; 3] = ["CINT_ACCOUNT_ID", "CINT_CLIENT_ID", "CINT_CLIENT_SECRET"];
    for (given, missing) in VARIABLES.into_iter().enumerate() {
        let mut command = Command::new(example("launch_study"));
        command.args(["--live", "--manager", "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2", "--business-unit", "1"]);
        for (index, name) in VARIABLES.into_iter().enumerate() {
            if index < given {
                command.env(name, "1")
            } else {
                command.env_remove(name)
            };
        }
        let output = command.output().unwrap();
        assert!(!output.status.success(), "without {missing}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&format!("{missing} is not set")), "without {missing}: {said}");
    }
    let output = run("launch_study", &["--live"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("--manager") && said.contains("--business-unit"), "{said}");
}

#[test]
fn a_quota_table_is_printed_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(example("quota_table")).env("TMPDIR", folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap().replace(&folder.path().display().to_string(), "<folder>");
    insta::assert_snapshot!("quota_table", printed);
    for name in ["cintx-quotas.csv", "cintx-quotas.svg"] {
        let written = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(written.contains("18-34"), "{name}: {written}");
    }
}

/// Respondents come by chance, so what is printed differs: but the raised goal is met, in every cell.
#[cfg(feature = "v2025-12-18")]
#[test]
fn a_field_is_watched_until_it_is_full() {
    let output = Command::new(example("watch_field")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains(" of 150 completes, 6 of 6 quotas full"), "{printed}");
}

/// What an example prints of its story.
#[cfg(feature = "v2025-12-18")]
fn demo(name: &str) -> String {
    let output = Command::new(example(name)).arg("--demo").output().unwrap();
    let (printed, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}\n{said}");
    printed
}

#[cfg(feature = "v2025-12-18")]
#[test]
fn a_survey_host_sends_nobody_back_too_early() {
    let printed = demo("survey_host");
    let (s2s, hashed) = printed.split_once("by hashed links:").unwrap();
    let back = "303 to https://samplicio.us/s/ClientCallBack.aspx?RID=";
    assert_eq!(s2s.matches("200 three questions").count(), 3, "{printed}");
    for (line, count) in
        [("complete ", 1), ("terminate ", 2), ("sends again: ", 4), ("enters again: ", 4), ("a stranger: ", 1)]
    {
        let found = s2s.lines().filter(|it| it.contains(line) && it.contains(back)).count();
        assert_eq!(found, count, "{line} of {printed}");
    }
    assert!(s2s.contains("answer lost:       503 one moment, no redirect\n"), "{printed}");
    assert!(s2s.contains("transitions:       4, and 4 refused\n"), "{printed}");
    assert!(hashed.contains("enters:            200 three questions\n"), "{printed}");
    for line in [
        "complete           303 to https://samplicio.us/s/ClientCallBack.aspx?RIS=10&RID=",
        "sends other ones:  303 to https://samplicio.us/s/ClientCallBack.aspx?RIS=10&RID=",
        "a forged link:     403 ",
        "never entered:     404 ",
    ] {
        assert!(hashed.contains(line), "{printed}");
    }
}

#[cfg(feature = "v2025-12-18")]
#[test]
fn a_webhook_receiver_knows_what_the_api_knows() {
    let printed = demo("webhook_receiver");
    assert!(printed.contains("sessions: 20 complete, 10 terminate, 30 in all\n"), "{printed}");
    assert!(printed.contains("quotas by events are those that the API reads: true\n"), "{printed}");
}

#[cfg(feature = "v2025-12-18")]
#[path = "../../examples/webhook_receiver/books.rs"]
mod books;

#[cfg(feature = "v2025-12-18")]
#[test]
fn the_books_of_a_receiver_keep_what_comes_late() {
    use cintx::respondent::codes::ClientCode;
    use cintx::webhook::inbox::{Fact, Gap};
    use cintx::webhook::receive::Event;
    use serde_json::json;

    let mut books = books::Books::of(Vec::new());
    let mut number = 0;
    let mut enter = |sequence: i64, code: Option<i64>, is_late| {
        number += 1;
        let changes = code.map(|code| json!({ "object": "client_status_code_change", "new_value": code }));
        let data = json!({
            "response_session_id": "s", "sequence_number": sequence, "changes": changes.into_iter().collect::<Vec<_>>(),
        });
        let event = json!({ "id": format!("e{number}"), "type": "com.cint.session.updated", "data": data });
        books.enter(&Fact::new(number, is_late, Event::parse(event.to_string().as_bytes()).unwrap()));
        [ClientCode::COMPLETE, ClientCode::TERMINATE].map(|code| books.count(code))
    };
    assert_eq!(enter(3, None, false), [0, 0]);
    assert_eq!(enter(2, Some(10), true), [1, 0], "nothing else told it");
    assert_eq!(enter(1, Some(20), true), [1, 0], "older than what is known");
    assert_eq!(enter(4, Some(20), false), [0, 1]);
    assert_eq!((books.sessions(), books.handled), (1, 4));

    let gap = |session: &str| Gap::new(session, (2, 3), cintx::reexports::jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(books.new_gaps([gap("a")]), [gap("a")]);
    assert_eq!(books.new_gaps([gap("b"), gap("a")]), [gap("b")], "the other was told");
    assert!(books.new_gaps([]).is_empty());
    assert_eq!(books.new_gaps([gap("a")]), [gap("a")], "it is there again");
}

/// How many complete differs, but those that are turned back are a third of them, and the stranger is found.
#[cfg(feature = "v2025-12-18")]
#[test]
fn a_file_is_reconciled() {
    let printed = demo("reconcile");
    let number = |before: &str, after: &str| -> usize {
        let line = printed.lines().find(|line| line.starts_with(before) && line.ends_with(after));
        let line = line.unwrap_or_else(|| panic!("no {before:?}, {after:?} in {printed}"));
        line[before.len()..line.len() - after.len()].split(' ').next().unwrap().parse().unwrap()
    };
    assert!(printed.contains("refused: line 1, column 2 is \"940\", expected one of 11, 26,"), "{printed}");
    let completes = number("", " USD");
    assert!(completes > 60, "{printed}");
    assert_eq!((number("Accepted: ", ""), number("Invalid: ", "")), (completes.div_ceil(3), 1));
    let (_, next) = printed.split_once("results.wave-7.state.json not sent: resume is of other").unwrap();
    assert!(next.contains(&format!("Accepted: {}\n", (completes - 1).div_ceil(3))), "the next wave: {printed}");
    assert!(printed.contains("71d5a5b5-4f02-4e32-9f5c-0a6f0c1c9b0e,933,invalid,"), "{printed}");
    assert_eq!(printed.matches("state.json: ").count(), 1, "what is no state is told, and does without: {printed}");
    // Each complete costs as much as another one.
    let cents = |before: &str| -> usize {
        let amount = printed.split_once(before).and_then(|(_, rest)| rest.split_once(" USD\n")).unwrap().0;
        amount.replacen('.', "", 1).parse().unwrap()
    };
    assert_eq!(cents("saved: ") * completes, cents(" completes cost ") * completes.div_ceil(3), "{printed}");
    assert!(cents("saved: ") > 0);
}
