//! Takes webhooks to their subscribers: one plain HTTP request each, heard
//! only if the answer names the event. The one part that calls out.

use crate::api::engine::Engine;
use crate::fault::{DELIVERY, Effect};
use crate::state::webhook::{self, Letter, Reception};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// How often it is looked for new events.
const ROUND_PAUSE: Duration = Duration::from_millis(20);
/// How long a subscriber may take.
const MAX_ANSWER_TIME: Duration = Duration::from_secs(10);
/// Answers beyond this are not read.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// Delivers for as long as the sandbox runs.
pub(crate) async fn deliver(engine: Arc<Engine>, gateway: Option<String>) {
    engine.world().has_courier = true;
    let free = Arc::new(Notify::new());
    loop {
        let letters = {
            let mut world = engine.world();
            if world.outbox.is_empty() { Vec::new() } else { webhook::letters(&mut world) }
        };
        for letter in letters {
            let (engine, gateway, free) = (engine.clone(), gateway.clone(), free.clone());
            tokio::spawn(async move {
                take(engine, gateway, letter).await;
                free.notify_one();
            });
        }
        // Something new may have come, or somebody can take the next one.
        let _ = tokio::time::timeout(ROUND_PAUSE, free.notified()).await;
    }
}

async fn take(engine: Arc<Engine>, gateway: Option<String>, letter: Letter) {
    let strike = engine.faults().draw(DELIVERY);
    if let Some(strike) = &strike {
        tokio::time::sleep(strike.wait + strike.delay).await;
    }
    let heard = match strike.map(|strike| strike.effect) {
        Some(Effect::DeliverLate) => {
            webhook::settle(&mut engine.world(), &letter.delivery, Reception::Overtaken);
            return;
        }
        // The way there, or the way back, is broken.
        Some(Effect::DropBefore | Effect::ResetBefore | Effect::Status { .. } | Effect::GatewayPage(_)) => false,
        Some(Effect::DropAfter | Effect::ResetAfter) => {
            hand_over(&letter, gateway.as_deref()).await;
            false
        }
        Some(Effect::DeliverTwice) => {
            hand_over(&letter, gateway.as_deref()).await && hand_over(&letter, gateway.as_deref()).await
        }
        _ => hand_over(&letter, gateway.as_deref()).await,
    };
    let reception = if heard { Reception::Heard } else { Reception::Unheard };
    webhook::settle(&mut engine.world(), &letter.delivery, reception);
}

/// Whether the subscriber has said that it has the event.
async fn hand_over(letter: &Letter, gateway: Option<&str>) -> bool {
    let exchange = async {
        let answer = post(letter, gateway).await?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let ok = head.split(' ').nth(1) == Some("200");
        // Bodies come whole or in chunks; both hold the JSON between braces.
        let json = body.get(body.find('{')?..=body.rfind('}')?)?;
        let body: Value = serde_json::from_str(json).ok()?;
        Some(ok && body.get("event_id").and_then(Value::as_str) == Some(letter.event()))
    };
    tokio::time::timeout(MAX_ANSWER_TIME, exchange).await.ok().flatten().unwrap_or(false)
}

async fn post(letter: &Letter, gateway: Option<&str>) -> Option<String> {
    let there = webhook::destination(&letter.url).ok()?;
    let address = match gateway {
        Some(gateway) => gateway,
        // Only plain HTTP is spoken here, see the gateway.
        None if !there.is_https => &there.authority,
        None => return None,
    };
    let (host, path) = (&there.authority, &there.path);
    let (body, signature) = letter.signed();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nCint-Signature: {}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{}",
        signature,
        body.len(),
        body
    );
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer).await.ok()?;
    String::from_utf8(answer).ok()
}
