//! What an answer may cost: a limit of work, a limit of time, and a way to call it off from another thread.
//! Every phase of the solver pays as it goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What may be spent on answers, given to [`Table::within`](crate::Table::within). A clone is the same budget: with one
/// kept back, another thread can [`cancel`](Self::cancel). All questions that share a budget spend from it.
///
/// ```
/// use std::time::Duration;
/// use cintx_quota::{Axis, Budget, SolveError, Stop, Table};
///
/// let table = Table::builder()
///     .axis(Axis::counts("age", [("18-34", 12), ("35+", 8)]))
///     .axis(Axis::counts("region", [("North", 11), ("South", 9)]))
///     .build()?;
/// let budget = Budget::unlimited().time(Duration::from_secs(2)).work(1_000_000_000);
/// assert_eq!(table.clone().within(&budget).solve()?.certificate().total, 20);
///
/// budget.cancel();
/// assert_eq!(table.within(&budget).solve(), Err(SolveError::Stopped(Stop::Cancelled)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Budget {
    spent: Arc<Spent>,
    most_work: Option<u64>,
    until: Option<Instant>,
}

#[derive(Debug, Default)]
struct Spent {
    work: AtomicU64,
    is_cancelled: AtomicBool,
}

/// Why an answer was not waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// The limit of work was reached.
    Work,
    /// The time was over.
    Time,
    /// Somebody called it off.
    Cancelled,
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Work => "the limit of work was reached",
            Self::Time => "the time was over",
            Self::Cancelled => "it was cancelled",
        })
    }
}

impl Budget {
    /// No limit; it can still be cancelled.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// At most so much work, counted in numbers that are looked at: some hundred million a second, and the same on every
    /// machine. Every question looks at each cell once at least: with 0, none is answered.
    #[must_use]
    pub fn work(self, most: u64) -> Self {
        Self { most_work: Some(most), ..self }
    }

    /// At most so much time from now on.
    #[must_use]
    pub fn time(self, time: Duration) -> Self {
        Self { until: Instant::now().checked_add(time), ..self }
    }

    /// Calls off whatever is under way with this budget or is still asked for with it. It takes some milliseconds to be
    /// heard, with very large tables some tens.
    pub fn cancel(&self) {
        self.spent.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// The work done so far.
    pub fn spent(&self) -> u64 {
        self.spent.work.load(Ordering::Relaxed)
    }

    /// Why nothing more may be spent, if so.
    pub fn stopped(&self) -> Option<Stop> {
        if self.spent.is_cancelled.load(Ordering::Relaxed) {
            Some(Stop::Cancelled)
        } else if self.most_work.is_some_and(|most| self.spent() > most) {
            Some(Stop::Work)
        } else if self.until.is_some_and(|until| Instant::now() >= until) {
            Some(Stop::Time)
        } else {
            None
        }
    }

    /// Pays for work; says whether nothing more may be spent. To be called for some thousand numbers at a time.
    pub(crate) fn is_over_after(&self, work: u64) -> bool {
        self.spent.work.fetch_add(work, Ordering::Relaxed);
        self.stopped().is_some()
    }
}

/// Two budgets are equal if they are the same one.
impl PartialEq for Budget {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.spent, &other.spent) && self.most_work == other.most_work && self.until == other.until
    }
}
