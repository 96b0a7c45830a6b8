//! Calls any operation of any version by its id with JSON arguments.
//! The generated part knows each operation's types; this part reads arguments and shows what came back.

use std::fmt::Debug;

use cintx_raw::{BearerTransport, ByteStream, Error, File, Operation, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The arguments of one call, by the names that the document gives them.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// Path parameters.
    pub path: Map<String, Value>,
    /// Query parameters.
    pub query: Map<String, Value>,
    /// Headers.
    pub headers: Map<String, Value>,
    /// The body: JSON, or text for bodies that are not JSON.
    pub body: Value,
}

/// What a call came back with.
#[derive(Clone, Debug)]
pub struct Called {
    /// The status.
    pub status: u16,
    /// The decoded body, encoded again; null without one.
    pub value: Value,
    /// The id at the end of `Location`.
    pub location_id: Option<String>,
    /// The entity tag.
    pub etag: Option<String>,
}

/// Why a call did not come back with a value.
#[derive(Debug)]
pub enum Failed {
    /// The client's error.
    Client(Error),
    /// The test's arguments do not fit the operation.
    Argument(String),
    /// No operation has this id.
    NoSuchOperation,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

impl Arguments {
    /// A path parameter.
    pub fn path<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Failed> {
        read(&self.path, name)
    }

    /// A query parameter.
    pub fn query<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Failed> {
        read(&self.query, name)
    }

    /// A header.
    pub fn header<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Failed> {
        read(&self.headers, name)
    }

    /// An argument that the method cannot do without.
    pub fn required<T>(&self, value: Option<T>, name: &str) -> Result<T, Failed> {
        value.ok_or_else(|| Failed::Argument(format!("{name} is missing")))
    }

    /// The JSON body.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Failed> {
        serde_json::from_value(self.body.clone()).map_err(|error| Failed::Argument(format!("body: {error}")))
    }

    /// The body as bytes.
    pub fn bytes(&self) -> bytes::Bytes {
        self.body.as_str().unwrap_or_default().to_owned().into()
    }

    /// The body as a file to upload.
    pub fn file(&self) -> File {
        File::new("upload.csv", self.bytes())
    }
}

fn read<T: DeserializeOwned>(map: &Map<String, Value>, name: &str) -> Result<Option<T>, Failed> {
    map.get(name)
        .map(|value| serde_json::from_value(value.clone()))
        .transpose()
        .map_err(|error| Failed::Argument(format!("{name}: {error}")))
}

fn done<T: Serialize>(answer: Response<T>) -> Result<Called, Failed> {
    let value = serde_json::to_value(answer.value()).map_err(|error| Failed::Argument(error.to_string()))?;
    Ok(called(&answer, value))
}

fn done_empty(answer: Response<()>) -> Result<Called, Failed> {
    Ok(called(&answer, Value::Null))
}

async fn done_bytes(answer: Response<ByteStream>) -> Result<Called, Failed> {
    let shown = called(&answer, Value::Null);
    let bytes = answer.into_value().collect(1 << 20).await.map_err(|error| Failed::Argument(error.to_string()))?;
    Ok(Called { value: Value::String(String::from_utf8_lossy(&bytes).into_owned()), ..shown })
}

fn called<T>(answer: &Response<T>, value: Value) -> Called {
    Called {
        status: answer.status().as_u16(),
        value,
        location_id: answer.location_id().map(str::to_owned),
        etag: answer.etag().map(str::to_owned),
    }
}

/// Decodes and encodes a value through a type. Strictly: nothing in it may be taken for something undocumented.
fn recode<T: DeserializeOwned + Serialize + Debug>(value: &Value, strictly: bool) -> Result<Value, serde_json::Error> {
    // Through text, as it comes over the wire.
    let decoded: T = serde_json::from_str(&value.to_string())?;
    if strictly {
        let shown = format!("{decoded:?}");
        if let Some((_, rest)) = shown.split_once("Unknown(") {
            let what: String = rest.chars().take(80).collect();
            return Err(serde::de::Error::custom(format!("takes for unknown: {what}")));
        }
    }
    serde_json::to_value(decoded)
}

/// A function that decodes and encodes one operation's body.
pub type Recode = fn(&str, &Value, bool) -> Result<Option<Value>, serde_json::Error>;

/// One dated version, ready to be called.
pub struct Version {
    /// The date.
    pub date: &'static str,
    /// Its operation table.
    pub table: &'static [&'static Operation],
    /// Decodes and encodes a request body.
    pub recode_request: Recode,
    /// Decodes and encodes an answer.
    pub recode_answer: Recode,
}

impl std::fmt::Debug for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Version({})", self.date)
    }
}

macro_rules! versions {
    ($($feature:literal $module:ident,)+) => {
        /// Every version that is switched on.
        pub fn versions() -> Vec<Version> {
            vec![$(
                #[cfg(feature = $feature)]
                Version {
                    date: cintx_raw::$module::VERSION,
                    table: cintx_raw::$module::operations::ALL,
                    recode_request: $module::recode_request,
                    recode_answer: $module::recode_answer,
                },
            )+]
        }

        /// Calls an operation of a version through a transport.
        pub async fn call(date: &str, transport: BearerTransport, id: &str, arguments: &Arguments) -> Result<Called, Failed> {
            match date {
                $(#[cfg(feature = $feature)]
                cintx_raw::$module::VERSION => {
                    $module::call(&cintx_raw::$module::Client::new(transport), id, arguments).await
                })+
                _ => Err(Failed::NoSuchOperation),
            }
        }
    };
}

include!("versions.rs");
