//! The retry budget: shared by the clones of a client, so that retries do not overload an API that is down. Each retry
//! takes from it, each success gives back a little.

use std::sync::atomic::{AtomicU32, Ordering};

/// Some hundred retries beyond what successes pay for.
const FULL_BUDGET: u32 = 300;
/// A retry costs as much as three successes give back: in the long run at most one retry for three calls, so that an
/// API of whose answers a fifth fail is still served.
const RETRY_COST: u32 = 3;

#[derive(Debug)]
pub(crate) struct Budget(AtomicU32);

impl Budget {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(FULL_BUDGET))
    }

    /// Pays for a retry, if there is enough left.
    pub(crate) fn withdraw(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(RETRY_COST)).is_ok()
    }

    /// A call went well.
    pub(crate) fn deposit(&self) {
        let _ =
            self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| (left < FULL_BUDGET).then_some(left + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_retries_then_one_for_three_successes() {
        let budget = Budget::new();
        assert_eq!(std::iter::from_fn(|| budget.withdraw().then_some(())).count(), 100);
        for _ in 0..2 {
            budget.deposit();
        }
        assert!(!budget.withdraw());
        budget.deposit();
        assert!(budget.withdraw());
        for _ in 0..10_000 {
            budget.deposit();
        }
        assert_eq!(budget.0.into_inner(), FULL_BUDGET);
    }
}
