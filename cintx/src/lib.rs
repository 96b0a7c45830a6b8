//! The Rust SDK for the Cint Exchange Demand API: projects, target groups, quotas, field, reconciliation.
//! One client per dated version of the API, chosen by type; the version is a single word of your program.
//!
//! ```no_run
//! use cintx::{Audience, Client, Credentials, Money, Question, Supply, V2025_12_18, minutes};
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
//!     .target_group("UK pets")
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

mod account;
mod assistant;
mod audience;
mod builder;
mod bulk;
mod client;
mod credentials;
mod edit;
mod error;
mod feasibility;
mod fielding;
mod ids;
mod job;
mod journal;
mod listing;
mod outcome;
mod pipeline;
mod pointer;
mod price;
mod project;
mod quota;
mod quotas;
mod reconciliation;
mod request;
mod respondent;
mod settle;
mod statistics;
pub mod study;
mod supply;
mod supply_template;
mod target_group;
mod token;
mod value;
mod version;
mod wire;
mod words;

mod cache;
mod calendar;
mod directory;
mod distribution;
mod exclusion;
mod id_list;
mod library;
mod profile_template;
mod recontact;
mod report;
mod unique_code;
mod webhook;

pub use cintx_raw as raw;
pub use cintx_raw::Secret;

pub use self::account::{BusinessUnit, Buyer};
pub use self::assistant::{FieldingAssistant, Pacing, Pricing, QuotaOverlay, SoftLaunch};
pub use self::audience::{
    Audience, AudienceProblem, Condition, ControlQuotas, Interlock, Question, Refusal, Share, Target, completes,
};
pub use self::builder::Builder;
pub use self::bulk::{Bulk, BulkJob, BulkOutcome, BulkRun, Transitions};
pub use self::calendar::{HasFieldOfDays, Holiday, SuggestDays, SuggestedField};
pub use self::client::Client;
pub use self::credentials::{Credentials, MissingVariable};
pub use self::directory::{
    Account, Country, Directory, EndClient, EndClientQuery, Industry, LocaleEntry, Lockout, QuestionCategory,
    StudyType, Supplier, UseCase, User,
};
pub use self::distribution::{GoalSplit, SplitsGoals};
pub use self::edit::Conflict;
pub use self::error::{Error, ErrorKind, Invalid, JobFailure};
pub use self::exclusion::{
    ActivityExclusion, ActivitySource, ExcludeRespondents, ExcludedBy, ExcludedQuery, ExclusionGroup,
    ExclusionGroupMembers, ExclusionGroupQuery, ExclusionGroups, ExclusionGroupsOfTargetGroup, ExclusionJob,
    ExclusionLists, ExclusionPolicy, Exclusions, ExclusionsOverview, HasActivityExclusions, HasExclusionGroups,
    HasExclusionLists, HasExclusionPolicies, HasRespondentExclusions, ListOutcome, UpdateExclusionGroup,
};
pub use self::feasibility::Feasibility;
pub use self::fielding::{FieldDates, FieldingRun, LaunchJob, RunAction, RunStatus, StartField};
pub use self::id_list::IdList;
pub use self::ids::{
    BusinessUnitId, ClientId, ExclusionGroupId, FieldingRunId, IndustryCode, InvalidUserId, JobId, LockoutCode,
    ProfileTemplateId, ProjectId, ReconciliationId, ReportId, StudyTypeCode, SupplierId, TargetGroupId, TemplateId,
    UserId, WebhookId,
};
pub use self::job::{Job, JobStatus};
#[cfg(feature = "files")]
pub use self::journal::FileJournal;
pub use self::journal::{Intent, Journal, JournalError};
pub use self::library::{
    AnswerKind, AnswerOption, HasCustomQuestions, HasQuestionDetails, HasQuestionIndex, LibraryQuestion,
    QuestionDetails, QuestionIndexQuery, QuestionQuery, QuestionScope,
};
pub use self::listing::{Cursor, Items, Listing, Page, Pages, RepeatedCursor};
pub use self::outcome::Outcome;
pub use self::pipeline::{Attempt, CallOptions, Course, Exchange, Limits, RetryPolicy, Timeouts};
pub use self::price::{GroupFeasibility, GroupRateCards, HasGroupRateCard, HasPricePrediction, Price, RateCard};
pub use self::profile_template::{
    CreateProfileTemplate, ProfileTemplate, ProfileTemplateQuery, ProfileTemplateSettings, ProfileTemplateSummary,
    ProfileTemplates, TemplateCondition, TemplateProfile, TemplateScope, TemplateTarget,
};
pub use self::project::{
    CreateProject, Project, ProjectOverview, ProjectQuery, ProjectScope, ProjectSettings, ProjectStatistics,
    ProjectStatus, ProjectSummary, Projects,
};
pub use self::quota::{Quota, QuotaAxis, QuotaChange, QuotaPlan, QuotaTable, TableKind};
pub use self::quotas::{HasControlQuotas, QuotaProgress, Quotas, Replacement, Validates};
pub use self::reconciliation::{
    DueMonth, EligibleInMonth, EligibleInMonthQuery, EligibleQuery, EligibleSummary, EligibleTargetGroup,
    HasEligibleInMonth, HasEligibleTargetGroups, HasKeptCompletes, HasReconciliationFiles, Reason, ReasonCode,
    ReconciledQuery, ReconciledTargetGroup, ReconciliationCounts, ReconciliationFile, ReconciliationKind,
    ReconciliationOutcome, ReconciliationQuery, ReconciliationRow, ReconciliationStatus, ReconciliationSummary,
    Reconciliations, SubmittedReconciliation,
};
pub use self::recontact::{
    HasRecontacts, RecontactBy, RecontactJob, RecontactQuery, RecontactRespondents, RecontactUpload,
    RecontactUploadQuery, Recontacts, UploadStatus,
};
pub use self::report::{
    GenerateReport, HasReconciliationsReport, HasReportEmails, Report, ReportJob, ReportKind, ReportLevel, ReportOf,
    ReportParameters, ReportQuery, ReportRequest, ReportStatus, Reports, WriteReport,
};
pub use self::request::UndocumentedRequest;
pub use self::respondent::{HasRespondents, Respondent, RespondentOutcome, RespondentStatus};
pub use self::settle::{Resumed, Settlement};
pub use self::statistics::{
    Change, ChangeKind, ChangedBy, ChangelogEntry, ChangelogQuery, CompletesCount, FoundTargetGroup, HasOverviewById,
    HasPerformance, Performance, Progress, RespondentAnalysis, RespondentCount, TargetGroupOverview,
};
pub use self::supply::{HasSupplyRemoval, PrivateSupply, Supply, SupplyGroup};
pub use self::supply_template::{
    HasGlobalTemplateWrites, HasUnitTemplates, SupplyTemplate, SupplyTemplateQuery, SupplyTemplateSummary,
    SupplyTemplates, UnitSupplyTemplates,
};
pub use self::target_group::{
    Draft, DraftBuilder, DraftSettings, FillingStrategy, Issue, KeptDraft, LaunchedSettings, PricingModel, Statistic,
    TargetGroup, TargetGroupDetails, TargetGroupDraft, TargetGroupQuery, TargetGroupStatistics, TargetGroupStatus,
    TargetGroupSummary, TargetGroups,
};
#[cfg(feature = "files")]
pub use self::token::FileTokenStore;
pub use self::token::{AccessToken, StoredToken, TokenError, TokenSource, TokenStore};
pub use self::unique_code::{CodesFor, HasUniqueCodes, UniqueCodes, UniqueCodesStats};
pub use self::value::{
    ActivityPeriod, CountryCode, CustomerReference, Given, IncidenceRate, Interval, InvalidValue, LanguageCode,
    LengthOfInterview, Locale, Money, SurveyUrl, TimeWindow, minutes,
};
pub use self::version::markers::*;
pub use self::version::{HasFilters, Version};
pub use self::webhook::{
    DeliveryStatus, HasWebhookHistory, NewWebhook, Webhook, WebhookDelivery, WebhookEventType, WebhookHistory,
    WebhookQuery, WebhookSettings, Webhooks,
};
