//! Why the database could not be used. What statements were about stays out of it: a detail may hold what was to be
//! written.

use std::error::Error as _;
use std::sync::Arc;

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

/// Why the database could not be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection string is none.
    #[error("the connection string of PostgreSQL cannot be read: {}", said(.0))]
    Config(Arc<tokio_postgres::Error>),
    /// There is no connection: the server cannot be reached, refuses us, or all connections are in use.
    #[error("no connection to PostgreSQL: {}", no_connection(.0))]
    Connect(Arc<PoolError>),
    /// PostgreSQL refused a statement, or the connection broke off.
    #[error("PostgreSQL did not do it: {}", said(.0))]
    Statement(Arc<tokio_postgres::Error>),
    /// A value that was given cannot be used.
    #[error("{field} must be {allowed}, not {got}")]
    Value {
        /// Which one.
        field: &'static str,
        /// What it was.
        got: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A row holds something that this crate has not written.
    #[error("the table {table} holds something that cannot be read: {problem}")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// What is wrong about it.
        problem: String,
    },
}

impl Error {
    /// Whether the same transaction may go well if it is tried again at once.
    pub(crate) fn is_conflict(&self) -> bool {
        let Self::Statement(error) = self else { return false };
        matches!(error.code(), Some(&(SqlState::T_R_DEADLOCK_DETECTED | SqlState::T_R_SERIALIZATION_FAILURE)))
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Statement(Arc::new(error))
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) if error.as_db_error().is_none() && error.is_closed() => error.into(),
            error => Self::Connect(Arc::new(error)),
        }
    }
}

/// Why there is no connection, in the words of the server if it has refused us.
fn no_connection(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) => said(error),
        error => error.to_string(),
    }
}

/// The message of the server without its details, which may hold values; or what went wrong on the way, with its
/// causes.
fn said(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} ({})", said.message(), said.code().code());
    }
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        // Earlier releases of the driver say their causes by themselves.
        if !said.contains(&cause.to_string()) {
            said = format!("{said}: {cause}");
        }
        next = cause.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use crate::Database;

    #[tokio::test]
    async fn why_there_is_no_connection_is_said() {
        let database = Database::new("postgres://nobody@127.0.0.1:1/none").unwrap();
        let refused = database.migrate().await.unwrap_err().to_string();
        assert!(refused.contains("refused") && refused.matches("refused").count() == 1, "{refused}");
        let unread = Database::new("postgres://nobody@127.0.0.1:port/none").unwrap_err().to_string();
        assert!(unread.contains("port"), "{unread}");
    }
}
