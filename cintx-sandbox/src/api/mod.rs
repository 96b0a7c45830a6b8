//! The simulated API: a request is held against its document, a route does
//! what it asks for, and the answer takes the version's shape.

pub(crate) mod answer;
pub(crate) mod call;
pub(crate) mod dialect;
pub(crate) mod documents;
pub(crate) mod engine;
pub(crate) mod read_cache;
pub(crate) mod rejection;
pub(crate) mod routes;
mod strict;
