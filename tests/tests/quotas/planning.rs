//! What researchers do around their quotas, on the sandbox: aim at what the audience asked for, look at the ways out,
//! hear what whole percents do, cross targets that are known together, and run a tracker.

use std::io;
use std::sync::{Arc, Mutex};

use cintx::Version;
use cintx::audience::{Audience, Interlock, Question, Share};
use cintx::quota::{QuotaTable, QuotaWarning, TableKind, WayOut};
use cintx::target_group::TargetGroup;
use jiff::{Timestamp, ToSpan as _};

use super::setup::{Setup, on_every_version};

on_every_version!(
    a_third_is_a_third_again,
    an_overfilled_quota_has_ways_out,
    whole_percents_are_told_before_they_are_sent,
    targets_known_together_are_kept,
    what_is_put_in_place_is_told_first,
    what_moves_the_targets_is_not_told_as_blurred,
    a_goal_alone_is_applied_with_the_quotas_as_they_are,
    questions_side_by_side_make_up_for_a_wave,
);

async fn launched<V: Version>(setup: &Setup<V>, audience: Audience, goal: u32) -> TargetGroup<V> {
    let project = setup.project().await;
    let group = setup.draft(&project).completes_goal(goal).audience(audience).create().await.unwrap();
    group.launch(Timestamp::now() + 300.hours()).await.unwrap().until_live().await.unwrap();
    group
}

fn thirds() -> Question {
    Question::range(42).band(18..=34, "33.33").band(35..=54, "33.33").band(55..=99, "33.34")
}

fn gender() -> Question {
    Question::choice(43).option("1", 49).option("2", 51)
}

fn targets(table: &QuotaTable, question: i64) -> Vec<u64> {
    let axis = table.axes().iter().position(|axis| axis.question == Some(question)).unwrap();
    table.margin(axis).iter().map(|sum| sum.target.unwrap()).collect()
}

/// Whole percents make 33, 33 and 34 of three thirds: in field, the plan goes back to what was asked for.
async fn a_third_is_a_third_again<V: Version>(setup: Setup<V>) {
    for audience in [Audience::interlock([thirds(), gender()]), Audience::independent([thirds()])] {
        let group = launched(&setup, audience.clone(), 500).await;
        let table = group.quotas().read().await.unwrap().remove(0);
        let plan = table.rebalancing().asked_by(&audience).to(500).plan_in_background().await.unwrap();
        assert!(plan.proved_smallest, "{plan}");
        if table.kind() == TableKind::Interlock {
            assert_eq!(plan.changes.is_empty(), V::DATE >= "2025-12-18", "{table}\n{plan}");
        }
        assert_eq!(targets(&table.after(&plan), 42), [167, 166, 167]);
        let after = group.quotas().apply(&plan).await.unwrap().remove(0);
        assert_eq!(targets(&after, 42), [167, 166, 167], "{after}");
        // And so for another goal.
        let plan = after.rebalancing().asked_by(&audience).to(1_000).plan().unwrap();
        let after = group.quotas().apply(&plan).await.unwrap().remove(0);
        assert_eq!(targets(&after, 42), [333, 333, 334], "{after}");

        let other = Audience::interlock([gender(), Question::choice(113).option("1", 60).option("2", 40)]);
        let error = after.rebalancing().asked_by(&other).plan().unwrap_err();
        assert_eq!(error.invalid_fields()[0].field(), "audience", "{error}");
    }
    setup.assert_no_violation();
}

/// More has come in from one band than was wanted: each way out is a plan that can be sent as it is.
async fn an_overfilled_quota_has_ways_out<V: Version>(setup: Setup<V>) {
    let age = Question::range(42).band(18..=34, 50).band(35..=99, 50);
    let gender = Question::choice(43).option("1", 50).option("2", 50);
    let audience = Audience::interlock([age, gender]);
    for way in [WayOut::RaiseTotal, WayOut::GiveWay, WayOut::Accept] {
        let group = launched(&setup, audience.clone(), 100).await;
        let mut table = group.quotas().read().await.unwrap().remove(0);
        let ids: Vec<String> = table.cells().filter_map(|(_, quota)| quota.id.clone()).collect();
        for (id, completes) in ids.iter().zip([35, 25, 10, 10]) {
            assert!(table.update(id, completes, completes));
        }
        assert!(table.rebalance().is_err(), "{table}");
        let ways = table.rebalancing().asked_by(&audience).ways_out_in_background().await.unwrap();
        let overfilled: Vec<String> = ways.overfilled.iter().map(ToString::to_string).collect();
        assert_eq!(overfilled, ["18-34 holds 60 of 50"]);
        assert_eq!((ways.choices.len(), ways.impossible.len()), (3, 0), "{ways}");
        let choice = ways.choice(way).unwrap();
        let (total, additional, given_up) = match way {
            WayOut::RaiseTotal => (119, 19, 0),
            WayOut::GiveWay => (100, 0, 10),
            _ => (110, 10, 0),
        };
        assert_eq!((choice.plan.total, choice.additional, choice.given_up), (total, additional, given_up), "{ways}");
        assert_eq!(choice.to_come, total - 80);
        let after = group.quotas().apply(&choice.plan).await.unwrap().remove(0);
        assert_eq!(after.total(), total, "{way}: {after}");
        assert_eq!(after.cell([0, 0]).and_then(|quota| quota.target), Some(35), "{way}: {after}");
    }
    setup.assert_no_violation();
}

/// A band of 0.4 percent is nobody in whole percents, and two completes in counts. In field it may open again.
async fn whole_percents_are_told_before_they_are_sent<V: Version>(setup: Setup<V>) {
    let age = Question::range(42).band(18..=54, "59.6").band(55..=89, 40).band(90..=99, "0.4");
    let audience = Audience::interlock([age, gender()]);
    let warnings = audience.quota_warnings::<V>(500).unwrap();
    let vanished = |warning: &&QuotaWarning| matches!(warning, QuotaWarning::RoundedToNothing { .. });
    let vanished: Vec<String> = warnings.iter().filter(vanished).map(ToString::to_string).collect();
    if V::DATE >= "2025-12-18" {
        assert!(vanished.is_empty(), "{vanished:?}");
        return;
    }
    assert!(vanished.contains(&"90-99 is worth 2 completes and gets none".to_owned()), "{vanished:?}");
    let blurred = "18-54 is sent as a whole percentage: about 300 completes instead of 298";
    assert!(warnings.iter().any(|warning| warning.to_string() == blurred), "{warnings:?}");
    assert!(audience.quota_table(500).unwrap().warnings().is_empty());

    let group = launched(&setup, audience.clone(), 500).await;
    let table = group.quotas().read().await.unwrap().remove(0);
    let plan = table.rebalancing().asked_by(&audience).to(500).plan().unwrap();
    assert_eq!(targets(&table.after(&plan), 42), [298, 200, 2], "{table}\n{plan}");
    let after = group.quotas().apply(&plan).await.unwrap().remove(0);
    assert_eq!(targets(&after, 42), [298, 200, 2], "{after}");
    setup.assert_no_violation();
}

/// What is written to the log while a future is polled.
async fn logged<T>(work: impl Future<Output = T>) -> (T, String) {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let dispatch = tracing::Dispatch::new(subscriber);
    let mut work = std::pin::pin!(work);
    let done =
        std::future::poll_fn(|context| tracing::dispatcher::with_default(&dispatch, || work.as_mut().poll(context)));
    let done = done.await;
    let text = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    (done, text)
}

/// A draft and a launched target group get another audience, some of whose targets give way.
async fn what_is_put_in_place_is_told_first<V: Version>(setup: Setup<V>) {
    let age = || Question::range(42).band(18..=34, 60).band(35..=99, 40);
    let even = || Question::choice(43).option("1", 50).option("2", 50);
    let giving = || Audience::interlock(Interlock::of([age(), even()]).at_most([0, 0], 7).tolerance([42], 10));
    let said = "18-34 gets 57 instead of 60";
    let project = setup.project().await;
    let draft = setup.draft(&project).completes_goal(100).audience(Audience::interlock([age(), even()]));
    let (group, log) = logged(draft.create()).await;
    assert!(!log.contains(said), "{log}");
    let (_, log) = logged(group.unwrap().set_audience(giving(), |_| ())).await;
    assert!(log.contains("whole numbers change the quotas") && log.contains(said), "{log}");

    let group = launched(&setup, Audience::interlock([age(), even()]), 100).await;
    let draft = setup.draft(&project).completes_goal(100).audience(giving()).build().unwrap();
    let replacement = group.quotas().replace(&draft).await.unwrap();
    assert!(replacement.warnings().iter().any(|it| it.to_string().starts_with(said)), "{replacement:?}");
    // Whether it is taken depends on who has come by then.
    let (_, log) = logged(replacement.send()).await;
    assert!(log.contains(said), "{log}");
    setup.assert_no_violation();
}

/// Age × gender known together, times region, with a smallest cell.
async fn targets_known_together_are_kept<V: Version>(setup: Setup<V>) {
    let age = Question::range(42).band(18..=34, ()).band(35..=54, ()).band(55..=99, ());
    let gender = Question::choice(43).option("1", ()).option("2", ());
    let region = Question::choice(200_842).option("1", 60).option("2", 40);
    let crossed = Interlock::of([age, gender, region]).joint([42, 43], [14, 13, 18, 18, 16, 21]).smallest_cell(5);
    let audience = Audience::interlock(crossed);
    let group = launched(&setup, audience.clone(), 500).await;
    let table = group.quotas().read().await.unwrap().remove(0);
    assert_eq!((table.kind(), table.axes().len(), table.total()), (TableKind::Interlock, 3, 500), "{table}");
    let plan = table.rebalancing().asked_by(&audience).to(1_000).plan();
    // What came in against its own targets is known whatever its cells are called.
    assert_eq!(table.achieved().unwrap().deviations.len(), table.cells().count(), "{table}");
    let planned = audience.quota_table(500).unwrap();
    if V::DATE < "2025-12-18" {
        // Cells come in words alone, and two questions have the same words: whom they mean is not known.
        assert_eq!(plan.unwrap_err().invalid_fields()[0].field(), "audience");
        let error = table.achieved_of(&planned).unwrap_err().to_string();
        assert!(error.contains("do not say whom they are about"), "{error}");
        return;
    }
    let plan = plan.unwrap();
    assert_eq!(table.achieved_of(&planned).unwrap(), table.achieved().unwrap());
    let after = table.after(&plan);
    let together = |age: usize, gender: usize| -> u64 {
        (0..2).filter_map(|region| after.cell([age, gender, region])?.target).sum()
    };
    let pairs: Vec<u64> = (0..3).flat_map(|age| [together(age, 0), together(age, 1)]).collect();
    assert_eq!(pairs, [140, 130, 180, 180, 160, 210], "{after}");
    setup.assert_no_violation();
}

/// What is asked for wrongly is named by its call.
#[test]
fn wrong_wishes_are_named() {
    let crossed = || Interlock::of([thirds(), gender()]);
    let first = |crossed: Interlock| Audience::interlock(crossed).problems(Some(500))[0].to_string();
    assert_eq!(first(crossed().joint([42, 43], [50, 50])), "Interlock::joint: has 2 shares, expected 6");
    assert!(first(crossed().joint([42, 7], [50, 50])).starts_with("Interlock::joint: names [42, 7], expected ids of"));
    assert!(first(crossed().tolerance([7], 10)).starts_with("Interlock::tolerance: names [7], expected one of 42, 43"));
    assert_eq!(first(crossed().ranges([43], [(1, 2)])), "Interlock::ranges: has 1 ranges, expected 2");
    let other = Audience::interlock([Question::choice(1).option("1", 50).option("2", 50), gender()]);
    let last = other.quota_table(100).unwrap();
    assert!(first(crossed().carry_over(&last)).starts_with("Interlock::carry_over: the table"));
    let most = first(crossed().smallest_cell(100));
    assert!(most.contains("no quotas meet these targets"), "{most}");
}

/// A band that rounds to nothing at this goal has cells like any other.
#[test]
fn room_is_found_for_a_share_that_is_rounded_to_nothing() {
    let age = Question::range(42).band(18..=54, "59.6").band(55..=89, 40).band(90..=99, "0.4");
    let crossed = Interlock::of([age, gender()]);
    let room = crossed.room_for(5, 100).unwrap();
    assert_eq!(room.largest, 0);
    assert!(room.least_goal.is_some_and(|goal| (2_300..2_600).contains(&goal)), "{room}");
    assert_eq!(room.merges, Some(vec!["question 42: 55-89 + 90-99".to_owned()]));
    let error = Audience::interlock(crossed.smallest_cell(5)).quota_table(500).unwrap_err().to_string();
    assert!(error.contains("90-99 has cells that shall hold at least 10, its target is 2"), "{error}");
}

/// That no merging and no goal does it is an answer; that a limit was reached is none.
#[test]
fn room_that_cannot_be_is_no_error() {
    let bands = (0..15_u8)
        .fold(Question::range(42), |question, at| question.band(18 + 5 * at..=22 + 5 * at, Share::Completes(20)));
    let even = Question::choice(43).option("1", Share::Completes(150)).option("2", Share::Completes(150));
    let crossed = Interlock::of([bands, even]);
    assert!(crossed.room_for(35, 300).unwrap().merges.is_some_and(|merges| !merges.is_empty()));
    assert_eq!(crossed.room_for(151, 300).unwrap().merges, None);
    assert_eq!(crossed.clone().at_most([0, 0], 3).room_for(5, 300).unwrap().least_goal, None);
    let error = crossed.work_limit(1_000).room_for(35, 300).unwrap_err();
    assert!(error.to_string().contains("the limit of work was reached"), "{error}");
}

/// Percents that stand for what is asked for are not told as blurred, because a wave missed some or targets give way.
async fn what_moves_the_targets_is_not_told_as_blurred<V: Version>(_: Setup<V>) {
    let told = |audience: Audience, goal: u32| -> Vec<String> {
        audience.quota_warnings::<V>(goal).unwrap().iter().map(ToString::to_string).collect()
    };
    // 240 and 260 of 500 are whole percents.
    let last = came(Audience::interlock(even()), 500, &[125, 125, 105, 125]);
    let tracker = Audience::interlock(even().carry_over(&last));
    assert_eq!(told(tracker, 500), [""; 0]);
    let age = Question::range(42).band(18..=34, 60).band(35..=99, 40);
    let even = Question::choice(43).option("1", 50).option("2", 50);
    let giving = Interlock::of([age, even.clone()]).at_most([0, 0], 7).tolerance([42], 10);
    let told_of = told(Audience::interlock(giving), 100);
    let gives = ["18-34 gets 57 instead of 60: not all can be met", "35-99 gets 43 instead of 40: not all can be met"];
    assert_eq!(told_of, gives);
    // A part of a complete gives way.
    let age = Question::range(42).band(18..=34, "60.4").band(35..=99, "39.6");
    let giving = Interlock::of([age, even]).at_most([0, 0], 10).tolerance([42], 10);
    let told_of = told(Audience::interlock(giving).in_percent(), 100);
    assert!(!told_of.iter().any(|it| it.contains("gets 60 instead of 60")), "{told_of:?}");
}

/// The group's goal is another than what its quotas add up to: a plan that changes nothing else brings it back.
async fn a_goal_alone_is_applied_with_the_quotas_as_they_are<V: Version>(setup: Setup<V>) {
    let group = launched(&setup, super::age_and_gender(), 500).await;
    let quotas = group.quotas();
    let table = quotas.read().await.unwrap().remove(0);
    let cells = |table: &QuotaTable| table.cells().map(|(_, quota)| quota.target).collect::<Vec<_>>();
    let mut plan = table.rebalancing().to(500).plan().unwrap();
    assert!(plan.changes.is_empty() && plan.goal == Some(500), "{plan}");
    for goal in [510, 500] {
        plan.goal = Some(goal);
        let after = quotas.apply(&plan).await.unwrap().remove(0);
        assert_eq!(cells(&after), cells(&table), "{after}");
        assert_eq!(group.details().await.unwrap().completes_goal, Some(goal.try_into().unwrap()));
        // Who names no goal changes none.
        quotas.apply(&after.rebalance().unwrap()).await.unwrap();
        assert_eq!(group.details().await.unwrap().completes_goal, Some(goal.try_into().unwrap()));
    }
    // What is so already is not sent.
    let before = setup.sandbox.requests().iter().filter(|it| it.method != "GET").count();
    quotas.apply(&plan).await.unwrap();
    assert_eq!(setup.sandbox.requests().iter().filter(|it| it.method != "GET").count(), before);
    setup.assert_no_violation();
}

/// Questions that are not crossed make up for what the last wave missed, too, each for itself.
async fn questions_side_by_side_make_up_for_a_wave<V: Version>(setup: Setup<V>) {
    let age = || Question::range(42).band(18..=34, 50).band(35..=99, 50);
    let of = |tables: &[QuotaTable], question: i64| {
        tables.iter().find(|table| table.axes()[0].question == Some(question)).unwrap().clone()
    };
    let group = launched(&setup, Audience::independent([age(), gender()]), 100).await;
    let mut tables = group.quotas().read().await.unwrap();
    for (table, done) in tables.iter_mut().zip([[38, 50], [49, 39]]) {
        let ids: Vec<String> = table.cells().filter_map(|(_, quota)| quota.id.clone()).collect();
        ids.iter().zip(done).for_each(|(id, completes)| assert!(table.update(id, completes, completes)));
    }
    let next = |goal| [age().carry_over(&of(&tables, 42), goal), gender().carry_over(&of(&tables, 43), goal)];
    let completes = |goal: u32| -> Vec<u32> {
        let shares = next(goal).into_iter().flat_map(|question| question.unwrap().targets().to_vec());
        let completes = shares.map(|target| match target.share() {
            Share::Completes(count) => *count,
            other => panic!("{other}"),
        });
        completes.collect()
    };
    assert_eq!(completes(212), [112, 100, 98, 114]);
    assert_eq!(completes(12), [12, 0, 0, 12]);
    assert_eq!(completes(6), [6, 0, 0, 6]);
    let group = launched(&setup, Audience::independent(next(212).map(Result::unwrap)), 212).await;
    let tables = group.quotas().read().await.unwrap();
    let targets: Vec<u64> = targets(&of(&tables, 42), 42);
    assert_eq!(targets.iter().sum::<u64>(), 212);
    assert!(targets[0].abs_diff(112) <= 2, "{targets:?}");
    let other = gender().carry_over(&of(&tables, 42), 212).unwrap_err().to_string();
    assert!(other.contains("about other people"), "{other}");
    setup.assert_no_violation();
}

fn even() -> Interlock {
    let age = Question::range(42).band(18..=34, 50).band(35..=99, 50);
    Interlock::of([age, Question::choice(43).option("1", 50).option("2", 50)])
}

/// A wave in which so many came.
fn came(audience: Audience, goal: u32, completes: &[u64]) -> QuotaTable {
    let mut kept = serde_json::to_value(audience.quota_table(goal).unwrap()).unwrap();
    completes.iter().enumerate().for_each(|(cell, count)| kept["cells"][cell]["completes"] = (*count).into());
    serde_json::from_value(kept).unwrap()
}

/// Who is full gets nobody of what was missed, down to a goal of nothing else.
#[test]
fn a_wave_of_what_was_missed_asks_for_nobody_else() {
    let last = came(Audience::interlock(even()), 100, &[25, 15, 17, 25]);
    for (goal, wanted) in [(18, [0, 10, 8, 0]), (9, [0, 5, 4, 0]), (118, [25, 35, 33, 25])] {
        let table = Audience::interlock(even().carry_over(&last)).quota_table(goal).unwrap();
        let targets: Vec<u64> = table.cells().filter_map(|(_, quota)| quota.target).collect();
        assert_eq!((targets.as_slice(), table.warnings()), (&wanted[..], &[][..]), "{goal}");
    }
}

/// A smallest cell, bounds and ranges are asked of the whole, with what was missed.
#[test]
fn wishes_of_a_tracker_are_held_against_the_whole() {
    let age = Question::range(42).band(18..=34, 96).band(35..=99, 4);
    let rare = Interlock::of([age, Question::choice(43).option("1", 60).option("2", 40)]);
    let last = came(Audience::interlock(rare.clone()), 500, &[288, 192, 5, 3]);
    let next = rare.carry_over(&last);
    let cells = |crossed: Interlock, goal: u32| -> Vec<u64> {
        let table = Audience::interlock(crossed).quota_table(goal).unwrap();
        table.cells().filter_map(|(_, quota)| quota.target).collect()
    };
    assert_eq!(cells(next.clone().smallest_cell(5), 112), [58, 38, 9, 7]);
    assert_eq!(cells(next.clone().at_least([1, 1], 7), 112), [58, 38, 9, 7]);
    let room = next.room_for(5, 112).unwrap();
    assert!(room.largest >= 5 && room.merges == Some(Vec::new()), "{room:?}");
    // What works at the least goal does not at the one below.
    let least = u32::try_from(room.least_goal.unwrap()).unwrap();
    assert!(least < 112, "{room:?}");
    assert!(cells(next.clone().smallest_cell(5), least).iter().all(|cell| *cell >= 5));
    let below = Audience::interlock(next.clone().smallest_cell(5)).quota_table(least - 1).unwrap_err();
    assert!(below.to_string().contains("no quotas meet these targets"), "{below}");
    assert_eq!(next.at_most([0, 0], 60).room_for(15, 112).unwrap().least_goal, None);

    let last = came(Audience::interlock(even()), 500, &[125, 125, 105, 125]);
    let ranged = even().carry_over(&last).ranges([42], [(255, 265), (255, 265)]);
    let table = Audience::interlock(ranged).quota_table(520).unwrap();
    assert_eq!(targets(&table, 42), [255, 265]);
    let said: Vec<String> = table.warnings().iter().map(ToString::to_string).collect();
    assert!(said.contains(&"18-34 gets 255 instead of 250: not all can be met".to_owned()), "{said:?}");
}

#[test]
fn counts_of_a_last_wave_that_are_too_large_are_a_problem() {
    let mut kept = serde_json::to_value(Audience::interlock(even()).quota_table(100).unwrap()).unwrap();
    (0..4).for_each(|cell| kept["cells"][cell]["target"] = u64::MAX.into());
    let last: QuotaTable = serde_json::from_value(kept).unwrap();
    let problems = Audience::interlock(even().carry_over(&last)).problems(Some(500));
    assert!(problems[0].to_string().contains("expected at most 9007199254740992"), "{problems:?}");
}

/// What an audience may cost, a plan for it may cost, unless it says something else.
#[test]
fn a_plan_keeps_the_limits_of_its_audience() {
    let table = Audience::interlock(even()).quota_table(100).unwrap();
    let limited = Audience::interlock(even().work_limit(0));
    for start in [table.rebalancing().asked_by(&limited), table.rebalancing().asked_by(&limited).to(150)] {
        assert!(start.plan().unwrap_err().to_string().contains("the limit of work was reached"));
        assert!(start.ways_out().is_err());
        assert!(start.work_limit(1_000_000).plan().is_ok());
    }
}

/// Twelve waves of 200 that each end too early: what one misses, the next makes up for.
#[cfg(feature = "v2025-12-18")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tracker_runs_for_twelve_waves() {
    use std::time::Duration;

    const WAVE: u32 = 200;
    const WAVES: u64 = 12;
    let sandbox = cintx_sandbox::Sandbox::builder().seed(7).field_pace(Duration::from_secs(10));
    let setup = Setup::<cintx::V2025_12_18>::on(sandbox).await;
    let age = || Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
    let asked = Audience::interlock([age(), gender()]).quota_table(WAVE).unwrap();
    let mut last: Option<QuotaTable> = None;
    let mut completes = [0_u64; 6];
    let mut shortfalls = Vec::new();
    for wave in 0..WAVES {
        let (mut crossed, mut goal) = (Interlock::of([age(), gender()]), WAVE);
        if let Some(last) = &last {
            crossed = crossed.carry_over(last);
            goal += u32::try_from(last.shortfall()).unwrap();
        }
        let group = launched(&setup, Audience::interlock(crossed), goal).await;
        // Field ends when nine in ten are there, or somewhat earlier.
        let enough = u64::from(goal) * (90 - wave % 4) / 100;
        let mut table = group.quotas().read().await.unwrap().remove(0);
        // What is asked for is a wave, and what the last one missed, cell by cell.
        for (position, quota) in table.cells() {
            let own = asked.cell(&position).and_then(|quota| quota.target).unwrap();
            let missed = last
                .as_ref()
                .and_then(|last| last.cell(&position))
                .map_or(0, |it| i64::try_from(it.target.unwrap()).unwrap() - i64::try_from(it.completes).unwrap());
            let wanted = i64::try_from(own).unwrap() + missed;
            assert_eq!(quota.target.map(|it| i64::try_from(it).unwrap()), Some(wanted), "wave {wave}: {table}");
        }
        for _ in 0..1_000 {
            if table.sum().completes >= enough {
                break;
            }
            setup.sandbox.advance(Duration::from_secs(120));
            table = group.quotas().read().await.unwrap().remove(0);
        }
        assert!(table.sum().completes >= enough, "wave {wave}: {table}");
        let achieved = table.achieved_of(&asked).unwrap();
        let size = achieved.effective_sample_size;
        assert!(size > 0.85 * table.sum().completes as f64, "wave {wave}: {size:.1}\n{table}");
        assert_eq!(achieved.uncovered, 0.0, "wave {wave}: {table}");
        completes.iter_mut().zip(table.cells()).for_each(|(sum, (_, quota))| *sum += quota.completes);
        shortfalls.push(table.shortfall());
        println!(
            "wave {:>2}: {} of {goal} completes, effective sample size {size:.1}",
            wave + 1,
            table.sum().completes
        );
        last = Some(table);
    }
    assert!(shortfalls.iter().all(|missed| *missed > 0), "{shortfalls:?}");
    // Nothing is lost on the way, and over all waves the proportions are those that were asked for.
    let last = last.unwrap();
    assert_eq!(completes.iter().sum::<u64>() + last.shortfall(), u64::from(WAVE) * WAVES);
    for ((position, quota), done) in last.cells().zip(completes) {
        let open = quota.target.unwrap() - quota.completes;
        let own = asked.cell(&position).and_then(|quota| quota.target).unwrap();
        assert_eq!(done + open, own * WAVES, "{position:?}");
    }
    setup.assert_no_violation();
}
