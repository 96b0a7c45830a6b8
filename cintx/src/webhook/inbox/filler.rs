//! Fills gaps by polling: what a session lacks is looked up in the history of the subscription, and accepted.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Accepted, Gap, Inbox, InboxError, ago};
use crate::client::options::with_options;
use crate::error::Error;
use crate::paging::ListRequest;
use crate::version::Version;
use crate::webhook::receive::{Event, EventData};
use crate::webhook::{HasWebhookHistory, Webhook, WebhookEventType, WebhookHistory};

/// A gap that is younger may fill by itself.
const WAIT: Duration = Duration::from_secs(120);
/// How long before its successor came a missing event may have been made: Cint delivers for up to seven days.
const LOOKBACK: Duration = Duration::from_secs(7 * 86_400);
/// How often the history is asked while there are gaps.
const EVERY: Duration = Duration::from_secs(300);
/// How far that is put off while the history has nothing that is missing.
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(3_600);
/// What the history does not have by then, it will never have.
const OLDEST_GAP: Duration = Duration::from_secs(8 * 86_400);
const PAGE_ITEMS: u16 = 100;
/// How many gaps are looked for at once. Where there are more, the older ones are next.
const MAX_GAPS: usize = 10_000;

/// Fills the gaps of an inbox from the history of a subscription. Made by [`Inbox::filler`].
///
/// ```no_run
/// # async fn run(
/// #     webhook: cintx::webhook::Webhook<cintx::V2025_12_18>,
/// #     inbox: cintx::webhook::inbox::Inbox,
/// # ) -> Result<(), cintx::Error> {
/// use jiff::{Timestamp, ToSpan as _};
///
/// let filler = inbox.filler(&webhook);
/// // The server was away for an hour: what came last in a session leaves no gap.
/// filler.catch_up(Timestamp::now() - 1.hour()).await?;
/// tokio::spawn(async move { filler.run().await });
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct GapFiller<V: Version> {
    inbox: Inbox,
    webhook: Webhook<V>,
    wait: Duration,
    lookback: Duration,
    every: Duration,
    max_gaps: usize,
    /// From where on the next search goes back in time, and how many of that moment had their turn; if the last one was
    /// not over.
    next: Arc<Mutex<Option<(Timestamp, usize)>>>,
}

with_options!(GapFiller: webhook.client);

/// What filling gaps came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Filled {
    /// How many numbers were looked for.
    pub missing: u64,
    /// How many events of the history were read.
    pub read: u64,
    /// How many of them the inbox did not know before.
    pub new: u64,
    /// How many entries of the history are no events that can be read.
    pub unreadable: u64,
}

impl Inbox {
    /// Fills gaps from the history of this subscription, which must be for `session-updated`. Asks nothing by itself.
    pub fn filler<V: HasWebhookHistory>(&self, webhook: &Webhook<V>) -> GapFiller<V> {
        let (inbox, webhook, next) = (self.clone(), webhook.clone(), Arc::default());
        GapFiller { inbox, webhook, wait: WAIT, lookback: LOOKBACK, every: EVERY, max_gaps: MAX_GAPS, next }
    }
}

impl<V: HasWebhookHistory> GapFiller<V> {
    /// How old a gap must be. Two minutes if not set: younger ones may fill by themselves.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// How far before a gap was noticed the history is read. Seven days if not set, for as long as Cint delivers; less
    /// is faster where your server was not away for long.
    #[must_use]
    pub fn lookback(mut self, time: Duration) -> Self {
        self.lookback = time;
        self
    }

    /// How often [`run`](Self::run) asks. Five minutes if not set.
    #[must_use]
    pub fn every(mut self, time: Duration) -> Self {
        self.every = time;
        self
    }

    /// How many gaps are looked for at once: 10,000 if not set, the newest first. Where there are more, the next search
    /// goes on with the older ones and then begins anew, so that each gap has its turn.
    #[must_use]
    pub fn max_gaps(mut self, gaps: usize) -> Self {
        self.max_gaps = gaps.max(1);
        self
    }

    /// Looks once for what is missing, and accepts it. Without gaps, nothing is asked.
    ///
    /// From 2025-12-18 on, as the history.
    ///
    /// # Errors
    /// The store's, or the API's: see [when a call fails](crate::guide::failures). What was found before is accepted.
    pub async fn fill(&self) -> Result<Filled, Error> {
        let now = self.inbox.clock.now();
        let gaps = self.due(ago(now, OLDEST_GAP), ago(now, self.wait)).await;
        let gaps = gaps.map_err(|error| Error::local_unsent("the gaps of the inbox cannot be read", error))?;
        let Some(first) = gaps.iter().map(|gap| gap.since).min() else { return Ok(Filled::default()) };
        let mut wanted = Wanted::new(&gaps);
        let missing = wanted.left;
        let history = self.webhook.history(ago(first, self.lookback)).event(WebhookEventType::SessionUpdated);
        let mut filled = self.read(history, |event| wanted.takes(event)).await?;
        filled.missing = missing;
        Ok(filled)
    }

    /// Accepts everything that the history has since a moment, whether something is missing or not: for after your
    /// server was away, as the last event of a session leaves no gap when it is lost. Of a quota's counts only the last
    /// ones are accepted, once all of the history is read.
    ///
    /// The history tells counts without the envelope that has their time: they go by the time of the entry. Should that
    /// be later than the envelope's, counts that came by themselves in between are taken for older until the next
    /// ones.
    ///
    /// Sessions' events that are known already are dropped by their numbers, others by their ids. Where Cint's history
    /// has other ids than its deliveries, a change of a target group may be handed on once more.
    ///
    /// From 2025-12-18 on, as the history.
    ///
    /// # Errors
    /// As for [`fill`](Self::fill).
    pub async fn catch_up(&self, since: Timestamp) -> Result<Filled, Error> {
        let mut counts = LastCounts::default();
        let wish = |event: &Event| if counts.keep(event) { Wish::Leave } else { Wish::Take };
        let mut filled = self.read(self.webhook.history(since), wish).await?;
        filled.new += self.accept(counts.0.into_values().collect()).await?;
        Ok(filled)
    }

    /// Fills again and again, as long as it is polled. What fails is told to the log, and tried again. While gaps stay
    /// that the history cannot fill, it asks less often, once an hour at least.
    pub async fn run(&self) -> Infallible {
        let mut wait = self.every;
        loop {
            match self.fill().await {
                Ok(Filled { missing, new: 0, .. }) if missing > 0 => {
                    wait = (wait * 2).min(MAX_RETRY_PAUSE.max(self.every))
                }
                Ok(filled) => {
                    wait = self.every;
                    if filled.new > 0 {
                        tracing::info!(filled.missing, filled.new, "filled gaps from the history");
                    }
                }
                Err(error) => tracing::warn!(error = format!("{error:#}"), "the gaps of sessions cannot be filled now"),
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// The gaps whose turn it is.
    async fn due(&self, oldest: Timestamp, newest: Timestamp) -> Result<Vec<Gap>, InboxError> {
        let lock = || self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lock().take().filter(|(from, _)| (oldest..=newest).contains(from));
        let (mut from, mut tried) = kept.unwrap_or((newest, 0));
        let mut gaps = self.inbox.gaps_since(oldest..=from, self.max_gaps.saturating_add(tried)).await?;
        gaps.drain(..tried.min(gaps.len()));
        if gaps.is_empty() && kept.is_some() {
            (from, tried) = (newest, 0);
            gaps = self.inbox.gaps_since(oldest..=newest, self.max_gaps).await?;
        }
        if let Some(last) = gaps.last().filter(|_| gaps.len() >= self.max_gaps) {
            let of_now = gaps.iter().filter(|gap| gap.since == last.since).count();
            *lock() = Some((last.since, of_now + if last.since == from { tried } else { 0 }));
        }
        Ok(gaps)
    }

    /// Reads a history page by page, and accepts what is wished for.
    async fn read(
        &self,
        history: ListRequest<WebhookHistory<V>>,
        mut wish: impl FnMut(&Event) -> Wish,
    ) -> Result<Filled, Error> {
        let mut filled = Filled::default();
        let mut pages = history.page_size(PAGE_ITEMS).pages();
        while let Some(page) = pages.try_next().await? {
            let (mut events, mut is_last) = (Vec::new(), false);
            for delivery in &page.items {
                filled.read += 1;
                match Event::from_delivery(delivery) {
                    Ok(event) => match wish(&event) {
                        Wish::Take => events.push(event),
                        Wish::TakeLast => {
                            events.push(event);
                            is_last = true;
                            break;
                        }
                        Wish::Leave => {}
                    },
                    Err(error) => {
                        filled.unreadable += 1;
                        tracing::warn!(%error, entry = delivery.id, "an entry of the history is no event");
                    }
                }
            }
            filled.new += self.accept(events).await?;
            if is_last {
                break;
            }
        }
        Ok(filled)
    }

    /// Accepts events, which together share a commit. Answers how many the inbox did not know before.
    async fn accept(&self, events: Vec<Event>) -> Result<u64, Error> {
        let accepted = join_all(events.into_iter().map(|event| self.inbox.accept(event))).await;
        let accepted: Result<Vec<Accepted>, InboxError> = accepted.into_iter().collect();
        let new = accepted.map_err(|error| Error::local("the inbox cannot take events", error))?;
        Ok(new.iter().filter(|it| matches!(it, Accepted::New | Accepted::Waiting)).count() as u64)
    }
}

/// The last counts of each quota, by target group and quota.
#[derive(Default)]
struct LastCounts(BTreeMap<(String, Option<String>), Event>);

impl LastCounts {
    /// Keeps an event if it tells counts, unless later ones are kept. Answers whether it tells any.
    fn keep(&mut self, event: &Event) -> bool {
        let (EventData::QuotaFillRegistered(fill), Some(order)) = (event.data(), event.count_order()) else {
            return false;
        };
        let kept = self.0.entry((fill.target_group_id.clone(), fill.profile_quota_id.clone()));
        let kept = kept.or_insert_with(|| event.clone());
        // By the inbox's own rule, which would drop all others.
        if Some(order) > kept.count_order() {
            kept.clone_from(event);
        }
        true
    }
}

/// What is to be done with an event of the history.
enum Wish {
    Take,
    /// Nothing else is missing.
    TakeLast,
    Leave,
}

/// The numbers that are missing.
struct Wanted<'a> {
    ranges: HashMap<&'a str, Vec<(i64, i64)>>,
    found: HashSet<(String, i64)>,
    left: u64,
}

impl<'a> Wanted<'a> {
    fn new(gaps: &'a [Gap]) -> Self {
        let (mut ranges, mut left): (HashMap<_, Vec<_>>, u64) = (HashMap::new(), 0);
        for gap in gaps {
            ranges.entry(&*gap.session).or_default().push((gap.first, gap.last));
            let count = gap.last.saturating_sub(gap.first).saturating_add(1);
            left = left.saturating_add(u64::try_from(count).unwrap_or(0));
        }
        Self { ranges, found: HashSet::new(), left }
    }

    fn takes(&mut self, event: &Event) -> Wish {
        let EventData::SessionUpdated(update) = event.data() else { return Wish::Leave };
        let (session, number) = (&update.response_session_id, update.sequence_number);
        let ranges = self.ranges.get(&**session).into_iter().flatten();
        let is_wanted = ranges.into_iter().any(|(first, last)| (*first..=*last).contains(&number));
        if !is_wanted || !self.found.insert((session.clone(), number)) {
            return Wish::Leave;
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 { Wish::TakeLast } else { Wish::Take }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_quotas_counts_the_newest_are_kept_in_any_order() {
        let event = |second: u32, completes: i64| {
            let data = json!({ "target_group_id": "g", "profile_quota_id": "q", "completes": completes, "screens": 9 });
            let time = format!("2026-11-29T10:00:{second:02}Z");
            let id = format!("{second} {completes}");
            let event = json!({ "id": id, "type": "com.cint.quota.fill.registered", "time": time, "data": data });
            Event::parse(event.to_string().as_bytes()).unwrap()
        };
        let kept = |order: [(u32, i64); 3]| {
            let mut counts = LastCounts::default();
            assert!(order.into_iter().all(|(second, completes)| counts.keep(&event(second, completes))));
            counts.0.into_values().next().unwrap().id().to_owned()
        };
        // Of one moment, more is newer.
        assert_eq!(kept([(1, 9), (2, 5), (2, 4)]), "2 5");
        assert_eq!(kept([(2, 4), (2, 5), (1, 9)]), "2 5");
    }
}
