//! The worked examples of Cint's guide, by their numbers, through the model and on every version: an interlock of a
//! draft and its removal in field, an interlock in field and its removal, goals in field.
//! How the guide's own answers are read is tested where they are read, in `cintx/src/wire/quotas/legacy.rs`.

use std::time::Duration;

use cintx::Version;
use cintx::audience::{Audience, Question};
use cintx::quota::{QuotaTable, TableKind};
use cintx_sandbox::Sandbox;
use jiff::{Timestamp, ToSpan as _};

use super::setup::{Setup, on_every_version};

on_every_version!(gender_and_age_of_a_draft, age_and_gender_in_field, goals_in_field);

fn margin(table: &QuotaTable, axis: usize) -> Vec<u64> {
    table.margin(axis).iter().map(|sum| sum.target.unwrap()).collect()
}

/// Two options and four bands, with a gap between two of them.
async fn gender_and_age_of_a_draft<V: Version>(setup: Setup<V>) {
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    let age = Question::range(42).band(15..=19, 20).band(20..=29, 20).band(35..=39, 30).band(40..=49, 30);
    let audience = Audience::interlock([gender, age]);
    let project = setup.project().await;
    let draft = setup.draft(&project).completes_goal(100).audience(audience);
    let group = draft.create().await.unwrap();
    group.launch(Timestamp::now() + 300.hours()).await.unwrap().until_live().await.unwrap();
    let tables = group.quotas().read().await.unwrap();
    assert_eq!(tables.iter().map(QuotaTable::kind).collect::<Vec<_>>(), [TableKind::Interlock]);
    let of = |question: i64| {
        let axis = tables[0].axes().iter().position(|axis| axis.question == Some(question)).unwrap();
        margin(&tables[0], axis)
    };
    // Of a hundred, whole percents say everything: the same on every version.
    assert_eq!((of(43), of(42)), (vec![49, 51], vec![20, 20, 30, 30]), "{}", tables[0]);

    // And apart again.
    let apart = group.quotas().remove_interlock(tables[0].profile().unwrap()).await.unwrap();
    assert_eq!(apart.len(), 2);
    assert_eq!(goals_of(&apart, 43), [("option 1".into(), 49), ("option 2".into(), 51)]);
    assert_eq!(
        goals_of(&apart, 42),
        [("15-19".into(), 20), ("20-29".into(), 20), ("35-39".into(), 30), ("40-49".into(), 30)]
    );
    setup.assert_no_violation();
}

/// The goal of each target of a question that counts for itself, in order.
fn goals_of(tables: &[QuotaTable], question: i64) -> Vec<(String, u64)> {
    let table = tables.iter().find(|table| table.axes()[0].question == Some(question)).unwrap();
    assert_eq!((table.kind(), table.is_enabled(), table.axes().len()), (TableKind::Regular, true, 1));
    let conditions = table.axes()[0].conditions.iter().map(|conditions| conditions[0].1.label());
    let mut goals: Vec<(String, u64)> = conditions.zip(margin(table, 0)).collect();
    goals.sort();
    goals
}

/// Three bands of age and two genders, each with its own quotas, become an interlock of six cells: five completes, of
/// which men of 18 to 24 get none and everybody else one. In a paused group it is taken apart again.
async fn age_and_gender_in_field<V: Version>(_: Setup<V>) {
    // Five completes are there in no time: nobody comes here.
    let setup = Setup::<V>::on(Sandbox::builder().seed(7).field_pace(Duration::ZERO)).await;
    let age = Question::range(42).band(18..=24, 20).band(25..=35, 40).band(36..=45, 40);
    let gender = Question::choice(43).option("1", 40).option("2", 60);
    let project = setup.project().await;
    let draft = setup.draft(&project).completes_goal(5).audience(Audience::independent([age, gender]));
    let group = draft.create().await.unwrap();
    let mut run = group.launch(Timestamp::now() + 300.hours()).await.unwrap().until_live().await.unwrap();
    let (ages, genders) = (
        [("18-24".into(), 1), ("25-35".into(), 2), ("36-45".into(), 2)],
        [("option 1".into(), 2), ("option 2".into(), 3)],
    );
    let before = group.quotas().read().await.unwrap();
    assert_eq!(goals_of(&before, 42), ages);
    assert_eq!(goals_of(&before, 43), genders);

    let ids: Vec<String> = [42, 43]
        .into_iter()
        .map(|question| before.iter().find(|table| table.axes()[0].question == Some(question)).unwrap())
        .map(|table| table.profile().unwrap().to_owned())
        .collect();
    let crossed = group.quotas().interlock(&ids).await.unwrap();
    // The two profiles are in the interlock and no longer beside it.
    assert_eq!(crossed.iter().map(QuotaTable::kind).collect::<Vec<_>>(), [TableKind::Interlock]);
    let table = &crossed[0];
    assert_eq!(table.axes().iter().map(|axis| axis.question).collect::<Vec<_>>(), [Some(42), Some(43)]);
    assert_eq!(
        table.cells().map(|(_, quota)| quota.target).collect::<Vec<_>>(),
        [0, 1, 1, 1, 1, 1].map(Some),
        "{table}"
    );
    assert_eq!((margin(table, 0), margin(table, 1)), (vec![1, 2, 2], vec![2, 3]));

    run.pause().await.unwrap();
    let apart = group.quotas().remove_interlock(table.profile().unwrap()).await.unwrap();
    assert_eq!(apart.len(), 2);
    assert_eq!(goals_of(&apart, 42), ages);
    assert_eq!(goals_of(&apart, 43), genders);
    setup.assert_no_violation();
}

/// Four regions of ten completes get 15, 10, 9 and 16 of fifty.
async fn goals_in_field<V: Version>(setup: Setup<V>) {
    let region = Question::choice(200_842).option("1", 10).option("2", 40).option("3", 40).option("4", 10);
    let project = setup.project().await;
    let draft = setup.draft(&project).completes_goal(10).audience(Audience::independent([region]));
    let group = draft.create().await.unwrap();
    group.launch(Timestamp::now() + 300.hours()).await.unwrap().until_live().await.unwrap();
    let table = group.quotas().read().await.unwrap().remove(0);
    assert_eq!(margin(&table, 0), [1, 4, 4, 1]);
    let wanted = [15, 10, 9, 16];
    let plan = table.plan(wanted.into_iter().enumerate().map(|(at, goal)| ([at], goal))).unwrap();
    assert_eq!(plan.total, 50);
    let after = group.quotas().apply(&plan).await.unwrap().remove(0);
    assert_eq!(margin(&after, 0), wanted);
    assert!(table.plan([([0], 0)]).unwrap_err().to_string().contains("expected at least"));
    assert!(table.plan([([4], 5)]).unwrap_err().to_string().contains("no cell [4]"));
    setup.assert_no_violation();
}

/// Validation without creating anything, where the version has it.
#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn an_audience_is_validated() {
    let setup = Setup::<cintx::V2025_12_18>::new().await;
    let locale = "eng_gb".parse().unwrap();
    assert!(setup.cint.validate(&super::independent(), 500, &locale).await.unwrap().is_empty());
    assert!(setup.cint.validate(&super::age_and_gender(), 500, &locale).await.unwrap().is_empty());
    setup.assert_no_violation();
}

/// The older version that has it answers with a list.
#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn an_audience_is_validated_before_2025_12_18() {
    let setup = Setup::<cintx::V2025_02_17>::new().await;
    let locale = "eng_gb".parse().unwrap();
    assert!(setup.cint.validate(&super::independent(), 500, &locale).await.unwrap().is_empty());
    assert!(setup.cint.validate(&super::age_and_gender(), 500, &locale).await.unwrap().is_empty());
    setup.assert_no_violation();
}
