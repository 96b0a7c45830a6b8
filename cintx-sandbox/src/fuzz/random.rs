//! Long random sequences of requests: no invalid answer, no panic, bounded
//! memory, and the same seed gives the same log.

use super::maker::{Ids, Maker};
use super::{engine_of, serve};
use crate::contract::Contract;
use crate::sim::rng::Rng;
use crate::sim::synth::Amount;
use jiff::SignedDuration;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Requests in one run, unless the environment says otherwise.
const DEFAULT_REQUESTS: u64 = 10_000;

fn requests() -> u64 {
    std::env::var("CINTX_SANDBOX_REQUESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_REQUESTS)
}

/// Sends so many requests and boils the log down to one number.
fn run(seed: u64, requests: u64) -> u64 {
    let engine = engine_of(seed);
    // A thinner stream of respondents: requests are what is tried here.
    engine.world().settings.field_pace = SignedDuration::from_secs(60);
    engine.world().settings.field_burst = 2;
    let mut rng = Rng::named(seed, "sequence");
    let dates: Vec<_> = Contract::versions().collect();
    let makers: Vec<_> = dates.iter().map(|date| Maker::new(&engine, date)).collect();
    let mut digest = DefaultHasher::new();
    let mut succeeded = 0;
    for at in 0..requests {
        if at > 0 && at % 100_000 == 0 {
            // Long runs say how far they are, see --nocapture.
            eprintln!("{at} requests, {succeeded} succeeded");
        }
        let ids = {
            let world = engine.world();
            // The youngest half, so that groups are met more than once.
            let count = world.groups.len() as u64;
            let back = rng.below(count.min(40)) as usize;
            Ids::of_group(&world, world.groups.keys().rev().nth(back))
        };
        // What 2025-12-18 has written is mostly left to it.
        let forward = ids.is_forward() && rng.below(8) > 0;
        let maker = &makers[if forward { makers.len() - 1 } else { rng.below(makers.len() as u64) as usize }];
        let operations = maker.contract.operations();
        // What makes something comes more often, so that there is something.
        let operation = match rng.below(12) {
            0 => maker.contract.operation("create_target_group"),
            1 => maker.contract.operation("create_launch_fielding_run_from_draft_job"),
            2 if at % 50 == 2 => maker.contract.operation("create_project"),
            _ => None,
        };
        let operation = operation.unwrap_or(&operations[rng.below(operations.len() as u64) as usize]);
        let amount = if rng.below(2) == 0 { Amount::Least } else { Amount::Full };
        let mut incoming = maker.request(operation, &ids, amount, Rng::new(rng.next()));
        spoil(&mut incoming, &mut rng);
        let (outgoing, entry) = serve(&engine, &incoming);
        assert!(entry.answer_violations.is_empty(), "{}\n{:?}", entry.line(), entry.body);
        assert!(outgoing.status < 500, "{}", entry.line());
        succeeded += u64::from(outgoing.status < 400);
        (entry.line(), outgoing.status, &outgoing.body).hash(&mut digest);
        engine.world().clock.advance(SignedDuration::from_millis(rng.below(40) as i64));
    }
    assert!(succeeded * 3 > requests, "{succeeded} of {requests}");
    let world = engine.world();
    assert_eq!(world.out_of_bounds(), [""; 0]);
    drop(world);
    digest.finish()
}

/// Now and then a request that is not as it should be.
fn spoil(incoming: &mut crate::api::engine::Incoming, rng: &mut Rng) {
    match rng.below(40) {
        0 => drop(incoming.headers.remove("authorization")),
        1 => drop(incoming.headers.remove("cint-api-version")),
        2 => incoming.body = incoming.body.slice(..incoming.body.len() / 2),
        3 => incoming.path.push('x'),
        4 => incoming.method = "PATCH".into(),
        5 => drop(incoming.headers.insert("if-match", http::HeaderValue::from_static("W/\"0\""))),
        _ => {}
    }
}

#[test]
fn random_sequences_are_answered_as_declared() {
    run(11, requests());
}

#[test]
fn the_same_seed_gives_the_same_log() {
    assert_eq!(run(12, 500), run(12, 500));
    assert_ne!(run(12, 100), run(13, 100));
}
