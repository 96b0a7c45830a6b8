//! What comes from outside on its own: links by which respondents enter, webhooks, and files of an earlier run.

use bolero::check;
use cintx::recovery::FileJournal;
use cintx::respondent::redirect::{EntryLinks, ExitLinks};
use cintx::webhook::receive::{Event, Receiver};
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

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

/// Nothing that was not signed is taken, whatever its headers say.
#[test]
fn calls_of_webhooks() {
    let receiver = Receiver::new("the secret").unwrap().limit(4_096);
    check!().with_type::<(Vec<u8>, Vec<u8>, Option<Vec<u8>>)>().for_each(|(signature, body, coding)| {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(signature) {
            headers.insert("cint-signature", value);
        }
        if let Some(Ok(value)) = coding.as_deref().map(HeaderValue::from_bytes) {
            headers.insert("content-encoding", value);
        }
        let refused = receiver.receive_at(&headers, body, Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(refused.status().is_client_error(), "{refused}");
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
