//! Measures what one call costs by hand, with the raw client and with the facade: allocations, and instructions under
//! callgrind. The server is a process of its own, so that nothing of it is counted.
//!
//! `cargo run --release -p cintx-benches` measures and prints a table; it needs `valgrind` on the path. With `builds`
//! it measures what a program that uses the SDK takes to compile, and how large it is, with `sizes` what makes it so
//! large; with `load`, many calls at once; with `signatures`, the verification of webhooks.

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
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use server::{Address, Protocol};

type Error = Box<dyn std::error::Error>;
type Result<T> = std::result::Result<T, Error>;

/// Calls before the measured ones: the connection is open and every cache is filled.
const WARM_UP_CALLS: u64 = 3;
/// Calls in the longer of two runs under callgrind; the shorter one makes a single call.
const CALLS: u64 = 101;
/// The same of a call that takes hundreds of millions of instructions.
const LONG_CALLS: u64 = 4;
/// Calls at once, where many are measured.
const AT_ONCE: u64 = 64;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => report(),
        ["builds"] => builds::report(),
        ["sizes"] => builds::sizes(),
        ["load"] => load::report(),
        ["signatures"] => signatures::report(),
        ["serve", protocol, refused_percent] => server::serve(protocol.parse()?, refused_percent.parse()?),
        ["run", protocol, client, call, at_once, count] => {
            let subject = Subject {
                protocol: protocol.parse()?,
                client: client.parse()?,
                call: call.parse()?,
                at_once: at_once.parse()?,
            };
            subject.run(count.parse()?)
        }
        _ => {
            Err("usage: cintx-benches [builds | load | signatures | sizes | run PROTOCOL CLIENT CALL AT_ONCE COUNT]"
                .into())
        }
    }
}

/// Measures every call and prints the table.
fn report() -> Result<()> {
    println!("| call | client | instructions | allocations | bytes allocated | peak memory, KiB |");
    println!("|---|---|---|---|---|---|");
    for call in Call::ALL {
        for &client in call.clients() {
            Subject { protocol: Protocol::Http1, client, call, at_once: 1 }.row("")?;
        }
    }
    for (protocol, at_once, how) in
        [(Protocol::Http2, 1, ", HTTP/2 over TLS"), (Protocol::Http1, AT_ONCE, ", 64 at once")]
    {
        for &client in Call::Project.clients() {
            Subject { protocol, client, call: Call::Project, at_once }.row(how)?;
        }
    }
    Ok(())
}

/// What is measured: calls of one kind, so many of them at once.
#[derive(Clone, Copy, Debug)]
struct Subject {
    protocol: Protocol,
    client: Client,
    call: Call,
    at_once: u64,
}

impl Subject {
    fn row(self, how: &str) -> Result<()> {
        let Self { protocol, client, call, at_once } = self;
        let calls = if call == Call::Library { LONG_CALLS } else { CALLS };
        let (few, many) = (self.instructions(at_once)?, self.instructions(at_once * calls)?);
        let (allocations, bytes) = allocations(protocol, client, call)?;
        let each = (many - few) / (at_once * (calls - 1));
        let peak = self.peak_memory(at_once * calls)?;
        println!("| {call}{how} | {client} | {each} | {allocations} | {bytes} | {peak} |");
        Ok(())
    }

    /// Instructions of a whole process that makes so many calls. The difference of two such runs is what the additional
    /// calls took, without start and end of the process.
    fn instructions(self, count: u64) -> Result<u64> {
        let Self { protocol, client, call, at_once } = self;
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe()?)
            .args(["run", protocol.name(), &client.to_string(), &call.to_string()])
            .args([at_once.to_string(), count.to_string()])
            .output()
            .map_err(|error| format!("valgrind: {error}"))?;
        let log = String::from_utf8(output.stderr)?;
        let collected = log.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
        collected.filter(|_| output.status.success()).ok_or_else(|| format!("callgrind failed: {log}").into())
    }

    /// The most memory that a process has had which makes so many calls.
    fn peak_memory(self, count: u64) -> Result<u64> {
        let Self { protocol, client, call, at_once } = self;
        let output = Command::new(std::env::current_exe()?)
            .args(["run", protocol.name(), &client.to_string(), &call.to_string()])
            .args([at_once.to_string(), count.to_string()])
            .stderr(Stdio::inherit())
            .output()?;
        Ok(String::from_utf8(output.stdout)?.trim().parse()?)
    }

    /// Makes so many calls, and the ones to warm up; prints the most memory that the process has had, in KiB.
    fn run(self, count: u64) -> Result<()> {
        self.make(count)?;
        let status = std::fs::read_to_string("/proc/self/status")?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        println!("{}", peak.ok_or("/proc/self/status has no VmHWM")?);
        Ok(())
    }

    fn make(self, count: u64) -> Result<()> {
        let Self { protocol, client, call, at_once } = self;
        with_caller(protocol, |caller| {
            (0..WARM_UP_CALLS).try_for_each(|_| caller.call(client, call))?;
            if at_once == 1 {
                return (0..count).try_for_each(|_| caller.call(client, call));
            }
            let calls = stream::iter(0..count).map(|_| caller.make(client, call));
            caller.block_on(calls.buffer_unordered(usize::try_from(at_once)?).try_collect())
        })
    }
}

/// Allocations and allocated bytes of one call.
fn allocations(protocol: Protocol, client: Client, call: Call) -> Result<(u64, u64)> {
    with_caller(protocol, |caller| allocations_of(caller, client, call))
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

fn with_caller<T>(protocol: Protocol, work: impl FnOnce(&Caller) -> Result<T>) -> Result<T> {
    Ok(with_server(protocol, 0, |address| Caller::new(address).and_then(|caller| work(&caller)))?.0)
}

/// Starts the server, and ends it after the work. Also says how many projects it has made.
fn with_server<T>(
    protocol: Protocol,
    refused_percent: u64,
    work: impl FnOnce(&Address) -> Result<T>,
) -> Result<(T, u64)> {
    let mut server = Command::new(std::env::current_exe()?)
        .args(["serve", protocol.name(), &refused_percent.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(server.stdout.take().ok_or("the server has no output")?).lines();
    let mut line = || lines.next().ok_or("the server has ended")?.map_err(crate::Error::from);
    let result = line().and_then(|address| work(&serde_json::from_str(&address)?));
    // The server ends at the end of its input.
    drop(server.stdin.take());
    let made = line()?.parse()?;
    server.wait()?;
    Ok((result?, made))
}
