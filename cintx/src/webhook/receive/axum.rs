//! An extractor for axum: the handler gets an event that was verified, or is not called.
//! The body limit of axum applies as well, 2 MiB unless set otherwise.

use axum_core::extract::{FromRef, FromRequest, Request};
use axum_core::response::{IntoResponse, Response};
use bytes::Bytes;

use super::{Acknowledgement, Event, ReceiveError, Receiver};

/// An event that was received and verified. The state of the router is the [`Receiver`], or one can be had from it.
///
/// Answer with [`Event::acknowledgement`] once the event is safe.
#[derive(Clone, Debug, PartialEq)]
pub struct Received(pub Event);

impl<S: Send + Sync> FromRequest<S> for Received
where
    Receiver: FromRef<S>,
{
    type Rejection = ReceiveError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ReceiveError> {
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|error| ReceiveError::Body { problem: error.body_text() })?;
        let receiver = Receiver::from_ref(state);
        receiver.receive_at(&headers, &body, receiver.now()).map(Self)
    }
}

impl IntoResponse for ReceiveError {
    fn into_response(self) -> Response {
        (self.status(), self.to_string()).into_response()
    }
}

impl IntoResponse for Acknowledgement {
    fn into_response(self) -> Response {
        self.response().map(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[tokio::test]
    async fn only_verified_events_come_through() {
        let receiver = Receiver::new("FP7UPZpATKBcYJj4va95PYud+a3gCidRERiLO+9MoFE=").unwrap();
        let request = |body: &'static str| {
            let signature = "t=1732526080,v1=6532d4777122acc32cd388763fc0c0ba8732698d09cf99eea086e5a86f8d3ebe";
            http::Request::post("/").header("Cint-Signature", signature).body(body.into()).unwrap()
        };
        // The published body is signed rightly, and is no event.
        let unread = Received::from_request(request(r#"{"foo":"bar"}"#), &receiver).await.unwrap_err();
        assert_eq!(unread.into_response().status(), StatusCode::BAD_REQUEST);
        let forged = Received::from_request(request(r#"{"foo":"baz"}"#), &receiver).await.unwrap_err();
        assert_eq!(forged.into_response().status(), StatusCode::UNAUTHORIZED);
    }
}
