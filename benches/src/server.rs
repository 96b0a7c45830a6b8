//! A server with fixed answers: the id of what is made, a page of target groups, a library of questions, a launch. It
//! speaks HTTP/1 in the clear and, for what TLS costs, HTTP/2 over it.

mod tls;

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Result;

/// Target groups in the page.
pub(crate) const LISTED_GROUPS: usize = 100;
/// Questions in the library, each with eight options: about four megabytes.
pub(crate) const LIBRARY_QUESTIONS: usize = 2_000;
pub(crate) const ACCOUNT: i64 = 2428;
pub(crate) const PROJECT: &str = "01JABCDEFGHJKMNPQRSTVWXYZ0";
/// As long as those of the token endpoint: a JSON Web Token.
pub(crate) const TOKEN: &str = concat!(
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImJlbmNobWFyayJ9.",
    "eyJpc3MiOiJodHRwczovL2F1dGguZXhhbXBsZS8iLCJzdWIiOiJiZW5jaG1hcmtAY2xpZW50cyIsImF1ZCI6Imh0dHBzOi8vYXBpLmV4YW1wbGUi",
    "LCJpYXQiOjE3NjQ0MTc2MDAsImV4cCI6MTc2NDUwNDAwMCwic2NvcGUiOiJyZWFkOmRlbWFuZCB3cml0ZTpkZW1hbmQiLCJndHkiOiJjbGllbnQifQ.",
    "c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUtc2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUtc2lnbmF0dXJlLXNpZ25hdHVyZS1zaWdu",
    "YXR1cmUtc2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUtc2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUtc2lnbmF0dXJlLXNpZ25hdHVy",
    "ZS1zaWduYXR1cmUtc2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUtc2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmU",
);
pub(crate) const MANAGER: &str = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2";

pub(crate) const GROUP: &str = "01JABCDEFGHJKMNPQRSTVWXYZ2";

/// How clients reach the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) url: String,
    /// The certificate to trust, as PEM, where the address is one of TLS.
    pub(crate) certificate: Option<String>,
}

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    /// HTTP/2 over TLS.
    Http2,
}

impl Protocol {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http2 => "http2",
        }
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let all = [Self::Http1, Self::Http2];
        all.into_iter().find(|one| one.name() == text).ok_or_else(|| format!("protocol is {text:?}"))
    }
}

/// Prints its address, answers until its input ends, and prints how many projects there are then. Of a hundred answers
/// to what makes one, so many are 503.
pub(crate) fn serve(protocol: Protocol, refused_percent: u64) -> Result<()> {
    let server = Arc::new(Server::new(refused_percent));
    let address = match protocol {
        Protocol::Http1 => start(Arc::clone(&server))?,
        Protocol::Http2 => tls::start(Arc::clone(&server))?,
    };
    println!("{}", serde_json::to_string(&address)?);
    std::io::stdin().read_to_end(&mut Vec::new())?;
    println!("{}", server.projects()?.len());
    Ok(())
}

/// Answers on threads of its own, as long as the process lives.
pub(crate) fn start(server: Arc<Server>) -> Result<Address> {
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
    Ok(Address { url, certificate: None })
}

/// What the connections share: the answers, and the projects that were made.
pub(crate) struct Server {
    accepted: Answer,
    created: Answer,
    listed: Answer,
    questions: Answer,
    launched: Answer,
    job: Answer,
    run: Answer,
    refused: Answer,
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
            accepted: Answer::json(202, &id),
            created: Answer::json(201, &id),
            listed: Answer::json(200, &page()),
            questions: Answer::json(200, &library()),
            launched: Answer::new(201, ("location", format!("{JOBS}/01JABCDEFGHJKMNPQRSTVWXYZ3")), Bytes::new()),
            job: Answer::json(200, &job()),
            run: Answer::json(200, &fielding_run()),
            refused: Answer::json(503, &json!({ "message": "busy" })),
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
            let mut words = first.split(' ');
            let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            connection.write_all(&self.answer(method, target, key)?.http1)?;
        }
    }

    /// The answer to a request.
    fn answer(&self, method: &str, target: &str, key: String) -> Result<&Answer> {
        Ok(match method {
            "POST" if target.ends_with("/projects") => self.make_project(key)?,
            "POST" if target.ends_with(JOBS) => &self.launched,
            "POST" => &self.created,
            _ if target.contains("questions-translation") => &self.questions,
            _ if target.contains(JOBS) => &self.job,
            _ if target.contains("/fielding-runs/") => &self.run,
            _ => &self.listed,
        })
    }

    /// Every second answer that refuses comes after the work was done.
    fn make_project(&self, key: String) -> Result<&Answer> {
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

/// The end of the path of launch jobs.
const JOBS: &str = "/fielding-run-jobs/launch-from-draft";

/// An answer, and its bytes in HTTP/1.
struct Answer {
    status: u16,
    header: (&'static str, String),
    body: Bytes,
    http1: Vec<u8>,
}

impl Answer {
    fn json(status: u16, body: &Value) -> Self {
        Self::new(status, ("content-type", "application/json".to_owned()), body.to_string().into())
    }

    fn new(status: u16, header: (&'static str, String), body: Bytes) -> Self {
        let (name, value) = &header;
        let head = format!("HTTP/1.1 {status} \r\n{name}: {value}\r\ncontent-length: {}\r\n\r\n", body.len());
        let http1 = [head.as_bytes(), &body].concat();
        Self { status, header, body, http1 }
    }
}

/// A launch job that is done.
fn job() -> Value {
    json!({
        "job_id": "01JABCDEFGHJKMNPQRSTVWXYZ3",
        "status": "Completed",
        "created_at": "2026-01-05T09:30:00Z",
        "created_by": MANAGER,
        "created_fielding_run_id": "01JABCDEFGHJKMNPQRSTVWXYZ4",
        "job_trace_id": "01JABCDEFGHJKMNPQRSTVWXYZ5",
    })
}

/// The run that it has made.
fn fielding_run() -> Value {
    json!({
        "id": "01JABCDEFGHJKMNPQRSTVWXYZ4",
        "status": "live",
        "start_fielding_at": "2026-01-05T09:30:00Z",
        "end_fielding_at": "2026-01-15T09:30:00Z",
        "last_changed_at": "2026-01-05T09:31:00Z",
        "last_changed_by": MANAGER,
        "version": 1,
    })
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

/// The length of the library's answer.
pub(crate) fn library_bytes() -> usize {
    library().to_string().len()
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
