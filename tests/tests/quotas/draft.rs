//! The audience of a draft that exists is changed: from quotas side by side to an interlock and back, with its goal.
//! What is wrong with the new one is said before anything is written.

use cintx::Version;
use cintx::audience::{Audience, Question};
use cintx::quota::{QuotaTable, TableKind};
use jiff::{Timestamp, ToSpan as _};

use super::age_and_gender;
use super::setup::{Setup, on_every_version};

on_every_version!(a_draft_gets_another_audience, a_wrong_audience_is_not_written);

fn region() -> Audience {
    Audience::independent([Question::choice(200_842).option("1", 25).option("2", 75)])
}

async fn a_draft_gets_another_audience<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let group = setup.draft(&project).audience(region()).create().await.unwrap();
    let before = group.draft().await.unwrap().settings;

    let settings = group.set_audience(age_and_gender(), |draft| draft.completes_goal = 600).await.unwrap();
    assert_eq!(settings.completes_goal, 600);
    let read = group.draft().await.unwrap().settings;
    assert_eq!((read.completes_goal, &read.name, &read.supply), (600, &before.name, &before.supply));
    // Once more: the interlock that is there gives way.
    group.set_audience(region(), |_| ()).await.unwrap();
    group.set_audience(age_and_gender(), |draft| draft.completes_goal = 100).await.unwrap();

    group.launch(Timestamp::now() + 300.hours()).await.unwrap().until_live().await.unwrap();
    let tables = group.quotas().read().await.unwrap();
    assert_eq!(tables.iter().map(QuotaTable::kind).collect::<Vec<_>>(), [TableKind::Interlock]);
    let targets = |axis: usize| tables[0].margin(axis).iter().map(|sum| sum.target.unwrap()).collect::<Vec<_>>();
    assert_eq!((targets(0), targets(1)), (vec![40, 35, 25], vec![49, 51]), "{}", tables[0]);
    setup.assert_no_violation();
}

async fn a_wrong_audience_is_not_written<V: Version>(setup: Setup<V>) {
    let project = setup.project().await;
    let group = setup.draft(&project).audience(region()).create().await.unwrap();
    let written = |setup: &Setup<V>| setup.sandbox.requests().iter().filter(|request| request.method != "GET").count();
    let before = written(&setup);
    let overlapping = Audience::independent([Question::range(42).band(18..=34, 50).band(30..=99, 50)]);
    let error = group.set_audience(overlapping, |draft| draft.name = "x".into()).await.unwrap_err();
    let blamed: Vec<&str> = error.invalid_fields().iter().map(cintx::error::FieldError::field).collect();
    assert_eq!(blamed, ["name", "audience"], "{error}");
    assert!(error.to_string().contains("profile_condition_ranges_should_not_overlap"), "{error}");
    assert_eq!(written(&setup), before);
}
