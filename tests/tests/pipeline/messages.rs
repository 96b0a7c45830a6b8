//! What people read when a call fails: one line each, for the failures of real life.

use std::fmt::Write as _;
use std::time::Duration;

use cintx::auth::TokenError;
use cintx::client::{CallOptions, Credentials, OperationTimeouts, RetryPolicy};
use cintx::http::TransportError;
use cintx::reconciliation::bulk::Corrections;
use cintx::recovery::JournalError;
use cintx::report::ReportRows;
use cintx::respondent::IdList;
use cintx::webhook::inbox::InboxError;
use cintx::{Client, Error, JobId, ProjectId, ReportId, TargetGroupId, UserId, V2025_12_18};
use cintx_raw::v2025_12_18::types::CreateWebhookRequest;
use cintx_tests::with_faults::{Answer, Deed, Scripted, Server};
use serde_json::json;

use crate::support::builder;

/// Trace ids, ports and times differ from run to run.
fn redacted(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split(' ') {
        let id = word.trim_end_matches([')', ':', ';', '.']);
        let hex = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        words.push(if hex { word.replace(id, "[trace]") } else { word.to_owned() });
    }
    words.join(" ")
}

/// No cause is said twice: not by the message, nor by a cause before it.
fn assert_says_once(what: &str, error: &(dyn std::error::Error + 'static)) {
    let mut said = error.to_string();
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    for cause in causes.map(ToString::to_string) {
        assert!(!said.contains(&cause), "{what} says twice: {cause}");
        said.push_str(&cause);
    }
}

/// The errors that say by code of their own what their source is; for the others see the tests of the structure.
#[tokio::test]
async fn no_error_says_its_cause_twice() {
    struct Breaks;
    impl std::io::Read for Breaks {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let rows = || Corrections::from_csv(Breaks).unwrap_err();
    assert_says_once("rows", &rows());
    assert_says_once("rows, as the error of a call", &Error::from(rows()));
    let report = || ReportRows::read(Breaks).err().unwrap();
    assert_says_once("a report", &report());
    assert_says_once("a report, as the error of a call", &Error::from(report()));
    assert_says_once("a transport", &TransportError::lost("the line is dead"));
    assert_says_once("a journal", &JournalError::new("the vault is sealed"));
    assert_says_once("a token source", &TokenError::source("the vault is sealed"));
    assert_says_once("an inbox", &InboxError::store("the table is gone"));

    let scripted = Scripted::new(Deed::Silence);
    let server = Server::start(scripted.clone()).await;
    let client = builder::<V2025_12_18>(&server.url()).build().unwrap();
    let closed = builder::<V2025_12_18>("http://127.0.0.1:9").build().unwrap();
    let mut raw = vec![closed.raw().get_user_accounts().await.unwrap_err()];
    for answer in [
        Answer::json(200, "not json"),
        Answer::media(200, "text/html", "<!doctype html><title>Log in</title>"),
        Answer::json(200, json!({ "object": "internal_error", "detail": "No luck" }).to_string()),
        Answer::json(404, "{}"),
    ] {
        scripted.now(Deed::Answer(answer));
        raw.push(client.raw().get_user_accounts().await.unwrap_err());
    }
    for error in raw {
        let text = format!("{error:#}");
        assert_says_once(&text, &error);
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        let told: Vec<String> = std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect();
        assert_eq!(text, told.join(": "), "the alternate form adds the causes");
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one failure after another, as they stand in the snapshot")]
async fn failures_of_real_life_read_well() {
    let scripted = Scripted::new(Deed::Silence);
    let server = Server::start(scripted.clone()).await;
    let client = builder::<V2025_12_18>(&server.url()).build().unwrap();
    let manager: UserId = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".parse().unwrap();
    let error = |object: &str, detail: &str| json!({"id": "1", "object": object, "detail": detail}).to_string();
    let invalid = json!({
        "object": "bad_request_error", "detail": "The request is not valid",
        "invalid_params": [{"name": "name", "reason": "is too long"}, {"name": "project_manager_id", "reason": "unknown"}],
    });
    let profiles = json!({
        "object": "unprocessable_entity_error", "title": "profile request validation", "detail": "Validation error",
        "invalid_params": [{"name": "profile_validation_error_009", "reason": "incorrect_sum_of_percentage_009"}],
    });
    let html = Answer {
        status: 502,
        headers: vec![("content-type", "text/html; charset=utf-8".into())],
        body: "<html>\n</html>".into(),
    };
    let mut page = String::new();
    let mut told = |what: &str, error: Error| {
        let (line, more) = (error.to_string(), format!("{error:#}"));
        assert_says_once(what, &error);
        assert!(!line.contains('\n') && !more.contains('\n'), "{what} is more than a line");
        let _ = writeln!(page, "{what}\n  {}", redacted(&line));
        if more != line {
            let added = more.strip_prefix(&line).unwrap_or(&more);
            // Libraries word their causes as they like; that there are some is ours.
            assert!(added.starts_with(": "), "{more}");
        }
    };
    let read = |client: &Client<V2025_12_18>| {
        let client = client.clone();
        async move { Error::from(client.raw().get_user_accounts().await.unwrap_err()) }
    };
    let keyed = |client: &Client<V2025_12_18>| {
        let client = client.clone();
        async move { client.projects().create("MyDrinksSurveyQ1", manager).await.unwrap_err() }
    };
    let write = |client: &Client<V2025_12_18>| {
        let client = client.clone();
        async move {
            let body = CreateWebhookRequest { events: Vec::new(), url: "https://survey.example".into() };
            Error::from(client.raw().create_webhook(2428, &body).await.unwrap_err())
        }
    };
    let now = |deed| scripted.now(deed);

    told("a value refused before sending", client.projects().create("Q1", manager).await.unwrap_err());
    told("a client without anything", Client::<V2025_12_18>::builder().build().unwrap_err());
    told("an address without TLS", builder::<V2025_12_18>("http://api.cint.com").build().unwrap_err());
    let closed = builder::<V2025_12_18>("http://127.0.0.1:9").build().unwrap();
    told("nobody listens", keyed(&closed).await);
    now(Deed::Reset);
    told("a read whose connection breaks", read(&client).await);
    now(Deed::Close);
    told("a keyed write whose connection breaks", keyed(&client).await);
    now(Deed::Close);
    told("an un-keyed write whose connection breaks", write(&client).await);
    now(Deed::Silence);
    let short = CallOptions::new().limits(OperationTimeouts::new(Duration::from_millis(50), Duration::from_secs(5)));
    told("an un-keyed write without an answer in time", write(&client.with(short)).await);
    now(Deed::Silence);
    let short = CallOptions::new().limits(OperationTimeouts::new(Duration::from_secs(5), Duration::from_millis(50)));
    told("a read whose time is over", read(&client.with(short)).await);
    now(Deed::Truncate(Answer::json(202, r#"{"id":"01BX5ZZKBKACTAV9WEVGEMMVS0"}"#)));
    told("a keyed write whose answer breaks off", keyed(&client).await);
    now(Deed::Answer(Answer::json(201, "not json")));
    told("an un-keyed write whose answer cannot be read", write(&client).await);
    now(Deed::Answer(Answer::json(202, "{}")));
    told("a success without what the document describes", keyed(&client).await);
    now(Deed::Answer(Answer::media(202, "text/html", "<!doctype html><title>Log in</title>")));
    told("a login page", keyed(&client).await);
    now(Deed::Answer(Answer::json(202, error("internal_error", "No luck"))));
    told("an error object under a success status", keyed(&client).await);
    now(Deed::Answer(Answer::json(200, r#"{"id":"01BX5ZZKBKACTAV9WEVGEMMVS0"}"#)));
    told("another success status than the document's", keyed(&client).await);
    now(Deed::Answer(Answer::json(400, invalid.to_string())));
    told("wrong fields", keyed(&client).await);
    now(Deed::Answer(Answer::json(401, error("authorization_error", "No valid authorization"))));
    told("a token refused twice", read(&client).await);
    now(Deed::Answer(Answer::json(403, error("authorization_error", "You lack permission"))));
    told("a missing right", read(&client).await);
    now(Deed::Answer(Answer::json(403, error("required_header_missing", "Cint-API-Version is missing"))));
    told("a missing header", read(&client).await);
    now(Deed::Answer(Answer::json(404, error("not_found_error", "No such project"))));
    told("no such thing", Error::from(client.raw().get_project_by_id(2428, "01BX").await.unwrap_err()));
    now(Deed::Answer(Answer::json(409, error("conflict_error", "A job is running"))));
    told("something in the way", write(&client).await);
    now(Deed::Answer(Answer::json(412, error("precondition_failed_error", "It was changed"))));
    told(
        "changed by somebody else",
        Error::from(client.raw().pause_fielding_run(2428, "1", "2", "3", Some("W/\"1\"")).await.unwrap_err()),
    );
    now(Deed::Answer(Answer::json(422, profiles.to_string())));
    told("profiles that do not add up", write(&client).await);
    let too_many = json!({"object": "too_many_requests_problem_details", "details": "Slow down"}).to_string();
    now(Deed::Answer(Answer::json(429, too_many).header("retry-after", "3600")));
    // A client of its own, which is silent for that hour.
    let limited = builder::<V2025_12_18>(&server.url()).build().unwrap();
    told("too many requests for the next hour", read(&limited).await);
    now(Deed::Answer(Answer::json(500, error("unexpected_internal_error", "Oops"))));
    told("an error of the API in an un-keyed write", write(&client).await);
    now(Deed::Answer(html));
    told("a page from a gateway", read(&client).await);
    now(Deed::Answer(Answer { status: 503, ..Answer::default() }));
    told("no body at all", keyed(&client).await);
    now(Deed::Answer(Answer::json(301, "{}").header("location", "/v1/demand/there")));
    told("a draft that was launched", Error::from(client.raw().get_target_group(2428, "1", "2").await.unwrap_err()));
    let wrong = Credentials::new("id", "secret").endpoint(format!("{}/oauth/token", server.url()));
    now(Deed::Answer(Answer::json(401, r#"{"error":"access_denied","error_description":"Unauthorized"}"#)));
    told("a wrong secret", read(&builder::<V2025_12_18>(&server.url()).credentials(wrong).build().unwrap()).await);
    let keyless = Client::<V2025_12_18>::builder().token("t").account(1).retry(RetryPolicy::none()).build().unwrap();
    told(
        "no key for the server-to-server API",
        Error::from(keyless.raw().get_respondent_status("0F1C").await.unwrap_err()),
    );
    let job =
        |failure_reason| json!({ "job_id": "7", "status": "Failed", "failure_reason": failure_reason }).to_string();
    let launch = client.project(ProjectId::new("1")).target_group(TargetGroupId::new("2")).launch_job(JobId::new("7"));
    let reason =
        json!({ "code": "NO_SUPPLY", "description": "It cannot be launched", "reasons": [{ "name": "price" }] });
    now(Deed::Answer(Answer::json(200, job(reason))));
    told("a launch that failed", launch.until_done().await.unwrap_err());
    now(Deed::Answer(Answer::json(200, job(json!({})))));
    told("a launch that failed without a reason", launch.until_done().await.unwrap_err());
    told("a file that is not there", IdList::from_file("ids.cvs").await.unwrap_err());
    now(Deed::Truncate(Answer::media(200, "text/csv", "rid,project_id\n".repeat(10))));
    let report = client.reports().report(ReportId::new("3"));
    told("a download that breaks off", report.write_to(&mut Vec::new()).await.unwrap_err());
    assert_eq!(page.lines().count(), 2 * 34);
    insta::assert_snapshot!(page);
}
