//! Eight editors at once, on everything that is written under an entity tag: one change takes effect per tag, and
//! whoever was slower is merged, told of a conflict, or refused; nobody's accepted change is lost.
//! (Projects, run dates, templates, pausing and webhooks have theirs in files of their own.)

use std::sync::{Arc, Barrier, Once};
use std::time::Duration;

use cintx::fielding::{
    FieldingAssistant, FieldingRun, Pacing, Pricing, QuotaOverlay, RunAction, RunStatus, SoftLaunch,
};
use cintx::supply::Supply;
use cintx::target_group::TargetGroup;
use cintx::{Error, Money, TemplateId, Version};
use cintx_sandbox::{Fault, Received};
use jiff::{Timestamp, ToSpan as _};

use crate::setup::{Setup, on_every_version};

on_every_version!(
    one_resumes_completes_relaunches_for_all,
    one_launches_now_for_all,
    opposite_actions_end_in_one_state,
    eight_count_up_in_the_assistant,
    eight_change_a_module_each,
    eight_want_the_same_module_otherwise,
    eight_choose_a_default,
);

/// How many edit at once.
const EDITORS: usize = 8;

async fn live<V: Version>(setup: &Setup<V>) -> (TargetGroup<V>, FieldingRun<V>) {
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    let run = group.launch(Timestamp::now() + 240.hours()).await.unwrap().until_live().await.unwrap();
    (group, run)
}

async fn act<V: Version>(run: &mut FieldingRun<V>, action: RunAction) -> Result<(), Error> {
    match action {
        RunAction::LaunchNow => run.launch_now().await,
        RunAction::Pause => run.pause().await,
        RunAction::Resume => run.resume().await,
        RunAction::Relaunch => run.relaunch().await,
        _ => run.complete().await,
    }
}

/// The answers that an operation gave: how many changes took effect, how many were too late.
#[track_caller]
fn took_effect<V: Version>(setup: &Setup<V>, operation: &str) -> (Vec<Received>, usize) {
    let asked = setup.sandbox.requests().into_iter();
    let asked = asked.filter(|request| request.operation.as_deref() == Some(operation));
    let (done, refused): (Vec<_>, Vec<_>) = asked.partition(|request| (200..300).contains(&request.status));
    assert!(refused.iter().all(|request| request.status == 412), "{refused:?}");
    (done, refused.len())
}

/// Eight handles with the same tag act alike: once it is done, seven are too late and find it done.
async fn all_at_once<V: Version>(setup: &Setup<V>, run: &FieldingRun<V>, action: RunAction, operation: &str) {
    let editors: Vec<_> = (0..EDITORS)
        .map(|_| {
            let mut run = run.clone();
            tokio::spawn(async move { act(&mut run, action).await.map(|()| run) })
        })
        .collect();
    let mut handles = Vec::new();
    for editor in editors {
        handles.push(editor.await.unwrap().unwrap());
    }
    let (done, late) = took_effect(setup, operation);
    assert_eq!((done.len(), late), (1, EDITORS - 1), "{action:?}");
    assert!(handles.iter().all(|other| other.status() == handles[0].status() && other.dates() == handles[0].dates()));
}

async fn one_resumes_completes_relaunches_for_all<V: Version>(setup: Setup<V>) {
    let (_, mut run) = live(&setup).await;
    run.pause().await.unwrap();
    for (action, operation, then) in [
        (RunAction::Resume, "resume_fielding_run", RunStatus::Live),
        (RunAction::Complete, "complete_fielding_run", RunStatus::Completed),
        (RunAction::Relaunch, "relaunch_fielding_run", RunStatus::Live),
    ] {
        all_at_once(&setup, &run, action, operation).await;
        run.refresh().await.unwrap();
        assert_eq!(run.status(), &then);
    }
    setup.assert_no_violation();
}

async fn one_launches_now_for_all<V: Version>(setup: Setup<V>) {
    let group = setup.draft(&setup.project().await).create().await.unwrap();
    let start = Timestamp::now() + 24.hours();
    let mut run = group.schedule(start..start + 48.hours()).await.unwrap().until_done().await.unwrap();
    all_at_once(&setup, &run, RunAction::LaunchNow, "launch_now_fielding_run").await;
    run.refresh().await.unwrap();
    assert_eq!(run.status(), &RunStatus::Live);
    setup.assert_no_violation();
}

/// Four pause and four complete, all with one tag. A paused run can be completed, a completed one cannot be paused.
async fn opposite_actions_end_in_one_state<V: Version>(setup: Setup<V>) {
    let (_, mut run) = live(&setup).await;
    let editors: Vec<_> = (0..EDITORS)
        .map(|number| {
            let mut run = run.clone();
            let action = if number % 2 == 0 { RunAction::Pause } else { RunAction::Complete };
            tokio::spawn(async move { (action, act(&mut run, action).await) })
        })
        .collect();
    for editor in editors {
        match editor.await.unwrap() {
            (_, Ok(())) => {}
            (action, Err(error)) => {
                assert_eq!(action, RunAction::Pause, "{error}");
                assert_eq!(error.status().unwrap(), 412, "{error}");
            }
        }
    }
    assert_eq!(took_effect(&setup, "complete_fielding_run").0.len(), 1);
    assert!(took_effect(&setup, "pause_fielding_run").0.len() <= 1);
    run.refresh().await.unwrap();
    assert_eq!(run.status(), &RunStatus::Completed);
    setup.assert_no_violation();
}

/// Eight editors of the assistant, each of whom has read it before the first one writes.
async fn edit_at_once<V: Version>(
    group: &TargetGroup<V>,
    change: impl Fn(usize, &mut FieldingAssistant) + Clone + Send + 'static,
) -> Vec<Result<FieldingAssistant, Error>> {
    let everybody = Arc::new(Barrier::new(EDITORS));
    let editors: Vec<_> = (0..EDITORS)
        .map(|number| {
            let (group, change, everybody) = (group.clone(), change.clone(), Arc::clone(&everybody));
            let (handle, read) = (tokio::runtime::Handle::current(), Once::new());
            tokio::task::spawn_blocking(move || {
                handle.block_on(group.edit_assistant(move |assistant| {
                    read.call_once(|| {
                        everybody.wait();
                    });
                    change(number, assistant);
                }))
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for editor in editors {
        outcomes.push(editor.await.unwrap());
    }
    outcomes
}

const ASSISTANT: &str = "create_or_update_fielding_assistant_assignment";

async fn eight_count_up_in_the_assistant<V: Version>(setup: Setup<V>) {
    let (group, _) = live(&setup).await;
    let end: Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
    let soft = SoftLaunch::Until { end, goal_percent: 10, strictness_percent: 50 };
    group.edit_assistant(|assistant| assistant.soft_launch = Some(soft.clone())).await.unwrap();
    let outcomes = edit_at_once(&group, |_, assistant| {
        if let Some(SoftLaunch::Until { goal_percent, .. }) = &mut assistant.soft_launch {
            *goal_percent += 1;
        }
    })
    .await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let counted = SoftLaunch::Until { end, goal_percent: 18, strictness_percent: 50 };
    assert_eq!(group.assistant().await.unwrap().soft_launch, Some(counted));
    let (done, late) = took_effect(&setup, ASSISTANT);
    assert_eq!(done.len(), 1 + EDITORS);
    assert!(late >= EDITORS - 1, "all but one were too late at first, {late} were");
    setup.assert_no_violation();
}

/// Four modules, each wanted by two editors who agree.
async fn eight_change_a_module_each<V: Version>(setup: Setup<V>) {
    let (group, _) = live(&setup).await;
    let end: Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
    let wanted = FieldingAssistant::off()
        .pricing(Pricing::maximum_cpi(Money::new("3.50", "USD").unwrap()))
        .pacing(Pacing::Linear("P2D".parse().unwrap()))
        .quota_overlay(QuotaOverlay { prevent_overfill: true, balance_fill: true })
        .soft_launch(SoftLaunch::Until { end, goal_percent: 10, strictness_percent: 50 });
    let given = wanted.clone();
    let outcomes = edit_at_once(&group, move |number, assistant| match number % 4 {
        0 => assistant.pricing.clone_from(&given.pricing),
        1 => assistant.pacing.clone_from(&given.pacing),
        2 => assistant.quota_overlay = given.quota_overlay,
        _ => assistant.soft_launch.clone_from(&given.soft_launch),
    })
    .await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(group.assistant().await.unwrap(), wanted);
    setup.assert_no_violation();
}

/// One gets it; the others are told which module it is about, and nothing of theirs is written.
async fn eight_want_the_same_module_otherwise<V: Version>(setup: Setup<V>) {
    let (group, _) = live(&setup).await;
    let pacing = |number: usize| Pacing::Linear(format!("P{}D", number + 1).parse().unwrap());
    let outcomes = edit_at_once(&group, move |number, assistant| assistant.pacing = Some(pacing(number))).await;
    let mut winners = Vec::new();
    for (number, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(_) => winners.push(number),
            Err(error) => assert_eq!(error.conflict().expect("a conflict").fields(), ["pacing"], "{error}"),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(group.assistant().await.unwrap().pacing, Some(pacing(winners[0])));
    let (done, late) = took_effect(&setup, ASSISTANT);
    assert_eq!((done.len(), late), (1, EDITORS - 1));
    setup.assert_no_violation();
}

/// Each chooses another template, having read the choice before the first one writes: reads are answered late, all
/// together. Then they agree.
async fn eight_choose_a_default<V: Version>(setup: Setup<V>) {
    let templates = setup.cint.supply_templates();
    let mut ids: Vec<TemplateId> = Vec::new();
    for number in 0..EDITORS {
        let name = format!("Template {number}");
        ids.push(templates.create(name, &Supply::open_exchange()).await.unwrap());
    }
    let slow = Fault::on("get_account_allocation_template_association").delay(Duration::from_millis(300));
    setup.sandbox.inject(slow.times(EDITORS as u64));
    let mut winners = Vec::new();
    for (id, outcome) in choose(&setup, ids.clone()).await {
        match outcome {
            Ok(()) => winners.push(id),
            Err(error) => assert_eq!(error.conflict().expect("a conflict").fields(), ["template"], "{error}"),
        }
    }
    let (done, late) = took_effect(&setup, "set_account_allocation_template_association");
    assert_eq!((winners.len(), done.len(), late), (1, 1, EDITORS - 1));
    assert_eq!(templates.default().await.unwrap(), winners.pop());

    for (_, outcome) in choose(&setup, vec![ids[0].clone(); EDITORS]).await {
        outcome.unwrap();
    }
    assert_eq!(templates.default().await.unwrap().as_ref(), Some(&ids[0]));
    setup.assert_no_violation();
}

async fn choose<V: Version>(setup: &Setup<V>, ids: Vec<TemplateId>) -> Vec<(TemplateId, Result<(), Error>)> {
    let templates = setup.cint.supply_templates();
    futures_util::future::join_all(ids.into_iter().map(|id| {
        let templates = templates.clone();
        async move {
            let outcome = templates.set_default(&id).await;
            (id, outcome)
        }
    }))
    .await
}
