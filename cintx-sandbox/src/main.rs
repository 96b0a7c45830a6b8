//! Runs a sandbox until it is interrupted.
//! Prints where it listens and the credentials that it accepts.

use cintx_sandbox::{Builder, Fault, Sandbox, Scenario, SeedFile, Tolerance, UnknownTolerance};
use clap::builder::NonEmptyStringValueParser;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
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
    #[arg(long, env = "CINTX_SANDBOX_CONTROL_TOKEN", value_name = "TOKEN", hide_env_values = true,
          value_parser = NonEmptyStringValueParser::new())]
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
    /// Let the simulation's clock stand at this moment (2026-01-31T12:00:00Z)
    /// until it is moved by control.
    #[arg(long, env = "CINTX_SANDBOX_STANDING_CLOCK", value_name = "MOMENT", value_parser = moment)]
    standing_clock: Option<i64>,
    /// Id of the one account.
    #[arg(long, env = "CINTX_SANDBOX_ACCOUNT_ID", value_name = "ID", default_value_t = 2428)]
    account_id: i32,
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
    /// Respondents that come the moment a target group goes live.
    #[arg(long, env = "CINTX_SANDBOX_FIELD_BURST", value_name = "COUNT", default_value_t = 12)]
    field_burst: u32,
    /// Milliseconds that a respondent stays in a survey, where the scenario
    /// does not say it.
    #[arg(long, env = "CINTX_SANDBOX_SESSION_TIME", value_name = "MS", default_value_t = 100)]
    session_time: u64,
    /// What there is from the start: account, users, suppliers, questions,
    /// studies in field; a file in TOML or JSON.
    #[arg(long, env = "CINTX_SANDBOX_SEED_FILE", value_name = "FILE", value_parser = seed_file)]
    seed_file: Option<Box<SeedFile>>,
    /// What is taken though the API may refuse it; `none` for nothing.
    #[arg(long, env = "CINTX_SANDBOX_TOLERATE", value_delimiter = ',', value_name = "KIND",
          default_value = "numbers-as-text,ids-as-numbers,condition-editions,early-starts", value_parser = tolerance)]
    tolerate: Vec<Option<Tolerance>>,
    /// Go on from the state in this file, if it is there, and write the state
    /// to it at the end. Other options that are given hold in it; a seed, an
    /// account id or a seed file that is not the state's is refused.
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
    /// Milliseconds before a webhook is tried again; they double with each try.
    #[arg(long, env = "CINTX_SANDBOX_WEBHOOK_RETRY", value_name = "MS", default_value_t = 1_000)]
    webhook_retry: u64,
    /// Reports leave out the last of their days, from its midnight in US Central.
    #[arg(long, env = "CINTX_SANDBOX_REPORTS_END_AT_LAST_MIDNIGHT",
          value_parser = clap::builder::FalseyValueParser::new())]
    reports_end_at_last_midnight: bool,
    /// Seconds in which nothing comes in on a connection before it is closed.
    #[arg(long, env = "CINTX_SANDBOX_IDLE_TIMEOUT", value_name = "SECONDS", default_value_t = 75)]
    idle_timeout: u64,
    /// Ask the sandbox that listens on this address whether it is well, and end:
    /// for health checks of containers. Without an address, at the port of the
    /// options on this machine.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1)]
    check: Option<Option<SocketAddr>>,
    /// Tell every request on standard error.
    #[arg(long, env = "CINTX_SANDBOX_LOG", value_parser = clap::builder::FalseyValueParser::new())]
    log: bool,
}

/// Reads a speed.
fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "a number is needed".to_owned())?;
    if (0.0..=1_000_000.0).contains(&speed) { Ok(speed) } else { Err("0 to 1000000 is allowed".into()) }
}

/// Reads a moment as seconds since 1970.
fn moment(text: &str) -> Result<i64, String> {
    let moment: jiff::Timestamp =
        text.parse().map_err(|_| "a moment like 2026-01-31T12:00:00Z is needed".to_owned())?;
    Ok(moment.as_second())
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
    let read = |file: &PathBuf| fs::read(file).map_err(|error| format!("{}: {error}", file.display()));
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

/// Where this machine reaches a sandbox with these options.
fn here(options: &Options) -> SocketAddr {
    let ip = match options.listen {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        narrower => narrower,
    };
    SocketAddr::new(ip, options.port)
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

/// The page's address; with the token where others than this machine may ask for it.
fn page(sandbox: &Sandbox, listen: IpAddr) -> String {
    let page = format!("http://{}/", sandbox.address());
    if listen.is_loopback() {
        return page;
    }
    format!("{page}?token={}", utf8_percent_encode(&sandbox.control_token(), NON_ALPHANUMERIC))
}

/// Writes a state as a whole or not at all: a file that is there stays until the new one is complete.
fn keep(file: &Path, state: &[u8]) -> io::Result<()> {
    // A link goes on to lead to the state.
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let neighbour = file.with_file_name(name);
    let written = File::create(&neighbour).and_then(|mut new| {
        new.write_all(state)?;
        new.sync_all()
    });
    let done = written.and_then(|()| fs::rename(&neighbour, &file));
    if done.is_err() {
        let _ = fs::remove_file(&neighbour);
    }
    done
}

/// Prints addresses and credentials.
fn print(sandbox: &Sandbox, listen: IpAddr) {
    let lines = [
        ("api", sandbox.api_url()),
        ("s2s", sandbox.s2s_url()),
        ("page", page(sandbox, listen)),
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

/// Ends when somebody or the system wants it to. From the call on, no signal ends the program before its state is kept.
fn stopped() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let signals = {
        use tokio::signal::unix::{SignalKind, signal};
        [SignalKind::interrupt(), SignalKind::terminate()].map(signal)
    };
    async move {
        #[cfg(unix)]
        if let [Ok(mut interrupted), Ok(mut terminated)] = signals {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// The sandbox as the options want it. What was not given stays as a state has it.
fn set_up(mut options: Options, matches: &ArgMatches) -> Result<Builder, String> {
    let mut builder = with_files(Sandbox::builder(), &options)?
        .port(options.port)
        .listen(options.listen)
        .speed(options.speed)
        .idle_timeout(Duration::from_secs(options.idle_timeout))
        .log(options.log);
    let told = |id: &str| matches.value_source(id).is_some_and(|source| source != ValueSource::DefaultValue);
    let milliseconds = Duration::from_millis;
    if told("seed") {
        builder = builder.seed(options.seed);
    }
    if told("account_id") {
        builder = builder.account_id(options.account_id);
    }
    if told("token_ttl") {
        builder = builder.token_ttl(Duration::from_secs(options.token_ttl));
    }
    if told("job_delay") {
        builder = builder.job_delay(milliseconds(options.job_delay));
    }
    if told("field_pace") {
        builder = builder.field_pace(milliseconds(options.field_pace));
    }
    if told("field_burst") {
        builder = builder.field_burst(options.field_burst);
    }
    if told("session_time") {
        builder = builder.session_time(milliseconds(options.session_time));
    }
    if told("webhook_retry") {
        builder = builder.webhook_retry(milliseconds(options.webhook_retry));
    }
    if told("reports_end_at_last_midnight") {
        builder = builder.reports_end_at_last_midnight(options.reports_end_at_last_midnight);
    }
    if told("scenario") {
        builder = builder.scenario(*options.scenario);
    }
    if told("tolerate") {
        builder = builder.tolerate(options.tolerate.into_iter().flatten());
    }
    if let Some(seconds) = options.standing_clock {
        builder = builder.standing_clock(seconds);
    }
    if let Some(token) = options.control_token.take() {
        builder = builder.control_token(token);
    }
    for date in options.api_version {
        builder = builder.api_version(date);
    }
    if let Some(address) = options.webhook_gateway.take() {
        builder = builder.webhook_gateway(address);
    }
    if let Some(file) = options.seed_file.take() {
        builder = builder.seed_file(*file);
    }
    Ok(builder)
}

/// Runs a sandbox until somebody or the system wants it to end.
async fn run(options: Options, matches: &ArgMatches) -> Result<(), String> {
    let (listen, state) = (options.listen, options.state.clone());
    let sandbox = set_up(options, matches)?.start().await.map_err(|error| error.to_string())?;
    // Whoever reads what is printed may end it at once.
    let stopped = stopped();
    print(&sandbox, listen);
    stopped.await;
    if let Some(file) = state {
        let saved = sandbox.save().map_err(|error| error.to_string());
        let kept = saved.and_then(|state| keep(&file, &state).map_err(|error| error.to_string()));
        kept.map_err(|error| format!("{}: {error}", file.display()))?;
    }
    sandbox.stop().await;
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let matches = Options::command().get_matches();
    let options = Options::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let done = match options.check.map(|address| address.unwrap_or_else(|| here(&options))) {
        Some(address) if address.port() == 0 => Err("--check without an address needs --port, to know which".into()),
        Some(address) => match check(address) {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("{address} does not answer as a sandbox does")),
            Err(error) => Err(format!("{address}: {error}")),
        },
        None => run(options, &matches).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
