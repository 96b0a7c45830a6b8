//! A fleet: four processes that share a token, a journal, a rate and an inbox in PostgreSQL. One of them is killed in
//! the middle of its work, and the others go on with it.
//!
//! `cargo run --example fleet -- --demo` plays it against the embedded sandbox, with PostgreSQL from the system's package
//! in a temporary folder, or in the database of `DATABASE_URL`, which should be one for trying things out. Without
//! `--demo` it wants `DATABASE_URL`, and `CINT_CLIENT_ID`, `CINT_CLIENT_SECRET` and `CINT_ACCOUNT_ID`: it settles what
//! processes that are gone have left open.

use std::error::Error;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cintx::client::{CallOptions, Credentials};
use cintx::webhook::inbox::Inbox;
use cintx::webhook::receive::Event;
use cintx::{Client, V2025_12_18};
use cintx_postgres::Database;
use cintx_sandbox::{Fault, Sandbox};
use serde_json::json;

#[path = "../cintx-postgres/tests/fleet/cluster.rs"]
#[allow(clippy::expect_used, reason = "that of the tests")]
mod cluster;

const PROCESSES: usize = 4;
/// What all processes send together.
const REQUESTS_PER_SECOND: f64 = 40.0;
const PROJECTS: i64 = 80;
const EVENTS: i64 = 400;
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("--demo") => demo().await,
        Some("--worker") => {
            let (name, run) = arguments.next().zip(arguments.next()).ok_or("a worker has a name and a run")?;
            work(&name, &run).await
        }
        _ => settle().await,
    }
}

fn set(name: &str) -> Outcome<String> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}

/// A client of the fleet: whatever process it is in, it shares everything with the others.
fn client(database: &Database) -> Outcome<Client<V2025_12_18>> {
    let mut credentials = Credentials::new(set("CINT_CLIENT_ID")?, set("CINT_CLIENT_SECRET")?);
    if let Ok(url) = std::env::var("CINT_TOKEN_URL") {
        credentials = credentials.endpoint(url);
    }
    let account = set("CINT_ACCOUNT_ID")?;
    let mut client = Client::<V2025_12_18>::builder()
        .credentials(credentials)
        .account(account.parse()?)
        .token_store(database.token_store())
        .journal(database.journal(&account)?)
        .pacer(database.pacer(&account, REQUESTS_PER_SECOND)?);
    if let Ok(url) = std::env::var("CINT_API_URL") {
        client = client.api_url(url);
    }
    Ok(client.build()?)
}

/// Settles what processes that are gone have left open: a job for a timer.
async fn settle() -> Outcome<()> {
    let database = Database::new(&set("DATABASE_URL")?)?;
    database.migrate().await?;
    for recovered in client(&database)?.recover().await? {
        println!("{}: {:?}", recovered.intent.summary(), recovered.resolution);
    }
    Ok(())
}

/// One of the fleet: settles what others have left, makes projects that nobody else makes, receives and handles events.
async fn work(name: &str, run: &str) -> Outcome<()> {
    let database = Database::new(&set("DATABASE_URL")?)?;
    let cint = client(&database)?;
    let recovered = cint.recover().await?;
    if !recovered.is_empty() {
        println!("{name} settles {} writes of a process that is gone", recovered.len());
    }
    tokio::try_join!(make_projects(name, run, &database, &cint), receive(run, &database))?;
    Ok(())
}

/// A row stays locked while its project is made: if this process dies, it is free for another, whose create under the
/// same key makes no second project.
async fn make_projects(name: &str, run: &str, database: &Database, cint: &Client<V2025_12_18>) -> Outcome<()> {
    let manager = set("CINT_MANAGER")?.parse()?;
    let next =
        format!("SELECT number FROM {run}.project WHERE worker IS NULL ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED");
    let made = format!("UPDATE {run}.project SET worker = $1 WHERE number = $2");
    let mut sql = database.pool().get().await?;
    loop {
        let transaction = sql.transaction().await?;
        let Some(row) = transaction.query_opt(&next, &[]).await? else { return Ok(()) };
        let number: i64 = row.get(0);
        let once = cint.with(CallOptions::new().business_key(format!("project {number}")));
        once.projects().create(format!("Drinks {number}"), manager).await?;
        transaction.execute(&made, &[&name, &number]).await?;
        transaction.commit().await?;
    }
}

/// Takes every event, as if a balancer had sent each of them to all, and handles those that nobody else handles.
async fn receive(run: &str, database: &Database) -> Outcome<()> {
    let store = database.inbox();
    let inbox = Inbox::new(store.clone());
    // Not safe to do twice, and done once: it is committed with the end of the facts.
    let count = format!(
        "INSERT INTO {run}.session AS kept VALUES ($1, 1, $2) ON CONFLICT (name)
            DO UPDATE SET events = kept.events + 1, last = EXCLUDED.last"
    );
    for number in 0..EVENTS {
        let session = format!("{run} s{}", number % 8);
        let data = json!({ "response_session_id": session, "sequence_number": number / 8 + 1 });
        let event = json!({ "id": format!("{run} e{number}"), "type": "com.cint.session.updated", "data": data });
        inbox.accept(Event::parse(event.to_string().as_bytes())?).await?;
        while let Some(batch) = store.claim(10).await? {
            for fact in batch.facts() {
                if let cintx::webhook::receive::EventData::SessionUpdated(update) = fact.event().data() {
                    let values = (&update.response_session_id, &update.sequence_number);
                    batch.client().execute(&count, &[values.0, values.1]).await?;
                }
            }
            batch.commit().await?;
        }
    }
    Ok(())
}

async fn demo() -> Outcome<()> {
    let url = match std::env::var("DATABASE_URL") {
        Ok(url) => url,
        Err(_) => cluster::Cluster::get().ok_or("no PostgreSQL found: set DATABASE_URL")?.url("postgres"),
    };
    let database = Database::new(&url)?;
    database.migrate().await?;
    let sql = database.pool().get().await?;
    if sql.query_one("SELECT EXISTS (SELECT FROM cintx.inbox_fact)", &[]).await?.get(0) {
        return Err("the inbox in DATABASE_URL has events that nobody has handled: take another database".into());
    }
    // A schema of its own, so that each run begins with nothing.
    let run = format!("fleet_{}_{}", jiff::Timestamp::now().as_millisecond(), std::process::id());
    let tables = format!(
        "CREATE SCHEMA {run};
        CREATE TABLE {run}.project (number bigint PRIMARY KEY, worker text);
        CREATE TABLE {run}.session (name text PRIMARY KEY, events bigint NOT NULL, last bigint NOT NULL)"
    );
    sql.batch_execute(&tables).await?;
    let projects = format!("INSERT INTO {run}.project SELECT generate_series(1, $1::bigint)");
    sql.execute(&projects, &[&PROJECTS]).await?;
    let played = play(&url, &run, &database).await;
    sql.batch_execute(&format!("DROP SCHEMA {run} CASCADE")).await?;
    played
}

/// The story: four processes, one of which is killed.
async fn play(url: &str, run: &str, database: &Database) -> Outcome<()> {
    let sandbox = Sandbox::builder().job_delay(Duration::ZERO).start().await?;
    // It changes nothing, and counts.
    let tokens = sandbox.inject(Fault::on("oauth_token").delay(Duration::ZERO));

    let began = Instant::now();
    let mut processes: Vec<Child> =
        (1..=PROCESSES).map(|number| start(number, url, run, &sandbox)).collect::<Result<_, _>>()?;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let mut first = processes.remove(0);
    // SIGKILL: no farewell.
    first.kill().and_then(|()| first.wait())?;
    println!("worker 1 was killed");
    processes.push(start(PROCESSES + 1, url, run, &sandbox)?);
    for mut process in processes {
        let ended = tokio::task::spawn_blocking(move || process.wait()).await??;
        if !ended.success() {
            return Err("a worker failed".into());
        }
    }
    let took = began.elapsed().as_secs_f64();
    report(run, database, &sandbox, took).await?;
    println!("tokens asked for: {}", sandbox.fault_hits(tokens));
    sandbox.stop().await;
    Ok(())
}

/// This program again, as one of the fleet.
fn start(number: usize, url: &str, run: &str, sandbox: &Sandbox) -> std::io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .args(["--worker", &format!("worker {number}"), run])
        .env("DATABASE_URL", url)
        .env("CINT_API_URL", sandbox.api_url())
        .env("CINT_TOKEN_URL", sandbox.token_url())
        .env("CINT_CLIENT_ID", sandbox.client_id())
        .env("CINT_CLIENT_SECRET", sandbox.client_secret())
        .env("CINT_ACCOUNT_ID", sandbox.account_id().to_string())
        .env("CINT_MANAGER", sandbox.project_manager_id())
        .stdin(Stdio::null())
        .spawn()
}

/// What became of it.
async fn report(run: &str, database: &Database, sandbox: &Sandbox, took: f64) -> Outcome<()> {
    let sql = database.pool().get().await?;
    let shares = format!("SELECT worker, count(*) FROM {run}.project GROUP BY worker ORDER BY worker");
    for row in sql.query(&shares, &[]).await? {
        println!("{} took {} projects", row.get::<_, String>(0), row.get::<_, i64>(1));
    }
    let requests = sandbox.requests();
    println!(
        "{} requests in {took:.1} s, {:.1} a second of {REQUESTS_PER_SECOND}",
        requests.len(),
        requests.len() as f64 / took
    );
    let cint = Client::<V2025_12_18>::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .api_url(sandbox.api_url())
        .token_store(database.token_store())
        .build()?;
    let projects = cint.projects().list().page_size(100).stream().collect().await?;
    let mut names: Vec<&str> = projects.iter().filter_map(|project| project.name.as_deref()).collect();
    names.retain(|name| name.starts_with("Drinks "));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    println!("{count} projects of {PROJECTS}, {} of them twice", count - names.len());
    if [count, names.len()] != [PROJECTS as usize; 2] {
        return Err("a project is missing, or was made twice".into());
    }
    let sessions =
        format!("SELECT coalesce(sum(events), 0)::bigint, coalesce(bool_and(events = last), false) FROM {run}.session");
    let row = sql.query_one(&sessions, &[]).await?;
    let (events, in_order): (i64, bool) = (row.get(0), row.get(1));
    println!("{events} events of {EVENTS} took effect, each once and in order: {in_order}");
    if events != EVENTS || !in_order {
        return Err("an event is missing, took effect twice, or out of order".into());
    }
    Ok(())
}
