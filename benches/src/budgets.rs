//! What a call may allocate. Allocations are counted, not timed, so that a busy machine changes nothing; instructions
//! need `valgrind` and are measured by hand.

use std::sync::Arc;

use crate::calls::{Call, Caller, Client};
use crate::server::{self, Server};
use crate::{Result, allocations_of};

/// The allocations of each call as they were measured. Lower one when a call takes fewer.
const ALLOCATIONS: [(Client, Call, u64); 9] = [
    (Client::Raw, Call::Project, 74),
    (Client::Raw, Call::List, 1_668),
    (Client::Raw, Call::Library, 78_091),
    (Client::Raw, Call::Launch, 196),
    (Client::Facade, Call::Project, 71),
    (Client::Facade, Call::TargetGroup, 526),
    (Client::Facade, Call::List, 1_674),
    (Client::Facade, Call::Library, 80_095),
    (Client::Facade, Call::Launch, 195),
];

/// So many hundredths more or fewer are let pass: a dependency's release changes a few.
const TOLERANCE_PERCENT: u64 = 5;

#[test]
fn no_call_allocates_more_than_its_budget() -> Result<()> {
    let caller = Caller::new(&server::start(Arc::new(Server::new(0)))?)?;
    let mut off = Vec::new();
    for (client, call, budget) in ALLOCATIONS {
        let (got, _) = allocations_of(&caller, client, call)?;
        if got.abs_diff(budget) * 100 > budget * TOLERANCE_PERCENT {
            off.push(format!("{client} {call}: {got}, the budget is {budget}"));
        }
    }
    assert!(off.is_empty(), "allocations: {}", off.join("; "));
    Ok(())
}
