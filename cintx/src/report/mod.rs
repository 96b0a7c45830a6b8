//! Reports: asked for, written in the background, then shared or fetched.

use std::future::{Future, IntoFuture};
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::time::Duration;

use cintx_raw::{ByteStream, Secret};
use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::{Error, FieldError, JobFailure};
#[cfg(feature = "files")]
use crate::fs::AtomicFile;
use crate::job::{Job, JobKind, JobPoll, JobStatus};
use crate::open_enum::open_enum;
use crate::paging::{ListQuery, ListRequest, PageRequest, RawPage};
use crate::sealed::Sealed;
use crate::types::ids::{BusinessUnitId, JobId, ProjectId, ReportId, TargetGroupId, UserId};
use crate::version::{HasFilters, Version};

/// The versions that have the report `reconciliations`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no report `reconciliations`",
    note = "use `Reports::reconciliations_status`, which every version has"
)]
pub trait HasReconciliationsReport: Version {}

/// The versions that send word when a report is ready.
#[diagnostic::on_unimplemented(
    message = "`{Self}` sends no mail when a report is ready",
    note = "wait for it, `ReportJob::until_done`, or use a client of 2025-12-18"
)]
pub trait HasReportEmails: Version {}

open_enum! {
    /// What a report is about.
    ReportKind {
        /// Who completed.
        Completes = "completes",
        /// What was reconciled. Not in 2025-12-18.
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
        /// It was asked for.
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

impl<V: Version> Client<V> {
    /// The account's reports. Asks nothing.
    pub fn reports(&self) -> Reports<V> {
        Reports { client: self.clone() }
    }
}

/// The reports of an account. Data is nearly live, but nothing to steer a field by.
///
/// Each is asked for by what it is made of and for some days, of which it can have six months at most, none of them
/// more than twelve months ago; a day is meant from its midnight, US Central time. The user needs a role that may read
/// reports. What comes is CSV, or a spreadsheet for [`term_details`](Self::term_details).
///
/// ```no_run
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>, project: cintx::project::Project) -> Result<(), cintx::Error> {
/// use cintx::report::ReportScope;
/// use jiff::civil::date;
///
/// let days = date(2026, 9, 1)..=date(2026, 9, 30);
/// let job = cint.reports().completes(ReportScope::projects([&project]), days).await?;
/// let report = job.until_done().await?;
/// report.save("completes.csv").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Reports<V: Version> {
    client: Client<V>,
}

impl<V: Version> Reports<V> {
    /// Who completed: of the account, or of any number of business units, projects or target groups.
    ///
    /// In every version (`generate_report`). Await it to send it; it takes no idempotency key. If its answer is lost,
    /// look among [`requests`](Self::requests) before it is asked for again.
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
    /// Not in 2025-12-18; as [`completes`](Self::completes).
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

    /// Lists the reports that were asked for in the last 90 days: the user's own, or everybody's for an administrator.
    ///
    /// In every version (`report_requests`).
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
    pub fn requests(&self) -> ListRequest<ReportQuery<V>> {
        ListRequest::new(ReportQuery { client: self.client.clone(), filter: ReportFilter::default() })
    }

    /// A report that was asked for elsewhere, as a job to wait for. Asks nothing.
    pub fn job(&self, id: impl Into<ReportId>) -> ReportJob<V> {
        let id = id.into();
        Job::new(ReportDownload { client: self.client.clone() }, JobId::new(id.as_str()))
    }

    /// A report that is ready, by its id. Asks nothing.
    pub fn report(&self, id: impl Into<ReportId>) -> Report<V> {
        Report { client: self.client.clone(), id: id.into(), url: None }
    }
}

/// What a report shall be.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct ReportOrder {
    pub(crate) kind: ReportKind,
    pub(crate) of: ReportScope,
    pub(crate) days: RangeInclusive<Date>,
    pub(crate) respondent_answers: bool,
    pub(crate) link_type: Option<i64>,
    pub(crate) mail_to: Option<Vec<UserId>>,
}

impl ReportOrder {
    fn problems(&self, now: Timestamp) -> Vec<FieldError> {
        let mut problems = Vec::from_iter(self.level_problem());
        problems.extend(self.days_problem(now));
        if self.link_type.is_some() && self.kind != ReportKind::TermDetails {
            let reason = format!("is given for {}, expected with {} alone", self.kind, ReportKind::TermDetails);
            problems.push(FieldError::new("link_type", reason));
        }
        if let Some(users) = self.mail_to.as_ref().filter(|users| !(1..=5).contains(&users.len())) {
            problems.push(FieldError::new("mail_to", format!("are {} users, expected 1 to 5", users.len())));
        }
        problems
    }

    /// What each report can be made of, and of how many.
    fn level_problem(&self) -> Option<FieldError> {
        use ReportLevel::{BusinessUnit, Project, TargetGroup};

        let level = self.of.level();
        let (expected, fits) = match self.kind {
            ReportKind::ReconciliationsStatus | ReportKind::Reconciliations => {
                ("the account, projects or target groups", level != BusinessUnit)
            }
            ReportKind::ReconciliationEligibleRids | ReportKind::RespondentAnalysis => {
                ("one project or target groups", matches!(level, Project | TargetGroup))
            }
            _ => ("the account, business units, projects or target groups", true),
        };
        let problem = |got: String| Some(FieldError::new("of", format!("is {got}, expected {expected}")));
        match self.of.ids().map(|ids| ids.len()) {
            _ if !fits => problem(format!("{level} for {}", self.kind)),
            Some(0) => problem(format!("no {level}")),
            Some(many) if many > 1 && level == Project && expected.starts_with("one project") => {
                problem(format!("{many} projects for {}", self.kind))
            }
            _ => None,
        }
    }

    fn days_problem(&self, now: Timestamp) -> Option<FieldError> {
        let (start, end) = (*self.days.start(), *self.days.end());
        // Central time is five or six hours behind; the later midnight refuses nothing that is allowed.
        let earliest = Offset::constant(-6).to_datetime(now).date().saturating_sub(12.months());
        let expected = if end < start {
            "a last day that is not before the first".to_owned()
        } else if end > start.saturating_add(6.months()) {
            "six months at most".to_owned()
        } else if start < earliest {
            format!("none before {earliest}, twelve months ago")
        } else {
            return None;
        };
        Some(FieldError::new("days", format!("are {start} to {end}, expected {expected}")))
    }
}

/// A report about to be asked for. Made by the methods of [`Reports`].
///
/// ```no_run
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>, boss: cintx::UserId) -> Result<(), cintx::Error> {
/// use cintx::TargetGroupId;
/// use cintx::report::ReportScope;
/// use jiff::civil::date;
///
/// let groups = ReportScope::target_groups(["01HXK2Q1V7Q5C4ZB0E3R7T9Y2M"].map(TargetGroupId::new));
/// let days = date(2026, 9, 1)..=date(2026, 9, 30);
/// let order = cint.reports().respondent_analysis(groups, days).with_respondent_answers();
/// println!("ask for it by {} from anywhere", order.mail_to([boss]).await?.id());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct ReportBuilder<V: Version> {
    client: Client<V>,
    order: ReportOrder,
}

impl<V: Version> ReportBuilder<V> {
    /// With what respondents answered to qualifying questions.
    pub fn with_respondent_answers(mut self) -> Self {
        self.order.respondent_answers = true;
        self
    }

    /// Only links of this type, by its number; for [`Reports::term_details`] alone.
    pub fn link_type(mut self, number: i64) -> Self {
        self.order.link_type = Some(number);
        self
    }

    /// Sends these users, 1 to 5 of them, word by mail when it is ready.
    ///
    /// Only in 2025-12-18.
    pub fn mail_to(mut self, users: impl IntoIterator<Item = UserId>) -> Self
    where
        V: HasReportEmails,
    {
        self.order.mail_to = Some(users.into_iter().collect());
        self
    }
}

impl<V: Version> IntoFuture for ReportBuilder<V> {
    type Output = Result<ReportJob<V>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            Error::check(self.order.problems(Timestamp::now()))?;
            let id = V::generate_report(self.client.raw(), self.client.account(), &self.order).await?;
            Ok(Reports { client: self.client }.job(id))
        })
    }
}

/// A report that is being written.
pub type ReportJob<V> = Job<ReportDownload<V>>;

impl<V: Version> From<&ReportJob<V>> for ReportId {
    fn from(job: &ReportJob<V>) -> Self {
        Self::new(job.id().as_str())
    }
}

/// Writes a report.
#[derive(Clone, Debug)]
pub struct ReportDownload<V: Version> {
    client: Client<V>,
}

impl<V: Version> ReportDownload<V> {
    /// Whether the list of requests says that a report failed; the status itself has no word for it.
    async fn has_failed(&self, id: &JobId) -> Result<bool, Error> {
        let filter = ReportFilter { status: Some(ReportStatus::Failed), ..ReportFilter::default() };
        let list = ListRequest::new(ReportQuery { client: self.client.clone(), filter }).page_size(100);
        let newest = list.pages().try_next().await?;
        let same = |it: &ReportRequest| it.id.as_str() == id.as_str() && it.status == Some(ReportStatus::Failed);
        Ok(newest.is_some_and(|page| page.items.iter().any(same)))
    }
}

impl<V: Version> Sealed for ReportDownload<V> {}

impl<V: Version> JobKind for ReportDownload<V> {
    type Done = Report<V>;
    const NAME: &'static str = "the report";
    const LONGEST_PAUSE: Duration = Duration::from_secs(60);
    const LIMIT: Duration = Duration::from_secs(3_600);

    fn ask<'a>(&'a self, id: &'a JobId) -> BoxFuture<'a, Result<JobPoll<Report<V>>, Error>> {
        async move {
            let client = &self.client;
            let JobPoll { status, ask_again } = V::report_status(client.raw(), client.account(), id.as_str()).await?;
            let status = match status {
                JobStatus::Done(url) => {
                    JobStatus::Done(Report { client: client.clone(), id: ReportId::new(id.as_str()), url })
                }
                JobStatus::Failed(failure) => JobStatus::Failed(failure),
                JobStatus::Running if self.has_failed(id).await? => JobStatus::Failed(JobFailure {
                    code: None,
                    description: "the list of requests says that it failed".into(),
                    reasons: Vec::new(),
                }),
                JobStatus::Running => JobStatus::Running,
            };
            Ok(JobPoll { status, ask_again })
        }
        .boxed()
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
    url: Option<String>,
}

impl<V: Version> Report<V> {
    /// Its id.
    pub fn id(&self) -> &ReportId {
        &self.id
    }

    /// Gets its content, chunk by chunk; [`ByteStream::collect`] reads it into memory.
    ///
    /// In every version (`download_report`; `download_report_v2` in 2025-12-18).
    ///
    /// # Errors
    /// The call's: 404 before the report is ready.
    pub async fn download(&self) -> Result<ByteStream, Error> {
        let (raw, account) = (self.client.raw(), self.client.account());
        V::download_report(raw, account, &self.id, self.url.as_deref()).await
    }

    /// Gets its content into a file, which has all of it or is not there. An older file of that name is replaced.
    ///
    /// In every version, as [`download`](Self::download).
    ///
    /// # Errors
    /// The call's; or that the file cannot be written.
    #[cfg(feature = "files")]
    pub async fn save(&self, path: impl Into<std::path::PathBuf>) -> Result<(), Error> {
        use std::io::Write as _;

        use futures_util::TryStreamExt as _;
        use tokio::task::spawn_blocking;

        let path = path.into();
        let mut content = self.download().await?;
        let write = async {
            let mut file = spawn_blocking(move || AtomicFile::create(path)).await??;
            while let Some(chunk) = content.try_next().await.map_err(std::io::Error::other)? {
                file = spawn_blocking(move || file.write_all(&chunk).map(|()| file)).await??;
            }
            spawn_blocking(move || file.commit()).await?
        };
        write.await.map_err(Error::other)
    }

    /// Makes a link by which anybody can get it for a short while: a secret of its own.
    ///
    /// In every version (`share_report`).
    ///
    /// # Errors
    /// The call's: 404 before the report is ready.
    pub async fn share(&self) -> Result<Secret, Error> {
        V::share_report(self.client.raw(), self.client.account(), &self.id).await
    }
}

/// Which reports a list shall have.
#[derive(Clone, Debug, Default)]
#[doc(hidden)]
pub struct ReportFilter {
    pub(crate) kind: Option<ReportKind>,
    pub(crate) level: Option<ReportLevel>,
    pub(crate) status: Option<ReportStatus>,
}

/// Lists reports that were asked for.
#[derive(Clone, Debug)]
pub struct ReportQuery<V: Version> {
    client: Client<V>,
    filter: ReportFilter,
}

impl<V: Version> ListRequest<ReportQuery<V>> {
    /// Only reports of this kind.
    pub fn kind(mut self, kind: ReportKind) -> Self {
        self.source.filter.kind = Some(kind);
        self
    }

    /// Only reports of this level. Only in 2025-12-18.
    pub fn level(mut self, level: ReportLevel) -> Self
    where
        V: HasFilters,
    {
        self.source.filter.level = Some(level);
        self
    }

    /// Only reports that are so far; one that is pending counts as being written. Only in 2025-12-18.
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
            |field, word: &str| FieldError::new(field, format!("is {word:?}, which {} does not know", V::DATE));
        let kind = self.kind.iter().filter(|kind| !known_kind(kind)).map(|kind| problem("kind", kind.as_str()));
        let level = self.level.iter().filter(|it| matches!(it, ReportLevel::Unknown(_)));
        let status = self.status.iter().filter(|it| matches!(it, ReportStatus::Unknown(_)));
        kind.chain(level.map(|level| problem("level", level.as_str())))
            .chain(status.map(|status| problem("status", status.as_str())))
            .collect()
    }
}

/// A report that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReportRequest {
    /// Its id.
    pub id: ReportId,
    /// What it is about.
    pub kind: Option<ReportKind>,
    /// How it is doing.
    pub status: Option<ReportStatus>,
    /// How much of the account it is about. Not before 2025-12-18; see `parameters`.
    pub level: Option<ReportLevel>,
    /// When it was asked for.
    pub created_at: Option<Timestamp>,
    /// Who asked for it, by name.
    pub requested_by: Option<String>,
    /// The account's name.
    pub account_name: Option<String>,
    /// What was asked for, where it can be read.
    pub parameters: Option<ReportParameters>,
    /// Where it can be fetched, by a client with a token.
    pub url: Option<String>,
}

impl From<&ReportRequest> for ReportId {
    fn from(request: &ReportRequest) -> Self {
        request.id.clone()
    }
}

/// What a report was asked for.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_reach_back_twelve_months_and_over_six() {
        let now: Timestamp = "2026-08-31T05:30:00Z".parse().unwrap();
        let problem = |start: &str, end: &str| {
            let days = start.parse().unwrap()..=end.parse().unwrap();
            let of = ReportScope::Account;
            let order = ReportOrder {
                kind: ReportKind::Completes,
                of,
                days,
                respondent_answers: false,
                link_type: None,
                mail_to: None,
            };
            order.problems(now).first().map(ToString::to_string)
        };
        // In Central time it is still the 30th.
        assert_eq!(problem("2025-08-30", "2026-02-28"), None);
        for (start, end, says) in [
            ("2025-08-29", "2025-09-01", "twelve months"),
            ("2026-01-01", "2026-07-02", "six months"),
            ("2026-03-02", "2026-03-01", "a last day"),
        ] {
            let refused = problem(start, end).unwrap();
            assert!(refused.starts_with(&format!("days are {start} to {end}, expected ")), "{refused}");
            assert!(refused.contains(says), "{refused}");
        }
    }
}
