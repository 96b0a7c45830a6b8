//! The domain types against the sandbox, which judges every request by its version's document: what is asked for is
//! sent as the document wants it, and what comes back is read, on every version.

mod bulk;
mod calendar;
mod directory;
mod exclusions;
mod fielding;
mod groups;
mod library;
mod lists;
mod prices;
mod projects;
#[cfg(feature = "v2025-12-18")]
mod respondents;
mod stage;
mod values;
