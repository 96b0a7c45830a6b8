//! The reports of an account: requested, and listed afterwards.

use std::ops::RangeInclusive;

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    Report, ReportBuilder, ReportDownload, ReportJob, ReportKind, ReportLevel, ReportOrder, ReportScope, ReportStatus,
};
use crate::client::options::handle_options;
use crate::client::{CallOptions, Client};
use crate::error::{Error, FieldError};
use crate::job::Job;
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage};
use crate::sealed::Sealed;
use crate::types::ids::{JobId, ReportId, TargetGroupId, UserId};
use crate::version::{HasFilters, Version};

/// The versions that have the report `reconciliations`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no report `reconciliations`",
    note = "use `Reports::reconciliations_status`, which every version has"
)]
pub trait HasReconciliationsReport: Version {}

impl<V: Version> Client<V> {
    /// The account's reports. Asks nothing.
    pub fn reports(&self) -> Reports<V> {
        Reports { client: self.clone() }
    }
}

/// The reports of an account. Data is nearly live, but nothing to steer a field by.
///
/// Each is requested by what it is made of and for some days, of which it can have six months at most, none of them
/// more than twelve months ago. The user needs a role that may read reports. What comes is CSV, or a spreadsheet for
/// [`term_details`](Self::term_details).
///
/// **The last day**: Cint reads either day as its 00:00, US Central time, and does not say whether the last one is in
/// the report. Take the day after the last one that you need, as all examples here do.
///
/// ```no_run
/// # async fn run(
/// #     cint: cintx::Client<cintx::V2025_12_18>,
/// #     project: cintx::project::Project,
/// # ) -> Result<(), cintx::Error> {
/// use cintx::report::ReportScope;
/// use jiff::civil::date;
///
/// let september = date(2026, 9, 1)..=date(2026, 10, 1);
/// let job = cint.reports().completes(ReportScope::projects([&project]), september).await?;
/// let report = job.until_done().await?;
/// report.save("completes.csv").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Reports<V: Version> {
    pub(super) client: Client<V>,
}

handle_options!(Reports: client);

impl<V: Version> Reports<V> {
    /// Who completed: of the account, or of any number of business units, projects or target groups. The last day may
    /// be left out, see [`Reports`].
    ///
    /// Await it to send it; it takes no idempotency key. If its answer is lost, look among [`requests`](Self::requests)
    /// before it is requested again.
    #[doc(alias = "generate_report")]
    pub fn completes(&self, of: ReportScope, days: RangeInclusive<Date>) -> ReportBuilder<V> {
        self.generate(ReportKind::Completes, of, days)
    }

    /// What was bought: of the account, or of any number of business units, projects or target groups.
    ///
    /// In every version, as [`completes`](Self::completes).
    pub fn sample_bought(&self, of: ReportScope, days: RangeInclusive<Date>) -> ReportBuilder<V> {
        self.generate(ReportKind::SampleBought, of, days)
    }

    /// How reconciliations are doing: of the account, or of any number of projects or target groups.
    ///
    /// In every version, as [`completes`](Self::completes).
    pub fn reconciliations_status(&self, of: ReportScope, days: RangeInclusive<Date>) -> ReportBuilder<V> {
        self.generate(ReportKind::ReconciliationsStatus, of, days)
    }

    /// What was reconciled. Its levels are not published; those of
    /// [`reconciliations_status`](Self::reconciliations_status) are held for good.
    ///
    /// Before 2025-12-18; as [`completes`](Self::completes).
    pub fn reconciliations(&self, of: ReportScope, days: RangeInclusive<Date>) -> ReportBuilder<V>
    where
        V: HasReconciliationsReport,
    {
        self.generate(ReportKind::Reconciliations, of, days)
    }

    /// Which RIDs can be reconciled: of one project, or of any number of target groups.
    ///
    /// In every version, as [`completes`](Self::completes).
    pub fn reconciliation_eligible_rids(&self, of: ReportScope, days: RangeInclusive<Date>) -> ReportBuilder<V> {
        self.generate(ReportKind::ReconciliationEligibleRids, of, days)
    }

    /// How respondents came through: of one project, or of any number of target groups.
    ///
    /// In every version, as [`completes`](Self::completes).
    pub fn respondent_analysis(&self, of: ReportScope, days: RangeInclusive<Date>) -> ReportBuilder<V> {
        self.generate(ReportKind::RespondentAnalysis, of, days)
    }

    /// Why respondents were turned away: of one target group.
    ///
    /// In every version, as [`completes`](Self::completes).
    pub fn term_details(&self, group: impl Into<TargetGroupId>, days: RangeInclusive<Date>) -> ReportBuilder<V> {
        self.generate(ReportKind::TermDetails, ReportScope::TargetGroups(vec![group.into()]), days)
    }

    fn generate(&self, kind: ReportKind, of: ReportScope, days: RangeInclusive<Date>) -> ReportBuilder<V> {
        let order = ReportOrder { kind, of, days, respondent_answers: false, link_type: None, mail_to: None };
        ReportBuilder { client: self.client.clone(), order }
    }

    /// Lists the reports that were requested in the last 90 days: the user's own, or everybody's for an administrator.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// let mut requests = cint.reports().requests().kind(cintx::report::ReportKind::Completes).stream();
    /// while let Some(request) = requests.try_next().await? {
    ///     println!("{} {:?} {:?}", request.id, request.status, request.parameters);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "report_requests")]
    pub fn requests(&self) -> ListRequest<ReportQuery<V>> {
        ListRequest::new(ReportQuery { client: self.client.clone(), filter: ReportFilter::default() })
    }

    /// A report that was requested in another process, as a job to wait for. Sends nothing.
    #[doc(alias = "report_status")]
    pub fn job(&self, id: impl Into<ReportId>) -> ReportJob<V> {
        self.job_of(id.into(), None)
    }

    pub(super) fn job_of(&self, id: ReportId, kind: Option<ReportKind>) -> ReportJob<V> {
        Job::new(ReportDownload { client: self.client.clone(), kind }, JobId::new(id.as_str()))
    }

    /// A report that is ready, by its id. Asks nothing.
    pub fn report(&self, id: impl Into<ReportId>) -> Report<V> {
        Report { client: self.client.clone(), id: id.into(), kind: None, url: None }
    }
}

/// The filters of a list of reports.
#[derive(Clone, Debug, Default)]
#[doc(hidden)]
pub struct ReportFilter {
    pub(crate) kind: Option<ReportKind>,
    pub(crate) level: Option<ReportLevel>,
    pub(crate) status: Option<ReportStatus>,
}

/// Lists reports that were requested.
#[derive(Clone, Debug)]
pub struct ReportQuery<V: Version> {
    pub(super) client: Client<V>,
    pub(super) filter: ReportFilter,
}

impl<V: Version> ListRequest<ReportQuery<V>> {
    /// Only reports of this kind.
    pub fn kind(mut self, kind: ReportKind) -> Self {
        self.source.filter.kind = Some(kind);
        self
    }

    /// Only reports of this level. From 2025-12-18 on.
    pub fn level(mut self, level: ReportLevel) -> Self
    where
        V: HasFilters,
    {
        self.source.filter.level = Some(level);
        self
    }

    /// Only reports that are so far; one that is pending counts as being written. From 2025-12-18 on.
    pub fn status(mut self, status: ReportStatus) -> Self
    where
        V: HasFilters,
    {
        self.source.filter.status =
            Some(if status == ReportStatus::Pending { ReportStatus::Processing } else { status });
        self
    }
}

impl<V: Version> Sealed for ReportQuery<V> {}

impl<V: Version> ListQuery for ReportQuery<V> {
    type Item = ReportRequest;

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn page<'a>(&'a self, ask: &'a PageRequest) -> BoxFuture<'a, Result<RawPage<ReportRequest>, Error>> {
        async move {
            Error::check(self.filter.problems::<V>())?;
            V::report_requests(self.client.raw(), self.client.account(), &self.filter, ask).await
        }
        .boxed()
    }
}

impl ReportFilter {
    /// Words that the documents do not have.
    fn problems<V: Version>(&self) -> Vec<FieldError> {
        let known_kind = |kind: &ReportKind| match kind {
            ReportKind::Unknown(_) => false,
            kind => V::REPORTS.contains(&kind.as_str()),
        };
        let problem =
            |field, word: &str| FieldError::new(field, format!("is {word:?}, which {} does not support", V::DATE));
        let kind = self.kind.iter().filter(|kind| !known_kind(kind)).map(|kind| problem("kind", kind.as_str()));
        let level = self.level.iter().filter(|it| matches!(it, ReportLevel::Unknown(_)));
        let status = self.status.iter().filter(|it| matches!(it, ReportStatus::Unknown(_)));
        kind.chain(level.map(|level| problem("level", level.as_str())))
            .chain(status.map(|status| problem("status", status.as_str())))
            .collect()
    }
}

/// A report that was requested.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReportRequest {
    /// The id of the report.
    pub id: ReportId,
    /// What it is about.
    pub kind: Option<ReportKind>,
    /// How it is doing.
    pub status: Option<ReportStatus>,
    /// How much of the account it is about. Not before 2025-12-18; see `parameters`.
    pub level: Option<ReportLevel>,
    /// When it was requested.
    pub created_at: Option<Timestamp>,
    /// Who requested it.
    pub requested_by: Option<ReportRequestor>,
    /// The account's name.
    pub account_name: Option<String>,
    /// What was requested, where it can be read.
    pub parameters: Option<ReportParameters>,
    /// Where it can be fetched, by a client with a token.
    pub url: Option<String>,
}

/// Who requested a report. Before 2025-12-18 only the name is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ReportRequestor {
    /// The id of the user.
    pub id: Option<UserId>,
    /// The user's name.
    pub name: Option<String>,
    /// The user's address.
    pub email: Option<String>,
}

impl From<&ReportRequest> for ReportId {
    fn from(request: &ReportRequest) -> Self {
        request.id.clone()
    }
}

/// The subject of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ReportParameters {
    /// The first day.
    pub start: Option<Date>,
    /// The last day.
    pub end: Option<Date>,
    /// The level; `None` for the whole account.
    pub level: Option<ReportLevel>,
    /// The ids of that level.
    pub ids: Vec<String>,
    /// Whether it has respondents' answers.
    pub respondent_answers: bool,
    /// The type of links that it is limited to, as the API calls it.
    pub link_type: Option<String>,
}
