//! Fielding runs: launched by a job, then paused, resumed, completed. The handle carries the ETag.

use std::fmt;
use std::time::Duration;

use crate::error::{Error, JobFailure};
use crate::ids::{FieldingRunId, JobId};
use crate::target_group::TargetGroup;
use crate::version::Version;

/// How a launch job is doing.
#[derive(Debug)]
pub enum JobStatus {
    Running,
    Done(FieldingRunId),
    Failed(JobFailure),
}

/// A launch under way.
#[derive(Clone, Debug)]
pub struct LaunchJob<V: Version> {
    group: TargetGroup<V>,
    id: JobId,
}

impl<V: Version> LaunchJob<V> {
    pub(crate) fn new(group: TargetGroup<V>, id: JobId) -> Self {
        Self { group, id }
    }

    /// The job's id; it can be asked about from another process.
    pub fn id(&self) -> &JobId {
        &self.id
    }

    /// Waits until the job is done, and fetches the fielding run that it made.
    /// Asks after half a second, then ever more rarely, for ten minutes at most.
    ///
    /// # Errors
    /// [`Error::job_failure`] says why the launch failed; [`Error::is_timeout`] after ten minutes; or a call's error.
    pub async fn until_live(self) -> Result<FieldingRun<V>, Error> {
        const LONGEST: Duration = Duration::from_secs(15);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(600);
        let mut pause = Duration::from_millis(500);
        let TargetGroup { client, project, id: group } = &self.group;
        loop {
            match V::launch_status(client.raw(), client.account(), project, group, &self.id).await? {
                JobStatus::Done(run) => return FieldingRun::fetch(self.group.clone(), run).await,
                JobStatus::Failed(failure) => return Err(Error::job(failure)),
                JobStatus::Running if tokio::time::Instant::now() + pause > deadline => {
                    return Err(Error::timeout("the launch job"));
                }
                JobStatus::Running => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(LONGEST);
        }
    }
}

/// The state of a fielding run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunStatus {
    /// It will begin later.
    Scheduled,
    /// Respondents come in.
    Live,
    /// Nobody comes in for now.
    Paused,
    /// It is over.
    Completed,
    /// A state that this version does not document, as it came.
    Unknown(String),
}

impl RunStatus {
    /// Versions differ in upper and lower case.
    pub(crate) fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "scheduled" => Self::Scheduled,
            "live" => Self::Live,
            "paused" => Self::Paused,
            "completed" => Self::Completed,
            _ => Self::Unknown(text.to_owned()),
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Scheduled => "scheduled",
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Unknown(text) => text,
        })
    }
}

/// What can be done with a fielding run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum RunAction {
    Pause,
    Resume,
    Complete,
}

/// A fielding run. It carries the entity tag of its last answer, so a change made elsewhere is noticed.
#[derive(Clone, Debug)]
pub struct FieldingRun<V: Version> {
    group: TargetGroup<V>,
    id: FieldingRunId,
    status: RunStatus,
    etag: String,
}

impl<V: Version> FieldingRun<V> {
    async fn fetch(group: TargetGroup<V>, id: FieldingRunId) -> Result<Self, Error> {
        let (status, etag) =
            V::fielding_run(group.client.raw(), group.client.account(), &group.project, &group.id, &id).await?;
        Ok(Self { group, id, status, etag })
    }

    /// Its id.
    pub fn id(&self) -> &FieldingRunId {
        &self.id
    }

    /// Its state when it was last asked or told. Cint may pause a run on its own: [`refresh`](Self::refresh) asks.
    pub fn status(&self) -> &RunStatus {
        &self.status
    }

    /// Asks for the present state.
    ///
    /// # Errors
    /// The call's.
    pub async fn refresh(&mut self) -> Result<(), Error> {
        *self = Self::fetch(self.group.clone(), self.id.clone()).await?;
        Ok(())
    }

    /// Stops respondents from coming in; only a live run can be paused.
    ///
    /// # Errors
    /// The call's: 412 if somebody changed the run meanwhile, 422 if its state does not allow it.
    pub async fn pause(&mut self) -> Result<(), Error> {
        self.act(RunAction::Pause, RunStatus::Paused).await
    }

    /// Lets respondents in again; only a paused run can be resumed.
    ///
    /// # Errors
    /// As with [`pause`](Self::pause).
    pub async fn resume(&mut self) -> Result<(), Error> {
        self.act(RunAction::Resume, RunStatus::Live).await
    }

    /// Ends the run.
    ///
    /// # Errors
    /// As with [`pause`](Self::pause).
    pub async fn complete(&mut self) -> Result<(), Error> {
        self.act(RunAction::Complete, RunStatus::Completed).await
    }

    async fn act(&mut self, action: RunAction, then: RunStatus) -> Result<(), Error> {
        let TargetGroup { client, project, id } = &self.group;
        let etag = V::act(client.raw(), client.account(), project, id, &self.id, action, &self.etag).await?;
        match etag {
            Some(etag) => {
                self.etag = etag;
                self.status = then;
                Ok(())
            }
            // Without the new tag the next action would be refused.
            None => self.refresh().await,
        }
    }
}
