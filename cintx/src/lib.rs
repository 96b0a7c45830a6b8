//! The Rust SDK for the Cint Exchange Demand API: projects, target groups, quotas, field, reconciliation. One client
//! per dated version of the API, chosen by type; the version is named once in a program.
//!
//! ```no_run
//! use cintx::{Client, Money, V2025_12_18};
//! use cintx::audience::{Audience, Question};
//! use cintx::client::Credentials;
//! use cintx::supply::Supply;
//! use cintx::types::LengthOfInterview;
//! use jiff::{Timestamp, ToSpan as _};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let cint = Client::<V2025_12_18>::builder().credentials(Credentials::from_env()?).account(2428).build()?;
//! let manager = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".parse()?;
//!
//! let project = cint.projects().create("MyDrinksSurveyQ1", manager).await?;
//! let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
//! let gender = Question::choice(43).option("1", 49).option("2", 51);
//! let start = Timestamp::now() + 2.hours();
//!
//! let group = cint
//!     .project(&project)
//!     .draft_target_group("UK pets")
//!     .business_unit(3848)
//!     .manager(manager)
//!     .locale("eng_gb")
//!     .completes_goal(500)
//!     .length_of_interview(LengthOfInterview::minutes(10))
//!     .incidence_rate("0.50")
//!     .fielding_period(start..start + 240.hours())
//!     .cost_per_interview(Money::new("2.73", "USD")?)
//!     .live_url("https://survey.example/?RID=[%RID%]")
//!     .supply(Supply::open_exchange())
//!     .audience(Audience::interlock([age, gender]))
//!     .create()
//!     .await?;
//!
//! let mut run = group.launch(start + 240.hours()).await?.until_live().await?;
//! run.pause().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where things are
//!
//! | to | see |
//! |---|---|
//! | build a client, set options for one call | [`client`], [`auth`] |
//! | make and list projects and target groups | [`project`], [`target_group`] |
//! | say whom to ask, and how many of each | [`audience`], [`quota`], [`profile_template`], [`library`] |
//! | choose suppliers and price | [`supply`], [`pricing`] |
//! | launch, pause, resume, complete | [`fielding`], [`job`] |
//! | keep respondents out, or ask them again | [`exclusion`], [`recontact`] |
//! | admit respondents, and send them back | [`respondent`] |
//! | say which completes count, and get reports | [`reconciliation`], [`report`], [`webhook`] |
//! | describe a whole study as data | [`study`] |
//! | create, launch, price, pause many target groups at once | [`batch`] |
//! | watch a field: changes, lags, costs, forecasts | [`watch`] |
//! | look up accounts, locales, industries, suppliers | [`mod@reference`] |
//! | know what a failed call did | [`error`], [`recovery`], [`Error::outcome`] |
//! | read long lists | [`paging`] |
//! | look into every request | [`http`] |
//!
//! Every operation that Cint documents is reachable behind the same pipeline: see [`Client::raw`].
//!
//! # Versions
//!
//! | version | type | what it has and an older or newer one has not |
//! |---|---|---|
//! | 2025-12-18 | [`V2025_12_18`] | hand-made quotas, exclusions by file, recontacts, re-entry, forecasts of price |
//! | 2025-02-17 | `V2025_02_17` | validation of audiences and performance, which 2024-12-02 lacks |
//! | 2024-12-02 | `V2024_12_02` | single profiles of a launched group changed, as in 2025-02-17 |
//!
//! [`guide::versions`] lists every capability by version.
//!
//! # Features
//!
//! | feature | what it does | default |
//! |---|---|---|
//! | `v2025-12-18` | the newest version | yes |
//! | `v2025-02-17`, `v2024-12-02` | the older versions; several may be on at once | |
//! | `aws-lc-rs` | TLS with the crypto of AWS-LC | yes |
//! | `ring` | TLS with the crypto of ring, where `aws-lc-rs` is off | |
//! | `files` | a token store and a journal in files | yes |
//! | `gzip` | asks for compressed answers and unpacks them | yes |
//! | `mock` | typed mocks of single operations, for tests: [`guide::testing`] | |
//! | `redirect-hashing` | signing and verifying the links by which respondents come and go: [`respondent`] | |
//! | `webhook-receive` | receiving webhooks: signature, typed events, acknowledgement: [`webhook`] | |
//! | `webhook-axum` | an extractor of webhooks for axum | |
//! | `webhook-inbox` | an inbox for webhooks: each event once, in order, acknowledged after the commit: [`webhook`] | |
//! | `inbox-redb`, `inbox-axum` | the inbox in a file; a router for axum that fills it | |
//! | `csv` | reconciliation in bulk from files, reports as typed rows: [`reconciliation`], [`report`] | |
//! | `study-schema` | the JSON Schema of a study's file: [`study`] | |
//! | `xlsx` | reports that come as spreadsheets, too | |
//!
//! A capability that only some versions have is a trait `Has…` that only their markers implement; using it with
//! another version does not compile, and the message says what that version has instead.
//!
//! # Guides
//!
//! - [Calls](guide::calls): what Cint's guide does by requests, and the call here; coming from the Cint Buyer API.
//! - [Failures](guide::failures): what a failed call did, what is repeated, what to do about it.
//! - [Field](guide::field): many target groups at once, watched, mended and completed.
//! - [Quotas](guide::quotas): interlocked tables, from targets to whole numbers, and in field.
//! - [Respondents](guide::respondents): server to server or signed links, survey tools, webhooks.
//! - [Reconciliation](guide::reconciliation): files of respondents in bulk, what became of each, and what it saves.
//! - [Studies](guide::studies): a project in a file: planned, applied, compared, read back.
//! - [Testing](guide::testing): without an account, against the simulated Exchange or single mocks.
//! - [Versions](guide::versions): one code for several dated versions, and moving to a newer one.
//!
//! # Crates in signatures
//!
//! [`reexports`] has the crates whose types appear in signatures here, so that a program need not name their versions.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod audience;
pub mod auth;
pub mod batch;
pub mod client;
pub mod error;
pub mod exclusion;
pub mod fielding;
pub mod guide;
pub mod http;
pub mod job;
pub mod library;
pub mod paging;
pub mod prelude;
pub mod pricing;
pub mod profile_template;
pub mod project;
pub mod quota;
pub mod reconciliation;
pub mod recontact;
pub mod recovery;
pub mod reference;
pub mod report;
pub mod respondent;
pub mod study;
pub mod supply;
pub mod target_group;
pub mod types;
pub mod watch;
pub mod webhook;

mod background;
mod cache;
#[cfg(feature = "files")]
mod fs;
mod open_enum;
mod optimistic;
#[cfg(feature = "csv")]
mod records;
mod retry_after;
mod sealed;
mod version;
mod wire;

pub use cintx_raw as raw;

/// The crates whose types appear in public signatures.
pub mod reexports {
    pub use ::http;
    #[cfg(feature = "inbox-axum")]
    pub use axum;
    #[cfg(feature = "webhook-axum")]
    pub use axum_core;
    pub use bytes;
    pub use futures_util;
    pub use jiff;
    #[cfg(feature = "inbox-redb")]
    pub use redb;
    pub use reqwest;
    pub use rust_decimal;
    #[cfg(feature = "study-schema")]
    pub use schemars;
    pub use serde_json;
}

pub use self::client::{Client, ClientBuilder};
pub use self::error::{Error, ErrorKind, Outcome};
pub use self::types::{
    BusinessUnitId, EndClientId, ExclusionGroupId, FieldingRunId, IndustryCode, JobId, Locale, LockoutCode, Money,
    ProfileTemplateId, ProjectId, ReconciliationId, ReportId, Secret, StudyTypeCode, SupplierId, TargetGroupId,
    TemplateId, UserId, WebhookId,
};
pub use self::version::markers::*;
pub use self::version::{HasFilters, Version};
