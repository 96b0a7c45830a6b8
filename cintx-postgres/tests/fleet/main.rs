//! A fleet against PostgreSQL from the system's package: processes share a token, a rate, a journal and an inbox, and
//! are killed in the middle of it. Where there is no PostgreSQL, each test says that it was skipped.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

mod cluster;
mod example;
mod inbox;
mod journal;
mod pace;
mod receivers;
mod support;
mod token;
