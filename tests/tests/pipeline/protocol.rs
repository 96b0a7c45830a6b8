//! What HTTP itself says: streams that an HTTP/2 server has not begun with, and content codings.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cintx::{Outcome, V2025_12_18};
use cintx_tests::with_faults::{Answer, Behaviour, Deed, Received, Server};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::builder;

/// How an HTTP/2 server ends the first streams.
#[derive(Clone, Copy, Debug)]
enum End {
    /// It has not begun with the request.
    Refused,
    /// It may have begun.
    Cancelled,
}

/// A server that ends its first `bad` streams, and answers the others; it counts its streams.
async fn http2(bad: usize, end: End) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let streams = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&streams);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(socket).await.unwrap();
                while let Some(Ok((_request, mut respond))) = connection.accept().await {
                    if counter.fetch_add(1, Ordering::SeqCst) < bad {
                        respond.send_reset(match end {
                            End::Refused => h2::Reason::REFUSED_STREAM,
                            End::Cancelled => h2::Reason::INTERNAL_ERROR,
                        });
                        continue;
                    }
                    let body = r#"{"id":"1","secret":"s","url":"https://example.com","events":[]}"#;
                    let head = http::Response::builder().status(200).header("content-type", "application/json");
                    let mut stream = respond.send_response(head.body(()).unwrap(), false).unwrap();
                    stream.send_data(bytes::Bytes::from_static(body.as_bytes()), true).unwrap();
                }
            });
        }
    });
    (url, streams)
}

#[tokio::test]
async fn a_refused_stream_was_not_sent_and_is_sent_again() {
    let http = || {
        let http = reqwest::Client::builder().http2_prior_knowledge().redirect(reqwest::redirect::Policy::none());
        http.retry(reqwest::retry::never()).no_proxy().build().unwrap()
    };
    // A write without a key, which is never repeated once it may have been seen.
    let (url, streams) = http2(2, End::Refused).await;
    let client = builder::<V2025_12_18>(&url).http_client(http()).build().unwrap();
    client.raw().regenerate_webhook_secret(2428, "1").await.unwrap();
    assert_eq!(streams.load(Ordering::SeqCst), 3);

    let (url, _) = http2(usize::MAX, End::Refused).await;
    let client = builder::<V2025_12_18>(&url).http_client(http()).build().unwrap();
    let error = cintx::Error::from(client.raw().regenerate_webhook_secret(2428, "1").await.unwrap_err());
    assert_eq!(error.outcome(), Outcome::NotSent, "{error:#}");

    let (url, streams) = http2(usize::MAX, End::Cancelled).await;
    let client = builder::<V2025_12_18>(&url).http_client(http()).build().unwrap();
    let error = cintx::Error::from(client.raw().regenerate_webhook_secret(2428, "1").await.unwrap_err());
    assert_eq!((error.outcome(), streams.load(Ordering::SeqCst)), (Outcome::Unknown, 1), "{error:#}");
}

/// Answers everything with this status and a body of so many bytes.
#[derive(Debug)]
struct Verbose(u16, usize);

impl Behaviour for Verbose {
    fn deed(&self, _: &Received) -> Deed {
        let body = serde_json::json!({ "id": "1", "secret": "s", "accounts": [], "padding": "x".repeat(self.1) });
        Deed::Answer(Answer::json(self.0, body.to_string()))
    }
}

#[tokio::test]
async fn of_an_answer_that_is_too_long_the_status_decides() {
    for (bytes, limit, fits) in [(1_000, 2_000, true), (3_000, 2_000, false), (3_000, usize::MAX, true)] {
        let server = Server::start(Arc::new(Verbose(200, bytes))).await;
        let client = builder::<V2025_12_18>(&server.url()).max_answer_bytes(limit).build().unwrap();
        assert_eq!(client.raw().get_user_accounts().await.is_ok(), fits, "{bytes} of {limit}");
        let written = client.raw().regenerate_webhook_secret(2428, "1").await.map_err(cintx::Error::from);
        assert_eq!(written.err().map(|error| error.outcome()), (!fits).then_some(Outcome::Applied));
    }
    let server = Server::start(Arc::new(Verbose(422, 3_000))).await;
    let client = builder::<V2025_12_18>(&server.url()).max_answer_bytes(2_000).build().unwrap();
    let error = cintx::Error::from(client.raw().regenerate_webhook_secret(2428, "1").await.unwrap_err());
    assert_eq!(error.outcome(), Outcome::NoEffect, "{error:#}");
}

#[tokio::test]
async fn compressed_answers_are_asked_for_and_unpacked() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.unwrap());
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(br#"{"accounts":[{"id":2428,"name":"Acme"}]}"#).unwrap();
        let body = gzip.finish().unwrap();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        socket.write_all(answer.as_bytes()).await.unwrap();
        socket.write_all(&body).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        String::from_utf8(head).unwrap().to_lowercase()
    });
    let client = builder::<V2025_12_18>(&url).build().unwrap();
    let accounts = client.raw().get_user_accounts().await.unwrap().into_value().accounts.unwrap();
    assert_eq!(accounts.len(), 1);
    let head = server.await.unwrap();
    assert!(head.contains("accept-encoding: gzip"), "{head}");
}
