//! The Rust SDK for the Cint Exchange Demand API: projects, target groups, quotas, field, reconciliation.
//! One client per dated version of the API, chosen by type; the version is a single word of your program.
//!
//! ```no_run
//! use cintx::{Client, Money, V2025_12_18};
//! use cintx::audience::{Audience, Question};
//! use cintx::client::Credentials;
//! use cintx::supply::Supply;
//! use cintx::types::minutes;
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
//!     .length_of_interview(minutes(10))
//!     .incidence_rate("0.50")
//!     .field(start..start + 240.hours())
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
//! Every operation that Cint documents is reachable behind the same pipeline: see [`Client::raw`].

pub mod audience;
pub mod auth;
pub mod client;
pub mod error;
pub mod exclusion;
pub mod fielding;
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
pub mod webhook;

mod cache;
mod open_enum;
mod optimistic;
mod version;
mod wire;

pub use cintx_raw as raw;

pub use self::client::{Client, ClientBuilder};
pub use self::error::{Error, ErrorKind, Outcome};
pub use self::types::{
    BusinessUnitId, EndClientId, ExclusionGroupId, FieldingRunId, IndustryCode, JobId, Locale, LockoutCode, Money,
    ProfileTemplateId, ProjectId, ReconciliationId, ReportId, Secret, StudyTypeCode, SupplierId, TargetGroupId,
    TemplateId, UserId, WebhookId,
};
pub use self::version::markers::*;
pub use self::version::{HasFilters, Version};
