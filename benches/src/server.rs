//! A server with fixed answers: the id of what is made, a page of target groups, a library of questions.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use crate::Result;

/// Target groups in the page.
pub(crate) const LISTED_GROUPS: usize = 100;
/// Questions in the library, each with eight options: about four megabytes.
pub(crate) const LIBRARY_QUESTIONS: usize = 2_000;
pub(crate) const ACCOUNT: i64 = 2428;
pub(crate) const PROJECT: &str = "01JABCDEFGHJKMNPQRSTVWXYZ0";
pub(crate) const MANAGER: &str = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2";

/// Prints its URL and answers until its input ends.
pub(crate) fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}/v1", listener.local_addr()?);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || {
                if let Err(error) = answer(&connection) {
                    eprintln!("server: {error}");
                }
            });
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Answers the requests of one connection.
fn answer(mut connection: &TcpStream) -> Result<()> {
    connection.set_nodelay(true)?;
    let id = json!({ "id": "01JABCDEFGHJKMNPQRSTVWXYZ1" });
    // What is made of a project goes on after the answer; a target group is there.
    let (accepted, created) = (response(202, &id), response(201, &id));
    let listed = response(200, &page());
    let library = response(200, &library());
    let mut requests = BufReader::new(connection);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if requests.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut line = String::new();
        while requests.read_line(&mut line)? > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            line.clear();
        }
        requests.read_exact(&mut vec![0; length])?;
        let answer = if first.contains("/questions-translation") {
            &library
        } else if first.contains("/projects HTTP") {
            &accepted
        } else if first.starts_with("POST") {
            &created
        } else {
            &listed
        };
        connection.write_all(answer)?;
    }
}

fn response(status: u16, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!("HTTP/1.1 {status} \r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn page() -> Value {
    let groups: Vec<Value> = (0..LISTED_GROUPS).map(group).collect();
    json!({ "url": "/target-groups", "has_more": false, "target_groups": groups })
}

/// A target group of the list, every property set.
fn group(number: usize) -> Value {
    let statistic = |value: Value| json!({ "value": value, "issues": [] });
    let money = |value: &str| statistic(json!({ "value": value, "currency_code": "USD" }));
    json!({
        "id": format!("01JABCDEFGHJKMNPQRSTVW{number:04}"),
        "human_readable_id": format!("TG-{number:06}"),
        "name": format!("UK pets {number}"),
        "highlighted_name": format!("UK pets {number}"),
        "locale": "eng_gb",
        "status": "live",
        "exclusion_enabled": false,
        "created_at": "2026-01-05T09:30:00Z",
        "updated_at": "2026-01-06T10:45:00Z",
        "project_manager_id": "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2",
        "target_group_customer_reference_number": format!("reference {number}"),
        "statistics": {
            "progress": statistic(json!({
                "current_completes": 120, "current_prescreens": 340, "filling_goal": 500,
                "filling_strategy": "completes",
            })),
            "average_cost_per_interview": money("2.73"),
            "conversion_rate": statistic(json!(0.31)),
            "drop_off_rate": statistic(json!(0.12)),
            "incidence_rate": statistic(json!(0.5)),
            "median_length_of_interview_seconds": statistic(json!(612)),
            "earnings_per_click": money("0.42"),
            "earnings_per_click_per_minute": money("0.04"),
            "last_complete_date": statistic(json!("2026-01-06T10:44:12Z")),
        },
    })
}

fn library() -> Value {
    json!({ "has_more": false, "total": LIBRARY_QUESTIONS, "profiles": (0..LIBRARY_QUESTIONS).map(question).collect::<Vec<_>>() })
}

/// A question of the library, with its translation.
fn question(number: usize) -> Value {
    let option = |option: usize| {
        json!({
            "text": format!("The answer of number {option} to the question"),
            "text_translated": format!("The answer of number {option}, said in another language"),
            "conditions": [{ "object": "selection", "question_id": number, "option": option.to_string() }],
        })
    };
    json!({
        "object": "regular",
        "name": format!("QUESTION_{number}"),
        "description": format!("What would you say about the thing of number {number}?"),
        "description_translated": format!("What would you say about the thing of number {number}, in another language?"),
        "classification_id": number % 20,
        "classification_code": "household",
        "standard": true,
        "quotas_enabled": false,
        "profile_condition_type": "Single Punch",
        "targets": (1..=8).map(option).collect::<Vec<_>>(),
    })
}
