//! Takes webhooks to their subscribers: one plain HTTP request each, heard
//! only if the answer names the event. The one part that calls out.

use crate::api::engine::Engine;
use crate::fault::{DELIVERY, Effect};
use crate::state::webhook::{self, Letter, Reception};
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST};
use http::{Request, StatusCode};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// How often it is looked for new events.
const ROUND_PAUSE: Duration = Duration::from_millis(20);
/// How long a subscriber may take.
const MAX_ANSWER_TIME: Duration = Duration::from_secs(10);
/// Answers beyond this are not read.
const MAX_ANSWER_BYTES: usize = 64 << 10;

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
    let said = tokio::time::timeout(MAX_ANSWER_TIME, post(letter, gateway)).await.ok().flatten();
    let said: Option<Value> = said.and_then(|body| serde_json::from_slice(&body).ok());
    said.is_some_and(|body| body.get("event_id").and_then(Value::as_str) == Some(letter.event()))
}

/// The body of the subscriber's answer, where that is 200.
async fn post(letter: &Letter, gateway: Option<&str>) -> Option<Bytes> {
    let there = webhook::destination(&letter.url).ok()?;
    let address = match gateway {
        Some(gateway) => gateway,
        // Only plain HTTP is spoken here, see the gateway.
        None if !there.is_https => &there.authority,
        None => return None,
    };
    let (body, signature) = letter.signed();
    let request = Request::post(&there.path)
        .header(HOST, &there.authority)
        .header(CONTENT_TYPE, "application/json")
        .header("cint-signature", signature)
        .header(CONNECTION, "close")
        .body(Body::from(body))
        .ok()?;
    let stream = TokioIo::new(TcpStream::connect(address).await.ok()?);
    // Not every server reads names of headers in any case.
    let (mut sender, connection) = http1::Builder::new().title_case_headers(true).handshake(stream).await.ok()?;
    // Ends with the exchange, also where the subscriber keeps its end open.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender.send_request(request).await.ok()?;
    if answer.status() != StatusCode::OK {
        return None;
    }
    to_bytes(Body::new(answer.into_body()), MAX_ANSWER_BYTES).await.ok()
}
