//! A client that works for a day: 256 callers at a time, in bad weather, with tokens that live for an hour. Its memory
//! stays as it is, and when it is gone, no task and no request is left. Time is simulated.
//!
//! `CINTX_SOAK_HOURS` is how many hours it works: ten minutes if not set. From the second hour on memory is looked at,
//! too.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cintx::auth::{AccessToken, TokenError, TokenSource};
use cintx::http::{ByteStream, TransportError};
use cintx::{Client, ProjectId, Version};
use futures_util::future::join_all;
use http::{Method, Request, Response};
use serde_json::json;
use tokio::time::Instant;

const AT_ONCE: usize = 256;
const HOUR: Duration = Duration::from_secs(3_600);
/// Without `CINTX_SOAK_HOURS`.
const SHORT: Duration = Duration::from_secs(600);
/// The time that each worker leaves between its calls.
const PAUSE: Duration = Duration::from_secs(20);
/// What memory may grow by from the end of the first hour on, in kilobytes: in a day, ten bytes for a call.
const GROWTH_KB: u64 = 4 * 1024;

/// The server: slow at times, and a fifth of its answers are failures.
#[derive(Default)]
struct Weather {
    under_way: AtomicUsize,
    answered: AtomicU64,
}

/// A request that the server has; over when it is answered or dropped.
struct UnderWay(Arc<Weather>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn answer(weather: Arc<Weather>, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
    weather.under_way.fetch_add(1, Ordering::Relaxed);
    let under_way = UnderWay(weather);
    // One in 500 takes longer than any attempt waits.
    let slow = if fastrand::u32(..500) == 0 { 400_000 } else { 0 };
    tokio::time::sleep(Duration::from_millis(fastrand::u64(20..800) + slow)).await;
    under_way.0.answered.fetch_add(1, Ordering::Relaxed);
    let (status, body) = match (fastrand::u32(..100), request.method()) {
        (0..15, _) => (503, json!({ "message": "busy" })),
        (15..18, _) => return Err(TransportError::lost("the connection broke")),
        (18..20, _) => (401, json!({ "message": "another token" })),
        (_, &Method::POST) => (202, json!({ "id": "01JABCDEFGHJKMNPQRSTVWXYZ1" })),
        _ => {
            (200, json!({ "has_more": false, "target_groups": [{ "id": "01JABCDEFGHJKMNPQRSTVWXYZ2", "name": "a" }] }))
        }
    };
    let head = Response::builder().status(status).header("content-type", "application/json");
    head.body(ByteStream::from(body.to_string())).map_err(TransportError::not_sent)
}

/// Tokens that live for an hour.
struct Hourly;

impl TokenSource for Hourly {
    fn token(&self) -> Pin<Box<dyn Future<Output = Result<AccessToken, TokenError>> + Send + '_>> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            Ok(AccessToken::new(format!("{:032x}", fastrand::u128(..)), HOUR))
        })
    }
}

/// The memory of the process in kilobytes, where the system says so.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

async fn work<V: Version>(client: &Client<V>, until: Instant) -> (u64, u64) {
    let manager = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".parse().unwrap();
    let groups = client.project(ProjectId::new("01JABCDEFGHJKMNPQRSTVWXYZ0")).target_groups();
    let (mut calls, mut failed) = (0, 0);
    while Instant::now() < until {
        calls += 2;
        failed += u64::from(client.projects().create("MyDrinksSurveyQ1", manager).await.is_err());
        failed += u64::from(groups.list().stream().collect().await.is_err());
        tokio::time::sleep(PAUSE.mul_f64(fastrand::f64() * 2.0)).await;
    }
    (calls, failed)
}

/// As long as `CINTX_SOAK_HOURS` says.
pub(crate) fn leaves_nothing<V: Version>() {
    let hours: Option<u32> = std::env::var("CINTX_SOAK_HOURS").ok().map(|hours| hours.parse().unwrap());
    let lasts = hours.map_or(SHORT, |hours| HOUR * hours);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let weather = Arc::new(Weather::default());
    runtime.block_on(async {
        let server = Arc::clone(&weather);
        let client = Client::<V>::builder().account(1).token_source(Hourly).max_in_flight(AT_ONCE);
        let client = client.transport(move |request| answer(Arc::clone(&server), request)).build().unwrap();
        let (began, mut first, mut work_done) = (Instant::now(), None, (0, 0));
        while began.elapsed() < lasts {
            let until = began + (began.elapsed() + HOUR).min(lasts);
            for (calls, failed) in join_all((0..AT_ONCE).map(|_| work(&client, until))).await {
                work_done = (work_done.0 + calls, work_done.1 + failed);
            }
            let (calls, failed) = work_done;
            println!("{:.1?}: {calls} calls, {failed} failed, {:?} KB", began.elapsed(), memory());
            if let (Some(first), Some(now)) = (first, memory()) {
                assert!(now < first + GROWTH_KB, "{now} KB, {first} KB after an hour");
            }
            first = first.or_else(memory);
        }
        assert!(work_done.0 > 0 && work_done.1 * 10 < work_done.0, "{work_done:?}: a few may fail");
    });
    // A refresh of the token may have been under way when the client went.
    runtime.block_on(async { tokio::time::sleep(HOUR).await });
    assert_eq!(weather.under_way.load(Ordering::Relaxed), 0, "no request is left");
    assert_eq!(runtime.metrics().num_alive_tasks(), 0, "no task is left");
    println!("{} answers", weather.answered.load(Ordering::Relaxed));
}
