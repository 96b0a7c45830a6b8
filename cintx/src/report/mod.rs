//! Reports: requested, generated in the background, then shared or downloaded.

mod content;
#[cfg(feature = "csv")]
mod costs;
mod job;
mod list;
mod request;
#[cfg(feature = "csv")]
mod rows;
#[cfg(feature = "xlsx")]
mod sheet;
#[cfg(feature = "xlsx")]
mod sheet_xml;

#[cfg(feature = "csv")]
pub(crate) use self::content::copy;
pub use self::content::{NoReport, ReportFormat};
#[cfg(feature = "csv")]
pub use self::costs::{CostSummary, GroupCost};
pub use self::job::{ReportDownload, ReportJob};
pub(crate) use self::list::ReportFilter;
pub use self::list::{
    HasReconciliationsReport, ReportParameters, ReportQuery, ReportRequest, ReportRequestor, Reports,
};
pub(crate) use self::request::ReportOrder;
pub use self::request::{HasReportEmails, ReportBuilder};
#[cfg(feature = "csv")]
pub use self::rows::{ReportCell, ReportError, ReportRow, ReportRows, ReportTime};
#[cfg(feature = "csv")]
pub use crate::types::CurrencySums;

#[cfg(feature = "files")]
use cintx_raw::BoxError;
use cintx_raw::{ByteStream, Secret};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::client::options::handle_options;
use crate::error::{Error, FieldError};
#[cfg(feature = "files")]
use crate::fs::AtomicFile;
use crate::open_enum::open_enum;
use crate::types::ids::{BusinessUnitId, ProjectId, ReportId, TargetGroupId};
use crate::version::Version;

open_enum! {
    /// What a report is about.
    ReportKind {
        /// Who completed.
        Completes = "completes",
        /// What was reconciled. Before 2025-12-18.
        Reconciliations = "reconciliations",
        /// How reconciliations are doing.
        ReconciliationsStatus = "reconciliations-status",
        /// Which RIDs can be reconciled.
        ReconciliationEligibleRids = "reconciliation-eligible-rids",
        /// What was bought.
        SampleBought = "sample-bought",
        /// How respondents came through.
        RespondentAnalysis = "respondent-analysis",
        /// Why respondents were turned away.
        TermDetails = "term-details",
    }
}

open_enum! {
    /// How much of an account a report is about.
    ReportLevel {
        /// All of it.
        Account = "account",
        /// Some of its business units.
        BusinessUnit = "business_unit",
        /// Some of its projects.
        Project = "project",
        /// Some of its target groups.
        TargetGroup = "target_group",
    }
}

open_enum! {
    /// How a report is doing, as the list of requests says.
    ReportStatus {
        /// It was requested.
        Pending = "pending",
        /// It is being written.
        Processing = "processing",
        /// It can be fetched.
        Completed = "completed",
        /// It could not be written.
        Failed = "failed",
    }
}

/// What a report is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReportScope {
    /// The whole account.
    Account,
    /// These business units.
    BusinessUnits(Vec<BusinessUnitId>),
    /// These projects.
    Projects(Vec<ProjectId>),
    /// These target groups.
    TargetGroups(Vec<TargetGroupId>),
}

impl ReportScope {
    /// Business units, by number.
    pub fn business_units<I: Into<BusinessUnitId>>(ids: impl IntoIterator<Item = I>) -> Self {
        Self::BusinessUnits(ids.into_iter().map(Into::into).collect())
    }

    /// Projects, by themselves or by id.
    pub fn projects<I: Into<ProjectId>>(ids: impl IntoIterator<Item = I>) -> Self {
        Self::Projects(ids.into_iter().map(Into::into).collect())
    }

    /// Target groups, by themselves or by id.
    pub fn target_groups<I: Into<TargetGroupId>>(ids: impl IntoIterator<Item = I>) -> Self {
        Self::TargetGroups(ids.into_iter().map(Into::into).collect())
    }

    pub(crate) fn level(&self) -> ReportLevel {
        match self {
            Self::Account => ReportLevel::Account,
            Self::BusinessUnits(_) => ReportLevel::BusinessUnit,
            Self::Projects(_) => ReportLevel::Project,
            Self::TargetGroups(_) => ReportLevel::TargetGroup,
        }
    }

    /// The ids as they are sent; the whole account has none.
    pub(crate) fn ids(&self) -> Option<Vec<String>> {
        match self {
            Self::Account => None,
            Self::BusinessUnits(ids) => Some(ids.iter().map(ToString::to_string).collect()),
            Self::Projects(ids) => Some(ids.iter().map(ToString::to_string).collect()),
            Self::TargetGroups(ids) => Some(ids.iter().map(ToString::to_string).collect()),
        }
    }
}

/// A report that is ready.
///
/// ```no_run
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>, kept: &str) -> Result<(), cintx::raw::BoxError> {
/// let report = cint.reports().report(cintx::ReportId::new(kept));
/// let rows = report.download().await?.collect(50_000_000).await?;
/// println!("{} bytes, for anybody at {}", rows.len(), report.share().await?.expose());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Report<V: Version> {
    client: Client<V>,
    id: ReportId,
    kind: Option<ReportKind>,
    url: Option<String>,
}

handle_options!(Report: client);

impl<V: Version> Report<V> {
    /// The id of the report.
    pub fn id(&self) -> &ReportId {
        &self.id
    }

    /// What it is about, if that is known: of a report that was requested here, or as it was [said](Self::of_kind).
    pub fn kind(&self) -> Option<&ReportKind> {
        self.kind.as_ref()
    }

    /// Says what it is about, of a report that is known by its id alone. Saves [`share`](Self::share) a search.
    #[must_use]
    pub fn of_kind(self, kind: ReportKind) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// Where it can be fetched by a client with a token, if its status has told.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Gets its content, chunk by chunk; [`ByteStream::collect`] reads it into memory. What breaks it off is an
    /// [`Error`] in a box, which says so.
    ///
    /// # Errors
    /// The API answers 404 before the report is ready. See [when a call fails](crate::guide::failures).
    #[doc(alias = "download_report")]
    #[doc(alias = "download_report_v2")]
    pub async fn download(&self) -> Result<ByteStream, Error> {
        let (raw, account) = (self.client.raw(), self.client.account());
        V::download_report(raw, account, &self.id, self.url.as_deref()).await
    }

    /// Gets its content into a file, which has all of it or is not there. An older file of that name is replaced.
    ///
    /// In every version, as [`download`](Self::download).
    ///
    /// # Errors
    /// The file cannot be written ([`ErrorKind::Local`](crate::error::ErrorKind::Local)). See
    /// [when a call fails](crate::guide::failures).
    #[cfg(feature = "files")]
    pub async fn save(&self, path: impl Into<std::path::PathBuf>) -> Result<(), Error> {
        use std::io::Write as _;

        use futures_util::TryStreamExt as _;
        use tokio::task::spawn_blocking;

        let path = path.into();
        let what = format!("file is {path:?}, expected a place that can be written to");
        let mut content = self.download().await?;
        let write = async {
            let mut file = spawn_blocking(move || AtomicFile::create(path)).await??;
            while let Some(chunk) = content.try_next().await? {
                file = spawn_blocking(move || file.write_all(&chunk).map(|()| file)).await??;
            }
            Ok(spawn_blocking(move || file.commit()).await??)
        };
        write.await.map_err(|error: BoxError| Error::local(what, error))
    }

    /// Makes a link by which anybody can get it for a short while: a secret of its own.
    ///
    /// From 2025-12-18 on the API wants to be told what the report is about. Where that is not [known](Self::kind), the
    /// requests of the last 90 days are searched for it first.
    ///
    /// # Errors
    /// What it is about is not known, and it is not among those requests: say it by [`of_kind`](Self::of_kind). The API
    /// answers 404 before the report is ready. See [when a call fails](crate::guide::failures).
    #[doc(alias = "share_report")]
    pub async fn share(&self) -> Result<Secret, Error> {
        let found = match self.kind {
            None if V::SHARES_BY_KIND => Some(self.listed_kind().await?),
            _ => None,
        };
        V::share_report(self.client.raw(), self.client.account(), &self.id, self.kind.as_ref().or(found.as_ref())).await
    }

    /// What it is about, as its address or the list of requests says.
    async fn listed_kind(&self) -> Result<ReportKind, Error> {
        let told = self.url.as_deref().and_then(crate::wire::reports::file).and_then(|(_, kind)| kind);
        if let Some(kind) = told {
            return Ok(kind);
        }
        let mut requests = self.client.reports().requests().page_size(100).stream();
        while let Some(request) = requests.try_next().await? {
            if let (true, Some(kind)) = (request.id == self.id, request.kind) {
                return Ok(kind);
            }
        }
        let reason = format!("is not known of the report {}, expected it to be given by `Report::of_kind`", self.id);
        Err(Error::invalid(vec![FieldError::new("kind", reason)]))
    }
}
