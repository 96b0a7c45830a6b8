//! Receives webhooks: signature, size and compression checked, then the event, then the answer.
//! [`Receiver`] does it for any `http` request.

#[cfg(feature = "webhook-axum")]
mod axum;
mod body;
mod event;
mod quotas;
mod receiver;
mod signature;

#[cfg(feature = "webhook-axum")]
pub use self::axum::Received;
pub use self::event::{
    Acknowledgement, Change, Event, EventData, EventError, QuotaFillRegistered, SessionUpdated, TargetGroupUpdated,
};
pub use self::receiver::{ReceiveError, Receiver};
pub use self::signature::{SIGNATURE_HEADER, SignatureError};
