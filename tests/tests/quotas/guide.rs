//! The worked examples of Cint's guide, by their numbers, through the model and on every version: an interlock of a
//! draft, an interlock and its removal in field, goals in field.

use cintx::{Audience, Question, QuotaTable, TableKind, Version};
use jiff::{Timestamp, ToSpan as _};

use super::stage::{Stage, on_every_version};

on_every_version!(gender_and_age_of_a_draft, goals_in_field);

fn margin(table: &QuotaTable, axis: usize) -> Vec<u64> {
    table.margin(axis).iter().map(|sum| sum.target.unwrap()).collect()
}

/// Two options and four bands, with a gap between two of them.
async fn gender_and_age_of_a_draft<V: Version>(stage: Stage<V>) {
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    let age = Question::range(42).band(15..=19, 20).band(20..=29, 20).band(35..=39, 30).band(40..=49, 30);
    let audience = Audience::interlock([gender, age]);
    let project = stage.project().await;
    let draft = stage.draft(&project).completes_goal(100).audience(audience);
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

    stage.assert_no_violation();

    // And apart again. The older versions' drafts cannot say the conditions of the questions behind an interlock, so the
    // sandbox does not know them; `in_field` takes one apart that was made in field.
    if V::DATE < "2025-12-18" {
        return;
    }
    let apart = group.quotas().remove_interlock(tables[0].profile().unwrap()).await.unwrap();
    let goals =
        |question: i64| margin(apart.iter().find(|table| table.axes()[0].question == Some(question)).unwrap(), 0);
    assert_eq!((goals(43), goals(42)), (vec![49, 51], vec![20, 20, 30, 30]));
    stage.assert_no_violation();
}

/// Four regions of fifty completes get 15, 10, 9 and 16.
async fn goals_in_field<V: Version>(stage: Stage<V>) {
    let region =
        ["1", "2", "3", "4"].into_iter().fold(Question::choice(200_842), |question, it| question.option(it, 25));
    let project = stage.project().await;
    let draft = stage.draft(&project).completes_goal(50).audience(Audience::side_by_side([region]));
    let group = draft.create().await.unwrap();
    group.launch(Timestamp::now() + 300.hours()).await.unwrap().until_live().await.unwrap();
    let table = group.quotas().read().await.unwrap().remove(0);
    assert_eq!(table.total(), 50);
    let wanted = [15, 10, 9, 16];
    let plan = table.plan(wanted.into_iter().enumerate().map(|(at, goal)| ([at], goal))).unwrap();
    assert_eq!(plan.total, 50);
    let after = group.quotas().apply(&plan).await.unwrap().remove(0);
    assert_eq!(margin(&after, 0), wanted);
    assert!(table.plan([([0], 0)]).unwrap_err().to_string().contains("expected at least"));
    assert!(table.plan([([4], 5)]).unwrap_err().to_string().contains("no cell [4]"));
    stage.assert_no_violation();
}

/// Validation without creating anything, where the version has it.
#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn an_audience_is_validated() {
    let stage = Stage::<cintx::V2025_12_18>::new().await;
    let locale = "eng_gb".parse().unwrap();
    assert!(stage.cint.validate(&super::side_by_side(), 500, &locale).await.unwrap().is_empty());
    assert!(stage.cint.validate(&super::age_and_gender(), 500, &locale).await.unwrap().is_empty());
    stage.assert_no_violation();
}

/// The older version that has it answers with a list.
#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn an_audience_is_validated_before_2025_12_18() {
    let stage = Stage::<cintx::V2025_02_17>::new().await;
    let locale = "eng_gb".parse().unwrap();
    assert!(stage.cint.validate(&super::side_by_side(), 500, &locale).await.unwrap().is_empty());
    assert!(stage.cint.validate(&super::age_and_gender(), 500, &locale).await.unwrap().is_empty());
    stage.assert_no_violation();
}
