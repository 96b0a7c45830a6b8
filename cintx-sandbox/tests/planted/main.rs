//! Planted bugs: one small pipeline, run clean and with each mistake that
//! integrations make. The sandbox must find every mistake, and nothing else.

// Helpers of tests count as tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod bug;
#[path = "../common/mod.rs"]
mod common;
mod hook;
mod pipeline;

use bug::Bug;
use cintx_sandbox::{Fault, Sandbox};
use common::{assert_own_answers_valid, send};
use pipeline::{Outcome, Pipeline};
use serde_json::Value;
use std::cell::RefCell;
use std::time::Duration;

/// What is found wrong with a run.
type Findings = Vec<String>;

/// Whatever was refused, other than by a fault that was put in.
fn refusals(sandbox: &Sandbox) -> Findings {
    assert_own_answers_valid(sandbox);
    let requests = sandbox.requests();
    let refused = requests.iter().filter(|one| one.status >= 400 && one.fault.is_none());
    refused.map(|one| format!("refused: {} {} {:?}", one.method, one.path, one.refusal)).collect()
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn group<'v>(state: &'v Value, path: &str) -> &'v Value {
    let groups = state["target_groups"].as_array().unwrap();
    groups.iter().find(|group| group["id"] == id(path)).unwrap_or(&Value::Null)
}

fn count(state: &Value, name: &str) -> usize {
    state[name].as_array().unwrap().len()
}

fn check(findings: &mut Findings, holds: bool, what: impl Into<String>) {
    if !holds {
        findings.push(what.into());
    }
}

/// Setting up while replies get lost.
async fn lost_replies(bug: Option<Bug>) -> Findings {
    let sandbox = Sandbox::builder().field_pace(Duration::ZERO).start().await.unwrap();
    let pipeline = Pipeline::new(&sandbox, bug).await;
    sandbox.inject(Fault::on("create_project").drop_after_applying().times(1));
    sandbox.inject(Fault::on("create_target_group").reset_after_applying().times(1));
    sandbox.inject(Fault::on("create_launch_fielding_run_from_draft_job").drop_after_applying().times(1));
    let mut live = None;
    let done: Result<(), pipeline::Trouble> = async {
        let project = pipeline.project("Lost replies").await?;
        let group = pipeline.draft(&project, "REF-1", 100).await?;
        let run = pipeline.launch(&group).await?;
        live = Some(group.clone());
        pipeline.pause_for_a_while(&run).await?;
        pipeline.goal(&group).await.map(drop)
    }
    .await;
    let state = sandbox.state();
    let mut findings = refusals(&sandbox);
    check(&mut findings, done.is_ok() || bug.is_some(), format!("the study came to nothing: {done:?}"));
    check(&mut findings, count(&state, "projects") <= 1, "two projects");
    check(&mut findings, count(&state, "target_groups") <= 1, "two target groups");
    let launches = sandbox.requests();
    let launches = launches.iter().filter(|one| {
        one.operation.as_deref() == Some("create_launch_fielding_run_from_draft_job")
            && !one.replayed
            && one.status == 201
    });
    check(&mut findings, launches.count() <= 1, "launched twice");
    if let Some(path) = &live {
        check(&mut findings, group(&state, path)["status"] == "live", "said to be live, and is not");
    }
    findings
}

/// Launching what takes its time, and what cannot be launched.
async fn launches(bug: Option<Bug>) -> Findings {
    let sandbox =
        Sandbox::builder().field_pace(Duration::ZERO).job_delay(Duration::from_millis(300)).start().await.unwrap();
    let pipeline = Pipeline::new(&sandbox, bug).await;
    let project = pipeline.project("Launches").await.unwrap();
    let mut findings = Vec::new();
    for (reference, sum) in [("GOOD", 100), ("BAD-SUM", 130)] {
        let path = pipeline.draft(&project, reference, sum).await.unwrap();
        let launched = pipeline.launch(&path).await.is_ok();
        let live = group(&sandbox.state(), &path)["status"] == "live";
        check(&mut findings, launched == live, format!("{reference} is said to be live: {launched}, is it: {live}"));
    }
    findings.extend(refusals(&sandbox));
    findings
}

/// Reading: a launched group by its draft's place, lists of several pages.
async fn reads(bug: Option<Bug>) -> Findings {
    let sandbox = Sandbox::builder().field_pace(Duration::ZERO).start().await.unwrap();
    let pipeline = Pipeline::new(&sandbox, bug).await;
    let project = pipeline.project("Reads").await.unwrap();
    let mut paths = Vec::new();
    for number in 0..5 {
        paths.push(pipeline.draft(&project, &format!("REF-{number}"), 100).await.unwrap());
    }
    pipeline.launch(&paths[0]).await.unwrap();
    let mut findings = Vec::new();
    let goal = pipeline.goal(&paths[0]).await;
    check(&mut findings, goal.is_ok(), "the goal could not be read");
    let draft = group(&sandbox.state(), &paths[0])["status"] == "draft";
    check(&mut findings, goal.is_ok_and(|(_, said)| said == draft), "a launched group was taken for a draft");
    let groups = pipeline.all(&format!("{project}/target-groups"), "target_groups").await.unwrap();
    let there = count(&sandbox.state(), "target_groups");
    check(&mut findings, groups.len() == there, format!("{} of {there} target groups were read", groups.len()));
    let jobs = format!("{}/recontacts/jobs/upload-respondents-by-file", paths[1]);
    for _ in 0..5 {
        let part = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\
                    0c2b1d3e-4f56-4789-8abc-0123456789ab\r\n--b--\r\n";
        let made = pipeline
            .call(reqwest::Method::POST, &format!("{jobs}?entity_type=RSID"), |request| {
                request.header("content-type", "multipart/form-data; boundary=b").body(part)
            })
            .await;
        made.unwrap();
        tokio::time::sleep(Duration::from_millis(220)).await;
    }
    let listed = pipeline.all(&jobs, "data").await.unwrap();
    check(&mut findings, listed.len() == 5, format!("{} of 5 jobs were read", listed.len()));
    findings.extend(refusals(&sandbox));
    findings
}

/// A rename must not take more with it than the name.
async fn rename(bug: Option<Bug>) -> Findings {
    let sandbox = Sandbox::start().await.unwrap();
    let pipeline = Pipeline::new(&sandbox, bug).await;
    let project = pipeline.project("Before").await.unwrap();
    pipeline.rename(&project, "After").await.unwrap();
    let caller = common::Caller::new(&sandbox, "2025-12-18").await;
    let read = caller.get(&project).await.expect(200).json();
    let mut findings = refusals(&sandbox);
    check(&mut findings, read["name"] == "After", "the name is the old one");
    check(&mut findings, read["project_customer_reference_number"] == "PO 1001", "the reference is gone");
    findings
}

/// A project, while the platform holds back, and tokens run out.
async fn pressure(bug: Option<Bug>) -> Findings {
    let sandbox = Sandbox::start().await.unwrap();
    let tokens = sandbox.inject(Fault::on("oauth_token").delay(Duration::ZERO));
    let pipeline = Pipeline::new(&sandbox, bug).await;
    sandbox.inject(Fault::on("list_account_projects").rate_limited(1).times(1));
    let mut done = Vec::new();
    done.push(pipeline.project("Pressure").await.is_ok());
    done.push(pipeline.all(&format!("{}/projects", pipeline.account()), "projects").await.is_ok());
    sandbox.expire_tokens();
    done.push(pipeline.project("Renewed").await.is_ok());
    let mut findings = Vec::new();
    check(&mut findings, done == [true; 3], format!("not everything was done: {done:?}"));
    check(&mut findings, sandbox.fault_hits(tokens) <= 2, format!("{} tokens for 4 calls", sandbox.fault_hits(tokens)));
    check(&mut findings, count(&sandbox.state(), "projects") == 2, "not two projects");
    let requests = sandbox.requests();
    let at = |number: usize| requests[number].at.parse::<jiff::Timestamp>().unwrap();
    if let Some(limited) = requests.iter().position(|one| one.status == 429) {
        let wait = requests.get(limited + 1).map(|_| at(limited).duration_until(at(limited + 1)));
        let early = wait.is_some_and(|wait| wait < jiff::SignedDuration::from_millis(950));
        check(&mut findings, !early, "tried again at once after a 429");
    }
    findings
}

/// Respondents, server to server.
async fn respondents(bug: Option<Bug>) -> Findings {
    let sandbox = Sandbox::builder().field_pace(Duration::ZERO).start().await.unwrap();
    let pipeline = Pipeline::new(&sandbox, bug).await;
    let project = pipeline.project("Respondents").await.unwrap();
    let path = pipeline.draft(&project, "REF-1", 100).await.unwrap();
    pipeline.launch(&path).await.unwrap();
    let findings = RefCell::new(Vec::new());
    let status = |rid: &str| sandbox.respondents().iter().find(|one| one.rid == rid).map_or(0, |one| one.status);
    let outcomes = [(Outcome::Complete, 5), (Outcome::Terminate, 2), (Outcome::OverQuota, 3), (Outcome::Security, 4)];
    for (outcome, code) in outcomes {
        let rid = sandbox.enter_respondent(id(&path)).unwrap();
        let admitted = pipeline.admits(&rid).await;
        check(&mut findings.borrow_mut(), admitted, "someone was not let in");
        let back = |rid: &str| check(&mut findings.borrow_mut(), status(rid) != 1, "sent back too early");
        pipeline.finish(&rid, outcome, back).await;
        check(&mut findings.borrow_mut(), status(&rid) == code, format!("{outcome:?} became {}", status(&rid)));
        let again = pipeline.admits(&rid).await;
        check(&mut findings.borrow_mut(), !again, "someone was let in twice");
    }
    // A reply that is lost proves nothing, and a second try is no proof.
    sandbox.inject(Fault::on("update_respondent_status").drop_after_applying().times(1));
    let rid = sandbox.enter_respondent(id(&path)).unwrap();
    pipeline.finish(&rid, Outcome::Complete, |_| ()).await;
    let mut findings = findings.into_inner();
    findings.extend(refusals(&sandbox));
    findings
}

/// Events that come twice, late, and signed.
async fn events(bug: Option<Bug>) -> Findings {
    let sandbox =
        Sandbox::builder().field_pace(Duration::ZERO).webhook_retry(Duration::from_millis(40)).start().await.unwrap();
    let pipeline = Pipeline::new(&sandbox, bug).await;
    let (url, ledger) = hook::open(bug).await;
    hook::trust(&ledger, pipeline.subscribe(&url).await.unwrap());
    let project = pipeline.project("Events").await.unwrap();
    let path = pipeline.draft(&project, "REF-1", 100).await.unwrap();
    pipeline.launch(&path).await.unwrap();
    // The first event is overtaken by the second, the second comes twice.
    sandbox.inject(Fault::on("webhook_delivery").deliver_late().times(1));
    sandbox.inject(Fault::on("webhook_delivery").deliver_twice().times(1));
    let rid = sandbox.enter_respondent(id(&path)).unwrap();
    pipeline.finish(&rid, Outcome::Complete, |_| ()).await;
    let caller = common::Caller::new(&sandbox, "2025-12-18").await;
    let hooks = format!("/accounts/{}/webhooks", sandbox.account_id());
    let list = caller.get(&hooks).await.expect(200).json();
    let history = format!(
        "{hooks}/{}/events-history?start_time=2020-01-01T00:00:00Z",
        list["webhooks"][0]["id"].as_str().unwrap()
    );
    let mut open = 2;
    for _ in 0..40 {
        let sent = caller.get(&history).await.expect(200).json();
        let sent = sent["events"].as_array().unwrap().clone();
        open = 2 - sent.iter().filter(|event| event["status"] == "delivered").count();
        if open == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let ledger = ledger.lock().unwrap();
    let completes = sandbox.respondents().iter().filter(|one| one.is_complete()).count();
    let mut findings = refusals(&sandbox);
    check(&mut findings, open == 0, format!("{open} events were never taken"));
    check(
        &mut findings,
        ledger.completes == completes,
        format!("{} completes counted, {completes} there", ledger.completes),
    );
    let code = ledger.codes.get(&rid).map(|(_, code)| *code);
    check(&mut findings, code == Some(10), format!("{rid} is remembered as {code:?}"));
    findings
}

/// Turning completes back after the field.
async fn reconciliation(bug: Option<Bug>) -> Findings {
    // Far more completes than are turned back, so that the wrong half shows.
    let sandbox = Sandbox::builder().token_ttl(Duration::from_secs(1 << 24)).field_burst(40).start().await.unwrap();
    let pipeline = Pipeline::new(&sandbox, bug).await;
    let project = pipeline.project("Reconciliation").await.unwrap();
    let path = pipeline.draft(&project, "REF-1", 100).await.unwrap();
    pipeline.launch(&path).await.unwrap();
    let caller = common::Caller::new(&sandbox, "2025-12-18").await;
    // Nobody comes any more.
    let run = group(&sandbox.state(), &path)["fielding_run_id"].as_str().unwrap().to_owned();
    send(caller.request(reqwest::Method::POST, &format!("{path}/fielding-runs/{run}/pause")).header("if-match", "*"))
        .await
        .expect(204);
    tokio::time::sleep(Duration::from_millis(150)).await;
    let now = || sandbox.state()["now"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let ended = now();
    let complete = |one: &cintx_sandbox::Respondent| one.is_complete();
    let all: Vec<_> = sandbox.respondents().into_iter().filter(complete).map(|one| (one.rid, ended)).collect();
    let mut findings = Vec::new();
    let done = pipeline.turn_back(&project, &all[..2], now()).await.unwrap();
    check(&mut findings, done["negative_reversed_count"] == 2, format!("not two turned back: {done}"));
    let left = sandbox.respondents().into_iter().filter(complete).count();
    check(&mut findings, left == all.len() - 2, format!("{left} of {} completes are left", all.len()));
    sandbox.advance(Duration::from_secs(60 * 86_400));
    let late = pipeline.turn_back(&project, &all[2..3], now()).await.unwrap();
    check(&mut findings, late["expired_count"].as_u64().unwrap_or(0) == 0, format!("came too late: {late}"));
    findings.extend(refusals(&sandbox));
    findings
}

macro_rules! planted {
    ($($scenario:ident finds [$($bug:ident),* $(,)?];)*) => {$(
        mod $scenario {
            use super::Bug;

            #[tokio::test]
            async fn a_clean_pipeline_passes() {
                assert_eq!(super::$scenario(None).await, Vec::<String>::new());
            }

            #[tokio::test]
            async fn every_bug_is_found() {
                for bug in [$(Bug::$bug),*] {
                    let findings = super::$scenario(Some(bug)).await;
                    assert!(!findings.is_empty(), "{bug:?} went unseen");
                }
            }
        }
    )*};
}

planted! {
    lost_replies finds [MissingKey, FreshKeyOnRetry, BlindRecreate, DoubleLaunch, StaleEtag, MissingVersion, FloatPrice];
    launches finds [CreatedIsLive, FailedIsDone];
    reads finds [FollowsRedirect, LostPage, ShortPage];
    rename finds [ForgottenReference];
    pressure finds [TokenPerCall, NoRefresh, ZeroIsExhausted, RetryStorm];
    respondents finds [CrossedCodes, EarlyRedirect, LetsAnyoneIn, TransitionTwice, BearerKey];
    events finds [DecodedSecret, CountsDuplicates, OutOfOrder, EmptyAck];
    reconciliation finds [PastDeadline, KeepsTheWrongOnes];
}
