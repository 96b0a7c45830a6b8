//! Jobs: work that Cint does in the background. A handle reads its state, and waits for its end. Where the id comes
//! from, how often to poll, and how each job names its states is decided here.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::client::CallOptions;
use crate::error::source::TokenError;
use crate::error::{Error, ErrorKind, JobFailure, Outcome};
use crate::sealed::Sealed;
use crate::types::ids::{JobId, UserId};

/// How a job is doing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum JobStatus<T> {
    /// It is not done. A state that is not known yet counts as this.
    Running,
    /// It is done, with this result.
    Done(T),
    /// It came to its end without success.
    Failed(JobFailure),
}

/// What the API says of a job: its state, and where it comes from. Which of this is said depends on the kind of job and
/// on the version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobDetails<T> {
    /// How it is doing.
    pub status: JobStatus<T>,
    /// When it was asked for. Not said of reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Who asked for it. Not said of reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserId>,
    /// By what Cint's support finds it. Not said of reports and of bulk jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

/// A job under way. Another process can poll it: keep its [`id`](Self::id), and make the handle again
/// from where it was started.
#[derive(Clone, Debug)]
#[must_use = "the job goes on whether or not it is waited for"]
pub struct Job<K> {
    pub(crate) kind: K,
    id: JobId,
    limit: Duration,
}

impl<K: JobKind> Job<K> {
    pub(crate) fn new(kind: K, id: JobId) -> Self {
        Self { kind, id, limit: K::LIMIT }
    }

    /// The job's id.
    pub fn id(&self) -> &JobId {
        &self.id
    }

    /// How long [`until_done`](Self::until_done) waits at most; ten minutes for field, an hour for files if not set.
    /// The last look begins at this time, and may take five seconds.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Other options for the questions about this job: retries, time limits, headers. They go before the client's.
    pub fn with(mut self, options: CallOptions) -> Self {
        self.kind.set_options(options);
        self
    }

    /// Asks once.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    pub async fn status(&self) -> Result<JobStatus<K::Done>, Error> {
        Ok(self.details().await?.status)
    }

    /// Asks once, for the state and for what else the API says: when the job was asked for and by whom, and the trace
    /// id that Cint's support wants to know.
    ///
    /// # Errors
    /// See [when a call fails](crate::guide::failures).
    pub async fn details(&self) -> Result<JobDetails<K::Done>, Error> {
        let JobPoll { status, origin, .. } = self.kind.ask(&self.id).await?;
        let JobOrigin { created_at, created_by, trace_id, .. } = origin;
        Ok(JobDetails { status, created_at, created_by, trace_id })
    }

    /// Whether it has failed, and was asked for before `since`, by the API's own clock: by another call, that is. A
    /// failure of which the API does not say how old it is counts as such.
    pub(crate) async fn failed_before(&self, since: Instant) -> bool {
        let Ok(JobPoll { status: JobStatus::Failed(_), origin, .. }) = self.kind.ask(&self.id).await else {
            return false;
        };
        let age = origin.answered_at.zip(origin.created_at).map(|(now, at)| now.duration_since(at));
        age.is_none_or(|age| age > SignedDuration::try_from(since.elapsed()).unwrap_or(SignedDuration::MAX))
    }

    /// Waits for the job's end: asks soon, then ever more rarely, or when the API says to ask again.
    ///
    /// # Errors
    /// [`Error::job_failure`] says why the job failed; [`Error::is_timeout`] after the time given. See
    /// [when a call fails](crate::guide::failures).
    pub async fn until_done(&self) -> Result<K::Done, Error> {
        let pace = Pace { first: K::FIRST_PAUSE, longest: K::MAX_PAUSE, limit: self.limit };
        let done = poll(K::NAME, pace, K::WHEN_FAILED, || self.kind.ask(&self.id)).await;
        done.map_err(|error| error.of_job(K::NAME, self.id.as_str()))
    }
}

/// How often something is polled, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
    pub(crate) limit: Duration,
}

/// Asks until there is an end, or until the limit has passed. A question that fails for a reason that may pass does
/// not end the wait: the last such failure is returned at the limit. `when_failed` is what a job that failed has done.
pub(crate) async fn poll<'a, T>(
    name: &'static str,
    pace: Pace,
    when_failed: Outcome,
    mut ask: impl FnMut() -> BoxFuture<'a, Result<JobPoll<T>, Error>> + Send,
) -> Result<T, Error> {
    let began = Instant::now();
    // A limit past the end of time is none.
    let deadline = began.checked_add(pace.limit);
    let mut pause = pace.first;
    let mut last_failure = None;
    loop {
        // A question has limits of its own, which may be far beyond this one.
        let until = deadline.map(|deadline| deadline.max(Instant::now() + LAST_LOOK_WITHIN));
        let asked = match until {
            Some(until) => tokio::time::timeout_at(until, ask()).await,
            None => Ok(ask().await),
        };
        let Ok(asked) = asked else {
            return Err(last_failure.map_or_else(|| Error::timeout(name, pace.limit), Error::job_unread));
        };
        let now = Instant::now();
        let (failed, ask_again) = match asked {
            Ok(JobPoll { status: JobStatus::Done(done), .. }) => return Ok(done),
            Ok(JobPoll { status: JobStatus::Failed(failure), .. }) => {
                return Err(Error::job(failure).resolved(when_failed));
            }
            Ok(JobPoll { status: JobStatus::Running, ask_again, .. }) => (None, ask_again),
            Err(error) if may_pass(&error, now - began) => {
                let ask_again = error.retry_after().map(|wait| wait.min(MAX_JOB_WAIT));
                (Some(error), ask_again)
            }
            Err(error) => return Err(error.job_unread()),
        };
        if deadline.is_some_and(|deadline| now >= deadline) {
            return Err(failed.map_or_else(|| Error::timeout(name, pace.limit), Error::job_unread));
        }
        // The last look is at the deadline itself, however long the pause would be.
        last_failure = failed;
        let wait = ask_again.map_or(pause, |told| told.max(pace.first));
        let until = [now.checked_add(wait), deadline].into_iter().flatten().min();
        tokio::time::sleep_until(until.unwrap_or(now + pace.longest)).await;
        pause = (pause * 2).min(pace.longest);
    }
}

/// The last look begins at the deadline, and may take so long.
const LAST_LOOK_WITHIN: Duration = Duration::from_secs(5);
/// A job may not be visible yet on the first poll.
const VISIBLE_WITHIN: Duration = Duration::from_secs(30);

/// Whether a failed question about a job may succeed when the poll is repeated.
pub(crate) fn may_pass(error: &Error, waited: Duration) -> bool {
    match error.kind() {
        ErrorKind::Connect | ErrorKind::Lost | ErrorKind::Timeout | ErrorKind::Unexpected | ErrorKind::Unreadable => {
            true
        }
        ErrorKind::Credential => error.token().is_some_and(TokenError::may_pass),
        ErrorKind::Status => error.status().is_some_and(|status| status_may_pass(status.as_u16(), waited)),
        _ => false,
    }
}

fn status_may_pass(status: u16, waited: Duration) -> bool {
    match status {
        404 => waited < VISIBLE_WITHIN,
        501 | 505 => false,
        408 | 429 | 499 | 500..=599 => true,
        _ => false,
    }
}

/// One kind of job: a launch, a change to many target groups, an upload, a report. Only this crate has them; the
/// trait is there to be named, in helpers that take any job.
///
/// ```
/// use cintx::Error;
/// use cintx::job::{Job, JobKind};
///
/// /// Waits for one after the other.
/// async fn wait_all<K: JobKind>(jobs: Vec<Job<K>>) -> Result<Vec<K::Done>, Error> {
///     let mut done = Vec::new();
///     for job in jobs {
///         done.push(job.until_done().await?);
///     }
///     Ok(done)
/// }
///
/// # async fn run(launches: Vec<cintx::fielding::LaunchJob<cintx::V2025_12_18>>) -> Result<(), Error> {
/// for run in wait_all(launches).await? {
///     println!("{} is {}", run.id(), run.status());
/// }
/// # Ok(())
/// # }
/// ```
pub trait JobKind: Sealed + fmt::Debug + Send + Sync + 'static {
    /// What there is at its end.
    type Done: Send;
    /// What to call it when it was waited for in vain.
    #[doc(hidden)]
    const NAME: &'static str;
    #[doc(hidden)]
    const FIRST_PAUSE: Duration = Duration::from_millis(500);
    #[doc(hidden)]
    const MAX_PAUSE: Duration = Duration::from_secs(15);
    /// What one that failed as a whole has done.
    #[doc(hidden)]
    const WHEN_FAILED: Outcome = Outcome::NoEffect;
    #[doc(hidden)]
    const LIMIT: Duration = Duration::from_secs(600);
    #[doc(hidden)]
    fn set_options(&mut self, options: CallOptions);
    #[doc(hidden)]
    fn ask<'a>(&'a self, id: &'a JobId) -> BoxFuture<'a, Result<JobPoll<Self::Done>, Error>>;
}

/// An answer about a job.
#[derive(Debug)]
#[doc(hidden)]
pub struct JobPoll<T> {
    pub status: JobStatus<T>,
    /// What the answer's `Retry-After` said.
    pub ask_again: Option<Duration>,
    pub origin: JobOrigin,
}

impl<T> JobPoll<T> {
    /// An answer that says nothing of where the job comes from.
    pub(crate) fn new(status: JobStatus<T>, ask_again: Option<Duration>) -> Self {
        Self { status, ask_again, origin: JobOrigin::default() }
    }

    /// With what the answer says of where the job comes from.
    pub(crate) fn with_origin(self, origin: JobOrigin) -> Self {
        Self { origin, ..self }
    }
}

/// Where a job comes from.
#[derive(Clone, Debug, Default)]
#[doc(hidden)]
pub struct JobOrigin {
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) created_by: Option<UserId>,
    pub(crate) trace_id: Option<String>,
    /// When the API said all this.
    pub(crate) answered_at: Option<Timestamp>,
}

impl<T> JobStatus<Option<T>> {
    /// A job that is done must say what it made; until it does, it counts as running.
    pub(crate) fn required(self) -> JobStatus<T> {
        match self {
            Self::Done(Some(made)) => JobStatus::Done(made),
            Self::Failed(failure) => JobStatus::Failed(failure),
            Self::Done(None) | Self::Running => JobStatus::Running,
        }
    }
}

/// The four vocabularies of job states in one.
pub(crate) fn job_status<T>(
    word: Option<&str>,
    done: impl FnOnce() -> T,
    failure: impl FnOnce() -> JobFailure,
) -> JobStatus<T> {
    match word.map(str::to_ascii_lowercase).as_deref() {
        Some("completed" | "complete" | "success" | "succeeded") => JobStatus::Done(done()),
        Some("failed" | "failure") => JobStatus::Failed(failure()),
        _ => JobStatus::Running,
    }
}

/// The longest wait between two questions about a job that the API can ask for.
const MAX_JOB_WAIT: Duration = Duration::from_secs(300);

/// When the API answered, by its own clock.
pub(crate) fn answered_at(headers: &http::HeaderMap) -> Option<Timestamp> {
    crate::retry_after::answered_at(headers).and_then(|at| Timestamp::try_from(at).ok())
}

/// What an answer says of when to ask again, five minutes at most.
pub(crate) fn poll_pause(headers: &http::HeaderMap) -> Option<Duration> {
    crate::retry_after::retry_after(headers).map(|wait| wait.min(MAX_JOB_WAIT))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use cintx_raw::Operation;
    use futures_util::future::FutureExt as _;

    use super::*;

    #[test]
    fn the_api_can_ask_for_a_wait_in_seconds_or_until_a_date_but_for_no_long_one() {
        let wait = |value: &'static str| {
            let mut headers = http::HeaderMap::new();
            headers.insert(http::header::DATE, http::HeaderValue::from_static("Tue, 24 Nov 2026 10:00:00 GMT"));
            headers.insert(http::header::RETRY_AFTER, http::HeaderValue::from_static(value));
            poll_pause(&headers).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("7"), Some(7));
        assert_eq!(wait("Tue, 24 Nov 2026 10:00:30 GMT"), Some(30));
        assert_eq!(wait("86400"), Some(300));
        assert_eq!(wait("soon"), None);
    }

    /// A job that gives its answers one after the other, and keeps the times at which it was polled.
    #[derive(Debug)]
    struct Told {
        answers: Vec<(&'static str, Option<u64>)>,
        asked: Mutex<Vec<Instant>>,
    }

    impl Sealed for Told {}

    impl JobKind for Told {
        type Done = &'static str;
        const NAME: &'static str = "the told job";

        fn set_options(&mut self, _: CallOptions) {}

        fn ask<'a>(&'a self, _: &'a JobId) -> BoxFuture<'a, Result<JobPoll<&'static str>, Error>> {
            async move {
                let mut asked = self.asked.lock().unwrap();
                let (word, seconds) = self.answers[asked.len().min(self.answers.len() - 1)];
                asked.push(Instant::now());
                let failure = || JobFailure { code: None, description: "it broke".into(), reasons: Vec::new() };
                let ask_again = seconds.map(Duration::from_secs);
                Ok(JobPoll::new(job_status(Some(word), || word, failure), ask_again))
            }
            .boxed()
        }
    }

    fn told(answers: &[(&'static str, Option<u64>)]) -> Job<Told> {
        Job::new(Told { answers: answers.to_vec(), asked: Mutex::default() }, JobId::new("1"))
    }

    #[test]
    fn weather_passes_and_what_the_api_decided_does_not() {
        for status in [408, 429, 499, 500, 502, 503, 504, 507, 520, 522, 599] {
            assert!(status_may_pass(status, Duration::from_secs(3_000)), "{status}");
        }
        for status in [400, 401, 403, 410, 422, 501, 505] {
            assert!(!status_may_pass(status, Duration::ZERO), "{status}");
        }
        assert!(status_may_pass(404, Duration::ZERO) && !status_may_pass(404, VISIBLE_WITHIN));
    }

    #[tokio::test(start_paused = true)]
    async fn every_vocabulary_is_understood_and_a_stranger_is_running() {
        for done in ["Completed", "completed", "complete", "Success"] {
            let running = ["Processing", "processing", "IN PROGRESS", "Dreaming"].map(|word| (word, None));
            let job = told(&[running.as_slice(), &[(done, None)]].concat());
            assert!(matches!(job.status().await.unwrap(), JobStatus::Running));
            assert_eq!(job.until_done().await.unwrap(), done);
        }
        let failed = told(&[("Processing", None), ("Failed", None)]).until_done().await.unwrap_err();
        assert_eq!(failed.job_failure().unwrap().description, "it broke");
    }

    #[tokio::test(start_paused = true)]
    async fn it_asks_ever_more_rarely_or_when_told_and_gives_up_in_time() {
        let job = told(&[("Processing", None)]).timeout(Duration::from_secs(60));
        let began = Instant::now();
        assert!(job.until_done().await.unwrap_err().is_timeout());
        let at: Vec<u128> = job.kind.asked.lock().unwrap().iter().map(|at| (*at - began).as_millis()).collect();
        assert_eq!(at, [0, 500, 1_500, 3_500, 7_500, 15_500, 30_500, 45_500, 60_000], "the last look is at the limit");

        let job = told(&[("Processing", Some(20)), ("Processing", Some(0)), ("Completed", None)]);
        job.until_done().await.unwrap();
        let asked = job.kind.asked.lock().unwrap();
        assert_eq!(asked[1] - asked[0], Duration::from_secs(20), "as long as it was told");
        assert_eq!(asked[2] - asked[1], Duration::from_millis(500), "at once would be a storm");
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_without_an_answer_does_not_outlast_the_limit() {
        let pace = |limit| Pace { first: Duration::from_secs(1), longest: Duration::from_secs(1), limit };
        for limit in [Duration::ZERO, Duration::from_secs(10)] {
            let began = Instant::now();
            let ended = poll::<()>("a test", pace(limit), Outcome::NoEffect, || std::future::pending().boxed());
            let ended = tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it ends");
            assert!(ended.unwrap_err().is_timeout());
            assert_eq!(began.elapsed(), limit.max(LAST_LOOK_WITHIN));
        }
        // What failed before is told in its place.
        let mut asked = 0;
        let ended = poll::<()>("a test", pace(Duration::from_secs(10)), Outcome::NoEffect, || {
            asked += 1;
            match asked {
                1 => async { Err(Error::incomplete(Operation::undocumented(&http::Method::GET), "x")) }.boxed(),
                _ => std::future::pending().boxed(),
            }
        });
        let ended = tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it ends");
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Unreadable);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_cannot_pass_ends_the_wait_at_once() {
        let pace = Pace { first: Duration::from_millis(1), longest: Duration::from_secs(1), limit: Duration::MAX };
        let mut asked = 0;
        let ended = poll::<()>("a test", pace, Outcome::NoEffect, || {
            asked += 1;
            async { Err(Error::setup("for a test")) }.boxed()
        });
        assert_eq!(ended.await.unwrap_err().kind(), ErrorKind::Setup);
        assert_eq!(asked, 1);
    }

    #[test]
    fn a_token_source_of_the_callers_own_may_come_back() {
        let passes = [
            TokenError::source("the vault is sealed"),
            TokenError::TimedOut(Duration::from_secs(80)),
            TokenError::Abandoned,
        ];
        assert!(passes.iter().all(TokenError::may_pass));
        assert!(![TokenError::Panicked, TokenError::Redirected].iter().any(TokenError::may_pass));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_without_end_is_allowed() {
        let job = told(&[("Processing", None), ("Completed", None)]).timeout(Duration::MAX);
        assert_eq!(job.until_done().await.unwrap(), "Completed");
    }
}
