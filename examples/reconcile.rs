//! A CSV file of respondents in, what became of each out: `cargo run --example reconcile -- --demo`.
//!
//! ```text
//! CINT_CLIENT_ID=.. CINT_CLIENT_SECRET=.. CINT_ACCOUNT_ID=.. \
//!     cargo run --example reconcile -- --key wave-7 corrections.csv results.csv
//! ```
//!
//! The file has RIDs and reason codes. Stopped and started again, it goes on: how far it is stands beside the result,
//! in a file for each key.

use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use cintx::audience::{Audience, Question};
use cintx::client::Credentials;
use cintx::reconciliation::bulk::{BulkState, Corrections};
use cintx::reconciliation::{Reason, ReconciliationRow};
use cintx::report::{CostSummary, ReportRows, ReportScope};
use cintx::supply::Supply;
use cintx::types::LengthOfInterview;
use cintx::{Client, Money, V2025_12_18};
use cintx_sandbox::Sandbox;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{Timestamp, ToSpan as _};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;
type Cint = Client<V2025_12_18>;

/// Reconciles a file of respondents.
#[derive(Debug, Parser)]
struct Arguments {
    /// The file: a RID and a reason code in each line.
    #[arg(required_unless_present = "demo")]
    file: Option<PathBuf>,
    /// Where what became of each respondent is written.
    #[arg(required_unless_present = "demo")]
    results: Option<PathBuf>,
    /// What the reconciliation is called. The same file under the same key is submitted once.
    #[arg(long, default_value = "reconcile")]
    key: String,
    /// How many rows are submitted at once.
    #[arg(long, default_value_t = 100_000)]
    part_rows: usize,
    /// On a sandbox, with a file of its own.
    #[arg(long)]
    demo: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse() {
        Arguments { demo: false, file: Some(file), results: Some(results), key, part_rows } => {
            live(&file, &results, &key, part_rows).await
        }
        _ => demo().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// With Cint, by the credentials in the environment.
async fn live(file: &Path, results: &Path, key: &str, part_rows: usize) -> Result<()> {
    let account = std::env::var("CINT_ACCOUNT_ID").map_err(|_| "CINT_ACCOUNT_ID is not set")?.parse()?;
    let cint = Client::builder().credentials(Credentials::from_env()?).account(account).build()?;
    reconcile(&cint, file, results, key, part_rows).await
}

/// Where it stands how far a submission is: each key has a file of its own beside the result.
fn state_file(results: &Path, key: &str) -> PathBuf {
    let plain = |letter: char| if letter.is_alphanumeric() || letter == '-' { letter } else { '_' };
    let key: String = key.chars().map(plain).collect();
    results.with_extension(format!("{key}.state.json"))
}

/// Reads the file, submits it and writes what became of each respondent.
async fn reconcile(cint: &Cint, file: &Path, results: &Path, key: &str, part_rows: usize) -> Result<()> {
    let corrections = Corrections::from_csv(File::open(file)?)?;
    println!("{} respondents, {} lines repeated", corrections.len(), corrections.repeats());
    for warning in corrections.warnings() {
        println!("warning: {warning}");
    }
    if corrections.undated() > 0 {
        println!("no deadline is known for {}: nothing says when they completed", corrections.undated());
    }
    let style = ProgressStyle::with_template("{msg:9} {bar:40} {pos}/{len}")?;
    let bar = ProgressBar::new(2 * corrections.len() as u64).with_style(style);
    let state_file = state_file(results, key);
    let mut submission = cint.reconciliations().submit_in_parts(key, &corrections).part_rows(part_rows);
    match BulkState::load(&state_file) {
        Ok(Some(state)) => submission = submission.resume(state),
        Ok(None) => {}
        Err(error) => println!("warning: {}: {error}; each part is looked up instead", state_file.display()),
    }
    // What could not be kept is looked up by the next run.
    let mut unkept = None;
    let done = submission
        .run(|state| {
            unkept = state.save(&state_file).err();
            bar.set_message(if state.submitted_rows() < state.rows() { "sending" } else { "waiting" });
            bar.set_position((state.submitted_rows() + state.finished_rows()) as u64);
        })
        .await
        .map_err(|error| match error.invalid_fields().iter().any(|problem| problem.field() == "resume") {
            true => format!(
                "{} {error}; take another --key, or delete that file: then each part is looked up instead",
                state_file.display()
            )
            .into(),
            false => Box::<dyn Error + Send + Sync>::from(error),
        })?;
    bar.finish_and_clear();
    if let Some(error) = unkept {
        println!("warning: {} could not be written: {error}", state_file.display());
    }
    let joined = cint.reconciliations().results(&corrections, &done).await?;
    joined.write_csv(File::create(results)?)?;
    for (outcome, respondents) in joined.counts() {
        println!("{outcome:?}: {respondents}");
    }
    Ok(())
}

/// A field with completes, a file with a mistake, the mended file, and what it saves.
async fn demo() -> Result<()> {
    let sandbox = Sandbox::builder().seed(7).field_pace(Duration::from_secs(60)).job_delay(Duration::ZERO);
    let sandbox = sandbox.start().await?;
    let cint = Client::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .api_url(sandbox.api_url())
        .build()?;
    field(&cint, &sandbox).await?;
    // A report may end where its last day begins.
    let today = jiff::tz::Offset::UTC.to_datetime(Timestamp::now()).date();
    let reports = cint.reports();
    let order = reports.completes(ReportScope::Account, today - 7.days()..=today + 1.day());
    let mut report = Vec::new();
    order.await?.until_done().await?.write_to(&mut report).await?;
    let mut costs = CostSummary::new();
    let mut rows = Vec::new();
    for row in ReportRows::read(&*report)? {
        let row = row?;
        costs.add(&row);
        rows.extend(row.rid.map(|rid| ReconciliationRow::new(rid, Reason::Speeder)));
    }
    println!("{} completes cost {}", rows.len(), costs.total());
    // Every third one was too fast.
    let too_fast = Corrections::from_rows(rows.iter().step_by(3).cloned())?;

    let folder = tempfile::tempdir()?;
    let (file, results) = (folder.path().join("corrections.csv"), folder.path().join("results.csv"));
    too_fast.write_csv(File::create(&file)?)?;
    let mended = std::fs::read_to_string(&file)?;
    std::fs::write(&file, mended.replacen(",933\n", ",940\n", 1))?;
    if let Err(error) = reconcile(&cint, &file, &results, "wave-7", 20).await {
        println!("refused: {error}");
    }
    // Somebody who is not known to Cint is in it, too.
    std::fs::write(&file, mended + "71d5a5b5-4f02-4e32-9f5c-0a6f0c1c9b0e,933\n")?;
    // Another program has left what is no state.
    std::fs::write(state_file(&results, "wave-7"), "")?;
    reconcile(&cint, &file, &results, "wave-7", 20).await?;

    let state = BulkState::load(state_file(&results, "wave-7"))?.ok_or("no state was kept")?;
    let corrections = Corrections::from_csv(File::open(&file)?)?;
    let joined = cint.reconciliations().results(&corrections, &state).await?;
    println!("saved: {}", joined.saved(ReportRows::read(&*report)?)?);
    for line in std::fs::read_to_string(&results)?.lines().filter(|line| !line.contains("accepted")) {
        println!("{line}");
    }
    // The next wave, first under the key of the last one.
    Corrections::from_rows(rows.into_iter().skip(1).step_by(3))?.write_csv(File::create(&file)?)?;
    for key in ["wave-7", "wave-8"] {
        if let Err(error) = reconcile(&cint, &file, &results, key, 20).await {
            println!("refused: {error}");
        }
    }
    sandbox.stop().await;
    Ok(())
}

/// A target group, and half a day of respondents.
async fn field(cint: &Cint, sandbox: &Sandbox) -> Result<()> {
    let manager = sandbox.project_manager_id().parse()?;
    let project = cint.projects().create("MyDrinksSurveyQ1", manager).await?;
    let start = Timestamp::now() + 2.hours();
    let group = cint
        .project(&project)
        .draft_target_group("UK drinks")
        .business_unit(sandbox.business_unit_id())
        .manager(manager)
        .locale("eng_gb")
        .completes_goal(500)
        .length_of_interview(LengthOfInterview::minutes(10))
        .incidence_rate("0.50")
        .fielding_period(start..start + 240.hours())
        .cost_per_interview(Money::new("2.73", "USD")?)
        .live_url("https://survey.example/?RID=[%RID%]")
        .supply(Supply::test_supplier_only())
        .audience(Audience::independent([Question::choice(43).option("1", 49).option("2", 51)]))
        .create()
        .await?;
    group.launch(start + 240.hours()).await?.until_live().await?;
    sandbox.advance(Duration::from_secs(43_200));
    Ok(())
}
