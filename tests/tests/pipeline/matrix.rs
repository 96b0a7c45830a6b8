//! Every operation of every version × every way to fail: how often it is sent, under which key, with what outcome.
//! What is expected follows from the documents and a reviewed list, not from the table that the pipeline reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cintx::{Error, Outcome};
use cintx_tests::dispatch::{Arguments, Called, Failed};
use cintx_tests::document::{Document, DocumentOperation, json_schema};
use cintx_tests::instances::instances;
use cintx_tests::with_faults::{Answer, Deed, Received, RefusingPort, Scripted, Server};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

use crate::support::{Mint, builder, hasty, limits};

/// POSTs that only compute something from what they are sent. Reviewed: repeating one has no effect.
const READ_LIKE: [&str; 11] = [
    "calculate_target_group_feasibility",
    "calculate_target_group_feasibility_by_id",
    "compute_target_group_transitions",
    "generate_blended_profile",
    "generate_draft_interlock_profile",
    "generate_draft_interlock_profile_v2",
    "generate_price_prediction",
    "get_panel_distribution",
    "get_panel_distribution_draft",
    "suggest_days",
    "validate_profiles",
];

/// Operations whose answer may be an object without properties. Reviewed: nothing is set is an answer, too.
const MAY_BE_EMPTY: [&str; 2] = ["apply_profiles_v2", "get_fielding_assistant_assignment"];

/// The three classes that decide what may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Read,
    Keyed,
    Write,
}

/// The ways to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    NoConnection,
    ConnectTimeout,
    ResetUnread,
    ResetRead,
    Closed,
    Truncated,
    /// A success status with an answer that the document does not describe.
    Success(Oddity),
    Status(u16),
    ForbiddenWithOldToken,
    RateLimited(u64),
    AttemptTimeout,
    OperationTimeout,
}

/// What is odd about an answer whose status says success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Oddity {
    /// A login page under its own media type.
    Page,
    /// A page that claims to be JSON.
    DisguisedPage,
    ErrorObject,
    OtherObject,
    Nothing,
    Null,
    EmptyObject,
    OtherStatus,
    Compressed,
}

const KINDS: [Kind; 36] = [
    Kind::NoConnection,
    Kind::ConnectTimeout,
    Kind::ResetUnread,
    Kind::ResetRead,
    Kind::Closed,
    Kind::Truncated,
    Kind::Success(Oddity::Page),
    Kind::Success(Oddity::DisguisedPage),
    Kind::Success(Oddity::ErrorObject),
    Kind::Success(Oddity::OtherObject),
    Kind::Success(Oddity::Nothing),
    Kind::Success(Oddity::Null),
    Kind::Success(Oddity::EmptyObject),
    Kind::Success(Oddity::OtherStatus),
    Kind::Success(Oddity::Compressed),
    Kind::Status(302),
    Kind::Status(401),
    Kind::Status(403),
    Kind::ForbiddenWithOldToken,
    Kind::Status(408),
    Kind::Status(409),
    Kind::Status(412),
    Kind::Status(422),
    Kind::Status(418),
    Kind::Status(429),
    Kind::Status(499),
    Kind::RateLimited(0),
    Kind::RateLimited(3_600),
    Kind::Status(500),
    Kind::Status(501),
    Kind::Status(502),
    Kind::Status(503),
    Kind::Status(504),
    Kind::Status(505),
    Kind::AttemptTimeout,
    Kind::OperationTimeout,
];

/// Cases at a time; most of their time they wait for nothing.
const WORKERS: usize = 32;

/// What must be seen: how many requests reach the server, and what the caller is told; `None` for a success.
type Expected = (usize, Option<Outcome>);

fn expected(kind: Kind, class: Class, case: &Case) -> Expected {
    // May have been applied: repeated where that does no harm, unknown where it may have had an effect.
    let ambiguous = match class {
        Class::Read => (3, Some(Outcome::NoEffect)),
        Class::Keyed => (3, Some(Outcome::Unknown)),
        Class::Write => (1, Some(Outcome::Unknown)),
    };
    let token_replaced = if case.server_to_server { 1 } else { 2 };
    match kind {
        // No request ever reaches the server.
        Kind::NoConnection | Kind::ConnectTimeout => (0, Some(Outcome::NotSent)),
        Kind::ResetUnread | Kind::ResetRead | Kind::Closed | Kind::AttemptTimeout => ambiguous,
        Kind::Status(408 | 500 | 502 | 503 | 504) => ambiguous,
        // Not repeated, since the answer would be the same; whether it took effect, they do not say.
        Kind::Status(302 | 418 | 499 | 501 | 505) => (1, ambiguous.1),
        Kind::OperationTimeout => (1, ambiguous.1),
        // A download is handed over as it comes; what breaks off is seen by whoever reads it.
        Kind::Truncated if case.download => (1, None),
        // A status that the document does not list is no success, however its body goes on.
        Kind::Truncated if case.success == 204 => (1, ambiguous.1),
        Kind::Truncated => match class {
            Class::Read => (3, Some(Outcome::NoEffect)),
            Class::Keyed => (3, Some(Outcome::Applied)),
            Class::Write => (1, Some(Outcome::Applied)),
        },
        // Where no body is described, an empty one or any object that is no error is as good.
        Kind::Success(Oddity::Nothing | Oddity::Null | Oddity::EmptyObject | Oddity::OtherObject)
            if !case.json_answer && !case.download && case.success != 204 =>
        {
            (1, None)
        }
        Kind::Success(Oddity::EmptyObject | Oddity::OtherObject) if MAY_BE_EMPTY.contains(&&*case.id) => (1, None),
        Kind::Success(_) => (1, ambiguous.1),
        // A gateway can say either after the work is done: what would be done twice is not sent again.
        Kind::Status(401 | 429) | Kind::RateLimited(_) if class == Class::Write && !case.sets_state => (1, ambiguous.1),
        Kind::Status(401) => (token_replaced, ambiguous.1),
        Kind::Status(429) | Kind::RateLimited(0) => (3, ambiguous.1),
        Kind::RateLimited(_) => (1, ambiguous.1),
        Kind::ForbiddenWithOldToken => (token_replaced, Some(Outcome::NoEffect)),
        Kind::Status(_) => (1, Some(Outcome::NoEffect)),
    }
}

/// One operation, ready to be called.
#[derive(Clone)]
struct Case {
    id: String,
    class: Class,
    /// Without a key, but twice is the same as once.
    sets_state: bool,
    key: bool,
    server_to_server: bool,
    download: bool,
    /// A media type of its success answer; empty without a body.
    media: String,
    json_answer: bool,
    /// The status that the document lists for success.
    success: u16,
    arguments: Arguments,
}

impl Case {
    fn of(document: &Document, operation: &DocumentOperation<'_>, id: &str) -> Self {
        let mut arguments = Arguments::default();
        let mut key = false;
        for parameter in document.parameters(operation) {
            let name = parameter["name"].as_str().unwrap();
            let schema = &parameter["schema"];
            match parameter["in"].as_str() {
                Some("path") => {
                    arguments.path.insert(name.to_owned(), instances(document, schema).swap_remove(0).value);
                }
                Some("header") if name.eq_ignore_ascii_case("idempotency-key") => {
                    key = true;
                }
                Some("header") if name.eq_ignore_ascii_case("if-match") => {
                    arguments.headers.insert(name.to_owned(), json!("W/\"7\""));
                }
                Some("query") if parameter["required"] == json!(true) => {
                    arguments.query.insert(name.to_owned(), instances(document, schema).swap_remove(0).value);
                }
                _ => {}
            }
        }
        arguments.body = match document.request_schema(operation) {
            Some(schema) => instances(document, schema).swap_remove(0).value,
            None if operation.operation.get("requestBody").is_some() => json!("a,b\r\n"),
            None => Value::Null,
        };
        let read = operation.method == "GET" || READ_LIKE.contains(&id);
        let class = match (read, key) {
            (true, _) => Class::Read,
            (false, true) => Class::Keyed,
            (false, false) => Class::Write,
        };
        let answers = document.answers(operation);
        let success = answers.iter().filter(|(status, _)| (200..300).contains(status));
        let status = success.clone().map(|(status, _)| *status).next().unwrap();
        let media = success.clone().filter_map(|(_, answer)| answer["content"].as_object()?.keys().next()).next();
        let has_content = success.clone().any(|(_, answer)| answer.get("content").is_some());
        let json_answer = success.clone().any(|(_, answer)| json_schema(answer).is_some());
        Self {
            id: id.to_owned(),
            class,
            sets_state: ["PUT", "DELETE"].contains(&&*operation.method) || !arguments.headers.is_empty(),
            key,
            server_to_server: operation.path.starts_with("/fulfillment/"),
            download: has_content && !json_answer,
            media: media.cloned().unwrap_or_default(),
            json_answer,
            success: status,
            arguments,
        }
    }
}

/// Where a worker's requests go.
struct Bench {
    scripted: Arc<Scripted>,
    server: Server,
    resetting: Arc<Scripted>,
    resets: Server,
    closed: RefusingPort,
    stuck: String,
    _full: Vec<tokio::task::JoinHandle<()>>,
    http: reqwest::Client,
    hurried: reqwest::Client,
}

impl Bench {
    async fn new(http: reqwest::Client, hurried: reqwest::Client) -> Self {
        let scripted = Scripted::new(Deed::Answer(Answer::json(200, "{}")));
        let server = Server::start(scripted.clone()).await;
        let resetting = Scripted::new(Deed::Reset);
        let resets = Server::start(resetting.clone()).await;
        let closed = RefusingPort::take().unwrap();
        let (stuck, full) = full_listener().await;
        Self { scripted, server, resetting, resets, closed, stuck, _full: full, http, hurried }
    }
}

/// A client that gives a connection this long to be made.
fn http(connect: Duration) -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(connect)
        // Each request on a connection of its own, which can be reset unread.
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()
        .unwrap()
}

/// A listener whose queue is full: whoever connects waits.
async fn full_listener() -> (String, Vec<tokio::task::JoinHandle<()>>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut holders = vec![tokio::spawn(async move {
        let _listener = listener;
        std::future::pending::<()>().await;
    })];
    for _ in 0..4 {
        holders.push(tokio::spawn(async move {
            let _stream = tokio::net::TcpStream::connect(address).await;
            std::future::pending::<()>().await;
        }));
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    (format!("http://{address}"), holders)
}

fn problem(number: usize, kind: Kind, case: &Case, bench: &Bench, answer: Result<Called, Failed>) -> Option<String> {
    let (requests, outcome) = expected(kind, case.class, case);
    let seen = match kind {
        Kind::ResetUnread => bench.resetting.seen(),
        // A request that timed out may arrive when its case is over: each bears its number.
        _ => bench.scripted.seen(),
    };
    let number = number.to_string();
    let ours = |request: &Received| kind == Kind::ResetUnread || request.header("x-case") == Some(&number);
    let seen: Vec<_> = seen.into_iter().filter(ours).collect();
    if seen.len() != requests {
        return Some(format!("{} requests for {requests}", seen.len()));
    }
    let header = |name: &str| seen.iter().map(|request| request.header(name).map(str::to_owned)).collect::<Vec<_>>();
    if kind != Kind::ResetUnread {
        let keys = header("idempotency-key");
        if keys.iter().any(|key| key.as_deref().is_some_and(|key| !key.is_empty()) != case.key) {
            return Some(format!("the keys are {keys:?}"));
        }
        if keys.windows(2).any(|pair| pair[0] != pair[1]) {
            return Some(format!("the key changes: {keys:?}"));
        }
        let traces = header("traceparent");
        let trace = |text: &Option<String>| text.as_ref().and_then(|text| text.get(3..35).map(str::to_owned));
        if traces.windows(2).any(|pair| trace(&pair[0]).is_none() || trace(&pair[0]) != trace(&pair[1])) {
            return Some(format!("the trace changes: {traces:?}"));
        }
    }
    match (answer, outcome) {
        (Ok(_), None) => None,
        // The body of a download broke off in the hands of its reader.
        (Err(Failed::Argument(_)), None) if kind == Kind::Truncated => None,
        (Ok(_), Some(outcome)) => Some(format!("succeeds for {outcome:?}")),
        (Err(Failed::Client(error)), Some(outcome)) => {
            let error = Error::from(error);
            if error.outcome() != outcome {
                return Some(format!("says {:?} for {outcome:?}: {error:#}", error.outcome()));
            }
            if error.trace_id().is_none_or(|id| id.len() != 32) {
                return Some("has no trace id".to_owned());
            }
            if let Kind::RateLimited(seconds) = kind
                && error.retry_after() != Some(Duration::from_secs(seconds))
            {
                return Some(format!("says to wait {:?}", error.retry_after()));
            }
            if requests > 0 && error.attempts() as usize != requests {
                return Some(format!("counts {} attempts", error.attempts()));
            }
            let text = error.to_string();
            (text.contains('\n') || !text.starts_with(&case.id)).then(|| format!("reads {text:?}"))
        }
        (Err(other), outcome) => Some(format!("fails with {other:?} for {outcome:?}")),
    }
}

fn deed(kind: Kind, case: &Case) -> Deed {
    // An answer of 204 has no body; whoever gives one gives it another status.
    let status = if case.success == 204 { 200 } else { case.success };
    let error = r#"{"object":"some_error","detail":"no"}"#;
    match kind {
        Kind::ResetRead => Deed::Reset,
        Kind::Closed => Deed::Close,
        // A download breaks off in the hands of its reader.
        Kind::Truncated if case.download => Deed::Truncate(Answer::media(status, &case.media, "RID,status\r\n")),
        Kind::Truncated => Deed::Truncate(Answer::json(status, r#"{"id":"01BX5ZZKBKACTAV9WEVGEMMVS0"}"#)),
        Kind::Success(oddity) => Deed::Answer(match oddity {
            Oddity::Page => Answer::media(status, "text/html; charset=utf-8", "<!doctype html><title>Log in</title>"),
            Oddity::DisguisedPage => Answer::json(status, "<html>hello</html>"),
            Oddity::ErrorObject => Answer::json(status, error),
            Oddity::OtherObject => Answer::json(status, r#"{"healthy":true}"#),
            Oddity::Nothing => Answer::json(status, ""),
            Oddity::Null => Answer::json(status, "null"),
            Oddity::EmptyObject => Answer::json(status, "{}"),
            Oddity::OtherStatus => Answer::json(203, r#"{"id":"01BX5ZZKBKACTAV9WEVGEMMVS0"}"#),
            Oddity::Compressed => Answer::json(status, "\u{b}\u{2}").header("content-encoding", "br"),
        }),
        Kind::Status(status) => Deed::Answer(Answer::json(status, error)),
        Kind::ForbiddenWithOldToken => Deed::Answer(Answer::json(403, error)),
        Kind::RateLimited(seconds) => Deed::Answer(Answer::json(429, error).header("retry-After", seconds.to_string())),
        _ => Deed::Silence,
    }
}

macro_rules! version {
    ($name:ident $marker:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            use cintx_tests::dispatch::$name as dispatch;
            let date = cintx_raw::$name::VERSION;
            let document = Document::of(date);
            let table = cintx_raw::$name::operations::ALL;
            let cases: Vec<Case> = document
                .operations()
                .iter()
                .map(|operation| {
                    let row = table.iter().find(|row| row.path == operation.path && row.method == *operation.method);
                    Case::of(&document, operation, row.unwrap().id)
                })
                .collect();
            let work: Arc<Vec<(Case, Kind)>> =
                Arc::new(cases.iter().flat_map(|case| KINDS.map(|kind| (case.clone(), kind))).collect());
            let (next, started) = (Arc::new(AtomicUsize::new(0)), Instant::now());
            let (http, hurried) = (http(Duration::from_secs(10)), http(Duration::from_millis(40)));
            let ready = Arc::new(tokio::sync::Barrier::new(WORKERS));
            let mut workers = JoinSet::new();
            for _ in 0..WORKERS {
                let (work, next, ready) = (Arc::clone(&work), Arc::clone(&next), Arc::clone(&ready));
                let (http, hurried) = (http.clone(), hurried.clone());
                workers.spawn(async move {
                    let bench = Bench::new(http, hurried).await;
                    ready.wait().await;
                    let mut problems = Vec::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some((case, kind)) = work.get(number) else { return problems };
                        let kind = *kind;
                        match kind {
                            Kind::ResetUnread => bench.resetting.now_resets_unread(),
                            kind => bench.scripted.now(deed(kind, case)),
                        }
                        let url = match kind {
                            Kind::NoConnection => &bench.closed.url().unwrap(),
                            Kind::ConnectTimeout => &bench.stuck,
                            Kind::ResetUnread => &bench.resets.url(),
                            _ => &bench.server.url(),
                        };
                        let patience = match kind {
                            Kind::AttemptTimeout => limits(600, 20_000),
                            Kind::OperationTimeout => limits(5_000, 600),
                            _ => limits(5_000, 20_000),
                        };
                        // A token so short that our own clock thinks it may have expired.
                        let life = if kind == Kind::ForbiddenWithOldToken { 0 } else { 86_400 };
                        // A pacer would make those go on until their time is over: `pace` has tests of that.
                        let unpaced = matches!(kind, Kind::Status(429) | Kind::RateLimited(0));
                        let client = builder::<cintx::$marker>(url);
                        let client = if unpaced { client.without_pacer() } else { client };
                        let client = client
                            .token_source(Mint::new(Duration::from_secs(life)))
                            .http_client(
                                if kind == Kind::ConnectTimeout { &bench.hurried } else { &bench.http }.clone(),
                            )
                            .timeouts(patience)
                            .retry(hasty())
                            .default_header("x-case", &number.to_string())
                            .build()
                            .unwrap();
                        let answer = Box::pin(dispatch::call(client.raw(), &case.id, &case.arguments)).await;
                        if let Some(problem) = problem(number, kind, case, &bench, answer) {
                            problems.push(format!("{} {kind:?}: {problem}", case.id));
                        }
                    }
                });
            }
            let problems: Vec<String> = workers.join_all().await.into_iter().flatten().collect();
            println!("{date}: {} operations, {} cases in {:?}", cases.len(), work.len(), started.elapsed());
            assert!(work.len() > 3_000);
            let shown = problems.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
            assert!(problems.is_empty(), "{} of {} cases:\n{shown}", problems.len(), work.len());
        }
    };
}

cintx_tests::for_each_version!(version);
