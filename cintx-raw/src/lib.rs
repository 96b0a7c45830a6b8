#![cfg_attr(docsrs, feature(doc_cfg))]
// Without a version there is only the seam, and nobody to use it.
#![cfg_attr(not(feature = "_generated"), allow(dead_code, unused_imports, unused_macros))]
#![doc = include_str!("../README.md")]

mod answer;
#[cfg(feature = "reqwest")]
mod bearer;
mod error;
#[cfg(feature = "httpmock")]
pub mod mock;
mod object;
mod operation;
mod repair;
mod request;
mod response;
mod transport;
mod value;

pub use self::answer::UnexpectedAnswer;
#[cfg(feature = "reqwest")]
pub use self::bearer::{
    BearerTransport, InvalidCredential, NoIdempotencyKey, NoServerToServerKey, Redirected, SetupError,
};
pub use self::error::{ApiError, Error, ErrorKind, InvalidParam};
pub use self::operation::{
    AnswerShape, Host, Idempotency, IdempotencyKey, Job, JobId, KeyFormat, NextCursor, Operation, Pagination,
    Requirement,
};
pub use self::repair::Repaired;
pub use self::request::{Body, File, Request};
pub use self::response::{BoxError, ByteStream, Response, TooLarge};
pub use self::transport::{CallReport, MAX_DECODED_BODY, RawResponse, Transport, TransportFuture};
pub use self::value::{Id, Secret};

include!("versions.rs");
