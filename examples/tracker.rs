//! Twelve countries from a CSV, tracked from feasibility to costs, in a sandbox: `cargo run --example tracker`.
//! `-- 100` kills it after so many answers, and runs it again: it comes to the same end, and makes nothing twice.

#[path = "tracker/track.rs"]
mod track;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cintx::Client;
use cintx::client::Credentials;
use cintx::recovery::FileJournal;
use cintx_sandbox::Sandbox;
use jiff::ToSpan as _;
use tokio::sync::Notify;

/// The version: with another one here it is the same tracker.
type Api = cintx::V2025_12_18;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let kill_after = std::env::args().nth(1).map_or(Ok(0), |answers| answers.parse())?;
    // Its clock stands until a day passes; at a fair price somebody comes every 50 minutes.
    let sandbox = Sandbox::builder().seed(7).standing_clock(1_795_514_400).job_delay(Duration::ZERO);
    let sandbox = Arc::new(sandbox.field_pace(Duration::from_secs(3_000)).field_burst(0).start().await?);
    let order = track::Order {
        rows: csv::Reader::from_reader(include_str!("tracker.csv").as_bytes())
            .deserialize()
            .collect::<Result<_, _>>()?,
        manager: sandbox.project_manager_id().parse()?,
        business_unit: sandbox.business_unit_id(),
        start: sandbox.now() + 2.hours(),
    };
    let folder = std::env::temp_dir().join(format!("cintx-tracker-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    for kill_after in [kill_after, 0] {
        let (answers, killed, clock) = (AtomicUsize::new(0), Arc::new(Notify::new()), Arc::clone(&sandbox));
        let kill = Arc::clone(&killed);
        let cint = Client::<Api>::builder()
            .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
            .account(i64::from(sandbox.account_id()))
            .api_url(sandbox.api_url())
            .clock(move || clock.now())
            .journal(FileJournal::open(folder.join("journal"))?)
            .observe(move |_| {
                if answers.fetch_add(1, Ordering::Relaxed) + 1 == kill_after {
                    kill.notify_one();
                }
            })
            .build()?;
        tokio::select! {
            biased;
            () = killed.notified() => println!("killed after {kill_after} answers"),
            costs = track::track(&cint, &order, || sandbox.advance(Duration::from_secs(86_400))) => {
                println!("in the end it costs {}", costs?);
                break;
            }
        }
    }
    Ok(std::fs::remove_dir_all(folder)?)
}
