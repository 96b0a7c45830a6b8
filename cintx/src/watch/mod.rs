//! Watching field: target groups read again and again, politely or when a webhook says so, as a stream of snapshots
//! that say what has changed, what lags, what it has cost, and when it will be full.

mod driver;
mod feed;
mod snapshot;

pub use self::feed::Feed;
pub use self::snapshot::{Change, Changed, GroupProgress, Lag, Reading, Snapshot};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream::{BoxStream, Stream, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::driver::Driver;
use crate::client::options::with_options;
use crate::error::{Error, FieldError};
use crate::project::ProjectScope;
use crate::target_group::{Feasibility, TargetGroup, TargetGroupStatus};
use crate::types::ids::TargetGroupId;
use crate::version::Version;

/// Between two reads, if nothing else is said.
const POLL_INTERVAL: Duration = Duration::from_secs(300);
/// For so long reads may fail for reasons that may pass, if nothing else is said.
const MAX_OUTAGE: Duration = Duration::from_secs(3_600);
/// The present pace is that of so long.
const PACE_OVER: Duration = Duration::from_secs(24 * 3_600);

impl<V: Version> ProjectScope<V> {
    /// Watches the project's target groups, those that are made later, too.
    ///
    /// Each time it reads the list of target groups: one request for a hundred of them. A launched target group whose
    /// state or numbers have changed is looked at for its costs, and for its dates.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>, id: cintx::ProjectId) -> Result<(), cintx::Error> {
    /// use std::time::Duration;
    /// use cintx::watch::Until;
    ///
    /// let mut watch = cint.project(id).watch().every(Duration::from_secs(600)).until(Until::Filled(0.9)).stream();
    /// while let Some(snapshot) = watch.try_next().await? {
    ///     for change in &snapshot.changes {
    ///         println!("{}: {}", change.group, change.what);
    ///     }
    ///     println!("{} so far; full at {:?}", snapshot.costs(), snapshot.forecast());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_list_target_groups")]
    pub fn watch(&self) -> Watch<V> {
        Watch::new(self.clone(), None)
    }
}

impl<V: Version> TargetGroup<V> {
    /// Watches the target group: one request each time, and one more where its dates may have changed.
    #[doc(alias = "get_target_group_overview")]
    pub fn watch(&self) -> Watch<V> {
        let project = ProjectScope { client: self.client.clone(), project: self.project.clone() };
        Watch::new(project, Some(self.id.clone()))
    }
}

/// What a watch goes on until.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Until {
    /// The field of every target group is over. That ends every watch.
    Over,
    /// This share of what is wanted in all is there, from 0 to 1: [`Snapshot::filled`].
    Filled(f64),
    /// Every target group that was launched has this state, and at least one was.
    Status(TargetGroupStatus),
    /// This moment, by the client's clock.
    Deadline(Timestamp),
}

impl Until {
    fn problem(&self) -> Option<FieldError> {
        match self {
            Self::Filled(share) if !(0.0..=1.0).contains(share) => {
                Some(FieldError::new("until", format!("is filled to {share}, expected a share from 0 to 1")))
            }
            Self::Status(TargetGroupStatus::Unknown(word)) => {
                Some(FieldError::new("until", format!("is the status {word:?}, expected one that is known")))
            }
            _ => None,
        }
    }

    fn is_reached(&self, groups: &Snapshot) -> bool {
        let launched = || groups.groups.iter().filter(|group| group.is_launched());
        match self {
            Self::Over => !groups.groups.is_empty() && groups.groups.iter().all(GroupProgress::is_over),
            Self::Filled(share) => groups.goal() > 0 && groups.filled() >= *share,
            Self::Status(status) => {
                launched().next().is_some() && launched().all(|group| group.status.as_ref() == Some(status))
            }
            Self::Deadline(deadline) => groups.at >= *deadline,
        }
    }
}

/// A watch about to begin: [`stream`](Self::stream) begins it.
#[derive(Clone, Debug)]
#[must_use = "nothing is read before its stream is polled"]
pub struct Watch<V: Version> {
    project: ProjectScope<V>,
    /// The one target group that is watched by itself.
    one: Option<TargetGroupId>,
    only: Option<BTreeSet<TargetGroupId>>,
    every: Duration,
    patience: Duration,
    pace_over: Duration,
    until: Vec<Until>,
    expected: BTreeMap<TargetGroupId, u64>,
    since: Option<Snapshot>,
}

with_options!(Watch: project.client);

impl<V: Version> Watch<V> {
    fn new(project: ProjectScope<V>, one: Option<TargetGroupId>) -> Self {
        Self {
            project,
            one,
            only: None,
            every: POLL_INTERVAL,
            patience: MAX_OUTAGE,
            pace_over: PACE_OVER,
            until: Vec::new(),
            expected: BTreeMap::new(),
            since: None,
        }
    }

    /// How long to wait between two reads; five minutes if not set. The wait is the machine's, moments are those of
    /// the client's [clock](crate::ClientBuilder::clock).
    pub fn every(mut self, pause: Duration) -> Self {
        self.every = pause;
        self
    }

    /// Ends the watch then. Called again, it ends at what comes first.
    pub fn until(mut self, until: Until) -> Self {
        self.until.push(until);
        self
    }

    /// Only these of the project's target groups.
    pub fn only<G: Into<TargetGroupId>>(mut self, groups: impl IntoIterator<Item = G>) -> Self {
        self.only = Some(groups.into_iter().map(Into::into).collect());
        self
    }

    /// What feasibility promised each target group for the whole of its field: the fewest completes, where it says so.
    /// [`Snapshot::lagging`] goes by it.
    pub fn feasible<'f, G: Into<TargetGroupId>>(
        mut self,
        promised: impl IntoIterator<Item = (G, &'f Feasibility)>,
    ) -> Self {
        for (group, feasibility) in promised {
            if let Some(least) = feasibility.completes_min.and_then(|least| least.try_into().ok()) {
                self = self.expect(group, least);
            }
        }
        self
    }

    /// How many completes a target group should have at the end of its field, as [`feasible`](Self::feasible) with
    /// another number.
    pub fn expect(mut self, group: impl Into<TargetGroupId>, completes: u64) -> Self {
        self.expected.insert(group.into(), completes);
        self
    }

    /// How long reads may go on failing for reasons that may pass, such as 503 or a lost connection; an hour if not
    /// set. Then, or at the deadline, the watch ends with the last such error.
    pub fn patience(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }

    /// Over how long the present pace is measured; a day if not set.
    pub fn pace_over(mut self, window: Duration) -> Self {
        self.pace_over = window;
        self
    }

    /// Goes on from a snapshot that an earlier watch of the same target groups has told and a program has kept: the
    /// first snapshot says what has changed since then, the pace is measured from there, and what reconciliation takes
    /// back is added to what it had. Target groups that this watch is not about are left out of it.
    ///
    /// ```no_run
    /// # async fn run(
    /// #     project: cintx::project::ProjectScope<cintx::V2025_12_18>,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut watch = project.watch();
    /// if let Ok(kept) = std::fs::read("field.json") {
    ///     watch = watch.since(serde_json::from_slice(&kept)?);
    /// }
    /// let mut snapshots = watch.stream();
    /// while let Some(snapshot) = snapshots.try_next().await? {
    ///     for change in &snapshot.changes {
    ///         println!("{}: {}", change.group, change.what);
    ///     }
    ///     // Kept when it is dealt with: what a program that is killed has not dealt with is told again.
    ///     std::fs::write("field.json", serde_json::to_vec(&snapshot)?)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn since(mut self, snapshot: Snapshot) -> Self {
        self.since = Some(snapshot);
        self
    }

    /// Whether it is about this target group.
    fn is_about(&self, id: &TargetGroupId) -> bool {
        self.one.as_ref().is_none_or(|one| one == id) && self.only.as_ref().is_none_or(|only| only.contains(id))
    }

    /// One look: the first snapshot, and no more.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>, id: cintx::ProjectId) -> Result<(), cintx::Error> {
    /// println!("{} so far", cint.project(id).watch().once().await?.costs());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As with [`Snapshots::try_next`].
    pub async fn once(self) -> Result<Snapshot, Error> {
        let snapshot = self.stream().try_next().await?;
        snapshot.ok_or_else(|| Error::setup("the watch ended before its first look"))
    }

    /// Begins to watch when it is polled. The first snapshot comes at once.
    pub fn stream(self) -> Snapshots {
        let feed = Feed::default();
        let driver = Driver::new(self, feed.clone());
        let stream = futures_util::stream::unfold(driver, async |mut driver| {
            let next = driver.next().await?;
            Some((next, driver))
        });
        Snapshots { stream: stream.boxed(), feed }
    }

    fn problems(&self) -> Vec<FieldError> {
        let mut problems: Vec<FieldError> = self.until.iter().filter_map(Until::problem).collect();
        if self.every.is_zero() {
            problems.push(FieldError::new("every", "is zero, expected a pause between two reads"));
        }
        problems
    }
}

/// The snapshots of a watch. Dropping it ends the watch.
#[must_use = "nothing is read before it is polled"]
pub struct Snapshots {
    stream: BoxStream<'static, Result<Snapshot, Error>>,
    feed: Feed,
}

impl Snapshots {
    /// The next one; `None` after the last. After an error the stream has ended.
    ///
    /// # Errors
    /// What is wrong with the watch itself, before anything is read; a read that cannot succeed; reads that went on
    /// failing until the deadline, or for longer than the [patience](Watch::patience). See
    /// [when a call fails](crate::guide::failures).
    pub async fn try_next(&mut self) -> Result<Option<Snapshot>, Error> {
        self.stream.try_next().await
    }

    /// Takes hints, so that news need not wait for the next read: clone it into the program's webhook receiver.
    pub fn feed(&self) -> Feed {
        self.feed.clone()
    }
}

impl Stream for Snapshots {
    type Item = Result<Snapshot, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.poll_next_unpin(cx)
    }
}

impl fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshots").finish_non_exhaustive()
    }
}
