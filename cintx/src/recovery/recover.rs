//! What a crash left in the journal is completed: replayed under its key, or looked up. The latest comes first, so that
//! a write that a later one made obsolete is never sent again.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::journal::Intent;
use super::resolver::Circumstances;
use super::supersede::Changes;
use super::{REPLAY_WITHIN, Resolution, is_recent};
use crate::Client;
use crate::error::{Error, Outcome};
use crate::http::under_way;
use crate::version::Version;

/// An intent that was left open, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recovered {
    /// The intent.
    pub intent: Intent,
    /// What is known now. What stays unknown stays in the journal.
    pub resolution: Resolution,
}

/// What sees each intent before it is struck out.
type Inspect<'a> = Box<dyn FnMut(&Recovered) + Send + 'a>;

/// Completes what a crash interrupted, once it is awaited: [`Client::recover`].
#[must_use = "nothing is recovered until it is awaited"]
pub struct Recover<'a, V: Version> {
    client: &'a Client<V>,
    replay_within: Duration,
    inspect: Option<Inspect<'a>>,
}

impl<'a, V: Version> Recover<'a, V> {
    /// Sends a write again under its key only if it is not older than this; a day, unless you say otherwise. Zero sends
    /// nothing again. What is older is looked up, and stays unknown where the API offers no way.
    pub fn replay_within(mut self, age: Duration) -> Self {
        self.replay_within = age;
        self
    }

    /// Sees each intent before it is struck out. What it writes down cannot be lost by another crash in between.
    pub fn inspect(mut self, see: impl FnMut(&Recovered) + Send + 'a) -> Self {
        self.inspect = Some(Box::new(see));
        self
    }

    async fn run(mut self) -> Result<Vec<Recovered>, Error> {
        let Some(journal) = &self.client.pipeline().shared.journal else { return Ok(Vec::new()) };
        let began = Instant::now();
        let own = journal.take_over().await?;
        let mut intents = journal.open_intents().await?;
        let under_way = under_way();
        intents.retain(|intent| !under_way.contains(intent.id()));
        let mut later = Vec::new();
        let mut recovered = Vec::new();
        for intent in intents.into_iter().rev() {
            let changes = Changes::of(&intent);
            if own.as_ref().is_some_and(|own| !own.contains(intent.id())) {
                let resolution = Resolution::unknown("another process is recovering it");
                later.push(Later { id: intent.id().to_owned(), changes, resolution });
                continue;
            }
            let resolution = match superseding(&intent, &changes, &later) {
                Some(resolution) => resolution,
                None => self.client.recover_one(&intent, self.replay_within, began).await,
            };
            later.push(Later { id: intent.id().to_owned(), changes, resolution: resolution.clone() });
            let one = Recovered { intent, resolution };
            if let Some(see) = &mut self.inspect {
                see(&one);
            }
            if one.resolution.is_decided() {
                self.client.strike_out(one.intent.id(), one.resolution.outcome()).await;
            }
            recovered.push(one);
        }
        recovered.reverse();
        Ok(recovered)
    }
}

impl<'a, V: Version> IntoFuture for Recover<'a, V> {
    type Output = Result<Vec<Recovered>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<V: Version> fmt::Debug for Recover<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recover").field("replay_within", &self.replay_within).finish_non_exhaustive()
    }
}

/// How the intent of a failed call stands.
pub(super) enum Standing {
    /// It is open, or there is no journal.
    Open,
    /// It was decided before, so that what came later is not known: it is looked up, and never sent again.
    StruckOut,
    /// A later write on the same thing says what became of it.
    Told(Resolution),
}

/// An open intent that was begun after the one that is looked at.
struct Later {
    id: String,
    changes: Changes,
    resolution: Resolution,
}

/// What later writes say about one; `None` if it may be looked at by itself.
fn superseding(intent: &Intent, changes: &Changes, later: &[Later]) -> Option<Resolution> {
    let (mut by, mut left) = (intent.superseded_by(), intent.left_over());
    for later in later.iter().filter(|later| later.changes.supersede(changes)) {
        if by.is_some() && left.is_empty() {
            break;
        }
        match later.resolution {
            Resolution::NotApplied => {}
            Resolution::Unknown { .. } => {
                return Some(Resolution::unknown("a later write on the same thing is unknown itself"));
            }
            _ => {
                by = by.or(Some(&later.id));
                left.retain(|group| changes.groups_changed_by(&later.changes).all(|changed| changed != group));
            }
        }
    }
    by.map(|by| superseded(by, &left))
}

/// What became of a write that `by` made obsolete, but for what is left of it.
fn superseded(by: &str, left: &[String]) -> Resolution {
    /// So many are named; a job has up to thousands.
    const MAX_NAMED: usize = 3;
    if left.is_empty() {
        return Resolution::Superseded { by: by.to_owned() };
    }
    let named = left.iter().take(MAX_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = match left.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Resolution::unknown(format!(
        "a later write changed a part of its target groups, so it is not sent again; look at {named}{more}, and \
         discard it"
    ))
}

impl<V: Version> Client<V> {
    /// Completes what a crash interrupted: replays writes under their keys, looks the others up.
    /// Call it once after a start, before new work; without a journal it does nothing.
    ///
    /// | intent | what becomes of it |
    /// |---|---|
    /// | of a call of this process that is still under way, or of another process that lives | left alone |
    /// | a later write on the same thing took effect | [`Resolution::Superseded`]; never sent again |
    /// | later writes on a part of the target groups of a bulk write did | unknown, with the others; never sent again |
    /// | with a key, not older than a day ([`replay_within`](Recover::replay_within)) | sent again under its key |
    /// | of a client of another [`api_url`](crate::client::ClientBuilder::api_url) | unknown; nothing is sent |
    /// | with a key, older, or of another version of the API | looked up; never sent again |
    /// | without a key | looked up; never sent again |
    ///
    /// What is not there, or not changed yet, may still come; so where something is looked up and not seen, this takes
    /// as long as [`Timeouts::processing`](crate::client::Timeouts::processing) says, a minute if not set, for all
    /// intents together.
    ///
    /// What is decided is struck out. What stays unknown is reported, and stays in the journal until
    /// [`discard`](Self::discard) strikes it out.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>) -> Result<(), cintx::Error> {
    /// for recovered in cint.recover().await? {
    ///     println!("{}: {:?}", recovered.intent.summary(), recovered.resolution);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The journal cannot be read. An intent that cannot be resolved for now is reported as unknown.
    pub fn recover(&self) -> Recover<'_, V> {
        Recover { client: self, replay_within: REPLAY_WITHIN, inspect: None }
    }

    /// Strikes an intent out of the journal that cannot be resolved, or that you resolved yourself.
    /// It may be of another version.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub async fn discard(&self, recovered: &Recovered) -> Result<(), Error> {
        match &self.pipeline().shared.journal {
            Some(journal) => Ok(journal.end(recovered.intent.id(), Outcome::Unknown).await?),
            None => Ok(()),
        }
    }

    /// Strikes out the intent of a write whose effect does not matter any more.
    pub(crate) async fn end_intent(&self, id: &str) {
        self.strike_out(id, Outcome::Unknown).await;
    }

    /// Strikes out what is decided. If that fails, it is looked at again after the next start.
    pub(super) async fn strike_out(&self, id: &str, outcome: Outcome) {
        if let Some(journal) = &self.pipeline().shared.journal
            && let Err(error) = journal.end(id, outcome).await
        {
            tracing::warn!(%error, "the journal did not take the end of an intent");
        }
    }

    /// How the intent of a failed call stands in the journal. A later write on the same thing whose intent is open may
    /// come to nothing yet.
    pub(super) async fn standing(&self, id: Option<&str>) -> Result<Standing, Error> {
        let (Some(journal), Some(id)) = (&self.pipeline().shared.journal, id) else { return Ok(Standing::Open) };
        let mut intents = journal.open_intents().await?.into_iter().skip_while(|intent| intent.id() != id);
        let Some(intent) = intents.next() else { return Ok(Standing::StruckOut) };
        if let Some(by) = intent.superseded_by() {
            return Ok(Standing::Told(superseded(by, &intent.left_over())));
        }
        let changes = Changes::of(&intent);
        Ok(match intents.any(|later| Changes::of(&later).supersede(&changes)) {
            true => Standing::Told(Resolution::unknown("a later write on the same thing is unknown itself")),
            false => Standing::Open,
        })
    }

    async fn recover_one(&self, intent: &Intent, replay_within: Duration, began: Instant) -> Resolution {
        let Some(operation) = V::OPERATIONS.iter().copied().find(|row| intent.is_of(row)) else {
            return Resolution::unknown(format!(
                "{} has no such operation: recover by a client of {}, or discard it",
                V::DATE,
                intent.version
            ));
        };
        if let Some(server) =
            intent.server().filter(|_| !intent.is_for(self.pipeline().shared.base_url(operation.host).url()))
        {
            return Resolution::unknown(format!(
                "it was written for {server}: recover by a client of that address, or discard it"
            ));
        }
        let Some(request) = intent.request(operation) else {
            return Resolution::unknown("the journal's entry is damaged");
        };
        let same_version = intent.version == V::DATE;
        let replay = same_version && is_recent(self.now(), intent.at, replay_within);
        let known_before = intent.known_before.as_deref();
        // Its attempts had ended by then. The clock on the wall may have been wrong when it was written down.
        let circumstances = Circumstances { since: began.elapsed(), known_before, ended: false };
        match self.find_out(&request, circumstances, replay).await {
            Ok(Resolution::Unknown { why }) if !same_version => Resolution::unknown(format!(
                "{why}; it was written under {}: recover by a client of that version, or discard it",
                intent.version
            )),
            Ok(Resolution::Unknown { why }) if intent.key().is_some() && !replay => {
                Resolution::unknown(format!("it is too old to be sent again, and {why}"))
            }
            Ok(resolution) => resolution,
            Err(error) if error.outcome() == Outcome::Unknown => Resolution::unknown("its answer was lost again"),
            Err(error) => Resolution::unknown(match error.status() {
                Some(status) => format!("it could not be looked up for now (status {})", status.as_u16()),
                None => "it could not be looked up for now".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use cintx_raw::{Operation, Request};
    use http::Method;

    use super::*;

    #[test]
    fn a_later_write_that_was_refused_supersedes_nothing() {
        let intent = |path: &str| {
            let request = Request::to(Operation::undocumented(&Method::PUT), path);
            Intent::of(&request, "2025-12-18", jiff::Timestamp::now())
        };
        let (earlier, later) = (intent("/a"), intent("/a"));
        let superseding = |resolution: Resolution| {
            let later = Later { id: later.id().to_owned(), changes: Changes::of(&later), resolution };
            superseding(&earlier, &Changes::of(&earlier), &[later])
        };
        assert_eq!(superseding(Resolution::NotApplied), None);
        let by = later.id().to_owned();
        assert_eq!(superseding(Resolution::Applied { id: None }), Some(Resolution::Superseded { by }));
        let unknown = superseding(Resolution::unknown("its answer was lost"));
        assert!(matches!(unknown, Some(Resolution::Unknown { .. })), "{unknown:?}");
    }
}
