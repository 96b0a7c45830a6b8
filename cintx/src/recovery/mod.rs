//! Finds out whether a call with a lost answer took effect: by its key, by the thing it changed, or by a reference to
//! the thing it made. Where nothing can be proven, the answer stays unknown, and says why.

mod compare;
#[cfg(feature = "files")]
mod file;
mod journal;
mod recover;
pub(crate) mod resolver;
mod supersede;

#[cfg(feature = "files")]
pub use self::file::{DamagedLine, FileJournal};
pub use self::journal::{Intent, Journal, JournalError};
pub use self::recover::{Recover, Recovered};

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use cintx_raw::Request;
use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use self::recover::Standing;
use self::resolver::{Circumstances, OutcomeResolver};
use crate::Client;
use crate::auth::clock::Now;
use crate::client::CallOptions;
use crate::error::{Error, Outcome};
use crate::http::{Pipeline, idempotency};
use crate::version::Version;

/// Statuses after which nothing is at work on a write any more: what a gateway turned away it does not pass on.
const TURNED_AWAY_STATUSES: [u16; 2] = [401, 429];
/// For so long the API is trusted to remember a key; it does not say for how long it does.
pub(crate) const REPLAY_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);
/// The clock may have been set: a write from a later moment than this has no age that could be known.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(120);

/// What was found out about a call whose outcome was unknown.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Resolution {
    /// It took effect.
    Applied {
        /// The id of what it made, where it made something and the id is known.
        id: Option<String>,
    },
    /// It had no effect.
    NotApplied,
    /// A later write on the same thing made it obsolete. Whether it took effect before that one is not known, and it is
    /// not sent again: that would undo the later one.
    Superseded {
        /// The id of the later write's intent.
        by: String,
    },
    /// Whether it took effect is not known.
    Unknown {
        /// Why not.
        why: Cow<'static, str>,
    },
}

impl Resolution {
    fn unknown(why: impl Into<Cow<'static, str>>) -> Self {
        Self::Unknown { why: why.into() }
    }

    /// Whether there is nothing left to find out: its intent is struck out.
    fn is_decided(&self) -> bool {
        !matches!(self, Self::Unknown { .. })
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Applied { .. } => Outcome::Applied,
            Self::NotApplied => Outcome::NoEffect,
            Self::Superseded { .. } | Self::Unknown { .. } => Outcome::Unknown,
        }
    }
}

impl<V: Version> Client<V> {
    /// Finds out whether a failed call took effect, where the API allows it.
    ///
    /// A write under an idempotency key is sent again under the same key: that does it now, if it was not done before.
    /// A change is compared with what the thing is now. Something that was made is searched by the reference that was
    /// sent with it: a target group by its customer reference, or its name; a webhook by its URL.
    /// A call that took effect, but whose answer could not be read, is looked up in the same way, for the id of what it
    /// made. Errors of calls that had no effect are answered without a request.
    ///
    /// After a day a write under a key is looked up instead of sent again: the API does not say for how long it
    /// remembers keys. With a journal, a write that a later one on the same thing made obsolete is not sent again, and
    /// what is decided is struck out: asked again, it is looked up.
    ///
    /// Of a call that makes several writes and of which one took effect, the answer is that it took effect; what became
    /// of the last one, if that is not known, is found out for the journal alone.
    ///
    /// # Errors
    /// A request that looks it up fails, or the journal cannot be read; the call stays as unknown as it was, which is
    /// what the error says, too. See [when a call fails](crate::guide::failures).
    pub async fn resolve(&self, error: &Error) -> Result<Resolution, Error> {
        if let Some(last) = error.in_doubt_after_write() {
            if let Err(error) = self.resolve_one(last).await {
                tracing::warn!(%error, "what became of the last write of a call cannot be looked up");
            }
            return Ok(Resolution::Applied { id: None });
        }
        // What failed is the look, and its own outcome would say nothing of the call.
        self.resolve_one(error).await.map_err(|failed| failed.resolved(Outcome::Unknown))
    }

    async fn resolve_one(&self, error: &Error) -> Result<Resolution, Error> {
        let applied = match error.outcome() {
            Outcome::NotSent | Outcome::NoEffect => return Ok(Resolution::NotApplied),
            Outcome::Applied => true,
            Outcome::Unknown => false,
        };
        let intent = error.report().and_then(|report| report.intent.as_deref());
        let standing = self.standing(intent).await?;
        let is_open = matches!(standing, Standing::Open);
        let resolution = match (error.request(), error.report(), standing) {
            (_, _, Standing::Told(resolution)) => Ok(resolution),
            (Some(request), Some(report), _) => {
                let now = self.pipeline().shared.tokens.now();
                let began = Now::noted(report.began, report.began_at);
                let circumstances = Circumstances {
                    since: now.at_least_since(Now::noted(report.sent.0, report.sent.1)),
                    known_before: report.known_before.as_deref(),
                    ended: !report.earlier_at_work && is_turned_away(error),
                };
                self.find_out(request, circumstances, is_open && now.since(began) <= REPLAY_WITHIN).await
            }
            _ => Ok(Resolution::unknown("the request is not known any more")),
        };
        let resolution = match resolution {
            Ok(Resolution::Applied { id }) => Ok(Resolution::Applied { id }),
            // That much is known already.
            _ if applied => Ok(Resolution::Applied { id: None }),
            other => other,
        };
        if let (Some(intent), Ok(decided)) = (intent, &resolution)
            && decided.is_decided()
        {
            self.strike_out(intent, decided.outcome()).await;
        }
        resolution
    }

    /// The client for a write that takes no key: it lists what could be taken for its work before it sends the write.
    pub(crate) fn looks_first(&self) -> Self {
        self.with(CallOptions { looks_first: Some(known_before::<V>), ..CallOptions::new() })
    }

    /// Creates what takes no key. It is sent once; if its answer is lost, it is looked up, and `found` makes the result
    /// of its id. What was turned away is sent again only after nothing was found. What bears a reference of our own
    /// is found by it, so that nothing must be listed before.
    pub(crate) async fn create_once<T, F>(
        &self,
        bears_own_reference: bool,
        create: impl Fn(Self) -> F,
        found: impl Fn(String) -> T,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let client = if bears_own_reference { self.clone() } else { self.looks_first() };
        let mut sent = 0;
        loop {
            let error = match create(client.clone()).await {
                Ok(made) => return Ok(made),
                Err(error) => error,
            };
            if let Some(id) = client.found_or_again(error, &mut sent).await? {
                return Ok(found(id));
            }
        }
    }

    /// What a failed create made, if that can be found; `None` if it made nothing and may be sent again. Otherwise its
    /// error, with what is known now.
    ///
    /// `sent` counts how often it was sent.
    async fn found_or_again(&self, error: Error, sent: &mut u32) -> Result<Option<String>, Error> {
        if matches!(error.outcome(), Outcome::NotSent | Outcome::NoEffect) {
            return Err(error);
        }
        *sent += 1;
        let policy = self.pipeline().options.retry.unwrap_or(self.pipeline().shared.retry);
        let wait = policy.wait(*sent - 1, fastrand::f64()).max(error.retry_after().unwrap_or_default());
        let turned_away = is_turned_away(&error);
        match self.resolve(&error).await {
            Ok(Resolution::Applied { id: Some(id) }) => Ok(Some(id)),
            Ok(Resolution::NotApplied)
                if turned_away && *sent < policy.max_attempts && wait <= policy.max_retry_after =>
            {
                tokio::time::sleep(wait).await;
                Ok(None)
            }
            Ok(resolution) => Err(error.resolved(resolution.outcome())),
            Err(_) => Err(error),
        }
    }

    /// Sends it again under its key if it has one and `replay` allows it, looks it up otherwise.
    async fn find_out(
        &self,
        request: &Request,
        circumstances: Circumstances<'_>,
        replay: bool,
    ) -> Result<Resolution, Error> {
        // Its key is its own, not one of a caller's options; and what is written down is not written down again.
        let options = CallOptions { key: None, unrecorded: true, looks_first: None, ..self.pipeline().options.clone() };
        let pipeline = Pipeline { shared: Arc::clone(&self.pipeline().shared), options };
        let resolver = OutcomeResolver { pipeline: &pipeline, operations: V::OPERATIONS };
        if !replay || !idempotency::is_keyed(request) {
            return resolver.look_up(request, circumstances).await;
        }
        match resolver.replay(request).await? {
            Ok(resolution) => Ok(resolution),
            Err(refused) => Ok(match resolver.look_up(request, circumstances).await? {
                Resolution::Unknown { why } => {
                    Resolution::unknown(format!("its repetition was refused ({}), and {why}", refused.as_u16()))
                }
                resolution => resolution,
            }),
        }
    }
}

fn known_before<'a, V: Version>(pipeline: &'a Pipeline, request: &'a Request) -> BoxFuture<'a, Option<Vec<String>>> {
    async move { OutcomeResolver { pipeline, operations: V::OPERATIONS }.known_before(request).await }.boxed()
}

/// Whether the last attempt was done by the time of its answer, or never is.
fn is_turned_away(error: &Error) -> bool {
    error.status().is_some_and(|status| TURNED_AWAY_STATUSES.contains(&status.as_u16()))
}

/// Whether a write is not older than this.
fn is_recent(now: Timestamp, at: Timestamp, age: Duration) -> bool {
    let since = now.duration_since(at);
    since >= -CLOCK_SKEW && SignedDuration::try_from(age).is_ok_and(|age| since <= age)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn a_write_is_recent_for_a_day_and_never_if_it_is_from_the_future() {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        for (at, recent) in [
            (now, true),
            (now - 23.hours(), true),
            (now - 24.hours(), true),
            (now - 24.hours() - 1.second(), false),
            // Clocks may differ by so much.
            (now + 2.minutes(), true),
            (now + 3.minutes(), false),
        ] {
            assert_eq!(is_recent(now, at, REPLAY_WITHIN), recent, "{at}");
        }
        assert!(!is_recent(now, now - 1.hour(), Duration::ZERO));
    }
}
