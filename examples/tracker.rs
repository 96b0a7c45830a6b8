//! Twelve countries from a CSV, tracked from feasibility to costs, in a sandbox: `cargo run --example tracker`.
//! `-- 100` kills it after so many answers, and runs it again: it comes to the same end, and makes nothing twice.

#[path = "tracker/track.rs"]
pub(crate) mod track;

use std::time::Duration;

use cintx::prelude::{Client, Credentials, Version};
use cintx::recovery::FileJournal;
use cintx::types::CurrencySums;
use cintx_sandbox::Sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kill_after = std::env::args().nth(1).map(|answers| answers.parse()).transpose()?;
    // With another version here it is the same tracker.
    println!("in the end it costs {}", run::<cintx::V2025_12_18>(kill_after).await?.0);
    Ok(())
}

/// Tracks in a sandbox whose clock stands until a day passes; at a fair price somebody comes every 50 minutes.
pub async fn run<V: Version>(kill_after: Option<usize>) -> Result<(CurrencySums, Sandbox), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().seed(7).standing_clock(1_795_514_400).job_delay(Duration::ZERO);
    let sandbox = sandbox.field_pace(Duration::from_secs(3_000)).field_burst(0).start().await?;
    let order = track::Order {
        rows: csv::Reader::from_reader(&include_bytes!("tracker.csv")[..]).deserialize().collect::<Result<_, _>>()?,
        manager: sandbox.project_manager_id().parse()?,
        business_unit: sandbox.business_unit_id(),
        start: sandbox.now() + Duration::from_secs(7_200),
    };
    let folder = tempfile::tempdir()?;
    let journal = FileJournal::open(folder.path().join("journal"))?;
    for kill_after in kill_after.into_iter().chain([usize::MAX]) {
        let cint = Client::<V>::builder()
            .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
            .account(i64::from(sandbox.account_id()))
            .api_url(sandbox.api_url())
            .clock(sandbox.clock())
            .journal(journal.clone())
            .build()?;
        tokio::select! {
            () = sandbox.answered(kill_after) => println!("killed after {kill_after} answers"),
            costs = track::track(&cint, &order, || sandbox.advance(Duration::from_secs(86_400))) =>
                return Ok((costs?, sandbox)),
        }
    }
    Err("the sandbox has answered too often".into())
}
