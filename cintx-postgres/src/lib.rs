//! [cintx](https://docs.rs/cintx) for a fleet of processes that share a PostgreSQL database: a [token](PostgresTokenStore),
//! a [journal](PostgresJournal), an [inbox](PostgresInboxStore) of webhooks, and a [rate](PostgresPacer).
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use cintx::client::Credentials;
//! use cintx::{Client, V2025_12_18};
//! use cintx_postgres::Database;
//!
//! let database = Database::new("postgres://cint@db.example/studies")?;
//! database.migrate().await?;
//! let cint = Client::<V2025_12_18>::builder()
//!     .credentials(Credentials::from_env()?)
//!     .account(2428)
//!     .token_store(database.token_store())
//!     .journal(database.journal("account 2428")?)
//!     .pacer(database.pacer("account 2428", 20.0)?)
//!     .build()?;
//! for recovered in cint.recover().await? {
//!     println!("{}: {:?}", recovered.intent.summary(), recovered.resolution);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | shared | how | when a process is killed |
//! |---|---|---|
//! | a token | one process renews it under an advisory lock, the others read it | its session ends, the next one asks |
//! | a journal | each process owns its intents as long as its session lives | another one takes them over and settles them |
//! | an inbox | ids are a primary key; facts are claimed with `SKIP LOCKED`, in the transaction of their effect | the transaction is rolled back, another one claims them |
//! | a rate | one row says when the next request may leave; busy processes take turns | its turn is over in a moment |
//!
//! The tables are in the schema `cintx`, made by [`Database::migrate`] from one file. Sessions need PostgreSQL itself or
//! a pooler in session mode: a lock does not outlive a transaction in a pooler of transactions. PostgreSQL 12 or newer.

#![cfg_attr(docsrs, feature(doc_cfg))]

/// The code of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

mod database;
mod error;
mod inbox;
mod journal;
mod pace;
mod token;

pub use self::database::Database;
pub use self::error::Error;
pub use self::inbox::{Batch, PostgresInboxStore};
pub use self::journal::PostgresJournal;
pub use self::pace::PostgresPacer;
pub use self::token::PostgresTokenStore;

/// The crates whose types appear in public signatures.
pub mod reexports {
    pub use deadpool_postgres;
    pub use tokio_postgres;
}
