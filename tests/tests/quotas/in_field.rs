//! The whole way on the sandbox: build, create, launch, fill, read back, re-balance, and the other changes in field.

use std::time::Duration;

use cintx::Version;
use cintx::audience::{Audience, Question};
use cintx::quota::{QuotaProgress, QuotaTable, TableKind};
use cintx::target_group::TargetGroup;
use jiff::{Timestamp, ToSpan as _};

use super::age_and_gender;
use super::setup::{Setup, on_every_version};

on_every_version!(
    a_table_is_right_at_each_step,
    quotas_are_interlocked_and_taken_apart_in_field,
    quotas_are_switched_off_and_on,
    nothing_is_deleted_without_a_word_of_consent,
    a_plan_changes_the_goal_by_what_it_adds,
);

async fn launched<V: Version>(setup: &Setup<V>, audience: Audience) -> TargetGroup<V> {
    let project = setup.project().await;
    let group = setup.draft(&project).audience(audience).create().await.unwrap();
    group.launch(Timestamp::now() + 300.hours()).await.unwrap().until_live().await.unwrap();
    group
}

fn targets(table: &QuotaTable, axis: usize) -> Vec<u64> {
    table.margin(axis).iter().map(|sum| sum.target.unwrap()).collect()
}

async fn a_table_is_right_at_each_step<V: Version>(setup: Setup<V>) {
    // Build.
    let audience = age_and_gender();
    let planned = audience.quota_table(500).unwrap();
    assert_eq!((targets(&planned, 0), targets(&planned, 1)), (vec![200, 175, 125], vec![245, 255]));

    // Create and launch.
    let group = launched(&setup, audience).await;
    let tables = group.quotas().read().await.unwrap();
    let table = tables.iter().find(|table| table.kind() == TableKind::Interlock).unwrap();
    assert_eq!(tables.len(), 1);
    assert_eq!(table.axes().iter().map(|axis| axis.question).collect::<Vec<_>>(), [Some(42), Some(43)]);
    assert_eq!(table.total(), 500);
    if V::DATE >= "2025-12-18" {
        // Counts are sent as counts.
        let pairs = table.cells().zip(planned.cells());
        pairs.for_each(|((_, quota), (_, planned))| assert_eq!(quota.target, planned.target));
    } else {
        // Whole percents of 500: five completes each, so the margins are off by less than a percent.
        let near = |axis: usize| {
            targets(table, axis).into_iter().zip(targets(&planned, axis)).all(|(a, b)| a.abs_diff(b) <= 5)
        };
        assert!(near(0) && near(1), "{table}");
    }

    // Fill.
    setup.sandbox.advance(Duration::from_secs(6 * 3_600));
    let table = group.quotas().read().await.unwrap().remove(0);
    let completes = table.sum().completes;
    assert!(completes > 0, "{table}");
    let done = setup.sandbox.respondents().iter().filter(|respondent| respondent.is_complete()).count() as u64;
    assert_eq!(completes, done, "{table}");
    for axis in 0..2 {
        assert_eq!(table.margin(axis).iter().map(|sum| sum.completes).sum::<u64>(), completes);
    }
    let progress = QuotaProgress::of([&table]);
    assert_eq!((progress.total.completes, progress.quotas), (completes, 6));
    assert!(table.to_string().contains('█') || table.to_string().contains('░'), "{table}");
    assert_eq!(table.to_csv().lines().count(), 7);
    assert!(table.to_svg().ends_with("</svg>\n"));

    // Re-balance: a hundred more, nothing below what is completed, every margin in its proportions.
    let plan = table.rebalance_to(600).unwrap();
    assert!(plan.proved_smallest && !plan.changes.is_empty(), "{plan}");
    let after = group.quotas().apply(&plan).await.unwrap().remove(0);
    assert_eq!(after.total(), 600, "{after}");
    for change in &plan.changes {
        let found = after.cells().find(|(_, quota)| quota.id == change.quota).unwrap().1;
        assert_eq!(found.target, Some(change.to), "{change:?}");
        assert!(change.to >= change.completes);
    }
    let expected = |axis: usize| -> Vec<u64> {
        let shares: Vec<f64> = targets(&table, axis).iter().map(|count| *count as f64).collect();
        cintx_quota_apportion(&shares, 600)
    };
    assert_eq!((targets(&after, 0), targets(&after, 1)), (expected(0), expected(1)));
    assert!(after.rebalance().unwrap().changes.is_empty(), "nothing is left to do");
    setup.assert_no_violation();
}

/// Largest remainder, written anew.
fn cintx_quota_apportion(shares: &[f64], total: u64) -> Vec<u64> {
    let sum: f64 = shares.iter().sum();
    let parts: Vec<f64> = shares.iter().map(|share| share / sum * total as f64).collect();
    let mut counts: Vec<u64> = parts.iter().map(|part| (part + 1e-9).floor() as u64).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|a, b| (parts[*b] - counts[*b] as f64).total_cmp(&(parts[*a] - counts[*a] as f64)).then(a.cmp(b)));
    let missing = total - counts.iter().sum::<u64>();
    order.into_iter().take(missing as usize).for_each(|index| counts[index] += 1);
    counts
}

async fn quotas_are_interlocked_and_taken_apart_in_field<V: Version>(setup: Setup<V>) {
    let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    let group = launched(&setup, Audience::independent([age, gender])).await;
    let tables = group.quotas().read().await.unwrap();
    assert_eq!(tables.len(), 2);
    let profiles: Vec<String> = tables.iter().map(|table| table.profile().unwrap().to_owned()).collect();

    let crossed = group.quotas().interlock(&profiles).await.unwrap();
    let table = crossed.iter().find(|table| table.kind() == TableKind::Interlock).unwrap();
    assert_eq!((targets(table, 0).iter().sum::<u64>(), table.cells().count()), (500, 6), "{table}");
    if V::DATE >= "2025-12-18" {
        assert_eq!((targets(table, 0), targets(table, 1)), (vec![200, 175, 125], vec![245, 255]), "{table}");
    }

    let apart = group.quotas().remove_interlock(table.profile().unwrap()).await.unwrap();
    let mut questions: Vec<_> = apart.iter().map(|table| (table.kind(), table.axes()[0].question)).collect();
    questions.sort_by_key(|(_, question)| *question);
    assert_eq!(questions, [(TableKind::Regular, Some(42)), (TableKind::Regular, Some(43))]);
    assert!(apart.iter().all(|table| table.total() == 500));
    setup.assert_no_violation();
}

async fn quotas_are_switched_off_and_on<V: Version>(setup: Setup<V>) {
    let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    let group = launched(&setup, Audience::independent([age, gender])).await;
    let of = |tables: &[QuotaTable], question: i64| {
        tables.iter().find(|table| table.axes()[0].question == Some(question)).unwrap().clone()
    };
    let before = group.quotas().read().await.unwrap();
    let off = group.quotas().disable(of(&before, 43).profile().unwrap()).await.unwrap();
    assert!(!of(&off, 43).is_enabled() && of(&off, 42).is_enabled());
    assert_eq!(of(&off, 42).total(), 500, "the other profile stays as it was");
    let on = group.quotas().enable(of(&off, 43).profile().unwrap()).await.unwrap();
    assert!(of(&on, 43).is_enabled());
    assert_eq!(of(&on, 43).total(), 500);

    // Then no quota says how many are wanted.
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    let only = launched(&setup, Audience::independent([gender])).await;
    let profile = of(&only.quotas().read().await.unwrap(), 43).profile().unwrap().to_owned();
    only.quotas().disable(&profile).await.unwrap();
    let off = only.quotas().read().await.unwrap();
    let on = only.quotas().enable(of(&off, 43).profile().unwrap()).await.unwrap();
    assert_eq!((of(&on, 43).is_enabled(), of(&on, 43).total()), (true, 500));
    setup.assert_no_violation();
}

async fn nothing_is_deleted_without_a_word_of_consent<V: Version>(setup: Setup<V>) {
    let age = || Question::range(42).band(18..=34, 40).band(35..=99, 60);
    let gender = || Question::choice(43).option("1", 49).option("2", 51);
    let group = launched(&setup, Audience::independent([age(), gender()])).await;
    let project = setup.project().await;
    let draft = setup.draft(&project).audience(Audience::independent([age()])).build().unwrap();
    let quotas = group.quotas();
    let replacement = quotas.replace(&draft).await.unwrap();
    let left_out: Vec<_> = replacement.deletes().iter().map(|table| table.axes()[0].question).collect();
    assert_eq!(left_out, [Some(43)]);

    let before = setup.sandbox.requests().len();
    let error = replacement.send().await.unwrap_err();
    assert!(error.to_string().contains("call `send_and_delete` to allow it"), "{error}");
    assert_eq!(setup.sandbox.requests().len(), before, "nothing was sent");
    assert_eq!(quotas.read().await.unwrap().len(), 2);

    let after = replacement.send_and_delete().await.unwrap();
    assert_eq!(after.iter().map(|table| table.axes()[0].question).collect::<Vec<_>>(), [Some(42)]);
    setup.assert_no_violation();
}

async fn goal_of<V: Version>(group: &TargetGroup<V>) -> Option<i64> {
    group.details().await.unwrap().completes_goal
}

/// The targets of one question may add up to less than the goal, or to more: the goal is not theirs.
async fn a_plan_changes_the_goal_by_what_it_adds<V: Version>(setup: Setup<V>) {
    let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    let group = launched(&setup, Audience::independent([age, gender])).await;
    let quotas = group.quotas();
    let of = |tables: &[QuotaTable], question: i64| {
        tables.iter().find(|table| table.axes()[0].question == Some(question)).unwrap().clone()
    };
    let before = of(&quotas.read().await.unwrap(), 42);
    let less = of(&quotas.apply(&before.plan([([0], 190)]).unwrap()).await.unwrap(), 42);
    assert_eq!((less.total(), goal_of(&group).await), (490, Some(490)));
    // Gender follows, and has the goal that there is.
    let gender = of(&quotas.read().await.unwrap(), 43);
    quotas.apply(&gender.plan([([0], 235)]).unwrap()).await.unwrap();
    assert_eq!(goal_of(&group).await, Some(490));
    quotas.disable(less.profile().unwrap()).await.unwrap();
    assert_eq!(goal_of(&group).await, Some(490));
    let gender = of(&quotas.read().await.unwrap(), 43);
    quotas.apply(&gender.rebalance_to(600).unwrap()).await.unwrap();
    assert_eq!(goal_of(&group).await, Some(600));

    // One after the other to the same goal.
    let age = Question::range(42).band(18..=34, 40).band(35..=99, 60);
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    let group = launched(&setup, Audience::independent([age, gender])).await;
    for question in [42, 43] {
        let plan = of(&group.quotas().read().await.unwrap(), question).rebalance_to(600).unwrap();
        assert_eq!(of(&group.quotas().apply(&plan).await.unwrap(), question).total(), 600);
        assert_eq!(goal_of(&group).await, Some(600));
    }
    setup.assert_no_violation();
}

/// A target without a quota, in one of the versions that take it beside others.
#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
async fn a_target_without_a_quota_keeps_its_part_of_the_goal<V: cintx::quota::HasProfileEdits>(setup: Setup<V>) {
    let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
    let group = launched(&setup, Audience::independent([age])).await;
    let quotas = group.quotas();
    let table = quotas.read().await.unwrap().remove(0);
    let third = table.cell([2]).unwrap().id.clone().unwrap();
    let table = quotas.delete_quotas(table.profile().unwrap(), &[third]).await.unwrap().remove(0);
    assert_eq!(targets_with_quota(&table), [200, 175]);
    let plan = table.plan([([0], 210)]).unwrap();
    let table = quotas.apply(&plan).await.unwrap().remove(0);
    assert_eq!((targets_with_quota(&table), goal_of(&group).await), (vec![210, 175], Some(510)));

    let plan = table.rebalance_to(400).unwrap();
    let table = quotas.apply(&plan).await.unwrap().remove(0);
    assert_eq!((targets_with_quota(&table).iter().sum::<u64>(), goal_of(&group).await), (400, Some(525)));

    let audience = Audience::independent([Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, ())]);
    let same = table.rebalancing().asked_by(&audience).plan().unwrap();
    assert_eq!((same.total, same.goal), (400, None), "{same}");
    let plan = table.rebalancing().asked_by(&audience).to(600).plan().unwrap();
    let table = quotas.apply(&plan).await.unwrap().remove(0);
    assert_eq!((targets_with_quota(&table), goal_of(&group).await), (vec![240, 210], Some(600)));

    // Neither profile says what is wanted: the group does.
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
    let group = launched(&setup, Audience::independent([age, gender])).await;
    let mut profiles = Vec::new();
    for table in group.quotas().read().await.unwrap() {
        profiles.push(table.profile().unwrap().to_owned());
        let first = table.cell([0]).unwrap().id.clone().unwrap();
        group.quotas().delete_quotas(table.profile().unwrap(), &[first]).await.unwrap();
    }
    let _ = group.quotas().interlock(&profiles).await;
    let requests = setup.sandbox.requests();
    let interlocks = requests.iter().filter(|it| it.operation.as_deref() == Some("create-interlocked-profile"));
    let mut asked = interlocks.filter_map(|it| it.body.as_ref()?.get("target_group_filling_goal")?.as_u64());
    assert_eq!(asked.next_back(), Some(500));
    setup.assert_no_violation();
}

#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
fn targets_with_quota(table: &QuotaTable) -> Vec<u64> {
    table.cells().filter_map(|(_, quota)| quota.target).collect()
}

#[cfg(feature = "v2024-12-02")]
#[tokio::test]
async fn a_target_without_a_quota_keeps_its_part_of_the_goal_in_2024_12_02() {
    a_target_without_a_quota_keeps_its_part_of_the_goal(Setup::<cintx::V2024_12_02>::new().await).await;
}

#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn a_target_without_a_quota_keeps_its_part_of_the_goal_in_2025_02_17() {
    a_target_without_a_quota_keeps_its_part_of_the_goal(Setup::<cintx::V2025_02_17>::new().await).await;
}

/// One of the versions that change a profile by itself.
#[cfg(any(feature = "v2024-12-02", feature = "v2025-02-17"))]
async fn one_profile_is_changed<V: cintx::quota::HasProfileEdits>(setup: Setup<V>) {
    let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
    let group = launched(&setup, Audience::independent([age])).await;
    setup.sandbox.advance(Duration::from_secs(6 * 3_600));
    let quotas = group.quotas();
    let of = |tables: &[QuotaTable], question: i64| {
        tables.iter().find(|table| table.axes()[0].question == Some(question)).unwrap().clone()
    };
    let before = of(&quotas.read().await.unwrap(), 42);
    let profile = before.profile().unwrap().to_owned();

    let region = Question::choice(47).option("1", ()).option("2", ());
    let added = of(&quotas.add(&region).await.unwrap(), 47);
    assert!(!added.is_enabled() && added.cells().count() == 2, "{added}");

    // The youngest stay as they are, with what they have.
    let others = Question::range(42).band(18..=34, ()).band(35..=49, ()).band(50..=99, ());
    let changed = of(&quotas.set_conditions(&profile, &others).await.unwrap(), 42);
    assert_eq!(changed.axes()[0].labels, ["18-34", "35-49", "50-99"], "{changed}");
    assert!(before.cell([0]).unwrap().completes > 0, "{before}");
    assert_eq!(changed.cell([0]).unwrap().completes, before.cell([0]).unwrap().completes, "{changed}");

    let together = Question::range(42).band(18..=34, ()).bands("older", [35..=49, 50..=99], ());
    let grouped = of(&quotas.group(&profile, &together).await.unwrap(), 42);
    let mut labels = grouped.axes()[0].labels.clone();
    labels.sort();
    assert_eq!(labels, ["18-34", "older"], "{grouped}");

    let older = grouped.axes()[0].labels.iter().position(|label| label == "older").unwrap();
    let quota = grouped.cell([older]).unwrap().id.clone().unwrap();
    let deleted = of(&quotas.delete_quotas(&profile, &[quota]).await.unwrap(), 42);
    assert_eq!(deleted.cells().filter(|(_, quota)| quota.target.is_some()).count(), 1, "{deleted}");

    let nobody = Question::range(42).bands("nobody", [20..=21, 22..=23], ());
    let before = setup.sandbox.requests().iter().filter(|it| it.method != "GET").count();
    for (refused, field) in [
        (quotas.group(&profile, &nobody).await, "question"),
        (quotas.add(&Question::range(42)).await, "audience"),
        (quotas.delete_quotas(&profile, &[]).await, "quotas"),
    ] {
        assert_eq!(refused.unwrap_err().invalid_fields()[0].field(), field);
    }
    assert_eq!(setup.sandbox.requests().iter().filter(|it| it.method != "GET").count(), before, "nothing was sent");
    setup.assert_no_violation();
}

#[cfg(feature = "v2024-12-02")]
#[tokio::test]
async fn one_profile_is_changed_in_2024_12_02() {
    one_profile_is_changed(Setup::<cintx::V2024_12_02>::new().await).await;
}

#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn one_profile_is_changed_in_2025_02_17() {
    one_profile_is_changed(Setup::<cintx::V2025_02_17>::new().await).await;
}

/// The API does not list control quotas, and a change of profiles replaces everything: who has some says so, and they
/// are sent again with each change.
#[cfg(feature = "v2025-12-18")]
#[tokio::test]
async fn control_quotas_are_sent_again_with_each_change() {
    use cintx::audience::{Condition, ControlQuotas, Share};
    let setup = Setup::<cintx::V2025_12_18>::new().await;
    let control = ControlQuotas::new("boosts").target(
        "young men",
        [(42, Condition::Range { min: 18, max: 34 }), (43, Condition::Option("1".into()))],
        50,
    );
    let age = Question::range(42).band(18..=34, Share::Completes(200)).band(35..=99, Share::Completes(300));
    let gender = Question::choice(43).option("1", Share::Completes(245)).option("2", Share::Completes(255));
    let region = Question::choice(200_842).option("1", Share::Completes(100)).option("2", Share::Completes(400));
    let audience = Audience::independent([age, gender, region]).control(control.clone());
    let group = launched(&setup, audience.clone()).await;
    let boosts = |setup: &Setup<_>| -> Vec<bool> {
        let requests = setup.sandbox.requests();
        let managed = requests.iter().filter(|it| it.operation.as_deref() == Some("manage_target_group_profiles"));
        let is_control = |profile: &serde_json::Value| {
            profile["blended_type"] == "control"
                && profile["targets"][0]["quota"]["completes_goal"] == 50
                && profile["targets"][0]["conditions"].as_array().is_some_and(|conditions| conditions.len() == 2)
        };
        managed
            .map(|it| it.body.as_ref().unwrap()["profiling"]["profiles"].as_array().unwrap().iter().any(is_control))
            .collect()
    };
    let of = |tables: &[QuotaTable]| {
        let table = tables.iter().find(|table| table.axes()[0].question == Some(200_842));
        table.unwrap_or_else(|| panic!("{tables:?}")).profile().unwrap().to_owned()
    };
    let quotas = group.quotas().with_control(control);
    let tables = quotas.disable(&of(&quotas.read().await.unwrap())).await.unwrap();
    assert_eq!(tables.len(), 3);
    quotas.enable(&of(&tables)).await.unwrap();
    let project = setup.project().await;
    let draft = setup.draft(&project).audience(audience).build().unwrap();
    quotas.replace(&draft).await.unwrap().send().await.unwrap();
    assert_eq!(boosts(&setup), [true; 3]);
    // They keep nobody out whom they are not about.
    setup.sandbox.advance(Duration::from_secs(6 * 3_600));
    let completes = quotas.read().await.unwrap()[0].sum().completes;
    assert!(completes > 50, "{completes}");
    // Who does not say so loses them.
    group.quotas().disable(&of(&group.quotas().read().await.unwrap())).await.unwrap();
    assert_eq!(boosts(&setup), [true, true, true, false]);
    setup.assert_no_violation();
}
