//! Every operation of every version, called once over HTTP: it sends what the document says, reads what the document says.
//! Then every documented failure of every operation, and what no document says: broken bodies, redirects, no answer.

mod plan;
mod setup;

use std::time::Instant;

use cintx_raw::{ErrorKind, NoServerToServerKey, UnexpectedAnswer};
use cintx_tests::dispatch::{Arguments, Called, Failed, Version, call, versions};
use cintx_tests::document::{Document, DocumentOperation, json_schema};
use cintx_tests::instances::{instances, missing};
use cintx_tests::with_faults::RefusingPort;
use serde_json::Value;
use tokio::task::JoinSet;

use self::plan::{Plan, UPLOAD, is_server_to_server};
use self::setup::{Answer, Setup};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const LOCATION: &str = "https://api.cint.com/v1/some/where/01BX5ZZKBKACTAV9WEVGEMMVS0";
const LOCATION_ID: &str = "01BX5ZZKBKACTAV9WEVGEMMVS0";
const ETAG: &str = "W/\"7-a\"";

/// Checks every version at the same time, each with a server of its own.
async fn each_version<F>(check: impl Fn(Version, Setup) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut running = JoinSet::new();
    for version in versions() {
        running.spawn(check(version, Setup::open().await));
    }
    assert!(!running.is_empty(), "no version is switched on");
    while let Some(done) = running.join_next().await {
        if let Err(error) = done {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

/// The id under which the client knows an operation.
fn id_of(version: &Version, operation: &DocumentOperation<'_>) -> &'static str {
    let row = version.table.iter().find(|row| row.path == operation.path && row.method == *operation.method);
    row.unwrap_or_else(|| panic!("{} is not in the table", operation.id)).id
}

async fn called(version: &Version, setup: &Setup, id: &str, arguments: &Arguments) -> Result<Called, Failed> {
    // On the heap: the future of a call is as large as that of the largest operation.
    Box::pin(call(version.date, setup.direct(), id, arguments)).await
}

fn conclude(version: &Version, what: &str, count: usize, since: Instant, failures: &[String]) {
    println!("{}: {count} {what} in {:.1?}", version.date, since.elapsed());
    assert!(count > 0, "{}: no {what}", version.date);
    let shown = failures.iter().take(25).cloned().collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{}: {} of {count} {what} fail:\n{shown}", version.date, failures.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_sends_and_reads_what_its_document_says() {
    each_version(|version, setup| async move {
        let (document, since, mut failures) = (Document::of(version.date), Instant::now(), Vec::new());
        let operations = document.operations();
        for operation in &operations {
            let id = id_of(&version, operation);
            for problem in call_once(&document, &version, &setup, operation, id).await {
                failures.push(format!("{id}: {problem}"));
            }
        }
        conclude(&version, "operations called", operations.len(), since, &failures);
    })
    .await;
}

async fn call_once(
    document: &Document,
    version: &Version,
    setup: &Setup,
    operation: &DocumentOperation<'_>,
    id: &str,
) -> Vec<String> {
    let successes: Vec<(u16, &Value)> =
        document.answers(operation).into_iter().filter(|(status, _)| (200..300).contains(status)).collect();
    let [(status, description)] = successes.as_slice() else { return vec!["has not one success".to_owned()] };
    let declares = |name: &str| {
        let headers = description["headers"].as_object();
        headers.is_some_and(|headers| headers.keys().any(|header| header.eq_ignore_ascii_case(name)))
    };
    let mut answer = Answer::new(*status);
    let expected = match json_schema(description) {
        Some(schema) => instances(document, schema).swap_remove(0).value,
        None if description.get("content").is_some() => Value::from(UPLOAD),
        None => Value::Null,
    };
    let media = description["content"].as_object().and_then(|content| content.keys().next());
    match (&expected, media) {
        (body, Some(media)) if json_schema(description).is_some() => answer = answer.body(media, body.to_string()),
        (Value::String(text), Some(media)) => answer = answer.body(media, text.clone()),
        _ => {}
    }
    for (name, value) in [("etag", ETAG), ("location", LOCATION)] {
        if declares(name) {
            answer = answer.header(name, value);
        }
    }
    let plan = Plan::of(document, version.date, operation);
    setup.answers(answer);
    let outcome = called(version, setup, id, &plan.arguments).await;
    let seen = setup.seen();
    let mut problems = match seen.as_slice() {
        [request] => plan.differences(request),
        several => vec![format!("sent {} requests", several.len())],
    };
    match outcome {
        Ok(called) => {
            if called.status != *status {
                problems.push(format!("reads the status {} for {status}", called.status));
            }
            problems.extend(missing(&expected, &called.value, false).into_iter().map(|line| format!("loses {line}")));
            for (name, read, sent) in [("etag", &called.etag, ETAG), ("location", &called.location_id, LOCATION_ID)] {
                let sent = declares(name).then_some(sent);
                if read.as_deref() != sent {
                    problems.push(format!("reads the {name} {read:?} for {sent:?}"));
                }
            }
        }
        Err(failed) => problems.push(format!("fails: {failed:?}")),
    }
    problems
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_failure_keeps_what_it_says() {
    each_version(|version, setup| async move {
        let (document, since, mut failures) = (Document::of(version.date), Instant::now(), Vec::new());
        let mut count = 0;
        for operation in document.operations() {
            let id = id_of(&version, &operation);
            let plan = Plan::of(&document, version.date, &operation);
            for (status, description) in document.answers(&operation) {
                if (200..300).contains(&status) {
                    continue;
                }
                let bodies: Vec<Option<Value>> = match json_schema(description) {
                    Some(schema) => instances(&document, schema).into_iter().map(|case| Some(case.value)).collect(),
                    None => vec![None],
                };
                for body in bodies {
                    count += 1;
                    let outcome = {
                        setup.answers(failure(status, body.as_ref()));
                        called(&version, &setup, id, &plan.arguments).await
                    };
                    let requests = setup.seen().len();
                    let mut problems = failure_problems(status, body.as_ref(), outcome);
                    if requests != 1 {
                        problems.push(format!("sent {requests} requests"));
                    }
                    failures.extend(problems.into_iter().map(|problem| format!("{id} {status}: {problem}")));
                }
            }
        }
        conclude(&version, "error answers decoded", count, since, &failures);
    })
    .await;
}

/// An answer of this status as the API would send it.
fn failure(status: u16, body: Option<&Value>) -> Answer {
    let answer = Answer::new(status).header("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let answer = match status {
        301 => answer.header("location", LOCATION),
        429 => answer.header("retry-after", "7"),
        _ => answer,
    };
    match body {
        Some(body) => answer.body("application/json", body.to_string()),
        None => answer,
    }
}

fn failure_problems(status: u16, body: Option<&Value>, outcome: Result<Called, Failed>) -> Vec<String> {
    let error = match outcome {
        Err(Failed::Client(error)) => error,
        other => return vec![format!("came back as {other:?}")],
    };
    let mut problems = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            problems.push(format!("{what}: {error:?}"));
        }
    };
    must(error.status().is_some_and(|read| read.as_u16() == status), "loses the status");
    must(error.kind() == if status == 301 { ErrorKind::Moved } else { ErrorKind::Status }, "is of another kind");
    must(error.moved_to() == (status == 301).then_some(LOCATION), "loses where it moved");
    must(error.trace_id() == Some(TRACE), "loses the trace id");
    must(error.headers().contains_key("retry-after") == (status == 429), "loses when to come back");
    let bytes = body.map(Value::to_string).unwrap_or_default();
    must(error.body() == bytes.as_bytes(), "loses the body");
    let Some(body) = body else { return problems };
    let text = |name: &str| body[name].as_str();
    let detail = text("detail").or_else(|| text("details"));
    let object = text("object").or_else(|| text("error"));
    let api = error.api();
    must(api.is_some() || detail.is_none() && object.is_none(), "loses what the API said");
    if let Some(api) = api {
        must(detail.is_none_or(|detail| api.detail() == detail), "loses the detail");
        must(object.is_none_or(|object| api.object() == Some(object)), "loses the kind of error");
        must(text("id").is_none_or(|id| api.id() == Some(id)), "loses the error's id");
        let named = ["invalid_params", "errors"].iter().find_map(|name| body[*name].as_array());
        let named = named.into_iter().flatten().filter(|item| item["name"].is_string() || item["reason"].is_string());
        must(api.invalid_params().len() == named.count(), "loses fields that were wrong");
    }
    problems
}

/// An operation of a version that satisfies a condition, ready to be called.
fn pick(
    version: &Version,
    document: &Document,
    fits: impl Fn(&DocumentOperation<'_>) -> bool,
) -> (&'static str, Arguments) {
    let operation = document.operations().into_iter().find(fits).expect("some operation fits");
    (id_of(version, &operation), Plan::of(document, version.date, &operation).arguments)
}

/// A POST that is sent JSON and answers JSON: it has everything that can go wrong.
fn post(version: &Version) -> (&'static str, Arguments) {
    let document = Document::of(version.date);
    pick(version, &document, |operation| {
        let answers = document.answers(operation);
        operation.method == "POST"
            && document.request_schema(operation).is_some()
            && answers.iter().any(|(status, answer)| (200..300).contains(status) && json_schema(answer).is_some())
    })
}

fn client_error(outcome: Result<Called, Failed>) -> cintx_raw::Error {
    match outcome {
        Err(Failed::Client(error)) => error,
        other => panic!("came back as {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_from_a_gateway_keeps_its_status_and_body() {
    each_version(|version, setup| async move {
        let (id, arguments) = post(&version);
        let page = "<html><body>upstream is away</body></html>";
        setup.answers(Answer::new(503).body("text/html", page).header("x-request-id", "r-1"));
        let error = client_error(called(&version, &setup, id, &arguments).await);
        assert_eq!(error.kind(), ErrorKind::Status);
        assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
        assert_eq!(error.body(), page.as_bytes());
        assert_eq!(error.trace_id(), Some("r-1"));
        assert!(error.api().is_none());
        assert_eq!(error.operation().id, id);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_without_the_documents_body_is_unexpected_and_keeps_all_there_was() {
    each_version(|version, setup| async move {
        let (id, arguments) = post(&version);
        let row = version.table.iter().find(|row| row.id == id).unwrap();
        for broken in ["{\"cut\": ", "<html>", "[1]", "", "{\"cut\":\u{1}}"] {
            let answer = Answer::new(row.success[0]).header("x-request-id", "r-2").header("location", LOCATION);
            setup.answers(answer.body("application/json", broken));
            let error = client_error(called(&version, &setup, id, &arguments).await);
            assert_eq!(error.kind(), ErrorKind::Unexpected, "{broken:?}");
            assert_eq!(error.status().map(|status| status.as_u16()), Some(row.success[0]));
            assert_eq!(error.headers()["location"], LOCATION);
            assert_eq!(error.body(), broken.as_bytes());
            assert!(error.cause::<UnexpectedAnswer>().is_some(), "{error:?}");
            assert_eq!(error.moved_to(), None, "it is a success");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_status_that_is_not_documented_is_unexpected() {
    each_version(|version, setup| async move {
        let (id, arguments) = post(&version);
        let row = version.table.iter().find(|row| row.id == id).unwrap();
        let other = [200, 201, 202, 203].into_iter().find(|status| !row.success.contains(status)).unwrap();
        setup.answers(Answer::new(other).body("application/json", "{}"));
        let error = client_error(called(&version, &setup, id, &arguments).await);
        assert_eq!(error.kind(), ErrorKind::Unexpected);
        assert_eq!(error.status().map(|status| status.as_u16()), Some(other));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_told_and_never_followed() {
    each_version(|version, setup| async move {
        let document = Document::of(version.date);
        let get = pick(&version, &document, |operation| operation.method == "GET" && operation.path.contains('{'));
        for (id, arguments) in [get, post(&version)] {
            for status in [301, 302, 303, 307, 308] {
                let target = setup.url("/v1/accounts");
                setup.answers(Answer::new(status).header("location", &target));
                let error = client_error(called(&version, &setup, id, &arguments).await);
                assert_eq!(error.kind(), ErrorKind::Moved, "{status}");
                assert_eq!(error.moved_to(), Some(target.as_str()));
                assert_eq!(setup.seen().len(), 1, "{status} was followed");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_answer_the_cause_is_at_hand() {
    each_version(|version, setup| async move {
        let (id, arguments) = post(&version);
        let port = RefusingPort::take().unwrap();
        let direct = setup.direct().base_url(&port.url().unwrap());
        let error = client_error(Box::pin(call(version.date, direct, id, &arguments)).await);
        assert_eq!(error.kind(), ErrorKind::Transport);
        assert!(error.cause::<reqwest::Error>().is_some_and(reqwest::Error::is_connect), "{error:?}");
        assert_eq!((error.status(), error.body().len()), (None, 0));
        assert!(setup.seen().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fulfilment_is_not_called_with_the_token_of_the_demand_api() {
    each_version(|version, setup| async move {
        let document = Document::of(version.date);
        for operation in document.operations() {
            if !is_server_to_server(&document, &operation) {
                continue;
            }
            let direct = cintx_raw::BearerTransport::new(setup::TOKEN).unwrap().base_url(&setup.url(setup::DEMAND));
            let arguments = Plan::of(&document, version.date, &operation).arguments;
            let error =
                client_error(Box::pin(call(version.date, direct, id_of(&version, &operation), &arguments)).await);
            assert_eq!(error.kind(), ErrorKind::Transport);
            assert!(error.cause::<NoServerToServerKey>().is_some(), "{error:?}");
        }
        assert!(setup.seen().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_would_name_another_thing_does_not_leave() {
    each_version(|version, setup| async move {
        let document = Document::of(version.date);
        let (id, arguments) = pick(&version, &document, |operation| {
            let is_text = |parameter: &Value| {
                parameter["in"] == "path" && document.follow(&parameter["schema"])["type"] == "string"
            };
            document.parameters(operation).into_iter().any(is_text)
        });
        let texts: Vec<&String> =
            arguments.path.iter().filter(|(_, value)| value.is_string()).map(|(name, _)| name).collect();
        for value in ["", ".", ".."] {
            for name in &texts {
                let mut arguments = arguments.clone();
                arguments.path.insert((*name).clone(), Value::from(value));
                let error = client_error(called(&version, &setup, id, &arguments).await);
                assert_eq!((error.kind(), error.field()), (ErrorKind::Request, Some(name.as_str())));
            }
        }
        assert!(setup.seen().is_empty());
    })
    .await;
}
