//! A mock server that answers whatever the test says and remembers what it was sent.
//! One catch-all mock is enough: expectations are compared in the test, where a difference can be named.

use std::sync::{Arc, Mutex, PoisonError};

use cintx_raw::BearerTransport;
use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};

/// The prefixes that stand for the two hosts.
pub(crate) const DEMAND: &str = "/v1";
pub(crate) const SERVER_TO_SERVER: &str = "/s2s";
/// The credentials of the two hosts.
pub(crate) const TOKEN: &str = "token";
pub(crate) const KEY: &str = "s2s-key";

/// What the server answers next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, media: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", media)
    }
}

#[derive(Default)]
struct Script {
    answer: Mutex<Answer>,
    seen: Mutex<Vec<HttpMockRequest>>,
}

/// The server of one version.
pub(crate) struct Setup {
    server: MockServer,
    direct: BearerTransport,
    script: Arc<Script>,
}

impl Setup {
    pub(crate) async fn open() -> Self {
        let server = MockServer::start_async().await;
        let script = Arc::new(Script::default());
        let shared = Arc::clone(&script);
        server
            .mock_async(move |when, then| {
                when.any_request();
                then.respond_with(move |request| {
                    shared.seen.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
                    let answer = shared.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    let response = HttpMockResponse::builder().status(answer.status).headers(answer.headers);
                    if answer.body.is_empty() { response.build() } else { response.body(answer.body).build() }
                });
            })
            .await;
        let direct = BearerTransport::new(TOKEN).unwrap().base_url(&server.url(DEMAND));
        let direct = direct.server_to_server(KEY, Some(&server.url(SERVER_TO_SERVER))).unwrap();
        Self { server, direct, script }
    }

    /// A transport whose hosts are this server. All of them share their connections.
    pub(crate) fn direct(&self) -> BearerTransport {
        self.direct.clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    pub(crate) fn answers(&self, answer: Answer) {
        *self.script.answer.lock().unwrap() = answer;
    }

    /// What was sent since the last time this was asked.
    pub(crate) fn seen(&self) -> Vec<HttpMockRequest> {
        std::mem::take(&mut self.script.seen.lock().unwrap())
    }
}
