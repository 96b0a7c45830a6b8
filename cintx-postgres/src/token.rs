//! Tokens in a table, and the sole right to renew one as an advisory lock: of many processes one asks the token
//! endpoint, the others read what it stored.

use std::time::SystemTime;

use cintx::Secret;
use cintx::auth::{StoredToken, TokenLock, TokenStore};
use futures_util::future::{BoxFuture, FutureExt as _};

use crate::database::{Database, LockKind, lock_key};
use crate::error::Error;

/// Keeps tokens in the table `cintx.token`, for all processes of a fleet.
///
/// A token is renewed by one process at a time. The right is an advisory lock of a session: when its process is killed,
/// the session ends, and the next one goes on. Tokens are in that table as they are, under a hash of their credentials,
/// and nowhere else: not in logs, errors or `Debug`.
#[derive(Clone, Debug)]
pub struct PostgresTokenStore {
    database: Database,
}

impl PostgresTokenStore {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    async fn read(&self, name: &str) -> Result<Option<StoredToken>, Error> {
        let client = self.database.connection().await?;
        let statement = client.prepare_cached("SELECT token, expires_at FROM cintx.token WHERE name = $1").await?;
        let Some(row) = client.query_opt(&statement, &[&name]).await? else { return Ok(None) };
        let (token, expires_at): (String, SystemTime) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Some(StoredToken { token: Secret::from(token), expires_at }))
    }

    async fn write(&self, name: &str, token: &StoredToken) -> Result<(), Error> {
        let client = self.database.connection().await?;
        let sql = "INSERT INTO cintx.token (name, token, expires_at) VALUES ($1, $2, $3)
            ON CONFLICT (name) DO UPDATE SET token = EXCLUDED.token, expires_at = EXCLUDED.expires_at";
        client.execute(sql, &[&name, &token.token.expose(), &token.expires_at]).await?;
        Ok(())
    }

    /// A session that holds the lock of a name.
    async fn locked(&self, name: &str) -> Result<TokenLock, Error> {
        let session = self.database.session().await?;
        // Who waits for longer is not waited for: see `TokenStore::lock`.
        session.batch_execute("SET lock_timeout = '30s'").await?;
        let (kind, key) = (LockKind::Token as i32, lock_key(name));
        session.execute("SELECT pg_advisory_lock($1, $2)", &[&kind, &key]).await?;
        Ok(TokenLock::new(session))
    }
}

impl TokenStore for PostgresTokenStore {
    fn load(&self, name: &str) -> BoxFuture<'_, Option<StoredToken>> {
        let name = name.to_owned();
        async move { or_warn(self.read(&name).await, "no token can be read").flatten() }.boxed()
    }

    fn save(&self, name: &str, token: &StoredToken) -> BoxFuture<'_, ()> {
        let (name, token) = (name.to_owned(), token.clone());
        async move { or_warn(self.write(&name, &token).await, "the token cannot be kept").unwrap_or_default() }.boxed()
    }

    fn lock(&self, name: &str) -> BoxFuture<'_, Option<TokenLock>> {
        let name = name.to_owned();
        async move { or_warn(self.locked(&name).await, "renews the token without a lock") }.boxed()
    }
}

/// A store that fails is passed over.
fn or_warn<T>(outcome: Result<T, Error>, what: &'static str) -> Option<T> {
    outcome.inspect_err(|error| tracing::warn!(%error, "{what}")).ok()
}
