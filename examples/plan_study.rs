//! A study from a file: planned, shown, and applied; planned again, there is nothing left to do.
//! Runs against a sandbox that it starts on loopback.
//!
//! ```text
//! cargo run --example plan_study
//! cargo run --example plan_study -- --api-version 2025-02-17 examples/study.toml
//! cargo run --example plan_study -- --check --json   # the plan alone; exit code 2 if there is something to do
//! cargo run --example plan_study -- --import         # what is there afterwards, as a file
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use cintx::client::Credentials;
use cintx::fielding::FieldingPeriod;
use cintx::study::{Plan, Study};
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
    /// Plan alone: ends with 0 if there is nothing to do, with 2 if there is.
    #[arg(long)]
    check: bool,
    /// Print plans as JSON.
    #[arg(long)]
    json: bool,
    /// Print the project as a file once it is applied.
    #[arg(long)]
    import: bool,
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
        Ok(code) => code,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run<V: Version>(arguments: &Arguments) -> Result<ExitCode> {
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

    if arguments.check {
        let plan = study.plan(&cint).await?;
        show(&plan, arguments)?;
        return Ok(plan.exit_code().into());
    }
    for round in ["first", "second"] {
        println!("{round} time, API version {}:", arguments.api_version);
        // One target group after the other, so that the steps are told in the plan's order.
        let plan = study.plan(&cint).await?.concurrency(1);
        show(&plan, arguments)?;
        let applied = plan.apply(|step| println!("  done: {step}")).await?;
        println!("  project {} with {} target groups\n", applied.project, applied.target_groups.len());
        if arguments.import && round == "second" {
            let imported = Study::import(&cint, applied.project).await?;
            print!("{}", toml::to_string(&imported.study)?);
            imported.left_out.iter().for_each(|what| println!("# left out: {what}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show<V: Version>(plan: &Plan<V>, arguments: &Arguments) -> Result<()> {
    match arguments.json {
        true => println!("{}", serde_json::to_string_pretty(plan)?),
        false => print!("{plan}"),
    }
    Ok(())
}
