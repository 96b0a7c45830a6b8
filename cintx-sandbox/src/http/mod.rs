//! What speaks HTTP: the server, the token endpoint, the control endpoint,
//! the page for people, the log of requests, and faults of connections.

pub(crate) mod access;
pub(crate) mod connection_fault;
pub(crate) mod control;
mod cors;
pub(crate) mod log;
pub(crate) mod oauth;
pub(crate) mod recording;
pub(crate) mod server;
mod view;
