//! A rate that processes share: one row says when the next request may leave. Each process has one turn at a time in
//! that schedule, so that busy ones take turns and get equal shares.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cintx::http::pace::{AdaptivePacer, Observation, Pace, PaceRequest, Pacer, Permit, TooLate};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;
use tokio_postgres::types::ToSql;

use crate::database::Database;
use crate::error::Error;

/// For the database to give a turn.
const TURN_LIMIT: Duration = Duration::from_secs(2);
/// After the database failed, it is not asked again for so long.
const FAILURE_LIFE: Duration = Duration::from_secs(1);
/// Turns that came so late at most are made up for: timers and busy machines are late at times.
const CATCH_UP: Duration = Duration::from_millis(50);
/// A pause for all without a time of its own.
const PAUSE: Duration = Duration::from_secs(1);
/// No wait is longer than this, as far as the database is concerned.
const MAX_WAIT: Duration = Duration::from_secs(86_400);

/// Divides a known rate among all processes that name it, in the table `cintx.pace`.
///
/// - **Together they keep to it**: requests leave one after the other, evenly, by the clock of the database.
/// - **Fair**: busy processes take turns, whatever each has to do. What one does not use, the others have.
/// - **No turn is lost**: one whose request gave up goes to the next request of the same process, and where the database
///   answers late, turns that are due are taken several at once.
/// - **429 stops all**: a `Retry-After` that one process is told moves the schedule of all.
/// - An [`AdaptivePacer`] in each process limits what is on its way, goes slower where the API bears less than the rate
///   that was given, and stands in alone while the database cannot be reached.
pub struct PostgresPacer {
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    name: String,
    interval: Duration,
    inner: AdaptivePacer,
    /// Those that come for the first time wait here, so that one of them at most is before those that come again.
    first_timers: Mutex<()>,
    line: Arc<Mutex<Turns>>,
    /// How many wait for a turn.
    waiting: AtomicUsize,
}

/// Somebody who waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn one_of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the first in line knows.
#[derive(Debug, Default)]
struct Turns {
    /// Turns of this process that nobody has used yet.
    reserved: VecDeque<Instant>,
    /// The database failed, and is not asked before.
    failed_until: Option<Instant>,
}

/// What the database says.
enum Reservation {
    /// Turns: one, or all that are due already.
    At(VecDeque<Instant>),
    TooLate(TooLate),
    /// It cannot be reached.
    None,
}

impl PostgresPacer {
    pub(crate) fn new(database: Database, name: String, requests_per_second: f64) -> Result<Self, Error> {
        let interval = Duration::try_from_secs_f64(1.0 / requests_per_second)
            .ok()
            .filter(|interval| (Duration::from_micros(1)..=MAX_WAIT).contains(interval))
            .ok_or_else(|| Error::Value {
                field: "requests_per_second",
                got: requests_per_second.to_string(),
                allowed: "more than 0.00002 and at most 1,000,000",
            })?;
        let shared = Shared {
            database,
            name,
            interval,
            inner: AdaptivePacer::new(),
            first_timers: Mutex::new(()),
            line: Arc::default(),
            waiting: AtomicUsize::new(0),
        };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl Pacer for PostgresPacer {
    fn acquire(&self, request: PaceRequest) -> Pin<Box<dyn Future<Output = Result<Permit, TooLate>> + Send + '_>> {
        Box::pin(async move {
            let turn = tokio::time::timeout(request.within(), self.shared.acquire(request));
            turn.await.unwrap_or(Err(TooLate::new(None)))
        })
    }

    fn pace(&self) -> Pace {
        let mut pace = self.shared.inner.pace();
        let rate = 1.0 / self.shared.interval.as_secs_f64();
        pace.requests_per_second = Some(pace.requests_per_second.map_or(rate, |learned| learned.min(rate)));
        pace
    }
}

impl Shared {
    async fn acquire(self: &Arc<Self>, request: PaceRequest) -> Result<Permit, TooLate> {
        let began = Instant::now();
        let _waiting = Waiting::one_of(&self.waiting);
        let _first_timer = match request.is_again() {
            true => None,
            false => Some(self.first_timers.lock().await),
        };
        let mut line = Arc::clone(&self.line).lock_owned().await;
        let left = || request.within().saturating_sub(began.elapsed());
        let inner = PaceRequest::new(left()).with_max_pause(request.max_pause()).again(request.is_again());
        let permit = self.inner.acquire(inner).await?;
        let too_old = Instant::now().checked_sub(self.interval.max(CATCH_UP));
        while line.reserved.front().is_some_and(|at| too_old.is_some_and(|old| *at < old)) {
            line.reserved.pop_front();
        }
        if line.reserved.is_empty() {
            let reservation;
            (line, reservation) = self.reserve(line, left().min(request.max_pause())).await?;
            if let Reservation::TooLate(error) = reservation {
                return Err(error);
            }
        }
        if let Some(at) = line.reserved.front() {
            tokio::time::sleep_until(*at).await;
            line.reserved.pop_front();
        }
        Ok(self.permit(permit))
    }

    /// Asks the database for a turn. It goes on when the caller is dropped, so that the turn is there for the next one.
    async fn reserve(
        self: &Arc<Self>,
        mut line: OwnedMutexGuard<Turns>,
        within: Duration,
    ) -> Result<(OwnedMutexGuard<Turns>, Reservation), TooLate> {
        line.reserved.clear();
        if line.failed_until.is_some_and(|until| Instant::now() < until) {
            return Ok((line, Reservation::None));
        }
        let shared = Arc::clone(self);
        let asking = tokio::spawn(async move {
            let reservation = shared.ask(within).await;
            line.failed_until = None;
            match reservation {
                Reservation::At(ref turns) => line.reserved.clone_from(turns),
                Reservation::TooLate(_) => {}
                Reservation::None => line.failed_until = Some(Instant::now() + FAILURE_LIFE),
            }
            (line, reservation)
        });
        // It ends otherwise with its runtime alone.
        asking.await.map_err(|_| TooLate::new(None))
    }

    async fn ask(&self, within: Duration) -> Reservation {
        match tokio::time::timeout(TURN_LIMIT, self.next_turn(within)).await {
            Ok(Ok(reservation)) => reservation,
            Ok(Err(error)) => {
                tracing::warn!(%error, "no turn from the shared rate: this process goes by its own pace");
                Reservation::None
            }
            Err(_) => {
                tracing::warn!("no turn from the shared rate in time: this process goes by its own pace");
                Reservation::None
            }
        }
    }

    /// The next turn, if it comes in time; then it is ours. Those that are due and that nobody has taken come along, as
    /// many as wait here: where the database is far away or busy, they would be lost.
    async fn next_turn(&self, within: Duration) -> Result<Reservation, Error> {
        let client = self.database.connection().await?;
        let take =
            "INSERT INTO cintx.pace AS pace (name, free_at) VALUES ($1, clock_timestamp() + $2 * interval '1 second')
            ON CONFLICT (name) DO UPDATE
            SET (free_at, taken) = (
                SELECT due.at + due.turns * $2 * interval '1 second', due.turns FROM (
                    SELECT first.at, 1 + least($5::float8 - 1, greatest(0, floor(
                        extract(epoch FROM clock_timestamp() - first.at)::float8 / $2)))::integer AS turns
                    FROM (SELECT greatest(pace.free_at, clock_timestamp() - $4 * interval '1 second') AS at) AS first
                ) AS due)
            WHERE pace.free_at <= clock_timestamp() + $3 * interval '1 second'
            RETURNING extract(epoch FROM pace.free_at - clock_timestamp())::float8 - taken * $2, taken";
        let statement = client.prepare_cached(take).await?;
        let seconds = |time: Duration| time.min(MAX_WAIT).as_secs_f64();
        let (interval, within, catch_up) = (self.interval.as_secs_f64(), seconds(within), seconds(CATCH_UP));
        let waiting = i32::try_from(self.waiting.load(Ordering::Relaxed)).unwrap_or(i32::MAX).max(1);
        let values: [&(dyn ToSql + Sync); 5] = [&self.name, &interval, &within, &catch_up, &f64::from(waiting)];
        if let Some(row) = client.query_opt(&statement, &values).await? {
            let (first, taken): (f64, i32) = (row.try_get(0)?, row.try_get(1)?);
            let now = Instant::now();
            // One that is due is due now.
            let at = |turn: i32| now + duration(first + f64::from(turn) * interval);
            return Ok(Reservation::At((0..taken).map(at).collect()));
        }
        let free = "SELECT extract(epoch FROM free_at - clock_timestamp())::float8 FROM cintx.pace WHERE name = $1";
        let row = client.query_opt(free, &[&self.name]).await?;
        let free_in = row.map(|row| row.try_get(0)).transpose()?.map(duration);
        Ok(Reservation::TooLate(TooLate::new(free_in)))
    }

    /// A permit that tells this process's pacer how the attempt ended, and all processes of a pause.
    fn permit(self: &Arc<Self>, inner: Permit) -> Permit {
        let shared = Arc::clone(self);
        Permit::new(move |observation| {
            inner.report(observation);
            let pause = match observation {
                Observation::RateLimited { retry_after } => retry_after.unwrap_or(PAUSE),
                Observation::Overloaded { retry_after: Some(wait) } => wait,
                _ => return,
            };
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move {
                    if let Err(error) = shared.pause(pause).await {
                        tracing::warn!(%error, "the other processes are not told to pause");
                    }
                });
            }
        })
    }

    /// Nothing leaves for so long, in any process.
    async fn pause(&self, time: Duration) -> Result<(), Error> {
        let client = self.database.connection().await?;
        let sql = "UPDATE cintx.pace SET free_at = greatest(free_at, clock_timestamp() + $2 * interval '1 second')
            WHERE name = $1";
        client.execute(sql, &[&self.name, &time.min(MAX_WAIT).as_secs_f64()]).await?;
        Ok(())
    }
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

impl fmt::Debug for PostgresPacer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresPacer")
            .field("name", &self.shared.name)
            .field("interval", &self.shared.interval)
            .finish_non_exhaustive()
    }
}
