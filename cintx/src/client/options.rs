//! Options of calls: retries, timeouts, idempotency keys, headers. Plain values: set on a client for all its calls, or
//! where one stands for some: on a clone of the client, a handle, a builder, a list, a job (`with`).

use std::time::Duration;

use cintx_raw::{Idempotency, Operation};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::answers::Answers;
use crate::error::FieldError;
use crate::http::LookFirst;
use crate::http::idempotency::KeyChoice;
use crate::types::is_invisible;

/// How often a failed request is repeated, and after which waits.
///
/// What may be repeated at all is not a matter of policy: reads, and writes under an idempotency key.
/// Any other write is sent again only where that does no harm: nothing left; or the API turned it away (401, 429),
/// which does not prove that nothing was done, and it sets a state: a PUT, a DELETE, a change under an entity tag.
///
/// ```
/// # use cintx::client::RetryPolicy;
/// # use std::time::Duration;
/// let patient = RetryPolicy::standard().max_attempts(8).backoff(Duration::from_secs(1), Duration::from_secs(60));
/// assert_ne!(patient, RetryPolicy::none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    pub(crate) max_attempts: u32,
    pub(crate) initial_backoff: Duration,
    pub(crate) max_backoff: Duration,
    pub(crate) max_retry_after: Duration,
    pub(crate) idempotent_writes: bool,
}

impl RetryPolicy {
    /// At most four attempts; waits of up to 1, 2 and 4 seconds, drawn at random so that clients do not march in step;
    /// a `Retry-After` of up to a minute is honoured, a longer one goes to the caller.
    pub const fn standard() -> Self {
        Self {
            max_attempts: 4,
            initial_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(20),
            max_retry_after: Duration::from_secs(60),
            idempotent_writes: false,
        }
    }

    /// One attempt. A refused token is still replaced once.
    pub const fn none() -> Self {
        Self { max_attempts: 1, ..Self::standard() }
    }

    /// How many attempts there may be, the first included; 0 counts as 1. If there may be more than one, those that the
    /// API turned away with 429 are not counted: the client's [pacer](crate::http::pace) sees to them.
    #[must_use]
    pub const fn max_attempts(self, attempts: u32) -> Self {
        Self { max_attempts: if attempts == 0 { 1 } else { attempts }, ..self }
    }

    /// The most that is waited before the second attempt, which doubles with each further one, up to `longest`.
    #[must_use]
    pub const fn backoff(self, first: Duration, longest: Duration) -> Self {
        Self { initial_backoff: first, max_backoff: longest, ..self }
    }

    /// The longest `Retry-After` that is waited out. Behind a longer one the call fails at once;
    /// `Error::retry_after` has it.
    #[must_use]
    pub const fn max_retry_after(self, longest: Duration) -> Self {
        Self { max_retry_after: longest, ..self }
    }

    /// Also repeats PUT and DELETE without a key, whose repetition sets the same state again.
    /// Off by default: between two attempts another client may have changed that state.
    #[must_use]
    pub const fn repeat_idempotent_writes(self, yes: bool) -> Self {
        Self { idempotent_writes: yes, ..self }
    }

    /// The wait before another attempt: full jitter, `unit` being a random number from 0 to 1.
    pub(crate) fn wait(&self, failures: u32, unit: f64) -> Duration {
        let doubled = self.initial_backoff.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX));
        doubled.min(self.max_backoff).mul_f64(unit.clamp(0.0, 1.0))
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::standard()
    }
}

/// How long things may take.
///
/// ```
/// # use cintx::client::{OperationTimeouts, Timeouts};
/// # use std::time::Duration;
/// let hasty = Timeouts::standard().reads(OperationTimeouts::new(Duration::from_secs(5), Duration::from_secs(15)));
/// # let _ = hasty;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) reads: OperationTimeouts,
    pub(crate) writes: OperationTimeouts,
    pub(crate) transfers: OperationTimeouts,
    pub(crate) stall: Duration,
    pub(crate) processing: Duration,
}

/// The limits of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationTimeouts {
    pub(crate) attempt: Duration,
    pub(crate) operation: Duration,
}

impl OperationTimeouts {
    /// For each attempt, from the first byte sent to the last received; and for the whole call,
    /// attempts, waits and tokens together.
    pub const fn new(attempt: Duration, operation: Duration) -> Self {
        Self { attempt, operation }
    }
}

impl Timeouts {
    /// 10 seconds to connect. Reads: 30 seconds an attempt, 2 minutes in all. Writes: 1 minute and 3 minutes.
    /// Uploads and the head of downloads: 5 minutes and 15 minutes; a download's body may stall for a minute. A
    /// write whose answer was lost may be at work for a minute.
    pub const fn standard() -> Self {
        const fn seconds(attempt: u64, operation: u64) -> OperationTimeouts {
            OperationTimeouts::new(Duration::from_secs(attempt), Duration::from_secs(operation))
        }
        Self {
            connect: Duration::from_secs(10),
            reads: seconds(30, 120),
            writes: seconds(60, 180),
            transfers: seconds(300, 900),
            stall: Duration::from_secs(60),
            processing: Duration::from_secs(60),
        }
    }

    /// For a connection to be made. A client of your own
    /// ([`ClientBuilder::http_client`](crate::ClientBuilder::http_client)) keeps its own limit.
    #[must_use]
    pub const fn connect(self, limit: Duration) -> Self {
        Self { connect: limit, ..self }
    }

    /// For what only reads or computes.
    #[must_use]
    pub const fn reads(self, limits: OperationTimeouts) -> Self {
        Self { reads: limits, ..self }
    }

    /// For what changes something.
    #[must_use]
    pub const fn writes(self, limits: OperationTimeouts) -> Self {
        Self { writes: limits, ..self }
    }

    /// For files, up and down.
    #[must_use]
    pub const fn transfers(self, limits: OperationTimeouts) -> Self {
        Self { transfers: limits, ..self }
    }

    /// How long the body of a download may stand still.
    #[must_use]
    pub const fn stall(self, limit: Duration) -> Self {
        Self { stall: limit, ..self }
    }

    /// How long the API may go on working on a write whose answer was lost, counted from its start: a gateway's limit,
    /// a minute if not set. Before that, a thing that is not there, or not changed yet, proves nothing, so
    /// [`Client::resolve`](crate::Client::resolve) waits and looks again.
    #[must_use]
    pub const fn processing(self, limit: Duration) -> Self {
        Self { processing: limit, ..self }
    }

    /// The limits that hold for an operation.
    pub(crate) fn of(&self, operation: &Operation) -> OperationTimeouts {
        let json = |media: &&str| media.ends_with("json");
        if is_download(operation) || operation.request_media.iter().any(|media| !json(media)) {
            self.transfers
        } else if operation.idempotency == Idempotency::Safe {
            self.reads
        } else {
            self.writes
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self::standard()
    }
}

/// Gives builders a `with`: other options for the call that they make. Names the way to the builder's client.
macro_rules! with_options {
    ($($builder:ident: $($client:ident).+);+) => {$(
        impl<V: $crate::version::Version> $builder<V> {
            /// Other options for this call alone: key, retries, time limits, headers. They go before the client's.
            pub fn with(mut self, options: $crate::client::CallOptions) -> Self {
                self.$($client).+ = self.$($client).+.with(options);
                self
            }
        }
    )+};
}
pub(crate) use with_options;

/// Gives handles a `with`: the same for calls with other options. Names the way to the handle's client.
macro_rules! handle_options {
    ($($handle:ident: $($client:ident).+);+) => {$(
        impl<V: $crate::version::Version> $handle<V> {
            /// The same for calls with other options: key, retries, time limits, headers. They go before those of the
            /// client.
            #[must_use = "the handle itself keeps its options"]
            pub fn with(&self, options: $crate::client::CallOptions) -> Self {
                let mut other = self.clone();
                other.$($client).+ = other.$($client).+.with(options);
                other
            }
        }
    )+};
}
pub(crate) use handle_options;

/// Whether a success of this operation is handed over as a stream.
pub(crate) fn is_download(operation: &Operation) -> bool {
    !operation.answer_media.is_empty() && !operation.answer_media.iter().any(|media| media.ends_with("json"))
}

/// What holds for some calls: those of one clone of a client, see [`Client::with`](crate::Client::with), or of one
/// handle, builder, list or job, by a method `with` of its own.
///
/// ```no_run
/// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
/// use cintx::client::{CallOptions, RetryPolicy};
///
/// // However often this program is started, the order makes one project.
/// let manager = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".parse().unwrap();
/// let order = cint.with(CallOptions::new().business_key("order-4711").retry(RetryPolicy::none()));
/// let project = order.projects().create("MyDrinksSurveyQ1", manager).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct CallOptions {
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) limits: Option<OperationTimeouts>,
    pub(crate) key: Option<KeyChoice>,
    pub(crate) headers: HeaderMap,
    pub(crate) problems: Vec<FieldError>,
    pub(crate) answers: Option<Answers>,
    /// Leaves the journal alone.
    pub(crate) unrecorded: bool,
    /// Lists what a create could be taken for before it is sent, to tell them apart should its answer be lost.
    pub(crate) looks_first: Option<LookFirst>,
}

impl CallOptions {
    /// As the client has it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another retry policy.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Other time limits, whatever the operation.
    pub fn limits(mut self, limits: OperationTimeouts) -> Self {
        self.limits = Some(limits);
        self
    }

    /// The idempotency key of one request. It must have the format that the operation takes: any visible ASCII of at
    /// most 255 characters, a ULID, or a version 4 UUID. Meant for exactly one write: a key names one request.
    ///
    /// A write whose operation takes no key is refused before anything is sent.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(KeyChoice::Given(key.into()));
        self
    }

    /// Derives the idempotency key from something that identifies it in your own system: the same business key,
    /// operation and path give the same idempotency key, in any process, today and tomorrow.
    ///
    /// A write whose operation takes no key is refused before anything is sent.
    ///
    /// One business key stands for one try: the API answers what it answered first for as long as it remembers the key,
    /// the failure of a launch job, too. To try again what has failed, put the number of the try into the key:
    /// `order-4711/2`. An empty key, and a key that this client has sent with another body, are refused before anything
    /// is sent.
    pub fn business_key(mut self, key: impl Into<String>) -> Self {
        let key = key.into();
        if key.chars().all(|char| char.is_whitespace() || is_invisible(char)) {
            self.problems
                .push(FieldError::new("business_key", "is empty, expected a text that identifies what is wanted"));
        }
        self.key = Some(KeyChoice::Business(key));
        self
    }

    /// Adds a header to each request. The pipeline's own (authorization, version, key, trace) cannot be replaced.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match header(name, value) {
            Ok((name, value)) => {
                self.headers.insert(name, value);
            }
            Err(problem) => self.problems.push(problem),
        }
        self
    }

    /// Keeps the answers as they came, beside what is read of them: for what is newer than this crate.
    pub fn keep_answers(mut self, answers: &Answers) -> Self {
        self.answers = Some(answers.clone());
        self
    }

    /// The same for many writes, each of which has a key of its own: one for all is refused.
    pub(crate) fn of_many(mut self) -> Self {
        if self.key.take().is_some() {
            self.problems.push(FieldError::new("key", "is one for many requests, expected none: each has its own"));
        }
        self
    }

    /// These options where they say something, `base` where they do not.
    pub(crate) fn with_defaults(mut self, base: &Self) -> Self {
        self.retry = self.retry.or(base.retry);
        self.limits = self.limits.or(base.limits);
        self.key = self.key.or_else(|| base.key.clone());
        let own = std::mem::replace(&mut self.headers, base.headers.clone());
        self.headers.extend(own);
        self.problems.extend(base.problems.iter().cloned());
        self.answers = self.answers.or_else(|| base.answers.clone());
        self.unrecorded |= base.unrecorded;
        self.looks_first = self.looks_first.or(base.looks_first);
        self
    }
}

/// Headers that are the pipeline's own.
const PIPELINE_HEADERS: [&str; 9] = [
    "authorization",
    "cint-api-version",
    "idempotency-key",
    "if-match",
    "traceparent",
    "content-type",
    "content-length",
    "host",
    "accept",
];

/// Reads a header that a caller wants to add.
pub(crate) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), FieldError> {
    let parsed = HeaderName::try_from(name)
        .map_err(|_| FieldError::new("header", format!("is named {name:?}, expected an HTTP header name")))?;
    if PIPELINE_HEADERS.contains(&parsed.as_str()) {
        return Err(FieldError::new(
            "header",
            format!("is {name:?}, expected a header that the client does not set itself"),
        ));
    }
    // The value may be a secret: it is not repeated.
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| FieldError::new("header", format!("{name:?} has a value that no header can carry")))?;
    // Nor does `Debug` show it.
    value.set_sensitive(true);
    Ok((parsed, value))
}

/// Reads the value of a header that only a method of its own sets.
pub(crate) fn own_header(name: &HeaderName, value: &str) -> Result<HeaderValue, FieldError> {
    HeaderValue::try_from(value)
        .map_err(|_| FieldError::new("header", format!("{name} has a value that no header can carry")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let policy = RetryPolicy::standard();
        let waits = [0, 1, 2, 3, 4, 5, 31, 32, 4_000].map(|failures| policy.wait(failures, 1.0).as_secs());
        assert_eq!(waits, [1, 2, 4, 8, 16, 20, 20, 20, 20]);
        assert_eq!(policy.wait(3, 0.0), Duration::ZERO);
        assert_eq!(policy.wait(3, f64::NAN.max(0.5)), Duration::from_secs(4));
    }

    #[test]
    fn the_pipelines_own_headers_cannot_be_replaced() {
        for name in PIPELINE_HEADERS {
            assert!(header(&name.to_uppercase(), "x").is_err(), "{name}");
        }
        assert!(header("x-team", "a\nb").is_err());
        assert!(header("x-team", "a").is_ok());
    }

    #[test]
    fn header_values_never_print() {
        let options = CallOptions::new().header("x-gateway-key", "hidden").header("x-other", "hidden\n");
        assert!(!format!("{options:?}").contains("hidden"), "{options:?}");
        let error = own_header(&HeaderName::from_static("if-match"), "hidden\n").unwrap_err();
        assert!(!error.to_string().contains("hidden"), "{error}");
    }

    #[test]
    fn options_of_a_clone_go_before_those_of_its_origin() {
        let base = CallOptions::new().header("x-a", "1").header("x-b", "1").retry(RetryPolicy::none());
        let both = CallOptions::new().header("x-b", "2").with_defaults(&base);
        assert_eq!(both.headers["x-a"], "1");
        assert_eq!(both.headers["x-b"], "2");
        assert_eq!(both.retry, Some(RetryPolicy::none()));
    }
}
