#![cfg_attr(docsrs, feature(doc_cfg))]
// Without a version there is only the seam, and nobody to use it.
#![cfg_attr(
    not(any(feature = "v2024-12-02", feature = "v2025-02-17", feature = "v2025-12-18")),
    allow(dead_code, unused_imports, unused_macros)
)]
#![doc = include_str!("../README.md")]

#[cfg(feature = "reqwest")]
mod direct;
mod error;
#[cfg(feature = "httpmock")]
pub mod mock;
mod operation;
mod request;
mod response;
mod transport;
mod value;

#[cfg(feature = "reqwest")]
pub use self::direct::{Direct, InvalidCredential, NoIdempotencyKey, NoServerToServerKey, Redirected, SetupError};
pub use self::error::{ApiError, Error, ErrorKind, InvalidParam};
pub use self::operation::{
    Host, IdempotencyKey, Job, JobId, KeyFormat, NextCursor, Operation, Pagination, Presence, Repeat,
};
pub use self::request::{Body, File, NEW_KEY, Request};
pub use self::response::{BoxError, ByteStream, Response, TooLarge};
pub use self::transport::{MAX_DECODED_BODY, RawResponse, Transport, TransportFuture};
pub use self::value::{Id, Secret};

#[cfg(feature = "v2024-12-02")]
pub mod v2024_12_02;
#[cfg(feature = "v2025-02-17")]
pub mod v2025_02_17;
#[cfg(feature = "v2025-12-18")]
pub mod v2025_12_18;
