//! The domain types against the sandbox, which judges every request by its version's document: what is asked for is
//! sent as the document wants it, and what comes back is read, on every version.

#![cfg_attr(
    not(all(feature = "v2024-12-02", feature = "v2025-02-17", feature = "v2025-12-18")),
    allow(dead_code, unused_imports, reason = "what only other versions use is compiled all the same")
)]

mod bulk;
#[cfg(feature = "v2025-12-18")]
mod bulk_killed;
mod bulk_reconciliation;
mod calendar;
mod changes;
mod composites;
mod directory;
mod editors;
mod exclusions;
mod fielding;
mod golden;
mod groups;
mod kept;
mod library;
mod lists;
mod long_lists;
mod options;
mod prices;
mod projects;
mod properties;
mod reconciliations;
mod refusals;
mod reports;
#[cfg(feature = "v2025-12-18")]
mod respondents;
mod setup;
mod studies;
mod study_files;
mod templates;
mod unread;
mod values;
mod webhooks;
