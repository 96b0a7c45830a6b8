//! Writes through a journal until it is killed; the other half of the test of `Client::recover`.
//! First it completes what its predecessor left, and says so line by line.

use std::io::Write as _;

use cintx::raw::v2025_12_18::types::{CreateWebhookRequest, ProjectInfo};
use cintx::recovery::FileJournal;
use cintx::{Client, V2025_12_18};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: journal_writer URL JOURNAL RUN");
    let (url, journal, run) = (next()?, next()?, next()?);
    let client = Client::<V2025_12_18>::builder()
        .token("token")
        .account(2428)
        .api_url(url)
        .journal(FileJournal::open(journal)?)
        .build()?;
    let mut out = std::io::stdout().lock();
    for recovered in client.recover().await? {
        writeln!(out, "{} {:?}", recovered.intent.operation(), recovered.resolution)?;
    }
    writeln!(out, "ready")?;
    out.flush()?;
    for number in 0_usize.. {
        let name = format!("{run}-{number}");
        // Each run begins elsewhere in the round.
        if (number + run.bytes().map(usize::from).sum::<usize>()) % 4 == 3 {
            // No key: sent once, whatever happens.
            let body = CreateWebhookRequest { events: Vec::new(), url: format!("https://survey.example/{name}") };
            client.raw().create_webhook(2428, &body).await?;
        } else {
            let body = ProjectInfo {
                name,
                project_manager_id: "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2".to_owned(),
                project_customer_reference_number: None,
            };
            client.raw().create_project(2428, None, &body).await?;
        }
    }
    Ok(())
}
