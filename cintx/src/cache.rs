//! A cache of answers that change rarely: at most one fetch of each is in flight. No lock is held during a fetch.

use std::any::Any;
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::error::Error;

/// The operation that lists, and the account that it lists for; 0 where that does not matter.
pub(crate) type Key = (&'static str, i64);

/// What the clones of one client have fetched.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    slots: Mutex<HashMap<Key, Slot>>,
    /// Wakes who waits for a fetch, however it ended.
    ended: Notify,
}

/// How a fetch failed, once it has.
type Failure = Arc<OnceLock<Error>>;

#[derive(Debug, Default)]
struct Slot {
    /// The fetch under way.
    fetching: Option<Failure>,
    /// When the fetch began that got it, and the list itself.
    kept: Option<(Instant, Box<dyn Any + Send + Sync>)>,
}

impl Cache {
    /// The list as it was at most `max_age` ago. A caller that asks during a fetch waits for that answer, and shares
    /// its failure; a later one fetches again. If the caller that fetches has gone, another one does.
    pub(crate) async fn get<T: Send + Sync + 'static>(
        &self,
        key: Key,
        max_age: Duration,
        fetch: impl Future<Output = Result<Vec<T>, Error>>,
    ) -> Result<Arc<[T]>, Error> {
        let asked = Instant::now();
        loop {
            // Registered before the look, so that no end in between is missed.
            let mut ended = pin!(self.ended.notified());
            ended.as_mut().enable();
            match self.look(key, asked, max_age) {
                Look::Kept(list) => return Ok(list),
                Look::Fetch(flight) => {
                    let begun = Instant::now();
                    return match fetch.await {
                        Ok(list) => {
                            let list: Arc<[T]> = list.into();
                            flight.keep(begun, Box::new(Arc::clone(&list)));
                            Ok(list)
                        }
                        Err(error) => {
                            flight.fail(error.clone());
                            Err(error)
                        }
                    };
                }
                Look::Wait(failure) => {
                    ended.await;
                    if let Some(error) = failure.get() {
                        return Err(error.clone());
                    }
                }
            }
        }
    }

    /// Forgets everything; a fetch under way is still kept.
    pub(crate) fn clear(&self) {
        self.slots().values_mut().for_each(|slot| slot.kept = None);
    }

    fn look<T: 'static>(&self, key: Key, asked: Instant, max_age: Duration) -> Look<'_, T> {
        let mut slots = self.slots();
        let slot = slots.entry(key).or_default();
        let fresh = slot.kept.as_ref().filter(|(begun, _)| asked.saturating_duration_since(*begun) <= max_age);
        if let Some(list) = fresh.and_then(|(_, list)| list.downcast_ref::<Arc<[T]>>()) {
            return Look::Kept(Arc::clone(list));
        }
        match &slot.fetching {
            Some(failure) => Look::Wait(Arc::clone(failure)),
            None => {
                let failure = Arc::clone(slot.fetching.insert(Failure::default()));
                Look::Fetch(InFlightCall { cache: self, key, failure })
            }
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Key, Slot>> {
        // A slot is never left half changed.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Look<'a, T> {
    Kept(Arc<[T]>),
    Fetch(InFlightCall<'a>),
    Wait(Failure),
}

/// A fetch under way; over when it is dropped, even if its caller has gone.
struct InFlightCall<'a> {
    cache: &'a Cache,
    key: Key,
    failure: Failure,
}

impl InFlightCall<'_> {
    fn keep(self, begun: Instant, list: Box<dyn Any + Send + Sync>) {
        self.cache.slots().entry(self.key).or_default().kept = Some((begun, list));
    }

    /// Tells who waits now; dropping the flight wakes them.
    fn fail(self, error: Error) {
        // Only this flight sets it, once.
        self.failure.set(error).ok();
    }
}

impl Drop for InFlightCall<'_> {
    fn drop(&mut self) {
        self.cache.slots().entry(self.key).or_default().fetching = None;
        self.cache.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    const KEY: Key = ("get_locales", 0);
    const HOUR: Duration = Duration::from_secs(3_600);

    /// Fetches that take a second and count themselves.
    struct Source {
        cache: Cache,
        fetches: AtomicUsize,
        fails: AtomicUsize,
    }

    impl Source {
        fn new(fails: usize) -> Self {
            Self { cache: Cache::default(), fetches: AtomicUsize::new(0), fails: AtomicUsize::new(fails) }
        }

        async fn get(&self, max_age: Duration) -> Result<Arc<[usize]>, Error> {
            let fetch = async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let number = self.fetches.fetch_add(1, Ordering::SeqCst);
                if number < self.fails.load(Ordering::SeqCst) {
                    return Err(Error::timeout("locales", Duration::from_secs(1)));
                }
                Ok(vec![number])
            };
            self.cache.get(KEY, max_age, fetch).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_callers_make_one_fetch_until_it_is_too_old() {
        let source = Source::new(0);
        let all = join_all((0..1_000).map(|_| source.get(HOUR))).await;
        assert!(all.into_iter().all(|list| *list.unwrap() == [0]));
        tokio::time::advance(HOUR - Duration::from_secs(1)).await;
        assert_eq!(*source.get(HOUR).await.unwrap(), [0]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(*source.get(HOUR).await.unwrap(), [1]);
        assert_eq!(*source.get(Duration::ZERO).await.unwrap(), [2], "who wants news gets news");
        assert_eq!(*source.get(HOUR).await.unwrap(), [2], "and the others have them, too");
        source.cache.clear();
        assert_eq!(*source.get(HOUR).await.unwrap(), [3]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_shared_by_who_waited_and_by_nobody_else() {
        let source = Source::new(2);
        for fetches in [1, 2] {
            let all = join_all((0..10).map(|_| source.get(HOUR))).await;
            assert!(all.iter().all(|list| list.as_ref().is_err_and(|error| error.to_string().contains("locales"))));
            assert_eq!(source.fetches.load(Ordering::SeqCst), fetches);
        }
        assert_eq!(*source.get(HOUR).await.unwrap(), [2]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_abandoned_fetch_keeps_nobody_waiting() {
        let source = Source::new(0);
        let (gone, stays) = (source.get(HOUR), source.get(HOUR));
        let gone = tokio::time::timeout(Duration::from_millis(500), gone);
        let (gone, stays) = futures_util::future::join(gone, stays).await;
        assert!(gone.is_err() && stays.is_ok());
    }
}
