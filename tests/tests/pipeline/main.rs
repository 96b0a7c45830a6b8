//! The pipeline on real sockets, judged from outside: what is sent how often, under which key, and what callers are told.

#[cfg(feature = "v2025-12-18")]
mod crash;
#[cfg(feature = "v2025-12-18")]
mod journal;
#[cfg(feature = "v2025-12-18")]
mod load;
#[cfg(feature = "v2025-12-18")]
mod look_up;
mod matrix;
#[cfg(feature = "v2025-12-18")]
mod messages;
#[cfg(feature = "v2025-12-18")]
mod own_client;
#[cfg(feature = "v2025-12-18")]
mod own_write;
#[cfg(feature = "v2025-12-18")]
mod pace;
#[cfg(feature = "v2025-12-18")]
mod protocol;
#[cfg(feature = "v2025-12-18")]
mod settle;
mod support;
#[cfg(feature = "v2025-12-18")]
mod token_endpoint;
#[cfg(feature = "v2025-12-18")]
mod tokens;
