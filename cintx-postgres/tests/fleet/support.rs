//! Databases for single tests, and processes: this binary again, with the part that it is to play in its environment.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use cintx_postgres::Database;

use crate::cluster::Cluster;

/// The connection string of the test's database: set in processes that a test starts.
pub(crate) const URL: &str = "CINTX_FLEET_URL";
/// What a process needs to know beside.
pub(crate) const ARGUMENT: &str = "CINTX_FLEET_ARGUMENT";

/// A database of its own for a test; `None`, told aloud, where there is no PostgreSQL.
pub(crate) async fn database() -> Option<(Database, String)> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Some(cluster) = Cluster::get() else {
        let is_required = std::env::var("CINTX_POSTGRES").is_ok_and(|word| word == "required");
        assert!(!is_required, "CINTX_POSTGRES is \"required\", and no PostgreSQL was found");
        // Past the harness, which keeps back what a passing test prints.
        let _ = writeln!(std::io::stderr(), "skipped: no PostgreSQL found");
        return None;
    };
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let root = open(&cluster.url("postgres"));
    root.pool().get().await.unwrap().batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    let url = cluster.url(&name);
    let database = open(&url);
    database.migrate().await.unwrap();
    Some((database, url))
}

pub(crate) fn open(url: &str) -> Database {
    Database::new(url).unwrap()
}

/// The number in a variable, for larger runs.
pub(crate) fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// What a process that plays a part was told: connection string and argument. `None` in the test itself.
pub(crate) fn part() -> Option<(String, String)> {
    Some((std::env::var(URL).ok()?, std::env::var(ARGUMENT).ok()?))
}

/// This binary again, with one test alone. Its output is what it says.
pub(crate) fn start(test: &str, url: &str, argument: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(URL, url)
        .env(ARGUMENT, argument)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the part of a process.
pub(crate) fn play<T>(part: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(part)
}
