//! A proxy in front of the sandbox that behaves as gateways do on bad days: it gives up before the work is done, lies
//! about what was done, strips headers, and answers with pages of its own.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::{Method, StatusCode, header};
use tokio::task::AbortHandle;

/// How long after its answer a late write is done.
pub(crate) const LATE: Duration = Duration::from_millis(300);

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not passed on, and never answered.
    DropBefore,
    /// Done, and never answered.
    DropAfter,
    /// Not passed on, and answered with this status.
    Refuse(u16),
    /// Done, and answered with this status.
    StatusAfter(u16),
    /// Answered with 504 at once, and done a little later.
    Late,
    /// Not passed on, and answered with a page under 200.
    PageBefore,
    /// Done, and answered with a page under the right status.
    PageAfter,
    /// Done, and answered with an error object under the right status.
    ErrorAfter,
    /// Done, and answered with an empty body under the right status and media type.
    NothingAfter,
    /// Done, and answered with `{}` under the right status.
    EmptyObjectAfter,
    /// Done, and answered without `ETag` and `Location`.
    StripHeaders,
}

/// Which requests meet it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The one of this number, counted from 0.
    One(usize),
    /// That one and all that come after it.
    From(usize),
}

#[derive(Debug, Default)]
struct Plan {
    fault: Option<(Fault, Reach)>,
    seen: Vec<Method>,
}

#[derive(Clone, Debug)]
struct Shared {
    api: Arc<str>,
    http: reqwest::Client,
    plan: Arc<Mutex<Plan>>,
}

/// The proxy. It stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
    serving: AbortHandle,
}

impl Proxy {
    /// A proxy of an API at this address.
    pub(crate) async fn start(api: &str) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        let plan = Arc::<Mutex<Plan>>::default();
        // The path is passed on as a whole.
        let origin = api.split_inclusive('/').take(3).collect::<String>();
        let shared = Shared { api: origin.trim_end_matches('/').into(), http, plan: Arc::clone(&plan) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(serve).with_state(shared);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }).abort_handle();
        Self { address, plan, serving }
    }

    /// Where the API seems to be.
    pub(crate) fn url(&self, api: &str) -> String {
        let path: String = api.split_inclusive('/').skip(3).collect();
        format!("http://{}/{path}", self.address)
    }

    /// Forgets what was seen, and sets what is to come.
    pub(crate) fn plan(&self, fault: Option<(Fault, Reach)>) {
        *self.plan.lock().unwrap() = Plan { fault, seen: Vec::new() };
    }

    /// The methods of the requests that came.
    pub(crate) fn seen(&self) -> Vec<Method> {
        self.plan.lock().unwrap().seen.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(State(shared): State<Shared>, request: Request) -> Response {
    let fault = {
        let mut plan = shared.plan.lock().unwrap();
        let number = plan.seen.len();
        plan.seen.push(request.method().clone());
        plan.fault.filter(|(_, reach)| match reach {
            Reach::One(one) => number == *one,
            Reach::From(first) => number >= *first,
        })
    };
    let Some((fault, _)) = fault else { return pass_on(&shared, request).await };
    match fault {
        Fault::DropBefore => drop_connection(),
        Fault::Refuse(status) => error(status),
        Fault::PageBefore => page(StatusCode::OK),
        Fault::Late => {
            tokio::spawn(async move {
                tokio::time::sleep(LATE).await;
                pass_on(&shared, request).await;
            });
            error(504)
        }
        Fault::DropAfter => {
            pass_on(&shared, request).await;
            drop_connection()
        }
        Fault::StatusAfter(status) => {
            pass_on(&shared, request).await;
            error(status)
        }
        Fault::PageAfter => page(pass_on(&shared, request).await.status()),
        Fault::ErrorAfter => {
            let answer = pass_on(&shared, request).await;
            json(answer.status(), r#"{"object":"internal_error","detail":"no"}"#)
        }
        Fault::NothingAfter => json(pass_on(&shared, request).await.status(), ""),
        Fault::EmptyObjectAfter => json(pass_on(&shared, request).await.status(), "{}"),
        Fault::StripHeaders => {
            let mut answer = pass_on(&shared, request).await;
            answer.headers_mut().remove(header::ETAG);
            answer.headers_mut().remove(header::LOCATION);
            answer
        }
    }
}

async fn pass_on(shared: &Shared, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut headers = head.headers;
    headers.remove(header::HOST);
    headers.remove(header::ACCEPT_ENCODING);
    let path = head.uri.path_and_query().unwrap();
    let sent = shared.http.request(head.method, format!("{}{path}", shared.api)).headers(headers).body(body);
    let answer = sent.send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = Response::new(Body::from(answer.bytes().await.unwrap()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.headers_mut().remove(header::TRANSFER_ENCODING);
    response
}

/// The server closes a connection whose handler panics, without a word; this one does not print, either.
fn drop_connection() -> Response {
    std::panic::resume_unwind(Box::new("the connection is dropped"))
}

fn error(status: u16) -> Response {
    json(StatusCode::from_u16(status).unwrap(), r#"{"object":"some_error","detail":"no"}"#)
}

fn json(status: StatusCode, body: &'static str) -> Response {
    answer(status, "application/json", body)
}

fn page(status: StatusCode) -> Response {
    // What has no body cannot be a page.
    let status = if status == StatusCode::NO_CONTENT { StatusCode::OK } else { status };
    answer(status, "text/html", "<!doctype html><title>Log in</title>")
}

fn answer(status: StatusCode, media: &'static str, body: &'static str) -> Response {
    let builder = Response::builder().status(status);
    if status == StatusCode::NO_CONTENT {
        return builder.body(Body::empty()).unwrap();
    }
    builder.header(header::CONTENT_TYPE, media).body(Body::from(body)).unwrap()
}
