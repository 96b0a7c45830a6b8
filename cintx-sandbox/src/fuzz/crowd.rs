//! Statistical tests of the field: each effect that a scenario names, shown on
//! a population large enough that chance alone does not explain it. All have
//! their seeds, so they give the same numbers every time.

use crate::scenario::Scenario;
use crate::sim::clock::Clock;
use crate::state::audience::{AGE, Audience, Condition, GENDER, Profile, ProfileKind, Quota, Target, Wanted};
use crate::state::exclusion::ExclusionGroup;
use crate::state::field::{self, Transition};
use crate::state::fielding::{self, RunStatus};
use crate::state::file_job::{self, List};
use crate::state::market::TEST_SUPPLIER;
use crate::state::outbox::{Delivery, MAX_WAITING_EVENTS, Progress};
use crate::state::reconciliation::{self, Submission};
use crate::state::report::{self, Report};
use crate::state::session::{Session, Standing};
use crate::state::supply::Share;
use crate::state::target_group::{Money, TargetGroup};
use crate::state::webhook::{self, Webhook};
use crate::state::{Settings, World, arrivals};
use jiff::{SignedDuration, Timestamp, tz};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long groups are in field.
const DAYS: i32 = 28;

/// Monday morning in London, with one respondent a minute unless the scenario
/// says otherwise.
fn world(seed: u64, scenario: Scenario) -> World {
    let settings = Settings {
        seed,
        field_pace: SignedDuration::from_mins(1),
        field_burst: 0,
        session_time: SignedDuration::from_secs(1),
        scenario: Arc::new(scenario),
        ..Settings::default()
    };
    World::new(settings, Clock::Standing { now: "2025-06-02T00:00:00Z".parse().unwrap() })
}

/// A live group that takes everybody, changed.
fn launch(world: &mut World, change: impl FnOnce(&mut TargetGroup)) -> String {
    let (id, now) = (world.ulid(), world.now());
    let end = now + DAY * DAYS;
    let mut group = TargetGroup {
        locale: "eng_us".into(),
        goal: 100_000,
        interview_minutes: 10,
        incidence: 0.5,
        filling_strategy: "prescreens".into(),
        ..TargetGroup::new(id.clone(), "1".into(), "project".into(), now, (now, end))
    };
    change(&mut group);
    let goal = group.goal;
    group.audience.set_goals(goal);
    assert!(world.add_group(group));
    fielding::create(world, now, &id, now, end, RunStatus::Live);
    id
}

fn pass(world: &mut World, time: SignedDuration) {
    world.clock.advance(time);
    world.settle();
}

fn group<'w>(world: &'w World, id: &str) -> &'w TargetGroup {
    world.groups.get(id).unwrap()
}

fn sessions<'w>(world: &'w World, id: &str) -> Vec<&'w Session> {
    world.sessions_of(group(world, id)).collect()
}

fn completes(world: &World, id: &str) -> u64 {
    group(world, id).ledger.total.completes
}

/// Quotas of men and women, in percent, in that order.
fn genders(men: f64, women: f64) -> Audience {
    let target = |option: &str, percentage| Target {
        id: option.into(),
        name: None,
        conditions: vec![Condition {
            id: String::new(),
            question: GENDER,
            wanted: Wanted::Option(option.into()),
            text: None,
        }],
        grouped: false,
        quota: Some(Quota { percentage, ..Quota::default() }),
    };
    let profile = Profile {
        id: "gender".into(),
        legacy_id: 1,
        kind: ProfileKind::Regular,
        name: None,
        quotas_enabled: true,
        targets: vec![target("1", men), target("2", women)],
        participants: Vec::new(),
    };
    Audience { profiles: vec![profile], ..Audience::default() }
}

/// Completes of men and of women.
fn fill(world: &World, id: &str) -> (u64, u64) {
    let count = |at: usize| {
        let target = group(world, id).audience.targets().nth(at).unwrap();
        target.quota.as_ref().unwrap().tally.completes
    };
    (count(0), count(1))
}

/// The sum of squares by which counts differ from what their weights say.
fn chi_square(counts: &[u64], weights: &[f64]) -> f64 {
    let (total, sum) = (counts.iter().sum::<u64>() as f64, weights.iter().sum::<f64>());
    counts
        .iter()
        .zip(weights)
        .map(|(count, weight)| (*count as f64 - total * weight / sum).powi(2) * sum / (total * weight))
        .sum()
}

/// Holds that a count is one that is to be expected of independent events:
/// within four deviations of the Poisson distribution.
#[track_caller]
fn assert_near(count: u64, expected: f64) {
    assert!((count as f64 - expected).abs() < 4.0 * expected.sqrt().max(1.0), "{count}, not {expected:.0}");
}

#[test]
fn arrivals_are_a_poisson_process() {
    let mut world = world(11, Scenario::default());
    let id = launch(&mut world, |_| {});
    pass(&mut world, DAY * 7);
    let at: Vec<f64> =
        sessions(&world, &id).iter().map(|one| one.entered_at.as_millisecond() as f64 / 60_000.0).collect();
    assert_near(at.len() as u64, 7.0 * 1_440.0);
    let mut gaps: Vec<f64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_by(f64::total_cmp);
    // Kolmogorov and Smirnov's distance to the exponential distribution.
    let count = gaps.len() as f64;
    let distance = gaps
        .iter()
        .enumerate()
        .map(|(at, gap)| ((1.0 - (-gap).exp()) - (at as f64 + 0.5) / count).abs())
        .fold(0.0, f64::max);
    assert!(distance < 1.63 / count.sqrt(), "{distance} over {count} gaps, at the 1 % level");
}

#[test]
fn arrivals_follow_the_local_hour_and_the_weekday() {
    let mut scenario = Scenario::lifelike();
    scenario.arrivals.per_day = Some(200.0);
    let (hours, week) = (scenario.arrivals.hours.clone(), scenario.arrivals.week.clone());
    let mut world = world(12, scenario);
    let id = launch(&mut world, |_| {});
    pass(&mut world, DAY * DAYS);
    let (mut by_hour, mut by_day) = (vec![0; 24], vec![0; 7]);
    for session in sessions(&world, &id) {
        let local = tz::Offset::constant(-6).to_datetime(session.entered_at);
        by_hour[local.hour() as usize] += 1;
        by_day[local.date().weekday().to_monday_zero_offset() as usize] += 1;
    }
    // Bounds that chance exceeds once in a thousand times, for 23 and for 6 degrees of freedom.
    let (days, nights) = (chi_square(&by_hour, &hours), by_hour[3]);
    assert!(days < 49.7, "{days}: {by_hour:?}");
    assert!(chi_square(&by_day, &week) < 22.5, "{by_day:?}");
    assert!(by_hour[20] > 10 * nights, "evenings are busier than nights: {by_hour:?}");
    assert!(chi_square(&by_hour, &[1.0; 24]) > 1_000.0, "an even day would not explain it");
}

#[test]
fn arrivals_differ_by_country_and_supplier() {
    let scenario = Scenario::lifelike();
    let mut world = world(13, scenario.clone());
    let ids = ["eng_us", "ger_de", "jpn_jp"].map(|locale| launch(&mut world, |group| group.locale = locale.into()));
    pass(&mut world, DAY * 14);
    for (id, factor) in ids.iter().zip([2.0, 1.0, 0.8]) {
        assert_near(sessions(&world, id).len() as u64, 400.0 * 14.0 * factor);
    }
    for (id, country) in ids.iter().zip(["us", "de", "jp"]) {
        let suppliers: Vec<i64> = (1101..=1107).collect();
        let all = sessions(&world, id);
        let count = |id: &i64| all.iter().filter(|session| session.supplier_id == *id).count() as u64;
        let counts: Vec<u64> = suppliers.iter().map(count).collect();
        let sizes: Vec<f64> = suppliers.iter().map(|id| scenario.size(*id, country)).collect();
        assert!(chi_square(&counts, &sizes) < 22.5, "{country}: {counts:?} of {sizes:?}");
        assert_eq!(counts.iter().sum::<u64>(), all.len() as u64, "the test supplier was not asked");
    }
}

#[test]
fn everybody_may_drop_out() {
    let mut scenario = Scenario::default();
    scenario.outcomes.drop_out = 1.0;
    let mut world = world(15, scenario);
    let id = launch(&mut world, |_| {});
    pass(&mut world, DAY);
    let total = &group(&world, &id).ledger.total;
    assert!(total.dropped > 1_000, "{total:?}");
    assert_eq!(total.dropped + total.in_survey, total.entered(), "{total:?}");
}

#[test]
fn the_price_draws_with_a_floor_and_falling_returns() {
    let mut world = world(14, Scenario::lifelike());
    let response = world.settings.scenario.price.clone();
    let ratios = [0.3, 0.6, 1.0, 2.0, 4.0, 8.0];
    let priced = |group: &mut TargetGroup, ratio: f64| {
        let value = format!("{:.4}", ratio * arrivals::fair_price(group));
        group.price = Some(Money { value, currency: "USD".into() });
    };
    let ids = ratios.map(|ratio| launch(&mut world, |group| priced(group, ratio)));
    pass(&mut world, DAY * 7);
    let counts: Vec<u64> = ids.iter().map(|id| sessions(&world, id).len() as u64).collect();
    for (count, ratio) in counts.iter().zip(ratios) {
        assert_near(*count, 800.0 * 7.0 * response.at(ratio));
    }
    assert_eq!(counts[0], 0, "nobody comes below the floor");
    // A better price acts at once.
    priced(world.groups.get_mut(&ids[0]).unwrap(), 2.0);
    pass(&mut world, DAY);
    assert!(sessions(&world, &ids[0]).len() > 500);
}

#[test]
fn incidence_is_as_asked_with_its_spread() {
    let rates = |spread: Option<f64>| {
        let mut scenario = Scenario::default();
        scenario.outcomes.incidence_spread = spread;
        let mut world = world(15, scenario);
        let ids: Vec<String> = (0..60).map(|_| launch(&mut world, |group| group.incidence = 0.3)).collect();
        pass(&mut world, SignedDuration::from_hours(5));
        let rates: Vec<f64> = ids.iter().map(|id| group(&world, id).ledger.total.incidence()).collect();
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        (mean, (rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / rates.len() as f64).sqrt())
    };
    // About 255 answer the screening questions of each group, so chance alone
    // deviates by 0.029; a spread of 0.2 by 0.092, together by 0.096.
    for (spread, deviation) in [(None, 0.0), (Some(0.0), 0.029), (Some(0.2), 0.096)] {
        let (mean, own) = rates(spread);
        assert!((mean - 0.3).abs() < 0.04, "{spread:?}: {mean}");
        assert!((own - deviation).abs() < 0.01 + 0.25 * deviation, "{spread:?}: {own}");
    }
}

#[test]
fn interviews_last_around_the_expected_length_and_long_ones_lose_people() {
    let mut world = world(16, Scenario::lifelike());
    let ids = [5, 30].map(|minutes| launch(&mut world, |group| group.interview_minutes = minutes));
    pass(&mut world, DAY * 10);
    for (id, minutes) in ids.iter().zip([5.0, 30.0]) {
        let all = sessions(&world, id);
        let length =
            |session: &&Session| session.entered_at.duration_until(session.left_at.unwrap()).as_secs_f64() / 60.0;
        let lengths = |standing: Standing| {
            let mut all: Vec<f64> = all.iter().filter(|one| one.standing == standing).map(length).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        let whole = lengths(Standing::Complete);
        let median = |all: &[f64]| all[all.len() / 2];
        assert!((median(&whole) / minutes - 1.0).abs() < 0.04, "{}", median(&whole));
        assert!(median(&lengths(Standing::Terminated)) < 0.2 * minutes);
        let logs: Vec<f64> = whole.iter().map(|length| (length / minutes).ln()).collect();
        let deviation = (logs.iter().map(|log| log.powi(2)).sum::<f64>() / logs.len() as f64).sqrt();
        assert!((deviation - 0.35).abs() < 0.02, "{deviation}");
        let dropped = all.iter().filter(|one| one.standing == Standing::Dropped).count() as u64;
        assert_near(dropped, all.len() as f64 * (0.03 + 0.006 * minutes));
    }
}

#[test]
fn quotas_fill_as_the_country_is_skewed_and_some_come_over_quota() {
    let mut world = world(17, Scenario::lifelike());
    let id = launch(&mut world, |group| {
        group.locale = "eng_in".into();
        group.audience = genders(50.0, 50.0);
        group.goal = 1_000;
    });
    pass(&mut world, DAY);
    // Three in ten are women.
    let (men, women) = fill(&world, &id);
    assert_near(women, (men + women) as f64 * 0.3);
    let over_quota = |world: &World| group(world, &id).ledger.total.over_quota;
    let early = over_quota(&world);
    while fill(&world, &id).0 < 500 {
        pass(&mut world, DAY);
    }
    let (men, women) = fill(&world, &id);
    assert!(men == 500 && women < 300, "the men's quota closes first: {men} {women}");
    let turned_away = group(&world, &id).ledger.turned_away;
    pass(&mut world, DAY * 2);
    assert!(fill(&world, &id).0 == 500 && fill(&world, &id).1 > women);
    assert!(group(&world, &id).ledger.turned_away > turned_away + 100);
    assert!(over_quota(&world) > early + 30, "some enter the survey though their quota is full");
}

#[test]
fn ages_come_in_the_bands_of_the_country() {
    let mut world = world(18, Scenario::lifelike());
    let bands = [(18, 34, 0.7), (35, 54, 0.25), (55, 99, 0.05)];
    let id = launch(&mut world, |group| {
        group.locale = "eng_in".into();
        group.audience = genders(33.0, 33.0);
        let profile = &mut group.audience.profiles[0];
        profile.targets.push(profile.targets[0].clone());
        for (target, (from, to, _)) in profile.targets.iter_mut().zip(bands) {
            target.id = from.to_string();
            target.conditions[0].question = AGE;
            target.conditions[0].wanted = Wanted::Range(from, to);
        }
    });
    pass(&mut world, DAY * 5);
    let all = sessions(&world, &id);
    let count = |from: i64| all.iter().filter(|one| one.targets == [from.to_string()]).count() as u64;
    let counts = bands.map(|(from, _, _)| count(from));
    // Once in a thousand times, for 2 degrees of freedom.
    assert!(chi_square(&counts, &bands.map(|(_, _, part)| part)) < 13.8, "{counts:?}");
}

#[test]
fn pacing_opens_the_goal_step_by_step() {
    let mut world = world(19, Scenario::default());
    let paced = |world: &mut World, kind: &str| {
        launch(world, |group| {
            group.goal = 280;
            group.assistant = json!({ "pacing": { "type": kind, "increment_interval": "P1D" } });
        })
    };
    let (linear, adaptive, free) =
        (paced(&mut world, "linear"), paced(&mut world, "adaptive"), paced(&mut world, "none"));
    let exposed = linear.clone();
    let control = launch(&mut world, |group| {
        group.goal = 56;
        group.assistant = json!({ "pacing": { "type": "gemini", "exposed_target_group_id": exposed } });
    });
    let halt = |world: &mut World, id: &str, live: bool| {
        let status = if live { RunStatus::Live } else { RunStatus::Paused };
        let now = world.now();
        fielding::change(world, now, id, status, fielding::Cause::User);
    };
    for day in 1..=20_u64 {
        pass(&mut world, DAY);
        // Both stand still for four days.
        if day == 5 || day == 9 {
            halt(&mut world, &linear, day == 9);
            halt(&mut world, &adaptive, day == 9);
        }
        if !(5..9).contains(&day) {
            assert!(completes(&world, &linear) <= 10 * day, "day {day}");
        }
        let control = completes(&world, &control);
        assert!(control <= completes(&world, &linear).div_ceil(5), "{control} on day {day}");
    }
    assert_eq!(completes(&world, &free), 280);
    assert_eq!(completes(&world, &linear), 200, "the linear one catches up");
    // 50 after five days; the other 230 in the 19 days that are left, of which eleven are over.
    let adaptive = completes(&world, &adaptive);
    assert!((180..=195).contains(&adaptive), "the adaptive one spreads what it missed: {adaptive}");
    // It waits a while before it looks again.
    assert!(completes(&world, &control) >= 36);
}

#[test]
fn balance_keeps_quotas_together() {
    let apart = |balance: bool| {
        let mut world = world(20, Scenario::lifelike());
        let id = launch(&mut world, |group| {
            group.locale = "eng_in".into();
            group.audience = genders(50.0, 50.0);
            group.goal = 1_000;
            group.assistant = json!({ "quota_overlay": { "prevent_overfill": true, "balance_fill": balance } });
        });
        while completes(&world, &id) < 400 {
            pass(&mut world, SignedDuration::from_hours(6));
        }
        let (men, women) = fill(&world, &id);
        men.abs_diff(women)
    };
    let (with, without) = (apart(true), apart(false));
    assert!(with <= 110 && without > with + 20, "{with} {without}");
}

#[test]
fn those_in_the_survey_overfill_where_completes_alone_count() {
    let overfill = |strategy: &str, prevent: bool| {
        let mut scenario = Scenario::lifelike();
        scenario.arrivals.per_day = Some(20_000.0);
        let mut world = world(21, scenario);
        let id = launch(&mut world, |group| {
            group.goal = 100;
            group.incidence = 1.0;
            group.interview_minutes = 30;
            group.filling_strategy = strategy.into();
            group.audience = genders(50.0, 50.0);
            group.assistant = json!({ "quota_overlay": { "prevent_overfill": prevent, "balance_fill": false } });
        });
        pass(&mut world, DAY * 2);
        completes(&world, &id).saturating_sub(100)
    };
    assert_eq!((overfill("prescreens", false), overfill("completes", true)), (0, 0));
    let over = overfill("completes", false);
    assert!(over > 20, "{over} more than asked for");
}

#[test]
fn a_budget_is_not_exceeded_and_a_soft_launch_opens_its_part() {
    let mut world = world(22, Scenario::default());
    let money = |value: &str| Some(Money { value: value.into(), currency: "USD".into() });
    let tight = launch(&mut world, |group| {
        group.price = money("4.00");
        group.assistant = json!({ "pricing": { "type": "dynamic", "total_budget": { "value": "201.00" } } });
    });
    let soft = launch(&mut world, |group| {
        group.goal = 200;
        group.audience = genders(90.0, 10.0);
        let end = (group.start_at + DAY * 2).to_string();
        let strict = json!({ "end_at": end, "filling_goal_percentage": 20, "demographics_strictness_percentage": 100 });
        group.assistant = json!({ "soft_launch": strict });
    });
    pass(&mut world, DAY + DAY / 2);
    assert_eq!(group(&world, &tight).ledger.total.cost.to_string(), "200.00");
    assert_eq!(completes(&world, &soft), 40);
    assert_eq!(fill(&world, &soft), (36, 4), "a strict soft launch opens the same part of each quota");
}

#[test]
fn a_budget_is_held_where_the_price_rises_and_where_people_come_back() {
    let mut world = world(25, Scenario::default());
    let now = world.now();
    let budgeted = |world: &mut World, budget: &str| {
        launch(world, |group| {
            group.incidence = 1.0;
            group.price = Some(Money { value: "4".into(), currency: "USD".into() });
            group.assistant = json!({ "pricing": { "type": "dynamic", "total_budget": { "value": budget } } });
        })
    };
    let come = |world: &mut World, id: &str, simulated: bool| -> Vec<String> {
        std::iter::from_fn(|| field::enter(world, now, id, simulated)).take(100).collect()
    };
    let dearer = |world: &mut World, id: &str| {
        world.groups.get_mut(id).unwrap().price = Some(Money { value: "8".into(), currency: "USD".into() });
    };
    // Moved on by a client.
    let id = budgeted(&mut world, "40");
    let rids = come(&mut world, &id, false);
    assert_eq!(rids.len(), 10);
    dearer(&mut world, &id);
    let moved = rids.iter().map(|rid| field::transition(&mut world, rid, 5).unwrap());
    let (done, refused): (Vec<_>, Vec<_>) = moved.partition(|one| *one == Transition::Done(5));
    assert_eq!((done.len(), refused), (5, vec![Transition::Refused(1); 5]));
    assert_eq!(group(&world, &id).ledger.total.cost.to_string(), "40");
    // By the simulation.
    let id = budgeted(&mut world, "40");
    let rids = come(&mut world, &id, true);
    dearer(&mut world, &id);
    rids.iter().for_each(|rid| field::leave(&mut world, now, rid));
    let total = &group(&world, &id).ledger.total;
    assert!(rids.len() > 7 && total.completes <= 5 && total.in_survey == 0, "{} {total:?}", rids.len());
    // Back from a break, when others have taken what was left.
    let id = budgeted(&mut world, "8");
    let rids = come(&mut world, &id, false);
    field::transfer(&mut world, now, &rids[0], Standing::Dropped, None);
    let third = come(&mut world, &id, false);
    for rid in rids[1..].iter().chain(&third) {
        assert_eq!(field::transition(&mut world, rid, 5).unwrap(), Transition::Done(5));
    }
    assert_eq!(field::transition(&mut world, &rids[0], 5).unwrap(), Transition::Refused(1));
    assert_eq!(field::transition(&mut world, &rids[0], 3).unwrap(), Transition::Done(3));
}

/// Somebody who listens, and events enough to keep it busy for a while.
fn subscribe(world: &mut World, waiting: usize) {
    let now = world.now();
    let hook = Webhook {
        id: "hook".into(),
        url: "http://127.0.0.1:1/".into(),
        events: vec![webhook::SESSION.into(), webhook::FILL.into(), webhook::GROUP.into()],
        secret: String::new(),
        created_at: now,
        changed_at: now,
        version: 1,
    };
    world.webhooks.put("hook".into(), hook, 1_000);
    world.has_courier = true;
    let payload = Arc::new(json!({}));
    for number in 0..waiting {
        let (id, entity) = (format!("{number:06}"), format!("thing {number}"));
        world.outbox.entry("hook".into()).or_default().push(id.clone(), entity.clone(), now);
        world.deliveries.put(Delivery {
            id,
            webhook: "hook".into(),
            entity,
            kind: webhook::GROUP,
            payload: payload.clone(),
            progress: Progress::Pending,
            created_at: now,
            queued_at: now,
            attempts: 0,
            weight: 1,
        });
    }
}

#[test]
fn a_long_list_is_worked_through_as_subscribers_catch_up() {
    let mut world = world(26, Scenario::default());
    let (id, now) = (launch(&mut world, |_| {}), world.now());
    let rids: Vec<String> = (0..50).filter_map(|_| field::enter(&mut world, now, &id, false)).collect();
    for rid in &rids {
        field::transition(&mut world, rid, 5).unwrap();
    }
    subscribe(&mut world, MAX_WAITING_EVENTS - 20);
    let rows = rids.iter().map(|rid| (rid.clone(), "933".into())).collect();
    let list = reconciliation::submit(&mut world, "list".into(), Submission::Reasons(rows));
    pass(&mut world, SignedDuration::from_secs(1));
    let waiting = world.outbox["hook"].waiting();
    assert!((MAX_WAITING_EVENTS..MAX_WAITING_EVENTS + 5).contains(&waiting), "{waiting}");
    assert_eq!(world.reconciliations.get(&list).unwrap().status(), "processing");
    assert!(completes(&world, &id) > 30);
    let mut told = 0;
    for _ in 0..3 {
        let is_session = |event: &&Arc<Value>| event["type"] == "com.cint.session.updated";
        told += webhook::drain(&mut world).iter().filter(is_session).count();
        world.settle();
    }
    let done = world.reconciliations.get(&list).unwrap();
    assert_eq!((done.status(), done.counts.negative, told), ("complete", 50, 50));
    assert_eq!(group(&world, &id).ledger.total.reversed, 50);
}

#[test]
fn what_callers_do_meanwhile_has_a_bound_of_its_own() {
    let mut world = world(27, Scenario::default());
    let (id, now) = (launch(&mut world, |_| {}), world.now());
    subscribe(&mut world, 2 * MAX_WAITING_EVENTS);
    for _ in 0..10 {
        assert!(field::enter(&mut world, now, &id, false).is_some());
    }
    let outbox = &world.outbox["hook"];
    assert_eq!((outbox.waiting(), outbox.expired), (2 * MAX_WAITING_EVENTS, 20));
}

#[test]
fn suppliers_keep_to_their_minimums_and_maximums() {
    let mut world = world(23, Scenario::lifelike());
    let share = |id: i64, min, max| Share { id: id as u64, name: format!("{id}"), min, max, suppliers: vec![id] };
    let bounded = launch(&mut world, |group| {
        group.goal = 200;
        group.supply.groups = vec![share(1106, 40, 100), share(1101, 0, 15), share(TEST_SUPPLIER, 0, 5)];
    });
    let usual = launch(&mut world, |group| group.goal = 200);
    pass(&mut world, DAY * 5);
    let by_supplier = |id: &str| -> BTreeMap<i64, u64> {
        group(&world, id).ledger.by_supplier.iter().map(|(id, tally)| (*id, tally.completes)).collect()
    };
    let (bounded, usual) = (by_supplier(&bounded), by_supplier(&usual));
    assert_eq!((bounded.values().sum::<u64>(), usual.values().sum::<u64>()), (200, 200));
    assert!(bounded[&1106] >= 80 && usual[&1106] < 30, "a minimum is kept free: {bounded:?} {usual:?}");
    assert!(bounded[&1101] <= 30 && usual[&1101] > 30, "a maximum is held: {bounded:?} {usual:?}");
    assert!(bounded[&TEST_SUPPLIER] > 0 && !usual.contains_key(&TEST_SUPPLIER), "the test supplier where asked");
}

/// Which panelists took part in both of two groups.
fn both(world: &World, one: &str, other: &str) -> usize {
    let of = |id: &str| -> BTreeSet<String> { sessions(world, id).iter().map(|one| one.panelist.clone()).collect() };
    of(one).intersection(&of(other)).count()
}

#[test]
fn exclusions_keep_people_out() {
    let mut scenario = Scenario::default();
    scenario.arrivals.returning = 0.5;
    scenario.arrivals.patience = 1_000;
    let mut world = world(24, scenario);
    let first = launch(&mut world, |_| {});
    pass(&mut world, DAY / 2);
    let rule = |kind: &str, id: &str, duration: &str| json!([{ "type": kind, "id": id, "duration": duration }]);
    let free = launch(&mut world, |group| group.project_id = "other".into());
    let recent = launch(&mut world, |group| {
        group.kept.insert("respondent_activity_exclusions".into(), rule("target-group", &first, "P30D"));
    });
    let long_ago = launch(&mut world, |group| {
        group.kept.insert("respondent_activity_exclusions".into(), rule("project", "project", "P1D"));
    });
    let own_project = launch(&mut world, |group| group.project_exclusion = true);
    let (together, listed) = (launch(&mut world, |_| {}), launch(&mut world, |_| {}));
    let now = world.now();
    let exclusion = ExclusionGroup {
        id: "e".into(),
        tag: String::new(),
        description: String::new(),
        groups: [first.clone(), together.clone()].into(),
        created_at: now,
        changed_at: now,
    };
    world.exclusion_groups.put("e".into(), exclusion, 100);
    let rids = sessions(&world, &first).iter().map(|one| one.rid.to_lowercase()).collect();
    file_job::store(&mut world, &listed, List::ExcludedRsids, rids);
    fielding::change(&mut world, now, &first, RunStatus::Completed, fielding::Cause::User);
    pass(&mut world, DAY / 4);
    for (id, kind) in [(&recent, "activity"), (&own_project, "project"), (&together, "group"), (&listed, "list")] {
        assert_eq!(both(&world, &first, id), 0, "{kind}");
        assert!(group(&world, id).ledger.turned_away > 20, "{kind}");
    }
    for id in [&free, &long_ago] {
        let panelists: BTreeSet<&str> = sessions(&world, id).iter().map(|one| one.panelist.as_str()).collect();
        assert_eq!(panelists.len(), sessions(&world, id).len(), "nobody takes part twice in one survey");
    }
    assert!(both(&world, &first, &free) > 20, "without an exclusion, people come again");
    assert_eq!(both(&world, &first, &long_ago), 0);
    // What was long enough ago does not exclude any more.
    pass(&mut world, DAY * 2);
    assert!(both(&world, &first, &long_ago) > 20);
}

#[test]
fn lockouts_keep_out_who_was_in_the_industry() {
    let mut scenario = Scenario::default();
    scenario.arrivals.returning = 0.5;
    scenario.arrivals.patience = 1_000;
    let mut world = world(30, scenario);
    let of = |world: &mut World, industry: &str, lockout: &str| {
        launch(world, |group| {
            group.industry = industry.into();
            group.industry_lockout = lockout.into();
        })
    };
    let end = |world: &mut World, id: &str| {
        let now = world.now();
        fielding::change(world, now, id, RunStatus::Completed, fielding::Cause::User);
    };
    let cars = of(&mut world, "automotive", "no_lockout");
    pass(&mut world, DAY / 2);
    end(&mut world, &cars);
    let free = [("automotive", "no_lockout"), ("finance", "industry_30_days"), ("automotive", "healthcare")];
    let free = free.map(|(industry, lockout)| of(&mut world, industry, lockout));
    let kept_out = [("automotive", "industry_7_days"), ("automotive", "industry_30_days"), ("finance", "automotive")];
    let first = kept_out.map(|(industry, lockout)| of(&mut world, industry, lockout));
    pass(&mut world, DAY / 4);
    for id in &free {
        assert!(both(&world, &cars, id) > 20);
    }
    for id in &first {
        assert_eq!(both(&world, &cars, id), 0);
        assert!(group(&world, id).ledger.turned_away > 20);
    }
    free.iter().chain(&first).for_each(|id| end(&mut world, id));
    pass(&mut world, DAY * 8);
    let again = kept_out.map(|(industry, lockout)| of(&mut world, industry, lockout));
    pass(&mut world, DAY / 4);
    let came = again.map(|id| both(&world, &cars, &id));
    assert!(came[0] > 20 && came[1..] == [0, 0], "a week has passed, and no month: {came:?}");
}

#[test]
fn recontacts_are_the_only_ones_who_come() {
    let mut world = world(25, Scenario::default());
    let first = launch(&mut world, |_| {});
    pass(&mut world, DAY / 8);
    let again = launch(&mut world, |_| {});
    let chosen: BTreeSet<String> = sessions(&world, &first).iter().take(40).map(|one| one.rid.to_lowercase()).collect();
    file_job::store(&mut world, &again, List::Recontacts, chosen.clone());
    pass(&mut world, DAY * 5);
    let wanted: BTreeSet<&str> = sessions(&world, &first).iter().take(40).map(|one| one.panelist.as_str()).collect();
    let came: Vec<&str> = sessions(&world, &again).iter().map(|one| one.panelist.as_str()).collect();
    assert!(came.len() > 30 && came.len() <= 40, "each comes once: {}", came.len());
    assert!(came.iter().all(|one| wanted.contains(one)));
}

#[test]
fn whoever_was_asked_again_stays_one_person() {
    let mut scenario = Scenario::default();
    scenario.arrivals.returning = 0.5;
    scenario.arrivals.patience = 1_000;
    let mut world = world(29, scenario);
    let first = launch(&mut world, |_| {});
    pass(&mut world, DAY / 4);
    let again = launch(&mut world, |_| {});
    let everybody = sessions(&world, &first).iter().map(|one| one.rid.to_lowercase()).collect();
    file_job::store(&mut world, &again, List::Recontacts, everybody);
    pass(&mut world, DAY / 2);
    let (excluded, free) = (launch(&mut world, |_| {}), launch(&mut world, |_| {}));
    let now = world.now();
    let exclusion = ExclusionGroup {
        id: "e".into(),
        tag: String::new(),
        description: String::new(),
        groups: [first.clone(), excluded.clone()].into(),
        created_at: now,
        changed_at: now,
    };
    world.exclusion_groups.put("e".into(), exclusion, 100);
    for group in [&first, &again] {
        fielding::change(&mut world, now, group, RunStatus::Completed, fielding::Cause::User);
    }
    pass(&mut world, DAY);
    assert!(both(&world, &first, &again) > 100, "they were asked again");
    assert_eq!(both(&world, &first, &excluded), 0);
    assert!(both(&world, &first, &free) > 50);
    let panelists: BTreeSet<&str> = sessions(&world, &free).iter().map(|one| one.panelist.as_str()).collect();
    assert_eq!(panelists.len(), sessions(&world, &free).len(), "nobody takes part twice in one survey");
}

#[test]
fn a_lifelike_field_repeats_with_its_seed() {
    let run = |seed: u64| {
        let mut world = world(seed, Scenario::lifelike());
        let id = launch(&mut world, |group| {
            group.audience = genders(50.0, 50.0);
            group.goal = 300;
        });
        pass(&mut world, DAY * 3);
        format!("{:?}", sessions(&world, &id))
    };
    assert_eq!(run(26), run(26));
    assert_ne!(run(26), run(27));
}

/// Every kind of report that there is.
const REPORTS: [&str; 7] = [
    "completes",
    "sample-bought",
    "reconciliation-eligible-rids",
    "reconciliations",
    "reconciliations-status",
    "term-details",
    "respondent-analysis",
];

/// Asks for a report of each kind, which take some time.
fn reports(world: &mut World, group: &str, time: SignedDuration) -> [String; REPORTS.len()] {
    world.settings.job_delay = time;
    REPORTS.map(|kind| {
        let id = world.ulid();
        report::start(
            world,
            Report {
                id: id.clone(),
                kind: kind.into(),
                level: report::Level::TargetGroup,
                filter_ids: vec![group.to_owned()],
                start: "2025-06-01".parse().unwrap(),
                end: "2025-06-30".parse().unwrap(),
                answers: true,
                created_at: world.now(),
                created_by: String::new(),
                progress: report::Progress::Pending,
            },
        );
        id
    })
}

#[test]
fn whoever_comes_back_has_left_when_it_left_for_good() {
    let mut world = world(31, Scenario::default());
    world.settings.field_pace = SignedDuration::ZERO;
    let id = launch(&mut world, |_| {});
    let now = world.now();
    let rids: Vec<String> = (0..3).filter_map(|_| field::enter(&mut world, now, &id, false)).collect();
    pass(&mut world, DAY * 27);
    // The 29th of June.
    let june = world.now();
    rids.iter().for_each(|rid| field::transfer(&mut world, june, rid, Standing::Dropped, None));
    pass(&mut world, DAY * 4);
    let july = world.now();
    assert_eq!(field::transition(&mut world, &rids[0], 5).unwrap(), Transition::Done(5));
    assert_eq!(field::transition(&mut world, &rids[1], 2).unwrap(), Transition::Done(2));
    field::transfer(&mut world, july, &rids[2], Standing::Complete, Some("11"));
    let left = |rid: &String| world.sessions.get(rid).unwrap().left_at.unwrap();
    assert_eq!([left(&rids[0]), left(&rids[1])], [july, july]);
    assert_eq!(left(&rids[2]), june, "a list that makes a complete brings nobody back");
    // What ended in July can be turned into a complete until the 25th of August.
    let august = "2025-08-20T00:00:00Z".parse().unwrap();
    assert!(!reconciliation::is_expired(world.sessions.get(&rids[1]).unwrap(), august));
}

/// What is documented: a moment that is asked for twice is the same.
#[test]
fn how_often_the_clock_is_looked_at_changes_nothing() {
    let run = |step: SignedDuration| {
        let mut world = world(28, Scenario::lifelike());
        let id = launch(&mut world, |group| group.goal = 500);
        let end: Timestamp = world.now() + DAY * 4;
        let reports = reports(&mut world, &id, DAY * 2 + SignedDuration::from_mins(7));
        while world.now() < end {
            pass(&mut world, step);
        }
        (format!("{:?}", sessions(&world, &id)), reports.map(|id| world.reports.get(&id).unwrap().progress.clone()))
    };
    let (once, often) = (run(DAY), run(SignedDuration::from_mins(10)));
    assert!(once.0 == often.0, "respondents");
    let files = once.1.each_ref().map(|progress| matches!(progress, report::Progress::Completed(_)));
    assert_eq!(files, [true; REPORTS.len()]);
    for (kind, (once, often)) in REPORTS.iter().zip(once.1.iter().zip(&often.1)) {
        assert!(once == often, "{kind}");
    }
}
