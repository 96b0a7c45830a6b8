//! The domain types against the sandbox, which judges every request by its version's document: what is asked for is
//! sent as the document wants it, and what comes back is read, on every version.

mod bulk;
mod fielding;
mod golden;
mod groups;
mod lists;
mod prices;
mod projects;
mod properties;
mod refusals;
mod stage;
mod studies;
mod values;
