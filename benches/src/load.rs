//! Many calls at once: time for each, its spread, and what becomes of calls when the server is unwell.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{StreamExt as _, iter};

use crate::calls::{Call, Caller, Client};
use crate::server::{Address, Protocol};
use crate::{Result, with_server};

/// Calls of one measurement.
const CALLS: usize = 20_000;
/// Calls of one measurement in which calls wait before they are repeated.
const CALLS_OF_UNWELL_SERVER: usize = 4_000;
const AT_ONCE: [usize; 3] = [1, 64, 256];
/// Of a hundred answers, so many are 503 where the server is unwell, half of them after the work was done.
const REFUSED_PERCENT: u64 = 20;
/// Each measurement is made so often, in turns; the best of each counts.
const ROUNDS: usize = 5;

/// What became of the calls of one measurement.
struct Measured {
    each: Duration,
    median: Duration,
    of_100: Duration,
    failed: usize,
}

/// Measures and prints the table.
pub(crate) fn report() -> Result<()> {
    println!("| client | over | at once | 503s | time of each | median | 99 of 100 | failed | made |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for at_once in AT_ONCE {
        row_for_each_client(Protocol::Http1, at_once, 0, CALLS)?;
    }
    row_for_each_client(Protocol::Http2, 64, 0, CALLS)?;
    row_for_each_client(Protocol::Http1, 64, REFUSED_PERCENT, CALLS_OF_UNWELL_SERVER)
}

fn row_for_each_client(protocol: Protocol, at_once: usize, refused_percent: u64, calls: usize) -> Result<()> {
    let clients = [Client::ByHand, Client::Raw, Client::Facade];
    let mut best: [Option<(Measured, u64)>; 3] = [const { None }; 3];
    for _ in 0..if refused_percent == 0 { ROUNDS } else { 1 } {
        for (client, best) in clients.iter().zip(&mut best) {
            let (measured, made) =
                with_server(protocol, refused_percent, |address| measure(address, *client, at_once, calls))?;
            if best.as_ref().is_none_or(|(best, _)| measured.each < best.each) {
                *best = Some((measured, made));
            }
        }
    }
    for (client, best) in clients.iter().zip(best) {
        let Some((Measured { each, median, of_100, failed }, made)) = best else { continue };
        println!(
            "| {client} | {} | {at_once} | {refused_percent} % | {each:.1?} | {median:.1?} | {of_100:.1?} | {failed} of {calls} | {made} |",
            protocol.name()
        );
    }
    Ok(())
}

fn measure(address: &Address, client: Client, at_once: usize, calls: usize) -> Result<Measured> {
    let caller = Arc::new(Caller::new(address)?);
    let started = Instant::now();
    let mut times: Vec<(Duration, bool)> = caller.block_on(
        iter(0..calls)
            .map(|_| async {
                let started = Instant::now();
                let made = caller.make(client, Call::Project).await.is_ok();
                (started.elapsed(), made)
            })
            .buffer_unordered(at_once)
            .collect(),
    );
    let took = started.elapsed();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].0;
    let failed = times.iter().filter(|(_, made)| !made).count();
    Ok(Measured { each: took / u32::try_from(calls)?, median: at(50), of_100: at(99), failed })
}
