//! Many target groups at once: a few at a time, each with a result of its own, under keys by which doing it again makes
//! nothing twice. What happens is told as events, for progress bars and logs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};
use jiff::Timestamp;

use crate::client::CallOptions;
use crate::error::{Error, FieldError, JobFailure, Outcome};
use crate::fielding::{FieldingRun, RunAction};
use crate::job::{Job, JobKind};
use crate::recovery::resolver::derived_reference;
use crate::target_group::{DraftBuilder, TargetGroup, TargetGroupSummary, TargetGroups};
use crate::types::ids::TargetGroupId;
use crate::types::{IntoField, Money, TimeRange};
use crate::version::Version;

/// So many at a time, if nothing else is said.
const CONCURRENCY: usize = 4;
/// So many jobs are asked about at a time.
const JOBS_AT_ONCE: usize = 32;

impl<V: Version> TargetGroups<V> {
    /// Target groups of the project, many at once: created, launched, priced, paused.
    ///
    /// Each has a name of the program's own, under which its result is told and from which its key follows. So a
    /// program that was killed runs again from its beginning: what is there is found, and nothing is made twice. With
    /// a [journal](crate::recovery), await [`Client::recover`](crate::Client::recover) first.
    ///
    /// ```no_run
    /// # use cintx::target_group::DraftBuilder;
    /// # async fn run(
    /// #     project: cintx::project::ProjectScope<cintx::V2025_12_18>,
    /// #     drafts: Vec<(String, DraftBuilder<cintx::V2025_12_18>)>,
    /// #     end: jiff::Timestamp,
    /// # ) -> Result<(), cintx::Error> {
    /// let groups = project.target_groups().at_once().concurrency(4);
    /// let created = groups.create(drafts).await?.observe(|event| println!("{event}")).await;
    /// for (name, error) in &created.failed {
    ///     eprintln!("{name} was not created: {error}");
    /// }
    /// let live = groups.launch(created.done, end).await.all()?;
    /// println!("{} target groups are live", live.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn at_once(&self) -> AtOnce<V> {
        AtOnce { groups: self.clone(), concurrency: CONCURRENCY, options: CallOptions::default() }
    }
}

/// Many target groups of a project, a few at a time.
#[derive(Clone, Debug)]
pub struct AtOnce<V: Version> {
    groups: TargetGroups<V>,
    concurrency: usize,
    options: CallOptions,
}

impl<V: Version> AtOnce<V> {
    /// Other options for what is done from here: retries, time limits, headers. They go before those of the client, of
    /// the drafts and of the target groups. Keys follow from the names: one of your own is refused.
    pub fn with(mut self, options: CallOptions) -> Self {
        self.options = options.of_many().with_defaults(&self.options);
        self.groups = self.groups.with(self.options.clone());
        self
    }

    /// How many are worked on at a time; four if not set, and 0 counts as one. The client's
    /// [pacer](crate::http::pace) holds all the same.
    pub fn concurrency(mut self, items: usize) -> Self {
        self.concurrency = items.max(1);
        self
    }

    /// Creates drafts, each under a name. What an earlier run has created is found, and not created again: where the
    /// version has references, by the draft's reference, or by one that follows from the name; in older versions by
    /// the target group's own name. It is taken as it is, whoever has made it and whatever was changed about it since:
    /// of what a list shows, another locale, and under a reference of the buyer's another name, are refused.
    ///
    /// # Errors
    /// Names that occur twice, before anything is sent; if what is there cannot be listed. What is wrong about one
    /// draft is that one's result.
    #[doc(alias = "create_target_group")]
    pub async fn create<K: Into<String>>(
        &self,
        drafts: impl IntoIterator<Item = (K, DraftBuilder<V>)>,
    ) -> Result<Batch<TargetGroup<V>>, Error> {
        let project = &self.groups.project;
        let mut items = Vec::new();
        let mut names = BTreeMap::<String, String>::new();
        for (key, draft) in drafts {
            let key = key.into();
            let identity = match (V::GROUP_REFERENCE, draft.given_reference()) {
                (true, Some(reference)) => reference.to_owned(),
                (true, None) => derived_reference(project.as_str(), &key),
                (false, _) => draft.name().trim().to_owned(),
            };
            if let Some(other) = names.insert(identity.clone(), key.clone()) {
                let reason = format!("of {key:?} is {identity:?}, as that of {other:?}, expected another one");
                let field = if V::GROUP_REFERENCE { "reference" } else { "name" };
                return Err(Error::invalid(vec![FieldError::new(field, reason)]));
            }
            items.push((key, (identity, draft.with(self.options.clone()))));
        }
        let mut there = BTreeMap::<String, Vec<TargetGroupSummary>>::new();
        let mut groups = self.groups.list().page_size(100).stream();
        while let Some(group) = groups.try_next().await? {
            let identity = if V::GROUP_REFERENCE { &group.reference } else { &group.name };
            if let Some(identity) = identity.clone() {
                there.entry(identity).or_default().push(group);
            }
        }
        let (client, project) = (self.groups.client.clone(), project.clone());
        let batch = Batch::new(self.concurrency, items, move |(identity, draft): (String, DraftBuilder<V>)| {
            let found = there.get(&identity).cloned().unwrap_or_default();
            let (client, project) = (client.clone(), project.clone());
            async move {
                match &*found {
                    [] => draft.bearing(identity).create().await,
                    [one] => {
                        draft.check_is_that_of(one)?;
                        Ok(TargetGroup { client, project, id: one.id.clone() })
                    }
                    many => {
                        let reason = format!("{identity:?} is of {} target groups, expected at most one", many.len());
                        Err(Error::invalid(vec![FieldError::new("target_group", reason)]))
                    }
                }
            }
        });
        Ok(batch)
    }

    /// Launches drafts, each until it is live; all fields end at `end`, which should be the same when it is run again.
    /// What has a fielding run already is not launched again. Each launch has a key that follows from the name.
    #[doc(alias = "create_launch_fielding_run_from_draft_job")]
    pub fn launch<K: Into<String>>(
        &self,
        groups: impl IntoIterator<Item = (K, TargetGroup<V>)>,
        end: Timestamp,
    ) -> Batch<FieldingRun<V>> {
        self.start_field(groups, Ok((None, end)))
    }

    /// Schedules drafts: their fields begin and end by themselves. As with [`launch`](Self::launch), what has a
    /// fielding run already is left alone.
    #[doc(alias = "create_schedule_fielding_run_from_draft_job")]
    pub fn schedule<K: Into<String>>(
        &self,
        groups: impl IntoIterator<Item = (K, TargetGroup<V>)>,
        fielding_period: impl IntoField<TimeRange>,
    ) -> Batch<FieldingRun<V>> {
        let mut problems = Vec::new();
        let period = fielding_period.into_field("fielding_period", &mut problems);
        let when = period.map(|period| (Some(period.start()), period.end())).ok_or_else(|| Error::invalid(problems));
        self.start_field(groups, when)
    }

    fn start_field<K: Into<String>>(
        &self,
        groups: impl IntoIterator<Item = (K, TargetGroup<V>)>,
        when: Result<(Option<Timestamp>, Timestamp), Error>,
    ) -> Batch<FieldingRun<V>> {
        let items = groups.into_iter().map(|(key, group)| {
            let key = key.into();
            (key.clone(), (key, group.with(self.options.clone())))
        });
        Batch::new(self.concurrency, items, move |(key, group): (String, TargetGroup<V>)| {
            let when = when.clone();
            async move {
                let (start, end) = when?;
                if let Some(run) = group.fielding_run().await? {
                    return Ok(run);
                }
                let when = start.map_or_else(|| end.to_string(), |start| format!("{start}/{end}"));
                group.start_field_once(&format!("at-once/{key}/field/{when}"), start, end).await
            }
        })
    }

    /// Changes what an interview costs; answers with what it costs then. Nothing is sent where it costs that already.
    #[doc(alias = "update_cost_per_interview")]
    pub fn set_cost_per_interview<K: Into<String>>(
        &self,
        prices: impl IntoIterator<Item = (K, TargetGroup<V>, Money)>,
    ) -> Batch<Money> {
        let items =
            prices.into_iter().map(|(key, group, price)| (key.into(), (group.with(self.options.clone()), price)));
        Batch::new(self.concurrency, items, |(group, price): (TargetGroup<V>, Money)| async move {
            match group.overview().await?.current_cost_per_interview {
                Some(is) if is == price => Ok(price),
                _ => group.set_cost_per_interview(&price).await,
            }
        })
    }

    /// Does something of the program's own with each of some items: asks for feasibility, changes supply.
    ///
    /// ```no_run
    /// # use cintx::target_group::DraftBuilder;
    /// # async fn run(
    /// #     project: cintx::project::ProjectScope<cintx::V2025_12_18>,
    /// #     drafts: Vec<(String, DraftBuilder<cintx::V2025_12_18>)>,
    /// # ) -> Result<(), cintx::Error> {
    /// let feasible = project.target_groups().at_once().each(drafts, |draft| async move { draft.feasibility().await });
    /// for (name, feasibility) in feasible.await.all()? {
    ///     println!("{name}: {:?} completes", feasibility.completes_min);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn each<K, I, T, F>(
        &self,
        items: impl IntoIterator<Item = (K, I)>,
        work: impl Fn(I) -> F + Send + 'static,
    ) -> Batch<T>
    where
        K: Into<String>,
        I: Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        Batch::new(self.concurrency, items.into_iter().map(|(key, item)| (key.into(), item)), work)
    }

    /// Launches each scheduled target group at once, by one bulk job.
    ///
    /// # Errors
    /// The job as a whole fails. What became of one target group is that one's result, under its id.
    pub async fn launch_now<G: Into<TargetGroupId>>(
        &self,
        groups: impl IntoIterator<Item = G>,
    ) -> Result<BatchResults<TargetGroupId>, Error> {
        self.act(RunAction::LaunchNow, groups.into_iter().map(Into::into).collect()).await
    }

    /// Pauses each live target group, by one bulk job. One that is paused already counts as done, so that it can be
    /// said again.
    ///
    /// # Errors
    /// As with [`launch_now`](Self::launch_now).
    pub async fn pause<G: Into<TargetGroupId>>(
        &self,
        groups: impl IntoIterator<Item = G>,
    ) -> Result<BatchResults<TargetGroupId>, Error> {
        self.act(RunAction::Pause, groups.into_iter().map(Into::into).collect()).await
    }

    /// Resumes each paused target group, by one bulk job.
    ///
    /// # Errors
    /// As with [`launch_now`](Self::launch_now).
    pub async fn resume<G: Into<TargetGroupId>>(
        &self,
        groups: impl IntoIterator<Item = G>,
    ) -> Result<BatchResults<TargetGroupId>, Error> {
        self.act(RunAction::Resume, groups.into_iter().map(Into::into).collect()).await
    }

    /// Ends each target group's field, by one bulk job.
    ///
    /// # Errors
    /// As with [`launch_now`](Self::launch_now).
    pub async fn complete<G: Into<TargetGroupId>>(
        &self,
        groups: impl IntoIterator<Item = G>,
    ) -> Result<BatchResults<TargetGroupId>, Error> {
        self.act(RunAction::Complete, groups.into_iter().map(Into::into).collect()).await
    }

    async fn act(&self, action: RunAction, mut ids: Vec<TargetGroupId>) -> Result<BatchResults<TargetGroupId>, Error> {
        let mut results = BatchResults::default();
        // One that is named twice has one result.
        let mut named = BTreeSet::new();
        ids.retain(|id| named.insert(id.clone()));
        if ids.is_empty() {
            return Ok(results);
        }
        let outcome = self.groups.all(&ids).start_run(action).await?.until_done().await?;
        let mut failed: BTreeMap<_, _> = outcome.failed.into_iter().collect();
        for id in ids {
            let key = id.to_string();
            match failed.remove(&id) {
                Some(failure) => results.failed.push((key, Error::job(failure))),
                None if outcome.updated.contains(&id) => results.done.push((key, id)),
                None => {
                    let description = format!("the job does not say what became of {id}");
                    let failure = JobFailure { code: None, description, reasons: Vec::new() };
                    results.failed.push((key, Error::job(failure).resolved(Outcome::Unknown)));
                }
            }
        }
        Ok(results)
    }
}

/// Waits for many jobs at once, each under a name: launches, bulk jobs, files, reports.
///
/// ```no_run
/// # use cintx::fielding::LaunchJob;
/// # async fn run(jobs: Vec<(String, LaunchJob<cintx::V2025_12_18>)>) -> Result<(), cintx::Error> {
/// let launched = cintx::batch::until_all_done(jobs).await;
/// println!("{} are live, {} failed", launched.done.len(), launched.failed.len());
/// # Ok(())
/// # }
/// ```
pub fn until_all_done<K: Into<String>, J: JobKind>(jobs: impl IntoIterator<Item = (K, Job<J>)>) -> Batch<J::Done>
where
    J::Done: 'static,
{
    let jobs = jobs.into_iter().map(|(key, job)| (key.into(), job));
    Batch::new(JOBS_AT_ONCE, jobs, |job: Job<J>| async move { job.until_done().await })
}

/// What happens to one of many. Its text is a line for a log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BatchEvent<T> {
    /// Work on it has begun.
    Started {
        /// The name of the target group or job, as it was given.
        key: String,
    },
    /// It is done.
    Done {
        /// The name of the target group or job, as it was given.
        key: String,
        /// What came of it.
        value: T,
    },
    /// It was not done; the error says whether it had an effect.
    Failed {
        /// The name of the target group or job, as it was given.
        key: String,
        /// Why not.
        error: Error,
    },
}

impl<T> BatchEvent<T> {
    /// The name of what it is about.
    pub fn key(&self) -> &str {
        match self {
            Self::Started { key } | Self::Done { key, .. } | Self::Failed { key, .. } => key,
        }
    }

    /// Whether nothing more will happen to it.
    pub fn is_finished(&self) -> bool {
        !matches!(self, Self::Started { .. })
    }
}

impl<T> fmt::Display for BatchEvent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { key } => write!(f, "{key} begins"),
            Self::Done { key, .. } => write!(f, "{key} is done"),
            Self::Failed { key, error } => write!(f, "{key} failed: {error}"),
        }
    }
}

/// What became of each, in the order in which they were given.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchResults<T> {
    /// What is done, by name.
    pub done: Vec<(String, T)>,
    /// What is not, and why.
    pub failed: Vec<(String, Error)>,
}

impl<T> Default for BatchResults<T> {
    fn default() -> Self {
        Self { done: Vec::new(), failed: Vec::new() }
    }
}

impl<T> BatchResults<T> {
    /// What came of one, by its name; `None` if it is not done.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.done.iter().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// All of them, if all are done.
    ///
    /// # Errors
    /// The first error, if there is one; the others are left.
    pub fn all(self) -> Result<Vec<(String, T)>, Error> {
        match self.failed.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(self.done),
        }
    }
}

type Observer<T> = Box<dyn FnMut(&BatchEvent<T>) + Send>;

/// Work on many things, a few at a time. Await it for the results, or poll it as a stream of events. Nothing is begun
/// before that, and dropping it stops it.
#[must_use = "nothing is done until it is awaited or polled"]
pub struct Batch<T> {
    events: BoxStream<'static, (usize, BatchEvent<T>)>,
    len: usize,
    observer: Option<Observer<T>>,
}

impl<T: Send + 'static> Batch<T> {
    fn new<I, F>(
        concurrency: usize,
        items: impl IntoIterator<Item = (String, I)>,
        work: impl Fn(I) -> F + Send + 'static,
    ) -> Self
    where
        I: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let items: Vec<(usize, (String, I))> = items.into_iter().enumerate().collect();
        let len = items.len();
        let events = stream::iter(items).map(move |(at, (key, item))| {
            let started = BatchEvent::Started { key: key.clone() };
            let work = work(item);
            let finished = async move {
                match work.await {
                    Ok(value) => (at, BatchEvent::Done { key, value }),
                    Err(error) => (at, BatchEvent::Failed { key, error }),
                }
            };
            stream::iter([(at, started)]).chain(stream::once(finished)).boxed()
        });
        Self { events: events.flatten_unordered(concurrency).boxed(), len, observer: None }
    }

    /// How many there are: the length of a progress bar.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sees each event.
    pub fn observe(mut self, see: impl FnMut(&BatchEvent<T>) + Send + 'static) -> Self {
        self.observer = Some(Box::new(see));
        self
    }

    async fn finish(mut self) -> BatchResults<T> {
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        while let Some((at, event)) = poll_fn(|cx| self.poll_event(cx)).await {
            match event {
                BatchEvent::Started { .. } => {}
                BatchEvent::Done { key, value } => done.push((at, key, value)),
                BatchEvent::Failed { key, error } => failed.push((at, key, error)),
            }
        }
        done.sort_by_key(|(at, ..)| *at);
        failed.sort_by_key(|(at, ..)| *at);
        BatchResults {
            done: done.into_iter().map(|(_, key, value)| (key, value)).collect(),
            failed: failed.into_iter().map(|(_, key, error)| (key, error)).collect(),
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<(usize, BatchEvent<T>)>> {
        let next = self.events.poll_next_unpin(cx);
        if let (Poll::Ready(Some((_, event))), Some(see)) = (&next, &mut self.observer) {
            see(event);
        }
        next
    }
}

impl<T: Send + 'static> Stream for Batch<T> {
    type Item = BatchEvent<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_event(cx).map(|next| next.map(|(_, event)| event))
    }
}

impl<T: Send + 'static> IntoFuture for Batch<T> {
    type Output = BatchResults<T>;
    type IntoFuture = BoxFuture<'static, BatchResults<T>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.finish())
    }
}

impl<T> fmt::Debug for Batch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_name_gives_the_same_reference_for_ever_and_another_one_in_another_project() {
        // This very value: a later release that changes it would not find what an earlier one has made.
        assert_eq!(derived_reference("01JABC", "UK drinks"), "cintx-60G7YWCKM0634XJ814Z2A63Y35");
        let others = [("01JABD", "UK drinks"), ("01JABC", "UK drink"), ("01JABCU", "K drinks")];
        for (project, name) in others {
            assert_ne!(derived_reference(project, name), derived_reference("01JABC", "UK drinks"));
        }
    }

    fn items(count: u64) -> impl Iterator<Item = (String, u64)> {
        (0..count).map(|item| (format!("item {item}"), item))
    }

    /// The first takes longest; each third fails.
    async fn work(item: u64, count: u64) -> Result<u64, Error> {
        tokio::time::sleep(Duration::from_millis(10 * (count - item))).await;
        if item % 3 == 2 { Err(Error::setup(format!("{item} is no good"))) } else { Ok(item * 10) }
    }

    #[tokio::test(start_paused = true)]
    async fn results_are_in_order_errors_are_kept_and_no_more_than_allowed_are_under_way() {
        for concurrency in [1, 4, 50] {
            let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let (under_way, greatest) = (Arc::clone(&now), Arc::clone(&most));
            let batch = Batch::new(concurrency, items(20), move |item| {
                let (now, most) = (Arc::clone(&now), Arc::clone(&most));
                async move {
                    most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                    let done = work(item, 20).await;
                    now.fetch_sub(1, Ordering::Relaxed);
                    done
                }
            });
            assert_eq!((batch.len(), batch.is_empty()), (20, false));
            let (seen, events) = std::sync::mpsc::channel();
            let results = batch.observe(move |event| seen.send((event.key().to_owned(), event.is_finished())).unwrap());
            let results = results.await;
            let done: Vec<u64> = results.done.iter().map(|(_, value)| *value).collect();
            assert_eq!(done, (0..20).filter(|item| item % 3 != 2).map(|item| item * 10).collect::<Vec<_>>());
            assert_eq!((results.failed.len(), &*results.failed[1].0), (6, "item 5"));
            let cause = std::error::Error::source(&results.failed[1].1).map(ToString::to_string);
            assert_eq!(cause.as_deref(), Some("5 is no good"));
            assert_eq!(greatest.load(Ordering::Relaxed), concurrency.min(20));
            assert_eq!(under_way.load(Ordering::Relaxed), 0);
            let events: Vec<_> = events.try_iter().collect();
            assert_eq!(events.iter().filter(|(_, is_finished)| *is_finished).count(), 20);
            for (key, _) in items(20) {
                let of_it: Vec<bool> =
                    events.iter().filter(|(it, _)| *it == key).map(|(_, finished)| *finished).collect();
                assert_eq!(of_it, [false, true], "{key} begins once, and ends once");
            }
            assert!(results.all().is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_is_a_stream_and_dropping_it_stops_it() {
        let begun = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&begun);
        let mut batch = Batch::new(2, items(9), move |item| {
            let count = Arc::clone(&count);
            async move {
                count.fetch_add(1, Ordering::Relaxed);
                work(item, 9).await
            }
        });
        while let Some(event) = batch.next().await {
            if event.is_finished() {
                break;
            }
        }
        drop(batch);
        tokio::time::sleep(Duration::from_secs(10)).await;
        let begun = begun.load(Ordering::Relaxed);
        assert!((2..=3).contains(&begun), "{begun} were begun");
        assert!(Batch::new(1, items(0), |item| work(item, 0)).await.all().unwrap().is_empty());
    }
}
