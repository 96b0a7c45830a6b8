//! What comes from outside on its own: links by which respondents enter, webhooks, and files of an earlier run.

use std::io::Write as _;

use bolero::check;
use cintx::recovery::FileJournal;
use cintx::respondent::redirect::{EntryLinks, ExitLinks};
use cintx::webhook::receive::{Event, ReceiveError, Receiver};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use sha2::Sha256;

/// A link is refused or signed; what was signed is what is verified, and nothing but that.
#[test]
fn links_of_respondents() {
    let exit = ExitLinks::new("the key").unwrap();
    let entry = EntryLinks::new("the key").unwrap();
    check!().for_each(|bytes: &[u8]| {
        let url = String::from_utf8_lossy(bytes);
        let _ = entry.verify(&url);
        let _ = entry.verify_behind("https://survey.example", &url);
        if let Ok(signed) = exit.sign(&url) {
            assert_eq!(entry.verify(&signed), Ok(()), "{signed}");
            let (start, hash) = signed.split_at(signed.len() - 1);
            let other = if hash == "A" { "B" } else { "A" };
            assert!(entry.verify(&format!("{start}{other}x")).is_err());
        }
    });
}

const SECRET: &str = "the secret";

/// The header of a body that was signed at a time.
fn signature(time: u32, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    let mac = mac.chain_update(format!("{time}.")).chain_update(body).finalize().into_bytes();
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={time},v1={hex}")
}

fn headers(signature: &[u8], coding: Option<&'static str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(signature) {
        headers.insert("cint-signature", value);
    }
    if let Some(coding) = coding {
        headers.insert("content-encoding", HeaderValue::from_static(coding));
    }
    headers
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(body).unwrap();
    writer.finish().unwrap()
}

/// The first byte says what a call is like, the rest is its header and its body. Nothing that was not signed is taken,
/// whatever its header says; what was signed is an event, or no event, and never a forgery.
#[test]
fn calls_of_webhooks() {
    let receiver = Receiver::new(SECRET).unwrap().limit(4_096);
    check!().for_each(|bytes: &[u8]| {
        let Some((kind, rest)) = bytes.split_first() else { return };
        let coding = (kind & 1 != 0).then_some("gzip");
        if kind & 2 == 0 {
            // A header line, and the body behind it.
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let (header, body) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
            let refused = receiver.receive_at(&headers(header, coding), body, Timestamp::UNIX_EPOCH).unwrap_err();
            assert!(refused.status().is_client_error(), "{refused}");
            return;
        }
        let right = signature(u32::from(*kind), rest);
        let sent = if coding.is_some() && kind & 4 != 0 { gzip(rest) } else { rest.to_vec() };
        match receiver.receive_at(&headers(right.as_bytes(), coding), &sent, Timestamp::UNIX_EPOCH) {
            Ok(event) if coding.is_none() || kind & 4 != 0 => assert_eq!(event.body().as_ref(), rest),
            // What was signed was packed by itself.
            Ok(_) => {}
            Err(refused) => assert!(!matches!(refused, ReceiveError::Signature(_)), "{refused}"),
        }
        let other = if right.ends_with('0') { "1" } else { "0" };
        let wrong = format!("{}{other}", &right[..right.len() - 1]);
        let forged = receiver.receive_at(&headers(wrong.as_bytes(), coding), &sent, Timestamp::UNIX_EPOCH);
        assert!(forged.is_err(), "{forged:?}");
    });
}

/// An event is refused or read, and is the same after it was kept.
#[test]
fn events() {
    check!().for_each(|bytes: &[u8]| {
        if let Ok(event) = Event::parse(bytes) {
            let kept = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&kept).unwrap(), event);
        }
    });
}

/// A journal of any content opens, or is left as it is.
#[test]
fn journals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cint.journal");
    check!().for_each(|bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        if FileJournal::open(&path).is_err() {
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
        std::fs::remove_file(&path).unwrap();
    });
}
