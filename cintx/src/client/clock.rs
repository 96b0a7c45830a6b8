//! What time it is: the machine's clock, or one of the caller's that stands still, runs fast or follows a simulation.
//! How long something waits is not its matter: that is tokio's clock, which tests can pause.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use jiff::Timestamp;

/// Says what time it is. A closure will do.
///
/// ```
/// use cintx::{Client, V2025_12_18};
/// use jiff::Timestamp;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let new_year: Timestamp = "2030-01-01T00:00:00Z".parse()?;
/// let cint = Client::<V2025_12_18>::builder().account(7).token("t").clock(move || new_year).build()?;
/// # let _ = cint;
/// # Ok(())
/// # }
/// ```
pub trait Clock: Send + Sync {
    /// This moment.
    fn now(&self) -> Timestamp;
}

impl<F: Fn() -> Timestamp + Send + Sync> Clock for F {
    fn now(&self) -> Timestamp {
        self()
    }
}

/// The clock of a client and of what belongs to it.
#[derive(Clone)]
pub(crate) struct SharedClock(Arc<dyn Clock>);

impl SharedClock {
    pub(crate) fn new(clock: impl Clock + 'static) -> Self {
        Self(Arc::new(clock))
    }

    /// The machine's.
    pub(crate) fn system() -> Self {
        Self::new(Timestamp::now)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.now()
    }
}

// It is only asked: what a panic of a caller's clock leaves behind is that clock's own.
impl RefUnwindSafe for SharedClock {}
impl UnwindSafe for SharedClock {}

impl fmt::Debug for SharedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedClock(..)")
    }
}
