//! A PostgreSQL cluster for the tests, from the system's package: in a temporary folder, on a socket, and gone when the
//! process that started it is, however that ends.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// The user that PostgreSQL runs as where the tests are run by root, which it refuses.
const UNPRIVILEGED: &str = "postgres";
/// Stops the cluster when its input ends, and removes it.
const WATCH: &str =
    "cat > /dev/null; \"$1/pg_ctl\" -D \"$2/data\" -m immediate -w stop > /dev/null 2>&1; rm -rf \"$2\"";

/// A running cluster.
pub(crate) struct Cluster {
    folder: PathBuf,
    /// As long as this is open, the cluster lives.
    _alive: ChildStdin,
    _watch: Child,
}

impl Cluster {
    /// The cluster of this process; `None` where there is no PostgreSQL.
    pub(crate) fn get() -> Option<&'static Self> {
        static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
        CLUSTER.get_or_init(|| binaries().map(|folder| Self::start(&folder))).as_ref()
    }

    fn start(binaries: &Path) -> Self {
        let text = output(command("mktemp").args(["-d", "-t", "cintx-postgres-XXXXXX"]));
        let folder = PathBuf::from(text.trim());
        let mut watch = command("sh")
            .args(["-c", WATCH, "watch"])
            .args([binaries, &folder])
            // What ends the tests with all that belongs to them does not end this.
            .process_group(0)
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        let alive = watch.stdin.take().expect("its input");
        let data = folder.join("data");
        let initdb = ["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=cintx", "-D"];
        output(command(binaries.join("initdb")).args(initdb).arg(&data));
        // The tests kill clients, never the server: it need not wait for the disk, unless that is to be measured.
        let fsync = if std::env::var_os("CINTX_FSYNC").is_some() { "on" } else { "off" };
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c max_connections=200 -c fsync={fsync} \
             -c shared_buffers=256MB -c max_wal_size=2GB",
            folder.display()
        );
        output(
            command(binaries.join("pg_ctl"))
                .arg("-D")
                .arg(&data)
                .args(["-w", "-o", &options, "-l"])
                .arg(folder.join("log"))
                .arg("start"),
        );
        Self { folder, _alive: alive, _watch: watch }
    }

    /// The connection string of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("host={} user=cintx dbname={database}", self.folder.display())
    }
}

/// The folder of the server's programs: on the path, where `pg_config` says, or where Debian puts them.
fn binaries() -> Option<PathBuf> {
    let has_both = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let told = Command::new("pg_config").arg("--bindir").output().ok();
    let told = told.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort();
    std::env::split_paths(&path).chain(told).chain(debian.into_iter().rev()).find(has_both)
}

/// A command by a user whom PostgreSQL lets run it.
fn command(program: impl AsRef<Path>) -> Command {
    let program = program.as_ref();
    let mut command = match is_root() {
        true => {
            let mut command = Command::new("setpriv");
            command.args([
                &format!("--reuid={UNPRIVILEGED}"),
                &format!("--regid={UNPRIVILEGED}"),
                "--clear-groups",
                "--",
            ]);
            command.arg(program);
            command
        }
        false => Command::new(program),
    };
    command.current_dir("/").env_remove("PGDATA");
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// What a command says; it must not fail.
fn output(command: &mut Command) -> String {
    // The server inherits what `pg_ctl` has, so its output goes nowhere that is waited for.
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().expect("a command of PostgreSQL");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
