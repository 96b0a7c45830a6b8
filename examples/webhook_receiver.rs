//! A receiver of webhooks: verified, taken into an inbox in a file, acknowledged after the commit, handled once.
//! `cargo run --example webhook_receiver -- --demo` plays a short story against the embedded sandbox, whose deliveries
//! come twice, late, or not at first.
//!
//! Without `--demo` it listens at 127.0.0.1:8081 behind your proxy, with the inbox in `inbox.redb`, and wants
//! `CINT_WEBHOOK_SECRET`, as Cint showed it when the webhook was made.

use std::error::Error;
use std::time::{Duration, Instant};

use cintx::audience::{Audience, Question};
use cintx::client::Credentials;
use cintx::respondent::codes::ClientCode;
use cintx::respondent::{Entry, RespondentOutcome, ServerToServer};
use cintx::supply::Supply;
use cintx::target_group::TargetGroup;
use cintx::types::LengthOfInterview;
use cintx::webhook::WebhookEventType;
use cintx::webhook::inbox::{Inbox, RedbInboxStore, router};
use cintx::webhook::receive::Receiver;
use cintx::{Client, Money, V2025_12_18};
use cintx_sandbox::{Fault, Sandbox};
use jiff::{Timestamp, ToSpan as _};
use tokio::net::TcpListener;

#[path = "webhook_receiver/books.rs"]
mod books;

use books::Books;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|argument| argument == "--demo") {
        return demo().await;
    }
    let secret = std::env::var("CINT_WEBHOOK_SECRET").map_err(|_| "CINT_WEBHOOK_SECRET is not set")?;
    let inbox = Inbox::new(RedbInboxStore::open("inbox.redb")?);
    let app = router("/cint", Receiver::new(secret)?, inbox.clone());
    let listener = TcpListener::bind("127.0.0.1:8081").await?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut books = Books::of(Vec::new());
    loop {
        work(&inbox, &mut books).await?;
        inbox.changed().await;
    }
}

/// Handles what is there. What was handled before a crash, and not done, comes again under the same number.
async fn work(inbox: &Inbox, books: &mut Books) -> Result<(), Box<dyn Error>> {
    loop {
        let facts = inbox.take(100).await?;
        if facts.is_empty() {
            break;
        }
        facts.iter().for_each(|fact| books.enter(fact));
        inbox.done(&facts).await?;
    }
    let overdue = Timestamp::now() - 10.minutes();
    let gaps = inbox.gaps().await?.into_iter().filter(|gap| gap.since < overdue);
    for gap in books.new_gaps(gaps) {
        // With a client of 2025-12-18, `inbox.filler(&webhook)` looks them up in the subscription's history.
        eprintln!("session {} lacks {} to {} since {}", gap.session, gap.first, gap.last, gap.since);
    }
    Ok(())
}

async fn demo() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let sandbox = Sandbox::builder()
        .seed(7)
        .job_delay(Duration::ZERO)
        .field_pace(Duration::ZERO)
        .webhook_gateway(listener.local_addr()?.to_string())
        .webhook_retry(Duration::from_millis(20))
        .start()
        .await?;
    let cint = Client::<V2025_12_18>::builder()
        .credentials(Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url()))
        .account(i64::from(sandbox.account_id()))
        .api_url(sandbox.api_url())
        .build()?;
    let events = [WebhookEventType::SessionUpdated, WebhookEventType::QuotaFillRegistered];
    let made = cint.webhooks().create("https://hooks.example/cint", events).await?;

    let folder = tempfile::tempdir()?;
    let inbox = Inbox::new(RedbInboxStore::open(folder.path().join("inbox.redb"))?);
    let app = router("/cint", Receiver::new(made.secret)?, inbox.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let group = launch(&sandbox, &cint).await?;
    let mut books = Books::of(group.quotas().read().await?);
    sandbox.inject(Fault::on("webhook_delivery").deliver_twice().chance(0.2));
    sandbox.inject(Fault::on("webhook_delivery").deliver_late().chance(0.2));
    sandbox.inject(Fault::on("webhook_delivery").drop_before_applying().chance(0.1));

    let s2s = ServerToServer::builder().key(sandbox.s2s_key()).url(sandbox.s2s_url()).build()?;
    for number in 0..30 {
        let rid = sandbox.enter_respondent(group.id().as_str()).ok_or("nobody comes")?;
        let Entry::Admitted(respondent) = s2s.validate(&rid, &format!("https://survey.example/?RID={rid}")).await?
        else {
            return Err("a respondent was refused".into());
        };
        let outcome = if number % 3 == 0 { RespondentOutcome::Terminate } else { RespondentOutcome::Complete };
        s2s.finish(&respondent, outcome).await.confirmed().ok_or("an outcome is not confirmed")?;
        work(&inbox, &mut books).await?;
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    let truth = loop {
        work(&inbox, &mut books).await?;
        let read = group.quotas().read().await?;
        let all_gone = books.count(ClientCode::COMPLETE) == 20 && books.count(ClientCode::TERMINATE) == 10;
        if (all_gone && books.tables == read) || Instant::now() > deadline {
            break read;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    println!("{} facts handled", books.handled);
    println!(
        "sessions: {} complete, {} terminate, {} in all",
        books.count(ClientCode::COMPLETE),
        books.count(ClientCode::TERMINATE),
        books.sessions()
    );
    println!("quotas by events are those that the API reads: {}", books.tables == truth);
    println!("{}", books.tables.first().ok_or("no quotas")?);
    sandbox.stop().await;
    Ok(())
}

/// A target group in field.
async fn launch(sandbox: &Sandbox, cint: &Client<V2025_12_18>) -> Result<TargetGroup<V2025_12_18>, Box<dyn Error>> {
    let manager = sandbox.project_manager_id().parse()?;
    let project = cint.projects().create("Drinks", manager).await?;
    let start = Timestamp::now() + 2.hours();
    let group = cint
        .project(&project)
        .draft_target_group("UK drinks")
        .business_unit(sandbox.business_unit_id())
        .manager(manager)
        .locale("eng_gb")
        .completes_goal(120)
        .length_of_interview(LengthOfInterview::minutes(3))
        .incidence_rate("0.50")
        .fielding_period(start..start + 240.hours())
        .cost_per_interview(Money::new("2.73", "USD")?)
        .live_url("https://survey.example/?RID=[%RID%]")
        .supply(Supply::test_supplier_only())
        .audience(Audience::independent([Question::choice(43).option("1", 50).option("2", 50)]))
        .create()
        .await?;
    group.launch(start + 240.hours()).await?.until_live().await?;
    Ok(group)
}
