//! What must hold in the books after any history: nobody is lost or counted
//! twice, completes keep their price, and every change is announced once.

use super::Study;
use super::maker::Ids;
use crate::api::engine::{Engine, Incoming};
use crate::contract::Contract;
use crate::fault::Effect;
use crate::sim::clock::Clock;
use crate::sim::rng::Rng;
use crate::sim::synth::Amount;
use crate::state::audience::{Profile, ProfileKind, Quota};
use crate::state::bounded_map::BoundedMap;
use crate::state::history::{self, Snapshot};
use crate::state::ledger::{Tally, median_length};
use crate::state::outbox::Deliveries;
use crate::state::session::{Session, Standing};
use crate::state::target_group::{Money, TargetGroup};
use crate::state::webhook;
use crate::state::{Settings, World, field, pacing};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Histories over all versions, unless the environment says otherwise.
const USUAL_HISTORIES: u64 = 100_000;
/// Steps of one history beyond the one that it goes on from.
const STEPS: u64 = 10;
/// Histories that go back to one start.
const HISTORIES_PER_START: u64 = 400;
/// So many ends of histories are kept for others to go on from.
const MAX_KEPT_ENDS: u64 = 16;

/// Operations that may say what single quotas ask for.
const SETTING_QUOTAS: &[&str] = &[
    "bulk-update-quotas",
    "update_profile_filling_goal",
    "batch_delete_profiles_quotas",
    "batch-delete-profile-quotas",
];

/// Operations after which a profile that they change asks for the whole goal, or has no quotas.
const SPREADING: &[&str] = &[
    "update-profile-conditions",
    "update_profile_conditions",
    "enable-quotas",
    "enable_quotas",
    "disable-quotas-v2",
    "apply-profiles",
    "apply_profiles",
    "manage_target_group_profiles",
];

/// Operations that change profiles, states and prices.
const CHANGES: &[&str] = &[
    "create-interlocked-profile",
    "remove-interlocks",
    "update-profile-conditions",
    "update_profile_conditions",
    "group-quotas",
    "manipulate_profile_condition_groups",
    "enable-quotas",
    "enable_quotas",
    "disable-quotas-v2",
    "bulk-update-quotas",
    "update_profile_filling_goal",
    "create-profile",
    "create_profile",
    "apply-profiles",
    "apply_profiles",
    "manage_target_group_profiles",
    "delete_profile",
    "batch_delete_profiles",
    "batch-delete-profiles",
    "batch_delete_profiles_quotas",
    "pause_fielding_run",
    "resume_fielding_run",
    "relaunch_fielding_run",
    "complete_fielding_run",
    "launch_now_fielding_run",
    "update_fielding_run",
    "update_launched_target_group_details",
    "post_reconciliations_completes",
    "create_bulk_pause_target_groups_job",
    "create_bulk_resume_target_groups_job",
];

/// A history under way, and what the test itself has written down of it.
#[derive(Clone, Default)]
struct Witness {
    /// The price of each complete, as seen when it became one.
    prices: BTreeMap<String, Decimal>,
    /// How long its interview was expected to be then, in seconds: no scenario says it here.
    lengths: BTreeMap<String, u64>,
    /// Sequence numbers that were announced, by respondent.
    announced: BTreeMap<String, BTreeSet<u64>>,
    /// Completes that were announced last, by group and quota.
    fills: BTreeMap<(String, Option<String>), u64>,
    /// What was told of each group, from what it was in the beginning on.
    groups: BTreeMap<String, Snapshot>,
    /// The highest budget that each group has had; none of those that were without one.
    budgets: BTreeMap<String, Option<Decimal>>,
}

impl Witness {
    /// Takes every event out of the queue, as a subscriber does.
    fn listen(&mut self, world: &mut World) {
        for event in webhook::drain(world) {
            self.hear(world, &event);
        }
        self.note_budgets(world);
        // What is through would be copied with every state.
        if world.outbox.values().all(|outbox| outbox.waiting() == 0) {
            world.deliveries = Deliveries::default();
        }
    }

    fn note_budgets(&mut self, world: &World) {
        for group in world.groups.values() {
            let budget = pacing::budget(group);
            match self.budgets.get_mut(&group.id) {
                Some(most) => *most = most.zip(budget).map(|(most, budget)| most.max(budget)),
                None => drop(self.budgets.insert(group.id.clone(), budget)),
            }
        }
    }

    /// Notes what an event says, and the price of a new complete: prices change
    /// in steps of their own, so it is still the one at which it became one.
    fn hear(&mut self, world: &World, event: &Value) {
        let data = &event["data"];
        let text = |name: &str| data[name].as_str().map(str::to_owned);
        match event["type"].as_str().unwrap() {
            "com.cint.session.updated" => {
                let rid = text("response_session_id").unwrap();
                let number = data["sequence_number"].as_u64().unwrap();
                if [json!(10), json!(11)].contains(&data["changes"][0]["new_value"]) {
                    let group = world.groups.get(&text("target_group_id").unwrap()).unwrap();
                    self.prices.entry(rid.clone()).or_insert(group.price(&world.account));
                    self.lengths.entry(rid.clone()).or_insert(60 * group.interview_minutes);
                }
                assert!(self.announced.entry(rid).or_default().insert(number), "announced twice: {event}");
            }
            "com.cint.quota.fill.registered" => {
                let key = (text("target_group_id").unwrap(), text("profile_quota_id"));
                self.fills.insert(key, data["completes"].as_u64().unwrap());
            }
            "com.cint.target-group.updated" => {
                let told = self.groups.get_mut(&text("target_group_id").unwrap()).unwrap();
                for change in data["changes"].as_array().unwrap() {
                    let own = told.get_mut(change["object"].as_str().unwrap()).unwrap();
                    assert_eq!(*own, change["old_value"], "told twice, or what was before it was not: {event}");
                    assert_ne!(*own, change["new_value"], "nothing has changed: {event}");
                    *own = change["new_value"].clone();
                }
            }
            other => panic!("{other}"),
        }
    }

    fn check(&self, world: &World) {
        for group in world.groups.values() {
            assert_eq!(self.groups[&group.id], history::snapshot(world, group), "what was told of {}", group.id);
            let sessions: Vec<&Session> = world.sessions_of(group).collect();
            self.check_group(group, &sessions);
            check_quotas(group, &sessions);
            check_times(world, group, &sessions);
        }
        for session in world.sessions.values() {
            let numbers: Vec<u64> = self.announced.get(&session.rid).into_iter().flatten().copied().collect();
            assert_eq!(numbers, (1..=session.sequence).collect::<Vec<_>>(), "announcements of {session:?}");
        }
    }

    fn check_group(&self, group: &TargetGroup, sessions: &[&Session]) {
        let (ledger, total) = (&group.ledger, &group.ledger.total);
        let standing = |standing| sessions.iter().filter(|one| one.standing == standing).count() as u64;
        let counted = [
            (Standing::InSurvey, total.in_survey),
            (Standing::Dropped, total.dropped),
            (Standing::Terminated, total.terminated),
            (Standing::OverQuota, total.over_quota),
            (Standing::SecurityTerminated, total.security_terminated),
            (Standing::Complete, total.completes),
            (Standing::Reversed, total.reversed),
        ];
        for (one, count) in counted {
            assert_eq!(count, standing(one), "{one:?} of {}", group.id);
        }
        assert_eq!(total.entered(), sessions.len() as u64);
        let paid: Decimal = sessions.iter().filter(|one| one.is_complete()).map(|one| self.prices[&one.rid]).sum();
        assert_eq!(total.cost, paid, "cost of {}", group.id);
        let completes = sessions.iter().filter(|one| one.is_complete());
        let mut lengths: Vec<u64> = completes.map(|one| self.lengths[&one.rid]).collect();
        lengths.sort_unstable();
        let middle = lengths.len().saturating_sub(1) / 2;
        let middle = lengths.get(middle).zip(lengths.get(lengths.len() / 2)).map(|(low, high)| low.midpoint(*high));
        assert_eq!(median_length([ledger]), middle.unwrap_or_default(), "length of interviews of {}", group.id);
        if let Some(Some(budget)) = self.budgets.get(&group.id) {
            // Reconciliation may go beyond it.
            let own = sessions.iter().filter(|one| one.reconciled.is_none());
            let spent: Decimal = own.map(|one| one.cost()).sum();
            assert!(spent <= *budget, "{spent} of {budget} in {}", group.id);
        }
        let mut suppliers = Tally::default();
        ledger.by_supplier.values().for_each(|one| suppliers.add(one));
        assert_eq!(&suppliers, total, "suppliers of {}", group.id);
        assert_eq!(ledger.completes_over_time().map(|(_, then)| then.count).sum::<u64>(), total.completes);
        let told = |quota: Option<&String>| self.fills.get(&(group.id.clone(), quota.cloned())).copied();
        if let Some(told) = told(None) {
            assert_eq!(told, total.completes, "the fill of {} that was told", group.id);
        }
        for target in group.audience.targets() {
            if let Some((told, quota)) = told(Some(&target.id)).zip(target.quota.as_ref()) {
                assert_eq!(told, quota.tally.completes, "the fill of {} in {} that was told", target.id, group.id);
            }
        }
    }
}

/// Nobody leaves before it came, a complete is one from when it left on unless a list made it one, and what happened
/// later stands later in the changelog.
fn check_times(world: &World, group: &TargetGroup, sessions: &[&Session]) {
    let now = world.now();
    for session in sessions {
        let times = (session.entered_at, session.left_at, session.completed.map(|(at, _)| at));
        let (entered, left, completed) = times;
        assert_eq!(left.is_none(), session.standing == Standing::InSurvey, "{session:?}");
        assert!(left.into_iter().chain(completed).all(|at| entered <= at && at <= now), "{session:?}");
        if completed.is_some() && session.reconciled.is_none() {
            assert_eq!(left, completed, "{session:?}");
        }
    }
    let history = world.histories.get(&group.id).into_iter().flatten();
    let times: Vec<Timestamp> = history.map(|entry| entry.at).collect();
    assert!(times.is_sorted(), "the changelog of {}: {times:?}", group.id);
}

/// Cells count exactly their own respondents, and together everyone whom they
/// describe.
fn check_quotas(group: &TargetGroup, sessions: &[&Session]) {
    for profile in &group.audience.profiles {
        let mut cells = Tally::default();
        for target in &profile.targets {
            let mut own = Tally::default();
            for session in sessions.iter().filter(|session| session.targets.contains(&target.id)) {
                assert!(session.replies.meet(target), "{session:?} is not of {target:?}");
                own.add(&Tally::of(session));
            }
            if let Some(quota) = &target.quota {
                assert_eq!(quota.tally, own, "{} of {}", target.id, group.id);
                cells.add(&quota.tally);
            }
        }
        if profile.kind == ProfileKind::Control || profile.targets.iter().any(|target| target.quota.is_none()) {
            continue;
        }
        let mut described = Tally::default();
        for session in sessions {
            let met = profile.targets.iter().filter(|target| session.targets.contains(&target.id)).count();
            assert!(met <= 1, "{session:?} counts twice in {profile:?}");
            let meets = profile.targets.iter().any(|target| session.replies.meet(target));
            assert_eq!(met == 1, meets, "{session:?} in {profile:?}");
            if meets {
                described.add(&Tally::of(session));
            }
        }
        assert_eq!(cells, described, "the cells of {} in {}", profile.id, group.id);
    }
}

/// Whether a request says what single quotas ask for; if it names none, all follow the group's goal.
fn sets_quotas(operation: &str, incoming: &Incoming) -> bool {
    let body: Value = serde_json::from_slice(&incoming.body).unwrap_or_default();
    SETTING_QUOTAS.contains(&operation) && body["profiles"].as_array().is_some_and(|list| !list.is_empty())
}

/// What a group and its quotas ask for.
struct Goals {
    group: u64,
    /// What the quotas of each profile ask for together, and whether they are to be the group's goal.
    profiles: BTreeMap<String, (u64, bool)>,
}

impl Goals {
    fn of(world: &World, group: &str) -> Self {
        let group = world.groups.get(group).unwrap();
        let of = |profile: &Profile| {
            let quotas: Vec<&Quota> = profile.targets.iter().filter_map(|target| target.quota.as_ref()).collect();
            let is_all = profile.quotas_enabled && quotas.len() == profile.targets.len();
            let is_whole = is_all && profile.kind != ProfileKind::Control;
            (profile.id.clone(), (quotas.iter().map(|quota| quota.goal).sum(), is_whole))
        };
        Self { group: group.goal, profiles: group.audience.profiles.iter().map(of).collect() }
    }

    /// Nothing but what sets goals changes how many completes the quotas of a profile ask for together.
    fn check(&self, operation: &str, before: &Self) {
        // An interlock asks for what its margins ask for, and the other way round.
        let margins: Vec<u64> =
            before.profiles.iter().filter(|(id, _)| !self.profiles.contains_key(*id)).map(|(_, one)| one.0).collect();
        for (id, (sum, is_whole)) in &self.profiles {
            let words =
                format!("{operation}: {id} asks for {sum}, the group for {}, before {}", self.group, before.group);
            match before.profiles.get(id).map(|before| before.0) {
                Some(then) if then == *sum && self.group == before.group => {}
                // A goal said again, without quotas, is followed again by what was changed since.
                Some(_)
                    if SPREADING.contains(&operation)
                        || SETTING_QUOTAS.contains(&operation)
                        || self.group != before.group =>
                {
                    assert!(!is_whole || *sum == self.group, "{words}");
                    assert!(*sum <= self.group, "{words}");
                }
                // Margins whose quotas were deleted come back without any.
                None if operation == "remove-interlocks" => assert!(!is_whole || margins.contains(sum), "{words}"),
                None => assert!(!is_whole || *sum == self.group, "{words}"),
                Some(then) => panic!("{words}, it asked for {then}"),
            }
        }
    }
}

/// What the API says of a group in several places must be one thing.
fn check_answers(study: &Study<'_>, group: &str) {
    let get = |operation: &str| -> Option<Value> {
        let operation = study.maker.contract.operation(operation)?;
        let ids = Ids::of_group(&study.maker.engine.world(), Some(group));
        let outgoing = study.maker.engine.serve(&study.maker.request(operation, &ids, Amount::Least, Rng::new(1)));
        assert_eq!(outgoing.status, 200, "{}", operation.id());
        serde_json::from_slice(&outgoing.body).ok()
    };
    let overview = get("get_target_group_overview").unwrap();
    let progress = overview.pointer("/statistics/progress/value").or_else(|| overview.pointer("/progress")).unwrap();
    let completes = progress["current_completes"].clone();
    let intervals = get("get_target_group_completes_aggregated_by_interval").unwrap();
    let intervals = intervals["aggregated_completes_intervals"].as_array().unwrap().clone();
    let sum: u64 = intervals.iter().map(|one| one["count"].as_u64().unwrap()).sum();
    assert_eq!(json!(sum), completes, "{intervals:?}");
    // The oldest version has no such answer.
    let Some(performance) = get("get_target_group_performance") else {
        return;
    };
    let statuses = performance["respondent_analysis"]["live"].as_array().unwrap();
    let sum: u64 = statuses.iter().map(|line| line["count"].as_u64().unwrap()).sum();
    assert_eq!(json!(sum), performance["prescreens"], "{performance}");
    let complete = statuses.iter().find(|line| line["status"] == json!("10")).unwrap();
    assert_eq!(complete["count"], performance["completes"], "{performance}");
    assert_eq!(performance["completes"], completes, "{performance}");
}

fn engine(seed: u64) -> Engine {
    let now = "2025-06-01T12:00:00Z".parse().unwrap();
    let settings = Settings { seed, field_pace: SignedDuration::from_secs(30), field_burst: 3, ..Settings::default() };
    let settings = Settings { session_time: SignedDuration::from_secs(300), ..settings };
    Engine::new(World::new(settings, Clock::Standing { now }), &[], false, false).unwrap()
}

/// One step of a history; what kind it was.
fn step(study: &mut Study<'_>, rng: &mut Rng, saved: &mut Option<(Vec<u8>, Witness)>, witness: &mut Witness) {
    let engine = study.maker.engine;
    let groups = study.groups.len() as u64;
    let group = study.groups[rng.below(groups) as usize].clone();
    match rng.below(100) {
        0..=44 => {
            engine.world().clock.advance(SignedDuration::from_secs(rng.below(16) as i64));
        }
        45..=68 => drop(field_step(&mut engine.world(), &group, rng)),
        69..=76 => {
            let operation = CHANGES[rng.below(CHANGES.len() as u64) as usize];
            if let Some(operation) = study.maker.contract.operation(operation) {
                let ids = Ids::of_group(&engine.world(), Some(&group));
                study.made += 1;
                let amount = if rng.below(2) == 0 { Amount::Least } else { Amount::Full };
                let incoming = study.maker.request(operation, &ids, amount, Rng::new(rng.next()));
                let before = Goals::of(&engine.world(), &group);
                let outgoing = engine.serve_under(&incoming, effect(rng).as_ref());
                if !sets_quotas(operation.id(), &incoming) {
                    Goals::of(&engine.world(), &group).check(operation.id(), &before);
                }
                assert!(outgoing.status < 500 || outgoing.status == 503, "{}", operation.id());
            }
        }
        77..=86 => reprice(&mut engine.world(), &group, rng),
        87..=95 => reconcile(study, &group, rng),
        96 if rng.below(32) == 0 => *saved = Some((engine.state_json().unwrap(), witness.clone())),
        97 if rng.below(32) == 0 => {
            if let Some((state, then)) = saved.clone() {
                engine.go_on_from(&state).unwrap();
                *witness = then;
            }
        }
        98 if rng.below(8) == 0 => check_answers(study, &study.groups[0]),
        _ => {}
    }
}

/// A fault, sometimes.
fn effect(rng: &mut Rng) -> Option<Effect> {
    match rng.below(8) {
        0 => Some(Effect::ApplyTwice),
        1 => Some(Effect::DropAfter),
        2 => Some(Effect::DropBefore),
        3 => Some(Effect::Status { status: 503, retry_after: None }),
        _ => None,
    }
}

/// Somebody enters by hand, or a client moves somebody.
fn field_step(world: &mut World, group: &str, rng: &mut Rng) -> Option<String> {
    let now = world.now();
    if rng.below(3) == 0 {
        return field::enter(world, now, group, false);
    }
    let rid = some_rid(world, group, rng)?;
    let _ = field::transition(world, &rid, rng.below(7) as i64);
    Some(rid)
}

fn some_rid(world: &World, group: &str, rng: &mut Rng) -> Option<String> {
    let rids = &world.groups.get(group)?.rids;
    rids.get(rng.below(rids.len() as u64) as usize).cloned()
}

fn reprice(world: &mut World, group: &str, rng: &mut Rng) {
    let (now, id) = (world.now(), group);
    let before = history::snapshot(world, world.groups.get(id).unwrap());
    let group = world.groups.get_mut(id).unwrap();
    let value = Decimal::new(50 + rng.below(900) as i64, 2).to_string();
    group.price = Some(Money { value, currency: "USD".into() });
    if let Some(budget) = pacing::budget(group).filter(|_| rng.below(4) == 0) {
        group.assistant = budgeted(budget + Decimal::from(rng.below(40)));
    }
    // The goal moves as well now and then, so that histories do not end.
    if rng.below(3) == 0 {
        group.goal += rng.below(60);
    }
    history::record(world, now, id, &before);
}

/// An assistant that keeps to a budget.
fn budgeted(budget: Decimal) -> Value {
    json!({ "pricing": { "type": "dynamic", "total_budget": { "value": budget.to_string() } } })
}

/// A list of some respondents, with reasons of all kinds.
fn reconcile(study: &Study<'_>, group: &str, rng: &mut Rng) {
    let engine = study.maker.engine;
    let (account, lines) = {
        let world = engine.world();
        let lines: Vec<String> = (0..=rng.below(4))
            .filter_map(|_| {
                let rid = some_rid(&world, group, rng)?;
                Some(format!("{rid},{}", ["11", "26", "933", "940", "7"][rng.below(5) as usize]))
            })
            .collect();
        (world.account.id, lines)
    };
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: &str| headers.insert(name, value.parse().unwrap());
    put("authorization", &format!("Bearer {}", study.maker.token));
    put("cint-api-version", study.maker.contract.date());
    put("content-type", "text/csv");
    put("idempotency-key", &rng.uuid());
    let incoming = Incoming {
        method: "POST".into(),
        path: format!("/v1/demand/accounts/{account}/reconciliations"),
        query: Some("name=list".into()),
        headers,
        body: lines.join("\n").into(),
    };
    let outgoing = engine.serve_under(&incoming, effect(rng).as_ref());
    assert!(lines.is_empty() || [0, 200, 202, 503].contains(&outgoing.status), "{outgoing:?}");
}

/// A project with target groups in field, somebody who listens, and what it
/// has heard: nothing yet, but it knows who came before.
fn start<'e>(engine: &'e Engine, date: &str) -> (Study<'e>, Witness) {
    let mut study = Study::new(engine, date);
    study.groups.truncate(5);
    let mut world = engine.world();
    let id = world.webhooks.keys().next_back().unwrap().to_owned();
    let hook = world.webhooks.get_mut(&id).unwrap();
    hook.events = vec![webhook::SESSION.into(), webhook::FILL.into(), webhook::GROUP.into()];
    world.outbox.clear();
    world.deliveries = Deliveries::default();
    let mut witness = Witness::default();
    for session in world.sessions.values() {
        witness.announced.insert(session.rid.clone(), (1..=session.sequence).collect());
        witness.prices.extend(session.completed.map(|(_, price)| (session.rid.clone(), price)));
        witness.lengths.extend(session.interview_seconds.map(|seconds| (session.rid.clone(), seconds)));
    }
    for group in &study.groups {
        let completes = world.groups.get(group).unwrap().ledger.total.completes;
        witness.fills.insert((group.clone(), None), completes);
    }
    let group = world.groups.get_mut(&study.groups[0]).unwrap();
    group.assistant = budgeted(group.ledger.total.cost + Decimal::from(40));
    witness.note_budgets(&world);
    for group in world.groups.values() {
        witness.groups.insert(group.id.clone(), history::snapshot(&world, group));
    }
    drop(world);
    (study, witness)
}

/// Histories that go back to one start. Each goes on from the end of another,
/// so that some become long; the laws are held against the end of each.
fn family(date: &str, seed: u64, histories: u64) {
    let engine = engine(seed);
    let (mut study, witness) = start(&engine, date);
    let mut kept = vec![(engine.world().clone(), witness)];
    let mut rng = Rng::named(seed, "laws");
    // States saved in one history are gone back to in others as well.
    let mut saved = None;
    for _ in 0..histories {
        let (world, mut witness) = kept[rng.below(kept.len() as u64) as usize].clone();
        *engine.world() = world;
        for _ in 0..STEPS {
            step(&mut study, &mut rng, &mut saved, &mut witness);
            witness.listen(&mut engine.world());
        }
        witness.check(&engine.world());
        // States are large: one that is given up takes the engine's place, for the next to replace it.
        let spare = if kept.len() as u64 == MAX_KEPT_ENDS {
            kept.swap_remove(rng.below(MAX_KEPT_ENDS) as usize).0
        } else {
            engine.world().clone()
        };
        kept.push((std::mem::replace(&mut *engine.world(), spare), witness));
    }
    // A month later, when the field is over and nothing can be reconciled.
    for (world, mut witness) in kept.into_iter().take(2) {
        *engine.world() = world;
        for days in [10, 50] {
            engine.world().clock.advance(SignedDuration::from_hours(24 * days));
            study.groups.clone().iter().for_each(|group| reconcile(&study, group, &mut rng));
            study.pass(1);
            witness.listen(&mut engine.world());
            witness.check(&engine.world());
        }
    }
}

/// `CINTX_SANDBOX_HISTORIES=10000000 cargo test --release -p cintx-sandbox
/// --lib the_books_balance -- --nocapture` takes the long way.
fn histories(version: usize) {
    let wanted = std::env::var("CINTX_SANDBOX_HISTORIES").ok().and_then(|text| text.parse().ok());
    let dates: Vec<_> = Contract::versions().collect();
    let histories = wanted.unwrap_or(USUAL_HISTORIES).div_ceil(dates.len() as u64);
    let mut done = 0;
    for seed in 0.. {
        let own = HISTORIES_PER_START.min(histories - done);
        family(dates[version], seed, own);
        done += own;
        if done == histories {
            break;
        }
        if seed % 10 == 9 {
            // Long runs say how far they are, see --nocapture.
            eprintln!("{}: {done} histories", dates[version]);
        }
    }
}

#[test]
fn the_books_balance_in_2024_12_02() {
    histories(0);
}

#[test]
fn the_books_balance_in_2025_02_17() {
    histories(1);
}

#[test]
fn the_books_balance_in_2025_12_18() {
    histories(2);
}

#[test]
fn interlocking_in_field_keeps_what_was_collected() {
    take_an_interlock_apart(&engine(3));
}

#[test]
fn those_who_are_not_kept_one_by_one_still_count() {
    let engine = engine(3);
    engine.world().sessions = BoundedMap::new(20, 1 << 20);
    engine.world().settings.session_time = SignedDuration::from_secs(1);
    take_an_interlock_apart(&engine);
    assert_eq!(engine.world().sessions.len(), 20);
}

fn take_an_interlock_apart(engine: &Engine) {
    let study = Study::new(engine, "2025-02-17");
    let group = study.groups[3].clone();
    {
        let mut world = engine.world();
        world.groups.get_mut(&group).unwrap().goal = 100;
        world.clock.advance(SignedDuration::from_hours(1));
    }
    let collected = engine.world().groups.get(&group).unwrap().ledger.total.completes;
    assert!(collected > 10, "{collected}");
    let operation = study.maker.contract.operation("remove-interlocks").unwrap();
    let sums = || {
        let world = engine.world();
        let group = world.groups.get(&group).unwrap();
        let quotas = |profile: &Profile| {
            profile.targets.iter().filter_map(|target| target.quota.as_ref()).map(|q: &Quota| q.tally.completes).sum()
        };
        let sums: Vec<u64> = group.audience.profiles.iter().map(quotas).collect();
        (sums, group.ledger.total.completes)
    };
    let (interlocked, total) = sums();
    assert!(interlocked.iter().all(|sum| *sum == total), "{interlocked:?} of {total}");
    let ids = Ids::of_group(&engine.world(), Some(&group));
    let outgoing = engine.serve(&study.maker.request(operation, &ids, Amount::Least, Rng::new(1)));
    assert!(outgoing.status < 300);
    let (apart, total) = sums();
    assert!(apart.len() > interlocked.len() && apart.iter().all(|sum| *sum == total), "{apart:?} of {total}");
}
