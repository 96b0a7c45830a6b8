//! The one error of the SDK: small, opaque, with questions to ask it.

use std::fmt;

use cintx_raw::{ApiError, Operation};
use http::StatusCode;

use crate::pipeline::TokenError;

/// Why something did not work.
pub struct Error(Box<Kind>);

enum Kind {
    /// Refused here; nothing was sent.
    Invalid(Vec<Invalid>),
    /// A call failed.
    Call(cintx_raw::Error),
    /// The API answered success without something that the SDK needs.
    Incomplete { operation: &'static str, missing: &'static str },
    /// A job came to its end without success.
    Job(JobFailure),
    /// What was waited for did not come in time.
    Timeout { waiting_for: &'static str },
    /// What a module of its own explains: a conflict, a list in circles.
    Other(Box<dyn std::error::Error + Send + Sync>),
    /// The client could not be built.
    Setup(Box<dyn std::error::Error + Send + Sync>),
}

/// One value that was refused before anything was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    field: &'static str,
    reason: String,
}

impl Invalid {
    pub(crate) fn new(field: &'static str, reason: impl Into<String>) -> Self {
        Self { field, reason: reason.into() }
    }

    /// The field, as the builder calls it.
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// What it got and what is allowed.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// Why a job failed, as the API put it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobFailure {
    /// The API's code; an open set.
    pub code: Option<String>,
    /// The explanation.
    pub description: String,
    /// Each reason with the name of the rule it broke.
    pub reasons: Vec<String>,
}

impl Error {
    pub(crate) fn invalid(problems: Vec<Invalid>) -> Self {
        Self(Box::new(Kind::Invalid(problems)))
    }

    /// An error if there are problems.
    pub(crate) fn refuse(problems: impl IntoIterator<Item = Invalid>) -> Result<(), Self> {
        let problems: Vec<Invalid> = problems.into_iter().collect();
        if problems.is_empty() { Ok(()) } else { Err(Self::invalid(problems)) }
    }

    pub(crate) fn incomplete(operation: &'static str, missing: &'static str) -> Self {
        Self(Box::new(Kind::Incomplete { operation, missing }))
    }

    pub(crate) fn job(failure: JobFailure) -> Self {
        Self(Box::new(Kind::Job(failure)))
    }

    pub(crate) fn timeout(waiting_for: &'static str) -> Self {
        Self(Box::new(Kind::Timeout { waiting_for }))
    }

    pub(crate) fn other(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(Kind::Other(Box::new(cause))))
    }

    pub(crate) fn other_as<E: std::error::Error + 'static>(&self) -> Option<&E> {
        match &*self.0 {
            Kind::Other(cause) => cause.downcast_ref(),
            _ => None,
        }
    }

    pub(crate) fn setup(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Box::new(Kind::Setup(cause.into())))
    }

    /// The values that were refused before anything was sent; empty for every other error.
    pub fn invalid_fields(&self) -> &[Invalid] {
        match &*self.0 {
            Kind::Invalid(problems) => problems,
            _ => &[],
        }
    }

    /// The failed call, with status, headers and body.
    pub fn call(&self) -> Option<&cintx_raw::Error> {
        match &*self.0 {
            Kind::Call(error) => Some(error),
            _ => None,
        }
    }

    /// The operation that failed.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.call().map(cintx_raw::Error::operation)
    }

    /// The status of the answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.call()?.status()
    }

    /// What the API said.
    pub fn api(&self) -> Option<&ApiError> {
        self.call()?.api()
    }

    /// Why no token could be had.
    pub fn token(&self) -> Option<&TokenError> {
        self.call()?.cause()
    }

    /// Why a job failed.
    pub fn job_failure(&self) -> Option<&JobFailure> {
        match &*self.0 {
            Kind::Job(failure) => Some(failure),
            _ => None,
        }
    }

    /// Whether waiting came to its limit; what was waited for may still happen.
    pub fn is_timeout(&self) -> bool {
        matches!(*self.0, Kind::Timeout { .. })
    }

    /// The id under which Cint can find the exchange.
    pub fn trace_id(&self) -> Option<&str> {
        self.call()?.trace_id()
    }
}

impl From<cintx_raw::Error> for Error {
    fn from(error: cintx_raw::Error) -> Self {
        Self(Box::new(Kind::Call(error)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Invalid(problems) => {
                f.write_str("not sent")?;
                for (index, Invalid { field, reason }) in problems.iter().enumerate() {
                    write!(f, "{} {field} {reason}", if index == 0 { ":" } else { ";" })?;
                }
                Ok(())
            }
            Kind::Call(error) => fmt::Display::fmt(error, f),
            Kind::Incomplete { operation, missing } => {
                write!(f, "{operation}: succeeded, but its answer has no {missing}")
            }
            Kind::Job(failure) => {
                write!(f, "the job failed: {}", failure.description)?;
                failure.reasons.iter().try_for_each(|reason| write!(f, "; {reason}"))
            }
            Kind::Timeout { waiting_for } => write!(f, "gave up waiting for {waiting_for}"),
            Kind::Other(cause) => fmt::Display::fmt(cause, f),
            Kind::Setup(cause) => write!(f, "the client cannot be set up: {cause}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Call(error) => fmt::Debug::fmt(error, f),
            _ => write!(f, "Error({self})"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Kind::Call(error) => error.source(),
            Kind::Setup(cause) => Some(&**cause),
            _ => None,
        }
    }
}
