//! Many calls at once: time for each, its spread, and what becomes of calls when the server is unwell.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{StreamExt as _, iter};

use crate::calls::{Call, Caller, Client};
use crate::server::{Address, Protocol, library_bytes};
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
/// So often is a library read to see how fast that is.
const LIBRARIES: usize = 20;

const CLIENTS: [Client; 3] = [Client::ByHand, Client::Raw, Client::Facade];

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
    row_for_each_client(Protocol::Http1, 64, REFUSED_PERCENT, CALLS_OF_UNWELL_SERVER)?;
    println!("\n| client | library, MB a second |\n|---|---|");
    for client in CLIENTS {
        println!("| {client} | {:.0} |", throughput(client)?);
    }
    Ok(())
}

/// How fast a library of questions is read and decoded: megabytes a second, the best of some.
fn throughput(client: Client) -> Result<f64> {
    let bytes = f64::from(u32::try_from(library_bytes())?);
    let (best, _) = with_server(Protocol::Http1, 0, |address| {
        let caller = Caller::new(address)?;
        let mut best = Duration::MAX;
        for _ in 0..LIBRARIES {
            let started = Instant::now();
            caller.call(client, Call::Library)?;
            best = best.min(started.elapsed());
        }
        Ok(best)
    })?;
    Ok(bytes / 1e6 / best.as_secs_f64())
}

fn row_for_each_client(protocol: Protocol, at_once: usize, refused_percent: u64, calls: usize) -> Result<()> {
    let clients = CLIENTS;
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
