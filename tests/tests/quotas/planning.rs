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
    if V::DATE < "2025-12-18" {
        // Cells come in words alone, and two questions have the same words: whom they mean is not known.
        assert_eq!(plan.unwrap_err().invalid_fields()[0].field(), "audience");
        return;
    }
    let plan = plan.unwrap();
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
