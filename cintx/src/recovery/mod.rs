//! Finds out whether a call with a lost answer took effect: by its key, by the thing it changed, or by a reference to
//! the thing it made. Where nothing can be proven, the answer stays unknown, and says why.

#[cfg(feature = "files")]
mod file;
mod journal;
pub(crate) mod resolver;

#[cfg(feature = "files")]
pub use self::file::FileJournal;
pub use self::journal::{Intent, Journal, JournalError};

use std::borrow::Cow;
use std::sync::Arc;

use cintx_raw::Request;
use serde::{Deserialize, Serialize};

use self::resolver::{Circumstances, OutcomeResolver};
use crate::Client;
use crate::client::CallOptions;
use crate::error::{Error, Outcome};
use crate::http::{Pipeline, idempotency};
use crate::version::Version;

/// Statuses after which nothing is at work on a write any more: what a gateway turned away it does not pass on.
const ENDED: [u16; 2] = [401, 429];

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
    /// Whether it took effect is not known.
    Unknown {
        /// Why not.
        why: Cow<'static, str>,
    },
}

impl Resolution {
    fn unknown(why: &'static str) -> Self {
        Self::Unknown { why: why.into() }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Applied { .. } => Outcome::Applied,
            Self::NotApplied => Outcome::NoEffect,
            Self::Unknown { .. } => Outcome::Unknown,
        }
    }
}

/// An intent that a crash had left open, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recovered {
    /// The intent.
    pub intent: Intent,
    /// What is known now. What stays unknown stays in the journal.
    pub resolution: Resolution,
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
    /// # Errors
    /// Those of the requests that look it up; the call stays as unknown as it was.
    pub async fn resolve(&self, error: &Error) -> Result<Resolution, Error> {
        let applied = match error.outcome() {
            Outcome::NotSent | Outcome::NoEffect => return Ok(Resolution::NotApplied),
            Outcome::Applied => true,
            Outcome::Unknown => false,
        };
        let resolution = match (error.request(), error.report()) {
            (Some(request), Some(report)) => {
                let circumstances = Circumstances {
                    began: report.began,
                    known_before: report.known_before.as_deref(),
                    ended: error.status().is_some_and(|status| ENDED.contains(&status.as_u16())),
                };
                self.find_out(request, circumstances).await
            }
            _ => Ok(Resolution::unknown("the request is not known any more")),
        };
        match resolution {
            Ok(Resolution::Applied { id }) => Ok(Resolution::Applied { id }),
            // That much is known already.
            _ if applied => Ok(Resolution::Applied { id: None }),
            other => other,
        }
    }

    /// Completes what a crash interrupted: replays writes under their keys, looks the others up.
    /// Call it once after a start, before new work; without a journal it does nothing.
    ///
    /// An un-keyed write is never sent again. What stays unknown is reported, and stays in the journal until
    /// [`discard`](Self::discard) strikes it out.
    ///
    /// # Errors
    /// The journal cannot be read. An intent that cannot be resolved for now is reported as unknown.
    pub async fn recover(&self) -> Result<Vec<Recovered>, Error> {
        let Some(journal) = &self.pipeline().shared.journal else { return Ok(Vec::new()) };
        let mut recovered = Vec::new();
        for intent in journal.open_intents().await? {
            let resolution = self.resume_one(&intent).await;
            if resolution.outcome() != Outcome::Unknown {
                journal.end(intent.id(), resolution.outcome()).await?;
            }
            recovered.push(Recovered { intent, resolution });
        }
        Ok(recovered)
    }

    /// The client for a write that takes no key: it lists what could be taken for its work before it sends the write.
    pub(crate) fn looks_first(&self) -> Self {
        self.with(CallOptions { looks_first: true, ..CallOptions::new() })
    }

    /// What a failed create made, if that can be found; `None` if it made nothing and may be sent again. Otherwise its
    /// error, with what is known now.
    ///
    /// For writes without a key: they are never sent again before they were looked up, whatever the status was. `sent`
    /// counts how often.
    pub(crate) async fn found_or_again(&self, error: Error, sent: &mut u32) -> Result<Option<String>, Error> {
        if matches!(error.outcome(), Outcome::NotSent | Outcome::NoEffect) {
            return Err(error);
        }
        *sent += 1;
        let policy = self.pipeline().options.retry.unwrap_or(self.pipeline().shared.retry);
        let wait = policy.wait(*sent - 1, fastrand::f64()).max(error.retry_after().unwrap_or_default());
        let turned_away = error.status().is_some_and(|status| ENDED.contains(&status.as_u16()));
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

    /// Strikes an intent out of the journal that cannot be resolved, or that you resolved yourself.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub async fn discard(&self, recovered: &Recovered) -> Result<(), Error> {
        match &self.pipeline().shared.journal {
            Some(journal) => Ok(journal.end(recovered.intent.id(), Outcome::Unknown).await?),
            None => Ok(()),
        }
    }

    async fn resume_one(&self, intent: &Intent) -> Resolution {
        if intent.version != V::DATE {
            return Resolution::unknown("it was written down by another version");
        }
        let Some(operation) = V::OPERATIONS.iter().find(|row| row.id == intent.operation).copied() else {
            return Resolution::unknown("this version has no such operation");
        };
        let Some(request) = intent.request(operation) else {
            return Resolution::unknown("the journal's entry is damaged");
        };
        let circumstances = Circumstances { began: intent.at, known_before: None, ended: false };
        match self.find_out(&request, circumstances).await {
            Ok(resolution) => resolution,
            Err(error) if error.outcome() == Outcome::Unknown => Resolution::unknown("its answer was lost again"),
            Err(_) => Resolution::unknown("it could not be looked up for now"),
        }
    }

    async fn find_out(&self, request: &Request, circumstances: Circumstances<'_>) -> Result<Resolution, Error> {
        // Its key is its own, not one of a caller's options; and what is written down is not written down again.
        let options =
            CallOptions { key: None, unrecorded: true, looks_first: false, ..self.pipeline().options.clone() };
        let pipeline = Pipeline { shared: Arc::clone(&self.pipeline().shared), options };
        let resolver = OutcomeResolver { pipeline: &pipeline, operations: V::OPERATIONS };
        if idempotency::is_keyed(request) {
            return resolver.replay(request).await;
        }
        resolver.look_up(request, circumstances).await
    }
}
