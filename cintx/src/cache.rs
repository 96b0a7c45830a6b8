//! Answers that change rarely, kept in memory for a while: one fetch of each in flight, whatever the load.
//! No lock is held while it is under way.

use std::any::Any;
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

#[derive(Debug, Default)]
struct Slot {
    fetching: bool,
    /// When the fetch began that got it, and the list itself.
    kept: Option<(Instant, Box<dyn Any + Send + Sync>)>,
}

impl Cache {
    /// The list as it was at most `max_age` ago. Who asks while somebody fetches it waits for that answer. A fetch that
    /// fails is its own caller's matter: the others go on, one at a time.
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
                    let list: Arc<[T]> = fetch.await?.into();
                    flight.keep(begun, Box::new(Arc::clone(&list)));
                    return Ok(list);
                }
                Look::Wait => ended.await,
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
        if std::mem::replace(&mut slot.fetching, true) { Look::Wait } else { Look::Fetch(Flight { cache: self, key }) }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Key, Slot>> {
        // A slot is never left half changed.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Look<'a, T> {
    Kept(Arc<[T]>),
    Fetch(Flight<'a>),
    Wait,
}

/// A fetch under way; over when it is dropped, even if its caller has gone.
struct Flight<'a> {
    cache: &'a Cache,
    key: Key,
}

impl Flight<'_> {
    fn keep(self, begun: Instant, list: Box<dyn Any + Send + Sync>) {
        self.cache.slots().entry(self.key).or_default().kept = Some((begun, list));
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.cache.slots().entry(self.key).or_default().fetching = false;
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
                    return Err(Error::incomplete("get_locales", "locales"));
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
    async fn a_failed_or_abandoned_fetch_keeps_nobody_waiting() {
        let source = Source::new(2);
        let all = join_all((0..10).map(|_| source.get(HOUR))).await;
        assert_eq!(all.iter().filter(|list| list.is_err()).count(), 2);
        assert_eq!(source.fetches.load(Ordering::SeqCst), 3);

        let source = Source::new(0);
        let (gone, stays) = (source.get(HOUR), source.get(HOUR));
        let gone = tokio::time::timeout(Duration::from_millis(500), gone);
        let (gone, stays) = futures_util::future::join(gone, stays).await;
        assert!(gone.is_err() && stays.is_ok());
    }
}
