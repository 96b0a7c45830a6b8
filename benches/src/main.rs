//! Measures what one call costs by hand, with the raw client and with the facade: allocations, and instructions under
//! callgrind. The server is a process of its own, so that nothing of it is counted.
//!
//! `cargo run --release -p cintx-benches` measures and prints a table; it needs `valgrind` on the path. With `builds`
//! it measures what a program that uses the SDK takes to compile, and how large it is; with `load`, many calls at once;
//! with `signatures`, the verification of webhooks.

#[cfg(test)]
mod budgets;
mod builds;
mod calls;
mod load;
mod server;
mod signatures;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use calls::{Call, Caller, Client};

type Error = Box<dyn std::error::Error>;
type Result<T> = std::result::Result<T, Error>;

/// Calls before the measured ones: the connection is open and every cache is filled.
const WARM_UP_CALLS: u64 = 3;
/// Calls in the longer of two runs under callgrind; the shorter one makes a single call.
const CALLS: u64 = 101;
/// The same of a call that takes hundreds of millions of instructions.
const LONG_CALLS: u64 = 4;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => report(),
        ["builds"] => builds::report(),
        ["load"] => load::report(),
        ["signatures"] => signatures::report(),
        ["serve", refused_percent] => server::serve(refused_percent.parse()?),
        ["run", client, call, count] => run(client.parse()?, call.parse()?, count.parse()?),
        _ => Err("usage: cintx-benches [builds | load | signatures | run CLIENT CALL COUNT]".into()),
    }
}

/// Measures every call and prints the table.
fn report() -> Result<()> {
    println!("| call | client | instructions | allocations | bytes allocated |\n|---|---|---|---|---|");
    for call in Call::ALL {
        for &client in call.clients() {
            let calls = if call == Call::Library { LONG_CALLS } else { CALLS };
            let runs = (instructions(client, call, calls)?, instructions(client, call, 1)?);
            let (allocations, bytes) = allocations(client, call)?;
            let each = (runs.0 - runs.1) / (calls - 1);
            println!("| {call} | {client} | {each} | {allocations} | {bytes} |");
        }
    }
    Ok(())
}

/// Instructions of a whole process that makes so many calls. The difference of two such runs is what the additional
/// calls took, without start and end of the process.
fn instructions(client: Client, call: Call, count: u64) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["run", &client.to_string(), &call.to_string(), &count.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let log = String::from_utf8(output.stderr)?;
    let collected = log.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    collected.filter(|_| output.status.success()).ok_or_else(|| format!("callgrind failed: {log}").into())
}

/// Allocations and allocated bytes of one call.
fn allocations(client: Client, call: Call) -> Result<(u64, u64)> {
    with_caller(|caller| allocations_of(caller, client, call))
}

/// The same with a client that is there. What other threads allocate is not counted.
fn allocations_of(caller: &Caller, client: Client, call: Call) -> Result<(u64, u64)> {
    for _ in 0..WARM_UP_CALLS {
        caller.call(client, call)?;
    }
    let mut result = Ok(());
    let info = allocation_counter::measure(|| result = caller.call(client, call));
    result.map(|()| (info.count_total, info.bytes_total))
}

/// Makes so many calls, and the ones to warm up.
fn run(client: Client, call: Call, count: u64) -> Result<()> {
    with_caller(|caller| (0..WARM_UP_CALLS + count).try_for_each(|_| caller.call(client, call)))
}

fn with_caller<T>(work: impl FnOnce(&Caller) -> Result<T>) -> Result<T> {
    Ok(with_server(0, |url| Caller::new(url).and_then(|caller| work(&caller)))?.0)
}

/// Starts the server, and ends it after the work. Also says how many projects it has made.
fn with_server<T>(refused_percent: u64, work: impl FnOnce(&str) -> Result<T>) -> Result<(T, u64)> {
    let mut server = Command::new(std::env::current_exe()?)
        .args(["serve", &refused_percent.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(server.stdout.take().ok_or("the server has no output")?).lines();
    let mut line = || lines.next().ok_or("the server has ended")?.map_err(crate::Error::from);
    let result = line().and_then(|url| work(&url));
    // The server ends at the end of its input.
    drop(server.stdin.take());
    let made = line()?.parse()?;
    server.wait()?;
    Ok((result?, made))
}
