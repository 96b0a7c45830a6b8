//! A target group in field, quota by quota, with progress bars: `cargo run --example watch_field`.
//! On the embedded sandbox, whose respondents come fast; half-way the goal is raised and the quotas re-balanced.

use std::error::Error;
use std::time::Duration;

use cintx::audience::{Audience, Question};
use cintx::client::Credentials;
use cintx::quota::{QuotaProgress, QuotaTable};
use cintx::supply::Supply;
use cintx::types::LengthOfInterview;
use cintx::{Client, Money, V2025_12_18};
use cintx_sandbox::Sandbox;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::{Timestamp, ToSpan as _};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().seed(7).field_pace(Duration::from_secs(240)).start().await?;
    let cint = Client::<V2025_12_18>::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .api_url(sandbox.api_url())
        .build()?;
    let manager = sandbox.project_manager_id().parse()?;
    let project = cint.projects().create("MyDrinksSurveyQ1", manager).await?;
    let age = Question::range(42).band(18..=34, 40).band(35..=54, 35).band(55..=99, 25);
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    let start = Timestamp::now() + 2.hours();
    let group = cint
        .project(&project)
        .draft_target_group("UK drinks")
        .business_unit(sandbox.business_unit_id())
        .manager(manager)
        .locale("eng_gb")
        .completes_goal(120)
        .length_of_interview(LengthOfInterview::minutes(10))
        .incidence_rate("0.50")
        .fielding_period(start..start + 240.hours())
        .cost_per_interview(Money::new("2.73", "USD")?)
        .live_url("https://survey.example/?RID=[%RID%]")
        .supply(Supply::test_supplier_only())
        .audience(Audience::interlock([age, gender]))
        .create()
        .await?;
    group.launch(start + 240.hours()).await?.until_live().await?;

    let quotas = group.quotas();
    let mut tables = quotas.read().await?;
    let (screen, bars) = bars(&tables[0])?;
    let mut raised = false;
    for _ in 0..60 {
        // Half an hour of field each time; here it passes at once.
        sandbox.advance(Duration::from_secs(1_800));
        tokio::time::sleep(Duration::from_millis(80)).await;
        tables = quotas.read().await?;
        let progress = QuotaProgress::of(&tables);
        if !raised && progress.total.completes * 2 >= progress.total.target.unwrap_or(0) {
            raised = true;
            let plan = tables[0].rebalance_to(150)?;
            screen.println(format!("half full; the goal goes to 150:\n{plan}"))?;
            tables = quotas.apply(&plan).await?;
        }
        for ((_, quota), bar) in tables[0].cells().zip(&bars) {
            bar.set_length(quota.target.unwrap_or(0));
            bar.set_position(quota.completes);
        }
        if QuotaProgress::of(&tables).full == bars.len() {
            break;
        }
    }
    bars.iter().for_each(ProgressBar::abandon);
    println!("\n{}\n{}", tables[0], QuotaProgress::of(&tables));
    sandbox.stop().await;
    Ok(())
}

/// A bar for each cell.
fn bars(table: &QuotaTable) -> Result<(MultiProgress, Vec<ProgressBar>), Box<dyn Error>> {
    let style = ProgressStyle::with_template("{prefix:20} {bar:40} {pos:>3}/{len:3} {percent:>3} %")?;
    let screen = MultiProgress::new();
    let bars = table.cells().map(|(position, quota)| {
        let bar = screen.add(ProgressBar::new(quota.target.unwrap_or(0)).with_style(style.clone()));
        bar.set_prefix(table.label(&position));
        bar
    });
    let bars = bars.collect();
    Ok((screen, bars))
}
