//! Fielding runs: launched by a job, then paused, resumed, moved, completed. The handle carries the entity tag,
//! renewed by each answer.

pub(crate) mod assistant;
pub(crate) mod calendar;

pub use self::assistant::{FieldingAssistant, Pacing, Pricing, QuotaOverlay, SoftLaunch};
pub use self::calendar::{HasFieldOfDays, Holiday, SuggestDays, SuggestedField};

use futures_util::future::{BoxFuture, FutureExt as _};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::client::CallOptions;
use crate::client::options::handle_options;
use crate::error::{Error, FieldError, must_be_future};
use crate::job::{Job, JobKind, JobPoll, JobStatus};
use crate::open_enum::open_enum;
use crate::optimistic::{Doubts, Editable, WithEtag, edit, three_way_merge};
use crate::sealed::Sealed;
use crate::target_group::TargetGroup;
use crate::types::ids::{FieldingRunId, JobId, UserId};
use crate::types::serde_text::word;
use crate::types::{IntoField, TimeRange};
use crate::version::Version;
use crate::wire::moment::kept_moment;

/// A launch job that failed has used up its key. So many launches of one target group have keys of their own.
const MAX_LAUNCHES: u32 = 64;

impl<V: Version> TargetGroup<V> {
    /// Launches the draft; field ends at `end`. The job goes on at Cint: wait for it with
    /// [`until_live`](Job::until_live).
    ///
    /// Carries an idempotency key.
    ///
    /// # Errors
    /// If `end` is past, before anything is sent. See [when a call fails](crate::guide::failures).
    #[doc(alias = "create_launch_fielding_run_from_draft_job")]
    pub async fn launch(&self, end: Timestamp) -> Result<LaunchJob<V>, Error> {
        Error::check(must_be_future("end", end, self.client.now()))?;
        self.start_field(None, end).await
    }

    /// Schedules the draft: field begins and ends by itself. [`until_done`](Job::until_done) gives the scheduled run.
    ///
    /// Carries an idempotency key.
    ///
    /// # Errors
    /// If the window has no length or begins in the past, before anything is sent. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "create_schedule_fielding_run_from_draft_job")]
    pub async fn schedule(&self, fielding_period: impl IntoField<TimeRange>) -> Result<LaunchJob<V>, Error> {
        let mut problems = Vec::new();
        let period = fielding_period.into_field("fielding_period", &mut problems);
        problems.extend(period.and_then(|period| must_be_future("fielding_period", period.start(), self.client.now())));
        match period {
            Some(period) if problems.is_empty() => self.start_field(Some(period.start()), period.end()).await,
            _ => Err(Error::invalid(problems)),
        }
    }

    async fn start_field(&self, start: Option<Timestamp>, end: Timestamp) -> Result<LaunchJob<V>, Error> {
        let Self { client, project, id } = self;
        let job = V::start_field(client.raw(), client.account(), project, id, start, end).await?;
        Ok(Job::new(LaunchRequest { group: self.clone(), scheduled: start.is_some() }, job))
    }

    /// Brings the draft into field and waits until it is, under keys that follow from `key`: said again, in any
    /// process, it comes to the same run, and a launch that failed before is tried under the next key. One launch is
    /// tried at most.
    pub(crate) async fn start_field_once(
        &self,
        key: &str,
        start: Option<Timestamp>,
        end: Timestamp,
    ) -> Result<FieldingRun<V>, Error> {
        let mut started = Err(Error::setup(format!(
            "{MAX_LAUNCHES} launches that end at {end} have failed, and no key is left for another; change the end"
        )));
        for launch in 1..=MAX_LAUNCHES {
            let began = Instant::now();
            let keyed = self.with(CallOptions::new().business_key(format!("{key}/{launch}")));
            let job = match start {
                Some(start) => keyed.schedule(start..end).await.map(|job| self.schedule_job(job.id().clone())),
                None => keyed.launch(end).await.map(|job| self.launch_job(job.id().clone())),
            };
            let job = match job {
                Ok(job) => job,
                Err(error) => {
                    started = Err(error);
                    break;
                }
            };
            // The key of an earlier launch that failed will always answer with it.
            if !job.failed_before(began).await {
                started = job.until_done().await;
                break;
            }
        }
        match started {
            Ok(run) => Ok(run),
            // An earlier launch that was not waited for may have got there first.
            Err(error) => match self.fielding_run().await {
                Ok(Some(run)) => Ok(run),
                Ok(None) | Err(_) => Err(error),
            },
        }
    }

    /// A launch job that was started in another process.
    #[doc(alias = "get_launch_fielding_run_from_draft_job")]
    pub fn launch_job(&self, id: JobId) -> LaunchJob<V> {
        Job::new(LaunchRequest { group: self.clone(), scheduled: false }, id)
    }

    /// A schedule job that was started in another process.
    #[doc(alias = "get_schedule_fielding_run_from_draft_job")]
    pub fn schedule_job(&self, id: JobId) -> LaunchJob<V> {
        Job::new(LaunchRequest { group: self.clone(), scheduled: true }, id)
    }

    /// The target group's fielding run; `None` for a draft. There is never more than one.
    ///
    /// # Errors
    /// One of its requests fails. See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_fielding_runs_by_target_group_id")]
    #[doc(alias = "get_fielding_run")]
    pub async fn fielding_run(&self) -> Result<Option<FieldingRun<V>>, Error> {
        let Self { client, project, id } = self;
        let runs = V::fielding_runs(client.raw(), client.account(), project, id).await?;
        match runs.into_iter().next() {
            Some(run) => FieldingRun::fetch(self.clone(), run).await.map(Some),
            None => Ok(None),
        }
    }
}

/// A launch or a scheduling under way.
pub type LaunchJob<V> = Job<LaunchRequest<V>>;

/// The job that brings a draft into field.
#[derive(Clone, Debug)]
pub struct LaunchRequest<V: Version> {
    group: TargetGroup<V>,
    scheduled: bool,
}

impl<V: Version> Job<LaunchRequest<V>> {
    /// Waits until the job is done, and fetches the fielding run that it made.
    ///
    /// # Errors
    /// As with [`until_done`](Job::until_done).
    pub async fn until_live(self) -> Result<FieldingRun<V>, Error> {
        self.until_done().await
    }
}

impl<V: Version> Sealed for LaunchRequest<V> {}

impl<V: Version> JobKind for LaunchRequest<V> {
    type Done = FieldingRun<V>;
    const NAME: &'static str = "the launch job";

    fn set_options(&mut self, options: CallOptions) {
        self.group.client = self.group.client.with(options);
    }

    fn ask<'a>(&'a self, id: &'a JobId) -> BoxFuture<'a, Result<JobPoll<FieldingRun<V>>, Error>> {
        async move {
            let TargetGroup { client, project, id: group } = &self.group;
            let asked = V::start_field_job(client.raw(), client.account(), project, group, self.scheduled, id).await?;
            let status = match asked.status {
                JobStatus::Done(run) => {
                    // The job is done, whether or not its run can be read.
                    let run = FieldingRun::fetch(self.group.clone(), run).await;
                    JobStatus::Done(run.map_err(Error::after_write)?)
                }
                JobStatus::Failed(failure) => JobStatus::Failed(failure),
                JobStatus::Running => JobStatus::Running,
            };
            Ok(JobPoll::new(status, asked.ask_again).with_origin(asked.origin))
        }
        .boxed()
    }
}

open_enum! {
    /// The state of a fielding run.
    RunStatus {
        /// It will begin later.
        Scheduled = "scheduled",
        /// Respondents come in.
        Live = "live",
        /// Nobody comes in for now.
        Paused = "paused",
        /// It is over.
        Completed = "completed",
    }
}

impl RunStatus {
    /// Whether a run of this state can be acted upon so. Cint has the last word: a run that has reached its goal or
    /// its end cannot be resumed or relaunched.
    pub fn allows(&self, action: RunAction) -> bool {
        match action {
            RunAction::LaunchNow => *self == Self::Scheduled,
            RunAction::Pause => *self == Self::Live,
            RunAction::Resume => *self == Self::Paused,
            RunAction::Relaunch => *self == Self::Completed,
            RunAction::Complete => *self != Self::Completed,
        }
    }
}

/// What can be done with a fielding run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RunAction {
    /// Begins a scheduled run at once.
    LaunchNow,
    /// Stops respondents from coming in.
    Pause,
    /// Lets them in again.
    Resume,
    /// Brings a completed run back.
    Relaunch,
    /// Ends the run.
    Complete,
}

word!(RunAction: "an action: launch-now, pause, resume, relaunch or complete");

impl RunAction {
    /// The state that it leads to.
    fn leads_to(self) -> RunStatus {
        match self {
            Self::LaunchNow | Self::Resume | Self::Relaunch => RunStatus::Live,
            Self::Pause => RunStatus::Paused,
            Self::Complete => RunStatus::Completed,
        }
    }
}

/// When a fielding run begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldingPeriod {
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
}
three_way_merge!(FieldingPeriod { start, end });

/// What an answer says of a fielding run.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct RunState {
    pub(crate) status: RunStatus,
    pub(crate) dates: FieldingPeriod,
    pub(crate) changed_by: Option<UserId>,
    pub(crate) changed_at: Option<Timestamp>,
    pub(crate) version: Option<i64>,
}

/// A fielding run. It carries the entity tag of its last answer, so a change by another client is noticed.
///
/// ```no_run
/// # async fn run(
/// #     group: cintx::target_group::TargetGroup<cintx::V2025_12_18>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// use jiff::ToSpan as _;
///
/// if let Some(mut run) = group.fielding_run().await? {
///     run.pause().await?;
///     run.edit_dates(|dates| dates.end += 48.hours()).await?;
///     run.resume().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FieldingRun<V: Version> {
    group: TargetGroup<V>,
    id: FieldingRunId,
    state: RunState,
    etag: Option<String>,
}

handle_options!(FieldingRun: group.client);

impl<V: Version> FieldingRun<V> {
    async fn fetch(group: TargetGroup<V>, id: FieldingRunId) -> Result<Self, Error> {
        let TargetGroup { client, project, id: group_id } = &group;
        let WithEtag { value: state, etag } =
            V::fielding_run(client.raw(), client.account(), project, group_id, &id).await?;
        Ok(Self { group, id, state, etag })
    }

    /// The id of the fielding run.
    pub fn id(&self) -> &FieldingRunId {
        &self.id
    }

    /// Its state when it was last read or changed. Cint may pause a run on its own: [`refresh`](Self::refresh) asks.
    pub fn status(&self) -> &RunStatus {
        &self.state.status
    }

    /// When it begins and ends.
    pub fn dates(&self) -> FieldingPeriod {
        self.state.dates
    }

    /// Who changed it last, if it was a user.
    pub fn changed_by(&self) -> Option<UserId> {
        self.state.changed_by
    }

    /// When it had been changed last, as of when it was read: [`refresh`](Self::refresh) reads it after a change.
    pub fn changed_at(&self) -> Option<Timestamp> {
        self.state.changed_at
    }

    /// The number of its state at Cint when it was read; every change raises it.
    pub fn version(&self) -> Option<i64> {
        self.state.version
    }

    /// Asks for the present state.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    #[doc(alias = "get_fielding_run")]
    pub async fn refresh(&mut self) -> Result<(), Error> {
        *self = Self::fetch(self.group.clone(), self.id.clone()).await?;
        Ok(())
    }

    /// Stops respondents from coming in; only a live run can be paused. If another client changed the run meanwhile,
    /// its new state decides: paused already is fine, still live is paused, anything else is an error.
    ///
    /// # Errors
    /// The API answers 412 if the run is no longer in a state that allows it, 422 if it never was. See
    /// [when a call fails](crate::guide::failures).
    #[doc(alias = "pause_fielding_run")]
    pub async fn pause(&mut self) -> Result<(), Error> {
        self.act(RunAction::Pause).await
    }

    /// Lets respondents in again; only a paused run can be resumed, and only before its goal and its end.
    ///
    /// # Errors
    /// As with [`pause`](Self::pause).
    #[doc(alias = "resume_fielding_run")]
    pub async fn resume(&mut self) -> Result<(), Error> {
        self.act(RunAction::Resume).await
    }

    /// Begins a scheduled run at once; its end moves along, so that it is as long as it was to be.
    ///
    /// # Errors
    /// As with [`pause`](Self::pause).
    #[doc(alias = "launch_now_fielding_run")]
    pub async fn launch_now(&mut self) -> Result<(), Error> {
        self.act(RunAction::LaunchNow).await
    }

    /// Brings a completed run back; only before its goal and its end.
    ///
    /// # Errors
    /// As with [`pause`](Self::pause).
    #[doc(alias = "relaunch_fielding_run")]
    pub async fn relaunch(&mut self) -> Result<(), Error> {
        self.act(RunAction::Relaunch).await
    }

    /// Ends the run.
    ///
    /// # Errors
    /// As with [`pause`](Self::pause).
    #[doc(alias = "complete_fielding_run")]
    pub async fn complete(&mut self) -> Result<(), Error> {
        self.act(RunAction::Complete).await
    }

    /// Changes when the run begins or ends: not before now, and not in reverse. If another client changed it first,
    /// reads again and makes the change again; what would undo another's change is a conflict.
    ///
    /// # Errors
    /// A date that is wrong, before anything is sent; [`Error::conflict`] if another client moved the same date. The
    /// API answers 422 for a completed run. See [when a call fails](crate::guide::failures).
    #[doc(alias = "update_fielding_run")]
    pub async fn edit_dates(&mut self, change: impl Fn(&mut FieldingPeriod) + Send) -> Result<(), Error> {
        let known = WithEtag { value: self.state.dates, etag: self.etag.clone() };
        let WithEtag { value, etag } = edit(&*self, Some(known), change).await?;
        self.state.dates = value;
        self.renew(etag).await
    }

    /// Asks for a new tag if an answer had none: without it the next action would be refused.
    async fn renew(&mut self, etag: Option<String>) -> Result<(), Error> {
        match etag {
            Some(etag) => {
                self.etag = Some(etag);
                Ok(())
            }
            None => self.refresh().await.map_err(Error::after_write),
        }
    }

    async fn act(&mut self, action: RunAction) -> Result<(), Error> {
        let mut doubts = Doubts::default();
        loop {
            let TargetGroup { client, project, id } = &self.group;
            let (raw, etag) = (client.raw(), self.etag.as_deref());
            match V::act(raw, client.account(), project, id, &self.id, action, etag).await {
                Ok(etag) => {
                    doubts.end_intents(&*self).await;
                    self.state.status = action.leads_to();
                    // A launch moves the dates, too.
                    let etag = etag.filter(|_| action != RunAction::LaunchNow);
                    return self.renew(etag).await;
                }
                Err(error) if error.status() == Some(StatusCode::PRECONDITION_FAILED) => {
                    let stale = self.etag.clone();
                    doubts.add(error.clone());
                    if let Err(error) = self.refresh().await {
                        return Err(doubts.or(error));
                    }
                    if self.state.status == action.leads_to() {
                        doubts.end_intents(&*self).await;
                        return Ok(());
                    }
                    // The same tag again would be refused again.
                    if self.etag == stale || !self.state.status.allows(action) {
                        return Err(doubts.or(error));
                    }
                }
                Err(error) => return Err(doubts.or_of_write(&*self, error).await),
            }
        }
    }
}

impl<V: Version> Editable for FieldingRun<V> {
    type Value = FieldingPeriod;

    fn strike_out<'a>(&'a self, intent: &'a str) -> BoxFuture<'a, ()> {
        self.group.client.end_intent(intent).boxed()
    }

    fn round(&self, dates: &mut FieldingPeriod) {
        (dates.start, dates.end) = (kept_moment(dates.start), kept_moment(dates.end));
    }

    fn check(&self, dates: &FieldingPeriod) -> Result<(), Error> {
        let window: Result<TimeRange, _> = (dates.start..dates.end).try_into();
        let order = window.err().map(|error| FieldError::new("end", error.to_string()));
        Error::check(must_be_future("end", dates.end, self.group.client.now()).into_iter().chain(order))
    }

    fn read(&self) -> BoxFuture<'_, Result<WithEtag<FieldingPeriod>, Error>> {
        async move {
            let TargetGroup { client, project, id } = &self.group;
            let WithEtag { value, etag } =
                V::fielding_run(client.raw(), client.account(), project, id, &self.id).await?;
            Ok(WithEtag { value: value.dates, etag })
        }
        .boxed()
    }

    fn write<'a>(
        &'a self,
        dates: &'a FieldingPeriod,
        etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<String>, Error>> {
        let TargetGroup { client, project, id } = &self.group;
        V::move_dates(client.raw(), client.account(), project, id, &self.id, *dates, etag).boxed()
    }
}
