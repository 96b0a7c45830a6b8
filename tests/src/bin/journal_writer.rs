//! Writes through a journal until it is killed, or until the journal takes no more; the other half of the tests of
//! `Client::recover`. It says what it does, line by line: what it found first, then each write before and after.

use std::io::Write as _;
use std::time::Duration;

use cintx::client::{RetryPolicy, Timeouts};
use cintx::error::ErrorKind;
use cintx::raw::v2025_12_18::types::{CreateWebhookRequest, ProjectInfo};
use cintx::recovery::{FileJournal, Intent, Recovered, Resolution};
use cintx::{Client, V2025_12_18};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// So many writes that the journal refuses are enough.
const REFUSALS: usize = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: journal_writer URL JOURNAL RUN");
    let (url, journal, run) = (next()?, next()?, next()?);
    let journal = FileJournal::open(journal)?;
    for line in journal.damaged() {
        say(&format!("damaged {line:?}"))?;
    }
    let client = Client::<V2025_12_18>::builder()
        .token("token")
        .account(2428)
        .api_url(url)
        .retry(RetryPolicy::none())
        .timeouts(Timeouts::standard().processing(Duration::ZERO))
        .journal(journal)
        .build()?;
    // Said before it is struck out, so that no kill takes the news away.
    let mut said = Ok(());
    let see = |one: &Recovered| {
        let (name, operation) = (name_of(&one.intent), one.intent.operation());
        said = say(&format!("recovered {name} {operation} {:?}", one.resolution));
    };
    let recovered = client.recover().inspect(see).await?;
    said?;
    for one in recovered.iter().filter(|one| matches!(one.resolution, Resolution::Unknown { .. })) {
        // Somebody has been told.
        client.discard(one).await?;
    }
    say("ready")?;
    let mut refused = 0;
    for number in 0_usize.. {
        let name = format!("{run}-{number}");
        say(&format!("try {name}"))?;
        let done = write(&client, &name, &run, number).await;
        match done {
            Ok(()) => say(&format!("done {name}"))?,
            Err(error) if error.kind() == ErrorKind::Journal => {
                say(&format!("refused {name} {}", error.outcome()))?;
                refused += 1;
                if refused == REFUSALS {
                    return Ok(());
                }
            }
            Err(error) => say(&format!("failed {name} {}", error.outcome()))?,
        }
    }
    Ok(())
}

async fn write(
    client: &Client<V2025_12_18>,
    name: &str,
    run: &str,
    number: usize,
) -> std::result::Result<(), cintx::Error> {
    // Each run begins elsewhere in the round.
    if (number + run.bytes().map(usize::from).sum::<usize>()) % 8 == 7 {
        // No key: sent once, whatever happens.
        let body = CreateWebhookRequest { events: Vec::new(), url: format!("https://survey.example/{name}") };
        client.raw().create_webhook(2428, &body).await?;
    } else {
        let body = ProjectInfo {
            name: name.to_owned(),
            project_manager_id: "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".to_owned(),
            project_customer_reference_number: None,
        };
        client.raw().create_project(2428, None, &body).await?;
    }
    Ok(())
}

/// What this program calls the write of an intent.
fn name_of(intent: &Intent) -> String {
    let body: serde_json::Value = intent.body().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let name = body["name"].as_str().or(body["url"].as_str()).unwrap_or_default();
    name.trim_start_matches("https://survey.example/").to_owned()
}

fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
