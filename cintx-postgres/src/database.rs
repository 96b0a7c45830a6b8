//! The pool of connections that everything here shares, its migration, and connections that are taken out of it: for
//! locks that live as long as their session, and for notifications.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use deadpool_postgres::{ClientWrapper, Connect, Manager, ManagerConfig, Object, Pool, Runtime};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket};

use crate::error::Error;
use crate::inbox::PostgresInboxStore;
use crate::journal::PostgresJournal;
use crate::pace::PostgresPacer;
use crate::token::PostgresTokenStore;

/// The statements that make the tables, which may be run again and again.
const MIGRATION: &str = include_str!("../migrations/0001.sql");
/// For a connection: to come about, and to be free.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// A peer that is gone without a word is noticed by the server within half a minute, and its locks are free.
const KEEPALIVE: &str = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4";

/// The kinds of advisory locks: the first of their two numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LockKind {
    Migration = 0x6369_6e00,
    Token,
    JournalOwner,
    JournalMark,
    InboxLoop,
}

/// A PostgreSQL database that the processes of a fleet share. Cheap to clone; the clones share a pool of connections.
///
/// It connects when it is first used, and again after a connection was lost.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use cintx::client::Credentials;
/// use cintx::{Client, V2025_12_18};
/// use cintx_postgres::Database;
///
/// let database = Database::new("host=db.example user=cint dbname=studies")?;
/// database.migrate().await?;
/// let cint = Client::<V2025_12_18>::builder()
///     .credentials(Credentials::from_env()?)
///     .account(2428)
///     .token_store(database.token_store())
///     .journal(database.journal("account 2428")?)
///     .pacer(database.pacer("account 2428", 20.0)?)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    notified: Arc<Notify>,
}

impl Database {
    /// A database by its connection string: `postgres://user@host/name`, or `host=… user=… dbname=…`. Without TLS, as
    /// over a socket or a private network.
    ///
    /// # Errors
    /// The connection string cannot be read.
    pub fn new(connection: &str) -> Result<Self, Error> {
        let config = Config::from_str(connection).map_err(|error| Error::Config(Arc::new(error)))?;
        Self::with_tls(config, NoTls)
    }

    /// A database by its configuration, with TLS by a connector of yours: that of `tokio-postgres-rustls` or
    /// `postgres-native-tls` for example.
    ///
    /// # Errors
    /// There is none now; a configuration that says nothing of a host fails with the first use.
    pub fn with_tls<T>(mut config: Config, tls: T) -> Result<Self, Error>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + Sync,
        T::TlsConnect: Send + Sync,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        if config.get_application_name().is_none() {
            config.application_name("cintx");
        }
        let notified = Arc::new(Notify::new());
        let connector = Connector { tls, notified: Arc::clone(&notified) };
        let manager = Manager::from_connect(config, connector, ManagerConfig::default());
        let pool = Pool::builder(manager)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECT_LIMIT))
            .create_timeout(Some(CONNECT_LIMIT))
            .build()
            .map_err(|problem| Error::Value {
                field: "the pool",
                got: problem.to_string(),
                allowed: "one with a runtime",
            })?;
        Ok(Self { pool, notified })
    }

    /// The pool, to set its size or to share it. A fleet needs few connections: besides those in use, each journal and
    /// each inbox that waits holds one of its own.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Makes the schema `cintx` and its tables, or what is missing of them. Every process may call it, at the same time,
    /// too.
    ///
    /// # Errors
    /// There is no connection, or the user may not make a schema.
    pub async fn migrate(&self) -> Result<(), Error> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        let (kind, key) = (LockKind::Migration as i32, 1_i32);
        transaction.execute("SELECT pg_advisory_xact_lock($1, $2)", &[&kind, &key]).await?;
        transaction.batch_execute(MIGRATION).await?;
        Ok(transaction.commit().await?)
    }

    /// Keeps tokens for all processes: [`ClientBuilder::token_store`](cintx::ClientBuilder::token_store).
    pub fn token_store(&self) -> PostgresTokenStore {
        PostgresTokenStore::new(self.clone())
    }

    /// A journal that all processes share: [`ClientBuilder::journal`](cintx::ClientBuilder::journal). Give those of an
    /// account the same name.
    ///
    /// # Errors
    /// The name is empty or too long.
    pub fn journal(&self, name: &str) -> Result<PostgresJournal, Error> {
        Ok(PostgresJournal::new(self.clone(), checked("the journal's name", name)?))
    }

    /// The inbox that all receivers of webhooks share: [`Inbox::new`](cintx::webhook::inbox::Inbox::new).
    pub fn inbox(&self) -> PostgresInboxStore {
        PostgresInboxStore::new(self.clone())
    }

    /// A rate that all processes keep to together: [`ClientBuilder::pacer`](cintx::ClientBuilder::pacer). Those with
    /// the same name share it.
    ///
    /// # Errors
    /// The name is empty or too long, or the rate is not a positive number.
    pub fn pacer(&self, name: &str, requests_per_second: f64) -> Result<PostgresPacer, Error> {
        PostgresPacer::new(self.clone(), checked("the pacer's name", name)?, requests_per_second)
    }

    /// A connection for a moment.
    pub(crate) async fn connection(&self) -> Result<Object, Error> {
        Ok(self.pool.get().await?)
    }

    /// A connection that does not go back to the pool: dropping it ends its session, and what that holds.
    pub(crate) async fn session(&self) -> Result<ClientWrapper, Error> {
        let session = Object::take(self.pool.get().await?);
        session.batch_execute(KEEPALIVE).await?;
        Ok(session)
    }

    /// Told when a notification comes on any connection, and when one ends.
    pub(crate) fn notified(&self) -> &Notify {
        &self.notified
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

/// Takes an advisory lock that lives as long as its session, or answers `false` if another session has it.
pub(crate) async fn try_session_lock(client: &Client, kind: LockKind, key: i32) -> Result<bool, Error> {
    let row = client.query_one("SELECT pg_try_advisory_lock($1, $2)", &[&(kind as i32), &key]).await?;
    Ok(row.try_get(0)?)
}

/// The number of a name among the advisory locks. Two names with the same one wait for each other, no more.
pub(crate) fn lock_key(name: &str) -> i32 {
    let hash = Sha256::digest(name);
    hash.iter().take(4).fold(0, |key: i32, byte| (key << 8) | i32::from(*byte))
}

/// A moment as PostgreSQL has it, in whole microseconds. None is before 1970.
pub(crate) fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.as_microsecond()).unwrap_or(0))
}

/// A name that tells rows apart.
fn checked(field: &'static str, name: &str) -> Result<String, Error> {
    if name.is_empty() || name.len() > 200 || name.contains('\0') {
        let got = format!("{:?} ({} bytes)", name.chars().take(40).collect::<String>(), name.len());
        return Err(Error::Value { field, got, allowed: "1 to 200 bytes without NUL" });
    }
    Ok(name.to_owned())
}

/// Makes connections, and looks after them: notifications are passed on.
struct Connector<T> {
    tls: T,
    notified: Arc<Notify>,
}

type Connected = Result<(Client, JoinHandle<()>), tokio_postgres::Error>;

impl<T> Connect for Connector<T>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send + Sync,
    T::TlsConnect: Send + Sync,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn connect(&self, config: &Config) -> Pin<Box<dyn Future<Output = Connected> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, mut connection) = config.connect(self.tls.clone()).await?;
            let notified = Arc::clone(&self.notified);
            let task = tokio::spawn(async move {
                loop {
                    match poll_fn(|context| connection.poll_message(context)).await {
                        Some(Ok(AsyncMessage::Notification(_))) => notified.notify_one(),
                        // What the server has to say beside.
                        Some(Ok(_)) => {}
                        Some(Err(error)) => {
                            tracing::warn!(error = %Error::from(error), "a connection to PostgreSQL was lost");
                            break;
                        }
                        None => break,
                    }
                }
                // It may be the one that listened.
                notified.notify_one();
            });
            Ok((client, task))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_connection_string_that_cannot_be_used_is_told_with_its_field() {
        let database = Database::new("host=nowhere user=u").unwrap();
        for (name, got) in [("", "\"\" (0 bytes)"), ("a\0b", "\"a\\0b\" (3 bytes)")] {
            let error = database.journal(name).unwrap_err();
            assert_eq!(error.to_string(), format!("the journal's name must be 1 to 200 bytes without NUL, not {got}"));
        }
        assert!(database.pacer(&"x".repeat(201), 1.0).is_err());
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = database.pacer("p", rate).unwrap_err().to_string();
            assert!(error.starts_with("requests_per_second must be"), "{error}");
        }
        let secret = Database::new("host=h password=hunter2 port=none").unwrap_err();
        assert!(!format!("{secret} {secret:?}").contains("hunter2"), "{secret:?}");
        assert!(!format!("{:?}", Database::new("host=h user=u password=hunter2").unwrap()).contains("hunter2"));
    }

    #[test]
    fn names_have_numbers_of_their_own_among_the_locks() {
        assert_ne!(lock_key("a"), lock_key("b"));
        assert_eq!(lock_key("a"), lock_key("a"));
        let kinds = [LockKind::Migration, LockKind::Token, LockKind::JournalOwner, LockKind::JournalMark];
        assert!(kinds.map(|kind| kind as i32).is_sorted_by(|a, b| a < b));
    }
}
