//! The pipeline's webhook endpoint: verifies, counts, remembers the state of
//! each respondent, acknowledges.

use crate::bug::Bug;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the endpoint has made of what came.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) completes: usize,
    /// The client's code by RID, with the event's number.
    pub(crate) codes: BTreeMap<String, (i64, i64)>,
    seen: BTreeSet<String>,
    secret: String,
}

pub(crate) type Shared = Arc<Mutex<Ledger>>;

/// Opens the endpoint: its address and its ledger.
pub(crate) async fn open(bug: Option<Bug>) -> (String, Shared) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ledger = Shared::default();
    let own = ledger.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            serve(stream, &own, bug).await;
        }
    });
    (format!("http://{address}/events"), ledger)
}

/// Gives the endpoint the secret that it verifies with.
pub(crate) fn trust(ledger: &Shared, secret: String) {
    ledger.lock().unwrap().secret = secret;
}

async fn serve(mut stream: TcpStream, ledger: &Shared, bug: Option<Bug>) {
    let mut request = Vec::new();
    let (head, body) = loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length: usize = line(head, "Content-Length: ").parse().unwrap();
            if body.len() >= length {
                break (head.to_owned(), body.to_owned());
            }
        }
    };
    let (status, answer) = handle(&head, &body, &mut ledger.lock().unwrap(), bug);
    let text = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}", answer.len());
    let _ = stream.write_all(text.as_bytes()).await;
}

fn line<'h>(head: &'h str, name: &str) -> &'h str {
    head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default()
}

fn handle(head: &str, body: &str, ledger: &mut Ledger, bug: Option<Bug>) -> (u16, String) {
    let (time, given) = line(head, "Cint-Signature: t=").split_once(",v1=").unwrap_or_default();
    let key = match bug {
        Some(Bug::DecodedSecret) => decode(&ledger.secret),
        _ => ledger.secret.clone().into_bytes(),
    };
    if hmac(&key, format!("{time}.{body}").as_bytes()) != given {
        return (401, "{}".into());
    }
    let event: Value = serde_json::from_str(body).unwrap();
    let id = event["id"].as_str().unwrap().to_owned();
    let fresh = ledger.seen.insert(id.clone());
    if fresh || bug == Some(Bug::CountsDuplicates) {
        let data = &event["data"];
        let rid = data["response_session_id"].as_str().unwrap().to_owned();
        let number = data["sequence_number"].as_i64().unwrap();
        let code = data["changes"][0]["new_value"].as_i64().unwrap();
        ledger.completes += usize::from(code == 10);
        let known = ledger.codes.get(&rid).map_or(0, |(number, _)| *number);
        if number > known || bug == Some(Bug::OutOfOrder) {
            ledger.codes.insert(rid, (number, code));
        }
    }
    let answer = if bug == Some(Bug::EmptyAck) { json!({}) } else { json!({ "event_id": id }) };
    (200, answer.to_string())
}

fn hmac(key: &[u8], message: &[u8]) -> String {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Base64, for the one who thinks that it is needed.
fn decode(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String =
        text.chars().filter_map(|letter| ALPHABET.find(letter)).map(|value| format!("{value:06b}")).collect();
    bits.as_bytes()
        .chunks_exact(8)
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect()
}
