//! A study from a file: planned, shown, and applied; planned again, there is nothing left to do.
//! Runs against a sandbox that it starts on loopback.
//!
//! ```text
//! cargo run --example plan_study
//! cargo run --example plan_study -- --api-version 2025-02-17 examples/study.toml
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use cintx::client::Credentials;
use cintx::fielding::FieldingPeriod;
use cintx::study::Study;
use cintx::{Client, V2024_12_02, V2025_02_17, V2025_12_18, Version};
use cintx_sandbox::Sandbox;
use clap::Parser;
use jiff::{Timestamp, ToSpan as _};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Plans and applies a study.
#[derive(Debug, Parser)]
struct Arguments {
    /// The dated API version.
    #[arg(long, default_value = "2025-12-18", value_parser = ["2024-12-02", "2025-02-17", "2025-12-18"])]
    api_version: String,
    /// The study, as TOML.
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/study.toml"))]
    study: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let run = match arguments.api_version.as_str() {
        "2024-12-02" => run::<V2024_12_02>(&arguments).await,
        "2025-02-17" => run::<V2025_02_17>(&arguments).await,
        _ => run::<V2025_12_18>(&arguments).await,
    };
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run<V: Version>(arguments: &Arguments) -> Result<()> {
    let mut study: Study = toml::from_str(&std::fs::read_to_string(&arguments.study)?)?;
    let sandbox = Sandbox::builder().seed(7).start().await?;
    let cint = Client::<V>::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .api_url(sandbox.api_url())
        .build()?;

    // The sandbox has a manager and a business unit of its own, and its days are today's.
    study.manager = sandbox.project_manager_id().parse()?;
    let start = Timestamp::now() + 2.hours();
    for group in &mut study.target_groups {
        group.business_unit = sandbox.business_unit_id().into();
        group.fielding_period = FieldingPeriod { start, end: start + 240.hours() };
    }

    for round in ["first", "second"] {
        println!("{round} time, API version {}:", arguments.api_version);
        let plan = study.plan(&cint).await?;
        print!("{plan}");
        let applied = plan.apply(|step| println!("  done: {step}")).await?;
        println!("  project {} with {} target groups\n", applied.project, applied.target_groups.len());
    }
    Ok(())
}
