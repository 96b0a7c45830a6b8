//! Measures what one call costs through the facade: allocations, and instructions under callgrind.
//! The server is a process of its own, so that nothing of it is counted.
//!
//! `cargo run --release -p cintx-benches` measures and prints a table; it needs `valgrind` on the path.

mod calls;
mod server;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use calls::{Call, Caller};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Calls before the measured ones: the connection is open and every cache is filled.
const WARM_UP_CALLS: u64 = 3;
/// Calls in the longer of two runs under callgrind; the shorter one makes a single call.
const CALLS: u64 = 101;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => report(),
        ["serve"] => server::serve(),
        ["run", call, count] => run(call.parse()?, count.parse()?),
        _ => Err("usage: cintx-benches [run create|list COUNT]".into()),
    }
}

/// Measures every call and prints the table.
fn report() -> Result<()> {
    println!("| call | instructions | allocations | bytes allocated |\n|---|---|---|---|");
    for call in Call::ALL {
        let runs = (instructions(call, CALLS)?, instructions(call, 1)?);
        let (allocations, bytes) = allocations(call)?;
        println!("| {call} | {} | {allocations} | {bytes} |", (runs.0 - runs.1) / (CALLS - 1));
    }
    Ok(())
}

/// Instructions of a whole process that makes so many calls. The difference of two such runs is what the additional
/// calls took, without start and end of the process.
fn instructions(call: Call, count: u64) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["run", &call.to_string(), &count.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let log = String::from_utf8(output.stderr)?;
    let collected = log.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    collected.filter(|_| output.status.success()).ok_or_else(|| format!("callgrind failed: {log}").into())
}

/// Allocations and allocated bytes of one call.
fn allocations(call: Call) -> Result<(u64, u64)> {
    with_caller(|caller| {
        for _ in 0..WARM_UP_CALLS {
            caller.call(call)?;
        }
        let mut result = Ok(());
        let info = allocation_counter::measure(|| result = caller.call(call));
        result.map(|()| (info.count_total, info.bytes_total))
    })
}

/// Makes so many calls, and the ones to warm up.
fn run(call: Call, count: u64) -> Result<()> {
    with_caller(|caller| (0..WARM_UP_CALLS + count).try_for_each(|_| caller.call(call)))
}

/// Starts the server, and ends it after the work.
fn with_caller<T>(work: impl FnOnce(&Caller) -> Result<T>) -> Result<T> {
    let mut server =
        Command::new(std::env::current_exe()?).arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut url = String::new();
    let stdout = server.stdout.take().ok_or("the server has no output")?;
    BufReader::new(stdout).read_line(&mut url)?;
    let result = Caller::new(url.trim()).and_then(|caller| work(&caller));
    // The server ends at the end of its input.
    drop(server.stdin.take());
    server.wait()?;
    result
}
