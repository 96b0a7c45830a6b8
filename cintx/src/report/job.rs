//! A report that is being written: the job to wait for.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};

use super::{Report, ReportFilter, ReportKind, ReportQuery, ReportRequest, ReportStatus};
use crate::client::{CallOptions, Client};
use crate::error::{Error, JobFailure};
use crate::job::{Job, JobKind, JobPoll, JobStatus};
use crate::paging::ListRequest;
use crate::sealed::Sealed;
use crate::types::ids::{JobId, ReportId};
use crate::version::Version;

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
    pub(super) client: Client<V>,
    /// What the report is about, if it was requested here.
    pub(super) kind: Option<ReportKind>,
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
    const MAX_PAUSE: Duration = Duration::from_secs(60);
    const LIMIT: Duration = Duration::from_secs(3_600);

    fn set_options(&mut self, options: CallOptions) {
        self.client = self.client.with(options);
    }

    fn ask<'a>(&'a self, id: &'a JobId) -> BoxFuture<'a, Result<JobPoll<Report<V>>, Error>> {
        async move {
            let client = &self.client;
            let JobPoll { status, ask_again, origin } =
                V::report_status(client.raw(), client.account(), id.as_str()).await?;
            let status = match status {
                JobStatus::Done(url) => {
                    let (id, kind) = (ReportId::new(id.as_str()), self.kind.clone());
                    JobStatus::Done(Report { client: client.clone(), id, kind, url })
                }
                JobStatus::Failed(failure) => JobStatus::Failed(failure),
                JobStatus::Running if self.has_failed(id).await? => JobStatus::Failed(JobFailure {
                    code: None,
                    description: "the list of requests says that it failed".into(),
                    reasons: Vec::new(),
                }),
                JobStatus::Running => JobStatus::Running,
            };
            Ok(JobPoll { status, ask_again, origin })
        }
        .boxed()
    }
}
