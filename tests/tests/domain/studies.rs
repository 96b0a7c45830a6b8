//! Studies as data: planned without a write, applied once, killed at every request and taken up again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use cintx::client::{CallOptions, Credentials};
use cintx::fielding::{FieldingPeriod, RunStatus};
use cintx::study::{Step, Study, StudyLaunch, StudyOption, StudyQuestion, StudySupply, Warning};
use cintx::target_group::TargetGroupStatus;
use cintx::types::LengthOfInterview;
use cintx::{Client, Outcome, Version};
use cintx_sandbox::{Fault, Received, Sandbox};
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

use crate::setup::{Setup, on_every_version};

on_every_version!(
    a_plan_writes_nothing_and_is_carried_out_once,
    what_differs_is_changed,
    a_plan_that_is_applied_twice_makes_nothing_twice,
    a_plan_of_changed_drafts_can_be_applied_again,
    a_draft_that_is_launched_while_a_plan_is_applied_is_compared_as_launched,
    a_plan_goes_on_with_what_is_there_by_then,
    options_of_a_plan_hold_for_what_applies_it,
    what_cannot_be_estimated_is_planned_all_the_same,
    a_study_schedules_what_begins_later,
    killed_after_every_request_it_converges,
    lost_answers_make_no_duplicates,
    a_draft_that_is_launched_meanwhile_is_compared_as_launched,
    a_launch_that_failed_can_be_tried_again,
    what_was_made_before_a_refusal_took_effect,
    a_changed_study_is_planned_as_the_changes_it_needs,
    killed_after_every_request_a_changed_study_converges,
    lost_answers_of_changes_converge,
    quotas_in_field_are_deleted_with_consent_alone,
    what_came_into_field_since_the_plan_is_not_deleted,
    what_cannot_be_changed_is_said_by_name,
    what_whole_numbers_do_to_quotas_is_said_by_the_plan,
);

fn study(sandbox: &Sandbox) -> Study {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/study.toml")).unwrap();
    let mut study: Study = toml::from_str(&text).unwrap();
    study.manager = sandbox.project_manager_id().parse().unwrap();
    let start = Timestamp::now() + 2.hours();
    for group in &mut study.target_groups {
        group.business_unit = sandbox.business_unit_id().into();
        group.fielding_period = FieldingPeriod { start, end: start + 240.hours() };
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

async fn a_plan_writes_nothing_and_is_carried_out_once<V: Version>(setup: Setup<V>) {
    let study = study(&setup.sandbox);
    let plan = study.plan(&setup.cint).await.unwrap();
    assert_eq!(writes(&setup.sandbox), 0);
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
    let plan = plan.concurrency(1);
    let applied = plan.apply(|step| told.push(step.clone())).await.unwrap();
    assert_eq!(told, plan.steps().cloned().collect::<Vec<Step>>());
    assert_eq!(applied.target_groups.len(), 2);
    assert_eq!(state(&setup.cint).await, complete());

    let before = writes(&setup.sandbox);
    let again = study.plan(&setup.cint).await.unwrap();
    assert!(again.is_empty(), "{again}");
    assert_eq!(again.apply(|_| panic!("nothing is to be done")).await.unwrap(), applied);
    assert_eq!(writes(&setup.sandbox), before, "a second run writes nothing");
    setup.assert_no_violation();
}

/// How often an operation was called.
fn calls(sandbox: &Sandbox, operation: &str) -> usize {
    sandbox.requests().iter().filter(|request| request.operation.as_deref() == Some(operation)).count()
}

/// Applies one plan three times: the launch of one target group is refused at first, then made up for alone, and then
/// nothing is left to do.
async fn apply_until_nothing_is_left<V: Version>(study: &Study, setup: &Setup<V>) {
    let refused = Fault::on("create_launch_fielding_run_from_draft_job").status(422).after(1).times(1);
    setup.sandbox.inject(refused);
    let plan = study.plan(&setup.cint).await.unwrap().concurrency(1);
    let first = plan.apply_each(|_| {}).await.unwrap();
    assert_eq!(first.failures().map(|(name, _)| name).collect::<Vec<_>>(), ["German drinks"]);
    let mut told = Vec::new();
    let second = plan.apply_each(|step| told.push(step.to_string())).await.unwrap().into_applied().unwrap();
    assert_eq!(told, ["launch target group \"German drinks\""], "what was changed is not changed again");
    assert_eq!(&second.target_groups[0].1, first.target_groups[0].1.as_ref().unwrap());
    let third = plan.apply(|step| panic!("nothing is left to do: {step}")).await.unwrap();
    assert_eq!(third, second);
    let wanted = ["German drinks", "UK drinks"].map(|name| (name.to_owned(), "live".to_owned()));
    assert_eq!(state(&setup.cint).await["MyDrinksSurveyQ1"], wanted);
}

async fn a_plan_that_is_applied_twice_makes_nothing_twice<V: Version>(setup: Setup<V>) {
    let mut study = study(&setup.sandbox);
    study.target_groups[1].launch = StudyLaunch::Now;
    apply_until_nothing_is_left(&study, &setup).await;
    assert_eq!((calls(&setup.sandbox, "create_project"), calls(&setup.sandbox, "create_target_group")), (1, 2));
    setup.assert_no_violation();
}

/// The same with drafts that are there beforehand: what the plan has changed and launched is no draft any more.
async fn a_plan_of_changed_drafts_can_be_applied_again<V: Version>(setup: Setup<V>) {
    let mut study = study(&setup.sandbox);
    study.target_groups[0].launch = StudyLaunch::Draft;
    study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
    for group in &mut study.target_groups {
        group.length_of_interview = LengthOfInterview::minutes(15).unwrap();
        group.launch = StudyLaunch::Now;
    }
    apply_until_nothing_is_left(&study, &setup).await;
    assert!(study.plan(&setup.cint).await.unwrap().is_empty());
    setup.assert_no_violation();
}

/// Somebody launches it between the plan's look at the list and its change.
async fn a_draft_that_is_launched_while_a_plan_is_applied_is_compared_as_launched<V: Version>(setup: Setup<V>) {
    let mut study = study(&setup.sandbox);
    study.target_groups[0].launch = StudyLaunch::Draft;
    let applied = study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
    let group = setup.cint.project(&applied.project).target_group(&applied.target_groups[0].1);
    let (end, is_armed) = (study.target_groups[0].fielding_period.end, Arc::new(AtomicBool::new(false)));
    let (launch, armed) = (group.clone(), Arc::clone(&is_armed));
    let cint: Client<V> = builder(&setup.sandbox)
        .before_attempt(move |attempt| {
            if attempt.operation().id == "get_target_group" && armed.swap(false, Ordering::Relaxed) {
                let launch = async { launch.launch(end).await.unwrap().until_done().await.unwrap() };
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(launch));
            }
        })
        .build()
        .unwrap();
    study.target_groups[0].length_of_interview = LengthOfInterview::minutes(15).unwrap();
    study.target_groups[0].launch = StudyLaunch::Now;
    let plan = study.plan(&cint).await.unwrap();
    is_armed.store(true, Ordering::Relaxed);
    let mut told = Vec::new();
    plan.apply(|step| told.push(step.to_string())).await.unwrap();
    assert_eq!(told, ["change target group \"UK drinks\": length_of_interview"]);
    let length = group.details().await.unwrap().settings.length_of_interview;
    assert_eq!(length, LengthOfInterview::minutes(15).unwrap());
    assert!(study.plan(&setup.cint).await.unwrap().is_empty());
}

/// Somebody else was faster: what there is by then is compared, and changed as the study says.
async fn a_plan_goes_on_with_what_is_there_by_then<V: Version>(setup: Setup<V>) {
    let study = study(&setup.sandbox);
    let plan = study.plan(&setup.cint).await.unwrap().concurrency(1);
    let mut other = study.clone();
    other.target_groups[0].completes_goal = 450;
    other.target_groups[0].launch = StudyLaunch::Draft;
    other.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
    let mut told = Vec::new();
    plan.apply(|step| told.push(step.to_string())).await.unwrap();
    let expected = ["change target group \"UK drinks\": completes_goal", "launch target group \"UK drinks\""];
    assert_eq!(told, expected);
    assert_eq!(state(&setup.cint).await, complete());
    assert!(study.plan(&setup.cint).await.unwrap().is_empty());
    setup.assert_no_violation();
}

async fn options_of_a_plan_hold_for_what_applies_it<V: Version>(setup: Setup<V>) {
    let mut study = study(&setup.sandbox);
    for (goal, minutes) in [(200, 10), (250, 12)] {
        // New at first, then there: a draft, and one in field.
        study.target_groups[1].completes_goal = goal;
        study.target_groups[0].length_of_interview = LengthOfInterview::minutes(minutes).unwrap();
        let plan = study.plan(&setup.cint).await.unwrap();
        let before = setup.sandbox.requests().len();
        let options = CallOptions::new().header("x-team", "seven");
        let keyed = plan.clone().with(options.clone().business_key("mine")).apply(|_| {}).await.unwrap_err();
        assert_eq!(keyed.invalid_fields()[0].field(), "key", "keys follow from the study: {keyed}");
        plan.with(options).apply(|_| {}).await.unwrap();
        let sent = setup.sandbox.requests().split_off(before);
        let has_it = |it: &Received| it.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-team"));
        let without: Vec<_> = sent.iter().filter(|it| !has_it(it)).map(|it| (&it.method, &it.path)).collect();
        assert!(sent.len() > 2 && without.is_empty(), "{without:?}");
    }
    assert!(study.plan(&setup.cint).await.unwrap().is_empty());
    setup.assert_no_violation();
}

async fn what_cannot_be_estimated_is_planned_all_the_same<V: Version>(setup: Setup<V>) {
    let mut study = study(&setup.sandbox);
    let german = study.target_groups.pop().unwrap();
    study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
    study.target_groups.push(german);
    let expect = async |study: &Study, says: &str| {
        let plan = study.plan(&setup.cint).await.unwrap();
        let [Step::CreateTargetGroup { feasibility: None, .. }] = &*plan.steps().collect::<Vec<_>>() else {
            panic!("{plan}")
        };
        let warning = &plan.warnings()[0];
        assert_eq!(warning.target_group.as_deref(), Some("German drinks"));
        assert!(warning.message.starts_with("feasibility cannot be had") && warning.message.contains(says), "{plan}");
    };
    setup.sandbox.inject(Fault::on("calculate_target_group_feasibility").status(422).times(1));
    expect(&study, "422").await;
    // What can be estimated and not be filled is told for each target.
    study.target_groups[1].completes_goal = 10_000;
    study.target_groups[1].incidence_rate = "0.01".parse().unwrap();
    let plan = study.plan(&setup.cint).await.unwrap();
    for option in ["5000 completes of option 1 are wanted, at most", "5000 completes of option 2 are wanted, at most"] {
        assert!(plan.warnings().iter().any(|warning| warning.message.starts_with(option)), "{plan}");
    }
    // A target group may want more than can be asked about.
    study.target_groups[1].completes_goal = 12_000;
    expect(&study, "10,000").await;
    study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
    assert!(study.plan(&setup.cint).await.unwrap().is_empty());
    setup.assert_no_violation();
}

async fn a_study_schedules_what_begins_later<V: Version>(setup: Setup<V>) {
    let mut study = study(&setup.sandbox);
    let start = Timestamp::now() + 48.hours();
    for group in &mut study.target_groups {
        group.fielding_period = FieldingPeriod { start, end: start + 240.hours() };
    }
    // At once, two days too early: that is told.
    let plan = study.plan(&setup.cint).await.unwrap();
    let is_told = |warning: &Warning| warning.message.starts_with("field begins at once, not at");
    assert!(plan.warnings().iter().any(is_told), "{plan}");

    study.target_groups[0].launch = StudyLaunch::AtStart;
    let plan = study.plan(&setup.cint).await.unwrap();
    assert!(!plan.warnings().iter().any(is_told), "{plan}");
    let step = format!("schedule target group \"UK drinks\": field begins at {start}");
    assert!(plan.steps().any(|it| it.to_string() == step), "{plan}");
    let applied = plan.apply(|_| {}).await.unwrap();
    let group = setup.cint.project(&applied.project).target_group(&applied.target_groups[0].1);
    let run = group.fielding_run().await.unwrap().unwrap();
    assert_eq!(run.status(), &RunStatus::Scheduled);
    let in_milliseconds = |period: FieldingPeriod| (period.start.as_millisecond(), period.end.as_millisecond());
    assert_eq!(in_milliseconds(run.dates()), in_milliseconds(study.target_groups[0].fielding_period));
    let again = study.plan(&setup.cint).await.unwrap();
    assert!(again.is_empty() && again.drift().is_empty(), "{again} {:#?}", again.drift());
    assert_eq!(again.apply(|_| panic!("nothing is left to do")).await.unwrap(), applied);

    let imported = Study::import(&setup.cint, applied.project).await.unwrap().study;
    let read = imported.target_groups.iter().find(|it| it.name == "UK drinks").unwrap();
    assert_eq!(read.launch, StudyLaunch::AtStart);
    // It moves with the file, and is not launched by a word that may not be meant so.
    study.target_groups[0].fielding_period.start += 24.hours();
    let plan = study.plan(&setup.cint).await.unwrap();
    let steps: Vec<String> = plan.steps().map(ToString::to_string).collect();
    assert_eq!(steps, ["change target group \"UK drinks\": fielding_period"]);
    study.target_groups[0].launch = StudyLaunch::Now;
    let plan = study.plan(&setup.cint).await.unwrap();
    assert!(plan.warnings()[0].message.contains("it is scheduled for"), "{plan}");
    plan.apply(|_| {}).await.unwrap();
    assert_eq!(group.fielding_run().await.unwrap().unwrap().status(), &RunStatus::Scheduled);
    setup.assert_no_violation();
}

async fn what_differs_is_changed<V: Version>(setup: Setup<V>) {
    let mut study = study(&setup.sandbox);
    study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
    study.target_groups[0].length_of_interview = cintx::types::LengthOfInterview::minutes(15).unwrap();
    study.target_groups[0].locale = "eng_us".parse().unwrap();
    study.target_groups[1].completes_goal = 250;
    study.reference = Some("PO-2026-0043".parse().unwrap());
    let plan = study.plan(&setup.cint).await.unwrap();
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
    let applied = plan.apply(|_| {}).await.unwrap();
    assert!(study.plan(&setup.cint).await.unwrap().is_empty());
    let sent = writes(&setup.sandbox);
    assert_eq!(plan.apply(|step| panic!("nothing is left to do: {step}")).await.unwrap(), applied);
    assert_eq!(writes(&setup.sandbox), sent);
    setup.assert_no_violation();
}

fn builder<V: Version>(sandbox: &Sandbox) -> cintx::ClientBuilder<V> {
    Client::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .api_url(sandbox.api_url())
}

/// A client that dies with its task when it has had so many answers.
fn mortal<V: Version>(sandbox: &Sandbox, answers: usize) -> Client<V> {
    let seen = Arc::new(AtomicUsize::new(0));
    builder(sandbox)
        .observe(move |_| {
            if seen.fetch_add(1, Ordering::Relaxed) + 1 == answers {
                std::panic::resume_unwind(Box::new("killed"));
            }
        })
        .build()
        .unwrap()
}

/// Waits until nothing that a killed run had sent is still on its way: what it began is not seen before.
async fn quiet(sandbox: &Sandbox) {
    let mut seen = None;
    while seen.replace(sandbox.requests().len()) != Some(sandbox.requests().len()) {
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
}

async fn killed_after_every_request_it_converges<V: Version>(_: Setup<V>) {
    for answers in 1.. {
        let setup = Setup::<V>::new().await;
        let study = study(&setup.sandbox);
        let (cint, doomed) = (mortal::<V>(&setup.sandbox, answers), study.clone());
        let run = tokio::spawn(async move {
            let plan = doomed.plan(&cint).await.unwrap();
            plan.apply(|_| {}).await.map(drop)
        });
        let killed = run.await.is_err();
        quiet(&setup.sandbox).await;
        study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
        assert_eq!(state(&setup.cint).await, complete(), "killed after answer {answers}");
        let before = writes(&setup.sandbox);
        assert!(study.plan(&setup.cint).await.unwrap().is_empty(), "killed after answer {answers}");
        assert_eq!(writes(&setup.sandbox), before);
        if !killed {
            assert!(answers > 8, "it was killed only {answers} times");
            return;
        }
    }
}

async fn lost_answers_make_no_duplicates<V: Version>(_: Setup<V>) {
    for operation in ["create_project", "create_target_group", "create_launch_fielding_run_from_draft_job"] {
        let setup = Setup::<V>::new().await;
        let study = study(&setup.sandbox);
        let lost = setup.sandbox.inject(Fault::on(operation).drop_after_applying().times(1));
        let first = study.plan(&setup.cint).await.unwrap().apply(|_| {}).await;
        assert_eq!(setup.sandbox.fault_hits(lost), 1);
        if first.is_err() {
            study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
        }
        assert_eq!(state(&setup.cint).await, complete(), "{operation}");
    }
}

async fn a_launch_that_failed_can_be_tried_again<V: Version>(setup: Setup<V>) {
    let study = study(&setup.sandbox);
    let launches = || calls(&setup.sandbox, "create_launch_fielding_run_from_draft_job");
    setup.sandbox.fail_next_jobs(u32::MAX);
    for (run, asked) in [(1, 1), (2, 3), (3, 6)] {
        let error = study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap_err();
        assert!(error.job_failure().is_some(), "{error:#}");
        assert_eq!(launches(), asked, "run {run} tries one launch, after the failed ones of the runs before");
        setup.sandbox.advance(std::time::Duration::from_secs(60));
    }
    setup.sandbox.fail_next_jobs(0);
    study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
    assert_eq!(state(&setup.cint).await, complete());
}

async fn what_was_made_before_a_refusal_took_effect<V: Version>(setup: Setup<V>) {
    let study = study(&setup.sandbox);
    let refused = Fault::on("create_launch_fielding_run_from_draft_job").status(422).times(1);
    setup.sandbox.inject(refused);
    let error = study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap_err();
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Applied, 422), "{error:#}");
}

/// As by a run that was killed while its launch was under way.
async fn a_draft_that_is_launched_meanwhile_is_compared_as_launched<V: Version>(setup: Setup<V>) {
    let study = study(&setup.sandbox);
    let mut drafts = study.clone();
    drafts.target_groups[0].launch = StudyLaunch::Draft;
    let applied = drafts.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
    let group = setup.cint.project(&applied.project).target_group(&applied.target_groups[0].1);
    let (end, listed) = (study.target_groups[0].fielding_period.end, AtomicBool::new(true));
    let launch = move || {
        let launch = async { group.launch(end).await.unwrap().until_done().await.unwrap() };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(launch));
    };
    let cint: Client<V> = builder(&setup.sandbox)
        .before_attempt(move |attempt| {
            if attempt.operation().id == "get_target_group" && listed.swap(false, Ordering::Relaxed) {
                launch();
            }
        })
        .build()
        .unwrap();
    let plan = study.plan(&cint).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(state(&setup.cint).await, complete());
}

/// The study with a supply that every version can change after launch.
fn before(sandbox: &Sandbox) -> Study {
    let mut study = study(sandbox);
    study.target_groups[0].supply = StudySupply::Only(vec![12.into()]);
    study
}

/// Changes everything that a version lets one change: in field, in a draft that is then launched, in one more group.
fn changed(mut study: Study) -> Study {
    let mut french = study.target_groups[1].clone();
    french.name = "French drinks".into();
    french.locale = "fre_fr".parse().unwrap();
    let [uk, german] = &mut study.target_groups[..] else { panic!("two target groups") };
    uk.completes_goal = 600;
    uk.length_of_interview = cintx::types::LengthOfInterview::minutes(15).unwrap();
    uk.cost_per_interview = Some("2.95 USD".parse().unwrap());
    uk.live_url = Some("https://survey.example/uk2?RID=[%RID%]".parse().unwrap());
    uk.fielding_period.end += 48.hours();
    uk.supply = StudySupply::Only(vec![12.into(), 34.into()]);
    let age = &mut uk.audience.interlock.as_mut().unwrap().questions[0];
    age.bands[0].percent = Some(38.into());
    age.bands[1].percent = Some(37.into());
    german.completes_goal = 250;
    german.cost_per_interview = Some("3.20 USD".parse().unwrap());
    german.audience.questions[0].options[0].percent = Some(45.into());
    german.audience.questions[0].options[1].percent = Some(55.into());
    german.launch = StudyLaunch::Now;
    study.target_groups.push(french);
    study
}

/// What a study has come to, without ids and without the moment of the launch.
async fn facts<V: Version>(cint: &Client<V>, study: &Study) -> Vec<String> {
    let mut facts = Vec::new();
    for project in cint.projects().list().stream().collect().await.unwrap() {
        let scope = cint.project(&project.id);
        for group in scope.target_groups().list().stream().collect().await.unwrap() {
            let (name, status) = (group.name.clone().unwrap(), group.status.clone().unwrap());
            let wanted = study.target_groups.iter().find(|it| it.name == name).unwrap();
            let group = group.open(&scope);
            if status == TargetGroupStatus::Draft {
                let draft = group.draft().await.unwrap().settings;
                facts.push(format!("{name} {status} {} {}", draft.completes_goal, draft.locale));
                continue;
            }
            let end = group.fielding_run().await.unwrap().unwrap().dates().end;
            assert_eq!(end.as_millisecond(), wanted.fielding_period.end.as_millisecond());
            let supply = group.supply().await.unwrap();
            let suppliers: Vec<_> = supply.groups.iter().map(|it| (&it.name, &it.suppliers)).collect();
            let (details, overview) = (group.details().await.unwrap(), group.overview().await.unwrap());
            let mut quotas = Vec::new();
            for table in group.quotas().read().await.unwrap() {
                assert_eq!(table.total(), u64::from(wanted.completes_goal), "{name}: {table}");
                quotas.extend(table.cells().map(|(cell, quota)| (table.label(&cell), quota.target)));
            }
            let price = overview.current_cost_per_interview.unwrap();
            let (goal, settings) = (details.completes_goal, details.settings);
            let (length, url) = (settings.length_of_interview, settings.live_url);
            facts.push(format!("{name} {status} {goal:?} {price} {length:?} {url} {suppliers:?} {quotas:?}"));
        }
    }
    facts.sort();
    facts
}

async fn a_changed_study_is_planned_as_the_changes_it_needs<V: Version>(setup: Setup<V>) {
    let study = before(&setup.sandbox);
    study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
    let study = changed(study);
    let sent = writes(&setup.sandbox);
    let plan = study.plan(&setup.cint).await.unwrap();
    assert_eq!(writes(&setup.sandbox), sent, "a plan writes nothing");
    let steps: Vec<String> = plan.steps().map(|step| step.to_string()).collect();
    assert_eq!(
        steps[..3],
        [
            "change target group \"UK drinks\": length_of_interview, live_url, test_url, cost_per_interview, supply, \
             fielding_period, completes_goal, audience",
            "change target group \"German drinks\": completes_goal, cost_per_interview, audience",
            "launch target group \"German drinks\"",
        ]
    );
    assert!(steps[3].starts_with("create target group \"French drinks\""), "{plan}");
    // 55 % of 250 are 137.5: a target that is sent in whole percent is told to be blurred.
    let is_expected = |it: &cintx::study::Warning| match it.target_group.as_deref() {
        Some("French drinks") => true,
        _ => V::DATE < "2025-12-18" && it.message.contains("about 138 completes instead of 137"),
    };
    assert!(plan.warnings().iter().all(is_expected), "{plan}");
    plan.apply(|_| {}).await.unwrap();
    let facts = facts(&setup.cint, &study).await;
    assert_eq!(facts.len(), 3);
    for part in
        ["French drinks draft 200 fre_fr", "German drinks live Some(250) 3.20 USD", "UK drinks live Some(600) 2.95"]
    {
        assert!(facts.iter().any(|fact| fact.starts_with(part)), "{part}: {facts:#?}");
    }
    // Every percentage of the margins is met: 38 of 600, 55 of 250.
    let quotas = |name: &str| facts.iter().find(|fact| fact.starts_with(name)).unwrap().clone();
    assert!(quotas("German").contains("Some(112)") || quotas("German").contains("Some(113)"), "{facts:#?}");

    let sent = writes(&setup.sandbox);
    let again = study.plan(&setup.cint).await.unwrap();
    assert!(again.is_empty() && again.warnings().is_empty(), "{again}");
    again.apply(|_| panic!("nothing is to be done")).await.unwrap();
    assert_eq!(writes(&setup.sandbox), sent, "a second run writes nothing");
    setup.assert_no_violation();
}

async fn killed_after_every_request_a_changed_study_converges<V: Version>(setup: Setup<V>) {
    let study = before(&setup.sandbox);
    study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
    changed(study.clone()).plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
    let expected = facts(&setup.cint, &changed(study)).await;
    for answers in 1.. {
        let setup = Setup::<V>::quick().await;
        let study = before(&setup.sandbox);
        study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
        let study = changed(study);
        let (cint, doomed) = (mortal::<V>(&setup.sandbox, answers), study.clone());
        let run = tokio::spawn(async move {
            let plan = doomed.plan(&cint).await.unwrap();
            plan.apply(|_| {}).await.map(drop)
        });
        let killed = run.await.is_err();
        quiet(&setup.sandbox).await;
        study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
        assert_eq!(facts(&setup.cint, &study).await, expected, "killed after answer {answers}");
        let sent = writes(&setup.sandbox);
        let again = study.plan(&setup.cint).await.unwrap();
        assert!(again.is_empty(), "killed after answer {answers}: {again}");
        assert_eq!(writes(&setup.sandbox), sent);
        if !killed {
            assert!(answers > 25, "it was killed only {answers} times");
            return;
        }
    }
}

async fn lost_answers_of_changes_converge<V: Version>(_: Setup<V>) {
    let legacy = V::DATE < "2025-12-18";
    let pick = |old, new| if legacy { old } else { new };
    for operation in [
        "update_launched_target_group_details",
        "update_cost_per_interview",
        pick("update_target_group_supply_allocation", "update_target_group_allocation_specification"),
        "update_fielding_run",
        pick("bulk-update-quotas", "update_profile_filling_goal"),
        "update_target_group",
    ] {
        let setup = Setup::<V>::quick().await;
        let study = before(&setup.sandbox);
        study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
        let study = changed(study);
        let lost = setup.sandbox.inject(Fault::on(operation).drop_after_applying().times(1));
        let first = study.plan(&setup.cint).await.unwrap().apply(|_| {}).await;
        assert_eq!(setup.sandbox.fault_hits(lost), 1, "{operation}");
        if first.is_err() {
            study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
        }
        assert!(study.plan(&setup.cint).await.unwrap().is_empty(), "{operation}");
        facts(&setup.cint, &study).await;
    }
}

async fn quotas_in_field_are_deleted_with_consent_alone<V: Version>(setup: Setup<V>) {
    let mut study = before(&setup.sandbox);
    study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
    let uk = &mut study.target_groups[0];
    uk.audience.questions = uk.audience.interlock.take().unwrap().questions.split_off(1);
    uk.completes_goal = 450;
    let sent = writes(&setup.sandbox);
    let plan = study.plan(&setup.cint).await.unwrap();
    let steps: Vec<String> = plan.steps().map(ToString::to_string).collect();
    assert!(steps[0].starts_with("change target group \"UK drinks\": completes_goal, audience; deletes "), "{plan}");
    let refused = plan.apply(|_| {}).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "audience");
    assert!(refused.to_string().contains("UK drinks") && refused.to_string().contains("allow_deletions"), "{refused}");
    assert_eq!(writes(&setup.sandbox), sent, "nothing was sent");

    // The answer to the replacement is lost: the next run finds what it did.
    let operation = if V::DATE >= "2025-12-18" { "manage_target_group_profiles" } else { "apply-profiles" };
    let lost = setup.sandbox.inject(Fault::on(operation).drop_after_applying().times(1));
    let first = plan.allow_deletions().apply(|_| {}).await;
    assert_eq!(setup.sandbox.fault_hits(lost), 1);
    let again = study.plan(&setup.cint).await.unwrap();
    assert!(again.is_empty(), "{first:?} {again}");
    let facts = facts(&setup.cint, &study).await;
    assert!(facts.iter().any(|fact| fact.starts_with("UK drinks live Some(450)")), "{facts:#?}");
    setup.assert_no_violation();
}

/// A colleague asks one question more in field after the plan was made: nobody has agreed that it goes.
async fn what_came_into_field_since_the_plan_is_not_deleted<V: Version>(setup: Setup<V>) {
    let question =
        |id| StudyQuestion::choice(id, [StudyOption::new("1").percent(30), StudyOption::new("2").percent(70)]);
    let mut study = before(&setup.sandbox);
    study.target_groups.truncate(1);
    let applied = study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
    let mut colleague = study.clone();
    colleague.target_groups[0].audience.questions.push(question(113));
    study.target_groups[0].audience.questions.push(question(47));
    let plan = study.plan(&setup.cint).await.unwrap();
    colleague.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();

    let group = setup.cint.project(&applied.project).target_group(&applied.target_groups[0].1);
    let asked = async || {
        let tables = group.quotas().read().await.unwrap();
        let axes = tables.iter().flat_map(|table| table.axes().iter().filter_map(|axis| axis.question));
        axes.collect::<std::collections::BTreeSet<i64>>()
    };
    for plan in [plan.clone(), plan.allow_deletions()] {
        let refused = plan.apply(|_| {}).await.unwrap_err();
        assert_eq!(refused.invalid_fields()[0].field(), "audience", "{refused}");
        assert!(refused.to_string().contains("UK drinks"), "{refused}");
        assert_eq!(asked().await, [42, 43, 113].into());
    }
    let plan = study.plan(&setup.cint).await.unwrap();
    assert!(plan.to_string().contains("deletes the quotas of"), "{plan}");
    plan.allow_deletions().apply(|_| {}).await.unwrap();
    assert_eq!(asked().await, [42, 43, 47].into());
    setup.assert_no_violation();
}

async fn what_cannot_be_changed_is_said_by_name<V: Version>(setup: Setup<V>) {
    let mut study = before(&setup.sandbox);
    study.plan(&setup.cint).await.unwrap().apply(|_| {}).await.unwrap();
    setup.sandbox.advance(Duration::from_secs(60));
    let uk = &mut study.target_groups[0];
    uk.completes_goal = 1;
    uk.cost_per_interview = Some("2.95 EUR".parse().unwrap());
    uk.locale = "eng_us".parse().unwrap();
    uk.supply = StudySupply::OpenExchange;
    uk.fielding_period.end = Timestamp::now() - 1.hours();
    uk.fielding_period.start = uk.fielding_period.end - 1.hours();
    study.target_groups.truncate(1);
    let plan = study.plan(&setup.cint).await.unwrap();
    let warnings: Vec<String> = plan.warnings().iter().map(ToString::to_string).collect();
    let mut expected = vec![
        "locale differs, and cannot be changed after the launch",
        "cost_per_interview is 2.95 EUR, but its business unit pays in USD",
        "the end of field",
        "completes_goal is 1, but there are",
    ];
    let steps: Vec<String> = plan.steps().map(ToString::to_string).collect();
    if V::DATE >= "2025-12-18" {
        assert_eq!(steps, ["change target group \"UK drinks\": supply"]);
    } else {
        expected.push("supply lacks the group \"Chosen suppliers\"");
        assert!(plan.is_empty(), "{plan}");
    }
    for says in expected {
        assert!(warnings.iter().any(|warning| warning.contains(says)), "{says}: {warnings:#?}");
    }
    // A study whose field has begun is planned all the same.
    let uk = &mut study.target_groups[0];
    uk.fielding_period.start = Timestamp::now() - 1.hours();
    uk.fielding_period.end = uk.fielding_period.start + 200.hours();
    uk.completes_goal = 500;
    let steps: Vec<String> = study.plan(&setup.cint).await.unwrap().steps().map(ToString::to_string).collect();
    assert!(steps.iter().any(|step| step.ends_with("fielding_period")), "{steps:?}");
    // But nothing new begins in the past.
    study.target_groups[0].name = "Irish drinks".into();
    let refused = study.plan(&setup.cint).await.unwrap_err();
    assert_eq!(refused.invalid_fields()[0].field(), "fielding_period");
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

async fn what_whole_numbers_do_to_quotas_is_said_by_the_plan<V: Version>(setup: Setup<V>) {
    let mut study = study(&setup.sandbox);
    let interlock = study.target_groups[0].audience.interlock.as_mut().unwrap();
    for (band, percent) in interlock.questions[0].bands.iter_mut().zip([60, 39, 1]) {
        band.percent = Some(percent.into());
    }
    for (option, percent) in interlock.questions[1].options.iter_mut().zip([90, 10]) {
        option.percent = Some(percent.into());
    }
    study.target_groups[0].completes_goal = 100;
    // In a draft, and once it is launched.
    for goal in [100, 120] {
        study.target_groups[0].completes_goal = goal;
        let said = "55-99 × option 2 is worth 0.1 completes and gets none";
        let plan = study.plan(&setup.cint).await.unwrap();
        let told = plan.warnings().iter().find(|warning| warning.message == said);
        let told = told.unwrap_or_else(|| panic!("{said} in {plan}"));
        assert_eq!(told.target_group.as_deref(), Some("UK drinks"));
        assert!(plan.to_string().contains(&format!("! \"UK drinks\": {said}\n")), "{plan}");
        let shown = serde_json::to_value(&plan).unwrap();
        let messages: Vec<&Value> = shown["warnings"].as_array().unwrap().iter().map(|it| &it["message"]).collect();
        assert!(messages.contains(&&Value::from(said)), "{shown}");
        plan.apply(|_| {}).await.unwrap();
        let again = study.plan(&setup.cint).await.unwrap();
        assert!(again.is_empty() && again.warnings().is_empty(), "{again}");
    }
    setup.assert_no_violation();
}
