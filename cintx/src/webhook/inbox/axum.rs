//! A router for axum: verifies what is posted to one path, takes it into the inbox, and acknowledges it after the
//! commit.

use axum::Router;
use axum::extract::{FromRef, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::StatusCode;

use super::{Inbox, InboxError};
use crate::webhook::receive::{Received, Receiver};

/// What the handler needs.
#[derive(Clone)]
struct Intake {
    receiver: Receiver,
    inbox: Inbox,
}

impl FromRef<Intake> for Receiver {
    fn from_ref(intake: &Intake) -> Self {
        intake.receiver.clone()
    }
}

/// A router that takes a webhook's calls at a path: `/cint` for example. Merge it into your own, or nest it.
///
/// What is not Cint's is answered with [`ReceiveError::status`](crate::webhook::receive::ReceiveError::status). While
/// the store fails, the answer is 503, and Cint tries again. Axum's body limit applies as well, 2 MiB unless set.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use cintx::webhook::inbox::{Inbox, MemoryInboxStore, router};
/// use cintx::webhook::receive::Receiver;
///
/// let inbox = Inbox::new(MemoryInboxStore::new());
/// let receiver = Receiver::new(std::env::var("CINT_WEBHOOK_SECRET")?)?;
/// let app: axum::Router = router("/cint", receiver, inbox.clone());
/// # Ok(())
/// # }
/// ```
pub fn router<S: Clone + Send + Sync + 'static>(path: &str, receiver: Receiver, inbox: Inbox) -> Router<S> {
    Router::new().route(path, post(take_in)).with_state(Intake { receiver, inbox })
}

async fn take_in(State(intake): State<Intake>, Received(event): Received) -> Result<Response, InboxError> {
    let acknowledgement = event.acknowledgement();
    let id = event.id().to_owned();
    let accepted = intake.inbox.accept(event).await?;
    tracing::debug!(event = id, ?accepted, "took a webhook event");
    Ok(acknowledgement.into_response())
}

impl IntoResponse for InboxError {
    fn into_response(self) -> Response {
        // The cause is for our logs, not for the caller.
        tracing::warn!(error = self.chain(), "a webhook event was not taken");
        (StatusCode::SERVICE_UNAVAILABLE, "the event was not taken, try again").into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Write as _};
    use std::sync::{Arc, Mutex};

    use futures_util::future::{BoxFuture, FutureExt as _, ready};
    use jiff::Timestamp;
    use tracing::field::Field;
    use tracing::{Metadata, Subscriber, span};

    use super::*;
    use crate::webhook::inbox::{Accepted, Fact, Gap, InboxStore, MemoryInboxStore};
    use crate::webhook::receive::Event;

    /// A disk that is full.
    struct Full;

    impl InboxStore for Full {
        fn accept<'a>(
            &'a self,
            _: &'a [Event],
            _: Timestamp,
            _: Timestamp,
        ) -> BoxFuture<'a, Result<Vec<Accepted>, InboxError>> {
            ready(Err(InboxError::store("no space left on /secret"))).boxed()
        }

        fn take(&self, _: usize, _: Timestamp) -> BoxFuture<'_, Result<Vec<Fact>, InboxError>> {
            ready(Ok(Vec::new())).boxed()
        }

        fn done<'a>(&'a self, _: &'a [u64]) -> BoxFuture<'a, Result<(), InboxError>> {
            ready(Ok(())).boxed()
        }

        fn gaps(&self, _: usize) -> BoxFuture<'_, Result<Vec<Gap>, InboxError>> {
            ready(Ok(Vec::new())).boxed()
        }
    }

    async fn answer(inbox: &Inbox) -> (StatusCode, String) {
        let receiver = Receiver::new("secret").unwrap();
        let event = Event::parse(br#"{"id":"e1","type":"other","data":{}}"#).unwrap();
        let state = State(Intake { receiver, inbox: inbox.clone() });
        let response = take_in(state, Received(event)).await.into_response();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1_000).await.unwrap();
        (head.status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Keeps the fields of what is logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<String>>);

    impl Subscriber for Log {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            event.record(&mut |field: &Field, value: &dyn Debug| {
                write!(self.0.lock().unwrap(), "{field}={value:?} ").unwrap();
            });
        }

        fn enter(&self, _: &span::Id) {}

        fn exit(&self, _: &span::Id) {}
    }

    #[tokio::test]
    async fn only_what_was_committed_is_acknowledged() {
        let inbox = Inbox::new(MemoryInboxStore::new());
        for _ in 0..2 {
            assert_eq!(answer(&inbox).await, (StatusCode::OK, r#"{"event_id":"e1"}"#.to_owned()));
        }
        assert_eq!(inbox.take(10).await.unwrap().len(), 1);
        let log = Log::default();
        let logging = tracing::subscriber::set_default(log.clone());
        let (status, body) = answer(&Inbox::new(Full)).await;
        drop(logging);
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let log = log.0.lock().unwrap();
        assert!(log.contains("no space left on /secret"), "the operator reads why: {log}");
        assert!(!body.contains("secret") && !body.contains("event_id"), "{body}");
    }
}
