//! What a call may allocate. Allocations are counted, not timed, so that a busy machine changes nothing; instructions
//! need `valgrind` and are measured by hand.

use std::sync::Arc;

use crate::calls::{Call, Caller, Client};
use crate::server::{self, Server};
use crate::{Result, allocations_of};

/// The allocations of each call and their bytes, as this test measures them, in this order: futures are larger where
/// nothing is optimised, and a buffer that has grown is used again. Lower them when a call takes less.
const BUDGETS: [(Client, Call, u64, u64); 9] = [
    (Client::Raw, Call::Project, 75, 32_067),
    (Client::Raw, Call::List, 1_668, 369_674),
    (Client::Raw, Call::Library, 78_091, 21_690_749),
    (Client::Raw, Call::Launch, 191, 52_851),
    (Client::Facade, Call::Project, 67, 33_888),
    (Client::Facade, Call::TargetGroup, 520, 91_190),
    (Client::Facade, Call::List, 1_669, 442_655),
    (Client::Facade, Call::Library, 80_090, 23_873_526),
    (Client::Facade, Call::Launch, 186, 60_745),
];

/// So many hundredths more or fewer are let pass: a dependency's release changes a few.
const TOLERANCE_PERCENT: u64 = 5;

/// How many allocations more than by hand a call of the facade may take.
const BEYOND_BY_HAND: [(Call, u64); 3] = [(Call::Project, 15), (Call::List, 0), (Call::Library, 0)];

#[test]
fn no_call_allocates_more_than_its_budget() -> Result<()> {
    let caller = Caller::new(&server::start(Arc::new(Server::new(0)))?)?;
    let mut off = Vec::new();
    for (client, call, allocations, bytes) in BUDGETS {
        let got = allocations_of(&caller, client, call)?;
        let is_off = |got: u64, budget: u64| got.abs_diff(budget) * 100 > budget * TOLERANCE_PERCENT;
        if is_off(got.0, allocations) || is_off(got.1, bytes) {
            off.push(format!("{client} {call}: {got:?}, the budget is {:?}", (allocations, bytes)));
        }
    }
    for (call, more) in BEYOND_BY_HAND {
        let (by_hand, _) = allocations_of(&caller, Client::ByHand, call)?;
        let (got, _) = allocations_of(&caller, Client::Facade, call)?;
        if got > by_hand + more {
            off.push(format!("{call}: {got}, by hand {by_hand}"));
        }
    }
    assert!(off.is_empty(), "allocations and bytes: {}", off.join("; "));
    Ok(())
}
