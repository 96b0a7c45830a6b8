//! The intent of one call in the journal: begun right before its first byte leaves, and struck out when the call ends
//! or is dropped, unless it may have taken effect.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cintx_raw::Request;

use super::Shared;
use crate::error::Outcome;
use crate::recovery::{Intent, JournalError};

/// The intents of the calls under way in this process, of all clients: two may share a journal. What is among them is
/// not for [`Client::recover`](crate::Client::recover).
static UNDER_WAY: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

pub(crate) fn under_way() -> BTreeSet<String> {
    locked().clone()
}

fn locked() -> MutexGuard<'static, BTreeSet<String>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The intent of one call, if it is recorded.
pub(super) struct CallIntent<'a> {
    shared: &'a Shared,
    recorded: bool,
    id: Option<String>,
    /// What is known of the effect if the call is dropped now.
    so_far: Outcome,
}

impl<'a> CallIntent<'a> {
    pub(super) fn new(shared: &'a Shared, recorded: bool) -> Self {
        Self { shared, recorded, id: None, so_far: Outcome::NotSent }
    }

    /// Whether there is something to write down before the next attempt.
    pub(super) fn is_to_begin(&self) -> bool {
        self.shared.journal.is_some() && self.recorded && self.id.is_none()
    }

    /// Writes down what is about to be done, unless that was done before an earlier attempt.
    pub(super) async fn begin(&mut self, request: &Request, known: Option<&[String]>) -> Result<(), JournalError> {
        let Some(journal) = self.shared.journal.as_ref().filter(|_| self.is_to_begin()) else { return Ok(()) };
        let mut intent = Intent::of(request, self.shared.api_version, self.shared.clock.now());
        intent.known_before = known.map(<[String]>::to_vec);
        intent.server = Some(self.shared.base_url(request.operation().host).as_str().to_owned());
        locked().insert(intent.id.clone());
        // From here on it may be in the journal, even if this fails or is dropped.
        self.id = Some(intent.id.clone());
        journal.begin(&intent).await
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Says what is known of the effect by now.
    pub(super) fn know(&mut self, outcome: Outcome) {
        self.so_far = outcome;
    }

    /// Strikes it out, unless it may have taken effect.
    pub(super) async fn end(&mut self, outcome: Outcome) {
        self.so_far = outcome;
        let (Some(journal), Some(id)) = (&self.shared.journal, &self.id) else { return };
        if outcome == Outcome::Unknown {
            return;
        }
        let ended = journal.end(id, outcome).await;
        // Done, or written down with the next end: there is nothing left for the destructor.
        self.so_far = Outcome::Unknown;
        if let Err(error) = ended {
            // After the next start it will be replayed under the same key, or looked up.
            tracing::warn!(%error, "the journal did not take the end of an intent");
        }
    }
}

impl Drop for CallIntent<'_> {
    fn drop(&mut self) {
        let (Some(journal), Some(id)) = (&self.shared.journal, self.id.take()) else { return };
        locked().remove(&id);
        let outcome = self.so_far;
        if outcome == Outcome::Unknown || journal.abandon(&id, outcome) {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let journal = std::sync::Arc::clone(journal);
            runtime.spawn(async move { drop(journal.end(&id, outcome).await) });
        }
    }
}
