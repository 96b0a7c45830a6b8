//! Runs a sandbox until it is interrupted.
//! Prints where it listens and the credentials that it accepts.

use cintx_sandbox::{Builder, Fault, Sandbox, Scenario, SeedFile, Tolerance, UnknownTolerance};
use clap::Parser;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// A simulated Cint Exchange Demand API on loopback.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Port to listen on; a free one if 0.
    #[arg(long, env = "CINTX_SANDBOX_PORT", default_value_t = 0)]
    port: u16,
    /// Address to listen on.
    #[arg(long, env = "CINTX_SANDBOX_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1")]
    listen: IpAddr,
    /// Token that opens the control endpoint and the page from other machines;
    /// a random one if none is given.
    #[arg(long, env = "CINTX_SANDBOX_CONTROL_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    control_token: Option<String>,
    /// Serve only this dated version; may be given several times.
    #[arg(long, env = "CINTX_SANDBOX_API_VERSION", value_delimiter = ',', value_name = "DATE")]
    api_version: Vec<String>,
    /// Seed of everything that is made up.
    #[arg(long, env = "CINTX_SANDBOX_SEED", default_value_t = 1)]
    seed: u64,
    /// Times as fast as the machine's clock that the simulation runs; 604800
    /// is a week in a second.
    #[arg(long, env = "CINTX_SANDBOX_SPEED", value_name = "TIMES", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Seconds that a token is good for.
    #[arg(long, env = "CINTX_SANDBOX_TOKEN_TTL", value_name = "SECONDS", default_value_t = 86_400)]
    token_ttl: u64,
    /// Milliseconds that asynchronous jobs stay in progress.
    #[arg(long, env = "CINTX_SANDBOX_JOB_DELAY", value_name = "MS", default_value_t = 150)]
    job_delay: u64,
    /// How the people of the field behave: quick, lifelike, or a file in TOML
    /// or JSON.
    #[arg(long, env = "CINTX_SANDBOX_SCENARIO", value_name = "NAME OR FILE", default_value = "quick", value_parser = scenario)]
    scenario: Box<Scenario>,
    /// Milliseconds between two respondents on average, where the scenario
    /// does not say how many come; 0 for none.
    #[arg(long, env = "CINTX_SANDBOX_FIELD_PACE", value_name = "MS", default_value_t = 200)]
    field_pace: u64,
    /// What there is from the start: account, users, suppliers, questions,
    /// studies in field; a file in TOML or JSON.
    #[arg(long, env = "CINTX_SANDBOX_SEED_FILE", value_name = "FILE", value_parser = seed_file)]
    seed_file: Option<Box<SeedFile>>,
    /// What is taken though the API may refuse it; `none` for nothing.
    #[arg(long, env = "CINTX_SANDBOX_TOLERATE", value_delimiter = ',', value_name = "KIND",
          default_value = "numbers-as-text,ids-as-numbers,condition-editions,early-starts", value_parser = tolerance)]
    tolerate: Vec<Option<Tolerance>>,
    /// Go on from the state in this file, if it is there, and write the state
    /// to it at the end.
    #[arg(long, env = "CINTX_SANDBOX_STATE", value_name = "FILE")]
    state: Option<PathBuf>,
    /// Another interface document, as JSON, in the place of the one of its
    /// date; may be given several times.
    #[arg(long, env = "CINTX_SANDBOX_DOCUMENT", value_delimiter = ',', value_name = "FILE")]
    document: Vec<PathBuf>,
    /// Faults to inject from the start, in TOML or JSON.
    #[arg(long, env = "CINTX_SANDBOX_FAULTS", value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Deliver webhooks to this host:port, whatever their address.
    #[arg(long, env = "CINTX_SANDBOX_WEBHOOK_GATEWAY", value_name = "ADDRESS")]
    webhook_gateway: Option<String>,
    /// Ask the sandbox that listens on this address whether it is well, and end:
    /// for health checks of containers.
    #[arg(long, value_name = "ADDRESS")]
    check: Option<SocketAddr>,
    /// Tell every request on standard error.
    #[arg(long, env = "CINTX_SANDBOX_LOG", value_parser = clap::builder::FalseyValueParser::new())]
    log: bool,
}

/// Reads a speed.
fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "a number is needed".to_owned())?;
    if (0.0..=1_000_000.0).contains(&speed) { Ok(speed) } else { Err("0 to 1000000 is allowed".into()) }
}

/// Reads a scenario by name or from a file.
fn scenario(given: &str) -> Result<Box<Scenario>, String> {
    let read = || {
        let text = std::fs::read_to_string(given)
            .map_err(|error| format!("neither quick nor lifelike, and as a file: {error}"))?;
        Scenario::read(&text).map_err(|error| error.to_string())
    };
    Scenario::named(given).map_or_else(read, Ok).map(Box::new)
}

/// Reads a seed file.
fn seed_file(given: &str) -> Result<Box<SeedFile>, String> {
    let text = std::fs::read_to_string(given).map_err(|error| error.to_string())?;
    SeedFile::read(&text).map(Box::new).map_err(|error| error.to_string())
}

/// Reads the name of a tolerance; `none` stands for no one.
fn tolerance(given: &str) -> Result<Option<Tolerance>, UnknownTolerance> {
    if given == "none" { Ok(None) } else { given.parse().map(Some) }
}

/// Reads the files that the options name.
fn with_files(mut builder: Builder, options: &Options) -> Result<Builder, String> {
    let read = |file: &PathBuf| std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()));
    let text = |file: &PathBuf| Ok::<_, String>(String::from_utf8_lossy(&read(file)?).into_owned());
    for file in &options.document {
        builder = builder.document(text(file)?);
    }
    if let Some(file) = options.state.as_ref().filter(|file| file.exists()) {
        builder = builder.state(read(file)?);
    }
    if let Some(file) = &options.faults {
        let faults = Fault::read_all(&text(file)?).map_err(|error| format!("{}: {error}", file.display()))?;
        builder = builder.faults(faults);
    }
    Ok(builder)
}

/// Whether a sandbox on this machine answers.
fn check(address: SocketAddr) -> std::io::Result<bool> {
    let patience = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    write!(stream, "GET /control/about HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    Ok(&status == b"HTTP/1.1 200")
}

/// Prints addresses and credentials.
fn print(sandbox: &Sandbox) {
    let lines = [
        ("api", sandbox.api_url()),
        ("s2s", sandbox.s2s_url()),
        ("page", format!("http://{}/", sandbox.address())),
        ("token", sandbox.token_url()),
        ("control", sandbox.control_url()),
        ("control_token", sandbox.control_token()),
        ("versions", sandbox.versions().join(" ")),
        ("client_id", sandbox.client_id()),
        ("client_secret", sandbox.client_secret()),
        ("s2s_key", sandbox.s2s_key()),
        ("account_id", sandbox.account_id().to_string()),
        ("project_manager_id", sandbox.project_manager_id()),
        ("business_unit_id", sandbox.business_unit_id().to_string()),
    ];
    let mut out = std::io::stdout().lock();
    for (name, value) in lines {
        // A closed pipe is no reason to stop serving.
        let _ = writeln!(out, "{name:<20} {value}");
    }
    let _ = out.flush();
}

/// Waits until somebody or the system wants it to end.
async fn stopped() {
    #[cfg(unix)]
    if let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(address) = options.check {
        return match check(address) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => {
                eprintln!("{address} does not answer as a sandbox does");
                ExitCode::FAILURE
            }
            Err(error) => {
                eprintln!("{address}: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let builder = match with_files(Sandbox::builder(), &options) {
        Ok(builder) => builder,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let mut builder = builder
        .port(options.port)
        .listen(options.listen)
        .seed(options.seed)
        .speed(options.speed)
        .token_ttl(Duration::from_secs(options.token_ttl))
        .job_delay(Duration::from_millis(options.job_delay))
        .field_pace(Duration::from_millis(options.field_pace))
        .scenario(*options.scenario)
        .tolerate(options.tolerate.into_iter().flatten())
        .log(options.log);
    if let Some(token) = options.control_token {
        builder = builder.control_token(token);
    }
    for date in options.api_version {
        builder = builder.api_version(date);
    }
    if let Some(address) = options.webhook_gateway {
        builder = builder.webhook_gateway(address);
    }
    if let Some(file) = options.seed_file {
        builder = builder.seed_file(*file);
    }
    let sandbox = match builder.start().await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    print(&sandbox);
    stopped().await;
    if let Some(file) = options.state {
        let saved = sandbox.save().map_err(|error| error.to_string());
        if let Err(error) = saved.and_then(|state| std::fs::write(&file, state).map_err(|error| error.to_string())) {
            eprintln!("{}: {error}", file.display());
            return ExitCode::FAILURE;
        }
    }
    sandbox.stop().await;
    ExitCode::SUCCESS
}
