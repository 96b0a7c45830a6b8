//! Studies as data: planned without a write, applied once, killed at every request and taken up again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cintx::study::{FieldPeriod, Step, Study};
use cintx::{Client, Credentials, Version};
use cintx_sandbox::{Fault, Sandbox};
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

use crate::stage::{Stage, on_every_version};

on_every_version!(
    a_plan_writes_nothing_and_is_carried_out_once,
    what_differs_is_changed,
    killed_after_every_request_it_converges,
    lost_answers_make_no_duplicates,
);

fn study(sandbox: &Sandbox) -> Study {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/study.toml")).unwrap();
    let mut study: Study = toml::from_str(&text).unwrap();
    study.manager = sandbox.project_manager_id().parse().unwrap();
    let start = Timestamp::now() + 2.hours();
    for group in &mut study.target_groups {
        group.business_unit = sandbox.business_unit_id().into();
        group.field = FieldPeriod { start, end: start + 240.hours() };
    }
    study
}

/// Requests that change something, by operation.
fn writes(sandbox: &Sandbox) -> usize {
    let asks = |operation: &str| operation.contains("feasibility") || operation.contains("generate");
    let requests = sandbox.requests().into_iter().filter(|request| request.method != "GET");
    requests.filter(|request| request.operation.as_deref().is_some_and(|operation| !asks(operation))).count()
}

/// What there is, by names instead of ids.
async fn state<V: Version>(cint: &Client<V>) -> BTreeMap<String, Vec<(String, String)>> {
    let mut state = BTreeMap::new();
    for project in cint.projects().list().stream().collect().await.unwrap() {
        let groups = cint.project(&project.id).target_groups().list().stream().collect().await.unwrap();
        let groups = groups.into_iter().map(|it| (it.name.unwrap(), it.status.unwrap().to_string()));
        let mut groups: Vec<_> = groups.collect();
        groups.sort();
        assert!(state.insert(project.name.unwrap(), groups).is_none(), "a project is there twice");
    }
    state
}

fn complete() -> BTreeMap<String, Vec<(String, String)>> {
    let groups = [("German drinks", "draft"), ("UK drinks", "live")].map(|(name, status)| (name.into(), status.into()));
    BTreeMap::from([("MyDrinksSurveyQ1".to_owned(), groups.into())])
}

async fn a_plan_writes_nothing_and_is_carried_out_once<V: Version>(stage: Stage<V>) {
    let study = study(&stage.sandbox);
    let plan = study.plan(&stage.cint).await.unwrap();
    assert_eq!(writes(&stage.sandbox), 0);
    let names: Vec<String> = plan.steps().map(|step| step.to_string().split(':').next().unwrap().to_owned()).collect();
    assert_eq!(
        names,
        [
            "create project \"MyDrinksSurveyQ1\"",
            "create target group \"UK drinks\"",
            "launch target group \"UK drinks\"",
            "create target group \"German drinks\"",
        ]
    );
    let mut told = Vec::new();
    let applied = plan.apply(|step| told.push(step.clone())).await.unwrap();
    assert_eq!(told, plan.steps().cloned().collect::<Vec<Step>>());
    assert_eq!(applied.target_groups.len(), 2);
    assert_eq!(state(&stage.cint).await, complete());

    let before = writes(&stage.sandbox);
    let again = study.plan(&stage.cint).await.unwrap();
    assert!(again.is_empty(), "{again}");
    assert_eq!(again.apply(|_| panic!("nothing is to be done")).await.unwrap(), applied);
    assert_eq!(writes(&stage.sandbox), before, "a second run writes nothing");
    stage.assert_no_violation();
}

async fn what_differs_is_changed<V: Version>(stage: Stage<V>) {
    let mut study = study(&stage.sandbox);
    study.plan(&stage.cint).await.unwrap().apply(|_| {}).await.unwrap();
    study.target_groups[0].length_of_interview = cintx::minutes(15).unwrap();
    study.target_groups[0].locale = "eng_us".parse().unwrap();
    study.target_groups[1].completes_goal = 250;
    study.reference = Some("PO-2026-0043".parse().unwrap());
    let plan = study.plan(&stage.cint).await.unwrap();
    let steps: Vec<String> = plan.steps().map(ToString::to_string).collect();
    assert_eq!(
        steps,
        [
            "change project \"MyDrinksSurveyQ1\": reference",
            "change target group \"UK drinks\": length_of_interview",
            "change target group \"German drinks\": completes_goal",
        ]
    );
    assert!(plan.warnings()[0].to_string().contains("locale differs"), "{plan}");
    plan.apply(|_| {}).await.unwrap();
    assert!(study.plan(&stage.cint).await.unwrap().is_empty());
    stage.assert_no_violation();
}

/// A client that dies with its task when it has had so many answers.
fn mortal<V: Version>(sandbox: &Sandbox, answers: usize) -> Client<V> {
    let seen = Arc::new(AtomicUsize::new(0));
    Client::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .api_url(sandbox.api_url())
        .observe(move |_| {
            if seen.fetch_add(1, Ordering::Relaxed) + 1 == answers {
                std::panic::resume_unwind(Box::new("killed"));
            }
        })
        .build()
        .unwrap()
}

async fn killed_after_every_request_it_converges<V: Version>(_: Stage<V>) {
    for answers in 1.. {
        let stage = Stage::<V>::new().await;
        let study = study(&stage.sandbox);
        let (cint, doomed) = (mortal::<V>(&stage.sandbox, answers), study.clone());
        let run = tokio::spawn(async move {
            let plan = doomed.plan(&cint).await.unwrap();
            plan.apply(|_| {}).await.map(drop)
        });
        let killed = run.await.is_err();
        study.plan(&stage.cint).await.unwrap().apply(|_| {}).await.unwrap();
        assert_eq!(state(&stage.cint).await, complete(), "killed after answer {answers}");
        let before = writes(&stage.sandbox);
        assert!(study.plan(&stage.cint).await.unwrap().is_empty(), "killed after answer {answers}");
        assert_eq!(writes(&stage.sandbox), before);
        if !killed {
            assert!(answers > 8, "it was killed only {answers} times");
            return;
        }
    }
}

async fn lost_answers_make_no_duplicates<V: Version>(_: Stage<V>) {
    for operation in ["create_project", "create_target_group", "create_launch_fielding_run_from_draft_job"] {
        let stage = Stage::<V>::new().await;
        let study = study(&stage.sandbox);
        let lost = stage.sandbox.inject(Fault::on(operation).drop_after_applying().times(1));
        let first = study.plan(&stage.cint).await.unwrap().apply(|_| {}).await;
        assert_eq!(stage.sandbox.fault_hits(lost), 1);
        if first.is_err() {
            study.plan(&stage.cint).await.unwrap().apply(|_| {}).await.unwrap();
        }
        assert_eq!(state(&stage.cint).await, complete(), "{operation}");
    }
}

#[test]
fn a_study_that_cannot_be_is_refused_by_name() {
    let text = include_str!("../../../examples/study.toml");
    for (wrong, says) in [
        (text.replace("eng_gb", "en_GB"), "locale"),
        (text.replace("[%RID%]", ""), "[%RID%]"),
        (text.replace("2.73 USD", "2.73"), "2.73 USD"),
        (text.replace("completes_goal = 500", "completes_gaol = 500"), "completes_gaol"),
        (text.replace("length_of_interview = 10", "length_of_interview = 46"), "45 minutes"),
    ] {
        let error = toml::from_str::<Study>(&wrong).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let study: Study = toml::from_str(text).unwrap();
    let json: Value = serde_json::to_value(&study).unwrap();
    let again: Study = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(again).unwrap(), json, "a study goes through JSON unchanged");
}
