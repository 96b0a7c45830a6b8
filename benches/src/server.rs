//! A server with fixed answers: the id of what is made, a page of target groups, a library of questions.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use crate::Result;

/// Target groups in the page.
pub(crate) const LISTED_GROUPS: usize = 100;
/// Questions in the library, each with eight options: about four megabytes.
pub(crate) const LIBRARY_QUESTIONS: usize = 2_000;
pub(crate) const ACCOUNT: i64 = 2428;
pub(crate) const PROJECT: &str = "01JABCDEFGHJKMNPQRSTVWXYZ0";
pub(crate) const MANAGER: &str = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2";

/// Prints its URL, answers until its input ends, and prints how many projects there are then. Of a hundred answers to
/// what makes one, so many are 503.
pub(crate) fn serve(refused_percent: u64) -> Result<()> {
    let server = Arc::new(Server::new(refused_percent));
    println!("{}", start(Arc::clone(&server))?);
    std::io::stdin().read_to_end(&mut Vec::new())?;
    println!("{}", server.projects()?.len());
    Ok(())
}

/// Answers on threads of its own, as long as the process lives. The URL.
pub(crate) fn start(server: Arc<Server>) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/v1", listener.local_addr()?);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let server = Arc::clone(&server);
            std::thread::spawn(move || {
                if let Err(error) = server.answer_all(&connection) {
                    eprintln!("server: {error}");
                }
            });
        }
    });
    Ok(url)
}

/// What the connections share: the answers, and the projects that were made.
pub(crate) struct Server {
    accepted: Vec<u8>,
    created: Vec<u8>,
    listed: Vec<u8>,
    library: Vec<u8>,
    refused: Vec<u8>,
    refused_percent: u64,
    /// By their idempotency keys.
    projects: Mutex<HashSet<String>>,
    asked_for_projects: AtomicU64,
}

impl Server {
    pub(crate) fn new(refused_percent: u64) -> Self {
        let id = json!({ "id": "01JABCDEFGHJKMNPQRSTVWXYZ1" });
        Self {
            // What is made of a project goes on after the answer; a target group is there.
            accepted: response(202, &id),
            created: response(201, &id),
            listed: response(200, &page()),
            library: response(200, &library()),
            refused: response(503, &json!({ "message": "busy" })),
            refused_percent,
            projects: Mutex::default(),
            asked_for_projects: AtomicU64::new(0),
        }
    }

    fn projects(&self) -> Result<MutexGuard<'_, HashSet<String>>> {
        self.projects.lock().map_err(|_| "a connection has panicked".into())
    }

    /// Answers the requests of one connection.
    fn answer_all(&self, mut connection: &TcpStream) -> Result<()> {
        connection.set_nodelay(true)?;
        let mut requests = BufReader::new(connection);
        let (mut line, mut body) = (String::new(), Vec::new());
        loop {
            let (mut first, mut key, mut length) = (String::new(), String::new(), 0);
            if requests.read_line(&mut first)? == 0 {
                return Ok(());
            }
            line.clear();
            while requests.read_line(&mut line)? > 2 {
                match line.split_once(':') {
                    Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                        length = value.trim().parse()?;
                    }
                    Some((name, value)) if name.eq_ignore_ascii_case("idempotency-key") => {
                        key.push_str(value.trim());
                    }
                    _ => {}
                }
                line.clear();
            }
            body.resize(length, 0);
            requests.read_exact(&mut body)?;
            let answer = if first.contains("/questions-translation") {
                &self.library
            } else if first.contains("/projects HTTP") {
                self.make_project(key)?
            } else if first.starts_with("POST") {
                &self.created
            } else {
                &self.listed
            };
            connection.write_all(answer)?;
        }
    }

    /// Every second answer that refuses comes after the work was done.
    fn make_project(&self, key: String) -> Result<&[u8]> {
        let number = self.asked_for_projects.fetch_add(1, Ordering::Relaxed) % 200;
        // Spread evenly, so that short runs have as many.
        let is_refused = (number * self.refused_percent) % 100 < self.refused_percent;
        let is_done = !is_refused || number >= 100;
        if is_done {
            self.projects()?.insert(key);
        }
        Ok(if is_refused { &self.refused } else { &self.accepted })
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
