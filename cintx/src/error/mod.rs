//! The one error of the SDK: small and opaque, read through its methods, first of all [`Error::outcome`].

mod call;
mod conflict;
mod field;
mod local;
mod outcome;
pub(crate) mod pointer;
mod refused;
pub(crate) mod source;
mod wrote;

use self::call::BrokenOff;
pub(crate) use self::call::{Failure, NoServerToServerKey, Redirected, Report, StopReason, TimedOut, report};
pub use self::conflict::Conflict;
pub use self::field::FieldError;
pub(crate) use self::field::{RequiredFields, must_be_future, text_length};
use self::local::Local;
pub use self::outcome::Outcome;
pub use self::refused::JobFailure;
use self::refused::{MAX_MESSAGE_CHARS, OneLine};
pub(crate) use self::refused::{Refused, shortened};
use self::source::{JournalError, TokenError};
pub(crate) use self::wrote::Wrote;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cintx_raw::{ApiError, BoxError, InvalidParam, Operation, Request, Response, UnexpectedAnswer};
use http::StatusCode;
use serde::{Deserialize, Serialize};

/// How much of an answer's body an error shows.
const MAX_SHOWN_BYTES: usize = 1024;

/// Why something did not work.
///
/// ```no_run
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), Box<dyn std::error::Error>> {
/// use cintx::Outcome;
///
/// let manager = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".parse()?;
/// if let Err(error) = cint.projects().create("MyDrinksSurveyQ1", manager).await {
///     eprintln!("{error}"); // one line; {error:#} adds the causes
///     match error.outcome() {
///         Outcome::NotSent | Outcome::NoEffect => println!("nothing was made"),
///         Outcome::Applied => println!("it was made"),
///         Outcome::Unknown => println!("{:?}", cint.resolve(&error).await?),
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// A clone is the same error: who waits for what another fetches gets its failure, too.
#[derive(Clone)]
pub struct Error {
    kind: Arc<Kind>,
    /// What has been found out since.
    resolved: Option<Outcome>,
}

enum Kind {
    Invalid(Vec<FieldError>),
    Call {
        error: cintx_raw::Error,
        report: Option<Arc<Report>>,
    },
    Incomplete {
        operation: &'static cintx_raw::Operation,
        missing: &'static str,
        /// The call that was answered so, where it changed something.
        report: Option<Arc<Report>>,
    },
    Job {
        failure: JobFailure,
        /// Which job it was, where that is known.
        job: Option<Box<str>>,
    },
    /// A download that began and did not come to its end.
    BrokenOff(BrokenOff),
    Local(Local),
    Timeout {
        waiting_for: &'static str,
        limit: Duration,
    },
    Journal(JournalError),
    /// Another client changed the same; `in_doubt` is a write of the same call that may have been done before.
    Conflict {
        conflict: Conflict,
        in_doubt: Option<Error>,
    },
    /// A write took effect, and a request that belongs to the same call failed after it.
    AfterWrite(Error),
    /// A job was started, and how it is doing cannot be read.
    JobUnread(Error),
    /// What a module of its own explains: a conflict, a list in circles.
    Other(BoxError),
    Setup(BoxError),
}

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value was refused here: [`Error::invalid_fields`].
    Invalid,
    /// The client could not be built.
    Setup,
    /// No credential could be had: [`Error::token`].
    Credential,
    /// No connection could be made.
    Connect,
    /// A time limit passed.
    Timeout,
    /// The connection broke before the answer was there.
    Lost,
    /// The API answered with a status that is not a success: [`Error::status`], [`Error::api`].
    Status,
    /// The resource has another address, a launched draft for example: [`Error::moved_to`].
    Moved,
    /// The status says success, but the answer is none that the operation has: a page, an error object, another status
    /// or media type. Something between here and the API may have given it.
    Unexpected,
    /// The API answered success with something that could not be read.
    Unreadable,
    /// A job came to its end without success: [`Error::job_failure`].
    Job,
    /// What was waited for did not complete in time, and may still complete.
    Waiting,
    /// Another client changed the same fields of a resource: [`Error::conflict`](Error::conflict) names them.
    Conflict,
    /// Something on this machine failed, and not the API: a file, or a store, a stream or a writer of yours.
    Local,
    /// The journal could not be read or written.
    Journal,
}

impl Error {
    fn new(kind: Kind) -> Self {
        Self { kind: Arc::new(kind), resolved: None }
    }

    pub(crate) fn invalid(problems: Vec<FieldError>) -> Self {
        Self::new(Kind::Invalid(problems))
    }

    /// An error if there are problems.
    pub(crate) fn check(problems: impl IntoIterator<Item = FieldError>) -> Result<(), Self> {
        let problems: Vec<FieldError> = problems.into_iter().collect();
        if problems.is_empty() { Ok(()) } else { Err(Self::invalid(problems)) }
    }

    pub(crate) fn incomplete(operation: &'static cintx_raw::Operation, missing: &'static str) -> Self {
        Self::new(Kind::Incomplete { operation, missing, report: None })
    }

    /// The same error of an answer, which knows its call: what a write made can then be looked up.
    pub(crate) fn incomplete_answer<T>(
        operation: &'static Operation,
        missing: &'static str,
        answer: &Response<T>,
    ) -> Self {
        Self::new(Kind::Incomplete { operation, missing, report: report(answer.report()) })
    }

    /// What an answer must have, taken out of it.
    pub(crate) fn required_in<T, U>(
        answer: Response<T>,
        operation: &'static Operation,
        missing: &'static str,
        take: impl FnOnce(T) -> Option<U>,
    ) -> Result<U, Self> {
        let report = report(answer.report());
        take(answer.into_value()).ok_or_else(|| Self::new(Kind::Incomplete { operation, missing, report }))
    }

    pub(crate) fn job(failure: JobFailure) -> Self {
        Self::new(Kind::Job { failure, job: None })
    }

    /// The same error, which says which job it is that failed.
    pub(crate) fn of_job(self, name: &str, id: &str) -> Self {
        match &*self.kind {
            Kind::Job { failure, .. } => {
                let job = Some(format!("{name} {id}").into());
                Self { resolved: self.resolved, ..Self::new(Kind::Job { failure: failure.clone(), job }) }
            }
            _ => self,
        }
    }

    /// The end of a download before all of it was there.
    pub(crate) fn broken_off(operation: &'static Operation, report: Option<Arc<Report>>, cause: BoxError) -> Self {
        Self::new(Kind::BrokenOff(BrokenOff { operation, report, cause }))
    }

    pub(crate) fn timeout(waiting_for: &'static str, limit: Duration) -> Self {
        Self::new(Kind::Timeout { waiting_for, limit })
    }

    pub(crate) fn other(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::new(Kind::Other(Box::new(cause)))
    }

    pub(crate) fn other_as<E: std::error::Error + 'static>(&self) -> Option<&E> {
        match &*self.kind {
            Kind::Other(cause) => cause.downcast_ref(),
            _ => None,
        }
    }

    /// The failure of a request that followed a write of the same call: the call as a whole took effect.
    pub(crate) fn after_write(self) -> Self {
        Self::new(Kind::AfterWrite(self))
    }

    /// The failure to read how a job is doing: whether it does what it was started for is not known.
    pub(crate) fn job_unread(self) -> Self {
        match &*self.kind {
            Kind::AfterWrite(_) => self,
            _ => Self::new(Kind::JobUnread(self)),
        }
    }

    pub(crate) fn setup(cause: impl Into<BoxError>) -> Self {
        Self::new(Kind::Setup(cause.into()))
    }

    /// The same error, now that its outcome has been found out.
    pub(crate) fn resolved(mut self, outcome: Outcome) -> Self {
        self.resolved = Some(outcome);
        self
    }

    /// What kind of failure it was.
    pub fn kind(&self) -> ErrorKind {
        use cintx_raw::ErrorKind as Raw;
        match &*self.kind {
            Kind::Invalid(_) => ErrorKind::Invalid,
            Kind::Setup(_) => ErrorKind::Setup,
            Kind::Incomplete { .. } => ErrorKind::Unreadable,
            Kind::Job { .. } => ErrorKind::Job,
            Kind::BrokenOff(download) if download.stalled().is_some() => ErrorKind::Timeout,
            Kind::BrokenOff(_) => ErrorKind::Lost,
            Kind::Local(_) => ErrorKind::Local,
            Kind::Timeout { .. } => ErrorKind::Waiting,
            Kind::Journal(_) => ErrorKind::Journal,
            Kind::AfterWrite(error) | Kind::JobUnread(error) => error.kind(),
            Kind::Conflict { .. } => ErrorKind::Conflict,
            Kind::Other(_) => ErrorKind::Unreadable,
            Kind::Call { error, .. } => match error.kind() {
                Raw::Request => ErrorKind::Invalid,
                Raw::Moved => ErrorKind::Moved,
                Raw::Status => ErrorKind::Status,
                Raw::Unexpected => ErrorKind::Unexpected,
                Raw::Decode => ErrorKind::Unreadable,
                _ if error.cause::<TimedOut>().is_some() => ErrorKind::Timeout,
                _ if error.cause::<TokenError>().is_some() => ErrorKind::Credential,
                _ if error.cause::<NoServerToServerKey>().is_some() => ErrorKind::Credential,
                _ => match (error.cause::<reqwest::Error>(), self.outcome()) {
                    (Some(cause), _) if cause.is_connect() => ErrorKind::Connect,
                    // A transport of the caller's own says so.
                    (None, Outcome::NotSent) => ErrorKind::Connect,
                    _ => ErrorKind::Lost,
                },
            },
        }
    }

    /// Whether the call took effect. The question to ask before anything is repeated.
    pub fn outcome(&self) -> Outcome {
        if let Some(outcome) = self.resolved {
            return outcome;
        }
        match &*self.kind {
            Kind::Invalid(_) | Kind::Setup(_) | Kind::Journal(_) => Outcome::NotSent,
            Kind::Local(local) => local.outcome,
            // The job is known to exist and to have failed, or to be under way.
            Kind::Job { .. } | Kind::Other(_) | Kind::Conflict { in_doubt: None, .. } => Outcome::NoEffect,
            // A download only reads.
            Kind::BrokenOff(_) => Outcome::NoEffect,
            Kind::Timeout { .. } | Kind::JobUnread(_) => Outcome::Unknown,
            Kind::Conflict { in_doubt: Some(error), .. } => error.outcome(),
            Kind::AfterWrite(_) => Outcome::Applied,
            Kind::Incomplete { operation, .. } if operation.is_read() => Outcome::NoEffect,
            Kind::Incomplete { .. } => Outcome::Applied,
            Kind::Call { error, report, .. } => match (error.kind(), report) {
                (cintx_raw::ErrorKind::Request, _) => Outcome::NotSent,
                (_, Some(report)) => report.outcome,
                (cintx_raw::ErrorKind::Decode, None) if !error.operation().is_read() => Outcome::Applied,
                _ if error.operation().is_read() => Outcome::NoEffect,
                _ => Outcome::Unknown,
            },
        }
    }

    /// The values that were refused before their request was sent; empty for every other error.
    pub fn invalid_fields(&self) -> &[FieldError] {
        match &*self.kind {
            Kind::Invalid(problems) => problems,
            Kind::AfterWrite(error) => error.invalid_fields(),
            _ => &[],
        }
    }

    /// The failed call, with status, headers and body.
    pub fn call(&self) -> Option<&cintx_raw::Error> {
        match &*self.kind {
            Kind::Call { error, .. } => Some(error),
            Kind::AfterWrite(error) | Kind::JobUnread(error) => error.call(),
            _ => None,
        }
    }

    /// The operation that failed.
    pub fn operation(&self) -> Option<&'static Operation> {
        match &*self.kind {
            Kind::Incomplete { operation, .. } => Some(operation),
            Kind::BrokenOff(download) => Some(download.operation),
            Kind::AfterWrite(error) | Kind::JobUnread(error) => error.operation(),
            _ => self.call().map(cintx_raw::Error::operation),
        }
    }

    /// The status of the answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.call()?.status()
    }

    /// What the API said.
    pub fn api(&self) -> Option<&ApiError> {
        self.call()?.api()
    }

    /// The fields that the API found wrong, each with the place in the request's body (a JSON pointer) that it names,
    /// where that is known.
    pub fn invalid_params(&self) -> Vec<(Option<String>, &InvalidParam)> {
        let params = self.api().map(ApiError::invalid_params).unwrap_or_default();
        let body = self.request().and_then(Request::body).and_then(|body| serde_json::from_slice(&body.bytes).ok());
        params.iter().map(|param| (pointer::find(body.as_ref(), &param.name), param)).collect()
    }

    /// Where the thing is now, if the API said so: the address of a launched group instead of its draft's.
    pub fn moved_to(&self) -> Option<&str> {
        self.call()?.moved_to()
    }

    /// The first KiB of the answer's body, whatever it is; empty without one.
    pub fn body(&self) -> &[u8] {
        let body = self.call().map(|error| &**error.body()).unwrap_or_default();
        &body[..body.len().min(MAX_SHOWN_BYTES)]
    }

    /// Why no token could be had.
    pub fn token(&self) -> Option<&TokenError> {
        self.call()?.cause()
    }

    /// Why a job failed.
    pub fn job_failure(&self) -> Option<&JobFailure> {
        match &*self.kind {
            Kind::Job { failure, .. } => Some(failure),
            Kind::AfterWrite(error) => error.job_failure(),
            _ => None,
        }
    }

    /// The trace id that was sent with the request: the one to quote to Cint. It is there without an answer, too.
    pub fn trace_id(&self) -> Option<&str> {
        self.report().map(|report| &*report.trace_id).or_else(|| self.call()?.trace_id())
    }

    /// How many attempts there were; 0 if nothing was sent.
    pub fn attempts(&self) -> u32 {
        self.report().map_or(0, |report| report.attempts)
    }

    /// How long to wait, by `Retry-After` of the API or of the token endpoint.
    pub fn retry_after(&self) -> Option<Duration> {
        let asked = self.report().and_then(|report| report.retry_after);
        asked.or_else(|| self.token()?.retry_after())
    }

    /// The idempotency key that was sent with every attempt.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.request()?.headers().get("idempotency-key")?.to_str().ok()
    }

    /// Whether a time limit passed.
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind(), ErrorKind::Timeout | ErrorKind::Waiting)
    }

    /// 404: no such thing, or not yet.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// 409: something is in the way, a job that is still running for example.
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(StatusCode::CONFLICT)
    }

    /// 412: another client changed it since it was read.
    pub fn is_precondition_failed(&self) -> bool {
        self.status() == Some(StatusCode::PRECONDITION_FAILED)
    }

    /// 429: too many requests; see [`retry_after`](Self::retry_after).
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    pub(crate) fn report(&self) -> Option<&Report> {
        match &*self.kind {
            Kind::Call { report, .. } | Kind::Incomplete { report, .. } => report.as_deref(),
            Kind::BrokenOff(download) => download.report.as_deref(),
            Kind::AfterWrite(error) | Kind::JobUnread(error) => error.report(),
            Kind::Conflict { in_doubt, .. } => in_doubt.as_ref()?.report(),
            _ => None,
        }
    }

    /// A write that may have been done, after another of the same call that was.
    pub(crate) fn in_doubt_after_write(&self) -> Option<&Self> {
        match &*self.kind {
            Kind::AfterWrite(error) if error.outcome() == Outcome::Unknown => Some(error),
            _ => None,
        }
    }

    /// The request as it was sent.
    pub(crate) fn request(&self) -> Option<&Request> {
        // What failed after a write says nothing of the write, which needs no looking up.
        if let Kind::AfterWrite(_) | Kind::JobUnread(_) = &*self.kind {
            return None;
        }
        self.report()?.request.as_ref()
    }
}

impl From<cintx_raw::Error> for Error {
    fn from(error: cintx_raw::Error) -> Self {
        if let Some(Refused(problems)) = error.cause() {
            return Self::invalid(problems.clone());
        }
        if let Some(journal) = error.cause::<JournalError>() {
            return journal.clone().into();
        }
        let failed = error.cause::<Failure>().map(|failure| Arc::clone(&failure.report));
        let report = failed.or_else(|| report(error.report()));
        Self::new(Kind::Call { error, report })
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Self {
        Self::new(Kind::Conflict { conflict, in_doubt: None })
    }
}

impl From<JournalError> for Error {
    fn from(error: JournalError) -> Self {
        Self::new(Kind::Journal(error))
    }
}

impl Error {
    /// What came back, or why nothing did.
    fn fmt_call(&self, error: &cintx_raw::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind(), error.status()) {
            (ErrorKind::Moved, Some(status)) => {
                write!(f, "{status}, now at {}", OneLine(error.moved_to().unwrap_or_default()))
            }
            (ErrorKind::Unexpected, Some(status)) => match (error.api(), error.cause::<UnexpectedAnswer>()) {
                (Some(api), _) => write!(f, "{status}, but {}", OneLine(&api.to_string())),
                (None, Some(reason)) => write!(f, "{status}, but {}", OneLine(&reason.to_string())),
                (None, None) => write!(f, "{status}, but no answer that the operation has"),
            },
            (ErrorKind::Unreadable, Some(status)) => write!(f, "{status}, but its answer cannot be read"),
            (_, Some(status)) => match error.api() {
                Some(api) => write!(f, "{status}: {}", OneLine(&api.to_string())),
                None if error.body().is_empty() => write!(f, "{status}"),
                None => {
                    let media = error.headers().get(http::header::CONTENT_TYPE);
                    let media = media.and_then(|media| media.to_str().ok()).unwrap_or("something");
                    let media = media.split(';').next().unwrap_or_default();
                    write!(f, "{status} with {} bytes of {}", error.body().len(), OneLine(media))
                }
            },
            (ErrorKind::Invalid, None) => write!(f, "{error}"),
            (ErrorKind::Connect, None) => f.write_str("no connection"),
            (ErrorKind::Lost, None) => match error.cause::<Redirected>() {
                Some(redirected) => write!(f, "{redirected}"),
                None => f.write_str("the connection was lost"),
            },
            (_, None) => match (error.cause::<TokenError>(), error.cause::<TimedOut>()) {
                (Some(token), _) => write!(f, "no token: {}", OneLine(&token.to_string())),
                (_, Some(time)) => write!(f, "{time}"),
                _ => match error.cause::<Failure>() {
                    Some(failure) => write!(f, "{}", failure.cause),
                    None => f.write_str("no answer"),
                },
            },
        }
    }

    fn fmt_course(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(report) = self.report() else { return Ok(()) };
        if report.attempts > 1 {
            write!(f, " after {} attempts", report.attempts)?;
        }
        match (report.why, report.retry_after) {
            (StopReason::RetryAfter, Some(wait)) => write!(f, ", to be repeated after {wait:?}")?,
            (StopReason::Budget, _) => f.write_str(", retry budget exhausted")?,
            (StopReason::Rate, _) if report.attempts > 0 => f.write_str(", rate limited until its time was over")?,
            _ => {}
        }
        write!(f, "; {} (trace {})", self.outcome(), report.trace_id)
    }
}

/// A duration in whole hours, minutes and seconds: `30m`, `1h 30m`.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
        let shown = parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}"));
        let shown: Vec<String> = shown.collect();
        if shown.is_empty() { write!(f, "{:?}", self.0) } else { f.write_str(&shown.join(" ")) }
    }
}

impl Error {
    /// What it says by itself, without its causes.
    fn fmt_message(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.kind {
            Kind::Invalid(problems) => write!(f, "not sent: {}", Refused(problems.clone())),
            Kind::Call { error, .. } => {
                write!(f, "{}: ", error.operation().id)?;
                self.fmt_call(error, f)?;
                self.fmt_course(f)
            }
            Kind::Incomplete { operation, missing, .. } => {
                write!(f, "{}: succeeded, but its answer has no {missing}", operation.id)
            }
            Kind::Job { failure, job } => write!(f, "{} failed: {failure}", job.as_deref().unwrap_or("the job")),
            Kind::BrokenOff(download) => {
                write!(f, "{}: {download}", download.operation.id)?;
                self.fmt_course(f)
            }
            Kind::Local(local) => fmt::Display::fmt(local, f),
            Kind::Timeout { waiting_for, limit } => {
                write!(f, "timed out after {} waiting for {waiting_for}, which may still complete", Span(*limit))
            }
            Kind::Journal(error) => write!(f, "not sent: {error}"),
            Kind::Conflict { conflict, in_doubt: None } => fmt::Display::fmt(conflict, f),
            Kind::Conflict { conflict, in_doubt: Some(error) } => {
                let fields = conflict.fields.join(", ");
                write!(f, "another client changed {fields}, and an earlier attempt may have been written: {error}")
            }
            Kind::AfterWrite(error) => write!(f, "the write took effect, but the request after it failed: {error}"),
            Kind::JobUnread(error) => write!(f, "the job was started, but its state cannot be read: {error}"),
            Kind::Other(cause) => fmt::Display::fmt(cause, f),
            Kind::Setup(_) => f.write_str("the client cannot be set up"),
        }
    }

    /// Whether the message of a call says what its cause says.
    fn says(&self, error: &cintx_raw::Error, cause: &(dyn StdError + 'static)) -> bool {
        match (self.kind(), error.status()) {
            (ErrorKind::Unexpected, Some(_)) => cause.is::<UnexpectedAnswer>(),
            (_, Some(_)) | (ErrorKind::Connect | ErrorKind::Lost, None) => false,
            (_, None) => true,
        }
    }
}

/// The message of an error, for as long as it is written.
struct Message<'a>(&'a Error);

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_message(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Message(self).to_string();
        let mut next = self.source().filter(|_| f.alternate());
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&OneLine(&cause.to_string()).to_string());
            next = cause.source();
        }
        f.write_str(&shortened(text, MAX_MESSAGE_CHARS))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("outcome", &self.outcome())
            .field("message", &format_args!("{self:#}"))
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &*self.kind {
            Kind::Call { error, .. } => {
                let cause = error.source()?;
                let cause = cause.downcast_ref::<Failure>().map_or(cause, |failure| &*failure.cause);
                if self.says(error, cause) { cause.source() } else { Some(cause) }
            }
            Kind::AfterWrite(error) | Kind::JobUnread(error) => error.source(),
            Kind::Setup(cause) => Some(&**cause),
            Kind::Local(local) => Some(local.source()),
            Kind::BrokenOff(download) => download.source(),
            Kind::Other(cause) => cause.source(),
            Kind::Journal(error) => error.source(),
            _ => None,
        }
    }
}

const _: () = assert!(size_of::<Error>() <= 128, "errors are cheap to pass around");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_job_says_what_is_known_of_it() {
        let failure = |code: Option<&str>, description: &str, reasons: &[&str]| JobFailure {
            code: code.map(str::to_owned),
            description: description.to_owned(),
            reasons: reasons.iter().map(|&reason| reason.to_owned()).collect(),
        };
        for (failure, says) in [
            (failure(None, "", &[]), "no reason was given"),
            (failure(Some(""), " \n", &["", "\t"]), "no reason was given"),
            (failure(Some("E7"), "", &[]), "E7"),
            (failure(Some("E7"), "it is late", &[]), "E7: it is late"),
            (failure(None, "it is late", &["rule: too short"]), "it is late; rule: too short"),
            (failure(None, "", &["rule: too short"]), "rule: too short"),
        ] {
            let error = Error::job(failure);
            assert_eq!(error.to_string(), format!("the job failed: {says}"));
            let error = error.of_job("the bulk job", "7");
            assert_eq!(error.to_string(), format!("the bulk job 7 failed: {says}"));
            assert!(error.job_failure().is_some());
        }
        let other = Error::setup("for a test");
        assert_eq!(other.clone().of_job("the bulk job", "7").to_string(), other.to_string());
    }

    #[test]
    fn a_message_stays_short_however_much_is_wrong() {
        let many: Vec<_> = (0..3_000).map(|row| FieldError::new("rows", format!("{row} is no RID"))).collect();
        let error = Error::invalid(many);
        assert_eq!(error.invalid_fields().len(), 3_000);
        let text = error.to_string();
        assert!(text.chars().count() <= 1_000, "{}", text.len());
        assert!(text.starts_with("not sent: rows 0 is no RID; rows 1 is no RID; "), "{text}");
        assert!(text.ends_with(" more"), "{text}");

        let long = "x".repeat(100_000);
        let reasons = vec![long.clone(); 3_000];
        let job = JobFailure { code: None, description: long.clone(), reasons };
        let field = FieldError::new("name", long.clone());
        let texts = [
            Error::invalid(vec![field.clone()]).to_string(),
            field.to_string(),
            format!("{:#}", Error::job(job)),
            crate::types::InvalidValue::new(&long, "a name").to_string(),
        ];
        for text in texts {
            assert!(text.chars().count() <= 1_000 && text.contains("..."), "{}", text.len());
        }
    }
}
