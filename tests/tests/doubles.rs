//! One test of a user's, against each thing that can stand for the Exchange: the sandbox, mocked operations, a transport
//! of the user's own, and answers that were recorded.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cintx::client::{ClientBuilder, Credentials};
use cintx::http::{ByteStream, TransportError};
use cintx::raw::mock::{Endpoint, MockServerExt as _};
use cintx::{Client, Version};
use cintx_sandbox::Sandbox;
use http::{Method, Request, Response, StatusCode};
use httpmock::MockServer;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const PROJECT: &str = "01BX5ZZKBKACTAV9WEVGEMMVS0";
const MANAGER: &str = "2e8b1f9a-6a77-4bb0-8ef1-f5b4a3b0a1d2";
const ACCOUNT: i64 = 7;

// What a user tests: the file that the guide shows and runs.
include!("../../cintx/guide/opens_a_wave.rs");

/// A client of the sandbox's account, which has to be told yet where requests go.
fn of_the_sandbox<V: Version>(sandbox: &Sandbox) -> ClientBuilder<V> {
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).endpoint(sandbox.token_url());
    Client::builder().credentials(credentials).account(i64::from(sandbox.account_id()))
}

/// The simulated Exchange, over a socket.
async fn sandbox<V: Version>() {
    let sandbox = Sandbox::start().await.unwrap();
    let cint = of_the_sandbox::<V>(&sandbox).api_url(sandbox.api_url()).build().unwrap();
    opens_a_wave(&cint, sandbox.project_manager_id().parse().unwrap()).await.unwrap();
    assert!(sandbox.requests().iter().all(|request| request.violations.is_empty()));
}

/// What a server of few words answers: status, entity tag and body.
fn answer(method: &Method, path: &str) -> Option<(u16, Value)> {
    let is_one = path.ends_with(&format!("/accounts/{ACCOUNT}/projects/{PROJECT}"));
    let is_list = path.ends_with(&format!("/accounts/{ACCOUNT}/projects"));
    match *method {
        Method::POST if is_list => Some((202, json!({ "id": PROJECT }))),
        Method::GET if is_one => {
            Some((200, json!({ "id": PROJECT, "name": "MyDrinksSurveyQ1", "project_manager_id": MANAGER })))
        }
        Method::PUT if is_one => Some((200, json!({ "id": PROJECT }))),
        _ => None,
    }
}

/// Single operations of a mocked server.
async fn mock<V: Version>() {
    let server = MockServer::start_async().await;
    let projects = format!("/demand/accounts/{ACCOUNT}/projects");
    let one = format!("{projects}/{PROJECT}");
    let mocks = [("POST", projects), ("GET", one.clone()), ("PUT", one)].map(|(method, path)| {
        let (status, body) = answer(&method.parse().unwrap(), &path).unwrap();
        server.mock(|when, then| {
            when.method(method).path(path).header("authorization", "Bearer t").header("cint-api-version", V::DATE);
            then.status(status).header("etag", "\"1\"").json_body(body);
        })
    });
    let cint = Client::<V>::builder().account(ACCOUNT).token("t").api_url(server.base_url()).build().unwrap();
    opens_a_wave(&cint, MANAGER.parse().unwrap()).await.unwrap();
    assert_eq!(mocks.map(|mock| mock.calls()), [1, 2, 1], "an edit reads what it changes");
}

/// A mock that knows its operation's types, and answers with a value of them.
fn typed<E>(server: &MockServer, endpoint: E, answer: Value) -> httpmock::Mock<'_>
where
    E: Endpoint<Answer: DeserializeOwned>,
{
    let answer: E::Answer = serde_json::from_value(answer).unwrap();
    server.operation(endpoint, |when, then| {
        when.path("account_id", ACCOUNT);
        then.header("etag", "\"1\"").answer(&answer);
    })
}

/// The same operations, each mocked as its version has it.
async fn typed_mocks<V: Version, C, R, U>(create: C, read: R, update: U)
where
    C: Endpoint<Answer: DeserializeOwned>,
    R: Endpoint<Answer: DeserializeOwned>,
    U: Endpoint<Answer: DeserializeOwned>,
{
    let server = MockServer::start_async().await;
    let created = typed(&server, create, json!({ "id": PROJECT }));
    let shown = json!({ "id": PROJECT, "name": "MyDrinksSurveyQ1", "project_manager_id": MANAGER });
    let read = typed(&server, read, shown);
    let changed = typed(&server, update, json!({ "id": PROJECT }));
    let cint = Client::<V>::builder().account(ACCOUNT).token("t").api_url(server.base_url()).build().unwrap();
    opens_a_wave(&cint, MANAGER.parse().unwrap()).await.unwrap();
    assert_eq!([created, read, changed].map(|mock| mock.calls()), [1, 2, 1], "an edit reads what it changes");
}

/// A closure in the place of the HTTP client.
async fn transport<V: Version>() {
    let fake = |request: Request<Bytes>| async move {
        let Some((status, body)) = answer(request.method(), request.uri().path()) else {
            return Err(TransportError::not_sent("nothing else is answered here"));
        };
        let head =
            Response::builder().status(status).header("content-type", "application/json").header("etag", "\"1\"");
        head.body(ByteStream::from(body.to_string())).map_err(TransportError::not_sent)
    };
    let cint = Client::<V>::builder().account(ACCOUNT).token("t").transport(fake).build().unwrap();
    opens_a_wave(&cint, MANAGER.parse().unwrap()).await.unwrap();
}

/// The document of 2025-02-17 alone spells it with hyphens.
#[cfg(feature = "v2025-02-17")]
#[tokio::test]
async fn a_short_id_is_read_as_its_document_spells_it() {
    let fake = |_: Request<Bytes>| async {
        let body = json!({
            "id": PROJECT, "human-readable-id": "TX-7", "name": "MyDrinksSurveyQ1", "project_manager_id": MANAGER,
        });
        let head = Response::builder().header("content-type", "application/json").header("etag", "\"1\"");
        head.body(ByteStream::from(body.to_string())).map_err(TransportError::not_sent)
    };
    let cint = Client::<cintx::V2025_02_17>::builder().account(ACCOUNT).token("t").transport(fake).build().unwrap();
    let project = cint.project(cintx::ProjectId::new(PROJECT)).get().await.unwrap();
    assert_eq!(project.human_readable_id(), Some("TX-7"));
}

/// A request and its answer, as a file can keep them.
#[derive(Serialize, Deserialize)]
struct Recorded {
    method: String,
    path: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Recorded {
    fn new(request: &Request<Bytes>, answer: &Response<Bytes>) -> Self {
        let headers = answer.headers().iter();
        Self {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            status: answer.status().as_u16(),
            headers: headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect(),
            body: String::from_utf8(answer.body().to_vec()).unwrap(),
        }
    }

    fn answer(self) -> Response<ByteStream> {
        let mut answer = Response::builder().status(StatusCode::from_u16(self.status).unwrap());
        for (name, value) in &self.headers {
            answer = answer.header(name, value);
        }
        answer.body(ByteStream::from(self.body)).unwrap()
    }
}

/// Answers that the sandbox gave once, without it.
async fn recording<V: Version>() {
    let sandbox = Arc::new(Sandbox::start().await.unwrap());
    let manager = sandbox.project_manager_id().parse().unwrap();
    let tape = Arc::new(Mutex::new(Vec::new()));
    let (exchange, recorder) = (Arc::clone(&sandbox), Arc::clone(&tape));
    let record = move |request: Request<Bytes>| {
        let answer = exchange.answer(request.clone());
        recorder.lock().unwrap().push(Recorded::new(&request, &answer));
        async move { Ok::<_, TransportError>(answer.map(ByteStream::from)) }
    };
    let cint = of_the_sandbox::<V>(&sandbox).transport(record).build().unwrap();
    opens_a_wave(&cint, manager).await.unwrap();
    let file = serde_json::to_string(&*tape.lock().unwrap()).unwrap();

    let tape: Mutex<Vec<Recorded>> = serde_json::from_str(&file).map(Mutex::new).unwrap();
    let tape = Arc::new(tape);
    let player = Arc::clone(&tape);
    let play = move |request: Request<Bytes>| {
        let mut left = player.lock().unwrap();
        let fits = |it: &Recorded| *request.method() == *it.method && request.uri().path() == it.path;
        let found = left.iter().position(fits).map(|at| left.remove(at).answer());
        async move { found.ok_or_else(|| TransportError::not_sent("this was not recorded")) }
    };
    let cint = of_the_sandbox::<V>(&sandbox).transport(play).build().unwrap();
    opens_a_wave(&cint, manager).await.unwrap();
    assert!(tape.lock().unwrap().is_empty(), "the same requests");
}

/// The ways of the guide, by their headings.
const WAYS: [&str; 6] = [
    "Against the simulated Exchange",
    "Against single mocked operations",
    "With a transport of your own",
    "With recorded answers",
    "With simulated time",
    "With the time of a simulation",
];

#[test]
fn each_way_of_the_guide_runs_the_same_test() {
    let shown = include_str!("../../cintx/guide/opens_a_wave.rs");
    let page = include_str!("../../cintx/guide/testing.md");
    assert!(page.contains(&format!("```rust\n{shown}```\n")), "the page shows another test than is run");
    let sections: Vec<&str> = page.split("\n## ").skip(1).collect();
    let with_code: Vec<&str> =
        sections.iter().filter(|it| it.contains("```")).map(|it| it.lines().next().unwrap()).collect();
    assert_eq!(with_code, WAYS);
    for section in sections.iter().filter(|section| section.contains("```")) {
        let code: String = section.split("```").skip(1).step_by(2).collect();
        let runs = ["# include!(", "/guide/opens_a_wave.rs\"));", "opens_a_wave(&", "async fn main()"];
        let lacks: Vec<&str> = runs.into_iter().filter(|part| !code.contains(part)).collect();
        assert!(code.starts_with("rust\n") && lacks.is_empty(), "{}: {lacks:?}", section.lines().next().unwrap());
    }
}

macro_rules! with_each_double {
    ($version:ident $marker:ident) => {
        mod $version {
            #[tokio::test]
            async fn sandbox() {
                super::sandbox::<cintx::$marker>().await;
            }

            #[tokio::test]
            async fn mock() {
                super::mock::<cintx::$marker>().await;
            }

            #[tokio::test]
            async fn typed_mocks() {
                use cintx::raw::$version::endpoints::{CreateProject, GetProjectById, UpdateProject};
                super::typed_mocks::<cintx::$marker, _, _, _>(CreateProject, GetProjectById, UpdateProject).await;
            }

            #[tokio::test]
            async fn transport() {
                super::transport::<cintx::$marker>().await;
            }

            #[tokio::test]
            async fn recording() {
                super::recording::<cintx::$marker>().await;
            }
        }
    };
}

cintx_tests::for_each_version!(with_each_double);
