//! A whole study: project, feasibility, target group with interlocked quotas, field, reconciliation.
//! Without arguments it runs against a sandbox that it starts on loopback; `--live` talks to Cint.
//!
//! ```text
//! cargo run --example launch_study
//! cargo run --example launch_study -- --api-version 2025-02-17
//! CINT_CLIENT_ID=.. CINT_CLIENT_SECRET=.. CINT_ACCOUNT_ID=.. \
//!     cargo run --example launch_study -- --live --manager UUID --business-unit 3848
//! ```

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use cintx::audience::{Audience, Question};
use cintx::client::Credentials;
use cintx::http::AttemptEvent;
use cintx::reconciliation::{Reason, ReconciliationRow};
use cintx::supply::Supply;
use cintx::types::LengthOfInterview;
use cintx::{Client, Money, UserId, V2024_12_02, V2025_02_17, V2025_12_18, Version};
use cintx_sandbox::Sandbox;
use clap::Parser;
use jiff::{Timestamp, ToSpan as _};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Runs a whole study.
#[derive(Debug, Parser)]
struct Arguments {
    /// The dated API version.
    #[arg(long, default_value = "2025-12-18", value_parser = ["2024-12-02", "2025-02-17", "2025-12-18"])]
    api_version: String,
    /// Talk to Cint instead of a sandbox; supply is restricted to Cint's test supplier.
    #[arg(long)]
    live: bool,
    /// With --live: the id of the user who answers for the study.
    #[arg(long, required_if_eq("live", "true"))]
    manager: Option<UserId>,
    /// With --live: the business unit that buys.
    #[arg(long, required_if_eq("live", "true"))]
    business_unit: Option<i64>,
    /// With --live: a test respondent that completed the survey, to be reconciled.
    #[arg(long)]
    rid: Vec<String>,
}

/// Who runs the study, and where completes come from.
struct Setup {
    manager: UserId,
    business_unit: i64,
    sandbox: Option<Sandbox>,
    rids: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    match arguments.api_version.as_str() {
        "2024-12-02" => start::<V2024_12_02>(arguments).await,
        "2025-02-17" => start::<V2025_02_17>(arguments).await,
        _ => start::<V2025_12_18>(arguments).await,
    }
}

/// Builds the client: the one place where sandbox and Cint differ.
async fn start<V: Version>(arguments: Arguments) -> Result<()> {
    let builder = Client::<V>::builder().observe(print_attempt);
    if arguments.live {
        let account = std::env::var("CINT_ACCOUNT_ID").map_err(|_| "CINT_ACCOUNT_ID is not set")?.parse()?;
        let cint = builder.credentials(Credentials::from_env()?).account(account).build()?;
        let setup = Setup {
            manager: arguments.manager.ok_or("--manager is missing")?,
            business_unit: arguments.business_unit.ok_or("--business-unit is missing")?,
            sandbox: None,
            rids: arguments.rid,
        };
        return study(&cint, &setup).await;
    }
    let sandbox = Sandbox::builder().seed(7).field_pace(Duration::from_millis(20)).start().await?;
    println!("sandbox at {}, API version {}", sandbox.api_url(), arguments.api_version);
    let cint = builder
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .api_url(sandbox.api_url())
        .build()?;
    let setup = Setup {
        manager: sandbox.project_manager_id().parse()?,
        business_unit: sandbox.business_unit_id(),
        sandbox: Some(sandbox),
        rids: Vec::new(),
    };
    study(&cint, &setup).await
}

/// The study itself: the same code for every version, and for sandbox and Cint.
async fn study<V: Version>(cint: &Client<V>, setup: &Setup) -> Result<()> {
    println!("\n0. A token.");
    cint.authenticate().await?;
    println!("   the credentials are good");

    println!("\n1. A project.");
    let project = cint.projects().create("MyDrinksSurveyQ1", setup.manager).await?;
    println!("   project {}", project.id());

    println!("\n2. Whom to ask: age and gender, interlocked.");
    let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    let audience = Audience::interlock([age, gender]);
    let table = audience.quota_table(500)?;
    println!("{}", indented(&table.to_string()));

    println!("\n3. What can be had, and for how much.");
    let start = Timestamp::now() + 2.hours();
    let end = start + 240.hours();
    let draft = cint
        .project(&project)
        .draft_target_group("UK drinks")
        .business_unit(setup.business_unit)
        .manager(setup.manager)
        .locale("eng_gb")
        .completes_goal(500)
        .length_of_interview(LengthOfInterview::minutes(10))
        .incidence_rate("0.50")
        .fielding_period(start..end)
        .cost_per_interview(Money::new("2.73", "USD")?)
        .live_url("https://survey.example/?RID=[%RID%]")
        .supply(Supply::test_supplier_only())
        .audience(audience);
    let feasibility = draft.feasibility().await?;
    let show = |number: Option<i64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    println!("   {} to {} completes", show(feasibility.completes_min), show(feasibility.completes_max));
    if let Some(price) = &feasibility.suggested_price {
        println!("   suggested price {price}");
    }

    println!("\n4. The target group, as a draft.");
    let group = draft.create().await?;
    println!("   target group {}", group.id());

    println!("\n5. Into field.");
    let job = group.launch(end).await?;
    println!("   launch job {}", job.id());
    let mut run = job.until_live().await?;
    println!("   fielding run {} is {}", run.id(), run.status());

    let rids = completes(setup).await?;

    println!("\n6. Pause, resume, complete.");
    run.pause().await?;
    println!("   {}", run.status());
    run.resume().await?;
    println!("   {}", run.status());
    run.complete().await?;
    println!("   {}", run.status());

    println!("\n7. Reconciliation: one respondent was too fast.");
    let Some(rid) = rids.into_iter().next() else {
        println!("   nobody completed the survey: give a test respondent's RID with --rid");
        return Ok(());
    };
    let submitted =
        cint.reconciliations().submit("too-fast.csv", [ReconciliationRow::new(rid, Reason::Speeder)]).await?;
    let outcome = submitted.until_done().await?;
    println!("   reconciliation {}: {:?}", submitted.id(), outcome.status);
    println!(
        "   {} submitted, {} no longer count",
        show(outcome.counts.submitted),
        show(outcome.counts.negative_reversed)
    );
    Ok(())
}

/// In the sandbox, waits until somebody has completed the survey.
async fn completes(setup: &Setup) -> Result<Vec<String>> {
    let Some(sandbox) = &setup.sandbox else { return Ok(setup.rids.clone()) };
    for _ in 0..200 {
        let rids: Vec<String> =
            sandbox.respondents().into_iter().filter(|one| one.is_complete()).map(|one| one.rid).collect();
        if !rids.is_empty() {
            return Ok(rids);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("nobody completed the survey".into())
}

fn print_attempt(attempt: &AttemptEvent<'_>) {
    let status = attempt.status.map_or_else(|| "no answer".to_owned(), |status| status.as_u16().to_string());
    println!("   {status} {:<44} request {}", attempt.operation.id, attempt.trace_id);
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("   {line}")).collect::<Vec<_>>().join("\n")
}
