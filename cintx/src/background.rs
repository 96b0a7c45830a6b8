//! Work that keeps a processor busy, done on a thread of its own: never on one of the runtime that awaits it.
//! It is called off when nobody waits for it any more.

use cintx_quota::Budget;

/// Cancels what is under way when it is dropped.
struct CancelOnDrop(Budget);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Does the work within a budget, on a thread for blocking work; `None` if that thread was shut down with its runtime.
/// Dropping the future cancels the budget. Outside a runtime it is done at once.
pub(crate) async fn in_background<T: Send + 'static>(
    budget: Budget,
    work: impl FnOnce(&Budget) -> T + Send + 'static,
) -> Option<T> {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return Some(work(&budget)) };
    let _guard = CancelOnDrop(budget.clone());
    runtime.spawn_blocking(move || work(&budget)).await.ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn work_is_done_on_another_thread() {
        let here = thread::current().id();
        let there = in_background(Budget::unlimited(), |_| thread::current().id()).await;
        assert!(there.is_some_and(|there| there != here));
    }

    #[tokio::test]
    async fn who_does_not_wait_any_more_calls_it_off() {
        let (told, heard) = mpsc::channel();
        let work = in_background(Budget::unlimited(), move |budget: &Budget| {
            while budget.stopped().is_none() {
                thread::sleep(Duration::from_millis(1));
            }
            told.send(budget.stopped()).unwrap();
        });
        assert!(tokio::time::timeout(Duration::from_millis(20), work).await.is_err(), "it goes on for ever");
        assert_eq!(heard.recv_timeout(Duration::from_secs(20)), Ok(Some(cintx_quota::Stop::Cancelled)));
    }

    #[test]
    fn without_a_runtime_it_is_done_at_once() {
        let done = futures_util::FutureExt::now_or_never(in_background(Budget::unlimited(), |_| 7));
        assert_eq!(done, Some(Some(7)));
    }
}
