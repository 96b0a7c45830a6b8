//! Every operation of every version with requests made from the documents:
//! the judge lets them through, they succeed, and every answer is as declared.

mod crowd;
mod laws;
mod maker;
mod random;

use crate::api::engine::{Engine, Incoming, Outgoing};
use crate::contract::{Contract, Operation};
use crate::sim::clock::Clock;
use crate::sim::rng::Rng;
use crate::sim::synth::Amount;
use crate::state::bounded_map::BoundedMap;
use crate::state::target_group::TargetGroup;
use crate::state::{Settings, World, arrivals, field};
use crate::tolerance::Tolerance;
use jiff::SignedDuration;
use maker::{Ids, Maker};

fn engine() -> Engine {
    engine_of(1)
}

fn engine_of(seed: u64) -> Engine {
    let now = "2025-06-01T12:00:00Z".parse().unwrap();
    // What is made up from the documents names things that nobody knows.
    let settings = Settings { seed, tolerances: Tolerance::ALL.into(), ..Settings::default() };
    let world = World::new(settings, Clock::Standing { now });
    Engine::new(world, &[], true, false).unwrap()
}

fn serve(engine: &Engine, incoming: &Incoming) -> (Outgoing, crate::http::log::Received) {
    let outgoing = engine.serve(incoming);
    let entry = engine.log().last().cloned().unwrap();
    (outgoing, entry)
}

/// What makes the things that others read: templates, reports, lists.
const SETTING: &[&str] = &[
    "create_account_allocation_template",
    "create_global_allocation_template",
    "create_profile_template",
    "create_exclusion_group",
    "generate_report",
    "exclusion_create_upload_rids_by_file_job",
    "exclusion_create_remove_all_respondents_job",
    "recontact_create_upload_respondents_by_file_job",
    "recontact_create_upload_rsids_by_file_job",
    "create_all_recontact_rsids_removal_job",
];

/// Requests made for one operation, with the ids of each target group in
/// turn until one succeeds.
struct Study<'e> {
    maker: Maker<'e>,
    groups: Vec<String>,
    made: u64,
}

impl<'e> Study<'e> {
    /// A project with a target group in each state.
    fn new(engine: &'e Engine, date: &str) -> Self {
        let mut study = Self { maker: Maker::new(engine, date), groups: Vec::new(), made: 0 };
        study.must("create_project");
        study.must("create_webhook");
        for _ in 0..7 {
            study.must("create_target_group");
        }
        study.groups = engine.world().groups.keys().map(str::to_owned).collect();
        let actions = ["launch", "launch", "launch", "launch", "schedule"];
        for (group, action) in study.groups.clone().iter().zip(actions) {
            study.must_for(&format!("create_{action}_fielding_run_from_draft_job"), group);
        }
        study.pass(1);
        study.must_for("pause_fielding_run", &study.groups[1].clone());
        study.must_for("complete_fielding_run", &study.groups[2].clone());
        let bulk = |operation: &&Operation| {
            operation.method() == "POST" && operation.path().split('/').any(|segment| segment == "batch-jobs")
        };
        for operation in study.maker.contract.operations().iter().filter(bulk) {
            study.must_for(operation.id(), &study.groups[6].clone());
        }
        if date < "2025-12-18" {
            study.must_for("create-interlocked-profile", &study.groups[3].clone());
        }
        for operation in study.maker.contract.operations().iter().filter(|operation| SETTING.contains(&operation.id()))
        {
            study.must_for(operation.id(), &study.groups[0].clone());
            study.pass(1);
        }
        study.must_for("post_reconciliations", &study.groups[0].clone());
        study.pass(1);
        let mut world = engine.world();
        let now = world.now();
        assert!(field::enter(&mut world, now, &study.groups[0], false).is_some());
        drop(world);
        study
    }

    fn pass(&self, seconds: i64) {
        self.maker.engine.world().clock.advance(SignedDuration::from_secs(seconds));
    }

    fn must(&mut self, operation: &str) {
        let ids = Ids::of_group(&self.maker.engine.world(), None);
        self.expect(operation, &ids);
    }

    fn must_for(&mut self, operation: &str, group: &str) {
        let ids = Ids::of_group(&self.maker.engine.world(), Some(group));
        self.expect(operation, &ids);
    }

    fn expect(&mut self, operation: &str, ids: &Ids) {
        let operation = self.maker.contract.operation(operation).unwrap();
        let (outgoing, entry) = self.send(operation, ids, Amount::Least);
        let body = String::from_utf8_lossy(&outgoing.body);
        assert!(outgoing.status < 300, "{} {body} {:?}", entry.line(), entry.body);
    }

    fn send(&mut self, operation: &Operation, ids: &Ids, amount: Amount) -> (Outgoing, crate::http::log::Received) {
        self.made += 1;
        let incoming = self.maker.request(operation, ids, amount, Rng::new(self.made));
        serve(self.maker.engine, &incoming)
    }
}

#[test]
fn every_operation_succeeds_as_declared() {
    let mut bad = Vec::new();
    let mut succeeded = 0;
    for date in Contract::versions() {
        let engine = engine();
        let mut study = Study::new(&engine, date);
        // Every operation meets the same world, untouched by the others.
        let world = engine.world().clone();
        let contract = Contract::for_version(date).unwrap();
        for operation in contract.operations() {
            for amount in [Amount::Least, Amount::Full] {
                *engine.world() = world.clone();
                let mut refusals = Vec::new();
                for group in study.groups.clone() {
                    let ids = Ids::of_group(&engine.world(), Some(&group));
                    let (outgoing, entry) = study.send(operation, &ids, amount);
                    let name = format!("{date} {} {amount:?} {}", operation.id(), outgoing.status);
                    for violation in entry.violations.iter().chain(&entry.answer_violations) {
                        bad.push(format!("{name}: {violation}"));
                    }
                    if entry.operation.as_deref() != Some(operation.id()) {
                        bad.push(format!("{name}: reached {:?}", entry.operation));
                    }
                    if outgoing.status < 400 {
                        refusals.clear();
                        succeeded += 1;
                        break;
                    }
                    refusals.push(format!("{name}: {:?} {}", entry.refusal, String::from_utf8_lossy(&outgoing.body)));
                }
                bad.extend(refusals);
            }
        }
    }
    assert!(bad.is_empty(), "{succeeded}\n{}\n{}", bad.len(), bad.join("\n"));
}

/// Target groups have their own shelf of so many bytes.
fn shelve(engine: &Engine, most: usize, spare: usize) {
    let mut world = engine.world();
    let groups: Vec<TargetGroup> = world.groups.in_order().cloned().collect();
    let weight: usize = groups.iter().map(TargetGroup::weight).sum();
    world.groups = BoundedMap::new(most, weight + spare);
    for group in groups {
        let weight = group.weight();
        world.groups.put(group.id.clone(), group, weight);
    }
}

#[test]
fn no_group_in_use_goes_for_another_one() {
    let engine = engine();
    let mut study = Study::new(&engine, "2025-12-18");
    let (groups, live) = (study.groups.clone(), study.groups[0].clone());
    let there = || groups.iter().filter(|id| engine.world().groups.contains_key(id)).count();
    shelve(&engine, 7, 1_000);
    {
        let mut world = engine.world();
        let (now, group) = (world.now(), world.groups.get_mut(&live).unwrap());
        group.audience.follow(group.goal, 10_000);
        group.goal = 10_000;
        arrivals::look_again(&mut world, now, &live);
    }
    study.pass(600);
    let completes = engine.world().groups.get(&live).unwrap().ledger.total.completes;
    assert!(completes > 20, "{completes}");
    study.must_for("update_cost_per_interview", &live);
    assert_eq!(there(), 7, "books are no burden");
    // Who is in use stays; what is over, and drafts, give way to what is new.
    shelve(&engine, 7, 1 << 20);
    let in_use = || engine.world().groups.values().filter(|group| group.is_in_use()).count();
    let used = in_use();
    assert!((3..=4).contains(&used), "{used}");
    for left in [6, 5, 4] {
        study.must("create_target_group");
        assert_eq!((there(), in_use()), (left, used));
    }
    let ids: Vec<String> =
        engine.world().groups.values().filter(|group| !group.is_in_use()).map(|group| group.id.clone()).collect();
    ids.iter().for_each(|id| drop(engine.world().groups.take(id)));
    shelve(&engine, used, 1 << 20);
    let create = study.maker.contract.operation("create_target_group").unwrap();
    let ids = Ids::of_group(&engine.world(), None);
    let (outgoing, entry) = study.send(create, &ids, Amount::Least);
    assert_eq!(outgoing.status, 400);
    assert!(entry.refusal.unwrap().contains("no room"), "all that are left are in field");
    assert_eq!(in_use(), used);
}

#[test]
fn the_same_seed_gives_the_same_answers() {
    let run = || {
        let engine = engine();
        let mut study = Study::new(&engine, "2025-12-18");
        let group = study.groups[0].clone();
        let mut answers = Vec::new();
        for operation in study.maker.contract.operations() {
            let ids = Ids::of_group(&engine.world(), Some(&group));
            let (outgoing, _) = study.send(operation, &ids, Amount::Full);
            answers.push((outgoing.status, outgoing.body));
        }
        answers
    };
    assert_eq!(run(), run());
}
